-- 89_adjustment.sql: amounts that people correct by hand (退补): asked for by one, approved by another
-- An approved adjustment is a line of the next bill of the account, or at once a bill of its own, of kind
-- credit (below 0) or correction. A bill that is taken back gives its adjustments free again.
-- Locks: customer_account, then adjustment, ledger, number counter.

CREATE TABLE elecbill.adjustment (
	id			bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT adjustment_pkey PRIMARY KEY,
	org_id		integer NOT NULL,
	number		text,
	account_id	bigint NOT NULL,
	corrected_id bigint,
	kind		text NOT NULL CONSTRAINT adjustment_kind_check
				CHECK (kind IN ('meter_error', 'wiring', 'ct', 'other', 'goodwill', 'price')),
	amount		numeric(14,2) NOT NULL CONSTRAINT adjustment_amount_check CHECK (amount <> 0),
	tax_amount	numeric(14,2) NOT NULL,
	reason		text NOT NULL CONSTRAINT adjustment_reason_check CHECK (reason ~ '\S'),
	evidence	text CONSTRAINT adjustment_evidence_check CHECK (evidence ~ '\S'),
	at_once		boolean NOT NULL,
	idem_key	text NOT NULL CONSTRAINT adjustment_idem_key_check CHECK (idem_key ~ '^\S{1,128}$'),
	content_sha256 bytea NOT NULL CONSTRAINT adjustment_content_check CHECK (length(content_sha256) = 32),
	requested_by text NOT NULL DEFAULT elecbill.current_login(),
	requested_at timestamptz NOT NULL DEFAULT elecbill.now(),
	state		text NOT NULL DEFAULT 'requested' CONSTRAINT adjustment_state_check
				CHECK (state IN ('requested', 'approved', 'rejected', 'withdrawn')),
	decided_by	text,
	decided_at	timestamptz,
	bill_id		bigint,
	line_n		integer,
	CONSTRAINT adjustment_idem_key UNIQUE (org_id, idem_key),
	CONSTRAINT adjustment_number_key UNIQUE (org_id, number),
	CONSTRAINT adjustment_account_fkey FOREIGN KEY (org_id, account_id) REFERENCES elecbill.customer_account (org_id, id),
	CONSTRAINT adjustment_corrected_fkey FOREIGN KEY (org_id, corrected_id) REFERENCES elecbill.bill (org_id, id),
	CONSTRAINT adjustment_bill_fkey FOREIGN KEY (org_id, bill_id) REFERENCES elecbill.bill (org_id, id),
	CONSTRAINT adjustment_tax_check CHECK (tax_amount BETWEEN least(amount, 0) AND greatest(amount, 0)),
	CONSTRAINT adjustment_proof_check CHECK (kind NOT IN ('meter_error', 'wiring', 'ct') OR evidence IS NOT NULL),
	CONSTRAINT adjustment_second_check CHECK (state NOT IN ('approved', 'withdrawn') OR decided_by <> requested_by),
	CONSTRAINT adjustment_decided_check CHECK ((state = 'requested') = (decided_by IS NULL) AND (decided_by IS NULL) = (decided_at IS NULL)),
	CONSTRAINT adjustment_booked_check CHECK ((bill_id IS NULL) = (line_n IS NULL) AND (bill_id IS NULL OR state = 'approved'))
);
CREATE INDEX adjustment_open_idx ON elecbill.adjustment (account_id) WHERE state = 'approved' AND bill_id IS NULL;
CREATE INDEX adjustment_account_idx ON elecbill.adjustment (account_id);
CREATE INDEX adjustment_bill_idx ON elecbill.adjustment (bill_id) WHERE bill_id IS NOT NULL;
CREATE INDEX adjustment_corrected_idx ON elecbill.adjustment (corrected_id) WHERE corrected_id IS NOT NULL;
COMMENT ON TABLE elecbill.adjustment IS 'amounts that people correct by hand: errors of meters, wiring and transformers (退补), wrong prices, goodwill';
COMMENT ON COLUMN elecbill.adjustment.id IS 'internal key';
COMMENT ON COLUMN elecbill.adjustment.org_id IS 'owner';
COMMENT ON COLUMN elecbill.adjustment.number IS 'the key people use: AYEAR-NNNNNN';
COMMENT ON COLUMN elecbill.adjustment.account_id IS 'whose bill';
COMMENT ON COLUMN elecbill.adjustment.corrected_id IS 'the bill it is about; NULL: none in particular';
COMMENT ON COLUMN elecbill.adjustment.kind IS
'meter_error (beyond its class), wiring (wrong wiring), ct (wrong transformer ratio), other (any other fault of metering), price (a wrong price), goodwill';
COMMENT ON COLUMN elecbill.adjustment.amount IS 'what is charged more (less: below 0), tax included, in the currency of the org';
COMMENT ON COLUMN elecbill.adjustment.tax_amount IS 'tax in it';
COMMENT ON COLUMN elecbill.adjustment.reason IS 'why, for the customer';
COMMENT ON COLUMN elecbill.adjustment.evidence IS 'what it rests on: number of a test certificate, a photo, a letter; always there for meter_error, wiring and ct';
COMMENT ON COLUMN elecbill.adjustment.at_once IS 'true: a bill of its own when it is approved; false: a line of the next bill';
COMMENT ON COLUMN elecbill.adjustment.idem_key IS 'key of the caller: a call made twice asks once';
COMMENT ON COLUMN elecbill.adjustment.content_sha256 IS 'sha256 of what was asked for';
COMMENT ON COLUMN elecbill.adjustment.requested_by IS 'login of who asked for it';
COMMENT ON COLUMN elecbill.adjustment.requested_at IS 'when';
COMMENT ON COLUMN elecbill.adjustment.state IS
'requested, approved (booked, or waits for the next bill), rejected, withdrawn (its bill of its own was taken back)';
COMMENT ON COLUMN elecbill.adjustment.decided_by IS 'login of who approved it, who is another person, or rejected it';
COMMENT ON COLUMN elecbill.adjustment.decided_at IS 'when';
COMMENT ON COLUMN elecbill.adjustment.bill_id IS 'the live bill that has it; NULL: none';
COMMENT ON COLUMN elecbill.adjustment.line_n IS 'its line there; the tax in it is the line behind';
COMMENT ON INDEX elecbill.adjustment_open_idx IS 'what waits for the next bill';
COMMENT ON INDEX elecbill.adjustment_account_idx IS 'adjustments of an account';
COMMENT ON INDEX elecbill.adjustment_bill_idx IS 'adjustments on a bill';
COMMENT ON INDEX elecbill.adjustment_corrected_idx IS 'adjustments of a bill';
CREATE TRIGGER adjustment_frozen
	BEFORE UPDATE OF id, org_id, account_id, corrected_id, kind, amount, tax_amount, reason, evidence, at_once, idem_key,
		content_sha256, requested_by, requested_at ON elecbill.adjustment
	FOR EACH ROW EXECUTE FUNCTION elecbill._append_only();
