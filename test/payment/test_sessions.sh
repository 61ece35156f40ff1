#!/bin/bash
# test_sessions.sh -- many sessions take money at once: no deadlock, nothing lost, nothing twice
# Run it under test/with-pg. SESSIONS sessions make PAYMENTS payments in all, over few accounts, so
# that they meet: bills at the counter, cash of accounts, orders over a channel and their callbacks,
# each callback twice, and refusals. In the end the books must agree with what was handed in.
set -u
. test/tally.sh
: "${WITH_PG_DIR:?run it as: test/with-pg test/payment/test_sessions.sh}"
sessions=${SESSIONS:-8}
payments=${PAYMENTS:-1000}
homes=${HOMES:-40}
seed=${SEED:-$RANDOM}
echo "seed $seed"
export PGOPTIONS='-c client_min_messages=warning'

sql() {
	psql -XAtq -v ON_ERROR_STOP=1 -d payments -c "$1"
}

createdb payments
psql -Xq -c 'CREATE EXTENSION elecbill' -c 'CALL elecbill.create_schema()' payments
psql -Xq -v homes="$homes" -f test/payment/estate.sql payments > /dev/null
sql "SELECT elecbill.payment_policy_set('PAY', 'over')" > /dev/null
sql "SELECT elecbill.cashier_shift_open('PAY', 100)" > /dev/null
deadlocks=$(sql "SELECT deadlocks FROM pg_stat_database WHERE datname = 'payments'")

# A payment of 1.00 each; each session takes its share, in an order of its own.
part() { # SESSION
	psql -XAtq -d payments <<- SQL
		SELECT setseed((($seed + $1) % 1000) / 1000.0) \g /dev/null
		DO \$\$
		DECLARE
			account text;
			made text;
			what integer;
		BEGIN
			FOR i IN 1 .. $((payments / sessions)) LOOP
				account := 'A' || 1 + floor(random() * $homes);
				what := floor(random() * 4);
				IF what = 0 THEN
					PERFORM elecbill.payment_record_cash(account, 1, NULL, format('cash-%s-%s', $1, i));
				ELSIF what = 1 THEN
					BEGIN
						PERFORM elecbill.pay_bill((SELECT b.number FROM elecbill.bill b JOIN elecbill.customer_account a
							ON a.id = b.account_id WHERE a.account_no = account), 1, format('bill-%s-%s', $1, i), 'pos');
					EXCEPTION WHEN SQLSTATE 'UB412' THEN	/* paid meanwhile */
						PERFORM elecbill.payment_record_cash(account, 1, NULL, format('cash-%s-%s', $1, i), '{}');
					END;
				ELSIF what = 2 THEN
					SELECT number INTO made FROM elecbill.payment_order_create(account, NULL, 1, 'wechat', format('order-%s-%s', $1, i));
					COMMIT;
					PERFORM elecbill.payment_order_confirm('PAY', 'wechat', format('T-%s-%s', $1, i), made, 1, elecbill.now());
					COMMIT;
					PERFORM elecbill.payment_order_confirm('PAY', 'wechat', format('T-%s-%s', $1, i), made, 1, elecbill.now());
				ELSE
					PERFORM elecbill.payment_order_confirm('PAY', 'alipay', format('U-%s-%s', $1, i), 'O2000-000001', 1, elecbill.now());
				END IF;
				COMMIT;
			END LOOP;
		END \$\$;
	SQL
}

began=$(date +%s%N)
for session in $(seq "$sessions"); do
	part "$session" > "$WITH_PG_DIR/payments.$session" 2>&1 &
done
wait
ms=$((($(date +%s%N) - began) / 1000000))
echo "$payments payments in $sessions sessions: $ms ms"
ok 'no session saw an error' "$(cat "$WITH_PG_DIR"/payments.[0-9]* | grep -c ERROR)" "$(cat "$WITH_PG_DIR"/payments.[0-9]*)"

is() { # WHAT WANT SQL
	local got
	got=$(sql "$3")
	[ "$got" = "$2" ]
	ok "$1" $? "wanted $2, got $got"
}
taken=$((payments / sessions * sessions))
is 'no deadlock' "$deadlocks" "SELECT deadlocks FROM pg_stat_database WHERE datname = 'payments'"
is 'each payment is there once' "$taken|$taken.00" 'SELECT count(*), sum(amount) FROM elecbill.payment'
is 'receipts have no gap' t "SELECT count(*) = max(right(receipt_no, 6)::int) FROM elecbill.payment WHERE receipt_no LIKE 'R%'"
is 'the money is where it came in' "$taken.00" "SELECT sum(debit - credit) FROM elecbill.trial_balance WHERE code IN ('cash', 'clearing:wechat', 'clearing:pos', 'clearing:alipay')"
is 'bills and credit have what is not in suspense' t "SELECT (SELECT sum(paid) FROM elecbill.bill) + (SELECT sum(advance) FROM elecbill.account_money)
	= (SELECT sum(amount) FROM elecbill.payment WHERE state = 'posted')"
is 'fsck() finds nothing' '' 'SELECT * FROM elecbill.fsck()'
dropdb payments
tally_close payments
