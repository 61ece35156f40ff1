"""packed.py -- the meters of ../shared/data as registers that a collector read, before and after packing

interval_usage, unpack() and the bills must say the same of a day whether it is packed or not. Behind a gap
the register is read anew with flag 512: the energy over the gap is not known.
"""
import io
import json
from datetime import date, datetime, timezone
from zoneinfo import ZoneInfo

from tariffs import tariffs

CODES = {'import': '1.8.0', 'export': '2.8.0'}
TABLES = '''
CREATE TABLE register_meter (meter text, account text, register_id bigint, org_id integer);
CREATE TABLE seen (packed boolean, point text, register text, from_at timestamptz, to_at timestamptz, energy_wh bigint, quality integer);
CREATE TABLE simulated (packed boolean, account text, month date, tariff text, lines text)'''

# Older than import_estate() allows, so by hand: point, meter, registers, installation, agreement
METER = '''
WITH place AS (
    INSERT INTO elecbill.usage_point (org_id, code, location_id, kind)
    SELECT o.id, %(point)s, l.id, 'consumer' FROM elecbill.org o JOIN elecbill.service_location l ON l.org_id = o.id WHERE o.code = %(org)s
    RETURNING *
), device AS (
    INSERT INTO elecbill.meter (org_id, serial, model_id, kind, interval_s)
    SELECT p.org_id, %(org)s || '-' || %(point)s, m.id, 'smart', %(step_s)s FROM place p, elecbill.meter_model m RETURNING *
), register AS (
    INSERT INTO elecbill.meter_register (org_id, meter_id, code, wrap_wh)
    SELECT d.org_id, d.id, c, 1000000000000 FROM device d, unnest('{1.8.0,2.8.0}'::text[]) c RETURNING *
), installation AS (
    INSERT INTO elecbill.meter_installation (org_id, meter_id, usage_point_id, valid)
    SELECT p.org_id, d.id, p.id, tstzrange(%(since)s, NULL) FROM place p, device d
)
INSERT INTO register_meter SELECT %(meter)s, %(org)s || '/' || %(point)s, r.id, r.org_id FROM register r WHERE r.code = %(code)s'''


def stamp(seconds):
    return datetime.fromtimestamp(seconds, timezone.utc)


def install(db, meters):
    """An org for each zone, a point, a meter and an account for each meter; returns the orgs"""
    orgs = {zone: 'R%d' % n for n, zone in enumerate(sorted({m.zone for m in meters}))}
    db.rows("INSERT INTO elecbill.meter_model (vendor, model, protocol, digits, decimals) VALUES ('-', 'R', 'dlt645', 9, 3)")
    for zone, org in orgs.items():
        db.rows("SELECT elecbill.org_create(%s, %s, %s, 'EUR')", org, org, zone)
        db.rows("INSERT INTO elecbill.service_location (org_id, code, kind) SELECT id, 'HOUSE', 'residential' FROM elecbill.org WHERE code = %s", org)
        db.rows("SELECT elecbill.tariff_approve(%s, elecbill.tariff_draft(%s, '[2000-01-01,)', %s, 'writer'), 'checker')",
                org + '/T', org + '/T', json.dumps({**tariffs(zone)['tier'], 'code': 'T'}))
    for n, meter in enumerate(meters):
        org, point, since = orgs[meter.zone], 'R%d' % n, stamp(meter.rows[0][0])
        db.cursor.execute(METER, {'org': org, 'point': point, 'meter': meter.name, 'step_s': meter.step_s, 'code': CODES[meter.direction], 'since': since})
        db.rows("SELECT elecbill.agreement_start(%s, %s, %s, 'person', %s, 'T', %s)", org, point, point, point,
                since.astimezone(ZoneInfo(meter.zone)).date())
    return sorted(orgs.values())


def readings(db, meters):
    """Registers that count up from 0"""
    ids = {meter: (register, org) for meter, register, org in db.rows('SELECT meter, register_id, org_id FROM register_meter')}
    text, months = io.StringIO(), set()
    for meter in meters:
        register, org = ids[meter.name]
        total, until = 0, None
        for start, wh, quality in meter.rows:
            marks = [(start, total, 512)] if start != until else []
            total, until = total + wh, start + meter.step_s
            for at, value, flags in [*marks, (until, total, quality)]:
                text.write('%d\t%s\t%d\t%s\t%d\t%d\t0\n' % (register, stamp(at).isoformat(), value, stamp(at).isoformat(), org, flags))
                months.add(date(stamp(at).year, stamp(at).month, 1))
    for month in sorted(months):
        db.rows('SELECT elecbill._reading_partition(%s)', month)
    text.seek(0)
    db.cursor.copy_expert('COPY elecbill.reading (register_id, read_at, register_wh, slot_at, org_id, quality, source) FROM STDIN', text)
    db.rows('ANALYZE elecbill.reading, elecbill.meter_register, elecbill.meter_installation, elecbill.usage_point')


