"""Shapes of retail price lists: Japan, Malaysia, Taiwan."""
from vectors_engine import EXACT, Malformed, given_amount, micro, nano, register_schedule, tariff
from vectors_cn import has, month_range

SEN = '0.01'    # of a ringgit


# ---------------------------------------------------------------- Japan

def japan(engine, given, shared):
    plan = shared['plans'][given['plan']]
    steps = [dict({'price': nano(t['rate'])}, **({} if t['to'] is None else {'up_to': micro(t['to'])}))
             for t in plan['tiers']]
    components = [
        {'code': 'energy', 'kind': 'energy', 'tier': {'steps': steps}},
        {'code': 'basic', 'kind': 'fixed',
         'price': {'attr': 'ampere', 'of': {a: nano(p) for a, p in plan['basic_by_ampere'].items()}},
         'factor_if': [{'if': {'qty': {'import_kwh': {'le': 0}}}, 'factor': '0.5'}]}]
    if plan.get('min_charge') is not None:
        components.append({'code': 'minimum', 'kind': 'minimum', 'amount': nano(plan['min_charge'])})
    made = tariff(components, zone='Asia/Tokyo', currency='JPY', minor_unit=0,
                  rounding={'quantity': {'step': 1}, 'line': None, 'total': {'step': 1, 'mode': 'floor'}})
    bill = engine.bill(made, {'import_kwh': micro(given['kwh'])}, attrs={'ampere': given['ampere']})
    return {'total_jpy': bill.total}


# ---------------------------------------------------------------- Malaysia

def ringgit(components, **more):
    return tariff(components, EXACT, zone='Asia/Kuala_Lumpur', currency='MYR', **more)


def sen(price):
    return {'mul': [nano(price), SEN]}


def slab(engine, given, shared):
    """The step where the whole quantity falls; its price, in sen as the case has it."""
    tiers = given['tiers_sen_per_kwh']
    steps = [{'up_to': micro(t['limit']), 'price': sen(t['rate'])} for t in tiers[:-1]] + [{'price': sen(tiers[-1]['rate'])}]
    made = ringgit([{'code': 'energy', 'kind': 'energy', 'tier': {'mode': 'volume', 'steps': steps}}])
    bill = engine.bill(made, {'import_kwh': micro(given['kwh'])})
    return {'rate': engine.value('SELECT %s * 100', bill.only('price', code='energy')), 'amount': bill.total}


def summed_rates(engine, given, shared):
    price = {'mul': [{'add': [nano(r) for r in given['sen_per_kwh']]}, SEN]}
    made = ringgit([{'code': 'energy', 'kind': 'energy', 'price': price}])
    return {'amount': engine.bill(made, {'import_kwh': micro(given['kwh'])}).total}


def waived_charge(engine, given, shared):
    made = ringgit([{'code': 'charge', 'kind': 'fixed', 'price': nano(given['charge']),
                     'when': {'qty': {'import_kwh': {'gt': micro(given['waived_up_to_kwh'])}}}}])
    return {'amount': engine.bill(made, {'import_kwh': micro(given['kwh'])}).total}


def share_of_bill(engine, given, **component):
    made = ringgit([given_amount('base'), dict({'code': 'levy', 'kind': 'percent', 'base': ['base'],
                                                'percent': nano(given['percent'])}, **component)])
    bill = engine.bill(made, {'import_kwh': micro(given['kwh'])}, qty={'base': micro(given['base_bill'])})
    return {'amount': bill.amount(code='levy')}


def levy(engine, given, shared):
    return share_of_bill(engine, given, when={'qty': {'import_kwh': {'gt': micro(given['threshold_kwh'])}}})


def service_tax(engine, given, shared):
    return share_of_bill(engine, given, share_above={'import_kwh': micro(given['exempt_kwh'])})


