"""oracle_rate: bill lines from a tariff's JSON and usage by day, as doc/rating.md says; in fractions"""
import math
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from fractions import Fraction

from oracle_tariff import DAY, FEMTO, MICRO, NANO, Missing, Refused, attribute_text, by_rule, inside, number, rounded

ONE = Fraction(1)


@dataclass
class Part:
    """days that a component treats alike, and the instance of the tier scope they lie in"""
    days: list
    instance: list
    scope: str
    season: str
    factor_if: int
    unit: str = 'kwh'
    energy: dict = field(default_factory=dict)
    used: Fraction = Fraction(0)


@dataclass
class Line:
    code: str
    group: str
    period: str
    tier: int
    quantity: Fraction
    unit: str
    price: Fraction
    factor: Fraction
    raw: Fraction
    amount: Fraction
    start: datetime
    end: datetime
    last_day: date


def holds(limits, value):
    tests = {'gt': value.__gt__, 'ge': value.__ge__, 'lt': value.__lt__, 'le': value.__le__}
    return all(test(number(limits[key])) for key, test in tests.items() if key in limits)


class Bill:
    def __init__(self, tariff, usage, start, end, ctx, days=None, months=None):
        self.tariff, self.usage, self.ctx = tariff, usage, ctx
        self.start, self.end = start, end
        self.attrs = ctx.get('attrs', {})
        first = start.astimezone(tariff.zone).date()
        last = (end - timedelta(microseconds=1)).astimezone(tariff.zone).date()
        self.days = [first + DAY * i for i in range((last - first).days + 1)]
        self.day_count = number(days) if days else Fraction(len(self.days))
        self.months_given = months
        self.whole_months = self.count_months()
        self.month_count = number(months) if months else Fraction(self.whole_months)
        self.lines = []

    # ---- days and months of the bill

    def month_later(self, months):
        """the same day of the month, or the last one of a shorter month"""
        first = self.days[0]
        index = first.year * 12 + first.month - 1 + months
        day = first.day
        while True:
            try:
                return date(index // 12, index % 12 + 1, day)
            except ValueError:
                day -= 1

    def count_months(self):
        end = self.days[-1] + DAY
        months = 0
        while self.month_later(months + 1) <= end:
            months += 1
        start, next_start = self.month_later(months), self.month_later(months + 1)
        return max(1, months + (2 * (end - start) >= next_start - start))

    def months_until(self, day):
        last = self.whole_months - 1
        months = 0
        while months < last and self.month_later(months + 1) <= day:
            months += 1
        start = self.month_later(months)
        end = self.days[-1] + DAY if months == last else self.month_later(months + 1)
        return months + Fraction((day - start).days, (end - start).days)

    def months_in(self, days):
        if self.months_given:
            return self.month_count * len(days) / len(self.days)
        return self.months_until(days[-1] + DAY) - self.months_until(days[0])

    def instant(self, day):
        if day == self.days[0]:
            return self.start
        return self.end if day > self.days[-1] else self.tariff.day_start(day)

    # ---- conditions, quantities, prices

    def quantity(self, name):
        if name is None:
            return ONE
        if name == 'import_kwh':
            return self.usage.total()
        if name in ('days', 'months'):
            return self.day_count if name == 'days' else self.month_count
        given, key = (self.attrs, name[5:]) if name.startswith('attr:') else (self.ctx.get('qty', {}), name)
        if key not in given:
            raise Missing(name)
        try:
            return number(given[key])
        except ValueError as error:
            raise Refused(name) from error

    def attribute_fits(self, name, wanted):
        if name not in self.attrs:
            return False
        if isinstance(wanted, dict):
            return holds(wanted, self.quantity('attr:' + name))
        values = wanted if isinstance(wanted, list) else [wanted]
        return attribute_text(self.attrs[name]) in map(attribute_text, values)

    def ratio_fits(self, ratio):
        of, to = self.quantity(ratio['of']), self.quantity(ratio['to'])
        return to > 0 and holds(ratio, of / to)

    def condition(self, wanted, day):
        return (('season' not in wanted or self.tariff.season(day) in wanted['season'])
                and ('months' not in wanted or day.month in wanted['months'])
                and inside(day, wanted.get('date', [None, None]))
                and all(self.attribute_fits(*item) for item in wanted.get('attr', {}).items())
                and all(holds(limits, self.quantity(name)) for name, limits in wanted.get('qty', {}).items())
                and ('ratio' not in wanted or self.ratio_fits(wanted['ratio'])))

    def counts(self, component, day, rule):
        return self.condition(component.get('when', {}), day) and inside(rule, component.get('valid', [None, None]))

    def factor_if(self, component, day):
        for index, choice in enumerate(component.get('factor_if', [])):
            if self.condition(choice['if'], day):
                return index
        return None

    def price(self, price, period, season):
        exact = self.tariff.exact(price, period, season, self.attrs)
        if self.tariff.round_price is not None:
            return by_rule(exact, self.tariff.round_price)
        return rounded(exact, NANO)

    def value(self, price, period, season):
        """a bound, a flat, a percentage: round.price is not for them"""
        return rounded(self.tariff.exact(price, period, season, self.attrs), NANO)

    # ---- lines

    def push(self, component, factor_if, raw, **fields):
        """a line of an exact amount: factor_if, then its own rounding"""
        factor = fields.pop('factor', ONE)
        if factor_if is not None:
            choice = component['factor_if'][factor_if]
            raw = by_rule(raw * number(choice['factor']), choice.get('round'))
            factor *= number(choice['factor'])
        raw = rounded(raw, FEMTO)
        self.lines.append(Line(
            code=component['code'], group=component.get('group', component['code']), raw=raw,
            amount=by_rule(raw, component.get('round', self.tariff.round_line)), factor=rounded(factor, NANO),
            **{'period': None, 'tier': None, **fields}))

    def push_part(self, component, part, quantity, price, period=None, tier=None, unit=None, factor=ONE, share=ONE):
        self.push(component, part.factor_if, quantity * price * share * factor, period=period, tier=tier,
                  quantity=rounded(quantity * share, MICRO), unit=unit or part.unit, price=price, factor=factor,
                  start=self.instant(part.days[0]), end=self.instant(part.days[-1] + DAY), last_day=part.days[-1])

    def rate(self):
        for index, component in enumerate(self.tariff.components):
            kind = component['kind']
            if kind == 'energy' or (kind == 'custom' and component['quantity'] == 'import_kwh'):
                self.rate_energy(component)
            elif kind in ('fixed', 'custom'):
                self.rate_fixed(component)
            elif kind == 'percent':
                self.rate_percent(component, self.base(component, index))
            elif self.ctx.get('final', True):
                self.rate_limit(component, self.base(component, index))
        if self.tariff.round_total is not None:
            total = sum(line.amount for line in self.lines)
            change = by_rule(total, self.tariff.round_total) - total
            if change:
                self.push_whole({'code': 'rounding', 'round': None}, change)
        return self.lines

    def push_whole(self, component, raw):
        self.push(component, None, raw, quantity=ONE, unit='bill', price=rounded(raw, NANO),
                  start=self.start, end=self.end, last_day=self.days[-1])

    # ---- parts

    def prices_of(self, component):
        steps = component.get('tier', {}).get('steps', [])
        return [component.get('price')] + [step.get(key) for step in steps for key in ('price', 'up_to', 'flat')]

    def by_season(self, component):
        return bool(self.tariff.seasons) and any(self.tariff.reads(p, 'season') for p in self.prices_of(component))

    def periods(self, component):
        """schedule and periods that split the component; one None: it is not split"""
        schedules = list(self.tariff.schedules)
        schedule = component.get('schedule', schedules[0] if len(schedules) == 1 else None)
        split = ('period' in component or component.get('tier', {}).get('order') == 'per_period'
                 or any(self.tariff.reads(price, 'period') for price in self.prices_of(component)))
        if schedule is None or not split:
            return None, [None]
        return schedule, [name for name in self.tariff.periods(schedule) if name in component.get('period', [name])]

    def gather(self, component, days, rule, scope, unit='kwh'):
        """neighbouring days that count, of the same season and factor; rule: the day that judges all"""
        parts, open_part = [], False
        for day in days:
            judge = rule or day
            if not self.counts(component, day, judge):
                open_part = open_part and rule is not None
                continue
            alike = (self.tariff.season(judge) if self.by_season(component) else None, self.factor_if(component, judge))
            if open_part and (parts[-1].season, parts[-1].factor_if) == alike:
                parts[-1].days.append(day)
            else:
                parts.append(Part([day], days, scope, *alike, unit=unit))
            open_part = True
        return parts

    def instances(self, scope):
        groups = {}
        for day in self.days:
            groups.setdefault(self.tariff.scope_start(scope, day), []).append(day)
        return list(groups.values())

    # ---- components by energy

    def rate_energy(self, component):
        schedule, periods = self.periods(component)
        tier = component.get('tier')
        scope = tier.get('scope', 'bill') if tier else 'bill'
        lines_before, part = len(self.lines), None
        for index, days in enumerate(self.instances(scope)):
            before = number(self.ctx.get('before', {}).get(scope, 0)) if tier and index == 0 else Fraction(0)
            split = self.split(tier) if tier else None
            rule = {'start': days[0], 'end': days[-1]}.get(split)
            counter = dict.fromkeys(periods, Fraction(0))
            done = 0
            for part in self.gather(component, days, rule, scope):
                for name in periods:
                    energy = sum(self.usage.of(day, schedule, name) for day in part.days)
                    part.energy[name] = by_rule(energy, self.tariff.round_quantity)
                if not tier:
                    self.rate_plain(component, part, periods)
                    continue
                if split == 'continue':
                    # days of another version of the component count too
                    for day in days[done:days.index(part.days[0])]:
                        if self.condition(component.get('when', {}), day):
                            for name in periods:
                                counter[name] += self.usage.of(day, schedule, name)
                    done = days.index(part.days[-1]) + 1
                part.used = before + sum(counter.values())
                self.rate_tiers(component, part, periods, counter, before)
                if split == 'continue':
                    for name in periods:
                        counter[name] += part.energy[name]
                else:
                    before = Fraction(0)
        if part is not None and len(self.lines) == lines_before:
            self.push_zero(component, part, periods)

    def rate_plain(self, component, part, periods):
        for name in periods:
            if part.energy[name]:
                self.push_part(component, part, part.energy[name], self.price(component['price'], name, part.season), name)

    def push_zero(self, component, part, periods):
        """a line of nothing, at the price of what would come next"""
        tier, period = component.get('tier'), periods[0]
        alone = period if tier and (len(periods) == 1 or tier.get('order') == 'per_period') else None
        mode = tier.get('mode', 'graduated') if tier else None
        if mode == 'package':
            self.push_part(component, part, Fraction(0), self.price(component['price'], alone, part.season), alone, unit='unit')
        elif not tier or (mode == 'adder' and 'price' in component):
            self.push_part(component, part, Fraction(0), self.price(component['price'], period, part.season), period)
        else:
            bounds = self.bounds(tier, part, alone)
            if 'by' in tier:
                index = self.reached(bounds, self.quantity(tier['by']))
            else:
                index = sum(part.used >= bound for bound in bounds)
            step = tier['steps'][index]
            price = step.get('price', component.get('price') if mode != 'adder' else None)
            self.push_part(component, part, Fraction(0), self.price(price, period, part.season), period, index + 1,
                           factor=number(step.get('factor', 1)))

    # ---- tiers

    @staticmethod
    def split(tier):
        return tier.get('split', 'continue' if tier.get('scope') in ('quarter', 'year') else 'days')

    @staticmethod
    def reached(bounds, units):
        return sum(units > bound for bound in bounds)

    def stretch(self, tier, part):
        """days, months of the instance; what multiplies its bounds; the share of the part in it"""
        days, months = self.day_count, self.month_count
        if part.scope != 'bill':
            days, months = Fraction(len(part.instance)), {'month': ONE, 'quarter': 3 * ONE, 'year': 12 * ONE}[part.scope]
        prorate = {'days': days / tier.get('nominal_days', 30), 'months': months}.get(tier.get('prorate'), ONE)
        share = Fraction(len(part.days), len(part.instance)) if self.split(tier) == 'days' else ONE
        return days, months, prorate, share

    def bounds(self, tier, part, period):
        days, months, prorate, share = self.stretch(tier, part)
        bounds = []
        for index, step in enumerate(tier['steps'][:-1]):
            per_day = step.get('unit') == 'kwh_per_day'
            bound = self.value(step['up_to'], period, part.season) * (days if per_day else prorate)
            for allowance in tier.get('allowance', []):
                name = allowance['attr']
                if (index > 0 and allowance.get('widen') == 'first') or name not in self.attrs:
                    continue
                if self.quantity('attr:' + name) < number(allowance['at_least']):
                    continue
                times = months if allowance.get('per', 'month') == 'month' else ONE
                if not per_day and tier.get('prorate', 'none') != 'none':
                    times = prorate
                bound += number(allowance['add']) * times
            bounds.append(rounded(bound * share, MICRO))
        if bounds != sorted(bounds):
            raise Refused('bounds')
        return bounds

    def rate_tiers(self, component, part, periods, counter, before):
        if component['tier'].get('order') == 'per_period' and len(periods) > 1:
            if before:
                raise Refused('per_period after an earlier bill')
            for name in periods:
                self.rate_group(component, part, [name], counter[name])
        else:
            self.rate_group(component, part, periods, part.used)

    def rate_group(self, component, part, periods, used):
        """periods that share a counter, after used units"""
        tier = component['tier']
        alone = periods[0] if len(periods) == 1 else None
        units = sum(part.energy[name] for name in periods)
        mode = tier.get('mode', 'graduated')
        if mode == 'package':
            self.rate_package(component, part, alone, used, units)
            return
        bounds = self.bounds(tier, part, alone)
        if mode == 'volume':
            self.rate_volume(component, part, periods, alone, bounds, used)
            return
        by_period = True
        if mode == 'adder':
            if 'price' in component:
                self.rate_plain(component, part, periods)
            by_period = any(self.tariff.reads(step.get('price'), 'period') for step in tier['steps'])
        fill = self.fill(bounds, used, units)
        if by_period:
            cells = self.spread(fill, [part.energy[name] for name in periods])
            for column, name in enumerate(periods):
                for index, row in enumerate(cells):
                    self.push_step(component, part, name, index, row[column])
        else:
            for index, units_of_step in enumerate(fill):
                self.push_step(component, part, alone, index, units_of_step)
        for index in range(len(fill)):
            if index == 0:
                times = int(self.first_flat_due(tier, used, units))
            else:
                times = (used + units > bounds[index - 1]) - (used > bounds[index - 1])
            self.push_flat(component, part, alone, index, times)

    @staticmethod
    def first_flat_due(tier, used, units):
        return used == 0 and (units != 0 or tier.get('flat_at_zero', True))

    @staticmethod
    def fill(bounds, used, units):
        """units in each step: the overlap of (used, used + units] with it"""
        edges = [-math.inf] + bounds + [math.inf]
        low, high = sorted((used, used + units))
        overlap = [max(Fraction(0), min(high, top) - max(low, bottom)) for bottom, top in zip(edges, edges[1:])]
        return overlap if units >= 0 else [-piece for piece in overlap]

    @staticmethod
    def spread(fill, rest):
        """each step takes from the periods by their share of what the steps before it left"""
        cells = [[Fraction(0)] * len(rest) for _ in fill]
        used_steps = [index for index, units in enumerate(fill) if units]
        for index in used_steps:
            if index == used_steps[-1]:
                cells[index] = rest
                break
            left, running, taken = sum(rest), Fraction(0), Fraction(0)
            for column, units in enumerate(rest):
                running += units
                until = rounded(running * fill[index] / left, MICRO)
                cells[index][column] = until - taken
                taken = until
            rest = [units - taken for units, taken in zip(rest, cells[index])]
        return cells

    def push_step(self, component, part, period, index, units):
        adder = component['tier'].get('mode') == 'adder'
        step = component['tier']['steps'][index]
        if units == 0:
            return
        price = self.price(step.get('price', None if adder else component.get('price')), period, part.season)
        if price or not adder:
            self.push_part(component, part, units, price, period, index + 1, factor=number(step.get('factor', 1)))

    def push_flat(self, component, part, period, index, times):
        _, _, prorate, share = self.stretch(component['tier'], part)
        if times:
            flat = self.value(component['tier']['steps'][index].get('flat'), period, part.season)
            flat = rounded(flat * prorate * share, NANO)
            if flat:
                self.push_part(component, part, Fraction(times), flat, period, index + 1, unit='bill')

    def rate_volume(self, component, part, periods, alone, bounds, used):
        """all units at the step where they end, less those before at the step where they ended"""
        tier = component['tier']
        units = sum(part.energy[name] for name in periods)
        after = self.reached(bounds, self.quantity(tier['by']) if 'by' in tier else used + units)
        before = after if 'by' in tier else self.reached(bounds, used)
        again = used if before != after else Fraction(0)
        for name in periods:
            self.push_step(component, part, name, after, part.energy[name] + (again if alone == name else 0))
        if len(periods) > 1:
            self.push_step(component, part, None, after, again)
        self.push_step(component, part, alone, before, -again)
        if again or self.first_flat_due(tier, used, units):
            self.push_flat(component, part, alone, after, 1)
        if again:
            self.push_flat(component, part, alone, before, -1)

    def rate_package(self, component, part, alone, used, units):
        tier = component['tier']
        _, _, prorate, share = self.stretch(tier, part)
        free, size = rounded(number(tier.get('free', 0)) * prorate * share, MICRO), number(tier['size'])
        packages = [math.ceil(max(Fraction(0), x - free) / size) for x in (used, used + units)]
        if packages[0] != packages[1]:
            price = self.price(component['price'], alone, part.season)
            self.push_part(component, part, Fraction(packages[1] - packages[0]), price, alone, unit='unit')

    # ---- components by any other quantity

    def times(self, component):
        """what the quantity is multiplied by: once, days, months, month days"""
        quantity, per = component.get('quantity'), component.get('per')
        if quantity in ('days', 'months'):
            return quantity
        if per == 'day':
            return 'days'
        if component.get('prorate') == 'days':
            return 'month days'
        return 'months' if component.get('prorate') == 'months' or per == 'month' else 'once'

    def rate_fixed(self, component):
        quantity, times = component.get('quantity'), self.times(component)
        unit = component.get('per', 'bill' if component['kind'] == 'fixed' else 'unit')
        if quantity in ('days', 'months'):
            quantity, unit = None, quantity[:-1]
        if times == 'once':
            self.rate_once(component, quantity, unit)
            return
        for part in self.gather(component, self.days, None, 'bill', unit):
            if times == 'days':
                share = self.day_count * len(part.days) / len(self.days)
            elif times == 'months':
                share = self.months_in(part.days)
            else:
                share = sum(Fraction(1, self.tariff.scope_days('month', day)) for day in part.days)
            price = self.price(component['price'], None, part.season)
            self.push_part(component, part, self.quantity(quantity), price, share=share)

    def rate_once(self, component, quantity, unit):
        """by the rules of the last day"""
        last, tier = self.days[-1], component.get('tier')
        if not self.counts(component, last, last):
            return
        scope = tier.get('scope', 'bill') if tier else 'bill'
        season = self.tariff.season(last) if self.by_season(component) else None
        part = Part(self.days, self.days, scope, season, self.factor_if(component, last), unit)
        part.energy = {None: self.quantity(quantity)}
        if not tier:
            self.push_part(component, part, part.energy[None], self.price(component['price'], None, season))
            return
        if len(self.instances(scope)) > 1:
            raise Missing('the quantity by month, quarter or year')
        part.used = number(self.ctx.get('before', {}).get(scope, 0))
        lines_before = len(self.lines)
        self.rate_group(component, part, [None], part.used)
        if len(self.lines) == lines_before:
            self.push_zero(component, part, [None])

    # ---- components by the lines before them

    def base(self, component, index):
        names = component.get('base', ['*'])
        codes = {other['code'] for other in self.tariff.components[:index]
                 if '*' in names or other['code'] in names or other.get('group', other['code']) in names}
        return [line for line in self.lines if line.code in codes]

    def judge_percent(self, component, day):
        """percentage and factor of a line that ends on the day, or None"""
        if not self.counts(component, day, day):
            return None
        return self.value(component['percent'], None, self.tariff.season(day)), self.factor_if(component, day)

    def rate_percent(self, component, base):
        per_line = component.get('per_line', False)
        groups = []
        for line in base if per_line else sorted(base, key=lambda line: line.last_day):
            judged = self.judge_percent(component, line.last_day)
            if judged is None:
                continue
            if per_line or not groups or groups[-1][0] != judged:
                groups.append((judged, []))
            groups[-1][1].append(line)
        for (percent, factor_if), lines in groups:
            self.push_percent(component, percent, factor_if, lines, per_line)

    def push_percent(self, component, percent, factor_if, lines, per_line):
        share = ONE
        for name, limit in component.get('share_above', {}).items():
            units = self.quantity(name)
            share = max(Fraction(0), (units - number(limit)) / units) if units > 0 else Fraction(0)
        base = sum(line.amount for line in lines)
        self.push(component, factor_if, rounded(base * percent / 100 * share, FEMTO),
                  period=lines[0].period if per_line else None, tier=lines[0].tier if per_line else None,
                  quantity=rounded(base, MICRO), unit='percent', price=percent, factor=share,
                  start=min(line.start for line in lines), end=max(line.end for line in lines),
                  last_day=max(line.last_day for line in lines))

    def rate_limit(self, component, base):
        last = self.days[-1]
        if not self.counts(component, last, last):
            return
        limit = self.value(component['amount'], None, self.tariff.season(last))
        if component.get('scope') == 'month':
            limit *= self.month_count
        factor_if = self.factor_if(component, last)
        if factor_if is not None:
            choice = component['factor_if'][factor_if]
            limit = by_rule(limit * number(choice['factor']), choice.get('round'))
        lacking = limit - sum(line.amount for line in base)
        if (lacking > 0) == (component['kind'] == 'minimum') and lacking:
            self.push_whole(component, lacking)
