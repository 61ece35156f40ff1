-- 96_demo_reading.sql: what the meters of the demo estate count, and what of it arrives

CREATE FUNCTION elecbill._demo_fault() RETURNS TABLE (room text, kind text, during tstzrange, amount integer)
LANGUAGE sql IMMUTABLE PARALLEL SAFE ROWS 20
BEGIN ATOMIC
	SELECT f.room, f.kind, tstzrange(f.since AT TIME ZONE 'Asia/Shanghai', f.until AT TIME ZONE 'Asia/Shanghai'), f.amount
	FROM (VALUES
		-- three gaps: a night; over the end of a month, lost for good; over the end of a month, sent later
		('R-0301', 'lost', timestamp '2025-02-10 01:30', timestamp '2025-02-10 08:30', 0),
		('R-0302', 'lost', '2025-03-30 11:30', '2025-04-02 09:30', 0),
		('R-1102', 'late', '2025-06-29 02:30', '2025-07-04 10:00', 0),
		('R-2201', 'lost', '2026-01-15 20:30', '2026-02-01 00:00', 0),	/* and one that nobody has looked at yet */
		('S-03', 'use', '2025-05-16 13:30', '2025-05-16 14:30', 1500),	/* spike: fifteen times the usual */
		('R-0901', 'use', '2025-09-01 00:30', '2025-10-01 00:30', 500),	/* a month of much more */
		('R-0501', 'stuck', '2025-04-20 00:30', '2025-07-08 00:15', 0),	/* until it is exchanged */
		('R-0601', 'theft', '2025-05-20 00:30', '2025-08-20 00:30', 40),	/* goes on when it is disconnected */
		('R-0601', 'use', '2025-08-20 00:30', '2026-02-01 00:00', 0),
		('R-0402', 'shown', '2025-03-12 04:30', '2025-03-12 05:30', -3000),	/* wrong values, Wh on the register */
		('R-0401', 'shown', '2025-05-06 16:30', '2025-05-06 17:30', 800000),
		('R-0701', 'clock', '2025-08-05 00:30', '2025-08-30 00:30', 90)) AS f(room, kind, since, until, amount);	/* seconds a day */
END;
COMMENT ON FUNCTION elecbill._demo_fault() IS 'what is wrong with the meters of the demo estate. use, theft: percent of what is used else; stuck: nothing is counted; shown: Wh that a reading shows too much; lost: read, but never sent; late: sent when it is over; clock: seconds a day that the clock of the meter gains';

CREATE FUNCTION elecbill._demo_off() RETURNS text[]
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN ARRAY(SELECT x.serial FROM (
		SELECT DISTINCT ON (d.meter_id) m.serial, d.kind FROM elecbill.device_command AS d JOIN elecbill.meter AS m ON m.id = d.meter_id
		WHERE d.kind IN ('disconnect', 'reconnect') AND d.state = 'acked' ORDER BY d.meter_id, d.answered_at DESC, d.id DESC) AS x
		WHERE x.kind = 'disconnect');
END $$;
COMMENT ON FUNCTION elecbill._demo_off() IS 'serials of meters whose relay is open';

CREATE FUNCTION elecbill._demo_use(p_state jsonb, p_day date)
RETURNS TABLE (i integer, room text, serial text, ends timestamptz, wh bigint, ratio integer, fault text, amount integer,
	since timestamptz, until timestamptz)
LANGUAGE plpgsql STABLE ROWS 3300 SET search_path = pg_catalog, pg_temp SET jit = off AS $$
DECLARE
	seed integer := (p_state ->> 'seed')::integer;
	opens timestamptz := elecbill.day_start(p_day, 'Asia/Shanghai');
	season integer := ('{118,112,100,88,82,100,132,134,105,84,92,110}'::integer[])[extract(month FROM p_day)];
	slots integer := (p_day - elecbill._demo_first()) * 96;
	sunday boolean := extract(dow FROM p_day) = 0;
	off text[] := elecbill._demo_off();
