#!/bin/bash
# test_retry.sh -- whoever lost his connection makes his calls again, and nothing is lost or twice
# Run it under test/with-pg. An estate lives month after month: a collector sends its readings, the month
# is rated and issued, customers pay in cash and order, a channel confirms. KILLS backends are killed
# (kill -9; the postmaster then restarts all of them) at random moments, each kind of work as often, and
# every third time a second client makes the same calls. Whoever lost his connection makes all calls of
# his work again, with the same keys. After each kill nothing that a client was told is lost, nothing is
# twice, and fsck() finds nothing. Then another database lives through as many months undisturbed: both
# must hold the same. A kill that comes too late gets the next month to hit, and less time.
# SEED makes the moments of the kills repeatable as far as the machine allows.
set -u
. test/tally.sh
: "${WITH_PG_DIR:?run it as: test/with-pg test/crash/test_retry.sh}"
kills_wanted=${KILLS:-12}
homes=${HOMES:-24}
seed=${SEED:-$RANDOM}
RANDOM=$seed
echo "seed $seed"
export PGOPTIONS='-c elecbill.batch_size=2 -c client_min_messages=warning'
phases=(ingest work issue pay confirm)
# the last month lies in the past for whoever runs this
months_most=22

sql() { # DB SQL
	psql -XAtq -v ON_ERROR_STOP=1 -d "$1" -c "$2"
}

# what both databases must hold; who was first to be numbered depends on who was first
held=(
	"SELECT m.serial, r.read_at, r.register_wh, r.seq, r.quality FROM elecbill.reading r
		JOIN elecbill.meter_register g ON g.id = r.register_id JOIN elecbill.meter m ON m.id = g.meter_id ORDER BY 1, 2"
	"SELECT a.account_no, b.service, b.status, b.amount, b.paid, b.tax_amount, md5(string_agg(concat_ws('|', l.n, l.component,
		l.period, l.tier, l.quantity, l.price, l.amount_raw, l.amount), ',' ORDER BY l.n))
		FROM elecbill.bill b JOIN elecbill.customer_account a ON a.id = b.account_id
		JOIN elecbill.bill_line l ON l.bill_id = b.id GROUP BY a.account_no, b.id ORDER BY 1, 2"
	"SELECT t.kind, t.stage, d.code, c.code, count(*), sum(t.amount) FROM elecbill.ledger_transfer t
		JOIN elecbill.ledger_account d ON d.id = t.debit_id JOIN elecbill.ledger_account c ON c.id = t.credit_id
		GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4"
	"SELECT p.idem_key, p.channel, p.amount, p.state, p.in_time, sum(x.amount), count(x.*) FROM elecbill.payment p
		LEFT JOIN elecbill.payment_allocation x ON x.payment_id = p.id GROUP BY p.id ORDER BY 1"
	"SELECT o.idem_key, o.amount, o.paid, o.status FROM elecbill.payment_order o ORDER BY 1"
	"SELECT l.code, b.debit, b.credit, b.pending_debit, b.pending_credit, b.version FROM elecbill.account_balance b
		JOIN elecbill.ledger_account l ON l.id = b.ledger_account_id ORDER BY 1"
	"SELECT t.code, t.debit, t.credit FROM elecbill.trial_balance t ORDER BY 1"
	"SELECT c.kind, sum(c.last) FROM elecbill.number_counter c GROUP BY 1 ORDER BY 1"
	"SELECT r.period, r.status, count(x.*) FROM elecbill.bill_run r LEFT JOIN elecbill.bill_exception x ON x.run_id = r.id
		GROUP BY r.id ORDER BY 1"
	"SELECT code, count(*) FROM elecbill.alarm GROUP BY 1 ORDER BY 1"
	"SELECT topic, count(*) FROM elecbill.outbox GROUP BY 1 ORDER BY 1"
	"SELECT action, outcome, count(*) FROM elecbill.audit_log GROUP BY 1, 2 ORDER BY 1, 2"
)

