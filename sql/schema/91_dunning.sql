-- 91_dunning.sql: what happens to whoever does not pay: steps by days overdue, and where each account is
-- A case lasts from the first step to the day on which nothing overdue is open. Its steps are taken one
-- after the other, one in a run at most: a payment of a part neither skips nor repeats one.

CREATE TABLE elecbill.dunning_policy (
	id			bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT dunning_policy_pkey PRIMARY KEY,
	org_id		integer NOT NULL CONSTRAINT dunning_policy_org_fkey REFERENCES elecbill.org,
	kind		text NOT NULL CONSTRAINT dunning_policy_kind_check CHECK (kind IN ('person', 'company')),
	known		tstzrange NOT NULL CONSTRAINT dunning_policy_known_check CHECK (NOT isempty(known) AND NOT lower_inf(known)),
	min_amount	numeric(14,2) NOT NULL CONSTRAINT dunning_policy_min_amount_check CHECK (min_amount >= 0),
	cut_from	time NOT NULL,
	cut_until	time NOT NULL,
	created_by	text NOT NULL DEFAULT elecbill.current_login(),
	CONSTRAINT dunning_policy_org_id_key UNIQUE (org_id, id),
	CONSTRAINT dunning_policy_hours_check CHECK (cut_from < cut_until),
	CONSTRAINT dunning_policy_overlap EXCLUDE USING gist (int4range(org_id, org_id, '[]') WITH &&,
		(CASE kind WHEN 'person' THEN int4range(0, 1) ELSE int4range(1, 2) END) WITH &&, known WITH &&)
);
COMMENT ON TABLE elecbill.dunning_policy IS 'how an org duns a kind of customer; without a row nobody is dunned';
COMMENT ON COLUMN elecbill.dunning_policy.id IS 'internal key';
COMMENT ON COLUMN elecbill.dunning_policy.org_id IS 'owner';
COMMENT ON COLUMN elecbill.dunning_policy.kind IS 'customer.kind it is for: person or company';
COMMENT ON COLUMN elecbill.dunning_policy.known IS 'when cases begin by it; a case keeps the policy it began with';
COMMENT ON COLUMN elecbill.dunning_policy.min_amount IS 'nothing is done while less than this is overdue, in the currency of the org';
COMMENT ON COLUMN elecbill.dunning_policy.cut_from IS 'local time of a working day from which on somebody may be disconnected';
COMMENT ON COLUMN elecbill.dunning_policy.cut_until IS 'local time at which orders to disconnect expire';
COMMENT ON COLUMN elecbill.dunning_policy.created_by IS 'login of who set it';

CREATE TABLE elecbill.dunning_step (
	policy_id	bigint NOT NULL,
	n			smallint NOT NULL CONSTRAINT dunning_step_n_check CHECK (n > 0),
	org_id		integer NOT NULL,
	action		text NOT NULL CONSTRAINT dunning_step_action_check CHECK (action IN ('remind', 'notice', 'last_notice', 'disconnect')),
	days_overdue smallint NOT NULL CONSTRAINT dunning_step_days_check CHECK (days_overdue BETWEEN 1 AND 3660),
	wait		interval NOT NULL CONSTRAINT dunning_step_wait_check CHECK (wait BETWEEN '0' AND '1 year'),
	CONSTRAINT dunning_step_pkey PRIMARY KEY (policy_id, n),
	CONSTRAINT dunning_step_policy_fkey FOREIGN KEY (org_id, policy_id) REFERENCES elecbill.dunning_policy (org_id, id)
);
COMMENT ON TABLE elecbill.dunning_step IS 'steps of a policy, taken in their order';
COMMENT ON COLUMN elecbill.dunning_step.policy_id IS 'the policy';
COMMENT ON COLUMN elecbill.dunning_step.n IS 'number of the step, from 1';
COMMENT ON COLUMN elecbill.dunning_step.org_id IS 'owner';
COMMENT ON COLUMN elecbill.dunning_step.action IS
'remind; notice: that supply will be cut off; last_notice: within the hours and on the day of it; disconnect';
COMMENT ON COLUMN elecbill.dunning_step.days_overdue IS 'how many days the oldest open bill must be past its due date';
COMMENT ON COLUMN elecbill.dunning_step.wait IS 'how long after the step before';

