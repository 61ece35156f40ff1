-- money_estate.sql: the estate that test_money begins with: three homes, a shop, a prepaid home, a lift, one bill each
-- A2 has yearly tiers, the shop pays VAT; some money was taken over from the books before, a debt of the year before in it
SELECT public.work('2025-02-05 12:00+08', '');
SELECT elecbill.org_create('PAY', 'Paying Court');
SELECT elecbill.tariff_draft('FLAT', '[2024-01-01,)', '{"elecbill": 1, "currency": "CNY", "zone": "Asia/Shanghai",
	"components": [{"code": "energy", "kind": "energy", "price": 0.5}]}', 'ann');
SELECT elecbill.tariff_draft('TAXED', '[2024-01-01,)', '{"elecbill": 1, "currency": "CNY", "zone": "Asia/Shanghai",
	"components": [{"code": "energy", "kind": "energy", "price": 0.5283, "vat": 13}]}', 'ann');
SELECT elecbill.tariff_draft('YEAR', '[2024-01-01,)', '{"elecbill": 1, "currency": "CNY", "zone": "Asia/Shanghai",
	"components": [{"code": "energy", "kind": "energy", "tier": {"scope": "year",
	"steps": [{"up_to": 300, "price": 0.52}, {"price": 0.57}]}}]}', 'ann');
SELECT elecbill.tariff_approve(x.code, 1, 'bob') FROM unnest('{FLAT,TAXED,YEAR}'::text[]) AS x(code);
SELECT elecbill.partition_maintain(14, '2025-01-01');
SELECT * FROM elecbill.import_estate('PAY', convert_to(
	E'room,account_no,name,kind,meter_no,model,last_reading,last_read_at,tariff\n' || (
	SELECT string_agg(format('R%1$s,A%1$s,N%1$s,%2$s,M%1$s,DDS,0,2025-01-01,%3$s', i, CASE i WHEN 4 THEN 'commercial' ELSE 'residential' END,
		CASE i WHEN 2 THEN 'YEAR' WHEN 4 THEN 'TAXED' ELSE 'FLAT' END), E'\n')
	FROM generate_series(1, 5) AS i) || E'\nLIFT,,,common,LIFT,DDS,0,2025-01-01,\nP,,,总表,MP,DDS,0,2025-01-01,\n', 'UTF8'));
SELECT elecbill.import_opening('PAY', convert_to(E'kind,account_no,amount,due_on\nbill,A1,40,2025-01-20\nbill,A4,80,2024-12-15\n'
	'advance,A2,25,\ndeposit,A3,60,\n', 'UTF8'));
SELECT elecbill.usage_point_tree_set('PAY', c, 'P', '2025-01-01') FROM unnest('{R1,R2,R3,R4,R5,LIFT}'::text[]) AS c;
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
SELECT elecbill.allocation_rule_set('PAY', 'LIFT', 'P', 'common', 'household', '[2025-01-01,)', price => 0.6171, source => 'LIFT');
SELECT public.work('2025-02-05 12:00+08', 'bob');
SELECT elecbill.cashier_shift_open('PAY');
SELECT elecbill.late_fee_policy_approve('PAY', p.id) FROM elecbill.late_fee_policy p;
SELECT elecbill.allocation_rule_approve('PAY', 'LIFT');
