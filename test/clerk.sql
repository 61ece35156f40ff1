-- clerk.sql: what a tired clerk types is answered in words, and leaves no trace
-- First calls as they are made at a counter, each with the code it is answered with; then every function of
-- the schema layer with one argument after the other spoilt: no answer may come from the inside of the server.
\set ON_ERROR_STOP 1
-- what refusals write, and who writes it, is looked at in audit.sql; thousands of them only take time
\getenv super PGSUPERUSER
SELECT current_user AS owner \gset
\c - :super
CREATE OR REPLACE FUNCTION elecbill._refused(org text, call text, object text, state text, message text) RETURNS void LANGUAGE sql AS '';
\c - :owner
SET client_min_messages = warning;
SET jit = off;
SET elecbill.clock_override = '2026-03-20 10:00+08';

SELECT elecbill.org_create('LAKE', 'Lakeside'), elecbill.org_create('HILL', 'Hillside') \g /dev/null
SELECT elecbill.partition_maintain(3, '2026-01-01') \g /dev/null
SELECT elecbill.payment_policy_set('LAKE', 'over') \g /dev/null
SELECT elecbill.tariff_approve('LAKE/HOME', elecbill.tariff_draft('LAKE/HOME', '[2026-01-01,)',
	elecbill.tiered_tariff('{200,400}', '{0.5,0.6,0.8}')::text::jsonb, 'writer'), 'checker') \g /dev/null
