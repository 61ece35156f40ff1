-- import_market: NEM12, NEM13 and Green Button files, and what is wrong with them
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CALL elecbill.create_schema();
RESET client_min_messages;
SELECT elecbill.org_create('Q', 'Queensland', 'Australia/Brisbane', 'AUD'), elecbill.org_create('V', 'Victoria', 'Australia/Melbourne', 'AUD');
INSERT INTO elecbill.service_location (org_id, code, kind) SELECT id, 'HOUSE', 'residential' FROM elecbill.org;
INSERT INTO elecbill.usage_point (org_id, code, location_id, kind)
SELECT l.org_id, p, l.id, 'consumer' FROM elecbill.service_location l, unnest('{P1,P2,P3,P4,M1,M2}'::text[]) p;

CREATE FUNCTION pg_temp.load(point text, format text, file text, options jsonb DEFAULT '{}', mode text DEFAULT 'all_or_nothing', org text DEFAULT 'Q')
RETURNS TABLE (what text, line integer, field text, message text) LANGUAGE plpgsql AS $$
DECLARE
	job elecbill.import_job;
BEGIN
	SELECT j.* INTO job FROM elecbill.import_intervals(org, point, format, convert_to(file, 'UTF8'), 'Australia/Brisbane', options, mode) j;
	what := job.state;
	message := format('given %s = stored %s, duplicate %s, conflict %s, missing %s; rounded %s, ignored %s, errors %s',
		job.given, job.stored, job.duplicate, job.conflict, job.missing, job.rounded, job.ignored, job.errors);
	RETURN NEXT;
	RETURN QUERY SELECT e.code, e.line, e.field, e.message FROM elecbill.import_row_error e WHERE e.job_id = job.id ORDER BY e.n;
END $$;
CREATE FUNCTION pg_temp.nem12(body text) RETURNS text LANGUAGE sql RETURN E'100,NEM12,202501011200,MDP,RET\r\n' || body || E'900\r\n';
-- 200 and 300 records: stream, unit, minutes; day, one value for all, quality
CREATE FUNCTION pg_temp.r200(stream text, unit text DEFAULT 'kWh', minutes integer DEFAULT 30, nmi text DEFAULT 'NMI1') RETURNS text
LANGUAGE sql RETURN format(E'200,%s,E1,1,%s,N1,METER1,%s,%s,\r\n', nmi, stream, unit, minutes);
CREATE FUNCTION pg_temp.r300(day text, wh text, quality text, n integer DEFAULT 48) RETURNS text
LANGUAGE sql RETURN format(E'300,%s,%s%s,,,20250102,\r\n', day, repeat(wh || ',', n), quality);

-- every stream of a NMI, units in any case, 400 records, null values, others ignored
SELECT * FROM pg_temp.load('P1', 'nem12', pg_temp.nem12(pg_temp.r200('E1') || pg_temp.r300('20250101', '.1', 'A') || pg_temp.r300('20250102', '1.0004', 'V')
	|| E'400,1,20,A,,\n400,21,24,E52,,\n400,25,40,S14,1,why\n400,41,47,F15,,\n400,48,48,N,,\n500,O,S1,20250102,1.5\n'
	|| pg_temp.r200('B1', 'WH') || pg_temp.r300('20250101', '7', 'A') || pg_temp.r200('Q1', 'MVARH', 1440) || pg_temp.r300('20250101', '0.001', 'E52', 1)
	|| pg_temp.r200('K1', 'kvarh', 720) || pg_temp.r300('20250101', '2', 'N', 2) || pg_temp.r200('V1', '', 10) || pg_temp.r300('20250101', '230', 'A', 144)));
