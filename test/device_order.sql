-- device_order.sql: orders to disconnect and reconnect that do not go as planned, and energy where there should be none
VACUUM elecbill.alarm; -- it is known to be empty, which makes the planner scan it
BEGIN;
SELECT plan(35);

SET elecbill.clock_override = '2025-03-10 12:00:00+08';
SELECT elecbill.org_create('D1', 'Estate', 'Asia/Shanghai', 'CNY');
INSERT INTO elecbill.tariff_plan (org_id, code) SELECT o.id, 'T' FROM elecbill.org AS o WHERE o.code = 'D1';
SELECT is_empty($$SELECT * FROM elecbill.import_estate('D1', convert_to(E'room,account_no,name,kind,meter_no,model,multiplier,last_reading,last_read_at,tariff,protocol,interval_min\n'
	'R-1,A-1,H-1,residential,D0001,X,1,100,2025-03-01,T,dlt645,60\n'
	'R-2,A-2,H-2,residential,D0002,X,10,100,2025-03-01,T,dlt645,60\n'
	'R-3,A-3,H-3,residential,D0003,X,1,100,2025-03-01,T,dlt645,60\n', 'UTF8'))$$, 'an estate of three meters');
SELECT elecbill.partition_maintain(0, '2025-03-01');
SELECT elecbill.collector_create('D1', 'C1', '00000000-0000-4000-8000-0000000000d1');
CREATE FUNCTION pg_temp.c1() RETURNS uuid LANGUAGE sql RETURN '00000000-0000-4000-8000-0000000000d1'::uuid;
CREATE FUNCTION pg_temp.at(at text) RETURNS void LANGUAGE sql AS $$SELECT set_config('elecbill.clock_override', '2025-03-10 ' || at || '+08', false)$$;
CREATE FUNCTION pg_temp.said(key text, outcome text DEFAULT 'acked') RETURNS text LANGUAGE sql AS $$
	SELECT elecbill.command_ack('platform', d.id, outcome) FROM elecbill.device_command AS d WHERE d.idem_key = key $$;
CREATE FUNCTION pg_temp.look(relay text) RETURNS bigint LANGUAGE sql AS $$
	SELECT count(elecbill.command_ack(pg_temp.c1(), n.command, 'acked', jsonb_build_object('relay', relay)))
	FROM elecbill.command_next(pg_temp.c1()) AS n WHERE n.kind = 'relay_read' $$;
CREATE FUNCTION pg_temp.open() RETURNS SETOF text LANGUAGE sql AS $$
	SELECT a.code || ' ' || split_part(a.object, ' ', 1) FROM elecbill.alarm AS a
	WHERE a.state = 'open' AND a.code IN ('order_unconfirmed', 'energy_while_off') ORDER BY 1 $$;
CREATE FUNCTION pg_temp.read(at text, wh bigint, seq bigint) RETURNS integer LANGUAGE sql AS $$
	SELECT i.accepted FROM elecbill.ingest(pg_temp.c1(), seq, '{D0001,D0002}', '{1.8.0,1.8.0}',
		array_fill(('2025-03-10 ' || at || '+08')::timestamptz, '{2}'), array_fill(wh / 1000.0, '{2}'), '{0,0}', '{NULL,NULL}') AS i $$;
SELECT elecbill.collector_hello(pg_temp.c1(), '0.4.0', '{D0001,D0002}');

