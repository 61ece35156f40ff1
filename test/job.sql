-- job.sql: what the property office no longer does by hand
\set ON_ERROR_STOP 1
SET client_min_messages = warning;
SELECT plan(66);

-- ---------------------------------------------------------------- a year, by the clock on the wall

SET elecbill.clock_override = '2026-01-01 12:00Z';
SELECT elecbill.org_create('BEIJING', 'Beijing'), elecbill.org_create('BERLIN', 'Berlin', 'Europe/Berlin', 'EUR'),
	elecbill.org_create('HAVANA', 'Havana', 'America/Havana', 'USD'), elecbill.org_create('LORD', 'Lord Howe', 'Australia/Lord_Howe', 'AUD') \g /dev/null
SELECT elecbill.job_enable(org, job, false) FROM elecbill.job_status WHERE kind <> 'reminder' \g /dev/null
-- 02:30 is missing on 29 March in Berlin and there twice on 25 October; Havana has midnight twice, Lord Howe half an hour
SELECT elecbill.job_set('BEIJING', 'reminder', '00:00'), elecbill.job_set('BERLIN', 'reminder', '02:30'),
	elecbill.job_set('HAVANA', 'reminder', '00:00'), elecbill.job_set('LORD', 'reminder', '02:15') \g /dev/null
CREATE TEMP TABLE tick AS SELECT n, timestamptz '2026-01-01 12:00Z' + n * interval '55 min' AS at FROM generate_series(0, 9600) AS n;
DO $$
DECLARE
	at timestamptz;
BEGIN
	FOR at IN SELECT t.at FROM pg_temp.tick t ORDER BY t.n LOOP
		PERFORM set_config('elecbill.clock_override', at::text, false);
		CALL elecbill.run_due();
	END LOOP;
END $$;
CREATE TEMP VIEW ran AS SELECT o.code AS org, lower(r.days) AS day, upper(r.days) - lower(r.days) AS days, r.started_at, o.zone
FROM elecbill.job_run r JOIN elecbill.org o ON o.id = r.org_id;
SELECT is((SELECT count(*)::int FROM ran WHERE org = o AND days = 1 AND day BETWEEN '2026-01-02' AND '2027-01-01'), 365,
	'a year of daily work is done 365 times: ' || o) FROM unnest('{BEIJING,BERLIN,HAVANA,LORD}'::text[]) AS o;
SELECT is_empty($$SELECT org, day FROM ran GROUP BY 1, 2 HAVING count(*) > 1$$, 'no day twice');
SELECT is_empty($$SELECT * FROM ran WHERE days <> 1$$, 'no day is put together with another');
SELECT is((SELECT count(*)::int FROM ran r WHERE (started_at AT TIME ZONE zone)::date <> day), 0,
	'each on its own local day');
-- the first look at or after the instant, worked out by hand for the days on which clocks change
SELECT is((SELECT started_at FROM ran WHERE org = x.org AND day = x.day), (SELECT min(t.at) FROM pg_temp.tick t WHERE t.at >= x.at::timestamptz), x.what)
FROM (VALUES ('BERLIN', date '2026-03-29', '2026-03-29 01:30Z', 'half past two does not exist: half past three'),
	('BERLIN', '2026-10-25', '2026-10-25 01:30Z', 'half past two comes twice: the second one'),
	('BERLIN', '2026-06-01', '2026-06-01 00:30Z', 'half past two on a summer night'),
	('BERLIN', '2026-12-01', '2026-12-01 01:30Z', 'half past two on a winter night'),
	('HAVANA', '2026-11-01', '2026-11-01 05:00Z', 'midnight comes twice: the second one'),
	('HAVANA', '2026-03-08', '2026-03-08 05:00Z', 'midnight does not exist: one o''clock'),
	('LORD', '2026-10-04', '2026-10-03 15:45Z', 'a quarter past two does not exist: a quarter to three'),
	('LORD', '2026-04-05', '2026-04-04 15:45Z', 'a quarter past two in the hour after the clocks went back'),
	('BEIJING', '2026-07-01', '2026-06-30 16:00Z', 'midnight in Beijing')) AS x(org, day, at, what);

-- ---------------------------------------------------------------- the server was away

