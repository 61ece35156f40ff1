-- 77_cash.sql: the cashier: shifts, cash, receipts, and the one call that pays a bill
-- Locks: customer_account, bill, payment, cashier_shift, balances, period; the number of the receipt last.

CREATE FUNCTION elecbill.cashier_shift_open(org text, float_amount numeric DEFAULT 0) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	owner integer;
	made bigint;
BEGIN
	owner := elecbill._org_get(org);
	IF float_amount >= 0 IS NOT TRUE OR float_amount <> round(float_amount, 2) OR float_amount >= 1e12 THEN
		RAISE EXCEPTION 'the change in the till is an amount of 0 or more' USING ERRCODE = 'UB422';
	END IF;
	INSERT INTO elecbill.cashier_shift (org_id, float_amount) VALUES (owner, cashier_shift_open.float_amount)
	ON CONFLICT (org_id, operator) WHERE closed_at IS NULL DO NOTHING RETURNING id INTO made;
	IF made IS NULL THEN
		RAISE EXCEPTION '% has an open shift', quote_literal(elecbill.current_login())
			USING ERRCODE = 'UB412', HINT = 'cashier_shift_close() counts it.';
	END IF;
	RETURN made;
EXCEPTION WHEN OTHERS THEN
	PERFORM elecbill._refused(org, 'cashier_shift_open', float_amount::text, SQLSTATE, SQLERRM);
	RAISE;
END $$;
COMMENT ON FUNCTION elecbill.cashier_shift_open(text, numeric) IS
'opens the shift of whoever calls, with the change that is in the till. UB404, UB412 there is an open one, UB422';

CREATE FUNCTION elecbill._shift_get(p_org integer) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	shift bigint;
BEGIN
	SELECT s.id INTO shift FROM elecbill.cashier_shift s
	WHERE s.org_id = p_org AND s.operator = elecbill.current_login() AND s.closed_at IS NULL FOR SHARE;
	IF NOT FOUND THEN
		RAISE EXCEPTION USING
			ERRCODE = 'UB412',
			MESSAGE = format('%s has no open shift', quote_literal(elecbill.current_login())),
			HINT = 'cashier_shift_open() opens one; cash is counted by shift.';
	END IF;
	RETURN shift;
END $$;
COMMENT ON FUNCTION elecbill._shift_get(integer) IS 'the open shift of whoever calls, kept open until commit; UB412 when there is none';

CREATE FUNCTION elecbill._shift_expected(p_shift bigint) RETURNS numeric
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN (SELECT s.float_amount FROM elecbill.cashier_shift s WHERE s.id = p_shift)
		+ (SELECT coalesce(sum(p.amount), 0) FROM elecbill.payment p WHERE p.shift_id = p_shift AND p.state <> 'reversed')
		- (SELECT coalesce(sum(r.amount), 0) FROM elecbill.refund r WHERE r.shift_id = p_shift);
END $$;
COMMENT ON FUNCTION elecbill._shift_expected(bigint) IS 'what a till should hold: change and cash taken, less cash paid back';

CREATE FUNCTION elecbill.cashier_shift_close(org text, counted numeric, OUT expected numeric, OUT difference numeric)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	owner integer;
	shift bigint;
BEGIN
	owner := elecbill._org_get(org);
	IF counted >= 0 IS NOT TRUE OR counted <> round(counted, 2) OR counted >= 1e12 THEN
		RAISE EXCEPTION 'what was counted is an amount of 0 or more' USING ERRCODE = 'UB422';
	END IF;
	SELECT s.id INTO shift FROM elecbill.cashier_shift s
	WHERE s.org_id = owner AND s.operator = elecbill.current_login() AND s.closed_at IS NULL FOR UPDATE;
	IF NOT FOUND THEN
		RAISE EXCEPTION '% has no open shift', quote_literal(elecbill.current_login()) USING ERRCODE = 'UB412';
	END IF;
	expected := elecbill._shift_expected(shift);
	difference := counted - expected;
	UPDATE elecbill.cashier_shift SET closed_at = elecbill.now(), expected = cashier_shift_close.expected,
		counted = cashier_shift_close.counted WHERE id = shift;
	PERFORM elecbill._audit(owner, 'cashier_shift_close', shift::text, NULL,
		jsonb_build_object('expected', expected, 'counted', counted, 'difference', difference));
EXCEPTION WHEN OTHERS THEN
	PERFORM elecbill._refused(org, 'cashier_shift_close', counted::text, SQLSTATE, SQLERRM);
	RAISE;
END $$;
COMMENT ON FUNCTION elecbill.cashier_shift_close(text, numeric) IS
'counts the till of whoever calls and closes the shift; returns what should be there and the difference, which is shown and never absorbed. UB404, UB412 no open shift, UB422';

