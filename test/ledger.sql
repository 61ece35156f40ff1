-- ledger.sql: the books: transfers, months, balances, and what fsck() says when they are tampered with
\set ON_ERROR_STOP 1
SET client_min_messages = warning;
\set homes 6
SELECT current_user AS owner \gset
\getenv super PGSUPERUSER
-- what an invariant says when a superuser breaks it behind the back of all guards
\c - :super
SET client_min_messages = warning;
CREATE FUNCTION public.broken(statement text, org text DEFAULT NULL, since date DEFAULT NULL) RETURNS SETOF text LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	found text;
BEGIN
	SET LOCAL session_replication_role = replica;
	EXECUTE statement;
	SELECT string_agg(DISTINCT f.invariant, ',' ORDER BY f.invariant) INTO found FROM elecbill.fsck(org, since) AS f;
	RAISE EXCEPTION USING ERRCODE = 'UB000', MESSAGE = coalesce(found, 'nothing');
EXCEPTION WHEN SQLSTATE 'UB000' THEN
	RETURN NEXT SQLERRM;
END $$;
\c - :owner
SET client_min_messages = warning;
SET elecbill.clock_override = '2025-02-03 10:00:00+08';
\o /dev/null
\ir payment/estate.sql
SELECT elecbill.payment_policy_set('PAY', 'over');
SELECT elecbill.cashier_shift_open('PAY');
\o
SELECT plan(101);

CREATE FUNCTION pg_temp.bill(account text) RETURNS text LANGUAGE sql AS $$
	SELECT b.number FROM elecbill.bill b JOIN elecbill.customer_account a ON a.id = b.account_id
	WHERE a.account_no = $1 AND b.number IS NOT NULL ORDER BY b.id DESC LIMIT 1 $$;
CREATE FUNCTION pg_temp.money(account text) RETURNS text LANGUAGE sql AS $$
	SELECT m.receivable || ' owed, ' || m.advance || ' ahead' FROM elecbill.account_money m WHERE m.account_no = $1 $$;
CREATE FUNCTION pg_temp.book(code text) RETURNS numeric LANGUAGE sql AS $$
	SELECT coalesce(sum(t.debit - t.credit), 0) FROM elecbill.trial_balance t WHERE t.code = $1 $$;
CREATE FUNCTION pg_temp.transfers() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM elecbill.ledger_transfer';

-- ---------------------------------------------------------------- bills in the books

SELECT is(pg_temp.book('receivable') || ' ' || pg_temp.book('revenue'), '1200.00 -1200.00', 'issuing books what is owed as revenue');
SELECT is(pg_temp.money('A3'), '300.00 owed, 0 ahead', 'on the account of each customer');
SELECT results_eq($$ SELECT kind, bill, debit, credit, balance FROM elecbill.account_statement WHERE account_no = 'A3' $$,
	$$ SELECT 'issue', pg_temp.bill('A3'), 300.00, NULL::numeric, 300.00 $$, 'and on its statement');
SELECT is_empty($$ SELECT month FROM elecbill.trial_balance GROUP BY month HAVING sum(debit) <> sum(credit) OR sum(balance) <> 0 $$,
	'debits and credits of every month are equal');

-- ---------------------------------------------------------------- a transfer by hand

SELECT is(elecbill.post_transfer('PAY', 't1', 'bank', 'deposit:A1', 50, '2025-02-03'), pg_temp.transfers(), 'a deposit is booked by hand');
SELECT is(elecbill.post_transfer('PAY', 't1', 'bank', 'deposit:A1', 50.00, '2025-02-03'), pg_temp.transfers(), 'the same key answers the same');
SELECT is((SELECT deposit FROM elecbill.account_money WHERE account_no = 'A1'), 50.00, 'and books once');
SELECT throws_ok($$ SELECT elecbill.post_transfer('PAY', 't1', 'bank', 'deposit:A1', 51, '2025-02-03') $$, 'UB409', 'the key was used for something else', 'the key belongs to its amount');
SELECT throws_ok($$ SELECT elecbill.post_transfer('PAY', 't1', 'bank', 'deposit:A2', 50, '2025-02-03') $$, 'UB409', NULL, 'and to its accounts');
SELECT throws_ok($$ SELECT elecbill.post_transfer('PAY', 't2', 'bank', 'bank', 50, '2025-02-03') $$, 'UB400', 'a transfer needs two ledger accounts', 'two accounts are needed');
SELECT throws_ok($$ SELECT elecbill.post_transfer('PAY', 't2', 'bank', 'gold', 50, '2025-02-03') $$, 'UB404', 'there is no ledger account ''gold''', 'that exist');
SELECT throws_ok($$ SELECT elecbill.post_transfer('PAY', 't2', 'bank', 'deposit:A9', 50, '2025-02-03') $$, 'UB404', NULL, 'customers, too');
SELECT throws_ok($$ SELECT elecbill.post_transfer('PAY', 't2', 'bank', 'receivable:A1', 50, '2025-02-03') $$, 'UB400', 'what bills owe is not booked by hand',
	'a bill would not know that it is paid');
