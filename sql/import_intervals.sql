-- import_intervals: CSV files of readings, what becomes of each value, profiles saved and loaded again
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CALL elecbill.create_schema();
RESET client_min_messages;
SELECT elecbill.org_create('E', 'Estate', 'Europe/Berlin', 'EUR'), elecbill.org_create('K', 'Kathmandu', 'Asia/Kathmandu', 'NPR'),
	elecbill.org_create('L', 'Lord Howe', 'Australia/Lord_Howe', 'AUD');
INSERT INTO elecbill.service_location (org_id, code, kind) SELECT id, 'HOUSE', 'residential' FROM elecbill.org;
INSERT INTO elecbill.usage_point (org_id, code, location_id, kind)
SELECT l.org_id, p, l.id, 'consumer' FROM elecbill.service_location l, unnest('{P1,P2,P3,P4}'::text[]) p;
\set plain '{"at": "at", "energy": "kwh", "step": "15 min", "dst": "wall"}'

-- the counts, then what is wrong
CREATE FUNCTION pg_temp.load(point text, csv text, options jsonb, zone text DEFAULT 'Europe/Berlin', mode text DEFAULT 'all_or_nothing',
	dry_run boolean DEFAULT false, org text DEFAULT 'E')
RETURNS TABLE (what text, line integer, field text, message text) LANGUAGE plpgsql AS $$
DECLARE
	job elecbill.import_job;
BEGIN
	SELECT j.* INTO job FROM elecbill.import_intervals(org, point, 'csv', convert_to(csv, 'UTF8'), zone, options, mode, dry_run) j;
	what := job.state;
	message := format('given %s = stored %s, duplicate %s, conflict %s, missing %s; rounded %s, ignored %s, errors %s',
		job.given, job.stored, job.duplicate, job.conflict, job.missing, job.rounded, job.ignored, job.errors);
	RETURN NEXT;
	RETURN QUERY SELECT e.code, e.line, e.field, e.message FROM elecbill.import_row_error e WHERE e.job_id = job.id ORDER BY e.n;
END $$;
CREATE VIEW pg_temp.days AS
SELECT o.code AS org, u.code AS point, to_char(p.day, 'YYYY-MM-DD') AS day, p.origin, p.version, elecbill.profile_direction(p.profile) AS direction,
	elecbill.profile_count(p.profile) AS n, elecbill.profile_missing(p.profile) AS missing, elecbill.profile_sum(p.profile) AS wh
FROM elecbill.profile_day p JOIN elecbill.usage_point u ON u.id = p.usage_point_id JOIN elecbill.org o ON o.id = p.org_id;
CREATE FUNCTION pg_temp.shown(point text, org text DEFAULT 'E') RETURNS SETOF text LANGUAGE sql AS $$
	SELECT p.profile::text FROM elecbill.profile_export(org, point) p $$;

-- a day, its values finer than a Wh, one missing; then the same file, and the same values in another one
SELECT * FROM pg_temp.load('P1', E'at,kwh\n2026-01-31 00:00,0.1004\n2026-01-31 00:15,0.1004\n2026-01-31 00:30,Null\n2026-01-31 00:45,.1\n', :'plain');
SELECT * FROM pg_temp.load('P1', E'at,kwh\n2026-01-31 00:00,0.1004\n2026-01-31 00:15,0.1004\n2026-01-31 00:30,Null\n2026-01-31 00:45,.1\n', :'plain');
SELECT * FROM pg_temp.load('P1', E'at,kwh\n2026-01-31 00:45,0.1\n2026-01-31 00:15,0.1004', :'plain');
SELECT pg_temp.shown('P1');
-- what was missing is filled in; another value is kept, and changes nothing; twice in the file
SELECT * FROM pg_temp.load('P1', E'at,kwh\n2026-01-31 00:30,0.3\n2026-01-31 00:45,0.2\n2026-01-31 01:00,0.5\n2026-01-31 01:00,0.5\n2026-01-31 01:00,0.6', :'plain');
SELECT * FROM pg_temp.load('P1', E'at,kwh\n2026-01-31 00:45,0.2\n', :'plain');
SELECT pg_temp.shown('P1');
SELECT direction, to_char(at AT TIME ZONE 'UTC', 'MM-DD HH24:MI') AS at, step_s, stored_wh, offered_wh, line FROM elecbill.import_conflict ORDER BY id;
SELECT * FROM pg_temp.days;

