-- register_usage.sql: cumulative values, in any order, and the energy between them
SET search_path = public, elecbill;
SET timezone = 'UTC';

CREATE FUNCTION refused(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	detail text;
BEGIN
	EXECUTE statement;
	RETURN 'not refused';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
	RETURN concat_ws(' | ', SQLSTATE || ': ' || SQLERRM, nullif(detail, ''));
END $$;
CREATE FUNCTION plan_has(query text, what text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
	plan json;
BEGIN
	EXECUTE 'EXPLAIN (FORMAT JSON) ' || query INTO plan;
	RETURN plan::text LIKE '%' || what || '%';
END $$;
CREATE FUNCTION tou(zone text DEFAULT 'Asia/Shanghai') RETURNS elecbill.tariff LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN jsonb_build_object('elecbill', 1, 'currency', 'CNY', 'zone', zone,
	'schedules', '{"tou": [{"period": "peak", "spans": [["08:00", "22:00"]]}, {"period": "valley"}]}'::jsonb,
	'components', '[{"code": "energy", "kind": "energy", "price": {"period": {"peak": 0.7, "valley": 0.4}}}]'::jsonb);
CREATE FUNCTION flat() RETURNS elecbill.tariff LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN '{"elecbill": 1, "currency": "CNY", "zone": "Asia/Shanghai", "components": [{"code": "energy", "kind": "energy", "price": 0.5}]}'::elecbill.tariff;

-- the formula, row by row
CREATE FUNCTION slow_delta(prev_wh bigint, cur_wh bigint, wrap_wh bigint, max_wh bigint) RETURNS bigint LANGUAGE sql IMMUTABLE
RETURN CASE WHEN cur_wh >= prev_wh THEN cur_wh - prev_wh WHEN prev_wh > wrap_wh / 10 * 9 AND cur_wh < wrap_wh / 10
	AND cur_wh - prev_wh + wrap_wh <= max_wh THEN cur_wh - prev_wh + wrap_wh END;
SELECT register_delta(999990, 12, 1000000, 100000) AS "22", register_delta(5000, 4990, 1000000, 100000) AS hold,
	register_delta(950000, 90000, 1000000, 100000) AS hold, register_delta(99998500, 1250, 100000000, 10000000) AS "2750";
SELECT count(*) AS cases, count(register_delta(a, b, w, m)) > 100 AS many_pass,
	bool_and(register_delta(a, b, w, m) IS NOT DISTINCT FROM slow_delta(a, b, w, m)) AS same
FROM unnest('{1,7,10,95,1000,1001}'::bigint[]) AS w, generate_series(0, 1000, 13) AS a, generate_series(0, 1000, 17) AS b, unnest('{0,3,50,100,2000}'::bigint[]) AS m;
SELECT register_delta(NULL, 1, 1, 1) IS NULL AS null_for_null;
SELECT refused(format('SELECT register_delta(%s)', q)) FROM unnest('{"-1, 1, 10, 1","1, -1, 10, 1","1, 1, 0, 1","1, 1, -10, 1","1, 1, 10, -1","9223372036854775807, 1, 10, 1"}'::text[]) AS q;

-- a month of quarter hours; the meter rolls over at 1000 kWh
CREATE TABLE reading (id integer, at timestamptz, wh bigint, quality integer DEFAULT 0);
INSERT INTO reading SELECT id, at, (990000 + sum(wh) OVER (PARTITION BY id ORDER BY at)) % 1000000
FROM (SELECT id, '2026-01-15 00:00Z'::timestamptz + n * interval '15 min' AS at, (n * 7919 + id * 31) % 97 AS wh
	FROM generate_series(1, 5) AS id, generate_series(0, 3000) AS n) AS q;
SELECT jsonb_pretty(register_usage(tou(), at, wh, 1000000, quality)::jsonb - 'fingerprint') FROM reading WHERE id = 1;

-- against lag() and the wall clock in SQL
SELECT id, (u -> 'import_kwh' ->> 'peak')::numeric * 1000 = peak AND (u -> 'import_kwh' ->> 'valley')::numeric * 1000 = valley AS same_sums
FROM (SELECT id, register_usage(tou(), at, wh, 1000000, quality)::jsonb AS u FROM reading GROUP BY id) AS e
JOIN (SELECT id, sum(d) FILTER (WHERE extract(hour FROM start AT TIME ZONE 'Asia/Shanghai') BETWEEN 8 AND 21) AS peak,
		sum(d) FILTER (WHERE extract(hour FROM start AT TIME ZONE 'Asia/Shanghai') NOT BETWEEN 8 AND 21) AS valley
	FROM (SELECT id, slow_delta(lag(wh) OVER w, wh, 1000000, 100000) AS d, lag(at) OVER w AS start
		FROM reading WINDOW w AS (PARTITION BY id ORDER BY at)) AS l
	GROUP BY id) AS s USING (id) ORDER BY id;
-- the same energy as usage() of the differences gives
SELECT bool_and(r.u = i.u) AS same_as_usage FROM
	(SELECT id, register_usage(tou('America/New_York'), at, wh, 1000000, 0)::text AS u FROM reading GROUP BY id) AS r
	JOIN (SELECT id, usage(tou('America/New_York'), start, d, '15 min')::text AS u
		FROM (SELECT id, slow_delta(lag(wh) OVER w, wh, 1000000, 100000) AS d, lag(at) OVER w AS start
			FROM reading WINDOW w AS (PARTITION BY id ORDER BY at)) AS l WHERE d IS NOT NULL GROUP BY id) AS i USING (id);

-- any order, any number of workers, any session: the same text
CREATE TABLE shuffled AS SELECT * FROM reading ORDER BY (id * 7919 + extract(epoch FROM at)::bigint * 31) % 10007, id;
CREATE TABLE want AS SELECT id, register_usage(tou(), at, wh, 1000000, quality)::text AS u FROM reading GROUP BY id;
SELECT bool_and(u = s) AND count(*) = 5 AS same_shuffled FROM want JOIN (SELECT id, register_usage(tou(), at, wh, 1000000, quality)::text AS s FROM shuffled GROUP BY id) AS q USING (id);
SELECT bool_and(u = s) AND count(*) = 5 AS same_backwards FROM want JOIN (SELECT id, register_usage(tou(), at, wh, 1000000, quality ORDER BY at DESC)::text AS s FROM shuffled GROUP BY id) AS q USING (id);
SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0; SET max_parallel_workers_per_gather = 2;
ALTER TABLE shuffled SET (parallel_workers = 2);
ANALYZE shuffled;
SELECT plan_has('SELECT id, register_usage(tou(), at, wh, 1000000, 0) FROM shuffled GROUP BY id', '"Partial Mode": "Partial"') AS runs_parallel;
SELECT bool_and(u = s) AND count(*) = 5 AS same_in_workers FROM want JOIN (SELECT id, register_usage(tou(), at, wh, 1000000, quality)::text AS s FROM shuffled GROUP BY id) AS q USING (id);
SELECT register_usage(tou(), at, wh, 1000000, quality) IS NULL AS no_row_in_workers FROM shuffled WHERE wh < 0;
SELECT bool_and(u = s) AND count(*) = 1 AS one_group_in_workers FROM want JOIN (SELECT 3 AS id, register_usage(tou(), at, wh, 1000000, quality)::text AS s FROM shuffled WHERE id = 3) AS q USING (id);
RESET max_parallel_workers_per_gather;
SET timezone = 'Australia/Lord_Howe'; SET datestyle = 'German, DMY'; SET search_path = pg_temp, pg_catalog;
SELECT bool_and(u = s) AND count(*) = 5 AS same_elsewhere FROM public.want JOIN (SELECT id, elecbill.register_usage(public.tou(), at, wh, 1000000, quality)::text AS s FROM public.reading GROUP BY id) AS q USING (id);
RESET datestyle; SET search_path = public, elecbill; SET timezone = 'UTC';
-- as a window function: each row sees all values up to it
SELECT array_agg(kwh ORDER BY at) AS running FROM (
	SELECT at, (register_usage(flat(), at, wh, NULL, 0) OVER (ORDER BY n))::jsonb -> 'total_kwh' AS kwh
	FROM (VALUES (1, '2026-01-01 02:00'::timestamptz, 2000::bigint), (2, '2026-01-01 01:00', 1500), (3, '2026-01-01 03:00', 2001)) AS v(n, at, wh)) AS q;

-- what becomes of odd values: kWh, missing seconds, held, quality
CREATE FUNCTION told(readings text, wrap_wh bigint DEFAULT 1000000, tariff elecbill.tariff DEFAULT tou()) RETURNS text LANGUAGE sql STABLE
RETURN (SELECT (u ->> 'total_kwh') || ' kWh, ' || (u ->> 'missing_s') || ' s missing, ' || (u ->> 'held') || ' held, ' || (u ->> 'quality')
	FROM (SELECT elecbill.register_usage(tariff, ('2026-01-05 ' || r[1] || '+08')::timestamptz, r[2]::bigint, wrap_wh, coalesce(r[3], '0')::integer)::jsonb AS u
		FROM regexp_split_to_table(readings, ' ') AS t, LATERAL (SELECT string_to_array(t, '=') AS r) AS s) AS q);
SELECT what, told(readings) FROM (VALUES
	('three values', '10:00=1000 10:15=1250 10:30=1600'), ('a gap of readings is no gap of energy', '10:00=1000 10:30=1600'),
	('a restart', '10:00=1000 10:15=10=512 10:30=60'), ('a restart first of all', '10:00=1000=512 10:15=1250'), ('other flags mean nothing here', '10:00=1000=511 10:15=1250=256'),
	('backwards', '10:00=1000 10:15=900 10:30=950'), ('rolls over', '10:00=999990 10:15=12'), ('rolls over too far', '10:00=950000 10:15=90000'),
	('the same twice', '10:00=1000 10:15=1250 10:15=1250 10:30=1600'), ('two values at once', '10:00=1000 10:15=1250 10:15=1251 10:30=1600'),
	('two values at the end', '10:00=1000 10:15=1250 10:15=1251'), ('a value and a restart at once', '10:00=1000 10:15=1250 10:15=3=512 10:30=1600 10:45=1700'),
	('one value', '10:00=1000'), ('an hour across the period', '07:30=0 08:30=1000'), ('more than an hour across it', '07:30=0 08:31=1000'), ('half a day inside it', '08:00=0 22:00=14000')) AS v(what, readings);
SELECT told('10:00=999990 10:15=12', NULL) AS never_rolls_over;
SELECT register_usage(flat(), at, wh, NULL, NULL)::jsonb - 'fingerprint' AS two_months
FROM (VALUES ('2026-01-01 00:00+08'::timestamptz, 1000000::bigint), ('2026-02-01 00:00+08', 1150000), ('2026-03-01 00:00+08', 1200000)) AS v(at, wh);
SELECT register_usage(flat(), at, wh, NULL, NULL)::jsonb - 'fingerprint' AS shared_by_time
FROM (VALUES ('2026-01-22 00:00+08'::timestamptz, 0::bigint), ('2026-02-11 00:00+08', 20000)) AS v(at, wh);
SELECT register_usage(flat(), at, wh, NULL, 0)::jsonb -> 'total_kwh' AS "1" FROM (VALUES (NULL::timestamptz, 5::bigint), ('2026-01-01', 1000), ('2026-01-02', NULL), ('2026-01-03', 2000)) AS v(at, wh);
SELECT register_usage(NULL, at, wh, NULL, 0) IS NULL AS nothing FROM reading;

-- bad rows
SELECT refused(format('SELECT register_usage(%s) FROM (VALUES (1), (2)) AS v(n)', q)) FROM unnest(ARRAY[
	$$tou(), '2026-01-01', -1, 10, 0$$, $$tou(), '2026-01-01', 9223372036854775807, 10, 0$$, $$tou(), '2026-01-01', 1, 0, 0$$, $$tou(), '2026-01-01', 1, -5, 0$$,
	$$tou(), 'infinity', 1, 10, 0$$, $$tou(), '-infinity', 1, 10, 0$$, $$tou(), '1899-12-31', 1, 10, 0$$, $$tou(), '2026-01-01', 1, n, 0$$, $$tou(), '2026-01-01', 1, nullif(n, 1), 0$$,
	$$CASE n WHEN 1 THEN tou() ELSE flat() END, '2026-01-01', 1, 10, 0$$, $$tou(), '2026-01-01'::timestamptz + n * interval '1 h', n * 4000000000000000000 - 4000000000000000000, NULL, 0$$]) AS q;

-- three centuries in one difference, cut 96 times a day: the work can be cancelled
SET statement_timeout = '500ms';
DO $$
DECLARE
	began timestamptz := clock_timestamp();
	cut text := (SELECT string_agg(format('["%s:%s", "%1$s:%3$s"]', lpad((m / 60)::text, 2, '0'), lpad((m % 60)::text, 2, '0'), lpad((m % 60 + 1)::text, 2, '0')), ', ')
		FROM generate_series(0, 1439, 30) AS m);
BEGIN
	PERFORM register_usage(tou_tariff(format('[%s{"period": "b"}]', repeat(format('{"period": "a", "spans": [%s], "days": ["sun"]}, ', cut), 20))::jsonb, '{"a": 1, "b": 2}'), at, wh, NULL, 0)
	FROM (VALUES ('1900-01-02'::timestamptz, 0::bigint), ('2199-12-30', 1000000)) AS v(at, wh);
EXCEPTION WHEN query_canceled THEN
	RAISE NOTICE 'cancelled at once: %', clock_timestamp() - began < '5 s';
END $$;
RESET statement_timeout;
