-- 51_picture_bill.sql: pictures of bills: months as columns, tiers as a gauge

CREATE FUNCTION elecbill._svg_columns(p_id text, p_title text, p_desc text, p_unit text, p_parts jsonb, p_months jsonb) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
RETURN (
	WITH part AS (
		SELECT p.i - 1 AS i, p.one ->> 'name' AS name, p.one ->> 'style' AS style FROM jsonb_array_elements(p_parts) WITH ORDINALITY AS p(one, i)
	), month AS (
		SELECT m.i - 1 AS i, m.one, (SELECT sum(greatest(v::numeric, 0)) FROM jsonb_array_elements_text(m.one -> 'values') AS v) AS height,
			60 + 840.0 / jsonb_array_length(p_months) * (m.i - 0.5) AS x, least(56, 600.0 / jsonb_array_length(p_months)) AS width,
			jsonb_array_length(p_months) - m.i AS back
		FROM jsonb_array_elements(p_months) WITH ORDINALITY AS m(one, i)
	), every AS (
		-- of words that would cover each other one of so many is drawn, counted from the last: on paper, and on a phone; letters are at most 8 or 16 wide
		SELECT greatest(1, ceil(max(length(m.one ->> 'mark')) * 8 / 840.0 * count(*)))::integer AS mark,
			greatest(1, ceil(max(length(m.one ->> 'name')) * 8 / 840.0 * count(*)))::integer AS name,
			greatest(1, ceil(max(length(m.one ->> 'name')) * 16 / 840.0 * count(*)))::integer AS phone,
			greatest(1, ceil(max(length(m.one ->> 'note')) * 8 / 840.0 * count(*)))::integer AS note
		FROM month m
	), axis AS (
		SELECT coalesce(elecbill._axis_top(nullif(max(m.height), 0)), 1) AS top FROM month m
	), piece AS (
		SELECT m.x, m.width, p.style, p.name, greatest(v.value::numeric, 0) AS value,
			sum(greatest(v.value::numeric, 0)) OVER (PARTITION BY m.i ORDER BY v.i) AS upto, m.i AS month, v.i AS part
		FROM month m CROSS JOIN LATERAL jsonb_array_elements_text(m.one -> 'values') WITH ORDINALITY AS v(value, i)
		JOIN part p ON p.i = v.i - 1
	)
	SELECT elecbill._svg_image(p_id, 300, p_title, p_desc, elecbill._svg_grid(a.top, p_unit)
		|| coalesce((SELECT string_agg(format('<rect %s x="%s" y="18" width="10" height="10"/><text class="axis" x="%s" y="27">%s</text>',
			p.style, k.x, k.x + 15, elecbill._escape(p.name)), '' ORDER BY p.i)
			-- from the right, with room for letters of 26 on a phone; Chinese ones are twice as wide
			FROM part p, LATERAL (SELECT 900 - sum(40 + 7 * (length(q.name) + octet_length(q.name))) AS x FROM part q WHERE q.i >= p.i) AS k), '')
		|| coalesce((SELECT string_agg(format('<rect %s x="%s" y="%s" width="%s" height="%s"/>', p.style, round(p.x - p.width / 2, 1),
			round(240 - 200 * p.upto / a.top, 1), round(p.width, 1), round(200 * p.value / a.top, 1)), '' ORDER BY p.month, p.part)
			FROM piece p WHERE p.value > 0), '')
		|| coalesce((SELECT string_agg(format('<text class="mark fine" x="%1$s" y="%2$s" text-anchor="middle">%3$s</text>'
				'<text class="axis%6$s" x="%7$s" y="262" text-anchor="middle">%4$s</text><text class="axis fine" x="%7$s" y="280" text-anchor="middle">%5$s</text>',
			round(m.x, 1), round(235 - 200 * m.height / a.top, 1), CASE WHEN m.back % e.mark = 0 THEN elecbill._escape(m.one ->> 'mark') END,
			CASE WHEN m.back % e.name = 0 OR m.back % e.phone = 0 THEN elecbill._escape(m.one ->> 'name') END,
			CASE WHEN m.back % e.note = 0 THEN elecbill._escape(m.one ->> 'note') END, CASE WHEN m.back % e.phone <> 0 THEN ' fine' ELSE '' END,
			round(least(m.x, 880), 1)), '' ORDER BY m.i)
			FROM month m, every e), ''))
	FROM axis a);
