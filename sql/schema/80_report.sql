-- 80_report.sql: energy by the hour, and what the bills say together: arrears, collection, the largest users
-- Money here is that of the bills; test/report.sql holds it against the ledger.

CREATE VIEW elecbill.usage_hourly WITH (security_invoker = true) AS
SELECT x.org_id, x.org, x.usage_point, x.register, x.direction, x.from_at,
	coalesce(sum(x.energy_wh), 0) * 0.001 AS energy_kwh,
	coalesce(sum(x.to_at - x.start_at) FILTER (WHERE x.energy_wh IS NOT NULL), '0') = interval '1 hour' AS complete,
	bit_or(x.quality) AS quality
FROM (SELECT v.org_id, v.org, v.usage_point, v.register, v.direction, v.energy_wh, v.quality, v.from_at AS start_at, v.to_at,
		date_bin('1 hour', v.from_at, elecbill.day_start((v.from_at AT TIME ZONE o.zone)::date, o.zone)) AS from_at
	FROM elecbill.interval_usage v JOIN elecbill.org o ON o.id = v.org_id) AS x
WHERE x.to_at <= x.from_at + interval '1 hour'
GROUP BY x.org_id, x.org, x.usage_point, x.register, x.direction, x.from_at;
COMMENT ON VIEW elecbill.usage_hourly IS
'energy per usage point, register and hour, counted from local midnight, from the intervals that lie within the hour; a longer one belongs to no hour. Filter by usage_point for speed';
COMMENT ON COLUMN elecbill.usage_hourly.org_id IS 'owner';
COMMENT ON COLUMN elecbill.usage_hourly.org IS 'code of the org';
COMMENT ON COLUMN elecbill.usage_hourly.usage_point IS 'code of the usage point';
COMMENT ON COLUMN elecbill.usage_hourly.register IS 'OBIS code; 1.8.0 = total import';
COMMENT ON COLUMN elecbill.usage_hourly.direction IS 'import or export';
COMMENT ON COLUMN elecbill.usage_hourly.from_at IS 'start of the hour';
COMMENT ON COLUMN elecbill.usage_hourly.energy_kwh IS 'kWh, primary side, as far as covered';
COMMENT ON COLUMN elecbill.usage_hourly.complete IS 'the whole hour is covered';
COMMENT ON COLUMN elecbill.usage_hourly.quality IS 'flags of all intervals, as in reading.quality';

CREATE VIEW elecbill.arrears_aging WITH (security_invoker = true) AS
SELECT o.code AS org, a.account_no, c.name AS customer, c.kind, count(*) AS bills, min(b.due_on) AS oldest_due_on,
	coalesce(sum(x.open) FILTER (WHERE x.days <= 0), 0) AS not_due,
	coalesce(sum(x.open) FILTER (WHERE x.days BETWEEN 1 AND 30), 0) AS days_1_30,
	coalesce(sum(x.open) FILTER (WHERE x.days BETWEEN 31 AND 60), 0) AS days_31_60,
	coalesce(sum(x.open) FILTER (WHERE x.days BETWEEN 61 AND 90), 0) AS days_61_90,
	coalesce(sum(x.open) FILTER (WHERE x.days BETWEEN 91 AND 365), 0) AS days_91_365,
	coalesce(sum(x.open) FILTER (WHERE x.days > 365), 0) AS days_over_365,
	sum(b.late_fee) AS late_fee, sum(x.open + b.late_fee) AS total
FROM elecbill.bill b
JOIN elecbill.org o ON o.id = b.org_id
JOIN elecbill.customer_account a ON a.id = b.account_id
JOIN elecbill.customer c ON c.id = a.customer_id
CROSS JOIN LATERAL (SELECT b.amount - b.paid AS open, (elecbill.now() AT TIME ZONE o.zone)::date - b.due_on AS days) AS x
WHERE b.status IN ('issued', 'partly_paid', 'overdue') AND b.amount <> 0 OR b.status = 'paid' AND b.late_fee > 0
GROUP BY o.code, a.id, a.account_no, c.name, c.kind;
COMMENT ON VIEW elecbill.arrears_aging IS
'what is open of the issued bills of each account today, by days past their due dates; its total is the receivable of the ledger unless somebody booked there by hand';
COMMENT ON COLUMN elecbill.arrears_aging.org IS 'code of the org';
COMMENT ON COLUMN elecbill.arrears_aging.account_no IS 'account number';
COMMENT ON COLUMN elecbill.arrears_aging.customer IS 'name of the customer';
COMMENT ON COLUMN elecbill.arrears_aging.kind IS 'person or company';
COMMENT ON COLUMN elecbill.arrears_aging.bills IS 'open bills';
COMMENT ON COLUMN elecbill.arrears_aging.oldest_due_on IS 'earliest due date of them, a local day';
COMMENT ON COLUMN elecbill.arrears_aging.not_due IS 'open and not past the due date, in the currency of the org, as all amounts here; late fees are a column of their own';
COMMENT ON COLUMN elecbill.arrears_aging.days_1_30 IS '1 to 30 days past the due date';
COMMENT ON COLUMN elecbill.arrears_aging.days_31_60 IS '31 to 60 days';
COMMENT ON COLUMN elecbill.arrears_aging.days_61_90 IS '61 to 90 days';
COMMENT ON COLUMN elecbill.arrears_aging.days_91_365 IS '91 to 365 days';
COMMENT ON COLUMN elecbill.arrears_aging.days_over_365 IS 'more';
COMMENT ON COLUMN elecbill.arrears_aging.late_fee IS 'late fees charged and not paid';
COMMENT ON COLUMN elecbill.arrears_aging.total IS 'all of it';

