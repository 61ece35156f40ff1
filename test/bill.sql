-- bill.sql: bills as customers and staff of the property office see them
-- Nothing here calls the rating engine by itself: readings go in, bills come out. The amounts were
-- worked out by hand; the way is in the description of each test.
\set ON_ERROR_STOP 1
SET client_min_messages = warning;
SELECT plan(94);

-- ---------------------------------------------------------------- an estate

CREATE FUNCTION pg_temp.tariff(code text, body text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	PERFORM elecbill.tariff_approve(code, elecbill.tariff_draft(code, '[2024-01-01,)',
		('{"elecbill": 1, "currency": "CNY", "zone": "Asia/Shanghai", ' || body || '}')::jsonb, 'ann'), 'bob');
END $$;
-- one home per room: meter M-room, its register stands at 0 on the first day of the agreement
CREATE FUNCTION pg_temp.home(room text, tariff text, since date, rest text DEFAULT '', more text DEFAULT '')
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	fault text;
BEGIN
	SELECT string_agg(message, '; ') INTO fault FROM elecbill.import_estate('HOME', convert_to(format(
		E'room,account_no,name,kind,meter_no,model,last_reading,last_read_at,tariff,digits%s\n'
		'%s,A-%2$s,Family %2$s,residential,M-%2$s,DDS,0,%3$s,%4$s,6%5$s', more, room, since, tariff, rest), 'UTF8'));
	IF fault IS NOT NULL THEN
		RAISE EXCEPTION '%', fault;
	END IF;
END $$;
CREATE FUNCTION pg_temp.read(room text, at text, kwh numeric) RETURNS void LANGUAGE sql AS $$
	SELECT elecbill.reading_add('HOME', 'M-' || room, '1.8.0', (at || '+08')::timestamptz, kwh);
$$;
-- a month of readings at 08:00, 22:00 and midnight that add up to peak and valley kWh
CREATE FUNCTION pg_temp.read_periods(room text, month date, base numeric, peak integer, valley integer)
RETURNS void LANGUAGE sql AS $$
	SELECT count(elecbill.reading_add('HOME', 'M-' || room, '1.8.0', t.at, base + t.kwh)) FROM (
		SELECT (month + d + time '08:00')::timestamp AT TIME ZONE 'Asia/Shanghai' AS at,
			trunc(peak * d / 31.0, 3) + trunc(valley * (2 * d + 1) / 62.0, 3) AS kwh
		FROM generate_series(0, 30) AS d
		UNION ALL
		SELECT (month + d + time '22:00')::timestamp AT TIME ZONE 'Asia/Shanghai',
			trunc(peak * (d + 1) / 31.0, 3) + trunc(valley * (2 * d + 1) / 62.0, 3)
		FROM generate_series(0, 30) AS d
		UNION ALL
		SELECT (month + d + 1)::timestamp AT TIME ZONE 'Asia/Shanghai',
			trunc(peak * (d + 1) / 31.0, 3) + trunc(valley * (2 * d + 2) / 62.0, 3)
		FROM generate_series(0, 30) AS d
		ORDER BY 1) AS t
$$;
CREATE FUNCTION pg_temp.amount(room text, month text) RETURNS numeric LANGUAGE sql AS $$
	SELECT s.amount FROM elecbill.bill_summary s WHERE s.user_id = 'A-' || room AND s.month = $2;
$$;
CREATE FUNCTION pg_temp.why(room text, month text) RETURNS text LANGUAGE sql AS $$
	SELECT x.code FROM elecbill.bill_exception x
	JOIN elecbill.bill_run r ON r.id = x.run_id
	JOIN elecbill.customer_account a ON a.id = x.account_id
	WHERE a.account_no = 'A-' || room AND to_char(lower(r.period), 'YYYY-MM') = $2 AND x.state IN ('parked', 'noted');
$$;
DO $$
BEGIN
	PERFORM elecbill.org_create('HOME', 'Green Court');
	-- readings stand close together here
	PERFORM elecbill.vee_rule_set('HOME', 'V05', severity => 'warn');
	PERFORM elecbill.partition_maintain(1, '2024-12-01');
	PERFORM pg_temp.tariff('SEED-TIER', '"components": [{"code": "energy", "kind": "energy", "tier":
		{"steps": [{"up_to": 200, "price": 0.5}, {"up_to": 400, "price": 0.6}, {"price": 0.8}]}}]');
	PERFORM pg_temp.tariff('SEED-TOU', '"schedules": {"tou": [{"period": "peak", "spans": [["08:00", "22:00"]]},
		{"period": "valley", "spans": [["22:00", "08:00"]]}]}, "components": [{"code": "energy",
		"kind": "energy", "price": {"period": {"peak": 0.7, "valley": 0.4}}}]');
	PERFORM pg_temp.tariff('YEAR', '"components": [{"code": "energy", "kind": "energy", "tier": {"scope": "year",
		"allowance": [{"attr": "persons", "at_least": 5, "add": 100, "per": "month", "widen": "all"}],
		"steps": [{"up_to": 250, "price": 0.5}, {"price": 0.8}]}}]');
	PERFORM pg_temp.tariff('FLAT', '"components": [{"code": "energy", "kind": "energy", "price": 0.5}]');
	PERFORM pg_temp.home('T150', 'SEED-TIER', '2025-01-01'), pg_temp.read('T150', '2025-02-01 00:00', 150);
	PERFORM pg_temp.home('T300', 'SEED-TIER', '2025-01-01'), pg_temp.read('T300', '2025-02-01 00:00', 300);
	PERFORM pg_temp.home('T500', 'SEED-TIER', '2025-01-01'), pg_temp.read('T500', '2025-02-01 00:00', 500);
	PERFORM pg_temp.home('P100', 'SEED-TOU', '2025-01-01'), pg_temp.read_periods('P100', '2025-01-01', 0, 100, 50);
	PERFORM pg_temp.home('P200', 'SEED-TOU', '2025-01-01'), pg_temp.read_periods('P200', '2025-01-01', 0, 200, 100);
