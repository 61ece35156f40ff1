-- vee.sql: what the property office hears about readings that cannot be right, and only about those
-- An estate of homes with hourly meters. One of them is clean; each of the others has one thing wrong with it,
-- planted by hand, and one rule has to find it, once.
\set ON_ERROR_STOP 1
SET client_min_messages = warning;
SELECT plan(51);

SET elecbill.clock_override = '2025-06-01 00:05:00+08';
SELECT elecbill.org_create('HOME', 'Home');
INSERT INTO elecbill.tariff_plan (org_id, code) SELECT id, 'T' FROM elecbill.org;
SELECT elecbill.collector_create('HOME', 'C1', '00000000-0000-4000-8000-000000000001') \g /dev/null
CREATE FUNCTION pg_temp.home(room text, reading text DEFAULT '1000', protocol text DEFAULT 'csvline') RETURNS SETOF text
LANGUAGE sql AS $$
	SELECT message FROM elecbill.import_estate('HOME', convert_to(format(
		E'room,account_no,name,kind,meter_no,model,last_reading,last_read_at,tariff,protocol,interval_min,decimals\n'
		'%s,A-%1$s,Family %1$s,residential,M-%1$s,X-%3$s,%2$s,2025-03-01,T,%3$s,60,3', room, reading, protocol), 'UTF8')) $$;
SELECT is_empty(format('SELECT pg_temp.home(%L)', room), 'home ' || room || ' is opened')
FROM unnest('{CLEAN,V01,V02,V04,V05,V06,V07,V08,V09,V10,V12,V13}'::text[]) AS room;
SELECT is_empty($$SELECT pg_temp.home('V03', '999990')$$, 'one register is about to roll over');
SELECT is_empty($$SELECT pg_temp.home('V11', '1000', 'dlt645')$$, 'one meter has tariff registers');
SELECT cmp_ok(elecbill.partition_maintain(1, '2025-03-01'), '>', 0, 'there is room for the readings');

CREATE FUNCTION pg_temp.send(meter text, at timestamptz[], kwh numeric[], register text DEFAULT '1.8.0',
	meter_at timestamptz[] DEFAULT NULL) RETURNS text LANGUAGE sql AS $$
	SELECT format('%s new, %s again, %s other, %s refused', i.accepted, i.duplicate, i.conflict, i.rejected)
	FROM elecbill.ingest('00000000-0000-4000-8000-000000000001', 1, array_fill('M-' || meter, ARRAY[cardinality(at)]),
		array_fill(register, ARRAY[cardinality(at)]), at, kwh, array_fill(0, ARRAY[cardinality(at)]),
		coalesce(meter_at, array_fill(NULL::timestamptz, ARRAY[cardinality(at)]))) AS i $$;
-- hours since the 1st of March, and what went through by then: more in the evening, a bit more every week
CREATE TEMP TABLE hour AS
SELECT n, timestamptz '2025-03-01 00:00+08' + n * interval '1 hour' AS at,
	sum(CASE WHEN n = 0 THEN 0 WHEN n % 24 BETWEEN 18 AND 22 THEN 0.8 ELSE 0.3 END + n * 0.00002) OVER (ORDER BY n) AS kwh
FROM generate_series(0, 2208) AS n;
UPDATE hour SET kwh = trunc(kwh, 3);
CREATE FUNCTION pg_temp.months(meter text, change text DEFAULT 'h.kwh', part text DEFAULT 'true', base numeric DEFAULT 1000)
RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	told text;
BEGIN
	EXECUTE format('SELECT pg_temp.send(%L, array_agg(h.at ORDER BY h.n), array_agg(%s + %s ORDER BY h.n)) FROM pg_temp.hour AS h WHERE h.n > 0 AND (%s)',
		meter, base, change, part) INTO told;
	RETURN told;
END $$;
CREATE FUNCTION pg_temp.found(room text) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(e.rule || ' ' || e.severity, ', ' ORDER BY e.id) FROM elecbill.vee_exception AS e
	JOIN elecbill.usage_point AS u ON u.id = e.usage_point_id WHERE u.code = room $$;
CREATE FUNCTION pg_temp.look(month date) RETURNS bigint LANGUAGE sql AS $$
	SELECT sum(found)::bigint FROM elecbill.vee_run('HOME', daterange(month, (month + interval '1 month')::date)) $$;

-- ---------------------------------------------------------------- when readings come

