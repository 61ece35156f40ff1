"""tariffs.py -- one tariff for each way in which usage is divided, for the days of a zone"""
import random


def components(*more):
    return [{'code': 'standing', 'kind': 'fixed', 'per': 'day', 'price': 0.2568}, *more, {'code': 'vat', 'kind': 'percent', 'percent': 5}]


def day_and_night():
    return {'tou': [{'period': 'peak', 'spans': [['16:00', '19:45']], 'days': ['weekday']},
                    {'period': 'valley', 'spans': [['23:15', '06:45']]}, {'period': 'flat'}]}


def half_hours():
    """A price series that changes at odd times, from before the first reading on"""
    draw = random.Random(1)
    days = sorted(draw.sample(range(1, 28), 12))
    points = [['2000-01-01', 0.11]]
    for year in range(2003, 2026):
        for month in 1, 3, 6, 10:
            points += [['%d-%02d-%02dT%02d:%02d:00' % (year, month, day, draw.randrange(6, 23), draw.choice([0, 7, 30])), draw.randrange(1, 90) / 100]
                       for day in days]
    return points


def tariffs(zone):
    steps = [{'up_to': 100, 'price': 0.12}, {'up_to': 250, 'price': 0.145}, {'price': 0.2}]
    period = {'period': {'peak': 0.2483, 'flat': 0.1401, 'valley': 0.0765}}
    made = {
        'tier': {'components': components({'code': 'energy', 'kind': 'energy', 'tier': {'mode': 'graduated', 'scope': 'month', 'steps': steps}})},
        'tou': {'schedules': day_and_night(), 'seasons': {'summer': [['06-01', '10-01']]},
                'components': components({'code': 'energy', 'kind': 'energy', 'price': period},
                                         {'code': 'season', 'kind': 'energy', 'price': {'season': {'summer': 0.02, '*': 0.01}}})},
        'order': {'components': components({'code': 'energy', 'kind': 'energy', 'tier': {
            'mode': 'graduated', 'scope': 'month', 'order': 'time', 'steps': steps}})},
        'demand': {'demands': {'main': {'window': 30}}, 'components': components(
            {'code': 'energy', 'kind': 'energy', 'price': 0.1}, {'code': 'demand', 'kind': 'demand', 'demand': 'main', 'price': 3})},
        'series': {'series': {'spot': half_hours()}, 'components': components({'code': 'energy', 'kind': 'energy', 'price': {'series': 'spot'}})},
        'both': {'schedules': day_and_night(), 'components': components(
            {'code': 'energy', 'kind': 'energy', 'price': period}, {'code': 'fed', 'kind': 'credit', 'price': 0.05},
            {'code': 'reactive', 'kind': 'custom', 'quantity': 'import_kvarh', 'price': 0.01},
            {'code': 'capacitive', 'kind': 'custom', 'quantity': 'export_kvarh', 'price': 0.01})},
        'weekend': {'components': components({'code': 'energy', 'kind': 'energy', 'price': 0.1},
                                             {'code': 'free', 'kind': 'energy', 'price': -0.05, 'when': {'days': ['weekend']}})}}
    return {code: {'elecbill': 1, 'code': code, 'currency': 'EUR', 'zone': zone, **tariff} for code, tariff in made.items()}
