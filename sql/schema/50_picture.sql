-- 50_picture.sql: pictures as text: SVG that stands alone, carries its own words and loads nothing

CREATE FUNCTION elecbill._escape(p_text text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
RETURN replace(replace(replace(replace(replace(p_text, '&', '&amp;'), '<', '&lt;'), '>', '&gt;'),
	'"', '&quot;'), '''', '&#39;');
COMMENT ON FUNCTION elecbill._escape(text) IS
'text for XML and HTML, in content and in attributes; & first, so nothing is escaped twice';

CREATE FUNCTION elecbill._axis_top(p_max numeric) RETURNS numeric
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
RETURN (
	SELECT min(t.top)
	FROM (SELECT m.step * 10::numeric ^ e.e AS top
		FROM (VALUES (1.0), (2.0), (4.0), (5.0), (8.0), (10.0)) AS m(step),
			generate_series(-3, 15) AS e(e)) AS t
	WHERE t.top >= p_max);
COMMENT ON FUNCTION elecbill._axis_top(numeric) IS
'the least of 1, 2, 4, 5, 8 times a power of ten that is not below a value: the top of an axis; NULL above 10 to the 16th';

CREATE FUNCTION elecbill._hour_kw(p_org integer, p_account bigint, p_span tstzrange)
RETURNS TABLE (hour integer, kw numeric)
-- the planner thinks it worth compiling, which takes ten times as long as the picture
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET jit = off
BEGIN ATOMIC
	WITH point AS (
		-- what the tenants before and after used is theirs
		SELECT a.usage_point_id, unnest(range_agg(d.span * p_span)) AS span
		FROM elecbill.customer_agreement AS a
		JOIN elecbill.org AS o ON o.id = a.org_id
		CROSS JOIN LATERAL (SELECT tstzrange(elecbill.day_start(lower(a.valid), o.zone),
			CASE WHEN NOT upper_inf(a.valid) THEN elecbill.day_start(upper(a.valid), o.zone) END)) AS d(span)
		WHERE a.org_id = p_org AND a.account_id = p_account AND d.span && p_span
		GROUP BY a.usage_point_id
	), piece AS (
		SELECT h.from_at, e.energy_wh AS wh, extract(epoch FROM e.to_at - e.from_at) AS seconds,
			extract(epoch FROM least(e.to_at, h.from_at + interval '1 hour') - greatest(e.from_at, h.from_at)) AS inside
		FROM point AS p
		JOIN elecbill.meter_installation AS i ON i.usage_point_id = p.usage_point_id AND i.role = 'main'
			AND i.valid && p.span
		JOIN elecbill.meter_register AS g ON g.meter_id = i.meter_id AND g.code = '1.8.0'
		CROSS JOIN LATERAL elecbill._installation_intervals(i.id, p.usage_point_id, g.id, g.code, i.multiplier, g.wrap_wh,
			greatest(lower(i.valid), lower(p.span)), least(upper(i.valid), upper(p.span))) AS e
		CROSS JOIN LATERAL generate_series(date_trunc('hour', e.from_at, 'UTC'),
			e.to_at - interval '1 microsecond', interval '1 hour') AS h(from_at)
		-- a span over a day says nothing about the hours in it
		WHERE e.to_at - e.from_at <= interval '1 day' AND e.energy_wh IS NOT NULL
	)
	SELECT (extract(epoch FROM piece.from_at) / 3600)::integer,
		round(sum(piece.wh * piece.inside / piece.seconds) / 1000, 3)
	FROM piece
	GROUP BY piece.from_at
	HAVING sum(piece.inside) >= 3600
	ORDER BY piece.from_at;
END;
COMMENT ON FUNCTION elecbill._hour_kw(integer, bigint, tstzrange) IS
'mean power of an account in each hour (counted from 1970, UTC) that is wholly measured, in kW; for pictures';

CREATE FUNCTION elecbill._axis_text(p_value numeric, p_top numeric) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
RETURN CASE WHEN p_value = 0 OR p_top < 10000 THEN trim_scale(p_value)::text WHEN p_top < 1000000 THEN trim_scale(p_value / 1000) || 'k'
	ELSE trim_scale(p_value / 1000000) || 'M' END;
COMMENT ON FUNCTION elecbill._axis_text(numeric, numeric) IS 'a number beside an axis up to top: in thousands (k) or millions (M) where it would not fit';

CREATE FUNCTION elecbill._svg_grid(p_top numeric, p_unit text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
RETURN (
	SELECT string_agg(format('<path class="grid" d="M60,%1$sH900"/><text class="axis num%4$s" x="52" y="%2$s" text-anchor="end">%3$s</text>',
		240 - 50 * i, 244 - 50 * i, t.text, CASE WHEN length(t.text) > 4 OR t.text LIKE '___M' THEN ' long' ELSE '' END), '' ORDER BY i)
	FROM generate_series(0, 4) AS y(i), LATERAL elecbill._axis_text(p_top * i / 4, p_top) AS t(text)
) || format('<text class="axis" x="60" y="26">%s</text>', elecbill._escape(p_unit));
COMMENT ON FUNCTION elecbill._svg_grid(numeric, text) IS 'grid from 0 to top with its numbers and unit: plot from (60, 40) to (900, 240)';

CREATE FUNCTION elecbill._svg_days(p_period daterange) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
RETURN (
	SELECT string_agg(format('<path class="tick" d="M%1$s,240v5"/><text class="axis%3$s" x="%1$s" y="270" text-anchor="middle">%2$s</text>',
		round(60 + 840.0 * d / (upper(p_period) - lower(p_period)), 1), to_char(lower(p_period) + d, 'MM-DD'),
		CASE WHEN i % 2 = 0 THEN ' fine' ELSE '' END), '' ORDER BY i)
	FROM generate_series(0, upper(p_period) - lower(p_period) - 1,
		greatest(1, (upper(p_period) - lower(p_period) + 9) / 10)) WITH ORDINALITY AS x(d, i));
COMMENT ON FUNCTION elecbill._svg_days(daterange) IS 'at most eleven dates below a plot over local days';

CREATE FUNCTION elecbill._svg_image(p_id text, p_height integer, p_title text, p_desc text, p_body text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
RETURN format($svg$<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 920 %1$s" role="img" aria-labelledby="%2$s-title %2$s-desc">
<title id="%2$s-title">%3$s</title><desc id="%2$s-desc">%4$s</desc>
<style>@media screen and (prefers-color-scheme:dark){:root{--load:#60a5fa;--owed:#fbbf24;--rule:#3f3f46;--muted:#a1a1aa;--ink:#f4f4f5}}
.area{fill:var(--load,#2563eb);opacity:.18}.line{fill:none;stroke:var(--load,#2563eb);stroke-width:1.2}.grid{stroke:var(--rule,#d4d4d8);stroke-width:.7;fill:none}.tick{stroke:var(--muted,#71717a);fill:none}.axis{fill:var(--muted,#71717a);font:12px sans-serif}.mark{fill:var(--ink,#18181b);font:12px sans-serif}.load{fill:var(--load,#2563eb)}.owed{fill:var(--owed,#d97706)}.room{fill:var(--rule,#d4d4d8)}@media (max-width:600px){.fine{display:none}.axis,.mark{font-size:26px}.num{font-size:22px}.long{font-size:16px}}</style>
%5$s
</svg>$svg$, p_height, p_id, elecbill._escape(p_title), elecbill._escape(p_desc), p_body);
COMMENT ON FUNCTION elecbill._svg_image(text, integer, text, text, text) IS
'a picture 920 wide with title and description (text) around its shapes (SVG); id: unique within a page. Colours are variables of the page, with values of their own for light and dark';

CREATE FUNCTION elecbill.svg_load_curve(p_account text, p_period daterange, p_lang text DEFAULT NULL)
RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	lang text := elecbill._lang(p_lang);
	account elecbill.customer_account;
	zone text;
	span tstzrange;
	start_s numeric;
	span_s numeric;
	top numeric;
	peak numeric;
	peak_hour integer;
	area text;
	line text;
	title text;
	said text;
BEGIN
	IF NOT elecbill._both_ends(p_period) OR upper(p_period) - lower(p_period) > 400 THEN
		RAISE EXCEPTION USING ERRCODE = 'UB400', MESSAGE = 'a load curve covers 1 to 400 days';
	END IF;
	SELECT * INTO account FROM elecbill.customer_account WHERE id = elecbill._account_get(p_account);
	zone := (SELECT o.zone FROM elecbill.org o WHERE o.id = account.org_id);
	span := tstzrange(elecbill.day_start(lower(p_period), zone), elecbill.day_start(upper(p_period), zone));
	start_s := extract(epoch FROM lower(span));
	span_s := extract(epoch FROM upper(span)) - start_s;

	WITH hour AS MATERIALIZED (
		SELECT h.hour, h.kw, h.hour - 1 IS DISTINCT FROM lag(h.hour) OVER (ORDER BY h.hour) AS alone
		FROM elecbill._hour_kw(account.org_id, account.id, span) AS h
	), axis AS (
		SELECT coalesce(elecbill._axis_top(max(h.kw)), 1) AS top, max(h.kw) AS peak FROM hour AS h
	), point AS (
		SELECT h.hour, h.kw, h.alone, a.top, round(240 - 200 * h.kw / a.top, 1) AS y,
			round(60 + 840 * (h.hour * 3600.0 - start_s) / span_s, 1) AS x,
			round(60 + 840 * (h.hour * 3600.0 + 3600 - start_s) / span_s, 1) AS x2
		FROM hour AS h, axis AS a
	)
	SELECT a.top, a.peak, (SELECT min(h.hour) FROM hour AS h WHERE h.kw = a.peak),
		(SELECT string_agg(format('M%s,240V%sH%sV240', p.x, p.y, p.x2), '' ORDER BY p.hour) FROM point AS p),
		(SELECT string_agg(CASE WHEN p.alone THEN format('M%s,%sH%s', p.x, p.y, p.x2)
			ELSE format('V%sH%s', p.y, p.x2) END, '' ORDER BY p.hour) FROM point AS p)
	INTO top, peak, peak_hour, area, line
	FROM axis AS a;

	title := format(CASE lang WHEN 'en' THEN 'Load curve of account %s, %s to %s' ELSE '户号 %s 负荷曲线 %s 至 %s' END,
		account.account_no, to_char(lower(p_period), 'YYYY-MM-DD'), to_char(upper(p_period) - 1, 'YYYY-MM-DD'));
	said := CASE WHEN peak IS NULL THEN CASE lang WHEN 'en' THEN 'No hour is wholly measured.' ELSE '无完整小时数据' END
		ELSE format(CASE lang WHEN 'en' THEN 'Highest hour: %s kW at %s' ELSE '最高小时平均功率 %s kW,%s' END,
			trim_scale(peak), to_char((timestamptz '1970-01-01 00:00+00' + make_interval(hours => peak_hour))
				AT TIME ZONE zone, 'YYYY-MM-DD HH24:MI')) END;
	RETURN elecbill._svg_image('load', 280, title, said,
		format(CASE WHEN peak IS NULL THEN '%1$s%2$s<text class="mark" x="480" y="121" text-anchor="middle">%5$s</text>'
			ELSE '%1$s%2$s<path class="area" d="%3$s"/><path class="line" d="%4$s"/>' END,
			elecbill._svg_grid(top, CASE lang WHEN 'en' THEN 'kW, mean of each hour' ELSE 'kW(每小时平均功率)' END),
			elecbill._svg_days(p_period), area, line, said));
END $$;
COMMENT ON FUNCTION elecbill.svg_load_curve(text, daterange, text) IS
'load curve of an account (number, or ORG/NUMBER) over 1 to 400 local days as SVG: mean kW of each wholly measured hour, all its usage points together; hours without data stay open. lang zh or en, else elecbill.lang. UB400, UB404';

CREATE FUNCTION elecbill.svg_heatmap(p_account text, p_period daterange, p_lang text DEFAULT NULL) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	lang text := elecbill._lang(p_lang);
	account elecbill.customer_account;
	zone text;
	cells text;
	most numeric;
	days integer;
BEGIN
	IF NOT elecbill._both_ends(p_period) OR upper(p_period) - lower(p_period) > 62 THEN
		RAISE EXCEPTION USING ERRCODE = 'UB400', MESSAGE = 'a heat map covers 1 to 62 days';
	END IF;
	days := upper(p_period) - lower(p_period);
	SELECT * INTO account FROM elecbill.customer_account WHERE id = elecbill._account_get(p_account);
	zone := (SELECT o.zone FROM elecbill.org o WHERE o.id = account.org_id);
	-- an hour that comes twice is drawn as the mean of both
	WITH hour AS MATERIALIZED (
		SELECT (l.at)::date - lower(p_period) AS day, extract(hour FROM l.at)::integer AS hour, avg(h.kw) AS kw
		FROM elecbill._hour_kw(account.org_id, account.id, tstzrange(elecbill.day_start(lower(p_period), zone), elecbill.day_start(upper(p_period), zone))) AS h
		CROSS JOIN LATERAL (SELECT to_timestamp(h.hour * 3600.0) AT TIME ZONE zone) AS l(at)
		GROUP BY 1, 2)
	SELECT max(h.kw), string_agg(format('<rect class="load" x="%s" y="%s" width="%s" height="8.4" opacity="%s"/>', round(60 + 840.0 * h.day / days, 1),
		round(40 + 200.0 * h.hour / 24, 1), round(840.0 / days, 1), greatest(round(h.kw / m.kw, 2), 0.04)), '' ORDER BY h.day, h.hour)
	INTO most, cells FROM hour h, (SELECT nullif(max(x.kw), 0) AS kw FROM hour x) AS m;
	RETURN elecbill._svg_image('heat', 280,
		format(CASE lang WHEN 'en' THEN 'Power of account %s by day and hour, %s to %s' ELSE '户号 %s 分日分时功率 %s 至 %s' END,
			account.account_no, to_char(lower(p_period), 'YYYY-MM-DD'), to_char(upper(p_period) - 1, 'YYYY-MM-DD')),
		coalesce(format(CASE lang WHEN 'en' THEN 'The darkest hour has %s kW.' ELSE '颜色最深的小时为 %s kW' END, trim_scale(most)),
			CASE lang WHEN 'en' THEN 'No hour is wholly measured.' ELSE '无完整小时数据' END),
		(SELECT string_agg(format('<text class="axis num" x="52" y="%s" text-anchor="end">%s%s</text>', 48 + 50 * q, 6 * q,
			CASE lang WHEN 'en' THEN ' h' ELSE '时' END), '' ORDER BY q) FROM generate_series(0, 3) AS q)
		|| format('<text class="axis" x="60" y="26">%s</text>', CASE lang WHEN 'en' THEN 'kW by day and hour' ELSE '分日分时功率' END
			|| coalesce(format(CASE lang WHEN 'en' THEN ', darkest %s' ELSE ',最深 %s kW' END, trim_scale(most)), ''))
		|| elecbill._svg_days(p_period) || coalesce(cells, ''));
END $$;
COMMENT ON FUNCTION elecbill.svg_heatmap(text, daterange, text) IS
'power of an account (number, or ORG/NUMBER) by local day and hour over 1 to 62 days as SVG, the darker the more; hours that are not wholly measured stay empty. lang zh or en, else elecbill.lang. UB400, UB404';
