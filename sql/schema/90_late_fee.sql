-- 90_late_fee.sql: late fees (违约金) on bills that are not paid in time, and the state overdue
-- The fee of a day is what was open of the bill when the day began, times the rate of the day: a payment
-- on a day counts from the next one. All of it is worked out anew each time and the difference to what
-- was posted is posted, so that it does not matter how often, or in how many sessions, this is done.
-- Locks: customer_account by id, bill, ledger (71_posting.sql).

CREATE TABLE elecbill.late_fee_policy (
	id			bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT late_fee_policy_pkey PRIMARY KEY,
	org_id		integer NOT NULL CONSTRAINT late_fee_policy_org_fkey REFERENCES elecbill.org,
	kind		text NOT NULL CONSTRAINT late_fee_policy_kind_check CHECK (kind IN ('person', 'company')),
	valid		daterange NOT NULL CONSTRAINT late_fee_policy_valid_check CHECK (NOT isempty(valid) AND NOT lower_inf(valid)),
	rate_same_year numeric(9,6) NOT NULL CONSTRAINT late_fee_policy_same_check CHECK (rate_same_year BETWEEN 0 AND 0.1),
	rate_later_year numeric(9,6) NOT NULL CONSTRAINT late_fee_policy_later_check CHECK (rate_later_year BETWEEN 0 AND 0.1),
	minimum		numeric(14,2) NOT NULL CONSTRAINT late_fee_policy_minimum_check CHECK (minimum >= 0),
	cap			numeric(9,6) CONSTRAINT late_fee_policy_cap_check CHECK (cap > 0),
	grace_days	smallint NOT NULL CONSTRAINT late_fee_policy_grace_days_check CHECK (grace_days BETWEEN 0 AND 365),
	status		text NOT NULL DEFAULT 'draft' CONSTRAINT late_fee_policy_status_check
				CHECK (status IN ('draft', 'approved', 'retired')),
	created_by	text NOT NULL DEFAULT elecbill.current_login(),
	created_at	timestamptz NOT NULL DEFAULT elecbill.now(),
	approved_by	text,
	approved_at	timestamptz,
	CONSTRAINT late_fee_policy_org_id_key UNIQUE (org_id, id),
	CONSTRAINT late_fee_policy_second_check CHECK (approved_by <> created_by),
	CONSTRAINT late_fee_policy_approved_check CHECK ((status = 'draft') = (approved_by IS NULL)
		AND (approved_by IS NULL) = (approved_at IS NULL)),
	CONSTRAINT late_fee_policy_overlap EXCLUDE USING gist (int4range(org_id, org_id, '[]') WITH &&,
		(CASE kind WHEN 'person' THEN int4range(0, 1) ELSE int4range(1, 2) END) WITH &&, valid WITH &&) WHERE (status = 'approved')
);
COMMENT ON TABLE elecbill.late_fee_policy IS 'what late payment costs; an org without an approved row charges nothing for it. A second person approves';
COMMENT ON COLUMN elecbill.late_fee_policy.id IS 'number of the policy';
COMMENT ON COLUMN elecbill.late_fee_policy.org_id IS 'owner';
COMMENT ON COLUMN elecbill.late_fee_policy.kind IS 'customer.kind it is for: person or company';
COMMENT ON COLUMN elecbill.late_fee_policy.valid IS 'local days [from, to): for bills due on one of them, for as long as they are open';
COMMENT ON COLUMN elecbill.late_fee_policy.rate_same_year IS 'share of the open amount per day in the year of the due date: 0.001 = 1 per mille';
COMMENT ON COLUMN elecbill.late_fee_policy.rate_later_year IS 'the same per day behind the end of that year';
COMMENT ON COLUMN elecbill.late_fee_policy.minimum IS 'the least that is charged on a bill once anything is, in the currency of the org';
COMMENT ON COLUMN elecbill.late_fee_policy.cap IS 'the most that is charged on a bill, as a multiple of its amount; NULL: no limit';
COMMENT ON COLUMN elecbill.late_fee_policy.grace_days IS 'days behind the due date that cost nothing';
COMMENT ON COLUMN elecbill.late_fee_policy.status IS 'draft; approved; retired: another one took its place before it counted';
COMMENT ON COLUMN elecbill.late_fee_policy.created_by IS 'login of who wrote it';
COMMENT ON COLUMN elecbill.late_fee_policy.created_at IS 'when';
COMMENT ON COLUMN elecbill.late_fee_policy.approved_by IS 'login of who approved it, another person';
COMMENT ON COLUMN elecbill.late_fee_policy.approved_at IS 'when';

