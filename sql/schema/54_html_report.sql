-- 54_html_report.sql: a month of an org on one page, from the report views; each number stands in one of them

CREATE FUNCTION elecbill._report_collection(p_org text, p_month date, p_lang text) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	en boolean := p_lang = 'en';
	months jsonb;
	rows jsonb;
BEGIN
	SELECT jsonb_agg(jsonb_build_object('name', to_char(m.month, 'YY-MM'), 'mark', coalesce(round(c.issued)::text, ''), 'note', coalesce(floor(c.rate) || '%', ''),
			'values', jsonb_build_array(coalesce(c.paid, 0), coalesce(c.open, 0))) ORDER BY m.month),
		jsonb_agg(jsonb_build_array(to_char(m.month, 'YYYY-MM'), c.bills, elecbill._money_text(c.issued), elecbill._money_text(c.paid),
			elecbill._money_text(c.open), coalesce(c.rate || ' %', '–'), elecbill._money_text(c.received)) ORDER BY m.month DESC)
			FILTER (WHERE c.org IS NOT NULL AND m.month > p_month - interval '6 months')
	INTO months, rows
	FROM elecbill._month_span(p_month, 13) AS m
	LEFT JOIN elecbill.collection_rate c ON c.org = p_org AND c.month = m.month;
	RETURN format('<h2>%s</h2><figure>%s</figure>', CASE WHEN en THEN 'Bills of 13 months' ELSE '近 13 个月出账与收缴' END,
		elecbill._svg_columns('issued', CASE WHEN en THEN 'Bills by month of issue, paid and open' ELSE '各月出账金额:已缴与未缴' END,
			CASE WHEN en THEN 'The percentage below a month is paid by now.' ELSE '月份下为截至目前的收缴率' END,
			(SELECT o.currency FROM elecbill.org o WHERE o.code = p_org), jsonb_build_array(
			jsonb_build_object('name', CASE WHEN en THEN 'paid' ELSE '已缴' END, 'style', 'class="load"'),
			jsonb_build_object('name', CASE WHEN en THEN 'open' ELSE '未缴' END, 'style', 'class="owed"')), months))
		|| elecbill._html_table(CASE WHEN en THEN 'Collection' ELSE '出账与收缴' END, CASE WHEN en
			THEN '{Month,~#Bills,#Issued,#Paid,~#Open,#Rate,#Received}'::text[] ELSE '{月份,~#账单数,#出账金额,#其中已缴,~#未缴,#收缴率,#当月实收}' END, rows, NULL, p_lang);
END $$;
COMMENT ON FUNCTION elecbill._report_collection(text, date, text) IS 'bills and collection by month of issue: a picture of 13 months, a table of six';

CREATE FUNCTION elecbill._report_revenue(p_org text, p_month date, p_lang text) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	en boolean := p_lang = 'en';
	heads text[] := CASE WHEN en THEN '{Tariff,Component,Tier,#Quantity,#Amount}'::text[] ELSE '{电价,项目,档位,#数量,#金额}' END;
BEGIN
	RETURN (SELECT elecbill._html_table(CASE WHEN en THEN 'Revenue by tier' ELSE '收入构成(按档位)' END, heads,
			jsonb_agg(jsonb_build_array(r.tariff, elecbill._component_text(r.org, r.tariff, r.component, r.kind, p_lang), CASE WHEN r.tier = '-' THEN '' ELSE
				format(CASE WHEN en THEN 'tier %s' ELSE '第%s档' END, r.tier) END, elecbill._quantity_text(r.quantity, r.unit, p_lang),
				elecbill._money_text(r.amount + r.tax)) ORDER BY r.tariff = '-', r.tariff, r.kind <> 'energy', r.component, r.tier),
			jsonb_build_array(CASE WHEN en THEN 'Total' ELSE '合计' END, '', '', '', elecbill._money_text(sum(r.amount + r.tax))), p_lang)
		FROM elecbill.revenue_by_tier r WHERE r.org = p_org AND r.month = p_month)
	|| coalesce((SELECT elecbill._html_table(CASE WHEN en THEN 'Revenue by period' ELSE '收入构成(按时段)' END,
			CASE WHEN en THEN array_replace(heads, 'Tier', 'Period') ELSE array_replace(heads, '档位', '时段') END,
			jsonb_agg(jsonb_build_array(r.tariff, elecbill._component_text(r.org, r.tariff, r.component, r.kind, p_lang), elecbill.label(r.period, p_lang),
				elecbill._quantity_text(r.quantity, r.unit, p_lang), elecbill._money_text(r.amount))
				ORDER BY r.tariff, r.component, array_position('{sharp,peak,flat,valley,deep_valley}', r.period), r.period), NULL, p_lang)
		FROM elecbill.revenue_by_tou r WHERE r.org = p_org AND r.month = p_month AND r.period <> '-'
		HAVING count(*) > 0), '');
