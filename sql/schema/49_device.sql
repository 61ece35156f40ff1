-- 49_device.sql: what is asked of meters beside their schedule, and what collectors tell beside readings
--
-- No part of the house switches or writes a meter. An order to disconnect is executed outside, by a vendor's
-- platform or an electrician; the collector only looks at the relay afterwards.

CREATE TABLE elecbill.meter_route (
	meter_id	bigint NOT NULL,
	collector_id uuid NOT NULL CONSTRAINT meter_route_collector_fkey REFERENCES elecbill.collector,
	org_id		integer NOT NULL,
	sequence	integer NOT NULL CONSTRAINT meter_route_sequence_check CHECK (sequence > 0),
	since		timestamptz NOT NULL DEFAULT elecbill.now(),
	CONSTRAINT meter_route_pkey PRIMARY KEY (meter_id, collector_id),
	CONSTRAINT meter_route_meter_fkey FOREIGN KEY (org_id, meter_id) REFERENCES elecbill.meter (org_id, id)
);
CREATE INDEX meter_route_collector_idx ON elecbill.meter_route (collector_id);
COMMENT ON TABLE elecbill.meter_route IS 'which collector reads which meter, as the collectors say in collector_hello(); the truth is their configuration';
COMMENT ON COLUMN elecbill.meter_route.meter_id IS 'the meter';
COMMENT ON COLUMN elecbill.meter_route.collector_id IS 'who reads it; a meter may have several';
COMMENT ON COLUMN elecbill.meter_route.org_id IS 'owner of both';
COMMENT ON COLUMN elecbill.meter_route.sequence IS 'its place in the configuration, from 1';
COMMENT ON COLUMN elecbill.meter_route.since IS 'when the collector first named it';
COMMENT ON INDEX elecbill.meter_route_collector_idx IS 'meters of a collector';

CREATE TABLE elecbill.device_command (
	id			bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT device_command_pkey PRIMARY KEY,
	org_id		integer NOT NULL,
	meter_id	bigint NOT NULL,
	kind		text NOT NULL CONSTRAINT device_command_kind_check
				CHECK (kind IN ('read', 'relay_read', 'disconnect', 'reconnect')),
	priority	smallint NOT NULL CONSTRAINT device_command_priority_check CHECK (priority BETWEEN 0 AND 9),
	idem_key	text NOT NULL CONSTRAINT device_command_idem_key_check CHECK (idem_key ~ '^\S{1,128}$'),
	parent_id	bigint CONSTRAINT device_command_parent_fkey REFERENCES elecbill.device_command,
	created_by	text NOT NULL DEFAULT session_user,
	created_at	timestamptz NOT NULL DEFAULT elecbill.now(),
	deadline_at	timestamptz NOT NULL,
	state		text NOT NULL DEFAULT 'queued' CONSTRAINT device_command_state_check
				CHECK (state IN ('queued', 'sent', 'acked', 'failed', 'expired')),
	attempts	integer NOT NULL DEFAULT 0,
	sent_at		timestamptz,
	sent_to		text,
	answered_at	timestamptz,
	answer		jsonb NOT NULL DEFAULT '{}' CONSTRAINT device_command_answer_check CHECK (jsonb_typeof(answer) = 'object'),
	confirmed_at timestamptz,
	CONSTRAINT device_command_org_key UNIQUE (org_id, idem_key),
	CONSTRAINT device_command_meter_fkey FOREIGN KEY (org_id, meter_id) REFERENCES elecbill.meter (org_id, id),
	CONSTRAINT device_command_parent_check CHECK ((kind = 'relay_read') = (parent_id IS NOT NULL)),
	CONSTRAINT device_command_confirmed_check
		CHECK (confirmed_at IS NULL OR state = 'acked' AND kind IN ('disconnect', 'reconnect'))
) WITH (fillfactor = 70);
CREATE INDEX device_command_open_idx ON elecbill.device_command (meter_id, priority, id)
	WHERE state IN ('queued', 'sent');
CREATE INDEX device_command_unconfirmed_idx ON elecbill.device_command (answered_at)
	WHERE kind IN ('disconnect', 'reconnect') AND state = 'acked' AND confirmed_at IS NULL;
