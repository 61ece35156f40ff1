-- resale.sql: no pool collects more than is paid to the grid: prepaid homes, drafts that were let go, corrections
-- The amounts were worked out by hand: 0.50 per kWh, see each test.
\set ON_ERROR_STOP 1
SET client_min_messages = warning;
\ir login/work_for.sql
SELECT plan(18);
CREATE FUNCTION pg_temp.at(at text) RETURNS void LANGUAGE sql AS $$ SELECT set_config('elecbill.clock_override', at || '+08', false) $$;
CREATE FUNCTION pg_temp.read(day text, VARIADIC kwh numeric[]) RETURNS bigint LANGUAGE sql AS $$
	SELECT count(elecbill.reading_add('YARD', 'M-' || m, '1.8.0', (day || ' 00:00+08')::timestamptz, kwh[i]))
	FROM unnest('{R1,R2,R3,OUT,P}'::text[]) WITH ORDINALITY AS x(m, i) WHERE kwh[i] IS NOT NULL;
$$;
CREATE FUNCTION pg_temp.grid(number text, month date, amount numeric) RETURNS void LANGUAGE sql AS $$
	SELECT elecbill.supply_bill_add('YARD', 'P', number, daterange(month, (month + interval '1 month')::date), amount,
		jsonb_build_array(jsonb_build_object('kind', 'energy', 'quantity', 600, 'amount', amount)), 'k-' || number);
$$;
CREATE FUNCTION pg_temp.guard(number text) RETURNS text LANGUAGE sql AS $$
	SELECT format('%s of %s, %s kWh: %s', g.charged, g.paid, trim_scale(g.charged_kwh), g.state) FROM elecbill.resale_guard g WHERE g.number = $1;
$$;
CREATE FUNCTION pg_temp.bills(account text) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(format('%s %s %s', to_char(lower(b.service), 'MM'), b.amount, CASE WHEN b.number IS NULL THEN b.status ELSE 'issued' END), ', ' ORDER BY b.service)
	FROM elecbill.bill b JOIN elecbill.customer_account a ON a.id = b.account_id WHERE a.account_no = account AND b.live;
$$;
CREATE FUNCTION pg_temp.fault(account text) RETURNS text LANGUAGE sql AS $$ SELECT p.fault FROM elecbill.prepay_status p WHERE p.account_no = account $$;

-- ---------------------------------------------------------------- a yard: three homes behind one meter of the grid, the kiosk of one outside

