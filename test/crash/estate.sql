-- estate.sql: an estate to bill, with :homes homes and readings from January to March 2025
-- Every third home is on a tariff with periods, the others on yearly tiers; home 13 has a register
-- that runs backwards in February, home 17 has none until February. Always the same numbers.
\set ON_ERROR_STOP 1
SET client_min_messages = warning;
\o /dev/null
SELECT elecbill.org_create('SITE', 'Site');
SELECT elecbill.tariff_draft('YEAR', '[2024-01-01,)', '{"elecbill": 1, "currency": "CNY",
	"zone": "Asia/Shanghai", "components": [{"code": "energy", "kind": "energy",
	"tier": {"scope": "year", "steps": [{"up_to": 300, "price": 0.5}, {"up_to": 700, "price": 0.55},
		{"price": 0.8}]}}, {"code": "fee", "kind": "fixed", "price": 3.3}]}', 'ann');
SELECT elecbill.tariff_approve('YEAR', 1, 'bob');
SELECT elecbill.tariff_draft('TOU', '[2024-01-01,)', '{"elecbill": 1, "currency": "CNY",
	"zone": "Asia/Shanghai", "schedules": {"tou": [{"period": "peak", "spans": [["08:00", "22:00"]]},
		{"period": "valley"}]}, "components": [{"code": "energy", "kind": "energy",
	"price": {"period": {"peak": 0.568, "valley": 0.288}}}]}', 'ann');
SELECT elecbill.tariff_approve('TOU', 1, 'bob');
SELECT line, message FROM elecbill.import_estate('SITE', convert_to(
	E'room,account_no,name,kind,meter_no,model,last_reading,last_read_at,tariff,interval_min\n' || (
	SELECT string_agg(format('R-%1$s,A-%1$s,Name %1$s,residential,M-%1$s,DDS,100.000,2025-01-01,%2$s,60',
		lpad(i::text, 4, '0'), CASE i % 3 WHEN 0 THEN 'TOU' ELSE 'YEAR' END), E'\n' ORDER BY i)
	FROM generate_series(1, :homes) AS i), 'UTF8'));
SELECT elecbill.partition_maintain(1, '2025-01-01');
INSERT INTO elecbill.reading (register_id, read_at, slot_at, register_wh, org_id, source)
SELECT g.id, t.at, t.at, 100000 + sum(t.wh) OVER (PARTITION BY g.id ORDER BY t.at), g.org_id, 1
FROM elecbill.meter_register g
JOIN elecbill.meter m ON m.id = g.meter_id,
	LATERAL (SELECT d + h * interval '1 hour' AS at,
			(right(m.serial, 4)::integer * 7919 + extract(epoch FROM d)::bigint / 3600 * 31 + h * 101) % 5000 AS wh
		FROM generate_series(timestamptz '2025-01-01 00:00+08', timestamptz '2025-03-31 00:00+08',
				interval '1 day') AS d, unnest('{8,22,24}'::integer[]) AS h) AS t
WHERE g.code = '1.8.0' AND NOT (m.serial = 'M-0017' AND t.at <= '2025-02-01 00:00+08')
ORDER BY g.id, t.at;
-- the value of 10 February once more as it was in January: the register falls and rises again
INSERT INTO elecbill.reading (register_id, read_at, slot_at, register_wh, org_id, source)
SELECT r.register_id, '2025-02-10 01:00+08', '2025-02-10 01:00+08', r.register_wh, r.org_id, 1
FROM elecbill.reading r
JOIN elecbill.meter_register g ON g.id = r.register_id
JOIN elecbill.meter m ON m.id = g.meter_id
WHERE m.serial = 'M-0013' AND r.read_at = '2025-01-20 00:00+08';
ANALYZE elecbill.reading, elecbill.customer_account, elecbill.customer_agreement, elecbill.meter_register;
\o
