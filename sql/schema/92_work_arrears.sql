-- 92_work_arrears.sql: late fees, dunning and prepayment as steps of jobs; what must be true of them

CREATE FUNCTION elecbill._work_arrears(p_org text, p_kind text, p_day date, p_step integer, OUT more boolean, OUT rows bigint)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	owner integer := elecbill._org_get(p_org);
	-- of all accounts: a step does not depend on what the ones before have done. It holds its accounts, and whoever pays
	-- waits for them: those that are to be rated, which takes some ms each, are fewer
	size integer := CASE p_kind WHEN 'prepay' THEN 100 ELSE 1000 END;
	part bigint[] := ARRAY(SELECT a.id FROM elecbill.customer_account a WHERE a.org_id = owner ORDER BY a.id OFFSET p_step * size LIMIT size);
	due bigint[];
BEGIN
	more := cardinality(part) = size;
	due := ARRAY(SELECT d.id FROM unnest(CASE p_kind WHEN 'late_fee' THEN elecbill._late_fee_accounts(p_org, p_day)
			WHEN 'dunning' THEN elecbill._dunning_accounts(p_org, p_day) ELSE elecbill._prepay_accounts(p_org, p_day) END) AS d(id)
		WHERE d.id = ANY (part) ORDER BY d.id);
	rows := cardinality(due);
	CASE p_kind
	WHEN 'late_fee' THEN
		PERFORM elecbill._late_fee_batch(p_org, due, p_day, true);
	WHEN 'dunning' THEN
		PERFORM elecbill._dunning_batch(p_org, due, p_day, true);
	WHEN 'prepay' THEN
		PERFORM elecbill._prepay_batch(p_org, due, p_day, true);
	END CASE;
END $$;
COMMENT ON FUNCTION elecbill._work_arrears(text, text, date, integer, OUT boolean, OUT bigint) IS
'a step of the job late_fee, dunning or prepay: its part of the accounts of an org; counts accounts looked at';

CREATE FUNCTION elecbill._arrears_paid(p_org integer, p_account bigint) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	PERFORM FROM elecbill.prepay_state s WHERE s.account_id = p_account AND s.state IN ('ordered', 'off');
	IF FOUND THEN
		PERFORM elecbill._prepay_judge(p_account, elecbill._today(p_org));
	END IF;
	PERFORM FROM elecbill.dunning_case c WHERE c.account_id = p_account AND c.supply IN ('ordered', 'off');
	IF FOUND AND (elecbill._dunning_overdue(p_account, elecbill._today(p_org), NULL)).oldest_on IS NULL THEN
		PERFORM elecbill._dunning_account(p_account, elecbill._today(p_org));
	END IF;
EXCEPTION WHEN OTHERS THEN
	IF elecbill._not_its_fault(SQLSTATE) THEN
		RAISE;
	END IF;
	NULL;	/* no reason not to take the money: the next run orders it */
END $$;
COMMENT ON FUNCTION elecbill._arrears_paid(integer, bigint) IS
'a payment of an account, which is locked, was booked: if it is cut off and need not be any more, the order to reconnect goes out at once';

CREATE VIEW elecbill.late_fee_status WITH (security_invoker = true) AS
SELECT o.code AS org, a.account_no, b.number AS bill, b.status, b.due_on, b.amount - b.paid AS open, f.as_of, trim_scale(f.raw) AS raw,
	f.posted, b.late_fee AS unpaid, p.rate_same_year, p.rate_later_year, f.state
