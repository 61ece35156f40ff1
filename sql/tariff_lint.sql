-- tariff_lint.sql: every fault of a tariff with its path; nothing is raised
\pset format unaligned
\pset fieldsep ' | '
\pset tuples_only on

-- nothing to say
SELECT count(*) FROM elecbill.tariff_lint('{"elecbill":1,"currency":"CNY","zone":"Asia/Shanghai",
	"components":[{"code":"energy","kind":"energy","price":0.5}]}');
SELECT count(*) FROM elecbill.tariff_lint(NULL);
-- what is no tariff at all
SELECT * FROM elecbill.tariff_lint('null');
SELECT * FROM elecbill.tariff_lint('1');
SELECT * FROM elecbill.tariff_lint('"text"');
SELECT * FROM elecbill.tariff_lint('[1,2]');
SELECT * FROM elecbill.tariff_lint('{}');

-- one of each: keys, types, digits, names, tiers, minutes, bases, measures
SELECT * FROM elecbill.tariff_lint('{"elecbill":2,"code":7,"currency":"yuan","minor_unit":9,"zone":"Nowhere",
	"year_start":"02-30","month_day":29,"colour":"red",
	"round":{"line":{"step":0,"mode":"best"},"price":{"mode":"up"}},
	"calendar":{"weekend":["sat","weekend"],"days":{"2026-02-30":["holiday"],"2026-01-01":["mon","x","x"]}},
	"seasons":{"s":[["05-01","11-01"]],"w":[["10-31","03-01"]]},
	"components":[{"code":"a","kind":"energy","price":{"season":{"s":1}}}]}');
SELECT * FROM elecbill.tariff_lint('{"elecbill":1,"currency":"CNY",
	"components":[
	{"code":"a","kind":"energy","tier":{"steps":[{"up_to":200,"price":0.5},{"up_to":200,"price":0.6},{"up_to":100.0000001,"price":1e-10},{"up_to":5,"price":1}]}},
	{"code":"a","kind":"enrgy","price":{"ref":"nothing"}},
	{"code":"b","kind":"fixed","price":{"period":{"peak":1}},"tier":{"steps":[{"price":1}]}},
	{"code":"c","kind":"percent","percent":"many","base":["d","nobody"]},
	{"code":"d","kind":"minimum"},
	{"code":"e","kind":"energy","price":1,"when":{"qty":{"import_kwh":{"ge":5,"le":4}},"season":["s"]},"valid":["2026-02-01","2026-01-01"]}]}');
SELECT * FROM elecbill.tariff_lint('{"elecbill":1,"currency":"CNY",
	"schedules":{"gap":[{"period":"peak","spans":[["08:00","22:00"]]},{"period":"valley","spans":[["22:00","07:30"]]}],
		"weekend":[{"period":"peak","days":["weekday"]}],
		"holiday":[{"period":"peak","days":["workday"]},{"period":"valley","days":["sat","sun"]}],
		"shadow":[{"period":"peak","spans":[["08:00","22:00"],["10:00","11:00"]]},{"period":"valley"},{"period":"flat","months":[7]}]},
	"components":[{"code":"a","kind":"energy","price":{"period":{"peak":1,"valley":1}}},
	{"code":"b","kind":"energy","schedule":"shadow","price":{"period":{"peak":1,"valley":1}}},
	{"code":"c","kind":"energy","schedule":"gap","price":{"period":{"peak":1,"valley":1,"flat":2}}}]}');
SELECT * FROM elecbill.tariff_lint('{"elecbill":1,"currency":"EUR","calendar":"de",
	"values":{"a":{"ref":"b"},"b":{"mul":[2,{"ref":"a"}]}},
	"events":{"e":[["2026-01-01T00:00:00Z","2025-01-01T00:00:00Z"]]},
	"series":{"spot":[["2026-01-01T01:00:00Z",0.1],["2026-01-01T00:00:00Z",0.1]]},
	"demands":{"m":{"window":15,"slide":30,"floor_kw":5,"cap_kw":4}},
	"losses":[{"code":"l","kind":"copper","sign":0}],
	"net":{"mode":"billing","settle_month":13,"order":["peak"]},
	"components":[{"code":"d","kind":"demand","demand":"x","price":1},{"code":"r","kind":"reactive","price":{"series":"no"}},
	{"code":"v","kind":"energy","price":1,"vat":13,"lane":"z","each":{"min":2,"max":1}}]}');