SELECT elecbill.job_enable(org, job, false) FROM elecbill.job_status WHERE org <> 'BEIJING' AND enabled \g /dev/null
SELECT elecbill.job_set('BEIJING', 'reminder', '08:30');
SET elecbill.clock_override = '2027-01-11 07:00+08';
CALL elecbill.run_due();
SELECT is((SELECT days FROM elecbill.job_status WHERE org = 'BEIJING' AND job = 'reminder'), (SELECT daterange(max(day) + 1, '2027-01-11') FROM ran
	WHERE org = 'BEIJING' AND days = 1), 'after days without power the work is done once, for all of them');
SET elecbill.clock_override = '2027-01-11 08:29+08';
CALL elecbill.run_due();
SELECT is((SELECT last_day FROM elecbill.job_status WHERE org = 'BEIJING' AND job = 'reminder'), '2027-01-10', 'today waits for its hour');
SET elecbill.clock_override = '2027-01-11 08:30+08';
CALL elecbill.run_due();
SELECT is((SELECT days FROM elecbill.job_status WHERE org = 'BEIJING' AND job = 'reminder'), '[2027-01-11,2027-01-12)', 'and is done then');

-- ---------------------------------------------------------------- one that fails

SELECT elecbill.job_enable('BEIJING', 'bill_cycle:MONTH'), elecbill.job_enable('BEIJING', 'fsck'), elecbill.job_enable('BEIJING', 'vee_run') \g /dev/null
UPDATE elecbill.job SET params = '{"cycle": "NONE", "issue": "review"}' WHERE name = 'bill_cycle:MONTH' AND org_id = (SELECT id FROM elecbill.org WHERE code = 'BEIJING');
SET elecbill.clock_override = '2027-01-12 04:00+08';
CALL elecbill.run_due();
CREATE TEMP VIEW now_there AS SELECT job, outcome, failures, next_at, detail, last_day FROM elecbill.job_status WHERE org = 'BEIJING';
SELECT is((SELECT (outcome, failures, next_at)::text FROM now_there WHERE job = 'bill_cycle:MONTH'), ('failed'::text, 1, timestamptz '2027-01-12 04:05+08')::text,
	'billing a cycle that is not there fails, and is tried again in five minutes');
SELECT matches((SELECT detail FROM now_there WHERE job = 'bill_cycle:MONTH'), '^UB404 org ''BEIJING'' has no billing cycle ''NONE''', 'it says why');
SELECT is((SELECT string_agg(outcome, ',') FROM now_there WHERE job IN ('fsck', 'vee_run')), 'done,done', 'the others are done all the same');
SELECT is((SELECT object || ' ' || severity FROM elecbill.alarm_open WHERE org = 'BEIJING' AND code = 'job_failed'), 'bill_cycle:MONTH error', 'and there is an alarm');
SELECT is((SELECT state FROM elecbill.health WHERE org = 'BEIJING' AND subject = 'job'), 'red', 'the light of the jobs is red');
SET elecbill.clock_override = '2027-01-12 04:04+08';
CALL elecbill.run_due();
SELECT is((SELECT failures FROM now_there WHERE job = 'bill_cycle:MONTH'), 1, 'not before the five minutes are over');
SET elecbill.clock_override = '2027-01-12 04:05+08';
CALL elecbill.run_due();
SELECT is((SELECT failures::text || ' ' || (next_at - elecbill.now()) FROM now_there WHERE job = 'bill_cycle:MONTH'), '2 00:20:00', 'then again, then in twenty minutes');
UPDATE elecbill.job SET failures = 9 WHERE name = 'bill_cycle:MONTH' AND org_id = (SELECT id FROM elecbill.org WHERE code = 'BEIJING');
SELECT elecbill.job_now('BEIJING', 'bill_cycle:MONTH');
CALL elecbill.run_due();
SELECT is((SELECT failures::text || ' ' || (next_at - elecbill.now()) FROM now_there WHERE job = 'bill_cycle:MONTH'), '10 06:00:00', 'never later than in six hours');
SELECT elecbill.job_set('BEIJING', 'bill_cycle:MONTH', params => '{"cycle": "MONTH"}');
SET elecbill.clock_override = '2027-01-12 10:06+08';
CALL elecbill.run_due();
SELECT is((SELECT (outcome, failures, last_day)::text FROM now_there WHERE job = 'bill_cycle:MONTH'), ('done'::text, 0, date '2027-01-12')::text, 'put right, it is done');
SELECT is_empty($$SELECT * FROM elecbill.alarm_open WHERE code = 'job_failed'$$, 'and the alarm is over');
SELECT is((SELECT state FROM elecbill.health WHERE org = 'BEIJING' AND subject = 'job'), 'green', 'as is the red light');
SET elecbill.clock_override = '2027-01-13 04:15+08';
SELECT is((SELECT state || ' ' || value FROM elecbill.health WHERE org = 'BEIJING' AND subject = 'job'), 'red 3', 'nobody calls run_due(): jobs are late');

