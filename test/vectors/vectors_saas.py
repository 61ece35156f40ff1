"""Shapes of metered-billing engines: graduated, volume, package, percentage, dynamic; increments."""
from vectors_engine import EXACT, decimal, micro, nano, tariff


def unit_steps(tiers):
    """up_to is inclusive; a missing flat or unit price is 0."""
    steps = []
    for tier in tiers:
        step = {'unit': 'unit', 'price': nano(tier.get('unit') or 0), 'flat': nano(tier.get('flat') or 0)}
        if tier.get('up_to') is not None:
            step['up_to'] = micro(tier['up_to'])
        steps.append(step)
    return steps


def usage_component(given):
    """The component that prices the quantity "qty"."""
    made = {'code': 'usage', 'kind': 'custom', 'quantity': 'qty'}
    mode = given['mode']
    if mode == 'package':
        free = micro(given.get('free_units') or 0)
        return dict(made, price=nano(given['amount']), tier={'mode': 'package', 'size': micro(given['package_size']), 'free': free})
    if mode == 'dynamic':
        return dict(made, price=nano(given['multiplier']), round={'step': '0.01'})
    tier = {'mode': mode, 'steps': unit_steps(given['tiers'])}
    if 'full_qty' in given:
        tier['by'] = 'full_qty'
    return dict(made, tier=tier)


def number(value):
    """For SQL arithmetic; what is no number is left for the engine to refuse."""
    return micro(value) if decimal(value) is not None else None


class Charge:
    """The charge of a quantity, and what of it is new."""

    def __init__(self, engine, given):
        self.engine = engine
        self.given = given
        self.component = usage_component(given)
        self.limits = []
        if given.get('min_amount') is not None and given.get('last_in_period') is not False:
            self.limits.append({'code': 'minimum', 'kind': 'minimum', 'amount': nano(given['min_amount'])})
        if given.get('max_amount') is not None:
            self.limits.append({'code': 'maximum', 'kind': 'maximum', 'amount': nano(given['max_amount'])})

    def bill(self, qty, limits=(), **ctx):
        made = tariff([self.component, *limits], EXACT)
        quantities = {'qty': qty}
        if 'full_qty' in self.given:
            quantities['full_qty'] = micro(self.given['full_qty'])
        return self.engine.bill(made, {'import_kwh': 0}, qty=quantities, **ctx)

    def booked(self):
        """What was charged before: as given, else the charge of what was rated; nothing when nothing was."""
        if self.given.get('previous_billed') is not None:
            return nano(self.given['previous_billed'])
        before = micro(self.given.get('pre_qty') or 0)
        return self.bill(before, [c for c in self.limits if c['kind'] == 'maximum']).total if before else 0

    def whole(self):
        before, new = (number(self.given.get(k) or 0) for k in ('pre_qty', 'qty'))
        qty = self.given.get('qty') if before is None or new is None else self.engine.value('SELECT %s::numeric + %s', before, new)
        return self.bill(qty, self.limits)

    def total(self):
        """The engine's own increment; with a limit or a stated booking, the difference of two totals."""
        if not self.limits and self.given.get('previous_billed') is None and self.component.get('tier'):
            return self.bill(micro(self.given['qty']), before={'bill': micro(self.given.get('pre_qty') or 0)}).total
        return self.engine.value('SELECT %s::numeric - %s', self.whole().total, self.booked())

    def steps(self):
        """Each running total is rated, and the difference to what is booked is booked."""
        totals = [self.bill(micro(q), self.limits).total for q in self.given['cumulative_qty']]
        return [row[0] for row in self.engine.ask(
            'SELECT t - coalesce(lag(t) OVER (ORDER BY n), 0) FROM unnest(%s::numeric[]) WITH ORDINALITY AS r (t, n)'
            ' ORDER BY n', totals)]


def units(engine, given, shared):
    charge = Charge(engine, given)
    if 'cumulative_qty' in given:
        return {'booked_per_step': charge.steps}
    if 'prorated_qty' in given:
        return {'amount': lambda: charge.bill(micro(given['prorated_qty'])).total}
    return {'amount': charge.total, 'total': charge.total,
            'min_spend_line': lambda: charge.whole().amount(code='minimum')}


def percentage(engine, given, shared):
    """A share of money beyond what is free, and a fee per event beyond those that are free."""
    rate = {'mul': [nano(given['rate_pct']), '0.01']}
    if 'transactions' in given:
        return {'amount': lambda: transactions(engine, given, rate)}
    components = [beyond('usage', 'qty', given.get('free_total'), rate, 'money')]
    quantities = {'qty': micro(given['qty'])}
    if given.get('fixed'):
        components.append(beyond('events', 'events', given.get('free_events_reached'), nano(given['fixed']), 'unit'))
        quantities['events'] = micro(given['events'])
    return {'amount': lambda: engine.bill(tariff(components, EXACT), {'import_kwh': 0}, qty=quantities).total}


def beyond(code, quantity, free, price, unit):
    made = {'code': code, 'kind': 'custom', 'quantity': quantity}
    if not free:
        return dict(made, price=price)
    return dict(made, tier={'steps': [{'up_to': micro(free), 'unit': unit, 'price': 0}, {'unit': unit, 'price': price}]})


def transactions(engine, given, rate):
    """Every item alone: percentage and fee, then the limits."""
    step = {'unit': 'money', 'price': rate, 'flat': nano(given.get('fixed') or 0)}
    limits = {k: nano(given[k + '_each']) for k in ('min', 'max') if given.get(k + '_each') is not None}
    made = tariff([{'code': 'usage', 'kind': 'custom', 'quantity': 'items', 'tier': {'steps': [step]}, 'each': limits}], EXACT)
    return engine.bill(made, {'import_kwh': 0, 'items': [micro(t) for t in given['transactions']]}).total


SHAPES = [
    (lambda given, shared: given.get('mode') == 'percentage' or 'rate_pct' in given, percentage),
    (lambda given, shared: 'mode' in given, units),
]
