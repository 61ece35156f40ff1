-- 48_rolling.sql: usage of the last days, limits for it, and alarms
--
-- A rolling sum is the energy of the intervals that lie wholly within the span that ends with a
-- reading; where energy comes from is said in 36_usage_view.sql. One over a gap that begins before the
-- span is not in it: nobody knows how much of it was used within.

-- ---------------------------------------------------------------- usage of the last days

CREATE VIEW elecbill.usage_rolling WITH (security_invoker = true) AS
SELECT s.org_id, s.org, s.usage_point, s.register, s.direction, s.day,
	(s.wh_1 - s.over_1) * 0.001 AS kwh_1, s.covered_1 - s.over_covered_1 = s.length_1 AS complete_1,
	(s.wh_7 - s.over_7) * 0.001 AS kwh_7, s.covered_7 - s.over_covered_7 = s.length_7 AS complete_7,
	(s.wh_30 - s.over_30) * 0.001 AS kwh_30, s.covered_30 - s.over_covered_30 = s.length_30 AS complete_30
FROM (
	SELECT t.*,
		sum(t.wh) OVER d1 AS wh_1, sum(t.wh) OVER d7 AS wh_7, sum(t.wh) OVER d30 AS wh_30,
		sum(t.covered) OVER d1 AS covered_1, sum(t.covered) OVER d7 AS covered_7, sum(t.covered) OVER d30 AS covered_30,
		-- what ends on the first of the days, but began before it
		t.over_wh AS over_1, t.over_covered AS over_covered_1,
		CASE WHEN first_value(t.over_from) OVER d7 < t.day - 6 THEN first_value(t.over_wh) OVER d7 ELSE 0 END AS over_7,
		CASE WHEN first_value(t.over_from) OVER d7 < t.day - 6 THEN first_value(t.over_covered) OVER d7 ELSE '0' END AS over_covered_7,
		CASE WHEN first_value(t.over_from) OVER d30 < t.day - 29 THEN first_value(t.over_wh) OVER d30 ELSE 0 END AS over_30,
		CASE WHEN first_value(t.over_from) OVER d30 < t.day - 29 THEN first_value(t.over_covered) OVER d30 ELSE '0' END AS over_covered_30,
		elecbill.day_start(t.day + 1, t.zone) - elecbill.day_start(t.day, t.zone) AS length_1,
		elecbill.day_start(t.day + 1, t.zone) - elecbill.day_start(t.day - 6, t.zone) AS length_7,
		elecbill.day_start(t.day + 1, t.zone) - elecbill.day_start(t.day - 29, t.zone) AS length_30
	FROM (
		SELECT x.org_id, x.org, x.usage_point, x.register, x.direction, x.zone, x.day,
			coalesce(sum(x.energy_wh), 0) AS wh,
			coalesce(sum(x.to_at - x.from_at) FILTER (WHERE x.energy_wh IS NOT NULL), '0') AS covered,
			min(x.from_day) FILTER (WHERE x.from_day < x.day) AS over_from,
			coalesce(sum(x.energy_wh) FILTER (WHERE x.from_day < x.day), 0) AS over_wh,
			coalesce(sum(x.to_at - x.from_at) FILTER (WHERE x.from_day < x.day AND x.energy_wh IS NOT NULL), '0') AS over_covered
		FROM (
			SELECT v.*, o.zone, (v.from_at AT TIME ZONE o.zone)::date AS from_day,
				((v.to_at - interval '1 microsecond') AT TIME ZONE o.zone)::date AS day
			FROM elecbill.interval_usage AS v JOIN elecbill.org AS o ON o.id = v.org_id) AS x
		GROUP BY x.org_id, x.org, x.usage_point, x.register, x.direction, x.zone, x.day) AS t
	WINDOW d AS (PARTITION BY t.org_id, t.org, t.usage_point, t.register, t.direction ORDER BY t.day),
		d1 AS (d RANGE CURRENT ROW),
		d7 AS (d RANGE BETWEEN '6 days' PRECEDING AND CURRENT ROW),
		d30 AS (d RANGE BETWEEN '29 days' PRECEDING AND CURRENT ROW)) AS s;
