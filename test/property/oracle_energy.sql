-- oracle_energy.sql: components by energy, and tiers of any quantity
-- In:  cells and pieces of the case, a component. Out: lines.

-- quantity x price half-up at 1e-15, then share, factor of the step and factor_if as one ratio, again; credit is negative
CREATE FUNCTION oracle.push_line(j oracle.job, p oracle.part, period text, tier int, unit text, quantity numeric, amount numeric,
	share numeric[] DEFAULT '{1,1}', factor numeric DEFAULT 1) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
	amount := oracle.near(amount * CASE WHEN j.c ->> 'kind' = 'credit' THEN -1 ELSE 1 END, 1, 15);
	PERFORM oracle.push(j.v, j.t, j.c, j.at, period, tier, unit, oracle.near(quantity * share[1], share[2], 6), amount * share[1] * factor,
		p.factor, p.days[cardinality(p.days)], share[2]);
END $$;

CREATE FUNCTION oracle.round_quantity(j oracle.job, units numeric) RETURNS numeric
LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
	RETURN oracle.near(oracle.by_rule(units, j.t -> 'round' -> 'quantity'), 1, 6);
END $$;

CREATE FUNCTION oracle.energy(quantity_name text, by_schedule text, by_period text, days date[]) RETURNS numeric
LANGUAGE plpgsql STABLE AS $$
BEGIN
	RETURN (
		SELECT coalesce(sum(CASE WHEN quantity = 'export_kwh' AND quantity_name = 'net_kwh' THEN -kwh ELSE kwh END), 0) FROM oracle.cell
		WHERE (quantity = quantity_name OR (quantity_name = 'net_kwh' AND quantity IN ('import_kwh', 'export_kwh')))
			AND schedule = coalesce(by_schedule, '') AND period = coalesce(by_period, '') AND d = ANY (days));
END $$;

-- What the energy of a part costs at prices that change inside its days
CREATE FUNCTION oracle.summed(j oracle.job, p oracle.part, by_period text) RETURNS numeric
LANGUAGE plpgsql STABLE AS $$
BEGIN
	RETURN (
		SELECT coalesce(sum(kwh * oracle.price((j.v, j.t, j.attrs, by_period, p.season, p.d, prices)::oracle.env, j.c -> 'price')), 0)
		FROM (
			SELECT prices, sum(CASE WHEN quantity = 'export_kwh' AND j.quantity = 'net_kwh' THEN -kwh ELSE kwh END) AS kwh FROM oracle.piece
			WHERE (quantity = j.quantity OR (j.quantity = 'net_kwh' AND quantity IN ('import_kwh', 'export_kwh')))
				AND d = ANY (p.days) AND (j.schedule IS NULL OR periods ->> j.schedule = by_period)
			GROUP BY prices) AS g);
END $$;

-- Units at the price of the component; without any there is no line unless nothing_too
CREATE FUNCTION oracle.push_base(j oracle.job, p oracle.part, period text, units numeric, nothing_too boolean) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
	amount numeric;
BEGIN
	IF units = 0 AND NOT j.summed AND NOT nothing_too THEN
		RETURN;
	END IF;
	IF j.summed THEN
		amount := oracle.near(oracle.summed(j, p, period), 1, 15);
	ELSE
		amount := units * oracle.unit_price(oracle.env_of(j, p, period), j.c -> 'price');
	END IF;
	IF units <> 0 OR amount <> 0 OR nothing_too THEN
		PERFORM oracle.push_line(j, p, period, NULL, j.unit, units, amount);
	END IF;
END $$;

CREATE FUNCTION oracle.step_price(j oracle.job, p oracle.part, period text, step jsonb) RETURNS numeric
LANGUAGE plpgsql STABLE AS $$
BEGIN
	RETURN oracle.unit_price(oracle.env_of(j, p, period), coalesce(step -> 'price', CASE WHEN j.mode <> 'adder' THEN j.c -> 'price' END));
END $$;

CREATE FUNCTION oracle.push_step(j oracle.job, p oracle.part, period text, l oracle.ladder, k int, units numeric) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
	price numeric;
