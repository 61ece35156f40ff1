-- report.sql: reports agree with the books and with each other, and say what people expect of them
-- The estate is that of the pages (test/picture/estate.sql); amounts were worked out by hand.
\set ON_ERROR_STOP 1
SET client_min_messages = warning;
-- compiling the plan of a view over all readings takes longer than running it
SET jit = off;
\o /dev/null
\ir picture/estate.sql
\o

-- ---------------------------------------------------------------- who may read them: sessions of their own, asked now

\getenv super PGSUPERUSER
SELECT current_user AS owner, lower(regexp_replace(current_database(), '\W', '_', 'g')) || '_' AS p \gset
\set property :p 'property'
\set billing :p 'billing'
\set resident :p 'resident'
SELECT elecbill.org_create('OTHER', 'Other Court'), elecbill.duty_grant('GARDEN', 'p1', 'property'), elecbill.duty_grant('GARDEN', 'b1', 'billing'),
	elecbill.duty_grant('OTHER', 'b2', 'billing'), elecbill.member_grant('A1', 'wang') \g /dev/null
\c - :super
SET client_min_messages = error;
CALL elecbill.create_roles(:'p');
CREATE FUNCTION public.said(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE answer text;
BEGIN
	EXECUTE statement INTO answer;
	RETURN answer;
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE;
END $$;
\c - :owner
CALL elecbill.grant_roles(:'p');
\c - :super
CREATE FUNCTION public.all_reports() RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(v || ' ' || coalesce(public.said(format('SELECT count(*) > 0 FROM elecbill.%I', v)), '-'), ', ' ORDER BY i)
	FROM unnest('{arrears_aging,collection_rate,top_users,invoice_export,usage_hourly,tou_check,series_power,series_day,revenue_by_tier,revenue_by_tou,series_money}'::text[])
		WITH ORDINALITY AS x(v, i) $$;
SET jit = off;
SET elecbill.login = 'p1';
SET ROLE :"property";
SELECT public.all_reports() AS p1_reports, public.said($$SELECT left(elecbill.html_report('GARDEN', '2026-02-01'), 15)$$) AS p1_page \gset
RESET ROLE;
SET elecbill.login = 'b1';
SET ROLE :"billing";
SELECT public.all_reports() AS b1_reports, public.said($$SELECT elecbill.html_report('OTHER', '2026-02-01')$$) AS b1_other,
	public.said($$SELECT left(elecbill.svg_loss_tree('GARDEN', '2026-02-01'), 4)$$) || public.said($$SELECT count(*) > 5 FROM elecbill.html_site('GARDEN', '2026-02-01')$$) AS b1_site,
	public.said($$SELECT elecbill.svg_loss_tree('OTHER', '2026-02-01')$$) || public.said($$SELECT count(*) FROM elecbill.html_site('OTHER', '2026-02-01')$$) AS b1_other_site \gset
RESET ROLE;
SET elecbill.login = 'b2';
SELECT set_config('role', :'billing', false) \g /dev/null
SELECT public.all_reports() AS b2_reports \gset
RESET ROLE;
SET elecbill.login = 'wang';
SET ROLE :"resident";
SELECT public.all_reports() AS wang_reports, public.said($$SELECT count(*) FROM elecbill.statement('A1', '2026-02-01')$$) AS wang_own,
	public.said($$SELECT elecbill.html_statement('A2', '2026-02-01')$$) AS wang_other, public.said($$SELECT elecbill.svg_tier_gauge('A2')$$) AS wang_picture,
	public.said($$SELECT elecbill.html_report('GARDEN', '2026-02-01')$$) AS wang_report,
	public.said($$SELECT elecbill.svg_loss_tree('GARDEN', '2026-02-01')$$) || public.said($$SELECT count(*) FROM elecbill.html_site('GARDEN', '2026-02-01')$$) AS wang_site \gset
RESET ROLE;
RESET elecbill.login;
SELECT elecbill.late_fee_policy_draft('GARDEN', 'person', '2025-01-01', 0.001, 0.001, minimum => 0) AS policy, elecbill.duty_grant('GARDEN', 'f1', 'finance') \gset
SET elecbill.login = 'f1';
SELECT elecbill.late_fee_policy_approve('GARDEN', :policy) \g /dev/null
\c - :owner
SET client_min_messages = warning;
SET jit = off;
SET elecbill.clock_override = '2026-02-20 10:00+08';
SELECT plan(131);
SELECT is(:'p1_reports'::text, 'arrears_aging true, collection_rate true, top_users true, invoice_export true, usage_hourly true, tou_check true, series_power true, series_day true, '
	'revenue_by_tier 42501, revenue_by_tou 42501, series_money 42501', 'the property office reads reports of bills and energy, not the books');
SELECT is(:'p1_page'::text, '<!DOCTYPE html>', 'and the page of the month');
SELECT is(:'b1_reports'::text, 'arrears_aging true, collection_rate true, top_users true, invoice_export true, usage_hourly true, tou_check true, series_power true, series_day true, '
	'revenue_by_tier true, revenue_by_tou true, series_money true', 'billing reads them all');
SELECT is(:'b1_other'::text, 'UB404', 'of the own org');
SELECT is(:'b2_reports'::text, 'arrears_aging false, collection_rate false, top_users false, invoice_export false, usage_hourly false, tou_check false, series_power false, series_day false, '
	'revenue_by_tier false, revenue_by_tou false, series_money false', 'who works for another org finds them empty');
SELECT ok(:'wang_reports' !~ ' (true|false)', 'a resident reads no report');
SELECT is(:'wang_own'::text, '2', 'but the own statement');
SELECT is(:'wang_other'::text || :'wang_picture' || :'wang_report', 'UB404UB40442501', 'and no other');

SELECT is(:'b1_site'::text, '<svgtrue', 'billing has the tree of meters and the files of a month');
SELECT is(:'b1_other_site'::text, 'UB404UB404', 'of the own org');
SELECT is(:'wang_site'::text, '4250142501', 'a resident has neither');

-- ---------------------------------------------------------------- capitals

SELECT is(elecbill.cny_upper(x.amount), x.words, x.amount || ' in capitals')
FROM (VALUES (0, '零元整'), (0.01, '壹分'), (0.10, '壹角整'), (0.56, '伍角陆分'), (1, '壹元整'), (1.05, '壹元零伍分'), (1.50, '壹元伍角整'),
	(10, '壹拾元整'), (20.30, '贰拾元叁角整'), (101, '壹佰零壹元整'), (325.04, '叁佰贰拾伍元零肆分'), (1680.32, '壹仟陆佰捌拾元叁角贰分'),
	(10001, '壹万零壹元整'), (16409.02, '壹万陆仟肆佰零玖元零贰分'), (100000, '壹拾万元整'), (107000.53, '壹拾万柒仟元伍角叁分'),
	(1000500, '壹佰万零伍佰元整'), (6007.14, '陆仟零柒元壹角肆分'), (100000000, '壹亿元整'), (100005000, '壹亿零伍仟元整'),
	(1002003004.05, '壹拾亿零贰佰万叁仟零肆元零伍分'), (100000000001, '壹仟亿零壹元整'), (999999999999.99, '玖仟玖佰玖拾玖亿玖仟玖佰玖拾玖万玖仟玖佰玖拾玖元玖角玖分'),
	(-300, '负叁佰元整')) AS x(amount, words);
-- read back by other rules: each digit counts for the unit behind it, each group for its own
CREATE FUNCTION pg_temp.read_back(words text) RETURNS numeric LANGUAGE sql AS $$
	SELECT CASE WHEN words LIKE '负%' THEN -1 ELSE 1 END * coalesce(sum(strpos('壹贰叁肆伍陆柒捌玖', m[1]) * CASE m[2] WHEN '拾' THEN 10 WHEN '佰' THEN 100
		WHEN '仟' THEN 1000 WHEN '角' THEN 0.1 WHEN '分' THEN 0.01 ELSE 1 END * p.part), 0)
	FROM (VALUES (substring(words FROM '^负?(.*)亿'), 100000000), (substring(regexp_replace(words, '^.*亿', '') FROM '^负?(.*)万'), 10000),
			(regexp_replace(words, '^.*[亿万]', ''), 1)) AS p(text, part),
		regexp_matches(p.text, '([壹贰叁肆伍陆柒捌玖])([拾佰仟角分]?)', 'g') AS m
$$;
SELECT is_empty($$SELECT x.v, elecbill.cny_upper(x.v) FROM (
		SELECT round(((random() * 2 - 1) * 10 ^ (random() * 12))::numeric, (random() * 2)::integer) * (ARRAY[1, 1, 1, 10, 100])[1 + i % 5] AS v FROM generate_series(1, 600) AS i) AS x
	WHERE abs(x.v) < 1e12 AND (pg_temp.read_back(elecbill.cny_upper(x.v)) <> x.v OR elecbill.cny_upper(x.v) ~ '零零|零[元万亿角分]' AND elecbill.cny_upper(x.v) !~ '^零元')$$,
	'600 amounts in capitals, read back, are what they were');
SELECT throws_ok('SELECT elecbill.cny_upper(0.001)', 'UB422', '0.001 is not an amount', 'there are no tenths of a fen');
SELECT throws_ok('SELECT elecbill.cny_upper(1000000000000)', 'UB422', NULL, 'there is an end to amounts');
SELECT throws_ok($$SELECT elecbill.cny_upper('NaN')$$, 'UB422', NULL, 'NaN is not an amount');

-- ---------------------------------------------------------------- what happens to the estate

SELECT elecbill._late_fee_post(b.id, 3.21, 'fee', '2026-02-20') FROM elecbill.bill b WHERE b.number = '2025-000016' \g /dev/null
SET elecbill.clock_override = '2026-03-05 10:00+08';
SELECT elecbill.cancel_bill('2026-000006', 'wrong meter') \g /dev/null

CREATE FUNCTION pg_temp.books(code text) RETURNS numeric LANGUAGE sql AS $$
	SELECT coalesce(sum(CASE WHEN t.debit_id = l.id THEN t.amount ELSE -t.amount END), 0)
	FROM elecbill.ledger_account l JOIN elecbill.ledger_transfer t ON l.id IN (t.debit_id, t.credit_id)
	WHERE l.code LIKE $1 AND t.stage IN ('single', 'post')
$$;

-- ---------------------------------------------------------------- arrears, collection

SELECT is((SELECT sum(total) FROM elecbill.arrears_aging), pg_temp.books('receivable:%'), 'what the arrears add up to is the receivable of the ledger');
SELECT results_eq($$SELECT bills, oldest_due_on, not_due, days_1_30, days_31_60, days_61_90, days_91_365, days_over_365, late_fee, total
		FROM elecbill.arrears_aging WHERE account_no = 'A2'$$,
	$$VALUES (5::bigint, date '2025-09-21', 0::numeric, 0::numeric, 533.00, 533.00, 1136.50, 0::numeric, 3.21, 2205.71)$$,
	'A2 on 5 March: 533.00 since 21 January, 533.00 since 21 December, 270.50 + 370.50 + 495.50 before, and a late fee');
SELECT is((SELECT sum(not_due + days_1_30 + days_31_60 + days_61_90 + days_91_365 + days_over_365 + late_fee) FROM elecbill.arrears_aging),
	(SELECT sum(total) FROM elecbill.arrears_aging), 'every open amount has one age');
SELECT is((SELECT sum(open) FROM elecbill.collection_rate), (SELECT sum(total - late_fee) FROM elecbill.arrears_aging), 'what was not collected is open');
SELECT results_eq($$SELECT bills::integer, issued, paid, rate, received FROM elecbill.collection_rate WHERE month = '2025-09-01'$$,
	$$VALUES (2, 145.60 + 370.50, 145.60 + 100.00, 47.59, 245.60)$$, 'September: 245.60 of 516.10 are paid, and that came in in September');
SELECT is((SELECT sum(received) FROM elecbill.collection_rate), pg_temp.books('cash') + pg_temp.books('bank') + pg_temp.books('clearing:%'),
	'what came in by the report is what the till, the bank and the channels have');
SELECT is((SELECT DISTINCT last_value(balance) OVER (ORDER BY at ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) FROM elecbill.cash_book), pg_temp.books('cash'),
	'the cash book ends with the cash of the ledger');

-- ---------------------------------------------------------------- revenue

SELECT is_empty($$SELECT b.month, b.amount, r.amount, r.tax FROM (
		SELECT month, coalesce(-sum(debit - credit) FILTER (WHERE code = 'revenue'), 0) AS amount, coalesce(-sum(debit - credit) FILTER (WHERE code = 'output_tax'), 0) AS tax
		FROM elecbill.trial_balance GROUP BY month) AS b
	FULL JOIN (SELECT month, sum(amount) AS amount, sum(tax) AS tax FROM elecbill.revenue_by_tier GROUP BY month) AS r USING (month)
	WHERE (b.amount, b.tax) IS DISTINCT FROM (coalesce(r.amount, 0), coalesce(r.tax, 0))$$, 'revenue by tier adds up to revenue and tax of the trial balance in each month');
SELECT is_empty($$SELECT month FROM elecbill.revenue_by_tier GROUP BY month HAVING (sum(amount), sum(tax)) IS DISTINCT FROM
	(SELECT (sum(t.amount), sum(t.tax)) FROM elecbill.revenue_by_tou t WHERE t.month = revenue_by_tier.month)$$, 'by period it is the same');
SELECT is((SELECT sum(amount + tax) FROM elecbill.revenue_by_tier),
	(SELECT sum(l.amount) FROM elecbill.bill_line l JOIN elecbill.bill b ON b.id = l.bill_id WHERE b.live AND b.number IS NOT NULL), 'and over all months the lines of the bills');
SELECT results_eq($$SELECT tier, quantity, amount FROM elecbill.revenue_by_tier WHERE month = '2025-11-01' ORDER BY tier$$,
	$$VALUES ('2', 360.000000 + 150, 205.20 + 85.50), ('3', 500.000000, 410.00)$$, 'the bills of October: A1 360 kWh in the second tier, A2 150 there and 500 in the third');
SELECT results_eq($$SELECT period, quantity, amount FROM elecbill.revenue_by_tou WHERE month = '2026-02-01' AND tariff = 'SHOP' AND period <> '-' ORDER BY amount$$,
	$$VALUES ('valley', 279.000000, 111.60), ('sharp', 186.000000, 223.20), ('flat', 341.000000, 238.70), ('peak', 744.000000, 744.00)$$,
	'the shop: two sharp hours of 3 kWh, eight of peak, five of flat with 11 kWh, nine of valley with 9 kWh, on 31 days');
SELECT results_eq($$SELECT month, sum(amount) FROM elecbill.revenue_by_tier WHERE tariff = 'YEAR' AND month >= '2026-02-01' GROUP BY month ORDER BY month$$,
	$$VALUES (date '2026-02-01', 249.60 + 338.00), (date '2026-03-01', -338.00)$$, 'a bill that is taken back in March stays in February and is taken off in March');

-- ---------------------------------------------------------------- invoices

SELECT results_eq($$SELECT type, buyer_tax_no, n::integer, quantity, price, amount, rate, tax, total, total_upper, seller FROM elecbill.invoice_export WHERE bill = '2026-000008' ORDER BY n$$,
	$$VALUES ('special', '91310115MA1K300000', 1, 1550.000, 0.85000000, 1317.50, 13.000000000, 171.28, 1509.98, '壹仟伍佰零玖元玖角捌分', '翠湖花园物业管理有限公司'),
		('special', '91310115MA1K300000', 2, NULL::numeric, NULL::numeric, 20.00, 6.000000000, 1.20, 1509.98, '壹仟伍佰零玖元玖角捌分', '翠湖花园物业管理有限公司')$$,
	'the shop has a row for each rate of its bill');
SELECT results_eq($$SELECT type, buyer, tax_code, amount, rate, tax, total FROM elecbill.invoice_export WHERE bill = '2026-000001'$$,
	$$VALUES ('normal', '王小明', '1100101020000000000', 221.95, 13::numeric, 28.85, 250.80)$$, 'where the tariff says nothing of tax it is taken out of the amount: 250.80 x 13 / 113');
SELECT is_empty($$SELECT bill FROM elecbill.invoice_export GROUP BY bill, total HAVING sum(amount + tax) <> total$$, 'the rows of an invoice add up to the bill');
SELECT is((SELECT count(DISTINCT bill) FROM elecbill.invoice_export), (SELECT count(*) FROM elecbill.bill WHERE live AND number IS NOT NULL), 'each bill that stands is there');
SELECT elecbill.bill_invoice('2026-000008', '26312000000000000001') \g /dev/null
SELECT is((SELECT DISTINCT number FROM elecbill.invoice_export WHERE bill = '2026-000008'), '26312000000000000001', 'once it is made its number is shown');
SELECT throws_ok($$SELECT elecbill.invoice_party_set('GARDEN', 'A1', '王小明', NULL, NULL, 'special')$$, 'UB400',
	'an invoice needs a name of at most 200 characters, and a type', 'a special invoice needs a tax number');
SELECT throws_ok($$SELECT elecbill.invoice_party_set('GARDEN', 'nobody', 'x')$$, 'UB404', 'there is no customer ''nobody''', 'a buyer is a customer');
SELECT throws_ok($$SELECT elecbill.invoice_item_set('GARDEN', '电费', '110', 13)$$, 'UB400',
	'an invoice item needs a name of at most 100 characters, a code of 19 digits and a rate from 0 to 100 percent', 'a tax code has 19 digits');
SELECT elecbill.invoice_item_set('GARDEN', '*供电*电费', '1100101020000000000', 9, '2026-01-01') \g /dev/null
SELECT results_eq($$SELECT bill, rate FROM elecbill.invoice_export WHERE account_no = 'A1' AND date BETWEEN '2025-12-01' AND '2026-01-31' ORDER BY bill$$,
	$$VALUES ('2025-000021', 13::numeric), ('2026-000001', 9::numeric)$$, 'another rate holds from its day on');

-- ---------------------------------------------------------------- bills in the shape of the seed, users, hours

SELECT results_eq($$SELECT user_id, username, month, amount, status FROM elecbill.bill_summary WHERE user_id = 'A1' AND month >= '2025-11' ORDER BY month$$,
	$$VALUES ('A1', '王小明', '2025-11', 228.00, '已缴费'), ('A1', '王小明', '2025-12', 250.80, '未缴费'), ('A1', '王小明', '2026-01', 249.60, '未缴费')$$,
	'who, which month, how much, paid or not');
SELECT results_eq($$SELECT place, account_no, energy_kwh, share FROM elecbill.top_users WHERE month = '2025-12-01' ORDER BY place$$,
	$$VALUES (1::bigint, 'S1', 1550.000, 52.54), (2, 'A2', 650.000, 22.03), (3, 'A1', 440.000, 14.92), (4, 'A3', 310.000, 10.51)$$, 'the shop used most: 1550 of 2950 kWh');
SELECT is((SELECT sum(energy_kwh) FROM elecbill.usage_hourly WHERE usage_point = 'S-1'), (SELECT sum(energy_kwh) FROM elecbill.usage_daily WHERE usage_point = 'S-1'),
	'hours add up to days');
SELECT results_eq($$SELECT energy_kwh, complete FROM elecbill.usage_hourly WHERE usage_point = 'S-1' AND from_at = '2026-01-15 11:00+08'$$, $$VALUES (3.000, true)$$,
	'3 kWh from eleven to twelve');
SELECT is((SELECT count(*) FROM elecbill.usage_hourly WHERE usage_point = 'R-101'), 0::bigint, 'a register read once a month says nothing of hours');

-- the tariff registers of the shop's meter: right, off by two hundredths, by one, and not read
INSERT INTO elecbill.meter_register (org_id, meter_id, code, wrap_wh)
SELECT m.org_id, m.id, '1.8.' || t, 1000000000 FROM elecbill.meter m, generate_series(1, 4) AS t WHERE m.serial = 'M4'
ON CONFLICT DO NOTHING;
SELECT elecbill.reading_add('GARDEN', 'M4', x.register, x.at::timestamptz, x.kwh) FROM (VALUES
	('1.8.1', '2026-01-01 00:00+08', 186.00), ('1.8.1', '2026-02-01 00:00+08', 372.00), ('1.8.2', '2026-01-01 00:00+08', 744.00), ('1.8.2', '2026-02-01 00:00+08', 1488.02),
	('1.8.3', '2026-01-01 00:00+08', 341.00), ('1.8.3', '2026-02-01 00:00+08', 682.01)) AS x(register, at, kwh) \g /dev/null
SELECT results_eq($$SELECT register, period, meter_kwh, billed_kwh, agrees FROM elecbill.tou_check WHERE number = '2026-000008' ORDER BY register$$,
	$$VALUES ('1.8.1', 'sharp', 186.0000000, 186.000000, true), ('1.8.2', 'peak', 744.0200000, 744.000000, false),
		('1.8.3', 'flat', 341.0100000, 341.000000, true), ('1.8.4', 'valley', NULL::numeric, 279.000000, NULL::boolean)$$,
	'what the meter counted by period is held against the bill, to one last place');

-- ---------------------------------------------------------------- series for dashboards

SELECT is((SELECT sum(value) FROM elecbill.series_day WHERE point = 'S-1' AND metric = 'import kWh'), 3100.000, 'kWh by day');
SELECT results_eq($$SELECT metric, value FROM elecbill.series_power WHERE point = 'S-1' AND time = '2026-01-15 11:00+08'$$, $$VALUES ('import kW', 3.000)$$, 'kW by interval');
SELECT is((SELECT value FROM elecbill.series_money WHERE metric = 'receivable' ORDER BY time DESC LIMIT 1), (SELECT sum(total) FROM elecbill.arrears_aging), 'the receivable of the last day is what is open');
SELECT is((SELECT sum(value) FROM elecbill.series_money WHERE metric = 'billed'), (SELECT sum(amount + tax) FROM elecbill.revenue_by_tier), 'what was billed day by day is the revenue');
SELECT is((SELECT sum(value) FROM elecbill.series_money WHERE metric = 'received'), (SELECT sum(received) FROM elecbill.collection_rate), 'what was received day by day is what was collected');

SELECT results_eq($$SELECT "time", metric, value FROM elecbill.series_day WHERE "time" BETWEEN '2026-01-14T16:00:00Z' AND '2026-01-15T15:59:59.999Z'
	AND day >= '2026-01-14T16:00:00Z'::date - 1 AND org = 'GARDEN' AND point = 'S-1' ORDER BY 1$$, $$VALUES (timestamptz '2026-01-15 00:00+08', 'import kWh', 50.000)$$,
	'a dashboard asks for a span of time, with its macros written out');
SELECT results_eq($$SELECT floor(extract(epoch FROM "time") / 86400) * 86400 AS "time", metric, avg(value)::numeric(9,3) FROM elecbill.series_power
	WHERE "time" BETWEEN '2026-01-14T16:00:00Z' AND '2026-01-15T15:59:59.999Z' AND point = 'S-1' GROUP BY 1, 2 ORDER BY 1, 2$$,
	$$VALUES (1768348800::numeric, 'import kW', 1.000::numeric(9,3)), (1768435200, 'import kW', 2.625)$$, 'and for means of UTC days');
SELECT is((SELECT array_agg(c.relname::text ORDER BY c.relname) FROM pg_class c WHERE c.relnamespace = 'elecbill'::regnamespace AND c.relkind = 'v' AND c.relname !~ '^_|^my_'
	AND NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'org')), '{bill_summary,reading_effective}'::text[],
	'every report names its org, but the one in the shape of the seed and the readings themselves');

