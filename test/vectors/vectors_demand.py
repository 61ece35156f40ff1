"""Shapes of demand studies: one day of quarter hours, look-backs, coincident peaks."""
import re

from vectors_engine import EXACT, Malformed, decimal, micro, nano, tariff
from vectors_cn import has

DAY, NEXT_DAY = '2024-07-10', '2024-07-11'
YEAR = 2022


# ---------------------------------------------------------------- one day, steps of 15 minutes

def series(source):
    """[[n, v], ...] = n steps of v; "a..b step c"; or the values themselves."""
    if isinstance(source, str):
        found = re.fullmatch(r'(-?[\d.]+)\.\.(-?[\d.]+) step ([\d.]+)', source)
        if not found:
            raise Malformed('series "%s"' % source)
        first, last, step = (decimal(part) for part in found.groups())
        return [first + i * step for i in range(int((last - first) / step) + 1)]
    if source and isinstance(source[0], list):
        return [value for count, value in source for _ in range(int(count))]
    return source


def clock(minute):
    return '%02d:%02d' % divmod(minute, 60)


def day_rules(names, minutes):
    """The periods of a day from the name of each step."""
    spans = {}
    for i, name in enumerate(names):
        known = spans.setdefault(name, [])
        if known and known[-1][1] == clock(i * minutes):
            known[-1][1] = clock((i + 1) * minutes)
        else:
            known.append([clock(i * minutes), clock((i + 1) * minutes)])
    return [{'period': name, 'spans': found} for name, found in spans.items()]


class Day:
    """Components and schedules of one day's costs."""

    def __init__(self, given):
        self.given = given
        self.minutes = int(given.get('step_min', 15))
        self.schedules, self.components, self.demands = {}, [], {}

    def energy(self):
        """One price per step, or two and a limit; tiers fill in time order."""
        tiers = [k for k in ('price_tier1', 'price_tier2') if k in self.given] or ['price']
        prices = [series(self.given[k]) for k in tiers]
        joined = list(zip(*prices))
        names = ['p' + '/'.join(format(nano(p), 'f') for p in step) for step in joined]
        self.schedules['energy'] = day_rules(names, self.minutes)
        price = [{'period': {n: nano(step[i]) for n, step in zip(names, joined)}} for i in range(len(tiers))]
        made = {'code': 'energy', 'kind': 'energy', 'schedule': 'energy'}
        if len(tiers) == 1:
            made['price'] = price[0]
        else:
            made['tier'] = {'order': 'time', 'steps': [
                {'up_to': micro(self.given['tier_limit_kwh']), 'price': price[0]}, {'price': price[1]}]}
        self.components.append(made)

    def demand(self, name, prices, steps):
        """A demand charge: one price inside its hours, 0 outside; steps: [(bound or None, series)]."""
        inside = [i for i in range(len(prices)) if any(decimal(s[i]) for _, s in steps)]
        values = [{nano(s[i]) for i in inside} for _, s in steps]
        if any(len(v) > 1 for v in values):
            raise Malformed('demand charge "%s" has several prices' % name)
        if not inside:
            return
        names = ['in' if i in inside else 'out' for i in range(len(prices))]
        self.schedules[name] = day_rules(names, self.minutes)
        self.demands[name] = {'window': self.minutes, 'schedule': name, 'period': ['in']}
        made = {'code': name, 'kind': 'demand', 'demand': name}
        if len(steps) == 1:
            made['price'] = values[0].pop()
        else:
            made['tier'] = {'steps': [dict({'unit': 'kw', 'price': v.pop()}, **({} if b is None else {'up_to': b}))
                                      for v, (b, _) in zip(values, steps)]}
        self.components.append(made)

    def demands_of(self):
        """name -> [(bound, series)] of the keys that are demand charges."""
        found = {}
        for key, value in self.given.items():
            named = re.fullmatch(r'(.+)_tier\d+_(to|above)_([\d.]+)kw', key)
            if named:
                bound = micro(named.group(3)) if named.group(2) == 'to' else None
                found.setdefault(named.group(1), []).append((bound, series(value)))
            elif isinstance(value, list) and value and isinstance(value[0], list) and not key.startswith(('price', 'load_kw')):
                found[key] = [(None, series(value))]
        return found


def day_cost(engine, given, shared):
    day = Day(given)
    if 'price' in given or 'price_tier1' in given:
        day.energy()
    for name, steps in day.demands_of().items():
        day.demand(name, steps[0][1], steps)
    more = {'schedules': day.schedules}
    if day.demands:
        more['demands'] = day.demands
    made = tariff(day.components, EXACT, **more)
    used = engine.usage_of_steps(made, DAY, day.minutes, series(given['load_kw']))
    if 'previous' not in given:
        return {'cost': engine.rate(made, used).total}
    # what was charged before: the higher of two demands, less that money
    before = engine.usage_from(made, {'during': [DAY, NEXT_DAY], 'import_kwh': zero_usage(day), 'max_kw': {
        name: micro(kw) for name, (kw, _) in given['previous'].items()}})
    both = engine.value('SELECT elecbill.usage_merge(%s::jsonb::elecbill.usage_summary,'
                        ' %s::jsonb::elecbill.usage_summary)::text', before, used)
    booked = sum(decimal(cost) for _, cost in given['previous'].values())
    return {'cost': engine.value('SELECT %s::numeric - %s', engine.rate(made, both).total, booked)}


