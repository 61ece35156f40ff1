-- 82_rebill.sql: bills are taken back and made anew
-- From the first wrong period on all bills of an account are taken back, the last one first, and made
-- anew in their order, because tiers, ratchets and yearly minimums of one rest on those before it. All
-- of it is one transaction: what cannot be rated leaves everything as it was. A preview is the same
-- work rolled back.
-- Locks: the key, customer_account, the pool (_resale_lock()), bills, ledger, number counter.

CREATE FUNCTION elecbill._rebill_run(p_bill elecbill.bill, p_cycle bigint, p_only bigint, INOUT runs jsonb, OUT run_id bigint)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	period daterange := coalesce((SELECT r.period FROM elecbill.bill_run r WHERE r.id = p_bill.run_id), p_bill.service);
	name text := to_char(lower(period), 'YYYY-MM-DD/') || to_char(upper(period), 'YYYY-MM-DD');
BEGIN
	run_id := (runs ->> name)::bigint;
	IF run_id IS NULL THEN
		run_id := (elecbill._bill_run_add(p_bill.org_id, p_cycle, period, 'rebill', p_only, true)).id;
		UPDATE elecbill.bill_run SET status = 'done', started_at = elecbill.now() WHERE id = run_id;
		runs := runs || jsonb_build_object(name, run_id);
	END IF;
END $$;
COMMENT ON FUNCTION elecbill._rebill_run(elecbill.bill, bigint, bigint, jsonb) IS
'the run for what replaces a bill, of one account or (NULL) of a cycle: that of its period in runs, {period: run}, or a new one, added to runs';

CREATE FUNCTION elecbill._rebill_note(p_run bigint, p_account bigint) RETURNS void
LANGUAGE sql
BEGIN ATOMIC
	INSERT INTO elecbill.bill_run_batch (org_id, run_id, no, account_ids, state, issue_state, bills, parked, finished_at)
	SELECT r.org_id, r.id, coalesce((SELECT max(b.no) FROM elecbill.bill_run_batch b WHERE b.run_id = r.id), 0) + 1,
		ARRAY[p_account], 'done', 'done', 1, 0, elecbill.now()
	FROM elecbill.bill_run r WHERE r.id = p_run;
END;
COMMENT ON FUNCTION elecbill._rebill_note(bigint, bigint) IS 'a batch of one account that a rebill run has made and issued';

CREATE FUNCTION elecbill._rebill_make(p_old elecbill.bill, p_run bigint, p_known_at timestamptz) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	run elecbill.bill_run;
	made bigint;
BEGIN
	SELECT * INTO run FROM elecbill.bill_run r WHERE r.id = p_run;
	run.known_at := p_known_at;
	made := elecbill._bill_make(run, p_old.account_id, p_old.service, p_old.kind);
	IF p_old.status = 'held' THEN
		INSERT INTO elecbill.bill_hold_note (org_id, bill_id, reason)
		SELECT h.org_id, made, h.reason FROM elecbill.bill_hold_note h
		WHERE h.id = (SELECT max(x.id) FROM elecbill.bill_hold_note x WHERE x.bill_id = p_old.id) AND NOT h.by_rule
		ON CONFLICT DO NOTHING;
		IF FOUND THEN
			UPDATE elecbill.bill SET status = 'held' WHERE id = made;
		END IF;
	END IF;
	RETURN made;
END $$;
COMMENT ON FUNCTION elecbill._rebill_make(elecbill.bill, bigint, timestamptz) IS
'the draft that replaces a bill, by prices as known at an instant; held when somebody held the old one, or a rule holds this one';

CREATE FUNCTION elecbill._rebill_account(p_account bigint, p_from date, p_reason text, p_only boolean, INOUT runs jsonb,
	OUT changes jsonb)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET jit = off AS $$
DECLARE
	a elecbill.customer_account;
	old elecbill.bill[];
	one elecbill.bill;
	made bigint[] := '{}'::bigint[];
	target record;
