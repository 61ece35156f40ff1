-- arrears.sql: late fees, reminders, instalments, and who is disconnected and who is not
-- The numbers were worked out by hand; random cases by another road, day by day. The seed is printed, SEED repeats a run.
\set ON_ERROR_STOP 1
SET client_min_messages = warning;
\set seed `echo "${SEED:-$(date +%N)}"`
\set cases `echo "${CASES:-16}"`
\ir login/work_for.sql
SELECT plan(181);
\echo # SEED=:seed

CREATE FUNCTION pg_temp.at(at text) RETURNS void LANGUAGE sql AS $$ SELECT set_config('elecbill.clock_override', at || '+08', false) $$;
CREATE FUNCTION pg_temp.estate(org text, month text, homes jsonb) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	PERFORM elecbill.org_create(org, org);
	PERFORM elecbill.tariff_draft(org || '/FLAT', '[2024-01-01,)', '{"elecbill": 1, "currency": "CNY", "zone": "Asia/Shanghai",
		"components": [{"code": "energy", "kind": "energy", "price": 0.5}]}', 'ann');
	PERFORM elecbill.tariff_approve(org || '/FLAT', 1, 'bob');
	PERFORM elecbill.partition_maintain(6, (month || '-01')::date);
	PERFORM elecbill.import_estate(org, convert_to(E'room,account_no,name,kind,meter_no,model,last_reading,last_read_at,tariff\n' || (
		SELECT string_agg(format('%1$s,%1$s,N%1$s,%2$s,%3$s-%1$s,DDS,0,%4$s-01,FLAT', h.key, h.value ->> 'kind', org, month), E'\n')
		FROM jsonb_each(homes) AS h), 'UTF8'));
	PERFORM elecbill.reading_add(org, org || '-' || h.key, '1.8.0', (((month || '-01')::date + interval '1 month')::text || '+08')::timestamptz,
		(h.value ->> 'amount')::numeric * 2) FROM jsonb_each(homes) AS h;
	PERFORM elecbill.payment_policy_set(org, 'over', 10080);
END $$;
CREATE VIEW pg_temp.made AS
SELECT o.code AS org, a.account_no, b.id, b.number, b.status, b.due_on, b.amount, b.paid, b.late_fee, f.raw, f.posted, f.as_of, f.state
FROM elecbill.bill b JOIN elecbill.org o ON o.id = b.org_id JOIN elecbill.customer_account a ON a.id = b.account_id
LEFT JOIN elecbill.late_fee_accrual f ON f.bill_id = b.id WHERE b.number IS NOT NULL AND b.status <> 'cancelled';
CREATE FUNCTION pg_temp.bill(org text, account text) RETURNS text LANGUAGE sql AS $$
	SELECT org || '/' || m.number FROM pg_temp.made m WHERE (m.org, m.account_no) = ($1, $2) $$;
CREATE FUNCTION pg_temp.fee(org text, account text) RETURNS numeric LANGUAGE sql AS $$
	SELECT m.posted FROM pg_temp.made m WHERE (m.org, m.account_no) = ($1, $2) $$;
CREATE FUNCTION pg_temp.pay(org text, account text, amount numeric) RETURNS text LANGUAGE sql AS $$
	SELECT outcome FROM elecbill.pay_bill(pg_temp.bill(org, account), amount, gen_random_uuid()::text, 'bank') $$;
CREATE FUNCTION pg_temp.policy(org text, kind text, same numeric, later numeric, minimum numeric DEFAULT 1, cap numeric DEFAULT NULL,
	grace integer DEFAULT 0) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	made bigint;
BEGIN
	PERFORM public.work_for('ann');
	made := elecbill.late_fee_policy_draft(org, kind, '2024-01-01', same, later, minimum, cap, grace);
	PERFORM public.work_for('bob');
	PERFORM elecbill.late_fee_policy_approve(org, made);
END $$;

-- ---------------------------------------------------------------- what late payment costs is decided by two

SELECT pg_temp.at('2026-11-30 12:00');
SELECT pg_temp.estate('FEE', '2026-10', '{"H1": {"kind": "residential", "amount": 300}, "H2": {"kind": "residential", "amount": 300},
	"H3": {"kind": "residential", "amount": 100}, "H4": {"kind": "residential", "amount": 300}, "H5": {"kind": "residential", "amount": 300},
	"C1": {"kind": "commercial", "amount": 1000}, "C2": {"kind": "commercial", "amount": 1000}}');
CALL elecbill.bill_month('FEE', 'MONTH', '2026-10');
SELECT elecbill.duty_grant('FEE', x.login, d) FROM unnest('{ann,bob}'::text[]) AS x(login), unnest('{billing,finance,property}'::text[]) AS d;
SELECT is((SELECT min(due_on) FROM pg_temp.made WHERE org = 'FEE'), '2026-12-20', 'seven bills are due on the 20th of December');
SELECT public.work_for('ann');
SELECT throws_ok($$SELECT elecbill.late_fee_policy_draft('FEE', 'person', '2024-01-01', 0.2, 0.001)$$, 'UB400',
	'a late fee needs person or company, a day, rates of 0 to 0.1 per day, a minimum, and 0 to 365 days of grace', 'twenty per cent a day is refused');
SELECT throws_ok($$SELECT elecbill.late_fee_policy_draft('NONE', 'person', '2024-01-01', 0.001, 0.001)$$, 'UB404', NULL, 'an org that is not there has none');
SELECT elecbill.late_fee_policy_draft('FEE', 'person', '2024-01-01', 0.001, 0.001) AS person \gset
SELECT throws_ok(format($$SELECT elecbill.late_fee_policy_approve('FEE', %s)$$, :person), 'UB403',
	'a late fee policy is approved by another person than wrote it', 'who wrote it does not approve it');
SELECT throws_ok($$SELECT elecbill.late_fee_policy_approve('FEE', 0)$$, 'UB404', 'there is no late fee policy 0', 'there must be one');
SELECT public.work_for('bob');
SELECT lives_ok(format($$SELECT elecbill.late_fee_policy_approve('FEE', %s)$$, :person), 'a second person does');
SELECT throws_ok(format($$SELECT elecbill.late_fee_policy_approve('FEE', %s)$$, :person), 'UB412', format('late fee policy %s is approved', :person), 'once');
SELECT is((SELECT array_agg(action || ' ' || state ORDER BY id) FROM elecbill.audit_log WHERE outcome = 'refused' AND action LIKE 'late_fee%'),
	'{late_fee_policy_draft UB400,late_fee_policy_draft UB404,late_fee_policy_approve UB403,late_fee_policy_approve UB404,late_fee_policy_approve UB412}',
	'each refusal is in the audit log');
SELECT throws_ok(format($$SELECT elecbill.late_fee_policy_draft('FEE', 'person', '2024-01-01', 0.001, 0.001, %s)$$, x), 'UB400', NULL, 'no number, no fee: ' || x)
FROM unnest('{minimum => ''NaN'',cap => ''NaN''}'::text[]) AS x;
SELECT pg_temp.policy('FEE', 'company', 0.002, 0.003);

-- ---------------------------------------------------------------- the examples of the rules

SELECT throws_ok($$CALL elecbill.accrue_late_fees('FEE', '2026-12-01')$$, 'UB400', '2026-12-01 is not a day up to today', 'nobody knows what is late tomorrow');
SELECT pg_temp.at('2026-12-20 23:00');
CALL elecbill.accrue_late_fees('FEE');
SELECT is((SELECT string_agg(DISTINCT status, ',') FROM pg_temp.made WHERE org = 'FEE'), 'issued', 'on the due date nothing is late');
SELECT is_empty('SELECT * FROM elecbill.late_fee_accrual', 'and costs nothing');
SELECT pg_temp.at('2026-12-21 00:05');
CALL elecbill.accrue_late_fees('FEE');
SELECT is((SELECT string_agg(DISTINCT status, ',') FROM pg_temp.made WHERE org = 'FEE'), 'overdue', 'the day after all are overdue, without a payment');
SELECT is(pg_temp.fee('FEE', 'H1'), 1.00, '300.00 at 1 per mille is 0.30 a day; the least is 1.00');
SELECT is(pg_temp.fee('FEE', 'C1'), 2.00, '1,000.00 at 2 per mille is 2.00 a day');
SELECT pg_temp.at('2026-12-25 10:00');
SELECT is(pg_temp.pay('FEE', 'H2', 201.50), 'paid', 'on the 5th day 1.50 of fees and 200.00 of the bill are paid');
SELECT is((SELECT (paid, late_fee, status) = (200.00, 0.00, 'overdue') FROM pg_temp.made WHERE (org, account_no) = ('FEE', 'H2')), true,
	'the fee first, up to the day of payment, though no run was made for it');
