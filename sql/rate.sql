-- rate.sql: determinants and a tariff give bill lines
\pset null '(null)'
SET timezone = 'Asia/Shanghai';
SET datestyle = 'ISO';
CREATE TABLE t (name text PRIMARY KEY, tariff elecbill.tariff);
INSERT INTO t VALUES
('tier', '{"elecbill":1,"currency":"CNY","zone":"Asia/Shanghai","components":[{"code":"energy","kind":"energy",
	"tier":{"steps":[{"up_to":200,"price":0.5},{"up_to":400,"price":0.6},{"price":0.8}]}}]}'),
('tou', '{"elecbill":1,"currency":"CNY","zone":"Asia/Shanghai",
	"schedules":{"tou":[{"period":"peak","spans":[["08:00","22:00"]]},{"period":"valley","spans":[["22:00","08:00"]]}]},
	"components":[{"code":"energy","kind":"energy","name":{"zh":"电量电费","en":"Energy"},
		"price":{"period":{"peak":0.7,"valley":0.4}}}]}'),
('zhejiang', '{"elecbill":1,"currency":"CNY","zone":"Asia/Shanghai",
	"schedules":{"tou":[{"period":"peak","spans":[["08:00","22:00"]]},{"period":"valley"}]},
	"components":[{"code":"energy","kind":"energy","price":{"period":{"peak":0.568,"valley":0.288}},
		"tier":{"mode":"adder","scope":"year","allowance":[{"attr":"persons","at_least":5,"add":100}],
			"steps":[{"up_to":2760,"price":0},{"up_to":4800,"price":0.05},{"price":0.3}]}}]}'),
('shop', '{"elecbill":1,"currency":"CNY","zone":"Asia/Shanghai","round":{"total":{"step":1,"mode":"floor"}},
	"components":[{"code":"energy","kind":"energy","price":0.61337},
		{"code":"basic","kind":"fixed","price":0.4,"per":"day","group":"service"},
		{"code":"units","kind":"custom","quantity":"washes","price":2},
		{"code":"tax","kind":"percent","percent":13,"base":["energy","service"]},
		{"code":"least","kind":"minimum","amount":30}]}');
CREATE VIEW u AS SELECT name, tariff, elecbill.usage_from(tariff, given) AS usage
FROM t JOIN (VALUES
	('tier', '{"import_kwh":500}'::jsonb),
	('tou', '{"import_kwh":{"peak":100,"valley":50}}'),
	('zhejiang', '{"during":["2024-12-01","2025-01-01"],"import_kwh":{"peak":150,"valley":100}}'),
	('shop', '{"during":["2024-06-01","2024-07-01"],"import_kwh":10}')) g(name, given) USING (name);

-- the seeds' examples: 75.00, 160.00, 300.00 (the seed prints 360), 90.00, 180.00
SELECT kwh, elecbill.rate_total(tariff, elecbill.usage_from(tariff, jsonb_build_object('import_kwh', kwh))) AS total
FROM t, unnest('{150,300,500}'::numeric[]) kwh WHERE name = 'tier';
SELECT peak, valley, elecbill.rate_total(tariff, elecbill.usage_from(tariff,
	jsonb_build_object('import_kwh', jsonb_build_object('peak', peak, 'valley', valley)))) AS total
FROM t, (VALUES (100, 50), (200, 100)) kwh(peak, valley) WHERE name = 'tou';

-- every column of a line
SELECT l.* FROM u, elecbill.rate(tariff, usage) l WHERE name = 'tier';
\x on
SELECT l.* FROM u, elecbill.rate(tariff, usage, '{"before":{"year":4700},"version":3}') l
WHERE name = 'zhejiang' AND n IN (1, 4);
\x off
SELECT n, code, grp, label, period, tier, quantity, unit, price, factor, amount_raw, amount
FROM u, elecbill.rate(tariff, usage, '{"qty":{"washes":2.5}}') WHERE name = 'shop';
SELECT n, code, grp, label, period, tier, quantity, unit, price, factor, amount_raw, amount
FROM u, elecbill.rate(tariff, usage, '{"qty":{"washes":0}}') WHERE name = 'shop';

