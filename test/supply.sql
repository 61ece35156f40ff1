-- supply.sql: what the estate pays the grid, what it may collect for it, prices that come by file
\set ON_ERROR_STOP 1
SET client_min_messages = warning;
\ir login/work_for.sql
\ir login/triggers.sql
SELECT plan(72);

-- ---------------------------------------------------------------- a park: three shops and the lamps, behind one meter of the grid

CREATE FUNCTION pg_temp.month_end(day text, s1 numeric, s2 numeric, s3 numeric, lamps numeric, p numeric) RETURNS void LANGUAGE sql AS $$
	SELECT elecbill.reading_add('PARK', m, '1.8.0', (day || '+08')::timestamptz, v)
	FROM (VALUES ('M-S1', s1), ('M-S2', s2), ('M-S3', s3), ('M-LAMPS', lamps), ('M-P', p)) AS x(m, v);
$$;
CREATE FUNCTION pg_temp.amount(account text, month text) RETURNS numeric LANGUAGE sql AS $$
	SELECT b.amount FROM elecbill.bill b JOIN elecbill.customer_account a ON a.id = b.account_id
	WHERE a.account_no = account AND to_char(lower(b.service), 'YYYY-MM') = month AND b.live;
$$;
CREATE FUNCTION pg_temp.grid(number text, days daterange, amount numeric, lines jsonb DEFAULT NULL, key text DEFAULT NULL) RETURNS void LANGUAGE sql AS $$
	SELECT elecbill.supply_bill_add('PARK', 'P', number, days, amount, coalesce(lines, jsonb_build_array(jsonb_build_object('kind', 'energy',
		'quantity', 1000, 'amount', amount))), coalesce(key, 'k-' || number));
$$;
CREATE FUNCTION pg_temp.csv(file text) RETURNS bytea LANGUAGE sql AS $$ SELECT convert_to(file, 'UTF8') $$;
CREATE FUNCTION pg_temp.faults(series text, file text) RETURNS text[] LANGUAGE plpgsql AS $$
DECLARE
	job bigint := elecbill.import_prices(series, pg_temp.csv(file));
BEGIN
	RETURN ARRAY(SELECT concat_ws('|', e.line, e.field, e.code, e.message) FROM elecbill.import_row_error e WHERE e.job_id = job ORDER BY e.n);
