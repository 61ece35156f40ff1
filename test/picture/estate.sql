-- estate.sql: thirteen months of a small estate, with names that would be markup; for test/report.sql and the pages
-- A1 pays, A2 does not always, A3 and the shop are measured by the hour in the last two months.
SET client_min_messages = warning;
SET elecbill.clock_override = '2025-01-01 12:00+08';
SELECT elecbill.org_create('GARDEN', '翠湖花园 "Lake & Garden" <物业>');
SELECT elecbill.payment_policy_set('GARDEN', 'over');
SELECT elecbill.partition_maintain(15, '2024-12-01');
SELECT elecbill.tariff_approve(t.code, elecbill.tariff_draft(t.code, '[2024-01-01,)',
	('{"elecbill": 1, "currency": "CNY", "zone": "Asia/Shanghai", ' || t.body || '}')::jsonb, 'ann'), 'bob')
FROM (VALUES
	('YEAR', '"components": [{"code": "energy", "kind": "energy", "name": {"zh": "电量电费", "en": "energy"}, "tier": {"scope": "year",
		"allowance": [{"attr": "persons", "at_least": 5, "add": 100}],
		"steps": [{"up_to": 2520, "price": 0.52}, {"up_to": 4800, "price": 0.57}, {"price": 0.82}]}}]'),
	('MONTH', '"schedules": {"tou": [{"period": "peak", "spans": [["08:00", "22:00"]]}, {"period": "valley", "spans": [["22:00", "08:00"]]}]},
		"components": [{"code": "energy", "kind": "energy", "price": {"period": {"peak": 0.568, "valley": 0.288}},
		"tier": {"mode": "adder", "scope": "month", "steps": [{"up_to": 200, "price": 0}, {"up_to": 400, "price": 0.05}, {"price": 0.3}]}}]'),
	('SHOP', '"schedules": {"tou": [{"period": "sharp", "spans": [["10:00", "12:00"]]}, {"period": "peak", "spans": [["08:00", "10:00"], ["12:00", "18:00"]]},
		{"period": "flat", "spans": [["18:00", "23:00"]]}, {"period": "valley"}]},
		"components": [{"code": "energy", "kind": "energy", "name": {"zh": "电度电费", "en": "energy"}, "vat": 13,
			"price": {"period": {"sharp": 1.2, "peak": 1.0, "flat": 0.7, "valley": 0.4}}},
		{"code": "service", "kind": "fixed", "name": {"zh": "服务费", "en": "service fee"}, "vat": 6, "price": 20, "per": "month"}]')) AS t(code, body);
