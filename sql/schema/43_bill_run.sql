-- 43_bill_run.sql: billing all accounts of a cycle
-- A run is cut into batches. A worker claims a batch, rates it and commits; it can be killed anywhere
-- and started again, and any number of sessions may work on one run. An account that cannot be
-- billed is parked in bill_exception and the run goes on.

CREATE FUNCTION elecbill._bill_run_get(p_run bigint) RETURNS elecbill.bill_run
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	run elecbill.bill_run;
BEGIN
	SELECT * INTO run FROM elecbill.bill_run WHERE id = p_run;
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

CREATE FUNCTION elecbill._tariff_keep(p_definitions jsonb) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	INSERT INTO elecbill.tariff_snapshot (sha256, definition)
	SELECT decode(d.key, 'hex'), d.value FROM jsonb_each(p_definitions) AS d
	WHERE NOT EXISTS (SELECT FROM elecbill.tariff_snapshot t WHERE t.sha256 = decode(d.key, 'hex'))
	ORDER BY 1
	ON CONFLICT DO NOTHING;
END $$;
COMMENT ON FUNCTION elecbill._tariff_keep(jsonb) IS
'keeps definitions, given as {sha256: definition}, in tariff_snapshot';

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
	IF p_kind IS NULL OR p_kind NOT IN ('regular', 'offcycle') THEN
		RAISE EXCEPTION USING
			ERRCODE = CASE WHEN p_kind IN ('final', 'rebill') THEN '0A000' ELSE 'UB400' END,
			MESSAGE = format('bill runs of kind %s are not known to this version', quote_nullable(p_kind)),
			HINT = 'Use regular or offcycle.';
	END IF;
	SELECT * INTO org FROM elecbill.org WHERE code = p_org;
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

	INSERT INTO elecbill.bill_run (org_id, cycle_id, period, kind, known_at)
	VALUES (org.id, cycle.id, p_period, p_kind, elecbill.now())
	ON CONFLICT ON CONSTRAINT bill_run_cycle_period_kind_key DO NOTHING
	RETURNING * INTO run;
	IF NOT FOUND THEN
		RETURN (SELECT r.id FROM elecbill.bill_run r WHERE r.org_id = org.id AND r.cycle_id = cycle.id
			AND r.period = p_period AND r.kind = p_kind);
	END IF;
	PERFORM elecbill._bill_run_freeze(run);
	-- an account whose agreements lie before or after the period has moved out or not yet in; one
	-- that never had any is a mistake to be seen
	PERFORM elecbill._bill_run_cut(run, array_agg(a.id ORDER BY a.account_no))
	FROM elecbill.customer_account a
	WHERE a.org_id = org.id AND a.billing_cycle_id = cycle.id
		AND (EXISTS (SELECT FROM elecbill.customer_agreement g
				WHERE g.account_id = a.id AND g.valid && p_period)
			OR NOT EXISTS (SELECT FROM elecbill.customer_agreement g WHERE g.account_id = a.id));
	RETURN run.id;
END $$;
COMMENT ON FUNCTION elecbill.bill_run_start(text, text, daterange, text) IS
'makes a run for the accounts of a cycle (codes of org and cycle) over local days [from, to) and cuts its batches; the same arguments return the same run. kind regular: a period of the cycle; offcycle: any days. UB400 not a period, UB404 no such cycle, UB412 the period is not over';

CREATE FUNCTION elecbill._bill_account(p_run elecbill.bill_run, p_account bigint) RETURNS integer
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	there record;
	r record;
	bill_key bigint;
