"""profiles -- what `make bench` measures of load profiles: the real table, a year of days, packing

Days of quarter hours as homes have them: mostly some hundred Wh, now and then up to 1,500, one of a thousand
missing. The same data as rows (id, ts, wh) is the yardstick, and count(*) over the packed rows, the least that
the executor can do.
"""
import json
import statistics
import threading
import time

POINTS = 3500      # of the month in elecbill.profile_day
DAYS = 30
YEAR_POINTS = 1000
YEAR_COPIES = 3.3  # for the workers: 1.2 million rows
PACK_POINTS = 200
PACK_RUNS = 5
PACK_DAYS = 6      # of a run

PRICE = {"sharp": 1.2, "peak": 0.9, "flat": 0.568, "valley": 0.288}
HOURS = {"sharp": "19,20", "peak": "8,9,10,17,18,21,22", "valley": "23,0,1,2,3,4,5,6", "flat": "7,11,12,13,14,15,16"}


def tariff(*components, **energy):
    """The SQL constant of a tariff with four periods"""
    schedule = [{"period": "sharp", "spans": [["19:00", "21:00"]]},
                {"period": "peak", "spans": [["08:00", "11:00"], ["17:00", "23:00"]]},
                {"period": "valley", "spans": [["23:00", "07:00"]]}, {"period": "flat"}]
    definition = {"elecbill": 1, "code": "bench", "currency": "CNY", "zone": "Asia/Shanghai", "schedules": {"tou": schedule},
                  "components": [{"code": "energy", "kind": "energy", "price": {"period": PRICE}, **energy}, *components]}
    return f"'{json.dumps(definition)}'::elecbill.tariff"


TOU = tariff()
FULL = tariff({"code": "fund", "kind": "energy", "price": 0.0275},
              {"code": "levy", "kind": "percent", "percent": 1.6, "base": ["energy"]},
              {"code": "tax", "kind": "percent", "percent": 13},
              tier={"mode": "adder", "scope": "year",
                    "steps": [{"up_to": 960, "price": 0}, {"up_to": 2160, "price": 0.05}, {"price": 0.3}]})

# {first}, {last}: days from 2026-01-01; a value is drawn by hashing its point and slot
VALUES = """
SELECT p.id AS point, date '2026-01-01' + d AS day, elecbill.load_profile(
	timestamptz '2026-01-01 00:00+08' + d * interval '1 day', '15 minutes',
	(SELECT array_agg(CASE WHEN h % 1000 = 7 THEN NULL WHEN h % 11 = 0 THEN h / 16 % 1501 ELSE h / 16 % 240 END)
	FROM (SELECT hashint8(p.id * 1000003 + d * 131 + slot)::bigint & 2147483647 AS h FROM generate_series(0, 95) AS slot) AS v)) AS profile
FROM generate_series({first}, {last} - 1) AS d, ({points}) AS p(id)"""

ESTATE = """
SELECT elecbill.org_create('{org}', 'Bench');
SELECT elecbill.tariff_draft('{org}/T', '[2024-01-01,)', {tariff}::text::jsonb, 'ann');
SELECT elecbill.tariff_approve('{org}/T', 1, 'bob');
SELECT line, message FROM elecbill.import_estate('{org}', convert_to(
	E'room,account_no,name,kind,meter_no,model,last_reading,last_read_at,tariff,interval_min\\n' || (
	SELECT string_agg(format('R%1$s,A%1$s,Name,residential,{org}%1$s,DDS,100.000,2026-01-01,T,15', lpad(i::text, 5, '0')), E'\\n' ORDER BY i)
	FROM generate_series(1, {points}) AS i), 'UTF8'))"""

