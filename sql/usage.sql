-- usage.sql: the aggregate usage(), its summaries, and quantities from elsewhere
SET search_path = public, elecbill;
SET timezone = 'UTC';

-- SQLSTATE, message and detail of a statement that must fail
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

CREATE FUNCTION tou(zone text DEFAULT 'Asia/Shanghai', peak numeric DEFAULT 0.7) RETURNS elecbill.tariff LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN jsonb_build_object('elecbill', 1, 'currency', 'CNY', 'zone', zone,
	'schedules', '{"tou": [{"period": "peak", "spans": [["08:00", "22:00"]]}, {"period": "valley", "spans": [["22:00", "08:00"]]}]}'::jsonb,
	'components', jsonb_build_array(jsonb_build_object('code', 'energy', 'kind', 'energy',
		'price', jsonb_build_object('period', jsonb_build_object('peak', peak, 'valley', 0.4)))));
CREATE FUNCTION flat() RETURNS elecbill.tariff LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN '{"elecbill": 1, "currency": "CNY", "zone": "Asia/Shanghai", "seasons": {"summer": [["06-01", "10-01"]]},
	"components": [{"code": "energy", "kind": "energy", "price": {"season": {"summer": 1, "*": 2}}}]}'::elecbill.tariff;
-- periods are written down in another order than that of their names
CREATE FUNCTION two() RETURNS elecbill.tariff LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN '{"elecbill": 1, "currency": "CNY", "zone": "Asia/Shanghai", "schedules": {
	"week": [{"period": "work", "days": ["weekday"]}, {"period": "rest"}],
	"day": [{"period": "light", "spans": [["06:00", "18:00"]]}, {"period": "dark"}]},
	"components": [{"code": "a", "kind": "energy", "schedule": "week", "price": {"period": {"rest": 1, "work": 20}}},
		{"code": "b", "kind": "energy", "schedule": "day", "price": {"period": {"light": 300, "dark": 4000}}}]}'::elecbill.tariff;

-- a month of quarter hours in several meters
CREATE TABLE load (id integer, at timestamptz, wh bigint);
INSERT INTO load SELECT id, '2026-01-15 00:00Z'::timestamptz + n * interval '15 min', (n * 7919 + id * 31) % 997
FROM generate_series(1, 5) AS id, generate_series(0, 3000) AS n;

-- what comes out
SELECT jsonb_pretty(usage(tou(), at, wh, '15 min')::jsonb - 'fingerprint') FROM load WHERE id = 1;
SELECT jsonb_pretty(usage(two(), at, wh, '15 min')::jsonb - 'fingerprint') FROM load WHERE id = 1 AND at < '2026-01-17';
SELECT jsonb_pretty(usage(flat(), tstzrange(at, at + interval '15 min'), wh * 0.001)::jsonb - 'fingerprint') FROM load WHERE id = 1 AND at < '2026-01-16';

-- against sums in SQL, for both forms, in zones with and without changes of the clock
SELECT zone, (u -> 'import_kwh' ->> 'peak')::numeric * 1000 = peak AND (u -> 'import_kwh' ->> 'valley')::numeric * 1000 = valley AS same_sums,
	(u ->> 'total_kwh')::numeric * 1000 = peak + valley AS same_total,
	u - 'fingerprint' = r - 'fingerprint' AS same_by_range
FROM (SELECT zone, usage(tariff, at, wh, '30 min')::jsonb AS u,
		usage(tariff, tstzrange(at, at + interval '30 min'), wh / 1000.0)::jsonb AS r,
		sum(wh) FILTER (WHERE extract(hour FROM at AT TIME ZONE zone) BETWEEN 8 AND 21) AS peak,
		sum(wh) FILTER (WHERE extract(hour FROM at AT TIME ZONE zone) NOT BETWEEN 8 AND 21) AS valley
	FROM (SELECT zone, tou(zone) AS tariff
			FROM unnest('{Asia/Shanghai,Europe/London,America/New_York,Australia/Lord_Howe,America/Havana}'::text[]) AS zone OFFSET 0) AS z,
		(SELECT '2025-09-01 00:00Z'::timestamptz + n * interval '30 min' AS at, (n * 104729 % 5000)::bigint AS wh
			FROM generate_series(0, 365 * 48) AS n) AS l
	GROUP BY zone) AS s
