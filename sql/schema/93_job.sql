-- 93_job.sql: what has to be done at certain times, and the one call that does it
--
-- CALL run_due(), once a minute, does whatever is due (93_job_work.sql has what each kind of job does).
-- Times of day are local times of the org, so that no scheduler has to know a time zone. A job is done
-- in steps, each in a transaction of its own: what fails is rolled back as far as its step, is written
-- down, and keeps nobody else waiting. Every kind can be begun again anywhere. A session holds an
-- advisory lock while it works on a job: two of them never do the same one, and the lock of a session
-- that died is gone with it.

CREATE TABLE elecbill.job (
	id			integer GENERATED ALWAYS AS IDENTITY CONSTRAINT job_pkey PRIMARY KEY,
	org_id		integer CONSTRAINT job_org_fkey REFERENCES elecbill.org,
	name		text NOT NULL CONSTRAINT job_name_check CHECK (name ~ '^\S{1,80}$'),
	kind		text NOT NULL CONSTRAINT job_kind_check CHECK (kind IN ('partition_maintain', 'alarm_watch', 'order_expire',
				'audit_seal', 'purge', 'alarm_check', 'pack_profiles', 'vee_run', 'bill_cycle', 'late_fee', 'dunning', 'prepay', 'reminder',
				'fsck')),
	params		jsonb NOT NULL DEFAULT '{}' CONSTRAINT job_params_check CHECK (jsonb_typeof(params) = 'object'),
	zone		text,
	at_local	time NOT NULL DEFAULT '00:00' CONSTRAINT job_at_local_check CHECK (at_local < '24:00'),
	every_minutes integer CONSTRAINT job_every_minutes_check CHECK (every_minutes BETWEEN 1 AND 1440),
	month_day	integer CONSTRAINT job_month_day_check CHECK (month_day BETWEEN 1 AND 28),
	enabled		boolean NOT NULL DEFAULT true,
	last_day	date NOT NULL CONSTRAINT job_last_day_check CHECK (isfinite(last_day)),
	last_at		timestamptz NOT NULL,
	asked_at	timestamptz,
	failures	integer NOT NULL DEFAULT 0 CONSTRAINT job_failures_check CHECK (failures >= 0),
	retry_at	timestamptz,
	CONSTRAINT job_name_key UNIQUE NULLS NOT DISTINCT (org_id, name),
	CONSTRAINT job_zone_check CHECK (zone IS NOT NULL OR org_id IS NOT NULL),
	CONSTRAINT job_org_kind_check CHECK ((org_id IS NULL) =
		(kind IN ('partition_maintain', 'alarm_watch', 'order_expire', 'audit_seal', 'purge'))),
	CONSTRAINT job_when_check CHECK (num_nonnulls(every_minutes, month_day) <= 1)
) WITH (fillfactor = 70);
COMMENT ON TABLE elecbill.job IS 'what run_due() does, and when: once a day, on a day of the month, or every so many minutes. org_create() makes those of an org';
COMMENT ON COLUMN elecbill.job.id IS 'internal key';
COMMENT ON COLUMN elecbill.job.org_id IS 'owner; NULL: of the whole database, for the DBA';
COMMENT ON COLUMN elecbill.job.name IS 'name, one per org; the kind, or bill_cycle:CODE';
COMMENT ON COLUMN elecbill.job.kind IS 'what is done: partition_maintain, alarm_watch, order_expire, audit_seal and purge for the whole database; alarm_check, pack_profiles, vee_run, bill_cycle, late_fee, dunning, prepay, reminder and fsck for an org';
COMMENT ON COLUMN elecbill.job.params IS 'bill_cycle: {cycle, issue: review or auto, after_days}; reminder: {days: [days after the due date, below 0 before it]}; fsck: {full_on: day of the month on which all is looked at, not only what is new; by default 1, never with 0}; purge: {inbox_days, outbox_days, run_days}';
COMMENT ON COLUMN elecbill.job.zone IS 'IANA time zone of at_local; NULL: that of the org';
COMMENT ON COLUMN elecbill.job.at_local IS 'wall clock; a time that a day does not have counts as the hour after it, one that it has twice as the second';
COMMENT ON COLUMN elecbill.job.every_minutes IS 'every so many minutes instead, counted from midnight UTC';
COMMENT ON COLUMN elecbill.job.month_day IS 'on this day of the month instead of daily, 1 to 28';
COMMENT ON COLUMN elecbill.job.enabled IS 'whether run_due() does it';
COMMENT ON COLUMN elecbill.job.last_day IS 'last local day that is done with';
COMMENT ON COLUMN elecbill.job.last_at IS 'when it was begun last, or made';
COMMENT ON COLUMN elecbill.job.asked_at IS 'somebody asked for it now: the next run_due() does it, whatever the time';
COMMENT ON COLUMN elecbill.job.failures IS 'how often in a row it has failed';
COMMENT ON COLUMN elecbill.job.retry_at IS 'after a failure: not before this instant again';