BEGIN
	RETURN QUERY
	WITH child AS MATERIALIZED (
		SELECT s.*, CASE WHEN f.kind IN ('use', 'theft') THEN s.usual * f.amount / 100 WHEN s.serial = ANY (off) THEN 0 ELSE s.usual END AS used,
			f.kind, f.amount, f.during
		FROM (
			SELECT m.i, m.room, p_state -> 'serial' ->> m.i - 1 AS serial, m.kind IN ('residential', 'common') AS homes,
				opens + make_interval(secs => k.n * m.step_s) AS ends,
				m.day_wh::bigint * c.shape[(k.n - 1) * m.step_s / 3600 + 1] * season * m.step_s
					* (60 + elecbill._demo_draw(seed, m.i, slots + k.n, 81)) / 36000000000
					* CASE WHEN sunday AND m.use = 'work' THEN 15 ELSE 100 END / 100 AS usual
			FROM elecbill._demo_meters(seed) AS m
			CROSS JOIN LATERAL (SELECT elecbill._demo_shape(m.use) OFFSET 0) AS c(shape)
			CROSS JOIN LATERAL generate_series(1, 86400 / m.step_s) AS k(n)
			WHERE m.kind <> 'parent') AS s
		LEFT JOIN elecbill._demo_fault() AS f ON f.room = s.room AND f.during @> s.ends
	), shown AS (
		SELECT c.i, c.room, c.ends, CASE c.kind WHEN 'stuck' THEN 0 ELSE c.used END AS used, c.kind, c.amount, c.during FROM child AS c
		UNION ALL
		-- a fortieth is lost on the way
		SELECT CASE WHEN c.homes THEN 136 ELSE 137 END, CASE WHEN c.homes THEN 'P-1' ELSE 'P-2' END,
			date_bin('1 hour', c.ends - interval '1 second', opens) + interval '1 hour', sum(c.used)::bigint * 41 / 40, NULL, NULL, NULL
		FROM child AS c GROUP BY c.homes, 3
	)
	SELECT x.i, x.room, p_state -> 'serial' ->> x.i - 1, x.ends,
		(p_state -> 'wh' ->> x.i - 1)::bigint + (sum(x.used) OVER (PARTITION BY x.i ORDER BY x.ends))::bigint,
		(p_state -> 'ratio' ->> x.i - 1)::integer, x.kind, x.amount, lower(x.during), upper(x.during)
	FROM shown AS x;
END $$;
COMMENT ON FUNCTION elecbill._demo_use(jsonb, date) IS 'what every meter shows at the end of each interval of a local day, times the ratio of its transformers (Wh), and what is wrong then';

CREATE FUNCTION elecbill._demo_rows(p_state jsonb, p_day date, OUT serials text[], OUT registers text[], OUT ends timestamptz[],
	OUT kwh numeric[], OUT meter_at timestamptz[], OUT wh jsonb, OUT late jsonb)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET jit = off AS $$