BEGIN
	SELECT * INTO a FROM elecbill.customer_account x WHERE x.id = p_account FOR NO KEY UPDATE;
	old := ARRAY(SELECT b FROM elecbill.bill b
		WHERE b.account_id = p_account AND b.live AND b.kind IN ('regular', 'final') AND upper(b.service) > p_from
		ORDER BY lower(b.service));
	IF old = '{}' THEN
		RAISE EXCEPTION USING
			ERRCODE = 'UB404',
			CONSTRAINT = 'nothing_billed',
			MESSAGE = format('account %s has no bill from %s on', a.account_no, to_char(p_from, 'YYYY-MM-DD'));
	END IF;
	PERFORM elecbill._resale_lock(elecbill._resale_parents(ARRAY[a.id]));	/* before the ledger */
	FOR i IN REVERSE cardinality(old)..1 LOOP
		PERFORM elecbill._bill_cancel(old[i].id, p_reason, 'cancel');
	END LOOP;
	FOREACH one IN ARRAY old LOOP
		IF one.number IS NULL THEN
			made := made || elecbill._rebill_make(one, one.run_id, elecbill.now());
			CONTINUE;
		END IF;
		target := elecbill._rebill_run(one, a.billing_cycle_id, CASE WHEN p_only THEN a.id END, runs);
		runs := target.runs;
		made := made || elecbill._rebill_make(one, target.run_id, elecbill.now());
		PERFORM elecbill._rebill_note(target.run_id, a.id);
	END LOOP;
	PERFORM elecbill._resale_bill(made);
	PERFORM elecbill._bills_issue(a.org_id, a.billing_cycle_id, ARRAY(SELECT u.new_id
		FROM unnest(made) WITH ORDINALITY AS u(new_id, i) WHERE old[u.i].number IS NOT NULL ORDER BY u.i));
	SELECT jsonb_agg(jsonb_build_object('from', lower(n.service), 'to', upper(n.service), 'bill', o.id, 'number', o.number,
		'amount', o.amount, 'new_bill', n.id, 'new_number', n.number, 'new_amount', n.amount) ORDER BY u.i) INTO changes
	FROM unnest(made) WITH ORDINALITY AS u(new_id, i) JOIN elecbill.bill n ON n.id = u.new_id,
		LATERAL (SELECT (old[u.i]).*) AS o;
END $$;
COMMENT ON FUNCTION elecbill._rebill_account(bigint, date, text, boolean, jsonb) IS
'takes back the bills of an account from a day on and makes them anew; what was issued is issued. runs: {period: rebill run}, added to. changes: an object per period with both bills. Errors of _bill_cancel_check() and of rating, UB404 nothing is billed';

CREATE FUNCTION elecbill._changed(p_changes jsonb) RETURNS numeric
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (SELECT sum((c.one ->> 'new_amount')::numeric - (c.one ->> 'amount')::numeric) FROM jsonb_array_elements(p_changes) AS c(one));
COMMENT ON FUNCTION elecbill._changed(jsonb) IS 'by how much the bills of a rebill changed';

CREATE FUNCTION elecbill._rebill_try(p_account bigint, p_from date, OUT changes jsonb, OUT fault text)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	done record;
BEGIN
	done := elecbill._rebill_account(p_account, p_from, 'preview', true, '{}');
	changes := done.changes;
	RAISE EXCEPTION 'rolled back' USING ERRCODE = 'UB999';
EXCEPTION
	WHEN SQLSTATE 'UB999' THEN
		NULL;	/* all but the variables is undone */
	WHEN OTHERS THEN
		IF elecbill._not_its_fault(SQLSTATE) THEN
			RAISE;
		END IF;
		fault := SQLERRM;
END $$;
COMMENT ON FUNCTION elecbill._rebill_try(bigint, date) IS 'what _rebill_account() would do, undone again; or why it cannot';

CREATE FUNCTION elecbill.rebill_preview(account text, from_day date)
RETURNS TABLE (service daterange, number text, amount numeric, new_amount numeric, difference numeric)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	t record;
BEGIN
	t := elecbill._rebill_try(elecbill._account_get(account), from_day);
	IF t.fault IS NOT NULL THEN
		RAISE EXCEPTION USING ERRCODE = 'UB412', MESSAGE = 'the account cannot be billed anew', DETAIL = t.fault;
	END IF;
	RETURN QUERY
	SELECT daterange((c.one ->> 'from')::date, (c.one ->> 'to')::date), coalesce(c.one ->> 'number', '#' || (c.one ->> 'bill')),
		(c.one ->> 'amount')::numeric, (c.one ->> 'new_amount')::numeric,
		(c.one ->> 'new_amount')::numeric - (c.one ->> 'amount')::numeric
	FROM jsonb_array_elements(t.changes) WITH ORDINALITY AS c(one, i) ORDER BY c.i;
END $$;
COMMENT ON FUNCTION elecbill.rebill_preview(text, date) IS
'what rebill() of an account from a local day on would change, bill by bill; nothing stays of it. UB404, UB412 it cannot be done, DETAIL says why';

