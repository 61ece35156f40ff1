-- 78_refund.sql: money that goes back: asked for by one person, approved by another
-- Approving takes the money off what the payment brought: advance credit first, then the bills it
-- paid, which are open again. To credit: from bills to advance credit. To the channel: into refund_due,
-- until it is paid out. Locks: customer_account, bill, payment_order, payment, refund; the number last.

CREATE TABLE elecbill.refund (
	id			bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT refund_pkey PRIMARY KEY,
	org_id		integer NOT NULL,
	number		text,
	payment_id	bigint NOT NULL,
	amount		numeric(14,2) NOT NULL CONSTRAINT refund_amount_check CHECK (amount > 0),
	target		text NOT NULL CONSTRAINT refund_target_check CHECK (target IN ('credit', 'channel')),
	reason		text,
	idem_key	text NOT NULL CONSTRAINT refund_idem_key_check CHECK (idem_key ~ '^\S{1,128}$'),
	content_sha256 bytea NOT NULL CONSTRAINT refund_content_check CHECK (length(content_sha256) = 32),
	requested_by text NOT NULL DEFAULT elecbill.current_login(),
	requested_at timestamptz NOT NULL DEFAULT elecbill.now(),
	decided_by	text,
	decided_at	timestamptz,
	shift_id	bigint,
	paid_by		text,
	paid_at		timestamptz,
	state		text NOT NULL DEFAULT 'requested' CONSTRAINT refund_state_check
				CHECK (state IN ('requested', 'approved', 'rejected', 'done')),
	CONSTRAINT refund_org_id_key UNIQUE (org_id, id),
	CONSTRAINT refund_number_key UNIQUE (org_id, number),
	CONSTRAINT refund_idem_key UNIQUE (org_id, idem_key),
	CONSTRAINT refund_payment_fkey FOREIGN KEY (org_id, payment_id) REFERENCES elecbill.payment (org_id, id),
	CONSTRAINT refund_shift_fkey FOREIGN KEY (org_id, shift_id) REFERENCES elecbill.cashier_shift (org_id, id),
	CONSTRAINT refund_second_check CHECK (state = 'rejected' OR decided_by <> requested_by),
	CONSTRAINT refund_decided_check CHECK ((state = 'requested') = (decided_by IS NULL)
		AND (decided_by IS NULL) = (decided_at IS NULL) AND (paid_by IS NULL) = (paid_at IS NULL))
);
CREATE INDEX refund_payment_idx ON elecbill.refund (payment_id);
CREATE INDEX refund_shift_idx ON elecbill.refund (shift_id) WHERE shift_id IS NOT NULL;
CREATE INDEX refund_open_idx ON elecbill.refund (org_id, id) WHERE state IN ('requested', 'approved');
COMMENT ON TABLE elecbill.refund IS 'money of a payment that goes back';
COMMENT ON COLUMN elecbill.refund.id IS 'internal key';
COMMENT ON COLUMN elecbill.refund.org_id IS 'owner';
COMMENT ON COLUMN elecbill.refund.number IS 'FYEAR-NNNNNN, gapless per org';
COMMENT ON COLUMN elecbill.refund.payment_id IS 'the payment';
COMMENT ON COLUMN elecbill.refund.amount IS 'how much, in the currency of the org';
COMMENT ON COLUMN elecbill.refund.target IS 'credit: advance credit of the account; channel: whence it came';
COMMENT ON COLUMN elecbill.refund.reason IS 'why';
COMMENT ON COLUMN elecbill.refund.idem_key IS 'key of the caller: a call made twice asks once';
COMMENT ON COLUMN elecbill.refund.content_sha256 IS 'sha256 of what was asked for';
COMMENT ON COLUMN elecbill.refund.requested_by IS 'login of who asked for it';
COMMENT ON COLUMN elecbill.refund.requested_at IS 'when it was asked for';
COMMENT ON COLUMN elecbill.refund.decided_by IS 'login of who approved it, who is another person, or rejected it';
COMMENT ON COLUMN elecbill.refund.decided_at IS 'when it was approved or rejected';
COMMENT ON COLUMN elecbill.refund.shift_id IS 'shift from whose till it was paid out, for cash';
COMMENT ON COLUMN elecbill.refund.paid_by IS 'login of who paid it out';
COMMENT ON COLUMN elecbill.refund.paid_at IS 'when it was paid out';
COMMENT ON COLUMN elecbill.refund.state IS 'requested, approved (booked; to be paid out), rejected, done';
COMMENT ON INDEX elecbill.refund_payment_idx IS 'refunds of a payment';
COMMENT ON INDEX elecbill.refund_shift_idx IS 'refunds of a shift';
COMMENT ON INDEX elecbill.refund_open_idx IS 'refunds that somebody must look at';
CREATE TRIGGER refund_frozen
	BEFORE UPDATE OF id, org_id, payment_id, amount, target, reason, idem_key, content_sha256, requested_by, requested_at
	ON elecbill.refund FOR EACH ROW EXECUTE FUNCTION elecbill._append_only();