SELECT pg_temp.at('2026-12-30 00:05');
CALL elecbill.accrue_late_fees('FEE');
SELECT is(pg_temp.fee('FEE', 'H1'), 3.00, '300.00 of a resident, 10 days = 3.00');
SELECT is(pg_temp.fee('FEE', 'H2'), 2.00, '300.00 with 200.00 paid on day 5, 10 days = 2.00');
SELECT is(pg_temp.fee('FEE', 'H3'), 1.00, '100.00, 10 days = 1.00, which is the least, too');
SELECT pg_temp.at('2027-01-10 00:05');
CALL elecbill.accrue_late_fees('FEE');
SELECT is(pg_temp.fee('FEE', 'C1'), 52.00, '1,000.00 of a company to the 10th of January = 11 x 2.00 + 10 x 3.00 = 52.00');
SELECT is(pg_temp.fee('FEE', 'H1'), 6.30, 'a resident pays 1 per mille also in the new year: 21 days = 6.30');
SELECT is((SELECT count(*) FROM elecbill.ledger_transfer t JOIN pg_temp.made m ON m.id = t.bill_id WHERE m.account_no = 'C1' AND t.kind = 'late_fee'), 3::bigint, 'in three runs');
CALL elecbill.accrue_late_fees('FEE');
CALL elecbill.accrue_late_fees('FEE', '2026-12-24');
SELECT is(pg_temp.fee('FEE', 'C1'), 52.00, 'the same run again changes nothing, nor does one for a day that is past');
SELECT pg_temp.at('2037-01-10 00:05');
CALL elecbill.accrue_late_fees('FEE');
SELECT is(pg_temp.fee('FEE', 'C1'), 11011.00, 'the clock of the server is ten years ahead');
SELECT pg_temp.at('2027-01-10 00:06');
CALL elecbill.accrue_late_fees('FEE');
SELECT is(pg_temp.fee('FEE', 'C1') || ' ' || pg_temp.fee('FEE', 'H1'), '52.00 6.30', 'put right, it is as it was');
SELECT results_eq($$SELECT day, charged, paid, balance FROM elecbill.statement('FEE/C1', '2027-01-01', 'en') ORDER BY n$$,
	$$VALUES ('2027-01-01'::date, NULL::numeric, NULL::numeric, 1020.00), ('2027-01-10', 32.00, NULL, 1052.00)$$, 'his statement knows nothing of it');
SELECT is_empty($$SELECT month, balance FROM elecbill.trial_balance WHERE org = 'FEE' AND code = 'late_fee' AND month > '2027-01-01' AND debit <> credit$$,
	'nor do the books, in the end, of the month that was not');
SELECT is_empty('SELECT * FROM elecbill.fsck()', 'nothing is broken');

-- ---------------------------------------------------------------- paying late, and payments heard of late

SELECT throws_ok($$SELECT * FROM elecbill.pay_bill(pg_temp.bill('FEE', 'C1'), 0.001, 'x', 'bank')$$, 'UB422', NULL, 'a tenth of a cent is no amount');
SELECT pg_temp.pay('FEE', 'C1', 1052.00);
SELECT is((SELECT (paid, late_fee, status) = (1000.00, 0.00, 'paid') FROM pg_temp.made WHERE account_no = 'C1'), true, '1,052.00 pay the bill and its fee');
SELECT pg_temp.at('2027-01-20 00:05');
CALL elecbill.accrue_late_fees('FEE');
SELECT is((SELECT (posted, state) = (52.00, 'final') FROM pg_temp.made WHERE account_no = 'C1'), true, 'then it grows no more');
SELECT is((SELECT number FROM elecbill.payment_order_create('FEE/C2', NULL, 1000 + 22 + 60.00, 'alipay', 'late-1')), 'O2027-000001', 'C2 sets out to pay on day 31');
SELECT pg_temp.at('2027-01-23 00:05');
CALL elecbill.accrue_late_fees('FEE');
SELECT is(pg_temp.fee('FEE', 'C2'), 91.00, 'three days later it is 91.00, for nobody has heard from the channel');
SELECT pg_temp.pay('FEE', 'C2', 91.00);
SELECT is(elecbill.payment_order_confirm('FEE', 'alipay', 't1', 'O2027-000001', 1082.00, '2027-01-20 00:20+08'), 'paid', 'who has paid 91.00 by then; which says that it was paid on day 31');
SELECT is((SELECT (amount - paid, late_fee, posted) FROM pg_temp.made WHERE account_no = 'C2')::text, '(0.00,0.00,82.00)',
	'up to day 31 it was 82.00, and it ended there');
SELECT is((SELECT sum(x.credit - x.debit) FROM elecbill.ledger_account l JOIN elecbill.account_balance x ON x.ledger_account_id = l.id WHERE l.code = 'advance:C2'), 91.00,
	'82.00 that were left, and 9.00 of fees that were paid, are advance credit');
CALL elecbill.accrue_late_fees('FEE');
SELECT is(elecbill.advance_apply('FEE/C2', 'use-it'), 0.00, 'for which there is nothing to be paid');
SELECT lives_ok($$SELECT elecbill.cancel_bill(pg_temp.bill('FEE', 'H4'), 'wrong meter', 'c1')$$, 'a bill is taken back');
SELECT is((SELECT sum(x.debit - x.credit) FROM elecbill.ledger_account l JOIN elecbill.account_balance x ON x.ledger_account_id = l.id WHERE l.code = 'receivable:H4'), 0.00, 'with its late fee');
SELECT lives_ok($$SELECT elecbill.cancel_bill(pg_temp.bill('FEE', 'C2'), 'wrong meter', 'c2')$$, 'one with a fee that was put right');
SELECT is((SELECT sum(x.credit - x.debit) FROM elecbill.ledger_account l JOIN elecbill.account_balance x ON x.ledger_account_id = l.id WHERE l.code IN ('advance:C2', 'receivable:C2')), 1173.00,
	'everything that was paid is credit');
SELECT is_empty($$SELECT * FROM elecbill.late_fee_status WHERE account_no IN ('H4', 'C2')$$, 'there is no fee of a bill that there is not');
SELECT pg_temp.at('2027-01-25 00:05');
CALL elecbill.accrue_late_fees('FEE');
SELECT is_empty('SELECT * FROM elecbill.fsck()', 'nothing is broken');
SELECT public.work_for('ann');
SELECT elecbill.late_fee_policy_draft('FEE', 'person', '2026-12-01', 0.0005, 0.0005) AS other \gset
SELECT public.work_for('bob');
SELECT throws_ok(format($$SELECT elecbill.late_fee_policy_approve('FEE', %s)$$, :other), 'UB409',
	'late fees were charged by the policy that this one would replace', 'what was charged is not changed afterwards');
SELECT public.work_for('ann');
SELECT elecbill.late_fee_policy_draft('FEE', 'person', '2027-02-01', 0.0005, 0.0005) AS other \gset
SELECT public.work_for('bob');
SELECT elecbill.late_fee_policy_approve('FEE', :other);
SELECT results_eq($$SELECT valid, rate_same_year FROM elecbill.late_fee_policy p WHERE p.kind = 'person' AND p.status = 'approved' ORDER BY valid$$,
	$$VALUES ('[2024-01-01,2027-02-01)'::daterange, 0.001), ('[2027-02-01,)', 0.0005)$$, 'a new one counts for bills due from its day on');
