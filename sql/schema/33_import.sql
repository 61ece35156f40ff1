-- 33_import.sql: files of readings that were taken elsewhere: what came of each, line by line
--
-- A file is parsed into rows of import_value (33_import_csv, _nem12, _espi), judged and stored
-- (33_import_store), and asked for by import_intervals(). Nothing is overwritten: a value for an
-- interval that has one is a duplicate or a conflict.

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
COMMENT ON TYPE elecbill.import_value IS 'an interval as a file of readings says it, or what is wrong with a line';
COMMENT ON COLUMN elecbill.import_value.line IS 'line of the file, from 1; in XML the number of the IntervalReading';
COMMENT ON COLUMN elecbill.import_value.field IS 'column, field or element';
COMMENT ON COLUMN elecbill.import_value.direction IS 'import, export, import_kvarh, export_kvarh';
COMMENT ON COLUMN elecbill.import_value.at IS 'start of the interval';
COMMENT ON COLUMN elecbill.import_value.step_s IS 'its length in seconds';
COMMENT ON COLUMN elecbill.import_value.wh IS 'Wh or varh, exactly as given; NULL = the file says that it is missing';
COMMENT ON COLUMN elecbill.import_value.quality IS 'flags of a profile: 1 unchecked, 256 truncated, 4096 estimated, 8192 substituted';
COMMENT ON COLUMN elecbill.import_value.code IS 'NULL = a value; SQLSTATE of what is wrong; 01000 = a remark; ignored = a line about something else';
COMMENT ON COLUMN elecbill.import_value.message IS 'what is wrong';

CREATE TABLE elecbill.import_job (
	id			bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT import_job_pkey PRIMARY KEY,
	org_id		integer NOT NULL CONSTRAINT import_job_org_fkey REFERENCES elecbill.org,
	usage_point_id bigint,
	kind		text NOT NULL CONSTRAINT import_job_kind_check CHECK (kind IN ('csv', 'nem12', 'nem13', 'espi', 'readings', 'opening', 'parallel', 'prices')),
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
	CONSTRAINT import_job_point_check CHECK ((kind IN ('csv', 'nem12', 'nem13', 'espi')) = (usage_point_id IS NOT NULL)),
	CONSTRAINT import_job_count_check CHECK (
		state = 'refused' AND stored + duplicate + conflict = 0 OR given = stored + duplicate + conflict + missing)
);
-- a file that was refused, or tried only, may come again
CREATE UNIQUE INDEX import_job_once ON elecbill.import_job (usage_point_id, sha256, kind, options, (coalesce(zone, '')))
	WHERE state = 'done' AND NOT dry_run;
CREATE UNIQUE INDEX import_job_readings_once ON elecbill.import_job (org_id, sha256)
	WHERE kind = 'readings' AND state = 'done' AND NOT dry_run;
CREATE UNIQUE INDEX import_job_opening_once ON elecbill.import_job (org_id, sha256)
	WHERE kind = 'opening' AND state = 'done' AND NOT dry_run;
CREATE INDEX import_job_usage_point_idx ON elecbill.import_job (usage_point_id);
COMMENT ON TABLE elecbill.import_job IS 'files that import_intervals(), import_readings(), import_opening(), parallel_run() and import_prices() were given; the same file and options (for the same point) again are answered by the row of the first time, but for parallel_run(), which compares again';
COMMENT ON COLUMN elecbill.import_job.id IS 'internal key';
COMMENT ON COLUMN elecbill.import_job.org_id IS 'owner';
COMMENT ON COLUMN elecbill.import_job.usage_point_id IS 'whose values; NULL: a file about many';
COMMENT ON COLUMN elecbill.import_job.kind IS 'format of the file: csv, nem12, nem13, espi; readings: by hand, of many meters; opening: what an org takes over; parallel: bills of another system; prices: of a series';
COMMENT ON COLUMN elecbill.import_job.sha256 IS 'SHA-256 of the file';
COMMENT ON COLUMN elecbill.import_job.zone IS 'zone of its stamps; NULL where they name instants';
COMMENT ON COLUMN elecbill.import_job.options IS 'as given';
COMMENT ON COLUMN elecbill.import_job.mode IS 'all_or_nothing or skip_bad';
COMMENT ON COLUMN elecbill.import_job.dry_run IS 'nothing was stored, the counts say what would have been';
COMMENT ON COLUMN elecbill.import_job.state IS 'done, or refused: something is wrong with it, and all or nothing was wanted';
COMMENT ON COLUMN elecbill.import_job.created_at IS 'when';
COMMENT ON COLUMN elecbill.import_job.given IS 'values of the point in the file that could be read; when done, the sum of the next four';
COMMENT ON COLUMN elecbill.import_job.stored IS 'values that are new';
COMMENT ON COLUMN elecbill.import_job.duplicate IS 'values that were there already, or twice in the file';
COMMENT ON COLUMN elecbill.import_job.conflict IS 'values that differ from what is there: in import_conflict';
COMMENT ON COLUMN elecbill.import_job.missing IS 'intervals without a value in the file';
COMMENT ON COLUMN elecbill.import_job.rounded IS 'values finer than a Wh: rounded on their running total, flag 256';
COMMENT ON COLUMN elecbill.import_job.ignored IS 'lines about other points or streams';
COMMENT ON COLUMN elecbill.import_job.errors IS 'lines or values that are wrong: in import_row_error, remarks apart';
COMMENT ON INDEX elecbill.import_job_once IS 'a file once';
COMMENT ON INDEX elecbill.import_job_readings_once IS 'a file of readings once';
COMMENT ON INDEX elecbill.import_job_opening_once IS 'a file of what is taken over once';
COMMENT ON INDEX elecbill.import_job_usage_point_idx IS 'files of a point';