SELECT * FROM elecbill.import_estate('LAKE', convert_to(
'room,account_no,name,kind,meter_no,model,protocol,last_reading,last_read_at,tariff
1-101,A1,1-101,residential,L1,DD-1,manual,1000,2026-01-01,HOME
1-102,A2,1-102,residential,L2,DD-1,manual,5000,2026-01-01,HOME', 'UTF8'));
SELECT elecbill.reading_add('LAKE', m, '1.8.0', '2026-02-01 00:00+08', kwh) FROM (VALUES ('L1', 1150), ('L2', 5300)) AS r(m, kwh) \g /dev/null
CALL elecbill.bill_month('LAKE', 'MONTH', '2026-01');
SELECT elecbill.duty_grant('LAKE', elecbill.current_login(), d) FROM unnest('{property,billing,finance}'::text[]) AS d \g /dev/null
SELECT elecbill.cashier_shift_open('LAKE'), elecbill.calendar_create('LAKE', 'CAL'), elecbill.price_series_create('LAKE', 'PUR', 'bill_month') \g /dev/null
SELECT receipt_no FROM elecbill.pay_bill('2026-000002', 160, 'paid-1') \gset
SELECT number AS order FROM elecbill.payment_order_create('A1', NULL, 75, 'alipay', 'order-1') \gset

CREATE TYPE pg_temp.answer AS (state text, message text, detail text, hint text);
CREATE FUNCTION pg_temp.said(statement text) RETURNS pg_temp.answer LANGUAGE plpgsql AS $$
DECLARE
	one pg_temp.answer;
BEGIN
	EXECUTE statement;
	RAISE EXCEPTION 'done' USING ERRCODE = 'OK000';		-- and taken back
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS one.state = RETURNED_SQLSTATE, one.message = MESSAGE_TEXT, one.detail = PG_EXCEPTION_DETAIL, one.hint = PG_EXCEPTION_HINT;
	RETURN one;
END $$;
CREATE FUNCTION pg_temp.books() RETURNS text LANGUAGE sql AS $$
	SELECT concat_ws(' ', (SELECT count(*) FROM elecbill.ledger_transfer), (SELECT sum(amount) FROM elecbill.ledger_transfer), (SELECT count(*) FROM elecbill.payment),
		(SELECT count(*) FROM elecbill.payment_order), (SELECT string_agg(b.status || b.paid, ' ' ORDER BY b.id) FROM elecbill.bill b),
		(SELECT string_agg(c.kind || c.last, ' ' ORDER BY c.kind) FROM elecbill.number_counter c), (SELECT count(*) FROM elecbill.reading),
		(SELECT count(*) FROM elecbill.customer_agreement), (SELECT count(*) FROM elecbill.tariff_version)) $$;
SELECT pg_temp.books() AS books \gset

-- ---------------------------------------------------------------- at the counter

CREATE TEMP TABLE slip (n integer GENERATED ALWAYS AS IDENTITY, what text, statement text, state text, message text);
INSERT INTO slip (what, statement, state, message) VALUES
	('a wrong bill number', $$pay_bill('2026-000099', 75, 'k1')$$, 'UB404', 'there is no bill ''2026-000099'''),
	('no bill number', $$pay_bill('', 75, 'k1')$$, 'UB404', 'there is no bill ''''%'),
	('no number at all', $$pay_bill(NULL, 75, 'k1')$$, 'UB404', 'there is no bill NULL'),
	('a bill of another org', $$pay_bill('HILL/2026-000001', 75, 'k1')$$, 'UB404', 'there is no bill ''HILL/2026-000001'''),
	('a bill that is paid', $$pay_bill('2026-000002', 160, 'k1')$$, 'UB412', '%paid%'),
	('minus for plus', $$pay_bill('2026-000001', -75, 'k1')$$, 'UB422', '%'),
	('nothing', $$pay_bill('2026-000001', 0, 'k1')$$, 'UB422', '%'),
	('a tenth of a cent', $$pay_bill('2026-000001', 75.001, 'k1')$$, 'UB422', '%'),
	('no amount', $$pay_bill('2026-000001', NULL, 'k1')$$, 'UB422', '%'),
	('not a number', $$pay_bill('2026-000001', 'NaN', 'k1')$$, 'UB422', '%'),
	('more than all money', $$pay_bill('2026-000001', 1e20, 'k1')$$, 'UB422', '%'),
	('infinitely much', $$pay_bill('2026-000001', 'Infinity', 'k1')$$, 'UB422', '%'),
	('no key', $$pay_bill('2026-000001', 75, NULL)$$, 'UB400', '%key%'),
	('an empty key', $$pay_bill('2026-000001', 75, '')$$, 'UB400', '%key%'),
	('the key of another call', $$pay_bill('2026-000001', 75, 'paid-1')$$, 'UB409', 'the key was used for something else'),
	('a channel that is none', $$pay_bill('2026-000001', 75, 'k1', 'cheque')$$, 'UB400', '%'),
	('cash of an account that is not there', $$payment_record_cash('A9', 10, NULL, 'k1')$$, 'UB404', 'there is no account ''A9'''),
	('an order for more than is open', $$payment_order_create('A1', NULL, 9999, 'alipay', 'k1')$$, 'UB422', '缴费金额不正确'),
	('an order over all money', $$payment_order_create('A1', NULL, 1e20, 'alipay', 'k1')$$, 'UB422', '%'),
	('an order for no bill', $$payment_order_create('A1', '{}', 75, 'alipay', 'k1')$$, 'UB422', '%'),
	('a confirmation from nowhere', $$payment_order_confirm('LAKE', NULL, 'T1', 'O1', 75, now())$$, 'UB400', '%'),
	('a confirmation of infinity', $$payment_order_confirm('LAKE', 'alipay', 'T1', 'O1', 'Infinity', now())$$, 'UB422', '%'),
	('a refund above the payment', format('refund_request(%L, 160.01, ''credit'', ''k1'')', :'receipt_no'), 'UB422', '%'),
	('a refund of a payment nobody made', $$refund_request('R0', 1, 'credit', 'k1')$$, 'UB404', '%'),
	('a refund to nowhere', format('refund_request(%L, 1, ''pocket'', ''k1'')', :'receipt_no'), 'UB400', '%'),
	('a payment reversed by who took it', format('payment_reverse(%L, ''typo'', ''k1'')', :'receipt_no'), 'UB403', '%another person%'),
	('a payment reversed without a reason', format('payment_reverse(%L, '''', ''k1'')', :'receipt_no'), 'UB400', '%reason%'),
	('a paid bill given up', $$write_off('2026-000002', 'gone', 'k1')$$, 'UB412', '%'),
	('a bill cancelled without a reason', $$cancel_bill('2026-000001', '')$$, 'UB400', '%reason%'),
	('a till counted as NaN', $$cashier_shift_close('LAKE', 'NaN')$$, 'UB422', '%'),
	('a second shift', $$cashier_shift_open('LAKE')$$, 'UB412', '%open shift'),
	('a transfer to itself', $$post_transfer('LAKE', 'k1', 'cash', 'cash', 1, '2026-03-20')$$, 'UB400', '%'),
	('a transfer below nothing', $$post_transfer('LAKE', 'k1', 'cash', 'bank', -1, '2026-03-20')$$, 'UB422', '%'),
	('a ledger account that is not there', $$post_transfer('LAKE', 'k1', 'cahs', 'bank', 1, '2026-03-20')$$, 'UB404', '%'),
	('a month that is not over', $$close_period('LAKE', '2026-03-01')$$, 'UB412', '%not over'),
	('a reading of a meter that is not there', $$reading_add('LAKE', 'L9', '1.8.0', '2026-03-01 00:00+08', 1)$$, 'UB404', '%unknown meter'),
	('a reading of tomorrow', $$reading_add('LAKE', 'L1', '1.8.0', '2026-03-22 00:00+08', 1200)$$, 'UB400', '%future'),
	('a reading below nothing', $$reading_add('LAKE', 'L1', '1.8.0', '2026-03-01 00:00+08', -1)$$, 'UB400', '%negative value'),
	('a register as NaN', $$reading_add('LAKE', 'L1', '1.8.0', '2026-03-01 00:00+08', 'NaN')$$, 'UB400', '%not a number'),
	('a meter exchanged for itself', $$exchange_meter('1-101', 'L1', '{"1.8.0": 1200}', 'L1', '{"1.8.0": 0}', 1, '2026-03-01 00:00+08')$$, 'UB400', '%another one'),
	('a multiplier of 0', $$exchange_meter('1-101', 'L1', '{"1.8.0": 1200}', 'L7', '{"1.8.0": 0}', 0, '2026-03-01 00:00+08')$$, 'UB400', 'a multiplier is%'),
	('days the wrong way round', $$simulate_bill('A1', daterange('2026-03-01', '2026-03-01'))$$, 'UB400', '%'),
	('days without an end', $$offcycle_bill('A1', '[2026-02-01,)')$$, 'UB400', '%both ends'),
	('days that are billed', $$offcycle_bill('A1', '[2026-01-10,2026-01-20)')$$, 'UB409', '%'),
	('a run over half a month', $$bill_run_start('LAKE', 'MONTH', '[2026-02-01,2026-02-15)')$$, 'UB400', '%is not a period of cycle%'),
	('a run of a cycle that is not there', $$bill_run_start('LAKE', 'YEARLY', '[2026-02-01,2026-03-01)')$$, 'UB404', '%'),
	('an org that is not there', $$bill_run_start('LAEK', 'MONTH', '[2026-02-01,2026-03-01)')$$, 'UB404', '%'),
	('a tariff approved by its writer', $$tariff_approve('LAKE/NEXT', elecbill.tariff_draft('LAKE/NEXT', '[2026-04-01,)',
		elecbill.tiered_tariff('{200}', '{0.5,0.6}')::text::jsonb, 'writer'), 'writer')$$, 'UB403', '%'),
	('a rider without a code', $$rider_draft('LAKE/', '[2026-04-01,)', '{"components": []}', 'writer')$$, 'UB400', 'a tariff plan or rider needs a code'),
	('a plan without a code', $$tariff_draft('LAKE/', '[2026-04-01,)', elecbill.tiered_tariff('{200}', '{0.5,0.6}')::text::jsonb, 'writer')$$, 'UB400', 'a tariff plan or rider needs a code'),
	('a price series without a code', $$price_series_create('LAKE', NULL)$$, 'UB400', 'a price series has a code of 1 to 64 characters without blanks, other than usage'),
	('a price without an end of its months', $$price_set('LAKE/PUR', daterange 'empty', 0.4, 'writer')$$, 'UB400', '%'),
	('late fees of ten a day', $$late_fee_policy_draft('LAKE', 'person', '2026-04-01', 10, 1e9)$$, 'UB400', 'a late fee needs%'),
	('an alarm rule with a list', $$alarm_rule_set('LAKE', 'payment_late', params => '[]')$$, 'UB400', 'a rule for alarms is not set so'),
	('a job with a word', $$job_set('LAKE', 'late_fee', params => '"x"')$$, 'UB400', 'a job is not set so'),
	('late readings since never', $$late_readings('LAKE', NULL)$$, 'UB400', 'late readings are looked for in bills since a day'),
	('a correction since never', format('true_up(''A1'', %s, ''infinity'')', (SELECT max(id) FROM elecbill.bill_run)), 'UB400', 'a correction is made since a day'),
	('a picture of no days', $$svg_heatmap('A1', '[infinity,infinity]')$$, 'UB400', 'a heat map covers%'),
	('a picture of too many months', $$svg_tou_stack('A1', 2147483647)$$, 'UB400', 'a picture covers%'),
	('a language that is none', $$html_bill('2026-000001', 'tlh')$$, 'UB400', '%'),
	('a month of no time', $$html_report('LAKE', 'infinity')$$, 'UB400', 'a month is named by a day in it');
SELECT plan((SELECT count(*)::integer FROM slip) + 9);
SELECT is(a.state || CASE WHEN a.message LIKE s.message THEN '' ELSE ' ' || a.message END, s.state, s.what)
FROM slip AS s CROSS JOIN LATERAL pg_temp.said('SELECT elecbill.' || s.statement) AS a ORDER BY s.n;
SELECT is(pg_temp.books(), :'books', 'nothing of it left a trace');
SELECT is_empty($$SELECT s.statement, a.message FROM slip AS s CROSS JOIN LATERAL pg_temp.said('SELECT elecbill.' || s.statement) AS a
	WHERE a.message ~ '^(?!NULL|NaN|Infinity)[A-Z]|\n|\.$' OR length(a.message) > 200$$, 'a message is one line, lower case, without a full stop');
SELECT is_empty($$SELECT s.statement, a.message FROM slip AS s CROSS JOIN LATERAL pg_temp.said('SELECT elecbill.' || s.statement) AS a
	WHERE a.state = 'UB404' AND a.hint || a.detail = '' AND s.statement ~ '_bill|cash|order'$$, 'who names a bill or an account that is not there is told how they are named');

-- the sheet comes back as it went, with every column it had
SELECT elecbill.import_readings('LAKE', convert_to((SELECT string_agg(a.attname, ',' ORDER BY a.attnum) FROM pg_attribute a
	WHERE a.attrelid = 'elecbill.route_sheet'::regclass AND a.attnum > 0) || chr(10) || (
	SELECT string_agg(concat(r.org, ',,', r.room, ',', r.usage_point, ',', r.meter_no, ',', r.account_no, ',', r.model, ',', r.multiplier, ',', r.last_read_at, ',',
		r.last_reading, ',', r.expect_kwh, ',2026-03-19,', r.last_reading + 50, ',', r.org_id), chr(10)) FROM elecbill.route_sheet r), 'UTF8'), dry_run => true) AS job \gset
SELECT is((SELECT state || ' ' || stored || ' ' || errors FROM elecbill.import_job WHERE id = :job)
	|| coalesce((SELECT ' ' || string_agg(e.message, ' ') FROM elecbill.import_row_error e WHERE e.job_id = :job), ''), 'done 2 0', 'a sheet to go round with is a file that can be read in');

-- ---------------------------------------------------------------- every function, one argument after the other

CREATE TEMP TABLE good (name text PRIMARY KEY, value text);
INSERT INTO good VALUES ('account', 'A1'), ('p_account', 'A1'), ('account_no', 'A1'), ('org', 'LAKE'), ('p_org', 'LAKE'), ('bill', '2026-000001'), ('p_bill', '2026-000001'),
	('amount', '10'), ('reason', 'why'), ('p_reason', 'why'), ('key', 'k-new'), ('p_key', 'k-new'), ('usage_point', '1-101'), ('point', '1-101'), ('meter', 'L1'),
	('register', '1.8.0'), ('kwh', '1200'), ('channel', 'alipay'), ('duty', 'billing'), ('tariff', 'HOME'), ('p_plan', 'LAKE/HOME'), ('cycle', 'MONTH'), ('p_cycle', 'MONTH'),
	('p_lang', 'en'), ('kind', 'person'), ('p_kind', 'regular'), ('method', 'linear'), ('target', 'credit'), ('debit', 'cash'), ('credit', 'bank'), ('series', 'LAKE/PUR'),
	('p_series', 'LAKE/PUR'), ('calendar', 'CAL'), ('payment', :'receipt_no'), ('number', :'order'), ('old_meter', 'L1'), ('from_meter', 'L1'), ('to_meter', 'L2'),
	('child', '1-101'), ('parent', '1-102'), ('rule', 'V06'), ('severity', 'warn'), ('mode', 'all_or_nothing'), ('relation', 'owner'), ('amount_rule', 'over'),
	('format', 'csv'), ('zone', 'Asia/Shanghai'), ('p_version', '1'), ('weekend', '{sat}'), ('tags', '{holiday}'), ('bills', '{2026-000001}'), ('read_by', 'instant');
CREATE TEMP TABLE value (type text PRIMARY KEY, usual text, bad text[]);
INSERT INTO value VALUES ('text', 'x', ARRAY['', ' ', 'no such thing', repeat('9', 5000)]), ('numeric', '1', '{-1,0,NaN,Infinity,-Infinity,1e20,1e-30}'),
	('integer', '1', '{-1,0,2147483647}'), ('bigint', '1', '{-1,0,9223372036854775807}'), ('date', '2026-03-01', '{infinity,-infinity,0001-01-01,5874897-12-31}'),
	('timestamp with time zone', '2026-03-01 00:00+08', '{infinity,-infinity,294276-12-31}'),
	('daterange', '[2026-02-01,2026-03-01)', ARRAY['empty', '(,)', '[2026-01-01,)', '(,2026-01-01)', '[infinity,infinity]', '[2026-01-01,5874897-12-31)']),
	('tstzrange', '[2026-02-01,2026-03-01)', ARRAY['empty', '(,)', '[2026-01-01,)', '(,2026-01-01)']), ('interval', '1 day', '{-1 day,0,178000000 years}'),
	('jsonb', '{}', ARRAY['null', '[]', '1', '"x"', '{"a": null}', '[null]', '[{}]']), ('bytea', 'a,b', ARRAY['', '\xff00', '\x00']), ('uuid', '00000000-0000-0000-0000-000000000000', '{}'),
	('boolean', 'true', '{}'), ('time without time zone', '09:00', '{24:00}'), ('text[]', '{a}', ARRAY['{}', '{NULL}', '{""}', '{{a,b},{c,d}}']),
	('numeric[]', '{1}', ARRAY['{}', '{NULL}', '{NaN}', '{{1,2}}']), ('date[]', '{2026-04-01}', ARRAY['{}', '{NULL}', '{infinity}']), ('bigint[]', '{1}', ARRAY['{}', '{NULL}', '{-1}']),
	('integer[]', '{0}', ARRAY['{}', '{NULL}']), ('timestamp with time zone[]', '{2026-03-01}', ARRAY['{}', '{NULL}']), ('bytea[]', '{a}', ARRAY['{}', '{NULL}']),
	('elecbill.load_profile', 'import 2026-03-01T00:00:00Z/PT1H 100*24', '{}');
CREATE TEMP TABLE spoilt AS
WITH arg AS (
	SELECT p.oid, p.proname, a.i, a.type, coalesce(g.value, v.usual) AS usual, v.bad, v.type IS NOT NULL AS known
	FROM pg_proc p CROSS JOIN LATERAL (SELECT t.i, format_type(t.oid, -1) AS type, p.proargnames[t.i] AS name FROM unnest(p.proargtypes::oid[]) WITH ORDINALITY AS t(oid, i)) AS a
	LEFT JOIN value v ON v.type = a.type LEFT JOIN good g ON g.name = a.name AND v.type IN ('text', 'numeric', 'integer', 'text[]')
	WHERE p.pronamespace = 'elecbill'::regnamespace AND p.prokind = 'f' AND p.proname !~ '^_' AND p.prorettype <> 'trigger'::regtype
		AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')
		-- its work is all of the database, and is looked at by every other test
		AND p.proname NOT IN ('fsck', 'tap_invariants', 'rebuild_derived'))
SELECT a.oid, a.proname, a.known, b.value AS spoilt, format('SELECT * FROM elecbill.%I(%s)', a.proname, (
	SELECT string_agg(format('%L::%s', CASE WHEN x.i = a.i THEN b.value ELSE x.usual END, x.type), ', ' ORDER BY x.i) FROM arg x WHERE x.oid = a.oid)) AS statement
FROM arg a CROSS JOIN LATERAL unnest(a.bad || ARRAY[NULL::text]) AS b(value);
ALTER TABLE spoilt ADD answer pg_temp.answer;
UPDATE spoilt SET answer = pg_temp.said(statement);
SELECT is_empty('SELECT DISTINCT statement FROM spoilt WHERE NOT known', 'each type of argument has values here');
SELECT cmp_ok((SELECT count(DISTINCT oid) FROM spoilt), '>', 140::bigint, 'all functions that staff call are called');
SELECT is_empty($$SELECT statement, (answer).state, (answer).message FROM spoilt WHERE (answer).state !~ '^(UB|OK000|0A000|22008)'$$,
	'every answer is one of ours, or that a date is out of range');
SELECT is_empty($$SELECT statement, (answer).message FROM spoilt WHERE (answer).state ~ '^UB' AND (answer).message ~ '^(?!NULL|NaN|Infinity)[A-Z]|\n|^$'$$, 'in one line');
SELECT is(pg_temp.books(), :'books', 'nothing of it left a trace');
SELECT * FROM finish();
