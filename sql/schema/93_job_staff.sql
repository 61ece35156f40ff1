-- 93_job_staff.sql: what jobs there are, changing them, asking for one now, and the scheduler

CREATE FUNCTION elecbill._job_add(p_org integer, p_name text, p_kind text, p_at time, p_every integer, p_params jsonb DEFAULT '{}')
RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	made elecbill.job;
BEGIN
	INSERT INTO elecbill.job (org_id, name, kind, params, zone, at_local, every_minutes, last_day, last_at)
	VALUES (p_org, p_name, p_kind, p_params, CASE WHEN p_org IS NULL THEN 'UTC' END, p_at, p_every,
		(elecbill.now() AT TIME ZONE 'UTC')::date, elecbill.now())
	ON CONFLICT ON CONSTRAINT job_name_key DO NOTHING
	RETURNING * INTO made;
	-- what was before it is no business of a job
	UPDATE elecbill.job j SET last_day = elecbill._job_day(made, elecbill.now()) WHERE j.id = made.id;
END $$;
COMMENT ON FUNCTION elecbill._job_add(integer, text, text, time, integer, jsonb) IS 'makes a job that begins with the next time its hour comes; one of that name stays as it is';

CREATE FUNCTION elecbill._job_defaults(p_org integer) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	-- in this order where several are due at once: what is known, what it costs, who owes it, is all well
	PERFORM elecbill._job_add(p_org, d.kind, d.kind, d.at_local::time, d.every, d.params::jsonb)
	FROM (VALUES
		(1, false, 'partition_maintain', '00:10', NULL::integer, '{}'),
		(2, false, 'order_expire', '00:00', 5, '{}'),
		(3, false, 'alarm_watch', '00:00', 1, '{}'),
		(4, false, 'audit_seal', '00:00', 60, '{}'),
		(5, false, 'purge', '01:00', NULL, '{"inbox_days": 30, "outbox_days": 90, "run_days": 400}'),
		(6, true, 'pack_profiles', '00:30', NULL, '{}'),
		(7, true, 'vee_run', '02:00', NULL, '{}'),
		(8, true, 'late_fee', '00:05', NULL, '{}'),
		(9, true, 'dunning', '00:00', 60, '{}'),
		(10, true, 'reminder', '08:30', NULL, '{"days": [-3, 0, 3]}'),
		(11, true, 'prepay', '00:00', 60, '{}'),
		(12, true, 'alarm_check', '00:00', 15, '{}'),
		(13, true, 'fsck', '03:00', NULL, '{}')) AS d(n, of_org, kind, at_local, every, params)
	WHERE d.of_org = (p_org IS NOT NULL)
	ORDER BY d.n;
	PERFORM elecbill._job_cycle(c) FROM elecbill.billing_cycle c WHERE c.org_id = p_org;
END $$;
COMMENT ON FUNCTION elecbill._job_defaults(integer) IS 'makes the jobs every org (NULL: every database) has, as far as they are not there';

CREATE FUNCTION elecbill._job_cycle(p_cycle elecbill.billing_cycle) RETURNS void
LANGUAGE sql
RETURN elecbill._job_add(p_cycle.org_id, 'bill_cycle:' || p_cycle.code, 'bill_cycle', '04:00', NULL,
	jsonb_build_object('cycle', p_cycle.code, 'issue', 'review', 'after_days', 1));
COMMENT ON FUNCTION elecbill._job_cycle(elecbill.billing_cycle) IS 'makes the job that bills a cycle: rated the second night after a period, not issued before somebody has looked';

CREATE FUNCTION elecbill._org_job() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	PERFORM elecbill._job_defaults(NEW.id);
	RETURN NULL;
END $$;
COMMENT ON FUNCTION elecbill._org_job() IS 'trigger: a new org gets its jobs';
CREATE TRIGGER org_job AFTER INSERT ON elecbill.org FOR EACH ROW EXECUTE FUNCTION elecbill._org_job();
COMMENT ON TRIGGER org_job ON elecbill.org IS 'a new org has the usual jobs';

CREATE FUNCTION elecbill._cycle_job() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	PERFORM elecbill._job_cycle(NEW);
	RETURN NULL;
