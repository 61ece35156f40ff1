"""Shapes of Chinese sources: charging sessions, industrial bills, power factor, homes, calendars."""
import re

from vectors_engine import EXACT, ONCE, Malformed, decimal, given_amount, micro, nano, register_schedule, steps_of, tariff, to_json

MONTHS = ('January', 'February', 'March', 'April', 'May', 'June', 'July', 'August', 'September', 'October',
          'November', 'December')
SUMMER = [5, 6, 7, 8, 9, 10]
SOME_MONTH = ['2025-06-01', '2025-07-01']    # for kWh of a year whose days are not stated
STANDARDS = ('0.90', '0.85', '0.80')
RULE_KEYS = ('period', 'spans', 'months', 'season', 'days', 'not_days')
# tags the engine derives from the date; a calendar holds the others
DERIVED_TAGS = ('mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun', 'weekend', 'weekday', 'workday', 'offday')


def money(components, rounding=None, **more):
    return tariff(components, rounding, zone='Asia/Shanghai', currency='CNY', **more)


def has(*keys):
    return lambda given, shared: all(k in given for k in keys)


# ---------------------------------------------------------------- charging sessions

def charging(engine, given, shared):
    """Energy by period and a service fee; each sum is exact and rounded once."""
    engine.need('session_total', 'elecbill.tariff, jsonb')
    spans = shared['periods']
    names = ['p%d' % i for i in range(len(spans))]
    rules = [{'period': n, 'spans': [span[:2]]} for n, span in zip(names, spans)]
    price = {'period': {n: nano(span[2]) for n, span in zip(names, spans)}}
    energy = {'code': 'energy', 'kind': 'energy', 'price': price}
    service = {'code': 'service', 'kind': 'energy', 'price': nano(shared.get('service_fee_per_kwh', 0))}
    session = {'segments': [{'from': given['start_local'], 'to': given['end_local'], 'kwh': micro(given['kwh'])}]}

    def total(components):
        made = money(components, ONCE, schedules={'tou': rules})
        return engine.value('SELECT excl FROM elecbill.session_total(%s::elecbill.tariff, %s::jsonb)',
                            to_json(made), to_json(session))

    return {'energy_fee': lambda: total([energy]), 'service_fee': lambda: total([service]),
            'total': lambda: total([energy, service])}


# ---------------------------------------------------------------- industrial bills

def month_range(month):
    year, number = (int(part) for part in month.split('-'))
    following = (year + 1, 1) if number == 12 else (year, number + 1)
    return ['%04d-%02d-01' % (year, number), '%04d-%02d-01' % following]


def industrial_bill(engine, given, shared):
    prices = given['component_avg_price_yuan']
    lines = [{'code': c, 'kind': 'energy', 'group': 'energy', 'price': nano(p)} for c, p in prices.items()]
    made = money(lines + [{'code': 'demand', 'kind': 'demand', 'demand': 'main',
                           'price': nano(given['demand_price_yuan_per_kw_month'])},
                          given_amount('power_factor')], demands={'main': {}})
    kwh = micro(given['kwh']['total'])
    bill = engine.bill(made, {'during': month_range(given['month']), 'import_kwh': kwh,
                              'max_kw': {'main': micro(given['billing_demand_kw'])}},
                       qty={'power_factor': micro(given['pf_adjustment_yuan'])})
    results = {c: bill.amount(code=c) for c in prices}
    results.update(
        demand_charge=bill.amount(code='demand'), energy_charge=bill.amount(grp='energy'),
        power_factor_adjustment=bill.amount(code='power_factor'), total=bill.total,
        average_price_5dp=engine.value('SELECT elecbill.round_to(%s / %s, 0.00001)', bill.total, kwh))
    return results


def industrial_power_factor(engine, given, shared):
    made = money([given_amount('base', round=None),
                  {'code': 'pf', 'kind': 'power_factor', 'base': ['base'], 'table': table_of(given['standard'])}])
    bill = engine.bill(made, {'import_kwh': 0, 'power_factor': micro(given['pf'])}, qty={'base': micro(given['base'])})
    return {'factor': engine.value('SELECT %s / 100', bill.only('price', code='pf')), 'amount': bill.amount(code='pf')}


def table_of(standard):
    return 'cn_%s' % format(decimal(standard), '.2f')


def industrial_lines(engine, given, shared):
    made = money([given_amount(c, group='energy') for c in given['lines']] + [given_amount('demand'), given_amount('pf')])
    quantities = {c: micro(v) for c, v in dict(given['lines'], demand=given['demand'], pf=given['pf']).items()}
    bill = engine.bill(made, {'import_kwh': 0}, qty=quantities)
    return {'energy_charge': bill.amount(grp='energy'), 'total': bill.total, 'demand_charge': bill.amount(code='demand')}


