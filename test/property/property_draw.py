"""property_draw: random tariffs of all that a bill can have, loads of several channels, contexts

It goes on from test/oracle, which draws what 0.1.0 could rate.
"""
import os
import sys
from datetime import datetime, timedelta, timezone

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'oracle'))
from oracle_draw import Draw    # noqa: E402

DAY = timedelta(days=1)
CHANNELS = {'import_kwh': 'import', 'export_kwh': 'export', 'import_kvarh': 'import_kvarh', 'export_kvarh': 'export_kvarh'}


def first_instant(day, zone):
    """of a local date: the earlier of two midnights, the end of a gap"""
    midnight = datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(timezone.utc)
    while (midnight - timedelta(minutes=30)).astimezone(zone).date() == day:
        midnight -= timedelta(minutes=30)
    while midnight.astimezone(zone).date() < day:
        midnight += timedelta(minutes=30)
    return midnight


class CaseDraw(Draw):
    """tariff() or versions(), then load() and context() of the same case"""

    def __init__(self, random):
        super().__init__(random)
        self.series = {}
        self.summed = []
        self.demands = {}
        self.events = {}
        self.needs = {'import_kwh'}
        self.rounded = False
        # how long the bill is decides how fine its intervals can be
        self.days = self.pick(1, 1, 2, 3, 3, 5, 8, 10, 28, 30, 31, 33, 45)

    def instant(self, grid=30):
        """near the bill, in UTC"""
        start = datetime(self.base.year, self.base.month, self.base.day, tzinfo=timezone.utc)
        return start + timedelta(minutes=grid * self.random.randint(-1440 // grid, (self.days + 1) * 1440 // grid))

    # ---- time

    def draw_events(self):
        for name in self.random.sample(['hot_hours', 'alert'], self.pick(0, 0, 1, 2)):
            cuts = sorted({self.instant(self.pick(1, 15, 60)) for _ in range(4)})
            self.events[name] = [[a.isoformat(), b.isoformat()] for a, b in zip(cuts[::2], cuts[1::2])]

    def rule(self, period):
        rule = super().rule(period)
        return {**rule, **self.maybe(0.25 if self.events else 0, 'event', lambda: self.pick(*self.events))}

    # ---- prices

    def draw_series(self):
        for name in self.random.sample(['s0', 's1', 's2'], self.pick(0, 0, 1, 2)):
            kind = self.pick('days', 'bill_month', 'instant', 'usage')
            if self.rounded and kind in ('instant', 'usage') or kind == 'usage' and 'usage' in self.series.values():
                kind = 'days'
            first = self.base - DAY * self.pick(400, 40, 40, 40) if self.chance(0.97) else self.base + DAY
            self.series[name] = getattr(self, kind + '_series')(first)
            if kind in ('instant', 'usage'):
                self.summed.append(name)

    def points(self, dates):
        return [[date.isoformat(), self.decimal(1, 6, -0.1)] for date in sorted(set(dates))]

    def days_series(self, first):
        points = self.points([first, *(self.day() for _ in range(self.random.randint(0, 4)))])
        return points if self.chance(0.5) else {'by': 'instant', 'points': points}

    def bill_month_series(self, first):
        months = [(first + DAY * 31 * i).replace(day=1) for i in range(self.random.randint(2, 15))]
        return {'by': 'bill_month', 'points': self.points(months)}

    def instant_series(self, first):
        start = datetime(first.year, first.month, first.day, 5, tzinfo=timezone.utc)
        return self.points([start, *(self.instant(self.pick(60, 30, 7)) for _ in range(self.random.randint(1, 24)))])

    @staticmethod
    def usage_series(_):
        return 'usage'

    def price(self, schedule=None, most=2, depth=0):
        by_date = [name for name in self.series if name not in self.summed]
        if by_date and depth < 2 and self.chance(0.12):
            price = {'series': self.pick(*by_date)}
            return price if self.chance(0.5) else {'mul': [price, self.decimal(2, 3)], 'round': self.rounding(0.0001, 0.001)}
        return super().price(schedule, most, depth)

    def linear(self, schedule):
        """a price that changes inside days: constants and factors of few digits"""
        price = {'series': self.pick(*self.summed)}
        if self.chance(0.5):
            factor = {'period': {name: self.decimal(2, 2) for name in self.periods[schedule]}} if schedule and self.chance(0.5) else self.decimal(2, 3)
            price = {'mul': [price, factor]}
        if self.chance(0.5):
            price = {'add': [price, self.decimal(1, 4), *([{'series': self.pick(*self.summed)}] if self.chance(0.3) else [])]}
        return price

    # ---- tiers

    def tier(self, component, schedule):
        tier = super().tier(component, schedule)
        energy = component['kind'] in ('energy', 'reactive', 'credit')
        if not energy:
            return tier
        if tier['scope'] == 'bill' and not {'prorate', 'allowance', 'split'} & set(tier) and self.chance(0.5):
            tier['scope'] = self.pick('day', 'day', 'interval') if component['kind'] == 'energy' else 'day'
            for step in tier.get('steps', []):      # as much as a day, an hour uses
                if isinstance(step.get('up_to'), (int, float)):
                    step['up_to'] = round(step['up_to'] / self.pick(10, 30, 100), 4) + 0.0001
            if tier['scope'] == 'interval' and tier['mode'] != 'package':
                tier['flat_at_zero'] = False
            self.make_rising(tier)
        if component['kind'] == 'energy' and 'order' not in tier and tier['mode'] in ('graduated', 'adder') and self.chance(0.3):
            tier['order'] = 'time'
        if 'steps' in tier and tier['mode'] == 'graduated' and self.chance(0.1):
            self.nest(tier)
        return tier

    @staticmethod
    def make_rising(tier):
        below = 0
        for step in tier.get('steps', []):
            if isinstance(step.get('up_to'), (int, float)):
                step['up_to'] = below = round(max(step['up_to'], below + 0.001), 6)

    def nest(self, tier):
        step = self.random.choice(tier['steps'])
        inner = [{'up_to': self.pick(5, 17.5, 60), 'price': self.decimal(1, 4)}, {'price': self.decimal(1, 4)}]
        step.pop('price', None)
        step['steps'] = inner

    def reach(self, steps):
        """bounds that hang on the contract or on a billing demand"""
        unit = self.pick('kwh_per_kva', 'kwh_per_kw', 'kwh_per_kw_day') if self.demands else 'kwh_per_kva'
        for number, step in enumerate(steps[:-1]):
            step['unit'] = unit
            step['up_to'] = round((number + 1) * self.pick(0.5, 1.25, 3), 3) + number
            if unit != 'kwh_per_kva':
                step['demand'] = self.pick(*self.demands)
        return steps

    # ---- components

    def fixed(self, code):
        component = super().fixed(code)
        if component.get('per') == 'day':
            component.pop('prorate', None)
        return component

    def condition(self):
        drawn = super().condition()
        if self.chance(0.12):
            drawn[self.pick('days', 'not_days')] = self.random.sample(['weekend', 'workday', 'holiday', 'mon', 'hot'], 2)
        return drawn

    def metered(self, code, kind, quantity):
        """energy of another channel"""
        self.needs |= {'import_kwh', 'export_kwh'} if quantity == 'net_kwh' else {quantity}
        schedule = self.pick(*self.periods) if self.periods and kind != 'custom' and self.chance(0.6) else None
        component = {'code': code, 'kind': kind, 'quantity': quantity, **({'schedule': schedule} if schedule else {})}
        component.update(self.maybe(0.8, 'price', lambda: self.price(schedule)))
        if 'price' not in component or (self.chance(0.3) and quantity != 'net_kwh'):
            component['tier'] = self.tier(component, schedule)
        return self.common(component)

    def spot(self, code):
        schedule = self.pick(*self.periods) if self.periods else None
        component = {'code': code, 'kind': 'energy', **({'schedule': schedule} if schedule else {}), 'price': self.linear(schedule)}
        if self.chance(0.3):
            component['tier'] = {'mode': 'adder', 'scope': self.pick('bill', 'month', 'day'), **self.maybe(0.3, 'order', lambda: 'time'),
                                 'steps': [{'up_to': self.pick(1, 10, 55.5), 'price': self.decimal(1, 4)}, {'price': self.decimal(1, 5)}]}
        return self.common(component)

    def draw_demand(self):
        window = self.pick(15, 30, 60, 60, 120) if self.days < 6 else self.pick(60, 120, 360)
        top = self.chance(0.4)
        demand = {'window': window, **self.maybe(0.4 if self.days < 6 else 0.1, 'slide', lambda: self.pick(*(x for x in (5, 15, 15, 30) if x <= window and window % x == 0 and window <= 12 * x))),
                  **self.maybe(0.4, 'quantity', lambda: self.pick('export_kw', 'import_kva', 'import_kvar', 'import_kw')),
                  **({'agg': 'top_mean', 'n': self.pick(1, 2, 3, 5), **self.maybe(0.7, 'distinct', lambda: self.pick('day', 'week', 'month'))} if top else {}),
                  **self.maybe(0.5, 'per', lambda: self.pick('month', 'month', 'quarter', 'year', 'bill')),
                  **self.maybe(0.15, 'months', lambda: sorted(self.random.sample(range(1, 13), 9))),
                  **self.maybe(0.15 if self.seasons else 0, 'season', lambda: [self.pick('*', *self.seasons)]),
                  **self.maybe(0.15 if self.events else 0, 'event', lambda: self.pick(*self.events)),
                  **self.maybe(0.3, 'round', lambda: self.rounding(1, 0.1, '0.001', '0.5')),
                  **self.maybe(0.2, 'floor_kw', lambda: self.pick(1, '2.5', 10)), **self.maybe(0.2, 'floor_contract_pct', lambda: self.pick(10, 40, '33.333')),
                  **self.maybe(0.15, 'cap_kw', lambda: self.pick(20, 11)), **self.maybe(0.4, 'ratchet', self.ratchet)}
        if self.periods and self.chance(0.35):
            demand['schedule'] = self.pick(*self.periods)
            demand['period'] = [self.pick(*self.periods[demand['schedule']])]
        self.needs |= {'import_kva': {'import_kvarh'}, 'import_kvar': {'import_kvarh'}, 'export_kw': {'export_kwh'}}.get(demand.get('quantity'), set())
        return demand

    def ratchet(self):
        def percent():
            return self.pick(80, '62.5', 100, 35)
        return {'lookback': self.pick(1, 3, 11), 'percent': percent() if self.chance(0.6) else [percent() for _ in range(12)],
                **self.maybe(0.3, 'months', lambda: sorted(self.random.sample(range(1, 13), 6))),
                **self.maybe(0.3, 'current', lambda: percent() if self.chance(0.5) else [percent() for _ in range(12)])}

    def by_demand(self, code):
        component = {'code': code, 'kind': 'demand', 'demand': self.pick(*self.demands), **self.maybe(0.3, 'prorate', lambda: self.pick('days', 'months'))}
        if self.chance(0.5):
            return self.common({**component, 'price': self.price(None, 40)})
        unit, bounds = self.pick(('kw', [1, 3, 8.5]), ('pct_contract', [20, 60, 110]))
        steps = [{'up_to': bound, 'unit': unit, 'price': self.decimal(20, 4)} for bound in bounds[:self.random.randint(1, 3)]]
        return self.common({**component, 'tier': {'mode': self.pick('graduated', 'volume'), 'steps': [*steps, {'unit': unit, 'price': self.decimal(20, 4), **self.maybe(0.3, 'factor', lambda: 2)}]}})

    def capacity(self, code):
        return self.common({'code': code, 'kind': 'capacity', 'price': self.price(None, 30), **self.maybe(0.5, 'prorate', lambda: self.pick('days', 'months')),
                            **self.pick({}, {'quantity': 'attr:contract_kw', 'per': 'kw'})})

    def power_factor(self, code, others):
        self.needs.add('import_kvarh')
        names = [other['code'] for other in others]
        table = self.pick({'table': 'cn_0.90'}, {'table': 'cn_0.85'}, {'table': 'cn_0.80'}, {'table': 'cn'},
                          {'table': [[0.95, -1.5], [0.9, 0], ['0.7', 2.25], [0.5, 10]]},
                          {'linear': {'target': 0.9, 'step': 0.01, 'percent': '0.15', 'cap': self.pick(0.9, 0.95, 1)}})
        return self.common({'code': code, 'kind': 'power_factor', **table, **self.maybe(0.4, 'per_line', lambda: True),
                            **self.maybe(0.7, 'base', lambda: self.random.sample(names, min(2, len(names))))})

    def on_base(self, code, others):
        component = super().on_base(code, others)
        if component['kind'] in ('minimum', 'maximum') and self.chance(0.2):
            component['scope'] = 'year'
        return component

    def components(self):
        """series and demands first: components read them"""
        self.series, self.summed, self.demands = {}, [], {}
        self.draw_series()
        if self.chance(0.4):
            self.demands = {name: self.draw_demand() for name in self.random.sample(['d0', 'd1'], self.pick(1, 1, 2))}
        drawn = [self.energy(f'energy{i}') for i in range(self.random.randint(1, 2))]
        for make, share in ((self.fixed, 0.4), (self.custom, 0.25), (self.capacity, 0.2), (self.by_demand, 0.8 if self.demands else 0),
                            (self.spot, 0.9 if self.summed else 0)):
            drawn += [make(make.__name__)] if self.chance(share) else []
        for kind, quantity, share in (('credit', 'export_kwh', 0.2), ('reactive', 'import_kvarh', 0.15), ('reactive', 'export_kvarh', 0.05), ('custom', 'net_kwh', 0.08)):
            drawn += [self.metered(f'{kind}_{quantity}', kind, quantity)] if self.chance(share) else []
        self.random.shuffle(drawn)
        for i in range(self.random.randint(0, 2)):
            drawn.append(self.on_base(f'base{i}', drawn))
        if self.chance(0.25):
            drawn.insert(self.random.randint(1, len(drawn)), self.power_factor('pf', drawn[:1]))
        for component in drawn:
            if component['kind'] == 'energy' and 'steps' in component.get('tier', {}) and 'order' not in component['tier'] and self.chance(0.12):
                component['tier'].pop('prorate', None)
                self.reach(component['tier']['steps'])
            if component['kind'] not in ('minimum', 'maximum') and self.chance(0.1):
                component['vat'] = self.pick(5, 6, '20')
        return drawn

    # ---- the case

    def tariff(self):
        self.rounded = self.chance(0.35)
        self.events, self.seasons = {}, {}
        self.draw_events()
        tariff = super().tariff()
        if not self.rounded:
            tariff['round'] = {key: value for key, value in tariff['round'].items() if key not in ('quantity', 'price')}
        named = {'events': self.events, 'series': self.series, 'demands': self.demands}
        return {**tariff, 'code': 'case', **{key: value for key, value in named.items() if value}}

    def reprice(self, node):
        """the same tariff at other prices"""
        if isinstance(node, list):
            return [self.reprice(item) for item in node]
        if not isinstance(node, dict):
            return node
        return {key: self.decimal(3, 5) if key in ('price', 'flat', 'amount', 'percent') and not isinstance(value, (dict, list)) else self.reprice(value)
                for key, value in node.items() if key != 'demands'} | {key: node[key] for key in ('demands',) if key in node}

    def versions(self):
        """[(from, to, tariff)]: one that does not change, or some that follow each other"""
        tariff = self.tariff()
        if not self.chance(0.25):
            return [(None, None, tariff)]
        # of most of them: a change inside a scope that is split start or end is refused
        for component in tariff['components'] if self.chance(0.9) else []:
            if component.get('tier', {}).get('split') in ('start', 'end'):
                component['tier']['split'] = 'continue'
        alike = self.chance(0.6)
        agreed = ('zone', 'minor_unit', 'year_start', 'month_day')
        cuts = sorted({self.base + DAY * self.random.randint(0, self.days) for _ in range(self.pick(1, 1, 2))})
        result = [(None, cuts[0], tariff)]
        for start, end in zip(cuts, [*cuts[1:], None]):
            other = self.reprice(tariff) if alike else self.tariff()
            same = {key: tariff[key] for key in agreed if key in tariff}
            result.append((start, end, {**{key: value for key, value in other.items() if key not in agreed}, **same}))
        return result

    def load(self, zone):
        """rows (from, to, channel, kWh, price); some lack"""
        rows = []
        minutes = self.pick(15, 30, 60, 7) if self.days <= 2 else self.pick(30, 60, 60, 90) if self.days <= 5 else self.pick(120, 180, 360) if self.days <= 10 else self.pick(360, 720, 1440, 1440)
        step = timedelta(minutes=minutes)
        start = first_instant(self.base, zone)
        if self.chance(0.15):
            start += timedelta(minutes=self.random.randint(0, 600), seconds=self.pick(0, 7, 30.5))
        end = first_instant(self.base + DAY * self.days, zone)
        channels = self.needs if self.chance(0.97) else self.random.sample(sorted(self.needs), 1)
        for channel in sorted(channels):
            most = self.pick(0, 0.02, 0.5, 2, 2, 8) * minutes / 60 * (0.4 if 'kvarh' in channel else 1)
            digits = self.pick(0, 2, 3, 6)
            at = start
            while at + step <= end or at == start:
                if at == start or at + 2 * step > end or self.random.random() > 0.004:
                    rows.append((at, at + step, CHANNELS[channel], f'{self.random.uniform(0, most):.{digits}f}', f'{self.random.uniform(-0.05, 0.4):.4f}'))
                at += step
        return rows

    def context(self):
        context = super().context()
        context['attrs'].update(self.maybe(0.9, 'contract_kva', lambda: self.pick(10, 315, '50.5')))
        context['attrs'].update(self.maybe(0.9, 'contract_kw', lambda: self.pick(3, 10, '7.25')))
        context['attrs'].update(self.maybe(0.9, 'pf_standard', lambda: self.pick(0.9, '0.85', 0.8)))
        context.setdefault('qty', {}).setdefault('meters', 2)
        before = context.get('before', {})
        before.update(self.maybe(0.2, 'day', lambda: self.pick(0.5, 3)))
        names = sorted({name for names in self.periods.values() for name in names})
        for scope in before:
            if names and self.chance(0.3):
                before[scope] = {name: self.pick(0, 5, '12.345') for name in self.random.sample(names, self.random.randint(1, len(names)))}
        months = [f'{(self.base - DAY * 30 * i):%Y-%m}' for i in range(1, 12)]
        past = {name: {month: self.pick(1, 5, '12.75', 20) for month in self.random.sample(months, 3)} for name in self.demands}
        return {**context, **({'past_kw': past} if past and self.chance(0.6) else {}),
                **self.maybe(0.3, 'charged', lambda: {'year': self.pick(0, 100, '55.55')}),
                **self.maybe(0.4, 'during', self.during)}

    def during(self):
        return [(self.base - DAY * self.random.randint(0, 4)).isoformat(), (self.base + DAY * (self.days + self.random.randint(1, 5))).isoformat()]
