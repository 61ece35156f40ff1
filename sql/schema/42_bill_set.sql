-- 42_bill_set.sql: what rating looks up, for all that is rated together
-- One query each; inside of it, what belongs to a meter or an account is looked up by key, row by row.

CREATE FUNCTION elecbill._piece_readings(p_register bigint, p_installation bigint, p_multiplier numeric, p_from timestamptz,
	p_to timestamptz, p_packed tstzmultirange)
RETURNS TABLE (boundary timestamptz, primary_wh bigint, quality integer, read_at timestamptz, disputed boolean)
LANGUAGE sql STABLE ROWS 3000
BEGIN ATOMIC
	-- Where two bills meet they rest on one reading, also when an earlier one came late into its slot:
	-- else the energy between the two would be on both.
	SELECT p.boundary, coalesce(k.primary_wh, p.primary_wh),
		CASE WHEN p.behind THEN p.quality ELSE coalesce(k.quality, p.quality) END,
		CASE WHEN k.primary_wh IS NULL THEN p.read_at ELSE e.at END, k.primary_wh IS NOT NULL
	FROM elecbill._usage_readings(p_register, p_multiplier, p_from, p_to, p_packed) AS p
	LEFT JOIN LATERAL (
		SELECT min(x.at) AS at
		FROM elecbill.bill_segment s
		JOIN elecbill.bill b ON b.id = s.bill_id
		CROSS JOIN LATERAL (VALUES (lower(s.during), s.start_at), (upper(s.during), s.end_at)) AS x(boundary, at)
		WHERE p.boundary IN (p_from, p_to) AND s.installation_id = p_installation AND b.live AND x.boundary = p.boundary) AS e ON true
	LEFT JOIN LATERAL (
		SELECT round(r.register_wh * p_multiplier)::bigint AS primary_wh, r.quality
		FROM elecbill.reading_effective r
		-- OFFSET 0: looked up by key, never as a list of all readings
		WHERE e.at <> p.read_at AND r.register_id = p_register AND r.read_at = e.at OFFSET 0) AS k ON true;
END;
COMMENT ON FUNCTION elecbill._piece_readings(bigint, bigint, numeric, timestamptz, timestamptz, tstzmultirange) IS
'the readings of an installation in a range that count beside packed days, as _usage_readings(); disputed: a bill before or behind the range rests on another one at this end, which is given instead';

CREATE FUNCTION elecbill._segment_usage(p_tariff elecbill.tariff, p_point bigint, p_installation bigint, p_register bigint,
	p_multiplier numeric, p_wrap_wh bigint, p_from timestamptz, p_to timestamptz, p_disputed timestamptz[])
RETURNS TABLE (summary elecbill.usage_summary, usage jsonb, readings bigint, first timestamptz, last timestamptz,
	start_at timestamptz, start_wh bigint, end_at timestamptz, end_wh bigint, disputed timestamptz[], estimated boolean)
