-- usage_summary.sql: all that a summary keeps: text and binary form, merging, what 0.1.0 stored, quantities from elsewhere
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

-- periods and schedules are written down in another order than that of their names
CREATE TABLE t (name text PRIMARY KEY, tariff elecbill.tariff);
INSERT INTO t VALUES
('full', '{"elecbill": 1, "currency": "CNY", "zone": "Asia/Shanghai",
	"series": {"spot": "usage", "feed": [["2025-12-01T00:00Z", 0.1], ["2026-01-10T12:00Z", 0.2]]},
	"schedules": {"tou": [{"period": "valley", "spans": [["22:00", "08:00"]]}, {"period": "peak"}], "week": [{"period": "work", "days": ["weekday"]}, {"period": "rest"}]},
	"demands": {"main": {"agg": "top_mean", "n": 2}, "night": {"schedule": "tou", "period": ["valley"]}, "days": {"agg": "top_mean", "n": 3, "distinct": "day"}},
	"components": [{"code": "energy", "kind": "energy", "schedule": "tou", "price": {"period": {"peak": 0.7, "valley": 0.4}}},
		{"code": "spot", "kind": "energy", "schedule": "tou", "price": {"series": "spot"}},
		{"code": "feed", "kind": "credit", "schedule": "week", "price": {"series": "feed"}},
		{"code": "var", "kind": "reactive", "price": 0.01}, {"code": "kw", "kind": "demand", "price": 30, "demand": "main"},
		{"code": "pf", "kind": "power_factor", "base": ["energy", "kw"], "table": "cn_0.90"}, {"code": "wash", "kind": "custom", "quantity": "washes", "price": 2}]}'),
('ordered', '{"elecbill": 1, "currency": "CNY", "zone": "Asia/Shanghai", "schedules": {"tou": [{"period": "valley", "spans": [["22:00", "08:00"]]}, {"period": "peak"}]},
	"components": [{"code": "energy", "kind": "energy", "tier": {"order": "time", "scope": "month", "steps":
		[{"up_to": 20, "price": {"period": {"peak": 1, "valley": 0.5}}}, {"price": {"period": {"peak": 2, "valley": 1}}}]}}]}'),
('daily', '{"elecbill": 1, "currency": "CNY", "zone": "Asia/Shanghai", "components": [{"code": "energy", "kind": "energy", "tier": {"scope": "day", "steps": [{"up_to": 3, "price": 1}, {"price": 2}]}}]}'),
('tou', '{"elecbill": 1, "currency": "CNY", "zone": "Asia/Shanghai", "schedules": {"tou": [{"period": "valley", "spans": [["22:00", "08:00"]]}, {"period": "peak"}]},
	"components": [{"code": "energy", "kind": "energy", "price": {"period": {"peak": 0.7, "valley": 0.4}}}]}'),
('flat', '{"elecbill": 1, "currency": "CNY", "zone": "Asia/Shanghai", "components": [{"code": "energy", "kind": "energy", "price": 0.5}]}'),
('parked', '{"elecbill": 1, "currency": "CNY", "zone": "Asia/Shanghai", "schedules": {"tou": [{"period": "valley", "spans": [["22:00", "08:00"]]}, {"period": "peak"}]},
	"components": [{"code": "in", "kind": "energy", "price": 0.5}, {"code": "out", "kind": "credit", "price": 0.3}]}');
INSERT INTO t SELECT 'changes', jsonb_build_object('elecbill', 1, 'versions', jsonb_build_array(
	jsonb_build_object('version', 3, 'valid', '["2026-01-01", "2026-01-16"]'::jsonb, 'tariff', tariff::jsonb),
	jsonb_build_object('version', 4, 'valid', '["2026-01-16", null]'::jsonb, 'tariff', jsonb_set(tariff::jsonb, '{components,0,price,period,peak}', '0.8'))))::tariff
FROM t WHERE name = 'tou';