CREATE TABLE elecbill.late_fee_accrual (
	bill_id		bigint NOT NULL CONSTRAINT late_fee_accrual_pkey PRIMARY KEY,
	org_id		integer NOT NULL,
	policy_id	bigint,
	as_of		date NOT NULL,
	raw			numeric(29,15) NOT NULL DEFAULT 0 CONSTRAINT late_fee_accrual_raw_check CHECK (raw >= 0),
	posted		numeric(14,2) NOT NULL DEFAULT 0 CONSTRAINT late_fee_accrual_posted_check CHECK (posted >= 0),
	posts		integer NOT NULL DEFAULT 0,
	state		text NOT NULL DEFAULT 'touched' CONSTRAINT late_fee_accrual_state_check
				CHECK (state IN ('touched', 'running', 'final')),
	CONSTRAINT late_fee_accrual_bill_fkey FOREIGN KEY (org_id, bill_id) REFERENCES elecbill.bill (org_id, id),
	CONSTRAINT late_fee_accrual_policy_fkey FOREIGN KEY (org_id, policy_id) REFERENCES elecbill.late_fee_policy (org_id, id),
	CONSTRAINT late_fee_accrual_policy_check CHECK (policy_id IS NOT NULL OR state = 'touched')
) WITH (fillfactor = 70);
CREATE INDEX late_fee_accrual_touched_idx ON elecbill.late_fee_accrual (org_id) WHERE state = 'touched';
CREATE INDEX late_fee_accrual_policy_idx ON elecbill.late_fee_accrual (org_id, policy_id);
COMMENT ON TABLE elecbill.late_fee_accrual IS 'how far the late fee of a bill is worked out, and what of it is posted; the transfers of kind late_fee say when';
COMMENT ON COLUMN elecbill.late_fee_accrual.bill_id IS 'the bill';
COMMENT ON COLUMN elecbill.late_fee_accrual.org_id IS 'owner';
COMMENT ON COLUMN elecbill.late_fee_accrual.policy_id IS 'policy of its due date, kept from the first time on';
COMMENT ON COLUMN elecbill.late_fee_accrual.as_of IS 'the last local day that is counted';
COMMENT ON COLUMN elecbill.late_fee_accrual.raw IS 'sum over the days, exact, in the currency of the org';
COMMENT ON COLUMN elecbill.late_fee_accrual.posted IS 'what was charged: raw rounded half up, at least the minimum, at most the cap';
COMMENT ON COLUMN elecbill.late_fee_accrual.posts IS 'how often something was posted; makes the key of the next transfer';
COMMENT ON COLUMN elecbill.late_fee_accrual.state IS 'touched: something was paid or taken back since; running: open, grows each day; final: paid, all days counted';
COMMENT ON INDEX elecbill.late_fee_accrual_touched_idx IS 'what the next run looks at also when nothing is open any more';
COMMENT ON INDEX elecbill.late_fee_accrual_policy_idx IS 'what was charged by a policy';

-- ---------------------------------------------------------------- policies

CREATE FUNCTION elecbill._late_fee_policy_draft(p_org text, p_policy elecbill.late_fee_policy) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	p elecbill.late_fee_policy := p_policy;
	owner integer := elecbill._org_get(p_org);
	made bigint;