COMMENT ON VIEW elecbill.usage_rolling IS 'energy per usage point, register and local day of the org, with that of the 7 and 30 days that end with it: all intervals that lie within those days, also over a midnight between them. A day on which no interval ends has no row. Filter by usage_point for speed';
COMMENT ON COLUMN elecbill.usage_rolling.org_id IS 'owner';
COMMENT ON COLUMN elecbill.usage_rolling.org IS 'code of the org';
COMMENT ON COLUMN elecbill.usage_rolling.usage_point IS 'code of the usage point';
COMMENT ON COLUMN elecbill.usage_rolling.register IS 'OBIS code; 1.8.0 = total import';
COMMENT ON COLUMN elecbill.usage_rolling.direction IS 'as in interval_usage';
COMMENT ON COLUMN elecbill.usage_rolling.day IS 'local date';
COMMENT ON COLUMN elecbill.usage_rolling.kwh_1 IS 'kWh (kvarh) of the day, primary side, as far as covered; as usage_daily.energy_kwh';
COMMENT ON COLUMN elecbill.usage_rolling.complete_1 IS 'the whole day (23, 24 or 25 hours) is covered';
COMMENT ON COLUMN elecbill.usage_rolling.kwh_7 IS 'kWh (kvarh) of the day and the 6 before it';
COMMENT ON COLUMN elecbill.usage_rolling.complete_7 IS 'all of these days are covered';
COMMENT ON COLUMN elecbill.usage_rolling.kwh_30 IS 'kWh (kvarh) of the day and the 29 before it';
COMMENT ON COLUMN elecbill.usage_rolling.complete_30 IS 'all of these days are covered';

-- ---------------------------------------------------------------- alarms

CREATE TABLE elecbill.alarm (
	id			bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT alarm_pkey PRIMARY KEY,
	org_id		integer NOT NULL CONSTRAINT alarm_org_fkey REFERENCES elecbill.org,
	usage_point_id bigint,
	code		text NOT NULL CONSTRAINT alarm_code_check CHECK (code ~ '^[a-z][a-z0-9_]{0,62}$'),
	severity	text NOT NULL CONSTRAINT alarm_severity_check CHECK (severity IN ('info', 'warn', 'error')),
	object		text NOT NULL CONSTRAINT alarm_object_check CHECK (object <> ''),
	raised_at	timestamptz NOT NULL DEFAULT elecbill.now(),
	closed_at	timestamptz,
	during		tstzrange NOT NULL
				CONSTRAINT alarm_during_check CHECK (NOT isempty(during) AND NOT lower_inf(during)),
	state		text NOT NULL DEFAULT 'open' CONSTRAINT alarm_state_check CHECK (state IN ('open', 'closed')),
	details		jsonb NOT NULL DEFAULT '{}'
				CONSTRAINT alarm_details_check CHECK (jsonb_typeof(details) = 'object'),
	CONSTRAINT alarm_closed_check CHECK ((state = 'open') = upper_inf(during) AND (state = 'open') = (closed_at IS NULL)),
	CONSTRAINT alarm_usage_point_fkey FOREIGN KEY (org_id, usage_point_id)
		REFERENCES elecbill.usage_point (org_id, id)
) WITH (fillfactor = 90);
CREATE UNIQUE INDEX alarm_open_key ON elecbill.alarm (org_id, code, object) WHERE upper_inf(during);
CREATE UNIQUE INDEX alarm_since_key ON elecbill.alarm (org_id, code, object, lower(during));
CREATE INDEX alarm_usage_point_idx ON elecbill.alarm (usage_point_id) WHERE usage_point_id IS NOT NULL;
COMMENT ON TABLE elecbill.alarm IS 'what somebody should look at: one row from when it began to when it was over. Rows are closed, never removed';
COMMENT ON COLUMN elecbill.alarm.id IS 'internal key';
COMMENT ON COLUMN elecbill.alarm.org_id IS 'owner';
COMMENT ON COLUMN elecbill.alarm.usage_point_id IS 'the usage point it is about; NULL = none';
COMMENT ON COLUMN elecbill.alarm.code IS 'what is the matter, for programs; label() has it for people. usage_limit: a rolling sum is above its limit';
COMMENT ON COLUMN elecbill.alarm.severity IS 'info, warn or error';
COMMENT ON COLUMN elecbill.alarm.object IS 'what it is about, for people; of each object and code one alarm is open at a time';
COMMENT ON COLUMN elecbill.alarm.raised_at IS 'when it was noticed';
COMMENT ON COLUMN elecbill.alarm.closed_at IS 'when it was noticed that it is over; NULL = it is not';
COMMENT ON COLUMN elecbill.alarm.during IS 'when it was so, by the clock of the readings: from the one that raised it to the first that shows it no more';
COMMENT ON COLUMN elecbill.alarm.state IS 'open or closed';
COMMENT ON COLUMN elecbill.alarm.details IS 'the numbers when it was raised. usage_limit: kwh (the rolling sum), limit_kwh, span';
COMMENT ON INDEX elecbill.alarm_open_key IS 'one open alarm for an object and code, however many sessions notice';
COMMENT ON INDEX elecbill.alarm_since_key IS 'one alarm for each beginning';
COMMENT ON INDEX elecbill.alarm_usage_point_idx IS 'alarms of a point';

