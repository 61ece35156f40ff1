"""backlog -- what `make bench-collector` measures of delivery: a full spool into the database

A spool with a million readings of 10,000 registers (a day and an hour of quarter hours) is drained by the
collector's own spool and sink through the real ingest(). Yardstick: one COPY of the same rows into the same
table of a database that has the same meters. Both databases are made from one template, the forms run in turn.
Rows are compared before any time counts. "backlog / COPY" is of the time that the server's process spent on a
core, so that other work on the machine does not count (Linux; else of the time that passed); "by the clock" and
rows per second are of the time that passed.
"""
import json
import os
import shutil
import statistics
import subprocess
import tempfile
import time

import psycopg2

from host import Clock

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
COLLECTOR = "00000000-0000-4000-8000-000000000001"
METERS, REGISTERS = 2000, 5
START_S = 1767225600        # 2026-01-01 00:00 UTC
GOALS = {"backlog / COPY": "at least 0.5"}
PER_SECOND = {"drain": "at least 20,000"}

ESTATE = f"""
CREATE EXTENSION elecbill;
CALL elecbill.create_schema();
INSERT INTO elecbill.org (code, name, zone, currency) VALUES ('B', 'Bench', 'Asia/Shanghai', 'CNY');
INSERT INTO elecbill.meter_model (vendor, model, protocol, digits, decimals) VALUES ('Sim', 'any', 'dlt645', 6, 2);
INSERT INTO elecbill.collector (id, org_id, code) SELECT '{COLLECTOR}', id, 'bench' FROM elecbill.org;
INSERT INTO elecbill.service_location (org_id, code, kind)
	SELECT o.id, 'B' || lpad(i::text, 6, '0'), 'residential' FROM elecbill.org AS o, generate_series(1, {METERS}) AS i;
INSERT INTO elecbill.usage_point (org_id, code, location_id, kind)
	SELECT l.org_id, l.code, l.id, 'consumer' FROM elecbill.service_location AS l;
INSERT INTO elecbill.meter (org_id, serial, model_id, kind, interval_s)
	SELECT l.org_id, l.code, d.id, 'smart', 900 FROM elecbill.service_location AS l, elecbill.meter_model AS d;
INSERT INTO elecbill.meter_register (org_id, meter_id, code, wrap_wh)
	SELECT m.org_id, m.id, '1.8.' || t, 1000000000 FROM elecbill.meter AS m, generate_series(0, {REGISTERS} - 1) AS t;
INSERT INTO elecbill.meter_installation (org_id, meter_id, usage_point_id, valid)
	SELECT m.org_id, m.id, u.id, tstzrange('2020-01-01 00:00+00', NULL)
	FROM elecbill.meter AS m JOIN elecbill.usage_point AS u ON u.code = m.serial;
DO $$ BEGIN PERFORM elecbill.partition_maintain(0, to_timestamp({START_S})::date); END $$;
ANALYZE"""

COLUMNS = "register_id, read_at, register_wh, slot_at, meter_at, received_at, seq, collector_id, org_id, quality, source"
# what COPY must store too
SAME = f"SELECT count(*), md5(string_agg(r::text, ';' ORDER BY r.register_id, r.read_at)) FROM (SELECT {COLUMNS} FROM elecbill.reading) AS r"


def connect(database):
    """A connection that commits by itself"""
    connection = psycopg2.connect(dbname=database)
    connection.autocommit = True
    return connection


class Backlog:
    """Spool, template and what was measured"""

    def __init__(self, admin, clock, rows, runs):
        self.admin, self.clock, self.rows, self.runs = admin, clock, rows, runs
        self.folder = tempfile.mkdtemp(prefix="elecbill-backlog.")
        self.times = {"drain": [], "COPY": []}
        self.core = {"drain": [], "COPY": []}
        self.same = None

    def database(self, name):
        """A new database as the template is"""
        self.admin.execute(f"DROP DATABASE IF EXISTS {name}")
        self.admin.execute(f"CREATE DATABASE {name} TEMPLATE backlog_template STRATEGY FILE_COPY")

    def set_up(self):
        """Template, spool"""
        self.admin.execute("CREATE DATABASE backlog_template")
        connection = connect("backlog_template")
        for statement in ESTATE.split(";\n"):
            connection.cursor().execute(statement)
        connection.close()
        subprocess.run([os.path.join(ROOT, "test", "collector", "build-spool"), self.folder], check=True)
        subprocess.run([os.path.join(self.folder, "spool_fill"), os.path.join(self.folder, "full"), COLLECTOR,
                        str(METERS), str(REGISTERS), str(self.rows), str(START_S)], check=True)

    def drain(self):
        """Seconds from the first connection until everything is committed"""
        self.database("backlog_drain")
        spool = os.path.join(self.folder, "spool")
        shutil.rmtree(spool, ignore_errors=True)
        shutil.copytree(os.path.join(self.folder, "full"), spool)
        done = subprocess.run([os.path.join(self.folder, "spool_drain"), spool, COLLECTOR, "dbname=backlog_drain"],
                              check=True, stdout=subprocess.PIPE, text=True)
        counts = json.loads(done.stdout)
        if counts["accepted"] != self.rows or counts["failures"] > 0:
            raise SystemExit(f"backlog: {counts} instead of {self.rows} rows accepted")
        self.times["drain"].append(counts["seconds"])
        self.core["drain"].append(counts["core"])
        connection = connect("backlog_drain")
        cursor = connection.cursor()
        cursor.execute(SAME)
        self.same = cursor.fetchone()
        connection.close()

    def copy(self):
        """Seconds of one COPY of the same rows, in the order in which they came"""
        path = os.path.join(self.folder, "rows")
        connection = connect("backlog_drain")
        with open(path, "w", encoding="ascii") as out:
            connection.cursor().copy_expert(f"COPY (SELECT {COLUMNS} FROM elecbill.reading ORDER BY seq) TO STDOUT", out)
        connection.close()
        self.database("backlog_copy")
        connection = connect("backlog_copy")
        clock = Clock(connection.info.backend_pid)
        start, core = time.monotonic(), clock.now()
        with open(path, encoding="ascii") as rows:
            connection.cursor().copy_expert(f"COPY elecbill.reading ({COLUMNS}) FROM STDIN", rows)
        self.times["COPY"].append(time.monotonic() - start)
        self.core["COPY"].append(clock.now() - core)
        cursor = connection.cursor()
        cursor.execute(SAME)
        if self.same[0] != self.rows or cursor.fetchone() != self.same:
            raise SystemExit("backlog: COPY stored other rows, no time is worth printing")
        connection.close()

    def measure(self):
        """All runs"""
        try:
            self.set_up()
            for _ in range(self.runs):
                self.drain()
                self.copy()
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)
            for name in ("backlog_drain", "backlog_copy", "backlog_template"):
                self.admin.execute(f"DROP DATABASE IF EXISTS {name}")

    def ratios(self):
        """{name: COPY's median / the backlog's}"""
        names = {"backlog / COPY": self.core if self.clock == "core" else self.times, "by the clock": self.times}
        return {name: round(statistics.median(of["COPY"]) / statistics.median(of["drain"]), 3) for name, of in names.items()}

    def per_second(self):
        """{form: rows}"""
        return {name: round(self.rows / statistics.median(values)) for name, values in self.times.items()}