SELECT throws_ok($$ SELECT elecbill.post_transfer('PAY', 't2', 'receivable:A1', 'revenue', 50, '2025-02-03', true) $$, 'UB400', 'what bills owe is not booked by hand',
	'nor what else is owed');
SELECT throws_ok($$ SELECT elecbill.post_transfer('PAY', 't2', 'advance:A1', 'bank', 50, '2025-02-03') $$, 'UB422', '50 is more than there is of advance:A1',
	'nothing is taken of a credit that is not there');
SELECT throws_ok($$ SELECT elecbill.post_transfer('PAY', 't2', 'deposit:A1', 'bank', 50.01, '2025-02-03') $$, 'UB422', NULL, 'nor more than there is of a deposit');
SELECT elecbill.post_transfer('PAY', 't2a', 'deposit:A1', 'bank', 50, '2025-02-03', true) AS announced \gset
SELECT throws_ok($$ SELECT elecbill.post_transfer('PAY', 't2', 'deposit:A1', 'bank', 0.01, '2025-02-03') $$, 'UB422', NULL, 'what is announced is gone, too');
SELECT elecbill.pending_void('PAY', :announced, 't2b', '2025-02-03') \g /dev/null
SELECT throws_ok($$ SELECT elecbill.post_transfer('NOT', 't2', 'bank', 'cash', 50, '2025-02-03') $$, 'UB404', NULL, 'and the org');
SELECT throws_ok(format('SELECT elecbill.post_transfer(''PAY'', ''t2'', ''bank'', %L, 50, ''2025-02-03'')', x), 'UB404', format('there is no ledger account %L', x), x || ' is no account, and is not made')
FROM unnest('{cash:A1,receivable,clearing:gold}'::text[]) AS x;
SELECT throws_ok(format('SELECT elecbill.post_transfer(''PAY'', ''t2'', ''bank'', ''cash'', 50, %L)', x), 'UB400', 'a transfer needs a date and a key of 1 to 128 characters without blanks', x || ' is a slip of the pen')
FROM unnest('{2052-02-03,0225-02-03,5874897-12-31}'::date[]) AS x;
SELECT throws_ok($$ SELECT elecbill.post_transfer('PAY', 't2', 'bank', 'cash', 0, '2025-02-03') $$, 'UB422', NULL, 'nothing is no amount');
SELECT throws_ok($$ SELECT elecbill.post_transfer('PAY', 't2', 'bank', 'cash', 'NaN', '2025-02-03') $$, 'UB422', NULL, 'nor is NaN');
SELECT throws_ok($$ SELECT elecbill.post_transfer('PAY', 't2', 'bank', 'cash', 1, 'infinity') $$, 'UB400', 'a transfer needs a date and a key of 1 to 128 characters without blanks', 'a day is needed');
SELECT throws_ok($$ SELECT elecbill.post_transfer('PAY', NULL, 'bank', 'cash', 1, '2025-02-03') $$, 'UB400', 'a transfer needs a date and a key of 1 to 128 characters without blanks', 'and a key');
SELECT throws_ok($$ UPDATE elecbill.ledger_transfer SET amount = 1 $$, 'UB403', NULL, 'a transfer is not changed');
SELECT throws_ok($$ DELETE FROM elecbill.ledger_transfer $$, 'UB403', NULL, 'nor deleted');
SELECT throws_ok($$ TRUNCATE elecbill.ledger_transfer CASCADE $$, 'UB403', NULL, 'nor truncated');

-- ---------------------------------------------------------------- announced money

CREATE TEMP TABLE announced AS SELECT elecbill.post_transfer('PAY', 'p' || i, 'clearing:bank', 'advance:A2', 40, '2025-02-03', true) AS id
	FROM generate_series(1, 2) AS i;
