-- money.sql: hundreds of calls in random order leave the books in order
-- Each call may be refused with a state of its own, UB4xx; anything else is a fault. What must be in the
-- end is worked out from the answers of the calls alone. The seed is printed; SEED repeats a run, CALLS makes it longer.
\set ON_ERROR_STOP 1
SET client_min_messages = warning;
\set homes 8
\set calls `echo "${CALLS:-400}"`
\set seed `echo "${SEED:-$(date +%N)}"`
\ir login/work_for.sql
\o /dev/null
\ir payment/estate.sql
SELECT elecbill.payment_policy_set('PAY', 'over');
SELECT elecbill.duty_grant('PAY', x.login, d.duty)
FROM (VALUES ('mei'), ('lin')) AS x(login), (VALUES ('property'), ('billing'), ('finance')) AS d(duty);
SELECT public.work_for('mei'), elecbill.cashier_shift_open('PAY');
SELECT public.work_for('lin'), elecbill.cashier_shift_open('PAY');
\o
SELECT plan(6);
\echo # SEED=:seed

CREATE TEMP TABLE said (n integer, call text, outcome text, amount numeric, answer text);
CREATE FUNCTION pg_temp.one(n integer) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	account text := 'A' || 1 + floor(random() * 8);
	a bigint := (SELECT x.id FROM elecbill.customer_account x WHERE x.account_no = account);
	bill text := (SELECT b.number FROM elecbill.bill b WHERE b.account_id = a AND b.number IS NOT NULL ORDER BY random() LIMIT 1);
	payment text := (SELECT coalesce(p.receipt_no, p.channel || ':' || p.channel_txn) FROM elecbill.payment p ORDER BY random() LIMIT 1);
	refund text := (SELECT r.number FROM elecbill.refund r WHERE r.state <> 'done' ORDER BY random() LIMIT 1);
	orders text := (SELECT o.number FROM elecbill.payment_order o ORDER BY random() LIMIT 1);
	money numeric := round((random() * 120)::numeric, 2);
	key text := 'k' || floor(random() * n);	/* now and then one that was used */
	call text := (ARRAY['pay', 'cash', 'order', 'confirm', 'confirm', 'reverse', 'refund', 'refund', 'approve', 'approve', 'payout',
		'reject', 'write_off', 'write_off_approve', 'write_off_approve', 'write_off_reverse', 'apply', 'fee', 'cancel', 'match', 'expire'])[1 + floor(random() * 21)];
	answer text;
BEGIN
	PERFORM public.work_for((ARRAY['mei', 'lin'])[1 + floor(random() * 2)]);
	BEGIN
		IF random() < 0.7 THEN
			key := 'n' || n;
		END IF;
		CASE call
		WHEN 'pay' THEN answer := (elecbill.pay_bill(bill, money, key, (ARRAY['cash', 'pos', 'bank'])[1 + floor(random() * 3)])).receipt_no;
		WHEN 'cash' THEN answer := elecbill.payment_record_cash(account, money, NULL, key, (ARRAY[NULL, '{}'])[1 + floor(random() * 2)]::text[]);
		WHEN 'order' THEN answer := (elecbill.payment_order_create(account, NULL, money, 'alipay', key)).number;
		WHEN 'confirm' THEN
			money := coalesce((SELECT o.amount FROM elecbill.payment_order o WHERE o.number = orders AND random() < 0.8), money);
			answer := elecbill.payment_order_confirm('PAY', 'alipay', key, coalesce(orders, 'O'), money, elecbill.now());
		WHEN 'reverse' THEN PERFORM elecbill.payment_reverse(payment, 'why', key);
		WHEN 'refund' THEN answer := elecbill.refund_request(payment, money, (ARRAY['credit', 'channel'])[1 + floor(random() * 2)], key);
		WHEN 'approve' THEN PERFORM elecbill.refund_approve(refund);
		WHEN 'payout' THEN PERFORM elecbill.refund_pay(refund);
		WHEN 'reject' THEN PERFORM elecbill.refund_reject(refund);
		WHEN 'write_off' THEN PERFORM elecbill.write_off(bill, 'why', key);
		WHEN 'write_off_approve' THEN PERFORM elecbill.write_off_approve(bill);
		WHEN 'write_off_reverse' THEN PERFORM elecbill.write_off_reverse(bill, 'why', key);
		WHEN 'apply' THEN answer := elecbill.advance_apply(account, key);
		WHEN 'fee' THEN
			PERFORM FROM elecbill.customer_account x WHERE x.id = a FOR NO KEY UPDATE;
			money := greatest(round(money / 20, 2), 0.01);
			PERFORM elecbill._late_fee_post(b.id, money, 'fee:' || n, elecbill._today(b.org_id)) FROM elecbill.bill b
			WHERE b.number = bill AND b.status IN ('issued', 'partly_paid', 'overdue');
			IF NOT FOUND THEN
				money := 0;
			END IF;
		WHEN 'cancel' THEN
			IF random() < 0.3 THEN	/* else there are soon no bills left */
				PERFORM elecbill.cancel_bill(bill, 'why');
			END IF;
		WHEN 'match' THEN PERFORM elecbill.payment_match(payment, account);
		WHEN 'expire' THEN
			UPDATE elecbill.payment_order SET expires_at = elecbill.now() WHERE number = orders AND random() < 0.3;
			answer := elecbill._payment_order_expire((SELECT o.id FROM elecbill.org o));
		END CASE;
		INSERT INTO said VALUES (n, call, 'done', money, answer);
	EXCEPTION WHEN OTHERS THEN
		INSERT INTO said VALUES (n, call, SQLSTATE, money, SQLERRM);
	END;
END $$;
SELECT setseed((:'seed'::numeric % 100000 / 100000)::float8) \g /dev/null
SELECT count(pg_temp.one(n)) FROM generate_series(1, :calls) AS n \g /dev/null

SELECT is_empty($$ SELECT n, call, outcome, answer FROM said WHERE outcome <> 'done' AND outcome !~ '^UB4(0[0349]|12|22)$' $$,
	'a call does its work or is refused by name');
SELECT is_empty('SELECT * FROM elecbill.fsck()', 'fsck() finds nothing');
SELECT ok((SELECT count(DISTINCT call) FROM said WHERE outcome = 'done') >= 12, 'calls of most kinds were accepted');
-- receipts and confirmations as they were answered, each once
SELECT is((SELECT sum(p.amount) FROM elecbill.payment p),
	(SELECT coalesce(sum(x.amount), 0) FROM (SELECT DISTINCT ON (coalesce(s.answer, '')) s.amount FROM said s
		WHERE s.outcome = 'done' AND s.call IN ('pay', 'cash')) AS x)
	+ (SELECT coalesce(sum(s.amount), 0) FROM said s WHERE s.outcome = 'done' AND s.call = 'confirm' AND s.answer <> 'exists'),
	'what came in is what the calls took');
SELECT is((SELECT coalesce(sum(t.amount), 0) FROM elecbill.ledger_transfer t WHERE t.kind = 'late_fee'),
	(SELECT coalesce(sum(s.amount), 0) FROM said s WHERE s.outcome = 'done' AND s.call = 'fee'), 'late fees, too');
SELECT is((SELECT count(*) FROM elecbill.audit_log WHERE outcome = 'refused'),
	(SELECT count(*) FROM said WHERE outcome <> 'done' AND call NOT IN ('fee', 'expire')), 'each refusal left one row');
SELECT * FROM finish();
