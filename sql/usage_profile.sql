-- usage_profile.sql: usage(), register_usage(), compare(), max_demand() of load profiles are those of their values as rows
SET search_path = public, elecbill;
SET timezone = 'America/Lima';

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

-- what the summary keeps: periods alone; seasons, tiers of a year and export; demands, spot prices, tiers in order of time; two versions
CREATE FUNCTION tariff_of(no integer) RETURNS elecbill.tariff LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN (
	jsonb_build_object('elecbill', 1, 'currency', 'GBP', 'zone', 'Europe/London',
		'schedules', '{"tou": [{"period": "peak", "spans": [["07:00", "19:10"]]}, {"period": "off"}]}'::jsonb) ||
	CASE no
	WHEN 1 THEN '{"components": [{"code": "energy", "kind": "energy", "price": {"period": {"peak": 0.2, "off": 0.1}}}]}'
	WHEN 2 THEN '{"seasons": {"summer": [["03-30", "10-01"]]}, "components": [{"code": "sold", "kind": "credit", "price": 0.05},
		{"code": "energy", "kind": "energy", "price": {"period": {"peak": {"season": {"summer": 0.2, "*": 0.3}}, "off": 0.1}}, "tier": {"mode": "adder", "scope": "year", "steps": [{"up_to": 10, "price": 0}, {"price": 1}]}}]}'
	WHEN 3 THEN '{"series": {"spot": [["2026-01-01T00:00:00Z", 0.1], ["2026-03-29T00:40:00Z", -0.05]]}, "demands": {"main": {"window": 60, "slide": 30}},
		"components": [{"code": "energy", "kind": "energy", "price": {"period": {"peak": 0.2, "off": 0.1}}, "tier": {"mode": "adder", "order": "time", "steps": [{"up_to": 10, "price": 0}, {"price": 1}]}},
		{"code": "spot", "kind": "energy", "price": {"series": "spot"}}, {"code": "demand", "kind": "demand", "price": 3, "demand": "main"}]}'
	END::jsonb)::elecbill.tariff;
CREATE FUNCTION versions_of(a integer, b integer, day date) RETURNS elecbill.tariff LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN
	jsonb_build_object('elecbill', 1, 'versions', jsonb_build_array(
		jsonb_build_object('version', 1, 'valid', jsonb_build_array(NULL, day), 'tariff', tariff_of(a)::jsonb),
		jsonb_build_object('version', 2, 'valid', jsonb_build_array(day, NULL), 'tariff', tariff_of(b)::jsonb)))::elecbill.tariff;

-- local days of London around the one of 23 hours; some values are missing, some of each width
CREATE TABLE day AS
SELECT id, direction, d, load_profile(from_at, step, array_agg(CASE WHEN h % 50 <> 7 THEN least + h % most END ORDER BY n), array_agg((h % 2)::integer ORDER BY n), direction) AS profile
FROM (SELECT *, (d + 1)::timestamp AT TIME ZONE 'Europe/London' AS to_at,
		CASE id WHEN 2 THEN interval '1 h' WHEN 3 THEN interval '5 min' ELSE interval '15 min' END AS step,
		CASE id WHEN 1 THEN 1500 WHEN 2 THEN 200 WHEN 3 THEN 90000 WHEN 4 THEN 1 ELSE 5000000000 END AS most,
		CASE id WHEN 3 THEN 12345 ELSE 0 END AS least
	FROM (SELECT id, direction, date '2026-03-26' + n AS d, (date '2026-03-26' + n)::timestamp AT TIME ZONE 'Europe/London' AS from_at
		FROM generate_series(1, 5) AS id, generate_series(0, 8) AS n, unnest('{import,export}'::text[]) AS direction) AS q) AS q,
	LATERAL (SELECT n, hashint8(hashtext(direction) + id * 1000000 + extract(epoch FROM from_at + n * step)::bigint / 60) & 2147483647::bigint AS h
		FROM generate_series(0, (extract(epoch FROM to_at - from_at) / extract(epoch FROM step))::integer - 1) AS n) AS v
