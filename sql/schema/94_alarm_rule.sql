-- 94_alarm_rule.sql: what raises an alarm, whom it is told, and what people do with it
--
-- Alarms are raised where something happens (48_rolling.sql, 49_watch.sql, 76_payment_order.sql, 93_job.sql), and for
-- what has to be looked for by the job alarm_check, by the rules of this file. The alarms of a rule that looks end
-- when it finds their cause no more; those of an event stay until somebody closes them.

CREATE TABLE elecbill.alarm_rule (
	id			bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT alarm_rule_pkey PRIMARY KEY,
	org_id		integer NOT NULL CONSTRAINT alarm_rule_org_fkey REFERENCES elecbill.org,
	code		text NOT NULL CONSTRAINT alarm_rule_code_check CHECK (code ~ '^[a-z][a-z0-9_]{0,62}$'),
	severity	text NOT NULL CONSTRAINT alarm_rule_severity_check CHECK (severity IN ('info', 'warn', 'error')),
	params		jsonb NOT NULL DEFAULT '{}' CONSTRAINT alarm_rule_params_check CHECK (jsonb_typeof(params) = 'object'),
	span		interval NOT NULL CONSTRAINT alarm_rule_span_check CHECK (span >= '0' AND span <= '400 days'),
	action		text NOT NULL CONSTRAINT alarm_rule_action_check CHECK (action IN ('record', 'tell')),
	enabled		boolean NOT NULL DEFAULT true,
	valid		daterange NOT NULL CONSTRAINT alarm_rule_valid_check CHECK (NOT isempty(valid) AND NOT lower_inf(valid)),
	created_by	text NOT NULL DEFAULT elecbill.current_login(),
	-- the hash stands in for the code: core GiST has ranges but no text
	CONSTRAINT alarm_rule_overlap EXCLUDE USING gist (
		int8range(org_id, org_id, '[]') WITH &&,
		int8range(hashtextextended(code, 0) / 2, hashtextextended(code, 0) / 2, '[]') WITH &&, valid WITH &&)
);
CREATE INDEX alarm_rule_org_idx ON elecbill.alarm_rule (org_id, code);
COMMENT ON TABLE elecbill.alarm_rule IS 'rules for alarms of an org, with what they were before; alarm_rule_set() writes it. Alarms without a rule are recorded';
COMMENT ON COLUMN elecbill.alarm_rule.id IS 'internal key';
COMMENT ON COLUMN elecbill.alarm_rule.org_id IS 'owner';
COMMENT ON COLUMN elecbill.alarm_rule.code IS 'code of the alarms';
COMMENT ON COLUMN elecbill.alarm_rule.severity IS 'of the alarms that the rule raises; those raised elsewhere have their own';
COMMENT ON COLUMN elecbill.alarm_rule.params IS 'reading_gap: {slots} missing at a point; vee_open: {severity: [..], except: [rules]}; overdue_jump: {percent, amount}; shift_difference: {amount}';
COMMENT ON COLUMN elecbill.alarm_rule.span IS 'how far back the rule looks, or for how long it waits';
COMMENT ON COLUMN elecbill.alarm_rule.action IS 'record; tell: into outbox, too, topic alarm';
COMMENT ON COLUMN elecbill.alarm_rule.enabled IS 'whether the rule looks, and its alarms are told';
COMMENT ON COLUMN elecbill.alarm_rule.valid IS 'local days on which it counts';
COMMENT ON COLUMN elecbill.alarm_rule.created_by IS 'login of who set it so';
COMMENT ON INDEX elecbill.alarm_rule_org_idx IS 'rules of an org';

