-- 17_rider.sql: riders: components with versions of their own that other tariffs carry
-- A rider is a plan whose definition has components, and what they name (values, series, seasons,
-- schedules, demands, events), but no head. tariff_for() appends it to the tariffs that carry it.

CREATE TABLE elecbill.tariff_rider (
	id				bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT tariff_rider_pkey PRIMARY KEY,
	org_id			integer NOT NULL,
	tariff_plan_id	bigint NOT NULL,
	rider_plan_id	bigint NOT NULL,
	n				integer NOT NULL,
	valid			daterange NOT NULL CONSTRAINT tariff_rider_valid_check
					CHECK (NOT isempty(valid) AND NOT lower_inf(valid)),
	known			tstzrange NOT NULL CONSTRAINT tariff_rider_known_check
					CHECK (NOT lower_inf(known)),
	CONSTRAINT tariff_rider_self_check CHECK (tariff_plan_id <> rider_plan_id),
	CONSTRAINT tariff_rider_plan_fkey FOREIGN KEY (org_id, tariff_plan_id)
		REFERENCES elecbill.tariff_plan (org_id, id),
	CONSTRAINT tariff_rider_rider_fkey FOREIGN KEY (org_id, rider_plan_id)
		REFERENCES elecbill.tariff_plan (org_id, id),
	CONSTRAINT tariff_rider_excl EXCLUDE USING gist (
		int8range(tariff_plan_id, tariff_plan_id, '[]') WITH &&,
		int8range(rider_plan_id, rider_plan_id, '[]') WITH &&, valid WITH &&, known WITH &&)
);
CREATE INDEX tariff_rider_plan_idx ON elecbill.tariff_rider (org_id, tariff_plan_id);
CREATE INDEX tariff_rider_rider_idx ON elecbill.tariff_rider (org_id, rider_plan_id);
COMMENT ON TABLE elecbill.tariff_rider IS 'which tariffs carry which riders, on which days, and since when that is known';
COMMENT ON COLUMN elecbill.tariff_rider.id IS 'key';
COMMENT ON COLUMN elecbill.tariff_rider.org_id IS 'owner';
COMMENT ON COLUMN elecbill.tariff_rider.tariff_plan_id IS 'the tariff';
COMMENT ON COLUMN elecbill.tariff_rider.rider_plan_id IS 'the rider';
COMMENT ON COLUMN elecbill.tariff_rider.n IS 'order among the riders of a tariff: its components come after those of lower numbers';
COMMENT ON COLUMN elecbill.tariff_rider.valid IS 'local days [from, to)';
COMMENT ON COLUMN elecbill.tariff_rider.known IS 'since when, and until when, it was the truth, empty: replaced by the transaction that wrote it; rows change only by closing it';
COMMENT ON INDEX elecbill.tariff_rider_plan_idx IS 'riders of a tariff';
COMMENT ON INDEX elecbill.tariff_rider_rider_idx IS 'tariffs with a rider';

CREATE FUNCTION elecbill._tariff_rider_guard() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF TG_OP = 'DELETE' OR to_jsonb(OLD) - 'known' <> to_jsonb(NEW) - 'known'
		OR lower(NEW.known) <> lower(OLD.known) OR NOT upper_inf(OLD.known) OR upper_inf(NEW.known)
		OR (isempty(NEW.known) AND lower(OLD.known) < elecbill.now())
	THEN
		RAISE EXCEPTION USING
			ERRCODE = 'UB403',
			MESSAGE = 'what was known of a rider stays as it was',
			HINT = 'rider_set() and rider_end() write what is known from now on.';
	END IF;
	RETURN NEW;
END $$;
COMMENT ON FUNCTION elecbill._tariff_rider_guard() IS
'row trigger of tariff_rider: a row is kept, only its known range is closed, once (UB403)';
CREATE TRIGGER tariff_rider_guard BEFORE UPDATE OR DELETE ON elecbill.tariff_rider
	FOR EACH ROW EXECUTE FUNCTION elecbill._tariff_rider_guard();
