-- reading: append-only, partitions, the latest value, and which readings count
\set SHOW_CONTEXT never
SET timezone = 'UTC';
SET datestyle = 'ISO';
SET intervalstyle = 'postgres';
SET client_min_messages = warning;
CALL elecbill.create_schema();
SELECT elecbill.org_create('E1', 'Estate One');
INSERT INTO elecbill.tariff_plan (org_id, code) SELECT id, 'T' FROM elecbill.org;
SELECT * FROM elecbill.import_estate('E1', convert_to(E'room,account_no,name,kind,meter_no,model,multiplier,last_reading,last_read_at,tariff,protocol\nR1,A1,H1,residential,M1,X,1,100,2025-11-01,T,csvline\nR2,A2,H2,industrial,M2,X,1.333,0,2025-11-01,T,csvline\nR3,A3,H3,common,M3,Y,1,0,2025-11-01,T,manual\n', 'UTF8'));
CREATE FUNCTION pg_temp.put(meter text, at timestamptz, wh bigint, slot timestamptz DEFAULT NULL, flags integer DEFAULT 0)
RETURNS void LANGUAGE sql AS $$
	INSERT INTO elecbill.reading (register_id, read_at, register_wh, slot_at, org_id, quality, source)
	SELECT g.id, at, wh, slot, g.org_id, flags, 1
	FROM elecbill.meter m JOIN elecbill.meter_register g ON g.meter_id = m.id WHERE m.serial = meter $$;

-- nothing changes a reading, through the table or behind its back
UPDATE elecbill.reading SET register_wh = 0;
\echo :LAST_ERROR_SQLSTATE
DELETE FROM elecbill.reading;
TRUNCATE elecbill.reading;
UPDATE elecbill.reading_2025_10 SET register_wh = 0;
DELETE FROM elecbill.reading_2025_10;
TRUNCATE elecbill.reading_2025_10;
TRUNCATE elecbill.reading_default;
INSERT INTO elecbill.reading (register_id, read_at, register_wh, org_id, source)
SELECT register_id, read_at, 1, org_id, 1 FROM elecbill.reading ON CONFLICT (register_id, read_at) DO UPDATE SET register_wh = 1;
DELETE FROM elecbill.meter_register;
\echo :LAST_ERROR_SQLSTATE
UPDATE elecbill.meter_register SET wrap_wh = 10000000;
TRUNCATE elecbill.meter_register CASCADE;
SELECT count(*), sum(register_wh) FROM elecbill.reading;
-- nor what a reading can be
\set VERBOSITY terse
SELECT pg_temp.put('M1', '2025-11-01 00:00Z', -1);
SELECT pg_temp.put('M1', 'infinity', 1);
SELECT pg_temp.put('M1', '2025-11-01 00:00Z', 1, NULL, -1);
\set VERBOSITY default

-- a partition per UTC month, made ahead
SELECT relid FROM pg_partition_tree('elecbill.reading') WHERE isleaf AND relid::text LIKE '%2025%';
SELECT pg_get_expr(relpartbound, oid) FROM pg_class WHERE oid = 'elecbill.reading_2025_10'::regclass;
SELECT count(*) AS ahead FROM generate_series(0, 3) n
WHERE to_regclass('elecbill.reading_' || to_char((elecbill.now() AT TIME ZONE 'UTC') + n * interval '1 month', 'YYYY_MM')) IS NOT NULL;
SELECT elecbill.partition_maintain() AS made_again;
SELECT elecbill.partition_maintain(4) AS one_more;
SET timezone = 'Pacific/Kiritimati';
SELECT elecbill.partition_maintain(0, '2025-08-01') >= 4 AS back;
RESET timezone;
SET timezone = 'UTC';
SELECT pg_get_expr(relpartbound, oid) FROM pg_class WHERE oid = 'elecbill.reading_2025_07'::regclass;
SELECT elecbill.partition_maintain(-1);
\echo :LAST_ERROR_SQLSTATE
SELECT elecbill.partition_maintain(61);
SELECT elecbill.partition_maintain(NULL);
SELECT elecbill.partition_maintain(0, '1999-01-01');
SELECT elecbill.partition_maintain(0, 'infinity');

