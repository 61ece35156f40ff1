#!/bin/bash
# test_upgrade.sh -- databases of former versions, upgraded, are databases of this version
# Run it under test/with-pg. A former version is the newest commit whose elecbill.control names it.
# The tree of the last one is built, its demo runs with its own library; then this version's files
# take their place. The upgraded database must have the schema of a fresh one, the same bills as
# before, nothing for fsck() to find, and bill on. Of older ones, the empty schema is upgraded. Skips
# when there is no former version in the history at hand.
set -u
. test/tally.sh
: "${WITH_PG_DIR:?run it as: test/with-pg test/upgrade/test_upgrade.sh}"

version_of() { # [COMMIT]: what its control file says
	if [ $# -eq 0 ]; then cat elecbill.control; else git show "$1:elecbill.control" 2> /dev/null; fi |
		sed -n "s/^default_version *= *'\([^']*\)'.*/\1/p"
}

version=$(version_of)
declare -A commit=(["$version"]=itself)
formers=() # the last one first
for revision in $(git rev-list --date-order HEAD 2> /dev/null); do
	at=$(version_of "$revision")
	if [ -n "$at" ] && [ -z "${commit[$at]+known}" ]; then
		commit[$at]=$revision
		formers+=("$at")
	fi
done
if [ ${#formers[@]} -eq 0 ]; then
	echo 'skipped: the history has no earlier version'
	tally_skipped=1
	tally_close upgrade
	exit
fi

# What a dump says of all objects, members of the extension too: in this throw-away database they
# are cut loose from it first. Partitions follow from the days that were billed. Sorted: the order in
# a dump follows from dependencies and numbers of objects.
schema_of() {
	psql -Xq -U "$PGSUPERUSER" -c 'SET allow_system_table_mods = on' \
		-c "DELETE FROM pg_depend WHERE deptype = 'e' AND refobjid =
			(SELECT oid FROM pg_extension WHERE extname = 'elecbill')" "$1" > /dev/null
	pg_dump -s -U "$PGSUPERUSER" -n elecbill "$1" | grep -vE '^(\\(un)?restrict|$|SET |SELECT pg_catalog|--$)' |
		awk '/^-- / { printf "\n"; next } { printf "%s\001", $0 }' | LC_ALL=C sort | tr '\001' '\n'
}

bills() {
	psql -XAtq -v ON_ERROR_STOP=1 -c 'SELECT number, account_no, n, component, period, tier, quantity, price, amount_raw,
		amount, start_kwh, end_kwh FROM elecbill.bill_detail ORDER BY service, account_no, n' "$1" 2>&1
}

# files TREE: its library, script, control file and collector are those of the private server
files() {
	install -m 755 "$1/elecbill.so" "$(pg_config --pkglibdir)/"
	install -m 644 "$1"/sql/elecbill--*.sql "$1/elecbill.control" "$(pg_config --sharedir)/extension/"
	[ ! -e "$1/collector/elecbill-collector" ] || install -m 755 "$1/collector/elecbill-collector" "$(pg_config --bindir)/"
}

# built VERSION [ASSIGNMENT...]: its tree in $old, in the place of this version's files; quickly
# compiled, for it runs once
built() {
	local said version=$1
	shift
	old=$WITH_PG_DIR/old-$version
	mkdir "$old"
	git archive "${commit[$version]}" | tar -x -C "$old"
	said=$(make -s -j2 -C "$old" with_llvm=no PROFILE=-O0 "$@" all 2>&1)
	ok "version $version builds" $? "$said"
	files "$old"
}

previous=${formers[0]}
olders=()
for former in "${formers[@]:1}"; do
	built "$former" NO_COLLECTOR=1
	olders+=("from_$former")
	createdb "from_$former"
	said=$(psql -Xq -v ON_ERROR_STOP=1 -c 'CREATE EXTENSION elecbill' -c 'CALL elecbill.create_schema()' \
		-c "SELECT elecbill.org_create('OLD', 'Old Mill')" "from_$former" 2>&1)
	ok "version $former makes its schema" $? "$said"
done
built "$previous"
createdb upgraded
said=$(cd "$old" && PGDATABASE=upgraded DEMO_DIR=$WITH_PG_DIR/demo test/demo/run 2>&1)
ok "the demo of version $previous runs" $? "$said"
before=$(bills upgraded)
createdb superseded
said=$(psql -Xq -v ON_ERROR_STOP=1 -c 'CREATE EXTENSION elecbill' -c 'CALL elecbill.create_schema()' superseded 2>&1 &&
	psql -Xq -f test/upgrade/superseded.sql superseded 2>&1)
ok "version $previous supersedes a part of a version" $? "$said"
superseded=$(bills superseded)
files .

for database in upgraded superseded "${olders[@]}"; do
	said=$(psql -Xq -v ON_ERROR_STOP=1 -c 'ALTER EXTENSION elecbill UPDATE' "$database" 2>&1 &&
		psql -Xq -v ON_ERROR_STOP=1 -c 'CALL elecbill.upgrade_schema()' "$database" 2>&1)
	ok "the database $database upgrades to $version" $? "$said"
done
at=$(psql -XAtc "SELECT extversion || ' ' || elecbill.version() FROM pg_extension WHERE extname = 'elecbill'" upgraded)
[ "$at" = "$version $version" ]
ok 'extension and library say so' $? "$at"
difference=$(diff <(printf '%s\n' "$before") <(bills upgraded))
[ -z "$difference" ] && [ "$(wc -l <<< "$before")" -gt 20 ]
ok 'it has the bills it had' $? "$difference"
createdb -T upgraded packed
# shellcheck source=test/demo/next_month.sh
. test/demo/next_month.sh
said=$(next_month upgraded)
[ "$said" = "$next_month_said" ]
ok 'it bills on, and fsck() finds nothing' $? "$said"

# the days of the former version are packed, and a month of its readings goes: everybody is told the same
said=$(psql -XAtq -v ON_ERROR_STOP=1 packed 2>&1 << 'SQL'
CREATE TABLE told AS SELECT v.* FROM elecbill.interval_usage v WHERE v.register = '1.8.0';
CALL elecbill.pack_profiles('garden');
SELECT count(*) > 250, count(DISTINCT usage_point_id) > 8 FROM elecbill.profile_day WHERE exact;
CALL elecbill.drop_readings(date_trunc('month', now() AT TIME ZONE 'UTC')::date);
SELECT count(*) FROM elecbill.reading WHERE read_at < date_trunc('month', now() AT TIME ZONE 'UTC') AT TIME ZONE 'UTC';
-- days at the end of what goes are kept; on the last days of a month the demo's month has no other ones
SELECT (sum(readings) > sum(kept)) = (SELECT (min(lower(b.service)) + 2)::timestamp AT TIME ZONE 'Asia/Shanghai'
	<= date_trunc('month', now() AT TIME ZONE 'UTC') AT TIME ZONE 'UTC' FROM elecbill.bill b),
	sum(kept) = (SELECT count(*) FROM elecbill.reading_kept) FROM elecbill.reading_retention;
(SELECT * FROM told EXCEPT ALL SELECT * FROM elecbill.interval_usage)
UNION ALL (SELECT v.* FROM elecbill.interval_usage v WHERE v.register = '1.8.0' EXCEPT ALL SELECT * FROM told);
SELECT * FROM elecbill.fsck();
SQL
)
[ "$said" = "t|t
0
t|t" ]
ok 'its days are packed, its readings dropped, and it says what it said' $? "$said"
said=$(next_month packed)
[ "$said" = "$next_month_said" ]
ok 'packed, it bills on, and fsck() finds nothing' $? "$said"
difference=$(diff <(bills upgraded) <(bills packed))
[ -z "$difference" ] && [ "$(bills packed | wc -l)" -gt "$(wc -l <<< "$before")" ]
ok 'with the bills that it makes from readings' $? "$difference"

# there is a ledger now: all that was issued is in it, and what somebody had set as paid or given up
books="SELECT (SELECT sum(amount) FROM elecbill.bill WHERE live) = (SELECT sum(t.amount) FROM elecbill.ledger_transfer t WHERE t.kind IN ('issue', 'tax')),
	(SELECT sum(debit - credit) FROM elecbill.account_balance) = (SELECT sum(amount - paid) FROM elecbill.bill WHERE status = 'issued'),
	(SELECT string_agg(kind, ' ' ORDER BY id) FROM elecbill.ledger_transfer WHERE kind NOT IN ('issue', 'tax'))"
said=$(psql -XAtq -c "$books" upgraded; psql -XAtq -c "$books" superseded)
[ "$said" = 't|t|
t|t|apply apply write_off' ]
ok 'the bills of the former version are booked' $? "$said"

# what was billed by a part of a version stays; what waited for this version is billed by two
[ "$superseded" = "$(bills superseded)" ] && [ "$(wc -l <<< "$superseded")" -gt 5 ] &&
	said=$(psql -XAtq -v ON_ERROR_STOP=1 superseded 2>&1 << 'SQL'
SELECT * FROM elecbill.fsck();
SELECT code FROM elecbill.bill_exception WHERE state = 'parked';
SELECT elecbill.bill_run_start('OLD', 'MONTH', '[2025-03-01,2025-04-01)', 'offcycle') AS run \gset
CALL elecbill.bill_run_work(:run);
CALL elecbill.bill_run_issue(:run);
SELECT version, component, trim_scale(quantity), amount FROM elecbill.bill_detail
WHERE account_no = 'A-1' AND service = '[2025-03-01,2025-04-01)' ORDER BY n;
SELECT * FROM elecbill.fsck();
SQL
	) && [ "${said#"tariff_change
"}" = "1|energy|50|25.00
1|fee|0.322581|10.00
2|energy|150|90.00
2|fee|0.677419|21.00" ]
ok 'versions of which a part was superseded keep their bills, and March is billed' $? "$said"

for database in "${olders[@]}"; do
	createdb fresh
	psql -Xq -v ON_ERROR_STOP=1 -c 'CREATE EXTENSION elecbill' -c 'CALL elecbill.create_schema()' fresh
	differs=$(diff <(schema_of fresh) <(schema_of "$database"))
	ok "the upgraded database $database is like a fresh one" $? "$differs"
	dropdb fresh
done
createdb fresh
psql -Xq -v ON_ERROR_STOP=1 -c 'CREATE EXTENSION elecbill' -c 'CALL elecbill.create_schema()' fresh
months=$(psql -XAtqc "SELECT min(lower(service)) FROM elecbill.bill" upgraded)
psql -Xq -c "SELECT elecbill.partition_maintain(3, '$months')" fresh > /dev/null
differs=$(diff <(schema_of fresh) <(schema_of upgraded))
ok 'the upgraded demo is like a fresh one' $? "$differs"
tally_close upgrade