FROM elecbill.late_fee_accrual f
JOIN elecbill.bill b ON b.id = f.bill_id
JOIN elecbill.customer_account a ON a.id = b.account_id
JOIN elecbill.org o ON o.id = f.org_id
LEFT JOIN elecbill.late_fee_policy p ON p.id = f.policy_id
WHERE b.status <> 'cancelled';
COMMENT ON VIEW elecbill.late_fee_status IS 'late fees by bill; those of a cancelled one were taken back with it';
COMMENT ON COLUMN elecbill.late_fee_status.org IS 'code of the org';
COMMENT ON COLUMN elecbill.late_fee_status.account_no IS 'account number';
COMMENT ON COLUMN elecbill.late_fee_status.bill IS 'number of the bill';
COMMENT ON COLUMN elecbill.late_fee_status.status IS 'state of the bill';
COMMENT ON COLUMN elecbill.late_fee_status.due_on IS 'last local day to pay it';
COMMENT ON COLUMN elecbill.late_fee_status.open IS 'what is open of its amount';
COMMENT ON COLUMN elecbill.late_fee_status.as_of IS 'the last local day that is counted';
COMMENT ON COLUMN elecbill.late_fee_status.raw IS 'late fee up to then before rounding, in the currency of the org';
COMMENT ON COLUMN elecbill.late_fee_status.posted IS 'what was charged of it';
COMMENT ON COLUMN elecbill.late_fee_status.unpaid IS 'what of that is not paid';
COMMENT ON COLUMN elecbill.late_fee_status.rate_same_year IS 'share of the open amount per day in the year of the due date';
COMMENT ON COLUMN elecbill.late_fee_status.rate_later_year IS 'the same behind the end of that year';
COMMENT ON COLUMN elecbill.late_fee_status.state IS 'touched, running or final, as in late_fee_accrual';

CREATE FUNCTION elecbill._fsck_late_fee(p_org integer, p_since date) RETURNS TABLE (invariant text, object text, detail text)
LANGUAGE sql STABLE SET jit = off
BEGIN ATOMIC
	SELECT 'late_fee', format('bill %s', b.number), format('raw %s and posted %s up to %s; day by day it is %s and %s, the transfers say %s',
		trim_scale(f.raw), f.posted, f.as_of, trim_scale(x.raw), y.amount, t.posted)
	FROM elecbill.late_fee_accrual f
	JOIN elecbill.bill b ON b.id = f.bill_id
	JOIN elecbill.late_fee_policy p ON p.id = f.policy_id
	-- each day by itself: what was open when it began
	CROSS JOIN LATERAL (
		SELECT coalesce(sum(CASE WHEN extract(year FROM d.day) = extract(year FROM b.due_on) THEN p.rate_same_year ELSE p.rate_later_year END
			* greatest(0, b.amount - coalesce((
				SELECT sum(CASE WHEN c.code LIKE 'receivable:%' THEN t.amount ELSE -t.amount END)
				FROM elecbill.ledger_transfer t JOIN elecbill.ledger_account c ON c.id = t.credit_id
				LEFT JOIN elecbill.ledger_transfer o ON o.id = t.reverses_id
				WHERE t.bill_id = b.id AND t.effective_on < d.day AND t.stage <> 'pending'
					AND coalesce(o.kind, t.kind) = ANY ('{payment,match,apply,credit,unapply,refund}')), 0))), 0) AS raw
		FROM generate_series(1, f.as_of - b.due_on - p.grace_days) AS n(i)
		CROSS JOIN LATERAL (SELECT b.due_on + p.grace_days + n.i AS day) AS d) AS x
	CROSS JOIN LATERAL (SELECT CASE WHEN x.raw = 0 THEN 0.00
		ELSE least(greatest(p.minimum, round(x.raw, 2)), round(b.amount * p.cap, 2)) END AS amount) AS y
	CROSS JOIN LATERAL (
		SELECT coalesce(sum(CASE WHEN c.code = 'late_fee' THEN t.amount WHEN d.code = 'late_fee' THEN -t.amount ELSE 0 END), 0) AS posted
		FROM elecbill.ledger_transfer t JOIN elecbill.ledger_account c ON c.id = t.credit_id JOIN elecbill.ledger_account d ON d.id = t.debit_id
		WHERE t.bill_id = b.id AND t.stage IN ('single', 'post')) AS t
	WHERE (p_org IS NULL OR f.org_id = p_org) AND (p_since IS NULL OR f.as_of >= p_since) AND f.state <> 'touched'
		AND b.status IN ('issued', 'partly_paid', 'overdue', 'paid')
		AND (x.raw, y.amount, y.amount) IS DISTINCT FROM (f.raw, f.posted, t.posted);