SELECT results_eq($$SELECT account_no, status, open, posted, unpaid FROM elecbill.late_fee_status WHERE account_no IN ('H1', 'H2') ORDER BY 1$$,
	$$VALUES ('H1', 'overdue', 300.00, 10.80, 10.80), ('H2', 'overdue', 100.00, 4.60, 3.10)$$, 'the view shows what is open and what it costs');

-- ---------------------------------------------------------------- a payment bounces after the day on which another one was made

SELECT public.work_for('');
SELECT pg_temp.pay('FEE', 'H5', 310.80);
SELECT is((SELECT (paid, posted, status) = (300.00, 10.80, 'paid') FROM pg_temp.made WHERE (org, account_no) = ('FEE', 'H5')), true, '300.00 and 36 days of 0.30 are paid');
SELECT pg_temp.at('2027-01-29 10:00');
SELECT public.work_for('ann');
SELECT elecbill.payment_reverse((SELECT 'FEE/' || p.receipt_no FROM elecbill.payment p JOIN elecbill.customer_account a ON a.id = p.account_id
	WHERE a.account_no = 'H5'), 'bounced', 'r5') \g /dev/null
SELECT number AS h5 FROM elecbill.payment_order_create('FEE/H5', NULL, 310.80, 'alipay', 'o5') \gset
SELECT is(elecbill.payment_order_confirm('FEE', 'alipay', 't5', :'h5', 310.80,
	'2027-01-28 03:00+08'), 'paid', 'the bank takes it back on the 29th; the channel was given it on the 28th');
SELECT pg_temp.at('2027-02-02 00:05');
CALL elecbill.accrue_late_fees('FEE');
SELECT is((SELECT (raw, posted, late_fee, state) = (10.80, 10.80, 0.00, 'final') FROM pg_temp.made WHERE (org, account_no) = ('FEE', 'H5')), true,
	'on the 29th it was paid twice, which costs nothing, and gives nothing');
SELECT is_empty('SELECT * FROM elecbill.fsck()', 'nothing is broken');

-- ---------------------------------------------------------------- a channel whose clock is ahead, credit of fees, who moves out owing

SELECT public.work_for('');
SELECT pg_temp.at('2026-11-30 12:00');
SELECT pg_temp.estate('LAST', '2026-10', '{"L1": {"kind": "residential", "amount": 150}, "L2": {"kind": "residential", "amount": 100},
	"L3": {"kind": "residential", "amount": 200}}');
CALL elecbill.bill_month('LAST', 'MONTH', '2026-10');
SELECT elecbill.duty_grant('LAST', x.login, d) FROM unnest('{ann,bob}'::text[]) AS x(login), unnest('{billing,finance,property}'::text[]) AS d;
SELECT pg_temp.policy('LAST', 'person', 0.001, 0.001);
SELECT public.work_for('');
SELECT pg_temp.at('2026-12-30 23:50');
SELECT number AS l1 FROM elecbill.payment_order_create('LAST/L1', NULL, 150, 'alipay', 'l1') \gset
SELECT is(elecbill.payment_order_confirm('LAST', 'alipay', 'l1', :'l1', 150, '2026-12-31 00:05+08'), 'paid', 'by its clock the channel was paid tomorrow');
SELECT is(pg_temp.fee('LAST', 'L1'), 1.50, 'it is the 30th: ten days of 0.15');
SELECT pg_temp.at('2026-12-30 23:55');
SELECT public.work_for('ann');
SELECT elecbill.payment_reverse('LAST/alipay:l1', 'bounced', 'l1-back') \g /dev/null
SELECT pg_temp.at('2027-01-20 00:05');
CALL elecbill.accrue_late_fees('LAST');
SELECT is(pg_temp.fee('LAST', 'L1'), 4.65, 'it is taken back before midnight: 31 days of 0.15, no day of more than the bill');

SELECT public.work_for('');
SELECT pg_temp.bill('LAST', 'L2') AS l2 \gset
SELECT pg_temp.pay('LAST', 'L2', 3.10);
SELECT number AS o2 FROM elecbill.payment_order_create('LAST/L2', NULL, 100, 'alipay', 'l2') \gset
SELECT elecbill.payment_order_confirm('LAST', 'alipay', 'l2', :'o2', 100, '2026-12-18 10:00+08') \g /dev/null
CALL elecbill.accrue_late_fees('LAST');
SELECT is((SELECT m.advance FROM elecbill.account_money m WHERE (m.org, m.account_no) = ('LAST', 'L2')), 3.10, 'it was paid in time: the fee that was paid is credit');
SELECT elecbill.reading_add('LAST', 'LAST-L2', '1.8.0', '2026-12-01 00:00+08', 220) \g /dev/null
SELECT number AS next FROM elecbill.offcycle_bill('LAST/L2', '[2026-11-01,2026-12-01)') \gset
SELECT is((SELECT m.paid FROM pg_temp.made m WHERE (m.org, m.number) = ('LAST', :'next')), 3.10, 'which pays a part of the next bill');
SELECT public.work_for('ann');
SELECT elecbill.payment_reverse('LAST/' || coalesce(p.receipt_no, 'alipay:' || p.channel_txn), 'bounced', 'l2-' || p.id)
FROM elecbill.payment p JOIN pg_temp.made m ON m.number = :'next' AND m.org = 'LAST' JOIN elecbill.bill b ON b.id = m.id AND b.account_id = p.account_id \g /dev/null
SELECT elecbill.cancel_bill(:'l2', 'wrong meter', 'l2-cancel') \g /dev/null
SELECT is((SELECT m.paid FROM pg_temp.made m WHERE (m.org, m.number) = ('LAST', :'next')), 0.00, 'both payments bounce, the bill is taken back: there was nothing to pay the next one with');
SELECT is((SELECT (m.receivable, m.advance) = (10.00, 0.00) FROM elecbill.account_money m WHERE (m.org, m.account_no) = ('LAST', 'L2')), true, 'which is owed in full');

SELECT elecbill.post_transfer('LAST', 'l3', 'bank', 'deposit:L3', 100, '2027-01-20') \g /dev/null
SELECT elecbill.post_transfer('LAST', 'l3-back', 'deposit:L3', 'bank', 60, '2027-01-20', true) AS announced \gset
SELECT results_eq($$SELECT open, credit FROM elecbill.final_bill('LAST/L3', '2026-11-01', 'l3-out')$$, $$VALUES (166.20, 0.00)$$,
	'206.20 are owed; of a deposit of 100.00 60.00 are announced to go back, 40.00 pay');
SELECT lives_ok(format($$SELECT elecbill.pending_post('LAST', %s, 'l3-gone', 60, '2027-01-20')$$, :announced), 'and what was announced goes back');
SELECT is((SELECT m.deposit FROM elecbill.account_money m WHERE (m.org, m.account_no) = ('LAST', 'L3')), 0.00, 'no more than there was');
SELECT pg_temp.at('2027-01-21 00:05');
SELECT results_eq($$SELECT open, credit FROM elecbill.final_bill('LAST/L1', '2026-11-01', 'l1-out')$$, $$VALUES (154.80, 0.00)$$,
	'who moves out owing is told of the late fee, too: 150.00 and 32 days of 0.15');
SELECT is_empty('SELECT * FROM elecbill.fsck()', 'nothing is broken');

-- ---------------------------------------------------------------- the day of a payment is not the day on which it is heard of

SELECT public.work_for('');
SELECT pg_temp.at('2026-11-30 12:00');
SELECT pg_temp.estate('HEAR', '2026-10', '{"IN": {"kind": "residential", "amount": 100}, "LATE": {"kind": "residential", "amount": 100},
	"WHOSE": {"kind": "residential", "amount": 100}, "AHEAD": {"kind": "residential", "amount": 300}}');