GROUP BY id, direction, d, from_at, step;
CREATE TABLE load AS SELECT id, direction, at, energy_wh, profile_step(profile) AS step FROM day, profile_values(profile);
SELECT count(*), min(profile_count(profile)), max(profile_count(profile)), sum(profile_missing(profile)) > 100 AS with_gaps FROM day;

CREATE TABLE tariff_no AS SELECT no, CASE no WHEN 4 THEN versions_of(3, 1, '2026-03-30') WHEN 5 THEN versions_of(1, 3, '2026-03-29') ELSE tariff_of(no) END AS tariff FROM generate_series(1, 5) AS no;
CREATE TABLE want AS SELECT no, id, usage(tariff, at, energy_wh, step, direction) AS u FROM load, tariff_no GROUP BY no, id;
SELECT no, count(*) AS meters, bool_and(want.u::text = got.u::text) AS same
FROM want JOIN (SELECT no, id, usage(tariff, profile) AS u FROM day, tariff_no GROUP BY no, id) AS got USING (no, id) GROUP BY no ORDER BY no;
SELECT jsonb_pretty(u::jsonb - 'fingerprint') FROM want WHERE no = 2 AND id = 1;
-- a constant tariff; an array of them and a number
SELECT bool_and(want.u::text = got.u::text) AS same FROM want JOIN (SELECT id, usage(tariff_of(2), profile) AS u FROM day GROUP BY id) AS got USING (id) WHERE no = 2;
SELECT bool_and(want.u::text = got.u::text) AS same
FROM want JOIN (SELECT id, id % 3 + 1 AS no, usage(ARRAY[tariff_of(1), tariff_of(2), tariff_of(3)], id % 3 + 1, profile) AS u FROM day GROUP BY id) AS got USING (no, id);
-- all days of a meter as one value; a value that is stored out of line
CREATE TABLE whole AS SELECT id, load_profile_agg(at, energy_wh, step) AS profile FROM load WHERE direction = 'import' GROUP BY id;
SELECT no, bool_and(w.u::text = got.u::text) AS same, max(size) > 2000 AS long
FROM (SELECT no, id, usage(tariff, at, energy_wh, step) AS u FROM load, tariff_no WHERE direction = 'import' GROUP BY no, id) AS w
JOIN (SELECT no, id, usage(tariff, profile) AS u, max(pg_column_size(profile)) AS size FROM whole, tariff_no GROUP BY no, id) AS got USING (no, id) GROUP BY no ORDER BY no;

-- in workers
SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0; SET max_parallel_workers_per_gather = 2;
ALTER TABLE day SET (parallel_workers = 2);
ANALYZE day;
SELECT plan_has('SELECT id, usage(tariff_of(3), profile) FROM day GROUP BY id', '"Partial Mode": "Partial"') AS runs_parallel;
SELECT bool_and(want.u::text = got.u::text) AS same_in_workers FROM want JOIN (SELECT id, usage(tariff_of(3), profile) AS u FROM day GROUP BY id) AS got USING (id) WHERE no = 3;
SELECT bool_and(want.u::text = got.u::text) AS same_in_workers FROM want JOIN (SELECT id, usage(versions_of(1, 3, '2026-03-29'), profile) AS u FROM day GROUP BY id) AS got USING (id) WHERE no = 5;
SELECT usage(tariff_of(1), profile) IS NULL AS no_row_in_workers FROM day WHERE id < 0;

-- compare()
CREATE TABLE totals AS SELECT id, compare(ARRAY[tariff_of(1), tariff_of(2), tariff_of(3), versions_of(3, 1, '2026-03-30')], at, energy_wh, step, direction, '{"attrs": {"x": 1}}'::jsonb) AS t FROM load GROUP BY id;
SELECT bool_and(totals.t = got.t) AND count(*) = 5 AS same FROM totals
JOIN (SELECT id, compare(ARRAY[tariff_of(1), tariff_of(2), tariff_of(3), versions_of(3, 1, '2026-03-30')], profile, '{"attrs": {"x": 1}}') AS t FROM day GROUP BY id) AS got USING (id);
SELECT bool_and(totals.t = got.t) AND count(*) = 5 AS same FROM totals
JOIN (SELECT id, compare(ARRAY[tariff_of(1), tariff_of(2), tariff_of(3), versions_of(3, 1, '2026-03-30')], profile) AS t FROM day GROUP BY id) AS got USING (id);

