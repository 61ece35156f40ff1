-- estate.sql: twenty homes, shops and a workshop for test_simulate; :estate is what import_estate() takes
\set ON_ERROR_STOP 1
SET client_min_messages = warning;
SET elecbill.clock_override = '2025-01-01 00:05+08';
\o /dev/null
SELECT elecbill.org_create('SIM', 'Garden Estate');
SELECT elecbill.duty_grant('SIM', s.login, s.duty)
FROM (VALUES ('desk', 'property'), ('billing-1', 'billing'), ('billing-2', 'billing'), ('finance-1', 'finance'),
	('finance-2', 'finance')) AS s(login, duty);
SELECT elecbill.tariff_draft(t.code, '[2024-01-01,)',
	('{"elecbill": 1, "currency": "CNY", "zone": "Asia/Shanghai", ' || t.rest || '}')::jsonb, 'ann'),
	elecbill.tariff_approve(t.code, 1, 'bob')
FROM (VALUES
	('TIER', '"components": [{"code": "energy", "kind": "energy", 
		"tier": {"scope": "bill", "steps": [{"up_to": 200, "price": 0.5}, {"up_to": 400, "price": 0.6}, {"price": 0.8}]}}]'),
	('TOU', '"schedules": {"tou": [{"period": "peak", "spans": [["08:00", "22:00"]]}, {"period": "valley"}]},
		"components": [{"code": "energy", "kind": "energy", "price": {"period": {"peak": 0.7, "valley": 0.4}}}]'),
	('YEAR', '"components": [{"code": "energy", "kind": "energy", 
		"tier": {"scope": "year", "steps": [{"up_to": 900, "price": 0.52}, {"up_to": 1900, "price": 0.57}, {"price": 0.82}]}}]'),
	('SHOP', '"components": [{"code": "energy", "kind": "energy", "vat": 13, "price": 0.8123},
		 {"code": "service", "kind": "fixed", "per": "day", "price": 0.6, "vat": 6}]'))
	AS t(code, rest);
SELECT elecbill.collector_create('SIM', 'gateway', '00000000-0000-4000-8000-000000000051');
SELECT elecbill.payment_policy_set('SIM', 'over', 30, '2025-01-01');
SELECT elecbill.partition_maintain(3, '2025-01-01');
SELECT elecbill.job_enable('SIM', 'fsck', false);
\o
-- a refusal is shown, and ends the run
SELECT * FROM elecbill.import_estate('SIM', convert_to(:'estate', 'UTF8'));
\o /dev/null
SELECT elecbill.member_grant('SIM/' || a.account_no, 'resident') FROM elecbill.customer_account AS a;
SELECT elecbill.dunning_policy_set('SIM', k) FROM unnest('{person,company}'::text[]) AS k;
SET elecbill.login = 'billing-1';
SELECT elecbill.late_fee_policy_draft('SIM', k, '2025-01-01', 0.001, 0.002) FROM unnest('{person,company}'::text[]) AS k;
SET elecbill.login = 'finance-1';
SELECT elecbill.late_fee_policy_approve('SIM', p.id) FROM elecbill.late_fee_policy AS p;
SET elecbill.login = 'desk';
SELECT elecbill.account_mode_set('SIM/H19', 'prepaid'), elecbill.cashier_shift_open('SIM', 500);
SELECT elecbill.payment_record_cash('SIM/H19', 60, NULL, 'ahead:first', '{}');
\o
