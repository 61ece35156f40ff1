-- prepaid.sql: accounts that pay before they use: what is left each day, and the way from low to off and on again
-- Amounts of the first home were worked out by hand; those of the others are compared with their bills.
\set ON_ERROR_STOP 1
SET client_min_messages = warning;
\set seed `echo "${SEED:-$(date +%N)}"`
\ir login/work_for.sql
SELECT plan(72);
\echo # SEED=:seed
CREATE FUNCTION pg_temp.at(at text) RETURNS void LANGUAGE sql AS $$ SELECT set_config('elecbill.clock_override', at || '+08', false) $$;
CREATE FUNCTION pg_temp.left(account text) RETURNS text LANGUAGE sql AS $$
	SELECT concat_ws(' ', p.state, p.available, p.reason, p.fault) FROM elecbill.prepay_status p WHERE p.account_no = $1 $$;
CREATE FUNCTION pg_temp.orders(account text) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(d.kind || ' ' || d.state, ', ' ORDER BY d.id) FROM elecbill.device_command d JOIN elecbill.meter m ON m.id = d.meter_id
	WHERE m.serial = 'M-' || $1 AND d.kind LIKE '%connect' $$;
CREATE FUNCTION pg_temp.carried_out(outcome text DEFAULT 'acked') RETURNS bigint LANGUAGE sql AS $$
	SELECT count(elecbill.command_ack('platform', t.command, outcome)) FROM elecbill.command_take('platform', 'PRE', trial => true) AS t $$;
CREATE FUNCTION pg_temp.told(account text) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(x.topic, ' ' ORDER BY x.id) FROM elecbill.outbox x WHERE x.topic IN ('low_balance', 'prepay_zero', 'prepay_ordered', 'prepay_reconnect')
		AND x.payload ->> 'account' = $1 $$;
CREATE FUNCTION pg_temp.alarms(account text) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(x.code, ' ' ORDER BY x.code) FROM elecbill.alarm x WHERE x.object = $1 AND x.state = 'open' AND x.code LIKE 'prepay%' $$;
CREATE FUNCTION pg_temp.topup(account text, amount numeric) RETURNS text LANGUAGE sql AS $$
	SELECT elecbill.payment_record_cash('PRE/' || account, amount, NULL, gen_random_uuid()::text, '{}') $$;
CREATE FUNCTION pg_temp.corrected(account text, amount numeric) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	number text;
BEGIN
	PERFORM public.work_for('mei');
	number := elecbill.adjust('PRE/' || account, 'other', amount, 'meter box repaired', gen_random_uuid()::text);
	PERFORM public.work_for('lin');
	PERFORM elecbill.adjust_approve('PRE/' || number);
	PERFORM public.work_for('');
