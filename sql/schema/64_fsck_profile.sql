-- 64_fsck_profile.sql: invariants of load profiles and of the readings that outlived their month

CREATE FUNCTION elecbill._fsck_midnight(p_register bigint, p_multiplier numeric, p_at timestamptz) RETURNS numeric
LANGUAGE sql STABLE
BEGIN ATOMIC
	SELECT round(r.register_wh * p_multiplier) FROM elecbill.reading_effective AS r
	WHERE r.register_id = p_register AND r.slot_at = p_at
		AND r.read_at >= p_at - interval '12 hours' AND r.read_at <= p_at + interval '12 hours'
	ORDER BY r.read_at LIMIT 1;
END;
COMMENT ON FUNCTION elecbill._fsck_midnight(bigint, numeric, timestamptz) IS 'primary value of a register at a slot; NULL = none';

CREATE FUNCTION elecbill._fsck_day(p_register bigint, p_multiplier numeric, p_wrap_wh bigint, p_day tstzrange)
RETURNS numeric
LANGUAGE sql STABLE
BEGIN ATOMIC
	-- a rollover adds the size of the register; what passed before a restart is not known
	SELECT CASE WHEN min(q.at) = lower(p_day) AND max(q.at) = upper(p_day) THEN
		coalesce(sum(CASE WHEN q.quality & 512 <> 0 THEN 0 WHEN q.wh >= q.former THEN q.wh - q.former
			ELSE q.wh - q.former + round(p_wrap_wh * p_multiplier) END) FILTER (WHERE q.at > lower(p_day)), 0) END
	FROM (SELECT b.boundary AS at, b.quality, b.primary_wh AS wh, lag(b.primary_wh) OVER (ORDER BY b.read_at) AS former
		FROM elecbill._boundary_readings(p_register, p_multiplier, lower(p_day), upper(p_day)) AS b) AS q;
END;
COMMENT ON FUNCTION elecbill._fsck_day(bigint, numeric, bigint, tstzrange) IS 'Wh of a register on a day by all its readings; NULL = they do not reach from midnight to midnight';

CREATE FUNCTION elecbill._fsck_packed(p_org integer, p_since date) RETURNS TABLE (invariant text, object text, detail text)
LANGUAGE sql STABLE SET jit = off
BEGIN ATOMIC
	SELECT 'profile_energy', format('usage point %s, %s, %s',
			(SELECT u.code FROM elecbill.usage_point AS u WHERE u.id = c.usage_point_id), to_char(c.day, 'YYYY-MM-DD'),
			elecbill.profile_direction(c.profile)),
		format('profile %s Wh, register %s Wh', p.wh, coalesce(e.wh::text, 'unknown'))
	FROM elecbill._profile_counting AS c
	-- OFFSET: looked up for each day; the planner takes days for few, and would go through all meters for each
	CROSS JOIN LATERAL (SELECT i.multiplier FROM elecbill.meter_installation AS i
		WHERE i.org_id = c.org_id AND i.id = c.installation_id OFFSET 0) AS i
	LEFT JOIN LATERAL (SELECT r.id, r.wrap_wh FROM elecbill.meter_register AS r
		WHERE r.meter_id = c.meter_id AND r.code = ('{1.8.0,2.8.0}'::text[])[c.direction + 1] OFFSET 0) AS g ON true,
		LATERAL (SELECT coalesce(elecbill.profile_sum(c.profile), 0)) AS p(wh),
		-- both midnights tell it of most days; the others are gone through
		LATERAL (SELECT CASE WHEN p.wh = elecbill._fsck_midnight(g.id, i.multiplier, upper(c.during))
				- elecbill._fsck_midnight(g.id, i.multiplier, lower(c.during)) THEN p.wh
			ELSE elecbill._fsck_day(g.id, i.multiplier, g.wrap_wh, c.during) END OFFSET 0) AS e(wh)
	WHERE c.origin = 0 AND (p_org IS NULL OR c.org_id = p_org) AND c.day >= coalesce(p_since - 1, '-infinity')
		AND e.wh IS DISTINCT FROM p.wh;
END;
COMMENT ON FUNCTION elecbill._fsck_packed(integer, date) IS 'packed days that count and do not add up to what their register says, to the Wh';

