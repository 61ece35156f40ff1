-- 78_reverse.sql: taking back: a payment by a second person, a bill for whoever cancels it
-- What is taken back is never deleted: transfers are undone by transfers the other way round, and
-- allocations by allocations below 0. Locks: customer_account, bill, payment_order, payment, balances.

CREATE TABLE elecbill.payment_reversal (
	payment_id	bigint CONSTRAINT payment_reversal_pkey PRIMARY KEY,
	org_id		integer NOT NULL,
	reason		text NOT NULL CONSTRAINT payment_reversal_reason_check CHECK (reason <> ''),
	idem_key	text NOT NULL CONSTRAINT payment_reversal_idem_key_check CHECK (idem_key ~ '^\S{1,128}$'),
	content_sha256 bytea NOT NULL CONSTRAINT payment_reversal_content_check CHECK (length(content_sha256) = 32),
	created_by	text NOT NULL,
	approved_by	text NOT NULL DEFAULT elecbill.current_login(),
	at			timestamptz NOT NULL DEFAULT elecbill.now(),
	CONSTRAINT payment_reversal_idem_key UNIQUE (org_id, idem_key),
	CONSTRAINT payment_reversal_payment_fkey FOREIGN KEY (org_id, payment_id) REFERENCES elecbill.payment (org_id, id),
	CONSTRAINT payment_reversal_second_check CHECK (approved_by <> created_by)
);
COMMENT ON TABLE elecbill.payment_reversal IS 'payments that were taken back, each by another person than recorded it; never changed';
COMMENT ON COLUMN elecbill.payment_reversal.payment_id IS 'the payment';
COMMENT ON COLUMN elecbill.payment_reversal.org_id IS 'owner';
COMMENT ON COLUMN elecbill.payment_reversal.reason IS 'why';
COMMENT ON COLUMN elecbill.payment_reversal.idem_key IS 'key of the caller: a call made twice reverses once';
COMMENT ON COLUMN elecbill.payment_reversal.content_sha256 IS 'sha256 of what was asked for';
COMMENT ON COLUMN elecbill.payment_reversal.created_by IS 'login of who recorded the payment';
COMMENT ON COLUMN elecbill.payment_reversal.approved_by IS 'login of who took it back';
COMMENT ON COLUMN elecbill.payment_reversal.at IS 'when';
CREATE TRIGGER payment_reversal_keep BEFORE UPDATE OR DELETE ON elecbill.payment_reversal
	FOR EACH ROW EXECUTE FUNCTION elecbill._append_only();
COMMENT ON TRIGGER payment_reversal_keep ON elecbill.payment_reversal IS 'no UPDATE, no DELETE';
CREATE TRIGGER payment_reversal_keep_all BEFORE TRUNCATE ON elecbill.payment_reversal
	FOR EACH STATEMENT EXECUTE FUNCTION elecbill._append_only();
COMMENT ON TRIGGER payment_reversal_keep_all ON elecbill.payment_reversal IS 'no TRUNCATE';

CREATE FUNCTION elecbill._payment_get(p_payment text) RETURNS elecbill.payment
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	ids bigint[];
	found elecbill.payment;
BEGIN
	SELECT array_agg(p.id) INTO ids
	FROM elecbill.org o, LATERAL (VALUES (p_payment),
			(CASE WHEN starts_with(p_payment, o.code || '/') THEN substr(p_payment, length(o.code) + 2) END)) AS n(name),
		LATERAL (
			SELECT x.id FROM elecbill.payment x WHERE x.org_id = o.id AND x.receipt_no = n.name
			UNION
			SELECT x.id FROM elecbill.payment x WHERE x.org_id = o.id
				AND x.channel = split_part(n.name, ':', 1) AND x.channel_txn = substr(n.name, strpos(n.name, ':') + 1)) AS p
	WHERE elecbill._org_open(o.id);
	IF ids IS NULL THEN
		RAISE EXCEPTION USING
			ERRCODE = 'UB404',
			MESSAGE = format('there is no payment %s', quote_nullable(p_payment)),
			HINT = 'Give the number of its receipt, or CHANNEL:NUMBER of the channel.';
	ELSIF cardinality(ids) > 1 THEN
		RAISE EXCEPTION USING
			ERRCODE = 'UB409',
			MESSAGE = format('payment %s is not unique', quote_literal(p_payment)),
			HINT = 'Put the code of the organisation before it: ORG/NUMBER.';
	END IF;
	SELECT * INTO found FROM elecbill.payment p WHERE p.id = ids[1];
	RETURN found;
