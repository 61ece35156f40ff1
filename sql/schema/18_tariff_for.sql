-- 18_tariff_for.sql: from tables to a tariff value, the only road to rate()
-- What the tables say about some days, as it was known at an instant, becomes one JSON definition:
-- versions, riders, calendar days and price points. Where any of them changes inside the days, the
-- definition has "versions", cut at that local midnight.

CREATE FUNCTION elecbill._calendar_fill(p_definition jsonb, p_org integer, p_calendar bigint,
	p_during daterange, p_known_at timestamptz) RETURNS jsonb
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	source elecbill.calendar;
	days jsonb;
BEGIN
	IF jsonb_typeof(p_definition -> 'calendar') = 'string' THEN
		SELECT * INTO source FROM elecbill.calendar
		WHERE org_id = p_org AND code = p_definition ->> 'calendar';
		IF NOT FOUND THEN
			RAISE EXCEPTION USING
				ERRCODE = 'UB404',
				MESSAGE = format('the tariff names calendar %s, which is not there',
					quote_literal(p_definition ->> 'calendar'));
		END IF;
	ELSIF p_definition ? 'calendar' OR p_calendar IS NULL THEN
		RETURN p_definition;
	ELSE
		SELECT * INTO source FROM elecbill.calendar WHERE id = p_calendar;
	END IF;
	SELECT coalesce(jsonb_object_agg(d.day, d.tags), '{}') INTO days
	FROM (
		SELECT c.day, jsonb_agg(c.tag ORDER BY c.tag) AS tags
		FROM elecbill.calendar_day c
		WHERE c.calendar_id = source.id AND c.known @> p_known_at
			AND c.day >= lower(p_during) - 1 AND c.day <= upper(p_during)
		GROUP BY c.day) AS d;
	RETURN jsonb_set(p_definition, '{calendar}',
		jsonb_build_object('weekend', source.weekend, 'days', days));
END $$;
COMMENT ON FUNCTION elecbill._calendar_fill(jsonb, integer, bigint, daterange, timestamptz) IS
'a definition with its calendar written out for the days of the range and one more at either end: by the code it names, else by the calendar of the plan';

CREATE FUNCTION elecbill._series_fill(p_definition jsonb, p_org integer, p_during daterange,
	p_known_at timestamptz) RETURNS jsonb
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	name text;
	code text;
	filled jsonb := p_definition;
BEGIN
	FOR name, code IN
		SELECT s.key, s.value #>> '{}' FROM jsonb_each(p_definition -> 'series') AS s
		WHERE jsonb_typeof(s.value) = 'string' AND s.value #>> '{}' <> 'usage'
	LOOP
		filled := jsonb_set(filled, ARRAY['series', name],
			elecbill._series_points(p_org, code, p_during, p_known_at));
	END LOOP;
	RETURN filled;
END $$;
COMMENT ON FUNCTION elecbill._series_fill(jsonb, integer, daterange, timestamptz) IS
'a definition with the price series it names by code written out for the days of the range; UB404 as _series_points()';

CREATE FUNCTION elecbill._tariff_of(p_plan_id bigint, p_during daterange, p_known_at timestamptz,
	OUT versions jsonb, OUT tariff elecbill.tariff)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	plan elecbill.tariff_plan;
	days daterange;
	piece record;
	definition jsonb;
	pieces jsonb := jsonb '[]';
