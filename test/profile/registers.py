"""registers.py -- the NEM13 files of ../shared/data become readings; nine of their registers roll over"""
import csv
import json
import os
from datetime import datetime, timedelta, timezone
from decimal import Decimal

import data

METER = '''
WITH place AS (
    INSERT INTO elecbill.usage_point (org_id, code, location_id, kind)
    SELECT o.id, %(point)s, l.id, 'consumer' FROM elecbill.org o JOIN elecbill.service_location l ON l.org_id = o.id WHERE o.code = 'N13'
    RETURNING *
), device AS (
    INSERT INTO elecbill.meter (org_id, serial, model_id, kind)
    SELECT p.org_id, %(point)s || '-' || %(serial)s, m.id, 'manual' FROM place p, elecbill.meter_model m WHERE m.model = 'N13' RETURNING *
), register AS (
    INSERT INTO elecbill.meter_register (org_id, meter_id, code, wrap_wh)
    SELECT d.org_id, d.id, c, ('1e' || %(digits)s::integer + 3)::numeric FROM device d, unnest('{1.8.0,2.8.0}'::text[]) c
)
INSERT INTO elecbill.meter_installation (org_id, meter_id, usage_point_id, valid)
SELECT p.org_id, d.id, p.id, '[2000-01-01,)' FROM place p, device d'''

STORED = '''SELECT extract(epoch FROM r.read_at)::bigint, r.register_wh FROM elecbill.reading r
    JOIN elecbill.meter_register g ON g.id = r.register_id JOIN elecbill.meter_installation i ON i.meter_id = g.meter_id
    JOIN elecbill.usage_point u ON u.id = i.usage_point_id WHERE u.code = %s ORDER BY 1'''


def market_seconds(stamp):
    return int(datetime.strptime(stamp, '%Y%m%d%H%M%S').replace(tzinfo=timezone(timedelta(hours=10))).timestamp())


def streams(text):
    """{(nmi, channel): records 250}"""
    found = {}
    for fields in data.records(text):
        if fields[0] == '250':
            found.setdefault((fields[1], fields[4] or fields[3]), []).append(fields)
    return found


def expected(records):
    """{instant: Wh}; the first value of an instant counts"""
    values = {}
    for r in records:
        for at, value in (r[9], r[8]), (r[14], r[13]):
            values.setdefault(market_seconds(at), int(Decimal(value) * 1000))
    return sorted(values.items())


def registers(db, root):
    db.rows("SELECT elecbill.org_create('N13', 'N13', 'Australia/Brisbane', 'EUR')")
    db.rows("INSERT INTO elecbill.service_location (org_id, code, kind) SELECT id, 'HOUSE', 'residential' FROM elecbill.org WHERE code = 'N13'")
    db.rows("INSERT INTO elecbill.meter_model (vendor, model, protocol, digits, decimals) VALUES ('-', 'N13', 'manual', 5, 1)")
    number = 0
    for name, text, invalid in data.market_files(root):
        if invalid or b'NEM13' not in text[:12]:
            continue
        for (nmi, channel), records in sorted(streams(text).items()):
            number += 1
            point, digits = 'N%d' % number, len(records[0][8].split('.')[0])
            db.cursor.execute(METER, {'point': point, 'serial': records[0][6], 'digits': max(digits, 4)})
            state = db.rows("SELECT state FROM elecbill.import_intervals('N13', %s, 'nem13', %s, 'Australia/Brisbane', %s)",
                            point, text, json.dumps({'nmi': nmi, 'channels': [channel]}))[0][0]
            due = ('done', expected(records))
            db.check('%s %s %s' % (name, nmi, channel), (state, db.rows(STORED, point)) == due, (state, db.rows(STORED, point), due))
    db.check('every stream of NEM13', number > 70, number)
    rollovers(db, root)


def rollovers(db, root):
    """The energy of the files, by register_delta(); one went through more than a tenth of its register, and is held"""
    deltas = []
    with open(os.path.join(root, 'nem12_nem13', 'nem13_registers.csv'), newline='', encoding='utf-8') as file:
        for row in csv.DictReader(file):
            if row['class'] == 'rollover':
                wrap = 10 ** (int(row['register_digits']) + 3)
                before, now, quantity = (int(Decimal(row[name]) * 1000) for name in ('previous_read', 'current_read', 'quantity'))
                deltas.append((db.rows('SELECT elecbill.register_delta(%s, %s, %s, %s)', before, now, wrap, wrap // 10)[0][0], quantity))
    held = [quantity for delta, quantity in deltas if delta is None]
    db.check('nine rollovers', len(deltas) == 9 and held == [46461000] and all(d in (None, q) for d, q in deltas), deltas)