SELECT is(pg_temp.money('A2'), '200.00 owed, 0.00 ahead', 'what is announced is not there yet');
SELECT throws_ok($$ SELECT elecbill.pending_post('PAY', min(id), 'q1', 40.01, '2025-02-03') FROM announced $$, 'UB422', '40.01 is more than was announced', 'more than was announced does not come');
SELECT lives_ok($$ SELECT elecbill.pending_post('PAY', min(id), 'q1', 30, '2025-02-03') FROM announced $$, 'less does');
SELECT lives_ok($$ SELECT elecbill.pending_post('PAY', min(id), 'q1', 30, '2025-02-03') FROM announced $$, 'however often it is said');
SELECT throws_ok($$ SELECT elecbill.pending_void('PAY', min(id), 'q2', '2025-02-03') FROM announced $$, 'UB412', 'the pending transfer is resolved already', 'then it is not given up any more');
SELECT lives_ok($$ SELECT elecbill.pending_void('PAY', max(id), 'q3', '2025-02-03') FROM announced $$, 'the other one is');
SELECT throws_ok($$ SELECT elecbill.pending_post('PAY', max(id), 'q4', 1, '2025-02-03') FROM announced $$, 'UB412', NULL, 'and does not come any more');
SELECT throws_ok($$ SELECT elecbill.pending_post('PAY', 1, 'q5', 1, '2025-02-03') $$, 'UB404', 'there is no pending transfer 1', 'what was not announced is not resolved');
SELECT throws_ok($$ SELECT elecbill._post_reverse(max(id), 'q6', '2025-02-03') FROM announced $$, 'UB412',
	'a transfer of stage pending is not reversed', 'nor is what never came taken back');
SELECT is(pg_temp.money('A2'), '200.00 owed, 30.00 ahead', '30.00 came');
SELECT is(elecbill.advance_apply('A2', 'u1'), 30.00, 'advance credit pays bills');
SELECT is(elecbill.advance_apply('A2', 'u1'), 30.00, 'once per key');
SELECT is(pg_temp.money('A2'), '170.00 owed, 0.00 ahead', 'and is gone');

-- ---------------------------------------------------------------- a bill is cancelled

SELECT is((elecbill.pay_bill(pg_temp.bill('A1'), 130, 'c1')).outcome, 'paid', 'a bill over 100.00 is paid with 130.00');
SELECT lives_ok($$ SELECT elecbill.cancel_bill(pg_temp.bill('A1'), 'wrong meter') $$, 'and cancelled');
SELECT is(pg_temp.money('A1'), '0.00 owed, 130.00 ahead', 'what was paid is advance credit');
SELECT throws_ok($$ SELECT elecbill._bill_settle(b.id, 1) FROM elecbill.bill b WHERE b.number = pg_temp.bill('A1') $$, 'UB412',
	'nothing is paid on a bill that is cancelled', 'and nothing sits on the bill any more');
SELECT lives_ok($$ SELECT elecbill.cancel_bill(pg_temp.bill('A2'), 'wrong meter') $$, 'a bill that credit paid a part of is cancelled, too');
SELECT is(pg_temp.money('A2'), '0.00 owed, 30.00 ahead', 'the credit is there again');
SELECT is_empty('SELECT * FROM elecbill.fsck()', 'and all is in order');

-- ---------------------------------------------------------------- credit pays the next bill

SET elecbill.clock_override = '2025-03-03 10:00:00+08';
SELECT elecbill.reading_add('PAY', 'M4', '1.8.0', '2025-03-01 00:00+08', 200 + 100) \g /dev/null
SELECT is(right(elecbill.payment_record_cash('A4', 120, NULL, 'h1'), 6), '000002', '120.00 for a bill over 100.00');
CALL elecbill.bill_month('PAY', 'MONTH', '2025-02');
SELECT is((SELECT status || ' ' || amount || ' ' || paid FROM elecbill.bill WHERE number = pg_temp.bill('A4')), 'partly_paid 50.00 20.00',
	'when the next bill is issued the credit is applied to it');
SELECT is(pg_temp.money('A4'), '30.00 owed, 0.00 ahead', 'and 30.00 are left to pay');

-- ---------------------------------------------------------------- late fees

SELECT lives_ok($$ SELECT elecbill._late_fee_post(b.id, 6, 'late:5', '2025-03-03') FROM elecbill.bill b WHERE b.number = pg_temp.bill('A5') $$,
	'a late fee of 6.00 is charged on a bill over 200.00');
