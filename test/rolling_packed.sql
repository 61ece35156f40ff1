-- rolling_packed.sql: rolling sums and limits are the same when days are packed, and when their readings are gone
\set ON_ERROR_STOP 1
SET client_min_messages = warning;
SELECT plan(10);

-- a home in Berlin: readings every 15 minutes from March to the middle of May 2025; some never came,
-- over a midnight, too
DO $$
BEGIN
	PERFORM elecbill.org_create('E1', 'Estate One', 'Europe/Berlin', 'EUR');
	INSERT INTO elecbill.tariff_plan (org_id, code) SELECT id, 'T' FROM elecbill.org;
	PERFORM elecbill.partition_maintain(0, '2025-02-01');
	PERFORM elecbill.import_estate('E1', convert_to(E'room,account_no,name,kind,meter_no,model,multiplier,last_reading,last_read_at,tariff,protocol,interval_min\nR1,A1,H1,residential,M1,X,1.5,0,2025-03-01,T,csvline,15\n', 'UTF8'));
END $$;
CREATE FUNCTION pg_temp.put(since timestamptz, until timestamptz, skip tstzmultirange DEFAULT '{}') RETURNS void LANGUAGE sql AS $$
	INSERT INTO elecbill.reading (register_id, read_at, slot_at, register_wh, org_id, source)
	SELECT g.id, t.at + interval '3 s', t.at, (extract(epoch FROM t.at) - extract(epoch FROM timestamptz '2025-02-28 23:00Z'))::bigint / 900 * 100
		+ (extract(epoch FROM t.at)::bigint / 900 * 7919 % 97), g.org_id, 0
	FROM elecbill.meter_register g, generate_series(since, until, interval '15 min') t(at)
	WHERE g.code = '1.8.0' AND NOT t.at <@ skip $$;
SELECT pg_temp.put('2025-02-28 23:15Z', '2025-05-15 22:00Z', '{[2025-03-05 10:00Z,2025-03-05 10:50Z],[2025-03-10 21:00Z,2025-03-11 05:00Z],[2025-03-30 00:30Z,2025-03-30 01:50Z],[2025-04-20 06:00Z,2025-04-20 14:00Z]}');
ANALYZE elecbill.reading;

CREATE TEMP TABLE span AS SELECT u.id AS point, s.span, s.since FROM elecbill.usage_point u,
	(VALUES (interval '1 h', timestamptz '2025-03-01Z'), ('6 h', '2025-03-12 03:07Z'), ('24 h', '2025-03-30 12:00Z'), ('168 h', '2025-04-02 17:45Z'), ('720 h', '2025-05-01Z')) s(span, since);
CREATE VIEW pg_temp.sums AS SELECT s.span, r.* FROM span s, LATERAL elecbill._point_rolling(s.point, s.span, s.since) r;
CREATE TEMP TABLE was AS SELECT * FROM pg_temp.sums;
CREATE TEMP TABLE intervals AS SELECT * FROM elecbill.interval_usage WHERE register = '1.8.0';
CREATE TEMP TABLE was_rolling AS SELECT * FROM elecbill.usage_rolling;
SELECT ok(count(*) > 10000 AND max(wh) FILTER (WHERE span = '720 h') > 400000, 'sums of an hour to a month') FROM was;
SELECT is_empty($$SELECT * FROM was w WHERE extract(epoch FROM w.at)::bigint / 900 % 50 = 0 AND w.wh <> (SELECT coalesce(sum(i.energy_wh), 0) FROM intervals i WHERE i.to_at <= w.at AND i.from_at >= w.at - w.span)$$,
	'each is that of the intervals within its span');

CALL elecbill.pack_profiles('E1');
SELECT ok(count(*) > 60, 'the days are packed') FROM elecbill.profile_day;
SELECT is_empty('(SELECT * FROM was EXCEPT SELECT * FROM pg_temp.sums) UNION ALL (SELECT * FROM pg_temp.sums EXCEPT SELECT * FROM was)', 'no sum changed');
SELECT is_empty('(SELECT * FROM was_rolling EXCEPT SELECT * FROM elecbill.usage_rolling) UNION ALL (SELECT * FROM elecbill.usage_rolling EXCEPT SELECT * FROM was_rolling)', 'nor that of a day, a week, a month');

CALL elecbill.drop_readings('2025-05-01');
SELECT ok(min(read_at) > '2025-04-30', 'the readings of March and April are gone') FROM elecbill.reading;
SELECT is_empty('(SELECT * FROM was EXCEPT SELECT * FROM pg_temp.sums) UNION ALL (SELECT * FROM pg_temp.sums EXCEPT SELECT * FROM was)', 'still no sum changed');
SELECT is_empty('(SELECT * FROM was_rolling EXCEPT SELECT * FROM elecbill.usage_rolling) UNION ALL (SELECT * FROM elecbill.usage_rolling EXCEPT SELECT * FROM was_rolling)', 'nor that of a day, a week, a month');

-- the span of a limit reaches into days that are gone; readings that come late change days that are packed
SELECT elecbill.usage_limit_set('R1', '30 days', 400);
UPDATE elecbill.usage_limit SET since = '2025-05-15 22:10Z';
SELECT pg_temp.put('2025-05-15 22:30Z', '2025-05-16 22:00Z');
CALL elecbill.pack_profiles('E1');
SELECT pg_temp.put('2025-05-15 22:15Z', '2025-05-15 22:15Z');
SELECT is((SELECT string_agg(state || ' ' || lower(during)::text, ', ') FROM elecbill.alarm), 'open ' || timestamptz '2025-05-15 22:30Z', 'a limit sees them; the late reading, above it too, raises no second alarm');
SELECT is_empty('SELECT * FROM elecbill._fsck_limit()', 'and its alarm is right');
SELECT * FROM finish();
