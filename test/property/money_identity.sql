-- money_identity.sql: what the books of org PAY must say, from bills, payments, refunds and late fees alone
-- No transfer is trusted: each book is worked out from the rows that it is about. A row per identity that fails.
-- What was booked by hand has no other row than its transfer: the books leave it out, and it is added where it counts.
WITH books AS (
	SELECT split_part(l.code, ':', 1) AS book, l.code, l.account_id, sum(m.amount) AS balance
	FROM elecbill.ledger_transfer t
	CROSS JOIN LATERAL (VALUES (t.debit_id, t.amount), (t.credit_id, -t.amount)) AS m(id, amount)
	JOIN elecbill.ledger_account l ON l.id = m.id
	WHERE t.stage IN ('single', 'post') AND t.kind <> 'manual' GROUP BY l.code, l.account_id
), by_hand AS (
	SELECT l.code, l.account_id, sum(m.amount) AS balance
	FROM elecbill.ledger_transfer t
	CROSS JOIN LATERAL (VALUES (t.debit_id, -t.amount), (t.credit_id, t.amount)) AS m(id, amount)
	JOIN elecbill.ledger_account l ON l.id = m.id AND l.account_id IS NOT NULL
	WHERE t.stage IN ('single', 'post') AND t.kind = 'manual' GROUP BY l.code, l.account_id
), bills AS (
	SELECT b.*, b.status = 'written_off' AS given_up, coalesce(f.posted, 0) AS fees,
		coalesce((SELECT sum(w.amount) FROM elecbill.bill_write_off w WHERE w.bill_id = b.id AND w.state = 'approved'), 0) AS gone
	FROM elecbill.bill b LEFT JOIN elecbill.late_fee_accrual f ON f.bill_id = b.id
	WHERE b.number IS NOT NULL AND b.live
), accounts AS (
	SELECT a.id, a.account_no,
		coalesce((SELECT sum(b.amount - b.paid + b.late_fee) FROM bills b WHERE b.account_id = a.id AND NOT b.given_up), 0) AS owed,
		coalesce((SELECT sum(b.amount + b.fees - b.gone) FROM bills b WHERE b.account_id = a.id), 0) AS charged,
		coalesce((SELECT sum(p.amount) FROM elecbill.payment p WHERE p.account_id = a.id AND p.state = 'posted'), 0)
			+ coalesce((SELECT sum(i.amount) FROM elecbill.opening_item i WHERE i.account_id = a.id AND i.kind IN ('advance', 'deposit')), 0) AS came,
		coalesce((SELECT sum(r.amount) FROM elecbill.refund r JOIN elecbill.payment p ON p.id = r.payment_id
			WHERE p.account_id = a.id AND r.target = 'channel' AND r.state IN ('approved', 'done')), 0) AS went,
		coalesce((SELECT sum(k.balance) FROM books k WHERE k.account_id = a.id AND k.book = 'receivable'), 0) AS receivable,
		-coalesce((SELECT sum(k.balance) FROM books k WHERE k.account_id = a.id AND k.book IN ('advance', 'deposit')), 0) AS credit,
		coalesce((SELECT sum(h.balance) FROM by_hand h WHERE h.account_id = a.id), 0) AS by_hand,
		coalesce((SELECT sum(x.debit - x.credit) FROM elecbill.account_balance x JOIN elecbill.ledger_account l
			ON l.id = x.ledger_account_id WHERE l.account_id = a.id), 0) AS kept
	FROM elecbill.customer_account a
), control AS (
	SELECT x.book, x.wanted, coalesce((SELECT sum(k.balance) FROM books k WHERE k.code = x.book), 0) AS balance
	FROM (SELECT CASE c.channel WHEN 'cash' THEN 'cash' WHEN 'bank' THEN 'bank' ELSE 'clearing:' || c.channel END AS book,
			coalesce((SELECT sum(p.amount) FROM elecbill.payment p WHERE p.channel = c.channel AND p.state <> 'reversed'), 0)
			- coalesce((SELECT sum(r.amount) FROM elecbill.refund r JOIN elecbill.payment p ON p.id = r.payment_id
				WHERE p.channel = c.channel AND r.target = 'channel' AND r.state = 'done'), 0) AS wanted
		FROM unnest('{cash,bank,pos,alipay,wechat,prepaid}'::text[]) AS c(channel)
	UNION ALL SELECT 'suspense', -coalesce((SELECT sum(p.amount) FROM elecbill.payment p WHERE p.state IN ('unmatched', 'mismatch')), 0)
	UNION ALL SELECT 'refund_due', -coalesce((SELECT sum(r.amount) FROM elecbill.refund r WHERE r.target = 'channel' AND r.state = 'approved'), 0)
	UNION ALL SELECT 'write_off', coalesce((SELECT sum(b.gone) FROM bills b), 0)
	UNION ALL SELECT 'late_fee', -coalesce((SELECT sum(b.fees) FROM bills b), 0)
	UNION ALL SELECT 'output_tax', -coalesce((SELECT sum(b.tax_amount) FROM bills b), 0)
	UNION ALL SELECT 'opening', coalesce((SELECT sum(i.amount) FROM elecbill.opening_item i WHERE i.kind IN ('advance', 'deposit')), 0)
		- coalesce((SELECT sum(b.amount) FROM bills b WHERE b.kind = 'opening'), 0)
	UNION ALL SELECT 'revenue', -coalesce((SELECT sum(b.amount - b.tax_amount) FROM bills b WHERE b.kind <> 'opening'), 0)) AS x
)
SELECT format('%s: receivable %s, its bills are open over %s', a.account_no, a.receivable, a.owed)
FROM accounts a WHERE a.receivable <> a.owed
UNION ALL
SELECT format('%s: owes %s and has %s ahead; was charged %s, paid %s, got back %s', a.account_no, a.receivable, a.credit, a.charged, a.came, a.went)
FROM accounts a WHERE a.receivable - a.credit <> a.charged - a.came + a.went
UNION ALL
SELECT format('%s: balances of %s, transfers say %s', a.account_no, a.kept, a.receivable - a.credit - a.by_hand) FROM accounts a
WHERE a.kept <> a.receivable - a.credit - a.by_hand
UNION ALL
SELECT format('%s: %s of it that is not there', l.code, x.credit) FROM elecbill.ledger_account l
CROSS JOIN LATERAL (SELECT coalesce((SELECT sum(h.balance) FROM by_hand h WHERE h.code = l.code), 0)
	- coalesce((SELECT sum(k.balance) FROM books k WHERE k.code = l.code), 0) AS credit) AS x