COMMENT ON TRIGGER adjustment_frozen ON elecbill.adjustment IS 'what was asked for does not change';
CREATE TRIGGER adjustment_keep BEFORE DELETE ON elecbill.adjustment
	FOR EACH ROW EXECUTE FUNCTION elecbill._append_only();
COMMENT ON TRIGGER adjustment_keep ON elecbill.adjustment IS 'no DELETE';
CREATE TRIGGER adjustment_keep_all BEFORE TRUNCATE ON elecbill.adjustment
	FOR EACH STATEMENT EXECUTE FUNCTION elecbill._append_only();
COMMENT ON TRIGGER adjustment_keep_all ON elecbill.adjustment IS 'no TRUNCATE';

CREATE FUNCTION elecbill._adjust_check(p_kind text, p_amount numeric, p_tax numeric, p_reason text, p_evidence text, p_key text)
RETURNS void
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF p_kind IN ('meter_error', 'wiring', 'ct', 'other', 'goodwill', 'price') IS NOT TRUE THEN
		RAISE EXCEPTION USING
			ERRCODE = 'UB400',
			MESSAGE = format('%s is no kind of adjustment', quote_nullable(p_kind)),
			HINT = 'meter_error, wiring, ct, other, price or goodwill.';
	ELSIF p_reason ~ '\S' IS NOT TRUE OR p_key ~ '^\S{1,128}$' IS NOT TRUE THEN
		RAISE EXCEPTION USING ERRCODE = 'UB400', MESSAGE = 'an adjustment has a reason, and a key of 1 to 128 characters without blanks';
	ELSIF p_kind IN ('meter_error', 'wiring', 'ct') AND p_evidence ~ '\S' IS NOT TRUE THEN
		RAISE EXCEPTION USING ERRCODE = 'UB400', MESSAGE = format('an adjustment of kind %s rests on evidence', p_kind),
			HINT = 'Such as the number of the test certificate.';
	ELSIF p_amount <> 0 IS NOT TRUE OR abs(p_amount) >= 1e12 OR p_amount <> round(p_amount, 2) OR p_tax <> round(p_tax, 2)
		OR p_tax BETWEEN least(p_amount, 0) AND greatest(p_amount, 0) IS NOT TRUE
	THEN
		RAISE EXCEPTION USING
			ERRCODE = 'UB422',
			MESSAGE = 'an adjustment has an amount other than 0 and the tax in it, with two decimals at most',
			DETAIL = format('Given %s with tax %s.', coalesce(p_amount::text, 'NULL'), coalesce(p_tax::text, 'NULL'));
	END IF;