ORDER BY zone;

-- an interval is cut where the period changes, and at the month
SELECT usage(tou(), '[2026-01-31 07:30+08,2026-01-31 08:30+08)'::tstzrange, 1)::jsonb -> 'import_kwh' AS "0.5 and 0.5";
SELECT usage(tou(), '2026-01-31 23:00+08', 10, '3 hours')::jsonb -> 'parts' AS "3.333333 and 6.666667";
-- a step of days goes to the same time of the clock
SELECT usage(tou('Europe/London'), '2026-03-28 12:00Z', 23000, '1 day')::jsonb - 'fingerprint' AS "23 hours";
SELECT usage(tou('Europe/London'), '2026-10-24 11:00Z', 25000, '1 day')::jsonb - 'fingerprint' AS "25 hours";
SELECT usage(tou(), '2026-01-01 00:00+08', 24000, '24 hours')::jsonb = usage(tou(), '2026-01-01 00:00+08', 24000, '1 day')::jsonb AS same_day;

-- missing time; NULLs are skipped; no row, no usage
SELECT usage(tou(), at, wh, '15 min')::jsonb - 'fingerprint' FROM load WHERE id = 1 AND at < '2026-01-16' AND extract(hour FROM at) <> 3;
SELECT usage(t, a, w, s)::jsonb -> 'total_kwh' AS "1"
FROM (VALUES (tou(), '2026-01-01'::timestamptz, 1000::bigint, '1 h'::interval), (NULL, '2026-01-02', 1, '1 h'),
	(tou(), NULL, 1, '1 h'), (tou(), '2026-01-03', NULL, '1 h'), (tou(), '2026-01-04', 1, NULL)) AS v(t, a, w, s);
SELECT usage(tou(), at, wh, '15 min') IS NULL AS no_row, usage(tou(), NULL::timestamptz, 1, '1 h') IS NULL AS no_value,
	usage(tou(), NULL::tstzrange, 1) IS NULL AS no_range FROM load WHERE id = 9;

-- any order, any number of workers, any session: the same text
CREATE TABLE shuffled AS SELECT * FROM load ORDER BY (id * 7919 + extract(epoch FROM at)::bigint * 31) % 10007, id;
CREATE TABLE want AS SELECT id, usage(two(), at, wh, '15 min')::text AS u FROM load GROUP BY id;
SELECT bool_and(u = s) AND count(*) = 5 AS same_shuffled FROM want JOIN (SELECT id, usage(two(), at, wh, '15 min')::text AS s FROM shuffled GROUP BY id) AS q USING (id);
SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0; SET max_parallel_workers_per_gather = 2;
ALTER TABLE shuffled SET (parallel_workers = 2);
ANALYZE shuffled;
SELECT plan_has('SELECT id, usage(two(), at, wh, ''15 min'') FROM shuffled GROUP BY id', '"Partial Mode": "Partial"') AS runs_parallel;
SELECT bool_and(u = s) AND count(*) = 5 AS same_in_workers FROM want JOIN (SELECT id, usage(two(), at, wh, '15 min')::text AS s FROM shuffled GROUP BY id) AS q USING (id);
SELECT usage(two(), at, wh, '15 min') IS NULL AS no_row_in_workers FROM shuffled WHERE wh < 0;
SELECT bool_and(u = s) AND count(*) = 1 AS one_worker_has_all FROM want JOIN (SELECT 3 AS id, usage(two(), at, wh, '15 min')::text AS s FROM shuffled WHERE id = 3) AS q USING (id);
RESET max_parallel_workers_per_gather;
SET timezone = 'America/Havana'; SET datestyle = 'German, DMY'; SET intervalstyle = 'sql_standard'; SET search_path = pg_temp, pg_catalog;
SELECT bool_and(u = s) AND count(*) = 5 AS same_elsewhere FROM public.want JOIN (SELECT id, elecbill.usage(public.two(), at, wh, '15 min')::text AS s FROM public.load GROUP BY id) AS q USING (id);
RESET datestyle; RESET intervalstyle; SET search_path = public, elecbill; SET timezone = 'UTC';

