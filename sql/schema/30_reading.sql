-- 30_reading.sql: what the meters said, and what became of what could not be stored
--
-- reading is the house's largest table: one key, no foreign key, monthly partitions with bounds in
-- UTC. Rows are written by ingest(), import_estate() and reading_add(); nothing changes them later.

CREATE TABLE elecbill.collector (
	id			uuid NOT NULL DEFAULT gen_random_uuid() CONSTRAINT collector_pkey PRIMARY KEY,
	org_id		integer NOT NULL CONSTRAINT collector_org_fkey REFERENCES elecbill.org,
	code		text NOT NULL CONSTRAINT collector_code_check CHECK (code ~ '^\S{1,64}$'),
	acked_seq	bigint NOT NULL DEFAULT 0 CONSTRAINT collector_acked_seq_check CHECK (acked_seq >= 0),
	last_seen_at timestamptz,
	version		text,
	contact_at	timestamptz,
	silent_after_s integer NOT NULL DEFAULT 900
				CONSTRAINT collector_silent_after_s_check CHECK (silent_after_s BETWEEN 60 AND 2678400),
	CONSTRAINT collector_org_code_key UNIQUE (org_id, code)
) WITH (fillfactor = 70);
COMMENT ON TABLE elecbill.collector IS 'daemons that deliver readings by ingest(); each only for meters of its org';
COMMENT ON COLUMN elecbill.collector.id IS 'identity in the daemon''s configuration and spool';
COMMENT ON COLUMN elecbill.collector.org_id IS 'owner';
COMMENT ON COLUMN elecbill.collector.code IS 'the key people use, one per org';
COMMENT ON COLUMN elecbill.collector.acked_seq IS 'highest sequence number that was committed here; only moves forward';
COMMENT ON COLUMN elecbill.collector.last_seen_at IS 'time of its last ingest(); NULL = never';
COMMENT ON COLUMN elecbill.collector.version IS 'of the daemon, as it said in collector_hello(); NULL = it never said';
COMMENT ON COLUMN elecbill.collector.contact_at IS 'when it last called anything but ingest(), to the minute; NULL = never';
COMMENT ON COLUMN elecbill.collector.silent_after_s IS 'seconds without a sign of it after which it is an alarm (collector_silent)';

CREATE TABLE elecbill.reading (
	register_id	bigint NOT NULL,
	read_at		timestamptz NOT NULL CONSTRAINT reading_read_at_check CHECK (isfinite(read_at)),
	register_wh	bigint NOT NULL CONSTRAINT reading_register_wh_check CHECK (register_wh >= 0),
	slot_at		timestamptz CONSTRAINT reading_slot_at_check CHECK (isfinite(slot_at)),
	meter_at	timestamptz,
	received_at	timestamptz NOT NULL DEFAULT elecbill.now(),
	seq			bigint,
	collector_id uuid,
	org_id		integer NOT NULL,
	quality		integer NOT NULL DEFAULT 0 CONSTRAINT reading_quality_check CHECK (quality >= 0),
	source		smallint NOT NULL CONSTRAINT reading_source_check CHECK (source BETWEEN 0 AND 4),
	CONSTRAINT reading_pkey PRIMARY KEY (register_id, read_at)
) PARTITION BY RANGE (read_at);
COMMENT ON TABLE elecbill.reading IS 'values of cumulative registers, exactly as read; append-only. No foreign keys (measured: 2.7 times the insert): registers are never deleted, fsck() looks for orphans';
COMMENT ON COLUMN elecbill.reading.register_id IS 'meter_register.id';
COMMENT ON COLUMN elecbill.reading.read_at IS 'instant of the reading, to the millisecond';
COMMENT ON COLUMN elecbill.reading.register_wh IS 'the register, in Wh, before any multiplier';
COMMENT ON COLUMN elecbill.reading.slot_at IS 'the slot it stands for: read_at rounded to the interval of the meter. NULL = no slot (read by hand), then read_at counts. Of several readings in a slot the earliest bills';
COMMENT ON COLUMN elecbill.reading.meter_at IS 'what the clock of the meter said; NULL = it said nothing';
COMMENT ON COLUMN elecbill.reading.received_at IS 'when the database got it';
COMMENT ON COLUMN elecbill.reading.seq IS 'sequence number in the spool of the collector';
COMMENT ON COLUMN elecbill.reading.collector_id IS 'collector.id; NULL when no collector brought it';
COMMENT ON COLUMN elecbill.reading.org_id IS 'owner';
COMMENT ON COLUMN elecbill.reading.quality IS 'flags: 1 unchecked, 2 late, 4 clock_unsynced, 8 meter_clock_off, 16 went_backwards, 32 jump, 64 rollover_candidate, 128 foreign_address, 256 truncated, 512 restart (no difference to the value before), 4096 estimated, 8192 substituted (by import_intervals())';
COMMENT ON COLUMN elecbill.reading.source IS '0 collector, 1 import, 2 read by hand, 3 start value of an installation, 4 end value of an installation';

