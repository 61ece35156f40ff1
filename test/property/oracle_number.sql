-- oracle_number.sql: the case in work, and rounding, in plain exact numeric
-- The oracle prices one case at a time: a tariff's JSON (or its versions), intervals, a context. It
-- shares nothing with the engine: time zones are AT TIME ZONE, numbers are numeric and are divided
-- as fractions. It is slow, and written from doc/tariff.md and doc/rating.md.
CREATE SCHEMA oracle;

-- In: the case. version NULL: the tariff does not change.
CREATE UNLOGGED TABLE oracle.tariff (v int PRIMARY KEY, version int, t jsonb, from_d date, to_d date);
CREATE UNLOGGED TABLE oracle.given (n int, from_at timestamptz, to_at timestamptz, channel text, kwh numeric, price numeric);

-- What is worked out of it. load: those of the given rows that are rated. quantity: as a component names
-- it; schedule and period '' hold all.
CREATE UNLOGGED TABLE oracle.load (LIKE oracle.given);
CREATE UNLOGGED TABLE oracle.bill (ctx jsonb, zone text, start_at timestamptz, end_at timestamptz, first_d date, last_d date, months int);
CREATE UNLOGGED TABLE oracle.day (v int, d date, at timestamptz, until timestamptz, season text, tags text[]);
CREATE UNLOGGED TABLE oracle.instance (v int, scope text, start date, next date);
CREATE UNLOGGED TABLE oracle.point (v int, series text, kind text, at timestamptz, d date, price numeric);
CREATE UNLOGGED TABLE oracle.seg (v int, d date, at timestamptz, until timestamptz, w int, periods jsonb, prices jsonb);
CREATE UNLOGGED TABLE oracle.piece (n int, quantity text, d date, at timestamptz, kwh numeric, periods jsonb, prices jsonb);
CREATE UNLOGGED TABLE oracle.cell (d date, schedule text, period text, quantity text, kwh numeric);
CREATE UNLOGGED TABLE oracle.peak (v int, of_demand text, d date, at timestamptz, kw numeric);
CREATE UNLOGGED TABLE oracle.line (n int GENERATED ALWAYS AS IDENTITY, v int, component int, code text, grp text, period text, tier int,
	unit text, quantity numeric, raw numeric, amount numeric, last_d date);

-- num / den, den > 0, as a whole number
CREATE FUNCTION oracle.whole(num numeric, den numeric, mode text DEFAULT 'half_up') RETURNS numeric
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
	low numeric := div(num, den);
	rest numeric := num - low * den;
BEGIN
	IF rest < 0 THEN
		low := low - 1;
		rest := rest + den;
	END IF;
	IF rest = 0 THEN
		RETURN low;
	END IF;
	RETURN low + CASE mode
		WHEN 'half_up' THEN (2 * rest > den OR (2 * rest = den AND num > 0))::int
		WHEN 'half_even' THEN (2 * rest > den OR (2 * rest = den AND mod(low, 2) <> 0))::int
		WHEN 'up' THEN (num > 0)::int
		WHEN 'down' THEN (num < 0)::int
		WHEN 'floor' THEN 0
		ELSE 1 END;
END $$;

-- num / den half-up to that many decimals: 6 of a quantity, 9 of a price, 15 of money
CREATE FUNCTION oracle.near(num numeric, den numeric, digits int) RETURNS numeric
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
	step CONSTANT numeric[] := '{1e-6,1e-9,1e-15}';
BEGIN
	-- times the step, not divided: a quotient of numeric may be rounded
	RETURN CASE digits WHEN 6 THEN oracle.whole(num * 1000000, den) * step[1]
		WHEN 9 THEN oracle.whole(num * 1000000000, den) * step[2]
		ELSE oracle.whole(num * 1000000000000000, den) * step[3] END;
END $$;

-- value as R of the tariff says; null leaves it
CREATE FUNCTION oracle.by_rule(value numeric, rule jsonb) RETURNS numeric
LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
	IF rule IS NULL OR jsonb_typeof(rule) = 'null' THEN
		RETURN value;
	END IF;
	RETURN oracle.whole(value, (rule ->> 'step')::numeric, coalesce(rule ->> 'mode', 'half_up')) * (rule ->> 'step')::numeric;
END $$;

-- The bill cannot be worked out: something is not given (OR404), or is not allowed (OR400).
CREATE FUNCTION oracle.lack(what text) RETURNS numeric
LANGUAGE plpgsql AS $$
BEGIN
	RAISE EXCEPTION USING ERRCODE = 'OR404', MESSAGE = what;
END $$;

CREATE FUNCTION oracle.refuse(what text) RETURNS numeric
LANGUAGE plpgsql AS $$
BEGIN
	RAISE EXCEPTION USING ERRCODE = 'OR400', MESSAGE = what;
END $$;

CREATE FUNCTION oracle.texts(list jsonb) RETURNS text[]
LANGUAGE sql IMMUTABLE RETURN ARRAY(SELECT jsonb_array_elements_text(list));

-- An attribute as conditions and prices compare it: numbers in their shortest form
CREATE FUNCTION oracle.plain(value jsonb) RETURNS text
LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
	IF jsonb_typeof(value) = 'number' THEN
		RETURN trim_scale((value #>> '{}')::numeric)::text;
	END IF;
	RETURN value #>> '{}';
END $$;

CREATE FUNCTION oracle.in_range(range jsonb, value numeric, per numeric DEFAULT 1) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
	RETURN coalesce(value > (range ->> 'gt')::numeric * per, true) AND coalesce(value >= (range ->> 'ge')::numeric * per, true)
		AND coalesce(value < (range ->> 'lt')::numeric * per, true) AND coalesce(value <= (range ->> 'le')::numeric * per, true);
END $$;

-- Is the day in [from, to) of the JSON?
CREATE FUNCTION oracle.inside(d date, dates jsonb) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
	RETURN coalesce(d >= (dates ->> 0)::date, true) AND coalesce(d < (dates ->> 1)::date, true);
END $$;