-- ---------------------------------------------------------------- one whose session died

INSERT INTO elecbill.job_run (org_id, job_id, days, started_at, pid, steps)
SELECT org_id, id, '[2027-01-13,2027-01-14)', '2027-01-13 03:00+08', 1, 7 FROM elecbill.job WHERE name = 'fsck' AND enabled;
CALL elecbill.run_due();
SELECT is((SELECT (outcome, failures, detail)::text FROM now_there WHERE job = 'fsck'), ('lost'::text, 1, 'the session 1 ended after 7 steps'::text)::text,
	'work whose session died is found');
SELECT is((SELECT outcome FROM now_there WHERE job = 'vee_run'), 'done', 'others go before it');
SET elecbill.clock_override = '2027-01-13 04:20+08';
CALL elecbill.run_due();
SELECT is((SELECT outcome || ' ' || last_day FROM now_there WHERE job = 'fsck'), 'done ' || date '2027-01-13', 'and it is done again');
SELECT is((SELECT count(*)::int FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()), 0, 'no lock is left behind');
SELECT pg_advisory_lock(elecbill._job_class(), id) FROM elecbill.job WHERE name = 'fsck' AND enabled \g /dev/null
CALL elecbill.run_due();
SELECT is((SELECT count(*)::int FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()), 0, 'nor is one of a call that was interrupted');
SELECT throws_ok('CALL elecbill.run_due()', '2D000', NULL, 'within a transaction nothing is begun');
SELECT is((SELECT count(*)::int FROM elecbill.job_run WHERE outcome = 'running'), 0, 'nothing at all');

-- between the steps of a long night the short work goes on
SELECT elecbill.job_enable(NULL, 'order_expire'), elecbill.job_now(NULL, 'order_expire'), elecbill.job_now('BEIJING', 'vee_run') \g /dev/null
CALL elecbill._run_short();
SELECT results_eq('SELECT job, started_at = elecbill.now() FROM elecbill.job_status WHERE job IN (''order_expire'', ''vee_run'') AND enabled ORDER BY job',
	$$VALUES ('order_expire'::text, true), ('vee_run', false)$$, 'what goes every few minutes is done between the steps of what is long');
SELECT elecbill.job_enable(NULL, 'order_expire', false);

-- one that takes longer than it has minutes is not begun within itself
SELECT elecbill.job_enable('BEIJING', 'dunning'), elecbill.job_now('BEIJING', 'dunning') \g /dev/null
SELECT id AS dunning FROM elecbill.job WHERE enabled AND name = 'dunning' \gset
SELECT isnt((elecbill._job_claim(:dunning)).id, NULL, 'dunning is begun');
SET elecbill.clock_override = '2027-01-13 07:00+08';
CALL elecbill._run_short();
SELECT is((SELECT outcome FROM elecbill.job_run WHERE job_id = :dunning), 'running', 'hours later it is still being done, by the same session, and was not lost');
UPDATE elecbill.job_run SET outcome = 'done', ended_at = elecbill.now() WHERE job_id = :dunning;

SELECT is(elecbill._job_step(-1), false, 'of an org that was emptied meanwhile the work is over');

