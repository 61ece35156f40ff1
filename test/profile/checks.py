"""checks.py -- what must hold of profiles that were made of the rows in meter_row"""
import io
import json

from tariffs import tariffs

SCHEMA = '''
CREATE TABLE meter_row (meter text, at timestamptz, wh bigint, quality integer, step_s integer, direction text, zone text);
CREATE TABLE meter_profile (meter text, direction text, zone text, profile elecbill.load_profile);
CREATE TABLE day_profile (meter text, zone text, day date, profile elecbill.load_profile);
CREATE TABLE billed (point text, way text, usage text, lines text);
CREATE FUNCTION lines(tariff elecbill.tariff, usage elecbill.usage_summary) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    -- a tariff may ask for what a meter does not measure: that is an answer, too
    RETURN coalesce((SELECT string_agg(l::text, E'\\n' ORDER BY l.n) FROM elecbill.rate(tariff, usage) l), 'nothing');
EXCEPTION WHEN SQLSTATE 'UB404' OR SQLSTATE 'UB400' THEN
    RETURN SQLERRM;
END $$'''

MAKE = '''
TRUNCATE meter_profile, day_profile;
INSERT INTO meter_profile
SELECT meter, direction, zone, elecbill.load_profile_agg(at, wh, make_interval(secs => step_s), quality, direction ORDER BY md5(at::text))
FROM meter_row GROUP BY meter, direction, zone;
INSERT INTO day_profile
SELECT meter, zone, (at AT TIME ZONE zone)::date, elecbill.load_profile_agg(at, wh, make_interval(secs => step_s), quality, direction)
FROM meter_row GROUP BY meter, direction, zone, 3;
ANALYZE meter_profile, day_profile'''

ROWS = 'SELECT meter, at, wh, quality FROM meter_row'
VALUES = 'SELECT p.meter, v.at, v.energy_wh, v.quality FROM {0} p, elecbill.profile_values({1}) v WHERE v.energy_wh IS NOT NULL'
FORMS = {'as it is': 'p.profile', 'as text': 'p.profile::text::elecbill.load_profile', 'as jsonb': 'p.profile::jsonb::elecbill.load_profile'}


def round_trip(db, what):
    """Rows in any order become profiles, and come back from each of their forms"""
    db.rows(MAKE)
    for table in 'meter_profile', 'day_profile':
        for form, profile in FORMS.items():
            values = VALUES.format(table, profile)
            db.nothing('%s: %s %s loses nothing' % (what, table, form), '%s EXCEPT ALL %s LIMIT 3' % (ROWS, values))
            db.nothing('%s: %s %s adds nothing' % (what, table, form), '%s EXCEPT ALL %s LIMIT 3' % (values, ROWS))
    db.nothing('%s: sums' % what, '''
        SELECT p.meter FROM meter_profile p
        JOIN (SELECT meter, sum(wh) AS wh, count(*) AS n, max(wh) AS most FROM meter_row GROUP BY meter) r USING (meter)
        WHERE (elecbill.profile_sum(p.profile), elecbill.profile_count(p.profile) - elecbill.profile_missing(p.profile),
               (elecbill.profile_max(p.profile)).energy_wh) IS DISTINCT FROM (r.wh, r.n::integer, r.most)''')
    db.nothing('%s: a day is that slice of the whole' % what, '''
        SELECT d.meter, d.day FROM day_profile d JOIN meter_profile m USING (meter)
        WHERE elecbill.profile_slice(m.profile, elecbill.profile_during(d.profile))::text <> d.profile::text LIMIT 3''')
    binary(db, what)


def binary(db, what):
    db.rows('CREATE TABLE again (LIKE meter_profile)')
    stream = io.BytesIO()
    db.cursor.copy_expert('COPY meter_profile TO STDOUT (FORMAT binary)', stream)
    stream.seek(0)
    db.cursor.copy_expert('COPY again FROM STDIN (FORMAT binary)', stream)
    db.nothing('%s: binary COPY' % what, '''
        SELECT a.meter FROM again a FULL JOIN meter_profile p USING (meter)
        WHERE a.profile = p.profile IS NOT TRUE OR a.profile::text <> p.profile::text LIMIT 3''')
    db.rows('DROP TABLE again')


# A point may have meters of several directions: FAMILY//DIRECTION
BILL = '''
INSERT INTO billed
SELECT u.point, u.way, coalesce(u.usage::text, 'none'), lines(%(tariff)s::elecbill.tariff, u.usage)
FROM (SELECT split_part(meter, '//', 1) AS point, 'rows' AS way,
             elecbill.usage(%(tariff)s::elecbill.tariff, at, wh, make_interval(secs => step_s), direction) AS usage
      FROM meter_row WHERE zone = %(zone)s GROUP BY 1
      UNION ALL
      SELECT split_part(meter, '//', 1), 'profile', elecbill.usage(%(tariff)s::elecbill.tariff, profile)
      FROM meter_profile WHERE zone = %(zone)s GROUP BY 1
      UNION ALL
      SELECT split_part(meter, '//', 1), 'days', elecbill.usage(%(tariff)s::elecbill.tariff, profile)
      FROM day_profile WHERE zone = %(zone)s GROUP BY 1) u'''


def bills(db, what, days='day_profile'):
    """usage() and rate() by rows, by one profile and by a profile for each day; days: the table that has them"""
    zones = [zone for zone, in db.rows('SELECT DISTINCT zone FROM meter_row')]
    points = db.rows("SELECT count(DISTINCT split_part(meter, '//', 1)) FROM meter_row")[0][0]
    for code in tariffs('UTC'):
        db.rows('TRUNCATE billed')
        for zone in zones:
            db.cursor.execute(BILL.replace('day_profile', days), {'tariff': json.dumps(tariffs(zone)[code]), 'zone': zone})
        billed = db.rows("SELECT count(*), count(*) FILTER (WHERE lines LIKE '%energy%') FROM billed")[0]
        db.check('%s: all are billed on tariff %s, in three ways' % (what, code), billed[0] == 3 * points and billed[1] > 0, billed)
        for column in 'usage', 'lines':
            db.nothing('%s: %s on tariff %s' % (what, column, code), '''
                SELECT b.point, b.way, r.{0}, b.{0} FROM billed r JOIN billed b USING (point)
                WHERE r.way = 'rows' AND b.way <> 'rows' AND b.{0} <> r.{0} LIMIT 2'''.format(column))
