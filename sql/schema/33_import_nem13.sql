-- 33_import_nem13.sql: register values from a meter data file of the Australian market (MDFF NEM13)
--
-- A record 250 has the previous and the current value of a register, and the energy between them. The
-- values become readings of the point's meter; the energy is compared, not stored.

CREATE FUNCTION elecbill._nem13_records(p_file bytea, p_nmi text, p_channels text[])
RETURNS TABLE (line integer, nmi text, channel text, direction text, factor numeric, serial text, quantity numeric, wanted boolean,
	part integer, at text, reading text, quality text, message text)
LANGUAGE sql STABLE ROWS 100 SET search_path = pg_catalog, pg_temp SET jit = off AS $$
	SELECT r.line, r.f[2], c.channel, c.direction, u.factor, r.f[7], elecbill._import_number(ltrim(r.f[19], '-')) * u.factor,
		   r.f[2] = coalesce(p_nmi, r.f[2]) AND c.channel = ANY (coalesce(p_channels, ARRAY[c.channel])),
		   p.part, p.at, p.reading, p.quality,
		   CASE WHEN c.direction IS NULL THEN format('field 8 must be E or I, not %L', left(r.f[8], 40))
				WHEN u.reactive IS DISTINCT FROM false THEN format('unit %L of a register of energy', left(r.f[20], 40)) END
	FROM (SELECT x.line, ARRAY(SELECT btrim(f) FROM unnest(x.fields) WITH ORDINALITY e(f, i) ORDER BY i) AS f
		  FROM elecbill.csv_rows(p_file) x) r
	LEFT JOIN LATERAL elecbill._import_unit(r.f[20]) u ON true
	CROSS JOIN LATERAL (SELECT coalesce(nullif(r.f[5], ''), r.f[4], ''),
		CASE upper(r.f[8]) WHEN 'E' THEN 'import' WHEN 'I' THEN 'export' END) c(channel, direction)
	CROSS JOIN LATERAL (VALUES (1, r.f[10], r.f[9], r.f[11]), (2, r.f[15], r.f[14], r.f[16])) p(part, at, reading, quality)
	WHERE r.f[1] = '250';
$$;
COMMENT ON FUNCTION elecbill._nem13_records(bytea, text, text[]) IS 'the records 250 of a file NEM13, a row for each of their two values; E is from the market (import here)';

CREATE FUNCTION elecbill._import_nem13(p_file bytea, p_zone text, p_options jsonb) RETURNS SETOF elecbill.import_value
LANGUAGE plpgsql STABLE ROWS 100 SET search_path = pg_catalog, pg_temp SET jit = off AS $$
DECLARE
	wanted_nmi	text := p_options ->> 'nmi';
	wanted		text[];
BEGIN
	IF p_options ? 'channels' THEN
		wanted := ARRAY(SELECT c FROM jsonb_array_elements_text(p_options -> 'channels') c);
	END IF;
	RETURN QUERY SELECT f.* FROM elecbill._nem_frame(p_file, 'NEM13') f;
	RETURN QUERY
	SELECT c.*
	FROM (SELECT array_agg(r.nmi) AS nmis, array_agg(r.direction) AS directions, array_agg(r.channel) AS channels
		  FROM elecbill._nem13_records(p_file, wanted_nmi, wanted) r WHERE r.direction IS NOT NULL) s,
		 elecbill._nem_choice(s.nmis, s.directions, s.channels, wanted_nmi, wanted) c;
	RETURN QUERY
	SELECT r.line, CASE r.part WHEN 1 THEN 'previous' ELSE 'current' END, r.direction, elecbill._standard_instant(l.local_at, p_zone),
		   NULL::integer, trunc(n.number * r.factor),
		   elecbill._nem_quality(r.quality) | CASE WHEN n.number * r.factor <> trunc(n.number * r.factor) THEN 256 ELSE 0 END,
		   CASE WHEN NOT r.wanted THEN 'ignored' WHEN w.message IS NOT NULL THEN 'UB400' END, w.message
	FROM elecbill._nem13_records(p_file, wanted_nmi, wanted) r
	CROSS JOIN LATERAL (SELECT elecbill._import_number(r.reading)) n(number)
	CROSS JOIN LATERAL (SELECT CASE WHEN r.at ~ '^\d{14}$' THEN elecbill._import_local(left(r.at, 4)::integer, substr(r.at, 5, 2)::integer,
		substr(r.at, 7, 2)::integer, substr(r.at, 9, 2)::integer, substr(r.at, 11, 2)::integer, right(r.at, 2)::integer) END) l(local_at)
	CROSS JOIN LATERAL (SELECT coalesce(r.message,
		CASE WHEN l.local_at IS NULL THEN format('no date and time: %L', left(r.at, 40))
			 WHEN n.number IS NULL OR n.number < 0 THEN format('not a register value: %L', left(r.reading, 40))
			 WHEN r.quality !~ '^(?:A|[ESF](?:\d\d)?)$' THEN format('not a quality: %L', left(r.quality, 40)) END)) w(message);
