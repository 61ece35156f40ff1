-- rate.sql: bills as the customer reads them; each number was worked out by hand or is published
BEGIN;
SELECT plan(35);
SET search_path = elecbill, public;

CREATE TEMP TABLE plan_of (name text PRIMARY KEY, tariff elecbill.tariff);
INSERT INTO plan_of VALUES
('three steps', '{"elecbill":1,"currency":"CNY","zone":"Asia/Shanghai","components":[{"code":"energy","kind":"energy",
	"tier":{"steps":[{"up_to":200,"price":0.5},{"up_to":400,"price":0.6},{"price":0.8}]}}]}'),
('day and night', '{"elecbill":1,"currency":"CNY","zone":"Asia/Shanghai",
	"schedules":{"tou":[{"period":"peak","spans":[["08:00","22:00"]]},{"period":"valley"}]},
	"components":[{"code":"energy","kind":"energy","price":{"period":{"peak":0.7,"valley":0.4}}}]}'),
('Zhejiang', '{"elecbill":1,"currency":"CNY","zone":"Asia/Shanghai",
	"schedules":{"tou":[{"period":"peak","spans":[["08:00","22:00"]]},{"period":"valley"}]},
	"components":[{"code":"energy","kind":"energy","price":{"period":{"peak":0.568,"valley":0.288}},
		"tier":{"mode":"adder","scope":"year","allowance":[{"attr":"persons","at_least":5,"add":100}],
			"steps":[{"up_to":2760,"price":0},{"up_to":4800,"price":0.05},{"price":0.3}]}}]}'),
('Beijing', '{"elecbill":1,"currency":"CNY","zone":"Asia/Shanghai","components":[{"code":"energy","kind":"energy",
	"tier":{"scope":"year","steps":[{"up_to":2880,"price":0.4883},{"up_to":4800,"price":0.5383},{"price":0.7883}]}}]}'),
('Guangzhou', '{"elecbill":1,"currency":"CNY","zone":"Asia/Shanghai","seasons":{"summer":[["05-01","11-01"]]},
	"components":[{"code":"energy","kind":"energy","tier":{"scope":"month","steps":[
		{"up_to":{"season":{"summer":260,"*":200}},"price":0.589},
		{"up_to":{"season":{"summer":600,"*":400}},"price":0.639},{"price":0.889}]}}]}'),
('Taiwan', '{"elecbill":1,"currency":"TWD","zone":"Asia/Taipei","components":[{"code":"energy","kind":"energy",
	"tier":{"prorate":"months","steps":[{"up_to":120,"price":1.78},{"up_to":330,"price":2.26},{"price":3.13}]}}]}'),
('moved in', '{"elecbill":1,"currency":"CNY","zone":"Asia/Shanghai","round":{"line":null,"total":{"step":0.01}},
	"components":[{"code":"energy","kind":"energy","tier":{"prorate":"days",
		"steps":[{"up_to":200,"price":0.5},{"up_to":400,"price":0.6},{"price":0.8}]}}]}'),
('Tokyo 10 A', '{"elecbill":1,"currency":"JPY","minor_unit":0,"zone":"Asia/Tokyo",
	"round":{"quantity":{"step":1},"line":null,"total":{"step":1,"mode":"floor"}},"components":[
	{"code":"basic","kind":"fixed","price":{"attr":"ampere","of":{"10":286,"60":1716}},
		"factor_if":[{"if":{"qty":{"import_kwh":{"le":0}}},"factor":0.5}]},
	{"code":"energy","kind":"energy","tier":{"steps":[{"up_to":120,"price":19.88},{"up_to":300,"price":26.48},{"price":30.57}]}},
	{"code":"least","kind":"minimum","amount":231.55}]}'),
