-- 37_pack_run.sql: packing the days of an org in batches, and looking at what was packed

CREATE FUNCTION elecbill._pack_begin(p_org text, p_until date) RETURNS date
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	owner	elecbill.org;
	last	date;
BEGIN
	-- its zone stays as it is from here on
	PERFORM FROM elecbill.pack_state AS s WHERE s.org_id = elecbill._org_get(p_org) FOR UPDATE;
	SELECT o.* INTO owner FROM elecbill.org AS o WHERE o.code = p_org;
	last := least(p_until, (elecbill.now() AT TIME ZONE owner.zone)::date);
	IF NOT isfinite(last) THEN
		RAISE EXCEPTION 'days are packed until a date'
			USING ERRCODE = 'UB400', DETAIL = format('The value is %s.', p_until), HINT = 'NULL packs all days that are over.';
	END IF;
	-- also when it stays: who has an older snapshot must notice
	UPDATE elecbill.pack_state AS s SET until = greatest(s.until, last),
		until_at = elecbill.day_start(greatest(s.until, last), owner.zone)
	WHERE s.org_id = owner.id;
	INSERT INTO elecbill.pack_point (usage_point_id, org_id, packed_until)
	SELECT i.usage_point_id, i.org_id, min((lower(i.valid) AT TIME ZONE owner.zone)::date)
	FROM elecbill.meter_installation AS i
	JOIN elecbill.meter AS m ON m.id = i.meter_id AND m.interval_s IS NOT NULL
	WHERE i.org_id = owner.id AND i.role = 'main'
		AND NOT EXISTS (SELECT FROM elecbill.pack_point AS p WHERE p.usage_point_id = i.usage_point_id)
	GROUP BY i.usage_point_id, i.org_id
	ON CONFLICT (usage_point_id) DO NOTHING;
	PERFORM elecbill._profile_partition(q.day::date)
	FROM generate_series(date_trunc('quarter', (SELECT min(p.packed_until) FROM elecbill.pack_point AS p
		WHERE p.org_id = owner.id)::timestamp), last - 1, interval '3 months') AS q(day);
	RETURN last;
END $$;
COMMENT ON FUNCTION elecbill._pack_begin(text, date) IS 'says in pack_state up to where days will be packed, and adds points and partitions; returns the first day that will not be. UB400 no date, UB404 unknown org';

CREATE FUNCTION elecbill._pack_claim(p_org integer, p_until date)
RETURNS TABLE (usage_point_id bigint, packed_until date)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	n	integer := greatest(elecbill._batch_size() / 8, 1);	/* points, each with up to 32 days */
BEGIN
	RETURN QUERY
	SELECT p.usage_point_id, p.packed_until FROM elecbill.pack_point AS p
	WHERE p.org_id = p_org AND p.packed_until < p_until
	ORDER BY p.packed_until, p.usage_point_id LIMIT n FOR UPDATE SKIP LOCKED;
	IF NOT FOUND THEN
		RETURN QUERY
		SELECT p.usage_point_id, p.packed_until FROM elecbill.pack_point AS p
		WHERE p.org_id = p_org AND EXISTS (SELECT FROM elecbill.pack_queue AS q
			WHERE q.usage_point_id = p.usage_point_id AND lower(q.days) < p.packed_until)
		ORDER BY p.usage_point_id LIMIT n FOR UPDATE SKIP LOCKED;
	END IF;
END $$;
COMMENT ON FUNCTION elecbill._pack_claim(integer, date) IS 'locks points that have days to pack and that nobody else packs';

CREATE FUNCTION elecbill._pack_batch(p_org text, p_until date) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET jit = off AS $$
DECLARE
	owner	integer := elecbill._org_get(p_org);
	zone	text := (SELECT o.zone FROM elecbill.org AS o WHERE o.id = owner);
	points	bigint[];
	since	date[];
	until	date[];
	part	record;
