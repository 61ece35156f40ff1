"""The shape of ssc's utility bills: a load and a generation of a year against a whole tariff."""
import os
import re

from vectors_engine import EXACT, Fault, Malformed, decimal, micro, nano, tariff, to_json
from vectors_cn import MONTHS, has
from vectors_demand import month_days
from vectors_ssc import (PER_KW, YEAR, block_step, flat_demand, matrix_rules, number, outer_rows, period_name,
                         periods_of_month, rows_by, tou_demand)

MODE = {0: 'rollover_kwh', 1: 'rollover_money', 2: 'billing', 3: 'billing_carry', 4: 'buy_all_sell_all'}
GROWTH = '1.025'    # of prices from year to year
OPTIONAL = {'ur_nm_credit_month': 11, 'ur_metering_option': 0}


# ---------------------------------------------------------------- the tariff

class Source:
    """The case's matrices as canonical JSON, for a year of the bill."""

    def __init__(self, given, step_minutes):
        self.given = given
        self.minutes = step_minutes
        self.rows = rows_by(given['ur_ec_tou_mat'])

    def amount(self, key):
        return nano(self.given.get(key, 0))

    def setting(self, key):
        return number(self.given.get(key, OPTIONAL.get(key, 0)))

    def price(self, value, year):
        """A price of the first year, grown to that of the year."""
        price = nano(value)
        return price if year == 1 or not price else {'mul': [price] + [GROWTH] * (year - 1)}

    def months_by_periods(self):
        """Months whose days have the same periods: they share components."""
        groups = {}
        for month in range(12):
            periods = periods_of_month(self.given['ur_ec_sched_weekday'], self.given['ur_ec_sched_weekend'], month)
            groups.setdefault(tuple(periods), []).append(month + 1)
        return groups

    def step(self, rows, year, demand):
        """One step from its row in every period; bounds that differ are written as they are."""
        bounds = {period_name(r[0]): micro(r[2]) for r in rows if r[2] is not None}
        bound = None
        if bounds:
            same = len(set(bounds.values())) == 1 and len(bounds) == len(rows)
            bound = next(iter(bounds.values())) if same else {'period': bounds}
        prices = {'period': {period_name(r[0]): self.price(r[4], year) for r in rows}}
        return block_step(rows, bound, prices, demand)

    def steps(self, periods, year):
        """The steps of one group of months; periods with fewer rows leave theirs out."""
        outer = [outer_rows(self.rows.get(p, [])) for p in periods]
        steps = []
        for i in range(max(len(o) for o in outer)):
            here = [o[i] for o in outer if i < len(o)]
            step = self.step([row for row, _ in here], year, 'billing')
            inner = [rows for _, rows in here if rows]
            if inner:
                step['steps'] = [self.step([rows[j] for rows in inner if j < len(rows)], year, 'billing')
                                 for j in range(max(len(rows) for rows in inner))]
            steps.append(step)
        return steps

    def energy(self, year):
        made = []
        for i, (periods, months) in enumerate(self.months_by_periods().items(), 1):
            steps = self.steps(periods, year) or [{'price': {'period': {}}}]
            common = {'schedule': 'ec', 'period': [period_name(p) for p in periods]}
            if len(months) < 12:
                common['when'] = {'months': months}
            tiered = len(steps) > 1 or 'steps' in steps[0] or 'up_to' in steps[0]
            priced = {'tier': {'steps': steps}} if tiered else {'price': steps[0]['price']}
            made.append(dict({'code': 'energy%d' % i, 'kind': 'energy', 'group': 'energy'}, **common, **priced))
            sells = {period_name(p): self.price(self.rows[p][0][5], year) for p in periods if p in self.rows}
            if self.setting('ur_metering_option') != 0:
                made.append(dict({'code': 'credit%d' % i, 'kind': 'credit', 'group': 'credit', 'price': {'period': sells}}, **common))
        return made

    def demand(self):
        """Demands, their components, and the schedule they read."""
        given, demands, components = self.given, {}, []
        if any(number(r[3]) in PER_KW for r in given['ur_ec_tou_mat']) or self.setting('ur_enable_billing_demand'):
            demands['billing'] = dict({'window': self.minutes}, **self.ratchet())
            components.append({'code': 'billing', 'kind': 'demand', 'demand': 'billing', 'price': 0})
        if not self.setting('ur_dc_enable'):
            return demands, components
        weekday, weekend = given['ur_dc_sched_weekday'], given['ur_dc_sched_weekend']
        periods = {p for month in range(12) for p in periods_of_month(weekday, weekend, month)}
        priced = [r for r in given['ur_dc_tou_mat'] if decimal(r[3])]
        charged = {number(r[0]) for r in priced}
        rows = [r for r in given['ur_dc_tou_mat'] if number(r[0]) in charged]
        named, lines = tou_demand(rows, 'dc', self.minutes, periods)
        flagged = {number(p): number(on) for p, on in given.get('ur_dc_billing_demand_periods', [])}
        for period, on in flagged.items():
            if on and period_name(period) in named:
                named[period_name(period)].update(self.ratchet())
        demands.update(named)
        components += lines
        if any(decimal(r[3]) for r in given['ur_dc_flat_mat']):
            demands['flat'] = dict({'window': self.minutes}, **self.ratchet())
            components += flat_demand(given['ur_dc_flat_mat'], 'flat')
        return demands, components

    def ratchet(self):
        if not self.setting('ur_enable_billing_demand'):
            return {}
        pairs = self.given['ur_billing_demand_lookback_percentages']
        percents = [nano(p) for p, _ in pairs]
        return {'floor_kw': micro(self.given.get('ur_billing_demand_minimum', 0)),
                'ratchet': {'lookback': self.setting('ur_billing_demand_lookback_period'), 'percent': percents,
                            'current': [100 if number(on) else p for p, (_, on) in zip(percents, pairs)]}}

    def past_peaks(self):
        """Peaks of the year before; negative ones stand for none."""
        known = enumerate(self.given.get('ur_yearzero_usage_peaks', []), 1)
        return {'%d-%02d' % (YEAR - 1, i): max(nano(p), decimal(0)) for i, p in known}

    def net(self, year):
        mode = self.setting('ur_metering_option')
        net = {'mode': MODE.get(mode, str(mode))}
        if mode in (0, 1, 3):   # those with an account
            net['settle_month'] = self.setting('ur_nm_credit_month') + 1
        if mode == 0:
            net.update(match='time_of_day', true_up_price=self.amount('ur_nm_yearend_sell_rate'))
        if mode == 3:
            net.update(expire=bool(self.setting('ur_nb_credit_expire')),
                       same_month=bool(self.setting('ur_nb_apply_credit_current_month')))
        return net

    def tariff(self, year, with_system):
        for key in ('ur_en_ts_sell_rate', 'ur_en_ts_buy_rate'):
            if self.setting(key):
                raise Malformed('%s: prices by hour are not part of this shape' % key)
        demands, components = self.demand()
        components = self.energy(year) + components
        if not with_system:
            components = [c for c in components if c['kind'] != 'credit']
        for code, kind, key in (('fixed', 'fixed', 'ur_monthly_fixed_charge'), ('minimum', 'minimum', 'ur_monthly_min_charge'),
                                ('year_minimum', 'minimum', 'ur_annual_min_charge')):
            value = self.price(self.amount(key), year)
            if value and kind == 'fixed':
                components.append({'code': code, 'kind': kind, 'price': value, 'per': 'month'})
            elif value:
                components.append({'code': code, 'kind': kind, 'amount': value, 'scope': 'month' if code == 'minimum' else 'year'})
        schedules = {'ec': matrix_rules(self.given['ur_ec_sched_weekday'], self.given['ur_ec_sched_weekend'])}
        if any('schedule' in d for d in demands.values()):
            schedules['dc'] = matrix_rules(self.given['ur_dc_sched_weekday'], self.given['ur_dc_sched_weekend'])
        more = {'schedules': schedules}
        if demands:
            more['demands'] = demands
        if with_system:
            more['net'] = self.net(year)
        return tariff(components, EXACT, currency='USD', **more)


