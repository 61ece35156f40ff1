-- 31_profile.sql: load profiles by local day, and the readings that outlive their month
--
-- A day is packed from readings by pack_profiles(), or it was loaded as it is: then it is source data.
-- The columns stand in an order that leaves no holes, the profile before what few read: a day of 96 values
-- takes 284 bytes of heap.

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
COMMENT ON TABLE elecbill.profile_day IS 'the load profile of a usage point on a local day of its org, a row per direction. No foreign keys, as reading has none; fsck() looks for orphans';
COMMENT ON COLUMN elecbill.profile_day.usage_point_id IS 'usage_point.id';
COMMENT ON COLUMN elecbill.profile_day.packed_at IS 'when it was packed, or first loaded';
COMMENT ON COLUMN elecbill.profile_day.org_id IS 'owner';
COMMENT ON COLUMN elecbill.profile_day.day IS 'local date of the org';
COMMENT ON COLUMN elecbill.profile_day.profile IS 'the intervals of the whole day, primary side; flag 1024: the value is that of the missing slots before it, too';
COMMENT ON COLUMN elecbill.profile_day.direction IS '0 import, 1 export (Wh), 2 import_kvarh, 3 export_kvarh (varh)';
COMMENT ON COLUMN elecbill.profile_day.version IS 'how often the day was written; profile_trace says what changed';
COMMENT ON COLUMN elecbill.profile_day.origin IS '0 packed (derived from readings), 1 loaded (source data)';
COMMENT ON COLUMN elecbill.profile_day.exact IS 'bills and interval_usage take the profile for the readings of the day; false: a picture of the day only, for a register ran backwards, or a reading lies between two slots';

CREATE TABLE elecbill.profile_day_default (LIKE elecbill.profile_day INCLUDING ALL);
ALTER TABLE elecbill.profile_day ATTACH PARTITION elecbill.profile_day_default DEFAULT;
COMMENT ON TABLE elecbill.profile_day_default IS 'days of quarters without a partition; fsck() reports it when it is not empty, partition_maintain() empties it';

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
COMMENT ON TABLE elecbill.profile_trace IS 'what changed when a day was packed again, or missing values of a loaded day came; append-only. Readings that came late say it in full, by received_at';
COMMENT ON COLUMN elecbill.profile_trace.id IS 'internal key';
COMMENT ON COLUMN elecbill.profile_trace.org_id IS 'owner';
COMMENT ON COLUMN elecbill.profile_trace.usage_point_id IS 'usage_point.id';
COMMENT ON COLUMN elecbill.profile_trace.day IS 'local date';
COMMENT ON COLUMN elecbill.profile_trace.direction IS 'as in profile_day';
COMMENT ON COLUMN elecbill.profile_trace.version IS 'the version that was made; NULL: the day cannot be packed any more and was taken back to its readings';
COMMENT ON COLUMN elecbill.profile_trace.at IS 'when';
COMMENT ON COLUMN elecbill.profile_trace.before_wh IS 'sum of the day before, Wh';
COMMENT ON COLUMN elecbill.profile_trace.after_wh IS 'sum of the day since, Wh; NULL as version';
COMMENT ON COLUMN elecbill.profile_trace.slots IS 'slots whose energy or quality changed';
COMMENT ON COLUMN elecbill.profile_trace.why IS 'why it was written again';
COMMENT ON INDEX elecbill.profile_trace_day_idx IS 'changes of a day';
CREATE TRIGGER profile_trace_append_only BEFORE UPDATE OR DELETE ON elecbill.profile_trace
	FOR EACH ROW EXECUTE FUNCTION elecbill._append_only();
COMMENT ON TRIGGER profile_trace_append_only ON elecbill.profile_trace IS 'no UPDATE, no DELETE';
CREATE TRIGGER profile_trace_no_truncate BEFORE TRUNCATE ON elecbill.profile_trace
	FOR EACH STATEMENT EXECUTE FUNCTION elecbill._append_only();