SELECT lives_ok($$ SELECT elecbill._late_fee_post(b.id, 6, 'late:5', '2025-03-03') FROM elecbill.bill b WHERE b.number = pg_temp.bill('A5') $$,
	'the same key charges it once');
SELECT is(pg_temp.money('A5'), '206.00 owed, 0 ahead', 'it is owed, too');
SELECT is((elecbill.pay_bill(pg_temp.bill('A5'), 56, 'l1')).outcome, 'paid', '56.00 are paid');
SELECT is((SELECT paid || ' ' || late_fee FROM elecbill.bill WHERE number = pg_temp.bill('A5')), '50.00 0.00', 'the late fee first, then the bill');
SELECT is_empty('SELECT * FROM elecbill.fsck()', 'and all is in order');
SELECT lives_ok($$ SELECT elecbill.cancel_bill(pg_temp.bill('A5'), 'wrong meter') $$, 'when the bill is cancelled');
SELECT is(pg_temp.money('A5'), '0.00 owed, 56.00 ahead', 'its late fee goes with it');
SELECT is_empty('SELECT * FROM elecbill.fsck()', 'and all is in order');

-- ---------------------------------------------------------------- closing a month

SELECT throws_ok($$ SELECT elecbill.close_period('PAY', '2025-03-01') $$, 'UB412', '2025-03 is not over', 'a month that is not over is not closed');
SELECT throws_ok($$ SELECT elecbill.close_period('PAY', '2025-02-02') $$, 'UB400', 'a period is named by the first day of its month', 'nor what is no month');
SELECT throws_ok($$ SELECT elecbill.close_period('PAY', '0001-01-01') $$, 'UB422', 'nothing was booked or billed up to 0001-01', 'nor a month before there was anything');
SELECT throws_ok($$ SELECT elecbill.close_period('PAY', '2024-12-01') $$, 'UB422', 'nothing was booked or billed up to 2024-12', 'also the last of them');
SELECT is_empty($$ SELECT * FROM elecbill.accounting_period WHERE month < '2025-01-01' $$, 'which opens no books');
SET elecbill.clock_override = '2025-04-03 10:00:00+08';
SELECT throws_ok($$ SELECT elecbill.close_period('PAY', '2025-03-01') $$, 'UB412', 'an earlier period is open', 'months are closed in their order');
-- closing waits for whoever posts, who may have begun later
SET elecbill.clock_override = '2025-03-03 10:00:05+08';
SELECT isnt(elecbill.post_transfer('PAY', 't8', 'bank', 'deposit:A1', 1, '2025-02-27'), NULL, 'something is posted while February is being closed');
SET elecbill.clock_override = '2025-03-03 10:00:00+08';
SELECT lives_ok($$ SELECT elecbill.close_period('PAY', '2025-02-01') $$, 'February is closed');
SELECT lives_ok($$ SELECT elecbill.close_period('PAY', '2025-02-01') $$, 'closing it again does nothing');
SELECT is(elecbill.post_transfer('PAY', 't1', 'bank', 'deposit:A1', 50, '2025-02-03'), 7::bigint, 'a retry of what was booked in it answers as before');
SELECT lives_ok($$ SELECT elecbill.post_transfer('PAY', 't9', 'bank', 'deposit:A1', 5, '2025-02-28') $$, 'what comes late for it');
SELECT is((SELECT to_char(p.month, 'YYYY-MM') || ' for ' || t.effective_on FROM elecbill.ledger_transfer t
	JOIN elecbill.accounting_period p ON p.id = t.period_id ORDER BY t.id DESC LIMIT 1), '2025-03 for 2025-02-28', 'is booked in the next month, and keeps its day');
SELECT is((SELECT sum(debit) - sum(credit) FROM elecbill.ledger_snapshot), 0.00, 'what was closed is in balance');
SELECT is_empty('SELECT * FROM elecbill.fsck()', 'and all is in order');
SELECT is_empty($$ SELECT * FROM elecbill.fsck('PAY', '2025-03-03') $$, 'for a day, too');
SELECT elecbill.rebuild_derived() \g /dev/null
SELECT is_empty('SELECT * FROM elecbill.fsck()', 'balances are made anew from the transfers');

-- ---------------------------------------------------------------- tampering is seen