-- numbers that would be large written out, deep nesting, long texts, many faults
SELECT * FROM elecbill.tariff_lint('{"elecbill":1e131071,"currency":"CNY","components":[{"code":"a","kind":"energy","price":-1e131071},{"code":"b","kind":"energy","price":1e-16383}]}');
SELECT level, left(path, 60), message FROM elecbill.tariff_lint(jsonb_build_object('elecbill', 1, 'currency', 'CNY', 'components',
	jsonb_build_array(jsonb_build_object('code', 'a', 'kind', 'energy', 'price',
		(repeat('{"mul":[', 500) || '1' || repeat(']}', 500))::jsonb))));
SELECT level, path, message FROM elecbill.tariff_lint(jsonb_build_object('elecbill', 1, 'currency', 'CNY', 'components', '[]'::jsonb,
	repeat('key', 40), 1, 'zone', repeat('z', 300), '长钥匙', 1));
SELECT count(*), max(message) FILTER (WHERE level = 'note') FROM elecbill.tariff_lint(
	(SELECT jsonb_object_agg('key' || i, i) FROM generate_series(1, 500) i));
SELECT * FROM elecbill.tariff_lint(jsonb_build_object('code', repeat('x', 5 << 20)));
-- the cost is bounded: two to the power of 15 parts; 16 schedules of 250 rules with tags
SELECT level, path, message FROM elecbill.tariff_lint(jsonb_build_object('elecbill', 1, 'currency', 'CNY',
	'values', (SELECT jsonb_object_agg('v' || lpad(i::text, 2, '0'), CASE i WHEN 0 THEN '1'::jsonb ELSE
		format('{"add":[{"ref":"v%1$s"},{"ref":"v%1$s"}]}', lpad((i - 1)::text, 2, '0'))::jsonb END) FROM generate_series(0, 15) i),
	'components', '[{"code":"a","kind":"energy","price":{"ref":"v15"}}]'::jsonb));
SELECT DISTINCT level, message FROM elecbill.tariff_lint(jsonb_build_object('elecbill', 1, 'currency', 'CNY',
	'schedules', (SELECT jsonb_object_agg('s' || s, (SELECT jsonb_agg(jsonb_build_object('period', 'p' || i % 3,
			'days', jsonb_build_array('t' || i % 11), 'anchor', 'start',
			'spans', '[["22:00","06:00"]]'::jsonb)) FROM generate_series(1, 250) i)
		|| '[{"period":"rest"}]'::jsonb) FROM generate_series(1, 16) s),
	'components', '[{"code":"a","kind":"energy","price":1}]'::jsonb)) ORDER BY 1, 2;
-- 150 prices of 9,000 parts; 400 bounds that hang on an attribute of 200 values and on 31 seasons
SELECT level, path, message FROM elecbill.tariff_lint(jsonb_build_object('elecbill', 1, 'currency', 'CNY',
	'values', (SELECT jsonb_object_agg('v' || i, format('{"add":[%s]}', repeat(CASE i WHEN 0 THEN '1,' ELSE format('{"ref":"v%s"},', i - 1) END, 9) || '0')::jsonb)
		FROM generate_series(0, 3) i),
	'components', (SELECT jsonb_agg(jsonb_build_object('code', 'c' || i, 'kind', 'energy', 'price', '{"ref":"v3"}'::jsonb)) FROM generate_series(1, 150) i)));
SELECT level, path, message FROM elecbill.tariff_lint(jsonb_build_object('elecbill', 1, 'currency', 'CNY',
	'seasons', (SELECT jsonb_object_agg('s' || i, jsonb_build_array(ARRAY[to_char(date '2025-01-01' + i * 11, 'MM-DD'), to_char(date '2025-01-03' + i * 11, 'MM-DD')]))
		FROM generate_series(1, 31) i),
	'components', (SELECT jsonb_agg(jsonb_build_object('code', 'c' || c, 'kind', 'energy', 'price', 1, 'tier', jsonb_build_object('steps',
			(SELECT jsonb_agg(jsonb_build_object('up_to', jsonb_build_object('attr', 'a', 'of', v.of || jsonb_build_object('x', jsonb_build_object('season', '{"*":1}'::jsonb || v.one)))) ORDER BY k)
				FROM generate_series(1, 40) k, LATERAL (SELECT jsonb_object_agg(n, k) AS of, jsonb_build_object('s1', k, '*', k) AS one FROM generate_series(1, 199) n) AS v)
			|| '{"price":1}'::jsonb))) FROM generate_series(1, 10) c))) LIMIT 1;
-- it is what the type asks: no error of lint, no error of the cast, and the other way round
SELECT n, EXISTS (SELECT FROM elecbill.tariff_lint(d) WHERE level = 'error') AS refused
FROM unnest('{"{\"elecbill\":1,\"currency\":\"CNY\",\"components\":[{\"code\":\"a\",\"kind\":\"energy\",\"price\":1}]}","{}"}'::jsonb[]) WITH ORDINALITY AS u(d, n);

