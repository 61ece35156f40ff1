-- 81_bill_cancel.sql: bills are taken back
-- What was paid goes to advance credit, what was booked is reversed, the number stays used.
-- Locks: the key, customer_account, bill, ledger.

CREATE FUNCTION elecbill._bill_call(p_org integer, p_key text, p_call text, p_args jsonb) RETURNS elecbill.bill_call
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	c elecbill.bill_call;
	content bytea := sha256(convert_to(jsonb_build_array(p_call, p_args)::text, 'UTF8'));
BEGIN
	IF p_key IS NULL THEN
		RETURN NULL;
	ELSIF p_key !~ '^\S{1,128}$' THEN
		RAISE EXCEPTION USING
			ERRCODE = 'UB400',
			MESSAGE = 'the key of a call has 1 to 128 characters without blanks',
			HINT = 'The same key is given when the call is repeated, so that it acts once.';
	END IF;
	INSERT INTO elecbill.bill_call (org_id, idem_key, content_sha256, call) VALUES (p_org, p_key, content, p_call)
	ON CONFLICT ON CONSTRAINT bill_call_pkey DO NOTHING RETURNING * INTO c;
	IF NOT FOUND THEN
		SELECT * INTO c FROM elecbill.bill_call x WHERE x.org_id = p_org AND x.idem_key = p_key;
		PERFORM elecbill._key_check(c.content_sha256, content, p_key);
	END IF;
	RETURN c;
END $$;
COMMENT ON FUNCTION elecbill._bill_call(integer, text, text, jsonb) IS
'notes a call by its key, before it locks anything else; one that was made before has its answer in it. NULL key: nothing. UB400, UB409 the key is that of another call';

CREATE FUNCTION elecbill._bill_answer(p_org integer, p_key text, p_answer jsonb) RETURNS void
LANGUAGE sql
BEGIN ATOMIC
	UPDATE elecbill.bill_call SET answer = p_answer WHERE org_id = p_org AND idem_key = p_key;
END;
COMMENT ON FUNCTION elecbill._bill_answer(integer, text, jsonb) IS 'keeps what a call answered';

CREATE FUNCTION elecbill._bill_cancel_check(p_bill elecbill.bill) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	name text := coalesce(p_bill.number, '#' || p_bill.id);
	later text;
BEGIN
	IF NOT p_bill.live THEN
		RAISE EXCEPTION USING
			ERRCODE = 'UB412',
			MESSAGE = format('bill %s is cancelled already', name);
	ELSIF p_bill.status = 'written_off' THEN
		RAISE EXCEPTION USING
			ERRCODE = 'UB412',
			CONSTRAINT = 'written_off',
			MESSAGE = format('bill %s is written off', name);
	ELSIF EXISTS (SELECT FROM elecbill.tax_invoice i WHERE i.bill_id = p_bill.id AND i.red_number IS NULL) THEN
		RAISE EXCEPTION USING
			ERRCODE = 'UB412',
			CONSTRAINT = 'red_letter',
			MESSAGE = format('bill %s has a tax invoice', name),
			DETAIL = format('Invoice %s.', (SELECT i.number FROM elecbill.tax_invoice i WHERE i.bill_id = p_bill.id)),
			HINT = 'Make its red-letter invoice, and enter the number by bill_red_letter().';
	END IF;
	SELECT string_agg(coalesce(x.number, '#' || x.id) || ' ' || x.service, ', ' ORDER BY x.service) INTO later
	FROM elecbill.bill x
	WHERE x.account_id = p_bill.account_id AND x.live AND lower(x.service) >= upper(p_bill.service)
		AND (elecbill._scopes(x.snapshot) && elecbill._scopes(p_bill.snapshot)
			OR EXISTS (SELECT FROM elecbill.bill_true_up t WHERE t.bill_id = x.id AND t.corrected_id = p_bill.id)
			OR EXISTS (SELECT FROM jsonb_array_elements(p_bill.snapshot -> 'parts') AS p(part)
				WHERE elecbill._looks_back(x.snapshot, (p.part ->> 'plan_id')::bigint, upper(p_bill.service))));
	IF later IS NOT NULL THEN
		RAISE EXCEPTION USING
			ERRCODE = 'UB409',
			CONSTRAINT = 'later_period_billed',
			MESSAGE = 'later bills count from this one',
			DETAIL = later,
			HINT = 'Cancel them first, the last one first; rebill() does that and bills all of them again.';
	END IF;
