"""Shapes of OCPI sources: a tariff object and a session, or a CDR whose periods are cut already."""
import copy

from vectors_engine import Malformed, decimal, micro, nano, to_json
from vectors_cn import has

DAY = '2026-01-05'              # a Monday; for sessions that do not say when they began
MIDNIGHT = DAY + 'T00:00:00'
UNTIMED = 60                    # minutes of a part whose length is not stated
GLIMPSE = 5                     # minutes of a part of which only the start is stated
DIMENSION = {'energy': 'ENERGY', 'time': 'TIME', 'parking': 'PARKING_TIME', 'fixed': 'FLAT',
             'reservation': 'RESERVATION'}


class Session:
    """Segments of a session, in minutes from its start."""

    def __init__(self, start):
        self.start = start
        self.at = decimal(0)
        self.segments = []

    def add(self, minutes, state, kwh=0, **more):
        begin, self.at = self.at, self.at + minutes
        self.segments.append(dict({'from': begin, 'to': self.at, 'kwh': kwh, 'state': state}, **more))

    def as_json(self, engine, zone, expired=False):
        """The form rate_session() takes: instants with their offset, so that no clock is needed again."""
        def instant(minutes):
            return engine.value(
                "SELECT to_char(((%s::timestamp + %s * interval '1 minute') AT TIME ZONE %s) AT TIME ZONE 'UTC',"
                ' \'YYYY-MM-DD"T"HH24:MI:SS.US"Z"\')', self.start, minutes, zone)
        segments = [dict(s, **{'from': instant(s['from']), 'to': instant(s['to'])}) for s in self.segments]
        made = {'start': instant(0), 'segments': segments}
        return dict(made, expired=True) if expired else made


def power(source):
    """kw and amp of a segment, as far as they are stated."""
    names = (('kw', 'power_kw'), ('amp', 'current_a'))
    return {name: nano(source[key]) for name, key in names if source.get(key) is not None}


def minutes_of_day(text):
    hour, minute = text.split('T')[-1].split(':')[:2]
    return int(hour) * 60 + int(minute)


def stated_segments(given):
    """The parts as the case cuts them; only a start is stated for those with "local"."""
    parts = given['segments']
    if 'start_local' in given:
        session = Session(given['start_local'])
    elif 'local' in parts[0]:
        session = Session('%sT%s:00' % (DAY, parts[0]['local'].split('T')[-1][:5]))
    else:
        session = Session(MIDNIGHT)
    origin = minutes_of_day(session.start)
    for i, part in enumerate(parts):
        length = UNTIMED
        if 'from_min' in part:
            session.at, length = decimal(part['from_min']), decimal(part['to_min']) - decimal(part['from_min'])
        elif 'local' in part:
            session.at, length = decimal((minutes_of_day(part['local']) - origin) % 1440), GLIMPSE
            if i + 1 < len(parts) and 'local' in parts[i + 1]:
                length = min(length, (minutes_of_day(parts[i + 1]['local']) - minutes_of_day(part['local'])) % 1440)
        session.add(length, 'charge', micro(part.get('kwh', 0)), **power(part))
    return session


def session_of(given):
    """Reservation, then charging with its energy, then parking."""
    if 'segments' in given:
        return stated_segments(given)
    session = Session(given.get('start_local', MIDNIGHT))
    if given.get('reservation_min'):
        session.add(decimal(given['reservation_min']), 'reserve')
    if 'energy_kwh' in given or 'charging_min' in given:
        session.add(decimal(given.get('charging_min', UNTIMED)), 'charge', micro(given.get('energy_kwh', 0)), **power(given))
    if given.get('parking_min'):
        session.add(decimal(given['parking_min']), 'idle')
    if not session.segments:
        raise Malformed('the session has no part')
    return session


def with_energy_price(source, price):
    """The price that held in place of the stated one."""
    made = copy.deepcopy(source)
    for element in made['elements']:
        for component in element['price_components']:
            if component['type'] == 'ENERGY':
                component['price'] = price
    return made


def zone_of(shared):
    """The zone's name stands first, remarks may follow."""
    return shared.get('timezone', 'UTC').split()[0]


def totals(engine, source, session, zone):
    """Amounts without and with VAT."""
    engine.need('tariff_from_ocpi', 'jsonb, text')
    engine.need('session_total', 'elecbill.tariff, jsonb')
    return engine.ask('SELECT excl, incl FROM elecbill.session_total(elecbill.tariff_from_ocpi(%s::jsonb, %s), %s::jsonb)',
                      to_json(source), zone, to_json(session))[0]


