"""Shapes of ssc's rate equations, and how its matrices become schedules, steps and demands.

The year of ssc has 365 days and begins on a Monday, without DST and holidays: 2018 in UTC.
"""
from vectors_engine import EXACT, Malformed, decimal, micro, nano, tariff
from vectors_cn import has
from vectors_demand import month_days

YEAR = 2018
UNIT = {0: 'kwh', 1: 'kwh_per_kw', 2: 'kwh_per_day', 3: 'kwh_per_kw_day'}
PER_KW = (1, 3)
PLENTY = 10 ** 9    # kWh, more than any block holds


def number(value):
    found = decimal(value)
    if found is None or found != found.to_integral_value():
        raise Malformed('%s is not a whole number' % value)
    return int(found)


def period_name(value):
    return 'p%d' % number(value)


# ---------------------------------------------------------------- 12 x 24 matrices

def hour_spans(row, period):
    """The runs of hours of one period in a day."""
    spans = []
    for hour, value in enumerate(row):
        if number(value) != period:
            continue
        if spans and spans[-1][1] == '%02d:00' % hour:
            spans[-1][1] = '%02d:00' % (hour + 1)
        else:
            spans.append(['%02d:00' % hour, '%02d:00' % (hour + 1)])
    return spans


def day_rules(matrix, days):
    """A rule per group of equal months and period."""
    groups = {}
    for month, row in enumerate(matrix, 1):
        groups.setdefault(tuple(number(p) for p in row), []).append(month)
    rules = []
    for row, months in groups.items():
        for period in sorted(set(row)):
            rule = {'period': period_name(period), 'spans': hour_spans(row, period)}
            rule.update({} if len(months) == 12 else {'months': months}, **({'days': [days]} if days else {}))
            rules.append(rule)
    return rules


def matrix_rules(weekday, weekend):
    if weekday == weekend:
        return day_rules(weekday, None)
    return day_rules(weekday, 'weekday') + day_rules(weekend, 'weekend')


def periods_of_month(weekday, weekend, month):
    """Periods in force in month 0..11."""
    return sorted({number(p) for p in list(weekday[month]) + list(weekend[month])})


def rows_by(rows, column=0):
    """Rows by period or month, in the order of their tiers."""
    found = {}
    for row in rows:
        found.setdefault(number(row[column]), []).append(row)
    return {key: sorted(group, key=lambda r: number(r[1])) for key, group in found.items()}


# ---------------------------------------------------------------- demand charges

def kw_steps(rows):
    """[.., tier, bound, price] as price or as steps in kW."""
    if len(rows) == 1 and rows[0][2] is None:
        return {'price': nano(rows[0][3])}
    return {'tier': {'steps': [dict({'unit': 'kw', 'price': nano(r[3])}, **({} if r[2] is None else {'up_to': micro(r[2])}))
                               for r in rows]}}


def tou_demand(rows, schedule, minutes, periods):
    """One demand and one component per period that the schedule has."""
    demands, components = {}, []
    for period, group in rows_by(rows).items():
        name = period_name(period)
        if period in periods:
            demands[name] = {'window': minutes, 'schedule': schedule, 'period': [name]}
            components.append(dict({'code': name, 'kind': 'demand', 'demand': name}, **kw_steps(group)))
    return demands, components


def flat_demand(rows, demand):
    """A component per group of months with the same steps."""
    groups = {}
    for month, group in rows_by(rows).items():
        groups.setdefault(tuple(tuple(r[1:]) for r in group), []).append(month + 1)
    return [dict({'code': '%s%d' % (demand, i), 'kind': 'demand', 'demand': demand, 'when': {'months': months}},
                 **kw_steps([(None,) + row for row in group])) for i, (group, months) in enumerate(groups.items(), 1)]


def scheduled_demand(engine, given, shared):
    """One load against a schedule and its price matrix, from a step of the year on."""
    minutes = number(given.get('step_min', 60))
    weekday, weekend = given['dc_sched_weekday'], given['dc_sched_weekend']
    periods = {p for month in range(12) for p in periods_of_month(weekday, weekend, month)}
    priced = rows_by(given['ur_dc_tou_mat'])
    free = [[p, 1, None, 0] for p in sorted(periods) if p not in priced]    # measured all the same
    demands, components = tou_demand(given['ur_dc_tou_mat'] + free, 'dc', minutes, periods)
    made = tariff(components, EXACT, schedules={'dc': matrix_rules(weekday, weekend)}, demands=demands)
    bill = load_bill(engine, made, given, minutes)
    peaks = {str(p): (lambda p=p: bill.quantity(code=period_name(p))) for p in sorted(periods)}
    return {'demand_charge': bill.total, 'period_peaks': peaks}


def flat_matrix_demand(engine, given, shared):
    """The highest load of a month against that month's prices."""
    minutes = number(given.get('step_min', 60))
    made = tariff(flat_demand(given['ur_dc_flat_mat'], 'flat'), EXACT, demands={'flat': {'window': minutes}})
    return {'demand_charge': load_bill(engine, made, given, minutes).total}


def load_bill(engine, made, given, minutes):
    engine.check(made)
    start = '%d-01-01' % YEAR
    if 'month' in given and 'first_step' not in given:
        start = month_days(number(given['month']), YEAR)[0]
    start = engine.value("SELECT to_char(%s::timestamp + %s * make_interval(mins => %s), 'YYYY-MM-DD HH24:MI')",
                         start, number(given.get('first_step', 0)), minutes)
    return engine.rate(made, engine.usage_of_steps(made, start, minutes, [nano(kw) for kw in given['load_kw']]))


# ---------------------------------------------------------------- energy blocks

