-- 83_final.sql: bills of one account out of turn: any days, and the last ones of who moves out
-- Locks: the key, customer_account, the pool (_resale_lock()), ledger, number counter.

CREATE FUNCTION elecbill._single_bill(p_account elecbill.customer_account, p_days daterange, p_kind text) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET jit = off AS $$
DECLARE
	run elecbill.bill_run;
	made bigint;
BEGIN
	IF elecbill.day_start(upper(p_days), (SELECT o.zone FROM elecbill.org o WHERE o.id = p_account.org_id)) > elecbill.now() THEN
		RAISE EXCEPTION USING ERRCODE = 'UB412', MESSAGE = format('the period %s is not over', p_days);
	ELSIF EXISTS (SELECT FROM elecbill.bill b WHERE b.account_id = p_account.id AND b.live
		AND b.kind IN ('regular', 'final') AND b.service && p_days)
	THEN
		RAISE EXCEPTION USING
			ERRCODE = 'UB409',
			CONSTRAINT = 'already_billed',
			MESSAGE = 'the account has a bill for some of these days already',
			HINT = 'Name days without a bill, or cancel that bill first.';
	END IF;
	PERFORM elecbill._resale_lock(elecbill._resale_parents(ARRAY[p_account.id]));
	run := elecbill._bill_run_add(p_account.org_id, p_account.billing_cycle_id, p_days, p_kind, p_account.id, true);
	UPDATE elecbill.bill_run SET status = 'done', started_at = elecbill.now() WHERE id = run.id;
	made := elecbill._bill_make(run, p_account.id, p_days, CASE p_kind WHEN 'final' THEN 'final' ELSE 'regular' END);
	PERFORM elecbill._resale_bill(ARRAY[made]);
	PERFORM elecbill._rebill_note(run.id, p_account.id);
	RETURN made;
END $$;
COMMENT ON FUNCTION elecbill._single_bill(elecbill.customer_account, daterange, text) IS
'a draft for days of an account, which is locked, in a run of its own; UB409 billed already, UB412 not over, errors of rating';

CREATE FUNCTION elecbill._offcycle_bill(p_account text, p_days daterange, p_key text) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	a elecbill.customer_account;
	call elecbill.bill_call;
	made bigint;
BEGIN
	IF NOT elecbill._both_ends(p_days) THEN
		RAISE EXCEPTION USING ERRCODE = 'UB400', MESSAGE = 'a bill needs a period with both ends';
	END IF;
	SELECT * INTO a FROM elecbill.customer_account x WHERE x.id = elecbill._account_get(p_account);
	call := elecbill._bill_call(a.org_id, p_key, 'offcycle_bill', jsonb_build_array(a.id, p_days));
	IF call.answer IS NOT NULL THEN
		RETURN (call.answer ->> 'bill')::bigint;
	END IF;
	PERFORM FROM elecbill.customer_account x WHERE x.id = a.id FOR NO KEY UPDATE;
	made := elecbill._single_bill(a, p_days, 'offcycle');
	PERFORM elecbill._bills_issue(a.org_id, a.billing_cycle_id, ARRAY[made]);
	PERFORM elecbill._audit(a.org_id, 'offcycle_bill', p_account, NULL, jsonb_build_object('days', p_days, 'bill', made));
	PERFORM elecbill._bill_answer(a.org_id, p_key, jsonb_build_object('bill', made));
	RETURN made;
END $$;
COMMENT ON FUNCTION elecbill._offcycle_bill(text, daterange, text) IS 'what offcycle_bill() does';

CREATE FUNCTION elecbill.offcycle_bill(account text, days daterange, key text DEFAULT NULL, OUT number text, OUT amount numeric)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	made bigint;
BEGIN
	made := elecbill._offcycle_bill(account, days, key);
	SELECT b.number, b.amount INTO number, amount FROM elecbill.bill b WHERE b.id = made;
EXCEPTION WHEN OTHERS THEN
	PERFORM elecbill._refused(elecbill._org_part(account), 'offcycle_bill', account, SQLSTATE, SQLERRM);
	RAISE;
END $$;
COMMENT ON FUNCTION elecbill.offcycle_bill(text, daterange, text) IS
'bills and issues local days [from, to) of one account out of turn; the regular run then needs kind offcycle for the rest of its period. key: the same call again answers the same. UB400, UB404, UB409 billed already, UB412 not over, and the errors of rating';

CREATE FUNCTION elecbill._final_settle(p_account elecbill.customer_account, p_on date) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	advance bigint := elecbill._ledger_account(p_account.org_id, 'advance', p_account.id);
	one record;
	key text;