END $$;
CREATE FUNCTION pg_temp.tariff(code text, components text) RETURNS void LANGUAGE sql AS $$
	SELECT elecbill.tariff_draft('PRE/' || code, '[2024-01-01,)', ('{"elecbill": 1, "currency": "CNY", "zone": "Asia/Shanghai",
		"components": [' || components || ']}')::jsonb, 'ann'), elecbill.tariff_approve('PRE/' || code, 1, 'bob') $$;

-- ---------------------------------------------------------------- an estate, read at midnight

SELECT pg_temp.at('2026-02-01 00:30');
SELECT elecbill.org_create('PRE', 'Green Court');
SELECT elecbill.partition_maintain(3, '2026-01-01') \g /dev/null
SELECT pg_temp.tariff('FLAT', '{"code": "energy", "kind": "energy", "price": 0.5}'),
	pg_temp.tariff('TIER', '{"code": "energy", "kind": "energy", "price": 0.5283, "vat": 13, "tier": {"scope": "month", "steps": [{"up_to": 90, "price": 0.5283}, {"up_to": 150, "price": 0.6171}, {"price": 0.8939}]}}'),
	pg_temp.tariff('YEAR', '{"code": "energy", "kind": "energy", "tier": {"scope": "year", "steps": [{"up_to": 100, "price": 0.52}, {"price": 0.57}]}},
		{"code": "meter", "kind": "fixed", "price": 7.77, "per": "month"}'),
	pg_temp.tariff('LEAST', '{"code": "energy", "kind": "energy", "price": 0.3333}, {"code": "least", "kind": "minimum", "amount": 60, "scope": "bill"}') \g /dev/null
SELECT is_empty($$SELECT * FROM elecbill.import_estate('PRE', convert_to(E'room,account_no,name,kind,meter_no,model,last_reading,last_read_at,tariff\n' || (
	SELECT string_agg(format('%1$s,%1$s,N%1$s,residential,M-%1$s,DDS,0,2026-02-01,%2$s', x.room, x.tariff), E'\n')
	FROM (VALUES ('A', 'FLAT'), ('MED', 'FLAT'), ('GAP', 'FLAT'), ('POST', 'FLAT'), ('T1', 'TIER'), ('T2', 'TIER'), ('Y1', 'YEAR'), ('Y2', 'YEAR'), ('L1', 'LEAST'), ('L2', 'LEAST')) AS x(room, tariff)), 'UTF8'))$$, 'ten homes');
SELECT elecbill.duty_grant('PRE', x, d) FROM unnest('{mei,lin}'::text[]) AS x, unnest('{billing,finance}'::text[]) AS d \g /dev/null
SELECT elecbill.payment_policy_set('PRE', 'over'), elecbill.cashier_shift_open('PRE') \g /dev/null
SELECT setseed((:'seed'::numeric % 100000 / 100000)::float8) \g /dev/null
CREATE TEMP TABLE used AS
SELECT room, day, sum(kwh) OVER (PARTITION BY room ORDER BY day) AS kwh
FROM (SELECT r.room, date '2026-02-02' + i AS day, CASE WHEN r.room IN ('A', 'MED', 'GAP', 'POST') THEN 10 ELSE round((random() * 9)::numeric, 2) END AS kwh
	FROM unnest('{A,MED,GAP,POST,T1,T2,Y1,Y2,L1,L2}'::text[]) AS r(room), generate_series(0, 62) AS i) AS x;
-- readings come in until a midnight, of GAP not on the 15th
CREATE FUNCTION pg_temp.read_to(until date) RETURNS void LANGUAGE sql AS $$
	SELECT elecbill.reading_add('PRE', 'M-' || u.room, '1.8.0', (u.day::text || ' 00:00+08')::timestamptz, u.kwh)
	FROM used u WHERE u.day <= until AND (u.room, u.day) <> ('GAP', '2026-02-15')
		AND NOT EXISTS (SELECT FROM elecbill.reading x JOIN elecbill.meter_register g ON g.id = x.register_id JOIN elecbill.meter m ON m.id = g.meter_id
			WHERE m.serial = 'M-' || u.room AND x.read_at = (u.day::text || ' 00:00+08')::timestamptz) $$;

SELECT throws_ok($$SELECT elecbill.account_mode_set('PRE/A', 'free')$$, 'UB400', 'an account is postpaid or prepaid', 'nobody has it for nothing');
SELECT throws_ok($$SELECT elecbill.account_mode_set('PRE/NONE', 'prepaid')$$, 'UB404', NULL, 'an account that is not there');
SELECT elecbill.account_mode_set('PRE/' || x, 'prepaid') FROM unnest('{A,MED,GAP,T1,T2,Y1,Y2,L1,L2}'::text[]) AS x \g /dev/null
SELECT elecbill.account_mode_set('PRE/A', 'prepaid');
SELECT is((SELECT count(*) FROM elecbill.audit_log WHERE action = 'account_mode_set' AND outcome = 'done'), 9::bigint, 'each change is in the audit log, once');
SELECT throws_ok($$SELECT elecbill.prepay_policy_set('PRE', -1)$$, 'UB400', 'prepayment needs 0 to 366 days, an amount of 0 or more, and the hours of a day', 'no days below 0');
SELECT throws_ok($$CALL elecbill.prepay_run('PRE', '2026-02-02')$$, 'UB400', '2026-02-02 is not a day up to today', 'tomorrow is not charged');
SELECT elecbill.customer_tags_set('PRE/MED', '{medical}');
SELECT pg_temp.topup(x, 100) FROM unnest('{A,MED,GAP,T1,T2,Y1,Y2,L1,L2}'::text[]) AS x \g /dev/null

-- ---------------------------------------------------------------- from normal to off, by hand: 10 kWh a day at 0.50

CALL elecbill.prepay_run('PRE');
SELECT is(pg_temp.left('A'), 'normal 100.00', 'on the first day all is there');
CREATE FUNCTION pg_temp.next_day(day text) RETURNS void LANGUAGE sql AS $$ SELECT pg_temp.at(day || ' 00:30'), pg_temp.read_to(day::date) $$;
SELECT pg_temp.next_day('2026-02-02');
CALL elecbill.prepay_run('PRE');
CALL elecbill.prepay_run('PRE');
SELECT is(pg_temp.left('A'), 'normal 95.00', 'a day later 5.00 are used, however often it is asked');
SELECT is((SELECT (provisional, mean_day, days_left) FROM elecbill.prepay_status WHERE account_no = 'A')::text, '(5.00,5.00,19.0)', 'it lasts 19 days');
SELECT pg_temp.next_day('2026-02-10');
CALL elecbill.prepay_run('PRE');
SELECT is(pg_temp.left('A'), 'normal 55.00', 'nobody ran it for a week: 9 days are 45.00');
SELECT results_eq($$SELECT day, days::integer, amount FROM elecbill.prepay_day d JOIN elecbill.customer_account a ON a.id = d.account_id WHERE a.account_no = 'A' ORDER BY day$$,
	$$VALUES ('2026-02-01'::date, 1, 5.00), ('2026-02-09', 8, 40.00)$$, 'the days that were missed are one charge');
SELECT pg_temp.next_day('2026-02-11');
CALL elecbill.prepay_run('PRE');
SELECT is(pg_temp.left('A'), 'low 50.00', '50.00 are low');
SELECT is(pg_temp.alarms('A'), 'prepay_low', 'which is an alarm');
SELECT is(pg_temp.told('A'), 'low_balance', 'and the customer is told');
CALL elecbill.prepay_run('PRE');
SELECT is(pg_temp.told('A'), 'low_balance', 'once');
SELECT elecbill.prepay_policy_set('PRE', 10, 20.00);
CALL elecbill.prepay_run('PRE');
SELECT is(pg_temp.left('A'), 'low 50.00', 'ten days of the mean are as much: low');
SELECT elecbill.prepay_policy_set('PRE', 9, 20.00);
CALL elecbill.prepay_run('PRE');
SELECT is(pg_temp.left('A'), 'normal 50.00', 'nine days are less: normal');
SELECT is(pg_temp.alarms('A'), NULL, 'and the alarm is over');
SELECT elecbill.prepay_policy_set('PRE');
SELECT pg_temp.next_day('2026-02-15');
CALL elecbill.prepay_run('PRE');
SELECT is(pg_temp.left('GAP'), 'low 50.00 no_boundary_reading', 'of a meter that was not read the charges stay where they are, by name');
SELECT pg_temp.next_day('2026-02-16');
CALL elecbill.prepay_run('PRE');
SELECT is(pg_temp.left('GAP'), 'low 25.00', 'the next reading brings them');
SELECT pg_temp.next_day('2026-02-20');
CALL elecbill.prepay_run('PRE');
SELECT is(pg_temp.left('A'), 'low 5.00', 'on Friday there are 5.00');
SELECT pg_temp.next_day('2026-02-21');
CALL elecbill.prepay_run('PRE');
SELECT is(pg_temp.left('A'), 'zero 0.00 grace', 'on Saturday nothing');
SELECT is((SELECT grace_until FROM elecbill.prepay_status WHERE account_no = 'A'), '2026-02-23 09:00+08', 'supply is on until Monday at nine');
SELECT is(pg_temp.alarms('A'), 'prepay_zero', 'another alarm');
SELECT pg_temp.next_day('2026-02-23');
CALL elecbill.prepay_run('PRE');
SELECT is(pg_temp.left('A'), 'zero -10.00 grace', 'on Monday after midnight it is');
SELECT pg_temp.at('2026-02-23 09:00');
CALL elecbill.prepay_run('PRE');
SELECT is(pg_temp.left('A'), 'ordered -10.00', 'at nine it is to be cut off');
SELECT is(pg_temp.left('MED'), 'zero -10.00 medical', 'but not where it is needed to live');
CALL elecbill.prepay_run('PRE');
SELECT is(pg_temp.orders('A'), 'disconnect queued', 'once');
SELECT is(pg_temp.carried_out('failed'), 2::bigint, 'the platform cannot: A and GAP');
CALL elecbill.prepay_run('PRE');
SELECT is(pg_temp.orders('A'), 'disconnect failed, disconnect queued', 'so it is ordered anew');
SELECT pg_temp.at('2026-02-23 17:05');
CALL elecbill.prepay_run('PRE');
SELECT is(pg_temp.left('A'), 'zero -10.00 night', 'nobody came before five');
SELECT pg_temp.next_day('2026-02-24');
SELECT pg_temp.at('2026-02-24 09:15');
CALL elecbill.prepay_run('PRE');
SELECT is(pg_temp.left('A'), 'ordered -15.00', 'on Tuesday again');
SELECT is(pg_temp.carried_out(), 2::bigint, 'somebody comes');
CALL elecbill.prepay_run('PRE');
SELECT is(pg_temp.left('A'), 'off -15.00', 'it is off');
SELECT throws_ok($$SELECT elecbill.account_mode_set('PRE/A', 'postpaid')$$, 'UB412', 'account ''A'' is cut off, or on its way back', 'who is cut off cannot pay later instead');
SELECT pg_temp.topup('A', 15);
CALL elecbill.prepay_run('PRE');
SELECT is(pg_temp.left('A'), 'off 0.00', 'nothing is left of 15.00');
SELECT pg_temp.topup('A', 100);
SELECT is(pg_temp.left('A'), 'reconnect 100.00', '100.00 more, and at once it is to be switched on');
SELECT is(pg_temp.alarms('A'), NULL, 'no alarm any more');
CALL elecbill.prepay_run('PRE');
SELECT is(pg_temp.orders('A'), 'disconnect failed, disconnect expired, disconnect acked, reconnect queued', 'each order was answered, or its time is over');
SELECT is(pg_temp.carried_out(), 1::bigint, 'somebody does');
CALL elecbill.prepay_run('PRE');
SELECT is(pg_temp.left('A'), 'normal 100.00', 'and all is well');
SELECT is(pg_temp.told('A'), 'low_balance low_balance prepay_zero prepay_ordered prepay_ordered prepay_reconnect', 'he was told all of it');
SELECT is((SELECT array_agg(action ORDER BY id) FROM elecbill.audit_log WHERE object = 'A' AND action LIKE 'prepay%'),
	'{prepay_ordered,prepay_ordered,prepay_ordered,prepay_reconnect}', 'orders are in the audit log');

-- ---------------------------------------------------------------- the bill is what the days came to

DO $$
DECLARE
	day date;
BEGIN
	FOR day IN SELECT date '2026-02-25' + i FROM generate_series(0, 3) AS i LOOP
		PERFORM pg_temp.next_day(day::text), elecbill._prepay_batch('PRE', elecbill._prepay_accounts('PRE', day), day, true);
	END LOOP;
END $$;
SELECT is(pg_temp.left('A'), 'normal 80.00', 'on the last day of February 80.00 are left');
SELECT pg_temp.next_day('2026-03-01');
CALL elecbill.prepay_run('PRE');
SELECT is(pg_temp.left('A'), 'normal 75.00', 'on the first of March the bill takes the place of the charges, and what is left is what was left');
SELECT results_eq($$SELECT b.status, b.amount, b.paid, b.kind FROM elecbill.bill b JOIN elecbill.customer_account a ON a.id = b.account_id WHERE a.account_no = 'A'$$,
	$$VALUES ('paid', 140.00, 140.00, 'regular')$$, '28 days are 140.00, paid from advance credit');
SELECT is_empty($$SELECT a.account_no, b.amount, d.amount FROM elecbill.bill b JOIN elecbill.customer_account a ON a.id = b.account_id
	CROSS JOIN LATERAL (SELECT sum(x.amount) AS amount FROM elecbill.prepay_day x WHERE x.account_id = a.id AND b.service @> x.day) AS d
	WHERE b.amount IS DISTINCT FROM d.amount$$, 'of every home the charges of its days are its bill, to the cent');
SELECT is((SELECT count(*) FROM elecbill.bill), 9::bigint, 'nine bills');
SELECT is((SELECT min(b.amount) FROM elecbill.bill b JOIN elecbill.customer_account a ON a.id = b.account_id WHERE a.account_no LIKE 'L_'), 60.00, 'the least is charged with the last day');
SELECT is_empty($$SELECT a.account_no, b.amount FROM elecbill.bill b JOIN elecbill.customer_account a ON a.id = b.account_id
	CROSS JOIN LATERAL (SELECT sum(s.amount) AS amount FROM elecbill.simulate_bill('PRE/' || a.account_no, b.service) AS s) AS x WHERE x.amount <> b.amount$$,
	'and what simulate_bill() says');
CALL elecbill.prepay_run('PRE');
CALL elecbill.bill_month('PRE', 'MONTH', '2026-02');
SELECT is((SELECT count(*) FROM elecbill.bill), 10::bigint, 'the run of the month bills who pays afterwards');
SELECT is_empty('SELECT * FROM elecbill.bill_exception', 'and finds nothing amiss');
SELECT pg_temp.corrected('GAP', 12.34), pg_temp.corrected('T1', -5);
CREATE TEMP TABLE had AS SELECT account_no, available, provisional FROM elecbill.prepay_status;
CALL elecbill.prepay_run('PRE');
SELECT results_eq($$SELECT p.account_no, h.available - p.available, p.waiting, p.provisional - h.provisional FROM elecbill.prepay_status p JOIN had h USING (account_no)
	WHERE p.account_no IN ('GAP', 'L1', 'T1') ORDER BY 1$$, $$VALUES ('GAP'::text, 12.34, 12.34, 0.00), ('L1', 0.00, 0.00, 0.00), ('T1', -5.00, -5.00, 0.00)$$,
	'a correction that the next bill will have is spent at once, and is no charge of a day');
INSERT INTO elecbill.vee_exception (org_id, rule, rule_version, severity, usage_point_id, during, score, detail)
SELECT u.org_id, 'V02', 1, 'hold', u.id, tstzrange('2026-03-10 00:00+08', '2026-03-11 00:00+08'), 1, '{}' FROM elecbill.usage_point u WHERE u.code = 'Y2';
DO $$
DECLARE
	day date;
BEGIN
	FOR day IN SELECT date '2026-03-02' + i FROM generate_series(0, 30) AS i LOOP
		IF random() < 0.5 OR day = '2026-04-01' THEN
			PERFORM pg_temp.next_day(day::text), elecbill._prepay_batch('PRE', elecbill._prepay_accounts('PRE', day), day, true);
		END IF;
	END LOOP;
END $$;
SELECT is_empty($$SELECT a.account_no, b.service, b.amount, d.amount FROM elecbill.bill b JOIN elecbill.customer_account a ON a.id = b.account_id
	CROSS JOIN LATERAL (SELECT sum(x.amount) AS amount FROM elecbill.prepay_day x WHERE x.account_id = a.id AND b.service @> x.day) AS d
	WHERE a.mode = 'prepaid' AND (b.account_id, upper(b.service)) NOT IN (SELECT j.account_id, date '2026-04-01' FROM elecbill.adjustment j)
		AND b.amount IS DISTINCT FROM d.amount$$, 'in March, too, though many days had no run');
SELECT results_eq($$SELECT a.account_no, b.amount - d.amount, p.waiting FROM elecbill.bill b JOIN elecbill.customer_account a ON a.id = b.account_id
	JOIN elecbill.prepay_status p ON p.account_no = a.account_no
	CROSS JOIN LATERAL (SELECT sum(x.amount) AS amount FROM elecbill.prepay_day x WHERE x.account_id = a.id AND b.service @> x.day) AS d
	WHERE a.account_no IN ('GAP', 'T1') AND upper(b.service) = '2026-04-01' ORDER BY 1$$, $$VALUES ('GAP'::text, 12.34, 0.00), ('T1', -5.00, 0.00)$$,
	'with the corrections, which are on the bill and wait no more');
SELECT is((SELECT array_agg(a.account_no) FROM elecbill.bill b JOIN elecbill.customer_account a ON a.id = b.account_id WHERE b.status = 'held'), '{Y2}', 'a bill with a reading in doubt waits');
SELECT is((SELECT open FROM elecbill.prepay_status WHERE account_no = 'Y2') >= (SELECT amount FROM elecbill.bill WHERE status = 'held'), true, 'and counts as open');
SELECT elecbill.vee_decide((SELECT max(id) FROM elecbill.vee_exception), 'accepted', 'it was so');
CALL elecbill.prepay_run('PRE');
SELECT is((SELECT count(*) FROM elecbill.bill_run WHERE status <> 'done'), 0::bigint, 'when that is decided it is issued, and its run is done');
SELECT is((SELECT count(*) FROM elecbill.bill WHERE service = '[2026-03-01,2026-04-01)' AND status IN ('paid', 'partly_paid', 'issued')), 9::bigint, 'nine bills of March');
SELECT is_empty($$SELECT p.account_no, p.available, m.amount FROM elecbill.prepay_status p
	JOIN elecbill.customer_account a ON a.account_no = p.account_no
	CROSS JOIN LATERAL (SELECT (SELECT sum(x.amount) FROM elecbill.payment x WHERE x.account_id = a.id)
		- (SELECT sum(b.amount) FROM elecbill.bill b WHERE b.account_id = a.id AND b.live) AS amount) AS m
	WHERE p.available <> m.amount$$, 'what is left is what was paid less what was billed');
SELECT elecbill.payment_record_cash('PRE/Y1', 300, NULL, 'y1', '{}') \g /dev/null
SELECT elecbill.cancel_bill((SELECT b.id::text FROM elecbill.bill b JOIN elecbill.customer_account a ON a.id = b.account_id
	WHERE a.account_no = 'T1' AND b.service @> date '2026-03-05'), 'made anew', 'k1');
CALL elecbill.prepay_run('PRE');
SELECT is((SELECT count(DISTINCT b.amount) FROM elecbill.bill b JOIN elecbill.customer_account a ON a.id = b.account_id
	WHERE a.account_no = 'T1' AND b.service @> date '2026-03-05'), 1::bigint, 'a bill that is taken back is made again, to the cent');
-- a bill in the middle is taken back, and its days cannot be billed: what they and the days behind them come to is owed all the same
SELECT pg_temp.next_day('2026-04-03');
CALL elecbill.prepay_run('PRE');
SELECT (SELECT available FROM elecbill.prepay_status WHERE account_no = 'T1') AS available,
	elecbill.cancel_bill((SELECT b.id::text FROM elecbill.bill b JOIN elecbill.customer_account a ON a.id = b.account_id
		WHERE a.account_no = 'T1' AND b.service @> date '2026-03-05' AND b.live), 'made anew', 'k2') \gset t1_
CREATE OR REPLACE FUNCTION pg_temp.no_bill() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no bill today' USING ERRCODE = 'UB412'; END $$;
CREATE TRIGGER no_bill BEFORE INSERT ON elecbill.bill FOR EACH ROW EXECUTE FUNCTION pg_temp.no_bill();
CALL elecbill.prepay_run('PRE');
SELECT is((SELECT available || ' ' || fault FROM elecbill.prepay_status WHERE account_no = 'T1'), :'t1_available' || ' error', 'days behind a bill that cannot be made are still charged');
SELECT is_empty($$SELECT * FROM elecbill.fsck() WHERE invariant = 'prepay'$$, 'each day once');
DROP TRIGGER no_bill ON elecbill.bill;
CALL elecbill.prepay_run('PRE');
SELECT is((SELECT available::text FROM elecbill.prepay_status WHERE account_no = 'T1'), :'t1_available', 'and nothing is different when it is');

-- who moves out has little left, which is no matter
SELECT pg_temp.topup('L2', 100), elecbill.final_bill('PRE/L2', '2026-04-03') \g /dev/null
CALL elecbill.prepay_run('PRE');
SELECT is((SELECT concat_ws(' ', state, available, unbilled_from) FROM elecbill.prepay_status WHERE account_no = 'L2') || coalesce(pg_temp.alarms('L2'), ''),
	'normal 20.00', 'who has moved out is not warned');

-- from one way to pay to the other and back
SELECT elecbill.account_mode_set('PRE/T2', 'postpaid');
SELECT elecbill.account_mode_set('PRE/A', 'postpaid');
SELECT is((SELECT count(*) FROM elecbill.prepay_status WHERE account_no = 'A'), 0::bigint, 'who pays afterwards has nothing left, nor spent');
SELECT elecbill.account_mode_set('PRE/A', 'prepaid');
SELECT pg_temp.corrected('A', 1000);
CALL elecbill.prepay_run('PRE');
SELECT is(split_part(pg_temp.left('A'), ' ', 1), 'zero', 'prepaid again, and a correction takes all there is');
SELECT pg_temp.next_day('2026-04-06');
SELECT pg_temp.at('2026-04-06 09:15');
CALL elecbill.prepay_run('PRE');
CALL elecbill.prepay_run('PRE');
SELECT is(pg_temp.orders('A') || ': ' || split_part(pg_temp.left('A'), ' ', 1),
	'disconnect failed, disconnect expired, disconnect acked, reconnect acked, disconnect queued: ordered', 'the order to cut it off is a new one, not that of February');
SELECT pg_temp.topup('A', 2000) \g /dev/null
SELECT pg_temp.carried_out() \g /dev/null
CALL elecbill.prepay_run('PRE');
SELECT is((SELECT count(*) FROM elecbill.prepay_status WHERE account_no = 'T2'), 0::bigint, 'who pays afterwards again is no prepaid account');
SELECT elecbill.partition_maintain(), elecbill.alarm_watch() \g /dev/null
SELECT is_empty('SELECT * FROM elecbill.fsck()', 'nothing is broken');

-- ---------------------------------------------------------------- what fsck() sees

CREATE FUNCTION pg_temp.broken(change text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	found text;
BEGIN
	EXECUTE change;
	SELECT string_agg(DISTINCT f.invariant, ',' ORDER BY f.invariant) INTO found FROM elecbill.fsck() AS f;
	RAISE EXCEPTION '%', coalesce(found, 'nothing') USING ERRCODE = 'UB998';
EXCEPTION WHEN SQLSTATE 'UB998' THEN
	RETURN SQLERRM;
END $$;
SELECT is(pg_temp.broken($$UPDATE elecbill.prepay_day SET amount = amount + 0.01 WHERE day = '2026-02-01'$$), 'prepay', 'a cent more than the bill');
SELECT is(pg_temp.broken($$UPDATE elecbill.prepay_state SET provisional = provisional + 0.01$$), 'prepay', 'a cent that no day has');
SELECT * FROM finish();
