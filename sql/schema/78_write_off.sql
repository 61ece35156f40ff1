-- 78_write_off.sql: what is open of a bill is given up: asked for by one person, approved by another; and taken back
-- Locks: customer_account, bill, bill_write_off, balances.

CREATE TABLE elecbill.bill_write_off (
	id			bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT bill_write_off_pkey PRIMARY KEY,
	org_id		integer NOT NULL,
	bill_id		bigint NOT NULL,
	amount		numeric(14,2) CONSTRAINT bill_write_off_amount_check CHECK (amount > 0),
	reason		text NOT NULL CONSTRAINT bill_write_off_reason_check CHECK (reason <> ''),
	idem_key	text NOT NULL CONSTRAINT bill_write_off_idem_key_check CHECK (idem_key ~ '^\S{1,128}$'),
	content_sha256 bytea NOT NULL CONSTRAINT bill_write_off_content_check CHECK (length(content_sha256) = 32),
	requested_by text NOT NULL DEFAULT elecbill.current_login(),
	requested_at timestamptz NOT NULL DEFAULT elecbill.now(),
	decided_by	text,
	decided_at	timestamptz,
	state		text NOT NULL DEFAULT 'requested' CONSTRAINT bill_write_off_state_check
				CHECK (state IN ('requested', 'approved', 'rejected', 'reversed')),
	reversed_by	text,
	reversed_at	timestamptz,
	reversal_reason text CONSTRAINT bill_write_off_reversal_reason_check CHECK (reversal_reason ~ '\S'),
	reversal_key text CONSTRAINT bill_write_off_reversal_key_check CHECK (reversal_key ~ '^\S{1,128}$'),
	CONSTRAINT bill_write_off_idem_key UNIQUE (org_id, idem_key),
	CONSTRAINT bill_write_off_reversal_key UNIQUE (org_id, reversal_key),
	CONSTRAINT bill_write_off_bill_fkey FOREIGN KEY (org_id, bill_id) REFERENCES elecbill.bill (org_id, id),
	CONSTRAINT bill_write_off_second_check CHECK (state = 'rejected' OR decided_by <> requested_by),
	CONSTRAINT bill_write_off_decided_check CHECK ((state = 'requested') = (decided_by IS NULL)
		AND (decided_by IS NULL) = (decided_at IS NULL) AND (state IN ('approved', 'reversed')) = (amount IS NOT NULL)),
	CONSTRAINT bill_write_off_reversed_check CHECK (reversed_by <> decided_by
		AND num_nonnulls(reversed_by, reversed_at, reversal_reason, reversal_key) = CASE state WHEN 'reversed' THEN 4 ELSE 0 END)
);
CREATE UNIQUE INDEX bill_write_off_live_key ON elecbill.bill_write_off (bill_id) WHERE state IN ('requested', 'approved');
CREATE INDEX bill_write_off_bill_idx ON elecbill.bill_write_off (bill_id);
COMMENT ON TABLE elecbill.bill_write_off IS 'bills whose open amount is given up';
COMMENT ON COLUMN elecbill.bill_write_off.id IS 'internal key';
COMMENT ON COLUMN elecbill.bill_write_off.org_id IS 'owner';
COMMENT ON COLUMN elecbill.bill_write_off.bill_id IS 'the bill';
COMMENT ON COLUMN elecbill.bill_write_off.amount IS 'what was open when it was approved, late fee included, in the currency of the org';
COMMENT ON COLUMN elecbill.bill_write_off.reason IS 'why';
COMMENT ON COLUMN elecbill.bill_write_off.idem_key IS 'key of the caller: a call made twice asks once';
COMMENT ON COLUMN elecbill.bill_write_off.content_sha256 IS 'sha256 of what was asked for';
COMMENT ON COLUMN elecbill.bill_write_off.requested_by IS 'login of who asked for it';
COMMENT ON COLUMN elecbill.bill_write_off.requested_at IS 'when it was asked for';
COMMENT ON COLUMN elecbill.bill_write_off.decided_by IS 'login of who approved it, who is another person, or rejected it';
COMMENT ON COLUMN elecbill.bill_write_off.decided_at IS 'when it was approved or rejected';
COMMENT ON COLUMN elecbill.bill_write_off.state IS 'requested, approved (booked), rejected, or reversed (it was booked, and taken back)';
COMMENT ON COLUMN elecbill.bill_write_off.reversed_by IS 'login of who took it back, who is another person than approved it';
COMMENT ON COLUMN elecbill.bill_write_off.reversed_at IS 'when it was taken back';
COMMENT ON COLUMN elecbill.bill_write_off.reversal_reason IS 'why it was taken back';
COMMENT ON COLUMN elecbill.bill_write_off.reversal_key IS 'key of the caller who took it back: a call made twice does it once';
COMMENT ON INDEX elecbill.bill_write_off_live_key IS 'one at a time per bill';
COMMENT ON INDEX elecbill.bill_write_off_bill_idx IS 'all that was asked for of a bill';
CREATE TRIGGER bill_write_off_frozen
	BEFORE UPDATE OF id, org_id, bill_id, reason, idem_key, content_sha256, requested_by, requested_at ON elecbill.bill_write_off
	FOR EACH ROW EXECUTE FUNCTION elecbill._append_only();
