-- 91_payment_plan.sql: arrears paid in instalments; while a plan is kept its bills are not dunned
-- Locks: customer_account, bill, ledger (90_late_fee.sql).

CREATE TABLE elecbill.payment_plan (
	id			bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT payment_plan_pkey PRIMARY KEY,
	org_id		integer NOT NULL,
	account_id	bigint NOT NULL,
	bill_ids	bigint[] NOT NULL CONSTRAINT payment_plan_bill_ids_check CHECK (cardinality(bill_ids) > 0),
	amount		numeric(14,2) NOT NULL CONSTRAINT payment_plan_amount_check CHECK (amount > 0),
	since_id	bigint NOT NULL,
	status		text NOT NULL DEFAULT 'active' CONSTRAINT payment_plan_status_check
				CHECK (status IN ('active', 'kept', 'broken', 'cancelled')),
	created_by	text NOT NULL DEFAULT elecbill.current_login(),
	created_at	timestamptz NOT NULL DEFAULT elecbill.now(),
	ended_on	date,
	CONSTRAINT payment_plan_org_id_key UNIQUE (org_id, id),
	CONSTRAINT payment_plan_account_fkey FOREIGN KEY (org_id, account_id) REFERENCES elecbill.customer_account (org_id, id),
	CONSTRAINT payment_plan_ended_check CHECK ((status = 'active') = (ended_on IS NULL))
);
CREATE UNIQUE INDEX payment_plan_active_key ON elecbill.payment_plan (account_id) WHERE status = 'active';
CREATE INDEX payment_plan_account_idx ON elecbill.payment_plan (org_id, account_id);
COMMENT ON TABLE elecbill.payment_plan IS 'what was agreed with an account about bills it could not pay';
COMMENT ON COLUMN elecbill.payment_plan.id IS 'number of the plan';
COMMENT ON COLUMN elecbill.payment_plan.org_id IS 'owner';
COMMENT ON COLUMN elecbill.payment_plan.account_id IS 'who pays; one active plan each';
COMMENT ON COLUMN elecbill.payment_plan.bill_ids IS 'the bills it is about';
COMMENT ON COLUMN elecbill.payment_plan.amount IS 'what was open of them and of the late fees on them, in the currency of the org';
COMMENT ON COLUMN elecbill.payment_plan.since_id IS 'what was paid by transfers behind this one counts for the plan';
COMMENT ON COLUMN elecbill.payment_plan.status IS 'active; kept: paid to its end; broken: less than due was paid; cancelled';
COMMENT ON COLUMN elecbill.payment_plan.created_by IS 'login of who agreed to it';
COMMENT ON COLUMN elecbill.payment_plan.created_at IS 'when';
COMMENT ON COLUMN elecbill.payment_plan.ended_on IS 'local day on which it was kept, broken or cancelled';
COMMENT ON INDEX elecbill.payment_plan_active_key IS 'one active plan of an account';
COMMENT ON INDEX elecbill.payment_plan_account_idx IS 'plans of an account';

CREATE TABLE elecbill.payment_plan_part (
	plan_id		bigint NOT NULL,
	due_on		date NOT NULL CONSTRAINT payment_plan_part_due_on_check CHECK (isfinite(due_on)),
	org_id		integer NOT NULL,
	amount		numeric(14,2) NOT NULL CONSTRAINT payment_plan_part_amount_check CHECK (amount > 0),
	CONSTRAINT payment_plan_part_pkey PRIMARY KEY (plan_id, due_on),
	CONSTRAINT payment_plan_part_plan_fkey FOREIGN KEY (org_id, plan_id) REFERENCES elecbill.payment_plan (org_id, id)
);
COMMENT ON TABLE elecbill.payment_plan_part IS 'instalments';
COMMENT ON COLUMN elecbill.payment_plan_part.plan_id IS 'the plan';
COMMENT ON COLUMN elecbill.payment_plan_part.due_on IS 'last local day to pay it';
COMMENT ON COLUMN elecbill.payment_plan_part.org_id IS 'owner';
COMMENT ON COLUMN elecbill.payment_plan_part.amount IS 'how much, in the currency of the org';

CREATE FUNCTION elecbill._payment_plan_add(p_account text, p_days date[], p_amounts numeric[], p_bills text[]) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	a elecbill.customer_account := elecbill._account_lock(p_account);
	bills bigint[] := elecbill._order_bills(a, p_bills);
	owed record;
	made bigint;
