-- 33_import_nem12.sql: interval values from a meter data file of the Australian market (MDFF NEM12)
--
-- 100 header, 200 what follows (NMI, stream, unit, interval), 300 a day of values in market time,
-- 400 the quality of a range of them where the day says V, 500 manual reads, 900 end. A stream E is
-- what came from the market (import here), B went to it, Q and K are varh. Source: AEMO, Meter Data
-- File Format Specification NEM12 & NEM13.

CREATE FUNCTION elecbill._nem_direction(suffix text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN CASE left(suffix, 1) WHEN 'E' THEN 'import' WHEN 'B' THEN 'export' WHEN 'Q' THEN 'import_kvarh' WHEN 'K' THEN 'export_kvarh' END;
COMMENT ON FUNCTION elecbill._nem_direction(text) IS 'direction of a NEM12 stream: E1 import, B1 export, Q1 import_kvarh, K1 export_kvarh, NULL for another';

CREATE FUNCTION elecbill._nem_quality(flag text) RETURNS integer
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN CASE left(flag, 1) WHEN 'E' THEN 4096 WHEN 'S' THEN 8192 WHEN 'F' THEN 8192 ELSE 0 END;
COMMENT ON FUNCTION elecbill._nem_quality(text) IS 'flags of a profile for a quality of NEM12: A actual, E estimated, S and F substituted';

CREATE FUNCTION elecbill._nem_date(given text) RETURNS date
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN CASE WHEN given ~ '^\d{8}$' THEN elecbill._import_local(left(given, 4)::integer, substr(given, 5, 2)::integer,
	right(given, 2)::integer, 0, 0, 0)::date END;
COMMENT ON FUNCTION elecbill._nem_date(text) IS 'YYYYMMDD as date, else NULL';

CREATE FUNCTION elecbill._nem_frame(p_file bytea, p_version text) RETURNS SETOF elecbill.import_value
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET jit = off AS $$
	WITH record AS MATERIALIZED (
		SELECT r.line, r.fault, btrim(r.fields[1]) AS kind, upper(btrim(r.fields[2])) AS version,
			   row_number() OVER w AS n, lag(btrim(r.fields[1])) OVER w AS before, lead(r.line) OVER w AS next
		FROM elecbill.csv_rows(p_file) r WINDOW w AS (ORDER BY r.line)
	), wrong AS (
		SELECT r.line, 1 AS field, CASE
			WHEN r.fault IS NOT NULL THEN r.fault
			WHEN r.n = 1 AND (r.kind <> '100' OR r.version IS DISTINCT FROM p_version) THEN format('the file does not begin with a record 100,%s', p_version)
			WHEN r.kind <> ALL (CASE p_version WHEN 'NEM12' THEN '{100,200,300,400,500,900}'::text[] ELSE '{100,250,550,900}' END)
				THEN format('a file %s has no record %s', p_version, quote_literal(left(r.kind, 40)))
			WHEN r.n > 1 AND r.kind = '100' THEN 'a second record 100'
			WHEN r.kind = '900' AND r.next IS NOT NULL THEN 'the file goes on behind record 900'
			WHEN r.kind <> '900' AND r.next IS NULL THEN 'the file does not end with a record 900'
			WHEN r.kind = '400' AND r.before NOT IN ('300', '400') THEN 'a record 400 without a record 300' END AS message
		FROM record r
		UNION ALL
		SELECT NULL, NULL, 'the file holds no values'
		WHERE NOT EXISTS (SELECT FROM record r WHERE r.kind IN ('300', '250'))
	)
	SELECT w.line, w.field::text, NULL::text, NULL::timestamptz, NULL::integer, NULL::numeric, NULL::integer, 'UB400'::text, w.message
	FROM wrong w WHERE w.message IS NOT NULL;
$$;
COMMENT ON FUNCTION elecbill._nem_frame(bytea, text) IS 'what is wrong with the order of records of a file NEM12 or NEM13';

CREATE FUNCTION elecbill._nem12_blocks(p_file bytea, p_nmi text, p_channels text[])
RETURNS TABLE (n bigint, until bigint, line integer, nmi text, channel text, direction text, factor numeric, step_s integer,
	wanted boolean, message text)
LANGUAGE sql STABLE ROWS 10 SET search_path = pg_catalog, pg_temp SET jit = off AS $$
	SELECT b.n, coalesce(lead(b.n) OVER (ORDER BY b.n), 1000000000), b.line, b.nmi, b.channel, b.direction, u.factor,
		   CASE WHEN b.minutes ~ '^\d{1,4}$' AND b.minutes::integer BETWEEN 1 AND 1440 THEN b.minutes::integer * 60 END,
		   b.nmi IS NULL OR b.channel IS NULL OR coalesce(b.direction IS NOT NULL AND b.nmi = coalesce(p_nmi, b.nmi)
			AND b.channel = ANY (coalesce(p_channels, ARRAY[b.channel])), false),
		   CASE WHEN b.nmi IS NULL THEN 'a record 200 without an NMI'
				WHEN b.channel IS NULL THEN 'a record 200 without a stream'
				WHEN b.direction IS NULL THEN NULL
				WHEN u.reactive IS DISTINCT FROM b.direction LIKE '%kvarh' THEN format('stream %s in unit %L', b.channel, left(b.unit, 40))
				WHEN (b.minutes ~ '^\d{1,4}$' AND 1440 % nullif(b.minutes::integer, 0) = 0) IS NOT TRUE
					THEN format('an interval of %L minutes does not divide the day', left(b.minutes, 40)) END
	FROM (SELECT r.n, r.line, nullif(btrim(r.fields[2]), '') AS nmi, nullif(upper(btrim(r.fields[5])), '') AS channel,
				 elecbill._nem_direction(upper(btrim(r.fields[5]))) AS direction, btrim(r.fields[8]) AS unit, btrim(r.fields[9]) AS minutes
		  FROM (SELECT row_number() OVER () AS n, c.* FROM elecbill.csv_rows(p_file) c) r
		  WHERE btrim(r.fields[1]) = '200') b
	LEFT JOIN LATERAL elecbill._import_unit(b.unit) u ON true;
$$;
COMMENT ON FUNCTION elecbill._nem12_blocks(bytea, text, text[]) IS 'the records 200 of a file NEM12, each with the numbers of the records it holds for';

CREATE FUNCTION elecbill._nem_choice(p_nmis text[], p_directions text[], p_channels text[], p_nmi text, p_wanted text[])
RETURNS SETOF elecbill.import_value
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
	WITH stream AS (
		SELECT DISTINCT s.nmi, s.direction, s.channel FROM unnest(p_nmis, p_directions, p_channels) s(nmi, direction, channel)
	), wrong AS (
		SELECT 'UB404' AS code, format('the file holds nothing of NMI %s', p_nmi) AS message
		WHERE p_nmi IS NOT NULL AND NOT EXISTS (SELECT FROM stream s WHERE s.nmi = p_nmi)
		UNION ALL
		SELECT 'UB409', format('the file holds %s NMIs, such as %s: name one in option "nmi"', count(DISTINCT s.nmi), min(s.nmi))
		FROM stream s WHERE p_nmi IS NULL HAVING count(DISTINCT s.nmi) > 1
		UNION ALL
		SELECT 'UB404', format('the file holds no stream %s', w.channel)
		FROM unnest(p_wanted) w(channel)
		WHERE NOT EXISTS (SELECT FROM stream s WHERE s.channel = w.channel AND s.nmi = coalesce(p_nmi, s.nmi))
		UNION ALL
		SELECT 'UB409', format('streams %s are all %s: name one in option "channels", the others belong to other points',
			string_agg(s.channel, ', ' ORDER BY s.channel), s.direction)
		FROM stream s
		WHERE s.nmi = coalesce(p_nmi, s.nmi) AND s.channel = ANY (coalesce(p_wanted, ARRAY[s.channel]))
			AND (p_nmi IS NOT NULL OR (SELECT count(DISTINCT o.nmi) FROM stream o) = 1)
		GROUP BY s.nmi, s.direction HAVING count(*) > 1
	)
	SELECT NULL::integer, NULL::text, NULL::text, NULL::timestamptz, NULL::integer, NULL::numeric, NULL::integer, w.code, w.message
	FROM wrong w;
$$;
COMMENT ON FUNCTION elecbill._nem_choice(text[], text[], text[], text, text[]) IS 'why it is not clear which streams of a file are meant: of one NMI, one stream for each direction';

CREATE FUNCTION elecbill._nem12_days(p_file bytea, p_nmi text, p_channels text[])
RETURNS TABLE (line integer, direction text, factor numeric, step_s integer, day date, wh text[], quality text[], wanted boolean, message text)
LANGUAGE sql STABLE ROWS 1000 SET search_path = pg_catalog, pg_temp SET jit = off AS $$
	WITH record AS MATERIALIZED (
		SELECT r.*, btrim(r.fields[1]) AS kind, count(*) FILTER (WHERE btrim(r.fields[1]) = '300') OVER (ORDER BY r.n) AS day_no
		FROM (SELECT row_number() OVER () AS n, c.* FROM elecbill.csv_rows(p_file) c) r
	), range AS (
		-- a range of intervals, and whether it begins where the one before it ends
		SELECT x.day_no, x.line, x.first, x.last, x.flag, coalesce(lag(x.last) OVER (PARTITION BY x.day_no ORDER BY x.n), 0) + 1 = x.first
			AND x.last >= x.first AND x.flag ~ '^(?:A|N|[ESF](?:\d\d)?)$' AS fits
		FROM (SELECT r.day_no, r.line, r.n, CASE WHEN btrim(r.fields[2]) ~ '^\d{1,4}$' THEN r.fields[2]::integer END AS first,
					 CASE WHEN btrim(r.fields[3]) ~ '^\d{1,4}$' THEN r.fields[3]::integer END AS last, btrim(r.fields[4]) AS flag
			  FROM record r WHERE r.kind = '400') x
	), ranges AS (
		SELECT g.day_no, bool_and(g.fits) AS fit, max(g.last) AS last, array_agg(g.flag ORDER BY g.first) AS flags,
			   array_agg(g.last - g.first + 1 ORDER BY g.first) AS counts
		FROM range g GROUP BY g.day_no
	)
	SELECT d.line, d.direction, d.factor, d.step_s, d.day, d.fields[3:d.n + 2],
		   CASE d.flag WHEN 'V' THEN ARRAY(SELECT g.flag FROM unnest(d.flags, d.counts) WITH ORDINALITY g(flag, count, i),
										   generate_series(1, CASE WHEN d.fit AND d.last = d.n THEN g.count END) ORDER BY g.i)
			ELSE array_fill(d.flag, ARRAY[coalesce(d.n, 0)]) END,
		   coalesce(d.wanted, true),
		   CASE WHEN d.wanted IS NULL THEN 'a record 300 without a record 200'
				WHEN NOT d.wanted OR d.block_message IS NOT NULL THEN d.block_message
				WHEN d.day IS NULL THEN format('not a date: %L', left(d.fields[2], 40))
				WHEN coalesce(d.flag, '') !~ '^(?:A|N|V|[ESF](?:\d\d)?)$'
					THEN format('%s values and then a quality are due, field %s is %L', d.n, d.n + 3, left(coalesce(d.flag, ''), 40))
				WHEN d.flag = 'V' AND (d.fit AND d.last = d.n) IS NOT TRUE
					THEN format('the records 400 of this day do not run from interval 1 to %s', d.n)
				WHEN d.flag <> 'V' AND d.last IS NOT NULL THEN format('a day of quality %s has records 400', d.flag) END
	FROM (
		SELECT r.line, r.fields, b.direction, b.factor, b.step_s, b.wanted, b.message AS block_message, 86400 / b.step_s AS n,
			   elecbill._nem_date(btrim(r.fields[2])) AS day, btrim(r.fields[86400 / b.step_s + 3]) AS flag,
			   g.fit, g.last, g.flags, g.counts
		FROM record r
		LEFT JOIN elecbill._nem12_blocks(p_file, p_nmi, p_channels) b ON r.n > b.n AND r.n < b.until
		LEFT JOIN ranges g ON g.day_no = r.day_no
		WHERE r.kind = '300') d;
$$;
COMMENT ON FUNCTION elecbill._nem12_days(bytea, text, text[]) IS 'the records 300 of a file NEM12 with what the records 200 and 400 say of them';

CREATE FUNCTION elecbill._import_nem12(p_file bytea, p_zone text, p_options jsonb) RETURNS SETOF elecbill.import_value
LANGUAGE plpgsql STABLE ROWS 100000 SET search_path = pg_catalog, pg_temp SET jit = off AS $$
DECLARE
	wanted_nmi	text := p_options ->> 'nmi';
	wanted		text[];
BEGIN
	IF p_options ? 'channels' THEN
		wanted := ARRAY(SELECT upper(c) FROM jsonb_array_elements_text(p_options -> 'channels') c);
	END IF;
	RETURN QUERY SELECT f.* FROM elecbill._nem_frame(p_file, 'NEM12') f;
	RETURN QUERY
	SELECT c.*
	FROM (SELECT array_agg(b.nmi) AS nmis, array_agg(b.direction) AS directions, array_agg(b.channel) AS channels
		  FROM elecbill._nem12_blocks(p_file, wanted_nmi, wanted) b WHERE b.direction IS NOT NULL AND b.nmi IS NOT NULL) s,
		 elecbill._nem_choice(s.nmis, s.directions, s.channels, wanted_nmi, wanted) c;
	RETURN QUERY
	SELECT d.line, CASE WHEN v.i IS NOT NULL THEN 'interval ' || v.i END, d.direction,
		   elecbill._standard_instant(d.day::timestamp, p_zone) + make_interval(secs => (v.i - 1) * d.step_s), d.step_s,
		   CASE WHEN left(v.flag, 1) <> 'N' THEN elecbill._import_number(btrim(v.wh)) * d.factor END,
		   elecbill._nem_quality(v.flag),
		   CASE WHEN NOT d.wanted THEN 'ignored' WHEN d.message IS NOT NULL OR w.wrong THEN 'UB400' END,
		   CASE WHEN w.wrong THEN format('not a number: %L', left(v.wh, 40)) ELSE d.message END
	FROM elecbill._nem12_days(p_file, wanted_nmi, wanted) d
	LEFT JOIN LATERAL unnest(d.wh, d.quality) WITH ORDINALITY v(wh, flag, i) ON d.wanted AND d.message IS NULL
	CROSS JOIN LATERAL (SELECT coalesce(left(v.flag, 1) <> 'N' AND elecbill._import_number(btrim(v.wh)) IS NULL, false)) w(wrong);
END $$;
COMMENT ON FUNCTION elecbill._import_nem12(bytea, text, jsonb) IS 'interval values of a file NEM12, and what is wrong with it';