-- ctx: attributes, service range, labels, a bill that is not the last
SELECT n, tier, quantity, amount
FROM u, elecbill.rate(tariff, usage, '{"before":{"year":3950},"attrs":{"persons":5}}') WHERE name = 'zhejiang';
SELECT elecbill.rate_total(tariff, usage, '{"before":{"year":3950},"attrs":{"persons":"5"}}') AS text_number,
	elecbill.rate_total(tariff, usage, '{"before":{"year":3950},"attrs":{"persons":null}}') AS no_attribute,
	elecbill.rate_total(tariff, usage, '{"before":{"year":4700}}') AS zhejiang_tier_4
FROM u WHERE name = 'zhejiang';
SELECT label, amount FROM u, elecbill.rate(tariff, usage) WHERE name = 'tou';
SELECT label FROM u, elecbill.rate(tariff, usage, '{"lang":"en"}') WHERE name = 'tou';
SELECT label FROM u, elecbill.rate(tariff, usage, '{"lang":"fr"}') WHERE name = 'tou';
SELECT code, quantity, during
FROM u, elecbill.rate(tariff, usage, '{"qty":{"washes":0},"during":["2024-05-21T00:00:00+08:00","2024-07-01"]}')
WHERE name = 'shop' AND code IN ('energy', 'basic');
SELECT elecbill.rate_total(tariff, usage, '{"qty":{"washes":0},"final":false}') AS no_minimum
FROM u WHERE name = 'shop';
SELECT elecbill.rate_total(tariff, usage, NULL) IS NULL AS strict FROM u WHERE name = 'shop';

-- the total is the sum of the lines, whatever the session looks like
SELECT name, bool_and(total = sum) AS total_is_sum FROM (
	SELECT name, elecbill.rate_total(tariff, usage, ctx) AS total,
		(SELECT sum(amount) FROM elecbill.rate(tariff, usage, ctx)) AS sum
	FROM u, (VALUES ('{"qty":{"washes":7}}'::jsonb)) c(ctx)) s GROUP BY name ORDER BY name;
SET timezone = 'America/New_York';
SET datestyle = 'German';
SET search_path = pg_temp;
SELECT elecbill.rate_total(tariff, usage, '{"before":{"year":4700}}') AS elsewhere
FROM public.u WHERE name = 'zhejiang';
RESET search_path;
RESET datestyle;
RESET timezone;

-- a year by months: 12 scopes x 2 periods x 3 steps are more lines than fit on the stack
CREATE TABLE year AS SELECT tariff, elecbill.usage_from(tariff, '{"during":["2024-01-01","2025-01-01"],
	"import_kwh":{"peak":7320,"valley":3660}}') AS usage
FROM (SELECT '{"elecbill":1,"currency":"CNY","zone":"Asia/Shanghai",
	"schedules":{"tou":[{"period":"peak","spans":[["08:00","22:00"]]},{"period":"valley"}]},
	"components":[{"code":"energy","kind":"energy","tier":{"scope":"month","steps":[
		{"up_to":200,"price":{"period":{"peak":0.7,"valley":0.4}}},
		{"up_to":400,"price":{"period":{"peak":0.8,"valley":0.5}}},
		{"price":{"period":{"peak":1,"valley":0.7}}}]}}]}'::elecbill.tariff AS tariff) t;
SELECT count(*) AS lines, count(DISTINCT during) AS months, sum(quantity) AS kwh,
	sum(amount) = elecbill.rate_total((SELECT tariff FROM year), (SELECT usage FROM year)) AS same