CREATE TABLE elecbill.job_run (
	id			bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT job_run_pkey PRIMARY KEY,
	org_id		integer,
	job_id		integer NOT NULL CONSTRAINT job_run_job_fkey REFERENCES elecbill.job,
	days		daterange NOT NULL CONSTRAINT job_run_days_check CHECK (NOT isempty(days)),
	started_at	timestamptz NOT NULL,
	ended_at	timestamptz,
	outcome		text NOT NULL DEFAULT 'running' CONSTRAINT job_run_outcome_check
				CHECK (outcome IN ('running', 'done', 'failed', 'lost')),
	detail		text,
	steps		integer NOT NULL DEFAULT 0 CONSTRAINT job_run_steps_check CHECK (steps >= 0),
	rows		bigint NOT NULL DEFAULT 0 CONSTRAINT job_run_rows_check CHECK (rows >= 0),
	pid			integer NOT NULL DEFAULT pg_backend_pid(),
	CONSTRAINT job_run_ended_check CHECK ((outcome = 'running') = (ended_at IS NULL))
) WITH (fillfactor = 70);
CREATE INDEX job_run_job_idx ON elecbill.job_run (job_id, id);
CREATE UNIQUE INDEX job_run_running_key ON elecbill.job_run (job_id) WHERE outcome = 'running';
COMMENT ON TABLE elecbill.job_run IS 'each time a job was done; steps and rows move while it is being done. Job purge removes old rows';
COMMENT ON COLUMN elecbill.job_run.id IS 'internal key';
COMMENT ON COLUMN elecbill.job_run.org_id IS 'owner of the job';
COMMENT ON COLUMN elecbill.job_run.job_id IS 'the job';
COMMENT ON COLUMN elecbill.job_run.days IS 'local days it is done for: more than one when some were missed';
COMMENT ON COLUMN elecbill.job_run.started_at IS 'when it was begun';
COMMENT ON COLUMN elecbill.job_run.ended_at IS 'when it ended';
COMMENT ON COLUMN elecbill.job_run.outcome IS 'running, done, failed, lost (its session ended before it did)';
COMMENT ON COLUMN elecbill.job_run.detail IS 'what it says, or the error';
COMMENT ON COLUMN elecbill.job_run.steps IS 'transactions that are committed';
COMMENT ON COLUMN elecbill.job_run.rows IS 'what they did, counted in whatever the kind counts: days, accounts, bills, rows';
COMMENT ON COLUMN elecbill.job_run.pid IS 'process of the session at work';
COMMENT ON INDEX elecbill.job_run_job_idx IS 'runs of a job';
COMMENT ON INDEX elecbill.job_run_running_key IS 'a job is done once at a time';

-- ---------------------------------------------------------------- when

CREATE FUNCTION elecbill._job_zone(p_job elecbill.job) RETURNS text
LANGUAGE sql STABLE
RETURN coalesce((p_job).zone, (SELECT o.zone FROM elecbill.org o WHERE o.id = (p_job).org_id));
COMMENT ON FUNCTION elecbill._job_zone(elecbill.job) IS 'the time zone a job goes by';

CREATE FUNCTION elecbill._job_day(p_job elecbill.job, p_at timestamptz) RETURNS date
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	zone text := elecbill._job_zone(p_job);
	day date := (p_at AT TIME ZONE zone)::date;
BEGIN
	IF p_job.month_day IS NOT NULL THEN
		day := date_trunc('month', (day - p_job.month_day + 1)::timestamp)::date + p_job.month_day - 1;
	END IF;
	WHILE (day + p_job.at_local) AT TIME ZONE zone > p_at LOOP
		day := CASE WHEN p_job.month_day IS NULL THEN day - 1 ELSE (day - interval '1 month')::date END;
	END LOOP;
	RETURN day;