COMMENT ON TRIGGER profile_trace_no_truncate ON elecbill.profile_trace IS 'no TRUNCATE';

CREATE TABLE elecbill.reading_kept (LIKE elecbill.reading INCLUDING ALL);
COMMENT ON TABLE elecbill.reading_kept IS 'readings of dropped months that are still needed: those at local midnights, those a bill, a conflict or a flag names, and all of days that are not packed exactly; append-only, written by drop_readings(). The columns are those of reading';
COMMENT ON COLUMN elecbill.reading_kept.quality IS 'flags as in reading.quality';
CREATE TRIGGER reading_kept_append_only BEFORE UPDATE OR DELETE ON elecbill.reading_kept
	FOR EACH ROW EXECUTE FUNCTION elecbill._append_only();
COMMENT ON TRIGGER reading_kept_append_only ON elecbill.reading_kept IS 'no UPDATE, no DELETE';
CREATE TRIGGER reading_kept_no_truncate BEFORE TRUNCATE ON elecbill.reading_kept
	FOR EACH STATEMENT EXECUTE FUNCTION elecbill._append_only();
COMMENT ON TRIGGER reading_kept_no_truncate ON elecbill.reading_kept IS 'no TRUNCATE';

CREATE TABLE elecbill.reading_retention (
	month		date CONSTRAINT reading_retention_pkey PRIMARY KEY
				CONSTRAINT reading_retention_month_check CHECK (extract(day FROM month) = 1),
	dropped_at	timestamptz,
	readings	bigint CONSTRAINT reading_retention_readings_check CHECK (readings >= 0),
	kept		bigint CONSTRAINT reading_retention_kept_check CHECK (kept BETWEEN 0 AND readings),
	CONSTRAINT reading_retention_done_check CHECK (
		(dropped_at IS NULL) = (readings IS NULL) AND (dropped_at IS NULL) = (kept IS NULL))
);
COMMENT ON TABLE elecbill.reading_retention IS 'months of reading that drop_readings() closed: nothing of them or of earlier months is taken any more';
COMMENT ON COLUMN elecbill.reading_retention.month IS 'first UTC date of the month';
COMMENT ON COLUMN elecbill.reading_retention.dropped_at IS 'when its partition was dropped; NULL: it is closed, and about to be';
COMMENT ON COLUMN elecbill.reading_retention.readings IS 'readings it had';
COMMENT ON COLUMN elecbill.reading_retention.kept IS 'how many of them went to reading_kept';

CREATE VIEW elecbill._reading_all WITH (security_invoker = true) AS
SELECT r.register_id, r.read_at, r.register_wh, r.slot_at, r.meter_at, r.received_at, r.seq, r.collector_id, r.org_id,
	r.quality, r.source
FROM elecbill.reading AS r
UNION ALL
SELECT k.register_id, k.read_at, k.register_wh, k.slot_at, k.meter_at, k.received_at, k.seq, k.collector_id, k.org_id,
	k.quality, k.source
FROM elecbill.reading_kept AS k;
COMMENT ON VIEW elecbill._reading_all IS 'the readings there are: reading, and reading_kept of the months that were dropped';
COMMENT ON COLUMN elecbill._reading_all.register_id IS 'as in reading';
COMMENT ON COLUMN elecbill._reading_all.read_at IS 'as in reading';
COMMENT ON COLUMN elecbill._reading_all.register_wh IS 'as in reading';
COMMENT ON COLUMN elecbill._reading_all.slot_at IS 'as in reading';
COMMENT ON COLUMN elecbill._reading_all.meter_at IS 'as in reading';
COMMENT ON COLUMN elecbill._reading_all.received_at IS 'as in reading';
COMMENT ON COLUMN elecbill._reading_all.seq IS 'as in reading';
COMMENT ON COLUMN elecbill._reading_all.collector_id IS 'as in reading';
COMMENT ON COLUMN elecbill._reading_all.org_id IS 'as in reading';
COMMENT ON COLUMN elecbill._reading_all.quality IS 'as in reading';
COMMENT ON COLUMN elecbill._reading_all.source IS 'as in reading';

