-- 79_money_view.sql: money for people: till and channels by day, the books, what an account owes

CREATE VIEW elecbill.cash_book WITH (security_invoker = true) AS
SELECT o.code AS org, m.day, m.at, m.operator, m.receipt, m.account_no, m.kind, m.taken, m.paid_out,
	sum(m.taken - m.paid_out) OVER (PARTITION BY m.org_id ORDER BY m.id) AS balance
FROM (
	SELECT t.org_id, t.effective_on AS day, min(t.id) AS id, min(t.created_at) AS at, t.created_by AS operator,
		p.receipt_no AS receipt, a.account_no, k.kind,
		coalesce(sum(t.amount) FILTER (WHERE t.debit_id = l.id), 0) AS taken,
		coalesce(sum(t.amount) FILTER (WHERE t.credit_id = l.id), 0) AS paid_out
	FROM elecbill.ledger_account l
	JOIN elecbill.ledger_transfer t ON t.debit_id = l.id OR t.credit_id = l.id
	LEFT JOIN elecbill.payment p ON p.id = t.payment_id
	LEFT JOIN elecbill.customer_account a ON a.id = p.account_id
	CROSS JOIN LATERAL (SELECT CASE WHEN t.kind IN ('advance', 'payment_fee') THEN 'payment' ELSE t.kind END) AS k(kind)
	WHERE l.code = 'cash' AND t.stage IN ('single', 'post')
	-- a payment that is split over bills and late fees is one row, each refund of it another; what is booked by hand has no payment
	GROUP BY t.org_id, t.effective_on, CASE WHEN t.payment_id IS NULL OR k.kind = 'payout' THEN -t.id ELSE t.payment_id END, t.created_by,
		p.receipt_no, a.account_no, k.kind) AS m
JOIN elecbill.org o ON o.id = m.org_id;
COMMENT ON VIEW elecbill.cash_book IS 'cash that came in and went out, a row per receipt; its balance is that of the ledger account cash';
COMMENT ON COLUMN elecbill.cash_book.org IS 'code of the org';
COMMENT ON COLUMN elecbill.cash_book.day IS 'local day';
COMMENT ON COLUMN elecbill.cash_book.at IS 'when it was booked';
COMMENT ON COLUMN elecbill.cash_book.operator IS 'login of who booked it';
COMMENT ON COLUMN elecbill.cash_book.receipt IS 'number of the receipt';
COMMENT ON COLUMN elecbill.cash_book.account_no IS 'account number';
COMMENT ON COLUMN elecbill.cash_book.kind IS 'payment, payout (a refund), reversal, manual';
COMMENT ON COLUMN elecbill.cash_book.taken IS 'cash in, in the currency of the org';
COMMENT ON COLUMN elecbill.cash_book.paid_out IS 'cash out';
COMMENT ON COLUMN elecbill.cash_book.balance IS 'cash there afterwards';

CREATE VIEW elecbill.cashier_shift_total WITH (security_invoker = true) AS
SELECT o.code AS org, (s.opened_at AT TIME ZONE o.zone)::date AS day, s.operator, s.opened_at, s.closed_at, s.float_amount,
	p.receipts, p.taken, p.reversed, r.paid_out, coalesce(s.expected, s.float_amount + p.taken - p.reversed - r.paid_out) AS expected,
	s.counted, s.difference
FROM elecbill.cashier_shift s
JOIN elecbill.org o ON o.id = s.org_id
CROSS JOIN LATERAL (
	SELECT count(*) AS receipts, coalesce(sum(x.amount), 0) AS taken,
		coalesce(sum(x.amount) FILTER (WHERE x.state = 'reversed'), 0) AS reversed
	FROM elecbill.payment x WHERE x.shift_id = s.id) AS p
CROSS JOIN LATERAL (
	SELECT coalesce(sum(x.amount), 0) AS paid_out FROM elecbill.refund x WHERE x.shift_id = s.id) AS r;
COMMENT ON VIEW elecbill.cashier_shift_total IS 'each shift of a cashier: what was taken, what should be in the till, what was counted';
COMMENT ON COLUMN elecbill.cashier_shift_total.org IS 'code of the org';
COMMENT ON COLUMN elecbill.cashier_shift_total.day IS 'local day on which it was opened';
COMMENT ON COLUMN elecbill.cashier_shift_total.operator IS 'login of the cashier';
COMMENT ON COLUMN elecbill.cashier_shift_total.opened_at IS 'when it was opened';
COMMENT ON COLUMN elecbill.cashier_shift_total.closed_at IS 'when it was counted; NULL: open';
COMMENT ON COLUMN elecbill.cashier_shift_total.float_amount IS 'change in the till at the beginning';
COMMENT ON COLUMN elecbill.cashier_shift_total.receipts IS 'how many payments';
COMMENT ON COLUMN elecbill.cashier_shift_total.taken IS 'cash taken, in the currency of the org';
COMMENT ON COLUMN elecbill.cashier_shift_total.reversed IS 'cash of payments that were taken back since';
COMMENT ON COLUMN elecbill.cashier_shift_total.paid_out IS 'cash paid back';
COMMENT ON COLUMN elecbill.cashier_shift_total.expected IS 'what should be in the till, as of its closing';
COMMENT ON COLUMN elecbill.cashier_shift_total.counted IS 'what was in it';
COMMENT ON COLUMN elecbill.cashier_shift_total.difference IS 'counted less expected';