CREATE VIEW elecbill.collection_rate WITH (security_invoker = true) AS
SELECT o.code AS org, x.month, sum(x.bills) AS bills, sum(x.issued) AS issued, sum(x.paid) AS paid, sum(x.written_off) AS written_off,
	sum(x.issued) - sum(x.paid) - sum(x.written_off) AS open,
	CASE WHEN sum(x.issued) > 0 THEN round(100 * sum(x.paid) / sum(x.issued), 2) END AS rate, sum(x.received) AS received
FROM (
	SELECT b.org_id, date_trunc('month', b.issued_at AT TIME ZONE o.zone)::date AS month, 1 AS bills, b.amount AS issued, b.paid,
		CASE b.status WHEN 'written_off' THEN b.amount - b.paid ELSE 0 END AS written_off, 0::numeric AS received
	FROM elecbill.bill b JOIN elecbill.org o ON o.id = b.org_id
	WHERE b.live AND b.number IS NOT NULL
	UNION ALL
	SELECT p.org_id, date_trunc('month', p.paid_at AT TIME ZONE o.zone)::date, 0, 0, 0, 0, p.amount
	FROM elecbill.payment p JOIN elecbill.org o ON o.id = p.org_id
	WHERE p.state <> 'reversed') AS x
JOIN elecbill.org o ON o.id = x.org_id
GROUP BY o.code, x.month;
COMMENT ON VIEW elecbill.collection_rate IS
'how much of the bills that were issued in a month is paid by now, and what money came in in the month, whatever it was for; cancelled bills and reversed payments are left out';
COMMENT ON COLUMN elecbill.collection_rate.org IS 'code of the org';
COMMENT ON COLUMN elecbill.collection_rate.month IS 'first local day of the month in which the bills were issued';
COMMENT ON COLUMN elecbill.collection_rate.bills IS 'how many bills';
COMMENT ON COLUMN elecbill.collection_rate.issued IS 'their amounts, in the currency of the org';
COMMENT ON COLUMN elecbill.collection_rate.paid IS 'what is paid of them by now, in whatever month; late fees are not in it';
COMMENT ON COLUMN elecbill.collection_rate.written_off IS 'what was given up of them';
COMMENT ON COLUMN elecbill.collection_rate.open IS 'what is open of them, without late fees';
COMMENT ON COLUMN elecbill.collection_rate.rate IS 'paid in percent of issued; NULL: nothing was issued';
COMMENT ON COLUMN elecbill.collection_rate.received IS 'payments of the month over all channels, refunds not taken off';

CREATE VIEW elecbill.top_users WITH (security_invoker = true) AS
SELECT x.org, x.month, rank() OVER (PARTITION BY x.org, x.month ORDER BY x.energy_kwh DESC) AS place,
	x.account_no, x.customer, x.kind, x.energy_kwh, x.amount,
	CASE WHEN sum(x.energy_kwh) OVER m > 0 THEN round(100 * x.energy_kwh / sum(x.energy_kwh) OVER m, 2) END AS share
FROM (
	SELECT o.code AS org, date_trunc('month', lower(b.service)::timestamp)::date AS month, a.account_no, c.name AS customer, c.kind,
		sum(coalesce(s.energy_wh, 0)) * 0.001 AS energy_kwh, sum(b.amount) AS amount
	FROM elecbill.bill b
	JOIN elecbill.org o ON o.id = b.org_id
	JOIN elecbill.customer_account a ON a.id = b.account_id
	JOIN elecbill.customer c ON c.id = a.customer_id
	LEFT JOIN LATERAL (SELECT sum(y.energy_wh) AS energy_wh FROM elecbill.bill_segment y WHERE y.bill_id = b.id) AS s ON true
	WHERE b.live AND b.number IS NOT NULL AND b.kind IN ('regular', 'final')
	GROUP BY o.code, 2, a.id, a.account_no, c.name, c.kind) AS x
WINDOW m AS (PARTITION BY x.org, x.month);
COMMENT ON VIEW elecbill.top_users IS 'accounts by the energy of their issued bills, the largest first; WHERE place <= 10 for the ten largest of each month';
COMMENT ON COLUMN elecbill.top_users.org IS 'code of the org';
COMMENT ON COLUMN elecbill.top_users.month IS 'first local day of the month in which the billed days begin';
COMMENT ON COLUMN elecbill.top_users.place IS '1: the largest of the month';
COMMENT ON COLUMN elecbill.top_users.account_no IS 'account number';
COMMENT ON COLUMN elecbill.top_users.customer IS 'name of the customer';
COMMENT ON COLUMN elecbill.top_users.kind IS 'person or company';
COMMENT ON COLUMN elecbill.top_users.energy_kwh IS 'billed kWh, primary side';
COMMENT ON COLUMN elecbill.top_users.amount IS 'billed amount, in the currency of the org';
COMMENT ON COLUMN elecbill.top_users.share IS 'percent of the energy billed for the month';