-- the order that was carried out last is the one that counts
SELECT elecbill.relay_order('D0001', 'disconnect', 'cut-1');
SELECT results_eq($$SELECT t.kind FROM elecbill.command_take('platform', 'D1', trial => true) AS t$$, $$VALUES ('disconnect')$$, 'a customer is to be disconnected');
SELECT is(pg_temp.said('cut-1'), 'acked', 'it is done, they say');
SELECT pg_temp.at('12:20:00');
SELECT elecbill.alarm_watch();
SELECT results_eq('SELECT pg_temp.open()', $$VALUES ('order_unconfirmed D0001')$$, 'nobody has seen it: an alarm');
SELECT elecbill.relay_order('D0001', 'reconnect', 'on-1');
SELECT elecbill.command_take('platform', 'D1', trial => true);
SELECT elecbill.alarm_watch();
SELECT results_eq('SELECT pg_temp.open()', $$VALUES ('order_unconfirmed D0001')$$, 'he has paid; while he is not connected again, the alarm stays');
SELECT is(pg_temp.said('on-1'), 'acked', 'he is connected again');
SELECT elecbill.alarm_watch();
SELECT is_empty('SELECT pg_temp.open()', 'that nobody saw him disconnected is of no interest any more');
SELECT results_eq($$SELECT o.kind FROM elecbill.device_command_open AS o WHERE o.kind LIKE '%connect'$$, $$VALUES ('reconnect')$$, 'one order is left to be seen');
SELECT is(pg_temp.look('closed'), 2::bigint, 'the collector goes and looks');
SELECT isnt((SELECT d.confirmed_at FROM elecbill.device_command AS d WHERE d.idem_key = 'on-1'), NULL, 'and sees him connected');
SELECT is((SELECT d.confirmed_at FROM elecbill.device_command AS d WHERE d.idem_key = 'cut-1'), NULL, 'which says nothing of the order before');
SELECT pg_temp.at('12:40:00');
SELECT elecbill.alarm_watch();
SELECT is_empty('SELECT pg_temp.open()', 'nothing is left to worry about');
SELECT is_empty('SELECT * FROM elecbill.fsck()', 'and all is in order');

-- what is done after the deadline is done
SELECT elecbill.relay_order('D0001', 'disconnect', 'cut-2', '1 hour');
SELECT elecbill.command_take('platform', 'D1', trial => true);
SELECT pg_temp.at('13:50:00');
SELECT elecbill.alarm_watch();
SELECT is((SELECT d.state FROM elecbill.device_command AS d WHERE d.idem_key = 'cut-2'), 'expired', 'an order whose time is over has expired');
SELECT is(pg_temp.said('cut-2'), 'acked', 'but the electrician comes back late and has done it');
SELECT is(pg_temp.look('open'), 1::bigint, 'so somebody looks');
SELECT isnt((SELECT d.confirmed_at FROM elecbill.device_command AS d WHERE d.idem_key = 'cut-2'), NULL, 'and it is so');
SELECT elecbill.request_reading('D0001', '1 minute', 'read-1');
SELECT is((SELECT count(*) FROM elecbill.command_next(pg_temp.c1())), 1::bigint, 'a reading is asked for');
SELECT pg_temp.at('13:51:00');
SELECT is((SELECT elecbill.command_ack(pg_temp.c1(), d.id, 'acked') FROM elecbill.device_command AS d WHERE d.idem_key = 'read-1'), 'expired',
	'and comes at its deadline, which is too late');
SELECT is((SELECT d.state FROM elecbill.device_command AS d WHERE d.idem_key = 'read-1'), 'expired', 'whether or not somebody had looked at the clock');

-- the most urgent first
SELECT elecbill.request_reading('D0002', '1 minute', 'read-2');
SELECT elecbill.relay_order('D0002', 'disconnect', 'cut-3');
SELECT elecbill.command_take('platform', 'D1', trial => true);
SELECT pg_temp.said('cut-3');
SELECT results_eq('SELECT n.kind FROM elecbill.command_next(pg_temp.c1()) AS n', $$VALUES ('relay_read'), ('read')$$, 'the look at a relay goes first');
SELECT elecbill.command_ack(pg_temp.c1(), d.id, 'acked', '{"relay": "open"}') FROM elecbill.device_command AS d WHERE d.kind = 'relay_read' AND d.state = 'sent';

-- a meter nobody reads is not looked at, which is an alarm in the end
SELECT elecbill.relay_order('D0003', 'disconnect', 'cut-4');
SELECT elecbill.command_take('platform', 'D1', trial => true);
SELECT is(pg_temp.said('cut-4'), 'acked', 'a meter without a collector is disconnected');
SELECT is_empty($$SELECT FROM elecbill.device_command AS d WHERE d.kind = 'relay_read' AND d.state = 'queued'$$, 'there is nobody to look');
SELECT pg_temp.at('14:10:00');
SELECT elecbill.alarm_watch();
SELECT results_eq('SELECT pg_temp.open()', $$VALUES ('order_unconfirmed D0003')$$, 'after a quarter of an hour it is an alarm');

