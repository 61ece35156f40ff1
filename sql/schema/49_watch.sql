-- 49_watch.sql: what should have come and did not: gaps, silent meters, silent collectors; alarms that are over

CREATE VIEW elecbill.reading_gap WITH (security_invoker = true) AS
SELECT i.org_id, u.code AS usage_point, m.serial AS meter, c.code AS collector,
	g.from_at, g.to_at, g.slots, g.open, (SELECT o.code FROM elecbill.org AS o WHERE o.id = i.org_id) AS org
FROM elecbill.meter AS m
JOIN elecbill.meter_register AS r ON r.meter_id = m.id AND r.code = '1.8.0'
JOIN elecbill.meter_installation AS i ON i.meter_id = m.id
JOIN elecbill.usage_point AS u ON u.id = i.usage_point_id
LEFT JOIN LATERAL (
	SELECT x.code FROM elecbill.meter_route AS t JOIN elecbill.collector AS x ON x.id = t.collector_id
	WHERE t.meter_id = m.id ORDER BY t.since, x.code LIMIT 1) AS c ON true
CROSS JOIN LATERAL (SELECT make_interval(secs => m.interval_s), timestamptz '2000-01-01 00:00:00+00') AS k(step, origin)
-- a slot is missed when it is over: a late reading is taken for half an interval
CROSS JOIN LATERAL (SELECT
	date_bin(k.step, greatest(lower(i.valid), elecbill._retained_since(), elecbill.now() - interval '31 days'), k.origin),
	date_bin(k.step, least(upper(i.valid), elecbill.now() - k.step / 2), k.origin) + k.step) AS w(since, until)
CROSS JOIN LATERAL (
	SELECT s.before + k.step, s.at - k.step, ((extract(epoch FROM s.at - s.before) / m.interval_s) - 1)::integer,
		NOT s.came AND s.last
	FROM (SELECT x.at, lag(x.at) OVER w AS before, bool_or(x.came) AS came, lead(x.at) OVER w IS NULL AS last
		  FROM (SELECT w.since AS at, true AS came
				UNION ALL SELECT w.until, false
				UNION ALL SELECT d.slot_at, true FROM elecbill.reading AS d
				WHERE d.register_id = r.id AND d.read_at >= w.since - k.step AND d.read_at < w.until + k.step
				  AND d.slot_at > w.since) AS x
		  GROUP BY x.at
		  WINDOW w AS (ORDER BY x.at)) AS s
	WHERE s.at - s.before > k.step) AS g(from_at, to_at, slots, open)
WHERE m.kind = 'smart' AND w.until > w.since;
COMMENT ON VIEW elecbill.reading_gap IS 'slots of smart meters that have no reading of 1.8.0, in the last 31 days and as far as readings are kept: a row per gap. Ask for one meter or usage point; all of a large estate is a scan of its month';
COMMENT ON COLUMN elecbill.reading_gap.org_id IS 'owner';
COMMENT ON COLUMN elecbill.reading_gap.usage_point IS 'where the meter is installed';
COMMENT ON COLUMN elecbill.reading_gap.meter IS 'serial';
COMMENT ON COLUMN elecbill.reading_gap.collector IS 'who should read it; NULL = no collector says that it does';
COMMENT ON COLUMN elecbill.reading_gap.from_at IS 'the first slot without a reading';
COMMENT ON COLUMN elecbill.reading_gap.to_at IS 'the last one';
COMMENT ON COLUMN elecbill.reading_gap.slots IS 'how many are missing; a slot is interval_s of the meter long';
COMMENT ON COLUMN elecbill.reading_gap.open IS 'no reading has come since';
COMMENT ON COLUMN elecbill.reading_gap.org IS 'code of the org';

CREATE FUNCTION elecbill._meter_patience(p_interval_s integer) RETURNS interval
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN greatest(3 * make_interval(secs => p_interval_s), interval '1 hour');
COMMENT ON FUNCTION elecbill._meter_patience(integer) IS 'how old the newest reading of a smart meter may be before it is silent: three intervals, an hour at least';