COMMENT ON TRIGGER tariff_rider_guard ON elecbill.tariff_rider IS 'no change but closing known';
CREATE TRIGGER tariff_rider_keep_all BEFORE TRUNCATE ON elecbill.tariff_rider
	FOR EACH STATEMENT EXECUTE FUNCTION elecbill._append_only();
COMMENT ON TRIGGER tariff_rider_keep_all ON elecbill.tariff_rider IS 'no TRUNCATE';

CREATE FUNCTION elecbill._rider_append(p_tariff jsonb, p_rider jsonb, p_code text) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	part record;
	merged jsonb := p_tariff;
BEGIN
	FOR part IN SELECT m.key AS map, e.key, e.value
		FROM jsonb_each(p_rider - 'components') AS m, jsonb_each(m.value) AS e
	LOOP
		IF merged -> part.map -> part.key <> part.value THEN
			RAISE EXCEPTION USING
				ERRCODE = 'UB409',
				MESSAGE = format('rider %s and its tariff both have %s %s', quote_literal(p_code),
					part.map, quote_literal(part.key)),
				HINT = 'Give it another name in one of them.';
		END IF;
		merged := merged || jsonb_build_object(part.map,
			coalesce(merged -> part.map, '{}') || jsonb_build_object(part.key, part.value));
	END LOOP;
	RETURN jsonb_set(merged, '{components}', (merged -> 'components') || (
		SELECT jsonb_agg(c.part || jsonb_build_object('rider', p_code) ORDER BY c.i)
		FROM jsonb_array_elements(p_rider -> 'components') WITH ORDINALITY AS c(part, i)));
END $$;
COMMENT ON FUNCTION elecbill._rider_append(jsonb, jsonb, text) IS
'a tariff with the components of a rider behind its own, each marked with the code of the rider; UB409 when both give a name to different things';