-- enable_seqscan: the plan is made while there are few alarms, and stays when ten thousand are raised at once
CREATE FUNCTION elecbill._alarm_end(p_org integer, p_code text, p_object text, p_at timestamptz) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
BEGIN
	-- where late readings took back what raised it, it was so for an instant only
	UPDATE elecbill.alarm AS a
	SET state = 'closed', closed_at = elecbill.now(),
		during = CASE WHEN p_at > lower(a.during) THEN tstzrange(lower(a.during), p_at)
			ELSE tstzrange(lower(a.during), lower(a.during), '[]') END
	WHERE a.org_id = p_org AND a.code = p_code AND a.object = p_object AND upper_inf(a.during);
END $$;
COMMENT ON FUNCTION elecbill._alarm_end(integer, text, text, timestamptz) IS 'closes the open alarm of an object, if there is one: it is not so any more since the instant';

CREATE FUNCTION elecbill._alarm_during(p_org integer, p_point bigint, p_code text, p_severity text, p_object text,
	p_during tstzrange, p_details jsonb) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
DECLARE
	known	elecbill.alarm;
BEGIN
	SELECT a.* INTO known FROM elecbill.alarm AS a
	WHERE a.org_id = p_org AND a.code = p_code AND a.object = p_object AND a.during && p_during
	ORDER BY upper_inf(a.during) DESC, lower(a.during) DESC LIMIT 1;
	IF NOT FOUND THEN
		INSERT INTO elecbill.alarm (org_id, usage_point_id, code, severity, object, during, state, closed_at, details)
		VALUES (p_org, p_point, p_code, p_severity, p_object, p_during,
			CASE WHEN upper_inf(p_during) THEN 'open' ELSE 'closed' END,
			CASE WHEN upper_inf(p_during) THEN NULL ELSE elecbill.now() END, p_details)
		ON CONFLICT DO NOTHING;	/* another session was first */
	ELSIF known.state = 'closed' AND (upper_inf(p_during) OR upper(p_during) > upper(known.during)) THEN
		UPDATE elecbill.alarm AS a
		SET during = tstzrange(lower(a.during), upper(p_during)),
			state = CASE WHEN upper_inf(p_during) THEN 'open' ELSE 'closed' END,
			closed_at = CASE WHEN upper_inf(p_during) THEN NULL ELSE elecbill.now() END
		WHERE a.id = known.id;
	END IF;
END $$;
COMMENT ON FUNCTION elecbill._alarm_during(integer, bigint, text, text, text, tstzrange, jsonb) IS 'something is the matter with an object in a range (no upper end: still). Where an alarm stands for a part of it, it goes on at least as long; where there is none, one is raised';

-- ---------------------------------------------------------------- limits

CREATE TABLE elecbill.usage_limit (
	id			bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT usage_limit_pkey PRIMARY KEY,
	org_id		integer NOT NULL,
	usage_point_id bigint NOT NULL,
	span		interval NOT NULL CONSTRAINT usage_limit_span_check CHECK (
					span >= '1 minute' AND span <= '366 days' AND span = date_trunc('second', span)
					AND (extract(year FROM span), extract(month FROM span), extract(day FROM span)) = (0, 0, 0)),
	limit_wh	bigint NOT NULL CONSTRAINT usage_limit_limit_wh_check CHECK (limit_wh > 0),
	since		timestamptz NOT NULL DEFAULT elecbill.now(),
	judged_to	timestamptz,
	most_wh		bigint,
	last_wh		bigint,
	installation_id bigint,
	CONSTRAINT usage_limit_point_span_key UNIQUE (usage_point_id, span),
	CONSTRAINT usage_limit_most_wh_check CHECK (most_wh BETWEEN 0 AND limit_wh
		AND judged_to IS NOT NULL AND last_wh IS NOT NULL AND installation_id IS NOT NULL OR most_wh IS NULL),
	CONSTRAINT usage_limit_usage_point_fkey FOREIGN KEY (org_id, usage_point_id)
		REFERENCES elecbill.usage_point (org_id, id)
) WITH (fillfactor = 70);
COMMENT ON TABLE elecbill.usage_limit IS 'how much a usage point should use within a span of time; what is above raises an alarm. usage_limit_set() writes it';
COMMENT ON COLUMN elecbill.usage_limit.id IS 'internal key';
COMMENT ON COLUMN elecbill.usage_limit.org_id IS 'owner';
COMMENT ON COLUMN elecbill.usage_limit.usage_point_id IS 'the usage point';
COMMENT ON COLUMN elecbill.usage_limit.span IS 'length of the rolling sum, in elapsed hours: a day is 24 of them, also when clocks change';
COMMENT ON COLUMN elecbill.usage_limit.limit_wh IS 'Wh of import (1.8.0), primary side; an alarm is raised above it';
COMMENT ON COLUMN elecbill.usage_limit.since IS 'readings of that time or later are judged';
COMMENT ON COLUMN elecbill.usage_limit.judged_to IS 'the newest reading that was judged; what comes later, but is of an earlier time, came late';
COMMENT ON COLUMN elecbill.usage_limit.most_wh IS 'the rolling sum at judged_to is this or less: while readings that come in order cannot lift it above the limit, nobody has to add it up. NULL: unknown, or above';
COMMENT ON COLUMN elecbill.usage_limit.last_wh IS 'what the register said at judged_to, in Wh, before any multiplier; as long as most_wh is known';
COMMENT ON COLUMN elecbill.usage_limit.installation_id IS 'of the meter that said it';

