-- 33_import_intervals.sql: import_intervals(), the door for files of readings, and loading by profile

CREATE FUNCTION elecbill._import_point(p_org text, p_point text) RETURNS elecbill.usage_point
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	given	elecbill.usage_point;
BEGIN
	-- the lock lets imports for one point wait for each other, and nothing else
	SELECT u.* INTO given FROM elecbill.usage_point u
	WHERE u.org_id = elecbill._org_get(p_org) AND u.code = p_point FOR NO KEY UPDATE;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'there is no usage point %', quote_nullable(p_point) USING ERRCODE = 'UB404';
	END IF;
	RETURN given;
END $$;
COMMENT ON FUNCTION elecbill._import_point(text, text) IS 'a usage point, locked (UB404)';

CREATE FUNCTION elecbill._import_check(p_format text, p_file bytea, p_zone text, p_options jsonb, p_mode text, p_dry_run boolean)
RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF p_format IN ('csv', 'nem12', 'nem13', 'espi') IS NOT TRUE THEN
		RAISE EXCEPTION 'unknown format %', quote_nullable(p_format) USING ERRCODE = 'UB400', HINT = 'Use csv, nem12, nem13 or espi.';
	ELSIF p_mode IN ('all_or_nothing', 'skip_bad') IS NOT TRUE OR p_file IS NULL OR p_dry_run IS NULL THEN
		RAISE EXCEPTION 'an import needs a file, a mode all_or_nothing or skip_bad, and dry_run true or false' USING ERRCODE = 'UB400';
	ELSIF p_zone IS NULL AND p_format <> 'espi' AND (p_format <> 'csv' OR p_options ->> 'dst' IS DISTINCT FROM 'offset') THEN
		RAISE EXCEPTION 'the zone of the stamps must be named' USING ERRCODE = 'UB400', HINT = 'A name of pg_timezone_names, such as Europe/London.';
	ELSIF p_zone IS NOT NULL AND NOT EXISTS (SELECT FROM pg_timezone_names z WHERE z.name = p_zone) THEN
		RAISE EXCEPTION 'unknown time zone "%"', p_zone
			USING ERRCODE = 'UB404', HINT = 'Use a name of pg_timezone_names, such as Asia/Shanghai.';
	END IF;
	IF p_format = 'csv' THEN
		PERFORM elecbill._import_csv_check(p_options);
		RETURN;
	END IF;
	PERFORM elecbill._import_options(p_options, CASE p_format WHEN 'espi' THEN '{channels}'::text[] ELSE '{nmi,channels}' END);
	IF p_options ? 'channels' AND (jsonb_typeof(p_options -> 'channels') <> 'array' OR EXISTS (
		SELECT FROM jsonb_array_elements(p_options -> 'channels') c WHERE jsonb_typeof(c) <> 'string'))
	THEN
		RAISE EXCEPTION 'option "channels" must be an array of names' USING ERRCODE = 'UB400';
	END IF;
END $$;
COMMENT ON FUNCTION elecbill._import_check(text, bytea, text, jsonb, text, boolean) IS 'refuses arguments of import_intervals() that mean nothing (UB400, UB404)';

CREATE FUNCTION elecbill._import_parse(p_point elecbill.usage_point, p_local text, p_format text, p_file bytea, p_zone text, p_options jsonb)
RETURNS elecbill.import_value[]
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET jit = off AS $$
DECLARE
	given	elecbill.import_value[];
BEGIN
	CASE p_format
		WHEN 'csv' THEN given := ARRAY(SELECT v FROM elecbill._import_csv(p_file, p_zone, p_options) v);
		WHEN 'nem12' THEN given := ARRAY(SELECT v FROM elecbill._import_nem12(p_file, p_zone, p_options) v);
		WHEN 'nem13' THEN given := ARRAY(SELECT v FROM elecbill._import_nem13(p_file, p_zone, p_options) v);
		WHEN 'espi' THEN given := ARRAY(SELECT v FROM elecbill._import_espi(p_file, p_options) v);
	END CASE;
	IF NOT EXISTS (SELECT FROM unnest(given) v WHERE v.code IS DISTINCT FROM 'ignored') THEN
		RETURN given || ROW(NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'UB400', 'the file holds no values')::elecbill.import_value;
	ELSIF p_format = 'nem13' THEN
		given := ARRAY(SELECT v FROM elecbill._register_judge(p_point, given) v);
		RETURN given || ARRAY(SELECT v FROM elecbill._register_remarks(p_point, p_file, p_options, given) v);
	END IF;
	RETURN ARRAY(SELECT v FROM elecbill._import_judge(p_point.id, p_local, given) v);
