-- payment.sql: paying, as residents, cashiers and the finance office see it
-- Amounts are written down by hand; after each scene the books are checked from outside by fsck().
\set ON_ERROR_STOP 1
SET client_min_messages = warning;
\set homes 12
\ir login/work_for.sql
\o /dev/null
\ir payment/estate.sql
\o
SELECT plan(160);

CREATE FUNCTION pg_temp.bill(account text) RETURNS text LANGUAGE sql AS $$
	SELECT b.number FROM elecbill.bill b JOIN elecbill.customer_account a ON a.id = b.account_id
	WHERE a.account_no = $1 ORDER BY b.id DESC LIMIT 1 $$;
CREATE FUNCTION pg_temp.state(account text) RETURNS text LANGUAGE sql AS $$
	SELECT b.status || ' ' || b.paid FROM elecbill.bill b WHERE b.number = pg_temp.bill($1) $$;
CREATE FUNCTION pg_temp.money(account text) RETURNS text LANGUAGE sql AS $$
	SELECT m.receivable || ' owed, ' || m.advance || ' ahead' FROM elecbill.account_money m WHERE m.account_no = $1 $$;
CREATE FUNCTION pg_temp.refusals() RETURNS bigint LANGUAGE sql AS $$
	SELECT count(*) FROM elecbill.audit_log WHERE outcome = 'refused' $$;
CREATE FUNCTION pg_temp.cash() RETURNS numeric LANGUAGE sql AS $$
	SELECT coalesce(sum(t.debit - t.credit), 0) FROM elecbill.trial_balance t WHERE t.code = 'cash' $$;
SELECT elecbill.duty_grant('PAY', x.login, x.duty)
FROM (VALUES ('mei', 'finance'), ('mei', 'property'), ('mei', 'billing'), ('lin', 'finance'), ('lin', 'property'), ('lin', 'billing'))
	AS x(login, duty);
SELECT public.work_for('mei') \g /dev/null

-- ---------------------------------------------------------------- the flow of the seed: check, pay, receipt