BEGIN
	IF j.piecewise THEN
		units := oracle.round_quantity(j, units);
	END IF;
	IF units <> 0 THEN
		price := oracle.step_price(j, p, period, l.step[k]);
		IF price <> 0 OR j.mode <> 'adder' THEN
			PERFORM oracle.push_line(j, p, period, k, j.unit, units, units * price, '{1,1}', coalesce((l.step[k] ->> 'factor')::numeric, 1));
		END IF;
	END IF;
END $$;

CREATE FUNCTION oracle.push_flat(j oracle.job, p oracle.part, period text, l oracle.ladder, k int, times int) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
	flat numeric := 0;
BEGIN
	IF times <> 0 AND l.step[k] ? 'flat' THEN
		flat := oracle.flat(j, p, period, l.step[k]);
	END IF;
	IF flat <> 0 THEN
		PERFORM oracle.push_line(j, p, period, k, 'bill', times, times * flat);
	END IF;
END $$;

-- Mode volume after earlier units that end in another step: they are charged anew, their flats with those of the step
CREATE FUNCTION oracle.push_again(j oracle.job, p oracle.part, period text, l oracle.ladder, f oracle.filled, alone boolean) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
	IF f.again <> 0 THEN
		IF NOT alone THEN
			PERFORM oracle.push_step(j, p, NULL, l, f.again_to, f.again);
		END IF;
		PERFORM oracle.push_step(j, p, period, l, f.again_from, -f.again);
	END IF;
END $$;

-- Periods that share one counter, after used units
CREATE FUNCTION oracle.rate_group(j oracle.job, p oracle.part, periods text[], units numeric[], used numeric) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
	n int := cardinality(periods);
	alone text := CASE WHEN n = 1 THEN periods[1] END;
	l oracle.ladder := oracle.ladder(j, p, alone);
	f oracle.filled := oracle.fill(j, l, p, periods, units, used);
	by_period boolean := j.mode <> 'adder' OR EXISTS (SELECT FROM unnest(l.step) AS s WHERE 'period' = ANY (oracle.reads(j.t, s -> 'price')));
BEGIN
	IF j.mode = 'package' THEN
		IF f.packages <> 0 THEN
			PERFORM oracle.push_line(j, p, alone, NULL, 'unit', f.packages, f.packages * oracle.unit_price(oracle.env_of(j, p, alone), j.c -> 'price'));
		END IF;
		RETURN;
	END IF;
	IF j.mode = 'adder' AND j.c ? 'price' THEN
		FOR i IN 1 .. n LOOP
			PERFORM oracle.push_base(j, p, periods[i], CASE WHEN j.piecewise THEN oracle.round_quantity(j, units[i]) ELSE units[i] END, false);
		END LOOP;
	END IF;
	IF n = 1 AND f.again <> 0 THEN
		f.cell[f.again_to] := f.cell[f.again_to] + f.again;
	END IF;
	IF f.again <> 0 THEN	-- all flats of a step are one line
		f.flats[f.again_to] := f.flats[f.again_to] + 1;
		f.flats[f.again_from] := f.flats[f.again_from] - 1;
	END IF;
	FOR k IN 1 .. cardinality(l.bound) LOOP
		FOR i IN 1 .. CASE WHEN by_period THEN n ELSE 0 END LOOP
			PERFORM oracle.push_step(j, p, periods[i], l, k, f.cell[(k - 1) * n + i]);
		END LOOP;
		IF NOT by_period THEN
			PERFORM oracle.push_step(j, p, alone, l, k, (SELECT sum(f.cell[(k - 1) * n + i]) FROM generate_series(1, n) AS i));
		END IF;
		PERFORM oracle.push_flat(j, p, alone, l, k, f.flats[k]);
	END LOOP;
	PERFORM oracle.push_again(j, p, alone, l, f, n = 1);
END $$;

-- One part with tiers. before: used in the scope before it, by period; before_all: not known by period
CREATE FUNCTION oracle.rate_tiers(j oracle.job, p oracle.part, units numeric[], before_all numeric, before numeric[]) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
	IF j.tier ->> 'order' = 'per_period' AND cardinality(j.periods) > 1 THEN
		IF before_all <> 0 THEN
			PERFORM oracle.lack('before by period');
		END IF;
		FOR i IN 1 .. cardinality(units) LOOP
			PERFORM oracle.rate_group(j, p, j.periods[i:i], units[i:i], before[i]);
		END LOOP;
		RETURN;
	END IF;
	PERFORM oracle.rate_group(j, p, j.periods, units, before_all + (SELECT sum(b) FROM unnest(before) AS b));