-- every fault with its line; nothing is loaded, or the rest is, or would be
\set faulty 'E\'at,kwh\\n2026-02-01 00:00,1\\n2026-02-30 00:00,1\\nyesterday,1\\n2026-02-01 00:30,x\\n2026-02-01 00:45,-1\\n2026-02-01 01:00,1000000000001\\n2026-02-01 01:07,1\\n2226-02-01 00:00,1\\n2099-01-01 00:00,1\\n2026-02-01 02:00\\n"2026-02-01 03:00"x,1\\n\''
SELECT * FROM pg_temp.load('P2', :faulty, :'plain');
SELECT * FROM pg_temp.load('P2', :faulty, :'plain', mode => 'skip_bad', dry_run => true);
SELECT * FROM pg_temp.days WHERE point = 'P2';
SELECT * FROM pg_temp.load('P2', :faulty, :'plain', mode => 'skip_bad');
SELECT * FROM pg_temp.days WHERE point = 'P2';
SELECT kind, mode, dry_run, state, count(*) FROM elecbill.import_job GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4;
SELECT * FROM pg_temp.load('P2', '', :'plain');
SELECT * FROM pg_temp.load('P2', E'at,kwh\n', :'plain');
SELECT * FROM pg_temp.load('P2', E'at,kwh\n2026-03-01 00:00,\n', :'plain');

-- the clock: 23 and 25 hours
\set night 'E\'at,kwh\\n2025-10-26 01:45,1\\n2025-10-26 02:00,2\\n2025-10-26 02:45,3\\n2025-10-26 02:00,4\\n2025-10-26 02:45,5\\n2025-10-26 03:00,6\\n2025-03-30 01:45,7\\n2025-03-30 02:00,8\\n2025-03-30 03:00,9\''
SELECT * FROM pg_temp.load('P3', :night, :'plain', mode => 'skip_bad');
SELECT pg_temp.shown('P3');
SELECT * FROM pg_temp.days WHERE point = 'P3' ORDER BY day;
SELECT * FROM pg_temp.load('P4', E'at,kwh\n2025-10-26 02:00,2\n2025-10-26 03:00,6\n', :'plain'::jsonb || '{"dst": "last"}');
SELECT * FROM pg_temp.load('P4', E'at,kwh\n2025-10-26 02:00,1\n2025-10-26 03:00,6\n', :'plain'::jsonb || '{"dst": "first"}');
-- a clock that never changes, and stamps that say their offset; in summer both are an hour off the wall
SELECT * FROM pg_temp.load('P4', E'at,kwh\n2025-07-01 00:00,1\n2025-01-01 00:00,2\n', :'plain'::jsonb || '{"dst": "standard"}');
SELECT * FROM pg_temp.load('P4', E'at,kwh\n2025-07-02T00:00:00Z,1\n2025-07-02 01:15+0100,2\n2025-07-02 00:30-01,3\n2025-07-02 05:15:00.000 +05:30,4\n2025-07-02 05:00,5\n',
	:'plain'::jsonb || '{"dst": "offset"}', NULL, 'skip_bad');
SELECT pg_temp.shown('P4');

-- the end of the interval, date and time apart, other orders, Wh, numbers for columns, other meters, qualities
SELECT * FROM pg_temp.load('P1', E'1/5/25,0:15,a,100,\n1/5/25,24:00,a,200,guess\n1/5/25,0:30,b,300,\n1/5/25,0:45,a,5,gone\n1/5/25,1:00,a,6,odd\n',
	'{"at": [1, 2], "energy": 4, "step": "PT15M", "dst": "wall", "stamp": "end", "order": "mdy", "unit": "Wh", "header": false, "where": {"3": "a"}, "quality": 5, "qualities": {"guess": "estimated", "gone": "missing"}}', mode => 'skip_bad');