def outer_rows(rows):
    """[(row, [rows of kWh that subdivide it])]: those that follow a row of kWh per kW."""
    found = []
    for row in rows:
        if found and number(row[3]) not in PER_KW and number(found[-1][0][3]) in PER_KW:
            found[-1][1].append(row)
        else:
            found.append((row, []))
    return found


def block_step(rows, bound, prices, demand):
    """One step; rows: its row in each period, all of one form."""
    unit = number(rows[0][3])
    step = {'unit': UNIT.get(unit, str(unit)), 'price': prices}
    if bound is not None:
        step['up_to'] = bound
    if unit in PER_KW:
        step['demand'] = demand
    return step


def block_steps(rows, demand):
    """The steps of one period's rows [period, tier, bound, unit, buy, sell]."""
    def plain(row):
        return block_step([row], None if row[2] is None else micro(row[2]), nano(row[4]), demand)
    steps = []
    for outer, inner in outer_rows(rows):
        step = plain(outer)
        if inner:
            step['steps'] = [plain(row) for row in inner]
        steps.append(step)
    return steps


def expanded_blocks(engine, given, shared):
    """Bounds in kWh and prices of the blocks, read from the lines of a bill that fills them all."""
    rows = rows_by(given['ur_ec_tou_mat_period_rows'])
    if len(rows) != 1:
        raise Malformed('the rows must be of one period')
    made = tariff([{'code': 'energy', 'kind': 'energy', 'tier': {'steps': block_steps(next(iter(rows.values())), 'peak')}}],
                  EXACT, demands={'peak': {}})
    bill = engine.bill(made, {'days': given.get('days', 30), 'import_kwh': PLENTY,
                              'max_kw': {'peak': micro(given['month_peak_kw'])}})
    bounds = [row[0] for row in engine.ask(
        'SELECT sum(q) OVER (ORDER BY n) FROM unnest(%s::numeric[]) WITH ORDINALITY AS r (q, n) ORDER BY n',
        [line['quantity'] for line in bill.lines])]
    return {'tier_upper_bounds_kwh': bounds[:-1] + [None], 'tier_rates': [line['price'] for line in bill.lines]}


# ---------------------------------------------------------------- ratchets

def this_year(given):
    """The monthly peaks of the year of the bill, as far as they are given."""
    for key, value in given.items():
        if key.endswith('monthly_peaks_kw') and not key.startswith('previous'):
            return [nano(v) for v in value]
    return []


def ratchet_of(given):
    """The ratchet in canonical form: percent by month of the peak, and what this month counts."""
    percents = [nano(p) for p in given['ratchet_percent_by_month']]
    actual = given.get('use_actual_this_month', [1] * 12)
    return {'lookback': number(given['lookback_months']), 'percent': percents,
            'current': [100 if number(a) else p for a, p in zip(actual, percents)]}


def billing_kw(engine, given, month):
    """Billing demand of month 0..11: the peaks of last year, then those of this year up to the month."""
    ratchet, peaks = ratchet_of(given), this_year(given)
    measured = peaks[month] if len(peaks) > month else max(nano(v) for v in given['period_peaks_kw'].values())
    series = [nano(p) for p in given['previous_year_monthly_peaks_kw']] + peaks[:month] + [measured]
    percents = [ratchet['percent'][i % 12] for i in range(len(series))]
    engine.need('ratchet', 'numeric[], numeric[], integer, numeric, numeric')
    return engine.value('SELECT elecbill.ratchet(%s::numeric[], %s::numeric[], %s, %s, %s)', series, percents,
                        ratchet['lookback'], micro(given.get('minimum_kw', 0)), ratchet['current'][month])


def ratchet_billing(engine, given, shared):
    if 'billing_month' in given:
        return {'billing_demand_kw': lambda: billing_kw(engine, given, number(given['billing_month']))}
    months = range(len(this_year(given)) or 1)
    return {'billing_demand_kw': lambda: [billing_kw(engine, given, m) for m in months]}


def ratchet_charge(engine, given, shared):
    """Demand charge by period; the ratchet holds for some of them."""
    ratcheted = [number(p) for p in given['ratchet_periods']]
    month = number(given['billing_month'])
    demands, components = {}, []
    for period, rows in rows_by(given['ur_dc_tou_mat']).items():
        name = period_name(period)
        if str(period) not in given['period_peaks_kw']:
            continue
        demands[name] = {}
        if period in ratcheted:
            demands[name] = {'floor_kw': micro(given.get('minimum_kw', 0)), 'ratchet': ratchet_of(given)}
        components.append(dict({'code': name, 'kind': 'demand', 'demand': name}, **kw_steps(rows)))
    made = tariff(components, EXACT, demands=demands)
    past = {'%d-%02d' % (YEAR - 1, i): nano(p) for i, p in enumerate(given['previous_year_monthly_peaks_kw'], 1)}
    past.update(('%d-%02d' % (YEAR, i), p) for i, p in enumerate(this_year(given)[:month], 1))
    bill = engine.bill(made, {'during': month_days(month, YEAR), 'import_kwh': 0,
                              'max_kw': {period_name(p): micro(v) for p, v in given['period_peaks_kw'].items()}},
                       past_kw={period_name(p): past for p in ratcheted})
    return {'demand_charge': bill.total}


SHAPES = [
    (has('dc_sched_weekday', 'dc_sched_weekend', 'ur_dc_tou_mat', 'load_kw'), scheduled_demand),
    (has('ur_dc_flat_mat', 'load_kw'), flat_matrix_demand),
    (has('ur_ec_tou_mat_period_rows', 'month_peak_kw'), expanded_blocks),
    (has('previous_year_monthly_peaks_kw', 'ratchet_percent_by_month', 'ratchet_periods', 'billing_month'), ratchet_charge),
    (has('previous_year_monthly_peaks_kw', 'ratchet_percent_by_month'), ratchet_billing),
]
