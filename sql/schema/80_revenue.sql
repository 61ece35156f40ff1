-- 80_revenue.sql: what was earned, by tier and by period, as the books have it
-- A bill counts in the month of the books in which it was issued, and against the month in which it was
-- taken back: so a closed month does not change here either, and a month adds up to revenue and
-- output tax of the trial balance.

CREATE VIEW elecbill._bill_booked WITH (security_invoker = true) AS
SELECT t.bill_id, CASE WHEN t.reverses_id IS NULL THEN 1 ELSE -1 END AS sign, min(p.month) AS month
FROM elecbill.ledger_transfer t
JOIN elecbill.accounting_period p ON p.id = t.period_id
LEFT JOIN elecbill.ledger_transfer u ON u.id = t.reverses_id
WHERE coalesce(u.kind, t.kind) IN ('issue', 'tax') AND t.bill_id IS NOT NULL
GROUP BY t.bill_id, t.reverses_id IS NULL
UNION ALL
-- nothing is booked of a bill over 0.00, but it has energy
SELECT b.id, 1, date_trunc('month', b.issued_at AT TIME ZONE o.zone)::date
FROM elecbill.bill b JOIN elecbill.org o ON o.id = b.org_id
WHERE b.live AND b.number IS NOT NULL AND b.amount = 0 AND b.tax_amount = 0 AND b.kind <> 'opening';
COMMENT ON VIEW elecbill._bill_booked IS 'months of the books in which bills were issued (sign 1) and taken back (sign -1)';
COMMENT ON COLUMN elecbill._bill_booked.bill_id IS 'the bill';
COMMENT ON COLUMN elecbill._bill_booked.sign IS '1 issued, -1 taken back';
COMMENT ON COLUMN elecbill._bill_booked.month IS 'first local day of the month of the books';

CREATE VIEW elecbill._revenue_line WITH (security_invoker = true) AS
SELECT o.code AS org, x.month, coalesce(t.code, '-') AS tariff, l.component, l.kind,
	CASE WHEN l.tier > 0 THEN l.tier::text ELSE '-' END AS tier, coalesce(l.period, '-') AS period, coalesce(l.unit, '-') AS unit,
	x.sign * l.quantity AS quantity, CASE WHEN elecbill._is_tax(l.kind, l.grp) THEN 0 ELSE x.sign * l.amount END AS amount,
	CASE WHEN elecbill._is_tax(l.kind, l.grp) THEN x.sign * l.amount ELSE 0 END AS tax
FROM elecbill._bill_booked x
JOIN elecbill.bill_line l ON l.bill_id = x.bill_id
JOIN elecbill.org o ON o.id = l.org_id
LEFT JOIN elecbill.tariff_version v ON v.id = l.tariff_version_id
LEFT JOIN elecbill.tariff_plan t ON t.id = v.tariff_plan_id;
COMMENT ON VIEW elecbill._revenue_line IS 'lines of issued bills, and once more with the other sign when the bill was taken back';
COMMENT ON COLUMN elecbill._revenue_line.org IS 'code of the org';
COMMENT ON COLUMN elecbill._revenue_line.month IS 'first local day of the month of the books';
COMMENT ON COLUMN elecbill._revenue_line.tariff IS 'code of the tariff plan; - for a line that no tariff made';
COMMENT ON COLUMN elecbill._revenue_line.component IS 'code of the component';
COMMENT ON COLUMN elecbill._revenue_line.kind IS 'kind of the component';
COMMENT ON COLUMN elecbill._revenue_line.tier IS 'tier, from 1; - for none';
COMMENT ON COLUMN elecbill._revenue_line.period IS 'time-of-use period; - for none';
COMMENT ON COLUMN elecbill._revenue_line.unit IS 'unit of quantity; - for none';
COMMENT ON COLUMN elecbill._revenue_line.quantity IS 'how much';
COMMENT ON COLUMN elecbill._revenue_line.amount IS 'amount of a line that is no tax';
COMMENT ON COLUMN elecbill._revenue_line.tax IS 'amount of a line that is tax';

