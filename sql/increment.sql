-- increment.sql: what to charge when usage grows
SET timezone = 'UTC';
SET search_path = public, elecbill;
CREATE TABLE t (name text PRIMARY KEY, tariff elecbill.tariff);
INSERT INTO t VALUES
('graduated', '{"elecbill": 1, "currency": "XXX", "components": [{"code": "e", "kind": "energy", "tier": {"steps": [{"up_to": 5, "price": 1}, {"up_to": 10, "price": 2}, {"price": 3}]}}]}'),
('volume', '{"elecbill": 1, "currency": "XXX", "components": [{"code": "e", "kind": "energy", "tier": {"mode": "volume", "steps": [{"up_to": 5, "flat": 100}, {"up_to": 10, "flat": 150}, {"up_to": 15, "price": 10}, {"price": 5}]}}]}'),
('minimum', '{"elecbill": 1, "currency": "CNY", "components": [{"code": "e", "kind": "energy", "price": 0.333}, {"code": "least", "kind": "minimum", "amount": 10}]}'),
('demand', '{"elecbill": 1, "currency": "CNY", "zone": "Asia/Shanghai", "demands": {"main": {}}, "components": [{"code": "kw", "kind": "demand", "demand": "main", "price": 10}]}'),
('home', '{"elecbill": 1, "currency": "CNY", "zone": "Asia/Shanghai", "round": {"line": {"step": 0.01}, "total": {"step": 0.1, "mode": "floor"}},
	"schedules": {"tou": [{"period": "valley", "spans": [["22:00", "08:00"]]}, {"period": "peak"}]}, "seasons": {"summer": [["05-01", "11-01"]]},
	"components": [{"code": "e", "kind": "energy", "price": {"period": {"peak": 0.568, "valley": 0.288}}, "tier": {"mode": "adder", "scope": "month", "steps": [{"up_to": 90.5, "price": 0}, {"up_to": 181, "price": 0.05}, {"price": 0.3}]}},
		{"code": "v", "kind": "energy", "tier": {"mode": "volume", "steps": [{"up_to": {"season": {"summer": 120, "*": 100}}, "price": 0.031}, {"price": 0.007}]}}, {"code": "levy", "kind": "percent", "percent": 1.7, "base": ["e"]}]}');
CREATE FUNCTION used(name text, kwh numeric) RETURNS usage_summary LANGUAGE sql STABLE
RETURN (SELECT usage_from(tariff, jsonb_build_object('import_kwh', kwh)) FROM t WHERE t.name = used.name);

-- cumulative 3, 7: 3, 6; 12, 14: 120, 20; 15, 16, 16: 150, -70, 0
SELECT rate_increment(tariff, NULL, used(name, 3)) AS "3", rate_increment(tariff, used(name, 3), used(name, 7)) AS "6" FROM t WHERE name = 'graduated';
SELECT rate_increment(tariff, NULL, used(name, 12)) AS "120", rate_increment(tariff, used(name, 12), used(name, 14)) AS "20", rate_increment(tariff, NULL, used(name, 15)) AS "150",
	rate_increment(tariff, used(name, 15), used(name, 16)) AS "-70", rate_increment(tariff, used(name, 16), used(name, 16)) AS "0" FROM t WHERE name = 'volume';
-- the minimum is due once, at the end; ctx does not decide when that is
SELECT rate_increment(tariff, NULL, used(name, 10)) AS "3.33", rate_increment(tariff, used(name, 10), used(name, 20)) AS "3.33", rate_increment(tariff, used(name, 10), used(name, 20), '{"final": true}') AS "3.33, too",
	rate_increment(tariff, used(name, 10), used(name, 20), '{}', true) AS "6.67", rate_increment(tariff, used(name, 20), used(name, 20), '{}', true) AS "3.34" FROM t WHERE name = 'minimum';
