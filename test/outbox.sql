-- outbox.sql: what people are told, what raises an alarm, and whether all is well
\set ON_ERROR_STOP 1
\ir login/work_for.sql
\c - :super
-- what nobody can do who is not the administrator of the server
CREATE FUNCTION public.spoil(money numeric) RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
	UPDATE elecbill.account_balance SET credit = credit + money WHERE ledger_account_id = (SELECT b.ledger_account_id
		FROM elecbill.account_balance b JOIN elecbill.ledger_transfer t ON t.credit_id = b.ledger_account_id ORDER BY t.id DESC LIMIT 1) $$;
\c - :owner
SET client_min_messages = warning;
SET elecbill.clock_override = '2025-02-05 12:00+08';
\set homes 3
\o /dev/null
\ir payment/estate.sql
SELECT elecbill.org_create('OTHER', 'Other');
SELECT elecbill.cashier_shift_open('PAY');
SELECT elecbill.payment_policy_set('PAY', 'over');
\o
SELECT plan(103);

-- ---------------------------------------------------------------- bills

SELECT throws_ok($$SELECT * FROM elecbill.outbox_take('PAY')$$, 'UB412', 'org ''PAY'' is a sandbox: nobody is told', 'while all is a trial nobody is told');
SELECT is((SELECT count(*)::int FROM elecbill.outbox_take('PAY', 100, '1 second', true)), 3, 'but the makers of the program');
SET elecbill.clock_override = '2025-02-05 12:00:02+08';
SELECT elecbill.go_live('PAY'), elecbill.go_live('OTHER') \g /dev/null
SELECT is_empty($$SELECT * FROM elecbill.outbox_take('PAY')$$, 'what was a trial is not told afterwards');
SELECT is(elecbill.outbox_again('PAY'), 0, 'nor again');
UPDATE elecbill.outbox SET state = 'pending', attempts = 0, ended_at = NULL, error = NULL, created_at = elecbill.now(), next_at = elecbill.now();
SET elecbill.clock_override = '2025-02-05 12:00:03+08';

CREATE TEMP TABLE got AS SELECT * FROM elecbill.outbox_take('PAY', 2);
SELECT is((SELECT text_zh FROM got WHERE payload ->> 'account' = 'A1'),
	'【Paying Court】户号A1:2025-01-01至2025-01-31的电费账单已出账,金额100.00元,账单号2025-000001,待缴100.00元,请于2025-02-25前缴费。',
	'the first family is told of its bill');
SELECT is((SELECT text_en FROM got WHERE payload ->> 'account' = 'A2'),
	'Paying Court: account A2, electricity bill for 2025-01-01 to 2025-01-31: 200.00 CNY, bill 2025-000002, to be paid: 200.00 CNY by 2025-02-25.',
	'the second, too, in English if it likes');
SELECT is((SELECT count(*)::int FROM got), 2, 'two were asked for');
SELECT results_eq($$SELECT payload ->> 'account', attempts FROM elecbill.outbox_take('PAY')$$, $$VALUES ('A3', 1)$$, 'who asks next gets what is left');
SELECT is_empty($$SELECT * FROM elecbill.outbox_take('PAY')$$, 'then there is nothing');
SELECT is_empty($$SELECT * FROM elecbill.outbox_take('OTHER')$$, 'nor is there for another org');
SELECT is(elecbill.outbox_done('PAY', ARRAY(SELECT id FROM got WHERE payload ->> 'account' = 'A1')), 1, 'the first message is sent');
SELECT is(elecbill.outbox_done('PAY', ARRAY(SELECT id FROM got WHERE payload ->> 'account' = 'A1')), 0, 'which is said twice, and counts once');
SELECT is(elecbill.outbox_done('OTHER', ARRAY(SELECT id FROM elecbill.outbox)), 0, 'nobody speaks for another org');
SELECT is(elecbill.outbox_failed('PAY', ARRAY(SELECT id FROM got WHERE payload ->> 'account' = 'A2'), 'no network'), 1, 'the second is not');
SELECT results_eq($$SELECT state, next_at, error FROM elecbill.outbox WHERE payload ->> 'account' = 'A2'$$,
	$$VALUES ('pending'::text, timestamptz '2025-02-05 12:01:03+08', 'no network'::text)$$, 'it is tried again in a minute');
