-- 33_import_csv.sql: interval values from a CSV file whose columns the caller names

CREATE FUNCTION elecbill._import_options(p_given jsonb, p_known text[]) RETURNS void
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	name	text;
BEGIN
	IF jsonb_typeof(p_given) IS DISTINCT FROM 'object' OR pg_column_size(p_given) > 2000 THEN
		RAISE EXCEPTION 'options must be a JSON object of at most 2000 bytes' USING ERRCODE = 'UB400';
	END IF;
	FOR name IN SELECT jsonb_object_keys(p_given) LOOP
		IF name <> ALL (p_known) THEN
			RAISE EXCEPTION 'unknown option "%"', name
				USING ERRCODE = 'UB400', HINT = 'Known are ' || array_to_string(p_known, ', ') || '.';
		END IF;
	END LOOP;
END $$;
COMMENT ON FUNCTION elecbill._import_options(jsonb, text[]) IS 'refuses options that are not known (UB400)';

CREATE FUNCTION elecbill._import_choice(p_given jsonb, p_name text, p_default text, p_known text[]) RETURNS text
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	chosen	text := coalesce(p_given ->> p_name, p_default);
BEGIN
	IF chosen = ANY (p_known) IS NOT TRUE THEN
		RAISE EXCEPTION 'option "%" must be one of %', p_name, array_to_string(p_known, ', ') USING ERRCODE = 'UB400';
	END IF;
	RETURN chosen;
END $$;
COMMENT ON FUNCTION elecbill._import_choice(jsonb, text, text, text[]) IS 'an option that is one of a few words (UB400)';

CREATE FUNCTION elecbill._import_step(p_given jsonb) RETURNS integer
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	step_s	numeric;
BEGIN
	BEGIN
		step_s := extract(epoch FROM (p_given ->> 'step')::interval);
	EXCEPTION WHEN data_exception THEN
		NULL;	/* told below */
	END;
	IF (step_s BETWEEN 1 AND 86400 AND 86400 % step_s = 0) IS NOT TRUE THEN
		RAISE EXCEPTION 'option "step" must be a length that divides the day, such as "15 min"' USING ERRCODE = 'UB400';
	END IF;
	RETURN step_s;
END $$;
COMMENT ON FUNCTION elecbill._import_step(jsonb) IS 'seconds of the option "step" (UB400)';

CREATE FUNCTION elecbill._import_column(p_given jsonb, p_head text[]) RETURNS integer
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	at	integer[];
BEGIN
	IF jsonb_typeof(p_given) = 'number' AND p_given::text ~ '^[1-9]\d{0,2}$' THEN
		RETURN p_given::text::integer;
	ELSIF jsonb_typeof(p_given) = 'string' AND p_head IS NOT NULL THEN
		at := array_positions(p_head, p_given ->> 0);
		IF cardinality(at) = 1 THEN
			RETURN at[1];
		END IF;
		RAISE EXCEPTION 'column % %', quote_literal(p_given ->> 0), CASE WHEN at = '{}' THEN 'is missing' ELSE 'stands twice' END
			USING ERRCODE = 'UB404', DETAIL = 'The file has ' || array_to_string(p_head[:20], ', ') || '.';
	END IF;
	RAISE EXCEPTION 'a column is named by its name, or by its number where "header" is false' USING ERRCODE = 'UB400';
END $$;
COMMENT ON FUNCTION elecbill._import_column(jsonb, text[]) IS 'place of a column that the options name, from 1 (UB400, UB404)';

CREATE FUNCTION elecbill._import_stamp(stamp text) RETURNS text[]
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
-- taken apart by hand: the regular expression would take ten times as long to do it
RETURN CASE
	WHEN stamp ~ '^(?:\d{4}|\d{1,2})[-/.]\d{1,2}[-/.](?:\d{4}|\d{1,2})(?:[ T]\d{1,2}:\d\d(?::\d\d(?:\.0+)?)?)?$'
	THEN string_to_array(translate(stamp, '-/.:T', '     '), ' ')
	WHEN stamp ~ '^\d{8}(?:[ T]?\d\d:?\d\d(?::?\d\d)?)?$'
	THEN ARRAY[left(stamp, 4), substr(stamp, 5, 2), substr(stamp, 7, 2), nullif(substr(translate(stamp, ' T:', ''), 9, 2), ''),
			   nullif(substr(translate(stamp, ' T:', ''), 11, 2), ''), nullif(substr(translate(stamp, ' T:', ''), 13, 2), '')]
