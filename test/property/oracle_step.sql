-- oracle_step.sql: bounds of steps, and how quantities fill them
-- In:  the tier of a component, a part of the bill, what was used before. Out: units by step and period.

-- A component in work, and the instance of its tier scope. at: its place in the tariff, from 1. wants: what its
-- prices look at. piecewise: steps are filled by day, interval or piece. summed: energy x price of a series is
-- summed. days, months: what the instance counts as; service_days: those of the bill in it. whole: parts do not
-- divide the bounds.
CREATE TYPE oracle.job AS (v int, t jsonb, c jsonb, at int, attrs jsonb, tier jsonb, mode text, scope text, quantity text, unit text,
	schedule text, periods text[], piecewise boolean, summed boolean, wants text[],
	days int, months int, service_days int, whole boolean);

-- Steps as they are filled, nested ones in the place of their outer one; empty ones vanish. free: of packages
CREATE TYPE oracle.ladder AS (step jsonb[], bound numeric[], empty boolean[], free numeric);

-- cell: units of step k and period i at [(k - 1) * n + i]; flats: how often each is due. again: units
-- of earlier bills that move from one step to another (mode volume).
CREATE TYPE oracle.filled AS (cell numeric[], flats int[], packages numeric, again numeric, again_from int, again_to int);

CREATE FUNCTION oracle.env_of(j oracle.job, p oracle.part, period text) RETURNS oracle.env
LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
	RETURN (j.v, j.t, j.attrs, period, p.season, p.d, NULL)::oracle.env;
END $$;

-- What bounds and flats are multiplied by: proration, and the share of the part, each as (num, den)
CREATE FUNCTION oracle.proration(j oracle.job) RETURNS numeric[]
LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
	RETURN CASE j.tier ->> 'prorate' WHEN 'days' THEN ARRAY[j.days, coalesce((j.tier ->> 'nominal_days')::int, 30)]
		WHEN 'months' THEN ARRAY[j.months, 1] ELSE '{1,1}' END;
END $$;

CREATE FUNCTION oracle.split(j oracle.job) RETURNS text
LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
	RETURN coalesce(j.tier ->> 'split', CASE WHEN j.scope IN ('quarter', 'year') THEN 'continue' ELSE 'days' END);
END $$;

CREATE FUNCTION oracle.share(j oracle.job, p oracle.part) RETURNS numeric[]
LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
	IF oracle.split(j) = 'days' AND NOT j.whole AND j.scope NOT IN ('day', 'interval') THEN
		RETURN ARRAY[cardinality(p.days), j.service_days];
	END IF;
	RETURN '{1,1}';
END $$;

-- (value x unit x proration + allowances) x share, half-up once at 1e-6
CREATE FUNCTION oracle.bound(j oracle.job, p oracle.part, period text, step jsonb, k int, nested boolean) RETURNS numeric
LANGUAGE plpgsql STABLE AS $$
DECLARE
	unit text := coalesce(step ->> 'unit', 'kwh');
	daily boolean := unit IN ('kwh_per_day', 'kwh_per_kw_day');
	stretched boolean := NOT daily AND coalesce(j.tier ->> 'prorate', 'none') <> 'none';
	prorate numeric[] := CASE WHEN stretched THEN oracle.proration(j) ELSE '{1,1}' END;
	share numeric[] := oracle.share(j, p);
	sum numeric := oracle.value(oracle.env_of(j, p, period), step -> 'up_to') * prorate[1];
	allowance jsonb;
BEGIN
	sum := sum * CASE WHEN unit IN ('kwh_per_kw', 'kwh_per_kw_day') THEN oracle.only_kw(j.v, j.t, step ->> 'demand')
		WHEN unit = 'kwh_per_kva' THEN oracle.number(j.attrs, 'contract_kva')
		WHEN unit = 'pct_contract' THEN oracle.number(j.attrs, 'contract_kw') * 0.01 ELSE 1 END
		* CASE WHEN daily THEN j.days ELSE 1 END;
	FOR allowance IN SELECT jsonb_array_elements(j.tier -> 'allowance') LOOP
		CONTINUE WHEN nested OR (k > 1 AND allowance ->> 'widen' = 'first') OR NOT j.attrs ? (allowance ->> 'attr');
		CONTINUE WHEN oracle.number(j.attrs, allowance ->> 'attr') < (allowance ->> 'at_least')::numeric;
		sum := sum + (allowance ->> 'add')::numeric * CASE WHEN stretched THEN prorate[1]
			WHEN coalesce(allowance ->> 'per', 'month') = 'month' THEN j.months ELSE 1 END;
	END LOOP;
	RETURN oracle.near(sum * share[1], prorate[2] * share[2], 6);
