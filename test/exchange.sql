-- exchange.sql: meters that are exchanged, and meters that people go round and read
\set ON_ERROR_STOP 1
SET client_min_messages = warning;
SELECT plan(41);

SET elecbill.clock_override = '2025-02-01 12:00:00+08';
SELECT elecbill.org_create('HOME', 'Home');
DO $$ BEGIN
	PERFORM elecbill.tariff_approve('T', elecbill.tariff_draft('T', '[2024-01-01,)', '{"elecbill": 1, "currency": "CNY", "zone": "Asia/Shanghai",
		"components": [{"code": "energy", "kind": "energy", "price": "0.5"}]}', 'ann'), 'bob');
END $$;
SELECT elecbill.collector_create('HOME', 'C1', '00000000-0000-4000-8000-000000000001') \g /dev/null
SELECT is_empty($$SELECT message FROM elecbill.import_estate('HOME', convert_to(E'building,room,account_no,name,kind,meter_no,model,multiplier,last_reading,last_read_at,tariff,protocol,digits,interval_min\n'
	'B1,R1,A1,One,residential,M1,OLD,1,999900,2025-01-01,T,manual,6,\n'
	'B1,R2,A2,Two,residential,M2,OLD,1,500,2025-01-01,T,manual,6,\n'
	'B1,W1,A3,Work,industrial,M3,CT,40,100,2025-01-01,T,csvline,6,60\n'
	'B1,R4,A4,Four,residential,M4,OLD,1,0,2025-01-01,T,manual,6,\n', 'UTF8'))$$, 'an old house');
SELECT elecbill.partition_maintain(1, '2025-01-01') \g /dev/null
CREATE FUNCTION pg_temp.kwh(account text) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(trim_scale(s.energy_wh * 0.001) || CASE s.multiplier WHEN 1 THEN '' ELSE ' x' || trim_scale(s.multiplier) END, ' + ' ORDER BY s.n) || ' = ' || b.amount
	FROM elecbill.bill AS b JOIN elecbill.bill_segment AS s ON s.bill_id = b.id JOIN elecbill.customer_account AS a ON a.id = b.account_id
	WHERE a.account_no = account AND b.live GROUP BY b.id $$;

-- ---------------------------------------------------------------- exchange
SELECT lives_ok($$SELECT elecbill.exchange_meter('R1', 'M1', '{"1.8.0": 999950.5}', 'N1', '{"1.8.0": 3.2}', 1, '2025-01-11 10:30+08')$$, 'M1 goes at 999950.5, N1 comes at 3.2');
SELECT lives_ok($$SELECT elecbill.exchange_meter('HOME/R1', 'M1', '{"1.8.0": 999950.5}', 'N1', '{"1.8.0": 3.2}', 1, '2025-01-11 10:30+08')$$, 'said again, nothing happens');
SELECT is((SELECT string_agg(m.serial || ' ' || r.register_wh || ' ' || r.source || ' ' || r.quality, ', ' ORDER BY r.source) FROM elecbill.reading AS r JOIN elecbill.meter_register AS g ON g.id = r.register_id
	JOIN elecbill.meter AS m ON m.id = g.meter_id WHERE r.read_at = '2025-01-11 10:30+08'), 'N1 3200 3 512, M1 999950500 4 0', 'both values are readings');
SELECT throws_ok($$SELECT elecbill.exchange_meter('R1', 'M1', '{"1.8.0": 1}', 'X', '{"1.8.0": 0}', 1, '2025-01-12 10:30+08')$$, 'UB404', 'meter ''M1'' is not the meter of usage point ''R1''', 'M1 is not there any more');
SELECT throws_ok($$SELECT elecbill.exchange_meter('R9', 'M1', '{"1.8.0": 1}', 'X', '{"1.8.0": 0}', 1, '2025-01-12 10:30+08')$$, 'UB404', 'there is no usage point ''R9''', 'nor is a point R9');
SELECT throws_ok($$SELECT elecbill.exchange_meter('R2', 'M2', '{"1.8.0": 499}', 'X', '{"1.8.0": 0}', 1, '2025-01-12 10:30+08')$$, 'UB422', 'the register of meter ''M2'' would run backwards', 'no meter goes with less than it had');
SELECT throws_ok($$SELECT elecbill.exchange_meter('R2', 'M2', '{"1.8.0": 600}', 'N1', '{"1.8.0": 0}', 1, '2025-01-12 10:30+08')$$, 'UB409', 'meter ''N1'' is installed somewhere else', 'no meter is at two places');
SELECT throws_ok($$SELECT elecbill.exchange_meter('R2', 'M2', '{"1.8.0": 600}', 'X', '{"1.8.0": -1}', 1, '2025-01-12 10:30+08')$$, 'UB400', 'the start value of register 1.8.0 is not a reading', 'no meter shows less than nothing');
SELECT throws_ok($$SELECT elecbill.exchange_meter('R2', 'M2', '{"1.8.0": 600}', 'X', '{"1.8.0": 0}', 0, '2025-01-12 10:30+08')$$, 'UB400', 'a multiplier is a number from 0.0001 to 1000000 with at most 4 decimals', 'no transformer makes nothing of something');
SELECT throws_ok($$SELECT elecbill.exchange_meter('R2', 'M2', '{}', 'X', '{"1.8.0": 0}', 1, '2025-01-12 10:30+08')$$, 'UB400', 'the removal values must be an object of kWh by register, with 1.8.0', 'without its last value a meter stays');
SELECT throws_ok($$SELECT elecbill.exchange_meter('R2', 'M2', '{"1.8.0": 600}', 'X', '{"1.8.0": 0}', 1, '2025-03-12 10:30+08')$$, 'UB400', 'an exchange has an instant that is past, and whose readings are kept', 'tomorrow is not yet');
SELECT is((SELECT count(*)::int FROM elecbill.meter WHERE serial = 'X'), 0, 'what is refused leaves no meter behind');
SELECT lives_ok($$SELECT elecbill.multiplier_change('W1', 'M3', '{"1.8.0": 200}', 60, '2025-01-16 00:00+08')$$, 'the workshop gets larger transformers');
SELECT lives_ok($$SELECT elecbill.multiplier_change('W1', 'M3', '{"1.8.0": 200}', 60, '2025-01-16 00:00+08')$$, 'once');
SELECT is((SELECT accepted || ' ' || rejected FROM elecbill.ingest('00000000-0000-4000-8000-000000000001', 1, '{M3,M1,N1}', '{1.8.0,1.8.0,1.8.0}',
	'{2025-02-01 00:00+08,2025-02-01 00:00+08,2025-02-01 00:00+08}', '{250,999960,153.2}', '{0,0,0}', '{NULL,NULL,NULL}')), '2 1', 'the meter that went is not read any more');
SELECT throws_ok($$SELECT elecbill.exchange_meter('R1', 'N1', '{"1.8.0": 100}', 'X', '{"1.8.0": 0}', 1, '2025-01-25 10:30+08')$$, 'UB409', 'meter ''N1'' has readings behind this instant', 'a meter that was read on the 1st did not go on the 25th');

-- ---------------------------------------------------------------- going round
SELECT is((SELECT string_agg(meter_no || ' ' || last_reading, ', ' ORDER BY building, room) FROM elecbill.route_sheet), 'N1 153.200, M2 500.000, M4 0.000', 'a sheet to go round with');
CREATE FUNCTION pg_temp.load(csv text, mode text DEFAULT 'skip_bad', dry_run boolean DEFAULT false) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	job bigint := elecbill.import_readings('HOME', convert_to(csv, 'UTF8'), mode, dry_run);
BEGIN
	RETURN (SELECT format('%s: stored %s, again %s, missing %s, errors %s', j.state, j.stored, j.duplicate, j.missing, j.errors)
		FROM elecbill.import_job AS j WHERE j.id = job);
END $$;
CREATE FUNCTION pg_temp.told() RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(format('%s %s %s %s', line, field, code, message), '; ' ORDER BY n) FROM elecbill.import_row_error WHERE job_id = (SELECT max(id) FROM elecbill.import_job) $$;
SELECT is(pg_temp.load(E'表号,抄表日期,本次读数\nM2,2025-02-01,720.5\nM4,2025/2/1,\n', dry_run => true), 'done: stored 1, again 0, missing 1, errors 0', 'the file is tried first');
SELECT is((SELECT count(*)::int FROM elecbill.reading WHERE source = 2), 0, 'nothing is stored by that');
SELECT is(pg_temp.load(E'表号,抄表日期,本次读数\nM2,2025-02-01,720.5\nM4,2025/2/1,\n'), 'done: stored 1, again 0, missing 1, errors 0', 'then it is taken in; at M4 nobody was at home');
SELECT is(pg_temp.load(E'表号,抄表日期,本次读数\nM2,2025-02-01,720.5\nM4,2025/2/1,\n'), 'done: stored 1, again 0, missing 1, errors 0', 'twice is once');
SELECT is((SELECT count(*)::int FROM elecbill.import_job WHERE NOT dry_run), 1, 'by the same job');
SELECT is(pg_temp.load(E'meter_no,read_at,kwh\nM2,2025-02-01,720.5\nM4,2025-02-01,10\nM9,2025-02-01,1\nM4,2025-13-01,1\nM4,2025-02-01 09:00,five\nM4,2025-02-01 10:00,2\nM4,2025-02-01\n'),
	'done: stored 1, again 1, missing 0, errors 5', 'a file with faults');
SELECT is(pg_temp.told(), '4 meter_no UB404 reading of meter ''M9'' refused: unknown meter; 5 read_at UB400 read_at must be a date such as 2026-01-31, not "2025-13-01"; '
	'6 kwh UB400 kwh must be a number from 0 to 999999999999.999, not "five"; 7 kwh UB422 the register of meter ''M4'' would run backwards; 8  UB400 2 fields, but 3 columns are named', 'each is told by line and column');
SELECT is(pg_temp.load(E'meter_no,read_at,kwh\nM4,2025-02-01 11:00,11\nM9,2025-02-01,1\n', 'all_or_nothing'), 'refused: stored 0, again 0, missing 0, errors 1', 'all or nothing: nothing');
SELECT is((SELECT count(*)::int FROM elecbill.reading WHERE source = 2), 2, 'is stored');
SELECT is(pg_temp.load(E'meter_no,when,kwh\n'), 'refused: stored 0, again 0, missing 0, errors 1', 'an unknown column');
SELECT is(pg_temp.told(), '1 when UB400 unknown column "when"; known are meter_no 表号, read_at 抄表日期, kwh 读数, register 寄存器', 'is named');
SELECT is(pg_temp.load(''), 'refused: stored 0, again 0, missing 0, errors 1', 'an empty file is refused');
SELECT throws_ok($$SELECT elecbill.import_readings('HOME', NULL)$$, 'UB400', 'a file is imported all_or_nothing or skip_bad', 'no file is no file');
SELECT throws_ok($$SELECT elecbill.import_readings('HOME', 'x', 'most')$$, 'UB400', 'a file is imported all_or_nothing or skip_bad', 'there are two modes');
SELECT throws_ok($$SELECT elecbill.import_readings('NONE', 'x')$$, 'UB404', 'there is no org ''NONE''', 'and one estate');
SELECT is(pg_temp.load(E'building,room,meter_no,last_reading,read_at,kwh\nB1,R4,M4,10,2025-02-01 12:00,12\n'), 'done: stored 1, again 0, missing 0, errors 0', 'a sheet comes back as it went out');

-- ---------------------------------------------------------------- the bills
DO $$ DECLARE run bigint := elecbill.bill_run_start('HOME', 'MONTH', '[2025-01-01,2025-02-01)'); BEGIN PERFORM set_config('my.run', run::text, false); END $$;
SELECT current_setting('my.run') AS run \gset
CALL elecbill.bill_run_work(:run);
SELECT is(string_agg(account || ': ' || pg_temp.kwh(account), '; ' ORDER BY account), 'A1: 50.5 + 150 = 100.25; A2: 220.5 = 110.25; A3: 4000 x40 + 3000 x60 = 3500.00; A4: 10 = 5.00',
	'use is the sum over the meters, each with its own transformers') FROM unnest('{A1,A2,A3,A4}'::text[]) AS account;
SELECT throws_ok($$SELECT elecbill.exchange_meter('R2', 'M2', '{"1.8.0": 721}', 'X', '{"1.8.0": 0}', 1, '2025-01-31 10:30+08')$$, 'UB409', 'meter ''M2'' has readings behind this instant', 'billed energy stays with its meter');

-- ---------------------------------------------------------------- rollover, through an exchange
SELECT set_config('elecbill.clock_override', '2025-03-01 12:00+08', false), elecbill.partition_maintain(1) \g /dev/null
SELECT is_empty($$SELECT message FROM elecbill.import_estate('HOME', convert_to(E'room,account_no,name,kind,meter_no,model,last_reading,last_read_at,tariff,protocol,digits\nR5,A5,Five,residential,M5,OLD,999900,2025-02-01,T,manual,6\n', 'UTF8'))$$, 'a register near its end');
SELECT lives_ok($$SELECT elecbill.exchange_meter('R5', 'M5', '{"1.8.0": 12}', 'N5', '{"1.8.0": 999990}', 1, '2025-02-11 00:00+08')$$, 'rolls over before it goes, and so does the next one');
SELECT is(elecbill.reading_add('HOME', 'N5', '1.8.0', '2025-03-01 00:00+08', 90), 'accepted', 'by the 1st');
SELECT elecbill.reading_add('HOME', 'N1', '1.8.0', '2025-03-01 00:00+08', 200), elecbill.reading_add('HOME', 'M2', '1.8.0', '2025-03-01 00:00+08', 800), elecbill.reading_add('HOME', 'M4', '1.8.0', '2025-03-01 00:00+08', 20),
	elecbill.reading_add('HOME', 'M3', '1.8.0', '2025-03-01 00:00+08', 300) \g /dev/null
SELECT elecbill.bill_run_start('HOME', 'MONTH', '[2025-02-01,2025-03-01)') AS run \gset
CALL elecbill.bill_run_work(:run);
SELECT is((SELECT string_agg(trim_scale(s.energy_wh * 0.001)::text, ' + ' ORDER BY s.n) FROM elecbill.bill AS b JOIN elecbill.bill_segment AS s ON s.bill_id = b.id JOIN elecbill.customer_account AS a ON a.id = b.account_id
	WHERE a.account_no = 'A5' AND b.live), '112 + 100', 'it is billed as if it had not');
SELECT is_empty('SELECT * FROM elecbill.fsck()', 'and the books are in order');
SELECT * FROM finish();