CREATE INDEX device_command_parent_idx ON elecbill.device_command (parent_id) WHERE parent_id IS NOT NULL;
CREATE INDEX device_command_meter_idx ON elecbill.device_command (meter_id, id);
CREATE INDEX device_command_off_idx ON elecbill.device_command (meter_id)
	WHERE kind = 'disconnect' AND confirmed_at IS NOT NULL;
COMMENT ON TABLE elecbill.device_command IS 'what was asked of a meter. Readings are fetched by the collector that reads it (command_next), orders are executed outside (command_take); nothing here writes to a meter';
COMMENT ON COLUMN elecbill.device_command.id IS 'internal key, and the number of the command';
COMMENT ON COLUMN elecbill.device_command.org_id IS 'owner';
COMMENT ON COLUMN elecbill.device_command.meter_id IS 'the meter';
COMMENT ON COLUMN elecbill.device_command.kind IS 'read (its registers now), relay_read (look whether its relay is open), disconnect or reconnect (an order)';
COMMENT ON COLUMN elecbill.device_command.priority IS '0 first ... 9 last';
COMMENT ON COLUMN elecbill.device_command.idem_key IS 'chosen by the caller, one per org: the same key again is the same command';
COMMENT ON COLUMN elecbill.device_command.parent_id IS 'of a relay_read: the order it confirms';
COMMENT ON COLUMN elecbill.device_command.created_by IS 'database login that asked';
COMMENT ON COLUMN elecbill.device_command.created_at IS 'when';
COMMENT ON COLUMN elecbill.device_command.deadline_at IS 'from it on an unanswered command is expired';
COMMENT ON COLUMN elecbill.device_command.state IS 'queued, sent (handed out), acked (done), failed, expired';
COMMENT ON COLUMN elecbill.device_command.attempts IS 'how often it was handed out';
COMMENT ON COLUMN elecbill.device_command.sent_at IS 'when it was handed out last';
COMMENT ON COLUMN elecbill.device_command.sent_to IS 'to whom: code of the collector, or name of the executor';
COMMENT ON COLUMN elecbill.device_command.answered_at IS 'when the answer came';
COMMENT ON COLUMN elecbill.device_command.answer IS 'what they said: {"readings": 5}, {"relay": "open", "status_word": "0010"}, {"reason": "..."}';
COMMENT ON COLUMN elecbill.device_command.confirmed_at IS 'of an order: when the collector saw the relay in the ordered position';
COMMENT ON INDEX elecbill.device_command_open_idx IS 'what waits for a meter';
COMMENT ON INDEX elecbill.device_command_unconfirmed_idx IS 'orders nobody has seen done';
COMMENT ON INDEX elecbill.device_command_parent_idx IS 'looks at an order';
COMMENT ON INDEX elecbill.device_command_meter_idx IS 'commands of a meter';
COMMENT ON INDEX elecbill.device_command_off_idx IS 'disconnections that were seen done';

CREATE TABLE elecbill.device_event (
	id			bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT device_event_pkey PRIMARY KEY,
	org_id		integer NOT NULL,
	collector_id uuid CONSTRAINT device_event_collector_fkey REFERENCES elecbill.collector,
	meter_id	bigint,
	code		text NOT NULL CONSTRAINT device_event_code_check CHECK (code ~ '^[a-z][a-z0-9_]{0,62}$'),
	severity	text NOT NULL CONSTRAINT device_event_severity_check CHECK (severity IN ('info', 'warn', 'error')),
	at			timestamptz NOT NULL CONSTRAINT device_event_at_check CHECK (isfinite(at)),
	received_at	timestamptz NOT NULL DEFAULT elecbill.now(),
	details		jsonb NOT NULL DEFAULT '{}' CONSTRAINT device_event_details_check CHECK (jsonb_typeof(details) = 'object'),
	CONSTRAINT device_event_once_key UNIQUE NULLS NOT DISTINCT (collector_id, meter_id, code, at, details),
	CONSTRAINT device_event_meter_fkey FOREIGN KEY (org_id, meter_id) REFERENCES elecbill.meter (org_id, id)
);
CREATE INDEX device_event_meter_idx ON elecbill.device_event (meter_id, at) WHERE meter_id IS NOT NULL;
CREATE INDEX device_event_at_idx ON elecbill.device_event USING brin (at);
COMMENT ON TABLE elecbill.device_event IS 'what happened to meters and collectors, as collector_event() brought it; append-only';
COMMENT ON COLUMN elecbill.device_event.id IS 'internal key';
COMMENT ON COLUMN elecbill.device_event.org_id IS 'owner';
COMMENT ON COLUMN elecbill.device_event.collector_id IS 'who told';
COMMENT ON COLUMN elecbill.device_event.meter_id IS 'the meter it is about; NULL = the collector itself, or a serial that is not known (it stands in details)';
COMMENT ON COLUMN elecbill.device_event.code IS 'started, stopping, meter_foreign, meter_known, breaker_open, breaker_closed, port_lost, port_open, spool_full, spool_ok, clock_set, events_lost, ...; label() has it for people';
COMMENT ON COLUMN elecbill.device_event.severity IS 'info, warn or error';
COMMENT ON COLUMN elecbill.device_event.at IS 'when it happened, by the clock of the collector';
COMMENT ON COLUMN elecbill.device_event.received_at IS 'when it was told';
COMMENT ON COLUMN elecbill.device_event.details IS 'its facts, at most 2,048 bytes; a part of the key';
COMMENT ON INDEX elecbill.device_event_meter_idx IS 'events of a meter';
COMMENT ON INDEX elecbill.device_event_at_idx IS 'age';
CREATE TRIGGER device_event_append_only BEFORE UPDATE OR DELETE ON elecbill.device_event
	FOR EACH ROW EXECUTE FUNCTION elecbill._append_only();