('Malaysia', '{"elecbill":1,"currency":"MYR","zone":"Asia/Kuala_Lumpur","components":[
	{"code":"energy","kind":"energy","tier":{"mode":"volume","steps":[{"up_to":200,"price":0.218},{"up_to":1500,"price":0.334},{"price":0.516}]}},
	{"code":"retail","kind":"fixed","price":10,"when":{"qty":{"import_kwh":{"gt":600}}}},
	{"code":"levy","kind":"percent","percent":1.6,"base":["energy"],"when":{"qty":{"import_kwh":{"gt":300}}}},
	{"code":"tax","kind":"percent","percent":8,"base":["energy"],"share_above":{"import_kwh":600}}]}'),
('raised', '{"elecbill":1,"currency":"CNY","zone":"Asia/Shanghai","components":[
	{"code":"old","kind":"energy","price":0.5,"valid":[null,"2024-04-11"]},
	{"code":"new","kind":"energy","price":0.56,"valid":["2024-04-11",null]}]}');

CREATE FUNCTION pg_temp.total(name text, usage jsonb, ctx jsonb DEFAULT '{}') RETURNS numeric LANGUAGE sql AS
$$ SELECT elecbill.rate_total(p.tariff, elecbill.usage_from(p.tariff, usage), ctx) FROM plan_of p WHERE p.name = $1 $$;
CREATE FUNCTION pg_temp.lines(name text, usage jsonb, ctx jsonb DEFAULT '{}') RETURNS text LANGUAGE sql AS
$$ SELECT string_agg(concat_ws(' ', code, period, 'tier ' || tier, trim_scale(quantity), 'x', price, '=', amount), '; ' ORDER BY n)
   FROM plan_of p, elecbill.rate(p.tariff, elecbill.usage_from(p.tariff, usage), ctx) WHERE p.name = $1 $$;

-- the seeds
SELECT is(pg_temp.total('three steps', '{"import_kwh":150}'), 75.00, '150 kWh stay in the first step: 150 x 0.5');
SELECT is(pg_temp.total('three steps', '{"import_kwh":300}'), 160.00, '300 kWh: 200 x 0.5 + 100 x 0.6');
SELECT is(pg_temp.total('three steps', '{"import_kwh":500}'), 300.00,
	'500 kWh: 200 x 0.5 + 200 x 0.6 + 100 x 0.8; the seed prints 360, its formula gives 300');
SELECT is(pg_temp.total('three steps', '{"import_kwh":200.01}'), 100.01, 'the first hundredth of a kWh above the bound costs 0.006, the bill shows 100.01');
SELECT is(pg_temp.total('three steps', '{"import_kwh":0}'), 0.00, 'an empty flat pays nothing');
SELECT is(pg_temp.lines('three steps', '{"import_kwh":0}'), 'energy tier 1 0 x 0.5 = 0.00', 'and its bill still shows the energy');
SELECT is(pg_temp.total('day and night', '{"import_kwh":{"peak":100,"valley":50}}'), 90.00, '100 kWh by day, 50 by night');
SELECT is(pg_temp.total('day and night', '{"import_kwh":{"peak":200,"valley":100}}'), 180.00, '200 kWh by day, 100 by night');

-- yearly steps
SELECT is(pg_temp.lines('Zhejiang', '{"during":["2024-12-01","2025-01-01"],"import_kwh":{"peak":150,"valley":100}}', '{"before":{"year":4700}}'),
	'energy peak 150 x 0.568 = 85.20; energy valley 100 x 0.288 = 28.80; energy tier 2 100 x 0.05 = 5.00; energy tier 3 150 x 0.3 = 45.00',
	'4700 kWh earlier in the year: 100 kWh still in step 2, 150 in step 3, on top of day and night prices');
SELECT is(pg_temp.total('Zhejiang', '{"during":["2024-12-01","2025-01-01"],"import_kwh":{"peak":30,"valley":20}}', '{"before":{"year":3950},"attrs":{"persons":5}}'),
	24.80, 'a household of five has 1200 kWh more in the year: 17.04 + 5.76 + 2.00');