CALL elecbill.bill_month('HEAR', 'MONTH', '2026-10');
SELECT elecbill.duty_grant('HEAR', x.login, d) FROM unnest('{ann,bob}'::text[]) AS x(login), unnest('{billing,finance,property}'::text[]) AS d;
SELECT pg_temp.policy('HEAR', 'person', 0.001, 0.001);
SELECT public.work_for('');
SELECT pg_temp.at('2026-12-20 23:00');
SELECT number AS due_day FROM elecbill.payment_order_create('HEAR/IN', NULL, 100, 'alipay', 'due-day') \gset
SELECT is(elecbill.payment_order_confirm('HEAR', 'bank', 'w1', NULL, 100, '2026-12-20 09:00+08'), 'unmatched', 'a transfer without a number comes on the due date');
SELECT pg_temp.at('2026-12-25 10:00');
SELECT number AS day_5 FROM elecbill.payment_order_create('HEAR/LATE', NULL, 101, 'alipay', 'day-5') \gset
CALL elecbill.accrue_late_fees('HEAR');
SELECT is(elecbill.payment_order_confirm('HEAR', 'alipay', 'i1', :'due_day', 100, '2026-12-20 23:05+08'), 'paid', 'an order that was paid on the due date is heard of on the 25th');
SELECT is((SELECT (status, paid, late_fee, posted) FROM pg_temp.made WHERE (org, account_no) = ('HEAR', 'IN'))::text, '(paid,100.00,0.00,0.00)',
	'all of it pays the bill, and nothing was late');
SELECT pg_temp.at('2026-12-31 10:00');
CALL elecbill.accrue_late_fees('HEAR');
SELECT is(pg_temp.fee('HEAR', 'LATE'), 1.10, 'after 11 days it is 1.10');
SELECT is(elecbill.payment_order_confirm('HEAR', 'alipay', 'l1', :'day_5', 101, '2026-12-25 10:05+08'), 'paid', 'when one is heard of that was made on day 5');
SELECT is((SELECT (status, paid, late_fee, posted) FROM pg_temp.made WHERE (org, account_no) = ('HEAR', 'LATE'))::text, '(paid,100.00,0.00,1.00)',
	'which pays the 1.00 of that day and the bill, at once');
SELECT lives_ok($$SELECT elecbill.payment_match('HEAR/bank:w1', 'HEAR/WHOSE')$$, 'somebody finds out whose the transfer was');
SELECT is((SELECT (status, paid, late_fee, posted) FROM pg_temp.made WHERE (org, account_no) = ('HEAR', 'WHOSE'))::text, '(paid,100.00,0.00,0.00)',
	'who paid on the due date, however long it lay there');
SELECT is((SELECT array_agg(DISTINCT t.effective_on) FROM elecbill.ledger_transfer t JOIN elecbill.payment p ON p.id = t.payment_id WHERE p.channel_txn = 'w1'),
	'{2026-12-20}', 'so say the books, of suspense, too');
SELECT number AS day_11 FROM elecbill.payment_order_create('HEAR/AHEAD', NULL, 303.30, 'alipay', 'day-11') \gset
SELECT pg_temp.at('2026-12-31 23:59');
SELECT is(elecbill.payment_order_confirm('HEAR', 'alipay', 'a1', :'day_11', 303.30, '2027-01-01 00:02+08'), 'paid', 'the clock of a channel is ahead, into another day and year');
SELECT is((SELECT (status, paid, late_fee, posted) FROM pg_temp.made WHERE (org, account_no) = ('HEAR', 'AHEAD'))::text, '(paid,300.00,0.00,3.30)',
	'who paid by ours is not charged for the next day');
SELECT pg_temp.at('2027-02-02 00:05');
CALL elecbill.accrue_late_fees('HEAR');
SELECT results_eq($$SELECT account_no, posted, late_fee, state FROM pg_temp.made WHERE org = 'HEAR' ORDER BY 1$$,
	$$VALUES ('AHEAD', 3.30, 0.00, 'final'), ('IN', 0.00, 0.00, 'final'), ('LATE', 1.00, 0.00, 'final'), ('WHOSE', 0.00, 0.00, 'final')$$, 'and so it stays');
SELECT is_empty($$SELECT account_no FROM elecbill.account_money WHERE org = 'HEAR' AND (receivable, advance) <> (0, 0)$$, 'nobody owes a cent');
SELECT is_empty('SELECT * FROM elecbill.fsck()', 'nothing is broken');

-- ---------------------------------------------------------------- daily, once, or now and then: random cases

SELECT public.work_for('');
SELECT setseed((:'seed'::numeric % 100000 / 100000)::float8) \g /dev/null
SELECT pg_temp.at('2026-11-30 12:00');
CREATE TEMP TABLE cases AS
SELECT i, CASE WHEN random() < 0.5 THEN 'residential' ELSE 'commercial' END AS kind, (20 + floor(random() * 400000) / 100)::numeric AS amount
FROM generate_series(1, :cases) AS i;
UPDATE cases SET amount = round(amount, 0) + CASE i % 3 WHEN 0 THEN 0.5 ELSE 0 END;
CREATE TEMP TABLE paying AS
SELECT c.i, date '2026-12-18' + floor(random() * 40)::integer AS day, round((c.amount * (0.1 + 0.5 * random()::numeric)), 2) AS amount
FROM cases c, generate_series(1, 3) AS n WHERE random() < 0.7;
SELECT pg_temp.estate('RAN', '2026-10', (SELECT jsonb_object_agg(format('%s%s', w.way, c.i), jsonb_build_object('kind', c.kind, 'amount', c.amount))
	FROM cases c, unnest('{D,O,S,H}'::text[]) AS w(way)));
CALL elecbill.bill_month('RAN', 'MONTH', '2026-10');
SELECT elecbill.duty_grant('RAN', x.login, d) FROM unnest('{ann,bob}'::text[]) AS x(login), unnest('{billing,finance,property}'::text[]) AS d;
SELECT pg_temp.policy('RAN', 'person', 0.001, 0.001, 1.00, NULL, 2), pg_temp.policy('RAN', 'company', 0.002, 0.003, 0.00, 0.05);
DO $$
DECLARE
	today date;
	p record;
	days bigint[] := ARRAY(SELECT a.id FROM elecbill.customer_account a WHERE a.account_no ~ '^[DH][0-9]');
	few bigint[] := ARRAY(SELECT a.id FROM elecbill.customer_account a WHERE a.account_no ~ '^S[0-9]');
BEGIN
	FOR today IN SELECT date '2026-12-18' + i FROM generate_series(0, 45) AS i LOOP
		PERFORM pg_temp.at(today || ' 00:05'), elecbill._late_fee_batch('RAN', days, today, true);
		IF random() < 0.2 THEN
			PERFORM elecbill._late_fee_batch('RAN', few, today, true);
		END IF;
		PERFORM pg_temp.at(today || ' 15:00');
		FOR p IN SELECT w.way || x.i AS account, x.amount FROM paying x, unnest('{D,O,S}'::text[]) AS w(way) WHERE x.day = today ORDER BY x.amount LOOP
			PERFORM elecbill.pay_bill('RAN/' || m.number, p.amount, gen_random_uuid()::text, 'bank')
			FROM pg_temp.made m WHERE (m.org, m.account_no) = ('RAN', p.account) AND m.status IN ('issued', 'partly_paid', 'overdue');
		END LOOP;
		-- the same money without a number: whose it was is known three days later
		PERFORM elecbill.payment_order_confirm('RAN', 'bank', format('%s-%s-%s', x.day, x.i, x.amount), NULL, x.amount, elecbill.now())
		FROM paying x WHERE x.day = today;
		PERFORM elecbill.payment_match(format('RAN/bank:%s-%s-%s', x.day, x.i, x.amount), 'RAN/H' || x.i)
		FROM (SELECT * FROM paying y WHERE y.day = today - 3 ORDER BY y.i, y.amount) AS x;
	END LOOP;