CREATE VIEW elecbill.channel_reconciliation WITH (security_invoker = true) AS
SELECT o.code AS org, x.channel, x.day, count(x.booked) AS booked_n, coalesce(sum(x.booked), 0) AS booked,
	count(x.stated) AS stated_n, coalesce(sum(x.stated), 0) AS stated,
	count(*) FILTER (WHERE x.stated IS NULL) AS only_booked, count(*) FILTER (WHERE x.booked IS NULL) AS only_stated,
	count(*) FILTER (WHERE x.booked <> x.stated) AS differing, count(*) FILTER (WHERE x.state IN ('unmatched', 'mismatch')) AS suspense,
	coalesce(sum(x.stated), 0) - coalesce(sum(x.booked), 0) AS difference
FROM (
	SELECT coalesce(p.org_id, s.org_id) AS org_id, coalesce(p.channel, s.channel) AS channel, p.amount AS booked, s.amount AS stated,
		p.state, (coalesce(s.paid_at, p.paid_at) AT TIME ZONE g.zone)::date AS day
	FROM (SELECT * FROM elecbill.payment y WHERE y.channel_txn IS NOT NULL) AS p
	FULL JOIN elecbill.channel_statement_row s ON s.org_id = p.org_id AND s.channel = p.channel AND s.channel_txn = p.channel_txn
	JOIN elecbill.org g ON g.id = coalesce(p.org_id, s.org_id)) AS x
JOIN elecbill.org o ON o.id = x.org_id
GROUP BY o.code, x.channel, x.day;
COMMENT ON VIEW elecbill.channel_reconciliation IS 'what each channel says it took on a local day against what is booked; all is well where difference, differing and both only_ are 0';
COMMENT ON COLUMN elecbill.channel_reconciliation.org IS 'code of the org';
COMMENT ON COLUMN elecbill.channel_reconciliation.channel IS 'the channel';
COMMENT ON COLUMN elecbill.channel_reconciliation.day IS 'local day of the payments';
COMMENT ON COLUMN elecbill.channel_reconciliation.booked_n IS 'payments booked';
COMMENT ON COLUMN elecbill.channel_reconciliation.booked IS 'their sum, in the currency of the org';
COMMENT ON COLUMN elecbill.channel_reconciliation.stated_n IS 'payments on statements';
COMMENT ON COLUMN elecbill.channel_reconciliation.stated IS 'their sum';
COMMENT ON COLUMN elecbill.channel_reconciliation.only_booked IS 'payments that no statement has, or not yet';
COMMENT ON COLUMN elecbill.channel_reconciliation.only_stated IS 'payments of a statement that are not booked';
COMMENT ON COLUMN elecbill.channel_reconciliation.differing IS 'payments booked with another amount';
COMMENT ON COLUMN elecbill.channel_reconciliation.suspense IS 'payments held in suspense';
COMMENT ON COLUMN elecbill.channel_reconciliation.difference IS 'stated less booked';

CREATE VIEW elecbill.trial_balance WITH (security_invoker = true) AS
SELECT o.code AS org, p.month, s.code, s.kind, p.status, s.debit, s.credit,
	sum(s.debit - s.credit) OVER (PARTITION BY s.org_id, s.code ORDER BY p.month) AS balance
FROM (
	SELECT t.org_id, t.period_id, g.code, l.kind,
		coalesce(sum(t.amount) FILTER (WHERE l.id = t.debit_id), 0) AS debit,
		coalesce(sum(t.amount) FILTER (WHERE l.id = t.credit_id), 0) AS credit
	FROM elecbill.ledger_transfer t
	CROSS JOIN LATERAL (VALUES (t.debit_id), (t.credit_id)) AS side(id)
	JOIN elecbill.ledger_account l ON l.id = side.id
	CROSS JOIN LATERAL (SELECT CASE WHEN l.account_id IS NULL THEN l.code ELSE split_part(l.code, ':', 1) END) AS g(code)
	WHERE t.stage IN ('single', 'post')
	GROUP BY t.org_id, t.period_id, g.code, l.kind) AS s
JOIN elecbill.accounting_period p ON p.id = s.period_id
JOIN elecbill.org o ON o.id = s.org_id;
COMMENT ON VIEW elecbill.trial_balance IS
'what each account of the books moved in each month; customers'' accounts together. Debits and credits of a month are equal, and the balances of a month add up to 0';
COMMENT ON COLUMN elecbill.trial_balance.org IS 'code of the org';
COMMENT ON COLUMN elecbill.trial_balance.month IS 'first local day of the month';
COMMENT ON COLUMN elecbill.trial_balance.code IS 'code of the ledger account; receivable, advance, deposit: of all customers';
COMMENT ON COLUMN elecbill.trial_balance.kind IS 'asset, liability, income or expense';
COMMENT ON COLUMN elecbill.trial_balance.status IS 'open, or closed: the month does not change any more';
COMMENT ON COLUMN elecbill.trial_balance.debit IS 'debits of the month';
COMMENT ON COLUMN elecbill.trial_balance.credit IS 'credits of the month';
COMMENT ON COLUMN elecbill.trial_balance.balance IS 'debits less credits from the beginning to the end of the month; below 0: a credit balance';

