-- period.sql: the period of an instant, against a slow reading of the wall clock in SQL
SET search_path = public, elecbill;

-- SQLSTATE and message of a statement that must fail
CREATE FUNCTION refused(statement text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE statement;
	RETURN 'not refused';
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE || ': ' || SQLERRM;
END $$;

-- Summer has a peak in the morning, a sharp hour on festivals, and a night that belongs to the
-- evening before; the rest of the year has a peak on workday evenings and a long night.
CREATE FUNCTION night_tariff(zone text) RETURNS elecbill.tariff LANGUAGE sql STABLE
RETURN jsonb_build_object('elecbill', 1, 'code', 'night', 'currency', 'CNY', 'zone', zone,
	'month_day', 5,
	'seasons', '{"summer": [["06-01", "10-01"]]}'::jsonb,
	'calendar', '{"days": {"2026-01-01": ["holiday"], "2026-01-04": ["makeup"],
		"2026-06-19": ["holiday", "festival"], "2026-06-20": ["festival"],
		"2026-10-01": ["holiday"]}}'::jsonb,
	'schedules', '{"tou": [
		{"period": "sharp", "spans": [["12:00", "13:00"]], "season": ["summer"], "days": ["festival"]},
		{"period": "peak", "spans": [["08:00", "11:30"]], "season": ["summer"]},
		{"period": "valley", "spans": [["23:00", "01:00"]], "season": ["summer"], "anchor": "start"},
		{"period": "peak", "spans": [["17:00", "21:00"]], "season": ["*"], "days": ["workday"]},
		{"period": "valley", "spans": [["22:00", "06:00"]], "season": ["*"]},
		{"period": "flat"}]}'::jsonb,
	'components', '[{"code": "energy", "kind": "energy",
		"price": {"period": {"sharp": 2, "peak": 1, "flat": 0.7, "valley": 0.4}}}]'::jsonb);

CREATE FUNCTION slow_period(wall timestamp) RETURNS text LANGUAGE sql IMMUTABLE
RETURN CASE
	WHEN extract(month FROM wall) BETWEEN 6 AND 9 AND wall::time >= '12:00' AND wall::time < '13:00'
		AND wall::date IN ('2026-06-19', '2026-06-20') THEN 'sharp'
	WHEN extract(month FROM wall) BETWEEN 6 AND 9 AND wall::time >= '08:00' AND wall::time < '11:30' THEN 'peak'
	WHEN extract(month FROM wall) BETWEEN 6 AND 9 AND wall::time >= '23:00' THEN 'valley'
	WHEN extract(month FROM wall - interval '1 day') BETWEEN 6 AND 9 AND wall::time < '01:00' THEN 'valley'
	WHEN extract(month FROM wall) BETWEEN 6 AND 9 THEN 'flat'
	WHEN wall::time >= '17:00' AND wall::time < '21:00' AND (wall::date = '2026-01-04'
		OR extract(isodow FROM wall) < 6 AND wall::date NOT IN ('2026-01-01', '2026-10-01')) THEN 'peak'
	WHEN wall::time >= '22:00' OR wall::time < '06:00' THEN 'valley'
	ELSE 'flat' END;

CREATE TEMP TABLE place AS
SELECT zone, night_tariff(zone) AS tariff
FROM unnest('{Asia/Shanghai,Europe/London,America/New_York,Australia/Lord_Howe,America/Havana}'::text[]) AS zone;

-- every 47th minute of three years, and every minute around each change of the clock
SELECT zone, count(*) AS instants,
	bool_and(tariff_period(tariff, at) IS NOT DISTINCT FROM slow_period(wall)) AS as_the_wall_clock_says
FROM (SELECT *, at AT TIME ZONE zone AS wall
	FROM place, generate_series('2025-01-01 00:00Z'::timestamptz, '2027-12-31 23:59Z', '47 min') AS at OFFSET 0) AS q
GROUP BY zone ORDER BY zone;
SELECT zone, count(*) AS minutes,
	bool_and(tariff_period(tariff, at) IS NOT DISTINCT FROM slow_period(wall)) AS as_the_wall_clock_says