END $$;
COMMENT ON FUNCTION elecbill._payment_get(text) IS
'a payment by receipt number or CHANNEL:NUMBER, with ORG/ before it where that is not unique; UB404, UB409';

CREATE FUNCTION elecbill._payment_lock(p_payment text) RETURNS elecbill.payment
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	p elecbill.payment := elecbill._payment_get(p_payment);
BEGIN
	PERFORM FROM elecbill.customer_account a WHERE a.id = p.account_id FOR NO KEY UPDATE;
	PERFORM FROM elecbill.payment_order o WHERE o.id = p.order_id FOR NO KEY UPDATE;
	SELECT * INTO p FROM elecbill.payment x WHERE x.id = p.id FOR NO KEY UPDATE;
	RETURN p;
END $$;
COMMENT ON FUNCTION elecbill._payment_lock(text) IS 'a payment by its number, its account, order and itself locked; UB404, UB409';

CREATE FUNCTION elecbill._allocated(p_payment bigint) RETURNS TABLE (bill_id bigint, component text, amount numeric)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN QUERY SELECT a.bill_id, a.component, sum(a.amount)
	FROM elecbill.payment_allocation a JOIN elecbill.bill b ON b.id = a.bill_id
	WHERE a.payment_id = p_payment GROUP BY a.bill_id, a.component, b.due_on HAVING sum(a.amount) <> 0
	ORDER BY b.due_on DESC, a.bill_id DESC, a.component;
END $$;
COMMENT ON FUNCTION elecbill._allocated(bigint) IS
'what a payment paid of which bill and late fee, what was taken back counted off; the bill that is due last comes first';

CREATE FUNCTION elecbill._advance_free(p_org integer, p_account bigint, p_amount numeric, p_key text, p_on date) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	one record;
	advance bigint := elecbill._ledger_account(p_org, 'advance', p_account);
BEGIN
	FOR one IN SELECT t.id, t.bill_id, t.kind, t.amount FROM elecbill.ledger_transfer t
		WHERE t.debit_id = advance AND t.kind IN ('apply', 'apply_fee')
			AND NOT EXISTS (SELECT FROM elecbill.ledger_transfer r WHERE r.reverses_id = t.id)
		ORDER BY t.id DESC
	LOOP
		EXIT WHEN elecbill._advance_open(p_org, p_account) >= p_amount;
		PERFORM elecbill._post_reverse(one.id, format('%s:%s', p_key, one.id), p_on);
		PERFORM elecbill._allocate(p_org, NULL, one.bill_id, CASE one.kind WHEN 'apply' THEN 'bill' ELSE 'late_fee' END, -one.amount);
	END LOOP;
	IF elecbill._advance_open(p_org, p_account) < p_amount THEN
		RAISE EXCEPTION USING
			ERRCODE = 'UB422',
			MESSAGE = 'the advance credit that this brought is used up',
			DETAIL = format('It takes %s, there are %s.', p_amount, elecbill._advance_open(p_org, p_account)),
			HINT = 'It was paid back, or an order is about to take it.';
	END IF;
END $$;
COMMENT ON FUNCTION elecbill._advance_free(integer, bigint, numeric, text, date) IS
'makes sure that an account, which is locked, has so much advance credit: bills that were paid from it, the last ones first, are open again. UB422 it was paid back';

CREATE FUNCTION elecbill._advance_of(p_payment bigint) RETURNS numeric
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN (SELECT coalesce(sum(CASE l.id WHEN t.credit_id THEN t.amount ELSE -t.amount END), 0)
		FROM elecbill.ledger_transfer t JOIN elecbill.ledger_account l
			ON l.id IN (t.credit_id, t.debit_id) AND split_part(l.code, ':', 1) = 'advance'
		WHERE t.payment_id = p_payment AND t.stage IN ('single', 'post'));
