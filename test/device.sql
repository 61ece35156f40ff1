-- device.sql: commands, events, silence and gaps, as the people who keep the meters running would say it
BEGIN;
SELECT plan(58);

SET elecbill.clock_override = '2025-03-10 12:00:00+08';
SELECT lives_ok($$SELECT elecbill.org_create('D1', 'Estate', 'Asia/Shanghai', 'CNY')$$, 'an estate opens its books');
INSERT INTO elecbill.tariff_plan (org_id, code) SELECT o.id, 'T' FROM elecbill.org AS o WHERE o.code = 'D1';
SELECT is_empty($$SELECT * FROM elecbill.import_estate('D1', convert_to(E'room,account_no,name,kind,meter_no,model,multiplier,last_reading,last_read_at,tariff,protocol,interval_min\n'
	'R-1,A-1,H-1,residential,D0001,X,1,100,2025-03-01,T,dlt645,60\n'
	'R-2,A-2,H-2,residential,D0002,X,1,100,2025-03-01,T,dlt645,60\n', 'UTF8'))$$, 'with two meters');
SELECT elecbill.partition_maintain(0, '2025-03-01');
SELECT elecbill.collector_create('D1', 'C1', '00000000-0000-4000-8000-0000000000d1');
SELECT elecbill.collector_create('D1', 'C2', '00000000-0000-4000-8000-0000000000d2');
CREATE FUNCTION pg_temp.c1() RETURNS uuid LANGUAGE sql RETURN '00000000-0000-4000-8000-0000000000d1'::uuid;
CREATE FUNCTION pg_temp.at(at text) RETURNS void LANGUAGE sql AS $$SELECT set_config('elecbill.clock_override', at, false)$$;

-- a collector connects
SELECT throws_ok($$SELECT * FROM elecbill.request_reading('D0001')$$, 'UB412', NULL, 'before a collector names the meter, nobody can read it now');
SELECT is((SELECT h.acked_seq::text || ' ' || array_to_string(h.unknown_meters, ',') FROM elecbill.collector_hello(pg_temp.c1(), '0.4.0', '{D0002,D0001,X9}') AS h),
	'0 X9', 'the collector is told where it stands, and which of its meters nobody knows');
SELECT results_eq($$SELECT m.serial, r.sequence FROM elecbill.meter_route AS r JOIN elecbill.meter AS m ON m.id = r.meter_id ORDER BY 2$$,
	$$VALUES ('D0002', 1), ('D0001', 2)$$, 'its meters are its route');
SELECT is((SELECT h.schema_version FROM elecbill.collector_hello(pg_temp.c1(), '0.4.0') AS h), (SELECT max(step) FROM elecbill.schema_version), 'it learns the version of the schema');
SELECT is((SELECT count(*)::int FROM elecbill.meter_route), 2, 'a hello without meters leaves the route alone');
SELECT throws_ok($$SELECT elecbill.collector_hello(pg_temp.c1(), '0.3.0')$$, 'UB412',
	format('collector 0.3.0 does not fit schema %s', (SELECT max(step) FROM elecbill.schema_version)), 'a collector without a spool does not fit');
SELECT throws_ok($$SELECT elecbill.collector_hello(pg_temp.c1(), '9.0.0')$$, 'UB412', NULL, 'nor does one that is newer than the database');
SELECT throws_ok($$SELECT elecbill.collector_hello(pg_temp.c1(), 'new')$$, 'UB400', NULL, 'a version is three numbers');
SELECT throws_ok($$SELECT elecbill.collector_hello('00000000-0000-4000-8000-0000000000ff', '0.4.0')$$, 'UB404', NULL, 'a stranger is not greeted');

