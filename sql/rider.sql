-- rider: riders, price series, and tariffs that change inside the days they are asked for
SET client_min_messages = warning;
\set SHOW_CONTEXT never
\set VERBOSITY terse
SET timezone = 'UTC';
SET datestyle = 'ISO';
CALL elecbill.create_schema();
SELECT elecbill.org_create('ONE', 'First house');
SET search_path = elecbill, public;
CREATE FUNCTION pg_temp.flat(price jsonb, rest jsonb DEFAULT '{}') RETURNS jsonb LANGUAGE sql
RETURN '{"elecbill": 1, "currency": "CNY", "zone": "Asia/Shanghai"}'::jsonb || rest
	|| jsonb_build_object('components', jsonb_build_array(jsonb_build_object('code', 'energy', 'kind', 'energy', 'price', price)));
-- the lines of 10 kWh a day over some days
CREATE FUNCTION pg_temp.bill(plan text, days daterange, known_at timestamptz DEFAULT elecbill.now())
RETURNS SETOF text LANGUAGE sql AS $$
	SELECT concat_ws(' ', l.version, l.code, l.quantity, 'x', l.price, '=', l.amount)
	FROM tariff_for(plan, days, known_at) AS t,
		rate(t, usage_from(t, jsonb_build_object('during', jsonb_build_array(lower(days), upper(days)),
			'import_kwh', 10 * (upper(days) - lower(days))))) AS l ORDER BY l.n
$$;

-- a tariff, and a levy that others carry, too
SELECT tariff_draft('HOME', '[2025-01-01,)', pg_temp.flat('0.5'), 'ann');
SELECT tariff_approve('HOME', 1, 'bob');
SELECT rider_draft('LEVY', '[2025-01-01,)', '{"components": [{"code": "levy", "kind": "percent", "percent": 10, "base": ["energy"]}]}', 'ann');
SELECT tariff_approve('LEVY', 1, 'bob');
SELECT * FROM pg_temp.bill('HOME', '[2025-01-01,2025-02-01)');
SELECT rider_set('HOME', 'LEVY', '[2025-01-11,)');
SELECT rider_set('HOME', 'LEVY', '[2025-01-11,)');
SELECT count(*) FROM tariff_rider;
SELECT * FROM pg_temp.bill('HOME', '[2025-01-01,2025-02-01)');
SELECT c.part FROM jsonb_array_elements(tariff_for('HOME', '[2025-02-01,2025-03-01)')::jsonb -> 'components') AS c(part);
-- a new version of the rider alone; then one of the tariff
SELECT rider_draft('LEVY', '[2025-01-21,)', '{"components": [{"code": "levy", "kind": "percent", "percent": 20, "base": ["energy"]}]}', 'ann');
SELECT tariff_approve('LEVY', 2, 'bob');
SELECT tariff_draft('HOME', '[2025-01-26,)', pg_temp.flat('0.6'), 'ann');
SELECT tariff_approve('HOME', 2, 'bob');
SELECT * FROM pg_temp.bill('HOME', '[2025-01-01,2025-02-01)');
SELECT v.part ->> 'version' AS version, v.part -> 'valid' AS valid
FROM jsonb_array_elements(tariff_for('HOME', '[2025-01-01,2025-02-01)')::jsonb -> 'versions') AS v(part);
SELECT rider_end('HOME', 'LEVY', '2025-01-26');
SELECT * FROM pg_temp.bill('HOME', '[2025-01-25,2025-01-28)');

