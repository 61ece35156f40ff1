-- retry_check.sql: what was lost and what is twice, in plain SQL; no row when all is well
-- psql -v homes=N; :told is all that the clients were answered: what, key, answer
\set ON_ERROR_STOP 1
CREATE TEMP TABLE told (what text NOT NULL, key text NOT NULL, answer text NOT NULL);
\copy told FROM pstdin
-- what a client was told is there
SELECT 'lost', t.* FROM told t
WHERE NOT CASE t.what
	WHEN 'acked' THEN t.answer = format('%s 0 0', :homes * 3) AND (SELECT max(c.acked_seq) FROM elecbill.collector c) >= t.key::bigint
	WHEN 'rated' THEN EXISTS (SELECT FROM elecbill.bill_run r WHERE r.id = t.key::bigint AND r.status NOT IN ('new', 'rating'))
	WHEN 'issued' THEN EXISTS (SELECT FROM elecbill.bill_run r WHERE r.id = t.key::bigint AND r.status = 'done')
	WHEN 'receipt' THEN EXISTS (SELECT FROM elecbill.payment p WHERE (p.idem_key, p.receipt_no) = (t.key, t.answer))
	WHEN 'order' THEN EXISTS (SELECT FROM elecbill.payment_order o WHERE (o.idem_key, o.number) = (t.key, t.answer))
	WHEN 'confirm' THEN EXISTS (SELECT FROM elecbill.payment p WHERE p.channel_txn = t.key)
	ELSE false END;
SELECT 'answered otherwise', t.what, t.key, string_agg(DISTINCT t.answer, ', ') FROM told t
GROUP BY t.what, t.key
HAVING CASE t.what WHEN 'confirm' THEN count(*) FILTER (WHERE t.answer <> 'exists') > 1 ELSE count(DISTINCT t.answer) > 1 END;
-- a batch is there as a whole or not at all, and as far as it was acknowledged
SELECT 'readings', c.acked_seq, count(r.seq), count(DISTINCT r.seq), max(r.seq)
FROM elecbill.collector c LEFT JOIN elecbill.reading r ON r.collector_id = c.id
GROUP BY c.id
HAVING c.acked_seq % (:homes * 3) <> 0
	OR (count(r.seq), count(DISTINCT r.seq), coalesce(max(r.seq), 0)) <> (c.acked_seq, c.acked_seq, c.acked_seq);
SELECT 'conflicts', count(*) FROM elecbill.reading_conflict HAVING count(*) > 0;
SELECT 'inbox', count(*) FROM elecbill.reading_inbox HAVING count(*) > 0;
-- one run a month, one bill of an account in it, booked once when it is issued and else not at all
SELECT 'runs', r.period, count(*) FROM elecbill.bill_run r GROUP BY r.period HAVING count(*) > 1;
SELECT 'bills', b.account_id, b.service, count(*) FROM elecbill.bill b GROUP BY b.account_id, b.service HAVING count(*) > 1;
SELECT 'left out', r.run_id, r.no, b.account_id FROM elecbill.bill_run_batch r
JOIN elecbill.bill b ON b.run_id = r.run_id AND b.account_id = ANY (r.account_ids) WHERE r.issue_state = 'done' AND b.status = 'draft';
SELECT 'booked', b.id, b.status, b.amount, sum(t.amount) FROM elecbill.bill b
LEFT JOIN elecbill.ledger_transfer t ON t.bill_id = b.id AND t.kind IN ('issue', 'tax')
GROUP BY b.id HAVING coalesce(sum(t.amount), 0) <> CASE b.status WHEN 'draft' THEN 0 ELSE b.amount END;
SELECT 'paid', b.id, b.paid, sum(t.amount) FROM elecbill.bill b
LEFT JOIN elecbill.ledger_transfer t ON t.bill_id = b.id AND t.kind IN ('payment', 'apply')
GROUP BY b.id HAVING coalesce(sum(t.amount), 0) <> b.paid;
-- a key pays once, and the whole of it is booked
SELECT 'payments', p.idem_key, count(*) FROM elecbill.payment p GROUP BY p.idem_key HAVING count(*) > 1;
SELECT 'orders', o.idem_key, count(*) FROM elecbill.payment_order o GROUP BY o.idem_key HAVING count(*) > 1;
SELECT 'payment', p.idem_key, p.amount, sum(t.amount) FROM elecbill.payment p LEFT JOIN elecbill.ledger_transfer t ON t.payment_id = p.id
GROUP BY p.id HAVING coalesce(sum(t.amount), 0) <> p.amount;
SELECT 'order', o.idem_key, o.status, o.paid, sum(p.amount) FROM elecbill.payment_order o LEFT JOIN elecbill.payment p ON p.order_id = o.id
GROUP BY o.id HAVING coalesce(sum(p.amount), 0) <> o.paid OR o.paid <> CASE o.status WHEN 'paid' THEN o.amount ELSE 0 END;
SELECT 'balance', l.code, b.debit, b.credit, b.version, s.*
FROM elecbill.ledger_account l
LEFT JOIN elecbill.account_balance b ON b.ledger_account_id = l.id,
	LATERAL (SELECT coalesce(sum(t.amount) FILTER (WHERE t.debit_id = l.id AND t.stage IN ('single', 'post')), 0) AS debit,
			coalesce(sum(t.amount) FILTER (WHERE t.credit_id = l.id AND t.stage IN ('single', 'post')), 0) AS credit
		FROM elecbill.ledger_transfer t WHERE l.id IN (t.debit_id, t.credit_id)) AS s
WHERE l.account_id IS NOT NULL AND (coalesce(b.debit, 0), coalesce(b.credit, 0)) <> (s.debit, s.credit);
-- numbers have no gap: as many as the counter has given, and none twice
SELECT 'numbers', coalesce(n.kind, c.kind), n.there, n.known, n.highest, c.last
FROM (SELECT x.kind, count(*) AS there, count(DISTINCT x.no) AS known, max(x.no) AS highest, x.year
	FROM (SELECT 'bill' AS kind, b.number FROM elecbill.bill b
		UNION ALL SELECT 'receipt', p.receipt_no FROM elecbill.payment p
		UNION ALL SELECT 'order', o.number FROM elecbill.payment_order o) AS u,
		LATERAL (SELECT u.kind, right(split_part(u.number, '-', 1), 4)::integer AS year, split_part(u.number, '-', 2)::bigint AS no) AS x
	WHERE u.number IS NOT NULL GROUP BY x.kind, x.year) AS n
FULL JOIN elecbill.number_counter c ON (c.kind, c.year) = (n.kind, n.year)
WHERE (n.there, n.known, n.highest, n.there) IS DISTINCT FROM (c.last, c.last, c.last, c.last);
