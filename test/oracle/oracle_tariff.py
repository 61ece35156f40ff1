"""oracle_tariff: what a tariff's JSON says about an instant, a day, a price; slow and exact

Written from the documents alone, minute by minute and day by day, in fractions. It knows nothing of
segments, parts or runs of days, and takes time zones from Python.
"""
import math
from datetime import date, datetime, timedelta, timezone
from fractions import Fraction
from zoneinfo import ZoneInfo

DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)
MICROSECOND = timedelta(microseconds=1)
MICRO = Fraction(1, 10**6)      # of a quantity
NANO = Fraction(1, 10**9)       # of a price
FEMTO = Fraction(1, 10**15)     # of money
WEEKDAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun']


class Missing(Exception):
    """the tariff needs what the bill does not give"""


class Refused(Exception):
    """not to be rated"""


def number(value):
    return Fraction(str(value))


def whole(quotient, mode):
    low = math.floor(quotient)
    rest = quotient - low
    if rest == 0:
        return low
    up = low + 1
    half = Fraction(1, 2)
    if mode == 'half_even':
        return low if rest < half or (rest == half and low % 2 == 0) else up
    if mode == 'half_up':
        return up if rest > half or (rest == half and quotient > 0) else low
    away = up if quotient > 0 else low
    return {'floor': low, 'ceil': up, 'up': away, 'down': low + up - away}[mode]


def rounded(value, step, mode='half_up'):
    return whole(value / step, mode) * step


def by_rule(value, rule):
    """value as R of the tariff says; null leaves it"""
    if rule is None:
        return value
    return rounded(value, number(rule['step']), rule.get('mode', 'half_up'))


def month_day(text):
    return int(text[:2]), int(text[3:])


def minute_of(text):
    return int(text[:2]) * 60 + int(text[3:])


def inside(day, dates):
    """is the day in [from, to) of the JSON?"""
    start, end = dates
    return not ((start and day < date.fromisoformat(start)) or (end and day >= date.fromisoformat(end)))


def attribute_text(value):
    if isinstance(value, bool):
        return 'true' if value else 'false'
    if isinstance(value, str):
        return value
    return f'{value:g}'


