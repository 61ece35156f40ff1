-- 95_health.sql: is all well? One row per subject, red, yellow or green, with the number behind it and what to do
--
-- The numbers are taken as the owner of the schema layer, for the orgs of who asks: a light may be seen by people who
-- may not see what it shines on.

CREATE FUNCTION elecbill._light(p_red boolean, p_yellow boolean) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN p_red THEN 'red' WHEN p_yellow THEN 'yellow' ELSE 'green' END;
COMMENT ON FUNCTION elecbill._light(boolean, boolean) IS 'red, else yellow, else green';

CREATE FUNCTION elecbill._health_work()
RETURNS TABLE (org_id integer, subject text, state text, value numeric, detail text, hint text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off
BEGIN ATOMIC
	-- jobs: failing, or not begun though due
	SELECT j.org_id, 'job', elecbill._light(bool_or(j.failures > 0 OR w.late > interval '1 hour'), bool_or(w.late > interval '10 min')),
		count(*) FILTER (WHERE j.failures > 0 OR w.late > interval '10 min')::numeric,
		string_agg(format('%s: %s', j.name, CASE WHEN j.failures > 0 THEN 'failed ' || j.failures || ' times' ELSE 'late since ' || elecbill._job_next_at(j) END),
			', ' ORDER BY j.id) FILTER (WHERE j.failures > 0 OR w.late > interval '10 min'),
		'job_status has the errors; does schedule() run?'
	FROM elecbill.job j
	CROSS JOIN LATERAL (SELECT CASE WHEN EXISTS (SELECT FROM elecbill.job_run r WHERE r.job_id = j.id AND r.outcome = 'running'
		AND r.started_at > elecbill.now() - interval '1 day') THEN interval '0' ELSE elecbill.now() - elecbill._job_next_at(j) END AS late) AS w
	WHERE j.enabled AND (j.org_id IS NULL OR j.org_id = ANY ((SELECT elecbill.my_orgs())::integer[]))
	GROUP BY j.org_id
	UNION ALL
	-- the check of the books and of all else
	SELECT o.id, 'fsck', elecbill._light(f.open OR (f.last IS NULL OR f.last < elecbill.now() - interval '3 days') AND f.due, f.last IS NULL OR f.last < elecbill.now() - interval '26 hours'),
		round(extract(epoch FROM elecbill.now() - f.last) / 3600, 1),
		CASE WHEN f.open THEN 'something is not as it must be' WHEN f.last IS NULL THEN 'never looked' ELSE 'hours since it looked' END,
		'SELECT * FROM elecbill.fsck(); job_now(ORG, ''fsck'') has it look'
	FROM elecbill.org o
	CROSS JOIN LATERAL (SELECT max(r.ended_at) FILTER (WHERE r.outcome = 'done') AS last, bool_or(j.last_at < elecbill.now() - interval '3 days') AS due,
			EXISTS (SELECT FROM elecbill.alarm a WHERE a.org_id = o.id AND a.code = 'fsck_found' AND upper_inf(a.during)) AS open
		FROM elecbill.job j LEFT JOIN elecbill.job_run r ON r.job_id = j.id WHERE j.org_id = o.id AND j.kind = 'fsck') AS f
	WHERE o.id = ANY ((SELECT elecbill.my_orgs())::integer[])
	UNION ALL
	-- library, extension and schema layer are of one version
	SELECT NULL, 'version', elecbill._light(x.v[1] <> x.v[2] OR x.v[1] <> x.v[3], false), NULL,
		format('library %s, extension %s, schema layer %s', x.v[1], x.v[2], x.v[3]),
		'ALTER EXTENSION elecbill UPDATE; CALL elecbill.upgrade_schema(); new sessions load the new library'
	FROM (SELECT ARRAY[elecbill.version(), (SELECT e.extversion FROM pg_extension e WHERE e.extname = 'elecbill'),
		(SELECT s.step FROM elecbill.schema_version s ORDER BY string_to_array(s.step, '.')::integer[] DESC LIMIT 1)] AS v) AS x
	UNION ALL
	-- partitions are made before their month begins
	SELECT NULL, 'partition', elecbill._light(p.ahead < 1, p.ahead < 2), p.ahead, 'months of reading ahead of this one',
		'partition_maintain() makes them; job partition_maintain calls it'
	FROM (SELECT count(*)::numeric AS ahead FROM pg_inherits h JOIN pg_class c ON c.oid = h.inhrelid
		WHERE h.inhparent = 'elecbill.reading'::regclass
			AND c.relname > to_char(elecbill.now() AT TIME ZONE 'UTC', '"reading_"YYYY_MM') AND c.relname ~ '^reading_[0-9]{4}_[0-9]{2}$') AS p
	UNION ALL
	-- the chain over what people did
	SELECT NULL, 'audit', elecbill._light(false, s.n > 0 AND s.oldest < elecbill.now() - interval '26 hours'), s.n, 'rows that are not sealed',
		'audit_seal() seals them; job audit_seal calls it'
	FROM (SELECT count(*)::numeric AS n, min(a.at) AS oldest FROM elecbill.audit_log a
		WHERE a.id > coalesce((SELECT max(upper(s.ids)) - 1 FROM elecbill.audit_seal s), 0)) AS s;
END;
COMMENT ON FUNCTION elecbill._health_work() IS 'lights of the machinery: jobs, fsck, version, partitions, audit';

CREATE FUNCTION elecbill._health_alarm()
RETURNS TABLE (org_id integer, subject text, state text, value numeric, detail text, hint text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off
BEGIN ATOMIC
	SELECT o.id, s.subject, elecbill._light(count(a.id) FILTER (WHERE a.severity = 'error') > 0, count(a.id) > 0), count(a.id)::numeric,
		string_agg(DISTINCT a.code, ', ' ORDER BY a.code), s.hint
	FROM elecbill.org o
	CROSS JOIN (VALUES
		('collector', '{collector_silent,spool_full}'::text[], 'collector_status says since when; look at the machine and its line'),
		('meter', '{meter_silent,meter_foreign}', 'collector_status, alarm_open: the meter or its wire'),
		('gap', '{reading_gap}', 'reading_gap lists the slots; import_readings() or estimate_gap() fill them'),
		('default_partition', '{default_partition}', 'partition_maintain() moves the rows'),
		('order', '{order_unconfirmed,energy_while_off}', 'device_command_open: somebody must look at the meter'),
		('suspense', '{payment_unmatched,payment_mismatch,channel_difference}', 'payment_match() gives the money to an account; channel_reconciliation'),
		('alarm', NULL, 'alarm_open; alarm_acknowledge(), alarm_close()')) AS s(subject, codes, hint)
	LEFT JOIN elecbill.alarm a ON a.org_id = o.id AND upper_inf(a.during)
		AND (a.code = ANY (s.codes) OR s.codes IS NULL AND a.code NOT IN ('collector_silent', 'spool_full', 'meter_silent', 'meter_foreign', 'reading_gap',
			'default_partition', 'order_unconfirmed', 'energy_while_off', 'payment_unmatched', 'payment_mismatch', 'channel_difference'))
	WHERE o.id = ANY ((SELECT elecbill.my_orgs())::integer[])
	GROUP BY o.id, s.subject, s.hint;
END;
COMMENT ON FUNCTION elecbill._health_alarm() IS 'lights of what alarms tell: an error is red, anything else yellow';

CREATE FUNCTION elecbill._health_money()
RETURNS TABLE (org_id integer, subject text, state text, value numeric, detail text, hint text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off
BEGIN ATOMIC
	SELECT o.id, 'outbox', elecbill._light(w.oldest < elecbill.now() - interval '1 day' OR w.failed > 100,
			w.oldest < elecbill.now() - interval '1 hour' OR w.failed > 0), w.waiting::numeric,
		concat_ws(', ', CASE WHEN w.oldest IS NOT NULL THEN 'the oldest of ' || w.oldest END, CASE WHEN w.failed > 0 THEN w.failed || ' given up' END),
		'does the program that calls outbox_take() run? outbox_again() tries what was given up; outbox_set() ends a topic'
	FROM elecbill.org o
	CROSS JOIN LATERAL (SELECT count(*) FILTER (WHERE b.state <> 'failed') AS waiting, min(b.created_at) FILTER (WHERE b.state <> 'failed') AS oldest,
			count(*) FILTER (WHERE b.state = 'failed' AND b.error IS DISTINCT FROM 'sandbox') AS failed
		FROM elecbill.outbox b WHERE b.org_id = o.id AND b.state IN ('pending', 'taken', 'failed') AND o.state = 'live') AS w
	WHERE o.id = ANY ((SELECT elecbill.my_orgs())::integer[])
	UNION ALL
	SELECT o.id, 'bill_run', elecbill._light(false, r.waiting > 0 OR r.parked > 0), (r.waiting + r.parked)::numeric,
		concat_ws(', ', CASE WHEN r.waiting > 0 THEN r.waiting || ' runs are not finished' END, CASE WHEN r.parked > 0 THEN r.parked || ' accounts have no bill' END),
		'bill_run_totals; bill_run_issue() issues a reviewed run; bill_exception says why an account has none'
	FROM elecbill.org o
	CROSS JOIN LATERAL (SELECT count(*) FILTER (WHERE x.status IN ('new', 'rating', 'review', 'issuing')) AS waiting,
			coalesce(sum((SELECT count(*) FROM elecbill.bill_exception e WHERE e.run_id = x.id AND e.state = 'parked')), 0) AS parked
		FROM elecbill.bill_run x WHERE x.org_id = o.id AND x.status <> 'cancelled') AS r
	WHERE o.id = ANY ((SELECT elecbill.my_orgs())::integer[])
	UNION ALL
	SELECT o.id, 'payment_order', elecbill._light(p.n > 0 AND p.oldest < elecbill.now() - interval '1 day', p.n > 0 AND p.oldest < elecbill.now() - interval '1 hour'),
		p.n::numeric, 'orders past their time that are not closed', 'job order_expire closes them'
	FROM elecbill.org o
	CROSS JOIN LATERAL (SELECT count(*) AS n, min(y.expires_at) AS oldest FROM elecbill.payment_order y
		WHERE y.org_id = o.id AND y.status IN ('created', 'pending') AND y.expires_at < elecbill.now()) AS p
	WHERE o.id = ANY ((SELECT elecbill.my_orgs())::integer[]);
END;
COMMENT ON FUNCTION elecbill._health_money() IS 'lights of notices, bill runs, payment orders';

CREATE VIEW elecbill.health WITH (security_invoker = true) AS
SELECT o.code AS org, h.subject, h.state, h.value, h.detail, CASE WHEN h.state <> 'green' THEN h.hint END AS hint,
	elecbill.label(h.state, elecbill._lang()) AS state_text, elecbill.label('health_' || h.subject, elecbill._lang()) AS subject_text, h.org_id
FROM (SELECT * FROM elecbill._health_work() AS w UNION ALL SELECT * FROM elecbill._health_alarm() AS a
	UNION ALL SELECT * FROM elecbill._health_money() AS m) AS h
LEFT JOIN elecbill.org o ON o.id = h.org_id
ORDER BY array_position('{red,yellow,green}', h.state), o.code NULLS FIRST, h.subject;
COMMENT ON VIEW elecbill.health IS 'is all well? A light per subject and org, red ones first: red needs somebody now, yellow soon';
COMMENT ON COLUMN elecbill.health.org IS 'code of the org; NULL: the whole database';
COMMENT ON COLUMN elecbill.health.subject IS 'job, fsck, version, partition, audit, collector, meter, gap, default_partition, order, suspense, alarm, outbox, bill_run, payment_order';
COMMENT ON COLUMN elecbill.health.state IS 'red, yellow or green';
COMMENT ON COLUMN elecbill.health.value IS 'the number behind it: how many, for fsck the hours since it looked, for partition the months ahead';
COMMENT ON COLUMN elecbill.health.detail IS 'what the number says';
COMMENT ON COLUMN elecbill.health.hint IS 'what to do, when it is not green';
COMMENT ON COLUMN elecbill.health.state_text IS 'the state in the language of elecbill.lang';
COMMENT ON COLUMN elecbill.health.subject_text IS 'the subject in that language';
COMMENT ON COLUMN elecbill.health.org_id IS 'owner';

CREATE FUNCTION elecbill.metrics() RETURNS TABLE (name text, labels jsonb, value numeric)
LANGUAGE sql STABLE
BEGIN ATOMIC
	SELECT 'elecbill_health', jsonb_strip_nulls(jsonb_build_object('org', h.org, 'subject', h.subject)),
		array_position('{green,yellow,red}', h.state)::numeric - 1 FROM elecbill.health h
	UNION ALL
	SELECT 'elecbill_health_value', jsonb_strip_nulls(jsonb_build_object('org', h.org, 'subject', h.subject)), h.value
	FROM elecbill.health h WHERE h.value IS NOT NULL
	UNION ALL
	SELECT 'elecbill_alarm_open', jsonb_build_object('org', a.org, 'code', a.code, 'severity', a.severity), count(*)::numeric
	FROM elecbill.alarm_open a GROUP BY a.org, a.code, a.severity;
END;
COMMENT ON FUNCTION elecbill.metrics() IS 'rows for a monitor that reads name, labels, value: elecbill_health (0 green, 1 yellow, 2 red), elecbill_health_value, elecbill_alarm_open';