SELECT to_char(day, 'YYYY-MM-DD') AS day, profile FROM elecbill.profile_export('Q', 'P1');
-- two streams of a direction, two NMIs: name them
\set two 'pg_temp.nem12(pg_temp.r200(\'E1\') || pg_temp.r300(\'20250101\', \'1\', \'A\') || pg_temp.r200(\'E2\') || pg_temp.r300(\'20250101\', \'2\', \'A\') || pg_temp.r200(\'E1\', nmi => \'NMI2\') || pg_temp.r300(\'20250101\', \'3\', \'A\'))'
SELECT * FROM pg_temp.load('P2', 'nem12', :two);
SELECT * FROM pg_temp.load('P2', 'nem12', :two, '{"nmi": "NMI1"}', 'skip_bad');
SELECT * FROM pg_temp.load('P2', 'nem12', :two, '{"nmi": "NMI3", "channels": ["B1"]}');
SELECT * FROM pg_temp.load('P2', 'nem12', :two, '{"nmi": "NMI1", "channels": ["e2"]}');
SELECT profile FROM elecbill.profile_export('Q', 'P2');
-- a meter whose step changes at a midnight of the market, which is none in Melbourne in summer
SELECT * FROM pg_temp.load('P1', 'nem12', pg_temp.nem12(pg_temp.r200('E1') || pg_temp.r300('20250101', '2', 'A') || pg_temp.r200('E1', minutes => 15)
	|| pg_temp.r300('20250102', '1', 'A', 96)), org => 'V');
SELECT to_char(day, 'YYYY-MM-DD') AS day, profile FROM elecbill.profile_export('V', 'P1');
SELECT * FROM pg_temp.load('P1', 'nem12', pg_temp.nem12(pg_temp.r200('E1') || pg_temp.r300('20250101', '2', 'A') || pg_temp.r200('E1', minutes => 15)
	|| pg_temp.r300('20250102', '1', 'A', 96)), '{"channels": ["E1"]}', org => 'V');
-- blocks that overlap
SELECT * FROM pg_temp.load('P2', 'nem12', pg_temp.nem12(pg_temp.r200('E1') || pg_temp.r300('20250101', '2', 'A') || pg_temp.r200('E1', minutes => 720)
	|| pg_temp.r300('20250101', '1', 'A', 2)), org => 'V');

-- what is wrong with a file
SELECT * FROM pg_temp.load('P3', 'nem12', '');
SELECT * FROM pg_temp.load('P3', 'nem12', E'100,NEM13,,,\n900\n');
SELECT * FROM pg_temp.load('P3', 'nem12', pg_temp.r200('E1') || pg_temp.r300('20250101', '1', 'A'));
SELECT * FROM pg_temp.load('P3', 'nem12', pg_temp.nem12(pg_temp.r300('20250101', '1', 'A') || E'250,x\n100,NEM12\n400,1,48,A,,\n') || 'x"');
SELECT * FROM pg_temp.load('P3', 'nem12', pg_temp.nem12(
	pg_temp.r200('E1', 'kvarh') || pg_temp.r300('20250101', '1', 'A') || pg_temp.r200('B1', minutes => 7) || pg_temp.r300('20250101', '1', 'A')
	|| E'200,,,,E1,,,kWh,30\n' || pg_temp.r300('20250101', '1', 'A') || E'200,NMI1,,,,,,kWh,30\n' || pg_temp.r300('20250101', '1', 'A')));
SELECT * FROM pg_temp.load('P3', 'nem12', pg_temp.nem12(pg_temp.r200('E1') || pg_temp.r300('20250131', '1', 'A')
	|| pg_temp.r300('20250230', '1', 'A') || pg_temp.r300('20250101', '1', 'A', 47) || pg_temp.r300('20250102', '1', 'X') || pg_temp.r300('20250103', '', 'A', 48)
	|| pg_temp.r300('20250104', '1', 'V') || E'400,1,20,A,,\n400,22,48,A,,\n' || pg_temp.r300('20250105', '1', 'V') || pg_temp.r300('20250106', '1', 'V') || E'400,1,48,V,,\n'
	|| pg_temp.r300('20250107', '1', 'A') || E'400,1,48,A,,\n' || pg_temp.r300('20250108', '-1', 'A')), mode => 'skip_bad')
