-- 87_supply_view.sql: what is lost behind a parent meter, and what the estate earns, by months

CREATE FUNCTION elecbill.line_energy(org text, parent text, days daterange, OUT children bigint, OUT supplied_wh bigint,
	OUT sold_wh bigint, OUT estimated boolean, OUT fault text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET jit = off AS $$
DECLARE
	owner	elecbill.org;
	place	bigint;
	own		record;
	faults	text[];
BEGIN
	SELECT o.* INTO owner FROM elecbill.org AS o WHERE o.id = elecbill._org_get(line_energy.org);
	place := elecbill._point_get(owner.id, parent);
	IF NOT elecbill._both_ends(days) THEN
		RAISE EXCEPTION 'energy is measured on days with both ends' USING ERRCODE = 'UB400';
	END IF;
	own := elecbill._point_energy(place, elecbill.day_start(lower(days), owner.zone), elecbill.day_start(upper(days), owner.zone));
	SELECT count(DISTINCT t.child_id), coalesce(sum(e.energy_wh), 0), own.estimated OR coalesce(bool_or(e.estimated), false),
		array_agg(e.fault ORDER BY u.code) FILTER (WHERE e.fault IS NOT NULL)
	INTO children, sold_wh, estimated, faults
	FROM elecbill.usage_point_tree t
	JOIN elecbill.usage_point u ON u.id = t.child_id
	CROSS JOIN LATERAL elecbill._point_energy(t.child_id, elecbill.day_start(lower(t.valid * days), owner.zone),
		elecbill.day_start(upper(t.valid * days), owner.zone)) AS e
	WHERE t.parent_id = place AND t.valid && days;
	supplied_wh := own.energy_wh;
	sold_wh := CASE WHEN faults IS NULL THEN sold_wh END;
	fault := concat_ws('; ', own.fault, array_to_string(faults[1:3], '; '),
		CASE WHEN cardinality(faults) > 3 THEN format('and %s more', cardinality(faults) - 3) END);
END $$;
COMMENT ON FUNCTION elecbill.line_energy(text, text, daterange) IS
'import energy (Wh, primary side) of a parent meter on local days, and of the points directly behind it, each while it lay there; NULL: not known, and fault says why, of three points at most. estimated as in point_energy(). UB400, UB404';

CREATE VIEW elecbill.line_loss WITH (security_invoker = true) AS
SELECT p.org_id, p.org, p.parent, d.month, e.children,
	e.supplied_wh * 0.001 AS supplied_kwh, e.sold_wh * 0.001 AS sold_kwh, (e.supplied_wh - e.sold_wh) * 0.001 AS loss_kwh,
	round((e.supplied_wh - e.sold_wh) * 100 / nullif(e.supplied_wh, 0)::numeric, 2) AS loss_percent, e.estimated,
	CASE WHEN e.supplied_wh < e.sold_wh THEN 'loss_negative'
		WHEN (e.supplied_wh - e.sold_wh) * 100 > e.supplied_wh * 7 THEN 'loss_high' END AS alarm, e.fault
-- grouped with its codes: else the planner may measure a parent of one org by the code of another, and look what belongs together later
FROM (SELECT t.org_id, o.code AS org, o.zone, u.code AS parent, min(lower(t.valid)) AS since
	FROM elecbill.usage_point_tree t
	JOIN elecbill.org o ON o.id = t.org_id
	JOIN elecbill.usage_point u ON u.id = t.parent_id
	GROUP BY t.org_id, o.code, o.zone, u.code) AS p
CROSS JOIN LATERAL (SELECT g.month::date AS month, greatest(g.month::date, p.since) AS first_day,
		(g.month + interval '1 month')::date AS behind
	FROM generate_series(date_trunc('month', p.since::timestamp), date_trunc('month', elecbill.now() AT TIME ZONE p.zone) - interval '1 month',
		interval '1 month') AS g(month)) AS d
CROSS JOIN LATERAL elecbill.line_energy(p.org, p.parent, daterange(d.first_day, d.behind)) AS e;
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
