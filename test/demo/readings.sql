-- readings.sql: a month of quarter hours for every meter of the estate, through the collector's door
-- Deterministic: energy follows from meter and slot. The reading of the last midnight is left to the
-- collector where the meter speaks DL/T 645: it keeps a daily freeze.
SELECT elecbill.partition_maintain(3, :'opened');
SELECT elecbill.collector_create('garden', 'gateway-1', :'collector') IS NOT NULL AS collector;

CREATE TEMP TABLE demo_reading AS
WITH slot AS (
	SELECT n, :'opened'::date::timestamp AT TIME ZONE 'Asia/Shanghai' + n * interval '15 minutes' AS ends,
		(:'opened'::date::timestamp + (n - 1) * interval '15 minutes')::time AS clock
	FROM generate_series(1, (:'closed'::date - :'opened'::date) * 96) AS n
), meter AS (
	SELECT m.serial, m.model_id, r.wrap_wh, l.register_wh AS first_wh, d.protocol,
		-- Wh a quarter hour by day and by night; the villa of 10007 heats with electricity
		CASE m.serial WHEN '202611000401' THEN 1650 WHEN 'SHOP-01' THEN 70 WHEN 'PILE-01' THEN 900
			WHEN '202611000102' THEN 40 WHEN '202611000201' THEN 190 ELSE 95 END AS wh,
		row_number() OVER (ORDER BY m.serial) AS k
	FROM elecbill.meter m JOIN elecbill.meter_model d ON d.id = m.model_id
	JOIN elecbill.meter_register r ON r.meter_id = m.id AND r.code = '1.8.0'
	JOIN elecbill.reading_latest l ON l.register_id = r.id
), interval_value AS (
	SELECT serial, n, ends, protocol, wrap_wh, first_wh,
		(wh * CASE WHEN clock >= '18:00' AND clock < '23:00' THEN 18 WHEN clock >= '07:00' THEN 10 ELSE 4 END
			* (50 + abs(hashtextextended(serial || '/' || n, 1)) % 101) / 1000)::bigint AS wh
	FROM meter, slot
)
SELECT serial, n, ends, protocol,
	-- what the display shows: a DL/T 645 meter has two decimals
	(first_wh + CASE protocol WHEN 'dlt645' THEN sum(wh) OVER w / 10 * 10 ELSE sum(wh) OVER w END) % wrap_wh AS register_wh,
	0 AS quality
FROM interval_value WINDOW w AS (PARTITION BY serial ORDER BY n);

-- what the meters hold at the last midnight, for the simulators
CREATE TABLE demo_freeze AS
SELECT serial, register_wh FROM demo_reading WHERE n = (SELECT max(n) FROM demo_reading);

-- fault: the meter of R-0501 lost its clock for six hours; the collector flagged the first value behind the gap
DELETE FROM demo_reading WHERE serial = '202611000501' AND n BETWEEN 1000 AND 1023;
UPDATE demo_reading SET quality = 512 WHERE serial = '202611000501' AND n = 1024;
-- fault: the register of R-0502 falls back by 100 kWh
UPDATE demo_reading SET register_wh = register_wh - 100000 WHERE serial = '202611000502' AND n >= 1500;
UPDATE demo_freeze SET register_wh = register_wh - 100000 WHERE serial = '202611000502';
DELETE FROM demo_reading WHERE protocol = 'dlt645' AND n = (SELECT max(n) FROM demo_reading);

CREATE TEMP TABLE demo_ingest AS
SELECT i.*
FROM (SELECT min(seq) AS first_seq, array_agg(serial ORDER BY seq) AS meters, array_agg('1.8.0'::text) AS registers,
		array_agg(ends ORDER BY seq) AS read_at, array_agg(register_wh / 1000.0 ORDER BY seq) AS kwh,
		array_agg(quality ORDER BY seq) AS quality, array_agg(NULL::timestamptz) AS meter_at
	  FROM (SELECT d.*, row_number() OVER (ORDER BY n, serial) AS seq FROM demo_reading d) AS d
	  GROUP BY (seq - 1) / 5000) AS b,
	elecbill.ingest(:'collector', b.first_seq, b.meters, b.registers, b.read_at, b.kwh, b.quality, b.meter_at) AS i;
SELECT sum(accepted) AS accepted, sum(duplicate) AS duplicate, sum(conflict) AS conflict, sum(rejected) AS rejected FROM demo_ingest;

-- faults: a row once more, another value for it, one from the future, one of a meter nobody knows
SELECT i.accepted, i.duplicate, i.conflict, i.rejected FROM elecbill.collector c,
	(SELECT * FROM demo_reading WHERE serial = 'PILE-01' ORDER BY n DESC LIMIT 1) AS d,
	elecbill.ingest(:'collector', c.acked_seq + 1, ARRAY['PILE-01', 'PILE-01', 'PILE-01', 'GHOST-9'],
	array_fill('1.8.0'::text, '{4}'), ARRAY[d.ends, d.ends, now() + interval '1 day', d.ends],
	ARRAY[d.register_wh / 1000.0, d.register_wh / 1000.0 + 1, 99999, 1], '{0,0,0,0}', array_fill(NULL::timestamptz, '{4}')) AS i
WHERE c.id = :'collector';