END $$;
SELECT pg_temp.at('2027-02-02 00:05');
CALL elecbill.accrue_late_fees('RAN');
-- day by day, from the cases alone
CREATE FUNCTION pg_temp.oracle(c cases) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	today date;
	pay numeric;
	open numeric := c.amount;
	raw numeric := 0;
	fee numeric := 0;
	fees_paid numeric := 0;
	part numeric;
BEGIN
	FOR today IN SELECT date '2026-12-18' + i FROM generate_series(0, 46) AS i LOOP
		IF c.kind = 'residential' AND today > '2026-12-22' THEN
			raw := raw + open * 0.001;
		ELSIF c.kind = 'commercial' AND today > '2026-12-20' THEN
			raw := raw + open * CASE WHEN today < '2027-01-01' THEN 0.002 ELSE 0.003 END;
		END IF;
		fee := CASE WHEN raw = 0 THEN 0 WHEN c.kind = 'residential' THEN greatest(round(raw, 2), 1) ELSE least(round(raw, 2), round(c.amount * 0.05, 2)) END;
		FOR pay IN SELECT p.amount FROM paying p WHERE p.i = c.i AND p.day = today ORDER BY p.amount LOOP
			CONTINUE WHEN open = 0;
			part := least(pay, fee - fees_paid);
			fees_paid := fees_paid + part;
			open := open - least(open, pay - part);
		END LOOP;
	END LOOP;
	RETURN format('open %s fee %s unpaid %s', trim_scale(open), trim_scale(fee), trim_scale(fee - fees_paid));
END $$;
CREATE VIEW pg_temp.came AS
SELECT left(m.account_no, 1) AS way, substr(m.account_no, 2)::integer AS i, format('open %s fee %s unpaid %s', trim_scale(m.amount - m.paid),
	trim_scale(coalesce(m.posted, 0)), trim_scale(m.late_fee)) AS said FROM pg_temp.made m WHERE m.org = 'RAN';
SELECT is_empty($$SELECT m.i, m.said, pg_temp.oracle(c) FROM pg_temp.came m JOIN cases c USING (i) WHERE m.way = 'D' AND m.said <> pg_temp.oracle(c)$$,
	'a run each day charges what a walk through the days does');
SELECT is_empty($$SELECT m.i, m.said, pg_temp.oracle(c) FROM pg_temp.came m JOIN cases c USING (i) WHERE m.way = 'O' AND m.said <> pg_temp.oracle(c)$$,
	'so does one run at the end');
SELECT is_empty($$SELECT m.i, m.said, pg_temp.oracle(c) FROM pg_temp.came m JOIN cases c USING (i) WHERE m.way = 'S' AND m.said <> pg_temp.oracle(c)$$,
	'and one now and then');
SELECT is_empty($$SELECT m.i, m.said, pg_temp.oracle(c) FROM pg_temp.came m JOIN cases c USING (i) WHERE m.way = 'H' AND m.said <> pg_temp.oracle(c)$$,
	'and one each day that hears of payments three days after they were made');
SELECT ok((SELECT count(*) FILTER (WHERE m.posted > 0) > 6 AND count(*) FILTER (WHERE m.paid > 0) > 6 FROM pg_temp.made m WHERE m.org = 'RAN'), 'there were fees and payments');
SELECT is_empty('SELECT * FROM elecbill.fsck()', 'nothing is broken');

-- ---------------------------------------------------------------- who does not pay is reminded, then cut off

CREATE FUNCTION pg_temp.step(account text) RETURNS text LANGUAGE sql AS $$
	SELECT concat_ws(' ', d.step, d.action, d.supply, d.reason) FROM elecbill.dunning_status d WHERE (d.org, d.account_no) = ('DUN', $1) $$;
CREATE FUNCTION pg_temp.told(account text) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(substr(x.topic, 9), ' ' ORDER BY x.id) FROM elecbill.outbox x
	WHERE x.topic LIKE 'dunning%' AND x.payload ->> 'account' = $1 $$;
CREATE FUNCTION pg_temp.orders(account text) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(d.kind || ' ' || d.state, ', ' ORDER BY d.id) FROM elecbill.device_command d JOIN elecbill.meter m ON m.id = d.meter_id
	WHERE m.serial = 'DUN-' || $1 AND d.kind LIKE '%connect' $$;
CREATE FUNCTION pg_temp.bill_of(account text) RETURNS text LANGUAGE sql AS $$
	SELECT b.number FROM elecbill.bill b JOIN elecbill.customer_account a ON a.id = b.account_id JOIN elecbill.org o ON o.id = a.org_id
	WHERE o.code = 'DUN' AND a.account_no = account AND b.live AND b.number IS NOT NULL ORDER BY b.id LIMIT 1 $$;
CREATE FUNCTION pg_temp.carried_out(outcome text DEFAULT 'acked') RETURNS bigint LANGUAGE sql AS $$
	SELECT count(elecbill.command_ack('platform', t.command, outcome)) FROM elecbill.command_take('platform', 'DUN', trial => true) AS t $$;
SELECT public.work_for('');
SELECT pg_temp.at('2026-03-01 12:00');
SELECT pg_temp.estate('DUN', '2026-02', (SELECT jsonb_object_agg(x.room, jsonb_build_object('kind', x.kind, 'amount', x.amount)) FROM (VALUES
	('P1', 'residential', 100), ('MED', 'residential', 100), ('NOD', 'residential', 100), ('PRI', 'residential', 100), ('PART', 'residential', 100),
	('PLAN', 'residential', 100), ('BROKE', 'residential', 100), ('TINY', 'residential', 8), ('GOOD', 'residential', 100), ('CO', 'commercial', 500)) AS x(room, kind, amount)));
CALL elecbill.bill_month('DUN', 'MONTH', '2026-02');
SELECT elecbill.calendar_create('DUN', 'CN');
SELECT elecbill.calendar_day_set('DUN', 'CN', d::date, '{holiday}') FROM unnest('{2026-04-28,2026-05-01,2026-05-04,2026-05-05}'::text[]) AS d;
SELECT elecbill.calendar_day_set('DUN', 'CN', '2026-05-09', '{makeup}');
SELECT throws_ok($$SELECT elecbill.dunning_policy_set('DUN', 'person', '[{"action": "remind", "days": 1}, {"action": "notice", "days": 20}, {"action": "disconnect", "days": 30, "wait": "7 days"}]')$$,
	'UB400', 'these steps cannot be', 'nobody is cut off after 30 days');