-- ---------------------------------------------------------------- statements

SELECT results_eq($$SELECT n, day, text, bill, charged, paid, balance FROM elecbill.statement('A1', '2025-10-15', 'zh')$$,
	$$VALUES (0, date '2025-10-01', '上期余额', NULL, NULL::numeric, NULL::numeric, 0::numeric),
		(1, date '2025-10-01', '出账', '2025-000017', 172.40, NULL, 172.40), (2, date '2025-10-10', '缴费', '2025-000017', NULL, 172.40, 0.00)$$, 'a month of A1: a bill and its payment');
SELECT is((SELECT sum(charged) FROM elecbill.statement('S1', '2026-02-01')), 1509.98, 'a bill with tax is one row');
SELECT results_eq($$SELECT text, paid, balance FROM elecbill.statement('A3', '2026-02-01', 'en') WHERE n > 0$$,
	$$VALUES ('bill issued', NULL::numeric, 328.44), ('payment', 500.00, -171.56)$$, 'money that is more than the bill is one payment; the rest is credit');
SELECT is_empty($$SELECT m.account_no FROM elecbill.account_money m
	WHERE m.balance <> (SELECT s.balance FROM elecbill.statement(m.account_no, '2026-03-31') AS s ORDER BY s.n DESC LIMIT 1)$$, 'statements end with the balance of the account');