CREATE FUNCTION elecbill._alarm_default() RETURNS TABLE (code text, severity text, params jsonb, span interval, action text)
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT d.code, d.severity, d.params::jsonb, d.span::interval, d.action
	FROM (VALUES
		('reading_gap', 'warn', '{"slots": 4}', '0', 'record'),
		('vee_open', 'warn', '{"severity": ["warn", "review", "hold"], "except": ["V09", "V12"]}', '0', 'record'),
		('default_partition', 'error', '{}', '0', 'tell'),
		('overdue_jump', 'warn', '{"percent": 50, "amount": 1000}', '7 days', 'tell'),
		('shift_difference', 'warn', '{"amount": 0}', '31 days', 'tell'),
		('channel_difference', 'error', '{}', '31 days', 'tell'),
		('outbox_stuck', 'warn', '{}', '1 day', 'record'),
		('bill_parked', 'warn', '{}', '0', 'tell'),
		('collector_silent', 'error', '{}', '0', 'tell'), ('meter_silent', 'warn', '{}', '0', 'record'),
		('meter_foreign', 'error', '{}', '0', 'tell'), ('usage_limit', 'warn', '{}', '0', 'tell'),
		('order_unconfirmed', 'error', '{}', '0', 'tell'), ('energy_while_off', 'error', '{}', '0', 'tell'),
		('spool_full', 'error', '{}', '0', 'tell'), ('estimated_long', 'warn', '{}', '0', 'record'),
		('payment_unmatched', 'error', '{}', '0', 'tell'), ('payment_mismatch', 'error', '{}', '0', 'tell'),
		('payment_late', 'warn', '{}', '0', 'tell'), ('prepay_low', 'warn', '{}', '0', 'record'),
		('prepay_zero', 'error', '{}', '0', 'record'), ('job_failed', 'error', '{}', '0', 'tell'),
		('fsck_found', 'error', '{}', '0', 'tell')) AS d(code, severity, params, span, action);
END;
COMMENT ON FUNCTION elecbill._alarm_default() IS 'the rules for alarms that an org begins with';

CREATE FUNCTION elecbill._alarm_begin() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	INSERT INTO elecbill.alarm_rule (org_id, code, severity, params, span, action, valid)
	SELECT NEW.id, d.code, d.severity, d.params, d.span, d.action, daterange((elecbill.now() AT TIME ZONE NEW.zone)::date, NULL)
	FROM elecbill._alarm_default() AS d;
	RETURN NULL;
END $$;
COMMENT ON FUNCTION elecbill._alarm_begin() IS 'trigger of org: a new org has the usual rules for alarms';
CREATE TRIGGER org_alarm_rule AFTER INSERT ON elecbill.org FOR EACH ROW EXECUTE FUNCTION elecbill._alarm_begin();
COMMENT ON TRIGGER org_alarm_rule ON elecbill.org IS 'a new org has the usual rules for alarms';

CREATE FUNCTION elecbill._alarm_params_fault(p_code text, p_params jsonb) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT format('%s does not take %s: %s', p_code, e.key, e.value)
	FROM jsonb_each(CASE WHEN jsonb_typeof(p_params) = 'object' THEN p_params ELSE '{}' END) AS e
	WHERE CASE p_code || '.' || e.key
		WHEN 'reading_gap.slots' THEN NOT e.value::text ~ '^[1-9][0-9]{0,6}$'
		WHEN 'vee_open.severity' THEN jsonb_typeof(e.value) <> 'array' OR NOT e.value <@ '["info", "warn", "review", "hold", "reject"]'
		WHEN 'vee_open.except' THEN jsonb_typeof(e.value) <> 'array' OR NOT e.value::text ~ '^\[("V[0-9]{2}"(, )?)*\]$'
		WHEN 'overdue_jump.percent' THEN NOT e.value::text ~ '^[0-9]{1,5}$'
		WHEN 'overdue_jump.amount' THEN NOT e.value::text ~ '^[0-9]{1,12}([.][0-9]{1,2})?$'
		WHEN 'shift_difference.amount' THEN NOT e.value::text ~ '^[0-9]{1,12}([.][0-9]{1,2})?$'
		ELSE true END
	LIMIT 1;
END;
COMMENT ON FUNCTION elecbill._alarm_params_fault(text, jsonb) IS 'what is wrong with the parameters of a rule; NULL: nothing';

CREATE FUNCTION elecbill.alarm_rule_set(org text, code text, params jsonb DEFAULT NULL, severity text DEFAULT NULL,
	span interval DEFAULT NULL, action text DEFAULT NULL, enabled boolean DEFAULT NULL) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	owner integer := elecbill._org_get(org);
	today date := elecbill._today(owner);
	old elecbill.alarm_rule;
	fault text := elecbill._alarm_params_fault(code, coalesce(params, '{}'));
