-- allocation.sql: the lift, the lamps in the stairs and what is lost on the way are shared by those who live there
-- The amounts were worked out by hand; the way is in the description of each test.
\set ON_ERROR_STOP 1
SET client_min_messages = warning;
\ir login/work_for.sql
\ir login/triggers.sql
SELECT plan(70);

-- ---------------------------------------------------------------- an estate

CREATE FUNCTION pg_temp.read(meter text, at text, kwh numeric) RETURNS void LANGUAGE sql AS $$
	SELECT elecbill.reading_add('PARK', meter, '1.8.0', (at || '+08')::timestamptz, kwh);
$$;
CREATE FUNCTION pg_temp.month_end(day text, h1 numeric, h2 numeric, h3 numeric, far numeric, lift numeric, yard numeric, pump numeric, gate numeric)
RETURNS void LANGUAGE sql AS $$
	SELECT pg_temp.read(m, day, v) FROM (VALUES ('M-H1', h1), ('M-H2', h2), ('M-H3', h3), ('M-FAR', far), ('M-LIFT', lift),
		('M-YARD', yard), ('M-PUMP', pump), ('M-GATE', gate)) AS x(m, v);
$$;
CREATE FUNCTION pg_temp.amount(account text, month text) RETURNS numeric LANGUAGE sql AS $$
	SELECT b.amount FROM elecbill.bill b JOIN elecbill.customer_account a ON a.id = b.account_id
	WHERE a.account_no = account AND to_char(lower(b.service), 'YYYY-MM') = month AND b.live;
$$;
CREATE FUNCTION pg_temp.lines(account text, month text) RETURNS TABLE (component text, grp text, kwh numeric, price numeric, amount numeric, quality text)
LANGUAGE sql AS $$
	SELECT l.component || ' ' || l.label, l.grp, trim_scale(l.quantity), trim_scale(l.price), l.amount, l.quality
	FROM elecbill.bill b JOIN elecbill.customer_account a ON a.id = b.account_id JOIN elecbill.bill_line l ON l.bill_id = b.id
	WHERE a.account_no = $1 AND to_char(lower(b.service), 'YYYY-MM') = $2 AND b.live AND l.kind = 'allocation' ORDER BY l.n;
$$;
CREATE FUNCTION pg_temp.shares(rule text, month text) RETURNS TABLE (point text, payer text, wh bigint, amount numeric) LANGUAGE sql AS $$
	SELECT u.code, c.account_no, r.energy_wh, r.amount
	FROM elecbill.allocation_rule x JOIN elecbill.allocation a ON a.rule_id = x.id AND a.state = 'done'
	JOIN elecbill.allocation_result r ON r.allocation_id = a.id LEFT JOIN elecbill.usage_point u ON u.id = r.usage_point_id
	LEFT JOIN elecbill.customer_account c ON c.id = r.account_id
	WHERE x.code = rule AND to_char(lower(a.during), 'YYYY-MM') = month ORDER BY r.n;
$$;
CREATE FUNCTION pg_temp.rule(code text, share text, method text, price numeric, source text, weights jsonb, since date DEFAULT '2025-01-01') RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
	PERFORM public.work_for('mei');
	PERFORM elecbill.allocation_rule_set('PARK', rule.code, 'P', rule.share, rule.method, daterange(since, NULL), price => rule.price, source => rule.source, weights => rule.weights);
	PERFORM public.work_for('lin');
	PERFORM elecbill.allocation_rule_approve('PARK', rule.code);