SELECT throws_ok($$SELECT * FROM elecbill.statement('NOBODY', '2026-02-01')$$, 'UB404', 'there is no account ''NOBODY''', 'an account that is not there has none');
SELECT throws_ok($$SELECT elecbill.html_statement('A1', 'infinity')$$, 'UB400', 'a month is named by a day in it', 'a statement is that of a month');

-- ---------------------------------------------------------------- pages and pictures say the same

SELECT ok(p.page LIKE '%' || to_char(c.issued, 'FM9,999.00') || '%' AND p.page LIKE '%' || c.rate || ' %%' AND p.page LIKE '%>' || c.received || '<%', 'the report has issued, rate and received of its month')
FROM elecbill.collection_rate c, (SELECT elecbill.html_report('GARDEN', '2025-12-31', 'en') AS page) AS p WHERE c.month = '2025-12-01';
SELECT is((SELECT concat_ws(' ', count(*), sum(replace(b.m[1], ',', '')::numeric), max((regexp_match(t.page, '>([^<>]*)</td></tr></tfoot>'))[1]))
	FROM (SELECT substr(p.page, strpos(p.page, 'Trial balance'), strpos(substr(p.page, strpos(p.page, 'Trial balance')), '</table>')) AS page
		FROM elecbill.html_report('GARDEN', x.month, 'en') AS p(page)) AS t, regexp_matches(substr(t.page, 1, strpos(t.page, '</tbody>')), '>([-0-9,.]+)</td></tr>', 'g') AS b(m)),
	(SELECT count(DISTINCT b.code) FROM elecbill.trial_balance b WHERE b.month <= x.month) || ' 0.00 0.00', 'every account of the books stands in the report of ' || x.month || ', and what they come to adds up')