CREATE FUNCTION elecbill._point_get(p_point text) RETURNS elecbill.usage_point
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	found	elecbill.usage_point[];
BEGIN
	found := ARRAY(
		SELECT u FROM elecbill.org AS o JOIN elecbill.usage_point AS u ON u.org_id = o.id
			AND u.code IN (p_point, CASE WHEN starts_with(p_point, o.code || '/') THEN substr(p_point, length(o.code) + 2) END)
		WHERE elecbill._org_open(u.org_id));
	IF cardinality(found) = 0 THEN
		RAISE EXCEPTION 'there is no usage point %', quote_nullable(p_point) USING ERRCODE = 'UB404';
	ELSIF cardinality(found) > 1 THEN
		RAISE EXCEPTION 'usage point % is not unique', quote_literal(p_point)
			USING ERRCODE = 'UB409', HINT = 'Put the code of the org before it: ORG/POINT.';
	END IF;
	RETURN found[1];
END $$;
COMMENT ON FUNCTION elecbill._point_get(text) IS 'a usage point by its code, or ORG/CODE; UB404 unknown, UB409 when several orgs have it';

CREATE FUNCTION elecbill._limit_object(p_point text, p_span interval) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN p_point || ' ' || to_char(p_span, 'FMHH24:MI:SS');
COMMENT ON FUNCTION elecbill._limit_object(text, interval) IS 'a limit as the object of an alarm: R-0101 24:00:00';

CREATE FUNCTION elecbill.usage_limit_set(point text, span interval, kwh numeric) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	place	elecbill.usage_point := elecbill._point_get(point);
	hours	interval := make_interval(secs => extract(epoch FROM span));
	changed	bigint;
BEGIN
	IF (extract(year FROM span), extract(month FROM span)) = (0, 0) IS NOT TRUE
		OR span BETWEEN '1 minute' AND '366 days' IS NOT TRUE OR span <> date_trunc('second', span)
	THEN
		RAISE EXCEPTION 'the span of a limit must be hours or days, from 1 minute to 366 days, in whole seconds'
			USING ERRCODE = 'UB400', DETAIL = format('The value is %s.', coalesce(span::text, 'NULL'));
	ELSIF kwh > 0 IS NOT TRUE OR kwh > 1000000000 OR kwh <> trunc(kwh, 3) THEN
		RAISE EXCEPTION 'a limit must be a number of kWh above 0, at most 1000000000, with at most 3 decimals'
			USING ERRCODE = 'UB400', DETAIL = format('The value is %s.', coalesce(kwh::text, 'NULL')),
				  HINT = 'usage_limit_drop() takes a limit away.';
	END IF;
	INSERT INTO elecbill.usage_limit AS l (org_id, usage_point_id, span, limit_wh)
	VALUES (place.org_id, place.id, hours, (kwh * 1000)::bigint)
	ON CONFLICT ON CONSTRAINT usage_limit_point_span_key DO UPDATE
	SET limit_wh = excluded.limit_wh, since = excluded.since, judged_to = NULL, most_wh = NULL
	WHERE l.limit_wh <> excluded.limit_wh RETURNING l.id INTO changed;
	IF FOUND THEN
		PERFORM elecbill._limit_begin(changed);
		-- an alarm speaks of the limit that was; the next reading is judged by the new one
		PERFORM elecbill._alarm_end(place.org_id, 'usage_limit', elecbill._limit_object(place.code, hours), elecbill.now());
	END IF;
