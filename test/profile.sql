-- profile.sql: packing days changes what they weigh, and nothing that anybody is told or billed
\set ON_ERROR_STOP 1
SET client_min_messages = warning;
SELECT plan(87);

-- ---------------------------------------------------------------- an estate in London, one on Lord Howe

CREATE FUNCTION pg_temp.home(org text, room text, since date, minutes integer DEFAULT 15, multiplier numeric DEFAULT 1,
	last_kwh numeric DEFAULT 0) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	fault text;
BEGIN
	SELECT string_agg(message, '; ') INTO fault FROM elecbill.import_estate(org, convert_to(format(
		E'room,account_no,name,kind,meter_no,model,last_reading,last_read_at,tariff,protocol,multiplier,interval_min\n'
		'%s,A-%1$s,Family %1$s,residential,M-%1$s,X,%5$s,%2$s,T,csvline,%3$s,%4$s\n', room, since, multiplier, minutes, last_kwh), 'UTF8'));
	IF fault IS NOT NULL THEN
		RAISE EXCEPTION '%', fault;
	END IF;
END $$;
-- readings of a meter behind one instant, up to another: the n-th adds (n * 7919 + m) % 1500 Wh; those in skip never came
CREATE FUNCTION pg_temp.read(meter text, since timestamptz, until timestamptz, step interval, base_wh bigint DEFAULT 0,
	skip tstzmultirange DEFAULT '{}', register text DEFAULT '1.8.0') RETURNS void LANGUAGE sql AS $$
	INSERT INTO elecbill.reading (register_id, read_at, slot_at, register_wh, org_id, source)
	SELECT r.id, r.at + interval '3 s', r.at, r.wh % r.wrap_wh, r.org_id, 0
	FROM (SELECT g.id, g.org_id, g.wrap_wh, t.at,
			base_wh + (sum((t.n * 7919 + ascii(right(meter, 1))) % 1500) OVER (ORDER BY t.n))::bigint AS wh
		FROM elecbill.meter_register g JOIN elecbill.meter m ON m.id = g.meter_id,
			generate_series(since + step, until, step) WITH ORDINALITY t(at, n)
		WHERE m.serial = meter AND g.code = register) r
	WHERE NOT r.at <@ skip;
$$;
CREATE FUNCTION pg_temp.put(meter text, at timestamptz, wh bigint, flags integer DEFAULT 0, came text DEFAULT '3 s') RETURNS void
LANGUAGE sql AS $$
	INSERT INTO elecbill.reading (register_id, read_at, slot_at, register_wh, org_id, source, quality)
	SELECT g.id, at + came::interval, at, wh, g.org_id, 0, flags
	FROM elecbill.meter_register g JOIN elecbill.meter m ON m.id = g.meter_id WHERE m.serial = meter AND g.code = '1.8.0';
$$;
CREATE FUNCTION pg_temp.wh(meter text, at timestamptz) RETURNS bigint LANGUAGE sql AS $$
	SELECT r.register_wh FROM elecbill._reading_all r JOIN elecbill.meter_register g ON g.id = r.register_id AND g.code = '1.8.0'
	JOIN elecbill.meter m ON m.id = g.meter_id WHERE m.serial = meter AND r.slot_at = at ORDER BY r.read_at LIMIT 1;
$$;
CREATE FUNCTION pg_temp.packed(point text) RETURNS TABLE (day date, n integer, exact boolean, version smallint) LANGUAGE sql AS $$
	SELECT p.day, elecbill.profile_count(p.profile), p.exact, p.version
	FROM elecbill.profile_day p JOIN elecbill.usage_point u ON u.id = p.usage_point_id
	WHERE u.code = point AND p.direction = 0;
$$;
CREATE FUNCTION pg_temp.bills() RETURNS TABLE (account text, month date, n integer, line text) LANGUAGE plpgsql AS $$
DECLARE
	a record;
	m date;
BEGIN
	FOR a IN SELECT o.code || '/' || x.account_no AS no FROM elecbill.customer_account x JOIN elecbill.org o ON o.id = x.org_id LOOP
		FOREACH m IN ARRAY '{2025-03-01,2025-04-01,2025-10-01}'::date[] LOOP
			BEGIN
				RETURN QUERY SELECT a.no, m, s.n, s::text
				FROM elecbill.simulate_bill(a.no, daterange(m, (m + interval '1 month')::date)) s;
			EXCEPTION WHEN SQLSTATE 'UB404' OR SQLSTATE 'UB422' THEN
				RETURN QUERY SELECT a.no, m, 0, SQLERRM;
			END;
		END LOOP;
	END LOOP;
END $$;

