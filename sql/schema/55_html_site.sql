-- 55_html_site.sql: a month of an org as files that link each other, to be written beside one another

CREATE FUNCTION elecbill._page_name(p_text text, p_id bigint) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
RETURN CASE WHEN p_text ~ '^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$' THEN p_text ELSE '~' || p_id END || '.html';
COMMENT ON FUNCTION elecbill._page_name(text, bigint) IS
'file of an account or a bill: its number where that is a plain name on every disk and in every link, else ~ and its id';

CREATE FUNCTION elecbill._html_linked(p_page text, p_links text, p_tail text DEFAULT '') RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
-- names are escaped: neither tag stands twice in a page
RETURN replace(replace(p_page, '<body>', format('<body>' || chr(10) || '<nav>%s</nav>', p_links)), '</body>', p_tail || '</body>');
COMMENT ON FUNCTION elecbill._html_linked(text, text, text) IS 'a page of _html_page() with links (HTML) above and a tail (HTML) below';

CREATE FUNCTION elecbill._html_link(p_path text, p_text text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
RETURN format('<a href="%s">%s</a>', p_path, elecbill._escape(p_text));
COMMENT ON FUNCTION elecbill._html_link(text, text) IS 'a link to a path of _page_name()';

CREATE FUNCTION elecbill._site_account(p_org integer, p_days daterange)
RETURNS TABLE (id bigint, account_no text, customer text, page text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET jit = off AS $$
BEGIN
	RETURN QUERY
	SELECT a.id, a.account_no, c.name, elecbill._page_name(a.account_no, a.id)
	FROM elecbill.customer_account a
	JOIN elecbill.customer c ON c.id = a.customer_id
	JOIN elecbill.org o ON o.id = a.org_id
	WHERE a.org_id = p_org AND (
		EXISTS (SELECT FROM elecbill.customer_agreement g WHERE g.account_id = a.id AND g.valid && p_days)
		OR EXISTS (SELECT FROM elecbill.bill b WHERE b.account_id = a.id AND b.live AND b.number IS NOT NULL
			AND ((b.issued_at AT TIME ZONE o.zone)::date <@ p_days OR b.status IN ('issued', 'partly_paid', 'overdue')))
		OR EXISTS (SELECT FROM elecbill.ledger_account l JOIN elecbill.ledger_transfer t ON l.id IN (t.debit_id, t.credit_id)
			WHERE l.account_id = a.id AND t.effective_on <@ p_days));
END $$;
COMMENT ON FUNCTION elecbill._site_account(integer, daterange) IS
'accounts of an org that have a page in a month: with an agreement or something booked in it, a bill issued in it, or one that is open';

CREATE FUNCTION elecbill._site_bill(p_org integer, p_days daterange)
RETURNS TABLE (id bigint, account_id bigint, number text, amount numeric, page text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	SELECT b.id, b.account_id, b.number, b.amount, elecbill._page_name(b.number, b.id)
	FROM elecbill.bill b JOIN elecbill.org o ON o.id = b.org_id
	WHERE b.org_id = p_org AND b.live AND b.number IS NOT NULL AND (b.issued_at AT TIME ZONE o.zone)::date <@ p_days;
END;
COMMENT ON FUNCTION elecbill._site_bill(integer, daterange) IS 'bills of an org that were issued on local days and stand';

CREATE FUNCTION elecbill._site_index(p_org integer, p_days daterange, p_lang text) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	head text[] := CASE p_lang WHEN 'en' THEN '{Accounts,Account,Customer,Bills issued,Amount}'::text[] ELSE '{户册,户号,户名,本月账单,金额}' END;
BEGIN
	RETURN (
		WITH bill AS MATERIALIZED (SELECT * FROM elecbill._site_bill(p_org, p_days))
		SELECT format('<h2>%s</h2>' || chr(10) || '<div class="wide"><table><thead><tr><th>%s</th><th>%s</th><th>%s</th><th class="n">%s</th></tr></thead>'
				|| chr(10) || '<tbody>%s</tbody></table></div>' || chr(10), head[1], head[2], head[3], head[4], head[5],
			coalesce(string_agg(format('<tr><td>%s</td><td>%s</td><td>%s</td><td class="n">%s</td></tr>',
				elecbill._html_link('statement/' || a.page, a.account_no), elecbill._escape(a.customer), coalesce(x.links, ''),
				coalesce(elecbill._money_text(x.amount), '')), chr(10) ORDER BY a.account_no), ''))
		FROM elecbill._site_account(p_org, p_days) AS a
		LEFT JOIN (SELECT b.account_id, sum(b.amount) AS amount, string_agg(elecbill._html_link('bill/' || b.page, b.number), '<br>' ORDER BY b.id) AS links
			FROM bill b GROUP BY b.account_id) AS x ON x.account_id = a.id);
END $$;
COMMENT ON FUNCTION elecbill._site_index(integer, daterange, text) IS 'the accounts of a month as a table (HTML), each with links to its statement and its bills';

CREATE FUNCTION elecbill.html_site(p_org text, p_month date, p_lang text DEFAULT NULL) RETURNS TABLE (path text, content text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	lang text := elecbill._lang(p_lang);
	en boolean := lang = 'en';
	owner elecbill.org;
	since date := elecbill._statement_month(p_month);
	days daterange := daterange(since, (since + interval '1 month')::date);
	up text := elecbill._html_link('../index.html', CASE WHEN en THEN 'All accounts' ELSE '返回目录' END);
	loss text := CASE WHEN en THEN 'Meters and losses' ELSE '总分表与损耗' END;
	tree boolean;
BEGIN
	SELECT * INTO owner FROM elecbill.org o WHERE o.id = elecbill._org_get(p_org);
	tree := EXISTS (SELECT FROM elecbill.usage_point_tree t WHERE t.org_id = owner.id AND t.valid && days);
	RETURN QUERY SELECT 'index.html'::text, elecbill._html_linked(elecbill.html_report(owner.code, since, lang),
		CASE WHEN tree THEN elecbill._html_link('loss.html', loss) ELSE '' END, elecbill._site_index(owner.id, days, lang));
	IF tree THEN
		RETURN QUERY SELECT 'loss.html'::text, elecbill._html_linked(elecbill._html_page(format('%s %s', loss, to_char(since, 'YYYY-MM')), lang,
			format('<h1>%s</h1>' || chr(10) || '<figure>%s</figure>', loss, elecbill.svg_loss_tree(owner.code, since, lang))),
			replace(up, '../', ''));
	END IF;
	RETURN QUERY
	SELECT 'statement/' || a.page, elecbill._html_linked(elecbill.html_statement(format('%s/%s', owner.code, a.account_no), since, lang),
		concat_ws(' · ', up, (SELECT string_agg(elecbill._html_link('../bill/' || b.page, b.number), ' · ' ORDER BY b.id)
			FROM elecbill._site_bill(owner.id, days) AS b WHERE b.account_id = a.id)))
	FROM elecbill._site_account(owner.id, days) AS a;
	RETURN QUERY
	SELECT 'bill/' || b.page, elecbill._html_linked(elecbill.html_bill(b.id::text, lang),
		up || ' · ' || elecbill._html_link('../statement/' || elecbill._page_name(a.account_no, a.id),
			format(CASE WHEN en THEN 'Account %s' ELSE '户号 %s' END, a.account_no)))
	FROM elecbill._site_bill(owner.id, days) AS b JOIN elecbill.customer_account a ON a.id = b.account_id;
END $$;
COMMENT ON FUNCTION elecbill.html_site(text, date, text) IS
'a month of an org as files to write: index.html (the report, and the accounts), loss.html where meters lie behind others, statement/ACCOUNT.html of each account, bill/NUMBER.html of each bill issued in the month; links are relative, nothing is loaded. A number that is no plain file name has ~ and its id instead. lang zh or en, else elecbill.lang. UB400, UB404';