SELECT is(pg_temp.total('Zhejiang', '{"during":["2024-12-01","2025-01-01"],"import_kwh":{"peak":30,"valley":20}}', '{"before":{"year":3950},"attrs":{"persons":4}}'),
	25.30, 'a household of four has not: 17.04 + 5.76 + 50 x 0.05');
SELECT is(pg_temp.total('Beijing', '{"during":["2024-10-01","2024-11-01"],"import_kwh":300}', '{"before":{"year":2800}}'),
	157.49, 'Beijing, 300 kWh after 2800: 80 x 0.4883 + 220 x 0.5383');
SELECT is(pg_temp.total('Beijing', '{"during":["2024-01-01","2025-01-01"],"import_kwh":2881}'), 1406.84, 'Beijing, 2881 kWh in a year');
SELECT throws_ok($$SELECT pg_temp.total('Beijing', '{"import_kwh":300}')$$, 'UB404', NULL, 'a yearly tariff wants to know the dates');

-- seasons, days, months
SELECT is(pg_temp.total('Guangzhou', '{"during":["2024-07-01","2024-08-01"],"import_kwh":300}'), 178.70, 'Guangzhou in July: 260 x 0.589 + 40 x 0.639');
SELECT is(pg_temp.total('Guangzhou', '{"during":["2024-02-01","2024-03-01"],"import_kwh":300}'), 181.70, 'Guangzhou in February: 200 x 0.589 + 100 x 0.639');
SELECT is(pg_temp.total('Taiwan', '{"during":["2024-02-01","2024-04-01"],"import_kwh":700}'), 1501.60,
	'a bill for two months has twice the bounds: 240 x 1.78 + 420 x 2.26 + 40 x 3.13');
SELECT is(pg_temp.total('moved in', '{"during":["2024-06-11","2024-07-01"],"import_kwh":150}'), 76.67,
	'who moved in on the 11th has 20/30 of the bounds: 133.333333 x 0.5 + 16.666667 x 0.6');
SELECT is(pg_temp.total('raised', '{"during":["2024-04-01","2024-05-01"],"import_kwh":300}'), 162.00,
	'a price that rises on the 11th, without interval data: 10 of 30 days old, 20 new');
SELECT is((SELECT string_agg(DISTINCT quality, ',') FROM plan_of, elecbill.rate(tariff, elecbill.usage_from(tariff, '{"during":["2024-04-01","2024-05-01"],"import_kwh":300}')) WHERE name = 'raised'),
	'estimated', 'and the bill says that these kWh are shared, not read');

-- Japan
SELECT is(pg_temp.total('Tokyo 10 A', '{"import_kwh":0}', '{"attrs":{"ampere":10}}'), 231::numeric, 'nothing used: half the basic charge, then at least 231.55, then whole yen');
SELECT is(pg_temp.total('Tokyo 10 A', '{"import_kwh":0.4}', '{"attrs":{"ampere":10}}'), 286::numeric, '0.4 kWh are no kWh on the bill, but not nothing: the whole basic charge');
SELECT is(pg_temp.total('Tokyo 10 A', '{"import_kwh":300.5}', '{"attrs":{"ampere":60}}'), 8898::numeric, '300.5 kWh are billed as 301: 1716 + 2385.6 + 4766.4 + 30.57, floor');
SELECT throws_ok($$SELECT pg_temp.total('Tokyo 10 A', '{"import_kwh":1}')$$, 'UB404', NULL, 'no ampere known, no bill');

-- Malaysia
SELECT is(pg_temp.total('Malaysia', '{"import_kwh":300}'), 100.20, '300 kWh: all at 0.334, no levy, no retail charge, no tax');
SELECT is(pg_temp.lines('Malaysia', '{"import_kwh":800}'),
	'energy tier 2 800 x 0.334 = 267.20; retail 1 x 10 = 10.00; levy 267.2 x 1.6 = 4.28; tax 267.2 x 8 = 5.34',
	'800 kWh: retail charge above 600, levy above 300, tax on the quarter of the bill above 600 kWh');

