-- adjustment.sql: a meter ran fast, a transformer was entered wrongly, a customer is to be soothed
-- The amounts were worked out by hand; the way is in the description of each test.
\set ON_ERROR_STOP 1
SET client_min_messages = warning;
\ir login/work_for.sql
\ir login/triggers.sql
SELECT plan(69);

-- ---------------------------------------------------------------- an estate

CREATE FUNCTION pg_temp.tariff(code text, component text) RETURNS void LANGUAGE sql AS $$
	SELECT elecbill.tariff_approve(code, elecbill.tariff_draft(code, '[2024-01-01,)', ('{"elecbill": 1, "currency": "CNY", "zone": "Asia/Shanghai",
		"components": [{"code": "energy", "kind": "energy", ' || component || '}]}')::jsonb, 'ann'), 'bob');
$$;
CREATE FUNCTION pg_temp.bill(account text, month text) RETURNS text LANGUAGE sql AS $$
	SELECT b.number FROM elecbill.bill b JOIN elecbill.customer_account a ON a.id = b.account_id
	WHERE a.account_no = account AND to_char(lower(b.service), 'YYYY-MM') = month AND b.live AND b.kind = 'regular';
$$;
CREATE FUNCTION pg_temp.amount(account text, month text) RETURNS numeric LANGUAGE sql AS $$
	SELECT b.amount FROM elecbill.bill b WHERE b.number = pg_temp.bill(account, month);
$$;
CREATE FUNCTION pg_temp.balance(account text) RETURNS numeric LANGUAGE sql AS $$
	SELECT coalesce(sum(b.debit - b.credit), 0) FROM elecbill.ledger_account l JOIN elecbill.account_balance b ON b.ledger_account_id = l.id
	WHERE l.code IN ('receivable:' || account, 'advance:' || account);
$$;
CREATE FUNCTION pg_temp.booked(account text) RETURNS TABLE (kind text, amount numeric) LANGUAGE sql AS $$
	SELECT t.kind, sum(t.amount) FROM elecbill.ledger_transfer t JOIN elecbill.bill b ON b.id = t.bill_id JOIN elecbill.customer_account a ON a.id = b.account_id
	WHERE a.account_no = account GROUP BY t.kind ORDER BY t.kind;
$$;
DO $$
BEGIN
	PERFORM elecbill.org_create('HOME', 'Green Court');
	PERFORM elecbill.partition_maintain(1, '2024-12-01');
	PERFORM elecbill.duty_grant('HOME', x.login, d.duty)
	FROM (VALUES ('mei'), ('lin')) AS x(login), (VALUES ('property'), ('billing'), ('finance')) AS d(duty);
	PERFORM pg_temp.tariff('FLAT', '"price": 0.5'), pg_temp.tariff('TAXED', '"price": 1, "vat": 13'),
		pg_temp.tariff('TIER', '"tier": {"scope": "month", "steps": [{"up_to": 200, "price": 0.5}, {"price": 1}]}');
END $$;
SELECT is_empty($$ SELECT * FROM elecbill.import_estate('HOME', convert_to(
	E'room,account_no,name,kind,meter_no,model,last_reading,last_read_at,tariff\nF1,A1,Family 1,residential,M-F1,DDS,0,2025-01-01,FLAT\n'
	'F2,A2,Family 2,residential,M-F2,DDS,0,2025-01-01,FLAT\nF3,A3,Firm 3,commercial,M-F3,DDS,0,2025-01-01,TAXED\n'
	'F4,A4,Family 4,residential,M-F4,DDS,0,2025-01-01,TIER\n', 'UTF8')) $$, 'four accounts');
SELECT count(elecbill.reading_add('HOME', 'M-' || x.m, '1.8.0', (make_date(2025, 1 + n, 1)::text || ' 00:00+08')::timestamptz, x.kwh * n))
FROM (VALUES ('F1', 310), ('F2', 100), ('F3', 100), ('F4', 400)) AS x(m, kwh), generate_series(1, 8) AS n;
CALL elecbill.bill_month('HOME', 'MONTH', '2025-01');

-- ---------------------------------------------------------------- asked for

SELECT public.work_for('mei');
SELECT throws_ok($$ SELECT elecbill.adjust('A1', 'gift', -1, 'why', 'k0') $$, 'UB400', '''gift'' is no kind of adjustment', 'an adjustment has a kind');
SELECT throws_ok($$ SELECT elecbill.adjust('A1', 'goodwill', -1, ' ', 'k0') $$, 'UB400', 'an adjustment has a reason, and a key of 1 to 128 characters without blanks', 'a reason');
SELECT throws_ok($$ SELECT elecbill.adjust('A1', 'goodwill', -1, 'why', NULL) $$, 'UB400', 'an adjustment has a reason, and a key of 1 to 128 characters without blanks', 'a key');
SELECT throws_ok($$ SELECT elecbill.adjust('A1', 'meter_error', -1, 'why', 'k0') $$, 'UB400', 'an adjustment of kind meter_error rests on evidence', 'evidence, where a meter was wrong');
SELECT throws_ok($$ SELECT elecbill.adjust('A1', 'goodwill', 0, 'why', 'k0') $$, 'UB422', 'an adjustment has an amount other than 0 and the tax in it, with two decimals at most', 'and an amount');
SELECT throws_ok($$ SELECT elecbill.adjust('A1', 'goodwill', -1.005, 'why', 'k0') $$, 'UB422', NULL, 'of two decimals');
SELECT throws_ok($$ SELECT elecbill.adjust('A1', 'goodwill', 'NaN', 'why', 'k0') $$, 'UB422', NULL, 'that is a number');
SELECT throws_ok($$ SELECT elecbill.adjust('A1', 'goodwill', -1, 'why', 'k0', tax => 0.1) $$, 'UB422', NULL, 'with tax on its side of 0');
SELECT throws_ok($$ SELECT elecbill.adjust('A0', 'goodwill', -1, 'why', 'k0') $$, 'UB404', 'there is no account ''A0''', 'of an account that is there');
SELECT throws_ok(format($$ SELECT elecbill.adjust('A1', 'goodwill', -1, 'why', 'k0', bill => %L) $$, pg_temp.bill('A2', '2025-01')), 'UB412',
	format('bill %s is no issued bill of account A1', pg_temp.bill('A2', '2025-01')), 'about a bill of its own');
SELECT is((SELECT count(*) FROM elecbill.audit_log WHERE action = 'adjust' AND outcome = 'refused'), 10::bigint, 'each refusal is in the audit log');
SELECT elecbill.adjust('A1', 'goodwill', -20, 'lift out of order', 'k1') AS a1 \gset
SELECT is(:'a1', (SELECT format('A%s-000001', extract(year FROM elecbill.now() AT TIME ZONE 'Asia/Shanghai'))), 'it gets a number');
SELECT is(elecbill.adjust('A1', 'goodwill', -20.00, 'lift out of order', 'k1'), :'a1', 'the same call again is the same adjustment');
SELECT throws_ok($$ SELECT elecbill.adjust('A1', 'goodwill', -30, 'lift out of order', 'k1') $$, 'UB409', 'the key was used for something else', 'the key is for this one');

-- ---------------------------------------------------------------- approved by another

SELECT throws_ok(format('SELECT elecbill.adjust_approve(%L)', :'a1'), 'UB403', 'an adjustment is approved by another person than asked for it', 'not by who asked for it');
SELECT throws_ok($$ SELECT elecbill.adjust_approve('A0000-1') $$, 'UB404', 'there is no adjustment ''A0000-1''', 'one that is not there');
SELECT public.work_for('lin');
SELECT is(elecbill.adjust_approve(:'a1'), NULL, 'it waits for the next bill');
SELECT is(elecbill.adjust_approve(:'a1'), NULL, 'the same call again changes nothing');
SELECT is(pg_temp.balance('A1'), 155.00, 'nothing is booked yet');
SELECT elecbill.adjust('A2', 'price', 7.50, 'wrong price', 'k2') AS a2 \gset
SELECT elecbill.adjust_reject(:'a2');
SELECT public.work_for('mei');
SELECT throws_ok(format('SELECT elecbill.adjust_approve(%L)', :'a2'), 'UB412', format('adjustment %s is rejected already', :'a2'), 'what was taken back is not approved');
CALL elecbill.bill_month('HOME', 'MONTH', '2025-02');
SELECT is(pg_temp.amount('A1', '2025-02'), 135.00, 'the next bill: 310 kWh at 0.50 less 20.00');
SELECT results_eq(format('SELECT l.kind, component, grp, label, trim_scale(quantity), unit, trim_scale(price), l.amount FROM elecbill.bill_line l JOIN elecbill.bill b ON b.id = l.bill_id WHERE b.number = %L ORDER BY n DESC LIMIT 1', pg_temp.bill('A1', '2025-02')),
	$$ VALUES ('adjustment', 'goodwill', 'adjustment', 'lift out of order', 1.0, 'unit', -20.0, -20.00) $$, 'has it as a line');
SELECT is((SELECT array_agg(e.text) FROM elecbill.explain_bill(pg_temp.bill('A1', '2025-02'), 'en') AS e WHERE e.text LIKE '  adjustment%'),
	ARRAY[format('  adjustment %s, goodwill: lift out of order', :'a1')], 'and says why');
SELECT is(pg_temp.balance('A1'), 290.00, '155.00 and 135.00 are owed');
SELECT is((SELECT (state, bill_id IS NOT NULL, line_n) = ('approved', true, 2) FROM elecbill.adjustment WHERE number = :'a1'), true, 'the adjustment knows its line');
SELECT throws_ok(format('SELECT elecbill.adjust_reject(%L)', :'a1'), 'UB412', format('adjustment %s is approved already', :'a1'), 'what is booked is not taken back');
SELECT is_empty('SELECT * FROM elecbill.fsck()', 'fsck() finds nothing');

-- its bill is made anew, or taken back
CALL elecbill.rebill('A1', '2025-02-01', 'made anew', 'r1');
SELECT is(pg_temp.amount('A1', '2025-02'), 135.00, 'a bill that is made anew has it again');
SELECT elecbill.cancel_bill(pg_temp.bill('A1', '2025-02'), 'meter', 'c1');
SELECT is((SELECT bill_id FROM elecbill.adjustment WHERE number = :'a1'), NULL, 'a bill that is taken back gives it free');
SELECT is_empty('SELECT * FROM elecbill.fsck()', 'fsck() finds nothing');
SELECT lives_ok(format('SELECT elecbill.adjust_reject(%L)', :'a1'), 'now it can be taken back');
SELECT max(id) AS february FROM elecbill.bill_run WHERE kind = 'regular' \gset
SELECT is(elecbill.bill_run_retry(:february), 1, 'and the month is billed again');
CALL elecbill.bill_run_work(:february);
CALL elecbill.bill_run_issue(:february);
SELECT is(pg_temp.amount('A1', '2025-02'), 155.00, 'without it');

-- ---------------------------------------------------------------- at once

SELECT elecbill.adjust('A2', 'goodwill', -60, 'long wait', 'k3', bill => pg_temp.bill('A2', '2025-01'), at_once => true) AS a3 \gset
SELECT public.work_for('lin');
SELECT elecbill.adjust_approve(:'a3') AS credit \gset
SELECT results_eq(format('SELECT kind, service, amount, tax_amount, paid, status FROM elecbill.bill WHERE number = %L', :'credit'),
	$$ VALUES ('credit', daterange('2025-01-01', '2025-02-01'), -60.00, 0.00, -60.00, 'paid') $$, 'a credit note of its own, about January');
SELECT is(elecbill.adjust_approve(:'a3'), :'credit', 'the same call again is answered with the same');
SELECT results_eq($$ SELECT b.amount, b.paid, b.status FROM elecbill.bill b JOIN elecbill.customer_account a ON a.id = b.account_id WHERE a.account_no = 'A2' AND b.kind = 'regular' ORDER BY b.service $$,
	$$ VALUES (50.00, 50.00, 'paid'), (50.00, 10.00, 'partly_paid') $$, 'it pays what is open, the earliest first');
SELECT is(pg_temp.balance('A2'), 40.00, '100.00 less 60.00');
SELECT results_eq($$ SELECT * FROM pg_temp.booked('A2') $$, $$ VALUES ('apply', 60.00), ('credit', 60.00), ('issue', 160.00) $$, 'all of it is in the ledger');
SELECT is_empty('SELECT * FROM elecbill.fsck()', 'fsck() finds nothing');
SELECT elecbill.adjust('A2', 'price', 11.30, 'price not raised', 'k4', tax => 1.30, at_once => true) AS a4 \gset
SELECT public.work_for('mei');
SELECT elecbill.adjust_approve(:'a4') AS charge \gset
SELECT results_eq(format('SELECT kind, upper(service) - lower(service), amount, tax_amount, status FROM elecbill.bill WHERE number = %L', :'charge'),
	$$ VALUES ('correction', 1, 11.30, 1.30, 'issued') $$, 'an amount above 0 is a correction bill, with its tax');
SELECT is((SELECT array_agg(l.amount ORDER BY n) FROM elecbill.bill_line l JOIN elecbill.bill b ON b.id = l.bill_id WHERE b.number = :'charge'), '{10.00,1.30}', 'in two lines');
SELECT elecbill.cancel_bill(:'credit', 'a mistake', 'c2');
SELECT is((SELECT state FROM elecbill.adjustment WHERE number = :'a3'), 'withdrawn', 'a credit note that is taken back takes its adjustment along');
SELECT is(pg_temp.balance('A2'), 111.30, 'and is owed again');
SELECT is_empty('SELECT * FROM elecbill.fsck()', 'fsck() finds nothing');
CALL elecbill.rebill('A2', '2025-01-01', 'made anew', 'r2');
SELECT is((SELECT count(*) FROM elecbill.bill b JOIN elecbill.bill o ON o.id = b.supersedes_id WHERE o.kind = 'credit'), 0::bigint, 'no bill replaces a credit note');
SELECT elecbill.adjust('A2', 'goodwill', -1, 'about January', 'k5', bill => pg_temp.bill('A2', '2025-01')) AS a5 \gset
CALL elecbill.rebill('A2', '2025-01-01', 'made anew', 'r3');
SELECT public.work_for('lin');
SELECT throws_ok(format('SELECT elecbill.adjust_approve(%L)', :'a5'), 'UB412', format('the bill that adjustment %s is about is cancelled', :'a5'), 'a bill that was replaced since is looked at anew');
SELECT is(elecbill.adjust('A2', 'goodwill', -1, 'about January', 'k5', bill => (SELECT b.number FROM elecbill.bill b JOIN elecbill.adjustment j ON j.corrected_id = b.id WHERE j.number = :'a5')), :'a5', 'the same call once more has the same answer, though the bill is cancelled since');

-- ---------------------------------------------------------------- what an error of metering comes to

SELECT public.work_for('mei');
CALL elecbill.bill_month('HOME', 'MONTH', '2025-03');
-- calibrated on 1 January, found 4 % fast on 1 April: 90 days, of which the last 45 count: 14 of February, 31 of March
SELECT results_eq($$ SELECT bill = pg_temp.bill('A1', to_char(first_day, 'YYYY-MM')), first_day, last_day, recorded_kwh, true_kwh, delta_kwh, price, amount, tax
	FROM elecbill.adjust_propose('A1', 'meter_error', '2025-01-01', '2025-04-01', '{"error": 4, "class": 2}') $$, $$ VALUES
	(true, date '2025-02-15', date '2025-02-28', 155.000000, 149.038462, -5.961538, 0.500000000, -2.98, 0.00),
	(true, date '2025-03-01', date '2025-03-31', 310.000000, 298.076923, -11.923077, 0.500000000, -5.96, 0.00) $$,
	'4 % fast, relative to zero error, for half the time: 465 kWh were 465/1.04, 8.94 go back');
SELECT throws_ok($$ SELECT * FROM elecbill.adjust_propose('A1', 'meter_error', '2025-01-01', '2025-04-01', '{"error": -1.5, "class": 2}') $$, 'UB422', 'the error of the meter lies within its class', 'within its class it is none');
SELECT is((SELECT sum(amount) FROM elecbill.adjust_propose('A1', 'meter_error', '2025-01-01', '2025-04-01', '{"error": -7, "class": 2}')), 17.50, '7 % slow: 465/0.93 less 465 kWh at 0.50: 5.83 and 11.67, by bills');
SELECT results_eq($$ SELECT recorded_kwh, true_kwh, amount, tax FROM elecbill.adjust_propose('A3', 'wiring', '2025-01-01', '2025-03-01', '{"ratio": 1.5}') $$, $$ VALUES
	(100.000000, 150.000000, 56.50, 6.50), (100.000000, 150.000000, 56.50, 6.50) $$, 'wrong wiring: the ratio of true to recorded since calibration, tax as on the bill');
SELECT results_eq($$ SELECT recorded_kwh, true_kwh, price, amount FROM elecbill.adjust_propose('A4', 'ct', '2025-01-01', '2025-02-01', '{"billed": 40, "true": 30}') $$, $$ VALUES
	(400.000000, 300.000000, 0.750000000, -75.00) $$, 'a ratio of 40 for 30: a quarter goes back, at the average of 300.00 for 400 kWh');
SELECT results_eq($$ SELECT recorded_kwh, true_kwh, amount FROM elecbill.adjust_propose('A1', 'other', '2025-01-22', '2025-02-01', '{"normal_kwh": 330}') $$, $$ VALUES
	(100.000000, 110.000000, 5.00) $$, 'else a normal month: 330 kWh of 30 days for ten days instead of 100 kWh');
SELECT is((SELECT count(*) FROM elecbill.adjust_propose('A1', 'ct', '2025-01-01', '2025-02-01', '{"billed": 1, "true": 2}', 'F1')), 1::bigint, 'of one point');
SELECT is((SELECT count(*) FROM elecbill.adjust_propose('A1', 'ct', '2025-01-01', '2025-02-01', '{"billed": 1, "true": 2}', 'F2')), 0::bigint, 'not of that of another');
SELECT throws_ok($$ SELECT * FROM elecbill.adjust_propose('A1', 'goodwill', '2025-01-01', '2025-02-01', '{}') $$, 'UB400', 'no rule proposes an adjustment of kind ''goodwill''', 'no rule says what goodwill is');
SELECT throws_ok($$ SELECT * FROM elecbill.adjust_propose('A1', 'ct', '2025-01-01', '2025-01-01', '{"billed": 1, "true": 2}') $$, 'UB400', 'an error lasts from a day to a later one', 'no day');
SELECT throws_ok($$ SELECT * FROM elecbill.adjust_propose('A1', 'ct', '2025-01-01', '2025-02-01', '{"billed": 0, "true": 2}') $$, 'UB400', 'billed is a number above 0 and below 1000000', 'no ratio');
SELECT throws_ok($$ SELECT * FROM elecbill.adjust_propose('A1', 'wiring', '2025-01-01', '2025-02-01', '{"ratio": "two"}') $$, 'UB400', 'ratio is a number above 0 and below 1000', 'no number');
SELECT elecbill.adjust('A3', 'wiring', sum(p.amount), 'wrong wiring since January', 'k6', evidence => 'certificate 2025-17', tax => sum(p.tax)) AS a6
FROM elecbill.adjust_propose('A3', 'wiring', '2025-01-01', '2025-03-01', '{"ratio": 1.5}') AS p \gset
SELECT public.work_for('lin');
SELECT elecbill.adjust_approve(:'a6');
CALL elecbill.bill_month('HOME', 'MONTH', '2025-04');
SELECT results_eq(format('SELECT amount, tax_amount FROM elecbill.bill WHERE number = %L', pg_temp.bill('A3', '2025-04')), $$ VALUES (226.00, 26.00) $$,
	'100 kWh at 1.00 with 13 %: 113.00; and 113.00 for what the meter did not see');
SELECT is((SELECT array_agg(e.text) FROM elecbill.explain_bill(pg_temp.bill('A3', '2025-04'), 'zh') AS e WHERE e.text LIKE '  退补%'),
	ARRAY[format('  退补 %s 接线错误:wrong wiring since January (certificate 2025-17)', :'a6')], 'with the evidence, in Chinese, too');
SELECT is_empty('SELECT * FROM elecbill.fsck()', 'fsck() finds nothing');

-- ---------------------------------------------------------------- a final bill takes what waits

SELECT elecbill.adjust('A4', 'goodwill', -5, 'farewell', 'k7') AS a7 \gset
SELECT public.work_for('mei'), elecbill.adjust_approve(:'a7');
SELECT is((SELECT f.amount FROM elecbill.final_bill('A4', '2025-06-01', 'f1') AS f), 295.00, '400 kWh by tiers are 300.00, less 5.00');

-- ---------------------------------------------------------------- what fsck() would see

SELECT throws_ok('UPDATE elecbill.adjustment SET amount = 1', 'UB403', 'adjustment is append-only', 'an adjustment is not changed');
SELECT throws_ok('DELETE FROM elecbill.adjustment', 'UB403', 'adjustment is append-only', 'nor removed');
SELECT throws_ok(format('UPDATE elecbill.adjustment SET state = %L, decided_by = requested_by, decided_at = now() WHERE number = %L', 'approved', :'a5'), '23514', NULL, 'nobody approves his own, in the table either');
SELECT public.triggers('elecbill.adjustment', 'DISABLE');
UPDATE elecbill.adjustment SET amount = -6 WHERE number = :'a7';
SELECT is((SELECT array_agg(invariant || ': ' || detail ORDER BY detail) FROM elecbill.fsck() WHERE invariant = 'adjustment'),
	ARRAY[format('adjustment: -6.00 is billed as -5.00 by bill %s, which is %s', (SELECT bill_id FROM elecbill.adjustment WHERE number = :'a7'),
		(SELECT b.status FROM elecbill.bill b JOIN elecbill.adjustment j ON j.bill_id = b.id WHERE j.number = :'a7')),
	'adjustment: its lines of kind adjustment come to -5.00, what they are for to -6.00'], 'an adjustment that is booked otherwise is seen');
UPDATE elecbill.adjustment SET amount = -5 WHERE number = :'a7';
SELECT public.triggers('elecbill.adjustment', 'ENABLE');
SELECT is_empty('SELECT * FROM elecbill.fsck()', 'mended, fsck() finds nothing');
SELECT * FROM finish();