-- a reading of a month without partition is kept, reported, and moved when the partition is made
SELECT pg_temp.put('M2', '2024-02-29 23:59:59.999Z', 7), pg_temp.put('M2', '2024-03-01 00:00Z', 8);
SELECT * FROM elecbill._fsck_reading();
SELECT elecbill.partition_maintain();
SELECT tableoid::regclass, read_at, register_wh FROM elecbill.reading WHERE read_at < '2025-01-01Z' ORDER BY 2;
SELECT * FROM elecbill._fsck_reading();
DELETE FROM elecbill.reading_default;
DELETE FROM elecbill.reading_2024_02;
TRUNCATE elecbill.reading_2024_02;

-- the latest value goes forward only, also when one statement brings readings in any order
SELECT pg_temp.put('M1', '2025-11-01 01:00Z', 101000), pg_temp.put('M1', '2025-11-01 00:45Z', 100900);
INSERT INTO elecbill.reading (register_id, read_at, register_wh, slot_at, org_id, quality, source)
SELECT g.id, t.at, t.wh, t.at, g.org_id, 0, 1
FROM elecbill.meter_register g JOIN elecbill.meter m ON m.id = g.meter_id AND m.serial = 'M1',
	(VALUES (timestamptz '2025-11-01 01:15Z', 101200), ('2025-11-01 01:45Z', 101700), ('2025-11-01 01:30Z', 101500)) t(at, wh);
SELECT m.serial, l.read_at, l.register_wh FROM elecbill.reading_latest l
JOIN elecbill.meter_register g ON g.id = l.register_id JOIN elecbill.meter m ON m.id = g.meter_id ORDER BY 1;
-- it is derived: what was lost is found, and made anew
DELETE FROM elecbill.reading_latest;
SELECT invariant, object FROM elecbill._fsck_reading() ORDER BY 2;
SELECT elecbill.reading_latest_rebuild();
SELECT * FROM elecbill._fsck_reading();

-- of several readings in a slot the earliest counts; one by hand only where it stands in order
SELECT pg_temp.put('M1', '2025-11-02 00:00:02Z', 110000, '2025-11-02 00:00Z'),	-- slot
	pg_temp.put('M1', '2025-11-02 00:03:00Z', 110050),							-- by hand, in order
	pg_temp.put('M1', '2025-11-02 00:05:00Z', 110060, '2025-11-02 00:00Z'),		-- slot again: no
	pg_temp.put('M1', '2025-11-02 00:14:00Z', 110140),							-- by hand, in order
	pg_temp.put('M1', '2025-11-02 00:14:59Z', 110200, '2025-11-02 00:15Z'),		-- slot, read early
	pg_temp.put('M1', '2025-11-02 00:14:59.5Z', 110201),						-- by hand, before its slot: no
	pg_temp.put('M1', '2025-11-02 00:29:00Z', 110400),							-- by hand, in order
	pg_temp.put('M1', '2025-11-02 00:30:30Z', 110420),							-- by hand, behind the slot: no
	pg_temp.put('M1', '2025-11-02 00:31:00Z', 110430, '2025-11-02 00:30Z'),
	pg_temp.put('M1', '2025-11-02 00:45:00Z', 110430, '2025-11-02 00:45Z', 512),	-- restart
	pg_temp.put('M1', '2025-11-02 01:00:00Z', 110500, '2025-11-02 01:00Z'),
	pg_temp.put('M1', '2025-11-02 01:15:00Z', 110400, '2025-11-02 01:15Z'),		-- backwards
	pg_temp.put('M1', '2025-11-02 01:30:00Z', 110600, '2025-11-02 01:30Z'),
	pg_temp.put('M1', '2025-11-02 02:30:00Z', 111600, '2025-11-02 02:30Z');		-- an hour missing
