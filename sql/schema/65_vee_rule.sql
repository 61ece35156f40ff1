-- 65_vee_rule.sql: the rules of validation and estimation, what they found, and how often they were right
--
-- The numbers of a rule are a row of its org, in versions: an exception names the version that found it. A rule
-- that flags too much is ignored by those who should look: vee_rule_hits says how often it was right.

CREATE TABLE elecbill.vee_rule (
	org_id		integer NOT NULL CONSTRAINT vee_rule_org_fkey REFERENCES elecbill.org,
	code		text NOT NULL CONSTRAINT vee_rule_code_check CHECK (code ~ '^[VE][0-9]{2}$'),
	version		integer NOT NULL CONSTRAINT vee_rule_version_check CHECK (version > 0),
	severity	text NOT NULL CONSTRAINT vee_rule_severity_check
				CHECK (severity IN ('info', 'warn', 'review', 'hold', 'reject')),
	enabled		boolean NOT NULL DEFAULT true,
	params		jsonb NOT NULL CONSTRAINT vee_rule_params_check CHECK (jsonb_typeof(params) = 'object'),
	known		tstzrange NOT NULL CONSTRAINT vee_rule_known_check CHECK (NOT isempty(known) AND NOT lower_inf(known)),
	created_by	text NOT NULL DEFAULT elecbill.current_login(),
	CONSTRAINT vee_rule_pkey PRIMARY KEY (org_id, code, version)
);
CREATE UNIQUE INDEX vee_rule_now_key ON elecbill.vee_rule (org_id, code) WHERE upper_inf(known);
COMMENT ON TABLE elecbill.vee_rule IS 'rules for readings: V01 to V13 find what is wrong, E01 says how missing ones are estimated, E02 what people may correct alone. vee_rule_set() writes it';
COMMENT ON COLUMN elecbill.vee_rule.org_id IS 'owner';
COMMENT ON COLUMN elecbill.vee_rule.code IS 'the rule; label() has its name';
COMMENT ON COLUMN elecbill.vee_rule.version IS 'from 1; the newest counts';
COMMENT ON COLUMN elecbill.vee_rule.severity IS 'info, warn, review (look at it), hold (the bill waits for a decision), reject (the value is no reading)';
COMMENT ON COLUMN elecbill.vee_rule.enabled IS 'whether it looks at all; V01, V04 and V13 refuse in any case, and are silent then';
COMMENT ON COLUMN elecbill.vee_rule.params IS 'its numbers: _kwh and kwh in kWh, _s in seconds, percent, factor, low and high are ratios';
COMMENT ON COLUMN elecbill.vee_rule.known IS 'when it counted';
COMMENT ON COLUMN elecbill.vee_rule.created_by IS 'who set it';
COMMENT ON INDEX elecbill.vee_rule_now_key IS 'one version of a rule counts';

CREATE FUNCTION elecbill._vee_default() RETURNS TABLE (code text, severity text, params jsonb)
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT v.code, v.severity, v.params FROM (VALUES
		('V01', 'warn', jsonb '{}'),
		('V02', 'hold', '{}'),
		('V03', 'info', '{}'),
		('V04', 'reject', '{}'),
		('V05', 'hold', '{"factor": 1.2, "max_w": 69000}'),
		('V06', 'review', '{"low": 0.3, "high": 3.0, "kwh": 20, "cycles": 3}'),
		('V07', 'review', '{"cycles": 2}'),
		('V08', 'review', '{"percent": 180, "kwh": 0.5}'),
		('V09', 'warn', '{"cycles": 3}'),
		('V10', 'warn', '{"warn_s": 300, "hold_s": 1800}'),
		('V11', 'review', '{"percent": 1, "lsb": 2, "tou_lsb": 1}'),
		('V12', 'review', '{"kwh": 0.5}'),
		('V13', 'reject', '{}'),
		('E01', 'info', '{"linear_s": 7200, "days": 28, "cycles": 3}'),
		('E02', 'info', '{"second_kwh": 100, "second_rows": 100}')) AS v(code, severity, params);
END;
COMMENT ON FUNCTION elecbill._vee_default() IS 'the rules a new org begins with. V05 max_w: most power of a meter whose model does not say it (100 A, 230 V, three phases); V03: the bounds are those of register_delta()';