CREATE FUNCTION elecbill._rebill(p_account text, p_from date, p_reason text, p_key text) RETURNS numeric
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	account_id bigint := elecbill._account_get(p_account);
	org_id integer := (SELECT a.org_id FROM elecbill.customer_account a WHERE a.id = account_id);
	call elecbill.bill_call;
	done record;
BEGIN
	IF p_reason ~ '\S' IS NOT TRUE OR isfinite(p_from) IS NOT TRUE THEN
		RAISE EXCEPTION USING ERRCODE = 'UB400', MESSAGE = 'bills are made anew from a day on and for a reason';
	END IF;
	call := elecbill._bill_call(org_id, p_key, 'rebill', jsonb_build_array(account_id, p_from, p_reason));
	IF call.answer IS NULL THEN
		done := elecbill._rebill_account(account_id, p_from, p_reason, true, '{}');
		PERFORM elecbill._audit(org_id, 'rebill', p_account, NULL, jsonb_build_object('reason', p_reason, 'changes', done.changes));
		PERFORM elecbill._bill_answer(org_id, p_key, done.changes);
		RETURN elecbill._changed(done.changes);
	END IF;
	RETURN elecbill._changed(call.answer);
END $$;
COMMENT ON FUNCTION elecbill._rebill(text, date, text, text) IS 'what rebill() does';

CREATE PROCEDURE elecbill.rebill(account text, from_day date, reason text DEFAULT 'rebill', key text DEFAULT NULL,
	INOUT difference numeric DEFAULT NULL)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	difference := elecbill._rebill(account, from_day, reason, key);
EXCEPTION WHEN OTHERS THEN
	PERFORM elecbill._refused(elecbill._org_part(account), 'rebill', account, SQLSTATE, SQLERRM);
	RAISE;
END $$;
COMMENT ON PROCEDURE elecbill.rebill(text, date, text, text, numeric) IS
'takes back the bills of an account from a local day on and makes them anew, period by period, by readings, prices and calendars as they are known now, all or nothing: new numbers and due dates, what was paid pays the new ones, the rest is advance credit. Drafts are made anew as drafts. Shows by how much the bills changed: 0.00 when nothing has. key: the same call again answers the same. UB400, UB404, UB409, UB412 a bill cannot be taken back, and the errors of rating';

CREATE FUNCTION elecbill._rebill_accounts(p_run elecbill.bill_run) RETURNS TABLE (account_id bigint, since date)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN QUERY
	SELECT b.account_id, min(lower(b.service)) FROM elecbill.bill b
	WHERE b.live AND b.kind IN ('regular', 'final') AND b.service && p_run.period
		AND b.account_id IN (SELECT x.account_id FROM elecbill.bill x WHERE x.run_id = p_run.id)
	GROUP BY b.account_id ORDER BY b.account_id;
END $$;
COMMENT ON FUNCTION elecbill._rebill_accounts(elecbill.bill_run) IS
'the accounts that a run billed, by that run or by what replaced its bills since, and their first day in its period';

CREATE FUNCTION elecbill._rebill_step(p_run bigint, p_reason text, p_after bigint, INOUT runs jsonb, OUT last bigint,
	OUT done integer, OUT refused integer, OUT difference numeric)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	run elecbill.bill_run := elecbill._bill_run_get(p_run);
	one record;
	made record;
	code text;
BEGIN
	done := 0;
	refused := 0;
	difference := 0;
	-- all of them first: who has a later one in hand may wait for the run or the number that the first one takes
	PERFORM FROM elecbill.customer_account a WHERE a.id IN (
		SELECT x.account_id FROM elecbill._rebill_accounts(run) AS x WHERE x.account_id > p_after
		ORDER BY x.account_id LIMIT elecbill._batch_size()) ORDER BY a.id FOR NO KEY UPDATE;
	FOR one IN
		SELECT * FROM elecbill._rebill_accounts(run) AS x WHERE x.account_id > p_after
		ORDER BY x.account_id LIMIT elecbill._batch_size()
	LOOP
		last := one.account_id;
		BEGIN
			made := elecbill._rebill_account(one.account_id, one.since, p_reason, false, runs);
			runs := made.runs;
			done := done + 1;
			difference := difference + elecbill._changed(made.changes);
		EXCEPTION WHEN OTHERS THEN
			IF elecbill._not_its_fault(SQLSTATE) THEN
				RAISE;
			END IF;
			GET STACKED DIAGNOSTICS code = CONSTRAINT_NAME;
			PERFORM elecbill._bill_exception(run, one.account_id, 'warn', coalesce(nullif(code, ''), 'error'), SQLSTATE,
				SQLERRM, NULL, 'Its bills stand as they were.');
			refused := refused + 1;
		END;
	END LOOP;