END $$;

-- ---------------------------------------------------------------- the examples of the seed

CREATE TEMP TABLE preview AS
SELECT a.account_no, l.* FROM elecbill.customer_account a,
	elecbill.simulate_bill(a.account_no, '[2025-01-01,2025-02-01)') AS l;
SELECT is((SELECT count(*) FROM elecbill.bill), 0::bigint, 'asking what a month will cost makes no bill');
BEGIN;
SELECT elecbill.tariff_approve('HALF', elecbill.tariff_draft('HALF', '[2025-01-10,)', '{"elecbill": 1, "currency": "CNY", "zone": "Asia/Shanghai",
	"components": [{"code": "energy", "kind": "energy", "price": 0.1}]}', 'ann'), 'bob');
SELECT results_eq($$ SELECT plan, in_force, amount, difference, fault FROM elecbill.compare_tariffs('HOME/A-T300', '2025-01-01', '2025-02-01') $$,
	$$ VALUES ('FLAT', false, 150.00, -10.00, NULL::text), ('SEED-TIER', true, 160.00, 0.00, NULL), ('YEAR', false, 165.00, 5.00, NULL),
		('SEED-TOU', false, 172.50, 12.50, NULL),
		('HALF', false, NULL, NULL, 'tariff ''HALF'' has no approved version for all of [2025-01-01,2025-01-10)') $$,
	'300 kWh by each tariff: 300 x 0.5; 200 x 0.5 + 100 x 0.6; 250 x 0.5 + 50 x 0.8; evenly by day (14 hours) and night 300 x 0.575');
ROLLBACK;
SELECT is((SELECT count(*) FROM elecbill.bill), 0::bigint, 'that makes no bill either');
SELECT throws_ok($$ SELECT elecbill.compare_tariffs('HOME/A-T300', '2025-02-01', '2025-02-01') $$, 'UB400', 'tariffs are compared over days [from, to)', 'nor no days');
CALL elecbill.bill_month('HOME', 'MONTH', '2025-01');
SELECT is(pg_temp.amount('T150', '2025-01'), 75.00, '150 kWh stay in the first tier: 150 x 0.5');
SELECT is(pg_temp.amount('T300', '2025-01'), 160.00, '300 kWh: 200 x 0.5 + 100 x 0.6');
SELECT is(pg_temp.amount('T500', '2025-01'), 300.00,
	'500 kWh: 200 x 0.5 + 200 x 0.6 + 100 x 0.8 = 300, not the 360 printed in the seed');
SELECT is(pg_temp.amount('P100', '2025-01'), 90.00, '100 kWh by day at 0.7 and 50 by night at 0.4');
SELECT is(pg_temp.amount('P200', '2025-01'), 180.00, '200 kWh by day at 0.7 and 100 by night at 0.4');
SELECT results_eq(
	$$SELECT d.account_no, d.n, d.component, d.period, d.tier, d.quantity, d.price, d.amount_raw, d.amount, d.quality
		FROM elecbill.bill_detail d ORDER BY 1, 2$$,
	$$SELECT account_no, n, component, period, tier, quantity, price, amount_raw, amount, quality
		FROM preview ORDER BY 1, 2$$,
	'the preview says line by line what the bill said later');
SELECT is((SELECT array_agg(DISTINCT status) FROM elecbill.bill_summary), '{未缴费}', 'a new bill is 未缴费');
SELECT is((SELECT array_agg(DISTINCT (start_kwh, end_kwh)) = ARRAY[(0.000, 500.000)] FROM elecbill.bill_detail
	WHERE account_no = 'A-T500'), true, 'every line of the bill names the readings 0 and 500 it rests on');
SELECT is((SELECT array_agg((tier, quantity, amount) ORDER BY n) = ARRAY[(1, 200.000000, 100.00),
	(2, 200.000000, 120.00), (3, 100.000000, 80.00)] FROM elecbill.bill_detail WHERE account_no = 'A-T500'),
	true, 'three lines: 200 kWh for 100.00, 200 for 120.00, 100 for 80.00');
SELECT is((SELECT array_agg((period, quantity, amount) ORDER BY period) = ARRAY[(text 'peak', 100.000000, 70.00),
	(text 'valley', 50.000000, 20.00)] FROM elecbill.bill_detail WHERE account_no = 'A-P100'), true,
	'two lines: 100 kWh peak for 70.00, 50 kWh valley for 20.00');
SELECT is((SELECT array_agg(right(number, 7) ORDER BY number) FROM elecbill.bill),
	'{-000001,-000002,-000003,-000004,-000005}', 'bills are numbered without a gap');
SELECT is((SELECT bool_and(due_on = (issued_at AT TIME ZONE 'Asia/Shanghai')::date + 20) FROM elecbill.bill), true,
	'there are 20 days to pay');

-- ---------------------------------------------------------------- once and only once

CALL elecbill.bill_month('HOME', 'MONTH', '2025-01');
SELECT is((SELECT count(*) FROM elecbill.bill), 5::bigint, 'billing the month again makes no second bill');
SELECT is(elecbill.bill_run_start('HOME', 'MONTH', '[2025-01-01,2025-02-01)'), (SELECT id FROM elecbill.bill_run),
	'starting the same run again is the same run');
SELECT throws_ok($$INSERT INTO elecbill.bill (org_id, account_id, kind, service, amount, snapshot)
	SELECT org_id, account_id, kind, '[2025-01-31,2025-02-02)', 0, '{"parts": []}' FROM elecbill.bill LIMIT 1$$,
	'23P01', NULL, 'no day of an account is billed twice');
SELECT lives_ok($$SELECT elecbill.bill_run_start('HOME', 'MONTH', '[2025-01-20,2025-02-10)', 'offcycle')$$,
	'an off-cycle run over billed days can be started');
SELECT max(id) AS twice FROM elecbill.bill_run \gset
CALL elecbill.bill_run_work(:twice);
SELECT is((SELECT array_agg(DISTINCT code) FROM elecbill.bill_exception WHERE run_id = :twice), '{already_billed}',
	'but it bills nobody for a day that has a bill');
DO $$
BEGIN
	PERFORM pg_temp.home('D24', 'SEED-TIER', '2024-12-01');
	PERFORM pg_temp.read('D24', '2025-01-01 00:00', 10), pg_temp.read('D24', '2025-02-01 00:00', 10),
		pg_temp.read('D24', '2025-12-01 00:00', 500), pg_temp.read('D24', '2026-01-01 00:00', 520);
END $$;
CALL elecbill.bill_month('HOME', 'MONTH', '2024-12');
CALL elecbill.bill_month('HOME', 'MONTH', '2025-12');
SELECT is(ARRAY[pg_temp.amount('D24', '2024-12'), pg_temp.amount('D24', '2025-12')], '{5.00,10.00}',
	'December 2025 contains nothing of December 2024');

-- ---------------------------------------------------------------- issued is issued

SELECT throws_ok($$UPDATE elecbill.bill SET amount = 0$$, 'UB403', NULL, 'nobody changes the amount of a bill');
SELECT throws_ok($$DELETE FROM elecbill.bill$$, 'UB403', NULL, 'nobody deletes a bill');
SELECT throws_ok($$TRUNCATE elecbill.bill CASCADE$$, 'UB403', NULL, 'nobody empties the bills');
SELECT throws_ok($$UPDATE elecbill.bill_line SET price = 0$$, 'UB403', NULL, 'nobody changes a line');
SELECT throws_ok($$DELETE FROM elecbill.bill_segment$$, 'UB403', NULL, 'nobody deletes what a line rests on');
SELECT throws_ok($$UPDATE elecbill.bill SET number = number || 'x'$$, 'UB412',
	'a bill gets its number and its dates when it is issued, and keeps them', 'nobody changes a number');
SELECT throws_ok($$UPDATE elecbill.bill SET status = 'draft'$$, 'UB412', 'a bill that is issued cannot become draft',
	'an issued bill does not become a draft again');
SELECT throws_ok($$INSERT INTO elecbill.bill_line (org_id, bill_id, n, segment_id, kind, component, grp, amount_raw, amount, quality)
	SELECT org_id, bill_id, 99, segment_id, 'fixed', 'fee', 'fee', 1, 1, 'actual' FROM elecbill.bill_line LIMIT 1$$,
	'UB422', 'the lines of the bill do not add up to its amount', 'nobody adds a line to a bill');
SELECT throws_ok($$INSERT INTO elecbill.bill (org_id, account_id, kind, service, amount, snapshot)
		SELECT org_id, account_id, 'correction', service, 5, '{}' FROM elecbill.bill LIMIT 1;
	UPDATE elecbill.bill SET status = 'issued', number = 'X', issued_at = elecbill.now(), due_on = current_date WHERE status = 'draft'$$,
	'UB422', 'the lines of the bill do not add up to its amount', 'nobody issues an amount without lines');
SELECT throws_ok($$INSERT INTO elecbill.bill (org_id, account_id, kind, service, amount, snapshot)
		SELECT org_id, account_id, 'correction', service, 0, '{}' FROM elecbill.bill LIMIT 1;
	UPDATE elecbill.bill SET status = 'paid' WHERE status = 'draft'$$,
	'UB412', 'a bill that is draft cannot become paid', 'nobody pays a draft');
SELECT throws_ok($$INSERT INTO elecbill.bill (org_id, account_id, kind, service, amount, snapshot)
		SELECT org_id, account_id, 'correction', service, 0, '{}' FROM elecbill.bill LIMIT 1;
	UPDATE elecbill.bill SET due_on = current_date WHERE status = 'draft'$$,
	'UB412', 'a bill gets its number and its dates when it is issued, and keeps them', 'a draft has no date yet');

-- ---------------------------------------------------------------- yearly tiers

DO $$
BEGIN
	PERFORM pg_temp.home('Y2', 'YEAR', '2025-01-01', ',2', ',household_size'),
		pg_temp.home('Y5', 'YEAR', '2025-01-01', ',5', ',household_size');
	PERFORM pg_temp.read(r, '2025-02-01 00:00', 200), pg_temp.read(r, '2025-03-01 00:00', 400),
		pg_temp.read(r, '2025-04-01 00:00', 2000) FROM unnest('{Y2,Y5}'::text[]) AS r;
END $$;
CALL elecbill.bill_month('HOME', 'MONTH', '2025-02');
SELECT is(pg_temp.why('Y2', '2025-02'), 'earlier_period_unbilled',
	'February waits for January where tiers count over the year');
SELECT elecbill.bill_run_start('HOME', 'MONTH', '[2025-01-01,2025-02-01)') AS january \gset
SELECT elecbill.bill_run_start('HOME', 'MONTH', '[2025-02-01,2025-03-01)') AS february \gset
SELECT is((SELECT count(*) FROM elecbill.bill WHERE run_id = :january), 5::bigint,
	'a run has the accounts of its start, later ones are not slipped in');
SELECT elecbill.bill_run_start('HOME', 'MONTH', '[2025-01-01,2025-02-01)', 'offcycle') AS late \gset
CALL elecbill.bill_run_work(:late);
CALL elecbill.bill_run_issue(:late);
SELECT is(pg_temp.amount('Y2', '2025-01'), 100.00, 'January: 200 kWh at 0.5');
SELECT cmp_ok(elecbill.bill_run_retry(:february), '>=', 2, 'once January is billed, February can be tried again');
CALL elecbill.bill_run_work(:february);
CALL elecbill.bill_run_issue(:february);
SELECT is(pg_temp.amount('Y2', '2025-02'), 145.00,
	'February: 200 kWh used before, so 50 at 0.5 and 150 at 0.8');
SELECT is(pg_temp.amount('Y5', '2025-02'), 100.00,
	'a household of five has 1200 kWh more in the first tier: 200 at 0.5');
CALL elecbill.bill_month('HOME', 'MONTH', '2025-03');
SELECT is(pg_temp.amount('Y5', '2025-03'), 965.00,
	'March: 400 used before, so 1050 at 0.5 and 550 at 0.8');
SELECT is((SELECT array_agg((a.account_no, c.kwh, c.as_of) ORDER BY 1) = ARRAY[(text 'A-Y2', 2000.000000, date '2025-04-01'),
	(text 'A-Y5', 2000.000000, date '2025-04-01')] FROM elecbill.usage_counter c
	JOIN elecbill.customer_account a ON a.id = c.account_id), true, 'the counters say 2000 kWh until 1 April');
SELECT throws_ok($$SELECT elecbill.cancel_bill(number, 'wrong') FROM elecbill.bill b
	JOIN elecbill.customer_account a ON a.id = b.account_id
	WHERE a.account_no = 'A-Y2' AND lower(service) = '2025-01-01'$$,
	'UB409', 'later bills count from this one', 'January cannot be taken back under February');

-- ---------------------------------------------------------------- taken back and billed again

SELECT number AS march FROM elecbill.bill b JOIN elecbill.customer_account a ON a.id = b.account_id
WHERE a.account_no = 'A-Y2' AND lower(service) = '2025-03-01' \gset
SELECT throws_ok(format('SELECT elecbill.cancel_bill(%L, NULL)', :'march'), 'UB400',
	'a bill is cancelled for a reason', 'a bill is not taken back without a reason');
SELECT lives_ok(format('SELECT elecbill.cancel_bill(%L, %L)', :'march', 'wrong reading'), 'the last bill can be taken back');
SELECT is(pg_temp.amount('Y2', '2025-03'), NULL, 'then it is no bill any more');
SELECT elecbill.bill_run_start('HOME', 'MONTH', '[2025-03-01,2025-04-01)') AS march_run \gset
SELECT is((SELECT elecbill.bill_run_retry(:march_run) >= 1), true, 'and the month can be billed again');
CALL elecbill.bill_run_work(:march_run);
CALL elecbill.bill_run_issue(:march_run);
SELECT is(pg_temp.amount('Y2', '2025-03'), 1280.00, 'with the same amount: 1600 at 0.8');
SELECT isnt((SELECT number FROM elecbill.bill b JOIN elecbill.customer_account a ON a.id = b.account_id
	WHERE a.account_no = 'A-Y2' AND lower(service) = '2025-03-01' AND live), :'march', 'under a new number');

-- ---------------------------------------------------------------- what meters do

DO $$
BEGIN
	PERFORM pg_temp.home(r, 'FLAT', '2025-05-01') FROM unnest('{ROLL,BACK,NONE,EDGE,GAP,EARLY,XCH,SWAP}'::text[]) AS r;
	PERFORM pg_temp.home('CT', 'FLAT', '2025-05-01', ',40', ',multiplier');
	-- the register of six digits goes over 999999.99
	PERFORM pg_temp.read('ROLL', '2025-06-01 00:00', 999990), pg_temp.read('ROLL', '2025-07-01 00:00', 12);
	PERFORM pg_temp.read('CT', '2025-06-01 00:00', 1), pg_temp.read('CT', '2025-07-01 00:00', 11.5);
	PERFORM pg_temp.read('NONE', '2025-06-01 00:00', 5);
	PERFORM pg_temp.read('EDGE', '2025-06-01 00:00', 5), pg_temp.read('EDGE', '2025-06-29 00:00', 90),
		pg_temp.read('EDGE', '2025-07-02 00:00', 100);
	PERFORM pg_temp.read('BACK', '2025-06-01 00:00', 50), pg_temp.read('BACK', '2025-07-01 00:00', 60);
	PERFORM pg_temp.read('GAP', '2025-06-01 00:00', 10), pg_temp.read('GAP', '2025-06-10 00:00', 30),
		pg_temp.read('GAP', '2025-07-01 00:00', 100);
	-- on 16 June at noon the meter is taken off at 40 kWh, another one with 900 kWh put in its place
	PERFORM pg_temp.read('XCH', '2025-06-01 00:00', 10), pg_temp.read('XCH', '2025-06-16 12:00', 40);
	UPDATE elecbill.meter_installation i SET valid = tstzrange(lower(i.valid), '2025-06-16 12:00+08')
	FROM elecbill.meter m WHERE m.id = i.meter_id AND m.serial = 'M-XCH';
	INSERT INTO elecbill.meter (org_id, serial, model_id, kind, interval_s)
	SELECT org_id, 'M-NEW', model_id, kind, interval_s FROM elecbill.meter WHERE serial = 'M-XCH';
	INSERT INTO elecbill.meter_register (org_id, meter_id, code, wrap_wh)
	SELECT org_id, id, '1.8.0', 1000000000 FROM elecbill.meter WHERE serial = 'M-NEW';
	INSERT INTO elecbill.meter_installation (org_id, meter_id, usage_point_id, valid)
	SELECT m.org_id, m.id, u.id, tstzrange('2025-06-16 12:00+08', NULL)
	FROM elecbill.meter m, elecbill.usage_point u WHERE m.serial = 'M-NEW' AND u.code = 'XCH';
	PERFORM pg_temp.read('NEW', '2025-06-16 12:00', 900), pg_temp.read('NEW', '2025-07-01 00:00', 925);
	PERFORM pg_temp.read('SWAP', '2025-06-01 00:00', 5), pg_temp.read('SWAP', '2025-06-11 00:00', 105),
		pg_temp.read('SWAP', '2025-07-01 00:00', 355), elecbill.agreement_set('HOME', 'A-SWAP', 'SEED-TIER', '2025-06-11');
	-- values as a collector sends them: it never repairs, it flags
	PERFORM elecbill.ingest(elecbill.collector_create('HOME', 'C1'), 1, '{M-BACK,M-GAP}', '{1.8.0,1.8.0}',
		ARRAY['2025-06-10 00:00+08', '2025-06-20 00:00+08']::timestamptz[], '{40,60}', '{0,512}', '{NULL,NULL}');
END $$;
INSERT INTO elecbill.customer_account (org_id, account_no, customer_id, billing_cycle_id)
SELECT c.org_id, 'A-NOBODY', c.id, y.id FROM elecbill.customer c, elecbill.billing_cycle y LIMIT 1;
SELECT elecbill.agreement_end('HOME', 'A-EARLY', '2025-06-01');
CALL elecbill.bill_month('HOME', 'MONTH', '2025-06');
SELECT is(pg_temp.amount('ROLL', '2025-06'), 11.00, 'a register that went from 999990 over to 12 used 22 kWh');
SELECT is(pg_temp.amount('CT', '2025-06'), 210.00, 'a transformer of 40: 10.5 x 40 = 420 kWh');
SELECT is(pg_temp.amount('XCH', '2025-06'), 27.50, 'a meter exchanged at noon: 30 kWh on the old one, 25 on the new one');
SELECT is((SELECT array_agg((m.serial, s.start_wh, s.end_wh, s.energy_wh) ORDER BY s.n) = ARRAY[
	(text 'M-XCH', 10000::bigint, 40000::bigint, 30000::bigint), (text 'M-NEW', 900000::bigint, 925000::bigint, 25000::bigint)]
	FROM elecbill.bill_segment s JOIN elecbill.meter_installation i ON i.id = s.installation_id
	JOIN elecbill.meter m ON m.id = i.meter_id JOIN elecbill.usage_point u ON u.id = s.usage_point_id
	WHERE u.code = 'XCH'), true, 'and the bill names the four readings of both');
SELECT is((SELECT array_agg((d.tariff, d.tier, d.quantity, d.amount) ORDER BY d.n) = ARRAY[
	(text 'FLAT', NULL::integer, 100.000000, 50.00), (text 'SEED-TIER', 1, 200.000000, 100.00),
	(text 'SEED-TIER', 2, 50.000000, 30.00)] FROM elecbill.bill_detail d WHERE d.account_no = 'A-SWAP'), true,
	'who changes the tariff on the 11th has both on one bill: 100 at 0.5, then 200 at 0.5 and 50 at 0.6');
SELECT is(pg_temp.why('NONE', '2025-06'), 'no_readings', 'a month without readings is put aside, not guessed');
SELECT is(pg_temp.why('EDGE', '2025-06'), 'no_boundary_reading',
	'energy that lies over the end of the month is not shared by guess');
SELECT is(pg_temp.why('BACK', '2025-06'), 'register_backwards', 'a register that ran backwards is put aside');
SELECT is(pg_temp.why('NOBODY', '2025-06'), 'no_agreement', 'an account without an agreement is put aside');
SELECT is(pg_temp.why('EARLY', '2025-06'), NULL, 'who moved out before the month is not in it');
SELECT is(pg_temp.amount('GAP', '2025-06'), 30.00, 'what passed before a restart is not billed: (30 - 10) + (100 - 60)');
SELECT is(pg_temp.why('GAP', '2025-06'), 'missing_readings', 'and staff are told of it');
SELECT is((SELECT array_agg(DISTINCT quality) FROM elecbill.bill_detail WHERE account_no = 'A-GAP'), '{missing}',
	'and the line says it');
SELECT is((SELECT missing_s FROM elecbill.bill_segment s JOIN elecbill.usage_point u ON u.id = s.usage_point_id
	WHERE u.code = 'GAP'), 864000::bigint, 'ten days are missing');
SELECT elecbill.reading_add('HOME', 'M-NONE', '1.8.0', '2025-07-01 00:00+08', 25);
SELECT elecbill.bill_run_start('HOME', 'MONTH', '[2025-06-01,2025-07-01)') AS june \gset
SELECT elecbill.bill_run_retry(:june) > 0 AS queued;
CALL elecbill.bill_run_work(:june);
CALL elecbill.bill_run_issue(:june);
SELECT is(pg_temp.amount('NONE', '2025-06'), 10.00, 'when the reading arrives, the month is billed: 20 x 0.5');
SELECT is((SELECT state FROM elecbill.bill_exception x JOIN elecbill.customer_account a ON a.id = x.account_id
	WHERE a.account_no = 'A-NONE'), 'resolved', 'and the matter is closed');

-- ---------------------------------------------------------------- a price that changes, a bill that waits

DO $$
BEGIN
	PERFORM pg_temp.home('CHG', 'NEWP', '2025-08-01') FROM (SELECT pg_temp.tariff('NEWP',
		'"components": [{"code": "energy", "kind": "energy", "price": 0.5}]')) AS t;
	PERFORM elecbill.tariff_approve('NEWP', elecbill.tariff_draft('NEWP', '[2025-08-11,)', '{"elecbill": 1,
		"currency": "CNY", "zone": "Asia/Shanghai",
		"components": [{"code": "energy", "kind": "energy", "price": 0.56}]}', 'ann'), 'bob');
	PERFORM pg_temp.read('CHG', '2025-08-11 00:00', 100), pg_temp.read('CHG', '2025-09-01 00:00', 350);
END $$;
SELECT elecbill.bill_run_start('HOME', 'MONTH', '[2025-08-01,2025-08-11)', 'offcycle') AS first_part \gset
SELECT elecbill.bill_run_start('HOME', 'MONTH', '[2025-08-11,2025-09-01)', 'offcycle') AS second_part \gset
CALL elecbill.bill_run_work(:first_part);
CALL elecbill.bill_run_work(:second_part);
UPDATE elecbill.bill SET status = 'held' WHERE run_id = :second_part;
CALL elecbill.bill_run_issue(:first_part);
CALL elecbill.bill_run_issue(:second_part);
SELECT is(pg_temp.amount('CHG', '2025-08'), 50.00, 'until the change 100 kWh at 0.50; the held draft is not issued');
SELECT is((SELECT amount FROM elecbill.bill WHERE run_id = :second_part), 140.00, 'from the change on 250 kWh at 0.56');
UPDATE elecbill.bill SET status = 'draft' WHERE run_id = :second_part;
CALL elecbill.bill_run_issue(:second_part);
SELECT is((SELECT status FROM elecbill.bill WHERE run_id = :second_part), 'issued', 'what was held is issued when it is let go');

-- ---------------------------------------------------------------- nobody pays twice

SELECT id AS collector FROM elecbill.collector WHERE code = 'C1' \gset
DO $$
BEGIN
	PERFORM pg_temp.home(r, 'FLAT', '2025-09-01') FROM unnest('{LATE,KEEP}'::text[]) AS r;
	PERFORM pg_temp.home('MIX', 'FLAT', '2025-09-01', ',40', ',multiplier');
	PERFORM pg_temp.read('KEEP', '2025-10-01 00:00', 100);
	-- the register goes over on the 10th; on the 16th another meter comes, with another transformer
	PERFORM pg_temp.read('MIX', t.at, t.kwh) FROM (VALUES ('2025-10-01 00:00', 999990.5),
		('2025-10-10 12:00', 3.25), ('2025-10-16 12:00', 13.25)) AS t(at, kwh);
	UPDATE elecbill.meter_installation i SET valid = tstzrange(lower(i.valid), '2025-10-16 12:00+08')
	FROM elecbill.meter m WHERE m.id = i.meter_id AND m.serial = 'M-MIX';
	INSERT INTO elecbill.meter (org_id, serial, model_id, kind, interval_s)
	SELECT org_id, 'M-MIX2', model_id, kind, interval_s FROM elecbill.meter WHERE serial = 'M-MIX';
	INSERT INTO elecbill.meter_register (org_id, meter_id, code, wrap_wh)
	SELECT org_id, id, '1.8.0', 1000000000 FROM elecbill.meter WHERE serial = 'M-MIX2';
	INSERT INTO elecbill.meter_installation (org_id, meter_id, usage_point_id, multiplier, valid)
	SELECT m.org_id, m.id, u.id, 1.5, tstzrange('2025-10-16 12:00+08', NULL)
	FROM elecbill.meter m, elecbill.usage_point u WHERE m.serial = 'M-MIX2' AND u.code = 'MIX';
	PERFORM pg_temp.read('MIX2', '2025-10-16 12:00', 500), pg_temp.read('MIX2', '2025-11-01 00:00', 600.333);
END $$;
SELECT elecbill.ingest(:'collector', 101, '{M-LATE}', '{1.8.0}', '{2025-10-01 00:00:05+08}', '{100}', '{0}', '{NULL}');
CALL elecbill.bill_month('HOME', 'MONTH', '2025-09');
SELECT is(pg_temp.amount('LATE', '2025-09'), 50.00, 'September ends with the reading of 00:00:05: 100 x 0.5');
SELECT elecbill.ingest(:'collector', 102, '{M-LATE,M-LATE}', '{1.8.0,1.8.0}',
	'{2025-09-30 23:59:50+08,2025-11-01 00:00+08}', '{90,300}', '{0,0}', '{NULL,NULL}');
SELECT throws_ok($$SELECT elecbill.agreement_end('HOME', 'A-KEEP', '2025-09-10')$$, 'UB409',
	'days behind the end of the agreement are billed', 'who has paid for September cannot have moved out on the 10th');
SELECT throws_ok($$UPDATE elecbill.meter_installation SET valid = tstzrange(lower(valid), '2025-09-20 00:00+08')
	WHERE meter_id = (SELECT id FROM elecbill.meter WHERE serial = 'M-KEEP')$$, 'UB409',
	'energy that the meter measured behind this instant is billed', 'nor can the meter have been taken off then');
SELECT lives_ok($$SELECT elecbill.agreement_end('HOME', 'A-KEEP', '2025-10-01')$$, 'but he may move out at its end');
CALL elecbill.bill_month('HOME', 'MONTH', '2025-10');
SELECT is(pg_temp.amount('LATE', '2025-10'), 100.00,
	'October begins where September ended, whatever came late into that quarter of an hour: (300 - 100) x 0.5');
SELECT is(pg_temp.amount('MIX', '2025-10'), 530.25,
	'over the top 12.75 x 40 = 510, then 10 x 40 = 400, then from 750 to 900.5 behind 1.5: 1060.5 x 0.5');
SELECT number AS october FROM elecbill.bill b JOIN elecbill.customer_account a ON a.id = b.account_id
WHERE a.account_no = 'A-LATE' AND lower(service) = '2025-10-01' \gset
SELECT lives_ok(format('SELECT elecbill.cancel_bill(%L, %L)', :'october', 'first'), 'a bill is taken back once');
SELECT throws_ok(format('SELECT elecbill.cancel_bill(%L, %L)', :'october', 'second'), 'UB412',
	format('bill %s is cancelled already', :'october'), 'and not again');
SELECT is((SELECT cancel_reason FROM elecbill.bill WHERE number = :'october'), 'first', 'for the reason that was given first');

-- two points of one account count the tiers of a month together
SELECT elecbill.billing_cycle_create('HOME', 'BI', 2);
DO $$
BEGIN
	PERFORM pg_temp.tariff('MON', '"components": [{"code": "energy", "kind": "energy", "tier": {"scope": "month",
		"steps": [{"up_to": 100, "price": 0.5}, {"price": 0.8}]}}]');
	PERFORM elecbill.import_estate('HOME', convert_to(E'room,account_no,name,kind,meter_no,model,last_reading,'
		'last_read_at,tariff,cycle\nDUO,A-DUO,Duo,residential,M-DUO,DDS,0,2025-09-01,MON,BI\n'
		'DUO2,A-DUO,Duo,residential,M-DUO2,DDS,0,2025-09-01,MON,BI', 'UTF8'));
	PERFORM pg_temp.read(r, '2025-10-01 00:00', 60), pg_temp.read(r, '2025-11-01 00:00', 120)
	FROM unnest('{DUO,DUO2}'::text[]) AS r;
