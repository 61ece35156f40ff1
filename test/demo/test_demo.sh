#!/bin/bash
# test_demo.sh -- the demo does what it says, and its database survives pg_dump | psql
# Run it under test/with-pg. The restored copy must hold the same bills, pass fsck(), and bill the
# next month exactly as the original does.
set -u
. test/tally.sh
: "${WITH_PG_DIR:?run it as: test/with-pg test/demo/test_demo.sh}"
export DEMO_DIR=$WITH_PG_DIR/demo

said=$(test/demo/run 2>&1)
ok 'the demo ends well' $? "$said"
grep -q '^11 bills, sum [0-9.]* CNY; fsck: 0 broken invariants$' <<< "$said"
ok 'it prints the bills and their sum' $?
grep -q '^faults planted: 10, found: 10$' <<< "$said"
ok 'it found every fault it planted' $?
[ "$(find "$DEMO_DIR" -name '*.html' | wc -l)" -eq 12 ]
ok 'a page for each bill and an index' $?
lost=$(grep -o 'href="[^"]*"' "$DEMO_DIR/index.html" | cut -d'"' -f2 | while read -r page; do
	[ "$(tail -n 1 "$DEMO_DIR/$page")" = '</html>' ] || echo "$page"; done)
[ -z "$lost" ]
ok 'every link of the index leads to a whole page' $? "$lost"
grep -l '<code>68' "$DEMO_DIR"/*.html > /dev/null
ok 'bills show the bytes of the frames their last readings came in' $?

createdb demo_copy
said=$(pg_dump "$PGDATABASE" | psql -Xq -v ON_ERROR_STOP=1 -d demo_copy 2>&1 > /dev/null)
ok 'pg_dump | psql' $? "$said"

# What the bills say; ids are sequence numbers and may differ after further runs in two databases.
bills() {
	psql -XAtq -v ON_ERROR_STOP=1 -d "$1" -c "SELECT number, account_no, service, status, n, component, period, tier,
		quantity, price, amount_raw, amount, start_kwh, end_kwh, quality FROM elecbill.bill_detail ORDER BY service, account_no, n" 2>&1
}
# shellcheck source=test/demo/next_month.sh
. test/demo/next_month.sh
difference=$(diff <(bills "$PGDATABASE") <(bills demo_copy))
ok 'the copy has the same bills' $? "$difference"
faults=$(psql -XAtqc 'SELECT * FROM elecbill.fsck()' demo_copy 2>&1)
[ -z "$faults" ]
ok 'fsck() of the copy is empty' $? "$faults"
for db in "$PGDATABASE" demo_copy; do
	said=$(next_month "$db")
	[ "$said" = "$next_month_said" ]
	ok "$db: twelve bills of the month after, no fault" $? "$said"
done
difference=$(diff <(bills "$PGDATABASE") <(bills demo_copy))
ok 'the further bills are the same' $? "$difference"
[ "$(bills demo_copy | wc -l)" -gt 50 ]
ok 'there was something to compare' $?
tally_close demo
