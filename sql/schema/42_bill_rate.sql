-- 42_bill_rate.sql: from readings to the lines of one account; what a run and a preview share
-- Nothing here writes. Who cannot be billed raises an error whose CONSTRAINT field is the code that
-- bill_exception keeps.
--
-- Where tiers count over a month, quarter or year, the energy before the first day of a bill is that
-- of the live bills (drafts and issued ones) of the same account and plan in the same scope. So the
-- periods of such an account are rated in order: each day since the scope began on which the account
-- had an agreement on the plan must be billed, and no later day may be.

CREATE FUNCTION elecbill._account_get(p_account text) RETURNS bigint
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	ids bigint[];
BEGIN
	SELECT array_agg(a.id) INTO ids
	FROM elecbill.org o JOIN elecbill.customer_account a ON a.org_id = o.id
		AND a.account_no IN (p_account,
			CASE WHEN starts_with(p_account, o.code || '/') THEN substr(p_account, length(o.code) + 2) END);
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
'key of an account by its number, or ORG/NUMBER; UB404 unknown, UB409 when several orgs have it';

CREATE FUNCTION elecbill._scope_start(p_scope text, p_day date, p_year_start text, p_month_day integer)
RETURNS date
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE p_scope
	WHEN 'month' THEN date_trunc('month', (p_day - (p_month_day - 1))::timestamp)::date + (p_month_day - 1)
	ELSE (
		SELECT max(s.start)
		FROM generate_series(-1, 0) AS y,
			generate_series(0, CASE p_scope WHEN 'quarter' THEN 9 ELSE 0 END, 3) AS q,
			LATERAL (SELECT make_date(extract(year FROM p_day)::integer + y,
				left(p_year_start, 2)::integer, 1) + make_interval(months => q)) AS m(first),
			LATERAL (SELECT least(m.first + make_interval(days => right(p_year_start, 2)::integer - 1),
				m.first + interval '1 month')::date) AS s(start)
		WHERE s.start <= p_day)
	END;
COMMENT ON FUNCTION elecbill._scope_start(text, date, text, integer) IS
'first day of the tier month, quarter or year that holds a day; a date the month lacks is the first of the next, as in the engine';