END $$;
COMMENT ON FUNCTION elecbill._advance_of(bigint) IS 'what a payment brought of advance credit, what was paid back counted off';

CREATE FUNCTION elecbill._payment_undo(p_payment elecbill.payment) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	key text := 'reverse:payment:' || p_payment.id;
	today date := elecbill._today(p_payment.org_id);
	one record;
BEGIN
	IF p_payment.account_id IS NOT NULL THEN
		PERFORM elecbill._advance_free(p_payment.org_id, p_payment.account_id, elecbill._advance_of(p_payment.id),
			key || ':apply', today);
	END IF;
	FOR one IN SELECT * FROM elecbill._allocated(p_payment.id) LOOP
		PERFORM elecbill._allocate(p_payment.org_id, p_payment.id, one.bill_id, one.component, -one.amount);
	END LOOP;
	FOR one IN SELECT t.id FROM elecbill.ledger_transfer t
		WHERE t.payment_id = p_payment.id AND t.stage = 'single' AND t.reverses_id IS NULL
			AND NOT EXISTS (SELECT FROM elecbill.ledger_transfer r WHERE r.reverses_id = t.id)
		ORDER BY t.id DESC
	LOOP
		PERFORM elecbill._post_reverse(one.id, format('%s:%s', key, one.id), today);
	END LOOP;
	UPDATE elecbill.payment SET state = 'reversed' WHERE id = p_payment.id;
	IF p_payment.state IN ('unmatched', 'mismatch') THEN
		PERFORM elecbill._alarm_end(p_payment.org_id, 'payment_' || p_payment.state,
			format('%s %s', p_payment.channel, p_payment.channel_txn), elecbill.now());
	END IF;
	UPDATE elecbill.payment_order SET paid = paid - p_payment.amount, status = 'revoked'
	WHERE id = p_payment.order_id AND p_payment.in_time;
END $$;
COMMENT ON FUNCTION elecbill._payment_undo(elecbill.payment) IS
'undoes all that a payment, which is locked, did: bills are open again, its transfers are reversed';

