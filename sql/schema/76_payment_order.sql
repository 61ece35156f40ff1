-- 76_payment_order.sql: paying over a channel: the order, and what the channel says about it

CREATE FUNCTION elecbill._refuse_amount(p_given numeric, p_open numeric, p_what text) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RAISE EXCEPTION USING
		ERRCODE = 'UB422',
		MESSAGE = elecbill.label('wrong_amount', elecbill._lang()),
		DETAIL = format('%s: open %s, given %s.', p_what, p_open, coalesce(p_given::text, 'NULL')),
		HINT = 'payment_policy_set() says whether less or more is taken, too.';
END $$;
COMMENT ON FUNCTION elecbill._refuse_amount(numeric, numeric, text) IS 'UB422 缴费金额不正确';

CREATE FUNCTION elecbill._payment_check(p_amount numeric, p_key text) RETURNS void
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF p_amount > 0 IS NOT TRUE OR p_amount >= 1e12 OR p_amount <> round(p_amount, 2) THEN
		RAISE EXCEPTION USING
			ERRCODE = 'UB422',
			MESSAGE = format('%s is not an amount', coalesce(p_amount::text, 'NULL')),
			HINT = 'Above 0, with two decimals at most.';
	ELSIF p_key ~ '^\S{1,128}$' IS NOT TRUE THEN
		RAISE EXCEPTION USING
			ERRCODE = 'UB400',
			MESSAGE = 'a call that moves money needs a key of 1 to 128 characters without blanks',
			HINT = 'The same key is given when the call is repeated, so that it pays once.';
	END IF;
END $$;
COMMENT ON FUNCTION elecbill._payment_check(numeric, text) IS 'UB422 not an amount, UB400 no key';

CREATE FUNCTION elecbill._account_lock(p_account text) RETURNS elecbill.customer_account
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	a elecbill.customer_account;
BEGIN
	SELECT * INTO a FROM elecbill.customer_account x WHERE x.id = elecbill._account_get(p_account) FOR NO KEY UPDATE;
	RETURN a;
END $$;
COMMENT ON FUNCTION elecbill._account_lock(text) IS 'an account by number or ORG/NUMBER, locked: one payment of an account at a time; UB404, UB409';

CREATE FUNCTION elecbill._order_bills(p_account elecbill.customer_account, p_bills text[]) RETURNS bigint[]
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	name text;
	b elecbill.bill;
	found bigint[] := ARRAY[]::bigint[];
BEGIN
	FOREACH name IN ARRAY coalesce(p_bills, ARRAY[]::text[]) LOOP
		b := elecbill._bill_get(name);
		IF b.account_id <> p_account.id THEN
			-- as if it were not there: somebody else's bill is nobody's business
			RAISE EXCEPTION USING ERRCODE = 'UB404', MESSAGE = format('there is no bill %s', quote_nullable(name));
		ELSIF b.status NOT IN ('issued', 'partly_paid', 'overdue') AND NOT (b.status = 'paid' AND b.late_fee > 0) THEN
			RAISE EXCEPTION USING
				ERRCODE = 'UB412',
				MESSAGE = format('nothing is to be paid of a bill that is %s', b.status),
				DETAIL = format('Bill %s.', coalesce(b.number, '#' || b.id));
		END IF;
		found := found || b.id;
	END LOOP;
	IF p_bills IS NULL THEN
		found := ARRAY(SELECT o.bill_id FROM elecbill._open_bills(p_account.id, NULL) AS o);
	END IF;
	RETURN found;
END $$;
COMMENT ON FUNCTION elecbill._order_bills(elecbill.customer_account, text[]) IS
'keys of the bills named, or of all that are open; UB404 not of this account, UB412 in a state without payments';

CREATE FUNCTION elecbill._payment_order_create(p_account text, p_bills text[], p_amount numeric, p_channel text, p_key text)
RETURNS elecbill.payment_order
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	a elecbill.customer_account;
	policy elecbill.payment_policy;
	content bytea := sha256(convert_to(jsonb_build_array('order', p_account, p_bills, round(p_amount, 2), p_channel)::text, 'UTF8'));
	made elecbill.payment_order;
	ids bigint[];
	open numeric;
