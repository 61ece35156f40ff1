-- 92_prepaid.sql: accounts that pay before they use: what is left, day by day, and what comes of it
-- Each day the unbilled days are rated from their beginning by the code that makes bills, and what this
-- is more than yesterday is the charge of the day: so the charges of a period add up to its bill, but for
-- shares of common energy and adjustments on it, which wait from the day on which they are known.
-- Available is advance credit, less open bills, less these provisional charges, which are not booked, and
-- less what waits.

CREATE TABLE elecbill.prepay_policy (
	org_id		integer NOT NULL CONSTRAINT prepay_policy_pkey PRIMARY KEY
				CONSTRAINT prepay_policy_org_fkey REFERENCES elecbill.org,
	low_days	smallint NOT NULL DEFAULT 3 CONSTRAINT prepay_policy_low_days_check CHECK (low_days BETWEEN 0 AND 366),
	low_amount	numeric(14,2) NOT NULL DEFAULT 50.00 CONSTRAINT prepay_policy_low_amount_check CHECK (low_amount >= 0),
	cut_from	time NOT NULL DEFAULT '09:00',
	cut_until	time NOT NULL DEFAULT '17:00',
	CONSTRAINT prepay_policy_hours_check CHECK (cut_from < cut_until)
);
COMMENT ON TABLE elecbill.prepay_policy IS 'when prepaid accounts are warned and cut off; an org without a row has the defaults';
COMMENT ON COLUMN elecbill.prepay_policy.org_id IS 'owner';
COMMENT ON COLUMN elecbill.prepay_policy.low_days IS 'low: what is left lasts so many days of the mean of the last 30, or less';
COMMENT ON COLUMN elecbill.prepay_policy.low_amount IS 'low: this is left, or less, in the currency of the org';
COMMENT ON COLUMN elecbill.prepay_policy.cut_from IS 'local time of the working day behind the one on which nothing was left, from which on supply is cut off';
COMMENT ON COLUMN elecbill.prepay_policy.cut_until IS 'local time at which orders to disconnect expire';

CREATE TABLE elecbill.prepay_day (
	account_id	bigint NOT NULL,
	day			date NOT NULL CONSTRAINT prepay_day_day_check CHECK (isfinite(day)),
	org_id		integer NOT NULL,
	days		smallint NOT NULL CONSTRAINT prepay_day_days_check CHECK (days > 0),
	amount		numeric(14,2) NOT NULL,
	bill_id		bigint,
	CONSTRAINT prepay_day_pkey PRIMARY KEY (account_id, day),
	CONSTRAINT prepay_day_account_fkey FOREIGN KEY (org_id, account_id) REFERENCES elecbill.customer_account (org_id, id),
	CONSTRAINT prepay_day_bill_fkey FOREIGN KEY (org_id, bill_id) REFERENCES elecbill.bill (org_id, id)
);
CREATE INDEX prepay_day_bill_idx ON elecbill.prepay_day (bill_id) WHERE bill_id IS NOT NULL;
COMMENT ON TABLE elecbill.prepay_day IS 'provisional charges of prepaid accounts by day; the last one moves while readings of it come in';
COMMENT ON COLUMN elecbill.prepay_day.account_id IS 'the account';
COMMENT ON COLUMN elecbill.prepay_day.day IS 'the last local day that is in it';
COMMENT ON COLUMN elecbill.prepay_day.org_id IS 'owner';
COMMENT ON COLUMN elecbill.prepay_day.days IS 'how many days: more than 1 where days before it could not be rated, or no run was made';
COMMENT ON COLUMN elecbill.prepay_day.amount IS 'what the unbilled days come to more than the day before, in the currency of the org; below 0 where readings were put right';
COMMENT ON COLUMN elecbill.prepay_day.bill_id IS 'the bill that took the place of the charges up to this day';
COMMENT ON INDEX elecbill.prepay_day_bill_idx IS 'charges that a bill took the place of';

