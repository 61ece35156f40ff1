-- dtou.sql: the dynamic time-of-use schedule of the London trial as a price series
-- In:  london.raw (oracle.sql), london.schedule(at, band) as published: every half hour of 2013, UTC.
-- Out: london.series_bill(way, basis, home, month, kwh, pounds_raw, pounds), a row per home and month as the engine
--      rates it: by points of a series, and with the price as a column of the rows; london.series_exact, the
--      same in plain numeric.

-- Pounds per kWh: 67.20, 11.76 and 3.99 pence
CREATE TABLE london.half_hour_price AS
SELECT at, CASE band WHEN 'High' THEN 0.672 WHEN 'Normal' THEN 0.1176 WHEN 'Low' THEN 0.0399 END AS price FROM london.schedule;

-- Some values have seven decimals: they are rounded on the running total, never one by one.
CREATE TABLE london.series_row AS
SELECT r.home, r.at, tstzrange(r.at, r.at + interval '30 minutes') AS during, p.price, scale(trim_scale(r.kwh)) > 6 AS cut,
	   round(sum(r.kwh) OVER w, 6) - round(sum(r.kwh) OVER w - r.kwh, 6) AS kwh
FROM london.raw AS r JOIN london.half_hour_price AS p USING (at)
WHERE r.home IN (SELECT home FROM london.published_month WHERE kind = 'ToU')
WINDOW w AS (PARTITION BY r.home ORDER BY r.at);

CREATE TABLE london.series_tariff AS
SELECT way, basis, jsonb_build_object('elecbill', 1, 'code', way, 'currency', 'GBP', 'zone', basis, 'series', jsonb_build_object('dtou', points),
	'components', '[{"code": "energy", "kind": "energy", "price": {"series": "dtou"}}]'::jsonb)::elecbill.tariff AS tariff
FROM (VALUES ('UTC'), ('Europe/London')) AS z (basis), (
	SELECT 'points' AS way, jsonb_agg(jsonb_build_array(to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), price) ORDER BY at) AS points
	FROM (SELECT at, price, lag(price) OVER (ORDER BY at) AS before FROM london.half_hour_price) AS p WHERE price IS DISTINCT FROM before
	UNION ALL SELECT 'usage', '"usage"') AS s;

CREATE TABLE london.series_bill AS
SELECT t.way, t.basis, u.home, u.month, l.quantity AS kwh, l.amount_raw AS pounds_raw, l.amount AS pounds
FROM london.series_tariff AS t, LATERAL (
	SELECT home, to_char(at AT TIME ZONE t.basis, 'YYYY-MM') AS month, elecbill.usage(t.tariff, during, kwh, price ORDER BY md5(at::text)) AS usage
	FROM london.series_row GROUP BY 1, 2) AS u, elecbill.rate(t.tariff, u.usage) AS l;

CREATE TABLE london.series_exact AS
SELECT basis, home, to_char(at AT TIME ZONE basis, 'YYYY-MM') AS month, sum(kwh) AS kwh, sum(kwh * price) AS pounds_raw, bool_or(cut) AS cut
FROM london.series_row, (VALUES ('UTC'), ('Europe/London')) AS z (basis) GROUP BY 1, 2, 3;
