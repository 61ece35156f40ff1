-- 66_vee_run.sql: rules that need more than a reading and the one before it: V06 to V09, V11, V12
--
-- vee_run() looks at some days of an org, for instance a month before it is billed. It may look again: what was
-- found is not found twice. Use is what the counting values say (reading_effective), so what was corrected or
-- estimated is not found any more.

CREATE FUNCTION elecbill._point_use(p_point bigint, p_from timestamptz, p_to timestamptz, OUT wh numeric, OUT secs numeric)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	inst	record;
	first	record;
	last	record;
	went	bigint;
BEGIN
	wh := 0;
	secs := 0;
	FOR inst IN
		SELECT i.valid, i.multiplier, g.id AS register_id, g.wrap_wh FROM elecbill.meter_installation AS i
		JOIN elecbill.meter_register AS g ON g.meter_id = i.meter_id AND g.code = '1.8.0'
		WHERE i.usage_point_id = p_point AND i.role = 'main' AND i.valid && tstzrange(p_from, p_to)
	LOOP
		-- a reading shortly behind midnight stands for it; one up to 40 days before for lack of another
		first := elecbill._register_mark(inst.register_id, greatest(lower(inst.valid), p_from - interval '40 days'),
			greatest(lower(inst.valid), p_from) + interval '1 minute');
		last := elecbill._register_mark(inst.register_id, greatest(lower(inst.valid), p_from - interval '40 days'),
			least(upper(inst.valid), p_to) + interval '1 minute');
		IF first.at IS NULL THEN
			SELECT r.read_at AS at, r.register_wh AS wh INTO first FROM elecbill.reading_effective AS r
			WHERE r.register_id = inst.register_id AND r.read_at >= greatest(lower(inst.valid), p_from) AND r.read_at <= last.at
			ORDER BY r.read_at LIMIT 1;
		END IF;
		went := elecbill.register_delta(first.wh, last.wh, inst.wrap_wh, inst.wrap_wh / 10);
		IF went IS NOT NULL AND last.at > first.at THEN
			wh := wh + round(went * inst.multiplier);
			secs := secs + extract(epoch FROM last.at - first.at);
		END IF;
	END LOOP;
END $$;
COMMENT ON FUNCTION elecbill._point_use(bigint, timestamptz, timestamptz) IS 'what a usage point used between the readings next before both ends of a range, over all its main meters: Wh, primary side, and the seconds between them; 0 seconds: nobody knows';

CREATE FUNCTION elecbill._cycle_before(p_days daterange, p_n integer) RETURNS date
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN extract(day FROM lower(p_days)) = extract(day FROM upper(p_days))
	THEN (lower(p_days) - p_n * make_interval(months => (extract(year FROM upper(p_days)) * 12 + extract(month FROM upper(p_days))
		- extract(year FROM lower(p_days)) * 12 - extract(month FROM lower(p_days)))::integer))::date
	ELSE lower(p_days) - p_n * (upper(p_days) - lower(p_days)) END;
COMMENT ON FUNCTION elecbill._cycle_before(daterange, integer) IS 'where the n-th cycle before some days begins: as many months earlier where they are whole months, else as many days';