END $$;
COMMENT ON FUNCTION elecbill._job_day(elecbill.job, timestamptz) IS 'the last local day whose time for a job had come at an instant';

CREATE FUNCTION elecbill._job_next_at(p_job elecbill.job) RETURNS timestamptz
LANGUAGE sql STABLE
BEGIN ATOMIC
	SELECT CASE WHEN (p_job).asked_at IS NOT NULL THEN (p_job).asked_at
		WHEN (p_job).every_minutes IS NOT NULL THEN
			date_bin(s.slot, (p_job).last_at, '2000-01-01 00:00Z') + s.slot
		-- a time of day that does not exist is the shifted one, one that exists twice the second
		ELSE greatest((d.day + (p_job).at_local) AT TIME ZONE elecbill._job_zone(p_job), (p_job).retry_at) END
	FROM (SELECT make_interval(mins => (p_job).every_minutes) AS slot) AS s,
		(SELECT CASE WHEN (p_job).month_day IS NULL THEN (p_job).last_day + 1
			ELSE (date_trunc('month', ((p_job).last_day - (p_job).month_day + 1)::timestamp) + interval '1 month')::date
				+ (p_job).month_day - 1 END AS day) AS d;
END;
COMMENT ON FUNCTION elecbill._job_next_at(elecbill.job) IS 'when a job is due next; in the past: it is';

-- ---------------------------------------------------------------- one at a time

CREATE FUNCTION elecbill._job_class() RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN hashtext('elecbill.job');
COMMENT ON FUNCTION elecbill._job_class() IS 'first key of the advisory lock that a session holds while it works on a job; the second is job.id';

CREATE FUNCTION elecbill._job_locks() RETURNS SETOF integer
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN QUERY SELECT l.objid::bigint::integer
	FROM pg_locks AS l
	WHERE l.locktype = 'advisory' AND l.pid = pg_backend_pid() AND l.objsubid = 2
		AND l.database = (SELECT d.oid FROM pg_database AS d WHERE d.datname = current_database())
		AND l.classid::bigint = elecbill._job_class()::bigint & 4294967295;
END $$;
COMMENT ON FUNCTION elecbill._job_locks() IS 'jobs of which this session has the lock';

CREATE FUNCTION elecbill._job_unlock(p_job integer DEFAULT NULL) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	PERFORM pg_advisory_unlock(elecbill._job_class(), l.job) FROM elecbill._job_locks() AS l(job) WHERE p_job IS NULL OR l.job = p_job;
END $$;
COMMENT ON FUNCTION elecbill._job_unlock(integer) IS 'gives back the lock of this session on a job (NULL: on all, which an interrupted call left)';

CREATE FUNCTION elecbill._job_lost(p_job elecbill.job) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	gone elecbill.job_run;
BEGIN
	-- this session has the lock of the job: whoever was at it is no more
	UPDATE elecbill.job_run r SET outcome = 'lost', ended_at = elecbill.now(),
		detail = format('the session %s ended after %s steps', r.pid, r.steps)
	WHERE r.job_id = p_job.id AND r.outcome = 'running' RETURNING * INTO gone;
	IF gone.id IS NULL THEN
		RETURN false;
	END IF;
	PERFORM elecbill._job_failed(p_job, gone.detail);
	RETURN true;
END $$;
COMMENT ON FUNCTION elecbill._job_lost(elecbill.job) IS 'writes down that a run of a job, whose lock this session has, was cut short; false: none was';

