-- 80_bill_review.sql: drafts are looked at before they become bills
-- Locks: customer_account, then bill; bill_run for an approval.

CREATE FUNCTION elecbill.bill_hold(bill text, reason text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	b elecbill.bill;
BEGIN
	IF reason ~ '\S' IS NOT TRUE THEN
		RAISE EXCEPTION 'a bill is held for a reason' USING ERRCODE = 'UB400';
	END IF;
	b := elecbill._bill_lock(bill);
	IF b.status <> 'draft' THEN
		RAISE EXCEPTION USING
			ERRCODE = 'UB412',
			MESSAGE = format('a bill that is %s cannot be held', b.status),
			DETAIL = format('Bill %s.', coalesce(b.number, '#' || b.id)),
			HINT = 'Only a draft is held; cancel_bill() takes back what is issued.';
	END IF;
	UPDATE elecbill.bill SET status = 'held' WHERE id = b.id;
	INSERT INTO elecbill.bill_hold_note (org_id, bill_id, reason) VALUES (b.org_id, b.id, bill_hold.reason);
	PERFORM elecbill._audit(b.org_id, 'bill_hold', '#' || b.id, NULL, jsonb_build_object('reason', reason));
EXCEPTION WHEN OTHERS THEN
	PERFORM elecbill._refused(elecbill._org_part(bill), 'bill_hold', bill, SQLSTATE, SQLERRM);
	RAISE;
END $$;
COMMENT ON FUNCTION elecbill.bill_hold(text, text) IS
'holds a draft (its id) back: the run is issued without it until bill_release() lets it go. UB400 no reason, UB404, UB412 no draft';

CREATE FUNCTION elecbill._hold_end(p_bill bigint, p_note text) RETURNS void
LANGUAGE sql
BEGIN ATOMIC
	UPDATE elecbill.bill_hold_note SET released_by = elecbill.current_login(), released_at = elecbill.now(), note = p_note
	WHERE bill_id = p_bill AND released_at IS NULL;
END;
COMMENT ON FUNCTION elecbill._hold_end(bigint, text) IS 'notes that a draft is held no longer';

CREATE FUNCTION elecbill.bill_release(bill text, note text DEFAULT NULL) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	b elecbill.bill;
BEGIN
	b := elecbill._bill_lock(bill);
	IF b.status <> 'held' THEN
		RAISE EXCEPTION USING
			ERRCODE = 'UB412',
			MESSAGE = format('a bill that is %s is not held', b.status),
			DETAIL = format('Bill %s.', coalesce(b.number, '#' || b.id));
	ELSIF EXISTS (SELECT FROM elecbill.bill_hold_note h WHERE h.bill_id = b.id AND h.released_at IS NULL AND h.by_rule)
		AND elecbill._vee_hold(b.account_id, b.service) > 0
	THEN
		RAISE EXCEPTION USING
			ERRCODE = 'UB412',
			MESSAGE = format('readings of bill %s are to be decided', '#' || b.id),
			HINT = 'vee_accept() says that they are right; else correct them. bill_run_issue() then issues it.';
	END IF;
	UPDATE elecbill.bill SET status = 'draft' WHERE id = b.id;
	PERFORM elecbill._hold_end(b.id, bill_release.note);
	PERFORM elecbill._audit(b.org_id, 'bill_release', '#' || b.id, NULL, jsonb_build_object('note', bill_release.note));
EXCEPTION WHEN OTHERS THEN
	PERFORM elecbill._refused(elecbill._org_part(bill), 'bill_release', bill, SQLSTATE, SQLERRM);
	RAISE;
END $$;
COMMENT ON FUNCTION elecbill.bill_release(text, text) IS
'lets a held draft (its id) go, with what was found; bill_run_issue() of its run issues it, also when the rest is issued already. UB404, UB412 not held, or a rule for its readings holds it';

CREATE FUNCTION elecbill._hold_decided(p_run bigint) RETURNS integer
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET jit = off AS $$
DECLARE
	run elecbill.bill_run := elecbill._bill_run_get(p_run);
	one elecbill.bill;
	n integer := 0;
BEGIN
	FOR one IN
		SELECT b.* FROM elecbill.bill b JOIN elecbill.bill_hold_note h ON h.bill_id = b.id
		WHERE b.run_id = p_run AND b.status = 'held' AND h.released_at IS NULL AND h.by_rule
			AND elecbill._vee_hold(b.account_id, b.service) = 0 ORDER BY b.account_id
	LOOP
		PERFORM FROM elecbill.customer_account a WHERE a.id = one.account_id FOR NO KEY UPDATE;
		PERFORM elecbill._bill_cancel(one.id, 'readings decided', 'cancel');
		PERFORM elecbill._rebill_make(one, p_run, run.known_at);
		UPDATE elecbill.bill_run_batch SET issue_state = 'pending'
		WHERE run_id = p_run AND one.account_id = ANY (account_ids);
		n := n + 1;
	END LOOP;
	IF n > 0 THEN
		UPDATE elecbill.bill_run SET status = 'review', approved_at = NULL, approved_by = NULL, approved_bills = NULL,
			approved_amount = NULL
		WHERE id = p_run AND status = 'done';
	END IF;
	RETURN n;
END $$;
COMMENT ON FUNCTION elecbill._hold_decided(bigint) IS
'makes drafts of a run anew that a rule for their readings held until it was decided; returns how many. Errors of rating';

CREATE VIEW elecbill.bill_run_totals WITH (security_invoker = true) AS
SELECT r.id AS run_id, o.code AS org, r.kind, r.period, r.status, coalesce(q.accounts, 0) AS accounts,
	b.bills, b.held, b.cancelled, coalesce(e.parked, 0) AS parked, s.kwh, b.amount, b.tax_amount, b.issued_amount,
	t.booked_amount, b.issued_amount - t.booked_amount AS difference
FROM elecbill.bill_run r
JOIN elecbill.org o ON o.id = r.org_id
CROSS JOIN LATERAL (
	SELECT count(DISTINCT a.id) AS accounts
	FROM elecbill.bill_run_batch x, unnest(x.account_ids) AS a(id) WHERE x.run_id = r.id) AS q
CROSS JOIN LATERAL (
	SELECT count(*) FILTER (WHERE x.live) AS bills, count(*) FILTER (WHERE x.status = 'held') AS held,
		count(*) FILTER (WHERE NOT x.live) AS cancelled, coalesce(sum(x.amount) FILTER (WHERE x.live), 0) AS amount,
		coalesce(sum(x.tax_amount) FILTER (WHERE x.live), 0) AS tax_amount,
		coalesce(sum(x.amount) FILTER (WHERE x.live AND x.number IS NOT NULL), 0) AS issued_amount
	FROM elecbill.bill x WHERE x.run_id = r.id) AS b
CROSS JOIN LATERAL (
	SELECT coalesce(sum(y.energy_wh), 0) * 0.001 AS kwh
	FROM elecbill.bill x JOIN elecbill.bill_segment y ON y.bill_id = x.id WHERE x.run_id = r.id AND x.live) AS s
CROSS JOIN LATERAL (
	SELECT count(*) AS parked FROM elecbill.bill_exception x
	WHERE x.run_id = r.id AND x.state IN ('parked', 'retried')) AS e
CROSS JOIN LATERAL (
	SELECT coalesce(sum(CASE WHEN l.account_id IS NULL THEN -y.amount ELSE y.amount END), 0) AS booked_amount
	FROM elecbill.bill x JOIN elecbill.ledger_transfer y ON y.bill_id = x.id
	JOIN elecbill.ledger_account l ON l.id = y.debit_id
	LEFT JOIN elecbill.ledger_transfer z ON z.id = y.reverses_id
	WHERE x.run_id = r.id AND coalesce(z.kind, y.kind) IN ('issue', 'tax')) AS t;
COMMENT ON VIEW elecbill.bill_run_totals IS
'control totals of each run: every account has a bill or is parked, and what was issued is what was booked';
COMMENT ON COLUMN elecbill.bill_run_totals.run_id IS 'the run';
COMMENT ON COLUMN elecbill.bill_run_totals.org IS 'code of the org';
COMMENT ON COLUMN elecbill.bill_run_totals.kind IS 'regular, offcycle, final or rebill';
COMMENT ON COLUMN elecbill.bill_run_totals.period IS 'local days [from, to)';
COMMENT ON COLUMN elecbill.bill_run_totals.status IS 'state of the run';
COMMENT ON COLUMN elecbill.bill_run_totals.accounts IS 'accounts in its batches, each once';
COMMENT ON COLUMN elecbill.bill_run_totals.bills IS 'bills that are not cancelled, drafts included';
COMMENT ON COLUMN elecbill.bill_run_totals.held IS 'drafts that are held back';
COMMENT ON COLUMN elecbill.bill_run_totals.cancelled IS 'bills that were cancelled';
COMMENT ON COLUMN elecbill.bill_run_totals.parked IS 'accounts without a bill, with a reason in bill_exception';
COMMENT ON COLUMN elecbill.bill_run_totals.kwh IS 'energy of its live bills, kWh';
COMMENT ON COLUMN elecbill.bill_run_totals.amount IS 'sum of its live bills, in the currency of the org';
COMMENT ON COLUMN elecbill.bill_run_totals.tax_amount IS 'tax in it';
COMMENT ON COLUMN elecbill.bill_run_totals.issued_amount IS 'sum of its live bills that are issued';
COMMENT ON COLUMN elecbill.bill_run_totals.booked_amount IS 'what the ledger has for its bills: issue and tax less their reversals';
COMMENT ON COLUMN elecbill.bill_run_totals.difference IS 'issued less booked; anything but 0.00 is a fault';

CREATE FUNCTION elecbill.bill_approve(run bigint, OUT bills integer, OUT amount numeric, OUT held integer, OUT parked integer)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	r elecbill.bill_run;
BEGIN
	r := elecbill._bill_run_get(run);
	SELECT * INTO r FROM elecbill.bill_run x WHERE x.id = r.id FOR NO KEY UPDATE;
	IF r.status <> 'review' THEN
		RAISE EXCEPTION USING
			ERRCODE = 'UB412',
			MESSAGE = format('a bill run that is %s is not approved', r.status),
			HINT = 'It is approved when all its batches are rated, before it is issued.';
	END IF;
	SELECT count(*) FILTER (WHERE b.status = 'draft'), coalesce(sum(b.amount) FILTER (WHERE b.status = 'draft'), 0),
		count(*) FILTER (WHERE b.status = 'held') INTO bills, amount, held
	FROM elecbill.bill b WHERE b.run_id = r.id;
	parked := (SELECT count(*) FROM elecbill.bill_exception e WHERE e.run_id = r.id AND e.state IN ('parked', 'retried'));
	UPDATE elecbill.bill_run x SET approved_at = elecbill.now(), approved_by = elecbill.current_login(),
		approved_bills = bill_approve.bills, approved_amount = bill_approve.amount
	WHERE x.id = r.id;
	PERFORM elecbill._audit(r.org_id, 'bill_approve', 'run ' || r.id, NULL,
		jsonb_build_object('bills', bills, 'amount', amount, 'held', held, 'parked', parked));
EXCEPTION WHEN OTHERS THEN
	PERFORM elecbill._refused(NULL, 'bill_approve', 'run ' || run, SQLSTATE, SQLERRM);
	RAISE;
END $$;
COMMENT ON FUNCTION elecbill.bill_approve(bigint) IS
'approves the drafts of a rated run as they are now, held ones excepted; bill_run_issue() then issues these and refuses others. Returns how many and what they come to, drafts held, accounts parked. A run may be issued without it. UB404, UB412 not in review';
