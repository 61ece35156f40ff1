"""Compares what the engine gave with what a case states, by the rules of the vectors' README."""
from decimal import Decimal, ROUND_HALF_UP

from vectors_engine import decimal, Unsupported

NEVER = ('ratio_check', 'verified', 'notes', 'exact')


class Verdict:
    """What comparing one case came to."""

    def __init__(self):
        self.compared = 0
        self.differences = []    # texts
        self.unverified = []     # differences of values that nobody has verified
        self.missing = []        # features

    def differ(self, path, expected, got, verified):
        text = '%s: expected %s, got %s' % (path, show(expected), show(got))
        (self.differences if verified else self.unverified).append(text)


def show(value):
    if isinstance(value, Decimal):
        return format(value.normalize() if value != value.to_integral_value() else value.quantize(Decimal(1)), 'f')
    if isinstance(value, (list, tuple)):
        return '[%s]' % ', '.join(show(v) for v in value)
    return 'nothing' if value is None else str(value)


def tolerance_of(levels, key):
    """The first level that says one: a number for all, or an object by key."""
    for level in levels:
        if isinstance(level, dict):
            level = level.get(key)
        if level is not None:
            return level
    return 0


def same_number(expected, got, tolerance):
    """A string shows its decimals, and the result is rounded to them; a number stands as it is."""
    want, have, slack = decimal(expected), decimal(got), decimal(tolerance) or Decimal(0)
    if have is None:
        return False
    if isinstance(expected, str):
        have = have.quantize(Decimal(1).scaleb(min(want.as_tuple().exponent, 0)), ROUND_HALF_UP)
    return abs(have - want) <= slack


def compare(verdict, path, expected, got, tolerance, verified):
    """One value, an array or an object of values."""
    if callable(got):
        got = got()
    if isinstance(expected, dict):
        compare_members(verdict, path, expected, got, tolerance, verified)
    elif isinstance(expected, list):
        if not isinstance(got, (list, tuple)) or len(got) != len(expected):
            verdict.compared += 1
            verdict.differ(path, expected, got, verified)
            return
        for i, item in enumerate(expected):
            compare(verdict, '%s[%d]' % (path, i), item, got[i], tolerance, verified)
    else:
        verdict.compared += 1
        if isinstance(expected, bool) or expected is None or decimal(expected) is None:
            same = type(expected) is type(got) and expected == got
        else:
            same = same_number(expected, got, tolerance)
        if not same:
            verdict.differ(path, expected, got, verified)


def compare_members(verdict, path, expected, got, tolerance, verified):
    for key, value in expected.items():
        if key in NEVER or key.startswith('exact_'):
            continue
        below = '%s.%s' % (path, key) if path else key
        if not isinstance(got, dict) or key not in got:
            verdict.compared += 1
            verdict.differ(below, value, None, verified)
            continue
        slack = tolerance
        if isinstance(tolerance, list):        # the levels of the case, at the top
            slack = tolerance_of(tolerance, key)
        elif isinstance(tolerance, dict):
            slack = tolerance.get(key, 0)
        try:
            compare(verdict, below, value, got[key], slack, verified)
        except Unsupported as missing:
            verdict.missing.append(str(missing))


def compare_case(case, tolerance, results):
    """results: a mapping of names to values, or to functions that compute them."""
    verdict = Verdict()
    expected = case['expected']
    levels = [case.get('tolerance'), tolerance]
    verified = case.get('verified') is not False
    plain = {k: v for k, v in expected.items() if k != 'outputs' or not isinstance(v, list)}
    compare_members(verdict, '', plain, results, levels, verified)
    disputed = 0
    for output in expected['outputs'] if 'outputs' not in plain and 'outputs' in expected else []:
        if output.get('disputed'):
            disputed += 1
            continue
        compare_members(verdict, '', {output['output']: output['value']}, results,
                        [output.get('tolerance')] + levels, verified and output.get('verified') is not False)
    return verdict, disputed