END $$;
COMMENT ON FUNCTION elecbill._adjust_check(text, numeric, numeric, text, text, text) IS 'UB400 kind, reason, evidence or key, UB422 amount or tax of an adjustment';

CREATE FUNCTION elecbill._adjust(p_account text, p_kind text, p_amount numeric, p_reason text, p_key text, p_bill text,
	p_evidence text, p_tax numeric, p_at_once boolean) RETURNS text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	a elecbill.customer_account;
	b elecbill.bill;
	j elecbill.adjustment;
	content bytea;
BEGIN
	SELECT * INTO a FROM elecbill.customer_account x WHERE x.id = elecbill._account_get(p_account) FOR NO KEY UPDATE;
	PERFORM elecbill._adjust_check(p_kind, p_amount, p_tax, p_reason, p_evidence, p_key);
	IF p_bill IS NOT NULL THEN
		b := elecbill._bill_get(p_bill);
	END IF;
	content := sha256(convert_to(jsonb_build_array('adjust', a.id, b.id, p_kind, p_amount::numeric(14,2), p_tax::numeric(14,2), p_reason,
		p_evidence, coalesce(p_at_once, false))::text, 'UTF8'));
	SELECT * INTO j FROM elecbill.adjustment x WHERE x.org_id = a.org_id AND x.idem_key = p_key;
	IF FOUND THEN
		PERFORM elecbill._key_check(j.content_sha256, content, p_key);
		RETURN j.number;
	ELSIF b.account_id <> a.id OR b.id IS NOT NULL AND (b.number IS NULL OR NOT b.live) THEN
		RAISE EXCEPTION USING ERRCODE = 'UB412', MESSAGE = format('bill %s is no issued bill of account %s', p_bill, a.account_no);
	END IF;
	INSERT INTO elecbill.adjustment (org_id, account_id, corrected_id, kind, amount, tax_amount, reason, evidence, at_once, idem_key,
		content_sha256)
	VALUES (a.org_id, a.id, b.id, p_kind, p_amount, p_tax, p_reason, nullif(btrim(p_evidence), ''), coalesce(p_at_once, false), p_key,
		content)
	ON CONFLICT ON CONSTRAINT adjustment_idem_key DO NOTHING RETURNING * INTO j;
	IF NOT FOUND THEN
		-- the key came for another account at the same time
		SELECT * INTO j FROM elecbill.adjustment x WHERE x.org_id = a.org_id AND x.idem_key = p_key;
		PERFORM elecbill._key_check(j.content_sha256, content, p_key);
		RETURN j.number;
	END IF;
	PERFORM elecbill._audit(a.org_id, 'adjust', a.account_no, NULL, jsonb_build_object('kind', p_kind, 'amount', p_amount,
		'reason', p_reason, 'bill', b.number));
	UPDATE elecbill.adjustment SET number = elecbill._number_text(a.org_id, 'adjustment', 'A') WHERE id = j.id RETURNING * INTO j;
	RETURN j.number;
