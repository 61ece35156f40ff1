-- oracle_demand.sql: windows, billing demand, components by kW, the power factor
-- In:  intervals, the demands of each version, peaks of earlier months. Out: peak, lines.

-- Energy of a channel in buckets of one slide, counted from local midnight in elapsed time; those without a gap
CREATE FUNCTION oracle.buckets(ver int, of_channel text, slide interval) RETURNS TABLE (d date, at timestamptz, until timestamptz, kwh numeric)
LANGUAGE sql STABLE AS $$
	SELECT day.d, x, least(x + slide, day.until), sum(CASE WHEN x <= from_at AND least(x + slide, day.until) >= to_at THEN kwh
		ELSE oracle.until(l, least(x + slide, day.until)) - oracle.until(l, x) END)
	FROM oracle.bill, oracle.load AS l,
		LATERAL generate_series(oracle.local_day(from_at, zone), oracle.local_day(to_at - interval '1 microsecond', zone), interval '1 day') AS touched
		JOIN oracle.day ON day.d = touched::date,
		LATERAL generate_series(day.at + slide * floor(oracle.micros(greatest(from_at, day.at) - day.at) / oracle.micros(slide))::int,
			least(to_at, day.until) - interval '1 microsecond', slide) AS x
	WHERE l.channel = of_channel AND v = ver
	GROUP BY day.d, x, day.until
	HAVING sum(least(to_at, x + slide, day.until) - greatest(from_at, x)) = slide
$$;

-- kVA of kWh and kvarh in a window: sqrt(P^2 + Q^2), half-up once at 1e-6
CREATE FUNCTION oracle.apparent(p numeric, q numeric, minutes int) RETURNS numeric
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
	square numeric := (p * p + q * q) * 3600 * 1000000 * 1000000 * 4;
	n numeric := trunc(sqrt((p * p + q * q) * 3600 * 1000000 * 1000000) / minutes);
BEGIN
	-- the root only says where to look: n is right when (2n - 1)^2 m^2 <= 4 s < (2n + 1)^2 m^2
	WHILE (2 * n + 1) ^ 2 * minutes ^ 2 <= square LOOP
		n := n + 1;
	END LOOP;
	WHILE n > 0 AND (2 * n - 1) ^ 2 * minutes ^ 2 > square LOOP
		n := n - 1;
	END LOOP;
	RETURN n * 0.000001;
END $$;

-- The windows of a demand: without a gap, begun on a day of the version where the demand counts
CREATE FUNCTION oracle.fill_peaks(ver int, t jsonb, name text) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
	demand jsonb := t -> 'demands' -> name;
	minutes int := coalesce((demand ->> 'window')::int, 15);
	slide int := coalesce((demand ->> 'slide')::int, minutes);
	quantity text := coalesce(demand ->> 'quantity', 'import_kw');
BEGIN
	INSERT INTO oracle.peak
	WITH bucket AS MATERIALIZED (
		SELECT p.d, p.at, p.until, p.kwh, q.kwh AS kvarh
		FROM oracle.buckets(ver, CASE quantity WHEN 'export_kw' THEN 'export' WHEN 'import_kvar' THEN 'import_kvarh' ELSE 'import' END,
				make_interval(mins => slide)) AS p
			LEFT JOIN oracle.buckets(ver, 'import_kvarh', make_interval(mins => slide)) AS q ON quantity = 'import_kva' AND q.at = p.at
	), win AS (
		SELECT d, at, sum(kwh) OVER w AS kwh, sum(kvarh) OVER w AS kvarh, count(kvarh) OVER w AS pairs, count(*) OVER w AS n, max(until) OVER w AS until
		FROM bucket WINDOW w AS (ORDER BY at ROWS BETWEEN CURRENT ROW AND minutes / slide - 1 FOLLOWING)
	), counting AS MATERIALIZED (
		SELECT c.* FROM oracle.counting(ver, t, demand) AS c, oracle.tariff AS x WHERE x.v = ver AND (from_d IS NULL OR c.d >= from_d) AND (to_d IS NULL OR c.d < to_d)
	)
	SELECT ver, name, win.d, win.at, CASE quantity WHEN 'import_kva' THEN oracle.apparent(kwh, kvarh, minutes) ELSE oracle.near(kwh * 60, minutes, 6) END
	FROM win WHERE n = minutes / slide AND until - win.at = make_interval(mins => minutes) AND (quantity <> 'import_kva' OR pairs = n)
		AND EXISTS (SELECT FROM counting AS c WHERE c.d = win.d AND win.at >= c.at AND win.at < c.until);
