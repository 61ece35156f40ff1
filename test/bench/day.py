"""day -- what `make bench` measures of an estate's day: 10,000 accounts, 96 readings each, from the collector's door to bills

960,000 readings come in by ingest(), 5,000 a call and a commit; they are packed; the month that ends with the day is
billed and issued. Seconds of the backend's core, once each: a size that a residential estate has to get through, not a ratio.
The accounts, the kWh and the money must be those that plain SQL says.
"""
from profiles import execute

ACCOUNTS = 10000
SLOTS = 96
BATCH = 5000
COLLECTOR = "00000000-0000-4000-8000-000000000003"

ESTATE = """
SELECT elecbill.org_create('DAY', 'Day', 'Asia/Shanghai', 'CNY');
INSERT INTO elecbill.collector (id, org_id, code) SELECT '{collector}', id, 'bench' FROM elecbill.org WHERE code = 'DAY';
SELECT elecbill.tariff_draft('DAY/T', '[2024-01-01,)', '{{"elecbill": 1, "currency": "CNY", "zone": "Asia/Shanghai",
	"components": [{{"code": "energy", "kind": "energy", "tier": {{"steps": [{{"up_to": 5, "price": 0.5}}, {{"price": 0.6}}]}}}}]}}', 'ann');
SELECT elecbill.tariff_approve('DAY/T', 1, 'bob');
SELECT line, message FROM elecbill.import_estate('DAY', convert_to(
	E'room,account_no,name,kind,meter_no,model,last_reading,last_read_at,tariff,interval_min\\n' || (
	SELECT string_agg(format('R%1$s,A%1$s,Name,residential,D%1$s,DDS,100.000,2026-01-01,T,15', lpad(i::text, 5, '0')), E'\\n' ORDER BY i)
	FROM generate_series(1, {accounts}) AS i), 'UTF8'));
SELECT elecbill.partition_maintain(1, '2026-01-01');
CREATE TEMP TABLE arriving AS
SELECT row_number() OVER () AS n, s.* FROM (
	SELECT 'D' || lpad(i::text, 5, '0') AS meter, timestamptz '2026-01-31 00:00+08' + slot * interval '15 minutes' AS at,
		100 + slot * 0.1 + (i % 50) * slot * 0.001 AS kwh
	FROM generate_series(1, {slots}) AS slot, generate_series(1, {accounts}) AS i ORDER BY slot, i) AS s;
ANALYZE"""

ARRIVE = """
SELECT (i).accepted FROM (SELECT elecbill.ingest('{collector}', min(n), array_agg(meter ORDER BY n), array_agg('1.8.0'::text ORDER BY n),
	array_agg(at ORDER BY n), array_agg(kwh ORDER BY n), array_agg(0 ORDER BY n), array_agg(at ORDER BY n)) AS i
FROM arriving WHERE n > {after} AND n <= {after} + {batch}) AS b"""

# a bill by plain SQL: the kWh of the day, five at 0.5 and the others at 0.6
WRONG = """
SELECT count(*) FROM (SELECT a.account_no, b.amount FROM elecbill.bill AS b JOIN elecbill.customer_account AS a ON a.id = b.account_id
	JOIN elecbill.org AS o ON o.id = b.org_id AND o.code = 'DAY') AS b
FULL JOIN (SELECT 'A' || right(meter, 5) AS account_no, round(least(max(kwh) - 100, 5) * 0.5 + greatest(max(kwh) - 105, 0) * 0.6, 2) AS amount
	FROM arriving GROUP BY meter) AS s USING (account_no)
WHERE b.amount IS DISTINCT FROM s.amount"""


class Day:
    """All of it, on a fresh database; scale: a part of the accounts, for trying out"""

    def __init__(self, cursor, clock, scale=1.0):
        self.cursor = cursor
        self.clock = clock
        self.accounts = max(100, int(ACCOUNTS * scale))
        self.seconds = {}

    def keep(self, name, work):
        """Seconds of the work"""
        start = self.clock.now()
        work()
        self.seconds[name] = round(self.clock.now() - start, 2)

    def arrive(self):
        """Readings in calls of 5,000"""
        accepted = 0
        for after in range(0, self.accounts * SLOTS, BATCH):
            self.cursor.execute(ARRIVE.format(collector=COLLECTOR, after=after, batch=BATCH))
            accepted += self.cursor.fetchone()[0]
        if accepted != self.accounts * SLOTS:
            raise SystemExit(f"bench: {accepted} readings were accepted of {self.accounts * SLOTS}")

    def measure(self):
        """{name: seconds}"""
        self.cursor.execute("SELECT to_regclass('elecbill.schema_version') IS NULL")
        if self.cursor.fetchone()[0]:
            self.cursor.execute("CALL elecbill.create_schema()")
        execute(self.cursor, ESTATE.format(accounts=self.accounts, slots=SLOTS, collector=COLLECTOR))
        self.cursor.execute("CREATE INDEX ON arriving (n); ANALYZE arriving; ANALYZE")
        self.keep("day_ingest", self.arrive)
        self.keep("day_pack", lambda: self.cursor.execute("CALL elecbill.pack_profiles('DAY', '2026-02-01')"))
        self.keep("day_bill", lambda: self.cursor.execute("CALL elecbill.bill_month('DAY', 'MONTH', '2026-01')"))
        self.cursor.execute(WRONG)
        wrong = self.cursor.fetchone()[0]
        if wrong != 0:
            raise SystemExit(f"bench: {wrong} bills are not what plain SQL says")
        return self.seconds