WHERE field IS DISTINCT FROM 'interval 2' AND (field IS NULL OR field !~ '[3-9]|[1-4][0-9]');
SELECT to_char(day, 'YYYY-MM-DD') AS day, profile FROM elecbill.profile_export('Q', 'P3');

-- NEM13: registers; a meter of five digits
INSERT INTO elecbill.meter_model (vendor, model, protocol, digits, decimals) VALUES ('V', 'M', 'manual', 5, 1);
INSERT INTO elecbill.meter (org_id, serial, model_id, kind) SELECT o.id, 'Q-13042', m.id, 'manual' FROM elecbill.org o, elecbill.meter_model m WHERE o.code = 'Q';
INSERT INTO elecbill.meter_register (org_id, meter_id, code, wrap_wh) SELECT org_id, id, c, 100000000 FROM elecbill.meter, unnest('{1.8.0,2.8.0}'::text[]) c;
INSERT INTO elecbill.meter_installation (org_id, meter_id, usage_point_id, valid)
SELECT m.org_id, m.id, u.id, '[2004-01-01,)' FROM elecbill.meter m JOIN elecbill.usage_point u ON u.org_id = m.org_id AND u.code = 'M1';
CREATE FUNCTION pg_temp.nem13(body text) RETURNS text LANGUAGE sql RETURN E'100,NEM13,202501011200,MDP,RET\n' || body || E'900\n';
CREATE FUNCTION pg_temp.r250(before text, before_at text, now text, now_at text, kwh text, channel text DEFAULT '11', way text DEFAULT 'E', quality text DEFAULT 'A',
	unit text DEFAULT 'kWh', serial text DEFAULT '13042') RETURNS text
LANGUAGE sql RETURN format(E'250,NMI1,%1$s,1,%1$s,%1$s,%9$s,%7$s,%2$s,%3$s,A,,,%4$s,%5$s,%8$s,,,%6$s,%10$s,20250519, 20250218104410,\n550,N,,A,\n',
	channel, before, before_at, now, now_at, kwh, way, quality, serial, unit);
SELECT * FROM pg_temp.load('M1', 'nem13', pg_temp.nem13(pg_temp.r250('99890', '20041117093206', '02034.0019', '20050217074053', '2144.0019')
	|| pg_temp.r250('02034.0019', '20050217074053', '2200', '20050417000000', '100', quality => 'E64') || pg_temp.r250('10', '20041117093206', '30', '20050217074053', '-20', '12', 'I')));
SELECT * FROM pg_temp.load('M1', 'nem13', pg_temp.nem13(pg_temp.r250('02034.0019', '20050217074053', '2201', '20050417000000', '166.9981', serial => '99')
	|| pg_temp.r250('2100', '20050517000000', '2150', '20050617000000', '50') || pg_temp.r250('150', '20250517000000', '2150', '20990617000000', '50')), mode => 'skip_bad');