CREATE FUNCTION elecbill._retained_since() RETURNS timestamptz
LANGUAGE sql STABLE
BEGIN ATOMIC
	SELECT coalesce((max(t.month) + interval '1 month') AT TIME ZONE 'UTC', '-infinity')
	FROM elecbill.reading_retention AS t;
END;
COMMENT ON FUNCTION elecbill._retained_since() IS 'readings before this instant are not taken any more: their months were dropped, or are about to be; -infinity: none was';

CREATE FUNCTION elecbill._dropped_until() RETURNS timestamptz
LANGUAGE sql STABLE
BEGIN ATOMIC
	SELECT coalesce((max(t.month) + interval '1 month') AT TIME ZONE 'UTC', '-infinity')
	FROM elecbill.reading_retention AS t WHERE t.dropped_at IS NOT NULL;
END;
COMMENT ON FUNCTION elecbill._dropped_until() IS 'of days that end before or at this instant the readings are dropped; -infinity: none are';

CREATE FUNCTION elecbill._profile_fill(p_old elecbill.profile_day, p_new elecbill.profile_day) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF elecbill.profile_step(p_new.profile) <> elecbill.profile_step(p_old.profile) OR EXISTS (
		SELECT x.at, x.energy_wh, x.quality FROM elecbill.profile_values(p_old.profile) AS x WHERE x.energy_wh IS NOT NULL
		EXCEPT SELECT y.at, y.energy_wh, y.quality FROM elecbill.profile_values(p_new.profile) AS y)
	THEN
		RAISE EXCEPTION 'values of a loaded day are kept as they came'
			USING ERRCODE = 'UB403',
				  DETAIL = format('Day %s of usage point %s.', to_char(p_old.day, 'YYYY-MM-DD'), p_old.usage_point_id),
				  HINT = 'Only what is missing can be added.';
	END IF;
	INSERT INTO elecbill.profile_trace (org_id, usage_point_id, day, direction, version, before_wh, after_wh, slots, why)
	VALUES (p_old.org_id, p_old.usage_point_id, p_old.day, p_old.direction, p_new.version,
		coalesce(elecbill.profile_sum(p_old.profile), 0), coalesce(elecbill.profile_sum(p_new.profile), 0),
		elecbill.profile_missing(p_old.profile) - elecbill.profile_missing(p_new.profile), 'missing values came');
END $$;
COMMENT ON FUNCTION elecbill._profile_fill(elecbill.profile_day, elecbill.profile_day) IS 'lets a loaded day take values where it has none, and says so in profile_trace; UB403 when one that is there would change';

CREATE FUNCTION elecbill._profile_keep() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	derived	boolean;
BEGIN
	-- a packed day can be made anew as long as its readings are there
	derived := TG_OP <> 'TRUNCATE' AND OLD.origin = 0 AND elecbill.day_start(OLD.day + 1,
		(SELECT o.zone FROM elecbill.org AS o WHERE o.id = OLD.org_id)) > elecbill._dropped_until();
	IF TG_OP = 'DELETE' AND (derived OR elecbill._org_emptying(OLD.org_id)) THEN
		RETURN OLD;
	ELSIF TG_OP = 'UPDATE' AND (derived OR OLD.origin = 1)
		AND (NEW.usage_point_id, NEW.org_id, NEW.day, NEW.direction, NEW.origin, NEW.version)
			= (OLD.usage_point_id, OLD.org_id, OLD.day, OLD.direction, OLD.origin, least(OLD.version + 1, 32767))
	THEN
		IF OLD.origin = 1 THEN
			PERFORM elecbill._profile_fill(OLD, NEW);
			NEW.packed_at := OLD.packed_at;	/* since then bills count it */
		END IF;
		RETURN NEW;
	END IF;
	RAISE EXCEPTION 'load profiles are kept as they were written'
		USING ERRCODE = 'UB403',
			  DETAIL = format('%s would change loaded days, or packed ones whose readings are dropped.', TG_OP),
			  HINT = 'pack_profiles() packs a day again when its readings change.';
