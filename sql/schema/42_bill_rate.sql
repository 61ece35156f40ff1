-- 42_bill_rate.sql: from readings to the lines of one account; what a run and a preview share
-- Nothing here writes. Who cannot be billed raises an error whose CONSTRAINT field is the code that
-- bill_exception keeps.

CREATE FUNCTION elecbill._account_get(p_account text) RETURNS bigint
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	ids bigint[];
BEGIN
	-- OFFSET: the gate is asked about this account, not about each that the planner passes on the way
	SELECT array_agg(a.id) INTO ids
	FROM elecbill.org o CROSS JOIN LATERAL (
		SELECT x.org_id, x.id FROM elecbill.customer_account x WHERE x.org_id = o.id AND x.account_no IN (p_account,
			CASE WHEN starts_with(p_account, o.code || '/') THEN substr(p_account, length(o.code) + 2) END) OFFSET 0) AS a
	WHERE elecbill._account_open(a.org_id, a.id);
	IF ids IS NULL THEN
		RAISE EXCEPTION USING
			ERRCODE = 'UB404',
			MESSAGE = format('there is no account %s', quote_nullable(p_account));
	ELSIF cardinality(ids) > 1 THEN
		RAISE EXCEPTION USING
			ERRCODE = 'UB409',
			MESSAGE = format('account %s is not unique', quote_literal(p_account)),
			HINT = 'Put the code of the organisation before it: ORG/ACCOUNT.';
	END IF;
	RETURN ids[1];
END $$;
COMMENT ON FUNCTION elecbill._account_get(text) IS
'key of an account by its number, or ORG/NUMBER: the gate of every call that names an account; UB404 unknown or not open to elecbill.current_login(), UB409 when several orgs have it';

CREATE FUNCTION elecbill._local_time(p_at timestamptz, p_zone text) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
RETURN to_char(p_at AT TIME ZONE p_zone, 'YYYY-MM-DD HH24:MI:SS');
COMMENT ON FUNCTION elecbill._local_time(timestamptz, text) IS
'an instant by the wall clock of a zone, whatever the session is set to';

CREATE FUNCTION elecbill._segment_check(p_point bigint, p_installation bigint, p_piece tstzrange,
	p_readings bigint, p_first timestamptz, p_last timestamptz) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	serial text;
	zone text;
	quality integer;
	edge timestamptz;
BEGIN
	SELECT m.serial, o.zone INTO serial, zone
	FROM elecbill.meter_installation i
	JOIN elecbill.meter m ON m.id = i.meter_id
	JOIN elecbill.org o ON o.id = i.org_id
	WHERE i.id = p_installation;
	IF p_readings < 2 THEN
		RAISE EXCEPTION USING
			ERRCODE = 'UB404',
			CONSTRAINT = 'no_readings',
			MESSAGE = format('meter %s has %s in the period', serial,
				CASE p_readings WHEN 0 THEN 'no reading' ELSE 'one reading' END),
			DETAIL = format('Energy is the difference of two readings from %s to %s.',
				elecbill._local_time(lower(p_piece), zone), elecbill._local_time(upper(p_piece), zone)),
			HINT = 'Read the meter or import its readings, then retry.';
	END IF;
	-- The energy from the last reading before a boundary to the first one behind it belongs to two
	-- bills. It is not shared by guess. But where that first one is a restart, nothing is known of
	-- this energy: it is missing from both bills alike, and said there.
	IF p_first > lower(p_piece) THEN
		SELECT p.quality INTO quality
		FROM elecbill.point_readings(p_point, tstzrange(p_first, p_first, '[]')) AS p
		WHERE p.installation_id = p_installation AND p.code = '1.8.0' AND p.boundary = p_first;
		edge := CASE WHEN quality & 512 = 0 THEN lower(p_piece) END;
	END IF;
	IF edge IS NULL AND p_last < upper(p_piece) THEN
		SELECT p.quality INTO quality
		FROM elecbill.point_readings(p_point, tstzrange(upper(p_piece), NULL)) AS p
		WHERE p.installation_id = p_installation AND p.code = '1.8.0'
		ORDER BY p.boundary LIMIT 1;
		edge := CASE WHEN NOT FOUND OR quality & 512 = 0 THEN upper(p_piece) END;
	END IF;
	IF edge IS NOT NULL THEN
		RAISE EXCEPTION USING
			ERRCODE = 'UB404',
			CONSTRAINT = 'no_boundary_reading',
			MESSAGE = format('meter %s has no reading at %s', serial, elecbill._local_time(edge, zone)),
			DETAIL = format('Its first reading in the period is at %s, its last at %s.',
				elecbill._local_time(p_first, zone), elecbill._local_time(p_last, zone)),
			HINT = 'Import the reading of this instant, then retry.';
	END IF;