CREATE TRIGGER device_event_no_truncate BEFORE TRUNCATE ON elecbill.device_event
	FOR EACH STATEMENT EXECUTE FUNCTION elecbill._append_only();
COMMENT ON TRIGGER device_event_append_only ON elecbill.device_event IS 'no UPDATE, no DELETE';
COMMENT ON TRIGGER device_event_no_truncate ON elecbill.device_event IS 'no TRUNCATE';

CREATE FUNCTION elecbill._meter_get(p_serial text) RETURNS elecbill.meter
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	known	elecbill.meter;
BEGIN
	SELECT m.* INTO known FROM elecbill.meter AS m WHERE m.serial = p_serial AND elecbill._org_open(m.org_id);
	IF NOT FOUND THEN
		RAISE EXCEPTION 'there is no meter %', quote_nullable(p_serial)
			USING ERRCODE = 'UB404', HINT = 'Meters are named by their serial number.';
	END IF;
	RETURN known;
END $$;
COMMENT ON FUNCTION elecbill._meter_get(text) IS 'the meter with a serial number. UB404';

CREATE FUNCTION elecbill._collector_touch(p_collector uuid) RETURNS elecbill.collector
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	known	elecbill.collector;
BEGIN
	SELECT c.* INTO known FROM elecbill.collector AS c WHERE c.id = p_collector;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'unknown collector %', coalesce(p_collector::text, 'NULL')
			USING ERRCODE = 'UB404', HINT = 'collector_create() makes one; its id goes into the configuration of the daemon.';
	END IF;
	-- it asks every few seconds; a write a minute tells as much
	IF known.contact_at IS NULL OR known.contact_at < elecbill.now() - interval '1 min' THEN
		UPDATE elecbill.collector AS c SET contact_at = greatest(c.contact_at, elecbill.now()) WHERE c.id = p_collector;
	END IF;
	RETURN known;
END $$;
COMMENT ON FUNCTION elecbill._collector_touch(uuid) IS 'the collector, noted as alive. UB404';

CREATE FUNCTION elecbill.collector_hello(p_collector uuid, p_version text, p_meters text[] DEFAULT NULL,
	OUT acked_seq bigint, OUT schema_version text, OUT extension_version text, OUT unknown_meters text[])
RETURNS record
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	known	elecbill.collector := elecbill._collector_touch(p_collector);
	theirs	integer[];
	ours	integer[];