CREATE TABLE elecbill.prepay_state (
	account_id	bigint NOT NULL CONSTRAINT prepay_state_pkey PRIMARY KEY,
	org_id		integer NOT NULL,
	unbilled_from date,
	rated_to	date,
	provisional	numeric(14,2) NOT NULL DEFAULT 0,
	waiting		numeric(14,2) NOT NULL DEFAULT 0,
	open		numeric(14,2) NOT NULL DEFAULT 0,
	available	numeric(14,2) NOT NULL DEFAULT 0,
	mean_day	numeric(14,2) NOT NULL DEFAULT 0,
	state		text NOT NULL DEFAULT 'normal' CONSTRAINT prepay_state_state_check
				CHECK (state IN ('normal', 'low', 'zero', 'ordered', 'off', 'reconnect')),
	since		timestamptz NOT NULL DEFAULT elecbill.now(),
	grace_until	timestamptz,
	orders		integer NOT NULL DEFAULT 0,
	commands	bigint[] NOT NULL DEFAULT '{}',
	reason		text,
	fault		text,
	judged_at	timestamptz NOT NULL DEFAULT elecbill.now(),
	CONSTRAINT prepay_state_account_fkey FOREIGN KEY (org_id, account_id) REFERENCES elecbill.customer_account (org_id, id),
	CONSTRAINT prepay_state_grace_check CHECK (state NOT IN ('zero', 'ordered') OR grace_until IS NOT NULL)
) WITH (fillfactor = 70);
COMMENT ON TABLE elecbill.prepay_state IS 'where each prepaid account is, as prepay_run() found it; of one that is postpaid since only orders counts, so that no key of an order comes twice';
COMMENT ON COLUMN elecbill.prepay_state.account_id IS 'the account';
COMMENT ON COLUMN elecbill.prepay_state.org_id IS 'owner';
COMMENT ON COLUMN elecbill.prepay_state.unbilled_from IS 'the first local day that no bill covers; NULL: no agreement';
COMMENT ON COLUMN elecbill.prepay_state.rated_to IS 'provisional charges cover the local days before this one';
COMMENT ON COLUMN elecbill.prepay_state.provisional IS 'what these days come to, in the currency of the org';
COMMENT ON COLUMN elecbill.prepay_state.waiting IS 'shares of common energy and adjustments that the next bill will have; below 0: in favour of the customer';
COMMENT ON COLUMN elecbill.prepay_state.open IS 'what is open of bills and late fees, drafts included';
COMMENT ON COLUMN elecbill.prepay_state.available IS 'advance credit less open less provisional less waiting';
COMMENT ON COLUMN elecbill.prepay_state.mean_day IS 'what a day came to in the mean of the last 30';
COMMENT ON COLUMN elecbill.prepay_state.state IS
'normal; low; zero: nothing is left, grace runs; ordered: to be cut off; off; reconnect: paid, to be switched on again';
COMMENT ON COLUMN elecbill.prepay_state.since IS 'since when';
COMMENT ON COLUMN elecbill.prepay_state.grace_until IS 'supply is on until then at least: a working day, cut_from';
COMMENT ON COLUMN elecbill.prepay_state.orders IS 'how often something was ordered; makes the keys of orders';
COMMENT ON COLUMN elecbill.prepay_state.commands IS 'device_command.id of the last orders';
COMMENT ON COLUMN elecbill.prepay_state.reason IS 'why supply is on though nothing is left: grace, medical, priority_point, no_meter, holiday, night';
COMMENT ON COLUMN elecbill.prepay_state.fault IS
'why charges do not reach the day of the run: no_readings, no_boundary_reading, register_backwards, no_tariff, resale (or why a draft is not issued), ... as bill_exception.code; NULL: they do';
COMMENT ON COLUMN elecbill.prepay_state.judged_at IS 'when it was looked at last';