END $$;
COMMENT ON FUNCTION elecbill._segment_check(bigint, bigint, tstzrange, bigint, timestamptz, timestamptz) IS
'UB404 no_readings or no_boundary_reading when the energy of a meter in a range cannot be told';

CREATE FUNCTION elecbill._segment_backwards(p_point bigint, p_installation bigint, p_piece tstzrange,
	p_held integer) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	serial text;
	zone text;
	fall record;
BEGIN
	SELECT m.serial, o.zone INTO serial, zone
	FROM elecbill.meter_installation i
	JOIN elecbill.meter m ON m.id = i.meter_id
	JOIN elecbill.org o ON o.id = i.org_id
	WHERE i.id = p_installation;
	SELECT * INTO fall
	FROM (SELECT p.boundary, p.primary_wh, p.quality,
			lag(p.primary_wh) OVER w AS before_wh, lag(p.boundary) OVER w AS before_at
		FROM elecbill.point_readings(p_point, p_piece) AS p
		WHERE p.installation_id = p_installation AND p.code = '1.8.0'
		WINDOW w AS (ORDER BY p.boundary)) AS r
	WHERE r.primary_wh < r.before_wh AND r.quality & 512 = 0 ORDER BY r.boundary LIMIT 1;
	RAISE EXCEPTION USING
		ERRCODE = 'UB422',
		CONSTRAINT = 'register_backwards',
		MESSAGE = format('register of meter %s ran backwards', serial),
		DETAIL = format('%s difference(s) held; the first from %s Wh at %s to %s Wh at %s.', p_held,
			fall.before_wh, elecbill._local_time(fall.before_at, zone), fall.primary_wh,
			elecbill._local_time(fall.boundary, zone)),
		HINT = 'Find out which reading is wrong; a register that was reset needs a reading flagged restart.';
END $$;
COMMENT ON FUNCTION elecbill._segment_backwards(bigint, bigint, tstzrange, integer) IS
'raises UB422 register_backwards and says where';

CREATE FUNCTION elecbill._reading_primary(p_register bigint, p_multiplier numeric, p_at timestamptz,
	OUT primary_wh bigint, OUT quality integer)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	SELECT round(r.register_wh * p_multiplier)::bigint, r.quality INTO primary_wh, quality
	FROM elecbill.reading_effective r WHERE r.register_id = p_register AND r.read_at = p_at;
END $$;
COMMENT ON FUNCTION elecbill._reading_primary(bigint, numeric, timestamptz) IS
'the value of a register at an instant, times the multiplier; NULL: none counts';

CREATE FUNCTION elecbill._billed_ends(p_installation bigint, p_piece tstzrange, OUT boundary timestamptz[], OUT at timestamptz[])
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	SELECT array_agg(x.boundary), array_agg(x.at) INTO boundary, at
	FROM (SELECT DISTINCT ON (e.boundary) e.boundary, e.at
		FROM elecbill.bill_segment s
		JOIN elecbill.bill b ON b.id = s.bill_id
		CROSS JOIN LATERAL (VALUES (lower(s.during), s.start_at), (upper(s.during), s.end_at)) AS e(boundary, at)
		WHERE s.installation_id = p_installation AND b.live AND e.at IS NOT NULL
			AND e.boundary IN (lower(p_piece), upper(p_piece))
		ORDER BY e.boundary, e.at) AS x;
END $$;
COMMENT ON FUNCTION elecbill._billed_ends(bigint, tstzrange) IS
'those ends of a range at which a bill before or behind it rests on a reading, and the read_at of that';

CREATE FUNCTION elecbill._piece_readings(p_register bigint, p_installation elecbill.meter_installation, p_piece tstzrange,
	p_packed tstzmultirange)