def look(db, packed):
    """What people and bills see"""
    db.rows('''INSERT INTO seen SELECT %s, v.org || '/' || v.usage_point, v.register, v.from_at, v.to_at, v.energy_wh, v.quality
        FROM elecbill.interval_usage v JOIN register_meter r ON r.account = v.org || '/' || v.usage_point''', packed)
    for zone, org in db.rows("SELECT zone, code FROM elecbill.org WHERE code ~ '^R[0-9]+$' ORDER BY 2"):
        for code in 'tier', 'tou', 'demand':
            db.rows('''INSERT INTO simulated
                SELECT %s, m.account, m.month, %s, (SELECT string_agg(l::text, E'\\n' ORDER BY l.n)
                    FROM elecbill.simulate_bill(m.account, daterange(greatest(m.month, m.since), least((m.month + interval '1 month')::date, m.until)), %s) l)
                FROM (SELECT a.*, generate_series(date_trunc('month', a.since::timestamp), a.until - 1, interval '1 month')::date AS month
                      FROM (SELECT r.account, (min(w.at) AT TIME ZONE w.zone)::date AS since,
                                (max(w.at + make_interval(secs => w.step_s)) AT TIME ZONE w.zone)::date AS until
                            FROM meter_row w JOIN register_meter r USING (meter) WHERE w.zone = %s AND w.direction = 'import'
                            GROUP BY r.account, w.zone) a) m''',
                    packed, code, json.dumps({**tariffs(zone)[code], 'code': 'T'}), zone)


def packed(db, meters):
    meters = [m for m in meters if m.direction in CODES]
    db.rows(TABLES)
    orgs = install(db, meters)
    readings(db, meters)
    look(db, False)
    rows = '''SELECT r.account, w.at, w.at + make_interval(secs => w.step_s), w.wh FROM meter_row w JOIN register_meter r USING (meter)'''
    seen = 'SELECT point, from_at, to_at, energy_wh FROM seen WHERE packed = {} AND energy_wh IS NOT NULL'
    db.nothing('readings are the rows', '(%s EXCEPT ALL %s LIMIT 3) UNION ALL (%s EXCEPT ALL %s LIMIT 3)' % (rows, seen.format(False), seen.format(False), rows))
    for org in orgs:
        db.rows('CALL elecbill.pack_profiles(%s)', org)
    db.rows('ANALYZE elecbill.profile_day, elecbill.pack_queue, elecbill.pack_point')
    look(db, True)
    db.rows('CREATE INDEX ON seen (point, from_at)')
    db.rows('ANALYZE seen')
    days = db.rows('''SELECT count(*), count(*) FILTER (WHERE exact) FROM elecbill.profile_day p JOIN elecbill.usage_point u ON u.id = p.usage_point_id
        JOIN elecbill.org o ON o.id = u.org_id JOIN register_meter r ON r.account = o.code || '/' || u.code WHERE p.origin = 0''')[0]
    # whole days of the rows, the local day of the change of the clock among them
    whole = db.rows('''SELECT count(*) FROM (SELECT r.account, w.zone, (w.at AT TIME ZONE w.zone)::date AS day, sum(w.step_s) AS s
        FROM meter_row w JOIN register_meter r USING (meter) GROUP BY 1, 2, 3) d
        WHERE d.s = extract(epoch FROM elecbill.day_start(d.day + 1, d.zone) - elecbill.day_start(d.day, d.zone))''')[0][0]
    db.check('whole days are packed', days[0] == days[1] >= whole > 2000, (days, whole))
    both = '''SELECT point, register, from_at, to_at, energy_wh, quality FROM seen WHERE packed = {}'''
    db.nothing('packing loses nothing', both.format(False) + ' EXCEPT ALL ' + both.format(True) + ' LIMIT 3')
    db.nothing('packing adds nothing', both.format(True) + ' EXCEPT ALL ' + both.format(False) + ' LIMIT 3')
    db.nothing('unpack() gives the intervals of the day', '''
        SELECT o.code, u.code, p.day FROM elecbill.profile_day p JOIN elecbill.usage_point u ON u.id = p.usage_point_id JOIN elecbill.org o ON o.id = u.org_id
        JOIN register_meter r ON r.account = o.code || '/' || u.code
        CROSS JOIN LATERAL (SELECT md5(string_agg(x::text, ',' ORDER BY x.slot_at)) AS got
            FROM elecbill.unpack(o.code, u.code, p.day, elecbill.profile_direction(p.profile)) x) x
        CROSS JOIN LATERAL (SELECT md5(string_agg((s.from_at, s.to_at, s.energy_wh, s.quality)::text, ',' ORDER BY s.from_at)) AS due FROM seen s
            WHERE NOT s.packed AND s.point = r.account AND s.register = CASE p.direction WHEN 0 THEN '1.8.0' ELSE '2.8.0' END
                AND tstzrange(s.from_at, s.to_at) <@ elecbill.profile_during(p.profile)) s
        WHERE p.origin = 0 AND ((p.day - date '2000-01-01') % 8 = 0 OR elecbill.profile_missing(p.profile) > 0
            OR upper(elecbill.profile_during(p.profile)) - lower(elecbill.profile_during(p.profile)) <> interval '24 hours')
            AND x.got IS DISTINCT FROM s.due LIMIT 3''')
    bills = db.rows('SELECT count(*) FROM simulated WHERE packed AND lines IS NOT NULL')[0][0]
    db.check('bills of every month', bills >= 3 * 80, bills)
    db.nothing('bills from profiles are those from readings', '''SELECT a.account, a.month, a.tariff, a.lines, b.lines FROM simulated a
        FULL JOIN simulated b ON b.packed AND (b.account, b.month, b.tariff) = (a.account, a.month, a.tariff)
        WHERE NOT a.packed AND a.lines IS DISTINCT FROM b.lines LIMIT 2''')
    db.nothing('fsck', 'SELECT * FROM elecbill.fsck() LIMIT 5')