-- a peak that is higher than the one before costs the difference
SELECT rate_increment(tariff, NULL, a) AS "50", rate_increment(tariff, a, usage_merge(a, b)) AS "20", rate_increment(tariff, usage_merge(a, b), usage_merge(usage_merge(a, b), a)) AS "0"
FROM t, LATERAL (SELECT usage_from(tariff, '{"during": ["2026-01-01", "2026-01-10"], "max_kw": {"main": 5}}'), usage_from(tariff, '{"during": ["2026-01-10", "2026-01-20"], "max_kw": {"main": 7}}')) AS u(a, b) WHERE name = 'demand';
-- what NULL means, and what is wrong
SELECT rate_increment(NULL, a, a) IS NULL AS tariff, rate_increment(tariff, a, NULL) IS NULL AS after, rate_increment(tariff, a, a, NULL) IS NULL AS ctx, rate_increment(tariff, a, a, '{}', NULL) IS NULL AS final
FROM t, LATERAL (SELECT used(name, 3)) AS u(a) WHERE name = 'graduated';
SELECT rate_increment(tariff, used('volume', 1), used(name, 3), '{"befor": 1}') FROM t WHERE name = 'graduated';
SELECT rate_increment(tariff, used('home', 0), used(name, 3)) FROM t WHERE name = 'graduated';
SELECT rate_increment(tariff, used(name, 3), used('home', 0)) FROM t WHERE name = 'graduated';

-- two totals that can be had, and a difference that cannot
SELECT rate_increment(tariff, usage_from(tariff, '{"import_kwh": {"down": 9223372036854}}'), usage_from(tariff, '{"import_kwh": {"up": 9223372036854}}'))
FROM (SELECT '{"elecbill": 1, "currency": "XXX", "schedules": {"s": [{"period": "up", "spans": [["00:00", "12:00"]]}, {"period": "down"}]}, "values": {"p": {"period": {"up": 9223372036, "down": -9223372036}}},
	"components": [{"code": "a", "kind": "energy", "price": {"ref": "p"}}, {"code": "b", "kind": "energy", "price": {"ref": "p"}}]}'::tariff AS tariff) AS q;

-- 2,000 bills of two months at random, read at 1 to 6 random instants: the increments of the readings, each from its own
-- two summaries alone, and the last one final, add up to the bill; one that did not grow costs nothing
SELECT random() AS seed \gset
SELECT setseed(:seed);
CREATE TABLE cut AS SELECT bill, array_agg(DISTINCT at ORDER BY at) || '2026-06-30 16:00Z'::timestamptz AS at, (random() * 400)::numeric(8, 3) AS kwh
FROM (SELECT bill, '2026-04-30 16:00Z'::timestamptz + (1 + floor(random() * 5855)) * interval '15 min' AS at FROM generate_series(1, 2000) AS bill, LATERAL generate_series(1, 1 + bill % 6)) AS q GROUP BY bill;
CREATE TABLE grown AS SELECT bill, n, usage(tariff, tstzrange('2026-04-30 16:00Z'::timestamptz + k * interval '12 h', least('2026-04-30 16:00Z'::timestamptz + (k + 1) * interval '12 h', at[n])), round(kwh * ((k * 31 + bill) % 7) / 300, 6)) AS u
FROM t, cut, LATERAL generate_subscripts(at, 1) AS n, LATERAL generate_series(0, 121) AS k WHERE name = 'home' AND '2026-04-30 16:00Z'::timestamptz + k * interval '12 h' < at[n] GROUP BY bill, n;
SELECT count(*) AS bills, bool_and(sum = total) AS telescopes, bool_and(still = 0) AS nothing_costs_nothing,
	CASE WHEN NOT bool_and(sum = total AND still = 0) THEN :seed END AS seed_if_not FROM (
	SELECT bill, sum(increment) AS sum, max(total) FILTER (WHERE last) AS total, sum(still) AS still
	FROM (SELECT bill, rate_increment(tariff, lag(u) OVER w, u, '{}', lead(n) OVER w IS NULL) AS increment, lead(n) OVER w IS NULL AS last, rate_total(tariff, u) AS total, rate_increment(tariff, u, u) AS still
		FROM grown, t WHERE name = 'home' WINDOW w AS (PARTITION BY bill ORDER BY n)) AS q GROUP BY bill) AS b;
