-- 43_bill_issue.sql: drafts become bills
-- Locks: the batch, accounts by id, bills, ledger (71_posting.sql), the number counter, then the ledger
-- once more for credit; balances of customers are safe behind their accounts.

CREATE FUNCTION elecbill._bills_issue(p_org integer, p_cycle bigint, p_bills bigint[]) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	today date := elecbill._today(p_org);
	due_days integer := (SELECT c.due_days FROM elecbill.billing_cycle c WHERE c.id = p_cycle);
	last_no bigint;
BEGIN
	PERFORM elecbill._usage_count(p_bills);
	PERFORM elecbill._post_bills(p_org, p_bills, today);
	-- the counter comes last: who waits for it waits no longer than this batch takes to commit
	last_no := elecbill._number_take(p_org, 'bill', cardinality(p_bills));
	UPDATE elecbill.bill b
	SET status = 'issued', issued_at = elecbill.now(), due_on = today + due_days,
		number = format('%s-%s', extract(year FROM today),
			lpad(d.no::text, greatest(6, length(d.no::text)), '0'))
	FROM (SELECT u.id, last_no - cardinality(p_bills) + u.i AS no
		FROM unnest(p_bills) WITH ORDINALITY AS u(id, i)) AS d
	WHERE b.id = d.id;
	PERFORM elecbill._advance_settle(p_org, p_bills, today);
	PERFORM elecbill._outbox_bills(p_org, p_bills);
END $$;
COMMENT ON FUNCTION elecbill._bills_issue(integer, bigint, bigint[]) IS
'books drafts, whose accounts the caller has locked, in their order, gives them numbers and due dates by their billing cycle, and lets advance credit pay them';

CREATE FUNCTION elecbill._bill_issue_batch(p_run bigint) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	run elecbill.bill_run := elecbill._bill_run_get(p_run);
	batch elecbill.bill_run_batch;
	drafts bigint[];
BEGIN
	IF run.status IN ('new', 'rating') THEN
		RAISE EXCEPTION USING
			ERRCODE = 'UB412',
			MESSAGE = format('bill run %s is not rated to its end', p_run),
			HINT = format('CALL elecbill.bill_run_work(%s) rates what is left.', p_run);
	ELSIF run.status = 'cancelled' THEN
		RAISE EXCEPTION USING ERRCODE = 'UB412', MESSAGE = format('bill run %s is cancelled', p_run);
	END IF;
	SELECT * INTO batch FROM elecbill.bill_run_batch b
	WHERE b.run_id = p_run AND b.issue_state = 'pending' ORDER BY b.no LIMIT 1 FOR UPDATE SKIP LOCKED;
	IF NOT FOUND THEN
		UPDATE elecbill.bill_run SET status = 'done' WHERE id = p_run AND status IN ('review', 'issuing')
			AND NOT EXISTS (SELECT FROM elecbill.bill_run_batch b
				WHERE b.run_id = p_run AND b.issue_state = 'pending');
		RETURN false;
	END IF;
	UPDATE elecbill.bill_run_batch SET issue_state = 'done' WHERE run_id = p_run AND no = batch.no;
	PERFORM FROM elecbill.customer_account a WHERE a.id = ANY (batch.account_ids) ORDER BY a.id FOR NO KEY UPDATE;
	drafts := ARRAY(
		SELECT b.id
		FROM elecbill.bill b JOIN elecbill.customer_account a ON a.id = b.account_id
		WHERE b.run_id = p_run AND b.account_id = ANY (batch.account_ids) AND b.status = 'draft'
		ORDER BY a.account_no FOR UPDATE OF b);	/* whoever cancels or holds one is waited for */
	IF drafts = '{}' THEN
		RETURN true;
	END IF;
	PERFORM elecbill._statistics_fill();
	PERFORM elecbill._bills_issue(run.org_id, run.cycle_id, drafts);
	RETURN true;
END $$;
COMMENT ON FUNCTION elecbill._bill_issue_batch(bigint) IS
'claims a batch that is not issued, books its drafts and gives them numbers and due dates; false when none is left to claim, UB412 when the run is not rated to its end';

CREATE FUNCTION elecbill._bill_issue_begin(p_run bigint) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	run elecbill.bill_run := elecbill._bill_run_get(p_run);
	now_there record;
BEGIN
	PERFORM elecbill._hold_decided(p_run);
	SELECT * INTO run FROM elecbill.bill_run r WHERE r.id = p_run FOR NO KEY UPDATE;
	IF run.status <> 'review' THEN
		RETURN;
	END IF;
	PERFORM elecbill._resale_check(p_run);
	IF run.approved_at IS NOT NULL THEN
		SELECT count(*) AS bills, coalesce(sum(b.amount), 0) AS amount INTO now_there
		FROM elecbill.bill b WHERE b.run_id = p_run AND b.status = 'draft';
		IF (now_there.bills, now_there.amount) <> (run.approved_bills, run.approved_amount) THEN
			RAISE EXCEPTION USING
				ERRCODE = 'UB409',
				MESSAGE = format('the drafts of bill run %s are not those that were approved', p_run),
				DETAIL = format('Approved were %s of %s, there are %s of %s.', run.approved_bills, run.approved_amount,
					now_there.bills, now_there.amount),
				HINT = format('Look at them again; SELECT elecbill.bill_approve(%s) approves them as they are.', p_run);
		END IF;
	END IF;
	UPDATE elecbill.bill_run SET status = 'issuing' WHERE id = p_run;
END $$;
COMMENT ON FUNCTION elecbill._bill_issue_begin(bigint) IS
'marks that a reviewed run is being issued, with the drafts whose readings were decided since; UB409 when it was approved and its drafts have changed since, UB422 it would collect more in a pool than is paid to the grid';

CREATE PROCEDURE elecbill.bill_run_issue(p_run bigint)
LANGUAGE plpgsql AS $$
BEGIN
	PERFORM elecbill._bill_issue_begin(p_run);
	COMMIT;
	WHILE elecbill._bill_issue_batch(p_run) LOOP
		COMMIT;
	END LOOP;
	COMMIT;
END $$;
COMMENT ON PROCEDURE elecbill.bill_run_issue(bigint) IS
'issues the drafts of a rated run, held ones excepted, and commits each batch: gapless numbers in the order of account numbers (one session), due dates, usage counters, ledger, credit set off. UB409 the drafts are not those that were approved, UB422 more would be collected in a pool than is paid to the grid, UB412 batches are not rated, or the run is cancelled';
