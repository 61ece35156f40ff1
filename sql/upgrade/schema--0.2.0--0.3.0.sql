-- schema--0.2.0--0.3.0.sql: load profiles, imports, retention, limits and alarms

CREATE TABLE elecbill.profile_day (
	usage_point_id bigint NOT NULL,
	packed_at	timestamptz NOT NULL DEFAULT elecbill.now(),
	org_id		integer NOT NULL,
	day			date NOT NULL CONSTRAINT profile_day_day_check CHECK (isfinite(day)),
	profile		elecbill.load_profile NOT NULL,
	direction	smallint NOT NULL CONSTRAINT profile_day_direction_check CHECK (direction BETWEEN 0 AND 3),
	version		smallint NOT NULL DEFAULT 1 CONSTRAINT profile_day_version_check CHECK (version > 0),
	origin		smallint NOT NULL CONSTRAINT profile_day_origin_check CHECK (origin IN (0, 1)),
	exact		boolean NOT NULL CONSTRAINT profile_day_exact_check CHECK (exact OR origin = 0),
	CONSTRAINT profile_day_pkey PRIMARY KEY (usage_point_id, direction, day)
) PARTITION BY RANGE (day);

CREATE TABLE elecbill.profile_day_default (LIKE elecbill.profile_day INCLUDING ALL);

ALTER TABLE elecbill.profile_day ATTACH PARTITION elecbill.profile_day_default DEFAULT;

CREATE TABLE elecbill.profile_trace (
	id			bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT profile_trace_pkey PRIMARY KEY,
	org_id		integer NOT NULL CONSTRAINT profile_trace_org_fkey REFERENCES elecbill.org,
	usage_point_id bigint NOT NULL,
	day			date NOT NULL,
	direction	smallint NOT NULL,
	version		smallint,
	at			timestamptz NOT NULL DEFAULT elecbill.now(),
	before_wh	numeric NOT NULL,
	after_wh	numeric,
	slots		integer NOT NULL,
	why			text NOT NULL CONSTRAINT profile_trace_why_check CHECK (why <> ''),
	CONSTRAINT profile_trace_usage_point_fkey FOREIGN KEY (org_id, usage_point_id)
		REFERENCES elecbill.usage_point (org_id, id)
);

CREATE INDEX profile_trace_day_idx ON elecbill.profile_trace (usage_point_id, day);

CREATE TABLE elecbill.reading_kept (LIKE elecbill.reading INCLUDING ALL);

CREATE TABLE elecbill.reading_retention (
	month		date CONSTRAINT reading_retention_pkey PRIMARY KEY
				CONSTRAINT reading_retention_month_check CHECK (extract(day FROM month) = 1),
	dropped_at	timestamptz,
	readings	bigint CONSTRAINT reading_retention_readings_check CHECK (readings >= 0),
	kept		bigint CONSTRAINT reading_retention_kept_check CHECK (kept BETWEEN 0 AND readings),
	CONSTRAINT reading_retention_done_check CHECK (
		(dropped_at IS NULL) = (readings IS NULL) AND (dropped_at IS NULL) = (kept IS NULL))
);

CREATE TYPE elecbill.import_value AS (
	line		integer,
	field		text,
	direction	text,
	at			timestamptz,
	step_s		integer,
	wh			numeric,
	quality		integer,
	code		text,
	message		text
);

CREATE TABLE elecbill.import_job (
	id			bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT import_job_pkey PRIMARY KEY,
	org_id		integer NOT NULL CONSTRAINT import_job_org_fkey REFERENCES elecbill.org,
	usage_point_id bigint NOT NULL,
	kind		text NOT NULL CONSTRAINT import_job_kind_check CHECK (kind IN ('csv', 'nem12', 'nem13', 'espi')),
	sha256		bytea NOT NULL CONSTRAINT import_job_sha256_check CHECK (octet_length(sha256) = 32),
	zone		text,
	options		jsonb NOT NULL,
	mode		text NOT NULL CONSTRAINT import_job_mode_check CHECK (mode IN ('all_or_nothing', 'skip_bad')),
	dry_run		boolean NOT NULL,
	state		text NOT NULL CONSTRAINT import_job_state_check CHECK (state IN ('done', 'refused')),
	created_at	timestamptz NOT NULL,
	given		integer NOT NULL,
	stored		integer NOT NULL,
	duplicate	integer NOT NULL,
	conflict	integer NOT NULL,
	missing		integer NOT NULL,
	rounded		integer NOT NULL,
	ignored		integer NOT NULL,
	errors		integer NOT NULL,
	CONSTRAINT import_job_usage_point_fkey FOREIGN KEY (org_id, usage_point_id)
		REFERENCES elecbill.usage_point (org_id, id),
	CONSTRAINT import_job_count_check CHECK (
		state = 'refused' AND stored + duplicate + conflict = 0 OR given = stored + duplicate + conflict + missing)
);

