#!/bin/bash
# test_bill_run.sh -- backends that bill are killed at random points; nothing is lost, nothing is twice
# Run it under test/with-pg. Bills three months of an estate: once undisturbed, and once with
# ROUNDS kills (kill -9; the postmaster then restarts all backends), each followed by fsck(). Every
# third round has two workers. In the end both databases must hold the same bills.
# SEED makes the moments of the kills repeatable as far as the machine allows.
set -u
. test/tally.sh
: "${WITH_PG_DIR:?run it as: test/with-pg test/crash/test_bill_run.sh}"
rounds=${ROUNDS:-20}
homes=${HOMES:-300}
seed=${SEED:-$RANDOM}
RANDOM=$seed
echo "seed $seed"
export PGOPTIONS='-c elecbill.batch_size=2 -c client_min_messages=warning'

sql() { # DB SQL
	psql -XAtq -v ON_ERROR_STOP=1 -d "$1" -c "$2"
}

bills="SELECT a.account_no, b.service, b.status, b.amount, md5(string_agg(concat_ws('|', l.n, l.component,
	l.period, l.tier, l.quantity, l.price, l.amount_raw, l.amount), ',' ORDER BY l.n))
	FROM elecbill.bill b JOIN elecbill.customer_account a ON a.id = b.account_id
	JOIN elecbill.bill_line l ON l.bill_id = b.id GROUP BY a.account_no, b.id ORDER BY 1, 2"
parked="SELECT a.account_no, r.period, x.code, x.state FROM elecbill.bill_exception x
	JOIN elecbill.bill_run r ON r.id = x.run_id
	JOIN elecbill.customer_account a ON a.id = x.account_id ORDER BY 1, 2"
start="SELECT elecbill.bill_run_start('SITE', 'MONTH', daterange(m, (m + interval '1 month')::date))
	FROM (VALUES (date '@-01')) AS v(m)"

# The server is back when it answers twice in a row: the first answer may come before it goes down.
wait_for_server() {
	local answers=0
	for _ in $(seq 600); do
		if psql -XAtqc 'SELECT 1' -d crash > /dev/null 2>&1; then
			answers=$((answers + 1))
			[ "$answers" -lt 2 ] || return 0
		else
			answers=0
		fi
		sleep 0.05
	done
	echo 'the server does not come back' >&2
	exit 1
}

createdb crash_plain
psql -Xq -c 'CREATE EXTENSION elecbill' -c 'CALL elecbill.create_schema()' crash_plain
psql -Xq -v homes="$homes" -f test/crash/estate.sql crash_plain
createdb -T crash_plain crash
began=$(date +%s%N)
for month in 2025-01 2025-02 2025-03; do
	sql crash_plain "CALL elecbill.bill_month('SITE', 'MONTH', '$month')"
done
run_ms=$((($(date +%s%N) - began) / 3000000))
ok 'the undisturbed run is healthy' $? "$(sql crash_plain 'SELECT * FROM elecbill.fsck()')"
echo "an undisturbed month takes $run_ms ms, $homes homes in batches of 2"

# worker RUN FILE: rates and issues; its backend's pid goes into FILE
worker() {
	psql -XAtq -v ON_ERROR_STOP=1 -d crash -o "$2" -c 'SELECT pg_backend_pid()' -c '\o' \
		-c "CALL elecbill.bill_run_work($1)" -c "CALL elecbill.bill_run_issue($1)" > /dev/null 2>&1
}

kills=0
for month in 2025-01 2025-02 2025-03; do
	run=$(sql crash "${start/@/$month}") || exit 1
	while [ "$(sql crash "SELECT status FROM elecbill.bill_run WHERE id = $run")" != 'done' ]; do
		pid_file=$WITH_PG_DIR/worker.pid
		: > "$pid_file"
		worker "$run" "$pid_file" &
		first=$!
		second=
		if [ $((kills % 3)) -eq 2 ]; then
			worker "$run" /dev/null &
			second=$!
		fi
		# each month gets its share of the kills, early enough that some are left for its end; then it
		# is let through
		if [ "$kills" -lt $((rounds * (10#${month#*-}) / 3)) ]; then
			until [ -s "$pid_file" ] || ! kill -0 $first 2> /dev/null; do sleep 0.005; done
			sleep "$(printf '0.%03d' $((RANDOM % (run_ms * 2 / rounds + 1) % 1000)))"
			pid=$(cat "$pid_file")
			# only a worker that is still at it counts
			if [ -n "$pid" ] && kill -0 $first 2> /dev/null && kill -9 "$pid" 2> /dev/null; then
				kills=$((kills + 1))
				wait $first
				[ -z "$second" ] || wait "$second"
				wait_for_server
				faults=$(sql crash 'SELECT * FROM elecbill.fsck()' 2>&1)
				[ -z "$faults" ]
				ok "round $kills: fsck() after a kill in $month" $? "$faults"
				continue
			fi
		fi
		wait $first
		[ -z "$second" ] || wait "$second"
	done
done

[ "$kills" -ge "$rounds" ]
ok "$rounds rounds hit a worker at work" $? "$kills kills"
faults=$(sql crash 'SELECT * FROM elecbill.fsck()' 2>&1)
[ -z "$faults" ]
ok 'fsck() is empty in the end' $? "$faults"
difference=$(diff <(sql crash_plain "$bills") <(sql crash "$bills"))
ok 'the same bills, line by line, as an undisturbed run' $? "$difference"
difference=$(diff <(sql crash_plain "$parked") <(sql crash "$parked"))
ok 'the same accounts are parked' $? "$difference"
total=$(sql crash 'SELECT count(*), sum(amount) FROM elecbill.bill')
[ "$total" = "$(sql crash_plain 'SELECT count(*), sum(amount) FROM elecbill.bill')" ]
ok 'the same total' $?
[ "$(sql crash 'SELECT count(*) FROM elecbill.bill')" -gt $((homes * 2)) ]
ok 'there was something to bill' $?
echo "$kills kills; bills and their sum: $total"
tally_close crash