RETURNS TABLE (boundary timestamptz, primary_wh bigint, quality integer, read_at timestamptz, disputed boolean)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	billed record;
	ends tstzrange[] := ARRAY[tstzrange(lower(p_piece) - interval '12 hours', lower(p_piece) + interval '12 hours', '[]'),
		tstzrange(upper(p_piece) - interval '12 hours', upper(p_piece) + interval '12 hours', '[]')];
BEGIN
	-- days that were loaded have no readings at all
	IF p_packed @> p_piece AND NOT EXISTS (SELECT FROM unnest(ends) AS e(near)
		CROSS JOIN LATERAL (SELECT FROM elecbill.reading_effective r WHERE r.register_id = p_register
			AND r.read_at >= lower(e.near) AND r.read_at <= upper(e.near) LIMIT 1) AS x)
	THEN
		RETURN;
	END IF;
	-- Where two bills meet they rest on one reading, also when an earlier one came late into its slot:
	-- else the energy between the two would be on both.
	billed := elecbill._billed_ends(p_installation.id, p_piece);
	IF p_packed IS NULL THEN
		RETURN QUERY
		SELECT p.boundary, coalesce(k.primary_wh, p.primary_wh), coalesce(k.quality, p.quality),
			CASE WHEN k.primary_wh IS NULL THEN p.read_at ELSE e.at END, k.primary_wh IS NOT NULL
		FROM elecbill._boundary_readings(p_register, p_installation.multiplier, lower(p_piece), upper(p_piece)) AS p
		LEFT JOIN unnest(billed.boundary, billed.at) AS e(boundary, at) ON e.boundary = p.boundary AND e.at <> p.read_at
		LEFT JOIN LATERAL elecbill._reading_primary(p_register, p_installation.multiplier, e.at) AS k ON e.at IS NOT NULL;
	ELSE
		RETURN QUERY
		SELECT p.boundary, coalesce(k.primary_wh, p.primary_wh),
			CASE WHEN p.behind THEN p.quality ELSE coalesce(k.quality, p.quality) END,
			CASE WHEN k.primary_wh IS NULL THEN p.read_at ELSE e.at END, k.primary_wh IS NOT NULL
		FROM elecbill._usage_readings(p_register, p_installation.multiplier, lower(p_piece), upper(p_piece), p_packed) AS p
		LEFT JOIN unnest(billed.boundary, billed.at) AS e(boundary, at) ON e.boundary = p.boundary AND e.at <> p.read_at
		LEFT JOIN LATERAL elecbill._reading_primary(p_register, p_installation.multiplier, e.at) AS k ON e.at IS NOT NULL;
	END IF;
END $$;
COMMENT ON FUNCTION elecbill._piece_readings(bigint, elecbill.meter_installation, tstzrange, tstzmultirange) IS
'the readings of an installation in a range that count beside packed days, as _usage_readings(); disputed: a bill rests on another one at this end, which is given instead';

CREATE FUNCTION elecbill._segment_usage(p_tariff elecbill.tariff, p_installation elecbill.meter_installation,
	p_register bigint, p_wrap_wh bigint, p_piece tstzrange, p_disputed timestamptz[],
	OUT usage elecbill.usage_summary, OUT readings bigint, OUT first timestamptz, OUT last timestamptz,
	OUT start_at timestamptz, OUT start_wh bigint, OUT end_at timestamptz, OUT end_wh bigint,
	OUT disputed timestamptz[], OUT estimated boolean)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	profiles elecbill.load_profile[];
	packed tstzmultirange;
