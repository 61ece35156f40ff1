#!/bin/bash
# test_pack.sh -- backends that pack days and drop months are killed at random points; nothing is lost
# Run it under test/with-pg. Packs three months of an estate and drops two of them: once undisturbed, and
# once with ROUNDS kills (kill -9; the postmaster then restarts all backends), each followed by fsck().
# Every third round has two workers, and in each round a late reading comes. In the end both databases
# must hold the same profiles, say the same of every interval and bill the same.
# SEED makes the moments of the kills repeatable as far as the machine allows.
set -u
. test/tally.sh
: "${WITH_PG_DIR:?run it as: test/with-pg test/crash/test_pack.sh}"
rounds=${ROUNDS:-8}
homes=${HOMES:-120}
seed=${SEED:-$RANDOM}
RANDOM=$seed
echo "seed $seed"
export PGOPTIONS='-c elecbill.batch_size=24 -c client_min_messages=warning'

sql() { # DB SQL
	psql -XAtq -v ON_ERROR_STOP=1 -d "$1" -c "$2"
}

profiles="SELECT u.code, p.day, p.direction, p.exact, p.profile FROM elecbill.profile_day p
	JOIN elecbill.usage_point u ON u.id = p.usage_point_id ORDER BY 1, 2, 3"
told="SELECT usage_point, register, from_at, to_at, energy_wh, quality FROM elecbill.interval_usage ORDER BY 1, 2, 3"
kept="SELECT g.code, m.serial, k.read_at, k.register_wh FROM elecbill.reading_kept k JOIN elecbill.meter_register g ON g.id = k.register_id
	JOIN elecbill.meter m ON m.id = g.meter_id ORDER BY 1, 2, 3"
bills="SELECT a.account_no, l.n, l.component, l.period, l.tier, l.quantity, l.price, l.amount_raw, l.amount, s.start_wh, s.end_wh
	FROM elecbill.bill b JOIN elecbill.customer_account a ON a.id = b.account_id JOIN elecbill.bill_line l ON l.bill_id = b.id
	JOIN elecbill.bill_segment s ON s.id = l.segment_id ORDER BY 1, 2"
late="INSERT INTO elecbill.reading (register_id, read_at, slot_at, register_wh, org_id, source)
	SELECT r.register_id, r.read_at + interval '1 hour', r.slot_at + interval '1 hour', r.register_wh + 1, r.org_id, 1
	FROM elecbill.reading r JOIN elecbill.meter_register g ON g.id = r.register_id JOIN elecbill.meter m ON m.id = g.meter_id
	WHERE m.serial = 'M-' || lpad((@ + 20)::text, 4, '0') AND r.slot_at = timestamptz '2025-03-10 08:00+08' + @ * interval '1 day'
	ON CONFLICT DO NOTHING"