LANGUAGE sql STABLE ROWS 1
BEGIN ATOMIC
	SELECT u.usage, u.usage::jsonb, u.readings + 2 * coalesce(cardinality(d.profiles), 0),
		least(u.first, lower(d.packed)), greatest(u.last, upper(d.packed)), e.start_at,
		CASE WHEN e.start_at IS NOT NULL THEN (SELECT r.register_wh FROM elecbill.reading_effective r
			WHERE r.register_id = p_register AND r.read_at = e.start_at) END,
		e.end_at,
		CASE WHEN e.end_at IS NOT NULL THEN (SELECT r.register_wh FROM elecbill.reading_effective r
			WHERE r.register_id = p_register AND r.read_at = e.end_at) END,
		u.disputed, u.estimated
	FROM (
		SELECT array_agg(x.profile) AS profiles, range_agg(x.during) AS packed
		FROM elecbill._profile_days(p_point, 0, p_installation, p_from, p_to) AS x
		WHERE lower(x.during) <> ALL (p_disputed) AND upper(x.during) <> ALL (p_disputed)) AS d
	CROSS JOIN LATERAL (
		SELECT elecbill.register_usage(p_tariff, x.boundary, x.primary_wh, p_wrap_wh, x.quality, x.profile) AS usage,
			count(x.boundary) AS readings, min(x.boundary) AS first, max(x.boundary) AS last,
			-- boundaries and instants of readings rise together
			min(x.read_at) AS start_at, max(x.read_at) AS end_at, array_agg(x.boundary) FILTER (WHERE x.disputed) AS disputed,
			bool_or(x.quality & 4096 <> 0) AS estimated
		FROM (
			SELECT r.boundary, r.primary_wh, r.quality, r.read_at, r.disputed, NULL::elecbill.load_profile AS profile
			FROM elecbill._piece_readings(p_register, p_installation, p_multiplier, p_from, p_to, d.packed) AS r
		UNION ALL
			SELECT NULL, NULL, NULL, NULL, NULL, q.profile FROM unnest(d.profiles) AS q(profile)) AS x) AS u
	-- a loaded day needs no reading at its midnights
	CROSS JOIN LATERAL (SELECT CASE WHEN lower(d.packed) < u.first THEN NULL ELSE u.start_at END AS start_at,
		CASE WHEN upper(d.packed) > u.last THEN NULL ELSE u.end_at END AS end_at) AS e;
END;
COMMENT ON FUNCTION elecbill._segment_usage(elecbill.tariff, bigint, bigint, bigint, numeric, bigint, timestamptz, timestamptz, timestamptz[]) IS
'import energy of an installation from .. to, by profiles where they count, else by readings, and the readings at both ends. disputed: ends where a bill rests on another reading than a profile would; given again, the days there are taken from readings';

CREATE FUNCTION elecbill._pieces(p_parts elecbill.bill_part[])
RETURNS TABLE (i bigint, point_id bigint, price integer, installation_id bigint, register_id bigint, multiplier numeric,
	wrap_wh bigint, piece tstzrange)
LANGUAGE sql STABLE ROWS 1000
BEGIN ATOMIC
	SELECT p.i, p.point_id, p.price, n.id, g.id, n.multiplier, round(g.wrap_wh * n.multiplier)::bigint, n.valid * p.span
	FROM (SELECT a.ordinality AS i, a.price, (a.agreement).usage_point_id AS point_id, a.span
		FROM unnest(p_parts) WITH ORDINALITY AS a) AS p
	LEFT JOIN elecbill.meter_installation n ON n.usage_point_id = p.point_id AND n.role = 'main' AND n.valid && p.span
	LEFT JOIN elecbill.meter_register g ON g.meter_id = n.meter_id AND g.code = '1.8.0';
END;
COMMENT ON FUNCTION elecbill._pieces(elecbill.bill_part[]) IS
'the main meters of agreements in their days, a row each (or one without), and their total import register; i: number of the agreement in the array';

CREATE FUNCTION elecbill._piece_usage(p_parts elecbill.bill_part[], p_prices elecbill.plan_price[], p_disputed timestamptz[])
RETURNS TABLE (i bigint, installation_id bigint, register_id bigint, multiplier numeric, piece tstzrange,
	summary elecbill.usage_summary, usage jsonb, readings bigint, first timestamptz, last timestamptz, start_at timestamptz,
	start_wh bigint, end_at timestamptz, end_wh bigint, disputed timestamptz[], estimated boolean)