CREATE VIEW elecbill.revenue_by_tier WITH (security_invoker = true) AS
SELECT l.org, l.month, l.tariff, l.component, l.kind, l.tier, l.unit, sum(l.quantity) AS quantity, sum(l.amount) AS amount, sum(l.tax) AS tax
FROM elecbill._revenue_line l
GROUP BY l.org, l.month, l.tariff, l.component, l.kind, l.tier, l.unit;
COMMENT ON VIEW elecbill.revenue_by_tier IS
'what was earned in each month of the books by tariff, component and tier; bills taken back are taken off in the month in which that happened. A month adds up to revenue and output tax of trial_balance but for what was booked by hand';
COMMENT ON COLUMN elecbill.revenue_by_tier.org IS 'code of the org';
COMMENT ON COLUMN elecbill.revenue_by_tier.month IS 'first local day of the month of the books';
COMMENT ON COLUMN elecbill.revenue_by_tier.tariff IS 'code of the tariff plan; - for a line that no tariff made, such as a correction';
COMMENT ON COLUMN elecbill.revenue_by_tier.component IS 'code of the component';
COMMENT ON COLUMN elecbill.revenue_by_tier.kind IS 'kind of the component; vat for tax';
COMMENT ON COLUMN elecbill.revenue_by_tier.tier IS 'tier, from 1; - where the component has none';
COMMENT ON COLUMN elecbill.revenue_by_tier.unit IS 'unit of quantity';
COMMENT ON COLUMN elecbill.revenue_by_tier.quantity IS 'how much, in unit; components charge the same kWh again, so add it up within one only';
COMMENT ON COLUMN elecbill.revenue_by_tier.amount IS 'without tax, in the currency of the org';
COMMENT ON COLUMN elecbill.revenue_by_tier.tax IS 'tax';

CREATE VIEW elecbill.revenue_by_tou WITH (security_invoker = true) AS
SELECT l.org, l.month, l.tariff, l.component, l.kind, l.period, l.unit, sum(l.quantity) AS quantity, sum(l.amount) AS amount, sum(l.tax) AS tax
FROM elecbill._revenue_line l
GROUP BY l.org, l.month, l.tariff, l.component, l.kind, l.period, l.unit;
COMMENT ON VIEW elecbill.revenue_by_tou IS 'what was earned in each month of the books by tariff, component and time-of-use period; counted as in revenue_by_tier';
COMMENT ON COLUMN elecbill.revenue_by_tou.org IS 'code of the org';
COMMENT ON COLUMN elecbill.revenue_by_tou.month IS 'first local day of the month of the books';
COMMENT ON COLUMN elecbill.revenue_by_tou.tariff IS 'code of the tariff plan; - for a line that no tariff made, such as a correction';
COMMENT ON COLUMN elecbill.revenue_by_tou.component IS 'code of the component';
COMMENT ON COLUMN elecbill.revenue_by_tou.kind IS 'kind of the component; vat for tax';
COMMENT ON COLUMN elecbill.revenue_by_tou.period IS 'time-of-use period; - where the line has none';
COMMENT ON COLUMN elecbill.revenue_by_tou.unit IS 'unit of quantity';
COMMENT ON COLUMN elecbill.revenue_by_tou.quantity IS 'how much, in unit; components charge the same kWh again, so add it up within one only';
COMMENT ON COLUMN elecbill.revenue_by_tou.amount IS 'without tax, in the currency of the org';
COMMENT ON COLUMN elecbill.revenue_by_tou.tax IS 'tax';

CREATE VIEW elecbill.tou_check WITH (security_invoker = true) AS
SELECT o.code AS org, b.number, b.id AS bill_id, a.account_no, u.code AS usage_point, d.meters, d.register, d.period,
	d.meter_kwh, coalesce(l.energy_kwh, 0) AS billed_kwh, d.meter_kwh - coalesce(l.energy_kwh, 0) AS difference, d.lsb_kwh,
	abs(d.meter_kwh - coalesce(l.energy_kwh, 0)) <= d.lsb_kwh AS agrees