CREATE VIEW elecbill.collector_status WITH (security_invoker = true) AS
SELECT c.org_id, c.code AS collector, c.version, c.contact_at, c.last_seen_at,
	greatest(c.contact_at, c.last_seen_at) < elecbill.now() - make_interval(secs => c.silent_after_s) AS silent,
	c.acked_seq, coalesce(r.meters, 0) AS meters, coalesce(r.silent, 0) AS silent_meters, r.oldest_at,
	(SELECT o.code FROM elecbill.org AS o WHERE o.id = c.org_id) AS org
FROM elecbill.collector AS c
LEFT JOIN (
	SELECT t.collector_id, count(*) AS meters,
		count(*) FILTER (WHERE l.read_at IS NULL OR l.read_at < elecbill.now() - elecbill._meter_patience(m.interval_s)) AS silent,
		min(l.read_at) AS oldest_at
	FROM elecbill.meter_route AS t
	JOIN elecbill.meter AS m ON m.id = t.meter_id
	JOIN elecbill.meter_register AS g ON g.meter_id = m.id AND g.code = '1.8.0'
	LEFT JOIN elecbill.reading_latest AS l ON l.register_id = g.id
	GROUP BY t.collector_id) AS r ON r.collector_id = c.id;
COMMENT ON VIEW elecbill.collector_status IS 'how the collectors are: when they were heard, and how many of their meters are silent';
COMMENT ON COLUMN elecbill.collector_status.org_id IS 'owner';
COMMENT ON COLUMN elecbill.collector_status.collector IS 'its code';
COMMENT ON COLUMN elecbill.collector_status.version IS 'of the daemon, as it said when it connected';
COMMENT ON COLUMN elecbill.collector_status.contact_at IS 'when it was heard last, to the minute';
COMMENT ON COLUMN elecbill.collector_status.last_seen_at IS 'when it delivered readings last';
COMMENT ON COLUMN elecbill.collector_status.silent IS 'it was not heard for longer than its silent_after_s; NULL = it was never heard';
COMMENT ON COLUMN elecbill.collector_status.acked_seq IS 'highest sequence number that is committed';
COMMENT ON COLUMN elecbill.collector_status.meters IS 'meters on its routes';
COMMENT ON COLUMN elecbill.collector_status.silent_meters IS 'of these, meters without a reading for three intervals (an hour at least)';
COMMENT ON COLUMN elecbill.collector_status.oldest_at IS 'the newest reading of the meter that was not heard for longest';
COMMENT ON COLUMN elecbill.collector_status.org IS 'code of the org';

CREATE FUNCTION elecbill._watch_collector() RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	PERFORM elecbill._alarm_during(s.org_id, NULL, 'collector_silent', 'error', s.collector,
		tstzrange(greatest(s.contact_at, s.last_seen_at), NULL), jsonb_build_object('meters', s.meters))
	FROM elecbill.collector_status AS s
	WHERE s.silent AND NOT EXISTS (SELECT FROM elecbill.alarm AS a WHERE a.org_id = s.org_id
		AND a.code = 'collector_silent' AND a.object = s.collector AND upper_inf(a.during));
	PERFORM elecbill._alarm_end(s.org_id, 'collector_silent', s.collector, greatest(s.contact_at, s.last_seen_at))
	FROM elecbill.alarm AS a
	JOIN elecbill.collector_status AS s ON s.org_id = a.org_id AND s.collector = a.object
	WHERE a.code = 'collector_silent' AND upper_inf(a.during) AND NOT s.silent;
END $$;
COMMENT ON FUNCTION elecbill._watch_collector() IS 'raises and closes the alarms of silent collectors';

