-- oracle_bill.sql: all other components, and a bill of them in order
-- Out: oracle.line; oracle.bill_lines() sums it by what tells lines apart.

-- Days or months of the bill, as a component counts them: NULL when it is charged once
CREATE FUNCTION oracle.counts(c jsonb) RETURNS text
LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
	RETURN CASE WHEN c ->> 'quantity' IN ('days', 'months') THEN c ->> 'quantity'
		WHEN c ->> 'per' = 'day' THEN 'days'
		WHEN c ->> 'prorate' = 'days' THEN 'month days'
		WHEN c ->> 'prorate' = 'months' OR c ->> 'per' = 'month' THEN 'months' END;
END $$;

-- Months of the bill until a day: whole ones and a part; the last one ends where the service does
CREATE FUNCTION oracle.months_until(on_d date) RETURNS numeric[]
LANGUAGE plpgsql STABLE AS $$
BEGIN
	RETURN (
		SELECT ARRAY[n * (next - start) + (on_d - start), next - start]
		FROM (SELECT b.*, (SELECT max(m) FROM generate_series(0, months - 1) AS m WHERE m = 0 OR (first_d + make_interval(months => m))::date <= on_d) AS n
				FROM oracle.bill AS b) AS m,
			LATERAL (SELECT (first_d + make_interval(months => n))::date AS start,
				CASE WHEN n = months - 1 THEN last_d + 1 ELSE (first_d + make_interval(months => n + 1))::date END AS next) AS s);
END $$;

-- How often the price of a part is due, as (num, den)
CREATE FUNCTION oracle.times(j oracle.job, p oracle.part) RETURNS numeric[]
LANGUAGE plpgsql STABLE AS $$
DECLARE
	what text := oracle.counts(j.c);
	num numeric := 0;
	den numeric := 1;
	d date;
	a numeric[];
	b numeric[];
BEGIN
	IF what = 'days' THEN
		RETURN ARRAY[cardinality(p.days), 1];
	ELSIF what IS NULL THEN
		RETURN '{1,1}';
	END IF;
	FOREACH d IN ARRAY p.days LOOP
		IF what = 'months' THEN
			a := oracle.months_until(d);
			b := oracle.months_until(d + 1);
			num := num * a[2] * b[2] + den * (b[1] * a[2] - a[1] * b[2]);
			den := den * a[2] * b[2];
		ELSE
			a := ARRAY[1, (SELECT next - start FROM oracle.instance WHERE v = j.v AND scope = 'month' AND start <= d ORDER BY start DESC LIMIT 1)];
			num := num * a[2] + den;
			den := den * a[2];
		END IF;
		a := ARRAY[gcd(num, den)];
		num := div(num, greatest(a[1], 1));
		den := div(den, greatest(a[1], 1));
	END LOOP;
	RETURN ARRAY[num, den];
END $$;

-- Days as one part by the rules of the last one of them; without days: it does not apply
CREATE FUNCTION oracle.by_last_day(j oracle.job, days date[]) RETURNS oracle.part
LANGUAGE plpgsql STABLE AS $$
DECLARE
	last date := days[cardinality(days)];
	p oracle.part;
BEGIN
	IF oracle.days_of(j.v, j.c -> 'when', ARRAY[last]) <> '{}' AND oracle.valid_days(j.v, j.c, ARRAY[last]) <> '{}' THEN
		p := (days, last, (SELECT season FROM oracle.day WHERE v = j.v AND d = last), (SELECT factor FROM oracle.factors(j.v, j.c, ARRAY[last])));
	END IF;
	RETURN p;
END $$;

CREATE FUNCTION oracle.bill_days() RETURNS date[]
LANGUAGE plpgsql STABLE AS $$
BEGIN
	RETURN (
		SELECT array_agg(d::date ORDER BY d) FROM oracle.bill, generate_series(first_d, last_d, interval '1 day') AS d);
END $$;

