-- 81_fsck_bill_life.sql: what must be true of bills that were taken back, replaced or corrected

CREATE FUNCTION elecbill._fsck_bill_life(p_org integer, p_since date) RETURNS TABLE (invariant text, object text, detail text)
LANGUAGE sql STABLE SET jit = off
BEGIN ATOMIC
	SELECT 'I04', format('bill %s', b.id), format('tax %s, its lines have %s', b.tax_amount, s.tax)
	FROM elecbill._fsck_bills(p_org, p_since) AS b, LATERAL (SELECT coalesce(sum(l.amount), 0) AS tax FROM elecbill.bill_line l
		WHERE l.bill_id = b.id AND (l.kind = 'vat' OR l.grp = 'tax')) AS s
	WHERE b.tax_amount <> s.tax
UNION ALL
	SELECT 'true_up', format('bill %s', coalesce(t.bill_id, l.bill_id)),
		format('its corrections come to %s, its lines to %s', t.amount, l.amount)
	FROM (SELECT x.bill_id, sum(x.amount) AS amount FROM elecbill.bill_true_up x GROUP BY x.bill_id) AS t
	FULL JOIN (SELECT x.bill_id, sum(x.amount) AS amount FROM elecbill.bill_line x WHERE x.kind = 'true_up' GROUP BY x.bill_id) AS l
		ON l.bill_id = t.bill_id
	WHERE t.amount IS DISTINCT FROM l.amount
		AND coalesce(t.bill_id, l.bill_id) IN (SELECT b.id FROM elecbill._fsck_bills(p_org, p_since) AS b)
UNION ALL
	SELECT 'true_up', format('bill %s', t.bill_id), format('it corrects bill %s, which is not an earlier one of the account', t.corrected_id)
	FROM elecbill.bill_true_up t JOIN elecbill.bill b ON b.id = t.bill_id JOIN elecbill.bill c ON c.id = t.corrected_id
	WHERE (p_org IS NULL OR t.org_id = p_org) AND (c.account_id <> b.account_id
		OR lower(c.service) >= lower(b.service) OR b.live AND NOT c.live)
UNION ALL
	SELECT 'supersedes', format('bill %s', b.id), format('bill %s, which it replaces, is %s', o.id, o.status)
	FROM elecbill._fsck_bills(p_org, p_since) AS b JOIN elecbill.bill o ON o.id = b.supersedes_id
	WHERE o.live OR o.account_id <> b.account_id
UNION ALL
	SELECT 'I16', format('bill %s', b.id), format('%s, and %s is booked for it', b.status, s.booked)
	FROM elecbill.bill b, LATERAL (
		SELECT sum(CASE WHEN l.account_id IS NULL THEN -t.amount ELSE t.amount END) AS booked
		FROM elecbill.ledger_transfer t JOIN elecbill.ledger_account l ON l.id = t.debit_id
		LEFT JOIN elecbill.ledger_transfer r ON r.id = t.reverses_id
		WHERE t.bill_id = b.id AND coalesce(r.kind, t.kind) IN ('issue', 'tax')) AS s
	WHERE b.kind <> 'opening' AND s.booked <> CASE WHEN b.live THEN b.amount ELSE 0 END
		AND (p_org IS NULL OR b.org_id = p_org) AND (p_since IS NULL OR b.created_at >= elecbill._fsck_from(p_since) OR NOT b.live)
UNION ALL
	SELECT 'invoice', format('bill %s', b.id), format('cancelled, but tax invoice %s stands', i.number)
	FROM elecbill.bill b JOIN elecbill.tax_invoice i ON i.bill_id = b.id
	WHERE NOT b.live AND i.red_number IS NULL AND (p_org IS NULL OR b.org_id = p_org)
UNION ALL
	SELECT 'run', format('run %s', r.id), format('cancelled, but bill %s is %s', b.id, b.status)
	FROM elecbill.bill_run r JOIN elecbill.bill b ON b.run_id = r.id
	WHERE r.status = 'cancelled' AND b.live AND (p_org IS NULL OR r.org_id = p_org)
UNION ALL
	SELECT 'hold', format('bill %s', h.bill_id), format('said to be held, but it is %s', b.status)
	FROM elecbill.bill_hold_note h JOIN elecbill.bill b ON b.id = h.bill_id
	WHERE h.released_at IS NULL AND b.status <> 'held' AND (p_org IS NULL OR h.org_id = p_org)
UNION ALL
	SELECT 'true_up', format('queue %s', q.id), format('settled by bill %s, which is cancelled', q.bill_id)
	FROM elecbill.true_up_queue q JOIN elecbill.bill b ON b.id = q.bill_id
	WHERE NOT b.live AND (p_org IS NULL OR q.org_id = p_org);
END;
COMMENT ON FUNCTION elecbill._fsck_bill_life(integer, date) IS
'broken invariants of bills in their life: I04 tax, I16 a cancelled bill has nothing booked and an issued one its amount, corrections, replacements, invoices, held drafts, cancelled runs.';