SELECT is(pg_temp.months('CLEAN'), '2208 new, 0 again, 0 other, 0 refused', 'the clean home is read every hour');
SELECT is(pg_temp.months('CLEAN'), '0 new, 2208 again, 0 other, 0 refused', 'twice');
SELECT is_empty('SELECT * FROM elecbill.vee_exception', 'and nobody has anything to say');
SELECT is(pg_temp.months('V01') || pg_temp.send('V01', '{2025-04-02 10:00+08}', '{1.5}'), '2208 new, 0 again, 0 other, 0 refused0 new, 0 again, 1 other, 0 refused',
	'V01: another value for an hour that has one');
SELECT is(pg_temp.found('V01'), 'V01 warn', 'is told once');
SELECT is(pg_temp.months('V02', 'h.kwh - CASE h.n WHEN 1000 THEN 100 ELSE 0 END'), '2208 new, 0 again, 0 other, 0 refused', 'V02: one value lies 100 kWh below');
SELECT is(pg_temp.found('V02'), 'V02 hold', 'it is told that it ran backwards, not that it then ran so fast');
SELECT is(pg_temp.months('V03', '999990 + h.kwh - CASE WHEN h.kwh >= 10 THEN 1000000 ELSE 0 END', base => 0), '2208 new, 0 again, 0 other, 0 refused', 'V03: one rolls over');
SELECT is(pg_temp.found('V03'), 'V03 info', 'which is noted, and fine');
SELECT is(pg_temp.months('V04') || pg_temp.send('V04', '{2025-04-02 10:07+08}', '{-5}'), '2208 new, 0 again, 0 other, 0 refused0 new, 0 again, 0 other, 1 refused',
	'V04: a value below nothing');
SELECT is(pg_temp.found('V04'), 'V04 reject', 'is refused, and told');
SELECT is(pg_temp.months('V05', 'h.kwh + CASE h.n WHEN 1000 THEN 500 ELSE 0 END'), '2208 new, 0 again, 0 other, 0 refused', 'V05: 500 kWh in an hour');
SELECT is(pg_temp.found('V05'), 'V05 hold', 'is more than the meter can measure; that it came back is not told again');
SELECT is((SELECT detail ->> 'limit_kw' FROM elecbill.vee_open WHERE rule = 'V05'), '82.800', 'which is 1.2 x 69 kW where the model says nothing');
SELECT is((SELECT pg_temp.send('V10', array_agg(at ORDER BY n), array_agg(1000 + kwh ORDER BY n), '1.8.0',
		array_agg(at + CASE WHEN n BETWEEN 500 AND 520 THEN interval '7 min' WHEN n = 521 THEN interval '40 min' ELSE '1 min' END ORDER BY n)) FROM hour WHERE n > 0),
	'2208 new, 0 again, 0 other, 0 refused', 'V10: a clock goes wrong, and worse');
SELECT is(pg_temp.found('V10'), 'V10 hold', 'is told once for all those hours, as the worst of them');
SELECT is(pg_temp.months('V13') || pg_temp.send('V13', '{2025-06-01 01:05+08}', '{3000}'), '2208 new, 0 again, 0 other, 0 refused0 new, 0 again, 0 other, 1 refused',
	'V13: a reading of tomorrow');
SELECT is(pg_temp.found('V13'), 'V13 reject', 'is refused, and told');

-- ---------------------------------------------------------------- when the month is over

SELECT is(string_agg(pg_temp.months(m.room, m.change, m.part), ' ' ORDER BY m.room),
	'2208 new, 0 again, 0 other, 0 refused 2208 new, 0 again, 0 other, 0 refused 2208 new, 0 again, 0 other, 0 refused 2201 new, 0 again, 0 other, 0 refused 2208 new, 0 again, 0 other, 0 refused',
	'five homes have something wrong that no single reading shows')
FROM (VALUES ('V06', 'h.kwh + greatest(h.n - 1464, 0) * 2', 'true'),		-- May: 2 kW more
	('V07', '(SELECT x.kwh FROM pg_temp.hour AS x WHERE x.n = least(h.n, 743))', 'true'),	-- nothing since April
	('V08', 'h.kwh + CASE WHEN h.n >= 2000 THEN 12 ELSE 0 END', 'true'),	-- 12 kWh in one hour
	('V09', 'h.kwh', 'h.n NOT BETWEEN 1900 AND 1906'),					-- seven values are missing
	('V12', 'h.kwh', 'true')) AS m(room, change, part);