-- the clock of the server was ten years ahead, and is put right
SET elecbill.clock_override = '2037-01-13 07:00+08';
CALL elecbill.run_due();
SET elecbill.clock_override = '2027-01-13 07:00+08';
CALL elecbill.run_due();
SELECT is((SELECT next_at FROM now_there WHERE job = 'dunning'), timestamptz '2027-01-13 08:00+08', 'what is done each hour is done in the next hour, not in ten years');
SELECT is((SELECT next_at FROM now_there WHERE job = 'fsck'), timestamptz '2027-01-14 03:00+08', 'and what is done each night tonight');
SET elecbill.clock_override = '2027-01-13 08:00+08';
CALL elecbill.run_due();
SELECT is((SELECT started_at FROM elecbill.job_status WHERE org = 'BEIJING' AND job = 'dunning'), timestamptz '2027-01-13 08:00+08', 'it is');
SELECT elecbill.job_enable('BEIJING', 'dunning', false);

-- ---------------------------------------------------------------- by hand

SELECT throws_ok($$SELECT elecbill.job_now('BEIJING', 'nothing')$$, 'UB404', 'there is no job ''nothing''', 'a job that is not there');
SELECT throws_ok($$SELECT elecbill.job_now('NOWHERE', 'fsck')$$, 'UB404', NULL, 'an org that is not there');
SELECT throws_ok($$SELECT elecbill.job_now('BERLIN', 'fsck')$$, 'UB412', 'job ''fsck'' is not enabled', 'a job that is switched off');
SELECT throws_ok($$SELECT elecbill.job_set('BEIJING', 'fsck', '24:00')$$, 'UB400', 'a job is not set so', 'an hour that is none');
SELECT throws_ok($$SELECT elecbill.job_set('BEIJING', 'fsck', month_day => 29)$$, 'UB400', 'a job is not set so', 'a day that not every month has');
SELECT throws_ok($$SELECT elecbill.job_set('BEIJING', 'fsck', zone => 'Mars/Olympus')$$, 'UB404', NULL, 'a zone that is none');
SELECT throws_ok($$SELECT elecbill.job_set('BEIJING', 'bill_cycle:MONTH', params => '{"issue": "perhaps"}')$$, 'UB400', 'a job is not set so', 'issued or not, not perhaps');
SELECT throws_ok($$SELECT elecbill.job_set('BEIJING', 'fsck', params => '{"since": 1}')$$, 'UB400', 'a job is not set so', 'a word that the job does not know');
SELECT throws_ok($$SELECT elecbill.job_enable('BEIJING', 'fsck', NULL)$$, 'UB400', 'a job is enabled or not', 'neither on nor off');
SELECT elecbill.job_set('BEIJING', 'fsck', '06:00', month_day => 5);
SELECT is((SELECT at_local || ' ' || next_at::timestamptz(0)::text FROM elecbill.job_status WHERE org = 'BEIJING' AND job = 'fsck'),
	'day 5 06:00:00 ' || timestamptz '2027-02-05 06:00+08', 'on the fifth of each month');
SET elecbill.clock_override = '2027-04-20 12:00+08';
CALL elecbill.run_due();
SELECT is((SELECT days || ' ' || next_at FROM elecbill.job_status WHERE org = 'BEIJING' AND job = 'fsck'),
	'[2027-01-14,2027-04-06) ' || timestamptz '2027-05-05 06:00+08', 'three fifths that were missed are done once');
SELECT elecbill.job_set('BEIJING', 'fsck', month_day => 0);
SELECT elecbill.job_enable('BEIJING', 'fsck', false);
SET elecbill.clock_override = '2027-04-25 12:00+08';
SELECT elecbill.job_enable('BEIJING', 'fsck');
SELECT is((SELECT next_at FROM elecbill.job_status WHERE org = 'BEIJING' AND job = 'fsck'), timestamptz '2027-04-26 06:00+08', 'switched on again, it begins with tomorrow');
SELECT is(elecbill.schedule(), format('* * * * * psql -Xq -d %s -c ''CALL elecbill.run_due()''', quote_ident(current_database())), 'without pg_cron one gets the line for crontab');
SELECT is(elecbill.unschedule(), false, 'and there is nothing to take back');
SELECT bag_has($$SELECT DISTINCT action FROM elecbill.audit_log$$, $$VALUES ('job_set'), ('job_enable'), ('job_now')$$, 'who changed what is in the audit log');