def industrial_meters(engine, given, shared):
    main, ratio = given['main_kwh'], given['ratio_kwh']
    names = list(dict.fromkeys(list(main) + list(ratio)))
    made = money([{'code': 'energy', 'kind': 'energy', 'price': 0}], schedules={'tou': register_schedule(names)})
    parts = [engine.usage_from(made, {'import_kwh': {p: micro(v) for p, v in meter.items()}}) for meter in (main, ratio)]
    both = engine.value('SELECT elecbill.usage_merge(%s::jsonb::elecbill.usage_summary,'
                        ' %s::jsonb::elecbill.usage_summary)::text', *parts)
    return {'main_total': engine.total_kwh(parts[0]), 'ratio_total': engine.total_kwh(parts[1]),
            'total': engine.total_kwh(both)}


def industrial_demand(engine, given, shared):
    made = money([{'code': 'demand', 'kind': 'demand', 'demand': 'main', 'price': nano(given['price'])}],
                 demands={'main': {}})
    return {'amount': engine.bill(made, {'import_kwh': 0, 'max_kw': {'main': micro(given['kw'])}}).total}


# ---------------------------------------------------------------- power factor

def adjustment(engine, factor, standard):
    engine.need('pf_adjust', 'numeric, numeric')
    return engine.value('SELECT elecbill.pf_adjust(%s, %s)', factor, nano(standard))


def power_factor_row(engine, given, shared):
    return {'adjust_percent': adjustment(engine, nano(given['power_factor']), given['standard'])}


def power_factor_measured(engine, given, shared):
    engine.need('power_factor', 'numeric, numeric')
    factor = engine.value('SELECT elecbill.power_factor(%s, %s)', micro(given['active_kwh']), micro(given['reactive_kvarh']))
    return {'power_factor': factor,
            'adjust_percent': {s: (lambda s=s: adjustment(engine, factor, s)) for s in STANDARDS}}


# ---------------------------------------------------------------- homes

def used_by_period(given, names):
    return {p: micro(given[p + '_kwh']) for p in names}


def home_adders(engine, given, shared):
    """Prices by period, then what the steps of the year add."""
    source = given['tariff']
    names = [k[:-4] for k in given if k.endswith('_kwh') and k[:-4] in source]
    bounds, adders = source['tier_bounds_year'], source['tier_adders']
    steps = steps_of(zip(list(bounds) + [None] * (len(adders) - len(bounds)), adders))
    made = money([{'code': 'energy', 'kind': 'energy', 'price': {'period': {p: nano(source[p]) for p in names}},
                   'tier': {'mode': 'adder', 'scope': 'year', 'steps': steps}}],
                 ONCE, schedules={'tou': register_schedule(names)})
    before = micro(given.get('year_to_date_before_kwh', 0))
    used = engine.usage_from(made, {'during': SOME_MONTH, 'import_kwh': used_by_period(given, names)})
    bill = engine.rate(made, used, before={'year': before})
    rows = engine.ask('SELECT tier, quantity FROM elecbill.tier_lines(%s, %s::numeric[], %s::numeric[], %s)',
                      engine.total_kwh(used), [micro(b) for b in bounds], [nano(a) for a in adders], before)
    results = {'tier%d_kwh' % (i + 1): 0 for i in range(len(adders))}
    results.update(('tier%d_kwh' % tier, quantity) for tier, quantity in rows)
    return dict(results, amount=bill.total)


def year_tiers(given, **more):
    return money([{'code': 'energy', 'kind': 'energy',
                   'tier': {'scope': 'year', 'steps': steps_of(given['tiers_year'])}}], ONCE, **more)


def home_year(engine, given, shared):
    return {'amount': engine.bill(year_tiers(given), {'during': SOME_MONTH, 'import_kwh': micro(given['kwh'])},
                                  before={'year': micro(given.get('year_to_date_before_kwh', 0))}).total}


def home_year_entries(engine, given, shared):
    """One bill per entry, known by the month its first day lies in."""
    made = year_tiers(given, **({'year_start': given['year_start']} if 'year_start' in given else {}))
    amounts = {}
    for entry in given['usage']:
        used = engine.usage_of(made, [(entry['from'], entry['to'], micro(entry['kwh']))])
        before = micro(entry.get('year_to_date_before', 0))
        month = MONTHS[engine.value('SELECT extract(month FROM %s::timestamp)::int', entry['from']) - 1]
        amounts[month] = amounts[month.lower()] = engine.rate(made, used, before={'year': before}).total
    return dict(amounts, amount=amounts)


def home_month(engine, given, shared):
    made = money([{'code': 'energy', 'kind': 'energy', 'tier': {'steps': steps_of(given['tiers'])}}], ONCE)
    return {'amount': engine.bill(made, {'import_kwh': micro(given['kwh'])}).total}


def month_of(key, year=2025):
    """"2025-07", "7", "Jul", "July" as "YYYY-MM"."""
    text = str(key)
    if re.fullmatch(r'\d{4}-\d{2}', text):
        return text
    if text.isdigit() and 1 <= int(text) <= 12:
        return '%d-%02d' % (year, int(text))
    for i, name in enumerate(MONTHS):
        if len(text) >= 3 and name.lower().startswith(text.lower()):
            return '%d-%02d' % (year, i + 1)
    raise Malformed('"%s" is not a month' % text)