END $$;
CALL elecbill.bill_month('HOME', 'BI', '2025-09');
SELECT is((SELECT message FROM elecbill.bill_exception WHERE code = 'tier_scopes'),
	'several usage points of the account count their tiers together over more than one month',
	'over two months at once that cannot be told');
SELECT elecbill.bill_run_start('HOME', 'BI', '[2025-09-01,2025-10-01)', 'offcycle') AS duo_1 \gset
SELECT elecbill.bill_run_start('HOME', 'BI', '[2025-10-01,2025-11-01)', 'offcycle') AS duo_2 \gset
CALL elecbill.bill_run_work(:duo_1);
CALL elecbill.bill_run_work(:duo_2);
SELECT is((SELECT array_agg(b.amount ORDER BY b.service) FROM elecbill.bill b WHERE b.run_id IN (:duo_1, :duo_2)),
	'{66.00,66.00}', 'month by month it can: 60 at 0.5 here, 40 at 0.5 and 20 at 0.8 there');
SELECT throws_ok($$SELECT elecbill._bill_month_start('HOME', 'BI', '2025-10')$$, 'UB400',
	'no period of cycle ''BI'' begins in 2025-10', 'the second month of two is not taken for both');

-- ---------------------------------------------------------------- who is not billed

SELECT elecbill.billing_cycle_create('HOME', 'GUEST', 1) \g /dev/null
DO $$
BEGIN
	PERFORM pg_temp.home(r, 'MON', '2025-01-01', ',GUEST', ',cycle'), pg_temp.read(r, '2025-02-01 00:00', 100), pg_temp.read(r, '2025-03-01 00:00', 150)
	FROM unnest('{N1,N2,N3}'::text[]) AS r;
