-- 75_payment_post.sql: a payment is recorded, applied to bills and booked
-- Bills are paid in the order of their due dates unless the payer names some; what is left is advance
-- credit. An account that has advance credit pays with it when a bill is issued.

CREATE FUNCTION elecbill._payment_policy(p_org integer) RETURNS elecbill.payment_policy
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	policy elecbill.payment_policy;
BEGIN
	SELECT * INTO policy FROM elecbill.payment_policy p WHERE p.org_id = p_org AND p.valid @> elecbill._today(p_org);
	IF NOT FOUND THEN
		policy.amount_rule := 'exact';
		policy.order_minutes := 30;
	END IF;
	RETURN policy;
END $$;
COMMENT ON FUNCTION elecbill._payment_policy(integer) IS 'how an org takes payments today';

CREATE FUNCTION elecbill.payment_policy_set(org text, amount_rule text, order_minutes integer DEFAULT 30, day date DEFAULT NULL)
RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	owner integer;
	since date;
BEGIN
	owner := elecbill._org_get(org);
	since := coalesce(day, elecbill._today(owner));
	IF amount_rule IN ('exact', 'partial', 'over') IS NOT TRUE OR order_minutes BETWEEN 1 AND 10080 IS NOT TRUE
		OR isfinite(since) IS NOT TRUE
	THEN
		RAISE EXCEPTION 'a payment policy needs a rule (exact, partial or over) and 1 to 10080 minutes' USING ERRCODE = 'UB400';
	END IF;
	PERFORM FROM elecbill.org o WHERE o.id = owner FOR NO KEY UPDATE;
	DELETE FROM elecbill.payment_policy p WHERE p.org_id = owner AND lower(p.valid) >= since;
	UPDATE elecbill.payment_policy p SET valid = p.valid * daterange(NULL, since) WHERE p.org_id = owner AND p.valid @> since;
	INSERT INTO elecbill.payment_policy (org_id, valid, amount_rule, order_minutes)
	VALUES (owner, daterange(since, NULL), payment_policy_set.amount_rule, payment_policy_set.order_minutes);
	PERFORM elecbill._audit(owner, 'payment_policy_set', amount_rule, NULL,
		jsonb_build_object('since', since, 'order_minutes', order_minutes));
EXCEPTION WHEN OTHERS THEN
	PERFORM elecbill._refused(org, 'payment_policy_set', amount_rule, SQLSTATE, SQLERRM);
	RAISE;
END $$;
COMMENT ON FUNCTION elecbill.payment_policy_set(text, text, integer, date) IS
'how an org takes payments from a local day on (default: today): exact, partial or over; minutes that an order may be paid. UB400, UB404';

CREATE FUNCTION elecbill._money_source(p_org integer, p_channel text) RETURNS bigint
LANGUAGE sql
RETURN elecbill._ledger_account(p_org, CASE p_channel WHEN 'cash' THEN 'cash' WHEN 'bank' THEN 'bank'
	ELSE 'clearing:' || p_channel END);
COMMENT ON FUNCTION elecbill._money_source(integer, text) IS 'ledger account into which the money of a channel comes: cash, bank, clearing:CHANNEL';

CREATE FUNCTION elecbill._open_bills(p_account bigint, p_bills bigint[]) RETURNS TABLE (bill_id bigint, open numeric, late_fee numeric)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN QUERY SELECT b.id, greatest(b.amount - b.paid, 0), b.late_fee
	FROM elecbill.bill b
	WHERE b.account_id = p_account AND b.status IN ('issued', 'partly_paid', 'overdue', 'paid')
		AND (b.amount > b.paid OR b.late_fee > 0)
		AND (p_bills IS NULL OR b.id = ANY (p_bills))
	ORDER BY array_position(p_bills, b.id), b.due_on, b.id FOR NO KEY UPDATE;
END $$;
COMMENT ON FUNCTION elecbill._open_bills(bigint, bigint[]) IS
'what is open of the bills of an account, and of the late fees on them, in the order in which they are paid: as named, else by due date; locked';

CREATE FUNCTION elecbill._allocate(p_org integer, p_payment bigint, p_bill bigint, p_component text, p_amount numeric) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF p_payment IS NOT NULL THEN
		INSERT INTO elecbill.payment_allocation (payment_id, bill_id, n, org_id, component, amount)
		SELECT p_payment, p_bill, coalesce(max(x.n), 0) + 1, p_org, p_component, p_amount
		FROM elecbill.payment_allocation x WHERE x.payment_id = p_payment AND x.bill_id = p_bill;
	END IF;
	IF p_component = 'late_fee' THEN
		PERFORM elecbill._bill_payable(p_bill), elecbill._fee_settle(p_bill, -p_amount);
	ELSE
		PERFORM elecbill._bill_settle(p_bill, p_amount);
	END IF;
END $$;
COMMENT ON FUNCTION elecbill._allocate(integer, bigint, bigint, text, numeric) IS
'a payment (NULL: advance credit) pays an amount of a bill, or of the late fee on it; below 0: no longer. The caller posts the same. Errors of _bill_settle()';

