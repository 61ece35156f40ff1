-- compare.sql: many tariffs over one scan, and the highest windows without a tariff
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

-- 1 and 2 differ in prices, 3 in periods, 4 has steps, 5 demands in another zone, 6 needs export and the price of the rows, 7 changes
CREATE FUNCTION tariff_no(no integer) RETURNS elecbill.tariff LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN CASE no
	WHEN 1 THEN tou_tariff('[{"period": "peak", "spans": [["08:00", "22:00"]]}, {"period": "valley"}]', '{"peak": 0.7, "valley": 0.4}')
	WHEN 2 THEN tou_tariff('[{"period": "peak", "spans": [["08:00", "22:00"]]}, {"period": "valley"}]', '{"peak": 0.9, "valley": 0.25}')
	WHEN 3 THEN tou_tariff('[{"period": "peak", "spans": [["07:10", "22:00"]]}, {"period": "valley"}]', '{"peak": 0.7, "valley": 0.4}')
	WHEN 4 THEN tiered_tariff('{200, 400}', '{0.5, 0.6, 0.8}', scope => 'month')
	WHEN 5 THEN '{"elecbill": 1, "currency": "USD", "zone": "America/New_York", "demands": {"a": {"window": 15}, "b": {"window": 30, "slide": 15, "agg": "top_mean", "n": 2, "distinct": "day"}},
		"components": [{"code": "e", "kind": "energy", "price": 0.1}, {"code": "a", "kind": "demand", "demand": "a", "price": 12}, {"code": "b", "kind": "demand", "demand": "b", "price": 3, "when": {"attr": {"class": "big"}}}]}'::tariff
	WHEN 6 THEN '{"elecbill": 1, "currency": "EUR", "zone": "Europe/Berlin", "series": {"day ahead": "usage"}, "components": [{"code": "e", "kind": "energy", "price": {"add": [{"series": "day ahead"}, 0.08]}},
		{"code": "sold", "kind": "credit", "price": {"series": "day ahead"}}]}'::tariff
	ELSE jsonb_build_object('elecbill', 1, 'versions', jsonb_build_array(
		jsonb_build_object('version', 1, 'valid', '["2026-01-01", "2026-01-20"]'::jsonb, 'tariff', tou_tariff('[{"period": "day", "spans": [["06:00", "18:00"]]}, {"period": "night"}]', '{"day": 1, "night": 0.5}')::jsonb),
		jsonb_build_object('version', 2, 'valid', '["2026-01-20", "2027-01-01"]'::jsonb, 'tariff', tiered_tariff('{}', '{0.75}')::jsonb)))::tariff END;
CREATE FUNCTION all_of(VARIADIC no integer[]) RETURNS elecbill.tariff[] LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN (SELECT array_agg(tariff_no(n) ORDER BY i) FROM unnest(no) WITH ORDINALITY AS u(n, i));

CREATE TABLE load AS SELECT id, channel, '2026-01-05 00:00Z'::timestamptz + n * interval '15 min' AS at, (n * 7919 + id * 31 + length(channel) * 104729) % 997 AS wh, (n * 37 % 101 - 20) * 0.001 AS price
FROM generate_series(1, 3) AS id, unnest('{import,export}'::text[]) AS channel, generate_series(0, 2500) AS n;
ALTER TABLE load ALTER wh TYPE bigint;

-- the totals are those of each tariff alone
CREATE TABLE want AS SELECT id, array_agg(total ORDER BY no) AS totals FROM (
	SELECT id, no, rate_total(tariff_no(no), usage(tariff_no(no), at, wh, '15 min'), '{"attrs": {"class": "big"}}') AS total FROM load, generate_series(1, 5) AS no WHERE channel = 'import' GROUP BY id, no
	UNION ALL SELECT id, 6, rate_total(tariff_no(6), usage(tariff_no(6), at, wh, '15 min', channel, price)) FROM load GROUP BY id
	UNION ALL SELECT id, 7, rate_total(tariff_no(7), usage(tariff_no(7), at, wh, '15 min')) FROM load WHERE channel = 'import' GROUP BY id) AS q GROUP BY id;