BEGIN
	IF p.kind IN ('person', 'company') IS NOT TRUE OR elecbill._both_ends(daterange(lower(p.valid), lower(p.valid), '[]')) IS NOT TRUE
		OR p.rate_same_year BETWEEN 0 AND 0.1 IS NOT TRUE OR p.rate_later_year BETWEEN 0 AND 0.1 IS NOT TRUE
		OR p.minimum BETWEEN 0 AND 999999 IS NOT TRUE OR p.cap NOT BETWEEN 0.000001 AND 999 OR p.grace_days BETWEEN 0 AND 365 IS NOT TRUE
	THEN
		RAISE EXCEPTION USING
			ERRCODE = 'UB400',
			MESSAGE = 'a late fee needs person or company, a day, rates of 0 to 0.1 per day, a minimum, and 0 to 365 days of grace',
			HINT = 'One per mille is 0.001; a cap is a multiple of the bill, such as 1.';
	END IF;
	INSERT INTO elecbill.late_fee_policy (org_id, kind, valid, rate_same_year, rate_later_year, minimum, cap, grace_days)
	VALUES (owner, p.kind, p.valid, p.rate_same_year, p.rate_later_year, p.minimum, p.cap, p.grace_days)
	RETURNING id INTO made;
	PERFORM elecbill._audit(owner, 'late_fee_policy_draft', made::text, NULL, to_jsonb(p) - '{id,org_id,status}'::text[]);
	RETURN made;
END $$;
COMMENT ON FUNCTION elecbill._late_fee_policy_draft(text, elecbill.late_fee_policy) IS 'what late_fee_policy_draft() does';

CREATE FUNCTION elecbill.late_fee_policy_draft(org text, kind text, day date, rate_same_year numeric, rate_later_year numeric,
	minimum numeric DEFAULT 1.00, cap numeric DEFAULT NULL, grace_days integer DEFAULT 0) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	p elecbill.late_fee_policy;
BEGIN
	p.kind := kind;
	p.valid := CASE WHEN isfinite(day) THEN daterange(day, NULL) END;
	-- what the columns cannot hold is out of range in any case
	p.rate_same_year := CASE WHEN rate_same_year BETWEEN 0 AND 1 THEN rate_same_year END;
	p.rate_later_year := CASE WHEN rate_later_year BETWEEN 0 AND 1 THEN rate_later_year END;
	p.minimum := CASE WHEN minimum BETWEEN 0 AND 999999 THEN minimum END;
	p.cap := CASE WHEN cap BETWEEN 0 AND 999 THEN cap WHEN cap IS NOT NULL THEN 0 END;
	p.grace_days := CASE WHEN grace_days BETWEEN 0 AND 365 THEN grace_days END;
	RETURN elecbill._late_fee_policy_draft(org, p);
EXCEPTION WHEN OTHERS THEN
	PERFORM elecbill._refused(org, 'late_fee_policy_draft', kind, SQLSTATE, SQLERRM);
	RAISE;
END $$;
COMMENT ON FUNCTION elecbill.late_fee_policy_draft(text, text, date, numeric, numeric, numeric, numeric, integer) IS
'writes down what late payment is to cost a kind of customer (person or company), for bills due from a local day on: share of the open amount per day in the year of the due date, and behind its end; the least and (as a multiple of the bill) the most of a bill; days that cost nothing. Returns the number that late_fee_policy_approve() takes, from another person. Rates 0: nothing any more. UB400, UB404';

CREATE FUNCTION elecbill._late_fee_policy_approve(p_org text, p_policy bigint) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	owner integer := elecbill._org_get(p_org);
	p elecbill.late_fee_policy;
	used text;
