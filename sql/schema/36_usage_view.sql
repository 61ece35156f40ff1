-- 36_usage_view.sql: from register values and load profiles to energy, for bills and for people
--
-- One rule for which readings count, here and nowhere else (_boundary_readings): of the readings in
-- a slot the earliest; a reading without a slot where it stands in order between slots.
-- Primary values are register x multiplier, rounded on the cumulative value; energy is their
-- difference, so parts add up to the whole. A difference onto a restart, or onto or from a value that
-- ran backwards, is missing. One over a gap is one span, as long as the gap; it is not spread.
--
-- One rule for which source counts (_profile_counting): a day that is packed exactly and up to date, or
-- that was loaded, is what its profile says; its readings count for the days around it only. Any other
-- day is what its readings say.

CREATE FUNCTION elecbill._boundary_readings(p_register bigint, p_multiplier numeric, p_from timestamptz,
	p_to timestamptz)
RETURNS TABLE (boundary timestamptz, primary_wh bigint, quality integer, read_at timestamptz)
LANGUAGE sql STABLE PARALLEL SAFE ROWS 3000
BEGIN ATOMIC
	SELECT k.boundary,
		   CASE WHEN p_multiplier = 1 THEN k.register_wh ELSE round(k.register_wh * p_multiplier)::bigint END,
		   k.quality, k.read_at
	FROM (SELECT coalesce(r.slot_at, r.read_at) AS boundary, r.slot_at, r.register_wh, r.quality, r.read_at,
				 max(r.slot_at) OVER (ORDER BY r.read_at ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
					AS slot_before
		  FROM elecbill.reading_effective r
		  -- a slot lies at most half an interval from its reading, and an interval is at most a day
		  WHERE r.register_id = p_register
			AND r.read_at >= p_from - interval '12 hours' AND r.read_at <= p_to + interval '12 hours') k
	WHERE k.boundary BETWEEN p_from AND p_to
	  AND k.boundary > coalesce(k.slot_before, '-infinity')
	  AND (k.slot_at IS NOT NULL OR NOT EXISTS (
			SELECT FROM elecbill.reading_effective s
			WHERE s.register_id = p_register AND s.slot_at <= k.boundary
			  AND s.read_at > k.read_at AND s.read_at <= k.read_at + interval '12 hours'
			  -- follows from the above; said again for partition pruning
			  AND s.read_at >= p_from - interval '12 hours' AND s.read_at <= p_to + interval '12 hours'));
END;
COMMENT ON FUNCTION elecbill._boundary_readings(bigint, numeric, timestamptz, timestamptz) IS 'readings of a register that stand for an instant from .. to (both included), in order: the slot or, without one, the instant itself, and the value times the multiplier';

CREATE FUNCTION elecbill.point_readings(p_point bigint, p_during tstzrange)
RETURNS TABLE (installation_id bigint, register_id bigint, code text, boundary timestamptz, primary_wh bigint,
	wrap_wh bigint, quality integer, read_at timestamptz)
LANGUAGE sql STABLE PARALLEL SAFE ROWS 3000
BEGIN ATOMIC
	SELECT i.id, g.id, g.code, b.boundary, b.primary_wh, round(g.wrap_wh * i.multiplier)::bigint, b.quality,
		   b.read_at
	FROM elecbill.meter_installation i
	JOIN elecbill.meter_register g ON g.meter_id = i.meter_id AND g.code = '1.8.0'
	CROSS JOIN LATERAL elecbill._boundary_readings(g.id, i.multiplier,
		greatest(lower(i.valid), lower(p_during)), least(upper(i.valid), upper(p_during), 'infinity')) b
	WHERE i.usage_point_id = p_point AND i.role = 'main' AND NOT isempty(p_during)
	  AND lower(i.valid) <= coalesce(upper(p_during), 'infinity')
	  AND coalesce(upper(i.valid), 'infinity') >= coalesce(lower(p_during), '-infinity');
END;
COMMENT ON FUNCTION elecbill.point_readings(bigint, tstzrange) IS 'what a usage point is billed from: the total import register (1.8.0) of its main meters, a reading per boundary within the range, both ends included. primary_wh and wrap_wh are the register and its size times the multiplier; values of different installations must not be subtracted';

CREATE VIEW elecbill._profile_counting WITH (security_invoker = true) AS
SELECT p.usage_point_id, p.direction, p.day, p.org_id, p.origin, p.profile, w.during, i.id AS installation_id, i.meter_id
FROM elecbill.profile_day AS p
-- OFFSET 0: once for each profile, not for each condition on it
CROSS JOIN LATERAL (SELECT elecbill.profile_during(p.profile) OFFSET 0) AS w(during)
LEFT JOIN elecbill.meter_installation AS i ON i.usage_point_id = p.usage_point_id AND i.role = 'main'
	AND i.valid && w.during
WHERE p.exact
	AND (i.id IS NULL OR i.valid @> w.during)
	-- of a day whose readings are dropped nothing can wait
	AND (p.origin = 1 OR NOT EXISTS (SELECT FROM elecbill.pack_queue AS q
			WHERE q.usage_point_id = p.usage_point_id AND q.days @> p.day)
		OR upper(w.during) <= (SELECT elecbill._dropped_until()));
COMMENT ON VIEW elecbill._profile_counting IS 'the days of which the profile counts, not the readings: exact, no reading of it waits to be packed (or they are dropped), and one main meter, or none, was there all day';
COMMENT ON COLUMN elecbill._profile_counting.usage_point_id IS 'usage_point.id';
COMMENT ON COLUMN elecbill._profile_counting.direction IS 'as in profile_day';
COMMENT ON COLUMN elecbill._profile_counting.day IS 'local date';
COMMENT ON COLUMN elecbill._profile_counting.org_id IS 'owner';
COMMENT ON COLUMN elecbill._profile_counting.origin IS 'as in profile_day';
COMMENT ON COLUMN elecbill._profile_counting.profile IS 'the profile of the day';
COMMENT ON COLUMN elecbill._profile_counting.during IS 'from midnight to midnight';
COMMENT ON COLUMN elecbill._profile_counting.installation_id IS 'the installation of the main meter; NULL: a loaded day without any';
COMMENT ON COLUMN elecbill._profile_counting.meter_id IS 'that meter';

CREATE FUNCTION elecbill._profile_days(p_point bigint, p_direction integer, p_installation bigint, p_from timestamptz,
	p_to timestamptz)
RETURNS TABLE (during tstzrange, profile elecbill.load_profile)
LANGUAGE sql STABLE PARALLEL SAFE ROWS 31
BEGIN ATOMIC
	SELECT c.during, c.profile
	FROM elecbill._profile_counting AS c
	WHERE c.usage_point_id = p_point AND c.direction = p_direction AND c.installation_id = p_installation
		-- a local day begins up to 14 hours before or after the UTC day of the same date
		AND c.day >= (p_from AT TIME ZONE 'UTC')::date - 1 AND c.day <= (p_to AT TIME ZONE 'UTC')::date + 1
		AND lower(c.during) >= p_from AND upper(c.during) <= p_to;
END;
COMMENT ON FUNCTION elecbill._profile_days(bigint, integer, bigint, timestamptz, timestamptz) IS 'the profiles that count of an installation, of days wholly within from .. to';

CREATE FUNCTION elecbill._usage_readings(p_register bigint, p_multiplier numeric, p_from timestamptz, p_to timestamptz,
	p_packed tstzmultirange)
RETURNS TABLE (boundary timestamptz, primary_wh bigint, quality integer, read_at timestamptz, behind boolean)
LANGUAGE sql STABLE PARALLEL SAFE ROWS 3000
BEGIN ATOMIC
	SELECT b.boundary, b.primary_wh, b.quality, b.read_at, false
	FROM elecbill._boundary_readings(p_register, p_multiplier, p_from, coalesce(lower(p_packed), p_to)) AS b
UNION ALL
	SELECT x.boundary, x.primary_wh, x.quality | CASE x.n WHEN 1 THEN 512 ELSE 0 END, x.read_at, x.n = 1
	FROM (
		SELECT b.*, row_number() OVER (PARTITION BY g.from_at ORDER BY b.read_at) AS n
		FROM (
			SELECT upper(r.run) AS from_at, coalesce(lead(lower(r.run)) OVER (ORDER BY r.run), p_to) AS to_at
			FROM unnest(p_packed) AS r(run)) AS g
		CROSS JOIN LATERAL elecbill._boundary_readings(p_register, p_multiplier, g.from_at, g.to_at) AS b) AS x;
END;
COMMENT ON FUNCTION elecbill._usage_readings(bigint, numeric, timestamptz, timestamptz, tstzmultirange) IS 'the readings of a register that count beside packed days: those outside of them, both ends included. The first one behind a run of packed days is flagged 512 (behind = true), so that no difference runs over them';

CREATE FUNCTION elecbill._register_intervals(p_register bigint, p_multiplier numeric, p_wrap_wh bigint, p_from timestamptz,
	p_to timestamptz, p_packed tstzmultirange)
RETURNS TABLE (from_at timestamptz, to_at timestamptz, energy_wh bigint, quality integer)
LANGUAGE sql STABLE PARALLEL SAFE ROWS 3000
BEGIN ATOMIC
	SELECT d.from_at, d.to_at, e.energy_wh,
		-- flags of the first reading that speak of the time before it do not concern the interval
		(d.quality_before & ~608) | d.quality
		| CASE WHEN e.energy_wh IS NULL AND d.quality & 512 = 0 THEN 16 ELSE 0 END
	FROM (
		SELECT lag(b.boundary) OVER w AS from_at, b.boundary AS to_at,
			coalesce(lag(b.primary_wh, 2) OVER w, lag(b.primary_wh) OVER w) AS before_that_wh,
			lag(b.primary_wh) OVER w AS before_wh, b.primary_wh, lag(b.quality) OVER w AS quality_before, b.quality,
			b.behind, round(p_wrap_wh * p_multiplier)::bigint AS wrap_wh
		FROM elecbill._usage_readings(p_register, p_multiplier, p_from, p_to, p_packed) AS b
		WINDOW w AS (ORDER BY b.read_at)) AS d
	CROSS JOIN LATERAL (SELECT CASE
		WHEN d.quality & 512 <> 0 THEN NULL
		WHEN d.quality_before & 512 <> 0
			OR (d.quality_before & 16 = 0
				AND elecbill.register_delta(d.before_that_wh, d.before_wh, d.wrap_wh, d.wrap_wh / 10) IS NOT NULL)
		THEN elecbill.register_delta(d.before_wh, d.primary_wh, d.wrap_wh, d.wrap_wh / 10)
		END) AS e(energy_wh)
	WHERE d.from_at IS NOT NULL AND NOT d.behind;
END;
COMMENT ON FUNCTION elecbill._register_intervals(bigint, numeric, bigint, timestamptz, timestamptz, tstzmultirange) IS 'energy between consecutive readings of a register from .. to, packed days left out; NULL = missing. quality as in interval_usage';

CREATE FUNCTION elecbill.profile_unpacked(profile elecbill.load_profile)
RETURNS TABLE (from_at timestamptz, to_at timestamptz, energy_wh bigint, quality integer)
LANGUAGE sql IMMUTABLE PARALLEL SAFE ROWS 96
BEGIN ATOMIC
	SELECT CASE WHEN v.energy_wh IS NULL OR v.quality & 1024 <> 0
			THEN coalesce(lag(v.to_at) OVER (ORDER BY v.at), lower(elecbill.profile_during(profile)))
			ELSE v.at END,
		v.to_at, v.energy_wh, v.quality & ~1024
	FROM (SELECT x.at, x.at + s.step AS to_at, x.energy_wh, x.quality
		FROM elecbill.profile_values(profile) AS x, (SELECT elecbill.profile_step(profile)) AS s(step)
		-- what is missing and has no quality belongs to the interval behind it, or to none
		WHERE x.energy_wh IS NOT NULL OR x.quality <> 0) AS v;
END;
COMMENT ON FUNCTION elecbill.profile_unpacked(elecbill.load_profile) IS 'the intervals of a profile as interval_usage has them: one over several slots (flag 1024) is one row, what is missing for a reason has that reason as quality and energy NULL, mere gaps have no row';

CREATE FUNCTION elecbill._installation_intervals(p_installation bigint, p_point bigint, p_register bigint, p_code text,
	p_multiplier numeric, p_wrap_wh bigint, p_from timestamptz, p_to timestamptz)
RETURNS TABLE (from_at timestamptz, to_at timestamptz, energy_wh bigint, quality integer)
LANGUAGE sql STABLE PARALLEL SAFE ROWS 3000
BEGIN ATOMIC
	SELECT r.from_at, r.to_at, r.energy_wh, r.quality
	FROM (SELECT range_agg(d.during) FROM elecbill._profile_days(p_point,
			CASE p_code WHEN '1.8.0' THEN 0 WHEN '2.8.0' THEN 1 END, p_installation, p_from, p_to) AS d) AS c(packed)
	CROSS JOIN LATERAL elecbill._register_intervals(p_register, p_multiplier, p_wrap_wh, p_from, p_to, c.packed) AS r
UNION ALL
	SELECT u.from_at, u.to_at, u.energy_wh, u.quality
	FROM elecbill._profile_days(p_point, CASE p_code WHEN '1.8.0' THEN 0 WHEN '2.8.0' THEN 1 END, p_installation,
		p_from, p_to) AS d
	CROSS JOIN LATERAL elecbill.profile_unpacked(d.profile) AS u;
END;
COMMENT ON FUNCTION elecbill._installation_intervals(bigint, bigint, bigint, text, numeric, bigint, timestamptz, timestamptz) IS 'energy of a register of a main meter from .. to, from profiles where they count, else from readings';

CREATE VIEW elecbill.interval_usage WITH (security_invoker = true) AS
SELECT o.id AS org_id, o.code AS org, u.code AS usage_point, m.serial AS meter, g.code AS register,
	g.direction, d.from_at, d.to_at, d.energy_wh, d.quality
FROM elecbill.org o
JOIN elecbill.usage_point u ON u.org_id = o.id
JOIN elecbill.meter_installation i ON i.usage_point_id = u.id AND i.role = 'main'
JOIN elecbill.meter m ON m.id = i.meter_id
JOIN elecbill.meter_register g ON g.meter_id = i.meter_id
CROSS JOIN LATERAL elecbill._installation_intervals(i.id, u.id, g.id, g.code, i.multiplier, g.wrap_wh,
	lower(i.valid), coalesce(upper(i.valid), 'infinity')) d
UNION ALL
-- loaded days that no register of a main meter stands for
SELECT o.id, o.code, u.code, m.serial, ('{1.8.0,2.8.0,3.8.0,4.8.0}'::text[])[c.direction + 1],
	elecbill.profile_direction(c.profile), d.from_at, d.to_at, d.energy_wh, d.quality
FROM elecbill.org o
JOIN elecbill.usage_point u ON u.org_id = o.id
JOIN elecbill._profile_counting c ON c.usage_point_id = u.id
LEFT JOIN elecbill.meter m ON m.id = c.meter_id
CROSS JOIN LATERAL elecbill.profile_unpacked(c.profile) d
WHERE NOT EXISTS (SELECT FROM elecbill.meter_register g WHERE g.meter_id = c.meter_id
	AND g.code = ('{1.8.0,2.8.0,3.8.0,4.8.0}'::text[])[c.direction + 1]);
COMMENT ON VIEW elecbill.interval_usage IS 'energy between consecutive readings of each register of a main meter, packed days and loaded ones from their profiles; the same rows whether a day is packed or not. Filter by usage_point for speed';
COMMENT ON COLUMN elecbill.interval_usage.org_id IS 'owner';
COMMENT ON COLUMN elecbill.interval_usage.org IS 'code of the org';
COMMENT ON COLUMN elecbill.interval_usage.usage_point IS 'code of the usage point';
COMMENT ON COLUMN elecbill.interval_usage.meter IS 'serial of the meter; NULL: a loaded day without one';
COMMENT ON COLUMN elecbill.interval_usage.register IS 'OBIS code; 1.8.0 = total import, 2.8.0 export; loaded profiles also 3.8.0 and 4.8.0 (varh)';
COMMENT ON COLUMN elecbill.interval_usage.direction IS 'import or export; loaded profiles also import_kvarh, export_kvarh';
COMMENT ON COLUMN elecbill.interval_usage.from_at IS 'start: slot of the first reading (its instant, where it has no slot)';
COMMENT ON COLUMN elecbill.interval_usage.to_at IS 'end, likewise; longer than the meter''s interval where readings are missing';
COMMENT ON COLUMN elecbill.interval_usage.energy_wh IS 'Wh (varh), primary side; NULL = missing: the end is flagged restart, or one end ran backwards';
COMMENT ON COLUMN elecbill.interval_usage.quality IS 'flags of both readings as in reading.quality; 16 went_backwards also where the difference shows it';

CREATE VIEW elecbill.usage_daily WITH (security_invoker = true) AS
SELECT x.org_id, x.org, x.usage_point, x.register, x.direction, x.day,
	   coalesce(sum(x.energy_wh), 0) * 0.001 AS energy_kwh,
	   coalesce(sum(x.to_at - x.from_at) FILTER (WHERE x.energy_wh IS NOT NULL), '0') AS covered,
	   coalesce(sum(x.to_at - x.from_at) FILTER (WHERE x.energy_wh IS NOT NULL), '0')
		= elecbill.day_start(x.day + 1, x.zone) - elecbill.day_start(x.day, x.zone) AS complete,
	   bit_or(x.quality) AS quality
FROM (SELECT v.*, o.zone, (v.from_at AT TIME ZONE o.zone)::date AS day
	  FROM elecbill.interval_usage v JOIN elecbill.org o ON o.id = v.org_id
	  WHERE (v.from_at AT TIME ZONE o.zone)::date
			= ((v.to_at - interval '1 microsecond') AT TIME ZONE o.zone)::date) x
GROUP BY x.org_id, x.org, x.usage_point, x.register, x.direction, x.day, x.zone;
COMMENT ON VIEW elecbill.usage_daily IS 'energy per usage point, register and local day of the org, from the intervals that lie within the day; an interval that crosses midnight belongs to no day and leaves both incomplete';
COMMENT ON COLUMN elecbill.usage_daily.org_id IS 'owner';
COMMENT ON COLUMN elecbill.usage_daily.org IS 'code of the org';
COMMENT ON COLUMN elecbill.usage_daily.usage_point IS 'code of the usage point';
COMMENT ON COLUMN elecbill.usage_daily.register IS 'OBIS code; 1.8.0 = total import';
COMMENT ON COLUMN elecbill.usage_daily.direction IS 'import or export';
COMMENT ON COLUMN elecbill.usage_daily.day IS 'local date';
COMMENT ON COLUMN elecbill.usage_daily.energy_kwh IS 'kWh, primary side, as far as covered';
COMMENT ON COLUMN elecbill.usage_daily.covered IS 'elapsed time with known energy';
COMMENT ON COLUMN elecbill.usage_daily.complete IS 'the whole day (23, 24 or 25 hours) is covered';
COMMENT ON COLUMN elecbill.usage_daily.quality IS 'flags of all intervals, as in reading.quality';

CREATE VIEW elecbill.usage_monthly WITH (security_invoker = true) AS
SELECT x.org_id, x.org, x.usage_point, x.register, x.direction, x.month,
	   coalesce(sum(x.energy_wh), 0) * 0.001 AS energy_kwh,
	   coalesce(sum(x.to_at - x.from_at) FILTER (WHERE x.energy_wh IS NOT NULL), '0') AS covered,
	   coalesce(sum(x.to_at - x.from_at) FILTER (WHERE x.energy_wh IS NOT NULL), '0')
		= elecbill.day_start((x.month + interval '1 month')::date, x.zone) - elecbill.day_start(x.month, x.zone)
		AS complete,
	   bit_or(x.quality) AS quality
FROM (SELECT v.*, o.zone, date_trunc('month', v.from_at AT TIME ZONE o.zone)::date AS month
	  FROM elecbill.interval_usage v JOIN elecbill.org o ON o.id = v.org_id
	  WHERE date_trunc('month', v.from_at AT TIME ZONE o.zone)
			= date_trunc('month', (v.to_at - interval '1 microsecond') AT TIME ZONE o.zone)) x
GROUP BY x.org_id, x.org, x.usage_point, x.register, x.direction, x.month, x.zone;
COMMENT ON VIEW elecbill.usage_monthly IS 'energy per usage point, register and local calendar month of the org, from the intervals that lie within the month; one that crosses its end belongs to neither month and leaves both incomplete';
COMMENT ON COLUMN elecbill.usage_monthly.org_id IS 'owner';
COMMENT ON COLUMN elecbill.usage_monthly.org IS 'code of the org';
COMMENT ON COLUMN elecbill.usage_monthly.usage_point IS 'code of the usage point';
COMMENT ON COLUMN elecbill.usage_monthly.register IS 'OBIS code; 1.8.0 = total import';
COMMENT ON COLUMN elecbill.usage_monthly.direction IS 'import or export';
COMMENT ON COLUMN elecbill.usage_monthly.month IS 'first local date of the month';
COMMENT ON COLUMN elecbill.usage_monthly.energy_kwh IS 'kWh, primary side, as far as covered';
COMMENT ON COLUMN elecbill.usage_monthly.covered IS 'elapsed time with known energy';
COMMENT ON COLUMN elecbill.usage_monthly.complete IS 'the whole month is covered';
COMMENT ON COLUMN elecbill.usage_monthly.quality IS 'flags of all intervals, as in reading.quality';