CREATE FUNCTION elecbill._parts_kwh(p_parts jsonb, p_plan bigint, p_from date, p_to date)
RETURNS numeric
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (
	SELECT coalesce(sum((q.part ->> 'total_kwh')::numeric), 0)
	FROM jsonb_array_elements(p_parts) AS p(part),
		jsonb_array_elements(p.part #> '{summary,parts}') AS q(part)
	WHERE (p.part ->> 'plan_id')::bigint = p_plan
		AND (q.part ->> 'from')::date >= p_from AND (q.part ->> 'from')::date < p_to);
COMMENT ON FUNCTION elecbill._parts_kwh(jsonb, bigint, date, date) IS
'kWh of a plan in the parts of a bill snapshot whose run of days begins in [from, to)';

CREATE FUNCTION elecbill._tier_before(p_account bigint, p_plan bigint, p_scope_start date, p_day date,
	p_period daterange) RETURNS numeric
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	open_days datemultirange;
	later record;
	kwh numeric;
BEGIN
	SELECT coalesce(range_agg(g.valid * daterange(p_scope_start, p_day)), '{}')
		- datemultirange(p_period)
		- (SELECT coalesce(range_agg(b.service), '{}') FROM elecbill.bill b
		   WHERE b.account_id = p_account AND b.live AND b.kind IN ('regular', 'final'))
	INTO open_days
	FROM elecbill.customer_agreement g
	WHERE g.account_id = p_account AND g.tariff_plan_id = p_plan
		AND g.valid && daterange(p_scope_start, p_day);
	IF NOT isempty(open_days) THEN
		RAISE EXCEPTION USING
			ERRCODE = 'UB412',
			CONSTRAINT = 'earlier_period_unbilled',
			MESSAGE = 'an earlier period of the same tier scope is not billed yet',
			DETAIL = format('The tiers count from %s; no bill covers %s.', p_scope_start, open_days),
			HINT = 'Bill the earlier period first, then retry.';
	END IF;
	SELECT b.service INTO later
	FROM elecbill.bill b
	WHERE b.account_id = p_account AND b.live AND lower(b.service) >= upper(p_period)
		-- what is billed already may be worked out again, by simulate_bill()
		AND NOT EXISTS (SELECT FROM elecbill.bill x
			WHERE x.account_id = p_account AND x.live AND x.service && p_period)
		AND EXISTS (SELECT FROM jsonb_array_elements(b.snapshot -> 'parts') AS p(part),
				jsonb_array_elements(p.part -> 'scopes') AS s(scope)
			WHERE (p.part ->> 'plan_id')::bigint = p_plan
				AND (s.scope ->> 'start')::date = p_scope_start)
	LIMIT 1;
	IF FOUND THEN
		RAISE EXCEPTION USING
			ERRCODE = 'UB409',
			CONSTRAINT = 'later_period_billed',
			MESSAGE = 'a later period of the same tier scope is billed already',
			DETAIL = format('The bill for %s counted its tiers without these days.', later.service),
			HINT = 'Cancel the later bills, then bill in order.';
	END IF;
	SELECT coalesce(sum(elecbill._parts_kwh(b.snapshot -> 'parts', p_plan, p_scope_start, p_day)), 0)
	INTO kwh
	FROM elecbill.bill b
	WHERE b.account_id = p_account AND b.live AND b.service && daterange(p_scope_start, p_day);
	RETURN kwh;
END $$;
COMMENT ON FUNCTION elecbill._tier_before(bigint, bigint, date, date, daterange) IS
'kWh on live bills of an account and plan from the start of a tier scope to a day; UB412 when a day before the period is not billed, UB409 when a later one is';

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

CREATE FUNCTION elecbill._billed_readings(p_installation bigint, p_piece tstzrange)
RETURNS TABLE (boundary timestamptz, primary_wh bigint, quality integer, read_at timestamptz)
LANGUAGE sql STABLE ROWS 2
BEGIN ATOMIC
	SELECT DISTINCT ON (e.boundary) e.boundary, round(r.register_wh * s.multiplier)::bigint, r.quality,
		r.read_at
	FROM elecbill.bill_segment s
	JOIN elecbill.bill b ON b.id = s.bill_id
	CROSS JOIN LATERAL (VALUES (lower(s.during), s.start_at), (upper(s.during), s.end_at)) AS e(boundary, at)
	JOIN elecbill.reading r ON r.register_id = s.register_id AND r.read_at = e.at
	WHERE s.installation_id = p_installation AND b.live
		AND e.boundary IN (lower(p_piece), upper(p_piece))
	ORDER BY e.boundary, r.read_at;
END;
COMMENT ON FUNCTION elecbill._billed_readings(bigint, tstzrange) IS
'the readings at both ends of a range on which a bill before or behind it rests';

CREATE FUNCTION elecbill._rate_segments(p_agreement elecbill.customer_agreement, p_span tstzrange,
	p_tariff elecbill.tariff, p_first_n integer, OUT segments elecbill.bill_segment[],
	OUT summary elecbill.usage_summary, OUT missing_s bigint)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	inst elecbill.meter_installation;
	piece tstzrange;
	register record;
	u record;
	facts jsonb;
	seg elecbill.bill_segment;
BEGIN
	missing_s := extract(epoch FROM upper(p_span) - lower(p_span));
	FOR inst IN
		SELECT * FROM elecbill.meter_installation i
		WHERE i.usage_point_id = p_agreement.usage_point_id AND i.role = 'main' AND i.valid && p_span
		ORDER BY i.valid
	LOOP
		piece := inst.valid * p_span;
		SELECT g.id, round(g.wrap_wh * inst.multiplier)::bigint AS wrap_wh INTO register
		FROM elecbill.meter_register g WHERE g.meter_id = inst.meter_id AND g.code = '1.8.0';
		-- Where two bills meet they rest on one reading, also when an earlier one came late into its slot:
		-- else the energy between the two would be on both.
		SELECT elecbill.register_usage(p_tariff, p.boundary, coalesce(k.primary_wh, p.primary_wh),
				register.wrap_wh, coalesce(k.quality, p.quality)) AS usage,
			count(*) AS readings, min(p.boundary) AS first, max(p.boundary) AS last,
			-- boundaries and instants of readings rise together
			min(coalesce(k.read_at, p.read_at)) AS first_read_at,
			max(coalesce(k.read_at, p.read_at)) AS last_read_at
		INTO u
		FROM elecbill._boundary_readings(register.id, inst.multiplier, lower(piece), upper(piece)) AS p
		LEFT JOIN elecbill._billed_readings(inst.id, piece) AS k ON k.boundary = p.boundary;
		PERFORM elecbill._segment_check(p_agreement.usage_point_id, inst.id, piece, u.readings,
			u.first, u.last);
		facts := u.usage::jsonb;
		IF (facts ->> 'held')::integer > 0 THEN
			PERFORM elecbill._segment_backwards(p_agreement.usage_point_id, inst.id,
				tstzrange(lower(piece), upper(piece), '[]'), (facts ->> 'held')::integer);
		END IF;
		seg := NULL;
		seg.org_id := p_agreement.org_id;
		seg.n := p_first_n + coalesce(cardinality(segments), 0);
		seg.agreement_id := p_agreement.id;
		seg.usage_point_id := p_agreement.usage_point_id;
		seg.installation_id := inst.id;
		seg.during := tstzrange(u.first, u.last);
		seg.register_id := register.id;
		seg.start_at := u.first_read_at;
		seg.start_wh := (SELECT r.register_wh FROM elecbill.reading r
			WHERE r.register_id = register.id AND r.read_at = u.first_read_at);
		seg.end_at := u.last_read_at;
		seg.end_wh := (SELECT r.register_wh FROM elecbill.reading r
			WHERE r.register_id = register.id AND r.read_at = u.last_read_at);
		seg.multiplier := inst.multiplier;
		seg.energy_wh := (facts ->> 'total_kwh')::numeric * 1000;
		seg.missing_s := (facts ->> 'missing_s')::bigint
			+ extract(epoch FROM u.first - lower(piece) + (upper(piece) - u.last));
		seg.quality := CASE WHEN seg.missing_s > 0 THEN 'missing' ELSE facts ->> 'quality' END;
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

CREATE FUNCTION elecbill._rate_scopes(p_definition jsonb, p_parts jsonb, p_account bigint, p_plan bigint,
	p_day date, p_period daterange, p_usage jsonb, OUT before jsonb, OUT scopes jsonb)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	year_start text := coalesce(p_definition ->> 'year_start', '01-01');
	month_day integer := coalesce((p_definition ->> 'month_day')::integer, 1);
	one text;
	since date;
	earlier jsonb;
	rated numeric;
	counted jsonb;
BEGIN
	before := '{}';
	scopes := '[]';
	FOR one IN
		SELECT DISTINCT c.part #>> '{tier,scope}'
		FROM jsonb_array_elements(p_definition -> 'components') AS c(part)
		WHERE c.part #>> '{tier,scope}' IN ('month', 'quarter', 'year')
	LOOP
		since := elecbill._scope_start(one, p_day, year_start, month_day);
		-- what the agreements before this one on the same bill have used, by scope
		SELECT coalesce(jsonb_object_agg(e.start, e.kwh), '{}') INTO earlier
		FROM (SELECT elecbill._scope_start(one, (q.part ->> 'from')::date, year_start, month_day) AS start,
				sum((q.part ->> 'total_kwh')::numeric) AS kwh
			FROM jsonb_array_elements(p_parts) AS p(part), jsonb_array_elements(p.part #> '{summary,parts}') AS q(part)
			WHERE (p.part ->> 'plan_id')::bigint = p_plan
			GROUP BY 1) AS e;
		rated := elecbill._tier_before(p_account, p_plan, since, p_day, p_period)
			+ coalesce((earlier ->> since::text)::numeric, 0);
		before := before || jsonb_build_object(one, rated);
		SELECT coalesce(jsonb_agg(jsonb_build_object('scope', one, 'start', s.start, 'kwh', s.kwh,
			'before', CASE s.start WHEN since THEN rated ELSE 0 END) ORDER BY s.start), '[]') INTO counted
		FROM (SELECT elecbill._scope_start(one, (q.part ->> 'from')::date, year_start, month_day) AS start,
				sum((q.part ->> 'total_kwh')::numeric) AS kwh
			FROM jsonb_array_elements(p_usage -> 'parts') AS q(part)
			GROUP BY 1) AS s;
		-- rate() can be told what was used before in its first scope only
		FOR since IN
			SELECT (c.scope ->> 'start')::date FROM jsonb_array_elements(counted) WITH ORDINALITY AS c(scope, i)
			WHERE c.i > 1 AND (earlier ->> (c.scope ->> 'start'))::numeric > 0
		LOOP
			RAISE EXCEPTION USING
				ERRCODE = 'UB409',
				CONSTRAINT = 'tier_scopes',
				MESSAGE = format('several usage points of the account count their tiers together over more than one %s', one),
				HINT = format('Bill up to %s and from it on, as two off-cycle periods.', since);
		END LOOP;
		scopes := scopes || counted;
	END LOOP;
END $$;
COMMENT ON FUNCTION elecbill._rate_scopes(jsonb, jsonb, bigint, bigint, date, daterange, jsonb) IS
'the tier scopes of a tariff beyond the bill: kWh before the first day (ctx.before of rate()), and kWh of these parts by scope';

CREATE FUNCTION elecbill._tariff_definition(p_tariff elecbill.tariff, OUT definition jsonb, OUT sha256 text)
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT d.definition, encode(sha256(convert_to(d.definition::text, 'UTF8')), 'hex')
	FROM (VALUES (p_tariff::jsonb)) AS d(definition);
END;
COMMENT ON FUNCTION elecbill._tariff_definition(elecbill.tariff) IS
'a tariff as tariff_snapshot keeps it: JSON, and the sha256 of its text in hexadecimal digits';

CREATE FUNCTION elecbill._rate_account(p_account bigint, p_period daterange, p_known_at timestamptz,
	p_override jsonb, OUT service daterange, OUT segments elecbill.bill_segment[],
	OUT lines elecbill.bill_line[], OUT snapshot jsonb, OUT definitions jsonb, OUT missing_s bigint)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC' SET datestyle = 'ISO, YMD'
-- planned once per session: to plan over all months of reading takes as long as to read one
SET plan_cache_mode = force_generic_plan SET jit = off AS $$
DECLARE
	zone text := (SELECT o.zone FROM elecbill.org o JOIN elecbill.customer_account a ON a.org_id = o.id
		WHERE a.id = p_account);
	parts jsonb := jsonb '[]';
	agr elecbill.customer_agreement;
	days daterange;
	span tstzrange;
	t record;
	s record;
	sc record;
	definition jsonb;
	sha text;
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
		span := tstzrange(elecbill.day_start(lower(days), zone), elecbill.day_start(upper(days), zone));
		IF p_override IS NULL THEN
			t := elecbill._tariff_of(agr.tariff_plan_id, days, p_known_at);
		ELSE
			SELECT NULL::bigint AS version_id, NULL::integer AS version,
				elecbill._calendar_fill(p_override, agr.org_id, p.calendar_id, days,
					p_known_at)::elecbill.tariff AS tariff
			INTO t FROM elecbill.tariff_plan p WHERE p.id = agr.tariff_plan_id;
			PERFORM elecbill._tariff_fits(p_override, agr.org_id);
		END IF;
		SELECT d.definition, d.sha256 INTO definition, sha FROM elecbill._tariff_definition(t.tariff) AS d;
		first_n := coalesce(cardinality(segments), 0) + 1;
		s := elecbill._rate_segments(agr, span, t.tariff, first_n);
		sc := elecbill._rate_scopes(definition, parts, p_account, agr.tariff_plan_id, lower(days),
			p_period, s.summary::jsonb);
		ctx := jsonb_strip_nulls(jsonb_build_object('version', t.version)) || jsonb_build_object(
			'before', sc.before, 'final', true,
			'during', jsonb_build_array(lower(span), upper(span)), 'attrs', coalesce((
			SELECT jsonb_object_agg(CASE x.name WHEN 'household_size' THEN 'persons' ELSE x.name END, x.value)
			FROM elecbill.agreement_attribute x
			WHERE x.agreement_id = agr.id AND x.valid @> lower(days)), '{}'));
		lines := lines || (
			SELECT array_agg(ROW(agr.org_id, NULL, coalesce(cardinality(lines), 0) + l.n,
				first_n, t.version_id,
				coalesce((SELECT c.part ->> 'kind'
					FROM jsonb_array_elements(definition -> 'components') AS c(part)
					WHERE c.part ->> 'code' = l.code), 'rounding'),
				l.code, l.grp, nullif(l.label, l.code), l.period, l.tier, l.quantity,
				CASE l.unit WHEN 'percent' THEN 'money' ELSE l.unit END, l.price, l.factor,
				l.amount_raw, l.amount, l.during, l.quality)::elecbill.bill_line ORDER BY l.n)
			FROM elecbill.rate(t.tariff, s.summary, ctx) AS l);
		parts := parts || jsonb_build_object('agreement_id', agr.id, 'plan_id', agr.tariff_plan_id,
			'tariff_version_id', t.version_id, 'version', t.version, 'definition', sha,
			'from', lower(days), 'to', upper(days), 'ctx', ctx, 'scopes', sc.scopes,
			'summary', s.summary::jsonb);
		segments := segments || s.segments;
		definitions := definitions || jsonb_build_object(sha, definition);
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
END $$;
COMMENT ON FUNCTION elecbill._rate_account(bigint, daterange, timestamptz, jsonb) IS
'all of a bill but the writing: service days, segments, lines (segment_id is the number of the segment), snapshot, definitions by sha256, seconds without data. override: a tariff to use instead of that of the agreements';