END $$;
COMMENT ON FUNCTION elecbill.usage_limit_set(text, interval, numeric) IS 'limits the import of a usage point (code, or ORG/CODE) within any span of time (hours or days of 24 hours, from 1 minute to 366 days) to kwh (at most 3 decimals). From the next reading on the rolling sum raises an alarm when it goes above, which closes when it is above no more. A new value begins anew; the same value changes nothing. UB400, UB404, UB409';

CREATE FUNCTION elecbill.usage_limit_drop(point text, span interval) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	place	elecbill.usage_point := elecbill._point_get(point);
	hours	interval;
BEGIN
	DELETE FROM elecbill.usage_limit AS l
	WHERE l.usage_point_id = place.id AND l.span = usage_limit_drop.span RETURNING l.span INTO hours;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'usage point % has no limit for %', quote_literal(point), coalesce(span::text, 'NULL')
			USING ERRCODE = 'UB404';
	END IF;
	PERFORM elecbill._alarm_end(place.org_id, 'usage_limit', elecbill._limit_object(place.code, hours), elecbill.now());
END $$;
COMMENT ON FUNCTION elecbill.usage_limit_drop(text, interval) IS 'takes a limit away and closes its alarm. UB404 no such point or limit, UB409 several orgs have the point';

-- ---------------------------------------------------------------- judging

CREATE FUNCTION elecbill._point_rolling(p_point bigint, p_span interval, p_from timestamptz)
RETURNS TABLE (at timestamptz, wh bigint)
LANGUAGE plpgsql STABLE ROWS 100 SET search_path = pg_catalog, pg_temp SET jit = off AS $$
DECLARE
	-- a whole local day before the span, for days that are packed; and two readings, for the first
	-- difference counts when the one before it does
	since	timestamptz := least(p_from - p_span - interval '26 hours', (
		SELECT min(b.read_at)
		FROM elecbill.meter_installation AS i
		JOIN elecbill.meter_register AS g ON g.meter_id = i.meter_id AND g.code = '1.8.0'
		CROSS JOIN LATERAL (SELECT r.read_at FROM elecbill._reading_all AS r
			WHERE r.register_id = g.id AND r.read_at < p_from - p_span ORDER BY r.read_at DESC LIMIT 2) AS b
		WHERE i.usage_point_id = p_point AND i.role = 'main'
			AND coalesce(upper(i.valid), 'infinity') >= p_from - p_span));
BEGIN
	-- the range stands in variables: with a subquery in it PostgreSQL would not take the functions apart
	RETURN QUERY
	SELECT s.to_at, (s.wh - CASE WHEN s.first_from < s.to_at - p_span THEN s.first_wh ELSE 0 END)::bigint
	FROM (
		SELECT v.to_at, coalesce(sum(v.energy_wh) OVER w, 0) AS wh,
			-- only the first interval that ends in the span can have begun before it
			first_value(v.from_at) OVER w AS first_from, coalesce(first_value(v.energy_wh) OVER w, 0) AS first_wh
		FROM elecbill.meter_installation AS i
		JOIN elecbill.meter_register AS g ON g.meter_id = i.meter_id AND g.code = '1.8.0'
		CROSS JOIN LATERAL elecbill._installation_intervals(i.id, i.usage_point_id, g.id, g.code, i.multiplier, g.wrap_wh,
			greatest(lower(i.valid), since), coalesce(upper(i.valid), 'infinity')) AS v
		WHERE i.usage_point_id = p_point AND i.role = 'main'
			AND coalesce(upper(i.valid), 'infinity') >= p_from - p_span
		WINDOW w AS (ORDER BY v.to_at RANGE BETWEEN p_span PRECEDING AND CURRENT ROW)) AS s
	WHERE s.to_at >= p_from
	ORDER BY s.to_at;
END $$;
COMMENT ON FUNCTION elecbill._point_rolling(bigint, interval, timestamptz) IS 'import of a usage point in Wh within the span that ends at a reading, for each reading from an instant on, in order';

CREATE FUNCTION elecbill._limit_known(p_point bigint, p_at timestamptz) RETURNS TABLE (installation_id bigint, last_wh bigint)
LANGUAGE sql STABLE ROWS 1
BEGIN ATOMIC
	SELECT i.id, b.primary_wh
	FROM elecbill.meter_installation AS i
	JOIN elecbill.meter_register AS g ON g.meter_id = i.meter_id AND g.code = '1.8.0'
	CROSS JOIN LATERAL elecbill._boundary_readings(g.id, 1, p_at, p_at) AS b
	WHERE i.usage_point_id = p_point AND i.role = 'main' AND lower(i.valid) <= p_at AND coalesce(upper(i.valid), 'infinity') >= p_at
	ORDER BY lower(i.valid) DESC LIMIT 1;