BEGIN
	WITH seen AS MATERIALIZED (
		SELECT u.*, (u.wh / u.ratio + CASE u.fault WHEN 'shown' THEN u.amount ELSE 0 END) % 1000000000 / 10 * 0.010 AS kwh
		FROM elecbill._demo_use(p_state, p_day) AS u
	), waiting AS (
		SELECT l.* FROM jsonb_to_recordset(p_state -> 'late') AS l(i integer, serial text, ends timestamptz, kwh numeric, until timestamptz)
		UNION ALL
		SELECT s.i, s.serial, s.ends, s.kwh, s.until FROM seen AS s WHERE s.fault = 'late'
	), sent AS (
		SELECT s.i, s.serial, '1.8.0' AS register, s.ends, s.kwh,
			CASE s.fault WHEN 'clock' THEN s.ends + s.amount * (s.ends - s.since) / 86400 END AS meter_at
		FROM seen AS s WHERE s.i <> 120 AND (s.fault NOT IN ('lost', 'late') OR s.fault IS NULL)
		UNION ALL
		SELECT w.i, w.serial, '1.8.0', w.ends, w.kwh, NULL FROM waiting AS w WHERE w.until <= elecbill.now()
		UNION ALL
		-- the workshop's meter freezes its tariff registers when a month begins; one lost 6 kWh in June
		SELECT s.i, s.serial, '1.8.' || t.n, s.ends, t.kwh, NULL
		FROM (SELECT x.* FROM seen AS x WHERE x.room = 'W-01' ORDER BY x.ends DESC LIMIT 1) AS s
		CROSS JOIN LATERAL (VALUES (1, trunc(s.kwh * 0.3, 2) - CASE WHEN p_day >= '2025-06-30' THEN 6 ELSE 0 END), (2, trunc(s.kwh * 0.4, 2)),
			(3, s.kwh - trunc(s.kwh * 0.3, 2) - trunc(s.kwh * 0.4, 2)), (4, 0)) AS t(n, kwh)
		WHERE extract(day FROM p_day + 1) = 1
	)
	SELECT array_agg(x.serial), array_agg(x.register), array_agg(x.ends), array_agg(x.kwh), array_agg(x.meter_at),
		(SELECT jsonb_agg(y.wh ORDER BY y.i) FROM (SELECT s.i, max(s.wh) AS wh FROM seen AS s GROUP BY s.i) AS y),
		(SELECT coalesce(jsonb_agg(w), '[]') FROM waiting AS w WHERE w.until > elecbill.now())
	INTO serials, registers, ends, kwh, meter_at, wh, late
	FROM (SELECT y.* FROM sent AS y ORDER BY y.ends, y.i, y.register) AS x;
END $$;
COMMENT ON FUNCTION elecbill._demo_rows(jsonb, date) IS 'what the collector sends of a local day when it is over; what the registers show then, times the ratio; and what it still has to send';

CREATE FUNCTION elecbill._demo_send(p_state jsonb, p_serials text[], p_registers text[], p_ends timestamptz[],
	p_kwh numeric[], p_meter_at timestamptz[]) RETURNS jsonb
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	PERFORM elecbill.ingest('5f0c0b0e-0000-4000-8000-00000000000d', (p_state ->> 'seq')::bigint, p_serials, p_registers, p_ends,
		p_kwh, array_fill(0, ARRAY[cardinality(p_serials)]), p_meter_at);
	RETURN p_state || jsonb_build_object('seq', (p_state ->> 'seq')::bigint + cardinality(p_serials));
END $$;
COMMENT ON FUNCTION elecbill._demo_send(jsonb, text[], text[], timestamptz[], numeric[], timestamptz[]) IS 'a delivery of the collector';

CREATE FUNCTION elecbill._demo_read(p_state jsonb, p_day date) RETURNS jsonb
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	sent record;
	state jsonb := p_state;
BEGIN
	IF p_day >= elecbill._demo_last() THEN
		RETURN state;
	END IF;
	PERFORM elecbill._demo_at(p_day + 1, '00:20', '');
	sent := elecbill._demo_rows(state, p_day);
	state := elecbill._demo_send(state, sent.serials, sent.registers, sent.ends, sent.kwh, sent.meter_at)
		|| jsonb_build_object('wh', sent.wh, 'late', sent.late);
	IF p_day = '2025-04-03' THEN
		-- another value for an instant that is known, one that the register cannot show, one of the future
		state := elecbill._demo_send(state, ARRAY[state -> 'serial' ->> 2, state -> 'serial' ->> 120, state -> 'serial' ->> 3],
			'{1.8.0,1.8.0,1.8.0}', ARRAY[elecbill.day_start(p_day + 1, 'Asia/Shanghai'), elecbill.now(), elecbill.now() + interval '2 days'],
			ARRAY[(state -> 'wh' ->> 2)::bigint / 10 * 0.010 + 1, 1234567.8, 1], array_fill(NULL::timestamptz, '{3}'));
	END IF;
	RETURN state;
END $$;
COMMENT ON FUNCTION elecbill._demo_read(jsonb, date) IS 'the collector delivers a local day, twenty minutes after it; returns what the meters show then';