SETUP = """
SELECT elecbill._profile_partition('2026-01-01');
INSERT INTO elecbill.profile_day (usage_point_id, org_id, day, direction, origin, exact, profile)
SELECT v.point, u.org_id, v.day, 0, 1, true, v.profile FROM ({month}) AS v JOIN elecbill.usage_point AS u ON u.id = v.point
ORDER BY v.day, v.point;
CREATE UNLOGGED TABLE value_row (id integer, ts timestamptz, wh integer);
INSERT INTO value_row SELECT p.usage_point_id, v.at, v.energy_wh
FROM elecbill.profile_day AS p, elecbill.profile_values(p.profile) AS v WHERE v.energy_wh IS NOT NULL;
CREATE UNLOGGED TABLE year_day (LIKE elecbill.profile_day);
INSERT INTO year_day (usage_point_id, packed_at, org_id, day, direction, version, origin, exact, profile)
SELECT point, '2027-01-01', 1, day, 0, 1, 1, true, profile FROM ({year}) AS v ORDER BY day, point;
CREATE UNLOGGED TABLE quarter_day (LIKE elecbill.profile_day);
INSERT INTO quarter_day SELECT * FROM year_day WHERE day < date '2026-01-01' + 91;
CREATE UNLOGGED TABLE worker_day (LIKE elecbill.profile_day);
INSERT INTO worker_day (usage_point_id, packed_at, org_id, day, direction, version, origin, exact, profile)
SELECT usage_point_id + n * 1000000, packed_at, org_id, day, direction, version, origin, exact, profile
FROM generate_series(0, {copies}) AS n, year_day WHERE n + usage_point_id::numeric / {year_points} <= {copies};
VACUUM (FREEZE, ANALYZE) elecbill.profile_day;
VACUUM (FREEZE, ANALYZE) value_row;
VACUUM (FREEZE, ANALYZE) year_day;
VACUUM (FREEZE, ANALYZE) quarter_day;
VACUUM (FREEZE, ANALYZE) worker_day"""

READINGS = """
SELECT elecbill.partition_maintain(1, '2026-01-01');
INSERT INTO elecbill.reading (register_id, read_at, slot_at, register_wh, org_id, source)
SELECT g.id, at, at, 100000 + n * 230 + (n * 7919 + g.id) % 200, g.org_id, 1
FROM elecbill.meter_register AS g JOIN elecbill.meter AS m ON m.id = g.meter_id, LATERAL (
	SELECT n, timestamptz '2026-01-01 00:00+08' + n * interval '15 minutes' AS at FROM generate_series(1, 96 * {days}) AS n) AS s
WHERE g.code = '1.8.0' AND m.serial LIKE '{org}%' ORDER BY at, g.id;
VACUUM (ANALYZE) elecbill.reading"""


def by_point(amount, table="elecbill.profile_day"):
    """One amount per point"""
    return f"SELECT usage_point_id AS id, {amount} AS amount FROM {table} GROUP BY usage_point_id"


def bill(of, table="elecbill.profile_day"):
    """rate_total() of usage() of profiles"""
    return by_point(f"elecbill.rate_total({of}, elecbill.usage({of}, profile))", table)


def case():
    """Each period's kWh x price in plain SQL, rounded once; the local hour of a row is worked out once"""
    lines = [f"round(sum(CASE WHEN hour IN ({HOURS[period]}) THEN wh ELSE 0 END) * 0.001 * {price}, 2)" for period, price in PRICE.items()]
    hours = "(SELECT id, wh, extract(hour FROM ts AT TIME ZONE 'Asia/Shanghai')::integer AS hour FROM value_row OFFSET 0) AS r"
    return f"SELECT id, {' + '.join(lines)} AS amount FROM {hours} GROUP BY id"


FORMS = {
    "profile_count": by_point("count(*)"),
    "profile_tou": bill(TOU),
    "profile_full": bill(FULL),
    "rows_sum": "SELECT id, sum(wh) AS amount FROM value_row GROUP BY id",
    "rows_case": case(),
}
WORKERS = {"workers": bill(TOU, "worker_day"), "workers_count": by_point("count(*)", "worker_day")}
YEAR = {f"profile_{days}_days": bill(TOU, table) for days, table in ((91, "quarter_day"), (365, "year_day"))}

# the engine's amounts by profile, and those by rows and of plain SQL
SAME = [
    (FORMS["profile_tou"], FORMS["rows_case"]),
    (FORMS["profile_full"], f"SELECT id, elecbill.rate_total({FULL}, elecbill.usage({FULL}, ts, wh, '15 minutes')) AS amount FROM value_row GROUP BY id"),
]

# name: (form, yardstick, goal)
RATIOS = {
    "profile_tou_vs_count": ("profile_tou", "profile_count", "at most 1.6"),
    "profile_full_vs_count": ("profile_full", "profile_count", "at most 2.0"),
    "sum_rows_vs_profile": ("rows_sum", "profile_tou", "at least 40"),
    "case_rows_vs_profile": ("rows_case", "profile_tou", "at least 200"),
}
GOALS = {
    **{name: goal for name, (_, _, goal) in RATIOS.items()},
    "heap_rows_vs_profile": "at least 16",
    "workers_2_vs_1": "at least 1.5",
    "workers_count_2_vs_1": None,
    "year_vs_quarter_a_row": "at most 1.2",
    "year_vs_quarter_memory": "at most 4",
    "pack_vs_array_agg": "at most 2",
}


