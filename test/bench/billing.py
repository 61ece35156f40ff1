"""billing -- what `make bench` measures of billing: runs of 100,000 accounts, and payments side by side

Each account has a month of load profiles and is on a plan with four periods, tiers of the year, a levy and
tax. The yardstick writes the very same rows ready-made: one INSERT ... SELECT for each table, into the same tables
with their indexes, foreign keys and triggers; nothing is rated, numbered or looked up. Each form finds the
tables empty. Amounts and numbers of rows must be equal before any time counts. A run by one worker against the
yardstick is of the time that a backend spent on a core (see run); one worker against two is of the time that
passed, so it says something on an idle machine only. Payments are made by 8 sessions at once, each bill once.
"""
import random
import statistics
import threading
import time

from host import Clock
from profiles import DAYS, FULL, VALUES, execute

ACCOUNTS = 100_000
RUNS = 1
PAYMENTS = 1000
SESSIONS = 8

GOALS = {
    "run_vs_insert": "at most 2",
    "run_workers_2_vs_1": "at least 1.7",
}
PER_SECOND = {"bills": None, "payments": None}

# as import_estate() would make it, in bulk
ESTATE = """
SELECT elecbill.org_create('RUN', 'Bench', 'Asia/Shanghai', 'CNY');
SELECT elecbill.tariff_draft('RUN/T', '[2024-01-01,)', {tariff}::text::jsonb, 'ann');
SELECT elecbill.tariff_approve('RUN/T', 1, 'bob');
INSERT INTO elecbill.meter_model (vendor, model, protocol, digits, decimals) VALUES ('Sim', 'RUN', 'dlt645', 6, 2);
INSERT INTO elecbill.service_location (org_id, code, kind)
	SELECT o.id, 'R' || lpad(i::text, 6, '0'), 'residential' FROM elecbill.org AS o, generate_series(1, {accounts}) AS i WHERE o.code = 'RUN';
INSERT INTO elecbill.usage_point (org_id, code, location_id, kind)
	SELECT l.org_id, l.code, l.id, 'consumer' FROM elecbill.service_location AS l JOIN elecbill.org AS o ON o.id = l.org_id WHERE o.code = 'RUN' ORDER BY l.id;
INSERT INTO elecbill.meter (org_id, serial, model_id, kind, interval_s)
	SELECT u.org_id, 'RUN' || u.code, d.id, 'smart', 900
	FROM elecbill.usage_point AS u JOIN elecbill.org AS o ON o.id = u.org_id, elecbill.meter_model AS d WHERE o.code = 'RUN' AND d.model = 'RUN' ORDER BY u.id;
INSERT INTO elecbill.meter_register (org_id, meter_id, code, wrap_wh)
	SELECT m.org_id, m.id, '1.8.0', 1000000000 FROM elecbill.meter AS m JOIN elecbill.org AS o ON o.id = m.org_id WHERE o.code = 'RUN' ORDER BY m.id;
INSERT INTO elecbill.meter_installation (org_id, meter_id, usage_point_id, valid)
	SELECT m.org_id, m.id, u.id, tstzrange('2025-12-31 00:00+08', NULL)
	FROM elecbill.meter AS m JOIN elecbill.usage_point AS u ON 'RUN' || u.code = m.serial ORDER BY m.id;
INSERT INTO elecbill.customer (org_id, code, name, kind)
	SELECT u.org_id, 'C' || u.code, 'Name', 'person' FROM elecbill.usage_point AS u JOIN elecbill.org AS o ON o.id = u.org_id WHERE o.code = 'RUN' ORDER BY u.id;
INSERT INTO elecbill.customer_account (org_id, account_no, customer_id, billing_cycle_id)
	SELECT c.org_id, 'A' || c.code, c.id, y.id FROM elecbill.customer AS c JOIN elecbill.org AS o ON o.id = c.org_id
	JOIN elecbill.billing_cycle AS y ON y.org_id = o.id AND y.code = 'MONTH' WHERE o.code = 'RUN' ORDER BY c.id;
INSERT INTO elecbill.customer_agreement (org_id, account_id, usage_point_id, tariff_plan_id, valid)
	SELECT u.org_id, a.id, u.id, p.id, daterange('2026-01-01', NULL)
	FROM elecbill.usage_point AS u JOIN elecbill.customer_account AS a ON a.org_id = u.org_id AND a.account_no = 'AC' || u.code
	JOIN elecbill.tariff_plan AS p ON p.org_id = u.org_id AND p.code = 'T' ORDER BY u.id;
SELECT elecbill._profile_partition('2026-01-01');
INSERT INTO elecbill.profile_day (usage_point_id, org_id, day, direction, origin, exact, profile)
	SELECT v.point, u.org_id, v.day, 0, 1, true, v.profile FROM ({month}) AS v JOIN elecbill.usage_point AS u ON u.id = v.point
	ORDER BY v.day, v.point;
VACUUM (ANALYZE)"""