CREATE FUNCTION elecbill._amount_check(p_org integer, p_amount numeric, p_open numeric, p_what text) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	rule text := (elecbill._payment_policy(p_org)).amount_rule;
BEGIN
	IF p_amount < p_open AND rule = 'exact' OR p_amount > p_open AND rule <> 'over' THEN
		PERFORM elecbill._refuse_amount(p_amount, p_open, p_what);
	END IF;
END $$;
COMMENT ON FUNCTION elecbill._amount_check(integer, numeric, numeric, text) IS
'UB422 缴费金额不正确 when the payment policy of an org does not take an amount for what is open';

CREATE FUNCTION elecbill._payment_take(p_account elecbill.customer_account, p_amount numeric, p_channel text, p_receipt text,
	p_key text, p_content bytea, p_bills bigint[]) RETURNS elecbill.payment
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	wanted elecbill.payment;
	made elecbill.payment;
BEGIN
	wanted.org_id := p_account.org_id;
	wanted.account_id := p_account.id;
	wanted.channel := p_channel;
	wanted.amount := p_amount;
	wanted.paid_at := elecbill.now();
	wanted.idem_key := p_key;
	wanted.content_sha256 := p_content;
	wanted.state := 'posted';
	wanted.receipt_no := p_receipt;
	IF p_channel = 'cash' THEN
		wanted.shift_id := elecbill._shift_get(p_account.org_id);
	END IF;
	made := elecbill._payment_add(wanted);
	IF made.id IS NULL THEN
		RETURN elecbill._payment_known(p_account.org_id, p_key, p_content);
	END IF;
	PERFORM elecbill._payment_post(made, p_bills);
	IF p_receipt IS NULL THEN
		UPDATE elecbill.payment SET receipt_no = elecbill._number_text(p_account.org_id, 'receipt', 'R')
		WHERE id = made.id RETURNING * INTO made;
	END IF;
	RETURN made;
END $$;
COMMENT ON FUNCTION elecbill._payment_take(elecbill.customer_account, numeric, text, text, text, bytea, bigint[]) IS
'records and books a payment of an account that is locked, and gives it a receipt; cash goes to the open shift of whoever calls (UB412)';

CREATE FUNCTION elecbill._counter_check(p_channel text, p_receipt text, p_key text) RETURNS void
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF p_channel IN ('cash', 'bank', 'pos') IS NOT TRUE THEN
		RAISE EXCEPTION USING ERRCODE = 'UB400',
			MESSAGE = format('%s is not taken at the counter', quote_nullable(p_channel)),
			HINT = 'cash, bank or pos; other channels are paid by payment_order_create().';
	ELSIF p_receipt !~ '^\S{1,64}$' OR p_receipt ~ '^R[0-9]{4}-' THEN
		RAISE EXCEPTION USING ERRCODE = 'UB400',
			MESSAGE = format('%s is not the number of a printed receipt', quote_literal(p_receipt)),
			HINT = 'Without one the next number RYEAR-NNNNNN is taken.';
	ELSIF p_key ~ '^(alipay|wechat|bank|pos|prepaid):' THEN
		RAISE EXCEPTION USING ERRCODE = 'UB400',
			MESSAGE = format('key %s is that of a channel', quote_literal(p_key)),
			HINT = 'What the channel says of its number would be refused; begin the key with another word.';
	END IF;
END $$;
COMMENT ON FUNCTION elecbill._counter_check(text, text, text) IS 'UB400 a channel that is not of the counter, a receipt number that is none or one of ours, or a key that a channel could come with';

CREATE FUNCTION elecbill._pay_bill(p_bill text, p_amount numeric, p_key text, p_channel text) RETURNS elecbill.payment
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	b elecbill.bill;
	a elecbill.customer_account;
	known elecbill.payment;
	content bytea;
BEGIN
	PERFORM elecbill._payment_check(p_amount, p_key), elecbill._counter_check(p_channel, NULL, p_key);
	b := elecbill._bill_get(p_bill);
	content := sha256(convert_to(jsonb_build_array('pay_bill', b.id, p_amount::numeric(14,2), p_channel)::text, 'UTF8'));
	SELECT * INTO a FROM elecbill.customer_account x WHERE x.id = b.account_id FOR NO KEY UPDATE;
	known := elecbill._payment_known(a.org_id, p_key, content);
	IF known.id IS NOT NULL THEN
		RETURN known;
	END IF;
	PERFORM elecbill._late_fee_account(a.org_id, a.id, elecbill._today(a.org_id));
	SELECT * INTO b FROM elecbill.bill x WHERE x.id = b.id FOR NO KEY UPDATE;	/* as it is behind the lock */
	IF b.status NOT IN ('issued', 'partly_paid', 'overdue') AND NOT (b.status = 'paid' AND b.late_fee > 0) THEN
		RAISE EXCEPTION USING
			ERRCODE = 'UB412',
			MESSAGE = format('nothing is to be paid of a bill that is %s', b.status),
			DETAIL = format('Bill %s.%s', coalesce(b.number, '#' || b.id), CASE b.status WHEN 'written_off'
				THEN ' write_off_reverse() takes the write-off back first; payment_record_cash() takes the money as advance credit.' END);
	END IF;
	PERFORM elecbill._amount_check(a.org_id, p_amount, b.amount - b.paid + b.late_fee, format('bill %s', b.number));
	RETURN elecbill._payment_take(a, p_amount, p_channel, NULL, p_key, content, ARRAY[b.id]);