BEGIN
	SELECT array_agg(c.usage_point_id), array_agg(c.packed_until),
		array_agg(greatest(c.packed_until, least(c.packed_until + 32, p_until)))
	INTO points, since, until FROM elecbill._pack_claim(owner, p_until) AS c;
	IF points IS NULL THEN
		RETURN false;
	END IF;
	PERFORM set_config('application_name', format('elecbill pack_profiles %s %s of %s points', p_org,
		count(*) FILTER (WHERE p.packed_until >= p_until), count(*)), false)
	FROM elecbill.pack_point AS p WHERE p.org_id = owner;

	WITH taken AS (
		DELETE FROM elecbill.pack_queue AS q WHERE q.usage_point_id = ANY (points)
		RETURNING q.usage_point_id, q.days, q.why
	), day AS (
		SELECT t.usage_point_id, unnest(range_agg(t.days * daterange(NULL, c.since))) AS days,
			string_agg(DISTINCT t.why, ', ') AS why
		FROM taken AS t JOIN unnest(points, since) AS c(usage_point_id, since) USING (usage_point_id)
		GROUP BY t.usage_point_id
	UNION ALL
		SELECT c.usage_point_id, daterange(c.since, c.until), 'new day'
		FROM unnest(points, since, until) AS c(usage_point_id, since, until) WHERE c.since < c.until
	), open AS (
		-- of days whose readings are dropped the profile is all there is
		SELECT d.usage_point_id, d.days * daterange(lower(d.days) + 366 * n, lower(d.days) + 366 * (n + 1)) AS days, d.why
		FROM day AS d, LATERAL generate_series(0, (upper(d.days) - lower(d.days) - 1) / 366) AS n
	)
	SELECT array_agg(o.usage_point_id) AS points, array_agg(greatest(lower(o.days), r.day)) AS since,
		array_agg(upper(o.days)) AS until, array_agg(o.why) AS why
	INTO part
	FROM open AS o, (SELECT CASE WHEN isfinite(elecbill._dropped_until())
		THEN (elecbill._dropped_until() AT TIME ZONE zone)::date END) AS r(day)
	WHERE upper(o.days) > coalesce(r.day, '-infinity');
	IF part.points IS NOT NULL THEN
		PERFORM elecbill._pack_days(part.points, part.since, part.until, part.why);
	END IF;
	UPDATE elecbill.pack_point AS p SET packed_until = c.until
	FROM unnest(points, until) AS c(usage_point_id, until)
	WHERE p.usage_point_id = c.usage_point_id AND p.packed_until < c.until;
	RETURN true;
END $$;
COMMENT ON FUNCTION elecbill._pack_batch(text, date) IS 'packs the queued days of some points, and up to 32 new ones of each; false = none is left for this session';

CREATE FUNCTION elecbill._profile_analyze() RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	part	oid;
BEGIN
	FOR part IN SELECT h.inhrelid FROM pg_inherits AS h WHERE h.inhparent = 'elecbill.profile_day'::regclass LOOP
		-- pages; what grew by less is left to autovacuum
		IF pg_relation_size(part) / current_setting('block_size')::integer
			> (SELECT 64 + 1.5 * c.relpages FROM pg_class AS c WHERE c.oid = part)
		THEN
			EXECUTE format('ANALYZE %s', part::regclass);
		END IF;
	END LOOP;
END $$;
COMMENT ON FUNCTION elecbill._profile_analyze() IS 'ANALYZE of those partitions of profile_day that grew by more than a half since their statistics were made';

