-- total_use.sql: an estate of meters that tell 1.8.1 and 1.8.2 and no total: all that looks at 1.8.0 works for them
\set ON_ERROR_STOP 1
SET client_min_messages = warning;
\ir login/work_for.sql
SELECT plan(39);

SET elecbill.clock_override = '2025-02-01 00:05:00+00';
DO $$ BEGIN
	PERFORM elecbill.org_create('NL', 'Homes', 'UTC', 'EUR');
	PERFORM elecbill.partition_maintain(1, '2025-01-01');
	PERFORM elecbill.tariff_approve('T', elecbill.tariff_draft('T', '[2024-01-01,)', '{"elecbill": 1, "currency": "EUR", "zone": "UTC",
		"components": [{"code": "energy", "kind": "energy", "tier": {"scope": "year", "steps": [{"up_to": 2500, "price": 0.5}, {"price": 0.8}]}}]}', 'ann'), 'bob');
	PERFORM elecbill.duty_grant('NL', x.login, d.duty)
	FROM (VALUES ('mei'), ('lin')) AS x(login), (VALUES ('property'), ('billing'), ('finance')) AS d(duty);
END $$;
SELECT is_empty($$SELECT message FROM elecbill.import_estate('NL', convert_to(E'room,account_no,name,kind,meter_no,model,last_reading,last_read_at,tariff,protocol,digits,interval_min\n'
	'H1,A1,Jan,residential,M-H1,E350,120,2025-01-01,T,p1,6,60\nH2,A2,Piet,residential,M-H2,E350,60,2025-01-01,T,p1,6,60\n'
	'LIFT,,,common,M-LIFT,E350,0,2025-01-01,,p1,6,60\nP,,,总表,M-P,E350,0,2025-01-01,,p1,6,60\n', 'UTF8'))$$, 'two homes, a lift, and the meter before them');
SELECT elecbill.usage_point_tree_set('NL', c, 'P', '2025-01-01') FROM unnest('{H1,H2,LIFT}'::text[]) AS c \g /dev/null
SELECT elecbill.collector_create('NL', 'c') AS collector \gset
SELECT public.work_for('mei') \g /dev/null
SELECT elecbill.allocation_rule_set('NL', 'LIFT', 'P', 'common', 'household', '[2025-01-01,)', price => 0.5, source => 'LIFT') \g /dev/null
SELECT public.work_for('lin') \g /dev/null
SELECT elecbill.allocation_rule_approve('NL', 'LIFT') \g /dev/null
SELECT public.work_for('') \g /dev/null
SELECT elecbill.usage_limit_set('H1', '1 day', 7), elecbill.usage_limit_set('H2', '1 day', 20) \g /dev/null
SELECT is((SELECT unknown_meters FROM elecbill.collector_hello(:'collector', '0.5.0', '{M-H1,M-H2,M-LIFT,M-P}')), '{}', 'the collector has them on its route');

-- hours of a meter: what its two registers showed at the beginning of January and what goes through them in an hour
CREATE FUNCTION pg_temp.hours(collector uuid, meter text, since text, until text, base numeric[], hour numeric[]) RETURNS text LANGUAGE sql AS $$
	SELECT format('%s new, %s refused', sum(i.accepted), sum(i.rejected))
	FROM (SELECT array_agg(meter) AS m, array_agg(x.code) AS r, array_agg(t.at) AS a, array_agg((x.base + x.hour * t.n) % 1000000) AS k,
			array_agg(0) AS q, array_agg(t.at) AS c
		FROM (SELECT s AS at, extract(epoch FROM s - timestamptz '2025-01-01 00:00+00') / 3600 AS n
			FROM generate_series((since || '+00')::timestamptz, (until || '+00')::timestamptz, '1 hour') AS s) AS t,
			(VALUES ('1.8.1', base[1], hour[1]), ('1.8.2', base[2], hour[2])) AS x(code, base, hour)) AS b,
		elecbill.ingest(collector, 1, b.m, b.r, b.a, b.k, b.q, b.c) AS i $$;
CREATE FUNCTION pg_temp.bill(account text, month text) RETURNS text LANGUAGE sql AS $$
	SELECT concat_ws(', ', trim_scale(sum(s.energy_wh) * 0.001) || ' kWh', (SELECT trim_scale(sum(t.kwh)) || ' more' FROM elecbill.bill_true_up AS t WHERE t.bill_id = b.id),
		b.amount || ' ' || b.status)
	FROM elecbill.bill AS b JOIN elecbill.bill_segment AS s ON s.bill_id = b.id JOIN elecbill.customer_account AS a ON a.id = b.account_id
	WHERE a.account_no = account AND to_char(lower(b.service), 'YYYY-MM') = month AND b.live GROUP BY b.id $$;
CREATE PROCEDURE pg_temp.run(month date) LANGUAGE plpgsql AS $$
DECLARE
	run bigint := elecbill.bill_run_start('NL', 'MONTH', daterange(month, (month + interval '1 month')::date));
BEGIN
	COMMIT;
	CALL elecbill.bill_run_work(run);
	CALL elecbill.bill_run_issue(run);
END $$;

-- ---------------------------------------------------------------- January
SELECT is(pg_temp.hours(:'collector', 'M-H1', '2025-01-01 00:00', '2025-02-01 00:00', '{50,70}', '{0.1,0.2}'), '1490 new, 0 refused', 'H1 uses 0.3 kWh in an hour');
SELECT is(pg_temp.hours(:'collector', 'M-H2', '2025-01-01 00:00', '2025-01-20 00:00', '{999990,70}', '{0.2,0.2}'), '914 new, 0 refused', 'H2 0.4; a register of it rolls over');
SELECT is(pg_temp.hours(:'collector', 'M-H2', '2025-01-20 06:00', '2025-02-01 00:00', '{999990,70}', '{0.2,0.2}'), '566 new, 0 refused', 'five hours are missing');
SELECT is(pg_temp.hours(:'collector', 'M-LIFT', '2025-01-01 00:00', '2025-02-01 00:00', '{0,0}', '{0.1,0}'), '1490 new, 0 refused', 'the lift runs at night');
SELECT is(pg_temp.hours(:'collector', 'M-P', '2025-01-01 00:00', '2025-02-01 00:00', '{0,0}', '{0.5,0.4}'), '1490 new, 0 refused', 'before them it is 0.9');
SELECT is((SELECT string_agg(DISTINCT rule, ' ') FROM elecbill.vee_open WHERE severity IN ('hold', 'review')), NULL, 'no rule has anything against it');
SELECT results_eq($$SELECT meter, from_at, slots, open FROM elecbill.reading_gap WHERE meter <> 'M-P'$$, $$VALUES ('M-H2', timestamptz '2025-01-20 01:00+00', 5, false)$$, 'reading_gap knows what is missing');
SELECT is((SELECT sum(energy_wh) || ' in ' || count(*) FROM elecbill.interval_usage WHERE usage_point = 'H1' AND register = '1.8.0'), '223200 in 744', 'every hour has its energy');
SELECT results_eq($$SELECT energy_wh, estimated, fault FROM elecbill.point_energy('NL', 'H2', '2025-01-01 00:00+00', '2025-02-01 00:00+00')$$, $$VALUES (297600::bigint, false, NULL::text)$$, 'point_energy knows the month');
SELECT results_eq($$SELECT energy_wh, estimated, fault FROM elecbill.point_energy('NL', 'H1', '2025-01-05 00:30+00', '2025-01-05 01:30+00')$$, $$VALUES (300::bigint, true, NULL::text)$$, 'and half hours, by interpolation');
CALL elecbill.pack_profiles('NL');
SELECT is((SELECT count(*) || ': ' || sum(elecbill.profile_sum(d.profile)) FROM elecbill.profile_day AS d JOIN elecbill.usage_point AS u ON u.id = d.usage_point_id AND u.code = 'H1'), '31: 223200', 'days are packed');
CALL pg_temp.run('2025-01-01');
SELECT is(pg_temp.bill('A1', '2025-01'), '223.2 kWh, 130.20 issued', 'H1 pays 111.60 and its half of the lift, 18.60');
SELECT is(pg_temp.bill('A2', '2025-01'), '297.6 kWh, 167.40 issued', 'H2 148.80 and the other half');
SELECT results_eq($$SELECT supplied_kwh, sold_kwh, loss_kwh, loss_percent, alarm FROM elecbill.line_loss WHERE parent = 'P'$$, $$VALUES (669.600, 595.200, 74.400, 11.11, 'loss_high')$$, 'a ninth is lost');
SELECT is((SELECT string_agg(a.account_no || ' ' || trim_scale(c.kwh), ', ' ORDER BY a.account_no) FROM elecbill.usage_counter AS c JOIN elecbill.customer_account AS a ON a.id = c.account_id WHERE c.scope = 'year'), 'A1 223.2, A2 297.6', 'tiers count on');
SELECT is_empty('SELECT * FROM elecbill.fsck()', 'and the books are in order');

-- ---------------------------------------------------------------- silence
SELECT elecbill.alarm_watch() \g /dev/null
SELECT is_empty($$SELECT FROM elecbill.alarm WHERE code = 'meter_silent'$$, 'no meter is silent');
SET elecbill.clock_override = '2025-02-01 04:00:00+00';
SELECT is(pg_temp.hours(:'collector', 'M-H1', '2025-02-01 01:00', '2025-02-01 04:00', '{50,70}', '{0.1,0.2}'), '8 new, 0 refused', 'four hours later');
SELECT elecbill.alarm_watch() \g /dev/null
SELECT is((SELECT array_agg(object ORDER BY object) FROM elecbill.alarm WHERE code = 'meter_silent' AND upper_inf(during)), '{M-H2,M-LIFT,M-P}', 'the others are');
SELECT is((SELECT silent_meters::int FROM elecbill.collector_status), 3, 'which the collector knows');

-- ---------------------------------------------------------------- a tariff register is corrected, and the bill with it
SELECT is(elecbill.correct_reading('NL', 'M-H1', '1.8.1', '2025-02-01 00:00+00', 124.46, 'photo', 'c1'), 'approved', '1.8.1 of H1 showed 0.06 kWh more at the end of January');
SELECT is((SELECT r.register_wh * 0.001 || ' ' || r.source FROM elecbill.reading_effective AS r JOIN elecbill.meter_register AS g ON g.id = r.register_id AND g.code = '1.8.0'
	JOIN elecbill.meter AS m ON m.id = g.meter_id AND m.serial = 'M-H1' WHERE r.read_at = '2025-02-01 00:00+00'), '343.260 5', 'and so did the sum');
SELECT throws_ok($$SELECT elecbill.correct_reading('NL', 'M-H1', '1.8.0', '2025-02-01 00:00+00', 343.26, 'photo', 'c2')$$, 'UB412', 'register 1.8.0 of meter ''M-H1'' is the sum of its tariff registers', 'nobody read the sum');
SELECT is(elecbill.reading_void('NL', 'M-H2', '[2025-01-25 00:00+00,2025-01-25 00:00+00]', 'noise', 'c3', '1.8.2'), 'approved', 'a register of H2 is taken out at an instant');
SELECT is((SELECT count(*)::int FROM elecbill.interval_usage WHERE usage_point = 'H2' AND register = '1.8.0' AND to_at > '2025-01-24 23:30+00' AND to_at < '2025-01-25 01:30+00'), 1, 'and so is the sum');

-- ---------------------------------------------------------------- another meter
SELECT is(pg_temp.hours(:'collector', 'M-H1', '2025-02-01 05:00', '2025-02-01 05:00', '{50,70}', '{0.1,0.2}'), '0 new, 2 refused', 'nothing of tomorrow');
SET elecbill.clock_override = '2025-03-01 00:05:00+00';
SELECT is(pg_temp.hours(:'collector', 'M-H1', '2025-02-01 05:00', '2025-02-10 00:00', '{50,70}', '{0.1,0.2}'), '424 new, 0 refused', 'in February');
SELECT throws_ok($$SELECT elecbill.exchange_meter('H1', 'M-H1', '{"1.8.0": 408.5, "1.8.1": 146.1, "1.8.2": 262.3}', 'N-H1', '{"1.8.1": 0, "1.8.2": 0}', 1, '2025-02-10 00:30+00')$$, 'UB400',
	'the removal values of the tariff registers of meter M-H1 do not add up to that of 1.8.0', 'a sum is a sum');
SELECT throws_ok($$SELECT elecbill.exchange_meter('H1', 'M-H1', '{"1.8.1": 146.1}', 'N-H1', '{"1.8.1": 0, "1.8.2": 0}', 1, '2025-02-10 00:30+00')$$, 'UB400',
	'the removal values must be an object of kWh by register, with 1.8.0', 'one of two is none');
SELECT lives_ok($$SELECT elecbill.exchange_meter('H1', 'M-H1', '{"1.8.1": 146.1, "1.8.2": 262.3}', 'N-H1', '{"1.8.1": 1000, "1.8.2": 2}', 1, '2025-02-10 00:30+00')$$, 'H1 gets another meter, and all registers are read');
SELECT lives_ok($$SELECT elecbill.exchange_meter('H1', 'M-H1', '{"1.8.1": 146.1, "1.8.2": 262.3}', 'N-H1', '{"1.8.1": 1000, "1.8.2": 2}', 1, '2025-02-10 00:30+00')$$, 'once');
SELECT pg_temp.hours(:'collector', 'N-H1', '2025-02-10 01:00', '2025-03-01 00:00', '{904,-190.2}', '{0.1,0.2}'),
	pg_temp.hours(:'collector', x.meter, '2025-02-01 01:00', '2025-03-01 00:00', x.base, x.hour)
FROM (VALUES ('M-H2', '{999990,70}'::numeric[], '{0.2,0.2}'::numeric[]), ('M-LIFT', '{0,0}', '{0.1,0}'), ('M-P', '{0,0}', '{0.5,0.4}')) AS x(meter, base, hour) \g /dev/null
SELECT is((SELECT array_agg(DISTINCT u.code) FROM elecbill.alarm AS a JOIN elecbill.usage_point AS u ON u.id = a.usage_point_id WHERE a.code = 'usage_limit'), '{H1}', 'who uses more than 7 kWh a day is told');
CALL pg_temp.run('2025-02-01');
SELECT is(pg_temp.bill('A1', '2025-02'), '201.74 kWh, 0.06 more, 117.70 issued', 'the bill is the sum over both meters, and what January was short of');
SELECT is(pg_temp.bill('A2', '2025-02'), '268.8 kWh, 151.20 issued', 'H2 goes on as before');
SELECT is((SELECT trim_scale(kwh) FROM elecbill.usage_counter AS c JOIN elecbill.customer_account AS a ON a.id = c.account_id WHERE c.scope = 'year' AND a.account_no = 'A1'), 425.0, 'in all it is what the meters counted: 288.4 and 136.6');
SELECT results_eq($$SELECT supplied_kwh, sold_kwh, estimated FROM elecbill.line_loss WHERE parent = 'P' AND month = '2025-02-01'$$, $$VALUES (604.800, 537.740, false)$$, 'so it is behind the parent');
SELECT is_empty('SELECT * FROM elecbill.fsck()', 'and the books are in order');
SELECT * FROM finish();
