-- ingest: the collector's door. Every row is counted once, and a bad one never stops the others
\set SHOW_CONTEXT never
SET timezone = 'UTC';
SET datestyle = 'ISO';
SET client_min_messages = warning;
CALL elecbill.create_schema();
SELECT elecbill.org_create('E1', 'Estate One');
SELECT elecbill.org_create('E2', 'Estate Two');
INSERT INTO elecbill.tariff_plan (org_id, code) SELECT id, 'T' FROM elecbill.org;
SELECT * FROM elecbill.import_estate('E1', convert_to(E'room,account_no,name,kind,meter_no,model,last_reading,last_read_at,tariff\nR1,A1,H1,residential,M1,X,100,2025-11-01,T\nR2,A2,H2,residential,M2,X,0,2025-11-01,T\nR3,A3,H3,residential,M3,X,999990,2025-11-01,T\n', 'UTF8'));
SELECT * FROM elecbill.import_estate('E2', convert_to(E'room,account_no,name,kind,meter_no,model,last_reading,last_read_at,tariff\nR9,A9,H9,residential,M9,X,0,2025-11-01,T\n', 'UTF8'));
SELECT elecbill.partition_maintain(0, '2025-11-01') >= 0 AS made;
\set c '\'00000000-0000-4000-8000-000000000001\''
SELECT elecbill.collector_create('E1', 'C1', :c);
-- one row, with defaults; the batch and its counts
CREATE FUNCTION pg_temp.one(seq bigint, kwh numeric, at timestamptz, meter text DEFAULT 'M1', register text DEFAULT '1.8.0',
	quality integer DEFAULT 0, meter_at timestamptz DEFAULT NULL, frame bytea DEFAULT NULL) RETURNS text
LANGUAGE sql AS $$
	SELECT format('accepted %s duplicate %s conflict %s rejected %s', accepted, duplicate, conflict, rejected)
	FROM elecbill.ingest('00000000-0000-4000-8000-000000000001', seq, ARRAY[meter], ARRAY[register], ARRAY[at],
		ARRAY[kwh], ARRAY[quality], ARRAY[meter_at], ARRAY[frame]) $$;

-- a good batch; the slot is the nearest multiple of 15 minutes
SELECT * FROM elecbill.ingest(:c, 1, '{M1,M1,M2}', '{1.8.0,1.8.1,1.8.0}',
	'{2025-11-01 00:15:00.25Z,2025-11-01 00:15:00.25Z,2025-11-01 00:14:58Z}', '{100.5,1.25,0.001}', '{0,NULL,2}',
	'{2025-11-01 00:15:03Z,NULL,NULL}');
SELECT m.serial, g.code, r.read_at, r.register_wh, r.slot_at, r.meter_at, r.seq, r.quality, r.source
FROM elecbill.reading r JOIN elecbill.meter_register g ON g.id = r.register_id JOIN elecbill.meter m ON m.id = g.meter_id
WHERE r.source = 0 ORDER BY 1, 2, 3;
SELECT acked_seq, last_seen_at <= elecbill.now() AS seen FROM elecbill.collector;
-- sent again it adds nothing
SELECT * FROM elecbill.ingest(:c, 1, '{M1,M1,M2}', '{1.8.0,1.8.1,1.8.0}',
	'{2025-11-01 00:15:00.25Z,2025-11-01 00:15:00.25Z,2025-11-01 00:14:58Z}', '{100.5,1.25,0.001}', '{0,NULL,2}',
	'{2025-11-01 00:15:03Z,NULL,NULL}');
SELECT count(*) FROM elecbill.reading WHERE source = 0;
SELECT count(*) FROM elecbill.reading_inbox;
-- the acknowledged number never moves back; no rows are no error
SELECT * FROM elecbill.ingest(:c, 1, '{}', '{}', '{}', '{}', '{}', '{}');
SELECT acked_seq FROM elecbill.collector;

-- another value for a stored instant: kept aside, once, and never written over the first
SELECT pg_temp.one(4, 100.6, '2025-11-01 00:15:00.25Z', frame => '\x68');
SELECT pg_temp.one(4, 100.6, '2025-11-01 00:15:00.25Z', frame => '\x68');
SELECT stored_wh, offered_wh, seq FROM elecbill.reading_conflict;
SELECT register_wh FROM elecbill.reading WHERE seq = 1;
-- inside one batch the first of two values counts, a repeated one is a duplicate
SELECT * FROM elecbill.ingest(:c, 5, '{M1,M1,M1}', '{1.8.0,1.8.0,1.8.0}',
	'{2025-11-01 00:30Z,2025-11-01 00:30Z,2025-11-01 00:30Z}', '{101,102,101}', '{0,0,0}', '{NULL,NULL,NULL}');
