-- vee_rest.sql: what vee_run() sees beside the use of a month: digits a meter does not have, homes that are estimated
-- for months, a meter that counts although its relay is open; and what last year says of a month nobody has read
\set ON_ERROR_STOP 1
SET client_min_messages = warning;
SELECT plan(16);
SET elecbill.clock_override = '2026-03-01 12:00:00+00';
SELECT elecbill.org_create('P', 'Property', 'UTC') \g /dev/null
INSERT INTO elecbill.tariff_plan (org_id, code) SELECT id, 'T' FROM elecbill.org;
SELECT elecbill.partition_maintain(15, '2025-01-01') \g /dev/null
SELECT is_empty($$SELECT message FROM elecbill.import_estate('P', convert_to(
E'room,account_no,name,kind,meter_no,model,last_reading,last_read_at,tariff,protocol,decimals\n'
	'R1,A1,H,residential,YEAR,X,1000,2025-01-01,T,manual,1\n'
	'R2,A2,H,residential,DIGITS,X,1000,2025-01-01,T,manual,1\n'
	'R3,A3,H,residential,LONG,X,1000,2025-01-01,T,manual,1\n'
	'R4,A4,H,residential,RELAY,X,1000,2025-01-01,T,manual,1', 'UTF8'))$$, 'four homes');
CREATE FUNCTION pg_temp.add(meter text, day date, kwh numeric) RETURNS text LANGUAGE sql AS $$
	SELECT elecbill.reading_add('P', meter, '1.8.0', day::timestamp AT TIME ZONE 'UTC', kwh) $$;
CREATE FUNCTION pg_temp.found(meter text) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(e.rule || ' ' || e.severity, ', ' ORDER BY e.id) FROM elecbill.vee_exception AS e
	JOIN elecbill.meter_register AS g ON g.id = e.register_id JOIN elecbill.meter AS m ON m.id = g.meter_id
	WHERE m.serial = $1 AND e.state = 'open' AND (e.rule IN ('V09', 'V12') OR e.rule = 'V04' AND e.detail ? 'decimals') $$;
CREATE FUNCTION pg_temp.look() RETURNS bigint LANGUAGE sql AS $$ SELECT sum(found)::bigint FROM elecbill.vee_run('P', '[2026-02-01,2026-03-01)') $$;

-- last year: February had 2 kWh a day; winter now takes half as much again as it did a year ago
SELECT pg_temp.add('YEAR', day, kwh) FROM (VALUES (date '2025-02-01', 1031), ('2025-03-01', 1087), ('2025-10-01', 1200),
	('2025-12-01', 1291.5), ('2026-01-01', 1338), ('2026-02-01', 1384.5)) AS r(day, kwh) \g /dev/null
SELECT isnt(elecbill.estimate_gap('P', 'YEAR', '[2026-02-01 00:00+00,2026-03-01 00:00+00]', 'last_year'), NULL, 'nobody read the meter in March');
SELECT is((SELECT e.method || ' ' || e.energy_wh || ' ' || e.state FROM elecbill.reading_estimate AS e), 'last_year 84000 open',
	'56 kWh a year ago, times growth of 1.5');
SELECT is((SELECT round((e.reference ->> 'growth')::numeric, 3) || ' ' || (e.reference ->> 'kwh')::numeric::bigint FROM elecbill.reading_estimate AS e), '1.500 56',
	'the estimate says what it rests on');
SELECT is((SELECT r.register_wh FROM elecbill.reading_effective AS r WHERE r.read_at = '2026-03-01 00:00+00' AND r.source = 6), 1468500::bigint,
	'and the register counts on from its last value');
SELECT throws_ok($$SELECT elecbill.estimate_gap('P', 'RELAY', '[2026-02-01 00:00+00,2026-03-01 00:00+00]', 'last_year')$$, NULL, NULL,
	'a home without a year has no last year');

-- V04: a model with one decimal
SELECT pg_temp.add('DIGITS', '2026-02-01', 1100.5) \g /dev/null
SELECT pg_temp.look() \g /dev/null
SELECT is(pg_temp.found('DIGITS'), NULL, 'digits that a meter shows are no matter');
SELECT pg_temp.add('DIGITS', '2026-02-20', 1101.55) \g /dev/null
SELECT pg_temp.look() \g /dev/null
SELECT is(pg_temp.found('DIGITS'), 'V04 review', 'one more than it shows was not read off it');
SELECT pg_temp.look() \g /dev/null
SELECT is(pg_temp.found('DIGITS'), 'V04 review', 'that is said once');

-- V09: three periods of 28 days and more
SELECT pg_temp.add('LONG', day, kwh) FROM (VALUES (date '2025-06-01', 1150), ('2025-12-15', 1347)) AS r(day, kwh) \g /dev/null
SELECT elecbill.estimate_gap('P', 'LONG', '[2025-12-15 00:00+00,2026-02-20 00:00+00]', 'mean') \g /dev/null
SELECT pg_temp.look() \g /dev/null
SELECT is(pg_temp.found('LONG'), NULL, 'two months and a bit may be estimated');
SELECT elecbill.estimate_gap('P', 'LONG', '[2026-02-20 00:00+00,2026-03-01 12:00+00]', 'mean'), set_config('elecbill.clock_override', '2026-03-20 12:00+00', false) \g /dev/null
SELECT elecbill.estimate_gap('P', 'LONG', '[2026-03-01 12:00+00,2026-03-20 00:00+00]', 'mean') \g /dev/null
SELECT pg_temp.look() \g /dev/null
SELECT is(pg_temp.found('LONG'), 'V09 warn', 'three are too long');
SELECT is((SELECT count(*) FROM elecbill.alarm AS a WHERE a.code = 'estimated_long' AND a.object = 'LONG' AND upper_inf(a.during)), 1::bigint, 'and an alarm');
SELECT pg_temp.add('LONG', '2026-03-20', 1460), pg_temp.look() \g /dev/null
SELECT is((SELECT count(*) FROM elecbill.alarm AS a WHERE a.code = 'estimated_long' AND a.object = 'LONG' AND upper_inf(a.during)), 0::bigint, 'that ends when somebody reads the meter');

-- V12: the relay was seen open on the 1st of February
SELECT pg_temp.add('RELAY', '2026-02-01', 1400) \g /dev/null
INSERT INTO elecbill.device_command (org_id, meter_id, kind, priority, idem_key, deadline_at, state, answered_at, confirmed_at)
SELECT m.org_id, m.id, 'disconnect', 1, 'cut', '2026-02-02', 'acked', '2026-02-01 00:00+00', '2026-02-01 00:00+00' FROM elecbill.meter AS m WHERE m.serial = 'RELAY';
SELECT pg_temp.add('RELAY', '2026-02-10', 1400.5), pg_temp.look() \g /dev/null
SELECT is(pg_temp.found('RELAY'), NULL, 'half a kWh is what a meter may count while it is off');
SELECT pg_temp.add('RELAY', '2026-02-20', 1400.6), pg_temp.look() \g /dev/null
SELECT is(pg_temp.found('RELAY'), 'V12 review', 'more is energy that should not flow');
SELECT is((SELECT (e.detail ->> 'kwh')::numeric FROM elecbill.vee_exception AS e WHERE e.rule = 'V12'), 0.6, 'it says how much');
SELECT * FROM finish();
