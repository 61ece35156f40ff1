-- oracle_price.sql: prices, quantities, conditions; days that a component treats alike; lines

-- What prices may look at
CREATE TYPE oracle.env AS (v int, t jsonb, attrs jsonb, period text, season text, d date, prices jsonb);

-- A price of a series that does not change inside a day
CREATE FUNCTION oracle.series_price(e oracle.env, name text) RETURNS numeric
LANGUAGE plpgsql STABLE AS $$
DECLARE
	price numeric;
BEGIN
	SELECT p.price INTO price FROM oracle.point AS p, oracle.bill
	WHERE p.v = e.v AND series = name AND CASE kind WHEN 'bill_month' THEN date_trunc('month', p.d) <= date_trunc('month', last_d)
		WHEN 'days' THEN p.d <= e.d END
	ORDER BY at DESC LIMIT 1;
	RETURN coalesce(price, oracle.lack('series ' || name));
END $$;

-- The exact price of a node
CREATE FUNCTION oracle.price(e oracle.env, p jsonb) RETURNS numeric
LANGUAGE plpgsql STABLE AS $$
DECLARE
	entries jsonb;
	entry jsonb;
	name text;
	result numeric;
BEGIN
	IF p IS NULL THEN
		RETURN 0;
	ELSIF jsonb_typeof(p) <> 'object' THEN
		RETURN (p #>> '{}')::numeric;
	ELSIF p ? 'ref' THEN
		RETURN oracle.price(e, e.t -> 'values' -> (p ->> 'ref'));
	ELSIF p ? 'mul' THEN
		result := 1;
		FOR entry IN SELECT jsonb_array_elements(p -> 'mul') LOOP
			result := result * oracle.price(e, entry);
		END LOOP;
		RETURN oracle.by_rule(result, p -> 'round');
	ELSIF p ? 'add' THEN
		result := 0;
		FOR entry IN SELECT jsonb_array_elements(p -> 'add') LOOP
			result := result + oracle.price(e, entry);
		END LOOP;
		RETURN oracle.by_rule(result, p -> 'round');
	ELSIF p ? 'series' THEN
		IF EXISTS (SELECT FROM oracle.point WHERE v = e.v AND series = p ->> 'series' AND kind <> 'instant') THEN
			RETURN oracle.series_price(e, p ->> 'series');
		END IF;
		RETURN coalesce((e.prices ->> (p ->> 'series'))::numeric, oracle.lack('series ' || (p ->> 'series')));
	ELSIF p ? 'attr' THEN
		entries := p -> 'of';
		name := oracle.plain(e.attrs -> (p ->> 'attr'));
	ELSIF p ? 'season' THEN
		entries := p -> 'season';
		name := e.season;
	ELSE
		entries := p -> 'period';
		name := e.period;
	END IF;
	entry := coalesce(entries -> name, entries -> '*');
	-- what belongs to all periods has no price by period, not even that of all others
	IF entry IS NULL OR (p ? 'period' AND name IS NULL) THEN
		RETURN oracle.lack('price of ' || coalesce(name, 'nothing'));
	END IF;
	RETURN oracle.price(e, entry);
END $$;

-- A unit price, rounded as the tariff says; without a rule half-up at 1e-9
CREATE FUNCTION oracle.unit_price(e oracle.env, p jsonb) RETURNS numeric
LANGUAGE plpgsql STABLE AS $$
DECLARE
	rule jsonb := nullif(e.t -> 'round' -> 'price', 'null');
BEGIN
	IF rule IS NULL THEN
		RETURN oracle.near(oracle.price(e, p), 1, 9);
	END IF;
	RETURN oracle.by_rule(oracle.price(e, p), rule);
END $$;

-- A bound, flat, percentage or amount: round.price is not for them
CREATE FUNCTION oracle.value(e oracle.env, p jsonb) RETURNS numeric
LANGUAGE plpgsql STABLE AS $$
BEGIN
	RETURN oracle.near(oracle.price(e, p), 1, 9);
END $$;

-- What a price looks at: period, season, series:NAME
CREATE FUNCTION oracle.reads(t jsonb, p jsonb) RETURNS text[]
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
	entry jsonb;
	result text[] := '{}';
BEGIN
	IF p IS NULL OR jsonb_typeof(p) <> 'object' THEN
		RETURN result;
	ELSIF p ? 'ref' THEN
		RETURN oracle.reads(t, t -> 'values' -> (p ->> 'ref'));
	ELSIF p ? 'series' THEN
		RETURN ARRAY['series:' || (p ->> 'series')];
	ELSIF p ? 'season' THEN
		result := '{season}';
	ELSIF p ? 'period' THEN
		result := '{period}';
	END IF;
	FOR entry IN SELECT jsonb_array_elements(coalesce(p -> 'mul', p -> 'add', '[]'))
		UNION ALL SELECT value FROM jsonb_each(coalesce(p -> 'period', p -> 'season', p -> 'of', '{}')) LOOP
		result := result || oracle.reads(t, entry);
	END LOOP;
	RETURN result;
END $$;

CREATE FUNCTION oracle.steps_read(t jsonb, steps jsonb) RETURNS text[]
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
	step jsonb;
	result text[] := '{}';
BEGIN
	FOR step IN SELECT jsonb_array_elements(coalesce(steps, '[]')) LOOP
		result := result || oracle.reads(t, step -> 'price') || oracle.reads(t, step -> 'up_to') || oracle.reads(t, step -> 'flat')
			|| oracle.steps_read(t, step -> 'steps');
	END LOOP;
	RETURN result;
END $$;

-- ---------------------------------------------------------------- quantities and conditions

CREATE FUNCTION oracle.number(given jsonb, name text) RETURNS numeric
LANGUAGE plpgsql STABLE AS $$
BEGIN
	IF given -> name IS NULL THEN
		RETURN oracle.lack(name);
	ELSIF jsonb_typeof(given -> name) NOT IN ('number', 'string') OR given ->> name !~ '^-?[0-9.]+$' THEN
		RETURN oracle.refuse(name);
	END IF;
	RETURN (given ->> name)::numeric;
END $$;

-- All of a channel in the bill
CREATE FUNCTION oracle.channel(name text) RETURNS numeric
LANGUAGE plpgsql STABLE AS $$
BEGIN
	IF name = 'net_kwh' THEN
		RETURN oracle.channel('import_kwh') - oracle.channel('export_kwh');
	ELSIF NOT EXISTS (SELECT FROM oracle.piece WHERE quantity = name) THEN
		RETURN oracle.lack(name);
	END IF;
	RETURN coalesce((SELECT sum(kwh) FROM oracle.cell WHERE quantity = name AND schedule = ''), 0);
END $$;

CREATE FUNCTION oracle.quantity(name text) RETURNS numeric
LANGUAGE plpgsql STABLE AS $$
DECLARE
	b oracle.bill;
BEGIN
	IF name IN ('import_kwh', 'export_kwh', 'import_kvarh', 'export_kvarh', 'net_kwh') THEN
		RETURN oracle.channel(name);
	END IF;
	SELECT * INTO b FROM oracle.bill;
	IF name = 'days' THEN
		RETURN b.last_d - b.first_d + 1;
	ELSIF name = 'months' THEN
		RETURN b.months;
	ELSIF name LIKE 'attr:%' THEN
		RETURN oracle.number(b.ctx -> 'attrs', substr(name, 6));
	ELSIF name IS NULL THEN
		RETURN 1;
	END IF;
	RETURN oracle.number(b.ctx -> 'qty', name);
END $$;

-- Do the account and the quantities of the bill fulfil a condition? One that fails ends the search.
CREATE FUNCTION oracle.bill_fits(condition jsonb) RETURNS boolean
LANGUAGE plpgsql STABLE AS $$
DECLARE
	attrs jsonb := (SELECT ctx -> 'attrs' FROM oracle.bill);
	test record;
	per numeric;
BEGIN
	FOR test IN SELECT * FROM jsonb_each(condition -> 'attr') LOOP
		IF attrs -> test.key IS NULL THEN
			RETURN false;
		ELSIF jsonb_typeof(test.value) = 'object' THEN
			IF NOT oracle.in_range(test.value, oracle.number(attrs, test.key)) THEN
				RETURN false;
			END IF;
		ELSIF oracle.plain(attrs -> test.key) NOT IN (SELECT oracle.plain(x) FROM jsonb_array_elements(
				CASE jsonb_typeof(test.value) WHEN 'array' THEN test.value ELSE jsonb_build_array(test.value) END) AS x) THEN
			RETURN false;
		END IF;
	END LOOP;
	FOR test IN SELECT * FROM jsonb_each(condition -> 'qty') LOOP
		IF NOT oracle.in_range(test.value, oracle.quantity(test.key)) THEN
			RETURN false;
		END IF;
	END LOOP;
	IF condition ? 'ratio' THEN
		per := oracle.quantity(condition -> 'ratio' ->> 'to');
		RETURN oracle.in_range(condition -> 'ratio', oracle.quantity(condition -> 'ratio' ->> 'of'), per) AND per > 0;
	END IF;
	RETURN true;
END $$;

-- Those of the days on which a condition holds
CREATE FUNCTION oracle.days_of(ver int, condition jsonb, days date[]) RETURNS date[]
LANGUAGE plpgsql STABLE AS $$
DECLARE
	result date[] := days;
BEGIN
	IF condition ?| '{season,months,days,not_days,date}' THEN
		result := ARRAY(SELECT d FROM oracle.day WHERE v = ver AND d = ANY (days) AND oracle.day_fits(condition, d, season, tags)
			AND (NOT condition ? 'date' OR oracle.inside(d, condition -> 'date')) ORDER BY d);
	END IF;
	IF result = '{}' OR NOT condition ?| '{attr,qty,ratio}' OR oracle.bill_fits(condition) THEN
		RETURN result;
	END IF;
	RETURN '{}';
END $$;

-- Those that the version rates
CREATE FUNCTION oracle.own_days(ver int, days date[]) RETURNS date[]
LANGUAGE plpgsql STABLE AS $$
BEGIN
	RETURN (
		SELECT ARRAY(SELECT d FROM unnest(days) AS d, oracle.tariff WHERE v = ver AND (from_d IS NULL OR d >= from_d) AND (to_d IS NULL OR d < to_d) ORDER BY d));
END $$;

-- Those on which the component counts, as far as dates of its own and of its version say
CREATE FUNCTION oracle.valid_days(ver int, c jsonb, days date[]) RETURNS date[]
LANGUAGE plpgsql STABLE AS $$
BEGIN
	RETURN (
		SELECT ARRAY(SELECT d FROM unnest(oracle.own_days(ver, days)) AS d WHERE NOT c ? 'valid' OR oracle.inside(d, c -> 'valid') ORDER BY d));
END $$;

-- Which factor_if holds on each of the days, from 0; NULL: none
CREATE FUNCTION oracle.factors(ver int, c jsonb, days date[]) RETURNS TABLE (d date, factor int)
LANGUAGE plpgsql STABLE AS $$
DECLARE
	rest date[] := days;
	hit date[];
BEGIN
	FOR i IN 0 .. jsonb_array_length(coalesce(c -> 'factor_if', '[]')) - 1 LOOP
		EXIT WHEN rest = '{}';
		hit := oracle.days_of(ver, c -> 'factor_if' -> i -> 'if', rest);
		RETURN QUERY SELECT h, i FROM unnest(hit) AS h;
		rest := ARRAY(SELECT unnest(rest) EXCEPT SELECT unnest(hit));
	END LOOP;
	RETURN QUERY SELECT r, NULL::int FROM unnest(rest) AS r;
END $$;

-- ---------------------------------------------------------------- parts

-- Days rated alike. d: whose season and dates hold; factor: index of the factor_if
CREATE TYPE oracle.part AS (days date[], d date, season text, factor int);

-- What the price of a day hangs on: its season, the points of series by date
CREATE FUNCTION oracle.price_key(ver int, wants text[], on_d date) RETURNS text
LANGUAGE plpgsql STABLE AS $$
DECLARE
	name text;
	result text := '';
BEGIN
	IF 'season' = ANY (wants) THEN
		result := (SELECT season FROM oracle.day WHERE v = ver AND d = on_d);
	END IF;
	FOREACH name IN ARRAY wants LOOP
		CONTINUE WHEN name NOT LIKE 'series:%';
		result := result || '|' || coalesce((SELECT max(at)::text FROM oracle.point
			WHERE v = ver AND series = substr(name, 8) AND kind = 'days' AND d <= on_d), '');
	END LOOP;
	RETURN result;
END $$;

-- The parts of a stretch of days in order. rule: the day by whose rules all of them go, or NULL.
CREATE FUNCTION oracle.parts(ver int, t jsonb, c jsonb, wants text[], days date[], rule date) RETURNS SETOF oracle.part
LANGUAGE plpgsql STABLE AS $$
DECLARE
	counted date[] := oracle.days_of(ver, c -> 'when', days);
	by_kind boolean := (c -> 'when') ?| '{days,not_days}'
		OR EXISTS (SELECT FROM jsonb_array_elements(c -> 'factor_if') AS f WHERE f -> 'if' ?| '{days,not_days}');
	valid date[] := CASE WHEN by_kind THEN oracle.valid_days(ver, c, days) END;
	alike boolean := NOT wants && '{season}' AND NOT EXISTS (SELECT FROM unnest(wants) AS w WHERE w LIKE 'series:%');
BEGIN
	IF rule IS NOT NULL THEN
		IF counted <> '{}' AND oracle.valid_days(ver, c, ARRAY[rule]) <> '{}' THEN
			RETURN QUERY SELECT oracle.own_days(ver, counted), rule, season, factor FROM oracle.factors(ver, c, ARRAY[rule]) JOIN oracle.day USING (d) WHERE v = ver;
		END IF;
		RETURN;
	END IF;
	counted := oracle.valid_days(ver, c, counted);
	RETURN QUERY
	WITH one AS MATERIALIZED (
		SELECT o.d, o.i, CASE WHEN alike THEN '' ELSE oracle.price_key(ver, wants, o.d) END AS key, o.d = ANY (counted) AS counts,
			by_kind AND o.d = ANY (valid) AS open
		FROM unnest(days) WITH ORDINALITY AS o (d, i)
	), stretch AS (
		-- days of one kind may have others between them, but prices and validity must not change
		SELECT s.*, sum(step) OVER (ORDER BY s.i) AS run FROM (
			SELECT one.*, (open IS DISTINCT FROM lag(open) OVER w OR key IS DISTINCT FROM lag(key) OVER w)::int AS step FROM one WINDOW w AS (ORDER BY one.i)) AS s
	), judged AS (
		SELECT s.*, f.factor, CASE WHEN by_kind THEN s.run ELSE s.i - row_number() OVER (PARTITION BY s.key, f.factor ORDER BY s.i) END AS island
		FROM stretch AS s JOIN oracle.factors(ver, c, counted) AS f USING (d) WHERE counts
	)
	SELECT array_agg(j.d ORDER BY j.d), min(j.d), (SELECT season FROM oracle.day WHERE v = ver AND day.d = min(j.d)), j.factor
	FROM judged AS j GROUP BY j.key, j.factor, j.island
	ORDER BY CASE WHEN by_kind THEN min(j.run) END, CASE WHEN by_kind THEN coalesce(j.factor, -1) END, min(j.d);
END $$;

-- ---------------------------------------------------------------- lines

-- A line of raw / den: factor_if, then its own rounding
CREATE FUNCTION oracle.push(ver int, t jsonb, c jsonb, at int, period text, tier int, unit text, quantity numeric, raw numeric, factor int, last_d date,
	den numeric DEFAULT 1) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
	choice jsonb := c -> 'factor_if' -> factor;
	rule jsonb := t -> 'round' -> 'line';
BEGIN
	raw := oracle.near(raw * coalesce((choice ->> 'factor')::numeric, 1), den, 15);
	IF factor IS NOT NULL THEN
		raw := oracle.by_rule(raw, choice -> 'round');
	END IF;
	IF c ? 'round' THEN
		rule := c -> 'round';
	ELSIF rule IS NULL THEN
		rule := jsonb_build_object('step', ('1e-' || coalesce(t ->> 'minor_unit', '2'))::numeric);
	END IF;
	INSERT INTO oracle.line (v, component, code, grp, period, tier, unit, quantity, raw, amount, last_d)
	VALUES (ver, at, c ->> 'code', coalesce(c ->> 'group', c ->> 'code'), period, tier, unit, quantity, raw, oracle.by_rule(raw, rule), last_d);
END $$;