CREATE FUNCTION elecbill._job_failed(p_job elecbill.job, p_detail text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	-- after 5 minutes, 20, 80, 320, then every 6 hours
	UPDATE elecbill.job j SET failures = j.failures + 1,
		retry_at = elecbill.now() + least(interval '5 min' * 4 ^ least(j.failures, 4), interval '6 hours')
	WHERE j.id = p_job.id;
	PERFORM elecbill._alarm_during(o.id, NULL, 'job_failed', 'error', p_job.name, tstzrange(elecbill.now(), NULL),
		jsonb_build_object('kind', p_job.kind, 'detail', p_detail))
	FROM elecbill.org o WHERE o.id = p_job.org_id OR p_job.org_id IS NULL;
END $$;
COMMENT ON FUNCTION elecbill._job_failed(elecbill.job, text) IS 'counts a failure of a job, says when it is tried again, and raises the alarm job_failed; of a job of the database, with every org';

CREATE FUNCTION elecbill._job_due(p_short boolean) RETURNS integer[]
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN ARRAY(SELECT d.id
		FROM (SELECT j.id, elecbill._job_next_at(j) AS at FROM elecbill.job j
			WHERE j.enabled AND (NOT p_short OR j.every_minutes IS NOT NULL) OFFSET 0) AS d
		WHERE d.at <= elecbill.now() ORDER BY d.at, d.id);
END $$;
COMMENT ON FUNCTION elecbill._job_due(boolean) IS 'jobs that are due, in the order in which they were; short: only those that go every few minutes';

CREATE FUNCTION elecbill._job_clock() RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	UPDATE elecbill.job j SET last_at = elecbill.now(), last_day = least(j.last_day, elecbill._job_day(j, elecbill.now())),
		asked_at = least(j.asked_at, elecbill.now()), retry_at = NULL
	WHERE j.last_at > elecbill.now() + interval '5 min';
END $$;
COMMENT ON FUNCTION elecbill._job_clock() IS 'the clock was ahead and is put right: what was begun in a time to come counts as begun now, or it would not be done again before then';

CREATE FUNCTION elecbill._job_claim(p_job integer) RETURNS elecbill.job_run
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	j elecbill.job;
	lost boolean;
	today date;
	run elecbill.job_run;
BEGIN
	-- a session gets a lock that it has once more: a job that takes longer than it has minutes would be begun within itself
	IF p_job IN (SELECT elecbill._job_locks()) OR NOT pg_try_advisory_lock(elecbill._job_class(), p_job) THEN
		RETURN NULL;
	END IF;
	-- who had the lock a moment ago may have done it
	SELECT * INTO j FROM elecbill.job x WHERE x.id = p_job FOR NO KEY UPDATE SKIP LOCKED;
	lost := FOUND AND elecbill._job_lost(j) AND j.every_minutes IS NULL;
	IF j.id IS NULL OR lost OR NOT j.enabled OR elecbill._job_next_at(j) > elecbill.now() THEN
		PERFORM pg_advisory_unlock(elecbill._job_class(), p_job);
		RETURN NULL;
	END IF;
	today := CASE WHEN j.asked_at IS NULL AND j.every_minutes IS NULL THEN elecbill._job_day(j, elecbill.now())
		ELSE (elecbill.now() AT TIME ZONE elecbill._job_zone(j))::date END;
	UPDATE elecbill.job x SET last_at = elecbill.now(), asked_at = NULL WHERE x.id = j.id;
	INSERT INTO elecbill.job_run (org_id, job_id, days, started_at)
	VALUES (j.org_id, j.id, daterange(least(j.last_day + 1, today), today, '[]'), elecbill.now())
	RETURNING * INTO run;
	RETURN run;
END $$;
COMMENT ON FUNCTION elecbill._job_claim(integer) IS 'begins a job, and takes its lock for the session; NULL: a session, perhaps this one, works on it, changes it, or has done it';

-- ---------------------------------------------------------------- doing it

CREATE FUNCTION elecbill._job_end(p_job elecbill.job, p_run elecbill.job_run, p_outcome text, p_detail text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	-- the clock of elecbill.now() stands still within a transaction
	UPDATE elecbill.job_run r SET outcome = p_outcome, detail = p_detail,
		ended_at = elecbill.now() + (clock_timestamp() - transaction_timestamp())
	WHERE r.id = p_run.id;
	IF p_outcome = 'failed' THEN
		PERFORM elecbill._job_failed(p_job, p_detail);
		RETURN;
	END IF;
	UPDATE elecbill.job j SET failures = 0, retry_at = NULL,
		last_day = greatest(j.last_day, CASE WHEN j.every_minutes IS NULL THEN elecbill._job_day(j, p_run.started_at)
			ELSE upper(p_run.days) - 1 END)
	WHERE j.id = p_job.id;
	IF p_job.failures > 0 THEN
		PERFORM elecbill._alarm_end(o.id, 'job_failed', p_job.name, elecbill.now())
		FROM elecbill.org o WHERE o.id = p_job.org_id OR p_job.org_id IS NULL;
	END IF;
END $$;
COMMENT ON FUNCTION elecbill._job_end(elecbill.job, elecbill.job_run, text, text) IS 'writes down how a run ended';

CREATE FUNCTION elecbill._job_step(p_run bigint) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	run elecbill.job_run := (SELECT r FROM elecbill.job_run r WHERE r.id = p_run);
	j elecbill.job := (SELECT x FROM elecbill.job x WHERE x.id = run.job_id);
	did record;
	detail text;
BEGIN
	IF run.id IS NULL THEN
		RETURN false;	/* org_empty() has removed it */
	END IF;
	PERFORM set_config('application_name', format('elecbill job %s%s', (SELECT o.code || '/' FROM elecbill.org o WHERE o.id = j.org_id), j.name),
		false);
	BEGIN
		did := elecbill._job_work(j, run);
	EXCEPTION WHEN OTHERS THEN
		GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
		PERFORM elecbill._job_end(j, run, 'failed', concat_ws('; ', SQLSTATE || ' ' || SQLERRM, nullif(detail, '')));
		RETURN false;
	END;
	UPDATE elecbill.job_run r SET steps = r.steps + 1, rows = r.rows + coalesce(did.rows, 0), detail = coalesce(did.detail, r.detail)
	WHERE r.id = p_run RETURNING * INTO run;
	IF NOT did.more THEN
		PERFORM elecbill._job_end(j, run, 'done', run.detail);
	END IF;
	RETURN did.more;
END $$;
COMMENT ON FUNCTION elecbill._job_step(bigint) IS 'does the next step of a run; an error of it ends the run and is written down, not raised. True: there is more to do, after a COMMIT';

-- Procedures that commit cannot pin their search_path: everything is qualified, operators too.
CREATE PROCEDURE elecbill._run_short() LANGUAGE plpgsql AS $$
DECLARE
	one integer;
	run elecbill.job_run;
BEGIN
	FOREACH one IN ARRAY elecbill._job_due(true) LOOP
		run := elecbill._job_claim(one);
		COMMIT;
		CONTINUE WHEN run.id IS NULL;
		WHILE elecbill._job_step(run.id) LOOP
			COMMIT;
		END LOOP;
		COMMIT;
		PERFORM elecbill._job_unlock(one);
	END LOOP;
END $$;
COMMENT ON PROCEDURE elecbill._run_short() IS 'does the jobs that go every few minutes and are due, between the steps of a long one';

CREATE PROCEDURE elecbill.run_due() LANGUAGE plpgsql AS $$
DECLARE
	former text := pg_catalog.current_setting('application_name');
	looked timestamptz := pg_catalog.clock_timestamp();
	one integer;
	run elecbill.job_run;
BEGIN
	COMMIT;	/* within a transaction block it ends here, before anything is begun */
	PERFORM elecbill._job_unlock();
	PERFORM elecbill._job_clock();
	FOREACH one IN ARRAY elecbill._job_due(false) LOOP
		run := elecbill._job_claim(one);
		COMMIT;
		CONTINUE WHEN run.id IS NULL;
		WHILE elecbill._job_step(run.id) LOOP
			COMMIT;
			IF pg_catalog.clock_timestamp() OPERATOR(pg_catalog.>) (looked OPERATOR(pg_catalog.+) interval '1 min') THEN
				CALL elecbill._run_short();
				looked := pg_catalog.clock_timestamp();
			END IF;
		END LOOP;
		COMMIT;
		PERFORM elecbill._job_unlock(one);
	END LOOP;
	PERFORM pg_catalog.set_config('application_name', former, false);
	COMMIT;
END $$;
COMMENT ON PROCEDURE elecbill.run_due() IS
'does every job that is due, each in transactions of its own: call it every minute, as the owner of the schema layer, outside a transaction, in any number of sessions (each with a connection of its own, not a pooled one). Between the steps of a long job those that go every few minutes are done, too. A job whose days were missed is done once for all of them. One that fails is in job_run with its error and in alarm, is tried again after 5 minutes, 20, 80, 320, then every 6 hours, and does not keep the others from running. job_status and application_name show what is going on; schedule() has it called by pg_cron';