CREATE UNIQUE INDEX import_job_once ON elecbill.import_job (usage_point_id, sha256, kind, options, (coalesce(zone, '')))
	WHERE state = 'done' AND NOT dry_run;

CREATE INDEX import_job_usage_point_idx ON elecbill.import_job (usage_point_id);

CREATE TABLE elecbill.import_row_error (
	job_id		bigint NOT NULL CONSTRAINT import_row_error_job_fkey REFERENCES elecbill.import_job,
	n			integer NOT NULL,
	line		integer,
	field		text,
	code		text NOT NULL,
	message		text NOT NULL,
	CONSTRAINT import_row_error_pkey PRIMARY KEY (job_id, n)
);

CREATE TABLE elecbill.import_conflict (
	id			bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT import_conflict_pkey PRIMARY KEY,
	org_id		integer NOT NULL,
	usage_point_id bigint NOT NULL,
	direction	text NOT NULL CONSTRAINT import_conflict_direction_check
				CHECK (direction IN ('import', 'export', 'import_kvarh', 'export_kvarh')),
	at			timestamptz NOT NULL,
	step_s		integer,
	stored_wh	bigint NOT NULL,
	offered_wh	bigint NOT NULL,
	job_id		bigint CONSTRAINT import_conflict_job_fkey REFERENCES elecbill.import_job,
	line		integer,
	created_at	timestamptz NOT NULL,
	CONSTRAINT import_conflict_usage_point_fkey FOREIGN KEY (org_id, usage_point_id)
		REFERENCES elecbill.usage_point (org_id, id),
	CONSTRAINT import_conflict_offer_key UNIQUE NULLS NOT DISTINCT (usage_point_id, direction, at, step_s, offered_wh),
	CONSTRAINT import_conflict_differs_check CHECK (stored_wh <> offered_wh)
);

CREATE INDEX import_conflict_job_idx ON elecbill.import_conflict (job_id);

CREATE TABLE elecbill.pack_state (
	org_id		integer CONSTRAINT pack_state_pkey PRIMARY KEY
				CONSTRAINT pack_state_org_fkey REFERENCES elecbill.org,
	until		date,
	until_at	timestamptz NOT NULL DEFAULT '-infinity'
);

CREATE TABLE elecbill.pack_point (
	usage_point_id bigint CONSTRAINT pack_point_pkey PRIMARY KEY,
	org_id		integer NOT NULL,
	packed_until date NOT NULL,
	CONSTRAINT pack_point_usage_point_fkey FOREIGN KEY (org_id, usage_point_id)
		REFERENCES elecbill.usage_point (org_id, id)
) WITH (fillfactor = 70);

CREATE INDEX pack_point_until_idx ON elecbill.pack_point (org_id, packed_until, usage_point_id);

CREATE TABLE elecbill.pack_queue (
	id			bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT pack_queue_pkey PRIMARY KEY,
	org_id		integer NOT NULL,
	usage_point_id bigint NOT NULL,
	days		daterange NOT NULL CONSTRAINT pack_queue_days_check CHECK (NOT isempty(days) AND NOT lower_inf(days)),
	why			text NOT NULL CONSTRAINT pack_queue_why_check CHECK (why <> ''),
	at			timestamptz NOT NULL DEFAULT elecbill.now(),
	CONSTRAINT pack_queue_usage_point_fkey FOREIGN KEY (org_id, usage_point_id)
		REFERENCES elecbill.usage_point (org_id, id)
);

CREATE INDEX pack_queue_point_idx ON elecbill.pack_queue (usage_point_id);