BEGIN
	SELECT * INTO plan FROM elecbill.tariff_plan WHERE id = p_plan_id;
	IF NOT elecbill._both_ends(p_during) OR p_known_at IS NULL THEN
		RAISE EXCEPTION USING
			ERRCODE = 'UB400',
			MESSAGE = 'a tariff is asked for a range of days with both ends, as known at an instant';
	END IF;
	versions := jsonb '[]';
	FOR days IN SELECT elecbill._tariff_cuts(p_plan_id, p_during, p_known_at) LOOP
		piece := elecbill._tariff_merged(plan, days, p_known_at);
		definition := elecbill._series_fill(elecbill._calendar_fill(piece.definition, plan.org_id,
			plan.calendar_id, p_during, p_known_at), plan.org_id, p_during, p_known_at);
		versions := versions || jsonb_build_object('version', piece.version, 'id', piece.version_id,
			'from', lower(days), 'to', upper(days));
		pieces := pieces || jsonb_build_object('version', piece.version,
			'valid', jsonb_build_array(lower(days), upper(days)), 'tariff', definition);
	END LOOP;
	-- the plan is what its versions have in common; a code inside a definition is a name of that version
	IF (SELECT count(DISTINCT coalesce(p.part #>> '{tariff,code}', '')) FROM jsonb_array_elements(pieces) AS p(part)) > 1 THEN
		pieces := (SELECT jsonb_agg(p.part #- '{tariff,code}' ORDER BY p.i)
			FROM jsonb_array_elements(pieces) WITH ORDINALITY AS p(part, i));
	END IF;
	tariff := CASE jsonb_array_length(pieces) WHEN 1 THEN pieces #> '{0,tariff}'
		ELSE jsonb_build_object('elecbill', 1, 'versions', pieces) END::elecbill.tariff;
END $$;
COMMENT ON FUNCTION elecbill._tariff_of(bigint, daterange, timestamptz) IS
'the versions of a plan that price a range of local days ([{version, id, from, to}]), and the compiled value of them all with riders, calendars and price series filled in';

CREATE FUNCTION elecbill.tariff_for(p_plan text, p_during daterange,
	p_known_at timestamptz DEFAULT elecbill.now()) RETURNS elecbill.tariff
LANGUAGE sql STABLE
RETURN (elecbill._tariff_of(elecbill._tariff_plan_get(p_plan), p_during, p_known_at)).tariff;
COMMENT ON FUNCTION elecbill.tariff_for(text, daterange, timestamptz) IS
'the tariff of a plan (CODE or ORG/CODE) for local days [from, to) as it was known at an instant: every version that is valid in them, each for its days, with riders, calendar days and price points filled in; the only road from tables to rate(). UB404: no plan, days without a version, a series without a price';

CREATE FUNCTION elecbill._definitions(p_definition jsonb)
RETURNS TABLE (version integer, since date, definition jsonb)
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT NULL::integer, NULL::date, p_definition WHERE NOT p_definition ? 'versions'
	UNION ALL
	SELECT (v.part ->> 'version')::integer, (v.part #>> '{valid,0}')::date, v.part -> 'tariff'
	FROM jsonb_array_elements(p_definition -> 'versions') AS v(part);
END;
COMMENT ON FUNCTION elecbill._definitions(jsonb) IS
'the definitions inside that of a tariff that changes, with the first day of each, or the one itself with version and day NULL';

CREATE FUNCTION elecbill._components(p_definition jsonb)
RETURNS TABLE (version integer, since date, code text, kind text, component jsonb, round jsonb, minor_unit integer)
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT d.version, d.since, c.part ->> 'code', c.part ->> 'kind', c.part,
		coalesce(c.part -> 'round', d.definition #> '{round,line}', 'null'),
		coalesce((d.definition ->> 'minor_unit')::integer, 2)
	FROM elecbill._definitions(p_definition) AS d,
		jsonb_array_elements(d.definition -> 'components') AS c(part);
END;
COMMENT ON FUNCTION elecbill._components(jsonb) IS
'the components of a tariff, of all its versions, with the rounding of their lines (null: to the minor unit)';

CREATE FUNCTION elecbill._component_of(p_definition jsonb, p_code text, p_version integer, p_day date,
	OUT kind text, OUT round_step numeric, OUT round_mode text)
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	SELECT c.kind, coalesce((c.round ->> 'step')::numeric, 0.1 ^ c.minor_unit), coalesce(c.round ->> 'mode', 'half_up')
	INTO kind, round_step, round_mode
	FROM elecbill._components(p_definition) AS c
	WHERE c.code = p_code AND (c.version IS NULL OR c.version = p_version)
	-- a version that was partly superseded, or whose riders change, is there several times
	ORDER BY c.since <= p_day DESC, c.since DESC LIMIT 1;
END $$;
COMMENT ON FUNCTION elecbill._component_of(jsonb, text, integer, date) IS
'kind and rounding of the component that made a line: by its code, version and last local day; NULL when no component did';