END $$;
DO $$
BEGIN
	PERFORM elecbill.org_create('PARK', 'Green Park');
	PERFORM elecbill.vee_rule_set('PARK', 'E02', '{"second_kwh": 100000, "second_rows": 100}');
	PERFORM elecbill.partition_maintain(1, '2024-12-01');
	PERFORM elecbill.tariff_approve('FLAT', elecbill.tariff_draft('FLAT', '[2024-01-01,)', '{"elecbill": 1, "currency": "CNY",
		"zone": "Asia/Shanghai", "components": [{"code": "energy", "kind": "energy", "price": 0.5}]}', 'ann'), 'bob');
	PERFORM elecbill.duty_grant('PARK', x.login, d.duty)
	FROM (VALUES ('mei'), ('lin')) AS x(login), (VALUES ('property'), ('billing'), ('finance')) AS d(duty);
END $$;
SELECT is_empty($$ SELECT * FROM elecbill.import_estate('PARK', convert_to(
	E'room,account_no,name,kind,meter_no,model,last_reading,last_read_at,tariff\n'
	'H1,A1,Family 1,residential,M-H1,DDS,0,2025-01-01,FLAT\nH2,A2,Family 2,residential,M-H2,DDS,0,2025-01-01,FLAT\n'
	'H3,A3,Family 3,residential,M-H3,DDS,0,2025-01-01,FLAT\nFAR,A9,Family 9,residential,M-FAR,DDS,0,2025-01-01,FLAT\n'
	'LIFT,,,common,M-LIFT,DDS,0,2025-01-01,\nYARD,,,common,M-YARD,DDS,0,2025-01-01,\nPUMP,,,公共,M-PUMP,DDS,0,2025-01-01,\n'
	'GATE,,,common,M-GATE,DDS,0,2025-01-01,\nP,,,总表,M-P,DDS,0,2025-01-01,\n', 'UTF8')) $$,
	'common and parent meters are imported without anybody who pays for them');
SELECT results_eq($$ SELECT column_name, code FROM elecbill.import_estate('PARK', convert_to(
	E'room,account_no,name,kind,meter_no,model,last_reading,last_read_at,tariff\nH7,,,residential,M-H7,DDS,0,2025-01-01,\n'
	'G7,A7,,common,M-G7,DDS,0,2025-01-01,\n', 'UTF8')) $$, $$ VALUES ('account_no', 'UB400'), ('name', 'UB400') $$,
	'a home has somebody who pays, and so has a common meter for which an account is named');
SELECT is((SELECT array_agg(kind ORDER BY code) FROM elecbill.usage_point WHERE code IN ('LIFT', 'P', 'H1')), '{consumer,common,parent}', 'points have their kinds');

-- ---------------------------------------------------------------- the tree

SELECT elecbill.usage_point_tree_set('PARK', c, 'P', '2025-01-01') FROM unnest('{H1,H2,H3,LIFT,YARD,PUMP,GATE}'::text[]) AS c;
SELECT elecbill.usage_point_tree_set('PARK', 'H1', 'P', '2025-01-01');
SELECT is((SELECT count(*) FROM elecbill.usage_point_tree), 7::bigint, 'seven points lie behind the parent; saying so twice changes nothing');
SELECT throws_ok($$ SELECT elecbill.usage_point_tree_set('PARK', 'P', 'H1', '2025-01-01') $$, 'UB409', 'usage point ''P'' would lie behind itself', 'points form a tree');
SELECT throws_ok($$ SELECT elecbill.usage_point_tree_set('PARK', 'P', 'P', '2025-01-01') $$, 'UB400', 'a usage point lies behind another one from a day on', 'nothing lies behind itself');
SELECT throws_ok($$ SELECT elecbill.usage_point_tree_set('PARK', 'H1', 'NONE', '2025-01-01') $$, 'UB404', 'there is no usage point ''NONE''', 'an unknown parent');
SELECT elecbill.usage_point_tree_set('PARK', 'FAR', 'P', '2025-03-01'), elecbill.usage_point_tree_set('PARK', 'FAR', NULL, '2025-03-01');
SELECT is_empty($$ SELECT FROM elecbill.usage_point_tree t JOIN elecbill.usage_point u ON u.id = t.child_id WHERE u.code = 'FAR' $$, 'what began on a day can be taken back on it');
SELECT throws_ok($$ UPDATE elecbill.usage_point_tree SET parent_id = child_id $$, 'UB403', 'rows of usage_point_tree change only by their end', 'history stays');

-- ---------------------------------------------------------------- rules

SELECT public.work_for('mei');
SELECT throws_ok($$ SELECT elecbill.allocation_rule_set('PARK', 'X', 'P', 'supply', 'area', '[2025-01-01,)', model => 'pool') $$, 'UB400', 'this is nothing that can be shared so', 'a pool is shared by kWh');
SELECT throws_ok($$ SELECT elecbill.allocation_rule_set('PARK', 'X', 'P', 'common', 'kwh', '[2025-01-01,)', price => 0.5) $$, 'UB400',
	'common energy has a source, energy a price or a price series, and a pool none of them', 'a common meter is named');
SELECT throws_ok($$ SELECT elecbill.allocation_rule_set('PARK', 'X', 'P', 'loss', 'kwh', '(,)', price => 0.5) $$, 'UB400', 'a rule counts from a day on', 'a rule begins some day');
SELECT throws_ok($$ SELECT elecbill.allocation_rule_set('PARK', 'X Y', 'P', 'loss', 'kwh', '[2025-01-01,)', price => 0.5) $$, 'UB400', 'a rule has a code of 1 to 64 characters without blanks', 'a rule has a code');
SELECT throws_ok($$ SELECT elecbill.allocation_rule_set('PARK', 'X', 'P', 'loss', 'area', '[2025-01-01,)', price => 0.5) $$, 'UB400', 'method area needs weights', 'areas are given');
SELECT throws_ok($$ SELECT elecbill.allocation_rule_set('PARK', 'X', 'P', 'loss', 'area', '[2025-01-01,)', price => 0.5, weights => '{"H1": -1}') $$, 'UB400', 'a weight is a number from 0 on, with six decimals at most', 'a weight is not below 0');
SELECT throws_ok($$ SELECT elecbill.allocation_rule_set('PARK', 'X', 'P', 'loss', 'area', '[2025-01-01,)', price => 0.5, weights => '{"H8": 1}') $$, 'UB404', 'there is no usage point ''H8''', 'a weight is that of a point');
SELECT throws_ok($$ SELECT elecbill.allocation_rule_set('PARK', 'X', 'P', 'loss', 'kwh', '[2025-01-01,)', price => 0.5, cycle => 'WEEK') $$, 'UB404', 'org ''PARK'' has no billing cycle ''WEEK''', 'a rule has a cycle');
SELECT throws_ok($$ SELECT elecbill.allocation_rule_set('PARK', 'X', 'P', 'loss', 'kwh', '[2025-01-01,)', series => 'NONE') $$, 'UB404', 'there is no price series ''PARK/NONE''', 'a price series that is not there');
SELECT elecbill.allocation_rule_set('PARK', 'LIFT', 'P', 'common', 'household', '[2025-01-01,)', price => 0.5, source => 'LIFT', name => 'Lift');
SELECT throws_ok($$ SELECT elecbill.allocation_rule_approve('PARK', 'LIFT') $$, 'UB403', 'a rule is approved by another person than wrote it', 'a rule takes two persons');
SELECT public.work_for('lin');
SELECT throws_ok($$ SELECT elecbill.allocation_rule_approve('PARK', 'NONE') $$, 'UB404', 'nobody asked for rule ''NONE''', 'a rule that nobody wrote');
SELECT elecbill.allocation_rule_approve('PARK', 'LIFT');
SELECT pg_temp.rule('LOSS', 'loss', 'kwh', 0.6, NULL, '{}'), pg_temp.rule('YARD', 'common', 'area', 1, 'YARD', '{"H1": 50, "H2": 30, "H3": 20}'),
	pg_temp.rule('PUMP', 'common', 'fixed_ratio', 1, 'PUMP', '{"H1": 3, "*": 1}'), pg_temp.rule('GATE', 'common', 'fixed_quantity', 1, 'GATE', '{"H1": 10, "H2": 20}');
SELECT elecbill.allocation_rule_set('PARK', 'LIFT', 'P', 'common', 'kwh', '[2025-01-01,)', price => 9, source => 'LIFT'), elecbill.allocation_rule_reject('PARK', 'LIFT');
SELECT is((SELECT count(*) FROM elecbill.allocation_rule WHERE code = 'LIFT' AND state = 'approved'), 1::bigint, 'a request that is rejected leaves the rule in force');
SELECT throws_ok($$ UPDATE elecbill.allocation_rule SET price = 1 $$, 'UB403', 'allocation_rule is append-only', 'a rule is not changed');
SELECT is((SELECT array_agg(state ORDER BY state) FROM elecbill.audit_log WHERE action = 'allocation_rule_approve' AND outcome = 'refused'), '{UB403,UB404}', 'refusals are in the audit log');
SELECT public.work_for('');

-- ---------------------------------------------------------------- January

SELECT pg_temp.month_end('2025-02-01', 100, 200, 300, 80, 200, 100, 100, 100), pg_temp.read('M-P', '2025-02-01', 1150);
CALL elecbill.bill_month('PARK', 'MONTH', '2025-01');
SELECT results_eq($$ SELECT point, amount FROM pg_temp.shares('LIFT', '2025-01') $$, $$ VALUES ('H1', 33.34), ('H2', 33.33), ('H3', 33.33) $$,
	'the lift: 200 kWh at 0.50 are 100.00, over 1:1:1 33.34, 33.33, 33.33');
SELECT results_eq($$ SELECT point, wh, amount FROM pg_temp.shares('LOSS', '2025-01') $$, $$ VALUES ('H1', 8333::bigint, 5.00), ('H2', 16667, 10.00), ('H3', 25000, 15.00) $$,
	'the loss: 1150 less 1100 are 50 kWh at 0.60, by 100, 200 and 300 kWh');
SELECT results_eq($$ SELECT point, wh, amount FROM pg_temp.shares('YARD', '2025-01') $$, $$ VALUES ('H1', 50000::bigint, 50.00), ('H2', 30000, 30.00), ('H3', 20000, 20.00) $$, 'by area');
SELECT results_eq($$ SELECT point, wh, amount FROM pg_temp.shares('PUMP', '2025-01') $$, $$ VALUES ('H1', 60000::bigint, 60.00), ('H2', 20000, 20.00), ('H3', 20000, 20.00) $$, 'by a fixed ratio of 3:1:1');
SELECT results_eq($$ SELECT point, payer, wh, amount FROM pg_temp.shares('GATE', '2025-01') $$,
	$$ VALUES ('H1', 'A1', 10000::bigint, 10.00), ('H2', 'A2', 20000, 20.00), ('H3', 'A3', 0, 0.00), (NULL, NULL, 70000, 70.00) $$, 'by fixed quantities; the rest stays with the estate');
SELECT results_eq($$ SELECT pg_temp.amount(a, '2025-01') FROM unnest('{A1,A2,A3,A9}'::text[]) AS a $$, $$ VALUES (208.34), (213.33), (238.33), (40.00) $$,
	'bills: energy 50, 100, 150 and all shares; who lives elsewhere has none');
SELECT results_eq($$ SELECT * FROM pg_temp.lines('A1', '2025-01') $$, $$ VALUES
	('common GATE', 'property_fee', 10.0, 1.0, 10.00, 'actual'), ('common Lift', 'property_fee', 66.667, 0.5, 33.34, 'actual'),
	('loss LOSS', 'property_fee', 8.333, 0.6, 5.00, 'actual'), ('common PUMP', 'property_fee', 60, 1, 60.00, 'actual'),
	('common YARD', 'property_fee', 50, 1, 50.00, 'actual') $$, 'each share is a line, of the property fee');
SELECT results_eq($$ SELECT e.text FROM elecbill.bill b JOIN elecbill.customer_account a ON a.id = b.account_id, LATERAL elecbill.explain_bill(b.number, 'en') AS e
	WHERE a.account_no = 'A1' AND e.text LIKE '%shared by%' ORDER BY e.n LIMIT 3 $$, $$ VALUES
	('  GATE (common energy GATE): 100.000 kWh × 1 = 100.00 CNY, shared by fixed quantity: 10 of 100 is 10.00 CNY'),
	('  Lift (common energy LIFT): 200.000 kWh × 0.5 = 100.00 CNY, shared by homes: 1 of 3 is 33.34 CNY'),
	('  LOSS (line loss): 50.000 kWh × 0.6 = 30.00 CNY, shared by kWh: 100 of 600 is 5.00 CNY') $$, 'and the bill says how it was worked out');
SELECT is((SELECT count(*) FROM elecbill.bill b JOIN elecbill.customer_account a ON a.id = b.account_id, LATERAL elecbill.explain_bill(b.number, 'zh') AS e
	WHERE a.account_no = 'A1' AND e.text = '  Lift(公共用电 LIFT):200.000 kWh × 0.5 = 100.00 CNY,按户数分摊:1 / 3,计 33.34 CNY'), 1::bigint, 'in Chinese, too');
SELECT is((SELECT count(*) FROM elecbill.bill b JOIN elecbill.customer_account a ON a.id = b.account_id, LATERAL elecbill.explain_bill(b.number, 'en') AS e
	WHERE a.account_no = 'A1' AND e.text = 'share (common energy)  66.667 kWh × 0.5 = 33.34 CNY'), 1::bigint, 'the line itself has kWh and price');
SELECT ok((SELECT elecbill.html_bill(b.number) LIKE '%公摊(公共用电)%33.34%' FROM elecbill.bill b JOIN elecbill.customer_account a ON a.id = b.account_id WHERE a.account_no = 'A1'), 'the printed bill, too');
SELECT is_empty('SELECT * FROM elecbill.fsck()', 'fsck() finds nothing');
SELECT results_eq($$ SELECT supplied_kwh, sold_kwh, loss_kwh, loss_percent, estimated, alarm FROM elecbill.line_loss WHERE parent = 'P' AND month = '2025-01-01' $$,
	$$ VALUES (1150.000, 1100.000, 50.000, 4.35, false, NULL::text) $$, 'supplied = sold + loss');

-- what was shared stays
SELECT throws_ok($$ SELECT elecbill.usage_point_tree_set('PARK', 'H1', NULL, '2025-01-20') $$, 'UB409', 'days from 2025-01-20 on are shared and billed already', 'the tree of billed days stays');
SELECT throws_ok($$ SELECT elecbill.allocation_rule_end('PARK', 'LIFT', '2025-01-31') $$, 'UB409', 'days from 2025-01-31 on are shared and billed already', 'and so do the rules');
SELECT throws_ok($$ SELECT elecbill.allocation_rule_end('PARK', 'LIFT', '2024-12-31') $$, 'UB404', 'no rule ''LIFT'' counts on 2024-12-31', 'a rule ends while it counts');
CALL elecbill.rebill('A1', '2025-01-01', 'made anew', 'r1');
SELECT is((SELECT difference FROM elecbill.rebill_preview('A1', '2025-01-01')), 0.00, 'a bill that is made anew has the same shares');
SELECT is(pg_temp.amount('A1', '2025-01'), 208.34, 'all of them');
SELECT is_empty('SELECT * FROM elecbill.fsck()', 'fsck() finds nothing');

-- ---------------------------------------------------------------- February: more measured behind the meter than by it

SELECT pg_temp.rule('LOSS', 'loss', 'household', 0.5, NULL, '{}', '2025-02-01');
SELECT is((SELECT array_agg(valid ORDER BY valid) FROM elecbill.allocation_rule WHERE code = 'LOSS' AND state = 'approved'), '{"[2025-01-01,2025-02-01)","[2025-02-01,)"}', 'another rule of the code ends the former');
SELECT pg_temp.month_end('2025-03-01', 200, 300, 400, 160, 200, 100, 100, 100), pg_temp.read('M-P', '2025-03-01', 1250);
CALL elecbill.bill_month('PARK', 'MONTH', '2025-02');
SELECT results_eq($$ SELECT point, wh, amount FROM pg_temp.shares('LOSS', '2025-02') $$, $$ VALUES ('H1', -66667::bigint, -33.34), ('H2', -66667, -33.33), ('H3', -66666, -33.33) $$,
	'a loss of -200 kWh is -100.00, and mirrors it: -33.34, -33.33, -33.33');
SELECT results_eq($$ SELECT pg_temp.amount(a, '2025-02') FROM unnest('{A1,A2,A3}'::text[]) AS a $$, $$ VALUES (16.66), (16.67), (16.67) $$, 'bills: 50.00 less their shares; what used nothing has no line');
SELECT is((SELECT alarm FROM elecbill.line_loss WHERE parent = 'P' AND month = '2025-02-01'), 'loss_negative', 'a loss below 0 is an alarm');
SELECT is_empty('SELECT * FROM elecbill.fsck()', 'fsck() finds nothing');

-- ---------------------------------------------------------------- March: the parent was not read

SELECT pg_temp.month_end('2025-04-01', 300, 400, 500, 240, 200, 100, 100, 100);
SELECT elecbill.bill_run_start('PARK', 'MONTH', '[2025-03-01,2025-04-01)') AS march \gset
CALL elecbill.bill_run_work(:march);
SELECT results_eq(format($$ SELECT a.account_no, e.code, e.sqlstate, e.message, e.detail FROM elecbill.bill_exception e JOIN elecbill.customer_account a ON a.id = e.account_id WHERE e.run_id = %s ORDER BY 1 $$, :march),
	$$ SELECT a, 'allocation', 'UB412', 'what rule ''LOSS'' shares is not known', 'usage point P: the register is not known at 2025-04-01 00:00:00' FROM unnest('{A1,A2,A3}'::text[]) AS a $$,
	'those behind the meter are parked, and told why');
SELECT is(pg_temp.amount('A9', '2025-03'), 40.00, 'the others are billed');
SELECT pg_temp.read('M-P', '2025-04-02', 1570);
SELECT is(elecbill.bill_run_retry(:march), 3, 'when the meter is read they are tried again');
CALL elecbill.bill_run_work(:march);
CALL elecbill.bill_run_issue(:march);
SELECT results_eq($$ SELECT kwh, amount, quality FROM pg_temp.lines('A1', '2025-03') UNION ALL SELECT kwh, amount, quality FROM pg_temp.lines('A3', '2025-03') $$,
	$$ VALUES (3.334, 1.67, 'estimated'), (3.333, 1.66, 'estimated') $$, 'read a day late: 320 kWh in 32 days are 310 in 31, 10 of them lost, 5.00; marked estimated');
SELECT results_eq($$ SELECT a.state FROM elecbill.allocation a JOIN elecbill.allocation_rule r ON r.id = a.rule_id WHERE r.code = 'LOSS' AND a.during @> date '2025-03-15' ORDER BY a.id $$, $$ VALUES ('replaced'), ('done') $$, 'the failed attempt is kept');

-- ---------------------------------------------------------------- April: ten minutes do not matter

SELECT pg_temp.month_end('2025-05-01', 400, 500, 600, 320, 200, 100, 100, 100), pg_temp.read('M-P', '2025-05-01 00:10', 1860);
CALL elecbill.bill_month('PARK', 'MONTH', '2025-04');
SELECT pg_temp.month_end('2025-06-01', 500, 600, 700, 400, 200, 100, 100, 100), pg_temp.read('M-P', '2025-06-01', 2185);
SELECT elecbill.agreement_end('PARK', 'A3', '2025-05-20');
SELECT elecbill.bill_run_start('PARK', 'MONTH', '[2025-05-01,2025-06-01)') AS may \gset
CALL elecbill.bill_run_work(:may);
SELECT results_eq($$ SELECT energy_wh, estimated FROM elecbill.point_energy('PARK', 'P', '2025-05-01 00:00+08', '2025-06-01 00:00+08') $$, $$ VALUES (325000::bigint, false) $$,
	'a reading at ten past midnight is that of midnight');
SELECT results_eq($$ SELECT energy_wh, estimated FROM elecbill.point_energy('PARK', 'P', '2025-05-16 12:00+08', '2025-06-01 00:00+08') $$,
	$$ SELECT round(325000 * 15.5 * 1440 / (31 * 1440 - 10))::bigint, true $$, 'any other instant is interpolated');
SELECT is((SELECT fault FROM elecbill.point_energy('PARK', 'P', '2024-12-01 00:00+08', '2024-12-02 00:00+08')), 'usage point P has no main meter', 'before the meter there is no energy');
SELECT throws_ok($$ SELECT elecbill.point_energy('PARK', 'P', '2025-05-02 00:00+08', '2025-05-01 00:00+08') $$, 'UB400', 'energy is measured from an instant to a later one', 'time goes forward');
SELECT results_eq($$ SELECT point, payer, amount FROM pg_temp.shares('LOSS', '2025-05') $$, $$ VALUES ('H1', 'A1', 4.17), ('H2', 'A2', 4.17), ('H3', NULL, 4.16) $$,
	'25 kWh are 12.50; the share of an empty flat stays with the estate');
SELECT is((SELECT loss_percent FROM elecbill.line_loss WHERE parent = 'P' AND month = '2025-05-01'), 7.69, '25 of 325 kWh');
SELECT is((SELECT alarm FROM elecbill.line_loss WHERE parent = 'P' AND month = '2025-05-01'), 'loss_high', 'more than 7 % is an alarm');

-- ---------------------------------------------------------------- a run is taken back

CALL elecbill.run_cancel(:may, 'parent meter read wrongly');
SELECT elecbill.correct_reading('PARK', 'M-P', '1.8.0', '2025-06-01 00:00+08', 2166, 'read again', 'c1');
CALL elecbill.bill_month('PARK', 'MONTH', '2025-05');
SELECT results_eq($$ SELECT point, amount FROM pg_temp.shares('LOSS', '2025-05') $$, $$ VALUES ('H1', 1.00), ('H2', 1.00), ('H3', 1.00) $$, 'what nobody is billed for is worked out anew: 6 kWh');
SELECT is((SELECT count(*) FROM elecbill.allocation_result r JOIN elecbill.bill b ON b.id = r.bill_id WHERE NOT b.live), 0::bigint, 'no cancelled bill has a share');
SELECT is_empty('SELECT * FROM elecbill.fsck()', 'fsck() finds nothing');

-- ---------------------------------------------------------------- an area that nobody measured

SELECT pg_temp.rule('YARD', 'common', 'area', 1, 'YARD', '{"H1": 50}', '2025-06-01');
SELECT pg_temp.month_end('2025-07-01', 600, 700, 800, 480, 200, 100, 100, 100), pg_temp.read('M-P', '2025-07-01', 2366);
SELECT elecbill.bill_run_start('PARK', 'MONTH', '[2025-06-01,2025-07-01)') AS june \gset
CALL elecbill.bill_run_work(:june);
SELECT results_eq(format('SELECT DISTINCT detail FROM elecbill.bill_exception WHERE run_id = %s AND code = ''allocation''', :june),
	$$ VALUES ('rule ''YARD'' has no area of usage point H2') $$, 'a rule by areas needs that of each');
SELECT is_empty('SELECT * FROM elecbill.fsck()', 'fsck() finds nothing');

-- ---------------------------------------------------------------- what fsck() would see

SELECT throws_ok('UPDATE elecbill.allocation_result SET amount = amount + 1', 'UB403', 'allocation_result is append-only', 'a share is not changed');
SELECT throws_ok('DELETE FROM elecbill.allocation', 'UB403', 'allocation is append-only', 'nor what was shared removed');
SELECT public.triggers('elecbill.allocation_result', 'DISABLE');
UPDATE elecbill.allocation_result SET amount = amount + 0.01 WHERE usage_point_id IS NULL;
SELECT is((SELECT count(*) FROM elecbill.fsck() WHERE invariant = 'I11' AND detail = 'shares are 100000 Wh and 100.01 of 100000 Wh and 100.00'), 1::bigint, 'a cent too much is seen');
UPDATE elecbill.allocation_result SET amount = amount - 0.01 WHERE usage_point_id IS NULL;
UPDATE elecbill.allocation_result SET amount = amount + CASE n WHEN 1 THEN 100 ELSE -100 END
WHERE n < 3 AND allocation_id = (SELECT a.id FROM elecbill.allocation a JOIN elecbill.allocation_rule r ON r.id = a.rule_id WHERE r.code = 'LIFT' AND a.during @> date '2025-01-15' AND a.state = 'done');
SELECT is((SELECT count(*) FROM elecbill.fsck() WHERE invariant = 'I11' AND detail LIKE '%wrong sign'), 1::bigint, 'a share of the wrong sign, too');
SELECT is((SELECT count(*) FROM elecbill.fsck() WHERE invariant = 'I11' AND detail LIKE '%is billed as%'), 2::bigint, 'and shares that are billed otherwise');
UPDATE elecbill.allocation_result SET amount = amount - CASE n WHEN 1 THEN 100 ELSE -100 END
WHERE n < 3 AND allocation_id = (SELECT a.id FROM elecbill.allocation a JOIN elecbill.allocation_rule r ON r.id = a.rule_id WHERE r.code = 'LIFT' AND a.during @> date '2025-01-15' AND a.state = 'done');
UPDATE elecbill.allocation_result SET bill_id = NULL, line_n = NULL WHERE bill_id = (SELECT min(bill_id) FROM elecbill.allocation_result);
SELECT is((SELECT count(*) FROM elecbill.fsck() WHERE invariant = 'allocation'), 1::bigint, 'and a line that is for nothing');
SELECT * FROM finish();
