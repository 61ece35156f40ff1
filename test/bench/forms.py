"""forms -- what `make bench` measures: data, tariffs, pairs of queries for the same answer, ratios

Every form selects one row per meter or value with a column amount; run counts them on the server.
"""
import json

METERS = 1000
SLOTS = 10_080    # quarter hours of a meter, 105 days
BILLS = 100_000   # summaries to rate
VALUES = 500_000  # quantities for tier_charge()

SETUP = """
CREATE UNLOGGED TABLE interval_value (id integer, ts timestamptz, wh bigint);
INSERT INTO interval_value
SELECT id, timestamptz '2026-01-01 00:00+08' + slot * interval '15 minutes',
	   20 + (id * 7919 + slot * 104729) % 480
FROM generate_series(1, {meters}) AS id, generate_series(0, {slots} - 1) AS slot;
CREATE UNLOGGED TABLE register_value (id integer, ts timestamptz, wh bigint);
INSERT INTO register_value
SELECT id, ts, sum(wh) OVER (PARTITION BY id ORDER BY ts) FROM interval_value;
CREATE UNLOGGED TABLE bill_usage (id integer, usage elecbill.usage_summary);
INSERT INTO bill_usage
SELECT id, elecbill.usage_from({three}, jsonb_build_object('during', '["2026-01-01", "2026-02-01"]'::jsonb,
	'import_kwh', jsonb_build_object('peak', 100 + id % 397, 'valley', 50 + id * 0.001 % 299)))
FROM generate_series(1, {bills}) AS id;
CREATE UNLOGGED TABLE quantity_value (id integer, quantity numeric, price numeric);
INSERT INTO quantity_value
SELECT id, id * 7919::bigint % 60000 * 0.01, id * 104729::bigint % 900 * 0.001
FROM generate_series(1, {values}) AS id;
VACUUM (FREEZE, ANALYZE) interval_value;
VACUUM (FREEZE, ANALYZE) register_value;
VACUUM (FREEZE, ANALYZE) bill_usage;
VACUUM (FREEZE, ANALYZE) quantity_value;
"""

PLPGSQL = """
CREATE FUNCTION plpgsql_charge(quantity numeric, limits numeric[], prices numeric[]) RETURNS numeric
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
	amount numeric = 0;
	below numeric = 0;
	bound numeric;
BEGIN
	FOR k IN 1 .. cardinality(prices) LOOP
		EXIT WHEN quantity <= below;
		bound := coalesce(limits[k], quantity);
		amount := amount + (least(quantity, bound) - below) * prices[k];
		below := bound;
	END LOOP;
	RETURN amount;
END $$;
"""

# ---------------------------------------------------------------- tariffs

PRICE = {"period": {"peak": 0.568, "valley": 0.288}}


def tariff(*components, **more):
    """The SQL constant of a tariff with peak and valley."""
    definition = {"elecbill": 1, "code": "bench", "currency": "CNY", "zone": "Asia/Shanghai",
                  "schedules": {"tou": [{"period": "peak", "spans": [["08:00", "22:00"]]}, {"period": "valley"}]},
                  "components": list(components), **more}
    return f"'{json.dumps(definition)}'::elecbill.tariff"


def energy(price, *steps, **tier):
    """Energy by period, with tiers or without."""
    component = {"code": "energy", "kind": "energy", "price": price, "tier": {**tier, "steps": list(steps)}}
    return {key: value for key, value in component.items() if value is not None and (key != "tier" or steps)}


ADDERS = ({"up_to": 960, "price": 0}, {"up_to": 2160, "price": 0.05}, {"price": 0.3})
BY_PERIOD = ({"up_to": 200, "price": PRICE}, {"up_to": 400, "price": {"period": {"peak": 0.618, "valley": 0.338}}},
             {"price": {"period": {"peak": 0.868, "valley": 0.588}}})
LEVIES = ({"code": "fund", "kind": "energy", "price": 0.0275},
          {"code": "levy", "kind": "percent", "percent": 1.6, "base": ["energy"]},
          {"code": "tax", "kind": "percent", "percent": 13})
DEMAND = {"code": "demand", "kind": "demand", "price": 3, "demand": "main"}


