-- tariff_history.sql: what a bill has to know of the bills before it, and what a line says of its version
\set ON_ERROR_STOP 1
SET client_min_messages = warning;
BEGIN;
SELECT plan(18);
CREATE FUNCTION pg_temp.tariff(code text, valid daterange, body text, replaces boolean DEFAULT false) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	PERFORM elecbill.tariff_approve(code, elecbill.tariff_draft(code, valid,
		('{"elecbill": 1, "currency": "CNY", "zone": "Asia/Shanghai", ' || body || '}')::jsonb, 'ann'), 'bob', replaces);
END $$;
CREATE FUNCTION pg_temp.read(room text, at text, kwh numeric) RETURNS void LANGUAGE sql AS $$
	SELECT elecbill.reading_add('MILL', 'M-' || room, '1.8.0', (at || '+08')::timestamptz, kwh);
$$;
CREATE FUNCTION pg_temp.bill(account text, since date) RETURNS text LANGUAGE sql AS $$
	SELECT b.id::text FROM elecbill.bill b JOIN elecbill.customer_account a ON a.id = b.account_id
	WHERE a.account_no = account AND lower(b.service) = since AND b.live
$$;
CREATE FUNCTION pg_temp.parked(account text, since date) RETURNS text LANGUAGE sql AS $$
	SELECT x.code || ': ' || x.message FROM elecbill.bill_exception x JOIN elecbill.customer_account a ON a.id = x.account_id
	JOIN elecbill.bill_run r ON r.id = x.run_id WHERE a.account_no = account AND lower(r.period) = since AND x.state = 'parked'
