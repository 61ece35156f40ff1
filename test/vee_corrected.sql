-- vee_corrected.sql: a reading is compared with the one before it as it counts: corrected, taken out, or moved
-- An estate of homes with hourly meters. In each of them the reading of one o'clock is not what it was when it came.
\set ON_ERROR_STOP 1
SET client_min_messages = warning;
SELECT plan(52);

SET elecbill.clock_override = '2025-02-01 12:00:00+08';
SELECT elecbill.org_create('HOME', 'Home');
SELECT elecbill.tariff_approve('T', elecbill.tariff_draft('T', '[2024-01-01,)', '{"elecbill": 1, "currency": "CNY", "zone": "Asia/Shanghai",
	"components": [{"code": "energy", "kind": "energy", "price": "0.5"}]}', 'ann'), 'bob') \g /dev/null
SELECT elecbill.collector_create('HOME', 'C1', '00000000-0000-4000-8000-000000000001') \g /dev/null
SELECT elecbill.vee_rule_set('HOME', 'E02', '{"second_kwh": 1000000}') \g /dev/null
SELECT is_empty(format($$SELECT message FROM elecbill.import_estate('HOME', convert_to(E'room,account_no,name,kind,meter_no,model,last_reading,last_read_at,tariff,protocol,digits,interval_min\n'
	'%s,A-%1$s,Family %1$s,residential,M-%1$s,X-%2$s,100,2025-02-01,T,%2$s,6,%3$s\n', 'UTF8'))$$, room, CASE WHEN room ~ '^H' THEN 'manual' ELSE 'csvline' END,
	CASE WHEN room !~ '^H' THEN '60' END), 'home ' || room)
FROM unnest('{DOWN,UP,VOID,MOVED,OTHER,BATCH,LATE,TWICE,GONE,LIMIT,OFF,H1,H2,N1}'::text[]) AS room;
CREATE FUNCTION pg_temp.send(room text, at text[], kwh numeric[]) RETURNS text LANGUAGE sql AS $$
	SELECT format('%s new, %s again', i.accepted, i.duplicate) FROM (SELECT array_agg((x || '+08')::timestamptz) AS at FROM unnest(at) AS x) AS t,
		elecbill.ingest('00000000-0000-4000-8000-000000000001', 1, array_fill('M-' || room, ARRAY[cardinality(kwh)]),
		array_fill('1.8.0'::text, ARRAY[cardinality(kwh)]), t.at, kwh, array_fill(0, ARRAY[cardinality(kwh)]), array_fill(NULL::timestamptz, ARRAY[cardinality(kwh)])) AS i $$;
CREATE FUNCTION pg_temp.correct(room text, at text, kwh numeric) RETURNS text LANGUAGE sql AS $$
	SELECT elecbill.correct_reading('HOME', 'M-' || room, '1.8.0', (at || '+08')::timestamptz, kwh, 'photo', replace(room || at || kwh, ' ', 'T')) $$;
CREATE FUNCTION pg_temp.void(room text, at text) RETURNS text LANGUAGE sql AS $$
	SELECT elecbill.reading_void('HOME', 'M-' || room, tstzrange((at || '+08')::timestamptz, (at || '+08')::timestamptz, '[]'), 'not his', replace(room || at, ' ', 'T')) $$;
-- flags of the reading at an instant, and the open exceptions of the meter that end there
CREATE FUNCTION pg_temp.told(room text, at text) RETURNS text LANGUAGE sql AS $$
	SELECT concat_ws(', ', nullif(elecbill._quality_names(r.quality & ~8192), ''),
		(SELECT string_agg(e.rule, ' ' ORDER BY e.rule) FROM elecbill.vee_exception AS e WHERE e.register_id = g.id AND e.state = 'open' AND upper(e.during) = r.read_at))
	FROM elecbill.reading_effective AS r JOIN elecbill.meter_register AS g ON g.id = r.register_id JOIN elecbill.meter AS m ON m.id = g.meter_id AND m.serial = 'M-' || room
	WHERE r.read_at = (at || '+08')::timestamptz $$;

-- ---------------------------------------------------------------- by the collector
SELECT pg_temp.send('DOWN', '{2025-02-01 01:00}', '{900}') \g /dev/null
SELECT is(pg_temp.told('DOWN', '2025-02-01 01:00'), 'V05', '800 kWh in an hour');
SELECT pg_temp.correct('DOWN', '2025-02-01 01:00', 101) \g /dev/null
SELECT is(pg_temp.send('DOWN', '{2025-02-01 02:00,2025-02-01 03:00}', '{102,103}'), '2 new, 0 again', 'it was 101, and goes on');
SELECT is(pg_temp.told('DOWN', '2025-02-01 02:00'), '', 'a good reading behind a corrected one is good');
SELECT is((SELECT string_agg(energy_wh::text, ' ' ORDER BY from_at) FROM elecbill.interval_usage WHERE usage_point = 'DOWN'), '1000 1000 1000', 'and so is each hour');

SELECT pg_temp.send('UP', '{2025-02-01 01:00}', '{100.5}'), pg_temp.correct('UP', '2025-02-01 01:00', 150) \g /dev/null
SELECT is(pg_temp.send('UP', '{2025-02-01 02:00}', '{120}'), '1 new, 0 again', 'what was 100.5 is 150 by a photo; then comes 120');
SELECT is(pg_temp.told('UP', '2025-02-01 02:00'), 'went_backwards, V02', 'a register that runs back behind a corrected reading is told of');

SELECT pg_temp.send('VOID', '{2025-02-01 01:00}', '{900}'), pg_temp.void('VOID', '2025-02-01 01:00') \g /dev/null
SELECT is(pg_temp.send('VOID', '{2025-02-01 02:00}', '{102}'), '1 new, 0 again', 'a reading is taken out');
SELECT is(pg_temp.told('VOID', '2025-02-01 02:00'), '', 'nothing is compared with it');

SELECT pg_temp.send('OTHER', '{2025-02-01 01:00,2025-02-01 02:00}', '{101,140}'),
	elecbill.reading_move('HOME', 'M-OTHER', 'M-MOVED', '[2025-02-01 02:00+08,2025-02-01 02:00+08]', 'mixed up', 'mv') \g /dev/null
SELECT is(pg_temp.send('OTHER', '{2025-02-01 03:00}', '{102}') || pg_temp.told('OTHER', '2025-02-01 03:00'), '1 new, 0 again', 'where one was taken away the register goes on');
SELECT is(pg_temp.send('MOVED', '{2025-02-01 03:00}', '{120}') || ': ' || pg_temp.told('MOVED', '2025-02-01 03:00'), '1 new, 0 again: went_backwards, V02',
	'where it came to it must not fall below');
SELECT is(pg_temp.send('MOVED', '{2025-02-01 02:00}', '{990}') || pg_temp.told('MOVED', '2025-02-01 02:00'), '1 new, 0 again', 'what comes for an instant that was moved here counts not, and is no spike');

SELECT pg_temp.send('BATCH', '{2025-02-01 01:00}', '{900}'), pg_temp.correct('BATCH', '2025-02-01 01:00', 101) \g /dev/null
SELECT is(pg_temp.send('BATCH', '{2025-02-01 01:00,2025-02-01 02:00,2025-02-01 03:00}', '{900,102,90}'), '2 new, 1 again', 'a batch that is sent once more, with what came since');
SELECT is(pg_temp.told('BATCH', '2025-02-01 02:00') || pg_temp.told('BATCH', '2025-02-01 03:00'), 'went_backwards, V02', 'the corrected value counts there too, then the next one in the batch');

SELECT pg_temp.send('LATE', '{2025-02-01 01:00,2025-02-01 02:00,2025-02-01 06:00}', '{100.5,900,103}'),
	pg_temp.correct('LATE', '2025-02-01 02:00', 101), pg_temp.correct('LATE', '2025-02-01 06:00', 120) \g /dev/null
SELECT is(pg_temp.send('LATE', '{2025-02-01 03:00}', '{102}') || pg_temp.told('LATE', '2025-02-01 03:00'), '1 new, 0 again', 'late, between two that were corrected: good');
SELECT is(pg_temp.send('LATE', '{2025-02-01 04:00}', '{110}') || pg_temp.told('LATE', '2025-02-01 04:00') || pg_temp.told('LATE', '2025-02-01 06:00'), '1 new, 0 again', 'below the next one, which was raised: good');
SELECT is(pg_temp.send('LATE', '{2025-02-01 05:00}', '{125}') || pg_temp.told('LATE', '2025-02-01 05:00') || pg_temp.told('LATE', '2025-02-01 06:00'), '1 new, 0 againV02', 'above it: the next one runs back');

-- of three readings the one in the middle is told of, unless somebody said that it is right
SELECT pg_temp.send('TWICE', '{2025-02-01 01:00}', '{500}') \g /dev/null
SELECT elecbill.vee_decide(id, 'accepted', 'a furnace') FROM elecbill.vee_open WHERE meter = 'M-TWICE' \g /dev/null
SELECT is(pg_temp.send('TWICE', '{2025-02-01 02:00}', '{300}') || ': ' || pg_temp.told('TWICE', '2025-02-01 02:00'), '1 new, 0 again: went_backwards, V02',
	'what runs back behind a reading that was found right is told of');

-- counts on after it was taken down, by the value it had as it counts
SELECT pg_temp.send('GONE', '{2025-02-01 01:00}', '{101}') \g /dev/null
SELECT elecbill.exchange_meter('GONE', 'M-GONE', '{"1.8.0": 102}', 'M-NEW', '{"1.8.0": 0}', 1, '2025-02-01 02:00+08') \g /dev/null
SELECT is(pg_temp.correct('GONE', '2025-02-01 02:00', 104), 'approved', 'the last value of a meter that went is corrected');
SELECT is(pg_temp.send('GONE', '{2025-02-01 03:00}', '{104.2}') || (SELECT count(*) FROM elecbill.vee_open WHERE meter = 'M-GONE' AND rule = 'V12'), '0 new, 0 again0', 'it shows little more since: nothing to tell');

-- ---------------------------------------------------------------- what else looks at the newest reading
SELECT elecbill.usage_limit_set('LIMIT', '1 hour', 50) \g /dev/null
SET elecbill.clock_override = '2025-02-01 14:00:00+08';
SELECT pg_temp.send('LIMIT', '{2025-02-01 13:00,2025-02-01 14:00}', '{100,900}') \g /dev/null
SELECT is((SELECT count(*)::int FROM elecbill.alarm WHERE code = 'usage_limit' AND upper_inf(during)), 1, 'who uses 800 kWh in an hour is above his limit');
SELECT pg_temp.correct('LIMIT', '2025-02-01 14:00', 101) \g /dev/null
SELECT is((SELECT count(*)::int FROM elecbill.alarm WHERE code = 'usage_limit' AND upper_inf(during)), 0, 'until the reading is corrected');
SELECT is((SELECT r.register_wh FROM elecbill._reading_newest AS r JOIN elecbill.meter_register AS g ON g.id = r.register_id AND g.code = '1.8.0'
	JOIN elecbill.meter AS m ON m.id = g.meter_id AND m.serial = 'M-LIMIT'), 101000::bigint, 'that is the newest value since, for those who live there too');
SELECT is((SELECT pg_temp.void('LIMIT', '2025-02-01 14:00') || r.register_wh FROM elecbill._reading_newest AS r JOIN elecbill.meter_register AS g ON g.id = r.register_id AND g.code = '1.8.0'
	JOIN elecbill.meter AS m ON m.id = g.meter_id AND m.serial = 'M-LIMIT'), 'approved101000', 'it is taken out');
SELECT is((SELECT r.register_wh FROM elecbill._reading_newest AS r JOIN elecbill.meter_register AS g ON g.id = r.register_id AND g.code = '1.8.0'
	JOIN elecbill.meter AS m ON m.id = g.meter_id AND m.serial = 'M-LIMIT'), 100000::bigint, 'so the one before it is the newest');

-- ---------------------------------------------------------------- by hand, and from files
SET elecbill.clock_override = '2025-02-05 12:00:00+08';
CREATE FUNCTION pg_temp.read(room text, at text, kwh numeric) RETURNS text LANGUAGE sql AS $$
	SELECT elecbill.reading_add('HOME', 'M-' || room, '1.8.0', (at || '+08')::timestamptz, kwh) $$;
SELECT pg_temp.read('H1', '2025-02-02', 200), pg_temp.correct('H1', '2025-02-02', 250) \g /dev/null
SELECT throws_ok($$SELECT pg_temp.read('H1', '2025-02-03', 230)$$, 'UB422', 'the register of meter ''M-H1'' would run backwards', 'who reads less than the corrected value reads again');
SELECT pg_temp.read('H2', '2025-02-02', 900), pg_temp.correct('H2', '2025-02-02', 150) \g /dev/null
SELECT is(pg_temp.read('H2', '2025-02-03', 160), 'accepted', 'who reads more than that is right');
SELECT is((SELECT string_agg(meter_no || ' ' || last_reading, ', ' ORDER BY meter_no) FROM elecbill.route_sheet), 'M-H1 250.000, M-H2 160.000', 'the sheet to go round with says what counts');
SELECT is(pg_temp.correct('H2', '2025-02-03', 155), 'approved', 'also of the newest');
SELECT is((SELECT last_reading || ' ' || expect_kwh FROM elecbill.route_sheet WHERE meter_no = 'M-H2'), '155.000 210', 'and expects more of that');

-- voided by mistake, or to be read anew: there is a way to the right value
SELECT is(pg_temp.void('H2', '2025-02-03'), 'approved', 'a reading is taken out');
SELECT throws_ok($$SELECT pg_temp.read('H2', '2025-02-03', 158)$$, 'UB409', 'meter ''M-H2'' has another reading at this instant', 'another one for this instant is no new reading');
SELECT is(pg_temp.correct('H2', '2025-02-03', 158), 'approved', 'but a correction of the one that was taken out');
SELECT is(pg_temp.read('H2', '2025-02-03', 158), 'duplicate', 'who enters it now enters what counts');

SELECT pg_temp.send('N1', '{2025-02-02 10:00}', '{900}'), pg_temp.correct('N1', '2025-02-02 10:00', 110) \g /dev/null
SELECT is((SELECT j.stored || ' stored' FROM elecbill.import_intervals('HOME', 'N1', 'nem13', convert_to(E'100,NEM13,202502051200,MDP,RET\n'
	'250,NMI1,1,1,1,1,M-N1,E,100,20250201020000,A,,,111,20250202140000,A,,,11,kWh,20250519,20250218104410,\n550,N,,A,\n900\n', 'UTF8'), 'Asia/Shanghai') AS j), '2 stored', 'a file of the market has the next value');
SELECT is(pg_temp.told('N1', '2025-02-02 14:00'), '', 'which is good');
SELECT is_empty('SELECT * FROM elecbill.fsck()', 'and the books are in order');
-- a look at a relay that nobody had: behind fsck()
INSERT INTO elecbill.device_command (org_id, meter_id, kind, priority, idem_key, deadline_at, state, answered_at, confirmed_at)
SELECT m.org_id, m.id, 'disconnect', 1, 'off', '2025-02-02', 'acked', '2025-02-01 00:30+08', '2025-02-01 00:30+08' FROM elecbill.meter AS m WHERE m.serial = 'M-OFF';
SELECT pg_temp.send('OFF', '{2025-02-01 01:00,2025-02-01 02:00}', '{100.1,104}') \g /dev/null
SELECT is((SELECT kwh FROM elecbill._meter_off()), 3.9, 'a meter counts though it is disconnected');
SELECT pg_temp.correct('OFF', '2025-02-01 02:00', 100.1) \g /dev/null
SELECT is((SELECT kwh FROM elecbill._meter_off()), 0::numeric, 'or was misread');
SELECT * FROM finish();