-- max_demand()
CREATE TABLE peaks AS SELECT id, direction, max_demand(at, energy_wh * 0.001, step, '1 h') AS one, max_demand(at, energy_wh * 0.001, step, '2 h', '15 min') AS two,
	max_demand(at, energy_wh * 0.001, step, '1 day', '1 h', 'Europe/London') AS three FROM load GROUP BY id, direction;
SELECT bool_and((one, two, three) = (a, b, c)) AND count(*) = 10 AS same FROM peaks
JOIN (SELECT id, direction, max_demand(profile, '1 h') AS a, max_demand(profile, '2 h', '15 min') AS b, max_demand(profile, '1 day', '1 h', 'Europe/London') AS c
	FROM day GROUP BY id, direction) AS q USING (id, direction);
RESET max_parallel_workers_per_gather;
SELECT max_demand('import 2026-01-01T00:00:00Z/PT15M 1 - 3~1024 4', '15 min') AS "16", max_demand('import 2026-01-01T00:00:00Z/PT15M 1 - - - - 300~1024 4', '15 min') AS "16",
	max_demand('import 2026-01-01T00:00:00Z/PT15M - - - - - - - 8000~1024', '2 h') AS "4", max_demand('import 2026-01-01T00:00:00Z/PT15M -', '1 h') IS NULL AS nothing;

-- register_usage(): values and packed days in any mixture are the values alone
CREATE TABLE reading AS SELECT id, boundary, (990000 + sum(wh) OVER (PARTITION BY id ORDER BY boundary)) % 1000000 AS wh, 0 AS quality
FROM (SELECT id, timestamptz '2026-03-26 00:00Z' + n * interval '15 min' AS boundary, n * 7919 % 970 AS wh FROM generate_series(1, 2) AS id, generate_series(0, 900) AS n
	WHERE id = 1 OR (n * 31 % 17 <> 3 AND n NOT BETWEEN 265 AND 275) OR (n + 4) % 96 IN (0, 4)) AS q;
UPDATE reading SET quality = 512 WHERE id = 1 AND boundary IN ('2026-03-27 12:00Z', '2026-03-31 20:15Z');
-- differences in the slot where they end; those over several slots are spans, those onto a restart are missing
CREATE TABLE packed AS
SELECT id, d, from_at, to_at, load_profile(from_at, '15 min', array_agg(e.wh ORDER BY s.at), array_agg(coalesce(e.quality, 0) ORDER BY s.at)) AS profile
FROM (SELECT id, d, d::timestamp AT TIME ZONE 'Europe/London' AS from_at, (d + 1)::timestamp AT TIME ZONE 'Europe/London' AS to_at
	FROM generate_series(1, 2) AS id, (VALUES (date '2026-03-27'), ('2026-03-28'), ('2026-03-29'), ('2026-03-31')) AS v(d)) AS v
CROSS JOIN LATERAL (SELECT at FROM generate_series(from_at, to_at - interval '15 min', interval '15 min') AS at) AS s
LEFT JOIN LATERAL (SELECT register_delta(l.before, l.wh, 1000000, 100000) AS wh, CASE WHEN l.boundary - l.start > interval '15 min' THEN 1024 ELSE 0 END AS quality
	FROM (SELECT *, lag(wh) OVER w AS before, lag(boundary) OVER w AS start FROM reading AS r WHERE r.id = v.id AND boundary BETWEEN from_at AND to_at WINDOW w AS (ORDER BY boundary)) AS l
	WHERE l.boundary = s.at + interval '15 min' AND quality & 512 = 0) AS e ON true