def net_offset(engine, given, shared):
    """Exported kWh cancel imported ones, the peak first: the bill without export less the bill with it."""
    by_period = 'peak_rate' in given
    names = ['peak', 'offpeak'] if by_period else []
    price = {'period': {p: sen(given[p + '_rate']) for p in names}} if by_period else sen(given['rate'])
    more = {'schedules': {'tou': register_schedule(names)}} if by_period else {}
    components = [{'code': 'energy', 'kind': 'energy', 'price': price},
                  {'code': 'variable', 'kind': 'energy', 'price': sen(given['variable_rate'])}]
    made = ringgit(components, net=dict({'mode': 'offset_kwh', 'excess': 'lost'}, **({'order': names} if names else {})), **more)
    used = {p: micro(given[p + '_kwh']) for p in names} if by_period else micro(given['total_kwh'])
    plain = engine.bill(made, {'import_kwh': used, 'export_kwh': {p: 0 for p in names} if by_period else 0})
    # in which period it was exported does not matter: the order does
    exported = dict({p: 0 for p in names}, **{names[-1]: micro(given['export_kwh'])}) if by_period else micro(given['export_kwh'])
    net = engine.bill(made, {'import_kwh': used, 'export_kwh': exported})

    def matched(**which):
        return plain.quantity(code='energy', **which) - net.quantity(code='energy', **which)

    results = {'matched_' + p: matched(period=p) for p in names}
    return dict(results, excess=engine.value('SELECT %s::numeric - %s', given['export_kwh'], matched()),
                credit_rm=plain.total - net.total)


def peak_hour(engine, given, shared):
    rules = [{'period': 'peak', 'spans': [given['peak'].split('-')], 'days': ['workday']}, {'period': 'offpeak'}]
    made = ringgit([{'code': 'energy', 'kind': 'energy', 'price': 0}], schedules={'tou': rules},
                   calendar={'days': {day: ['holiday'] for day in given['holidays']}})
    return {'is_peak': engine.period(made, given['local']) == 'peak'}


# ---------------------------------------------------------------- Taiwan

def dollars(components, rounding=EXACT, **more):
    return tariff(components, rounding, zone='Asia/Taipei', currency='TWD', **more)


def monthly_tiers(engine, given, shared):
    """Bounds times the months of the cycle; one column of prices per season."""
    if given['season'] not in ('summer', 'non_summer'):
        raise Malformed('season "%s" is not summer or non_summer' % given['season'])
    column = 1 if given['season'] == 'summer' else 2
    steps = [dict({'price': nano(t[column])}, **({} if t[0] is None else {'up_to': micro(t[0])}))
             for t in given['tiers_monthly']]
    made = dollars([{'code': 'energy', 'kind': 'energy', 'tier': {'prorate': 'months', 'steps': steps}}])
    bill = engine.bill(made, {'months': given['cycle_months'], 'import_kwh': micro(given['kwh'])})
    return {'energy_cost': bill.total}


def plan_tariff(plan, with_season):
    """The plan's periods, and a second schedule that tells the season."""
    seasons = {'summer': [plan['summer']], 'non_summer': [plan['summer'][::-1]]}
    schedules = {'season': [{'period': s, 'season': [s]} for s in seasons]} if with_season else {}
    components = []
    if 'rules' in plan:
        schedules['tou'] = [{k: [v] if k == 'season' else v for k, v in rule.items()} for rule in plan['rules']]
        components = [{'code': season, 'kind': 'energy', 'when': {'season': [season]}, 'schedule': 'tou',
                       'price': {'period': {p: nano(v) for p, v in dict(prices).items()}},
                       'period': list(prices)} for season, prices in plan.get('prices', {}).items()]
    return dollars(components or [{'code': 'energy', 'kind': 'energy', 'price': 0}], seasons=seasons, schedules=schedules)


def energy_cost(engine, made, used, kwh):
    """What the season's component rated must be all there is: a plan may lack the prices of a season."""
    bill = engine.rate(made, used)
    rated = bill.quantity()
    if rated != engine.value('SELECT %s::numeric', kwh):
        raise Malformed('the plan prices %s of %s kWh' % (rated, kwh))
    return bill.total


