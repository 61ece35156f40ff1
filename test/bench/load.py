"""load -- what `make bench-collector` measures of reading: one collector, many buses, some thousand meters

load_sim (test/collector) is all meters in one process, on pseudo-terminals; each reply gives five readings. The collector's
time on a core and its memory are those the kernel tells. Intervals differ from bus to bus, for all slots begin at multiples
of the interval and end with its first half: buses of one interval would all rest at the same time.
"""
import atexit
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time

import psycopg2

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
COLLECTOR = "00000000-0000-4000-8000-000000000002"
CORE_GOAL, MEMORY_GOAL = 10, 32         # % of a core, MiB
GOALS = {"readings per second": "at least 1,000", "% of a core": f"at most {CORE_GOAL}", "MiB": f"at most {MEMORY_GOAL}"}

ESTATE = """
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS elecbill;
CALL elecbill.create_schema();
INSERT INTO elecbill.org (code, name, zone, currency) VALUES ('L', 'Load', 'Asia/Shanghai', 'CNY');
INSERT INTO elecbill.meter_model (vendor, model, protocol, digits, decimals) VALUES ('Load', 'any', 'dlt645', 6, 2);
INSERT INTO elecbill.collector (id, org_id, code) SELECT '%(collector)s', id, 'load' FROM elecbill.org WHERE code = 'L';
INSERT INTO elecbill.service_location (org_id, code, kind)
	SELECT o.id, lpad(p::text, 6, '0') || lpad(m::text, 6, '0'), 'residential'
	FROM elecbill.org AS o, generate_series(1, %(ports)s) AS p, generate_series(1, %(meters)s) AS m WHERE o.code = 'L';
INSERT INTO elecbill.usage_point (org_id, code, location_id, kind)
	SELECT l.org_id, l.code, l.id, 'consumer' FROM elecbill.service_location AS l;
INSERT INTO elecbill.meter (org_id, serial, model_id, kind, interval_s)
	SELECT l.org_id, l.code, d.id, 'smart', 900 FROM elecbill.service_location AS l, elecbill.meter_model AS d;
INSERT INTO elecbill.meter_register (org_id, meter_id, code, wrap_wh)
	SELECT m.org_id, m.id, '1.8.' || t, 1000000000 FROM elecbill.meter AS m, generate_series(0, 4) AS t;
INSERT INTO elecbill.meter_installation (org_id, meter_id, usage_point_id, valid)
	SELECT m.org_id, m.id, u.id, tstzrange('2020-01-01 00:00+00', NULL)
	FROM elecbill.meter AS m JOIN elecbill.usage_point AS u ON u.code = m.serial;
ANALYZE"""

# per meter: readings of all five registers, and the sum of their values in hundredths of a kWh
FOUND = """SELECT m.serial, count(r.read_at), coalesce(sum(r.register_wh), 0)::bigint / 10
FROM elecbill.meter AS m JOIN elecbill.meter_register AS g ON g.meter_id = m.id LEFT JOIN elecbill.reading AS r ON r.register_id = g.id
GROUP BY 1"""


