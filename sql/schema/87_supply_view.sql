-- 87_supply_view.sql: what is lost behind a parent meter, and what the estate earns, by months

CREATE VIEW elecbill.line_loss WITH (security_invoker = true) AS
SELECT o.id AS org_id, o.code AS org, u.code AS parent, d.month, c.children,
	e.energy_wh * 0.001 AS supplied_kwh, c.energy_wh * 0.001 AS sold_kwh, (e.energy_wh - c.energy_wh) * 0.001 AS loss_kwh,
	round((e.energy_wh - c.energy_wh) * 100 / nullif(e.energy_wh, 0)::numeric, 2) AS loss_percent,
	e.estimated OR c.estimated AS estimated,
	CASE WHEN e.energy_wh < c.energy_wh THEN 'loss_negative'
		WHEN (e.energy_wh - c.energy_wh) * 100 > e.energy_wh * 7 THEN 'loss_high' END AS alarm,
	concat_ws('; ', e.fault, c.fault) AS fault
FROM (SELECT t.org_id, t.parent_id, min(lower(t.valid)) AS since FROM elecbill.usage_point_tree t GROUP BY t.org_id, t.parent_id) AS p
JOIN elecbill.org o ON o.id = p.org_id
JOIN elecbill.usage_point u ON u.id = p.parent_id
CROSS JOIN LATERAL (SELECT g.month::date AS month, greatest(g.month::date, p.since) AS first_day,
		(g.month + interval '1 month')::date AS behind
	FROM generate_series(date_trunc('month', p.since::timestamp), date_trunc('month', elecbill.now() AT TIME ZONE o.zone) - interval '1 month',
		interval '1 month') AS g(month)) AS d
CROSS JOIN LATERAL elecbill.point_energy(o.code, u.code, elecbill.day_start(d.first_day, o.zone), elecbill.day_start(d.behind, o.zone)) AS e
CROSS JOIN LATERAL (
	SELECT count(*) AS children, CASE WHEN count(x.fault) = 0 THEN coalesce(sum(x.energy_wh), 0) END AS energy_wh,
		coalesce(bool_or(x.estimated), false) AS estimated, string_agg(x.fault, '; ' ORDER BY k.code) AS fault
	FROM elecbill.usage_point_tree t
	JOIN elecbill.usage_point k ON k.id = t.child_id
	CROSS JOIN LATERAL (SELECT t.valid * daterange(d.first_day, d.behind) AS days) AS v
	CROSS JOIN LATERAL elecbill.point_energy(o.code, k.code, elecbill.day_start(lower(v.days), o.zone),
		elecbill.day_start(upper(v.days), o.zone)) AS x
	WHERE t.parent_id = p.parent_id AND t.valid && daterange(d.first_day, d.behind)) AS c;
COMMENT ON VIEW elecbill.line_loss IS
'finished months of each parent meter: supplied = sold + loss. An alarm where children measure more than their parent, or more than 7 % is lost. Measured when it is asked: name parent and month';
COMMENT ON COLUMN elecbill.line_loss.org_id IS 'owner';
COMMENT ON COLUMN elecbill.line_loss.org IS 'code of the org';
COMMENT ON COLUMN elecbill.line_loss.parent IS 'the parent meter: code of its usage point';
COMMENT ON COLUMN elecbill.line_loss.month IS 'first local day of the month; the first month counts from the first day with a child';
COMMENT ON COLUMN elecbill.line_loss.children IS 'points directly behind it in the month';
COMMENT ON COLUMN elecbill.line_loss.supplied_kwh IS 'what the parent measured, kWh; NULL: not known';
COMMENT ON COLUMN elecbill.line_loss.sold_kwh IS 'what its children measured while they were behind it, kWh; NULL: not known of one';
COMMENT ON COLUMN elecbill.line_loss.loss_kwh IS 'the difference';
COMMENT ON COLUMN elecbill.line_loss.loss_percent IS 'of what was supplied';
COMMENT ON COLUMN elecbill.line_loss.estimated IS 'a meter was not read within 15 minutes of an end of the month; its register was interpolated';
COMMENT ON COLUMN elecbill.line_loss.alarm IS 'loss_negative (below 0), loss_high (above 7 %); NULL: neither';
COMMENT ON COLUMN elecbill.line_loss.fault IS 'what is not known; empty: nothing';

CREATE VIEW elecbill.margin WITH (security_invoker = true) AS
SELECT o.id AS org_id, o.code AS org, x.month, coalesce(s.kwh, 0) AS paid_kwh, coalesce(s.amount, 0) AS paid,
	coalesce(b.kwh, 0) AS charged_kwh, coalesce(b.amount, 0) AS charged, coalesce(b.collected, 0) AS collected,
	coalesce(b.amount, 0) - coalesce(s.amount, 0) AS margin, coalesce(b.collected, 0) - coalesce(s.amount, 0) AS cash_margin, o.currency
FROM (
	SELECT y.org_id, date_trunc('month', (upper(y.days) - 1)::timestamp)::date AS month FROM elecbill.supply_bill y WHERE y.live
	UNION SELECT z.org_id, date_trunc('month', (upper(z.service) - 1)::timestamp)::date FROM elecbill.bill z
	WHERE z.live AND z.number IS NOT NULL AND z.kind <> 'opening') AS x
JOIN elecbill.org o ON o.id = x.org_id
LEFT JOIN (
	SELECT y.org_id, date_trunc('month', (upper(y.days) - 1)::timestamp)::date AS month, sum(y.kwh) AS kwh, sum(y.amount) AS amount
	FROM elecbill.supply_bill y WHERE y.live GROUP BY 1, 2) AS s ON s.org_id = x.org_id AND s.month = x.month
LEFT JOIN (
	SELECT z.org_id, date_trunc('month', (upper(z.service) - 1)::timestamp)::date AS month, sum(z.amount) AS amount,
		sum(z.paid) AS collected, sum(e.wh) * 0.001 AS kwh
	FROM elecbill.bill z
	LEFT JOIN (SELECT g.bill_id, sum(g.energy_wh) AS wh FROM elecbill.bill_segment g GROUP BY g.bill_id) AS e ON e.bill_id = z.id
	WHERE z.live AND z.number IS NOT NULL AND z.kind <> 'opening' GROUP BY 1, 2) AS b ON b.org_id = x.org_id AND b.month = x.month;
COMMENT ON VIEW elecbill.margin IS 'what an estate collects and what it pays the grid, by months; a bill counts in the month of its last day';
COMMENT ON COLUMN elecbill.margin.org_id IS 'owner';
COMMENT ON COLUMN elecbill.margin.org IS 'code of the org';
COMMENT ON COLUMN elecbill.margin.month IS 'first local day of the month';
COMMENT ON COLUMN elecbill.margin.paid_kwh IS 'energy on the bills of the grid, kWh';
COMMENT ON COLUMN elecbill.margin.paid IS 'what they come to, tax included';
COMMENT ON COLUMN elecbill.margin.charged_kwh IS 'energy on issued bills, kWh';
COMMENT ON COLUMN elecbill.margin.charged IS 'what issued bills come to, tax included; opening bills apart';
COMMENT ON COLUMN elecbill.margin.collected IS 'what is paid of these';
COMMENT ON COLUMN elecbill.margin.margin IS 'charged less paid';
COMMENT ON COLUMN elecbill.margin.cash_margin IS 'collected less paid';
COMMENT ON COLUMN elecbill.margin.currency IS 'currency of the amounts';