CREATE FUNCTION elecbill._watch_meter() RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	PERFORM elecbill._alarm_during(m.org_id, elecbill._meter_point(m.id), 'meter_silent', 'warn', m.serial,
		tstzrange(h.heard_at, NULL), jsonb_build_object('last_reading', l.read_at))
	FROM (SELECT t.meter_id, min(t.since) AS since FROM elecbill.meter_route AS t GROUP BY t.meter_id) AS t
	JOIN elecbill.meter AS m ON m.id = t.meter_id
	JOIN elecbill.meter_register AS g ON g.meter_id = m.id AND g.code = '1.8.0'
	LEFT JOIN elecbill.reading_latest AS l ON l.register_id = g.id
	CROSS JOIN LATERAL (SELECT greatest(l.read_at, t.since)) AS h(heard_at)
	WHERE h.heard_at < elecbill.now() - elecbill._meter_patience(m.interval_s)
	  AND NOT EXISTS (SELECT FROM elecbill.alarm AS a WHERE a.org_id = m.org_id
		AND a.code = 'meter_silent' AND a.object = m.serial AND upper_inf(a.during));
	PERFORM elecbill._alarm_end(a.org_id, 'meter_silent', a.object, coalesce(l.read_at, elecbill.now()))
	FROM elecbill.alarm AS a
	JOIN elecbill.meter AS m ON m.org_id = a.org_id AND m.serial = a.object
	LEFT JOIN elecbill.meter_register AS g ON g.meter_id = m.id AND g.code = '1.8.0'
	LEFT JOIN elecbill.reading_latest AS l ON l.register_id = g.id
	WHERE a.code = 'meter_silent' AND upper_inf(a.during)
	  AND (l.read_at >= elecbill.now() - elecbill._meter_patience(m.interval_s)
		OR NOT EXISTS (SELECT FROM elecbill.meter_route AS t WHERE t.meter_id = m.id));
END $$;
COMMENT ON FUNCTION elecbill._watch_meter() IS 'raises and closes the alarms of meters that are on a route and say nothing';

CREATE FUNCTION elecbill._watch_foreign() RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	-- a collector that was started anew tells nothing of a meter that is the right one: it reads it
	PERFORM elecbill._alarm_end(a.org_id, a.code, a.object, coalesce(d.read_at, elecbill.now()))
	FROM elecbill.alarm AS a
	JOIN elecbill.meter AS m ON m.org_id = a.org_id AND m.serial = a.object
	CROSS JOIN LATERAL (
		SELECT min(x.read_at) FROM elecbill.meter_register AS g
		JOIN elecbill.reading AS x ON x.register_id = g.id AND x.read_at > lower(a.during) AND x.source = 0
		WHERE g.meter_id = m.id) AS d(read_at)
	WHERE a.code = 'meter_foreign' AND upper_inf(a.during)
	  AND (d.read_at IS NOT NULL OR elecbill._meter_point(m.id) IS NULL
		OR NOT EXISTS (SELECT FROM elecbill.meter_route AS t WHERE t.meter_id = m.id));
END $$;
COMMENT ON FUNCTION elecbill._watch_foreign() IS 'closes the alarms of meters in whose place another one answered: a collector has read the right one since, or it is installed nowhere any more, or on no route';

CREATE FUNCTION elecbill._watch_order() RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	PERFORM elecbill._command_expire();
	PERFORM elecbill._order_look(d)
	FROM elecbill._order_unseen() AS d
	WHERE d.answered_at > elecbill.now() - interval '1 day';
	PERFORM elecbill._alarm_during(d.org_id, elecbill._meter_point(m.id), 'order_unconfirmed', 'error',
		elecbill._order_object(d), tstzrange(d.answered_at, NULL), jsonb_build_object('kind', d.kind, 'done_by', d.sent_to))
	FROM elecbill._order_unseen() AS d
	JOIN elecbill.meter AS m ON m.id = d.meter_id
	WHERE d.answered_at <= elecbill.now() - interval '15 min'
	  AND NOT EXISTS (SELECT FROM elecbill.alarm AS a WHERE a.org_id = d.org_id
		AND a.code = 'order_unconfirmed' AND a.object = elecbill._order_object(d) AND upper_inf(a.during));
	PERFORM elecbill._alarm_end(a.org_id, a.code, a.object, elecbill.now())
	FROM elecbill.alarm AS a
	WHERE a.code = 'order_unconfirmed' AND upper_inf(a.during) AND (a.org_id, a.object) NOT IN (
		SELECT d.org_id, elecbill._order_object(d) FROM elecbill._order_unseen() AS d);