def home_seasons(engine, given, shared):
    """Twelve months with tiers of their own in summer."""
    winter = [m for m in range(1, 13) if m not in SUMMER]
    made = money([{'code': code, 'kind': 'energy', 'when': {'months': months},
                   'tier': {'scope': 'month', 'steps': steps_of(given[code + '_tiers'])}}
                  for code, months in (('summer', SUMMER), ('winter', winter))], ONCE)
    source = given['kwh_by_month']
    pairs = list(source.items()) if isinstance(source, dict) else list(enumerate(source, 1))
    bills, used = {}, {}
    for key, kwh in pairs:
        used[key] = engine.usage_from(made, {'during': month_range(month_of(key)), 'import_kwh': micro(kwh)})
        bills[key] = engine.rate(made, used[key])
    amounts = {k: b.total for k, b in bills.items()}
    results = {'amount_by_month': amounts if isinstance(source, dict) else list(amounts.values()),
               'year_amount': sum(amounts.values()), 'year_kwh': sum(engine.total_kwh(u) for u in used.values())}
    for key, bill in bills.items():
        name = MONTHS[int(month_of(key)[5:]) - 1].lower()
        for tier in range(1, 1 + max(len(given['summer_tiers']), len(given['winter_tiers']))):
            results['%s_tier%d_kwh' % (name, tier)] = bill.quantity(tier=tier)
        results[name + '_avg_price_3dp'] = lambda key=key: engine.value(
            'SELECT elecbill.round_to(%s / %s, 0.001)', amounts[key], engine.total_kwh(used[key]))
    return results


def priced_periods(given):
    """period -> price, when every <period>_kwh has one and nothing else is measured."""
    names = [k[:-4] for k in given if k.endswith('_kwh')]
    prices = {p: given.get(p + '_price', given.get(p)) for p in names}
    return prices if names and None not in prices.values() else None


def home_periods(engine, given, shared):
    prices = priced_periods(given)
    made = money([{'code': 'energy', 'kind': 'energy', 'price': {'period': {p: nano(v) for p, v in prices.items()}}}],
                 ONCE, schedules={'tou': register_schedule(prices)})
    return {'amount': engine.bill(made, {'import_kwh': used_by_period(given, prices)}).total}


# ---------------------------------------------------------------- calendars

def calendar_period(engine, given, shared):
    rules = [{k: rule[k] for k in RULE_KEYS if k in rule} for rule in shared['calendars'][given['calendar']]['rules']]
    tags = [t for t in given.get('day_tags') or [] if t not in DERIVED_TAGS]
    made = money([{'code': 'energy', 'kind': 'energy', 'price': 0}], schedules={'tou': rules},
                 calendar={'days': {given['local'][:10]: tags} if tags else {}})
    return {'period': engine.period(made, given['local'])}


def derived_prices(engine, given, shared):
    """Peak, valley and sharp from the flat price, each rounded once: the price of one kWh."""
    named = given.get('calendar') or next(n for n, c in shared['calendars'].items() if 'price_step' in c)
    source = shared['calendars'][named]
    by = source['multipliers']
    factors = {p: [by[p]] for p in ('peak', 'flat', 'valley', 'deep_valley') if p in by}
    factors['sharp'] = [by['peak'], by['sharp_of_peak']] if 'sharp_of_peak' in by else [by['sharp']]
    prices = {p: {'mul': [nano(given['flat'])] + [nano(f) for f in fs], 'round': {'step': nano(source['price_step'])}}
              for p, fs in factors.items()}
    made = money([{'code': 'energy', 'kind': 'energy', 'price': {'period': prices}}], EXACT,
                 schedules={'tou': register_schedule(prices)})
    bill = engine.bill(made, {'import_kwh': {p: 1 for p in prices}})
    return {p: bill.only('price', period=p) for p in prices}


SHAPES = [
    (lambda given, shared: 'start_local' in given and 'periods' in shared, charging),
    (has('component_avg_price_yuan', 'billing_demand_kw'), industrial_bill),
    (has('base', 'pf', 'standard'), industrial_power_factor),
    (has('lines', 'demand', 'pf'), industrial_lines),
    (has('main_kwh', 'ratio_kwh'), industrial_meters),
    (has('kw', 'price'), industrial_demand),
    (has('standard', 'power_factor'), power_factor_row),
    (has('active_kwh', 'reactive_kvarh'), power_factor_measured),
    (lambda given, shared: isinstance(given.get('tariff'), dict) and 'tier_adders' in given['tariff'], home_adders),
    (has('tiers_year', 'usage'), home_year_entries),
    (has('tiers_year', 'kwh'), home_year),
    (has('summer_tiers', 'winter_tiers', 'kwh_by_month'), home_seasons),
    (lambda given, shared: 'kwh' in given and isinstance(given.get('tiers'), list) and given['tiers']
     and isinstance(given['tiers'][0], list), home_month),
    (has('calendar', 'local'), calendar_period),
    (lambda given, shared: priced_periods(given) is not None, home_periods),
    (lambda given, shared: 'flat' in given and 'calendars' in shared, derived_prices),
]
