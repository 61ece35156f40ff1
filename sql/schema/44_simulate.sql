-- 44_simulate.sql: a bill before it is made, a bill explained

CREATE FUNCTION elecbill.simulate_bill(p_account text, p_period daterange,
	p_tariff_override jsonb DEFAULT NULL)
RETURNS TABLE (n integer, kind text, component text, grp text, label text, period text, tier integer,
	quantity numeric, unit text, price numeric, factor numeric, amount_raw numeric, amount numeric,
	during tstzrange, quality text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF NOT elecbill._both_ends(p_period) THEN
		RAISE EXCEPTION USING ERRCODE = 'UB400', MESSAGE = 'a bill needs a period with both ends';
	END IF;
	RETURN QUERY
	SELECT l.n, l.kind, l.component, l.grp, l.label, l.period, l.tier, l.quantity, l.unit, l.price,
		l.factor, l.amount_raw, l.amount, l.during, l.quality
	FROM elecbill._rate_account(elecbill._account_get(p_account), p_period, elecbill.now(),
		p_tariff_override) AS r, unnest(r.lines) AS l
	ORDER BY l.n;
END $$;
COMMENT ON FUNCTION elecbill.simulate_bill(text, daterange, jsonb) IS
'the lines a bill of an account (number, or ORG/NUMBER) over local days [from, to) would have, by the code that makes bills; writes nothing. tariff_override: JSON of a tariff to try instead of that of the agreements';

CREATE FUNCTION elecbill._bill_get(p_bill text) RETURNS elecbill.bill
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	ids bigint[];
	bill elecbill.bill;
BEGIN
	IF p_bill ~ '^[0-9]{1,18}$' THEN
		ids := ARRAY(SELECT b.id FROM elecbill.bill b WHERE b.id = p_bill::bigint
			AND elecbill._bill_open(b.org_id, b.account_id, b.status));
	ELSE
		-- OFFSET: the gate is asked about this bill, not about each that the planner passes on the way
		ids := ARRAY(SELECT b.id FROM elecbill.org o CROSS JOIN LATERAL (
			SELECT x.id, x.org_id, x.account_id, x.status FROM elecbill.bill x WHERE x.org_id = o.id AND x.number IN
				(p_bill, CASE WHEN starts_with(p_bill, o.code || '/') THEN substr(p_bill, length(o.code) + 2) END) OFFSET 0) AS b
			WHERE elecbill._bill_open(b.org_id, b.account_id, b.status));
	END IF;
	IF cardinality(ids) > 1 THEN
		RAISE EXCEPTION USING
			ERRCODE = 'UB409',
			MESSAGE = format('bill number %s is not unique', quote_literal(p_bill)),
			HINT = 'Put the code of the organisation before it: ORG/NUMBER.';
	ELSIF cardinality(ids) = 0 THEN
		RAISE EXCEPTION USING
			ERRCODE = 'UB404',
			MESSAGE = format('there is no bill %s', quote_nullable(p_bill)),
			HINT = 'Give its number, such as 2026-000001, or the id of a draft.';
	END IF;
	SELECT * INTO bill FROM elecbill.bill WHERE id = ids[1];
	RETURN bill;
END $$;
COMMENT ON FUNCTION elecbill._bill_get(text) IS
'a bill by number, ORG/NUMBER or id: the gate of every call that names a bill; UB404 unknown or not open to elecbill.current_login(), UB409 when several orgs have the number';

CREATE FUNCTION elecbill._hours(p_seconds bigint) RETURNS numeric
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN trim_scale(round(p_seconds / 3600.0, 2));
COMMENT ON FUNCTION elecbill._hours(bigint) IS
'seconds as hours for people, half-up at 0.01; an interval would obey IntervalStyle';

CREATE FUNCTION elecbill._explain_reading(p_register bigint, p_at timestamptz, p_wh bigint, p_zone text,
	p_lang text) RETURNS text
LANGUAGE sql STABLE
RETURN CASE WHEN p_at IS NULL THEN CASE p_lang WHEN 'en' THEN 'loaded load profile' ELSE '导入的负荷曲线' END
	ELSE concat_ws('  ', elecbill._local_time(p_at, p_zone), p_wh * 0.001 || ' kWh', (
	SELECT CASE p_lang WHEN 'en' THEN 'frame ' ELSE '报文 ' END || encode(f.frame, 'hex')
	FROM (VALUES (elecbill._reading_frame(p_register, p_at))) AS f(frame))) END;
COMMENT ON FUNCTION elecbill._explain_reading(bigint, timestamptz, bigint, text, text) IS
'a reading in words: local time, kWh, and its frame where it was kept; none: a loaded day stands there';

CREATE FUNCTION elecbill._component_name(p_definition jsonb, p_component text, p_lang text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (
	SELECT CASE jsonb_typeof(c.component -> 'name') WHEN 'object' THEN c.component -> 'name' ->> p_lang
		ELSE c.component ->> 'name' END
	FROM elecbill._components(p_definition) AS c
	WHERE c.code = p_component
	ORDER BY c.version DESC LIMIT 1);
COMMENT ON FUNCTION elecbill._component_name(jsonb, text, text) IS
'what a tariff, by its last version, calls a component in a language; NULL when it has no name in it';

CREATE FUNCTION elecbill._line_name(p_snapshot jsonb, p_agreement bigint, p_component text, p_kind text,
	p_lang text) RETURNS text
LANGUAGE sql STABLE
RETURN coalesce((
	SELECT elecbill._component_name(t.definition, p_component, p_lang)
	FROM jsonb_array_elements(p_snapshot -> 'parts') AS p(part)
	JOIN elecbill.tariff_snapshot t ON t.sha256 = decode(p.part ->> 'definition', 'hex')
	WHERE (p.part ->> 'agreement_id')::bigint = p_agreement), elecbill.label(p_kind, p_lang)
	|| CASE WHEN p_kind IN ('allocation', 'adjustment') THEN format(CASE p_lang WHEN 'en' THEN ' (%s)' ELSE '(%s)' END,
		elecbill.label(p_component, p_lang)) ELSE '' END);
COMMENT ON FUNCTION elecbill._line_name(jsonb, bigint, text, text, text) IS
'what a bill line is called in a language: by the tariff it was rated by, else by its kind, of shares and adjustments with what they are for';

CREATE FUNCTION elecbill._explain_segments(p_bill bigint, p_zone text, p_lang text)
RETURNS TABLE (i integer, j integer, words text)
LANGUAGE sql STABLE
BEGIN ATOMIC
	SELECT s.n, e.j, CASE e.j
		WHEN 0 THEN format(CASE WHEN p_lang = 'en' THEN 'Usage point %s, meter %s, register %s'
			ELSE '用电点 %s 电表 %s 寄存器 %s' END, u.code, m.serial, g.code)
		WHEN 1 THEN (CASE WHEN p_lang = 'en' THEN '  first reading  ' ELSE '  起码  ' END)
			|| elecbill._explain_reading(s.register_id, s.start_at, s.start_wh, p_zone, p_lang)
		WHEN 2 THEN (CASE WHEN p_lang = 'en' THEN '  last reading   ' ELSE '  止码  ' END)
			|| elecbill._explain_reading(s.register_id, s.end_at, s.end_wh, p_zone, p_lang)
		ELSE format(CASE WHEN p_lang = 'en' THEN '  multiplier %s, energy %s kWh, %s%s' ELSE '  倍率 %s 电量 %s kWh %s%s' END,
			trim_scale(s.multiplier), s.energy_wh * 0.001, elecbill.label(s.quality, p_lang),
			CASE WHEN s.missing_s > 0 THEN format(CASE WHEN p_lang = 'en'
				THEN ': nothing measured for %s h, nothing billed for it' ELSE ':缺测 %s 小时,未计费' END,
				elecbill._hours(s.missing_s)) END)
		END
	FROM elecbill.bill_segment s
	JOIN elecbill.usage_point u ON u.id = s.usage_point_id
	JOIN elecbill.meter_register g ON g.id = s.register_id
	JOIN elecbill.meter m ON m.id = g.meter_id,
		generate_series(0, 3) AS e(j)
	WHERE s.bill_id = p_bill;
END;
COMMENT ON FUNCTION elecbill._explain_segments(bigint, text, text) IS
'what a bill rests on in sentences: four per segment, numbered i (segment) and j';

CREATE FUNCTION elecbill._explain_lines(p_bill elecbill.bill, p_currency text, p_lang text)
RETURNS TABLE (n integer, words text)
LANGUAGE sql STABLE
BEGIN ATOMIC
	SELECT l.n, format('%s  %s = %s %s', concat_ws(' ',
			elecbill._line_name(p_bill.snapshot, s.agreement_id, l.component, l.kind, p_lang),
			CASE WHEN l.tier > 0 THEN format(CASE WHEN p_lang = 'en' THEN 'tier %s' ELSE '第%s档' END, l.tier) END,
			elecbill.label(l.period, p_lang), CASE WHEN l.grp = 'tax' AND l.segment_id IS NULL THEN elecbill.label('tax', p_lang) END),
		concat_ws(' × ', format('%s %s', trim_scale(l.quantity),
				CASE l.unit WHEN 'money' THEN p_currency ELSE elecbill.label(l.unit, p_lang) END),
			trim_scale(l.price) || CASE WHEN l.kind IN ('percent', 'vat') THEN ' %' ELSE '' END, CASE WHEN l.factor <> 1 THEN trim_scale(l.factor) END),
		CASE WHEN l.amount_raw = l.amount THEN l.amount::text
			ELSE format(CASE WHEN p_lang = 'en' THEN '%s, rounded %s' ELSE '%s 舍入为 %s' END,
				trim_scale(l.amount_raw), l.amount) END,
		p_currency)
	FROM elecbill.bill_line l LEFT JOIN elecbill.bill_segment s ON s.id = l.segment_id
	WHERE l.bill_id = p_bill.id;
END;
COMMENT ON FUNCTION elecbill._explain_lines(elecbill.bill, text, text) IS
'the lines of a bill in sentences: quantity, price, factor, amount before and after rounding';

CREATE FUNCTION elecbill.explain_bill(p_bill text, p_lang text DEFAULT NULL)
RETURNS TABLE (n bigint, text text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	b elecbill.bill := elecbill._bill_get(p_bill);
	lang text := elecbill._lang(p_lang);
	en boolean := lang = 'en';
	org elecbill.org;
BEGIN
	SELECT * INTO org FROM elecbill.org WHERE id = b.org_id;
	RETURN QUERY
	SELECT row_number() OVER (ORDER BY t.part, t.i, t.j), t.words
	FROM (
		SELECT 0 AS part, 0 AS i, 0 AS j, format(CASE WHEN en THEN
				'Bill %s (%s) of account %s, %s, for %s to %s, both included'
				ELSE '账单 %s(%s) 户号 %s %s 用电期间 %s 至 %s(含)' END,
			coalesce(b.number, '#' || b.id), elecbill.label(b.status, lang), a.account_no, c.name,
			to_char(lower(b.service), 'YYYY-MM-DD'), to_char(upper(b.service) - 1, 'YYYY-MM-DD')) AS words
		FROM elecbill.customer_account a JOIN elecbill.customer c ON c.id = a.customer_id
		WHERE a.id = b.account_id
	UNION ALL
		SELECT 1, p.i::integer, 0, format(CASE WHEN en THEN
				'Tariff %s version %s, as known at %s; definition sha256 %s'
				ELSE '电价 %s 第 %s 版,按 %s 已知数据;定义 sha256 %s' END,
			t.code, coalesce(p.part ->> 'version', (SELECT string_agg(v.part ->> 'version', ', ' ORDER BY v.i)
				FROM jsonb_array_elements(p.part -> 'versions') WITH ORDINALITY AS v(part, i))),
			elecbill._local_time((b.snapshot ->> 'known_at')::timestamptz, org.zone),
			left(p.part ->> 'definition', 16))
		FROM jsonb_array_elements(b.snapshot -> 'parts') WITH ORDINALITY AS p(part, i)
		JOIN elecbill.tariff_plan t ON t.id = (p.part ->> 'plan_id')::bigint
	UNION ALL
		SELECT 1, p.i::integer, 1, format(CASE WHEN en THEN
				'Before it, %s kWh were billed in the %s from %s' ELSE '此前计入 %3$s 起的%2$s度 %1$s kWh' END,
			trim_scale((s.scope ->> 'before')::numeric),
			CASE WHEN en THEN s.scope ->> 'scope'
				ELSE CASE s.scope ->> 'scope' WHEN 'year' THEN '年' WHEN 'quarter' THEN '季' ELSE '月' END END,
			s.scope ->> 'start')
		FROM jsonb_array_elements(b.snapshot -> 'parts') WITH ORDINALITY AS p(part, i),
			jsonb_array_elements(p.part -> 'scopes') AS s(scope)
	UNION ALL
		SELECT 2, x.i, x.j, x.words FROM elecbill._explain_segments(b.id, org.zone, lang) AS x
	UNION ALL
		SELECT 3, x.n, 0, x.words FROM elecbill._explain_lines(b, org.currency, lang) AS x
	UNION ALL
		SELECT 3, 1000000, lower(x.service) - date '2000-01-01', format(CASE WHEN en THEN
				'  of bill %s for %s to %s: %s kWh, %s %s' ELSE '  账单 %s 期间 %s 至 %s:%s kWh %s %s' END,
			coalesce(x.number, '#' || x.id), to_char(lower(x.service), 'YYYY-MM-DD'), to_char(upper(x.service) - 1, 'YYYY-MM-DD'),
			trim_scale(t.kwh), t.amount, org.currency)
		FROM elecbill.bill_true_up t JOIN elecbill.bill x ON x.id = t.corrected_id WHERE t.bill_id = b.id
	UNION ALL
		SELECT 3, 1000001, x.i, x.words FROM elecbill._extra_words(b, org.currency, lang) AS x
	UNION ALL
		SELECT 4, 0, 0, format(CASE WHEN en THEN 'Amount %s %s' ELSE '合计 %s %s' END, b.amount, org.currency)
	) AS t
	ORDER BY 1;
END $$;
COMMENT ON FUNCTION elecbill.explain_bill(text, text) IS
'a bill (number, ORG/NUMBER, or id of a draft) in sentences: tariff version, kWh billed before, the readings each meter rests on, and every line with quantity, price, factor and rounding. lang zh or en, else elecbill.lang. Local times';