GROUP BY id, d, from_at, to_at;
SELECT id, sum(profile_missing(profile)) AS missing, sum((SELECT count(*) FROM profile_values(profile) WHERE quality = 1024)) AS spans FROM packed GROUP BY id ORDER BY id;
CREATE VIEW mixture AS
SELECT r.id, boundary, wh, r.quality | CASE WHEN EXISTS (SELECT FROM packed AS p WHERE p.id = r.id AND boundary = to_at) THEN 512 ELSE 0 END AS quality, NULL::load_profile AS profile
FROM reading AS r WHERE NOT EXISTS (SELECT FROM packed AS p WHERE p.id = r.id AND boundary > from_at AND boundary < to_at)
UNION ALL SELECT id, NULL, NULL, NULL, profile FROM packed;
SELECT no, id, a.u::text = b.u::text AS same, c.u::text = b.u::text AS same_with_channel, b.u::jsonb ->> 'quality' AS quality, b.u::jsonb ->> 'missing_s' AS missing_s
FROM (SELECT no, id, register_usage(tariff, boundary, wh, 1000000, quality, profile) AS u FROM mixture, tariff_no GROUP BY no, id) AS a
JOIN (SELECT no, id, register_usage(tariff, boundary, wh, 1000000, quality) AS u FROM reading, tariff_no GROUP BY no, id) AS b USING (no, id)
JOIN (SELECT no, id, register_usage(tariff, boundary, wh, 1000000, quality, 'import', profile) AS u FROM mixture, tariff_no GROUP BY no, id) AS c USING (no, id) ORDER BY no, id;
CREATE TABLE mixed AS SELECT * FROM mixture ORDER BY md5(mixture::text);
ALTER TABLE mixed SET (parallel_workers = 2);
ANALYZE mixed;
SET max_parallel_workers_per_gather = 2;
SELECT plan_has('SELECT id, register_usage(tariff_of(3), boundary, wh, 1000000, quality, profile) FROM mixed GROUP BY id', '"Partial Mode": "Partial"') AS runs_parallel;
SELECT bool_and(a.u::text = b.u::text) AS same_in_workers
FROM (SELECT id, register_usage(tariff_of(3), boundary, wh, 1000000, quality, profile) AS u FROM mixed GROUP BY id) AS a
JOIN (SELECT id, register_usage(tariff_of(3), boundary, wh, 1000000, quality) AS u FROM reading GROUP BY id) AS b USING (id);
RESET max_parallel_workers_per_gather;
-- steps of more than an hour are differences of more than an hour; a profile without values has its time
SELECT register_usage(tariff_of(1), NULL, NULL, NULL, NULL, 'import 2026-01-01T06:00:00Z/PT2H 2000 2000'::load_profile)::jsonb ->> 'quality' AS estimated,
	usage(tariff_of(1), 'import 2026-01-01T06:00:00Z/PT2H 2000 2000')::jsonb ->> 'quality' AS actual,
	register_usage(tariff_of(1), NULL, NULL, NULL, NULL, 'import 2026-01-01T06:00:00Z/PT15M - 1 -'::load_profile)::jsonb - 'fingerprint' AS all_of_it;

-- a tariff that cuts a day into 210 runs, values as large as one byte and two hold
CREATE FUNCTION minutes(first integer, last integer) RETURNS jsonb LANGUAGE sql RETURN
	(SELECT jsonb_build_object('period', 'peak', 'spans', jsonb_agg(jsonb_build_array(to_char(time '00:12' + n * interval '13 min', 'HH24:MI'), to_char(time '00:13' + n * interval '13 min', 'HH24:MI')))) FROM generate_series(first, last) AS n);