BEGIN
	IF cardinality(p_days) BETWEEN 1 AND 60 IS NOT TRUE OR cardinality(p_days) IS DISTINCT FROM cardinality(p_amounts)
		OR EXISTS (SELECT FROM unnest(p_days, p_amounts) WITH ORDINALITY AS x(day, amount, n)
			WHERE isfinite(x.day) IS NOT TRUE OR x.amount > 0 IS NOT TRUE OR x.amount <> round(x.amount, 2)
				OR x.day < CASE x.n WHEN 1 THEN elecbill._today(a.org_id) ELSE p_days[x.n - 1] + 1 END)
	THEN
		RAISE EXCEPTION USING ERRCODE = 'UB400',
			MESSAGE = 'a payment plan has 1 to 60 days, today or later and rising, and an amount above 0 for each';
	END IF;
	PERFORM elecbill._late_fee_account(a.org_id, a.id, elecbill._today(a.org_id));
	-- as named; else all that are overdue
	SELECT array_agg(b.id ORDER BY b.due_on, b.id) AS bills, sum(greatest(b.amount - b.paid, 0) + b.late_fee) AS amount INTO owed
	FROM elecbill.bill b
	WHERE b.account_id = a.id AND (b.status IN ('issued', 'partly_paid', 'overdue') OR b.status = 'paid' AND b.late_fee > 0)
		AND b.amount + b.late_fee > b.paid
		AND CASE WHEN p_bills IS NULL THEN b.due_on < elecbill._today(a.org_id) ELSE b.id = ANY (bills) END;
	IF a.mode = 'prepaid' THEN
		RAISE EXCEPTION USING ERRCODE = 'UB412', MESSAGE = format('account %s is prepaid', quote_literal(a.account_no)),
			HINT = 'account_mode_set() lets it pay afterwards.';
	ELSIF owed.amount IS NULL THEN
		RAISE EXCEPTION USING ERRCODE = 'UB412', MESSAGE = format('account %s has nothing overdue', quote_literal(a.account_no));
	ELSIF (SELECT sum(x) FROM unnest(p_amounts) AS x) <> owed.amount THEN
		RAISE EXCEPTION USING
			ERRCODE = 'UB422',
			MESSAGE = 'the instalments do not add up to what is open',
			DETAIL = format('Open are %s, the instalments come to %s.', owed.amount, (SELECT sum(x) FROM unnest(p_amounts) AS x));
	ELSIF EXISTS (SELECT FROM elecbill.payment_plan p WHERE p.account_id = a.id AND p.status = 'active') THEN
		RAISE EXCEPTION USING ERRCODE = 'UB412', MESSAGE = format('account %s has a payment plan', quote_literal(a.account_no)),
			HINT = 'payment_plan_cancel() ends it.';
	END IF;
	INSERT INTO elecbill.payment_plan (org_id, account_id, bill_ids, amount, since_id)
	SELECT a.org_id, a.id, owed.bills, owed.amount, coalesce(max(t.id), 0) FROM elecbill.ledger_transfer t WHERE t.bill_id = ANY (owed.bills)
	RETURNING id INTO made;
	INSERT INTO elecbill.payment_plan_part (plan_id, due_on, org_id, amount)
	SELECT made, x.day, a.org_id, x.amount FROM unnest(p_days, p_amounts) AS x(day, amount);
	PERFORM elecbill._audit(a.org_id, 'payment_plan_add', a.account_no, NULL,
		jsonb_build_object('plan', made, 'amount', owed.amount, 'days', p_days, 'amounts', p_amounts));
	RETURN made;
END $$;
COMMENT ON FUNCTION elecbill._payment_plan_add(text, date[], numeric[], text[]) IS 'what payment_plan_add() does';

CREATE FUNCTION elecbill.payment_plan_add(account text, days date[], amounts numeric[], bills text[] DEFAULT NULL) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN elecbill._payment_plan_add(account, days, amounts, bills);
EXCEPTION WHEN OTHERS THEN
	PERFORM elecbill._refused(elecbill._org_part(account), 'payment_plan_add', account, SQLSTATE, SQLERRM);
	RAISE;
END $$;
COMMENT ON FUNCTION elecbill.payment_plan_add(text, date[], numeric[], text[]) IS
'lets an account (number, or ORG/NUMBER) pay bills (as named, NULL: all overdue ones) in instalments: local days, and how much by each; together what is open, late fees of today included. While it is kept these bills are not dunned and supply is on; late fees go on. Returns the number of the plan. UB400, UB404, UB412 it is prepaid, nothing is overdue, or there is a plan, UB422 the instalments do not add up';