END $$;

-- The time in which windows of a demand count
CREATE FUNCTION oracle.counting(ver int, t jsonb, demand jsonb) RETURNS TABLE (d date, at timestamptz, until timestamptz)
LANGUAGE sql STABLE AS $$
	SELECT seg.d, seg.at, seg.until FROM oracle.seg JOIN oracle.day USING (v, d)
	WHERE v = ver AND oracle.day_fits(demand - 'days', d, season, tags)
		AND (NOT demand ? 'period' OR demand -> 'period' ? (CASE WHEN demand ? 'schedule' THEN periods ->> (demand ->> 'schedule')
			ELSE (SELECT value FROM jsonb_each_text(periods)) END))
		AND (NOT demand ? 'event' OR oracle.in_event(t, demand ->> 'event', seg.at))
$$;

-- ---------------------------------------------------------------- billing demand

-- The instances of a demand: its days, and the month it is named after
CREATE FUNCTION oracle.demand_instances(ver int, demand jsonb) RETURNS TABLE (start date, days date[], next date, month date)
LANGUAGE sql STABLE AS $$
	SELECT i.start, ARRAY(SELECT x::date FROM generate_series(greatest(i.start, first_d), least(i.next - 1, last_d), interval '1 day') AS x), i.next,
		date_trunc('month', i.next - 1)::date
	FROM oracle.bill, (
		SELECT start, next FROM oracle.instance WHERE v = ver AND scope = demand ->> 'per'
		UNION ALL SELECT '-infinity', 'infinity' WHERE coalesce(demand ->> 'per', 'bill') = 'bill') AS i
	WHERE i.start <= last_d AND i.next > first_d AND i.next < 'infinity'
	UNION ALL
	SELECT '-infinity', ARRAY(SELECT x::date FROM generate_series(first_d, last_d, interval '1 day') AS x), 'infinity', date_trunc('month', last_d)::date
	FROM oracle.bill WHERE coalesce(demand ->> 'per', 'bill') = 'bill'
	ORDER BY 1
$$;

-- The highest window, or the mean of the n highest of distinct ones, whatever version measured them
CREATE FUNCTION oracle.measured(name text, demand jsonb, start date, next date) RETURNS numeric
LANGUAGE plpgsql STABLE AS $$
BEGIN
	-- a version keeps the windows that it needs itself
	IF EXISTS (
		SELECT FROM oracle.peak JOIN oracle.tariff USING (v), LATERAL (SELECT t -> 'demands' -> name AS kept) AS k
		WHERE of_demand = name AND d >= start AND d < next AND (
			coalesce(kept ->> 'quantity', 'import_kw') <> coalesce(demand ->> 'quantity', 'import_kw')
			OR (demand ->> 'agg' = 'top_mean' AND (demand ->> 'n')::int > 1 AND (
				kept ->> 'agg' IS DISTINCT FROM 'top_mean' OR coalesce((kept ->> 'n')::int, 1) < (demand ->> 'n')::int
				OR coalesce(kept ->> 'distinct', 'window') <> coalesce(demand ->> 'distinct', 'window')))))
	THEN
		PERFORM oracle.refuse('another version measures the demand otherwise');
	END IF;
	RETURN (
		SELECT coalesce(oracle.near(sum(kw), nullif(count(*), 0), 6), 0) FROM (
			SELECT kw FROM (
				SELECT DISTINCT ON (key) kw, at FROM oracle.peak, oracle.bill,
					LATERAL (SELECT CASE demand ->> 'distinct' WHEN 'day' THEN d::text WHEN 'week' THEN date_trunc('week', d)::text
						WHEN 'month' THEN date_trunc('month', d)::text ELSE at::text END AS key) AS k
				WHERE of_demand = name AND d >= start AND d < next ORDER BY key, kw DESC, at) AS highest
			ORDER BY kw DESC, at LIMIT CASE demand ->> 'agg' WHEN 'top_mean' THEN coalesce((demand ->> 'n')::int, 1) ELSE 1 END) AS top);
END $$;