END $$;
COMMENT ON FUNCTION elecbill._profile_keep() IS 'trigger of profile_day: a packed row whose readings are there may be packed again or go, a loaded one may take values where it has none; nothing else (UB403)';
CREATE TRIGGER profile_day_keep BEFORE UPDATE OR DELETE ON elecbill.profile_day
	FOR EACH ROW EXECUTE FUNCTION elecbill._profile_keep();
COMMENT ON TRIGGER profile_day_keep ON elecbill.profile_day IS 'what is not derived, or no more, stays; each partition has a clone of it';
CREATE TRIGGER profile_day_no_truncate BEFORE TRUNCATE ON elecbill.profile_day
	FOR EACH STATEMENT EXECUTE FUNCTION elecbill._profile_keep();
COMMENT ON TRIGGER profile_day_no_truncate ON elecbill.profile_day IS 'no TRUNCATE of the whole; each partition has one of its own';
CREATE TRIGGER profile_day_no_truncate BEFORE TRUNCATE ON elecbill.profile_day_default
	FOR EACH STATEMENT EXECUTE FUNCTION elecbill._profile_keep();

CREATE FUNCTION elecbill._profile_day_check() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	wrong	record;
BEGIN
	SELECT a.day, w.during, o.zone, elecbill.profile_direction(a.profile) AS direction,
		(SELECT u.code FROM elecbill.usage_point AS u WHERE u.id = a.usage_point_id AND u.org_id = a.org_id) AS point
	INTO wrong
	FROM added AS a
	JOIN elecbill.org AS o ON o.id = a.org_id
	CROSS JOIN LATERAL (SELECT elecbill.profile_during(a.profile)) AS w(during)
	WHERE lower(w.during) IS DISTINCT FROM elecbill.day_start(a.day, o.zone)
		OR upper(w.during) IS DISTINCT FROM elecbill.day_start(a.day + 1, o.zone)
		OR elecbill.profile_direction(a.profile)
			<> ('{import,export,import_kvarh,export_kvarh}'::text[])[a.direction + 1]
		OR NOT EXISTS (SELECT FROM elecbill.usage_point AS u WHERE u.id = a.usage_point_id AND u.org_id = a.org_id)
	LIMIT 1;
	IF FOUND THEN
		RAISE EXCEPTION 'a load profile must fill its local day, in its own direction, at a usage point of the org'
			USING ERRCODE = 'UB400',
				  DETAIL = format('Usage point %s, %s in %s: %s %s.', coalesce(wrong.point, 'unknown'),
						to_char(wrong.day, 'YYYY-MM-DD'), wrong.zone, wrong.direction, wrong.during),
				  HINT = 'Cut blocks at local midnights; what is not known is missing.';
	END IF;
	RETURN NULL;
END $$;
COMMENT ON FUNCTION elecbill._profile_day_check() IS 'statement trigger of profile_day: profiles fill their local day (23, 24, 25 hours) and belong to a point of the org (UB400)';
CREATE TRIGGER profile_day_check AFTER INSERT ON elecbill.profile_day
	REFERENCING NEW TABLE AS added
	FOR EACH STATEMENT EXECUTE FUNCTION elecbill._profile_day_check();
COMMENT ON TRIGGER profile_day_check ON elecbill.profile_day IS 'profiles fill their local day; fires for inserts into profile_day, not into a partition';
CREATE TRIGGER profile_day_check_again AFTER UPDATE ON elecbill.profile_day
	REFERENCING NEW TABLE AS added
	FOR EACH STATEMENT EXECUTE FUNCTION elecbill._profile_day_check();
COMMENT ON TRIGGER profile_day_check_again ON elecbill.profile_day IS 'profiles fill their local day, also when they are packed again';