def plan_instant(engine, given, shared):
    plan = shared['plans'][given['plan']]
    made = plan_tariff(plan, True)
    results = {'season': lambda: engine.period(made, given['local'], 'season')}
    if 'rules' in plan:
        results['period'] = lambda: engine.period(made, given['local'], 'tou')
    if 'rules' in plan and 'kwh' in given:
        kwh = micro(given['kwh'])
        end = engine.value("SELECT to_char(%s::timestamp + interval '1 minute', 'YYYY-MM-DD\"T\"HH24:MI')", given['local'])
        results['energy_cost'] = lambda: energy_cost(
            engine, made, engine.usage_of(made, [(given['local'], end, kwh)]), kwh)
    return results


def plan_month(engine, given, shared):
    made = plan_tariff(shared['plans'][given['plan']], False)
    used = {k[:-4]: micro(v) for k, v in given.items() if k.endswith('_kwh')}
    summary = engine.usage_from(made, {'during': month_range(given['month']), 'import_kwh': used})
    return {'energy_cost': energy_cost(engine, made, summary, engine.total_kwh(summary))}


def monthly_surcharge(engine, given, shared):
    steps = [{'up_to': micro(given['threshold']), 'price': 0}, {'price': nano(given['adder'])}]
    made = dollars([{'code': 'surcharge', 'kind': 'energy', 'tier': {'steps': steps}}])
    return {'surcharge': engine.bill(made, {'import_kwh': micro(given['kwh_month'])}).total}


def linear_power_factor(engine, given, shared):
    linear = {'target': '0.8', 'step': '0.01', 'percent': '0.1', 'cap': '0.95'}
    made = dollars([given_amount('basic'), {'code': 'pf', 'kind': 'power_factor', 'base': ['basic'], 'linear': linear}])
    factor = engine.value('SELECT %s::numeric / 100', given['power_factor_pct'])
    bill = engine.bill(made, {'import_kwh': 0, 'power_factor': micro(factor)}, qty={'basic': micro(given['basic_cost'])})
    return {'adjustment': bill.amount(code='pf')}


def over_contract(engine, given, shared):
    """Nothing up to the contract, one multiple up to 110 % of it, another above."""
    steps = [{'up_to': bound, 'unit': 'pct_contract', 'price': nano(given['rate']), 'factor': nano(factor)}
             for bound, factor in ((100, 0), (110, given['within_10pct_multiplier']))]
    steps.append({'unit': 'pct_contract', 'price': nano(given['rate']), 'factor': nano(given['above_multiplier'])})
    made = dollars([{'code': 'over', 'kind': 'demand', 'demand': 'main', 'tier': {'steps': steps}}], demands={'main': {}})
    bill = engine.bill(made, {'import_kwh': 0, 'max_kw': {'main': micro(given['max_demand_kw'])}},
                       attrs={'contract_kw': micro(given['contract_kw'])})
    return {'over_contract_charge': bill.total}


def of_plan(*keys):
    return lambda given, shared: 'plans' in shared and 'plan' in given and all(k in given for k in keys)


SHAPES = [
    (of_plan('ampere', 'kwh'), japan),
    (has('tiers_sen_per_kwh', 'kwh'), slab),
    (has('sen_per_kwh', 'kwh'), summed_rates),
    (has('charge', 'waived_up_to_kwh', 'kwh'), waived_charge),
    (has('base_bill', 'threshold_kwh', 'percent', 'kwh'), levy),
    (has('base_bill', 'exempt_kwh', 'percent', 'kwh'), service_tax),
    (has('export_kwh', 'variable_rate'), net_offset),
    (has('local', 'peak', 'holidays'), peak_hour),
    (has('tiers_monthly', 'season', 'kwh', 'cycle_months'), monthly_tiers),
    (of_plan('local'), plan_instant),
    (of_plan('month'), plan_month),
    (has('kwh_month', 'threshold', 'adder'), monthly_surcharge),
    (has('basic_cost', 'power_factor_pct'), linear_power_factor),
    (has('contract_kw', 'max_demand_kw', 'rate', 'within_10pct_multiplier', 'above_multiplier'), over_contract),
]