SET elecbill.clock_override = '2025-02-05 12:01:03+08';
SELECT results_eq($$SELECT payload ->> 'account', attempts FROM elecbill.outbox_take('PAY')$$, $$VALUES ('A2', 2)$$, 'as it is');
SET elecbill.clock_override = '2025-02-05 12:05:03+08';
SELECT results_eq($$SELECT payload ->> 'account', attempts FROM elecbill.outbox_take('PAY', 10, '1 hour')$$, $$VALUES ('A3', 2)$$,
	'who took the third has said nothing for five minutes: it is handed out again');
SELECT is((SELECT elecbill.outbox_done('PAY', ARRAY[id]) FROM elecbill.outbox WHERE payload ->> 'account' = 'A3'), 1, 'and sent');
UPDATE elecbill.outbox SET attempts = 20 WHERE payload ->> 'account' = 'A2';
SET elecbill.clock_override = '2025-02-05 12:10+08';
SELECT is_empty($$SELECT * FROM elecbill.outbox_take('PAY')$$, 'after twenty times without an answer it is not handed out any more');
SELECT results_eq($$SELECT state, error FROM elecbill.outbox WHERE payload ->> 'account' = 'A2'$$, $$VALUES ('failed'::text, 'no network'::text)$$, 'it is given up');
SELECT is((SELECT state FROM elecbill.health WHERE org = 'PAY' AND subject = 'outbox'), 'yellow', 'which somebody should look at');
SELECT is(elecbill.outbox_again('PAY'), 1, 'he does');
SELECT results_eq($$SELECT payload ->> 'account', attempts FROM elecbill.outbox_take('PAY')$$, $$VALUES ('A2', 1)$$, 'and it goes out');
SELECT throws_ok($$SELECT elecbill.outbox_take('PAY', 0)$$, 'UB400', 'notices are taken 1 to 10000 at a time, for 1 second to 1 day', 'no notices');
SELECT throws_ok($$SELECT elecbill.outbox_take('PAY', 1, '0')$$, 'UB400', 'notices are taken 1 to 10000 at a time, for 1 second to 1 day', 'for no time');
SELECT throws_ok($$SELECT elecbill.outbox_take('NOWHERE')$$, 'UB404', NULL, 'of nobody');

-- ---------------------------------------------------------------- payments

SELECT isnt(elecbill.payment_record_cash('A1', 130, NULL, 'k1'), NULL, 'the first family pays 130.00');
SELECT results_eq($$SELECT text_zh, text_en FROM elecbill.outbox_take('PAY') WHERE topic = 'payment'$$,
	$$VALUES ('【Paying Court】户号A1:收到现金 130.00元,待缴0.00元,预存余额30.00元。',
		'Paying Court: account A1, received 130.00 CNY by cash; to be paid: 0.00 CNY, credit: 30.00 CNY.')$$, 'and reads what became of it');
SELECT isnt(elecbill.payment_record_cash('A1', 130, NULL, 'k1'), NULL, 'the cashier sends it twice');
SELECT is((SELECT count(*)::int FROM elecbill.outbox WHERE topic = 'payment'), 1, 'it is told once');
SELECT throws_ok($$SELECT elecbill.payment_record_cash('A1', -5, NULL, 'k2')$$, 'UB422', NULL, 'a payment that is refused');
SELECT is((SELECT count(*)::int FROM elecbill.outbox WHERE topic = 'payment'), 1, 'is not told');
SELECT elecbill.outbox_set('PAY', 'payment', false);
SELECT isnt(elecbill.payment_record_cash('A2', 50, NULL, 'k3'), NULL, 'who does not want to send receipts');
SELECT is((SELECT count(*)::int FROM elecbill.outbox WHERE topic = 'payment'), 1, 'sends none');
SELECT throws_ok($$SELECT elecbill.outbox_set('PAY', 'Bad Topic', false)$$, 'UB400', 'a topic is a word such as bill_issued, or *, and told or not', 'a topic is a word');