-- a tariff by row: the same answer, another one in a group is an error, another price is none
SELECT bool_and(u = s) AS same_by_row FROM want JOIN (SELECT id, usage(t, at, wh, '15 min')::text AS s FROM load, (SELECT two() AS t OFFSET 0) AS q GROUP BY id) AS r USING (id);
SELECT usage(t, '2026-01-01', 1000, '1 h')::jsonb -> 'total_kwh' AS "2" FROM (VALUES (tou()), (tou(peak => 0.9))) AS v(t);
SELECT count(*) AS "2 kinds" FROM (SELECT usage(t, '2026-01-01', 1000, '1 h') FROM (VALUES (1, tou()), (2, two())) AS v(n, t) GROUP BY n) AS q;
SELECT refused('SELECT usage(t, ''2026-01-01'', 1000, ''1 h'') FROM (VALUES (tou()), (two())) AS v(t)');
-- as a window function: the frame grows, the state stays whole
SELECT array_agg(total ORDER BY at) AS running FROM (
	SELECT at, (usage(tou(), at, 1000, '1 h') OVER (ORDER BY at))::jsonb -> 'total_kwh' AS total
	FROM generate_series('2026-01-01'::timestamptz, '2026-01-01 03:00', '1 h') AS at) AS q;

-- text, jsonb and binary form come back as they went
SELECT bool_and(u::usage_summary::text = u AND u::usage_summary::jsonb::usage_summary::text = u) AS identity
FROM (SELECT u FROM want UNION ALL SELECT usage(tou(), at, wh, '15 min')::text FROM load UNION ALL SELECT usage(flat(), at, wh, '15 min')::text FROM load
	UNION ALL SELECT usage_from(two(), '{"days": 30.5, "months": 1, "import_kwh": {"day": {"dark": 1}, "week": {"rest": 1}}}')::text) AS q;
-- what came back is rated alike: 1 kWh on Thursday noon is light and work
SELECT rate_total(two(), s) = 320 AND rate_total(two(), s::jsonb::usage_summary) = 320 AS same_rate
FROM (SELECT usage(two(), '2026-01-01 12:00+08', 1000, '1 h')) AS q(s);
\getenv superuser PGSUPERUSER
\getenv owner PGUSER
CREATE TABLE kept (id integer, u elecbill.usage_summary);
INSERT INTO kept SELECT id, u::usage_summary FROM want;
\c - :superuser
COPY public.kept TO PROGRAM 'cat > usage_kept' (FORMAT binary);
COPY public.kept FROM PROGRAM 'cat usage_kept; rm usage_kept' (FORMAT binary);
COPY public.kept FROM PROGRAM $$printf 'PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0\0\2\0\0\0\4\0\0\0\1\0\0\0\3\3{}\377\377'$$ (FORMAT binary);
COPY public.kept FROM PROGRAM $$printf 'PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0\0\2\0\0\0\4\0\0\0\1\0\0\0\3\1{}\377\377'$$ (FORMAT binary);
\c - :owner
SET search_path = public, elecbill;
SET timezone = 'UTC';
SELECT count(*) = 10 AND bool_and(k.u::text = w.u) AS same_binary FROM kept AS k JOIN want AS w USING (id);

-- only what the type writes can be read
CREATE FUNCTION changed(path text[], value jsonb) RETURNS text LANGUAGE sql STABLE
RETURN refused(format('SELECT %L::jsonb::usage_summary', jsonb_set((SELECT u::jsonb FROM want WHERE id = 1), path, value)));
SELECT refused(format('SELECT %L::usage_summary', t)) FROM unnest('{"{}","[]","null","5",x,"{\"import_kwh\": 1}"}'::text[]) AS t;
SELECT path, changed(path::text[], value) FROM (VALUES
	('{fingerprint}', '"90EB2916ee2abec1f8545b79aef79a51"'::jsonb), ('{fingerprint}', '1'), ('{during}', '[]'), ('{during}', '["2026-01-01", "2026-01-02"]'),
	('{during,0}', '"2027-01-01T00:00:00Z"'), ('{during,1}', '"2200-01-01T00:00:00.000001Z"'), ('{during}', 'null'), ('{days}', '0'), ('{days}', '"30"'),
	('{months}', '-1'), ('{import_kwh}', '{}'), ('{import_kwh}', '1'), ('{import_kwh}', '"1"'), ('{import_kwh,day}', '[]'), ('{import_kwh,day,dark}', '-1'), ('{import_kwh,day,dusk}', '0'),
	('{total_kwh}', '1'), ('{parts}', '{}'), ('{parts,0,from}', '"2026-02-01"'), ('{parts,1,from}', 'null'), ('{parts,0,from}', '"2026-02-30"'), ('{parts,0,import_kwh,day,dark}', '0.0000001'),
	('{parts,0,import_kwh,day,dark}', '"1"'), ('{parts,0,import_kwh,day,dark}', '1e300'), ('{parts,0,more}', '1'), ('{missing_s}', '-1'), ('{missing_s}', '0.5'), ('{held}', '3000000000'),
	('{quality}', '"good"'), ('{more}', '1')) AS v(path, value);

