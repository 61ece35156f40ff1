-- session.sql: charging sessions
\pset null '(null)'
SET timezone = 'Asia/Shanghai';
SET datestyle = 'ISO';
CREATE TABLE t (name text PRIMARY KEY, tariff elecbill.tariff);
INSERT INTO t VALUES
('site', '{"elecbill":1,"code":"cn-ev-site","currency":"CNY","zone":"Asia/Shanghai",
	"schedules":{"tou":[{"period":"peak","spans":[["10:00","15:00"],["18:00","21:00"]]},
		{"period":"flat","spans":[["07:00","10:00"],["15:00","18:00"],["21:00","23:00"]]},
		{"period":"valley","spans":[["23:00","07:00"]]}]},
	"components":[
		{"code":"energy","kind":"energy","name":{"zh":"电费","en":"Energy"},"price":{"period":{"peak":1,"flat":0.7,"valley":0.4}}},
		{"code":"service","kind":"energy","price":0.8},
		{"code":"idle","kind":"idle","price":0.5,"per":"minute","step_s":60,"grace_s":900,"cap":30}]}'),
('taxed', '{"elecbill":1,"currency":"EUR","zone":"Europe/Berlin","components":[
		{"code":"start","kind":"session_flat","price":0.5,"vat":20},
		{"code":"energy","kind":"energy","price":0.25,"vat":10},
		{"code":"time","kind":"session_time","price":2.4,"step_s":900,"vat":20},
		{"code":"parking","kind":"idle","price":5,"step_s":300,"vat":20},
		{"code":"least","kind":"minimum","scope":"session","amount":4,"amount_incl":5}]}'),
('clock', '{"elecbill":1,"currency":"EUR","zone":"Europe/Berlin","round":{"line":null},"components":[
		{"code":"night","kind":"session_time","lane":"t","price":1,"when":{"time":["22:00","06:00"]}},
		{"code":"day","kind":"session_time","lane":"t","price":2}]}'),
('spot', '{"elecbill":1,"currency":"EUR","zone":"Europe/Berlin","round":{"line":null},
	"series":{"spot":[["2026-01-05T10:00:00Z",0.1],["2026-01-05T11:00:00Z",0.3]],
		"daily":[["2026-01-05",1],["2026-01-06",2]],
		"monthly":{"by":"bill_month","points":[["2026-01-01",5],["2026-02-01",6]]}},
	"components":[{"code":"energy","kind":"energy","price":{"series":"spot"}},
		{"code":"grid","kind":"energy","price":{"series":"daily"}},
		{"code":"month","kind":"session_flat","price":{"series":"monthly"}}]}'),
('member', '{"elecbill":1,"currency":"EUR","components":[
		{"code":"gold","kind":"energy","lane":"e","price":0.2,"when":{"attr":{"member":"gold"}}},
		{"code":"guest","kind":"energy","lane":"e","price":0.5},
		{"code":"fast","kind":"energy","price":0.1,"when":{"kw":{"ge":50}}},
		{"code":"amps","kind":"session_time","price":1,"when":{"amp":{"ge":32}}}]}');
CREATE FUNCTION lines(name text, session jsonb) RETURNS TABLE (code text, grp text, period text, quantity numeric,
	unit text, price numeric, amount numeric) LANGUAGE sql AS
$$ SELECT l.code, l.grp, l.period, l.quantity, l.unit, l.price, l.amount
	FROM t, elecbill.rate_session(t.tariff, session) l WHERE t.name = lines.name ORDER BY l.n $$;

-- every column
\x on
SELECT l.* FROM t, elecbill.rate_session(tariff, '{"segments":[{"from":"2023-11-20T14:30","to":"2023-11-20T16:30","kwh":20}]}') l
WHERE name = 'site' AND n = 1;
\x off
-- 20 kWh over two hours, the place given back after 42 min 20 s: 5.00 + 10.50 + 16.00 + 14.00 = 45.50
SELECT * FROM lines('site', '{"start":"2023-11-20T14:30","segments":[
	{"from":"2023-11-20T14:30","to":"2023-11-20T16:30","kwh":20,"state":"charge"},
	{"from":"2023-11-20T16:30","to":"2023-11-20T17:12:20","state":"idle"}]}');
SELECT s.* FROM t, elecbill.session_total(tariff, '{"segments":[
	{"from":"2023-11-20T14:30","to":"2023-11-20T16:30","kwh":20},
	{"from":"2023-11-20T16:30","to":"2023-11-20T17:12:20","state":"idle"}]}') s WHERE name = 'site';
SELECT l.label FROM t, elecbill.rate_session(tariff, '{"lang":"en","segments":[
	{"from":"2023-11-20T14:30","to":"2023-11-20T14:40","kwh":1}]}') l WHERE name = 'site' AND code = 'energy';