END;
COMMENT ON FUNCTION elecbill._fsck_late_fee(integer, date) IS
'late fees that are not the sum of their days, or not what was posted: path-independent, however often they were worked out';

CREATE FUNCTION elecbill._fsck_arrears(p_org integer, p_since date) RETURNS TABLE (invariant text, object text, detail text)
LANGUAGE plpgsql STABLE SET jit = off SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN QUERY SELECT * FROM elecbill._fsck_late_fee(p_org, p_since);
	RETURN QUERY
	SELECT 'dunning', format('account %s', a.account_no), format('ordered off on %s, %s days overdue, notice on %s',
		elecbill._local_time(x.done_at, o.zone), x.days_overdue, elecbill._local_time(n.at, o.zone))
	FROM elecbill.dunning_action x
	JOIN elecbill.dunning_case c ON c.id = x.case_id
	JOIN elecbill.dunning_policy p ON p.id = c.policy_id
	JOIN elecbill.customer_account a ON a.id = c.account_id
	JOIN elecbill.org o ON o.id = x.org_id
	CROSS JOIN LATERAL (SELECT max(y.done_at) FILTER (WHERE y.action = 'notice') AS at, max(y.done_at) FILTER (WHERE y.action = 'remind') AS reminded_at,
			max(y.done_at) FILTER (WHERE y.action = 'last_notice') AS told_at
		FROM elecbill.dunning_action y WHERE y.org_id = x.org_id AND y.case_id = x.case_id AND y.id < x.id) AS n
	WHERE x.action = 'disconnect' AND (p_org IS NULL OR x.org_id = p_org) AND x.done_at >= elecbill._fsck_from(p_since)
		AND (x.days_overdue > 30 AND n.reminded_at < n.at
			AND elecbill._after(n.at, CASE p.kind WHEN 'person' THEN interval '7 days' ELSE interval '3 days' END, o.zone) <= x.done_at
			AND (p.kind = 'person' OR n.told_at <= x.done_at - interval '1 hour')
			AND (x.done_at AT TIME ZONE o.zone)::time BETWEEN p.cut_from AND p.cut_until) IS NOT TRUE;
	RETURN QUERY
	SELECT 'prepay', format('account %s', a.account_no), format('the days since %s come to %s, the state says %s', s.unbilled_from, d.amount,
		s.provisional)
	FROM elecbill.prepay_state s
	JOIN elecbill.customer_account a ON a.id = s.account_id
	CROSS JOIN LATERAL (SELECT coalesce(sum(x.amount), 0) AS amount FROM elecbill.prepay_day x
		WHERE x.account_id = s.account_id AND x.day >= s.unbilled_from) AS d
	WHERE (p_org IS NULL OR s.org_id = p_org) AND d.amount <> s.provisional;
	RETURN QUERY
	SELECT 'prepay', format('bill %s', coalesce(b.number, '#' || b.id)), format('it comes to %s, %s of it shares and adjustments, its days to %s', b.amount,
		n.amount, d.amount)
	FROM elecbill.prepay_day e
	JOIN elecbill.bill b ON b.id = e.bill_id
	CROSS JOIN LATERAL (SELECT coalesce(sum(l.amount), 0) AS amount FROM elecbill.bill_line l
		WHERE l.bill_id = b.id AND l.kind IN ('allocation', 'adjustment')) AS n
	CROSS JOIN LATERAL (SELECT sum(x.amount) AS amount FROM elecbill.prepay_day x WHERE x.account_id = e.account_id AND b.service @> x.day) AS d
	WHERE (p_org IS NULL OR e.org_id = p_org) AND (p_since IS NULL OR e.day >= p_since - 31) AND d.amount <> b.amount - n.amount;
END $$;
COMMENT ON FUNCTION elecbill._fsck_arrears(integer, date) IS
'broken invariants of arrears: late_fee (the sum of its days is what was posted), dunning (nobody is cut off within 31 days, without reminder and notice in time, or at night), prepay (charges of days add up to the state, and with shares and adjustments to the bill)';
