-- schema--0.3.0--0.4.0.sql: routes, commands and events of meters, and who has been heard

ALTER TABLE elecbill.collector
	ADD COLUMN version text,
	ADD COLUMN contact_at timestamptz,
	ADD COLUMN silent_after_s integer NOT NULL DEFAULT 900
				CONSTRAINT collector_silent_after_s_check CHECK (silent_after_s BETWEEN 60 AND 2678400);

ALTER TABLE elecbill.meter_model
	DROP CONSTRAINT meter_model_protocol_check,
	ADD CONSTRAINT meter_model_protocol_check CHECK (protocol ~ '^[a-z0-9_-]{1,32}$');

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