CREATE TRIGGER reading_append_only BEFORE UPDATE OR DELETE ON elecbill.reading
	FOR EACH ROW EXECUTE FUNCTION elecbill._append_only();
CREATE TRIGGER reading_no_truncate BEFORE TRUNCATE ON elecbill.reading
	FOR EACH STATEMENT EXECUTE FUNCTION elecbill._append_only();
COMMENT ON TRIGGER reading_append_only ON elecbill.reading IS 'no UPDATE, no DELETE; each partition has a clone of it';
COMMENT ON TRIGGER reading_no_truncate ON elecbill.reading IS 'no TRUNCATE of the whole; each partition has one of its own';

CREATE TABLE elecbill.reading_default (LIKE elecbill.reading INCLUDING ALL);
ALTER TABLE elecbill.reading ATTACH PARTITION elecbill.reading_default DEFAULT;
CREATE TRIGGER reading_no_truncate BEFORE TRUNCATE ON elecbill.reading_default
	FOR EACH STATEMENT EXECUTE FUNCTION elecbill._append_only();
COMMENT ON TABLE elecbill.reading_default IS 'readings of months without a partition; fsck() reports it when it is not empty, partition_maintain() empties it';

CREATE FUNCTION elecbill._reading_partition(month date) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' SET datestyle = 'ISO' AS $$
DECLARE
	part	text := format('reading_%s', to_char(month, 'YYYY_MM'));
	since	timestamptz := date_trunc('month', month::timestamp) AT TIME ZONE 'UTC';
	until	timestamptz := (date_trunc('month', month::timestamp) + interval '1 month') AT TIME ZONE 'UTC';
BEGIN
	IF to_regclass('elecbill.' || part) IS NOT NULL OR since < elecbill._retained_since() THEN
		RETURN false;
	END IF;
	LOCK TABLE elecbill.reading IN SHARE UPDATE EXCLUSIVE MODE;	/* one maker at a time */
	IF to_regclass('elecbill.' || part) IS NOT NULL THEN
		RETURN false;
	END IF;
	-- CREATE ... PARTITION OF would lock out every reader; a table attached later does not
	EXECUTE format('CREATE TABLE elecbill.%I (LIKE elecbill.reading INCLUDING ALL)', part);
	EXECUTE format('COMMENT ON TABLE elecbill.%I IS %L', part,
				   format('readings of %s (UTC)', to_char(month, 'YYYY-MM')));
	EXECUTE format('CREATE TRIGGER reading_no_truncate BEFORE TRUNCATE ON elecbill.%I '
				   'FOR EACH STATEMENT EXECUTE FUNCTION elecbill._append_only()', part);
	LOCK TABLE elecbill.reading_default IN ACCESS EXCLUSIVE MODE;	/* ATTACH wants it too */
	IF EXISTS (SELECT FROM elecbill.reading_default d WHERE d.read_at >= since AND d.read_at < until) THEN
		-- moving is no change: the rows arrive as they left
		ALTER TABLE elecbill.reading_default DISABLE TRIGGER reading_append_only;
		EXECUTE format('WITH moved AS (DELETE FROM elecbill.reading_default '
					   'WHERE read_at >= $1 AND read_at < $2 RETURNING *) '
					   'INSERT INTO elecbill.%I SELECT * FROM moved', part) USING since, until;
		ALTER TABLE elecbill.reading_default ENABLE TRIGGER reading_append_only;
	END IF;
	EXECUTE format('ALTER TABLE elecbill.reading ATTACH PARTITION elecbill.%I FOR VALUES FROM (%L) TO (%L)',
				   part, since, until);
	RETURN true;