END $$;
COMMENT ON FUNCTION elecbill._import_parse(elecbill.usage_point, text, text, bytea, text, jsonb) IS 'the values of a file, and all that is wrong with them; p_local: zone of the org';

CREATE FUNCTION elecbill._import_errors(p_job bigint, p_values elecbill.import_value[]) RETURNS integer
LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
	WITH wrong AS (
		INSERT INTO elecbill.import_row_error (job_id, n, line, field, code, message)
		SELECT p_job, row_number() OVER (ORDER BY e.line NULLS FIRST, e.i), e.line, e.field, e.code, e.message
		FROM (
			-- what holds for a whole day, or step, is said once
			SELECT v.*, row_number() OVER (PARTITION BY v.code, v.message ORDER BY v.line, v.i) AS nth
			FROM unnest(p_values) WITH ORDINALITY v(line, field, direction, at, step_s, wh, quality, code, message, i)
			WHERE v.code <> 'ignored') e
		WHERE e.nth = 1 OR e.code NOT IN ('UB409', 'UB412')
		RETURNING code)
	SELECT count(*) FILTER (WHERE code <> '01000') FROM wrong;
$$;
COMMENT ON FUNCTION elecbill._import_errors(bigint, elecbill.import_value[]) IS 'keeps what is wrong with a file in import_row_error; returns how many rows, remarks apart';

CREATE FUNCTION elecbill.import_intervals(org text, point text, format text, file bytea, zone text DEFAULT NULL,
	options jsonb DEFAULT '{}', mode text DEFAULT 'all_or_nothing', dry_run boolean DEFAULT false)
RETURNS elecbill.import_job
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET jit = off AS $$
#variable_conflict use_variable
DECLARE
	place	elecbill.usage_point := elecbill._import_point(org, point);
	local_zone text := (SELECT o.zone FROM elecbill.org o WHERE o.id = place.org_id);
	given	elecbill.import_value[];
	job		elecbill.import_job;
	done	record;
BEGIN
	PERFORM elecbill._import_check(format, file, zone, options, mode, dry_run);
	SELECT j.* INTO job FROM elecbill.import_job j
	WHERE NOT dry_run AND j.usage_point_id = place.id AND j.sha256 = sha256(file) AND j.kind = format AND j.options = options
		AND coalesce(j.zone, '') = coalesce(zone, '') AND j.state = 'done' AND NOT j.dry_run;
	IF FOUND THEN
		RETURN job;
	END IF;
	given := elecbill._import_parse(place, local_zone, format, file, zone, options);
	INSERT INTO elecbill.import_job (org_id, usage_point_id, kind, sha256, zone, options, mode, dry_run, state, created_at,
		given, stored, duplicate, conflict, missing, rounded, ignored, errors)
	SELECT place.org_id, place.id, format, sha256(file), zone, options, mode, dry_run, 'refused', elecbill.now(),
		   count(*) FILTER (WHERE v.code IS NULL), 0, 0, 0, count(*) FILTER (WHERE v.code IS NULL AND v.wh IS NULL), 0,
		   count(DISTINCT v.line) FILTER (WHERE v.code = 'ignored'), 0
	FROM unnest(given) v RETURNING * INTO job;
	job.errors := elecbill._import_errors(job.id, given);
	-- what is wrong with the whole file has no line
	IF job.errors = 0 OR mode = 'skip_bad' AND NOT EXISTS (SELECT FROM unnest(given) v WHERE v.code IS NOT NULL AND v.line IS NULL) THEN
		BEGIN
			IF format = 'nem13' THEN
				SELECT s.* INTO done FROM elecbill._register_store(place, job.id, given) s;
			ELSE
				SELECT s.* INTO done FROM elecbill._import_store(place, local_zone, job.id, given) s;
			END IF;
			IF dry_run THEN
				RAISE SQLSTATE 'UB0DR';
			END IF;
		EXCEPTION WHEN SQLSTATE 'UB0DR' THEN
			NULL;	/* all of it was done, and is undone here; the counts are kept */
		END;
		UPDATE elecbill.import_job j
		SET state = 'done', stored = done.stored, duplicate = done.duplicate, conflict = done.conflict, rounded = done.rounded
		WHERE j.id = job.id;
	END IF;
	UPDATE elecbill.import_job j SET errors = job.errors WHERE j.id = job.id RETURNING j.* INTO job;
	RETURN job;