BEGIN
	PERFORM FROM elecbill.org o WHERE o.id = owner FOR NO KEY UPDATE;	/* one change at a time */
	SELECT * INTO p FROM elecbill.late_fee_policy x WHERE x.org_id = owner AND x.id = p_policy FOR UPDATE;
	IF NOT FOUND THEN
		RAISE EXCEPTION USING ERRCODE = 'UB404', MESSAGE = format('there is no late fee policy %s', coalesce(p_policy::text, 'NULL'));
	ELSIF p.status <> 'draft' THEN
		RAISE EXCEPTION USING ERRCODE = 'UB412', MESSAGE = format('late fee policy %s is %s', p.id, p.status);
	ELSIF p.created_by = elecbill.current_login() THEN
		RAISE EXCEPTION USING
			ERRCODE = 'UB403',
			MESSAGE = 'a late fee policy is approved by another person than wrote it',
			DETAIL = format('%s wrote it.', quote_literal(p.created_by));
	END IF;
	SELECT b.number INTO used
	FROM elecbill.late_fee_accrual f JOIN elecbill.bill b ON b.id = f.bill_id JOIN elecbill.late_fee_policy x ON x.id = f.policy_id
	WHERE f.org_id = owner AND x.kind = p.kind AND b.due_on >= lower(p.valid) ORDER BY b.due_on, b.id LIMIT 1;
	IF FOUND THEN
		RAISE EXCEPTION USING
			ERRCODE = 'UB409',
			MESSAGE = 'late fees were charged by the policy that this one would replace',
			DETAIL = format('Bill %s, for one.', used),
			HINT = 'Let the new one begin later.';
	END IF;
	UPDATE elecbill.late_fee_policy x SET status = 'retired'
	WHERE x.org_id = owner AND x.kind = p.kind AND x.status = 'approved' AND lower(x.valid) >= lower(p.valid);
	UPDATE elecbill.late_fee_policy x SET valid = x.valid * daterange(NULL, lower(p.valid))
	WHERE x.org_id = owner AND x.kind = p.kind AND x.status = 'approved' AND x.valid @> lower(p.valid);
	UPDATE elecbill.late_fee_policy x SET status = 'approved', approved_by = elecbill.current_login(), approved_at = elecbill.now()
	WHERE x.id = p.id;
	PERFORM elecbill._audit(owner, 'late_fee_policy_approve', p.id::text, NULL, to_jsonb(p) - '{id,org_id,status}'::text[]);
END $$;
COMMENT ON FUNCTION elecbill._late_fee_policy_approve(text, bigint) IS 'what late_fee_policy_approve() does';

CREATE FUNCTION elecbill.late_fee_policy_approve(org text, policy bigint) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	PERFORM elecbill._late_fee_policy_approve(org, policy);
EXCEPTION WHEN OTHERS THEN
	PERFORM elecbill._refused(org, 'late_fee_policy_approve', policy::text, SQLSTATE, SQLERRM);
	RAISE;
END $$;
COMMENT ON FUNCTION elecbill.late_fee_policy_approve(text, bigint) IS
'puts a late fee policy in force, as another person wrote it; the one before ends where it begins. UB403 the same person, UB404, UB409 fees were charged already on bills it is for, UB412 not a draft';

CREATE FUNCTION elecbill._late_fee_policy(p_org integer, p_account bigint, p_due date) RETURNS elecbill.late_fee_policy
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	found elecbill.late_fee_policy;
BEGIN
	SELECT x.* INTO found
	FROM elecbill.customer_account a JOIN elecbill.customer c ON c.id = a.customer_id
	JOIN elecbill.late_fee_policy x ON x.org_id = p_org AND x.kind = c.kind
	WHERE a.id = p_account AND x.status = 'approved' AND x.valid @> p_due;
	RETURN found;
END $$;
COMMENT ON FUNCTION elecbill._late_fee_policy(integer, bigint, date) IS 'what late payment costs an account whose bill is due on a day; NULL: nothing';

-- ---------------------------------------------------------------- working it out

CREATE FUNCTION elecbill._bill_paid_on(p_bill bigint) RETURNS TABLE (day date, amount numeric)
LANGUAGE plpgsql STABLE ROWS 2 SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN QUERY
	SELECT t.effective_on, sum(CASE split_part(d.code, ':', 1) WHEN 'receivable' THEN -t.amount ELSE t.amount END)
	FROM elecbill.ledger_transfer t
	JOIN elecbill.ledger_account d ON d.id = t.debit_id
	LEFT JOIN elecbill.ledger_transfer o ON o.id = t.reverses_id
	WHERE t.bill_id = p_bill AND t.stage IN ('single', 'post')
		AND coalesce(o.kind, t.kind) IN ('payment', 'match', 'apply', 'credit', 'unapply', 'refund')
	GROUP BY t.effective_on;