FROM place JOIN (SELECT zone, (change + n * interval '1 min') AT TIME ZONE zone AS wall, change + n * interval '1 min' AS at
	FROM (VALUES ('Europe/London', '2026-03-29 01:00Z'::timestamptz), ('Europe/London', '2026-10-25 01:00Z'),
			('America/New_York', '2026-03-08 07:00Z'), ('America/New_York', '2026-11-01 06:00Z'),
			('Australia/Lord_Howe', '2026-04-04 15:00Z'), ('Australia/Lord_Howe', '2026-10-03 15:30Z'),
			('America/Havana', '2026-03-08 05:00Z'), ('America/Havana', '2026-11-01 05:00Z'),
			('Asia/Shanghai', '2026-05-31 16:00Z'), ('Asia/Shanghai', '2026-09-30 16:00Z')) AS c(zone, change),
		generate_series(-1500, 1500) AS n OFFSET 0) AS q USING (zone)
GROUP BY zone ORDER BY zone;

-- the hour that comes twice has one period, twice; the hour that is missing has none
CREATE FUNCTION hourly(zone text) RETURNS elecbill.tariff LANGUAGE sql STABLE
RETURN (SELECT jsonb_build_object('elecbill', 1, 'currency', 'CNY', 'zone', zone,
	'schedules', jsonb_build_object('clock', jsonb_agg(jsonb_build_object('period', lpad(h::text, 2, '0'),
		'spans', jsonb_build_array(jsonb_build_array(lpad(h::text, 2, '0') || ':00', lpad((h + 1)::text, 2, '0') || ':00'))))),
	'components', '[{"code": "energy", "kind": "energy", "price": 1}]'::jsonb)
	FROM generate_series(0, 23) AS h);
CREATE TEMP TABLE clock AS SELECT zone, hourly(zone) AS tariff FROM place;
SELECT zone, day, minutes FROM (
	SELECT zone, day, tariff_period(tariff, start + n * interval '1 min') AS hour, count(*) AS minutes
	FROM clock JOIN (VALUES ('Europe/London', '2026-10-25'::date, '2026-10-24 23:00Z'::timestamptz),
			('Europe/London', '2026-03-29', '2026-03-29 00:00Z'),
			('Australia/Lord_Howe', '2026-04-05', '2026-04-04 13:00Z'),
			('America/Havana', '2026-11-01', '2026-11-01 04:00Z')) AS d(zone, day, start) USING (zone),
		generate_series(0, 23 * 60 - 1) AS n
	GROUP BY 1, 2, 3) AS h
WHERE minutes <> 60 ORDER BY zone, day, hour;
SELECT array_agg(tariff_period(hourly('Europe/London'), '2026-03-28 23:30Z'::timestamptz + n * interval '1 hour') ORDER BY n)
FROM generate_series(0, 4) AS n;

-- schedules
SELECT tariff_period('{"elecbill": 1, "currency": "CNY", "components": [{"code": "e", "kind": "energy", "price": 1}]}', '2026-01-01') IS NULL AS no_schedule_no_period;
CREATE FUNCTION two() RETURNS elecbill.tariff LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN '{"elecbill": 1, "currency": "CNY", "zone": "Asia/Shanghai", "schedules": {
	"week": [{"period": "rest", "days": ["weekend"]}, {"period": "work"}],
	"day": [{"period": "light", "spans": [["06:00", "18:00"]]}, {"period": "dark"}]},
	"components": [{"code": "a", "kind": "energy", "schedule": "week", "price": {"period": {"rest": 1, "work": 2}}},
		{"code": "b", "kind": "energy", "schedule": "day", "price": {"period": {"light": 1, "dark": 2}}}]}'::elecbill.tariff;
SELECT tariff_period(two(), '2026-01-03 18:00+08', 'week'), tariff_period(two(), '2026-01-03 18:00+08', 'day');
SELECT refused(q) FROM unnest(ARRAY[
	$$SELECT tariff_period(two(), '2026-01-03 18:00+08')$$,
	$$SELECT tariff_period(two(), '2026-01-03 18:00+08', 'night')$$
]) AS q;
SELECT tariff_period(NULL, '2026-01-03') IS NULL AND tariff_period(two(), NULL) IS NULL AS null_for_null;
SELECT refused(q) FROM unnest(ARRAY[
	$$SELECT tariff_period(two(), 'infinity')$$,
	$$SELECT tariff_period(two(), '-infinity')$$,
	$$SELECT tariff_period(two(), '1899-12-31')$$,
	$$SELECT tariff_period(two(), '2200-01-02')$$
]) AS q;

