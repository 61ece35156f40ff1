#!/bin/bash
# test_london.sh -- six London homes, half-hourly, a year: bills against an oracle that is plain SQL
# Run under test/with-pg. Data: ../shared/data/lcl_dev6 (UK Power Networks, Low Carbon London); without
# it the test says so and skips. The homes are billed under a tier and under a time-of-use tariff,
# first as they are, then with readings that arrive shuffled under other settings.
set -u
. test/tally.sh
here=test/london
data=${ELECBILL_SHARED:-../shared}/data/lcl_dev6
if [ ! -d "$data" ]; then
	echo "london: $data is not there, nothing to bill"
	echo "london: 0 passed, 0 failed, 1 skipped"
	exit 0
fi

# check WHAT QUERY [EXPECTED]: the query gives EXPECTED, by default nothing at all
check() {
	local got
	got=$(psql -XAtq -v ON_ERROR_STOP=1 -d "${db:-$PGDATABASE}" -c "$2" 2>&1)
	if [ "$got" = "${3:-}" ]; then
		tally_passed=$((tally_passed + 1))
	else
		tally_failed=$((tally_failed + 1))
		printf 'not ok: %s\n  expected: %s\n  got: %s\n' "$1" "${3:-nothing}" "$(head -c 2000 <<< "$got")"
	fi
}

# load ORDER DATABASE [PATH]: schema, estate, readings in that order, then under that search_path
# twelve months of bills
load() {
	{
		echo 'CREATE EXTENSION elecbill; CALL elecbill.create_schema();'
		cat "$here/tariffs.sql" "$here/estate.sql"
		echo "SET search_path = ${3:-public};"
		for month in 01 02 03 04 05 06 07 08 09 10 11 12; do
			echo "CALL elecbill.bill_month('LDN', 'MONTH', '2013-$month');"
		done
	} | psql -XAtq -v ON_ERROR_STOP=1 -v order="$1" -d "$2" > "$WITH_PG_DIR/$2.out" 2>&1 ||
		{ echo "not ok: loading $2"; tail -n 20 "$WITH_PG_DIR/$2.out"; tally_failed=$((tally_failed + 1)); }
}

{
	echo 'CREATE SCHEMA london; CREATE TABLE london.raw (home text, at timestamptz, kwh numeric);'
	echo 'CREATE TEMP TABLE line (home text, at timestamp, kwh text);'
	for file in "$data"/MAC*.csv; do
		echo "\\copy line FROM '$file' (FORMAT csv, HEADER)"
	done
	echo "INSERT INTO london.raw SELECT home, at AT TIME ZONE 'UTC', btrim(kwh)::numeric FROM line;"
	echo 'CREATE TABLE london.published_month (home text, kind text, basis text, month text, halfhours int, kwh numeric, pence numeric);'
	echo "\\copy london.published_month FROM '$data/expected_monthly.csv' (FORMAT csv, HEADER)"
	echo 'CREATE TEMP TABLE gap (home text, at timestamp);'
	echo "\\copy gap FROM '$data/expected_missing.csv' (FORMAT csv, HEADER)"
	echo "CREATE TABLE london.published_gap AS SELECT home, at AT TIME ZONE 'UTC' AS at FROM gap;"
	cat "$here/oracle.sql"
	echo 'CREATE TEMP TABLE band (at timestamp, band text);'
	echo "\\copy band FROM '$data/lcl_dtou_2013.csv' (FORMAT csv, HEADER)"
	echo "CREATE TABLE london.schedule AS SELECT at AT TIME ZONE 'UTC' AS at, band FROM band;"
	echo 'ANALYZE london.expected_reading, london.expected_line, london.half_hour;'
} | psql -Xq -v ON_ERROR_STOP=1 || { echo 'london: 0 passed, 1 failed'; exit 1; }

for run in shuffled_a shuffled_b; do
	createdb -T "$PGDATABASE" "$run"
done
load 'kind, home, at' "$PGDATABASE"

