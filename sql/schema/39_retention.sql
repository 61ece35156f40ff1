-- 39_retention.sql: months of readings that are packed can be dropped, and what of them is kept
--
-- A reading goes with its month when it lies within a local day that is packed exactly: the profile has
-- its interval. Kept are those at both midnights of every day, so that the profile can be checked and
-- the days around it rest on something; what a bill, a conflict or reading_latest names; all of a day
-- with a reading that was flagged as doubtful, or beside a midnight of which a bill took another reading;
-- all of a day that is not packed, is not exact or reaches into the next month. Registers without profiles (the tariffs of the meter, check meters) keep their
-- midnights where the day between them only rises, else everything.
--
-- DROP TABLE knows no snapshots: a statement or transaction that began before, and looks at reading after the month
-- went, sees neither the month nor what was kept of it. Bill runs hold the table from their beginning.

CREATE FUNCTION elecbill._drop_check(p_until timestamptz) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	points	bigint;
	names	text;
BEGIN
	WITH point AS (
		SELECT DISTINCT o.code || '/' || u.code AS name
		FROM elecbill.org AS o
		JOIN elecbill.usage_point AS u ON u.org_id = o.id
		LEFT JOIN elecbill.pack_point AS p ON p.usage_point_id = u.id
		CROSS JOIN LATERAL (SELECT (p_until AT TIME ZONE o.zone)::date) AS d(day)
		WHERE coalesce(p.packed_until < d.day, EXISTS (SELECT FROM elecbill.meter_installation AS i
				JOIN elecbill.meter AS m ON m.id = i.meter_id AND m.interval_s IS NOT NULL
				WHERE i.usage_point_id = u.id AND i.role = 'main' AND lower(i.valid) < p_until))
			OR EXISTS (SELECT FROM elecbill.pack_queue AS q
				WHERE q.usage_point_id = u.id AND lower(q.days) < d.day)
	)
	SELECT count(*), string_agg(p.name, ', ' ORDER BY p.name) FILTER (WHERE p.i <= 5) INTO points, names
	FROM (SELECT x.name, row_number() OVER (ORDER BY x.name) AS i FROM point AS x) AS p;
	IF points > 0 THEN
		RAISE EXCEPTION '% usage point(s) have readings that are not packed', points
			USING ERRCODE = 'UB412',
				  DETAIL = format('Up to %s UTC: %s%s.', to_char(p_until AT TIME ZONE 'UTC', 'YYYY-MM-DD'), names,
						CASE WHEN points > 5 THEN ', ...' ELSE '' END),
				  HINT = 'CALL elecbill.pack_profiles() for their org, then drop again.';
	END IF;
END $$;
COMMENT ON FUNCTION elecbill._drop_check(timestamptz) IS 'UB412 while days before an instant wait to be packed, for the first time or again: how many usage points, and which';

CREATE FUNCTION elecbill._drop_clean(p_part regclass, p_from timestamptz, p_until timestamptz)
RETURNS TABLE (register_id bigint, day date)
LANGUAGE plpgsql STABLE ROWS 100000 SET search_path = pg_catalog, pg_temp SET jit = off AS $$
BEGIN
	RETURN QUERY
	SELECT g.id, c.day
	FROM elecbill._profile_counting AS c
	-- OFFSET: looked up for each day; the planner takes days for few, and would go through all registers for each
	CROSS JOIN LATERAL (SELECT r.id FROM elecbill.meter_register AS r
		WHERE r.meter_id = c.meter_id AND r.code = ('{1.8.0,2.8.0}'::text[])[c.direction + 1] OFFSET 0) AS g
	WHERE c.origin = 0 AND c.day >= (p_from AT TIME ZONE 'UTC')::date - 1 AND c.day <= (p_until AT TIME ZONE 'UTC')::date
		AND upper(c.during) > p_from AND upper(c.during) <= p_until;

	RETURN QUERY EXECUTE format($sql$
		SELECT x.register_id, x.day
		FROM (
			SELECT r.register_id, b.day, o.zone, b.at, r.register_wh,
				r.register_wh >= coalesce(lag(r.register_wh) OVER (PARTITION BY r.register_id ORDER BY r.read_at), 0) AS rises
			FROM %s AS r
			JOIN elecbill.meter_register AS g ON g.id = r.register_id
			JOIN elecbill.meter AS m ON m.id = g.meter_id AND m.interval_s IS NOT NULL
			JOIN elecbill.org AS o ON o.id = r.org_id
			CROSS JOIN LATERAL (SELECT coalesce(r.slot_at, r.read_at),
				(coalesce(r.slot_at, r.read_at) AT TIME ZONE o.zone)::date) AS b(at, day)
			WHERE g.code NOT IN ('1.8.0', '2.8.0') OR NOT EXISTS (SELECT FROM elecbill.meter_installation AS i
				WHERE i.meter_id = g.meter_id AND i.role = 'main' AND i.valid @> r.read_at)) AS x
		GROUP BY x.register_id, x.day, x.zone
		HAVING bool_and(x.rises) AND min(x.at) = elecbill.day_start(x.day, x.zone)
			AND elecbill.day_start(x.day + 1, x.zone) <= $1
			AND EXISTS (SELECT FROM elecbill._reading_all AS n WHERE n.register_id = x.register_id
				AND n.slot_at = elecbill.day_start(x.day + 1, x.zone) AND n.register_wh >= max(x.register_wh)
				AND n.read_at >= elecbill.day_start(x.day + 1, x.zone) - interval '12 hours'
				AND n.read_at <= elecbill.day_start(x.day + 1, x.zone) + interval '12 hours')$sql$, p_part)
	USING p_until;