CREATE FUNCTION elecbill._prepay_policy(p_org integer) RETURNS elecbill.prepay_policy
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	policy elecbill.prepay_policy;
BEGIN
	SELECT * INTO policy FROM elecbill.prepay_policy p WHERE p.org_id = p_org;
	IF NOT FOUND THEN
		policy.org_id := p_org;
		policy.low_days := 3;
		policy.low_amount := 50.00;
		policy.cut_from := '09:00';
		policy.cut_until := '17:00';
	END IF;
	RETURN policy;
END $$;
COMMENT ON FUNCTION elecbill._prepay_policy(integer) IS 'when prepaid accounts of an org are warned and cut off';

CREATE FUNCTION elecbill.prepay_policy_set(org text, low_days integer DEFAULT 3, low_amount numeric DEFAULT 50.00,
	cut_from time DEFAULT '09:00', cut_until time DEFAULT '17:00') RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	owner integer;
	old elecbill.prepay_policy;
BEGIN
	owner := elecbill._org_get(org);
	old := elecbill._prepay_policy(owner);
	IF low_days BETWEEN 0 AND 366 IS NOT TRUE OR low_amount >= 0 IS NOT TRUE OR low_amount >= 1e12 OR cut_from < cut_until IS NOT TRUE THEN
		RAISE EXCEPTION 'prepayment needs 0 to 366 days, an amount of 0 or more, and the hours of a day' USING ERRCODE = 'UB400';
	END IF;
	INSERT INTO elecbill.prepay_policy (org_id, low_days, low_amount, cut_from, cut_until)
	VALUES (owner, prepay_policy_set.low_days, prepay_policy_set.low_amount, prepay_policy_set.cut_from, prepay_policy_set.cut_until)
	ON CONFLICT (org_id) DO UPDATE SET low_days = excluded.low_days, low_amount = excluded.low_amount, cut_from = excluded.cut_from,
		cut_until = excluded.cut_until;
	PERFORM elecbill._audit(owner, 'prepay_policy_set', org, to_jsonb(old) - 'org_id', to_jsonb(elecbill._prepay_policy(owner)) - 'org_id');
EXCEPTION WHEN OTHERS THEN
	PERFORM elecbill._refused(org, 'prepay_policy_set', org, SQLSTATE, SQLERRM);
	RAISE;
END $$;
COMMENT ON FUNCTION elecbill.prepay_policy_set(text, integer, numeric, time, time) IS
'when prepaid accounts of an org are warned (days of the 30-day mean that are left, amount that is left) and in which local hours of working days supply is cut off. UB400, UB404';

CREATE FUNCTION elecbill._prepay_level(p_state elecbill.prepay_state) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	policy elecbill.prepay_policy := elecbill._prepay_policy(p_state.org_id);
BEGIN
	RETURN CASE WHEN p_state.unbilled_from IS NULL THEN 'normal'
		WHEN p_state.available <= 0 THEN 'zero'
		WHEN p_state.available <= greatest(policy.low_days * p_state.mean_day, policy.low_amount) THEN 'low' ELSE 'normal' END;
END $$;
COMMENT ON FUNCTION elecbill._prepay_level(elecbill.prepay_state) IS 'normal, low or zero by what is left; normal also for who has moved out: there is nothing to be cut off';