-- ---------------------------------------------------------------- a month that bills itself

SET elecbill.clock_override = '2025-01-20 12:00+08';
\set homes 3
\o /dev/null
SELECT elecbill.job_enable(org, job, false) FROM elecbill.job_status WHERE enabled;
SELECT elecbill.org_create('PAY', 'Paying Court');
SELECT elecbill.tariff_draft('PAY/FLAT', '[2024-01-01,)', '{"elecbill": 1, "currency": "CNY", "zone": "Asia/Shanghai",
	"components": [{"code": "energy", "kind": "energy", "price": 0.5}]}', 'ann');
SELECT elecbill.tariff_approve('PAY/FLAT', 1, 'bob');
SELECT elecbill.partition_maintain(1, '2024-12-01');
SELECT line, message FROM elecbill.import_estate('PAY', convert_to(
	E'room,account_no,name,kind,meter_no,model,last_reading,last_read_at,tariff\n' || (
	SELECT string_agg(format('R%1$s,A%1$s,N%1$s,residential,M%1$s,DDS,0,2025-01-01,FLAT', i), E'\n')
	FROM generate_series(1, 3) AS i), 'UTF8'));
SET elecbill.clock_override = '2025-02-01 12:00+08';
SELECT elecbill.reading_add('PAY', 'M' || i, '1.8.0', '2025-02-01 00:00+08', 200 * i) FROM generate_series(1, 3) AS i;
\o
CALL elecbill.run_due();
SELECT is_empty('SELECT * FROM elecbill.bill_run', 'on the first of February readings may still come');
SET elecbill.clock_override = '2025-02-02 04:00+08';
CALL elecbill.run_due();
SELECT results_eq('SELECT status, bills, amount FROM elecbill.bill_run_totals', $$VALUES ('review'::text, 3::bigint, 600.00)$$, 'in the night after January is rated');
SELECT is((SELECT detail FROM elecbill.job_status WHERE kind = 'bill_cycle' AND org = 'PAY'), format('run %s [2025-01-01,2025-02-01) waits for review',
	(SELECT id FROM elecbill.bill_run)), 'and waits for a look');
SET elecbill.clock_override = '2025-02-03 04:00+08';
CALL elecbill.run_due();
SELECT is((SELECT count(*)::int FROM elecbill.bill WHERE number IS NOT NULL), 0, 'nobody has looked: nothing is issued');
SELECT elecbill.job_set('PAY', 'bill_cycle:MONTH', params => '{"issue": "auto"}');
SET elecbill.clock_override = '2025-02-04 04:00+08';
CALL elecbill.run_due();
SELECT results_eq('SELECT number, amount, due_on FROM elecbill.bill ORDER BY number',
	$$VALUES ('2025-000001', 100.00, date '2025-02-24'), ('2025-000002', 200.00, '2025-02-24'), ('2025-000003', 300.00, '2025-02-24')$$,
	'those who do not want to look have it issued');

-- a fault of long ago: an account that a run has lost
INSERT INTO elecbill.bill_run_batch (org_id, run_id, no, account_ids, state, issue_state, bills, parked, finished_at)
SELECT org_id, id, 99, '{-1}', 'done', 'done', 0, 0, '2024-06-01 00:00+08' FROM elecbill.bill_run;
SELECT results_eq($$SELECT p.params, d.day, f.rows FROM (VALUES ('{}'::jsonb), ('{"full_on": 0}'), ('{"full_on": 9}')) AS p(params),
		(VALUES (date '2025-03-01'), ('2025-03-09')) AS d(day), elecbill._work_fsck('PAY', p.params, daterange(d.day, d.day + 1)) AS f
		ORDER BY 1, 2$$,
	$$VALUES ('{}'::jsonb, date '2025-03-01', 1::bigint), ('{}', '2025-03-09', 0), ('{"full_on": 0}', '2025-03-01', 0),
		('{"full_on": 0}', '2025-03-09', 0), ('{"full_on": 9}', '2025-03-01', 0), ('{"full_on": 9}', '2025-03-09', 1)$$,
	'on the first of a month, or on the day that is set, all there is is looked at');
SELECT * FROM finish();