-- merging
CREATE TABLE piece AS SELECT n, usage(two(), at, wh, '15 min') AS u FROM (SELECT *, extract(day FROM at)::integer % 3 AS n FROM load WHERE id = 1) AS q GROUP BY n;
SELECT usage_merge(usage_merge(a.u, b.u), c.u)::text = usage_merge(c.u, usage_merge(b.u, a.u))::text AS associative,
	usage_merge(a.u, NULL)::text = a.u::text AND usage_merge(NULL, a.u)::text = a.u::text AS null_is_neutral,
	usage_merge(usage_merge(a.u, b.u), c.u)::jsonb -> 'parts' = (SELECT u::jsonb -> 'parts' FROM want WHERE id = 1) AS the_whole
FROM piece AS a, piece AS b, piece AS c WHERE a.n = 0 AND b.n = 1 AND c.n = 2;
SELECT usage_merge(NULL, NULL) IS NULL AS nothing;
SELECT usage_merge(usage_from(tou(), '{"import_kwh": {"peak": 1}, "days": 30}'), usage(tou(), '2026-01-01', 2000, '1 h'))::jsonb - 'fingerprint';
SELECT refused('SELECT usage_merge(usage(two(), ''2026-01-01'', 1, ''1 h''), usage(tou(), ''2026-01-01'', 1, ''1 h''))');
SELECT refused('SELECT rate_total(tou(), usage(two(), ''2026-01-01'', 1, ''1 h''))');

-- quantities from elsewhere
SELECT rate_total(tou(), usage_from(tou(), '{"import_kwh": {"peak": 100, "valley": 50}}')) AS "90.00",
	rate_total(tou(), usage_from(tou(), '{"import_kwh": {"tou": {"peak": "200", "valley": 100}}}')) AS "180.00";
SELECT usage_from(flat(), q::jsonb)::jsonb - 'fingerprint' - 'total_kwh' FROM unnest(ARRAY[
	'{"during": ["2026-01-01", "2026-02-01"], "import_kwh": 31}', '{"during": ["2026-05-16", "2026-07-01"], "import_kwh": 1}',
	'{"during": ["2026-05-31T12:00", "2026-06-01T12:00"], "import_kwh": 1.000001, "quality": "missing"}',
	'{"during": "[\"2026-01-01 00:00:00+08\",\"2026-02-01 00:00:00+08\")", "import_kwh": 0}', '{"during": "[2026-01-01,2026-01-02)", "import_kwh": 1}',
	'{"during": ["2026-05-01", "2026-07-01"], "parts": [{"from": "2026-06-15", "import_kwh": 7}, {"from": "2026-05-01", "import_kwh": 5}, {"from": "2026-06-01", "import_kwh": 2}]}',
	'{"import_kwh": 5, "days": 30, "months": 1, "quality": "estimated"}']) AS q;
