-- estate: import_estate() makes master data of one wide table, tells bad rows, and can be repeated
\set SHOW_CONTEXT never
SET timezone = 'UTC';
SET datestyle = 'ISO';
SET client_min_messages = warning;
CALL elecbill.create_schema();
RESET client_min_messages;
SELECT elecbill.org_create('E1', 'Estate One');
INSERT INTO elecbill.tariff_plan (org_id, code)
SELECT o.id, p FROM elecbill.org o, unnest('{SEED-TIER,SEED-TOU}'::text[]) p;
CREATE FUNCTION pg_temp.load(csv text, dry_run boolean DEFAULT false)
RETURNS TABLE (line integer, column_name text, code text, message text)
LANGUAGE sql AS $$ SELECT * FROM elecbill.import_estate('E1', convert_to(csv, 'UTF8'), dry_run) $$;
CREATE VIEW pg_temp.counts AS
SELECT (SELECT count(*) FROM elecbill.service_location) AS locations, (SELECT count(*) FROM elecbill.customer) AS customers,
	(SELECT count(*) FROM elecbill.customer_account) AS accounts, (SELECT count(*) FROM elecbill.usage_point) AS points,
	(SELECT count(*) FROM elecbill.meter_model) AS models, (SELECT count(*) FROM elecbill.meter) AS meters,
	(SELECT count(*) FROM elecbill.meter_register) AS registers, (SELECT count(*) FROM elecbill.meter_installation) AS installations,
	(SELECT count(*) FROM elecbill.reading) AS readings, (SELECT count(*) FROM elecbill.customer_agreement) AS agreements,
	(SELECT count(*) FROM elecbill.agreement_attribute) AS attributes;

-- a home, a shop with transformers, a charging pile in a room of its own, stairs read by people
\set estate '\'楼栋,房号,户号,户名,类型,表号,型号,倍率,上次读数,上次抄表日期,电价,人口,规约,位数,采集间隔\nA,R-0101,A-0101,H-0101,居民,M0101,DDZY-1,1,123.45,2025-11-01,SEED-TIER,5,,,\n\' || \'A,S-01,A-S01,S-01,商业,MS01,DTZY-3,40,8,2025/11/1,SEED-TOU,,dlt645,8,30\nP,P-01,A-P01,P-01,充电桩,MP01,CSV-1,,0.001,2025年11月1日,SEED-TOU,,csvline,,\nA,L-01,A-L01,"Lift, stairs",公共,ML01,OLD-5,1,99999.9,2025.11.1,SEED-TIER,,人工,5,\n\''
SELECT count(*) AS refused FROM pg_temp.load(E:estate, true);
SELECT * FROM pg_temp.counts;
SELECT count(*) AS refused FROM pg_temp.load(E:estate);
SELECT * FROM pg_temp.counts;
SELECT l.code, l.kind, p.code AS building FROM elecbill.service_location l
LEFT JOIN elecbill.service_location p ON p.id = l.parent_id ORDER BY 1;
SELECT a.account_no, c.code, c.name, c.kind, y.code AS cycle FROM elecbill.customer_account a
JOIN elecbill.customer c ON c.id = a.customer_id JOIN elecbill.billing_cycle y ON y.id = a.billing_cycle_id ORDER BY 1;
SELECT u.code, u.kind, m.serial, m.kind, m.interval_s, d.vendor, d.model, d.protocol, d.digits, d.decimals,
	i.role, i.multiplier, i.valid
FROM elecbill.meter_installation i JOIN elecbill.usage_point u ON u.id = i.usage_point_id
JOIN elecbill.meter m ON m.id = i.meter_id JOIN elecbill.meter_model d ON d.id = m.model_id ORDER BY 1;
SELECT m.serial, string_agg(g.code, ' ' ORDER BY g.code) AS registers, min(g.wrap_wh) AS wrap_wh,
	r.read_at, r.register_wh, r.slot_at, r.quality, r.source
FROM elecbill.meter m JOIN elecbill.meter_register g ON g.meter_id = m.id
JOIN elecbill.meter_register t ON t.meter_id = m.id AND t.code = '1.8.0' JOIN elecbill.reading r ON r.register_id = t.id
GROUP BY m.serial, r.read_at, r.register_wh, r.slot_at, r.quality, r.source ORDER BY 1;
SELECT a.account_no, u.code, p.code AS tariff, g.valid, t.name, t.value, t.valid
FROM elecbill.customer_agreement g JOIN elecbill.customer_account a ON a.id = g.account_id
JOIN elecbill.usage_point u ON u.id = g.usage_point_id JOIN elecbill.tariff_plan p ON p.id = g.tariff_plan_id
LEFT JOIN elecbill.agreement_attribute t ON t.agreement_id = g.id ORDER BY 1;