-- V12: energy while disconnected; the second meter has transformers of 10 to 1
SELECT is(pg_temp.read('14:00:02', 105000, 1), 2, 'what was used before counts for nothing');
SELECT pg_temp.at('15:10:00');
SELECT pg_temp.read('15:00:02', 105050, 3);
SELECT elecbill.alarm_watch();
SELECT results_eq('SELECT pg_temp.open()', $$VALUES ('order_unconfirmed D0003')$$, '50 Wh, 500 with transformers, are within what a meter may count');
SELECT pg_temp.at('16:10:00');
SELECT pg_temp.read('16:00:02', 105051, 5);
SELECT elecbill.alarm_watch();
SELECT results_eq('SELECT pg_temp.open()', $$VALUES ('energy_while_off D0002'), ('order_unconfirmed D0003')$$, 'more than 0.5 kWh is an alarm');
SELECT is((SELECT a.details ->> 'kwh' || ' ' || u.code || ' ' || lower(a.during) FROM elecbill.alarm AS a JOIN elecbill.usage_point AS u ON u.id = a.usage_point_id
	WHERE a.code = 'energy_while_off'), '0.51 R-2 ' || timestamptz '2025-03-10 16:00:02+08', 'with what was used, where, and when it was seen');
SELECT pg_temp.at('17:10:00');
SELECT pg_temp.read('17:00:02', 105501, 7);
SELECT elecbill.relay_order('D0002', 'reconnect', 'on-3');
SELECT elecbill.command_take('platform', 'D1', trial => true);
SELECT pg_temp.said('on-3');
SELECT elecbill.alarm_watch();
SELECT results_eq('SELECT pg_temp.open()', $$VALUES ('energy_while_off D0001'), ('order_unconfirmed D0003')$$, 'who is connected again may use energy, who is not may not');

-- ten thousand meters that fall silent at once are not looked for in one another's alarms
CREATE FUNCTION pg_temp.scans() RETURNS bigint LANGUAGE sql AS $$
	SELECT t.seq_scan FROM pg_stat_xact_user_tables AS t WHERE t.relid = 'elecbill.alarm'::regclass $$;
SELECT pg_temp.scans() AS before \gset
SELECT elecbill._alarm_during(o.id, NULL, 'meter_silent', 'warn', 'X' || i, tstzrange(elecbill.now(), NULL), '{}') FROM elecbill.org AS o, generate_series(1, 50) AS i;
SELECT is((SELECT count(*) FROM elecbill.alarm AS a WHERE a.object LIKE 'X%' AND a.state = 'open'), 50::bigint, 'fifty alarms are raised');
SELECT elecbill._alarm_end(o.id, 'meter_silent', 'X' || i, elecbill.now()) FROM elecbill.org AS o, generate_series(1, 50) AS i;
SELECT cmp_ok(pg_temp.scans() - :before, '<', 10::bigint, 'and closed, by their key');

-- who was to be disconnected in a rehearsal is not disconnected in earnest
SELECT elecbill.relay_order('D0001', 'disconnect', 'cut-9'), elecbill.request_reading('D0001', '1 hour', 'read-9');
SELECT elecbill.go_live('D1');
SELECT is((SELECT d.state || ' ' || (d.answer ->> 'reason') FROM elecbill.device_command AS d WHERE d.idem_key = 'cut-9'), 'failed sandbox', 'an order that waited when the trial ended is given up');
SELECT is((SELECT d.state FROM elecbill.device_command AS d WHERE d.idem_key = 'read-9'), 'queued', 'a reading is a reading');
SELECT is_empty($$SELECT elecbill.command_take('platform', 'D1')$$, 'nobody takes it');
SELECT elecbill.relay_order('D0001', 'disconnect', 'cut-10');
SELECT results_eq($$SELECT t.meter, t.kind FROM elecbill.command_take('platform', 'D1') AS t$$, $$VALUES ('D0001', 'disconnect')$$, 'what is ordered from now on is carried out');
SELECT * FROM finish();
ROLLBACK;