END $$;

CREATE FUNCTION oracle.ladder(j oracle.job, p oracle.part, period text) RETURNS oracle.ladder
LANGUAGE plpgsql STABLE AS $$
DECLARE
	steps jsonb := j.tier -> 'steps';
	n int := coalesce(jsonb_array_length(steps), 0);
	l oracle.ladder := ('{}', '{}', '{}', 0);
	prorate numeric[] := oracle.proration(j);
	share numeric[] := oracle.share(j, p);
	inner_steps jsonb;
	below numeric := 0;
	upper numeric;
	bound numeric;
	before numeric;
BEGIN
	l.free := oracle.near(coalesce((j.tier ->> 'free')::numeric, 0) * prorate[1] * share[1], prorate[2] * share[2], 6);
	FOR k IN 1 .. n LOOP
		upper := CASE WHEN k < n THEN oracle.bound(j, p, period, steps -> (k - 1), k, false) ELSE 'Infinity' END;
		IF upper < below THEN
			PERFORM oracle.refuse('bounds');
		END IF;
		inner_steps := steps -> (k - 1) -> 'steps';
		IF inner_steps IS NULL THEN
			l := (l.step || (steps -> (k - 1)), l.bound || upper, l.empty || false, l.free);
		END IF;
		before := 0;
		FOR i IN 1 .. coalesce(jsonb_array_length(inner_steps), 0) LOOP
			bound := upper;
			IF i < jsonb_array_length(inner_steps) THEN
				bound := oracle.bound(j, p, period, inner_steps -> (i - 1), i, true);
				IF bound < before THEN
					PERFORM oracle.refuse('bounds');
				END IF;
				before := bound;
				bound := least(greatest(bound, below), upper);
			END IF;
			l := (l.step || (inner_steps -> (i - 1)), l.bound || bound, l.empty || (bound <= coalesce(l.bound[cardinality(l.bound)], 0)), l.free);
		END LOOP;
		below := upper;
	END LOOP;
	RETURN l;
END $$;

-- The flat of a step, stretched as the bounds are, half-up at 1e-9
CREATE FUNCTION oracle.flat(j oracle.job, p oracle.part, period text, step jsonb) RETURNS numeric
LANGUAGE plpgsql STABLE AS $$
DECLARE
	prorate numeric[] := oracle.proration(j);
	share numeric[] := oracle.share(j, p);
BEGIN
	RETURN oracle.near(oracle.value(oracle.env_of(j, p, period), step -> 'flat') * prorate[1] * share[1], prorate[2] * share[2], 9);
END $$;

-- ---------------------------------------------------------------- filling

-- Units of (used, used + units] in step k: upper bounds belong to the step below. Negative units leave steps.
CREATE FUNCTION oracle.overlap(bounds numeric[], k int, used numeric, units numeric) RETURNS numeric
LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
	RETURN sign(units) * greatest(0, least(greatest(used, used + units), bounds[k])
		- greatest(least(used, used + units), CASE WHEN k > 1 THEN bounds[k - 1] ELSE '-Infinity' END));
END $$;

CREATE FUNCTION oracle.reached(bounds numeric[], units numeric) RETURNS int
LANGUAGE sql IMMUTABLE RETURN 1 + (SELECT count(*)::int FROM unnest(bounds) AS b WHERE units > b);

-- Each step takes from the periods by their share of what the steps before it left
CREATE FUNCTION oracle.spread(step numeric[], units numeric[]) RETURNS numeric[]
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
	n int := cardinality(units);
	cell numeric[] := array_fill(0::numeric, ARRAY[n * cardinality(step)]);
	last int := (SELECT max(k) FROM unnest(step) WITH ORDINALITY AS s (u, k) WHERE u <> 0);
	rest numeric[] := units;
	total numeric := (SELECT sum(u) FROM unnest(units) AS u);
	running numeric;
	taken numeric;
	until numeric;