COMMENT ON TRIGGER refund_frozen ON elecbill.refund IS 'what was asked for does not change';
CREATE TRIGGER refund_keep BEFORE DELETE ON elecbill.refund
	FOR EACH ROW EXECUTE FUNCTION elecbill._append_only();
COMMENT ON TRIGGER refund_keep ON elecbill.refund IS 'no DELETE';
CREATE TRIGGER refund_keep_all BEFORE TRUNCATE ON elecbill.refund
	FOR EACH STATEMENT EXECUTE FUNCTION elecbill._append_only();
COMMENT ON TRIGGER refund_keep_all ON elecbill.refund IS 'no TRUNCATE';

CREATE FUNCTION elecbill._refund_request(p_payment text, p_amount numeric, p_target text, p_key text, p_reason text) RETURNS text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	p elecbill.payment;
	r elecbill.refund;
	asked numeric;
	content bytea;
BEGIN
	PERFORM elecbill._payment_check(p_amount, p_key);
	IF p_target IN ('credit', 'channel') IS NOT TRUE THEN
		RAISE EXCEPTION USING ERRCODE = 'UB400', MESSAGE = format('%s is not a target of a refund', quote_nullable(p_target)),
			HINT = 'credit or channel.';
	END IF;
	p := elecbill._payment_lock(p_payment);
	content := sha256(convert_to(jsonb_build_array('refund', p.id, p_amount::numeric(14,2), p_target, p_reason)::text, 'UTF8'));
	PERFORM elecbill._key_lock(p.org_id, p_key);
	SELECT * INTO r FROM elecbill.refund x WHERE x.org_id = p.org_id AND x.idem_key = p_key;
	IF FOUND THEN
		PERFORM elecbill._key_check(r.content_sha256, content, p_key);
		RETURN r.number;
	ELSIF p.state <> 'posted' THEN
		RAISE EXCEPTION USING ERRCODE = 'UB412', MESSAGE = format('nothing of a payment that is %s is refunded', p.state),
			HINT = 'payment_match() gives it to an account, payment_reverse() takes it back.';
	END IF;
	SELECT coalesce(sum(x.amount), 0) INTO asked FROM elecbill.refund x
	WHERE x.payment_id = p.id AND x.state <> 'rejected' AND (p_target = 'credit' OR x.target = 'channel');
	IF p_amount > p.amount - asked THEN
		RAISE EXCEPTION USING
			ERRCODE = 'UB422',
			MESSAGE = 'more than was paid cannot go back',
			DETAIL = format('Payment %s brought %s, %s of it is asked for already, given %s.', p_payment, p.amount, asked, p_amount);
	END IF;
	INSERT INTO elecbill.refund (org_id, payment_id, amount, target, reason, idem_key, content_sha256)
	VALUES (p.org_id, p.id, p_amount, p_target, p_reason, p_key, content) RETURNING * INTO r;
	PERFORM elecbill._audit(p.org_id, 'refund_request', p_payment, NULL, jsonb_build_object('amount', p_amount, 'target', p_target));
	UPDATE elecbill.refund SET number = elecbill._number_text(p.org_id, 'refund', 'F') WHERE id = r.id RETURNING * INTO r;
	RETURN r.number;
END $$;
COMMENT ON FUNCTION elecbill._refund_request(text, numeric, text, text, text) IS 'what refund_request() does';

CREATE FUNCTION elecbill.refund_request(payment text, amount numeric, target text, key text, reason text DEFAULT NULL) RETURNS text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN elecbill._refund_request(payment, amount, target, key, reason);
EXCEPTION WHEN OTHERS THEN
	PERFORM elecbill._refused(elecbill._org_part(payment), 'refund_request', payment, SQLSTATE, SQLERRM);
	RAISE;
END $$;
COMMENT ON FUNCTION elecbill.refund_request(text, numeric, text, text, text) IS
'asks that money of a payment (receipt number, or CHANNEL:NUMBER) goes back: to credit (advance credit of the account) or to the channel whence it came. Returns the number of the refund, that refund_approve() takes; the same key answers with the same. UB400, UB404, UB409 the key is that of another refund, UB412 a payment that is not booked, UB422 more than was paid';