FROM year, elecbill.rate(tariff, usage);
-- February has 29 of 366 days: 870 kWh, two thirds of each step by day
SELECT period, tier, quantity, price, amount FROM year, elecbill.rate(tariff, usage)
WHERE lower(during) = '2024-02-01 00:00+08';

-- the price of the next kWh
SELECT at, before, elecbill.tariff_price(tariff, at::timestamptz, before) AS price
FROM t, (VALUES ('2024-06-01 07:59+08', 0), ('2024-06-01 08:00+08', 0), ('2024-06-01 08:00+08', 2760),
	('2024-06-01 22:00+08', 4800)) p(at, before) WHERE name = 'zhejiang';
SELECT elecbill.tariff_price(tariff, '2024-06-01 08:00+08', 2800, '{"persons":5}') AS five_persons
FROM t WHERE name = 'zhejiang';

-- what is wrong says so
SELECT elecbill.rate_total(tariff, usage, '{"befor":{}}') FROM u WHERE name = 'tier';
SELECT elecbill.rate_total(tariff, usage, '[]') FROM u WHERE name = 'tier';
SELECT elecbill.rate_total(tariff, usage, '[1]') FROM u WHERE name = 'tier';
SELECT elecbill.rate_total(tariff, usage, '{"before":{"week":1}}') FROM u WHERE name = 'tier';
SELECT elecbill.rate_total(tariff, usage, '{"before":{"bill":-1}}') FROM u WHERE name = 'tier';
SELECT elecbill.rate_total(tariff, usage, '{"before":{"bill":0.0000001}}') FROM u WHERE name = 'tier';
SELECT elecbill.rate_total(tariff, usage, '{"before":{"bill":1e20}}') FROM u WHERE name = 'tier';
SELECT elecbill.rate_total(tariff, usage, '{"before":{"bill":9223372036854}}') FROM u WHERE name = 'tier';
SELECT elecbill.rate_total(tariff, usage, '{"before":3}') FROM u WHERE name = 'tier';
SELECT elecbill.rate_total(tariff, usage, '{"attrs":{"persons":[5]}}') FROM u WHERE name = 'tier';
SELECT elecbill.rate_total(tariff, usage, '{"attrs":5}') FROM u WHERE name = 'tier';
SELECT elecbill.rate_total(tariff, usage, '{"qty":{"washes":"two"}}') FROM u WHERE name = 'tier';
SELECT elecbill.rate_total(tariff, usage, '{"qty":[]}') FROM u WHERE name = 'tier';
SELECT elecbill.rate_total(tariff, usage, '{"final":"no"}') FROM u WHERE name = 'tier';
SELECT elecbill.rate_total(tariff, usage, '{"during":["2024-07-01","2024-06-01"]}') FROM u WHERE name = 'tier';
SELECT elecbill.rate_total(tariff, usage, '{"during":["2024-07-01"]}') FROM u WHERE name = 'tier';
SELECT elecbill.rate_total(tariff, usage, '{"lang":1}') FROM u WHERE name = 'tier';
SELECT elecbill.rate_total(tariff, usage, '{"version":0}') FROM u WHERE name = 'tier';
SELECT elecbill.rate_total(tariff, usage) FROM u WHERE name = 'shop';
SELECT elecbill.rate_total(tariff, elecbill.usage_from(tariff, '{"import_kwh":1}')) FROM t WHERE name = 'zhejiang';
SELECT elecbill.rate_total(t.tariff, u.usage) FROM t, u WHERE t.name = 'tou' AND u.name = 'tier';
SELECT elecbill.tariff_price(tariff, 'infinity') FROM t WHERE name = 'tier';
SELECT elecbill.tariff_price(tariff, '2024-06-01', -1) FROM t WHERE name = 'tier';
SELECT elecbill.tariff_price(tariff, '2024-06-01', 0, '[1]') FROM t WHERE name = 'tier';
-- percentages line by line, of percentages line by line: each doubles the lines
SELECT elecbill.rate_total(tariff, elecbill.usage_from(tariff, '{"import_kwh": 1}'))
FROM (SELECT jsonb_build_object('elecbill', 1, 'currency', 'CNY', 'components', '[{"code": "f", "kind": "fixed", "price": 1}]' ||
	jsonb_agg(jsonb_build_object('code', 'p' || i, 'kind', 'percent', 'percent', 1, 'per_line', true)))::elecbill.tariff AS tariff FROM generate_series(1, 24) AS i) AS q;