CREATE FUNCTION pg_temp.why(kind text, steps text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	detail text;
BEGIN
	PERFORM elecbill.dunning_policy_set('DUN', kind, steps::jsonb);
	RETURN 'taken';
EXCEPTION WHEN SQLSTATE 'UB400' THEN
	GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
	RETURN detail;
END $$;
SELECT is(pg_temp.why(x.kind, x.steps), x.fault, x.fault) FROM (VALUES
	('person', '[{"action": "remind", "days": 1}, {"action": "notice", "days": 31}, {"action": "disconnect", "days": 31, "wait": "6 days"}]', 'residents have 7 days of notice'),
	('company', '[{"action": "remind", "days": 1}, {"action": "notice", "days": 31}, {"action": "last_notice", "days": 31, "wait": "2 days"}, {"action": "disconnect", "days": 31, "wait": "1 hour"}]', 'others have 3 days of notice'),
	('company', '[{"action": "remind", "days": 1}, {"action": "notice", "days": 31}, {"action": "disconnect", "days": 31, "wait": "7 days"}]', 'others are told again an hour before'),
	('person', '[{"action": "notice", "days": 31}, {"action": "disconnect", "days": 31, "wait": "7 days"}]', 'who is disconnected was reminded before'),
	('person', '[{"action": "remind", "days": 31}, {"action": "disconnect", "days": 31, "wait": "7 days"}]', 'who is disconnected had notice of it'),
	('person', '[{"action": "remind", "days": 1}, {"action": "notice", "days": 31}, {"action": "disconnect", "days": 31, "wait": "7 days"}, {"action": "remind", "days": 40}]', 'disconnect is the last step'),
	('person', '[{"action": "remind", "days": 1}, {"action": "notice", "days": 31}, {"action": "disconnect", "days": 40, "wait": "7 days"}, {"action": "disconnect", "days": 50}]', 'disconnect is the last step'),
	('person', '[{"action": "remind", "days": 1}, {"action": "notice", "days": 31}]', 'a notice without a disconnection to come'),
	('person', '[]', 'there are 1 to 20 steps'),
	('person', '[{"action": "shout", "days": 1}]', 'a step is remind, notice, last_notice or disconnect, 1 to 3660 days overdue, up to a year after the one before'),
	('person', '[{"action": "remind", "days": 1}]', 'taken')) AS x(kind, steps, fault);
SELECT throws_ok($$SELECT elecbill.dunning_policy_set('DUN', 'person', min_amount => 'NaN')$$, 'UB400', NULL, 'nobody owes less than what is no number');
SELECT throws_ok($$SELECT elecbill.dunning_policy_set('DUN', 'person', '{"a": 1}')$$, 'UB400',
	'steps are an array such as [{"action": "remind", "days": 1}, {"action": "notice", "days": 31, "wait": "7 days"}]', 'steps are a list');
SELECT throws_ok($$SELECT elecbill.dunning_policy_set('DUN', 'cat')$$, 'UB400', 'a dunning policy needs person or company, an amount of 0 or more, and the hours of a day', 'of persons or companies');
SELECT elecbill.dunning_policy_set('DUN', 'person'), elecbill.dunning_policy_set('DUN', 'company') \g /dev/null
SELECT throws_ok($$SELECT elecbill.customer_tags_set('DUN/MED', '{sick}')$$, 'UB400', 'tags of a customer are no_bill, no_dun and medical', 'there are three tags');
SELECT throws_ok($$SELECT elecbill.point_priority_set('DUN/PRI', NULL)$$, 'UB400', 'a usage point has priority or not', 'a point has priority or not');
SELECT elecbill.customer_tags_set('DUN/MED', '{medical}'), elecbill.customer_tags_set('DUN/NOD', '{no_dun}'), elecbill.point_priority_set('DUN/PRI', true) \g /dev/null
SELECT throws_ok($$SELECT elecbill.payment_plan_add('DUN/PLAN', '{2026-03-31}', '{100}')$$, 'UB412', 'account ''PLAN'' has nothing overdue', 'what is not overdue needs no instalments');

SELECT pg_temp.at('2026-03-21 10:00');
CALL elecbill.dunning_run('DUN');
SELECT is_empty($$SELECT * FROM elecbill.dunning_status WHERE org = 'DUN'$$, 'on the due date nobody is in arrears');
SELECT pg_temp.at('2026-03-22 10:00');
CALL elecbill.dunning_run('DUN');
CALL elecbill.dunning_run('DUN');
SELECT is(pg_temp.step('P1'), '1 remind on not_due', 'the day after the customer is reminded, once');
SELECT is(pg_temp.step('NOD'), '0 on no_dun', 'not who is not to be dunned');
SELECT is(pg_temp.step('TINY'), '0 on below_minimum', 'nor who owes 8.00');
SELECT pg_temp.pay('DUN', 'GOOD', 100);
SELECT pg_temp.at('2026-04-05 10:00');
CALL elecbill.dunning_run('DUN');
SELECT is(pg_temp.step('P1'), '2 remind on not_due', 'after 15 days again');
SELECT is(pg_temp.told('GOOD'), 'remind', 'who has paid hears nothing more');
SELECT is((SELECT (closed_on, supply) = ('2026-04-05', 'on') FROM elecbill.dunning_case c JOIN elecbill.customer_account a ON a.id = c.account_id WHERE a.account_no = 'GOOD'), true, 'his case is closed');
SELECT pg_temp.pay('DUN', 'PART', 60);
SELECT pg_temp.at('2026-04-20 10:00');
CALL elecbill.dunning_run('DUN');
SELECT is(pg_temp.told('P1'), 'remind remind', 'after 30 days nothing more');
SELECT pg_temp.at('2026-04-21 10:00');
CALL elecbill.dunning_run('DUN');
SELECT is(pg_temp.step('P1'), '3 notice on notice_runs', 'after more than 30 days he has notice');
SELECT is(pg_temp.step('PART'), '3 notice on notice_runs', 'who paid a part is where he was: no step is left out, none taken again');
SELECT is((SELECT payload ->> 'cut_off_at' FROM elecbill.outbox WHERE topic = 'dunning_notice' AND payload ->> 'account' = 'P1'), '2026-04-28 10:00', 'the notice says that it is 7 days');
SELECT is((SELECT elecbill._notice_text(topic, payload, 'zh') FROM elecbill.outbox WHERE topic = 'dunning_notice' AND payload ->> 'account' = 'P1'),
	'【DUN】户号P1:停电通知,欠费100.00元,停电不早于2026-04-28 10:00。', 'in so many words');
SELECT is(pg_temp.step('MED'), '2 remind on medical', 'who needs it to live has none');
SELECT is(pg_temp.step('PRI'), '2 remind on priority_point', 'a priority point has none');

-- instalments
SELECT throws_ok($$SELECT elecbill.payment_plan_add('DUN/PLAN', '{2026-04-24,2026-05-22}', '{50,40}')$$, 'UB422', 'the instalments do not add up to what is open', 'instalments add up');
SELECT throws_ok($$SELECT elecbill.payment_plan_add('DUN/PLAN', '{2026-04-24,2026-04-24}', '{50,50}')$$, 'UB400', 'a payment plan has 1 to 60 days, today or later and rising, and an amount above 0 for each', 'their days rise');
SELECT elecbill.payment_plan_add('DUN/PLAN', '{2026-04-24,2026-05-22}', '{50,50}'), elecbill.payment_plan_add('DUN/BROKE', '{2026-04-24,2026-05-22}', '{50,50}') \g /dev/null
SELECT throws_ok($$SELECT elecbill.payment_plan_add('DUN/PLAN', '{2026-04-24,2026-05-22}', '{50,50}')$$, 'UB412', 'account ''PLAN'' has a payment plan', 'one plan at a time');
SELECT throws_ok($$SELECT elecbill.account_mode_set('DUN/PLAN', 'prepaid')$$, 'UB412', 'account ''PLAN'' has a payment plan', 'instalments and prepayment do not go together');
SELECT elecbill.account_mode_set('DUN/P1', 'prepaid');
SELECT throws_ok($$SELECT elecbill.payment_plan_add('DUN/P1', '{2026-04-24}', '{100}')$$, 'UB412', 'account ''P1'' is prepaid', 'from either side');
SELECT elecbill.account_mode_set('DUN/P1', 'postpaid');
SELECT throws_ok($$SELECT elecbill.payment_plan_cancel('DUN/P1', 'why')$$, 'UB412', 'account ''P1'' has no payment plan', 'who has none cannot cancel it');
SELECT throws_ok($$SELECT elecbill.payment_plan_cancel('DUN/PLAN', '')$$, 'UB400', 'a payment plan is cancelled for a reason', 'nor without a reason');
SELECT pg_temp.at('2026-04-24 09:30');
CALL elecbill.dunning_run('DUN');
SELECT is(pg_temp.step('PLAN'), '3 notice on plan', 'while a plan is kept nothing happens');
SELECT pg_temp.pay('DUN', 'PLAN', 50);
SELECT is(pg_temp.told('CO'), 'remind remind notice', 'a company had notice 3 days ago, to the hour it is not over');
SELECT pg_temp.at('2026-04-24 10:30');
CALL elecbill.dunning_run('DUN');
SELECT is(pg_temp.step('CO'), '4 last_notice on notice_runs', 'then it is told again');
SELECT pg_temp.at('2026-04-24 11:00');
CALL elecbill.dunning_run('DUN');
SELECT is(pg_temp.orders('CO'), NULL, 'half an hour later nobody comes');
SELECT pg_temp.at('2026-04-24 11:30');
CALL elecbill.dunning_run('DUN');
SELECT is(pg_temp.step('CO'), '5 disconnect ordered ordered', 'an hour later supply is to be cut off');
SELECT pg_temp.at('2026-04-24 17:05');
CALL elecbill.dunning_run('DUN');
SELECT is(pg_temp.step('CO'), '4 last_notice on night', 'nobody came before five; at night nobody does');
SELECT pg_temp.at('2026-04-25 10:00');
CALL elecbill.dunning_run('DUN');
SELECT is(pg_temp.step('CO'), '3 notice on holiday', 'nor on a Saturday');
SELECT is(pg_temp.step('BROKE'), '3 notice on notice_runs', 'who has not paid his instalment has no plan any more');
SELECT pg_temp.at('2026-04-27 16:00');
CALL elecbill.dunning_run('DUN');
SELECT is(pg_temp.step('CO'), '3 notice on night', 'on Monday at four there is no hour left to tell it and come');
SELECT pg_temp.at('2026-04-28 10:00');
CALL elecbill.dunning_run('DUN');
SELECT is(pg_temp.step('P1'), '3 notice on holiday', 'the 28th of April is a holiday');
SELECT pg_temp.at('2026-04-29 08:59');
CALL elecbill.dunning_run('DUN');
SELECT is(pg_temp.step('P1'), '3 notice on night', 'before nine nobody comes');
SELECT pg_temp.at('2026-04-29 09:00');
CALL elecbill.dunning_run('DUN');
SELECT is(pg_temp.step('P1'), '4 disconnect ordered ordered', 'at nine supply is to be cut off');
SELECT is(pg_temp.step('PART'), '4 disconnect ordered ordered', 'also of who paid a part');
SELECT is(pg_temp.step('CO'), '4 last_notice on notice_runs', 'the company is told once more');
SELECT is((SELECT d.deadline_at FROM elecbill.device_command d JOIN elecbill.meter m ON m.id = d.meter_id WHERE m.serial = 'DUN-P1'), '2026-04-29 17:00+08', 'the order ends at five');
CALL elecbill.dunning_run('DUN');
SELECT is(pg_temp.orders('P1'), 'disconnect queued', 'it is ordered once');
SELECT pg_temp.pay('DUN', 'PART', 40);
SELECT is(pg_temp.orders('PART'), 'disconnect failed, reconnect queued', 'who pays just then is not cut off: the payment takes the order back');
SELECT is(pg_temp.carried_out(), 3::bigint, 'an electrician takes the orders: P1 and BROKE off, PART on');
CALL elecbill.dunning_run('DUN');
SELECT is(pg_temp.step('P1'), '4 disconnect off off', 'it is done');
BEGIN;
SELECT elecbill.payment_order_confirm('DUN', 'bank', 'T1', NULL, 100, elecbill.now()), elecbill.payment_match('DUN/bank:T1', 'DUN/P1');
SELECT is(pg_temp.orders('P1'), 'disconnect acked, reconnect queued', 'money that lay in suspense connects again, too');
ROLLBACK;
BEGIN;
SELECT elecbill.post_transfer('DUN', 'p1', 'bank', 'advance:P1', 100, '2026-04-29'), elecbill.advance_apply('DUN/P1', 'p1');
SELECT is(pg_temp.orders('P1'), 'disconnect acked, reconnect queued', 'so does advance credit');
ROLLBACK;
SELECT is(pg_temp.step('PART'), NULL, 'and the case of PART is closed');
SELECT is(pg_temp.told('PART'), 'remind remind notice disconnect reconnect', 'he was told each time');
SELECT throws_ok($$SELECT elecbill.account_mode_set('DUN/P1', 'prepaid')$$, 'UB412', 'account ''P1'' is cut off, or on its way back', 'nobody becomes prepaid in the dark');
SELECT elecbill.payment_plan_add('DUN/P1', '{2026-05-10,2026-05-20}', '{30,70}') \g /dev/null
CALL elecbill.dunning_run('DUN');
SELECT is(pg_temp.step('P1'), '2 remind reconnect reconnect', 'who agrees on instalments is connected again');
SELECT is(pg_temp.carried_out('failed'), 1::bigint, 'the platform cannot');
CALL elecbill.dunning_run('DUN');
SELECT is(pg_temp.orders('P1'), 'disconnect acked, reconnect failed, reconnect queued', 'so it is ordered anew');
SELECT is(pg_temp.carried_out(), 1::bigint, 'and done');
SELECT pg_temp.at('2026-05-11 10:00');
CALL elecbill.dunning_run('DUN');
SELECT is(pg_temp.step('P1'), '3 notice on notice_runs', 'the first instalment was not paid: there is notice once more');
SELECT pg_temp.at('2026-05-22 10:00');
SELECT pg_temp.pay('DUN', 'PLAN', 50);
CALL elecbill.dunning_run('DUN');
SELECT is((SELECT array_agg(account_no || ' ' || status ORDER BY plan) FROM elecbill.payment_plan_status), '{PLAN kept,BROKE broken,P1 broken}', 'one plan was kept, two were not');
SELECT is(pg_temp.step('PLAN'), NULL, 'who kept it owes nothing');
SELECT is(pg_temp.told('PLAN'), 'remind remind notice', 'and was left in peace');
SELECT is(pg_temp.step('P1'), '4 disconnect ordered ordered', 'who did not is cut off after another notice');
SELECT is(pg_temp.orders('MED'), NULL, 'but not who needs it to live');
SELECT is((SELECT array_agg(DISTINCT x.n ORDER BY x.n) FROM elecbill.dunning_action x), '{1,2,3,4,5,NULL}', 'every step was taken by somebody');
SELECT is((SELECT array_agg(DISTINCT action ORDER BY action) FROM elecbill.audit_log WHERE outcome = 'done'
	AND action IN ('dunning_policy_set', 'dunning_disconnect', 'dunning_reconnect', 'payment_plan_add', 'payment_plan_broken', 'payment_plan_kept', 'customer_tags_set', 'point_priority_set')),
	'{customer_tags_set,dunning_disconnect,dunning_policy_set,dunning_reconnect,payment_plan_add,payment_plan_broken,payment_plan_kept,point_priority_set}', 'what matters is in the audit log');
SELECT pg_temp.bill_of('P1') AS p1_bill \gset
SELECT elecbill.payment_plan_add('DUN/P1', '{2026-05-25}', '{100}', ARRAY['DUN/' || :'p1_bill']), elecbill.cancel_bill('DUN/' || :'p1_bill', 'another home', 'p1') \g /dev/null
SELECT pg_temp.at('2026-05-26 10:00');
CALL elecbill.dunning_run('DUN');
SELECT is((SELECT status FROM elecbill.payment_plan_status WHERE account_no = 'P1' ORDER BY plan DESC LIMIT 1), 'cancelled', 'of a bill that was taken back no instalment is missed');
SELECT is(pg_temp.orders('P1'), 'disconnect acked, reconnect failed, reconnect acked, disconnect failed, reconnect queued', 'and nobody is cut off for it');
SELECT is((SELECT reason_text FROM elecbill.dunning_status WHERE account_no = 'MED'), '医疗用电,不停电', 'the reason in words');
SELECT elecbill.partition_maintain(), elecbill.alarm_watch() \g /dev/null
SELECT is_empty('SELECT * FROM elecbill.fsck()', 'nothing is broken');

-- ---------------------------------------------------------------- days are those of the org: weeks with a day of 25 hours, runs for days that are past

SET timezone = 'UTC';
SELECT pg_temp.at('2026-09-01 12:00');
SELECT elecbill.org_create('BER', 'BER', 'Europe/Berlin');
SELECT elecbill.tariff_draft('BER/FLAT', '[2024-01-01,)', '{"elecbill": 1, "currency": "CNY", "zone": "Europe/Berlin",
	"components": [{"code": "energy", "kind": "energy", "price": 0.5}]}', 'ann');
SELECT elecbill.tariff_approve('BER/FLAT', 1, 'bob');
SELECT elecbill.partition_maintain(3, '2026-09-01') \g /dev/null
SELECT elecbill.import_estate('BER', convert_to(E'room,account_no,name,kind,meter_no,model,last_reading,last_read_at,tariff\n'
	'H1,H1,N1,residential,BER-H1,DDS,0,2026-09-01,FLAT\nH2,H2,N2,residential,BER-H2,DDS,0,2026-09-01,FLAT\n', 'UTF8'));
SELECT elecbill.import_opening('BER', convert_to(E'kind,account_no,amount,due_on,number\nbill,H1,100,2026-09-18,A1\nbill,H2,100,2026-09-18,A2\nbill,H2,120,2026-09-19,A3\n', 'UTF8')) \g /dev/null
SELECT elecbill.duty_grant('BER', 'ann', 'finance'), elecbill.dunning_policy_set('BER', 'person') \g /dev/null
CREATE FUNCTION pg_temp.berlin(day text) RETURNS void LANGUAGE sql AS $$
	SELECT set_config('elecbill.clock_override', (day::timestamp AT TIME ZONE 'Europe/Berlin')::text, false) $$;
CREATE FUNCTION pg_temp.here(account text) RETURNS text LANGUAGE sql AS $$
	SELECT concat_ws(' ', d.step, d.action, d.supply, d.reason) FROM elecbill.dunning_status d WHERE (d.org, d.account_no) = ('BER', $1) $$;
SELECT pg_temp.berlin('2026-09-21 10:00');
CALL elecbill.dunning_run('BER');
SELECT pg_temp.berlin('2026-10-05 10:00');
CALL elecbill.dunning_run('BER');
SELECT pg_temp.berlin('2026-10-20 10:00');
CALL elecbill.dunning_run('BER');
SELECT is((SELECT payload ->> 'cut_off_at' FROM elecbill.outbox WHERE topic = 'dunning_notice' AND payload ->> 'org' = 'BER' AND payload ->> 'account' = 'H1'), '2026-10-27 10:00',
	'seven days by the clock of the customer, though a night between has an hour more');
SELECT elecbill.payment_plan_add('BER/H2', '{2026-10-22,2026-11-20,2026-12-20}', '{100,60,60}') \g /dev/null
SELECT outcome FROM elecbill.pay_bill('BER/' || (SELECT min(number) FROM pg_temp.made WHERE (org, account_no) = ('BER', 'H2')), 100, 'h2', 'bank') \g /dev/null
SELECT pg_temp.berlin('2026-10-27 09:30');
CALL elecbill.dunning_run('BER');
SELECT is(pg_temp.here('H1'), '3 notice on notice_runs', 'half an hour before nobody comes, whatever the zone of the session');
SELECT pg_temp.berlin('2026-10-27 10:00');
CALL elecbill.dunning_run('BER');
SELECT is(pg_temp.here('H1'), '4 disconnect ordered ordered', 'then supply is to be cut off');
SELECT is_empty('SELECT * FROM elecbill._fsck_arrears(NULL, NULL)', 'which was lawful');
SET timezone = 'Europe/Berlin';
SELECT is_empty('SELECT * FROM elecbill._fsck_arrears(NULL, NULL)', 'whoever asks');
CALL elecbill.dunning_run('BER', '2026-09-10');
SELECT is(pg_temp.here('H1'), '4 disconnect ordered ordered', 'a run for a day on which he was not in arrears connects nobody again');
SELECT is(pg_temp.here('H2'), '3 notice on plan', 'H2 has paid his first instalment');
SELECT elecbill.cancel_bill('BER/' || (SELECT min(number) FROM pg_temp.made WHERE (org, account_no) = ('BER', 'H2')), 'paid before', 'h2') \g /dev/null
CALL elecbill.dunning_run('BER');
SELECT is(pg_temp.here('H2'), '3 notice on plan', 'when the bill it paid is taken back he has not missed it');
SELECT pg_temp.berlin('2026-11-21 10:00');
CALL elecbill.dunning_run('BER');
SELECT is((SELECT status FROM elecbill.payment_plan_status WHERE org = 'BER'), 'broken', 'the next one he has');
SELECT pg_temp.berlin('2026-11-23 10:00');
SELECT elecbill.payment_order_confirm('BER', 'bank', 'day-late', NULL, 5, '2026-11-21 08:00+01'), elecbill.payment_match('BER/bank:day-late', 'BER/H2') \g /dev/null
SELECT elecbill.payment_order_confirm('BER', 'bank', 'in-time', NULL, 55, '2026-11-20 18:00+01'), elecbill.payment_match('BER/bank:in-time', 'BER/H2') \g /dev/null
CALL elecbill.dunning_run('BER');
SELECT is((SELECT status FROM elecbill.payment_plan_status WHERE org = 'BER'), 'broken', 'of 60.00 that are heard of two days later 5.00 were paid too late');
SELECT elecbill.payment_order_confirm('BER', 'bank', 'in-time-2', NULL, 5, '2026-11-20 19:00+01'), elecbill.payment_match('BER/bank:in-time-2', 'BER/H2') \g /dev/null
CALL elecbill.dunning_run('BER');
SELECT is((SELECT status FROM elecbill.payment_plan_status WHERE org = 'BER') || ', ' || pg_temp.here('H2'), 'active, 3 notice on plan', 'when all of it was made in time the plan goes on');
SELECT public.work_for('ann') \g /dev/null
SELECT elecbill.payment_reverse('BER/bank:in-time', 'bounced', 'h2');
CALL elecbill.dunning_run('BER');
CALL elecbill.dunning_run('BER');
SELECT is((SELECT status FROM elecbill.payment_plan_status WHERE org = 'BER'), 'broken', 'until the bank takes it back');
SELECT public.work_for('') \g /dev/null
RESET timezone;
SELECT elecbill.alarm_watch() \g /dev/null

-- ---------------------------------------------------------------- what fsck() sees

SELECT set_config('test.fee', (SELECT max(f.bill_id) FROM elecbill.late_fee_accrual f WHERE f.state = 'running')::text, false) \g /dev/null
CREATE FUNCTION pg_temp.broken(change text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	found text;
BEGIN
	EXECUTE change;
	SELECT string_agg(DISTINCT f.invariant, ',' ORDER BY f.invariant) INTO found FROM elecbill.fsck() AS f;
	RAISE EXCEPTION '%', coalesce(found, 'nothing') USING ERRCODE = 'UB998';
EXCEPTION WHEN SQLSTATE 'UB998' THEN
	RETURN SQLERRM;
END $$;
SELECT is(pg_temp.broken($$UPDATE elecbill.late_fee_accrual SET raw = raw + 0.000001 WHERE bill_id = current_setting('test.fee')::bigint$$), 'late_fee', 'a millionth too much');
SELECT is(pg_temp.broken($$UPDATE elecbill.late_fee_accrual SET posted = posted + 0.01 WHERE bill_id = current_setting('test.fee')::bigint$$), 'late_fee', 'a cent that was not posted');
SELECT is(pg_temp.broken($$UPDATE elecbill.late_fee_accrual SET as_of = as_of + 1 WHERE bill_id = current_setting('test.fee')::bigint$$), 'late_fee', 'a day that was not counted');
SELECT is(pg_temp.broken($$ALTER TABLE elecbill.dunning_action DISABLE TRIGGER dunning_action_keep;
	UPDATE elecbill.dunning_action SET days_overdue = 30 WHERE action = 'disconnect'$$), 'dunning', 'cut off after 30 days');
SELECT is(pg_temp.broken($$ALTER TABLE elecbill.dunning_action DISABLE TRIGGER dunning_action_keep;
	UPDATE elecbill.dunning_action SET done_at = done_at + interval '1 day' WHERE action = 'notice'$$), 'dunning', 'with too short a notice');
SELECT throws_ok('UPDATE elecbill.dunning_action SET overdue = 0', 'UB403', NULL, 'what was done stays');
SELECT * FROM finish();