COMMENT ON TRIGGER bill_write_off_frozen ON elecbill.bill_write_off IS 'what was asked for does not change';
CREATE TRIGGER bill_write_off_keep BEFORE DELETE ON elecbill.bill_write_off
	FOR EACH ROW EXECUTE FUNCTION elecbill._append_only();
COMMENT ON TRIGGER bill_write_off_keep ON elecbill.bill_write_off IS 'no DELETE';
CREATE TRIGGER bill_write_off_keep_all BEFORE TRUNCATE ON elecbill.bill_write_off
	FOR EACH STATEMENT EXECUTE FUNCTION elecbill._append_only();
COMMENT ON TRIGGER bill_write_off_keep_all ON elecbill.bill_write_off IS 'no TRUNCATE';

CREATE FUNCTION elecbill._bill_lock(p_bill text) RETURNS elecbill.bill
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	b elecbill.bill := elecbill._bill_get(p_bill);
BEGIN
	PERFORM FROM elecbill.customer_account a WHERE a.id = b.account_id FOR NO KEY UPDATE;
	SELECT * INTO b FROM elecbill.bill x WHERE x.id = b.id FOR NO KEY UPDATE;
	RETURN b;
END $$;
COMMENT ON FUNCTION elecbill._bill_lock(text) IS 'a bill by its number, its account and itself locked; UB404, UB409';

CREATE FUNCTION elecbill._write_off_check(p_bill elecbill.bill) RETURNS void
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF p_bill.status NOT IN ('issued', 'partly_paid', 'overdue') OR p_bill.amount <= p_bill.paid THEN	/* late fees alone are not */
		RAISE EXCEPTION USING
			ERRCODE = 'UB412',
			MESSAGE = format('a bill that is %s is not written off', p_bill.status),
			DETAIL = format('Bill %s, open %s.', coalesce(p_bill.number, '#' || p_bill.id), p_bill.amount - p_bill.paid);
	END IF;
END $$;
COMMENT ON FUNCTION elecbill._write_off_check(elecbill.bill) IS 'UB412 when nothing is open of a bill';