SELECT pg_temp.at('2025-01-01 00:30');
SELECT elecbill.org_create('YARD', 'Long Yard');
SELECT elecbill.partition_maintain(6, '2024-12-01') \g /dev/null
SELECT elecbill.duty_grant('YARD', x, d) FROM unnest('{mei,lin}'::text[]) AS x, unnest('{property,billing,finance}'::text[]) AS d \g /dev/null
SELECT elecbill.tariff_approve('YARD/FLAT', elecbill.tariff_draft('YARD/FLAT', '[2024-01-01,)', '{"elecbill": 1, "currency": "CNY", "zone": "Asia/Shanghai",
	"components": [{"code": "energy", "kind": "energy", "price": 0.5}]}', 'ann'), 'bob') \g /dev/null
SELECT is_empty($$ SELECT * FROM elecbill.import_estate('YARD', convert_to(E'room,account_no,name,kind,meter_no,model,last_reading,last_read_at,tariff\n'
	|| (SELECT string_agg(format(E'%1$s,A-%2$s,N%2$s,residential,M-%1$s,DDS,0,2025-01-01,FLAT\n', r, a), '')
		FROM (VALUES ('R1', 'R1'), ('R2', 'R2'), ('R3', 'R3'), ('OUT', 'R3')) AS x(r, a))
	|| E'P,,,parent,M-P,DDS,0,2025-01-01,\n', 'UTF8')) $$, 'three homes, the kiosk of the third, a parent meter');
SELECT elecbill.usage_point_tree_set('YARD', c, 'P', '2025-01-01') FROM unnest('{R1,R2,R3}'::text[]) AS c \g /dev/null
SELECT public.work_for('mei'), elecbill.allocation_rule_set('YARD', 'POOL', 'P', 'supply', 'kwh', '[2025-01-01,)', model => 'pool', name => 'Share of the grid bill') \g /dev/null
SELECT public.work_for('lin'), elecbill.allocation_rule_approve('YARD', 'POOL'), public.work_for('') \g /dev/null
SELECT elecbill.account_mode_set('A-' || r, 'prepaid') FROM unnest('{R1,R2}'::text[]) AS r \g /dev/null

-- ---------------------------------------------------------------- prepaid homes

SELECT pg_temp.at('2025-02-01 00:30'), pg_temp.read('2025-02-01', 200, 200, 200, 200, 600) \g /dev/null
SELECT pg_temp.grid('G-01', '2025-01-01', 150.00);
CALL elecbill.prepay_run('YARD');
SELECT is(pg_temp.bills('A-R1'), '01 100.00 issued', 'a prepaid home is billed 200 kWh at 0.50');
SELECT is(pg_temp.bills('A-R2'), NULL, 'another one would bring the pool to 200.00 of 150.00: it is not');
SELECT is(pg_temp.fault('A-R2'), 'resale', 'and the fault says why');
SELECT is(pg_temp.guard('G-01'), '100.00 of 150.00, 200 kWh: ok', 'no more is collected than is paid');

-- a reading in doubt holds the draft of February; the bill of the grid comes after it
SELECT elecbill.supply_bill_void('YARD', 'G-01', 'estimated'), pg_temp.grid('G-01B', '2025-01-01', 300.00);
CALL elecbill.prepay_run('YARD');
SELECT is(pg_temp.bills('A-R2'), '01 100.00 issued', 'with the right bill of the grid it is');
INSERT INTO elecbill.vee_exception (org_id, rule, rule_version, severity, usage_point_id, during, score, detail)
SELECT u.org_id, 'V02', 1, 'hold', u.id, tstzrange('2025-02-10 00:00+08', '2025-02-11 00:00+08'), 1, '{}' FROM elecbill.usage_point u WHERE u.code = 'R2';
SELECT pg_temp.at('2025-03-01 00:30'), pg_temp.read('2025-03-01', 400, 400, 200, 400, 1000) \g /dev/null
CALL elecbill.prepay_run('YARD');
SELECT is(pg_temp.bills('A-R2'), '01 100.00 issued, 02 100.00 held', 'the draft of February waits for a reading in doubt');
SELECT pg_temp.grid('G-02', '2025-02-01', 150.00);
SELECT elecbill.vee_decide((SELECT max(id) FROM elecbill.vee_exception), 'accepted', 'it was so') \g /dev/null
CALL elecbill.prepay_run('YARD');
SELECT is(pg_temp.bills('A-R2'), '01 100.00 issued, 02 100.00 draft', 'let go, it is not issued: the bill of the grid has come, and is less');
SELECT is(pg_temp.fault('A-R2'), 'resale', 'and the fault says why');
SELECT is(pg_temp.fault('A-R1'), NULL, 'of that home alone');
SELECT elecbill.supply_bill_void('YARD', 'G-02', 'typing error'), pg_temp.grid('G-02B', '2025-02-01', 210.00);
CALL elecbill.prepay_run('YARD');
SELECT is(pg_temp.bills('A-R2') || coalesce(pg_temp.fault('A-R2'), ''), '01 100.00 issued, 02 100.00 issued', 'the next run issues it, when the bill of the grid is put right');

-- ---------------------------------------------------------------- corrections belong to the days they correct

SELECT pg_temp.at('2025-04-01 00:30'), pg_temp.read('2025-04-01', 600, 600, 200, 600, 1400) \g /dev/null
SELECT elecbill.correct_reading('YARD', 'M-R1', '1.8.0', '2025-03-01 00:00+08', 430, 'misread', 'fix-1') \g /dev/null
SELECT elecbill.true_up_request('A-R1', '2025-02-01', 'misread') \g /dev/null
SELECT throws_ok($$ SELECT elecbill.offcycle_bill('A-R1', '[2025-03-01,2025-04-01)') $$, 'UB422', 'more would be collected behind P than is paid to the grid',
	'a bill of March that charges 15.00 more for February brings its pool to 215.00 of 210.00');
SELECT elecbill.supply_bill_void('YARD', 'G-02B', 'wrong'), pg_temp.grid('G-02C', '2025-02-01', 215.00);
SELECT is((SELECT amount FROM elecbill.offcycle_bill('A-R1', '[2025-03-01,2025-04-01)')), 100.00, '170 kWh of March and 30 of February, at 0.50');
SELECT is(pg_temp.guard('G-02C'), '215.00 of 215.00, 430 kWh: ok', 'the correction counts where the corrected bill does');
SELECT elecbill.supply_bill_void('YARD', 'G-02C', 'wrong'), pg_temp.grid('G-02D', '2025-02-01', 245.00);
SELECT is((SELECT amount FROM elecbill.offcycle_bill('A-R3', '[2025-01-01,2025-02-01)')), 200.00, 'the third home and its kiosk: 400 kWh of January');
SELECT elecbill.correct_reading('YARD', 'M-R3', '1.8.0', '2025-02-01 00:00+08', 140, 'misread', 'fix-2'), elecbill.true_up_request('A-R3', '2025-01-01', 'misread') \g /dev/null
SELECT is((SELECT amount FROM elecbill.offcycle_bill('A-R3', '[2025-02-01,2025-03-01)')), 100.00, '260 kWh of February, 60 of January given back');
SELECT is(pg_temp.guard('G-01B') || '; ' || pg_temp.guard('G-02D'), '285.00 of 300.00, 570 kWh: ok; 245.00 of 245.00, 490 kWh: ok',
	'of a correction of points behind the meter and elsewhere, the part of the kWh behind it counts: half of 30.00');
SELECT is_empty('SELECT * FROM elecbill.fsck()', 'fsck() finds nothing');
SELECT * FROM finish();