-- three weeks of two channels, in hours
CREATE TABLE load AS SELECT n % 3 AS id, '2026-01-05 00:00Z'::timestamptz + n * interval '1 h' AS at, (n * 7919) % 997 AS wh, (n * 104729) % 89 AS out_wh,
	round(0.1 + (n % 24) * 0.01, 2) AS price FROM generate_series(0, 500) AS n;
CREATE TABLE whole AS SELECT name, usage(tariff, at, wh::bigint, '1 h', channel, price) AS u
FROM t, (SELECT at, wh, 'import' AS channel, price FROM load UNION ALL SELECT at, out_wh, 'export', price FROM load UNION ALL SELECT at, wh / 3, 'import_kvarh', price FROM load) AS l
GROUP BY name;
CREATE TABLE piece AS SELECT name, id, usage(tariff, at, wh::bigint, '1 h', channel, price) AS u
FROM t, (SELECT id, at, wh, 'import' AS channel, price FROM load UNION ALL SELECT id, at, out_wh, 'export', price FROM load UNION ALL SELECT id, at, wh / 3, 'import_kvarh', price FROM load) AS l
GROUP BY name, id;

-- what each keeps
SELECT name, array(SELECT k FROM jsonb_object_keys(u::jsonb) AS k ORDER BY k COLLATE "C") AS keys FROM whole ORDER BY name COLLATE "C";
SELECT jsonb_pretty(u::jsonb - 'fingerprint' - 'parts' - 'missing_s') FROM whole WHERE name = 'full';
SELECT jsonb_array_length(u::jsonb -> 'pieces') AS pieces, u::jsonb -> 'pieces' -> 2 AS third FROM whole WHERE name = 'ordered';
SELECT jsonb_array_length(u::jsonb -> 'parts') AS days FROM whole WHERE name = 'daily';
SELECT v -> 'version' AS version, v -> 'valid' AS valid, v -> 'usage' -> 'during' AS during, v -> 'usage' -> 'import_kwh' AS import_kwh
FROM whole, jsonb_array_elements(u::jsonb -> 'versions') AS v WHERE name = 'changes';

-- text, jsonb and binary form come back as they went, and are rated alike
CREATE TABLE all_of AS SELECT name, u FROM whole UNION ALL SELECT name, u FROM piece
UNION ALL SELECT name, usage_from(tariff, '{"during": ["2026-01-01", "2026-03-01"], "import_kwh": 59, "export_kwh": 5, "import_kvarh": 7, "power_factor": 0.93, "qty": {"washes": 2, "a": -1}, "items": [3, 1, 2], "import_cost": {"spot": 4}, "export_cost": {"feed": -0.3}, "max_kw": {"main": 12.5, "days": 9}}')
FROM t WHERE name = 'full'
UNION ALL SELECT name, usage_from(tariff, '{"during": ["2026-01-01", "2026-03-01"], "import_kwh": 59}') FROM t WHERE name <> 'full';
SELECT count(*) AS n, bool_and(u::text::usage_summary::text = u::text AND u::jsonb::usage_summary::jsonb = u::jsonb) AS identity FROM all_of;
SELECT count(*) AS n, bool_and(rate_total(tariff, u, '{"qty": {"washes": 1}}') = rate_total(tariff, u::jsonb::usage_summary, '{"qty": {"washes": 1}}')) AS same_rate
FROM whole JOIN t USING (name) WHERE name <> 'changes';
\getenv superuser PGSUPERUSER
\getenv owner PGUSER
CREATE TABLE kept (LIKE all_of);
INSERT INTO kept SELECT * FROM all_of;
\c - :superuser
COPY public.kept TO PROGRAM 'cat > usage_summary_kept' (FORMAT binary);
TRUNCATE public.kept;
COPY public.kept FROM PROGRAM 'cat usage_summary_kept; rm usage_summary_kept' (FORMAT binary);
-- bytes as a summary, whatever they are: for what another version stored, and for damage
CREATE TYPE public.raw;
CREATE FUNCTION public.raw_in(cstring) RETURNS public.raw LANGUAGE internal IMMUTABLE STRICT AS 'byteain';
CREATE FUNCTION public.raw_out(public.raw) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'byteaout';
CREATE TYPE public.raw (INPUT = public.raw_in, OUTPUT = public.raw_out, ALIGNMENT = double, STORAGE = extended);
CREATE CAST (public.raw AS elecbill.usage_summary) WITHOUT FUNCTION;
CREATE CAST (elecbill.usage_summary AS public.raw) WITHOUT FUNCTION;
\c - :owner
SET search_path = public, elecbill;
SET timezone = 'UTC';
SELECT count(*) AS n FROM ((SELECT name, u::text FROM kept EXCEPT ALL SELECT name, u::text FROM all_of) UNION ALL (SELECT name, u::text FROM all_of EXCEPT ALL SELECT name, u::text FROM kept)) AS q;