END $$;
COMMENT ON FUNCTION elecbill._import_nem13(bytea, text, jsonb) IS 'register values of a file NEM13 (step_s NULL, wh the register), and what is wrong with it';

CREATE FUNCTION elecbill._register_judge(p_point elecbill.usage_point, p_values elecbill.import_value[])
RETURNS SETOF elecbill.import_value
LANGUAGE sql STABLE ROWS 100 SET search_path = pg_catalog, pg_temp SET jit = off AS $$
	WITH value AS (
		SELECT v.*, (SELECT m.serial FROM elecbill.meter_installation i JOIN elecbill.meter m ON m.id = i.meter_id
					 WHERE i.usage_point_id = p_point.id AND i.role = 'main' AND lower(i.valid) <= v.at
						AND coalesce(upper(i.valid), 'infinity') >= v.at
					 ORDER BY lower(i.valid) LIMIT 1) AS serial
		FROM unnest(p_values) WITH ORDINALITY v(line, field, direction, at, step_s, wh, quality, code, message, i)
	)
	SELECT v.line, v.field, v.direction, v.at, v.step_s, v.wh, v.quality,
		   coalesce(v.code, CASE WHEN c.reason LIKE 'unknown%' THEN 'UB404' WHEN c.reason IS NOT NULL THEN 'UB400' END),
		   coalesce(v.message, CASE WHEN v.serial IS NULL THEN 'no meter is installed at this instant' ELSE c.reason END)
	FROM value v
	LEFT JOIN LATERAL elecbill._ingest_check(p_point.org_id, ARRAY[v.serial],
		ARRAY[CASE v.direction WHEN 'import' THEN '1.8.0' ELSE '2.8.0' END], ARRAY[v.at], ARRAY[v.wh / 1000], ARRAY[v.quality],
		ARRAY[NULL::timestamptz], NULL) c ON v.code IS NULL
	ORDER BY v.i;
$$;
COMMENT ON FUNCTION elecbill._register_judge(elecbill.usage_point, elecbill.import_value[]) IS 'register values of a file with what is wrong with them for the main meter of a point';

CREATE FUNCTION elecbill._register_store(p_point elecbill.usage_point, p_job bigint, p_values elecbill.import_value[],
	OUT stored integer, OUT duplicate integer, OUT conflict integer, OUT rounded integer)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	given	record;
	before	bigint;
	there	bigint;