CREATE FUNCTION elecbill._apply(p_org integer, p_account bigint, p_payment bigint, p_from bigint, p_amount numeric,
	p_bills bigint[], p_on date, p_key text, p_kind text) RETURNS numeric
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	receivable bigint := elecbill._ledger_account(p_org, 'receivable', p_account);
	left_over numeric := p_amount;
	part numeric;
	one record;
BEGIN
	PERFORM elecbill._late_fee_account(p_org, p_account, p_on);
	FOR one IN SELECT * FROM elecbill._open_bills(p_account, p_bills) LOOP
		EXIT WHEN left_over = 0;
		part := CASE WHEN one.late_fee > 0 THEN least(left_over, elecbill._late_fee_due(one.bill_id, p_on)) ELSE 0 END;
		IF part > 0 THEN
			PERFORM elecbill._post(p_org, format('%s:fee:%s', p_key, one.bill_id), p_from, receivable, part, p_kind || '_fee', p_on,
				one.bill_id, p_payment);
			PERFORM elecbill._allocate(p_org, p_payment, one.bill_id, 'late_fee', part);
			left_over := left_over - part;
		END IF;
		part := least(left_over, one.open);
		IF part > 0 THEN
			PERFORM elecbill._post(p_org, format('%s:bill:%s', p_key, one.bill_id), p_from, receivable, part, p_kind, p_on,
				one.bill_id, p_payment);
			PERFORM elecbill._allocate(p_org, p_payment, one.bill_id, 'bill', part);
			left_over := left_over - part;
		END IF;
	END LOOP;
	IF p_on < elecbill._today(p_org) THEN
		-- heard of late: what was charged for the days since is too much
		PERFORM elecbill._late_fee_account(p_org, p_account, elecbill._today(p_org));
	END IF;
	RETURN left_over;
END $$;
COMMENT ON FUNCTION elecbill._apply(integer, bigint, bigint, bigint, numeric, bigint[], date, text, text) IS
'pays bills of an account, which the caller has locked, from a ledger account, the late fee of a bill up to the day of the payment before the bill; returns what is left';

CREATE FUNCTION elecbill._payment_day(p_payment elecbill.payment) RETURNS date
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	-- the clock of a channel may be ahead of midnight: money that is here was paid today at the latest
	RETURN (SELECT (least(p_payment.paid_at, elecbill.now()) AT TIME ZONE o.zone)::date FROM elecbill.org o WHERE o.id = p_payment.org_id);
END $$;
COMMENT ON FUNCTION elecbill._payment_day(elecbill.payment) IS 'the local day that a payment counts for: that on which it was made';

CREATE FUNCTION elecbill._payment_post(p_payment elecbill.payment, p_bills bigint[]) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	source bigint := elecbill._money_source(p_payment.org_id, p_payment.channel);
	day date := elecbill._payment_day(p_payment);
	key text := 'payment:' || p_payment.id;
	rest numeric;
BEGIN
	rest := elecbill._apply(p_payment.org_id, p_payment.account_id, p_payment.id, source, p_payment.amount, p_bills, day, key, 'payment');
	IF rest > 0 THEN
		PERFORM elecbill._post(p_payment.org_id, key || ':advance', source,
			elecbill._ledger_account(p_payment.org_id, 'advance', p_payment.account_id), rest, 'advance', day, NULL, p_payment.id);
	END IF;
	PERFORM elecbill._arrears_paid(p_payment.org_id, p_payment.account_id);
	PERFORM elecbill._outbox_payment(p_payment, p_payment.account_id);
END $$;
COMMENT ON FUNCTION elecbill._payment_post(elecbill.payment, bigint[]) IS
'books a payment, whose account is locked: to bills (as named, else all open ones), what is left to advance credit';

CREATE FUNCTION elecbill._payment_known(p_org integer, p_key text, p_content bytea) RETURNS elecbill.payment
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	known elecbill.payment;
BEGIN
	SELECT * INTO known FROM elecbill.payment p WHERE p.org_id = p_org AND p.idem_key = p_key;
	IF FOUND THEN
		PERFORM elecbill._key_check(known.content_sha256, p_content, p_key);
	END IF;
	RETURN known;
END $$;
COMMENT ON FUNCTION elecbill._payment_known(integer, text, bytea) IS
'the payment that a key made before, NULL when it is new. UB409 the key is that of another payment';

CREATE FUNCTION elecbill._payment_add(p_payment elecbill.payment) RETURNS elecbill.payment
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	made elecbill.payment;
BEGIN
	INSERT INTO elecbill.payment (org_id, account_id, order_id, in_time, shift_id, channel, channel_txn, amount, paid_at,
		receipt_no, idem_key, content_sha256, state)
	VALUES (p_payment.org_id, p_payment.account_id, p_payment.order_id, coalesce(p_payment.in_time, false),
		p_payment.shift_id, p_payment.channel, p_payment.channel_txn, p_payment.amount, p_payment.paid_at,
		p_payment.receipt_no, p_payment.idem_key, p_payment.content_sha256, p_payment.state)
	ON CONFLICT ON CONSTRAINT payment_idem_key DO NOTHING
	RETURNING * INTO made;
	IF NOT FOUND THEN
		PERFORM elecbill._payment_known(p_payment.org_id, p_payment.idem_key, p_payment.content_sha256);
	END IF;
	RETURN made;
