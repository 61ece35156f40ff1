-- estate.sql: homes with one issued bill each; used by the tests of money
-- psql -v homes=N; account A1 has a bill over 100.00, A2 over 200.00, A3 over 300.00, A4 again 100.00, ...
SET client_min_messages = warning;
SELECT elecbill.org_create('PAY', 'Paying Court');
SELECT elecbill.tariff_draft('FLAT', '[2024-01-01,)', '{"elecbill": 1, "currency": "CNY", "zone": "Asia/Shanghai",
	"components": [{"code": "energy", "kind": "energy", "price": 0.5}]}', 'ann');
SELECT elecbill.tariff_approve('FLAT', 1, 'bob');
SELECT elecbill.partition_maintain(1, '2024-12-01');
SELECT * FROM elecbill.import_estate('PAY', convert_to(
	E'room,account_no,name,kind,meter_no,model,last_reading,last_read_at,tariff\n' || (
	SELECT string_agg(format('R%1$s,A%1$s,N%1$s,residential,M%1$s,DDS,0,2025-01-01,FLAT', i), E'\n')
	FROM generate_series(1, :homes) AS i), 'UTF8'));
SELECT count(elecbill.reading_add('PAY', 'M' || i, '1.8.0', '2025-02-01 00:00+08', 200 * (1 + (i - 1) % 3)))
FROM generate_series(1, :homes) AS i;
CALL elecbill.bill_month('PAY', 'MONTH', '2025-01');
