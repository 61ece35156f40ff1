-- bill_life.sql: what happens to bills: looked at, held, taken back, made anew, corrected, the last one
-- The amounts were worked out by hand; the way is in the description of each test.
\set ON_ERROR_STOP 1
SET client_min_messages = warning;
\ir login/work_for.sql
SELECT plan(136);

-- ---------------------------------------------------------------- an estate

CREATE FUNCTION pg_temp.tariff(code text, body text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	PERFORM elecbill.tariff_approve(code, elecbill.tariff_draft(code, '[2024-01-01,)',
		('{"elecbill": 1, "currency": "CNY", "zone": "Asia/Shanghai", ' || body || '}')::jsonb, 'ann'), 'bob');
END $$;
CREATE FUNCTION pg_temp.home(room text, tariff text, since date) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	fault text;
BEGIN
	SELECT string_agg(message, '; ') INTO fault FROM elecbill.import_estate('HOME', convert_to(format(
		E'room,account_no,name,kind,meter_no,model,last_reading,last_read_at,tariff,digits\n'
		'%s,A-%1$s,Family %1$s,residential,M-%1$s,DDS,0,%2$s,%3$s,6', room, since, tariff), 'UTF8'));
	IF fault IS NOT NULL THEN
		RAISE EXCEPTION '%', fault;
	END IF;
END $$;
CREATE FUNCTION pg_temp.read(room text, at text, kwh numeric) RETURNS void LANGUAGE sql AS $$
	SELECT elecbill.reading_add('HOME', 'M-' || room, '1.8.0', (at || '+08')::timestamptz, kwh);
$$;
-- the reading was wrong: the register showed something else
CREATE FUNCTION pg_temp.correct(room text, at text, kwh numeric) RETURNS text LANGUAGE sql AS $$
	SELECT elecbill.correct_reading('HOME', 'M-' || room, '1.8.0', (at || '+08')::timestamptz, kwh, 'read again', concat_ws('-', room, left(at, 10), kwh));
$$;
CREATE FUNCTION pg_temp.months(room text, kwh numeric, months integer) RETURNS void LANGUAGE sql AS $$
	SELECT pg_temp.read(room, (date '2025-01-01' + make_interval(months => m))::text, kwh * m) FROM generate_series(1, months) AS m;
$$;
CREATE VIEW pg_temp.made AS
SELECT a.account_no, to_char(lower(b.service), 'YYYY-MM') AS month, b.*
FROM elecbill.bill b JOIN elecbill.customer_account a ON a.id = b.account_id;
CREATE FUNCTION pg_temp.amount(room text, month text) RETURNS numeric LANGUAGE sql AS $$
	SELECT amount FROM pg_temp.made WHERE account_no = 'A-' || room AND month = $2 AND live;
$$;
CREATE FUNCTION pg_temp.bill(room text, month text) RETURNS text LANGUAGE sql AS $$
	SELECT coalesce(number, id::text) FROM pg_temp.made WHERE account_no = 'A-' || room AND month = $2 AND live;
$$;
CREATE FUNCTION pg_temp.owes(room text) RETURNS numeric LANGUAGE sql AS $$
	SELECT coalesce(sum(b.debit - b.credit), 0) FROM elecbill.ledger_account l JOIN elecbill.account_balance b ON b.ledger_account_id = l.id
	WHERE l.code IN ('receivable:A-' || room, 'advance:A-' || room);
$$;
CREATE FUNCTION pg_temp.credit(room text) RETURNS numeric LANGUAGE sql AS $$
	SELECT coalesce(sum(b.credit - b.debit), 0) FROM elecbill.ledger_account l JOIN elecbill.account_balance b ON b.ledger_account_id = l.id
	WHERE l.code = 'advance:A-' || room;
$$;
DO $$
BEGIN
	PERFORM elecbill.org_create('HOME', 'Green Court');
	PERFORM elecbill.vee_rule_set('HOME', 'E02', '{"second_kwh": 1000, "second_rows": 100}');
	PERFORM elecbill.partition_maintain(1, '2024-12-01');
	PERFORM pg_temp.tariff('FLAT', '"components": [{"code": "energy", "kind": "energy", "price": 0.5}]');
	PERFORM pg_temp.tariff('TAXED', '"components": [{"code": "energy", "kind": "energy", "price": 0.5, "vat": 13}]');
	PERFORM pg_temp.tariff('YEAR', '"components": [{"code": "energy", "kind": "energy", "tier": {"scope": "year",
		"steps": [{"up_to": 2520, "price": 0.52}, {"up_to": 4800, "price": 0.57}, {"price": 0.82}]}}]');
	PERFORM pg_temp.tariff('TOU', '"schedules": {"tou": [{"period": "peak", "spans": [["08:00", "22:00"]]},
		{"period": "valley", "spans": [["22:00", "08:00"]]}]}, "components": [{"code": "energy",
		"kind": "energy", "price": {"period": {"peak": 0.7, "valley": 0.4}}}]');
	PERFORM pg_temp.home(r, t, '2025-01-01') FROM (VALUES ('F1', 'FLAT'), ('F2', 'FLAT'), ('F3', 'FLAT'), ('V1', 'TAXED'),
		('Y1', 'YEAR'), ('Y2', 'YEAR'), ('P1', 'TOU'), ('OUT', 'FLAT')) AS x(r, t);
	PERFORM pg_temp.months('F1', 100, 9), pg_temp.months('F2', 200, 9), pg_temp.months('F3', 300, 9), pg_temp.months('V1', 100, 9),
		pg_temp.months('P1', 240, 9), pg_temp.months('OUT', 100, 9);
	PERFORM pg_temp.months('Y1', 450, 6), pg_temp.months('Y2', 450, 6);
END $$;

-- ---------------------------------------------------------------- drafts are looked at