-- the same file again changes nothing; nor does it with English names and a byte order mark
SELECT count(*) AS refused FROM pg_temp.load(E:estate);
SELECT * FROM pg_temp.load(E'\uFEFFROOM,account_no,name,kind,meter_no,model,multiplier,last_reading,last_read_at,tariff\r\nR-0101,A-0101,H-0101,residential,M0101,DDZY-1,1.0,123.450,2025-11-01,SEED-TIER\r\n');
SELECT * FROM pg_temp.counts;

-- a second meter of a room is a second point; one account may pay for both
SELECT * FROM pg_temp.load(E'room,account_no,name,kind,meter_no,model,last_reading,last_read_at,tariff,point\nR-0101,A-0101,H-0101,residential,M0102,DDZY-1,0,2025-11-01,SEED-TOU,R-0101-EV\n');

-- each bad row is told by line, column and reason, the good ones land
SELECT * FROM pg_temp.load(E'building,room,account_no,name,kind,meter_no,model,multiplier,last_reading,last_read_at,tariff,household_size,digits,interval_min,cycle,protocol\n'
	'A,,A2,H2,residential,M2,X,1,0,2025-11-01,SEED-TIER,,,,,\n'
	'A,R 2,A2,H2,residential,M2,X,1,0,2025-11-01,SEED-TIER,,,,,\n'
	'A,R2,A2,,residential,M2,X,1,0,2025-11-01,SEED-TIER,,,,,\n'
	'A,R2,A2,H2,palace,M2,X,1,0,2025-11-01,SEED-TIER,,,,,\n'
	'A,R2,A2,H2,residential,M2,X,0,0,2025-11-01,SEED-TIER,,,,,\n'
	'A,R2,A2,H2,residential,M2,X,-1,0,2025-11-01,SEED-TIER,,,,,\n'
	'A,R2,A2,H2,residential,M2,X,NaN,0,2025-11-01,SEED-TIER,,,,,\n'
	'A,R2,A2,H2,residential,M2,X,1e2,0,2025-11-01,SEED-TIER,,,,,\n'
	'A,R2,A2,H2,residential,M2,X,1.00001,0,2025-11-01,SEED-TIER,,,,,\n'
	'A,R2,A2,H2,residential,M2,X,1000001,0,2025-11-01,SEED-TIER,,,,,\n'
	'A,R2,A2,H2,residential,M2,X,1,Infinity,2025-11-01,SEED-TIER,,,,,\n'
	'A,R2,A2,H2,residential,M2,X,1,1000000,2025-11-01,SEED-TIER,,,,,\n'
	'A,R2,A2,H2,residential,M2,X,1,1.0001,2025-11-01,SEED-TIER,,,,,\n'
	'A,R2,A2,H2,residential,M2,X,1,"1,000",2025-11-01,SEED-TIER,,,,,\n'
	'A,R2,A2,H2,residential,M2,X,1,0,2025-11-31,SEED-TIER,,,,,\n'
	'A,R2,A2,H2,residential,M2,X,1,0,2025-13-01,SEED-TIER,,,,,\n'
	'A,R2,A2,H2,residential,M2,X,1,0,01/02/2025,SEED-TIER,,,,,\n'
	'A,R2,A2,H2,residential,M2,X,1,0,2999-01-01,SEED-TIER,,,,,\n'
	'A,R2,A2,H2,residential,M2,X,1,0,1999-01-01,SEED-TIER,,,,,\n'
	'A,R2,A2,H2,residential,M2,X,1,0,2025-11-01,NO-PLAN,,,,,\n'
	'A,R2,A2,H2,residential,M2,X,1,0,2025-11-01,SEED-TIER,0,,,,\n'
	'A,R2,A2,H2,residential,M2,X,1,0,2025-11-01,SEED-TIER,2.5,,,,\n'
	'A,R2,A2,H2,residential,M2,X,1,0,2025-11-01,SEED-TIER,,13,,,\n'
	'A,R2,A2,H2,residential,M2,X,1,0,2025-11-01,SEED-TIER,,,7,,\n'
	'A,R2,A2,H2,residential,M2,X,1,0,2025-11-01,SEED-TIER,,,,WEEK,\n'
	'A,R2,A2,H2,residential,M2,X,1,0,2025-11-01,SEED-TIER,,,,,a b\n'
	'A,R2,A2,H2,residential,M2\n'
	'A,R2,A2,"H"2,residential,M2,X,1,0,2025-11-01,SEED-TIER,,,,,\n'
	',,,,,,,,,,,,,,,\n'
	'A, R2 ,A2,H2,Residential,M2,X,,0,2025-11-01,SEED-TIER,,,,,\n');
SELECT * FROM pg_temp.counts;