BEGIN
	SELECT array_agg(d.profile), range_agg(d.during) INTO profiles, packed
	FROM elecbill._profile_days(p_installation.usage_point_id, 0, p_installation.id, lower(p_piece), upper(p_piece)) AS d
	WHERE lower(d.during) <> ALL (p_disputed) AND upper(d.during) <> ALL (p_disputed);
	SELECT elecbill.register_usage(p_tariff, x.boundary, x.primary_wh, p_wrap_wh, x.quality, x.profile),
		count(x.boundary), min(x.boundary), max(x.boundary),
		-- boundaries and instants of readings rise together
		min(x.read_at), max(x.read_at), array_agg(x.boundary) FILTER (WHERE x.disputed), bool_or(x.quality & 4096 <> 0)
	INTO usage, readings, first, last, start_at, end_at, disputed, estimated
	FROM (
		SELECT p.boundary, p.primary_wh, p.quality, p.read_at, p.disputed, NULL::elecbill.load_profile AS profile
		FROM elecbill._piece_readings(p_register, p_installation, p_piece, packed) AS p
	UNION ALL
		SELECT NULL, NULL, NULL, NULL, NULL, d.profile FROM unnest(profiles) AS d(profile)) AS x;
	-- a loaded day needs no reading at its midnights
	start_at := CASE WHEN lower(packed) < first THEN NULL ELSE start_at END;
	end_at := CASE WHEN upper(packed) > last THEN NULL ELSE end_at END;
	first := least(first, lower(packed));
	last := greatest(last, upper(packed));
	readings := readings + 2 * coalesce(cardinality(profiles), 0);
	IF start_at IS NOT NULL THEN
		start_wh := (elecbill._reading_primary(p_register, 1, start_at)).primary_wh;
	END IF;
	IF end_at IS NOT NULL THEN
		end_wh := (elecbill._reading_primary(p_register, 1, end_at)).primary_wh;
	END IF;
END $$;
COMMENT ON FUNCTION elecbill._segment_usage(elecbill.tariff, elecbill.meter_installation, bigint, bigint, tstzrange, timestamptz[]) IS
'import energy of an installation in a range, by profiles where they count, else by readings, and the readings at its ends. disputed: ends where a bill rests on another reading than a profile would; given again, the days there are taken from readings';

CREATE FUNCTION elecbill._rate_segments(p_agreement elecbill.customer_agreement, p_span tstzrange,
	p_tariff elecbill.tariff, p_first_n integer, OUT segments elecbill.bill_segment[],
	OUT summary elecbill.usage_summary, OUT missing_s bigint)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	one record;
	piece tstzrange;
	u record;
	facts jsonb;
	seg elecbill.bill_segment;
BEGIN
	missing_s := extract(epoch FROM upper(p_span) - lower(p_span));
	FOR one IN
		SELECT i AS inst, i.id, i.multiplier, i.valid * p_span AS piece, g.id AS register_id,
			round(g.wrap_wh * i.multiplier)::bigint AS wrap_wh
		FROM elecbill.meter_installation i
		LEFT JOIN elecbill.meter_register g ON g.meter_id = i.meter_id AND g.code = '1.8.0'
		WHERE i.usage_point_id = p_agreement.usage_point_id AND i.role = 'main' AND i.valid && p_span
		ORDER BY i.valid
	LOOP
		piece := one.piece;
		u := elecbill._segment_usage(p_tariff, one.inst, one.register_id, one.wrap_wh, piece, '{}');
		IF u.disputed IS NOT NULL THEN
			u := elecbill._segment_usage(p_tariff, one.inst, one.register_id, one.wrap_wh, piece, u.disputed);
		END IF;
		IF u.readings < 2 OR u.first > lower(piece) OR u.last < upper(piece) THEN
			PERFORM elecbill._segment_check(p_agreement.usage_point_id, one.id, piece, u.readings, u.first, u.last);
		END IF;
		facts := u.usage::jsonb;
		IF (facts ->> 'held')::integer > 0 THEN
			PERFORM elecbill._segment_backwards(p_agreement.usage_point_id, one.id,
				tstzrange(lower(piece), upper(piece), '[]'), (facts ->> 'held')::integer);
		END IF;
		seg.missing_s := (facts ->> 'missing_s')::bigint
			+ extract(epoch FROM u.first - lower(piece) + (upper(piece) - u.last));
		seg := ROW(NULL, p_agreement.org_id, NULL, p_first_n + coalesce(cardinality(segments), 0), p_agreement.id,
			p_agreement.usage_point_id, one.id, tstzrange(u.first, u.last), one.register_id, u.start_at, u.start_wh,
			u.end_at, u.end_wh, one.multiplier, (facts ->> 'total_kwh')::numeric * 1000, seg.missing_s,
			CASE WHEN seg.missing_s > 0 THEN 'missing' WHEN u.estimated THEN 'estimated' ELSE facts ->> 'quality' END);
		segments := segments || seg;
		summary := CASE WHEN summary IS NULL THEN u.usage
			ELSE elecbill.usage_merge(summary, u.usage) END;
		missing_s := missing_s - extract(epoch FROM upper(piece) - lower(piece))::bigint + seg.missing_s;
	END LOOP;
	IF segments IS NULL THEN
		RAISE EXCEPTION USING
			ERRCODE = 'UB404',
			CONSTRAINT = 'no_installation',
			MESSAGE = format('usage point %s has no main meter in the period',
				(SELECT code FROM elecbill.usage_point WHERE id = p_agreement.usage_point_id)),
			DETAIL = format('Asked for %s.', p_span);
	END IF;