END $$;

-- A line of nothing, at the price of what would come next
CREATE FUNCTION oracle.push_zero(j oracle.job, p oracle.part, used numeric) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
	alone text := CASE WHEN cardinality(j.periods) = 1 OR j.tier ->> 'order' = 'per_period' THEN j.periods[1] END;
	l oracle.ladder;
	k int;
BEGIN
	IF j.tier IS NULL OR j.summed OR (j.mode = 'adder' AND j.c ? 'price') THEN
		PERFORM oracle.push_base(j, p, j.periods[1], 0, true);
	ELSIF j.mode = 'package' THEN
		PERFORM oracle.push_line(j, p, alone, NULL, 'unit', 0, 0 * oracle.unit_price(oracle.env_of(j, p, alone), j.c -> 'price'));
	ELSE
		l := oracle.ladder(j, p, alone);
		k := CASE WHEN j.tier ? 'by' THEN oracle.reached(l.bound, oracle.quantity(j.tier ->> 'by'))
			ELSE 1 + (SELECT count(*)::int FROM unnest(l.bound) AS b WHERE used >= b) END;
		PERFORM oracle.push_line(j, p, j.periods[1], k, j.unit, 0, 0 * oracle.step_price(j, p, j.periods[1], l.step[k]));
	END IF;
END $$;

-- ---------------------------------------------------------------- the component

CREATE FUNCTION oracle.new_job(ver int, t jsonb, c jsonb, at int, context jsonb) RETURNS oracle.job
LANGUAGE plpgsql STABLE AS $$
DECLARE
	j oracle.job;
BEGIN
	j.v := ver; j.t := t; j.c := c; j.at := at;
	j.attrs := coalesce(context -> 'attrs', '{}');
	j.tier := c -> 'tier';
	j.mode := coalesce(j.tier ->> 'mode', 'graduated');
	j.scope := coalesce(j.tier ->> 'scope', 'bill');
	j.wants := oracle.reads(t, c -> 'price') || oracle.steps_read(t, j.tier -> 'steps');
	j.periods := ARRAY[NULL::text];
	j.piecewise := false;
	j.whole := false;
	j.summed := EXISTS (SELECT FROM unnest(j.wants) AS w WHERE w LIKE 'series:%' AND (t -> 'series' ->> substr(w, 8) = 'usage'
		OR EXISTS (SELECT FROM oracle.point WHERE v = ver AND series = substr(w, 8) AND kind = 'instant')));
	SELECT last_d - first_d + 1, b.months, last_d - first_d + 1 INTO j.days, j.months, j.service_days FROM oracle.bill AS b;
	RETURN j;
END $$;

-- Names of the periods that split the component, in the order of their schedule
CREATE FUNCTION oracle.split_periods(j oracle.job) RETURNS oracle.job
LANGUAGE plpgsql STABLE AS $$
DECLARE
	name text := j.c ->> 'schedule';
BEGIN
	IF name IS NULL AND (SELECT count(*) FROM jsonb_object_keys(j.t -> 'schedules')) = 1 THEN
		name := (SELECT jsonb_object_keys(j.t -> 'schedules'));
	END IF;
	IF name IS NOT NULL AND ('period' = ANY (j.wants) OR j.c ? 'period' OR j.tier ->> 'order' = 'per_period') THEN
		j.schedule := name;
		j.periods := ARRAY(SELECT r ->> 'period' FROM jsonb_array_elements(j.t -> 'schedules' -> name) WITH ORDINALITY AS e (r, n)
			WHERE NOT j.c ? 'period' OR j.c -> 'period' ? (r ->> 'period') GROUP BY 1 ORDER BY min(n));
	END IF;
	RETURN j;
END $$;

-- What other versions of the tariff or component rate of a period: by the names of schedule and period, or in
-- the only schedule; when all periods fill one counter, it does not matter which it was
CREATE FUNCTION oracle.elsewhere(j oracle.job, i int, days date[]) RETURNS numeric
LANGUAGE plpgsql STABLE AS $$
DECLARE
	other record;
	name text;
	result numeric := 0;