-- what contradicts what is there
SELECT * FROM pg_temp.load(E'building,room,account_no,name,kind,meter_no,model,multiplier,last_reading,last_read_at,tariff,household_size,digits,interval_min,point\n'
	'B,R-0101,A-0101,H-0101,residential,M0101,DDZY-1,1,123.45,2025-11-01,SEED-TIER,5,,,\n'
	'R-0101,R-9,A-9,H-9,residential,M9,DDZY-1,1,0,2025-11-01,SEED-TIER,,,,\n'
	'A,R-0101,A-0101,H-0101,commercial,M0101,DDZY-1,1,123.45,2025-11-01,SEED-TIER,5,,,\n'
	'A,R-0101,A-0101,H-0202,residential,M0101,DDZY-1,1,123.45,2025-11-01,SEED-TIER,5,,,\n'
	'A,R-0101,A-0101,H-0101,residential,M0101,DDZY-1,1,123.45,2025-11-01,SEED-TIER,5,8,,\n'
	'A,R-0101,A-0101,H-0101,residential,M0101,DTZY-3,1,123.45,2025-11-01,SEED-TIER,5,8,,\n'
	'A,R-0101,A-0101,H-0101,residential,M0101,DDZY-1,1,123.45,2025-11-01,SEED-TIER,5,,60,\n'
	'A,R-0101,A-0101,H-0101,residential,M0101,DDZY-1,2,123.45,2025-11-01,SEED-TIER,5,,,\n'
	'A,R-0101,A-0101,H-0101,residential,M0101,DDZY-1,1,123.46,2025-11-01,SEED-TIER,5,,,\n'
	'A,R-0101,A-0101,H-0101,residential,M0101,DDZY-1,1,123.45,2025-11-02,SEED-TIER,5,,,\n'
	'A,R-0101,A-0101,H-0101,residential,M0101,DDZY-1,1,123.45,2025-11-01,SEED-TOU,5,,,\n'
	'A,R-0101,A-0101,H-0101,residential,M0101,DDZY-1,1,123.45,2025-11-01,SEED-TIER,4,,,\n'
	'A,R-0101,A-9,H-9,residential,M9,DDZY-1,1,0,2025-11-01,SEED-TIER,,,,\n'
	'A,R2,A2,H2,residential,M0101,DDZY-1,1,123.45,2025-11-01,SEED-TIER,,,,\n'
	'A,R2,A2,H2,residential,M9,DDZY-1,1,0,2025-11-01,SEED-TIER,,,,R-0101\n');
SELECT * FROM pg_temp.counts;

SELECT elecbill.billing_cycle_create('E1', 'TWO', 2);
SELECT * FROM pg_temp.load(E'room,account_no,name,kind,meter_no,model,last_reading,last_read_at,tariff,cycle\nR-0101,A-0101,H-0101,residential,M0101,DDZY-1,123.45,2025-11-01,SEED-TIER,TWO\n');

-- without column names no row means anything
SELECT line, column_name, code, left(message, 25) AS message FROM pg_temp.load(E'room,account\nR1,A1\n');
SELECT * FROM pg_temp.load(E'room,房号\nR1,A1\n');
SELECT * FROM pg_temp.load(E'room,account_no,name,kind,meter_no,model,last_reading,last_read_at\n');
SELECT * FROM elecbill.import_estate('E1', '\xb7bfbac52cbba7bac50a410a');
-- and what is no file
SELECT * FROM elecbill.import_estate('E1', '');
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM elecbill.import_estate('E1', NULL);
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM elecbill.import_estate('E1', 'x', NULL);
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM elecbill.import_estate('E2', 'x');
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM elecbill.import_estate(NULL, 'x');

-- a meter belongs to one org
SELECT elecbill.org_create('E2', 'Estate Two', 'Europe/Berlin', 'EUR');
INSERT INTO elecbill.tariff_plan (org_id, code) SELECT o.id, 'T' FROM elecbill.org o WHERE o.code = 'E2';
SELECT * FROM elecbill.import_estate('E2', convert_to(E'room,account_no,name,kind,meter_no,model,last_reading,last_read_at,tariff\nR-0101,A-0101,H,residential,M0101,DDZY-1,0,2025-11-01,T\nR-0102,A-0102,H,residential,N0102,DDZY-1,0,2025-07-01,T\n', 'UTF8'));
-- the local midnight of Berlin in summer
SELECT lower(i.valid) FROM elecbill.meter_installation i JOIN elecbill.meter m ON m.id = i.meter_id WHERE m.serial = 'N0102';
-- meters of DL/T have four tariffs; every protocol of the collector has a name here
SELECT * FROM elecbill.import_estate('E2', convert_to(E'room,account_no,name,kind,meter_no,model,last_reading,last_read_at,tariff,protocol\nR-1,A-1,H,residential,N-1997,D97,0,2025-07-01,T,dlt645-1997\nR-2,A-2,H,residential,N-SML,EDL,0,2025-07-01,T,sml-quirks\n', 'UTF8'));
SELECT m.serial, d.protocol, string_agg(g.code, ' ' ORDER BY g.code) AS registers
FROM elecbill.meter m JOIN elecbill.meter_model d ON d.id = m.model_id JOIN elecbill.meter_register g ON g.meter_id = m.id
WHERE d.protocol ~ '-' GROUP BY 1, 2 ORDER BY 1;
SELECT * FROM elecbill._fsck_reading();