# what a run leaves behind, in the order in which foreign keys allow it; the columns that INSERT may name
TABLES = ["bill", "bill_segment", "bill_line", "bill_exception", "usage_counter", "ledger_account", "ledger_transfer",
          "account_balance", "outbox"]
COLUMNS = """SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) FROM pg_attribute
WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = ''"""
MADE = """SELECT count(*), sum(amount), (SELECT count(*) FROM elecbill.bill_line), (SELECT count(*) FROM elecbill.bill_segment),
	(SELECT sum(amount) FROM elecbill.ledger_transfer), (SELECT count(*) FROM elecbill.ledger_transfer),
	(SELECT sum(debit) - sum(credit) FROM elecbill.account_balance), count(*) FILTER (WHERE status = 'issued') FROM elecbill.bill"""
START = "SELECT elecbill.bill_run_start('RUN', 'MONTH', '[2026-01-01,2026-02-01)')"


class Billing:
    """All of it, in a database of its own; scale: a part of the accounts, for trying out"""

    def __init__(self, connect, cursor, clock, runs, scale=1.0):
        self.connect = connect
        self.cursor = cursor
        self.clock = clock
        self.runs = min(runs, RUNS)
        self.accounts = max(PAYMENTS, int(ACCOUNTS * scale))
        self.times = {}
        self.ratios = {}
        self.per_second = {}
        self.columns = {}

    def add(self, name, seconds):
        """One more time"""
        self.times.setdefault(name, []).append(seconds)

    def median(self, name):
        """Seconds"""
        return statistics.median(self.times[name])

    def value(self, query, *args):
        """The first column of the first row"""
        self.cursor.execute(query, args)
        return self.cursor.fetchone()[0]

    def set_up(self):
        """The schema, if another part has not made it, and the accounts"""
        if self.value("SELECT to_regclass('elecbill.org') IS NULL"):
            self.cursor.execute("CALL elecbill.create_schema()")
        month = VALUES.format(first=0, last=DAYS + 1, points="SELECT u.id FROM elecbill.usage_point AS u"
                              " JOIN elecbill.org AS o ON o.id = u.org_id WHERE o.code = 'RUN'")
        execute(self.cursor, ESTATE.format(accounts=self.accounts, tariff=FULL, month=month))
        for table in TABLES:
            self.columns[table] = self.value(COLUMNS, f"elecbill.{table}")

    def triggers(self, command):
        """ENABLE or DISABLE those of the schema layer"""
        self.cursor.execute("SELECT string_agg(format('ALTER TABLE %s %s TRIGGER USER', c.oid::regclass, $$" + command + "$$), '; ') FROM pg_class c"
                            " WHERE c.relnamespace = 'elecbill'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition")
        self.cursor.execute(self.cursor.fetchone()[0])

    def empty(self):
        """Takes away what a run has written, which no trigger would allow"""
        self.triggers("DISABLE")
        self.cursor.execute(f"TRUNCATE {', '.join('elecbill.' + table for table in TABLES)}, elecbill.bill_run, elecbill.bill_run_batch, elecbill.number_counter CASCADE")
        self.triggers("ENABLE")

    def work(self, workers):
        """Seconds that pass while workers rate all accounts; the run"""
        run = self.value(START)
        cursors = [self.connect().cursor() for _ in range(workers)]
        start = time.monotonic()
        threads = [threading.Thread(target=cursor.execute, args=("CALL elecbill.bill_run_work(%s)", [run])) for cursor in cursors]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        seconds = time.monotonic() - start
        for cursor in cursors:
            cursor.connection.close()
        return seconds

    def one_worker(self):
        """The whole of a run by one backend: rated, issued"""
        connection = self.connect()
        cursor = connection.cursor()
        clock = Clock(connection.info.backend_pid)
        begin, start = clock.now(), time.monotonic()
        cursor.execute(START)
        run = cursor.fetchone()[0]
        work = time.monotonic()
        cursor.execute("CALL elecbill.bill_run_work(%s)", [run])
        self.add("run_work_passed", time.monotonic() - work)
        cursor.execute("CALL elecbill.bill_run_issue(%s)", [run])
        self.add("run", clock.now() - begin)
        self.add("run_passed", time.monotonic() - start)
        connection.close()

    def ready_made(self):
        """The same rows from tables that have them; the ids that they had"""
        connection = self.connect()
        cursor = connection.cursor()
        clock = Clock(connection.info.backend_pid)
        # bill_line refers to bill_segment, transfers to bills: as one transaction
        begin = clock.now()
        cursor.execute("BEGIN")
        for table in TABLES:
            cursor.execute(f"INSERT INTO elecbill.{table} ({self.columns[table]}) OVERRIDING SYSTEM VALUE SELECT {self.columns[table]} FROM ready_{table}")
        cursor.execute("COMMIT")
        self.add("insert", clock.now() - begin)
        connection.close()

    def measure_runs(self):
        """One worker, the yardstick, two workers, in turn"""
        for _ in range(self.runs):
            self.empty()
            self.one_worker()
            self.cursor.execute(MADE)
            made = self.cursor.fetchone()
            if made[0] != self.accounts or made[-1] != self.accounts:
                raise SystemExit(f"bench: {made[0]} bills, {made[-1]} of them issued")
            for table in TABLES:
                execute(self.cursor, f"DROP TABLE IF EXISTS ready_{table};\nCREATE UNLOGGED TABLE ready_{table} AS SELECT * FROM elecbill.{table};\n"
                        f"ANALYZE ready_{table}")
            # the run itself stays, for the rows refer to it
            self.cursor.execute("CREATE TEMP TABLE the_run AS SELECT * FROM elecbill.bill_run")
            self.empty()
            self.cursor.execute("INSERT INTO elecbill.bill_run OVERRIDING SYSTEM VALUE SELECT * FROM the_run")
            self.ready_made()
            self.cursor.execute(MADE)
            if self.cursor.fetchone() != made:
                raise SystemExit("bench: the rows differ, no time is worth printing")
            self.empty()
            self.cursor.execute("DROP TABLE the_run")
            self.add("run_2_work_passed", self.work(2))
        self.ratios["run_vs_insert"] = round(self.median("run") / self.median("insert"), 2)
        self.ratios["run_workers_2_vs_1"] = round(self.median("run_work_passed") / self.median("run_2_work_passed"), 2)
        self.per_second["bills"] = round(self.accounts / self.median("run"))

    def measure_payments(self):
        """Bills of 1,000 accounts are paid by 8 sessions at once, in any order"""
        run = self.value(START)    # the one that two workers have rated
        self.cursor.execute("CALL elecbill.bill_run_issue(%s)", [run])
        self.cursor.execute("SELECT number, amount FROM elecbill.bill WHERE run_id = %s AND amount > 0 ORDER BY number LIMIT %s", [run, PAYMENTS])
        bills = self.cursor.fetchall()
        random.Random(1).shuffle(bills)
        failed = []

        def pay(share):
            cursor = self.connect().cursor()
            for number, amount in share:
                try:
                    cursor.execute("SELECT outcome FROM elecbill.pay_bill('RUN/' || %s, %s, %s, 'bank')", [number, amount, "pay-" + number])
                except Exception as error:    # a deadlock above all
                    failed.append(str(error))
            cursor.connection.close()

        threads = [threading.Thread(target=pay, args=(bills[n::SESSIONS],)) for n in range(SESSIONS)]
        start = time.monotonic()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        passed = time.monotonic() - start
        paid = self.value("SELECT count(*) FROM elecbill.bill WHERE run_id = %s AND status = 'paid'", run)
        wrong = self.value("SELECT count(*) FROM elecbill.fsck()")
        if failed or paid != len(bills) or wrong:
            raise SystemExit(f"bench: {paid} of {len(bills)} payments, {wrong} rows of fsck(), {failed[:1]}")
        self.add("payments", passed)
        self.per_second["payments"] = round(len(bills) / passed)

    def measure(self):
        """{name: ratio}"""
        self.set_up()
        self.measure_runs()
        self.measure_payments()
        return self.ratios