class Load:
    """ports x meters, read at the intervals in turn; flood: bytes a second of rubbish on one port more"""

    def __init__(self, ports, meters, intervals, delay_ms=40, flood=0, conninfo=""):
        self.ports, self.meters, self.intervals, self.flood = ports, meters, intervals, flood
        self.folder = tempfile.mkdtemp(prefix="elecbill-load.")
        here = os.path.join(ROOT, "test", "collector")
        subprocess.run(["cc", "-O2", "-g", "-Wall", "-Wextra", "-o", self.folder + "/load_sim", here + "/load_sim.c"], check=True)
        connection = psycopg2.connect("")
        connection.autocommit = True
        with connection.cursor() as cursor:
            for statement in (ESTATE % {"collector": COLLECTOR, "ports": ports, "meters": meters}).split(";"):
                cursor.execute(statement)
        connection.close()
        self.sim = subprocess.Popen([self.folder + "/load_sim", self.folder, str(ports), str(meters), str(delay_ms)], stdout=subprocess.PIPE, text=True)
        self.sim.stdout.readline()
        self.rubbish, self.poured, self.stopped = None, 0, threading.Event()
        self.configure(conninfo)
        with open(self.folder + "/err", "w", encoding="utf-8") as err:
            self.daemon = subprocess.Popen([os.path.join(ROOT, "collector", "elecbill-collector"), "-c", self.folder + "/load.conf"], stderr=err)
        atexit.register(self.end)

    def end(self):
        """Nothing is left, also when something failed"""
        for process in (self.daemon, self.sim):
            if process.poll() is None:
                process.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def configure(self, conninfo):
        """The file of the collector"""
        ports, meters = [], []
        for port in range(1, self.ports + 1):
            interval = self.intervals[port % len(self.intervals)]
            ports.append(f'{{ name = "p{port}"; path = "{self.folder}/p{port}"; speed = 115200; reply_ms = 180; retries = 0; pause_ms = 2; echo = "off"; }}')
            for meter in range(1, self.meters + 1):
                # the first four tenths of the interval, evenly
                offset = interval * 4 * (meter - 1) // (10 * self.meters)
                meters.append(f'{{ serial = "{port:06}{meter:06}"; port = "p{port}"; interval = {interval}; offset = {offset}; identity = ""; }}')
        if self.flood:
            master, slave = os.openpty()
            ports.append(f'{{ name = "flood"; path = "{os.ttyname(slave)}"; protocol = "csvline"; }}')
            meters.append('{ serial = "nobody"; port = "flood"; }')
            self.rubbish = (master, slave)
            threading.Thread(target=self.pour, daemon=True).start()
        with open(self.folder + "/load.conf", "w", encoding="utf-8") as out:
            out.write(f'collector: {{ id = "{COLLECTOR}"; ntp = false; log = "error"; }};\ndatabase: {{ conninfo = "{conninfo}"; }};\n'
                      f'spool: {{ directory = "{self.folder}/spool"; }};\nhealth: {{ socket = "{self.folder}/sock"; }};\n'
                      f'ports: ( {", ".join(ports)} );\nmeters: ( {", ".join(meters)} );\n')

    def pour(self):
        """Rubbish, in small pieces: a terminal holds little"""
        piece = bytes(33 + i * 7 % 90 for i in range(199)) + b"\n"
        os.set_blocking(self.rubbish[0], False)
        while not self.stopped.wait(0.002):
            for _ in range(self.flood // 500 // len(piece)):
                try:
                    self.poured += os.write(self.rubbish[0], piece)
                except BlockingIOError:
                    break

    def status(self):
        """What the health socket says, without the meters"""
        client = socket.socket(socket.AF_UNIX)
        client.settimeout(20)
        client.connect(self.folder + "/sock")
        client.sendall(b"status\n")
        got = b""
        while piece := client.recv(1 << 20):
            got += piece
        client.close()
        return json.loads(got)

    def core_s(self):
        """Seconds of the collector on a core, as the scheduler knows them: ticks would miss most of its short turns"""
        with open(f"/proc/{self.daemon.pid}/schedstat", encoding="ascii") as stat:
            return int(stat.read().split()[0]) * 1e-9

    def memory(self, name="VmRSS"):
        """MiB; VmHWM: the most there was"""
        with open(f"/proc/{self.daemon.pid}/status", encoding="ascii") as status:
            return next(int(line.split()[1]) for line in status if line.startswith(name)) / 1024

    def measure(self, warm_s, seconds):
        """Readings a second, % of a core, MiB at the most, MiB grown after the warm-up"""
        time.sleep(warm_s)
        rows, core, memory, begun = self.status()["spool"]["rows"], self.core_s(), self.memory(), time.monotonic()
        time.sleep(seconds)
        # the answer of status is large, and not what is measured
        core, memory, passed = self.core_s() - core, self.memory() - memory, time.monotonic() - begun
        return {"readings per second": (self.status()["spool"]["rows"] - rows) / passed, "% of a core": 100 * core / passed,
                "MiB": self.memory("VmHWM"), "MiB grown": memory}

    def finish(self):
        """Ends everything; what is wrong, as text: nothing when the table holds exactly what was served"""
        gaps = sum(meter["gaps"] for meter in self.status()["meters"])
        self.daemon.send_signal(signal.SIGTERM)
        status = self.daemon.wait(60)
        self.stopped.set()
        self.sim.terminate()
        served = {words[0]: int(words[1]) for words in map(str.split, self.sim.communicate()[0].splitlines())}
        connection = psycopg2.connect("")
        with connection.cursor() as cursor:
            cursor.execute(FOUND)
            found = {serial: (count, total) for serial, count, total in cursor.fetchall()}
        connection.close()
        wrong = [serial for serial, count in served.items() if found[serial] != (5 * count, 5 * count * (count + 1) // 2)]
        out = [f"exit status {status}"] if status else []
        out += [f"{len(wrong)} meters, such as {wrong[0]}: served {served[wrong[0]]}, found {found[wrong[0]]}"] if wrong else []
        out += [f"{gaps} slots without a reading"] if gaps else []
        return "; ".join(out), sum(served.values()) * 5