BEGIN
	stored := 0;
	duplicate := 0;
	conflict := 0;
	rounded := 0;
	FOR given IN
		SELECT v.line, v.direction, v.at, v.wh::bigint AS wh, v.quality, g.id AS register_id, g.wrap_wh, m.interval_s
		FROM unnest(p_values) WITH ORDINALITY v(line, field, direction, at, step_s, wh, quality, code, message, i)
		CROSS JOIN LATERAL (SELECT x.meter_id FROM elecbill.meter_installation x
			WHERE x.usage_point_id = p_point.id AND x.role = 'main' AND lower(x.valid) <= v.at
				AND coalesce(upper(x.valid), 'infinity') >= v.at
			ORDER BY lower(x.valid) LIMIT 1) n
		JOIN elecbill.meter m ON m.id = n.meter_id
		JOIN elecbill.meter_register g ON g.meter_id = m.id AND g.code = CASE v.direction WHEN 'import' THEN '1.8.0' ELSE '2.8.0' END
		WHERE v.code IS NULL ORDER BY g.id, v.at, v.i
	LOOP
		there := (SELECT r.register_wh FROM elecbill._reading_all r WHERE r.register_id = given.register_id AND r.read_at = given.at);
		IF there IS NULL THEN
			before := (elecbill._reading_before(given.register_id, given.at, NULL)).wh;
			PERFORM elecbill._reading_partition((given.at AT TIME ZONE 'UTC')::date);
			INSERT INTO elecbill.reading (register_id, read_at, register_wh, slot_at, org_id, quality, source)
			VALUES (given.register_id, given.at, given.wh, elecbill._slot_at(given.at, given.interval_s), p_point.org_id,
					given.quality | CASE WHEN given.wh >= before OR before IS NULL THEN 0
										 WHEN before > given.wrap_wh / 10 * 9 AND given.wh < given.wrap_wh / 10 THEN 64
										 ELSE 16 END, 1)
			ON CONFLICT (register_id, read_at) DO NOTHING;
			IF FOUND THEN
				stored := stored + 1;
				rounded := rounded + (given.quality >> 8 & 1);
				CONTINUE;
			END IF;
			-- a collector brought it meanwhile
			there := (SELECT r.register_wh FROM elecbill.reading r WHERE r.register_id = given.register_id AND r.read_at = given.at);
		END IF;
		IF there = given.wh THEN
			duplicate := duplicate + 1;
		ELSE
			conflict := conflict + 1;
			INSERT INTO elecbill.import_conflict (org_id, usage_point_id, direction, at, stored_wh, offered_wh, job_id, line, created_at)
			VALUES (p_point.org_id, p_point.id, given.direction, given.at, there, given.wh, p_job, given.line, elecbill.now())
			ON CONFLICT ON CONSTRAINT import_conflict_offer_key DO NOTHING;
		END IF;
	END LOOP;
END $$;
COMMENT ON FUNCTION elecbill._register_store(elecbill.usage_point, bigint, elecbill.import_value[]) IS 'stores the good register values as readings (source 1) of the main meter, in order of time; another value for an instant that has one goes to import_conflict';

CREATE FUNCTION elecbill._register_remarks(p_point elecbill.usage_point, p_file bytea, p_options jsonb, p_values elecbill.import_value[])
RETURNS SETOF elecbill.import_value
LANGUAGE sql STABLE ROWS 10 SET search_path = pg_catalog, pg_temp AS $$
	WITH pair AS (
		SELECT r.line, r.serial, r.quantity, p.wh AS from_wh, c.wh AS to_wh, n.serial AS installed, g.wrap_wh
		FROM elecbill._nem13_records(p_file, p_options ->> 'nmi', NULL) r
		JOIN unnest(p_values) p ON p.line = r.line AND p.field = 'previous' AND p.code IS NULL
		JOIN unnest(p_values) c ON c.line = r.line AND c.field = 'current' AND c.code IS NULL
		CROSS JOIN LATERAL (SELECT m.id, m.serial FROM elecbill.meter_installation x JOIN elecbill.meter m ON m.id = x.meter_id
			WHERE x.usage_point_id = p_point.id AND x.role = 'main' AND lower(x.valid) <= p.at
				AND coalesce(upper(x.valid), 'infinity') >= c.at ORDER BY lower(x.valid) LIMIT 1) n
		JOIN elecbill.meter_register g ON g.meter_id = n.id AND g.code = CASE p.direction WHEN 'import' THEN '1.8.0' ELSE '2.8.0' END
		WHERE r.part = 2
	)
	SELECT p.line, w.field, NULL::text, NULL::timestamptz, NULL::integer, NULL::numeric, NULL::integer, '01000'::text, w.message
	FROM pair p
	CROSS JOIN LATERAL (SELECT elecbill.register_delta(p.from_wh::bigint, p.to_wh::bigint, p.wrap_wh, p.wrap_wh / 10)) d(wh)
	CROSS JOIN LATERAL (VALUES
		('quantity', CASE WHEN d.wh IS DISTINCT FROM p.quantity THEN
			format('the file says %s Wh, its values give %s', coalesce(trim_scale(p.quantity)::text, 'no'), coalesce(d.wh::text, 'none: the register ran backwards')) END),
		('serial', CASE WHEN right(p.installed, length(p.serial)) <> p.serial THEN
			format('the values are of meter %s, installed is %s', p.serial, p.installed) END)) w(field, message)
	WHERE w.message IS NOT NULL;
$$;
COMMENT ON FUNCTION elecbill._register_remarks(elecbill.usage_point, bytea, jsonb, elecbill.import_value[]) IS 'what is odd about register values that count: another energy than the file says, another meter';
