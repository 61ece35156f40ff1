-- 33_import_espi.sql: interval values from Green Button XML (ESPI, NAESB REQ.21)
--
-- An Atom feed: entries with a MeterReading, which refers to its ReadingType (unit, direction) and its
-- IntervalBlocks by links. Stamps are seconds since 1970, UTC. Costs are not taken.

CREATE FUNCTION elecbill._espi_document(p_file bytea, OUT document xml, OUT line integer, OUT message text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	text	text;
	detail	text;
BEGIN
	text := ltrim(convert_from(p_file, 'UTF8'), U&'\FEFF');
	IF substring(text, '^<\?xml[^>]*encoding\s*=\s*["'']([^"'']*)') !~* '^(utf-?8|us-ascii)$' THEN
		message := 'the XML must be in UTF-8';
		RETURN;
	END IF;
	document := xmlparse(DOCUMENT text);
EXCEPTION
	WHEN character_not_in_repertoire OR untranslatable_character THEN
		message := 'the XML must be in UTF-8';
	WHEN invalid_xml_document OR invalid_xml_content THEN
		GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
		line := substring(detail, 'line (\d{1,9}):')::integer;
		message := 'no XML: ' || coalesce(substring(detail, 'line \d+: ([^\n]*)'), SQLERRM);
END $$;
COMMENT ON FUNCTION elecbill._espi_document(bytea) IS 'the XML of a file, or the line and reason why it is none';

CREATE FUNCTION elecbill._espi_direction(uom text, flow text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE coalesce(nullif(flow, ''), '1') WHEN '1' THEN CASE uom WHEN '72' THEN 'import' WHEN '73' THEN 'import_kvarh' END
	WHEN '19' THEN CASE uom WHEN '72' THEN 'export' WHEN '73' THEN 'export_kvarh' END END;
COMMENT ON FUNCTION elecbill._espi_direction(text, text) IS 'direction for a unit (72 Wh, 73 varh) and flowDirection (1 forward, 19 reverse) of ESPI; NULL for another';

CREATE FUNCTION elecbill._espi_quality(codes text) RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE
-- 7 edited by hand; 8, 9, 12 estimated, 10, 13, 14, 16 questionable, mixed, raw, other
RETURN CASE WHEN codes IS NULL THEN 0 ELSE
	CASE WHEN codes ~ '>7<' THEN 8192 ELSE 0 END | CASE WHEN codes ~ '>(?:8|9|12)<' THEN 4096 ELSE 0 END
	| CASE WHEN codes ~ '>(?:10|13|14|16)<' THEN 1 ELSE 0 END END;
COMMENT ON FUNCTION elecbill._espi_quality(text) IS 'flags of a profile for elements <quality> of ESPI';

CREATE FUNCTION elecbill._espi_streams(p_document xml, p_channels text[])
RETURNS TABLE (up text, self text, direction text, factor numeric, wanted boolean, message text)
LANGUAGE sql STABLE ROWS 2 SET search_path = pg_catalog, pg_temp SET jit = off AS $$
	WITH kind AS MATERIALIZED (
		SELECT k.*, count(*) OVER () AS kinds
		FROM XMLTABLE(XMLNAMESPACES('http://www.w3.org/2005/Atom' AS a, 'http://naesb.org/espi' AS e),
			'//e:ReadingType' PASSING p_document COLUMNS
			self text PATH 'string(../../a:link[@rel="self"]/@href)',
			behaviour text PATH 'string(e:accumulationBehaviour)', multiplier text PATH 'string(e:powerOfTenMultiplier)',
			flow text PATH 'string(e:flowDirection)', uom text PATH 'string(e:uom)') k
	), reading AS MATERIALIZED (
		SELECT r.self, r.links::text AS links, count(*) OVER () AS readings
		FROM XMLTABLE(XMLNAMESPACES('http://www.w3.org/2005/Atom' AS a, 'http://naesb.org/espi' AS e),
			'//e:MeterReading' PASSING p_document COLUMNS
			self text PATH 'string(../../a:link[@rel="self"]/@href)',
			links xml PATH '../../a:link[@rel="related"]') r
	), block AS MATERIALIZED (
		SELECT DISTINCT b.up
		FROM XMLTABLE(XMLNAMESPACES('http://www.w3.org/2005/Atom' AS a, 'http://naesb.org/espi' AS e),
			'//e:IntervalBlock' PASSING p_document COLUMNS
			up text PATH 'string(../../a:link[@rel="up"]/@href)') b
	)
	SELECT b.up, r.self, elecbill._espi_direction(k.uom, k.flow),
		   CASE WHEN k.multiplier ~ '^[+-]?\d{0,2}$' THEN ('1e' || coalesce(nullif(k.multiplier, ''), '0'))::numeric END,
		   coalesce(elecbill._espi_direction(k.uom, k.flow) IS NOT NULL AND r.self = ANY (coalesce(p_channels, ARRAY[r.self])), r.self IS NULL),
		   CASE WHEN r.self IS NULL THEN format('IntervalBlocks of %L belong to no MeterReading', left(b.up, 100))
				WHEN k.self IS NULL THEN format('MeterReading %s has no ReadingType', left(r.self, 100))
				WHEN elecbill._espi_direction(k.uom, k.flow) IS NULL THEN NULL
				WHEN k.behaviour NOT IN ('', '0', '4') THEN format('accumulationBehaviour %s: values are not the energy of the interval', left(k.behaviour, 10))
				WHEN k.multiplier !~ '^[+-]?\d{0,2}$' THEN format('powerOfTenMultiplier is %L', left(k.multiplier, 10)) END
	FROM block b
	LEFT JOIN reading r ON position('href="' || b.up || '"' IN r.links) > 0 OR r.readings = 1
	LEFT JOIN kind k ON k.self <> '' AND position('href="' || k.self || '"' IN r.links) > 0 OR k.kinds = 1;
$$;
COMMENT ON FUNCTION elecbill._espi_streams(xml, text[]) IS 'the MeterReadings of a Green Button file: what they measure, and to where their IntervalBlocks refer';

CREATE FUNCTION elecbill._espi_values(p_document xml)
RETURNS TABLE (n integer, up text, start_s text, step_s text, value text, codes text, block_s text, block_length_s text)
LANGUAGE sql STABLE ROWS 100000 SET search_path = pg_catalog, pg_temp SET jit = off AS $$
	-- block by block: a path from a reading to its block's interval would walk over all readings in between
	SELECT row_number() OVER (ORDER BY b.n, v.n)::integer, b.up, btrim(v.start_s), btrim(v.step_s), btrim(v.value), v.codes::text,
		   btrim(b.start_s), btrim(b.length_s)
	FROM XMLTABLE(XMLNAMESPACES('http://www.w3.org/2005/Atom' AS a, 'http://naesb.org/espi' AS e),
			'//e:IntervalBlock' PASSING p_document COLUMNS
			n FOR ORDINALITY, block xml PATH '.', up text PATH 'string(../../a:link[@rel="up"]/@href)',
			start_s text PATH 'string(e:interval/e:start)', length_s text PATH 'string(e:interval/e:duration)') b,
		XMLTABLE(XMLNAMESPACES('http://naesb.org/espi' AS e),
			'/e:IntervalBlock/e:IntervalReading' PASSING b.block COLUMNS
			n FOR ORDINALITY,
			start_s text PATH 'string(e:timePeriod/e:start)', step_s text PATH 'string(e:timePeriod/e:duration)',
			value text PATH 'string(e:value)', codes xml PATH 'e:ReadingQuality/e:quality') v;
$$;
COMMENT ON FUNCTION elecbill._espi_values(xml) IS 'the IntervalReadings of a Green Button file';

CREATE FUNCTION elecbill._import_espi(p_file bytea, p_options jsonb) RETURNS SETOF elecbill.import_value
LANGUAGE plpgsql STABLE ROWS 100000 SET search_path = pg_catalog, pg_temp SET jit = off AS $$
DECLARE
	wanted	text[];
	d		record;
BEGIN
	IF p_options ? 'channels' THEN
		wanted := ARRAY(SELECT c FROM jsonb_array_elements_text(p_options -> 'channels') c);
	END IF;
	SELECT f.* INTO d FROM elecbill._espi_document(p_file) f;
	IF d.document IS NULL THEN
		RETURN QUERY SELECT d.line, NULL::text, NULL::text, NULL::timestamptz, NULL::integer, NULL::numeric, NULL::integer, 'UB400'::text, d.message;
		RETURN;
	END IF;
	RETURN QUERY
	WITH stream AS (SELECT s.* FROM elecbill._espi_streams(d.document, wanted) s)
	SELECT NULL::integer, NULL::text, NULL::text, NULL::timestamptz, NULL::integer, NULL::numeric, NULL::integer, w.code, w.message
	FROM (
		SELECT 'UB400' AS code, 'the file holds no values in Wh or varh, forward or reverse' AS message
		WHERE NOT EXISTS (SELECT FROM stream s WHERE s.wanted)
		UNION ALL
		SELECT 'UB404', format('the file holds no MeterReading %s', c) FROM unnest(wanted) c
		WHERE NOT EXISTS (SELECT FROM stream s WHERE s.self = c)
		UNION ALL
		SELECT 'UB400', s.message FROM stream s WHERE s.wanted AND s.message IS NOT NULL
		UNION ALL
		SELECT 'UB409', format('MeterReadings %s are all %s: name one in option "channels", the others belong to other points',
			string_agg(DISTINCT s.self, ', '), s.direction)
		FROM stream s WHERE s.wanted GROUP BY s.direction HAVING count(DISTINCT s.self) > 1
	) w;
	RETURN QUERY
	SELECT c.n, CASE WHEN c.wrong LIKE 'value %' THEN 'value' WHEN c.wrong IS NOT NULL THEN 'timePeriod' END, c.direction,
		   CASE WHEN c.wrong IS NULL THEN timestamptz 'epoch' + c.start_s::bigint * interval '1 second' END,
		   CASE WHEN c.wrong IS NULL THEN c.step_s::integer END,
		   CASE WHEN c.wrong IS NULL THEN elecbill._import_number(c.value) * c.factor END,
		   elecbill._espi_quality(c.codes),
		   CASE WHEN NOT c.wanted THEN 'ignored' WHEN c.wrong IS NOT NULL THEN 'UB400' END, c.wrong
	FROM (
		SELECT v.*, s.direction, s.factor, s.wanted,
			   CASE WHEN NOT s.wanted THEN NULL
					WHEN v.start_s !~ '^\d{1,10}$' THEN format('start %L is no number of seconds', left(v.start_s, 40))
					WHEN v.step_s !~ '^\d{1,5}$' OR 86400 % nullif(v.step_s::integer, 0) = 0 IS NOT TRUE
						THEN format('a duration of %L seconds does not divide the day', left(v.step_s, 40))
					WHEN elecbill._import_number(v.value) IS NULL THEN format('value %L is not a number', left(v.value, 40))
					WHEN v.block_s ~ '^\d{1,10}$' AND v.block_length_s ~ '^\d{1,10}$'
						AND (v.start_s::bigint < v.block_s::bigint
							 OR v.start_s::bigint + v.step_s::bigint > v.block_s::bigint + v.block_length_s::bigint)
						THEN format('start %s lies outside of the block that begins at %s', v.start_s, v.block_s) END AS wrong
		FROM elecbill._espi_values(d.document) v JOIN elecbill._espi_streams(d.document, wanted) s USING (up)
		WHERE s.message IS NULL
		OFFSET 0) c;	/* worked out once per row, not once per mention */
END $$;
COMMENT ON FUNCTION elecbill._import_espi(bytea, jsonb) IS 'interval values of a Green Button file, and what is wrong with it';
