-- tariff.sql: the type tariff: text, jsonb and binary form, what each door refuses, the builders
\pset format unaligned
\pset tuples_only on
\set seed_tier '{"components":[{"code":"energy","kind":"energy","tier":{"mode":"graduated","scope":"bill","steps":[{"up_to":200,"price":0.50},{"up_to":400,"price":"0.6"},{"price":8e-1}]}}],"elecbill":1,"code":"seed-tier","currency":"CNY","zone":"Asia/Shanghai"}'
\set seed_tou '{"elecbill":1,"code":"seed-tou","currency":"CNY","zone":"Asia/Shanghai","schedules":{"tou":[{"period":"peak","spans":[["08:00","22:00"]]},{"period":"valley","spans":[["22:00","08:00"]]}]},"components":[{"code":"energy","kind":"energy","price":{"period":{"valley":0.4,"peak":0.7}}}]}'

-- canonical text: keys in order, defaults left out, numbers without trailing zeros
SELECT :'seed_tier'::elecbill.tariff;
SELECT :'seed_tou'::elecbill.tariff;
SELECT jsonb_pretty(:'seed_tier'::elecbill.tariff::jsonb);
-- the text of the text is the text; by jsonb it is the same
SELECT t::text = t::text::elecbill.tariff::text AS text_comes_back,
	t::text = t::jsonb::elecbill.tariff::text AS jsonb_comes_back,
	(t::text)::jsonb = t::jsonb AS same_json
FROM unnest(ARRAY[:'seed_tier', :'seed_tou']::elecbill.tariff[]) AS t;
-- stored, small and large (compressed, out of line), alone and in arrays
CREATE TABLE kept (id int, tariff elecbill.tariff, many elecbill.tariff[], pad "char");
CREATE FUNCTION with_holidays(n int) RETURNS jsonb LANGUAGE sql STABLE AS $$
	SELECT jsonb_build_object('elecbill', 1, 'currency', 'CNY', 'calendar', jsonb_build_object('days',
			jsonb_object_agg(DATE '2026-01-01' + d, ARRAY['holiday', 't' || d * 7 % 40])),
		'components', '[{"code":"a","kind":"energy","price":1}]'::jsonb)
	FROM generate_series(0, n - 1) d $$;
INSERT INTO kept VALUES (1, :'seed_tier', ARRAY[:'seed_tier', :'seed_tou']::elecbill.tariff[], 'x');
INSERT INTO kept VALUES (2, :'seed_tou', ARRAY[:'seed_tou', :'seed_tou']::elecbill.tariff[], 'x');
INSERT INTO kept SELECT 3, with_holidays(9000), NULL, 'x';
SELECT id, length(tariff::text), pg_column_size(tariff) < length(tariff::text) AS compressed,
	many[2]::text = :'seed_tou'::elecbill.tariff::text AS second_is_tou FROM kept ORDER BY id;
SELECT tariff::jsonb = with_holidays(9000) AS large_comes_back FROM kept WHERE id = 3;
-- binary form: a byte and the text (binary COPY: test/tariff/test_tariff_doors)
SELECT substr(elecbill._tariff_send(tariff), 1, 1) = '\x01'
	AND substr(elecbill._tariff_send(tariff), 2) = convert_to(tariff::text, 'UTF8') AS byte_and_text
FROM kept WHERE id = 1;

