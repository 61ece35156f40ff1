-- usage_rows.sql: usage() of several channels, with prices, by number of a tariff, over versions
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

-- London with everything that usage keeps: three channels, two kinds of prices, four demands
CREATE FUNCTION full_of(price numeric DEFAULT 1) RETURNS elecbill.tariff LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN
	jsonb_set('{"elecbill": 1, "currency": "GBP", "zone": "Europe/London",
	"schedules": {"tou": [{"period": "peak", "spans": [["07:00", "19:00"]]}, {"period": "off"}]},
	"series": {"spot": [["2026-10-01T00:00:00Z", 0.1], ["2026-10-25T00:40:00Z", -0.05], ["2026-10-25T12:00:00Z", 0.3]], "row": "usage"},
	"demands": {"kva": {"quantity": "import_kva", "window": 30}, "main": {"window": 30}, "night": {"window": 60, "slide": 30, "schedule": "tou", "period": ["off"]},
		"top": {"window": 60, "agg": "top_mean", "n": 3, "distinct": "day"}},
	"components": [{"code": "energy", "kind": "energy", "price": {"period": {"peak": 0.2, "off": 0.1}}}, {"code": "spot", "kind": "energy", "price": {"series": "spot"}},
		{"code": "sold", "kind": "credit", "price": {"series": "row"}}, {"code": "kva", "kind": "demand", "demand": "kva", "price": 1},
		{"code": "main", "kind": "demand", "demand": "main", "price": 1}, {"code": "night", "kind": "demand", "demand": "night", "price": 1},
		{"code": "top", "kind": "demand", "demand": "top", "price": 1}]}'::jsonb, '{components,4,price}', to_jsonb(price))::elecbill.tariff;
CREATE FUNCTION plain() RETURNS elecbill.tariff LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN
	'{"elecbill": 1, "currency": "GBP", "zone": "Europe/London", "components": [{"code": "energy", "kind": "energy", "price": 1}]}'::elecbill.tariff;
SELECT tariff_channels(full_of()), tariff_channels(plain());

-- half hours of eight days around 25 October 2026, when London's clocks go back; one is missing
CREATE TABLE load AS
SELECT id, channel, '2026-10-20 23:00Z'::timestamptz + n * interval '30 min' AS at, (n * 7919 + id * 31 + length(channel) * 104729) % 2003 AS wh, (n * 37 % 101 - 20) * 0.001 AS price
FROM generate_series(1, 4) AS id, unnest('{import,export,import_kvarh,export_kvarh}'::text[]) AS channel, generate_series(0, 8 * 48 + 1) AS n
WHERE (n, channel) <> (77, 'import');
ALTER TABLE load ALTER wh TYPE bigint;
CREATE TABLE want AS SELECT id, usage(full_of(), at, wh, '30 min', channel, price) AS u FROM load GROUP BY id;
SELECT jsonb_pretty(u::jsonb - 'fingerprint') FROM want WHERE id = 1;

-- the same by sums in SQL
CREATE VIEW slow AS SELECT *, CASE WHEN extract(hour FROM at AT TIME ZONE 'Europe/London') BETWEEN 7 AND 18 THEN 'peak' ELSE 'off' END AS period,
	-- the price changes within 00:30 to 01:00: ten minutes of the one, twenty of the other
	CASE WHEN at < '2026-10-25 00:30Z' THEN 0.1 WHEN at < '2026-10-25 01:00Z' THEN NULL WHEN at < '2026-10-25 12:00Z' THEN -0.05 ELSE 0.3 END AS spot