SELECT boundary, primary_wh, quality FROM elecbill.point_readings((SELECT id FROM elecbill.usage_point WHERE code = 'R1'),
	'[2025-11-02 00:00Z,2025-11-02 02:30Z)') ORDER BY boundary;
SELECT from_at, to_at, energy_wh, quality FROM elecbill.interval_usage
WHERE meter = 'M1' AND from_at >= '2025-11-02Z' ORDER BY 1;

-- a multiplier is applied to the cumulative value: 96 times 10 Wh x 1.333 is 1279.68, not 96 x 13
INSERT INTO elecbill.reading (register_id, read_at, register_wh, slot_at, org_id, source)
SELECT g.id, t.at, t.n * 10, t.at, g.org_id, 1
FROM elecbill.meter_register g JOIN elecbill.meter m ON m.id = g.meter_id AND m.serial = 'M2',
	(SELECT n, timestamptz '2025-10-31 16:00Z' + n * interval '15 min' FROM generate_series(1, 96) n) t(n, at);
SELECT count(*), sum(energy_wh), min(energy_wh), max(energy_wh) FROM elecbill.interval_usage WHERE meter = 'M2';
SELECT day, energy_kwh, covered, complete, quality FROM elecbill.usage_daily WHERE usage_point = 'R2';
SELECT month, energy_kwh, covered, complete FROM elecbill.usage_monthly WHERE usage_point = 'R2';

-- rollover: 999990 to 12 is 22 kWh; 5000 to 4990 is none
SELECT pg_temp.put('M3', '2025-11-05 16:00Z', 999990000), pg_temp.put('M3', '2025-11-06 16:00Z', 12000),
	pg_temp.put('M3', '2025-11-07 16:00Z', 5000000), pg_temp.put('M3', '2025-11-08 16:00Z', 4990000);
SELECT from_at, to_at, energy_wh, quality FROM elecbill.interval_usage WHERE meter = 'M3' ORDER BY 1;

-- an exchange: two installations, each with its own first and last value; the energy between is theirs alone
UPDATE elecbill.meter_installation SET valid = tstzrange(lower(valid), '2025-11-03 12:00Z')
WHERE meter_id = (SELECT id FROM elecbill.meter WHERE serial = 'M1');
INSERT INTO elecbill.meter (org_id, serial, model_id, kind, interval_s)
SELECT org_id, 'M1B', model_id, kind, interval_s FROM elecbill.meter WHERE serial = 'M1';
INSERT INTO elecbill.meter_register (org_id, meter_id, code, wrap_wh)
SELECT org_id, id, '1.8.0', 1000000000 FROM elecbill.meter WHERE serial = 'M1B';
INSERT INTO elecbill.meter_installation (org_id, meter_id, usage_point_id, multiplier, valid)
SELECT m.org_id, m.id, u.id, 2, '[2025-11-03 12:00Z,)' FROM elecbill.meter m, elecbill.usage_point u
WHERE m.serial = 'M1B' AND u.code = 'R1';
SELECT pg_temp.put('M1', '2025-11-03 12:00Z', 200000, '2025-11-03 12:00Z'),
	pg_temp.put('M1B', '2025-11-03 12:00Z', 50, '2025-11-03 12:00Z', 512), pg_temp.put('M1B', '2025-11-03 12:15Z', 60, '2025-11-03 12:15Z');
SELECT m.serial, p.boundary, p.primary_wh, p.wrap_wh, p.quality
FROM elecbill.point_readings((SELECT id FROM elecbill.usage_point WHERE code = 'R1'), '[2025-11-03 12:00Z,)') p
JOIN elecbill.meter_register g ON g.id = p.register_id JOIN elecbill.meter m ON m.id = g.meter_id ORDER BY 1, 2;
SELECT meter, from_at, to_at, energy_wh FROM elecbill.interval_usage
WHERE usage_point = 'R1' AND to_at >= '2025-11-03 12:00Z' ORDER BY 2;
SELECT count(*) FROM elecbill.point_readings(1, 'empty');
SELECT count(*) FROM elecbill.point_readings(1, NULL);
SELECT count(*) FROM elecbill.point_readings(-1, '[2025-11-03 12:00Z,)');