SELECT * FROM pg_temp.load('P1', E'made by somebody\n\nday,varh\n05.02.2025 00:00,7\n06.02.2025 00:00:00,8\n', '{"at": "day", "energy": "varh", "step": "1 day", "dst": "wall", "order": "dmy", "unit": "kvarh", "direction": "export_kvarh", "skip": 1}');
SELECT * FROM pg_temp.load('P1', E'at,kwh\n202503010000,1\n20250301 0015,2\n2025030100:30,3\n20250301004500,4\n20250301T01:00:00,5\n', :'plain');
SELECT to_char(day, 'YYYY-MM-DD') AS day, profile FROM elecbill.profile_export('E', 'P1', '[2025-01-01,2026-01-01)');

-- days that do not fit: midnight within an interval, slots beside midnight, steps that do not divide 24.5 hours, steps that change
SELECT * FROM pg_temp.load('P1', E'at,kwh\n2025-04-01 22:00,1\n', :'plain'::jsonb || '{"step": "4 hours", "dst": "standard"}');
SELECT * FROM pg_temp.load('P1', E'at,kwh\n2025-04-01 22:00,1\n', :'plain'::jsonb || '{"step": "30 min", "dst": "standard"}', 'UTC', org => 'K');
SELECT * FROM pg_temp.load('P1', E'at,kwh\n2025-04-06 12:00,1\n', :'plain'::jsonb || '{"step": "1 hour"}', 'Australia/Lord_Howe', org => 'L');
SELECT * FROM pg_temp.load('P1', E'at,kwh\n2025-03-01 05:00,1\n2025-03-01 06:00,1\n', :'plain'::jsonb || '{"step": "1 hour"}');

-- a day that a meter measured is not loaded
INSERT INTO elecbill.tariff_plan (org_id, code) SELECT id, 'T' FROM elecbill.org WHERE code = 'E';
SELECT * FROM elecbill.import_estate('E', convert_to(E'room,account_no,name,kind,meter_no,model,last_reading,last_read_at,tariff\nM,A,N,residential,M1,D,0,2026-04-01,T\n', 'UTF8'));
SELECT elecbill.reading_add('E', 'M1', '1.8.0', '2026-04-02 12:00+02', 5);
SELECT * FROM pg_temp.load('M', E'at,kwh\n2026-04-01 00:00,1\n2026-04-02 00:00,1\n2026-04-02 00:15,1\n', :'plain', mode => 'skip_bad');
SELECT * FROM pg_temp.days WHERE point = 'M';

-- profiles saved as text and loaded again; another profile of the same days, of part of a day, of two days
CREATE TABLE saved (usage_point text, day date, profile text);
INSERT INTO saved SELECT * FROM elecbill.profile_export('E');
SELECT count(*), count(DISTINCT usage_point) FROM saved;
SELECT elecbill.org_create('F', 'Copy', 'Europe/Berlin', 'EUR');
INSERT INTO elecbill.service_location (org_id, code, kind) SELECT id, 'HOUSE', 'residential' FROM elecbill.org WHERE code = 'F';
INSERT INTO elecbill.usage_point (org_id, code, location_id, kind)
SELECT l.org_id, p, l.id, 'consumer' FROM elecbill.service_location l JOIN elecbill.org o ON o.id = l.org_id AND o.code = 'F', unnest('{P1,P2,P3,P4,M}'::text[]) p;
SELECT sum(x.stored) AS stored, sum(x.duplicate) AS duplicate, sum(x.conflict) AS conflict FROM saved s, elecbill.profile_load('F', s.usage_point, s.profile::elecbill.load_profile) x;
SELECT count(*) FROM saved s JOIN elecbill.profile_export('F') f ON f.usage_point = s.usage_point AND f.profile::text = s.profile;
SELECT sum(x.stored) AS stored, sum(x.duplicate) AS duplicate, sum(x.conflict) AS conflict FROM saved s, elecbill.profile_load('F', s.usage_point, s.profile::elecbill.load_profile) x;
SELECT * FROM elecbill.profile_load('F', 'P1', 'import 2026-01-30T22:00:00Z/PT15M 7*4 100 101 300~4096 9');
SELECT * FROM elecbill.profile_load('F', 'M', 'export 2026-01-30T22:00:00Z/PT15M 7*4 - - 300~1024 8');
SELECT usage_point, to_char(day, 'YYYY-MM-DD') AS day, profile FROM elecbill.profile_export('F', days => '[2026-01-30,2026-02-01)') ORDER BY 1, 2, elecbill.profile_direction(profile);