SELECT elecbill.bill_run_start('HOME', 'MONTH', '[2025-01-01,2025-02-01)') AS january \gset
SELECT throws_ok(format('SELECT elecbill.bill_approve(%s)', :january), 'UB412',
	'a bill run that is new is not approved', 'a run is not approved before it is rated');
CALL elecbill.bill_run_work(:january);
SELECT throws_ok(format('SELECT elecbill.bill_hold(%L, %L)', pg_temp.bill('F1', '2025-01'), ''), 'UB400', 'a bill is held for a reason', 'a draft is held for a reason');
SELECT elecbill.bill_hold(pg_temp.bill('F1', '2025-01'), 'tenant says the flat was empty');
SELECT throws_ok(format('SELECT elecbill.bill_hold(%L, %L)', pg_temp.bill('F1', '2025-01'), 'again'), 'UB412', NULL, 'and once');
SELECT results_eq(format('SELECT bills, amount, held, parked FROM elecbill.bill_approve(%s)', :january),
	$$VALUES (7, 100 + 150 + 56.50 + 50 + 234.00 + 234.00 + 138.00, 1, 0)$$,
	'seven drafts are approved: 200, 300, 100 x 1.13, 100 kWh at 0.5, twice 450 at 0.52, 240 by the clock');
SELECT results_eq(format('SELECT accounts, bills, held, cancelled, parked, kwh, issued_amount, booked_amount FROM elecbill.bill_run_totals WHERE run_id = %s', :january),
	$$VALUES (8::bigint, 8::bigint, 1::bigint, 0::bigint, 0::bigint, 1940.000, 0.00, 0.00)$$, 'the control totals of the run before it is issued');
SELECT elecbill.bill_hold(pg_temp.bill('F2', '2025-01'), 'after the approval');
SELECT throws_ok(format('CALL elecbill.bill_run_issue(%s)', :january), 'UB409',
	format('the drafts of bill run %s are not those that were approved', :january), 'other drafts than those approved are not issued');
SELECT elecbill.bill_release(pg_temp.bill('F2', '2025-01'), 'fine');
CALL elecbill.bill_run_issue(:january);
SELECT results_eq(format('SELECT status, issued, drafts, held FROM elecbill.bill_run_progress WHERE run_id = %s', :january),
	$$VALUES ('done', 7::bigint, 1::bigint, 1::bigint)$$, 'seven bills are issued, one is held');
SELECT elecbill.bill_release(pg_temp.bill('F1', '2025-01'), 'it was not');
SELECT throws_ok(format('SELECT elecbill.bill_release(%L)', pg_temp.bill('F1', '2025-01')), 'UB412', 'a bill that is draft is not held', 'what is not held is not released');
CALL elecbill.bill_run_issue(:january);
SELECT is((SELECT status FROM pg_temp.made WHERE account_no = 'A-F1'), 'issued', 'the held one is issued later');
SELECT is((SELECT array_agg(reason || ': ' || note) FROM elecbill.bill_hold_note WHERE note = 'it was not'),
	'{tenant says the flat was empty: it was not}', 'why it was held, and what was found, stays');
SELECT is((SELECT difference FROM elecbill.bill_run_totals WHERE run_id = :january), 0.00, 'what was issued is what was booked');
SELECT is((SELECT (amount, tax_amount) = (56.50, 6.50) FROM pg_temp.made WHERE account_no = 'A-V1'), true,
	'100 kWh at 0.50 with 13 % tax: 56.50, of which 6.50 are tax');
SELECT is((SELECT count(*) FROM elecbill.audit_log WHERE action IN ('bill_hold', 'bill_release', 'bill_approve')), 9::bigint,
	'all of it is in the audit log, and what was refused');

-- ---------------------------------------------------------------- a bill is taken back

SELECT pg_temp.bill('F3', '2025-01') AS f3 \gset
SELECT throws_ok(format('SELECT elecbill.bill_red_letter(%L, %L)', :'f3', 'R1'), 'UB412', format('bill %s has no tax invoice', :'f3'), 'no red letter without an invoice');
SELECT throws_ok(format('SELECT elecbill.bill_invoice(%L, %L)', :'f3', ' '), 'UB400', 'a tax invoice has a number of 1 to 64 characters without blanks', 'an invoice has a number');
SELECT elecbill.bill_invoice(:'f3', '04400211-00000007');
SELECT lives_ok(format('SELECT elecbill.bill_invoice(%L, %L)', :'f3', '04400211-00000007'), 'the same invoice again changes nothing');
SELECT throws_ok(format('SELECT elecbill.bill_invoice(%L, %L)', :'f3', '04400211-00000008'), 'UB409', NULL, 'a bill has one tax invoice');
SELECT throws_ok(format('SELECT elecbill.bill_invoice(%L, %L)', pg_temp.bill('F2', '2025-01'), '04400211-00000007'), 'UB409', NULL, 'an invoice has one bill');
SELECT throws_ok(format('SELECT elecbill.cancel_bill(%L, %L, %L)', :'f3', 'wrong meter', 'k1'), 'UB412',
	format('bill %s has a tax invoice', :'f3'), 'a bill with a tax invoice is not cancelled');
SELECT throws_ok(format('SELECT elecbill.bill_red_letter(%L, %L)', :'f3', '04400211-00000007'), 'UB400',
	'a red-letter invoice has a number of its own, 1 to 64 characters without blanks', 'the red letter has a number of its own');