SELECT most, u.parts = (SELECT usage(tariff, at, energy_wh, '20 s')::jsonb -> 'parts' FROM profile_values(p)) AS same, u.parts
FROM (SELECT jsonb_set(tariff_of(1)::jsonb, '{schedules,tou}', jsonb_build_array(minutes(0, 39), minutes(40, 79), minutes(80, 104), '{"period": "off"}'::jsonb))::elecbill.tariff AS tariff) AS t,
	(SELECT most, load_profile('2026-01-01Z', '20 s', array_fill(most, '{4094}') || 0::bigint || most) AS p FROM unnest('{255,65535}'::bigint[]) AS most) AS v,
	LATERAL (SELECT usage(tariff, q.p)::jsonb -> 'parts' AS parts FROM (SELECT v.p) AS q) AS u;

-- spans
SELECT usage(tariff_of(1), 'import 2026-01-01T06:00:00Z/PT30M 100 - - 900~1024')::jsonb - 'fingerprint' AS estimated;
SELECT usage(tariff_of(1), 'import 2026-01-01T06:00:00Z/PT15M - - - 900~1024')::jsonb - 'fingerprint' AS "an hour is exact";
-- rows with NULLs, profiles without values
SELECT usage(tariff_of(1), NULL::load_profile) IS NULL AS nothing, usage(NULL::elecbill.tariff, 'import 2026-01-01T06:00:00Z/PT15M 1'::load_profile) IS NULL AS nothing,
	usage(tariff_of(1), 'import 2026-01-01T06:00:00Z/PT15M -*4') IS NULL AS nothing, usage(tariff_of(1), 'import 2026-01-01T06:00:00Z/PT15M') IS NULL AS nothing,
	register_usage(tariff_of(1), NULL, NULL, NULL, NULL, NULL::load_profile) IS NULL AS nothing, compare(ARRAY[tariff_of(1)], NULL::load_profile) IS NULL AS nothing,
	max_demand(NULL::load_profile, '1 h') IS NULL AS nothing;
SELECT usage(tariff_of(1), p)::jsonb - 'fingerprint' AS "without what is missing at the ends" FROM (VALUES (NULL), ('import 2026-01-01T00:00:00Z/PT15M - 1 - 1 -'::load_profile)) AS v(p);

SELECT refused(q) FROM unnest(ARRAY[
	$$SELECT usage(tariff_of(1), 'import 2026-01-01T00:00:00Z/PT15M 1 -1')$$,
	$$SELECT compare(ARRAY[tariff_of(1)], 'import 2026-01-01T00:00:00Z/PT15M -1')$$,
	$$SELECT max_demand('import 2026-01-01T00:00:00Z/PT15M -1', '1 h')$$,
	$$SELECT register_usage(tariff_of(1), NULL, NULL, NULL, NULL, 'import 2026-01-01T00:00:00Z/PT15M -1'::load_profile)$$,
	$$SELECT usage(tariff_of(no), profile) FROM day, generate_series(1, 2) AS no$$,
	$$SELECT usage(ARRAY[tariff_of(1)], 2, profile) FROM day$$,
	$$SELECT usage(tariff_of(3), 'import 2025-01-01T00:00:00Z/PT15M 1')$$,
	$$SELECT usage(tariff_of(1), p) FROM (SELECT 'import 2026-01-01T00:00:00Z/PT15M 1000000000000000*96'::load_profile AS p FROM generate_series(1, 100)) AS q$$,
	$$SELECT usage(tariff_of(1), 'import 2026-01-01T00:00:00Z/PT1S 1000000000000000*90000'::load_profile)$$,
	$$SELECT max_demand(profile, '1 h') FROM day WHERE id = 1$$,
	$$SELECT max_demand('import 2026-01-01T00:00:00Z/PT15M 1', '7 min')$$,
	$$SELECT max_demand('import 2026-01-01T00:00:00Z/PT15M 1', '1 h', '7 min')$$,
	$$SELECT max_demand('import 2026-01-01T00:00:00Z/PT15M 1', NULL)$$,
	$$SELECT max_demand('import 2026-01-01T00:00:00Z/PT15M 1'::load_profile, '1 h', '1 h', 'Nowhere')$$]) AS q;