END $$;
COMMENT ON FUNCTION elecbill._bill_paid_on(bigint) IS 'what was paid of the amount of a bill, by the local day it counts for; below 0: taken back. Late fees are no part of it';

CREATE FUNCTION elecbill._late_fee_raw(p_bill elecbill.bill, p_policy elecbill.late_fee_policy, p_day date) RETURNS numeric
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	free date := p_bill.due_on + p_policy.grace_days;	/* the last day that costs nothing */
	year_end date := make_date(extract(year FROM p_bill.due_on)::integer, 12, 31);
BEGIN
	RETURN (
		SELECT coalesce(sum(s.open * (p_policy.rate_same_year * greatest(least(s.until, year_end) - s.since, 0)
			+ p_policy.rate_later_year * greatest(s.until - greatest(s.since, year_end), 0))), 0)
		FROM (
			SELECT m.day AS since, least(lead(m.day) OVER w, p_day) AS until, greatest(sum(m.moved) OVER w, 0) AS open
			FROM (
				SELECT x.day, sum(x.moved) AS moved
				FROM (SELECT free AS day, p_bill.amount AS moved
					UNION ALL SELECT greatest(p.day, free), -p.amount FROM elecbill._bill_paid_on(p_bill.id) AS p) AS x
				GROUP BY x.day) AS m
			WINDOW w AS (ORDER BY m.day)) AS s
		WHERE s.since < p_day);
END $$;
COMMENT ON FUNCTION elecbill._late_fee_raw(elecbill.bill, elecbill.late_fee_policy, date) IS
'late fee of a bill up to a local day, which is counted, before rounding: by runs of days on which the same was open; a day on which more than all was paid (a payment that is reversed later, and another) costs nothing. No fee on fees';

CREATE FUNCTION elecbill._late_fee_amount(p_raw numeric, p_amount numeric, p_policy elecbill.late_fee_policy) RETURNS numeric
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN p_raw > 0 THEN least(greatest(round(p_raw, 2), (p_policy).minimum), round((p_policy).cap * p_amount, 2)) ELSE 0.00 END;
COMMENT ON FUNCTION elecbill._late_fee_amount(numeric, numeric, elecbill.late_fee_policy) IS 'what is charged for a late fee, in the currency of the org: rounded, at least the minimum, at most the cap of the bill';

CREATE FUNCTION elecbill._late_fee_less(p_bill elecbill.bill, p_amount numeric, p_key text, p_on date) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	fees bigint := elecbill._ledger_account(p_bill.org_id, 'late_fee');
	part numeric := least(p_amount, p_bill.late_fee);
BEGIN
	IF part > 0 THEN
		PERFORM elecbill._fee_settle(p_bill.id, -part);
		PERFORM elecbill._post(p_bill.org_id, p_key, fees, elecbill._ledger_account(p_bill.org_id, 'receivable', p_bill.account_id),
			part, 'correct_fee', p_on, p_bill.id);
	END IF;
	IF p_amount > part THEN
		PERFORM elecbill._post(p_bill.org_id, p_key || ':paid', fees, elecbill._ledger_account(p_bill.org_id, 'advance', p_bill.account_id),
			p_amount - part, 'fee_to_advance', p_on, p_bill.id);
	END IF;
END $$;
COMMENT ON FUNCTION elecbill._late_fee_less(elecbill.bill, numeric, text, date) IS
'takes back a part of the late fee of a bill, as when a payment is heard of days after it was made; what is paid of it already becomes advance credit';

CREATE FUNCTION elecbill._late_fee_touch(p_org integer, p_bill bigint, p_due date) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF EXISTS (SELECT FROM elecbill.late_fee_policy x WHERE x.org_id = p_org AND x.status = 'approved') THEN
		INSERT INTO elecbill.late_fee_accrual AS f (bill_id, org_id, as_of) VALUES (p_bill, p_org, p_due)
		ON CONFLICT (bill_id) DO UPDATE SET state = 'touched' WHERE f.state <> 'touched';
	END IF;
END $$;
COMMENT ON FUNCTION elecbill._late_fee_touch(integer, bigint, date) IS
'something moved on a bill, whose customer_account is locked, behind its due date: the next run counts its days, though it may be paid by then';

