-- 67_estimate.sql: energy where readings are missing, and what becomes of it when they come
--
-- An estimate is a row of reading_estimate and values of the register in reading_correction: bills, profiles and
-- usage take them as if they had been read, flagged 4096. Between two known values the estimate only spreads what
-- is known. Without a value behind it the energy is a guess, and the next reading settles it: the values are made
-- anew, in the same proportions, so that they meet the reading, and the next bill corrects those that were made of
-- the guess (83_true_up.sql). So bills add up to what the register counted (I07).
-- Locks: accounts of the point (by id), then the register.

CREATE FUNCTION elecbill._like_days(p_day integer) RETURNS integer[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE p_day WHEN 2 THEN '{2,3,4}' WHEN 3 THEN '{3,2,4}' WHEN 4 THEN '{4,3,2}' ELSE ARRAY[p_day] END::integer[];
COMMENT ON FUNCTION elecbill._like_days(integer) IS 'days of the week (1 Monday to 7) whose use is like that of a day: Tuesday to Thursday stand for each other, other days for themselves (WA Metering Code 2012, appendix 3)';

CREATE FUNCTION elecbill._estimate_share(p_total numeric, p_part numeric, p_whole numeric, p_wrap bigint, p_from bigint)
RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (p_from + CASE WHEN p_whole > 0 THEN floor(p_total * p_part / p_whole) ELSE 0 END)::bigint % p_wrap;
COMMENT ON FUNCTION elecbill._estimate_share(numeric, numeric, numeric, bigint, bigint) IS 'value of a register when part of a whole has gone through: the whole is exactly the total';

CREATE FUNCTION elecbill._estimate_shape(p_register bigint, p_wrap bigint, p_zone text, p_days integer, p_from timestamptz,
	p_to timestamptz, p_step interval) RETURNS TABLE (at timestamptz, weight numeric)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET jit = off AS $$
BEGIN
	RETURN QUERY
	WITH past AS MATERIALIZED (
		SELECT (v.from_at AT TIME ZONE p_zone)::time AS clock, extract(isodow FROM v.from_at AT TIME ZONE p_zone)::integer AS day,
			sum(v.energy_wh) AS wh, count(*) AS n
		FROM elecbill._register_intervals(p_register, 1, p_wrap, p_from - make_interval(days => p_days), p_from, '{}') AS v
		WHERE v.energy_wh IS NOT NULL AND v.to_at - v.from_at = p_step AND v.quality & 4096 = 0
		GROUP BY 1, 2
	)
	SELECT s.at, coalesce(
		(SELECT sum(p.wh) / sum(p.n) FROM past AS p WHERE p.clock = w.wall::time
			AND p.day = ANY (elecbill._like_days(extract(isodow FROM w.wall)::integer))),
		(SELECT sum(p.wh) / sum(p.n) FROM past AS p WHERE p.clock = w.wall::time),
		(SELECT sum(p.wh) / sum(p.n) FROM past AS p), 1)
	FROM generate_series(p_from + p_step, p_to, p_step) AS s(at)
	CROSS JOIN LATERAL (SELECT (s.at - p_step) AT TIME ZONE p_zone) AS w(wall)
	ORDER BY s.at;
END $$;
COMMENT ON FUNCTION elecbill._estimate_shape(bigint, bigint, text, integer, timestamptz, timestamptz, interval) IS 'the intervals of a gap by their ends, and how they share its energy: by the mean of the same time on like days before it, on any days, or evenly';

CREATE FUNCTION elecbill._estimate_total(p_point bigint, p_from timestamptz, p_to timestamptz, p_cycles integer,
	p_method text, OUT wh numeric, OUT method text, OUT reference jsonb)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	long	interval := make_interval(secs => extract(epoch FROM p_to - p_from));
	length_s	numeric := extract(epoch FROM p_to - p_from);
	before	record := elecbill._point_use(p_point, p_from - long * p_cycles, p_from);
	year	record := elecbill._point_use(p_point, p_from - interval '1 year', p_to - interval '1 year');
	former	record := elecbill._point_use(p_point, p_from - long * p_cycles - interval '1 year', p_from - interval '1 year');
	growth	numeric := 1;
	peers	record;
BEGIN
	IF year.secs >= length_s / 2 AND p_method IN ('last_year') OR year.secs >= length_s / 2 AND p_method IS NULL THEN
		IF before.secs >= length_s / 2 AND former.secs >= length_s / 2 AND former.wh > 0 THEN
			growth := round((before.wh / before.secs) / (former.wh / former.secs), 6);
		END IF;
		wh := year.wh / year.secs * length_s * growth;
		method := 'last_year';
		reference := jsonb_build_object('kwh', year.wh * 0.001, 'days', round(year.secs / 86400, 1), 'growth', growth);
	ELSIF before.secs >= length_s / 2 AND coalesce(p_method, 'mean') = 'mean' THEN
		wh := before.wh / before.secs * length_s;
		method := 'mean';
		reference := jsonb_build_object('kwh', before.wh * 0.001, 'days', round(before.secs / 86400, 1));
	ELSIF coalesce(p_method, 'peer') = 'peer' THEN
		SELECT count(*) AS n, percentile_disc(0.5) WITHIN GROUP (ORDER BY u.wh / u.secs) AS wh_s INTO peers
		FROM elecbill.usage_point AS p
		JOIN elecbill.service_location AS l ON l.id = p.location_id
		-- the next hundred are enough
		CROSS JOIN LATERAL (
			(SELECT o.id FROM elecbill.usage_point AS o JOIN elecbill.service_location AS k ON k.id = o.location_id AND k.kind = l.kind
				WHERE o.id > p.id AND o.org_id = p.org_id AND o.kind = p.kind ORDER BY o.id LIMIT 50)
			UNION ALL
			(SELECT o.id FROM elecbill.usage_point AS o JOIN elecbill.service_location AS k ON k.id = o.location_id AND k.kind = l.kind
				WHERE o.id < p.id AND o.org_id = p.org_id AND o.kind = p.kind ORDER BY o.id DESC LIMIT 50)) AS o
		CROSS JOIN LATERAL elecbill._point_use(o.id, p_from, p_to) AS u
		WHERE p.id = p_point AND u.secs >= length_s * 0.8;
		wh := coalesce(peers.wh_s * length_s, 0);
		method := CASE WHEN peers.n > 0 THEN 'peer' ELSE 'zero' END;
		reference := jsonb_build_object('points', peers.n);
	END IF;
END $$;
COMMENT ON FUNCTION elecbill._estimate_total(bigint, timestamptz, timestamptz, integer, text) IS 'what a point probably used in a range, Wh, primary side: as in the same days of the last year times growth, else as in the cycles before, else as the median of up to a hundred points of its kind. NULL: the method that is asked for knows nothing';

CREATE FUNCTION elecbill._estimate_values(p_estimate elecbill.reading_estimate, p_at timestamptz[], p_wh bigint[],
	p_slots boolean) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	PERFORM elecbill._correction_put(p_estimate.org_id, p_estimate.register_id, v.at, v.wh, CASE WHEN p_slots THEN v.at END,
		4096, NULL, p_estimate.id, true)
	FROM unnest(p_at, p_wh) AS v(at, wh);
END $$;
COMMENT ON FUNCTION elecbill._estimate_values(elecbill.reading_estimate, timestamptz[], bigint[], boolean) IS 'writes the values of a register that an estimate stands for';

CREATE FUNCTION elecbill._boundary_next(p_register bigint, p_from timestamptz, p_to timestamptz, OUT at timestamptz,
	OUT wh bigint)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	-- not of reading_effective: there an estimate stands before the reading of its very instant
	SELECT x.at, x.register_wh INTO at, wh
	FROM (
		SELECT k.at, r.register_wh FROM elecbill._reading_all AS r
		CROSS JOIN LATERAL (SELECT coalesce(r.slot_at, r.read_at)) AS k(at)
		WHERE r.register_id = p_register AND k.at > p_from AND k.at <= p_to
			AND r.read_at > p_from - interval '12 hours' AND r.read_at <= p_to + interval '12 hours'
			AND NOT EXISTS (SELECT FROM elecbill.reading_correction AS c WHERE c.register_id = r.register_id
				AND c.read_at = r.read_at AND upper_inf(c.known) AND c.edit_id IS NOT NULL)
	UNION ALL
		SELECT k.at, c.register_wh FROM elecbill.reading_correction AS c
		CROSS JOIN LATERAL (SELECT coalesce(c.slot_at, c.read_at)) AS k(at)
		WHERE c.register_id = p_register AND k.at > p_from AND k.at <= p_to AND upper_inf(c.known)
			AND c.edit_id IS NOT NULL AND c.register_wh IS NOT NULL) AS x
	ORDER BY x.at LIMIT 1;
END $$;
COMMENT ON FUNCTION elecbill._boundary_next(bigint, timestamptz, timestamptz) IS 'the first value of a register behind an instant, up to another, that is not estimated';

CREATE FUNCTION elecbill._boundary_last(p_register bigint, p_from timestamptz, p_to timestamptz, OUT at timestamptz,
	OUT wh bigint)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	-- its slot is not behind the range, however far behind it the next one is
	mark	record := elecbill._register_mark(p_register, p_from - interval '12 hours', p_to - interval '12 hours');
BEGIN
	SELECT b.boundary, b.primary_wh INTO at, wh
	FROM elecbill._boundary_readings(p_register, 1, greatest(p_from, mark.at - interval '13 hours'), p_to) AS b
	ORDER BY b.boundary DESC LIMIT 1;
END $$;
COMMENT ON FUNCTION elecbill._boundary_last(bigint, timestamptz, timestamptz) IS 'the last value of a register within a range, both ends included, estimated ones too';

CREATE FUNCTION elecbill._estimate_energy(p_install elecbill.meter_installation, p_register elecbill.meter_register,
	p_step interval, p_start_at timestamptz, p_start_wh bigint, p_end_at timestamptz, p_end_wh bigint, p_until timestamptz,
	p_method text) RETURNS elecbill.reading_estimate
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	numbers	jsonb := (elecbill._vee_rule(p_register.org_id, 'E01')).params;
	step	interval := p_step;
	guess	record;
	total	numeric;
	made	elecbill.reading_estimate;
BEGIN
	made.org_id := p_register.org_id;
	made.register_id := p_register.id;
	made.during := tstzrange(p_start_at, coalesce(p_end_at, p_until));
	IF p_end_at IS NOT NULL THEN
		total := elecbill.register_delta(p_start_wh, p_end_wh, p_register.wrap_wh, p_register.wrap_wh / 10);
		IF total IS NULL THEN
			RAISE EXCEPTION 'the register ran backwards over the gap'
				USING ERRCODE = 'UB422', DETAIL = format('From %s to %s Wh.', p_start_wh, p_end_wh),
					  HINT = 'Correct the reading that is wrong first.';
		END IF;
		made.method := coalesce(p_method, CASE WHEN step IS NULL
			OR p_end_at - p_start_at <= make_interval(secs => (numbers ->> 'linear_s')::integer) THEN 'linear' ELSE 'like_day' END);
		made.reference := jsonb_build_object('from_wh', p_start_wh, 'to_wh', p_end_wh);
		IF made.method NOT IN ('linear', 'like_day') OR step IS NULL AND made.method <> 'linear' THEN
			RAISE EXCEPTION 'the energy of the gap is known, it is only spread: linear%',
				CASE WHEN step IS NOT NULL THEN ' or like_day' ELSE '' END USING ERRCODE = 'UB400';
		END IF;
	ELSE
		guess := elecbill._estimate_total(p_install.usage_point_id, p_start_at, p_until,
			(numbers ->> 'cycles')::integer, p_method);
		IF guess.wh IS NULL THEN
			RAISE EXCEPTION 'nothing is known for the method %', quote_nullable(p_method)
				USING ERRCODE = 'UB404', HINT = 'Without a value behind the gap: last_year, mean, peer, or NULL for the first that knows something.';
		END IF;
		total := least(floor(guess.wh / p_install.multiplier), p_register.wrap_wh / 20);
		made.method := guess.method;
		made.reference := guess.reference || jsonb_build_object('from_wh', p_start_wh);
	END IF;
	made.energy_wh := total;
	RETURN made;
END $$;
COMMENT ON FUNCTION elecbill._estimate_energy(elecbill.meter_installation, elecbill.meter_register, interval, timestamptz, bigint, timestamptz, bigint, timestamptz, text) IS 'how much went through a register in a gap, and by which method: known where there is a value behind it (the end given), else guessed up to an instant';

CREATE FUNCTION elecbill._estimate_gap(p_install elecbill.meter_installation, p_register elecbill.meter_register,
	p_during tstzrange, p_method text, p_correct boolean) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET jit = off AS $$
DECLARE
	zone	text := (SELECT o.zone FROM elecbill.org AS o WHERE o.id = p_register.org_id);
	step	interval := (SELECT make_interval(secs => m.interval_s) FROM elecbill.meter AS m WHERE m.id = p_register.meter_id);
	numbers	jsonb := (elecbill._vee_rule(p_register.org_id, 'E01')).params;
	start	record := elecbill._boundary_last(p_register.id, lower(p_install.valid), lower(p_during));
	ends	record;
	made	elecbill.reading_estimate;
	at_		timestamptz[];
	wh_		bigint[];
	name	text;
BEGIN
	IF start.at IS NULL THEN
		RAISE EXCEPTION 'the meter has no value before the gap'
			USING ERRCODE = 'UB404', HINT = 'An estimate begins with a known value: read the meter, or enter its start value.';
	END IF;
	ends := elecbill._boundary_next(p_register.id, start.at, coalesce(upper(p_install.valid), 'infinity'));
	IF ends.at < upper(p_during) THEN
		RAISE EXCEPTION 'there is a reading in the gap'
			USING ERRCODE = 'UB409', DETAIL = format('At %s.', elecbill._local_time(ends.at, zone)),
				  HINT = 'Estimate the time before it, and behind it.';
	END IF;
	SELECT coalesce(b.number, '#' || b.id) INTO name FROM elecbill.bill_segment AS s JOIN elecbill.bill AS b ON b.id = s.bill_id
	WHERE s.register_id = p_register.id AND b.live AND b.number IS NOT NULL
		AND s.during && tstzrange(start.at, upper(p_during)) LIMIT 1;
	IF name IS NOT NULL AND NOT p_correct THEN
		RAISE EXCEPTION 'energy of this time is billed'
			USING ERRCODE = 'UB412', DETAIL = format('Bill %s.', name),
				  HINT = 'Ask for a correction; the difference goes to the next bill.';
	END IF;
	made := elecbill._estimate_energy(p_install, p_register, step, start.at, start.wh, ends.at, ends.wh, upper(p_during), p_method);
	SELECT array_agg(x.at ORDER BY x.at),
		array_agg(elecbill._estimate_share(made.energy_wh, x.part, x.whole, p_register.wrap_wh, start.wh) ORDER BY x.at)
	INTO at_, wh_
	FROM (
		SELECT s.at, sum(CASE made.method WHEN 'linear' THEN 1 ELSE s.weight END) OVER (ORDER BY s.at) AS part,
			sum(CASE made.method WHEN 'linear' THEN 1 ELSE s.weight END) OVER () AS whole
		FROM elecbill._estimate_shape(p_register.id, p_register.wrap_wh, zone, (numbers ->> 'days')::integer, start.at,
			upper(made.during), step) AS s
		WHERE step IS NOT NULL
	UNION ALL
		SELECT upper(p_during), extract(epoch FROM upper(p_during) - start.at), extract(epoch FROM upper(made.during) - start.at)
		WHERE step IS NULL) AS x
	WHERE x.at < coalesce(ends.at, 'infinity');
	INSERT INTO elecbill.reading_estimate (org_id, register_id, during, energy_wh, method, reference, state, trued_up_at, actual_wh)
	VALUES (made.org_id, made.register_id, made.during, made.energy_wh, made.method, made.reference,
		CASE WHEN ends.at IS NULL THEN 'open' ELSE 'trued_up' END, CASE WHEN ends.at IS NOT NULL THEN elecbill.now() END,
		CASE WHEN ends.at IS NOT NULL THEN made.energy_wh END)
	RETURNING * INTO made;
	PERFORM elecbill._estimate_values(made, at_, wh_, step IS NOT NULL);
	PERFORM elecbill._reading_changed(made.register_id, start.at, upper(made.during), 'estimate');
	RETURN made.id;
END $$;
COMMENT ON FUNCTION elecbill._estimate_gap(elecbill.meter_installation, elecbill.meter_register, tstzrange, text, boolean) IS 'estimate_gap() once its arguments are known';

CREATE FUNCTION elecbill.estimate_gap(org text, meter text, during tstzrange, method text DEFAULT NULL,
	correction boolean DEFAULT false, register text DEFAULT '1.8.0') RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	owner	integer := elecbill._org_get(org);
	place	elecbill.meter_installation;
	got	elecbill.meter_register;
	made	bigint;
BEGIN
	IF isempty(during) IS NOT FALSE OR isfinite(lower(during)) IS NOT TRUE OR isfinite(upper(during)) IS NOT TRUE
		OR upper(during) > elecbill.now()
	THEN
		RAISE EXCEPTION 'a gap has a beginning and an end, and is past'
			USING ERRCODE = 'UB400', DETAIL = format('The value is %s.', coalesce(during::text, 'NULL'));
	ELSIF method NOT IN ('linear', 'like_day', 'last_year', 'mean', 'peer') THEN
		RAISE EXCEPTION 'unknown method %', quote_literal(method)
			USING ERRCODE = 'UB400', HINT = 'Use linear, like_day, last_year, mean or peer, or NULL.';
	END IF;
	SELECT g.* INTO got FROM elecbill.meter AS m JOIN elecbill.meter_register AS g ON g.meter_id = m.id
	WHERE m.org_id = owner AND m.serial = estimate_gap.meter AND g.code = estimate_gap.register;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'there is no register % of a meter %', quote_nullable(register), quote_nullable(meter)
			USING ERRCODE = 'UB404';
	END IF;
	PERFORM elecbill._register_lock(got.id);
	SELECT i.* INTO place FROM elecbill.meter_installation AS i
	WHERE i.meter_id = got.meter_id AND i.valid @> during;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'meter % was not installed all the time', quote_literal(meter) USING ERRCODE = 'UB404';
	END IF;
	SELECT e.id INTO made FROM elecbill.reading_estimate AS e
	WHERE e.register_id = got.id AND e.state <> 'withdrawn' AND upper(e.during) = upper(estimate_gap.during)
		AND e.during @> lower(estimate_gap.during) AND EXISTS (
			SELECT FROM elecbill.reading_correction AS c WHERE c.estimate_id = e.id AND upper_inf(c.known));
	IF FOUND THEN
		RETURN made;
	END IF;
	made := elecbill._estimate_gap(place, got, during, method, coalesce(correction, false));
	PERFORM elecbill._audit(owner, 'estimate_gap', meter || ' ' || register, NULL,
		(SELECT to_jsonb(e) FROM elecbill.reading_estimate AS e WHERE e.id = made));
	RETURN made;
END $$;
COMMENT ON FUNCTION elecbill.estimate_gap(text, text, tstzrange, text, boolean, text) IS 'estimates the values of a register of a meter where they are missing: from its last value at or before the beginning to the end, at every slot of a smart meter, at the end for one that is read by hand. With a reading behind it the energy is known and spread: linear up to 2 hours (rule E01), else like_day. Without one it is guessed: last_year, mean, peer, the first that knows something; the next reading settles it. Returns the id of the estimate; the same gap again returns the same. correction: also where energy is billed. UB400, UB404, UB409 readings in the gap, UB412 billed, UB422 the register ran backwards';

CREATE FUNCTION elecbill.estimate_missing(org text, day date) RETURNS integer
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	owner	elecbill.org;
	edge	timestamptz;
	lack	record;
	made	integer := 0;
BEGIN
	SELECT o.* INTO owner FROM elecbill.org AS o WHERE o.id = elecbill._org_get(org);
	edge := elecbill.day_start(day, owner.zone);
	IF isfinite(day) IS NOT TRUE OR edge > elecbill.now() THEN
		RAISE EXCEPTION 'values are estimated for the beginning of a day that is past'
			USING ERRCODE = 'UB400', DETAIL = format('The value is %s.', coalesce(day::text, 'NULL'));
	END IF;
	FOR lack IN
		SELECT i AS place, g AS register, g.id, l.at
		FROM elecbill.meter_installation AS i
		JOIN elecbill.meter_register AS g ON g.meter_id = i.meter_id AND g.code = '1.8.0'
		CROSS JOIN LATERAL elecbill._boundary_last(g.id, lower(i.valid), edge) AS l
		WHERE i.org_id = owner.id AND l.at IS NOT NULL AND i.role = 'main' AND lower(i.valid) < edge AND coalesce(upper(i.valid), 'infinity') > edge
			AND EXISTS (SELECT FROM elecbill.customer_agreement AS a
				WHERE a.usage_point_id = i.usage_point_id AND a.valid && daterange(estimate_missing.day - 1, estimate_missing.day, '[]'))
			AND NOT EXISTS (SELECT FROM elecbill._boundary_readings(g.id, 1, edge, edge))
			AND NOT EXISTS (SELECT FROM elecbill.profile_day AS d WHERE d.usage_point_id = i.usage_point_id AND d.direction = 0
				AND d.origin = 1 AND d.day = estimate_missing.day - 1)
		ORDER BY i.id
	LOOP
		PERFORM elecbill._register_lock(lack.id);
		-- who was waited for may have done it
		CONTINUE WHEN EXISTS (SELECT FROM elecbill._boundary_readings(lack.id, 1, edge, edge));
		-- where it is billed a reading was taken out since, and the next bill waits for what stands in its place
		BEGIN
			PERFORM elecbill._estimate_gap(lack.place, lack.register, tstzrange(lack.at, edge), NULL, true);
			made := made + 1;
		EXCEPTION WHEN SQLSTATE 'UB422' THEN
			NULL;	/* it ran backwards: its bill says so, and waits; those of others do not */
		END;
	END LOOP;
	RETURN made;
END $$;
COMMENT ON FUNCTION elecbill.estimate_missing(text, date) IS 'estimates for all points of an org that somebody pays for the value of the meter at the beginning of a day where there is none, so that the days up to it can be billed, also where a reading was taken out after it was billed: the next bill corrects that one. A meter whose register runs backwards is left out: its bill waits in bill_exception. Returns how many. UB400, UB404';
