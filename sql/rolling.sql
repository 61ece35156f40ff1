-- rolling.sql: usage() and sum(load_profile) over window frames that move, against those of the rows of each frame
SET search_path = public, elecbill;
SET timezone = 'UTC';

-- every usage() of intervals can take rows out again
SELECT count(*) AS forms, bool_and(aggmtransfn <> 0 AND aggminvtransfn <> 0 AND aggmfinalfn <> 0) AS all_move
FROM pg_aggregate JOIN pg_proc ON pg_proc.oid = aggfnoid
WHERE aggtransfn::text LIKE '%_usage_accum' AND proname = 'usage' AND proargtypes::regtype[]::text !~ 'load_profile';

CREATE FUNCTION tou(more jsonb DEFAULT '{}') RETURNS elecbill.tariff LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN
	('{"elecbill": 1, "currency": "GBP", "zone": "Europe/London", "schedules": {"tou": [{"period": "peak", "spans": [["07:00", "19:00"]]}, {"period": "off"}]},
	"components": [{"code": "energy", "kind": "energy", "price": {"period": {"peak": 0.2, "off": 0.1}}}]}'::jsonb || more)::elecbill.tariff;
-- prices of the hour and of the row, three channels
CREATE FUNCTION spot() RETURNS elecbill.tariff LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN
	tou('{"series": {"spot": [["2026-10-01T00:00:00Z", 0.1], ["2026-10-25T00:40:00Z", -0.05], ["2026-10-25T12:00:00Z", 0.3]], "row": "usage"},
	"components": [{"code": "energy", "kind": "energy", "price": {"period": {"peak": 0.2, "off": 0.1}}}, {"code": "spot", "kind": "energy", "price": {"series": "spot"}},
		{"code": "sold", "kind": "credit", "price": {"series": "row"}}, {"code": "q", "kind": "reactive", "price": 0.01}]}');
CREATE FUNCTION demand() RETURNS elecbill.tariff LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN
	tou('{"demands": {"kva": {"quantity": "import_kva", "window": 30}, "main": {"window": 60, "slide": 30}}, "components": [{"code": "kva", "kind": "demand", "demand": "kva", "price": 1},
		{"code": "main", "kind": "demand", "demand": "main", "price": 1}]}');
CREATE FUNCTION in_order() RETURNS elecbill.tariff LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN
	tou('{"components": [{"code": "energy", "kind": "energy", "price": {"period": {"peak": 0.2, "off": 0.1}}, "tier": {"mode": "adder", "order": "time", "steps": [{"up_to": 10, "price": 0}, {"price": 1}]}}]}');
-- a part for every day, and another tariff after three of them
CREATE FUNCTION changes() RETURNS elecbill.tariff LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN
	jsonb_build_object('elecbill', 1, 'versions', jsonb_build_array(
		jsonb_build_object('version', 1, 'valid', '["2026-10-01", "2026-10-25"]'::jsonb, 'tariff', jsonb_set(tou()::jsonb, '{components,0,when}', '{"not_days": ["sat"]}')),
		jsonb_build_object('version', 2, 'valid', '["2026-10-25", "2026-12-01"]'::jsonb, 'tariff', spot()::jsonb)))::elecbill.tariff;

-- half hours and longer around the night of 25 October 2026, when London's clocks go back; rows may
-- overlap, lack, be of no energy, or hold a NULL
CREATE TABLE load (n integer PRIMARY KEY, id integer, at timestamptz, wh bigint, step interval, channel text, price numeric, wanted boolean);
CREATE TABLE block (n integer PRIMARY KEY, id integer, at timestamptz, profile load_profile, wanted boolean);
CREATE FUNCTION fill(seed numeric) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	PERFORM setseed(seed);
	TRUNCATE load;
	INSERT INTO load SELECT n, 1 + n % 2, '2026-10-21'::timestamptz + (random() * 400)::integer * interval '30 min' + CASE WHEN random() < 0.1 THEN interval '7 min 11.000001 s' ELSE '0' END,
		CASE WHEN random() < 0.04 THEN NULL WHEN random() < 0.1 THEN 0 ELSE (random() * 5000)::bigint END, CASE WHEN random() < 0.05 THEN interval '2 days' WHEN random() < 0.2 THEN interval '3 h 1 s' ELSE interval '30 min' END,
		(ARRAY['import', 'import', 'export', 'import_kvarh', 'export_kvarh', NULL])[1 + floor(random() * 5.2)::integer], (random() * 1000 - 300)::integer * 0.001, random() < 0.8
	FROM generate_series(1, 160) AS n;
	TRUNCATE block;
	-- hours of which some are missing, or known in sum only
	INSERT INTO block SELECT n, 1 + n % 2, '2026-10-21'::timestamptz + (random() * 60)::integer * interval '1 h',
		CASE WHEN random() > 0.05 THEN (SELECT load_profile(b.at, interval '1 h', array_agg(CASE WHEN q & 512 = 0 THEN wh END ORDER BY i), array_agg(CASE WHEN q & 512 = 0 THEN q ELSE 0 END ORDER BY i))
			FROM (SELECT i, (random() * 5000 - 500 + n * 0)::bigint AS wh, (ARRAY[0, 0, 0, 0, 2, 256, 1024, 512, 512])[1 + floor(random() * 9)::integer] AS q FROM generate_series(1, 1 + n % 30) AS i) AS v) END,
		random() < 0.8
	FROM generate_series(1, 80) AS n, LATERAL (SELECT '2026-10-21'::timestamptz + (random() * 90 + n * 0)::integer * interval '1 h' AS at OFFSET 0) AS b;