SELECT usage_from(two(), '{"import_kwh": {"week": {"rest": 1}, "day": {"light": 0.4, "dark": 0.6}}}')::jsonb -> 'import_kwh';
SELECT usage_from(NULL, '{}') IS NULL AND usage_from(tou(), NULL) IS NULL AS strict;
SELECT refused(format('SELECT usage_from(%s(), %L)', f, q)) FROM (VALUES
	('tou', '[]'), ('tou', '{"import_kwh": {"peak": 1, "night": 2}}'), ('tou', '{"import_kwh": {"week": {"peak": 1}}}'),
	('tou', '{"import_kwh": {"peak": -1}}'), ('tou', '{"import_kwh": {"peak": "NaN"}}'), ('tou', '{"import_kwh": {"peak": 0.0000001}}'), ('tou', '{"import_kwh": {"peak": 1e20}}'),
	('tou', '{"import_kwh": {"peak": true}}'), ('flat', '{"import_kwh": {"peak": 1}}'), ('two', '{"import_kwh": {"day": {"dark": 1}}}'),
	('two', '{"import_kwh": {"day": {"dark": 1}, "week": {"rest": 2}}}'), ('two', '{"import_kwh": {"day": {"dark": 1}, "week": 1}}'),
	('two', '{"import_kwh": {"day": {"dark": 1}, "week": {"rest": 1}, "year": {}}}'), ('flat', '{"import_kwh": 1, "kwh": 1}'),
	('flat', '{"import_kwh": 1, "days": 0}'), ('flat', '{"import_kwh": 1, "months": -1}'), ('flat', '{"import_kwh": 1, "quality": "fine"}'),
	('flat', '{"import_kwh": 1, "during": ["2026-01-01", "2026-01-01"]}'), ('flat', '{"import_kwh": 1, "during": ["2026-01-01"]}'), ('flat', '{"import_kwh": 1, "during": "(,)"}'),
	('flat', '{"import_kwh": 1, "during": "[01.01.2026,02.01.2026)"}'), ('flat', '{"import_kwh": 1, "during": ["1899-12-31", "2026-01-01"]}'), ('flat', '{"import_kwh": 1, "during": ["2026-01-01", "2300-01-01"]}'),
	('flat', '{"parts": [{"from": "2026-01-01", "import_kwh": 1}]}'), ('flat', '{"import_kwh": 1, "during": ["2026-01-01", "2026-02-01"], "parts": []}'),
	('flat', '{"during": ["2026-01-01", "2026-02-01"], "parts": []}'), ('flat', '{"during": ["2026-01-01", "2026-02-01"], "parts": [{"from": "2026-02-01", "import_kwh": 1}]}'),
	('flat', '{"during": ["2026-01-01", "2026-02-01"], "parts": [{"from": "2026-01-01", "to": 1, "import_kwh": 1}]}')
) AS v(f, q);

-- bad rows
SELECT refused(format('SELECT usage(tou(), %s)', q)) FROM unnest(ARRAY[
	$$'2026-01-01', -1, '1 h'$$, $$'2026-01-01', 1, '0'$$, $$'2026-01-01', 1, '-1 h'$$, $$'2026-01-01', 1, '1 month'$$, $$'2026-01-01', 1, '33 days'$$,
	$$'2026-01-01', 1, '32 days 1 us'$$, $$'2026-01-01', 1, '2147483647 days'$$, $$'2026-01-01', 1, '1 day -24 hours'$$, $$'infinity', 1, '1 h'$$, $$'-infinity', 1, '1 h'$$,
	$$'2200-01-01', 1, '1 h'$$, $$'1899-12-31', 1, '1 h'$$, $$'2026-01-01', 9223372036854775807, '1 h'$$, $$'empty', 1$$, $$'[2026-01-01,)'::tstzrange, 1$$, $$'(,2026-01-01)'::tstzrange, 1$$,
	$$'[2026-01-01,infinity)'::tstzrange, 1$$, $$'[2026-01-01,2026-03-01)'::tstzrange, 1$$, $$'[2026-01-01,2026-01-02)'::tstzrange, -1$$, $$'[2026-01-01,2026-01-02)'::tstzrange, 'NaN'$$,
	$$'[2026-01-01,2026-01-02)'::tstzrange, 'infinity'$$, $$'[2026-01-01,2026-01-02)'::tstzrange, 0.1234567$$, $$'[2026-01-01,2026-01-02)'::tstzrange, 1e13$$,
	$$'2026-01-01'::timestamptz + n * interval '1 h', 9000000000000000, '1 h') FROM generate_series(0, 1) AS n WHERE (true$$]) AS q;
