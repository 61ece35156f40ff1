-- version: a tariff that changes inside a bill, as one value
SET search_path = elecbill, public;
SET timezone = 'UTC';
SET datestyle = 'ISO';
\set VERBOSITY terse
CREATE FUNCTION pg_temp.two(first jsonb, second jsonb, change date) RETURNS jsonb LANGUAGE sql
RETURN jsonb_build_object('elecbill', 1, 'versions', jsonb_build_array(
	jsonb_build_object('version', 1, 'valid', jsonb_build_array('2025-01-01', change), 'tariff', first),
	jsonb_build_object('version', 2, 'valid', jsonb_build_array(change, '2026-01-01'), 'tariff', second)));
CREATE FUNCTION pg_temp.head(components jsonb, rest jsonb DEFAULT '{}') RETURNS jsonb LANGUAGE sql
RETURN '{"elecbill": 1, "currency": "CNY", "zone": "Asia/Shanghai"}'::jsonb || rest || jsonb_build_object('components', components);
-- an hour of each day costs the same, more by evening; a different sum every day
CREATE TABLE load AS
SELECT at, (1 + extract(hour FROM at)::integer % 5 + extract(day FROM at)::integer * 0.1)::numeric AS kwh
FROM generate_series(timestamptz '2025-01-01 00:00+08', '2025-12-31 23:00+08', '1 hour') AS at;
CREATE FUNCTION pg_temp.lines(t tariff, days daterange, ctx jsonb DEFAULT '{}') RETURNS SETOF rate_line LANGUAGE sql AS $$
	SELECT r.* FROM (SELECT usage(t, tstzrange(at, at + interval '1 hour'), kwh) AS u FROM load
		WHERE at >= lower(days)::timestamp AT TIME ZONE 'Asia/Shanghai' AND at < upper(days)::timestamp AT TIME ZONE 'Asia/Shanghai') AS s,
		rate(t, s.u, ctx) AS r $$;