FROM (VALUES (date '2025-12-01'), ('2026-02-01')) AS x(month);
SELECT ok(elecbill.html_report('GARDEN', '2024-01-01') LIKE '%2024年1月电费月报%', 'a month in which nothing happened has a report, too');
SELECT throws_ok($$SELECT elecbill.html_report('NOBODY', '2026-02-01')$$, 'UB404', NULL, 'an org that is not there has none');
SELECT throws_ok($$SELECT elecbill.html_report('GARDEN', NULL)$$, 'UB400', NULL, 'a report is that of a month');
CREATE FUNCTION pg_temp.said(svg text) RETURNS text LANGUAGE sql AS $$
	SELECT (xpath('//*[local-name()="desc"]/text()', svg::xml))[1]::text $$;
SELECT is(pg_temp.said(elecbill.svg_tier_gauge('A2', '2025-12-31', 'zh')), 'R-102 2025-01-01 至 2025-12-31 已用 7800 千瓦时,已进入最高档', 'A2 used 12 x 650 kWh');
SELECT is(pg_temp.said(elecbill.svg_tier_gauge('A3', '2026-01-20', 'en')), 'R-103, 2026-01-01 to 2026-01-31: 310 kWh used, 90 kWh left in tier 2',
	'A3 used 31 x 10 kWh of 400');
