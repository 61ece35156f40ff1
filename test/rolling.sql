-- rolling.sql: usage of the last days, and limits for it, as a customer would put it
BEGIN;
SELECT plan(62);

SELECT elecbill.org_create('E1', 'Estate One', 'Europe/Berlin', 'EUR');
INSERT INTO elecbill.tariff_plan (org_id, code) SELECT o.id, 'T' FROM elecbill.org o;
SELECT is_empty($$SELECT * FROM elecbill.import_estate('E1', convert_to(E'room,account_no,name,kind,meter_no,model,multiplier,last_reading,last_read_at,tariff,protocol,interval_min\n'
	'R-0101,A-0101,H-0101,residential,M0101,X,1,0,2025-03-01,T,csvline,60\n'
	'S-01,A-S01,S-01,commercial,MS01,Y,40,0,2025-03-01,T,csvline,60\n'
	'R-0102,A-0102,H-0102,residential,M0102,X,1,0,2025-03-01,T,csvline,60\n', 'UTF8'))$$, 'an estate in Berlin has a home, a shop behind transformers of 40 to 1, and a neighbour');
SELECT elecbill.partition_maintain(0, '2025-03-01');
SELECT elecbill.collector_create('E1', 'C1', '00000000-0000-4000-8000-000000000001');

-- readings n hours after the midnight that begins the 1st of March; each call is one delivery
CREATE SEQUENCE pg_temp.seq;
CREATE FUNCTION pg_temp.at(n integer) RETURNS timestamptz LANGUAGE sql AS $$ SELECT timestamptz '2025-02-28 23:00Z' + n * interval '1 h' $$;
CREATE FUNCTION pg_temp.send(meter text, n integer[], wh bigint[]) RETURNS integer LANGUAGE sql AS $$
	SELECT i.accepted FROM (SELECT array_agg(meter) m, array_agg('1.8.0'::text) r, array_agg(pg_temp.at(x.n) ORDER BY x.n) t, array_agg(x.wh / 1000.0 ORDER BY x.n) k, array_agg(0) q,
			array_agg(NULL::timestamptz) a FROM unnest(n, wh) x(n, wh)) d,
		elecbill.ingest('00000000-0000-4000-8000-000000000001', nextval('pg_temp.seq') * 1000, m, r, t, k, q, a) i $$;