-- tax by rate; minimum without and with tax; lines of tax have group vat
SELECT * FROM lines('taxed', '{"segments":[
	{"from":"2026-01-05T16:35+01","to":"2026-01-05T17:10+01","kwh":20},
	{"from":"2026-01-05T17:10+01","to":"2026-01-05T17:12+01","state":"idle"}]}');
SELECT * FROM lines('taxed', '{"segments":[{"from":"2026-01-05T16:35+01","to":"2026-01-05T16:36+01","kwh":1}]}');
SELECT s.*, (SELECT sum(amount) FILTER (WHERE grp <> 'vat') = s.excl AND sum(amount) = s.incl
	FROM elecbill.rate_session(tariff, session)) AS lines_say_so
FROM t, (VALUES ('{"segments":[{"from":"2026-01-05T16:35+01","to":"2026-01-05T16:36+01","kwh":1}]}'::jsonb)) v(session),
	elecbill.session_total(tariff, session) s WHERE name = 'taxed';

-- the night the clock is set back has nine hours from 22:00 to 06:00, the night it is set forward seven
SELECT * FROM lines('clock', '{"segments":[{"from":"2026-10-24T21:00","to":"2026-10-25T07:00","kwh":0}]}');
SELECT * FROM lines('clock', '{"segments":[{"from":"2026-03-28T21:00","to":"2026-03-29T07:00","kwh":0}]}');

-- series: by the instant, by the day, and by the month in which the session starts
SELECT * FROM lines('spot', '{"segments":[{"from":"2026-01-05T11:30","to":"2026-01-05T12:30","kwh":4}]}');
SELECT * FROM lines('spot', '{"segments":[{"from":"2026-01-05T23:00","to":"2026-01-06T01:00","kwh":4}]}');
SELECT code, price FROM lines('spot', '{"segments":[{"from":"2026-01-31T23:00","to":"2026-02-01T01:00","kwh":4}]}') WHERE code = 'month';
SELECT * FROM lines('spot', '{"segments":[{"from":"2026-01-05T10:30","to":"2026-01-05T12:30","kwh":4}]}');

-- attributes, power that is given and power that follows, gaps
SELECT * FROM lines('member', '{"attrs":{"member":"gold"},"segments":[
	{"from":"2026-01-05T10:00","to":"2026-01-05T10:30","kwh":25,"amp":31.999999},
	{"from":"2026-01-05T10:30","to":"2026-01-05T11:00","kwh":24.999999,"amp":32}]}');
SELECT code, quantity, quality FROM t, elecbill.rate_session(tariff, '{"segments":[
	{"from":"2026-01-05T10:00","to":"2026-01-05T10:30","kwh":2,"kw":50,"amp":1},
	{"from":"2026-01-05T10:31","to":"2026-01-05T11:00","kwh":2,"kw":49.9,"amp":1}]}') WHERE name = 'member';

-- increments of a session that grows add up to the last digit
CREATE TABLE live (n int, session jsonb);
INSERT INTO live SELECT n, jsonb_build_object('start', '2026-01-05T16:35+01', 'segments',
	(SELECT jsonb_agg(jsonb_build_object('from', at, 'to', at + interval '7 minutes 13 seconds', 'kwh', 1.000001 * i,
		'state', CASE WHEN i > 6 THEN 'idle' ELSE 'charge' END) ORDER BY i)
	FROM generate_series(1, n) i, LATERAL (SELECT '2026-01-05T16:35+01'::timestamptz + i * interval '7 minutes 13 seconds') a(at)))
FROM generate_series(1, 9) n;
SELECT live.n, i.* FROM t, live LEFT JOIN live b ON b.n = live.n - 1,
	elecbill.session_increment(tariff, b.session, live.session) i WHERE name = 'taxed' ORDER BY 1;
SELECT sum(i.excl) = total.excl AND sum(i.incl) = total.incl AS telescopes, total.*
FROM t, live LEFT JOIN live b ON b.n = live.n - 1, elecbill.session_increment(tariff, b.session, live.session) i,
	(SELECT s.* FROM t, live, elecbill.session_total(tariff, session) s WHERE name = 'taxed' AND n = 9) total
WHERE name = 'taxed' GROUP BY total.excl, total.incl;
SELECT i.* FROM t, live, elecbill.session_increment(tariff, session, session) i WHERE name = 'taxed' AND n = 4;
SELECT i.* FROM t, live, elecbill.session_increment(tariff, session, NULL) i WHERE name = 'taxed' AND n = 4;
SELECT i.* FROM t, live a, live b, elecbill.session_increment(tariff, a.session, b.session) i
WHERE name = 'taxed' AND a.n = 4 AND b.n = 3;
SELECT i.* FROM t, live a, elecbill.session_increment(tariff, a.session, jsonb_set(a.session, '{start}', '"2026-01-05T16:34+01"')) i
WHERE name = 'taxed' AND a.n = 4;