SELECT elecbill.bill_red_letter(:'f3', '04400211-00000009');
SELECT is(pg_temp.owes('F3'), 150.00, 'the ledger says 150.00 are owed');
SELECT lives_ok(format('SELECT elecbill.cancel_bill(%L, %L, %L)', :'f3', 'wrong meter', 'k1'), 'but it is with the number of its red letter');
SELECT is(pg_temp.owes('F3'), 0.00, 'then nothing is owed');
SELECT lives_ok(format('SELECT elecbill.cancel_bill(%L, %L, %L)', :'f3', 'wrong meter', 'k1'), 'the same call again is answered as the first time');
SELECT throws_ok(format('SELECT elecbill.cancel_bill(%L, %L, %L)', :'f3', 'other reason', 'k1'), 'UB409', NULL, 'the same key with another reason is refused');
SELECT throws_ok(format('SELECT elecbill.cancel_bill(%L, %L, %L)', :'f3', 'wrong meter', 'k2'), 'UB412', NULL, 'another call finds it cancelled');
SELECT results_eq(format('SELECT t.kind, sum(t.amount) FROM elecbill.ledger_transfer t JOIN elecbill.bill b ON b.id = t.bill_id WHERE b.number = %L GROUP BY t.kind ORDER BY t.kind', :'f3'),
	$$VALUES ('issue', 150.00), ('reversal', 150.00)$$, 'it is a reversal; nothing was deleted');

-- a paid one
SELECT elecbill.cashier_shift_open('HOME');
SELECT * FROM elecbill.pay_bill(pg_temp.bill('F2', '2025-01'), 100.00, 'cash-1') \gset paid_
SELECT is((SELECT status FROM pg_temp.made WHERE account_no = 'A-F2' AND live), 'paid', 'the neighbour has paid his');
SELECT elecbill.cancel_bill(pg_temp.bill('F2', '2025-01'), 'made anew', 'k3');
SELECT is((SELECT (status, paid) = ('cancelled', 0.00) FROM pg_temp.made WHERE account_no = 'A-F2'), true, 'a paid bill is taken back, too');
SELECT is(pg_temp.credit('F2'), 100.00, 'and the money is advance credit');
SELECT is(elecbill.bill_run_retry(:january), 2, 'both months can be billed again');
CALL elecbill.bill_run_work(:january);
CALL elecbill.bill_run_issue(:january);
SELECT is((SELECT (status, paid, amount) = ('paid', 100.00, 100.00) FROM pg_temp.made WHERE account_no = 'A-F2' AND live), true, 'the credit pays the new bill');
SELECT is(pg_temp.credit('F2'), 0.00, 'and is used up');
SELECT is((SELECT o.number FROM pg_temp.made n JOIN elecbill.bill o ON o.id = n.supersedes_id WHERE n.account_no = 'A-F3' AND n.live),
	:'f3', 'the new bill names the one it replaces');
SELECT is_empty($$SELECT * FROM elecbill.fsck()$$, 'nothing is broken');

-- ---------------------------------------------------------------- bills made anew

CALL elecbill.bill_month('HOME', 'MONTH', '2025-02');
CALL elecbill.bill_month('HOME', 'MONTH', '2025-03');
SELECT is((SELECT count(*) FROM pg_temp.made WHERE live), 24::bigint, 'three months of eight accounts');
SELECT * FROM elecbill.pay_bill(pg_temp.bill('F2', '2025-02'), 100.00, 'cash-2') \gset paid_
CREATE TEMP TABLE before AS SELECT account_no, service, amount, tax_amount, paid FROM pg_temp.made WHERE live;
CREATE TEMP TABLE owed AS SELECT l.code, b.debit - b.credit AS owed FROM elecbill.ledger_account l JOIN elecbill.account_balance b ON b.ledger_account_id = l.id;
SELECT is((SELECT sum(difference) FROM elecbill.rebill_preview('HOME/A-Y1', '2025-01-01')), 0.00, 'the preview sees that nothing would change');
CALL elecbill.rebill('HOME/A-Y1', '2025-01-01', 'to be sure', 'r1');
CALL elecbill.rebill('A-F2', '2025-02-01', 'to be sure', 'r2');
CALL elecbill.rebill('A-V1', '2025-01-01', 'to be sure', 'r3');
SELECT is((SELECT count(*) FROM pg_temp.made WHERE NOT live AND cancel_reason = 'to be sure'), 8::bigint, 'three bills, two, and three were taken back');
SELECT results_eq('SELECT account_no, service, amount, tax_amount, paid FROM pg_temp.made WHERE live ORDER BY 1, 2', 'SELECT * FROM before ORDER BY 1, 2',
	'cancel and rebill of unchanged data: the same amounts, tax and payments');
SELECT is_empty($$SELECT l.code FROM elecbill.ledger_account l JOIN elecbill.account_balance b ON b.ledger_account_id = l.id
	JOIN owed o ON o.code = l.code WHERE b.debit - b.credit <> o.owed AND l.code LIKE 'receivable%'$$, 'and 0.00 in the ledger');
SELECT is((SELECT count(*) FROM pg_temp.made WHERE account_no = 'A-Y1'), 6::bigint, 'there are six bills');
CALL elecbill.rebill('HOME/A-Y1', '2025-01-01', 'to be sure', 'r1');
SELECT is((SELECT count(*) FROM pg_temp.made WHERE account_no = 'A-Y1'), 6::bigint, 'the same call again makes no more');
SELECT throws_ok($$CALL elecbill.rebill('A-F1', '2025-02-01', 'to be sure', 'r1')$$, 'UB409', NULL, 'the key is that of another call');
SELECT throws_ok($$CALL elecbill.rebill('A-F1', '2026-02-01')$$, 'UB404', 'account A-F1 has no bill from 2026-02-01 on', 'there is nothing to make anew');
SELECT throws_ok($$CALL elecbill.rebill('A-F1', NULL)$$, 'UB400', 'bills are made anew from a day on and for a reason', 'nor without a day');
SELECT throws_ok($$CALL elecbill.rebill('A-F1', '2025-01-01', 'why', 'a key')$$, 'UB400', 'the key of a call has 1 to 128 characters without blanks', 'nor with such a key');
SELECT throws_ok($$SELECT elecbill.rebill_preview('A-F1', '2026-02-01')$$, 'UB412', 'the account cannot be billed anew', 'the preview says so, too');
SELECT throws_ok($$CALL elecbill.rebill('A-NONE', '2026-02-01')$$, 'UB404', NULL, 'nor somebody who is not there');

