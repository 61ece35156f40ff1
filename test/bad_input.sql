-- bad_input.sql: what is wrong is refused by its name, and leaves no trace but a row in the audit log
-- All rows of all tables are compared before and after, by their sum; the audit log is counted apart.
\set ON_ERROR_STOP 1
SET client_min_messages = warning;
\set homes 6
\ir login/work_for.sql
\c - :super
CREATE FUNCTION public.clock(at text) RETURNS text LANGUAGE sql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$ SELECT set_config('elecbill.clock_override', $1, false) $$;
\c - :owner
SET client_min_messages = warning;
\o /dev/null
SELECT public.clock('2025-03-10 12:00+08');
\ir payment/estate.sql
SELECT elecbill.duty_grant('PAY', x.login, d) FROM unnest('{mei,lin}'::text[]) AS x(login), unnest('{property,billing,finance}'::text[]) AS d;
SELECT public.work_for('mei');
SELECT elecbill.cashier_shift_open('PAY');
\o
SELECT plan(50);

CREATE FUNCTION pg_temp.bill(account text) RETURNS text LANGUAGE sql AS $$
	SELECT 'PAY/' || b.number FROM elecbill.bill b JOIN elecbill.customer_account a ON a.id = b.account_id
	WHERE a.account_no = $1 ORDER BY b.id DESC LIMIT 1 $$;
CREATE FUNCTION pg_temp.all_rows() RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	sums text := '';
	one text;
	name text;
BEGIN
	FOR name IN SELECT c.oid::regclass::text FROM pg_class c WHERE c.relnamespace = 'elecbill'::regnamespace AND c.relkind = 'r'
		AND c.relname <> 'audit_log' ORDER BY c.relname
	LOOP
		EXECUTE format('SELECT md5(string_agg(x, '','' ORDER BY x)) FROM (SELECT t::text AS x FROM %s AS t) AS r', name) INTO one;
		sums := sums || coalesce(one, '-');
	END LOOP;
	RETURN md5(sums);