def execute(cursor, script):
    """Statements one by one"""
    for statement in script.split(";\n"):
        if statement.strip():
            cursor.execute(statement)


def count(cursor, form):
    """Runs a form on the server"""
    cursor.execute(f"SELECT count(*), count(amount) FROM ({form}) AS f")


class Memory:
    """kB of one backend: RssAnon, what it alone has, and VmHWM, the most so far with shared buffers that it touched"""

    def __init__(self, pid):
        self.path = f"/proc/{pid}/status"
        self.kilobytes = {}

    def read(self):
        """{field: kB}, empty where the system does not tell"""
        try:
            with open(self.path, encoding="ascii") as status:
                lines = (line.split() for line in status)
                return {words[0].rstrip(":"): int(words[1]) for words in lines if words[0] in ("RssAnon:", "VmHWM:")}
        except OSError:
            return {}

    def keep(self, name, work=lambda: None):
        """Does the work; keeps the most that was seen of each field meanwhile, and what is left after it"""
        most = self.read()
        done = threading.Event()

        def watch():
            while not done.wait(0.001):
                for field, value in self.read().items():
                    most[field] = max(value, most.get(field, 0))

        watcher = threading.Thread(target=watch)
        watcher.start()
        work()
        done.set()
        watcher.join()
        for field, value in self.read().items():
            self.kilobytes[f"{name}_{field}"] = max(value, most[field])
            if field == "RssAnon":
                self.kilobytes[f"{name}_left"] = value