END $$;
SELECT elecbill.customer_tags_set('A-N2', '{no_bill}') \g /dev/null
CALL elecbill.bill_month('HOME', 'GUEST', '2025-01');
SELECT is(ARRAY[pg_temp.amount('N1', '2025-01'), pg_temp.amount('N2', '2025-01'), pg_temp.amount('N3', '2025-01')], '{50,NULL,50}',
	'a run leaves out who is not to be billed, and bills the others');
SELECT is(pg_temp.why('N2', '2025-01'), 'no_bill', 'and says so');
SELECT is((SELECT severity || ' ' || sqlstate || ' ' || message FROM elecbill.bill_exception WHERE code = 'no_bill'), 'error UB412 the customer is not billed',
	'in words');
SELECT max(r.id) AS guests FROM elecbill.bill_run r JOIN elecbill.billing_cycle c ON c.id = r.cycle_id WHERE c.code = 'GUEST' \gset
SELECT results_eq(format('SELECT status, bills::integer, parked::integer, exceptions::integer FROM elecbill.bill_run_progress WHERE run_id = %s', :guests),
	$$ VALUES ('done', 2, 1, 1) $$, 'in the progress of the run, too');
SELECT is(elecbill.label('no_bill', 'en') || ', ' || elecbill.label('no_bill', 'zh'), 'not billed, 不出账', 'in both languages');
SELECT elecbill.customer_tags_set('A-N2', '{}') \g /dev/null
SELECT is(elecbill.bill_run_retry(:guests), 1, 'when the tag is gone the account is tried again');
CALL elecbill.bill_run_work(:guests);
CALL elecbill.bill_run_issue(:guests);
SELECT is(pg_temp.amount('N2', '2025-01'), 50.00, 'and billed');
SELECT elecbill.customer_tags_set('A-N3', '{no_bill}') \g /dev/null
SELECT is((SELECT amount FROM elecbill.offcycle_bill('A-N3', '[2025-02-01,2025-03-01)')), 25.00, 'a bill that is asked for is made');