-- keys that nothing would read
SELECT * FROM elecbill.tariff_lint('{"elecbill":1,"currency":"EUR","net":{"mode":"billing","expire":true},
	"losses":[{"code":"l","kind":"factor","factor":0.98,"sign":-1}],
	"components":[{"code":"a","kind":"energy","price":1,"grace_s":60,"tier":{"scope":"day","split":"start","allowance":[{"attr":"n","at_least":5,"add":1}],
			"steps":[{"up_to":5,"price":1},{"price":2}]}},
		{"code":"b","kind":"fixed","price":1,"per":"day","prorate":"days","lane":"a"},
		{"code":"c","kind":"idle","price":1,"offset":false},
		{"code":"d","kind":"maximum","amount_incl":5,"vat":19}]}');

-- what 0.1.0 took, and nobody reads: warnings, and it is a tariff still
CREATE TABLE former (id int, definition jsonb);
INSERT INTO former VALUES
(1, '{"elecbill":1,"currency":"EUR","net":{"settle_month":12},"components":[{"code":"a","kind":"fixed","price":1,"per":"day","prorate":"days","lane":"a","each":{}}]}'),
(2, '{"elecbill":1,"currency":"EUR","schedules":{"tou":[{"period":"p"}]},"components":[{"code":"a","kind":"custom","quantity":"meters","price":1,
	"tier":{"order":"per_period","steps":[{"up_to":2},{"price":0.5}]}}]}');
SELECT id, l.* FROM former, elecbill.tariff_lint(definition) AS l;
SELECT definition::elecbill.tariff FROM former;
SELECT elecbill.rate_total(definition::elecbill.tariff, elecbill.usage_from(definition::elecbill.tariff,
	'{"import_kwh":5,"days":10,"qty":{"meters":4}}')) FROM former;

-- what only shows in the zone has the path of its key
SELECT * FROM elecbill.tariff_lint('{"elecbill":1,"currency":"EUR","zone":"Europe/Berlin","events":{"an: event":[
	["2026-03-29T02:30:00","2026-03-29T01:45:00+00:00"],["2026-03-29T01:40:00+00:00","2026-03-30"]]},"components":[{"code":"a","kind":"energy","price":1}]}');

-- behind more warnings than are shown an error is told, and the tariff refused
SELECT level, count(*), max(message) FILTER (WHERE level <> 'warning') FROM elecbill.tariff_lint(jsonb_build_object('elecbill', 1,
	'currency', 'EUR', 'components', '[{"code":"a","kind":"custom","price":1}]'::jsonb,
	'schedules', jsonb_build_object('t', '[{"period":"a"}]' || (SELECT jsonb_agg('{"period":"b"}'::jsonb) FROM generate_series(1, 150))))) GROUP BY 1 ORDER BY 1;
SELECT jsonb_build_object('elecbill', 1, 'currency', 'EUR', 'components', '[{"code":"a","kind":"custom","price":1}]'::jsonb,
	'schedules', jsonb_build_object('t', '[{"period":"a"}]' || (SELECT jsonb_agg('{"period":"b"}'::jsonb) FROM generate_series(1, 150))))::elecbill.tariff;

-- what would take long to check is said so: 4000 rules and 250 prices by 60 periods; 200 x 60 tags, 5000 days
SELECT level, regexp_replace(path, '\d+', 'N') AS path, message
FROM elecbill.tariff_lint(jsonb_build_object('elecbill', 1, 'currency', 'EUR',
	'schedules', (SELECT jsonb_object_agg('s' || i, (SELECT jsonb_agg(jsonb_build_object('period', 'p' || j % 60)) FROM generate_series(1, 250) j)) FROM generate_series(1, 16) i),
	'values', (SELECT jsonb_object_agg('v' || i, jsonb_build_object('period', (SELECT jsonb_object_agg('p' || j, 1) FROM generate_series(0, 59) j))) FROM generate_series(1, 250) i),
	'components', '[{"code":"a","kind":"energy","price":1}]'::jsonb));
SELECT level, count(*) FROM elecbill.tariff_lint(jsonb_build_object('elecbill', 1, 'currency', 'EUR', 'components', '[{"code":"a","kind":"energy","price":1}]'::jsonb,
	'calendar', jsonb_build_object('days', (SELECT jsonb_object_agg(date '1990-01-01' + i, '["holiday","fest"]'::jsonb) FROM generate_series(1, 5000) i)),
	'schedules', jsonb_build_object('t', (SELECT jsonb_agg(jsonb_build_object('period', 'p', 'days', (SELECT jsonb_agg('x'::text) FROM generate_series(1, 60)))) FROM generate_series(1, 200))
		|| '[{"period":"p","days":["fest"]},{"period":"p"}]'))) GROUP BY 1 ORDER BY 1;