-- splitting: 1 kWh from 07:30 to 08:30, 20 kWh over two hours, 30 kWh over a night
CREATE FUNCTION site() RETURNS elecbill.tariff LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN '{"elecbill": 1, "currency": "CNY", "zone": "Asia/Shanghai", "schedules": {"tou": [
	{"period": "peak", "spans": [["10:00", "15:00"], ["18:00", "21:00"]]},
	{"period": "flat", "spans": [["07:00", "10:00"], ["15:00", "18:00"], ["21:00", "23:00"]]},
	{"period": "valley", "spans": [["23:00", "07:00"]]}]},
	"components": [{"code": "energy", "kind": "energy", "price": {"period": {"peak": 1, "flat": 0.7, "valley": 0.4}}}]}'::elecbill.tariff;
SET timezone = 'Asia/Shanghai';
SELECT * FROM split_interval(site(), '[2026-01-05 14:30,2026-01-05 16:30)', 20);
SELECT * FROM split_interval(site(), '[2026-01-05 22:00,2026-01-06 08:00)', 30);
SELECT * FROM split_interval(site(), '[2026-01-31 23:59:59,2026-02-01 00:00:02)', 0.000001);
SELECT * FROM split_interval(two(), '[2026-01-02 17:00,2026-01-03 07:00)', 14, 'week');
SELECT * FROM split_interval(two(), '[2026-01-02 17:00,2026-01-03 07:00)', 14, 'day');
SELECT * FROM split_interval('{"elecbill": 1, "currency": "CNY", "components": [{"code": "e", "kind": "energy", "price": 1}]}', '[2026-01-31,2026-02-02]', 5);
RESET timezone;

-- pieces tile the interval, add up, and are what cumulative rounding at each change gives
CREATE FUNCTION slow_split(zone text, during tstzrange, kwh numeric)
RETURNS TABLE (during tstzrange, period text, kwh numeric) LANGUAGE sql STABLE AS $$
	WITH minute AS (
		SELECT at, slow_period(wall) AS p, (date_trunc('month', wall - interval '4 days'), date_trunc('month', wall)) AS part
		FROM (SELECT at, at AT TIME ZONE zone AS wall
			FROM generate_series(lower(during), upper(during) - interval '1 min', '1 min') AS at OFFSET 0) AS q),
	starts AS (
		SELECT at, p, p IS DISTINCT FROM lag(p) OVER w OR part IS DISTINCT FROM lag(part) OVER w AS new
		FROM minute WINDOW w AS (ORDER BY at)),
	piece AS (
		SELECT at AS from_at, p, lead(at, 1, upper(during)) OVER (ORDER BY at) AS to_at FROM starts WHERE new),
	total AS (
		SELECT *, round(kwh * extract(epoch FROM to_at - lower(during)) / extract(epoch FROM upper(during) - lower(during)), 6) AS until
		FROM piece)
	SELECT tstzrange(from_at, to_at), p, until - lag(until, 1, 0) OVER (ORDER BY from_at) FROM total $$;
SELECT zone, bool_and(same) AS as_the_slow_one, bool_and(sum = kwh AND least >= 0) AS adds_up
FROM (
	SELECT zone, sum(f.kwh) AS sum, min(f.kwh) AS least, q.kwh,
		array_agg((f.during, f.period, f.kwh) ORDER BY f.during)
		IS NOT DISTINCT FROM (SELECT array_agg((s.during, s.period, s.kwh) ORDER BY s.during) FROM slow_split(zone, q.during, q.kwh) AS s) AS same
	FROM (
		SELECT zone, tariff, tstzrange(start, start + (1 + n * 7919 % 2900) * interval '1 min') AS during, (n * 104729 % 99991) / 1000000.0 AS kwh
		FROM place, generate_series(1, 40) AS n,
			LATERAL (SELECT '2026-01-01 00:00Z'::timestamptz + n * 13177 * interval '1 min' AS start) AS s) AS q,
		LATERAL split_interval(q.tariff, q.during, q.kwh) AS f
	GROUP BY zone, q.during, q.kwh) AS r
GROUP BY zone ORDER BY zone;