BEGIN
	PERFORM elecbill._payment_check(p_amount, p_key);
	a := elecbill._account_lock(p_account);
	policy := elecbill._payment_policy(a.org_id);
	PERFORM elecbill._key_lock(a.org_id, p_key);
	SELECT * INTO made FROM elecbill.payment_order o WHERE o.org_id = a.org_id AND o.idem_key = p_key;
	IF FOUND THEN
		PERFORM elecbill._key_check(made.content_sha256, content, p_key);
		RETURN made;
	END IF;
	IF p_channel IN ('alipay', 'wechat', 'bank', 'pos', 'prepaid') IS NOT TRUE THEN
		RAISE EXCEPTION USING ERRCODE = 'UB400', MESSAGE = format('%s is not a channel', quote_nullable(p_channel)),
			HINT = 'alipay, wechat, bank, pos or prepaid; cash is taken by payment_record_cash().';
	END IF;
	PERFORM elecbill._late_fee_account(a.org_id, a.id, elecbill._today(a.org_id));
	ids := elecbill._order_bills(a, p_bills);
	SELECT coalesce(sum(o.open + o.late_fee), 0) INTO open FROM elecbill._open_bills(a.id, ids) AS o;
	-- what other orders may still bring is not asked for once more
	open := open - (SELECT coalesce(sum(o.amount), 0) FROM elecbill.payment_order o
		WHERE o.account_id = a.id AND o.status IN ('created', 'pending') AND o.expires_at > elecbill.now() AND o.bill_ids && ids);
	IF p_amount > open OR p_amount < open AND policy.amount_rule = 'exact' THEN
		PERFORM elecbill._refuse_amount(p_amount, open, format('account %s', a.account_no));
	END IF;
	INSERT INTO elecbill.payment_order (org_id, number, account_id, amount, bill_ids, channel, idem_key, content_sha256,
		expires_at, pending_id)
	VALUES (a.org_id, '', a.id, p_amount, ids, p_channel, p_key, content,
		elecbill.now() + make_interval(mins => policy.order_minutes), NULL)
	RETURNING * INTO made;
	UPDATE elecbill.payment_order o SET
		pending_id = elecbill._post(a.org_id, 'order:' || made.id, elecbill._money_source(a.org_id, p_channel),
			elecbill._ledger_account(a.org_id, 'receivable', a.id), p_amount, 'payment', elecbill._today(a.org_id),
			p_stage => 'pending'),
		number = elecbill._number_text(a.org_id, 'order', 'O')
	WHERE o.id = made.id RETURNING * INTO made;
	RETURN made;
END $$;
COMMENT ON FUNCTION elecbill._payment_order_create(text, text[], numeric, text, text) IS 'what payment_order_create() does';

CREATE FUNCTION elecbill.payment_order_create(account text, bills text[], amount numeric, channel text, key text,
	OUT number text, OUT expires_at timestamptz, OUT status text)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	made elecbill.payment_order;
BEGIN
	made := elecbill._payment_order_create(account, bills, amount, channel, key);
	number := made.number;
	expires_at := made.expires_at;
	status := made.status;
EXCEPTION WHEN OTHERS THEN
	PERFORM elecbill._refused(elecbill._org_part(account), 'payment_order_create', account, SQLSTATE, SQLERRM);
	RAISE;
END $$;
COMMENT ON FUNCTION elecbill.payment_order_create(text, text[], numeric, text, text) IS
'an order to pay bills (numbers; NULL: all open ones) of an account over a channel (alipay, wechat, bank, pos, prepaid), for what is open of them, or less where payment_policy says so. Returns its number, until when it may be paid, and its state; the same key answers with the same order. UB400, UB404, UB409 the key is that of another call, UB412 a bill that is not paid, UB422 缴费金额不正确';