LANGUAGE plpgsql STABLE ROWS 1000 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	one record;
BEGIN
	IF cardinality(p_parts) > 1 THEN
		RETURN QUERY
		SELECT p.i, p.installation_id, p.register_id, p.multiplier, y.piece, u.*
		FROM elecbill._pieces(p_parts) AS p
		-- OFFSET 0: worked out once, not where it is used
		CROSS JOIN LATERAL (SELECT (p_prices[p.price]).tariff, p.wrap_wh, p.piece, lower(p.piece) AS from_at, upper(p.piece) AS to_at
			OFFSET 0) AS y
		CROSS JOIN LATERAL elecbill._segment_usage(y.tariff, p.point_id, p.installation_id, p.register_id, p.multiplier, y.wrap_wh,
			y.from_at, y.to_at, p_disputed) AS u
		ORDER BY p.i, y.piece;
	ELSE
		-- with parameters, so that of the months of reading only those are opened that are read
		FOR one IN SELECT * FROM elecbill._pieces(p_parts) AS p ORDER BY p.piece LOOP
			RETURN QUERY
			SELECT one.i, one.installation_id, one.register_id, one.multiplier, one.piece, u.*
			FROM elecbill._segment_usage((p_prices[one.price]).tariff, one.point_id, one.installation_id, one.register_id, one.multiplier,
				one.wrap_wh, lower(one.piece), upper(one.piece), p_disputed) AS u;
		END LOOP;
	END IF;
END $$;
COMMENT ON FUNCTION elecbill._piece_usage(elecbill.bill_part[], elecbill.plan_price[], timestamptz[]) IS
'_segment_usage() for the main meters of agreements, in their order; i: number of the agreement in the array';

CREATE FUNCTION elecbill._tiers_before(p_parts elecbill.bill_part[], p_prices elecbill.plan_price[])
RETURNS TABLE (i bigint, tiers elecbill.tier_before[], doubtful boolean)
LANGUAGE sql STABLE ROWS 1000
BEGIN ATOMIC
	SELECT t.i, t.tiers, EXISTS (SELECT FROM unnest(t.tiers) AS x
		WHERE NOT isempty(x.open_days) OR x.later IS NOT NULL OR x.taken > t.day)
	FROM (SELECT p.i, p.day, (
		SELECT array_agg(ROW(s.scope, s.since,
			(SELECT d.days FROM elecbill._unbilled_days(p.account_id, p.plan_id, s.since, p.day, p.period) AS d),
			(SELECT b.service FROM elecbill.bill b
				WHERE b.account_id = p.account_id AND b.live AND lower(b.service) >= upper(p.period)
					-- what is billed already may be worked out again, by simulate_bill()
					AND NOT EXISTS (SELECT FROM elecbill.bill x
						WHERE x.account_id = p.account_id AND x.live AND x.service && p.period)
					AND EXISTS (SELECT FROM jsonb_array_elements(b.snapshot -> 'parts') AS o(part),
							jsonb_array_elements(o.part -> 'scopes') AS c(scope)
						WHERE (o.part ->> 'plan_id')::bigint = p.plan_id AND (c.scope ->> 'start')::date = s.since)
				LIMIT 1),
			CASE WHEN s.since < p.day THEN (
				SELECT coalesce(sum((q.part ->> 'total_kwh')::numeric), 0)
				FROM elecbill.bill b, jsonb_array_elements(b.snapshot -> 'parts') AS o(part),
					elecbill._summary_parts(o.part -> 'summary') AS q(part)
				WHERE b.account_id = p.account_id AND b.live AND b.service && daterange(s.since, p.day)
					AND (o.part ->> 'plan_id')::bigint = p.plan_id
					AND (q.part ->> 'from')::date >= s.since AND (q.part ->> 'from')::date < p.day) + (
				SELECT coalesce(sum((c.one ->> 'kwh')::numeric), 0)
				FROM elecbill.bill b JOIN elecbill.bill_true_up t ON t.bill_id = b.id, jsonb_array_elements(t.usage) AS c(one)
				WHERE b.account_id = p.account_id AND b.live AND lower(b.service) < p.day
					AND (c.one ->> 'plan_id')::bigint = p.plan_id
					AND (c.one ->> 'from')::date >= s.since AND (c.one ->> 'from')::date < p.day)
			ELSE 0 END,
			(SELECT max(o.until) FROM elecbill.opening_item o WHERE o.account_id = p.account_id AND o.kind = 'energy'))::elecbill.tier_before
			ORDER BY s.n)
		FROM unnest((p_prices[p.price]).scopes, (p_prices[p.price]).starts) WITH ORDINALITY AS s(scope, since, n)) AS tiers
	FROM (SELECT a.ordinality AS i, a.price, a.account_id, a.period, (a.agreement).tariff_plan_id AS plan_id, lower(a.days) AS day
		FROM unnest(p_parts) WITH ORDINALITY AS a) AS p OFFSET 0) AS t;