BEGIN
	FOR k IN 1 .. coalesce(last, 0) LOOP
		CONTINUE WHEN step[k] = 0;
		running := 0;
		taken := 0;
		FOR i IN 1 .. n LOOP
			running := running + rest[i];
			until := CASE WHEN k = last THEN running ELSE oracle.near(running * step[k], total, 6) END;
			cell[(k - 1) * n + i] := until - taken;
			rest[i] := rest[i] - until + taken;
			taken := until;
		END LOOP;
		total := total - step[k];
	END LOOP;
	RETURN cell;
END $$;

-- How often the flat of step k is due when the counter goes from used to after
CREATE FUNCTION oracle.entered(j oracle.job, l oracle.ladder, k int, used numeric, after numeric) RETURNS int
LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
	IF k = 1 THEN
		RETURN (used = 0 AND (after <> used OR coalesce((j.tier ->> 'flat_at_zero')::boolean, true)))::int;
	END IF;
	RETURN CASE WHEN l.empty[k] THEN 0 ELSE (after > l.bound[k - 1])::int - (used > l.bound[k - 1])::int END;
END $$;

CREATE FUNCTION oracle.packages(tier jsonb, free numeric, units numeric) RETURNS numeric
LANGUAGE sql IMMUTABLE RETURN oracle.whole(greatest(0, units - free), (tier ->> 'size')::numeric, 'ceil');

-- Adds what one beginning of the counter fills, all modes; units by period
CREATE FUNCTION oracle.fill_one(f oracle.filled, j oracle.job, l oracle.ladder, used numeric, units numeric[]) RETURNS oracle.filled
LANGUAGE plpgsql STABLE AS $$
DECLARE
	n int := cardinality(units);
	total numeric := (SELECT sum(u) FROM unnest(units) AS u);
	cell numeric[];
	before int;
	after int;
BEGIN
	IF j.mode = 'package' THEN
		f.packages := f.packages + oracle.packages(j.tier, l.free, used + total) - oracle.packages(j.tier, l.free, used);
		RETURN f;
	ELSIF j.mode = 'volume' THEN
		after := oracle.reached(l.bound, CASE WHEN j.tier ? 'by' THEN oracle.quantity(j.tier ->> 'by') ELSE used + total END);
		before := CASE WHEN j.tier ? 'by' THEN after ELSE oracle.reached(l.bound, used) END;
		FOR i IN 1 .. n LOOP
			f.cell[(after - 1) * n + i] := f.cell[(after - 1) * n + i] + units[i];
		END LOOP;
		IF used <> 0 AND before <> after THEN
			f.again := used;
			f.again_from := before;
			f.again_to := after;
		END IF;
		f.flats[after] := f.flats[after] + oracle.entered(j, l, 1, used, used + total);
		RETURN f;
	END IF;
	cell := oracle.spread(ARRAY(SELECT oracle.overlap(l.bound, k, used, total) FROM generate_series(1, cardinality(l.bound)) AS k), units);
	FOR i IN 1 .. cardinality(cell) LOOP
		f.cell[i] := f.cell[i] + cell[i];
	END LOOP;
	FOR k IN 1 .. cardinality(l.bound) LOOP
		f.flats[k] := f.flats[k] + oracle.entered(j, l, k, used, used + total);
	END LOOP;
	RETURN f;
END $$;

-- Which of the periods a piece lies in; energy that is not split lies in the first
CREATE FUNCTION oracle.place(j oracle.job, names text[], piece jsonb) RETURNS int
LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
	RETURN CASE WHEN j.schedule IS NULL THEN 1 ELSE array_position(names, piece ->> j.schedule) END;
END $$;

-- In order of time: each piece where the counter stands. key: the day, the interval, or all the bill.
CREATE FUNCTION oracle.fill_in_time(f oracle.filled, j oracle.job, l oracle.ladder, p oracle.part, names text[], used numeric) RETURNS oracle.filled
LANGUAGE plpgsql STABLE AS $$
DECLARE
	cell record;
	ends record;