END $$;
COMMENT ON FUNCTION elecbill._drop_clean(regclass, timestamptz, timestamptz) IS 'the local days of registers of which, but for doubtful readings, the midnights are enough: packed exactly, or without a profile and only rising';

CREATE FUNCTION elecbill._drop_month(p_month date) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET jit = off AS $$
DECLARE
	since	timestamptz := p_month::timestamp AT TIME ZONE 'UTC';
	until	timestamptz := (p_month + interval '1 month') AT TIME ZONE 'UTC';
	part	regclass := format('elecbill.reading_%s', to_char(p_month, 'YYYY_MM'));
	total	bigint;
	stay	bigint;
BEGIN
	-- who came past reading_retention has committed when the lock is there
	EXECUTE format('LOCK TABLE %s IN SHARE MODE', part);
	PERFORM elecbill._drop_check(until);
	EXECUTE format('SELECT count(*) FROM %s', part) INTO total;
	EXECUTE format($sql$
		WITH clean AS MATERIALIZED (
			SELECT c.register_id, c.day FROM elecbill._drop_clean(%L, $1, $2) AS c
		), doubtful AS MATERIALIZED (
			-- went_backwards, jump, rollover_candidate, foreign_address, restart
			SELECT DISTINCT r.register_id, (k.at AT TIME ZONE o.zone)::date - n.n AS day
			FROM %s AS r JOIN elecbill.org AS o ON o.id = r.org_id
			CROSS JOIN LATERAL (SELECT coalesce(r.slot_at, r.read_at)) AS k(at)
			CROSS JOIN generate_series(0, 1) AS n(n)
			WHERE r.quality & 752 <> 0
		UNION
			-- a bill rests on another reading of a midnight than the profiles do
			SELECT s.register_id, (k.at AT TIME ZONE o.zone)::date - n.n
			FROM elecbill.bill_segment AS s JOIN elecbill.org AS o ON o.id = s.org_id
			CROSS JOIN LATERAL (VALUES (s.start_at), (s.end_at)) AS e(at)
			JOIN elecbill._reading_all AS r ON r.register_id = s.register_id AND r.read_at = e.at
			CROSS JOIN LATERAL (SELECT coalesce(r.slot_at, r.read_at)) AS k(at)
			CROSS JOIN generate_series(0, 1) AS n(n)
			WHERE e.at >= $1 - interval '3 days' AND e.at < $2
				AND NOT EXISTS (SELECT FROM elecbill._boundary_readings(s.register_id, 1, k.at, k.at) AS b
					WHERE b.read_at = e.at)
		), named AS MATERIALIZED (
			SELECT s.register_id, e.at AS read_at FROM elecbill.bill_segment AS s
			CROSS JOIN LATERAL (VALUES (s.start_at), (s.end_at)) AS e(at) WHERE e.at >= $1 AND e.at < $2
		UNION
			SELECT c.register_id, c.read_at FROM elecbill.reading_conflict AS c
		UNION
			SELECT l.register_id, l.read_at FROM elecbill.reading_latest AS l
		)
		INSERT INTO elecbill.reading_kept
		SELECT r.* FROM %s AS r
		JOIN elecbill.org AS o ON o.id = r.org_id
		CROSS JOIN LATERAL (SELECT coalesce(r.slot_at, r.read_at), (coalesce(r.slot_at, r.read_at) AT TIME ZONE o.zone)::date)
			AS k(at, day)
		LEFT JOIN clean AS c ON c.register_id = r.register_id AND c.day = k.day
		LEFT JOIN doubtful AS d ON d.register_id = r.register_id AND d.day = k.day
		LEFT JOIN named AS n ON n.register_id = r.register_id AND n.read_at = r.read_at
		WHERE c.day IS NULL OR d.day IS NOT NULL OR n.read_at IS NOT NULL
			OR k.at = elecbill.day_start(k.day, o.zone)$sql$, part, part, part)
	USING since, until;
	GET DIAGNOSTICS stay = ROW_COUNT;
	EXECUTE format('DROP TABLE %s', part);
	UPDATE elecbill.reading_retention AS t SET dropped_at = elecbill.now(), readings = total, kept = stay
	WHERE t.month = p_month;