SELECT elecbill.reading_add('GARDEN', 'M3', '1.8.0', '2026-02-11 00:00+08', 720) \g /dev/null
SELECT is(pg_temp.said(elecbill.svg_tier_gauge('A3', '2026-02-15', 'en')), 'R-103, 2026-02-01 to 2026-02-28: 100 kWh used, 100 kWh left in tier 1',
	'what is measured and not billed yet counts, too');
SELECT is((SELECT bounds FROM elecbill.customer_account a, elecbill._tier_state(a, '2025-06-01') WHERE a.account_no = 'A2'), '{3720,6000}', 'five persons have 100 kWh more a month');
SELECT is((SELECT billed_kwh FROM elecbill.customer_account a, elecbill._tier_state(a, '2025-12-31') WHERE a.account_no = 'A2'), (SELECT kwh FROM elecbill.usage_counter c
	JOIN elecbill.customer_account a ON a.id = c.account_id WHERE a.account_no = 'A2' AND c.scope_start = '2025-01-01'), 'the gauge is where bills count from');
SELECT is(pg_temp.said(elecbill.svg_tier_gauge('S1', NULL, 'en')), 'No tiers that can be drawn.', 'the shop has no tiers');
SELECT is(pg_temp.said(elecbill.svg_bill_history('A1', 3, 'en')), '1320.000 kWh, 728.40 CNY, of which 500.40 open', 'three months of A1: 228.00 + 250.80 + 249.60, of which the first is paid');
SELECT is(pg_temp.said(elecbill.svg_tou_stack('S1', 1, 'en')), 'flat 341 kWh, peak 744 kWh, sharp peak 186 kWh, valley 279 kWh', 'a month of the shop by period');
SELECT is((SELECT count(*) FROM regexp_matches(elecbill.svg_heatmap('S1', '[2026-01-01,2026-02-01)'), '<rect', 'g')), 31 * 24::bigint, 'a rectangle for each hour of January');
SELECT is(pg_temp.said(elecbill.svg_heatmap('S1', '[2026-01-01,2026-02-01)', 'en')), 'The darkest hour has 3 kW.', 'and the darkest has 3 kW');
SELECT throws_ok($$SELECT elecbill.svg_heatmap('S1', '[2026-01-01,2026-06-01)')$$, 'UB400', 'a heat map covers 1 to 62 days', 'it has room for two months');
SELECT throws_ok($$SELECT elecbill.svg_bill_history('A1', 37)$$, 'UB400', 'a picture covers 1 to 36 months', 'a picture has room for three years');
SELECT throws_ok($$SELECT elecbill.svg_tier_gauge('A1', 'infinity')$$, 'UB400', 'a gauge is that of a date', 'a gauge is that of a day');
SELECT throws_ok($$SELECT elecbill.svg_heatmap('A1', '[infinity,infinity]')$$, 'UB400', NULL, 'or of days that have an end');