SELECT throws_ok($$ SELECT elecbill.pay_bill(pg_temp.bill('A1'), 100, 'a1') $$, 'UB412', '''mei'' has no open shift', 'cash needs an open shift');
SELECT lives_ok($$ SELECT elecbill.cashier_shift_open('PAY', 50) $$, 'a cashier opens a shift with 50.00 of change');
SELECT throws_ok($$ SELECT elecbill.cashier_shift_open('PAY') $$, 'UB412', '''mei'' has an open shift', 'and has one at a time');
SELECT is(pg_temp.refusals(), 2::bigint, 'each refusal left one row in the audit log');
SELECT throws_ok($$ SELECT elecbill.pay_bill(pg_temp.bill('A1'), 60, 'a1') $$, 'UB422', '缴费金额不正确', 'another amount than the bill is refused');
SELECT throws_ok($$ SELECT elecbill.pay_bill(pg_temp.bill('A1'), 100.01, 'a1') $$, 'UB422', '缴费金额不正确', 'also a cent too much');
SELECT throws_ok($$ SELECT elecbill.pay_bill(pg_temp.bill('A1'), 99.999, 'a1') $$, 'UB422', NULL, 'and what is no amount');
SELECT throws_ok(format('SELECT elecbill.pay_bill(pg_temp.bill(%L), %s, %L)', 'A1', x, 'a1'), 'UB422', NULL, format('%s is not an amount', x))
FROM unnest('{"NULL",0,-100,''NaN'',''Infinity'',1e13}'::text[]) AS x;
SELECT is(pg_temp.refusals(), 11::bigint, 'each refusal left one row');
SELECT results_eq($$ SELECT action, object, state, message, login FROM elecbill.audit_log WHERE outcome = 'refused' ORDER BY id LIMIT 1 OFFSET 2 $$,
	$$ VALUES ('pay_bill', pg_temp.bill('A1'), 'UB422', '缴费金额不正确', 'mei') $$, 'that says who, what, and why not');
SELECT is(pg_temp.state('A1') || ', ' || pg_temp.money('A1'), 'issued 0.00, 100.00 owed, 0 ahead', 'and nothing else happened');
SELECT results_eq($$ SELECT * FROM elecbill.pay_bill(pg_temp.bill('A1'), 100, 'a1') $$,
	format($$ VALUES ('paid', '缴费成功', 'R%s-000001') $$, extract(year FROM elecbill.now() AT TIME ZONE 'Asia/Shanghai')),
	'the right amount is taken: 缴费成功, with a receipt');
SELECT is(pg_temp.state('A1') || ', ' || pg_temp.money('A1'), 'paid 100.00, 0.00 owed, 0 ahead', 'the bill is paid');
SELECT is((SELECT status FROM elecbill.bill_summary WHERE user_id = 'A1'), '已缴费', 'and the summary says so');
SELECT is(elecbill.pay_bill(pg_temp.bill('A1'), 100, 'a1')::text, elecbill.pay_bill(pg_temp.bill('A1'), 100.00, 'a1')::text,
	'the same call once more answers the same');
SELECT is(pg_temp.cash(), 100.00, 'and takes no money');
SELECT throws_ok($$ SELECT elecbill.pay_bill(pg_temp.bill('A1'), 99, 'a1') $$, 'UB409', NULL, 'the same key for another amount is refused');
SELECT throws_ok($$ SELECT elecbill.pay_bill(pg_temp.bill('A2'), 200, 'a1') $$, 'UB409', NULL, 'and for another bill');
SELECT throws_ok($$ SELECT elecbill.pay_bill(pg_temp.bill('A1'), 100, 'a2') $$, 'UB412', 'nothing is to be paid of a bill that is paid', 'a paid bill is not paid twice');
SELECT throws_ok($$ SELECT elecbill.pay_bill('2999-000001', 100, 'a3') $$, 'UB404', NULL, 'nor one that is not there');
SELECT throws_ok($$ SELECT elecbill.pay_bill(pg_temp.bill('A2'), 200, NULL) $$, 'UB400', 'a call that moves money needs a key of 1 to 128 characters without blanks', 'a key is needed');
SELECT throws_ok($$ SELECT elecbill.pay_bill(pg_temp.bill('A2'), 200, 'k', 'alipay') $$, 'UB400', '''alipay'' is not taken at the counter', 'Alipay is not taken at the counter');
SELECT is((elecbill.pay_bill(pg_temp.bill('A2'), 200, 'a4', 'pos')).outcome, 'paid', 'a card is, and needs no shift');
SELECT is(pg_temp.cash(), 100.00, 'it is no cash');

-- ---------------------------------------------------------------- policies

SELECT lives_ok($$ SELECT elecbill.payment_policy_set('PAY', 'partial') $$, 'less than the bill may be taken');
SELECT is((elecbill.pay_bill(pg_temp.bill('A3'), 120, 'b1')).outcome, 'paid', 'then 120.00 of 300.00 are taken');
SELECT is(pg_temp.state('A3'), 'partly_paid 120.00', 'the bill is partly paid');
SELECT throws_ok($$ SELECT elecbill.pay_bill(pg_temp.bill('A3'), 180.01, 'b2') $$, 'UB422', '缴费金额不正确', 'more than is open is still refused');
SELECT lives_ok($$ SELECT elecbill.payment_policy_set('PAY', 'over') $$, 'more may be taken, too');
SELECT is((elecbill.pay_bill(pg_temp.bill('A3'), 200, 'b3')).outcome, 'paid', 'then 200.00 for 180.00 are taken');
SELECT is(pg_temp.state('A3') || ', ' || pg_temp.money('A3'), 'paid 300.00, 0.00 owed, 20.00 ahead', 'and 20.00 are advance credit');
SELECT throws_ok($$ SELECT elecbill.payment_policy_set('PAY', 'any') $$, 'UB400', 'a payment policy needs a rule (exact, partial or over) and 1 to 10080 minutes', 'there are three policies');
SELECT elecbill.payment_policy_set('PAY', 'exact');

-- ---------------------------------------------------------------- cash of an account, receipts, the till

SELECT throws_ok($$ SELECT elecbill.payment_record_cash('A4', 99, NULL, 'c1') $$, 'UB422', '缴费金额不正确', 'cash is for what is open');
SELECT is(right(elecbill.payment_record_cash('A4', 100, NULL, 'c1'), 6), '000005', 'receipts are numbered without a gap');
SELECT is(elecbill.payment_record_cash('A5', 200, 'B-0099', 'c2', ARRAY[pg_temp.bill('A5')]), 'B-0099', 'or have the number of a printed block');
SELECT throws_ok($$ SELECT elecbill.payment_record_cash('A6', 300, 'B-0099', 'c3') $$, 'UB409', 'receipt ''B-0099'' is used', 'which is used once');
SELECT throws_ok($$ SELECT elecbill.payment_record_cash('A6', 300, 'R2026-000777', 'c3') $$, 'UB400', '''R2026-000777'' is not the number of a printed receipt', 'and does not look like ours');
SELECT throws_ok($$ SELECT elecbill.payment_record_cash('A6', 300, NULL, 'c3', ARRAY[pg_temp.bill('A7')]) $$, 'UB404', NULL, 'a bill of somebody else is not there');
SELECT is(right(elecbill.payment_record_cash('A4', 30, NULL, 'c4', '{}'), 6), '000006', 'money for no bill is advance credit');
SELECT is(pg_temp.money('A4'), '0.00 owed, 30.00 ahead', 'of the account');
SELECT is((SELECT taken || ' taken, ' || expected || ' expected' FROM elecbill.cashier_shift_total), '750.00 taken, 800.00 expected', 'the till knows what it should hold');
SELECT is((SELECT balance FROM elecbill.cash_book ORDER BY at DESC LIMIT 1), pg_temp.cash(), 'and the cash book agrees with the ledger');

-- ---------------------------------------------------------------- taking a payment back

SELECT throws_ok($$ SELECT elecbill.payment_reverse('B-0099', 'wrong account', 'd1') $$, 'UB403', 'a payment is reversed by another person than recorded it', 'who took a payment does not take it back');
SELECT throws_ok($$ SELECT elecbill.payment_reverse('B-0100', 'wrong account', 'd1') $$, 'UB404', 'there is no payment ''B-0100''', 'what is not there is not taken back');
SELECT public.work_for('lin') \g /dev/null
SELECT throws_ok($$ SELECT elecbill.payment_reverse('B-0099', '', 'd1') $$, 'UB400', 'a payment is reversed for a reason', 'nor without a reason');
SELECT lives_ok($$ SELECT elecbill.payment_reverse('B-0099', 'wrong account', 'd1') $$, 'another person does');
SELECT lives_ok($$ SELECT elecbill.payment_reverse('B-0099', 'wrong account', 'd1') $$, 'once, however often she says so');
SELECT throws_ok($$ SELECT elecbill.payment_reverse('B-0099', 'wrong account', 'd2') $$, 'UB412', 'payment ''B-0099'' is reversed already', 'a second time is refused');
SELECT is(pg_temp.state('A5') || ', ' || pg_temp.money('A5'), 'issued 0.00, 200.00 owed, 0 ahead', 'the bill is open again');
SELECT is((SELECT expected FROM elecbill.cashier_shift_total), 600.00, 'the till holds less');
SELECT public.work_for('mei') \g /dev/null
SELECT results_eq($$ SELECT * FROM elecbill.cashier_shift_close('PAY', 599) $$, $$ VALUES (600.00, -1.00) $$, 'a till that is short by 1.00 says so');
SELECT is((elecbill.pay_bill(pg_temp.bill('A1'), 100, 'a1')).outcome, 'paid', 'a retry after the shift answers as before');
SELECT is(pg_temp.cash(), 550.00, 'the difference is shown, and not booked away');

-- ---------------------------------------------------------------- orders over a channel

CREATE TEMP TABLE made AS SELECT * FROM elecbill.payment_order_create('A6', NULL, 300, 'alipay', 'e1');
SELECT is((SELECT number FROM elecbill.payment_order_create('A6', NULL, 300, 'alipay', 'e1')), (SELECT number FROM made), 'one key, one order');
SELECT throws_ok($$ SELECT elecbill.payment_order_create('A6', NULL, 300, 'alipay', 'e2') $$, 'UB422', NULL, 'what an order is about to bring is not asked for twice');
SELECT is((SELECT announced FROM elecbill.account_money WHERE account_no = 'A6'), 300.00, 'it is announced');
SELECT is(elecbill.payment_order_confirm('PAY', 'alipay', 'T1', (SELECT number FROM made), 300, elecbill.now()), 'paid', 'the channel says it is paid');
SELECT is(elecbill.payment_order_confirm('PAY', 'alipay', 'T1', (SELECT number FROM made), 300, elecbill.now()), 'exists', 'and says it again');
SELECT throws_ok($$ SELECT elecbill.payment_order_confirm('PAY', 'alipay', 'T1', (SELECT number FROM made), 299, elecbill.now()) $$, 'UB409', NULL,
	'and again, with another amount');
SELECT is(pg_temp.state('A6') || ', ' || pg_temp.money('A6'), 'paid 300.00, 0.00 owed, 0 ahead', 'the bill is paid once');
SELECT is(elecbill.payment_order_confirm('PAY', 'alipay', 'T2', (SELECT number FROM made), 300, elecbill.now()), 'late', 'a second payment of the order comes late');
SELECT is(pg_temp.money('A6'), '0.00 owed, 300.00 ahead', 'and is advance credit');
CREATE TEMP TABLE made_7 AS SELECT * FROM elecbill.payment_order_create('A7', NULL, 100, 'wechat', 'e7');
SELECT is(elecbill.payment_order_confirm('PAY', 'wechat', 'W1', (SELECT number FROM made_7), 99.99, elecbill.now()), 'mismatch', 'a cent less is not the order');
SELECT is(elecbill.payment_order_confirm('PAY', 'wechat', 'W2', 'O2026-999999', 5, elecbill.now()), 'unmatched', 'nor is a number that nobody gave out');
SELECT is((SELECT string_agg(code || ' ' || state, ', ' ORDER BY code) FROM elecbill.alarm WHERE code LIKE 'payment%'),
	'payment_late open, payment_mismatch open, payment_unmatched open', 'each raises an alarm');
SELECT is((SELECT -balance FROM elecbill.trial_balance WHERE code = 'suspense'), 104.99, 'the money is held in suspense');
SELECT lives_ok($$ SELECT elecbill.payment_match('wechat:W1', 'A7') $$, 'until somebody knows whose it is');
SELECT is(pg_temp.state('A7'), 'partly_paid 99.99', 'then it pays');
SELECT is(elecbill._payment_order_expire((SELECT id FROM elecbill.org)), 0, 'an order that is in time does not expire');
SET elecbill.clock_override = '2099-01-01 00:00:00+00';
SELECT is(elecbill._payment_order_expire((SELECT id FROM elecbill.org)), 1, 'one whose time is over does');
SELECT is((SELECT announced FROM elecbill.account_money WHERE account_no = 'A7'), 0.00, 'and announces nothing');
SELECT is(elecbill.payment_order_confirm('PAY', 'wechat', 'W3', (SELECT number FROM made_7), 100, elecbill.now()), 'late', 'what it brings then is late');
RESET elecbill.clock_override;
SELECT results_eq($$ SELECT outcome, rows FROM elecbill.channel_statement_import('PAY', 'wechat',
		E'txn,order,amount,paid_at\nW1,,99.99,2026-01-31 12:00:00+08\nW2,,6.00,2026-01-31 12:00:00+08\nW9,,7.00,2026-01-31 12:00:00+08\n') $$,
	$$ VALUES ('amount', 1), ('matched', 1), ('unmatched', 1) $$, 'the statement of a channel is matched');
SELECT throws_ok($$ SELECT elecbill.channel_statement_import('PAY', 'wechat', E'txn,order,amount,paid_at\nX1,,1.00,2026-01-31 12:00:00+08\nX2,,1.001,2026-01-31 12:00:00+08\n') $$,
	'UB400', 'line 3 of the statement: ''1.001'' is not an amount', 'of a broken one nothing is taken');
SELECT is((SELECT count(*) FROM elecbill.channel_statement_row WHERE channel_txn = 'X1'), 0::bigint, 'not a row');

-- ---------------------------------------------------------------- a channel whose clock is wrong

CREATE TEMP TABLE made_12 AS SELECT * FROM elecbill.payment_order_create('A12', NULL, 300, 'alipay', 'e12');
SELECT is(elecbill.payment_order_confirm('PAY', 'alipay', 'T12', (SELECT number FROM made_12), 300, '1900-06-01 12:00+08'), 'paid',
	'a payment of the year 1900 is taken');
SELECT is(pg_temp.state('A12'), 'paid 300.00', 'it pays');
SELECT is((SELECT p.paid_at BETWEEN elecbill.now() - interval '1 minute' AND elecbill.now() FROM elecbill.payment p WHERE p.channel_txn = 'T12'), true,
	'as of the instant at which it was heard of');
SELECT is((SELECT object || ' ' || left(before ->> 'paid_at', 4) FROM elecbill.audit_log WHERE action = 'payment_paid_at' AND object = 'alipay T12'), 'alipay T12 1900',
	'what the channel said is in the audit log');
SELECT is_empty($$ SELECT * FROM elecbill.accounting_period WHERE month < '2020-01-01' $$, 'no books of 1900 are opened');
SELECT is(elecbill.payment_order_confirm('PAY', 'alipay', 'T12', (SELECT number FROM made_12), 300, '1900-06-01 12:00+08'), 'exists', 'and it is taken once');

-- ---------------------------------------------------------------- money that goes back

CREATE TEMP TABLE back AS SELECT elecbill.refund_request('alipay:T1', 120, 'channel', 'f1', 'asked for') AS number;
SELECT throws_ok($$ SELECT elecbill.refund_request('alipay:T1', 180.01, 'channel', 'f2') $$, 'UB422', 'more than was paid cannot go back', 'more than was paid does not go back');
SELECT throws_ok($$ SELECT elecbill.refund_approve((SELECT number FROM back)) $$, 'UB403', 'a refund is approved by another person than asked for it', 'who asks for a refund does not approve it');
SELECT public.work_for('lin') \g /dev/null
SELECT lives_ok($$ SELECT elecbill.refund_approve((SELECT number FROM back)) $$, 'another person does');
SELECT is(pg_temp.state('A6') || ', ' || pg_temp.money('A6'), 'partly_paid 180.00, 120.00 owed, 300.00 ahead', 'the bill is open again for that much');
SELECT lives_ok($$ SELECT elecbill.refund_pay((SELECT number FROM back)) $$, 'and it is paid out');
SELECT is((SELECT status || ' ' || refunded FROM elecbill.payment_order WHERE number = (SELECT number FROM made)), 'partly_refunded 120.00', 'the order says so');

-- ---------------------------------------------------------------- what is never paid

SELECT pg_temp.refusals() AS before \gset
SELECT lives_ok($$ SELECT elecbill.write_off(pg_temp.bill('A8'), 'moved away', 'g1') $$, 'somebody asks to write a bill off');
SELECT throws_ok($$ SELECT elecbill.write_off_approve(pg_temp.bill('A8')) $$, 'UB403', 'a bill is written off by another person than asked for it', 'and does not approve it');
SELECT public.work_for('mei') \g /dev/null
SELECT is(elecbill.write_off_approve(pg_temp.bill('A8')), 200.00, 'another person does');
SELECT is(pg_temp.state('A8') || ', ' || pg_temp.money('A8'), 'written_off 0.00, 0.00 owed, 0 ahead', 'nothing is owed any more');
SELECT throws_ok($$ SELECT elecbill.pay_bill(pg_temp.bill('A8'), 200, 'h0', 'pos') $$, 'UB412', 'nothing is to be paid of a bill that is written_off',
	'nor taken for it');

-- ---------------------------------------------------------------- who was written off pays after all

SELECT elecbill.payment_policy_set('PAY', 'partial') \g /dev/null
SELECT (elecbill.pay_bill(pg_temp.bill('A10'), 40, 'h1', 'pos')).receipt_no AS forty, (elecbill.pay_bill(pg_temp.bill('A10'), 10, 'h2', 'pos')).receipt_no AS ten \gset
CREATE TEMP TABLE made_10 AS SELECT * FROM elecbill.payment_order_create('A10', ARRAY[pg_temp.bill('A10')], 50, 'alipay', 'h3');
SELECT elecbill.payment_policy_set('PAY', 'exact') \g /dev/null
SELECT public.work_for('lin') \g /dev/null
SELECT elecbill.refund_request(:'ten', 10, 'credit', 'h4', 'not his') AS ten_back \gset
SELECT elecbill.write_off(pg_temp.bill('A10'), 'gone', 'h5') \g /dev/null
SELECT throws_ok($$ SELECT elecbill.write_off_reverse(pg_temp.bill('A10'), 'not yet', 'h6') $$, 'UB412', format('nothing of bill %s was written off', pg_temp.bill('A10')),
	'what was only asked for is not taken back');
SELECT public.work_for('mei') \g /dev/null
SELECT is(elecbill.write_off_approve(pg_temp.bill('A10')), 50.00, 'what is left of a bill is given up');
SELECT is(pg_temp.state('A10') || ', ' || pg_temp.money('A10'), 'written_off 50.00, 0.00 owed, 0 ahead', 'and what was paid stays paid');
SELECT is(elecbill.payment_order_confirm('PAY', 'alipay', 'T10', (SELECT number FROM made_10), 50, elecbill.now()), 'paid',
	'money that comes afterwards is taken');
SELECT is(pg_temp.state('A10') || ', ' || pg_temp.money('A10'), 'written_off 50.00, 0.00 owed, 50.00 ahead', 'and not lost');
SELECT throws_ok(format('SELECT elecbill.refund_approve(%L)', :'ten_back'), 'UB412', 'nothing is paid on a bill that is written_off', 'no money of the bill goes back');
SELECT throws_ok($$ SELECT elecbill.write_off_reverse(pg_temp.bill('A10'), 'he paid', 'h6') $$, 'UB403',
	'a write-off is taken back by another person than approved it', 'who approved a write-off does not take it back');
SELECT public.work_for('lin') \g /dev/null
SELECT throws_ok(format('SELECT elecbill.payment_reverse(%L, %L, %L)', :'forty', 'bounced', 'h7'), 'UB412', 'nothing is paid on a bill that is written_off',
	'nor is a payment of it taken back');
SELECT throws_ok($$ SELECT elecbill.write_off_reverse(pg_temp.bill('A10'), '  ', 'h6') $$, 'UB400', 'a write-off is taken back for a reason', 'blanks are no reason');
SELECT throws_ok($$ SELECT elecbill.write_off_reverse('2999-000001', 'why', 'h6') $$, 'UB404', NULL, 'nor is there a bill of that number');
SELECT is(pg_temp.refusals(), (:before + 8)::bigint, 'each refusal left one row');
SELECT is(elecbill.write_off_reverse(pg_temp.bill('A10'), 'he paid', 'h6'), 50.00, 'another person takes the write-off back');
SELECT is(elecbill.write_off_reverse(pg_temp.bill('A10'), 'he paid', 'h6'), 50.00, 'once, however often she says so');
SELECT throws_ok($$ SELECT elecbill.write_off_reverse(pg_temp.bill('A10'), 'else', 'h6') $$, 'UB409', 'the key was used for something else', 'the key is not for something else');
SELECT throws_ok($$ SELECT elecbill.write_off_reverse(pg_temp.bill('A10'), 'he paid', 'h8') $$, 'UB412', NULL, 'a second time is refused');
SELECT is(pg_temp.state('A10') || ', ' || pg_temp.money('A10'), 'partly_paid 50.00, 50.00 owed, 50.00 ahead', 'the bill is open again');
SELECT is((SELECT balance FROM elecbill.trial_balance WHERE code = 'write_off'), 200.00, 'only the other one is a loss');
SELECT is((SELECT count(*) FROM elecbill.ledger_transfer t JOIN elecbill.bill b ON b.id = t.bill_id
	WHERE b.number = pg_temp.bill('A10') AND t.kind = 'reversal'), 1::bigint, 'by a transfer the other way round');
SELECT is(elecbill.advance_apply('A10', 'h9'), 50.00, 'what came in the meantime pays it');
SELECT is(pg_temp.state('A10') || ', ' || pg_temp.money('A10'), 'paid 100.00, 0.00 owed, 0.00 ahead', 'wholly');
SELECT lives_ok(format('SELECT elecbill.payment_reverse(%L, %L, %L)', :'forty', 'bounced', 'h7'), 'now a payment of it is taken back');
SELECT public.work_for('mei') \g /dev/null
SELECT lives_ok(format('SELECT elecbill.refund_approve(%L)', :'ten_back'), 'and money of it goes back');
SELECT is(pg_temp.state('A10') || ', ' || pg_temp.money('A10'), 'partly_paid 50.00, 50.00 owed, 10.00 ahead', 'and is owed again');
SELECT is((SELECT w.state || ': ' || w.reversal_reason || ', ' || w.decided_by || ', ' || w.reversed_by FROM elecbill.bill_write_off w WHERE w.idem_key = 'h5'),
	'reversed: he paid, mei, lin', 'who did what and why is kept');
SELECT elecbill.write_off(pg_temp.bill('A10'), 'gone again', 'h10') \g /dev/null
SELECT public.work_for('lin') \g /dev/null
SELECT is(elecbill.write_off_approve(pg_temp.bill('A10')), 50.00, 'and it can be written off once more');
SELECT elecbill._late_fee_post(b.id, 5, 'fee:A11', elecbill._today(b.org_id)) FROM elecbill.bill b WHERE b.number = pg_temp.bill('A11') \g /dev/null
SELECT elecbill.write_off(pg_temp.bill('A11'), 'gone', 'h11') \g /dev/null
SELECT public.work_for('mei') \g /dev/null
SELECT is(elecbill.write_off_approve(pg_temp.bill('A11')), 205.00, 'a late fee is given up with its bill');
SELECT is(pg_temp.money('A11'), '0.00 owed, 0 ahead', 'wholly');
SELECT public.work_for('lin') \g /dev/null
SELECT is(elecbill.write_off_reverse(pg_temp.bill('A11'), 'found', 'h12'), 205.00, 'and comes back with it');
SELECT is((SELECT b.late_fee || ', ' || pg_temp.state('A11') || ', ' || pg_temp.money('A11') FROM elecbill.bill b WHERE b.number = pg_temp.bill('A11')),
	'5.00, issued 0.00, 205.00 owed, 0 ahead', 'as it was');
SELECT elecbill.payment_policy_set('PAY', 'partial') \g /dev/null
SELECT elecbill.pay_bill(pg_temp.bill('A11'), 3, 'fee-3', 'pos'), elecbill.payment_policy_set('PAY', 'exact'), elecbill.write_off(pg_temp.bill('A11'), 'gone', 'h13') \g /dev/null
SELECT public.work_for('mei') \g /dev/null
SELECT is(elecbill.write_off_approve(pg_temp.bill('A11')), 202.00, 'of the late fee 3.00 are paid, the rest is given up');
SELECT throws_ok($$ SELECT elecbill.payment_reverse((SELECT 'PAY/' || p.receipt_no FROM elecbill.payment p WHERE p.idem_key = 'fee-3'), 'bounced', 'h14') $$, 'UB412',
	'nothing is paid on a bill that is written_off', 'nor does such a payment go back, or a late fee would be open on a bill that takes no payment');
SELECT public.work_for('lin') \g /dev/null
SELECT is(elecbill.write_off_reverse(pg_temp.bill('A11'), 'bounced', 'h15'), 202.00, 'before the write-off does');

-- ---------------------------------------------------------------- the cash book, row by row

BEGIN;
SELECT public.work_for('mei'), elecbill.cashier_shift_open('PAY') \g /dev/null
SELECT pg_temp.cash() AS cash \gset
SELECT (elecbill.pay_bill(pg_temp.bill('A11'), 202, 'k1')).receipt_no AS a11 \gset
SELECT public.work_for('lin'), elecbill.refund_request(:'a11', 30, 'channel', 'k2') AS first, elecbill.refund_request(:'a11', 20, 'channel', 'k3') AS second \gset
SELECT public.work_for('mei'), elecbill.refund_approve(:'first'), elecbill.refund_approve(:'second'), elecbill.refund_pay(:'first') \g /dev/null
SELECT elecbill.payment_record_cash('A4', 7, NULL, 'k4', '{}'), elecbill.refund_pay(:'second') \g /dev/null
SELECT results_eq(format($$ SELECT kind, taken, paid_out, balance - %s FROM elecbill.cash_book WHERE at = elecbill.now() ORDER BY balance $$, :cash),
	$$ VALUES ('payout', 0::numeric, 20.00, 159.00), ('payout', 0, 30.00, 172.00), ('payment', 7.00, 0, 179.00), ('payment', 202.00, 0, 202.00) $$,
	'a row for a payment, late fee and bill, and one for each refund, with what is in the till behind each');
ROLLBACK;
SELECT is_empty('SELECT * FROM elecbill.fsck()', 'the books are as they should be');
-- ---------------------------------------------------------------- what else is refused

SELECT public.work_for('') \g /dev/null
SELECT elecbill.org_create('TWO', 'Second Court') \g /dev/null
SELECT elecbill.duty_grant('TWO', 'mei', 'finance') \g /dev/null
SELECT public.work_for('mei') \g /dev/null
SELECT elecbill.payment_order_confirm('TWO', 'wechat', 'W2', 'O2026-000001', 5, elecbill.now()) \g /dev/null
CREATE TEMP TABLE rejected AS SELECT elecbill.refund_request('alipay:T1', 1, 'channel', 'r1') AS number;
SELECT elecbill.refund_reject((SELECT number FROM rejected)) \g /dev/null
SELECT elecbill.post_transfer('PAY', 'gone', 'advance:A4', 'adjustment', 30, '2026-01-31') \g /dev/null
SELECT elecbill.write_off(pg_temp.bill('A9'), 'lost', 'w9') \g /dev/null
CREATE TEMP TABLE moved AS SELECT elecbill.refund_request('wechat:W3', 100, 'channel', 'moved') AS number;
SELECT elecbill.advance_apply('A7', 'all') \g /dev/null
SELECT throws_ok(x.statement, x.state, x.message, x.statement) FROM (VALUES
	($$ SELECT elecbill.cashier_shift_open('PAY', -1) $$, 'UB422', 'the change in the till is an amount of 0 or more'),
	($$ SELECT elecbill.cashier_shift_close('PAY', NULL) $$, 'UB422', 'what was counted is an amount of 0 or more'),
	($$ SELECT elecbill.cashier_shift_close('PAY', 1) $$, 'UB412', '''mei'' has no open shift'),
	($$ SELECT elecbill.payment_order_create('A9', NULL, 300, 'cash', 'x') $$, 'UB400', '''cash'' is not a channel'),
	($$ SELECT elecbill.payment_order_create('A9', NULL, 299, 'pos', 'x') $$, 'UB422', '缴费金额不正确'),
	($$ SELECT elecbill.payment_order_create('B9', NULL, 300, 'pos', 'x') $$, 'UB404', 'there is no account ''B9'''),
	($$ SELECT elecbill.payment_order_create('A6', ARRAY[pg_temp.bill('A8')], 1, 'pos', 'x') $$, 'UB404', NULL),
	($$ SELECT elecbill.payment_order_confirm('PAY', 'cash', 'T9', 'O', 1, elecbill.now()) $$, 'UB400', 'a confirmation needs a channel and the instant of the payment'),
	($$ SELECT elecbill.payment_order_confirm('PAY', 'pos', 'T9', 'O', 1, elecbill.now() + interval '10 years') $$, 'UB400', 'a confirmation needs a channel and the instant of the payment'),
	($$ SELECT elecbill.pay_bill(pg_temp.bill('A1'), 1, 'alipay:T9') $$, 'UB400', 'key ''alipay:T9'' is that of a channel'),
	($$ SELECT elecbill.payment_record_cash('A1', 1, NULL, 'wechat:T9') $$, 'UB400', 'key ''wechat:T9'' is that of a channel'),
	($$ SELECT elecbill.payment_order_confirm('PAY', 'pos', 'T9', 'O', 1, 'infinity') $$, 'UB400', 'a confirmation needs a channel and the instant of the payment'),
	($$ SELECT elecbill.payment_order_confirm('ELSE', 'pos', 'T9', 'O', 1, elecbill.now()) $$, 'UB404', 'there is no org ''ELSE'''),
	($$ SELECT elecbill.payment_match('wechat:W2', 'A9') $$, 'UB409', 'payment ''wechat:W2'' is not unique'),
	($$ SELECT elecbill.payment_match('PAY/wechat:W1', 'A9') $$, 'UB412', 'a payment that is posted is not matched'),
	($$ SELECT elecbill.refund_request('PAY/wechat:W2', 1, 'channel', 'x') $$, 'UB412', 'nothing of a payment that is unmatched is refunded'),
	($$ SELECT elecbill.refund_request('alipay:T2', 1, 'bank', 'x') $$, 'UB400', '''bank'' is not a target of a refund'),
	($$ SELECT elecbill.refund_request('alipay:T2', 1, 'credit', 'f1') $$, 'UB409', 'the key was used for something else'),
	($$ SELECT elecbill.refund_pay((SELECT number FROM rejected)) $$, 'UB412', 'refund ' || (SELECT number FROM rejected) || ' is rejected'),
	($$ SELECT elecbill.refund_approve('F2000-000001') $$, 'UB404', 'there is no refund ''F2000-000001'''),
	($$ SELECT elecbill.write_off(pg_temp.bill('A9'), '', 'x') $$, 'UB400', 'a bill is written off for a reason'),
	($$ SELECT elecbill.write_off(pg_temp.bill('A9'), 'lost', 'x') $$, 'UB412', 'bill ' || pg_temp.bill('A9') || ' is to be written off already'),
	($$ SELECT elecbill.write_off(pg_temp.bill('A1'), 'lost', 'x') $$, 'UB412', 'a bill that is paid is not written off'),
	($$ SELECT elecbill.write_off_approve(pg_temp.bill('A1')) $$, 'UB412', 'nobody asked that bill ' || pg_temp.bill('A1') || ' is written off'),
	($$ SELECT elecbill.channel_statement_import('PAY', 'cash', '') $$, 'UB400', 'a statement needs a channel and a file')
	) AS x(statement, state, message);
SELECT public.work_for('lin') \g /dev/null
SELECT throws_ok($$ SELECT elecbill.payment_reverse('alipay:T1', 'why', 'x') $$, 'UB412', 'a payment of which money goes back is not reversed',
	'money goes back once');
SELECT throws_ok($$ SELECT elecbill.refund_approve((SELECT number FROM moved)) $$, 'UB422', 'there is not so much left of the payment',
	'credit that paid a bill does not go back');
SELECT throws_ok(format('SELECT elecbill.payment_reverse(%L, %L, %L)', p.receipt_no, 'why', 'z'), 'UB422', 'the advance credit that this brought is used up',
	'nor is a payment taken back whose credit is gone') FROM elecbill.payment p WHERE p.idem_key = 'c4';
SELECT is_empty('SELECT * FROM elecbill.fsck()', 'all is in order in the end');
SELECT * FROM finish();
