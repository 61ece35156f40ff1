-- 43_bill_run.sql: billing all accounts of a cycle
-- A run is cut into batches. A worker claims a batch, rates it and commits; it can be killed anywhere
-- and started again, and any number of sessions may work on one run. An account that cannot be
-- billed is parked in bill_exception and the run goes on. Locks: the batch, then the account.

CREATE FUNCTION elecbill._statistics_fill() RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	grown text;
BEGIN
	-- Without statistics the planner takes a table for small, or for empty when ANALYZE came before the rows. Its
	-- plans would read all bills of an org for each account; autovacuum would need a minute to notice.
	FOR grown IN
		SELECT format('ANALYZE elecbill.%I', c.relname) FROM pg_class c
		WHERE c.relnamespace = 'elecbill'::regnamespace AND c.relkind = 'r' AND NOT c.relispartition AND c.relpages = 0
			AND pg_relation_size(c.oid) >= 65536
		ORDER BY c.relname
	LOOP
		EXECUTE grown;
	END LOOP;
END $$;
COMMENT ON FUNCTION elecbill._statistics_fill() IS
'ANALYZE for tables of the schema layer that have rows and no statistics, partitions excepted: an estate that was just imported, the first bills';

CREATE FUNCTION elecbill._bill_run_get(p_run bigint) RETURNS elecbill.bill_run
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	run elecbill.bill_run;
BEGIN
	SELECT * INTO run FROM elecbill.bill_run r WHERE r.id = p_run AND elecbill._org_open(r.org_id);
	IF NOT FOUND THEN
		RAISE EXCEPTION USING
			ERRCODE = 'UB404',
			MESSAGE = format('there is no bill run %s', coalesce(p_run::text, 'NULL'));
	END IF;
	RETURN run;
END $$;
COMMENT ON FUNCTION elecbill._bill_run_get(bigint) IS 'a bill run; UB404 when there is none';

CREATE FUNCTION elecbill._bill_run_cut(p_run elecbill.bill_run, p_accounts bigint[]) RETURNS integer
LANGUAGE sql
BEGIN ATOMIC
	INSERT INTO elecbill.bill_run_batch (org_id, run_id, no, account_ids)
	SELECT p_run.org_id, p_run.id,
		coalesce((SELECT max(b.no) FROM elecbill.bill_run_batch b WHERE b.run_id = p_run.id), 0)
			+ row_number() OVER (ORDER BY min(a.i)),
		array_agg(a.id ORDER BY a.i)
	FROM unnest(p_accounts) WITH ORDINALITY AS a(id, i)
	GROUP BY (a.i - 1) / elecbill._batch_size();
	SELECT coalesce(cardinality(p_accounts), 0);
END;
COMMENT ON FUNCTION elecbill._bill_run_cut(elecbill.bill_run, bigint[]) IS
'queues accounts of a run in batches of elecbill.batch_size; returns how many';