BEGIN
	IF j.schedule IS NULL OR (NOT j.tier @> '{"order": "per_period"}'
			AND cardinality(j.periods) = (SELECT count(DISTINCT r ->> 'period') FROM jsonb_array_elements(j.t -> 'schedules' -> j.schedule) AS r)) THEN
		RETURN CASE WHEN i = 1 THEN oracle.energy(j.quantity, NULL, NULL, days) ELSE 0 END;
	END IF;
	FOR other IN SELECT o.t -> 'schedules' AS schedules, array_agg(d) AS days
		FROM unnest(days) AS d JOIN oracle.tariff AS o ON (o.from_d IS NULL OR d >= o.from_d) AND (o.to_d IS NULL OR d < o.to_d) GROUP BY o.v, 1
	LOOP
		name := CASE WHEN (SELECT count(*) FROM jsonb_object_keys(other.schedules)) = 1 THEN (SELECT jsonb_object_keys(other.schedules)) ELSE j.schedule END;
		-- where nothing was metered there is nothing to count
		CONTINUE WHEN NOT EXISTS (SELECT FROM oracle.cell WHERE d = ANY (other.days));
		IF NOT coalesce(other.schedules -> name, '[]') @> jsonb_build_array(jsonb_build_object('period', j.periods[i])) THEN
			PERFORM oracle.refuse('an earlier version does not count ' || j.periods[i]);
		END IF;
		result := result + oracle.energy(j.quantity, name, j.periods[i], other.days);
	END LOOP;
	RETURN result;
END $$;

-- One instance of the tier scope; the last part in it, or NULL
CREATE FUNCTION oracle.rate_instance(j oracle.job, days date[], before_all numeric, before numeric[]) RETURNS oracle.part
LANGUAGE plpgsql AS $$
DECLARE
	continues boolean := j.tier IS NOT NULL AND oracle.split(j) = 'continue' AND j.scope NOT IN ('day', 'interval');
	n int := cardinality(j.periods);
	rule date := CASE oracle.split(j) WHEN 'start' THEN days[1] WHEN 'end' THEN days[cardinality(days)] END;
	others date[] := '{}';
	p oracle.part;
	units numeric[];
	counted date := '-infinity';
BEGIN
	IF continues THEN
		others := oracle.days_of(j.v, j.c -> 'when', days);
		others := ARRAY(SELECT unnest(others) EXCEPT SELECT unnest(oracle.valid_days(j.v, j.c, others)));
	END IF;
	FOR p IN SELECT * FROM oracle.parts(j.v, j.t, j.c, j.wants, days, CASE WHEN j.tier IS NOT NULL THEN rule END) LOOP
		units := ARRAY(SELECT oracle.energy(j.quantity, j.schedule, name, p.days) FROM unnest(j.periods) WITH ORDINALITY AS o (name, i) ORDER BY i);
		IF NOT j.piecewise THEN
			units := ARRAY(SELECT oracle.round_quantity(j, u) FROM unnest(units) WITH ORDINALITY AS o (u, i) ORDER BY i);
		END IF;
		IF j.tier IS NULL THEN
			FOR i IN 1 .. n LOOP
				PERFORM oracle.push_base(j, p, j.periods[i], units[i], false);
			END LOOP;
			CONTINUE;
		END IF;
		FOR i IN 1 .. n LOOP
			before[i] := before[i] + oracle.elsewhere(j, i, ARRAY(SELECT d FROM unnest(others) AS d WHERE d > counted AND d < p.d));
		END LOOP;
		counted := greatest(counted, p.d - 1);
		PERFORM oracle.rate_tiers(j, p, units, before_all, before);
		IF NOT continues AND j.scope <> 'day' THEN
			before_all := 0;
			before := array_fill(0::numeric, ARRAY[n]);
		END IF;
		FOR i IN 1 .. CASE WHEN continues THEN n ELSE 0 END LOOP
			before[i] := before[i] + units[i];
		END LOOP;
	END LOOP;
	RETURN p;
END $$;