-- tariffs that cannot make bills of this office
SELECT throws_ok($$SELECT elecbill.simulate_bill('A-LATE', '[2025-10-01,2025-11-01)', '{"elecbill": 1,
	"currency": "CNY", "components": [{"code": "e", "kind": "energy", "price": 1}]}')$$, 'UB409',
	'currency and zone of the tariff must be those of the organisation', 'a tariff in another zone is not tried on');
SELECT throws_ok($$SELECT elecbill.tariff_draft('FINE', '[2025-01-01,)', '{"elecbill": 1, "currency": "CNY",
	"zone": "Asia/Shanghai", "minor_unit": 3, "components": [{"code": "e", "kind": "energy", "price": 1}]}', 'ann')$$,
	'0A000', 'bills with 3 decimals are not supported by this version', 'amounts are not rounded once more behind the back');

-- ---------------------------------------------------------------- explained, and in order

SELECT number AS seed FROM elecbill.bill b JOIN elecbill.customer_account a ON a.id = b.account_id
WHERE a.account_no = 'A-T300' AND lower(service) = '2025-01-01' \gset
SELECT is((SELECT text FROM elecbill.explain_bill(:'seed', 'en') WHERE text LIKE '%tier 2%'),
	'energy tier 2  100 kWh × 0.6 = 60.00 CNY', 'the bill explains its second tier in English');
SELECT is((SELECT text FROM elecbill.explain_bill(:'seed', 'zh') WHERE text LIKE '%止码%'),
	'  止码  2025-02-01 00:00:00  300.000 kWh', 'and its last reading in Chinese, by the local clock');
SELECT is_empty('SELECT * FROM elecbill.fsck()', 'the books are in order');
SELECT lives_ok('SELECT elecbill.rebuild_derived()', 'derived tables can be made anew');
SELECT is_empty('SELECT * FROM elecbill.fsck()', 'and are the same');
SELECT * FROM finish();
