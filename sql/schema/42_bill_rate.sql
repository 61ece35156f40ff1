-- 42_bill_rate.sql: from readings to the lines of one account; what a run and a preview share
-- Nothing here writes. Who cannot be billed raises an error whose CONSTRAINT field is the code that
-- bill_exception keeps.

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
	JOIN elecbill._reading_all r ON r.register_id = s.register_id AND r.read_at = e.at
	WHERE s.installation_id = p_installation AND b.live
		AND e.boundary IN (lower(p_piece), upper(p_piece))
	ORDER BY e.boundary, r.read_at;
END;
COMMENT ON FUNCTION elecbill._billed_readings(bigint, tstzrange) IS
'the readings at both ends of a range on which a bill before or behind it rests';

CREATE FUNCTION elecbill._segment_usage(p_tariff elecbill.tariff, p_installation elecbill.meter_installation,
	p_register bigint, p_wrap_wh bigint, p_piece tstzrange, p_disputed timestamptz[],
	OUT usage elecbill.usage_summary, OUT readings bigint, OUT first timestamptz, OUT last timestamptz,
	OUT start_at timestamptz, OUT start_wh bigint, OUT end_at timestamptz, OUT end_wh bigint,
	OUT disputed timestamptz[])
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	profiles elecbill.load_profile[];
	packed tstzmultirange;
BEGIN
	SELECT array_agg(d.profile), range_agg(d.during) INTO profiles, packed
	FROM elecbill._profile_days(p_installation.usage_point_id, 0, p_installation.id, lower(p_piece), upper(p_piece)) AS d
	WHERE lower(d.during) <> ALL (p_disputed) AND upper(d.during) <> ALL (p_disputed);
	-- Where two bills meet they rest on one reading, also when an earlier one came late into its slot:
	-- else the energy between the two would be on both.
	SELECT elecbill.register_usage(p_tariff, x.boundary, x.primary_wh, p_wrap_wh, x.quality, x.profile),
		count(x.boundary), min(x.boundary), max(x.boundary),
		-- boundaries and instants of readings rise together
		min(x.read_at), max(x.read_at), array_agg(x.boundary) FILTER (WHERE x.disputed)
	INTO usage, readings, first, last, start_at, end_at, disputed
	FROM (
		SELECT p.boundary, coalesce(k.primary_wh, p.primary_wh) AS primary_wh,
			CASE WHEN p.behind THEN p.quality ELSE coalesce(k.quality, p.quality) END AS quality,
			coalesce(k.read_at, p.read_at) AS read_at, k.read_at <> p.read_at AS disputed,
			NULL::elecbill.load_profile AS profile
		FROM elecbill._usage_readings(p_register, p_installation.multiplier, lower(p_piece), upper(p_piece), packed) AS p
		LEFT JOIN elecbill._billed_readings(p_installation.id, p_piece) AS k ON k.boundary = p.boundary
	UNION ALL
		SELECT NULL, NULL, NULL, NULL, NULL, d.profile FROM unnest(profiles) AS d(profile)) AS x;
	-- a loaded day needs no reading at its midnights
	start_at := CASE WHEN lower(packed) < first THEN NULL ELSE start_at END;
	end_at := CASE WHEN upper(packed) > last THEN NULL ELSE end_at END;
	first := least(first, lower(packed));
	last := greatest(last, upper(packed));
	readings := readings + 2 * coalesce(cardinality(profiles), 0);
	start_wh := (SELECT r.register_wh FROM elecbill._reading_all r
		WHERE r.register_id = p_register AND r.read_at = start_at);
	end_wh := (SELECT r.register_wh FROM elecbill._reading_all r
		WHERE r.register_id = p_register AND r.read_at = end_at);
END $$;
COMMENT ON FUNCTION elecbill._segment_usage(elecbill.tariff, elecbill.meter_installation, bigint, bigint, tstzrange, timestamptz[]) IS
'import energy of an installation in a range, by profiles where they count, else by readings, and the readings at its ends. disputed: ends where a bill rests on another reading than a profile would; given again, the days there are taken from readings';

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
		u := elecbill._segment_usage(p_tariff, inst, register.id, register.wrap_wh, piece, '{}');
		IF u.disputed IS NOT NULL THEN
			u := elecbill._segment_usage(p_tariff, inst, register.id, register.wrap_wh, piece, u.disputed);
		END IF;
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
		seg.start_at := u.start_at;
		seg.start_wh := u.start_wh;
		seg.end_at := u.end_at;
		seg.end_wh := u.end_wh;
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
	-- all versions of a tariff agree in both
	first jsonb := (SELECT d.definition FROM elecbill._definitions(p_definition) AS d LIMIT 1);
	year_start text := coalesce(first ->> 'year_start', '01-01');
	month_day integer := coalesce((first ->> 'month_day')::integer, 1);
	one text;
	since date;
	earlier jsonb;
	rated numeric;
	counted jsonb;