BEGIN
	FOR cell IN
		WITH piece AS (
			SELECT oracle.place(j, names, q.periods) AS i, q.at, q.kwh, d,
				CASE j.scope WHEN 'day' THEN d::text WHEN 'interval' THEN n::text ELSE '' END AS key
			FROM oracle.piece AS q WHERE quantity = j.quantity AND d = ANY (p.days)
		), counted AS (
			SELECT piece.i, piece.kwh, sum(piece.kwh) OVER (PARTITION BY key ORDER BY piece.at) - piece.kwh
				+ CASE WHEN j.scope = 'interval' OR (j.scope = 'day' AND d <> first_d) THEN 0 ELSE used END AS so_far
			FROM piece, oracle.bill WHERE piece.i IS NOT NULL
		)
		SELECT counted.i, k, sum(oracle.overlap(l.bound, k, so_far, counted.kwh)) AS kwh
		FROM counted, generate_series(1, cardinality(l.bound)) AS k GROUP BY 1, 2
	LOOP
		f.cell[(cell.k - 1) * cardinality(names) + cell.i] := cell.kwh;
	END LOOP;
	FOR ends IN
		SELECT CASE WHEN j.scope = 'interval' OR (j.scope = 'day' AND inst.d <> first_d) THEN 0 ELSE used END AS used,
			coalesce(sum(q.kwh) FILTER (WHERE oracle.place(j, names, q.periods) IS NOT NULL), 0) AS units
		FROM oracle.bill, unnest(p.days) AS inst (d) LEFT JOIN oracle.piece AS q ON q.d = inst.d AND quantity = j.quantity
		GROUP BY CASE j.scope WHEN 'day' THEN inst.d::text WHEN 'interval' THEN q.n::text ELSE '' END, 1
	LOOP
		FOR k IN 1 .. cardinality(l.bound) LOOP
			f.flats[k] := f.flats[k] + oracle.entered(j, l, k, ends.used, ends.used + ends.units);
		END LOOP;
	END LOOP;
	RETURN f;
END $$;

-- All that a part uses, in the order that the tariff names
CREATE FUNCTION oracle.fill(j oracle.job, l oracle.ladder, p oracle.part, names text[], units numeric[], used numeric) RETURNS oracle.filled
LANGUAGE plpgsql STABLE AS $$
DECLARE
	f oracle.filled := (array_fill(0::numeric, ARRAY[cardinality(l.bound) * cardinality(names)]), array_fill(0, ARRAY[cardinality(l.bound)]), 0, 0, 0, 0);
	one record;
BEGIN
	IF j.piecewise AND j.tier ->> 'order' = 'time' AND j.mode IN ('graduated', 'adder') THEN
		RETURN oracle.fill_in_time(f, j, l, p, names, used);
	ELSIF NOT j.piecewise THEN
		RETURN oracle.fill_one(f, j, l, used, units);
	END IF;
	FOR one IN
		SELECT min(k.d) AS d, array_agg(k.kwh ORDER BY k.i) AS units FROM (
			SELECT inst.key, min(inst.d) AS d, o.i, coalesce(sum(q.kwh) FILTER (WHERE oracle.place(j, names, q.periods) = o.i), 0) AS kwh
			FROM unnest(names) WITH ORDINALITY AS o (period, i),
				(SELECT DISTINCT d, d::text AS key FROM unnest(p.days) AS d WHERE j.scope = 'day'
				 UNION ALL SELECT min(d), n::text FROM oracle.piece WHERE j.scope = 'interval' AND d = ANY (p.days) AND quantity = j.quantity GROUP BY n) AS inst
				LEFT JOIN oracle.piece AS q ON quantity = j.quantity AND q.d = ANY (p.days) AND inst.key = CASE j.scope WHEN 'day' THEN q.d::text ELSE q.n::text END
			GROUP BY inst.key, o.i) AS k
		GROUP BY k.key
	LOOP
		f := oracle.fill_one(f, j, l, CASE WHEN j.scope = 'day' AND one.d = (SELECT first_d FROM oracle.bill) THEN used ELSE 0 END, one.units);
	END LOOP;
	RETURN f;
END $$;