END;
COMMENT ON FUNCTION elecbill._import_stamp(text) IS 'a stamp taken apart: three parts of the date as they stand, hour, minute, second; NULL when it is none. 2026-01-31 23:45, 1/31/26 23:45, 20260131234500';

CREATE FUNCTION elecbill._import_offset(utc_offset text) RETURNS interval
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN CASE utc_offset WHEN 'Z' THEN '0'
	ELSE (left(utc_offset, 3) || ':' || coalesce(nullif(substr(translate(utc_offset, ':', ''), 4), ''), '00'))::interval END;
COMMENT ON FUNCTION elecbill._import_offset(text) IS 'Z, +01, +0100 or +01:00 as interval';

CREATE FUNCTION elecbill._import_local(year integer, month integer, day integer, hour integer, minute integer, second integer)
RETURNS timestamp
LANGUAGE sql IMMUTABLE PARALLEL SAFE
-- built by hand: text::timestamp would obey DateStyle and take what people never meant
RETURN CASE WHEN year BETWEEN 1900 AND 2200 AND month BETWEEN 1 AND 12 AND day BETWEEN 1 AND 31 AND minute < 60 AND second < 60
	AND (hour < 24 OR hour = 24 AND minute + second = 0)
	AND (day <= 28 OR extract(month FROM make_date(year, month, 1) + (day - 1)) = month)
	THEN make_date(year, month, 1) + (day - 1) + make_interval(hours => hour, mins => minute, secs => second) END;
COMMENT ON FUNCTION elecbill._import_local(integer, integer, integer, integer, integer, integer) IS 'a local time from its parts, NULL when there is no such; 24:00 is the end of the day';

CREATE FUNCTION elecbill._import_csv_fields(p_file bytea, p_options jsonb)
RETURNS TABLE (line integer, stamp text, energy text, quality text, wanted boolean, fault text)
LANGUAGE plpgsql STABLE ROWS 100000 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	skip		integer := coalesce(p_options ->> 'skip', '0')::integer;
	named		boolean := coalesce(p_options ->> 'header', 'true')::boolean;
	head		text[];
	at_column	integer[];
	energy_column integer;
	quality_column integer;
	where_column integer[];
	where_text	text[];
BEGIN
	IF named THEN
		SELECT ARRAY(SELECT btrim(f, E' \t') FROM unnest(r.fields) WITH ORDINALITY u(f, i) ORDER BY i) INTO head
		FROM elecbill.csv_rows(p_file) r LIMIT 1 OFFSET skip;
		IF head IS NULL THEN
			RETURN;	/* an empty file */
		END IF;
		skip := skip + 1;
	END IF;
	at_column := ARRAY(
		SELECT elecbill._import_column(c, head)
		FROM jsonb_array_elements(CASE jsonb_typeof(p_options -> 'at') WHEN 'array' THEN p_options -> 'at'
			ELSE jsonb_build_array(p_options -> 'at') END) WITH ORDINALITY e(c, i) ORDER BY i);
	energy_column := elecbill._import_column(p_options -> 'energy', head);
	IF p_options ? 'quality' THEN
		quality_column := elecbill._import_column(p_options -> 'quality', head);
	END IF;
	SELECT array_agg(elecbill._import_column(CASE WHEN named THEN to_jsonb(w.name) ELSE to_jsonb(w.name::integer) END, head)),
		   array_agg(w.value)
	INTO where_column, where_text FROM jsonb_each_text(coalesce(p_options -> 'where', '{}')) w(name, value);
	RETURN QUERY
	SELECT r.line, concat_ws(' ', btrim(r.fields[at_column[1]], E' \t'), btrim(r.fields[at_column[2]], E' \t')),
		   btrim(r.fields[energy_column], E' \t'), coalesce(btrim(r.fields[quality_column], E' \t'), ''),
		   where_column IS NULL OR r.fault IS NOT NULL
			OR ARRAY(SELECT btrim(r.fields[c], E' \t') FROM unnest(where_column) WITH ORDINALITY u(c, i) ORDER BY i) = where_text,
		   r.fault
	FROM elecbill.csv_rows(p_file) r OFFSET skip;
