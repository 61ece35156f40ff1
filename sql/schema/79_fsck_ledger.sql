-- 79_fsck_ledger.sql: what must be true of the books; worked out from transfers, bills and payments

CREATE FUNCTION elecbill._fsck_booked(p_org integer, p_since date)
RETURNS TABLE (bill_id bigint, charged numeric, settled numeric, given_up numeric, late_fee numeric)
LANGUAGE sql STABLE SET jit = off
BEGIN ATOMIC
	-- what a transfer undoes tells what it is about
	SELECT t.bill_id,
		coalesce(sum(x.owed) FILTER (WHERE k.kind IN ('issue', 'tax', 'opening')), 0),
		-coalesce(sum(x.owed) FILTER (WHERE k.kind IN ('payment', 'match', 'apply', 'credit', 'unapply', 'refund')), 0),
		-coalesce(sum(x.owed) FILTER (WHERE k.kind = 'write_off'), 0),
		coalesce(sum(x.owed) FILTER (WHERE k.kind = 'late_fee' OR k.kind LIKE '%\_fee'), 0)
	FROM elecbill.ledger_transfer t
	LEFT JOIN elecbill.ledger_transfer o ON o.id = t.reverses_id
	JOIN elecbill.ledger_account d ON d.id = t.debit_id
	JOIN elecbill.ledger_account c ON c.id = t.credit_id
	CROSS JOIN LATERAL (SELECT coalesce(o.kind, t.kind)) AS k(kind)
	CROSS JOIN LATERAL (SELECT CASE WHEN split_part(d.code, ':', 1) = 'receivable' THEN t.amount
		WHEN split_part(c.code, ':', 1) = 'receivable' THEN -t.amount END) AS x(owed)
	WHERE t.stage IN ('single', 'post') AND t.bill_id IN (
		SELECT n.bill_id FROM elecbill.ledger_transfer n
		WHERE (p_org IS NULL OR n.org_id = p_org) AND n.created_at >= elecbill._fsck_from(p_since))
	GROUP BY t.bill_id;
END;
COMMENT ON FUNCTION elecbill._fsck_booked(integer, date) IS
'what the transfers say of each bill: charged, settled (paid, less what was taken back), given up, open late fee';

CREATE FUNCTION elecbill._fsck_paid(p_org integer, p_since date)
RETURNS TABLE (payment_id bigint, came numeric, to_bills numeric, to_credit numeric, elsewhere numeric)
LANGUAGE sql STABLE SET jit = off
BEGIN ATOMIC
	SELECT t.payment_id,
		coalesce(sum(s.amount) FILTER (WHERE s.book IN ('cash', 'bank', 'clearing')
			AND t.kind <> 'payout'), 0),
		-coalesce(sum(s.amount) FILTER (WHERE s.book = 'receivable'), 0),
		-coalesce(sum(s.amount) FILTER (WHERE s.book = 'advance'), 0),
		-coalesce(sum(s.amount) FILTER (WHERE s.book IN ('suspense', 'refund_due') AND t.kind <> 'payout'), 0)
	FROM elecbill.ledger_transfer t
	CROSS JOIN LATERAL (VALUES (t.debit_id, t.amount), (t.credit_id, -t.amount)) AS m(id, amount)
	JOIN elecbill.ledger_account l ON l.id = m.id
	CROSS JOIN LATERAL (SELECT split_part(l.code, ':', 1), m.amount) AS s(book, amount)
	WHERE t.stage IN ('single', 'post') AND t.payment_id IN (
		SELECT n.payment_id FROM elecbill.ledger_transfer n
		WHERE (p_org IS NULL OR n.org_id = p_org) AND n.created_at >= elecbill._fsck_from(p_since))
	GROUP BY t.payment_id;
END;
COMMENT ON FUNCTION elecbill._fsck_paid(integer, date) IS
'what the transfers say of each payment: money that came and stayed, and where it is: bills, advance credit, suspense or refund_due';