SELECT elecbill.org_create('TWO', 'Two', 'Asia/Shanghai', 'CNY') \g /dev/null
SELECT is(broken($$ UPDATE elecbill.ledger_transfer SET debit_id = 0 WHERE id = 3 $$), 'I01,I02,I03,I17,bill_booked', 'I01: a transfer without its debit');
SELECT is(broken($$ UPDATE elecbill.account_balance SET debit = debit + 1, credit = credit + 1
	WHERE ledger_account_id = (SELECT debit_id FROM elecbill.ledger_transfer WHERE id = 1) $$), 'I02', 'I02: a balance that is not the sum');
SELECT is(broken($$ UPDATE elecbill.account_balance SET version = version + 1
	WHERE ledger_account_id = (SELECT debit_id FROM elecbill.ledger_transfer WHERE id = 1) $$), 'I02', 'I02: a transfer that is not counted');
SELECT is(broken('DELETE FROM elecbill.account_balance', 'PAY'), 'I02', 'I02: balances that are gone, asked of their org');
SELECT is(broken('UPDATE elecbill.account_balance SET pending_debit = pending_debit + 1', 'TWO'), 'nothing', 'which is no fault of another org');
SELECT is(broken('UPDATE elecbill.account_balance SET pending_debit = pending_debit + 1', NULL, '2025-02-03'), 'I02', 'I02: since a day on which they were touched');
SELECT is(broken('UPDATE elecbill.account_balance SET pending_debit = pending_debit + 1', NULL, '2026-02-03'), 'nothing', 'since a later day nobody looks');
SELECT is(broken($$ UPDATE elecbill.ledger_transfer SET effective_on = effective_on - 1 WHERE id = 1 $$), 'I03', 'I03: a transfer that was changed');
SELECT is(broken($$ ALTER TABLE elecbill.ledger_transfer DISABLE TRIGGER ledger_transfer_keep $$), 'I03', 'I03: a guard that is off');
SELECT is(broken($$ ALTER TABLE elecbill.bill DISABLE TRIGGER bill_issue $$), 'I03', 'I03: also that of issuing');
SELECT is(broken($$ ALTER TABLE elecbill.audit_seal DISABLE TRIGGER audit_seal_keep $$), 'I03', 'I03: also that of the seals');
SELECT is(broken($$ DROP TRIGGER adjustment_keep ON elecbill.adjustment $$), 'I03', 'I03: or is gone');
SELECT is(broken($$ UPDATE elecbill.ledger_transfer SET debit_id = elecbill._ledger_account(org_id, 'receivable', (SELECT id FROM elecbill.customer_account
	WHERE account_no = 'A6')) WHERE id = (SELECT min(id) FROM elecbill.ledger_transfer WHERE kind = 'manual' AND stage = 'single') $$) LIKE '%bill_booked%', true,
	'money that is owed for no bill');
SELECT is(broken($$ UPDATE elecbill.account_balance b SET debit = credit + 1 FROM elecbill.ledger_account l
	WHERE l.id = b.ledger_account_id AND l.code = 'deposit:A1' $$), 'I02,overdrawn', 'a deposit of which more was taken than there was');
SELECT is(broken($$ UPDATE elecbill.bill SET paid = 1 WHERE id = 3 $$), 'I13', 'I13: a bill that is paid without a payment');
SELECT is(broken($$ UPDATE elecbill.payment_allocation SET amount = 99 WHERE payment_id = 2 $$), 'I13', 'I13: a payment that does not add up');
SELECT is(broken($$ ALTER TABLE elecbill.payment DROP CONSTRAINT payment_idem_key;
	UPDATE elecbill.payment SET idem_key = 'c1' $$), 'I14', 'I14: two effects of one key');
SELECT is(broken($$ UPDATE elecbill.ledger_transfer SET amount = 50 WHERE stage = 'post' $$), 'I02,I03,I15,I17', 'I15: more than was announced');
SELECT is(broken($$ UPDATE elecbill.ledger_transfer SET reverses_id = 3 WHERE reverses_id =
	(SELECT min(reverses_id) FROM elecbill.ledger_transfer WHERE kind = 'reversal') $$) LIKE '%I16%', true, 'I16: a reversal of something else');
SELECT is(broken($$ UPDATE elecbill.ledger_transfer SET period_id = (SELECT id FROM elecbill.accounting_period WHERE month = '2025-02-01')
	WHERE created_at >= '2025-03-01' $$), 'I17', 'I17: posted into a closed month');
SELECT is(broken($$ UPDATE elecbill.number_counter SET last = last + 1 WHERE kind = 'receipt' $$), 'I20', 'I20: a receipt is missing');
SELECT is(broken('SELECT'), 'nothing', 'untouched, nothing is found');
SELECT * FROM finish();