CREATE VIEW elecbill.account_statement WITH (security_invoker = true) AS
SELECT o.code AS org, a.account_no, t.effective_on, t.created_at, split_part(l.code, ':', 1) AS book, t.kind, b.number AS bill,
	p.receipt_no AS receipt, CASE WHEN l.id = t.debit_id THEN t.amount END AS debit,
	CASE WHEN l.id = t.credit_id THEN t.amount END AS credit,
	sum(CASE WHEN l.id = t.debit_id THEN t.amount ELSE -t.amount END)
		OVER (PARTITION BY l.account_id ORDER BY t.id, l.id) AS balance, t.id AS transfer
FROM elecbill.ledger_account l
JOIN elecbill.ledger_transfer t ON t.debit_id = l.id OR t.credit_id = l.id
JOIN elecbill.customer_account a ON a.id = l.account_id
JOIN elecbill.org o ON o.id = l.org_id
LEFT JOIN elecbill.bill b ON b.id = t.bill_id
LEFT JOIN elecbill.payment p ON p.id = t.payment_id
WHERE t.stage IN ('single', 'post') AND split_part(l.code, ':', 1) IN ('receivable', 'advance');
COMMENT ON VIEW elecbill.account_statement IS
'what was booked on each customer account, in order, with what it owed afterwards; a bill paid from advance credit has a row on either side';
COMMENT ON COLUMN elecbill.account_statement.org IS 'code of the org';
COMMENT ON COLUMN elecbill.account_statement.account_no IS 'account number';
COMMENT ON COLUMN elecbill.account_statement.effective_on IS 'local day it counts from';
COMMENT ON COLUMN elecbill.account_statement.created_at IS 'when it was booked';
COMMENT ON COLUMN elecbill.account_statement.book IS 'receivable (bills) or advance (credit)';
COMMENT ON COLUMN elecbill.account_statement.kind IS 'why; label() has the words';
COMMENT ON COLUMN elecbill.account_statement.bill IS 'number of the bill it is about';
COMMENT ON COLUMN elecbill.account_statement.receipt IS 'receipt of the payment it is about';
COMMENT ON COLUMN elecbill.account_statement.debit IS 'what the customer owes more, in the currency of the org';
COMMENT ON COLUMN elecbill.account_statement.credit IS 'what the customer owes less';
COMMENT ON COLUMN elecbill.account_statement.balance IS 'what the customer owed afterwards; below 0: credit';
COMMENT ON COLUMN elecbill.account_statement.transfer IS 'number of the transfer';

CREATE VIEW elecbill.account_money WITH (security_invoker = true) AS
SELECT o.code AS org, a.account_no, a.id AS account_id, a.org_id, m.receivable, m.advance, m.deposit,
	m.receivable - m.advance AS balance, m.announced
FROM elecbill.customer_account a
JOIN elecbill.org o ON o.id = a.org_id
CROSS JOIN LATERAL (
	SELECT coalesce(sum(b.debit - b.credit) FILTER (WHERE split_part(l.code, ':', 1) = 'receivable'), 0) AS receivable,
		coalesce(sum(b.credit - b.debit) FILTER (WHERE split_part(l.code, ':', 1) = 'advance'), 0) AS advance,
		coalesce(sum(b.credit - b.debit) FILTER (WHERE split_part(l.code, ':', 1) = 'deposit'), 0) AS deposit,
		coalesce(sum(b.pending_credit) FILTER (WHERE split_part(l.code, ':', 1) = 'receivable'), 0) AS announced
	FROM elecbill.ledger_account l JOIN elecbill.account_balance b ON b.ledger_account_id = l.id
	WHERE l.account_id = a.id) AS m;
COMMENT ON VIEW elecbill.account_money IS 'what each customer account owes and has to its credit now, from the balances of the ledger';
COMMENT ON COLUMN elecbill.account_money.org IS 'code of the org';
COMMENT ON COLUMN elecbill.account_money.account_no IS 'account number';
COMMENT ON COLUMN elecbill.account_money.account_id IS 'internal key of the account';
COMMENT ON COLUMN elecbill.account_money.org_id IS 'internal key of the org';
COMMENT ON COLUMN elecbill.account_money.receivable IS 'open bills, in the currency of the org';
COMMENT ON COLUMN elecbill.account_money.advance IS 'advance credit';
COMMENT ON COLUMN elecbill.account_money.deposit IS 'deposit';
COMMENT ON COLUMN elecbill.account_money.balance IS 'what is to be paid: open bills less advance credit; below 0: credit';
COMMENT ON COLUMN elecbill.account_money.announced IS 'what payment orders that are not over may still bring';