BEGIN
	-- one bill of an account at a time is made or taken back: the tiers of one rest on the others
	PERFORM FROM elecbill.customer_account WHERE id = p_account FOR NO KEY UPDATE;
	SELECT b.run_id, b.service, coalesce(b.number, b.status) AS name INTO there FROM elecbill.bill b
	WHERE b.account_id = p_account AND b.live AND b.kind IN ('regular', 'final')
		AND b.service && p_run.period
	ORDER BY b.run_id = p_run.id DESC LIMIT 1;
	IF FOUND AND there.run_id = p_run.id THEN
		RETURN 0;
	ELSIF FOUND THEN
		RAISE EXCEPTION USING
			ERRCODE = 'UB409',
			CONSTRAINT = 'already_billed',
			MESSAGE = 'the account has a bill for some of these days already',
			DETAIL = format('Bill %s covers %s.', there.name, there.service),
			HINT = 'Cancel that bill, or run the remaining days with kind offcycle.';
	END IF;

	r := elecbill._rate_account(p_account, p_run.period, p_run.known_at, NULL);
	PERFORM elecbill._tariff_keep(r.definitions);
	INSERT INTO elecbill.bill (org_id, account_id, run_id, kind, service, amount, snapshot)
	VALUES (p_run.org_id, p_account, p_run.id, 'regular', r.service,
		(SELECT coalesce(sum(l.amount), 0) FROM unnest(r.lines) AS l), r.snapshot)
	RETURNING id INTO bill_key;
	INSERT INTO elecbill.bill_segment (org_id, bill_id, n, agreement_id, usage_point_id,
		installation_id, during, register_id, start_at, start_wh, end_at, end_wh, multiplier,
		energy_wh, missing_s, quality)
	SELECT s.org_id, bill_key, s.n, s.agreement_id, s.usage_point_id, s.installation_id, s.during,
		s.register_id, s.start_at, s.start_wh, s.end_at, s.end_wh, s.multiplier, s.energy_wh,
		s.missing_s, s.quality
	FROM unnest(r.segments) AS s;
	INSERT INTO elecbill.bill_line (org_id, bill_id, n, segment_id, tariff_version_id, kind, component,
		grp, label, period, tier, quantity, unit, price, factor, amount_raw, amount, during, quality)
	SELECT l.org_id, bill_key, l.n, s.id, l.tariff_version_id, l.kind, l.component, l.grp, l.label,
		l.period, l.tier, l.quantity, l.unit, l.price, l.factor, l.amount_raw, l.amount, l.during,
		l.quality
	FROM unnest(r.lines) AS l
	JOIN elecbill.bill_segment s ON s.bill_id = bill_key AND s.n = l.segment_id;

	UPDATE elecbill.bill_exception SET state = 'resolved'
	WHERE run_id = p_run.id AND account_id = p_account AND severity = 'error' AND state <> 'resolved';
	IF r.missing_s > 0 THEN
		PERFORM elecbill._bill_exception(p_run, p_account, 'warn', 'missing_readings', '01000',
			'readings are missing in the period; what passed unmeasured is not billed',
			format('%s of %s.', justify_interval(make_interval(secs => r.missing_s)), r.service),
			'The lines of the bill say so. Late readings do not change a bill.');
	ELSIF EXISTS (SELECT FROM unnest(r.segments) AS s WHERE s.quality = 'estimated') THEN
		PERFORM elecbill._bill_exception(p_run, p_account, 'warn', 'estimated_readings', '01000',
			'readings are too far apart for the periods of the tariff',
			'The energy between two readings was shared over the periods by time.',
			'The lines of the bill say so. Read the meter more often, or put the account on a tariff without periods.');
	END IF;
	RETURN 1;
END $$;
COMMENT ON FUNCTION elecbill._bill_account(elecbill.bill_run, bigint) IS
'writes the draft bill of an account; 0 when this run made it before. UB409 when another live bill covers some of the days, and the errors of rating';

CREATE FUNCTION elecbill._bill_exception(p_run elecbill.bill_run, p_account bigint, p_severity text,
	p_code text, p_sqlstate text, p_message text, p_detail text, p_hint text) RETURNS void
LANGUAGE sql
BEGIN ATOMIC
	INSERT INTO elecbill.bill_exception AS e
		(org_id, run_id, account_id, severity, code, sqlstate, message, detail, hint, state)
	VALUES (p_run.org_id, p_run.id, p_account, p_severity, p_code, p_sqlstate, p_message,
		nullif(p_detail, ''), nullif(p_hint, ''), CASE p_severity WHEN 'warn' THEN 'noted' ELSE 'parked' END)
	ON CONFLICT (run_id, account_id) DO UPDATE SET severity = excluded.severity, code = excluded.code,
		sqlstate = excluded.sqlstate, message = excluded.message, detail = excluded.detail,
		hint = excluded.hint, state = excluded.state, at = excluded.at;