-- ---------------------------------------------------------------- meters behind meters

SELECT is(pg_temp.said(elecbill.svg_loss_tree('GARDEN', '2026-01-01', 'en')), 'No meter lies behind another.', 'no tree yet');
SELECT elecbill.usage_point_tree_set('GARDEN', p, 'S-1', '2026-01-01') FROM unnest('{R-101,R-102}'::text[]) AS p \g /dev/null
SELECT elecbill.usage_point_tree_set('GARDEN', 'R-103', 'R-102', '2026-01-01') \g /dev/null
CREATE FUNCTION pg_temp.words(svg text) RETURNS text[] LANGUAGE sql AS $$
	SELECT ARRAY(SELECT t.x::text FROM unnest(xpath('//*[local-name()="text"]/text()', svg::xml)) WITH ORDINALITY AS t(x, i) ORDER BY t.i) $$;
-- S-1 1550; behind it R-102 650 and R-101 480; behind R-102 R-103 with 310
SELECT is(pg_temp.said(elecbill.svg_loss_tree('GARDEN', '2026-01-20', 'en')), 'S-1: 1,550 kWh, loss 27.10 %; R-102: 650 kWh, loss 52.31 %',
	'1550 - 650 - 480 = 420 of 1550 and 650 - 310 = 340 of 650 are lost');