-- what cannot be a rider, or not here
SELECT rider_draft('BAD', '[2025-01-01,)', pg_temp.flat('0.5'), 'ann');
SELECT rider_draft('BAD', '[2025-01-01,)', '{"components": {}}', 'ann');
SELECT rider_draft('BAD', '[2025-01-01,)', '{"components": [{"code": "x", "kind": "energy", "cost": 1}]}', 'ann');
SELECT rider_draft('TWIN', '[2025-01-01,)', '{"components": [{"code": "energy", "kind": "energy", "price": 1}]}', 'ann');
SELECT tariff_approve('TWIN', 1, 'bob');
SELECT rider_set('HOME', 'TWIN', '[2025-01-01,)');
SELECT rider_draft('LOST', '[2025-01-01,)', '{"components": [{"code": "lost", "kind": "percent", "percent": 1, "base": ["nothing"]}]}', 'ann');
SELECT tariff_approve('LOST', 1, 'bob');
SELECT rider_set('HOME', 'LOST', '[2025-01-01,)');
SELECT rider_set('HOME', 'TWIN', '[2024-01-01,2024-02-01)');
SELECT rider_set('LEVY', 'TWIN', '[2025-01-01,)');
SELECT rider_set('HOME', 'HOME', '[2025-01-01,)');
SELECT rider_set('HOME', 'LEVY', NULL);
SELECT rider_end('HOME', 'LOST', '2025-01-01');
SELECT rider_set('HOME', 'NONE', '[2025-01-01,)');
UPDATE tariff_rider SET valid = '[2020-01-01,)';
DELETE FROM tariff_rider;
TRUNCATE tariff_rider;
SELECT tariff_for('LEVY', '[2025-01-01,2025-01-02)');

-- a purchase price by month, known late, corrected later
SELECT price_series_create('ONE', 'PURCHASE', 'bill_month');
SELECT price_series_create('ONE', 'PURCHASE', 'bill_month');
SELECT price_series_create('ONE', 'PURCHASE');
SELECT tariff_draft('SHOP', '[2025-01-01,)', pg_temp.flat('{"mul": [{"series": "buy"}, 1.5], "round": {"step": 0.0001}}',
	'{"series": {"buy": "PURCHASE"}}'), 'ann');
SELECT tariff_approve('SHOP', 1, 'bob');
SELECT * FROM pg_temp.bill('SHOP', '[2025-01-01,2025-02-01)');
SELECT price_set('PURCHASE', daterange '[2025-01-01,2025-02-01)', 0.41, 'ann');
SELECT price_set('PURCHASE', daterange '[2025-02-01,2025-03-01)', 0.45, 'ann');
SELECT * FROM pg_temp.bill('SHOP', '[2025-01-01,2025-02-01)');
-- named after the month of its last day
SELECT * FROM pg_temp.bill('SHOP', '[2025-01-26,2025-02-26)');
SELECT pg_sleep(0.01);
SELECT elecbill.now() AS published \gset
SELECT price_set('ONE/PURCHASE', daterange '[2025-01-01,2025-02-01)', 0.42, 'ann');
SELECT * FROM pg_temp.bill('SHOP', '[2025-01-01,2025-02-01)');
SELECT * FROM pg_temp.bill('SHOP', '[2025-01-01,2025-02-01)', :'published');
-- a correction of a part of the time leaves the rest
SELECT price_series_create('ONE', 'SPOT');
SELECT price_set('SPOT', tstzrange '[2025-01-01 00:00+08,2025-01-02 00:00+08)', 0.3, 'ann');
SELECT price_set('SPOT', tstzrange '[2025-01-01 08:00+08,2025-01-01 09:00+08)', 0.9, 'ann');
SELECT during, price FROM price_point WHERE upper_inf(known) AND price IN (0.3, 0.9) ORDER BY during;
SELECT tariff_draft('EV', '[2025-01-01,)', pg_temp.flat('{"series": "spot"}', '{"series": {"spot": "SPOT"}}'), 'ann');
SELECT tariff_approve('EV', 1, 'bob');
-- 23 hours at 0.3, one at 0.9
SELECT l.quantity, l.price, l.amount_raw, l.amount
FROM tariff_for('EV', '[2025-01-01,2025-01-02)') AS t, LATERAL (
	SELECT usage(t, tstzrange(at, at + interval '1 hour'), 1) AS u
	FROM generate_series(timestamptz '2025-01-01 00:00+08', '2025-01-01 23:00+08', '1 hour') AS at) AS u, rate(t, u.u) AS l;
