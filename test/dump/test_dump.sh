#!/bin/bash
# test_dump.sh -- a dumped and restored database has the same bills and rights, and can go on billing
# Run it under test/with-pg. Ways: pg_dump | psql, the same in one transaction, pg_restore of -Fc in
# four jobs, of -Fd in two, and by sections.
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
		pg_get_expr(c.relpartbound, c.oid), c.relrowsecurity, c.relforcerowsecurity) FROM pg_class c WHERE c.relnamespace = 'elecbill'::regnamespace
	UNION ALL SELECT 'function', p.oid::regprocedure::text, concat_ws(' ', p.provolatile, p.proisstrict, p.proparallel,
		p.prosecdef, p.proconfig, coalesce(p.proacl, acldefault('f', p.proowner))) FROM pg_proc p WHERE p.pronamespace = 'elecbill'::regnamespace
	UNION ALL SELECT 'policy', format('%s %s', y.polrelid::regclass, y.polname), concat_ws(' ', y.polcmd, y.polpermissive,
		ARRAY(SELECT r::regrole::text FROM unnest(y.polroles) r ORDER BY 1))
	FROM pg_policy y
	ORDER BY 1, 2, 3"

createdb dump_from
psql -Xq -c 'CREATE EXTENSION elecbill' -c 'CALL elecbill.create_schema()' dump_from
psql -Xq -v homes=40 -f test/crash/estate.sql dump_from
sql dump_from "CALL elecbill.bill_month('SITE', 'MONTH', '2025-01')"
# one account is parked and one bill is cancelled: these rows must come along too
sql dump_from "SELECT elecbill.cancel_bill((SELECT number FROM elecbill.bill ORDER BY number LIMIT 1), 'test')"
# rights, people, money and what was refused
said=$(sql dump_from "CALL elecbill.create_roles('dump_')" 2>&1)
[[ $said == *'dump_web cannot say yet for whom it works'* ]]
ok 'create_roles() says what a superuser must do' $? "$said"
sql dump_from "CALL elecbill.grant_roles('dump_')"
psql -Xq -U "$PGSUPERUSER" -c "GRANT SET ON PARAMETER elecbill.login TO dump_web" dump_from
account=$(sql dump_from "SELECT a.account_no FROM elecbill.bill b JOIN elecbill.customer_account a ON a.id = b.account_id
	WHERE b.status = 'issued' ORDER BY b.number LIMIT 1")
sql dump_from "SELECT elecbill.member_grant('$account', 'li'); SELECT elecbill.duty_grant('SITE', 'b1', 'billing');
	SELECT elecbill.payment_policy_set('SITE', 'over'); SELECT elecbill.cashier_shift_open('SITE', 100);
	SELECT elecbill.payment_record_cash('$account', 5000, 'P-1', 'cash-1')" > /dev/null
sql dump_from "SELECT elecbill.payment_order_create('nobody', NULL, 1, 'alipay', 'k')" > /dev/null 2>&1
sql dump_from "SELECT elecbill.audit_seal()" > /dev/null
content dump_from > "$WITH_PG_DIR/dump_from"
resident() { # DB: what Li sees through the application
	PGUSER=dump_web psql -XAtq -v ON_ERROR_STOP=1 -d "$1" -c "BEGIN; SET LOCAL elecbill.login = 'li'; SET LOCAL ROLE dump_resident" \
		-c "SELECT b.number, b.amount, b.paid, y.credit FROM elecbill.my_bills b, elecbill.my_balance y" -c COMMIT 2>&1
}
seen=$(resident dump_from)
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
	[ -n "$seen" ] && [ "$(resident "$1")" = "$seen" ]
	ok "$2: a resident sees what he saw" $? "$(resident "$1")"
	sql "$1" "SELECT elecbill.bill_run_retry(1)" > /dev/null
	sql "$1" "CALL elecbill.bill_month('SITE', 'MONTH', '2025-01')"
	sql "$1" "CALL elecbill.bill_month('SITE', 'MONTH', '2025-02')"
	ok "$2: a further run works" $?
	faults=$(sql "$1" 'SELECT * FROM elecbill.fsck()' 2>&1)
	[ -z "$faults" ]
	ok "$2: fsck() is empty after it" $? "$faults"
}

restore() { # DB WAY COMMAND: dumps, restores into DB, checks it
	createdb "$1"
	local said
	said=$(eval "$3" 2>&1 > /dev/null)
	ok "$2" $? "$said"
	check "$1" "$2"
}
set -o pipefail
# shellcheck disable=SC2016 # restore() expands them
{
restore dump_plain 'pg_dump | psql' 'pg_dump dump_from | psql -Xq -v ON_ERROR_STOP=1 -d dump_plain'
restore dump_one 'in one transaction' 'pg_dump dump_from | psql -Xq -1 -v ON_ERROR_STOP=1 -d dump_one'
restore dump_jobs 'pg_restore -j4' 'pg_dump -Fc -f "$WITH_PG_DIR/from.dump" dump_from && pg_restore -e -j4 -d dump_jobs "$WITH_PG_DIR/from.dump"'
restore dump_dir 'pg_dump -Fd -j2, pg_restore -j2' 'pg_dump -Fd -j2 -f "$WITH_PG_DIR/from.dir" dump_from && pg_restore -e -j2 -d dump_dir "$WITH_PG_DIR/from.dir"'
restore dump_parts 'by sections' 'for part in pre-data data post-data; do pg_restore -e --section=$part -d dump_parts "$WITH_PG_DIR/from.dump" || exit 1; done'
}

# the original goes the same way; then all must hold the same bills
check dump_from 'the original'
for copy in dump_plain dump_one dump_jobs dump_dir dump_parts; do
	difference=$(diff <(sql dump_from "$bills") <(sql $copy "$bills"))
	ok "$copy: the same bills as the original after further runs" $? "$difference"
done

# the extension can go; what was written stays
rows="SELECT (SELECT count(*) FROM elecbill.bill), (SELECT count(*) FROM elecbill.reading), (SELECT count(*) FROM elecbill.ledger_transfer), (SELECT count(*) FROM elecbill.audit_log)"
before=$(sql dump_plain "$rows")
said=$(sql dump_plain 'DROP EXTENSION elecbill' 2>&1)
[[ $said == *'other objects depend on it'* ]]
ok 'DROP EXTENSION is refused' $? "$said"
sql dump_plain 'SET client_min_messages = error; DROP EXTENSION elecbill CASCADE'
[ "$before" = "$(sql dump_plain "$rows")" ]
ok 'with CASCADE it takes functions, views and triggers: rows stay' $? "$before, $(sql dump_plain "$rows")"
tally_close dump
