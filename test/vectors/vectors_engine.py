"""The engine as the tariff vectors see it: SQL in, exact decimals out.

Everything that is priced is priced here, by functions of the extension. A feature this version
refuses with SQLSTATE 0A000, or a function it does not have, is Unsupported. An error of class UB,
or of class 22 (a value that is none of its type), is Refused: the input is not taken. Anything
else that is raised is a Fault.
"""
import json
import re
from decimal import Decimal, InvalidOperation, ROUND_HALF_UP, getcontext

import psycopg2

getcontext().prec = 100    # sums of exact results stay exact

EXACT = {'line': None}                               # every line as it is
ONCE = {'line': None, 'total': {'step': '0.01'}}     # the exact sum, rounded once


class Unsupported(Exception):
    """A feature that this version does not have; the text names it."""


class Refused(Exception):
    """The input is not taken: an error of lint, of the engine, or of the type of a value."""


class Fault(Exception):
    """The server answered with an error that no input should lead to."""


class Malformed(Exception):
    """The case does not have the form that the README gives it."""


# ---------------------------------------------------------------- numbers and JSON

def decimal(value):
    """A number of a case; None when it is none, and the engine is to judge it as it stands."""
    if isinstance(value, (bool, type(None))) or not isinstance(value, (int, str, Decimal)):
        return None
    try:
        number = Decimal(value)
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _cut(value, step):
    number = decimal(value)
    if number is None or number.adjusted() > 30:
        return value
    return number.quantize(step, ROUND_HALF_UP) if number.as_tuple().exponent < step.as_tuple().exponent else number


def micro(value):
    """An energy or another quantity without binary noise: at most six decimals."""
    return _cut(value, Decimal('0.000001'))


def nano(value):
    """A price without binary noise: at most nine decimals."""
    return _cut(value, Decimal('0.000000001'))


def to_json(value):
    """JSON text with decimals as they are."""
    if isinstance(value, dict):
        return '{%s}' % ','.join('%s:%s' % (json.dumps(str(k)), to_json(v)) for k, v in value.items())
    if isinstance(value, (list, tuple)):
        return '[%s]' % ','.join(to_json(v) for v in value)
    if isinstance(value, Decimal):
        return format(value, 'f')
    return json.dumps(value, ensure_ascii=False)


# ---------------------------------------------------------------- pieces of a tariff

def tariff(components, rounding=None, zone='UTC', currency='XTS', **more):
    """Canonical JSON; XTS is the currency code for tests."""
    made = {'elecbill': 1, 'currency': currency, 'zone': zone, **more, 'components': components}
    if rounding is not None:
        made['round'] = rounding
    return made


def given_amount(code, **more):
    """A component whose money the case gives: ctx.qty[code] at price 1."""
    return {'code': code, 'kind': 'custom', 'quantity': code, 'price': 1, **more}


def register_schedule(names):
    """A schedule for kWh that come by period: the names count, an hour each, the last takes the rest."""
    names = list(names)
    if not 1 <= len(names) <= 24:
        raise Malformed('there must be from 1 to 24 periods, not %d' % len(names))
    rules = [{'period': n, 'spans': [['%02d:00' % i, '%02d:00' % (i + 1)]]} for i, n in enumerate(names[:-1])]
    return rules + [{'period': names[-1]}]


def steps_of(pairs):
    """[[bound or null, price], ...] as steps."""
    steps = []
    for bound, price in pairs:
        steps.append({'price': nano(price)} if bound is None else {'up_to': micro(bound), 'price': nano(price)})
    return steps


# ---------------------------------------------------------------- bills

class Bill:
    """Lines and total of rate() and rate_total()."""

    def __init__(self, lines, total):
        self.lines = lines
        self.total = total

    def pick(self, **wanted):
        return [line for line in self.lines if all(line[k] == v for k, v in wanted.items())]

    def amount(self, **wanted):
        return sum((line['amount'] for line in self.pick(**wanted)), Decimal(0))

    def quantity(self, **wanted):
        return sum((line['quantity'] for line in self.pick(**wanted)), Decimal(0))

    def only(self, column, **wanted):
        found = self.pick(**wanted)
        if len(found) != 1:
            raise Fault('%d lines for %s, not one' % (len(found), wanted))
        return found[0][column]


