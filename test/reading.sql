-- reading.sql: meters, readings and usage, as the people of an estate would say it
BEGIN;
SELECT plan(26);

SELECT lives_ok($$SELECT elecbill.org_create('E1', 'Estate One', 'Europe/Berlin', 'EUR')$$, 'an estate in Berlin opens its books');
INSERT INTO elecbill.tariff_plan (org_id, code) SELECT o.id, 'T' FROM elecbill.org o;
SELECT is_empty($$SELECT * FROM elecbill.import_estate('E1', convert_to(E'room,account_no,name,kind,meter_no,model,multiplier,last_reading,last_read_at,tariff,protocol,interval_min\n'
	'R-0101,A-0101,H-0101,residential,M0101,X,1,1000,2025-03-01,T,csvline,60\n'
	'S-01,A-S01,S-01,commercial,MS01,Y,40,0,2025-03-01,T,csvline,60\n'
	'R-0102,A-0102,H-0102,residential,M0102,Z,1,99990,2025-03-01,T,manual,\n', 'UTF8'))$$, 'its list of meters is taken without a complaint');
SELECT is((SELECT count(*)::int FROM elecbill.import_estate('E1', convert_to(E'room,account_no,name,kind,meter_no,model,last_reading,last_read_at,tariff\nR-0103,A-0103,H-0103,residential,M0103,X,-5,2025-03-01,T\n', 'UTF8'))),
	1, 'a meter that is said to show less than nothing is not taken');
SELECT is((SELECT count(*)::int FROM elecbill.customer_account WHERE account_no = 'A-0103'), 0, 'nor is anything else of its row');
SELECT cmp_ok(elecbill.partition_maintain(0, '2025-03-01'), '>', 0, 'room is made for the readings of the year');
SELECT lives_ok($$SELECT elecbill.collector_create('E1', 'C1', '00000000-0000-4000-8000-000000000001')$$, 'a collector is set up');

-- a reading every full hour from the 1st of March to the 1st of April: 743 hours, for one is left out by summer time
CREATE TEMP TABLE hourly AS
SELECT n, timestamptz '2025-02-28 23:00:03Z' + n * interval '1 h' AS at FROM generate_series(1, 743) n;
CREATE FUNCTION pg_temp.send(meter text, wh_per_hour integer, first_wh bigint, first_seq bigint) RETURNS text LANGUAGE sql AS $$
	SELECT format('%s new, %s again, %s other, %s refused', i.accepted, i.duplicate, i.conflict, i.rejected)
	FROM (SELECT array_agg(meter) m, array_agg('1.8.0'::text) r, array_agg(at ORDER BY n) t,
			array_agg((first_wh + n * wh_per_hour) / 1000.0 ORDER BY n) k, array_agg(0) q, array_agg(NULL::timestamptz) a FROM hourly) x,
		elecbill.ingest('00000000-0000-4000-8000-000000000001', first_seq, m, r, t, k, q, a) i $$;
SELECT is(pg_temp.send('M0101', 500, 1000000, 1), '743 new, 0 again, 0 other, 0 refused', 'a month of hourly readings comes in');
SELECT is(pg_temp.send('M0101', 500, 1000000, 1), '0 new, 743 again, 0 other, 0 refused', 'sent twice, it counts once');
SELECT is(pg_temp.send('M0101', 501, 1000000, 1), '0 new, 0 again, 743 other, 0 refused', 'another story about the same hours is not believed');
SELECT is((SELECT register_wh FROM elecbill.reading_latest l JOIN elecbill.meter_register g ON g.id = l.register_id
	JOIN elecbill.meter m ON m.id = g.meter_id WHERE m.serial = 'M0101' AND g.code = '1.8.0'), 1371500::bigint,
	'the newest value is on hand: 1000 + 743 x 0.5 kWh');
SELECT is(pg_temp.send('MS01', 10, 0, 1000), '743 new, 0 again, 0 other, 0 refused', 'the shop is read too');

-- days and months are those of Berlin
SELECT is((SELECT energy_kwh FROM elecbill.usage_daily WHERE usage_point = 'R-0101' AND day = '2025-03-29'), 12.0,
	'an ordinary day has 24 hours: 12 kWh');
SELECT is((SELECT energy_kwh FROM elecbill.usage_daily WHERE usage_point = 'R-0101' AND day = '2025-03-30'), 11.5,
	'the day on which the clocks go forward has 23: 11.5 kWh');
SELECT is((SELECT count(*)::int FROM elecbill.usage_daily WHERE usage_point = 'R-0101' AND complete), 31, 'and both are whole days');
SELECT is((SELECT energy_kwh FROM elecbill.usage_monthly WHERE usage_point = 'R-0101' AND month = '2025-03-01'), 371.5,
	'March comes to 743 hours of half a kWh');
SELECT is((SELECT energy_kwh FROM elecbill.usage_monthly WHERE usage_point = 'S-01' AND month = '2025-03-01'), 297.2,
	'behind transformers of 40 to 1 the shop used 743 x 0.01 x 40 kWh');
SELECT is((SELECT sum(energy_kwh) FROM elecbill.usage_daily WHERE usage_point = 'S-01'), 297.2, 'its days add up to its month');

-- people read meters too
SELECT is(elecbill.reading_add('E1', 'M0102', '1.8.0', '2025-03-31 22:00Z', 99996), 'accepted', 'the caretaker reads an old meter');
SELECT throws_ok($$SELECT elecbill.reading_add('E1', 'M0102', '1.8.0', '2025-04-15 08:00Z', 99995.5)$$, 'UB422', NULL,
	'he is asked to look again when it ran backwards');
SELECT is((SELECT energy_kwh || ' ' || complete FROM elecbill.usage_monthly WHERE usage_point = 'R-0102'), '6.000 true',
	'two readings a month apart are a month, and no days');
SELECT is_empty($$SELECT * FROM elecbill.usage_daily WHERE usage_point = 'R-0102'$$, 'what was not measured by day is not said by day');

-- what was read stays as it was read
SELECT throws_ok('UPDATE elecbill.reading SET register_wh = register_wh - 100000', 'UB403', NULL, 'nobody turns a meter back');
SELECT throws_ok('DELETE FROM elecbill.reading WHERE seq = 7', 'UB403', NULL, 'nobody makes a reading disappear');
SELECT throws_ok('TRUNCATE elecbill.reading', 'UB403', NULL, 'nor all of them');

-- a tenant moves
SELECT lives_ok($$SELECT elecbill.agreement_end('E1', 'A-0101', '2025-04-16'), elecbill.agreement_start('E1', 'A-0101B', 'H-0101B', 'person', 'R-0101', 'T', '2025-04-16')$$,
	'one moves out, the next moves in on the same day');
SELECT is_empty('SELECT * FROM elecbill._fsck_reading()', 'and the books are in order');
SELECT * FROM finish();
ROLLBACK;