class Profiles:
    """All of it, on a fresh database; scale: a part of the points, for trying out"""

    def __init__(self, connect, cursor, clock, runs, scale=1.0):
        self.connect = connect
        self.cursor = cursor
        self.clock = clock
        self.runs = runs
        self.points = max(10, int(POINTS * scale))
        self.year_points = max(10, int(YEAR_POINTS * scale))
        self.pack_points = max(10, int(PACK_POINTS * scale))
        self.times = {}
        self.ratios = {}
        self.kilobytes = {}

    def set_up(self):
        """The schema and its points, a month of days, the same as rows, a year of days"""
        self.cursor.execute("CALL elecbill.create_schema()")
        execute(self.cursor, ESTATE.format(org="MONTH", points=self.points, tariff=TOU))
        self.cursor.execute("ANALYZE")
        month = VALUES.format(first=0, last=DAYS, points="SELECT id FROM elecbill.usage_point")
        year = VALUES.format(first=0, last=365, points=f"SELECT generate_series(1, {self.year_points}::bigint)")
        execute(self.cursor, SETUP.format(month=month, year=year, copies=YEAR_COPIES, year_points=self.year_points))
        for engine, other in SAME:
            self.cursor.execute("SELECT count(*) FROM ("
                                f"{engine}) AS e JOIN ({other}) AS o USING (id) WHERE e.amount IS DISTINCT FROM o.amount")
            if self.cursor.fetchone()[0] != 0:
                raise SystemExit(f"bench: amounts differ, no time is worth printing:\n{engine}\n{other}")

    def measure_forms(self, forms):
        """Forms in turn"""
        for _ in range(self.runs):
            for name, form in forms.items():
                start = self.clock.now()
                count(self.cursor, form)
                self.times.setdefault(name, []).append(self.clock.now() - start)

    def median(self, name):
        """Seconds"""
        return statistics.median(self.times[name])

    def measure_heap(self):
        """Bytes of the rows, and of the month in profile_day"""
        self.cursor.execute("SELECT pg_relation_size('value_row')::float / sum(pg_relation_size(relid))"
                            " FROM pg_partition_tree('elecbill.profile_day') WHERE isleaf")
        self.ratios["heap_rows_vs_profile"] = round(self.cursor.fetchone()[0], 2)

    def measure_workers(self):
        """Time that passes with one worker and with two, the leader only gathers; count(*): what the machine gives"""
        execute(self.cursor, "SET parallel_leader_participation = off;\nSET parallel_setup_cost = 0;\nSET parallel_tuple_cost = 0;\n"
                "SET min_parallel_table_scan_size = 0")
        for _ in range(self.runs):
            for name, form in WORKERS.items():
                for n in (1, 2):
                    execute(self.cursor, f"ALTER TABLE worker_day SET (parallel_workers = {n});\nSET max_parallel_workers_per_gather = {n}")
                    start = time.monotonic()
                    count(self.cursor, form)
                    self.times.setdefault(f"{name}_{n}", []).append(time.monotonic() - start)
        self.cursor.execute("RESET max_parallel_workers_per_gather; SET max_parallel_workers_per_gather = 0")
        for name in WORKERS:
            self.ratios[f"{name}_2_vs_1"] = round(self.median(f"{name}_1") / self.median(f"{name}_2"), 2)

    def memory(self, form):
        """kB that the groups take at most"""
        self.cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {form}")
        plan = self.cursor.fetchone()[0][0]["Plan"]
        while "Peak Memory Usage" not in plan:
            plan = plan["Plans"][0]
        return plan["Peak Memory Usage"]

    def load(self, table):
        """Into shared buffers: a large table that is read as a whole goes through a few of them, a range of it does not"""
        execute(self.cursor, f"SET enable_seqscan = off;\nSELECT count(*) FROM {table} WHERE ctid >= '(0,0)';\nRESET enable_seqscan")

    def measure_year(self):
        """A year of days against a quarter: time of a row; memory of all, of which a summary keeps more for each month"""
        for table in ("year_day", "quarter_day"):
            self.load(table)
        self.measure_forms(YEAR)
        self.ratios["year_vs_quarter_a_row"] = round(self.median("profile_365_days") / 365 / (self.median("profile_91_days") / 91), 2)
        self.ratios["year_vs_quarter_memory"] = round(self.memory(YEAR["profile_365_days"]) / self.memory(YEAR["profile_91_days"]), 2)

    def measure_growth(self):
        """Memory of a fresh backend, by the system: at first, in the month and in the year"""
        cursor = self.connect().cursor()
        grown = Memory(cursor.connection.info.backend_pid)
        cursor.execute(f"SELECT {TOU} IS NULL")
        grown.keep("before")
        for name, form in (("month", FORMS["profile_tou"]), ("year", YEAR["profile_365_days"]), ("year_again", YEAR["profile_365_days"])):
            grown.keep(name, lambda form=form: count(cursor, form))
        self.kilobytes = grown.kilobytes
        cursor.connection.close()

    def measure_packing(self):
        """pack_profiles() of some days, and those days as arrays"""
        execute(self.cursor, ESTATE.format(org="PACK", points=self.pack_points, tariff=TOU))
        execute(self.cursor, READINGS.format(org="PACK", days=PACK_RUNS * PACK_DAYS))
        for run in range(PACK_RUNS):
            first, last = (f"date '2026-01-01' + {PACK_DAYS * (run + n)}" for n in (0, 1))
            start = self.clock.now()
            self.cursor.execute(f"CALL elecbill.pack_profiles('PACK', {last})")
            middle = self.clock.now()
            count(self.cursor, "SELECT register_id, (read_at AT TIME ZONE 'Asia/Shanghai')::date AS day,"
                  " array_agg(register_wh ORDER BY read_at) AS amount FROM elecbill.reading"
                  f" WHERE read_at >= ({first})::timestamp AT TIME ZONE 'Asia/Shanghai'"
                  f" AND read_at < ({last})::timestamp AT TIME ZONE 'Asia/Shanghai' GROUP BY 1, 2")
            self.times.setdefault("pack", []).append(middle - start)
            self.times.setdefault("array_agg", []).append(self.clock.now() - middle)
        self.cursor.execute("SELECT count(*) FROM elecbill.profile_day WHERE origin = 0")
        packed = self.cursor.fetchone()[0]
        if packed != self.pack_points * PACK_RUNS * PACK_DAYS:
            raise SystemExit(f"bench: {packed} days were packed")
        self.ratios["pack_vs_array_agg"] = round(self.median("pack") / self.median("array_agg"), 2)

    def measure(self):
        """{name: ratio}; packing is last, for it adds rows to the table"""
        self.set_up()
        # apart, for half a gigabyte of rows takes the packed days out of the caches
        for packed in (True, False):
            self.measure_forms({name: form for name, form in FORMS.items() if name.startswith("profile") == packed})
        for name, (form, yardstick, _) in RATIOS.items():
            self.ratios[name] = round(self.median(form) / self.median(yardstick), 2)
        self.measure_heap()
        self.measure_workers()
        self.measure_year()
        self.measure_growth()
        self.measure_packing()
        return self.ratios