def zero_usage(day):
    empty = {name: {rule['period']: 0 for rule in rules} for name, rules in day.schedules.items()}
    return empty if len(empty) > 1 else next(iter(empty.values()), 0)


# ---------------------------------------------------------------- look-backs

def rates_of(given):
    if 'monthly_demand_rates' in given:
        return given['monthly_demand_rates']
    return [given['winter_rate']] * int(given['n_winter_months']) + [given['summer_rate']] * int(given['n_summer_months'])


def months_by_rate(rates):
    found = {}
    for month, rate in enumerate(rates, 1):
        found.setdefault(nano(rate), []).append(month)
    return found


def lookback(engine, given, shared):
    """The year wraps on itself: the months before January are those of the same year."""
    peaks = [micro(p) for p in given['monthly_peaks_kw']]
    percent = nano(given['lookback_percent'])
    ratchet = {'lookback': int(given.get('lookback_range_months', 11)), 'percent': percent}
    mask = given.get('lookback_months')
    if mask:
        flags = len(mask) == 12 and all(m in (0, 1) for m in mask)
        counted = [i + 1 for i, m in enumerate(mask) if m] if flags else [int(m) for m in mask]
        ratchet = {'lookback': 11, 'percent': percent, 'months': counted}

    def billing():
        engine.need('ratchet', 'numeric[], numeric[], integer, numeric, numeric')
        found = []
        for i in range(12):
            order = [(i + 1 + k) % 12 for k in range(12)]    # the eleven months before, then this one
            percents = [percent if m + 1 in ratchet.get('months', range(1, 13)) else 0 for m in order]
            found.append(engine.value('SELECT elecbill.ratchet(%s::numeric[], %s::numeric[], %s)',
                                      [peaks[m] for m in order], percents, ratchet['lookback']))
        return found

    def year_cost():
        components = [{'code': 'demand%d' % i, 'kind': 'demand', 'demand': 'main', 'price': rate, 'when': {'months': months}}
                      for i, (rate, months) in enumerate(months_by_rate(rates_of(given)).items(), 1)]
        made = tariff(components, EXACT, demands={'main': {'window': 60, 'ratchet': ratchet}})
        past = {'%d-%02d' % (YEAR - 1, i + 1): p for i, p in enumerate(peaks)}
        total = decimal(0)
        for i, peak in enumerate(peaks):
            month = '%d-%02d' % (YEAR, i + 1)
            total += engine.bill(made, {'during': month_days(i), 'import_kwh': 0, 'max_kw': {'main': peak}},
                                 past_kw={'main': past}).total
            past[month] = peak
        return total

    return {'billing_demand_kw': billing, 'year_demand_cost': year_cost}


def month_days(i, year=YEAR):
    after = (year + 1, 1) if i == 11 else (year, i + 2)
    return ['%d-%02d-01' % (year, i + 1), '%d-%02d-01' % after]


def flat_tiers(engine, given, shared):
    steps = [{'up_to': micro(t['max_kw']), 'unit': 'kw', 'price': nano(t['rate'])} for t in given['tiers'][:-1]]
    steps.append({'unit': 'kw', 'price': nano(given['tiers'][-1]['rate'])})
    made = tariff([{'code': 'demand', 'kind': 'demand', 'demand': 'main', 'tier': {'steps': steps}}], EXACT,
                  demands={'main': {'window': 60}})
    bill = engine.bill(made, {'import_kwh': 0, 'max_kw': {'main': micro(given['flat_load_kw'])}})
    months = given.get('months', 12)
    return {'year_demand_cost': engine.value('SELECT %s * %s', bill.total, len(months) if isinstance(months, list) else months)}


def coincident(engine, given, shared):
    """A charge on the maximum inside named hours of the year, counted from 1."""
    events, demands, components = {}, {}, []
    for i, (steps, price) in enumerate(zip(given['cp_steps'], given['cp_charge_per_kw']), 1):
        name = 'cp%d' % i
        events[name] = [[hour_of_year(engine, int(s) - 1), hour_of_year(engine, int(s))] for s in steps]
        demands[name] = {'window': 60, 'per': 'year', 'event': name}
        components.append({'code': name, 'kind': 'demand', 'demand': name, 'price': nano(price)})
    made = tariff(components, EXACT, events=events, demands=demands)
    engine.check(made)
    used = engine.usage_of_steps(made, '%d-01-01' % YEAR, 60, [nano(given['flat_load_kw'])] * 8760)
    return {'year_cp_cost': engine.rate(made, used).total}


def hour_of_year(engine, hour):
    return engine.value("SELECT to_char(make_date(%s, 1, 1) + %s * interval '1 hour', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')", YEAR, hour)


SHAPES = [
    (has('monthly_peaks_kw', 'lookback_percent'), lookback),
    (has('flat_load_kw', 'tiers'), flat_tiers),
    (has('flat_load_kw', 'cp_steps', 'cp_charge_per_kw'), coincident),
    (lambda given, shared: 'load_kw' in given and 'dc_sched_weekday' not in given and 'ur_dc_flat_mat' not in given, day_cost),
]