CREATE FUNCTION elecbill._vee_usual(p_point bigint, p_zone text, p_days daterange, p_since date, p_cycles integer,
	OUT wh_s numeric, OUT source text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	long	integer := upper(p_days) - lower(p_days);
	day		date := (lower(p_days) - interval '1 year')::date;
	used	record;
BEGIN
	IF day >= p_since THEN
		used := elecbill._point_use(p_point, elecbill.day_start(day, p_zone),
			elecbill.day_start((upper(p_days) - interval '1 year')::date, p_zone));
		IF used.secs >= long * 43200 THEN
			wh_s := used.wh / used.secs;
			source := 'last_year';
			RETURN;
		END IF;
	END IF;
	day := greatest(elecbill._cycle_before(p_days, p_cycles), p_since);
	IF day <= elecbill._cycle_before(p_days, 1) THEN
		used := elecbill._point_use(p_point, elecbill.day_start(day, p_zone), elecbill.day_start(lower(p_days), p_zone));
		IF used.secs >= long * 43200 THEN
			wh_s := used.wh / used.secs;
			source := 'mean';
		END IF;
	END IF;
END $$;
COMMENT ON FUNCTION elecbill._vee_usual(bigint, text, daterange, date, integer) IS 'what a point usually uses, Wh per second: in the same days of the last year, else in the cycles before, not before somebody else moved out; NULL: nobody knows';

CREATE FUNCTION elecbill._vee_usage(p_org elecbill.org, p_days daterange, p_point bigint, p_since date, p_until date)
RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	band	elecbill.vee_rule := elecbill._vee_rule(p_org.id, 'V06');
	none	elecbill.vee_rule := elecbill._vee_rule(p_org.id, 'V07');
	long	integer := upper(p_days) - lower(p_days);
	span	tstzrange := tstzrange(elecbill.day_start(lower(p_days), p_org.zone), elecbill.day_start(upper(p_days), p_org.zone));
	used	record := elecbill._point_use(p_point, lower(span), upper(span));
	usual	record;
	ratio	numeric;
	day		date;
BEGIN
	IF used.wh > 0 AND used.secs >= long * 43200 AND band.enabled AND p_since <= lower(p_days) THEN
		usual := elecbill._vee_usual(p_point, p_org.zone, p_days, p_since, (band.params ->> 'cycles')::integer);
		ratio := used.wh / used.secs / nullif(usual.wh_s, 0);
		IF abs(used.wh / used.secs - usual.wh_s) * long * 86400 > (band.params ->> 'kwh')::numeric * 1000
			AND (usual.wh_s = 0 OR ratio < (band.params ->> 'low')::numeric OR ratio > (band.params ->> 'high')::numeric)
		THEN
			PERFORM elecbill._vee_raise(p_org.id, 'V06', p_point, NULL, span,
				CASE WHEN ratio < 1 THEN (band.params ->> 'low')::numeric / ratio
					ELSE coalesce(ratio / nullif((band.params ->> 'high')::numeric, 0), 1000000) END,
				jsonb_build_object('kwh_day', round(used.wh / used.secs * 86.4, 3),
					'usual_kwh_day', round(usual.wh_s * 86.4, 3), 'source', usual.source));
		END IF;
	END IF;
	day := elecbill._cycle_before(p_days, (none.params ->> 'cycles')::integer - 1);
	IF used.wh = 0 AND used.secs > 0 AND none.enabled AND p_since <= day AND p_until >= upper(p_days) THEN
		used := elecbill._point_use(p_point, elecbill.day_start(day, p_org.zone), upper(span));
		IF used.wh = 0 AND used.secs >= (upper(p_days) - day) * 77760 AND NOT EXISTS (
			SELECT FROM elecbill.vee_exception AS e WHERE e.usage_point_id = p_point AND e.rule = 'V07' AND e.state = 'open')
		THEN
			PERFORM elecbill._vee_raise(p_org.id, 'V07', p_point, NULL,
				tstzrange(elecbill.day_start(day, p_org.zone), upper(span)), 1, jsonb_build_object('days', upper(p_days) - day));
		END IF;
	END IF;
END $$;
COMMENT ON FUNCTION elecbill._vee_usage(elecbill.org, daterange, bigint, date, date) IS 'V06 and V07 for a point somebody pays for from .. to: use far from the usual, and no use for some cycles';

CREATE FUNCTION elecbill._vee_gap(p_org integer, p_point bigint, p_register bigint, p_from timestamptz, p_to timestamptz,
	p_step interval) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	-- said before, of a part of it: the gap has become longer
	IF p_to - p_from > p_step * 1.5 AND NOT EXISTS (SELECT FROM elecbill.vee_exception AS e
		WHERE e.usage_point_id = p_point AND e.rule = 'V09' AND e.register_id = p_register AND e.state = 'open'
			AND e.during && tstzrange(p_from, p_to))
	THEN
		PERFORM elecbill._vee_raise(p_org, 'V09', p_point, p_register, tstzrange(p_from, p_to),
			extract(epoch FROM p_to - p_from) / extract(epoch FROM p_step) - 1,
			jsonb_build_object('missing', round(extract(epoch FROM p_to - p_from) / extract(epoch FROM p_step)) - 1));
	END IF;
END $$;
COMMENT ON FUNCTION elecbill._vee_gap(integer, bigint, bigint, timestamptz, timestamptz, interval) IS 'V09: from one reading to the next more than one interval passes';

CREATE FUNCTION elecbill._vee_intervals(p_org integer, p_point bigint, p_from timestamptz, p_to timestamptz) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET jit = off
-- planned once: to plan over all months of reading takes longer than to read one
SET plan_cache_mode = force_generic_plan AS $$
DECLARE
	spike	elecbill.vee_rule := elecbill._vee_rule(p_org, 'V08');
	inst	record;
	seen	record;
BEGIN
	FOR inst IN
		SELECT i.id, i.multiplier, g.id AS register_id, g.wrap_wh, make_interval(secs => m.interval_s) AS step,
			greatest(lower(i.valid), p_from) AS from_at, least(upper(i.valid), p_to) AS to_at
		FROM elecbill.meter_installation AS i
		JOIN elecbill.meter AS m ON m.id = i.meter_id AND m.interval_s IS NOT NULL
		JOIN elecbill.meter_register AS g ON g.meter_id = m.id AND g.code = '1.8.0'
		WHERE i.usage_point_id = p_point AND i.role = 'main' AND i.valid && tstzrange(p_from, p_to)
	LOOP
		SELECT array_agg(tstzrange(v.from_at, v.to_at) ORDER BY v.from_at) FILTER (WHERE v.to_at - v.from_at > inst.step * 1.5) AS gaps,
			min(v.from_at) AS first, max(v.to_at) AS last,
			(array_agg(v.energy_wh ORDER BY v.energy_wh DESC, v.to_at) FILTER (WHERE w.usual))[1:3] AS top,
			(array_agg(v.to_at ORDER BY v.energy_wh DESC, v.to_at) FILTER (WHERE w.usual))[1] AS at
		INTO seen
		FROM elecbill._installation_intervals(inst.id, p_point, inst.register_id, '1.8.0', inst.multiplier, inst.wrap_wh,
			inst.from_at, inst.to_at) AS v
		CROSS JOIN LATERAL (SELECT v.energy_wh IS NOT NULL AND v.to_at - v.from_at <= inst.step * 1.5) AS w(usual);
		IF seen.first IS NULL THEN
			SELECT '{}'::tstzrange[] AS gaps, min(b.boundary) AS first, max(b.boundary) AS last, NULL::bigint[] AS top,
				NULL::timestamptz AS at
			INTO seen FROM elecbill._boundary_readings(inst.register_id, 1, inst.from_at, inst.to_at) AS b;
		END IF;
		PERFORM elecbill._vee_gap(p_org, p_point, inst.register_id, lower(g.during), upper(g.during), inst.step)
		FROM unnest(seen.gaps) AS g(during);
		-- before the first and behind the last reading
		PERFORM elecbill._vee_gap(p_org, p_point, inst.register_id, inst.from_at, coalesce(seen.first, inst.to_at), inst.step);
		PERFORM elecbill._vee_gap(p_org, p_point, inst.register_id, seen.last, inst.to_at, inst.step);
		IF seen.top[3] > (spike.params ->> 'kwh')::numeric * 1000
			AND seen.top[1] - seen.top[3] > seen.top[3] * (spike.params ->> 'percent')::numeric / 100
			AND NOT EXISTS (SELECT FROM elecbill.vee_exception AS e WHERE e.usage_point_id = p_point AND e.rule = 'V05'
				AND e.during @> seen.at)
		THEN
			PERFORM elecbill._vee_raise(p_org, 'V08', p_point, inst.register_id, tstzrange(seen.at - inst.step, seen.at),
				(seen.top[1] - seen.top[3]) * 100.0 / seen.top[3] / greatest((spike.params ->> 'percent')::numeric, 1),
				jsonb_build_object('kwh', seen.top[1] * 0.001, 'third_kwh', seen.top[3] * 0.001));
		END IF;
	END LOOP;
END $$;
COMMENT ON FUNCTION elecbill._vee_intervals(integer, bigint, timestamptz, timestamptz) IS 'V08 and V09 for a point with a smart meter: one interval far above the third highest, and intervals that are missing';

CREATE FUNCTION elecbill._vee_sums(p_org integer, p_zone text, p_days daterange) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET jit = off AS $$
DECLARE
	rule	elecbill.vee_rule := elecbill._vee_rule(p_org, 'V11');
	span	tstzrange := tstzrange(elecbill.day_start(lower(p_days), p_zone), elecbill.day_start(upper(p_days), p_zone));
BEGIN
	-- the meter's own tariff registers against its total, read at the same instants
	PERFORM elecbill._vee_raise(p_org, 'V11', elecbill._register_point(s.total, s.to_at), s.total,
		tstzrange(s.from_at, s.to_at, '[]'), abs(s.tou_wh - s.total_wh) / (s.lsb * s.registers),
		jsonb_build_object('kwh', s.total_wh * 0.001, 'tou_kwh', s.tou_wh * 0.001))
	FROM (
		SELECT max(g.id) FILTER (WHERE g.tou = 0) AS total, min(a.at) AS from_at, max(z.at) AS to_at,
			power(10::numeric, 3 - least(d.decimals, 3)) * greatest((rule.params ->> 'tou_lsb')::numeric, 0.001) AS lsb,
			count(*) FILTER (WHERE g.tou > 0) AS registers, count(DISTINCT (a.at, z.at)) AS instants,
			sum(w.wh) FILTER (WHERE g.tou > 0) AS tou_wh, sum(w.wh) FILTER (WHERE g.tou = 0) AS total_wh,
			bool_and(w.wh IS NOT NULL) AS known
		FROM elecbill.meter_register AS g
		JOIN elecbill.meter AS m ON m.id = g.meter_id
		JOIN elecbill.meter_model AS d ON d.id = m.model_id
		CROSS JOIN LATERAL elecbill._register_mark(g.id, lower(span) - interval '1 day', lower(span) + interval '1 minute') AS a
		CROSS JOIN LATERAL elecbill._register_mark(g.id, lower(span) - interval '1 day', upper(span) + interval '1 minute') AS z
		CROSS JOIN LATERAL (SELECT elecbill.register_delta(a.wh, z.wh, g.wrap_wh, g.wrap_wh / 10)) AS w(wh)
		WHERE g.org_id = p_org AND g.direction = 'import' AND a.at IS NOT NULL
		GROUP BY m.id, d.decimals) AS s
	WHERE s.known AND s.instants = 1 AND s.registers > 1 AND abs(s.tou_wh - s.total_wh) > s.lsb * s.registers;
	-- loaded intervals against the register, from midnight to midnight
	PERFORM elecbill._vee_raise(p_org, 'V11', s.usage_point_id, s.register_id, span,
		abs(s.profile_wh - s.wh) / greatest(s.most, 1),
		jsonb_build_object('kwh', s.wh * 0.001, 'intervals_kwh', s.profile_wh * 0.001))
	FROM (
		SELECT i.usage_point_id, g.id AS register_id, p.wh AS profile_wh, round(w.wh * i.multiplier) AS wh,
			greatest(w.wh * i.multiplier * (rule.params ->> 'percent')::numeric / 100,
				(rule.params ->> 'lsb')::numeric * power(10::numeric, 3 - least(d.decimals, 3)) * i.multiplier) AS most
		FROM (SELECT x.usage_point_id, sum(elecbill.profile_sum(x.profile)) AS wh FROM elecbill.profile_day AS x
			WHERE x.org_id = p_org AND x.direction = 0 AND x.origin = 1 AND x.day <@ p_days
			GROUP BY x.usage_point_id HAVING count(*) = upper(p_days) - lower(p_days)
				AND sum(elecbill.profile_missing(x.profile)) = 0) AS p
		JOIN elecbill.meter_installation AS i ON i.usage_point_id = p.usage_point_id AND i.role = 'main' AND i.valid @> span
		JOIN elecbill.meter AS m ON m.id = i.meter_id
		JOIN elecbill.meter_model AS d ON d.id = m.model_id
		JOIN elecbill.meter_register AS g ON g.meter_id = m.id AND g.code = '1.8.0'
		CROSS JOIN LATERAL elecbill._register_mark(g.id, lower(span) - interval '1 minute', lower(span) + interval '1 minute') AS a
		CROSS JOIN LATERAL elecbill._register_mark(g.id, upper(span) - interval '1 minute', upper(span) + interval '1 minute') AS z
		CROSS JOIN LATERAL (SELECT elecbill.register_delta(a.wh, z.wh, g.wrap_wh, g.wrap_wh / 10)) AS w(wh)) AS s
	WHERE abs(s.profile_wh - s.wh) > s.most;
END $$;
COMMENT ON FUNCTION elecbill._vee_sums(integer, text, daterange) IS 'V11: tariff registers of a meter against its total (a last digit for each of them: they are cut off, not rounded), loaded intervals against the register';

CREATE FUNCTION elecbill._vee_rest(p_org elecbill.org, p_days daterange) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	long	interval := make_interval(days => (upper(p_days) - lower(p_days))
		* ((elecbill._vee_rule(p_org.id, 'V09')).params ->> 'cycles')::integer);
	theft	numeric := ((elecbill._vee_rule(p_org.id, 'V12')).params ->> 'kwh')::numeric;
BEGIN
	-- finer than the model can show: not what the meter said
	PERFORM elecbill._vee_raise(p_org.id, 'V04', elecbill._register_point(l.register_id, l.read_at), l.register_id,
		tstzrange(l.read_at, l.read_at, '[]'), 1, jsonb_build_object('kwh', l.register_wh * 0.001, 'decimals', d.decimals), 'review')
	FROM elecbill.reading_latest AS l
	JOIN elecbill.meter_register AS g ON g.id = l.register_id AND g.code = '1.8.0'
	JOIN elecbill.meter AS m ON m.id = g.meter_id
	JOIN elecbill.meter_model AS d ON d.id = m.model_id AND d.decimals < 3
	WHERE l.org_id = p_org.id AND l.register_wh % (10 ^ (3 - d.decimals))::bigint <> 0
		AND NOT EXISTS (SELECT FROM elecbill.vee_exception AS e WHERE e.register_id = l.register_id AND e.rule = 'V04'
			AND e.detail ? 'decimals');
	-- estimated again and again
	PERFORM elecbill._vee_raise(p_org.id, 'V09', s.usage_point_id, s.register_id, s.during, 1,
			jsonb_build_object('estimated_days', extract(day FROM upper(s.during) - lower(s.during)))),
		elecbill._alarm_during(p_org.id, s.usage_point_id, 'estimated_long', 'warn', s.serial,
			tstzrange(upper(s.during), NULL), jsonb_build_object('since', lower(s.during)))
	FROM (
		SELECT e.register_id, m.serial, elecbill._register_point(e.register_id, max(upper(e.during))) AS usage_point_id,
			tstzrange(min(lower(e.during)), max(upper(e.during))) AS during
		FROM elecbill.reading_estimate AS e
		JOIN elecbill.meter_register AS g ON g.id = e.register_id
		JOIN elecbill.meter AS m ON m.id = g.meter_id
		WHERE e.org_id = p_org.id AND e.state = 'open'
		GROUP BY e.register_id, m.serial) AS s
	WHERE upper(s.during) - lower(s.during) >= long AND NOT EXISTS (SELECT FROM elecbill.vee_exception AS e
		WHERE e.register_id = s.register_id AND e.rule = 'V09' AND e.state = 'open' AND e.detail ? 'estimated_days');
	PERFORM elecbill._alarm_end(a.org_id, a.code, a.object, elecbill.now())
	FROM elecbill.alarm AS a
	WHERE a.org_id = p_org.id AND a.code = 'estimated_long' AND upper_inf(a.during) AND NOT EXISTS (
		SELECT FROM elecbill.meter AS m JOIN elecbill.meter_register AS g ON g.meter_id = m.id
		JOIN elecbill.reading_estimate AS e ON e.register_id = g.id AND e.state = 'open'
		WHERE m.serial = a.object);
	-- counted while disconnected
	PERFORM elecbill._watch_off();
	PERFORM elecbill._vee_raise(p_org.id, 'V12', elecbill._meter_point(f.meter_id), g.id, tstzrange(f.since, f.read_at, '[]'),
		f.kwh / greatest(theft, 0.001), jsonb_build_object('kwh', f.kwh, 'off_since', f.since))
	FROM elecbill._meter_off() AS f
	JOIN elecbill.meter_register AS g ON g.meter_id = f.meter_id AND g.code = '1.8.0'
	WHERE f.org_id = p_org.id AND f.kwh > theft AND NOT EXISTS (SELECT FROM elecbill.vee_exception AS e
		WHERE e.register_id = g.id AND e.rule = 'V12' AND e.state = 'open');
END $$;
COMMENT ON FUNCTION elecbill._vee_rest(elecbill.org, daterange) IS 'V04 digits the model does not have, V09 estimates that last (alarm estimated_long), V12 energy of disconnected meters (alarm energy_while_off)';

CREATE FUNCTION elecbill.vee_run(org text, during daterange) RETURNS TABLE (rule text, found bigint, open bigint)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET jit = off AS $$
DECLARE
	owner	elecbill.org;
	span	tstzrange;
	before	bigint := (SELECT max(e.id) FROM elecbill.vee_exception AS e);
	place	record;
BEGIN
	SELECT o.* INTO owner FROM elecbill.org AS o WHERE o.id = elecbill._org_get(org) FOR NO KEY UPDATE;
	IF elecbill._both_ends(during) IS NOT TRUE THEN
		RAISE EXCEPTION 'vee_run() needs days with both ends'
			USING ERRCODE = 'UB400', DETAIL = format('The value is %s.', coalesce(during::text, 'NULL'));
	END IF;
	span := tstzrange(elecbill.day_start(lower(during), owner.zone), least(elecbill.day_start(upper(during), owner.zone),
		greatest(elecbill.now(), elecbill.day_start(lower(during), owner.zone) + interval '1 minute')));
	PERFORM elecbill._estimate_settle(e.register_id)
	FROM (SELECT DISTINCT x.register_id FROM elecbill.reading_estimate AS x
		  WHERE x.org_id = owner.id AND x.state = 'open' ORDER BY x.register_id) AS e;
	FOR place IN
		SELECT u.id, g.since, g.until
		FROM elecbill.usage_point AS u
		LEFT JOIN LATERAL (SELECT lower(x.valid) AS since, coalesce(upper(x.valid), 'infinity') AS until
			FROM elecbill.customer_agreement AS x
			WHERE x.usage_point_id = u.id AND x.valid && during ORDER BY x.valid DESC LIMIT 1) AS g ON true
		WHERE u.org_id = owner.id ORDER BY u.id
	LOOP
		PERFORM elecbill._vee_intervals(owner.id, place.id, lower(span), upper(span));
		IF place.since IS NOT NULL AND upper(span) = elecbill.day_start(upper(during), owner.zone) THEN
			PERFORM elecbill._vee_usage(owner, during, place.id, place.since, place.until);
		END IF;
	END LOOP;
	PERFORM elecbill._vee_sums(owner.id, owner.zone, during);
	PERFORM elecbill._vee_rest(owner, during);
	RETURN QUERY
	SELECT r.code, count(e.id) FILTER (WHERE e.id > coalesce(before, 0)), count(e.id) FILTER (WHERE e.state = 'open')
	FROM elecbill.vee_rule AS r
	LEFT JOIN elecbill.vee_exception AS e ON e.org_id = r.org_id AND e.rule = r.code
	WHERE r.org_id = owner.id AND upper_inf(r.known) AND r.code LIKE 'V%'
	GROUP BY r.code ORDER BY r.code;
END $$;
COMMENT ON FUNCTION elecbill.vee_run(text, daterange) IS 'looks at local days [from, to) of an org by the rules V06 to V09, V11, V12 (V01 to V05, V10, V13 look when readings come) and settles estimates behind which a reading came. Returns for each rule what is new and what is open; again it finds nothing new. One run of an org at a time. UB400, UB404';