SELECT is((pg_temp.words(elecbill.svg_loss_tree('GARDEN', '2026-01-01', 'en')))[4:], '{S-1,"1,550 kWh, loss 27.10 %",R-102,"650 kWh, loss 52.31 %",R-103,"310 kWh",R-101,"480 kWh"}'::text[],
	'a meter stands below its parent, one with others behind it first');
SELECT is((pg_temp.words(elecbill.svg_loss_tree('GARDEN', '2026-01-01', 'zh', 'R-102')))[4:], '{R-102,"650 kWh,损耗 52.31 %",R-103,"310 kWh"}'::text[], 'one branch of it, in Chinese');
SELECT is_empty($$SELECT l.parent FROM elecbill.line_loss l WHERE l.org = 'GARDEN' AND l.month = '2026-01-01'
	AND elecbill.svg_loss_tree('GARDEN', l.month, 'en') NOT LIKE '%loss ' || l.loss_percent || ' \%%'$$, 'the picture says what the view says');
SELECT elecbill.usage_point_tree_set('GARDEN', 'R-103', 'S-1', '2026-02-01') \g /dev/null
SELECT is((pg_temp.words(elecbill.svg_loss_tree('GARDEN', '2026-01-01', 'en')))[10:], '{R-101,"480 kWh"}'::text[], 'what is moved in February was where it was in January');
SELECT is((pg_temp.words(elecbill.svg_loss_tree('GARDEN', '2026-02-01', 'en', NULL, 1)))[6:], '{R-101,"not known","and 2 more","not known"}'::text[],
	'of three children the first, and how many more; what is not read yet is not known');
SELECT throws_ok($$SELECT elecbill.svg_loss_tree('GARDEN', '2026-01-01', 'en', NULL, 201)$$, 'UB400', 'a picture shows 1 to 200 children of a meter', 'there is an end');
SELECT throws_ok($$SELECT elecbill.svg_loss_tree('GARDEN', '2026-01-01', 'en', 'nowhere')$$, 'UB404', NULL, 'a parent that is not there');
SELECT throws_ok($$SELECT elecbill.svg_loss_tree('NOBODY', '2026-01-01')$$, 'UB404', NULL, 'an org that is not there');
SELECT throws_ok($$SELECT elecbill.svg_loss_tree('GARDEN', NULL)$$, 'UB400', 'a month is named by a day in it', 'a tree is that of a month');

-- ---------------------------------------------------------------- all pages of a month

CREATE TEMP TABLE site AS SELECT * FROM elecbill.html_site('GARDEN', '2026-02-01', 'en');
SELECT is((SELECT array_agg(path ORDER BY path COLLATE "C") FROM site), (SELECT array_agg(x.p ORDER BY x.p COLLATE "C") FROM (
	SELECT unnest('{index.html,loss.html,statement/A1.html,statement/A2.html,statement/A3.html,statement/S1.html}'::text[]) AS p
	UNION ALL SELECT format('bill/%s.html', number) FROM elecbill.bill
	WHERE live AND number IS NOT NULL AND date_trunc('month', issued_at AT TIME ZONE 'Asia/Shanghai') = '2026-02-01') AS x),
	'the report, the tree, a statement for each account, a page for each bill of the month that stands');
SELECT is((SELECT count(*) FROM site WHERE path LIKE 'bill/%'), 3::bigint, 'three of February, one was taken back');
CREATE TEMP VIEW link AS SELECT s.path, regexp_replace(CASE WHEN s.path LIKE '%/%' AND m[1] !~ '^\.\./' THEN 'beside/' ELSE '' END || m[1], '^\.\./', '') AS target
	FROM site s, regexp_matches(s.content, '<a href="([^"]*)"', 'g') AS m;