END $$;
COMMENT ON FUNCTION elecbill._cycle_job() IS 'trigger: a new billing cycle gets its job';
CREATE TRIGGER billing_cycle_job AFTER INSERT ON elecbill.billing_cycle FOR EACH ROW EXECUTE FUNCTION elecbill._cycle_job();
COMMENT ON TRIGGER billing_cycle_job ON elecbill.billing_cycle IS 'a new cycle is billed, for review';
DO $$ BEGIN PERFORM elecbill._job_defaults(NULL); END $$;

-- ---------------------------------------------------------------- changing them

CREATE FUNCTION elecbill._job_get(p_org text, p_job text) RETURNS elecbill.job
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	owner integer := CASE WHEN p_org IS NOT NULL THEN elecbill._org_get(p_org) END;
	there elecbill.job;
BEGIN
	SELECT * INTO there FROM elecbill.job j
	WHERE j.org_id IS NOT DISTINCT FROM owner AND j.name = p_job AND (p_org IS NOT NULL OR elecbill._sees_all())
	FOR NO KEY UPDATE;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'there is no job %', quote_nullable(p_job)
			USING ERRCODE = 'UB404', HINT = 'SELECT org, job FROM elecbill.job_status lists them.';
	END IF;
	RETURN there;
END $$;
COMMENT ON FUNCTION elecbill._job_get(text, text) IS 'a job by the code of its org (NULL: of the database, for the DBA) and its name, locked; UB404';

CREATE FUNCTION elecbill._job_params_fault(p_kind text, p_params jsonb) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT format('%s does not take %s: %s', p_kind, e.key, e.value)
	FROM jsonb_each(CASE WHEN jsonb_typeof(p_params) = 'object' THEN p_params ELSE '{}' END) AS e
	WHERE CASE p_kind || '.' || e.key
		WHEN 'bill_cycle.cycle' THEN jsonb_typeof(e.value) <> 'string'
		WHEN 'bill_cycle.issue' THEN e.value NOT IN ('"review"', '"auto"')
		WHEN 'bill_cycle.after_days' THEN NOT e.value::text ~ '^([0-9]|[1-5][0-9])$'
		WHEN 'reminder.days' THEN NOT e.value::text ~ '^\[(-?[0-9]{1,3}(, -?[0-9]{1,3}){0,9})?\]$'
		WHEN 'fsck.full_on' THEN NOT e.value::text ~ '^([0-9]|1[0-9]|2[0-8])$'
		WHEN 'purge.inbox_days' THEN NOT e.value::text ~ '^[1-9][0-9]{0,3}$'
		WHEN 'purge.outbox_days' THEN NOT e.value::text ~ '^([7-9]|[1-9][0-9]{1,3})$'	/* alarms are told once in 7 days */
		WHEN 'purge.run_days' THEN NOT e.value::text ~ '^[1-9][0-9]{0,3}$'
		ELSE true END
	LIMIT 1;
END;
COMMENT ON FUNCTION elecbill._job_params_fault(text, jsonb) IS 'what is wrong with the parameters of a kind of job; NULL: nothing';

CREATE FUNCTION elecbill.job_set(org text, job text, at_local time DEFAULT NULL, params jsonb DEFAULT NULL, month_day integer DEFAULT NULL,
	every_minutes integer DEFAULT NULL, zone text DEFAULT NULL) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	old elecbill.job := elecbill._job_get(org, job);
	new elecbill.job := old;
	fault text := elecbill._job_params_fault(old.kind, coalesce(params, '{}'));
BEGIN
	IF fault IS NULL AND (at_local >= '24:00' OR month_day NOT BETWEEN 0 AND 28 OR every_minutes NOT BETWEEN 0 AND 1440
		OR (month_day > 0 AND every_minutes > 0) OR jsonb_typeof(params) <> 'object')
	THEN
		fault := 'a time below 24:00, a day of the month from 1 to 28 (0: every day) or 1 to 1440 minutes (0: once a day)';
	END IF;
	IF fault IS NOT NULL THEN
		RAISE EXCEPTION 'a job is not set so' USING ERRCODE = 'UB400', DETAIL = fault;
	ELSIF zone <> '' AND NOT EXISTS (SELECT FROM pg_timezone_names z WHERE z.name = zone) THEN
		RAISE EXCEPTION 'unknown time zone "%"', zone
			USING ERRCODE = 'UB404', HINT = 'Use a name of pg_timezone_names, such as Asia/Shanghai.';
	END IF;
	new.at_local := coalesce(at_local, old.at_local);
	new.params := old.params || coalesce(params, '{}');
	new.month_day := CASE WHEN every_minutes > 0 THEN NULL ELSE nullif(coalesce(month_day, old.month_day), 0) END;
	new.every_minutes := CASE WHEN month_day > 0 THEN NULL ELSE nullif(coalesce(every_minutes, old.every_minutes), 0) END;
	new.zone := CASE WHEN zone = '' AND old.org_id IS NOT NULL THEN NULL ELSE coalesce(nullif(zone, ''), old.zone) END;
	UPDATE elecbill.job j SET at_local = new.at_local, params = new.params, month_day = new.month_day,
		every_minutes = new.every_minutes, zone = new.zone
	WHERE j.id = old.id;
	PERFORM elecbill._audit(old.org_id, 'job_set', old.name,
		jsonb_build_object('at', old.at_local, 'params', old.params, 'month_day', old.month_day, 'every', old.every_minutes, 'zone', old.zone),
		jsonb_build_object('at', new.at_local, 'params', new.params, 'month_day', new.month_day, 'every', new.every_minutes, 'zone', new.zone));
