-- session.sql: charging sessions as the driver reads the receipt; the numbers of OCPI's examples are theirs
BEGIN;
SELECT plan(36);
SET search_path = elecbill, public;

CREATE TEMP TABLE plan_of (name text PRIMARY KEY, tariff elecbill.tariff);
INSERT INTO plan_of VALUES
('site', '{"elecbill":1,"code":"cn-ev-site","currency":"CNY","zone":"Asia/Shanghai",
	"schedules":{"tou":[{"period":"peak","spans":[["10:00","15:00"],["18:00","21:00"]]},
		{"period":"flat","spans":[["07:00","10:00"],["15:00","18:00"],["21:00","23:00"]]},{"period":"valley","spans":[["23:00","07:00"]]}]},
	"components":[{"code":"energy","kind":"energy","price":{"period":{"peak":1,"flat":0.7,"valley":0.4}}},
		{"code":"service","kind":"energy","price":0.8},
		{"code":"idle","kind":"idle","price":0.5,"per":"minute","step_s":60,"grace_s":900,"cap":30}]}'),
('blocks', '{"elecbill":1,"currency":"EUR","zone":"Europe/Berlin","components":[
	{"code":"energy","kind":"energy","tier":{"scope":"session","steps":[{"up_to":20,"price":0.30},{"price":0.50,"flat":1}]}}]}'),
('members', '{"elecbill":1,"currency":"EUR","zone":"Europe/Berlin","components":[
	{"code":"energy","kind":"energy","price":0.5,"factor_if":[{"if":{"attr":{"card":"gold"}},"factor":0.8}]}]}');
INSERT INTO plan_of SELECT name, elecbill.tariff_from_ocpi(tariff::jsonb, 'Europe/Berlin') FROM (VALUES
('simple', '{"currency":"EUR","elements":[{"price_components":[{"type":"FLAT","price":0.5,"vat":20,"step_size":1},{"type":"ENERGY","price":0.25,"vat":10,"step_size":1}]}]}'),
('tenths', '{"currency":"EUR","elements":[{"price_components":[{"type":"FLAT","price":0.5,"vat":20,"step_size":1},{"type":"ENERGY","price":0.25,"vat":10,"step_size":100}]}]}'),
('by the hour', '{"currency":"EUR","elements":[
	{"price_components":[{"type":"TIME","price":1.2,"step_size":1800},{"type":"PARKING_TIME","price":1.0,"step_size":900}],"restrictions":{"start_time":"00:00","end_time":"17:00"}},
	{"price_components":[{"type":"TIME","price":2.4,"step_size":900},{"type":"PARKING_TIME","price":1.0,"step_size":900}],"restrictions":{"start_time":"17:00","end_time":"20:00"}},
	{"price_components":[{"type":"TIME","price":2.4,"step_size":900}],"restrictions":{"start_time":"20:00","end_time":"00:00"}}]}'),
('reserve', '{"currency":"EUR","elements":[
	{"price_components":[{"type":"FLAT","price":4.0,"vat":20,"step_size":1}],"restrictions":{"reservation":"RESERVATION_EXPIRES"}},
	{"price_components":[{"type":"TIME","price":3.0,"vat":20,"step_size":600}],"restrictions":{"reservation":"RESERVATION"}},
	{"price_components":[{"type":"FLAT","price":0.5,"vat":20,"step_size":1},{"type":"ENERGY","price":0.25,"vat":10,"step_size":1}]}]}'),
('least', '{"currency":"EUR","min_price":{"excl_vat":0.5,"incl_vat":0.55},"max_price":{"excl_vat":10,"incl_vat":11},
	"elements":[{"price_components":[{"type":"ENERGY","price":0.25,"vat":10,"step_size":1}]}]}'),
('half hour', '{"currency":"EUR","elements":[{"price_components":[{"type":"ENERGY","price":0,"step_size":1}],"restrictions":{"max_duration":1800}},
	{"price_components":[{"type":"ENERGY","price":0.25,"step_size":1}],"restrictions":{"max_duration":3600}},
	{"price_components":[{"type":"ENERGY","price":0.4,"step_size":1}]}]}'),