END $$;
COMMENT ON FUNCTION elecbill._import_csv_fields(bytea, jsonb) IS 'the columns of a CSV file that the options name, line by line; wanted: not left out by the option "where"';

CREATE FUNCTION elecbill._import_csv_check(p_options jsonb) RETURNS void
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	reactive	boolean;
BEGIN
	PERFORM elecbill._import_options(p_options,
		'{at,energy,step,dst,stamp,order,unit,direction,header,skip,where,quality,qualities}');
	PERFORM elecbill._import_step(p_options);
	PERFORM elecbill._import_choice(p_options, 'dst', NULL, '{standard,wall,first,last,offset}');
	PERFORM elecbill._import_choice(p_options, 'stamp', 'start', '{start,end}');
	PERFORM elecbill._import_choice(p_options, 'order', 'ymd', '{ymd,mdy,dmy}');
	PERFORM elecbill._import_choice(p_options, 'header', 'true', '{true,false}');
	SELECT u.reactive INTO reactive FROM elecbill._import_unit(coalesce(p_options ->> 'unit', 'kWh')) u;
	IF reactive IS DISTINCT FROM elecbill._import_choice(p_options, 'direction', 'import',
		'{import,export,import_kvarh,export_kvarh}') LIKE '%kvarh'
	THEN
		RAISE EXCEPTION 'option "unit" must be Wh, kWh or MWh, for reactive energy varh, kvarh or Mvarh' USING ERRCODE = 'UB400';
	ELSIF coalesce(p_options ->> 'skip', '0') !~ '^\d{1,6}$' THEN
		RAISE EXCEPTION 'option "skip" must be the number of records before the first one that counts' USING ERRCODE = 'UB400';
	ELSIF jsonb_typeof(coalesce(p_options -> 'where', '{}')) <> 'object'
		OR p_options ->> 'header' = 'false' AND EXISTS (SELECT FROM jsonb_object_keys(p_options -> 'where') w WHERE w !~ '^[1-9]\d{0,2}$')
	THEN
		RAISE EXCEPTION 'option "where" must be an object such as {"meter": "A1"}: lines with this text in this column count'
			USING ERRCODE = 'UB400';
	ELSIF jsonb_typeof(coalesce(p_options -> 'qualities', '{}')) <> 'object' OR EXISTS (
		SELECT FROM jsonb_each_text(p_options -> 'qualities') q
		WHERE q.value IN ('actual', 'estimated', 'substituted', 'missing') IS NOT TRUE)
	THEN
		RAISE EXCEPTION 'option "qualities" must be an object of texts and actual, estimated, substituted or missing' USING ERRCODE = 'UB400';
	ELSIF jsonb_typeof(p_options -> 'at') = 'array' AND jsonb_array_length(p_options -> 'at') NOT IN (1, 2) THEN
		RAISE EXCEPTION 'option "at" must be a column, or two: date and time' USING ERRCODE = 'UB400';
	END IF;
END $$;
COMMENT ON FUNCTION elecbill._import_csv_check(jsonb) IS 'refuses options of a CSV file that mean nothing (UB400)';

CREATE FUNCTION elecbill._import_csv(p_file bytea, p_zone text, p_options jsonb) RETURNS SETOF elecbill.import_value
LANGUAGE plpgsql STABLE ROWS 100000 SET search_path = pg_catalog, pg_temp SET jit = off AS $$
#variable_conflict use_column
DECLARE
	step_s		integer := elecbill._import_step(p_options);
	dst			text := p_options ->> 'dst';
	-- where year, month and day stand
	y			integer := CASE p_options ->> 'order' WHEN 'mdy' THEN 3 WHEN 'dmy' THEN 3 ELSE 1 END;
	m			integer := CASE p_options ->> 'order' WHEN 'mdy' THEN 1 ELSE 2 END;
	d			integer := CASE p_options ->> 'order' WHEN 'mdy' THEN 2 WHEN 'dmy' THEN 1 ELSE 3 END;
	shift		interval := CASE p_options ->> 'stamp' WHEN 'end' THEN make_interval(secs => step_s) ELSE '0' END;
	direction	text := coalesce(p_options ->> 'direction', 'import');
	factor		numeric := (SELECT u.factor FROM elecbill._import_unit(coalesce(p_options ->> 'unit', 'kWh')) u);
	qualities	jsonb := jsonb_build_object('', 'actual') || coalesce(p_options -> 'qualities', '{}');