# ---------------------------------------------------------------- the series

def read_series(folder, name):
    path = os.path.join(folder, name)
    if os.path.isabs(name) or '..' in name.split('/'):
        raise Malformed('"%s" does not lie in the folder' % name)
    try:
        with open(path, encoding='ascii') as handle:
            return [line.strip() for line in handle if line.strip()]
    except OSError as error:
        raise Malformed('cannot read %s: %s' % (name, error.strerror))


def repeat(values, n):
    if n % len(values):
        raise Malformed('%d values do not fit into %d' % (len(values), n))
    return [v for v in values for _ in range(n // len(values))]


def load_series(engine, given):
    """A table (at, step, load, gen) of the year in kWh per step, once per pair of files; -> (name, minutes)."""
    key = (given['load'], given.get('gen'))
    if key not in engine.series:
        load = read_series(engine.folder, key[0])
        gen = read_series(engine.folder, key[1]) if key[1] else ['0']
        n = max(len(load), len(gen) if key[1] else 0)
        if n % 8760 or 525600 % n:
            raise Malformed('%d values are not a year of 365 days' % n)
        minutes, name = 525600 // n, 'series%d' % len(engine.series)
        engine.ask('CREATE TEMP TABLE ' + name + ' AS SELECT timestamptz %s + (n - 1) * step AS at, step,'
                   ' round(l * m / 60, 6) AS load, round(g * m / 60, 6) AS gen'
                   ' FROM unnest(%s::numeric[], %s::numeric[]) WITH ORDINALITY AS r (l, g, n),'
                   ' LATERAL (SELECT %s::numeric, make_interval(mins => %s)) AS s (m, step)',
                   '%d-01-01 00:00Z' % YEAR, repeat(load, n), repeat(gen, n), minutes, minutes)
        engine.series[key] = (name, minutes)
    return engine.series[key]


# ---------------------------------------------------------------- the bills

class Year:
    """Twelve bills of one side, load alone or load less generation, for one year of prices."""

    def __init__(self, engine, given, with_system, year, before=None):
        self.engine = engine
        self.given = given
        self.with_system = with_system
        self.source = Source(given, 60)
        self.made = self.source.tariff(year, with_system)
        engine.check(self.made)    # before the series are read
        self.table, minutes = load_series(engine, given)
        if minutes != 60:
            self.source = Source(given, minutes)
            self.made = self.source.tariff(year, with_system)
        self.credit = before.credit if before else None    # what the last bill carried on
        self.peaks = {}                                    # of the months so far
        self.bills = self.rate(before)

    def summaries(self):
        """usage_summary of each month."""
        rows = 'SELECT at, step, load AS kwh FROM ' + self.table
        arguments = '%s::elecbill.tariff, tstzrange(at, at + step), kwh'
        if self.with_system:
            self.engine.need('usage', 'elecbill.tariff, tstzrange, numeric, text')
            arguments += ', channel'
            gross = self.source.setting('ur_metering_option') == 4
            taken, given = ('load + greatest(-gen, 0)', 'greatest(gen, 0)') if gross else (
                'greatest(load - gen, 0)', 'greatest(gen - load, 0)')
            rows = ("SELECT at, step, %s AS kwh, 'import' AS channel FROM %s UNION ALL SELECT at, step, %s, 'export' FROM %s"
                    % (taken, self.table, given, self.table))
        return [row[0] for row in self.engine.ask(
            "SELECT elecbill.usage(" + arguments + ")::text FROM (" + rows + ") AS r"
            " GROUP BY date_trunc('month', at AT TIME ZONE 'UTC') ORDER BY date_trunc('month', at AT TIME ZONE 'UTC')",
            to_json(self.made))]

    def rate(self, before):
        """The bills in order: each month's peak is past for those that follow, each bill's account begins the next."""
        past = self.source.past_peaks()
        if before:
            past = {'%d%s' % (YEAR - 1, month[4:]): kw for month, kw in before.peaks.items()}
        ratcheted = [n for n, d in self.made.get('demands', {}).items() if 'ratchet' in d]
        yearly = any(c.get('scope') == 'year' for c in self.made['components'])
        charged, bills = decimal(0), []
        for month, summary in enumerate(self.summaries()):
            ctx = {'during': month_days(month, YEAR)}
            if ratcheted:
                ctx['past_kw'] = {name: past for name in ratcheted}
            if self.credit is not None:
                ctx['credit'] = self.credit
            if yearly:
                ctx['charged'] = {'year': charged}
            bill = self.engine.rate(self.made, summary, **ctx)
            bills.append(bill)
            self.credit = carried(bill)
            charged += max(bill.total - bill.amount(code='net_paid'), decimal(0))
            if ratcheted:
                peak = self.engine.value(
                    "SELECT max(v::numeric) FROM jsonb_each_text(%s::jsonb -> 'max_kw') AS r (k, v)", summary)
                self.peaks['%d-%02d' % (YEAR, month + 1)] = past['%d-%02d' % (YEAR, month + 1)] = peak
        return bills


def carried(bill):
    """ctx.credit of the next bill: money of the carry line, or kWh by period; '' is the running net."""
    lines = bill.pick(code='net_carry')
    if any(line['price'] for line in lines):
        return sum(line['amount_raw'] for line in lines)
    return {line['period'] or '': line['quantity'] for line in lines} or None


class Settled:
    """Months of several years; with an account of money, the same as net_settle() makes of them."""

    def __init__(self, engine, years):
        self.bills = [bill for year in years for bill in year.bills]
        self.mode = years[0].made['net']['mode']
        if self.mode in ('rollover_money', 'billing_carry'):
            self.compare(engine, years[0].made['net'])

    def compare(self, engine, net):
        """The account of the bills against the account over all of them."""
        engine.need('net_settle', 'text, numeric[], numeric[], integer, jsonb')
        options = {k: v for k, v in net.items() if k in ('expire', 'same_month')}
        rows = engine.ask('SELECT charge, used, account, paid FROM elecbill.net_settle(%s, %s::numeric[], %s::numeric[], %s, %s::jsonb)'
                          ' ORDER BY n', net['mode'], [b.amount(grp='energy') for b in self.bills],
                          [-b.amount(grp='credit') for b in self.bills], net['settle_month'], to_json(options))
        for i, (row, bill) in enumerate(zip(rows, self.bills)):
            of_bill = (bill.amount(grp='energy') + bill.amount(code='net'), -bill.amount(code='net'),
                       carried(bill) or decimal(0), -bill.amount(code='net_paid'))
            if row != of_bill:
                raise Fault('bill %d has charge, used, account, paid %s, net_settle() %s' % (i + 1, of_bill, row))

    def total(self, i):
        return self.bills[i].total

    def paid(self, i):
        return -self.bills[i].amount(code='net_paid')

    def used(self, i):
        """Money that paid this month's charges; where nothing is kept, what was earned in it."""
        code = 'credit' if self.mode == 'billing' else 'net'
        return -self.bills[i].amount(grp=code)

    def sold(self, i):
        return -self.bills[i].amount(grp='credit')


# ---------------------------------------------------------------- outputs by name

class Outputs(dict):
    """Every output the source can name, computed when it is asked for."""

    def __init__(self, engine, given):
        super().__init__()
        self.engine = engine
        self.given = given
        self.years = {}

    def __contains__(self, name):
        return True

    def __getitem__(self, name):
        return lambda: self.output(name)

    def values(self):
        return [self['utility_bill_w_sys_year1'], self['utility_bill_wo_sys_year1']]

    def year(self, with_system, year):
        key = (with_system, year)
        if key not in self.years:
            before = self.year(with_system, year - 1) if year > 1 else None
            self.years[key] = Year(self.engine, self.given, with_system, year, before)
        return self.years[key]

    def settled(self, year):
        if ('settled', year) not in self.years:
            self.years['settled', year] = Settled(self.engine, [self.year(True, y) for y in range(1, year + 1)])
        return self.years['settled', year]

    def index(self, text):
        """An index in months: a number, or one of two words."""
        words = {'credit_month': number(self.given.get('ur_nm_credit_month', 11)), 'length - 1': 11}
        return words[text] if text in words else number(text)

    def output(self, name):
        tiers = re.fullmatch(r'energy_(wo|w)_sys_ec_([a-z]{3})_tp(?:\.at\(.*?,\s*(\d+)\)|\[.*?\]\[(\d+)\])', name)
        if tiers:
            month = [m[:3].lower() for m in MONTHS].index(tiers.group(2))
            return self.in_tier(self.year(tiers.group(1) == 'w', 1).bills[month], int(tiers.group(3) or tiers.group(4)))
        found = re.fullmatch(r'([a-z_]+?)(?:_year(\d+)|_ym\[(\d+)\]\[([^\]]+)\]|\[([^\]]+)\])', name)
        if not found:
            raise Malformed('output "%s"' % name)
        base, year, of_year, month, single = found.groups()
        if of_year is not None:
            return self.month(base, int(of_year), self.index(month))
        year = int(year) if year is not None else self.index(single)
        return sum((self.month(base, year, m) for m in range(12)), decimal(0))

    def month(self, base, year, month):
        if not (1 <= year <= 50 and 0 <= month <= 11):
            raise Malformed('year %d, month %d' % (year, month))
        if '_wo_sys' in base:
            bill = self.year(False, year).bills[month]
            return self.line(bill, base.replace('_wo_sys', '')) if base != 'utility_bill_wo_sys' else bill.total
        settled, i = self.settled(year), (year - 1) * 12 + month
        columns = {'true_up_credits': settled.paid, 'net_billing_credits': settled.used,
                   'nm_dollars_applied': settled.used, 'two_meter_sales': settled.sold}
        if base == 'utility_bill_w_sys':
            return settled.total(i)
        if base in columns:
            return columns[base](i)
        return self.line(settled.bills[i], base.replace('_w_sys', ''))

    @staticmethod
    def in_tier(bill, tier):
        """kWh in the n-th tier that has any: a tier that its outer bound cuts to nothing is not counted."""
        filled = {}
        for line in bill.pick(grp='energy'):
            filled[line['tier'] or 1] = filled.get(line['tier'] or 1, 0) + line['quantity']
        kwh = [filled[t] for t in sorted(filled) if filled[t]]
        return kwh[tier - 1] if 1 <= tier <= len(kwh) else decimal(0)

    @staticmethod
    def line(bill, base):
        if base == 'billing_demand':
            return bill.quantity(code='billing')
        if base == 'charge_minimum':
            return bill.amount(code='minimum')
        if base == 'charge_fixed':
            return bill.amount(code='fixed')
        raise Malformed('output "%s"' % base)


def utility_bill(engine, given, shared):
    return Outputs(engine, given)


SHAPES = [(has('ur_ec_tou_mat', 'ur_ec_sched_weekday', 'ur_ec_sched_weekend', 'load'), utility_bill)]