-- a reading on demand
SELECT is(elecbill.request_reading('D0001', '5 minutes', 'key-1'), elecbill.request_reading('D0001', '5 minutes', 'key-1'), 'the same key is the same command');
SELECT throws_ok($$SELECT elecbill.request_reading('D0002', '5 minutes', 'key-1')$$, 'UB409', NULL, 'and of one meter');
SELECT throws_ok($$SELECT elecbill.request_reading('D9999')$$, 'UB404', NULL, 'a meter nobody has cannot be read');
SELECT throws_ok($$SELECT elecbill.request_reading('D0001', '1 second')$$, 'UB400', NULL, 'nor one within a second');
SELECT is_empty($$SELECT * FROM elecbill.command_next('00000000-0000-4000-8000-0000000000d2')$$, 'the other collector is not asked');
SELECT results_eq($$SELECT n.meter, n.kind FROM elecbill.command_next(pg_temp.c1()) AS n$$, $$VALUES ('D0001', 'read')$$, 'its own collector is');
SELECT is_empty($$SELECT * FROM elecbill.command_next(pg_temp.c1())$$, 'once');
SELECT pg_temp.at('2025-03-10 12:01:01+08');
SELECT isnt_empty($$SELECT * FROM elecbill.command_next(pg_temp.c1())$$, 'and after a minute of silence again: it may have been started anew');
SELECT throws_ok($$SELECT elecbill.command_ack('00000000-0000-4000-8000-0000000000d2'::uuid, d.id, 'acked') FROM elecbill.device_command AS d$$, 'UB404', NULL,
	'who was not asked does not answer');
SELECT is((SELECT elecbill.command_ack(pg_temp.c1(), d.id, 'acked', '{"readings": 5}') FROM elecbill.device_command AS d), 'acked', 'it has read the meter');
SELECT is((SELECT elecbill.command_ack(pg_temp.c1(), d.id, 'acked', '{"readings": 5}') FROM elecbill.device_command AS d), 'acked', 'saying so twice does no harm');
SELECT throws_ok($$SELECT elecbill.command_ack(pg_temp.c1(), d.id, 'failed') FROM elecbill.device_command AS d$$, 'UB409', NULL, 'saying something else does');
SELECT elecbill.request_reading('D0002', '1 minute', 'key-2');
SELECT elecbill.command_next(pg_temp.c1());
SELECT pg_temp.at('2025-03-10 12:03:00+08');
SELECT elecbill.alarm_watch();
SELECT is((SELECT d.state FROM elecbill.device_command AS d WHERE d.idem_key = 'key-2'), 'expired', 'a request nobody answers expires at its deadline');
SELECT is((SELECT elecbill.command_ack(pg_temp.c1(), d.id, 'acked') FROM elecbill.device_command AS d WHERE d.idem_key = 'key-2'), 'expired', 'and an answer is too late then');

-- an order to disconnect
SELECT isnt(elecbill.relay_order('D0001', 'disconnect', 'cut-1'), NULL, 'a customer is to be disconnected');
SELECT isnt(elecbill.relay_order('D0001', 'reconnect', 'on-1'), NULL, 'he pays before anybody went there');
SELECT is((SELECT d.state || ' ' || (d.answer ->> 'reason') FROM elecbill.device_command AS d WHERE d.idem_key = 'cut-1'), 'failed superseded', 'so nobody goes');
SELECT throws_ok($$SELECT elecbill.command_take('platform', 'D1')$$, 'UB412', 'org ''D1'' is a sandbox: nobody is cut off', 'while all is a trial nobody goes');
SELECT results_eq($$SELECT t.meter, t.usage_point, t.kind FROM elecbill.command_take('platform', 'D1', trial => true) AS t$$, $$VALUES ('D0001', 'R-1', 'reconnect')$$,
	'the platform of the maker takes what is to be done');
SELECT is_empty($$SELECT * FROM elecbill.command_take('other', 'D1', trial => true)$$, 'and nobody takes it twice');
SELECT is((SELECT elecbill.command_ack('platform', d.id, 'acked') FROM elecbill.device_command AS d WHERE d.idem_key = 'on-1'), 'acked', 'it says that it is done');
SELECT is((SELECT o.confirmed_at FROM elecbill.device_command AS o WHERE o.idem_key = 'on-1'), NULL, 'which nobody has seen yet');
SELECT results_eq($$SELECT n.meter, n.kind FROM elecbill.command_next(pg_temp.c1()) AS n$$, $$VALUES ('D0001', 'relay_read')$$, 'the collector goes and looks');
SELECT throws_ok($$SELECT elecbill.command_ack(pg_temp.c1(), d.id, 'acked', '{"relay": "maybe"}') FROM elecbill.device_command AS d WHERE d.kind = 'relay_read'$$,
	'UB400', NULL, 'a relay is open or closed');