-- 100 kWh before at 0.50 and 250 after at 0.56: 50.00 + 140.00
SELECT r.version, r.code, r.quantity, r.price, r.amount
FROM (SELECT pg_temp.two(pg_temp.head('[{"code": "e", "kind": "energy", "price": 0.5}]'),
		pg_temp.head('[{"code": "e", "kind": "energy", "price": 0.56}]'), '2025-06-11')::tariff AS t) AS x,
	rate(t, usage_from(t, '{"during": ["2025-06-01", "2025-07-01"],
		"parts": [{"from": "2025-06-05", "import_kwh": 100}, {"from": "2025-06-20", "import_kwh": 250}]}')) AS r;

-- cut in two equal versions, a bill stays what it was: energy by period, tiers of every scope that
-- count on, charges by days and months, demand by days, percentages, minimum, rounding of the total
CREATE TABLE plain (name text, tariff jsonb);
INSERT INTO plain
SELECT k.name, pg_temp.head(k.components, k.rest || '{"round": {"line": null}}'::jsonb)
FROM (VALUES
	('periods', '[{"code": "e", "kind": "energy", "price": {"period": {"day": 0.7, "night": 0.4}}}]'::jsonb,
		'{"schedules": {"tou": [{"period": "day", "spans": [["08:00", "22:00"]]}, {"period": "night"}]}}'::jsonb),
	('year tiers', '[{"code": "e", "kind": "energy", "tier": {"scope": "year", "steps": [{"up_to": 9000, "price": 0.5}, {"up_to": 12000, "price": 0.6}, {"price": 0.8}]}}]', '{}'),
	('month tiers', '[{"code": "e", "kind": "energy", "tier": {"scope": "month", "split": "continue", "steps": [{"up_to": 900, "price": 0.5}, {"up_to": 2000, "price": 0.6}, {"price": 0.8}]}}]', '{}'),
	('tiers by period', '[{"code": "e", "kind": "energy", "tier": {"scope": "month", "split": "continue", "order": "per_period", "steps": [{"up_to": 900, "price": {"period": {"day": 0.5, "night": 0.3}}}, {"price": 0.8}]}}]',
		'{"schedules": {"tou": [{"period": "day", "spans": [["08:00", "22:00"]]}, {"period": "night"}]}}'),
	('tiers in time order', '[{"code": "e", "kind": "energy", "tier": {"scope": "month", "split": "continue", "order": "time", "steps": [{"up_to": 900, "price": {"period": {"day": 0.5, "night": 0.3}}}, {"price": {"period": {"day": 0.9, "night": 0.8}}}]}}]',
		'{"schedules": {"tou": [{"period": "day", "spans": [["08:00", "22:00"]]}, {"period": "night"}]}}'),
	('seasons', '[{"code": "e", "kind": "energy", "price": {"season": {"cold": 0.5, "*": 0.4}}}]', '{"seasons": {"cold": [["11-15", "03-16"]]}}'),
	('charges', '[{"code": "m", "kind": "fixed", "price": 30, "per": "month"}, {"code": "d", "kind": "fixed", "price": 1, "per": "day"}, {"code": "b", "kind": "fixed", "price": 9}]', '{}'),
	('demand', '[{"code": "kw", "kind": "demand", "demand": "top", "price": 31}]', '{"demands": {"top": {"window": 60, "per": "month"}}}'),
	('percent', '[{"code": "e", "kind": "energy", "price": 0.5}, {"code": "p", "kind": "percent", "percent": 13}]', '{}'),
	('condition', '[{"code": "e", "kind": "energy", "price": 0.5, "factor_if": [{"if": {"qty": {"import_kwh": {"gt": 3000}}}, "factor": 0.9}]}]', '{}'),
	('minimum', '[{"code": "e", "kind": "energy", "price": 0.5}, {"code": "least", "kind": "minimum", "amount": 9999}]', '{}'),
	('total', '[{"code": "e", "kind": "energy", "price": 0.123457}]', '{"round": {"line": null, "total": {"step": 1, "mode": "floor"}}}')
) AS k(name, components, rest);
UPDATE plain SET tariff = jsonb_set(tariff, '{round,total}', '{"step": 1, "mode": "floor"}') WHERE name = 'total';
SELECT name, days, change, round(a.total, 9) AS whole, round(b.total, 9) AS in_two
FROM plain,
	(VALUES (daterange '[2025-03-01,2025-04-01)', date '2025-03-10'), ('[2025-03-01,2025-05-01)', '2025-04-01'),
		('[2025-02-10,2025-04-10)', '2025-03-16')) AS v(days, change),
	LATERAL (SELECT sum(l.amount) AS total FROM pg_temp.lines(tariff::tariff, days, '{"before": {"year": 8000}}') AS l) AS a,
	LATERAL (SELECT sum(l.amount) AS total FROM pg_temp.lines(pg_temp.two(tariff, tariff, change)::tariff, days, '{"before": {"year": 8000}}') AS l) AS b
WHERE round(a.total, 9) <> round(b.total, 9) OR a.total IS NULL;
SELECT name, count(*) FILTER (WHERE l.version = 1) AS first, count(*) FILTER (WHERE l.version = 2) AS second, round(sum(l.amount), 2) AS total
FROM plain, pg_temp.lines(pg_temp.two(tariff, tariff, '2025-03-10')::tariff, '[2025-03-01,2025-04-01)') AS l GROUP BY name ORDER BY name;

-- bounds by days: 10 of 30 days have a third of 300 kWh
SELECT r.version, r.tier, r.quantity, r.price, r.amount
FROM (SELECT pg_temp.head('[{"code": "e", "kind": "energy", "tier": {"steps": [{"up_to": 300, "price": 0.5}, {"price": 1}]}}]') AS d) AS x,
	LATERAL (SELECT pg_temp.two(d, d, '2025-06-11')::tariff AS t) AS y,
	rate(t, usage_from(t, '{"during": ["2025-06-01", "2025-07-01"], "import_kwh": 360}')) AS r;

-- a yearly counter goes on where periods begin: 900 kWh before, then 100 + 100; one that counts a
-- period goes by the schedule of that name, though another has a period called alike
CREATE FUNCTION pg_temp.bill(t jsonb, usage jsonb) RETURNS TABLE (code text, grp text, period text, tier integer, quantity numeric, price numeric, factor numeric, amount numeric, version integer)
LANGUAGE sql AS $$ SELECT r.code, r.grp, r.period, r.tier, r.quantity, r.price, r.factor, r.amount, r.version FROM (SELECT t::tariff AS t) AS x, rate(x.t, usage_from(x.t, usage)) AS r $$;
SELECT b.* FROM pg_temp.bill(pg_temp.two(
	pg_temp.head('[{"code": "e", "kind": "energy", "tier": {"scope": "year", "steps": [{"up_to": 1000, "price": 0.5}, {"price": 0.8}]}}]'),
	pg_temp.head('[{"code": "e", "kind": "energy", "price": {"period": {"day": 0.6, "night": 0.3}}, "tier": {"scope": "year", "mode": "adder", "steps": [{"up_to": 1000, "price": 0}, {"price": 0.3}]}}]',
		'{"schedules": {"tou": [{"period": "day", "spans": [["08:00", "22:00"]]}, {"period": "night"}]}}'), '2025-06-16'),
	'{"during": ["2025-06-01", "2025-07-01"], "parts": [{"from": "2025-06-05", "import_kwh": 900}, {"from": "2025-06-20", "import_kwh": {"day": 100, "night": 100}}]}') AS b;
SELECT b.* FROM (SELECT pg_temp.head('[{"code": "e", "kind": "energy", "schedule": "b", "period": ["peak"], "tier": {"scope": "year", "steps": [{"up_to": 100, "price": 0.5}, {"price": 0.8}]}}]',
	'{"schedules": {"a": [{"period": "peak", "spans": [["08:00", "22:00"]]}, {"period": "off"}], "b": [{"period": "peak", "spans": [["17:00", "20:00"]]}, {"period": "off"}]}}') AS d) AS x,
	pg_temp.bill(pg_temp.two(d, d, '2025-06-16'), '{"during": ["2025-06-01", "2025-07-01"], "parts": [{"from": "2025-06-05", "import_kwh": {"a": {"peak": 200, "off": 10}, "b": {"peak": 20, "off": 190}}},
		{"from": "2025-06-20", "import_kwh": {"a": {"peak": 30, "off": 10}, "b": {"peak": 30, "off": 10}}}]}') AS b;
