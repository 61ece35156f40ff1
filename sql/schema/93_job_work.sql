-- 93_job_work.sql: what each kind of job does, a step at a time
--
-- A step is called again, in a transaction of its own, until it says that there is no more to do. It
-- gets the run with the number of steps that were done before, and looks for what is left.

CREATE FUNCTION elecbill._work_pack(p_org text, p_day date, p_step integer, OUT more boolean, OUT rows bigint)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	more := true;
	rows := 0;
	CASE p_step
	WHEN 0 THEN
		PERFORM elecbill._pack_begin(p_org, p_day);
	WHEN 1 THEN
		PERFORM elecbill._pack_wait('reading');
	WHEN 2 THEN
		PERFORM elecbill._pack_wait('meter_installation');
	ELSE
		more := elecbill._pack_batch(p_org, p_day);
		rows := more::integer;
		IF NOT more THEN
			PERFORM elecbill._profile_analyze();
		END IF;
	END CASE;
END $$;
COMMENT ON FUNCTION elecbill._work_pack(text, date, integer) IS 'a step of pack_profiles() before a local day; counts batches';

CREATE FUNCTION elecbill._work_vee(p_org text, p_days daterange, p_step integer, OUT more boolean, OUT rows bigint)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	todo daterange[];
BEGIN
	-- the periods of all cycles that hold a day before one of the days
	SELECT array_agg(p.period ORDER BY p.period) INTO todo
	FROM (SELECT DISTINCT elecbill.billing_period(p_org, c.code, d.day::date) AS period
		FROM elecbill.billing_cycle c,
			generate_series(greatest(lower(p_days) - 1, upper(p_days) - 62), upper(p_days) - 2, interval '1 day') AS d(day)
		WHERE c.org_id = elecbill._org_get(p_org)
			AND EXISTS (SELECT FROM elecbill.customer_account a WHERE a.billing_cycle_id = c.id)) AS p;
	IF todo IS NOT NULL THEN
		rows := (SELECT sum(v.found) FROM elecbill.vee_run(p_org, todo[p_step + 1]) AS v);
	END IF;
	more := p_step + 1 < cardinality(todo) IS TRUE;
END $$;
COMMENT ON FUNCTION elecbill._work_vee(text, daterange, integer) IS 'a step of the job vee_run: vee_run() over the next billing period that the days before those touch (two months back at most), so that the rules for whole periods look when one is over; counts what is found';

CREATE FUNCTION elecbill._bill_cycle_next(p_cycle elecbill.billing_cycle, p_org text, p_day date) RETURNS daterange
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	billed daterange := (SELECT r.period FROM elecbill.bill_run r WHERE r.org_id = p_cycle.org_id AND r.cycle_id = p_cycle.id
		AND r.kind = 'regular' ORDER BY r.period DESC LIMIT 1);
	coming daterange := CASE WHEN billed IS NOT NULL THEN elecbill.billing_period(p_org, p_cycle.code, upper(billed))
		ELSE elecbill.billing_period(p_org, p_cycle.code, lower(elecbill.billing_period(p_org, p_cycle.code, p_day)) - 1) END;
BEGIN
	IF upper(coming) <= p_day AND EXISTS (SELECT FROM elecbill.customer_account a JOIN elecbill.customer_agreement g
		ON g.account_id = a.id AND g.valid && coming WHERE a.billing_cycle_id = p_cycle.id)
	THEN
		RETURN coming;
	END IF;
	RETURN NULL;
END $$;
COMMENT ON FUNCTION elecbill._bill_cycle_next(elecbill.billing_cycle, text, date) IS 'the next period of a cycle to be billed, when it is over on a local day: the one behind the last run, also behind a cancelled one, which is for people to begin again; before any run the last that is over. NULL: none, or nobody has an agreement in it';

CREATE FUNCTION elecbill._work_bill(p_org text, p_params jsonb, p_day date, OUT more boolean, OUT rows bigint, OUT detail text)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	cycle elecbill.billing_cycle := (SELECT c FROM elecbill.billing_cycle c
		WHERE c.org_id = elecbill._org_get(p_org) AND c.code = p_params ->> 'cycle');
	run elecbill.bill_run;
	period daterange;
