-- correction.sql: readings that were wrong, or never came, and what the bills say in the end
\set ON_ERROR_STOP 1
SET client_min_messages = warning;
\ir login/work_for.sql
SELECT plan(88);

-- ---------------------------------------------------------------- an estate, one month after the other
SET elecbill.clock_override = '2025-01-01 12:00:00+08';
SELECT elecbill.org_create('HOME', 'Home');
DO $$ BEGIN
	PERFORM elecbill.tariff_approve('T', elecbill.tariff_draft('T', '[2024-01-01,)', '{"elecbill": 1, "currency": "CNY", "zone": "Asia/Shanghai",
		"components": [{"code": "energy", "kind": "energy", "price": "0.5"}]}', 'ann'), 'bob');
END $$;
SELECT elecbill.collector_create('HOME', 'C1', '00000000-0000-4000-8000-000000000001') \g /dev/null
SELECT is_empty(format($$SELECT message FROM elecbill.import_estate('HOME', convert_to(E'room,account_no,name,kind,meter_no,model,multiplier,last_reading,last_read_at,tariff,protocol,digits,interval_min\n'
	'%s,A-%1$s,Family %1$s,residential,M-%1$s,X-%2$s,%3$s,1000,2025-01-01,T,%2$s,6,60\n', 'UTF8'))$$, room, protocol, multiplier), 'home ' || room)
FROM (VALUES ('H1', 'manual', 1), ('H2', 'manual', 1), ('H3', 'manual', 1), ('H4', 'manual', 1), ('S1', 'csvline', 40), ('S2', 'csvline', 1)) AS h(room, protocol, multiplier);
CREATE FUNCTION pg_temp.at(at text) RETURNS void LANGUAGE sql AS $$SELECT set_config('elecbill.clock_override', at || '+08', false), elecbill.partition_maintain(1, '2025-01-01')$$;
CREATE FUNCTION pg_temp.read(room text, at text, kwh numeric) RETURNS text LANGUAGE sql AS $$
	SELECT elecbill.reading_add('HOME', 'M-' || room, '1.8.0', (at || '+08')::timestamptz, kwh) $$;
CREATE PROCEDURE pg_temp.bill(month date) LANGUAGE plpgsql AS $$
DECLARE
	run bigint := elecbill.bill_run_start('HOME', 'MONTH', daterange(month, (month + interval '1 month')::date));
BEGIN
	COMMIT;
	CALL elecbill.bill_run_work(run);
	CALL elecbill.bill_run_issue(run);
END $$;
-- kWh of a bill: what was measured in its time, and what it corrects of others
CREATE FUNCTION pg_temp.kwh(room text, month date) RETURNS text LANGUAGE sql AS $$
	SELECT concat_ws(' and ', trim_scale(sum(s.energy_wh) * 0.001),
		(SELECT trim_scale(sum(t.kwh)) || ' more' FROM elecbill.bill_true_up AS t WHERE t.bill_id = b.id)) || ' = ' || b.amount
	FROM elecbill.bill AS b JOIN elecbill.bill_segment AS s ON s.bill_id = b.id JOIN elecbill.customer_account AS a ON a.id = b.account_id
	WHERE a.account_no = 'A-' || room AND b.live AND b.number IS NOT NULL AND lower(b.service) = month GROUP BY b.id $$;
CREATE FUNCTION pg_temp.hours(room text, since text, until text, base numeric, per_hour numeric) RETURNS text LANGUAGE sql AS $$
	SELECT format('%s new, %s refused', i.accepted, i.rejected) FROM (
		SELECT array_agg('M-' || room) m, array_agg('1.8.0'::text) r, array_agg(t.at ORDER BY t.at) a,
			array_agg(base + per_hour * extract(epoch FROM t.at - timestamptz '2025-01-01 00:00+08') / 3600 ORDER BY t.at) k, array_agg(0) q, array_agg(NULL::timestamptz) n
		FROM generate_series((since || '+08')::timestamptz, (until || '+08')::timestamptz, '1 hour') AS t(at)) AS x,
		elecbill.ingest('00000000-0000-4000-8000-000000000001', 1, m, r, a, k, q, n) AS i $$;
SELECT pg_temp.at('2025-02-01 12:00') \g /dev/null

-- ---------------------------------------------------------------- a reading that was wrong
SELECT is(pg_temp.read('H1', '2025-02-01', 1310), 'accepted', 'H1 is read: 1310');
SELECT is(pg_temp.read('H2', '2025-02-01', 1100), 'accepted', 'H2 is read: 1100');
SELECT is(elecbill.correct_reading('HOME', 'M-H1', '1.8.0', '2025-02-01 00:00+08', 1300, 'misread', 'k1'), 'approved', 'H1 says it was 1300; it is put right');
SELECT is(elecbill.correct_reading('HOME', 'M-H1', '1.8.0', '2025-02-01 00:00+08', 1300, 'misread', 'k1'), 'approved', 'said twice, it is done once');
SELECT is((SELECT count(*)::int FROM elecbill.reading_correction), 1, 'that is: one row');
SELECT throws_ok($$SELECT elecbill.correct_reading('HOME', 'M-H1', '1.8.0', '2025-02-01 00:00+08', 1200, 'misread', 'k1')$$, 'UB409', 'the key was used for something else', 'the key is good for one change');
SELECT throws_ok($$SELECT elecbill.correct_reading('HOME', 'M-H1', '1.8.0', '2025-02-01 00:00+08', 900, 'misread', 'k2')$$, 'UB422', 'the register would run backwards', 'no correction turns the meter back');
SELECT throws_ok($$SELECT elecbill.correct_reading('HOME', 'M-H1', '1.8.0', '2025-01-15 00:00+08', 1300, 'misread', 'k2')$$, 'UB404', 'meter ''M-H1'' has no reading at this instant', 'what was not read is not corrected');
SELECT throws_ok($$SELECT elecbill.correct_reading('HOME', 'M-H1', '1.8.0', '2025-02-01 00:00+08', 1300, ' ', 'k2')$$, 'UB400', 'a change of readings needs a reason and a key of 1 to 128 characters without blanks', 'there is a reason for all');
SELECT is((SELECT register_wh FROM elecbill.reading WHERE read_at = '2025-02-01 00:00+08' AND register_wh = 1310000), 1310000::bigint, 'the reading itself stays as it came');

-- a large one takes two
SELECT elecbill.duty_grant('HOME', x, 'billing') FROM unnest('{ann,bob}'::text[]) AS x \g /dev/null
SELECT public.work_for('ann') \g /dev/null
SELECT is(elecbill.correct_reading('HOME', 'M-H2', '1.8.0', '2025-02-01 00:00+08', 1400, 'photo', 'k3'), 'pending', '300 kWh more wait for a second person');
SELECT is((SELECT register_wh FROM elecbill.reading_effective WHERE read_at = '2025-02-01 00:00+08' AND register_wh = 1100000), 1100000::bigint, 'until then the first value counts');
SELECT throws_ok($$SELECT elecbill.reading_edit_decide('HOME', 'k3', true)$$, 'UB403', 'who asked for a change does not approve it', 'ann does not approve herself');
SELECT is((SELECT key || ' ' || meters FROM elecbill.reading_edit_open), 'k3 M-H2', 'it is on the list of bob');
SELECT public.work_for('bob') \g /dev/null
SELECT is(elecbill.reading_edit_decide('HOME', 'k3', true), 'approved', 'who approves it');
SELECT throws_ok($$SELECT elecbill.reading_edit_decide('HOME', 'k3', false)$$, 'UB412', 'the change is approved already', 'and cannot take that back');

SELECT public.work_for('') \g /dev/null

-- ---------------------------------------------------------------- a reading that never came
SELECT is(pg_temp.hours('S1', '2025-01-01 01:00', '2025-02-01 00:00', 1000, 0.1), '744 new, 0 refused', 'the shop is read every hour');
SELECT is(pg_temp.hours('S2', '2025-01-01 01:00', '2025-01-20 00:00', 1000, 0.5), '456 new, 0 refused', 'S2 until the 20th');
SELECT is(pg_temp.hours('S2', '2025-01-22 00:00', '2025-02-01 00:00', 1000, 0.5), '241 new, 0 refused', 'and from the 22nd on');
SELECT cmp_ok(elecbill.estimate_gap('HOME', 'M-S2', '[2025-01-20 00:00+08,2025-01-22 00:00+08)'), '>', 0::bigint, 'the two days between are estimated');
SELECT is((SELECT method || ' ' || energy_wh || ' ' || state FROM elecbill.reading_estimate), 'like_day 24000 trued_up', 'by like days, of a use that is known');
SELECT is(elecbill.estimate_gap('HOME', 'M-S2', '[2025-01-20 00:00+08,2025-01-22 00:00+08)'), (SELECT id FROM elecbill.reading_estimate), 'once');
SELECT is((SELECT sum(energy_wh) || ' in ' || count(*) FROM elecbill.interval_usage WHERE usage_point = 'S2'), '372000 in 744', 'every hour has its energy then, and the month is what the meter says');
SELECT throws_ok($$SELECT elecbill.estimate_gap('HOME', 'M-S2', '[2025-01-23 00:00+08,2025-01-24 00:00+08)')$$, 'UB409', 'there is a reading in the gap', 'where there are readings nothing is estimated');
SELECT is(elecbill.estimate_missing('HOME', '2025-02-01'), 2, 'H3 and H4 were not at home');
SELECT is((SELECT string_agg(method || ' ' || energy_wh || ' ' || state, ', ' ORDER BY id) FROM elecbill.reading_estimate WHERE state = 'open'), 'peer 372000 open, peer 372000 open', 'nobody knows them yet: they are taken for like their neighbours');
SELECT is(elecbill.estimate_missing('HOME', '2025-02-01'), 0, 'and again: nothing is missing');
CALL pg_temp.bill('2025-01-01');
SELECT throws_ok($$SELECT elecbill.estimate_gap('HOME', 'M-H1', '[2025-01-10 00:00+08,2025-01-20 00:00+08)')$$, 'UB412', 'energy of this time is billed', 'nor where the bill is out, unless a correction is wanted');
SELECT is(string_agg(room || ' ' || pg_temp.kwh(room, '2025-01-01'), '; ' ORDER BY room), 'H1 300 = 150.00; H2 400 = 200.00; H3 372 = 186.00; H4 372 = 186.00; S1 2976 = 1488.00; S2 372 = 186.00',
	'January is billed by what counts') FROM unnest('{H1,H2,H3,H4,S1,S2}'::text[]) AS room;
SELECT is_empty('SELECT * FROM elecbill.fsck()', 'and the books are in order');

-- ---------------------------------------------------------------- the reading that settles it
SELECT pg_temp.at('2025-03-01 12:00') \g /dev/null
SELECT pg_temp.read('H1', '2025-03-01', 1600), pg_temp.read('H2', '2025-03-01', 1800) \g /dev/null
SELECT pg_temp.hours('S1', '2025-02-01 01:00', '2025-03-01 00:00', 1000, 0.1), pg_temp.hours('S2', '2025-02-01 01:00', '2025-03-01 00:00', 1000, 0.5) \g /dev/null
SELECT is(pg_temp.read('H3', '2025-03-01', 1236), 'accepted', 'H3 used 236 kWh in 59 days, not 372 in 31');
SELECT is((SELECT state || ' ' || actual_wh FROM elecbill.reading_estimate ORDER BY id OFFSET 1 LIMIT 1), 'trued_up 236000', 'the estimate is settled at once');
SELECT is(pg_temp.read('H4', '2025-02-01', 1500), 'accepted', 'of H4 somebody finds a reading of the very day');
SELECT is((SELECT register_wh || ' ' || source FROM elecbill.reading_effective WHERE read_at = '2025-02-01 00:00+08' AND register_id = (
	SELECT g.id FROM elecbill.meter_register AS g JOIN elecbill.meter AS m ON m.id = g.meter_id WHERE m.serial = 'M-H4' AND g.code = '1.8.0')), '1500000 2', 'which counts, not the estimate');
SELECT is(elecbill.correct_reading('HOME', 'M-H1', '1.8.0', '2025-02-01 00:00+08', 1290, 'photo', 'k4'), 'approved', 'H1 complains once more: 1290');
SELECT is(elecbill.estimate_missing('HOME', '2025-03-01'), 1, 'H4 is not at home again');
SELECT is((SELECT method || ' ' || energy_wh FROM elecbill.reading_estimate ORDER BY id DESC LIMIT 1), 'mean 451612', 'but now it is known: 500 kWh in 31 days');
CALL pg_temp.bill('2025-02-01');
SELECT is(string_agg(room || ' ' || pg_temp.kwh(room, '2025-02-01'), '; ' ORDER BY room),
	'H1 310 and -10 more = 150.00; H2 400 = 200.00; H3 112 and -248 more = -68.00; H4 451.612 and 128 more = 289.81; S1 2688 = 1344.00; S2 336 = 168.00',
	'February corrects January') FROM unnest('{H1,H2,H3,H4,S1,S2}'::text[]) AS room;
SELECT is((SELECT sum(s.energy_wh) * 0.001 + (SELECT sum(t.kwh) FROM elecbill.bill_true_up AS t JOIN elecbill.bill AS c ON c.id = t.bill_id WHERE c.account_id = b.account_id)
	FROM elecbill.bill AS b JOIN elecbill.bill_segment AS s ON s.bill_id = b.id JOIN elecbill.customer_account AS a ON a.id = b.account_id
	WHERE a.account_no = 'A-H3' AND b.live GROUP BY b.account_id), 236.000, 'H3 pays for what the meter says, in all');
SELECT is_empty('SELECT * FROM elecbill.fsck()', 'and the books are in order');

-- ---------------------------------------------------------------- mixed up
SELECT pg_temp.at('2025-04-01 12:00') \g /dev/null
SELECT is(pg_temp.hours('S2', '2025-03-01 01:00', '2025-03-01 05:00', 1000, 0.5), '5 new, 0 refused', 'in March');
SELECT is(pg_temp.hours('S2', '2025-03-01 06:00', '2025-03-02 00:00', 1000, 0.1), '19 new, 0 refused', 'the collector reads the wrong meter for some hours');
SELECT is(pg_temp.hours('S2', '2025-03-02 01:00', '2025-04-01 00:00', 1000, 0.5), '720 new, 0 refused', 'then the right one');
SELECT cmp_ok((SELECT count(*)::int FROM elecbill.vee_open WHERE meter = 'M-S2' AND rule = 'V02'), '=', 1, 'rules tell that something is wrong');
SELECT is(pg_temp.hours('S1', '2025-03-01 01:00', '2025-03-01 05:00', 1000, 0.1), '5 new, 0 refused', 'the other meter was not read then');
SELECT is(pg_temp.hours('S1', '2025-03-02 01:00', '2025-04-01 00:00', 1000, 0.1), '720 new, 0 refused', 'but later');
SELECT is(elecbill.reading_move('HOME', 'M-S2', 'M-S1', '[2025-03-01 06:00+08,2025-03-02 00:00+08]', 'mixed up', 'k5'), 'approved', 'the readings go where they belong');
SELECT is((SELECT string_agg(state, ' ') FROM elecbill.vee_exception WHERE rule = 'V02'), 'corrected', 'and the rule is content');
SELECT is((SELECT sum(energy_wh) || ' in ' || count(*) FROM elecbill.interval_usage WHERE usage_point = 'S1' AND from_at >= '2025-03-01 00:00+08'), '2976000 in 744', 'the one has all its hours');
SELECT is((SELECT sum(energy_wh) || ' in ' || count(*) FROM elecbill.interval_usage WHERE usage_point = 'S2' AND from_at >= '2025-03-01 00:00+08'), '372000 in 725', 'the other a gap, and not a kWh less');
SELECT is(elecbill.reading_void('HOME', 'M-S1', '[2025-03-10 00:00+08,2025-03-11 00:00+08)', 'storm', 'k6'), 'approved', 'a day is taken out');
SELECT is((SELECT sum(energy_wh) || ' in ' || count(*) FROM elecbill.interval_usage WHERE usage_point = 'S1' AND from_at >= '2025-03-01 00:00+08'), '2976000 in 720', 'what counts is what is left');
SELECT throws_ok($$SELECT elecbill.reading_move('HOME', 'M-S2', 'M-S1', '[2025-03-12 06:00+08,2025-03-13 00:00+08]', 'mixed up', 'k7')$$, 'UB409', 'meter ''M-S1'' has a reading at this instant already', 'two values for one hour are not made');

-- ---------------------------------------------------------------- a gap over the end of a month, and what was in it
CREATE FUNCTION pg_temp.counts() RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(x.n || ' from ' || x.source, ', ' ORDER BY x.source) FROM (
		SELECT r.source, count(*) AS n FROM elecbill.reading_effective AS r JOIN elecbill.meter_register AS g ON g.id = r.register_id
		JOIN elecbill.meter AS m ON m.id = g.meter_id AND m.serial = 'M-S1'
		WHERE r.read_at > '2025-04-28 00:00+08' AND r.read_at <= '2025-05-01 00:00+08' GROUP BY 1) AS x $$;
SELECT pg_temp.at('2025-05-01 12:00') \g /dev/null
SELECT is(pg_temp.hours('S1', '2025-04-01 01:00', '2025-04-28 00:00', 1000, 0.1), '648 new, 0 refused', 'the line is cut on the 28th');
SELECT is(pg_temp.hours('S1', '2025-05-01 01:00', '2025-05-01 09:00', 1000, 0.1), '9 new, 0 refused', 'and whole again on the first');
SELECT cmp_ok(elecbill.estimate_missing('HOME', '2025-05-01'), '>', 0, 'what is missing at the end of April is estimated');
SELECT is(pg_temp.counts(), '72 from 6', 'at S1 too, though it is read again');
CALL pg_temp.bill('2025-04-01');
SELECT is(pg_temp.hours('S1', '2025-04-30 20:00', '2025-05-01 00:00', 1000, 0.1), '5 new, 0 refused', 'a part of it is found in the meter');
SELECT is(pg_temp.counts(), '5 from 0, 67 from 6', 'a value that was read counts more than an estimated one');
SELECT is(pg_temp.hours('S1', '2025-04-28 01:00', '2025-04-30 19:00', 1000, 0.1), '67 new, 0 refused', 'then the rest');
SELECT is(pg_temp.counts(), '72 from 0', 'nothing is estimated any more');
SELECT is((SELECT string_agg(state, ' ') FROM elecbill.reading_estimate AS e JOIN elecbill.meter_register AS g ON g.id = e.register_id
	JOIN elecbill.meter AS m ON m.id = g.meter_id AND m.serial = 'M-S1' WHERE e.during && '[2025-04-28 00:00+08,2025-05-01 00:00+08)' AND e.state = 'open'), NULL, 'no estimate waits');
-- ---------------------------------------------------------------- estimates between readings that change afterwards
CREATE FUNCTION pg_temp.shown(room text, at text) RETURNS text LANGUAGE sql AS $$
	SELECT trim_scale(r.register_wh * 0.001) || CASE r.source WHEN 6 THEN ' estimated' ELSE ' read' END FROM elecbill.reading_effective AS r
	JOIN elecbill.meter_register AS g ON g.id = r.register_id AND g.code = '1.8.0' JOIN elecbill.meter AS m ON m.id = g.meter_id AND m.serial = 'M-' || room
	WHERE r.read_at = (at || '+08')::timestamptz $$;
SELECT pg_temp.at('2025-06-01 12:00'), elecbill.vee_rule_set('HOME', 'E02', '{"second_kwh": 1000}') \g /dev/null
SELECT is(pg_temp.read('H1', '2025-06-01', 1610), 'accepted', 'H1 was away, and somebody reads 1610 where it is 1600');
SELECT is(pg_temp.shown('H1', '2025-05-01'), '1606.63 estimated', 'what was estimated in May meets it');
SELECT is(pg_temp.read('H3', '2025-06-01', 1300), 'accepted', 'H3 is read');
SELECT is(pg_temp.read('H2', '2025-06-01', 2300), 'accepted', 'and H2');
SELECT is(pg_temp.shown('H2', '2025-05-01'), '2131.521 estimated', 'a share of whose 500 kWh was before May');
SELECT pg_temp.at('2025-06-01 13:00') \g /dev/null
SELECT is(pg_temp.read('H2', '2025-05-16', 1900), 'accepted', 'but then a reading is found: it was the last days');
SELECT is(pg_temp.shown('H2', '2025-05-01'), '1880.263 estimated', 'the estimate meets the reading that is next to it');
CALL pg_temp.bill('2025-05-01');
SELECT is(string_agg(room || ' ' || pg_temp.kwh(room, '2025-05-01'), '; ' ORDER BY room), 'H1 3.37 = 1.69; H2 419.737 = 209.87',
	'May is billed') FROM unnest('{H1,H2}'::text[]) AS room;
SELECT pg_temp.at('2025-07-01 12:00') \g /dev/null
SELECT is(elecbill.correct_reading('HOME', 'M-H1', '1.8.0', '2025-06-01 00:00+08', 1600, 'photo', 'k8'), 'approved', 'H1 has a photo: 1600');
SELECT is(pg_temp.shown('H1', '2025-05-01'), '1600 estimated', 'nothing went through, before May neither');
SELECT is(elecbill.reading_void('HOME', 'M-H3', '[2025-06-01 00:00+08,2025-06-01 00:00+08]', 'another meter', 'k9'), 'approved', 'at H3 it was not his meter');
SELECT is((SELECT state FROM elecbill.reading_estimate AS e JOIN elecbill.meter_register AS g ON g.id = e.register_id JOIN elecbill.meter AS m ON m.id = g.meter_id
	WHERE m.serial = 'M-H3' ORDER BY e.id DESC LIMIT 1), 'open', 'so May is a guess again');
SELECT is(pg_temp.read('H3', '2025-07-01', 1240), 'accepted', 'July says: hardly anything');
SELECT is(pg_temp.shown('H3', '2025-05-01'), '1238 estimated', 'and settles it');
SELECT is(elecbill.correct_reading('HOME', 'M-H4', '1.8.0', '2025-02-01 00:00+08', 1960, 'photo', 'k10'), 'approved', 'H4 used more in January than was estimated until March');
SELECT ok(pg_temp.shown('H4', '2025-03-01') ~ 'estimated' AND split_part(pg_temp.shown('H4', '2025-03-01'), ' ', 1)::numeric
	BETWEEN 1960 AND split_part(pg_temp.shown('H4', '2025-05-01'), ' ', 1)::numeric, 'what is estimated begins there');
SELECT pg_temp.read('H1', '2025-07-01', 1700), pg_temp.read('H2', '2025-07-01', 2400) \g /dev/null
CALL pg_temp.bill('2025-06-01');
SELECT is(string_agg(room || ' ' || pg_temp.kwh(room, '2025-06-01'), '; ' ORDER BY room), 'H1 100 and -3.37 more = 48.31; H2 100 = 50.00',
	'June is billed, and corrects May') FROM unnest('{H1,H2}'::text[]) AS room;
SELECT is((SELECT string_agg(x.message, '; ') FROM elecbill.bill_exception AS x WHERE x.code = 'register_backwards'), NULL, 'no register ran backwards');
SELECT throws_ok('UPDATE elecbill.reading_correction SET register_wh = 0', 'UB403', 'corrections of readings are kept as they were made', 'history stays');
SELECT is_empty('SELECT * FROM elecbill.fsck()', 'and the books are in order');
SELECT * FROM finish();