END $$;
COMMENT ON FUNCTION elecbill._bill_cancel_check(elecbill.bill) IS
'whether a bill may be taken back: UB412 cancelled, written off, or invoiced without a red letter, UB409 later ones count from it or correct it';

CREATE FUNCTION elecbill._bill_cancel(p_bill bigint, p_reason text, p_key text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	b elecbill.bill;
BEGIN
	SELECT * INTO b FROM elecbill.bill x WHERE x.id = p_bill FOR NO KEY UPDATE;
	PERFORM elecbill._bill_cancel_check(b);
	IF b.number IS NOT NULL THEN
		PERFORM elecbill._bill_unpost(b.id, format('%s:bill:%s', p_key, b.id));
	END IF;
	UPDATE elecbill.bill SET status = 'cancelled', cancel_reason = p_reason WHERE id = b.id;
	UPDATE elecbill.true_up_queue SET bill_id = NULL WHERE bill_id = b.id;
	PERFORM elecbill._bill_extra_free(b.id);
	PERFORM elecbill._hold_end(b.id, p_reason);
	IF b.number IS NOT NULL THEN
		DELETE FROM elecbill.usage_counter WHERE account_id = b.account_id;
		IF FOUND THEN
			PERFORM elecbill._usage_base(b.account_id, NULL);
			PERFORM elecbill._usage_count(ARRAY(SELECT x.id FROM elecbill.bill x
				WHERE x.account_id = b.account_id AND x.live AND x.number IS NOT NULL));
		END IF;
	END IF;
END $$;
COMMENT ON FUNCTION elecbill._bill_cancel(bigint, text, text) IS
'takes back a bill, whose account is locked: payments to advance credit, bookings reversed, corrections, shares and adjustments it carried wait again; errors of _bill_cancel_check()';

CREATE FUNCTION elecbill._cancel_bill(p_bill text, p_reason text, p_key text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	b elecbill.bill := elecbill._bill_get(p_bill);
	call elecbill.bill_call;
BEGIN
	IF p_reason ~ '\S' IS NOT TRUE THEN
		RAISE EXCEPTION USING ERRCODE = 'UB400', MESSAGE = 'a bill is cancelled for a reason';
	END IF;
	call := elecbill._bill_call(b.org_id, p_key, 'cancel_bill', jsonb_build_array(b.id, p_reason));
	IF call.answer IS NOT NULL THEN
		RETURN;
	END IF;
	PERFORM FROM elecbill.customer_account WHERE id = b.account_id FOR NO KEY UPDATE;	/* as _bill_batch() */
	PERFORM elecbill._bill_cancel(b.id, p_reason, 'cancel');
	PERFORM elecbill._audit(b.org_id, 'cancel_bill', coalesce(b.number, '#' || b.id),
		jsonb_build_object('status', b.status, 'amount', b.amount, 'paid', b.paid), jsonb_build_object('reason', p_reason));
	PERFORM elecbill._bill_answer(b.org_id, p_key, jsonb_build_object('bill', b.id));
END $$;
COMMENT ON FUNCTION elecbill._cancel_bill(text, text, text) IS 'what cancel_bill() does';

CREATE FUNCTION elecbill.cancel_bill(p_bill text, p_reason text, p_key text DEFAULT NULL) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	PERFORM elecbill._cancel_bill(p_bill, p_reason, p_key);
EXCEPTION WHEN OTHERS THEN
	PERFORM elecbill._refused(elecbill._org_part(p_bill), 'cancel_bill', p_bill, SQLSTATE, SQLERRM);
	RAISE;
END $$;
COMMENT ON FUNCTION elecbill.cancel_bill(text, text, text) IS
'takes back a draft or an issued bill (number, ORG/NUMBER, or id): reverses its bookings, what was paid becomes advance credit; its number stays used, bill_run_retry() or rebill() bills the days anew. key: the same call again answers the same. UB400, UB404, UB409 when later bills count their tiers, ratchets or yearly minimums from it or correct it, or the key is that of another call, UB412 cancelled before, written off, or invoiced without a red letter';

CREATE FUNCTION elecbill.bill_invoice(bill text, number text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	b elecbill.bill;
	there elecbill.tax_invoice;
BEGIN
	b := elecbill._bill_lock(bill);
	IF number ~ '^\S{1,64}$' IS NOT TRUE THEN
		RAISE EXCEPTION 'a tax invoice has a number of 1 to 64 characters without blanks' USING ERRCODE = 'UB400';
	ELSIF b.number IS NULL OR NOT b.live THEN
		RAISE EXCEPTION 'a bill that is % gets no tax invoice', b.status USING ERRCODE = 'UB412';
	END IF;
	INSERT INTO elecbill.tax_invoice (bill_id, org_id, number) VALUES (b.id, b.org_id, bill_invoice.number)
	ON CONFLICT DO NOTHING;
	IF FOUND THEN
		PERFORM elecbill._audit(b.org_id, 'bill_invoice', b.number, NULL, jsonb_build_object('invoice', bill_invoice.number));
		RETURN;
	END IF;
	SELECT * INTO there FROM elecbill.tax_invoice i WHERE i.bill_id = b.id;
	IF there.number IS DISTINCT FROM bill_invoice.number THEN
		RAISE EXCEPTION USING
			ERRCODE = 'UB409',
			MESSAGE = coalesce(format('bill %s has tax invoice %s', b.number, there.number),
				format('tax invoice %s belongs to another bill', bill_invoice.number));
	END IF;
EXCEPTION WHEN OTHERS THEN
	PERFORM elecbill._refused(elecbill._org_part(bill), 'bill_invoice', bill, SQLSTATE, SQLERRM);
	RAISE;
END $$;
COMMENT ON FUNCTION elecbill.bill_invoice(text, text) IS
'notes the number of the tax invoice that was made for an issued bill; the same again changes nothing. From then on the bill is cancelled only after bill_red_letter(). UB400, UB404, UB409 the bill has another one, or another bill has it, UB412 not issued';

CREATE FUNCTION elecbill.bill_red_letter(bill text, number text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	b elecbill.bill;
	i elecbill.tax_invoice;
BEGIN
	b := elecbill._bill_lock(bill);
	SELECT * INTO i FROM elecbill.tax_invoice x WHERE x.bill_id = b.id FOR UPDATE;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'bill % has no tax invoice', coalesce(b.number, '#' || b.id) USING ERRCODE = 'UB412';
	ELSIF number ~ '^\S{1,64}$' IS NOT TRUE OR number = i.number THEN
		RAISE EXCEPTION 'a red-letter invoice has a number of its own, 1 to 64 characters without blanks' USING ERRCODE = 'UB400';
	ELSIF i.red_number = number THEN
		RETURN;
	ELSIF i.red_number IS NOT NULL OR EXISTS (SELECT FROM elecbill.tax_invoice x
		WHERE x.org_id = b.org_id AND bill_red_letter.number IN (x.number, x.red_number))
	THEN
		RAISE EXCEPTION USING
			ERRCODE = 'UB409',
			MESSAGE = coalesce(format('invoice %s is taken back by red letter %s', i.number, i.red_number),
				format('number %s is that of another invoice', bill_red_letter.number));
	END IF;
	UPDATE elecbill.tax_invoice x SET red_number = bill_red_letter.number, red_by = elecbill.current_login(),
		red_at = elecbill.now() WHERE x.bill_id = b.id;
	PERFORM elecbill._audit(b.org_id, 'bill_red_letter', b.number, jsonb_build_object('invoice', i.number),
		jsonb_build_object('red', bill_red_letter.number));
EXCEPTION WHEN OTHERS THEN
	PERFORM elecbill._refused(elecbill._org_part(bill), 'bill_red_letter', bill, SQLSTATE, SQLERRM);
	RAISE;
END $$;
COMMENT ON FUNCTION elecbill.bill_red_letter(text, text) IS
'notes the number of the red-letter invoice (红字发票) that takes the tax invoice of a bill back; now the bill can be cancelled. UB400, UB404, UB409 another number is noted, or the number is taken, UB412 there is no tax invoice';

CREATE FUNCTION elecbill._run_cancel_begin(p_run bigint, p_reason text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	run elecbill.bill_run;
BEGIN
	run := elecbill._bill_run_get(p_run);
	IF p_reason ~ '\S' IS NOT TRUE THEN
		RAISE EXCEPTION USING ERRCODE = 'UB400', MESSAGE = 'a run is cancelled for a reason';
	END IF;
	UPDATE elecbill.bill_run SET status = 'cancelled' WHERE id = run.id;
	-- whoever rates or issues a batch is waited for; nobody begins another
	PERFORM FROM elecbill.bill_run_batch b WHERE b.run_id = run.id ORDER BY b.no FOR UPDATE;
	PERFORM elecbill._audit(run.org_id, 'run_cancel', 'run ' || run.id, jsonb_build_object('status', run.status),
		jsonb_build_object('reason', p_reason));
EXCEPTION WHEN OTHERS THEN
	PERFORM elecbill._refused(NULL, 'run_cancel', 'run ' || p_run, SQLSTATE, SQLERRM);
	RAISE;
END $$;
COMMENT ON FUNCTION elecbill._run_cancel_begin(bigint, text) IS 'stops the workers of a run that is to be cancelled. UB400, UB404';

CREATE FUNCTION elecbill._run_cancel_step(p_run bigint, p_reason text, p_after bigint, OUT last bigint, OUT done integer,
	OUT refused integer)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	run elecbill.bill_run := elecbill._bill_run_get(p_run);
	one record;
	code text;
BEGIN
	done := 0;
	refused := 0;
	FOR one IN
		SELECT b.id, b.account_id FROM elecbill.bill b
		WHERE b.run_id = p_run AND b.live AND b.account_id > p_after ORDER BY b.account_id LIMIT elecbill._batch_size()
	LOOP
		last := one.account_id;
		BEGIN
			PERFORM FROM elecbill.customer_account a WHERE a.id = one.account_id FOR NO KEY UPDATE;
			PERFORM elecbill._bill_cancel(one.id, p_reason, 'cancel');
			done := done + 1;
		EXCEPTION WHEN OTHERS THEN
			IF elecbill._not_its_fault(SQLSTATE) THEN
				RAISE;
			END IF;
			GET STACKED DIAGNOSTICS code = CONSTRAINT_NAME;
			PERFORM elecbill._bill_exception(run, one.account_id, 'warn', coalesce(nullif(code, ''), 'error'), SQLSTATE,
				SQLERRM, NULL, 'Its bill stands; take that back by itself, then cancel the run again.');
			refused := refused + 1;
		END;
	END LOOP;
END $$;
COMMENT ON FUNCTION elecbill._run_cancel_step(bigint, text, bigint) IS
'takes back the bills of some accounts of a run behind the given one; last NULL: none is left. A bill that cannot be taken back stands, bill_exception says why';

CREATE FUNCTION elecbill._run_cancel_end(p_run bigint) RETURNS void
LANGUAGE sql
BEGIN ATOMIC
	UPDATE elecbill.bill_run r SET status = CASE
		WHEN EXISTS (SELECT FROM elecbill.bill_run_batch b WHERE b.run_id = r.id AND b.state = 'pending') THEN 'rating'
		WHEN EXISTS (SELECT FROM elecbill.bill_run_batch b WHERE b.run_id = r.id AND b.issue_state = 'pending') THEN 'review'
		ELSE 'done' END
	WHERE r.id = p_run AND elecbill._org_open(r.org_id) AND EXISTS (SELECT FROM elecbill.bill b WHERE b.run_id = r.id AND b.live);
END;
COMMENT ON FUNCTION elecbill._run_cancel_end(bigint) IS 'a run with bills that stand is not cancelled';

CREATE PROCEDURE elecbill.run_cancel(run bigint, reason text, INOUT cancelled integer DEFAULT 0, INOUT refused integer DEFAULT 0)
LANGUAGE plpgsql AS $$
DECLARE
	step record;
	after_account bigint := 0;
BEGIN
	cancelled := 0;
	refused := 0;
	PERFORM elecbill._run_cancel_begin(run, reason);
	COMMIT;
	LOOP
		step := elecbill._run_cancel_step(run, reason, after_account);
		COMMIT;
		EXIT WHEN step.last IS NULL;
		after_account := step.last;
		cancelled := cancelled OPERATOR(pg_catalog.+) step.done;
		refused := refused OPERATOR(pg_catalog.+) step.refused;
	END LOOP;
	PERFORM elecbill._run_cancel_end(run);
	COMMIT;
END $$;
COMMENT ON PROCEDURE elecbill.run_cancel(bigint, text, integer, integer) IS
'takes back all bills of a run, as cancel_bill() does, and commits in batches; to be called again after a crash. Shows how many were taken back and how many stand (bill_exception says why; then the run is not cancelled). The same period can be started anew. UB400, UB404';