-- conditions of each version see the whole bill with the losses of all: 2 x 110 kWh are 220
SELECT b.* FROM (SELECT pg_temp.head('[{"code": "e", "kind": "energy", "price": 1, "factor_if": [{"if": {"qty": {"import_kwh": {"ge": 220}}}, "factor": 0.5}]}]', '{"losses": [{"code": "l", "kind": "percent", "percent": 10}]}') AS d) AS x,
	pg_temp.bill(pg_temp.two(d, d, '2025-06-16'), '{"during": ["2025-06-01", "2025-07-01"], "parts": [{"from": "2025-06-05", "import_kwh": 100}, {"from": "2025-06-20", "import_kwh": 100}]}') AS b;
-- ... and energy in order of time has them, too
CREATE TEMP VIEW hour AS SELECT at FROM generate_series(timestamptz '2025-06-15 00:00+08', timestamptz '2025-06-16 23:00+08', '1 hour') AS at;
SELECT (SELECT rate_total(one, (SELECT usage(one, tstzrange(at, at + interval '1 hour'), 1) FROM hour))) AS whole, (SELECT rate_total(two, (SELECT usage(two, tstzrange(at, at + interval '1 hour'), 1) FROM hour))) AS in_two
FROM (SELECT d::tariff AS one, pg_temp.two(d, d, '2025-06-16')::tariff AS two FROM (SELECT jsonb_set(tariff, '{components,0,tier,steps,0,up_to}', '9') || '{"losses": [{"code": "l", "kind": "percent", "percent": 10}]}' AS d FROM plain WHERE name = 'tiers in time order') AS p) AS t;
-- a bill inside one version may have what cannot be cut
SELECT b.* FROM (SELECT pg_temp.head('[{"code": "e", "kind": "energy", "price": 1, "vat": 10}, {"code": "least", "kind": "minimum", "amount": 0, "amount_incl": 70}]', '{"net": {"mode": "offset_kwh"}}') AS d) AS x,
	pg_temp.bill(pg_temp.two(d, d, '2025-06-16'), '{"during": ["2025-07-01", "2025-08-01"], "import_kwh": 100, "export_kwh": 40}') AS b;

-- a fingerprint is that of all versions; dates are needed
\set ON_ERROR_STOP 0
SELECT rate_total(pg_temp.two(a.tariff, a.tariff, '2025-06-11')::tariff, usage_from(a.tariff::tariff, '{"import_kwh": 1, "during": ["2025-06-01", "2025-07-01"]}')) FROM plain a WHERE name = 'percent';
SELECT usage_from(pg_temp.two(tariff, tariff, '2025-06-11')::tariff, '{"import_kwh": 1}') FROM plain WHERE name = 'percent';
SELECT rate_total(t, usage_from(t, '{"import_kwh": 1, "during": ["2025-12-01", "2026-02-01"]}'))
FROM (SELECT pg_temp.two(tariff, tariff, '2025-06-11')::tariff AS t FROM plain WHERE name = 'percent') AS x;
SELECT rate_total(t, usage_from(t, '{"import_kwh": 1, "during": ["2025-06-01", "2025-07-01"]}'))
FROM (SELECT pg_temp.two(d, d, '2025-06-11')::tariff AS t FROM (SELECT pg_temp.head('[{"code": "e", "kind": "energy", "price": 1}]',
	'{"losses": [{"code": "iron", "kind": "constant", "kva": "attr:contract_kva", "factor": 0.01}]}') AS d) AS w) AS x;