END $$;
COMMENT ON FUNCTION elecbill._reading_partition(date) IS 'makes the partition of reading for the UTC month of a date and moves its rows there from the default partition; false = it was there, or the month was dropped';

CREATE FUNCTION elecbill.partition_maintain(ahead_months integer DEFAULT 3, from_day date DEFAULT NULL) RETURNS integer
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	today	date := (elecbill.now() AT TIME ZONE 'UTC')::date;
	month	date := date_trunc('month', today::timestamp);
	last	date;
	made	integer := 0;
BEGIN
	IF ahead_months IS NULL OR ahead_months NOT BETWEEN 0 AND 60 THEN
		RAISE EXCEPTION 'ahead_months must be 0 to 60' USING ERRCODE = 'UB400';
	END IF;
	IF from_day NOT BETWEEN today - 7500 AND today + 366 THEN
		RAISE EXCEPTION 'from_day must lie within the last 20 years' USING ERRCODE = 'UB400';
	END IF;
	last := month + make_interval(months => ahead_months);
	-- a local day begins up to 14 hours before or after the UTC day of the same date
	month := least(month, date_trunc('month', (from_day - 1)::timestamp)::date);
	WHILE month <= last LOOP
		made := made + elecbill._reading_partition(month)::integer;
		month := month + interval '1 month';
	END LOOP;
	-- the months first: a table that is being read cannot be altered
	FOREACH month IN ARRAY ARRAY(SELECT DISTINCT date_trunc('month', d.read_at AT TIME ZONE 'UTC')::date
								 FROM elecbill.reading_default d)
	LOOP
		made := made + elecbill._reading_partition(month)::integer;
	END LOOP;
	-- days are packed when they are over
	PERFORM elecbill._profile_partition(q.day::date)
	FROM generate_series(date_trunc('quarter', least(from_day - 1, today - 1)::timestamp), today, interval '3 months') q(day);
	PERFORM elecbill._profile_partition(d.day)
	FROM (SELECT DISTINCT date_trunc('quarter', x.day::timestamp)::date FROM elecbill.profile_day_default x) d(day);
	RETURN made;
END $$;
COMMENT ON FUNCTION elecbill.partition_maintain(integer, date) IS 'creates the monthly partitions of reading from this month, or from_day when that is earlier, to ahead_months (0 to 60) ahead, and gives the readings of reading_default partitions of their own; months that drop_readings() dropped stay away. Makes the quarters of profile_day up to today likewise. Returns how many months it made. Run it once a day. UB400 outside the last 20 years';

CREATE TABLE elecbill.reading_latest (
	register_id	bigint NOT NULL CONSTRAINT reading_latest_pkey PRIMARY KEY,
	org_id		integer NOT NULL,
	read_at		timestamptz NOT NULL,
	register_wh	bigint NOT NULL,
	quality		integer NOT NULL
) WITH (fillfactor = 70);
COMMENT ON TABLE elecbill.reading_latest IS 'the newest reading of each register; derived from reading by a trigger, made anew by reading_latest_rebuild()';
COMMENT ON COLUMN elecbill.reading_latest.register_id IS 'meter_register.id';
COMMENT ON COLUMN elecbill.reading_latest.org_id IS 'owner';
COMMENT ON COLUMN elecbill.reading_latest.read_at IS 'instant of the reading; only moves forward';
COMMENT ON COLUMN elecbill.reading_latest.register_wh IS 'the register, in Wh, before any multiplier';
COMMENT ON COLUMN elecbill.reading_latest.quality IS 'flags as in reading.quality';