-- free idle time makes the begun step of the charge void: an increment may be negative
INSERT INTO t VALUES ('steps', '{"elecbill":1,"currency":"EUR","components":[
		{"code":"time","kind":"session_time","price":2.4,"step_s":900},{"code":"parking","kind":"idle","price":0}]}');
SELECT i.* FROM t, elecbill.session_increment(tariff, '{"segments":[{"from":"2026-01-05T10:00","to":"2026-01-05T10:01"}]}',
	'{"segments":[{"from":"2026-01-05T10:00","to":"2026-01-05T10:01"},{"from":"2026-01-05T10:01","to":"2026-01-05T10:02","state":"idle"}]}') i
WHERE name = 'steps';

-- the same in the other zones and styles of a session
SET timezone = 'America/New_York';
SET datestyle = 'SQL, DMY';
SELECT s.* FROM t, elecbill.session_total(tariff, '{"segments":[
	{"from":"2023-11-20T14:30","to":"2023-11-20T16:30","kwh":20},
	{"from":"2023-11-20T16:30","to":"2023-11-20T17:12:20","state":"idle"}]}') s WHERE name = 'site';
RESET timezone;
RESET datestyle;

-- a bill of the same tariff has the energy alone
SELECT code, quantity, amount FROM t, elecbill.rate(tariff, elecbill.usage_from(tariff, '{"import_kwh":{"peak":5,"flat":15}}')) WHERE name = 'site';

-- a tariff that changes: the version that holds when the session starts
INSERT INTO t VALUES ('versions', '{"elecbill":1,"versions":[
	{"version":1,"valid":["2025-01-01","2026-01-01"],"tariff":{"elecbill":1,"currency":"EUR","zone":"Europe/Berlin","components":[
		{"code":"energy","kind":"energy","price":1}]}},
	{"version":7,"valid":["2026-01-01",null],"tariff":{"elecbill":1,"currency":"EUR","zone":"Europe/Berlin","components":[
		{"code":"start","kind":"session_flat","price":1},{"code":"energy","kind":"energy","price":2,"vat":10}]}}]}');
SELECT began, l.code, l.amount, l.version FROM t, unnest('{2025-12-31T23:00,2026-01-01T00:00}'::text[]) began, elecbill.rate_session(tariff,
	jsonb_build_object('segments', jsonb_build_array(jsonb_build_object('from', began, 'to', '2026-01-01T01:00', 'kwh', 4)))) l
WHERE name = 'versions' ORDER BY began, l.n;

-- what is refused
CREATE FUNCTION refused(session jsonb, name text DEFAULT 'member') RETURNS text LANGUAGE plpgsql AS $$
DECLARE message text; detail text; hint text;
BEGIN
	PERFORM elecbill.session_total(t.tariff, session) FROM t WHERE t.name = refused.name;
	RETURN 'taken';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
	RETURN concat_ws(' | ', sqlstate, message, nullif(detail, ''), nullif(hint, ''));