COMMENT ON FUNCTION elecbill._svg_columns(text, text, text, text, jsonb, jsonb) IS
'columns of stacked parts. parts: [{name, style}] (style: an attribute of rect, such as class="load"); months: [{name, mark (above the column), note (below its name), values: [one per part; below 0 counts as 0]}]';

CREATE FUNCTION elecbill._month_span(p_last date, p_months integer) RETURNS TABLE (month date)
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF p_months BETWEEN 1 AND 36 IS NOT TRUE THEN
		RAISE EXCEPTION USING ERRCODE = 'UB400', MESSAGE = 'a picture covers 1 to 36 months';
	END IF;
	RETURN QUERY SELECT (date_trunc('month', p_last::timestamp) - make_interval(months => p_months - i))::date
	FROM generate_series(1, p_months) AS i;
END $$;
COMMENT ON FUNCTION elecbill._month_span(date, integer) IS 'first days of so many months, the last one that of a date; UB400 not 1 to 36';

CREATE FUNCTION elecbill.svg_bill_history(p_account text, p_months integer DEFAULT 13, p_lang text DEFAULT NULL) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	lang text := elecbill._lang(p_lang);
	en boolean := lang = 'en';
	account elecbill.customer_account;
	org elecbill.org;
	last date;
	months jsonb;
	billed numeric;
	owed numeric;
	energy_wh numeric;
BEGIN
	SELECT * INTO account FROM elecbill.customer_account WHERE id = elecbill._account_get(p_account);
	SELECT * INTO org FROM elecbill.org WHERE id = account.org_id;
	last := coalesce((SELECT max(lower(b.service)) FROM elecbill.bill b WHERE b.account_id = account.id AND b.live AND b.number IS NOT NULL),
		elecbill._today(account.org_id));
	SELECT jsonb_agg(jsonb_build_object('name', to_char(m.month, 'YY-MM'), 'mark', CASE WHEN x.bills > 0 THEN round(x.amount)::text ELSE '' END,
			'note', CASE WHEN x.wh > 0 THEN round(x.wh * 0.001) || ' kWh' ELSE '' END, 'values', jsonb_build_array(x.amount - x.open, x.open)) ORDER BY m.month), sum(x.amount), sum(x.open), sum(x.wh)
	INTO months, billed, owed, energy_wh
	FROM elecbill._month_span(last, p_months) AS m
	CROSS JOIN LATERAL (
		SELECT count(*) AS bills, coalesce(sum(b.amount), 0) AS amount,
			coalesce(sum(b.amount - b.paid) FILTER (WHERE b.status <> 'written_off'), 0) AS open,
			coalesce(sum((SELECT sum(s.energy_wh) FROM elecbill.bill_segment s WHERE s.bill_id = b.id)), 0) AS wh
		FROM elecbill.bill b
		WHERE b.account_id = account.id AND b.live AND b.number IS NOT NULL
			AND lower(b.service) >= m.month AND lower(b.service) < m.month + interval '1 month') AS x;
	RETURN elecbill._svg_columns('history',
		format(CASE WHEN en THEN 'Bills of account %s, %s months' ELSE '户号 %s 近 %s 个月账单' END, account.account_no, p_months),
		format(CASE WHEN en THEN '%s kWh, %s %s, of which %s open' ELSE '共 %s 千瓦时,%s %s,未缴 %s' END,
			energy_wh * 0.001, billed, org.currency, owed),
		org.currency, jsonb_build_array(
			jsonb_build_object('name', CASE WHEN en THEN 'paid' ELSE '已缴' END, 'style', 'class="load"'),
			jsonb_build_object('name', CASE WHEN en THEN 'open' ELSE '未缴' END, 'style', 'class="owed"')), months);
END $$;
COMMENT ON FUNCTION elecbill.svg_bill_history(text, integer, text) IS
'issued bills of an account (number, or ORG/NUMBER) by the month in which their days begin, up to the last one, as SVG: what is paid and what is open of each month, and its kWh. 1 to 36 months. lang zh or en, else elecbill.lang. UB400, UB404';

CREATE FUNCTION elecbill.svg_tou_stack(p_account text, p_months integer DEFAULT 13, p_lang text DEFAULT NULL) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	lang text := elecbill._lang(p_lang);
	en boolean := lang = 'en';
	account elecbill.customer_account;
	last date;
	names text[];
	parts jsonb;
	months jsonb;