BEGIN
	IF cycle.id IS NULL THEN
		RAISE EXCEPTION 'org % has no billing cycle %', quote_literal(p_org), quote_nullable(p_params ->> 'cycle')
			USING ERRCODE = 'UB404';
	END IF;
	more := true;
	rows := 0;
	SELECT * INTO run FROM elecbill.bill_run r
	WHERE r.org_id = cycle.org_id AND r.cycle_id = cycle.id AND r.kind = 'regular' AND r.status NOT IN ('done', 'cancelled')
	ORDER BY r.period LIMIT 1;
	IF run.status IN ('new', 'rating') THEN
		PERFORM elecbill._bill_run_begin(run.id);
		IF elecbill._bill_run_batch(run.id) THEN
			rows := 1;
		END IF;
		-- batches that others have claimed are theirs; the day ends when they are done with them
		more := rows > 0 OR (SELECT r.status FROM elecbill.bill_run r WHERE r.id = run.id) = 'review';
		detail := format('run %s %s', run.id, run.period);
	ELSIF run.status IN ('review', 'issuing') AND p_params ->> 'issue' = 'auto' THEN
		PERFORM elecbill._bill_issue_begin(run.id);
		IF elecbill._bill_issue_batch(run.id) THEN
			rows := 1;
		END IF;
		more := rows > 0 OR (SELECT r.status FROM elecbill.bill_run r WHERE r.id = run.id) = 'done';
		detail := format('run %s %s', run.id, run.period);
	ELSIF run.id IS NOT NULL THEN
		more := false;
		detail := format('run %s %s waits for review', run.id, run.period);
	ELSE
		period := elecbill._bill_cycle_next(cycle, p_org, p_day - coalesce((p_params ->> 'after_days')::integer, 0));
		more := period IS NOT NULL;
		IF more THEN
			PERFORM elecbill.vee_run(p_org, period);
			PERFORM elecbill.bill_run_start(p_org, cycle.code, period);
		END IF;
	END IF;
END $$;
COMMENT ON FUNCTION elecbill._work_bill(text, jsonb, date) IS 'a step of billing a cycle: looks at the readings of the next period that is over and starts its run, rates a batch, issues a batch; with issue = review it stops at a rated run until somebody has issued it. Periods that were missed follow each other; counts batches';

CREATE FUNCTION elecbill._work_fsck(p_org text, p_params jsonb, p_days daterange, OUT rows bigint, OUT detail text)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	owner integer := elecbill._org_get(p_org);
	since date := lower(p_days) - 1;
	found text[];
BEGIN
	IF EXISTS (SELECT FROM generate_series(lower(p_days), upper(p_days) - 1, interval '1 day') AS d(day)
		WHERE extract(day FROM d.day) = coalesce((p_params ->> 'full_on')::integer, 1))
	THEN
		since := NULL;
	END IF;
	SELECT count(*), array_agg(f.invariant || ' ' || f.object || ': ' || f.detail ORDER BY f.invariant, f.object)
	INTO rows, found FROM elecbill.fsck(p_org, since) AS f;
	IF rows > 0 THEN
		detail := array_to_string(found[1:20], E'\n');
		PERFORM elecbill._alarm_during(owner, NULL, 'fsck_found', 'error', 'fsck', tstzrange(elecbill.now(), NULL),
			jsonb_build_object('rows', rows, 'first', to_jsonb(found[1:20])));
	ELSE
		PERFORM elecbill._alarm_end(owner, 'fsck_found', 'fsck', elecbill.now());
	END IF;
END $$;
COMMENT ON FUNCTION elecbill._work_fsck(text, jsonb, daterange) IS 'the job fsck: fsck() of an org since the day before, or of all there is on the day of the month full_on, by default the first; what it finds is the alarm fsck_found, until it finds nothing';

CREATE FUNCTION elecbill._work_expire(p_step integer, OUT more boolean, OUT rows bigint)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	org integer := (SELECT o.id FROM elecbill.org o ORDER BY o.id OFFSET p_step LIMIT 1);
BEGIN
	more := org IS NOT NULL;
	rows := CASE WHEN more THEN elecbill._payment_order_expire(org) END;