-- ---------------------------------------------------------------- reminders

SELECT elecbill.job_enable(org, job, false) FROM elecbill.job_status WHERE kind <> 'reminder' OR org <> 'PAY' \g /dev/null
SELECT elecbill.outbox_done('PAY', ARRAY(SELECT id FROM elecbill.outbox)) \g /dev/null
SET elecbill.clock_override = '2025-02-21 09:00+08';
CALL elecbill.run_due();
SELECT is_empty($$SELECT * FROM elecbill.outbox_take('PAY')$$, 'four days before the due date nobody is reminded');
SET elecbill.clock_override = '2025-02-22 09:00+08';
CALL elecbill.run_due();
SELECT results_eq($$SELECT text_en FROM elecbill.outbox_take('PAY')$$, $$VALUES
	('Paying Court: account A2, bill 2025-000002: 150.00 CNY to be paid by 2025-02-25, in 3 days.'),
	('Paying Court: account A3, bill 2025-000003: 300.00 CNY to be paid by 2025-02-25, in 3 days.')$$,
	'three days before it those are who have not paid, of what is open');
SELECT elecbill.outbox_done('PAY', ARRAY(SELECT id FROM elecbill.outbox)) \g /dev/null
SELECT elecbill.job_now('PAY', 'reminder');
CALL elecbill.run_due();
SELECT is_empty($$SELECT * FROM elecbill.outbox_take('PAY')$$, 'once more on that day is not once more');
SET elecbill.clock_override = '2025-02-25 09:00+08';
CALL elecbill.run_due();
SELECT results_eq($$SELECT text_zh FROM elecbill.outbox_take('PAY') LIMIT 1$$, $$VALUES ('【Paying Court】户号A2:账单2025-000002待缴150.00元,缴费期限2025-02-25,今天到期。')$$,
	'then on the day');
SELECT elecbill.outbox_done('PAY', ARRAY(SELECT id FROM elecbill.outbox)) \g /dev/null
UPDATE elecbill.customer SET tags = '{no_dun}' WHERE code = 'A3';
SET elecbill.clock_override = '2025-03-04 09:00+08';
CALL elecbill.run_due();
SELECT results_eq($$SELECT text_en FROM elecbill.outbox_take('PAY')$$,
	$$VALUES ('Paying Court: account A2, bill 2025-000002: 150.00 CNY to be paid by 2025-02-25, 7 days ago.')$$,
	'the server was away on the third day after it: it says so when it is back, and how many days it is');