BEGIN
	SELECT * INTO account FROM elecbill.customer_account WHERE id = elecbill._account_get(p_account);
	last := coalesce((SELECT max(lower(b.service)) FROM elecbill.bill b WHERE b.account_id = account.id AND b.live AND b.number IS NOT NULL),
		elecbill._today(account.org_id));
	PERFORM elecbill._month_span(last, p_months);
	names := ARRAY(SELECT u.period FROM elecbill._billed_periods(account.id) AS u
		WHERE u.month > last - make_interval(months => p_months)
		GROUP BY u.period ORDER BY coalesce(array_position('{sharp,peak,flat,valley,deep_valley}', u.period), 9), u.period);
	SELECT jsonb_agg(jsonb_build_object('name', elecbill.label(n.name, lang), 'style', format('fill="%s"', CASE n.name WHEN 'sharp' THEN '#dc2626'
		WHEN 'peak' THEN '#ea580c' WHEN 'flat' THEN '#65a30d' WHEN 'valley' THEN '#2563eb' WHEN 'deep_valley' THEN '#7c3aed'
		ELSE (ARRAY['#0891b2', '#a16207', '#be185d', '#4d7c0f'])[1 + n.i % 4] END)) ORDER BY n.i) INTO parts
	FROM unnest(names) WITH ORDINALITY AS n(name, i);
	SELECT jsonb_agg(jsonb_build_object('name', to_char(m.month, 'YY-MM'), 'mark', coalesce(round(x.kwh)::text, ''), 'note', '', 'values', x.parts)
		ORDER BY m.month) INTO months
	FROM elecbill._month_span(last, p_months) AS m
	CROSS JOIN LATERAL (
		SELECT sum(u.kwh) AS kwh, coalesce(jsonb_agg(coalesce(u.kwh, 0) ORDER BY n.i), '[]') AS parts
		FROM unnest(names) WITH ORDINALITY AS n(name, i)
		LEFT JOIN elecbill._billed_periods(account.id) AS u ON u.period = n.name AND u.month = m.month) AS x;
	RETURN elecbill._svg_columns('tou',
		format(CASE WHEN en THEN 'Energy of account %s by period, %s months' ELSE '户号 %s 近 %s 个月分时电量' END, account.account_no, p_months),
		coalesce((SELECT string_agg(format('%s %s kWh', elecbill.label(u.period, lang), u.kwh), CASE WHEN en THEN ', ' ELSE ',' END ORDER BY u.period)
			FROM (SELECT y.period, trim_scale(sum(y.kwh)) AS kwh FROM elecbill._billed_periods(account.id) AS y
				WHERE y.month > last - make_interval(months => p_months) GROUP BY y.period) AS u),
			CASE WHEN en THEN 'Nothing was billed by period.' ELSE '无分时电量' END),
		'kWh', coalesce(parts, '[]'), months);
END $$;
COMMENT ON FUNCTION elecbill.svg_tou_stack(text, integer, text) IS
'energy of the issued bills of an account (number, or ORG/NUMBER) by month and time-of-use period, as SVG. 1 to 36 months. lang zh or en, else elecbill.lang. UB400, UB404';

CREATE FUNCTION elecbill._billed_periods(p_account bigint) RETURNS TABLE (month date, period text, kwh numeric)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	SELECT date_trunc('month', lower(b.service)::timestamp)::date, l.period, sum(l.quantity)
	FROM elecbill.bill b
	JOIN elecbill.bill_line l ON l.bill_id = b.id AND l.kind = 'energy' AND l.unit = 'kwh' AND l.period IS NOT NULL
	JOIN elecbill.bill_segment s ON s.id = l.segment_id
	WHERE b.account_id = p_account AND b.live AND b.number IS NOT NULL
		-- of several components that charge the same energy the first of each agreement
		AND l.component = (SELECT x.component FROM elecbill.bill_line x JOIN elecbill.bill_segment z ON z.id = x.segment_id
			WHERE x.bill_id = b.id AND z.agreement_id = s.agreement_id AND x.kind = 'energy' AND x.unit = 'kwh' AND x.period IS NOT NULL
			ORDER BY x.n LIMIT 1)
	GROUP BY 1, 2;
END;
COMMENT ON FUNCTION elecbill._billed_periods(bigint) IS 'kWh of the issued bills of an account by the month in which their days begin, and by time-of-use period';