BEGIN
	RETURN QUERY
	SELECT v.line,
		   CASE WHEN v.fault IS NOT NULL THEN NULL WHEN v.message IS NOT NULL THEN 'at' WHEN v.state IS NULL THEN 'quality' ELSE 'energy' END,
		   direction, v.at - shift, step_s,
		   CASE WHEN NOT v.missing THEN v.number * factor END,
		   CASE v.state WHEN 'estimated' THEN 4096 WHEN 'substituted' THEN 8192 ELSE 0 END,
		   CASE WHEN NOT v.wanted THEN 'ignored'
				WHEN coalesce(v.fault, v.message) IS NOT NULL OR v.state IS NULL OR v.number IS NULL AND NOT v.missing THEN 'UB400' END,
		   coalesce(v.fault, v.message,
					CASE WHEN v.state IS NULL THEN format('unknown quality %L', left(v.quality, 40))
						 WHEN v.number IS NULL AND NOT v.missing THEN format('not a number: %L', left(v.energy, 40)) END)
	FROM (
		SELECT i.*,
			   CASE WHEN NOT i.wanted OR i.at IS NOT NULL THEN NULL
					WHEN i.local_at IS NULL THEN format('no date and time: %L', left(i.stamp, 40))
					WHEN dst = 'offset' THEN format('%s has no offset to UTC', i.stamp)
					ELSE format('%s does not exist in %s: the clock is put forward', i.stamp, p_zone) END AS message,
			   elecbill._import_number(i.energy) AS number, qualities ->> i.quality AS state,
			   i.energy = '' OR lower(i.energy) = 'null' OR coalesce(qualities ->> i.quality = 'missing', false) AS missing
		FROM (
			SELECT l.*,
				   CASE WHEN dst = 'offset' THEN (l.local_at - elecbill._import_offset(l.utc_offset)) AT TIME ZONE 'UTC'
						WHEN dst = 'standard' THEN elecbill._standard_instant(l.local_at, p_zone)
						WHEN dst = 'last' OR dst = 'wall' AND l.seen > 1 THEN elecbill._wall_last(l.local_at, p_zone)
						ELSE elecbill._wall_first(l.local_at, p_zone, elecbill._wall_last(l.local_at, p_zone)) END AS at
			FROM (
				SELECT t.*, row_number() OVER (PARTITION BY t.wanted, t.local_at ORDER BY t.line) AS seen
				FROM (
					SELECT p.line, p.stamp, p.energy, p.quality, p.wanted, p.fault, p.utc_offset,
						   elecbill._import_local(
							p.part[y]::integer + CASE length(p.part[y]) WHEN 4 THEN 0 ELSE 2000 END, p.part[m]::integer,
							p.part[d]::integer, coalesce(p.part[4], '0')::integer, coalesce(p.part[5], '0')::integer,
							coalesce(p.part[6], '0')::integer) AS local_at
					FROM (
						SELECT c.*, elecbill._import_stamp(btrim(left(c.stamp, length(c.stamp) - coalesce(length(c.utc_offset), 0)))) AS part
						FROM (SELECT r.*, CASE WHEN dst = 'offset' THEN substring(r.stamp, '(?:Z|[+-]\d\d(?::?\d\d)?)$') END AS utc_offset
							  FROM elecbill._import_csv_fields(p_file, p_options) r OFFSET 0) c
						OFFSET 0) p
					OFFSET 0) t) l
			OFFSET 0) i
		OFFSET 0) v;
END $$;
COMMENT ON FUNCTION elecbill._import_csv(bytea, text, jsonb) IS 'interval values of a CSV file, in no order';
