-- estate.sql: six homes, each once on the tier tariff (T-) and once on the time-of-use tariff (U-)
-- In: psql variables ldn_tier, ldn_tou (tariffs.sql); london.expected_reading (oracle.sql).
SELECT elecbill.org_create('LDN', 'London homes', 'Europe/London', 'GBP');
SELECT elecbill.partition_maintain(0, '2013-01-01') > 0 AS partitions;
SELECT elecbill.tariff_approve('LDN-TIER', elecbill.tariff_draft('LDN-TIER', '[2013-01-01,)', :'ldn_tier', 'writer'), 'checker');
SELECT elecbill.tariff_approve('LDN-TOU', elecbill.tariff_draft('LDN-TOU', '[2013-01-01,)', :'ldn_tou', 'writer'), 'checker');

SELECT line, column_name, code, message FROM elecbill.import_estate('LDN', convert_to((
	SELECT E'room,account_no,name,kind,meter_no,model,last_reading,last_read_at,tariff,interval_min,decimals\n'
		|| string_agg(format('%1$s,%1$s,%1$s,residential,%1$s,HH,0,2013-01-01,%2$s,30,3', kind || home, tariff), E'\n')
	FROM (SELECT DISTINCT home FROM london.raw) AS h, (VALUES ('T-', 'LDN-TIER'), ('U-', 'LDN-TOU')) AS t (kind, tariff)), 'UTF8'));

-- The meter of the home that leaves was taken down with its last reading; its agreement ends a day later.
UPDATE elecbill.meter_installation AS i SET valid = tstzrange(lower(i.valid), '2013-10-30 00:30+00')
FROM elecbill.meter AS m WHERE m.id = i.meter_id AND m.serial LIKE '_-MAC000008';
SELECT elecbill.agreement_end('LDN', kind || 'MAC000008', '2013-10-31') FROM unnest('{T-,U-}'::text[]) AS kind;

-- All readings by the collector's door, 5,000 a call; :order is the order in which they arrive.
SELECT elecbill.collector_create('LDN', 'LDN-1', '5f0c0b0e-0000-4000-8000-000000000001') IS NOT NULL AS collector;
SELECT sum(i.accepted) AS accepted, sum(i.duplicate) AS duplicate, sum(i.conflict) AS conflict, sum(i.rejected) AS rejected
FROM (
	SELECT min(n) AS first_seq, array_agg(meter ORDER BY n) AS meters, array_agg('1.8.0'::text) AS registers,
		array_agg(at ORDER BY n) AS ats, array_agg(total_wh / 1000 ORDER BY n) AS kwh,
		array_agg(quality ORDER BY n) AS qualities, array_agg(NULL::timestamptz) AS meter_at
	FROM (SELECT kind || home AS meter, at, total_wh, quality, row_number() OVER (ORDER BY :order) AS n
		  FROM london.expected_reading, unnest('{T-,U-}'::text[]) AS kind) AS r
	GROUP BY (n - 1) / 5000) AS b,
	elecbill.ingest('5f0c0b0e-0000-4000-8000-000000000001', b.first_seq, b.meters, b.registers, b.ats, b.kwh, b.qualities, b.meter_at) AS i;