END $$;
COMMENT ON FUNCTION elecbill.job_set(text, text, time, jsonb, integer, integer, text) IS
'changes when a job of an org (NULL: of the database) is done: local time of day, day of the month (1 to 28; 0: every day) or every so many minutes (0: once a day), time zone ('''': that of the org), and its parameters; what is not given stays. Such as job_set(''SITE'', ''bill_cycle:MONTH'', params => ''{"issue": "auto"}''). A day whose new time has passed already is done at once, unless it is done. UB400, UB404';

CREATE FUNCTION elecbill.job_enable(org text, job text, enabled boolean DEFAULT true) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	old elecbill.job := elecbill._job_get(org, job);
BEGIN
	IF enabled IS NULL THEN
		RAISE EXCEPTION 'a job is enabled or not' USING ERRCODE = 'UB400';
	ELSIF enabled = old.enabled THEN
		RETURN;
	END IF;
	-- what was left out on purpose is not caught up
	UPDATE elecbill.job j SET enabled = job_enable.enabled, failures = 0, retry_at = NULL, last_at = elecbill.now(),
		last_day = CASE WHEN job_enable.enabled THEN greatest(j.last_day, elecbill._job_day(j, elecbill.now())) ELSE j.last_day END
	WHERE j.id = old.id;
	PERFORM elecbill._alarm_end(o.id, 'job_failed', old.name, elecbill.now())
	FROM elecbill.org o WHERE old.failures > 0 AND (o.id = old.org_id OR old.org_id IS NULL);
	PERFORM elecbill._audit(old.org_id, 'job_enable', old.name, to_jsonb(old.enabled), to_jsonb(enabled));
END $$;
COMMENT ON FUNCTION elecbill.job_enable(text, text, boolean) IS 'has run_due() do a job of an org (NULL: of the database), or leave it (enabled false). It begins with the next time it would be due; days that were left out are not caught up. UB400, UB404';

CREATE FUNCTION elecbill.job_now(org text, job text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	old elecbill.job := elecbill._job_get(org, job);
BEGIN
	IF NOT old.enabled THEN
		RAISE EXCEPTION 'job % is not enabled', quote_literal(job)
			USING ERRCODE = 'UB412', HINT = 'SELECT elecbill.job_enable(ORG, JOB) enables it.';
	END IF;
	UPDATE elecbill.job j SET asked_at = elecbill.now(), retry_at = NULL WHERE j.id = old.id;
	PERFORM elecbill._audit(old.org_id, 'job_now', old.name);
END $$;
COMMENT ON FUNCTION elecbill.job_now(text, text) IS 'has the next run_due() do a job of an org (NULL: of the database) for the local day of then, whatever the time; its next time stays. UB404, UB412 not enabled';

CREATE VIEW elecbill.job_status WITH (security_invoker = true) AS
SELECT o.code AS org, j.name AS job, j.kind, j.enabled,
	CASE WHEN j.every_minutes IS NOT NULL THEN format('every %s min', j.every_minutes)
		WHEN j.month_day IS NOT NULL THEN format('day %s %s', j.month_day, to_char(j.at_local, 'HH24:MI:SS'))
		ELSE format('daily %s', to_char(j.at_local, 'HH24:MI:SS')) END AS at_local,
	elecbill._job_zone(j) AS zone, j.last_day, CASE WHEN j.enabled THEN elecbill._job_next_at(j) END AS next_at,
	CASE WHEN j.enabled AND r.outcome IS DISTINCT FROM 'running'
		THEN greatest(elecbill.now() - elecbill._job_next_at(j), interval '0') END AS late,
	j.failures, r.outcome, r.days, r.started_at, r.ended_at, r.steps, r.rows, r.detail, j.params, j.org_id
FROM elecbill.job j
LEFT JOIN elecbill.org o ON o.id = j.org_id
LEFT JOIN LATERAL (SELECT x.* FROM elecbill.job_run x WHERE x.job_id = j.id ORDER BY x.id DESC LIMIT 1) AS r ON true;
COMMENT ON VIEW elecbill.job_status IS 'every job, when it is due next, and how it went last, or goes at this moment';
COMMENT ON COLUMN elecbill.job_status.org IS 'code of the org; NULL: of the whole database';
COMMENT ON COLUMN elecbill.job_status.job IS 'its name, for job_set(), job_enable(), job_now()';
COMMENT ON COLUMN elecbill.job_status.kind IS 'what is done';
COMMENT ON COLUMN elecbill.job_status.enabled IS 'whether run_due() does it';
COMMENT ON COLUMN elecbill.job_status.at_local IS 'when, by the wall clock of zone';
COMMENT ON COLUMN elecbill.job_status.zone IS 'time zone it goes by';
COMMENT ON COLUMN elecbill.job_status.last_day IS 'last local day that is done with';
COMMENT ON COLUMN elecbill.job_status.next_at IS 'when it is due; after a failure, when it is tried again; NULL: not enabled';
COMMENT ON COLUMN elecbill.job_status.late IS 'for how long it has been due and not begun';
COMMENT ON COLUMN elecbill.job_status.failures IS 'how often in a row it has failed';
COMMENT ON COLUMN elecbill.job_status.outcome IS 'of the last run: running, done, failed, lost; NULL: never yet';
COMMENT ON COLUMN elecbill.job_status.days IS 'local days it was, or is, done for';
COMMENT ON COLUMN elecbill.job_status.started_at IS 'when that was begun';
COMMENT ON COLUMN elecbill.job_status.ended_at IS 'when it ended';
COMMENT ON COLUMN elecbill.job_status.steps IS 'transactions it has committed';
COMMENT ON COLUMN elecbill.job_status.rows IS 'what they did, in whatever the kind counts';
COMMENT ON COLUMN elecbill.job_status.detail IS 'what it said, or the error';
COMMENT ON COLUMN elecbill.job_status.params IS 'parameters of the kind';
COMMENT ON COLUMN elecbill.job_status.org_id IS 'owner';

-- ---------------------------------------------------------------- the scheduler

CREATE FUNCTION elecbill.schedule() RETURNS text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	-- pg_cron counts in GMT and knows one statement per entry: one bare CALL, the rest is ours
	IF EXISTS (SELECT FROM pg_extension e WHERE e.extname = 'pg_cron') THEN
		EXECUTE format('SELECT %s(%L, %L, %L)', 'cron.schedule', 'elecbill', '* * * * *', 'CALL elecbill.run_due()');
		RETURN 'pg_cron calls it: * * * * * CALL elecbill.run_due()';
	END IF;
	RETURN format('* * * * * psql -Xq -d %s -c ''CALL elecbill.run_due()''', quote_ident(current_database()));
END $$;
COMMENT ON FUNCTION elecbill.schedule() IS
'has pg_cron call run_due() every minute, under the name elecbill and the role that asks, which should be the owner of the schema layer; again: the entry stays one. Without pg_cron in this database: returns the line for the crontab of the operating system. unschedule() takes it back. Needs USAGE on schema cron';

CREATE FUNCTION elecbill.unschedule() RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	entry bigint;
BEGIN
	IF EXISTS (SELECT FROM pg_extension e WHERE e.extname = 'pg_cron') THEN
		EXECUTE format('SELECT c.jobid FROM %s c WHERE c.jobname = %L AND c.username = current_user', 'cron.job', 'elecbill') INTO entry;
	END IF;
	IF entry IS NULL THEN
		RETURN false;
	END IF;
	EXECUTE format('SELECT %s($1)', 'cron.unschedule') USING entry;
	RETURN true;
END $$;
COMMENT ON FUNCTION elecbill.unschedule() IS 'takes the entry of schedule() out of pg_cron; false: there was none';