CREATE FUNCTION elecbill._fsck_transfer(p_org integer, p_since date) RETURNS TABLE (invariant text, object text, detail text)
LANGUAGE sql STABLE SET jit = off
BEGIN ATOMIC
	SELECT 'I01', format('org %s, %s', s.org_id, to_char(p.month, 'YYYY-MM')), format('debits %s, credits %s', s.debit, s.credit)
	FROM (SELECT t.org_id, t.period_id, coalesce(sum(t.amount) FILTER (WHERE d.id IS NOT NULL), 0) AS debit,
			coalesce(sum(t.amount) FILTER (WHERE c.id IS NOT NULL), 0) AS credit
		FROM elecbill.ledger_transfer t
		LEFT JOIN elecbill.ledger_account d ON d.id = t.debit_id AND d.org_id = t.org_id
		LEFT JOIN elecbill.ledger_account c ON c.id = t.credit_id AND c.org_id = t.org_id AND c.id <> t.debit_id
		WHERE t.stage IN ('single', 'post') AND (p_org IS NULL OR t.org_id = p_org) AND t.created_at >= elecbill._fsck_from(p_since)
		GROUP BY t.org_id, t.period_id) AS s
	LEFT JOIN elecbill.accounting_period p ON p.id = s.period_id
	WHERE s.debit <> s.credit
UNION ALL
	SELECT 'I03', format('transfer %s', t.id), 'it does not say what it said when it was posted'
	FROM elecbill.ledger_transfer t
	WHERE (p_org IS NULL OR t.org_id = p_org) AND t.created_at >= elecbill._fsck_from(p_since)
		AND t.content_sha256 <> sha256(convert_to(jsonb_build_array(t.debit_id, t.credit_id, t.amount, t.kind, t.stage, t.pending_id,
			t.reverses_id, t.bill_id, t.payment_id, t.effective_on - date '2000-01-01')::text, 'UTF8'))
UNION ALL
	SELECT 'I14', format('org %s key %s', x.org_id, quote_literal(x.idem_key)), format('%s rows of %s', count(*), x.what)
	FROM (SELECT 'ledger_transfer' AS what, t.org_id, t.idem_key FROM elecbill.ledger_transfer t
			WHERE t.created_at >= elecbill._fsck_from(p_since)
		UNION ALL SELECT 'payment', p.org_id, p.idem_key FROM elecbill.payment p WHERE p.created_at >= elecbill._fsck_from(p_since)
		UNION ALL SELECT 'payment_order', o.org_id, o.idem_key FROM elecbill.payment_order o
			WHERE o.created_at >= elecbill._fsck_from(p_since)) AS x
	WHERE p_org IS NULL OR x.org_id = p_org
	GROUP BY x.what, x.org_id, x.idem_key HAVING count(*) > 1
UNION ALL
	SELECT 'I15', format('transfer %s', n.id), format('pending %s over %s was resolved by %s over %s', n.id, n.amount, t.ids, t.amount)
	FROM elecbill.ledger_transfer n
	JOIN (SELECT x.pending_id, string_agg(x.id::text, ', ' ORDER BY x.id) AS ids, sum(x.amount) AS amount, count(*) AS n,
			bool_and(x.stage IN ('post', 'void')) AS resolves
		FROM elecbill.ledger_transfer x
		WHERE x.pending_id IS NOT NULL AND (p_org IS NULL OR x.org_id = p_org)
			AND x.created_at >= elecbill._fsck_from(p_since) GROUP BY x.pending_id) AS t ON t.pending_id = n.id
	WHERE n.stage <> 'pending' OR t.n > 1 OR t.amount > n.amount OR NOT t.resolves
UNION ALL
	SELECT 'I16', format('transfer %s', o.id), format('it is over %s and is reversed by %s over %s', o.amount, r.ids, r.amount)
	FROM elecbill.ledger_transfer o
	JOIN (SELECT x.reverses_id, string_agg(x.id::text, ', ' ORDER BY x.id) AS ids, sum(x.amount) AS amount, count(*) AS n,
			min(x.debit_id) AS debit_id, min(x.credit_id) AS credit_id
		FROM elecbill.ledger_transfer x
		WHERE x.reverses_id IS NOT NULL AND (p_org IS NULL OR x.org_id = p_org)
			AND x.created_at >= elecbill._fsck_from(p_since) GROUP BY x.reverses_id) AS r ON r.reverses_id = o.id
	WHERE (r.n, r.amount, r.debit_id, r.credit_id) IS DISTINCT FROM (1, o.amount, o.credit_id, o.debit_id)
		OR o.stage NOT IN ('single', 'post')
UNION ALL
	SELECT 'I17', format('transfer %s', t.id),
		format('it was posted at %s into %s, closed at %s', t.created_at, to_char(p.month, 'YYYY-MM'), p.closed_at)
	FROM elecbill.ledger_transfer t JOIN elecbill.accounting_period p ON p.id = t.period_id
	WHERE (p_org IS NULL OR t.org_id = p_org) AND t.created_at >= elecbill._fsck_from(p_since)
		AND (t.created_at > p.closed_at OR t.effective_on >= (p.month + interval '1 month')::date)