CREATE TABLE elecbill.import_row_error (
	job_id		bigint NOT NULL CONSTRAINT import_row_error_job_fkey REFERENCES elecbill.import_job,
	n			integer NOT NULL,
	line		integer,
	field		text,
	code		text NOT NULL,
	message		text NOT NULL,
	CONSTRAINT import_row_error_pkey PRIMARY KEY (job_id, n)
);
COMMENT ON TABLE elecbill.import_row_error IS 'what was wrong with a file, or worth a remark';
COMMENT ON COLUMN elecbill.import_row_error.job_id IS 'the file';
COMMENT ON COLUMN elecbill.import_row_error.n IS 'number, in the order of lines';
COMMENT ON COLUMN elecbill.import_row_error.line IS 'line of the file, from 1; in XML the number of the IntervalReading; NULL = the whole file';
COMMENT ON COLUMN elecbill.import_row_error.field IS 'column, field or element';
COMMENT ON COLUMN elecbill.import_row_error.code IS 'SQLSTATE; 01000 = a remark, the value counts';
COMMENT ON COLUMN elecbill.import_row_error.message IS 'the reason';

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
COMMENT ON TABLE elecbill.import_conflict IS 'a second value offered for an interval, or instant of a register, that has one; the stored value stays';
COMMENT ON COLUMN elecbill.import_conflict.id IS 'internal key';
COMMENT ON COLUMN elecbill.import_conflict.org_id IS 'owner';
COMMENT ON COLUMN elecbill.import_conflict.usage_point_id IS 'the point';
COMMENT ON COLUMN elecbill.import_conflict.direction IS 'import, export, import_kvarh, export_kvarh';
COMMENT ON COLUMN elecbill.import_conflict.at IS 'start of the interval, or instant of the reading';
COMMENT ON COLUMN elecbill.import_conflict.step_s IS 'its length in seconds; NULL = the value of a register (NEM13)';
COMMENT ON COLUMN elecbill.import_conflict.stored_wh IS 'the value that came first and counts';
COMMENT ON COLUMN elecbill.import_conflict.offered_wh IS 'the value that came later';
COMMENT ON COLUMN elecbill.import_conflict.job_id IS 'the file that offered it first; NULL = profile_load()';
COMMENT ON COLUMN elecbill.import_conflict.line IS 'its line there';
COMMENT ON COLUMN elecbill.import_conflict.created_at IS 'when';
COMMENT ON INDEX elecbill.import_conflict_job_idx IS 'conflicts of a file';

CREATE FUNCTION elecbill._standard_instant(at timestamp, zone text) RETURNS timestamptz
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
-- clocks go forward in summer: the standard offset is the lesser one of January and July
RETURN (at - least(
	date_trunc('year', at) - (date_trunc('year', at) AT TIME ZONE zone AT TIME ZONE 'UTC'),
	date_trunc('year', at) + interval '6 months'
		- ((date_trunc('year', at) + interval '6 months') AT TIME ZONE zone AT TIME ZONE 'UTC'))) AT TIME ZONE 'UTC';
COMMENT ON FUNCTION elecbill._standard_instant(timestamp, text) IS 'instant of a clock that keeps the standard time of a zone all year: its lesser offset to UTC of 1 January and 1 July of the year';

CREATE FUNCTION elecbill._wall_last(at timestamp, zone text) RETURNS timestamptz
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN CASE WHEN at AT TIME ZONE zone AT TIME ZONE zone = at THEN at AT TIME ZONE zone END;
COMMENT ON FUNCTION elecbill._wall_last(timestamp, text) IS 'the instant of a time of the wall clock: the later one where it comes twice, NULL where it does not exist';

CREATE FUNCTION elecbill._wall_first(at timestamp, zone text, last_at timestamptz) RETURNS timestamptz
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
-- with the offset from before the change, in case there is one
RETURN CASE WHEN (at - ((last_at - interval '12 hours') AT TIME ZONE zone - (last_at - interval '12 hours') AT TIME ZONE 'UTC'))
				 AT TIME ZONE 'UTC' AT TIME ZONE zone = at
	THEN (at - ((last_at - interval '12 hours') AT TIME ZONE zone - (last_at - interval '12 hours') AT TIME ZONE 'UTC'))
		 AT TIME ZONE 'UTC'
	ELSE last_at END;
COMMENT ON FUNCTION elecbill._wall_first(timestamp, text, timestamptz) IS 'the same: the earlier one where it comes twice; last_at: what _wall_last() gives';

CREATE FUNCTION elecbill._import_number(given text) RETURNS numeric
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN CASE WHEN given ~ '^[+-]?(?:\d{1,18}(?:\.\d{0,18})?|\.\d{1,18})$' THEN given::numeric END;
COMMENT ON FUNCTION elecbill._import_number(text) IS 'digits with a decimal point at most, else NULL';

CREATE FUNCTION elecbill._import_unit(unit text, OUT factor numeric, OUT reactive boolean)
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
BEGIN ATOMIC
	SELECT CASE left(u.unit, -length(u.base)) WHEN '' THEN 1 WHEN 'k' THEN 1000 WHEN 'm' THEN 1000000 END, u.base = 'varh'
	FROM (SELECT lower(unit) AS unit, CASE WHEN lower(unit) LIKE '%varh' THEN 'varh' ELSE 'wh' END AS base) u
	WHERE u.unit ~ '^[km]?(wh|varh)$';
END;
COMMENT ON FUNCTION elecbill._import_unit(text) IS 'Wh or varh per unit, and which of both: Wh, kWh, MWh, varh, kvarh, Mvarh in any case; NULL for another';