SELECT * FROM want ORDER BY id;
SELECT bool_and(totals = s) AND count(*) = 3 AS same_totals FROM want JOIN (SELECT id, compare(all_of(1, 2, 3, 4, 5, 6, 7), at, wh, '15 min', channel, price, '{"attrs": {"class": "big"}}') AS s FROM load GROUP BY id) AS q USING (id);
SELECT bool_and(totals = s) AND count(*) = 3 AS same_by_range FROM want JOIN (SELECT id, compare(all_of(1, 2, 3, 4, 5, 6, 7), tstzrange(at, at + interval '15 min'), wh / 1000.0, channel, price, '{"attrs": {"class": "big"}}') AS s FROM load GROUP BY id) AS q USING (id);
SELECT bool_and(totals[1:5] = a AND totals[1:5] = b AND totals[1:5] = c AND totals[1:5] = d AND totals[1:4] = e AND totals[1:4] = f) AND count(*) = 3 AS same_by_form FROM want JOIN (SELECT id, compare(all_of(1, 2, 3, 4, 5), at, wh, '15 min', '{"attrs": {"class": "big"}}') AS a,
	compare(all_of(1, 2, 3, 4, 5), tstzrange(at, at + interval '15 min'), wh / 1000.0, '{"attrs": {"class": "big"}}'::jsonb) AS b, compare(all_of(1, 2, 3, 4, 5), at, wh, '15 min', channel, '{"attrs": {"class": "big"}}') AS c,
	compare(all_of(1, 2, 3, 4, 5), tstzrange(at, at + interval '15 min'), wh / 1000.0, channel, '{"attrs": {"class": "big"}}') AS d, compare(all_of(1, 2, 3, 4), at, wh, '15 min') AS e, compare(all_of(1, 2, 3, 4), tstzrange(at, at + interval '15 min'), wh / 1000.0) AS f
	FROM load WHERE channel = 'import' GROUP BY id) AS q USING (id);
-- the same tariff twice, tariffs by row, none, no row, nothing that is needed
SELECT compare(all_of(2, 1, 2), at, wh, '15 min') AS first_and_last_equal, compare(a, at, wh, '15 min') = compare(all_of(2, 1, 2), at, wh, '15 min') AS same_by_row FROM load, (SELECT all_of(2, 1, 2) AS a OFFSET 0) AS q WHERE id = 1;
SELECT n, (SELECT compare(a, at, wh, '15 min') FROM load WHERE id = 1 AND channel = 'import') AS totals FROM (VALUES (1, all_of(1)), (2, all_of(2)), (3, all_of(2, 1))) AS t(n, a);
SELECT compare('{}'::tariff[], at, wh, '15 min') AS none, compare(all_of(1), at, wh, '15 min') FILTER (WHERE wh < 0) IS NULL AS no_row, compare(NULL::tariff[], at, wh, '15 min') IS NULL AS no_array,
	compare(all_of(1, 2), at, wh, '15 min', channel, NULL) FILTER (WHERE channel = 'export') AS unknown FROM load WHERE id = 1;
SELECT compare(all_of(1), at, wh, step) AS "0.70" FROM (VALUES ('2026-01-05 10:00+08'::timestamptz, 1000::bigint, '1 h'::interval), (NULL, 1, '1 h'), ('2026-01-05', NULL, '1 h'), ('2026-01-05', 1, NULL)) AS v(at, wh, step);
-- a day ends by the clock of each tariff's zone: 25 kWh of 25 hours, 7 of them at night in London, of 24 in Shanghai, 6 at night
SELECT compare(ARRAY[t, jsonb_set(t::jsonb, '{zone}', '"Asia/Shanghai"')::tariff], '2026-10-24 11:00Z', 25000::bigint, '1 day') AS "7.00, 6.25"
FROM (SELECT tou_tariff('[{"period": "night", "spans": [["00:00", "06:00"]]}, {"period": "day"}]', '{"night": 1, "day": 0}', 'GBP', 'Europe/London')) AS q(t);