CREATE FUNCTION elecbill._fsck_profile(p_org integer, p_since date) RETURNS TABLE (invariant text, object text, detail text)
LANGUAGE plpgsql STABLE SET jit = off SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN QUERY SELECT f.invariant, f.object, f.detail FROM elecbill._fsck_packed(p_org, p_since) AS f;
	RETURN QUERY
	SELECT 'profile_point', format('usage point %s', p.usage_point_id), 'has load profiles, but is no point of their org'
	FROM elecbill.profile_day AS p
	LEFT JOIN elecbill.usage_point AS u ON u.id = p.usage_point_id AND u.org_id = p.org_id
	WHERE u.id IS NULL AND p.day >= coalesce(p_since - 1, '-infinity')
	GROUP BY p.usage_point_id
	UNION ALL
	SELECT 'profile_day', format('usage point %s, %s', p.usage_point_id, to_char(p.day, 'YYYY-MM-DD')),
		format('direction %s holds %s %s', p.direction, elecbill.profile_direction(p.profile), w.during)
	FROM elecbill.profile_day AS p
	JOIN elecbill.org AS o ON o.id = p.org_id
	CROSS JOIN LATERAL (SELECT elecbill.profile_during(p.profile)) AS w(during)
	WHERE (p_org IS NULL OR p.org_id = p_org) AND p.day >= coalesce(p_since - 1, '-infinity')
		AND (lower(w.during) IS DISTINCT FROM elecbill.day_start(p.day, o.zone)
		OR upper(w.during) IS DISTINCT FROM elecbill.day_start(p.day + 1, o.zone)
		OR elecbill.profile_direction(p.profile)
			<> ('{import,export,import_kvarh,export_kvarh}'::text[])[p.direction + 1])
	UNION ALL
	SELECT 'profile_day', format('usage point %s, %s', p.usage_point_id, to_char(p.day, 'YYYY-MM-DD')),
		'is packed, but no main meter was there all day'
	FROM elecbill.profile_day AS p
	WHERE p.origin = 0 AND p.exact AND (p_org IS NULL OR p.org_id = p_org) AND p.day >= coalesce(p_since - 1, '-infinity')
		AND NOT EXISTS (SELECT FROM elecbill.pack_queue AS q
			WHERE q.usage_point_id = p.usage_point_id AND q.days @> p.day)
		AND NOT EXISTS (SELECT FROM elecbill.meter_installation AS i
			WHERE i.usage_point_id = p.usage_point_id AND i.role = 'main'
				AND i.valid @> elecbill.profile_during(p.profile))
	UNION ALL
	SELECT 'partition_default_empty', 'profile_day_default', format('%s days of quarters without a partition', n)
	FROM (SELECT count(*) FROM elecbill.profile_day_default) AS c(n) WHERE n > 0
	UNION ALL
	SELECT 'profile_day_keep', p.relid::text, format('trigger %s is missing or disabled', w.name)
	FROM pg_partition_tree('elecbill.profile_day') AS p
	CROSS JOIN (VALUES ('profile_day_keep'), ('profile_day_no_truncate')) AS w(name)
	WHERE NOT EXISTS (SELECT FROM pg_trigger AS t
		WHERE t.tgrelid = p.relid AND t.tgname = w.name AND t.tgenabled IN ('O', 'A'));

	RETURN QUERY
	SELECT 'reading_kept', format('register %s at %s', k.register_id, k.read_at), 'is in reading, too'
	FROM elecbill.reading_kept AS k JOIN elecbill.reading AS r ON r.register_id = k.register_id AND r.read_at = k.read_at
	WHERE k.read_at >= elecbill._fsck_from(p_since)
	UNION ALL
	SELECT 'reading_retention', format('register %s at %s', r.register_id, r.read_at), 'belongs to a month that was dropped'
	FROM elecbill.reading AS r
	WHERE r.read_at < (SELECT (max(t.month) + interval '1 month') AT TIME ZONE 'UTC'
		FROM elecbill.reading_retention AS t WHERE t.dropped_at IS NOT NULL)
	UNION ALL
	SELECT 'pack_state', format('org %s', o.code), 'has no row: readings that come late are not noticed'
	FROM elecbill.org AS o WHERE NOT EXISTS (SELECT FROM elecbill.pack_state AS s WHERE s.org_id = o.id)
	UNION ALL
	SELECT 'pack_state', format('usage point %s', u.code), format('is packed until %s, its org until %s', p.packed_until,
		coalesce(s.until::text, 'never'))
	FROM elecbill.pack_point AS p
	JOIN elecbill.usage_point AS u ON u.id = p.usage_point_id
	JOIN elecbill.pack_state AS s ON s.org_id = p.org_id
	WHERE EXISTS (SELECT FROM elecbill.profile_day AS d WHERE d.usage_point_id = p.usage_point_id AND d.origin = 0
		AND d.day >= coalesce(s.until, '-infinity'));
END $$;
COMMENT ON FUNCTION elecbill._fsck_profile(integer, date) IS 'broken invariants of load profiles, of packing and of kept readings of an org (NULL: all), of days since one (NULL: all)';