-- Fixed charges, capacity, quantities that are not energy
CREATE FUNCTION oracle.rate_fixed(ver int, t jsonb, c jsonb, at int, context jsonb) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
	j oracle.job := oracle.new_job(ver, t, c, at, context);
	quantity text := coalesce(c ->> 'quantity', CASE c ->> 'kind' WHEN 'capacity' THEN 'attr:contract_kva' END);
	p oracle.part;
	began int := (SELECT coalesce(max(n), 0) FROM oracle.line);
	before numeric[] := '{0,0}';
BEGIN
	j.unit := coalesce(c ->> 'per', CASE c ->> 'kind' WHEN 'fixed' THEN 'bill' WHEN 'capacity' THEN 'kva' ELSE 'unit' END);
	IF quantity IN ('days', 'months') THEN
		j.unit := left(quantity, -1);
		quantity := NULL;
	END IF;
	IF oracle.counts(c) IS NOT NULL THEN
		FOR p IN SELECT * FROM oracle.parts(ver, t, c, j.wants, oracle.bill_days(), NULL) LOOP
			PERFORM oracle.push_line(j, p, NULL, NULL, j.unit, oracle.quantity(quantity),
				oracle.quantity(quantity) * oracle.unit_price(oracle.env_of(j, p, NULL), c -> 'price'), oracle.times(j, p));
		END LOOP;
		RETURN;
	END IF;
	p := oracle.by_last_day(j, oracle.bill_days());
	IF p.days IS NULL THEN
		RETURN;
	ELSIF j.tier IS NULL THEN
		PERFORM oracle.push_line(j, p, NULL, NULL, j.unit, oracle.quantity(quantity),
			oracle.quantity(quantity) * oracle.unit_price(oracle.env_of(j, p, NULL), c -> 'price'));
		RETURN;
	END IF;
	IF (SELECT count(*) FROM oracle.instance AS i, oracle.bill WHERE i.v = ver AND i.scope = j.scope AND start <= last_d AND next > first_d) > 1 THEN
		PERFORM oracle.lack('the quantity by month, quarter or year');
	END IF;
	j.months := CASE j.scope WHEN 'month' THEN 1 WHEN 'quarter' THEN 3 WHEN 'year' THEN 12 ELSE j.months END;
	IF context -> 'before' ? j.scope THEN
		before := oracle.used_before(j);
	END IF;
	PERFORM oracle.rate_group(j, p, j.periods, ARRAY[oracle.quantity(quantity)], before[1] + before[2]);
	IF NOT EXISTS (SELECT FROM oracle.line WHERE n > began) THEN
		PERFORM oracle.push_zero(j, p, before[1] + before[2]);
	END IF;
END $$;

-- ---------------------------------------------------------------- by the lines before

-- Those components before this one that are in its base, by their place
CREATE FUNCTION oracle.base(t jsonb, c jsonb, at int) RETURNS int[]
LANGUAGE plpgsql STABLE AS $$
BEGIN
	RETURN (
		SELECT ARRAY(SELECT n::int FROM jsonb_array_elements(t -> 'components') WITH ORDINALITY AS e (o, n)
			WHERE n < at AND (coalesce(c -> 'base', '["*"]') ?| ARRAY['*', o ->> 'code', coalesce(o ->> 'group', o ->> 'code')])));
END $$;

-- The share of the base that lies above a limit, as (num, den)
CREATE FUNCTION oracle.share_above(c jsonb) RETURNS numeric[]
LANGUAGE plpgsql STABLE AS $$
DECLARE
	part record;
	units numeric;
BEGIN
	SELECT key, value::numeric AS above INTO part FROM jsonb_each_text(c -> 'share_above');
	IF part.key IS NULL THEN
		RETURN '{1,1}';
	END IF;
	units := oracle.quantity(part.key);
	RETURN CASE WHEN units > 0 AND units > part.above THEN ARRAY[units - part.above, units] ELSE '{0,1}' END;
END $$;

-- A percentage of rounded lines. A line counts by the rules of its last day; lines in order of that day
-- make one line as long as the percentage stays the same. given: the percentage, not that of the component.
CREATE FUNCTION oracle.rate_percent(ver int, t jsonb, c jsonb, at int, context jsonb, given numeric DEFAULT NULL) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
	bases int[] := oracle.base(t, c, at);
	lines record;
	share numeric[];