END $$;
COMMENT ON FUNCTION elecbill._adjust(text, text, numeric, text, text, text, text, numeric, boolean) IS 'what adjust() does';

CREATE FUNCTION elecbill.adjust(account text, kind text, amount numeric, reason text, key text, bill text DEFAULT NULL,
	evidence text DEFAULT NULL, tax numeric DEFAULT 0, at_once boolean DEFAULT false) RETURNS text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN elecbill._adjust(account, kind, amount, reason, key, bill, evidence, tax, at_once);
EXCEPTION WHEN OTHERS THEN
	PERFORM elecbill._refused(elecbill._org_part(account), 'adjust', account, SQLSTATE, SQLERRM);
	RAISE;
END $$;
COMMENT ON FUNCTION elecbill.adjust(text, text, numeric, text, text, text, text, numeric, boolean) IS
'asks that an account is charged an amount more (below 0: less), tax in it included: kind meter_error, wiring, ct (these with evidence), other, price or goodwill, for a reason, about a bill (NULL: none in particular). adjust_approve() by another person books it, as a line of the next bill, or at_once as a bill of its own. Returns its number; the same key asks once. adjust_propose() works out amounts. UB400, UB404, UB409 the key is that of another adjustment, UB412 no issued bill of the account, UB422 not an amount';

CREATE FUNCTION elecbill._adjust_lock(p_adjustment text) RETURNS elecbill.adjustment
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	j elecbill.adjustment;
	ids bigint[];
BEGIN
	SELECT array_agg(x.id) INTO ids FROM elecbill.org o JOIN elecbill.adjustment x ON x.org_id = o.id AND x.number IN
		(p_adjustment, CASE WHEN starts_with(p_adjustment, o.code || '/') THEN substr(p_adjustment, length(o.code) + 2) END)
	WHERE elecbill._org_open(o.id);
	IF cardinality(ids) = 1 IS NOT TRUE THEN
		RAISE EXCEPTION USING
			ERRCODE = CASE WHEN ids IS NULL THEN 'UB404' ELSE 'UB409' END,
			MESSAGE = CASE WHEN ids IS NOT NULL THEN format('adjustment %s is not unique', quote_literal(p_adjustment))
				ELSE format('there is no adjustment %s', quote_nullable(p_adjustment)) END,
			HINT = 'Give its number, such as A2026-000001, with ORG/ before it where orgs share it.';
	END IF;
	PERFORM FROM elecbill.customer_account a
	WHERE a.id = (SELECT x.account_id FROM elecbill.adjustment x WHERE x.id = ids[1]) FOR NO KEY UPDATE;
	SELECT * INTO j FROM elecbill.adjustment x WHERE x.id = ids[1] FOR NO KEY UPDATE;
	RETURN j;
END $$;
COMMENT ON FUNCTION elecbill._adjust_lock(text) IS 'an adjustment by its number, its account and itself locked; UB404, UB409';

CREATE FUNCTION elecbill._adjust_bill(p_adjustment elecbill.adjustment) RETURNS text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	a elecbill.customer_account;
	today date := elecbill._today(p_adjustment.org_id);
	made bigint;
BEGIN
	SELECT * INTO a FROM elecbill.customer_account x WHERE x.id = p_adjustment.account_id;
	INSERT INTO elecbill.bill (org_id, account_id, kind, service, amount, tax_amount, snapshot)
	VALUES (a.org_id, a.id, CASE WHEN p_adjustment.amount < 0 THEN 'credit' ELSE 'correction' END,
		coalesce((SELECT b.service FROM elecbill.bill b WHERE b.id = p_adjustment.corrected_id), daterange(today, today + 1)),
		p_adjustment.amount, p_adjustment.tax_amount, jsonb_build_object('known_at', to_char(elecbill.now() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), 'parts', '[]'::jsonb))
	RETURNING id INTO made;
	INSERT INTO elecbill.bill_line (org_id, bill_id, n, kind, component, grp, label, quantity, unit, amount_raw, amount, quality)
	SELECT l.org_id, made, l.n, l.kind, l.component, l.grp, l.label, l.quantity, l.unit, l.amount_raw, l.amount, l.quality
	FROM unnest(elecbill._adjust_lines(p_adjustment, 0)) AS l;
	UPDATE elecbill.adjustment SET bill_id = made, line_n = 1 WHERE id = p_adjustment.id;
	PERFORM elecbill._bills_issue(a.org_id, a.billing_cycle_id, ARRAY[made]);
	RETURN (SELECT b.number FROM elecbill.bill b WHERE b.id = made);