END $$;
COMMENT ON FUNCTION elecbill._report_revenue(text, date, text) IS 'revenue of a month of the books, tax in it, by tier and by period';

CREATE FUNCTION elecbill._quantity_text(p_quantity numeric, p_unit text, p_lang text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
RETURN CASE WHEN p_unit IN ('money', 'percent', '-') THEN '' ELSE concat_ws(' ', elecbill._kwh_text(p_quantity), elecbill.label(p_unit, p_lang)) END;
COMMENT ON FUNCTION elecbill._quantity_text(numeric, text, text) IS 'a quantity with its unit, for people; nothing where it is an amount itself';

CREATE FUNCTION elecbill._component_text(p_org text, p_plan text, p_component text, p_kind text, p_lang text) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
RETURN coalesce((
	SELECT elecbill._component_name(v.definition, p_component, p_lang)
	FROM elecbill.org o JOIN elecbill.tariff_plan t ON t.org_id = o.id
	JOIN elecbill.tariff_version v ON v.tariff_plan_id = t.id AND v.status = 'approved' AND upper_inf(v.known)
	WHERE o.code = p_org AND t.code = p_plan
	ORDER BY v.valid DESC LIMIT 1), CASE
		WHEN p_component IN ('', p_kind) THEN elecbill.label(p_kind, p_lang)
		WHEN p_kind IN ('allocation', 'adjustment') THEN format('%s (%s)', elecbill.label(p_kind, p_lang), elecbill.label(p_component, p_lang))
		ELSE p_component END);
COMMENT ON FUNCTION elecbill._component_text(text, text, text, text, text) IS 'what a plan calls a component now; of shares and adjustments their kind; else its code, or the word for its kind where that says the same';

CREATE FUNCTION elecbill._report_money(p_org integer, p_code text, p_month date, p_lang text) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	en boolean := p_lang = 'en';
	none text := CASE WHEN en THEN 'open' ELSE '未结账' END;
BEGIN
	RETURN (SELECT elecbill._html_table(CASE WHEN en THEN 'Money in by channel' ELSE '各渠道实收' END,
			CASE WHEN en THEN '{Channel,#Payments,#Amount,#Reversed}'::text[] ELSE '{渠道,#笔数,#金额,#其中已冲正}' END,
			jsonb_agg(jsonb_build_array(elecbill.label(x.channel, p_lang), x.n, elecbill._money_text(x.amount), elecbill._money_text(x.reversed)) ORDER BY x.amount DESC, x.channel),
			jsonb_build_array(CASE WHEN en THEN 'Total' ELSE '合计' END, sum(x.n), elecbill._money_text(sum(x.amount)), elecbill._money_text(sum(x.reversed))), p_lang)
		FROM (SELECT p.channel, count(*) AS n, sum(p.amount) AS amount, coalesce(sum(p.amount) FILTER (WHERE p.state = 'reversed'), 0) AS reversed
			FROM elecbill.payment p JOIN elecbill.org o ON o.id = p.org_id
			WHERE p.org_id = p_org AND date_trunc('month', p.paid_at AT TIME ZONE o.zone) = p_month GROUP BY p.channel) AS x)
	|| (SELECT elecbill._html_table(CASE WHEN en THEN 'Trial balance' ELSE '科目余额' END || ' (' || CASE coalesce(min(t.status) FILTER (WHERE t.month = p_month), 'open')
				WHEN 'closed' THEN CASE WHEN en THEN 'month closed' ELSE '已结账' END ELSE none END || ')',
			CASE WHEN en THEN '{Account,#Debit,#Credit,#Debit balance}'::text[] ELSE '{科目,#本月借方,#本月贷方,#借方余额}' END,
			jsonb_agg(jsonb_build_array(elecbill._book_name(t.code, p_lang), elecbill._money_text(t.debit), elecbill._money_text(t.credit),
				elecbill._money_text(t.balance)) ORDER BY t.kind, t.code),
			jsonb_build_array(CASE WHEN en THEN 'Total' ELSE '合计' END, elecbill._money_text(sum(t.debit)), elecbill._money_text(sum(t.credit)),
				elecbill._money_text(sum(t.balance))), p_lang)
		-- also of what did not move in the month
		FROM (SELECT DISTINCT ON (x.code) x.code, x.kind, x.month, x.status, x.balance, CASE x.month WHEN p_month THEN x.debit ELSE 0 END AS debit,
				CASE x.month WHEN p_month THEN x.credit ELSE 0 END AS credit
			FROM elecbill.trial_balance x WHERE x.org = p_code AND x.month <= p_month ORDER BY x.code, x.month DESC) AS t
		WHERE t.month = p_month OR t.balance <> 0);
END $$;
COMMENT ON FUNCTION elecbill._report_money(integer, text, date, text) IS 'payments of a month by channel, and the books: what moved in it, and what every account came to by its end';

CREATE FUNCTION elecbill._book_name(p_code text, p_lang text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
RETURN elecbill.label('book_' || split_part(p_code, ':', 1), p_lang)
	|| CASE WHEN p_code LIKE '%:%' THEN ' ' || elecbill.label(split_part(p_code, ':', 2), p_lang) ELSE '' END;
COMMENT ON FUNCTION elecbill._book_name(text, text) IS 'the word for a ledger account that is no customer''s';

CREATE FUNCTION elecbill._report_arrears(p_org text, p_lang text) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	en boolean := p_lang = 'en';
BEGIN
	RETURN (SELECT elecbill._html_table(CASE WHEN en THEN 'Open today, by days past due' ELSE '当前未缴账龄' END,
			CASE WHEN en THEN '{Days,#Persons,#Companies,#Total}'::text[] ELSE '{逾期天数,#个人,#单位,#合计}' END,
			jsonb_agg(jsonb_build_array(x.age, elecbill._money_text(x.persons), elecbill._money_text(x.companies),
				elecbill._money_text(x.persons + x.companies)) ORDER BY x.i),
			jsonb_build_array(CASE WHEN en THEN 'Total' ELSE '合计' END, elecbill._money_text(sum(x.persons)), elecbill._money_text(sum(x.companies)),
				elecbill._money_text(sum(x.persons + x.companies))), p_lang)
		FROM elecbill._aging(p_org, p_lang) AS x)
	|| (SELECT elecbill._html_table(CASE WHEN en THEN 'Largest arrears' ELSE '欠费前十户' END,
			CASE WHEN en THEN '{Account,Customer,~#Bills,!Oldest due,#Open}'::text[] ELSE '{户号,户名,~#账单数,!最早到期,#欠费}' END,
			jsonb_agg(jsonb_build_array(x.account_no, x.customer, x.bills, to_char(x.oldest_due_on, 'YYYY-MM-DD'), elecbill._money_text(x.total))
				ORDER BY x.total DESC, x.account_no), NULL, p_lang)
		FROM (SELECT a.* FROM elecbill.arrears_aging a WHERE a.org = p_org AND a.total > a.not_due
			ORDER BY a.total DESC, a.account_no LIMIT 10) AS x);
END $$;
COMMENT ON FUNCTION elecbill._report_arrears(text, text) IS 'what is open today by kind of customer and age, and the ten accounts past due that owe most';

CREATE FUNCTION elecbill._aging(p_org text, p_lang text) RETURNS TABLE (i bigint, age text, persons numeric, companies numeric)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN QUERY
	SELECT x.i, x.age, coalesce(sum(x.amount) FILTER (WHERE a.kind = 'person'), 0), coalesce(sum(x.amount) FILTER (WHERE a.kind <> 'person'), 0)
	FROM elecbill.arrears_aging a
	CROSS JOIN LATERAL unnest(
		CASE p_lang WHEN 'en' THEN '{not due,1 – 30,31 – 60,61 – 90,91 – 365,more,late fees}'::text[] ELSE '{未到期,1–30,31–60,61–90,91–365,365 以上,违约金}' END,
		ARRAY[a.not_due, a.days_1_30, a.days_31_60, a.days_61_90, a.days_91_365, a.days_over_365, a.late_fee]) WITH ORDINALITY AS x(age, amount, i)
	WHERE a.org = p_org GROUP BY x.i, x.age;
END $$;
COMMENT ON FUNCTION elecbill._aging(text, text) IS 'arrears_aging of an org, a row for each age, by kind of customer';

CREATE FUNCTION elecbill._report_todo(p_org integer, p_lang text) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	en boolean := p_lang = 'en';
BEGIN
	RETURN (SELECT elecbill._html_table(CASE WHEN en THEN 'To be looked at today' ELSE '当前待处理' END,
		CASE WHEN en THEN '{Where,What,#Number,For example}'::text[] ELSE '{类别,事项,#数量,例如}' END,
		jsonb_agg(jsonb_build_array(x.place, elecbill.label(x.code, p_lang), x.n, x.example) ORDER BY x.place, x.n DESC, x.code), NULL, p_lang)
	FROM (
		SELECT CASE WHEN en THEN 'Bills' ELSE '账单' END AS place, e.code, count(*) AS n, min(a.account_no) AS example
		FROM elecbill.bill_exception e JOIN elecbill.customer_account a ON a.id = e.account_id
		WHERE e.org_id = p_org AND e.state IN ('parked', 'retried') GROUP BY e.code
		UNION ALL
		SELECT CASE WHEN en THEN 'Readings' ELSE '抄表数据' END, v.rule, count(*), min(u.code)
		FROM elecbill.vee_exception v LEFT JOIN elecbill.usage_point u ON u.id = v.usage_point_id
		WHERE v.org_id = p_org AND v.state = 'open' GROUP BY v.rule
		UNION ALL
		SELECT CASE WHEN en THEN 'Alarms' ELSE '告警' END, l.code, count(*), min(l.object)
		FROM elecbill.alarm l WHERE l.org_id = p_org AND upper_inf(l.during) GROUP BY l.code
		UNION ALL
		SELECT CASE WHEN en THEN 'Payments' ELSE '缴费' END, p.state, count(*), min(coalesce(p.receipt_no, p.channel_txn))
		FROM elecbill.payment p WHERE p.org_id = p_org AND p.state IN ('unmatched', 'mismatch') GROUP BY p.state) AS x);
END $$;
COMMENT ON FUNCTION elecbill._report_todo(integer, text) IS 'accounts without a bill, readings to be decided, open alarms, payments nobody knows: how many of each';

CREATE FUNCTION elecbill._report_users(p_org text, p_month date, p_lang text) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	en boolean := p_lang = 'en';
	billed date := (SELECT date_trunc('month', max(lower(b.service))::timestamp)::date FROM elecbill.bill b JOIN elecbill.org o ON o.id = b.org_id
		WHERE o.code = p_org AND b.live AND b.number IS NOT NULL AND b.kind IN ('regular', 'final')
			AND date_trunc('month', b.issued_at AT TIME ZONE o.zone) <= p_month);
BEGIN
	RETURN (SELECT elecbill._html_table(CASE WHEN en THEN 'Ten largest users' ELSE '用电前十户' END || coalesce(' ' || to_char(billed, 'YYYY-MM'), ''),
			CASE WHEN en THEN '{#Rank,Account,Customer,#kWh,~#Share,#Amount}'::text[] ELSE '{#名次,户号,户名,#电量 kWh,~#占比,#金额}' END,
			jsonb_agg(jsonb_build_array(t.place, t.account_no, t.customer, elecbill._kwh_text(t.energy_kwh), t.share || ' %', elecbill._money_text(t.amount))
				ORDER BY t.place, t.account_no), NULL, p_lang)
		FROM elecbill.top_users t WHERE t.org = p_org AND t.month = billed AND t.place <= 10);
END $$;
COMMENT ON FUNCTION elecbill._report_users(text, date, text) IS 'the ten largest users of the last month that was billed by then';

CREATE FUNCTION elecbill.html_report(p_org text, p_month date, p_lang text DEFAULT NULL) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	lang text := elecbill._lang(p_lang);
	en boolean := lang = 'en';
	owner elecbill.org;
	since date := elecbill._statement_month(p_month);
	c record;
	title text;
BEGIN
	SELECT * INTO owner FROM elecbill.org o WHERE o.id = elecbill._org_get(p_org);
	SELECT * INTO c FROM elecbill.collection_rate x WHERE x.org = owner.code AND x.month = since;
	title := CASE WHEN en THEN to_char(since, 'YYYY-MM') || ' electricity report' ELSE to_char(since, 'YYYY"年"FMMM"月"') || '电费月报' END;
	RETURN elecbill._html_page(format('%s %s', owner.name, title), lang,
		format('<header><div><p class="muted">%s, %s</p><h1>%s</h1></div></header>', elecbill._escape(owner.name), owner.currency, title)
		|| elecbill._html_facts(ARRAY[
			CASE WHEN en THEN 'Issued' ELSE '本月出账' END, elecbill._money_text(coalesce(c.issued, 0)),
			CASE WHEN en THEN 'Of it paid by now' ELSE '其中已缴' END, coalesce(c.rate || ' %', '–'),
			CASE WHEN en THEN 'Received' ELSE '本月实收' END, elecbill._money_text(coalesce(c.received, 0)),
			CASE WHEN en THEN 'Receivable at the end' ELSE '月末应收' END, elecbill._money_text(coalesce((
				SELECT t.balance FROM elecbill.trial_balance t WHERE t.org = owner.code AND t.code = 'receivable' AND t.month <= since
				ORDER BY t.month DESC LIMIT 1), 0)),
			CASE WHEN en THEN 'Billed energy' ELSE '出账电量' END, (
				SELECT format('%s kWh', elecbill._kwh_text(coalesce(sum(s.energy_wh), 0) * 0.001)) FROM elecbill.bill b JOIN elecbill.bill_segment s ON s.bill_id = b.id
				WHERE b.org_id = owner.id AND b.live AND b.number IS NOT NULL AND date_trunc('month', b.issued_at AT TIME ZONE owner.zone) = since),
			CASE WHEN en THEN 'Accounts past due today' ELSE '当前逾期户数' END, (
				SELECT count(*)::text FROM elecbill.arrears_aging a WHERE a.org = owner.code AND a.total > a.not_due)], 'big')
		|| elecbill._report_collection(owner.code, since, lang) || elecbill._report_revenue(owner.code, since, lang)
		|| elecbill._report_money(owner.id, owner.code, since, lang) || elecbill._report_arrears(owner.code, lang)
		|| elecbill._report_users(owner.code, since, lang) || elecbill._report_todo(owner.id, lang)
		|| format('<p class="muted">%s</p>', format(CASE WHEN en THEN 'As booked at %s (%s).' ELSE '截至 %s 已入账(%s)。' END,
			elecbill._local_time(elecbill.now(), owner.zone), owner.zone)));
END $$;
COMMENT ON FUNCTION elecbill.html_report(text, date, text) IS
'a month of an org as one HTML page: issued, received and receivable, collection by month, revenue by tier and period, channels, trial balance, arrears by age, largest users, what is to be looked at. lang zh or en, else elecbill.lang. UB400, UB404';