SELECT is((SELECT string_agg(DISTINCT pg_temp.send('V11', at, kwh, register), '') FROM (
		SELECT '1.8.' || r AS register, array_agg(at ORDER BY n) AS at,
			array_agg(CASE WHEN r = 0 THEN 1000 ELSE 0 END + CASE r WHEN 0 THEN kwh WHEN 1 THEN trunc(kwh / 2, 3) WHEN 2 THEN kwh - trunc(kwh / 2, 3)
				+ CASE WHEN n > 1700 THEN 0.9 ELSE 0 END ELSE 0 END ORDER BY n) AS kwh
		FROM hour, generate_series(0, 2) AS r WHERE n > 0 OR r > 0 GROUP BY r) AS x),
	'2208 new, 0 again, 0 other, 0 refused2209 new, 0 again, 0 other, 0 refused', 'in one meter a tariff register counts 0.9 kWh too much');
SELECT is(pg_temp.look('2025-03-01'), 0::bigint, 'March is clean');
SELECT lives_ok($$SELECT elecbill.exchange_meter('V12', 'M-V12', '{"1.8.0": 1941.5}', 'M-V12B', '{"1.8.0": 0}', 1, '2025-06-01 00:02+08')$$, 'V12: a meter is taken down');
SELECT is(pg_temp.send('V12', '{2025-06-01 00:04+08}', '{1944}'), '0 new, 0 again, 0 other, 1 refused', 'and goes on counting');
SELECT cmp_ok(pg_temp.look('2025-04-01') + pg_temp.look('2025-05-01'), '>=', 5::bigint, 'April and May are not');
SELECT is(string_agg(m.room || ': ' || coalesce(pg_temp.found(m.room), 'nothing'), '; ' ORDER BY m.room),
	'CLEAN: nothing; V06: V06 review; V07: V07 review; V08: V08 review; V09: V09 warn; V11: V11 review; V12: V12 review',
	'each thing is found by its rule, once; the clean home by none')
FROM unnest('{V06,V07,V08,V09,V11,V12,CLEAN}'::text[]) AS m(room);
SELECT is(pg_temp.look('2025-04-01') + pg_temp.look('2025-05-01'), 0::bigint, 'who looks again finds nothing new');
SELECT is((SELECT array_agg(rule || hits ORDER BY rule) FROM elecbill.vee_rule_hits),
	'{V011,V021,V031,V041,V051,V061,V071,V081,V091,V101,V111,V121,V131}', 'thirteen rules, thirteen hits');

-- ---------------------------------------------------------------- what people do about it

SELECT is(elecbill._vee_hold((SELECT id FROM elecbill.customer_account WHERE account_no = 'A-V05'), '[2025-04-01,2025-05-01)'), 1::bigint, 'the bill of April waits');
SELECT is(elecbill._vee_hold((SELECT id FROM elecbill.customer_account WHERE account_no = 'A-V05'), '[2025-05-01,2025-06-01)'), 0::bigint, 'that of May does not');
SELECT lives_ok($$SELECT elecbill.vee_decide(id, 'accepted', 'a sauna') FROM elecbill.vee_open WHERE rule = 'V08'$$, 'one is explained');
SELECT throws_ok($$SELECT elecbill.vee_decide((SELECT id FROM elecbill.vee_exception WHERE rule = 'V08'), 'rejected', 'no')$$, 'UB412', 'the exception is accepted already', 'a decision stays');
SELECT throws_ok($$SELECT elecbill.vee_rule_set('HOME', 'V06', '{"lo": 1}')$$, 'UB400', 'rule V06 takes numbers from 0 to 1000000000 for: cycles, high, kwh, low', 'a rule has its own numbers only');
SELECT is(elecbill.vee_rule_set('HOME', 'V06', '{"high": 10}'), 2, 'a rule gets another number');
SELECT is(elecbill.vee_rule_set('HOME', 'V06', '{"high": 10}'), 2, 'once');
SELECT is((SELECT hit_rate FROM elecbill.vee_rule_hits WHERE rule = 'V08'), 0.0, 'a rule whose hits are explained has a rate of 0');
SELECT is_empty('SELECT * FROM elecbill._fsck_reading()', 'and the books are in order');
SELECT * FROM finish();