END $$;
COMMENT ON FUNCTION elecbill._watch_order() IS 'expires commands, looks again at orders that are said to be done, and raises the alarms of those nobody has seen done for 15 minutes; the look closes them, or a later order of the meter that is done';

CREATE FUNCTION elecbill._meter_off() RETURNS TABLE (org_id integer, meter_id bigint, serial text, since timestamptz,
	read_at timestamptz, kwh numeric)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT d.org_id, d.meter_id, m.serial, d.confirmed_at, l.read_at,
		trim_scale((l.register_wh - b.register_wh) * i.multiplier / 1000)
	FROM elecbill.device_command AS d
	JOIN elecbill.meter AS m ON m.id = d.meter_id
	JOIN elecbill.meter_register AS g ON g.meter_id = m.id AND g.code = '1.8.0'
	JOIN elecbill._reading_newest AS l ON l.register_id = g.id AND l.read_at > d.confirmed_at
	JOIN elecbill.meter_installation AS i ON i.meter_id = m.id AND i.valid @> d.confirmed_at AND i.valid @> l.read_at
	-- what was used before the look at the relay is no matter: from the first reading after it
	CROSS JOIN LATERAL (SELECT r.register_wh FROM elecbill.reading_effective AS r
		WHERE r.register_id = g.id AND r.read_at >= d.confirmed_at AND r.source <> 6 ORDER BY r.read_at LIMIT 1) AS b
	WHERE d.kind = 'disconnect' AND d.confirmed_at IS NOT NULL
	  AND NOT EXISTS (SELECT FROM elecbill.device_command AS x
		WHERE x.meter_id = d.meter_id AND x.kind IN ('disconnect', 'reconnect') AND x.state = 'acked'
		  AND (x.answered_at, x.id) > (d.answered_at, d.id));
$$;
COMMENT ON FUNCTION elecbill._meter_off() IS 'meters that are disconnected, as their relay was seen, and what they have counted since (kWh, primary)';

CREATE FUNCTION elecbill._watch_off() RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	PERFORM elecbill._alarm_during(o.org_id, elecbill._meter_point(o.meter_id), 'energy_while_off', 'error', o.serial,
		tstzrange(o.read_at, NULL), jsonb_build_object('kwh', o.kwh, 'off_since', o.since))
	FROM elecbill._meter_off() AS o
	WHERE o.kwh > 0.5 AND NOT EXISTS (SELECT FROM elecbill.alarm AS a WHERE a.org_id = o.org_id
		AND a.code = 'energy_while_off' AND a.object = o.serial AND upper_inf(a.during));
	PERFORM elecbill._alarm_end(a.org_id, a.code, a.object, elecbill.now())
	FROM elecbill.alarm AS a
	WHERE a.code = 'energy_while_off' AND upper_inf(a.during) AND (a.org_id, a.object) NOT IN (
		SELECT o.org_id, o.serial FROM elecbill._meter_off() AS o WHERE o.kwh > 0.5);
END $$;
COMMENT ON FUNCTION elecbill._watch_off() IS 'raises the alarms of meters that count more than 0.5 kWh (V12 of the validation rules) while they are disconnected; closed when they are connected again or exchanged';

CREATE FUNCTION elecbill.alarm_watch() RETURNS integer
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	PERFORM elecbill._watch_collector();
	PERFORM elecbill._watch_meter();
	PERFORM elecbill._watch_foreign();
	PERFORM elecbill._watch_order();
	PERFORM elecbill._watch_off();
	RETURN (SELECT count(*) FROM elecbill.alarm AS a WHERE upper_inf(a.during));