SELECT stored_wh, offered_wh, seq FROM elecbill.reading_conflict ORDER BY seq;

-- what a value may not be
SELECT pg_temp.one(10, NULL, '2025-11-01 01:00Z');
SELECT pg_temp.one(11, 'NaN', '2025-11-01 01:00Z');
SELECT pg_temp.one(12, 'Infinity', '2025-11-01 01:00Z');
SELECT pg_temp.one(13, '-Infinity', '2025-11-01 01:00Z');
SELECT pg_temp.one(14, -0.001, '2025-11-01 01:00Z');
SELECT pg_temp.one(15, 102.0001, '2025-11-01 01:00Z');
SELECT pg_temp.one(16, 1000000, '2025-11-01 01:00Z');
SELECT pg_temp.one(17, 1e131071, '2025-11-01 01:00Z');
SELECT pg_temp.one(18, 1e-16383, '2025-11-01 01:00Z');
-- what an instant may not be
SELECT pg_temp.one(20, 102, NULL);
SELECT pg_temp.one(21, 102, 'infinity');
SELECT pg_temp.one(22, 102, '-infinity');
SELECT pg_temp.one(23, 102, elecbill.now() + interval '10 min 1 s');
SELECT pg_temp.one(24, 102, '2025-10-31 15:59:59.999Z');
SELECT pg_temp.one(25, 102, '4714-11-24 00:00:00+00 BC');
-- whose it may not be
SELECT pg_temp.one(30, 102, '2025-11-01 01:00Z', meter => NULL);
SELECT pg_temp.one(31, 102, '2025-11-01 01:00Z', meter => 'M4');
SELECT pg_temp.one(32, 102, '2025-11-01 01:00Z', meter => 'M9');
SELECT pg_temp.one(33, 102, '2025-11-01 01:00Z', register => '2.8.0');
SELECT pg_temp.one(34, 102, '2025-11-01 01:00Z', register => NULL);
SELECT pg_temp.one(35, 102, '2025-11-01 01:00Z', quality => -1);
-- a frame without a value
SELECT pg_temp.one(36, NULL, NULL, meter => NULL, register => NULL, frame => '\x681234');
SELECT pg_temp.one(36, NULL, NULL, meter => NULL, register => NULL, frame => '\x681234');
-- all of it is there to look at, with the bytes and their hash, and nothing of it is a reading
SELECT seq, state, reason, meter, register, CASE WHEN seq <> 23 THEN read_at END AS read_at,
	CASE WHEN seq IN (17, 18) THEN left(kwh::text, 6) ELSE kwh::text END AS kwh, frame, sha256 = sha256(frame) AS hashed
FROM elecbill.reading_inbox ORDER BY seq;
SELECT count(*) FROM elecbill.reading WHERE seq >= 10;
SELECT acked_seq FROM elecbill.collector;
-- another content under a number that was used is not lost
SELECT pg_temp.one(36, NULL, NULL, meter => NULL, register => NULL, frame => '\x681235');
SELECT count(*) FROM elecbill.reading_inbox WHERE seq = 36;

-- limits that are still good: 10 minutes ahead, the instant of installation, the last Wh of the register
SELECT pg_temp.one(40, 100, elecbill.now() + interval '10 min', register => '1.8.2');
SELECT pg_temp.one(41, 0, '2025-10-31 16:00Z', register => '1.8.2');
SELECT pg_temp.one(42, 999999.999, '2025-11-01 01:00Z', register => '1.8.3');
SELECT pg_temp.one(43, 5.000, '2025-11-01 01:00Z', register => '1.8.4');