CREATE FUNCTION elecbill._refund_lock(p_refund text) RETURNS elecbill.refund
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	r elecbill.refund;
	ids bigint[];
BEGIN
	SELECT array_agg(x.id) INTO ids FROM elecbill.org o JOIN elecbill.refund x ON x.org_id = o.id AND x.number IN
		(p_refund, CASE WHEN starts_with(p_refund, o.code || '/') THEN substr(p_refund, length(o.code) + 2) END)
	WHERE elecbill._org_open(o.id);
	IF cardinality(ids) = 1 IS NOT TRUE THEN
		RAISE EXCEPTION USING
			ERRCODE = CASE WHEN ids IS NULL THEN 'UB404' ELSE 'UB409' END,
			MESSAGE = CASE WHEN ids IS NOT NULL THEN format('refund %s is not unique', quote_literal(p_refund))
				ELSE format('there is no refund %s', quote_nullable(p_refund)) END,
			HINT = 'Give its number, such as F2026-000001, with ORG/ before it where orgs share it.';
	END IF;
	PERFORM FROM elecbill.customer_account a
	WHERE a.id = (SELECT p.account_id FROM elecbill.refund x JOIN elecbill.payment p ON p.id = x.payment_id WHERE x.id = ids[1])
	FOR NO KEY UPDATE;
	SELECT * INTO r FROM elecbill.refund x WHERE x.id = ids[1] FOR NO KEY UPDATE;
	RETURN r;
END $$;
COMMENT ON FUNCTION elecbill._refund_lock(text) IS 'a refund by number or ORG/NUMBER, its account and itself locked; UB404, UB409';

CREATE FUNCTION elecbill._refund_book(p_refund elecbill.refund, p_payment elecbill.payment) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	org integer := p_refund.org_id;
	today date := elecbill._today(org);
	advance bigint := elecbill._ledger_account(org, 'advance', p_payment.account_id);
	receivable bigint := elecbill._ledger_account(org, 'receivable', p_payment.account_id);
	goal bigint := CASE p_refund.target WHEN 'credit' THEN advance ELSE elecbill._ledger_account(org, 'refund_due') END;
	rest numeric := p_refund.amount;
	part numeric;
	one record;
BEGIN
	part := least(rest, elecbill._advance_of(p_payment.id), elecbill._advance_open(org, p_payment.account_id));
	IF p_refund.target = 'channel' AND part > 0 THEN
		PERFORM elecbill._post(org, format('refund:%s:advance', p_refund.id), advance, goal, part, 'refund', today, NULL, p_payment.id);
		rest := rest - part;
	END IF;
	FOR one IN SELECT * FROM elecbill._allocated(p_payment.id) LOOP
		EXIT WHEN rest = 0;
		part := least(rest, one.amount);
		PERFORM elecbill._post(org, format('refund:%s:%s:%s', p_refund.id, one.component, one.bill_id), receivable, goal, part,
			CASE one.component WHEN 'bill' THEN 'refund' ELSE 'refund_fee' END, today, one.bill_id, p_payment.id);
		PERFORM elecbill._allocate(org, p_payment.id, one.bill_id, one.component, -part);
		rest := rest - part;
	END LOOP;
	IF rest > 0 THEN
		RAISE EXCEPTION USING
			ERRCODE = 'UB422',
			MESSAGE = 'there is not so much left of the payment',
			DETAIL = format('Of %s asked for, %s cannot be taken from its bills or its advance credit.', p_refund.amount, rest),
			HINT = 'Its advance credit paid other bills.';
	END IF;
	UPDATE elecbill.payment_order SET refunded = refunded + p_refund.amount,
		status = CASE WHEN refunded + p_refund.amount = paid THEN 'refunded' ELSE 'partly_refunded' END
	WHERE id = p_payment.order_id AND p_payment.in_time AND p_refund.target = 'channel';
END $$;
COMMENT ON FUNCTION elecbill._refund_book(elecbill.refund, elecbill.payment) IS 'books a refund that is approved; UB422 the payment has not so much left';