END;
COMMENT ON FUNCTION elecbill._bill_exception(elecbill.bill_run, bigint, text, text, text, text, text, text) IS
'writes what a run has to say about an account; the last word counts';

CREATE FUNCTION elecbill._bill_accounts(p_run elecbill.bill_run, p_accounts bigint[],
	OUT bills integer, OUT parked integer)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	account bigint;
	half integer := cardinality(p_accounts) / 2;
	one record;
	code text;
	message text;
	detail text;
	hint text;
BEGIN
	bills := 0;
	parked := 0;
	FOREACH account IN ARRAY p_accounts LOOP
		bills := bills + elecbill._bill_account(p_run, account);
	END LOOP;
EXCEPTION WHEN OTHERS THEN
	IF elecbill._not_its_fault(SQLSTATE) THEN
		RAISE;
	END IF;
	IF half > 0 THEN
		bills := 0;
		parked := 0;
		FOR one IN
			SELECT h.* FROM unnest(ARRAY[1, half + 1], ARRAY[half, cardinality(p_accounts)]) AS c(f, t),
				elecbill._bill_accounts(p_run, p_accounts[c.f:c.t]) AS h
		LOOP
			bills := bills + one.bills;
			parked := parked + one.parked;
		END LOOP;
		RETURN;
	END IF;
	GET STACKED DIAGNOSTICS code = CONSTRAINT_NAME, message = MESSAGE_TEXT,
		detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
	PERFORM elecbill._bill_exception(p_run, p_accounts[1], 'error',
		CASE WHEN code = 'bill_service_excl' THEN 'already_billed'
			WHEN SQLSTATE LIKE 'UB%' AND code <> '' THEN code ELSE 'error' END,
		SQLSTATE, message, detail, hint);
	bills := 0;
	parked := 1;
END $$;
COMMENT ON FUNCTION elecbill._bill_accounts(elecbill.bill_run, bigint[]) IS
'bills accounts in one subtransaction; when one fails, halves them until the bad ones are alone, and parks those';

CREATE FUNCTION elecbill._bill_run_begin(p_run bigint) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	PERFORM elecbill._bill_run_get(p_run);
	UPDATE elecbill.bill_run SET status = 'rating', started_at = coalesce(started_at, elecbill.now())
	WHERE id = p_run AND status = 'new';
END $$;
COMMENT ON FUNCTION elecbill._bill_run_begin(bigint) IS 'marks the beginning of a run; UB404 no such run';

CREATE FUNCTION elecbill._bill_run_batch(p_run bigint) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET jit = off
SET datestyle = 'ISO, YMD' SET intervalstyle = 'postgres' AS $$
DECLARE
	run elecbill.bill_run := elecbill._bill_run_get(p_run);
	batch elecbill.bill_run_batch;
	total integer;
	made record;
BEGIN
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
	SELECT count(*) INTO total FROM elecbill.bill_run_batch b WHERE b.run_id = p_run;
	PERFORM set_config('application_name', format('elecbill bill_run %s %s/%s', p_run, batch.no, total),
		false);
	made := elecbill._bill_accounts(run, batch.account_ids);
	UPDATE elecbill.bill_run_batch
	SET state = 'done', bills = made.bills, parked = made.parked, finished_at = elecbill.now()
	WHERE run_id = p_run AND no = batch.no;
	RETURN true;
END $$;
COMMENT ON FUNCTION elecbill._bill_run_batch(bigint) IS
'claims a pending batch, rates its accounts and marks it done, all in the transaction of the caller; false when none is left to claim';

CREATE FUNCTION elecbill._bill_statistics_empty() RETURNS boolean
LANGUAGE sql STABLE
BEGIN ATOMIC
	SELECT EXISTS (SELECT FROM elecbill.bill) AND EXISTS (SELECT FROM pg_class c
		WHERE c.oid IN ('elecbill.bill'::regclass, 'elecbill.bill_segment'::regclass, 'elecbill.bill_line'::regclass)
			AND c.reltuples = 0);