FROM (
	-- what the tariff registers of the meters counted between the readings that the bill rests on
	SELECT s.bill_id, s.agreement_id, s.usage_point_id, g.code AS register, p.period, string_agg(DISTINCT m.serial, ', ') AS meters,
		CASE WHEN count(*) = count(e.wh) THEN sum(e.wh * s.multiplier) * 0.001 END AS meter_kwh,
		sum(s.multiplier * 10::numeric ^ -y.decimals) AS lsb_kwh
	FROM elecbill.bill_segment s
	JOIN elecbill.meter_register q ON q.id = s.register_id
	JOIN elecbill.meter m ON m.id = q.meter_id
	JOIN elecbill.meter_model y ON y.id = m.model_id
	JOIN elecbill.meter_register g ON g.meter_id = m.id AND g.direction = 'import' AND g.tou > 0
	JOIN (VALUES (1, 'sharp'), (2, 'peak'), (3, 'flat'), (4, 'valley'), (5, 'deep_valley')) AS p(tou, period) ON p.tou = g.tou
	LEFT JOIN elecbill.reading_effective f ON f.register_id = g.id AND f.read_at = s.start_at
	LEFT JOIN elecbill.reading_effective t ON t.register_id = g.id AND t.read_at = s.end_at
	CROSS JOIN LATERAL (SELECT elecbill.register_delta(f.register_wh, t.register_wh, g.wrap_wh, g.wrap_wh / 10)) AS e(wh)
	GROUP BY s.bill_id, s.agreement_id, s.usage_point_id, g.code, p.period) AS d
JOIN elecbill.bill b ON b.id = d.bill_id AND b.live
JOIN elecbill.org o ON o.id = b.org_id
JOIN elecbill.customer_account a ON a.id = b.account_id
JOIN elecbill.usage_point u ON u.id = d.usage_point_id
-- of several components that charge energy by period, the first says how it was split
JOIN LATERAL (
	SELECT x.component FROM elecbill.bill_line x JOIN elecbill.bill_segment z ON z.id = x.segment_id
	WHERE x.bill_id = d.bill_id AND z.agreement_id = d.agreement_id AND x.kind = 'energy' AND x.unit = 'kwh' AND x.period IS NOT NULL
	ORDER BY x.n LIMIT 1) AS c ON true
LEFT JOIN LATERAL (
	SELECT sum(x.quantity) AS energy_kwh FROM elecbill.bill_line x JOIN elecbill.bill_segment z ON z.id = x.segment_id
	WHERE x.bill_id = d.bill_id AND z.agreement_id = d.agreement_id AND x.component = c.component AND x.period = d.period) AS l ON true;
COMMENT ON VIEW elecbill.tou_check IS
'energy by period, as bills have it and as the tariff registers of the meter (1.8.1 sharp, 1.8.2 peak, 1.8.3 flat, 1.8.4 valley, 1.8.5 deep valley) counted it between the same readings; WHERE NOT agrees lists what is more than one last place apart. Meters are read only: nothing here or elsewhere writes their clocks or tables';
COMMENT ON COLUMN elecbill.tou_check.org IS 'code of the org';
COMMENT ON COLUMN elecbill.tou_check.number IS 'number of the bill; NULL for a draft';
COMMENT ON COLUMN elecbill.tou_check.bill_id IS 'key of the bill, also of a draft';
COMMENT ON COLUMN elecbill.tou_check.account_no IS 'account number';
COMMENT ON COLUMN elecbill.tou_check.usage_point IS 'code of the usage point';
COMMENT ON COLUMN elecbill.tou_check.meters IS 'serial of the meter; several when it was exchanged';
COMMENT ON COLUMN elecbill.tou_check.register IS 'OBIS code of the tariff register';
COMMENT ON COLUMN elecbill.tou_check.period IS 'the period it counts';
COMMENT ON COLUMN elecbill.tou_check.meter_kwh IS 'what it counted, primary side; NULL: not read at the same instants';
COMMENT ON COLUMN elecbill.tou_check.billed_kwh IS 'what was billed';
COMMENT ON COLUMN elecbill.tou_check.difference IS 'meter less bill';
COMMENT ON COLUMN elecbill.tou_check.lsb_kwh IS 'one last place of the register, primary side';
COMMENT ON COLUMN elecbill.tou_check.agrees IS 'not more than that apart; NULL: not read';