CREATE FUNCTION oracle.of_month(percent jsonb, month date) RETURNS numeric
LANGUAGE sql IMMUTABLE
RETURN CASE jsonb_typeof(percent) WHEN 'array' THEN (percent ->> (extract(month FROM month)::int - 1))::numeric ELSE (percent #>> '{}')::numeric END;

CREATE FUNCTION oracle.billing_kw(ver int, t jsonb, name text, start date, next date, month date) RETURNS numeric
LANGUAGE plpgsql STABLE AS $$
DECLARE
	demand jsonb := t -> 'demands' -> name;
	ratchet jsonb := demand -> 'ratchet';
	context jsonb := (SELECT ctx FROM oracle.bill);
	kw numeric := greatest(0, coalesce((demand ->> 'floor_kw')::numeric, 0));
	past date;
	peak numeric;
BEGIN
	IF NOT EXISTS (SELECT FROM oracle.peak AS p WHERE of_demand = name AND d >= start AND d < next)
			AND EXISTS (SELECT FROM oracle.counting(ver, t, demand) AS c, oracle.bill WHERE d >= start AND d < next AND c.at < end_at AND c.until > start_at) THEN
		RETURN oracle.lack('demand ' || name);
	END IF;
	IF demand ? 'floor_contract_pct' THEN
		kw := greatest(kw, oracle.near(oracle.number(context -> 'attrs', 'contract_kw') * (demand ->> 'floor_contract_pct')::numeric, 100, 6));
	END IF;
	kw := greatest(kw, oracle.near(oracle.measured(name, demand, start, next) * coalesce(oracle.of_month(ratchet -> 'current', month), 100), 100, 6));
	FOR back IN 1 .. coalesce((ratchet ->> 'lookback')::int, 0) LOOP
		past := (month - make_interval(months => back))::date;
		CONTINUE WHEN ratchet ? 'months' AND NOT ratchet -> 'months' @> to_jsonb(extract(month FROM past)::int);
		peak := coalesce((context -> 'past_kw' -> name ->> to_char(past, 'YYYY-MM'))::numeric, 0);
		IF demand ->> 'per' = 'month' THEN
			peak := greatest(peak, (SELECT max(oracle.measured(name, demand, i.start, i.next)) FROM oracle.demand_instances(ver, demand) AS i WHERE i.month = past));
		END IF;
		kw := greatest(kw, oracle.near(peak * oracle.of_month(ratchet -> 'percent', past), 100, 6));
	END LOOP;
	RETURN oracle.near(oracle.by_rule(least(kw, (demand ->> 'cap_kw')::numeric), demand -> 'round'), 1, 6);
END $$;

-- The demand that steps in kWh per kW count by: there must be one value in the bill
CREATE FUNCTION oracle.only_kw(ver int, t jsonb, named text) RETURNS numeric
LANGUAGE plpgsql STABLE AS $$
DECLARE
	name text := coalesce(named, (SELECT min(k) FROM jsonb_object_keys(t -> 'demands') AS k));
	i record;
BEGIN
	IF (SELECT count(*) FROM oracle.demand_instances(ver, t -> 'demands' -> name)) > 1 THEN
		RETURN oracle.lack('demand ' || name || ' by month');
	END IF;
	SELECT * INTO i FROM oracle.demand_instances(ver, t -> 'demands' -> name);
	RETURN oracle.billing_kw(ver, t, name, i.start, i.next, i.month);
END $$;

-- ---------------------------------------------------------------- components by kW

CREATE FUNCTION oracle.push_kw(j oracle.job, p oracle.part, kw numeric, share numeric[]) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
	l oracle.ladder;
	f oracle.filled;
	k int;
	pushed boolean := false;
BEGIN
	IF j.tier IS NULL THEN
		PERFORM oracle.push_line(j, p, NULL, NULL, j.unit, kw, kw * oracle.unit_price(oracle.env_of(j, p, NULL), j.c -> 'price'), share);
		RETURN;
	END IF;
	l := oracle.ladder(j, p, NULL);
	f := oracle.fill_one((array_fill(0::numeric, ARRAY[cardinality(l.bound)]), array_fill(0, ARRAY[cardinality(l.bound)]), 0, 0, 0, 0), j, l, 0, ARRAY[kw]);
	FOR k IN 1 .. cardinality(l.bound) LOOP
		CONTINUE WHEN f.cell[k] = 0;
		pushed := true;
		PERFORM oracle.push_line(j, p, NULL, k, j.unit, f.cell[k], f.cell[k] * oracle.step_price(j, p, NULL, l.step[k]), share,
			coalesce((l.step[k] ->> 'factor')::numeric, 1));
	END LOOP;
	IF NOT pushed THEN
		k := 1 + (SELECT count(*)::int FROM unnest(l.bound) AS b WHERE 0 >= b);
		PERFORM oracle.push_line(j, p, NULL, k, j.unit, 0, 0 * oracle.step_price(j, p, NULL, l.step[k]), share);
	END IF;
END $$;

CREATE FUNCTION oracle.rate_demand(ver int, t jsonb, c jsonb, at int, context jsonb) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
	j oracle.job := oracle.new_job(ver, t, c, at, context);
	demand jsonb := t -> 'demands' -> (c ->> 'demand');
	i record;
	own date[];
	kw numeric;
	p oracle.part;
BEGIN
	j.whole := true;
	j.unit := coalesce(c ->> 'per', 'kw');
	FOR i IN SELECT * FROM oracle.demand_instances(ver, demand) LOOP
		IF coalesce(c ->> 'prorate', 'none') <> 'none' THEN
			kw := NULL;
			FOR p IN SELECT * FROM oracle.parts(ver, t, c, j.wants, i.days, NULL) LOOP
				kw := coalesce(kw, oracle.billing_kw(ver, t, c ->> 'demand', i.start, i.next, i.month));
				PERFORM oracle.push_kw(j, p, kw, oracle.times(j, p));
			END LOOP;
			CONTINUE;
		END IF;
		own := oracle.own_days(ver, i.days);
		CONTINUE WHEN own = '{}';
		p := oracle.by_last_day(j, own);
		IF p.days IS NOT NULL THEN
			PERFORM oracle.push_kw(j, p, oracle.billing_kw(ver, t, c ->> 'demand', i.start, i.next, i.month), ARRAY[cardinality(own), cardinality(i.days)]);
		END IF;
	END LOOP;
END $$;

-- ---------------------------------------------------------------- power factor

-- Percent by the rule of 1983: 0.1 or 0.15 up, half a percent for each hundredth down, then one, then two
CREATE FUNCTION oracle.cn_percent(standard int, pf int) RETURNS numeric
LANGUAGE sql IMMUTABLE
RETURN CASE
	WHEN pf < standard THEN (least(standard - pf, 20) * 0.5 + least(greatest(standard - 20 - pf, 0), 5) + greatest(standard - 25 - greatest(pf, 40), 0) * 2)
	WHEN standard = 90 THEN -0.15 * least(pf - 90, 5)
	ELSE -0.1 * least(pf - standard, 90 - standard) - 0.15 * least(greatest(pf - 90, 0), CASE standard WHEN 85 THEN 4 ELSE 2 END) END;

-- In hundredths; NULL when nothing was used
CREATE FUNCTION oracle.power_factor() RETURNS int
LANGUAGE sql STABLE AS $$
	SELECT CASE WHEN p <> 0 OR q <> 0 THEN (SELECT max(n) FROM generate_series(0, 100) AS n
		WHERE n = 0 OR (p <> 0 AND 40000 * p * p >= (2 * n - 1) ^ 2 * (p * p + q * q))) END
	FROM oracle.channel('import_kwh') AS p, oracle.channel('import_kvarh') AS q
$$;

CREATE FUNCTION oracle.pf_percent(c jsonb, pf int, attrs jsonb) RETURNS numeric
LANGUAGE plpgsql STABLE AS $$
DECLARE
	l jsonb := c -> 'linear';
	standard numeric;
BEGIN
	IF c ? 'linear' THEN
		RETURN oracle.near(((l ->> 'target')::numeric - least(pf * 0.01, coalesce((l ->> 'cap')::numeric, 1))) * (l ->> 'percent')::numeric,
			(l ->> 'step')::numeric, 9);
	ELSIF jsonb_typeof(c -> 'table') = 'array' THEN
		RETURN (SELECT (r ->> 1)::numeric FROM jsonb_array_elements(c -> 'table') AS r
			ORDER BY (r ->> 0)::numeric > pf * 0.01, CASE WHEN (r ->> 0)::numeric > pf * 0.01 THEN 1 ELSE -1 END * (r ->> 0)::numeric LIMIT 1);
	ELSIF c ->> 'table' = 'cn' THEN
		standard := oracle.number(attrs, 'pf_standard');
	ELSE
		standard := right(c ->> 'table', 4)::numeric;
	END IF;
	IF standard NOT IN (0.90, 0.85, 0.80) THEN
		RETURN oracle.refuse('pf_standard');
	END IF;
	RETURN oracle.cn_percent((standard * 100)::int, pf);
END $$;
