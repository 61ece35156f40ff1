-- superseded.sql: run by the former version: bills by versions of which a part was superseded
-- February of plan YEAR is replaced after January was billed; prices of plan FLAT change inside
-- March, which the former version could not bill. Of January, somebody set one bill as paid and gave
-- the other up, by hand, for there were no payments.
\set ON_ERROR_STOP 1
SET client_min_messages = warning;
\o /dev/null
SELECT elecbill.org_create('OLD', 'Old Mill');
SELECT elecbill.partition_maintain(4, '2025-01-01');
SELECT elecbill.tariff_draft(p.code, '[2024-01-01,)', jsonb_build_object('elecbill', 1, 'currency', 'CNY', 'zone', 'Asia/Shanghai',
	'components', p.components), 'ann')
FROM (VALUES ('FLAT', jsonb '[{"code": "energy", "kind": "energy", "price": 0.5}, {"code": "fee", "kind": "fixed", "price": 31, "per": "month"}]'),
	('YEAR', '[{"code": "energy", "kind": "energy", "tier": {"scope": "year", "steps": [{"up_to": 250, "price": 0.5}, {"price": 0.8}]}}]')) AS p(code, components);
SELECT elecbill.tariff_approve(code, 1, 'bob') FROM unnest('{FLAT,YEAR}'::text[]) AS code;
SELECT * FROM elecbill.import_estate('OLD', convert_to(E'room,account_no,name,kind,meter_no,model,last_reading,last_read_at,tariff\n'
	'1,A-1,Li,residential,M-1,DDS,0,2025-01-01,FLAT\n2,A-2,Wang,residential,M-2,DDS,0,2025-01-01,YEAR\n', 'UTF8'));
SELECT elecbill.reading_add('OLD', m.serial, '1.8.0', v.at, v.kwh) FROM unnest('{M-1,M-2}'::text[]) AS m(serial),
	(VALUES (timestamptz '2025-02-01 00:00+08', 100), ('2025-03-01 00:00+08', 300), ('2025-03-11 00:00+08', 350), ('2025-04-01 00:00+08', 500)) AS v(at, kwh);
CALL elecbill.bill_month('OLD', 'MONTH', '2025-01');
UPDATE elecbill.bill b SET status = CASE a.account_no WHEN 'A-1' THEN 'paid' ELSE 'written_off' END,
	paid = CASE a.account_no WHEN 'A-1' THEN b.amount ELSE 10 END
FROM elecbill.customer_account a WHERE a.id = b.account_id;
SELECT elecbill.tariff_draft('YEAR', '[2025-02-01,2025-03-01)', jsonb_set(definition, '{components,0,tier,steps,1,price}', '0.9'), 'ann')
FROM elecbill.tariff_version v JOIN elecbill.tariff_plan p ON p.id = v.tariff_plan_id WHERE p.code = 'YEAR';
SELECT elecbill.tariff_approve('YEAR', 2, 'bob', true);
CALL elecbill.bill_month('OLD', 'MONTH', '2025-02');
SELECT elecbill.tariff_draft('FLAT', '[2025-03-11,)', jsonb_set(definition, '{components,0,price}', '0.6'), 'ann')
FROM elecbill.tariff_version v JOIN elecbill.tariff_plan p ON p.id = v.tariff_plan_id WHERE p.code = 'FLAT';
SELECT elecbill.tariff_approve('FLAT', 2, 'bob');
CALL elecbill.bill_month('OLD', 'MONTH', '2025-03');
\o