-- backwards is flagged by the value before it, rollover told apart; the frame of a flagged reading is kept
SELECT pg_temp.one(50, 101.5, '2025-11-01 02:00Z', frame => '\x01');
SELECT pg_temp.one(51, 101.4, '2025-11-01 02:15Z', frame => '\x02');
SELECT pg_temp.one(52, 101.6, '2025-11-01 02:30Z', quality => 1, frame => '\x03');
SELECT pg_temp.one(53, 12, '2025-11-01 02:00Z', meter => 'M3');
-- late: what is before it in time counts, not what came before it
SELECT pg_temp.one(54, 101.2, '2025-11-01 01:45Z');
SELECT pg_temp.one(55, 101.1, '2025-11-01 01:50Z');
-- a restart has nothing before it
SELECT pg_temp.one(56, 3, '2025-11-01 03:00Z', meter => 'M3', quality => 512);
SELECT pg_temp.one(57, 2, '2025-11-01 03:15Z', meter => 'M3', quality => 512);
-- inside a batch, in any order
SELECT * FROM elecbill.ingest(:c, 60, '{M2,M2,M2,M2}', '{1.8.0,1.8.0,1.8.0,1.8.0}',
	'{2025-11-01 05:00Z,2025-11-01 04:00Z,2025-11-01 04:30Z,2025-11-01 04:15Z}', '{4,1,1.5,2}', '{0,0,0,0}', '{NULL,NULL,NULL,NULL}');
SELECT m.serial, r.seq, r.read_at, r.register_wh, r.quality FROM elecbill.reading r
JOIN elecbill.meter_register g ON g.id = r.register_id JOIN elecbill.meter m ON m.id = g.meter_id
WHERE r.seq >= 50 ORDER BY 1, 3;
SELECT seq, state, reason, quality, frame FROM elecbill.reading_inbox WHERE seq >= 50 ORDER BY seq;
-- a meter clock that is no time is no time, and says so
SELECT pg_temp.one(70, 5, '2025-11-01 06:00Z', meter => 'M2', meter_at => 'infinity');
SELECT meter_at, quality FROM elecbill.reading WHERE seq = 70;

-- a second collector on the same meter: the row decides, not the collector
SELECT elecbill.collector_create('E1', 'C2', '00000000-0000-4000-8000-000000000002') IS NOT NULL AS made;
SELECT * FROM elecbill.ingest('00000000-0000-4000-8000-000000000002', 1, '{M1,M1}', '{1.8.0,1.8.0}',
	'{2025-11-01 02:30Z,2025-11-01 02:45Z}', '{101.6,102}', '{1,0}', '{NULL,NULL}', '{"\\x03",NULL}');

-- wrong calls are refused as a whole
SELECT * FROM elecbill.ingest(:c, 80, '{M1,M1}', '{1.8.0}', '{2025-11-01 07:00Z}', '{103}', '{0}', '{NULL}');
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM elecbill.ingest(:c, 80, NULL, '{1.8.0}', '{2025-11-01 07:00Z}', '{103}', '{0}', '{NULL}');
SELECT * FROM elecbill.ingest(:c, 80, '{M1}', '{1.8.0}', '{2025-11-01 07:00Z}', NULL, '{0}', '{NULL}');
SELECT * FROM elecbill.ingest(:c, 80, '{M1}', '{1.8.0}', '{2025-11-01 07:00Z}', '{103}', '{0}', '{NULL}', '{}');
SELECT * FROM elecbill.ingest(:c, 80, '{{M1}}', '{1.8.0}', '{2025-11-01 07:00Z}', '{103}', '{0}', '{NULL}');
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM elecbill.ingest(:c, 80, '{M1}', '{1.8.0}', '{2025-11-01 07:00Z}', '{{103}}', '{0}', '{NULL}');
SELECT * FROM elecbill.ingest(:c, NULL, '{M1}', '{1.8.0}', '{2025-11-01 07:00Z}', '{103}', '{0}', '{NULL}');
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM elecbill.ingest(:c, 0, '{M1}', '{1.8.0}', '{2025-11-01 07:00Z}', '{103}', '{0}', '{NULL}');
SELECT * FROM elecbill.ingest(:c, 9223372036854775807, '{M1}', '{1.8.0}', '{2025-11-01 07:00Z}', '{103}', '{0}', '{NULL}');
SELECT * FROM elecbill.ingest('00000000-0000-4000-8000-00000000000f', 80, '{M1}', '{1.8.0}', '{2025-11-01 07:00Z}', '{103}', '{0}', '{NULL}');
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM elecbill.ingest(NULL, 80, '{M1}', '{1.8.0}', '{2025-11-01 07:00Z}', '{103}', '{0}', '{NULL}');
SELECT i.* FROM (SELECT array_fill('M1'::text, '{100001}'), array_fill(NULL::timestamptz, '{100001}'),
	array_fill(1::numeric, '{100001}'), array_fill(0, '{100001}')) x(a, t, k, q),
	elecbill.ingest(:c, 80, a, a, t, k, q, t) i;