BEGIN
	FOR lines IN
		WITH base AS MATERIALIZED (SELECT * FROM oracle.line WHERE v = ver AND component = ANY (bases)),
		days AS MATERIALIZED (
			SELECT oracle.valid_days(ver, c, oracle.days_of(ver, c -> 'when', array_agg(DISTINCT last_d ORDER BY last_d))) AS list
			FROM base HAVING count(*) > 0),
		judged AS MATERIALIZED (
			SELECT f.d, f.factor, coalesce(given, oracle.value((ver, t, coalesce(context -> 'attrs', '{}'), NULL, season, f.d, NULL)::oracle.env, c -> 'percent')) AS percent
			FROM days, oracle.factors(ver, c, list) AS f JOIN oracle.day ON day.v = ver AND day.d = f.d),
		run AS (
			SELECT b.*, factor, percent, row_number() OVER (ORDER BY last_d, b.n)
				- row_number() OVER (PARTITION BY percent, factor ORDER BY last_d, b.n) AS island
			FROM base AS b JOIN judged ON d = last_d)
		SELECT percent, factor, max(last_d) AS last_d, sum(amount) AS base, CASE WHEN c @> '{"per_line": true}' THEN min(period) END AS period,
			CASE WHEN c @> '{"per_line": true}' THEN min(tier) END AS tier, min(n) AS n
		FROM run GROUP BY percent, factor, CASE WHEN c @> '{"per_line": true}' THEN n ELSE island END ORDER BY n
	LOOP
		share := oracle.share_above(c);
		PERFORM oracle.push(ver, t, c, at, lines.period, lines.tier, 'percent', oracle.near(lines.base, 1, 6),
			oracle.near(lines.base * lines.percent * share[1], 100 * share[2], 15), lines.factor, lines.last_d);
	END LOOP;
END $$;

CREATE FUNCTION oracle.rate_power_factor(ver int, t jsonb, c jsonb, at int, context jsonb) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
	pf int;
BEGIN
	IF oracle.days_of(ver, c -> 'when', oracle.valid_days(ver, c, oracle.bill_days())) <> '{}' THEN
		pf := oracle.power_factor();
		IF pf IS NOT NULL THEN
			PERFORM oracle.rate_percent(ver, t, c, at, context, oracle.pf_percent(c, pf, context -> 'attrs'));
		END IF;
	END IF;
END $$;

-- Does the bill hold the last day of a tier year? Of two it is refused.
CREATE FUNCTION oracle.year_ends(ver int) RETURNS boolean
LANGUAGE plpgsql STABLE AS $$
DECLARE
	ends int := (SELECT count(*) FROM oracle.instance, oracle.bill WHERE v = ver AND scope = 'year' AND next > first_d AND next <= last_d + 1);
BEGIN
	IF ends > 1 THEN
		PERFORM oracle.refuse('two tier years end');
	END IF;
	RETURN ends = 1;
END $$;

-- Minimum and maximum: the difference, by the rules of the last day
CREATE FUNCTION oracle.rate_limit(ver int, t jsonb, c jsonb, at int, context jsonb) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
	j oracle.job := oracle.new_job(ver, t, c, at, context);
	base text[] := ARRAY(SELECT t -> 'components' -> (x - 1) ->> 'code' FROM unnest(oracle.base(t, c, at)) AS x);
	due numeric;
	sum numeric;
	p oracle.part;
BEGIN
	IF context @> '{"final": false}' OR (c ->> 'scope' = 'year' AND NOT oracle.year_ends(ver)) THEN
		RETURN;
	END IF;
	p := oracle.by_last_day(j, oracle.bill_days());
	IF p.days IS NULL THEN
		RETURN;
	END IF;
	due := oracle.value(oracle.env_of(j, p, NULL), c -> 'amount') * CASE c ->> 'scope' WHEN 'month' THEN j.months ELSE 1 END;
	IF p.factor IS NOT NULL THEN
		due := oracle.by_rule(oracle.near(due * (c -> 'factor_if' -> p.factor ->> 'factor')::numeric, 1, 15), c -> 'factor_if' -> p.factor -> 'round');
	END IF;
	SELECT coalesce(sum(amount), 0) INTO sum FROM oracle.line WHERE component IS NOT NULL AND code = ANY (base) AND v <= ver;
	IF c ->> 'scope' = 'year' THEN
		sum := greatest(sum, 0) + coalesce((context -> 'charged' ->> 'year')::numeric, 0);
	END IF;
	IF (c ->> 'kind' = 'minimum' AND sum < due) OR (c ->> 'kind' = 'maximum' AND sum > due) THEN
		PERFORM oracle.push(ver, t, c, at, NULL, NULL, 'bill', 1, due - sum, NULL, p.d);
	END IF;
