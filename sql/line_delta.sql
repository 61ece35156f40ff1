-- line_delta.sql: what two ratings of the same bill differ in
SET timezone = 'UTC';
SET search_path = public, elecbill;
CREATE TABLE t (name text PRIMARY KEY, tariff elecbill.tariff);
INSERT INTO t VALUES
('old', '{"elecbill": 1, "currency": "CNY", "zone": "Asia/Shanghai", "components": [{"code": "purchase", "kind": "energy", "price": 0.41}, {"code": "meter", "kind": "fixed", "price": 5}]}'),
('new', '{"elecbill": 1, "currency": "CNY", "zone": "Asia/Shanghai", "components": [{"code": "purchase", "kind": "energy", "price": 0.42, "name": "Purchase"}, {"code": "meter", "kind": "fixed", "price": 5}]}'),
('half', '{"elecbill": 1, "currency": "CNY", "zone": "Asia/Shanghai", "components": [{"code": "purchase", "kind": "energy", "price": 0.42, "factor_if": [{"if": {"qty": {"import_kwh": {"gt": 1}}}, "factor": 0.5}]}]}'),
('steps', '{"elecbill": 1, "currency": "CNY", "zone": "Asia/Shanghai", "components": [{"code": "energy", "kind": "energy", "tier": {"steps": [{"up_to": 200, "price": 0.5, "flat": 1}, {"up_to": 400, "price": 0.6, "flat": 2}, {"price": 0.8}]}}, {"code": "tax", "kind": "percent", "percent": 7}]}');
CREATE FUNCTION lines(tariff_name text, usage jsonb, ctx jsonb DEFAULT '{}') RETURNS rate_line[] LANGUAGE sql STABLE
RETURN (SELECT array_agg(l) FROM t, rate(tariff, usage_from(tariff, usage), ctx) AS l WHERE name = tariff_name);
CREATE VIEW bill AS SELECT lines('old', '{"import_kwh": 7000}') AS a, lines('new', '{"import_kwh": 7000}') AS b, lines('new', '{"import_kwh": 7100, "quality": "estimated"}') AS c, lines('half', '{"import_kwh": 7000}') AS d;

-- the purchase price was published late: one line of 7000 x 0.01
SELECT l.* FROM bill, line_delta(a, b) AS l;
-- more kWh at the same price; another price and more kWh, which no product gives; half of it, and a component that is gone
SELECT code, label, quantity, unit, price, factor, amount_raw, amount, quality FROM bill, line_delta(b, c) AS l;
SELECT code, quantity, unit, price, factor, amount_raw, amount, quality FROM bill, line_delta(a, c) AS l;
SELECT code, quantity, unit, price, factor, amount_raw, amount FROM bill, line_delta(b, d) AS l;
-- no side, no line, nothing new
SELECT code, amount FROM bill, line_delta(NULL, a) AS l;
SELECT code, amount FROM bill, line_delta(a, '{}') AS l;
SELECT count(*) AS n FROM bill, line_delta(a, a) AS l;
SELECT count(*) AS n FROM line_delta(NULL, NULL) AS l;
SELECT count(*) AS n FROM bill, line_delta(a || NULL::rate_line, ARRAY[NULL::rate_line] || a) AS l;
-- steps and their flats are lines of their own
SELECT n, code, tier, quantity, unit, price, amount FROM line_delta(lines('steps', '{"import_kwh": 150}'), lines('steps', '{"import_kwh": 450}'));
-- lines of one key add, also when their prices are not the same
SELECT code, quantity, price, amount FROM bill, line_delta(a || a, b) AS l;
SELECT code, quantity, price, amount FROM bill, line_delta(a || b, a || b || c) AS l;
-- far beyond what rating makes, and to the last digit
SELECT amount, amount_raw, quantity FROM line_delta(
	ARRAY[(1, 'x', 'x', 'x', NULL, NULL, 1e60, 'kwh', 1, 1, 1e60, 1e60, NULL, NULL, 'actual')::rate_line],
	ARRAY[(1, 'x', 'x', 'x', NULL, NULL, 1e60 + 1e-20, 'kwh', 1, 1, 1e60 + 1e-20, 1e60 + 1e-20, NULL, NULL, 'missing')::rate_line]);

-- 2,000 pairs of arrays at random: the sum is that of the differences, nothing differs from itself, in any order
SELECT random() AS seed \gset
SELECT setseed(:seed);
CREATE TABLE pair AS SELECT id, array_agg(l ORDER BY random()) FILTER (WHERE side = 0) AS a, array_agg(l ORDER BY random()) FILTER (WHERE side = 1) AS b
FROM (SELECT id, side, (n, chr(97 + (random() * 2)::integer), 'g', 'l', CASE WHEN random() < 0.5 THEN 'peak' END, CASE WHEN random() < 0.5 THEN (random() * 2)::integer END, round(random()::numeric * 10, 1), 'kwh',
		round(random()::numeric, 1), 1, round(random()::numeric * 10, 4), round(random()::numeric * 10 - 5, 2), CASE WHEN random() < 0.5 THEN tstzrange('2026-01-01', '2026-02-01') END, CASE WHEN random() < 0.5 THEN 1 END, 'actual')::rate_line AS l
	FROM generate_series(1, 2000) AS id, generate_series(0, 1) AS side, LATERAL generate_series(1, 1 + (id * 7 + side) % 9) AS n) AS q GROUP BY id;
SELECT count(*) AS pairs, bool_and(delta = want) AS same_sum, bool_and(self = 0) AS nothing_from_itself, bool_and(shuffled = 0) AS in_any_order,
	CASE WHEN NOT bool_and(delta = want AND self = 0 AND shuffled = 0) THEN :seed END AS seed_if_not FROM (
	SELECT (SELECT coalesce(sum(amount), 0) FROM line_delta(a, b)) AS delta, (SELECT sum(amount) FROM unnest(b)) - (SELECT sum(amount) FROM unnest(a)) AS want,
		(SELECT count(*) FROM line_delta(a, a)) AS self, (SELECT count(*) FROM line_delta(a, (SELECT array_agg(x ORDER BY amount) FROM unnest(a) AS x))) AS shuffled FROM pair) AS q;