SELECT rate_total(t, usage_from(t, '{"import_kwh": 1, "during": ["2025-06-01", "2025-07-01"]}'))
FROM (SELECT pg_temp.two(d, d, '2025-06-11')::tariff AS t FROM (SELECT pg_temp.head('[{"code": "e", "kind": "energy",
	"tier": {"scope": "month", "split": "start", "steps": [{"up_to": 1, "price": 1}, {"price": 2}]}}]') AS d) AS w) AS x;
-- what another version did not count, or what is a limit of all of it
SELECT b.* FROM pg_temp.bill(pg_temp.two(pg_temp.head('[{"code": "e", "kind": "energy", "price": 1}]'),
	pg_temp.head('[{"code": "e", "kind": "energy", "price": 1}, {"code": "pf", "kind": "power_factor", "base": ["e"], "table": "cn_0.90"}]'), '2025-06-16'),
	'{"during": ["2025-06-01", "2025-07-01"], "import_kwh": 200, "import_kvarh": 120}') AS b;
SELECT b.* FROM pg_temp.bill(pg_temp.two(pg_temp.head('[{"code": "e", "kind": "energy", "price": 1}]'),
	pg_temp.head('[{"code": "x", "kind": "credit", "tier": {"scope": "year", "steps": [{"up_to": 10, "price": 1}, {"price": 2}]}}]'), '2025-06-16'),
	'{"during": ["2025-06-01", "2025-07-01"], "import_kwh": 200, "export_kwh": 120}') AS b;
SELECT b.* FROM pg_temp.bill(pg_temp.two(pg_temp.head('[{"code": "e", "kind": "energy", "price": 1}]'),
	pg_temp.head('[{"code": "e", "kind": "energy", "period": ["day"], "tier": {"scope": "year", "steps": [{"up_to": 10, "price": 1}, {"price": 2}]}}]',
		'{"schedules": {"tou": [{"period": "day", "spans": [["08:00", "22:00"]]}, {"period": "night"}]}}'), '2025-06-16'),
	'{"during": ["2025-06-01", "2025-07-01"], "parts": [{"from": "2025-06-05", "import_kwh": 900}, {"from": "2025-06-20", "import_kwh": {"day": 100, "night": 100}}]}') AS b;
SELECT b.* FROM (SELECT pg_temp.head('[{"code": "e", "kind": "energy", "price": 1, "vat": 10}, {"code": "least", "kind": "minimum", "amount": 0, "amount_incl": 120}]') AS d) AS x,
	pg_temp.bill(pg_temp.two(d, d, '2025-06-16'), '{"during": ["2025-06-01", "2025-07-01"], "import_kwh": 160}') AS b;
SELECT message FROM (VALUES
	('gap', jsonb_set(pg_temp.two(pg_temp.head('[{"code": "e", "kind": "energy", "price": 1}]'), pg_temp.head('[{"code": "e", "kind": "energy", "price": 1}]'), '2025-06-11'), '{versions,1,valid,0}', '"2025-06-12"')),
	('currency', pg_temp.two(pg_temp.head('[{"code": "e", "kind": "energy", "price": 1}]'), pg_temp.head('[{"code": "e", "kind": "energy", "price": 1}]', '{"currency": "USD"}'), '2025-06-11')),
	('year', pg_temp.two(pg_temp.head('[{"code": "e", "kind": "energy", "price": 1}]'), pg_temp.head('[{"code": "e", "kind": "energy", "price": 1}]', '{"year_start": "12-01"}'), '2025-06-11')),
	('month', pg_temp.two(pg_temp.head('[{"code": "e", "kind": "energy", "price": 1}]', '{"month_day": 1}'), pg_temp.head('[{"code": "e", "kind": "energy", "price": 1}]', '{"month_day": 15}'), '2025-06-11')),
	('default', pg_temp.two(pg_temp.head('[{"code": "e", "kind": "energy", "price": 1}]', '{"month_day": 1, "year_start": "01-01"}'), pg_temp.head('[{"code": "e", "kind": "energy", "price": 1}]'), '2025-06-11')),
	('nested', pg_temp.two(pg_temp.head('[{"code": "e", "kind": "energy", "price": 1}]'), pg_temp.two(pg_temp.head('[{"code": "e", "kind": "energy", "price": 1}]'), pg_temp.head('[{"code": "e", "kind": "energy", "price": 1}]'), '2025-06-11'), '2025-06-11'))) AS v(name, tariff),
	tariff_lint(tariff) WHERE level = 'error';
-- days that `when` excludes do not count on, whatever version rated them; a part of another version must not have both kinds
WITH d AS (SELECT pg_temp.head('[{"code": "e", "kind": "energy", "when": {"not_days": ["weekend"]}, "tier": {"scope": "quarter", "steps": [{"up_to": 900, "price": 0.5}, {"price": 0.8}]}}]') AS d)
SELECT (SELECT sum(amount) FROM pg_temp.lines(d::tariff, '[2025-03-01,2025-04-01)')) AS whole,
	(SELECT sum(amount) FROM pg_temp.lines(pg_temp.two(d, d, '2025-03-10')::tariff, '[2025-03-01,2025-04-01)')) AS in_two FROM d;
SELECT l.* FROM pg_temp.lines(pg_temp.two(pg_temp.head('[{"code": "e", "kind": "energy", "price": 0.5}]'),
	pg_temp.head('[{"code": "e", "kind": "energy", "when": {"not_days": ["weekend"]}, "tier": {"scope": "quarter", "steps": [{"up_to": 900, "price": 0.5}, {"price": 0.8}]}}]'), '2025-03-10')::tariff,
	'[2025-03-01,2025-04-01)') AS l;
-- a scope that is split start or end: refused where a version ends in it, too; a change where it begins divides nothing
SELECT l.* FROM pg_temp.lines(pg_temp.two(
	pg_temp.head('[{"code": "e", "kind": "energy", "tier": {"scope": "month", "split": "end", "steps": [{"up_to": 900, "price": 0.5}, {"price": 0.8}]}}]'),
	pg_temp.head('[{"code": "e", "kind": "energy", "price": 0.5}]'), '2025-03-10')::tariff, '[2025-03-01,2025-04-01)') AS l;
WITH d AS (SELECT pg_temp.head('[{"code": "e", "kind": "energy", "tier": {"scope": "month", "split": "start", "steps": [{"up_to": 900, "price": 0.5}, {"price": 0.8}]}}]') AS d)
SELECT (SELECT sum(amount) FROM pg_temp.lines(d::tariff, '[2025-03-01,2025-05-01)')) AS whole,
	(SELECT sum(amount) FROM pg_temp.lines(pg_temp.two(d, d, '2025-04-01')::tariff, '[2025-03-01,2025-05-01)')) AS in_two FROM d;
-- the n highest of the whole bill: a version that kept fewer of them does not have them
CREATE FUNCTION pg_temp.kw(before jsonb, after jsonb) RETURNS SETOF record LANGUAGE sql AS $$
	SELECT r.version, r.quantity, r.amount FROM (SELECT pg_temp.two(
		pg_temp.head('[{"code": "e", "kind": "energy", "price": 0}]', jsonb_build_object('demands', jsonb_build_object('top', before))),
		pg_temp.head('[{"code": "kw", "kind": "demand", "demand": "top", "price": 30}]', jsonb_build_object('demands', jsonb_build_object('top', after))),
		'2025-06-16')::tariff AS t) AS x,
		rate(x.t, (SELECT usage(x.t, tstzrange(at, at + interval '1 hour'), kwh) FROM (SELECT at, CASE at WHEN '2025-06-15 10:00+08' THEN 8 WHEN '2025-06-15 11:00+08' THEN 5 WHEN '2025-06-17 10:00+08' THEN 2 ELSE 1 END AS kwh
			FROM generate_series(timestamptz '2025-06-15 00:00+08', timestamptz '2025-06-17 23:00+08', '1 hour') AS at) AS h)) AS r WHERE r.code = 'kw' $$;
SELECT * FROM pg_temp.kw('{"window": 60, "agg": "top_mean", "n": 3}', '{"window": 60, "agg": "top_mean", "n": 2}') AS r (version integer, kw numeric, amount numeric);
SELECT * FROM pg_temp.kw('{"window": 60, "agg": "top_mean", "n": 2}', '{"window": 60}') AS r (version integer, kw numeric, amount numeric);
SELECT * FROM pg_temp.kw('{"window": 60}', '{"window": 60, "agg": "top_mean", "n": 2}') AS r (version integer, kw numeric, amount numeric);
SELECT * FROM pg_temp.kw('{"window": 60, "agg": "top_mean", "n": 3, "distinct": "day"}', '{"window": 60, "agg": "top_mean", "n": 2}') AS r (version integer, kw numeric, amount numeric);