END $$;
COMMENT ON FUNCTION elecbill._drop_month(date) IS 'moves what is still needed of a closed month to reading_kept and drops its partition; UB412 while some of it waits to be packed';

CREATE FUNCTION elecbill._drop_next(p_before date) RETURNS date
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	oldest	date;
BEGIN
	IF isfinite(p_before) IS NOT TRUE OR p_before::timestamp AT TIME ZONE 'UTC' > elecbill.now() THEN
		RAISE EXCEPTION 'readings are dropped before a date that is past'
			USING ERRCODE = 'UB400', DETAIL = format('The value is %s.', coalesce(p_before::text, 'NULL'));
	END IF;
	SELECT min(to_date(c.relname, '"reading_"YYYY_MM')) INTO oldest
	FROM pg_inherits AS h JOIN pg_class AS c ON c.oid = h.inhrelid
	WHERE h.inhparent = 'elecbill.reading'::regclass AND c.relname ~ '^reading_[0-9]{4}_[0-9]{2}$';
	IF oldest IS NULL OR (oldest + interval '1 month')::date > p_before THEN
		RETURN NULL;
	END IF;
	PERFORM elecbill._drop_check((oldest + interval '1 month') AT TIME ZONE 'UTC');
	INSERT INTO elecbill.reading_retention (month) VALUES (oldest) ON CONFLICT (month) DO NOTHING;
	-- what it says stays; but who stores readings with an older snapshot, and does not see that the month is
	-- closed, fails (40001), see _pack_state_hold()
	PERFORM FROM elecbill.pack_state AS s ORDER BY s.org_id FOR UPDATE;
	UPDATE elecbill.pack_state AS s SET until = s.until;
	RETURN oldest;
END $$;
COMMENT ON FUNCTION elecbill._drop_next(date) IS 'closes the oldest month of reading, when it ends before a date; NULL: there is none. UB400 no past date, UB412 not packed';

CREATE PROCEDURE elecbill.drop_readings(p_before date) LANGUAGE plpgsql AS $$
DECLARE
	oldest	date;
BEGIN
	PERFORM elecbill.partition_maintain(0);
	COMMIT;
	LOOP
		oldest := elecbill._drop_next(p_before);
		COMMIT;
		EXIT WHEN oldest IS NULL;
		LOCK TABLE ONLY elecbill.reading IN SHARE MODE;
		COMMIT;
		LOCK TABLE ONLY elecbill.meter_installation IN SHARE MODE;
		COMMIT;
		PERFORM elecbill._drop_month(oldest);
		COMMIT;
	END LOOP;
END $$;
COMMENT ON PROCEDURE elecbill.drop_readings(date) IS 'drops the months of reading (UTC, of all orgs) that end before or at the date, oldest first, each in a transaction of its own, after what is still needed of them has gone to reading_kept: bills, interval_usage and fsck() give the same as before. Readings of such months are not taken any more: ingest() keeps them in reading_inbox as "late beyond retention". Dump the month before, if you want to see all of it again. UB400 no past date, UB412 while days of it wait to be packed';