CREATE FUNCTION elecbill._write_off(p_bill text, p_reason text, p_key text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	b elecbill.bill;
	known bytea;
	content bytea;
BEGIN
	PERFORM elecbill._payment_check(1, p_key);
	IF p_reason ~ '\S' IS NOT TRUE THEN
		RAISE EXCEPTION USING ERRCODE = 'UB400', MESSAGE = 'a bill is written off for a reason';
	END IF;
	b := elecbill._bill_lock(p_bill);
	content := sha256(convert_to(jsonb_build_array('write_off', b.id, p_reason)::text, 'UTF8'));
	PERFORM elecbill._key_lock(b.org_id, p_key);
	SELECT w.content_sha256 INTO known FROM elecbill.bill_write_off w WHERE w.org_id = b.org_id AND w.idem_key = p_key;
	IF FOUND THEN
		PERFORM elecbill._key_check(known, content, p_key);
		RETURN;
	END IF;
	PERFORM elecbill._write_off_check(b);
	INSERT INTO elecbill.bill_write_off (org_id, bill_id, reason, idem_key, content_sha256)
	VALUES (b.org_id, b.id, p_reason, p_key, content) ON CONFLICT (bill_id) WHERE state IN ('requested', 'approved') DO NOTHING;
	IF NOT FOUND THEN
		RAISE EXCEPTION USING ERRCODE = 'UB412', MESSAGE = format('bill %s is to be written off already', b.number);
	END IF;
	PERFORM elecbill._audit(b.org_id, 'write_off', b.number, NULL, jsonb_build_object('open', b.amount - b.paid, 'reason', p_reason));
END $$;
COMMENT ON FUNCTION elecbill._write_off(text, text, text) IS 'what write_off() does';

CREATE FUNCTION elecbill.write_off(bill text, reason text, key text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	PERFORM elecbill._write_off(bill, reason, key);
EXCEPTION WHEN OTHERS THEN
	PERFORM elecbill._refused(elecbill._org_part(bill), 'write_off', bill, SQLSTATE, SQLERRM);
	RAISE;
END $$;
COMMENT ON FUNCTION elecbill.write_off(text, text, text) IS
'asks that what is open of a bill is given up; write_off_approve() by another person does it. The same key asks once. UB400, UB404, UB409 the key is that of another bill, UB412 nothing is open of it, or it was asked for';

CREATE FUNCTION elecbill._write_off_decide(p_bill text, p_state text) RETURNS numeric
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	b elecbill.bill := elecbill._bill_lock(p_bill);
	w elecbill.bill_write_off;
	open numeric := b.amount - b.paid;
	receivable bigint;
BEGIN
	SELECT * INTO w FROM elecbill.bill_write_off x WHERE x.bill_id = b.id ORDER BY x.id DESC LIMIT 1 FOR NO KEY UPDATE;
	IF w.state = p_state AND w.decided_by = elecbill.current_login() THEN
		RETURN w.amount;	/* the same call once more */
	ELSIF w.state IS DISTINCT FROM 'requested' THEN
		RAISE EXCEPTION USING ERRCODE = 'UB412', MESSAGE = format('nobody asked that bill %s is written off', coalesce(b.number, '#' || b.id)),
			HINT = 'write_off() asks for it.';
	ELSIF p_state = 'approved' AND w.requested_by = elecbill.current_login() THEN
		RAISE EXCEPTION USING
			ERRCODE = 'UB403',
			MESSAGE = 'a bill is written off by another person than asked for it',
			DETAIL = format('%s asked for it.', quote_literal(w.requested_by));
	END IF;
	IF p_state = 'approved' THEN
		PERFORM elecbill._write_off_check(b);
		receivable := elecbill._ledger_account(b.org_id, 'receivable', b.account_id);
		PERFORM elecbill._post(b.org_id, 'write_off:' || w.id, elecbill._ledger_account(b.org_id, 'write_off'), receivable, open,
			'write_off', elecbill._today(b.org_id), b.id);
		IF b.late_fee > 0 THEN
			PERFORM elecbill._post(b.org_id, format('write_off:%s:fee', w.id), elecbill._ledger_account(b.org_id, 'write_off'),
				receivable, b.late_fee, 'write_off_fee', elecbill._today(b.org_id), b.id);
			PERFORM elecbill._fee_settle(b.id, -b.late_fee);
			open := open + b.late_fee;
		END IF;
		UPDATE elecbill.bill SET status = 'written_off' WHERE id = b.id;
	END IF;
	UPDATE elecbill.bill_write_off SET state = p_state, amount = CASE p_state WHEN 'approved' THEN open END,
		decided_by = elecbill.current_login(), decided_at = elecbill.now() WHERE id = w.id RETURNING * INTO w;
	PERFORM elecbill._audit(b.org_id, 'write_off_' || p_state, b.number, jsonb_build_object('status', b.status),
		jsonb_build_object('amount', w.amount));
	RETURN w.amount;
END $$;
COMMENT ON FUNCTION elecbill._write_off_decide(text, text) IS 'what write_off_approve() and write_off_reject() do';

CREATE FUNCTION elecbill.write_off_approve(bill text) RETURNS numeric
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN elecbill._write_off_decide(bill, 'approved');
EXCEPTION WHEN OTHERS THEN
	PERFORM elecbill._refused(elecbill._org_part(bill), 'write_off_approve', bill, SQLSTATE, SQLERRM);
	RAISE;
END $$;
COMMENT ON FUNCTION elecbill.write_off_approve(text) IS
'gives up what is open of a bill and of its late fee, as another person asked: write_off to receivable; returns how much. Called again by the same person: the same answer. UB403 the same person, UB404, UB412 nobody asked, or nothing is open';

CREATE FUNCTION elecbill.write_off_reject(bill text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	PERFORM elecbill._write_off_decide(bill, 'rejected');
EXCEPTION WHEN OTHERS THEN
	PERFORM elecbill._refused(elecbill._org_part(bill), 'write_off_reject', bill, SQLSTATE, SQLERRM);
	RAISE;
END $$;
COMMENT ON FUNCTION elecbill.write_off_reject(text) IS 'rejects, or takes back, that a bill is written off. UB404, UB412 nobody asked';

CREATE FUNCTION elecbill._write_off_undo(p_bill elecbill.bill, p_write_off bigint) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	today date := elecbill._today(p_bill.org_id);
	one record;
BEGIN
	FOR one IN SELECT t.id, t.kind, t.amount FROM elecbill.ledger_transfer t
		WHERE t.bill_id = p_bill.id AND t.kind IN ('write_off', 'write_off_fee')
			AND NOT EXISTS (SELECT FROM elecbill.ledger_transfer r WHERE r.reverses_id = t.id)
		ORDER BY t.id DESC
	LOOP
		PERFORM elecbill._post_reverse(one.id, format('write_off:%s:reverse:%s', p_write_off, one.id), today);
		IF one.kind = 'write_off_fee' THEN
			PERFORM elecbill._fee_settle(p_bill.id, one.amount);
		END IF;
	END LOOP;
	UPDATE elecbill.bill SET status = CASE WHEN p_bill.due_on < today THEN 'overdue' WHEN p_bill.paid <> 0 THEN 'partly_paid' ELSE 'issued' END
	WHERE id = p_bill.id;
	IF p_bill.due_on < today THEN
		PERFORM elecbill._late_fee_touch(p_bill.org_id, p_bill.id, p_bill.due_on);
	END IF;
END $$;
COMMENT ON FUNCTION elecbill._write_off_undo(elecbill.bill, bigint) IS
'a bill, which is locked, is open again over what was given up of it, late fee included; the late fee runs on as if it had never been written off';

CREATE FUNCTION elecbill._write_off_reverse(p_bill text, p_reason text, p_key text) RETURNS numeric
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	b elecbill.bill;
	w elecbill.bill_write_off;
BEGIN
	PERFORM elecbill._payment_check(1, p_key);
	IF p_reason ~ '\S' IS NOT TRUE THEN
		RAISE EXCEPTION USING ERRCODE = 'UB400', MESSAGE = 'a write-off is taken back for a reason';
	END IF;
	b := elecbill._bill_lock(p_bill);
	PERFORM elecbill._key_lock(b.org_id, p_key);
	SELECT * INTO w FROM elecbill.bill_write_off x WHERE x.org_id = b.org_id AND x.reversal_key = p_key;
	IF FOUND THEN
		PERFORM elecbill._key_check(sha256(convert_to(jsonb_build_array(w.bill_id, w.reversal_reason)::text, 'UTF8')),
			sha256(convert_to(jsonb_build_array(b.id, p_reason)::text, 'UTF8')), p_key);
		RETURN w.amount;
	END IF;
	SELECT * INTO w FROM elecbill.bill_write_off x WHERE x.bill_id = b.id AND x.state = 'approved' FOR NO KEY UPDATE;
	IF NOT FOUND THEN
		RAISE EXCEPTION USING
			ERRCODE = 'UB412',
			MESSAGE = format('nothing of bill %s was written off', coalesce(b.number, '#' || b.id)),
			DETAIL = format('It is %s.', b.status),
			HINT = 'write_off_reject() takes back what was asked for.';
	ELSIF w.decided_by = elecbill.current_login() THEN
		RAISE EXCEPTION USING
			ERRCODE = 'UB403',
			MESSAGE = 'a write-off is taken back by another person than approved it',
			DETAIL = format('%s approved it.', quote_literal(w.decided_by));
	END IF;
	PERFORM elecbill._write_off_undo(b, w.id);
	UPDATE elecbill.bill_write_off SET state = 'reversed', reversed_by = elecbill.current_login(), reversed_at = elecbill.now(),
		reversal_reason = p_reason, reversal_key = p_key WHERE id = w.id;
	PERFORM elecbill._audit(b.org_id, 'write_off_reverse', b.number, jsonb_build_object('status', b.status),
		jsonb_build_object('amount', w.amount, 'reason', p_reason));
	RETURN w.amount;
END $$;
COMMENT ON FUNCTION elecbill._write_off_reverse(text, text, text) IS 'what write_off_reverse() does';

CREATE FUNCTION elecbill.write_off_reverse(bill text, reason text, key text) RETURNS numeric
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN elecbill._write_off_reverse(bill, reason, key);
EXCEPTION WHEN OTHERS THEN
	PERFORM elecbill._refused(elecbill._org_part(bill), 'write_off_reverse', bill, SQLSTATE, SQLERRM);
	RAISE;
END $$;
COMMENT ON FUNCTION elecbill.write_off_reverse(text, text, text) IS
'takes a write-off back: the debtor pays after all, or a payment on the bill must go back. The bill and its late fee are open again over what was given up, by transfers the other way round; returns how much, and the same for the same key. By another person than approved it. UB400, UB403 the same person, UB404, UB409 the key is that of another call, UB412 nothing of it was written off';
