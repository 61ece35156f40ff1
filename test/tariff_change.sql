-- tariff_change.sql: what customers and staff see when prices, levies and purchase prices change
\set ON_ERROR_STOP 1
SET client_min_messages = warning;
BEGIN;
SELECT plan(19);
CREATE FUNCTION pg_temp.tariff(code text, valid daterange, body text, replaces boolean DEFAULT false) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	PERFORM elecbill.tariff_approve(code, elecbill.tariff_draft(code, valid,
		('{"elecbill": 1, "currency": "CNY", "zone": "Asia/Shanghai", ' || body || '}')::jsonb, 'ann'), 'bob', replaces);
END $$;
CREATE FUNCTION pg_temp.read(room text, at text, kwh numeric) RETURNS void LANGUAGE sql AS $$
	SELECT elecbill.reading_add('HOME', 'M-' || room, '1.8.0', (at || '+08')::timestamptz, kwh);
$$;
CREATE FUNCTION pg_temp.lines(account text, month text) RETURNS SETOF text LANGUAGE sql AS $$
	SELECT concat_ws(' ', 'v' || d.version, d.component, d.tier, trim_scale(d.quantity), trim_scale(d.price), d.amount)
	FROM elecbill.bill_detail d WHERE d.account_no = account AND to_char(lower(d.service), 'YYYY-MM') = month
		AND d.status <> 'cancelled' ORDER BY d.n
$$;
SELECT elecbill.org_create('HOME', 'Green Court');
SELECT elecbill.partition_maintain(6, '2024-12-01');
SELECT pg_temp.tariff('FLAT', '[2024-01-01,)', '"components": [{"code": "energy", "kind": "energy", "price": 0.5}, {"code": "basic", "kind": "fixed", "price": 31, "per": "month"}]');
SELECT pg_temp.tariff('STEPS', '[2024-01-01,)', '"components": [{"code": "energy", "kind": "energy", "tier": {"scope": "month", "split": "continue", "steps": [{"up_to": 300, "price": 0.5}, {"price": 0.8}]}}]');
SELECT pg_temp.tariff('SHOP', '[2024-01-01,)', '"series": {"buy": "PURCHASE"}, "components": [{"code": "energy", "kind": "energy", "price": {"add": [{"series": "buy"}, 0.1]}}]');
SELECT elecbill.price_series_create('HOME', 'PURCHASE', 'bill_month');
SELECT ok(count(*) = 0, 'three homes move in') FROM elecbill.import_estate('HOME', convert_to(
	E'room,account_no,name,kind,meter_no,model,last_reading,last_read_at,tariff,digits\n'
	'1,A-1,Li,residential,M-1,DDS,0,2025-01-01,FLAT,6\n2,A-2,Wang,residential,M-2,DDS,0,2025-01-01,STEPS,6\n'
	'3,A-3,Tea shop,commercial,M-3,DDS,0,2025-01-01,SHOP,6\n', 'UTF8')) WHERE message IS NOT NULL;
SELECT pg_temp.read(room, '2025-01-11 00:00', 100) FROM unnest('{1,2,3}'::text[]) AS room;
SELECT pg_temp.read(room, '2025-02-01 00:00', 600) FROM unnest('{1,2,3}'::text[]) AS room;

-- prices rise on 11 January
SELECT pg_temp.tariff('FLAT', '[2025-01-11,)', '"components": [{"code": "energy", "kind": "energy", "price": 0.56}, {"code": "basic", "kind": "fixed", "price": 62, "per": "month"}]');
SELECT pg_temp.tariff('STEPS', '[2025-01-11,)', '"components": [{"code": "energy", "kind": "energy", "tier": {"scope": "month", "split": "continue", "steps": [{"up_to": 300, "price": 0.6}, {"price": 0.9}]}}]');
SELECT throws_ok('SELECT * FROM elecbill.simulate_bill(''A-3'', ''[2025-01-01,2025-02-01)'')', 'UB404', NULL,
	'a bill whose purchase price is not published cannot be previewed');
SELECT is(array_agg(amount), '{50.00,10.00,280.00,42.00}', 'a preview has the old and the new price, the basic charge by days') FROM elecbill.simulate_bill('A-1', '[2025-01-01,2025-02-01)');
SELECT throws_ok($$SELECT elecbill.bill_run_start('HOME', 'MONTH', '[2025-01-01,2025-02-01)')$$, 'UB412', 'price series ''PURCHASE'' has no price for 2025-01',
	'nor is the month billed, and it is said for what it waits');
SELECT elecbill.price_set('PURCHASE', daterange '[2025-01-01,2025-03-01)', 0.41, 'ann');
COMMIT;
CALL elecbill.bill_month('HOME', 'MONTH', '2025-01');
BEGIN;
SELECT set_eq('SELECT pg_temp.lines(''A-1'', ''2025-01'')', ARRAY['v1 energy 100 0.5 50.00', 'v1 basic 0.322581 31 10.00', 'v2 energy 500 0.56 280.00', 'v2 basic 0.677419 62 42.00'],
	'the bill says what was used at which price, and by which version');