END $$;

-- a frame of any kind, drawn at random
CREATE FUNCTION some_frame() RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	mode text := (ARRAY['ROWS', 'RANGE', 'GROUPS'])[1 + floor(random() * 3)::integer];
	head integer := (random() * 60 - 40)::integer;
	tail integer := head + (random() * 40)::integer;
	unit text := CASE mode WHEN 'RANGE' THEN 'interval ''45 min'' * %s' ELSE '%s' END;
	exclude text := (ARRAY['', '', '', 'EXCLUDE CURRENT ROW', 'EXCLUDE GROUP', 'EXCLUDE TIES', 'EXCLUDE NO OTHERS'])[1 + floor(random() * 7)::integer];
BEGIN
	RETURN format('%s BETWEEN %s AND %s %s', mode,
		CASE WHEN random() < 0.08 THEN 'UNBOUNDED PRECEDING' WHEN head < 0 THEN format(unit, -head) || ' PRECEDING' WHEN head = 0 THEN 'CURRENT ROW' ELSE format(unit, head) || ' FOLLOWING' END,
		CASE WHEN random() < 0.08 THEN 'UNBOUNDED FOLLOWING' WHEN tail < 0 THEN format(unit, -tail) || ' PRECEDING' WHEN tail = 0 AND head <= 0 THEN 'CURRENT ROW' ELSE format(unit, tail) || ' FOLLOWING' END, exclude);
END $$;