CREATE FUNCTION elecbill._late_fee_due(p_bill bigint, p_on date) RETURNS numeric
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	b elecbill.bill;
	f elecbill.late_fee_accrual;
	policy elecbill.late_fee_policy;
BEGIN
	SELECT * INTO b FROM elecbill.bill x WHERE x.id = p_bill;
	SELECT * INTO f FROM elecbill.late_fee_accrual x WHERE x.bill_id = p_bill;
	SELECT * INTO policy FROM elecbill.late_fee_policy x WHERE x.id = f.policy_id;
	IF policy.id IS NULL OR f.as_of <= p_on THEN
		RETURN b.late_fee;
	END IF;
	RETURN least(b.late_fee, greatest(elecbill._late_fee_amount(elecbill._late_fee_raw(b, policy, p_on), b.amount, policy)
		- (f.posted - b.late_fee), 0));
END $$;
COMMENT ON FUNCTION elecbill._late_fee_due(bigint, date) IS
'what a payment made on a local day pays of the late fee of a bill: that of the days up to it, also when it is heard of later and more is charged by then';

CREATE FUNCTION elecbill._late_fee_bill(p_bill bigint, p_day date) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	b elecbill.bill;
	f elecbill.late_fee_accrual;
	policy elecbill.late_fee_policy;
	ahead date;
	undone numeric;
	more numeric;
	key text;
BEGIN
	SELECT * INTO b FROM elecbill.bill x WHERE x.id = p_bill FOR NO KEY UPDATE;
	SELECT * INTO f FROM elecbill.late_fee_accrual x WHERE x.bill_id = p_bill;
	IF f.policy_id IS NULL THEN
		policy := elecbill._late_fee_policy(b.org_id, b.account_id, b.due_on);
		IF policy.id IS NULL THEN
			DELETE FROM elecbill.late_fee_accrual x WHERE x.bill_id = p_bill;
			RETURN;
		END IF;
	ELSE
		SELECT * INTO policy FROM elecbill.late_fee_policy x WHERE x.id = f.policy_id;
	END IF;
	ahead := f.as_of;
	f.as_of := greatest(p_day, least(f.as_of, elecbill._today(b.org_id)));	/* the clock may have been ahead */
	IF ahead > f.as_of THEN
		-- taken back as of the last day of those that have not come: the books of today never had it
		SELECT least(f.posted, sum(CASE t.kind WHEN 'late_fee' THEN t.amount ELSE -t.amount END)) INTO undone
		FROM elecbill.ledger_transfer t
		WHERE t.bill_id = b.id AND t.kind IN ('late_fee', 'correct_fee', 'fee_to_advance') AND t.effective_on > f.as_of;
		IF undone > 0 THEN
			f.posts := f.posts + 1;
			f.posted := f.posted - undone;
			PERFORM elecbill._late_fee_less(b, undone, format('late_fee:%s:%s', b.id, f.posts), ahead);
			SELECT * INTO b FROM elecbill.bill x WHERE x.id = p_bill;
		END IF;
	END IF;
	f.raw := elecbill._late_fee_raw(b, policy, f.as_of);
	more := elecbill._late_fee_amount(f.raw, b.amount, policy) - coalesce(f.posted, 0);
	f.posts := coalesce(f.posts, 0) + CASE WHEN more <> 0 THEN 1 ELSE 0 END;
	key := format('late_fee:%s:%s', b.id, f.posts);
	IF more > 0 THEN
		PERFORM elecbill._late_fee_post(b.id, more, key, f.as_of);
	ELSIF more < 0 THEN
		PERFORM elecbill._late_fee_less(b, -more, key, f.as_of);
	END IF;
	f.state := CASE WHEN b.amount > b.paid OR EXISTS (SELECT FROM elecbill._bill_paid_on(b.id) AS p WHERE p.day > f.as_of)
		THEN 'running' ELSE 'final' END;
	INSERT INTO elecbill.late_fee_accrual AS x (bill_id, org_id, policy_id, as_of, raw, posted, posts, state)
	VALUES (b.id, b.org_id, policy.id, f.as_of, f.raw, coalesce(f.posted, 0) + more, f.posts, f.state)
	ON CONFLICT (bill_id) DO UPDATE SET policy_id = excluded.policy_id, as_of = excluded.as_of, raw = excluded.raw,
		posted = excluded.posted, posts = excluded.posts, state = excluded.state;