-- in workers
SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0; SET max_parallel_workers_per_gather = 2;
ALTER TABLE load SET (parallel_workers = 2);
ANALYZE load;
SELECT plan_has('SELECT id, compare(all_of(1, 2), at, wh, ''15 min'', channel, price, NULL) FROM load GROUP BY id', '"Partial Mode": "Partial"') AS runs_parallel;
SELECT bool_and(totals = s) AND count(*) = 3 AS same_in_workers FROM want JOIN (SELECT id, compare(all_of(1, 2, 3, 4, 5, 6, 7), at, wh, '15 min', channel, price, '{"attrs": {"class": "big"}}') AS s FROM load GROUP BY id) AS q USING (id);
SELECT bool_and(CASE id WHEN 2 THEN totals[1:4] ELSE totals[2:4] END = s) AND count(*) = 3 AS same_by_group_in_workers FROM want JOIN (SELECT id, compare(CASE id WHEN 2 THEN all_of(1, 2, 3, 4) ELSE all_of(2, 3, 4) END, at, wh, '15 min') AS s FROM load WHERE channel = 'import' GROUP BY id) AS q USING (id);
SELECT compare(all_of(1, 5), at, wh, '15 min') IS NULL AS no_row_in_workers FROM load WHERE wh < 0;
RESET max_parallel_workers_per_gather;

SELECT refused(format('SELECT compare(%s) FROM load WHERE id < 3', q)) FROM unnest(ARRAY[$$CASE id WHEN 1 THEN all_of(1) ELSE all_of(2) END, at, wh, '15 min'$$, $$all_of(1), at, wh, '15 min', CASE id WHEN 1 THEN '{}'::jsonb END$$,
	$$ARRAY[tariff_no(1), NULL], at, wh, '15 min'$$, $$array_fill(tariff_no(1), ARRAY[1001]), at, wh, '15 min'$$, $$ARRAY[all_of(1), all_of(2)], at, wh, '15 min'$$, $$all_of(1), at, -1::bigint, '15 min'$$, $$all_of(1), at, wh, '0 min'$$, $$all_of(1), at, wh, '15 min', 'gas', NULL$$, $$all_of(1), at, wh, '15 min', '{"tax": 1}'$$,
	$$all_of(1, 6), at, wh, '15 min'$$, $$all_of(1, 7), at - interval '1 month', wh, '15 min'$$, $$all_of(1), tstzrange(at, NULL), 1$$]) AS q;

-- ---------------------------------------------------------------- max_demand(), top_demands()

CREATE TABLE hours AS SELECT id, at, wh / 1000.0 AS kwh FROM load WHERE channel = 'import' AND (extract(epoch FROM at)::bigint / 900 + id) % 53 <> 0;
-- blocks of a quarter and of an hour, sliding hours; a gap counts for nothing
SELECT bool_and((p).kw = kw AND (p).at = best) AND count(*) = 3 AS same_quarters FROM (SELECT id, max_demand(at, kwh, '15 min', '15 min') AS p, max(kwh * 4) AS kw FROM hours GROUP BY id) AS a
	JOIN (SELECT DISTINCT ON (id) id, at AS best FROM hours ORDER BY id, kwh DESC, at) AS b USING (id);