WHERE split_part(l.code, ':', 1) IN ('advance', 'deposit') AND x.credit < 0
UNION ALL
SELECT format('%s: balance %s, should be %s', c.book, c.balance, c.wanted) FROM control c WHERE c.balance <> c.wanted
UNION ALL
-- what people are shown
SELECT format('%s: owes %s and has %s ahead; shown are %s and %s, arrears of %s, statements end with %s and %s', a.account_no, a.owed,
	s.advance, m.receivable, m.advance, g.total, t.balance, u.balance)
FROM accounts a
CROSS JOIN LATERAL (SELECT coalesce(sum(x.credit - x.debit), 0) AS advance FROM elecbill.account_balance x
	JOIN elecbill.ledger_account l ON l.id = x.ledger_account_id WHERE l.code = 'advance:' || a.account_no) AS s
JOIN elecbill.account_money m ON m.account_id = a.id
LEFT JOIN elecbill.arrears_aging g ON g.account_no = a.account_no
LEFT JOIN LATERAL (SELECT y.balance FROM elecbill.account_statement y WHERE y.account_no = a.account_no 
	ORDER BY y.transfer DESC, (SELECT l.id FROM elecbill.ledger_account l WHERE l.code = y.book || ':' || a.account_no) DESC LIMIT 1) AS t ON true
CROSS JOIN LATERAL (SELECT y.balance FROM elecbill.statement('PAY/' || a.account_no, '2100-01-01') AS y WHERE y.n = 0) AS u
WHERE (m.receivable, m.advance, m.balance, coalesce(g.total, 0), u.balance) IS DISTINCT FROM (a.owed, s.advance, a.owed - s.advance, a.owed, a.owed - s.advance)
	OR coalesce(t.balance, 0) <> a.owed - s.advance
UNION ALL
SELECT format('trial balance of %s: %s, %s', t.month, sum(t.debit - t.credit), sum(t.balance)) FROM elecbill.trial_balance t
GROUP BY t.month HAVING sum(t.debit) <> sum(t.credit)
UNION ALL
SELECT format('bill %s: %s, paid %s of %s, late fee %s', b.number, b.status, b.paid, b.amount, b.late_fee) FROM bills b
WHERE b.paid NOT BETWEEN least(b.amount, 0) AND greatest(b.amount, 0) OR b.late_fee < 0
	OR b.status = 'paid' AND b.paid <> b.amount OR b.status = 'issued' AND b.paid <> 0 OR b.given_up AND b.late_fee <> 0
	OR b.status IN ('issued', 'partly_paid', 'overdue') AND b.paid = b.amount AND b.amount <> 0
UNION ALL
SELECT format('order %s: %s, paid %s of %s, refunded %s', o.number, o.status, o.paid, o.amount, o.refunded) FROM elecbill.payment_order o
WHERE o.paid <> coalesce((SELECT sum(p.amount) FROM elecbill.payment p WHERE p.order_id = o.id AND p.in_time AND p.state = 'posted'), 0)
	OR o.refunded <> coalesce((SELECT sum(r.amount) FROM elecbill.refund r JOIN elecbill.payment p ON p.id = r.payment_id
		WHERE p.order_id = o.id AND p.in_time AND r.target = 'channel' AND r.state IN ('approved', 'done')), 0)
UNION ALL
SELECT format('%s is announced, open orders come to %s', coalesce(sum(x.pending_credit), 0), o.amount)
FROM elecbill.account_balance x JOIN elecbill.ledger_account l ON l.id = x.ledger_account_id AND l.code LIKE 'receivable:%'
CROSS JOIN (SELECT coalesce(sum(y.amount), 0) AS amount FROM elecbill.payment_order y
	WHERE y.status IN ('created', 'pending')) AS o
GROUP BY o.amount HAVING coalesce(sum(x.pending_credit), 0) <> o.amount
UNION ALL
SELECT format('cash of %s, the tills should hold %s', k.balance, t.expected)
FROM (SELECT coalesce(sum(b.balance), 0) AS balance FROM books b WHERE b.code = 'cash') AS k,
	-- a shift that is counted stays as it was; what is taken back later is missing in the books alone
	(SELECT sum(s.expected - s.float_amount - coalesce((SELECT sum(p.amount) FROM elecbill.payment p JOIN elecbill.payment_reversal r
			ON r.payment_id = p.id JOIN elecbill.cashier_shift c ON c.id = p.shift_id
			WHERE c.operator = s.operator AND c.opened_at = s.opened_at AND r.at > s.closed_at), 0)) AS expected
		FROM elecbill.cashier_shift_total s) AS t
WHERE k.balance <> t.expected
