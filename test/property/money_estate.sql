-- money_estate.sql: the estate that test_money begins with: three homes, a shop, a prepaid home, one bill each
SELECT public.work('2025-02-05 12:00+08', '');
SELECT elecbill.org_create('PAY', 'Paying Court');
SELECT elecbill.tariff_draft('FLAT', '[2024-01-01,)', '{"elecbill": 1, "currency": "CNY", "zone": "Asia/Shanghai",
	"components": [{"code": "energy", "kind": "energy", "price": 0.5}]}', 'ann');
SELECT elecbill.tariff_approve('FLAT', 1, 'bob');
SELECT elecbill.partition_maintain(14, '2025-01-01');
SELECT * FROM elecbill.import_estate('PAY', convert_to(
	E'room,account_no,name,kind,meter_no,model,last_reading,last_read_at,tariff\n' || (
	SELECT string_agg(format('R%1$s,A%1$s,N%1$s,%2$s,M%1$s,DDS,0,2025-01-01,FLAT', i, CASE i WHEN 4 THEN 'commercial' ELSE 'residential' END), E'\n')
	FROM generate_series(1, 5) AS i), 'UTF8'));
SELECT elecbill.duty_grant('PAY', x.login, d)
FROM unnest('{ann,bob}'::text[]) AS x(login), unnest('{property,billing,finance}'::text[]) AS d;
SELECT elecbill.reading_add('PAY', 'M' || i, '1.8.0', '2025-02-01 00:00+08', 100 * i + 20) FROM generate_series(1, 5) AS i;
SELECT elecbill.offcycle_bill('PAY/A' || i, '[2025-01-01,2025-02-01)') FROM generate_series(1, 5) AS i;
SELECT public.work('2025-02-05 12:00+08', 'ann');
SELECT elecbill.payment_policy_set('PAY', 'over', 10080);
SELECT elecbill.cashier_shift_open('PAY', 100);
SELECT elecbill.account_mode_set('PAY/A5', 'prepaid');
SELECT elecbill.dunning_policy_set('PAY', k) FROM unnest('{person,company}'::text[]) AS k;
SELECT elecbill.late_fee_policy_draft('PAY', 'person', '2024-01-01', 0.001, 0.001),
	elecbill.late_fee_policy_draft('PAY', 'company', '2024-01-01', 0.002, 0.003, 1, 0.02);
SELECT public.work('2025-02-05 12:00+08', 'bob');
SELECT elecbill.cashier_shift_open('PAY');
SELECT elecbill.late_fee_policy_approve('PAY', p.id) FROM elecbill.late_fee_policy p;