def full(price=0.568):
    """Periods, yearly tiers, levies"""
    price = {"period": {"peak": price, "valley": 0.288}}
    return tariff(energy(price, *ADDERS, mode="adder", scope="year"), *LEVIES)


TOU = tariff(energy(PRICE))
WITH_DEMAND = tariff(energy(PRICE, *ADDERS, mode="adder", scope="year"), *LEVIES, DEMAND,
                     demands={"main": {"window": 15}})
IN_TIME = tariff(energy(None, *BY_PERIOD, mode="graduated", scope="bill", order="time"))
THREE = tariff(energy(None, *BY_PERIOD, mode="graduated", scope="bill"))
FIVE = [full(0.5 + 0.01 * n) for n in range(5)]

# ---------------------------------------------------------------- forms


def of_meter(amount, table="interval_value"):
    """One amount per meter."""
    return f"SELECT id, {amount} AS amount FROM {table} GROUP BY id"


def of_quantity(amount):
    """One sum over the quantities."""
    return f"SELECT sum({amount}) AS amount FROM quantity_value"


def usage(of, more=""):
    """rate_total() of usage()"""
    return of_meter(f"elecbill.rate_total({of}, elecbill.usage({of}, ts, wh, '15 minutes'{more}))")


def scans():
    """What compare() does in one scan, in five"""
    return ("SELECT id, array_agg(amount ORDER BY n) AS amount FROM (" +
            " UNION ALL ".join(f"SELECT {n} AS n, s.* FROM ({usage(of)}) AS s" for n, of in enumerate(FIVE)) +
            ") AS s GROUP BY id")


PERIOD_CASE = """CASE WHEN (ts AT TIME ZONE 'Asia/Shanghai')::time >= '08:00'
 AND (ts AT TIME ZONE 'Asia/Shanghai')::time < '22:00' THEN {peak} ELSE {valley} END"""


def amount_case(wh):
    """Amount of one meter the plain way: each period's kWh x price, rounded once."""
    peak = PERIOD_CASE.format(peak=wh, valley="0")
    valley = PERIOD_CASE.format(peak="0", valley=wh)
    return f"round(sum({peak}) * 0.000568, 2) + round(sum({valley}) * 0.000288, 2)"


CHARGE = "quantity, '{200,400}'::numeric[], '{0.5,0.6,0.8}'::numeric[]"

FORMS = {
    "sum": of_meter("sum(wh)"),
    "usage": usage(TOU),
    "usage_full": usage(full()),
    "usage_channel": usage(full(), ", 'import'"),
    "usage_demand": usage(WITH_DEMAND),
    "usage_in_time": usage(IN_TIME),
    "compare_5": of_meter(f"elecbill.compare(ARRAY[{', '.join(FIVE)}], ts, wh, '15 minutes')"),
    "scans_5": scans(),
    "sql_case": of_meter(amount_case("wh")),
    "register_usage": of_meter(f"elecbill.rate_total({TOU}, elecbill.register_usage({TOU}, ts, wh, 1000000000, 0))",
                               "register_value"),
    "sql_lag": of_meter(amount_case("d"), "(SELECT id, lag(ts) OVER w AS ts, wh - lag(wh) OVER w AS d"
                        " FROM register_value WINDOW w AS (PARTITION BY id ORDER BY ts)) AS r WHERE d IS NOT NULL"),
    "bill_call": f"SELECT id, num_nulls({THREE}, usage) AS amount FROM bill_usage",
    "rate_total": f"SELECT id, elecbill.rate_total({THREE}, usage) AS amount FROM bill_usage",
    "rate": f"SELECT id, line.amount FROM bill_usage, elecbill.rate({THREE}, usage) AS line",
    "sum_quantity": of_quantity("quantity"),
    "product": of_quantity("quantity * price"),
    "tier_charge": of_quantity(f"elecbill.tier_charge({CHARGE})"),
    "plpgsql_charge": of_quantity(f"plpgsql_charge({CHARGE})"),
}

# ---------------------------------------------------------------- the same answers