CREATE VIEW sliding AS SELECT id, at, sum(kwh) OVER w AS kw, count(*) OVER w = 4 AS whole FROM hours WINDOW w AS (PARTITION BY id ORDER BY at RANGE BETWEEN CURRENT ROW AND '45 min' FOLLOWING);
SELECT bool_and((p).kw = kw AND (p).at = at) AND count(*) = 3 AS same_sliding FROM (SELECT id, max_demand(at, kwh, '15 min', '1 hour', '15 min') AS p FROM hours GROUP BY id) AS a JOIN (SELECT DISTINCT ON (id) * FROM sliding WHERE whole ORDER BY id, kw DESC, at) AS b USING (id);
SELECT bool_and((p).kw = kw AND (p).at = at) AND count(*) = 3 AS same_blocks FROM (SELECT id, max_demand(at, kwh, '15 min', '1 hour') AS p FROM hours GROUP BY id) AS a
	JOIN (SELECT DISTINCT ON (id) * FROM sliding WHERE whole AND extract(minute FROM at) = 0 ORDER BY id, kw DESC, at) AS b USING (id);
SELECT bool_and((p).kw = kw AND (p).at = at) AND count(*) = 3 AS same_blocks_of_a_zone FROM (SELECT id, max_demand(at, kwh, '15 min', '1 hour', '1 hour', 'Asia/Kathmandu') AS p FROM hours GROUP BY id) AS a
	JOIN (SELECT DISTINCT ON (id) * FROM sliding WHERE whole AND extract(minute FROM at) = 15 ORDER BY id, kw DESC, at) AS b USING (id);
SELECT bool_and(top = want) AND count(*) = 3 AS same_top FROM (SELECT id, top_demands(at, kwh, '15 min', '1 hour', '15 min', 5, 'day') AS top FROM hours GROUP BY id) AS a
	JOIN (SELECT id, (array_agg(kw ORDER BY kw DESC))[1:5] AS want FROM (SELECT id, max(kw) AS kw FROM sliding WHERE whole GROUP BY id, at::date) AS d GROUP BY id) AS b USING (id);
SELECT bool_and(top = want) AND count(*) = 3 AS same_top_of_a_zone FROM (SELECT id, top_demands(at, kwh, '15 min', '15 min', '15 min', 3, 'week', 'America/New_York') AS top FROM hours GROUP BY id) AS a
	JOIN (SELECT id, (array_agg(kw ORDER BY kw DESC))[1:3] AS want FROM (SELECT id, max(kwh * 4) AS kw FROM hours GROUP BY id, date_trunc('week', at AT TIME ZONE 'America/New_York')) AS d GROUP BY id) AS b USING (id);
SELECT bool_and(top = want) AND count(*) = 3 AS same_top_windows FROM (SELECT id, top_demands(at, kwh, '15 min', '15 min', 7, 'window') AS top FROM hours GROUP BY id) AS a
	JOIN (SELECT id, (array_agg(kwh * 4 ORDER BY kwh DESC))[1:7] AS want FROM hours GROUP BY id) AS b USING (id);
SELECT top_demands(at, kwh, '15 min', '1 day', 9, 'month') AS one_each, top_demands(at, kwh, '15 min', '1 day', 100, 'day') AS two_days_are_whole FROM (SELECT at, 1 AS kwh FROM generate_series('2026-01-31'::timestamptz, '2026-02-02', '15 min') AS at) AS q;
-- an hour of a day of 23 hours: the last block of three hours is cut off; sliding windows go on
SELECT max_demand(at, CASE at WHEN '2026-03-29 22:00Z' THEN 5 ELSE 1 END, '1 hour', '3 hours', '3 hours', 'Europe/London') AS "1 kW", max_demand(at, CASE at WHEN '2026-03-29 22:00Z' THEN 5 ELSE 1 END, '1 hour', '3 hours', '1 hour', 'Europe/London') AS "2.333333 kW from 20:00"
FROM generate_series('2026-03-29 00:00Z'::timestamptz, '2026-03-30 05:00Z', '1 hour') AS at;
-- three highest hours on different days [Norway: 8.1, 7.4, 6.9 is 7.466667]
SELECT top, round((SELECT avg(kw) FROM unnest(top) AS kw), 6) AS "7.466667" FROM (SELECT top_demands(at, kwh, '1 hour', '1 hour', 3, 'day') AS top
	FROM (VALUES ('2026-01-05 08:00Z'::timestamptz, 8.1), ('2026-01-05 09:00Z', 8.0), ('2026-01-07 18:00Z', 6.9), ('2026-01-09 17:00Z', 7.4), ('2026-01-11 17:00Z', 2)) AS v(at, kwh)) AS q;