-- a wrong reading: 200 in February instead of 100
SELECT pg_temp.correct('F1', '2025-03-01 00:00', 300);
SELECT results_eq($$SELECT amount, new_amount, difference FROM elecbill.rebill_preview('A-F1', '2025-02-01')$$,
	$$VALUES (50.00, 100.00, 50.00), (50.00, 0.00, -50.00)$$, 'the preview says 50 up in February, and down in March');
SELECT is(pg_temp.amount('F1', '2025-02'), 50.00, 'and changes nothing');
SELECT pg_temp.correct('F1', '2025-03-01 00:00', 250);
SELECT elecbill.bill_run_start('HOME', 'MONTH', '[2025-02-01,2025-03-01)') AS february \gset
SELECT elecbill.bill_invoice(pg_temp.bill('OUT', '2025-03'), '04400211-00000010');
SELECT results_eq(format('SELECT what, accounts, account_no, difference FROM elecbill.rebill_run_preview(%s)', :february),
	$$VALUES ('up', 0, NULL, 0.00), ('down', 0, NULL, 0.00), ('same', 7, NULL, 0.00), ('refused', 1, NULL, 0), ('all', 8, NULL, 0.00),
		('refused', 1, 'A-OUT', NULL)$$, 'over the two months nobody changes, and one has a tax invoice');
SELECT elecbill.bill_red_letter(pg_temp.bill('OUT', '2025-03'), '04400211-00000011');
SELECT pg_temp.correct('F1', '2025-04-01 00:00', 350);
SELECT results_eq(format('SELECT what, accounts, account_no, difference FROM elecbill.rebill_run_preview(%s)', :february),
	$$VALUES ('up', 1, NULL, 25.00), ('down', 0, NULL, 0.00), ('same', 7, NULL, 0.00), ('refused', 0, NULL, 0.00), ('all', 8, NULL, 25.00),
		('largest', 1, 'A-F1', 25.00)$$, 'one goes up: 250 kWh in February and March, not 200');
CALL elecbill.rebill_run(:february, 'wrong readings', 'rr1');
SELECT is((SELECT answer - 'runs' - 'last' FROM elecbill.bill_call WHERE idem_key = 'rr1'),
	'{"done": true, "rebilled": 8, "refused": 0, "difference": 25.00}', 'all are made anew, by 25.00 in all');
SELECT is((SELECT count(*) FROM elecbill.bill_run WHERE kind = 'rebill' AND account_id IS NULL), 2::bigint, 'in one run per month');
CALL elecbill.rebill_run(:february, 'wrong readings', 'rr1');
SELECT is((SELECT count(*) FROM elecbill.bill_run WHERE kind = 'rebill' AND account_id IS NULL), 2::bigint, 'the same call again does nothing');
SELECT is(pg_temp.amount('F1', '2025-02') + pg_temp.amount('F1', '2025-03'), 125.00, 'February 75.00 and March 50.00');
SELECT is_empty($$SELECT * FROM elecbill.fsck()$$, 'nothing is broken by it');

-- drafts
SELECT elecbill.bill_run_start('HOME', 'MONTH', '[2025-04-01,2025-05-01)') AS april \gset
CALL elecbill.bill_run_work(:april);
SELECT elecbill.bill_hold(pg_temp.bill('F1', '2025-04'), 'looks low');
SELECT is(pg_temp.amount('F1', '2025-04'), 25.00, 'the register went from 350 to 400');
SELECT pg_temp.correct('F1', '2025-05-01 00:00', 450);
SELECT is(elecbill.rerate('A-F1'), 25.00, 'a draft is rated anew: 100 kWh, 25.00 more');
SELECT is((SELECT status FROM pg_temp.made WHERE account_no = 'A-F1' AND month = '2025-04' AND live), 'held', 'it is held as it was');
SELECT elecbill.bill_release(pg_temp.bill('F1', '2025-04'));

-- a run is taken back as a whole
CALL elecbill.bill_run_issue(:april);
SELECT sum(owed) AS owed FROM (SELECT pg_temp.owes(r) AS owed FROM unnest('{F1,F2,F3,V1,Y1,Y2,P1,OUT}'::text[]) AS r) AS x \gset
SELECT sum(amount) AS april_amount FROM pg_temp.made WHERE month = '2025-04' AND live \gset
SELECT throws_ok(format('SELECT elecbill._run_cancel_begin(%s, NULL)', :january), 'UB400', 'a run is cancelled for a reason', 'a run is cancelled for a reason');
SELECT throws_ok(format('SELECT elecbill._rebill_next(%s, NULL, NULL)', :january), 'UB400', 'bills are made anew for a reason', 'and made anew for one');
CALL elecbill.run_cancel(:january, 'wrong prices');
SELECT is((SELECT status FROM elecbill.bill_run WHERE id = :january), 'done', 'January is not cancelled while later bills count from it');
SELECT is((SELECT array_agg(a.account_no || ' ' || x.code ORDER BY 1) FROM elecbill.bill_exception x JOIN elecbill.customer_account a ON a.id = x.account_id
	WHERE x.run_id = :january AND x.code = 'later_period_billed'), '{"A-Y2 later_period_billed"}', 'those with tiers of the year stand, and it says why');