CREATE TABLE elecbill.dunning_case (
	id			bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT dunning_case_pkey PRIMARY KEY,
	org_id		integer NOT NULL,
	account_id	bigint NOT NULL,
	policy_id	bigint NOT NULL,
	opened_on	date NOT NULL,
	step		smallint NOT NULL DEFAULT 0 CONSTRAINT dunning_case_step_check CHECK (step >= 0),
	step_at		timestamptz,
	supply		text NOT NULL DEFAULT 'on' CONSTRAINT dunning_case_supply_check CHECK (supply IN ('on', 'ordered', 'off', 'reconnect')),
	orders		integer NOT NULL DEFAULT 0 CONSTRAINT dunning_case_orders_check CHECK (orders >= 0),
	commands	bigint[] NOT NULL DEFAULT '{}',
	reason		text NOT NULL DEFAULT 'not_due',
	judged_at	timestamptz NOT NULL DEFAULT elecbill.now(),
	closed_on	date,
	CONSTRAINT dunning_case_org_id_key UNIQUE (org_id, id),
	CONSTRAINT dunning_case_account_fkey FOREIGN KEY (org_id, account_id) REFERENCES elecbill.customer_account (org_id, id),
	CONSTRAINT dunning_case_policy_fkey FOREIGN KEY (org_id, policy_id) REFERENCES elecbill.dunning_policy (org_id, id),
	CONSTRAINT dunning_case_closed_check CHECK (closed_on IS NULL OR supply = 'on')
) WITH (fillfactor = 70);
CREATE UNIQUE INDEX dunning_case_open_key ON elecbill.dunning_case (account_id) WHERE closed_on IS NULL;
CREATE INDEX dunning_case_account_idx ON elecbill.dunning_case (org_id, account_id);
CREATE INDEX dunning_case_policy_idx ON elecbill.dunning_case (org_id, policy_id);
COMMENT ON TABLE elecbill.dunning_case IS 'an account in arrears, from its first overdue day that a run saw until all is paid';
COMMENT ON COLUMN elecbill.dunning_case.id IS 'internal key';
COMMENT ON COLUMN elecbill.dunning_case.org_id IS 'owner';
COMMENT ON COLUMN elecbill.dunning_case.account_id IS 'who is in arrears; one open case each';
COMMENT ON COLUMN elecbill.dunning_case.policy_id IS 'policy that was in force when it began';
COMMENT ON COLUMN elecbill.dunning_case.opened_on IS 'local day on which it began';
COMMENT ON COLUMN elecbill.dunning_case.step IS 'the last step that was taken; 0: none';
COMMENT ON COLUMN elecbill.dunning_case.step_at IS 'when';
COMMENT ON COLUMN elecbill.dunning_case.supply IS 'on; ordered: it is to be cut off; off; reconnect: it is to be switched on again';
COMMENT ON COLUMN elecbill.dunning_case.orders IS 'how often something was ordered; makes the keys of orders';
COMMENT ON COLUMN elecbill.dunning_case.commands IS 'device_command.id of the last orders';
COMMENT ON COLUMN elecbill.dunning_case.reason IS
'why the next step was not taken when it was last looked at: not_due, notice_runs, no_dun, prepaid, plan, below_minimum, medical, priority_point, no_meter, holiday, night, ordered, off, reconnect, no_step (there is none), paid; step: one was taken, the next run takes the next';
COMMENT ON COLUMN elecbill.dunning_case.judged_at IS 'when that was';
COMMENT ON COLUMN elecbill.dunning_case.closed_on IS 'local day on which nothing overdue was open any more, and supply is on';
COMMENT ON INDEX elecbill.dunning_case_open_key IS 'one open case of an account';
COMMENT ON INDEX elecbill.dunning_case_account_idx IS 'cases of an account';
COMMENT ON INDEX elecbill.dunning_case_policy_idx IS 'cases of a policy';

CREATE TABLE elecbill.dunning_action (
	id			bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT dunning_action_pkey PRIMARY KEY,
	org_id		integer NOT NULL,
	case_id		bigint NOT NULL,
	n			smallint,
	action		text NOT NULL CONSTRAINT dunning_action_action_check
				CHECK (action IN ('remind', 'notice', 'last_notice', 'disconnect', 'reconnect')),
	due_at		timestamptz NOT NULL,
	done_at		timestamptz NOT NULL DEFAULT elecbill.now(),
	days_overdue integer,
	overdue		numeric(14,2) NOT NULL,
	commands	bigint[] NOT NULL DEFAULT '{}',
	CONSTRAINT dunning_action_case_fkey FOREIGN KEY (org_id, case_id) REFERENCES elecbill.dunning_case (org_id, id)
);
CREATE INDEX dunning_action_case_idx ON elecbill.dunning_action (org_id, case_id, id);
COMMENT ON TABLE elecbill.dunning_action IS 'what was done in a case; never changed';
COMMENT ON COLUMN elecbill.dunning_action.id IS 'internal key';
COMMENT ON COLUMN elecbill.dunning_action.org_id IS 'owner';
COMMENT ON COLUMN elecbill.dunning_action.case_id IS 'the case';
COMMENT ON COLUMN elecbill.dunning_action.n IS 'number of the step; NULL: reconnect';
COMMENT ON COLUMN elecbill.dunning_action.action IS 'remind, notice, last_notice, disconnect (ordered), reconnect (ordered)';
COMMENT ON COLUMN elecbill.dunning_action.due_at IS 'when it could be done first';
COMMENT ON COLUMN elecbill.dunning_action.done_at IS 'when it was done';
COMMENT ON COLUMN elecbill.dunning_action.days_overdue IS 'how long the oldest open bill was overdue';
COMMENT ON COLUMN elecbill.dunning_action.overdue IS 'what was overdue then, in the currency of the org, late fees apart';
COMMENT ON COLUMN elecbill.dunning_action.commands IS 'device_command.id of the orders';
COMMENT ON INDEX elecbill.dunning_action_case_idx IS 'what was done in a case';
CREATE TRIGGER dunning_action_keep BEFORE UPDATE OR DELETE ON elecbill.dunning_action
	FOR EACH ROW EXECUTE FUNCTION elecbill._append_only();