END $$;
COMMENT ON FUNCTION elecbill._adjust_bill(elecbill.adjustment) IS
'books an adjustment, whose account is locked, as a bill of its own, issued at once: of kind correction, or credit, which becomes advance credit and pays what is open. Returns its number';

CREATE FUNCTION elecbill._adjust_decide(p_adjustment text, p_state text) RETURNS text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	j elecbill.adjustment := elecbill._adjust_lock(p_adjustment);
	number text;
BEGIN
	IF j.state = p_state AND j.decided_by = elecbill.current_login() THEN
		RETURN (SELECT b.number FROM elecbill.bill b WHERE b.id = j.bill_id);	/* the same call once more */
	ELSIF j.state <> 'requested' AND NOT (p_state = 'rejected' AND j.state = 'approved' AND j.bill_id IS NULL) THEN
		RAISE EXCEPTION USING ERRCODE = 'UB412', MESSAGE = format('adjustment %s is %s already', j.number, j.state);
	ELSIF p_state = 'approved' AND j.requested_by = elecbill.current_login() THEN
		RAISE EXCEPTION USING
			ERRCODE = 'UB403',
			MESSAGE = 'an adjustment is approved by another person than asked for it',
			DETAIL = format('%s asked for it.', quote_literal(j.requested_by));
	ELSIF p_state = 'approved' AND EXISTS (SELECT FROM elecbill.bill b WHERE b.id = j.corrected_id AND NOT b.live) THEN
		RAISE EXCEPTION USING ERRCODE = 'UB412', MESSAGE = format('the bill that adjustment %s is about is cancelled', j.number),
			HINT = 'adjust_reject() it; the bill that replaced it may be right already.';
	END IF;
	UPDATE elecbill.adjustment SET state = p_state, decided_by = elecbill.current_login(), decided_at = elecbill.now()
	WHERE id = j.id;
	PERFORM elecbill._audit(j.org_id, 'adjust_' || p_state, j.number, jsonb_build_object('state', j.state),
		jsonb_build_object('amount', j.amount));
	IF p_state = 'approved' AND j.at_once THEN
		number := elecbill._adjust_bill(j);
	END IF;
	RETURN number;
END $$;
COMMENT ON FUNCTION elecbill._adjust_decide(text, text) IS 'what adjust_approve() and adjust_reject() do';

CREATE FUNCTION elecbill.adjust_approve(adjustment text) RETURNS text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN elecbill._adjust_decide(adjustment, 'approved');
EXCEPTION WHEN OTHERS THEN
	PERFORM elecbill._refused(elecbill._org_part(adjustment), 'adjust_approve', adjustment, SQLSTATE, SQLERRM);
	RAISE;
END $$;
COMMENT ON FUNCTION elecbill.adjust_approve(text) IS
'approves the adjustment (its number) that another person asked for: a line of the next bill, or, asked for at_once, a bill of kind credit or correction now, whose number is returned. Called again by the same person: the same answer. UB403 the same person, UB404, UB412 it is decided, or its bill is cancelled';

CREATE FUNCTION elecbill.adjust_reject(adjustment text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	PERFORM elecbill._adjust_decide(adjustment, 'rejected');
EXCEPTION WHEN OTHERS THEN
	PERFORM elecbill._refused(elecbill._org_part(adjustment), 'adjust_reject', adjustment, SQLSTATE, SQLERRM);
	RAISE;
END $$;
COMMENT ON FUNCTION elecbill.adjust_reject(text) IS
'rejects, or takes back, an adjustment that is not booked; what is booked goes with its bill. UB404, UB412 it is decided, or booked';