SELECT lives_ok($$SELECT elecbill.command_ack(pg_temp.c1(), d.id, 'acked', '{"relay": "open"}') FROM elecbill.device_command AS d WHERE d.kind = 'relay_read'$$, 'it is open still');
SELECT pg_temp.at('2025-03-10 12:10:00+08');
SELECT elecbill.alarm_watch();
SELECT is((SELECT count(*)::int FROM elecbill.alarm WHERE code = 'order_unconfirmed'), 0, 'some minutes are given');
SELECT pg_temp.at('2025-03-10 12:19:00+08');
SELECT elecbill.alarm_watch();
SELECT results_eq($$SELECT a.object LIKE 'D0001 %', a.state FROM elecbill.alarm AS a WHERE a.code = 'order_unconfirmed'$$, $$VALUES (true, 'open')$$, 'after a quarter of an hour it is an alarm');
SELECT is((SELECT count(*)::int FROM elecbill.command_next(pg_temp.c1())), 1, 'the collector looks again');
SELECT lives_ok($$SELECT elecbill.command_ack(pg_temp.c1(), d.id, 'acked', '{"relay": "closed"}') FROM elecbill.device_command AS d WHERE d.kind = 'relay_read' AND d.state = 'sent'$$, 'and sees it closed');
SELECT results_eq($$SELECT o.confirmed_at::text, a.state FROM elecbill.device_command AS o, elecbill.alarm AS a WHERE o.idem_key = 'on-1' AND a.code = 'order_unconfirmed'$$,
	$$VALUES ((timestamptz '2025-03-10 12:19:00+08')::text, 'closed')$$, 'which is the end of it');

-- silence
SELECT results_eq($$SELECT g.meter, g.slots, g.open FROM elecbill.reading_gap AS g ORDER BY 1$$, $$VALUES ('D0001', 227, true), ('D0002', 227, true)$$,
	'no reading has come since the 1st of March: 9 days and 11 hours are missing, for the twelfth may still come');
SELECT elecbill.ingest(pg_temp.c1(), 1, ARRAY['D0001','D0001'], ARRAY['1.8.0','1.8.0'], ARRAY['2025-03-10 10:00:02+08','2025-03-10 12:00:02+08']::timestamptz[],
	ARRAY[101, 102], ARRAY[0, 0], ARRAY[NULL, NULL]::timestamptz[]);
SELECT results_eq($$SELECT g.from_at, g.to_at, g.slots, g.open FROM elecbill.reading_gap AS g WHERE g.meter = 'D0001' ORDER BY 1$$,
	$$VALUES ('2025-03-01 01:00+08'::timestamptz, '2025-03-10 09:00+08'::timestamptz, 225, false), ('2025-03-10 11:00+08', '2025-03-10 11:00+08', 1, false)$$,
	'two readings leave two gaps');
SELECT pg_temp.at('2025-03-10 15:30:00+08');
SELECT elecbill.alarm_watch();
SELECT results_eq($$SELECT a.code, a.object FROM elecbill.alarm AS a WHERE a.state = 'open' ORDER BY 1, 2$$,
	$$VALUES ('collector_silent', 'C1'), ('collector_silent', 'C2'), ('meter_silent', 'D0001'), ('meter_silent', 'D0002')$$, 'collectors that are not heard, and their meters, are alarms');
SELECT elecbill.alarm_watch();
SELECT is((SELECT count(*)::int FROM elecbill.alarm WHERE state = 'open'), 4, 'once');
SELECT elecbill.ingest(pg_temp.c1(), 3, ARRAY['D0001'], ARRAY['1.8.0'], ARRAY['2025-03-10 15:00:02+08']::timestamptz[], ARRAY[103], ARRAY[0], ARRAY[NULL]::timestamptz[]);
SELECT is(elecbill.alarm_watch(), 2, 'when one is heard again, it and its meter are in order, the others not');