END;
COMMENT ON FUNCTION elecbill._limit_known(bigint, timestamptz) IS 'what the meter of a usage point said at an instant, in Wh, before any multiplier; of a meter that came and one that went then, the one that came. No row: nothing';

CREATE FUNCTION elecbill._limit_begin(p_limit bigint) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET jit = off AS $$
DECLARE
	limits	elecbill.usage_limit := (SELECT l FROM elecbill.usage_limit AS l WHERE l.id = p_limit);
	newest	timestamptz := (SELECT max(r.read_at) FROM elecbill.meter_installation AS i
		JOIN elecbill.meter_register AS g ON g.meter_id = i.meter_id AND g.code = '1.8.0'
		JOIN elecbill.reading_latest AS r ON r.register_id = g.id
		WHERE i.usage_point_id = limits.usage_point_id AND i.role = 'main');
BEGIN
	-- a slot lies at most half a day from its reading
	UPDATE elecbill.usage_limit AS l
	SET judged_to = s.at, most_wh = s.wh, last_wh = k.last_wh, installation_id = k.installation_id
	FROM (SELECT x.at, x.wh FROM elecbill._point_rolling(limits.usage_point_id, limits.span, newest - interval '12 hours') AS x
		ORDER BY x.at DESC LIMIT 1) AS s
	CROSS JOIN LATERAL elecbill._limit_known(limits.usage_point_id, s.at) AS k
	WHERE l.id = p_limit AND s.wh <= l.limit_wh;
END $$;
COMMENT ON FUNCTION elecbill._limit_begin(bigint) IS 'notes in a new limit what the rolling sum is now, so that the next readings are judged quickly';

CREATE FUNCTION elecbill._limit_judge(p_limit bigint, p_from timestamptz, p_to timestamptz) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET jit = off AS $$
DECLARE
	limits	record;
	reading	record;
	object	text;
	since	timestamptz;	/* the first sum that can have changed */
	seen	timestamptz;	/* and the first that is looked at */
	above	timestamptz;	/* since then the sum is above */
	below	timestamptz;	/* or since then it is not */
	ended	boolean := false;
	details	jsonb;
	newest	timestamptz;
	last	record;		/* the newest interval */
	known	record;
BEGIN
	SELECT NULL::timestamptz AS at, NULL::bigint AS wh INTO last;
	SELECT l.*, u.code INTO limits
	FROM elecbill.usage_limit AS l JOIN elecbill.usage_point AS u ON u.id = l.usage_point_id
	WHERE l.id = p_limit FOR NO KEY UPDATE OF l;	/* one session at a time */
	-- what is old enough is in no sum that is judged; a difference may end some days later
	IF NOT FOUND OR p_to + limits.span + interval '2 days' < limits.since THEN
		RETURN;
	END IF;
	object := elecbill._limit_object(limits.code, limits.span);
	since := greatest(p_from, limits.since);
	seen := since;
	IF since <= limits.judged_to THEN
		-- what came late may end what was above before it, and the alarm that stood for both may be of what follows
		SELECT greatest(limits.since, least(since - limits.span, min(lower(a.during)))) INTO seen FROM elecbill.alarm AS a
		WHERE a.org_id = limits.org_id AND a.code = 'usage_limit' AND a.object = elecbill._limit_object(limits.code, limits.span)
			AND a.during && tstzrange(since - limits.span, since);
	END IF;
	FOR reading IN SELECT s.at, s.wh FROM elecbill._point_rolling(limits.usage_point_id, limits.span, seen) AS s LOOP
		IF reading.at < since AND reading.wh <= limits.limit_wh THEN
			above := NULL;
			CONTINUE;
		END IF;
		last := reading;
		IF reading.wh > limits.limit_wh THEN
			IF above IS NULL THEN
				above := reading.at;
				details := jsonb_build_object('kwh', reading.wh * 0.001, 'limit_kwh', limits.limit_wh * 0.001,
					'span', to_char(limits.span, 'FMHH24:MI:SS'));
			END IF;
			below := NULL;
			ended := false;
			CONTINUE;
		END IF;
		IF above IS NOT NULL THEN
			PERFORM elecbill._alarm_during(limits.org_id, limits.usage_point_id, 'usage_limit', 'warn', object,
				tstzrange(above, reading.at), details);
		END IF;
		above := NULL;
		below := coalesce(below, reading.at);
		-- that it was not above for a while is news only when it did not come late: there the alarm goes on
		IF NOT ended AND reading.at > coalesce(limits.judged_to, '-infinity') THEN
			PERFORM elecbill._alarm_end(limits.org_id, 'usage_limit', object, below);
			ended := true;
		END IF;
	END LOOP;
	IF above IS NOT NULL THEN
		PERFORM elecbill._alarm_during(limits.org_id, limits.usage_point_id, 'usage_limit', 'warn', object,
			tstzrange(above, NULL), details);
	ELSIF below IS NOT NULL AND NOT ended THEN
		PERFORM elecbill._alarm_end(limits.org_id, 'usage_limit', object, below);
	END IF;
	newest := greatest(p_to, limits.judged_to);
	SELECT k.* INTO known FROM elecbill._limit_known(limits.usage_point_id, last.at) AS k WHERE above IS NULL AND last.at = newest;
	UPDATE elecbill.usage_limit AS l
	SET judged_to = newest, most_wh = CASE WHEN known.last_wh IS NOT NULL THEN last.wh END, last_wh = known.last_wh,
		installation_id = known.installation_id
	WHERE l.id = p_limit;
