-- property.sql: 2,000 random bills against an oracle in exact numeric that shares no code with the engine
-- The seed is printed; psql -v seed=0.123 repeats a run.
\if :{?seed}
\else
SELECT round((random() * 2 - 1)::numeric, 6) AS seed \gset
\endif
BEGIN;
SELECT plan(10);
SELECT diag('property: seed=' || :'seed');
SELECT setseed(:seed) \g /dev/null
SET search_path = elecbill, public;

-- random cases; materialized, so that each is drawn once
CREATE TEMP TABLE c AS SELECT i AS id,
	1 + (random() * 4)::int AS nsteps,
	round((random() * 700)::numeric, (random() * 6)::int) AS peak,
	CASE WHEN random() < 0.1 THEN 0 ELSE round((random() * 300)::numeric, (random() * 6)::int) END AS valley,
	CASE WHEN random() < 0.4 THEN 0 ELSE round((random() * 900)::numeric, (random() * 6)::int) END AS before,
	round((random() * 20)::numeric, 2) AS percent,
	round((random() * 30)::numeric, 2) AS fixed
FROM generate_series(1, 2000) i;
-- steps: lower and upper bound (NULL: no end), price by day and by night, flat
CREATE TEMP TABLE s AS
SELECT id, k, coalesce(sum(width) OVER (PARTITION BY id ORDER BY k ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS low,
	CASE WHEN k < nsteps THEN sum(width) OVER (PARTITION BY id ORDER BY k) END AS high,
	peak_price, valley_price, flat
FROM (SELECT id, nsteps, k, round((1 + random() * 250)::numeric, (random() * 6)::int) + 0.000001 AS width,
		round((random() * 2 - 0.2)::numeric, (random() * 9)::int) AS peak_price,
		round((random())::numeric, (random() * 9)::int) AS valley_price,
		CASE WHEN random() < 0.3 THEN round((random() * 9)::numeric, 2) ELSE 0 END AS flat
	FROM c, LATERAL generate_series(1, nsteps) k) w;
CREATE TEMP TABLE a AS SELECT c.*, c.peak + c.valley AS kwh,
	array_agg(high ORDER BY k) FILTER (WHERE high IS NOT NULL) AS limits,
	array_agg(peak_price ORDER BY k) AS prices, array_agg(flat ORDER BY k) AS flats
FROM c JOIN s USING (id) GROUP BY c.id, c.nsteps, c.peak, c.valley, c.before, c.percent, c.fixed;
UPDATE a SET limits = '{}' WHERE limits IS NULL;

-- the slow form: what of (from, to] lies in a step
CREATE FUNCTION pg_temp.part(low numeric, high numeric, f numeric, t numeric) RETURNS numeric LANGUAGE sql AS
$$ SELECT CASE WHEN t <= low OR f >= high THEN 0 WHEN high IS NULL OR t < high THEN t - greatest(low, f) ELSE high - greatest(low, f) END $$;

SELECT is(count(*), 0::bigint, 'tier_charge, graduated with flats')
FROM a WHERE tier_charge(kwh, limits, prices, 'graduated', flats) <>
	(SELECT sum(pg_temp.part(low, high, 0, kwh) * peak_price) + sum(flat) FILTER (WHERE k = 1 OR kwh > low) FROM s WHERE s.id = a.id);
SELECT is(count(*), 0::bigint, 'tier_charge, volume with flats')
FROM a WHERE tier_charge(kwh, limits, prices, 'volume', flats) <>
	(SELECT kwh * peak_price + flat FROM s WHERE s.id = a.id AND (kwh > low OR k = 1) AND (kwh <= high OR high IS NULL));
SELECT is(count(*), 0::bigint, 'tier_lines after earlier use: F(before + q) - F(before)')
FROM a WHERE (SELECT coalesce(sum(amount), 0) FROM tier_lines(kwh, limits, prices, before)) <>
	tier_charge(before + kwh, limits, prices) - tier_charge(before, limits, prices);

-- the same as tariffs: graduated by period (prorata), percent on the rounded lines
CREATE TEMP TABLE b AS SELECT a.id, peak, valley, kwh, before, percent, fixed, tariff, usage_from(tariff,
		jsonb_build_object('import_kwh', jsonb_build_object('peak', peak, 'valley', valley))) AS usage
FROM a, LATERAL (SELECT jsonb_build_object('elecbill', 1, 'currency', 'CNY', 'zone', 'Asia/Shanghai',
	'schedules', '{"tou":[{"period":"peak","spans":[["08:00","22:00"]]},{"period":"valley"}]}'::jsonb,
	'components', jsonb_build_array(
		jsonb_build_object('code', 'e', 'kind', 'energy', 'tier', jsonb_build_object('steps',
			(SELECT jsonb_agg(jsonb_strip_nulls(jsonb_build_object('up_to', high, 'flat', flat,
				'price', jsonb_build_object('period', jsonb_build_object('peak', peak_price, 'valley', valley_price)))) ORDER BY k)
			 FROM s WHERE s.id = a.id))),
		jsonb_build_object('code', 'f', 'kind', 'fixed', 'price', fixed),
		jsonb_build_object('code', 'p', 'kind', 'percent', 'percent', percent)))::elecbill.tariff AS tariff) t;
CREATE TEMP TABLE l AS SELECT id, r.* FROM b, rate(tariff, usage, jsonb_build_object('before', jsonb_build_object('bill', before))) r;

SELECT is(count(*), 0::bigint, 'kWh by period = kWh in')
FROM b WHERE (peak, valley) IS DISTINCT FROM
	(SELECT (coalesce(sum(quantity) FILTER (WHERE period = 'peak'), 0), coalesce(sum(quantity) FILTER (WHERE period = 'valley'), 0))
	 FROM l WHERE l.id = b.id AND code = 'e' AND unit = 'kwh');
SELECT is(count(*), 0::bigint, 'kWh by step = the slow form')
FROM b JOIN s USING (id) WHERE pg_temp.part(low, high, before, before + kwh) <>
	(SELECT coalesce(sum(quantity), 0) FROM l WHERE l.id = b.id AND code = 'e' AND unit = 'kwh' AND tier = k);
SELECT is(count(*), 0::bigint, 'each step is shared over day and night by their share, to 2 millionths of a kWh')
FROM l JOIN b USING (id) WHERE code = 'e' AND unit = 'kwh' AND kwh > 0 AND abs(quantity -
	(SELECT sum(quantity) FROM l o WHERE o.id = l.id AND o.code = 'e' AND o.unit = 'kwh' AND o.tier = l.tier)
	* CASE period WHEN 'peak' THEN peak ELSE valley END / kwh) > 0.000002 * tier;
SELECT is(count(*), 0::bigint, 'a line is quantity x price, rounded half-up to the fen')
FROM l JOIN s ON s.id = l.id AND s.k = l.tier WHERE unit = 'kwh'
	AND (amount_raw <> quantity * CASE period WHEN 'peak' THEN peak_price ELSE valley_price END OR amount <> round(amount_raw, 2));
SELECT is(count(*), 0::bigint, 'flats are charged where a step is entered, the first with the first kWh')
FROM b WHERE (SELECT coalesce(sum(amount), 0) FROM l WHERE l.id = b.id AND code = 'e' AND unit = 'bill') <>
	(SELECT coalesce(sum(flat) FILTER (WHERE CASE WHEN k = 1 THEN before = 0 ELSE before <= low AND before + kwh > low END), 0) FROM s WHERE s.id = b.id);
SELECT is(count(*), 0::bigint, 'a percentage is of the rounded lines before it')
FROM b WHERE (SELECT amount FROM l WHERE l.id = b.id AND code = 'p') <>
	(SELECT round(sum(amount) * percent / 100, 2) FROM l WHERE l.id = b.id AND code <> 'p');
SELECT is(count(*), 0::bigint, 'the total is the sum of the lines')
FROM b WHERE rate_total(tariff, usage, jsonb_build_object('before', jsonb_build_object('bill', before))) <>
	(SELECT sum(amount) FROM l WHERE l.id = b.id);
SELECT * FROM finish();
ROLLBACK;
