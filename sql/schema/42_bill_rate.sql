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
			MESSAGE = format('there is no account %s', quote_nullable(p_account)),
			HINT = 'An account is named by its number, or by ORG/NUMBER.';
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

CREATE FUNCTION elecbill._segment_ends(p_point bigint, p_installation bigint, p_piece tstzrange,
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
COMMENT ON FUNCTION elecbill._segment_ends(bigint, bigint, tstzrange, bigint, timestamptz, timestamptz) IS
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

CREATE FUNCTION elecbill._segment_check(p_part elecbill.bill_part, p_installation bigint, p_piece tstzrange,
	p_readings bigint, p_first timestamptz, p_last timestamptz, p_held integer) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	point bigint := (p_part.agreement).usage_point_id;
BEGIN
	IF p_installation IS NULL THEN
		RAISE EXCEPTION USING
			ERRCODE = 'UB404',
			CONSTRAINT = 'no_installation',
			MESSAGE = format('usage point %s has no main meter in the period', (SELECT code FROM elecbill.usage_point WHERE id = point)),
			DETAIL = format('Asked for %s.', p_part.span);
	END IF;
	IF p_readings < 2 OR p_first > lower(p_piece) OR p_last < upper(p_piece) THEN
		PERFORM elecbill._segment_ends(point, p_installation, p_piece, p_readings, p_first, p_last);
	END IF;
	IF p_held > 0 THEN
		PERFORM elecbill._segment_backwards(point, p_installation, tstzrange(lower(p_piece), upper(p_piece), '[]'), p_held);
	END IF;
END $$;
COMMENT ON FUNCTION elecbill._segment_check(elecbill.bill_part, bigint, tstzrange, bigint, timestamptz, timestamptz, integer) IS
'UB404 no_installation, no_readings, no_boundary_reading, UB422 register_backwards when the energy of a meter in a range cannot be told; a restart at an end is no error';

CREATE FUNCTION elecbill._parts_usage(p_parts elecbill.bill_part[], p_prices elecbill.plan_price[], p_strict boolean,
	OUT parts elecbill.bill_part[], OUT alone bigint[])
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	one record;
	at bigint;
	former bigint;
	n integer;
	part elecbill.bill_part;
	seg elecbill.bill_segment;
BEGIN
	alone := '{}';
	FOR one IN SELECT * FROM elecbill._piece_usage(p_parts, p_prices, '{}') LOOP
		IF at IS DISTINCT FROM one.i THEN
			parts := parts || part;
			former := part.account_id;
			at := one.i;
			part := p_parts[at];
			part.missing_s := extract(epoch FROM upper(part.span) - lower(part.span));
			n := CASE WHEN part.account_id = former THEN n ELSE 0 END;
		END IF;
		IF one.disputed IS NOT NULL THEN
			SELECT * INTO one FROM elecbill._piece_usage(ARRAY[part], p_prices, one.disputed) AS u
			WHERE u.installation_id = one.installation_id;
		END IF;
		IF (one.readings >= 2 AND one.first = lower(one.piece) AND one.last = upper(one.piece)
			AND (one.usage ->> 'held')::integer = 0) IS NOT TRUE
		THEN
			IF NOT p_strict THEN
				alone := alone || part.account_id;
				CONTINUE;
			END IF;
			PERFORM elecbill._segment_check(part, one.installation_id, one.piece, one.readings, one.first, one.last,
				(one.usage ->> 'held')::integer);
		END IF;
		n := n + 1;
		seg.missing_s := (one.usage ->> 'missing_s')::bigint
			+ extract(epoch FROM one.first - lower(one.piece) + (upper(one.piece) - one.last));
		seg := ROW(NULL, (part.agreement).org_id, NULL, n, (part.agreement).id, (part.agreement).usage_point_id, one.installation_id,
			tstzrange(one.first, one.last), one.register_id, one.start_at, one.start_wh, one.end_at, one.end_wh, one.multiplier,
			(one.usage ->> 'total_kwh')::numeric * 1000, seg.missing_s,
			CASE WHEN seg.missing_s > 0 THEN 'missing' WHEN one.estimated THEN 'estimated' ELSE one.usage ->> 'quality' END);
		part.summary := CASE WHEN part.segments IS NULL THEN one.summary ELSE elecbill.usage_merge(part.summary, one.summary) END;
		part.usage := CASE WHEN part.segments IS NULL THEN one.usage ELSE part.summary::jsonb END;
		part.segments := part.segments || seg;
		part.missing_s := part.missing_s - extract(epoch FROM upper(one.piece) - lower(one.piece))::bigint + seg.missing_s;
	END LOOP;
	parts := parts[2:] || part;
END $$;
COMMENT ON FUNCTION elecbill._parts_usage(elecbill.bill_part[], elecbill.plan_price[], boolean) IS
'energy of agreements: a segment per installed meter, all of them as one usage_summary, seconds without measured energy. alone: accounts whose readings are to be looked at; strict: that is done here. UB404 no_installation, no_readings, no_boundary_reading, UB422 register_backwards';

CREATE FUNCTION elecbill._agreement_usage(p_agreement elecbill.customer_agreement, p_span tstzrange, p_tariff elecbill.tariff)
RETURNS elecbill.usage_summary
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	part elecbill.bill_part;
	price elecbill.plan_price;
	used record;
BEGIN
	part.account_id := p_agreement.account_id;
	part.agreement := p_agreement;
	part.span := p_span;
	part.price := 1;
	price.tariff := p_tariff;
	used := elecbill._parts_usage(ARRAY[part], ARRAY[price], true);
	RETURN (used.parts[1]).summary;
END $$;
COMMENT ON FUNCTION elecbill._agreement_usage(elecbill.customer_agreement, tstzrange, elecbill.tariff) IS
'energy of an agreement in a range, classified by a tariff; errors of _parts_usage()';

CREATE FUNCTION elecbill._scope_kwh(p_summaries jsonb[], p_scope text, p_year_start text, p_month_day integer) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN (
		SELECT jsonb_object_agg(s.start, s.kwh)
		FROM (SELECT elecbill._scope_start(p_scope, (q.part ->> 'from')::date, p_year_start, p_month_day) AS start,
				sum((q.part ->> 'total_kwh')::numeric) AS kwh
			FROM unnest(p_summaries) AS u(summary), elecbill._summary_parts(u.summary) AS q(part)
			GROUP BY 1) AS s);
END $$;
COMMENT ON FUNCTION elecbill._scope_kwh(jsonb[], text, text, integer) IS
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

CREATE FUNCTION elecbill._part_scopes(p_part elecbill.bill_part, p_year_start text, p_month_day integer,
	p_tiers elecbill.tier_before[], p_mates jsonb, p_true_up jsonb, OUT before jsonb, OUT scopes jsonb)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	plan bigint := (p_part.agreement).tariff_plan_id;
	day date := lower(p_part.days);
	one elecbill.tier_before;
	earlier jsonb;
	rated numeric;
	counted jsonb;
BEGIN
	before := '{}';
	scopes := '[]';
	FOREACH one IN ARRAY p_tiers LOOP
		IF NOT isempty(one.open_days) OR one.later IS NOT NULL THEN
			PERFORM elecbill._tier_check(one);
		END IF;
		rated := one.kwh;
		IF one.taken IS NOT NULL THEN
			rated := rated + elecbill._opening_kwh(p_part.account_id, plan, one.scope, one.since, day);
		END IF;
		IF p_true_up <> '[]' THEN
			rated := rated + elecbill._usage_kwh(p_true_up, plan, one.since, day);
		END IF;
		-- what the agreements before this one on the same bill have used, by scope
		earlier := NULL;
		IF p_mates <> '[]' THEN
			earlier := elecbill._scope_kwh(ARRAY(SELECT p.part -> 'summary' FROM jsonb_array_elements(p_mates) AS p(part)
				WHERE (p.part ->> 'plan_id')::bigint = plan), one.scope, p_year_start, p_month_day);
			rated := rated + coalesce((earlier ->> one.since::text)::numeric, 0);
		END IF;
		before := before || jsonb_build_object(one.scope, rated);
		-- mostly one run of days that begins with the bill: nothing is to be summed
		IF jsonb_array_length(p_part.usage -> 'parts') = 1 AND (p_part.usage #>> '{parts,0,from}')::date = day THEN
			counted := jsonb_build_array(jsonb_build_object('scope', one.scope, 'start', one.since,
				'kwh', p_part.usage #> '{parts,0,total_kwh}', 'before', rated));
		ELSE
			SELECT jsonb_agg(jsonb_build_object('scope', one.scope, 'start', s.key, 'kwh', s.value,
				'before', CASE s.key WHEN one.since::text THEN rated ELSE 0 END) ORDER BY s.key) INTO counted
			FROM jsonb_each(elecbill._scope_kwh(ARRAY[p_part.usage], one.scope, p_year_start, p_month_day)) AS s;
		END IF;
		IF earlier IS NOT NULL THEN
			PERFORM elecbill._scopes_apart(one.scope, counted, earlier);
		END IF;
		scopes := scopes || coalesce(counted, '[]');
	END LOOP;
END $$;
COMMENT ON FUNCTION elecbill._part_scopes(elecbill.bill_part, text, integer, elecbill.tier_before[], jsonb, jsonb) IS
'the tier scopes of an agreement beyond the bill: kWh before the first day (ctx.before of rate()), and kWh of these days by scope. mates: the agreements before this one on the same bill, as in its snapshot; true_up: what this bill corrects of earlier ones, as bill_true_up.usage';

CREATE FUNCTION elecbill._parts_context(p_parts elecbill.bill_part[], p_prices elecbill.plan_price[], p_true_up jsonb,
	p_strict boolean, OUT parts elecbill.bill_part[], OUT alone bigint[])
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	one record;
	part elecbill.bill_part;
	former elecbill.bill_part;
	price elecbill.plan_price;
	versions integer;
	sc record;
	history record;
	mates jsonb;
BEGIN
	alone := '{}';
	FOR one IN SELECT * FROM elecbill._tiers_before(p_parts, p_prices) AS t ORDER BY t.i LOOP
		part := p_parts[one.i];
		IF one.doubtful AND NOT p_strict THEN
			alone := alone || part.account_id;
			CONTINUE;
		END IF;
		mates := CASE WHEN part.account_id = former.account_id THEN mates || former.rated ELSE '[]' END;
		IF part.price IS DISTINCT FROM former.price THEN
			price := p_prices[part.price];
			versions := jsonb_array_length(price.versions);
		END IF;
		sc := elecbill._part_scopes(part, price.year_start, price.month_day, coalesce(one.tiers, '{}'), mates, p_true_up);
		part.ctx := jsonb_build_object('version', price.versions #> '{0,version}', 'before', sc.before, 'final', true,
			'during', jsonb_build_array(lower(part.span), upper(part.span)), 'attrs', part.attrs);
		IF versions <> 1 THEN
			part.ctx := part.ctx - 'version';
		END IF;
		IF price.looks_back THEN
			history := elecbill._rate_history(price.definition, part.agreement, part.days, part.period);
			part.ctx := part.ctx || history.ctx;
		END IF;
		part.rated := jsonb_build_object('tariff_version_id', price.versions #> '{0,id}', 'version', price.versions #> '{0,version}',
			'agreement_id', (part.agreement).id, 'plan_id', (part.agreement).tariff_plan_id, 'definition', price.sha256,
			'from', lower(part.days), 'to', upper(part.days), 'ctx', part.ctx, 'scopes', sc.scopes, 'summary', part.usage);
		IF versions > 1 THEN
			part.rated := part.rated - '{tariff_version_id,version}'::text[] || jsonb_build_object('versions', price.versions);
		END IF;
		IF price.looks_back THEN
			part.rated := part.rated || jsonb_strip_nulls(jsonb_build_object('since', history.since));
		END IF;
		parts := parts || part;
		former := part;
	END LOOP;
END $$;
COMMENT ON FUNCTION elecbill._parts_context(elecbill.bill_part[], elecbill.plan_price[], jsonb, boolean) IS
'what rate() has to know besides the energy, and what the bill will say it saw. alone: accounts whose other bills are to be looked at; strict: that is done here. Errors of tier scopes and of _rate_history()';

CREATE FUNCTION elecbill._parts_drafts(p_parts elecbill.bill_part[], p_prices elecbill.plan_price[], p_known_at timestamptz)
RETURNS elecbill.bill_draft[]
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	one record;
	part elecbill.bill_part;
	draft elecbill.bill_draft;
	line elecbill.bill_line;
	rated jsonb[];
	drafts elecbill.bill_draft[];
BEGIN
	FOR one IN SELECT * FROM elecbill._parts_lines(p_parts, p_prices) AS l ORDER BY l.i LOOP
		part := p_parts[one.i];
		IF draft.account_id IS DISTINCT FROM part.account_id THEN
			drafts := drafts || draft;
			rated := ARRAY[part.rated];
			draft := ROW(NULL, part.account_id, NULL, part.period, part.days, part.segments, one.lines,
				jsonb_build_object('known_at', p_known_at, 'parts', rated), part.missing_s);
		ELSE
			FOREACH line IN ARRAY coalesce(one.lines, '{}') LOOP
				line.n := coalesce(cardinality(draft.lines), 0) + 1;
				draft.lines := draft.lines || line;
			END LOOP;
			draft.service := daterange(least(lower(draft.service), lower(part.days)), greatest(upper(draft.service), upper(part.days)));
			draft.segments := draft.segments || part.segments;
			rated := rated || part.rated;
			draft.snapshot := jsonb_build_object('known_at', p_known_at, 'parts', rated);
			draft.missing_s := draft.missing_s + part.missing_s;
		END IF;
	END LOOP;
	RETURN drafts[2:] || draft;
END $$;
COMMENT ON FUNCTION elecbill._parts_drafts(elecbill.bill_part[], elecbill.plan_price[], timestamptz) IS
'rates agreements, whose energy and context are known, and puts those of an account on one bill; errors of rate()';

CREATE FUNCTION elecbill._rate_accounts(p_accounts bigint[], p_periods daterange[], p_known_at timestamptz,
	p_override jsonb, p_true_up jsonb, OUT drafts elecbill.bill_draft[], OUT definitions jsonb, OUT alone bigint[])
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
SET timezone = 'UTC' SET datestyle = 'ISO, YMD'
-- planned once per session: to plan over all months of reading takes as long as to read one
SET plan_cache_mode = force_generic_plan SET jit = off AS $$
DECLARE
	one boolean := cardinality(p_accounts) = 1;
	step record;
	prices elecbill.plan_price[];
BEGIN
	drafts := '{}'::elecbill.bill_draft[];
	definitions := '{}';
	step := elecbill._bill_parts(p_accounts, p_periods);
	alone := step.alone;
	IF step.parts IS NOT NULL THEN
		prices := elecbill._part_prices(step.parts, p_known_at, p_override);
		definitions := (SELECT jsonb_object_agg(p.sha256, p.definition) FROM unnest(prices) AS p);
		step := elecbill._parts_usage(step.parts, prices, one);
		alone := alone || step.alone;
	END IF;
	IF step.alone <> '{}' THEN
		step.parts := elecbill._parts_left(step.parts, step.alone);
	END IF;
	IF step.parts IS NOT NULL THEN
		step := elecbill._parts_context(step.parts, prices, p_true_up, one);
		alone := alone || step.alone;
	END IF;
	IF step.alone <> '{}' THEN
		step.parts := elecbill._parts_left(step.parts, step.alone);
	END IF;
	IF step.parts IS NOT NULL THEN
		drafts := elecbill._parts_drafts(step.parts, prices, p_known_at);
	END IF;
	alone := ARRAY(SELECT DISTINCT a.id FROM unnest(alone) AS a(id));
END $$;
COMMENT ON FUNCTION elecbill._rate_accounts(bigint[], daterange[], timestamptz, jsonb, jsonb) IS
'all of the bills of accounts, in their order, but the writing; tariffs by sha256. override: a tariff to use instead of that of the agreements; true_up: what the bill, of one account then, corrects of earlier ones, as bill_true_up.usage. alone: accounts that are not rated here, for there is something to be looked at: each is to be rated by itself, which says what is wrong, if anything. Any other error is that of one of them: nobody is rated then';

CREATE FUNCTION elecbill._rate_account(p_account bigint, p_period daterange, p_known_at timestamptz,
	p_override jsonb, p_true_up jsonb DEFAULT '[]', OUT service daterange,
	OUT segments elecbill.bill_segment[], OUT lines elecbill.bill_line[], OUT snapshot jsonb, OUT definitions jsonb,
	OUT missing_s bigint)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	SELECT d.service, d.segments, d.lines, d.snapshot, r.definitions, d.missing_s
	INTO service, segments, lines, snapshot, definitions, missing_s
	FROM elecbill._rate_accounts(ARRAY[p_account], ARRAY[p_period], p_known_at, p_override, p_true_up) AS r, unnest(r.drafts) AS d;
END $$;
COMMENT ON FUNCTION elecbill._rate_account(bigint, daterange, timestamptz, jsonb, jsonb) IS
'_rate_accounts() for one: service days, segments, lines (segment_id is the number of the segment), snapshot, tariffs by sha256, seconds without data';