-- a customer can add it up himself
SELECT ok(bool_and(abs(quantity * price * factor / CASE WHEN unit = 'percent' THEN 100 ELSE 1 END - amount_raw) < 0.00001)
	AND bool_and(amount = round(amount_raw, 2)), 'each line is quantity x price x factor, rounded to the fen')
FROM plan_of, elecbill.rate(tariff, elecbill.usage_from(tariff, '{"import_kwh":812.345}')) WHERE name = 'Malaysia';
SELECT is((SELECT sum(amount) FROM plan_of, elecbill.rate(tariff, elecbill.usage_from(tariff, '{"import_kwh":812.345}')) WHERE name = 'Malaysia'),
	pg_temp.total('Malaysia', '{"import_kwh":812.345}'), 'the total is the sum of the lines');

-- readings through a whole day: the interval that crosses 08:00 is cut
SELECT is((SELECT elecbill.rate_total(tariff, (SELECT elecbill.usage(tariff, during, kwh) FROM (VALUES
		(tstzrange('2024-06-03 07:30+08', '2024-06-03 08:30+08'), 1::numeric)) r(during, kwh)))
	FROM plan_of WHERE name = 'day and night'), 0.55, '1 kWh from 07:30 to 08:30: half by night, half by day');
SELECT is((SELECT sum(amount) FROM elecbill.tier_lines(500, '{200,400}', '{0.5,0.6,0.8}')), 300.0, 'the steps explained add up to the charge');
SELECT is(elecbill.allocate(100, '{1,1,1}'), '{33.34,33.33,33.33}', 'three neighbours share 100 yuan to the fen');

-- prepaid: charged reading by reading, the sum is the bill
CREATE TEMP TABLE reading AS SELECT n, usage_from(p.tariff, jsonb_build_object('import_kwh', kwh)) AS so_far, p.tariff
FROM plan_of p, (VALUES (1, 120), (2, 199.99), (3, 200.01), (4, 450)) AS r(n, kwh) WHERE p.name = 'three steps';
SELECT is(string_agg(rate_increment(tariff, before, so_far)::text, ', ' ORDER BY n), '60.00, 40.00, 0.01, 159.99',
	'readings at 120, 199.99, 200.01 and 450 kWh are charged 60.00, 40.00, 0.01 and 159.99: the one that crosses the bound is cut')
FROM (SELECT n, tariff, so_far, lag(so_far) OVER (ORDER BY n) AS before FROM reading) AS r;
SELECT is(sum(rate_increment(tariff, before, so_far)), 260.00, 'together 260.00, as the bill of 450 kWh')
FROM (SELECT n, tariff, so_far, lag(so_far) OVER (ORDER BY n) AS before FROM reading) AS r;
SELECT is(rate_increment(tariff, so_far, so_far), 0.00, 'nothing used, nothing charged') FROM reading WHERE n = 2;

-- corrected: the price of the month was published late
SELECT is(string_agg(concat_ws(' ', code, quantity, 'x', price, '=', amount), '; '), 'purchase 7000 x 0.01 = 70.00',
	'7000 kWh at 0.42 and not at 0.41: one line, 70.00 more')
FROM (SELECT array_agg(l) FILTER (WHERE of = 'first') AS first, array_agg(l) FILTER (WHERE of = 'late') AS late
	FROM (SELECT of, usage_from(t, '{"import_kwh":7000}') AS u, t FROM (VALUES
		('first', '{"elecbill":1,"currency":"CNY","components":[{"code":"purchase","kind":"energy","price":0.41},{"code":"line loss","kind":"energy","price":0.02}]}'::elecbill.tariff),
		('late', '{"elecbill":1,"currency":"CNY","components":[{"code":"purchase","kind":"energy","price":0.42},{"code":"line loss","kind":"energy","price":0.02}]}')) AS p(of, t)) AS b, rate(t, u) AS l) AS bills,
	line_delta(first, late);

SELECT * FROM finish();
ROLLBACK;