END $$;
DO $$
BEGIN
	PERFORM elecbill.org_create('PARK', 'Shop Park');
	PERFORM elecbill.partition_maintain(1, '2024-12-01');
	PERFORM elecbill.duty_grant('PARK', x.login, d.duty)
	FROM (VALUES ('mei'), ('lin')) AS x(login), (VALUES ('property'), ('billing'), ('finance')) AS d(duty);
	PERFORM elecbill.tariff_approve(t.code, elecbill.tariff_draft(t.code, '[2024-01-01,)', ('{"elecbill": 1, "currency": "CNY",
		"zone": "Asia/Shanghai", "components": [{"code": "energy", "kind": "energy", "price": ' || t.price || '}]}')::jsonb, 'ann'), 'bob')
	FROM (VALUES ('FREE', 0), ('FLAT', 0.8)) AS t(code, price);
END $$;
SELECT is_empty($$ SELECT * FROM elecbill.import_estate('PARK', convert_to(
	E'room,account_no,name,kind,meter_no,model,last_reading,last_read_at,tariff\nS1,A1,Shop 1,commercial,M-S1,DDS,0,2025-01-01,FREE\n'
	'S2,A2,Shop 2,commercial,M-S2,DDS,0,2025-01-01,FREE\nS3,A3,Shop 3,commercial,M-S3,DDS,0,2025-01-01,FREE\n'
	'LAMPS,,,common,M-LAMPS,DDS,0,2025-01-01,\nP,,,parent,M-P,DDS,0,2025-01-01,\n', 'UTF8')) $$, 'three shops, lamps, a parent meter');
SELECT elecbill.usage_point_tree_set('PARK', c, 'P', '2025-01-01') FROM unnest('{S1,S2,S3,LAMPS}'::text[]) AS c;
SELECT public.work_for('mei'), elecbill.allocation_rule_set('PARK', 'POOL', 'P', 'supply', 'kwh', '[2025-01-01,2025-04-01)', model => 'pool', name => 'Share of the grid bill');
SELECT public.work_for('lin'), elecbill.allocation_rule_approve('PARK', 'POOL');

-- ---------------------------------------------------------------- a bill of the grid

SELECT pg_temp.grid('G-01', '[2025-01-01,2025-02-01)', 803.25, '[{"kind": "energy", "period": "peak", "quantity": 600, "price": 0.9, "amount": 540.00},
	{"kind": "energy", "period": "valley", "quantity": 400, "price": 0.4, "amount": 160.00}, {"kind": "demand", "quantity": 20, "unit": "kw", "price": 5, "amount": 100.00},
	{"kind": "power_factor", "quantity": 0.93, "label": "Power factor", "amount": -6.75}, {"kind": "tax", "amount": 10.00}]');
SELECT pg_temp.grid('G-01', '[2025-01-01,2025-02-01)', 803.25, '[{"kind": "energy", "period": "peak", "quantity": 600, "price": 0.9, "amount": 540.00},
	{"kind": "energy", "period": "valley", "quantity": 400, "price": 0.4, "amount": 160.00}, {"kind": "demand", "quantity": 20, "unit": "kw", "price": 5, "amount": 100.00},
	{"kind": "power_factor", "quantity": 0.93, "label": "Power factor", "amount": -6.75}, {"kind": "tax", "amount": 10.00}]');
SELECT results_eq('SELECT number, kwh, amount, created_by FROM elecbill.supply_bill', $$ VALUES ('G-01', 1000.000000, 803.25, 'lin') $$, 'a bill of the grid is entered once, however often it is sent');
SELECT is((SELECT array_agg(concat_ws(' ', kind, period, trim_scale(quantity), unit) ORDER BY n) FROM elecbill.supply_line),
	'{"energy peak 600 kwh","energy valley 400 kwh","demand 20 kw","power_factor 0.93",tax}', 'with its kWh by period, demand and power factor');
SELECT lives_ok($$ SELECT pg_temp.grid('G-01', '[2025-01-01,2025-02-01)', 803.250, '[{"kind": "energy", "period": "peak", "quantity": 600.000, "price": 0.90, "amount": 540},
	{"kind": "energy", "period": "valley", "quantity": 400.0, "price": 0.4, "amount": 160.00}, {"kind": "demand", "label": null, "quantity": 20, "unit": "kw", "price": 5.00, "amount": 1e2},
	{"kind": "power_factor", "quantity": 0.930, "label": "Power factor", "amount": -6.75}, {"kind": "tax", "amount": 10}]') $$, 'the same numbers written with more or fewer digits are the same call');
SELECT throws_ok($$ SELECT pg_temp.grid('G-02', '[2025-02-01,2025-03-01)', 1, key => 'k-G-01') $$, 'UB409', 'the key was used for something else', 'a key is for one bill');
SELECT throws_ok($$ SELECT pg_temp.grid('G-02', '[2025-01-15,2025-02-15)', 1) $$, 'UB409', 'there is a bill of the grid of this number, or for these days, already', 'no two bills share a day');
SELECT throws_ok($$ SELECT pg_temp.grid('G-01', '[2025-02-01,2025-03-01)', 1, key => 'k2') $$, 'UB409', 'there is a bill of the grid of this number, or for these days, already', 'nor a number');
SELECT throws_ok($$ SELECT pg_temp.grid('G-02', '[2025-02-01,)', 1) $$, 'UB400', 'a bill of the grid has a number, days with both ends and a key', 'its days end');
SELECT throws_ok($$ SELECT pg_temp.grid('G-02', '[2025-02-01,2025-03-01)', 2, '[{"kind": "fixed", "amount": 1}]') $$, 'UB422', 'the lines of the bill of the grid do not add up to its amount', 'its lines add up');
SELECT throws_ok($$ SELECT pg_temp.grid('G-02', '[2025-02-01,2025-03-01)', 1, '[]') $$, 'UB400', 'a bill of the grid has a list of lines', 'it has lines');
SELECT throws_ok($$ SELECT pg_temp.grid('G-02', '[2025-02-01,2025-03-01)', 1, '[{"kind": "fixed", "amount": "one"}]') $$, 'UB400', 'a bill of the grid has a list of lines', 'with numbers in them');
SELECT throws_ok($$ SELECT pg_temp.grid('G-02', '[2025-02-01,2025-03-01)', 1, '[{"kind": "energy", "amount": 1}]') $$, 'UB400', 'a line of a bill of the grid has a kind, an amount of two decimals, and for energy its kWh', 'energy has its kWh');
SELECT throws_ok($$ SELECT elecbill.supply_bill_add('PARK', 'Q', 'G-02', '[2025-02-01,2025-03-01)', 1, '[{"kind": "fixed", "amount": 1}]', 'k3') $$, 'UB404', 'there is no usage point ''Q''', 'of a meter that is there');
SELECT is((SELECT count(*) FROM elecbill.audit_log WHERE action = 'supply_bill_add' AND outcome = 'refused'), 9::bigint, 'each refusal is in the audit log');
SELECT throws_ok('UPDATE elecbill.supply_line SET amount = 0', 'UB403', 'supply_line is append-only', 'what was entered stays');
SELECT throws_ok('DELETE FROM elecbill.supply_bill', 'UB403', 'supply_bill is append-only', 'all of it');

-- ---------------------------------------------------------------- the pool: 803.25 by 300, 300, 300 and 60 kWh

SELECT pg_temp.month_end('2025-02-01', 300, 300, 300, 60, 1000);
SELECT elecbill.bill_run_start('PARK', 'MONTH', '[2025-01-01,2025-02-01)') AS january \gset
CALL elecbill.bill_run_work(:january);
CALL elecbill.bill_run_issue(:january);
SELECT results_eq($$ SELECT pg_temp.amount(a, '2025-01') FROM unnest('{A1,A2,A3}'::text[]) AS a $$, $$ VALUES (251.02), (251.02), (251.01) $$,
	'each shop pays its share: 803.25 x 300/960 = 251.015625, the cents to the first');
SELECT results_eq($$ SELECT u.code, r.amount, r.bill_id IS NULL FROM elecbill.allocation_result r JOIN elecbill.usage_point u ON u.id = r.usage_point_id ORDER BY r.n $$,
	$$ VALUES ('LAMPS', 50.20, true), ('S1', 251.02, false), ('S2', 251.02, false), ('S3', 251.01, false) $$, 'the lamps are the own use of the estate; their share is not shifted to the shops');
SELECT is((SELECT concat_ws(' ', l.component, l.grp, l.label, l.price) FROM elecbill.bill_line l WHERE l.kind = 'allocation' ORDER BY l.bill_id LIMIT 1),
	'supply pool Share of the grid bill 0.836718750', 'the line says what it is, at the average of the bill');
SELECT results_eq('SELECT parent, number, model, paid, charged, shared, fee, difference, paid_price, charged_price, bills, state FROM elecbill.resale_guard',
	$$ VALUES ('P', 'G-01', 'pool', 803.25, 753.05, 753.05, 0.00, 50.20, 0.803250000, 0.836722222, 3::bigint, 'ok') $$, 'the guard: no more is collected than is paid');
SELECT results_eq('SELECT month, paid_kwh, paid, charged_kwh, charged, collected, margin, cash_margin, currency FROM elecbill.margin',
	$$ VALUES (date '2025-01-01', 1000.000000, 803.25, 900.000, 753.05, 0.00, -50.20, -803.25, 'CNY') $$, 'the margin of the month');
SELECT is((SELECT (supplied_kwh, sold_kwh, loss_kwh, loss_percent) = (1000, 960, 40, 4.00) FROM elecbill.line_loss WHERE month = '2025-01-01'), true, '40 kWh are lost');
SELECT throws_ok($$ SELECT elecbill.supply_bill_void('PARK', 'G-01', 'wrong') $$, 'UB412', 'bill of the grid ''G-01'' is shared and billed', 'a bill by which tenants are billed stays');
SELECT throws_ok($$ SELECT elecbill.supply_bill_void('PARK', 'G-09', 'wrong') $$, 'UB404', 'there is no bill of the grid ''G-09''', 'an unknown one');
SELECT throws_ok($$ SELECT elecbill.supply_bill_void('PARK', 'G-01', ' ') $$, 'UB400', 'a bill of the grid is taken back for a reason', 'for no reason');
SELECT is_empty('SELECT * FROM elecbill.fsck()', 'fsck() finds nothing');

-- ---------------------------------------------------------------- the bill of the grid is late

SELECT pg_temp.month_end('2025-03-01', 400, 500, 600, 60, 1700);
SELECT elecbill.bill_run_start('PARK', 'MONTH', '[2025-02-01,2025-03-01)') AS february \gset
CALL elecbill.bill_run_work(:february);
SELECT results_eq(format('SELECT code, detail FROM elecbill.bill_exception WHERE run_id = %s', :february),
	$$ SELECT 'allocation', 'there is no bill of the grid for P over 2025-02-01 to 2025-02-28' FROM generate_series(1, 3) $$, 'without it nobody in the pool is billed, and it says so');
SELECT pg_temp.grid('G-00', '[2025-02-01,2025-03-01)', 500.00), elecbill.supply_bill_void('PARK', 'G-00', 'typing error'), pg_temp.grid('G-02', '[2025-02-01,2025-03-01)', 600.00);
SELECT is(elecbill.bill_run_retry(:february), 3, 'with it they are');
-- one shop was put on a tariff that charges for the same energy
SELECT elecbill.agreement_set('PARK', 'A3', 'FLAT', '2025-02-01');
CALL elecbill.bill_run_work(:february);
SELECT results_eq($$ SELECT pg_temp.amount(a, '2025-02') FROM unnest('{A1,A2,A3}'::text[]) AS a $$, $$ VALUES (100.00), (200.00), (540.00) $$, '600.00 by 100, 200, 300 kWh, and 300 kWh at 0.80 besides');
SELECT throws_ok(format('CALL elecbill.bill_run_issue(%s)', :february), 'UB422', 'more would be collected behind P than is paid to the grid', 'such a run is not issued');
SELECT results_eq($$ SELECT charged, difference, state FROM elecbill.resale_guard WHERE number = 'G-02' $$, $$ VALUES (840.00, -240.00, 'over') $$, 'the guard says by how much');
SELECT is((SELECT status FROM elecbill.bill_run WHERE id = :february), 'review', 'the run waits');
CALL elecbill.run_cancel(:february, 'wrong tariff');
SELECT public.work_for('');
SELECT elecbill.tariff_approve('FLAT', elecbill.tariff_draft('FLAT', '[2025-02-01,2025-03-01)', '{"elecbill": 1, "currency": "CNY",
		"zone": "Asia/Shanghai", "components": [{"code": "energy", "kind": "energy", "price": 0}]}', 'ann'), 'bob');
SELECT public.work_for('lin');
CALL elecbill.bill_month('PARK', 'MONTH', '2025-02');
SELECT results_eq($$ SELECT pg_temp.amount(a, '2025-02') FROM unnest('{A1,A2,A3}'::text[]) AS a $$, $$ VALUES (100.00), (200.00), (300.00) $$, 'with the tariff put right it is');
SELECT results_eq($$ SELECT charged, difference, state FROM elecbill.resale_guard WHERE number = 'G-02' $$, $$ VALUES (600.00, 0.00, 'ok') $$, 'to the cent what is paid');
SELECT public.work_for('');
SELECT elecbill.tariff_approve('FLAT', elecbill.tariff_draft('FLAT', '[2025-02-01,2025-03-01)', '{"elecbill": 1, "currency": "CNY",
		"zone": "Asia/Shanghai", "components": [{"code": "energy", "kind": "energy", "price": 0.80}]}', 'ann'), 'bob', p_supersede => true);
SELECT public.work_for('lin');
SELECT throws_ok($$ SELECT elecbill._rebill_account(a.id, '2025-02-01', 'other price', true, '{}') FROM elecbill.customer_account a WHERE a.account_no = 'A3' $$,
	'UB422', 'more would be collected behind P than is paid to the grid', 'nor is more collected by a bill that is made anew');
SELECT is_empty('SELECT * FROM elecbill.fsck()', 'fsck() finds nothing');

-- ---------------------------------------------------------------- prices from a file

SELECT public.work_for('');
SELECT elecbill.price_series_create('PARK', 'PROXY', 'bill_month', 'proxy purchase'), elecbill.price_series_create('PARK', 'SPOT');
SELECT elecbill.tariff_approve('PROXIED', elecbill.tariff_draft('PROXIED', '[2024-01-01,)', '{"elecbill": 1, "currency": "CNY", "zone": "Asia/Shanghai",
	"series": {"proxy": "PROXY"}, "components": [{"code": "energy", "kind": "energy", "price": {"series": "proxy"}}]}', 'ann'), 'bob');
SELECT elecbill.agreement_set('PARK', 'A3', 'FREE', '2025-03-01'), elecbill.agreement_set('PARK', 'A3', 'PROXIED', '2025-04-01');
SELECT public.work_for('mei');
SELECT is(pg_temp.faults('PROXY', E'month,price\n2025-04,0.5012\n2025-13,0.6\n2025-05,free\n2025-04,0.7\n2025-06\n\n'),
	ARRAY['3|month|UB400|"2025-13" is no month such as 2026-01', '4|price|UB400|"free" is no price: digits with nine decimals at most',
		'5|month|UB409|another line has a price for some of this time', '6|UB400|1 fields, but 2 columns are named'], 'each row that is wrong is named by line, column and reason');
SELECT is((SELECT array_agg((state, given, stored, ignored, errors)::text) FROM elecbill.import_job WHERE kind = 'prices'), '{"(refused,1,0,0,4)"}', 'and nothing waits: all or nothing');
SELECT elecbill.import_prices('PROXY', pg_temp.csv(E'月份,电价,备注\n2025-04,0.5012,\n2025年5月,-0.1,负电价\n'), dry_run => true) AS dry \gset
SELECT is_empty('SELECT * FROM elecbill.price_batch', 'a dry run leaves nothing but the job');
SELECT is((SELECT (state, dry_run, stored)::text FROM elecbill.import_job WHERE id = :dry), '(done,t,2)', 'with its counts');
SELECT elecbill.import_prices('PROXY', pg_temp.csv(E'月份,电价,备注\n2025-04,0.5012,\n2025年5月,-0.1,负电价\n')) AS job \gset
SELECT is(elecbill.import_prices('PROXY', pg_temp.csv(E'月份,电价,备注\n2025-04,0.5012,\n2025年5月,-0.1,负电价\n')), :job::bigint, 'the same file again is the same job');
SELECT is_empty('SELECT * FROM elecbill.price_point', 'until somebody approves it no price is known');
SELECT throws_ok(format('SELECT elecbill.import_prices_approve(%s)', :job), 'UB403', 'prices are approved by another person than took them in', 'who took them in does not approve them');
SELECT throws_ok('SELECT elecbill.import_prices_approve(0)', 'UB404', 'no prices of job 0 wait', 'a job without prices');
SELECT pg_temp.month_end('2025-04-01', 500, 600, 700, 60, 2000), pg_temp.month_end('2025-05-01', 600, 700, 800, 60, 2300);
SELECT pg_temp.grid('G-03', '[2025-03-01,2025-04-01)', 300.00);
SELECT lives_ok($$ SELECT elecbill.bill_run_start('PARK', 'MONTH', '[2025-03-01,2025-04-01)') $$, 'a month in which nobody reads the series needs no price');
CALL elecbill.bill_month('PARK', 'MONTH', '2025-03');
SELECT throws_ok($$ CALL elecbill.bill_month('PARK', 'MONTH', '2025-04') $$, 'UB412', 'price series ''PROXY'' has no price for 2025-04', 'a month without its price stops the run by name');
SELECT is((SELECT count(*) FROM elecbill.bill_run WHERE period @> date '2025-04-15'), 0::bigint, 'and leaves no run');
SELECT public.work_for('lin');
SELECT is(elecbill.import_prices_approve(:job), 2, 'another person approves two prices');
SELECT is(elecbill.import_prices_approve(:job), 2, 'the same call again is answered the same');
SELECT throws_ok(format('SELECT elecbill.import_prices_reject(%s)', :job), 'UB412', format('the prices of job %s are approved already', :job), 'what is in force is not rejected');
SELECT results_eq('SELECT during, price, created_by FROM elecbill.price_point ORDER BY during', $$ VALUES
	(tstzrange('2025-04-01 00:00+08', '2025-05-01 00:00+08'), 0.501200000, 'lin'), (tstzrange('2025-05-01 00:00+08', '2025-06-01 00:00+08'), -0.1, 'lin') $$, 'for local months');
CALL elecbill.bill_month('PARK', 'MONTH', '2025-04');
SELECT is(pg_temp.amount('A3', '2025-04'), 50.12, '100 kWh at 0.5012');
SELECT elecbill.import_prices('PARK/SPOT', pg_temp.csv(E'from,to,price\n2025-04-01 00:00,2025-04-01 01:00,0.3\n2025-04-01 01:00,2025/4/2,0.4\n2025-04-03,2025-04-02,1\n2025-02-30,2025-03-02,1\n2025-04-05 25:00,2025-04-06,1\n,2025-04-06,1\n'), 'skip_bad') AS spot \gset
SELECT is((SELECT array_agg(concat_ws('|', e.line, e.field, e.message) ORDER BY e.n) FROM elecbill.import_row_error e WHERE e.job_id = :spot),
	ARRAY['4|to|a price ends before it begins', '5|from|"2025-02-30" is no date such as 2026-01-31, nor date and time', '6|from|"2025-04-05 25:00" is no time of day',
		'7|from|"" is no date such as 2026-01-31, nor date and time'], 'times have their faults, too');
SELECT results_eq(format('SELECT during, price FROM elecbill.price_batch_row WHERE job_id = %s ORDER BY line', :spot), $$ VALUES
	(tstzrange('2025-04-01 00:00+08', '2025-04-01 01:00+08'), 0.3), (tstzrange('2025-04-01 01:00+08', '2025-04-02 00:00+08'), 0.4) $$, 'skip_bad takes the others');
SELECT is(elecbill.import_prices_reject(:spot), 2, 'who took prices in may take them back');
SELECT isnt(elecbill.import_prices('SPOT', pg_temp.csv(E'from,to,price\n2025-04-01 00:00,2025-04-01 01:00,0.3\n2025-04-01 01:00,2025/4/2,0.4\n2025-04-03,2025-04-02,1\n2025-02-30,2025-03-02,1\n2025-04-05 25:00,2025-04-06,1\n,2025-04-06,1\n'), 'skip_bad'), :spot::bigint, 'then the file may come again');
SELECT is(pg_temp.faults('SPOT', ''), '{1|UB400|the file is empty}', 'an empty file');
SELECT is(array_to_string(pg_temp.faults('SPOT', E'month,price,from\n'), ';'), '1|UB400|a file of prices has the columns month and price, or from, to and price', 'a file of other columns');
SELECT is(array_to_string(pg_temp.faults('SPOT', E'month,cost\n'), ';'), '1|cost|UB400|unknown column "cost"; known are month 月份, or from 起 and to 止, and price 电价', 'an unknown column');
SELECT throws_ok($$ SELECT elecbill.import_prices('SPOT', '', 'some') $$, 'UB400', 'a file of prices is imported all_or_nothing or skip_bad', 'an unknown mode');
SELECT throws_ok($$ SELECT elecbill.import_prices('NONE', '') $$, 'UB404', 'there is no price series ''NONE''', 'an unknown series');
SELECT throws_ok('UPDATE elecbill.price_batch_row SET price = 0', 'UB403', 'price_batch_row is append-only', 'prices that wait are not changed');
SELECT is_empty('SELECT * FROM elecbill.fsck()', 'fsck() finds nothing');

-- ---------------------------------------------------------------- a share by the price of a series

SELECT public.work_for('mei'), elecbill.allocation_rule_set('PARK', 'LAMPS', 'P', 'common', 'kwh', '[2025-05-01,)', series => 'PROXY', source => 'LAMPS');
SELECT public.work_for('lin'), elecbill.allocation_rule_approve('PARK', 'LAMPS');
SELECT pg_temp.month_end('2025-06-01', 700, 800, 900, 160, 2700), pg_temp.month_end('2025-07-01', 800, 900, 1000, 260, 3100);
SELECT public.work_for('');
SELECT elecbill.agreement_set('PARK', 'A3', 'FLAT', '2025-05-01');
CALL elecbill.bill_month('PARK', 'MONTH', '2025-05');
SELECT results_eq($$ SELECT pg_temp.amount(a, '2025-05') FROM unnest('{A1,A2,A3}'::text[]) AS a $$, $$ VALUES (-3.34), (-3.33), (76.67) $$, '100 kWh at -0.10 of the month are -10.00');
SELECT elecbill.bill_run_start('PARK', 'MONTH', '[2025-06-01,2025-07-01)') AS june \gset
CALL elecbill.bill_run_work(:june);
SELECT results_eq(format('SELECT DISTINCT detail FROM elecbill.bill_exception WHERE run_id = %s AND code = ''allocation''', :june),
	$$ VALUES ('price series ''PROXY'' has no price for 2025-06-30') $$, 'a share without its price waits');

-- ---------------------------------------------------------------- a year of hourly prices, rows that are all wrong

SELECT string_agg(format(E'"%s","%s",%s\r\n', to_char(h, 'YYYY/FMMM/FMDD HH24:MI'), to_char(h + interval '1 hour', 'YYYY-MM-DD HH24:MI:SS'),
	round(0.3 + extract(hour FROM h) / 100, 5)), '' ORDER BY h) AS hours FROM generate_series(timestamp '2026-01-01', timestamp '2026-12-31 23:00', interval '1 hour') AS h \gset
SELECT public.work_for('mei');
SET statement_timeout = '9s';
SELECT elecbill.import_prices('SPOT', pg_temp.csv(E'\ufeff起,止,电价\r\n' || :'hours')) AS year \gset
RESET statement_timeout;
SELECT public.work_for('lin'), elecbill.import_prices_approve(:year) AS prices \gset
SELECT is((:prices, sum(p.price))::text, '(8760,3635.400000000)', 'a year of hours comes in within seconds: 365 x (24 x 0.3 + 276/100)')
FROM elecbill.price_point p JOIN elecbill.price_series s ON s.id = p.series_id WHERE s.code = 'SPOT';

-- ---------------------------------------------------------------- what is lost, in two estates

SELECT public.work_for('');
SELECT elecbill.org_create('MILL', 'Mill Yard');
SELECT is_empty($$ SELECT * FROM elecbill.import_estate('MILL', convert_to(E'room,kind,meter_no,model,last_reading,last_read_at,account_no,name,tariff\n'
	|| (SELECT string_agg(format(E'%s,common,N-%s,DDS,0,2025-01-01,,,\n', r, r), '') FROM unnest('{Q,T1,T2,T3,T4,T5}'::text[]) AS r), 'UTF8')) $$, 'a mill has a parent meter of its own');
SELECT elecbill.usage_point_tree_set('MILL', c, 'Q', '2025-01-01') FROM unnest('{T1,T2,T3,T4,T5}'::text[]) AS c;
SELECT elecbill.reading_add('MILL', 'N-' || m, '1.8.0', '2025-02-01 00:00+08', v) FROM (VALUES ('Q', 500), ('T1', 90), ('T2', 90), ('T3', 90), ('T4', 90), ('T5', 100)) AS r(m, v);
-- a plan in which a parent of one estate once met the code of the other
ANALYZE elecbill.org, elecbill.usage_point, elecbill.usage_point_tree;
SET enable_nestloop = off;
SELECT is((SELECT concat_ws(' ', org, children, supplied_kwh, sold_kwh, loss_percent, alarm, fault) FROM elecbill.line_loss WHERE parent = 'Q' AND month = '2025-01-01'),
	'MILL 5 500.000 460.000 8.00 loss_high ', '40 of 500 kWh are lost there, by whatever plan');
RESET enable_nestloop;
SELECT is((SELECT fault FROM elecbill.line_loss WHERE parent = 'Q' AND month = '2025-02-01'), 'usage point Q: the register is not known at 2025-03-01 00:00:00; '
	'usage point T1: the register is not known at 2025-03-01 00:00:00; usage point T2: the register is not known at 2025-03-01 00:00:00; '
	'usage point T3: the register is not known at 2025-03-01 00:00:00; and 2 more', 'what is not known of a month is told, of three points at most');
SELECT throws_ok($$ SELECT elecbill.line_energy('MILL', 'Q', '[2025-01-01,)') $$, 'UB400', 'energy is measured on days with both ends', 'days have an end');

-- ---------------------------------------------------------------- what fsck() would see

SELECT public.triggers('elecbill.supply_bill', 'DISABLE'), public.triggers('elecbill.supply_line', 'DISABLE');
UPDATE elecbill.supply_bill SET amount = 599.99 WHERE number = 'G-02';
SELECT results_eq('SELECT invariant, object, detail FROM elecbill.fsck() WHERE invariant <> ''I03'' ORDER BY 1', $$ VALUES
	('resale', 'bill of the grid G-02', '599.99 is paid, issued bills charge 600.00'),
	('supply', 'bill of the grid G-02', '599.99 and 1000.000000 kWh, its lines have 600.00 and 1000.000000 kWh') $$, 'a bill of the grid that does not add up, and a pool that collects too much');
UPDATE elecbill.supply_bill SET amount = 600.00 WHERE number = 'G-02';
SELECT public.triggers('elecbill.supply_bill', 'ENABLE'), public.triggers('elecbill.supply_line', 'ENABLE');
SELECT is_empty('SELECT * FROM elecbill.fsck()', 'mended, fsck() finds nothing');
SELECT * FROM finish();