CALL elecbill.bill_month('HOME', 'MONTH', '2025-01');
SELECT elecbill.bill_run_retry(:january);
CALL elecbill.bill_run_work(:january);
CALL elecbill.bill_run_issue(:january);
CALL elecbill.run_cancel(:april, 'wrong prices');
SELECT throws_ok(format('SELECT elecbill.true_up(%L, %s)', 'A-V1', :april), 'UB412', format('bill run %s is cancelled', :april), 'nothing is corrected in a run that is cancelled');
SELECT is((SELECT status FROM elecbill.bill_run WHERE id = :april), 'cancelled', 'April is');
SELECT is((SELECT sum(pg_temp.owes(r)) FROM unnest('{F1,F2,F3,V1,Y1,Y2,P1,OUT}'::text[]) AS r), :owed - :april_amount, 'nobody owes it any more');
SELECT throws_ok(format('SELECT elecbill.bill_run_retry(%s)', :april), 'UB412', NULL, 'nor tried again');
CALL elecbill.bill_month('HOME', 'MONTH', '2025-04');
SELECT is((SELECT seq FROM elecbill.bill_run WHERE kind = 'regular' AND lower(period) = '2025-04-01' AND status = 'done'), 2, 'the month is billed by a second run');
SELECT is((SELECT sum(pg_temp.owes(r)) FROM unnest('{F1,F2,F3,V1,Y1,Y2,P1,OUT}'::text[]) AS r), :owed, 'and owed again');
SELECT is_empty($$SELECT * FROM elecbill.fsck()$$, 'nothing is broken by that');

-- ---------------------------------------------------------------- late and corrected data

CALL elecbill.bill_month('HOME', 'MONTH', '2025-05');
CALL elecbill.bill_month('HOME', 'MONTH', '2025-06');
SELECT is((SELECT sum(amount) FROM pg_temp.made WHERE account_no = 'A-Y1' AND live), 1413.00, 'six months were billed on 450 kWh: 2520 x 0.52 + 180 x 0.57');
-- what was 450 a month turns out to be 400
SELECT pg_temp.correct(r, (date '2025-01-01' + make_interval(months => m))::text, 400 * m)
FROM generate_series(1, 6) AS m, unnest('{Y1,Y2}'::text[]) AS r;
SELECT pg_temp.read('Y1', '2025-08-01 00:00', 2800), pg_temp.read('Y2', '2025-08-01 00:00', 2800);
SELECT throws_ok($$SELECT elecbill.true_up_request('A-Y1', '2025-01-01', '')$$, 'UB400', 'a correction is asked for since a day and for a reason', 'a correction is asked for with a reason');
SELECT elecbill.true_up_request('A-Y1', '2025-01-01', 'estimates were replaced');
SELECT elecbill.bill_run_start('HOME', 'MONTH', '[2025-07-01,2025-08-01)') AS july \gset
CALL elecbill.bill_run_work(:july);
SELECT is((SELECT amount FROM elecbill.bill_detail WHERE account_no = 'A-Y1' AND kind = 'true_up'), -165.00,
	'the half-year was 2400 kWh, 1248.00: one line of -165.00, not -300 kWh x one price');
SELECT is((SELECT quantity FROM elecbill.bill_detail WHERE account_no = 'A-Y1' AND kind = 'true_up'), -300.000000, 'and 300 kWh less');
SELECT is(pg_temp.amount('Y1', '2025-07'), 57.00, 'July itself: 2400 before it, so 120 x 0.52 + 280 x 0.57 = 222.00, less 165.00');
SELECT is((SELECT array_agg(t.kwh ORDER BY lower(b.service)) FROM elecbill.bill_true_up t JOIN pg_temp.made b ON b.id = t.corrected_id
	WHERE b.account_no = 'A-Y1'),
	'{-50,-50,-50,-50,-50,-50}'::numeric[], 'every month had 50 kWh less');
SELECT is((SELECT count(*) FROM elecbill.explain_bill(pg_temp.bill('Y1', '2025-07'), 'en') WHERE text LIKE '  of bill%-50 kWh%'), 6::bigint, 'explain_bill() names them');
SELECT is(elecbill.true_up('A-Y1', :july), -165.00, 'asking for it again makes the same line');
SELECT is(elecbill.true_up('A-Y2', :july), -165.00, 'the neighbour, for whom nobody asked, gets it because his readings were corrected');
SELECT is(pg_temp.amount('Y2', '2025-07'), 57.00, 'with the same July');
CALL elecbill.bill_run_issue(:july);
SELECT throws_ok(format('SELECT elecbill.true_up(%L, %s)', 'A-Y2', :july), 'UB412', NULL, 'an issued bill is not corrected');
SELECT is((SELECT kwh FROM elecbill.usage_counter c JOIN elecbill.customer_account a ON a.id = c.account_id WHERE a.account_no = 'A-Y1'), 2800.000000,
	'the counter of the year says what the register says');
SELECT is_empty($$SELECT * FROM elecbill.fsck()$$, 'the books and the tiers agree');
SELECT pg_temp.read('Y1', '2025-09-01 00:00', 3200), pg_temp.read('Y2', '2025-09-01 00:00', 3200);
-- August of both, with a second correction of the same half-year for one: July's end was right, June's was not
SELECT pg_temp.correct('Y2', '2025-07-01 00:00', 2500);
SELECT elecbill.true_up_request('A-Y2', '2025-06-01', 'June once more');
CALL elecbill.bill_month('HOME', 'MONTH', '2025-08');
SELECT is(pg_temp.amount('Y1', '2025-08'), 228.00, 'August: 400 x 0.57');
SELECT is((SELECT amount FROM elecbill.bill_detail WHERE account_no = 'A-Y2' AND kind = 'true_up' AND service @> date '2025-08-01'), 0.00,
	'100 kWh moved from July to June inside of the year: no money');