-- How many rows of load or block have another answer than the rows of their frame, taken by themselves. call: usage(...), sum(...) of its columns
CREATE FUNCTION differences(call text, rows text, frame text, key text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	n bigint;
BEGIN
	EXECUTE format('SELECT count(*) FROM (SELECT %1$s FILTER (WHERE wanted) OVER w AS moving, array_agg(n) OVER w AS rows FROM %4$I WINDOW w AS (PARTITION BY id ORDER BY %3$s %2$s)) AS m
		CROSS JOIN LATERAL (SELECT %1$s AS plain FROM %4$I WHERE n = ANY (m.rows) AND wanted) AS p
		WHERE m.moving::text IS DISTINCT FROM p.plain::text', call, frame, key, rows) INTO n;
	RETURN n;
END $$;

-- the seed is the time of day, or elecbill_test.seed; it is shown when something differs
CREATE FUNCTION try(call text, rounds integer, rows text DEFAULT 'load') RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	seed numeric := coalesce(nullif(current_setting('elecbill_test.seed', true), '')::numeric, round(extract(epoch FROM clock_timestamp())::numeric % 1, 6));
	frame text;
	key text;
	n bigint;
BEGIN
	PERFORM fill(seed);
	FOR i IN 1..rounds LOOP
		frame := some_frame();
		key := CASE WHEN frame LIKE 'ROWS%' THEN 'at, n' ELSE 'at' END;
		IF frame LIKE 'GROUPS%' AND random() < 0.5 THEN
			key := 'n / 3 DESC';	/* rows in no order of time */
		END IF;
		n := differences(call, rows, frame, key);
		IF n > 0 THEN
			RETURN format('%s rows differ: seed %s, ORDER BY %s %s', n, seed, key, frame);
		END IF;
	END LOOP;
	RETURN 'the same';
END $$;

SELECT call, try(call, 12) FROM unnest(ARRAY[
	'usage(tou(), at, wh, step)', 'usage(tou(), at, wh::integer, step)', 'usage(tou(), at, wh, step, channel)', 'usage(tou(), at, wh, step, price)', 'usage(spot(), at, wh, step, channel, price)',
	'usage(tou(), tstzrange(at, at + step), wh / 1000.0)', 'usage(spot(), tstzrange(at, at + step), wh / 1000.0, channel, price)', 'usage(spot(), tstzrange(at, at + step), wh * 0.000123, coalesce(channel, ''export_kvarh''), price)',
	'usage(tou(), tstzrange(at, at + step), wh / 1000.0, channel)', 'usage(tou(), tstzrange(at, at + step), wh / 1000.0, price)',
	'usage(ARRAY[tou(), spot()], id, at, wh, step)', 'usage(ARRAY[spot(), tou()], 1, at, wh, step, channel, price)', 'usage(ARRAY[tou(), spot()], 1, at, wh, step, channel)', 'usage(ARRAY[tou(), spot()], id, at, wh, step, price)',
	'usage(ARRAY[tou()], 1, tstzrange(at, at + step), wh / 1000.0)', 'usage(ARRAY[tou()], 1, tstzrange(at, at + step), wh / 1000.0, channel)', 'usage(ARRAY[tou()], 1, tstzrange(at, at + step), wh / 1000.0, price)',
	'usage(ARRAY[tou(), spot()], 2, tstzrange(at, at + step), wh / 1000.0, channel, price)', 'usage(changes(), at, wh, step, channel, price)', 'usage(CASE id WHEN 1 THEN changes() ELSE spot() END, at, wh, step, channel, price)',
	'usage(demand(), at, wh, step, channel)', 'usage(in_order(), at, wh, step)']) AS call;

SELECT count(*) > 40 AS profiles, bool_or(profile_missing(profile) > 0) AS some_missing FROM block WHERE profile IS NOT NULL;
SELECT try('sum(profile)', 40, 'block') AS sum_of_profiles;

-- a year of quarter hours over frames of 100 days: minutes when each frame were summed anew
SET statement_timeout = '30s';
SELECT sum((u::jsonb ->> 'total_kwh')::numeric) AS kwh, max(u::jsonb ->> 'missing_s') AS missing_s, bool_and(jsonb_array_length(u::jsonb -> 'parts') <= 5) AS parts_go
FROM (SELECT n, usage(tou(), '2025-12-31'::timestamptz + n * interval '15 min', n % 1000, '15 min') OVER (ORDER BY n ROWS 9599 PRECEDING) AS u FROM generate_series(1, 35040) AS n) AS q WHERE n % 960 = 0;
SELECT sum(profile_sum(p)) AS wh, max(profile_count(p)) AS values
FROM (SELECT n, sum(day) OVER (ORDER BY n ROWS 99 PRECEDING) AS p
	FROM (SELECT n, load_profile('2025-12-31'::timestamptz + n * interval '1 day', interval '15 min', ARRAY(SELECT (n * i % 1000)::bigint FROM generate_series(1, 96) AS i)) AS day FROM generate_series(1, 730) AS n OFFSET 0) AS d) AS q WHERE n % 73 = 0;
RESET statement_timeout;
-- each row holds the usage of its frame, not of a later one
SELECT n, u::jsonb -> 'during' AS during, u::jsonb -> 'total_kwh' AS kwh
FROM (SELECT n, usage(tou(), '2026-01-31 22:00Z'::timestamptz + n * interval '1 h', 1000 * n, '1 h') OVER (ORDER BY n ROWS 1 PRECEDING) AS u FROM generate_series(0, 3) AS n) AS q;
-- a frame without rows is none; a row that is refused is refused when it enters
SELECT n, usage(tou(), '2026-01-01'::timestamptz, CASE WHEN n <> 2 THEN 5 END, '1 h') OVER (ORDER BY n ROWS BETWEEN 1 FOLLOWING AND 1 FOLLOWING) IS NULL AS none FROM generate_series(1, 3) AS n;
SELECT usage(tou(), '2026-01-01'::timestamptz, CASE n WHEN 3 THEN -1 ELSE 5 END, '1 h') OVER (ORDER BY n ROWS 1 PRECEDING) IS NULL FROM generate_series(1, 3) AS n;
SELECT usage(CASE n WHEN 3 THEN spot() ELSE tou() END, '2026-01-01'::timestamptz, 5, '1 h') OVER (ORDER BY n ROWS 1 PRECEDING) IS NULL FROM generate_series(1, 3) AS n;
SELECT usage(tou(), '2026-01-01'::timestamptz, 9000000000000000, '1 h') OVER (ORDER BY n ROWS 1 PRECEDING) IS NULL FROM generate_series(1, 2) AS n;
