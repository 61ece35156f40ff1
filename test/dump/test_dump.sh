#!/bin/bash
# test_dump.sh -- a dumped and restored database has the same bills and can go on billing
# Run it under test/with-pg. Two ways: pg_dump | psql, and pg_restore in two jobs.
set -u
. test/tally.sh
: "${WITH_PG_DIR:?run it as: test/with-pg test/dump/test_dump.sh}"

sql() { # DB SQL
	psql -XAtq -v ON_ERROR_STOP=1 -d "$1" -c "$2"
}

# a line per table: its name, its rows, and a checksum of their text
content() {
	sql "$1" "SELECT format('SELECT %L, count(*), md5(string_agg(t::text, E''\n'' ORDER BY t::text)) FROM %s t;',
			c.oid::regclass, c.oid::regclass)
		FROM pg_class c WHERE c.relnamespace = 'elecbill'::regnamespace AND c.relkind = 'r'
		ORDER BY c.relname" | psql -XAtq -v ON_ERROR_STOP=1 -d "$1"
}

bills="SELECT a.account_no, b.service, b.status, b.number, b.amount, b.snapshot - 'known_at',
	array_agg((l.n, l.component, l.period, l.tier, l.quantity, l.price, l.amount_raw, l.amount) ORDER BY l.n)
	FROM elecbill.bill b JOIN elecbill.customer_account a ON a.id = b.account_id
	JOIN elecbill.bill_line l ON l.bill_id = b.id GROUP BY a.account_no, b.id ORDER BY 1, 2"
# whatever has an owner, a comment or a partition bound, and whether it is on (expressions are left
# out: a restored one may have other brackets)
objects="SELECT 'comment', i.identity, d.description FROM pg_description d,
		pg_identify_object(d.classoid, d.objoid, d.objsubid) AS i WHERE i.identity LIKE '%elecbill.%'
	UNION ALL SELECT 'trigger', format('%s %s', t.tgrelid::regclass, t.tgname), concat_ws(' ', t.tgenabled, t.tgtype)
	FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
	WHERE c.relnamespace = 'elecbill'::regnamespace AND NOT t.tgisinternal
	UNION ALL SELECT 'constraint', format('%s %s', k.conrelid::regclass, k.conname), concat_ws(' ', k.contype, k.convalidated)
	FROM pg_constraint k WHERE k.connamespace = 'elecbill'::regnamespace
	UNION ALL SELECT 'relation', c.oid::regclass::text, concat_ws(' ', c.relkind, c.reloptions,
		coalesce(c.relacl, acldefault(CASE c.relkind WHEN 'S' THEN 's' ELSE 'r' END::\"char\", c.relowner)),
		pg_get_expr(c.relpartbound, c.oid)) FROM pg_class c WHERE c.relnamespace = 'elecbill'::regnamespace
	UNION ALL SELECT 'function', p.oid::regprocedure::text, concat_ws(' ', p.provolatile, p.proisstrict, p.proparallel,
		p.proconfig, coalesce(p.proacl, acldefault('f', p.proowner))) FROM pg_proc p WHERE p.pronamespace = 'elecbill'::regnamespace
	ORDER BY 1, 2, 3"

createdb dump_from
psql -Xq -c 'CREATE EXTENSION elecbill' -c 'CALL elecbill.create_schema()' dump_from
psql -Xq -v homes=40 -f test/crash/estate.sql dump_from
sql dump_from "CALL elecbill.bill_month('SITE', 'MONTH', '2025-01')"
# one account is parked and one bill is cancelled: these rows must come along too
sql dump_from "SELECT elecbill.cancel_bill((SELECT number FROM elecbill.bill ORDER BY number LIMIT 1), 'test')"
content dump_from > "$WITH_PG_DIR/dump_from"
[ "$(sql dump_from 'SELECT count(*) FROM elecbill.bill')" -ge 39 ]
ok 'there are bills to dump' $?

check() { # DB WAY
	local difference faults
	difference=$(diff "$WITH_PG_DIR/dump_from" <(content "$1"))
	ok "$2: every table has the same rows" $? "$difference"
	difference=$(diff <(sql dump_from "$objects") <(sql "$1" "$objects"))
	ok "$2: every object is the same" $? "$difference"
	faults=$(sql "$1" 'SELECT * FROM elecbill.fsck()' 2>&1)
	[ -z "$faults" ]
	ok "$2: fsck() is empty" $? "$faults"
	sql "$1" "SELECT elecbill.bill_run_retry(1)" > /dev/null
	sql "$1" "CALL elecbill.bill_month('SITE', 'MONTH', '2025-01')"
	sql "$1" "CALL elecbill.bill_month('SITE', 'MONTH', '2025-02')"
	ok "$2: a further run works" $?
	faults=$(sql "$1" 'SELECT * FROM elecbill.fsck()' 2>&1)
	[ -z "$faults" ]
	ok "$2: fsck() is empty after it" $? "$faults"
}

createdb dump_plain
said=$(pg_dump dump_from | psql -Xq -v ON_ERROR_STOP=1 -d dump_plain 2>&1 > /dev/null)
ok 'pg_dump | psql' $? "$said"
check dump_plain 'pg_dump | psql'

createdb dump_jobs
said=$(pg_dump -Fc -f "$WITH_PG_DIR/dump_from.dump" dump_from &&
	pg_restore -e -j2 -d dump_jobs "$WITH_PG_DIR/dump_from.dump" 2>&1)
ok 'pg_restore -j2' $? "$said"
check dump_jobs 'pg_restore -j2'

# the original goes the same way; then all must hold the same bills
check dump_from 'the original'
for copy in dump_plain dump_jobs; do
	difference=$(diff <(sql dump_from "$bills") <(sql $copy "$bills"))
	ok "$copy: the same bills as the original after further runs" $? "$difference"
done
tally_close dump
