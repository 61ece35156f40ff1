-- 51_picture_tier.sql: how far an account is in its tiers

CREATE FUNCTION elecbill._tier_scope(p_account elecbill.customer_account, p_scope text, p_day date) RETURNS daterange
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	since date := CASE WHEN p_scope IN ('month', 'quarter', 'year') THEN date_trunc(p_scope, p_day::timestamp)::date END;
BEGIN
	IF since IS NULL THEN
		RETURN elecbill.billing_period(o.code, c.code, p_day) FROM elecbill.org o, elecbill.billing_cycle c
		WHERE o.id = p_account.org_id AND c.id = p_account.billing_cycle_id;
	END IF;
	RETURN daterange(since, (since + ('1 ' || CASE p_scope WHEN 'quarter' THEN 'month' ELSE p_scope END)::interval
		* CASE p_scope WHEN 'quarter' THEN 3 ELSE 1 END)::date);
END $$;
COMMENT ON FUNCTION elecbill._tier_scope(elecbill.customer_account, text, date) IS
'local days over which tiers count that hold a day: month, quarter, year, else the period of the bill';

CREATE FUNCTION elecbill._tier_bounds(p_tier jsonb, p_attrs jsonb, p_days daterange) RETURNS numeric[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
RETURN (
	WITH step AS (
		SELECT s.i, s.one, count(*) OVER () AS n FROM jsonb_array_elements(p_tier -> 'steps') WITH ORDINALITY AS s(one, i)
	), months AS (
		SELECT (extract(year FROM upper(p_days)) - extract(year FROM lower(p_days))) * 12
			+ extract(month FROM upper(p_days)) - extract(month FROM lower(p_days)) AS n, upper(p_days) - lower(p_days) AS days
	), more AS (
		SELECT a.one ->> 'widen' AS widen,
			(a.one ->> 'add')::numeric * CASE coalesce(a.one ->> 'per', 'month') WHEN 'month' THEN m.n ELSE 1 END AS kwh
		FROM months m, jsonb_array_elements(coalesce(p_tier -> 'allowance', '[]')) AS a(one)
		WHERE jsonb_typeof(p_attrs -> (a.one ->> 'attr')) = 'number'
			AND (p_attrs ->> (a.one ->> 'attr'))::numeric >= (a.one ->> 'at_least')::numeric)
	SELECT CASE WHEN bool_and(s.i = s.n OR (s.one ->> 'up_to' ~ '^[0-9]+(\.[0-9]+)?$' AND coalesce(s.one ->> 'unit', 'kwh') = 'kwh')
				AND NOT s.one ? 'steps') AND count(*) > 1
			AND coalesce(p_tier ->> 'mode', 'graduated') IN ('graduated', 'volume', 'adder') AND NOT p_tier ? 'by'
		THEN array_agg(round((s.one ->> 'up_to')::numeric * CASE p_tier ->> 'prorate' WHEN 'months' THEN m.n
				WHEN 'days' THEN m.days / coalesce((p_tier ->> 'nominal_days')::numeric, 30) ELSE 1 END
			+ coalesce((SELECT sum(x.kwh) FROM more x WHERE s.i = 1 OR x.widen IS DISTINCT FROM 'first'), 0), 3) ORDER BY s.i) FILTER (WHERE s.i < s.n)
		END
	FROM step s, months m);
COMMENT ON FUNCTION elecbill._tier_bounds(jsonb, jsonb, daterange) IS
'upper bounds of the tiers of a component for whole scope days, in kWh, with the room that attributes give; NULL where they are no plain numbers of kWh';

CREATE FUNCTION elecbill._tier_state(p_account elecbill.customer_account, p_day date)
RETURNS TABLE (point text, scope text, days daterange, bounds numeric[], prices text[], billed_kwh numeric, measured_kwh numeric)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET jit = off AS $$
BEGIN
	RETURN QUERY
	SELECT u.code, t.scope, t.days, t.bounds, t.prices, coalesce(c.kwh, 0), coalesce((
		SELECT sum(v.energy_wh) * 0.001
		FROM elecbill.meter_installation i
		JOIN elecbill.meter_register r ON r.meter_id = i.meter_id AND r.code = '1.8.0'
		CROSS JOIN LATERAL (SELECT elecbill.day_start(greatest(lower(t.days), lower(g.valid), c.as_of), o.zone)) AS s(since)
		CROSS JOIN LATERAL elecbill._installation_intervals(i.id, i.usage_point_id, r.id, r.code, i.multiplier, r.wrap_wh,
			greatest(lower(i.valid), s.since), least(upper(i.valid), elecbill.day_start(p_day + 1, o.zone))) AS v
		WHERE i.usage_point_id = g.usage_point_id AND i.role = 'main' AND coalesce(upper(i.valid), 'infinity') > s.since), 0)
	FROM elecbill.customer_agreement g
	JOIN elecbill.org o ON o.id = g.org_id
	JOIN elecbill.usage_point u ON u.id = g.usage_point_id
	JOIN elecbill.tariff_version w ON w.tariff_plan_id = g.tariff_plan_id AND w.status = 'approved' AND w.valid @> p_day AND upper_inf(w.known)
	CROSS JOIN LATERAL (
		SELECT y.scope, y.days, elecbill._tier_bounds(y.tier, (
				SELECT jsonb_object_agg(CASE a.name WHEN 'household_size' THEN 'persons' ELSE a.name END, a.value)
				FROM elecbill.agreement_attribute a WHERE a.agreement_id = g.id AND a.valid @> p_day), y.days) AS bounds,
			ARRAY(SELECT CASE WHEN s.one ->> 'price' ~ '^[0-9.]+$'
				THEN CASE y.tier ->> 'mode' WHEN 'adder' THEN '+' ELSE '' END || (s.one ->> 'price') ELSE '' END
				FROM jsonb_array_elements(y.tier -> 'steps') WITH ORDINALITY AS s(one, i) ORDER BY s.i) AS prices
		FROM (SELECT x.component -> 'tier' AS tier, k.scope, elecbill._tier_scope(p_account, k.scope, p_day) AS days, x.n
			FROM (SELECT y.component, row_number() OVER () AS n FROM elecbill._components(w.definition) AS y) AS x
			CROSS JOIN LATERAL (SELECT coalesce(x.component #>> '{tier,scope}', 'bill')) AS k(scope)
			WHERE x.component ->> 'kind' = 'energy' AND x.component #> '{tier,steps}' IS NOT NULL
				AND k.scope IN ('bill', 'month', 'quarter', 'year')) AS y
		ORDER BY y.n LIMIT 1) AS t
	LEFT JOIN elecbill.usage_counter c ON c.account_id = g.account_id AND c.tariff_plan_id = g.tariff_plan_id
		AND c.scope = t.scope AND c.scope_start = lower(t.days)
	WHERE g.account_id = p_account.id AND g.valid @> p_day AND t.bounds IS NOT NULL
	ORDER BY u.code;
END $$;
COMMENT ON FUNCTION elecbill._tier_state(elecbill.customer_account, date) IS
'for each agreement of a day whose energy has tiers of plain kWh: the days they count over, their bounds and prices, and what is billed of them and measured since';

CREATE FUNCTION elecbill._svg_gauge(p_row integer, p_name text, p_bounds numeric[], p_prices text[], p_billed numeric, p_measured numeric,
	p_lang text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
RETURN (
	WITH scale AS (
		SELECT greatest(p_bounds[cardinality(p_bounds)] * 1.3, (p_billed + p_measured) * 1.05, 0.001) AS top, 130 * p_row AS y
	), bound AS (
		SELECT b.i, coalesce(p_bounds[b.i - 1], 0) AS from_kwh, p_bounds[b.i] AS to_kwh,
			round(40 + 840 * coalesce(p_bounds[b.i - 1], 0) / s.top, 1) AS x, round(40 + 840 * coalesce(p_bounds[b.i], s.top) / s.top, 1) AS x2, s.y
		FROM scale s, generate_series(1, cardinality(p_bounds) + 1) AS b(i))
	SELECT format('<text class="mark" x="40" y="%s">%s</text>', s.y + 26, elecbill._escape(p_name))
		|| format('<rect class="room" x="40" y="%s" width="840" height="22" rx="4"/>', s.y + 68)
		|| format('<rect class="load" x="40" y="%1$s" width="%2$s" height="22" rx="4"/><rect class="load" opacity=".55" x="%3$s" y="%1$s" width="%4$s" height="22" rx="4"/>',
			s.y + 68, round(840 * p_billed / s.top, 1), round(40 + 840 * p_billed / s.top, 1), round(840 * p_measured / s.top, 1))
		|| string_agg(format('<text class="axis" x="%s" y="%s">%s</text>', b.x + 4, b.y + 58, elecbill._escape(
				format(CASE p_lang WHEN 'en' THEN 'tier %s' ELSE '第%s档' END, b.i) || coalesce(' ' || nullif(p_prices[b.i], ''), '')))
			|| CASE WHEN b.to_kwh IS NOT NULL THEN format('<path class="tick" d="M%1$s,%2$sv34"/><text class="axis" x="%1$s" y="%3$s" text-anchor="middle">%4$s</text>',
				b.x2, b.y + 64, b.y + 118, trim_scale(b.to_kwh)) ELSE '' END, '' ORDER BY b.i)
	FROM scale s, bound b GROUP BY s.top, s.y);
COMMENT ON FUNCTION elecbill._svg_gauge(integer, text, numeric[], text[], numeric, numeric, text) IS
'one gauge: tiers from 40 to 880, their prices above and bounds below; what is billed solid, what was measured since paler';

CREATE FUNCTION elecbill.svg_tier_gauge(p_account text, p_day date DEFAULT NULL, p_lang text DEFAULT NULL) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	lang text := elecbill._lang(p_lang);
	en boolean := lang = 'en';
	account elecbill.customer_account;
	day date;
	said text;
	gauges text;
	n integer;
BEGIN
	SELECT * INTO account FROM elecbill.customer_account WHERE id = elecbill._account_get(p_account);
	day := coalesce(p_day, elecbill._today(account.org_id));
	IF day NOT BETWEEN '1900-01-01' AND '9000-01-01' THEN
		RAISE EXCEPTION USING ERRCODE = 'UB400', MESSAGE = 'a gauge is that of a date';
	END IF;
	SELECT count(*), string_agg(elecbill._svg_gauge((x.n - 1)::integer, x.name, x.bounds, x.prices, x.billed_kwh, x.measured_kwh, lang), '' ORDER BY x.n),
		string_agg(x.name || CASE WHEN x.left_kwh IS NULL THEN CASE WHEN en THEN ', in the last tier' ELSE ',已进入最高档' END
			ELSE format(CASE WHEN en THEN ', %s kWh left in tier %s' ELSE ',第%2$s档还可用 %1$s 千瓦时' END, trim_scale(x.left_kwh), x.tier) END, '; ' ORDER BY x.n)
	INTO n, gauges, said
	FROM (
		SELECT row_number() OVER (ORDER BY s.point) AS n, s.*, f.tier, s.bounds[f.tier] - s.billed_kwh - s.measured_kwh AS left_kwh,
			format(CASE WHEN en THEN '%s, %s to %s: %s kWh used' ELSE '%s %s 至 %s 已用 %s 千瓦时' END, s.point, to_char(lower(s.days), 'YYYY-MM-DD'),
				to_char(upper(s.days) - 1, 'YYYY-MM-DD'), trim_scale(s.billed_kwh + s.measured_kwh)) AS name
		FROM elecbill._tier_state(account, day) AS s,
			LATERAL (SELECT 1 + count(*)::integer AS tier FROM unnest(s.bounds) AS b WHERE b < s.billed_kwh + s.measured_kwh) AS f) AS x;
	RETURN elecbill._svg_image('tier', greatest(130 * n, 60),
		format(CASE WHEN en THEN 'Tiers of account %s' ELSE '户号 %s 阶梯电量' END, account.account_no),
		coalesce(said, CASE WHEN en THEN 'No tiers that can be drawn.' ELSE '无可显示的阶梯' END),
		coalesce(gauges, format('<text class="axis" x="40" y="36">%s</text>',
			CASE WHEN en THEN 'No tiers that can be drawn.' ELSE '无可显示的阶梯' END)));
END $$;
COMMENT ON FUNCTION elecbill.svg_tier_gauge(text, date, text) IS
'how far an account (number, or ORG/NUMBER) is in the tiers that a local day (default: today) counts in, as SVG: a gauge for each usage point whose tariff has tiers of plain kWh per bill, month, quarter or year; solid what is billed, paler what was measured since. lang zh or en, else elecbill.lang. UB400, UB404';