-- what collectors tell
SELECT is(elecbill.collector_event(pg_temp.c1(), '[{"code": "meter_foreign", "severity": "error", "at": "2025-03-10T15:31:00+08:00", "meter": "D0001", "details": {"found": "D0007"}},
	{"code": "port_lost", "severity": "warn", "at": "2025-03-10T15:32:00+08:00", "details": {"port": "riser-1"}}]'), 2, 'the collector tells of a strange meter and a lost port');
SELECT is(elecbill.collector_event(pg_temp.c1(), '[{"code": "port_lost", "severity": "warn", "at": "2025-03-10T15:32:00+08:00", "details": {"port": "riser-1"}}]'), 0, 'telling it twice adds nothing');
SELECT is((SELECT a.details ->> 'found' FROM elecbill.alarm AS a WHERE a.code = 'meter_foreign' AND a.state = 'open'), 'D0007', 'a strange meter is an alarm');
SELECT elecbill.alarm_watch();
SELECT is((SELECT a.state FROM elecbill.alarm AS a WHERE a.code = 'meter_foreign'), 'open', 'which stays: what was read before says nothing of it');
SELECT pg_temp.at('2025-03-10 15:55:00+08');
SELECT elecbill.ingest(pg_temp.c1(), 4, ARRAY['D0001'], ARRAY['1.8.0'], ARRAY['2025-03-10 15:45:02+08']::timestamptz[], ARRAY[104], ARRAY[0], ARRAY[NULL]::timestamptz[]);
SELECT elecbill.alarm_watch();
SELECT is((SELECT a.state || ' ' || upper(a.during) FROM elecbill.alarm AS a WHERE a.code = 'meter_foreign'), 'closed ' || timestamptz '2025-03-10 15:45:02+08',
	'the right one is read: a collector that was started in between does not know that there was another');
SELECT elecbill.collector_event(pg_temp.c1(), '[{"code": "meter_foreign", "severity": "error", "at": "2025-03-10T15:50:00+08:00", "meter": "D0002", "details": {"found": "D0007"}}]');
SELECT elecbill.alarm_watch();
SELECT is((SELECT a.state FROM elecbill.alarm AS a WHERE a.code = 'meter_foreign' AND a.object = 'D0002'), 'open', 'another meter hangs where D0002 should');
UPDATE elecbill.meter_installation AS i SET valid = tstzrange(lower(i.valid), '2025-03-10 15:20:00+08') FROM elecbill.meter AS m WHERE m.id = i.meter_id AND m.serial = 'D0002';
SELECT elecbill.alarm_watch();
SELECT is((SELECT a.state FROM elecbill.alarm AS a WHERE a.code = 'meter_foreign' AND a.object = 'D0002'), 'closed', 'it was exchanged, which is booked now');
SELECT throws_ok($$SELECT elecbill.collector_event(pg_temp.c1(), '[{"code": "X", "severity": "warn", "at": "2025-03-10"}]')$$, 'UB400', NULL, 'an event has a code');
SELECT elecbill.ingest(pg_temp.c1(), 5, ARRAY['D0009'], ARRAY['1.8.0'], ARRAY['2025-03-10 15:00:02+08']::timestamptz[], ARRAY[103], ARRAY[0], ARRAY[NULL]::timestamptz[]);
SELECT is(elecbill._inbox_purge(elecbill.now()), 0::bigint, 'what came just now stays in the inbox');
SELECT is(elecbill._inbox_purge(elecbill.now() + interval '1 s'), 1::bigint, 'what is old leaves it');
SELECT throws_ok('DELETE FROM elecbill.device_event', 'UB403', NULL, 'what was told stays told');
SELECT is_empty('SELECT * FROM elecbill.fsck()', 'all is in order');
SELECT * FROM finish();
ROLLBACK;