CREATE FUNCTION elecbill._pack_wait(p_table text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF p_table = 'reading' THEN
		LOCK TABLE ONLY elecbill.reading IN SHARE MODE;
	ELSIF p_table = 'meter_installation' THEN
		LOCK TABLE ONLY elecbill.meter_installation IN SHARE MODE;
	END IF;
	-- who may call this must not be able to keep all orgs from writing: what is undone gives its lock back
	RAISE EXCEPTION 'waited' USING ERRCODE = 'UB999';
EXCEPTION WHEN SQLSTATE 'UB999' THEN
	NULL;
END $$;
COMMENT ON FUNCTION elecbill._pack_wait(text) IS 'waits for whoever writes to reading, or to meter_installation: takes a lock, for which the caller may have no right, and gives it back at once';

-- Procedures that commit cannot pin their search_path: everything is qualified, operators too.
CREATE PROCEDURE elecbill.pack_profiles(p_org text, p_until date DEFAULT NULL) LANGUAGE plpgsql AS $$
DECLARE
	former	text := pg_catalog.current_setting('application_name');
	last	date;
BEGIN
	last := elecbill._pack_begin(p_org, p_until);
	COMMIT;
	-- Whoever stores readings or moves meters, and does not know yet how far days are packed, ends first.
	-- One after the other: who does both would wait for this session while it waits for him.
	PERFORM elecbill._pack_wait('reading');
	COMMIT;
	PERFORM elecbill._pack_wait('meter_installation');
	COMMIT;
	WHILE elecbill._pack_batch(p_org, last) LOOP
		COMMIT;
	END LOOP;
	PERFORM pg_catalog.set_config('application_name', former, false);
	PERFORM elecbill._profile_analyze();
	COMMIT;
END $$;
COMMENT ON PROCEDURE elecbill.pack_profiles(text, date) IS 'packs the local days of an org before a date (NULL: before today) that are over: the readings of register 1.8.0 and 2.8.0 of smart main meters become a load profile in profile_day, for each usage point and direction, where both midnights have a reading. Days whose readings or meters changed since are packed again, with a row in profile_trace; loaded days stay as they are. Commits in batches (elecbill.batch_size days times four); may be called again, and in several sessions at once. Run it once a day. UB400, UB404 unknown org';

CREATE FUNCTION elecbill.pack_again(org text, usage_point text, days daterange) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF lower_inf(days) OR upper_inf(days) OR isempty(days) IS NOT FALSE THEN
		RAISE EXCEPTION 'days to be packed again have a first and a last one'
			USING ERRCODE = 'UB400', DETAIL = format('The value is %s.', coalesce(days::text, 'NULL'));
	END IF;
	INSERT INTO elecbill.pack_queue (org_id, usage_point_id, days, why)
	SELECT p.org_id, p.usage_point_id, days, 'asked for'
	FROM elecbill.usage_point AS u JOIN elecbill.pack_point AS p ON p.usage_point_id = u.id
	WHERE u.org_id = elecbill._org_get(pack_again.org) AND u.code = pack_again.usage_point;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'no day of usage point % was packed', quote_nullable(usage_point)
			USING ERRCODE = 'UB404', HINT = 'pack_profiles() packs the points of an org that have a smart main meter.';
	END IF;
END $$;
COMMENT ON FUNCTION elecbill.pack_again(text, text, daterange) IS 'lets the next pack_profiles() look at days of a usage point again; until then their readings count. For readings that came past the triggers, as by logical replication. UB400, UB404';

CREATE FUNCTION elecbill.unpack(org text, usage_point text, day date, direction text DEFAULT 'import')
RETURNS TABLE (slot_at timestamptz, to_at timestamptz, energy_wh bigint, quality integer)
LANGUAGE plpgsql STABLE ROWS 96 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	no	integer := array_position('{import,export,import_kvarh,export_kvarh}'::text[], direction) - 1;
	point bigint := (SELECT u.id FROM elecbill.usage_point AS u
		WHERE u.org_id = elecbill._org_get(unpack.org) AND u.code = unpack.usage_point);
BEGIN
	IF no IS NULL THEN
		RAISE EXCEPTION 'unknown direction %', quote_nullable(direction)
			USING ERRCODE = 'UB400', HINT = 'Use import, export, import_kvarh or export_kvarh.';
	ELSIF point IS NULL THEN
		RAISE EXCEPTION 'there is no usage point %', quote_nullable(usage_point) USING ERRCODE = 'UB404';
	END IF;
	RETURN QUERY
	SELECT u.from_at, u.to_at, u.energy_wh, u.quality
	FROM elecbill.profile_day AS p CROSS JOIN LATERAL elecbill.profile_unpacked(p.profile) AS u
	WHERE p.usage_point_id = point AND p.direction = no AND p.day = unpack.day
	ORDER BY u.from_at;
END $$;
COMMENT ON FUNCTION elecbill.unpack(text, text, date, text) IS 'the intervals of a day in profile_day (start, end, Wh or NULL = missing, flags) as its readings had them; no row when the day is not there. UB400, UB404';

CREATE VIEW elecbill.pack_progress WITH (security_invoker = true) AS
SELECT o.code AS org, s.until, count(p.usage_point_id) AS points,
	count(p.usage_point_id) FILTER (WHERE p.packed_until >= s.until) AS done,
	min(p.packed_until) AS packed_until, coalesce(sum(s.until - least(p.packed_until, s.until)), 0) AS days_left,
	(SELECT count(*) FROM elecbill.pack_queue AS q WHERE q.org_id = o.id) AS queued
FROM elecbill.org AS o
JOIN elecbill.pack_state AS s ON s.org_id = o.id
LEFT JOIN elecbill.pack_point AS p ON p.org_id = o.id
GROUP BY o.id, o.code, s.until;
COMMENT ON VIEW elecbill.pack_progress IS 'how far each org is packed, as committed; application_name of a session that packs shows it too';
COMMENT ON COLUMN elecbill.pack_progress.org IS 'code of the org';
COMMENT ON COLUMN elecbill.pack_progress.until IS 'first local day that is not packed, nor being packed; NULL: never asked for';
COMMENT ON COLUMN elecbill.pack_progress.points IS 'usage points with a smart main meter';
COMMENT ON COLUMN elecbill.pack_progress.done IS 'those that are packed until then';
COMMENT ON COLUMN elecbill.pack_progress.packed_until IS 'first local day that not all of them are packed for';
COMMENT ON COLUMN elecbill.pack_progress.days_left IS 'days left, of all points';
COMMENT ON COLUMN elecbill.pack_progress.queued IS 'changes that wait in pack_queue';
