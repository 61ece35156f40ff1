-- opening.sql: an estate comes over from another system: rehearsed in a sandbox, compared, and live
-- The amounts were worked out by hand; the way is in the description of each test.
\set ON_ERROR_STOP 1
SET client_min_messages = warning;
\ir login/work_for.sql
-- what an invariant says when a superuser breaks it behind the back of all guards
\c - :super
SET client_min_messages = warning;
CREATE FUNCTION public.broken(statement text) RETURNS SETOF text LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	found text;
BEGIN
	SET LOCAL session_replication_role = replica;
	EXECUTE statement;
	SELECT string_agg(DISTINCT f.invariant, ',' ORDER BY f.invariant) INTO found FROM elecbill.fsck() AS f;
	RAISE EXCEPTION USING ERRCODE = 'UB000', MESSAGE = coalesce(found, 'nothing');
EXCEPTION WHEN SQLSTATE 'UB000' THEN
	RETURN NEXT SQLERRM;
END $$;
\c - :owner
SET client_min_messages = warning;
SET elecbill.clock_override = '2026-05-04 10:00:00+08';
SELECT plan(123);

-- ---------------------------------------------------------------- an estate

CREATE FUNCTION pg_temp.tariff(org text, code text, body text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	PERFORM elecbill.tariff_approve(org || '/' || code, elecbill.tariff_draft(org || '/' || code, '[2024-01-01,)',
		('{"elecbill": 1, "currency": "CNY", "zone": "Asia/Shanghai", ' || body || '}')::jsonb, 'ann'), 'bob');
END $$;
CREATE FUNCTION pg_temp.homes(org text, rooms text) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(e.message, '; ') FROM elecbill.import_estate(org, convert_to(
		E'room,account_no,name,kind,meter_no,model,last_reading,last_read_at,tariff,digits,interval_min\n' || (
		SELECT string_agg(format(E'%1$s,A-%1$s,Family %1$s,residential,M-%2$s-%1$s,DDS,1000,2026-05-01,%3$s,6,60\n', r[1], org, r[2]), '')
		FROM regexp_matches(rooms, '(\S+)=(\S+)', 'g') AS r), 'UTF8')) AS e;
$$;
CREATE FUNCTION pg_temp.read(org text, room text, day text, kwh numeric) RETURNS text LANGUAGE sql AS $$
	SELECT elecbill.reading_add(org, format('M-%s-%s', org, room), '1.8.0', (day || ' 00:00+08')::timestamptz, kwh);
$$;
CREATE FUNCTION pg_temp.csv(VARIADIC lines text[]) RETURNS bytea LANGUAGE sql AS $$ SELECT convert_to(array_to_string(lines, E'\n'), 'UTF8') $$;
-- imports; how it went: state, counts, and the rows that were wrong
CREATE FUNCTION pg_temp.job(job bigint) RETURNS text LANGUAGE sql AS $$
	SELECT concat_ws('; ', format('%s %s of %s', j.state, j.stored, j.given), (SELECT string_agg(format('line %s %s %s', e.line, e.field, e.code), ', ' ORDER BY e.n)
		FROM elecbill.import_row_error e WHERE e.job_id = j.id))
	FROM elecbill.import_job j WHERE j.id = $1;
$$;
CREATE FUNCTION pg_temp.opening(csv bytea, mode text DEFAULT 'all_or_nothing', dry_run boolean DEFAULT false) RETURNS text LANGUAGE sql AS $$
	SELECT pg_temp.job(elecbill.import_opening('NEW', csv, mode, dry_run));
$$;
CREATE FUNCTION pg_temp.fault(job bigint, line integer) RETURNS text LANGUAGE sql AS $$
	SELECT message FROM elecbill.import_row_error e WHERE e.job_id = $1 AND e.line = $2;
$$;
CREATE FUNCTION pg_temp.book(code text) RETURNS numeric LANGUAGE sql AS $$
	SELECT coalesce(sum(CASE l.code WHEN t.d THEN t.amount ELSE -t.amount END), 0)
	FROM (SELECT d.code AS d, c.code AS c, x.amount FROM elecbill.ledger_transfer x JOIN elecbill.ledger_account d ON d.id = x.debit_id
		JOIN elecbill.ledger_account c ON c.id = x.credit_id JOIN elecbill.org o ON o.id = x.org_id WHERE o.code = 'NEW' AND x.stage IN ('single', 'post')) AS t,
		(VALUES ($1)) AS l(code) WHERE l.code IN (t.d, t.c);
$$;
CREATE VIEW pg_temp.made AS
SELECT o.code AS org, a.account_no, b.* FROM elecbill.bill b JOIN elecbill.customer_account a ON a.id = b.account_id JOIN elecbill.org o ON o.id = b.org_id;
CREATE FUNCTION pg_temp.lines(room text, since text) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(concat_ws(' ', l.component, l.tier, trim_scale(l.quantity), l.amount), ', ' ORDER BY l.n)
	FROM pg_temp.made b JOIN elecbill.bill_line l ON l.bill_id = b.id
	WHERE b.org = 'NEW' AND b.account_no = 'A-' || room AND lower(b.service) = since::date AND b.live AND b.kind <> 'opening';
$$;
CREATE FUNCTION pg_temp.faults() RETURNS SETOF text LANGUAGE sql AS $$ SELECT concat_ws(' ', f.invariant, f.object, f.detail) FROM elecbill.fsck() AS f $$;

CREATE FUNCTION pg_temp.settle(org text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	PERFORM pg_temp.tariff(org, 'YEAR', '"components": [{"code": "energy", "kind": "energy", "tier": {"scope": "year",
		"steps": [{"up_to": 2520, "price": 0.52}, {"up_to": 4800, "price": 0.57}, {"price": 0.82}]}}]');
	PERFORM pg_temp.tariff(org, 'POWER', '"demands": {"top": {"window": 60, "ratchet": {"lookback": 11, "percent": 80}}},
		"components": [{"code": "kw", "kind": "demand", "demand": "top", "price": 10}]');
	PERFORM pg_temp.tariff(org, 'FLAT', '"components": [{"code": "energy", "kind": "energy", "price": 0.5, "name": "电费"},
		{"code": "lamp", "kind": "fixed", "price": 6.2, "per": "bill"}, {"code": "fund", "kind": "energy", "price": 0.01, "group": "tax"}]');
END $$;
SELECT elecbill.org_create('NEW', 'Green Court'), elecbill.org_create('OTHER', 'Mill Yard') \g /dev/null
SELECT elecbill.partition_maintain(3, '2026-04-01') \g /dev/null
SELECT pg_temp.settle(org) FROM unnest('{NEW,OTHER}'::text[]) AS org \g /dev/null
SELECT is(pg_temp.homes('NEW', 'Y1=YEAR Y2=YEAR F1=FLAT F2=FLAT F3=FLAT P1=POWER'), NULL::text, 'six homes move in on 1 May');
SELECT is(pg_temp.homes('OTHER', 'Y1=YEAR F1=FLAT'), NULL::text, 'and two of another estate');
SELECT set_eq('SELECT code, state FROM elecbill.org'::text, $$VALUES ('NEW', 'sandbox'), ('OTHER', 'sandbox')$$, 'an org begins as a sandbox');

-- ---------------------------------------------------------------- a dry run, broken rows

\set head '''kind,account_no,amount,due_on,number,from_day,to_day,kwh,as_of,kw,month'''
SELECT pg_temp.csv(:head,
	'bill,A-Y1,100.00,2026-04-20,OLD-17,2026-03-01,2026-03-31,,,,',
	'bill,A-Y1,50,2026/5/20,OLD-18,2026-04-01,2026-04-30,,,,',
	'bill,A-F2,0.35,2026-05-20,,,,,,,',
	'advance,A-F1,30.00,,,,,,,,',
	'deposit,A-F1,200.00,,,,,,,,',
	'energy,A-Y1,,,,,,2400,,,',
	'energy,A-Y2,,,,,,4790.5,2026-05-01,,',
	'demand,A-P1,,,,,,,,500,2025-05',
	'demand,A-P1,,,,,,,,90,2025-06',
	'demand,A-P1,,,,,,,,100,2026-04', ',,,,,,,,,,') AS good \gset
SELECT pg_temp.opening(:'good', 'all_or_nothing', true) AS said \gset
SELECT is(:'said'::text, 'done 10 of 10', 'a dry run says that all ten rows would land');
SELECT is((SELECT count(*) FROM elecbill.bill) + (SELECT count(*) FROM elecbill.opening_item) + (SELECT count(*) FROM elecbill.ledger_transfer)
	+ (SELECT count(*) FROM elecbill.usage_counter) + (SELECT count(*) FROM elecbill.number_counter), 0::bigint, 'and leaves nothing but the job');
SELECT pg_temp.csv(:head,
	'bill,A-Y1,-100.00,2026-04-20,N1,,,,,,',
	'bill,A-NONE,100.00,2026-04-20,N2,,,,,,',
	'bill,A-Y1,100.00,,N3,,,,,,',
	'bill,A-Y1,100.001,2026-04-20,N4,,,,,,',
	'bill,A-Y1,100.00,2026-02-30,N5,,,,,,',
	'bill,A-Y1,100.00,2026-04-20,N6,2026-04-02,2026-04-01,,,,',
	'bill,A-Y1,100.00,2026-04-20,N7,,,,,,', 'bill,A-Y1,100.00,2026-04-20,N7,,,,,,',
	'loan,A-Y1,100.00,,,,,,,,',
	'deposit,A-Y1,100.00,,,,,3,,,',
	'deposit,A-Y1,,,,,,,,,',
	'deposit,A-Y1,1,,,,,,,,', 'deposit,A-Y1,1,,,,,,,,',
	'energy,A-F1,,,,,,10,,,',
	'energy,A-Y1,,,,,,-1,,,',
	'energy,A-Y1,,,,,,10,,,', 'energy,A-Y1,,,,,,10,,,',
	'demand,A-Y1,,,,,,,,10,2026-04',
	'demand,A-P1,,,,,,,,10,2026-05',
	'demand,A-P1,,,,,,,,10,2026-13',
	'demand,A-P1,,,,,,,,10,', 'demand,A-P1,,,,,,,,,2026-04', 'bill,A-Y1', 'deposit,,5,,,,,,,,') AS bad \gset
SELECT pg_temp.opening(:'bad') AS said \gset
SELECT is(:'said'::text, 'refused 0 of 3; line 2 amount UB400, line 3 account_no UB404, line 4 due_on UB400, line 5 amount UB400, line 6 due_on UB400, '
	'line 7 to_day UB400, line 9 number UB409, line 10 kind UB400, line 11 kwh UB400, line 12 amount UB400, line 14 account_no UB409, '
	'line 15 scope UB404, line 16 kwh UB400, line 18 account_no UB409, line 19 demand UB404, line 20 month UB422, line 21 month UB400, '
	'line 22 month UB400, line 23 kw UB400, line 24  UB400, line 25 account_no UB400', 'each broken row is named by line, column and code; nothing lands');
SELECT is((SELECT count(*) FROM elecbill.bill) + (SELECT count(*) FROM elecbill.opening_item), 0::bigint, 'nothing at all');
SELECT is(pg_temp.fault(max(id), 11), 'a row of kind deposit has no kwh', 'a column that does not belong to the kind of row is not passed over') FROM elecbill.import_job;
SELECT is(pg_temp.fault(max(id), 15), 'the tariff has no tiers over a month, quarter or year', 'kWh for a tariff without tiers') FROM elecbill.import_job;
SELECT is(pg_temp.fault(max(id), 20), 'the month does not lie in the three years before 2026-05-01', 'a peak of the month that this system bills') FROM elecbill.import_job;
SELECT is(pg_temp.opening(pg_temp.csv('kind,account,amount', 'bill,A-Y1,3')), 'refused 0 of 0; line 1 account UB400', 'an unknown column refuses the file');
SELECT is(pg_temp.opening(pg_temp.csv('kind,amount', 'bill,3')), 'refused 0 of 0; line 1 account_no UB400', 'so does a missing one');
SELECT is(pg_temp.opening(''), 'refused 0 of 0; line 1  UB400', 'and an empty file');
SELECT is(pg_temp.opening(pg_temp.csv(:head, 'bill,A-Y1,1000000000,2026-04-20,N1,,,,,,', 'bill,A-Y1,1,2028-04-20,N2,,,,,,', 'bill,A-Y1,1,2026-04-20,N3,,2026-05-05,,,,',
	'energy,A-Y1,,,,,,10,2026-04-30,,', 'bill,A-Y1,1,2026-04-20,,,,,,,', 'bill,A-Y1,2,2026-04-20,,,,,,,')),
	'refused 0 of 1; line 2 amount UB400, line 3 due_on UB400, line 4 to_day UB400, line 5 as_of UB422, line 7 due_on UB409', 'amounts and days that cannot be are named, too');
SELECT results_eq('SELECT message FROM elecbill.import_row_error WHERE job_id = (SELECT max(id) FROM elecbill.import_job) ORDER BY n', $$VALUES
	('amount must be a number from 0.01 to 999999999.99, not "1000000000"'), ('due_on must be a day from 2007-05-10 to 2027-05-05, not 2028-04-20'),
	('to_day must be a day from 2006-05-09 to 2026-05-04, not 2026-05-05'),
	('as_of 2026-04-30 lies before the agreement, that begins on 2026-05-01: neither system would count what lies between'),
	('account A-Y1 has an opening bill 2026-04-20 already; bills of the same due date are told apart by a number')$$, 'with what would be right');
SELECT is(pg_temp.opening(convert_to(E'\ufeff"类别","户号","金额","备注"\r\n"预存","A-F3","12.5","两户\n合表"\r\n\r\n,,,\r\n"押金", A-F3 ,3.00,"a ""b"" c"\r\n', 'UTF8'), 'all_or_nothing', true),
	'done 2 of 2', 'a file may come from a spreadsheet: byte order mark, CR LF, quotes, empty rows');
SELECT is(pg_temp.opening(convert_to(E'类别,户号,金额\r\n预存,A-F3,12.5\r\n', 'GBK')), 'refused 0 of 0; line 1  UB400', 'a file in GBK does not');
SELECT is(pg_temp.fault(max(id), 1), 'line of column names: not UTF-8 text', 'and says so') FROM elecbill.import_job;
SELECT is(pg_temp.opening(convert(convert_to(E'类别,户号,金额\r\n预存,A-F3,12.5\r\n', 'GBK'), 'GBK', 'UTF8'), 'all_or_nothing', true), 'done 1 of 1', 'until it is converted');
SET statement_timeout = '12s';
SELECT elecbill.import_opening('NEW', convert_to(E'kind,account_no,amount\n' || repeat(E'bill,A-Y1\n', 15000), 'UTF8')) AS wrong \gset
RESET statement_timeout;
SELECT is((SELECT concat_ws(' ', state, errors) FROM elecbill.import_job WHERE id = :wrong), 'refused 15000', 'the wrong file: 15,000 rows that cannot be read are listed within seconds');
SELECT throws_ok($$SELECT elecbill.import_opening('NEW', NULL)$$, 'UB400', NULL, 'no file');
SELECT throws_ok($$SELECT elecbill.import_opening('NEW', 'x', 'maybe')$$, 'UB400', 'a file is imported all_or_nothing or skip_bad', 'no such mode');
SELECT throws_ok($$SELECT elecbill.import_opening('NOBODY', 'x')$$, 'UB404', NULL, 'no such org');
SELECT throws_ok($$SELECT elecbill.import_opening('NEW', 'x', on_day => '2026-05-05')$$, 'UB400', 'what is taken over is booked on a day that has come', 'nothing is booked on a day to come');
SELECT is((SELECT count(*) FROM elecbill.audit_log WHERE action = 'import_opening' AND outcome = 'refused'), 4::bigint, 'each refused call is in the audit log');

-- ---------------------------------------------------------------- it lands

SELECT elecbill.import_opening('NEW', :'good') AS job \gset
SELECT is(pg_temp.job(:job), 'done 10 of 10', 'the file lands');
SELECT is(elecbill.import_opening('NEW', :'good'), :job::bigint, 'the same file twice is answered as the first time');
SELECT is((SELECT count(*) FROM elecbill.opening_item), 10::bigint, 'and lands once');
SELECT results_eq($$SELECT account_no, number, amount, status, to_char(due_on, 'YYYY-MM-DD'), to_char(lower(service), 'YYYY-MM-DD'), to_char(upper(service), 'YYYY-MM-DD')
	FROM pg_temp.made WHERE kind = 'opening' ORDER BY number$$::text, $$VALUES
	('A-F2', '2026-000001', 0.35, 'issued', '2026-05-20', '2026-05-03', '2026-05-04'),
	('A-Y1', '2026-000002', 100.00, 'overdue', '2026-04-20', '2026-03-01', '2026-04-01'),
	('A-Y1', '2026-000003', 50.00, 'issued', '2026-05-20', '2026-04-01', '2026-05-01')$$,
	'unpaid items are bills with numbers of this system and due dates of their own; what is past that is overdue');
SELECT set_eq($$SELECT l.kind, l.amount, l.label FROM elecbill.bill_line l$$::text, $$VALUES ('opening', 0.35, NULL), ('opening', 100.00, 'OLD-17'), ('opening', 50.00, 'OLD-18')$$,
	'each has a line, that names the number it had');
SELECT is((SELECT string_agg(t.text, '|') FROM elecbill.explain_bill('NEW/2026-000002', 'en') AS t), 'Bill 2026-000002 (overdue) of account A-Y1, Family Y1, for 2026-03-01 to 2026-03-31, both included|opening bill  1 per bill × 100 = 100.00 CNY|Amount 100.00 CNY', 'and explains itself');
SELECT is(pg_temp.book('receivable:A-Y1'), 150.00, 'the ledger says what Y1 owes');
SELECT is(pg_temp.book('advance:A-F1'), -30.00, 'what F1 paid ahead');
SELECT is(pg_temp.book('deposit:A-F1'), -200.00, 'and its deposit');
SELECT is(pg_temp.book('opening'), 79.65, 'against the opening account: 30 + 200 - 150.35');
SELECT is((SELECT array_agg(DISTINCT kind) FROM elecbill.ledger_transfer), '{opening}', 'all is booked as opening');
SELECT set_eq('SELECT kind, items, amount, kwh, kw, open FROM elecbill.opening_total'::text, $$VALUES ('bill', 3::bigint, 150.35, NULL::numeric, NULL::numeric, 150.35),
	('advance', 1, 30.00, NULL, NULL, NULL), ('deposit', 1, 200.00, NULL, NULL, NULL), ('energy', 2, NULL, 7190.5, NULL, NULL), ('demand', 3, NULL, NULL, 500, NULL)$$,
	'the control totals can be laid beside those of the system before');
SELECT set_eq($$SELECT account_no, c.scope, to_char(scope_start, 'YYYY-MM-DD'), kwh, to_char(as_of, 'YYYY-MM-DD') AS until FROM elecbill.usage_counter c JOIN elecbill.customer_account a ON a.id = c.account_id$$::text,
	$$VALUES ('A-Y1', 'year', '2026-01-01', 2400.0, '2026-05-01'), ('A-Y2', 'year', '2026-01-01', 4790.5, '2026-05-01')$$, 'the tier year begins where the system before left it');
SELECT is_empty('SELECT pg_temp.faults()', 'nothing is broken');
SELECT elecbill.rebuild_derived() \g /dev/null
SELECT is((SELECT sum(kwh) FROM elecbill.usage_counter), 7190.5, 'derived tables made anew keep it');
SELECT is(pg_temp.opening(pg_temp.csv('kind,account_no,amount,due_on,number,kwh,kw,month', 'bill,A-Y1,100,2026-04-20,OLD-17,,,', 'advance,A-F1,1,,,,,',
	'deposit,A-F1,1,,,,,', 'energy,A-Y1,,,,1,,', 'demand,A-P1,,,,,1,2026-04', 'deposit,A-F2,80,,,,,'), 'skip_bad'),
	'done 1 of 1; line 2 number UB409, line 3 account_no UB409, line 4 account_no UB409, line 5 account_no UB409, line 6 month UB409',
	'another file does not bring the same things again; with skip_bad the rest of it lands');
SELECT is(pg_temp.opening(pg_temp.csv('类别,户号,金额,应缴日期,账单号,备注', '欠费,A-F3,12.5,2026年4月20日,旧-1,搬迁', '押金,A-F3,100,,,')), 'done 2 of 2', 'columns and kinds may be Chinese');

-- ---------------------------------------------------------------- an opening bill is a bill

SELECT elecbill.cashier_shift_open('NEW') \g /dev/null
SELECT is((SELECT outcome FROM elecbill.pay_bill('NEW/2026-000002', 100.00, 'p1')), 'paid', 'it is paid like any other');
SELECT is((SELECT (status, paid) = ('paid', 100.00) FROM pg_temp.made WHERE number = '2026-000002'), true, 'and is paid then');
SELECT throws_ok($$SELECT elecbill.pay_bill('NEW/2026-000001', 0.36, 'p2')$$, 'UB422', NULL, 'but not by another amount');
SELECT elecbill.cancel_bill('NEW/2026-000001', 'was paid there', 'c1') \g /dev/null
SELECT is(pg_temp.book('receivable:A-F2'), 0.00, 'taken back, nothing is owed');
SELECT is(pg_temp.opening(pg_temp.csv('kind,account_no,amount,due_on', 'bill,A-F2,0.30,2026-05-20')), 'done 1 of 1', 'and the right amount can be taken over');
SELECT is(pg_temp.book('opening'), 247.20, '79.65 + 80 - 12.50 + 100 in the later files, 0.35 back, 0.30 new, all against opening');
SELECT is_empty('SELECT pg_temp.faults()', 'nothing is broken by payments');

-- ---------------------------------------------------------------- bills on top

SET elecbill.clock_override = '2026-07-03 10:00:00+08';
SELECT pg_temp.read('NEW', r.room, r.day, r.kwh) FROM (VALUES ('Y1', '2026-06-01', 1200), ('Y2', '2026-06-01', 1020), ('F1', '2026-06-01', 1100),
	('F2', '2026-06-01', 1100), ('F3', '2026-06-01', 1310), ('Y1', '2026-07-01', 1300)) AS r(room, day, kwh) \g /dev/null
-- P1 takes 2 kW, and 10 kW in one hour
INSERT INTO elecbill.reading (register_id, read_at, slot_at, register_wh, org_id, source)
SELECT g.id, at, at, 1000000 + 1000 * (2 * h + CASE WHEN h >= 100 THEN 8 ELSE 0 END), g.org_id, 1
FROM elecbill.meter_register g JOIN elecbill.meter m ON m.id = g.meter_id,
	generate_series(1, 1464) AS h, LATERAL (SELECT timestamptz '2026-05-01 00:00+08' + h * interval '1 hour' AS at) AS t
WHERE g.code = '1.8.0' AND m.serial = 'M-NEW-P1';
CALL elecbill.bill_month('NEW', 'MONTH', '2026-05');
SELECT is(pg_temp.lines('Y1', '2026-05-01'), 'energy 1 120 62.40, energy 2 80 45.60', 'Y1 has used 2,400 of 2,520 kWh there: 120 kWh are left at 0.52, 80 cost 0.57');
SELECT is(pg_temp.lines('Y2', '2026-05-01'), 'energy 2 9.5 5.42, energy 3 10.5 8.61', 'Y2 has 9.5 kWh left at 0.57, 10.5 cost 0.82');
SELECT is(pg_temp.lines('P1', '2026-05-01'), 'kw 80 800.00', 'the ratchet looks back on 100 kW in April: 80 kW, not the 10 kW of May, nor 400 kW of a year ago');
SELECT is(pg_temp.lines('F1', '2026-05-01'), 'energy 100 50.00, lamp 1 6.20, fund 100 1.00', 'F1 has a plain tariff');
SELECT is((SELECT paid FROM pg_temp.made WHERE account_no = 'A-F1' AND org = 'NEW'), 30.00, 'what F1 paid ahead there pays for it here');
SELECT is(pg_temp.book('deposit:A-F1'), -200.00, 'its deposit stays');
SELECT is((SELECT kwh FROM elecbill.usage_counter c JOIN elecbill.customer_account a ON a.id = c.account_id WHERE account_no = 'A-Y1'), 2600.0, 'the counter has both');
SELECT is((SELECT t.text FROM elecbill.explain_bill((SELECT id::text FROM pg_temp.made WHERE account_no = 'A-Y1' AND kind = 'regular'), 'en') AS t WHERE t.text LIKE 'Before%'),
	'Before it, 2400 kWh were billed in the year from 2026-01-01', 'and the bill says so');
SELECT is_empty('SELECT pg_temp.faults()', 'nothing is broken by bills');
SELECT elecbill.rebuild_derived() \g /dev/null
SELECT is((SELECT kwh FROM elecbill.usage_counter c JOIN elecbill.customer_account a ON a.id = c.account_id WHERE account_no = 'A-Y1'), 2600.0, 'derived tables made anew have both, too');
CALL elecbill.bill_month('NEW', 'MONTH', '2026-06');
SELECT is(pg_temp.lines('Y1', '2026-06-01'), 'energy 2 100 57.00', 'June goes on in the second tier');
SELECT is(pg_temp.lines('P1', '2026-06-01'), 'kw 80 800.00', 'and the ratchet still knows April');
SELECT elecbill.cancel_bill((SELECT id::text FROM pg_temp.made WHERE account_no = 'A-Y1' AND live AND lower(service) = '2026-06-01'), 'again', 'c2') \g /dev/null
SELECT is((SELECT kwh FROM elecbill.usage_counter c JOIN elecbill.customer_account a ON a.id = c.account_id WHERE account_no = 'A-Y1'), 2600.0, 'taken back, the counter keeps what was taken over');
SELECT is(pg_temp.opening(pg_temp.csv('kind,account_no,kwh,kw,month', 'demand,A-P1,,30,2026-03', 'demand,A-P1,,30,2025-01', 'energy,A-Y2,1,,'), 'skip_bad'),
	'done 1 of 1; line 2 account_no UB412, line 4 account_no UB409', 'what bills have counted without cannot be taken over any more; a month they do not look at can');
SELECT is_empty('SELECT pg_temp.faults()', 'still nothing is broken');

-- an account whose agreement is older than what was taken over: the old days count as billed
SELECT pg_temp.read('OTHER', 'Y1', d.day, d.kwh) FROM (VALUES ('2026-06-01', 1300), ('2026-06-11', 1320), ('2026-07-01', 1500)) AS d(day, kwh) \g /dev/null
SELECT throws_ok($$SELECT * FROM elecbill.simulate_bill('OTHER/A-Y1', '[2026-06-01,2026-07-01)')$$, 'UB412', 'an earlier period of the same tier scope is not billed yet', 'June waits for May');
SELECT is(pg_temp.job(elecbill.import_opening('OTHER', pg_temp.csv('kind,account_no,kwh,as_of', 'energy,A-Y1,2500,2026-06-01'), on_day => '2026-06-01')), 'done 1 of 1', 'unless the system before has billed it');
SELECT is((SELECT string_agg(concat_ws(' ', s.tier, trim_scale(s.quantity), s.amount), ', ' ORDER BY s.n) FROM elecbill.simulate_bill('OTHER/A-Y1', '[2026-06-01,2026-07-01)') AS s),
	'1 20 10.40, 2 180 102.60', '20 kWh are left in the first tier then');
SELECT pg_temp.read('OTHER', 'Y1', '2026-05-11', 1100) \g /dev/null
SELECT throws_ok($$SELECT * FROM elecbill.simulate_bill('OTHER/A-Y1', '[2026-05-11,2026-06-11)')$$, 'UB409', 'the energy of these days was taken over from the system before', 'no day is counted twice');

-- ---------------------------------------------------------------- a month runs in parallel

SELECT r.id AS run FROM elecbill.bill_run r JOIN elecbill.org o ON o.id = r.org_id WHERE o.code = 'NEW' AND lower(r.period) = '2026-05-01' \gset
CREATE FUNCTION pg_temp.beside(run bigint, csv bytea) RETURNS SETOF text LANGUAGE sql AS $$
	SELECT concat_ws(' ', p.account_no, p.difference, p.what, p.line, p.line_ours, p.line_theirs) FROM elecbill.parallel_run(run, csv) AS p;
$$;
SET elecbill.lang = 'en';
SELECT set_eq(format('SELECT account_no, amount FROM pg_temp.made WHERE run_id = %s', :run), $$VALUES ('A-Y1', 108.00), ('A-Y2', 14.03), ('A-P1', 800.00), ('A-F1', 57.20), ('A-F2', 57.20), ('A-F3', 164.30)$$, 'our May');
SELECT count(*) AS transfers FROM elecbill.ledger_transfer \gset
SELECT is_empty(format('SELECT pg_temp.beside(%s, pg_temp.csv(''account_no,amount'', ''A-Y1,108'', ''A-Y2,14.03'', ''A-P1,800.00'', ''A-F1,57.2'', ''A-F2,57.20'', ''A-F3,164.30''))', :run), 'all bills are the same');
SELECT is((SELECT format('%s given, %s equal, %s differ, %s missing', given, duplicate, conflict, missing) FROM elecbill.import_job WHERE kind = 'parallel'), '6 given, 6 equal, 0 differ, 0 missing', 'the job says how many');
SELECT results_eq(format('SELECT * FROM pg_temp.beside(%s, pg_temp.csv(''户号,金额,电量,税额'', ''A-Y1,104.00,200,'', ''A-Y2,14.05,20,0'', ''A-F1,56.20,100,'', ''A-F2,51.00,100,1'', ''A-F3,162.26,306,1'', ''A-X9,5,,''))', :run),
	$$VALUES ('A-P1 800.00 not_there'), ('A-F2 6.20 line_only_here lamp 6.20'), ('A-X9 -5.00 unknown_account'), ('A-Y1 4.00 tier energy 2 0.57 0.52'),
		('A-F3 2.04 other_kwh energy 310.000 306'), ('A-F1 1.00 tax tax 1.00'), ('A-Y2 -0.02 rounding')$$,
	'each difference has its line: a bill that is missing, a charge they have not, 80 kWh in the first tier, other energy, tax, rounding');
SELECT results_eq(format('SELECT * FROM pg_temp.beside(%s, pg_temp.csv(''account_no,amount,line,tier,kwh'', ''A-Y1,52.00,energy,1,100'', ''A-Y1,57.00,energy,2,100'', ''A-F1,50.00,电费,,100'', ''A-F1,6.2,lamp,,'', ''A-F1,1.00,fund,,'', ''A-F2,57.00,,,'', ''A-F2,55.00,energy,,100'', ''A-F2,1,fund,,'', ''A-F2,1,lift,,'', ''A-F3,164.30,,,'', ''A-P1,800,,,'', ''A-Y2,14.03,,,''))', :run),
	$$VALUES ('A-Y1 -1.00 other_kwh energy 2 45.60 57.00'), ('A-F2 0.20 line_only_here lamp 6.20')$$, 'by lines, where the file has them');
SELECT results_eq(format('SELECT what, line FROM elecbill.parallel_run(%s, pg_temp.csv(''account_no,amount'', ''A-Y1,108'', ''A-Y2,14.03'', ''A-P1,800.00'', ''A-F1,57.2'', ''A-F2,57.20'', ''A-F3,114.30'', ''A-F3,1'', ''A-F1'', '',3'', ''A-F1,x''))', :run),
	$$VALUES ('other_kwh', 'energy'), ('broken_row', '9'), ('broken_row', '10'), ('broken_row', '11'), ('broken_row', '8')$$, 'rows that cannot be read are listed, too');
SELECT is((SELECT string_agg(format('%s %s %s', line, field, code), ', ' ORDER BY n) FROM elecbill.import_row_error WHERE job_id = (SELECT max(id) FROM elecbill.import_job)),
	'9  UB400, 10 account_no UB400, 11 amount UB400, 8 account_no UB409', 'and stand in the job');
SELECT is((SELECT note FROM elecbill.parallel_run(:run, pg_temp.csv('account_no,amount', 'A-F3,114.30')) WHERE account_no = 'A-F3'), 'it would be 100 kWh at 0.5', 'without kWh, whole kWh are guessed');
SELECT elecbill.bill_run_start('NEW', 'MONTH', '[2026-07-01,2026-07-02)', 'offcycle') AS july \gset
CALL elecbill.bill_run_work(:july);
SELECT matches((SELECT what || ' ' || line FROM elecbill.parallel_run(:july, pg_temp.csv('account_no,amount', 'A-F3,1')) WHERE account_no = 'A-F3'), '^not_billed no_(readings|boundary_reading)$', 'a parked account says why');
SELECT results_eq(format('SELECT * FROM pg_temp.beside(%s, pg_temp.csv(''account_no,amount'', ''A-Y1,164.00'', ''A-Y2,14.03'', ''A-P1,800.00'', ''A-F1,57.2'', ''A-F2,57.20'', ''A-F3,164.3''))', :run),
	$$VALUES ('A-Y1 -56.00 tier energy 0.540000000 0.82')$$, 'all 200 kWh in the third tier there: no line by itself explains it, all of its tiers do');
SELECT results_eq(format('SELECT what, line, left(note, 23) FROM elecbill.parallel_run(%s, pg_temp.csv(''account_no,total'', ''A-Y1,108''))', :run),
	$$VALUES ('broken_row', '1', 'unknown column "total";')$$, 'a file without column names that are known is not compared at all');
SELECT is((SELECT (state, given, errors)::text FROM elecbill.import_job ORDER BY id DESC LIMIT 1), '(refused,0,1)', 'and its job says so');
SELECT throws_ok('SELECT elecbill.parallel_run(0, ''x'')', 'UB404', NULL, 'no such run');
SELECT throws_ok(format('SELECT elecbill.parallel_run(%s, NULL)', :run), 'UB400', 'a run is compared with the bills of a file', 'no file to compare with');
SELECT is((SELECT count(*) FROM elecbill.ledger_transfer), :transfers::bigint, 'nothing was written but the jobs');
RESET elecbill.lang;

-- ---------------------------------------------------------------- what is broken is seen

SELECT is(broken($$ UPDATE elecbill.opening_item SET amount = 99 WHERE number = 'OLD-17' $$), 'opening', 'another amount than the bill');
SELECT is(broken($$ DELETE FROM elecbill.opening_item WHERE number = 'OLD-18' $$), 'opening', 'a bill from nowhere');
SELECT is(broken($$ UPDATE elecbill.opening_item SET amount = 31 WHERE kind = 'advance' $$), 'opening', 'credit that is not booked');
SELECT is(broken($$ UPDATE elecbill.opening_item SET kw = 101 WHERE month = '2026-04-01' $$), 'opening', 'a peak that the ratchet did not know');
SELECT is(broken($$ UPDATE elecbill.opening_item SET kwh = 2401 WHERE kwh = 2400 $$), 'I09,usage_counter', 'I09: kWh that the tiers did not count');
SELECT is(broken($$ UPDATE elecbill.org SET emptying = '3' WHERE code = 'NEW' $$), 'sandbox', 'a sandbox that was left open');
SELECT is(broken($$ ALTER TABLE elecbill.opening_item DISABLE TRIGGER opening_item_keep $$), 'I03', 'I03: a guard that is off');

-- ---------------------------------------------------------------- a closed month

SELECT elecbill.close_period('NEW', '2026-05-01') \g /dev/null
SELECT throws_ok($$SELECT elecbill.import_opening('NEW', 'x', on_day => '2026-05-31')$$, 'UB412', 'the books of 2026-05 are closed', 'nothing is taken over into a closed month');
SELECT throws_ok($$SELECT elecbill.import_opening('NEW', 'x', on_day => '2026-04-30')$$, 'UB412', 'the books of 2026-04 are closed', 'nor into one before it');

-- ---------------------------------------------------------------- the sandbox is emptied

CREATE FUNCTION pg_temp.rows(org text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	n bigint;
	total bigint := 0;
	name text;
BEGIN
	FOREACH name IN ARRAY elecbill._org_tables() LOOP
		EXECUTE format('SELECT count(*) FROM elecbill.%I x JOIN elecbill.org o ON o.id = x.org_id WHERE o.code = $1', name) INTO n USING org;
		total := total + n;
	END LOOP;
	RETURN total;
END $$;
SELECT pg_temp.rows('NEW') AS new, pg_temp.rows('OTHER') AS other \gset before_
SELECT cmp_ok(:before_new, '>', 500, 'the rehearsal has left rows');
SELECT throws_ok($$DELETE FROM elecbill.ledger_transfer$$, 'UB403', NULL, 'which nobody deletes by hand');
SELECT throws_ok($$DELETE FROM elecbill.meter_register$$, 'UB403', NULL, 'not in a sandbox either');
SELECT throws_ok($$SELECT elecbill._org_delete((SELECT id FROM elecbill.org WHERE code = 'NEW'))$$, 'UB403', NULL, 'nor by what org_empty() calls');
SELECT throws_ok($$SELECT elecbill.org_empty('NEW', 'Mill Yard')$$, 'UB400', 'org ''NEW'' has another name', 'who empties it names it');
SELECT throws_ok($$SELECT elecbill.org_empty('NOBODY', 'x')$$, 'UB404', NULL, 'an unknown one is not emptied');
SELECT elecbill.duty_grant('NEW', 'mei', 'billing'), elecbill.duty_grant('NEW', 'lin', 'dba') \g /dev/null
SELECT set_eq($$SELECT role FROM elecbill._role_right() WHERE object IN ('org_empty', 'go_live')$$::text, ARRAY['dba'], 'it is for the DBA alone');
SELECT is_empty($$SELECT k.conname FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_class f ON f.oid = k.confrelid
	WHERE k.contype = 'f' AND c.relnamespace = 'elecbill'::regnamespace AND c.relname = ANY (elecbill._org_kept()) AND f.relname = ANY (elecbill._org_tables())$$,
	'nothing that is kept rests on what goes');
BEGIN;
SELECT count(*) AS tables, sum(deleted) AS rows FROM elecbill.org_empty('NEW', 'Green Court') \gset gone_
SELECT is(pg_temp.rows('NEW'), 0::bigint, 'the sandbox is empty');
SELECT is(pg_temp.rows('OTHER'), :before_other::bigint, 'the other estate has all of its rows');
SELECT throws_ok($$DELETE FROM elecbill.meter_register$$, 'UB403', NULL, 'and its guards stand, in the same transaction, too');
COMMIT;
SELECT cmp_ok(:gone_rows::bigint, '>=', :before_new::bigint, 'it says how much is gone');
SELECT set_eq($$SELECT p.code FROM elecbill.tariff_plan p JOIN elecbill.org o ON o.id = p.org_id WHERE o.code = 'NEW'$$::text, ARRAY['YEAR','POWER','FLAT'], 'tariffs stay');
SELECT set_eq($$SELECT login FROM elecbill.org_member$$::text, ARRAY['mei','lin'], 'so do the staff');
SELECT is((SELECT count(*) FROM elecbill.audit_log a WHERE a.action = 'org_empty' AND a.outcome = 'done' AND (a.before ->> 'ledger_transfer')::integer > 10), 1::bigint, 'the audit log knows what went');
SELECT isnt((SELECT count(*) FROM elecbill.audit_log WHERE action = 'import_opening'), 0::bigint, 'and all that was done before');
SELECT is_empty('SELECT pg_temp.faults()', 'nothing is broken');

-- and the same files come in anew
SELECT is(pg_temp.homes('NEW', 'Y1=YEAR Y2=YEAR F1=FLAT F2=FLAT F3=FLAT P1=POWER'), NULL::text, 'the estate moves in again');
SELECT is(pg_temp.job(elecbill.import_opening('NEW', :'good', on_day => '2026-07-02')), 'done 10 of 10', 'and what it brings along, booked today');
SELECT is((SELECT min(number) FROM pg_temp.made WHERE org = 'NEW'), '2026-000001', 'numbers begin anew');
SELECT pg_temp.read('NEW', 'Y1', '2026-06-01', 1200) \g /dev/null
SELECT is((SELECT sum(amount) FROM elecbill.simulate_bill('NEW/A-Y1', '[2026-05-01,2026-06-01)')), 108.00, 'May comes to the same: what is booked later is no later first day');

-- ---------------------------------------------------------------- it goes live

SELECT elecbill.go_live('NEW') \g /dev/null
SELECT lives_ok($$SELECT elecbill.go_live('NEW')$$, 'live already: nothing happens');
SELECT is((SELECT state FROM elecbill.org WHERE code = 'NEW'), 'live', 'it is live');
SELECT throws_ok($$SELECT elecbill.org_empty('NEW', 'Green Court')$$, 'UB412', 'org ''NEW'' is live and is not emptied', 'a live org is not emptied');
SELECT throws_ok($$UPDATE elecbill.org SET emptying = pg_current_xact_id() WHERE code = 'NEW'$$, 'UB412', NULL, 'nor made to look as if it were');
SELECT throws_ok($$UPDATE elecbill.org SET state = 'sandbox', live_at = NULL WHERE code = 'NEW'$$, 'UB412', NULL, 'nor a sandbox again');
SELECT throws_ok($$SELECT elecbill.import_opening('NEW', 'kind,account_no')$$, 'UB412', 'org ''NEW'' is live, and takes nothing over any more', 'nor does it take anything over');
SELECT is(pg_temp.job(elecbill.import_opening('NEW', :'good')), 'done 10 of 10', 'but the file it took over is answered as before');
SELECT isnt(pg_temp.rows('NEW'), 0::bigint, 'all is there');
SELECT is((SELECT string_agg(action || ' ' || state, ', ' ORDER BY id) FROM elecbill.audit_log WHERE outcome = 'refused' AND action IN ('org_empty', 'go_live')),
	'org_empty UB400, org_empty UB404, org_empty UB412', 'what was refused is in the audit log');
SELECT is_empty('SELECT pg_temp.faults()', 'and nothing is broken');
SELECT * FROM finish();