-- every key of ctx, and what it must not be
CREATE FUNCTION refused(ctx jsonb) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	PERFORM elecbill.rate_total(tariff, usage, ctx) FROM u WHERE name = 'tier';
	RETURN 'not refused';
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE || ': ' || SQLERRM;
END $$;
SELECT ctx, refused(ctx::jsonb) FROM unnest('{"{\"before\": {\"bill\": {\"peak\": 1}}}","{\"before\": {\"day\": 1}}","{\"before\": {\"interval\": 1}}","{\"before\": {\"session\": 1}}","{\"before\": {\"bill\": {\"peak\": -1}}}","{\"before\": {\"bill\": [1]}}",
	"{\"past_kw\": {}}","{\"past_kw\": {\"main\": {\"2026-01\": 5}}}","{\"past_kw\": 5}","{\"past_kw\": {\"main\": 5}}","{\"past_kw\": {\"main\": {\"2026\": 5}}}","{\"past_kw\": {\"main\": {\"2026-13\": 5}}}","{\"past_kw\": {\"main\": {\"2026-1-\": 5}}}","{\"past_kw\": {\"main\": {\"2026-01\": -5}}}",
	"{\"credit\": 0}","{\"credit\": 1}","{\"credit\": -1}","{\"credit\": \"x\"}","{\"credit\": 0.0000000000000001}","{\"credit\": \"1e30\"}","{\"credit\": {\"peak\": -1}}","{\"credit\": [1]}",
	"{\"charged\": {\"year\": 5}}","{\"charged\": 5}","{\"charged\": {\"month\": 5}}","{\"charged\": {\"year\": {}}}","{\"service_days\": 30}","{\"service_days\": 0}","{\"service_days\": -1}","{\"service_days\": \"many\"}"}'::text[]) AS ctx;

-- the version that was given
SELECT code, amount, version FROM u, elecbill.rate(tariff, usage, '{"version":7}') WHERE name = 'tou';
-- a tariff that changes: each line by its version; what is one for the bill is there for each
SELECT n, code, period, quantity, price, amount, during, version, quality FROM (SELECT jsonb_build_object('elecbill', 1, 'versions', jsonb_build_array(
	jsonb_build_object('version', 3, 'valid', '["2026-01-01","2026-01-16"]'::jsonb, 'tariff', t), jsonb_build_object('version', 4, 'valid', '["2026-01-16",null]'::jsonb, 'tariff', jsonb_set(t, '{components,0,price,period,peak}', '1.5'))))::elecbill.tariff AS tariff
	FROM (SELECT '{"elecbill":1,"currency":"CNY","zone":"Asia/Shanghai","schedules":{"tou":[{"period":"valley","spans":[["22:00","08:00"]]},{"period":"peak"}]},"demands":{"main":{}},
		"components":[{"code":"energy","kind":"energy","price":{"period":{"peak":1,"valley":0.5}}},{"code":"kw","kind":"demand","demand":"main","price":30},{"code":"wash","kind":"custom","quantity":"washes","price":2},
			{"code":"pf","kind":"power_factor","base":["kw"],"table":"cn_0.90"}]}'::jsonb AS t) AS q) AS v,
	elecbill.rate(tariff, elecbill.usage_from(tariff, '{"during":["2026-01-01","2026-02-01"],"import_kwh":{"peak":31,"valley":62},"max_kw":{"main":7},"qty":{"washes":3},"power_factor":0.93}'));
-- lines that no component makes
CREATE TABLE roles AS SELECT '{"elecbill":1,"currency":"CNY","zone":"Asia/Shanghai","round":{"total":{"step":1,"mode":"floor"}},"net":{"mode":"billing_carry"},"components":[
	{"code":"energy","kind":"energy","price":1.05,"vat":13},{"code":"sold","kind":"credit","price":0.5}]}'::elecbill.tariff AS tariff;