DO $$
BEGIN
	PERFORM elecbill.org_create('LON', 'London', 'Europe/London', 'GBP');
	PERFORM elecbill.partition_maintain(0, '2025-02-01');
	PERFORM elecbill.tariff_approve('T', elecbill.tariff_draft('T', '[2025-01-01,)', '{"elecbill": 1, "currency": "GBP",
		"zone": "Europe/London", "schedules": {"tou": [{"period": "peak", "spans": [["07:10", "22:00"]]}, {"period": "low"}]},
		"demands": {"top": {"window": 30}}, "components": [
		{"code": "energy", "kind": "energy", "price": {"period": {"peak": 0.31727, "low": 0.12219}}},
		{"code": "level", "kind": "energy", "tier": {"scope": "day", "steps": [{"up_to": 9.5, "price": 0.1}, {"price": 0.2}]}},
		{"code": "top", "kind": "demand", "demand": "top", "price": 2.5}]}', 'ann'), 'bob');
	PERFORM elecbill.org_create('LHI', 'Lord Howe', 'Australia/Lord_Howe', 'AUD');
	INSERT INTO elecbill.tariff_plan (org_id, code) SELECT o.id, 'T' FROM elecbill.org o WHERE o.code = 'LHI';

	PERFORM pg_temp.home('LON', 'A', '2025-03-01'), pg_temp.read('M-A', '2025-03-01 00:00+00', '2025-05-01 00:00+01', '15 min');
	PERFORM pg_temp.home('LON', 'B', '2025-03-01', 30, 1.333), pg_temp.read('M-B', '2025-03-01 00:00+00', '2025-05-01 00:00+01', '30 min');
	-- gaps within a day, over a midnight, and from one on
	PERFORM pg_temp.home('LON', 'G', '2025-03-01'), pg_temp.read('M-G', '2025-03-01 00:00+00', '2025-05-01 00:00+01', '15 min', 0,
		'{[2025-03-10 03:05+00,2025-03-10 05:10+00],[2025-03-15 22:10+00,2025-03-16 02:05+00],[2025-03-20 00:05+00,2025-03-20 00:50+00]}');
	-- set back by a technician; restarts at 5 kWh
	PERFORM pg_temp.home('LON', 'R', '2025-03-01'), pg_temp.read('M-R', '2025-03-01 00:00+00', '2025-03-12 10:00+00', '15 min'),
		pg_temp.put('M-R', '2025-03-12 11:00+00', 5000, 512), pg_temp.read('M-R', '2025-03-12 11:00+00', '2025-05-01 00:00+01', '15 min', 5000);
	-- rolls over in March
	PERFORM pg_temp.home('LON', 'W', '2025-03-01', 15, 1, 999000), pg_temp.read('M-W', '2025-03-01 00:00+00', '2025-05-01 00:00+01', '15 min', 999000000);
	-- runs backwards on the 14th
	PERFORM pg_temp.home('LON', 'D', '2025-03-01'), pg_temp.read('M-D', '2025-03-01 00:00+00', '2025-03-14 12:00+00', '15 min'),
		pg_temp.read('M-D', '2025-03-14 12:00+00', '2025-05-01 00:00+01', '15 min', 900000);
	-- read by hand between two slots on the 11th
	PERFORM pg_temp.home('LON', 'H', '2025-03-01'), pg_temp.read('M-H', '2025-03-01 00:00+00', '2025-05-01 00:00+01', '15 min');
	PERFORM elecbill.reading_add('LON', 'M-H', '1.8.0', '2025-03-11 10:07+00', pg_temp.wh('M-H', '2025-03-11 10:00+00') / 1000.0);
	-- a value a day, and one every two hours
	PERFORM pg_temp.home('LON', 'Y', '2025-03-01', 1440), pg_temp.read('M-Y', '2025-03-01 00:00+00', '2025-03-29 00:00+00', '24 hours');
	PERFORM pg_temp.home('LON', 'S', '2025-03-01', 120), pg_temp.read('M-S', '2025-03-01 00:00+00', '2025-03-30 00:00+00', '2 hours');
	PERFORM pg_temp.home('LON', 'O', '2025-10-01'), pg_temp.read('M-O', '2025-10-01 00:00+01', '2025-11-01 00:00+00', '15 min');
	PERFORM pg_temp.home('LHI', 'N', '2025-04-01', 30), pg_temp.read('M-N', '2025-04-01 00:00+11', '2025-04-10 00:00+10:30', '30 min');
	PERFORM pg_temp.home('LHI', 'Q', '2025-10-01', 15), pg_temp.read('M-Q', '2025-10-01 00:00+10:30', '2025-10-10 00:00+11', '15 min');
	-- sun on the roof of A
	INSERT INTO elecbill.meter_register (org_id, meter_id, code, wrap_wh)
	SELECT m.org_id, m.id, '2.8.0', 1000000000 FROM elecbill.meter m WHERE m.serial = 'M-A';
	PERFORM pg_temp.read('M-A', '2025-02-28 23:45+00', '2025-03-05 00:00+00', '15 min', 0, '{}', '2.8.0');
	-- the meter of B counts its day tariff, too
	INSERT INTO elecbill.meter_register (org_id, meter_id, code, wrap_wh)
	SELECT m.org_id, m.id, '1.8.1', 1000000000 FROM elecbill.meter m WHERE m.serial = 'M-B';
	PERFORM pg_temp.read('M-B', '2025-03-01 00:00+00', '2025-05-01 00:00+01', '30 min', 0, '{}', '1.8.1');
	-- three meters that do all at once: gaps, several values in a slot, by hand, flags, backwards, set back
	PERFORM setseed(0.42);
	FOR k IN 1 .. 3 LOOP
		PERFORM pg_temp.home('LON', 'K' || k, '2025-03-01', 15, (ARRAY[1, 0.75, 40])[k]);
		INSERT INTO elecbill.reading (register_id, read_at, slot_at, register_wh, org_id, source, quality)
		SELECT r.id, r.slot + r.late, CASE WHEN r.hand >= 0.01 THEN r.slot END,
			r.wh - CASE WHEN r.fall < 0.003 THEN 400 ELSE 0 END, r.org_id, 0,
			CASE WHEN r.flag < 0.002 THEN 512 WHEN r.flag < 0.005 THEN 16 WHEN r.flag < 0.02 THEN 64 WHEN r.flag < 0.1 THEN 258 ELSE 0 END
		FROM (SELECT g.id, g.org_id, t.slot, random() AS gap, random() AS hand, random() AS flag, random() AS fall,
				make_interval(secs => floor(random() * 880 - 440)) AS late, sum(floor(random() * 300)::bigint) OVER (ORDER BY t.slot, t.i) + 1000 AS wh
			FROM elecbill.meter_register g JOIN elecbill.meter m ON m.id = g.meter_id AND m.serial = 'M-K' || k,
				LATERAL (SELECT s.slot, c.i FROM generate_series(timestamptz '2025-03-01 00:15+00', '2025-05-01 00:00+01', '15 min') s(slot),
					generate_series(1, 2) c(i) WHERE c.i = 1 OR random() < 0.02) t) r
		WHERE r.gap >= 0.01
		ON CONFLICT DO NOTHING;
	END LOOP;
	-- another meter at X from the 18th, seven minutes past ten
	PERFORM pg_temp.home('LON', 'X', '2025-03-01'), pg_temp.read('M-X', '2025-03-01 00:00+00', '2025-03-18 10:00+00', '15 min');
	UPDATE elecbill.meter_installation i SET valid = tstzrange(lower(i.valid), '2025-03-18 10:07+00')
	FROM elecbill.meter m WHERE m.id = i.meter_id AND m.serial = 'M-X';
	PERFORM elecbill.reading_add('LON', 'M-X', '1.8.0', '2025-03-18 10:07+00', pg_temp.wh('M-X', '2025-03-18 10:00+00') / 1000.0 + 0.1);
	WITH device AS (
		INSERT INTO elecbill.meter (org_id, serial, model_id, kind, interval_s)
		SELECT m.org_id, 'M-Z', m.model_id, 'smart', 900 FROM elecbill.meter m WHERE m.serial = 'M-X' RETURNING *
	), register AS (
		INSERT INTO elecbill.meter_register (org_id, meter_id, code, wrap_wh) SELECT d.org_id, d.id, '1.8.0', 1000000000 FROM device d
		RETURNING *
	), place AS (
		INSERT INTO elecbill.meter_installation (org_id, meter_id, usage_point_id, valid)
		SELECT d.org_id, d.id, u.id, tstzrange('2025-03-18 10:07+00', NULL)
		FROM device d JOIN elecbill.usage_point u ON u.org_id = d.org_id AND u.code = 'X'
	)
	INSERT INTO elecbill.reading (register_id, read_at, register_wh, org_id, quality, source)
	SELECT r.id, '2025-03-18 10:07+00', 70000, r.org_id, 512, 3 FROM register r;
	PERFORM pg_temp.read('M-Z', '2025-03-18 10:00+00', '2025-05-01 00:00+01', '15 min', 70000);
END $$;

ANALYZE elecbill.reading, elecbill.meter, elecbill.meter_register, elecbill.meter_installation, elecbill.usage_point;
CREATE TABLE said AS SELECT v.* FROM elecbill.interval_usage v;
CREATE TABLE billed AS SELECT b.* FROM pg_temp.bills() b;
CREATE FUNCTION pg_temp.said_otherwise() RETURNS TABLE (what text, is jsonb) LANGUAGE sql AS $$
	SELECT 'was', to_jsonb(x) FROM (SELECT * FROM said EXCEPT ALL SELECT * FROM elecbill.interval_usage) x
	UNION ALL SELECT 'is', to_jsonb(x) FROM (SELECT * FROM elecbill.interval_usage EXCEPT ALL SELECT * FROM said) x
	UNION ALL SELECT 'was', to_jsonb(x) FROM (SELECT * FROM billed EXCEPT ALL SELECT * FROM pg_temp.bills()) x
	UNION ALL SELECT 'is', to_jsonb(x) FROM (SELECT * FROM pg_temp.bills() EXCEPT ALL SELECT * FROM billed) x;
$$;
SELECT cmp_ok((SELECT count(*)::integer FROM billed WHERE n > 0), '>', 20, 'there is something to bill');
SELECT cmp_ok((SELECT count(*)::integer FROM said), '>', 40000, 'and much to tell');

-- ---------------------------------------------------------------- packing

CALL elecbill.pack_profiles('LON', '2025-11-02');
CALL elecbill.pack_profiles('LHI');
SELECT is_empty('SELECT * FROM elecbill.fsck()', 'packed days add up to what the registers say, to the Wh');
SELECT is_empty('SELECT * FROM pg_temp.said_otherwise()', 'nobody is told or billed anything else because days were packed');
SELECT is((SELECT count(*)::integer FROM pg_temp.packed('A') WHERE exact), 61, 'all days of March and April are packed');
SELECT is((SELECT n FROM pg_temp.packed('A') WHERE day = '2025-03-30'), 92, 'the day on which the clocks go forward has 92 quarter hours');
SELECT is((SELECT n FROM pg_temp.packed('O') WHERE day = '2025-10-26'), 100, 'the day on which they go back has 100');
SELECT is((SELECT n FROM pg_temp.packed('N') WHERE day = '2025-04-06'), 49, 'on Lord Howe they go back by half an hour: 49 half hours');
SELECT is((SELECT n FROM pg_temp.packed('Q') WHERE day = '2025-10-05'), 94, 'and forward by half an hour: 94 quarter hours');
SELECT is((SELECT count(*)::integer FROM pg_temp.packed('Y')), 28, 'a meter that is read once a day has days of one value');
SELECT is((SELECT max(n) FROM pg_temp.packed('S')), 12, 'one that is read every two hours has twelve');
SELECT is((SELECT string_agg(day::text, ' ' ORDER BY day) FROM generate_series(date '2025-03-01', '2025-03-31', '1 day') d(d), LATERAL (SELECT d::date) t(day)
	WHERE NOT EXISTS (SELECT FROM pg_temp.packed('G') p WHERE p.day = t.day)), '2025-03-15 2025-03-16',
	'a gap over midnight leaves both days to their readings, a gap in the day does not');
SELECT is((SELECT string_agg(concat_ws(' ', to_char(u.slot_at AT TIME ZONE 'UTC', 'HH24:MI'), to_char(u.to_at AT TIME ZONE 'UTC', 'HH24:MI'), u.energy_wh), ', ')
	FROM (SELECT * FROM elecbill.unpack('LON', 'G', '2025-03-20') LIMIT 2) u),
	(SELECT string_agg(concat_ws(' ', to_char(v.from_at AT TIME ZONE 'UTC', 'HH24:MI'), to_char(v.to_at AT TIME ZONE 'UTC', 'HH24:MI'), v.energy_wh), ', ')
	FROM (SELECT * FROM said WHERE usage_point = 'G' AND from_at >= '2025-03-20 00:00+00' ORDER BY from_at LIMIT 2) v),
	'what passed in a gap is one span, also at the start of a day');
SELECT is((SELECT energy_wh FROM elecbill.unpack('LON', 'R', '2025-03-12') WHERE quality & 512 <> 0), NULL,
	'what passed before a register was set back is missing');
SELECT is((SELECT count(*)::integer FROM pg_temp.packed('R') WHERE exact), 61, 'and the day is exact all the same');
SELECT is((SELECT count(*)::integer FROM pg_temp.packed('W') WHERE exact), 61, 'a register that rolls over is no trouble');
SELECT is((SELECT string_agg(day::text, ' ' ORDER BY day) FROM pg_temp.packed('D') WHERE NOT exact), '2025-03-14',
	'the day on which a register ran backwards is packed for looking at, not for bills');
SELECT is((SELECT string_agg(day::text, ' ' ORDER BY day) FROM pg_temp.packed('H') WHERE NOT exact), '2025-03-11',
	'so is the day with a reading between two slots');
SELECT is((SELECT string_agg(day::text, ' ' ORDER BY day) FROM pg_temp.packed('X') WHERE NOT exact), '2025-03-18',
	'and the day on which the meter was exchanged');
SELECT is((SELECT sum(u.energy_wh) FROM elecbill.unpack('LON', 'X', '2025-03-18') u WHERE u.slot_at = '2025-03-18 10:00+00'),
	(SELECT sum(v.energy_wh) FROM said v WHERE v.usage_point = 'X' AND v.from_at >= '2025-03-18 10:00+00' AND v.to_at <= '2025-03-18 10:15+00'),
	'in the slot of the exchange both meters count');
SELECT cmp_ok((SELECT count(*)::integer FROM elecbill.usage_point u, pg_temp.packed(u.code) p WHERE u.code LIKE 'K_' AND p.exact), '>', 30,
	'many days of restless meters are packed');
SELECT cmp_ok((SELECT count(*)::integer FROM elecbill.usage_point u, pg_temp.packed(u.code) p WHERE u.code LIKE 'K_' AND NOT p.exact), '>', 10, 'some not exactly');
SELECT is((SELECT count(*)::integer FROM elecbill.unpack('LON', 'A', '2025-03-02', 'export')), 96, 'what A fed in is packed, too');
CREATE TABLE unpacked AS SELECT u.code AS usage_point, elecbill.profile_direction(p.profile) AS direction, x.*
	FROM elecbill.profile_day p JOIN elecbill.usage_point u ON u.id = p.usage_point_id, elecbill.profile_unpacked(p.profile) x WHERE p.exact;
CREATE TABLE covered AS SELECT s.usage_point, s.direction, s.from_at, s.to_at, s.energy_wh, s.quality
	FROM elecbill.profile_day p JOIN elecbill.usage_point u ON u.id = p.usage_point_id, elecbill.profile_during(p.profile) w, said s
	WHERE p.exact AND s.usage_point = u.code AND s.register = ('{1.8.0,2.8.0}'::text[])[p.direction + 1] AND s.from_at >= lower(w) AND s.to_at <= upper(w);
SELECT is_empty('(SELECT * FROM unpacked EXCEPT ALL SELECT * FROM covered) UNION ALL (SELECT * FROM covered EXCEPT ALL SELECT * FROM unpacked)',
	'unpacked, each day is what its readings gave: instants, energy, flags');
ANALYZE elecbill.profile_day, elecbill.pack_point;
CREATE TABLE first_time AS SELECT * FROM elecbill.profile_day;
CALL elecbill.pack_profiles('LON', '2025-11-02');
SELECT elecbill.pack_again('LON', 'G', '[2025-03-01,2025-04-01)');
CALL elecbill.pack_profiles('LON', '2025-11-02');
SELECT is_empty('(SELECT * FROM first_time EXCEPT SELECT * FROM elecbill.profile_day) UNION ALL (SELECT * FROM elecbill.profile_day EXCEPT SELECT * FROM first_time)',
	'packed again, nothing changes');
SELECT is((SELECT count(*)::integer FROM elecbill.profile_trace), 0, 'and nothing is said to have changed');

-- ---------------------------------------------------------------- what comes late

SELECT pg_temp.put('M-G', '2025-03-10 04:00+00', pg_temp.wh('M-G', '2025-03-10 03:00+00') + 70);
SELECT is((SELECT count(*)::integer FROM elecbill.interval_usage WHERE usage_point = 'G' AND from_at >= '2025-03-10 03:00+00'
	AND to_at <= '2025-03-10 05:15+00'), 2, 'a reading that comes late counts at once');
SELECT is((SELECT energy_wh FROM elecbill.interval_usage WHERE usage_point = 'G' AND to_at = '2025-03-10 04:00+00'), 70::bigint,
	'with the energy up to it');
CREATE TABLE late AS SELECT v.* FROM elecbill.interval_usage v WHERE usage_point = 'G';
CREATE TABLE late_bill AS SELECT s.* FROM elecbill.simulate_bill('A-G', '[2025-03-01,2025-04-01)') s;
CALL elecbill.pack_profiles('LON', '2025-11-02');
SELECT is((SELECT version::integer FROM pg_temp.packed('G') WHERE day = '2025-03-10'), 2, 'its day is packed a second time');
SELECT is((SELECT concat_ws('|', day, direction, version, after_wh - before_wh, slots, why) FROM elecbill.profile_trace),
	'2025-03-10|0|2|0|2|late reading', 'and what changed is written down: one value less, one more, the sum is the same');
SELECT is_empty('(SELECT * FROM late EXCEPT SELECT * FROM elecbill.interval_usage) UNION ALL (SELECT * FROM elecbill.interval_usage WHERE usage_point = $$G$$ EXCEPT SELECT * FROM late)',
	'packed, the day says what its readings said');
SELECT is_empty($$(SELECT * FROM late_bill EXCEPT SELECT * FROM elecbill.simulate_bill('A-G', '[2025-03-01,2025-04-01)'))
	UNION ALL (SELECT * FROM elecbill.simulate_bill('A-G', '[2025-03-01,2025-04-01)') EXCEPT SELECT * FROM late_bill)$$, 'the bill, too');
SELECT pg_temp.put('M-G', '2025-03-16 00:00+00', pg_temp.wh('M-G', '2025-03-15 22:00+00') + 10);
CALL elecbill.pack_profiles('LON', '2025-11-02');
SELECT is((SELECT count(*)::integer FROM pg_temp.packed('G') WHERE day IN ('2025-03-15', '2025-03-16') AND exact), 2,
	'the reading of a midnight that comes late lets both days be packed');
-- an installation that was closed at another day than people thought
SELECT is((SELECT count(*)::integer FROM pg_temp.packed('Y') WHERE day >= '2025-03-20'), 9, 'the daily meter is packed to the end');
UPDATE elecbill.meter_installation i SET valid = tstzrange(lower(i.valid), '2025-03-20 00:00+00')
FROM elecbill.meter m WHERE m.id = i.meter_id AND m.serial = 'M-Y';
SELECT is((SELECT count(*)::integer FROM elecbill.interval_usage WHERE usage_point = 'Y' AND from_at >= '2025-03-20 00:00+00'), 0,
	'a meter that was taken down has measured nothing since');
CALL elecbill.pack_profiles('LON', '2025-11-02');
SELECT is((SELECT count(*)::integer FROM pg_temp.packed('Y') WHERE day >= '2025-03-20'), 0, 'days after it are packed no more');
SELECT is((SELECT count(*)::integer FROM elecbill.profile_trace WHERE why = 'meter installation' AND version IS NULL), 9, 'and their loss is written down');
SELECT is_empty('SELECT * FROM elecbill.fsck()', 'all is well');

-- ---------------------------------------------------------------- what was loaded, and bad blocks

SELECT pg_temp.home('LON', 'V', '2025-03-01');
CREATE FUNCTION pg_temp.load(point text, day date, profile text) RETURNS void LANGUAGE sql AS $$
	INSERT INTO elecbill.profile_day (usage_point_id, org_id, day, direction, origin, exact, profile)
	SELECT u.id, u.org_id, day, 0, 1, true, profile::elecbill.load_profile FROM elecbill.usage_point u WHERE u.code = point;
$$;
SELECT throws_ok($$SELECT pg_temp.load('V', '2025-03-02', 'import 2025-03-02T12:00:00Z/PT15M 100*96')$$, 'UB400',
	'a load profile must fill its local day, in its own direction, at a usage point of the org', 'a block that crosses midnight is refused');
SELECT throws_ok($$SELECT pg_temp.load('V', '2025-03-02', 'import 2025-03-02T00:00:00Z/PT15M 100*95')$$, 'UB400', NULL, 'so is one that ends before it');
SELECT throws_ok($$SELECT pg_temp.load('V', '2025-03-30', 'import 2025-03-30T00:00:00Z/PT15M 100*96')$$, 'UB400', NULL,
	'so is one of 24 hours on the day that has 23');
SELECT throws_ok($$SELECT pg_temp.load('V', '2025-03-02', 'export 2025-03-02T00:00:00Z/PT15M 100*96')$$, 'UB400', NULL, 'and what was fed in is not what was used');
SELECT pg_temp.load('V', d::date, 'import ' || to_char(d, 'YYYY-MM-DD') || 'T00:00:00Z/PT30M 100*40 ' || CASE d WHEN '2025-03-05' THEN '-*8' ELSE '100*8' END)
FROM generate_series(timestamp '2025-03-01', '2025-03-29', '1 day') d;
SELECT throws_ok($$SELECT pg_temp.load('V', '2025-03-02', 'import 2025-03-02T00:00:00Z/PT15M 100*96')$$, '23505', NULL, 'a day is loaded once');
SELECT throws_ok($$DELETE FROM elecbill.profile_day WHERE origin = 1$$, 'UB403', 'load profiles are kept as they were written', 'what was loaded stays');
SELECT throws_ok($$UPDATE elecbill.profile_day SET profile = profile OPERATOR(elecbill.*) 2, version = 2::smallint WHERE origin = 1$$, 'UB403', NULL, 'as it was');
SELECT throws_ok($$UPDATE elecbill.profile_day SET profile = 'import 2025-03-05T00:00:00Z/PT30M 100*39 101 5*8', version = 2::smallint
	WHERE origin = 1 AND day = '2025-03-05'$$, 'UB403', 'values of a loaded day are kept as they came', 'each of its values');
SELECT throws_ok($$TRUNCATE elecbill.profile_day$$, 'UB403', NULL, 'all of it');
SELECT throws_ok($$TRUNCATE elecbill.profile_day_2025q1$$, 'UB403', NULL, 'or a quarter of it');
SELECT throws_ok($$UPDATE elecbill.org SET zone = 'Europe/Berlin' WHERE code = 'LON'$$, 'UB412', 'the zone of org ''LON'' cannot change',
	'London does not move to Berlin while its days are packed');
SELECT is((SELECT sum(quantity) FROM elecbill.simulate_bill('A-V', '[2025-03-01,2025-03-29)') WHERE component = 'energy'), 133.6,
	'days that were loaded are billed: 28 days of 4.8 kWh, less the four hours that nobody knows');
SELECT is((SELECT count(*)::integer FROM elecbill.interval_usage WHERE usage_point = 'V' AND from_at < '2025-03-29 00:00+00'), 28 * 48 - 8,
	'and told');
-- its meter is read from the 10th on
SELECT pg_temp.read('M-V', '2025-03-09 23:45+00', '2025-04-30 23:00+00', '15 min', 1000);
CALL elecbill.pack_profiles('LON', '2025-11-02');
SELECT is((SELECT sum(quantity) FROM elecbill.simulate_bill('A-V', '[2025-03-01,2025-03-29)') WHERE component = 'energy'), 133.6,
	'readings do not count where a day was loaded');
SELECT is((SELECT string_agg(DISTINCT origin::text, ' ') FROM elecbill.profile_day p JOIN elecbill.usage_point u ON u.id = p.usage_point_id
	WHERE u.code = 'V' AND day BETWEEN '2025-03-10' AND '2025-03-29'), '1', 'nor are they packed over it');
SELECT is_empty('SELECT * FROM elecbill.fsck()', 'all is well with loaded days');
SELECT throws_ok($$SELECT * FROM elecbill.unpack('LON', 'V', '2025-03-01', 'sideways')$$, 'UB400', 'unknown direction ''sideways''', 'there is no such direction');
SELECT throws_ok($$SELECT * FROM elecbill.unpack('LON', 'NOBODY', '2025-03-01')$$, 'UB404', 'there is no usage point ''NOBODY''', 'nor such a home');
SELECT throws_ok($$SELECT elecbill.pack_again('LON', 'NOBODY', '[2025-03-01,2025-03-02)')$$, 'UB404', 'no day of usage point ''NOBODY'' was packed', 'nor can it be packed');
SELECT throws_ok($$SELECT elecbill.pack_again('LON', 'A', '[2025-03-01,)')$$, 'UB400', 'days to be packed again have a first and a last one', 'for ever is too long');
SELECT throws_ok($$SELECT elecbill._pack_begin('LON', '-infinity')$$, 'UB400', 'days are packed until a date', 'and so is since ever');

-- ---------------------------------------------------------------- bills before and after, then the readings go

CALL elecbill.bill_month('LON', 'MONTH', '2025-03');
SELECT cmp_ok((SELECT count(*)::integer FROM elecbill.bill WHERE number IS NOT NULL), '>=', 8, 'March is billed from profiles');
-- what V used in four hours of the 5th becomes known
UPDATE elecbill.profile_day SET profile = 'import 2025-03-05T00:00:00Z/PT30M 100*40 5*8', version = 2::smallint WHERE origin = 1 AND day = '2025-03-05';
SELECT is((SELECT concat_ws('|', before_wh, after_wh, slots, why) FROM elecbill.profile_trace WHERE day = '2025-03-05'),
	'4000|4040|8|missing values came', 'a loaded day takes values where it has none');
SELECT is_empty('SELECT * FROM elecbill.fsck()', 'the bill of March was right without them');
-- a reading comes before the one that the bill rests on, into the same slot
SELECT pg_temp.put('M-B', '2025-04-01 00:00+01', pg_temp.wh('M-B', '2025-04-01 00:00+01') - 1, 0, '1 s');
CALL elecbill.pack_profiles('LON', '2025-11-02');
CREATE TABLE april AS SELECT a.account_no, s.* FROM elecbill.customer_account a JOIN elecbill.org o ON o.id = a.org_id AND o.code = 'LON',
	elecbill.simulate_bill(a.account_no, '[2025-04-01,2025-05-01)') s WHERE a.account_no NOT IN ('A-D', 'A-Y', 'A-S', 'A-O', 'A-V', 'A-K1', 'A-K2', 'A-K3');
SELECT is((SELECT round(quantity, 3) FROM (SELECT sum(quantity) AS quantity FROM april WHERE account_no = 'A-B' AND component = 'energy') x),
	(SELECT round((round(pg_temp.wh('M-B', '2025-05-01 00:00+01') * 1.333) - round(s.end_wh * 1.333)) / 1000, 3)
	FROM elecbill.bill_segment s JOIN elecbill.usage_point u ON u.id = s.usage_point_id WHERE u.code = 'B'),
	'the next bill goes on from the reading on the last one, not from the one that came late');
-- a register that has no profile keeps its midnights
CREATE TABLE told AS SELECT v.* FROM elecbill.interval_usage v WHERE register <> '1.8.1';
CREATE TABLE daily AS SELECT v.* FROM elecbill.usage_daily v;
CREATE TABLE explained AS SELECT b.id, e.n, e.text FROM elecbill.bill b, elecbill.explain_bill(b.id::text, 'en') e;
CREATE TABLE drawn AS SELECT a.account_no, elecbill.svg_load_curve(o.code || '/' || a.account_no, '[2025-03-01,2025-04-01)', 'en') AS svg
	FROM elecbill.customer_account a JOIN elecbill.org o ON o.id = a.org_id;
CREATE TABLE stored AS SELECT count(*) AS n FROM elecbill.reading WHERE read_at < '2025-04-01 00:00+00';
SELECT throws_ok($$SELECT elecbill._drop_next('infinity')$$, 'UB400', 'readings are dropped before a date that is past', 'not all readings can be dropped');
SELECT elecbill.pack_again('LON', 'A', '[2025-03-02,2025-03-03)');
SELECT throws_ok($$SELECT elecbill._drop_check('2025-04-01 00:00+00')$$, 'UB412', '1 usage point(s) have readings that are not packed',
	'while a day waits to be packed, its month is not dropped');
CALL elecbill.pack_profiles('LON', '2025-11-02');
CALL elecbill.drop_readings('2025-04-01');
SELECT is((SELECT string_agg(month::text, ' ' ORDER BY month) FROM elecbill.reading_retention WHERE dropped_at IS NOT NULL AND readings > 0), '2025-03-01', 'March is dropped');
SELECT is((SELECT sum(readings) FROM elecbill.reading_retention), (SELECT n::numeric FROM stored), 'with all they had');
SELECT is((SELECT sum(kept) FROM elecbill.reading_retention), (SELECT count(*)::numeric FROM elecbill.reading_kept), 'what is kept of it');
SELECT cmp_ok((SELECT count(*) FROM elecbill.reading_kept)::numeric, '<', (SELECT n * 0.5 FROM stored), 'is less than half, restless meters included');
SELECT is_empty($$SELECT FROM elecbill.reading WHERE read_at < '2025-04-01 00:00+00'$$, 'nothing of March is left in place');
SELECT is_empty('SELECT * FROM elecbill.fsck()', 'all is well without the readings');
SELECT is_empty('(SELECT * FROM told EXCEPT ALL SELECT * FROM elecbill.interval_usage) UNION ALL (SELECT * FROM elecbill.interval_usage WHERE register <> $$1.8.1$$ EXCEPT ALL SELECT * FROM told)',
	'nobody is told anything else');
SELECT is_empty('(SELECT * FROM daily EXCEPT ALL SELECT * FROM elecbill.usage_daily) UNION ALL (SELECT * FROM elecbill.usage_daily EXCEPT ALL SELECT * FROM daily)',
	'day by day');
SELECT is_empty($$SELECT * FROM explained EXCEPT SELECT b.id, e.n, e.text FROM elecbill.bill b, elecbill.explain_bill(b.id::text, 'en') e$$,
	'bills are explained as before');
SELECT is_empty($$SELECT * FROM drawn EXCEPT SELECT a.account_no, elecbill.svg_load_curve(o.code || '/' || a.account_no, '[2025-03-01,2025-04-01)', 'en')
	FROM elecbill.customer_account a JOIN elecbill.org o ON o.id = a.org_id$$, 'and drawn');
SELECT is_empty($$SELECT b.id, l.n FROM elecbill.bill b JOIN elecbill.customer_account a ON a.id = b.account_id JOIN elecbill.bill_line l ON l.bill_id = b.id
	JOIN elecbill.org o ON o.id = a.org_id WHERE a.account_no <> 'A-V' AND NOT EXISTS (SELECT FROM elecbill.simulate_bill(o.code || '/' || a.account_no, b.service) s
		WHERE (s.n, s.component, s.period, s.tier, s.quantity, s.price, s.amount_raw, s.amount)
			IS NOT DISTINCT FROM (l.n, l.component, l.period, l.tier, l.quantity, l.price, l.amount_raw, l.amount))$$,
	'a bill made again has the same lines');
SELECT is_empty($$SELECT * FROM april EXCEPT SELECT a.account_no, s.* FROM elecbill.customer_account a JOIN elecbill.org o ON o.id = a.org_id AND o.code = 'LON',
	elecbill.simulate_bill(a.account_no, '[2025-04-01,2025-05-01)') s WHERE a.account_no NOT IN ('A-D', 'A-Y', 'A-S', 'A-O', 'A-V', 'A-K1', 'A-K2', 'A-K3')$$,
	'the month after it, too');

-- ---------------------------------------------------------------- what comes after that is too late

SELECT elecbill.collector_create('LON', 'C1', '00000000-0000-4000-8000-000000000001') IS NOT NULL AS made;
SELECT is((SELECT format('%s new, %s again, %s other, %s refused', i.accepted, i.duplicate, i.conflict, i.rejected)
	FROM elecbill.ingest('00000000-0000-4000-8000-000000000001', 1, '{M-A,M-A}', '{1.8.0,1.8.0}',
		'{2025-03-10 12:00:03+00,2025-05-01 00:15:03+01}', '{1000,99999}', '{0,0}', '{NULL,NULL}') i), '1 new, 0 again, 0 other, 1 refused',
	'a reading of March that comes once more is not taken for a new one');
SELECT is((SELECT concat_ws('|', state, reason, kwh) FROM elecbill.reading_inbox), 'rejected|late beyond retention|1000', 'it is put aside');
SELECT throws_ok($$SELECT pg_temp.put('M-A', '2025-03-10 12:00+00', 1)$$, 'UB412', 'readings before 2025-04-01 UTC are not taken any more',
	'nor does it come in by another door');
SELECT throws_ok($$UPDATE elecbill.meter_installation i SET valid = tstzrange(lower(valid), '2025-03-31 14:00+00') FROM elecbill.meter m
	WHERE m.id = i.meter_id AND m.serial = 'M-N'$$, 'UB412', 'what was installed before 2025-04-01 UTC cannot change any more',
	'a meter cannot have been taken down when nobody can tell any more what it said');
SELECT throws_ok($$DELETE FROM elecbill.profile_day WHERE day = '2025-03-10'$$, 'UB403', NULL, 'packed days are now all there is of March');
SELECT throws_ok($$DELETE FROM elecbill.reading_kept$$, 'UB403', NULL, 'with what was kept');
SELECT elecbill.pack_again('LON', 'A', '[2025-03-20,2025-04-03)');
SELECT is_empty($$SELECT * FROM told WHERE usage_point = 'A' EXCEPT ALL SELECT * FROM elecbill.interval_usage WHERE usage_point = 'A'$$,
	'days whose readings are gone do not wait to be packed again: they are what they were');
SELECT lives_ok($$UPDATE elecbill.meter_installation SET valid = valid$$, 'an installation that does not change is no change');
CALL elecbill.pack_profiles('LON', '2025-11-02');
SELECT is_empty('SELECT * FROM elecbill.fsck() UNION ALL SELECT org_id::text, org, usage_point FROM (SELECT * FROM told EXCEPT SELECT * FROM elecbill.interval_usage) x',
	'packing goes on, and leaves them alone');
CALL elecbill.bill_month('LON', 'MONTH', '2025-04');
SELECT is_empty('SELECT * FROM elecbill.fsck()', 'April is billed');
SELECT * FROM finish();