-- hour by hour, so many Wh each, on from what the register shows
CREATE FUNCTION pg_temp.hours(meter text, first integer, last integer, wh bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	shows bigint := (SELECT l.register_wh FROM elecbill.reading_latest l JOIN elecbill.meter_register g ON g.id = l.register_id JOIN elecbill.meter m ON m.id = g.meter_id WHERE m.serial = meter AND g.code = '1.8.0');
BEGIN
	FOR n IN first..last LOOP
		PERFORM pg_temp.send(meter, ARRAY[n], ARRAY[shows + (n - first + 1) * wh]);
	END LOOP;
END $$;
CREATE FUNCTION pg_temp.alarms(point text) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(format('%s %s-%s', a.state, extract(epoch FROM lower(a.during) - pg_temp.at(0))::integer / 3600,
		(extract(epoch FROM upper(a.during) - pg_temp.at(0))::integer / 3600)), ', ' ORDER BY lower(a.during))
	FROM elecbill.alarm a JOIN elecbill.usage_point u ON u.id = a.usage_point_id WHERE u.code = point $$;

-- usage of the last days
SELECT pg_temp.hours('M0101', 1, 24 * 8, 500);
SELECT is((SELECT kwh_1 || ' ' || complete_1 || ' ' || kwh_7 || ' ' || complete_7 || ' ' || kwh_30 || ' ' || complete_30 FROM elecbill.usage_rolling WHERE usage_point = 'R-0101' AND day = '2025-03-07'),
	'12.000 true 84.000 true 84.000 false', 'after a week of half a kWh an hour: 12 kWh the day, 84 the week, and a month is not over');
SELECT is((SELECT kwh_7 FROM elecbill.usage_rolling WHERE usage_point = 'R-0101' AND day = '2025-03-08'), 84.0, 'a day later the week is still 84 kWh');
SELECT pg_temp.send('M0101', ARRAY[196, 197], ARRAY[98000, 98500]);
SELECT is((SELECT kwh_1 || ' ' || complete_1 FROM elecbill.usage_rolling WHERE usage_point = 'R-0101' AND day = '2025-03-09'), '2.500 false', 'hours that nobody read are not of the day');
SELECT pg_temp.hours('M0101', 220, 224, 500);
SELECT is((SELECT kwh_1 || ' ' || kwh_7 || ' ' || complete_7 FROM elecbill.usage_rolling WHERE usage_point = 'R-0101' AND day = '2025-03-10'), '2.000 65.000 false',
	'what is known in sum only, over midnight, is of neither day, but of the week: 5 x 12 + 2.5 + 0.5 + 2');
SELECT pg_temp.send('M0101', ARRAY[360, 361], ARRAY[111000, 111500]);
SELECT is((SELECT kwh_1 || ' ' || kwh_7 || ' ' || complete_7 FROM elecbill.usage_rolling WHERE usage_point = 'R-0101' AND day = '2025-03-16'), '0.500 12.500 false',
	'the week that begins with it does not have it: 2 + 10 + 0.5');
SELECT is((SELECT count(*)::int FROM elecbill.usage_rolling r JOIN elecbill.usage_daily d USING (org, usage_point, register, day) WHERE (r.kwh_1, r.complete_1) IS DISTINCT FROM (d.energy_kwh, d.complete)), 0, 'its days are those of usage_daily');

-- what a limit may be
SELECT throws_ok($$SELECT elecbill.usage_limit_set('R-9999', '1 day', 10)$$, 'UB404', 'there is no usage point ''R-9999''', 'a room that is not there has no limit');
SELECT throws_ok($$SELECT elecbill.usage_limit_set(NULL, '1 day', 10)$$, 'UB404', 'there is no usage point NULL', 'nor has nothing');
SELECT throws_ok(format('SELECT elecbill.usage_limit_set(''R-0102'', %L, 10)', x), 'UB400', 'the span of a limit must be hours or days, from 1 minute to 366 days, in whole seconds', 'no limit for ' || coalesce(x, 'NULL'))
	FROM unnest('{1 month,-1 day,0,59 s,367 days,90.5 s,NULL}'::text[]) x;
SELECT throws_ok(format('SELECT elecbill.usage_limit_set(''R-0102'', ''1 day'', %L)', x), 'UB400', 'a limit must be a number of kWh above 0, at most 1000000000, with at most 3 decimals', 'no limit of ' || coalesce(x, 'NULL'))
	FROM unnest('{0,-1,NaN,Infinity,0.0001,1000000001,NULL}'::text[]) x;
SELECT throws_ok($$SELECT elecbill.usage_limit_drop('R-0102', '1 day')$$, 'UB404', 'usage point ''R-0102'' has no limit for 1 day', 'a limit that is not there cannot be taken away');
SELECT elecbill.org_create('E2', 'Estate Two', 'Europe/Berlin', 'EUR');
INSERT INTO elecbill.tariff_plan (org_id, code) SELECT o.id, 'T' FROM elecbill.org o WHERE o.code = 'E2';
SELECT elecbill.import_estate('E2', convert_to(E'room,account_no,name,kind,meter_no,model,last_reading,last_read_at,tariff\nR-0102,A,H,residential,M,E2,0,2025-03-01,T\n', 'UTF8'));
SELECT throws_ok($$SELECT elecbill.usage_limit_set('R-0102', '1 day', 12)$$, 'UB409', 'usage point ''R-0102'' is not unique', 'two estates have a room of that number');

-- a home that may use 12 kWh in any 24 hours; the past is judged too, for this test
SELECT elecbill.usage_limit_set('E1/R-0102', '1 day', 12);
SELECT pg_temp.hours('M0102', 1, 3, 20000);
SELECT is(pg_temp.alarms('R-0102'), NULL, 'readings of the time before the limit was set raise nothing');
UPDATE elecbill.usage_limit SET since = pg_temp.at(28);
SELECT pg_temp.hours('M0102', 4, 30, 500);
SELECT is(pg_temp.alarms('R-0102'), NULL, 'just as much as allowed is allowed');
SELECT pg_temp.hours('M0102', 31, 31, 600);
SELECT is(pg_temp.alarms('R-0102'), 'open 31-', 'a tenth of a kWh more raises an alarm');
SELECT is((SELECT details FROM elecbill.alarm), '{"kwh": 12.1, "limit_kwh": 12, "span": "24:00:00"}', 'which says how much it was, and what was allowed');
SELECT is((SELECT object || ' ' || elecbill.label(code, 'en') || ' ' || elecbill.label(severity, 'en') FROM elecbill.alarm), 'R-0102 24:00:00 usage above its limit warning', 'and of whom it speaks');
SELECT pg_temp.hours('M0102', 32, 54, 500);
SELECT is(pg_temp.alarms('R-0102'), 'open 31-', 'as long as it is above there is no second alarm');
SELECT pg_temp.hours('M0102', 55, 55, 500);
SELECT is(pg_temp.alarms('R-0102'), 'closed 31-55', 'the hour that was too much is a day old: it is over');
SELECT pg_temp.hours('M0102', 56, 56, 600);
SELECT is(pg_temp.alarms('R-0102'), 'closed 31-55, open 56-', 'the next time is another alarm');
SELECT elecbill.usage_limit_set('E1/R-0102', '24:00', 12);
SELECT is(pg_temp.alarms('R-0102'), 'closed 31-55, open 56-', 'the same limit said otherwise changes nothing');
SELECT elecbill.usage_limit_set('E1/R-0102', '24:00', 12.5);
SELECT is((SELECT string_agg(state, ', ' ORDER BY id) FROM elecbill.alarm), 'closed, closed', 'another limit begins anew');
SELECT is((SELECT count(*)::int FROM elecbill.usage_limit), 1, 'in the place of the old one');
SELECT elecbill.usage_limit_drop('E1/R-0102', '1 day');
SELECT pg_temp.hours('M0102', 57, 60, 50000);
SELECT is((SELECT string_agg(state, ', ' ORDER BY id) FROM elecbill.alarm), 'closed, closed', 'without a limit everything is allowed');

-- behind transformers; a day in one delivery
SELECT elecbill.usage_limit_set('S-01', '1 day', 400);
UPDATE elecbill.usage_limit SET since = pg_temp.at(0);
SELECT pg_temp.hours('MS01', 1, 24, 400);
SELECT pg_temp.hours('MS01', 25, 25, 1000);
SELECT is(pg_temp.alarms('S-01'), 'open 25-', 'the shop used 23 x 16 + 40 kWh in a day, more than 400');
SELECT pg_temp.send('MS01', array_agg(n), array_agg(10600 + (n - 25) * 400 + CASE WHEN n > 50 THEN 600 ELSE 0 END)) FROM generate_series(26, 80) n;
SELECT is(pg_temp.alarms('S-01'), 'closed 25-49, closed 51-75', 'what came and went within one delivery is found in it');
SELECT throws_ok($$SELECT elecbill.usage_limit_set('S-01', '1 day', NULL)$$, 'UB400', NULL, 'a limit is not taken away by nothing');
SELECT lives_ok($$SELECT elecbill.usage_limit_drop('S-01', '24 hours')$$, 'but by dropping it');

-- readings that come late
SELECT elecbill.usage_limit_set('R-0101', '6 h', 5);
UPDATE elecbill.usage_limit SET since = pg_temp.at(362);
SELECT pg_temp.hours('M0101', 362, 370, 500);
SELECT pg_temp.hours('M0101', 373, 373, 2500);
SELECT pg_temp.hours('M0101', 374, 374, 1000);
SELECT is(pg_temp.alarms('R-0101'), NULL, 'two readings lack, 4.5 kWh in 6 hours are fine');
SELECT pg_temp.hours('M0101', 375, 375, 1200);
SELECT pg_temp.hours('M0101', 376, 377, 500);
SELECT is(pg_temp.alarms('R-0101'), 'closed 375-377', '5.2 kWh were not; then the 3 hours that are known in sum only are out of it');
SELECT pg_temp.send('M0101', ARRAY[372], ARRAY[111500 + 4500 + 1200]);
SELECT is(pg_temp.alarms('R-0101'), 'closed 375-377', 'a late reading tells nothing new');
SELECT pg_temp.send('M0101', ARRAY[371], ARRAY[111500 + 4500 + 200]);
SELECT is(pg_temp.alarms('R-0101'), 'open 375-', 'another one tells that it was not over: the same alarm goes on');
SELECT pg_temp.hours('M0101', 378, 380, 0);
SELECT is(pg_temp.alarms('R-0101'), 'closed 375-378', 'until it is over');
SELECT pg_temp.hours('M0101', 388, 388, 7000);
SELECT pg_temp.hours('M0101', 389, 395, 500);
SELECT is(pg_temp.alarms('R-0101'), 'closed 375-378', 'of 8 hours in one piece nobody knows what 6 of them used');
SELECT pg_temp.send('M0101', ARRAY[384], (SELECT array_agg(r.register_wh) FROM elecbill.reading r JOIN elecbill.meter_register g ON g.id = r.register_id JOIN elecbill.meter m ON m.id = g.meter_id
	WHERE m.serial = 'M0101' AND g.code = '1.8.0' AND r.slot_at = pg_temp.at(380)));
SELECT is(pg_temp.alarms('R-0101'), 'closed 375-378, closed 388-391', 'a late reading shows that it was all in the last 4: an alarm about what is over');
SELECT pg_temp.send('M0101', ARRAY[384], (SELECT array_agg(r.register_wh) FROM elecbill.reading r JOIN elecbill.meter_register g ON g.id = r.register_id JOIN elecbill.meter m ON m.id = g.meter_id
	WHERE m.serial = 'M0101' AND g.code = '1.8.0' AND r.slot_at = pg_temp.at(380)));
SELECT is((SELECT count(*)::int FROM elecbill.alarm), 6, 'sent again, it raises no other');
SELECT is_empty('SELECT * FROM elecbill._fsck_limit()', 'every limit agrees with its alarm');

-- who stays far below a limit is not added up for each reading
SELECT elecbill.usage_limit_set('E1/R-0102', '6 h', 5.5);
UPDATE elecbill.usage_limit l SET since = pg_temp.at(61) FROM elecbill.usage_point u WHERE u.id = l.usage_point_id AND u.code = 'R-0102';
CREATE FUNCTION pg_temp.most(room text) RETURNS bigint LANGUAGE sql AS $$
	SELECT l.most_wh FROM elecbill.usage_limit l JOIN elecbill.usage_point u ON u.id = l.usage_point_id WHERE u.code = room $$;
SELECT is(pg_temp.most('R-0102'), NULL, 'above the limit already when it is set: the next reading is judged');
SELECT pg_temp.hours('M0102', 61, 72, 500);
SELECT is(pg_temp.most('R-0102'), 3000::bigint, 'judged: 6 x 0.5 kWh');
SELECT pg_temp.hours('M0102', 73, 77, 500);
SELECT is(pg_temp.most('R-0102'), 5500::bigint, 'five hours later it cannot be above 5.5 kWh, and nobody looked');
SELECT pg_temp.hours('M0102', 78, 78, 500);
SELECT is(pg_temp.most('R-0102'), 3000::bigint, 'then it could, and somebody did');
SELECT elecbill.usage_limit_set('E1/R-0102', '6 h', 5.6);
SELECT is(pg_temp.most('R-0102'), 3000::bigint, 'a new limit begins with what is known');
UPDATE elecbill.usage_limit l SET since = pg_temp.at(61) FROM elecbill.usage_point u WHERE u.id = l.usage_point_id AND u.code = 'R-0102';
-- what comes past ingest() and the triggers: the register jumps by 8 kWh, and falls
INSERT INTO elecbill.reading_2025_03 (register_id, read_at, slot_at, register_wh, org_id, source)
SELECT l.register_id, pg_temp.at(79), pg_temp.at(79), l.register_wh + 8000, l.org_id, 1 FROM elecbill.reading_latest l
JOIN elecbill.meter_register g ON g.id = l.register_id JOIN elecbill.meter m ON m.id = g.meter_id WHERE m.serial = 'M0102' AND g.code = '1.8.0';
SELECT pg_temp.hours('M0102', 80, 80, 500);
SELECT is(pg_temp.alarms('R-0102') LIKE '%open 80-', true, 'a reading that came past the trigger is judged with the next one');
-- days that were loaded are in the sum, too
SELECT elecbill.usage_limit_set('E1/S-01', '3 days', 50000);
UPDATE elecbill.usage_limit l SET since = pg_temp.at(80) FROM elecbill.usage_point u WHERE u.id = l.usage_point_id AND u.code = 'S-01';
SELECT ok(pg_temp.most('S-01') > 0, 'the shop is far below');
SELECT elecbill.profile_load('E1', 'S-01', elecbill.load_profile(pg_temp.at(96), '1 h', array_fill(2500000::bigint, ARRAY[24])));
SELECT pg_temp.hours('MS01', 144, 145, 400);
SELECT is(pg_temp.alarms('S-01'), 'closed 25-49, closed 51-75, open 145-', 'until 60 MWh of a day are loaded');

-- above at 4 and from 6 on, not at 5: what came last parts what was one crossing, whose alarm began at 8
SELECT elecbill.import_estate('E1', convert_to(E'room,account_no,name,kind,meter_no,model,last_reading,last_read_at,tariff,protocol,interval_min\n'
	'N9,N9,N9,residential,N9,X,0,2025-03-01,T,csvline,60\n', 'UTF8')) \g /dev/null
SELECT elecbill.usage_limit_set('N9', '3 hours', 1);
UPDATE elecbill.usage_limit l SET since = pg_temp.at(0) FROM elecbill.usage_point u WHERE u.id = l.usage_point_id AND u.code = 'N9';
SELECT pg_temp.send('N9', '{1,7,8,9,10,11}', '{0,2150,3250,3250,3250,3250}');
SELECT pg_temp.send('N9', '{2,3,4,6}', '{900,950,1050,2150}');
SELECT is(pg_temp.alarms('N9'), 'closed 8-11', 'an alarm stands for all of a crossing, though late readings have it begin earlier');
SELECT pg_temp.send('N9', '{5}', '{1050}');
SELECT is(pg_temp.alarms('N9'), 'closed 4-5, closed 8-11', 'when another one parts it, each part has one');

-- random readings and limits, against sums that are made anew for each reading. 300 hours, half of them delivered in order
CREATE FUNCTION pg_temp.runs(point text, span interval, limit_wh bigint) RETURNS TABLE (during tstzrange) LANGUAGE sql AS $$
	WITH i AS MATERIALIZED (SELECT * FROM elecbill.interval_usage v WHERE v.usage_point = point AND v.register = '1.8.0'),
	t AS (SELECT i.to_at AS at, (SELECT coalesce(sum(x.energy_wh), 0) FROM i x WHERE x.to_at <= i.to_at AND x.from_at >= i.to_at - span) > limit_wh AS above FROM i),
	g AS (SELECT t.*, lead(at) OVER (ORDER BY at) AS next_at, row_number() OVER (ORDER BY at) - row_number() OVER (PARTITION BY above ORDER BY at) AS run FROM t)
	SELECT tstzrange(min(at), (array_agg(next_at ORDER BY at DESC))[1]) FROM g WHERE above GROUP BY run $$;
CREATE TEMP TABLE faults (what text);
DO $$
DECLARE
	seed numeric := coalesce(nullif(current_setting('elecbill_test.seed', true), '')::numeric, round(extract(epoch FROM clock_timestamp())::numeric % 1, 6));
	home text;
	part integer[];
	span interval;
	wh bigint;
	ordered boolean;
BEGIN
	PERFORM setseed(seed);
	RAISE NOTICE '# elecbill_test.seed %', seed;
	PERFORM elecbill.import_estate('E1', convert_to(E'room,account_no,name,kind,meter_no,model,multiplier,last_reading,last_read_at,tariff,protocol,interval_min\n'
		|| (SELECT string_agg(format('N%1$s,N%1$s,N%1$s,residential,N%1$s,X,%2$s,0,2025-03-01,T,csvline,60', k, CASE k % 2 WHEN 0 THEN 1.333 ELSE 1 END), E'\n') FROM generate_series(1, 6) k), 'UTF8'));
	FOR k IN 1..6 LOOP
		home := 'N' || k;
		ordered := k <= 3;
		DROP TABLE IF EXISTS pg_temp.load;
		-- some hours are never read
		CREATE TEMP TABLE load AS SELECT n, batch, sum((random() ^ 3 * 2000)::bigint) OVER (ORDER BY n)::bigint AS wh
			FROM (SELECT n, CASE WHEN ordered THEN n / 4 ELSE (random() * 30)::integer END AS batch, random() AS lot FROM generate_series(1, 120) n) x WHERE lot > 0.1;
		span := make_interval(hours => 2 + (random() * 20)::integer);
		wh := extract(epoch FROM span) / 3600 * CASE k % 2 WHEN 0 THEN 600 ELSE 450 END;
		PERFORM elecbill.usage_limit_set(home, span, wh * 0.001);
		UPDATE elecbill.usage_limit l SET since = pg_temp.at(0) FROM elecbill.usage_point u WHERE u.id = l.usage_point_id AND u.code = home;
		FOR part IN SELECT array_agg(n) FROM load GROUP BY batch ORDER BY batch LOOP
			PERFORM pg_temp.send(home, array_agg(l.n), array_agg(l.wh)) FROM load l WHERE l.n = ANY (part);
			INSERT INTO faults SELECT format('seed %s, %s: %s', seed, f.object, f.detail) FROM elecbill._fsck_limit() f;
		END LOOP;
		INSERT INTO faults SELECT format('seed %s, %s: %s has no alarm', seed, home, r.during) FROM pg_temp.runs(home, span, wh) r
			WHERE NOT EXISTS (SELECT FROM elecbill.alarm a JOIN elecbill.usage_point u ON u.id = a.usage_point_id WHERE u.code = home AND a.during && r.during AND (NOT ordered OR a.during = r.during));
		INSERT INTO faults SELECT format('seed %s, %s: alarms %s and %s overlap', seed, home, a.during, b.during) FROM elecbill.alarm a JOIN elecbill.alarm b ON b.object = a.object AND b.org_id = a.org_id AND b.id > a.id
			WHERE a.during && b.during AND a.object LIKE home || ' %';
		IF ordered THEN
			INSERT INTO faults SELECT format('seed %s, %s: alarm %s is of nothing', seed, home, a.during) FROM elecbill.alarm a WHERE a.object LIKE home || ' %'
				AND NOT EXISTS (SELECT FROM pg_temp.runs(home, span, wh) r WHERE r.during = a.during);
		END IF;
	END LOOP;
END $$;
SELECT is_empty('SELECT * FROM faults', 'in order, each crossing is one alarm, from beginning to end; in any order, none is without and none has two');
SELECT cmp_ok((SELECT count(*)::int FROM elecbill.alarm WHERE object LIKE 'N%'), '>', 5, 'there were some');
SELECT * FROM finish();
ROLLBACK;
