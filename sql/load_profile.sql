-- load_profile.sql: the type load_profile: text, jsonb and arrays, what each door refuses, what can be done with it, load_profile_agg(), sum()
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
CREATE FUNCTION plan_has(statement text, what text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
	plan json;
BEGIN
	EXECUTE 'EXPLAIN (FORMAT json, COSTS off) ' || statement INTO plan;
	RETURN position(what IN plan::text) > 0;
END $$;

-- the text, in any session
SELECT 'import 2025-02-28T16:00:00Z/PT15M 120 130 - 140~1026 0*92'::load_profile AS day \gset
SELECT :'day'::load_profile;
SET timezone = 'Asia/Shanghai'; SET datestyle = 'German, DMY'; SET intervalstyle = 'sql_standard';
SELECT :'day'::load_profile;
SELECT ' import  2025-03-01T00:00:00+08:00/PT15M 120 130 -*1 140~1026 0 0 0*90 '::load_profile::text = :'day' AS same;
RESET datestyle; RESET intervalstyle; SET timezone = 'UTC';

-- from arrays, and their rows again
SELECT load_profile('2025-03-01 00:00+08', '15 min', '{120,130,NULL,140,0}', '{0,0,NULL,1026,0}', 'import');
SELECT load_profile('2025-03-01 00:00+08', '1 day', '{120,-130}', '{0,2}') AS a, load_profile('1999-12-31Z', '1 h', '{}') AS b, load_profile('1999-12-31Z', '24 h', NULL) IS NULL AS c;
SELECT * FROM profile_values(load_profile('2025-03-01 00:00+08', '15 min', '{120,130,NULL,140,0}', '{0,0,4,1026,0}'));
SELECT profile_values(load_profile('2025-03-01Z', '15 min', '{}')), profile_gaps('import 2025-03-01T00:00:00Z/PT15M 1');
SELECT bool_and(p = load_profile(lower(p::tstzrange), profile_step(p), whs, qualities, profile_direction(p))) AS arrays_come_back, count(*)
FROM (VALUES (:'day'::load_profile), ('export_kvarh 2025-01-01T00:00:00Z/PT1H - 5 -~2 70000*3'), ('import 2025-01-01T00:00:00Z/PT30S -5 -1000000000000000 1000000000000000~1')) AS v (p)
CROSS JOIN LATERAL (SELECT array_agg(energy_wh ORDER BY at) AS whs, array_agg(quality ORDER BY at) AS qualities FROM profile_values(p)) AS a;

-- single facts
SELECT profile_during(p), profile_step(p), profile_count(p), profile_missing(p), profile_direction(p), profile_sum(p), profile_max(p) FROM (SELECT :'day'::load_profile AS p) AS q;
SELECT profile_during(p), profile_count(p), profile_missing(p), profile_sum(p) IS NULL AS no_sum, profile_max(p) IS NULL AS no_max FROM (VALUES ('export 2025-01-01T00:00:00Z/P1D'::load_profile), ('export 2025-01-01T00:00:00Z/P1D -*3')) AS v (p);
SELECT at, profile_at(:'day', at::timestamptz) FROM (VALUES ('2025-02-28 15:59:59.999999Z'), ('2025-02-28 16:00Z'), ('2025-02-28 16:14:59.999999Z'), ('2025-02-28 16:15Z'), ('2025-02-28 16:30Z'), ('2025-03-01 15:59:59.999999Z'), ('2025-03-01 16:00Z'), ('-infinity'), ('infinity')) AS v (at);
SELECT profile_gaps('import 2025-01-01T00:00:00Z/PT1H - 1 -*3 2 - 5~1024 -') AS gap;
-- the value of a span is of more time: it is no maximum
SELECT (profile_max('import 2025-01-01T00:00:00Z/PT1H 1 - 90~1024 7 3 7')).*;
SELECT profile_sum(load_profile('2025-01-01Z', '1 s', array_fill(1000000000000000, '{10000}'))) AS beyond_64_bits;

-- parts, products, other steps
SELECT during, profile_slice(:'day', during::tstzrange)
FROM (VALUES ('[2025-02-28 16:00Z, 2025-02-28 16:30Z)'), ('(2025-02-28 16:00Z, 2025-02-28 16:30Z]'), ('[2025-02-28 16:00:01Z, 2025-02-28 16:30:01Z)'), ('[2025-02-28 16:31Z, 2025-02-28 17:00Z)'), ('[2025-03-01 15:30Z,)'), ('(,2025-02-28 16:00Z]'), ('(,2025-02-28 16:00Z)'), ('[2030-01-01Z,)'), ('empty'), ('[-infinity,infinity]')) AS v (during);
SELECT :'day'::load_profile * 0.5 AS half, -1 * 'import 2025-01-01T00:00:00Z/PT1H 7 -3'::load_profile AS negative, 'import 2025-01-01T00:00:00Z/PT1H 1*10 -~4 1*3'::load_profile * 0.3 AS third;
SELECT step, profile_resample('import 2025-01-01T00:00:00Z/PT30M 1 2 3~4 - 5 - 70~1024 8 9', step) FROM (VALUES ('15 min'::interval), ('30 min'), ('1 h'), ('2 h'), ('1 day')) AS v (step);
SELECT profile_resample('import 2025-01-01T00:00:00Z/PT30M - - 5 - 7~1024 8', '1 h') AS span_behind_gap;
SELECT 'import 2025-01-01T00:00:00Z/PT1H 1 2 - 4~1024'::load_profile + 'import 2025-01-01T01:00:00Z/PT1H 10 - 40~1024 50~2' AS same_gap,
	'import 2025-01-01T00:00:00Z/PT1H 1 2 - 4~1024'::load_profile + 'import 2025-01-01T01:00:00Z/PT1H 10 20 40 50~2' AS another,
	'import 2025-01-01T00:00:00Z/PT1H 1'::load_profile + 'import 2025-01-01T03:00:00Z/PT1H 2' AS apart;
SELECT 'import 2025-01-01T00:00:00Z/PT1H 5 2 - 4~1024 7 8'::load_profile - 'export 2025-01-01T01:00:00Z/PT1H 1 1 1 - 9 9' AS net,
	'import 2025-01-01T00:00:00Z/PT1H 5'::load_profile - 'import 2025-01-01T03:00:00Z/PT1H 2' AS nothing_known;
SELECT profile_add(a, b) = a + b AND profile_subtract(a, b) = a - b AND a + b = b + a AS same_functions, a + a = a * 2 AS twice
FROM (SELECT :'day'::load_profile AS a, 'import 2025-02-28T17:00:00Z/PT15M 1 - 3'::load_profile AS b) AS q;
SELECT 'import 2025-01-01T00:00:00Z/PT1H'::load_profile + 'import 2024-01-01T00:00:00Z/PT1H' AS both_empty, 'import 2025-01-01T00:00:00Z/PT1M'::load_profile + 'import 2024-01-01T00:00:00Z/PT1H 1' AS one_empty;

-- casts
SELECT :'day'::load_profile::jsonb - 'wh' AS without_values, jsonb_array_length(:'day'::load_profile::jsonb -> 'wh') AS values, :'day'::load_profile::tstzrange;
SELECT count(*), bool_and(p::jsonb::load_profile = p) AS jsonb_comes_back, bool_and(p::text::load_profile = p) AS text_comes_back
FROM (VALUES (:'day'::load_profile), ('export 1900-01-01T00:00:00Z/P1D'), ('import_kvarh 2199-12-31T23:59:59Z/PT1S -~3'), ('import 2025-01-01T00:00:00Z/PT30S -5*7 -1000000000000000 1000000000000000~1 0*900')) AS v (p);
SELECT '{"start": "2025-03-01T00:00:00+08:00", "step": "PT60M", "direction": "export", "wh": [1, null, 3], "quality": [[1, 2], [1, 0]]}'::jsonb::load_profile;

-- equality, order, hashes
CREATE TABLE p (id int, p load_profile);
INSERT INTO p VALUES (1, 'import 2025-01-01T00:00:00Z/PT1H 1 2'), (2, 'import 2025-01-01T00:00:00Z/PT1H 1 -'), (3, 'import 2025-01-01T00:00:00Z/PT1H 1 2~1'), (4, 'export 2025-01-01T00:00:00Z/PT1H 1 2'),
	(5, 'import 2025-01-01T00:00:00Z/PT30M 9 9'), (6, 'import 2024-01-01T00:00:00Z/PT1H 9 9'), (7, 'import 2025-01-01T00:00:00Z/PT1H'), (8, 'import 2025-01-01T00:00:00Z/PT1H -1 300'), (9, 'import 2025-01-01T00:00:00Z/PT1H 1 2'), (10, NULL);
SELECT array_agg(id ORDER BY p, id) AS sorted, array_agg(id ORDER BY p DESC, id) AS backwards, count(DISTINCT p) FROM p;
SELECT count(*) FILTER (WHERE (a.p = b.p) = (a.id = b.id OR a.id + b.id = 10 AND abs(a.id - b.id) = 8)) = count(*) AS equal_when_same,
	bool_and((a.p < b.p) = (b.p > a.p) AND (a.p <= b.p) = NOT (a.p > b.p) AND (a.p >= b.p) = NOT (a.p < b.p) AND (a.p <> b.p) = NOT (a.p = b.p)) AS operators_agree
FROM p AS a, p AS b WHERE a.p IS NOT NULL AND b.p IS NOT NULL;
SET enable_sort = off;
SELECT plan_has('SELECT p FROM p GROUP BY p', 'Hashed') AS hashed, (SELECT count(*) FROM (SELECT p FROM p GROUP BY p) AS q) AS groups;
RESET enable_sort;
CREATE TABLE parts (p load_profile PRIMARY KEY) PARTITION BY HASH (p);
CREATE TABLE parts_0 PARTITION OF parts FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO parts SELECT DISTINCT p FROM p WHERE p IS NOT NULL;
SELECT count(*) FROM parts;
SELECT refused($$INSERT INTO parts SELECT p FROM p WHERE id = 9$$) ~ '^23505' AS unique_key;

-- load_profile_agg(): any order, missing rows, energies that are NULL, an instant twice
CREATE TABLE reading AS SELECT m AS meter, '2025-01-01Z'::timestamptz + i * interval '15 min' AS at, (m * 7919 + i * 104729) % 1501 AS wh, CASE WHEN (m + i) % 50 = 0 THEN 2 ELSE 0 END AS quality
FROM generate_series(1, 40) AS m, generate_series(0, 671) AS i WHERE (m * 31 + i * 17) % 97 <> 5 OR i = 0;
INSERT INTO reading SELECT meter, at, wh, quality FROM reading WHERE meter % 7 = 0 AND wh % 3 = 0;
CREATE TABLE packed AS SELECT meter, load_profile_agg(at, wh::bigint, '15 min', quality ORDER BY at) AS p FROM reading GROUP BY meter;
SELECT count(*), sum(profile_count(p)) AS intervals, sum(profile_missing(p)) > 0 AS gaps, sum(profile_sum(p)) = (SELECT sum(wh) FROM (SELECT DISTINCT meter, at, wh FROM reading) AS r) AS same_energy FROM packed;
SELECT count(*) FROM ((SELECT meter, at, wh, quality FROM reading EXCEPT SELECT meter, at, energy_wh, v.quality FROM packed, profile_values(p) AS v) UNION ALL (SELECT meter, at, energy_wh, v.quality FROM packed, profile_values(p) AS v WHERE energy_wh IS NOT NULL EXCEPT SELECT meter, at, wh, quality FROM reading)) AS d;
SELECT count(*), bool_and(p = backwards AND p = shuffled) AS any_order
FROM packed JOIN (SELECT meter, load_profile_agg(at, wh::bigint, '15 min', quality ORDER BY at DESC) AS backwards, load_profile_agg(at, wh::bigint, '15 min', quality, 'import' ORDER BY md5(at::text)) AS shuffled FROM reading GROUP BY meter) AS r USING (meter);
SELECT load_profile_agg(at, wh, '1 h') AS missing, load_profile_agg(at, wh, '1 h', q, d) AS of_all, load_profile_agg(at, wh, '01:00') FILTER (WHERE wh < 0) AS none
FROM (VALUES ('2025-01-01 02:00Z'::timestamptz, 3::bigint, 4, 'export'), ('2025-01-01 00:00Z', 1, NULL, 'export'), ('2025-01-01 05:00Z', NULL, 2, 'export'), (NULL, 7, 0, 'export'), ('2024-01-01 00:00Z', 7, 0, NULL)) AS v (at, wh, q, d) WHERE d IS NOT NULL;
-- in a window it goes on behind a result that was put in order
SELECT load_profile_agg(at, wh, '1 h') OVER (ORDER BY n) FROM (VALUES (1, '2025-01-01 02:00Z'::timestamptz, 3::bigint), (2, '2025-01-01 00:00Z', 1), (3, '2025-01-01 01:00Z', 2), (4, '2025-01-01 03:00Z', 4)) AS v (n, at, wh);

-- sum()
CREATE TABLE by_hand AS SELECT load_profile(min(at), '15 min', array_agg(wh ORDER BY at), array_agg(q ORDER BY at)) AS p
FROM (SELECT at, sum(energy_wh)::bigint AS wh, bit_or(quality) | CASE WHEN count(energy_wh) BETWEEN 1 AND count(*) - 1 THEN 2048 ELSE 0 END AS q FROM packed, profile_values(p) GROUP BY at) AS v;
SELECT sum(packed.p) = (SELECT p FROM by_hand) AS as_by_hand, profile_sum(sum(p)) = sum(profile_sum(p)) AS nothing_lost FROM packed;
SELECT sum(p) AS empties_and_nulls FROM (VALUES (NULL::load_profile), ('import 2025-01-01T00:00:00Z/PT1H'), ('export 2025-01-01T00:00:00Z/PT30M 1 -'), ('export 2025-01-01T00:30:00Z/PT30M - 5')) AS v (p);
SELECT sum(p) IS NULL AS nothing FROM (VALUES (NULL::load_profile), ('import 2025-01-01T00:00:00Z/PT1H')) AS v (p);
-- a window takes away what it leaves
CREATE TABLE day AS SELECT meter, d, profile_slice(p, tstzrange('2025-01-01Z'::timestamptz + d * interval '1 day', '2025-01-02Z'::timestamptz + d * interval '1 day')) AS p FROM packed, generate_series(0, 6) AS d;
SELECT count(*), bool_and(w = f) AS moving_is_sum
FROM (SELECT sum(p) OVER (ORDER BY meter, d ROWS 9 PRECEDING) AS w, row_number() OVER (ORDER BY meter, d) AS n FROM day) AS w
JOIN LATERAL (SELECT sum(p) AS f FROM (SELECT p, row_number() OVER (ORDER BY meter, d) AS n FROM day) AS s WHERE s.n BETWEEN w.n - 9 AND w.n) AS f ON true WHERE n % 13 = 0;
SELECT sum(p) OVER (ORDER BY id ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) FROM (VALUES (1, NULL::load_profile), (2, 'import 2025-01-01T00:00:00Z/PT1H 1'), (3, NULL), (4, NULL), (5, 'export 2025-01-01T00:00:00Z/PT15M 1 - 3~1024')) AS v (id, p);

-- with spans, negative values, gaps between profiles; NULLs, rows that a filter leaves out, frames behind and before their row
CREATE TABLE ragged AS SELECT i AS id, CASE WHEN i % 11 > 0 THEN load_profile('2025-03-29 23:00Z'::timestamptz + i * 7919 % 53 * interval '15 min', '15 min',
	(SELECT array_agg(CASE WHEN (i * 31 + j * 17) % 13 NOT IN (5, 6) THEN i * j * 7919 % 1501 - 700 END::bigint ORDER BY j) FROM generate_series(1, i * 13 % 7) AS j),
	(SELECT array_agg(CASE WHEN (i * 31 + j * 17) % 13 NOT IN (5, 6) AND (i + j) % 3 = 0 THEN 1024 + i % 2 * 2 ELSE j % 2 END ORDER BY j) FROM generate_series(1, i * 13 % 7) AS j)) END AS p FROM generate_series(1, 300) AS i;
SELECT count(*), count(back) AS some, bool_and(back IS NOT DISTINCT FROM (SELECT sum(p) FILTER (WHERE id % 3 > 0) FROM ragged AS b WHERE b.id BETWEEN w.id - 3 AND w.id - 1)) AS back,
	bool_and(around IS NOT DISTINCT FROM (SELECT sum(p) FROM ragged AS b WHERE b.id BETWEEN w.id - 7 AND w.id + 2)) AS around, bool_and(down IS NOT DISTINCT FROM (SELECT sum(p) FROM ragged AS b WHERE b.id BETWEEN w.id + 10 AND w.id + 20)) AS down
FROM (SELECT id, sum(p) FILTER (WHERE id % 3 > 0) OVER (ORDER BY id ROWS BETWEEN 3 PRECEDING AND 1 PRECEDING) AS back, sum(p) OVER (ORDER BY id ROWS BETWEEN 7 PRECEDING AND 2 FOLLOWING) AS around,
	sum(p) OVER (ORDER BY id DESC ROWS BETWEEN 20 PRECEDING AND 10 PRECEDING) AS down FROM ragged) AS w;

-- workers
SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0; SET max_parallel_workers_per_gather = 2; SET parallel_leader_participation = off;
ALTER TABLE reading SET (parallel_workers = 2); ALTER TABLE day SET (parallel_workers = 2);
ANALYZE reading; ANALYZE day;
SELECT plan_has('SELECT meter, load_profile_agg(at, wh::bigint, ''15 min'', quality) FROM reading GROUP BY meter', '"Partial Mode": "Partial"') AS agg_runs_parallel, plan_has('SELECT sum(p) FROM day', '"Partial Mode": "Partial"') AS sum_runs_parallel;
SELECT count(*), bool_and(p = q) AS same_in_workers FROM packed JOIN (SELECT meter, load_profile_agg(at, wh::bigint, '15 min', quality) AS q FROM reading GROUP BY meter) AS r USING (meter);
SELECT sum(p) = (SELECT p FROM by_hand) AS same_in_workers FROM day;
SELECT load_profile_agg(at, wh::bigint, '15 min') IS NULL AS no_row FROM reading WHERE wh < 0;
SELECT load_profile_agg(at, wh::bigint, '15 min') = profile_slice((SELECT p FROM packed WHERE meter = 3), '[2025-01-01Z,2025-01-01 00:15Z)') AS one_row FROM reading WHERE meter = 3 AND at = '2025-01-01Z';
SELECT sum(p) IS NULL AS no_row FROM day WHERE d < 0;
SELECT sum(p) = (SELECT p FROM packed WHERE meter = 3) AS one_worker_has_all FROM day WHERE meter = 3;
SELECT refused($$SELECT sum(CASE WHEN meter = 40 AND d = 6 THEN 'import 2025-01-01T00:00:30Z/PT15M 1' ELSE p END) FROM day$$);
SELECT refused($$SELECT load_profile_agg(at + CASE WHEN meter = 40 THEN interval '1 s' ELSE '0' END, wh::bigint, '15 min') FROM reading WHERE meter IN (1, 40)$$) ~ '^UB400' AS off_the_grid;
SELECT refused($$SELECT load_profile_agg(at, wh::bigint, CASE WHEN meter = 1 THEN interval '15 min' ELSE '5 min' END) FROM reading$$);
RESET max_parallel_workers_per_gather; RESET parallel_leader_participation;

-- COPY as text, CSV and binary; what is sorted where it lies out of line
CREATE TABLE copied (LIKE packed);
CREATE TABLE long AS SELECT load_profile('2025-01-01Z', '15 min', array_fill(1000::bigint, '{9999}') || (n * 7919 % 1001)::bigint) AS p FROM generate_series(1, 200) AS n;
\getenv superuser PGSUPERUSER
\getenv owner PGUSER
\c - :superuser
SET search_path = public, elecbill;
COPY packed TO PROGRAM 'cat > load_profile_packed';
COPY copied FROM PROGRAM 'cat load_profile_packed; rm load_profile_packed';
SELECT count(*), bool_and(packed.p = copied.p) AS text_comes_back FROM packed JOIN copied USING (meter);
TRUNCATE copied;
COPY packed TO PROGRAM 'cat > load_profile_packed' (FORMAT csv);
COPY copied FROM PROGRAM 'cat load_profile_packed; rm load_profile_packed' (FORMAT csv);
SELECT count(*), bool_and(packed.p = copied.p) AS csv_comes_back FROM packed JOIN copied USING (meter);
TRUNCATE copied;
COPY packed TO PROGRAM 'cat > load_profile_packed' (FORMAT binary);
COPY copied FROM PROGRAM 'cat load_profile_packed; rm load_profile_packed' (FORMAT binary);
SELECT count(*), bool_and(packed.p = copied.p) AS binary_comes_back FROM packed JOIN copied USING (meter);
-- a thousand comparisons of 40 kB leave nothing behind while their query runs
SELECT (SELECT count(*) FROM (SELECT p FROM long ORDER BY p) AS q) AS sorted, (SELECT sum(total_bytes) < 16000000 FROM pg_backend_memory_contexts) AS in_little_memory;
-- bytes as a profile, whatever they are: what was stored is looked at before it is used
CREATE TYPE raw;
CREATE FUNCTION raw_in(cstring) RETURNS raw LANGUAGE internal IMMUTABLE STRICT AS 'byteain';
CREATE FUNCTION raw_out(raw) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'byteaout';
CREATE TYPE raw (INPUT = raw_in, OUTPUT = raw_out, ALIGNMENT = int4, STORAGE = external);
CREATE CAST (raw AS load_profile) WITHOUT FUNCTION;
GRANT USAGE ON TYPE raw TO :"owner";
\c - :owner
SET search_path = public, elecbill;
SET timezone = 'UTC';
SELECT what, refused(format('SELECT %L::raw::load_profile::text', bytes)) FROM (VALUES
	('nothing', '\x'), ('short', '\x01000000'), ('format', '\x02' || repeat('00', 27)), ('width', '\x0103' || repeat('00', 26)), ('step', '\x01' || repeat('00', 27)),
	('values', '\x0101000000000000000000008403000002000000' || repeat('00', 8) || '07'), ('longer', '\x0100000000000000000000008403000002000000' || repeat('00', 8) || '07'),
	('qualities', '\x0100000200000000000000008403000002000000' || repeat('00', 8) || '01000000' || '0300000001000000'), ('range', '\x0108000000000000000000008403000001000000' || repeat('00', 8) || repeat('ff', 8))) AS v (what, bytes);
SELECT '\x01000000000000000000000084030000020000000700000000000000'::raw::load_profile AS not_damaged;
SELECT refused($$SELECT sum(p) FROM (VALUES ('\x01'::raw::load_profile)) AS v (p)$$) AS sum, refused($$SELECT profile_sum('\x01'::raw::load_profile)$$) AS profile_sum, refused($$SELECT '\x01'::raw::load_profile < '\x01'::raw::load_profile$$) AS compare;

-- what is refused: arrays
SELECT n, refused(statement) FROM (VALUES
	(1, $$SELECT load_profile('2025-01-01Z', '7 min', '{1}')$$), (2, $$SELECT load_profile('2025-01-01Z', '0', '{1}')$$), (3, $$SELECT load_profile('2025-01-01Z', '-15 min', '{1}')$$), (4, $$SELECT load_profile('2025-01-01Z', '1 month', '{1}')$$),
	(5, $$SELECT load_profile('2025-01-01Z', '0.5 s', '{1}')$$), (6, $$SELECT load_profile('2025-01-01Z', '2 days', '{1}')$$), (7, $$SELECT load_profile('2025-01-01Z', '178000000 days', '{1}')$$),
	(8, $$SELECT load_profile('2025-01-01 00:00:00.5Z', '1 h', '{1}')$$), (9, $$SELECT load_profile('infinity', '1 h', '{1}')$$), (10, $$SELECT load_profile('2199-12-31 23:00Z', '1 h', '{1,2}')$$), (11, $$SELECT load_profile('1899-12-31 23:00Z', '1 h', '{1}')$$),
	(12, $$SELECT load_profile('2025-01-01Z', '1 h', '{1000000000000001}')$$), (13, $$SELECT load_profile('2025-01-01Z', '1 h', '{1,-9223372036854775808}')$$), (14, $$SELECT load_profile('2025-01-01Z', '1 h', '{{1,2},{3,4}}')$$),
	(15, $$SELECT load_profile('2025-01-01Z', '1 h', '{1}', '{{1,2}}')$$), (16, $$SELECT load_profile('2025-01-01Z', '1 h', '{1}', '{}')$$), (17, $$SELECT load_profile('2025-01-01Z', '1 h', '{1}', '{-1}')$$), (18, $$SELECT load_profile('2025-01-01Z', '1 h', '{NULL}', '{1024}')$$),
	(19, $$SELECT load_profile('2025-01-01Z', '1 h', '{1}', '{0}', 'in')$$), (20, $$SELECT load_profile('2025-01-01Z', '1 s', array_fill(1::bigint, '{1048577}'))$$), (21, $$SELECT load_profile('2025-01-01Z', '1 s', array_fill(NULL::bigint, '{100000000}'))$$),
	(22, $$SELECT load_profile('2025-01-01Z', '1 s', '{1}', array_fill(NULL::int, '{100000000}'))$$)) AS v (n, statement) ORDER BY n;
-- text
SELECT text, refused(format('SELECT %L::load_profile', text)) FROM (VALUES (''), ('in'), ('import'), ('import 2025-01-01T00:00:00Z'), ('import 2025-01-01T00:00:00/PT1H 1'), ('import 2025-01-01T00:00:00Z/1H 1'), ('import 2025-01-01T00:00:00Z/PT7M 1'), ('import 2025-01-01T00:00:00.5Z/PT1H 1'),
	('import 2025-01-01T00:00:00Z/PT1H 1.5'), ('import 2025-01-01T00:00:00Z/PT1H 1e3'), ('import 2025-01-01T00:00:00Z/PT1H NULL'), ('import 2025-01-01T00:00:00Z/PT1H 1~2~3'), ('import 2025-01-01T00:00:00Z/PT1H 1*9999999999999'), ('import 2025-01-01T00:00:00Z/PT1H 1*1048576 1'),
	('import 2025-01-01T00:00:00Z/PT1H 99999999999999999999999'), ('import 2025-01-01T00:00:00Z/PT1H -~1024'), ('import 2999-01-01T00:00:00Z/PT1H 1'), ('import 2025-01-01T00:00:00Z/PT1H 1,2')) AS v (text);
-- jsonb
SELECT json, refused(format('SELECT %L::jsonb::load_profile', json)) FROM (VALUES ('[]'), ('"import"'), ('{}'), ('{"start": "2025-01-01T00:00:00Z", "step": "PT1H", "direction": "import"}')) AS v (json);
SELECT change, refused(format('SELECT (%L::jsonb || %L)::load_profile', '{"start": "2025-01-01T00:00:00Z", "step": "PT1H", "direction": "import", "wh": [1, 2]}', change)) FROM (VALUES ('{}'), ('{"kwh": []}'), ('{"start": "2025-01-01"}'), ('{"start": 5}'), ('{"step": "1 h"}'), ('{"step": "PT7M"}'),
	('{"direction": "in"}'), ('{"wh": 5}'), ('{"wh": {"a": 1}}'), ('{"wh": ["1"]}'), ('{"wh": [[1]]}'), ('{"wh": [1.5]}'), ('{"wh": [1e30]}'), ('{"wh": [1e15, 1000000000000001]}'), ('{"quality": 1}'), ('{"quality": [1]}'), ('{"quality": [[1]]}'), ('{"quality": [[3, 1]]}'), ('{"quality": [[1, 1], [2, 2]]}'),
	('{"quality": [[0, 1]]}'), ('{"quality": [[1, -1]]}'), ('{"quality": [[1, 2147483648]]}'), ('{"quality": [["1", 1]]}'), ('{"quality": [[1, 1024]], "wh": [null]}')) AS v (change);
SELECT refused($$SELECT jsonb_build_object('start', '2025-01-01T00:00:00Z', 'step', 'PT1S', 'direction', 'import', 'wh', array_fill(0, '{1048577}'))::load_profile$$) AS too_many;
-- what is made of profiles
SELECT n, refused(statement) FROM (VALUES
	(1, $$SELECT 'import 2025-01-01T00:00:00Z/PT1H 1'::load_profile + 'import 2025-01-01T00:00:00Z/PT30M 1'$$), (2, $$SELECT 'import 2025-01-01T00:00:00Z/PT1H 1'::load_profile + 'import 2025-01-01T00:30:00Z/PT1H 1'$$), (3, $$SELECT 'import 2025-01-01T00:00:00Z/PT1H 1'::load_profile + 'export 2025-01-01T00:00:00Z/PT1H 1'$$),
	(4, $$SELECT 'import 2025-01-01T00:00:00Z/PT1H 1'::load_profile + 'import 2150-01-01T00:00:00Z/PT1H 1'$$), (5, $$SELECT 'import 2025-01-01T00:00:00Z/PT1H 1000000000000000'::load_profile + 'import 2025-01-01T00:00:00Z/PT1H 1'$$),
	(6, $$SELECT 'import 2025-01-01T00:00:00Z/PT1H 1'::load_profile - 'import 2025-01-01T00:30:00Z/PT1H 1'$$), (7, $$SELECT 'import 2025-01-01T00:00:00Z/PT1H 1'::load_profile - 'import_kvarh 2025-01-01T00:00:00Z/PT1H 1'$$), (8, $$SELECT 'import 2025-01-01T00:00:00Z/PT1H -1000000000000000'::load_profile - 'import 2025-01-01T00:00:00Z/PT1H 1'$$),
	(9, $$SELECT 'import 2025-01-01T00:00:00Z/PT1H 1'::load_profile * 0.0000000001$$), (10, $$SELECT 'import 2025-01-01T00:00:00Z/PT1H 1'::load_profile * 'NaN'$$), (11, $$SELECT 'import 2025-01-01T00:00:00Z/PT1H 1000000000000000'::load_profile * 1.000000001$$), (12, $$SELECT 'import 2025-01-01T00:00:00Z/PT1H 1000000000000000*1000'::load_profile * 9000000000$$),
	(13, $$SELECT profile_resample('import 2025-01-01T00:00:00Z/PT30M 1', '20 min')$$), (14, $$SELECT profile_resample('import 2025-01-01T00:00:00Z/P1D 1*100', '1 s')$$), (15, $$SELECT profile_resample('import 2025-01-01T00:00:00Z/PT1H 1', '1 week')$$), (16, $$SELECT profile_resample('import 2025-01-01T00:00:00Z/PT1H 1000000000000000*2', '2 h')$$)) AS v (n, statement) ORDER BY n;
-- aggregates
SELECT n, refused(statement) FROM (VALUES
	(1, $$SELECT load_profile_agg(at::timestamptz, wh, '1 h') FROM (VALUES ('2025-01-01 00:00Z', 1::bigint), ('2025-01-01 01:00Z', 2), ('2025-01-01 00:00Z', 3)) AS v (at, wh)$$), (2, $$SELECT load_profile_agg(at::timestamptz, wh, '1 h') FROM (VALUES ('2025-01-01 00:00Z', 1::bigint), ('2025-01-01 00:00Z', NULL)) AS v (at, wh)$$),
	(3, $$SELECT load_profile_agg(at::timestamptz, 1, '1 h', q) FROM (VALUES ('2025-01-01 00:00Z', 1), ('2025-01-01 00:00Z', 2)) AS v (at, q)$$), (4, $$SELECT load_profile_agg(at::timestamptz, 1, '1 h') FROM (VALUES ('2025-01-01 00:00Z'), ('2025-01-01 00:30Z')) AS v (at)$$), (5, $$SELECT load_profile_agg(at::timestamptz, 1, '1 s') FROM (VALUES ('2025-01-01Z'), ('2025-02-01Z')) AS v (at)$$),
	(6, $$SELECT load_profile_agg(at::timestamptz, 1, '1 s') FROM (VALUES ('2025-01-10Z'), ('2025-01-01Z'), ('2025-01-20Z')) AS v (at)$$), (7, $$SELECT load_profile_agg(at::timestamptz, 1, '1 h') FROM (VALUES ('2025-01-01Z'), ('infinity')) AS v (at)$$), (8, $$SELECT load_profile_agg(at::timestamptz, 1, '1 h') FROM (VALUES ('2300-01-01Z')) AS v (at)$$),
	(9, $$SELECT load_profile_agg('2025-01-01Z', 1, step) FROM (VALUES ('1 h'::interval), ('30 min')) AS v (step)$$), (10, $$SELECT load_profile_agg('2025-01-01Z', 1, '1 h', 0, d) FROM (VALUES ('import'), ('export')) AS v (d)$$), (11, $$SELECT load_profile_agg('2025-01-01Z', 1, '1 h', 0, 'in')$$), (12, $$SELECT load_profile_agg('2025-01-01Z', -9223372036854775808, '1 h')$$),
	(13, $$SELECT load_profile_agg('2025-01-01Z', 1, '1 h', -1)$$), (14, $$SELECT load_profile_agg('2025-01-01 00:00:00.5Z', 1, '1 h')$$), (15, $$SELECT load_profile_agg('2025-01-01Z', NULL, '1 h', 1024)$$),
	(16, $$SELECT sum(p) FROM (VALUES ('import 2025-01-01T00:00:00Z/PT1H 1'::load_profile), ('import 2025-01-01T00:00:00Z/PT30M 1')) AS v (p)$$), (17, $$SELECT sum(p) FROM (VALUES ('import 2025-01-01T00:00:00Z/PT1H 600000000000000'::load_profile), ('import 2025-01-01T00:00:00Z/PT1H 600000000000000')) AS v (p)$$),
	(18, $$SELECT load_profile_agg('2025-01-01Z'::timestamptz + i * interval '1 s', 1, '1 s') FROM generate_series(0, 1048576) AS i$$)) AS v (n, statement) ORDER BY n;
-- but a sum that comes back into range is one
SELECT sum(p) FROM (VALUES ('import 2025-01-01T00:00:00Z/PT1H 600000000000000'::load_profile), ('import 2025-01-01T00:00:00Z/PT1H 600000000000000'), ('import 2025-01-01T00:00:00Z/PT1H -300000000000000')) AS v (p);