END $$;
COMMENT ON FUNCTION elecbill._rebill_step(bigint, text, bigint, jsonb) IS
'makes the bills of some accounts of a run anew, those behind the given one; last NULL: none is left. An account that cannot be billed keeps its bills, bill_exception says why';

CREATE FUNCTION elecbill._rebill_begin(p_run bigint, p_reason text, p_key text, OUT call elecbill.bill_call)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	run elecbill.bill_run := elecbill._bill_run_get(p_run);
	-- without a key it is the run and the reason that say which call it is
	key text := coalesce(p_key, format('rebill_run:%s:%s', p_run, md5(p_reason)));
BEGIN
	IF p_reason ~ '\S' IS NOT TRUE THEN
		RAISE EXCEPTION USING ERRCODE = 'UB400', MESSAGE = 'bills are made anew for a reason';
	END IF;
	call := elecbill._bill_call(run.org_id, key, 'rebill_run', jsonb_build_array(p_run, p_reason));
	-- where the same call is made twice at once, each goes on where the other has come to
	SELECT c.* INTO call FROM elecbill.bill_call c WHERE c.org_id = run.org_id AND c.idem_key = key FOR UPDATE;
	call.answer := coalesce(call.answer, jsonb '{"runs": {}, "last": 0, "rebilled": 0, "refused": 0, "difference": 0, "done": false}');
END $$;
COMMENT ON FUNCTION elecbill._rebill_begin(bigint, text, text) IS
'the call of a rebill_run(), found by its key or made; answer is how far it has come. UB400, UB404, UB409';

CREATE PROCEDURE elecbill.rebill_run(run bigint, reason text, key text DEFAULT NULL, INOUT rebilled integer DEFAULT 0,
	INOUT refused integer DEFAULT 0, INOUT difference numeric DEFAULT 0)
LANGUAGE plpgsql AS $$
DECLARE
	state jsonb;
BEGIN
	LOOP
		state := elecbill._rebill_next(run, reason, key);
		COMMIT;
		EXIT WHEN (state OPERATOR(pg_catalog.->) 'done')::boolean;
	END LOOP;
	rebilled := (state OPERATOR(pg_catalog.->>) 'rebilled')::integer;
	refused := (state OPERATOR(pg_catalog.->>) 'refused')::integer;
	difference := (state OPERATOR(pg_catalog.->>) 'difference')::numeric;
END $$;
COMMENT ON PROCEDURE elecbill.rebill_run(bigint, text, text, integer, integer, numeric) IS
'rebill() for every account with a bill in a run, from that bill on, committed in batches; rebill_run_preview() shows before what it would come to. Shows how many accounts were billed anew, how many keep their bills (bill_exception of the run says why), and by how much the bills changed. The same call again (key, or run and reason) goes on where it stopped, or answers the same. UB400, UB404, UB409 the key is that of another call';

CREATE FUNCTION elecbill._rebill_next(p_run bigint, p_reason text, p_key text) RETURNS jsonb
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	call elecbill.bill_call := elecbill._rebill_begin(p_run, p_reason, p_key);
	state jsonb := call.answer;
	step record;
BEGIN
	IF (state -> 'done')::boolean THEN
		RETURN state;
	END IF;
	step := elecbill._rebill_step(p_run, p_reason, (state ->> 'last')::bigint, state -> 'runs');
	state := jsonb_build_object('runs', step.runs,
		'last', coalesce(step.last, (state ->> 'last')::bigint), 'done', step.last IS NULL,
		'rebilled', (state ->> 'rebilled')::integer + step.done, 'refused', (state ->> 'refused')::integer + step.refused,
		'difference', (state ->> 'difference')::numeric + step.difference);
	PERFORM elecbill._bill_answer(call.org_id, call.idem_key, state);
	IF step.last IS NULL THEN
		PERFORM elecbill._audit(call.org_id, 'rebill_run', 'run ' || p_run, NULL, state || jsonb_build_object('reason', p_reason));
	END IF;
	RETURN state;
END $$;
COMMENT ON FUNCTION elecbill._rebill_next(bigint, text, text) IS
'a batch of rebill_run(): from the state that is kept under its key, which nobody hands in, to the next one';

CREATE FUNCTION elecbill.rebill_run_preview(run bigint)
RETURNS TABLE (what text, accounts integer, account_no text, amount numeric, new_amount numeric, difference numeric, fault text)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	r elecbill.bill_run := elecbill._bill_run_get(run);
	found jsonb := '[]'::jsonb;
	one record;