BEGIN
	SELECT * INTO old FROM elecbill.alarm_rule r WHERE r.org_id = owner AND r.code = alarm_rule_set.code AND upper_inf(r.valid)
	FOR UPDATE;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'there is no rule for alarms %', quote_nullable(code) USING ERRCODE = 'UB404',
			HINT = 'SELECT code FROM elecbill.alarm_rule lists them.';
	ELSIF fault IS NOT NULL OR severity NOT IN ('info', 'warn', 'error') OR action NOT IN ('record', 'tell')
		OR span NOT BETWEEN interval '0' AND interval '400 days' OR jsonb_typeof(params) <> 'object'
	THEN
		RAISE EXCEPTION 'a rule for alarms is not set so' USING ERRCODE = 'UB400',
			DETAIL = coalesce(fault, 'info, warn or error; record or tell; at most 400 days; an object of parameters.');
	END IF;
	-- a rule of today was hardly used
	IF lower(old.valid) >= today THEN
		DELETE FROM elecbill.alarm_rule r WHERE r.id = old.id;
	ELSE
		UPDATE elecbill.alarm_rule r SET valid = daterange(lower(r.valid), today) WHERE r.id = old.id;
	END IF;
	INSERT INTO elecbill.alarm_rule (org_id, code, severity, params, span, action, enabled, valid)
	VALUES (owner, old.code, coalesce(alarm_rule_set.severity, old.severity), old.params || coalesce(alarm_rule_set.params, '{}'),
		coalesce(alarm_rule_set.span, old.span), coalesce(alarm_rule_set.action, old.action),
		coalesce(alarm_rule_set.enabled, old.enabled), daterange(greatest(lower(old.valid), today), NULL));
	PERFORM elecbill._audit(owner, 'alarm_rule_set', code, to_jsonb(old) - '{id,org_id,valid}'::text[],
		(SELECT to_jsonb(r) - '{id,org_id,valid}'::text[] FROM elecbill.alarm_rule r
			WHERE r.org_id = owner AND r.code = old.code AND upper_inf(r.valid)));
END $$;
COMMENT ON FUNCTION elecbill.alarm_rule_set(text, text, jsonb, text, interval, text, boolean) IS
'changes a rule for alarms of an org from today on: its numbers, severity, span, whether its alarms are only recorded or told to somebody (outbox, topic alarm), whether it counts at all. What is not given stays. UB400, UB404';

-- ---------------------------------------------------------------- looking

CREATE FUNCTION elecbill._alarm_data(p_rule elecbill.alarm_rule)
RETURNS TABLE (object text, usage_point_id bigint, since timestamptz, details jsonb)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	CASE p_rule.code
	WHEN 'reading_gap' THEN
		RETURN QUERY SELECT u.code, u.id, elecbill.now(), jsonb_build_object('slots', sum((e.detail ->> 'missing')::numeric),
				'from', min(lower(e.during)))
			FROM elecbill.vee_exception e JOIN elecbill.usage_point u ON u.id = e.usage_point_id
			WHERE e.org_id = p_rule.org_id AND e.state = 'open' AND e.rule = 'V09' AND e.detail ? 'missing'
			GROUP BY u.id, u.code HAVING sum((e.detail ->> 'missing')::numeric) >= (p_rule.params ->> 'slots')::numeric;
	WHEN 'vee_open' THEN
		RETURN QUERY SELECT u.code || ' ' || e.rule, u.id, elecbill.now(), jsonb_build_object('rule', e.rule, 'score', max(e.score),
				'exceptions', count(*), 'from', min(lower(e.during)))
			FROM elecbill.vee_exception e JOIN elecbill.usage_point u ON u.id = e.usage_point_id
			WHERE e.org_id = p_rule.org_id AND e.state = 'open' AND p_rule.params -> 'severity' ? e.severity
				AND NOT p_rule.params -> 'except' ? e.rule
			GROUP BY u.id, u.code, e.rule;
	WHEN 'default_partition' THEN
		RETURN QUERY SELECT x.name, NULL::bigint, elecbill.now(), jsonb_build_object('rows', x.rows)
			FROM (SELECT 'reading_default' AS name, count(*) AS rows FROM elecbill.reading_default d WHERE d.org_id = p_rule.org_id
				UNION ALL SELECT 'profile_day_default', count(*) FROM elecbill.profile_day_default d WHERE d.org_id = p_rule.org_id) AS x
			WHERE x.rows > 0;
	WHEN 'outbox_stuck' THEN
		RETURN QUERY SELECT 'outbox', NULL::bigint, elecbill.now(), jsonb_build_object('notices', count(*), 'oldest', min(o.created_at))
			FROM elecbill.outbox o JOIN elecbill.org g ON g.id = o.org_id AND g.state = 'live'
			WHERE o.org_id = p_rule.org_id AND o.state IN ('pending', 'taken')
				AND o.created_at < elecbill.now() - p_rule.span
			HAVING count(*) > 0;
	ELSE
		RETURN QUERY SELECT 'run ' || r.id, NULL::bigint, elecbill.now(), jsonb_build_object('accounts', count(*), 'period', r.period)
			FROM elecbill.bill_exception e JOIN elecbill.bill_run r ON r.id = e.run_id
			WHERE r.org_id = p_rule.org_id AND e.state = 'parked' AND r.status <> 'cancelled'
			GROUP BY r.id;
	END CASE;
