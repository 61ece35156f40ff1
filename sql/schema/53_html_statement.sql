-- 53_html_statement.sql: what was charged to an account in a month, what it paid, and what it owes

CREATE FUNCTION elecbill._statement(p_account bigint, p_from date, p_to date)
RETURNS TABLE (day date, kind text, bill text, receipt text, owed numeric)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN QUERY
	WITH one AS (
	SELECT t.effective_on, k.kind, CASE WHEN count(DISTINCT t.bill_id) = 1 THEN min(b.number) END AS bill,
		min(coalesce(p.receipt_no, p.channel_txn)) AS receipt, sum(CASE WHEN l.id = t.debit_id THEN t.amount ELSE -t.amount END) AS owed, min(t.id) AS first
	FROM elecbill.ledger_account l
	JOIN elecbill.ledger_transfer t ON t.debit_id = l.id OR t.credit_id = l.id
	-- a bill is one row with its tax, a payment one whatever it went to
	CROSS JOIN LATERAL (SELECT CASE WHEN t.kind = 'tax' THEN 'issue'
		WHEN t.payment_id IS NOT NULL AND t.kind IN ('payment_fee', 'advance', 'match', 'match_fee') THEN 'payment' ELSE t.kind END) AS k(kind)
	LEFT JOIN elecbill.bill b ON b.id = t.bill_id
	LEFT JOIN elecbill.payment p ON p.id = t.payment_id
	WHERE l.account_id = p_account AND split_part(l.code, ':', 1) IN ('receivable', 'advance') AND t.stage IN ('single', 'post')
		AND t.effective_on >= p_from AND t.effective_on < p_to
	GROUP BY t.effective_on, k.kind, t.payment_id, CASE WHEN t.payment_id IS NULL THEN t.bill_id END,
		CASE WHEN t.payment_id IS NULL AND t.bill_id IS NULL THEN t.id END
	-- what goes from advance credit to a bill changes nothing
	HAVING sum(CASE WHEN l.id = t.debit_id THEN t.amount ELSE -t.amount END) <> 0),
	-- late fees are booked day by day; nobody wants to read that: one row a bill until something else happens
	run AS (SELECT x.*, count(*) FILTER (WHERE x.kind <> 'late_fee') OVER (ORDER BY x.effective_on, x.first) AS events FROM one x)
	SELECT max(x.effective_on), x.kind, x.bill, min(x.receipt), sum(x.owed)
	FROM run x GROUP BY x.events, x.kind, x.bill, CASE WHEN x.kind <> 'late_fee' THEN x.first END
	ORDER BY x.events, x.kind = 'late_fee', max(x.effective_on), min(x.first);
END $$;
COMMENT ON FUNCTION elecbill._statement(bigint, date, date) IS
'what changed what an account owes, bills less advance credit, in local days [from, to), in order; late fees of a bill as one row, with the last day, until something else happens';

CREATE FUNCTION elecbill._statement_month(p_month date) RETURNS date
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF isfinite(p_month) IS NOT TRUE OR p_month NOT BETWEEN '1900-01-01' AND '9000-01-01' THEN
		RAISE EXCEPTION USING ERRCODE = 'UB400', MESSAGE = 'a month is named by a day in it';
	END IF;
	RETURN date_trunc('month', p_month::timestamp)::date;
END $$;
COMMENT ON FUNCTION elecbill._statement_month(date) IS 'first day of the month of a date; UB400 no date';

CREATE FUNCTION elecbill.statement(p_account text, p_month date, p_lang text DEFAULT NULL)
RETURNS TABLE (n integer, day date, text text, bill text, receipt text, charged numeric, paid numeric, balance numeric)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	lang text := elecbill._lang(p_lang);
	account bigint := elecbill._account_get(p_account);
	since date := elecbill._statement_month(p_month);
	opening numeric := (SELECT coalesce(sum(s.owed), 0) FROM elecbill._statement(account, '-infinity', since) AS s);
BEGIN
	RETURN QUERY
	SELECT 0, since, CASE lang WHEN 'en' THEN 'brought forward' ELSE '上期余额' END, NULL::text, NULL::text, NULL::numeric, NULL::numeric, opening
	UNION ALL
	SELECT s.i::integer, s.day, elecbill.label(s.kind, lang), s.bill, s.receipt, CASE WHEN s.owed > 0 THEN s.owed END,
		CASE WHEN s.owed < 0 THEN -s.owed END, opening + sum(s.owed) OVER (ORDER BY s.i)
	FROM elecbill._statement(account, since, (since + interval '1 month')::date) WITH ORDINALITY AS s(day, kind, bill, receipt, owed, i)
	ORDER BY 1;
END $$;
COMMENT ON FUNCTION elecbill.statement(text, date, text) IS
'statement of an account (number, or ORG/NUMBER) for the month of a local date, from the ledger: n = 0 is what was brought forward, then what was charged and paid, with what is owed afterwards (bills less advance credit; below 0: credit). As CSV: \copy (SELECT * FROM elecbill.statement(...)) TO file CSV HEADER. lang zh or en, else elecbill.lang. UB400, UB404';