SELECT * FROM elecbill.import_estate('GARDEN', convert_to(
'room,account_no,name,kind,meter_no,model,last_reading,last_read_at,tariff,interval_min,household_size
R-101,A1,王小明,residential,M1,DDZY,0,2025-01-01,YEAR,60,
R-102,A2,"<script>alert(""A2"")</script>",residential,M2,DDZY,0,2025-01-01,YEAR,60,5', 'UTF8'));
SELECT elecbill.invoice_party_set('GARDEN', NULL, '翠湖花园物业管理有限公司', '91310000MA1FL0000X', '上海市湖滨路 1 号 021-00000000');
SELECT elecbill.invoice_item_set('GARDEN', '*供电*电费', '1100101020000000000', 13);
SELECT elecbill.collector_create('GARDEN', 'C1', '5f0c0b0e-0000-4000-8000-0000000000aa') \gset c_
SELECT elecbill.cashier_shift_open('GARDEN');

-- a register by the hour: thirteen hours of a day count three times, so 50 x hour_wh a day
CREATE FUNCTION pg_temp.read_hours(serial text, first date, last date, since_kwh numeric, hour_wh integer) RETURNS void LANGUAGE sql AS $$
	SELECT i.accepted FROM (
		SELECT array_agg(serial) AS m, array_agg('1.8.0'::text) AS r, array_agg(x.at ORDER BY x.at) AS at, array_agg(x.kwh ORDER BY x.at) AS kwh,
			array_agg(0) AS q, array_agg(NULL::timestamptz) AS ma
		FROM (SELECT h.at, since_kwh + sum(hour_wh * (CASE WHEN extract(hour FROM h.at AT TIME ZONE 'Asia/Shanghai') BETWEEN 9 AND 21 THEN 3 ELSE 1 END))
				OVER (ORDER BY h.at) * 0.001 AS kwh
			FROM generate_series((first::text || ' 01:00+08')::timestamptz, (last::text || ' 00:00+08')::timestamptz, interval '1 hour') AS h(at)) AS x) AS b,
		elecbill.ingest('5f0c0b0e-0000-4000-8000-0000000000aa', 1, b.m, b.r, b.at, b.kwh, b.q, b.ma) AS i;
$$;
CREATE FUNCTION pg_temp.move_in() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	PERFORM elecbill.import_estate('GARDEN', convert_to(
'room,account_no,name,kind,meter_no,model,last_reading,last_read_at,tariff,interval_min,household_size
R-103,A3,"O''Neill & <b>Söhne</b>",residential,M3,DDZY,0,2025-12-01,MONTH,60,
S-1,S1,"翠湖便利店(上海)有限公司",commercial,M4,DTZY,0,2025-12-01,SHOP,60,', 'UTF8'));
	PERFORM elecbill.invoice_party_set('GARDEN', 'S1', '翠湖便利店(上海)有限公司', '91310115MA1K300000', NULL, 'special');
END $$;
CREATE FUNCTION pg_temp.read_month(n integer) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	month date := date '2025-01-01' + make_interval(months => n);
	sum1 numeric := 0;
BEGIN
	SELECT sum(200 + 40 * abs(6 - m)) INTO sum1 FROM generate_series(1, n) AS m;
	PERFORM elecbill.reading_add('GARDEN', 'M1', '1.8.0', (month || ' 00:00+08')::timestamptz, sum1),
		elecbill.reading_add('GARDEN', 'M2', '1.8.0', (month || ' 00:00+08')::timestamptz, 650 * n);
END $$;
CREATE FUNCTION pg_temp.pay(account text, n integer, part numeric, channel text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	b elecbill.bill;
	key text := format('%s-%s', account, n);
	made record;
BEGIN
	SELECT x.* INTO b FROM elecbill.bill x JOIN elecbill.customer_account a ON a.id = x.account_id
	WHERE a.account_no = account AND x.number IS NOT NULL ORDER BY x.id OFFSET n - 1 LIMIT 1;
	IF channel IN ('alipay', 'wechat') THEN
		made := elecbill.payment_order_create(account, ARRAY[b.number], coalesce(part, b.amount), channel, key);
		PERFORM elecbill.payment_order_confirm('GARDEN', channel, 'txn-' || key, made.number, coalesce(part, b.amount), elecbill.now());
	ELSE
		PERFORM elecbill.pay_bill(b.number, coalesce(part, b.amount), key, channel);
	END IF;
END $$;
SELECT s.statement
FROM generate_series(1, 13) AS m
CROSS JOIN LATERAL (SELECT (date '2025-01-01' + make_interval(months => m))::date AS day) AS d
CROSS JOIN LATERAL (VALUES
	(1, format('SET elecbill.clock_override = %L', d.day || ' 06:00+08')),
	(2, CASE m WHEN 11 THEN 'SELECT pg_temp.move_in()' END),
	(2, format('SELECT pg_temp.read_month(%s)', m)),
	(3, CASE WHEN m > 11 THEN format('SELECT pg_temp.read_hours(x.serial, %L, %L, 31 * 0.05 * x.wh * %s, x.wh) FROM (VALUES (''M3'', 200), (''M4'', 1000)) AS x(serial, wh)',
		(d.day - interval '1 month')::date, d.day, m - 12) END),
	(4, format('CALL elecbill.bill_month(''GARDEN'', ''MONTH'', %L)', to_char(d.day - 1, 'YYYY-MM'))),
	(5, format('SET elecbill.clock_override = %L', d.day + 9 || ' 10:00+08')),
	(6, CASE WHEN m < 12 THEN format('SELECT pg_temp.pay(''A1'', %s, NULL, %L)', m, (ARRAY['cash', 'alipay', 'wechat'])[1 + m % 3]) END),
	(7, CASE WHEN m < 9 THEN format('SELECT pg_temp.pay(''A2'', %s, %L, ''cash'')', m, CASE WHEN m = 8 THEN 100.00 END) END),
	(8, CASE m WHEN 13 THEN 'SELECT pg_temp.pay(''A3'', 1, 500.00, ''bank'')' END)) AS s(i, statement)
WHERE s.statement IS NOT NULL ORDER BY m, s.i
\gexec
CALL elecbill.pack_profiles('GARDEN');
