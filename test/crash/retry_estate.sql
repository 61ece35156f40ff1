-- retry_estate.sql: an estate that lives through its months: readings of a collector, bills, payments
-- psql -v homes=N; from January 2024 on. Every third home is on a tariff with periods, the others on yearly tiers.
\set ON_ERROR_STOP 1
SET client_min_messages = warning;
\o /dev/null
SELECT elecbill.org_create('SITE', 'Site');
SELECT elecbill.tariff_draft('YEAR', '[2023-01-01,)', '{"elecbill": 1, "currency": "CNY",
	"zone": "Asia/Shanghai", "components": [{"code": "energy", "kind": "energy",
	"tier": {"scope": "year", "steps": [{"up_to": 300, "price": 0.5}, {"up_to": 700, "price": 0.55},
		{"price": 0.8}]}}, {"code": "fee", "kind": "fixed", "price": 3.3}]}', 'ann');
SELECT elecbill.tariff_approve('YEAR', 1, 'bob');
SELECT elecbill.tariff_draft('TOU', '[2023-01-01,)', '{"elecbill": 1, "currency": "CNY",
	"zone": "Asia/Shanghai", "schedules": {"tou": [{"period": "peak", "spans": [["08:00", "22:00"]]},
		{"period": "valley"}]}, "components": [{"code": "energy", "kind": "energy",
	"price": {"period": {"peak": 0.568, "valley": 0.288}}}]}', 'ann');
SELECT elecbill.tariff_approve('TOU', 1, 'bob');
SELECT elecbill.partition_maintain(1, '2024-01-01');
SELECT line, message FROM elecbill.import_estate('SITE', convert_to(
	E'room,account_no,name,kind,meter_no,model,last_reading,last_read_at,tariff,interval_min\n' || (
	SELECT string_agg(format('R-%1$s,A-%1$s,Name %1$s,residential,M-%1$s,DDS,100.000,2024-01-01,%2$s,60',
		lpad(i::text, 4, '0'), CASE i % 3 WHEN 0 THEN 'TOU' ELSE 'YEAR' END), E'\n' ORDER BY i)
	FROM generate_series(1, :homes) AS i), 'UTF8'));
SELECT elecbill.collector_create('SITE', 'C1', '00000000-0000-4000-8000-000000000001');
SELECT elecbill.payment_policy_set('SITE', 'over', 10080);
SELECT elecbill.cashier_shift_open('SITE', 100);
\o