END $$;
COMMENT ON FUNCTION elecbill._work_expire(integer) IS 'closes the payment orders of one org after the other whose time is over; counts orders';

CREATE FUNCTION elecbill._work_purge(p_params jsonb, OUT more boolean, OUT rows bigint)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	rows := elecbill._inbox_purge(elecbill.now() - make_interval(days => coalesce((p_params ->> 'inbox_days')::integer, 30)));
	rows := rows + elecbill._outbox_purge(elecbill.now() - make_interval(days => coalesce((p_params ->> 'outbox_days')::integer, 90)));
	WITH gone AS (
		DELETE FROM elecbill.job_run r WHERE r.id IN (
			SELECT x.id FROM elecbill.job_run x JOIN elecbill.job j ON j.id = x.job_id
			WHERE x.outcome <> 'running' AND x.ended_at < elecbill.now() - make_interval(days =>
				CASE WHEN j.every_minutes IS NOT NULL AND x.outcome = 'done' THEN 2
					ELSE coalesce((p_params ->> 'run_days')::integer, 400) END)
			ORDER BY x.id LIMIT 10000)
		RETURNING 1)
	SELECT rows + count(*) INTO rows FROM gone;
	more := rows > 0;
END $$;
COMMENT ON FUNCTION elecbill._work_purge(jsonb) IS 'removes at most 10,000 old rows each of reading_inbox (inbox_days, 30), of outbox that were dealt with (outbox_days, 90), and of job_run (run_days, 400; of jobs that go every few minutes 2); counts rows';

CREATE FUNCTION elecbill._job_work(p_job elecbill.job, p_run elecbill.job_run, OUT more boolean, OUT rows bigint, OUT detail text)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET datestyle = 'ISO, YMD' SET intervalstyle = 'postgres' AS $$
DECLARE
	org text := (SELECT o.code FROM elecbill.org o WHERE o.id = p_job.org_id);
	day date := upper(p_run.days) - 1;
BEGIN
	more := false;
	CASE p_job.kind
	WHEN 'partition_maintain' THEN
		rows := elecbill.partition_maintain();
	WHEN 'alarm_watch' THEN
		PERFORM elecbill.alarm_watch();
		rows := elecbill._alarm_tell();
	WHEN 'alarm_check' THEN
		rows := elecbill._alarm_check(p_job.org_id);
	WHEN 'order_expire' THEN
		SELECT w.more, w.rows INTO more, rows FROM elecbill._work_expire(p_run.steps) AS w;
	WHEN 'audit_seal' THEN
		rows := elecbill.audit_seal();
	WHEN 'purge' THEN
		SELECT w.more, w.rows INTO more, rows FROM elecbill._work_purge(p_job.params) AS w;
	WHEN 'pack_profiles' THEN
		SELECT w.more, w.rows INTO more, rows FROM elecbill._work_pack(org, day, p_run.steps) AS w;
	WHEN 'vee_run' THEN
		SELECT w.more, w.rows INTO more, rows FROM elecbill._work_vee(org, p_run.days, p_run.steps) AS w;
	WHEN 'bill_cycle' THEN
		SELECT w.more, w.rows, w.detail INTO more, rows, detail FROM elecbill._work_bill(org, p_job.params, day) AS w;
	WHEN 'reminder' THEN
		rows := elecbill._remind(p_job.org_id, p_job.params, p_run.days);
	WHEN 'late_fee', 'dunning', 'prepay' THEN
		SELECT w.more, w.rows INTO more, rows FROM elecbill._work_arrears(org, p_job.kind, day, p_run.steps) AS w;
	WHEN 'fsck' THEN
		SELECT w.rows, w.detail INTO rows, detail FROM elecbill._work_fsck(org, p_job.params, p_run.days) AS w;
	END CASE;
END $$;
COMMENT ON FUNCTION elecbill._job_work(elecbill.job, elecbill.job_run) IS 'the next step of a run by the kind of its job: whether there is more to do, how much was done, what to say';