BEGIN
	IF p_version ~ '^[0-9]{1,4}\.[0-9]{1,4}\.[0-9]{1,4}$' IS NOT TRUE THEN
		RAISE EXCEPTION 'a collector tells its version as 0.4.0'
			USING ERRCODE = 'UB400', DETAIL = format('It is %s.', quote_nullable(p_version));
	END IF;
	SELECT v.step INTO schema_version FROM elecbill.schema_version AS v
	ORDER BY string_to_array(v.step, '.')::integer[] DESC LIMIT 1;
	SELECT e.extversion INTO extension_version FROM pg_extension AS e WHERE e.extname = 'elecbill';
	theirs := string_to_array(p_version, '.')::integer[];
	ours := string_to_array(schema_version, '.')::integer[];
	IF theirs < ARRAY[0, 4, 0] OR theirs[1:2] > ours[1:2] THEN
		RAISE EXCEPTION 'collector % does not fit schema %', p_version, schema_version
			USING ERRCODE = 'UB412',
				  DETAIL = 'A collector may be as old as 0.4.0, and not newer than the schema.',
				  HINT = 'Upgrade the older of the two: the package of the collector, or the database by ALTER EXTENSION elecbill UPDATE and CALL elecbill.upgrade_schema().';
	END IF;
	-- waits for a delivery of the connection before this one, which may be on its way yet
	UPDATE elecbill.collector AS c SET version = p_version, contact_at = greatest(c.contact_at, elecbill.now())
	WHERE c.id = p_collector RETURNING c.acked_seq INTO acked_seq;
	IF p_meters IS NOT NULL THEN
		unknown_meters := elecbill._route_set(known, p_meters);
	END IF;
END $$;
COMMENT ON FUNCTION elecbill.collector_hello(uuid, text, text[]) IS 'a collector connects: its id, its version (0.4.0), and the serials of the meters it reads, in their order, at most 100,000, which become its meter_route (NULL = they stay as they are). Returns up to where its deliveries are committed (it sends what lies behind again), the versions of schema and extension, and the serials its org does not have. UB400 no version, no such list, UB404 unknown collector, UB412 the versions do not fit';

CREATE FUNCTION elecbill._route_set(p_collector elecbill.collector, p_meters text[]) RETURNS text[]
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF array_ndims(p_meters) > 1 OR cardinality(p_meters) > 100000 OR array_position(p_meters, NULL) IS NOT NULL THEN
		RAISE EXCEPTION 'meters must be one list of at most 100000 serials' USING ERRCODE = 'UB400';
	END IF;
	DELETE FROM elecbill.meter_route AS r
	WHERE r.collector_id = p_collector.id AND NOT EXISTS (
		SELECT FROM unnest(p_meters) AS t(serial) JOIN elecbill.meter AS m ON m.serial = t.serial WHERE m.id = r.meter_id);
	INSERT INTO elecbill.meter_route AS r (meter_id, collector_id, org_id, sequence)
	SELECT m.id, p_collector.id, m.org_id, min(t.i)
	FROM unnest(p_meters) WITH ORDINALITY AS t(serial, i)
	JOIN elecbill.meter AS m ON m.serial = t.serial AND m.org_id = p_collector.org_id
	GROUP BY m.id, m.org_id
	ORDER BY m.id
	ON CONFLICT ON CONSTRAINT meter_route_pkey DO UPDATE SET sequence = excluded.sequence
	WHERE r.sequence <> excluded.sequence;
	RETURN ARRAY(
		SELECT t.serial FROM unnest(p_meters) WITH ORDINALITY AS t(serial, i)
		WHERE NOT EXISTS (SELECT FROM elecbill.meter AS m WHERE m.serial = t.serial AND m.org_id = p_collector.org_id)
		ORDER BY t.i);
END $$;
COMMENT ON FUNCTION elecbill._route_set(elecbill.collector, text[]) IS 'makes the routes of a collector those of a list of serials; returns the serials its org does not have';

CREATE FUNCTION elecbill.collector_event(p_collector uuid, p_events jsonb) RETURNS integer
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	who		elecbill.collector := elecbill._collector_touch(p_collector);
	event	record;
	n		integer := 0;
