# shellcheck shell=bash
# next_month.sh -- the demo database goes on: sourced by tests, under test/with-pg

# next_month DATABASE: a month of daily readings behind the demo's, then the run, at a clock set
# forward. Prints next_month_said when no reading was refused, twelve bills were issued and fsck()
# found nothing.
# shellcheck disable=SC2034 # for those who source this
next_month_said=$'f\n0\n12'
next_month() {
	local closed
	closed=$(psql -XAtqc 'SELECT max(upper(service)) FROM elecbill.bill' "$1")
	psql -XAtq -v ON_ERROR_STOP=1 -v closed="$closed" -U "$PGSUPERUSER" -d "$1" <<'SQL' 2>&1
SELECT set_config('elecbill.clock_override', ((:'closed'::date + interval '1 month')::timestamp || '+00'), false) IS NULL;
SELECT i.rejected + i.conflict FROM elecbill.collector c, (
	SELECT array_agg(m.serial ORDER BY d, m.serial) AS meters, array_agg(r.code ORDER BY d, m.serial) AS registers,
		array_agg((:'closed'::date + d)::timestamp AT TIME ZONE 'Asia/Shanghai' ORDER BY d, m.serial) AS read_at,
		array_agg((l.register_wh + d * 5000) % r.wrap_wh / 1000.0 ORDER BY d, m.serial) AS kwh,
		array_agg(0) AS quality, array_agg(NULL::timestamptz) AS meter_at
	FROM elecbill.reading_latest l JOIN elecbill.meter_register r ON r.id = l.register_id AND r.code = '1.8.0'
	JOIN elecbill.meter m ON m.id = r.meter_id,
		generate_series(1, (:'closed'::date + interval '1 month')::date - :'closed'::date) AS d) AS b,
	elecbill.ingest(c.id, c.acked_seq + 1, b.meters, b.registers, b.read_at, b.kwh, b.quality, b.meter_at) AS i;
SELECT elecbill.bill_run_start('garden', 'MONTH', daterange(:'closed', (:'closed'::date + interval '1 month')::date), 'offcycle') AS run \gset
CALL elecbill.bill_run_work(:run);
CALL elecbill.bill_run_issue(:run);
SELECT count(*) FROM elecbill.bill WHERE run_id = :run AND number IS NOT NULL;
SELECT * FROM elecbill.fsck();
SQL
}