-- the earliest of equal ones; workers; nothing
SELECT (max_demand(at, 1, '15 min', '30 min')).at AS "00:30" FROM generate_series('2026-01-01 00:15Z'::timestamptz, '2026-01-01 05:00Z', '15 min') AS at;
CREATE TABLE peak AS SELECT id, max_demand(at, kwh, '15 min', '1 hour', '15 min') AS m, top_demands(at, kwh, '15 min', '1 hour', '15 min', 5, 'day') AS t FROM hours GROUP BY id;
SET max_parallel_workers_per_gather = 2;
ALTER TABLE hours SET (parallel_workers = 2);
ANALYZE hours;
SELECT plan_has('SELECT id, max_demand(at, kwh, ''15 min'', ''1 hour'', ''15 min'') FROM hours GROUP BY id', '"Partial Mode": "Partial"') AS runs_parallel;
SELECT bool_and(m = s AND t = u) AND count(*) = 3 AS same_in_workers FROM peak JOIN (SELECT id, max_demand(at, kwh, '15 min', '1 hour', '15 min') AS s, top_demands(at, kwh, '15 min', '1 hour', '15 min', 5, 'day') AS u FROM hours GROUP BY id) AS q USING (id);
SELECT max_demand(at, kwh, '15 min', '1 hour') IS NULL AS no_row_in_workers, top_demands(at, kwh, '15 min', '1 hour', 1, 'day') IS NULL AS no_top FROM hours WHERE kwh < 0;
RESET max_parallel_workers_per_gather;
SELECT max_demand(at, kwh, '15 min', '1 hour') IS NULL AS no_whole_window, top_demands(at, kwh, '15 min', '1 hour', 1, 'day') AS none FROM (VALUES ('2026-01-01'::timestamptz, 1), (NULL, 1), ('2026-01-02', NULL)) AS v(at, kwh);
SELECT refused(format('SELECT max_demand(at, kwh, %s) FROM hours WHERE id < 3', q)) FROM unnest(ARRAY[$$'15 min', '7 min'$$, $$'15 min', '0 min'$$, $$'15 min', '-15 min'$$, $$'15 min', '90 s'$$, $$'15 min', '2 days'$$, $$'15 min', '1 mon'$$, $$'15 min', NULL$$,
	$$'15 min', '30 min', '20 min'$$, $$'15 min', '30 min', '1 h'$$, $$'15 min', '30 min', NULL$$, $$'15 min', '30 min', '15 min', 'Europe/Atlantis'$$, $$'15 min', '30 min', '15 min', repeat('x', 1000)$$, $$'0 min', '30 min'$$, $$'1 mon', '30 min'$$, $$'33 days', '30 min'$$,
	$$'15 min', id * interval '15 min'$$, $$'15 min', '30 min', id * interval '15 min'$$]) AS q;
SELECT refused(format('SELECT top_demands(at, %s) FROM hours WHERE id < 3', q)) FROM unnest(ARRAY[$$kwh, '15 min', '15 min', 0, 'day'$$, $$kwh, '15 min', '15 min', 10001, 'day'$$, $$kwh, '15 min', '15 min', NULL, 'day'$$, $$kwh, '15 min', '15 min', 1, 'year'$$, $$kwh, '15 min', '15 min', 1, NULL$$,
	$$kwh, '15 min', '15 min', id, 'day'$$, $$-kwh, '15 min', '15 min', 1, 'day'$$, $$'NaN', '15 min', '15 min', 1, 'day'$$, $$0.0000001, '15 min', '15 min', 1, 'day'$$, $$9e12, '15 min', '15 min', 1, 'day'$$]) AS q;
SELECT refused($$SELECT max_demand('infinity'::timestamptz, 1, '15 min', '15 min')$$);