END;
COMMENT ON FUNCTION elecbill._bill_statistics_empty() IS
'whether there are bills, but the planner takes their tables for empty: somebody ran ANALYZE before the first run. Its plans would read all bills of an org for each account';

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
		IF elecbill._bill_statistics_empty() THEN
			ANALYZE elecbill.bill, elecbill.bill_segment, elecbill.bill_line;
			COMMIT;
		END IF;
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
	PERFORM FROM elecbill.bill_run WHERE id = p_run FOR UPDATE;
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
	UPDATE elecbill.bill_run SET status = 'rating', known_at = coalesce(p_known_at, known_at) WHERE id = p_run
	RETURNING * INTO run;
	PERFORM elecbill._bill_run_freeze(run);
	RETURN elecbill._bill_run_cut(run, again);
END $$;
COMMENT ON FUNCTION elecbill.bill_run_retry(bigint, timestamptz) IS
'queues again every account of a run that has no live bill in it: parked ones, and those whose bill was cancelled. Returns how many; bill_run_work() rates them, by readings and agreements as they are and by tariffs, riders, prices and calendars as they were known when the run was made, or at known_at (elecbill.now(): with all corrections). Bills that are made stay. UB400 known_at before the run was made, or in the future';

CREATE FUNCTION elecbill._bill_issue_batch(p_run bigint) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	run elecbill.bill_run := elecbill._bill_run_get(p_run);
	batch elecbill.bill_run_batch;
	today date;
	due_days integer;
	drafts bigint[];
	last_no bigint;
BEGIN
	IF run.status IN ('new', 'rating') THEN
		RAISE EXCEPTION USING
			ERRCODE = 'UB412',
			MESSAGE = format('bill run %s is not rated to its end', p_run),
			HINT = format('CALL elecbill.bill_run_work(%s) rates what is left.', p_run);
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
	drafts := ARRAY(
		SELECT b.id
		FROM elecbill.bill b JOIN elecbill.customer_account a ON a.id = b.account_id
		WHERE b.run_id = p_run AND b.account_id = ANY (batch.account_ids) AND b.status = 'draft'
		ORDER BY a.account_no FOR UPDATE OF b);	/* whoever cancels or holds one is waited for */
	IF drafts = '{}' THEN
		RETURN true;
	END IF;
	PERFORM elecbill._usage_count(drafts);
	SELECT (elecbill.now() AT TIME ZONE o.zone)::date, c.due_days INTO today, due_days
	FROM elecbill.org o, elecbill.billing_cycle c WHERE o.id = run.org_id AND c.id = run.cycle_id;
	-- the counter comes last: who waits for it waits no longer than this batch takes to commit
	INSERT INTO elecbill.number_counter AS c (org_id, kind, year, last)
	VALUES (run.org_id, 'bill', extract(year FROM today), cardinality(drafts))
	ON CONFLICT (org_id, kind, year) DO UPDATE SET last = c.last + excluded.last
	RETURNING c.last INTO last_no;
	UPDATE elecbill.bill b
	SET status = 'issued', issued_at = elecbill.now(), due_on = today + due_days,
		number = format('%s-%s', extract(year FROM today),
			lpad(d.no::text, greatest(6, length(d.no::text)), '0'))
	FROM (SELECT u.id, last_no - cardinality(drafts) + u.i AS no
		FROM unnest(drafts) WITH ORDINALITY AS u(id, i)) AS d
	WHERE b.id = d.id;
	RETURN true;
END $$;
COMMENT ON FUNCTION elecbill._bill_issue_batch(bigint) IS
'claims a batch that is not issued, gives its drafts numbers and due dates; false when none is left to claim, UB412 when the run is not rated to its end';

CREATE FUNCTION elecbill._bill_issue_begin(p_run bigint) RETURNS void
LANGUAGE sql
BEGIN ATOMIC
	UPDATE elecbill.bill_run SET status = 'issuing' WHERE id = p_run AND status = 'review';
END;
COMMENT ON FUNCTION elecbill._bill_issue_begin(bigint) IS 'marks that a reviewed run is being issued';

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
'issues the drafts of a rated run, held ones excepted, and commits each batch: gapless numbers in the order of account numbers (one session), due dates, usage counters. UB412 when batches are not rated';

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