class Engine:
    """A session. calls counts what was asked, so that nothing passes that was not computed here."""

    def __init__(self, folder):
        self.calls = 0
        self.folder = folder    # data paths of the cases are relative to it
        self.series = {}        # tables of this session, by the files they hold
        self.connection = psycopg2.connect('')
        self.connection.autocommit = True
        self.ask('SET client_min_messages = warning')
        self.ask("SET statement_timeout = '300s'")
        self.ask('CREATE EXTENSION IF NOT EXISTS elecbill')

    def alive(self):
        return self.connection.closed == 0

    def ask(self, sql, *parameters):
        """Rows of one statement."""
        self.calls += 1
        try:
            with self.connection.cursor() as cursor:
                cursor.execute(sql, parameters)
                return cursor.fetchall() if cursor.description else []
        except psycopg2.Error as error:
            raise self.reason(error) from error

    @staticmethod
    def reason(error):
        code, diag = error.pgcode or '', error.diag
        message = diag.message_primary or str(error).strip()
        detail = diag.message_detail or ''
        if code == '0A000':
            named = re.search(r'(\w+)[][0-9]*: "([^"]+)" is not supported', detail)
            if named is None:
                return Unsupported(message)
            key, word = named.groups()    # a key of the tariff, or a word that is its value
            return Unsupported('"%s" in a tariff' % word if key == word else '%s "%s" in a tariff' % (key, word))
        text = '%s: %s%s' % (code, message, ' (%s)' % detail if detail else '')
        return Refused(text) if code[:2] in ('UB', '22') else Fault(text)

    def value(self, sql, *parameters):
        return self.ask(sql, *parameters)[0][0]

    def need(self, name, arguments):
        """A function that a later version brings."""
        if self.value('SELECT to_regprocedure(%s) IS NULL', 'elecbill.%s(%s)' % (name, arguments)):
            raise Unsupported('function %s()' % name)

    # ------------------------------------------------------------ tariff, usage, rate

    def check(self, made):
        """Is the tariff taken? Asked before long work."""
        self.ask('SELECT %s::elecbill.tariff IS NOT NULL', to_json(made))

    def usage_from(self, made, quantities):
        return self.value('SELECT elecbill.usage_from(%s::elecbill.tariff, %s::jsonb)::text',
                          to_json(made), to_json(quantities))

    def usage_of(self, made, rows):
        """usage() over [(local start, local end, kWh)]."""
        starts, ends, energies = zip(*rows)
        return self.value(
            'SELECT elecbill.usage(%s::elecbill.tariff,'
            ' tstzrange(a::timestamp AT TIME ZONE %s, b::timestamp AT TIME ZONE %s), kwh)::text'
            ' FROM unnest(%s::text[], %s::text[], %s::numeric[]) AS r (a, b, kwh)',
            to_json(made), made['zone'], made['zone'], list(starts), list(ends), list(energies))

    def usage_of_steps(self, made, start, minutes, kw):
        """usage() over mean powers: element i is the step that begins start + i steps, local time."""
        return self.value(
            'SELECT elecbill.usage(%s::elecbill.tariff, tstzrange(at, at + step),'
            ' round(kw * extract(epoch FROM step)::numeric / 3600, 6))::text'
            ' FROM (SELECT kw, step, %s::timestamp AT TIME ZONE %s + (n - 1) * step'
            ' FROM unnest(%s::numeric[]) WITH ORDINALITY AS r (kw, n),'
            ' make_interval(mins => %s) AS s (step)) AS r (kw, step, at)',
            to_json(made), start, made['zone'], list(kw), minutes)

    def rate(self, made, usage, **ctx):
        parameters = (to_json(made), usage, to_json(ctx))
        call = '(%s::elecbill.tariff, %s::jsonb::elecbill.usage_summary, %s::jsonb)'
        columns = ('code', 'grp', 'period', 'tier', 'quantity', 'price', 'amount_raw', 'amount')
        lines = self.ask('SELECT %s FROM elecbill.rate' % ', '.join(columns) + call + ' ORDER BY n', *parameters)
        total = self.value('SELECT elecbill.rate_total' + call, *parameters)
        return Bill([dict(zip(columns, line)) for line in lines], total)

    def bill(self, made, quantities, **ctx):
        return self.rate(made, self.usage_from(made, quantities), **ctx)

    def total_kwh(self, usage):
        return self.value("SELECT (%s::jsonb ->> 'total_kwh')::numeric", usage)

    def period(self, made, local, schedule=None):
        return self.value('SELECT elecbill.tariff_period(%s::elecbill.tariff,'
                          ' %s::timestamp AT TIME ZONE %s, %s)', to_json(made), local, made['zone'], schedule)