END $$;
SELECT refused(s::jsonb) FROM unnest(ARRAY[
	'[]', '3', '{}', '{"segments":[]}', '{"segments":{}}', '{"segments":[3]}', '{"segments":[null]}',
	'{"segment":[]}', '{"segments":[{"from":"2026-01-05T10:00","til":"2026-01-05T11:00"}]}',
	'{"segments":[{"to":"2026-01-05T11:00"}]}',
	'{"segments":[{"from":"yesterday","to":"2026-01-05T11:00"}]}',
	'{"segments":[{"from":20260105,"to":"2026-01-05T11:00"}]}',
	'{"segments":[{"from":"2026-01-05T10:00","to":"2999-01-05T11:00"}]}',
	'{"segments":[{"from":"2026-01-05T11:00","to":"2026-01-05T10:00"}]}',
	'{"segments":[{"from":"2026-01-05T11:00","to":"2026-01-05T11:00"}]}',
	'{"segments":[{"from":"2026-01-05T10:00","to":"2026-01-05T11:00"},{"from":"2026-01-05T10:59:59.999999","to":"2026-01-05T12:00"}]}',
	'{"segments":[{"from":"2026-01-05T10:00","to":"2026-01-05T11:00"},{"from":"2026-01-05T09:00","to":"2026-01-05T10:00"}]}',
	'{"start":"2026-01-05T10:01","segments":[{"from":"2026-01-05T10:00","to":"2026-01-05T11:00"}]}',
	'{"start":true,"segments":[{"from":"2026-01-05T10:00","to":"2026-01-05T11:00"}]}',
	'{"segments":[{"from":"2026-01-05T10:00","to":"2026-01-05T11:00","kwh":-1}]}',
	'{"segments":[{"from":"2026-01-05T10:00","to":"2026-01-05T11:00","kwh":"much"}]}',
	'{"segments":[{"from":"2026-01-05T10:00","to":"2026-01-05T11:00","kwh":0.0000001}]}',
	'{"segments":[{"from":"2026-01-05T10:00","to":"2026-01-05T11:00","kwh":1e17}]}',
	'{"segments":[{"from":"2026-01-05T10:00","to":"2026-01-05T11:00","kw":-1}]}',
	'{"segments":[{"from":"2026-01-05T10:00","to":"2026-01-05T11:00","state":"parked"}]}',
	'{"segments":[{"from":"2026-01-05T10:00","to":"2026-01-05T11:00","state":"reserve","kwh":1}]}',
	'{"segments":[{"from":"2026-01-05T10:00","to":"2026-01-05T11:00"},{"from":"2026-01-05T11:00","to":"2026-01-05T12:00","state":"reserve"}]}',
	'{"expired":true,"segments":[{"from":"2026-01-05T10:00","to":"2026-01-05T11:00"}]}',
	'{"expired":1,"segments":[{"from":"2026-01-05T10:00","to":"2026-01-05T11:00"}]}',
	'{"attrs":[],"segments":[{"from":"2026-01-05T10:00","to":"2026-01-05T11:00"}]}',
	'{"lang":1,"segments":[{"from":"2026-01-05T10:00","to":"2026-01-05T11:00"}]}',
	'{"segments":[{"from":"2026-01-05T10:00","to":"2026-01-05T11:00","kwh":1}]}',
	'{"segments":[{"from":"2026-01-05T10:00","to":"2026-01-05T11:00","amp":10}]}']) s;
SELECT refused(jsonb_build_object('segments', (SELECT jsonb_agg('{}'::jsonb) FROM generate_series(1, 100001))));
INSERT INTO t VALUES
('bills', '{"elecbill":1,"currency":"EUR","components":[{"code":"fee","kind":"fixed","price":1}]}'),
('monthly', '{"elecbill":1,"currency":"EUR","components":[{"code":"e","kind":"energy","tier":{"scope":"month","steps":[{"up_to":5,"price":1},{"price":2}]}}]}'),
('huge', '{"elecbill":1,"currency":"EUR","components":[{"code":"e","kind":"energy","price":9000000000}]}'),
('old', '{"elecbill":1,"currency":"EUR","components":[{"code":"e","kind":"energy","price":1,"valid":[null,"2026-01-01"]}]}');
SELECT name, refused('{"segments":[{"from":"2026-01-05T10:00","to":"2026-01-05T11:00","kwh":9e12}]}', name)
FROM unnest('{bills,monthly,old,huge}'::text[]) name;
SELECT refused('{"segments":[{"from":"2024-12-31T10:00","to":"2026-01-05T11:00","kwh":1}]}', 'versions');
SELECT refused('{"segments":[{"from":"2026-01-05T10:00","to":"2026-01-05T11:00","kwh":9e12},{"from":"2026-01-05T11:00","to":"2026-01-05T12:00","kwh":9e12}]}');

INSERT INTO t SELECT 'doubled', jsonb_build_object('elecbill', 1, 'currency', 'EUR', 'components',
	jsonb_build_array('{"code":"e","kind":"energy","price":1}'::jsonb) || jsonb_agg(jsonb_build_object('code', 'p' || i, 'kind', 'percent', 'percent', 1, 'per_line', true)))
FROM generate_series(1, 21) i;
SELECT refused('{"segments":[{"from":"2026-01-05T10:00","to":"2026-01-05T11:00","kwh":9}]}', 'doubled');
-- more prices than fit at first: each hour of four days has its own
INSERT INTO t SELECT 'hours', jsonb_build_object('elecbill', 1, 'currency', 'EUR', 'components', jsonb_agg(jsonb_build_object('code', 'h' || i, 'kind', 'energy',
	'price', i, 'lane', 'e', 'when', jsonb_build_object('seconds', jsonb_build_object('ge', i * 3600, 'lt', i * 3600 + 3600)))))
FROM generate_series(0, 95) i;
SELECT count(*), sum(quantity), sum(amount) FROM t, elecbill.rate_session(tariff, '{"segments":[{"from":"2026-01-05","to":"2026-01-09","kwh":96}]}') WHERE name = 'hours';

-- NULL gives NULL, and many of them go to workers
SELECT elecbill.session_total(NULL, '{}') IS NULL AS none, (SELECT count(*) FROM elecbill.rate_session(NULL, '{}')) AS no_rows;
SELECT provolatile, proparallel, proisstrict FROM pg_proc WHERE proname IN ('rate_session', 'session_total', 'session_increment') ORDER BY proname;