END $$;
COMMENT ON FUNCTION elecbill._limit_judge(bigint, timestamptz, timestamptz) IS 'looks whether rolling sums are above a limit after readings from .. to came in; raises and closes its alarms. Readings behind them are judged again: a late one changes the sums that follow, and never raises a second alarm for what one stands for';

CREATE FUNCTION elecbill._reading_limit() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET jit = off AS $$
DECLARE
	registers bigint[];	/* that were read, and */
	limits	bigint[];	/* the limits they count for */
	touched	record;
BEGIN
	IF NOT EXISTS (SELECT FROM elecbill.usage_limit) THEN
		RETURN NULL;
	END IF;
	-- from the side that is smaller, so that who has no limit hardly pays for those of others
	IF (SELECT count(*) FROM added)
		<= (SELECT count(*) FROM (SELECT FROM elecbill.usage_limit LIMIT (SELECT count(*) FROM added)) AS l)
	THEN
		SELECT array_agg(r.register_id), array_agg(v.limit_id) INTO registers, limits
		FROM (SELECT DISTINCT a.register_id FROM added AS a) AS r
		CROSS JOIN LATERAL (SELECT l.id FROM elecbill.meter_register AS g
			JOIN elecbill.meter_installation AS i ON i.meter_id = g.meter_id AND i.role = 'main'
			JOIN elecbill.usage_limit AS l ON l.usage_point_id = i.usage_point_id
			WHERE g.id = r.register_id AND g.code = '1.8.0' GROUP BY l.id OFFSET 0) AS v(limit_id);
	ELSE
		-- OFFSET: looked up for each limit, however many meters there are
		SELECT array_agg(x.register_id), array_agg(l.id) INTO registers, limits
		FROM elecbill.usage_limit AS l
		CROSS JOIN LATERAL (SELECT g.id FROM elecbill.meter_installation AS i
			JOIN elecbill.meter_register AS g ON g.meter_id = i.meter_id AND g.code = '1.8.0'
			WHERE i.usage_point_id = l.usage_point_id AND i.role = 'main' GROUP BY g.id OFFSET 0) AS x(register_id)
		WHERE x.register_id IN (SELECT a.register_id FROM added AS a);
	END IF;
	-- one session at a time, and all in one order; what is seen from here on is what the one before has left
	PERFORM FROM elecbill.usage_limit AS l WHERE l.id = ANY (limits) ORDER BY l.id FOR NO KEY UPDATE;
	FOR touched IN
		WITH given AS MATERIALIZED (
			SELECT v.limit_id, r.register_id, r.read_at, r.register_wh, k.at, k.since
			FROM added AS r JOIN unnest(registers, limits) AS v(register_id, limit_id) USING (register_id)
			CROSS JOIN LATERAL (SELECT coalesce(r.slot_at, r.read_at), least(r.slot_at, r.read_at)) AS k(at, since)
		), plain AS (
			-- readings of one register in order of time, and nothing else since the span began that the sum could
			-- hold: it rises by as much as the register at most. OFFSET: looked up for each limit
			UPDATE elecbill.usage_limit AS l SET most_wh = l.most_wh + p.wh, judged_to = p.until, last_wh = p.last_wh
			FROM (
				SELECT o.limit_id, max(o.at) AS until, max(o.register_wh) AS last_wh, min(o.read_at) AS first_read_at,
					min(o.register_id) AS register_id,
					CASE min(i.multiplier) WHEN 1 THEN max(o.register_wh) - min(o.known_wh)
						ELSE ceil((max(o.register_wh) - min(o.known_wh)) * min(i.multiplier))::bigint + 1 END AS wh
				FROM (
					SELECT g.*, u.last_wh AS known_wh, u.org_id, u.installation_id,
						g.at > lag(g.at, 1, u.judged_to) OVER w AND g.register_wh >= lag(g.register_wh, 1, u.last_wh) OVER w AS rises
					FROM given AS g JOIN elecbill.usage_limit AS u ON u.id = g.limit_id AND u.most_wh IS NOT NULL
					WINDOW w AS (PARTITION BY g.limit_id ORDER BY g.read_at)) AS o
				JOIN elecbill.meter_installation AS i ON i.org_id = o.org_id AND i.id = o.installation_id
				JOIN elecbill.meter_register AS m ON m.id = o.register_id
				GROUP BY o.limit_id
				HAVING bool_and(o.rises AND m.meter_id = i.meter_id AND o.at <= coalesce(upper(i.valid), 'infinity'))) AS p
			WHERE l.id = p.limit_id AND l.most_wh + p.wh <= l.limit_wh
				AND NOT EXISTS (SELECT FROM elecbill.meter_installation AS i
					WHERE i.usage_point_id = l.usage_point_id AND i.role = 'main' AND i.id <> l.installation_id
						AND coalesce(upper(i.valid), 'infinity') >= l.judged_to - l.span OFFSET 0)
				AND NOT EXISTS (SELECT FROM elecbill.profile_day AS d
					WHERE d.usage_point_id = l.usage_point_id AND d.direction = 0 AND d.origin = 1
						AND d.day >= ((l.judged_to - l.span) AT TIME ZONE 'UTC')::date - 1 OFFSET 0)
				-- what came past this trigger
				AND NOT EXISTS (SELECT FROM elecbill.reading AS r
					WHERE r.register_id = p.register_id AND r.read_at > l.judged_to AND r.read_at < p.first_read_at
						AND coalesce(r.slot_at, r.read_at) > l.judged_to OFFSET 0)
			RETURNING l.id
		)
		SELECT g.limit_id, min(g.since) AS since, max(g.at) AS until FROM given AS g
		WHERE NOT EXISTS (SELECT FROM plain AS p WHERE p.id = g.limit_id)
		GROUP BY g.limit_id ORDER BY g.limit_id
	LOOP
		PERFORM elecbill._limit_judge(touched.limit_id, touched.since, touched.until);
	END LOOP;
	RETURN NULL;