def spec_session(engine, given, shared):
    source, parts = given['tariff'], given['session']
    zone = zone_of(shared)
    if parts.get('override_energy_price') is not None:
        source = with_energy_price(source, parts['override_energy_price'])
    session = session_of(parts).as_json(engine, zone, expired=parts.get('expired') is True)
    excl, incl = totals(engine, source, session, zone)
    return {'total_cost_excl_vat': excl, 'total_cost_incl_vat': incl}


# ---------------------------------------------------------------- CDRs

POWERS = (('kw', ('POWER', 'MAX_POWER')), ('amp', ('CURRENT', 'MAX_CURRENT')))


def cdr_parts(period):
    """[(state, hours or None, kWh)] of a period; None: all the time there is."""
    volume = {d['type']: d['volume'] for d in period['dimensions']}
    kwh = micro(volume.get('ENERGY', 0))
    if 'RESERVATION_TIME' in volume:
        return [('reserve', volume['RESERVATION_TIME'], 0)]
    if 'PARKING_TIME' not in volume:
        return [('charge', volume.get('TIME'), kwh)]
    if decimal(volume.get('TIME', 0)) == 0:
        return [('idle', volume['PARKING_TIME'], kwh)]
    return [('charge', volume['TIME'], kwh), ('idle', volume['PARKING_TIME'], 0)]


def cdr_session(engine, cdr):
    """A period reaches to the start of the next one; its dimensions say what it was and how long."""
    periods = cdr['charging_periods']
    ends = [p['start_date_time'] for p in periods[1:]] + [cdr['end_date_time']]
    segments = []
    for period, end in zip(periods, ends):
        volume = {d['type']: d['volume'] for d in period['dimensions']}
        more = {}
        for name, kinds in POWERS:
            for kind in kinds:
                if kind in volume:
                    more[name] = nano(volume[kind])
        at = period['start_date_time']
        for state, hours, kwh in cdr_parts(period):
            until = engine.value(
                "SELECT to_char(least(%s::timestamptz, %s::timestamptz + %s * interval '1 hour') AT TIME ZONE 'UTC',"
                ' \'YYYY-MM-DD"T"HH24:MI:SS.US"Z"\')', end, at, hours)
            segments.append(dict({'from': at, 'to': until, 'kwh': kwh, 'state': state}, **more))
            at = until
    return {'start': cdr['start_date_time'], 'segments': segments}


def of_dimension(source, wanted):
    """The tariff with other dimensions free of charge; its limits are for the whole session."""
    made = copy.deepcopy({k: v for k, v in source.items() if k not in ('min_price', 'max_price')})
    for element in made['elements']:
        reservation = (element.get('restrictions') or {}).get('reservation') is not None
        for component in element['price_components']:
            kind = 'RESERVATION' if reservation else component['type']
            if kind != wanted:
                component['price'] = 0
    return made


def cdr_costs(engine, given, shared):
    source, session = given['tariff'], cdr_session(engine, given['cdr'])
    zone = zone_of(shared)

    def cost(tariff_of):
        excl, incl = totals(engine, tariff_of, session, zone)
        return {'excl_vat': excl, 'incl_vat': incl}

    def hours(state):
        return engine.value(
            "SELECT coalesce(sum(extract(epoch FROM (s ->> 'to')::timestamptz - (s ->> 'from')::timestamptz)), 0) / 3600"
            " FROM jsonb_array_elements(%s::jsonb -> 'segments') AS s WHERE s ->> 'state' = %s", to_json(session), state)

    results = {'total_cost': lambda: cost(source),
               'total_time': lambda: engine.value(
                   'SELECT extract(epoch FROM %s::timestamptz - %s::timestamptz) / 3600',
                   given['cdr']['end_date_time'], given['cdr']['start_date_time']),
               'total_parking_time': lambda: hours('idle'),
               'total_energy': lambda: sum(decimal(s['kwh']) for s in session['segments'])}
    for name, kind in DIMENSION.items():
        results['total_%s_cost' % name] = lambda kind=kind: cost(of_dimension(source, kind))
    return results


def is_ocpi(given):
    return isinstance(given.get('tariff'), dict) and 'elements' in given['tariff']


SHAPES = [
    (lambda given, shared: is_ocpi(given) and has('session')(given, shared), spec_session),
    (lambda given, shared: is_ocpi(given) and has('cdr')(given, shared), cdr_costs),
]
