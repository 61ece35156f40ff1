-- correction_bill.sql: whatever happens to readings after they were billed, in the end the bills are what the register counted
\set ON_ERROR_STOP 1
SET client_min_messages = warning;
\ir login/work_for.sql
\c - :super
CREATE FUNCTION public.forget(account text) RETURNS void LANGUAGE sql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET session_replication_role = replica AS $$
	DELETE FROM elecbill.true_up_queue WHERE bill_id IS NULL AND account_id = (SELECT id FROM elecbill.customer_account WHERE account_no = $1) $$;
\c - :owner
SET client_min_messages = warning;
SELECT plan(61);

SET elecbill.clock_override = '2025-01-01 12:00:00+00';
SELECT elecbill.org_create('HOME', 'Home', 'UTC');
SELECT elecbill.vee_rule_set('HOME', 'E02', '{"second_kwh": 1000000}') \g /dev/null
SELECT elecbill.tariff_approve('T', elecbill.tariff_draft('T', '[2024-01-01,)', '{"elecbill": 1, "currency": "CNY", "zone": "UTC",
	"components": [{"code": "energy", "kind": "energy", "price": "0.5"}]}', 'ann'), 'bob') \g /dev/null
CREATE FUNCTION pg_temp.open(room text, day date, kwh numeric, multiplier numeric DEFAULT 1) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(message, '; ') FROM elecbill.import_estate('HOME', convert_to(format(
		E'room,account_no,name,kind,meter_no,model,multiplier,last_reading,last_read_at,tariff,protocol,digits\n'
		'%s,A-%1$s,Family %1$s,residential,M-%1$s,X,%4$s,%3$s,%2$s,T,manual,6\n', room, day, kwh, multiplier), 'UTF8')) $$;
CREATE FUNCTION pg_temp.at(at text) RETURNS void LANGUAGE sql AS $$
	SELECT set_config('elecbill.clock_override', at || '+00', false), elecbill.partition_maintain(1, '2025-01-01') $$;
CREATE FUNCTION pg_temp.read(meter text, at text, kwh numeric) RETURNS text LANGUAGE sql AS $$
	SELECT elecbill.reading_add('HOME', meter, '1.8.0', (at || '+00')::timestamptz, kwh) $$;
CREATE FUNCTION pg_temp.correct(meter text, at text, kwh numeric) RETURNS text LANGUAGE sql AS $$
	SELECT elecbill.correct_reading('HOME', meter, '1.8.0', (at || '+00')::timestamptz, kwh, 'photo', replace(meter || at || kwh, ' ', 'T')) $$;
CREATE PROCEDURE pg_temp.bill(month date) LANGUAGE plpgsql AS $$
DECLARE
	run bigint := elecbill.bill_run_start('HOME', 'MONTH', daterange(month, (month + interval '1 month')::date));
BEGIN
	COMMIT;
	CALL elecbill.bill_run_work(run);
	CALL elecbill.bill_run_issue(run);
END $$;
-- kWh that all live bills of an account have in the end, corrections of others included
CREATE FUNCTION pg_temp.billed(room text) RETURNS numeric LANGUAGE sql AS $$
	SELECT trim_scale(coalesce((SELECT sum(s.energy_wh) * 0.001 FROM elecbill.bill AS b JOIN elecbill.bill_segment AS s ON s.bill_id = b.id
			WHERE b.account_id = a.id AND b.live AND b.number IS NOT NULL), 0)
		+ coalesce((SELECT sum(t.kwh) FROM elecbill.bill AS b JOIN elecbill.bill_true_up AS t ON t.bill_id = b.id
			WHERE b.account_id = a.id AND b.live AND b.number IS NOT NULL), 0))
	FROM elecbill.customer_account AS a WHERE a.account_no = 'A-' || room $$;

-- ---------------------------------------------------------------- all of it at one instant
SELECT is(concat(pg_temp.open('F', '2025-01-01', 1000), pg_temp.open('DRAFT', '2025-01-01', 1000), pg_temp.open('GUESS', '2025-01-01', 1000)), '', 'three homes');
SELECT pg_temp.at('2025-03-01 12:00'), pg_temp.read('M-F', '2025-02-01', 1100), pg_temp.read('M-DRAFT', '2025-02-01', 1100) \g /dev/null
SELECT is(elecbill.estimate_missing('HOME', '2025-02-01'), 1, 'one of which is not read');
SELECT elecbill.bill_run_start('HOME', 'MONTH', '[2025-01-01,2025-02-01)') AS run \gset
CALL elecbill.bill_run_work(:run);
SELECT is(pg_temp.correct('M-DRAFT', '2025-02-01', 1080) || pg_temp.read('M-GUESS', '2025-02-01', 1060), 'approvedaccepted', 'between draft and issue a reading is corrected, and one comes');
CALL elecbill.bill_run_issue(:run);
SELECT is(pg_temp.correct('M-F', '2025-02-01', 1090), 'approved', 'January is billed, and its last reading corrected at the same instant');
SELECT is(pg_temp.read('M-F', '2025-03-01', 1200), 'accepted', 'then February is read');
SELECT pg_temp.read('M-DRAFT', '2025-03-01', 1200), pg_temp.read('M-GUESS', '2025-03-01', 1200) \g /dev/null
SELECT is(pg_temp.correct('M-F', '2025-03-01', 1210), 'approved', 'and corrected');
SELECT is(pg_temp.correct('M-F', '2025-03-01', 1220), 'approved', 'twice');
CALL pg_temp.bill('2025-02-01');
SELECT is(pg_temp.billed('F'), 220.0, 'and billed: 220 kWh in all');
SELECT is(pg_temp.billed('DRAFT') || ' ' || pg_temp.billed('GUESS'), '200 200', 'what changed between draft and issue is on the next bill');
SELECT elecbill.agreement_end('HOME', 'A-' || r, '2025-03-01') FROM unnest('{DRAFT,GUESS}'::text[]) AS r \g /dev/null
SELECT is_empty('SELECT * FROM elecbill.fsck()', 'and the books are in order, though no time has passed');
SELECT is(pg_temp.correct('M-F', '2025-03-01', 1215), 'approved', 'corrected again');
SELECT is_empty('SELECT * FROM elecbill.fsck()', 'they still are');

-- ---------------------------------------------------------------- after the bill: exchanges, estimates, readings that go
CREATE FUNCTION pg_temp.void(meter text, at text) RETURNS text LANGUAGE sql AS $$
	SELECT elecbill.reading_void('HOME', meter, tstzrange((at || '+00')::timestamptz, (at || '+00')::timestamptz, '[]'), 'not his', replace(meter || at, ' ', 'T')) $$;
CREATE FUNCTION pg_temp.number(room text, month text) RETURNS text LANGUAGE sql AS $$
	SELECT b.number FROM elecbill.bill AS b JOIN elecbill.customer_account AS a ON a.id = b.account_id
	WHERE a.account_no = 'A-' || room AND b.live AND to_char(lower(b.service), 'YYYY-MM') = month $$;
SELECT is(string_agg(pg_temp.open(h.room, '2025-03-01', h.kwh, h.ratio), ''), NULL, 'more homes')
FROM (VALUES ('RATIO', 1000, 40), ('PART', 1000, 1.333), ('BEFORE', 1000, 40), ('VOID', 1000, 1), ('BACK', 1000, 1), ('FINAL', 1000, 1), ('SPAN', 1000, 1), ('EDGE', 1000, 1),
	('MOVA', 1000, 1), ('MOVB', 1000, 1), ('TRUE', 1000, 1), ('TAKEN', 1000, 1), ('OUT', 1000, 1), ('SAME', 1000, 0.5), ('ROLL', 999900, 1.7)) AS h(room, kwh, ratio);
SELECT elecbill.duty_grant('HOME', x, 'billing') FROM unnest('{ann,bob}'::text[]) AS x \g /dev/null
SELECT pg_temp.at('2025-04-01 12:00'), pg_temp.read('M-F', '2025-04-01', 1300) \g /dev/null
SELECT pg_temp.read('M-' || r, '2025-04-01', 1100) FROM unnest('{PART,VOID,BACK,FINAL,EDGE,MOVA,TRUE,TAKEN,OUT,SAME}'::text[]) AS r \g /dev/null
SELECT is(elecbill.estimate_missing('HOME', '2025-04-01'), 5, 'five are not read in March, and estimated');
SELECT elecbill.agreement_end('HOME', 'A-OUT', '2025-04-01'), elecbill.agreement_start('HOME', 'A-IN', 'In', 'person', 'OUT', 'T', '2025-04-01') \g /dev/null
CALL pg_temp.bill('2025-03-01');

SELECT pg_temp.at('2025-05-01 12:00'), pg_temp.read('M-F', '2025-05-01', 1400) \g /dev/null
SELECT lives_ok($$SELECT elecbill.multiplier_change('RATIO', 'M-RATIO', '{"1.8.0": 1150}', 60, '2025-04-15 00:00+00')$$, 'RATIO gets other transformers behind an estimate');
SELECT lives_ok($$SELECT elecbill.multiplier_change('PART', 'M-PART', '{"1.8.0": 1150.333}', 0.5, '2025-04-15 00:00+00')$$, 'PART before one');
SELECT throws_ok($$SELECT elecbill.multiplier_change('BEFORE', 'M-BEFORE', '{"1.8.0": 1050}', 60, '2025-03-15 00:00+00')$$, 'UB409', 'energy that the meter measured behind this instant is billed', 'what is billed stays with its ratio');
SELECT lives_ok($$SELECT elecbill.cancel_bill(pg_temp.number('BEFORE', '2025-03'), 'other transformers', 'c1')$$, 'until the bill is taken back');
SELECT lives_ok($$SELECT elecbill.multiplier_change('BEFORE', 'M-BEFORE', '{"1.8.0": 1050}', 60, '2025-03-15 00:00+00')$$, 'then it may change');
SELECT is((SELECT amount FROM elecbill.offcycle_bill('HOME/A-BEFORE', '[2025-03-01,2025-04-01)')), (pg_temp.billed('BEFORE') / 2)::numeric(14,2), 'and March is billed again');
SELECT is(pg_temp.void('M-VOID', '2025-04-01') || pg_temp.void('M-BACK', '2025-04-01'), 'approvedapproved', 'readings that were billed are taken out');
SELECT lives_ok($$SELECT elecbill.exchange_meter('FINAL', 'M-FINAL', '{"1.8.0": 1150}', 'N-FINAL', '{"1.8.0": 10}', 1, '2025-04-15 00:00+00')$$, 'FINAL gets another meter');
SELECT is(elecbill.reading_move('HOME', 'M-MOVA', 'M-MOVB', '[2025-04-01 00:00+00,2025-04-01 00:00+00]', 'mixed up', 'mv'), 'approved', 'a reading that was billed goes to another meter');
SELECT is(pg_temp.correct('M-TRUE', '2025-04-01', 1090) || pg_temp.correct('M-TAKEN', '2025-04-01', 1090), 'approvedapproved', 'or is another one');
SELECT pg_temp.read(m, '2025-05-01', v) FROM (VALUES ('M-RATIO', 1250), ('M-BEFORE', 1250), ('M-VOID', 1250), ('M-BACK', 1200), ('N-FINAL', 60), ('M-MOVA', 1200), ('M-MOVB', 1300), ('M-TRUE', 1200), ('M-TAKEN', 1200), ('M-OUT', 1200), ('M-SAME', 1200)) AS x(m, v) \g /dev/null
SELECT is(elecbill.estimate_missing('HOME', '2025-04-01'), 3, 'what was taken out is estimated, though it is billed: one home holds up none of the others');
SELECT is(elecbill.estimate_missing('HOME', '2025-05-01'), 4, 'and what is missing since');
CALL pg_temp.bill('2025-04-01');
SELECT is_empty($$SELECT x.message FROM elecbill.bill_exception AS x WHERE x.severity = 'error'$$, 'all are billed');
SELECT is_empty('SELECT * FROM elecbill.fsck()', 'and the books are in order');
SELECT lives_ok($$SELECT elecbill.exchange_meter('EDGE', 'M-EDGE', '{"1.8.0": 1333}', 'N-EDGE', '{"1.8.0": 7}', 40, '2025-05-01 00:00+00')$$, 'EDGE gets another meter at the very instant up to which it was estimated');

SELECT pg_temp.at('2025-06-01 12:00') \g /dev/null
SELECT is(pg_temp.correct('M-FINAL', '2025-04-15', 1140), 'approved', 'the last value of a meter that went is corrected');
SELECT is(pg_temp.correct('M-RATIO', '2025-04-15', 1160), 'approved', 'and one that ended one ratio and began another');
SELECT is(pg_temp.correct('M-BACK', '2025-04-01', 1100), 'approved', 'what was taken out was right after all');
SELECT is(pg_temp.correct('M-SAME', '2025-04-01', 1103) || pg_temp.correct('M-SAME', '2025-05-01', 1203), 'approvedapproved', 'both ends of what was billed were 3 kWh more');
SELECT is(pg_temp.correct('M-OUT', '2025-04-01', 1080), 'approved', 'what divides two households is corrected');
SELECT lives_ok($$SELECT elecbill.exchange_meter('SPAN', 'M-SPAN', '{"1.8.0": 1900}', 'N-SPAN', '{"1.8.0": 500}', 1, '2025-05-15 00:00+00')$$, 'SPAN was estimated twice when its meter goes');
CALL elecbill.rebill('HOME/A-TRUE', '2025-04-01', 'again');
SELECT lives_ok($$SELECT elecbill.cancel_bill(pg_temp.number('TAKEN', '2025-04'), 'again', 'c2')$$, 'a bill that corrected another one is taken back');
SELECT lives_ok($$SELECT elecbill.offcycle_bill('HOME/A-TAKEN', '[2025-04-01,2025-05-01)')$$, 'and made anew');
CALL elecbill.rebill('HOME/A-OUT', '2025-03-01', 'moved out');
SELECT pg_temp.read(m, '2025-06-01', v) FROM (VALUES ('M-F', 1500), ('M-RATIO', 1400), ('M-PART', 1300.777), ('M-BEFORE', 1400), ('M-VOID', 1400), ('M-BACK', 1400), ('N-FINAL', 100), ('N-SPAN', 560), ('N-EDGE', 17),
	('M-MOVA', 1400), ('M-MOVB', 1400), ('M-TRUE', 1400), ('M-TAKEN', 1400), ('M-OUT', 1400), ('M-SAME', 1400), ('M-ROLL', 250)) AS x(m, v) \g /dev/null
CALL pg_temp.bill('2025-05-01');
SELECT is_empty($$SELECT x.message FROM elecbill.bill_exception AS x WHERE x.severity = 'error'$$, 'all are billed');
-- what the registers counted, ratio by ratio
SELECT is(pg_temp.billed(h.room), trim_scale(h.kwh), h.room || ': ' || h.why)
FROM (VALUES ('F', 500, 'read all the time'),
	('RATIO', 160 * 40 + 240 * 60, 'each ratio has its energy'),
	('PART', (round(1150333 * 1.333) - round(1000000 * 1.333) + round(1300777 * 0.5) - round(1150333 * 0.5)) / 1000, 'rounded on what the register shows'),
	('BEFORE', 50 * 40 + 350 * 60, 'since the day it changed'), ('VOID', 400, 'what is in the place of a reading is spread'), ('BACK', 400, 'and gives way to it again'),
	('FINAL', 140 + 90, 'by the corrected last value'), ('SPAN', 900 + 60, 'two estimates, one value'), ('EDGE', 333 + 400, 'the value counts, not the estimate'),
	('MOVA', 400, 'without the reading'), ('MOVB', 400, 'with it'), ('TRUE', 400, 'billed again'), ('TAKEN', 400, 'taken back and billed again'),
	('SAME', 200, 'where both ends move alike'), ('OUT', 80, 'who moved out pays less'), ('IN', 320, 'who moved in pays more'), ('ROLL', 350 * 1.7, 'over the end of the register, by estimates')) AS h(room, kwh, why);
SELECT is_empty('SELECT * FROM elecbill.fsck()', 'and the books are in order');

-- ---------------------------------------------------------------- a correction that nobody billed is told of
SELECT pg_temp.correct('M-TRUE', '2025-06-01', 1390) \g /dev/null
SELECT public.forget('A-TRUE') \g /dev/null
SET elecbill.clock_override = '2025-07-01 11:00:00+00';
SELECT elecbill.partition_maintain(1) \g /dev/null
SELECT is(elecbill.reading_add('HOME', 'M-TRUE', '1.8.0', '2025-07-01 00:00+00', 1500), 'accepted', 'June is read');
SELECT number IS NOT NULL AS billed FROM elecbill.offcycle_bill('HOME/A-TRUE', '[2025-06-01,2025-07-01)') \gset
SELECT matches((SELECT string_agg(f.invariant || ' ' || f.detail, '; ') FROM elecbill.fsck() AS f),
	'^I07 bill \d+ ends at 1400000 Wh, bill \d+ begins at 1390000 Wh, and no bill has the difference$', 'who loses a correction hears of it');

-- ---------------------------------------------------------------- a correction that waited too long
SELECT elecbill.vee_rule_set('HOME', 'E02', '{"second_kwh": 5}') \g /dev/null
SELECT public.work_for('ann') \g /dev/null
SELECT is(elecbill.correct_reading('HOME', 'M-F', '1.8.0', '2025-06-01 00:00+00', 1550, 'photo', 'late'), 'pending', '50 kWh more wait for a second person');
SELECT public.work_for('') \g /dev/null
SET elecbill.clock_override = '2025-07-01 12:00:00+00';
SELECT elecbill.reading_add('HOME', 'M-F', '1.8.0', '2025-07-01 00:00+00', 1540) \g /dev/null
SELECT public.work_for('bob') \g /dev/null
SELECT throws_ok($$SELECT elecbill.reading_edit_decide('HOME', 'late', true)$$, 'UB422', 'the register would run backwards', 'until the next reading says that it cannot be');
SELECT is(elecbill.reading_edit_decide('HOME', 'late', false), 'refused', 'so it is refused');
SELECT * FROM finish();