END $$;
COMMENT ON FUNCTION elecbill._payment_add(elecbill.payment) IS
'writes a payment, key first; NULL when the key was there with the same content. UB409 the key is that of another payment';

CREATE FUNCTION elecbill._advance_open(p_org integer, p_account bigint) RETURNS numeric
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN coalesce((SELECT b.credit - b.debit - b.pending_debit
		FROM elecbill.ledger_account l JOIN elecbill.account_balance b ON b.ledger_account_id = l.id
		WHERE l.org_id = p_org AND l.account_id = p_account AND split_part(l.code, ':', 1) = 'advance'), 0);
END $$;
COMMENT ON FUNCTION elecbill._advance_open(integer, bigint) IS 'advance credit of an account that nothing has announced to take';

CREATE FUNCTION elecbill._advance_settle(p_org integer, p_bills bigint[], p_on date) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	one record;
BEGIN
	FOR one IN SELECT b.id, b.account_id, b.amount FROM elecbill.bill b
		WHERE b.id = ANY (p_bills) AND b.amount < 0 ORDER BY b.account_id, b.id
	LOOP
		PERFORM elecbill._post(p_org, 'credit:bill:' || one.id, elecbill._ledger_account(p_org, 'receivable', one.account_id),
			elecbill._ledger_account(p_org, 'advance', one.account_id), -one.amount, 'credit', p_on, one.id);
		PERFORM elecbill._bill_settle(one.id, one.amount);
	END LOOP;
	FOR one IN SELECT b.account_id, min(b.id) AS bill_id, l.id AS advance_id, x.credit - x.debit - x.pending_debit AS credit
		FROM elecbill.bill b
		JOIN elecbill.ledger_account l ON l.account_id = b.account_id AND split_part(l.code, ':', 1) = 'advance'
		JOIN elecbill.account_balance x ON x.ledger_account_id = l.id
		WHERE b.id = ANY (p_bills) AND x.credit > x.debit + x.pending_debit
		GROUP BY b.account_id, l.id, x.ledger_account_id ORDER BY b.account_id
	LOOP
		PERFORM elecbill._apply(p_org, one.account_id, NULL, one.advance_id, one.credit, NULL, p_on, 'apply:issue:' || one.bill_id,
			'apply');
	END LOOP;
END $$;
COMMENT ON FUNCTION elecbill._advance_settle(integer, bigint[], date) IS
'when bills, whose accounts are locked, were issued: those below 0 become advance credit, and advance credit pays open bills by due date';

CREATE FUNCTION elecbill._advance_apply(p_account text, p_key text) RETURNS numeric
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	a elecbill.customer_account;
	call elecbill.bill_call;
	advance bigint;
	credit numeric;
	left_over numeric;
BEGIN
	PERFORM elecbill._payment_check(1, p_key);
	SELECT * INTO a FROM elecbill.customer_account x WHERE x.id = elecbill._account_get(p_account);
	call := elecbill._bill_call(a.org_id, p_key, 'advance_apply', jsonb_build_array(a.id));
	IF call.answer IS NOT NULL THEN
		RETURN (call.answer ->> 'applied')::numeric;
	END IF;
	PERFORM FROM elecbill.customer_account x WHERE x.id = a.id FOR NO KEY UPDATE;
	advance := elecbill._ledger_account(a.org_id, 'advance', a.id);
	credit := greatest(elecbill._advance_open(a.org_id, a.id), 0);
	left_over := credit;
	IF credit > 0 THEN
		left_over := elecbill._apply(a.org_id, a.id, NULL, advance, credit, NULL, elecbill._today(a.org_id), 'apply:call:' || p_key, 'apply');
		PERFORM elecbill._arrears_paid(a.org_id, a.id);
	END IF;
	PERFORM elecbill._bill_answer(a.org_id, p_key, jsonb_build_object('applied', credit - left_over));
	RETURN credit - left_over;
END $$;
COMMENT ON FUNCTION elecbill._advance_apply(text, text) IS 'what advance_apply() does';

CREATE FUNCTION elecbill.advance_apply(account text, key text) RETURNS numeric
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN elecbill._advance_apply(account, key);
EXCEPTION WHEN OTHERS THEN
	PERFORM elecbill._refused(elecbill._org_part(account), 'advance_apply', account, SQLSTATE, SQLERRM);
	RAISE;
END $$;
COMMENT ON FUNCTION elecbill.advance_apply(text, text) IS
'pays the open bills of an account from its advance credit, by due date, without waiting for the next bill; returns how much, and the same for the same key. UB400, UB404, UB409 the key is that of another call';
