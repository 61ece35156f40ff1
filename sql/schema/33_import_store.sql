-- 33_import_store.sql: from interval values to loaded days of profile_day
--
-- A day of a point is measured here (it has readings, or is packed from them) or loaded, never both.
-- What is loaded stays; an interval that was missing may be filled in later.

CREATE FUNCTION elecbill._import_days(p_point bigint, p_zone text, p_from date, p_to date)
RETURNS TABLE (direction text, day date, step_s integer, profile elecbill.load_profile)
LANGUAGE sql STABLE ROWS 400 SET search_path = pg_catalog, pg_temp SET jit = off AS $$
	SELECT elecbill.profile_direction(p.profile), p.day,
		   CASE WHEN p.origin = 1 THEN extract(epoch FROM elecbill.profile_step(p.profile))::integer END, p.profile
	FROM elecbill.profile_day p
	WHERE p.usage_point_id = p_point AND p.day BETWEEN p_from AND p_to
UNION ALL
	SELECT DISTINCT g.direction, d.day, NULL::integer, NULL::elecbill.load_profile
	FROM elecbill.meter_installation i
	JOIN elecbill.meter_register g ON g.meter_id = i.meter_id AND g.code IN ('1.8.0', '2.8.0')
	JOIN elecbill._reading_all r ON r.register_id = g.id
		-- a local day begins up to 14 hours before or after the UTC day of the same date
		AND r.read_at >= (p_from - 1)::timestamp AT TIME ZONE 'UTC' AND r.read_at <= (p_to + 2)::timestamp AT TIME ZONE 'UTC'
	CROSS JOIN LATERAL (SELECT coalesce(r.slot_at, r.read_at)) b(at)
	CROSS JOIN LATERAL (SELECT (b.at AT TIME ZONE p_zone)::date) d(day)
	WHERE i.usage_point_id = p_point AND i.role = 'main' AND i.valid @> b.at AND b.at <> elecbill.day_start(d.day, p_zone)
		AND NOT EXISTS (SELECT FROM elecbill.profile_day p WHERE p.usage_point_id = p_point AND p.day = d.day
			AND elecbill.profile_direction(p.profile) = g.direction);
$$;
COMMENT ON FUNCTION elecbill._import_days(bigint, text, date, date) IS 'days of a point that have something already: step and profile of loaded ones, step NULL where readings of a meter count';

