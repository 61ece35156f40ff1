-- oracle.sql: what the London homes must be billed, in slow exact numeric SQL
-- In:  london.raw(home, at, kwh) as published; stamps are UTC, the start of a half hour.
-- Out: london.expected_reading (what to send), london.expected_line (what the bill must say).
-- Shares no code with the engine: the wall clock comes from AT TIME ZONE, money from numeric.

-- The running total is rounded to the Wh at each boundary, never the interval; after a gap a
-- restart reading (flag 512) repeats the total, because the difference over the gap is unknown.
CREATE TABLE london.half_hour AS
SELECT home, at, at + interval '30 minutes' AS until,
	   at IS DISTINCT FROM lag(at) OVER w + interval '30 minutes' AS after_gap,
	   round(sum(kwh) OVER w * 1000) AS total_wh,
	   round((sum(kwh) OVER w - kwh) * 1000) AS before_wh
FROM london.raw
WINDOW w AS (PARTITION BY home ORDER BY at);

CREATE TABLE london.expected_reading AS
SELECT home, until AS at, total_wh, 0 AS quality FROM london.half_hour
UNION ALL
SELECT home, at, before_wh, 512 FROM london.half_hour WHERE after_gap;

-- Each half hour lies in one or two quarter hours of one period each: every boundary of the
-- tariff below stands at a quarter hour, so halves are cut by hand (cumulative, half-up, 1e-6 kWh).
CREATE TABLE london.quarter AS
SELECT home, at + q * interval '15 minutes' AS at,
	   CASE q WHEN 0 THEN round((total_wh - before_wh) / 1000 / 2, 6)
		      ELSE (total_wh - before_wh) / 1000 - round((total_wh - before_wh) / 1000 / 2, 6) END AS kwh
FROM london.half_hour, generate_series(0, 1) AS q;

CREATE TABLE london.local_quarter AS
SELECT home, kwh, date_trunc('month', wall)::date AS month,
	   CASE WHEN isodow <= 5 AND minute >= 16 * 60 AND minute < 19 * 60 + 45 THEN 'peak'
			WHEN minute >= 23 * 60 + 15 OR minute < 6 * 60 + 45 THEN 'valley'
			ELSE 'flat' END AS period
FROM (SELECT home, kwh, at AT TIME ZONE 'Europe/London' AS wall FROM london.quarter) AS q,
	 LATERAL (SELECT extract(isodow FROM wall) AS isodow,
					 extract(hour FROM wall) * 60 + extract(minute FROM wall) AS minute) AS clock;

-- Tier tariff: 100/250/400 kWh a month at 0.12/0.145/0.17, above 0.2 GBP; standing charge 0.2568
-- a day; VAT 5 %. Seven days fewer for the home that leaves are handled by served_days.
CREATE TABLE london.month AS
SELECT home, month, sum(kwh) AS kwh,
	   CASE WHEN home = 'MAC000008' AND month = '2013-10-01' THEN 30
			ELSE (month + interval '1 month')::date - month END AS served_days
FROM london.local_quarter GROUP BY home, month;

CREATE TABLE london.expected_line AS
WITH tier (tier, low, high, price) AS (
	VALUES (1, 0.0, 100.0, 0.12), (2, 100.0, 250.0, 0.145), (3, 250.0, 400.0, 0.17), (4, 400.0, 1e9, 0.2)
), energy AS (
	SELECT home, 'LDN-TIER' AS tariff, month, 'energy' AS component, NULL::text AS period, tier,
		   least(kwh, high) - low AS quantity, round((least(kwh, high) - low) * price, 2) AS amount
	FROM london.month, tier WHERE kwh > low
	UNION ALL
	SELECT home, 'LDN-TOU', month, 'energy', period, 0, sum(kwh),
		   round(sum(kwh) * CASE period WHEN 'peak' THEN 0.2483 WHEN 'flat' THEN 0.1401 ELSE 0.0765 END, 2)
	FROM london.local_quarter GROUP BY home, month, period
), base AS (
	SELECT * FROM energy
	UNION ALL
	SELECT home, tariff, month, 'standing', NULL, 0, served_days, round(served_days * 0.2568, 2)
	FROM london.month, (VALUES ('LDN-TIER'), ('LDN-TOU')) AS t (tariff)
)
SELECT * FROM base
UNION ALL
SELECT home, tariff, month, 'vat', NULL, 0, sum(amount), round(sum(amount) * 0.05, 2)
FROM base GROUP BY home, tariff, month;
