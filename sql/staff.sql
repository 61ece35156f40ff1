-- staff: what people do by hand, by the keys people use, and what they cannot do
\set SHOW_CONTEXT never
SET timezone = 'UTC';
SET datestyle = 'ISO';
SET client_min_messages = warning;
CALL elecbill.create_schema();
CREATE FUNCTION pg_temp.try(call text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	got text;
BEGIN
	EXECUTE 'SELECT ' || call INTO got;
	RETURN coalesce(nullif(got, ''), 'done');
EXCEPTION WHEN others THEN
	RETURN SQLSTATE || ': ' || SQLERRM;
END $$;

-- org
SELECT pg_temp.try($$elecbill.org_create('E1', 'Estate One')$$);
SELECT pg_temp.try($$elecbill.org_create('E1', 'Estate One')$$);
SELECT pg_temp.try($$elecbill.org_create('E 2', 'Estate Two')$$);
SELECT pg_temp.try($$elecbill.org_create(NULL, 'Estate Two')$$);
SELECT pg_temp.try($$elecbill.org_create('E2', '')$$);
SELECT pg_temp.try($$elecbill.org_create('E2', 'Estate Two', 'Mars/Olympus')$$);
SELECT pg_temp.try($$elecbill.org_create('E2', 'Estate Two', 'FOO+8')$$);
SELECT pg_temp.try($$elecbill.org_create('E2', 'Estate Two', 'UTC', 'cny')$$);
SELECT pg_temp.try($$elecbill.org_create('E2', 'Estate Two', 'UTC', NULL)$$);
SELECT code, name, zone, currency FROM elecbill.org;

-- the first instant of a local day: ordinary, none at midnight, two midnights
SELECT day, zone, elecbill.day_start(day::date, zone) FROM (VALUES ('2026-01-01', 'Asia/Shanghai'), ('2026-03-29', 'Europe/Berlin'),
	('2026-10-26', 'Europe/Berlin'), ('2018-11-04', 'America/Sao_Paulo'), ('2026-11-01', 'America/Havana'), ('2026-11-02', 'America/Havana')) t(day, zone);

-- billing cycles and their periods
SELECT pg_temp.try($$elecbill.billing_cycle_create('E1', 'TWO', 2, 10)$$);
SELECT pg_temp.try($$elecbill.billing_cycle_create('E1', 'TWO')$$);
SELECT pg_temp.try($$elecbill.billing_cycle_create('E1', 'FIVE', 5)$$);
SELECT pg_temp.try($$elecbill.billing_cycle_create('E1', 'LATE', 1, 29)$$);
SELECT pg_temp.try($$elecbill.billing_cycle_create('E9', 'X')$$);
SELECT day, elecbill.billing_period('E1', 'MONTH', day::date) AS month, elecbill.billing_period('E1', 'TWO', day::date) AS two
FROM unnest('{2026-01-01,2026-01-09,2026-01-10,2026-02-28,2026-03-09,2026-03-10,2024-02-29,2025-12-31}'::text[]) day;
SELECT pg_temp.try($$elecbill.billing_period('E1', 'NONE', '2026-01-01')$$);
SELECT pg_temp.try($$elecbill.billing_period('E1', 'MONTH', 'infinity')$$);
SELECT pg_temp.try($$elecbill.billing_period('E1', 'MONTH', NULL)$$);

-- calendars: tags of a day replace each other, and what was known stays known
SELECT pg_temp.try($$elecbill.calendar_create('E1', 'CN')$$);
SELECT pg_temp.try($$elecbill.calendar_create('E1', 'CN')$$);
SELECT pg_temp.try($$elecbill.calendar_create('E1', 'X', '{sunday}')$$);
SELECT pg_temp.try($$elecbill.calendar_create('E1', 'X', '{sat,NULL}')$$);
SELECT pg_temp.try($$elecbill.calendar_create('E1', 'X', '{{sat,sun}}')$$);
SELECT pg_temp.try($$elecbill.calendar_day_set('E1', 'CN', '2026-10-01', '{holiday,national_day}')$$);
SELECT pg_temp.try($$elecbill.calendar_day_set('E1', 'CN', '2026-10-01', '{holiday,national_day,holiday}')$$);
SELECT pg_temp.try($$elecbill.calendar_day_set('E1', 'CN', '2026-10-01', '{hot,holiday}')$$);
SELECT day, tag, upper_inf(known) AS still FROM elecbill.calendar_day ORDER BY 2;
SELECT pg_temp.try($$elecbill.calendar_day_set('E1', 'CN', '2026-10-01', '{}')$$);
SELECT count(*), count(*) FILTER (WHERE upper_inf(known)) AS still FROM elecbill.calendar_day;
SELECT pg_temp.try($$elecbill.calendar_day_set('E1', 'XX', '2026-10-01', '{}')$$);
SELECT pg_temp.try($$elecbill.calendar_day_set('E1', 'CN', NULL, '{}')$$);
SELECT pg_temp.try($$elecbill.calendar_day_set('E1', 'CN', '2026-10-01', '{Holi Day}')$$);
SELECT pg_temp.try($$elecbill.calendar_day_set('E1', 'CN', '2026-10-01', NULL)$$);

-- collectors
SELECT pg_temp.try($$elecbill.collector_create('E1', 'C1', '00000000-0000-4000-8000-000000000001')$$);
SELECT pg_temp.try($$elecbill.collector_create('E1', 'C1')$$);
SELECT pg_temp.try($$elecbill.collector_create('E1', 'C2', '00000000-0000-4000-8000-000000000001')$$);
SELECT pg_temp.try($$elecbill.collector_create('E1', 'C2', NULL)$$);

-- the tree of locations
SELECT pg_temp.try($$(SELECT count(*) FROM elecbill.import_estate('E1', 'x'))$$);
INSERT INTO elecbill.tariff_plan (org_id, code) SELECT o.id, p FROM elecbill.org o, unnest('{T1,T2}'::text[]) p;
SELECT * FROM elecbill.import_estate('E1', convert_to(E'building,room,account_no,name,kind,meter_no,model,last_reading,last_read_at,tariff,household_size,point\nA,R1,A1,H1,residential,M1,X,100,2025-11-01,T1,3,\nA,R2,A2,H2,residential,M2,X,100,2025-11-01,T1,4,\nA,R2,A2,H2,residential,M3,X,100,2025-11-01,T2,,R2-EV\n', 'UTF8'));
UPDATE elecbill.service_location SET parent_id = (SELECT id FROM elecbill.service_location WHERE code = 'R1') WHERE code = 'A';
\echo :LAST_ERROR_SQLSTATE

-- another tariff from a day on; what the account said about itself goes along
SELECT pg_temp.try($$elecbill.agreement_set('E1', 'A1', 'T2', '2026-03-01')$$);
SELECT pg_temp.try($$elecbill.agreement_set('E1', 'A1', 'T2', '2026-03-01')$$);
SELECT pg_temp.try($$elecbill.agreement_set('E1', 'A1', 'T1', '2026-03-01')$$);
SELECT pg_temp.try($$elecbill.agreement_set('E1', 'A1', 'T9', '2026-04-01')$$);
SELECT pg_temp.try($$elecbill.agreement_set('E1', 'A2', 'T2', '2026-03-01')$$);
SELECT pg_temp.try($$elecbill.agreement_set('E1', 'A2', 'T2', '2026-03-01', 'R2')$$);
SELECT pg_temp.try($$elecbill.agreement_set('E1', 'A2', 'T2', '2025-10-31', 'R2')$$);
SELECT pg_temp.try($$elecbill.agreement_set('E1', 'A9', 'T2', '2026-03-01')$$);
SELECT pg_temp.try($$elecbill.agreement_set('E1', 'A1', 'T2', NULL)$$);
-- attributes
SELECT pg_temp.try($$elecbill.attribute_set('E1', 'A1', 'household_size', '5', '2026-04-01')$$);
SELECT pg_temp.try($$elecbill.attribute_set('E1', 'A1', 'household_size', '6', '2026-04-01')$$);
SELECT pg_temp.try($$elecbill.attribute_set('E1', 'A1', 'contract_kva', '315.5', '2026-04-01')$$);
SELECT pg_temp.try($$elecbill.attribute_set('E1', 'A1', 'household_size', '0', '2026-05-01')$$);
SELECT pg_temp.try($$elecbill.attribute_set('E1', 'A1', 'household_size', '2.5', '2026-05-01')$$);
SELECT pg_temp.try($$elecbill.attribute_set('E1', 'A1', 'household_size', '"3"', '2026-05-01')$$);
SELECT pg_temp.try($$elecbill.attribute_set('E1', 'A1', 'exempt', 'null', '2026-05-01')$$);
SELECT pg_temp.try($$elecbill.attribute_set('E1', 'A1', 'Bad Name', '1', '2026-05-01')$$);
-- moving out, moving in; nobody pays twice
SELECT pg_temp.try($$elecbill.agreement_end('E1', 'A1', '2026-06-15')$$);
SELECT pg_temp.try($$elecbill.agreement_end('E1', 'A1', '2026-06-17')$$);
SELECT pg_temp.try($$elecbill.agreement_start('E1', 'A1B', 'H1B', 'person', 'R1', 'T1', '2026-06-14')$$);
SELECT pg_temp.try($$elecbill.agreement_start('E1', 'A1B', 'H1B', 'person', 'R1', 'T1', '2026-06-20')$$);
SELECT pg_temp.try($$elecbill.agreement_start('E1', 'A1B', 'H1B', 'person', 'R1', 'T1', '2026-06-20')$$);
SELECT pg_temp.try($$elecbill.agreement_start('E1', 'A1B', 'H1C', 'person', 'R1', 'T1', '2026-06-20')$$);
SELECT pg_temp.try($$elecbill.agreement_start('E1', 'A1C', 'H1C', 'person', 'R9', 'T1', '2026-06-20')$$);
SELECT pg_temp.try($$elecbill.agreement_start('E1', 'A1C', 'H1C', 'robot', 'R1', 'T1', '2026-06-20')$$);
SELECT a.account_no, u.code, p.code, g.valid, t.name, t.value, t.valid
FROM elecbill.customer_agreement g JOIN elecbill.customer_account a ON a.id = g.account_id
JOIN elecbill.usage_point u ON u.id = g.usage_point_id JOIN elecbill.tariff_plan p ON p.id = g.tariff_plan_id
LEFT JOIN elecbill.agreement_attribute t ON t.agreement_id = g.id ORDER BY u.code, g.valid, t.name, t.valid;
UPDATE elecbill.customer_agreement SET account_id = account_id + 1;
\echo :LAST_ERROR_SQLSTATE

-- a reading by hand
SELECT pg_temp.try($$elecbill.reading_add('E1', 'M1', '1.8.0', '2025-12-01 09:30+08', 150.5)$$);
SELECT pg_temp.try($$elecbill.reading_add('E1', 'M1', '1.8.0', '2025-12-01 09:30+08', 150.50)$$);
SELECT pg_temp.try($$elecbill.reading_add('E1', 'M1', '1.8.0', '2025-12-01 09:30+08', 150.6)$$);
SELECT pg_temp.try($$elecbill.reading_add('E1', 'M1', '1.8.0', '2025-12-02 09:30+08', 150.4)$$);
SELECT pg_temp.try($$elecbill.reading_add('E1', 'M1', '1.8.0', '2025-12-02 09:30+08', 999000)$$);
SELECT pg_temp.try($$elecbill.reading_add('E1', 'M1', '1.8.0', '2025-12-03 09:30+08', 3)$$);
SELECT pg_temp.try($$elecbill.reading_add('E1', 'M1', '1.8.0', '2025-12-04 09:30+08', 'NaN')$$);
SELECT pg_temp.try($$elecbill.reading_add('E1', 'M1', '1.8.0', '2025-12-04 09:30+08', 4.0001)$$);
SELECT pg_temp.try($$elecbill.reading_add('E1', 'M1', '1.8.0', '2025-12-04 09:30+08', NULL)$$);
SELECT pg_temp.try($$elecbill.reading_add('E1', 'M1', '1.8.0', '2025-10-04 09:30+08', 4)$$);
SELECT pg_temp.try($$elecbill.reading_add('E1', 'M1', '1.8.0', elecbill.now() + interval '1 h', 4)$$);
SELECT pg_temp.try($$elecbill.reading_add('E1', 'M1', '1.8.9', '2025-12-04 09:30+08', 4)$$);
SELECT pg_temp.try($$elecbill.reading_add('E1', 'M7', '1.8.0', '2025-12-04 09:30+08', 4)$$);
SELECT pg_temp.try($$elecbill.reading_add('E7', 'M1', '1.8.0', '2025-12-04 09:30+08', 4)$$);
SELECT read_at, register_wh, slot_at, quality, source FROM elecbill.reading WHERE source = 2 ORDER BY 1;
SELECT elecbill.partition_maintain() > 0 AS moved;
SELECT * FROM elecbill._fsck_reading();