CREATE FUNCTION elecbill._vee_rule_open() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	INSERT INTO elecbill.vee_rule (org_id, code, version, severity, params, known)
	SELECT NEW.id, d.code, 1, d.severity, d.params, tstzrange(elecbill.now(), NULL) FROM elecbill._vee_default() AS d;
	RETURN NULL;
END $$;
COMMENT ON FUNCTION elecbill._vee_rule_open() IS 'trigger of org: each has its rules';
CREATE TRIGGER org_vee_rule AFTER INSERT ON elecbill.org
	FOR EACH ROW EXECUTE FUNCTION elecbill._vee_rule_open();
COMMENT ON TRIGGER org_vee_rule ON elecbill.org IS 'each org has its rules';

CREATE FUNCTION elecbill._vee_rule_keep() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF TG_OP = 'UPDATE' AND to_jsonb(NEW) - 'known' = to_jsonb(OLD) - 'known'
		AND upper_inf(OLD.known) AND lower(NEW.known) = lower(OLD.known)
	THEN
		RETURN NEW;
	END IF;
	RAISE EXCEPTION 'rules change only by a new version'
		USING ERRCODE = 'UB403', DETAIL = format('%s would change a rule that exceptions name.', TG_OP),
			  HINT = 'Call vee_rule_set().';
END $$;
COMMENT ON FUNCTION elecbill._vee_rule_keep() IS 'trigger of vee_rule: a version ends, nothing else (UB403)';
CREATE TRIGGER vee_rule_keep BEFORE UPDATE OR DELETE ON elecbill.vee_rule
	FOR EACH ROW EXECUTE FUNCTION elecbill._vee_rule_keep();
CREATE TRIGGER vee_rule_keep_all BEFORE TRUNCATE ON elecbill.vee_rule
	FOR EACH STATEMENT EXECUTE FUNCTION elecbill._vee_rule_keep();
COMMENT ON TRIGGER vee_rule_keep ON elecbill.vee_rule IS 'history stays';
COMMENT ON TRIGGER vee_rule_keep_all ON elecbill.vee_rule IS 'no TRUNCATE';

CREATE FUNCTION elecbill._vee_rule(p_org integer, p_code text) RETURNS elecbill.vee_rule
LANGUAGE sql STABLE
BEGIN ATOMIC
	SELECT r.* FROM elecbill.vee_rule AS r WHERE r.org_id = p_org AND r.code = p_code AND upper_inf(r.known);
END;
COMMENT ON FUNCTION elecbill._vee_rule(integer, text) IS 'a rule of an org as it counts today';

CREATE FUNCTION elecbill.vee_rule_set(org text, rule text, params jsonb DEFAULT '{}', severity text DEFAULT NULL,
	enabled boolean DEFAULT NULL) RETURNS integer
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	owner	integer := elecbill._org_get(org);
	old		elecbill.vee_rule;
	new		elecbill.vee_rule;
