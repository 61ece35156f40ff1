"""data.py -- the meters of ../shared/data, read without elecbill

Every meter is a Meter: rows (start in UTC seconds, Wh, quality flags), step, direction, zone of its days,
and how import_intervals() is asked for the same. Energies finer than a Wh are rounded on their running
total, as the README says.
"""
import csv
import glob
import io
import os
import xml.etree.ElementTree as ElementTree
import zipfile
from collections import namedtuple
from datetime import datetime, timedelta, timezone
from decimal import ROUND_HALF_UP, Decimal
from zoneinfo import ZoneInfo

Meter = namedtuple('Meter', 'name rows step_s direction zone file format stamps options')
WHOLE = Decimal(1)
ESTIMATED, SUBSTITUTED, TRUNCATED = 4096, 8192, 256


def whole(pairs):
    """[(start, Wh as Decimal, quality)] with Wh rounded half up on the running total"""
    total, shown, rows = Decimal(0), 0, []
    for start, wh, quality in sorted(pairs):
        total += wh
        until = int(total.quantize(WHOLE, ROUND_HALF_UP))
        rows.append((start, until - shown, quality | (0 if wh == wh.to_integral_value() else TRUNCATED)))
        shown = until
    return rows


def seconds(stamp):
    return int(stamp.timestamp())


def london(root):
    for path in sorted(glob.glob(os.path.join(root, 'lcl_dev6', 'MAC*.csv'))):
        with open(path, newline='', encoding='utf-8') as file:
            rows = [(seconds(datetime.strptime(r[1], '%Y-%m-%d %H:%M:%S').replace(tzinfo=timezone.utc)), Decimal(r[2].strip()) * 1000, 0)
                    for r in list(csv.reader(file))[1:]]
        name = os.path.basename(path)[:-4]
        yield Meter(name, whole(rows), 1800, 'import', 'Europe/London', open(path, 'rb').read(), 'csv', 'UTC',
                    {'at': 'tstp', 'energy': 'energy(kWh/hh)', 'step': '30 min', 'dst': 'standard', 'where': {'LCLid': name}})


def california(root):
    zone = ZoneInfo('America/Los_Angeles')
    path = os.path.join(root, 'pge_d202_cost', 'D202.csv')
    rows = []
    with open(path, newline='', encoding='utf-8') as file:
        for r in csv.DictReader(file):
            at = datetime.strptime(r['DATE'] + ' ' + r['START TIME'], '%m/%d/%y %H:%M').replace(tzinfo=zone)
            rows.append((seconds(at), Decimal(r['USAGE']) * 1000, ESTIMATED if r['NOTES'] else 0))
    yield Meter('D202', whole(rows), 900, 'import', 'America/Los_Angeles', open(path, 'rb').read(), 'csv', 'America/Los_Angeles',
                {'at': ['DATE', 'START TIME'], 'order': 'mdy', 'energy': 'USAGE', 'step': '15 min', 'dst': 'first', 'quality': 'NOTES',
                 'qualities': {'* This data was estimated': 'estimated'}})


def green_button(root):
    espi = '{http://naesb.org/espi}'
    path = os.path.join(root, 'espi_greenbutton', 'test_usage_data.xml')
    rows = []
    for reading in ElementTree.parse(path).iter(espi + 'IntervalReading'):
        codes = [int(q.text) for q in reading.iter(espi + 'quality')]
        rows.append((int(reading.find('%stimePeriod/%sstart' % (espi, espi)).text), Decimal(reading.find(espi + 'value').text),
                     (ESTIMATED if 8 in codes else 0) | (SUBSTITUTED if 7 in codes else 0)))
    yield Meter('espi', whole(rows), 900, 'import', 'America/New_York', open(path, 'rb').read(), 'espi', None, {})


def market_files(root):
    """(name, bytes) of the readable NEM12 files, zipped or not; invalid ones apart"""
    for path in sorted(glob.glob(os.path.join(root, 'nem12_nem13', 'examples', '**', '*'), recursive=True)):
        if os.path.isdir(path):
            continue
        name, invalid = os.path.basename(path), os.path.basename(os.path.dirname(path)) == 'invalid'
        if name.lower().endswith('.zip'):
            with zipfile.ZipFile(path) as archive:
                for member in archive.namelist():
                    yield name, archive.read(member), invalid
        else:
            yield name, open(path, 'rb').read(), invalid


def records(text):
    return [[field.strip() for field in r] for r in csv.reader(io.StringIO(text.decode('utf-8'), newline=None)) if r]


def day_rows(fields, n, ranges, factor, step_s):
    """Rows of a record 300; market time is UTC+10 all year"""
    day = datetime.strptime(fields[1], '%Y%m%d').replace(tzinfo=timezone(timedelta(hours=10)))
    flags = [fields[n + 2]] * n
    for first, last, flag in ranges:
        flags[first - 1:last] = [flag] * (last - first + 1)
    marks = {'A': 0, 'E': ESTIMATED, 'S': SUBSTITUTED, 'F': SUBSTITUTED}
    return [(seconds(day) + i * step_s, Decimal(fields[i + 2]) * factor, marks[flags[i][0]]) for i in range(n) if flags[i][0] != 'N']


def market_streams(text):
    """{(nmi, stream): ([rows], {steps})} of a NEM12 file whose records all lie on lines of their own"""
    streams, block, lines = {}, None, records(text)
    for no, fields in enumerate(lines):
        if fields[0] == '200':
            unit = fields[7].lower()
            factor = {'k': 1000, 'm': 1000000}.get(unit[:1], 1)
            block = (fields[1], fields[4], int(fields[8]) * 60, factor)
        elif fields[0] == '300' and block[1][0] in 'EBQK':
            ranges, after = [], no + 1
            while lines[after][0] == '400':
                ranges.append((int(lines[after][1]), int(lines[after][2]), lines[after][3]))
                after += 1
            rows, steps = streams.setdefault(block[:2], ([], set()))
            rows += day_rows(fields, 86400 // block[2], ranges, block[3], block[2])
            steps.add(block[2])
    return streams


def market(root):
    directions = {'E': 'import', 'B': 'export', 'Q': 'import_kvarh', 'K': 'export_kvarh'}
    for name, text, invalid in market_files(root):
        # one file has a record that is broken into three lines: it is refused, as the invalid ones are
        if invalid or b'100,NEM12' not in text or b'\n11,33,' in text:
            continue
        streams = market_streams(text)
        if len(streams) > 20:
            streams = dict(sorted(streams.items())[:4])
        for (nmi, stream), (rows, steps) in sorted(streams.items()):
            if len(steps) == 1:
                yield Meter('%s/%s//%s' % (name, nmi, stream), whole(rows), steps.pop(), directions[stream[0]], 'Australia/Brisbane', text,
                            'nem12', 'Australia/Brisbane', {'nmi': nmi, 'channels': [stream]})


def mixed(root):
    """The streams that change their step from one day to the next, as ([rows], file, nmi, stream)"""
    for name, text, invalid in market_files(root):
        if not invalid and b'100,NEM12' in text and b'\n11,33,' not in text:
            for (nmi, stream), (rows, steps) in market_streams(text).items():
                if len(steps) > 1:
                    yield name, text, nmi, stream, rows


def refused(root):
    """Names and bytes of the files that must be refused"""
    return [(name, text) for name, text, invalid in market_files(root) if invalid or b'\n11,33,' in text]


def meters(root):
    return [*london(root), *california(root), *green_button(root), *market(root)]