UNION ALL
	SELECT 'I17', format('org %s, %s, ledger account %s', p.org_id, to_char(p.month, 'YYYY-MM'), coalesce(s.ledger_account_id, m.id)),
		format('closed with debits %s, credits %s; its transfers have %s, %s', s.debit, s.credit, m.debit, m.credit)
	FROM elecbill.accounting_period p
	CROSS JOIN LATERAL (
		SELECT x.id, sum(x.debit) AS debit, sum(x.credit) AS credit
		FROM elecbill.ledger_transfer t JOIN elecbill.accounting_period q ON q.id = t.period_id AND q.month <= p.month,
			LATERAL (VALUES (t.debit_id, t.amount, 0::numeric), (t.credit_id, 0::numeric, t.amount)) AS x(id, debit, credit)
		WHERE t.org_id = p.org_id AND t.stage IN ('single', 'post') GROUP BY x.id) AS m
	FULL JOIN (SELECT y.* FROM elecbill.ledger_snapshot y JOIN elecbill.accounting_period z ON z.id = y.period_id
		WHERE z.status = 'closed' AND (p_since IS NULL OR z.closed_at >= elecbill._fsck_from(p_since))) AS s
		ON s.period_id = p.id AND s.ledger_account_id = m.id
	WHERE (p.id IS NULL OR p.status = 'closed' AND (p_since IS NULL OR p.closed_at >= elecbill._fsck_from(p_since)))
		AND (p_org IS NULL OR coalesce(p.org_id, s.org_id) = p_org)
		AND (s.debit, s.credit) IS DISTINCT FROM (m.debit, m.credit);
END;
COMMENT ON FUNCTION elecbill._fsck_transfer(integer, date) IS
'broken invariants of transfers: I01 balance, I03 unchanged, I14 keys, I15 pending, I16 reversals, I17 closed periods';

CREATE FUNCTION elecbill._fsck_balance(p_org integer, p_since date) RETURNS TABLE (invariant text, object text, detail text)
LANGUAGE sql STABLE SET jit = off
BEGIN ATOMIC
	-- joined as sets: account by account, the planner would read all transfers for each where most credit the same two
	WITH looked AS MATERIALIZED (
		SELECT l.id, l.code FROM elecbill.ledger_account l
		WHERE p_since IS NULL AND l.account_id IS NOT NULL AND (p_org IS NULL OR l.org_id = p_org)
	UNION
		SELECT l.id, l.code
		FROM elecbill.ledger_transfer t CROSS JOIN LATERAL (VALUES (t.debit_id), (t.credit_id)) AS x(id)
		JOIN elecbill.ledger_account l ON l.id = x.id AND l.account_id IS NOT NULL
		WHERE p_since IS NOT NULL AND t.created_at >= elecbill._fsck_from(p_since) AND (p_org IS NULL OR t.org_id = p_org))
	SELECT 'I02', l.code, format('balance says %s, the transfers %s', to_jsonb(b) - 'org_id', to_jsonb(s))
	FROM looked l
	LEFT JOIN elecbill.account_balance b ON b.ledger_account_id = l.id
	LEFT JOIN (
		SELECT x.id, sum(x.debit) FILTER (WHERE k.moves) AS debit, sum(x.credit) FILTER (WHERE k.moves) AS credit,
			sum(x.debit) FILTER (WHERE k.waits) AS pending_debit, sum(x.credit) FILTER (WHERE k.waits) AS pending_credit, count(*) AS version
		FROM (SELECT d.id, t.id AS transfer_id, t.stage, t.amount AS debit, 0 AS credit
				FROM looked d JOIN elecbill.ledger_transfer t ON t.debit_id = d.id
			UNION ALL SELECT c.id, t.id, t.stage, 0, t.amount FROM looked c JOIN elecbill.ledger_transfer t ON t.credit_id = c.id) AS x
		LEFT JOIN elecbill.ledger_transfer r ON r.pending_id = x.transfer_id
		CROSS JOIN LATERAL (SELECT x.stage IN ('single', 'post') AS moves, x.stage = 'pending' AND r.id IS NULL AS waits) AS k
		GROUP BY x.id) AS m ON m.id = l.id
	CROSS JOIN LATERAL (SELECT coalesce(m.debit, 0) AS debit, coalesce(m.credit, 0) AS credit, coalesce(m.pending_debit, 0) AS pending_debit,
		coalesce(m.pending_credit, 0) AS pending_credit, coalesce(m.version, 0) AS version) AS s
	WHERE (coalesce(b.debit, 0), coalesce(b.credit, 0), coalesce(b.pending_debit, 0), coalesce(b.pending_credit, 0), coalesce(b.version, 0))
		IS DISTINCT FROM (s.debit, s.credit, s.pending_debit, s.pending_credit, s.version);
