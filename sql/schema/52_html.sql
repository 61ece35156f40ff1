-- 52_html.sql: bills as pages: one file each, nothing loaded from elsewhere, A4 or a phone

CREATE FUNCTION elecbill._html_page(p_title text, p_lang text, p_body text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
RETURN format($html$<!DOCTYPE html>
<html lang="%s">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>%s</title>
<style>
:root { --ink:#18181b; --muted:#71717a; --rule:#d4d4d8; --paper:#fff; --load:#2563eb; --owed:#d97706; }
@media screen and (prefers-color-scheme: dark) { :root { --ink:#f4f4f5; --muted:#a1a1aa; --rule:#3f3f46; --paper:#18181b; --load:#60a5fa; --owed:#fbbf24; } }
@media print { :root { --ink:#000; --muted:#444; --rule:#bbb; --paper:#fff; --load:#1d4ed8; --owed:#b45309; } nav { display:none; } }
@page { size:A4; margin:14mm; }
* { box-sizing:border-box; }
body { margin:0 auto; padding:24px; max-width:860px; background:var(--paper); color:var(--ink);
  font:15px/1.5 "Noto Sans CJK SC","PingFang SC","Microsoft YaHei",system-ui,sans-serif; }
header { display:flex; flex-wrap:wrap; justify-content:space-between; align-items:flex-end; gap:8px 32px;
  padding-bottom:12px; border-bottom:2px solid var(--ink); }
h1 { margin:0; font-size:24px; } h2 { margin:28px 0 8px; font-size:16px; } p { margin:4px 0; }
.muted { color:var(--muted); } .sum { text-align:right; } .sum b { font-size:30px; } dd.big { font-size:21px; font-weight:600; }
dl { display:grid; grid-template-columns:repeat(auto-fit,minmax(180px,1fr)); gap:8px 24px; margin:16px 0; }
dt { color:var(--muted); font-size:13px; } dd { margin:0; overflow-wrap:anywhere; }
.wide { overflow-x:auto; } table { width:100%%; border-collapse:collapse; font-variant-numeric:tabular-nums; }
th, td { padding:6px 8px; border-bottom:1px solid var(--rule); text-align:left; vertical-align:top; }
th { color:var(--muted); font-weight:500; font-size:13px; white-space:nowrap; } .n { text-align:right; white-space:nowrap; }
tfoot td { border-bottom:0; font-weight:700; } tr, figure { break-inside:avoid; }
code { display:block; margin-top:2px; color:var(--muted); font-size:11px; overflow-wrap:anywhere; }
figure { margin:0; } svg { width:100%%; height:auto; } a { color:var(--load); }
@media (max-width:600px) {
  .fine { display:none; }
  body { padding:14px; font-size:14px; } .sum { text-align:left; } dl { grid-template-columns:1fr 1fr; }
  table { font-size:13px; } th, td { padding:6px 4px; } td:first-child { white-space:nowrap; }
  th, td, td.w { white-space:normal; } td { overflow-wrap:anywhere; } .n, .d { white-space:nowrap; }
}
</style>
</head>
<body>
%s
</body>
</html>
$html$, p_lang, elecbill._escape(p_title), p_body);
COMMENT ON FUNCTION elecbill._html_page(text, text, text) IS
'a whole page from a title (text) and a body (HTML); all style is inside';

CREATE FUNCTION elecbill._html_upper(p_amount numeric, p_currency text, p_lang text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
RETURN CASE WHEN p_currency = 'CNY' AND p_lang = 'zh' THEN format('<p class="muted">大写:%s</p>', elecbill.cny_upper(p_amount)) ELSE '' END;
COMMENT ON FUNCTION elecbill._html_upper(numeric, text, text) IS 'an amount in Chinese capitals, on Chinese pages about yuan; else nothing';

CREATE FUNCTION elecbill._money_text(p_amount numeric) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
RETURN to_char(p_amount, 'FM999,999,999,999,990.00');
COMMENT ON FUNCTION elecbill._money_text(numeric) IS 'an amount for people, 1,234.50; the same under every locale';

CREATE FUNCTION elecbill._kwh_text(p_quantity numeric) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
RETURN rtrim(to_char(p_quantity, 'FM999,999,999,999,990.999999'), '.');
COMMENT ON FUNCTION elecbill._kwh_text(numeric) IS 'a quantity for people, 1,234.5; the same under every locale';

CREATE FUNCTION elecbill._html_class(p_head text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
RETURN coalesce(' class="' || nullif(concat_ws(' ', CASE WHEN p_head LIKE '~%' THEN 'fine' END, CASE WHEN p_head ~ '^~?#' THEN 'n' WHEN p_head ~ '^~?!' THEN 'd' END), '') || '"', '');
COMMENT ON FUNCTION elecbill._html_class(text) IS 'classes of the cells below a head of _html_table(), as an attribute';

CREATE FUNCTION elecbill._days_text(p_days daterange) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
RETURN CASE WHEN extract(day FROM lower(p_days)) = 1 AND upper(p_days) = (lower(p_days) + interval '1 month')::date
	THEN to_char(lower(p_days), 'YYYY-MM') ELSE format('%s – %s', to_char(lower(p_days), 'YYYY-MM-DD'), to_char(upper(p_days) - 1, 'YYYY-MM-DD')) END;
COMMENT ON FUNCTION elecbill._days_text(daterange) IS 'days [from, to) for people: a calendar month as YYYY-MM, else the first and the last day';

CREATE FUNCTION elecbill._bill_state(p_bill elecbill.bill, p_lang text) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
RETURN elecbill.label(CASE WHEN p_bill.status = 'issued' AND p_bill.amount = 0 THEN 'paid'
	WHEN p_bill.status IN ('issued', 'partly_paid') AND p_bill.amount > p_bill.paid
	AND p_bill.due_on < (SELECT (elecbill.now() AT TIME ZONE o.zone)::date FROM elecbill.org o WHERE o.id = p_bill.org_id) THEN 'overdue' ELSE p_bill.status END, p_lang);
COMMENT ON FUNCTION elecbill._bill_state(elecbill.bill, text) IS 'the word for the state of a bill; one past its due date is overdue, also before late fees are charged; of one over 0.00 nothing is to be paid';

CREATE FUNCTION elecbill._html_cells(p_heads text[], p_row jsonb) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
RETURN (
	SELECT string_agg('<td' || elecbill._html_class(p_heads[c.i]) || '>' || coalesce(elecbill._escape(c.value), '') || '</td>', '' ORDER BY c.i)
	FROM jsonb_array_elements_text(p_row) WITH ORDINALITY AS c(value, i));
COMMENT ON FUNCTION elecbill._html_cells(text[], jsonb) IS 'a row of _html_table()';

CREATE FUNCTION elecbill._html_table(p_title text, p_heads text[], p_rows jsonb, p_foot jsonb, p_lang text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
RETURN format('<h2>%s</h2>', elecbill._escape(p_title)) || CASE WHEN p_rows IS NULL OR p_rows = '[]'
	THEN format('<p class="muted">%s</p>', CASE p_lang WHEN 'en' THEN 'none' ELSE '无' END)
	ELSE format($html$<div class="wide"><table>
<thead><tr>%s</tr></thead>
<tbody>
%s
</tbody>%s
</table></div>$html$,
		(SELECT string_agg('<th' || elecbill._html_class(h.head) || '>' || elecbill._escape(ltrim(h.head, '~#!')) || '</th>', '' ORDER BY h.i)
		FROM unnest(p_heads) WITH ORDINALITY AS h(head, i)),
		(SELECT string_agg('<tr>' || elecbill._html_cells(p_heads, r.one) || '</tr>', chr(10) ORDER BY r.i)
		FROM jsonb_array_elements(p_rows) WITH ORDINALITY AS r(one, i)),
		CASE WHEN p_foot IS NOT NULL THEN '<tfoot><tr>' || elecbill._html_cells(p_heads, p_foot) || '</tr></tfoot>' ELSE '' END) END;
COMMENT ON FUNCTION elecbill._html_table(text, text[], jsonb, jsonb, text) IS
'a table with its title: heads (# before those of numbers, ! of what is not broken, ~ before those that a phone has no room for), rows [[text]] and a foot [text] or NULL; without rows: none';

CREATE FUNCTION elecbill._html_facts(p_facts text[], p_class text DEFAULT NULL) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
RETURN '<dl>' || (
	SELECT string_agg(format('<div><dt>%s</dt><dd%s>%s</dd></div>', elecbill._escape(p_facts[f.i]),
		coalesce(format(' class="%s"', p_class), ''), elecbill._escape(p_facts[f.i + 1])), chr(10) ORDER BY f.i)
	FROM generate_series(1, cardinality(p_facts), 2) AS f(i) WHERE p_facts[f.i + 1] <> '') || '</dl>';
COMMENT ON FUNCTION elecbill._html_facts(text[], text) IS 'names and values, in turn; those without a value are left out';

CREATE FUNCTION elecbill._html_rests_on(p_bill bigint, p_agreement bigint) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
RETURN (
	SELECT '<br><small class="muted">' || string_agg(format('%s: %s → %s', elecbill._escape(m.serial),
		coalesce((s.start_wh * 0.001)::text, '–'), coalesce((s.end_wh * 0.001)::text, '–')), '; ' ORDER BY s.n) || '</small>'
	FROM elecbill.bill_segment AS s
	JOIN elecbill.meter_register AS g ON g.id = s.register_id
	JOIN elecbill.meter AS m ON m.id = g.meter_id
	WHERE s.bill_id = p_bill AND s.agreement_id = p_agreement);
COMMENT ON FUNCTION elecbill._html_rests_on(bigint, bigint) IS
'the two readings of each meter that the lines of an agreement rest on, kWh as the register showed them';

CREATE FUNCTION elecbill._html_lines(p_bill bigint, p_lang text) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
RETURN (
	SELECT format($html$<h2>%s</h2>
<div class="wide"><table>
<thead><tr><th>%s</th><th>%s</th><th class="n">%s</th><th class="n">%s</th><th class="n">%s</th></tr></thead>
<tbody>
%s
</tbody>
<tfoot><tr><td colspan="4">%s</td><td class="n">%s</td></tr></tfoot>
</table></div>$html$, w.h[1], w.h[2], w.h[3], w.h[4], w.h[5], w.h[6],
		string_agg(format(
			'<tr><td class="w">%s</td><td>%s</td><td class="n">%s %s</td><td class="n">%s</td><td class="n">%s</td></tr>',
			elecbill._escape(elecbill._line_name(b.snapshot, s.agreement_id, l.component, l.kind, p_lang)
					|| CASE WHEN l.segment_id IS NULL THEN coalesce(': ' || l.label, '') ELSE '' END
					|| CASE WHEN l.grp = 'tax' AND l.segment_id IS NULL THEN ', ' || elecbill.label('tax', p_lang) ELSE '' END)
				|| CASE WHEN l.quality <> 'actual'
					THEN ' <span class="muted">(' || elecbill._escape(elecbill.label(l.quality, p_lang)) || ')</span>' ELSE '' END
				|| CASE WHEN l.first THEN coalesce(elecbill._html_rests_on(l.bill_id, s.agreement_id), '') ELSE '' END,
			concat_ws(' ', elecbill._escape(elecbill.label(l.period, p_lang)),
				CASE WHEN l.tier > 0 THEN format(CASE p_lang WHEN 'en' THEN 'tier %s' ELSE '第%s档' END, l.tier) END),
			trim_scale(l.quantity), elecbill._escape(CASE WHEN l.unit IN ('money', 'percent') THEN o.currency ELSE elecbill.label(l.unit, p_lang) END),
			concat_ws(' × ', trim_scale(l.price) || CASE WHEN l.kind IN ('percent', 'vat') THEN ' %' ELSE '' END,
				CASE WHEN l.factor <> 1 THEN trim_scale(l.factor) END),
			l.amount), chr(10) ORDER BY l.n),
		w.h[7], sum(l.amount))
	FROM (SELECT x.*, x.n = min(x.n) OVER (PARTITION BY x.segment_id) AS first FROM elecbill.bill_line AS x WHERE x.bill_id = p_bill) AS l
	JOIN elecbill.bill AS b ON b.id = l.bill_id
	JOIN elecbill.org AS o ON o.id = b.org_id
	LEFT JOIN elecbill.bill_segment AS s ON s.id = l.segment_id,
		(SELECT CASE p_lang
			WHEN 'en' THEN '{Charges,Item,Period and tier,Quantity,Price,Amount,Total}'::text[]
			ELSE '{费用明细,项目,时段与档位,数量,单价,金额,合计}' END) AS w(h)
	GROUP BY w.h);
COMMENT ON FUNCTION elecbill._html_lines(bigint, text) IS 'the lines of a bill as a table; the readings stand on the first line of those that rest on them';

CREATE FUNCTION elecbill._html_reading(p_register bigint, p_at timestamptz, p_wh bigint, p_zone text)
RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
RETURN format('<td>%s</td><td class="n">%s</td><td>%s</td>',
	to_char(p_at AT TIME ZONE p_zone, 'YYYY-MM-DD HH24:MI'), p_wh * 0.001,
	coalesce('<code>' || upper(encode(elecbill._reading_frame(p_register, p_at), 'hex')) || '</code>', ''));
COMMENT ON FUNCTION elecbill._html_reading(bigint, timestamptz, bigint, text) IS
'the cells of one reading: local time, kWh as the register showed it, and the bytes of its frame where they were kept';

CREATE FUNCTION elecbill._html_readings(p_bill bigint, p_zone text, p_lang text) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
RETURN (
	SELECT format($html$<h2>%s</h2>
<div class="wide"><table>
<thead><tr><th>%s</th><th></th><th>%s</th><th class="n">%s</th><th>%s</th></tr></thead>
<tbody>
%s
</tbody>
</table></div>$html$, w.h[1], w.h[2], w.h[3], w.h[4], w.h[5],
		string_agg(format($row$<tr><td rowspan="3">%s<br><span class="muted">%s</span></td><td class="muted">%s</td>%s</tr>
<tr><td class="muted">%s</td>%s</tr>
<tr><td class="muted">%s</td><td class="muted">× %s</td><td class="n"><b>%s</b></td><td class="muted">%s</td></tr>$row$,
			elecbill._escape(m.serial), elecbill._escape(g.code),
			w.h[6], elecbill._html_reading(s.register_id, s.start_at, s.start_wh, p_zone),
			w.h[7], elecbill._html_reading(s.register_id, s.end_at, s.end_wh, p_zone),
			w.h[8], trim_scale(s.multiplier), s.energy_wh * 0.001,
			elecbill._escape(elecbill.label(s.quality, p_lang)) || CASE WHEN s.missing_s > 0
				THEN format(CASE p_lang WHEN 'en' THEN ': %s h not measured, not billed' ELSE ':缺测 %s 小时,未计费' END,
					elecbill._hours(s.missing_s)) ELSE '' END), chr(10) ORDER BY s.n))
	FROM elecbill.bill_segment AS s
	JOIN elecbill.meter_register AS g ON g.id = s.register_id
	JOIN elecbill.meter AS m ON m.id = g.meter_id,
		(SELECT CASE p_lang
			WHEN 'en' THEN '{Readings,Meter,Time,kWh,Frame as received,first,last,energy}'::text[]
			ELSE '{抄表依据,电表,时间,示数 kWh,原始报文,起码,止码,电量}' END) AS w(h)
	WHERE s.bill_id = p_bill
	GROUP BY w.h);
COMMENT ON FUNCTION elecbill._html_readings(bigint, text, text) IS
'what a bill rests on: for each meter its first and last reading with their frames, multiplier and energy';

CREATE FUNCTION elecbill.html_bill(p_bill text, p_lang text DEFAULT NULL) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	lang text := elecbill._lang(p_lang);
	en boolean := lang = 'en';
	b elecbill.bill := elecbill._bill_get(p_bill);
	org elecbill.org;
	account record;
	number text := coalesce(b.number, '#' || b.id);
	place text;
	tariffs text;
BEGIN
	SELECT * INTO org FROM elecbill.org WHERE id = b.org_id;
	SELECT a.account_no, c.name INTO account
	FROM elecbill.customer_account a JOIN elecbill.customer c ON c.id = a.customer_id WHERE a.id = b.account_id;
	SELECT string_agg(DISTINCT u.code, ', ') INTO place
	FROM elecbill.bill_segment s JOIN elecbill.usage_point u ON u.id = s.usage_point_id WHERE s.bill_id = b.id;
	SELECT string_agg(format('%s v%s', t.code, coalesce(p.part ->> 'version', (
		SELECT string_agg(v.part ->> 'version', '+' ORDER BY v.i)
		FROM jsonb_array_elements(p.part -> 'versions') WITH ORDINALITY AS v(part, i)))), ', ') INTO tariffs
	FROM jsonb_array_elements(b.snapshot -> 'parts') AS p(part)
	JOIN elecbill.tariff_plan t ON t.id = (p.part ->> 'plan_id')::bigint;

	RETURN elecbill._html_page(format(CASE WHEN en THEN 'Electricity bill %s' ELSE '电费账单 %s' END, number), lang,
		format($html$<header><div><p class="muted">%s</p><h1>%s</h1></div>
<div class="sum"><p class="muted">%s</p><b>%s</b> %s%s</div></header>
<dl>%s</dl>
%s
%s
%s
<p class="muted">%s</p>$html$,
			elecbill._escape(org.name), CASE WHEN en THEN 'Electricity bill' ELSE '电费账单' END,
			CASE WHEN en THEN 'Amount' ELSE '账单金额' END, b.amount, elecbill._escape(org.currency), elecbill._html_upper(b.amount, org.currency, lang),
			(SELECT string_agg(format('<div><dt>%s</dt><dd>%s</dd></div>', f.name, elecbill._escape(f.value)), chr(10))
			 FROM (VALUES
				(CASE WHEN en THEN 'Bill number' ELSE '账单编号' END, number),
				(CASE WHEN en THEN 'Account' ELSE '户号' END, account.account_no),
				(CASE WHEN en THEN 'Customer' ELSE '户名' END, account.name),
				(CASE WHEN en THEN 'Usage point' ELSE '用电地点' END, place),
				(CASE WHEN en THEN 'Period' ELSE '用电期间' END,
					format('%s – %s', to_char(lower(b.service), 'YYYY-MM-DD'), to_char(upper(b.service) - 1, 'YYYY-MM-DD'))),
				(CASE WHEN en THEN 'Tariff' ELSE '电价' END, tariffs),
				(CASE WHEN en THEN 'Due' ELSE '缴费截止' END, coalesce(to_char(b.due_on, 'YYYY-MM-DD'), '–')),
				(CASE WHEN en THEN 'State' ELSE '状态' END, elecbill._bill_state(b, lang)),
				(CASE WHEN en THEN 'Paid / open' ELSE '已缴 / 待缴' END, CASE WHEN b.live AND b.number IS NOT NULL AND b.status <> 'written_off'
					THEN format('%s / %s', b.paid, b.amount - b.paid) END)) AS f(name, value) WHERE f.value <> ''),
			elecbill._html_lines(b.id, lang),
			-- a correction has no days of its own
			CASE WHEN place IS NOT NULL THEN format('<h2>%s</h2>' || chr(10) || '<figure>%s</figure>', CASE WHEN en THEN 'Load curve' ELSE '负荷曲线' END,
				elecbill.svg_load_curve(format('%s/%s', org.code, account.account_no), b.service * daterange(upper(b.service) - 400, NULL), lang)) END,
			elecbill._html_readings(b.id, org.zone, lang),
			format(CASE WHEN en
				THEN 'Each line is rounded by the rule of its tariff. Rated with what was known at %s (%s).'
				ELSE '每行金额按电价规定舍入;按 %s 时已知数据计费(%s)。' END,
				to_char(coalesce((b.snapshot ->> 'known_at')::timestamptz, b.created_at) AT TIME ZONE org.zone, 'YYYY-MM-DD HH24:MI'), org.zone)));
END $$;
COMMENT ON FUNCTION elecbill.html_bill(text, text) IS
'a bill (number, ORG/NUMBER, or id of a draft) as one HTML page: amount, in Chinese capitals too, load curve (its last 400 days), lines by tier and period, and the readings it rests on with the bytes of their frames where they were kept. lang zh or en, else elecbill.lang; local times. UB400, UB404';

CREATE FUNCTION elecbill.html_bills(p_run bigint, p_lang text DEFAULT NULL)
RETURNS TABLE (path text, content text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	lang text := elecbill._lang(p_lang);
	en boolean := lang = 'en';
	run elecbill.bill_run;
	org elecbill.org;
	head text[] := CASE WHEN en
		THEN '{Bill,Account,Customer,kWh,Amount,State,Not billed,Reason}'::text[]
		ELSE '{账单编号,户号,户名,电量 kWh,金额,状态,未出账,原因}' END;
BEGIN
	SELECT * INTO run FROM elecbill.bill_run r WHERE r.id = p_run AND elecbill._org_open(r.org_id);
	IF NOT FOUND THEN
		RAISE EXCEPTION USING ERRCODE = 'UB404', MESSAGE = format('there is no bill run %s', coalesce(p_run::text, 'NULL'));
	END IF;
	SELECT * INTO org FROM elecbill.org WHERE id = run.org_id;
	RETURN QUERY
	SELECT b.number || '.html', elecbill.html_bill(b.id::text, lang)
	FROM elecbill.bill b WHERE b.run_id = run.id AND b.live AND b.number IS NOT NULL
	ORDER BY b.number;
	RETURN QUERY
	SELECT 'index.html'::text, elecbill._html_page(format(CASE WHEN en THEN 'Electricity bills %s' ELSE '电费账单 %s' END,
			to_char(lower(run.period), 'YYYY-MM-DD')), lang,
		format($html$<header><div><p class="muted">%s</p><h1>%s</h1><p>%s – %s</p></div>
<div class="sum"><p class="muted">%s</p><b>%s</b> %s</div></header>
<div class="wide"><table><thead><tr><th>%s</th><th>%s</th><th>%s</th><th class="fine n">%s</th><th class="n">%s</th><th class="fine">%s</th></tr></thead>
<tbody>
%s
</tbody></table></div>
%s$html$,
			elecbill._escape(org.name), CASE WHEN en THEN 'Electricity bills' ELSE '电费账单' END,
			to_char(lower(run.period), 'YYYY-MM-DD'), to_char(upper(run.period) - 1, 'YYYY-MM-DD'),
			format(CASE WHEN en THEN '%s bills' ELSE '共 %s 份' END, count(b.id)), coalesce(sum(b.amount), 0), org.currency,
			head[1], head[2], head[3], head[4], head[5], head[6],
			string_agg(format('<tr><td><a href="%1$s.html">%1$s</a></td><td>%2$s</td><td>%3$s</td><td class="fine n">%4$s</td><td class="n">%5$s</td><td class="fine">%6$s</td></tr>',
				elecbill._escape(b.number), elecbill._escape(a.account_no), elecbill._escape(c.name),
				(SELECT sum(s.energy_wh) * 0.001 FROM elecbill.bill_segment s WHERE s.bill_id = b.id),
				b.amount, elecbill._escape(elecbill._bill_state(b, lang))), chr(10) ORDER BY b.number),
			(SELECT format('<h2>%s</h2><div class="wide"><table><thead><tr><th>%s</th><th>%s</th></tr></thead><tbody>%s</tbody></table></div>',
				head[7], head[2], head[8],
				string_agg(format('<tr><td>%s</td><td>%s<br><span class="muted">%s</span></td></tr>',
					elecbill._escape(xa.account_no), elecbill._escape(elecbill.label(x.code, lang)),
					elecbill._escape(x.message)), '' ORDER BY xa.account_no))
			 FROM elecbill.bill_exception x JOIN elecbill.customer_account xa ON xa.id = x.account_id
			 WHERE x.run_id = run.id AND x.state = 'parked'
			 HAVING count(*) > 0)))
	FROM elecbill.bill b
	JOIN elecbill.customer_account a ON a.id = b.account_id
	JOIN elecbill.customer c ON c.id = a.customer_id
	WHERE b.run_id = run.id AND b.live AND b.number IS NOT NULL;
END $$;
COMMENT ON FUNCTION elecbill.html_bills(bigint, text) IS
'the issued bills of a run as files to write: NUMBER.html each, and index.html that links them and names the accounts without a bill. lang zh or en, else elecbill.lang. UB404 unknown run';