END $$;
COMMENT ON FUNCTION elecbill._late_fee_bill(bigint, date) IS
'brings the late fee of a bill, whose customer_account is locked, up to a local day and posts the difference; without a policy nothing';

CREATE FUNCTION elecbill._late_fee_account(p_org integer, p_account bigint, p_day date) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	today date := elecbill._today(p_org);
	one bigint;
BEGIN
	IF NOT EXISTS (SELECT FROM elecbill.late_fee_policy x WHERE x.org_id = p_org AND x.status = 'approved') THEN
		RETURN;
	END IF;
	FOR one IN
		SELECT b.id FROM elecbill.bill b LEFT JOIN elecbill.late_fee_accrual f ON f.bill_id = b.id
		WHERE b.account_id = p_account AND b.status IN ('issued', 'partly_paid', 'overdue', 'paid') AND b.amount > 0
			AND (b.due_on < p_day AND (f.state = 'touched' OR (b.amount > b.paid OR f.state = 'running') AND (f.as_of < p_day) IS NOT FALSE)
				OR f.as_of > today)
		ORDER BY b.id
	LOOP
		PERFORM elecbill._late_fee_bill(one, p_day);
	END LOOP;
END $$;
COMMENT ON FUNCTION elecbill._late_fee_account(integer, bigint, date) IS
'late fees of an account, which is locked, up to a local day: before something is paid, for a payment pays them first. Whether the night has been over the books then makes no difference';

-- ---------------------------------------------------------------- the run

CREATE FUNCTION elecbill._run_day(p_org integer, p_day date) RETURNS date
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	today date := elecbill._today(p_org);
BEGIN
	IF p_day > today OR isfinite(p_day) IS FALSE THEN
		RAISE EXCEPTION USING
			ERRCODE = 'UB400',
			MESSAGE = format('%s is not a day up to today', to_char(p_day, 'YYYY-MM-DD')),
			DETAIL = format('Today is %s.', to_char(today, 'YYYY-MM-DD'));
	END IF;
	RETURN coalesce(p_day, today);
END $$;
COMMENT ON FUNCTION elecbill._run_day(integer, date) IS 'the day a run is for; NULL: today. UB400 a day in the future';

CREATE FUNCTION elecbill._arrears_lock(p_org integer, p_accounts bigint[], p_wait boolean) RETURNS bigint[]
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF p_wait THEN
		RETURN ARRAY(SELECT a.id FROM elecbill.customer_account a
			WHERE a.org_id = p_org AND a.id = ANY (p_accounts) ORDER BY a.id FOR NO KEY UPDATE);
	END IF;
	RETURN ARRAY(SELECT a.id FROM elecbill.customer_account a
		WHERE a.org_id = p_org AND a.id = ANY (p_accounts) ORDER BY a.id FOR NO KEY UPDATE SKIP LOCKED);
END $$;
COMMENT ON FUNCTION elecbill._arrears_lock(integer, bigint[], boolean) IS
'locks accounts of an org by id and returns them; unless it waits, without those that somebody else has in hand';

CREATE FUNCTION elecbill._late_accounts(p_org integer, p_day date) RETURNS TABLE (account_id bigint)
LANGUAGE sql STABLE
BEGIN ATOMIC
	-- who owes nothing has no open bill: the balance is asked first, for it has no index to be kept
	SELECT l.account_id
	FROM elecbill.ledger_account l JOIN elecbill.account_balance x ON x.ledger_account_id = l.id
	WHERE l.org_id = p_org AND l.account_id IS NOT NULL AND l.code LIKE 'receivable:%' AND x.debit > x.credit
		AND EXISTS (SELECT FROM elecbill.bill b WHERE b.account_id = l.account_id
			AND b.status IN ('issued', 'partly_paid', 'overdue') AND b.due_on < p_day AND b.amount > b.paid);