END;
COMMENT ON FUNCTION elecbill._fsck_balance(integer, date) IS 'broken invariant I02: balances of customers, and what the transfers make of them';

CREATE FUNCTION elecbill._fsck_money(p_org integer, p_since date) RETURNS TABLE (invariant text, object text, detail text)
LANGUAGE sql STABLE SET jit = off
BEGIN ATOMIC
	SELECT 'I13', format('bill %s', b.id), format('paid %s of %s and %s of late fee open, its transfers say %s and %s', b.paid, b.amount,
		b.late_fee, k.settled, k.late_fee)
	FROM elecbill.bill b LEFT JOIN elecbill._fsck_booked(p_org, p_since) AS k ON k.bill_id = b.id
	WHERE (p_org IS NULL OR b.org_id = p_org) AND (p_since IS NULL OR k.bill_id IS NOT NULL)
		AND (b.paid <> coalesce(k.settled, 0) OR b.late_fee <> coalesce(k.late_fee, 0) OR b.paid NOT BETWEEN least(b.amount, 0) AND greatest(b.amount, 0))
UNION ALL
	SELECT 'bill_booked', format('bill %s', b.id),
		format('%s over %s, its transfers charge %s and give up %s', b.status, b.amount, k.charged, k.given_up)
	FROM elecbill.bill b LEFT JOIN elecbill._fsck_booked(p_org, p_since) AS k ON k.bill_id = b.id
	WHERE (p_org IS NULL OR b.org_id = p_org)
		AND (p_since IS NULL OR b.issued_at >= elecbill._fsck_from(p_since) OR k.bill_id IS NOT NULL)
		AND (coalesce(k.charged, 0), coalesce(k.given_up, 0)) IS DISTINCT FROM (
			CASE WHEN b.status IN ('draft', 'held', 'cancelled') THEN 0 ELSE b.amount END,
			CASE b.status WHEN 'written_off' THEN b.amount - b.paid ELSE 0 END)
UNION ALL
	SELECT 'I13', format('payment %s', p.id),
		format('%s over %s: %s came, %s to bills, %s to advance credit, %s in suspense or on its way back; allocations %s',
			p.state, p.amount, k.came, k.to_bills, k.to_credit, k.elsewhere, a.amount)
	FROM elecbill.payment p
	LEFT JOIN elecbill._fsck_paid(p_org, p_since) AS k ON k.payment_id = p.id
	CROSS JOIN LATERAL (SELECT coalesce(sum(x.amount), 0) AS amount FROM elecbill.payment_allocation x WHERE x.payment_id = p.id) AS a
	WHERE (p_org IS NULL OR p.org_id = p_org) AND (p.created_at >= elecbill._fsck_from(p_since) OR k.payment_id IS NOT NULL)
		AND ((k.came, k.to_bills + k.to_credit + k.elsewhere, k.to_bills) IS DISTINCT FROM (
			CASE p.state WHEN 'reversed' THEN 0 ELSE p.amount END, CASE p.state WHEN 'reversed' THEN 0 ELSE p.amount END, a.amount))
UNION ALL
	SELECT 'I13', format('payment %s', r.payment_id), format('refunds of %s, but it brought %s', r.amount, p.amount)
	FROM (SELECT x.payment_id, sum(x.amount) AS amount FROM elecbill.refund x
		WHERE x.state <> 'rejected' AND x.target = 'channel' GROUP BY x.payment_id) AS r
	JOIN elecbill.payment p ON p.id = r.payment_id
	WHERE (p_org IS NULL OR p.org_id = p_org) AND r.amount > p.amount
UNION ALL
	SELECT 'I20', format('org %s year %s', coalesce(n.org_id, c.org_id), coalesce(n.year, c.year)),
		format('%s numbers of kind %s up to %s, the counter says %s', n.numbers, coalesce(n.kind, c.kind), n.last, c.last)
	FROM (SELECT x.org_id, x.kind, substr(x.number, 2, 4)::integer AS year, count(*) AS numbers,
			max(split_part(x.number, '-', 2)::bigint) AS last
		FROM (SELECT o.org_id, 'order' AS kind, o.number FROM elecbill.payment_order o
			UNION ALL SELECT p.org_id, 'receipt', p.receipt_no FROM elecbill.payment p WHERE p.receipt_no ~ '^R[0-9]{4}-[0-9]+$'
			UNION ALL SELECT r.org_id, 'refund', r.number FROM elecbill.refund r) AS x
		GROUP BY 1, 2, 3) AS n
	FULL JOIN (SELECT * FROM elecbill.number_counter y WHERE y.kind IN ('order', 'receipt', 'refund')) AS c
		ON c.org_id = n.org_id AND c.kind = n.kind AND c.year = n.year
	WHERE (p_org IS NULL OR coalesce(n.org_id, c.org_id) = p_org)
		AND (n.numbers IS DISTINCT FROM n.last OR n.last IS DISTINCT FROM c.last);