END $$;
COMMENT ON FUNCTION elecbill._alarm_data(elecbill.alarm_rule) IS 'what the rules reading_gap, vee_open, default_partition, outbox_stuck and bill_parked find now';

CREATE FUNCTION elecbill._alarm_money(p_rule elecbill.alarm_rule)
RETURNS TABLE (object text, usage_point_id bigint, since timestamptz, details jsonb)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	today date := elecbill._today(p_rule.org_id);
	before date := (today - p_rule.span)::date;
BEGIN
	CASE p_rule.code
	WHEN 'overdue_jump' THEN
		-- what was overdue then: open now, or paid since
		RETURN QUERY SELECT 'overdue', NULL::bigint, elecbill.now(), jsonb_build_object('overdue', x.now_open, 'before', x.then_open)
			FROM (SELECT coalesce(sum(b.amount - b.paid), 0.00) AS now_open,
					coalesce(sum(b.amount - b.paid) FILTER (WHERE b.due_on < before), 0) + coalesce(sum(p.amount) FILTER (WHERE b.due_on < before), 0)
						AS then_open
				FROM elecbill.bill b
				LEFT JOIN LATERAL (SELECT sum(a.amount) AS amount FROM elecbill.payment_allocation a JOIN elecbill.payment y ON y.id = a.payment_id
					WHERE a.bill_id = b.id AND a.component = 'bill' AND y.paid_at >= elecbill.now() - p_rule.span) AS p ON true
				WHERE b.org_id = p_rule.org_id AND b.due_on < today AND b.live AND b.number IS NOT NULL
					AND (b.status IN ('issued', 'partly_paid', 'overdue') OR b.status = 'paid' AND p.amount > 0)) AS x
			WHERE x.now_open - x.then_open >= greatest((p_rule.params ->> 'amount')::numeric,
				x.then_open * (p_rule.params ->> 'percent')::numeric / 100) AND x.now_open > x.then_open;
	WHEN 'shift_difference' THEN
		RETURN QUERY SELECT format('shift %s %s', s.id, s.operator), NULL::bigint, s.closed_at,
				jsonb_build_object('expected', s.expected, 'counted', s.counted, 'difference', s.difference)
			FROM elecbill.cashier_shift s
			WHERE s.org_id = p_rule.org_id AND s.closed_at >= elecbill.now() - p_rule.span
				AND abs(s.difference) > (p_rule.params ->> 'amount')::numeric;
	ELSE
		-- another amount than booked, or booked though a statement of the days after has it not
		RETURN QUERY SELECT format('%s %s', p.channel, p.channel_txn), NULL::bigint, p.paid_at,
				jsonb_build_object('booked', p.amount, 'stated', s.amount)
			FROM elecbill.payment p
			JOIN (SELECT x.channel, max(x.paid_at) AS last FROM elecbill.channel_statement_row x WHERE x.org_id = p_rule.org_id
				GROUP BY x.channel) AS l ON l.channel = p.channel
			LEFT JOIN elecbill.channel_statement_row s ON s.org_id = p.org_id AND s.channel = p.channel AND s.channel_txn = p.channel_txn
			WHERE p.org_id = p_rule.org_id AND p.channel_txn IS NOT NULL AND p.paid_at >= elecbill.now() - p_rule.span
				AND CASE WHEN s.amount IS NOT NULL THEN s.amount <> p.amount ELSE l.last > p.paid_at + interval '1 day' END;
	END CASE;