SELECT tariff_for('EV', '[2025-01-01,2025-01-03)');
SELECT price_set('SPOT', daterange '(,2025-01-03)', 1, 'ann');
SELECT price_set('SPOT', daterange '[2025-01-02,2025-01-03)', 0.1234567891, 'ann');
SELECT price_set('SPOT', daterange '[2025-01-02,2025-01-03)', 1, NULL);
SELECT price_set('NONE', daterange '[2025-01-02,2025-01-03)', 1, 'ann');
UPDATE price_point SET price = 1;
DELETE FROM price_point;
TRUNCATE price_point;
SELECT tariff_draft('EV', '[2026-01-01,)', pg_temp.flat('{"series": "spot"}', '{"series": {"spot": "NONE"}}'), 'ann');
SELECT tariff_approve('EV', 2, 'bob');
SELECT tariff_for('EV', '[2026-01-01,2026-01-02)');
-- within one transaction the last word counts, and what it replaces was never known
BEGIN;
SELECT price_set('SPOT', daterange '[2025-02-01,)', 1, 'ann');
SELECT price_set('SPOT', daterange '[2025-03-01,)', 2, 'ann');
SELECT price_set('SPOT', daterange '[2025-03-01,)', 3, 'ann');
COMMIT;
SELECT lower(during) AT TIME ZONE 'Asia/Shanghai' AS since, price, isempty(known) AS never FROM price_point WHERE price IN (1, 2, 3) ORDER BY id;
-- nobody empties what was known, and only whole seconds and numbers are prices
UPDATE price_point SET known = 'empty' WHERE price = 3;
UPDATE tariff_rider SET known = 'empty';
UPDATE tariff_version SET known = 'empty', status = 'retired';
SELECT price_set('SPOT', daterange '[2025-02-01,)', 'NaN', 'ann');
SELECT price_set('SPOT', daterange '[2025-02-01,)', 1000000000, 'ann');
SELECT price_set('SPOT', tstzrange '[2025-02-01 00:00:00.5+08,)', 1, 'ann');
SELECT price_set('SPOT', tstzrange '[2025-02-01 00:00+08,2025-02-02 00:00+08]', 1, 'ann');

-- a rider comes, goes and comes again; days on which it was there stay, its number is that of the days
SELECT tariff_draft('YARD', '[2025-01-01,)', pg_temp.flat('0.5'), 'ann');
SELECT tariff_approve('YARD', 1, 'bob');
BEGIN;
SELECT rider_set('YARD', 'LEVY', '[2025-02-01,)');
SELECT rider_end('YARD', 'LEVY', '2025-06-01');
SELECT rider_set('YARD', 'LEVY', '[2026-01-01,)');
COMMIT;
SELECT rider_set('YARD', 'LEVY', '[2025-05-01,2025-06-01)', 2);
SELECT rider_set('YARD', 'LEVY', '[2025-03-01,2025-04-01)');
SELECT rider_set('YARD', 'LEVY', '[2025-12-01,2026-01-01)');
CREATE VIEW pg_temp.yard AS SELECT r.valid, r.n FROM tariff_rider r JOIN tariff_plan p ON p.id = r.tariff_plan_id
WHERE p.code = 'YARD' AND upper_inf(r.known) ORDER BY r.valid;
SELECT * FROM pg_temp.yard;
SELECT rider_end('YARD', 'LEVY', NULL);
SELECT rider_end('YARD', 'LEVY', '2025-05-15');
SELECT * FROM pg_temp.yard;
SELECT rider_end('YARD', 'LEVY', '2025-05-15');
-- what does not fit is found on whatever day it happens, also when a rider goes that another one needs
SELECT rider_set('YARD', 'TWIN', '[2025-09-01,)');
SELECT rider_draft('VAT', '[2025-01-01,)', '{"components": [{"code": "vat", "kind": "percent", "percent": 13, "base": ["levy"]}]}', 'ann');
SELECT tariff_approve('VAT', 1, 'bob');
SELECT rider_set('YARD', 'VAT', '[2025-03-01,2025-04-01)', 2);
SELECT rider_set('YARD', 'VAT', '[2025-03-01,2025-07-01)', 2);
SELECT rider_end('YARD', 'LEVY', '2025-03-01');
-- a rider brings seasons, a schedule and a series of its own
SELECT rider_draft('GREEN', '[2025-01-01,)', '{"seasons": {"hot": [["07-01", "09-01"]]}, "series": {"ets": "PURCHASE"},
	"schedules": {"days": [{"period": "off", "days": ["holiday"]}, {"period": "on"}]}, "components": [
	{"code": "green", "kind": "energy", "schedule": "days", "price": {"season": {"hot": 0.2, "*": 0.1}}},
	{"code": "ets", "kind": "energy", "price": {"series": "ets"}}]}', 'ann');