SELECT n, code, grp, label, quantity, unit, price, amount
FROM roles, elecbill.rate(tariff, elecbill.usage_from(tariff, '{"during":["2024-06-01","2024-07-01"],"import_kwh":10,"export_kwh":30}'), '{"credit":4}');
SELECT n, code, label FROM roles, elecbill.rate(tariff, elecbill.usage_from(tariff, '{"during":["2024-12-01","2025-01-01"],"import_kwh":10,"export_kwh":30}'), '{"credit":4,"lang":"en"}');

-- without dates: 400 kVA for 30 of the 45 days of a month and a half, 10 of the 15 of half a one
SELECT days, code, quantity, price, amount FROM (VALUES (45, 1.5, 30), (15, 0.5, 10)) AS v(days, months, service),
	(SELECT '{"elecbill":1,"currency":"CNY","components":[{"code":"kva","kind":"capacity","price":25,"prorate":"days"}]}'::elecbill.tariff AS tariff) AS t,
	elecbill.rate(tariff, elecbill.usage_from(tariff, jsonb_build_object('days', days, 'months', months, 'import_kwh', 0)), jsonb_build_object('attrs', '{"contract_kva":400}'::jsonb, 'service_days', service));
-- a power factor that is no longer valid needs no kvarh; Taiwan, low side: 5000 + (100 - 80) x 720 x 0.01
SELECT code, quantity, amount FROM (SELECT '{"elecbill":1,"currency":"TWD","zone":"Asia/Taipei","losses":[{"code":"iron","kind":"constant","kva":"attr:contract_kva","minus":"attr:contract_kw","hours":720,"factor":0.01}],"components":[
	{"code":"energy","kind":"energy","price":1},{"code":"pf","kind":"power_factor","base":["energy"],"table":"cn_0.90","valid":["2020-01-01","2021-01-01"]}]}'::elecbill.tariff AS tariff) AS t,
	elecbill.rate(tariff, elecbill.usage_from(tariff, '{"during":["2025-06-01","2025-07-01"],"import_kwh":5000}'), '{"attrs":{"contract_kva":100,"contract_kw":80}}');

-- of days only the first goes on from what was used before it, also when other days are charged first
SELECT tier, quantity, price, factor, amount FROM (SELECT '{"elecbill": 1, "currency": "CNY", "zone": "UTC", "components": [{"code": "e", "kind": "energy", "factor_if": [{"if": {"months": [4], "days": ["weekday"]}, "factor": 2}],
	"tier": {"scope": "day", "steps": [{"up_to": 10, "price": 1}, {"price": 3}]}}]}'::elecbill.tariff AS tariff) AS t,
	elecbill.rate(tariff, elecbill.usage_from(tariff, '{"parts": [{"from": "2025-04-30", "import_kwh": 5}, {"from": "2025-05-01", "import_kwh": 5}], "during": ["2025-04-30", "2025-05-02"]}'), '{"before": {"day": 8}}');

-- as a program sees it
\set VERBOSITY sqlstate
SELECT elecbill.rate_total(tariff, usage, '{"befor":{}}') FROM u WHERE name = 'tier';
SELECT elecbill.rate_total(tariff, usage) FROM u WHERE name = 'shop';
SELECT elecbill.rate_total(t.tariff, u.usage) FROM t, u WHERE t.name = 'tou' AND u.name = 'tier';
SELECT elecbill.rate_total(tariff, usage, '{"before":{"bill":9223372036854}}') FROM u WHERE name = 'tier';