-- history stays: an installation changes only by its end, one meter has one place, one point one main meter
UPDATE elecbill.meter_installation SET multiplier = 3;
\echo :LAST_ERROR_SQLSTATE
\set VERBOSITY terse
UPDATE elecbill.meter_installation SET valid = tstzrange(lower(valid) - interval '1 day', upper(valid));
INSERT INTO elecbill.meter_installation (org_id, meter_id, usage_point_id, role, valid)
SELECT org_id, meter_id, usage_point_id + 1, 'check', valid FROM elecbill.meter_installation WHERE multiplier = 2;
INSERT INTO elecbill.meter_installation (org_id, meter_id, usage_point_id, valid)
SELECT m.org_id, m.id, u.id, '[2026-01-01Z,)' FROM elecbill.meter m, elecbill.usage_point u WHERE m.serial = 'M1' AND u.code = 'R2';
INSERT INTO elecbill.meter_installation (org_id, meter_id, usage_point_id, role, valid)
SELECT m.org_id, m.id, u.id, 'check', '[2026-01-01Z,)' FROM elecbill.meter m, elecbill.usage_point u WHERE m.serial = 'M1' AND u.code = 'R2';
INSERT INTO elecbill.meter_installation (org_id, meter_id, usage_point_id, valid) SELECT org_id, meter_id, usage_point_id, 'empty'
FROM elecbill.meter_installation WHERE multiplier = 2;

-- every invariant can be found broken
SELECT * FROM elecbill._fsck_reading();
BEGIN;
ALTER TABLE elecbill.reading_2025_11 DISABLE TRIGGER reading_append_only;
DROP TRIGGER reading_no_truncate ON elecbill.reading_2025_12;
ALTER TABLE elecbill.meter_register DISABLE TRIGGER meter_register_keep;
INSERT INTO elecbill.reading (register_id, read_at, register_wh, org_id, source) VALUES (-1, '2025-11-01Z', 1, 1, 1);
SELECT pg_temp.put('M3', '2025-11-09 16:00Z', 1000000000), pg_temp.put('M2', '2025-11-09 16:00Z', 1000, '2025-11-09 17:00Z');
UPDATE elecbill.meter_register SET code = '1.8.1' WHERE meter_id = (SELECT id FROM elecbill.meter WHERE serial = 'M3');
ALTER TABLE elecbill.service_location DISABLE TRIGGER service_location_check;
UPDATE elecbill.service_location SET parent_id = id WHERE code = 'R3';
INSERT INTO elecbill.agreement_attribute (org_id, agreement_id, name, value, valid)
SELECT org_id, id, 'contract_kva', '100', '[2020-01-01,)' FROM elecbill.customer_agreement LIMIT 1;
INSERT INTO elecbill.collector (org_id, code) SELECT id, 'C' FROM elecbill.org;
INSERT INTO elecbill.reading_conflict (org_id, register_id, read_at, stored_wh, offered_wh, collector_id, seq, received_at)
SELECT 1, 1, '2025-11-01Z', 1, 2, c.id, 1, elecbill.now() FROM elecbill.collector c;
SELECT * FROM elecbill._fsck_reading() ORDER BY 1, 2;
ROLLBACK;
BEGIN;
DO $$ BEGIN EXECUTE 'DROP TABLE elecbill.reading_' || to_char(elecbill.now() AT TIME ZONE 'UTC', 'YYYY_MM'); END $$;
SELECT DISTINCT invariant, detail FROM elecbill._fsck_reading();
ROLLBACK;