CREATE FUNCTION elecbill._not_its_fault(p_sqlstate text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN left(p_sqlstate, 2) IN ('25', '40', '53', '55', '57', '58');
COMMENT ON FUNCTION elecbill._not_its_fault(text) IS
'whether an error is nothing that an account or a tariff could help: rolled back, deadlock, resources, operator, system';

CREATE FUNCTION elecbill._bill_run_freeze(p_run elecbill.bill_run) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	one record;
BEGIN
	FOR one IN
		SELECT DISTINCT g.tariff_plan_id, g.valid * p_run.period AS days
		FROM elecbill.customer_agreement g JOIN elecbill.customer_account a ON a.id = g.account_id
		WHERE a.org_id = p_run.org_id AND a.billing_cycle_id = p_run.cycle_id AND g.valid && p_run.period
	LOOP
		BEGIN
			PERFORM elecbill._tariff_keep(jsonb_build_object(d.sha256, d.definition))
			FROM elecbill._tariff_of(one.tariff_plan_id, one.days, p_run.known_at) AS t,
				LATERAL elecbill._tariff_definition(t.tariff) AS d;
		EXCEPTION WHEN OTHERS THEN
			IF elecbill._not_its_fault(SQLSTATE) THEN
				RAISE;
			END IF;
			NULL;	/* the accounts concerned will say it in bill_exception */
		END;
	END LOOP;
END $$;
COMMENT ON FUNCTION elecbill._bill_run_freeze(elecbill.bill_run) IS
'keeps the tariffs of a run before its workers begin: two of them that insert the same one would wait for each other';

CREATE FUNCTION elecbill.bill_run_start(p_org text, p_cycle text, p_period daterange,
	p_kind text DEFAULT 'regular') RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	org elecbill.org;
	cycle elecbill.billing_cycle;
	run elecbill.bill_run;
BEGIN
	IF NOT elecbill._both_ends(p_period) THEN
		RAISE EXCEPTION USING ERRCODE = 'UB400', MESSAGE = 'a bill run needs a period with both ends';
	END IF;
	IF p_kind IN ('regular', 'offcycle', 'final') IS NOT TRUE THEN
		RAISE EXCEPTION USING
			ERRCODE = 'UB400',
			MESSAGE = format('a bill run is not started with kind %s', quote_nullable(p_kind)),
			HINT = 'Use regular, offcycle or final; rebill() and rebill_run() make the runs of kind rebill.';
	END IF;
	SELECT * INTO org FROM elecbill.org o WHERE o.code = p_org AND elecbill._org_open(o.id);
	SELECT * INTO cycle FROM elecbill.billing_cycle WHERE org_id = org.id AND code = p_cycle;
	IF cycle.id IS NULL THEN
		RAISE EXCEPTION USING
			ERRCODE = 'UB404',
			MESSAGE = format('there is no billing cycle %s of organisation %s',
				quote_nullable(p_cycle), quote_nullable(p_org));
	END IF;
	IF p_kind = 'regular' AND p_period <> elecbill.billing_period(p_org, p_cycle, lower(p_period)) THEN
		RAISE EXCEPTION USING
			ERRCODE = 'UB400',
			MESSAGE = format('%s is not a period of cycle %s', p_period, quote_literal(p_cycle)),
			DETAIL = format('Its period there is %s.',
				elecbill.billing_period(p_org, p_cycle, lower(p_period))),
			HINT = 'Bill any other days with kind offcycle.';
	END IF;
	IF elecbill.day_start(upper(p_period), org.zone) > elecbill.now() THEN
		RAISE EXCEPTION USING
			ERRCODE = 'UB412',
			MESSAGE = format('the period %s is not over', p_period),
			HINT = 'simulate_bill() shows what a period costs before it is billed.';
	END IF;

	run := elecbill._bill_run_add(org.id, cycle.id, p_period, p_kind, NULL, false);
	IF EXISTS (SELECT FROM elecbill.bill_run_batch b WHERE b.run_id = run.id) OR run.status <> 'new' THEN
		RETURN run.id;
	END IF;
	PERFORM elecbill._statistics_fill();
	PERFORM elecbill._price_check(run);
	PERFORM elecbill._bill_run_freeze(run);
	PERFORM elecbill._bill_run_cut(run, elecbill._bill_run_accounts(run));
	RETURN run.id;
EXCEPTION WHEN OTHERS THEN
	PERFORM elecbill._refused(p_org, 'bill_run_start', format('%s %s', p_cycle, p_period), SQLSTATE, SQLERRM);
	RAISE;
END $$;
COMMENT ON FUNCTION elecbill.bill_run_start(text, text, daterange, text) IS
'makes a run for the accounts of a cycle (codes of org and cycle) over local days [from, to) and cuts its batches; the same arguments return the same run, or a new one after that was cancelled. kind regular: a period of the cycle; offcycle: any days; final: the accounts whose agreements end in the period, from their first day without a bill on. UB400 not a period, UB404 no such cycle, UB412 the period is not over, or a price series that bills read by their month has no price for it';

CREATE FUNCTION elecbill._bill_run_add(p_org integer, p_cycle bigint, p_period daterange, p_kind text, p_account bigint,
	p_new boolean) RETURNS elecbill.bill_run
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	run elecbill.bill_run;
	last_seq integer;
BEGIN
	-- two that start the same run meet at its key; the second then finds what the first has made
	LOOP
		SELECT max(r.seq) INTO last_seq FROM elecbill.bill_run r
		WHERE r.org_id = p_org AND r.cycle_id = p_cycle AND r.period = p_period AND r.kind = p_kind;
		IF NOT p_new THEN
			SELECT * INTO run FROM elecbill.bill_run r
			WHERE r.org_id = p_org AND r.cycle_id = p_cycle AND r.period = p_period AND r.kind = p_kind
				AND r.account_id IS NULL AND r.status <> 'cancelled';
			EXIT WHEN FOUND;
		END IF;
		INSERT INTO elecbill.bill_run (org_id, cycle_id, period, kind, known_at, cutoff_at, seq, account_id)
		VALUES (p_org, p_cycle, p_period, p_kind, elecbill.now(), elecbill.now(), coalesce(last_seq, 0) + 1, p_account)
		ON CONFLICT ON CONSTRAINT bill_run_cycle_period_kind_key DO NOTHING
		RETURNING * INTO run;
		EXIT WHEN FOUND;
	END LOOP;
	RETURN run;
END $$;
COMMENT ON FUNCTION elecbill._bill_run_add(integer, bigint, daterange, text, bigint, boolean) IS
'a run of a cycle, or of one of its accounts, with the next number of its kind; unless new is asked for, the run of the cycle that is there and not cancelled';

CREATE FUNCTION elecbill._bill_run_accounts(p_run elecbill.bill_run) RETURNS bigint[]
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	-- an account whose agreements lie before or after the period has moved out or not yet in; one
	-- that never had any is a mistake to be seen
	RETURN (
		SELECT array_agg(a.id ORDER BY a.account_no)
		FROM elecbill.customer_account a
		LEFT JOIN LATERAL (SELECT max(coalesce(upper(g.valid), 'infinity')) AS ends FROM elecbill.customer_agreement g
			WHERE g.account_id = a.id AND (p_run.kind = 'final' OR g.valid && p_run.period)) AS g ON true
		WHERE a.org_id = p_run.org_id AND a.billing_cycle_id = p_run.cycle_id
			AND CASE WHEN p_run.kind = 'final' THEN g.ends > lower(p_run.period) AND g.ends <= upper(p_run.period)
				ELSE g.ends IS NOT NULL
					OR NOT EXISTS (SELECT FROM elecbill.customer_agreement x WHERE x.account_id = a.id) END
			-- prepay_run() may have been here first
			AND NOT (a.mode = 'prepaid' AND EXISTS (SELECT FROM elecbill.bill b JOIN elecbill.bill_run r ON r.id = b.run_id
				WHERE b.account_id = a.id AND b.live AND b.service <@ p_run.period AND r.account_id = a.id
					AND upper(b.service) = least(upper(p_run.period), g.ends::date)))
			-- who has moved out and has a final bill is done with
			AND NOT EXISTS (SELECT FROM elecbill.bill b WHERE b.account_id = a.id AND b.live AND b.kind = 'final'
				AND upper(b.service) >= g.ends));
END $$;
COMMENT ON FUNCTION elecbill._bill_run_accounts(elecbill.bill_run) IS
'the accounts of the cycle of a run with an agreement in its period or without any at all, in the order of their numbers; of a final run those whose last agreement ends in it';

CREATE FUNCTION elecbill._bill_accounts(p_run elecbill.bill_run, p_accounts bigint[],
	OUT bills integer, OUT parked integer)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	made record;
	again bigint[];
	size integer;
	one record;
	code text;
	message text;
	detail text;
	hint text;
BEGIN
	bills := 0;
	parked := 0;
	BEGIN
		made := elecbill._bill_batch(p_run, p_accounts);
		bills := made.bills;
		again := made.alone;
		size := 1;
	EXCEPTION WHEN OTHERS THEN
		IF elecbill._not_its_fault(SQLSTATE) THEN
			RAISE;
		END IF;
		IF cardinality(p_accounts) = 1 THEN
			GET STACKED DIAGNOSTICS code = CONSTRAINT_NAME, message = MESSAGE_TEXT,
				detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
			PERFORM elecbill._bill_exception(p_run, p_accounts[1], 'error',
				CASE WHEN code = 'bill_service_excl' THEN 'already_billed'
					WHEN SQLSTATE LIKE 'UB%' AND code <> '' THEN code ELSE 'error' END,
				SQLSTATE, message, detail, hint);
			parked := 1;
			RETURN;
		END IF;
		again := p_accounts;
		size := (cardinality(p_accounts) + 1) / 2;
	END;
	FOR one IN
		SELECT h.* FROM generate_series(1, cardinality(again), size) AS f,
			elecbill._bill_accounts(p_run, again[f:f + size - 1]) AS h
	LOOP
		bills := bills + one.bills;
		parked := parked + one.parked;
	END LOOP;
END $$;
COMMENT ON FUNCTION elecbill._bill_accounts(elecbill.bill_run, bigint[]) IS
'bills accounts in one subtransaction, then one by one those that have to be looked at; when it fails, halves them until the bad ones are alone, and parks those';

CREATE FUNCTION elecbill._bill_run_begin(p_run bigint) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	PERFORM elecbill._bill_run_get(p_run);
	UPDATE elecbill.bill_run SET status = 'rating', started_at = coalesce(started_at, elecbill.now())
	WHERE id = p_run AND status = 'new';
	PERFORM elecbill._allocation_prepare(p_run);
END $$;
COMMENT ON FUNCTION elecbill._bill_run_begin(bigint) IS 'marks the beginning of a run and works out what is shared in it; UB404 no such run';

CREATE FUNCTION elecbill._bill_run_batch(p_run bigint) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET jit = off
SET datestyle = 'ISO, YMD' SET intervalstyle = 'postgres' AS $$
DECLARE
	run elecbill.bill_run;
	batch elecbill.bill_run_batch;
	total integer;
	made record;
BEGIN
	PERFORM elecbill._bill_run_get(p_run);
	-- a month that is dropped between two looks of one statement would be neither in reading nor in reading_kept
	LOCK TABLE ONLY elecbill.reading IN ACCESS SHARE MODE;
	SELECT * INTO batch FROM elecbill.bill_run_batch b
	WHERE b.run_id = p_run AND b.state = 'pending' ORDER BY b.no LIMIT 1 FOR UPDATE SKIP LOCKED;
	IF NOT FOUND THEN
		-- the last worker to finish finds nothing pending; others leave that to it
		UPDATE elecbill.bill_run SET status = 'review' WHERE id = p_run AND status = 'rating'
			AND NOT EXISTS (SELECT FROM elecbill.bill_run_batch b
				WHERE b.run_id = p_run AND b.state = 'pending');
		RETURN false;
	END IF;
	-- after the claim: run_cancel() waits for claimed batches
	run := elecbill._bill_run_get(p_run);
	IF run.status = 'cancelled' THEN
		RAISE EXCEPTION USING ERRCODE = 'UB412', MESSAGE = format('bill run %s is cancelled', p_run);
	END IF;
	SELECT count(*) INTO total FROM elecbill.bill_run_batch b WHERE b.run_id = p_run;
	PERFORM set_config('application_name', format('elecbill bill_run %s %s/%s', p_run, batch.no, total),
		false);
	PERFORM elecbill._statistics_fill();
	made := elecbill._bill_accounts(run, batch.account_ids);
	UPDATE elecbill.bill_run_batch
	SET state = 'done', bills = made.bills, parked = made.parked, finished_at = elecbill.now()
	WHERE run_id = p_run AND no = batch.no;
	RETURN true;
END $$;
COMMENT ON FUNCTION elecbill._bill_run_batch(bigint) IS
'claims a pending batch, rates its accounts and marks it done, all in the transaction of the caller; false when none is left to claim. UB412 the run is cancelled';

-- Procedures that commit cannot pin their search_path: everything is qualified, operators too.
CREATE PROCEDURE elecbill.bill_run_work(p_run bigint, p_max_batches integer DEFAULT NULL)
LANGUAGE plpgsql AS $$
DECLARE
	former text := pg_catalog.current_setting('application_name');
	done integer := 0;
BEGIN
	PERFORM elecbill._bill_run_begin(p_run);
	COMMIT;
	LOOP
		EXIT WHEN done OPERATOR(pg_catalog.>=) p_max_batches;
		EXIT WHEN NOT elecbill._bill_run_batch(p_run);
		COMMIT;
		done := done OPERATOR(pg_catalog.+) 1;
	END LOOP;
	PERFORM pg_catalog.set_config('application_name', former, false);
	COMMIT;
END $$;
COMMENT ON PROCEDURE elecbill.bill_run_work(bigint, integer) IS
'rates the pending batches of a run, at most max_batches, and commits each; in any number of sessions at once, to be called again after a crash or an error. application_name shows the progress';

CREATE FUNCTION elecbill.bill_run_retry(p_run bigint, p_known_at timestamptz DEFAULT NULL) RETURNS integer
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	run elecbill.bill_run := elecbill._bill_run_get(p_run);
	again bigint[];
BEGIN
	IF p_known_at < run.known_at OR p_known_at > elecbill.now() THEN
		RAISE EXCEPTION USING
			ERRCODE = 'UB400',
			MESSAGE = 'a run is retried by what was known since it was made',
			DETAIL = format('It knows what was known at %s; asked for %s.', run.known_at, p_known_at);
	END IF;
	SELECT * INTO run FROM elecbill.bill_run WHERE id = p_run FOR UPDATE;
	IF run.status = 'cancelled' THEN
		RAISE EXCEPTION USING ERRCODE = 'UB412', MESSAGE = format('bill run %s is cancelled', p_run);
	END IF;
	SELECT array_agg(a.id ORDER BY a.account_no) INTO again
	FROM elecbill.customer_account a
	WHERE a.id IN (SELECT unnest(b.account_ids) FROM elecbill.bill_run_batch b
			WHERE b.run_id = p_run AND b.state = 'done'
			EXCEPT SELECT unnest(b.account_ids) FROM elecbill.bill_run_batch b
			WHERE b.run_id = p_run AND b.state = 'pending')
		AND NOT EXISTS (SELECT FROM elecbill.bill b
			WHERE b.account_id = a.id AND b.run_id = p_run AND b.live);
	IF again IS NULL THEN
		RETURN 0;
	END IF;
	UPDATE elecbill.bill_exception SET state = 'retried'
	WHERE run_id = p_run AND account_id = ANY (again) AND state = 'parked';
	UPDATE elecbill.bill_run SET status = 'rating', known_at = coalesce(p_known_at, known_at), cutoff_at = elecbill.now(),
		approved_at = NULL, approved_by = NULL, approved_bills = NULL, approved_amount = NULL
	WHERE id = p_run RETURNING * INTO run;
	PERFORM elecbill._bill_run_freeze(run);
	RETURN elecbill._bill_run_cut(run, again);
END $$;
COMMENT ON FUNCTION elecbill.bill_run_retry(bigint, timestamptz) IS
'queues again every account of a run that has no live bill in it: parked ones, and those whose bill was cancelled. Returns how many; bill_run_work() rates them, by readings and agreements as they are and by tariffs, riders, prices and calendars as they were known when the run was made, or at known_at (elecbill.now(): with all corrections). Bills that are made stay. UB400 known_at before the run was made, or in the future, UB412 the run is cancelled';

CREATE PROCEDURE elecbill.bill_month(p_org text, p_cycle text, p_month text)
LANGUAGE plpgsql AS $$
DECLARE
	run_id bigint;
BEGIN
	run_id := elecbill._bill_month_start(p_org, p_cycle, p_month);
	COMMIT;
	CALL elecbill.bill_run_work(run_id, NULL);
	CALL elecbill.bill_run_issue(run_id);
END $$;
COMMENT ON PROCEDURE elecbill.bill_month(text, text, text) IS
'bills a month YYYY-MM in one call: start, rate, issue without a review. Month = the period of the cycle that begins in it';

CREATE FUNCTION elecbill._bill_month_start(p_org text, p_cycle text, p_month text) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	period daterange;
BEGIN
	IF p_month IS NULL OR p_month !~ '^[0-9]{4}-(0[1-9]|1[0-2])$' THEN
		RAISE EXCEPTION USING
			ERRCODE = 'UB400',
			MESSAGE = format('%s is not a month', quote_nullable(p_month)),
			HINT = 'Write it as YYYY-MM, for instance 2026-01.';
	END IF;
	period := elecbill.billing_period(p_org, p_cycle, (p_month || '-28')::date);
	IF to_char(lower(period), 'YYYY-MM') <> p_month THEN
		RAISE EXCEPTION USING
			ERRCODE = 'UB400',
			MESSAGE = format('no period of cycle %s begins in %s', quote_literal(p_cycle), p_month),
			HINT = format('%s lies in the period that begins in %s.', p_month, to_char(lower(period), 'YYYY-MM'));
	END IF;
	RETURN elecbill.bill_run_start(p_org, p_cycle, period);
END $$;
COMMENT ON FUNCTION elecbill._bill_month_start(text, text, text) IS
'starts the run of bill_month(); UB400 when the month is none, or no period begins in it';