SELECT count(*) FROM split_interval(site(), NULL, 1);
SELECT count(*) FROM split_interval(site(), '[2026-01-01,2026-01-02)', NULL);
SELECT refused(q) FROM unnest(ARRAY[
	$$SELECT * FROM split_interval(site(), 'empty', 1)$$,
	$$SELECT * FROM split_interval(site(), '[2026-01-01,)', 1)$$,
	$$SELECT * FROM split_interval(site(), '(,2026-01-01)', 1)$$,
	$$SELECT * FROM split_interval(site(), '[2026-01-01,infinity)', 1)$$,
	$$SELECT * FROM split_interval(site(), '[2026-01-01,2026-01-02)', -1)$$,
	$$SELECT * FROM split_interval(site(), '[2026-01-01,2026-01-02)', 'NaN')$$,
	$$SELECT * FROM split_interval(site(), '[2026-01-01,2026-01-02)', 'infinity')$$,
	$$SELECT * FROM split_interval(site(), '[2026-01-01,2026-01-02)', 0.0000001)$$,
	$$SELECT * FROM split_interval(site(), '[2026-01-01,2026-01-02)', 1e13)$$,
	$$SELECT * FROM split_interval(two(), '[2026-01-01,2026-01-02)', 1)$$
]) AS q;

-- events are ranges of instants: in the hour that London has twice they are in one of the two
CREATE FUNCTION turn_down() RETURNS elecbill.tariff LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN '{"elecbill": 1, "currency": "GBP", "zone": "Europe/London",
	"events": {"first": [["2026-10-25T00:10:00Z", "2026-10-25T00:50:30Z"]], "second": [["2026-10-25T01:20:00+00:00", "2026-10-25T01:40:00+00:00"], ["2026-10-25 07:00", "2026-10-26"]]},
	"schedules": {"tou": [{"period": "down", "event": "first"}, {"period": "up", "event": "second", "months": [10]}, {"period": "night", "spans": [["00:00", "08:00"]]}, {"period": "day"}]},
	"components": [{"code": "energy", "kind": "energy", "price": {"period": {"down": 0.45, "up": 0.05, "night": 0.15, "day": 0.25}}}]}'::elecbill.tariff;
SELECT lower(during) AT TIME ZONE 'UTC' AS utc, lower(during) AT TIME ZONE 'Europe/London' AS clock, period, price
FROM tariff_prices(turn_down(), '[2026-10-24 22:00Z,2026-10-26 01:00Z)');
SELECT period, kwh FROM split_interval(turn_down(), '[2026-10-25 00:00Z,2026-10-25 02:00Z)', 7.2);
SELECT period, count(*) FROM (SELECT tariff_period(turn_down(), at) AS period
	FROM generate_series('2026-10-24 23:00Z'::timestamptz, '2026-10-25 23:59Z', '1 min') AS at) AS p GROUP BY period ORDER BY period;

-- prices over time: they tile the range, neighbours differ, and each minute has the price of tariff_price()
SELECT zone, count(*) AS stretches, bool_and(from_at = before) AS tiles, bool_and(differs) AS merged
FROM (SELECT zone, lower(during) AS from_at, lag(upper(during), 1, '2026-03-01 00:00Z') OVER w AS before,
		(period, price) IS DISTINCT FROM (lag(period) OVER w, lag(price) OVER w) AS differs
	FROM place, tariff_prices(tariff, '[2026-03-01 00:00Z,2026-07-01 00:00Z)')
	WINDOW w AS (PARTITION BY zone ORDER BY during)) AS q
GROUP BY zone ORDER BY zone;
SELECT zone, count(*) AS instants, bool_and(price = tariff_price(tariff, at) AND period = tariff_period(tariff, at)) AS as_at_the_instant
FROM place, tariff_prices(tariff, '[2026-03-01 00:00Z,2026-04-15 00:00Z)') AS c,
	generate_series('2026-03-01 00:13Z'::timestamptz, '2026-04-14 23:59Z', '71 min') AS at
WHERE c.during @> at GROUP BY zone ORDER BY zone;

-- price series: by instant, by local day, by the month of the bill
CREATE FUNCTION spot() RETURNS elecbill.tariff LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN '{"elecbill": 1, "currency": "EUR", "zone": "Europe/Berlin", "series": {
		"spot": [["2026-03-29T00:00:00+01:00", 0.08], ["2026-03-29T01:00:00+01:00", -0.005], ["2026-03-29T03:30:00+02:00", 0.1], ["2026-03-29T04:00:00+02:00", 0.1]],
		"day": [["2026-03-01", 0.01], ["2026-03-30", 0.02]],
		"month": {"by": "bill_month", "points": [["2026-03-01", 1], ["2026-04-01", 2]]}},
	"components": [{"code": "spot", "kind": "energy", "price": {"series": "spot"}}, {"code": "levy", "kind": "energy", "price": {"add": [{"series": "day"}, {"series": "month"}]}}]}'::elecbill.tariff;