SELECT g.code, to_char(r.read_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS') AS read_at, r.register_wh, r.quality, r.source
FROM elecbill.reading r JOIN elecbill.meter_register g ON g.id = r.register_id ORDER BY 1, 2;
SELECT direction, step_s, stored_wh, offered_wh, line FROM elecbill.import_conflict WHERE step_s IS NULL;
SELECT * FROM pg_temp.load('M1', 'nem13', pg_temp.nem13(pg_temp.r250('x', '20041117093206', '02034', '2005021707405', '2144') || pg_temp.r250('1', '20041117093206', '-2', '20050217074053', '3', quality => 'N')
	|| pg_temp.r250('100000', '20041117093206', '1', '20050217074053', '3', unit => 'kvarh') || pg_temp.r250('100000', '20041117093206', '1', '20050217074053', '3', way => 'X')
	|| pg_temp.r250('100000', '20041117093206', '1', '19990217074053', '3')), mode => 'skip_bad');
SELECT * FROM pg_temp.load('M2', 'nem13', pg_temp.nem13(pg_temp.r250('1', '20041117093206', '2', '20050217074053', '1')));
SELECT * FROM pg_temp.load('M1', 'nem13', pg_temp.nem13(pg_temp.r250('1', '20041117093206', '2', '20050217074053', '1') || pg_temp.r250('1', '20041117093206', '2', '20050217074053', '1', '41')));

-- a register of twelve digits, at its end; behind what multiplier it may stand
INSERT INTO elecbill.meter_model (vendor, model, protocol, digits, decimals) VALUES ('V', 'BIG', 'manual', 12, 2);
INSERT INTO elecbill.meter (org_id, serial, model_id, kind) SELECT o.id, 'Q-BIG', m.id, 'manual' FROM elecbill.org o, elecbill.meter_model m WHERE o.code = 'Q' AND m.model = 'BIG';
INSERT INTO elecbill.meter_register (org_id, meter_id, code, wrap_wh) SELECT org_id, id, '1.8.0', 1000000000000000 FROM elecbill.meter WHERE serial = 'Q-BIG';
INSERT INTO elecbill.meter_installation (org_id, meter_id, usage_point_id, multiplier, valid)
SELECT m.org_id, m.id, u.id, 5000, '[2004-01-01,)' FROM elecbill.meter m JOIN elecbill.usage_point u ON u.org_id = m.org_id AND u.code = 'P4' WHERE m.serial = 'Q-BIG';
INSERT INTO elecbill.meter_installation (org_id, meter_id, usage_point_id, multiplier, valid)
SELECT m.org_id, m.id, u.id, 4000, '[2004-01-01,)' FROM elecbill.meter m JOIN elecbill.usage_point u ON u.org_id = m.org_id AND u.code = 'P4' WHERE m.serial = 'Q-BIG';
SELECT * FROM pg_temp.load('P4', 'nem13', pg_temp.nem13(pg_temp.r250('999999999999.00', '20041222000001', '000000000009.00', '20041228000001', '10.000', serial => 'BIG')));
SELECT energy_wh, quality FROM elecbill.interval_usage WHERE usage_point = 'P4';

-- Green Button
CREATE FUNCTION pg_temp.espi(readings text, kind text DEFAULT '<powerOfTenMultiplier>0</powerOfTenMultiplier><flowDirection>1</flowDirection><uom>72</uom>', more text DEFAULT '')
RETURNS text LANGUAGE sql RETURN format($$<?xml version="1.0" encoding="UTF-8"?>
<feed xmlns="http://www.w3.org/2005/Atom"><entry><link rel="self" href="/R/1"/><link rel="related" href="/R/1/IntervalBlock"/><link rel="related" href="/T/1"/>
<content><MeterReading xmlns="http://naesb.org/espi"/></content></entry>
<entry><link rel="self" href="/T/1"/><content><ReadingType xmlns="http://naesb.org/espi">%s</ReadingType></content></entry>
<entry><link rel="up" href="/R/1/IntervalBlock"/><content><e:IntervalBlock xmlns:e="http://naesb.org/espi"><e:interval><e:duration>86400</e:duration><e:start>1735740000</e:start></e:interval>%s</e:IntervalBlock></content></entry>
%s</feed>$$, kind, (SELECT string_agg(replace(replace(r, '<', '<e:'), '<e:/', '</e:'), '') FROM unnest(ARRAY[readings]) r), more);
CREATE FUNCTION pg_temp.reading(start bigint, value text, duration text DEFAULT '3600', more text DEFAULT '') RETURNS text
LANGUAGE sql RETURN format('<IntervalReading>%s<timePeriod><duration>%s</duration><start>%s</start></timePeriod><value>%s</value></IntervalReading>', more, duration, start, value);
-- the block begins at midnight in Brisbane and at 01:00 in Melbourne: its last hour is of the next day
\set day '(SELECT string_agg(pg_temp.reading(1735740000 + 3600 * i, (100 + i)::text, more => CASE i WHEN 3 THEN \'<ReadingQuality><quality>8</quality></ReadingQuality>\' WHEN 5 THEN \'<ReadingQuality><quality>7</quality></ReadingQuality><ReadingQuality><quality>14</quality></ReadingQuality>\' ELSE \'\' END), \'\') FROM generate_series(0, 23) i)'
SELECT * FROM pg_temp.load('P4', 'espi', pg_temp.espi(:day));
SELECT * FROM pg_temp.load('P4', 'espi', pg_temp.espi(:day), org => 'V');
SELECT to_char(day, 'YYYY-MM-DD') AS day, profile FROM elecbill.profile_export('Q', 'P4') UNION ALL SELECT to_char(day, 'YYYY-MM-DD'), profile FROM elecbill.profile_export('V', 'P4');
SELECT * FROM pg_temp.load('P4', 'espi', pg_temp.espi(pg_temp.reading(1735740000, '12345', '1800'), '<powerOfTenMultiplier>-1</powerOfTenMultiplier><flowDirection>19</flowDirection><uom>73</uom>'), org => 'V');
SELECT profile FROM elecbill.profile_export('V', 'P4') WHERE elecbill.profile_direction(profile) = 'export_kvarh';
-- faults
SELECT * FROM pg_temp.load('P4', 'espi', pg_temp.espi(pg_temp.reading(1735740000, 'x') || pg_temp.reading(1735743600, '1', '7') || pg_temp.reading(1735736400, '1')
	|| pg_temp.reading(1735822800, '1', '7200') || pg_temp.reading(1735747200, '-1') || pg_temp.reading(NULL, '1')), mode => 'skip_bad');
SELECT * FROM pg_temp.load('P4', 'espi', pg_temp.espi(:day, '<flowDirection>4</flowDirection><uom>72</uom>'));
SELECT * FROM pg_temp.load('P4', 'espi', pg_temp.espi(:day, '<accumulationBehaviour>3</accumulationBehaviour><powerOfTenMultiplier>x</powerOfTenMultiplier><uom>72</uom>'));
SELECT * FROM pg_temp.load('P4', 'espi', pg_temp.espi(:day, '<powerOfTenMultiplier>x</powerOfTenMultiplier><uom>72</uom>'));
\set second '<entry><link rel="self" href="/R/2"/><link rel="related" href="/R/2/IntervalBlock"/><link rel="related" href="/T/1"/><content><MeterReading xmlns="http://naesb.org/espi"/></content></entry><entry><link rel="up" href="/R/2/IntervalBlock"/><content><IntervalBlock xmlns="http://naesb.org/espi"/></content></entry><entry><link rel="up" href="/R/3/IntervalBlock"/><content><IntervalBlock xmlns="http://naesb.org/espi"/></content></entry>'
SELECT * FROM pg_temp.load('P4', 'espi', pg_temp.espi(:day, more => :'second'));
SELECT * FROM pg_temp.load('P4', 'espi', pg_temp.espi(:day, more => replace(:'second', '/R/3', '/R/2')), '{"channels": ["/R/2", "/R/9"]}');
SELECT * FROM pg_temp.load('P4', 'espi', '<feed><entry></feed>');
SELECT * FROM pg_temp.load('P4', 'espi', '<?xml version="1.0" encoding="ISO-8859-1"?><feed/>');
SELECT * FROM pg_temp.load('P4', 'espi', '<feed/>');
SELECT state FROM elecbill.import_intervals('Q', 'P4', 'espi', '\xff00');
SELECT code, message FROM elecbill.import_row_error ORDER BY job_id DESC LIMIT 1;