END $$;
COMMENT ON FUNCTION elecbill.alarm_watch() IS 'looks for what should have come and did not: collectors not heard for their silent_after_s, meters on a route without a reading for three intervals (an hour at least), commands past their deadline, orders said to be done whose relay nobody has seen in its place for 15 minutes, meters that count more than 0.5 kWh while they are disconnected. Raises and closes alarms, closes meter_foreign when the right meter is read again, was taken down or left its route; run it every minute. Returns how many alarms are open';

CREATE PROCEDURE elecbill.inbox_purge(keep_days integer DEFAULT 30)
LANGUAGE plpgsql AS $$
DECLARE
	until	timestamptz;
	n		bigint;
BEGIN
	IF keep_days OPERATOR(pg_catalog.>=) 1 IS NOT TRUE THEN
		RAISE EXCEPTION 'keep_days must be 1 or more' USING ERRCODE = 'UB400';
	END IF;
	until := elecbill.now() OPERATOR(pg_catalog.-) pg_catalog.make_interval(days => keep_days);
	LOOP
		n := elecbill._inbox_purge(until);
		COMMIT;
		EXIT WHEN n OPERATOR(pg_catalog.=) 0;
	END LOOP;
END $$;
COMMENT ON PROCEDURE elecbill.inbox_purge(integer) IS 'removes deliveries from reading_inbox that came more than keep_days ago (30), in batches of 10,000, each committed: call it outside a transaction, once a day. Readings stay; their frames are gone then. UB400 less than 1 day';

CREATE FUNCTION elecbill._inbox_purge(p_until timestamptz) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	n	bigint;
BEGIN
	DELETE FROM elecbill.reading_inbox AS i
	WHERE i.id IN (SELECT x.id FROM elecbill.reading_inbox AS x WHERE x.received_at < p_until
				   ORDER BY x.id LIMIT 10000 FOR UPDATE SKIP LOCKED);
	GET DIAGNOSTICS n = ROW_COUNT;
	RETURN n;
END $$;
COMMENT ON FUNCTION elecbill._inbox_purge(timestamptz) IS 'removes at most 10,000 deliveries that came before an instant; returns how many';

CREATE FUNCTION elecbill._fsck_device() RETURNS TABLE (invariant text, object text, detail text)
LANGUAGE sql STABLE SET jit = off
BEGIN ATOMIC
	SELECT 'command_expired', format('command %s', d.id), format('%s, its deadline was %s', d.state, d.deadline_at)
	FROM elecbill.device_command AS d
	WHERE d.state IN ('queued', 'sent') AND d.deadline_at < elecbill.now() - interval '1 day'
UNION ALL
	SELECT 'command_confirmed', format('command %s', d.id), 'confirmed, but no look at its relay says so'
	FROM elecbill.device_command AS d
	WHERE d.confirmed_at IS NOT NULL AND NOT EXISTS (
		SELECT FROM elecbill.device_command AS x
		WHERE x.parent_id = d.id AND x.state = 'acked'
		  AND x.answer ->> 'relay' = CASE d.kind WHEN 'disconnect' THEN 'open' ELSE 'closed' END)
UNION ALL
	SELECT 'command_alarm', format('command %s', d.id), 'is said to be done for a day, nobody has seen it, and there is no alarm'
	FROM elecbill._order_unseen() AS d
	WHERE d.answered_at < elecbill.now() - interval '1 day'
	  AND NOT EXISTS (SELECT FROM elecbill.alarm AS a WHERE a.org_id = d.org_id
		AND a.code = 'order_unconfirmed' AND a.object = elecbill._order_object(d) AND upper_inf(a.during))
UNION ALL
	SELECT 'route_org', format('meter %s collector %s', m.serial, c.code), 'belong to different orgs'
	FROM elecbill.meter_route AS r JOIN elecbill.meter AS m ON m.id = r.meter_id
	JOIN elecbill.collector AS c ON c.id = r.collector_id
	WHERE r.org_id <> c.org_id;
END;
COMMENT ON FUNCTION elecbill._fsck_device() IS 'what is wrong with commands and routes; no row = healthy';