SELECT lower(during) AT TIME ZONE 'Europe/Berlin' AS clock, period, price FROM tariff_prices(spot(), '[2026-03-28 23:00Z,2026-04-02 00:00Z)');
SELECT refused($$SELECT * FROM tariff_prices(spot(), '[2026-03-28 22:00Z,2026-04-02 00:00Z)')$$);

-- several schedules, attributes
SELECT lower(during) AT TIME ZONE 'Asia/Shanghai' AS clock, period, price FROM tariff_prices(two(), '[2026-01-02 17:00+08,2026-01-03 07:00+08)', 'day');
CREATE FUNCTION by_phase() RETURNS elecbill.tariff LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN '{"elecbill": 1, "currency": "CNY", "components": [{"code": "e", "kind": "energy", "price": {"attr": "phases", "of": {"1": 1, "3": 3}}, "tier": {"steps": [{"up_to": 10}, {"price": 9}]}}]}'::elecbill.tariff;
SELECT during, period, price FROM tariff_prices(by_phase(), '[2026-01-01 00:00Z,2026-03-01 00:00Z)', attrs => '{"phases": 3}');
SELECT count(*) FROM unnest(ARRAY[NULL, by_phase()]) AS t, unnest(ARRAY[NULL, '[2026-01-01,2026-01-02)'::tstzrange]) AS d, unnest(ARRAY[NULL, '{"phases": 1}'::jsonb]) AS a,
	tariff_prices(t, d, NULL, a);
SELECT refused(q) FROM unnest(ARRAY[
	$$SELECT * FROM tariff_prices(two(), '[2026-01-01,2026-01-02)')$$,
	$$SELECT * FROM tariff_prices(two(), '[2026-01-01,2026-01-02)', 'night')$$,
	$$SELECT * FROM tariff_prices(by_phase(), '[2026-01-01,2026-01-02)')$$,
	$$SELECT * FROM tariff_prices(by_phase(), '[2026-01-01,2026-01-02)', attrs => '[]')$$,
	$$SELECT * FROM tariff_prices(by_phase(), '[2026-01-01,)', attrs => '{"phases": 1}')$$,
	$$SELECT * FROM tariff_prices(by_phase(), 'empty', attrs => '{"phases": 1}')$$,
	$$SELECT * FROM tariff_prices('{"elecbill": 1, "currency": "CNY", "components": [{"code": "e", "kind": "energy", "price": 15, "tier": {"mode": "package", "size": 10}}]}', '[2026-01-01,2026-01-02)')$$,
	$$SELECT * FROM tariff_prices('{"elecbill": 1, "currency": "CNY", "series": {"p": "usage"}, "components": [{"code": "e", "kind": "energy", "price": {"series": "p"}}]}', '[2026-01-01,2026-01-02)')$$
]) AS q;

-- a tariff that changes: another schedule and another price from a local midnight on
CREATE FUNCTION changes() RETURNS elecbill.tariff LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN '{"elecbill": 1, "versions": [
	{"version": 1, "valid": ["2026-01-01", "2026-03-11"], "tariff": {"elecbill": 1, "currency": "CNY", "zone": "Asia/Shanghai",
		"schedules": {"tou": [{"period": "light", "spans": [["06:00", "18:00"]]}, {"period": "dark"}]},
		"components": [{"code": "e", "kind": "energy", "price": {"period": {"light": 1, "dark": 0.5}}}]}},
	{"version": 2, "valid": ["2026-03-11", "2026-04-01"], "tariff": {"elecbill": 1, "currency": "CNY", "zone": "Asia/Shanghai",
		"schedules": {"tou": [{"period": "dark", "spans": [["19:00", "07:00"]]}, {"period": "light"}]},
		"components": [{"code": "e", "kind": "energy", "price": {"period": {"light": 2, "dark": 0.6}}}]}}]}'::elecbill.tariff;
SELECT lower(during) AT TIME ZONE 'Asia/Shanghai' AS clock, period, price FROM tariff_prices(changes(), '[2026-03-10 12:00+08,2026-03-11 20:00+08)');
SELECT period, kwh FROM split_interval(changes(), '[2026-03-10 12:00+08,2026-03-11 20:00+08)', 32);
SELECT period, count(*) FROM (SELECT tariff_period(changes(), at) AS period
	FROM generate_series('2026-03-10 00:00+08'::timestamptz, '2026-03-11 23:59+08', '1 min') AS at) AS p GROUP BY period ORDER BY period;