class Tariff:
    def __init__(self, json):
        self.json = json
        self.zone = ZoneInfo(json.get('zone', 'UTC'))
        rounds = json.get('round', {})
        self.round_quantity = rounds.get('quantity')
        self.round_price = rounds.get('price')
        self.round_total = rounds.get('total')
        self.round_line = rounds.get('line', {'step': f'1e-{json.get("minor_unit", 2)}'})
        self.schedules = json.get('schedules', {})
        self.seasons = json.get('seasons', {})
        self.components = json['components']
        self.known = {}

    # ---- days

    def tags(self, day):
        calendar = self.json.get('calendar', {})
        name = WEEKDAYS[day.weekday()]
        written = set(calendar.get('days', {}).get(day.isoformat(), []))
        weekend = name in calendar.get('weekend', ['sat', 'sun'])
        works = (not weekend and 'holiday' not in written) or 'makeup' in written
        return written | {name, 'weekend' if weekend else 'weekday', 'workday' if works else 'offday'}

    def season(self, day):
        here = (day.month, day.day)
        for name, ranges in self.seasons.items():
            for start, end in ranges:
                start, end = month_day(start), month_day(end)
                if (start <= here < end) if start < end else (here >= start or here < end):
                    return name
        return '*'

    def day_fits(self, rule, day):
        tags = self.tags(day)
        return (('months' not in rule or day.month in rule['months'])
                and ('season' not in rule or self.season(day) in rule['season'])
                and ('days' not in rule or bool(tags & set(rule['days'])))
                and not tags & set(rule.get('not_days', [])))

    def rule_fits(self, rule, day, minute):
        if not inside(day, rule.get('valid', [None, None])):
            return False
        if 'spans' not in rule:
            return self.day_fits(rule, day)
        began = day - DAY if rule.get('anchor') == 'start' else day
        for start, end in rule['spans']:
            start, end = minute_of(start), minute_of(end)
            if start < end:
                if start <= minute < end and self.day_fits(rule, day):
                    return True
            elif (minute >= start and self.day_fits(rule, day)) or (minute < end and self.day_fits(rule, began)):
                return True
        return False

    def period(self, schedule, day, minute):
        key = (schedule, day, minute)
        if key not in self.known:
            self.known[key] = next(rule['period'] for rule in self.schedules[schedule]
                                   if self.rule_fits(rule, day, minute))
        return self.known[key]

    def periods(self, schedule):
        """names in the order of the schedule"""
        return list(dict.fromkeys(rule['period'] for rule in self.schedules[schedule]))

    def day_start(self, day):
        """the first instant of a local date: looks at each minute"""
        midnight = datetime(day.year, day.month, day.day)
        at = midnight.replace(tzinfo=timezone.utc) - timedelta(hours=16)
        while at.astimezone(self.zone).date() < day:
            ahead = midnight - at.astimezone(self.zone).replace(tzinfo=None)
            at += timedelta(hours=1) if ahead > timedelta(hours=3) else MINUTE
        return at

    # ---- scopes of tiers

    def scope_start(self, scope, day):
        if scope == 'bill':
            return None
        month, first = month_day(self.json.get('year_start', '01-01'))
        if scope == 'month':
            first = self.json.get('month_day', 1)
        length = {'month': 1, 'quarter': 3, 'year': 12}[scope]
        starts = []
        for index in range(day.year * 12 + day.month - 14, day.year * 12 + day.month + 1):
            if (index + 1 - month) % length == 0:
                try:
                    starts.append(date(index // 12, index % 12 + 1, first))
                except ValueError:      # 29 February
                    starts.append(date(index // 12, index % 12 + 2, 1))
        return max(start for start in starts if start <= day)

    def scope_days(self, scope, day):
        start = self.scope_start(scope, day)
        end = day
        while self.scope_start(scope, end) == start:
            end += DAY
        return (end - start).days

    # ---- prices

    def reads(self, price, what):
        """does a price look at the period, or the season?"""
        if not isinstance(price, dict):
            return False
        if 'ref' in price:
            return self.reads(self.json['values'][price['ref']], what)
        if what in price:
            return True
        for form in ('mul', 'add'):
            if form in price:
                return any(self.reads(part, what) for part in price[form])
        entries = price.get('period', price.get('season', price.get('of')))
        return any(self.reads(part, what) for part in entries.values())

    def exact(self, price, period, season, attrs):
        if price is None:
            return Fraction(0)
        if not isinstance(price, dict):
            return number(price)
        if 'ref' in price:
            return self.exact(self.json['values'][price['ref']], period, season, attrs)
        for form in ('mul', 'add'):
            if form in price:
                parts = [self.exact(part, period, season, attrs) for part in price[form]]
                return by_rule(math.prod(parts) if form == 'mul' else sum(parts), price.get('round'))
        if 'attr' in price:
            entries = price['of']
            key = attribute_text(attrs[price['attr']]) if price['attr'] in attrs else None
        elif 'season' in price:
            entries, key = price['season'], season
        else:
            entries, key = price['period'], period
        if key not in entries and '*' not in entries:
            raise Missing('a price')
        return self.exact(entries.get(key, entries.get('*')), period, season, attrs)


class Usage:
    """energy in 1e-6 kWh by local day, schedule and period, with cuts at each minute"""

    def __init__(self, tariff):
        self.tariff = tariff
        self.energy = {}
        self.start = self.end = None
        self.covered = timedelta(0)

    def put(self, *key, energy):
        self.energy[key] = self.energy.get(key, 0) + energy

    def add(self, start, end, energy):
        """energy evenly over [start, end), by rounding the running share half-up"""
        tariff = self.tariff
        self.start = start if self.start is None else min(self.start, start)
        self.end = end if self.end is None else max(self.end, end)
        self.covered += end - start
        whole_us = (end - start) // MICROSECOND
        at, done = start, 0
        while at < end:
            local = at.astimezone(tariff.zone)
            at = min(at.replace(second=0, microsecond=0) + MINUTE, end)
            until = (2 * energy * ((at - start) // MICROSECOND) + whole_us) // (2 * whole_us)
            self.put(local.date(), None, None, energy=until - done)
            for name in tariff.schedules:
                period = tariff.period(name, local.date(), local.hour * 60 + local.minute)
                self.put(local.date(), name, period, energy=until - done)
            done = until

    def of(self, day, schedule=None, period=None):
        return self.energy.get((day, schedule, period), 0) * MICRO

    def total(self):
        return sum(energy for key, energy in self.energy.items() if key[1] is None) * MICRO