COMMENT ON TRIGGER dunning_action_keep ON elecbill.dunning_action IS 'no UPDATE, no DELETE';
CREATE TRIGGER dunning_action_keep_all BEFORE TRUNCATE ON elecbill.dunning_action
	FOR EACH STATEMENT EXECUTE FUNCTION elecbill._append_only();
COMMENT ON TRIGGER dunning_action_keep_all ON elecbill.dunning_action IS 'no TRUNCATE';

-- ---------------------------------------------------------------- policies

CREATE FUNCTION elecbill._dunning_default(p_kind text) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE p_kind WHEN 'person' THEN jsonb '[{"action": "remind", "days": 1}, {"action": "remind", "days": 15, "wait": "7 days"},
	{"action": "notice", "days": 31, "wait": "1 day"}, {"action": "disconnect", "days": 38, "wait": "7 days"}]'
	ELSE jsonb '[{"action": "remind", "days": 1}, {"action": "remind", "days": 15, "wait": "7 days"},
	{"action": "notice", "days": 31, "wait": "1 day"}, {"action": "last_notice", "days": 34, "wait": "3 days"},
	{"action": "disconnect", "days": 34, "wait": "1 hour"}]' END;
COMMENT ON FUNCTION elecbill._dunning_default(text) IS 'steps that dunning_policy_set() takes when it is given none: those of the supply regulations';

CREATE FUNCTION elecbill._dunning_steps(p_kind text, p_steps jsonb) RETURNS SETOF elecbill.dunning_step
LANGUAGE plpgsql STABLE ROWS 5 SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN QUERY
	SELECT NULL::bigint, s.n::smallint, NULL::integer, s.one ->> 'action', (s.one ->> 'days')::smallint,
		coalesce(s.one ->> 'wait', '0')::interval
	FROM jsonb_array_elements(coalesce(p_steps, elecbill._dunning_default(p_kind))) WITH ORDINALITY AS s(one, n);
EXCEPTION WHEN data_exception THEN
	RAISE EXCEPTION USING
		ERRCODE = 'UB400',
		MESSAGE = 'steps are an array such as [{"action": "remind", "days": 1}, {"action": "notice", "days": 31, "wait": "7 days"}]',
		DETAIL = SQLERRM;
END $$;
COMMENT ON FUNCTION elecbill._dunning_steps(text, jsonb) IS 'steps from their JSON; UB400';

CREATE FUNCTION elecbill._dunning_lawful(p_kind text, p_steps elecbill.dunning_step[]) RETURNS text
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	cut integer := (SELECT min(s.n) FROM unnest(p_steps) AS s WHERE s.action = 'disconnect');
	notice integer := (SELECT max(s.n) FROM unnest(p_steps) AS s WHERE s.action = 'notice');
	waits interval := (SELECT sum(s.wait) FROM unnest(p_steps) AS s WHERE s.n > notice);
BEGIN
	RETURN CASE
		WHEN cut IS NULL AND EXISTS (SELECT FROM unnest(p_steps) AS s WHERE s.action IN ('notice', 'last_notice'))
			THEN 'a notice without a disconnection to come'
		WHEN cut IS NULL THEN NULL
		WHEN cut <> cardinality(p_steps) THEN 'disconnect is the last step'
		WHEN p_steps[cut].days_overdue <= 30 THEN 'supply is cut off after more than 30 days overdue'
		WHEN p_steps[1].action <> 'remind' THEN 'who is disconnected was reminded before'
		WHEN notice IS NULL THEN 'who is disconnected had notice of it'
		WHEN p_kind = 'person' AND waits < interval '7 days' THEN 'residents have 7 days of notice'
		WHEN p_kind = 'company' AND waits < interval '3 days' THEN 'others have 3 days of notice'
		WHEN p_kind = 'company' AND (p_steps[cut - 1].action <> 'last_notice' OR p_steps[cut].wait <> interval '1 hour')
			THEN 'others are told again an hour before' END;