-- refused
\set VERBOSITY default
SELECT elecbill.profile_load('F', 'P1', 'import 2026-01-30T22:00:00Z/PT15M 7 -7');
SELECT elecbill.profile_load('E', 'M', 'import 2026-04-01T23:00:00Z/PT15M 7');
SELECT elecbill.profile_load('F', 'P1', NULL);
SELECT elecbill.profile_load('F', 'nobody', 'import 2026-01-30T22:00:00Z/PT15M 7');
SELECT * FROM elecbill.profile_export('nobody');
SELECT * FROM elecbill.profile_export('F', 'nobody');
DELETE FROM elecbill.profile_day;
UPDATE elecbill.profile_day SET profile = profile OPERATOR(elecbill.+) profile, version = version + 1;
SELECT * FROM pg_temp.load('P1', 'x', '[]');
SELECT * FROM pg_temp.load('P1', 'x', '{"speed": 1}');
SELECT * FROM pg_temp.load('P1', 'x', '{"step": "7 min"}');
SELECT * FROM pg_temp.load('P1', 'x', '{"step": "soon"}');
SELECT * FROM pg_temp.load('P1', 'x', '{"step": "15 min"}');
SELECT * FROM pg_temp.load('P1', 'x', '{"step": "15 min", "dst": "wall", "unit": "kvarh"}');
SELECT * FROM pg_temp.load('P1', 'x', '{"step": "15 min", "dst": "wall", "skip": -1}');
SELECT * FROM pg_temp.load('P1', 'x', '{"step": "15 min", "dst": "wall", "where": []}');
SELECT * FROM pg_temp.load('P1', 'x', '{"step": "15 min", "dst": "wall", "header": false, "where": {"a": "b"}}');
SELECT * FROM pg_temp.load('P1', 'x', '{"step": "15 min", "dst": "wall", "qualities": {"E": "odd"}}');
SELECT * FROM pg_temp.load('P1', 'x', '{"step": "15 min", "dst": "wall", "at": []}');
SELECT * FROM pg_temp.load('P1', 'x', '{"step": "15 min", "dst": "wall", "at": "a", "energy": "b"}');
SELECT * FROM pg_temp.load('P1', 'a,a', '{"step": "15 min", "dst": "wall", "at": "a", "energy": "b"}');
SELECT * FROM pg_temp.load('P1', 'a,b', '{"step": "15 min", "dst": "wall", "energy": "b"}');
SELECT * FROM pg_temp.load('P1', 'x', :'plain', zone => NULL);
SELECT * FROM pg_temp.load('P1', 'x', :'plain', zone => 'Berlin');
SELECT * FROM pg_temp.load('P1', 'x', :'plain', mode => 'some');
SELECT * FROM pg_temp.load('nobody', 'x', :'plain');
SELECT elecbill.import_intervals('E', 'P1', 'xls', '', 'UTC');
SELECT elecbill.import_intervals('E', 'P1', 'nem12', '', 'UTC', '{"channels": "E1"}');