CREATE FUNCTION elecbill._refund_decide(p_refund text, p_state text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	r elecbill.refund := elecbill._refund_lock(p_refund);
	p elecbill.payment;
	decided text := CASE WHEN p_state = 'approved' AND r.target = 'credit' THEN 'done' ELSE p_state END;
BEGIN
	IF r.state <> 'requested' THEN
		IF (r.state = 'rejected') = (p_state = 'rejected') AND r.decided_by = elecbill.current_login() THEN
			RETURN;	/* the same call once more */
		END IF;
		RAISE EXCEPTION USING ERRCODE = 'UB412', MESSAGE = format('refund %s is %s', r.number, r.state);
	ELSIF p_state = 'approved' AND r.requested_by = elecbill.current_login() THEN
		RAISE EXCEPTION USING
			ERRCODE = 'UB403',
			MESSAGE = 'a refund is approved by another person than asked for it',
			DETAIL = format('%s asked for it.', quote_literal(r.requested_by));
	END IF;
	UPDATE elecbill.refund SET state = decided, decided_by = elecbill.current_login(), decided_at = elecbill.now() WHERE id = r.id;
	IF p_state = 'approved' THEN
		SELECT * INTO p FROM elecbill.payment x WHERE x.id = r.payment_id FOR NO KEY UPDATE;
		PERFORM elecbill._refund_book(r, p);
	END IF;
	PERFORM elecbill._audit(r.org_id, 'refund_' || p_state, r.number, jsonb_build_object('state', r.state),
		jsonb_build_object('state', decided, 'amount', r.amount));
END $$;
COMMENT ON FUNCTION elecbill._refund_decide(text, text) IS 'what refund_approve() and refund_reject() do';

CREATE FUNCTION elecbill.refund_approve(refund text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	PERFORM elecbill._refund_decide(refund, 'approved');
EXCEPTION WHEN OTHERS THEN
	PERFORM elecbill._refused(elecbill._org_part(refund), 'refund_approve', refund, SQLSTATE, SQLERRM);
	RAISE;
END $$;
COMMENT ON FUNCTION elecbill.refund_approve(text) IS
'approves and books a refund (its number) that another person asked for: advance credit that the payment brought goes first, then what it paid of bills, which are open again. To the channel: it waits for refund_pay(). Called again by the same person: nothing happens. UB403 the same person, UB404, UB412 decided before, UB422 the payment has not so much left';

CREATE FUNCTION elecbill.refund_reject(refund text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	PERFORM elecbill._refund_decide(refund, 'rejected');
EXCEPTION WHEN OTHERS THEN
	PERFORM elecbill._refused(elecbill._org_part(refund), 'refund_reject', refund, SQLSTATE, SQLERRM);
	RAISE;
END $$;
COMMENT ON FUNCTION elecbill.refund_reject(text) IS 'rejects, or takes back, a refund (its number) that was asked for. UB404, UB412 decided before';

CREATE FUNCTION elecbill._refund_pay(p_refund text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	r elecbill.refund := elecbill._refund_lock(p_refund);
	p elecbill.payment;
	shift bigint;
BEGIN
	IF r.target = 'channel' AND r.state = 'done' AND r.paid_by = elecbill.current_login() THEN
		RETURN;	/* the same call once more */
	ELSIF r.state <> 'approved' THEN
		RAISE EXCEPTION USING ERRCODE = 'UB412', MESSAGE = format('refund %s is %s', r.number, r.state),
			HINT = 'What is approved for the channel is paid out, once.';
	END IF;
	SELECT * INTO p FROM elecbill.payment x WHERE x.id = r.payment_id;
	IF p.channel = 'cash' THEN
		shift := elecbill._shift_get(r.org_id);
		IF r.amount > elecbill._shift_expected(shift) THEN
			RAISE EXCEPTION USING
				ERRCODE = 'UB422',
				MESSAGE = format('the till does not hold %s', r.amount),
				DETAIL = format('It should hold %s.', elecbill._shift_expected(shift)),
				HINT = 'Another cashier may pay it out.';
		END IF;
	END IF;
	PERFORM elecbill._post(r.org_id, format('refund:%s:payout', r.id), elecbill._ledger_account(r.org_id, 'refund_due'),
		elecbill._money_source(r.org_id, p.channel), r.amount, 'payout', elecbill._today(r.org_id), NULL, p.id);
	UPDATE elecbill.refund SET state = 'done', shift_id = shift, paid_by = elecbill.current_login(), paid_at = elecbill.now()
	WHERE id = r.id;
END $$;
COMMENT ON FUNCTION elecbill._refund_pay(text) IS 'what refund_pay() does';

CREATE FUNCTION elecbill.refund_pay(refund text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	PERFORM elecbill._refund_pay(refund);
EXCEPTION WHEN OTHERS THEN
	PERFORM elecbill._refused(elecbill._org_part(refund), 'refund_pay', refund, SQLSTATE, SQLERRM);
	RAISE;
END $$;
COMMENT ON FUNCTION elecbill.refund_pay(text) IS
'records that an approved refund (its number) was paid out over the channel of its payment; cash comes out of the open shift of whoever calls. UB404, UB412 not approved, paid out before, or no shift, UB422 the till does not hold so much';