CREATE FUNCTION elecbill._account_mode_set(p_account text, p_mode text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	a elecbill.customer_account := elecbill._account_lock(p_account);
	st elecbill.prepay_state;
BEGIN
	IF p_mode IN ('postpaid', 'prepaid') IS NOT TRUE THEN
		RAISE EXCEPTION USING ERRCODE = 'UB400', MESSAGE = 'an account is postpaid or prepaid';
	ELSIF a.mode = p_mode THEN
		RETURN;
	END IF;
	SELECT * INTO st FROM elecbill.prepay_state x WHERE x.account_id = a.id;
	IF st.state IN ('ordered', 'off', 'reconnect') THEN
		RAISE EXCEPTION USING
			ERRCODE = 'UB412',
			MESSAGE = format('account %s is cut off, or on its way back', quote_literal(a.account_no)),
			DETAIL = format('Its state is %s, %s are available.', st.state, st.available),
			HINT = 'Take a payment and wait until supply is on.';
	ELSIF EXISTS (SELECT FROM elecbill.dunning_case c WHERE c.account_id = a.id AND c.supply <> 'on') THEN
		RAISE EXCEPTION USING
			ERRCODE = 'UB412',
			MESSAGE = format('account %s is cut off, or on its way back', quote_literal(a.account_no)),
			DETAIL = 'It is so by dunning.';
	ELSIF p_mode = 'prepaid' AND EXISTS (SELECT FROM elecbill.payment_plan p WHERE p.account_id = a.id AND p.status = 'active') THEN
		-- its bills count as open, and would have it cut off though the plan is kept
		RAISE EXCEPTION USING
			ERRCODE = 'UB412',
			MESSAGE = format('account %s has a payment plan', quote_literal(a.account_no)),
			HINT = 'payment_plan_cancel() ends it.';
	END IF;
	IF st.account_id IS NOT NULL THEN
		PERFORM elecbill._alarm_end(a.org_id, code, a.account_no, elecbill.now()) FROM unnest('{prepay_low,prepay_zero}'::text[]) AS code;
		UPDATE elecbill.prepay_state x SET unbilled_from = NULL, rated_to = NULL, provisional = 0, waiting = 0, open = 0, available = 0,
			mean_day = 0, state = 'normal', since = elecbill.now(), grace_until = NULL, commands = '{}', reason = NULL, fault = NULL
		WHERE x.account_id = a.id;
	END IF;
	UPDATE elecbill.customer_account x SET mode = p_mode WHERE x.id = a.id;
	PERFORM elecbill._audit(a.org_id, 'account_mode_set', a.account_no, to_jsonb(a.mode), to_jsonb(p_mode));
END $$;
COMMENT ON FUNCTION elecbill._account_mode_set(text, text) IS 'what account_mode_set() does';

CREATE FUNCTION elecbill.account_mode_set(account text, mode text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	PERFORM elecbill._account_mode_set(account, mode);
EXCEPTION WHEN OTHERS THEN
	PERFORM elecbill._refused(elecbill._org_part(account), 'account_mode_set', account, SQLSTATE, SQLERRM);
	RAISE;
END $$;
COMMENT ON FUNCTION elecbill.account_mode_set(text, text) IS
'lets an account (number, or ORG/NUMBER) pay before (prepaid) or after (postpaid) it uses, from now on: prepaid accounts are charged each day by prepay_run(), which makes their bills, too, and are not dunned. UB400, UB404, UB409 several orgs have the number, UB412 it is cut off, or is to be prepaid while it has a payment plan';

CREATE VIEW elecbill.prepay_status WITH (security_invoker = true) AS
SELECT o.code AS org, a.account_no, c.name AS customer, s.state, elecbill.label('prepay_' || s.state, elecbill._lang()) AS state_text, s.since,
	s.available, s.provisional, s.waiting, s.open, s.available + s.provisional + s.waiting + s.open AS advance, s.mean_day,
	CASE WHEN s.mean_day > 0 THEN greatest(trunc(s.available / s.mean_day, 1), 0) END AS days_left,
	s.grace_until, s.reason, s.unbilled_from, s.rated_to, s.fault, s.judged_at
FROM elecbill.customer_account a
JOIN elecbill.customer c ON c.id = a.customer_id
JOIN elecbill.org o ON o.id = a.org_id
LEFT JOIN elecbill.prepay_state s ON s.account_id = a.id
WHERE a.mode = 'prepaid';
COMMENT ON VIEW elecbill.prepay_status IS 'prepaid accounts: what is left, for how long, and whether supply is on; as the last prepay_run() found it, NULL: none was made';
COMMENT ON COLUMN elecbill.prepay_status.org IS 'code of the org';
COMMENT ON COLUMN elecbill.prepay_status.account_no IS 'account number';
COMMENT ON COLUMN elecbill.prepay_status.customer IS 'name of the customer';
COMMENT ON COLUMN elecbill.prepay_status.state IS 'normal, low, zero, ordered (off), off, reconnect (ordered)';
COMMENT ON COLUMN elecbill.prepay_status.state_text IS 'the state in words';
COMMENT ON COLUMN elecbill.prepay_status.since IS 'since when';
COMMENT ON COLUMN elecbill.prepay_status.available IS 'what is left in the currency of the org: advance less open less provisional less waiting';
COMMENT ON COLUMN elecbill.prepay_status.provisional IS 'charges of days without a bill';
COMMENT ON COLUMN elecbill.prepay_status.waiting IS 'shares of common energy and adjustments that wait for the next bill';
COMMENT ON COLUMN elecbill.prepay_status.open IS 'what is open of bills and late fees';
COMMENT ON COLUMN elecbill.prepay_status.advance IS 'advance credit';
COMMENT ON COLUMN elecbill.prepay_status.mean_day IS 'mean of the last 30 days, per day';
COMMENT ON COLUMN elecbill.prepay_status.days_left IS 'how many such days it lasts; NULL: nothing was used';
COMMENT ON COLUMN elecbill.prepay_status.grace_until IS 'supply is on until then at least';
COMMENT ON COLUMN elecbill.prepay_status.reason IS 'why supply is on though nothing is left';
COMMENT ON COLUMN elecbill.prepay_status.unbilled_from IS 'the first local day without a bill';
COMMENT ON COLUMN elecbill.prepay_status.rated_to IS 'charges cover the local days before this one';
COMMENT ON COLUMN elecbill.prepay_status.fault IS 'why they reach no further';
COMMENT ON COLUMN elecbill.prepay_status.judged_at IS 'when the last run looked';

CREATE VIEW elecbill.my_prepaid WITH (security_invoker = true) AS
SELECT o.code AS org, a.account_no, s.state, elecbill.label('prepay_' || s.state, elecbill._lang()) AS state_text, s.available, s.provisional,
	s.waiting, s.mean_day, CASE WHEN s.mean_day > 0 THEN greatest(trunc(s.available / s.mean_day, 1), 0) END AS days_left, s.grace_until, s.rated_to,
	o.currency
FROM elecbill.prepay_state s
JOIN elecbill.customer_account a ON a.id = s.account_id
JOIN elecbill.org o ON o.id = s.org_id
WHERE a.mode = 'prepaid' AND a.id = ANY ((SELECT elecbill.my_accounts())::bigint[]);
COMMENT ON VIEW elecbill.my_prepaid IS 'what is left on each prepaid account of my_accounts(), as the last prepay_run() found it';
COMMENT ON COLUMN elecbill.my_prepaid.org IS 'code of the org';
COMMENT ON COLUMN elecbill.my_prepaid.account_no IS 'account number';
COMMENT ON COLUMN elecbill.my_prepaid.state IS 'normal, low, zero, ordered (off), off, reconnect (ordered)';
COMMENT ON COLUMN elecbill.my_prepaid.state_text IS 'the state in words';
COMMENT ON COLUMN elecbill.my_prepaid.available IS 'what is left: advance credit less open bills less provisional less waiting';
COMMENT ON COLUMN elecbill.my_prepaid.provisional IS 'charges of days without a bill';
COMMENT ON COLUMN elecbill.my_prepaid.waiting IS 'shares of common energy and adjustments that wait for the next bill';
COMMENT ON COLUMN elecbill.my_prepaid.mean_day IS 'mean of the last 30 days, per day';
COMMENT ON COLUMN elecbill.my_prepaid.days_left IS 'how many such days it lasts; NULL: nothing was used';
COMMENT ON COLUMN elecbill.my_prepaid.grace_until IS 'when nothing is left: supply is on until then at least';
COMMENT ON COLUMN elecbill.my_prepaid.rated_to IS 'charges cover the local days before this one';
COMMENT ON COLUMN elecbill.my_prepaid.currency IS 'currency of the amounts';