CREATE FUNCTION elecbill._import_judge(p_point bigint, p_zone text, p_values elecbill.import_value[])
RETURNS SETOF elecbill.import_value
LANGUAGE plpgsql STABLE ROWS 100000 SET search_path = pg_catalog, pg_temp SET jit = off SET plan_cache_mode = force_custom_plan AS $$
BEGIN
	RETURN QUERY
	WITH value AS MATERIALIZED (
		SELECT x.*, max(x.at + make_interval(secs => x.step_s)) FILTER (WHERE x.sane) OVER (PARTITION BY x.direction ORDER BY x.at, x.step_s
				GROUPS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before_until
		FROM (SELECT v.*, coalesce(v.code IS NULL AND v.at >= timestamptz '1900-01-02 00:00+00' AND v.at < timestamptz '2199-12-30 00:00+00', false) AS sane
			  FROM unnest(p_values) v) x
	), day AS MATERIALIZED (
		SELECT d.direction, d.day, elecbill.day_start(d.day, p_zone) AS since,
			   extract(epoch FROM elecbill.day_start(d.day + 1, p_zone) - elecbill.day_start(d.day, p_zone))::integer AS length_s,
			   coalesce(k.step_s, d.step_s) AS step_s, k.day IS NOT NULL AND k.step_s IS NULL AS measured, k.profile
		FROM (SELECT x.direction, x.day, min(x.step_s) AS step_s, min(x.day) OVER () AS first, max(x.day) OVER () AS last
			  FROM (SELECT v.direction, v.step_s, v.line, (v.at AT TIME ZONE p_zone)::date AS day FROM value v WHERE v.sane) x
			  GROUP BY x.direction, x.day) d
		LEFT JOIN elecbill._import_days(p_point, p_zone, d.first, d.last) k ON k.direction = d.direction AND k.day = d.day
	)
	SELECT v.line, v.field, v.direction, v.at, v.step_s, v.wh, v.quality, coalesce(v.code, w.why[1]), coalesce(v.message, w.why[2])
	FROM value v
	LEFT JOIN day d ON v.sane AND d.direction = v.direction AND d.day = (v.at AT TIME ZONE p_zone)::date
	CROSS JOIN LATERAL (SELECT CASE
		WHEN v.code IS NOT NULL THEN NULL
		WHEN NOT v.sane THEN ARRAY['UB400', format('%s UTC lies outside of 1900 to 2199', to_char(v.at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS'))]
		WHEN v.at + make_interval(secs => v.step_s) > elecbill.now() + interval '10 min' THEN ARRAY['UB400', 'an interval in the future']
		WHEN v.wh < 0 THEN ARRAY['UB400', format('negative energy: %s', v.wh)]
		WHEN v.wh > 1000000000000000 THEN ARRAY['UB422', format('energy beyond 1e15 Wh: %s', v.wh)]
		WHEN 86400 % v.step_s <> 0 OR d.length_s % d.step_s <> 0
			THEN ARRAY['UB400', format('steps of %s seconds do not divide the day of %s seconds', v.step_s, d.length_s)]
		WHEN extract(epoch FROM v.at - d.since)::integer + v.step_s > d.length_s
			THEN ARRAY['UB400', format('an interval of %s seconds from %s crosses midnight in %s', v.step_s,
				to_char(v.at AT TIME ZONE p_zone, 'YYYY-MM-DD HH24:MI:SS'), p_zone)]
		WHEN v.at <> d.since + make_interval(secs => extract(epoch FROM v.at - d.since)::integer / d.step_s * d.step_s)
			THEN ARRAY['UB400', format('%s in %s is no multiple of %s seconds from midnight',
				to_char(v.at AT TIME ZONE p_zone, 'YYYY-MM-DD HH24:MI:SS'), p_zone, d.step_s)]
		WHEN d.measured THEN ARRAY['UB412', format('%s: readings of a meter count on %s', d.direction, to_char(d.day, 'YYYY-MM-DD'))]
		WHEN v.before_until > v.at THEN ARRAY['UB409', format('%s: overlapping intervals on %s', d.direction, to_char(d.day, 'YYYY-MM-DD'))]
		WHEN v.step_s % d.step_s <> 0 OR v.step_s <> d.step_s AND d.profile IS NOT NULL AND NOT EXISTS (
				SELECT FROM elecbill.profile_unpacked(d.profile) u WHERE u.from_at = v.at AND u.to_at = v.at + make_interval(secs => v.step_s))
			THEN ARRAY['UB409', format('%s: steps of %s and of %s seconds on %s', d.direction, d.step_s, v.step_s, to_char(d.day, 'YYYY-MM-DD'))]
		END OFFSET 0) w(why);	/* OFFSET: worked out once per row, not once per mention */
END $$;
COMMENT ON FUNCTION elecbill._import_judge(bigint, text, elecbill.import_value[]) IS 'values of a file with what is wrong with them where they shall go: local days in p_zone, that of the org';

CREATE FUNCTION elecbill._import_store(p_point elecbill.usage_point, p_zone text, p_job bigint, p_values elecbill.import_value[],
	OUT stored integer, OUT duplicate integer, OUT conflict integer, OUT rounded integer)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET jit = off SET plan_cache_mode = force_custom_plan AS $$
DECLARE
	days	bigint;
	made	bigint;
BEGIN
	PERFORM elecbill._profile_partition(q.day)
	FROM (SELECT DISTINCT date_trunc('quarter', v.at AT TIME ZONE p_zone)::date AS day FROM unnest(p_values) v
		  WHERE v.code IS NULL AND v.wh IS NOT NULL) q ORDER BY q.day;
	WITH offer AS (
		SELECT v.*, (v.at AT TIME ZONE p_zone)::date AS day, row_number() OVER (PARTITION BY v.direction, v.at ORDER BY v.line) AS nth
		FROM unnest(p_values) v WHERE v.code IS NULL AND v.wh IS NOT NULL
	), total AS (
		-- what is finer than a Wh goes over into the next interval; a second value for one does not count
		SELECT o.*, sum(o.wh) FILTER (WHERE o.nth = 1) OVER (PARTITION BY o.direction ORDER BY o.at, o.nth) AS wh_until
		FROM offer o
	), known AS MATERIALIZED (
		SELECT p.direction, elecbill.profile_direction(p.profile) AS direction_name, p.day,
			   extract(epoch FROM elecbill.profile_step(p.profile))::integer AS step_s, x.at, x.energy_wh, x.quality
		FROM (SELECT min(o.at) AS first, max(o.at) AS last FROM offer o) b
		JOIN elecbill.profile_day p ON p.usage_point_id = p_point.id AND p.origin = 1
			AND p.day BETWEEN (b.first AT TIME ZONE p_zone)::date AND (b.last AT TIME ZONE p_zone)::date
		CROSS JOIN LATERAL elecbill.profile_values(p.profile) x
		WHERE x.energy_wh IS NOT NULL
	), piece AS (
		SELECT k.direction_name AS direction, k.day, k.step_s, k.step_s AS long_s, k.at, k.energy_wh, k.quality, NULL::numeric AS wh,
			   NULL::integer AS line, 0 AS nth
		FROM known k
		UNION ALL
		SELECT t.direction, t.day, NULL, t.step_s, t.at,
			   CASE t.nth WHEN 1 THEN round(t.wh_until) - round(t.wh_until - t.wh) ELSE round(t.wh) END::bigint,
			   t.quality | CASE WHEN t.wh = trunc(t.wh) THEN 0 ELSE 256 END, t.wh, t.line, t.nth
		FROM total t
	), stepped AS (
		-- the finest step of a day is that of its profile
		SELECT p.direction, p.day, coalesce(min(p.step_s) OVER d, min(p.long_s) OVER d) AS step_s, p.long_s, p.at, p.energy_wh, p.quality,
			   p.wh, p.line, p.nth
		FROM piece p WINDOW d AS (PARTITION BY p.direction, p.day)
	), slot AS MATERIALIZED (
		SELECT s.*, first_value(s.energy_wh) OVER w AS counts_wh, row_number() OVER w = 1 AND s.nth > 0 AS new
		FROM (SELECT q.direction, q.day, q.step_s, q.long_s, q.at + make_interval(secs => q.long_s - q.step_s) AS at, q.energy_wh,
					 -- a longer interval stands in its last slot, for the missing ones before it, too
					 q.quality | CASE WHEN q.long_s > q.step_s THEN 1024 ELSE 0 END AS quality, q.wh, q.line, q.nth
			  FROM stepped q) s
		WINDOW w AS (PARTITION BY s.direction, s.at ORDER BY s.nth)
	), day AS MATERIALIZED (
		SELECT s.direction, s.day, make_interval(secs => s.step_s) AS step, elecbill.day_start(s.day, p_zone) AS since,
			   elecbill.day_start(s.day + 1, p_zone) AS until
		FROM slot s GROUP BY s.direction, s.day, s.step_s HAVING bool_or(s.new)
	), profile AS (
		SELECT x.direction, x.day, elecbill.load_profile_agg(x.at, x.energy_wh, x.step, coalesce(x.quality, 0), x.direction) AS profile
		FROM (
			SELECT y.direction, y.day, y.step, y.at, max(y.energy_wh) AS energy_wh, max(y.quality) AS quality
			FROM (
				SELECT d.*, s.at, s.energy_wh, s.quality
				FROM day d JOIN slot s ON s.direction = d.direction AND s.day = d.day AND (s.new OR s.nth = 0)
				UNION ALL
				-- the profile fills its day
				SELECT d.*, e.at, NULL, NULL FROM day d CROSS JOIN LATERAL (VALUES (d.since), (d.until - d.step)) e(at)) y
			GROUP BY y.direction, y.day, y.step, y.at) x
		GROUP BY x.direction, x.day
	), written AS (
		INSERT INTO elecbill.profile_day AS p (usage_point_id, packed_at, org_id, day, direction, origin, exact, profile)
		SELECT p_point.id, elecbill.now(), p_point.org_id, n.day,
			   array_position('{import,export,import_kvarh,export_kvarh}', n.direction) - 1, 1, true, n.profile
		FROM profile n ORDER BY n.day, n.direction
		ON CONFLICT (usage_point_id, direction, day) DO UPDATE
		SET profile = excluded.profile, packed_at = excluded.packed_at, version = least(p.version + 1, 32767)
		WHERE p.origin = 1
		RETURNING 1
	), kept AS (
		INSERT INTO elecbill.import_conflict (org_id, usage_point_id, direction, at, step_s, stored_wh, offered_wh, job_id, line, created_at)
		SELECT p_point.org_id, p_point.id, s.direction, s.at - make_interval(secs => s.long_s - s.step_s), s.long_s, s.counts_wh, round(s.wh)::bigint, p_job, s.line, elecbill.now()
		FROM slot s
		WHERE s.nth > 0 AND NOT s.new AND s.counts_wh NOT BETWEEN floor(s.wh) AND ceil(s.wh)
		ORDER BY s.direction, s.at, s.nth
		ON CONFLICT ON CONSTRAINT import_conflict_offer_key DO NOTHING
	)
	SELECT count(*) FILTER (WHERE s.new),
		   -- the same value, rounded on another running total
		   count(*) FILTER (WHERE s.nth > 0 AND NOT s.new AND s.counts_wh BETWEEN floor(s.wh) AND ceil(s.wh)),
		   count(*) FILTER (WHERE s.nth > 0 AND NOT s.new AND s.counts_wh NOT BETWEEN floor(s.wh) AND ceil(s.wh)),
		   count(*) FILTER (WHERE s.new AND s.wh <> trunc(s.wh)),
		   (SELECT count(*) FROM day), (SELECT count(*) FROM written)
	INTO stored, duplicate, conflict, rounded, days, made
	FROM slot s;
	IF made <> days THEN
		RAISE EXCEPTION 'days of usage point % were packed meanwhile', quote_literal(p_point.code)
			USING ERRCODE = 'serialization_failure', HINT = 'Import again.';
	END IF;
END $$;
COMMENT ON FUNCTION elecbill._import_store(elecbill.usage_point, text, bigint, elecbill.import_value[]) IS 'stores the good values as loaded days: new ones in the intervals that have none, others are counted as duplicate, or conflict (import_conflict)';