CREATE FUNCTION elecbill._payment_reverse(p_payment text, p_reason text, p_key text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	p elecbill.payment;
	known bytea;
	content bytea;
BEGIN
	PERFORM elecbill._payment_check(1, p_key);
	IF p_reason ~ '\S' IS NOT TRUE THEN
		RAISE EXCEPTION USING ERRCODE = 'UB400', MESSAGE = 'a payment is reversed for a reason';
	END IF;
	p := elecbill._payment_lock(p_payment);
	content := sha256(convert_to(jsonb_build_array('reverse', p.id, p_reason)::text, 'UTF8'));
	PERFORM elecbill._key_lock(p.org_id, p_key);
	SELECT r.content_sha256 INTO known FROM elecbill.payment_reversal r WHERE r.org_id = p.org_id AND r.idem_key = p_key;
	IF FOUND THEN
		PERFORM elecbill._key_check(known, content, p_key);
		RETURN;
	ELSIF p.state = 'reversed' THEN
		RAISE EXCEPTION USING ERRCODE = 'UB412', MESSAGE = format('payment %s is reversed already', quote_literal(p_payment));
	ELSIF p.operator = elecbill.current_login() THEN
		RAISE EXCEPTION USING
			ERRCODE = 'UB403',
			MESSAGE = 'a payment is reversed by another person than recorded it',
			DETAIL = format('%s recorded it.', quote_literal(p.operator));
	END IF;
	PERFORM FROM elecbill.refund r WHERE r.payment_id = p.id AND r.state <> 'rejected';
	IF FOUND THEN
		RAISE EXCEPTION USING
			ERRCODE = 'UB412',
			MESSAGE = 'a payment of which money goes back is not reversed',
			HINT = 'refund_request() asks for the rest of it.';
	END IF;
	INSERT INTO elecbill.payment_reversal (payment_id, org_id, reason, idem_key, content_sha256, created_by)
	VALUES (p.id, p.org_id, p_reason, p_key, content, p.operator);
	PERFORM elecbill._payment_undo(p);
	PERFORM elecbill._audit(p.org_id, 'payment_reverse', p_payment, jsonb_build_object('state', p.state, 'amount', p.amount),
		jsonb_build_object('state', 'reversed', 'reason', p_reason));
END $$;
COMMENT ON FUNCTION elecbill._payment_reverse(text, text, text) IS 'what payment_reverse() does';

CREATE FUNCTION elecbill.payment_reverse(payment text, reason text, key text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	PERFORM elecbill._payment_reverse(payment, reason, key);
EXCEPTION WHEN OTHERS THEN
	PERFORM elecbill._refused(elecbill._org_part(payment), 'payment_reverse', payment, SQLSTATE, SQLERRM);
	RAISE;
END $$;
COMMENT ON FUNCTION elecbill.payment_reverse(text, text, text) IS
'takes a payment (receipt number, or CHANNEL:NUMBER) back as if it had never come: a wrong entry, a bounced transfer. Its bills are open again, bills that its advance credit paid, too. By another person than recorded it. UB400, UB403 the same person, UB404, UB409 the key is that of another reversal, UB412 reversed before or money of it goes back, UB422 its advance credit is used up';

CREATE FUNCTION elecbill._bill_unpost(p_bill bigint, p_key text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	b elecbill.bill;
	today date;
	fees numeric;
	one record;
BEGIN
	SELECT * INTO b FROM elecbill.bill x WHERE x.id = p_bill FOR NO KEY UPDATE;
	today := elecbill._today(b.org_id);
	IF b.amount < 0 AND b.paid < 0 THEN
		PERFORM elecbill._advance_free(b.org_id, b.account_id, -b.paid, p_key || ':apply', today);
	END IF;
	FOR one IN SELECT a.payment_id, a.component, sum(a.amount) AS amount FROM elecbill.payment_allocation a
		WHERE a.bill_id = p_bill GROUP BY a.payment_id, a.component HAVING sum(a.amount) > 0 ORDER BY a.payment_id, a.component
	LOOP
		PERFORM elecbill._post(b.org_id, format('%s:payment:%s:%s', p_key, one.payment_id, one.component),
			elecbill._ledger_account(b.org_id, 'receivable', b.account_id),
			elecbill._ledger_account(b.org_id, 'advance', b.account_id), one.amount,
			CASE one.component WHEN 'bill' THEN 'unapply' ELSE 'unapply_fee' END, today, p_bill, one.payment_id);
		PERFORM elecbill._allocate(b.org_id, one.payment_id, p_bill, one.component, -one.amount);
	END LOOP;
	-- a late fee that was paid and became less is advance credit, which may have paid other bills since
	SELECT sum(t.amount) INTO fees FROM elecbill.ledger_transfer t WHERE t.bill_id = p_bill AND t.kind = 'fee_to_advance';
	IF fees > 0 THEN
		PERFORM elecbill._advance_free(b.org_id, b.account_id, fees, p_key || ':fee', today);
	END IF;
	FOR one IN SELECT t.id, t.kind, t.amount FROM elecbill.ledger_transfer t
		WHERE t.bill_id = p_bill AND t.stage = 'single' AND t.payment_id IS NULL AND t.reverses_id IS NULL
			AND NOT EXISTS (SELECT FROM elecbill.ledger_transfer r WHERE r.reverses_id = t.id)
		ORDER BY t.id DESC
	LOOP
		PERFORM elecbill._post_reverse(one.id, format('%s:%s', p_key, one.id), today);
		IF one.kind IN ('apply', 'credit') THEN
			PERFORM elecbill._bill_settle(p_bill, CASE one.kind WHEN 'apply' THEN -one.amount ELSE one.amount END);
		ELSIF one.kind IN ('apply_fee', 'late_fee', 'correct_fee') THEN
			PERFORM elecbill._fee_settle(p_bill, CASE one.kind WHEN 'late_fee' THEN -one.amount ELSE one.amount END);
		END IF;
	END LOOP;
END $$;
COMMENT ON FUNCTION elecbill._bill_unpost(bigint, text) IS
'for whoever cancels an issued bill and has locked its customer_account, before the state becomes cancelled: what was paid of it becomes advance credit, what it booked is reversed, late fees, too; paid is 0 afterwards. key: a prefix of its own. UB422 a bill below 0 whose credit, or a late fee that became less and whose credit, was paid back';
