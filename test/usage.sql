-- usage.sql: how energy is divided, as people who pay for it would say it
-- The numbers were worked out by hand; the way is in the description of each test.
\set ON_ERROR_STOP 1
SET client_min_messages = warning;
SELECT plan(44);

-- peak 08:00-22:00 at 0.7, valley at 0.4
CREATE FUNCTION pg_temp.tou(zone text) RETURNS elecbill.tariff LANGUAGE sql STABLE RETURN (
	format('{"elecbill": 1, "currency": "CNY", "zone": "%s", "schedules": {"tou": [
		{"period": "peak", "spans": [["08:00", "22:00"]]}, {"period": "valley", "spans": [["22:00", "08:00"]]}]},
		"components": [{"code": "energy", "kind": "energy", "price": {"period": {"peak": 0.7, "valley": 0.4}}}]}', zone)::elecbill.tariff);
CREATE FUNCTION pg_temp.flat() RETURNS elecbill.tariff LANGUAGE sql STABLE RETURN
	'{"elecbill": 1, "currency": "CNY", "zone": "Asia/Shanghai", "components": [{"code": "energy", "kind": "energy", "price": 0.5}]}'::elecbill.tariff;
-- two steps of the year
CREATE FUNCTION pg_temp.yearly() RETURNS elecbill.tariff LANGUAGE sql STABLE RETURN
	'{"elecbill": 1, "currency": "CNY", "zone": "Asia/Shanghai", "components": [{"code": "energy", "kind": "energy", "tier": {"scope": "year",
		"steps": [{"up_to": 2760, "price": 0.5}, {"price": 0.8}]}}]}'::elecbill.tariff;