CREATE FUNCTION elecbill._rider_lint(p_rider jsonb, p_org integer)
RETURNS TABLE (path text, message text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	owner elecbill.org;
BEGIN
	IF jsonb_typeof(p_rider -> 'components') IS DISTINCT FROM 'array' THEN
		RETURN QUERY SELECT 'components', 'a rider has a list of components';
		RETURN;
	END IF;
	RETURN QUERY
	SELECT m.key, format('is no part of a rider; it has components, values, series, seasons, schedules, demands and events')
	FROM jsonb_each(p_rider) AS m
	WHERE m.key <> ALL ('{components,values,series,seasons,schedules,demands,events}'::text[])
		OR (m.key <> 'components' AND jsonb_typeof(m.value) <> 'object');
	IF FOUND THEN
		RETURN;
	END IF;
	SELECT * INTO owner FROM elecbill.org WHERE id = p_org;
	-- It is looked at behind a component that stands for those of the tariff; which of them its bases
	-- name is seen when it is put on one.
	RETURN QUERY
	SELECT CASE WHEN at[1] IS NULL THEN l.path
			ELSE format('components[%s]%s', at[1]::integer - 1, at[2]) END, l.message
	FROM elecbill.tariff_lint(p_rider || jsonb_build_object('elecbill', 1, 'currency', owner.currency,
			'zone', owner.zone, 'components', jsonb '[{"code": "_tariff", "kind": "energy", "price": 0}]'
				|| (p_rider -> 'components'))) AS l,
		LATERAL (SELECT regexp_match(l.path, '^components\[([0-9]+)\](.*)$')) AS m(at)
	WHERE l.level = 'error' AND l.path NOT LIKE 'components[%].base%';
END $$;
COMMENT ON FUNCTION elecbill._rider_lint(jsonb, integer) IS
'errors of the definition of a rider, bases apart; none: it can be a draft';

CREATE FUNCTION elecbill._tariff_merged(p_plan elecbill.tariff_plan, p_days daterange,
	p_known_at timestamptz, OUT version_id bigint, OUT version integer, OUT definition jsonb)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	rider record;
BEGIN
	SELECT t.id, t.version, t.definition INTO version_id, version, definition
	FROM elecbill.tariff_version t
	WHERE t.tariff_plan_id = p_plan.id AND t.known @> p_known_at AND t.valid @> p_days;
	IF NOT FOUND THEN
		RAISE EXCEPTION USING
			ERRCODE = 'UB404',
			CONSTRAINT = 'no_tariff',
			MESSAGE = format('tariff %s has no approved version for all of %s',
				quote_literal(p_plan.code), p_days),
			DETAIL = format('Asked as it was known at %s.', p_known_at),
			HINT = 'tariff_approve() puts a draft in force.';
	END IF;
	FOR rider IN
		SELECT p.code, t.definition FROM elecbill.tariff_rider r
		JOIN elecbill.tariff_plan p ON p.id = r.rider_plan_id
		LEFT JOIN elecbill.tariff_version t ON t.tariff_plan_id = p.id AND t.known @> p_known_at
			AND t.valid @> p_days
		WHERE r.tariff_plan_id = p_plan.id AND r.known @> p_known_at AND r.valid @> p_days
		ORDER BY r.n, p.code
	LOOP
		IF rider.definition IS NULL THEN
			RAISE EXCEPTION USING
				ERRCODE = 'UB404',
				CONSTRAINT = 'no_tariff',
				MESSAGE = format('rider %s has no approved version for all of %s',
					quote_literal(rider.code), p_days),
				DETAIL = format('Tariff %s carries it%s.', quote_literal(p_plan.code),
					', as it was known at ' || nullif(p_known_at, 'infinity')),
				HINT = 'tariff_approve() puts a draft in force, rider_end() takes the rider off.';
		END IF;
		definition := elecbill._rider_append(definition, rider.definition, rider.code);
	END LOOP;
END $$;
COMMENT ON FUNCTION elecbill._tariff_merged(elecbill.tariff_plan, daterange, timestamptz) IS
'the definition of a plan with its riders for days on which nothing changes, calendars and series still by code; UB404 no_tariff';

CREATE FUNCTION elecbill._tariff_cuts(p_plan_id bigint, p_during daterange, p_known_at timestamptz)
RETURNS SETOF daterange
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	-- planned once per session: a function in SQL would be planned for each account of a run
	RETURN QUERY
	WITH riders AS (
		SELECT r.rider_plan_id, r.valid FROM elecbill.tariff_rider r
		WHERE r.tariff_plan_id = p_plan_id AND r.known @> p_known_at AND r.valid && p_during
	), ranges AS (
		SELECT t.valid FROM elecbill.tariff_version t
		WHERE t.tariff_plan_id = p_plan_id AND t.known @> p_known_at AND t.valid && p_during
		UNION ALL SELECT r.valid FROM riders r
		UNION ALL SELECT t.valid * r.valid FROM riders r JOIN elecbill.tariff_version t
			ON t.tariff_plan_id = r.rider_plan_id AND t.known @> p_known_at AND t.valid && r.valid
	), days AS (
		SELECT lower(p_during) AS day
		UNION SELECT d.day FROM ranges r, LATERAL (VALUES (lower(r.valid)), (upper(r.valid))) AS d(day)
		WHERE d.day > lower(p_during) AND d.day < upper(p_during)
	)
	SELECT daterange(d.day, coalesce(lead(d.day) OVER (ORDER BY d.day), upper(p_during)))
	FROM days d ORDER BY d.day;
END $$;
COMMENT ON FUNCTION elecbill._tariff_cuts(bigint, daterange, timestamptz) IS
'a range of local days cut wherever a version of a plan or of one of its riders begins or ends';

CREATE FUNCTION elecbill._rider_check(p_plan_id bigint) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	plan elecbill.tariff_plan;
	carrier record;
	days daterange;
	faults text;
BEGIN
	FOR carrier IN
		-- each tariff concerned, from its first price to the day on which it or a rider changes last
		WITH carried AS (
			SELECT r.tariff_plan_id AS id, r.rider_plan_id, r.valid FROM elecbill.tariff_rider r
			WHERE upper_inf(r.known) AND r.tariff_plan_id IN (SELECT x.tariff_plan_id
				FROM elecbill.tariff_rider x
				WHERE upper_inf(x.known) AND p_plan_id IN (x.tariff_plan_id, x.rider_plan_id))
		), ranges AS (
			SELECT c.id, c.valid, false AS own FROM carried c
			UNION ALL SELECT c.id, t.valid, false FROM carried c
				JOIN elecbill.tariff_version t ON t.tariff_plan_id = c.rider_plan_id AND t.status = 'approved'
			UNION ALL SELECT t.tariff_plan_id, t.valid, true FROM elecbill.tariff_version t
			WHERE t.status = 'approved' AND t.tariff_plan_id IN (SELECT c.id FROM carried c)
		)
		SELECT r.id, daterange(min(d.day) FILTER (WHERE r.own), max(d.day) + 1) AS days
		FROM ranges r, LATERAL (VALUES (lower(r.valid)), (upper(r.valid))) AS d(day)
		WHERE isfinite(d.day)
		GROUP BY r.id HAVING bool_or(r.own)
	LOOP
		SELECT * INTO plan FROM elecbill.tariff_plan WHERE id = carrier.id;
		FOR days IN
			SELECT c.days FROM elecbill._tariff_cuts(plan.id, carrier.days, 'infinity') AS c(days)
			WHERE EXISTS (SELECT FROM elecbill.tariff_version t WHERE t.tariff_plan_id = plan.id
				AND t.status = 'approved' AND t.valid @> c.days)
		LOOP
			SELECT string_agg(concat_ws(': ', nullif(l.path, ''), l.message), E'\n') INTO faults
			FROM elecbill._tariff_merged(plan, days, 'infinity') AS m,
				LATERAL elecbill.tariff_lint(m.definition) AS l
			WHERE l.level = 'error';
			IF faults IS NOT NULL THEN
				RAISE EXCEPTION USING
					ERRCODE = 'UB409',
					MESSAGE = format('tariff %s and its riders do not fit together', quote_literal(plan.code)),
					DETAIL = format('On %s: %s', days, faults);
			END IF;
		END LOOP;
	END LOOP;
END $$;
COMMENT ON FUNCTION elecbill._rider_check(bigint) IS
'whether a plan with the riders it carries, and the tariffs that carry it, are valid tariffs on all their days; UB409, UB404 days on which a rider has no version';

CREATE FUNCTION elecbill.rider_draft(p_rider text, p_valid daterange, p_definition jsonb, p_by text)
RETURNS integer
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF p_rider IS NOT NULL AND elecbill._tariff_plan_id(p_rider) IS NULL THEN
		PERFORM elecbill._tariff_plan_make(p_rider, NULL, true);
	END IF;
	RETURN elecbill.tariff_draft(p_rider, p_valid, p_definition, p_by);
END $$;
COMMENT ON FUNCTION elecbill.rider_draft(text, daterange, jsonb, text) IS
'as tariff_draft(), for a rider: a definition of components and what they name, without a head. tariff_approve() puts it in force, rider_set() on a tariff';

CREATE FUNCTION elecbill.rider_set(p_plan text, p_rider text, p_valid daterange, p_n integer DEFAULT 1)
RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	plan elecbill.tariff_plan;
	rider elecbill.tariff_plan;
	old elecbill.tariff_rider;
	days daterange := p_valid;
BEGIN
	SELECT * INTO plan FROM elecbill.tariff_plan WHERE id = elecbill._tariff_plan_get(p_plan);
	SELECT * INTO rider FROM elecbill.tariff_plan WHERE id = elecbill._tariff_plan_get(p_rider);
	IF p_valid IS NULL OR isempty(p_valid) OR lower_inf(p_valid) OR p_n IS NULL THEN
		RAISE EXCEPTION USING ERRCODE = 'UB400', MESSAGE = 'a rider is set for days with a beginning, and at a number';
	ELSIF plan.rider OR NOT rider.rider OR plan.org_id <> rider.org_id THEN
		RAISE EXCEPTION USING
			ERRCODE = 'UB400',
			MESSAGE = format('%s cannot carry %s', quote_literal(p_plan), quote_literal(p_rider)),
			DETAIL = 'A tariff carries riders of its own organisation; a rider carries none.';
	END IF;
	PERFORM elecbill._tariff_lock(plan.id);
	IF EXISTS (SELECT FROM elecbill.tariff_rider r WHERE r.tariff_plan_id = plan.id AND r.rider_plan_id = rider.id
		AND r.valid @> p_valid AND r.n = p_n AND upper_inf(r.known))
	THEN
		RETURN;
	END IF;
	-- days of the same number that it touches become one range with it
	FOR old IN
		SELECT * FROM elecbill.tariff_rider r
		WHERE r.tariff_plan_id = plan.id AND r.rider_plan_id = rider.id AND upper_inf(r.known)
			AND (r.valid && p_valid OR (r.n = p_n AND r.valid -|- p_valid))
	LOOP
		days := CASE WHEN old.n = p_n THEN range_merge(days, old.valid) ELSE days END;
		UPDATE elecbill.tariff_rider SET known = elecbill._known_end(known) WHERE id = old.id;
		INSERT INTO elecbill.tariff_rider (org_id, tariff_plan_id, rider_plan_id, n, valid, known)
		SELECT old.org_id, plan.id, rider.id, old.n, rest, tstzrange(elecbill.now(), NULL)
		FROM unnest(datemultirange(old.valid) - datemultirange(p_valid)) AS rest WHERE old.n <> p_n;
	END LOOP;
	INSERT INTO elecbill.tariff_rider (org_id, tariff_plan_id, rider_plan_id, n, valid, known)
	VALUES (plan.org_id, plan.id, rider.id, p_n, days, tstzrange(elecbill.now(), NULL));
	PERFORM elecbill._rider_check(plan.id);
END $$;
COMMENT ON FUNCTION elecbill.rider_set(text, text, daterange, integer) IS
'puts a rider on a tariff (both CODE or ORG/CODE) for local days [from, to); days on which it was there stay. n orders the riders of a tariff, from now on known on these days. UB409 they do not fit together, UB404 unknown, or days without a version of the rider';

CREATE FUNCTION elecbill.rider_end(p_plan text, p_rider text, p_day date) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	plan bigint := elecbill._tariff_plan_get(p_plan);
	rider bigint := elecbill._tariff_plan_get(p_rider);
	old elecbill.tariff_rider;
	ended boolean := false;
BEGIN
	PERFORM elecbill._tariff_lock(plan);
	FOR old IN
		SELECT * FROM elecbill.tariff_rider r
		WHERE r.tariff_plan_id = plan AND r.rider_plan_id = rider AND upper_inf(r.known)
			AND isfinite(p_day) AND (upper_inf(r.valid) OR upper(r.valid) > p_day)
	LOOP
		UPDATE elecbill.tariff_rider SET known = elecbill._known_end(known) WHERE id = old.id;
		IF lower(old.valid) < p_day THEN
			INSERT INTO elecbill.tariff_rider (org_id, tariff_plan_id, rider_plan_id, n, valid, known)
			VALUES (old.org_id, plan, rider, old.n, daterange(lower(old.valid), p_day), tstzrange(elecbill.now(), NULL));
		END IF;
		ended := true;
	END LOOP;
	IF NOT ended THEN
		RAISE EXCEPTION USING
			ERRCODE = 'UB404',
			MESSAGE = format('tariff %s does not carry rider %s on %s or later', quote_literal(p_plan),
				quote_literal(p_rider), coalesce(p_day::text, 'NULL'));
	END IF;
	PERFORM elecbill._rider_check(plan);
END $$;
COMMENT ON FUNCTION elecbill.rider_end(text, text, date) IS
'takes a rider off a tariff from a local day on; UB404 when the tariff does not carry it then or later, UB409 when what is left does not fit together (a base that named the rider)';
