"""property_case: one random case, what must hold of it, engine against oracle"""
import json
import random
from collections import Counter
from zoneinfo import ZoneInfo

import psycopg2
from psycopg2.extras import execute_values

from property_draw import CaseDraw

# what the engine refuses by a rule of its own
OWN_RULES = ('tiers of one scope count different quantities', 'price has too many digits to be exact', 'number is out of range',
             'the tariff has no such period', 'price of an interval is not known', 'price is out of range')
ROWS = 'tstzrange(from_at, to_at), kwh, channel, price'
USAGE = f'(SELECT elecbill.usage(%(tariff)s::elecbill.tariff, {ROWS} ORDER BY md5(n::text)) FROM oracle.given WHERE n <= %(upto)s)'
LINES = f'''SELECT coalesce(array_agg(l ORDER BY n), '{{}}')::text FROM elecbill.rate(%(tariff)s::elecbill.tariff, {USAGE}, %(ctx)s::jsonb) AS l'''
# sums of lines by what tells them apart; nothing at nothing is no difference
SUMS = '''SELECT code, coalesce(version, 0) AS version, coalesce(period, '') AS period, coalesce(tier, 0) AS tier, unit,
    sum(quantity) AS quantity, sum(amount) AS amount'''
DIFFERENCES = f'''
    WITH engine AS ({SUMS} FROM unnest(%(lines)s::elecbill.rate_line[]) GROUP BY 1, 2, 3, 4, 5),
        exact AS ({SUMS} FROM oracle.line JOIN oracle.tariff USING (v) GROUP BY 1, 2, 3, 4, 5)
    SELECT code, version, period, tier, unit, e.quantity, g.quantity, e.amount, g.amount
    FROM exact AS e FULL JOIN engine AS g USING (code, version, period, tier, unit)
    WHERE coalesce(e.quantity, 0) <> coalesce(g.quantity, 0) OR coalesce(e.amount, 0) <> coalesce(g.amount, 0)'''
TOTAL = 'SELECT coalesce(sum(amount), 0) FROM oracle.line'
INCREMENT = '''SELECT elecbill.rate_increment(%(tariff)s::elecbill.tariff, %(before)s::elecbill.usage_summary, %(after)s::elecbill.usage_summary,
    %(ctx)s::jsonb, %(final)s)'''
DELTA = '''SELECT (SELECT coalesce(sum(amount), 0) FROM elecbill.line_delta(%(old)s, %(new)s)),
    (SELECT coalesce(sum(amount), 0) FROM unnest(%(new)s::elecbill.rate_line[])) - (SELECT coalesce(sum(amount), 0) FROM unnest(%(old)s::elecbill.rate_line[])),
    (SELECT count(*) FROM elecbill.line_delta(%(new)s, %(new)s))'''
MERGE = '''SELECT x.merged::text FROM (SELECT %(a)s::elecbill.usage_summary AS a, %(b)s::elecbill.usage_summary AS b, %(c)s::elecbill.usage_summary AS c) AS s,
    LATERAL (VALUES (elecbill.usage_merge(elecbill.usage_merge(a, b), c)), (elecbill.usage_merge(a, elecbill.usage_merge(b, c))),
        (elecbill.usage_merge(elecbill.usage_merge(c, a), b)), (elecbill.usage_merge(NULL, elecbill.usage_merge(elecbill.usage_merge(b, c), a)))) AS x (merged)'''
COMPARE = f'''SELECT elecbill.compare(%(tariffs)s::elecbill.tariff[], {ROWS}, %(ctx)s::jsonb ORDER BY md5(n::text)) FROM oracle.given'''
# the load in whole Wh, as rows and as load profiles of some days each; the same text, to the last digit
PROFILES = '''WITH v AS (SELECT from_at, round(kwh * 1000)::bigint AS wh,
        make_interval(secs => extract(epoch FROM to_at - from_at)::integer) AS step, channel FROM oracle.given),
    p AS (SELECT elecbill.load_profile_agg(from_at, wh, step, 0, channel ORDER BY md5(from_at::text)) AS profile
        FROM v GROUP BY channel, floor(extract(epoch FROM from_at) / 86400 / %(days)s))
    SELECT (SELECT elecbill.usage(%(tariff)s::elecbill.tariff, from_at, wh, step, channel) FROM v)::text,
        (SELECT elecbill.usage(%(tariff)s::elecbill.tariff, profile) FROM p)::text'''
# what a merge of parts cannot know: time between them, and windows that lie in two of them
OF_THE_WHOLE = ('missing_s', 'quality', 'peaks', 'max_kw')