checkpointer() {
	psql -XAtq -U "$PGSUPERUSER" -d retry -c "SELECT pid FROM pg_stat_activity WHERE backend_type = 'checkpointer'" 2> /dev/null
}

# wait_for_server [PID]: until the server is back with another checkpointer than PID; without PID, when it
# is not known whether it goes down at all, until it answers twice in a row
wait_for_server() {
	local answers=0 now
	for _ in $(seq 1200); do
		now=$(checkpointer)
		if [ -n "$now" ] && [ "$now" != "${1:-}" ]; then
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

# client DB MONTH PHASE N: makes all calls of a month's work; files of client N: its backend's pid, answers, errors
client() {
	local file=$WITH_PG_DIR/retry$4
	psql -Xq -d "$1" -v month="$2" -v phase="$3" -v homes="$homes" -v pid_file="$file.pid" -v told="$file.told" \
		-f test/crash/retry_call.sql > /dev/null 2> "$file.err"
}

# ended N STATUS: keeps what client N was told; an error that is none of the connection ends the test
ended() {
	local file=$WITH_PG_DIR/retry$1
	[ ! -e "$file.told" ] || cat "$file.told" >> "$told"
	if [ "$2" -ne 0 ] && grep -q 'ERROR' "$file.err"; then
		ok 'no call fails' 1 "$(cat "$file.err")"
		tally_close crash_retry
		exit 1
	fi
	rm -f "$file".*
}

# attempt MONTH PHASE MS: a client does the work, and is killed within so many ms (0: it is not); 0: it is done
attempt() {
	local first second='' pid='' status other=0 former mark=$WITH_PG_DIR/retry1.pid
	former=$(checkpointer)
	: > "$mark"
	client retry "$1" "$2" 1 &
	first=$!
	if [ $((kills % 3)) -eq 2 ] && [ "$3" -gt 0 ]; then
		client retry "$1" "$2" 2 &
		second=$!
	fi
	if [ "$3" -gt 0 ]; then
		until [ -s "$mark" ] || ! kill -0 $first 2> /dev/null; do sleep 0.005; done
		late=$((RANDOM % $3))
		sleep "$(printf '%d.%03d' $((late / 1000)) $((late % 1000)))"
		pid=$(cat "$mark")
		if [ -z "$pid" ] || ! kill -0 $first 2> /dev/null || ! kill -9 "$pid" 2> /dev/null; then
			pid=
		fi
	fi
	wait $first
	status=$?
	ended 1 $status
	if [ -n "$second" ]; then
		wait "$second"
		other=$?
		ended 2 $other
	fi
	hit=
	if [ -n "$pid" ] && [ $status -ne 0 ]; then
		hit=1
		wait_for_server "$former"
	elif [ -n "$pid" ] || [ $((status | other)) -ne 0 ]; then
		# killed when its work was done: the server may go down, now or while the next one is at work
		wait_for_server
	fi
	# a batch that the other had claimed is not done when he lost his connection
	return $((status | other))
}

# healthy WHAT: nothing that was told is lost, nothing is twice, fsck() finds nothing
healthy() {
	local faults
	faults=$(psql -XAtq -d retry -v homes="$homes" -f test/crash/retry_check.sql < "$told" 2>&1)
	[ -z "$faults" ]
	ok "$1: nothing is lost or twice" $? "$faults"
	faults=$(sql retry 'SELECT * FROM elecbill.fsck()' 2>&1)
	[ -z "$faults" ]
	ok "$1: fsck()" $? "$faults"
}

createdb retry_plain
psql -Xq -c 'CREATE EXTENSION elecbill' -c 'CALL elecbill.create_schema()' retry_plain
psql -Xq -v homes="$homes" -f test/crash/retry_estate.sql retry_plain || exit 1
# by WAL a sequence is copied without the values that it has logged ahead, and gives them again after a crash
createdb --strategy=file_copy -T retry_plain retry
told=$WITH_PG_DIR/retry_told
calls_before=$(grep -c 'Failed process was running' "$WITH_PG_DIR/log")
: > "$told"

# the first month says how long the work takes
kills=0
declare -A window share killed
for p in "${!phases[@]}"; do
	phase=${phases[$p]}
	killed[$phase]=0
	share[$phase]=$(((kills_wanted + ${#phases[@]} - 1 - p) / ${#phases[@]}))
	began=$(date +%s%N)
	attempt 2024-01-01 "$phase" 0
	ok "$phase of the first month" $?
	window[$phase]=$((($(date +%s%N) - began) / 1000000))
	echo "$phase takes ${window[$phase]} ms, $homes homes"
done
healthy 'the first month'

months=1
while [ "$kills" -lt "$kills_wanted" ] && [ "$months" -lt "$months_most" ]; do
	month=$(date -ud "2024-01-01 + $months months" +%F)
	for phase in "${phases[@]}"; do
		here=0
		lost=0
		while :; do
			# twice a month at most, and the second time there is less left to do
			ms=0
			if [ "${killed[$phase]}" -lt "${share[$phase]}" ] && [ $here -lt 2 ]; then
				ms=$((window[$phase] / (here + 1) + 20))
			fi
			if attempt "$month" "$phase" $ms; then
				[ $ms -eq 0 ] || window[$phase]=$((window[$phase] * 2 / 3))
				break
			fi
			if [ -z "$hit" ]; then
				lost=$((lost + 1))
				[ $lost -lt 5 ] || { ok "$phase of $month is done in the end" 1; break 3; }
				continue
			fi
			here=$((here + 1))
			kills=$((kills + 1))
			killed[$phase]=$((killed[$phase] + 1))
			window[$phase]=$((window[$phase] + window[$phase] / 8))
			healthy "kill $kills, $late ms into $phase of $month"
		done
	done
	months=$((months + 1))
done
[ "$kills" -ge "$kills_wanted" ]
ok "$kills_wanted kills hit a backend at work" $? "$kills kills in $months months"
in_call=$(($(grep -c 'Failed process was running' "$WITH_PG_DIR/log") - calls_before))
[ "$in_call" -ge $((kills / 2)) ]
ok 'most of them in the midst of a call' $? "$in_call of $kills"
healthy 'in the end'

for n in $(seq 0 $((months - 1))); do
	for phase in "${phases[@]}"; do
		client retry_plain "$(date -ud "2024-01-01 + $n months" +%F)" "$phase" 3
		ok "$phase of month $n, undisturbed" $? "$(cat "$WITH_PG_DIR/retry3.err")"
	done
done
for query in "${held[@]}"; do
	difference=$(diff <(sql retry_plain "$query" 2>&1) <(sql retry "$query" 2>&1))
	ok "the same as undisturbed: ${query:0:60}" $? "$difference"
	[ -n "$(sql retry "$query")" ]
	ok "there was something: ${query:0:60}" $?
done
faults=$(sql retry_plain 'SELECT * FROM elecbill.fsck()' 2>&1)
[ -z "$faults" ]
ok 'the undisturbed database is healthy' $? "$faults"
[ "$(sql retry 'SELECT count(*) FROM elecbill.bill')" -eq $((homes * months)) ]
ok 'every home has a bill of every month' $?
echo "$kills kills (ingest ${killed[ingest]}, work ${killed[work]}, issue ${killed[issue]}, pay ${killed[pay]}," \
	"confirm ${killed[confirm]}), $in_call in the midst of a call, in $months months; bills, billed, payments, paid in:" \
	"$(sql retry 'SELECT count(*), sum(amount) FROM elecbill.bill'), $(sql retry 'SELECT count(*), sum(amount) FROM elecbill.payment')"
dropdb retry
dropdb retry_plain
tally_close crash_retry