CREATE FUNCTION elecbill._reading_latest() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	-- in the order of the key, so that two sessions cannot wait for each other
	INSERT INTO elecbill.reading_latest AS l (register_id, org_id, read_at, register_wh, quality)
	SELECT DISTINCT ON (r.register_id) r.register_id, r.org_id, r.read_at, r.register_wh, r.quality
	FROM added r
	ORDER BY r.register_id, r.read_at DESC
	ON CONFLICT (register_id) DO UPDATE
	SET read_at = excluded.read_at, register_wh = excluded.register_wh, quality = excluded.quality
	WHERE l.read_at < excluded.read_at;
	RETURN NULL;
END $$;
COMMENT ON FUNCTION elecbill._reading_latest() IS 'statement trigger of reading: keeps reading_latest, never backwards';
CREATE TRIGGER reading_latest AFTER INSERT ON elecbill.reading
	REFERENCING NEW TABLE AS added
	FOR EACH STATEMENT EXECUTE FUNCTION elecbill._reading_latest();
COMMENT ON TRIGGER reading_latest ON elecbill.reading IS 'keeps reading_latest; fires for inserts into reading, not into a partition';

CREATE FUNCTION elecbill.reading_latest_rebuild() RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	n	bigint;
BEGIN
	LOCK TABLE elecbill.reading IN SHARE ROW EXCLUSIVE MODE;	/* no reading may slip in between */
	DELETE FROM elecbill.reading_latest;
	INSERT INTO elecbill.reading_latest (register_id, org_id, read_at, register_wh, quality)
	SELECT g.id, g.org_id, r.read_at, r.register_wh, r.quality
	FROM elecbill.meter_register g
	CROSS JOIN LATERAL (SELECT x.read_at, x.register_wh, x.quality FROM elecbill._reading_all x
						WHERE x.register_id = g.id ORDER BY x.read_at DESC LIMIT 1) r;
	GET DIAGNOSTICS n = ROW_COUNT;
	RETURN n;
END $$;
COMMENT ON FUNCTION elecbill.reading_latest_rebuild() IS 'makes reading_latest anew from reading, for instance after logical replication, which fires no triggers; returns the number of registers';