END $$;
COMMENT ON FUNCTION elecbill._alarm_money(elecbill.alarm_rule) IS 'what the rules overdue_jump (overdue sums now and span ago), shift_difference and channel_difference find now; the latter two are events';

CREATE FUNCTION elecbill._alarm_look(p_rule elecbill.alarm_rule) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	event boolean := p_rule.code IN ('shift_difference', 'channel_difference');
	one record;
	now_there text[] := ARRAY[]::text[];
BEGIN
	FOR one IN
		SELECT * FROM elecbill._alarm_data(p_rule) AS d
		WHERE p_rule.enabled AND p_rule.code IN ('reading_gap', 'vee_open', 'default_partition', 'outbox_stuck', 'bill_parked')
		UNION ALL SELECT * FROM elecbill._alarm_money(p_rule) AS d
		WHERE p_rule.enabled AND p_rule.code IN ('overdue_jump', 'shift_difference', 'channel_difference')
	LOOP
		now_there := now_there || one.object;
		-- somebody has closed an event: it is over, though it happened
		IF NOT EXISTS (SELECT FROM elecbill.alarm a WHERE a.org_id = p_rule.org_id AND a.code = p_rule.code AND a.object = one.object
			AND (event OR upper_inf(a.during)))
		THEN
			PERFORM elecbill._alarm_during(p_rule.org_id, one.usage_point_id, p_rule.code, p_rule.severity, one.object,
				tstzrange(one.since, NULL), one.details);
		END IF;
	END LOOP;
	IF NOT event THEN
		PERFORM elecbill._alarm_end(a.org_id, a.code, a.object, elecbill.now())
		FROM elecbill.alarm a
		WHERE a.org_id = p_rule.org_id AND a.code = p_rule.code AND upper_inf(a.during) AND a.object <> ALL (now_there);
	END IF;
END $$;
COMMENT ON FUNCTION elecbill._alarm_look(elecbill.alarm_rule) IS 'raises what a rule finds and ends what it finds no more';

CREATE FUNCTION elecbill._alarm_check(p_org integer) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET jit = off AS $$
DECLARE
	rule elecbill.alarm_rule;
BEGIN
	FOR rule IN SELECT r.* FROM elecbill.alarm_rule r
		WHERE r.org_id = p_org AND r.valid @> elecbill._today(p_org) AND r.code IN ('reading_gap', 'vee_open', 'default_partition',
			'outbox_stuck', 'bill_parked', 'overdue_jump', 'shift_difference', 'channel_difference')
	LOOP
		PERFORM elecbill._alarm_look(rule);
	END LOOP;
	RETURN (SELECT count(*) FROM elecbill.alarm a WHERE a.org_id = p_org AND upper_inf(a.during));
END $$;
COMMENT ON FUNCTION elecbill._alarm_check(integer) IS 'the job alarm_check: all rules of an org that look for something; returns how many alarms of the org are open';

CREATE FUNCTION elecbill._alarm_tell() RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	n bigint;
BEGIN
	INSERT INTO elecbill.outbox (org_id, topic, dedup_key, payload)
	SELECT a.org_id, 'alarm', 'alarm:' || a.id, jsonb_build_object('org', o.name, 'alarm', a.id, 'code', a.code, 'object', a.object,
		'severity', a.severity, 'since', lower(a.during), 'details', a.details)
	FROM elecbill.alarm a JOIN elecbill.org o ON o.id = a.org_id
	JOIN elecbill.alarm_rule r ON r.org_id = a.org_id AND r.code = a.code AND r.enabled AND r.action = 'tell'
		AND r.valid @> (elecbill.now() AT TIME ZONE o.zone)::date
	-- jobs that stood still for days tell what they missed
	WHERE upper_inf(a.during) AND a.raised_at >= elecbill.now() - interval '7 days' AND elecbill._outbox_on(a.org_id, 'alarm')
		AND NOT EXISTS (SELECT FROM elecbill.outbox x WHERE x.org_id = a.org_id AND x.dedup_key = 'alarm:' || a.id)
	ORDER BY a.id
	ON CONFLICT ON CONSTRAINT outbox_dedup_key DO NOTHING;
	GET DIAGNOSTICS n = ROW_COUNT;
	RETURN n;
END $$;
COMMENT ON FUNCTION elecbill._alarm_tell() IS 'writes a notice for each open alarm of the last 7 days whose rule says tell, once; returns how many';
