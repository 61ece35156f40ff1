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
			generate_series(-3, 6) AS e(e)) AS t
	WHERE t.top >= p_max);
COMMENT ON FUNCTION elecbill._axis_top(numeric) IS
'the least of 1, 2, 4, 5, 8 times a power of ten that is not below a value: the top of an axis; NULL above ten million';

CREATE FUNCTION elecbill._hour_kw(p_org integer, p_account bigint, p_span tstzrange)
RETURNS TABLE (hour integer, kw numeric)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	WITH point AS (
		SELECT DISTINCT a.usage_point_id
		FROM elecbill.customer_agreement AS a
		JOIN elecbill.org AS o ON o.id = a.org_id
		WHERE a.org_id = p_org AND a.account_id = p_account
			AND tstzrange(elecbill.day_start(lower(a.valid), o.zone),
				CASE WHEN NOT upper_inf(a.valid) THEN elecbill.day_start(upper(a.valid), o.zone) END) && p_span
	), piece AS (
		SELECT h.from_at, e.energy_wh AS wh, extract(epoch FROM e.to_at - e.from_at) AS seconds,
			extract(epoch FROM least(e.to_at, h.from_at + interval '1 hour') - greatest(e.from_at, h.from_at)) AS inside
		FROM point AS p
		JOIN elecbill.meter_installation AS i ON i.usage_point_id = p.usage_point_id AND i.role = 'main'
			AND i.valid && p_span
		JOIN elecbill.meter_register AS g ON g.meter_id = i.meter_id AND g.code = '1.8.0'
		CROSS JOIN LATERAL elecbill._installation_intervals(i.id, p.usage_point_id, g.id, g.code, i.multiplier, g.wrap_wh,
			greatest(lower(i.valid), lower(p_span)), least(upper(i.valid), upper(p_span))) AS e
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

CREATE FUNCTION elecbill._svg_axes(p_period daterange, p_top numeric, p_lang text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
RETURN (
	SELECT string_agg(format('<path class="grid" d="M60,%1$sH900"/><text class="axis" x="52" y="%2$s" text-anchor="end">%3$s</text>',
		240 - 50 * i, 244 - 50 * i, trim_scale(p_top * i / 4)), '' ORDER BY i)
	FROM generate_series(0, 4) AS y(i)
) || (
	SELECT string_agg(format('<path class="tick" d="M%1$s,240v5"/><text class="axis" x="%1$s" y="260" text-anchor="middle">%2$s</text>',
		round(60 + 840.0 * d / (upper(p_period) - lower(p_period)), 1), to_char(lower(p_period) + d, 'MM-DD')), '' ORDER BY d)
	FROM generate_series(0, upper(p_period) - lower(p_period) - 1,
		greatest(1, (upper(p_period) - lower(p_period) + 9) / 10)) AS x(d)
) || format('<text class="axis" x="60" y="26">%s</text>',
	CASE p_lang WHEN 'en' THEN 'kW, mean of each hour' ELSE 'kW(每小时平均功率)' END);
COMMENT ON FUNCTION elecbill._svg_axes(daterange, numeric, text) IS
'grid, kW and dates of a load curve: plot from (60, 40) to (900, 240)';

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
	RETURN format($svg$<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 920 280" role="img" aria-labelledby="load-title load-desc">
<title id="load-title">%s</title><desc id="load-desc">%s</desc>
<style>.area{fill:var(--load,#2563eb);opacity:.18}.line{fill:none;stroke:var(--load,#2563eb);stroke-width:1.2}.grid{stroke:var(--rule,#d4d4d8);stroke-width:.7;fill:none}.tick{stroke:var(--muted,#71717a);fill:none}.axis{fill:var(--muted,#71717a);font:12px sans-serif}</style>
%s<path class="area" d="%s"/><path class="line" d="%s"/>
</svg>$svg$, elecbill._escape(title),
		CASE WHEN peak IS NULL THEN CASE lang WHEN 'en' THEN 'No hour is wholly measured.' ELSE '无完整小时数据' END
			ELSE format(CASE lang WHEN 'en' THEN 'Highest hour: %s kW at %s' ELSE '最高小时平均功率 %s kW,%s' END,
				trim_scale(peak), to_char((timestamptz '1970-01-01 00:00+00' + make_interval(hours => peak_hour))
					AT TIME ZONE zone, 'YYYY-MM-DD HH24:MI')) END,
		elecbill._svg_axes(p_period, top, lang), area, line);
END $$;
COMMENT ON FUNCTION elecbill.svg_load_curve(text, daterange, text) IS
'load curve of an account (number, or ORG/NUMBER) over 1 to 400 local days as SVG: mean kW of each wholly measured hour, all its usage points together; hours without data stay open. lang zh or en, else elecbill.lang. UB400, UB404';