END $$;
COMMENT ON FUNCTION elecbill._rate_segments(elecbill.customer_agreement, tstzrange, elecbill.tariff, integer) IS
'energy of an agreement in a range: a segment per installed meter, numbered from first_n, and all of them as one usage_summary';

CREATE FUNCTION elecbill._scope_kwh(p_summaries jsonb[], p_scope text, p_price elecbill.plan_price) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	-- mostly one run of days of one version: nothing is to be summed
	IF cardinality(p_summaries) = 1 AND jsonb_array_length(p_summaries[1] -> 'parts') = 1 THEN
		RETURN jsonb_build_object(elecbill._scope_start(p_scope, (p_summaries[1] #>> '{parts,0,from}')::date, p_price.year_start,
			p_price.month_day), p_summaries[1] #> '{parts,0,total_kwh}');
	END IF;
	RETURN (
		SELECT jsonb_object_agg(s.start, s.kwh)
		FROM (SELECT elecbill._scope_start(p_scope, (q.part ->> 'from')::date, p_price.year_start, p_price.month_day) AS start,
				sum((q.part ->> 'total_kwh')::numeric) AS kwh
			FROM unnest(p_summaries) AS u(summary), elecbill._summary_parts(u.summary) AS q(part)
			GROUP BY 1) AS s);
END $$;
COMMENT ON FUNCTION elecbill._scope_kwh(jsonb[], text, elecbill.plan_price) IS
'kWh of usage summaries by the month, quarter or year of their days: {first day: kWh}';

CREATE FUNCTION elecbill._scopes_apart(p_scope text, p_counted jsonb, p_earlier jsonb) RETURNS void
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	since date;
BEGIN
	-- rate() can be told what was used before in its first scope only
	SELECT (c.scope ->> 'start')::date INTO since FROM jsonb_array_elements(p_counted) WITH ORDINALITY AS c(scope, i)
	WHERE c.i > 1 AND (p_earlier ->> (c.scope ->> 'start'))::numeric > 0 ORDER BY c.i LIMIT 1;
	IF FOUND THEN
		RAISE EXCEPTION USING
			ERRCODE = 'UB409',
			CONSTRAINT = 'tier_scopes',
			MESSAGE = format('several usage points of the account count their tiers together over more than one %s', p_scope),
			HINT = format('Bill up to %s and from it on, as two off-cycle periods.', since);
	END IF;
END $$;
COMMENT ON FUNCTION elecbill._scopes_apart(text, jsonb, jsonb) IS
'UB409 tier_scopes when agreements before this one on the same bill used energy in a later scope than the first';

CREATE FUNCTION elecbill._rate_scopes(p_price elecbill.plan_price, p_parts jsonb, p_account bigint,
	p_day date, p_period daterange, p_usage jsonb, p_true_up jsonb, OUT before jsonb, OUT scopes jsonb)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	plan bigint := p_price.plan_id;
	one text;
	since date;
	earlier jsonb;
	rated numeric;
	used jsonb;
	counted jsonb;
BEGIN
	before := '{}';
	scopes := '[]';
	FOREACH one IN ARRAY coalesce(p_price.scopes, '{}') LOOP
		since := elecbill._scope_start(one, p_day, p_price.year_start, p_price.month_day);
		-- what the agreements before this one on the same bill have used, by scope
		earlier := NULL;
		IF p_parts <> '[]' THEN
			earlier := elecbill._scope_kwh(ARRAY(SELECT p.part -> 'summary' FROM jsonb_array_elements(p_parts) AS p(part)
				WHERE (p.part ->> 'plan_id')::bigint = plan), one, p_price);
		END IF;
		rated := elecbill._tier_before(p_account, plan, since, p_day, p_period)
			+ elecbill._opening_kwh(p_account, plan, one, since, p_day)
			+ elecbill._usage_kwh(p_true_up, plan, since, p_day)
			+ coalesce((earlier ->> since::text)::numeric, 0);
		before := before || jsonb_build_object(one, rated);
		used := elecbill._scope_kwh(ARRAY[p_usage], one, p_price);
		IF used ? since::text AND used - since::text = '{}' THEN
			counted := jsonb_build_array(jsonb_build_object('scope', one, 'start', since, 'kwh', used -> since::text, 'before', rated));
		ELSE
			SELECT jsonb_agg(jsonb_build_object('scope', one, 'start', s.key, 'kwh', s.value,
				'before', CASE s.key WHEN since::text THEN rated ELSE 0 END) ORDER BY s.key) INTO counted
			FROM jsonb_each(used) AS s;
		END IF;
		IF earlier IS NOT NULL THEN
			PERFORM elecbill._scopes_apart(one, counted, earlier);
		END IF;
		scopes := scopes || coalesce(counted, '[]');
	END LOOP;
END $$;
COMMENT ON FUNCTION elecbill._rate_scopes(elecbill.plan_price, jsonb, bigint, date, daterange, jsonb, jsonb) IS
'the tier scopes of a tariff beyond the bill: kWh before the first day (ctx.before of rate()), and kWh of these parts by scope. true_up: what this bill corrects of earlier ones, as bill_true_up.usage';

CREATE FUNCTION elecbill._rate_lines(p_agreement elecbill.customer_agreement, p_price elecbill.plan_price,
	p_summary elecbill.usage_summary, p_ctx jsonb, p_zone text, p_after integer, p_segment integer)
RETURNS elecbill.bill_line[]
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	only_version bigint;
BEGIN
	-- a plan that does not change in these days: nothing is to be looked for
	IF p_price.kinds IS NOT NULL THEN
		only_version := (p_price.versions #>> '{0,id}')::bigint;
		RETURN (
			SELECT array_agg(ROW(p_agreement.org_id, NULL, p_after + l.n, p_segment, only_version,
				coalesce(p_price.kinds ->> l.code, l.code), l.code, l.grp, nullif(l.label, l.code), l.period, l.tier, l.quantity,
				CASE l.unit WHEN 'percent' THEN 'money' ELSE l.unit END, l.price, l.factor,
				l.amount_raw, l.amount, l.during, l.quality)::elecbill.bill_line ORDER BY l.n)
			FROM elecbill.rate(p_price.tariff, p_summary, p_ctx) AS l);
	END IF;
	RETURN (
		SELECT array_agg(ROW(p_agreement.org_id, NULL, p_after + l.n, p_segment,
			elecbill._line_version(p_price.versions, l.version, d.last),
			coalesce(c.kind, l.code), l.code, l.grp, nullif(l.label, l.code), l.period, l.tier, l.quantity,
			CASE l.unit WHEN 'percent' THEN 'money' ELSE l.unit END, l.price, l.factor,
			l.amount_raw, l.amount, l.during, l.quality)::elecbill.bill_line ORDER BY l.n)
		FROM elecbill.rate(p_price.tariff, p_summary, p_ctx) AS l,
			LATERAL (SELECT ((upper(l.during) - interval '1 microsecond') AT TIME ZONE p_zone)::date AS last) AS d,
			LATERAL elecbill._component_of(p_price.definition, l.code, l.version, d.last) AS c);
END $$;
COMMENT ON FUNCTION elecbill._rate_lines(elecbill.customer_agreement, elecbill.plan_price, elecbill.usage_summary, jsonb, text, integer, integer) IS
'the lines of rate() as those of a bill, numbered behind others; segment: number of the first segment of the agreement';

CREATE FUNCTION elecbill._rate_account(p_account bigint, p_period daterange, p_known_at timestamptz,
	p_override jsonb, p_true_up jsonb DEFAULT '[]', INOUT known elecbill.plan_price[] DEFAULT '{}', OUT service daterange,
	OUT segments elecbill.bill_segment[], OUT lines elecbill.bill_line[], OUT snapshot jsonb, OUT definitions jsonb,
	OUT missing_s bigint)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC' SET datestyle = 'ISO, YMD'
-- planned once per session: to plan over all months of reading takes as long as to read one
SET plan_cache_mode = force_generic_plan SET jit = off AS $$
DECLARE
	zone text;
	price elecbill.plan_price := known[1];
	parts jsonb := jsonb '[]';
	agr elecbill.customer_agreement;
	days daterange;
	span tstzrange;
	s record;
	sc record;
	history record;
	since date;
	summary jsonb;
	ctx jsonb;
	first_n integer;
BEGIN
	missing_s := 0;
	definitions := '{}';
	FOR agr IN
		SELECT * FROM elecbill.customer_agreement g
		WHERE g.account_id = p_account AND g.valid && p_period ORDER BY lower(g.valid), g.id
	LOOP
		days := agr.valid * p_period;
		IF zone IS NULL THEN
			zone := (SELECT o.zone FROM elecbill.org o WHERE o.id = agr.org_id);
		END IF;
		span := tstzrange(elecbill.day_start(lower(days), zone), elecbill.day_start(upper(days), zone));
		IF (price.plan_id, price.days, price.known_at) = (agr.tariff_plan_id, days, p_known_at) IS NOT TRUE
			OR p_override IS NOT NULL
		THEN
			price := elecbill._plan_price(agr, days, p_known_at, p_override);
			definitions := definitions || jsonb_build_object(price.sha256, price.definition);
		END IF;
		first_n := coalesce(cardinality(segments), 0) + 1;
		s := elecbill._rate_segments(agr, span, price.tariff, first_n);
		summary := s.summary::jsonb;
		sc := elecbill._rate_scopes(price, parts, p_account, lower(days), p_period, summary, p_true_up);
		ctx := CASE jsonb_array_length(price.versions) WHEN 1 THEN jsonb_build_object('version', price.versions #> '{0,version}')
			ELSE '{}' END || jsonb_build_object(
			'before', sc.before, 'final', true,
			'during', jsonb_build_array(lower(span), upper(span)), 'attrs', coalesce((
			SELECT jsonb_object_agg(CASE x.name WHEN 'household_size' THEN 'persons' ELSE x.name END, x.value)
			FROM elecbill.agreement_attribute x
			WHERE x.agreement_id = agr.id AND x.valid @> lower(days)), '{}'));
		since := NULL;
		IF price.looks_back THEN
			history := elecbill._rate_history(price.definition, agr, days, p_period);
			ctx := ctx || history.ctx;
			since := history.since;
		END IF;
		lines := lines || elecbill._rate_lines(agr, price, s.summary, ctx, zone, coalesce(cardinality(lines), 0), first_n);
		parts := parts || (jsonb_build_object('agreement_id', agr.id, 'plan_id', agr.tariff_plan_id,
			'definition', price.sha256,
			'from', lower(days), 'to', upper(days), 'ctx', ctx, 'scopes', sc.scopes,
			'summary', summary) || CASE jsonb_array_length(price.versions)
			WHEN 1 THEN jsonb_build_object('tariff_version_id', price.versions #> '{0,id}', 'version', price.versions #> '{0,version}')
			WHEN 0 THEN jsonb_build_object('tariff_version_id', NULL, 'version', NULL)
			ELSE jsonb_build_object('versions', price.versions) END
			|| jsonb_strip_nulls(jsonb_build_object('since', since)));
		segments := segments || s.segments;
		missing_s := missing_s + s.missing_s;
		service := daterange(least(lower(service), lower(days)), greatest(upper(service), upper(days)));
	END LOOP;
	IF service IS NULL THEN
		RAISE EXCEPTION USING
			ERRCODE = 'UB404',
			CONSTRAINT = 'no_agreement',
			MESSAGE = format('account %s has no agreement in %s',
				(SELECT account_no FROM elecbill.customer_account WHERE id = p_account), p_period),
			HINT = 'An agreement says which usage point the account pays for, by which tariff.';
	END IF;
	snapshot := jsonb_build_object('known_at', p_known_at, 'parts', parts);
	known := ARRAY[price];
END $$;
COMMENT ON FUNCTION elecbill._rate_account(bigint, daterange, timestamptz, jsonb, jsonb, elecbill.plan_price[]) IS
'all of a bill but the writing: service days, segments, lines (segment_id is the number of the segment), snapshot, seconds without data. override: a tariff to use instead of that of the agreements; true_up: what the bill corrects of earlier ones, as bill_true_up.usage; known: the price of the last account, given back as that of this one. definitions by sha256: those that were not in it';