check 'all 101,974 half hours were read' 'SELECT count(*) FROM london.raw' 101974
check 'every reading is in the database once' "SELECT count(*) = 2 * (SELECT count(*) FROM london.expected_reading) FROM elecbill.reading" t
check '70 home-months under each tariff' 'SELECT count(*) FROM elecbill.bill WHERE status = '"'issued'" 140
check 'nobody was parked' "SELECT account_id, code, message FROM elecbill.bill_exception WHERE severity = 'error'"
check 'no gap fell under the table: bills with missing readings say so' "
	SELECT count(*) FROM (
		SELECT b.id FROM elecbill.bill b JOIN elecbill.bill_line l ON l.bill_id = b.id GROUP BY b.id
		HAVING bool_or(l.quality = 'missing')) AS m" "$(psql -XAtqc "
	SELECT 2 * count(*) FROM (
		SELECT DISTINCT home, date_trunc('month', at AT TIME ZONE 'Europe/London') FROM london.published_gap
		UNION SELECT 'MAC000008', timestamp '2013-10-01') AS g")"

# what the bills say beside what the oracle says
billed="SELECT substr(d.account_no, 3) AS home, d.tariff, lower(d.service) - extract(day FROM lower(d.service))::int + 1 AS month,
	d.component, d.period, coalesce(d.tier, 0) AS tier, d.quantity, d.amount FROM elecbill.bill_detail d WHERE d.quantity <> 0"
check 'every line equals the oracle, quantity and amount' "
	SELECT * FROM ($billed) AS b FULL JOIN (SELECT * FROM london.expected_line WHERE quantity <> 0) AS e
	ON (b.home, b.tariff, b.month, b.component, coalesce(b.period, ''), b.tier)
		= (e.home, e.tariff, e.month, e.component, coalesce(e.period, ''), e.tier)
	WHERE b.amount IS DISTINCT FROM e.amount OR b.quantity IS DISTINCT FROM e.quantity LIMIT 20"
check 'every bill equals the oracle to the penny' "
	SELECT * FROM (
		SELECT substr(a.account_no, 3) AS home, substr(a.account_no, 1, 1) AS kind, lower(b.service) AS month, b.amount
		FROM elecbill.bill b JOIN elecbill.customer_account a ON a.id = b.account_id) AS b
	FULL JOIN (SELECT home, CASE tariff WHEN 'LDN-TIER' THEN 'T' ELSE 'U' END AS kind, month, sum(amount) AS amount
		FROM london.expected_line GROUP BY 1, 2, 3) AS e USING (home, kind, month)
	WHERE b.amount IS DISTINCT FROM e.amount"
check 'kWh of each month as published, within 0.000001' "
	SELECT * FROM london.published_month p
	LEFT JOIN (SELECT substr(a.account_no, 3) AS home, to_char(lower(b.service), 'YYYY-MM') AS month, sum(s.energy_wh) / 1000 AS kwh
		FROM elecbill.bill b JOIN elecbill.customer_account a ON a.id = b.account_id JOIN elecbill.bill_segment s ON s.bill_id = b.id
		WHERE a.account_no LIKE 'U-%' GROUP BY 1, 2) AS b USING (home, month)
	WHERE p.basis <> 'utc' AND (b.kwh IS NULL OR abs(p.kwh - b.kwh) > 0.000001)"
check 'the published file was there' "SELECT count(*) FROM london.published_month WHERE basis <> 'utc'" 70
check 'gaps are those published, each half hour' "
	SELECT * FROM (
		SELECT substr(v.meter, 3) AS home, h.at FROM elecbill.interval_usage v,
			generate_series(v.from_at, v.to_at - interval '30 minutes', interval '30 minutes') AS h(at)
		WHERE v.meter LIKE 'T-%' AND v.energy_wh IS NULL) AS g
	FULL JOIN london.published_gap AS p USING (home, at) WHERE g.home IS NULL OR p.home IS NULL OR g.* IS NULL"
check 'a preview is the bill' "
	SELECT b.number FROM elecbill.bill b JOIN elecbill.customer_account a ON a.id = b.account_id
	WHERE b.amount <> (SELECT sum(l.amount) FROM elecbill.bill_line l WHERE l.bill_id = b.id)"
check 'fsck finds nothing' 'SELECT * FROM elecbill.fsck()'

# The schedule of the dynamic homes as a price series: the pence as published. Values of more than six
# decimals were cut: each month is off by less than the 1e-6 kWh at its two ends and where prices change.
psql -XAtq -v ON_ERROR_STOP=1 -f "$here/dtou.sql" || { echo 'not ok: price series'; tally_failed=$((tally_failed + 1)); }
check 'the schedule has a price for every half hour of 2013' 'SELECT count(*), count(price), count(DISTINCT price) FROM london.half_hour_price' '17520|17520|3'
check '36 home-months of dynamic homes, by both months, in both ways' 'SELECT way, count(*) FROM london.series_bill GROUP BY 1 ORDER BY 1' "$(printf 'points|72\nusage|72')"
check 'a price series, as points or as a column of the rows: pence to the last digit' '
	SELECT * FROM london.series_bill AS b FULL JOIN london.series_exact AS e USING (basis, home, month)
	WHERE b.kwh IS DISTINCT FROM e.kwh OR b.pounds_raw IS DISTINCT FROM e.pounds_raw LIMIT 9'
check 'pence of dynamic homes as published: exactly, where nothing was cut, and always to the penny' "
	SELECT p.*, b.way, b.pounds_raw
	FROM (SELECT *, replace(basis, 'utc', 'UTC') AS zone FROM london.published_month WHERE kind = 'ToU') AS p
	LEFT JOIN london.series_bill AS b ON (b.basis, b.home, b.month) = (p.zone, p.home, p.month)
	LEFT JOIN london.series_exact AS e ON (e.basis, e.home, e.month) = (p.zone, p.home, p.month)
	WHERE b.pounds IS DISTINCT FROM round(p.pence / 100, 2) OR abs(p.pence - b.pounds_raw * 100) > CASE WHEN e.cut THEN 0.001 ELSE 0 END"
check 'the exact ones are most of them' 'SELECT count(*) > 40 FROM london.series_exact WHERE NOT cut' t

# The same bills, whatever the order of arrival and the settings of the session.
bills="SELECT md5(string_agg(concat_ws('|', d.number, d.account_no, d.service, d.n, d.component, d.period, d.tier, d.quantity,
	d.price, d.amount_raw, d.amount, extract(epoch FROM lower(d.during)), d.quality), chr(10) ORDER BY d.account_no, d.service, d.n))
	FROM elecbill.bill_detail d"