SELECT is_empty('SELECT path, target FROM link WHERE target NOT IN (SELECT path FROM site)', 'every link leads to a page');
SELECT is_empty($$SELECT path FROM site WHERE path <> 'index.html' AND path NOT IN (SELECT target FROM link WHERE link.path = 'index.html')$$, 'the index leads to every page');
SELECT is_empty($$SELECT path FROM site WHERE path <> 'index.html' AND NOT EXISTS (SELECT FROM link WHERE link.path = site.path AND target = 'index.html')$$, 'and every page back');
SELECT is_empty($$SELECT path FROM site WHERE content ~* '<script|<link|<img|https?://(?!www\.w3\.org/2000/svg")|url\('$$, 'nothing comes from outside');
SELECT is((SELECT count(*) FROM site WHERE content LIKE '%<nav>%</nav>%<nav>%' OR content NOT LIKE '%<body>' || chr(10) || '<nav>%'), 0::bigint, 'each page has its links once');
SELECT is((SELECT content FROM site WHERE path = 'statement/A2.html') LIKE '%' || split_part(elecbill.html_statement('A2', '2026-02-01', 'en'), '<body>', 2), true,
	'a page is the page of its own, and links');
SELECT results_eq($$SELECT elecbill._page_name(x, 7) FROM unnest('{A1,R-101/2,..,.x,户1,a b,-r,2026-000001}'::text[]) AS x$$,
	$$VALUES ('A1.html'), ('~7.html'), ('~7.html'), ('~7.html'), ('~7.html'), ('~7.html'), ('~7.html'), ('2026-000001.html')$$, 'no number leads to another folder');
SELECT throws_ok($$SELECT * FROM elecbill.html_site('NOBODY', '2026-02-01')$$, 'UB404', NULL, 'an org that is not there has no pages');
SELECT throws_ok($$SELECT * FROM elecbill.html_site('GARDEN', 'infinity')$$, 'UB400', NULL, 'pages are those of a month');

-- ---------------------------------------------------------------- a flat that is empty

SELECT elecbill.import_estate('GARDEN', convert_to(
'room,account_no,name,kind,meter_no,model,last_reading,last_read_at,tariff
R-109,A9,R-109,residential,M9,DDZY,70,2026-01-01,YEAR', 'UTF8')), elecbill.reading_add('GARDEN', 'M9', '1.8.0', '2026-02-01 00:00+08', 70) \g /dev/null
SELECT number FROM elecbill.offcycle_bill('A9', '[2026-01-01,2026-02-01)') \gset zero_
SELECT results_eq($$SELECT amount, status FROM elecbill.bill_summary WHERE user_id = 'A9'$$, $$VALUES (0.00, '已缴费')$$, 'nothing is to be paid of a bill of 0.00');
SELECT ok(elecbill.html_bill(:'zero_number', 'zh') LIKE '%<dd>已缴费</dd>%', 'its page says so, too');
SELECT is_empty($$SELECT FROM elecbill.arrears_aging WHERE account_no = 'A9'$$, 'and nobody is told that it is open');
SELECT results_eq($$SELECT text FROM elecbill.explain_bill('2026-000008', 'en') WHERE text LIKE 'VAT%'$$,
	$$VALUES ('VAT  1317.5 CNY × 13 % = 171.275, rounded 171.28 CNY'), ('VAT  20 CNY × 6 % = 1.20 CNY')$$, 'a tax is explained by its percentage');
SELECT is_empty('SELECT * FROM elecbill.fsck()', 'and the books are in order');

-- ---------------------------------------------------------------- a month of late fees

SET elecbill.clock_override = '2026-02-21 10:00+08';
CALL elecbill.accrue_late_fees('GARDEN', '2026-02-20');
CALL elecbill.accrue_late_fees('GARDEN', '2026-02-21');
SET elecbill.clock_override = '2026-02-22 10:00+08';
SELECT elecbill.payment_record_cash('A2', 10, NULL, 'fee-1') \g /dev/null
SET elecbill.clock_override = '2026-02-25 10:00+08';
CALL elecbill.accrue_late_fees('GARDEN', '2026-02-24');
CALL elecbill.accrue_late_fees('GARDEN', '2026-02-25');
SELECT cmp_ok((SELECT count(*) FROM elecbill.account_statement WHERE account_no = 'A2' AND kind = 'late_fee'), '>', 16::bigint, 'late fees are booked day by day');
SELECT is_empty($$SELECT bill FROM elecbill.statement('A2', '2026-02-01', 'en') WHERE text = 'late fee' GROUP BY bill HAVING count(*) > 2$$,
	'a statement has one row a bill before the payment, and one behind it');
SELECT is((SELECT (array_agg(balance ORDER BY n DESC))[1] FROM elecbill.statement('A2', '2026-02-01')), (SELECT sum(debit) - sum(credit) FROM elecbill.account_statement
	WHERE account_no = 'A2' AND book IN ('receivable', 'advance') AND effective_on < '2026-03-01'), 'and ends with what the books say');
SELECT * FROM finish();