END $$;
COMMENT ON FUNCTION elecbill._dunning_lawful(text, elecbill.dunning_step[]) IS 'what is wrong with steps by the supply regulations; NULL: nothing';

CREATE FUNCTION elecbill._dunning_policy_set(p_org text, p_kind text, p_steps jsonb, p_min numeric, p_from time, p_until time)
RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	owner integer := elecbill._org_get(p_org);
	steps elecbill.dunning_step[];
	fault text;
	made bigint;
BEGIN
	IF p_kind IN ('person', 'company') IS NOT TRUE OR p_min BETWEEN 0 AND 999999999 IS NOT TRUE OR p_from < p_until IS NOT TRUE THEN
		RAISE EXCEPTION USING ERRCODE = 'UB400',
			MESSAGE = 'a dunning policy needs person or company, an amount of 0 or more, and the hours of a day';
	END IF;
	steps := ARRAY(SELECT s FROM elecbill._dunning_steps(p_kind, p_steps) AS s);
	fault := CASE WHEN cardinality(steps) NOT BETWEEN 1 AND 20 THEN 'there are 1 to 20 steps'
		WHEN EXISTS (SELECT FROM unnest(steps) AS s WHERE s.days_overdue BETWEEN 1 AND 3660 IS NOT TRUE
			OR s.wait BETWEEN interval '0' AND interval '1 year' IS NOT TRUE
			OR s.action IN ('remind', 'notice', 'last_notice', 'disconnect') IS NOT TRUE)
			THEN 'a step is remind, notice, last_notice or disconnect, 1 to 3660 days overdue, up to a year after the one before'
		ELSE elecbill._dunning_lawful(p_kind, steps) END;
	IF fault IS NOT NULL THEN
		RAISE EXCEPTION USING ERRCODE = 'UB400', MESSAGE = 'these steps cannot be', DETAIL = fault;
	END IF;
	PERFORM FROM elecbill.org o WHERE o.id = owner FOR NO KEY UPDATE;	/* one change at a time */
	UPDATE elecbill.dunning_policy p SET known = tstzrange(lower(p.known), greatest(elecbill.now(), lower(p.known) + interval '1 microsecond'))
	WHERE p.org_id = owner AND p.kind = p_kind AND upper_inf(p.known);
	INSERT INTO elecbill.dunning_policy (org_id, kind, known, min_amount, cut_from, cut_until)
	SELECT owner, p_kind, tstzrange(greatest(elecbill.now(), max(upper(p.known))), NULL), p_min, p_from, p_until
	FROM elecbill.dunning_policy p WHERE p.org_id = owner AND p.kind = p_kind
	RETURNING id INTO made;
	INSERT INTO elecbill.dunning_step (policy_id, n, org_id, action, days_overdue, wait)
	SELECT made, s.n, owner, s.action, s.days_overdue, s.wait FROM unnest(steps) AS s;
	PERFORM elecbill._audit(owner, 'dunning_policy_set', p_kind, NULL, coalesce(p_steps, elecbill._dunning_default(p_kind)));
END $$;
COMMENT ON FUNCTION elecbill._dunning_policy_set(text, text, jsonb, numeric, time, time) IS 'what dunning_policy_set() does';

CREATE FUNCTION elecbill.dunning_policy_set(org text, kind text, steps jsonb DEFAULT NULL, min_amount numeric DEFAULT 10.00,
	cut_from time DEFAULT '09:00', cut_until time DEFAULT '17:00') RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET intervalstyle = 'postgres' AS $$
BEGIN
	PERFORM elecbill._dunning_policy_set(org, kind, steps, min_amount, cut_from, cut_until);
EXCEPTION WHEN OTHERS THEN
	PERFORM elecbill._refused(org, 'dunning_policy_set', kind, SQLSTATE, SQLERRM);
	RAISE;
END $$;
COMMENT ON FUNCTION elecbill.dunning_policy_set(text, text, jsonb, numeric, time, time) IS
'how an org duns a kind of customer (person or company) from now on; cases that run go on as they began. steps: [{"action": "remind", "days": 1}, ...] in order, with days overdue and "wait" after the step before; NULL: reminders on day 1 and 15, notice on day 31, and supply cut off 7 days (companies: 3 days, and told again an hour before) after that. Within local hours of working days only. UB400 steps that the supply regulations forbid, UB404';