END $$;
COMMENT ON FUNCTION elecbill.import_intervals(text, text, text, bytea, text, jsonb, text, boolean) IS
'loads a file of readings for a usage point; returns its row of import_job with the counts, and tells every fault in import_row_error with line and reason. Interval values become loaded days of profile_day (source data: they stay), cut at the midnights of the org''s zone; a day with readings of a meter is not loaded. The same value for an interval again is a duplicate, another one is kept in import_conflict; both count, neither changes what is there. A file that landed is answered by its first row when it comes again. Values finer than a Wh are rounded on their running total (flag 256, count rounded). mode all_or_nothing: a file with a fault loads nothing; skip_bad: the rest loads. dry_run: does all of it, keeps the counts and undoes it.
format csv: zone is that of the stamps. options: at (column of the stamp, or [date, time]), energy (column), step ("15 min"), dst (the clock of the stamps: standard = never changed; wall = a stamp that comes twice is the earlier, then the later; first, last = always that; offset = each stamp has Z or +01:00), and if need be stamp (start or end of the interval), order (ymd, mdy, dmy), unit (kWh), direction (import), header (false: columns are numbers), skip (records before the header), where ({"column": "text"}: other lines are ignored), quality (column), qualities ({"text": "estimated"}: actual, estimated, substituted, missing). An empty energy, or Null, is missing.
format nem12: zone without its summer time is market time. options nmi, channels (["E1"]), where the file holds more than one NMI, or several streams of a direction: E import, B export, Q import_kvarh, K export_kvarh. Quality E gives flag 4096, S and F 8192, N is missing.
format nem13: register values become readings of the point''s main meter (source 1); 64 rollover_candidate, 16 went_backwards as by ingest(). The energy of the file is compared, a difference is a remark (01000).
format espi: Green Button XML; channels (addresses of MeterReadings); uom 72 and 73, flowDirection 1 and 19. ReadingQuality 7 gives flag 8192; 8, 9, 12 give 4096; 10, 13, 14, 16 give 1.
UB400 bad arguments, UB404 unknown org, point, zone or column of a CSV file; whatever else is wrong with a file never raises';

CREATE FUNCTION elecbill._profile_load_day(p_point elecbill.usage_point, p_zone text, p_profile elecbill.load_profile) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	no		smallint := array_position('{import,export,import_kvarh,export_kvarh}', elecbill.profile_direction(p_profile)) - 1;
	since	timestamptz := lower(elecbill.profile_during(p_profile));
	until	timestamptz := upper(elecbill.profile_during(p_profile));
	local_day date := (since AT TIME ZONE p_zone)::date;
BEGIN
	IF (elecbill.day_start(local_day, p_zone) = since AND elecbill.day_start(local_day + 1, p_zone) = until
		AND until <= elecbill.now()) IS NOT TRUE
		OR EXISTS (SELECT FROM elecbill.profile_values(p_profile) v WHERE v.energy_wh < 0 OR v.energy_wh IS NULL AND v.quality <> 0)
		OR EXISTS (SELECT FROM elecbill.profile_day p WHERE p.usage_point_id = p_point.id AND p.direction = no AND p.day = local_day)
		OR EXISTS (
			SELECT FROM elecbill.meter_installation i
			JOIN elecbill.meter_register g ON g.meter_id = i.meter_id AND g.code = ('{1.8.0,2.8.0}'::text[])[no + 1]
			JOIN elecbill._reading_all r ON r.register_id = g.id
				AND r.read_at >= since - interval '12 hours' AND r.read_at <= until + interval '12 hours'
			WHERE i.usage_point_id = p_point.id AND i.role = 'main' AND i.valid && tstzrange(since, until))
	THEN
		RETURN false;
	END IF;
	PERFORM elecbill._profile_partition(local_day);
	INSERT INTO elecbill.profile_day (usage_point_id, packed_at, org_id, day, direction, origin, exact, profile)
	VALUES (p_point.id, elecbill.now(), p_point.org_id, local_day, no, 1, true, p_profile)
	ON CONFLICT (usage_point_id, direction, day) DO NOTHING;
	RETURN FOUND;