-- what a door refuses, and how
CREATE FUNCTION refused(statement text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	state text;
	message text;
	detail text;
	hint text;
BEGIN
	EXECUTE statement;
	RETURN NEXT 'not refused';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT,
		detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
	RETURN NEXT concat_ws(' | ', state, message, nullif(detail, ''), nullif(hint, ''));
END $$;

-- every door refuses the same: text, cast, assignment
SELECT refused($x$SELECT ''::elecbill.tariff$x$);
SELECT refused($x$SELECT '{"elecbill":1'::elecbill.tariff$x$);
SELECT refused($x$SELECT 'null'::elecbill.tariff$x$);
SELECT refused($x$SELECT '[]'::jsonb::elecbill.tariff$x$);
SELECT refused($x$SELECT '{"elecbill":1,"currency":"CNY"}'::elecbill.tariff$x$);
SELECT refused($x$SELECT '{"elecbill":1,"currency":"CNY","components":[{"code":"a","kind":"energy","price":1e131071}]}'::jsonb::elecbill.tariff$x$);
SELECT refused($x$INSERT INTO kept VALUES (4, '{"elecbill":1,"currency":"CNY","colour":"red","components":[{"code":"a","kind":"energy","price":1}]}'::jsonb)$x$);
SELECT refused($x$SELECT '{"elecbill":1,"currency":"CNY","zone":"Asia/Shanghia","components":[{"code":"a","kind":"energy","price":1}]}'::elecbill.tariff$x$);
SELECT refused($x$SELECT '{"elecbill":1,"currency":"CNY","zone":"CST-8","components":[{"code":"a","kind":"energy","price":1}]}'::elecbill.tariff$x$);
SELECT refused($x$SELECT '{"elecbill":1,"currency":"CNY","calendar":"cn","components":[{"code":"a","kind":"energy","price":1}]}'::elecbill.tariff$x$);
SELECT refused($x$SELECT '{"elecbill":1,"currency":"CNY","series":{"spot":"day-ahead"},"components":[{"code":"a","kind":"energy","price":{"series":"spot"}}]}'::elecbill.tariff$x$);
-- what needs the zone is refused with its path, too: prices that change inside days are linear
SELECT refused($x$SELECT '{"elecbill":1,"currency":"CNY","series":{"spot":"usage"},"components":[{"code":"a","kind":"fixed","price":{"series":"spot"}}]}'::elecbill.tariff$x$);
SELECT refused($x$SELECT '{"elecbill":1,"currency":"EUR","zone":"Europe/Berlin","events":{"e":[["2026-03-29T02:10:00","2026-03-29T02:40:00"]]},"components":[{"code":"a","kind":"energy","price":1}]}'::elecbill.tariff$x$);
-- too large: as text, as jsonb
SELECT refused($x$SELECT (repeat(' ', 1 << 20) || '{}')::elecbill.tariff$x$);
SELECT refused($x$SELECT with_holidays(40000)::elecbill.tariff$x$);
SELECT refused($x$SELECT (with_holidays(1) || jsonb_build_object('code', repeat('x', 4 << 20)))::elecbill.tariff$x$);
-- a long path and a long text are told whole or not at all
SELECT refused($x$SELECT jsonb_set(tariff::jsonb, '{name}', jsonb_build_object(repeat('长', 200), repeat('价', 2000)))::elecbill.tariff FROM kept WHERE id = 1$x$);

-- the builders
SELECT elecbill.tiered_tariff('{200,400}', '{0.5,0.6,0.8}');
SELECT elecbill.tiered_tariff('{2880,4800}', '{0.4883,0.5383,0.7883}', 'EUR', 'Europe/Berlin', 'year');
SELECT elecbill.tiered_tariff('{}', '{0.50}', zone => 'UTC');
SELECT elecbill.tou_tariff('[{"period":"peak","spans":[["08:00","22:00"]]},{"period":"valley"}]',
	'{"peak":0.7,"valley":0.4}');
SELECT elecbill.tiered_tariff(NULL, '{0.5}') IS NULL AS null_gives_null;
SELECT refused($x$SELECT elecbill.tiered_tariff('{400,200}', '{0.5,0.6,0.8}')$x$);
SELECT refused($x$SELECT elecbill.tiered_tariff('{200,200}', '{0.5,0.6,0.8}')$x$);
SELECT refused($x$SELECT elecbill.tiered_tariff('{200}', '{0.5,0.6,0.8}')$x$);
SELECT refused($x$SELECT elecbill.tiered_tariff('{200,NULL}', '{0.5,0.6,0.8}')$x$);
SELECT refused($x$SELECT elecbill.tiered_tariff('{200}', '{0.5,NaN}')$x$);
SELECT refused($x$SELECT elecbill.tiered_tariff('{Infinity}', '{0.5,0.6}')$x$);
SELECT refused($x$SELECT elecbill.tiered_tariff('{{200}}', '{0.5,0.6}')$x$);
SELECT refused($x$SELECT '{"elecbill":1,"versions":[{"version":1,"tariff":{"elecbill":1,"currency":"CNY","zone":"Mars/Olympus","components":[{"code":"a","kind":"energy","price":1}]}}]}'::elecbill.tariff$x$);
SELECT refused($x$SELECT elecbill.tiered_tariff('{-5}', '{0.5,0.6}')$x$);
SELECT refused($x$SELECT elecbill.tiered_tariff('{5.1234567}', '{0.5,0.6}')$x$);
SELECT refused($x$SELECT elecbill.tiered_tariff('{5}', '{0.5,0.1234567891}')$x$);
SELECT refused($x$SELECT elecbill.tiered_tariff('{5}', '{0.5,0.6}', 'yuan')$x$);
SELECT refused($x$SELECT elecbill.tiered_tariff('{5}', '{0.5,0.6}', 'CNY', 'Mars/Olympus')$x$);
SELECT refused($x$SELECT elecbill.tiered_tariff('{5}', '{0.5,0.6}', 'CNY', 'UTC', 'decade')$x$);
SELECT elecbill.tiered_tariff('{5}', '{0.5,0.6}', 'CNY', 'UTC', 'day');
SELECT refused($x$SELECT elecbill.tiered_tariff('{5}', '{0.5,0.6}', 'C"Y', 'U"TC')$x$);
SELECT refused($x$SELECT elecbill.tou_tariff('[{"period":"peak","spans":[["08:00","22:00"]]}]', '{"peak":0.7}')$x$);
SELECT refused($x$SELECT elecbill.tou_tariff('[{"period":"peak"}]', '{"peek":0.7}')$x$);
SELECT refused($x$SELECT elecbill.tou_tariff('{"period":"peak"}', '5')$x$);

-- what the catalog says of them
SELECT p.proname, p.provolatile, p.proisstrict, p.proparallel FROM pg_proc p
WHERE p.pronamespace = 'elecbill'::regnamespace
	AND p.proname IN ('_tariff_in', '_tariff_out', '_tariff_recv', '_tariff_send', '_tariff_from_jsonb',
		'_tariff_to_jsonb', 'tariff_lint', 'tiered_tariff', 'tou_tariff') ORDER BY 1;
-- neither zone nor style of the session shows, nor what is in its search_path
CREATE TEMP TABLE plain AS SELECT tariff::text AS text FROM kept WHERE id < 3;
SET TimeZone = 'America/New_York';
SET DateStyle = 'SQL, DMY';
CREATE SCHEMA hostile;
CREATE TYPE hostile.tariff AS (no int);
CREATE FUNCTION hostile.textcat(text, text) RETURNS text LANGUAGE sql AS $$ SELECT 'no' $$;
SET search_path = hostile, pg_catalog;
SELECT bool_and(text::elecbill.tariff::text = text) AS same_text FROM pg_temp.plain;