BEGIN
	FOR one IN
		SELECT a.account_no, t.changes, t.fault
		FROM elecbill._rebill_accounts(r) AS b
		JOIN elecbill.customer_account a ON a.id = b.account_id,
			LATERAL elecbill._rebill_try(b.account_id, b.since) AS t
	LOOP
		found := found || jsonb_build_object('account_no', one.account_no, 'fault', one.fault,
			'amount', (SELECT sum((c.one ->> 'amount')::numeric) FROM jsonb_array_elements(one.changes) AS c(one)),
			'new_amount', (SELECT sum((c.one ->> 'new_amount')::numeric) FROM jsonb_array_elements(one.changes) AS c(one)));
	END LOOP;
	RETURN QUERY
	WITH f AS MATERIALIZED (
		SELECT x.*, x.new_amount - x.amount AS difference
		FROM jsonb_to_recordset(found) AS x(account_no text, fault text, amount numeric, new_amount numeric))
	SELECT x.what, x.accounts, x.account_no, x.amount, x.new_amount, x.difference, x.fault
	FROM (
		SELECT 1 AS part, w.i AS place, w.what, count(f.*)::integer AS accounts, NULL::text AS account_no,
			coalesce(sum(f.amount), 0) AS amount, coalesce(sum(f.new_amount), 0) AS new_amount,
			coalesce(sum(f.difference), 0) AS difference, NULL::text AS fault
		FROM unnest('{up,down,same,refused,all}'::text[]) WITH ORDINALITY AS w(what, i)
		LEFT JOIN f ON w.what = 'all' OR w.what = CASE WHEN f.fault IS NOT NULL THEN 'refused' WHEN f.difference > 0 THEN 'up'
			WHEN f.difference < 0 THEN 'down' ELSE 'same' END
		GROUP BY w.what, w.i
	UNION ALL
		(SELECT 2, row_number() OVER (ORDER BY abs(f.difference) DESC, f.account_no), 'largest', 1, f.account_no, f.amount,
			f.new_amount, f.difference, NULL
		FROM f WHERE f.difference <> 0 ORDER BY 2 LIMIT 10)
	UNION ALL
		SELECT 3, row_number() OVER (ORDER BY f.account_no), 'refused', 1, f.account_no, NULL, NULL, NULL, f.fault
		FROM f WHERE f.fault IS NOT NULL) AS x
	ORDER BY x.part, x.place;
END $$;
COMMENT ON FUNCTION elecbill.rebill_run_preview(bigint) IS
'what rebill_run() would change, nothing of which stays: a row each for the accounts that go up, down, stay the same, are refused, and all of them; then the ten with the largest difference, and each that is refused with the reason. It holds the accounts until the end of the transaction. UB404';

CREATE FUNCTION elecbill.rerate(account text) RETURNS numeric
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET jit = off AS $$
DECLARE
	a elecbill.customer_account;
	old elecbill.bill[];
	one elecbill.bill;
	made bigint;
	change numeric := 0;
BEGIN
	SELECT * INTO a FROM elecbill.customer_account x WHERE x.id = elecbill._account_get(account) FOR NO KEY UPDATE;
	old := ARRAY(SELECT b FROM elecbill.bill b WHERE b.account_id = a.id AND b.status IN ('draft', 'held')
		AND b.kind IN ('regular', 'final') ORDER BY lower(b.service));
	FOR i IN REVERSE cardinality(old)..1 LOOP
		PERFORM elecbill._bill_cancel(old[i].id, 'rerate', 'cancel');
	END LOOP;
	FOREACH one IN ARRAY old LOOP
		made := elecbill._rebill_make(one, one.run_id, elecbill.now());
		change := change - one.amount + (SELECT b.amount FROM elecbill.bill b WHERE b.id = made);
	END LOOP;
	PERFORM elecbill._audit(a.org_id, 'rerate', account, NULL, jsonb_build_object('bills', cardinality(old), 'difference', change));
	RETURN change;
EXCEPTION WHEN OTHERS THEN
	PERFORM elecbill._refused(elecbill._org_part(account), 'rerate', account, SQLSTATE, SQLERRM);
	RAISE;
END $$;
COMMENT ON FUNCTION elecbill.rerate(text) IS
'makes the drafts of an account anew, by readings, prices and calendars as they are known now, in the runs they belong to; held ones stay held. Returns by how much they changed. A draft that a rule held is free when that is decided. UB404, UB409 issued bills count from a draft, and the errors of rating';