END $$;

-- ---------------------------------------------------------------- the bill

-- Tax: a line for each rate, in the order of the components
CREATE FUNCTION oracle.rate_vat(ver int, t jsonb) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
	rate record;
BEGIN
	FOR rate IN
		SELECT (o ->> 'vat')::numeric AS percent, sum(amount) AS base
		FROM jsonb_array_elements(t -> 'components') WITH ORDINALITY AS e (o, at) JOIN oracle.line ON component = at AND v = ver
		WHERE (o ->> 'vat')::numeric <> 0 GROUP BY 1
	LOOP
		PERFORM oracle.push(ver, t, '{"code": "vat"}', NULL, NULL, NULL, 'percent', oracle.near(rate.base, 1, 6), oracle.near(rate.base * rate.percent, 100, 15), NULL, NULL);
	END LOOP;
END $$;

CREATE FUNCTION oracle.rate_component(ver int, t jsonb, c jsonb, at int, context jsonb) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
	CASE
		WHEN c ->> 'kind' IN ('energy', 'reactive', 'credit') OR (c ->> 'kind' = 'custom' AND c ->> 'quantity' ~ '_kw?varh$|_kwh$') THEN
			PERFORM oracle.rate_energy(ver, t, c, at, context);
		WHEN c ->> 'kind' IN ('fixed', 'capacity', 'custom') THEN
			PERFORM oracle.rate_fixed(ver, t, c, at, context);
		WHEN c ->> 'kind' = 'demand' THEN
			PERFORM oracle.rate_demand(ver, t, c, at, context);
		WHEN c ->> 'kind' = 'percent' THEN
			PERFORM oracle.rate_percent(ver, t, c, at, context);
		WHEN c ->> 'kind' = 'power_factor' THEN
			PERFORM oracle.rate_power_factor(ver, t, c, at, context);
		ELSE
			PERFORM oracle.rate_limit(ver, t, c, at, context);
	END CASE;
END $$;

-- Rates the case, as far as its intervals are numbered up to the last one, into oracle.line. Versions one
-- after the other, each on its days; the total at the end.
CREATE FUNCTION oracle.rate_bill(context jsonb, upto int) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
	version record;
	rule jsonb;
	total numeric;
BEGIN
	PERFORM oracle.classify(context, upto);
	PERFORM oracle.fill_peaks(x.v, x.t, name) FROM oracle.tariff AS x, jsonb_object_keys(x.t -> 'demands') AS name;
	FOR version IN
		SELECT x.v, x.t, to_d IS NULL OR to_d > last_d AS last FROM oracle.tariff AS x, oracle.bill
		WHERE (from_d IS NULL OR from_d <= last_d) AND (to_d IS NULL OR to_d > first_d) ORDER BY v
	LOOP
		PERFORM oracle.rate_component(version.v, version.t, c, n::int, context)
		FROM (SELECT * FROM jsonb_array_elements(version.t -> 'components') WITH ORDINALITY AS e (c, n) ORDER BY n) AS o;
		PERFORM oracle.rate_vat(version.v, version.t);
		rule := version.t -> 'round' -> 'total';
		CONTINUE WHEN NOT version.last;
		total := (SELECT coalesce(sum(amount), 0) FROM oracle.line);
		IF oracle.by_rule(total, rule) <> total THEN
			PERFORM oracle.push(version.v, version.t, '{"code": "rounding", "round": null}', NULL, NULL, NULL, 'bill', 1, oracle.by_rule(total, rule) - total, NULL, NULL);
		END IF;
	END LOOP;
END $$;