END $$;
COMMENT ON FUNCTION elecbill._profile_load_day(elecbill.usage_point, text, elecbill.load_profile) IS 'the short way for a profile that is a local day of a point which has nothing near it; false = take the long one';

CREATE FUNCTION elecbill.profile_load(org text, point text, profile elecbill.load_profile,
	OUT stored integer, OUT duplicate integer, OUT conflict integer)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET jit = off AS $$
DECLARE
	place	elecbill.usage_point := elecbill._import_point(org, point);
	local_zone text := (SELECT o.zone FROM elecbill.org o WHERE o.id = place.org_id);
	given	elecbill.import_value[];
	wrong	elecbill.import_value;
	done	record;
BEGIN
	IF profile IS NULL THEN
		RAISE EXCEPTION 'profile must not be NULL' USING ERRCODE = 'UB400';
	END IF;
	IF elecbill._profile_load_day(place, local_zone, profile) THEN
		stored := elecbill.profile_count(profile) - elecbill.profile_missing(profile);
		duplicate := 0;
		conflict := 0;
		RETURN;
	END IF;
	given := ARRAY(
		SELECT v FROM elecbill._import_judge(place.id, local_zone, ARRAY(
			SELECT ROW(row_number() OVER (ORDER BY v.from_at), NULL, elecbill.profile_direction(profile), v.from_at,
					   extract(epoch FROM v.to_at - v.from_at)::integer, v.energy_wh, v.quality, NULL, NULL)::elecbill.import_value
			FROM elecbill.profile_unpacked(profile) v)) v);
	SELECT w.* INTO wrong FROM unnest(given) w WHERE w.code IS NOT NULL ORDER BY w.line LIMIT 1;
	IF FOUND THEN
		RAISE EXCEPTION '%', wrong.message USING ERRCODE = wrong.code,
			DETAIL = format('Value %s of the profile.', wrong.line), HINT = 'Days are those of the zone of the org.';
	END IF;
	SELECT s.* INTO done FROM elecbill._import_store(place, local_zone, NULL, given) s;
	stored := done.stored;
	duplicate := done.duplicate;
	conflict := done.conflict;
END $$;
COMMENT ON FUNCTION elecbill.profile_load(text, text, elecbill.load_profile) IS
'loads a profile of any length for a usage point, as import_intervals() loads a file: all or nothing, cut into the local days of the org. Counts its values: stored, duplicate, conflict (kept in import_conflict). Reads back what profile_export() gave. UB400, UB404 unknown org or point, UB409 another step on a loaded day, UB412 a day with readings, UB422';

CREATE FUNCTION elecbill.profile_export(org text, point text DEFAULT NULL, days daterange DEFAULT NULL)
RETURNS TABLE (usage_point text, day date, profile elecbill.load_profile)
LANGUAGE plpgsql STABLE ROWS 1000 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	owner	integer := elecbill._org_get(org);
BEGIN
	IF point IS NOT NULL AND NOT EXISTS (SELECT FROM elecbill.usage_point u WHERE u.org_id = owner AND u.code = point) THEN
		RAISE EXCEPTION 'there is no usage point %', quote_literal(point) USING ERRCODE = 'UB404';
	END IF;
	RETURN QUERY
	SELECT u.code, p.day, p.profile
	FROM elecbill.profile_day p JOIN elecbill.usage_point u ON u.id = p.usage_point_id
	WHERE p.org_id = owner AND p.origin = 1 AND u.code = coalesce(point, u.code) AND (days IS NULL OR p.day <@ days)
	ORDER BY u.code, p.day, p.direction;
END $$;
COMMENT ON FUNCTION elecbill.profile_export(text, text, daterange) IS
'the loaded days of an org, of one point, of some local days: source data, which no packing makes again. COPY (SELECT * FROM elecbill.profile_export(''ESTATE'')) TO ... saves them in a form that outlives the type; COPY back into a table of the same columns, then SELECT elecbill.profile_load(''ESTATE'', usage_point, profile) FROM it. UB404';