SELECT set_eq('SELECT pg_temp.lines(''A-2'', ''2025-01'')', ARRAY['v1 energy 1 100 0.5 50.00', 'v2 energy 1 200 0.6 120.00', 'v2 energy 2 300 0.9 270.00'],
	'the month has one ladder: 200 kWh of the first step were left when prices rose');
SELECT is_empty('SELECT * FROM elecbill.bill_exception', 'nobody waits');
SELECT ok(bool_or(text LIKE '%1, 2%'), 'the explanation names both versions') FROM elecbill.explain_bill((SELECT number FROM elecbill.bill_detail WHERE account_no = 'A-1' LIMIT 1), 'en');
SELECT ok(elecbill.html_bill((SELECT number FROM elecbill.bill_detail WHERE account_no = 'A-1' LIMIT 1)) LIKE '%FLAT v1+2%', 'so does the printed bill');
SELECT is_empty('SELECT * FROM elecbill.fsck()', 'fsck() finds nothing');

COMMIT;
SELECT elecbill.bill_run_start('HOME', 'MONTH', '[2025-01-01,2025-02-01)', 'offcycle') AS run \gset
CALL elecbill.bill_run_work(:run);
CALL elecbill.bill_run_issue(:run);
BEGIN;

-- the purchase price is corrected
SELECT set_eq('SELECT pg_temp.lines(''A-3'', ''2025-01'')', ARRAY['v1 energy 600 0.51 306.00'], 'the shop pays the price of the month');
SELECT elecbill.price_set('PURCHASE', daterange '[2025-01-01,2025-02-01)', 0.42, 'ann');
SELECT is(d.amount, 6.00, 'one line of difference: 600 kWh, one fen more')
FROM elecbill.bill AS b JOIN elecbill.customer_account a ON a.id = b.account_id, LATERAL (SELECT b.snapshot #> '{parts,0,summary}' AS usage) AS u,
	elecbill.line_delta(
		ARRAY(SELECT l FROM elecbill.rate(elecbill.tariff_for('SHOP', b.service, b.issued_at), u.usage::elecbill.usage_summary) AS l),
		ARRAY(SELECT l FROM elecbill.rate(elecbill.tariff_for('SHOP', b.service), u.usage::elecbill.usage_summary) AS l)) AS d
WHERE a.account_no = 'A-3' AND b.live;
SELECT is_empty('SELECT * FROM elecbill.fsck()', 'and the bill that was made stays right by what was known');

-- a levy for February, by a rider
SELECT elecbill.rider_draft('LEVY', '[2025-01-01,)', '{"components": [{"code": "levy", "kind": "percent", "percent": 10, "base": ["energy"]}]}', 'ann');
SELECT elecbill.tariff_approve('LEVY', 1, 'bob');
SELECT elecbill.rider_set('FLAT', 'LEVY', '[2025-02-15,)');
SELECT elecbill.rider_set('STEPS', 'LEVY', '[2025-02-15,)');
SELECT pg_temp.read(room, v.at, v.kwh) FROM unnest('{1,2}'::text[]) AS room, (VALUES ('2025-02-15 00:00', 700), ('2025-03-01 00:00', 800)) AS v(at, kwh);
COMMIT;
CALL elecbill.bill_month('HOME', 'MONTH', '2025-02');
BEGIN;
SELECT set_eq('SELECT pg_temp.lines(''A-1'', ''2025-02'')', ARRAY['v2 energy 100 0.56 56.00', 'v2 basic 0.5 62 31.00', 'v2 energy 100 0.56 56.00', 'v2 basic 0.5 62 31.00', 'v2 levy 56 10 5.60'],
	'the levy is on what was used since it holds');
SELECT is(count(*), 2::bigint, 'tier energy goes on over the levy''s first day') FROM pg_temp.lines('A-2', '2025-02') AS l WHERE l LIKE 'v2 energy 1 100 0.6 60.00';
SELECT is(array_agg(DISTINCT x.code), '{already_billed,no_readings}', 'who could not be billed is parked, and who was billed twice is not') FROM elecbill.bill_exception x;
SELECT throws_ok('SELECT elecbill.agreement_set(''HOME'', ''A-1'', ''LEVY'', ''2025-03-01'')', 'UB404', NULL, 'a rider is no tariff to be on');
SELECT throws_ok('SELECT elecbill.tariff_draft(''LEVY'', ''[2026-01-01,)'', ''{"elecbill": 1, "currency": "CNY", "zone": "Asia/Shanghai", "components": []}'', ''ann'')',
	'UB400', NULL, 'and a rider has no head');
SELECT is_empty('SELECT * FROM elecbill.fsck()', 'fsck() finds nothing in the end');
SELECT * FROM finish();
COMMIT;