SELECT refused(q) FROM unnest(ARRAY[
	$$SELECT tariff_period(changes(), '2025-12-31 23:59+08')$$,
	$$SELECT tariff_period(changes(), '2026-04-01 00:00+08')$$,
	$$SELECT * FROM tariff_prices(changes(), '[2026-03-31,2026-04-02)')$$,
	$$SELECT * FROM split_interval(changes(), '[2026-03-31,2026-04-02)', 1)$$
]) AS q;

-- one call site, tariffs that take turns, or that differ in their prices only
SELECT bool_and(tariff_period(tariff, at) = slow_period(at AT TIME ZONE zone)) AS taking_turns
FROM (SELECT * FROM place, generate_series('2026-10-24 00:00Z'::timestamptz, '2026-10-26 00:00Z', '17 min') AS at ORDER BY at, zone OFFSET 0) AS q;
SELECT bool_and(tariff_period(tariff, at) = slow_period(at AT TIME ZONE zone)) AS one_after_the_other
FROM (SELECT * FROM place, generate_series('2026-10-24 00:00Z'::timestamptz, '2026-10-26 00:00Z', '17 min') AS at ORDER BY zone, at OFFSET 0) AS q;
SELECT n, array_agg(DISTINCT p.price ORDER BY p.price) AS prices FROM generate_series(1, 4) AS n,
	LATERAL tariff_prices(jsonb_set(site()::jsonb, '{components,0,price,period,peak}', to_jsonb(n))::elecbill.tariff, '[2026-01-01 00:00+08,2026-01-02 00:00+08)') AS p
GROUP BY n ORDER BY n;

-- zones: of the server's database, in any case of letters; rules in the style of POSIX are none
SELECT tariff_period(jsonb_set(site()::jsonb, '{zone}', to_jsonb(z))::elecbill.tariff, '2026-01-01 07:00+00')
FROM unnest('{UTC,asia/shanghai,Etc/GMT-8,EST5EDT}'::text[]) AS z;
SELECT refused(q) FROM unnest(ARRAY[
	$$SELECT tariff_period(jsonb_set(site()::jsonb, '{zone}', '"Mars/Olympus"')::elecbill.tariff, '2026-01-01')$$,
	$$SELECT tariff_period(jsonb_set(site()::jsonb, '{zone}', '"UTC+8"')::elecbill.tariff, '2026-01-01')$$,
	$$SELECT tariff_period(jsonb_set(site()::jsonb, '{zone}', '"CST-8"')::elecbill.tariff, '2026-01-01')$$,
	$$SELECT tariff_period(jsonb_set(site()::jsonb, '{zone}', '"../zone"')::elecbill.tariff, '2026-01-01')$$
]) AS q;

-- where a day begins: against the first half hour of each date
SELECT zone, count(*) AS days, bool_and(day_start(day, zone) = first) AS same
FROM (SELECT zone, (at AT TIME ZONE zone)::date AS day, min(at) AS first
	FROM place, generate_series('2025-12-30 00:00Z'::timestamptz, '2027-01-02 00:00Z', '30 min') AS at
	GROUP BY 1, 2) AS d
WHERE day BETWEEN '2026-01-01' AND '2026-12-31' GROUP BY zone ORDER BY zone;
SELECT day_start('2026-11-01', 'America/Havana') = '2026-11-01 04:00Z' AS midnight_twice, day_start('2026-03-08', 'America/Havana') = '2026-03-08 05:00Z' AS midnight_missing,
	day_start('2011-12-30', 'Pacific/Apia') = day_start('2011-12-31', 'Pacific/Apia') AS day_missing;
SELECT day_start(NULL, 'UTC') IS NULL AND day_start('2026-01-01', NULL) IS NULL AS null_for_null;
SELECT refused(format('SELECT day_start(%L, %L)', day, zone)) FROM (VALUES ('2026-01-01', 'Mars/Olympus'), ('2026-01-01', 'UTC+8'), ('2026-01-01', ''), ('2026-01-01', '../zone'),
	('2026-01-01', repeat('x', 300)), ('infinity', 'UTC'), ('-infinity', 'UTC'), ('1899-12-31', 'UTC'), ('2200-01-02', 'UTC')) AS v(day, zone);