SELECT elecbill.payment_plan_add('PAY/A2', '{2025-03-20,2025-04-20}', '{75,75}') \g /dev/null
SELECT is(elecbill._remind(id, '{"days": [7]}', '[2025-03-04,2025-03-05)'), 0::bigint, 'who pays by instalments is left alone, and who is not dunned') FROM elecbill.org WHERE code = 'PAY';
UPDATE elecbill.customer SET tags = '{}';
SELECT is(elecbill._remind(id, '{"days": [7]}', '[2025-03-04,2025-03-05)'), 1::bigint, 'anybody else is not') FROM elecbill.org WHERE code = 'PAY';
SELECT throws_ok($$SELECT elecbill.job_set('PAY', 'reminder', params => '{"days": ["soon"]}')$$, 'UB400', 'a job is not set so', 'soon is no number of days');
SELECT is(elecbill._notice_text('dunning_notice', '{"org": "Paying Court", "account": "A2", "currency": "CNY", "amount": 150.00, "days": 7,
	"cut_off_at": "2025-03-11 09:00"}', lang), what, 'who is told that the power will be cut off is told when')
FROM (VALUES ('zh', '【Paying Court】户号A2:停电通知,欠费150.00元,停电不早于2025-03-11 09:00。'),
	('en', 'Paying Court: account A2, notice of disconnection, overdue: 150.00 CNY, not cut off before 2025-03-11 09:00.')) AS t(lang, what);
SELECT is(elecbill._notice_text('low_balance', '{"org": "Paying Court", "account": "A2", "currency": "CNY", "available": 12.30}', 'zh'),
	'【Paying Court】户号A2:可用余额12.30元,请及时充值。', 'and who has little left');

-- ---------------------------------------------------------------- alarms

SELECT count(*) FROM elecbill.outbox_take('PAY') \g /dev/null
SELECT elecbill.outbox_done('PAY', ARRAY(SELECT id FROM elecbill.outbox)) \g /dev/null
SELECT elecbill.job_enable('PAY', 'alarm_check'), elecbill.job_enable(NULL, 'alarm_watch') \g /dev/null
CREATE TEMP VIEW alarms AS SELECT code, object, severity FROM elecbill.alarm_open WHERE org = 'PAY' ORDER BY code, object;
-- the clock moves by a quarter of an hour, and all rules look
CREATE PROCEDURE pg_temp.look() LANGUAGE plpgsql AS $$
BEGIN
	PERFORM set_config('elecbill.clock_override', (elecbill.now() + interval '15 min')::text, false);
	COMMIT;
	CALL elecbill.run_due();
	CALL elecbill.run_due();
END $$;
CALL pg_temp.look();
SELECT is_empty('SELECT * FROM alarms', '450.00 overdue is less than the 1000.00 that are worth an alarm');
SELECT elecbill.alarm_rule_set('PAY', 'overdue_jump', '{"amount": 400}', span => '14 days');
CALL pg_temp.look();
SELECT results_eq('SELECT * FROM alarms', $$VALUES ('overdue_jump'::text, 'overdue'::text, 'warn'::text)$$, 'more than 400.00 within two weeks are');
SELECT is((SELECT details FROM elecbill.alarm_open WHERE org = 'PAY'), '{"before": 0.00, "overdue": 450.00}', 'with the numbers');
CALL pg_temp.look();
SELECT is((SELECT text_zh FROM elecbill.outbox_take('PAY')), '【Paying Court】欠费激增:overdue(提示)', 'somebody is told');
SELECT elecbill.outbox_done('PAY', ARRAY(SELECT id FROM elecbill.outbox)) \g /dev/null
CALL pg_temp.look();
SELECT is_empty($$SELECT * FROM elecbill.outbox_take('PAY')$$, 'once');
SELECT throws_ok(format('SELECT elecbill.alarm_acknowledge(%s, %L)', alarm, ' '), 'UB400', 'say with it what is being done', 'who takes it on says what he does') FROM elecbill.alarm_open WHERE org = 'PAY';
SELECT elecbill.alarm_acknowledge(alarm, 'called them') FROM elecbill.alarm_open WHERE org = 'PAY';
SELECT is((SELECT acked_by || ': ' || note FROM elecbill.alarm_open), current_user || ': called them', 'which is seen');
SELECT isnt(elecbill.payment_record_cash('A3', 300, NULL, 'k4'), NULL, 'one of them pays');
CALL pg_temp.look();
SELECT is_empty('SELECT * FROM alarms', 'and the alarm is over');
SELECT throws_ok('SELECT elecbill.alarm_acknowledge(-1, ''x'')', 'UB404', 'there is no alarm -1', 'an alarm that is not there');
SELECT throws_ok($$SELECT elecbill.alarm_rule_set('PAY', 'nothing', '{}')$$, 'UB404', 'there is no rule for alarms ''nothing''', 'a rule that is not there');
SELECT throws_ok($$SELECT elecbill.alarm_rule_set('PAY', 'overdue_jump', '{"amount": "much"}')$$, 'UB400', 'a rule for alarms is not set so', 'much is no amount');
SELECT throws_ok($$SELECT elecbill.alarm_rule_set('PAY', 'overdue_jump', action => 'shout')$$, 'UB400', 'a rule for alarms is not set so', 'alarms are recorded or told');
SELECT throws_ok($$SELECT elecbill.alarm_rule_set('PAY', 'overdue_jump', '{"colour": "red"}')$$, 'UB400', 'a rule for alarms is not set so', 'a word the rule does not know');
SELECT is((SELECT count(*)::int FROM elecbill.alarm_rule r JOIN elecbill.org o ON o.id = r.org_id WHERE o.code = 'PAY' AND r.code = 'overdue_jump'), 2,
	'the rule as it was stays for the days before');

-- a till that is 1.00 short
SELECT elecbill.cashier_shift_close('PAY', (SELECT cash - 1 FROM (SELECT sum(amount) AS cash FROM elecbill.payment WHERE channel = 'cash') AS c)) \g /dev/null
CALL pg_temp.look();
SELECT results_eq('SELECT code, severity FROM alarms', $$VALUES ('shift_difference'::text, 'warn'::text)$$, 'a till that is short is an alarm');
SELECT is((SELECT details ->> 'difference' FROM elecbill.alarm_open WHERE org = 'PAY'), '-1.00', 'of so much');
CALL pg_temp.look();
SELECT is((SELECT count(*)::int FROM alarms), 1, 'it stays until somebody has cleared it up');
SELECT elecbill.alarm_close(alarm, 'found under the desk') FROM elecbill.alarm_open WHERE org = 'PAY';
CALL pg_temp.look();
SELECT is_empty('SELECT * FROM alarms', 'then it is over for good');

-- a channel that says another amount, and one that does not know a payment
SELECT elecbill.payment_order_create('A2', NULL, 100, 'alipay', 'o1') \g /dev/null
SELECT elecbill.payment_order_confirm('PAY', 'alipay', 't1', number, 100, elecbill.now()) FROM elecbill.payment_order \g /dev/null
SELECT elecbill.channel_statement_import('PAY', 'alipay', format(E'txn,order,amount,paid_at\nt1,%s,90.00,%s\n', number,
	to_char(elecbill.now() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'))) FROM elecbill.payment_order \g /dev/null
CALL pg_temp.look();
SELECT results_eq('SELECT * FROM alarms', $$VALUES ('channel_difference'::text, 'alipay t1'::text, 'error'::text)$$, 'the channel says 90.00, the books 100.00');
SELECT is((SELECT state || ' ' || value FROM elecbill.health WHERE org = 'PAY' AND subject = 'suspense'), 'red 1', 'the light is red');
SELECT elecbill.alarm_close(alarm, 'they were wrong') FROM elecbill.alarm_open WHERE org = 'PAY';
SELECT is((SELECT state FROM elecbill.health WHERE org = 'PAY' AND subject = 'suspense'), 'green', 'until it is cleared up');
SELECT is(elecbill.payment_order_confirm('PAY', 'alipay', 't9', 'O9', 7, elecbill.now()), 'unmatched', 'money without an order');
SELECT is((SELECT state FROM elecbill.health WHERE org = 'PAY' AND subject = 'suspense'), 'red', 'is red');
SELECT elecbill.outbox_set('PAY', 'payment', true);
SELECT elecbill.payment_match('PAY/alipay:t9', 'A3');
SELECT is((SELECT state FROM elecbill.health WHERE org = 'PAY' AND subject = 'suspense'), 'green', 'until it has an owner');
SELECT is((SELECT payload ->> 'account' FROM elecbill.outbox WHERE topic = 'payment' AND payload ->> 'channel' = 'alipay'), 'A3', 'who is told then');

-- readings: a default partition that is not empty, a rule that found something, a reading that is not decided
INSERT INTO elecbill.reading (register_id, read_at, slot_at, register_wh, org_id, source)
SELECT g.id, '2031-01-01 00:00Z', '2031-01-01 00:00Z', 900000000, g.org_id, 1 FROM elecbill.meter_register g JOIN elecbill.meter m ON m.id = g.meter_id
WHERE m.serial = 'M1' AND g.code = '1.8.0';
CALL pg_temp.look();
SELECT ok((SELECT bool_or(code = 'default_partition') FROM alarms), 'a reading of a month without a partition is an alarm');
SELECT is((SELECT state FROM elecbill.health WHERE org = 'PAY' AND subject = 'default_partition'), 'red', 'and red');
SELECT cmp_ok(elecbill.partition_maintain(), '>', 0, 'until there is one');
CALL pg_temp.look();
SELECT is((SELECT state FROM elecbill.health WHERE org = 'PAY' AND subject = 'default_partition'), 'green', 'which makes it green');
SELECT elecbill._vee_raise(u.org_id, 'V08', u.id, NULL, '[2025-03-01 00:00Z,2025-03-01 01:00Z]', 3, '{"kwh": 9}'),
	elecbill._vee_raise(u.org_id, 'V09', u.id, NULL, '[2025-03-02 00:00Z,2025-03-02 09:00Z]', 8, '{"missing": 8}')
FROM elecbill.usage_point u WHERE u.code = 'R1' \g /dev/null
CALL pg_temp.look();
SELECT results_eq($$SELECT code, object FROM alarms WHERE object LIKE 'R1%'$$, $$VALUES ('reading_gap'::text, 'R1'::text), ('vee_open', 'R1 V08')$$,
	'a spike and eight missing hours are one alarm each');
SELECT is((SELECT state FROM elecbill.health WHERE org = 'PAY' AND subject = 'gap'), 'yellow', 'a gap is yellow');
SELECT elecbill.vee_decide(id, 'accepted', 'a party') FROM elecbill.vee_open WHERE usage_point = 'R1' \g /dev/null
CALL pg_temp.look();
SELECT is_empty($$SELECT * FROM alarms WHERE object LIKE 'R1%'$$, 'decided, they are over');
SELECT is((SELECT state FROM elecbill.health WHERE org = 'PAY' AND subject = 'gap'), 'green', 'and green');

-- nobody called run_due() for two days
SELECT elecbill._alarm_during(id, NULL, 'spool_full', 'error', 'C1', tstzrange(elecbill.now() - interval '50 hours', NULL), '{}') FROM elecbill.org WHERE code = 'PAY' \g /dev/null
UPDATE elecbill.alarm SET raised_at = elecbill.now() - interval '50 hours' WHERE code = 'spool_full';
SELECT elecbill._alarm_tell() \g /dev/null
SELECT is((SELECT count(*)::int FROM elecbill.outbox WHERE topic = 'alarm' AND payload ->> 'code' = 'spool_full'), 1, 'an alarm that was raised meanwhile is told all the same');
SELECT elecbill.alarm_close(alarm, 'emptied') FROM elecbill.alarm_open WHERE code = 'spool_full';

-- ---------------------------------------------------------------- is all well?

SELECT elecbill.job_enable('PAY', 'fsck') \g /dev/null
SELECT is((SELECT state FROM elecbill.health WHERE org = 'PAY' AND subject = 'fsck'), 'yellow', 'nobody has looked at the books yet');
SELECT elecbill.job_now('PAY', 'fsck');
CALL elecbill.run_due();
SELECT is((SELECT state FROM elecbill.health WHERE org = 'PAY' AND subject = 'fsck'), 'green', 'looked, and all is well');
SELECT public.spoil(1);
SELECT elecbill.job_now('PAY', 'fsck');
CALL elecbill.run_due();
SELECT is((SELECT state FROM elecbill.health WHERE org = 'PAY' AND subject = 'fsck'), 'red', 'a balance that is 1.00 off is red');
SELECT ok((SELECT details -> 'first' ->> 0 LIKE 'I02%' FROM elecbill.alarm_open WHERE org = 'PAY' AND code = 'fsck_found'), 'and is named');
SELECT public.spoil(-1);
SELECT elecbill.job_now('PAY', 'fsck');
CALL elecbill.run_due();
SELECT is((SELECT state FROM elecbill.health WHERE org = 'PAY' AND subject = 'fsck'), 'green', 'put right, it is green');
SELECT is((SELECT string_agg(DISTINCT subject, ' ' ORDER BY subject) FROM elecbill.health),
	'alarm audit bill_run collector default_partition fsck gap job meter order outbox partition payment_order suspense version', 'these are the lights');
SET elecbill.lang = 'zh';
SELECT is_empty('SELECT * FROM elecbill.health WHERE state_text !~ ''^[红黄绿]$'' OR subject_text LIKE ''health%''', 'each has a name in Chinese');
SELECT is((SELECT value FROM elecbill.metrics() WHERE name = 'elecbill_health' AND labels = '{"org": "PAY", "subject": "fsck"}'), 0::numeric, 'the monitor reads green as 0');
SELECT is((SELECT count(*)::int FROM elecbill.metrics() WHERE value NOT BETWEEN 0 AND 2 AND name = 'elecbill_health'), 0, 'red as 2 at most');
SELECT is_empty($$SELECT code FROM elecbill.alarm_rule WHERE elecbill.label(code, 'zh') = code$$, 'every alarm has a name in Chinese');

-- ---------------------------------------------------------------- who sees what

SELECT lower(regexp_replace(current_database(), '\W', '_', 'g')) || '_' AS p \gset
SET client_min_messages = error;
CALL elecbill.create_roles(:'p');
CALL elecbill.grant_roles(:'p');
SET client_min_messages = warning;
SELECT :'p' || 'property' AS property, :'p' || 'resident' AS resident \gset
GRANT :"property", :"resident" TO :"owner";
SELECT elecbill.duty_grant('OTHER', 'mei', 'property'), public.work_for('mei') \g /dev/null
SET ROLE :"property";
SELECT set_eq('SELECT DISTINCT org FROM elecbill.health', '{NULL,OTHER}'::text[], 'mei works for the other org: she sees its lights, and those of the machine');
SELECT is_empty($$SELECT * FROM elecbill.job_status WHERE org <> 'OTHER'$$, 'its jobs');
SELECT isnt_empty($$SELECT * FROM elecbill.job_status WHERE org = 'OTHER'$$, 'all of them');
SELECT is_empty('SELECT * FROM elecbill.outbox', 'no notice of another');
SELECT throws_ok($$SELECT elecbill.outbox_take('PAY')$$, 'UB404', NULL, 'nor does she take any');
SELECT is_empty($$SELECT * FROM elecbill.outbox_take('OTHER')$$, 'but those of her own');
SELECT throws_ok($$SELECT elecbill.alarm_close(1, 'x')$$, 'UB404', NULL, 'she closes no alarm of another');
SELECT is_empty($$SELECT * FROM elecbill.metrics() WHERE labels ->> 'org' <> 'OTHER'$$, 'and measures no other');
SELECT throws_ok($$SELECT elecbill.job_now('OTHER', 'fsck')$$, '42501', NULL, 'jobs are not hers');
SELECT throws_ok($$CALL elecbill.run_due()$$, '42501', NULL, 'nor is the whole night''s work');
SET ROLE :"resident";
SELECT throws_ok('SELECT * FROM elecbill.health', '42501', NULL, 'a resident sees no lights');
SELECT throws_ok('SELECT * FROM elecbill.outbox', '42501', NULL, 'nor what others are told');
RESET ROLE;
SELECT public.work_for('') \g /dev/null
SELECT * FROM finish();