SELECT acked_seq FROM elecbill.collector WHERE code = 'C1';
-- arrays may begin where they like
SELECT * FROM elecbill.ingest(:c, 80, '[7:7]={M1}', '[0:0]={1.8.0}', '{2025-11-01 07:00Z}', '{103}', '{0}', '{NULL}');

-- 2000 random rows, good and bad: the counts add up, and what is not stored stands somewhere
SELECT setseed(0.25);
CREATE TEMP TABLE offer AS
SELECT i, (ARRAY['M1', 'M2', 'M3', 'M9', NULL])[1 + floor(random() * 5)::int] AS meter,
	(ARRAY['1.8.0', '1.8.1', '1.8.9', NULL])[1 + floor(random() * 4)::int] AS register,
	timestamptz '2025-11-02 00:00Z' + floor(random() * 20) * interval '15 min' AS at,
	(ARRAY[1, 2, 2.5, -1, 2.00001, 'NaN', 1e9, NULL])[1 + floor(random() * 8)::int]::numeric AS kwh
FROM generate_series(1, 2000) i;
CREATE TEMP TABLE got AS
SELECT g.* FROM (SELECT array_agg(meter ORDER BY i) m, array_agg(register ORDER BY i) r, array_agg(at ORDER BY i) t,
		array_agg(kwh ORDER BY i) k FROM offer) o,
	elecbill.ingest(:c, 1000, m, r, t, k, array_fill(0, '{2000}'), array_fill(NULL::timestamptz, '{2000}')) g;
CREATE TEMP TABLE good AS
SELECT DISTINCT ON (meter, register, at) * FROM offer
WHERE meter IN ('M1', 'M2', 'M3') AND register IN ('1.8.0', '1.8.1') AND kwh IN (1, 2, 2.5) ORDER BY meter, register, at, i;
SELECT accepted + duplicate + conflict + rejected = 2000 AS adds_up,
	accepted = (SELECT count(*) FROM good) AS first_of_each,
	accepted = (SELECT count(*) FROM elecbill.reading WHERE seq BETWEEN 1000 AND 2999) AS stored,
	rejected = (SELECT count(*) FROM elecbill.reading_inbox WHERE seq BETWEEN 1000 AND 2999) AS in_the_inbox,
	rejected = (SELECT count(*) FROM offer WHERE NOT (coalesce(meter, '') IN ('M1', 'M2', 'M3')
		AND coalesce(register, '') IN ('1.8.0', '1.8.1') AND coalesce(kwh, 0) IN (1, 2, 2.5))) AS as_many_as_bad,
	duplicate = (SELECT count(*) FROM offer o JOIN good g USING (meter, register, at) WHERE o.i <> g.i AND o.kwh = g.kwh) AS same_again,
	conflict = (SELECT count(*) FROM offer o JOIN good g USING (meter, register, at)
		WHERE o.kwh IN (1, 2, 2.5) AND o.kwh <> g.kwh) AS another
FROM got;
SELECT count(*) AS wrong FROM good o JOIN elecbill.meter m ON m.serial = o.meter
JOIN elecbill.meter_register g ON g.meter_id = m.id AND g.code = o.register
LEFT JOIN elecbill.reading r ON r.register_id = g.id AND r.read_at = o.at
WHERE r.register_wh IS DISTINCT FROM o.kwh * 1000 OR r.seq <> 999 + o.i;
SELECT * FROM elecbill._fsck_reading();

-- a row that vanishes on its way into the table ends the batch; nothing of it is acknowledged
CREATE FUNCTION public.swallow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
CREATE TRIGGER swallow BEFORE INSERT ON elecbill.reading FOR EACH ROW WHEN (NEW.register_wh = 105000) EXECUTE FUNCTION public.swallow();
SELECT * FROM elecbill.ingest(:c, 3000, '{M1,M1}', '{1.8.0,1.8.0}', '{2025-11-03 00:00Z,2025-11-03 00:15Z}', '{104,105}', '{0,0}', '{NULL,NULL}');
\echo :LAST_ERROR_SQLSTATE
DROP TRIGGER swallow ON elecbill.reading;
SELECT acked_seq, (SELECT count(*) FROM elecbill.reading WHERE seq >= 3000) AS stored FROM elecbill.collector WHERE code = 'C1';