same=$(psql -XAtqc "$bills")
psql -Xq -c "CREATE SCHEMA hostile; CREATE FUNCTION hostile.round(numeric, int) RETURNS numeric LANGUAGE sql AS 'SELECT 42.0';
	CREATE FUNCTION hostile.lower(daterange) RETURNS date LANGUAGE sql AS 'SELECT NULL::date';
	CREATE FUNCTION hostile.sum_wh(bigint, bigint) RETURNS boolean LANGUAGE sql AS 'SELECT true';
	CREATE OPERATOR hostile.= (LEFTARG = bigint, RIGHTARG = bigint, FUNCTION = hostile.sum_wh);" -d shuffled_a
PGOPTIONS="-c timezone=Australia/Lord_Howe -c datestyle=SQL,DMY -c max_parallel_workers_per_gather=2 -c parallel_setup_cost=0 -c parallel_tuple_cost=0 -c min_parallel_table_scan_size=0" \
	load "md5(home || at::text || kind)" shuffled_a 'hostile, pg_catalog'
PGOPTIONS="-c timezone=America/New_York -c datestyle=German -c enable_hashagg=off -c max_parallel_workers_per_gather=0 -c elecbill.batch_size=1" \
	load "at DESC, home" shuffled_b
db=shuffled_a check 'shuffled arrival, Lord Howe time, hostile search_path: the same bills' "$bills" "$same"
db=shuffled_b check 'newest first, New York time, one account a batch: the same bills' "$bills" "$same"
# The engine alone over the raw half hours, with and without parallel workers, rows shuffled.
psql -XAtq -v ON_ERROR_STOP=1 -f "$here/tariffs.sql" -f - <<'SQL' > "$WITH_PG_DIR/engine.out"
CREATE TABLE london.interval_value AS
SELECT home, at, (total_wh - before_wh)::bigint AS wh FROM london.half_hour ORDER BY md5(home || at::text);
ALTER TABLE london.interval_value SET (parallel_workers = 2);
ANALYZE london.interval_value;
\set form 'SELECT md5(string_agg(home || to_char(month, ''YYYY-MM'') || u::text || r, chr(10) ORDER BY home, month)) FROM (SELECT home, month, u, elecbill.rate_total(:''ldn_tou'', u) AS r FROM (SELECT home, date_trunc(''month'', at AT TIME ZONE ''Europe/London'') AS month, elecbill.usage(:''ldn_tou''::elecbill.tariff, at, wh, ''30 minutes'') AS u FROM london.interval_value GROUP BY 1, 2) AS s) AS t;'
SET max_parallel_workers_per_gather = 0;
:form
SET max_parallel_workers_per_gather = 2; SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0;
SET TimeZone = 'Asia/Shanghai';
:form
SET enable_hashagg = off;
SET TimeZone = 'America/St_Johns';
:form
SQL
if [ "$(wc -l < "$WITH_PG_DIR/engine.out")" -eq 3 ] && [ "$(sort -u "$WITH_PG_DIR/engine.out" | wc -l)" -eq 1 ]; then
	tally_passed=$((tally_passed + 1))
else
	echo 'not ok: usage() and rate_total() give the same with 0 and 2 workers'
	cat "$WITH_PG_DIR/engine.out"
	tally_failed=$((tally_failed + 1))
fi
check 'two workers really took part' "SET max_parallel_workers_per_gather = 2; SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0;
	DO \$\$ DECLARE plan jsonb; BEGIN EXECUTE 'EXPLAIN (FORMAT json) SELECT home, elecbill.usage(''{\"elecbill\":1,\"code\":\"x\",\"currency\":\"GBP\",\"components\":[{\"code\":\"e\",\"kind\":\"energy\",\"price\":1}]}''::elecbill.tariff, at, wh, ''30 minutes'') FROM london.interval_value GROUP BY home' INTO plan;
	ASSERT plan::text LIKE '%\"Partial Mode\": \"Partial\"%', plan::text; END \$\$"
tally_close london