class Case:
    """cursor: of a connection in autocommit, whose database has the extension and the oracle"""

    def __init__(self, cursor, seed):
        self.cursor = cursor
        self.random = random.Random(seed)
        self.draw = CaseDraw(self.random)
        self.versions = self.draw.versions()
        self.text = self.text_of(self.versions)
        self.rows = sorted(self.draw.load(ZoneInfo(self.versions[0][2]['zone'])), key=lambda row: row[0])
        self.ctx = self.draw.context()
        self.faults = []
        self.reason = None
        self.done = Counter()

    @staticmethod
    def text_of(versions):
        if len(versions) == 1:
            return json.dumps(versions[0][2])
        return json.dumps({'elecbill': 1, 'versions': [
            {'version': number + 7, 'valid': [day and day.isoformat() for day in (start, end)], 'tariff': tariff}
            for number, (start, end, tariff) in enumerate(versions)]})

    def ask(self, sql, **values):
        self.cursor.execute(sql, {'tariff': self.text, 'ctx': json.dumps(self.ctx), 'upto': len(self.rows), **values})
        return self.cursor.fetchall()

    def value(self, sql, **values):
        return self.ask(sql, **values)[0][0]

    def check(self, what, wanted, got):
        if wanted != got:
            self.faults.append(f'{what}: wanted {wanted}, got {got}')

    def put(self):
        self.cursor.execute('DELETE FROM oracle.tariff; DELETE FROM oracle.given')
        several = len(self.versions) > 1
        execute_values(self.cursor, 'INSERT INTO oracle.tariff VALUES %s', [
            (number, number + 7 if several else None, json.dumps(tariff), start, end)
            for number, (start, end, tariff) in enumerate(self.versions)])
        execute_values(self.cursor, 'INSERT INTO oracle.given VALUES %s', [(n + 1, *row) for n, row in enumerate(self.rows)], page_size=2000)

    # ---- the bill

    def oracle(self, ctx=None, upto=None):
        """why the oracle refuses, or None: the lines are in oracle.line"""
        try:
            self.ask('SELECT oracle.rate_bill(%(ctx)s, %(upto)s)', **({'ctx': json.dumps(ctx)} if ctx else {}), **({'upto': upto} if upto else {}))
        except psycopg2.Error as error:
            if error.pgcode not in ('OR404', 'OR400'):
                raise
            return f'{error.pgcode} {error.diag.message_primary}'
        return None

    def run(self):
        """'equal', 'refused', 'no tariff' or 'own rule'; wrong where self.faults is not empty"""
        try:
            self.ask('SELECT %(tariff)s::elecbill.tariff')
        except psycopg2.Error as error:
            self.reason = error.diag.message_detail
            return 'no tariff'
        self.put()
        refusal = self.oracle()
        try:
            lines = self.value(LINES)
        except psycopg2.Error as error:
            return self.refused(error, refusal)
        if self.value(f'SELECT {USAGE} IS NULL'):
            self.reason = 'no row is of a channel that the tariff counts'
            return 'own rule'
        self.check('engine rates, oracle', None, refusal)
        for difference in self.ask(DIFFERENCES, lines=lines)[:4] if refusal is None else []:
            self.faults.append('line {} version {} period {} tier {} unit {}: wanted {} got {}, amount {} got {}'.format(*difference))
        if not self.faults:
            self.further(lines)
        return 'equal'

    def refused(self, error, refusal):
        self.reason = f'{error.diag.message_primary} / {refusal}'
        # of a tariff that changes the engine asks more than the oracle: what each version counts
        if error.diag.message_primary in OWN_RULES or (len(self.versions) > 1 and error.pgcode in ('0A000', 'UB404')):
            return 'own rule'
        if refusal is None:
            self.faults.append(f'engine refuses: {error}')
        return 'refused'

    # ---- what else must hold

    def further(self, lines):
        total = self.value(TOTAL)
        if self.random.random() < 0.25:
            self.check_increments(total)
        if self.random.random() < 0.25:
            self.check_delta(lines)
        if self.random.random() < 0.25:
            self.check_merge(lines)
        if self.random.random() < 0.25:
            self.check_compare(total)
        if self.random.random() < 0.5:
            self.check_profiles()

    def check_increments(self, total):
        """each of two summaries alone; their sum is the bill, each the difference of two bills of the oracle"""
        final = self.ctx.get('final', True)
        summaries, totals, sum_of_all = [None], [0], 0
        cuts = sorted({*self.random.sample(self.row_ends(), min(2, len(self.row_ends()))), len(self.rows)})
        for cut in cuts:
            last = final and cut == cuts[-1]
            if self.oracle({**self.ctx, 'final': last}, cut) is not None:
                return      # what is there so far lacks a determinant
            totals.append(self.value(TOTAL))
            summaries.append(self.value(f'SELECT {USAGE}::text', upto=cut))
            try:
                increment = self.value(INCREMENT, before=summaries[-2], after=summaries[-1], final=last)
            except psycopg2.Error as error:
                self.refused(error, None)
                return
            self.check(f'increment until row {cut}', totals[-1] - totals[-2], increment)
            self.done['increments'] += 1
            sum_of_all += increment
        self.check('sum of increments', total, sum_of_all)
        self.check('increment of nothing new', 0, self.value(INCREMENT, before=summaries[-1], after=summaries[-1], final=final) if not self.limits() else 0)

    def row_ends(self):
        """numbers of rows behind which nothing begins at the same time, and import does: the usage ends there"""
        channels = {}
        for number, row in enumerate(self.rows, 1):
            channels.setdefault(row[0], [0, set()])[1].add(row[2])
            channels[row[0]][0] = number
        return [number for number, together in channels.values() if 'import' in together]

    def limits(self):
        return any(c['kind'] in ('minimum', 'maximum') for _, _, tariff in self.versions for c in tariff['components'])

    def check_delta(self, lines):
        """to the bill of fewer rows, and to that of other prices"""
        other = self.text_of([(start, end, self.draw.reprice(tariff)) for start, end, tariff in self.versions])
        for change in ({'upto': self.random.randint(1, len(self.rows))}, {'tariff': other}):
            try:
                old = self.value(LINES, **change)
            except psycopg2.Error:
                continue
            delta, difference, same = self.ask(DELTA, old=old, new=lines)[0]
            self.check('sum of line_delta', difference, delta)
            self.check('rows of line_delta(x, x)', 0, same)
            self.done['deltas'] += 1

    def check_merge(self, lines):
        """any partition, merged in any order, is the whole"""
        parts = {}
        for n in range(1, len(self.rows) + 1):
            parts.setdefault(self.random.choice('abc'), []).append(n)
        sums = {name: self.value(f'SELECT elecbill.usage(%(tariff)s::elecbill.tariff, {ROWS})::text FROM oracle.given WHERE n = ANY (%(part)s)', part=parts.get(name, []))
                for name in 'abc'}
        merged = [row[0] for row in self.ask(MERGE, **sums)]
        self.check('merges in other orders', merged[:1] * 4, merged)
        self.done['merges'] += 1
        self.check('merge', bare(json.loads(self.value(f'SELECT {USAGE}::text'))), bare(json.loads(merged[0])))
        if not any('demands' in tariff for _, _, tariff in self.versions):
            amounts = 'SELECT sum(amount) FROM elecbill.rate(%(tariff)s::elecbill.tariff, %(usage)s::elecbill.usage_summary, %(ctx)s::jsonb)'
            self.check('bill of the merge', self.value('SELECT sum(amount) FROM unnest(%(lines)s::elecbill.rate_line[])', lines=lines), self.value(amounts, usage=merged[0]))

    def check_compare(self, total):
        """one scan under several tariffs, against the oracle and rate_total() of each"""
        tariffs = [self.text] + [self.text_of([(start, end, self.draw.reprice(tariff)) for start, end, tariff in self.versions]) for _ in range(2)]
        try:
            alone = [self.value(f'SELECT elecbill.rate_total(%(tariff)s::elecbill.tariff, {USAGE}, %(ctx)s::jsonb)', tariff=tariff) for tariff in tariffs]
        except psycopg2.Error:
            return
        self.check('compare', [total, *alone[1:]], self.value(COMPARE, tariffs=tariffs))
        self.done['comparisons'] += 1

    def check_profiles(self):
        """usage() of load profiles is that of their values as rows"""
        step = self.rows[0][1] - self.rows[0][0]
        if 86400 % step.total_seconds() != 0 or self.rows[0][0].microsecond != 0:
            return
        try:
            rows, profiles = self.ask(PROFILES, days=self.random.choice([1, 1, 1, 3, 100]))[0]
        except psycopg2.Error as error:
            if error.pgcode != 'UB404':
                raise
            return      # the price of a row, which profiles do not have
        self.check('usage of profiles', rows, profiles)
        self.done['profiles'] += 1


def bare(summary):
    """without what depends on the time between the parts"""
    if isinstance(summary, list):
        return [bare(item) for item in summary]
    if not isinstance(summary, dict):
        return summary
    return {key: bare(value) for key, value in summary.items() if key not in OF_THE_WHOLE}