SELECT is((SELECT sum(amount) FROM pg_temp.made WHERE account_no = 'A-Y2' AND live), (SELECT sum(amount) FROM pg_temp.made WHERE account_no = 'A-Y1' AND live), 'both paid the same for the same energy');
-- rebill of everything comes to the same
SELECT is((SELECT sum(difference) FROM elecbill.rebill_preview('A-Y1', '2025-01-01')), 0.00, 'to cancel and make all eight months anew would come to the same, to the cent');
CALL elecbill.rebill('A-Y2', '2025-03-01', 'half of it', 'r9');
SELECT is((SELECT sum(amount) FROM pg_temp.made WHERE account_no = 'A-Y2' AND live), 1698.00, 'also from March on: 2520 x 0.52 + 680 x 0.57');
SELECT is((SELECT sum(t.kwh) FROM elecbill.bill_true_up t JOIN pg_temp.made b ON b.id = t.bill_id WHERE b.account_no = 'A-Y2' AND b.live AND b.month = '2025-03'),
	-100.000000, 'then March corrects January and February');
SELECT is_empty($$SELECT * FROM elecbill.fsck()$$, 'still nothing is broken');

-- readings that came late: the hours of January were shared by time, 14 of 24 by day
SELECT is((SELECT count(*) FROM elecbill.late_readings('HOME', '2025-01-01') WHERE account_no = 'A-P1'), 0::bigint, 'no reading of P1 came late');
SELECT pg_temp.amount('P1', '2025-02') AS p1 \gset
SELECT elecbill.reading_add('HOME', 'M-P1', '1.8.0', (date '2025-02-01' + d + t.at)::timestamp AT TIME ZONE 'Asia/Shanghai', 240 + trunc(240 * d / 28.0, 3))
FROM generate_series(0, 27) AS d, (VALUES (time '08:00')) AS t(at) WHERE d > 0;
SELECT elecbill.reading_add('HOME', 'M-P1', '1.8.0', (date '2025-02-01' + d + time '22:00')::timestamp AT TIME ZONE 'Asia/Shanghai', 240 + trunc(240 * (d + 1) / 28.0, 3))
FROM generate_series(0, 27) AS d;
SELECT is((SELECT l.readings FROM elecbill.late_readings('HOME', '2025-01-01') AS l WHERE account_no = 'A-P1'), 55::bigint, '55 readings of February came after its bill');
SELECT is(elecbill.true_up_late('HOME', '2025-01-01'), 1, 'one account is to be corrected');
CALL elecbill.bill_month('HOME', 'MONTH', '2025-09');
SELECT is((SELECT amount FROM elecbill.bill_detail WHERE account_no = 'A-P1' AND kind = 'true_up'), (SELECT sum(x.amount) FROM elecbill.simulate_bill('A-P1', '[2025-02-01,2025-03-01)') AS x) - :p1,
	'the next bill has the difference');
SELECT is((SELECT quantity FROM elecbill.bill_detail WHERE account_no = 'A-P1' AND kind = 'true_up'), 0.000000, 'of the same energy at other hours');
SELECT is(elecbill.true_up_late('HOME', '2025-01-01'), 0, 'then that is done with');

-- ---------------------------------------------------------------- a rule for readings holds a bill

SELECT pg_temp.home('H1', 'FLAT', '2025-09-01'), pg_temp.read('H1', '2025-09-01 01:00', 500), pg_temp.read('H1', '2025-10-01 00:00', 600);
SELECT isnt_empty($$SELECT FROM elecbill.vee_exception WHERE rule = 'V05' AND state = 'open'$$, '500 kWh in an hour are more than a meter can pass');
SELECT throws_ok($$SELECT elecbill.offcycle_bill('A-H1', '[2025-09-01,2025-10-01)')$$, 'UB412', NULL, 'a bill on them is not issued');
SELECT elecbill.bill_run_start('HOME', 'MONTH', '[2025-09-01,2025-10-01)', 'offcycle') AS september \gset
CALL elecbill.bill_run_work(:september);
CALL elecbill.bill_run_issue(:september);
SELECT is((SELECT array_agg(status) FROM pg_temp.made WHERE account_no = 'A-H1' AND live), '{held}', 'its bill is held');
SELECT throws_ok(format('SELECT elecbill.bill_release(%L)', pg_temp.bill('H1', '2025-09')), 'UB412',
	format('readings of bill #%s are to be decided', pg_temp.bill('H1', '2025-09')), 'until somebody decides');
SELECT pg_temp.correct('H1', '2025-09-01 01:00', 5);
SELECT is((SELECT array_agg(state) FROM elecbill.vee_exception WHERE rule = 'V05'), '{corrected}', 'it should have been 5');
CALL elecbill.bill_run_issue(:september);
SELECT is((SELECT array_agg(status || ' ' || amount) FROM pg_temp.made WHERE account_no = 'A-H1' AND live), '{"issued 300.00"}', 'then it is issued: 600 kWh');
SELECT is_empty($$SELECT * FROM elecbill.fsck()$$, 'and nothing is broken');

-- ---------------------------------------------------------------- moving out, and bills out of turn

SELECT throws_ok($$SELECT elecbill.final_bill('A-OUT', '2025-09-10', 'f0')$$, 'UB409', NULL, 'days that are billed stay billed');
SELECT pg_temp.read('OUT', '2025-10-11 00:00', 940);
SELECT throws_ok($$SELECT elecbill.final_bill('A-OUT', '2025-01-01', 'f0')$$, 'UB409', 'account A-OUT has an agreement that begins on or after 2025-01-01', 'nobody moves out before he moved in');
SELECT elecbill.post_transfer('HOME', 'deposit-1', 'cash', 'deposit:A-OUT', 600.00, '2025-01-01');
SELECT results_eq($$SELECT amount, open, credit FROM elecbill.final_bill('A-OUT', '2025-10-11', 'f1')$$, $$VALUES (20.00, 0.00, 130.00)$$,
	'40 kWh of October are 20.00; with nine months of 50.00 that is 470.00, and 130.00 of the deposit go back');