-- what 0.1.0 stored: format 1, range, missing_s, days, months, held, quality, parts; the shape of import energy; energies; days
CREATE FUNCTION le(value bigint, size integer) RETURNS bytea LANGUAGE sql IMMUTABLE
RETURN (SELECT string_agg(set_byte('\x00', 0, get_byte(int8send(value), 7 - i)), '' ORDER BY i) FROM generate_series(0, size - 1) AS i);
CREATE FUNCTION old(fingerprint text, nslots integer, names bytea, energies bigint[], days integer[]) RETURNS usage_summary LANGUAGE sql IMMUTABLE
RETURN (le(1, 4) || le((extract(epoch FROM '2025-12-31 16:00Z'::timestamptz - '2000-01-01 00:00Z') * 1000000)::bigint, 8) ||
	le((extract(epoch FROM '2026-02-28 16:00Z'::timestamptz - '2000-01-01 00:00Z') * 1000000)::bigint, 8) || le(7, 8) || le(59000000, 8) || le(0, 8) || le(2, 4) || le(1, 4) ||
	le(cardinality(days), 4) || le(0, 4) || decode(fingerprint, 'hex') || le(32 + length(names), 4) || le((nslots > 1)::integer, 4) || le(nslots, 4) || le(0, 4) || names ||
	(SELECT string_agg(le(e, 8), '' ORDER BY n) FROM unnest(energies) WITH ORDINALITY AS q(e, n)) || (SELECT string_agg(le(d, 4), '' ORDER BY n) FROM unnest(days) WITH ORDINALITY AS q(d, n)))::text::raw::usage_summary;
CREATE TABLE stored AS SELECT name, tariff, old(usage_from(tariff, '{}')::jsonb ->> 'fingerprint', 1 + (name = 'tou')::integer,
	CASE name WHEN 'tou' THEN '\x00027065616b0076616c6c6579000000'::bytea ELSE '' END,
	CASE name WHEN 'tou' THEN '{1000000, 2000000, 3000000, 4500000}'::bigint[] ELSE '{3000000, 7500000}' END, '{9497, 9528}') AS u FROM t WHERE name IN ('tou', 'flat');
