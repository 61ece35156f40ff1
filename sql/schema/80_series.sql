-- 80_series.sql: time series in the form that dashboards ask for: time, metric, value
-- In Grafana: SELECT time, metric, value FROM elecbill.series_day
--   WHERE $__timeFilter(time) AND org = '$org' AND point = '$point' ORDER BY 1
-- Over all points, say also AND day >= $__timeFrom()::date - 1: days are how profiles are partitioned.

CREATE VIEW elecbill.series_power WITH (security_invoker = true) AS
SELECT v.from_at AS time, v.direction || ' kW' AS metric,
	round(v.energy_wh * 3.6 / extract(epoch FROM v.to_at - v.from_at), 3) AS value, v.org, v.usage_point AS point
FROM elecbill.interval_usage v
WHERE v.energy_wh IS NOT NULL AND v.register IN ('1.8.0', '2.8.0');
COMMENT ON VIEW elecbill.series_power IS 'mean power of each interval; of one point at a time, since it reads all that is known of it';
COMMENT ON COLUMN elecbill.series_power.time IS 'start of the interval';
COMMENT ON COLUMN elecbill.series_power.metric IS 'import kW or export kW';
COMMENT ON COLUMN elecbill.series_power.value IS 'kW, primary side';
COMMENT ON COLUMN elecbill.series_power.org IS 'code of the org';
COMMENT ON COLUMN elecbill.series_power.point IS 'code of the usage point';

CREATE VIEW elecbill.series_day WITH (security_invoker = true) AS
SELECT elecbill.day_start(p.day, o.zone) AS time, elecbill.profile_direction(p.profile) || ' kWh' AS metric,
	elecbill.profile_sum(p.profile) * 0.001 AS value, o.code AS org, u.code AS point, p.day
FROM elecbill.profile_day p
JOIN elecbill.org o ON o.id = p.org_id
JOIN elecbill.usage_point u ON u.id = p.usage_point_id
WHERE p.direction IN (0, 1);
COMMENT ON VIEW elecbill.series_day IS 'energy of each packed local day, as far as measured; of one point or of all: reads the profiles, not the readings';
COMMENT ON COLUMN elecbill.series_day.time IS 'start of the local day';
COMMENT ON COLUMN elecbill.series_day.metric IS 'import kWh or export kWh';
COMMENT ON COLUMN elecbill.series_day.value IS 'kWh, primary side';
COMMENT ON COLUMN elecbill.series_day.org IS 'code of the org';
COMMENT ON COLUMN elecbill.series_day.point IS 'code of the usage point';
COMMENT ON COLUMN elecbill.series_day.day IS 'the local day; a range of it, beside that of time, makes a query over many points faster';

CREATE VIEW elecbill.series_money WITH (security_invoker = true) AS
SELECT elecbill.day_start(x.day, o.zone) AS time, m.metric, m.value, o.code AS org, NULL::text AS point
FROM (
	SELECT d.org_id, d.day, d.billed, d.received, sum(d.owed) OVER (PARTITION BY d.org_id ORDER BY d.day) AS receivable
	FROM (
		SELECT t.org_id, t.effective_on AS day,
			-coalesce(sum(s.amount) FILTER (WHERE l.code IN ('revenue', 'output_tax')), 0) AS billed,
			coalesce(sum(s.amount) FILTER (WHERE l.code IN ('cash', 'bank') OR l.code LIKE 'clearing:%'), 0) AS received,
			coalesce(sum(s.amount) FILTER (WHERE l.code LIKE 'receivable:%'), 0) AS owed
		FROM elecbill.ledger_transfer t
		CROSS JOIN LATERAL (VALUES (t.debit_id, t.amount), (t.credit_id, -t.amount)) AS s(id, amount)
		JOIN elecbill.ledger_account l ON l.id = s.id
		WHERE t.stage IN ('single', 'post')
		GROUP BY t.org_id, t.effective_on) AS d) AS x
JOIN elecbill.org o ON o.id = x.org_id
CROSS JOIN LATERAL (VALUES ('billed', x.billed), ('received', x.received), ('receivable', x.receivable)) AS m(metric, value);
COMMENT ON VIEW elecbill.series_money IS 'money of each local day on which something was booked, from the ledger';
COMMENT ON COLUMN elecbill.series_money.time IS 'start of the local day';
COMMENT ON COLUMN elecbill.series_money.metric IS
'billed: revenue and tax of the day, bills taken back off; received: cash, bank and channels, what was paid back off; receivable: what all customers owe on their bills at its end';
COMMENT ON COLUMN elecbill.series_money.value IS 'in the currency of the org';
COMMENT ON COLUMN elecbill.series_money.org IS 'code of the org';
COMMENT ON COLUMN elecbill.series_money.point IS 'NULL: money has no usage point';