$$;
SELECT elecbill.org_create('MILL', 'Mill Yard');
SELECT elecbill.partition_maintain(6, '2025-01-01');
SELECT pg_temp.tariff('POWER', '[2024-01-01,)', '"demands": {"top": {"window": 60, "ratchet": {"lookback": 11, "percent": 80}}},
	"components": [{"code": "kw", "kind": "demand", "demand": "top", "price": 10}]');
SELECT pg_temp.tariff('LEAST', '[2024-01-01,)', '"year_start": "04-01", "components": [{"code": "energy", "kind": "energy", "price": 0.5},
	{"code": "least", "kind": "minimum", "scope": "year", "amount": 300}]');
SELECT pg_temp.tariff('NAMED', '[2024-01-01,)', '"code": "named-2024", "minor_unit": 2, "components": [{"code": "energy", "kind": "energy", "price": 0.5}]');
SELECT ok(count(*) = 0, 'a workshop, a store, a kiosk and a lodge move in; the workshop has two meters') FROM elecbill.import_estate('MILL', convert_to(
	E'room,account_no,name,kind,meter_no,model,last_reading,last_read_at,tariff,digits,interval_min\n'
	'1,W-1,Smith,commercial,M-1,DDS,0,2025-01-01,POWER,6,60\n1b,W-1,Smith,commercial,M-1b,DDS,0,2025-01-01,POWER,6,60\n'
	'2,S-1,Store,commercial,M-2,DDS,0,2025-01-01,LEAST,6,60\n3,K-1,Kiosk,commercial,M-3,DDS,0,2025-01-01,NAMED,6,60\n'
	'4,L-1,Lodge,commercial,M-4,DDS,0,2025-01-01,LEAST,6,60\n', 'UTF8')) WHERE message IS NOT NULL;
-- M-1 has 10 kW in January and 2 kW since; M-1b has 1 kW; nobody has read the store in January
INSERT INTO elecbill.reading (register_id, read_at, slot_at, register_wh, org_id, source)
SELECT g.id, at, at, 1000 * CASE m.serial WHEN 'M-1' THEN 2 * h + CASE WHEN h >= 100 THEN 8 ELSE 0 END ELSE h END, g.org_id, 1
FROM elecbill.meter_register g JOIN elecbill.meter m ON m.id = g.meter_id,
	generate_series(1, 2160) AS h, LATERAL (SELECT timestamptz '2025-01-01 00:00+08' + h * interval '1 hour' AS at) AS t
WHERE g.code = '1.8.0' AND m.serial LIKE 'M-1%';
SELECT pg_temp.read('2', v.at, v.kwh) FROM (VALUES ('2025-03-01 00:00', 300), ('2025-04-01 00:00', 500)) AS v(at, kwh);
-- nobody knows yet that the lodge was let in January
CREATE TABLE lodge AS SELECT g.* FROM elecbill.customer_agreement g JOIN elecbill.customer_account a ON a.id = g.account_id WHERE a.account_no = 'L-1';
DELETE FROM elecbill.customer_agreement WHERE id IN (SELECT id FROM lodge);
INSERT INTO elecbill.customer_agreement (org_id, account_id, usage_point_id, tariff_plan_id, valid)
SELECT org_id, account_id, usage_point_id, tariff_plan_id, '[2025-02-01,)' FROM lodge;
SELECT pg_temp.read('4', v.at, v.kwh) FROM (VALUES ('2025-02-01 00:00', 100), ('2025-03-01 00:00', 200), ('2025-04-01 00:00', 300)) AS v(at, kwh);
SELECT pg_temp.read('3', v.at, v.kwh) FROM (VALUES ('2025-02-01 00:00', 100), ('2025-02-11 00:00', 150), ('2025-03-01 00:00', 250)) AS v(at, kwh);
-- prices of the kiosk change, and are called otherwise; those of the other plan have another minor unit
SELECT pg_temp.tariff('NAMED', '[2025-02-11,)', '"code": "named-2025", "minor_unit": 1, "components": [{"code": "energy", "kind": "energy", "price": 0.6}]');
COMMIT;
CALL elecbill.bill_month('MILL', 'MONTH', '2025-02');
BEGIN;
SELECT is(pg_temp.parked('K-1', '2025-02-01'), 'error: tariff is not valid', 'versions that cannot share a bill park the account; the run goes on');
SELECT is(pg_temp.parked('W-1', '2025-02-01'), 'earlier_period_unbilled: an earlier period whose peaks or charges count is not billed yet', 'February waits for January, whose peak counts');
SELECT is(pg_temp.parked('S-1', '2025-02-01'), 'no_readings: meter M-2 has one reading in the period', 'the store has not been read');
SELECT pg_temp.tariff('NAMED', '[2025-02-11,)', '"code": "named-2025", "components": [{"code": "energy", "kind": "energy", "price": 0.6}]', true);
SELECT pg_temp.read('2', '2025-02-01 00:00', 100);
COMMIT;
CALL elecbill.bill_month('MILL', 'MONTH', '2025-01');
SELECT elecbill.bill_run_retry(1, elecbill.now());
CALL elecbill.bill_run_work(1);
BEGIN;
SELECT is(array_agg(l.quantity ORDER BY l.n), '{10,1}', 'January: each meter has its own peak') FROM elecbill.bill_line l WHERE l.bill_id = pg_temp.bill('W-1', '2025-01-01')::bigint;
SELECT is(array_agg(l.quantity ORDER BY l.n), '{8,1}', 'February: 80 % of January''s peak for the meter that had it, and only for that')
FROM elecbill.bill_line l WHERE l.bill_id = pg_temp.bill('W-1', '2025-02-01')::bigint;
SELECT throws_ok(format('SELECT elecbill.cancel_bill(%L, ''x'')', pg_temp.bill('W-1', '2025-01-01')), 'UB409', NULL, 'January''s peak is in February''s bill, so January stays');
SELECT is(array_agg(l.amount ORDER BY l.n), '{25.00,60.00}', 'the kiosk has both prices, whatever the versions are called')
FROM elecbill.bill_line l WHERE l.bill_id = pg_temp.bill('K-1', '2025-02-01')::bigint;
COMMIT;
CALL elecbill.bill_month('MILL', 'MONTH', '2025-03');
BEGIN;
SELECT is(array_agg(l.amount ORDER BY l.n), '{100.00,50.00}', 'the yearly minimum knows that January and February came to 150')
FROM elecbill.bill_line l WHERE l.bill_id = pg_temp.bill('S-1', '2025-03-01')::bigint;
SELECT throws_ok(format('SELECT elecbill.cancel_bill(%L, ''x'')', pg_temp.bill('S-1', '2025-01-01')), 'UB409', NULL, 'which therefore stay');
INSERT INTO elecbill.customer_agreement (org_id, account_id, usage_point_id, tariff_plan_id, valid)
SELECT org_id, account_id, usage_point_id, tariff_plan_id, '[2025-01-01,2025-02-01)' FROM lodge;
SELECT throws_ok('SELECT * FROM elecbill.simulate_bill(''L-1'', ''[2025-01-01,2025-02-01)'')', 'UB409',
	'a later period to which peaks or charges of this one count is billed already', 'the lodge''s January counts for bills that are made');
SELECT isnt_empty('SELECT * FROM elecbill.simulate_bill(''W-1'', ''[2025-02-01,2025-03-01)'')', 'what is billed may be worked out again');
SELECT throws_ok(format('SELECT elecbill.bill_run_retry(1, %L)', v.at), 'UB400', 'a run is retried by what was known since it was made', v.why)
FROM (VALUES ('2020-01-01 00:00+08', 'a run does not forget'), ('infinity', 'and cannot see the future')) AS v(at, why);
SELECT is_empty('SELECT * FROM elecbill.fsck()', 'fsck() finds nothing');

-- a version in the middle of another one; in it a fee is a percentage, and the rounding of a rider changes
SELECT elecbill.rider_draft('FUND', '[2025-01-01,)', '{"components": [{"code": "fund", "kind": "energy", "price": 0.0123}]}', 'ann');
SELECT elecbill.tariff_approve('FUND', 1, 'bob');
SELECT elecbill.rider_draft('FUND', '[2025-03-06,)', '{"components": [{"code": "fund", "kind": "energy", "price": 0.0234, "round": {"step": 1, "mode": "up"}}]}', 'ann');
SELECT elecbill.tariff_approve('FUND', 2, 'bob');
SELECT pg_temp.tariff('NAMED', '[2025-03-01,)', '"components": [{"code": "energy", "kind": "energy", "price": 0.123}, {"code": "fee", "kind": "fixed", "price": 3.001, "per": "day"}]', true);
SELECT pg_temp.tariff('NAMED', '[2025-03-11,2025-03-21)', '"components": [{"code": "energy", "kind": "energy", "price": 0.234}, {"code": "fee", "kind": "percent", "percent": 7, "base": ["energy"]}]', true);
SELECT elecbill.rider_set('NAMED', 'FUND', '[2025-03-01,)');
SELECT pg_temp.read('3', v.at, v.kwh) FROM (VALUES ('2025-03-06 00:00', 270), ('2025-03-11 00:00', 305), ('2025-03-21 00:00', 349), ('2025-04-01 00:00', 401)) AS v(at, kwh);
SELECT elecbill.bill_run_start('MILL', 'MONTH', '[2025-03-01,2025-04-01)', 'offcycle') AS run \gset
COMMIT;
CALL elecbill.bill_run_work(:run);
BEGIN;
SELECT set_eq(format('SELECT concat_ws('' '', v.version, lower(v.valid), l.component, l.kind, l.amount) FROM elecbill.bill_line l
		JOIN elecbill.tariff_version v ON v.id = l.tariff_version_id WHERE l.bill_id = %s', pg_temp.bill('K-1', '2025-03-01')),
	ARRAY['4 2025-03-01 energy energy 2.46', '4 2025-03-01 fee fixed 15.01', '4 2025-03-01 fund energy 0.25',
		'4 2025-03-01 energy energy 4.31', '4 2025-03-01 fund energy 1.00',
		'5 2025-03-11 energy energy 10.30', '5 2025-03-11 fee percent 0.72', '5 2025-03-11 fund energy 2.00',
		'4 2025-03-21 energy energy 6.40', '4 2025-03-21 fee fixed 33.01', '4 2025-03-21 fund energy 2.00'],
	'each line names the row of its version and the kind it has there');
SELECT is_empty('SELECT * FROM elecbill.fsck()', 'and its rounding is that of the rider on its days');
SELECT is(count(*), 0::bigint, 'nobody is left without a bill') FROM elecbill.bill_exception x JOIN elecbill.bill_run r ON r.id = x.run_id
WHERE x.state = 'parked' AND NOT EXISTS (SELECT FROM elecbill.bill b WHERE b.account_id = x.account_id AND b.live AND b.service = r.period);
SELECT * FROM finish();
COMMIT;