CREATE TABLE elecbill.reading_inbox (
	id			bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT reading_inbox_pkey PRIMARY KEY,
	org_id		integer NOT NULL CONSTRAINT reading_inbox_org_fkey REFERENCES elecbill.org,
	collector_id uuid NOT NULL CONSTRAINT reading_inbox_collector_fkey REFERENCES elecbill.collector,
	seq			bigint NOT NULL,
	received_at	timestamptz NOT NULL,
	state		text NOT NULL CONSTRAINT reading_inbox_state_check
				CHECK (state IN ('kept', 'flagged', 'rejected', 'bad')),
	reason		text NOT NULL,
	meter		text,
	register	text,
	read_at		timestamptz,
	kwh			numeric,
	quality		integer,
	frame		bytea,
	sha256		bytea GENERATED ALWAYS AS (sha256(frame)) STORED,
	content_sha256 bytea NOT NULL,
	CONSTRAINT reading_inbox_content_key UNIQUE (collector_id, seq, content_sha256)
);
CREATE INDEX reading_inbox_received_idx ON elecbill.reading_inbox USING brin (received_at);
COMMENT ON TABLE elecbill.reading_inbox IS 'deliveries that need a look: what was rejected, as it was offered, and the raw frames of flagged readings';
COMMENT ON COLUMN elecbill.reading_inbox.id IS 'internal key';
COMMENT ON COLUMN elecbill.reading_inbox.org_id IS 'owner of the collector';
COMMENT ON COLUMN elecbill.reading_inbox.collector_id IS 'who delivered it';
COMMENT ON COLUMN elecbill.reading_inbox.seq IS 'sequence number in the spool of the collector; with collector_id it finds the reading';
COMMENT ON COLUMN elecbill.reading_inbox.received_at IS 'when it came';
COMMENT ON COLUMN elecbill.reading_inbox.state IS 'kept (a good reading whose frame was sent along), flagged (the reading counts, or is in reading_conflict), rejected (a value that is not a reading), bad (a frame without a value)';
COMMENT ON COLUMN elecbill.reading_inbox.reason IS 'why it is here: names of flags, the first thing that was wrong, or sent along';
COMMENT ON COLUMN elecbill.reading_inbox.meter IS 'serial as offered';
COMMENT ON COLUMN elecbill.reading_inbox.register IS 'register code as offered';
COMMENT ON COLUMN elecbill.reading_inbox.read_at IS 'instant as offered';
COMMENT ON COLUMN elecbill.reading_inbox.kwh IS 'value as offered, NaN and infinity included';
COMMENT ON COLUMN elecbill.reading_inbox.quality IS 'flags: of the stored reading where there is one, else as offered';
COMMENT ON COLUMN elecbill.reading_inbox.frame IS 'bytes from the line; NULL = none were sent';
COMMENT ON COLUMN elecbill.reading_inbox.sha256 IS 'SHA-256 of the frame';
COMMENT ON COLUMN elecbill.reading_inbox.content_sha256 IS 'SHA-256 of all that was offered: a batch sent again adds nothing';
COMMENT ON INDEX elecbill.reading_inbox_received_idx IS 'age';

CREATE TABLE elecbill.reading_conflict (
	id			bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT reading_conflict_pkey PRIMARY KEY,
	org_id		integer NOT NULL CONSTRAINT reading_conflict_org_fkey REFERENCES elecbill.org,
	register_id	bigint NOT NULL CONSTRAINT reading_conflict_register_fkey REFERENCES elecbill.meter_register,
	read_at		timestamptz NOT NULL,
	stored_wh	bigint NOT NULL,
	offered_wh	bigint NOT NULL,
	collector_id uuid NOT NULL CONSTRAINT reading_conflict_collector_fkey REFERENCES elecbill.collector,
	seq			bigint NOT NULL,
	received_at	timestamptz NOT NULL,
	CONSTRAINT reading_conflict_offer_key UNIQUE (register_id, read_at, offered_wh),
	CONSTRAINT reading_conflict_differs_check CHECK (stored_wh <> offered_wh)
);
CREATE INDEX reading_conflict_collector_idx ON elecbill.reading_conflict (collector_id);
COMMENT ON TABLE elecbill.reading_conflict IS 'a second value offered for an instant that has one; the stored value stays';
COMMENT ON COLUMN elecbill.reading_conflict.id IS 'internal key';
COMMENT ON COLUMN elecbill.reading_conflict.org_id IS 'owner';
COMMENT ON COLUMN elecbill.reading_conflict.register_id IS 'the register';
COMMENT ON COLUMN elecbill.reading_conflict.read_at IS 'instant of both values';
COMMENT ON COLUMN elecbill.reading_conflict.stored_wh IS 'the value that came first and counts';
COMMENT ON COLUMN elecbill.reading_conflict.offered_wh IS 'the value that came later';
COMMENT ON COLUMN elecbill.reading_conflict.collector_id IS 'who offered it first';
COMMENT ON COLUMN elecbill.reading_conflict.seq IS 'its sequence number there';
COMMENT ON COLUMN elecbill.reading_conflict.received_at IS 'when it came';
COMMENT ON INDEX elecbill.reading_conflict_collector_idx IS 'conflicts of a collector';