SELECT results_eq($$SELECT amount, open, credit FROM elecbill.final_bill('A-OUT', '2025-10-11', 'f1')$$, $$VALUES (20.00, 0.00, 130.00)$$, 'the same call again says the same');
SELECT is((SELECT (kind, status) = ('final', 'paid') FROM pg_temp.made WHERE account_no = 'A-OUT' AND month = '2025-10' AND live), true, 'it is a final bill, paid by the deposit');
SELECT pg_temp.read(r, '2025-11-01 00:00', 2000) FROM unnest('{F1,F2,V1}'::text[]) AS r WHERE r <> 'F2';
SELECT elecbill.bill_run_start('HOME', 'MONTH', '[2025-10-01,2025-11-01)') AS october \gset
SELECT is((SELECT accounts FROM elecbill.bill_run_totals WHERE run_id = :october), 8::bigint, 'who has moved out is not in the run of October');
SELECT pg_temp.read('F2', '2025-10-16 00:00', 1900);
SELECT results_eq($$SELECT amount FROM elecbill.offcycle_bill('A-F2', '[2025-10-01,2025-10-16)', 'o1')$$, $$VALUES (50.00)$$, 'half a month out of turn: 100 kWh');
SELECT throws_ok($$SELECT elecbill.offcycle_bill('A-F2', '[2025-10-10,2025-10-16)', 'o2')$$, 'UB409', NULL, 'and not twice');
SELECT throws_ok($$SELECT elecbill.offcycle_bill('A-F2', '[2125-10-10,2125-10-16)', 'o3')$$, 'UB412', NULL, 'nor in the future');
-- who moved out in a month gets his final bill by a run, too
SELECT pg_temp.read('F3', '2025-10-05 00:00', 2710);
SELECT elecbill.agreement_end('HOME', 'A-F3', '2025-10-05');
SELECT elecbill.bill_run_start('HOME', 'MONTH', '[2025-10-01,2025-11-01)', 'final') AS moved \gset
CALL elecbill.bill_run_work(:moved);
CALL elecbill.bill_run_issue(:moved);
SELECT results_eq(format('SELECT kind, service, amount FROM elecbill.bill WHERE run_id = %s', :moved), $$VALUES ('final', daterange('2025-10-01', '2025-10-05'), 5.00)$$,
	'a final run bills those who moved out, up to their last day');
SELECT throws_ok($$SELECT elecbill.bill_run_start('HOME', 'MONTH', '[2025-10-01,2025-11-01)', 'rebill')$$, 'UB400',
	'a bill run is not started with kind ''rebill''', 'a rebill run is not started by hand');
SELECT is_empty($$SELECT * FROM elecbill.fsck()$$, 'all is well at the end');

-- ---------------------------------------------------------------- written off, and other orgs

SELECT throws_ok(format('SELECT elecbill.bill_invoice(%L, %L)', (SELECT max(id) FROM elecbill.bill WHERE status = 'cancelled' AND number IS NULL), '1'),
	'UB412', 'a bill that is cancelled gets no tax invoice', 'only an issued bill gets a tax invoice');
SELECT elecbill.true_up_request('A-V1', '2025-08-01', 'somebody asked');
SELECT pg_temp.bill('V1', '2025-08') AS august \gset
SELECT elecbill.duty_grant('HOME', x.login, 'finance') FROM unnest('{mei,lin}'::text[]) AS x(login);
SELECT elecbill.duty_grant('HOME', x.login, 'billing') FROM unnest('{mei,lin}'::text[]) AS x(login);
SELECT public.work_for('mei'), elecbill.write_off(:'august', 'forgotten', 'w1');
SELECT public.work_for('lin'), elecbill.write_off_approve(:'august');
SELECT throws_ok(format('SELECT elecbill.cancel_bill(%L, %L)', :'august', 'x'), 'UB412', format('bill %s is written off', :'august'), 'what is written off is not taken back');
CALL elecbill.bill_run_work(:october);
SELECT is((SELECT x.code || ': ' || x.message FROM elecbill.bill_exception x JOIN elecbill.customer_account a ON a.id = x.account_id
	WHERE x.run_id = :october AND a.account_no = 'A-V1'),
	format('written_off: bill %s is written off; what it rests on is not corrected', :'august'), 'nor corrected; the account is parked');
SELECT public.work_for('');
SELECT is_empty($$SELECT * FROM elecbill.fsck()$$, 'the books are as they should be');


SELECT elecbill.org_create('OTHER', 'Other Court');
SELECT elecbill.bill_run_start('OTHER', 'MONTH', '[2025-10-01,2025-11-01)') AS other \gset
SELECT throws_ok(format('SELECT elecbill.true_up(%L, %s)', 'A-V1', :other), 'UB404', format('account A-V1 is not in run %s', :other), 'an account has no bill in a run of another org');

-- ---------------------------------------------------------------- bills on estimates, settled by a reading

-- nobody was at home for half a year: six bills on estimates, then the meter is read
SELECT elecbill.partition_maintain(1, '2024-09-01') \g /dev/null
SELECT pg_temp.tariff('OTHER/YEAR', '"components": [{"code": "energy", "kind": "energy", "tier": {"scope": "year",
	"steps": [{"up_to": 2520, "price": 0.52}, {"up_to": 4800, "price": 0.57}, {"price": 0.82}]}}]');
SELECT count(*) AS faults FROM elecbill.import_estate('OTHER', convert_to(E'room,account_no,name,kind,meter_no,model,last_reading,last_read_at,tariff,digits\n'
	'E1,E-1,Family E1,residential,M-E1,DDS,0,2024-10-01,YEAR,6', 'UTF8')) \gset