SELECT tariff_approve('GREEN', 1, 'bob');
SELECT rider_set('YARD', 'GREEN', '[2025-01-01,)', 3);
SELECT * FROM pg_temp.bill('YARD', '[2025-01-01,2025-02-01)');
-- versions that go by other codes are one plan; other tier years do not share a bill
SELECT tariff_draft('CODES', '[2025-01-01,)', pg_temp.flat('0.5', '{"code": "n-2024"}'), 'ann');
SELECT tariff_approve('CODES', 1, 'bob');
SELECT tariff_draft('CODES', '[2025-01-16,)', pg_temp.flat('0.6', '{"code": "n-2025"}'), 'ann');
SELECT tariff_approve('CODES', 2, 'bob');
SELECT * FROM pg_temp.bill('CODES', '[2025-01-01,2025-02-01)');
SELECT tariff_draft('CODES', '[2025-02-16,)', pg_temp.flat('0.6', '{"year_start": "12-01"}'), 'ann');
SELECT tariff_approve('CODES', 3, 'bob');
SELECT tariff_for('CODES', '[2025-02-01,2025-03-01)');
SELECT tariff_for('CODES', '[2025-03-01,2025-04-01)') IS NOT NULL AS alone;
SELECT tariff_for('CODES', '[2025-03-01,)');
SELECT tariff_for('CODES', '[2025-03-01,2025-04-01)', NULL);
-- versions are rows here, not a key
SELECT tariff_draft('VV', '[2025-01-01,)', tariff_for('HOME', '[2025-01-01,2025-02-01)')::jsonb, 'ann');
-- the rest of what can be wrong
SELECT price_series_create('ONE', 'ODD', 'weekday');
SELECT rider_draft('NAMES', '[2025-01-01,)', '{"values": {"rate": 2}, "components": [{"code": "named", "kind": "energy", "price": {"ref": "rate"}}]}', 'ann');
SELECT tariff_approve('NAMES', 1, 'bob');
SELECT tariff_draft('NAMED', '[2025-01-01,)', pg_temp.flat('{"ref": "rate"}', '{"values": {"rate": 1}}'), 'ann');
SELECT tariff_approve('NAMED', 1, 'bob');
SELECT rider_set('NAMED', 'NAMES', '[2025-01-01,)');
SELECT rider_draft('LATE', '[2025-06-01,)', '{"components": [{"code": "late", "kind": "percent", "percent": 1}]}', 'ann');
SELECT tariff_approve('LATE', 1, 'bob');
SELECT rider_set('NAMED', 'LATE', '[2025-01-01,)');
SELECT rider_set('NAMED', 'LATE', '[2025-06-01,)');
SELECT org_create('TWO', 'Second house');
SELECT price_series_create('TWO', 'SPOT');
SELECT price_set('SPOT', daterange '[2025-01-02,2025-01-03)', 1, 'ann');
