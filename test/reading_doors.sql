-- reading_doors.sql: what is refused when readings are judged, estimated, changed and meters exchanged
\set ON_ERROR_STOP 1
SET client_min_messages = warning;
BEGIN;
SELECT plan(36);
SET elecbill.clock_override = '2025-01-01 12:00:00+08';
SELECT elecbill.org_create('HOME', 'Home');
SELECT elecbill.tariff_approve('T', elecbill.tariff_draft('T', '[2024-01-01,)', '{"elecbill": 1, "currency": "CNY", "zone": "Asia/Shanghai",
	"components": [{"code": "energy", "kind": "energy", "price": "0.5"}]}', 'ann'), 'bob');
SELECT is_empty($$SELECT message FROM elecbill.import_estate('HOME', convert_to(E'room,account_no,name,kind,meter_no,model,last_reading,last_read_at,tariff,protocol,digits\n'
	'R1,A-1,Li,residential,M1,X,1000,2025-01-01,T,manual,6\nR2,A-2,Wang,residential,M2,X,500,2025-01-01,T,manual,6\n', 'UTF8'))$$, 'two homes move in');
SELECT set_config('elecbill.clock_override', '2025-03-10 12:00:00+08', false), elecbill.partition_maintain(1, '2025-01-01');
SELECT elecbill.reading_add('HOME', 'M1', '1.8.0', '2025-02-01 00:00+08', 1200);

-- rules and what they found
SELECT throws_ok('UPDATE elecbill.vee_rule SET severity = ''info'' WHERE code = ''V05''', 'UB403', 'rules change only by a new version', 'a rule is not changed under those who were judged by it');
SELECT throws_ok($$SELECT elecbill.vee_rule_set('HOME', 'V06', '{}', 'loud')$$, 'UB400', 'unknown severity ''loud''', 'there are five severities');
SELECT throws_ok($$SELECT elecbill.vee_rule_set('HOME', 'V06', '{}', 'reject')$$, 'UB400', 'rule V06 does not refuse values, that does not change', 'a rule that looks later cannot refuse');
SELECT throws_ok($$SELECT elecbill.vee_decide(1, 'maybe', 'who knows')$$, 'UB400', 'a decision is accepted or rejected, with a note why', 'an exception is right or wrong');
SELECT throws_ok($$SELECT elecbill.vee_decide(999, 'accepted', 'seen')$$, 'UB404', 'there is no exception 999', 'what was not found is not decided');
SELECT throws_ok($$SELECT elecbill.vee_run('HOME', '[2025-01-01,)')$$, 'UB400', 'vee_run() needs days with both ends', 'rules look at days that end');
SELECT throws_ok($$SELECT elecbill.meter_model_limit('-', 'X', 0)$$, 'UB400', 'the power of a meter must be a number of kW above 0 with at most 3 decimals, or NULL', 'no meter measures nothing');
SELECT throws_ok($$SELECT elecbill.meter_model_limit('-', 'Y', 10)$$, 'UB404', 'there is no meter model ''Y'' of ''-''', 'there is no such model');
INSERT INTO elecbill.vee_exception (org_id, rule, rule_version, severity, usage_point_id, during, score, detail)
SELECT u.org_id, 'V07', 1, 'review', u.id, '[2025-01-01 00:00+08,2025-02-01 00:00+08)', 1, '{}' FROM elecbill.usage_point u WHERE u.code = 'R1';
SELECT throws_ok('UPDATE elecbill.vee_exception SET score = 7', 'UB412', 'an exception is decided once, and stays', 'what was found stays');

-- estimates
SELECT throws_ok($$SELECT elecbill.estimate_gap('HOME', 'M1', '[2025-02-01 00:00+08,)')$$, 'UB400', 'a gap has a beginning and an end, and is past', 'a gap has an end');
SELECT throws_ok($$SELECT elecbill.estimate_gap('HOME', 'M1', '[2025-02-01 00:00+08,2025-03-01 00:00+08)', 'dice')$$, 'UB400', 'unknown method ''dice''', 'nobody throws dice');
SELECT throws_ok($$SELECT elecbill.estimate_gap('HOME', 'M9', '[2025-02-01 00:00+08,2025-03-01 00:00+08)')$$, 'UB404', 'there is no register ''1.8.0'' of a meter ''M9''', 'there is no M9');
SELECT throws_ok($$SELECT elecbill.estimate_gap('HOME', 'M1', '[2024-12-01 00:00+08,2025-01-15 00:00+08)')$$, 'UB404', 'meter ''M1'' was not installed all the time', 'nor was M1 there in December');
SELECT throws_ok($$SELECT elecbill.estimate_gap('HOME', 'M1', '[2025-01-01 00:00+08,2025-01-15 00:00+08)', 'mean')$$, 'UB400', 'the energy of the gap is known, it is only spread: linear', 'what is known is not guessed');
SELECT throws_ok($$SELECT elecbill.estimate_gap('HOME', 'M2', '[2025-01-01 00:00+08,2025-02-01 00:00+08)', 'last_year')$$, 'UB404', 'nothing is known for the method ''last_year''', 'last year nobody lived there');
SELECT throws_ok($$SELECT elecbill.estimate_missing('HOME', '2025-04-01')$$, 'UB400', 'values are estimated for the beginning of a day that is past', 'tomorrow is not estimated');

-- changes
SELECT throws_ok($$SELECT elecbill.correct_reading('HOME', 'M9', '1.8.0', '2025-02-01 00:00+08', 1100, 'misread', 'k1')$$, 'UB404', 'there is no register ''1.8.0'' of a meter ''M9''', 'there is no M9 to correct');
SELECT throws_ok($$SELECT elecbill.correct_reading('HOME', 'M1', '1.8.0', '2025-02-01 00:00+08', -1, 'misread', 'k1')$$, 'UB400', 'correction of meter ''M1'' refused: negative value', 'no meter shows less than 0');
SELECT throws_ok($$SELECT elecbill.reading_void('HOME', 'M1', NULL, 'misread', 'k1')$$, 'UB400', 'readings are taken out of a range of time', 'it is said which readings do not count');
SELECT throws_ok($$SELECT elecbill.reading_void('HOME', 'M1', '[2025-01-05 00:00+08,2025-01-06 00:00+08)', 'misread', 'k1')$$, 'UB404', 'meter ''M1'' has no readings there', 'there were none on that day');
SELECT throws_ok($$SELECT elecbill.reading_move('HOME', 'M1', 'M1', '[2025-01-05 00:00+08,2025-01-06 00:00+08)', 'mixed up', 'k1')$$, 'UB400', 'readings of a range of time are moved to another meter', 'a meter is not mixed up with itself');
SELECT throws_ok($$SELECT elecbill.reading_move('HOME', 'M1', 'M2', '[2025-01-05 00:00+08,2025-01-06 00:00+08)', 'mixed up', 'k1')$$, 'UB404', 'meter ''M1'' has no readings there', 'nothing was read on that day that could be mixed up');
SELECT throws_ok($$SELECT elecbill.reading_edit_decide('HOME', 'k1', NULL)$$, 'UB400', 'approve must be true or false', 'who decides says yes or no');
SELECT throws_ok($$SELECT elecbill.reading_edit_decide('HOME', 'k1', true)$$, 'UB404', 'there is no change of readings with key ''k1''', 'nobody asked');
SELECT is(elecbill.correct_reading('HOME', 'M1', '1.8.0', '2025-02-01 00:00+08', 1190, 'misread', 'k1'), 'approved', 'ten kWh are put right at once');
SELECT throws_ok('UPDATE elecbill.reading_edit SET reason = ''better''', 'UB412', 'an edit is decided once, and stays', 'why stays');

-- exchanges
SELECT throws_ok($$SELECT elecbill.exchange_meter('R1', 'M1', '{"1.8.0": 1300}', 'M1', '{"1.8.0": 0}', 1, '2025-03-01 10:00+08')$$, 'UB400', 'a meter is exchanged for another one', 'not for itself');
SELECT throws_ok($$SELECT elecbill.exchange_meter('R1', 'M1', '{"1.8.0": 1300}', 'N 1', '{"1.8.0": 0}', 1, '2025-03-01 10:00+08')$$, 'UB400', 'a meter number has 1 to 64 characters without blanks', 'a number has no blanks');
SELECT throws_ok($$SELECT elecbill.exchange_meter('R1', 'M1', '{"1.8.0": 1300, "2.8.0": 1}', 'N1', '{"1.8.0": 0}', 1, '2025-03-01 10:00+08')$$, 'UB404', 'meter M1 has no register 2.8.0 that shows 1.000 kWh', 'M1 has no such register');
SELECT throws_ok($$SELECT elecbill.exchange_meter('R1', 'M1', '{"1.8.0": 1000}', 'N1', '{"1.8.0": 0}', 1, '2025-01-01 00:00+08')$$, 'UB409', 'meter ''M1'' was installed at this instant or later', 'not at the instant it came');

-- readings that do not fit
INSERT INTO elecbill.reading (register_id, read_at, register_wh, org_id, source)
SELECT g.id, '2025-03-05 00:00+08', 1100000, g.org_id, 0 FROM elecbill.meter_register g JOIN elecbill.meter m ON m.id = g.meter_id WHERE m.serial = 'M1';
SELECT throws_ok($$SELECT elecbill.estimate_gap('HOME', 'M1', '[2025-02-01 00:00+08,2025-03-01 00:00+08)')$$, 'UB422', 'the register ran backwards over the gap', 'nothing is spread where the meter ran backwards');
INSERT INTO elecbill.meter_register (org_id, meter_id, code, wrap_wh) SELECT m.org_id, m.id, '1.8.1', 1000000000 FROM elecbill.meter m WHERE m.serial = 'M2';
SELECT throws_ok($$SELECT elecbill.estimate_gap('HOME', 'M2', '[2025-01-01 00:00+08,2025-02-01 00:00+08)', register => '1.8.1')$$, 'UB404', 'the meter has no value before the gap', 'a register that was never read has no beginning');
INSERT INTO elecbill.meter (org_id, serial, model_id, kind) SELECT m.org_id, 'M3', m.model_id, m.kind FROM elecbill.meter m WHERE m.serial = 'M2';
SELECT throws_ok($$SELECT elecbill.reading_move('HOME', 'M1', 'M3', '[2025-03-01 00:00+08,2025-03-06 00:00+08)', 'mixed up', 'k2')$$, 'UB422', 'meter ''M3'' cannot have had these readings', 'M3 lies on a shelf');

-- what never changes
SELECT throws_ok($$UPDATE elecbill.org SET state = 'live', live_at = elecbill.now(); UPDATE elecbill.org SET state = 'sandbox', live_at = NULL$$, 'UB412', 'org ''HOME'' is live and stays so', 'who is live stays so');
SELECT throws_ok($$SELECT elecbill._play('2025-01-01', 'x')$$, 'UB412', 'this database has an org beside the demonstration', 'no demonstration is played where people live');
SELECT * FROM finish();
ROLLBACK;