SELECT is(:faults, 0, 'the estate is there');
SELECT elecbill.reading_add('OTHER', 'M-E1', '1.8.0', (date '2024-10-01' + make_interval(months => m))::timestamp AT TIME ZONE 'Asia/Shanghai', 450 * m)
FROM generate_series(1, 3) AS m;
SELECT elecbill.estimate_missing('OTHER', '2025-02-01');
CALL elecbill.bill_month('OTHER', 'MONTH', '2025-01');
SELECT elecbill.estimate_missing('OTHER', '2025-03-01');
CALL elecbill.bill_month('OTHER', 'MONTH', '2025-02');
SELECT elecbill.estimate_missing('OTHER', '2025-04-01');
CALL elecbill.bill_month('OTHER', 'MONTH', '2025-03');
SELECT elecbill.estimate_missing('OTHER', '2025-05-01');
CALL elecbill.bill_month('OTHER', 'MONTH', '2025-04');
SELECT elecbill.estimate_missing('OTHER', '2025-06-01');
CALL elecbill.bill_month('OTHER', 'MONTH', '2025-05');
SELECT elecbill.estimate_missing('OTHER', '2025-07-01');
CALL elecbill.bill_month('OTHER', 'MONTH', '2025-06');
SELECT is((SELECT count(*) FROM pg_temp.made WHERE account_no = 'E-1' AND live), 6::bigint, 'six months are billed on estimates');
SELECT elecbill.reading_add('OTHER', 'M-E1', '1.8.0', '2025-08-01 00:00+08', 1350 + 2400);
CALL elecbill.bill_month('OTHER', 'MONTH', '2025-07');
SELECT cmp_ok((SELECT abs(sum(amount) - 1248.00) FROM pg_temp.made WHERE account_no = 'E-1' AND live), '<=', 0.03,
	'the seven months were 2400 kWh in all: 2400 x 0.52, whatever was guessed, but for the cents of seven bills');
SELECT is((SELECT sum(difference) FROM elecbill.rebill_preview('OTHER/E-1', '2025-01-01')), 0.00, 'to make them all anew would come to the same');
SELECT is((SELECT sum(s.energy_wh) * 0.001 + (SELECT coalesce(sum(t.kwh), 0) FROM elecbill.bill_true_up t JOIN pg_temp.made b ON b.id = t.bill_id WHERE b.account_no = 'E-1')
	FROM elecbill.bill_segment s JOIN pg_temp.made b ON b.id = s.bill_id WHERE b.account_no = 'E-1' AND b.live), 2400.000, 'billed energy and its corrections are what the register counted');
SELECT is_empty($$SELECT * FROM elecbill.fsck()$$, 'and fsck() finds nothing');

-- ---------------------------------------------------------------- what fsck() sees

CREATE FUNCTION pg_temp.breaks(damage text, what text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	seen text[];
BEGIN
	BEGIN
		ALTER TABLE elecbill.bill DISABLE TRIGGER USER;
		ALTER TABLE elecbill.bill_line DISABLE TRIGGER USER;
		ALTER TABLE elecbill.bill_true_up DISABLE TRIGGER USER;
		ALTER TABLE elecbill.ledger_transfer DISABLE TRIGGER USER;
		EXECUTE damage;
		seen := ARRAY(SELECT DISTINCT f.invariant FROM elecbill._fsck_bill_life(NULL, NULL) AS f);
		RAISE EXCEPTION 'undone' USING ERRCODE = 'UB999';
	EXCEPTION WHEN SQLSTATE 'UB999' THEN NULL;
	END;
	RETURN ok(what = ANY (seen), format('fsck() reports %s: %s', what, damage));
END $$;
SELECT pg_temp.breaks('UPDATE elecbill.bill SET tax_amount = tax_amount + 1 WHERE id = (SELECT max(id) FROM elecbill.bill)', 'I04');
SELECT pg_temp.breaks('UPDATE elecbill.bill_true_up SET amount = amount + 1', 'true_up');
SELECT pg_temp.breaks('UPDATE elecbill.bill_true_up t SET corrected_id = (SELECT max(x.id) FROM elecbill.bill x WHERE x.org_id = t.org_id AND x.id <> t.bill_id) WHERE (t.bill_id, t.corrected_id) = (SELECT u.bill_id, min(u.corrected_id) FROM elecbill.bill_true_up u WHERE u.bill_id = (SELECT min(v.bill_id) FROM elecbill.bill_true_up v) GROUP BY u.bill_id)', 'true_up');
SELECT pg_temp.breaks('UPDATE elecbill.bill SET supersedes_id = (SELECT min(x.id) FROM elecbill.bill x WHERE x.live) WHERE id = (SELECT max(x.id) FROM elecbill.bill x WHERE x.live AND x.org_id = (SELECT min(o.id) FROM elecbill.org o))', 'supersedes');
SELECT pg_temp.breaks('DELETE FROM elecbill.ledger_transfer WHERE id = (SELECT max(id) FROM elecbill.ledger_transfer WHERE reverses_id IS NOT NULL)', 'I16');
SELECT pg_temp.breaks('UPDATE elecbill.tax_invoice SET red_number = NULL, red_by = NULL, red_at = NULL', 'invoice');
SELECT pg_temp.breaks('UPDATE elecbill.bill_run SET status = ''cancelled'' WHERE kind = ''final''', 'run');
SELECT pg_temp.breaks('UPDATE elecbill.bill_hold_note SET released_at = NULL, released_by = NULL WHERE id = (SELECT max(id) FROM elecbill.bill_hold_note)', 'hold');
SELECT pg_temp.breaks('UPDATE elecbill.true_up_queue q SET bill_id = (SELECT max(b.id) FROM elecbill.bill b WHERE NOT b.live AND b.org_id = q.org_id)', 'true_up');
SELECT * FROM finish();