-- kWh of a period when 1 kWh is used in each hour of a local day
CREATE FUNCTION pg_temp.day_kwh(zone text, day date, period text) RETURNS numeric LANGUAGE sql STABLE RETURN (
	SELECT (elecbill.usage(t, at, 1000, '1 hour')::jsonb #>> ARRAY['import_kwh', period])::numeric
	FROM (SELECT pg_temp.tou(zone) AS t OFFSET 0) AS q,
		generate_series(day::timestamp AT TIME ZONE 'UTC' - interval '1 day', day::timestamp AT TIME ZONE 'UTC' + interval '2 days', '1 hour') AS at
	WHERE (at AT TIME ZONE zone)::date = day);
CREATE FUNCTION pg_temp.reading(VARIADIC readings text[]) RETURNS jsonb LANGUAGE sql STABLE RETURN (
	SELECT elecbill.register_usage(pg_temp.tou('Asia/Shanghai'), (split_part(r, '=', 1) || '+08')::timestamptz,
		(split_part(r, '=', 2)::numeric * 1000)::bigint, 100000000, coalesce(nullif(split_part(r, '=', 3), '')::integer, 0))::jsonb
	FROM unnest(readings) AS r);

-- ---------------------------------------------------------------- the clock on the wall

SELECT is(elecbill.tariff_period(pg_temp.tou('Asia/Shanghai'), '2026-01-05 07:59:59+08'), 'valley', 'one second before eight it is still cheap');
SELECT is(elecbill.tariff_period(pg_temp.tou('Asia/Shanghai'), '2026-01-05 08:00+08'), 'peak', 'at eight sharp the peak begins');
SELECT is(elecbill.tariff_period(pg_temp.tou('Asia/Shanghai'), '2026-01-05 22:00+08'), 'valley', 'at ten in the evening it ends');
SELECT is(elecbill.tariff_period(pg_temp.tou('Europe/London'), '2026-07-01 07:00Z'), 'peak', 'in summer London rises an hour earlier: 07:00 UTC is eight there');
SELECT is(pg_temp.day_kwh('Europe/London', '2026-10-25', 'valley'), 11::numeric, 'the night that has an hour twice is billed with eleven hours: both are cheap ones');
SELECT is(pg_temp.day_kwh('Europe/London', '2026-10-25', 'peak'), 14::numeric, 'the day after it keeps its fourteen hours');
SELECT is(pg_temp.day_kwh('Europe/London', '2026-03-29', 'valley'), 9::numeric, 'the night that lacks an hour is billed with nine hours');
SELECT is(pg_temp.day_kwh('America/Havana', '2026-11-01', 'valley'), 11::numeric, 'in Havana midnight itself comes twice, and both hours after it count');
SELECT is(pg_temp.day_kwh('Asia/Shanghai', '2026-03-29', 'valley'), 10::numeric, 'in Shanghai no clock is changed');

-- ---------------------------------------------------------------- an hour that is half peak

SELECT results_eq(
	$$SELECT period, kwh FROM elecbill.split_interval(pg_temp.tou('Asia/Shanghai'), '[2026-01-05 07:30+08,2026-01-05 08:30+08)', 1)$$,
	$$VALUES ('valley', 0.5), ('peak', 0.5)$$, '1 kWh from 07:30 to 08:30 is half valley, half peak');
SELECT is((SELECT sum(kwh) FROM elecbill.split_interval(pg_temp.tou('Asia/Shanghai'), '[2026-01-05 07:40+08,2026-01-09 09:10+08)', 0.000007)), 0.000007,
	'however small the pieces are, nothing gets lost');
SELECT is((SELECT elecbill.rate_total(pg_temp.tou('Asia/Shanghai'), elecbill.usage(pg_temp.tou('Asia/Shanghai'), '[2026-01-05 07:30+08,2026-01-05 08:30+08)'::tstzrange, 100))), 55.00,
	'100 kWh in that hour cost 50 x 0.4 + 50 x 0.7');
SELECT is((SELECT elecbill.usage(pg_temp.flat(), '2026-01-31 23:30+08', 1000, '1 hour')::jsonb #>> '{parts,1,import_kwh}'), '0.5',
	'the half hour after midnight belongs to the next month');

-- ---------------------------------------------------------------- what was not measured

SELECT is((SELECT (elecbill.usage(pg_temp.flat(), at, 1000, '15 min')::jsonb ->> 'missing_s')::integer
	FROM generate_series('2026-01-01 00:00+08'::timestamptz, '2026-01-01 23:45+08', '15 min') AS at
	WHERE at NOT BETWEEN '2026-01-01 10:00+08' AND '2026-01-01 11:45+08'), 7200, 'two hours without values are two hours missing, not two hours of nothing');
SELECT is((SELECT elecbill.usage(pg_temp.flat(), at, 1000, '15 min')::jsonb ->> 'quality' FROM (VALUES ('2026-01-01 00:00+08'::timestamptz), ('2026-01-01 00:30+08')) AS v(at)),
	'missing', 'and the bill says so');
SELECT is((SELECT elecbill.usage(pg_temp.flat(), at, 1000, '15 min')::text FROM generate_series('2026-02-01'::timestamptz, '2026-01-01', '15 min') AS at), NULL,
	'a month without values is unknown, not zero');

-- ---------------------------------------------------------------- the register in the cellar

SELECT is(pg_temp.reading('2026-01-05 10:00=120.5', '2026-01-05 10:15=121.75') ->> 'total_kwh', '1.25', '121.75 less 120.5 is 1.25 kWh');
SELECT is(pg_temp.reading('2026-01-05 10:15=121.75', '2026-01-05 10:30=122', '2026-01-05 10:00=120.5') ->> 'total_kwh', '1.5', 'it does not matter which reading came in first');
SELECT is(pg_temp.reading('2026-01-05 10:00=99998.5', '2026-01-05 10:15=1.25') ->> 'total_kwh', '2.75', 'five digits go from 99999 to 00000: 2.75 kWh, not minus 99997.25');
SELECT is(pg_temp.reading('2026-01-05 10:00=500', '2026-01-05 10:15=499') ->> 'held', '1', 'a register that runs backwards is held for somebody to look at');
SELECT is(pg_temp.reading('2026-01-05 10:00=500', '2026-01-05 10:15=499') ->> 'total_kwh', '0', 'and nothing is billed for it');
SELECT is(pg_temp.reading('2026-01-05 10:00=500', '2026-01-05 10:15=0.5=512', '2026-01-05 10:30=1') ->> 'total_kwh', '0.5', 'a new meter begins at its own reading');
SELECT is(pg_temp.reading('2026-01-05 10:00=500', '2026-01-05 13:00=503') ->> 'quality', 'actual', 'three hours within the peak are exact with two readings');
SELECT is(pg_temp.reading('2026-01-05 21:00=500', '2026-01-06 00:00=503') ->> 'quality', 'estimated', 'three hours of which one is peak are a guess, and called so');
SELECT is(pg_temp.reading('2026-01-05 21:00=500', '2026-01-06 00:00=503') -> 'import_kwh', '{"peak": 1, "valley": 2}', 'the guess is by time: one hour and two');

-- ---------------------------------------------------------------- a reading by hand

SELECT is(elecbill.rate_total(pg_temp.tou('Asia/Shanghai'), elecbill.usage_from(pg_temp.tou('Asia/Shanghai'), '{"import_kwh": {"peak": 100, "valley": 50}}')), 90.00,
	'100 kWh peak and 50 valley: 70 + 20');
SELECT throws_ok($$SELECT elecbill.rate_total(t, elecbill.usage_from(t, '{"import_kwh": 150}')) FROM pg_temp.tou('Asia/Shanghai') AS t$$, 'UB404', 'the tariff needs a channel by period',
	'150 kWh cannot be billed by time of day when nobody knows the time');
SELECT is(elecbill.usage_from(pg_temp.yearly(), '{"during": ["2025-12-22", "2026-01-11"], "import_kwh": 40}')::jsonb ->> 'quality', 'estimated',
	'40 kWh over the turn of a tier year are shared by days, and called an estimate');
SELECT is(elecbill.usage_from(pg_temp.flat(), '{"during": ["2026-01-22", "2026-02-11"], "import_kwh": 40}')::jsonb ->> 'quality', 'actual',
	'at one price it does not matter on which days they were used: nothing is estimated');
SELECT is((SELECT elecbill.register_usage(pg_temp.flat(), at, wh, 100000000, 0)::jsonb ->> 'quality' FROM (VALUES ('2026-01-15 00:00+08'::timestamptz, 500000), ('2026-02-15 00:00+08', 900000)) AS v(at, wh)),
	'actual', 'read by hand on the fifteenth of two months, billed at one price: the two readings are all it takes');
SELECT is((SELECT elecbill.register_usage(pg_temp.yearly(), at, wh, 100000000, 0)::jsonb ->> 'quality' FROM (VALUES ('2025-12-15 00:00+08'::timestamptz, 500000), ('2026-01-15 00:00+08', 900000)) AS v(at, wh)),
	'estimated', 'the same over the turn of a tier year says that it is an estimate');

-- ---------------------------------------------------------------- power, and who pays for it

CREATE FUNCTION pg_temp.shop() RETURNS elecbill.tariff LANGUAGE sql STABLE RETURN
	'{"elecbill": 1, "currency": "CNY", "zone": "Asia/Shanghai", "schedules": {"tou": [{"period": "peak", "spans": [["08:00", "22:00"]]}, {"period": "valley"}]},
	"demands": {"quarter": {"window": 15}, "slides": {"window": 30, "slide": 15}, "day time": {"window": 15, "schedule": "tou", "period": ["peak"]}, "kva": {"quantity": "import_kva", "window": 60},
		"norway": {"window": 60, "agg": "top_mean", "n": 3, "distinct": "day"}},
	"components": [{"code": "energy", "kind": "energy", "price": {"period": {"peak": 0.7, "valley": 0.4}}}, {"code": "a", "kind": "demand", "demand": "quarter", "price": 30}, {"code": "b", "kind": "demand", "demand": "slides", "price": 1},
		{"code": "c", "kind": "demand", "demand": "day time", "price": 1}, {"code": "d", "kind": "demand", "demand": "kva", "price": 1}, {"code": "e", "kind": "demand", "demand": "norway", "price": 1}]}'::elecbill.tariff;
CREATE FUNCTION pg_temp.highest(demand text, VARIADIC quarters text[]) RETURNS numeric LANGUAGE sql STABLE RETURN (
	SELECT (elecbill.usage(pg_temp.shop(), (split_part(q, '=', 1) || '+08')::timestamptz, (split_part(q, '=', 2)::numeric * 1000)::bigint, '15 min')::jsonb #>> ARRAY['max_kw', demand])::numeric FROM unnest(quarters) AS q);

SELECT is(pg_temp.highest('quarter', '2026-01-05 07:45=2.5', '2026-01-05 08:00=2', '2026-01-05 08:15=1'), 10::numeric, '2.5 kWh in a quarter of an hour are 10 kW');
SELECT is(pg_temp.highest('day time', '2026-01-05 07:45=2.5', '2026-01-05 08:00=2', '2026-01-05 08:15=1'), 8::numeric, 'a peak before eight does not count for the demand of the day');
SELECT is(pg_temp.highest('slides', '2026-01-05 07:45=2.5', '2026-01-05 08:00=2', '2026-01-05 08:15=1'), 9::numeric, 'half an hour that slides begins at 07:45: 4.5 kWh are 9 kW');
SELECT is(pg_temp.highest('slides', '2026-01-05 23:45=2.5', '2026-01-06 00:00=2'), 9::numeric, 'it slides over midnight, too');
SELECT is(pg_temp.highest('slides', '2026-01-05 07:45=2.5', '2026-01-05 08:15=2'), NULL, 'of half an hour that was measured by half nobody knows the power');
SELECT is((elecbill.usage(pg_temp.shop(), '2026-01-05 08:00+08', wh, '1 hour', channel)::jsonb #>> '{max_kw,kva}')::numeric, 5::numeric, '3 kWh and 4 kvarh in an hour are 5 kVA')
FROM (VALUES (3000, 'import'), (4000, 'import_kvarh')) AS v(wh, channel);
SELECT is((SELECT array_agg(p -> 'kw') FROM jsonb_array_elements(u #> '{peaks,norway}') AS p), '{8.1,7.4,6.9}'::jsonb[], 'the three highest hours on three different days')
FROM (SELECT elecbill.usage(pg_temp.shop(), at, wh, '1 hour')::jsonb FROM (VALUES ('2026-01-05 08:00+08'::timestamptz, 8100), ('2026-01-05 09:00+08', 8000), ('2026-01-07 18:00+08', 6900), ('2026-01-09 17:00+08', 7400), ('2026-01-11 17:00+08', 2000)) AS v(at, wh)) AS q(u);

-- ---------------------------------------------------------------- the roof that feeds in, at the price of the hour

CREATE FUNCTION pg_temp.roof() RETURNS elecbill.tariff LANGUAGE sql STABLE RETURN
	'{"elecbill": 1, "currency": "EUR", "zone": "Europe/Berlin", "series": {"spot": [["2026-07-01T10:00:00Z", 0.08], ["2026-07-01T10:30:00Z", -0.02]], "own": "usage"},
	"components": [{"code": "energy", "kind": "energy", "price": {"add": [{"series": "own"}, 0.2]}}, {"code": "sold", "kind": "credit", "price": {"series": "spot"}}]}'::elecbill.tariff;
SELECT is((SELECT elecbill.rate_total(pg_temp.roof(), elecbill.usage(pg_temp.roof(), at, wh, '1 hour', channel, price))
	FROM (VALUES ('2026-07-01 10:00Z'::timestamptz, 1000, 'import', 0.1), ('2026-07-01 11:00Z', 2000, 'import', 0.05), ('2026-07-01 10:00Z', 40000, 'export', NULL)) AS v(at, wh, channel, price)),
	-0.40, '0.30 for one kWh and 0.50 for two are 0.80, less 20 kWh sold at 8 cents, and 20 kWh for which one pays 2 cents');
SELECT throws_ok($$SELECT elecbill.usage(pg_temp.roof(), '2026-07-01 09:45Z'::timestamptz, 1000, '1 hour', 'export', 0)$$, 'UB404', 'price of an interval is not known', 'before the first price there is none: not zero, an error');
SELECT throws_ok($$SELECT elecbill.usage(pg_temp.roof(), '2026-07-01 10:00Z'::timestamptz, 1000, '1 hour')$$, 'UB404', 'price of an interval is not known', 'an hour at its own price has to come with it');
SELECT throws_ok($$SELECT elecbill.usage(pg_temp.flat(), '2026-07-01 10:00Z'::timestamptz, -1, '1 hour', 'export')$$, 'UB400', 'energy of an interval must not be negative', 'what is fed in is export, not less import');

-- ---------------------------------------------------------------- which tariff would have been cheaper

SELECT is((SELECT elecbill.compare(ARRAY[pg_temp.tou('Asia/Shanghai'), pg_temp.flat()], at, 1000, '1 hour') FROM generate_series('2026-01-05 00:00+08'::timestamptz, '2026-01-05 23:00+08', '1 hour') AS at),
	'{13.80,12.00}'::numeric[], 'a day of 1 kW: 14 x 0.7 + 10 x 0.4, or 24 x 0.5');
SELECT is((elecbill.max_demand(at, kwh, '15 min', '15 min')).kw, 10::numeric, 'the highest quarter of an hour needs no tariff') FROM (VALUES ('2026-01-05 08:00Z'::timestamptz, 2.5), ('2026-01-05 09:00Z', 1)) AS v(at, kwh);

SELECT * FROM finish();