END $$;
COMMENT ON FUNCTION elecbill._reading_limit() IS 'statement trigger of reading: judges the limits of the points that were read';
CREATE TRIGGER reading_limit AFTER INSERT ON elecbill.reading
	REFERENCING NEW TABLE AS added
	FOR EACH STATEMENT EXECUTE FUNCTION elecbill._reading_limit();
COMMENT ON TRIGGER reading_limit ON elecbill.reading IS 'judges usage_limit; fires for inserts into reading, not into a partition';

CREATE FUNCTION elecbill._fsck_limit() RETURNS TABLE (invariant text, object text, detail text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN QUERY
	SELECT 'usage_limit', elecbill._limit_object(u.code, l.span),
		format('the sum is %s Wh, the limit %s Wh, and %s alarm is open', s.wh, l.limit_wh,
			CASE WHEN a.id IS NULL THEN 'no' ELSE 'an' END) || coalesce(format('; taken for at most %s Wh', l.most_wh), '')
	FROM elecbill.usage_limit AS l
	JOIN elecbill.usage_point AS u ON u.id = l.usage_point_id
	CROSS JOIN LATERAL (SELECT x.wh FROM elecbill._point_rolling(l.usage_point_id, l.span, l.since) AS x
						ORDER BY x.at DESC LIMIT 1) AS s
	LEFT JOIN elecbill.alarm AS a ON a.org_id = l.org_id AND a.code = 'usage_limit'
		AND a.object = elecbill._limit_object(u.code, l.span) AND upper_inf(a.during)
	WHERE (s.wh > l.limit_wh) <> (a.id IS NOT NULL) OR s.wh > l.most_wh;
END $$;
COMMENT ON FUNCTION elecbill._fsck_limit() IS 'limits whose rolling sum is above them without an open alarm, or not above with one, or above what it was taken for; no row = healthy';