FROM load;
SELECT bool_and((u::jsonb #>> ARRAY[key, period])::numeric * 1000 = wh) AND count(*) = 24 AS same_energies
FROM want JOIN (SELECT id, channel || CASE WHEN channel LIKE '%kvarh' THEN '' ELSE '_kwh' END AS key, period, sum(wh) AS wh FROM slow WHERE channel <> 'export_kvarh' GROUP BY 1, 2, 3) AS s USING (id);
SELECT bool_and((u::jsonb #>> ARRAY['export_cost', 'row', period])::numeric = cost) AND count(*) = 8 AS same_cost_of_rows
FROM want JOIN (SELECT id, period, sum(wh * price / 1000) AS cost FROM slow WHERE channel = 'export' GROUP BY 1, 2) AS s USING (id);
SELECT bool_and((u::jsonb #>> ARRAY['import_cost', 'spot', period])::numeric = cost) AND count(*) = 8 AS same_cost_of_series
FROM want JOIN (SELECT id, period, sum(coalesce(wh * spot / 1000, round(wh / 3000.0, 6) * 0.1 + (wh / 1000.0 - round(wh / 3000.0, 6)) * -0.05)) AS cost FROM slow WHERE channel = 'import' GROUP BY 1, 2) AS s USING (id);
-- demands: half hours in kW, hours from local midnight, each day's best
CREATE VIEW power AS SELECT i.id, i.at, i.period, (i.at AT TIME ZONE 'Europe/London')::date AS day, i.wh / 500.0 AS kw, round(sqrt(i.wh::numeric ^ 2 + q.wh::numeric ^ 2) / 500, 6) AS kva
	FROM slow AS i LEFT JOIN slow AS q ON q.id = i.id AND q.at = i.at AND q.channel = 'import_kvarh' WHERE i.channel = 'import';
CREATE VIEW hours AS SELECT *, (kw + lead(kw) OVER w) / 2 AS mean, lead(at) OVER w = at + interval '30 min' AS whole FROM power WINDOW w AS (PARTITION BY id ORDER BY at);
SELECT bool_and((u::jsonb #>> '{max_kw,main}')::numeric = main AND (u::jsonb #>> '{max_kw,kva}')::numeric = kva AND (u::jsonb #>> '{max_kw,night}')::numeric = night) AND count(*) = 4 AS same_peaks
FROM want JOIN (SELECT id, max(kw) AS main, max(kva) AS kva FROM power GROUP BY id) AS s USING (id)
	JOIN (SELECT id, max(mean) AS night FROM hours WHERE whole AND period = 'off' GROUP BY id) AS n USING (id);
SELECT bool_and(top = (SELECT array_agg((p ->> 'kw')::numeric ORDER BY (p ->> 'kw')::numeric DESC) FROM jsonb_array_elements(u::jsonb #> '{peaks,top}') AS p)) AND count(*) = 4 AS same_top
FROM want JOIN (SELECT id, (array_agg(best ORDER BY best DESC))[1:3] AS top FROM (SELECT id, day, max(mean) AS best FROM hours WHERE whole AND extract(minute FROM at) = 0 GROUP BY 1, 2) AS d GROUP BY id) AS s USING (id);

-- every form gives the same
SELECT bool_and(u::text = r::text AND u::text = n::text AND u::text = m::text) AND count(*) = 4 AS same_by_form
FROM want JOIN (SELECT id, usage(full_of(), tstzrange(at, at + interval '30 min'), wh / 1000.0, channel, price) AS r, usage(ARRAY[plain(), full_of()], 2, at, wh, '30 min', channel, price) AS n,
	usage(ARRAY[full_of()], 1, tstzrange(at, at + interval '30 min'), wh / 1000.0, channel, price) AS m FROM load GROUP BY id) AS q USING (id);
SELECT usage(plain(), at, wh, '30 min')::text = usage(plain(), at, wh, '30 min', 'import')::text AND usage(plain(), at, wh, '30 min')::text = usage(plain(), at, wh, '30 min', 1.5)::text
	AND usage(plain(), at, wh, '30 min')::text = usage(plain(), at, wh::integer, '30 min')::text AND usage(plain(), at, wh, '30 min')::text = usage(plain(), tstzrange(at, at + interval '30 min'), wh / 1000.0, 'import'::text)::text
	AND usage(plain(), at, wh, '30 min')::text = usage(plain(), tstzrange(at, at + interval '30 min'), wh / 1000.0, 1.5)::text AND usage(plain(), at, wh, '30 min')::text = usage(ARRAY[plain()], 1, at, wh, '30 min')::text
	AND usage(plain(), at, wh, '30 min')::text = usage(ARRAY[plain()], 1, at, wh, '30 min', 'import')::text AND usage(plain(), at, wh, '30 min')::text = usage(ARRAY[plain()], 1, at, wh, '30 min', 1.5)::text
	AND usage(plain(), at, wh, '30 min')::text = usage(ARRAY[plain()], 1, tstzrange(at, at + interval '30 min'), wh / 1000.0)::text AND usage(plain(), at, wh, '30 min')::text = usage(ARRAY[plain()], 1, tstzrange(at, at + interval '30 min'), wh / 1000.0, 'import'::text)::text
	AND usage(plain(), at, wh, '30 min')::text = usage(ARRAY[plain()], 1, tstzrange(at, at + interval '30 min'), wh / 1000.0, 1.5)::text AS same_without_channel
FROM load WHERE channel = 'import';

-- a channel or price that the tariff does not need is counted for nothing, and alone it is no usage
SELECT usage(plain(), at, wh, '30 min', channel)::text = usage(plain(), at, wh, '30 min') FILTER (WHERE channel = 'import')::text AS same_without_others,
	usage(plain(), at, wh, '30 min', channel) FILTER (WHERE channel = 'export') IS NULL AS nothing_at_all FROM load;
SELECT jsonb_pretty(u -> 'channels') AS channels, u ->> 'missing_s' AS missing_s, u ->> 'quality' AS quality
FROM (SELECT usage(full_of(), at, wh, '30 min', channel, CASE channel WHEN 'export' THEN price END)::jsonb AS u FROM load WHERE id = 1 AND NOT (channel = 'import_kvarh' AND at >= '2026-10-26')) AS q;
SELECT usage(full_of(), at, wh, '30 min')::jsonb ? 'export_kwh' AS has_export, usage(full_of(), at, wh, '30 min')::jsonb -> 'max_kw' AS no_kva FROM load WHERE id = 1 AND channel = 'import';

-- any order, any number of workers, any session: the same text
CREATE TABLE shuffled AS SELECT * FROM load ORDER BY (id * 7919 + extract(epoch FROM at)::bigint / 60 * 31 + length(channel)) % 10007, id;
SELECT bool_and(u::text = s) AND count(*) = 4 AS same_shuffled FROM want JOIN (SELECT id, usage(full_of(), at, wh, '30 min', channel, price)::text AS s FROM shuffled GROUP BY id) AS q USING (id);
SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0; SET max_parallel_workers_per_gather = 2;
ALTER TABLE shuffled SET (parallel_workers = 2);
ANALYZE shuffled;
SELECT plan_has('SELECT id, usage(full_of(), at, wh, ''30 min'', channel, price) FROM shuffled GROUP BY id', '"Partial Mode": "Partial"') AS runs_parallel;
SELECT bool_and(u::text = s) AND count(*) = 4 AS same_in_workers FROM want JOIN (SELECT id, usage(full_of(), at, wh, '30 min', channel, price)::text AS s FROM shuffled GROUP BY id) AS q USING (id);
SELECT bool_and(u::text = s) AND count(*) = 4 AS same_by_number_in_workers FROM want JOIN (SELECT id, usage(ARRAY[plain(), full_of(2), full_of()], id % 2 + 2, at, wh, '30 min', channel, price)::text AS s FROM shuffled GROUP BY id) AS q USING (id);
SELECT bool_and(u::text = s) AND count(*) = 1 AS one_worker_has_all FROM want JOIN (SELECT 3 AS id, usage(full_of(), at, wh, '30 min', channel, price)::text AS s FROM shuffled WHERE id = 3) AS q USING (id);
SELECT usage(full_of(), at, wh, '30 min', channel, price) IS NULL AS no_row_in_workers, usage(plain(), at, wh, '30 min', 'export') IS NULL AS no_channel_in_workers FROM shuffled WHERE wh < 0;
SELECT usage(plain(), at, wh, '30 min', channel) IS NULL AS nothing_needed_in_workers FROM shuffled WHERE channel = 'export';
RESET max_parallel_workers_per_gather;
SET timezone = 'America/Havana'; SET datestyle = 'German, DMY'; SET search_path = pg_temp, pg_catalog;
SELECT bool_and(u::text = s) AND count(*) = 4 AS same_elsewhere FROM public.want JOIN (SELECT id, elecbill.usage(public.full_of(), at, wh, '30 min', channel, price)::text AS s FROM public.load GROUP BY id) AS q USING (id);
RESET datestyle; SET search_path = public, elecbill; SET timezone = 'UTC';

-- by number: each group its own tariff; a constant array, a column, an answer that changes from row to row
CREATE TABLE account (id integer, no integer);
INSERT INTO account VALUES (1, 1), (2, 2), (3, 1), (4, NULL);
SELECT id, no, (usage(ARRAY[plain(), full_of()], no, at, wh, '30 min', channel, price)::jsonb -> 'channels')::text AS channels FROM load JOIN account USING (id) GROUP BY id, no ORDER BY id;
SELECT id, no, (usage(a, no, at, wh, '30 min', channel, price)::jsonb -> 'channels')::text AS channels FROM load JOIN account USING (id), (SELECT ARRAY[plain(), full_of()] AS a OFFSET 0) AS q GROUP BY id, no ORDER BY id;
SELECT n, (SELECT (usage(t.a, 1, at, wh, '30 min', channel, price)::jsonb -> 'channels')::text FROM load WHERE id = 1) AS channels
FROM (VALUES (1, ARRAY[plain()]), (2, ARRAY[full_of()]), (3, ARRAY[plain(), full_of()])) AS t(n, a);
-- prices may differ in a group, nothing else
SELECT usage(ARRAY[full_of(), full_of(2)], id % 2 + 1, at, wh, '30 min', channel, price)::text = usage(full_of(), at, wh, '30 min', channel, price)::text AS same_for_other_prices FROM load;
SELECT refused(format('SELECT usage(%s, at, wh, ''30 min'', channel, price) FROM load', a)) FROM unnest(ARRAY['ARRAY[plain(), full_of()], id % 2 + 1', 'ARRAY[plain(), full_of()], id', 'ARRAY[plain()], 0', 'ARRAY[NULL, plain()]::tariff[], 1',
	'''{}''::tariff[], 1', 'ARRAY[ARRAY[plain()]], 1', 'ARRAY[plain()], -2147483648', 'ARRAY[plain()], 2147483647', 'CASE id WHEN 1 THEN ARRAY[plain()] ELSE ARRAY[full_of()] END, 1']) AS a;

-- bad rows
SELECT refused(format('SELECT usage(full_of(), %s)', q)) FROM unnest(ARRAY[
	$$'2026-10-25'::timestamptz, 1, '1 h', 'Import'$$, $$'2026-10-25'::timestamptz, 1, '1 h', ''$$, $$'2026-10-25'::timestamptz, 1, '1 h', repeat('x', 1000)$$, $$'2026-10-25'::timestamptz, 1, '1 h', 'x' || repeat('é', 1000)$$, $$'2026-10-25'::timestamptz, -1, '1 h', 'export', 1$$,
	$$'2026-10-25'::timestamptz, -1, '1 h', 'export_kvarh'$$, $$'2026-10-25'::timestamptz, 1, '1 h', 'export', NULL::numeric$$, $$'2026-10-25'::timestamptz, 1, '1 h', 'export'$$, $$'2026-10-25'::timestamptz, 1, '1 h', 'export', 0.0000000001$$,
	$$'2026-10-25'::timestamptz, 1, '1 h', 'export', 'NaN'::numeric$$, $$'2026-10-25'::timestamptz, 1, '1 h', 'export', 1e10$$, $$'2026-09-30'::timestamptz, 1, '1 h'$$, $$'[2026-10-25,2026-10-26)'::tstzrange, -1, 'import_kvarh'::text$$,
	$$'[2026-10-25,2026-10-26)'::tstzrange, 1, 'export'::text$$, $$'2026-10-25'::timestamptz + n * interval '1 h', 9000000000000000, '1 h', 'import_kvarh') FROM generate_series(0, 1) AS n WHERE (true$$]) AS q;
SELECT usage(full_of(), at, wh, step, channel, 0.1)::jsonb -> 'total_kwh' AS "1" FROM (VALUES ('2026-10-25'::timestamptz, 1000::bigint, '1 h'::interval, 'import'), (NULL, 1, '1 h', 'import'), ('2026-10-25', NULL, '1 h', 'import'),
	('2026-10-25', 1, NULL, 'import'), ('2026-10-25', 1, '1 h', NULL)) AS v(at, wh, step, channel);
-- an integer needs no cast
SELECT usage(plain(), '2026-10-25', 1000, '1 h')::jsonb -> 'total_kwh' AS "1";

-- versions: cut at the midnight of London, each as its own tariff divides it
CREATE FUNCTION changes() RETURNS elecbill.tariff LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN
	jsonb_build_object('elecbill', 1, 'versions', jsonb_build_array(
		jsonb_build_object('version', 1, 'valid', '["2026-10-01", "2026-10-25"]'::jsonb, 'tariff', plain()::jsonb),
		jsonb_build_object('version', 2, 'valid', '["2026-10-25", "2026-11-01"]'::jsonb, 'tariff', full_of()::jsonb)))::elecbill.tariff;
CREATE TABLE split AS SELECT id, usage(changes(), at, wh, '30 min', channel, price) AS u, usage(plain(), at, wh, '30 min', channel) FILTER (WHERE at < '2026-10-24 23:00Z') AS a,
	usage(full_of(), at, wh, '30 min', channel, price) FILTER (WHERE at >= '2026-10-24 23:00Z') AS b FROM load GROUP BY id;
SELECT jsonb_pretty((u::jsonb - 'fingerprint') #- '{versions,1}' #- '{versions,0,usage,fingerprint}') FROM split WHERE id = 1;
SELECT bool_and(u::jsonb #> '{versions,0,usage}' = a::jsonb AND u::jsonb #> '{versions,1,usage}' = b::jsonb) AND count(*) = 4 AS each_as_alone FROM split;
SET max_parallel_workers_per_gather = 2;
SELECT bool_and(u::text = s) AND count(*) = 4 AS same_in_workers FROM split JOIN (SELECT id, usage(changes(), at, wh, '30 min', channel, price)::text AS s FROM shuffled GROUP BY id) AS q USING (id);
RESET max_parallel_workers_per_gather;
-- an interval over the change is cut there
SELECT jsonb_path_query_array(usage(changes(), '2026-10-24 22:30Z'::timestamptz, 3000, '90 min')::jsonb, '$.versions[*].usage.total_kwh') AS "1 and 2";
SELECT refused(format('SELECT usage(changes(), %L::timestamptz, 1, ''1 h'')', at)) FROM unnest('{2026-09-30 22:00Z,2026-10-31 23:30Z}'::text[]) AS at;

-- tiers that fill in order of time [tariffs: 80 kWh peak, then 80 valley]
CREATE FUNCTION in_time() RETURNS elecbill.tariff LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN
	'{"elecbill": 1, "currency": "CNY", "zone": "Asia/Shanghai", "schedules": {"tou": [{"period": "peak", "spans": [["08:00", "22:00"]]}, {"period": "valley"}]},
	"components": [{"code": "e", "kind": "energy", "tier": {"order": "time", "steps": [{"up_to": 100, "price": {"period": {"peak": 0.7, "valley": 0.4}}}, {"price": {"period": {"peak": 1, "valley": 0.45}}}]}}]}'::elecbill.tariff;
SELECT rate_total(in_time(), usage(in_time(), at, 1000, '1 h')) AS "91.00" FROM (SELECT at FROM (SELECT '2026-01-01 08:00+08'::timestamptz + d * interval '1 day' + n * interval '10.5 min' AS at FROM generate_series(0, 0) AS d, generate_series(0, 74) AS n) AS q
	UNION ALL SELECT '2026-01-01 10:00+08'::timestamptz FROM generate_series(1, 5) UNION ALL SELECT '2026-01-02 00:00+08'::timestamptz + n * interval '1 min' FROM generate_series(0, 79) AS n) AS r(at);
CREATE TABLE pieces AS SELECT '2026-01-01'::timestamptz + (n * 7919 % 3000) * interval '7 min' AS at, n::bigint AS wh FROM generate_series(1, 2000) AS n;
SELECT usage(in_time(), at, wh, '40 min')::text = (SELECT usage(in_time(), at, wh, '40 min')::text FROM (SELECT * FROM pieces ORDER BY at, wh DESC) AS q) AS same_order FROM pieces;
SET max_parallel_workers_per_gather = 2;
ALTER TABLE pieces SET (parallel_workers = 2);
SELECT usage(in_time(), at, wh, '40 min')::text = (SELECT usage(in_time(), at, wh, '40 min')::text FROM (SELECT * FROM pieces ORDER BY at, wh DESC OFFSET 0) AS q) AS same_in_workers FROM pieces;
RESET max_parallel_workers_per_gather;

-- registers of several channels, in any order: the same as their differences
CREATE TABLE register AS SELECT channel, at, coalesce(sum(wh) OVER (PARTITION BY channel ORDER BY at ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0)::bigint AS wh FROM load WHERE id = 2 AND channel <> 'export';
CREATE FUNCTION no_row_price() RETURNS elecbill.tariff LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN
	jsonb_set(full_of()::jsonb, '{components,2,price}', '1')::jsonb #- '{series,row}';
SELECT register_usage(no_row_price(), at, wh, NULL, 0, channel)::jsonb - 'missing_s' - 'quality' = (SELECT usage(no_row_price(), at, wh, '30 min', channel)::jsonb - 'missing_s' - 'quality' FROM load WHERE id = 2 AND channel <> 'export'
	AND at < (SELECT max(at) FROM load)) AS same_by_registers FROM register;
SELECT register_usage(no_row_price(), at, wh, NULL, 0, channel)::text = (SELECT register_usage(no_row_price(), at, wh, NULL, 0, channel)::text FROM (SELECT * FROM register ORDER BY wh DESC) AS q) AS same_order,
	register_usage(no_row_price(), at, wh, NULL, 0, channel)::text = register_usage(ARRAY[plain(), no_row_price()], 2, at, wh, NULL, 0, channel)::text AS same_by_number,
	register_usage(plain(), at, wh, NULL, 0, channel)::text = register_usage(plain(), at, wh, NULL, 0) FILTER (WHERE channel = 'import')::text AS others_count_for_nothing,
	register_usage(plain(), at, wh, NULL, 0) FILTER (WHERE channel = 'import')::text = register_usage(ARRAY[plain()], 1, at, wh, NULL, 0) FILTER (WHERE channel = 'import')::text AS same_without_channel,
	register_usage(plain(), at, wh, NULL, 0, channel) FILTER (WHERE channel = 'export_kvarh') IS NULL AS nothing_at_all FROM register;
SET max_parallel_workers_per_gather = 2;
ALTER TABLE register SET (parallel_workers = 2);
SELECT register_usage(no_row_price(), at, wh, NULL, 0, channel)::text = (SELECT register_usage(no_row_price(), at, wh, NULL, 0, channel)::text FROM (SELECT * FROM register OFFSET 0) AS q) AS same_in_workers FROM register;
RESET max_parallel_workers_per_gather;
-- each channel's register rolls over where it does; one cannot at two values
SELECT register_usage(no_row_price(), at, wh, wrap, 0, channel)::jsonb -> 'import_kvarh' AS "2" FROM (VALUES ('2026-10-25 00:00Z'::timestamptz, 999000::bigint, 1000000::bigint, 'import_kvarh'), ('2026-10-25 01:00Z', 1000, 1000000, 'import_kvarh'),
	('2026-10-25 00:00Z', 5, 100, 'import'), ('2026-10-25 01:00Z', 6, 100, 'import')) AS v(at, wh, wrap, channel);
SELECT refused(format('SELECT register_usage(%s) FROM (VALUES (1, ''import''), (2, ''export'')) AS v(n, c)', q)) FROM unnest(ARRAY[
	$$plain(), '2026-10-25'::timestamptz, 1, n, 0, 'import'$$, $$plain(), '2026-10-25'::timestamptz, 1, NULL, 0, 'gas'$$, $$full_of(), '2026-10-25'::timestamptz + n * interval '1 h', n, NULL, 0, 'export'$$,
	$$ARRAY[plain(), full_of()], n, '2026-10-25'::timestamptz, 1, NULL, 0, c$$]) AS q;