('fast', '{"currency":"EUR","elements":[{"price_components":[{"type":"ENERGY","price":0.2,"step_size":1}],"restrictions":{"max_power":16}},
	{"price_components":[{"type":"ENERGY","price":0.35,"step_size":1}],"restrictions":{"max_power":32}},{"price_components":[{"type":"ENERGY","price":0.5,"step_size":1}]}]}')) t (name, tariff);

-- a session in a few words: start, then [state, minutes, kWh] after each other
CREATE FUNCTION pg_temp.session(start timestamp, VARIADIC parts text[]) RETURNS jsonb LANGUAGE sql AS
$$ SELECT jsonb_build_object('start', to_char(start, 'YYYY-MM-DD"T"HH24:MI'), 'segments', jsonb_agg(jsonb_build_object('state', split_part(p, ' ', 1),
	'from', to_char(start + coalesce(b, 0) * interval '1 minute', 'YYYY-MM-DD"T"HH24:MI:SS'),
	'to', to_char(start + (coalesce(b, 0) + split_part(p, ' ', 2)::numeric) * interval '1 minute', 'YYYY-MM-DD"T"HH24:MI:SS'),
	'kwh', split_part(p, ' ', 3)::numeric) ORDER BY n))
	FROM (SELECT p, n, sum(split_part(p, ' ', 2)::numeric) OVER (ORDER BY n ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS b
		FROM unnest(parts) WITH ORDINALITY u (p, n)) x $$;
CREATE FUNCTION pg_temp.price(name text, session jsonb) RETURNS text LANGUAGE sql AS
$$ SELECT concat_ws(' / ', trim_scale(t.excl), trim_scale(t.incl)) FROM plan_of p, elecbill.session_total(p.tariff, session) t WHERE p.name = $1 $$;
CREATE FUNCTION pg_temp.receipt(name text, session jsonb) RETURNS text LANGUAGE sql AS
$$ SELECT string_agg(concat_ws(' ', code, period, 'tier ' || tier, trim_scale(quantity), unit, 'x', price, '=', amount), '; ' ORDER BY n)
	FROM plan_of p, elecbill.rate_session(p.tariff, session) WHERE p.name = $1 $$;

-- a charging site in China
SELECT is(pg_temp.price('site', pg_temp.session('2023-11-20 14:30', 'charge 120 20', 'idle 42.333333 0')), '45.5 / 45.5',
	'20 kWh from half past two, and the place given back 42 minutes 20 seconds late: 5.00 + 10.50 + 16.00 + 14.00');
SELECT is(pg_temp.receipt('site', pg_temp.session('2023-11-20 22:00', 'charge 600 30')),
	'energy flat 6 kwh x 0.7 = 4.20; energy valley 24 kwh x 0.4 = 9.60; service 30 kwh x 0.8 = 24.00', 'a night on the cable: valley from eleven to seven');
SELECT is(pg_temp.price('site', pg_temp.session('2023-11-20 14:30', 'idle 15 0')), '0 / 0', 'who leaves within the quarter of an hour pays nothing');
SELECT is(pg_temp.price('site', pg_temp.session('2023-11-20 14:30', 'idle 15.5 0')), '0.5 / 0.5', 'half a minute more is a minute');
SELECT is(pg_temp.price('site', pg_temp.session('2023-11-20 14:30', 'idle 600 0')), '30 / 30', 'a forgotten car pays 30 yuan and no more');
SELECT is(pg_temp.receipt('site', pg_temp.session('2023-11-20 14:30', 'idle 600 0')),
	'idle 585 minute x 0.5 = 292.50; idle 1 session x -262.5 = -262.50', 'and the receipt shows what the cap took off');
SELECT is(pg_temp.price('site', pg_temp.session('2023-11-20 14:30', 'charge 30 5', 'idle 10 0', 'charge 30 5', 'idle 10 0')),
	'19 / 19', 'the free time is one for the session: 5 of the 20 idle minutes are paid');

-- OCPI's examples
SELECT is(pg_temp.price('simple', pg_temp.session('2026-01-05 10:00', 'charge 60 20')), '5.5 / 6.1', 'start 0.50 + 20 kWh x 0.25; 20 % on the start, 10 % on the energy');
SELECT is(pg_temp.price('tenths', pg_temp.session('2026-01-05 10:00', 'charge 60 20.45')), '5.625 / 6.2375', '20.45 kWh in steps of 100 Wh are 20.5');
SELECT is(pg_temp.price('by the hour', pg_temp.session('2026-01-05 16:55', 'charge 10 0', 'idle 2 0')), '0.55 / 0.55', 'ten minutes over five o''clock, not stepped, then a quarter of an hour of parking');
SELECT is(pg_temp.price('by the hour', pg_temp.session('2026-01-05 16:35', 'charge 35 0')), '1.3 / 1.3', '35 minutes become 45, the ten more at the later price');
SELECT is(pg_temp.price('by the hour', pg_temp.session('2026-01-05 19:40', 'charge 12 0', 'idle 20 0')), '0.73 / 0.73', 'parking is free from eight, its last paid minutes are stepped');
SELECT is(pg_temp.price('by the hour', pg_temp.session('2026-01-05 19:40', 'charge 12 0')), '0.6 / 0.6', 'without parking the charge is stepped: a quarter of an hour');
SELECT is(pg_temp.price('by the hour', pg_temp.session('2026-01-05 20:30', 'charge 12 0', 'idle 20 0')), '0.6 / 0.6', 'parking that nobody pays for follows nothing: the charge is stepped');
SELECT is(pg_temp.price('half hour', pg_temp.session('2026-01-05 10:00', 'charge 30 5', 'charge 10 1.2')), '0.3 / 0.3', 'the first half hour is free');
SELECT is(pg_temp.price('half hour', pg_temp.session('2026-01-05 10:00', 'charge 120 12')), '3.15 / 3.15', 'also inside one long stretch: 3 free, 3 at 0.25, 6 at 0.40');
SELECT is(pg_temp.price('fast', jsonb_set(jsonb_set(jsonb_set(pg_temp.session('2026-01-05 10:00', 'charge 60 1', 'charge 60 40', 'charge 60 0.5'),
	'{segments,0,kw}', '6'), '{segments,1,kw}', '48'), '{segments,2,kw}', '4')), '20.3 / 20.3', 'slow power is cheaper: 1.5 kWh at 0.20, 40 at 0.50');

-- reservations
SELECT is(pg_temp.price('reserve', pg_temp.session('2026-01-05 10:00', 'reserve 22 0', 'charge 60 20')), '7 / 7.9', '22 minutes held are half an hour at 3.00, then the charge');
SELECT is(pg_temp.price('reserve', pg_temp.session('2026-01-05 10:00', 'reserve 60 0') || '{"expired":true}'), '7 / 8.4', 'who does not come pays the hour and 4.00');
SELECT is(pg_temp.price('reserve', pg_temp.session('2026-01-05 10:00', 'charge 60 20')), '5.5 / 6.1', 'who did not reserve pays neither');

-- limits
SELECT is(pg_temp.price('least', pg_temp.session('2026-01-05 10:00', 'charge 60 20')), '5 / 5.5', 'between the limits');
SELECT is(pg_temp.price('least', pg_temp.session('2026-01-05 10:00', 'charge 60 1')), '0.5 / 0.55', 'a sip of 1 kWh costs the least price, without and with tax');
SELECT is(pg_temp.price('least', pg_temp.session('2026-01-05 10:00', 'charge 60 100')), '10 / 11', 'and 100 kWh the most');

-- steps of the session, members
SELECT is(pg_temp.receipt('blocks', pg_temp.session('2026-01-05 10:00', 'charge 60 30')),
	'energy tier 1 20 kwh x 0.3 = 6.00; energy tier 2 10 kwh x 0.5 = 5.00; energy tier 2 1 session x 1 = 1.00', '20 kWh at 0.30, 10 at 0.50, and 1.00 for going on');
SELECT is(pg_temp.price('blocks', pg_temp.session('2026-01-05 10:00', 'charge 60 20')), '6 / 6', 'exactly 20 kWh do not go on');
SELECT is(pg_temp.price('members', pg_temp.session('2026-01-05 10:00', 'charge 60 10') || '{"attrs":{"card":"gold"}}'), '4 / 4', 'a fifth off for gold');
SELECT is(pg_temp.price('members', pg_temp.session('2026-01-05 10:00', 'charge 60 10')), '5 / 5', 'and nothing off without');

-- live
SELECT is((SELECT sum(i.incl) FROM plan_of p, generate_series(1, 12) n, LATERAL (SELECT pg_temp.session('2026-01-05 16:30', VARIADIC
	(SELECT array_agg('charge 7 1.234567'::text) FROM generate_series(1, n))) AS now, CASE WHEN n > 1 THEN pg_temp.session('2026-01-05 16:30', VARIADIC
	(SELECT array_agg('charge 7 1.234567'::text) FROM generate_series(1, n - 1))) END AS before) s,
	elecbill.session_increment(p.tariff, s.before, s.now) i WHERE p.name = 'tenths'),
	(SELECT t.incl FROM plan_of p, elecbill.session_total(p.tariff, pg_temp.session('2026-01-05 16:30', VARIADIC
	(SELECT array_agg('charge 7 1.234567'::text) FROM generate_series(1, 12)))) t WHERE p.name = 'tenths'),
	'what the display added up every seven minutes is the receipt, to the last digit');

-- clocks
SELECT is(pg_temp.price('by the hour', pg_temp.session('2026-10-25 01:00', 'charge 15 0')), '0.6 / 0.6', 'a quarter of an hour in the night the clock goes back: stepped to half an hour');
SELECT is((SELECT trim_scale(quantity) FROM plan_of, elecbill.rate_session(tariff, '{"segments":[{"from":"2026-10-25T01:00","to":"2026-10-25T04:00"}]}')
	WHERE name = 'by the hour'), 4.0, 'from one to four that night are four hours');
SELECT is((SELECT trim_scale(quantity) FROM plan_of, elecbill.rate_session(tariff, '{"segments":[{"from":"2026-03-29T01:00","to":"2026-03-29T04:00"}]}')
	WHERE name = 'by the hour'), 2.0, 'and two in spring');

-- complaints
SELECT throws_ok($$ SELECT pg_temp.price('simple', '{"segments":[{"from":"2026-01-05T10:00","to":"2026-01-05T11:00","kwh":5},{"from":"2026-01-05T10:30","to":"2026-01-05T11:30","kwh":5}]}') $$,
	'UB400', 'segment overlaps the one before it', 'nobody is charged twice for half an hour');
SELECT throws_ok($$ SELECT pg_temp.price('simple', '{"segments":[{"from":"2026-01-05T11:00","to":"2026-01-05T10:00","kwh":5}]}') $$,
	'UB400', 'segment must not end before it begins', 'time does not run backwards');
SELECT throws_ok($$ SELECT pg_temp.price('simple', '{"segments":[{"from":"2026-01-05T10:00","to":"2026-01-05T11:00","kwh":-5}]}') $$,
	'UB400', 'energy of a segment must not be negative', 'and energy does not either');
SELECT throws_ok($$ SELECT pg_temp.price('simple', '{"segments":[{"from":"2026-01-05T10:00","to":"2026-01-05T11:00","kWh":5}]}') $$,
	'UB400', 'unknown key "kWh" in segment 1', 'a misspelt key is not a free charge');
SELECT throws_ok($$ SELECT elecbill.tariff_from_ocpi('{"currency":"EUR","elements":[{"price_components":[{"type":"ENERGY","price":1}],"restrictions":{"max_soc":80}}]}', 'UTC') $$,
	'0A000', 'the OCPI tariff cannot be written as a tariff', 'what a tariff cannot say is refused by name');

SELECT * FROM finish();
ROLLBACK;