END;
COMMENT ON FUNCTION elecbill._fsck_money(integer, date) IS
'broken invariants of bills and payments: I13 what was paid, bill_booked (an issued bill is in the books), I20 numbers of orders, receipts and refunds';

CREATE FUNCTION elecbill._fsck_customer(p_org integer, p_since date) RETURNS TABLE (invariant text, object text, detail text)
LANGUAGE sql STABLE SET jit = off
BEGIN ATOMIC
	SELECT 'bill_booked', format('transfer %s', t.id), format('%s over %s moves what %s owes, but is about no bill', t.kind, t.amount, l.code)
	FROM elecbill.ledger_transfer t
	JOIN elecbill.ledger_account l ON l.id IN (t.debit_id, t.credit_id) AND split_part(l.code, ':', 1) = 'receivable'
	WHERE t.stage IN ('single', 'post') AND t.bill_id IS NULL
		AND (p_org IS NULL OR t.org_id = p_org) AND t.created_at >= elecbill._fsck_from(p_since)
UNION ALL
	SELECT 'overdrawn', l.code, format('%s were taken of %s', b.debit, b.credit)
	FROM elecbill.account_balance b JOIN elecbill.ledger_account l ON l.id = b.ledger_account_id
	WHERE b.debit > b.credit AND split_part(l.code, ':', 1) IN ('advance', 'deposit') AND (p_org IS NULL OR b.org_id = p_org);
END;
COMMENT ON FUNCTION elecbill._fsck_customer(integer, date) IS
'broken rules of customers'' money: bill_booked (all that is owed is owed for a bill), overdrawn (no more is taken of an advance or a deposit than there was)';

CREATE FUNCTION elecbill._fsck_keep() RETURNS TABLE (invariant text, object text, detail text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN QUERY SELECT 'I03', w.tab, format('trigger %s is missing or disabled', w.name)
	FROM (SELECT t.tab, t.tab || s.suffix AS name
		FROM unnest('{bill,bill_line,bill_segment,ledger_transfer,ledger_snapshot,payment,payment_allocation,payment_reversal,refund,bill_write_off,channel_statement_row,audit_log,audit_seal,adjustment,bill_true_up,supply_bill,supply_line,allocation,allocation_result,tariff_snapshot,opening_item}'::text[])
			AS t(tab), unnest('{_keep,_keep_all}'::text[]) AS s(suffix)
		UNION ALL SELECT t.tab, t.tab || '_frozen' FROM unnest('{bill,payment,refund,bill_write_off,adjustment,supply_bill,allocation,allocation_result}'::text[]) AS t(tab)
		UNION ALL VALUES ('bill', 'bill_issue'), ('bill', 'bill_move'), ('payment', 'payment_receipt')) AS w
	WHERE NOT EXISTS (SELECT FROM pg_trigger t WHERE t.tgrelid = to_regclass('elecbill.' || w.tab) AND t.tgname = w.name
		AND t.tgenabled IN ('O', 'A'));
END $$;
COMMENT ON FUNCTION elecbill._fsck_keep() IS 'broken invariant I03: what guards rows that never change';

CREATE FUNCTION elecbill._fsck_ledger(p_org integer, p_since date)
RETURNS TABLE (invariant text, object text, detail text)
LANGUAGE plpgsql STABLE SET jit = off SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN QUERY SELECT * FROM elecbill._fsck_keep();
	RETURN QUERY SELECT * FROM elecbill._fsck_transfer(p_org, p_since);
	RETURN QUERY SELECT * FROM elecbill._fsck_balance(p_org, p_since);
	RETURN QUERY SELECT * FROM elecbill._fsck_money(p_org, p_since);
	RETURN QUERY SELECT * FROM elecbill._fsck_customer(p_org, p_since);
END $$;
COMMENT ON FUNCTION elecbill._fsck_ledger(integer, date) IS
'broken invariants of the books of an org (NULL: all), of what was booked since a day (NULL: ever): I01 to I03, I13 to I17, numbers';