CREATE FUNCTION elecbill.payment_plan_cancel(account text, reason text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	a elecbill.customer_account;
	ended bigint;
BEGIN
	a := elecbill._account_lock(account);
	IF reason ~ '\S' IS NOT TRUE THEN
		RAISE EXCEPTION 'a payment plan is cancelled for a reason' USING ERRCODE = 'UB400';
	END IF;
	UPDATE elecbill.payment_plan p SET status = 'cancelled', ended_on = elecbill._today(a.org_id)
	WHERE p.account_id = a.id AND p.status = 'active' RETURNING p.id INTO ended;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'account % has no payment plan', quote_literal(a.account_no) USING ERRCODE = 'UB412';
	END IF;
	PERFORM elecbill._audit(a.org_id, 'payment_plan_cancel', a.account_no, to_jsonb(ended), jsonb_build_object('reason', reason));
EXCEPTION WHEN OTHERS THEN
	PERFORM elecbill._refused(elecbill._org_part(account), 'payment_plan_cancel', account, SQLSTATE, SQLERRM);
	RAISE;
END $$;
COMMENT ON FUNCTION elecbill.payment_plan_cancel(text, text) IS 'ends the payment plan of an account; its bills are dunned again. UB400, UB404, UB412 there is none';

CREATE FUNCTION elecbill._plan_paid(p_plan elecbill.payment_plan, p_before date DEFAULT 'infinity') RETURNS numeric
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN (
		SELECT coalesce(sum(CASE split_part(d.code, ':', 1) WHEN 'receivable' THEN -t.amount ELSE t.amount END), 0)
		FROM elecbill.ledger_transfer t
		JOIN elecbill.bill b ON b.id = t.bill_id AND b.live
		JOIN elecbill.ledger_account d ON d.id = t.debit_id
		LEFT JOIN elecbill.ledger_transfer o ON o.id = t.reverses_id
		WHERE t.bill_id = ANY (p_plan.bill_ids) AND t.id > p_plan.since_id AND t.stage IN ('single', 'post') AND t.effective_on < p_before
			AND regexp_replace(coalesce(o.kind, t.kind), '_fee$', '') IN ('payment', 'match', 'apply', 'unapply', 'refund', 'write_off'))
		+ (
		-- of a bill that was taken back, all that was open of it when the plan was agreed
		SELECT coalesce(sum(CASE split_part(d.code, ':', 1) WHEN 'receivable' THEN t.amount ELSE -t.amount END), 0)
		FROM elecbill.ledger_transfer t
		JOIN elecbill.bill b ON b.id = t.bill_id AND NOT b.live
		JOIN elecbill.ledger_account d ON d.id = t.debit_id
		JOIN elecbill.ledger_account c ON c.id = t.credit_id
		WHERE t.bill_id = ANY (p_plan.bill_ids) AND t.id <= p_plan.since_id AND t.stage IN ('single', 'post')
			AND 'receivable' IN (split_part(d.code, ':', 1), split_part(c.code, ':', 1)));
END $$;
COMMENT ON FUNCTION elecbill._plan_paid(elecbill.payment_plan, date) IS
'what was paid of the bills of a plan since it was agreed (before a local day), late fees included, or need not be paid any more: written off, or open of bills that were taken back';

CREATE FUNCTION elecbill._plan_again(p_account bigint) RETURNS elecbill.payment_plan
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	p elecbill.payment_plan;
	due numeric;
BEGIN
	SELECT * INTO p FROM elecbill.payment_plan x WHERE x.account_id = p_account ORDER BY x.id DESC LIMIT 1;
	IF p.status = 'broken' AND EXISTS (SELECT FROM elecbill.customer_account a WHERE a.id = p_account AND a.mode = 'postpaid') THEN
		SELECT coalesce(sum(x.amount), 0) INTO due FROM elecbill.payment_plan_part x WHERE x.plan_id = p.id AND x.due_on < p.ended_on;
		-- what was taken back since is not paid either
		IF least(elecbill._plan_paid(p, p.ended_on), elecbill._plan_paid(p)) >= due THEN
			PERFORM elecbill._audit(p.org_id, 'payment_plan_again', (SELECT a.account_no FROM elecbill.customer_account a WHERE a.id = p_account),
				NULL, jsonb_build_object('plan', p.id, 'ended_on', p.ended_on));
			UPDATE elecbill.payment_plan x SET status = 'active', ended_on = NULL WHERE x.id = p.id RETURNING * INTO p;
			RETURN p;
		END IF;
	END IF;
	RETURN NULL;
END $$;
COMMENT ON FUNCTION elecbill._plan_again(bigint) IS
'the last plan of an account, which is locked, when it was broken and should not have been: a payment made in time was heard of since, or the bill was taken back; NULL: there is none';

CREATE FUNCTION elecbill._plan_judge(p_account bigint, p_day date) RETURNS elecbill.payment_plan
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	p elecbill.payment_plan;
	paid numeric;
	due numeric;
	owing boolean;
	kept boolean;
BEGIN
	SELECT * INTO p FROM elecbill.payment_plan x WHERE x.account_id = p_account AND x.status = 'active';
	IF NOT FOUND THEN
		p := elecbill._plan_again(p_account);
	END IF;
	IF p.id IS NULL THEN
		RETURN NULL;
	END IF;
	paid := elecbill._plan_paid(p);
	SELECT coalesce(sum(x.amount), 0) INTO due FROM elecbill.payment_plan_part x WHERE x.plan_id = p.id AND x.due_on < p_day;
	SELECT bool_or(b.status IN ('issued', 'partly_paid', 'overdue') OR b.status = 'paid' AND b.late_fee > 0), bool_or(b.status = 'paid')
	INTO owing, kept FROM elecbill.bill b WHERE b.id = ANY (p.bill_ids);
	IF owing AND paid >= due AND paid < p.amount THEN
		RETURN p;
	END IF;
	-- of bills that were taken back or written off nothing is due any more; a late fee may have become less
	UPDATE elecbill.payment_plan x SET ended_on = p_day, status = CASE WHEN owing AND paid < p.amount THEN 'broken'
		WHEN owing OR kept THEN 'kept' ELSE 'cancelled' END
	WHERE x.id = p.id RETURNING * INTO p;
	PERFORM elecbill._audit(p.org_id, 'payment_plan_' || p.status, (SELECT a.account_no FROM elecbill.customer_account a WHERE a.id = p_account),
		NULL, jsonb_build_object('plan', p.id, 'paid', paid, 'due', due));
	RETURN NULL;
END $$;
COMMENT ON FUNCTION elecbill._plan_judge(bigint, date) IS
'the active plan of an account, which is locked, as it stands when a local day begins; NULL: there is none, or it is kept to its end, broken, or without an open bill now';

CREATE VIEW elecbill.payment_plan_status WITH (security_invoker = true) AS
SELECT o.code AS org, p.id AS plan, a.account_no, p.status, p.amount, s.parts, s.last_on, n.due_on AS next_due_on, n.amount AS next_amount,
	p.created_by, p.created_at, p.ended_on
FROM elecbill.payment_plan p
JOIN elecbill.org o ON o.id = p.org_id
JOIN elecbill.customer_account a ON a.id = p.account_id
CROSS JOIN LATERAL (SELECT count(*) AS parts, max(x.due_on) AS last_on FROM elecbill.payment_plan_part x WHERE x.plan_id = p.id) AS s
LEFT JOIN LATERAL (SELECT x.due_on, x.amount FROM elecbill.payment_plan_part x
	WHERE x.plan_id = p.id AND p.status = 'active' AND x.due_on >= (elecbill.now() AT TIME ZONE o.zone)::date
	ORDER BY x.due_on LIMIT 1) AS n ON true;
COMMENT ON VIEW elecbill.payment_plan_status IS 'payment plans, those that ended included';
COMMENT ON COLUMN elecbill.payment_plan_status.org IS 'code of the org';
COMMENT ON COLUMN elecbill.payment_plan_status.plan IS 'number of the plan';
COMMENT ON COLUMN elecbill.payment_plan_status.account_no IS 'account number';
COMMENT ON COLUMN elecbill.payment_plan_status.status IS 'active, kept, broken or cancelled; label() has the words';
COMMENT ON COLUMN elecbill.payment_plan_status.amount IS 'what it is about, in the currency of the org';
COMMENT ON COLUMN elecbill.payment_plan_status.parts IS 'how many instalments';
COMMENT ON COLUMN elecbill.payment_plan_status.last_on IS 'local day of the last one';
COMMENT ON COLUMN elecbill.payment_plan_status.next_due_on IS 'local day of the next one';
COMMENT ON COLUMN elecbill.payment_plan_status.next_amount IS 'its amount';
COMMENT ON COLUMN elecbill.payment_plan_status.created_by IS 'login of who agreed to it';
COMMENT ON COLUMN elecbill.payment_plan_status.created_at IS 'when';
COMMENT ON COLUMN elecbill.payment_plan_status.ended_on IS 'local day on which it ended';