-- What was used in the scope before the bill: by period, and what is not known by period behind it
CREATE FUNCTION oracle.used_before(j oracle.job) RETURNS numeric[]
LANGUAGE plpgsql STABLE AS $$
DECLARE
	given jsonb := (SELECT ctx -> 'before' -> j.scope FROM oracle.bill);
BEGIN
	IF jsonb_typeof(given) <> 'object' THEN
		RETURN array_fill(0::numeric, ARRAY[cardinality(j.periods)]) || (given #>> '{}')::numeric;
	ELSIF j.schedule IS NULL THEN
		RETURN ARRAY[0, (SELECT sum(value::numeric) FROM jsonb_each_text(given))];
	END IF;
	RETURN ARRAY(SELECT coalesce((given ->> name)::numeric, 0) FROM unnest(j.periods) WITH ORDINALITY AS o (name, i) ORDER BY i) || 0::numeric;
END $$;

CREATE FUNCTION oracle.rate_energy(ver int, t jsonb, c jsonb, at int, context jsonb) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
	j oracle.job := oracle.new_job(ver, t, c, at, context);
	b oracle.bill;
	inst record;
	none numeric[];
	before numeric[];
	own date[];
	p oracle.part;
	last oracle.part;
	began int := (SELECT coalesce(max(n), 0) FROM oracle.line);
BEGIN
	SELECT * INTO b FROM oracle.bill;
	j.quantity := coalesce(c ->> 'quantity', CASE c ->> 'kind' WHEN 'reactive' THEN 'import_kvarh' WHEN 'credit' THEN 'export_kwh' ELSE 'import_kwh' END);
	j.unit := CASE WHEN j.quantity LIKE '%kvarh' THEN 'kvarh' ELSE 'kwh' END;
	j.piecewise := j.tier IS NOT NULL AND (j.scope IN ('day', 'interval') OR (j.tier @> '{"order": "time"}' AND j.mode IN ('graduated', 'adder')));
	j := oracle.split_periods(j);
	PERFORM oracle.channel(j.quantity);
	none := array_fill(0::numeric, ARRAY[cardinality(j.periods) + 1]);
	FOR inst IN
		SELECT start, array_agg(d ORDER BY d) AS days FROM (
			SELECT day AS d, (SELECT max(start) FROM oracle.instance WHERE v = ver AND scope = j.scope AND start <= day) AS start
			FROM (SELECT day::date FROM generate_series(b.first_d, b.last_d, interval '1 day') AS day) AS days) AS s
		GROUP BY start ORDER BY start
	LOOP
		j.service_days := cardinality(inst.days);
		j.days := CASE j.scope WHEN 'bill' THEN j.days WHEN 'day' THEN 1 WHEN 'interval' THEN 1 WHEN 'month' THEN j.service_days
			ELSE (SELECT next - start FROM oracle.instance AS i WHERE i.v = ver AND i.scope = j.scope AND i.start = inst.start) END;
		j.months := CASE j.scope WHEN 'bill' THEN j.months WHEN 'month' THEN 1 WHEN 'quarter' THEN 3 WHEN 'year' THEN 12 ELSE 0 END;
		before := none;
		IF j.tier IS NOT NULL AND inst.days[1] = b.first_d AND b.ctx -> 'before' ? j.scope THEN
			before := oracle.used_before(j);
		END IF;
		own := oracle.own_days(ver, inst.days);
		IF j.tier IS NOT NULL AND own <> '{}' AND own <> inst.days AND j.scope NOT IN ('day', 'interval') THEN
			IF oracle.split(j) IN ('start', 'end') THEN
				PERFORM oracle.refuse('a version changes inside a scope that is split start or end');
			ELSIF oracle.split(j) = 'days' AND own[1] > inst.days[1] THEN
				before := none;
			END IF;
		END IF;
		p := oracle.rate_instance(j, inst.days, before[cardinality(before)], before[:cardinality(before) - 1]);
		last := CASE WHEN p.days IS NULL THEN last ELSE p END;
	END LOOP;
	IF last.days IS NOT NULL AND NOT EXISTS (SELECT FROM oracle.line WHERE n > began) THEN
		PERFORM oracle.push_zero(j, last, before[cardinality(before)] + (SELECT sum(x) FROM unnest(before[:cardinality(before) - 1]) AS x));
	END IF;
END $$;