CREATE FUNCTION elecbill._org_zone_keep() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF NEW.zone = OLD.zone THEN
		RETURN NEW;
	END IF;
	-- who packs or loads days of it ends first, and who comes next sees the new zone
	PERFORM FROM elecbill.pack_state AS s WHERE s.org_id = OLD.id FOR UPDATE;
	PERFORM FROM elecbill.usage_point AS u WHERE u.org_id = OLD.id ORDER BY u.id FOR NO KEY UPDATE;
	IF EXISTS (SELECT FROM elecbill.pack_state AS s WHERE s.org_id = OLD.id AND s.until IS NOT NULL)
		OR EXISTS (SELECT FROM elecbill.profile_day AS p
			JOIN elecbill.usage_point AS u ON u.id = p.usage_point_id WHERE u.org_id = OLD.id)
	THEN
		RAISE EXCEPTION 'the zone of org % cannot change', quote_literal(OLD.code)
			USING ERRCODE = 'UB412', DETAIL = 'Load profiles of its days are loaded or packed, cut at its midnights.';
	END IF;
	RETURN NEW;
END $$;
COMMENT ON FUNCTION elecbill._org_zone_keep() IS 'trigger of org: its zone stays once its days are packed or loaded (UB412)';
CREATE TRIGGER org_zone_keep BEFORE UPDATE OF zone ON elecbill.org
	FOR EACH ROW EXECUTE FUNCTION elecbill._org_zone_keep();
COMMENT ON TRIGGER org_zone_keep ON elecbill.org IS 'load profiles are cut at the midnights of the zone';

CREATE FUNCTION elecbill._profile_partition(p_day date) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET datestyle = 'ISO' AS $$
DECLARE
	since	date := date_trunc('quarter', p_day::timestamp);
	until	date := since + interval '3 months';
	part	text := format('profile_day_%sq%s', to_char(since, 'YYYY'), to_char(since, 'Q'));
BEGIN
	IF to_regclass('elecbill.' || part) IS NOT NULL THEN
		RETURN false;
	END IF;
	LOCK TABLE elecbill.profile_day IN SHARE UPDATE EXCLUSIVE MODE;	/* one maker at a time */
	IF to_regclass('elecbill.' || part) IS NOT NULL THEN
		RETURN false;
	END IF;
	EXECUTE format('CREATE TABLE elecbill.%I (LIKE elecbill.profile_day INCLUDING ALL)', part);
	EXECUTE format('COMMENT ON TABLE elecbill.%I IS %L', part,
		format('load profiles of quarter %s of %s', to_char(since, 'Q'), to_char(since, 'YYYY')));
	EXECUTE format('CREATE TRIGGER profile_day_no_truncate BEFORE TRUNCATE ON elecbill.%I '
				   'FOR EACH STATEMENT EXECUTE FUNCTION elecbill._profile_keep()', part);
	LOCK TABLE elecbill.profile_day_default IN ACCESS EXCLUSIVE MODE;	/* ATTACH wants it too */
	IF EXISTS (SELECT FROM elecbill.profile_day_default AS d WHERE d.day >= since AND d.day < until) THEN
		-- moving is no change: the rows arrive as they left
		ALTER TABLE elecbill.profile_day_default DISABLE TRIGGER profile_day_keep;
		EXECUTE format('WITH moved AS (DELETE FROM elecbill.profile_day_default '
					   'WHERE day >= $1 AND day < $2 RETURNING *) '
					   'INSERT INTO elecbill.%I SELECT * FROM moved', part) USING since, until;
		ALTER TABLE elecbill.profile_day_default ENABLE TRIGGER profile_day_keep;
	END IF;
	EXECUTE format('ALTER TABLE elecbill.profile_day ATTACH PARTITION elecbill.%I FOR VALUES FROM (%L) TO (%L)',
				   part, since, until);
	RETURN true;
END $$;
COMMENT ON FUNCTION elecbill._profile_partition(date) IS 'makes the partition of profile_day for the quarter of a date and moves its rows there from the default partition; false = it was there';

PERFORM elecbill.partition_maintain();