# The server is back when it answers twice in a row: the first answer may come before it goes down.
wait_for_server() {
	local answers=0
	for _ in $(seq 600); do
		if psql -XAtqc 'SELECT 1' -d pack > /dev/null 2>&1; then
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

createdb pack_plain
psql -Xq -c 'CREATE EXTENSION elecbill' -c 'CALL elecbill.create_schema()' pack_plain
psql -Xq -v homes="$homes" -f test/crash/estate.sql pack_plain
createdb -T pack_plain pack
for n in $(seq 0 $((rounds - 1))); do
	sql pack_plain "${late//@/$n}"
done
before=$(sql pack_plain "$told" | md5sum)
# here January is billed from readings, there from profiles when the readings are dropped
sql pack_plain "CALL elecbill.bill_month('SITE', 'MONTH', '2025-01')"
began=$(date +%s%N)
sql pack_plain "CALL elecbill.pack_profiles('SITE', '2025-04-01')"
pack_ms=$((($(date +%s%N) - began) / 1000000))
began=$(date +%s%N)
sql pack_plain "CALL elecbill.drop_readings('2025-03-01')"
drop_ms=$((($(date +%s%N) - began) / 1000000))
faults=$(sql pack_plain 'SELECT * FROM elecbill.fsck()' 2>&1)
[ -z "$faults" ]
ok 'the undisturbed database is healthy' $? "$faults"
[ "$before" = "$(sql pack_plain "$told" | md5sum)" ]
ok 'and says what it said before' $?
echo "packing takes $pack_ms ms, dropping $drop_ms ms, $homes homes"

# worker FILE SQL: its backend's pid goes into FILE
worker() {
	psql -XAtq -v ON_ERROR_STOP=1 -d pack -o "$1" -c 'SELECT pg_backend_pid()' -c '\o' -c "$2" > /dev/null 2>&1
}

# kill_one MS SQL: starts a worker and kills it within so many ms; says whether it was at work
kill_one() {
	local pid_file=$WITH_PG_DIR/packer.pid second='' pid first
	: > "$pid_file"
	worker "$pid_file" "$2" &
	first=$!
	if [ $((kills % 3)) -eq 2 ]; then
		worker /dev/null "$2" &
		second=$!
	fi
	until [ -s "$pid_file" ] || ! kill -0 $first 2> /dev/null; do sleep 0.005; done
	sleep "$(printf '%d.%03d' $((RANDOM % ($1 + 1) / 1000)) $((RANDOM % ($1 + 1) % 1000)))"
	pid=$(cat "$pid_file")
	if [ -n "$pid" ] && kill -0 $first 2> /dev/null && kill -9 "$pid" 2> /dev/null; then
		kills=$((kills + 1))
		wait $first
		[ -z "$second" ] || wait "$second"
		wait_for_server
		return 0
	fi
	wait $first
	[ -z "$second" ] || wait "$second"
	return 1
}

kills=0
window=$((pack_ms / 3))
again="SELECT count(elecbill.pack_again('SITE', u.code, '[2025-01-01,2025-04-01)')) FROM elecbill.usage_point u"
for n in $(seq 0 $((rounds - 1))); do
	sql pack "${late//@/$n}"
	# a kill that came too late: the next packer has all days to do again, and less time
	if ! kill_one "$window" "CALL elecbill.pack_profiles('SITE', '2025-04-01')"; then
		window=$((window / 2))
		[ "$n" -eq $((rounds - 1)) ] || sql pack "$again" > /dev/null
	fi
	# what was packed is right already, and the rest is as it was
	faults=$(sql pack 'SELECT * FROM elecbill.fsck()' 2>&1)
	[ -z "$faults" ]
	ok "round $((n + 1)): fsck()" $? "$faults"
	if [ "$n" -eq $((rounds - 1)) ]; then
		[ "$before" = "$(sql pack "$told" | md5sum)" ]
		ok 'half packed, it says what it said before' $?
	fi
done
[ "$kills" -ge $((rounds / 2)) ]
ok 'most rounds hit a packer at work' $? "$kills kills"
sql pack "CALL elecbill.pack_profiles('SITE', '2025-04-01')"
difference=$(diff <(sql pack_plain "$profiles") <(sql pack "$profiles") | head)
[ -z "$difference" ]
ok 'the same profiles as an undisturbed run' $? "$difference"

packed=$kills
for n in 1 2 3 4; do
	kill_one $((drop_ms / 2)) "CALL elecbill.drop_readings('2025-03-01')"
	faults=$(sql pack 'SELECT * FROM elecbill.fsck()' 2>&1)
	[ -z "$faults" ]
	ok "fsck() after drop $n" $? "$faults"
done
sql pack "CALL elecbill.drop_readings('2025-03-01')"
faults=$(sql pack 'SELECT * FROM elecbill.fsck()' 2>&1)
[ -z "$faults" ]
ok 'fsck() is empty in the end' $? "$faults"
difference=$(diff <(sql pack_plain "$kept") <(sql pack "$kept") | head)
[ -z "$difference" ]
ok 'the same readings are kept' $? "$difference"
[ "$(sql pack 'SELECT count(*) FROM elecbill.reading_kept')" -gt "$homes" ]
ok 'there was something to keep' $?
[ "$before" = "$(sql pack "$told" | md5sum)" ]
ok 'it says what it said before' $?
sql pack "CALL elecbill.bill_month('SITE', 'MONTH', '2025-01')"
difference=$(diff <(sql pack_plain "$bills") <(sql pack "$bills") | head)
[ -z "$difference" ]
ok 'and bills the same' $? "$difference"
[ "$(sql pack 'SELECT count(*) FROM elecbill.bill')" -ge $((homes - 2)) ]
ok 'everybody' $?
faults=$(sql pack 'SELECT * FROM elecbill.fsck()' 2>&1)
[ -z "$faults" ]
ok 'fsck() is empty with the bills' $? "$faults"
echo "$packed kills while packing, $((kills - packed)) while dropping"
tally_close crash_pack