CREATE TABLE elecbill.alarm (
	id			bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT alarm_pkey PRIMARY KEY,
	org_id		integer NOT NULL CONSTRAINT alarm_org_fkey REFERENCES elecbill.org,
	usage_point_id bigint,
	code		text NOT NULL CONSTRAINT alarm_code_check CHECK (code ~ '^[a-z][a-z0-9_]{0,62}$'),
	severity	text NOT NULL CONSTRAINT alarm_severity_check CHECK (severity IN ('info', 'warn', 'error')),
	object		text NOT NULL CONSTRAINT alarm_object_check CHECK (object <> ''),
	raised_at	timestamptz NOT NULL DEFAULT elecbill.now(),
	closed_at	timestamptz,
	during		tstzrange NOT NULL
				CONSTRAINT alarm_during_check CHECK (NOT isempty(during) AND NOT lower_inf(during)),
	state		text NOT NULL DEFAULT 'open' CONSTRAINT alarm_state_check CHECK (state IN ('open', 'closed')),
	details		jsonb NOT NULL DEFAULT '{}'
				CONSTRAINT alarm_details_check CHECK (jsonb_typeof(details) = 'object'),
	CONSTRAINT alarm_closed_check CHECK ((state = 'open') = upper_inf(during) AND (state = 'open') = (closed_at IS NULL)),
	CONSTRAINT alarm_usage_point_fkey FOREIGN KEY (org_id, usage_point_id)
		REFERENCES elecbill.usage_point (org_id, id)
) WITH (fillfactor = 90);

CREATE UNIQUE INDEX alarm_open_key ON elecbill.alarm (org_id, code, object) WHERE upper_inf(during);

CREATE UNIQUE INDEX alarm_since_key ON elecbill.alarm (org_id, code, object, lower(during));

CREATE INDEX alarm_usage_point_idx ON elecbill.alarm (usage_point_id) WHERE usage_point_id IS NOT NULL;

CREATE TABLE elecbill.usage_limit (
	id			bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT usage_limit_pkey PRIMARY KEY,
	org_id		integer NOT NULL,
	usage_point_id bigint NOT NULL,
	span		interval NOT NULL CONSTRAINT usage_limit_span_check CHECK (
					span >= '1 minute' AND span <= '366 days' AND span = date_trunc('second', span)
					AND (extract(year FROM span), extract(month FROM span), extract(day FROM span)) = (0, 0, 0)),
	limit_wh	bigint NOT NULL CONSTRAINT usage_limit_limit_wh_check CHECK (limit_wh > 0),
	since		timestamptz NOT NULL DEFAULT elecbill.now(),
	judged_to	timestamptz,
	most_wh		bigint,
	last_wh		bigint,
	installation_id bigint,
	CONSTRAINT usage_limit_point_span_key UNIQUE (usage_point_id, span),
	CONSTRAINT usage_limit_most_wh_check CHECK (most_wh BETWEEN 0 AND limit_wh
		AND judged_to IS NOT NULL AND last_wh IS NOT NULL AND installation_id IS NOT NULL OR most_wh IS NULL),
	CONSTRAINT usage_limit_usage_point_fkey FOREIGN KEY (org_id, usage_point_id)
		REFERENCES elecbill.usage_point (org_id, id)
) WITH (fillfactor = 70);

INSERT INTO elecbill.pack_state (org_id) SELECT id FROM elecbill.org;

ALTER TABLE elecbill.bill_segment ALTER COLUMN start_at DROP NOT NULL, ALTER COLUMN start_wh DROP NOT NULL,
	ALTER COLUMN end_at DROP NOT NULL, ALTER COLUMN end_wh DROP NOT NULL,
	ADD CONSTRAINT bill_segment_start_check CHECK ((start_at IS NULL) = (start_wh IS NULL)),
	ADD CONSTRAINT bill_segment_end_check CHECK ((end_at IS NULL) = (end_wh IS NULL));

ALTER TABLE elecbill.meter_model DROP CONSTRAINT meter_model_digits_check,
	ADD CONSTRAINT meter_model_digits_check CHECK (digits BETWEEN 4 AND 12);

ALTER TABLE elecbill.meter_register DROP CONSTRAINT meter_register_wrap_wh_check,
	ADD CONSTRAINT meter_register_wrap_wh_check CHECK (wrap_wh BETWEEN 10000000 AND 1000000000000000);