BEGIN
	PERFORM elecbill._late_fee_account(p_account.org_id, p_account.id, p_on);
	-- the deposit, but for what is announced to leave it, first joins the advance credit, which then pays what is open, the
	-- oldest bill first
	FOR one IN
		SELECT l.id, b.credit - b.debit - b.pending_debit AS credit, b.version FROM elecbill.ledger_account l
		JOIN elecbill.account_balance b ON b.ledger_account_id = l.id
		WHERE l.account_id = p_account.id AND l.code LIKE 'deposit:%' AND b.credit > b.debit + b.pending_debit
	LOOP
		PERFORM elecbill._post(p_account.org_id, format('final:deposit:%s:%s', one.id, one.version), one.id, advance, one.credit,
			'deposit', p_on);
	END LOOP;
	SELECT b.credit - b.debit - b.pending_debit AS credit, b.version INTO one FROM elecbill.account_balance b WHERE b.ledger_account_id = advance;
	key := format('final:advance:%s:%s', advance, one.version);
	IF one.credit > 0 THEN
		PERFORM elecbill._apply(p_account.org_id, p_account.id, NULL, advance, one.credit, NULL, p_on, key, 'apply');
	END IF;
END $$;
COMMENT ON FUNCTION elecbill._final_settle(elecbill.customer_account, date) IS
'pays the open bills of an account, which is locked, from its deposit and advance credit; what is left is advance credit, to be refunded';

CREATE FUNCTION elecbill._final_bill(p_account text, p_day date, p_key text) RETURNS jsonb
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	a elecbill.customer_account;
	call elecbill.bill_call;
	run elecbill.bill_run;
	days daterange;
	made bigint;
	answer jsonb;
BEGIN
	IF isfinite(p_day) IS NOT TRUE THEN
		RAISE EXCEPTION USING ERRCODE = 'UB400', MESSAGE = 'the day must be a date';
	END IF;
	SELECT * INTO a FROM elecbill.customer_account x WHERE x.id = elecbill._account_get(p_account);
	call := elecbill._bill_call(a.org_id, p_key, 'final_bill', jsonb_build_array(a.id, p_day));
	IF call.answer IS NOT NULL THEN
		RETURN call.answer;
	END IF;
	PERFORM FROM elecbill.customer_account x WHERE x.id = a.id FOR NO KEY UPDATE;
	IF EXISTS (SELECT FROM elecbill.customer_agreement g WHERE g.account_id = a.id AND lower(g.valid) >= p_day) THEN
		RAISE EXCEPTION USING
			ERRCODE = 'UB409',
			MESSAGE = format('account %s has an agreement that begins on or after %s', a.account_no, to_char(p_day, 'YYYY-MM-DD'));
	END IF;
	PERFORM elecbill._agreement_close(g.id, p_day) FROM elecbill.customer_agreement g
	WHERE g.account_id = a.id AND g.valid @> p_day;
	run.kind := 'final';
	days := elecbill._bill_days(run, a.id);
	IF NOT isempty(days) THEN
		made := elecbill._single_bill(a, days, 'final');
		PERFORM elecbill._bills_issue(a.org_id, a.billing_cycle_id, ARRAY[made]);
	END IF;
	PERFORM elecbill._final_settle(a, elecbill._today(a.org_id));
	SELECT jsonb_build_object('number', max(b.number) FILTER (WHERE b.id = made), 'amount', sum(b.amount) FILTER (WHERE b.id = made),
		'open', coalesce(sum(b.amount - b.paid + b.late_fee) FILTER (WHERE b.status IN ('issued', 'partly_paid', 'overdue', 'paid')), 0),
		'credit', coalesce((SELECT v.credit - v.debit FROM elecbill.ledger_account l
			JOIN elecbill.account_balance v ON v.ledger_account_id = l.id WHERE l.account_id = a.id AND l.code LIKE 'advance:%'), 0))
	INTO answer FROM elecbill.bill b WHERE b.account_id = a.id;
	PERFORM elecbill._audit(a.org_id, 'final_bill', p_account, NULL, answer || jsonb_build_object('day', p_day));
	PERFORM elecbill._bill_answer(a.org_id, p_key, answer);
	RETURN answer;
END $$;
COMMENT ON FUNCTION elecbill._final_bill(text, date, text) IS 'what final_bill() does';

CREATE FUNCTION elecbill.final_bill(account text, day date, key text DEFAULT NULL, OUT number text, OUT amount numeric,
	OUT open numeric, OUT credit numeric)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	answer jsonb;
BEGIN
	answer := elecbill._final_bill(account, day, key);
	number := answer ->> 'number';
	amount := (answer ->> 'amount')::numeric;
	open := (answer ->> 'open')::numeric;
	credit := (answer ->> 'credit')::numeric;
EXCEPTION WHEN OTHERS THEN
	PERFORM elecbill._refused(elecbill._org_part(account), 'final_bill', account, SQLSTATE, SQLERRM);
	RAISE;
END $$;
COMMENT ON FUNCTION elecbill.final_bill(text, date, text) IS
'moving out: ends the agreements of an account at the start of a local day, bills and issues the days without a bill (number and amount; NULL: none were left), and pays what is open from deposit and advance credit. open: what is still owed, late fees of today included; credit: what is to be given back. key: the same call again answers the same. UB400, UB404, UB409 a bill covers later days, or an agreement begins later, UB412 the day is in the future, and the errors of rating';
