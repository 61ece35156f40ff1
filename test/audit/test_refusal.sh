#!/bin/bash
# test_refusal.sh -- a refusal that no background worker can write down stands in the server's log
# Run it under test/with-pg.
set -u
. test/tally.sh
: "${WITH_PG_DIR:?run it as: test/with-pg test/audit/test_refusal.sh}"

export PGDATABASE=refusal
createdb refusal
psql -Xq -c 'CREATE EXTENSION elecbill' -c 'CALL elecbill.create_schema()'
order="SELECT elecbill.payment_order_create('10001', NULL, 1, 'alipay', 'k')"
refused="SELECT count(*) FROM elecbill.audit_log WHERE outcome = 'refused' AND state = 'UB404'"

said=$(psql -XAtq -c "$order" 2>&1)
[[ $said == *"there is no account '10001'"* ]] && [ "$(psql -XAtqc "$refused")" = 1 ]
ok 'a refusal is written into audit_log' $? "$said"

# each of these keeps a worker busy; there are 8 for the whole server
busy=()
for _ in 1 2 3 4 5 6 7 8; do
	PGOPTIONS='-c force_parallel_mode=on' psql -XAtq -c 'SELECT pg_sleep(20)' > /dev/null 2>&1 &
	busy+=($!)
done
for _ in {1..100}; do
	workers=$(psql -XAtqc "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'parallel worker'")
	[ "$workers" -ge 7 ] && break
	sleep 0.1
done
said=$(psql -XAtq -c "$order" 2>&1)
[[ $said == *"there is no account '10001'"* ]]
ok 'without a worker the caller is told the same' $? "$said"
grep -q 'elecbill refused payment_order_create: there is no account' "$WITH_PG_DIR/log"
ok 'and the log of the server has it' $? "$workers workers were busy"
kill "${busy[@]}" 2> /dev/null
psql -XAtqc "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(20)' AND datname = 'refusal'" > /dev/null
wait
tally_close refusal