CREATE FUNCTION elecbill._statement_bills(p_account bigint, p_days daterange, p_lang text) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
RETURN (
	SELECT elecbill._html_table(CASE p_lang WHEN 'en' THEN 'Bills issued or open' ELSE '本月及未缴账单' END,
		CASE p_lang WHEN 'en' THEN '{Bill,!Days,~#kWh,#Amount,#Open,!Due,~State}'::text[] ELSE '{账单编号,!用电期间,~#电量 kWh,#金额,#待缴,!缴费截止,~状态}' END,
		jsonb_agg(jsonb_build_array(b.number, elecbill._days_text(b.service),
			coalesce((SELECT trim_scale(sum(s.energy_wh) * 0.001)::text FROM elecbill.bill_segment s WHERE s.bill_id = b.id), ''),
			elecbill._money_text(b.amount), elecbill._money_text(b.amount - b.paid + b.late_fee), to_char(b.due_on, 'YYYY-MM-DD'),
			elecbill._bill_state(b, p_lang)) ORDER BY b.due_on, b.id), NULL, p_lang)
	FROM elecbill.bill b JOIN elecbill.org o ON o.id = b.org_id
	WHERE b.account_id = p_account AND b.live AND b.number IS NOT NULL AND (b.issued_at AT TIME ZONE o.zone)::date < upper(p_days)
		AND ((b.issued_at AT TIME ZONE o.zone)::date >= lower(p_days) OR b.status IN ('issued', 'partly_paid', 'overdue')));
COMMENT ON FUNCTION elecbill._statement_bills(bigint, daterange, text) IS 'bills that were issued in some days, or before and are open now, as a table';

CREATE FUNCTION elecbill.html_statement(p_account text, p_month date, p_lang text DEFAULT NULL) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	lang text := elecbill._lang(p_lang);
	en boolean := lang = 'en';
	account elecbill.customer_account;
	org elecbill.org;
	since date := elecbill._statement_month(p_month);
	days daterange := daterange(since, (since + interval '1 month')::date);
	full_no text;
	sums record;
BEGIN
	SELECT * INTO account FROM elecbill.customer_account WHERE id = elecbill._account_get(p_account);
	SELECT * INTO org FROM elecbill.org WHERE id = account.org_id;
	full_no := format('%s/%s', org.code, account.account_no);
	SELECT jsonb_agg(jsonb_build_array(to_char(s.day, 'YYYY-MM-DD'), concat_ws(' ', s.text, s.bill, s.receipt),
			coalesce(elecbill._money_text(s.charged), ''), coalesce(elecbill._money_text(s.paid), ''), elecbill._money_text(s.balance)) ORDER BY s.n) AS rows,
		coalesce(sum(s.charged), 0) AS charged, coalesce(sum(s.paid), 0) AS paid,
		min(s.balance) FILTER (WHERE s.n = 0) AS opening, (array_agg(s.balance ORDER BY s.n DESC))[1] AS closing
	INTO sums FROM elecbill.statement(full_no, since, lang) AS s;
	RETURN elecbill._html_page(format(CASE WHEN en THEN 'Statement %s, %s' ELSE '对账单 %s %s' END, account.account_no, to_char(since, 'YYYY-MM')), lang,
		format('<header><div><p class="muted">%s</p><h1>%s</h1></div>' || chr(10) || '<div class="sum"><p class="muted">%s</p><b>%s</b> %s%s</div></header>',
			elecbill._escape(org.name), CASE WHEN en THEN to_char(since, 'YYYY-MM') || ' statement' ELSE to_char(since, 'YYYY"年"FMMM"月"') || '对账单' END,
			CASE WHEN sums.closing < 0 THEN CASE WHEN en THEN 'Credit' ELSE '余额(预存)' END ELSE CASE WHEN en THEN 'To pay' ELSE '期末应缴' END END,
			elecbill._money_text(abs(sums.closing)), elecbill._escape(org.currency), elecbill._html_upper(abs(sums.closing), org.currency, lang))
		|| elecbill._html_facts(ARRAY[
			CASE WHEN en THEN 'Account' ELSE '户号' END, account.account_no,
			CASE WHEN en THEN 'Customer' ELSE '户名' END, (SELECT c.name FROM elecbill.customer c WHERE c.id = account.customer_id),
			CASE WHEN en THEN 'Usage point' ELSE '用电地点' END, (SELECT string_agg(DISTINCT u.code, ', ') FROM elecbill.customer_agreement g
				JOIN elecbill.usage_point u ON u.id = g.usage_point_id WHERE g.account_id = account.id AND g.valid && days),
			CASE WHEN en THEN 'Brought forward' ELSE '上期余额' END, elecbill._money_text(sums.opening),
			CASE WHEN en THEN 'Charged' ELSE '本期应收' END, elecbill._money_text(sums.charged),
			CASE WHEN en THEN 'Paid' ELSE '本期实缴' END, elecbill._money_text(sums.paid)])
		|| elecbill._html_table(CASE WHEN en THEN 'Movements' ELSE '收支明细' END,
			CASE WHEN en THEN '{Day,Text,#Charged,#Paid,#Balance}'::text[] ELSE '{日期,摘要,#应收,#实缴,#余额}' END, sums.rows,
			jsonb_build_array('', CASE WHEN en THEN 'End of month' ELSE '期末' END, elecbill._money_text(sums.charged), elecbill._money_text(sums.paid),
				elecbill._money_text(sums.closing)), lang)
		|| elecbill._statement_bills(account.id, days, lang)
		|| format('<h2>%s</h2><figure>%s</figure>', CASE WHEN en THEN 'Bills of 13 months' ELSE '近 13 个月账单' END, elecbill.svg_bill_history(full_no, 13, lang))
		|| format('<p class="muted">%s</p>', format(CASE WHEN en THEN 'As booked at %s (%s).' ELSE '截至 %s 已入账(%s)。' END,
			elecbill._local_time(elecbill.now(), org.zone), org.zone)));
END $$;
COMMENT ON FUNCTION elecbill.html_statement(text, date, text) IS
'statement of an account (number, or ORG/NUMBER) for the month of a local date as one HTML page: brought forward, charged, paid, what is owed, the bills behind it. lang zh or en, else elecbill.lang. UB400, UB404';