END;
COMMENT ON FUNCTION elecbill._late_accounts(integer, date) IS 'accounts of an org with open bills whose due date lies before a local day';

CREATE FUNCTION elecbill._late_fee_accounts(p_org text, p_day date) RETURNS bigint[]
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	owner integer := elecbill._org_get(p_org);
	day date := elecbill._run_day(owner, p_day);
	today date := elecbill._today(owner);
BEGIN
	RETURN ARRAY(
		SELECT l.account_id FROM elecbill._late_accounts(owner, day) AS l
		UNION
		SELECT b.account_id FROM elecbill.late_fee_accrual f JOIN elecbill.bill b ON b.id = f.bill_id
		WHERE f.org_id = owner AND (f.state = 'touched' OR f.as_of > today)
		ORDER BY 1);
END $$;
COMMENT ON FUNCTION elecbill._late_fee_accounts(text, date) IS 'accounts of an org with bills that may be late on a local day (NULL: today), by id; UB400, UB404';

CREATE FUNCTION elecbill._late_fee_batch(p_org text, p_accounts bigint[], p_day date, p_wait boolean) RETURNS bigint[]
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	owner integer := elecbill._org_get(p_org);
	day date := elecbill._run_day(owner, p_day);
	mine bigint[] := elecbill._arrears_lock(owner, p_accounts, p_wait);
	one bigint;
BEGIN
	UPDATE elecbill.bill b SET status = 'overdue'
	WHERE b.account_id = ANY (mine) AND b.status IN ('issued', 'partly_paid') AND b.due_on < day AND b.amount > b.paid;
	FOREACH one IN ARRAY mine LOOP
		PERFORM elecbill._late_fee_account(owner, one, day);
	END LOOP;
	-- of a bill that was taken back nothing is late
	DELETE FROM elecbill.late_fee_accrual f USING elecbill.bill b
	WHERE b.id = f.bill_id AND b.account_id = ANY (mine) AND f.state = 'touched' AND f.policy_id IS NULL
		AND b.status IN ('cancelled', 'written_off');
	UPDATE elecbill.late_fee_accrual f SET state = 'final' FROM elecbill.bill b
	WHERE b.id = f.bill_id AND b.account_id = ANY (mine) AND f.state = 'touched' AND b.status IN ('cancelled', 'written_off');
	RETURN ARRAY(SELECT x.id FROM unnest(p_accounts) AS x(id) WHERE x.id <> ALL (mine) AND NOT p_wait ORDER BY x.id);
END $$;
COMMENT ON FUNCTION elecbill._late_fee_batch(text, bigint[], date, boolean) IS
'late fees of some accounts up to a day, and the state overdue; returns those that somebody else has in hand, none when it waits for them';

CREATE PROCEDURE elecbill.accrue_late_fees(org text, day date DEFAULT NULL)
LANGUAGE plpgsql AS $$
DECLARE
	accounts bigint[] := elecbill._late_fee_accounts(org, day);
	later bigint[] := ARRAY[]::bigint[];
	i integer := 1;
BEGIN
	WHILE i OPERATOR(pg_catalog.<=) pg_catalog.cardinality(accounts) LOOP
		later := pg_catalog.array_cat(later, elecbill._late_fee_batch(org, accounts[i:i OPERATOR(pg_catalog.+) 99], day, false));
		COMMIT;
		i := i OPERATOR(pg_catalog.+) 100;
	END LOOP;
	i := 1;
	WHILE i OPERATOR(pg_catalog.<=) pg_catalog.cardinality(later) LOOP
		PERFORM elecbill._late_fee_batch(org, later[i:i], day, true);
		COMMIT;
		i := i OPERATOR(pg_catalog.+) 1;
	END LOOP;
END $$;
COMMENT ON PROCEDURE elecbill.accrue_late_fees(text, date) IS
'brings the late fees of an org up to a local day (default: today), which is counted: what was open when it began. Bills past their due date become overdue, with or without a policy. Commits every 100 accounts; to be called again after a crash or an error, in any number of sessions. Daily or once: the same result. UB400 a day in the future, UB404';