BEGIN
	before := '{}';
	scopes := '[]';
	FOR one IN
		SELECT DISTINCT c.component #>> '{tier,scope}'
		FROM elecbill._components(p_definition) AS c
		WHERE c.component #>> '{tier,scope}' IN ('month', 'quarter', 'year')
	LOOP
		since := elecbill._scope_start(one, p_day, year_start, month_day);
		-- what the agreements before this one on the same bill have used, by scope
		SELECT coalesce(jsonb_object_agg(e.start, e.kwh), '{}') INTO earlier
		FROM (SELECT elecbill._scope_start(one, (q.part ->> 'from')::date, year_start, month_day) AS start,
				sum((q.part ->> 'total_kwh')::numeric) AS kwh
			FROM jsonb_array_elements(p_parts) AS p(part), elecbill._summary_parts(p.part -> 'summary') AS q(part)
			WHERE (p.part ->> 'plan_id')::bigint = p_plan
			GROUP BY 1) AS e;
		rated := elecbill._tier_before(p_account, p_plan, since, p_day, p_period)
			+ coalesce((earlier ->> since::text)::numeric, 0);
		before := before || jsonb_build_object(one, rated);
		SELECT coalesce(jsonb_agg(jsonb_build_object('scope', one, 'start', s.start, 'kwh', s.kwh,
			'before', CASE s.start WHEN since THEN rated ELSE 0 END) ORDER BY s.start), '[]') INTO counted
		FROM (SELECT elecbill._scope_start(one, (q.part ->> 'from')::date, year_start, month_day) AS start,
				sum((q.part ->> 'total_kwh')::numeric) AS kwh
			FROM elecbill._summary_parts(p_usage) AS q(part)
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
	history record;
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
			SELECT jsonb '[]' AS versions,
				elecbill._series_fill(elecbill._calendar_fill(p_override, agr.org_id, p.calendar_id, days,
					p_known_at), agr.org_id, days, p_known_at)::elecbill.tariff AS tariff
			INTO t FROM elecbill.tariff_plan p WHERE p.id = agr.tariff_plan_id;
			PERFORM elecbill._tariff_fits(p_override, agr.org_id);
		END IF;
		SELECT d.definition, d.sha256 INTO definition, sha FROM elecbill._tariff_definition(t.tariff) AS d;
		first_n := coalesce(cardinality(segments), 0) + 1;
		s := elecbill._rate_segments(agr, span, t.tariff, first_n);
		sc := elecbill._rate_scopes(definition, parts, p_account, agr.tariff_plan_id, lower(days),
			p_period, s.summary::jsonb);
		history := elecbill._rate_history(definition, agr, days, p_period);
		ctx := CASE jsonb_array_length(t.versions) WHEN 1 THEN jsonb_build_object('version', t.versions #> '{0,version}')
			ELSE '{}' END || jsonb_build_object(
			'before', sc.before, 'final', true,
			'during', jsonb_build_array(lower(span), upper(span)), 'attrs', coalesce((
			SELECT jsonb_object_agg(CASE x.name WHEN 'household_size' THEN 'persons' ELSE x.name END, x.value)
			FROM elecbill.agreement_attribute x
			WHERE x.agreement_id = agr.id AND x.valid @> lower(days)), '{}'))
			|| history.ctx;
		lines := lines || (
			SELECT array_agg(ROW(agr.org_id, NULL, coalesce(cardinality(lines), 0) + l.n,
				first_n, (SELECT (v.part ->> 'id')::bigint FROM jsonb_array_elements(t.versions) AS v(part)
					WHERE (v.part ->> 'version')::integer = l.version
					ORDER BY (v.part ->> 'from')::date <= d.last DESC, v.part ->> 'from' DESC LIMIT 1),
				coalesce(c.kind, l.code),
				l.code, l.grp, nullif(l.label, l.code), l.period, l.tier, l.quantity,
				CASE l.unit WHEN 'percent' THEN 'money' ELSE l.unit END, l.price, l.factor,
				l.amount_raw, l.amount, l.during, l.quality)::elecbill.bill_line ORDER BY l.n)
			FROM elecbill.rate(t.tariff, s.summary, ctx) AS l,
				LATERAL (SELECT ((upper(l.during) - interval '1 microsecond') AT TIME ZONE zone)::date AS last) AS d,
				LATERAL elecbill._component_of(definition, l.code, l.version, d.last) AS c);
		parts := parts || (jsonb_build_object('agreement_id', agr.id, 'plan_id', agr.tariff_plan_id,
			'definition', sha,
			'from', lower(days), 'to', upper(days), 'ctx', ctx, 'scopes', sc.scopes,
			'summary', s.summary::jsonb) || CASE jsonb_array_length(t.versions)
			WHEN 1 THEN jsonb_build_object('tariff_version_id', t.versions #> '{0,id}', 'version', t.versions #> '{0,version}')
			WHEN 0 THEN jsonb_build_object('tariff_version_id', NULL, 'version', NULL)
			ELSE jsonb_build_object('versions', t.versions) END
			|| jsonb_strip_nulls(jsonb_build_object('since', history.since)));
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