END;
COMMENT ON FUNCTION elecbill._tiers_before(elecbill.bill_part[], elecbill.plan_price[]) IS
'what earlier bills, corrections of them included, say about the tier scopes of agreements, in the order of plan_price.scopes; NULL: the tariff has none. doubtful: the bill may be out of the order in which those of a tier scope are made. i: number of the agreement in the array';

CREATE FUNCTION elecbill._tier_check(p_tier elecbill.tier_before) RETURNS void
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF NOT isempty(p_tier.open_days) THEN
		RAISE EXCEPTION USING
			ERRCODE = 'UB412',
			CONSTRAINT = 'earlier_period_unbilled',
			MESSAGE = 'an earlier period of the same tier scope is not billed yet',
			DETAIL = format('The tiers count from %s; no bill covers %s.', p_tier.since, p_tier.open_days),
			HINT = 'Bill the earlier period first, then retry.';
	ELSIF p_tier.later IS NOT NULL THEN
		RAISE EXCEPTION USING
			ERRCODE = 'UB409',
			CONSTRAINT = 'later_period_billed',
			MESSAGE = 'a later period of the same tier scope is billed already',
			DETAIL = format('The bill for %s counted its tiers without these days.', p_tier.later),
			HINT = 'Cancel the later bills, then bill in order.';
	END IF;
END $$;
COMMENT ON FUNCTION elecbill._tier_check(elecbill.tier_before) IS
'bills of a tier scope are made in order: UB412 when a day before the period is not billed, UB409 when a later one is';

CREATE FUNCTION elecbill._last_day(p_during tstzrange, p_zone text) RETURNS date
LANGUAGE sql STABLE PARALLEL SAFE
RETURN ((upper(p_during) - interval '1 microsecond') AT TIME ZONE p_zone)::date;
COMMENT ON FUNCTION elecbill._last_day(tstzrange, text) IS 'the last local day of a range of instants';

CREATE FUNCTION elecbill._parts_lines(p_parts elecbill.bill_part[], p_prices elecbill.plan_price[])
RETURNS TABLE (i bigint, lines elecbill.bill_line[])
LANGUAGE sql STABLE ROWS 1000
BEGIN ATOMIC
	SELECT p.ordinality, (
		SELECT array_agg(ROW((p.agreement).org_id, NULL, l.n, (p.segments[1]).n,
			-- a plan that does not change in these days: nothing is to be looked for
			CASE WHEN k.kinds IS NOT NULL THEN (k.versions #>> '{0,id}')::bigint
				ELSE elecbill._line_version(k.versions, l.version, elecbill._last_day(l.during, p.zone)) END,
			coalesce(CASE WHEN k.kinds IS NOT NULL THEN k.kinds ->> l.code
				ELSE (elecbill._component_of(k.definition, l.code, l.version, elecbill._last_day(l.during, p.zone))).kind END, l.code),
			l.code, l.grp, nullif(l.label, l.code), l.period, l.tier, l.quantity,
			CASE l.unit WHEN 'percent' THEN 'money' ELSE l.unit END, l.price, l.factor,
			l.amount_raw, l.amount, l.during, l.quality)::elecbill.bill_line ORDER BY l.n)
		FROM elecbill.rate(k.tariff, p.summary, p.ctx) AS l)
	FROM unnest(p_parts) WITH ORDINALITY AS p
	JOIN unnest(p_prices) WITH ORDINALITY AS k ON k.ordinality = p.price;
END;
COMMENT ON FUNCTION elecbill._parts_lines(elecbill.bill_part[], elecbill.plan_price[]) IS
'the lines of rate() for agreements as those of bills, numbered from 1; segment_id is the number of the first segment of the agreement. i: number of the agreement in the array';
