-- device: what the calls around meters and collectors refuse, with detail and hint
\set SHOW_CONTEXT never
SET timezone = 'UTC';
SET datestyle = 'ISO';
SET client_min_messages = warning;
CALL elecbill.create_schema();
CREATE FUNCTION pg_temp.try(call text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	got text;
	detail text;
	hint text;
BEGIN
	EXECUTE 'SELECT ' || call INTO got;
	RETURN coalesce(nullif(got, ''), 'done');
EXCEPTION WHEN others THEN
	GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
	RETURN concat_ws(' | ', SQLSTATE || ': ' || SQLERRM, nullif(detail, ''), nullif(hint, ''));
END $$;
SELECT elecbill.org_create('E1', 'Estate', 'Asia/Shanghai');
INSERT INTO elecbill.tariff_plan (org_id, code) SELECT o.id, 'T' FROM elecbill.org AS o;
SELECT * FROM elecbill.import_estate('E1', convert_to(E'room,account_no,name,kind,meter_no,model,multiplier,last_reading,last_read_at,tariff,protocol,interval_min\n'
	'R-1,A-1,H-1,residential,M1,X,1,100,2025-03-01,T,dlt645,60\nR-2,A-2,H-2,residential,M2,X,1,100,2025-03-01,T,dlt645,60\n', 'UTF8'));
SELECT elecbill.collector_create('E1', 'C1', '00000000-0000-4000-8000-000000000001');

-- hello
SELECT pg_temp.try($$elecbill.collector_hello(NULL, '0.4.0')$$);
SELECT pg_temp.try($$elecbill.collector_hello('00000000-0000-4000-8000-00000000000f', '0.4.0')$$);
SELECT pg_temp.try($$elecbill.collector_hello('00000000-0000-4000-8000-000000000001', '0.4')$$);
SELECT pg_temp.try($$elecbill.collector_hello('00000000-0000-4000-8000-000000000001', NULL)$$);
SELECT split_part(pg_temp.try($$elecbill.collector_hello('00000000-0000-4000-8000-000000000001', '0.3.9')$$), 'schema', 1);
SELECT split_part(pg_temp.try($$elecbill.collector_hello('00000000-0000-4000-8000-000000000001', '999.0.0')$$), 'schema', 1);
SELECT pg_temp.try($$elecbill.collector_hello('00000000-0000-4000-8000-000000000001', '0.4.0', '{{M1},{M2}}')$$);
SELECT pg_temp.try($$elecbill.collector_hello('00000000-0000-4000-8000-000000000001', '0.4.0', '{M1,NULL}')$$);
SELECT unknown_meters FROM elecbill.collector_hello('00000000-0000-4000-8000-000000000001', '0.4.0', '{M1,M2}');
SELECT unknown_meters FROM elecbill.collector_hello('00000000-0000-4000-8000-000000000001', '0.4.0', '{M1,M1,M7}');
SELECT m.serial, r.sequence FROM elecbill.meter_route AS r JOIN elecbill.meter AS m ON m.id = r.meter_id;

-- commands
SELECT pg_temp.try($$elecbill.request_reading('M9')$$);
SELECT pg_temp.try($$elecbill.request_reading(NULL)$$);
SELECT pg_temp.try($$elecbill.request_reading('M2')$$);
SELECT pg_temp.try($$elecbill.request_reading('M1', '9 seconds')$$);
SELECT pg_temp.try($$elecbill.request_reading('M1', NULL)$$);
SELECT pg_temp.try($$elecbill.request_reading('M1', '1 minute', 'a key')$$);
SELECT pg_temp.try($$elecbill.relay_order('M1', 'cut', 'k')$$);
SELECT pg_temp.try($$elecbill.relay_order('M1', 'disconnect', NULL)$$);
SELECT pg_temp.try($$elecbill.relay_order('M1', 'disconnect', 'k1')$$);
SELECT pg_temp.try($$elecbill.relay_order('M1', 'reconnect', 'k1')$$);
SELECT pg_temp.try($$elecbill.command_next('00000000-0000-4000-8000-000000000001', 0)$$);
SELECT pg_temp.try($$elecbill.command_take('an electrician', 'E1')$$);
SELECT pg_temp.try($$elecbill.command_take('electrician', 'E9')$$);
SELECT pg_temp.try($$elecbill.command_take('electrician', 'E1')$$);
SELECT meter, usage_point, kind FROM elecbill.command_take('electrician', 'E1', trial => true);
SELECT pg_temp.try($$elecbill.command_ack('electrician', 1, 'maybe')$$);
SELECT pg_temp.try($$elecbill.command_ack('electrician', 1, 'acked', '[]')$$);
SELECT pg_temp.try($$elecbill.command_ack('another', d.id, 'acked') FROM elecbill.device_command AS d$$);
SELECT pg_temp.try($$elecbill.command_ack('electrician', d.id, 'failed', '{"reason": "no key"}') FROM elecbill.device_command AS d$$);
SELECT pg_temp.try($$elecbill.command_ack('electrician', d.id, 'acked') FROM elecbill.device_command AS d$$);
SELECT pg_temp.try($$elecbill.relay_order('M1', 'disconnect', 'k2')$$) <> '';
SELECT elecbill.command_ack('electrician', t.command, 'acked') FROM elecbill.command_take('electrician', 'E1', trial => true) AS t;
SELECT pg_temp.try(format('elecbill.command_ack(%L::uuid, %s, %L)', '00000000-0000-4000-8000-000000000001', n.command, 'acked'))
FROM elecbill.command_next('00000000-0000-4000-8000-000000000001') AS n;
SELECT meter, kind, state, sent_to, attempts FROM elecbill.device_command_open ORDER BY command;

-- events
SELECT pg_temp.try($$elecbill.collector_event('00000000-0000-4000-8000-000000000001', '{}')$$);
SELECT pg_temp.try($$elecbill.collector_event('00000000-0000-4000-8000-000000000001', '[1]')$$);
SELECT pg_temp.try($$elecbill.collector_event('00000000-0000-4000-8000-000000000001', '[{"code": "x", "severity": "loud", "at": "2025-03-10T00:00:00Z"}]')$$);
SELECT elecbill.collector_event('00000000-0000-4000-8000-000000000001', '[{"code": "spool_full", "severity": "error", "at": "2025-03-10T00:00:00Z", "details": {"lost": 7}},
	{"code": "spool_ok", "severity": "info", "at": "2025-03-10T01:00:00Z"}, {"code": "breaker_open", "severity": "warn", "at": "2025-03-10T02:00:00Z", "meter": "M7"}]');
SELECT code, object, state, details FROM elecbill.alarm;
SELECT code, severity, at, details, meter_id IS NULL AS no_meter FROM elecbill.device_event ORDER BY at;

-- an instant says its offset, whatever the session; what is told fits into its key
SET timezone = 'Asia/Tokyo';
CREATE FUNCTION pg_temp.tell(what jsonb) RETURNS text LANGUAGE sql AS $$
	SELECT split_part(pg_temp.try(format('elecbill.collector_event(%L, %L)', '00000000-0000-4000-8000-000000000001',
		jsonb_build_array('{"code": "port_lost", "severity": "warn", "at": "2025-03-11T00:00:00Z"}'::jsonb || what))), ' |', 1) $$;
SELECT a.at, pg_temp.tell(jsonb_build_object('at', a.at))
FROM unnest('{2025-03-11T00:00:00,now,infinity,2025-13-11T00:00:00Z,2025-03-11T00:00:00+99:00,11.03.2025,2025-03-11T09:00:00+09:00,2025-03-11 00:00:00.000+00,NULL}'::text[]) AS a(at);
SELECT pg_temp.tell('{"meter": ""}'), pg_temp.tell(jsonb_build_object('meter', repeat('9', 65))), pg_temp.tell('{"details": [1]}'), pg_temp.tell('{"details": null}');
SELECT pg_temp.tell(jsonb_build_object('details', jsonb_build_object('text', repeat('x', 1900)))),
	pg_temp.tell(jsonb_build_object('details', jsonb_build_object('text', repeat('x', 2100))));
SET timezone = 'UTC';
SELECT code, at, length(details ->> 'text') FROM elecbill.device_event WHERE at > '2025-03-10 12:00Z' ORDER BY id;

-- each code has its words
SELECT e.code AS without_words
FROM unnest('{started,stopping,meter_foreign,meter_known,breaker_open,breaker_closed,port_lost,port_open,spool_full,spool_ok,clock_set,events_lost,
	config_loaded,config_refused,collector_silent,meter_silent,order_unconfirmed,energy_while_off,read,relay_read,disconnect,reconnect,queued,sent,acked,failed,expired}'::text[]) AS e(code)
WHERE elecbill.label(e.code, 'zh') = e.code;

-- what is another org's is none of a collector's business, though their collectors have one code
SELECT elecbill.org_create('E2', 'Other estate', 'Asia/Shanghai');
INSERT INTO elecbill.tariff_plan (org_id, code) SELECT o.id, 'T' FROM elecbill.org AS o WHERE o.code = 'E2';
SELECT * FROM elecbill.import_estate('E2', convert_to(E'room,account_no,name,kind,meter_no,model,multiplier,last_reading,last_read_at,tariff,protocol,interval_min\n'
	'R-9,A-9,H-9,residential,N1,X,1,100,2025-03-01,T,dlt645,60\n', 'UTF8'));
SELECT elecbill.collector_create('E2', 'C1', '00000000-0000-4000-8000-000000000002');
SELECT unknown_meters FROM elecbill.collector_hello('00000000-0000-4000-8000-000000000002', '0.4.0', '{M2,N1}');
SELECT pg_temp.tell('{"code": "meter_foreign", "meter": "N1"}');
SELECT o.code, a.object, a.usage_point_id FROM elecbill.alarm AS a JOIN elecbill.org AS o ON o.id = a.org_id WHERE a.code = 'meter_foreign';
SELECT elecbill.request_reading('N1', '31 days', 'long') > 0 AS asked;
SELECT meter, kind FROM elecbill.command_next('00000000-0000-4000-8000-000000000002');
SELECT pg_temp.try($$elecbill.command_ack('00000000-0000-4000-8000-000000000001'::uuid, d.id, 'acked') FROM elecbill.device_command AS d WHERE d.idem_key = 'long'$$) ~ '^UB404' AS refused;

-- a meter that does not answer for 31 days is asked once a minute
UPDATE elecbill.device_command SET attempts = 32767, sent_at = sent_at - interval '2 min' WHERE idem_key = 'long';
SELECT meter, kind FROM elecbill.command_next('00000000-0000-4000-8000-000000000002');

-- the inbox
SELECT elecbill.ingest('00000000-0000-4000-8000-000000000001', 1, '{M7}', '{1.8.0}', '{2025-03-10 00:00Z}', '{1}', '{0}', '{NULL}');
CALL elecbill.inbox_purge(1);
SELECT count(*) FROM elecbill.reading_inbox;
CALL elecbill.inbox_purge(0);
CALL elecbill.inbox_purge(NULL);
SELECT * FROM elecbill.fsck();