END $$;
COMMENT ON FUNCTION elecbill._pay_bill(text, numeric, text, text) IS 'what pay_bill() does';

CREATE FUNCTION elecbill._org_part(p_name text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN strpos(p_name, '/') > 1 THEN split_part(p_name, '/', 1) END;
COMMENT ON FUNCTION elecbill._org_part(text) IS 'the org in ORG/NAME, for the record of a refusal; NULL when there is none';

CREATE FUNCTION elecbill.pay_bill(bill text, amount numeric, key text, channel text DEFAULT 'cash',
	OUT outcome text, OUT message text, OUT receipt_no text)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	receipt_no := (elecbill._pay_bill(bill, amount, key, channel)).receipt_no;
	outcome := 'paid';
	message := elecbill.label('payment_taken', elecbill._lang());
EXCEPTION WHEN OTHERS THEN
	PERFORM elecbill._refused(elecbill._org_part(bill), 'pay_bill', bill, SQLSTATE, SQLERRM);
	RAISE;
END $$;
COMMENT ON FUNCTION elecbill.pay_bill(text, numeric, text, text) IS
'pays a bill (number, or ORG/NUMBER) at the counter: cash, which needs the open shift of whoever calls, bank or pos; what is open of it and of its late fee, less or more only where payment_policy says so. Returns paid, 缴费成功 and the receipt number; the same key answers the same. UB400, UB404, UB409 the key is that of another payment, UB412 a bill that is not paid or no shift, UB422 缴费金额不正确';

CREATE FUNCTION elecbill._payment_record_cash(p_account text, p_amount numeric, p_receipt text, p_key text, p_bills text[])
RETURNS elecbill.payment
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	a elecbill.customer_account;
	known elecbill.payment;
	content bytea;
	ids bigint[];
	open numeric;
BEGIN
	PERFORM elecbill._payment_check(p_amount, p_key), elecbill._counter_check('cash', p_receipt, p_key);
	a := elecbill._account_lock(p_account);
	content := sha256(convert_to(jsonb_build_array('cash', a.id, p_amount::numeric(14,2), p_receipt, p_bills)::text, 'UTF8'));
	known := elecbill._payment_known(a.org_id, p_key, content);
	IF known.id IS NOT NULL THEN
		RETURN known;
	END IF;
	PERFORM FROM elecbill.payment p WHERE p.org_id = a.org_id AND p.receipt_no = p_receipt;
	IF FOUND THEN
		RAISE EXCEPTION USING ERRCODE = 'UB409', MESSAGE = format('receipt %s is used', quote_literal(p_receipt));
	END IF;
	ids := elecbill._order_bills(a, p_bills);
	IF p_bills IS DISTINCT FROM '{}' THEN
		PERFORM elecbill._late_fee_account(a.org_id, a.id, elecbill._today(a.org_id));
		SELECT coalesce(sum(o.open + o.late_fee), 0) INTO open FROM elecbill._open_bills(a.id, ids) AS o;
		PERFORM elecbill._amount_check(a.org_id, p_amount, open, format('account %s', a.account_no));
	END IF;
	RETURN elecbill._payment_take(a, p_amount, 'cash', p_receipt, p_key, content, ids);
END $$;
COMMENT ON FUNCTION elecbill._payment_record_cash(text, numeric, text, text, text[]) IS 'what payment_record_cash() does';

CREATE FUNCTION elecbill.payment_record_cash(account text, amount numeric, receipt_no text, key text, bills text[] DEFAULT NULL)
RETURNS text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN (elecbill._payment_record_cash(account, amount, receipt_no, key, bills)).receipt_no;
EXCEPTION WHEN OTHERS THEN
	PERFORM elecbill._refused(elecbill._org_part(account), 'payment_record_cash', account, SQLSTATE, SQLERRM);
	RAISE;
END $$;
COMMENT ON FUNCTION elecbill.payment_record_cash(text, numeric, text, text, text[]) IS
'takes cash of an account (number, or ORG/NUMBER) into the open shift of whoever calls: for the bills named, NULL: all open ones by due date, {}: none, it is advance credit. receipt_no: of a printed block, NULL: the next number RYEAR-NNNNNN. Returns the receipt number; the same key answers with the same. UB400, UB404, UB409 the key or the receipt is that of another payment, UB412 no shift or a bill that is not paid, UB422 缴费金额不正确';