BEGIN
	SELECT r.* INTO old FROM elecbill.vee_rule AS r
	WHERE r.org_id = owner AND r.code = rule AND upper_inf(r.known) FOR UPDATE;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'there is no rule %', quote_nullable(rule)
			USING ERRCODE = 'UB404', HINT = 'The rules are V01 to V13, E01 and E02.';
	END IF;
	IF jsonb_typeof(params) = 'object' IS NOT TRUE OR EXISTS (
		SELECT FROM jsonb_each(params) AS e WHERE NOT old.params ? e.key OR jsonb_typeof(e.value) <> 'number'
			OR (e.value #>> '{}')::numeric NOT BETWEEN 0 AND 1000000000)
	THEN
		RAISE EXCEPTION 'rule % takes numbers from 0 to 1000000000 for: %', rule,
			coalesce((SELECT string_agg(k, ', ' ORDER BY k) FROM jsonb_object_keys(old.params) AS k), 'nothing')
			USING ERRCODE = 'UB400', DETAIL = format('The value is %s.', coalesce(params::text, 'NULL'));
	ELSIF severity NOT IN ('info', 'warn', 'review', 'hold', 'reject') THEN
		RAISE EXCEPTION 'unknown severity %', quote_literal(severity)
			USING ERRCODE = 'UB400', HINT = 'Use info, warn, review, hold or reject.';
	ELSIF 'reject' IN (severity, old.severity) AND severity <> old.severity THEN
		RAISE EXCEPTION 'rule % % values, that does not change', rule,
			CASE old.severity WHEN 'reject' THEN 'refuses' ELSE 'does not refuse' END USING ERRCODE = 'UB400';
	END IF;
	new := old;
	new.params := old.params || vee_rule_set.params;
	new.severity := coalesce(vee_rule_set.severity, old.severity);
	new.enabled := coalesce(vee_rule_set.enabled, old.enabled);
	IF new IS NOT DISTINCT FROM old THEN
		RETURN old.version;
	END IF;
	new.version := old.version + 1;
	new.known := tstzrange(greatest(elecbill.now(), lower(old.known) + interval '1 microsecond'), NULL);
	new.created_by := elecbill.current_login();
	UPDATE elecbill.vee_rule AS r SET known = tstzrange(lower(r.known), lower(new.known))
	WHERE r.org_id = owner AND r.code = rule AND r.version = old.version;
	INSERT INTO elecbill.vee_rule SELECT new.*;
	PERFORM elecbill._audit(owner, 'vee_rule_set', rule, to_jsonb(old) - 'known', to_jsonb(new) - 'known');
	RETURN new.version;
END $$;
COMMENT ON FUNCTION elecbill.vee_rule_set(text, text, jsonb, text, boolean) IS 'changes numbers, severity or the use of a rule of an org from now on; what is not given stays. Returns its version; the same call again makes none. UB400, UB404';

CREATE TABLE elecbill.vee_exception (
	id			bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT vee_exception_pkey PRIMARY KEY,
	org_id		integer NOT NULL,
	rule		text NOT NULL,
	rule_version integer NOT NULL,
	severity	text NOT NULL CONSTRAINT vee_exception_severity_check
				CHECK (severity IN ('info', 'warn', 'review', 'hold', 'reject')),
	usage_point_id bigint,
	register_id	bigint CONSTRAINT vee_exception_register_fkey REFERENCES elecbill.meter_register,
	during		tstzrange NOT NULL CONSTRAINT vee_exception_during_check CHECK (NOT isempty(during) AND NOT lower_inf(during)),
	score		numeric NOT NULL CONSTRAINT vee_exception_score_check CHECK (score >= 0),
	detail		jsonb NOT NULL CONSTRAINT vee_exception_detail_check CHECK (jsonb_typeof(detail) = 'object'),
	created_at	timestamptz NOT NULL DEFAULT elecbill.now(),
	state		text NOT NULL DEFAULT 'open' CONSTRAINT vee_exception_state_check
				CHECK (state IN ('open', 'accepted', 'rejected', 'corrected')),
	decided_by	text,
	decided_at	timestamptz,
	note		text,
	CONSTRAINT vee_exception_org_id_key UNIQUE (org_id, id),
	CONSTRAINT vee_exception_rule_fkey FOREIGN KEY (org_id, rule, rule_version)
		REFERENCES elecbill.vee_rule (org_id, code, version),
	CONSTRAINT vee_exception_usage_point_fkey FOREIGN KEY (org_id, usage_point_id)
		REFERENCES elecbill.usage_point (org_id, id),
	CONSTRAINT vee_exception_decided_check CHECK (
		(state = 'open') = (decided_at IS NULL) AND (state = 'open') = (decided_by IS NULL))
) WITH (fillfactor = 90);
CREATE UNIQUE INDEX vee_exception_once_key ON elecbill.vee_exception
	(org_id, rule, usage_point_id, register_id, lower(during), upper(during)) NULLS NOT DISTINCT;
CREATE INDEX vee_exception_open_idx ON elecbill.vee_exception (usage_point_id) WHERE state = 'open';
CREATE INDEX vee_exception_usage_point_idx ON elecbill.vee_exception (usage_point_id) WHERE usage_point_id IS NOT NULL;
CREATE INDEX vee_exception_register_idx ON elecbill.vee_exception (register_id) WHERE register_id IS NOT NULL;
CREATE INDEX vee_exception_rule_idx ON elecbill.vee_exception (org_id, rule, rule_version);
COMMENT ON TABLE elecbill.vee_exception IS 'what a rule got. It stays: decided, or corrected when the reading is';
COMMENT ON COLUMN elecbill.vee_exception.id IS 'key; vee_decide() takes it';
COMMENT ON COLUMN elecbill.vee_exception.org_id IS 'owner';
COMMENT ON COLUMN elecbill.vee_exception.rule IS 'the rule';
COMMENT ON COLUMN elecbill.vee_exception.rule_version IS 'and its version then';
COMMENT ON COLUMN elecbill.vee_exception.severity IS 'of the rule then; hold: bills of the point wait for a decision. V10 and V12 say more than their rule where it is worse';
COMMENT ON COLUMN elecbill.vee_exception.usage_point_id IS 'the usage point; NULL: the meter is nowhere';
COMMENT ON COLUMN elecbill.vee_exception.register_id IS 'the register; NULL: the use of the point as a whole';
COMMENT ON COLUMN elecbill.vee_exception.during IS 'the interval that is strange, the last instant included; of a refused value the instant it said';
COMMENT ON COLUMN elecbill.vee_exception.score IS 'how far beyond the limit of the rule, as a ratio: 1 = just so; for what has no limit 1';
COMMENT ON COLUMN elecbill.vee_exception.detail IS 'the numbers: energy in kWh, power in kW, limits';
COMMENT ON COLUMN elecbill.vee_exception.created_at IS 'when it was found';
COMMENT ON COLUMN elecbill.vee_exception.state IS 'open; accepted: the value is right; rejected: it is wrong; corrected: it was put right';
COMMENT ON COLUMN elecbill.vee_exception.decided_by IS 'who decided';
COMMENT ON COLUMN elecbill.vee_exception.decided_at IS 'when';
COMMENT ON COLUMN elecbill.vee_exception.note IS 'why, for people';
COMMENT ON INDEX elecbill.vee_exception_once_key IS 'a rule finds a thing once';
COMMENT ON INDEX elecbill.vee_exception_open_idx IS 'what is open at a point';
COMMENT ON INDEX elecbill.vee_exception_usage_point_idx IS 'exceptions of a point';
COMMENT ON INDEX elecbill.vee_exception_register_idx IS 'exceptions of a register';
COMMENT ON INDEX elecbill.vee_exception_rule_idx IS 'exceptions of a rule';

CREATE FUNCTION elecbill._vee_exception_keep() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF TG_OP = 'UPDATE' AND OLD.state = 'open' AND to_jsonb(NEW) - '{state,decided_by,decided_at,note,severity}'::text[]
		= to_jsonb(OLD) - '{state,decided_by,decided_at,note,severity}'::text[]
	THEN
		RETURN NEW;
	ELSIF TG_OP = 'DELETE' AND elecbill._org_emptying(OLD.org_id) THEN
		RETURN OLD;
	END IF;
	RAISE EXCEPTION 'an exception is decided once, and stays'
		USING ERRCODE = 'UB412', DETAIL = format('It is %s.', OLD.state);
END $$;
COMMENT ON FUNCTION elecbill._vee_exception_keep() IS 'trigger of vee_exception: what was found stays, it is decided once (UB412)';
CREATE TRIGGER vee_exception_keep BEFORE UPDATE OR DELETE ON elecbill.vee_exception
	FOR EACH ROW EXECUTE FUNCTION elecbill._vee_exception_keep();
COMMENT ON TRIGGER vee_exception_keep ON elecbill.vee_exception IS 'decided once';

CREATE FUNCTION elecbill._register_point(p_register bigint, p_at timestamptz) RETURNS bigint
LANGUAGE sql STABLE
BEGIN ATOMIC
	SELECT i.usage_point_id FROM elecbill.meter_register AS g
	JOIN elecbill.meter_installation AS i ON i.meter_id = g.meter_id
	WHERE g.id = p_register AND lower(i.valid) <= p_at
	ORDER BY lower(i.valid) DESC LIMIT 1;
END;
COMMENT ON FUNCTION elecbill._register_point(bigint, timestamptz) IS 'the usage point a register measures at an instant, or measured last before it';

CREATE FUNCTION elecbill._vee_raise(p_org integer, p_rule text, p_point bigint, p_register bigint, p_during tstzrange,
	p_score numeric, p_detail jsonb, p_severity text DEFAULT NULL) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	INSERT INTO elecbill.vee_exception (org_id, rule, rule_version, severity, usage_point_id, register_id, during, score, detail)
	SELECT p_org, r.code, r.version, coalesce(p_severity, r.severity), p_point, p_register, p_during,
		round(least(p_score, 1000000), 3), p_detail
	FROM elecbill.vee_rule AS r
	WHERE r.org_id = p_org AND r.code = p_rule AND upper_inf(r.known) AND r.enabled
	ON CONFLICT DO NOTHING;
	RETURN FOUND;
END $$;
COMMENT ON FUNCTION elecbill._vee_raise(integer, text, bigint, bigint, tstzrange, numeric, jsonb, text) IS 'writes what a rule got; false: it was found before, or the rule does not look';

CREATE FUNCTION elecbill.vee_decide(exception bigint, decision text, note text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	got	elecbill.vee_exception;
BEGIN
	IF decision IN ('accepted', 'rejected') IS NOT TRUE OR note ~ '\S' IS NOT TRUE THEN
		RAISE EXCEPTION 'a decision is accepted or rejected, with a note why'
			USING ERRCODE = 'UB400', DETAIL = format('The value is %s.', quote_nullable(decision));
	END IF;
	SELECT e.* INTO got FROM elecbill.vee_exception AS e WHERE e.id = exception FOR UPDATE;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'there is no exception %', coalesce(exception::text, 'NULL') USING ERRCODE = 'UB404';
	END IF;
	PERFORM elecbill._org_get((SELECT o.code FROM elecbill.org AS o WHERE o.id = got.org_id));
	IF got.state = decision THEN
		RETURN;
	ELSIF got.state <> 'open' THEN
		RAISE EXCEPTION 'the exception is % already', got.state
			USING ERRCODE = 'UB412', DETAIL = format('By %s.', got.decided_by);
	END IF;
	UPDATE elecbill.vee_exception AS e SET state = decision, decided_by = elecbill.current_login(), decided_at = elecbill.now(),
		note = vee_decide.note
	WHERE e.id = got.id;
	PERFORM elecbill._audit(got.org_id, 'vee_decide', format('%s #%s', got.rule, got.id), jsonb '{"state": "open"}',
		jsonb_build_object('state', decision, 'note', note));
END $$;
COMMENT ON FUNCTION elecbill.vee_decide(bigint, text, text) IS 'decides an exception of vee_open: accepted (the values are right, they count as they are) or rejected (they are wrong: correct_reading(), reading_void() or estimate_gap() put them right), with a note. UB400, UB404, UB412 decided otherwise';

CREATE FUNCTION elecbill._vee_hold(p_account bigint, p_period daterange) RETURNS bigint
LANGUAGE sql STABLE
BEGIN ATOMIC
	SELECT count(*)
	FROM elecbill.customer_agreement AS g
	JOIN elecbill.org AS o ON o.id = g.org_id
	JOIN elecbill.vee_exception AS e ON e.usage_point_id = g.usage_point_id AND e.state = 'open' AND e.severity = 'hold'
	CROSS JOIN LATERAL (SELECT g.valid * p_period) AS d(days)
	WHERE g.account_id = p_account AND g.valid && p_period
		AND e.during && tstzrange(elecbill.day_start(lower(d.days), o.zone), elecbill.day_start(upper(d.days), o.zone), '(]');
END;
COMMENT ON FUNCTION elecbill._vee_hold(bigint, daterange) IS 'how many open exceptions of severity hold there are at the points of an account in its days of a period: its bill waits for them';

CREATE VIEW elecbill.vee_open WITH (security_invoker = true) AS
SELECT e.id, o.code AS org, u.code AS usage_point, m.serial AS meter, g.code AS register, a.account_no, e.rule, e.severity,
	e.score, lower(e.during) AS from_at, upper(e.during) AS to_at, e.detail, e.created_at, e.org_id
FROM elecbill.vee_exception AS e
JOIN elecbill.org AS o ON o.id = e.org_id
LEFT JOIN elecbill.usage_point AS u ON u.id = e.usage_point_id
LEFT JOIN elecbill.meter_register AS g ON g.id = e.register_id
LEFT JOIN elecbill.meter AS m ON m.id = g.meter_id
LEFT JOIN elecbill.customer_agreement AS c ON c.usage_point_id = e.usage_point_id
	AND c.valid @> (coalesce(upper(e.during), lower(e.during)) AT TIME ZONE o.zone)::date
LEFT JOIN elecbill.customer_account AS a ON a.id = c.account_id
WHERE e.state = 'open';
COMMENT ON VIEW elecbill.vee_open IS 'what the rules found and nobody has decided, the worst first by severity and score';
COMMENT ON COLUMN elecbill.vee_open.id IS 'for vee_decide()';
COMMENT ON COLUMN elecbill.vee_open.org IS 'code of the org';
COMMENT ON COLUMN elecbill.vee_open.usage_point IS 'where';
COMMENT ON COLUMN elecbill.vee_open.meter IS 'serial; NULL: the point as a whole';
COMMENT ON COLUMN elecbill.vee_open.register IS 'OBIS code';
COMMENT ON COLUMN elecbill.vee_open.account_no IS 'who pays there; NULL: nobody';
COMMENT ON COLUMN elecbill.vee_open.rule IS 'the rule; label() has its name';
COMMENT ON COLUMN elecbill.vee_open.severity IS 'as in vee_exception';
COMMENT ON COLUMN elecbill.vee_open.score IS 'as in vee_exception';
COMMENT ON COLUMN elecbill.vee_open.from_at IS 'beginning of what is strange';
COMMENT ON COLUMN elecbill.vee_open.to_at IS 'its end';
COMMENT ON COLUMN elecbill.vee_open.detail IS 'the numbers';
COMMENT ON COLUMN elecbill.vee_open.created_at IS 'when it was found';
COMMENT ON COLUMN elecbill.vee_open.org_id IS 'owner';

CREATE VIEW elecbill.vee_rule_hits WITH (security_invoker = true) AS
SELECT o.code AS org, r.code AS rule, r.version, r.severity, r.enabled, r.params, count(e.id) AS hits,
	count(e.id) FILTER (WHERE e.state = 'open') AS open,
	count(e.id) FILTER (WHERE e.state = 'accepted') AS accepted,
	count(e.id) FILTER (WHERE e.state IN ('rejected', 'corrected')) AS confirmed,
	round(100.0 * count(e.id) FILTER (WHERE e.state IN ('rejected', 'corrected'))
		/ nullif(count(e.id) FILTER (WHERE e.state <> 'open'), 0), 1) AS hit_rate,
	max(e.score) AS top_score, max(e.created_at) AS last_at, r.org_id
FROM elecbill.vee_rule AS r
JOIN elecbill.org AS o ON o.id = r.org_id
LEFT JOIN elecbill.vee_exception AS e ON e.org_id = r.org_id AND e.rule = r.code
WHERE upper_inf(r.known) AND r.code LIKE 'V%'
GROUP BY o.code, r.org_id, r.code, r.version;
COMMENT ON VIEW elecbill.vee_rule_hits IS 'what each rule has found, and how often it was right: a rule with many hits and a low rate needs other numbers';
COMMENT ON COLUMN elecbill.vee_rule_hits.org IS 'code of the org';
COMMENT ON COLUMN elecbill.vee_rule_hits.rule IS 'the rule';
COMMENT ON COLUMN elecbill.vee_rule_hits.version IS 'that counts';
COMMENT ON COLUMN elecbill.vee_rule_hits.severity IS 'of it';
COMMENT ON COLUMN elecbill.vee_rule_hits.enabled IS 'whether it looks';
COMMENT ON COLUMN elecbill.vee_rule_hits.params IS 'its numbers';
COMMENT ON COLUMN elecbill.vee_rule_hits.hits IS 'exceptions, of all versions';
COMMENT ON COLUMN elecbill.vee_rule_hits.open IS 'nobody has decided';
COMMENT ON COLUMN elecbill.vee_rule_hits.accepted IS 'the values were right';
COMMENT ON COLUMN elecbill.vee_rule_hits.confirmed IS 'they were wrong: rejected or corrected';
COMMENT ON COLUMN elecbill.vee_rule_hits.hit_rate IS 'percent of the decided ones that were wrong; NULL: none is decided';
COMMENT ON COLUMN elecbill.vee_rule_hits.top_score IS 'the highest score';
COMMENT ON COLUMN elecbill.vee_rule_hits.last_at IS 'when it found something last';
COMMENT ON COLUMN elecbill.vee_rule_hits.org_id IS 'owner';
