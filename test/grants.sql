-- grants.sql: a collector's login has the rights that the README lists, and no other
\set grants `sed -n '/grants:begin/,/grants:end/{/^GRANT/p;/^\t/p}' README.md`
SET elecbill.clock_override = '2026-06-10 12:00+00';
SELECT elecbill.org_create('g', 'Garden');
SELECT elecbill.tariff_draft('T', '[2026-01-01,)', '{"elecbill": 1, "code": "T", "currency": "CNY", "zone": "Asia/Shanghai", "components": [{"code": "energy", "kind": "energy", "price": 1}]}', 'writer');
SELECT elecbill.import_estate('g', convert_to(E'room,account_no,name,kind,meter_no,model,last_reading,last_read_at,tariff\nR-1,10001,R-1,residential,M-1,DD-1,1000,2026-01-01,T', 'UTF8'));
SELECT elecbill.collector_create('g', 'c1', '5f0c0b0e-0000-4000-8000-00000000000d');
-- days that are packed, and a limit
SELECT elecbill.ingest('5f0c0b0e-0000-4000-8000-00000000000d', 1, array_agg('M-1'::text), array_agg('1.8.0'::text), array_agg(t.at),
	array_agg(1000 + t.n / 1000.0), array_agg(0), array_agg(NULL::timestamptz))
FROM generate_series(date_trunc('day', elecbill.now()) - interval '6 days', date_trunc('day', elecbill.now()) - interval '1 day', interval '15 min')
	WITH ORDINALITY AS t(at, n);
CALL elecbill.pack_profiles('g');
SELECT elecbill.usage_limit_set('g/R-1', '1 day', 0.1);
SET elecbill.clock_override = '2026-06-10 12:30+00';
BEGIN;
SELECT plan(18);
CREATE ROLE collector_role;
GRANT collector_role TO CURRENT_USER;
:grants
\set offer 'SELECT i::text AS said FROM elecbill.ingest(''5f0c0b0e-0000-4000-8000-00000000000d'', :seq, ''{M-1,M-1,GHOST}'', ''{1.8.0,1.8.0,1.8.0}'', ARRAY[elecbill.now() - :late, elecbill.now() + interval ''1 day'', elecbill.now()], ARRAY[:kwh, 2000, 3], ''{1,0,0}'', ''{NULL,NULL,NULL}'', ARRAY[''\\x01''::bytea, NULL, NULL]) AS i'
SET LOCAL ROLE collector_role;
\set seq 1001
\set kwh 1001
\set late 'interval ''0'''
:offer \gset first_
\set seq 1004
:offer \gset again_
\set seq 1007
\set kwh 1005
:offer \gset other_
\set seq 1010
\set late 'interval ''1 hour'''
\set kwh 1000.8
:offer \gset late_
\set seq 1013
\set late 'interval ''80 hours 1 minute'''
\set kwh 1000.3
:offer \gset packed_
SELECT elecbill.collector_hello('5f0c0b0e-0000-4000-8000-00000000000d', elecbill.version(), '{M-1,GHOST}')::text AS said \gset hello_
SELECT elecbill.collector_hello('5f0c0b0e-0000-4000-8000-00000000000d', elecbill.version(), '{GHOST,M-1}')::text AS said \gset moved_
SELECT elecbill.collector_event('5f0c0b0e-0000-4000-8000-00000000000d', jsonb_build_array(
	jsonb_build_object('code', 'meter_foreign', 'severity', 'error', 'at', elecbill.now() - interval '1 min', 'meter', 'M-1'),
	jsonb_build_object('code', 'meter_known', 'severity', 'info', 'at', elecbill.now(), 'meter', 'M-1'),
	jsonb_build_object('code', 'spool_full', 'severity', 'error', 'at', elecbill.now()))) AS said \gset event_
LISTEN elecbill_command;
RESET ROLE;
SELECT elecbill.request_reading('M-1') AS command \gset read_
SELECT elecbill.relay_order('M-1', 'disconnect', 'k') AS command \gset order_
SELECT elecbill.command_take('platform', 'g', trial => true);
SELECT elecbill.command_ack('platform', :order_command, 'acked');
SELECT d.id AS command FROM elecbill.device_command AS d WHERE d.kind = 'relay_read' \gset look_
SET LOCAL ROLE collector_role;
SELECT string_agg(c.kind, ' ' ORDER BY c.kind) AS said FROM elecbill.command_next('5f0c0b0e-0000-4000-8000-00000000000d') AS c \gset next_
SELECT elecbill.command_ack('5f0c0b0e-0000-4000-8000-00000000000d'::uuid, :read_command, 'acked', '{"readings": 5}') AS said \gset ack_
SELECT elecbill.command_ack('5f0c0b0e-0000-4000-8000-00000000000d'::uuid, :look_command, 'acked', '{"relay": "open"}') AS said \gset seen_
SELECT elecbill.collector_hello('5f0c0b0e-0000-4000-8000-00000000000d', elecbill.version(), '{}')::text AS said \gset none_
RESET ROLE;
SELECT is(:'first_said'::text, '(1,0,0,2)', 'it stores a good reading and has the bad ones refused by row');
SELECT is(:'again_said'::text, '(0,1,0,2)', 'the same again is a duplicate');
SELECT is(:'other_said'::text, '(0,0,1,2)', 'another value is a conflict');
SELECT is(:'late_said'::text, '(1,0,0,2)', 'a late reading, with a limit to be judged anew');
SELECT is(:'packed_said'::text, '(1,0,0,2)', 'one of a day that is packed');
SELECT isnt((SELECT count(*) FROM elecbill.pack_queue), 0::bigint, 'which is packed anew');
SELECT is((SELECT count(*) FROM elecbill.alarm AS a WHERE a.code = 'usage_limit'), 1::bigint, 'the limit was judged');
SELECT is(:'hello_said'::text, format('(1015,%s,%1$s,{GHOST})', elecbill.version()), 'it says who it is and which meters it reads');
SELECT is(:'moved_said'::text, :'hello_said'::text, 'again, in another order');
SELECT is(:'none_said'::text, format('(1015,%s,%1$s,{})', elecbill.version()), 'and that it reads none');
SELECT is(:'event_said'::text, '3', 'it tells events, with and without an alarm');
SELECT is(:'next_said'::text, 'read relay_read', 'it takes what it should fetch');
SELECT is(ARRAY[:'ack_said', :'seen_said'], '{acked,acked}', 'it answers');
SELECT isnt((SELECT d.confirmed_at FROM elecbill.device_command AS d WHERE d.id = :order_command), NULL, 'the look at the relay confirms the order');
SELECT ok(NOT has_table_privilege('collector_role', 'elecbill.bill', 'SELECT'), 'it cannot look at bills');
SELECT ok(NOT has_table_privilege('collector_role', 'elecbill.reading', 'UPDATE, DELETE, TRUNCATE'), 'it cannot change a reading');
SELECT ok(NOT has_function_privilege('collector_role', 'elecbill.explain_bill(text, text)', 'EXECUTE'), 'it cannot call what staff calls');
SELECT ok(NOT has_function_privilege('collector_role', 'elecbill.command_ack(text, bigint, text, jsonb)', 'EXECUTE'), 'it cannot say that an order was carried out');
SELECT * FROM finish();
ROLLBACK;