CREATE FUNCTION elecbill._order_close(p_order elecbill.payment_order, p_status text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	pending elecbill.ledger_transfer;
BEGIN
	SELECT * INTO pending FROM elecbill.ledger_transfer t WHERE t.id = p_order.pending_id;
	PERFORM elecbill._pending_resolve(pending, 'order:' || p_order.id || ':void', 'void', 0, elecbill._today(p_order.org_id));
	UPDATE elecbill.payment_order SET status = p_status WHERE id = p_order.id;
END $$;
COMMENT ON FUNCTION elecbill._order_close(elecbill.payment_order, text) IS 'gives up what an order announced; its account is locked';

CREATE FUNCTION elecbill._payment_order_expire(p_org integer) RETURNS integer
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	one elecbill.payment_order;
	n integer := 0;
BEGIN
	FOR one IN SELECT * FROM elecbill.payment_order o
		WHERE o.org_id = p_org AND o.status IN ('created', 'pending') AND o.expires_at <= elecbill.now() ORDER BY o.account_id, o.id
	LOOP
		PERFORM FROM elecbill.customer_account a WHERE a.id = one.account_id FOR NO KEY UPDATE;
		SELECT * INTO one FROM elecbill.payment_order o WHERE o.id = one.id FOR NO KEY UPDATE;
		CONTINUE WHEN one.status NOT IN ('created', 'pending');
		PERFORM elecbill._order_close(one, 'closed');
		n := n + 1;
	END LOOP;
	RETURN n;
END $$;
COMMENT ON FUNCTION elecbill._payment_order_expire(integer) IS 'closes the orders of an org whose time is over; returns how many';

CREATE FUNCTION elecbill._confirm_outcome(p_order elecbill.payment_order, p_amount numeric) RETURNS text
LANGUAGE sql STABLE
RETURN CASE WHEN (p_order).id IS NULL THEN 'unmatched' WHEN p_amount <> (p_order).amount THEN 'mismatch'
	WHEN (p_order).status IN ('created', 'pending') AND (p_order).expires_at > elecbill.now() THEN 'paid' ELSE 'late' END;
COMMENT ON FUNCTION elecbill._confirm_outcome(elecbill.payment_order, numeric) IS
'what becomes of money that came in: paid; late (the order is over: advance credit); mismatch or unmatched (held in suspense)';

CREATE FUNCTION elecbill._payment_order_confirm(p_org text, p_channel text, p_txn text, p_number text, p_amount numeric,
	p_paid_at timestamptz) RETURNS text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	owner integer := elecbill._org_get(p_org);
	o elecbill.payment_order;
	wanted elecbill.payment;
	outcome text;
BEGIN
	PERFORM elecbill._payment_check(p_amount, p_txn);
	IF p_channel IN ('alipay', 'wechat', 'bank', 'pos', 'prepaid') IS NOT TRUE OR isfinite(p_paid_at) IS NOT TRUE
		-- late fees are counted up to it; clocks differ by less than a day
		OR p_paid_at > elecbill.now() + interval '1 day'
	THEN
		RAISE EXCEPTION USING ERRCODE = 'UB400', MESSAGE = 'a confirmation needs a channel and the instant of the payment',
			HINT = 'The instant is over.';
	END IF;
	SELECT * INTO o FROM elecbill.payment_order x
	WHERE x.org_id = owner AND x.number = p_number AND x.channel = p_channel;
	PERFORM FROM elecbill.customer_account a WHERE a.id = o.account_id FOR NO KEY UPDATE;
	SELECT * INTO o FROM elecbill.payment_order x WHERE x.id = o.id FOR NO KEY UPDATE;
	outcome := elecbill._confirm_outcome(o, p_amount);
	wanted.org_id := owner;
	wanted.account_id := CASE WHEN outcome IN ('paid', 'late') THEN o.account_id END;
	wanted.order_id := o.id;
	wanted.in_time := outcome = 'paid';
	wanted.channel := p_channel;
	wanted.channel_txn := p_txn;
	wanted.amount := p_amount;
	-- money is never refused for its date: one that cannot be would open books of long ago, and no late fee would be due
	wanted.paid_at := CASE WHEN p_paid_at < elecbill.now() - interval '1 year' THEN elecbill.now() ELSE p_paid_at END;
	wanted.idem_key := format('%s:%s', p_channel, p_txn);
	wanted.content_sha256 := sha256(convert_to(jsonb_build_array(p_channel, p_txn, p_number, p_amount::numeric(14,2))::text, 'UTF8'));
	wanted.state := CASE WHEN outcome IN ('paid', 'late') THEN 'posted' ELSE outcome END;
	wanted := elecbill._payment_add(wanted);
	IF wanted.id IS NULL THEN
		RETURN 'exists';
	END IF;
	IF wanted.paid_at <> p_paid_at THEN
		PERFORM elecbill._audit(owner, 'payment_paid_at', format('%s %s', p_channel, p_txn), jsonb_build_object('paid_at', p_paid_at),
			jsonb_build_object('paid_at', wanted.paid_at));
	END IF;
	IF wanted.state = 'posted' THEN
		PERFORM elecbill._order_paid(o, wanted, outcome);
	ELSE
		PERFORM elecbill._post(owner, 'payment:' || wanted.id || ':suspense', elecbill._money_source(owner, p_channel),
			elecbill._ledger_account(owner, 'suspense'), p_amount, outcome, elecbill._payment_day(wanted), NULL, wanted.id);
		PERFORM elecbill._alarm_during(owner, NULL, 'payment_' || outcome, 'error', format('%s %s', p_channel, p_txn),
			tstzrange(elecbill.now(), NULL), jsonb_build_object('order', p_number, 'amount', p_amount, 'ordered', o.amount));
	END IF;
	RETURN outcome;
END $$;
COMMENT ON FUNCTION elecbill._payment_order_confirm(text, text, text, text, numeric, timestamptz) IS 'what payment_order_confirm() does';

CREATE FUNCTION elecbill.payment_order_confirm(org text, channel text, channel_txn text, number text, amount numeric,
	paid_at timestamptz) RETURNS text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN elecbill._payment_order_confirm(org, channel, channel_txn, number, amount, paid_at);
EXCEPTION WHEN OTHERS THEN
	PERFORM elecbill._refused(org, 'payment_order_confirm', format('%s %s', channel, channel_txn), SQLSTATE, SQLERRM);
	RAISE;
END $$;
COMMENT ON FUNCTION elecbill.payment_order_confirm(text, text, text, text, numeric, timestamptz) IS
'what a channel says of an order, as often as it likes: paid, exists (said before), late (the order is over: advance credit and an alarm), mismatch (another amount than ordered) or unmatched (no such order): both held in suspense with an alarm. The caller has checked the signature of the channel. An instant of more than a year ago is taken for now, and audited (payment_paid_at). UB400, UB404 unknown org, UB409 the number of the channel came before with another order or amount, UB422';

CREATE FUNCTION elecbill._order_paid(p_order elecbill.payment_order, p_payment elecbill.payment, p_outcome text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF p_outcome = 'paid' THEN
		-- the announced transfer names no bill: it is given up for those that do
		PERFORM elecbill._order_close(p_order, 'paid');
		UPDATE elecbill.payment_order SET paid = paid + p_payment.amount WHERE id = p_order.id;
		PERFORM elecbill._payment_post(p_payment, p_order.bill_ids);
		RETURN;
	END IF;
	IF p_order.status IN ('created', 'pending') THEN
		PERFORM elecbill._order_close(p_order, 'closed');
	END IF;
	PERFORM elecbill._payment_post(p_payment, '{}');
	PERFORM elecbill._alarm_during(p_order.org_id, NULL, 'payment_late', 'warn', p_order.number,
		tstzrange(elecbill.now(), NULL), jsonb_build_object('amount', p_payment.amount, 'status', p_order.status));
END $$;
COMMENT ON FUNCTION elecbill._order_paid(elecbill.payment_order, elecbill.payment, text) IS
'books the payment of an order: to its bills in time, to advance credit afterwards';