# A few meters the plain way: kWh by period and yearly tier, each line rounded
FULL_SQL = f"""
SELECT id, energy + fund + levy + round((energy + fund + levy) * 0.13, 2) AS amount
FROM (SELECT *, round(energy * 0.016, 2) AS levy
	FROM (SELECT id, round(kwh * 0.0275, 2) AS fund,
			round(peak * 0.568, 2) + round(valley * 0.288, 2) +
			round(least(greatest(kwh - 960, 0), 1200) * 0.05, 2) + round(greatest(kwh - 2160, 0) * 0.3, 2) AS energy
		FROM (SELECT id, sum(wh) * 0.001 AS kwh, sum({PERIOD_CASE.format(peak="wh", valley="0")}) * 0.001 AS peak,
				sum({PERIOD_CASE.format(peak="0", valley="wh")}) * 0.001 AS valley
			FROM interval_value WHERE id <= 5 GROUP BY id) AS k) AS e) AS l"""

DEMAND_SQL = f"""
SELECT id, f.amount + round(max(wh) * 0.004 * 3, 2) AS amount
FROM ({FULL_SQL}) AS f JOIN interval_value USING (id) GROUP BY id, f.amount"""

IN_TIME_SQL = f"""
SELECT id, sum(amount) AS amount
FROM (SELECT id, round(sum(greatest(least(after, up_to) - greatest(before, above), 0)) * 0.001 * price, 2) AS amount
	FROM (SELECT id, {PERIOD_CASE.format(peak="'peak'", valley="'valley'")} AS period,
			sum(wh) OVER w - wh AS before, sum(wh) OVER w AS after
		FROM interval_value WHERE id <= 5 WINDOW w AS (PARTITION BY id ORDER BY ts)) AS v
	JOIN (VALUES ('peak', 0, 200000, 0.568), ('peak', 200000, 400000, 0.618), ('peak', 400000, 1e12, 0.868),
		('valley', 0, 200000, 0.288), ('valley', 200000, 400000, 0.338), ('valley', 400000, 1e12, 0.588))
		AS step(period, above, up_to, price) USING (period)
	GROUP BY id, period, above, price) AS line
GROUP BY id"""

# pairs whose amounts must agree; the engine's form is cut to the ids of the other
SAME = [
    (FORMS["usage"], FORMS["sql_case"]),
    (FORMS["register_usage"], FORMS["sql_lag"]),
    (FORMS["usage_full"], FULL_SQL),
    (FORMS["usage_channel"], FORMS["usage_full"]),
    (FORMS["usage_demand"], DEMAND_SQL),
    (FORMS["usage_in_time"], IN_TIME_SQL),
    (FORMS["compare_5"], FORMS["scans_5"]),
    (FORMS["rate_total"], f"SELECT id, sum(amount) AS amount FROM ({FORMS['rate']}) AS line GROUP BY id"),
    (f"SELECT id, elecbill.tier_charge({CHARGE}) AS amount FROM quantity_value",
     f"SELECT id, plpgsql_charge({CHARGE}) AS amount FROM quantity_value"),
]

# ---------------------------------------------------------------- what is printed

# name: (form, yardstick, a form that is taken off both or None, goal)
RATIOS = {
    "usage_rate_vs_sum": ("usage", "sum", None, "at most 1.3"),
    "usage_full_vs_sum": ("usage_full", "sum", None, "at most 1.3"),
    "usage_channel_vs_sum": ("usage_channel", "sum", None, None),
    "usage_demand_vs_sum": ("usage_demand", "sum", None, None),
    "usage_in_time_vs_sum": ("usage_in_time", "sum", None, None),
    "scans_5_vs_compare_5": ("scans_5", "compare_5", None, None),
    "sql_case_vs_usage_rate": ("sql_case", "usage", None, "at least 4"),
    "sql_lag_vs_register_usage": ("sql_lag", "register_usage", None, "at least 3"),
    "rate_total_vs_call": ("rate_total", "bill_call", None, None),
    "rate_vs_rate_total": ("rate", "rate_total", None, None),
    "tier_charge_vs_product": ("tier_charge", "product", "sum_quantity", "at most 2"),
    "plpgsql_vs_tier_charge": ("plpgsql_charge", "tier_charge", "sum_quantity", "at least 10"),
}

# name: (form, how many calls it makes, goal)
PER_SECOND = {
    "rate_total": ("rate_total", BILLS, "at least 1000000"),
    "rate": ("rate", BILLS, "at least 100000"),
}