BEGIN
	IF jsonb_typeof(p_events) = 'array' IS NOT TRUE OR jsonb_array_length(p_events) > 1000
		OR EXISTS (SELECT FROM jsonb_array_elements(p_events) AS e(x) WHERE jsonb_typeof(e.x) <> 'object') THEN
		RAISE EXCEPTION 'events are an array of at most 1000 objects' USING ERRCODE = 'UB400';
	END IF;
	FOR event IN
		SELECT g.given, m.id AS meter_id, e.meter, e.code, e.severity, elecbill._event_at(e.at) AS at,
			coalesce(e.details, '{}') || CASE WHEN m.id IS NULL AND e.meter IS NOT NULL
				THEN jsonb_build_object('meter', e.meter) ELSE '{}' END AS details
		FROM jsonb_array_elements(p_events) AS g(given)
		CROSS JOIN LATERAL jsonb_to_record(g.given) AS e(meter text, code text, severity text, at text, details jsonb)
		LEFT JOIN elecbill.meter AS m ON m.serial = e.meter AND m.org_id = who.org_id
		ORDER BY at
	LOOP
		IF event.code ~ '^[a-z][a-z0-9_]{0,62}$' IS NOT TRUE OR event.at IS NULL OR length(event.meter) NOT BETWEEN 1 AND 64
			OR event.severity IN ('info', 'warn', 'error') IS NOT TRUE OR jsonb_typeof(event.details) <> 'object'
			OR pg_column_size(event.details) > 2048 THEN
			RAISE EXCEPTION 'an event needs code, severity (info, warn, error), at, and may have meter and details'
				USING ERRCODE = 'UB400', DETAIL = format('It is %s.', left(event.given::text, 400)),
					  HINT = 'An instant is written as 2026-11-20T08:00:00Z; details are an object of at most 2048 bytes.';
		END IF;
		INSERT INTO elecbill.device_event (org_id, collector_id, meter_id, code, severity, at, details)
		VALUES (who.org_id, p_collector, event.meter_id, event.code, event.severity, event.at, event.details)
		ON CONFLICT ON CONSTRAINT device_event_once_key DO NOTHING;
		IF FOUND THEN
			n := n + 1;
			PERFORM elecbill._event_alarm(who, event.meter_id, event.meter, event.code, event.at, event.details);
		END IF;
	END LOOP;
	RETURN n;
END $$;
COMMENT ON FUNCTION elecbill.collector_event(uuid, jsonb) IS 'a collector tells what happened: [{"code": "meter_foreign", "severity": "error", "at": "2026-11-20T08:00:00Z", "meter": "000000000161", "details": {...}}, ...], at most 1000. The same event again adds nothing. meter_foreign and spool_full raise an alarm, meter_known and spool_ok close it. Returns how many were new. UB400 no such array, or an event that lacks something, UB404 unknown collector';

CREATE FUNCTION elecbill._event_at(p_at text) RETURNS timestamptz
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	-- neither the session's time zone nor its DateStyle has a say, nor do words such as now
	IF p_at ~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?(Z|[+-][0-9]{2}(:[0-9]{2})?)$' THEN
		RETURN p_at::timestamptz;
	END IF;
	RETURN NULL;
EXCEPTION WHEN datetime_field_overflow OR invalid_datetime_format OR invalid_time_zone_displacement_value THEN
	RETURN NULL;
END $$;
COMMENT ON FUNCTION elecbill._event_at(text) IS 'the instant of an event, ISO 8601 with its offset from UTC; NULL = it is none';

CREATE FUNCTION elecbill._event_alarm(p_collector elecbill.collector, p_meter_id bigint, p_meter text, p_code text,
	p_at timestamptz, p_details jsonb)
RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF p_code = 'meter_foreign' AND p_meter IS NOT NULL THEN
		PERFORM elecbill._alarm_during(p_collector.org_id, elecbill._meter_point(p_meter_id), p_code, 'error', p_meter,
			tstzrange(p_at, NULL), p_details);
	ELSIF p_code = 'meter_known' AND p_meter IS NOT NULL THEN
		PERFORM elecbill._alarm_end(p_collector.org_id, 'meter_foreign', p_meter, p_at);
	ELSIF p_code = 'spool_full' THEN
		PERFORM elecbill._alarm_during(p_collector.org_id, NULL, p_code, 'error', p_collector.code,
			tstzrange(p_at, NULL), p_details);
	ELSIF p_code = 'spool_ok' THEN
		PERFORM elecbill._alarm_end(p_collector.org_id, 'spool_full', p_collector.code, p_at);
	END IF;
END $$;
COMMENT ON FUNCTION elecbill._event_alarm(elecbill.collector, bigint, text, text, timestamptz, jsonb) IS 'raises or closes the alarm that an event stands for, if it stands for one';

CREATE FUNCTION elecbill._meter_point(p_meter bigint) RETURNS bigint
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
RETURN (
	SELECT i.usage_point_id FROM elecbill.meter_installation AS i
	WHERE i.meter_id = p_meter AND i.valid @> elecbill.now());
COMMENT ON FUNCTION elecbill._meter_point(bigint) IS 'the usage point where a meter is installed now; NULL = nowhere';
