"""oracle_draw: random tariffs of all that can be rated, and what to rate them with"""
from datetime import date, timedelta

ZONES = ['Asia/Shanghai', 'Europe/London', 'America/New_York', 'Australia/Lord_Howe', 'Europe/Berlin',
         'Asia/Kathmandu', 'America/St_Johns', 'Asia/Beirut', 'America/Havana', 'America/Santiago',
         'Africa/Casablanca', 'Atlantic/Azores', 'UTC']     # some change at midnight, or by half an hour
PERIODS = ['peak', 'flat', 'valley', 'deep']
TAGS = ['mon', 'wed', 'sat', 'sun', 'weekend', 'weekday', 'workday', 'offday', 'holiday', 'makeup', 'hot', 'fest']
MODES = ['half_up', 'half_even', 'up', 'down', 'floor', 'ceil']


class Draw:
    """random: of the case; base: the day around which all dates lie"""

    def __init__(self, random):
        self.random = random
        self.base = date(2023, 1, 1) + timedelta(random.randint(0, 1500))
        if self.chance(0.5):    # where clocks change
            self.base = date(random.randint(2023, 2026), random.choice([3, 4, 9, 10]), random.randint(1, 28))
        self.seasons = {}
        self.periods = {}

    def chance(self, share):
        return self.random.random() < share

    def pick(self, *choices):
        return self.random.choice(choices)

    def maybe(self, share, key, make):
        """{key: value}, or nothing"""
        return {key: make()} if self.chance(share) else {}

    def decimal(self, most, digits, least=0):
        places = self.random.randint(0, digits)
        text = f'{self.random.uniform(least, most):.{places}f}'
        return float(text) if places <= 6 and self.chance(0.5) else text

    def rounding(self, *steps):
        return {'step': self.pick(*steps), 'mode': self.pick(*MODES)}

    def day(self):
        return self.base + timedelta(self.random.randint(-5, 45))

    def dates(self):
        start, end = sorted([self.day(), self.day()])
        end = end if end > start else start + timedelta(3)
        open_end = self.random.random()
        return [None if open_end < 0.25 else start.isoformat(), None if open_end > 0.75 else end.isoformat()]

    # ---- time

    def span(self):
        grid = self.pick(60, 30, 15, 1)
        start, end = self.random.sample(range(0, 1440, grid), 2)
        return [f'{start // 60:02}:{start % 60:02}', '24:00' if self.chance(0.1) else f'{end // 60:02}:{end % 60:02}']

    def rule(self, period):
        rule = {'period': period}
        if self.chance(0.85):
            rule['spans'] = [self.span() for _ in range(self.random.randint(1, 3))]
            rule.update(self.maybe(0.3, 'anchor', lambda: 'start'))
        rule.update(self.maybe(0.25, 'months', lambda: sorted(self.random.sample(range(1, 13), self.random.randint(1, 6)))))
        rule.update(self.maybe(0.3 if self.seasons else 0, 'season', lambda: [self.pick('*', *self.seasons)]))
        rule.update(self.maybe(0.35, 'days', lambda: self.random.sample(TAGS, 2)))
        rule.update(self.maybe(0.15, 'not_days', lambda: self.random.sample(TAGS, 1)))
        rule.update(self.maybe(0.1, 'valid', self.dates))
        return rule

    def schedule(self):
        names = self.random.sample(PERIODS, self.random.randint(2, 3))
        rules = [self.rule(self.random.choice(names)) for _ in range(self.random.randint(1, 4))]
        return rules + [{'period': names[-1]}]

    def draw_seasons(self):
        cuts = [self.base + timedelta(self.random.randint(-20, 20))]
        for _ in range(2):
            cuts.append(cuts[-1] + timedelta(self.random.randint(5, 160)))
        text = [f'{cut:%m-%d}' for cut in cuts]
        if cuts[2] - cuts[0] < timedelta(360):
            self.seasons = {'s1': [text[0:2]], **self.maybe(0.4, 's2', lambda: [text[1:3]])}

    # ---- prices

    def price(self, schedule=None, most=2, depth=0):
        """schedule: whose periods it may read"""
        def part():
            return self.price(schedule, most, depth + 1)
        kind = self.random.random()
        if depth > 2 or kind < 0.45:
            return self.decimal(most, 9, -0.2 if self.chance(0.1) else 0)
        if kind < 0.6 and schedule:
            entries = {name: part() for name in self.periods[schedule]}
            if len(entries) > 1 and self.chance(0.3):
                entries['*'] = entries.popitem()[1]
            return {'period': entries}
        if kind < 0.7 and self.seasons:
            return {'season': {name: part() for name in [*self.seasons, '*']}}
        if kind < 0.8:
            return {'attr': 'class', 'of': {'a': part(), '*': part()}}
        if kind < 0.85:
            return {'ref': 'value'}
        form = self.pick('mul', 'add')
        return {form: [self.price(schedule, most, depth + 2) for _ in range(self.random.randint(1, 3))],
                **self.maybe(0.6, 'round', lambda: self.rounding(0.0001, 0.001, '0.00005', 0.01, '0.000001'))}

    def condition(self):
        random = self.random
        kinds = [
            lambda: {'season': [self.pick('*', *self.seasons)]},
            lambda: {'months': sorted(random.sample(range(1, 13), 6))},
            lambda: {'date': self.dates()},
            lambda: {'attr': {'class': self.pick('a', ['a', 'c'], 'b')}},
            lambda: {'attr': {'persons': {self.pick('gt', 'ge'): random.randint(1, 6)}}},
            lambda: {'qty': {self.pick('import_kwh', 'days', 'months', 'meters', 'attr:persons'):
                             {self.pick('gt', 'ge', 'lt', 'le'): self.pick(1, 2, 30, 31, 300, 500)}}},
            lambda: {'ratio': {'of': 'import_kwh', 'to': self.pick('attr:persons', 'meters', 'days'),
                               self.pick('gt', 'lt', 'ge'): self.pick(10, 50, 100, 260)}},
        ]
        drawn = {}
        for _ in range(random.randint(1, 2)):
            drawn.update(random.choice(kinds)())
        return drawn

    # ---- tiers

    def bound(self, below, small):
        width = self.pick(1, 5, 20, 100, 150, 0.5) * self.random.randint(1, 3) * (0.1 if small else 1)
        return round(below + width + self.pick(0, self.random.random()), self.random.randint(1, 6))

    def bounds(self, below, schedule, tier, small):
        """one bound that may hang on season, attribute or period, and the largest of its values"""
        def one():
            return self.bound(below, small)
        kind = self.random.random()
        if kind < 0.25 and self.seasons:
            entries = {name: one() for name in [*self.seasons, '*']}
            return {'season': entries}, max(entries.values())
        if kind < 0.32:
            entries = {'a': one(), '*': one()}
            return {'attr': 'class', 'of': entries}, max(entries.values())
        if kind < 0.6 and tier.get('order') == 'per_period':
            entries = {name: one() for name in self.periods[schedule]}
            return {'period': entries}, max(entries.values())
        value = one()
        return value, value

    def step(self, component, schedule, tier):
        flats = schedule if tier.get('order') == 'per_period' else None
        priced = 'price' not in component or self.chance(0.85)
        return {**({'price': self.price(schedule, 2, 1)} if priced else {}),
                **self.maybe(0.2, 'factor', lambda: self.decimal(2, 9)),
                **self.maybe(0.25, 'flat', lambda: self.price(flats, 10, 2))}

    def steps(self, component, schedule, tier, by_day):
        steps, below = [], 0
        for _ in range(self.random.randint(0, 3)):
            bound, below = self.bounds(below, schedule, tier, by_day)
            steps.append({'up_to': bound, **({'unit': 'kwh_per_day'} if by_day else {}),
                          **self.step(component, schedule, tier)})
        return steps + [self.step(component, schedule, tier)]

    def allowance(self):
        return {'attr': 'persons', 'at_least': self.pick(2, 4, 5), 'add': self.pick(10, 100, '33.333333'),
                **self.maybe(0.4, 'per', lambda: 'scope'), **self.maybe(0.5, 'widen', lambda: 'first')}

    def tier(self, component, schedule):
        tier = {'mode': self.pick('graduated', 'graduated', 'volume', 'adder', 'package'),
                'scope': self.pick('bill', 'bill', 'month', 'quarter', 'year'),
                **self.maybe(0.25 if schedule else 0, 'order', lambda: 'per_period'),
                **self.maybe(0.4, 'split', lambda: self.pick('days', 'continue', 'start', 'end'))}
        short = tier['scope'] in ('bill', 'month')
        if short and self.chance(0.4):
            tier['prorate'] = self.pick('days', 'months')
            tier['nominal_days'] = self.pick(30, 28, 31, 7)
        if tier['mode'] == 'package':
            component['price'] = self.price(schedule if 'order' in tier else None, 5)
            return {**tier, 'size': self.pick(1, 10, '7.5', '0.333333'), **self.maybe(0.5, 'free', lambda: self.pick(50, '12.25'))}
        by_day = short and component['kind'] == 'energy' and self.chance(0.15)
        if tier['mode'] == 'volume':
            tier.update(self.maybe(0.3, 'by', lambda: self.pick('days', 'meters', 'import_kwh', 'attr:persons')))
        return {**tier, **self.maybe(0.2, 'flat_at_zero', lambda: False),
                **self.maybe(0.3, 'allowance', lambda: [self.allowance() for _ in range(self.random.randint(1, 2))]),
                'steps': self.steps(component, schedule, tier, by_day)}

    # ---- components

    def common(self, component):
        return {**component, **self.maybe(0.25, 'when', self.condition), **self.maybe(0.15, 'valid', self.dates),
                **self.maybe(0.25, 'factor_if', lambda: [
                    {'if': self.condition(), 'factor': self.decimal(2, 9),
                     **self.maybe(0.3, 'round', lambda: self.rounding(0.01, 0.001, 1))}
                    for _ in range(self.random.randint(1, 2))]),
                **self.maybe(0.2, 'round', lambda: self.pick(None, self.rounding(0.01, 0.1, 1, '0.05', '0.001'))),
                **self.maybe(0.2, 'group', lambda: self.pick('g0', 'g1'))}

    def energy(self, code):
        schedule = self.pick(*self.periods) if self.periods else None
        component = {'code': code, 'kind': 'energy', **({'schedule': schedule} if schedule else {})}
        if schedule:
            names = self.periods[schedule]
            component.update(self.maybe(0.2, 'period', lambda: self.random.sample(names, self.random.randint(1, len(names)))))
        component.update(self.maybe(0.6, 'price', lambda: self.price(schedule)))
        if 'price' not in component or self.chance(0.5):
            component['tier'] = self.tier(component, schedule)
        return self.common(component)

    def fixed(self, code):
        return self.common({'code': code, 'kind': 'fixed', 'price': self.price(None, 30),
                            **self.maybe(0.7, 'per', lambda: self.pick('bill', 'day', 'month')),
                            **self.maybe(0.4, 'prorate', lambda: self.pick('days', 'months'))})

    def custom(self, code):
        component = {'code': code, 'kind': 'custom', 'price': self.price(None, 5),
                     'quantity': self.pick('meters', 'import_kwh', 'days', 'months', 'attr:persons')}
        if component['quantity'] not in ('days', 'months') and self.chance(0.5):
            component['tier'] = self.tier(component, None)
        return self.common(component)

    def on_base(self, code, others):
        names = [other['code'] for other in others] + [other['group'] for other in others if 'group' in other]
        base = self.maybe(0.5, 'base', lambda: [self.pick(*names)])
        if self.chance(0.4):
            return self.common({'code': code, 'kind': self.pick('minimum', 'maximum'), 'amount': self.price(None, 300),
                                **self.maybe(0.4, 'scope', lambda: 'month'), **base})
        share = self.maybe(0.3, 'share_above', lambda: {self.pick('import_kwh', 'days'): self.pick(10, 100, '250.5', 600)})
        return self.common({'code': code, 'kind': 'percent', 'percent': self.price(None, 30), **share,
                            **self.maybe(0.3, 'per_line', lambda: True), **base})

    def components(self):
        drawn = [self.energy(f'energy{i}') for i in range(self.random.randint(1, 3))]
        drawn += [self.fixed(f'fixed{i}') for i in range(self.random.randint(0, 2))]
        drawn += [self.custom('custom')] if self.chance(0.4) else []
        self.random.shuffle(drawn)
        for i in range(self.random.randint(0, 3)):
            drawn.append(self.on_base(f'base{i}', drawn))
        return drawn

    def tariff(self):
        tariff = {'elecbill': 1, 'currency': 'CNY', 'zone': self.pick(*ZONES), 'values': {'value': self.decimal(2, 9)},
                  **self.maybe(0.3, 'minor_unit', lambda: self.pick(0, 1, 3, 4)),
                  **self.maybe(0.5, 'year_start', lambda: self.pick('12-01', '04-01', '02-29', '07-15', '03-31')),
                  **self.maybe(0.4, 'month_day', lambda: self.random.randint(1, 28))}
        tariff['round'] = {**self.maybe(0.25, 'quantity', lambda: self.rounding(1, '0.1', '0.001', '0.5')),
                           **self.maybe(0.25, 'price', lambda: self.rounding(0.0001, 0.01, '0.000001')),
                           **self.maybe(0.25, 'line', lambda: self.pick(None, self.rounding(0.01, 0.001, 0.05, 1))),
                           **self.maybe(0.3, 'total', lambda: self.rounding(0.01, 1, 0.05, 10, 0.1))}
        tariff['calendar'] = {**self.maybe(0.3, 'weekend', lambda: self.pick(['fri', 'sat'], ['sun'])),
                              'days': {self.day().isoformat(): self.random.sample(['holiday', 'makeup', 'hot', 'fest'], 2)
                                       for _ in range(self.random.randint(0, 6))}}
        if self.chance(0.6):
            self.draw_seasons()
            tariff['seasons'] = self.seasons
        tariff['schedules'] = {f'schedule{i}': self.schedule() for i in range(self.pick(0, 1, 1, 1, 2))}
        self.periods = {name: list(dict.fromkeys(rule['period'] for rule in rules))
                        for name, rules in tariff['schedules'].items()}
        return {**tariff, 'components': self.components()}

    def context(self):
        attrs = {**self.maybe(0.8, 'persons', lambda: self.pick(1, 3, 5, 6, 2.5)),
                 **self.maybe(0.8, 'class', lambda: self.pick('a', 'b', 'c'))}
        scopes = self.random.sample(['bill', 'month', 'quarter', 'year'], self.random.randint(1, 3))
        return {'attrs': attrs, **self.maybe(0.8, 'qty', lambda: {'meters': self.pick(0, 1, 2, '7.25', 150)}),
                **self.maybe(0.5, 'before', lambda: {s: self.pick(0, 10, 100, '123.456789', 1000) for s in scopes}),
                **self.maybe(0.2, 'final', lambda: False)}