END $$;
-- what a call answers, what moved, and what the audit log has of it
CREATE FUNCTION pg_temp.tried(call text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	before text := pg_temp.all_rows();
	logged bigint := (SELECT count(*) FROM elecbill.audit_log);
	answer text;
BEGIN
	BEGIN
		EXECUTE call INTO answer;
	EXCEPTION WHEN OTHERS THEN
		answer := SQLSTATE;
	END;
	RETURN format('%s, %s, %s', coalesce(answer, 'done'), CASE WHEN pg_temp.all_rows() = before THEN 'nothing moved' ELSE 'something moved' END,
		coalesce((SELECT string_agg(concat_ws(' ', a.outcome, a.action, a.state), ', ' ORDER BY a.id)
			FROM (SELECT * FROM elecbill.audit_log ORDER BY id OFFSET logged) AS a), 'not logged'));
END $$;

SELECT is(pg_temp.tried(format('SELECT elecbill.pay_bill(%L, 99, ''a1'')', pg_temp.bill('A1'))),
	'UB422, nothing moved, refused pay_bill UB422', 'a wrong amount');
SELECT is(pg_temp.tried($$ SELECT elecbill.payment_record_cash('PAY/A1', 99, NULL, 'a1') $$),
	'UB422, nothing moved, refused payment_record_cash UB422', 'a wrong amount at the counter');
SELECT is(pg_temp.tried($$ SELECT elecbill.payment_order_create('PAY/A1', NULL, 101, 'alipay', 'a1') $$),
	'UB422, nothing moved, refused payment_order_create UB422', 'an order over a wrong amount');
SELECT is(pg_temp.tried($$ SELECT elecbill.pay_bill('PAY/2025-009999', 100, 'a1') $$),
	'UB404, nothing moved, refused pay_bill UB404', 'an unknown bill');
SELECT is(pg_temp.tried($$ SELECT elecbill.cancel_bill('PAY/2025-009999', 'wrong', 'a1') $$),
	'UB404, nothing moved, refused cancel_bill UB404', 'an unknown bill is not cancelled');
SELECT is((SELECT o.code FROM elecbill.audit_log a LEFT JOIN elecbill.org o ON o.id = a.org_id ORDER BY a.id DESC LIMIT 1), 'PAY',
	'which its own auditor sees');

SELECT number AS number FROM elecbill.payment_order_create('PAY/A2', NULL, 200, 'alipay', 'o1') \gset
SELECT is(elecbill.payment_order_confirm('PAY', 'alipay', 'T1', :'number', 200, elecbill.now()), 'paid', 'a callback is taken');
SELECT is(pg_temp.tried(format($$ SELECT elecbill.payment_order_confirm('PAY', 'alipay', 'T1', %L, 200, elecbill.now()) $$, :'number')),
	'exists, nothing moved, not logged', 'a doubled callback is known');
SELECT is(pg_temp.tried(format($$ SELECT elecbill.payment_order_confirm('PAY', 'alipay', 'T1', %L, 199, elecbill.now()) $$, :'number')),
	'UB409, nothing moved, refused payment_order_confirm UB409', 'not so one that says something else');
SELECT number AS number FROM elecbill.payment_order_create('PAY/A3', NULL, 300, 'alipay', 'o2') \gset
SELECT public.clock('2025-03-10 13:00+08') \g /dev/null
SELECT is(elecbill.payment_order_confirm('PAY', 'alipay', 'T2', :'number', 300, elecbill.now()), 'late', 'a callback after expiry is late: the money is there');
SELECT is((SELECT b.status || ' ' || b.paid FROM elecbill.bill b WHERE 'PAY/' || b.number = pg_temp.bill('A3')), 'issued 0.00', 'but pays no bill');
SELECT is((SELECT m.advance FROM elecbill.account_money m WHERE m.account_no = 'A3'), 300.00, 'it is advance credit');
SELECT is((SELECT count(*) FROM elecbill.alarm_open WHERE code = 'payment_late'), 1::bigint, 'and an alarm');
SELECT is(pg_temp.tried(format($$ SELECT elecbill.payment_order_confirm('PAY', 'alipay', 'T2', %L, 300, elecbill.now()) $$, :'number')),
	'exists, nothing moved, not logged', 'once');

SELECT elecbill.cancel_bill(pg_temp.bill('A4'), 'wrong', 'c1') \g /dev/null
SELECT is(pg_temp.tried(format('SELECT elecbill.pay_bill(%L, 100, ''a2'')', pg_temp.bill('A4'))),
	'UB412, nothing moved, refused pay_bill UB412', 'payment of a cancelled bill');
SELECT is(pg_temp.tried(format($$ SELECT elecbill.payment_order_create('PAY/A4', ARRAY[%L], 100, 'alipay', 'a2') $$, pg_temp.bill('A4'))),
	'UB412, nothing moved, refused payment_order_create UB412', 'an order for it');
SELECT is(pg_temp.tried(format('SELECT elecbill.cancel_bill(%L, ''wrong'', ''c2'')', pg_temp.bill('A4'))),
	'UB412, nothing moved, refused cancel_bill UB412', 'it is not cancelled again');
SELECT is(pg_temp.tried($$ SELECT elecbill.refund_request('PAY/alipay:T1', 200.01, 'channel', 'r1') $$),
	'UB422, nothing moved, refused refund_request UB422', 'a refund above what was paid');
SELECT elecbill.refund_request('PAY/alipay:T1', 150, 'channel', 'r1') AS refund \gset
SELECT is(pg_temp.tried($$ SELECT elecbill.refund_request('PAY/alipay:T1', 50.01, 'channel', 'r2') $$),
	'UB422, nothing moved, refused refund_request UB422', 'also in two parts');
SELECT is(pg_temp.tried(format('SELECT elecbill.refund_approve(%L)', 'PAY/' || :'refund')),
	'UB403, nothing moved, refused refund_approve UB403', 'by one person alone');

SELECT elecbill.payment_record_cash('PAY/A5', 50, 'B-1', 'a5', '{}'), elecbill.refund_request('PAY/B-1', 50, 'channel', 'r5') AS refund \gset
SELECT elecbill.payment_order_confirm('PAY', 'alipay', 'T5', 'O2025-999999', 5, elecbill.now()) \g /dev/null
SELECT public.work_for('lin'), elecbill.cashier_shift_open('PAY', 49.99), elecbill.refund_approve('PAY/' || :'refund') \g /dev/null
SELECT is(pg_temp.tried(format('SELECT elecbill.refund_pay(%L)', 'PAY/' || :'refund')),
	'UB422, nothing moved, refused refund_pay UB422', 'cash that the till does not hold is not paid out');
SELECT is((SELECT count(*) FROM elecbill.alarm_open WHERE code = 'payment_unmatched'), 1::bigint, 'money of nobody is an alarm');
SELECT elecbill.payment_reverse('PAY/alipay:T5', 'the channel took it back', 'v5') \g /dev/null
SELECT is((SELECT count(*) FROM elecbill.alarm_open WHERE code = 'payment_unmatched'), 0::bigint, 'until it is gone');
SELECT public.work_for('mei') \g /dev/null
SELECT is(pg_temp.tried(format('SELECT elecbill.refund_pay(%L)', 'PAY/' || :'refund')) ~ 'something moved', true, 'another till does');
SELECT elecbill.close_period('PAY', m::date) FROM generate_series(date '2025-02-01', '2025-02-01', '1 month') AS m \g /dev/null
SELECT is(pg_temp.tried($$ SELECT elecbill.close_period('PAY', '2025-03-01') $$),
	'UB412, nothing moved, refused close_period UB412', 'a month that is not over is not closed');
SELECT elecbill.post_transfer('PAY', 't1', 'bank', 'cash', 5, '2025-02-03') \g /dev/null
SELECT is((SELECT t.effective_on || ' in ' || p.month FROM elecbill.ledger_transfer t JOIN elecbill.accounting_period p ON p.id = t.period_id
	ORDER BY t.id DESC LIMIT 1), '2025-02-03 in 2025-03-01', 'what is posted for a day of a closed month goes to the first open one');
SELECT is(pg_temp.tried($$ SELECT elecbill.post_transfer('PAY', 't1', 'bank', 'cash', 6, '2025-02-03') $$),
	'UB409, nothing moved, refused post_transfer UB409', 'the same key for another amount');
SELECT is(pg_temp.tried($$ SELECT elecbill.advance_apply('PAY/A2', 'k1') $$), '0, something moved, not logged', 'a call without effect keeps its key');
SELECT is(pg_temp.tried($$ SELECT elecbill.advance_apply('PAY/A3', 'k1') $$),
	'UB409, nothing moved, refused advance_apply UB409', 'which is not that of another account');
SELECT elecbill.payment_record_cash('PAY/A2', 7, NULL, 'a7', '{}') \g /dev/null
SELECT is(pg_temp.tried($$ SELECT elecbill.advance_apply('PAY/A2', 'k1') $$), '0, nothing moved, not logged', 'and answers as the first time');

SELECT is(pg_temp.tried($$ SELECT elecbill.channel_statement_import('PAY', 'alipay',
	E'txn,order,amount,paid_at\nT8,,10,2025-03-09 12:00:00+08\nT9,,ten,2025-03-09 12:00:00+08\n') $$),
	'UB400, nothing moved, refused channel_statement_import UB400', 'a statement with a broken row, of which no row is taken');
SELECT is(pg_temp.tried($$ SELECT elecbill.bill_run_start('PAY', 'MONTH', '[2025-01-01,2025-02-01)') $$),
	(SELECT r.id FROM elecbill.bill_run r WHERE r.period = '[2025-01-01,2025-02-01)') || ', nothing moved, not logged', 'a run that is started twice is the same run');
SELECT is(pg_temp.tried($$ SELECT elecbill.bill_run_start('PAY', 'MONTH', '[2025-01-02,2025-02-01)') $$),
	'UB400, nothing moved, refused bill_run_start UB400', 'a run of no period');
SELECT elecbill.tariff_draft('PAY/NEW', '[2025-04-01,)', '{"elecbill": 1, "currency": "CNY", "zone": "Asia/Shanghai",
	"components": [{"code": "energy", "kind": "energy", "price": 0.6}]}', 'mei') \g /dev/null
SELECT is(pg_temp.tried($$ SELECT elecbill.tariff_approve('PAY/NEW', 1, 'mei') $$),
	'UB403, nothing moved, refused tariff_approve UB403', 'a tariff approved by its author');
SELECT is(pg_temp.tried(call), format('%s, nothing moved, refused %s %1$s', state, substring(call FROM '\.(\w+)')), 'unknown: ' || call)
FROM (VALUES ('UB404', $$ SELECT elecbill.customer_tags_set('PAY/NONE', '{}') $$), ('UB404', $$ SELECT elecbill.point_priority_set('PAY/NONE', true) $$),
	('UB404', $$ SELECT elecbill.payment_plan_cancel('PAY/NONE', 'why') $$), ('UB404', $$ SELECT elecbill.bill_invoice('PAY/NONE', 'I1') $$),
	('UB404', $$ SELECT elecbill.bill_release('PAY/NONE') $$), ('UB404', $$ SELECT elecbill.cashier_shift_close('NONE', 1) $$)) AS x(state, call);
SELECT is(pg_temp.tried($$ SELECT elecbill.import_readings('PAY', convert_to(E'meter,register,at,kwh\nM1,1.8.0,2025-03-01 00:00+08,x\n', 'UTF8')) $$) ~ 'nothing moved', false,
	'a file of readings with a broken row leaves its report');
SELECT is_empty('SELECT * FROM elecbill.fsck()', 'and the books are in order');

-- ---------------------------------------------------------------- blanks are no reason

SELECT throws_ok(x.call, 'UB400', NULL, 'blanks are no reason: ' || x.call) FROM (VALUES
	($$ SELECT elecbill.payment_reverse('PAY/B-1', '  ', 'blank') $$), ($$ SELECT elecbill.write_off(pg_temp.bill('A1'), '  ', 'blank') $$),
	($$ SELECT elecbill.write_off_reverse(pg_temp.bill('A1'), E'\t', 'blank') $$), ($$ SELECT elecbill.cancel_bill(pg_temp.bill('A1'), '  ', 'blank') $$),
	($$ SELECT elecbill.bill_hold(pg_temp.bill('A1'), '  ') $$), ($$ SELECT elecbill.true_up_request('PAY/A1', '2025-01-01', '  ') $$),
	($$ SELECT elecbill.payment_plan_cancel('PAY/A1', '  ') $$), ($$ SELECT elecbill._run_cancel_begin((SELECT max(id) FROM elecbill.bill_run), '  ') $$)
	) AS x(call);
SELECT * FROM finish();