SELECT name, u::jsonb - 'fingerprint' AS u, rate_total(tariff, u) AS total FROM stored ORDER BY name;
SELECT name, u::text::usage_summary::text = u::text AS identity, usage_merge(u, u)::jsonb ->> 'total_kwh' AS twice FROM stored ORDER BY name;
-- written again it is of the new format; the old bytes are told by their first
SELECT name, substr(u::raw::text, 3, 8) AS format, substr(usage_merge(u, usage_from(tariff, '{}'))::raw::text, 3, 8) AS merged FROM stored ORDER BY name;
-- damage: each byte of the old, and of the new, once; what is refused says so, nothing else happens
CREATE FUNCTION damaged(b text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	RETURN CASE WHEN length(b::raw::usage_summary::text) > 0 THEN 'read' END;
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE || ': ' || SQLERRM;
END $$;
SELECT name, array_agg(DISTINCT regexp_replace(answer, '[0-9]{2,}', 'N')) AS answers
FROM (SELECT 'old' AS name, u FROM stored WHERE name = 'tou' UNION ALL SELECT 'new', u FROM piece WHERE name = 'changes' AND id = 1) AS q,
	LATERAL (SELECT u::raw::text::bytea AS b OFFSET 0) AS r, LATERAL generate_series(0, length(b) - 1) AS i, LATERAL (SELECT damaged(set_byte(b, i, 255)::text) AS answer OFFSET 0) AS d
GROUP BY name ORDER BY name;
SELECT count(*) AS cut_short, array_agg(DISTINCT damaged(substr(u::raw::text::bytea, 1, n)::text)) AS answers
FROM piece, LATERAL generate_series(0, length(u::raw::text::bytea) - 1, 7) AS n WHERE name = 'full' AND id = 1;

-- merging: pieces in any order and grouping, and what is merged is what was summed at once
SELECT a.name, usage_merge(usage_merge(a.u, b.u), c.u)::text = usage_merge(c.u, usage_merge(b.u, a.u))::text AS associative,
	usage_merge(a.u, usage_from(tariff, CASE WHEN a.name = 'changes' THEN '{"during": ["2026-01-10", "2026-01-11"]}' ELSE '{}' END::jsonb))::jsonb - 'during' - 'versions' = a.u::jsonb - 'during' - 'versions' AS nothing_is_neutral,
	m - 'missing_s' - 'quality' - 'versions' - 'peaks' - 'keep' - 'max_kw' = w.u::jsonb - 'missing_s' - 'quality' - 'versions' - 'peaks' - 'keep' - 'max_kw' AS the_whole
FROM t JOIN piece AS a USING (name) JOIN piece AS b USING (name) JOIN piece AS c USING (name) JOIN whole AS w USING (name), LATERAL (SELECT usage_merge(usage_merge(a.u, b.u), c.u)::jsonb AS m) AS q
WHERE a.id = 0 AND b.id = 1 AND c.id = 2 ORDER BY a.name COLLATE "C";
SELECT refused(format('SELECT usage_merge(%L::usage_summary, %L)', usage_from(tariff, '{"power_factor": 0.9}'), usage_from(tariff, '{"power_factor": 0.8}'))) FROM t WHERE name = 'flat';
SELECT usage_merge(usage_from(tariff, '{"power_factor": 0.9, "qty": {"a": 1, "b": 2}, "items": [2, 7]}'), usage_from(tariff, '{"import_kwh": 1, "qty": {"b": 3, "c": 4}, "items": [5]}'))::jsonb - 'fingerprint' AS added FROM t WHERE name = 'flat';
SELECT usage_merge(usage_from(tariff, '{"max_kw": {"main": 5, "days": 3}}'), usage_from(tariff, '{"max_kw": {"main": 4, "days": 8, "night": 1}}'))::jsonb -> 'max_kw' AS highest FROM t WHERE name = 'full';

-- only what the type writes can be read
CREATE FUNCTION changed(tariff_name text, path text[], value jsonb) RETURNS text LANGUAGE sql STABLE
RETURN refused(format('SELECT %L::jsonb::usage_summary', jsonb_set((SELECT u::jsonb FROM all_of WHERE name = tariff_name ORDER BY length(u::text) DESC, u::text COLLATE "C" LIMIT 1), path, value)));
SELECT name, path, changed(name, path::text[], value) FROM (VALUES
	('full', '{channels}', '["import_kwh"]'::jsonb), ('full', '{channels}', '["export_kwh", "import_kwh"]'), ('full', '{channels}', '["solar"]'), ('full', '{undivided}', '[]'), ('full', '{export_kwh}', '1'), ('full', '{export_kwh,tou,peak}', '-1'),
	('full', '{import_cost}', '{}'), ('full', '{import_cost,spot}', '1'), ('full', '{import_cost,spot,tou,peak}', '1e20'), ('full', '{import_cost,gas}', '1'), ('full', '{parts,0,import_cost,spot,tou,peak}', '0.0000000000000001'),
	('full', '{parts,0,import_cost,spot,tou,peak}', '"1"'), ('full', '{peaks}', '{}'), ('full', '{peaks,main}', '7'), ('full', '{peaks,main,0,kw}', '-1'), ('full', '{peaks,main,0,at}', '"noon"'), ('full', '{peaks,main,0,part}', '"x"'), ('full', '{peaks,main,0,part}', '7'),
	('full', '{peaks,main}', '[{"part": null, "kw": 1, "at": null}, {"part": null, "kw": 2, "at": null}]'), ('full', '{keep,main}', '-1'), ('full', '{keep,main}', '70000'), ('full', '{keep,main}', '1'), ('full', '{max_kw,main}', '99'),
	('full', '{power_factor}', '1.1'), ('full', '{power_factor}', '-1'), ('full', '{qty}', '{"a": "1"}'), ('full', '{items}', '[3, 2]'), ('full', '{items}', '[-1]'), ('full', '{items}', '{}'), ('full', '{versions}', '[]'),
	('ordered', '{pieces}', '[]'), ('ordered', '{pieces,0}', '[]'), ('ordered', '{pieces,0}', '["2026-01-05T00:00:00Z", -1]'), ('ordered', '{pieces,0,0}', '"2027-01-05T00:00:00Z"'), ('ordered', '{pieces,0}', '["2026-01-05T00:00:00Z", 1, "2026-01-05T00:00:00Z"]'),
	('changes', '{versions}', '{}'), ('changes', '{versions,0}', '{}'), ('changes', '{versions,0,usage}', '1'), ('changes', '{versions,0,valid}', '[1, 2]'), ('changes', '{versions,0,valid}', '["2026-01-01"]'), ('changes', '{versions,0,version}', '0.5'),
	('changes', '{versions,0,usage,versions}', '[]'), ('changes', '{versions,0,usage,versions}', '[{"version": 1, "valid": [null, null], "usage": {}}]'), ('changes', '{total_kwh}', '1'), ('changes', '{parts}', '[]')) AS v(name, path, value);

-- quantities from elsewhere: shared by days, by versions; parts with days of their own
SELECT v -> 'version' AS version, v -> 'usage' -> 'import_kwh' AS import_kwh, v -> 'usage' ->> 'quality' AS quality
FROM t, jsonb_array_elements(usage_from(tariff, '{"during": ["2026-01-01", "2026-02-01"], "import_kwh": {"peak": 310, "valley": 31.000001}, "qty": {"a": 1}}')::jsonb -> 'versions') AS v WHERE name = 'changes';
SELECT v -> 'version' AS version, v -> 'usage' -> 'import_kwh' AS import_kwh, v -> 'usage' ->> 'quality' AS quality
FROM t, jsonb_array_elements(usage_from(tariff, '{"during": ["2026-01-01", "2026-02-01"], "parts": [{"from": "2026-01-03", "import_kwh": {"peak": 1}}, {"from": "2026-01-16", "import_kwh": {"valley": 2}}]}')::jsonb -> 'versions') AS v WHERE name = 'changes';
SELECT usage_from(tariff, '{"during": ["2026-01-20", "2026-02-01"], "import_kwh": {"peak": 5}}')::jsonb ->> 'quality' AS one_version_is_no_guess FROM t WHERE name = 'changes';
SELECT u -> 'peaks' -> 'main' AS main, u -> 'export_kwh' -> 'tou' AS export_kwh, u -> 'undivided' AS undivided
FROM t, LATERAL (SELECT usage_from(tariff, '{"during": ["2026-01-01", "2026-03-01"], "parts": [{"from": "2026-01-05", "max_kw": {"main": 3}, "export_kwh": 1, "export_cost": {"feed": 0.1}}, {"from": "2026-02-05", "max_kw": {"main": 4}}, {"from": "2026-01-06", "max_kw": {"main": 5, "night": 1}}]}')::jsonb AS u) AS q WHERE name = 'full';
-- what the tariff does not need may be there; what it needs and is not there is named when it is rated
SELECT usage_from(tariff, '{"import_kwh": 1, "export_kwh": 2, "import_kvarh": 3, "max_kw": {"main": 4}, "import_cost": {"spot": 5}, "power_factor": 0.9}')::jsonb - 'fingerprint' AS plain FROM t WHERE name = 'flat';
SELECT name, q, refused(format('SELECT rate_total(tariff, usage_from(tariff, %L)) FROM t WHERE name = %L', q, name)) FROM (VALUES
	('flat', '{}'), ('tou', '{}'), ('tou', '{"import_kwh": 5}'), ('tou', '{"import_kwh": 0}'), ('parked', '{"import_kwh": 5}'), ('parked', '{"import_kwh": 5, "export_kwh": 2}'), ('ordered', '{"during": ["2026-01-01", "2026-02-01"], "import_kwh": {"peak": 15, "valley": 15}}'),
	('full', '{"import_kwh": {"tou": {"peak": 1}, "week": {"work": 1}}, "import_cost": {"spot": {"tou": {"peak": 1}, "week": {"work": 1}}}, "export_kwh": 3}'),
	('full', '{"import_kwh": 0}'),
	('full', '{"import_kwh": {"tou": {"peak": 1}, "week": {"work": 1}}, "import_cost": {"spot": {"tou": {"peak": 1}, "week": {"work": 1}}}, "export_kwh": 0, "import_kvarh": 1}'),
	('full', '{"import_kwh": {"tou": {"peak": 1}, "week": {"work": 1}}, "import_cost": {"spot": {"tou": {"peak": 1}, "week": {"work": 1}}}, "export_kwh": 0, "export_cost": {"feed": 0}, "import_kvarh": 1, "max_kw": {"main": 2}}'),
	('full', '{"import_kwh": {"tou": {"peak": 1}, "week": {"work": 1}}, "import_cost": {"spot": {"tou": {"peak": 1}, "week": {"work": 1}}}, "export_kwh": 0, "export_cost": {"feed": 0}, "import_kvarh": 1, "max_kw": {"main": 2}, "qty": {"washes": 3}}')) AS v(name, q);
SELECT name, q, refused(format('SELECT usage_from(tariff, %L) FROM t WHERE name = %L', q, name)) FROM (VALUES
	('full', '{"max_kw": 5}'), ('full', '{"max_kw": {"peak": 5}}'), ('full', '{"max_kw": {"main": -5}}'), ('full', '{"max_kw": {"main": "much"}}'), ('full', '{"import_kwh": {"tou": {"peak": 1}, "week": {"rest": 1}}}'),
	('full', '{"import_kwh": {"tou": {"peak": 1}, "week": {"rest": 1}}, "import_cost": 5}'), ('full', '{"import_cost": {"gas": 5}}'), ('full', '{"import_cost": {"spot": "x"}}'), ('full', '{"import_cost": {"spot": 0.0000000000000001}}'), ('full', '{"import_cost": {"spot": 1e17}}'), ('full', '{"import_cost": {"spot": "1e17"}}'),
	('full', '{"export_kwh": {"tou": {"peak": 1}, "week": {"rest": 2}}}'), ('full', '{"export_kwh": {"tou": {"noon": 1}}}'), ('full', '{"import_kvarh": {"peak": 1}}'),
	('flat', '{"power_factor": 1.01}'), ('flat', '{"power_factor": 0.0000001}'), ('flat', '{"power_factor": -0.9}'), ('flat', '{"qty": [1]}'), ('flat', '{"qty": {"a": null}}'), ('flat', '{"qty": {"a": 1e13}}'), ('flat', '{"items": 5}'), ('flat', '{"items": [-1]}'), ('flat', '{"items": ["x"]}'),
	('flat', '{"during": ["2026-01-01", "2026-02-01"], "max_kw": {}, "parts": [{"from": "2026-01-01", "import_kwh": 1}]}'), ('flat', '{"during": ["2026-01-01", "2026-02-01"], "parts": [{"from": "2026-01-01", "qty": {}}]}'),
	('changes', '{"import_kwh": {"peak": 1}}'), ('changes', '{"during": ["2025-12-31", "2026-01-02"], "import_kwh": {"peak": 1}}'), ('changes', '{"during": ["2026-01-01", "2026-02-01"], "import_kwh": {"noon": 1}}')) AS v(name, q);
