-- 86_allocation_share.sql: shares are worked out by a run and become lines of bills
-- All meters are compared at the first instant of the first day and of the day behind the last. A register
-- that was read within 15 minutes of it counts as it was read; any other is interpolated, and the result
-- is marked estimated. A share is a line of the bill of who pays for the point on the last day; where
-- nobody does, the estate bears it. What was shared once stays: a bill that is made anew has the same line.
-- Locks: the run while it works out its rules; customer_account, then shares, when a bill is written.

CREATE FUNCTION elecbill._cut_energy(p_installation elecbill.meter_installation, p_from timestamptz, p_to timestamptz,
	p_reach interval, OUT energy_wh numeric, OUT since timestamptz, OUT until timestamptz, OUT whole boolean)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET jit = off
-- planned once per session, as for bills
SET plan_cache_mode = force_generic_plan AS $$
DECLARE
	tolerance interval := interval '15 minutes';
BEGIN
	WITH v AS MATERIALIZED (
		SELECT i.from_at, i.to_at, i.energy_wh
		FROM elecbill.meter_register g,
			LATERAL elecbill._installation_intervals(p_installation.id, p_installation.usage_point_id, g.id, g.code,
				p_installation.multiplier, g.wrap_wh, greatest(lower(p_installation.valid), p_from - p_reach),
				least(coalesce(upper(p_installation.valid), 'infinity'), p_to + p_reach)) AS i
		WHERE g.meter_id = p_installation.meter_id AND g.code = '1.8.0'
	), e AS (
		SELECT coalesce((SELECT x.from_at FROM v AS x WHERE x.from_at BETWEEN p_from - tolerance AND p_from + tolerance
				ORDER BY greatest(x.from_at - p_from, p_from - x.from_at) LIMIT 1), p_from) AS since,
			coalesce((SELECT x.to_at FROM v AS x WHERE x.to_at BETWEEN p_to - tolerance AND p_to + tolerance
				ORDER BY greatest(x.to_at - p_to, p_to - x.to_at) LIMIT 1), p_to) AS until)
	SELECT sum(v.energy_wh * extract(epoch FROM least(v.to_at, e.until) - greatest(v.from_at, e.since))
			/ extract(epoch FROM v.to_at - v.from_at)),
		min(greatest(v.from_at, e.since)), max(least(v.to_at, e.until)),
		bool_and(v.energy_wh IS NOT NULL AND v.from_at >= e.since AND v.to_at <= e.until)
	INTO energy_wh, since, until, whole
	FROM v, e WHERE v.from_at < e.until AND v.to_at > e.since;
	since := CASE WHEN since <= p_from + tolerance THEN p_from ELSE since END;
	until := CASE WHEN until >= p_to - tolerance THEN p_to ELSE until END;
END $$;
COMMENT ON FUNCTION elecbill._cut_energy(elecbill.meter_installation, timestamptz, timestamptz, interval) IS
'import energy (Wh, primary side) of an installation between two instants, by readings and profiles that lie at most so far outside: what lies across an instant is cut in proportion to time, unless it begins or ends within 15 minutes of it. since, until: what is covered; whole: nothing was cut, nothing is missing';

CREATE FUNCTION elecbill._point_energy(p_point bigint, p_from timestamptz, p_to timestamptz, OUT energy_wh bigint,
	OUT estimated boolean, OUT fault text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET jit = off AS $$
DECLARE
	inst elecbill.meter_installation;
	piece tstzrange;
	c record;
	wh bigint := 0;
	metered boolean := false;
BEGIN
	estimated := false;
	FOR inst IN
		SELECT * FROM elecbill.meter_installation i
		WHERE i.usage_point_id = p_point AND i.role = 'main' AND i.valid && tstzrange(p_from, p_to) ORDER BY i.valid
	LOOP
		metered := true;
		piece := inst.valid * tstzrange(p_from, p_to);
		c := elecbill._cut_energy(inst, lower(piece), upper(piece), '15 minutes');
		IF c.whole IS NOT TRUE OR c.since > lower(piece) OR c.until < upper(piece) THEN
			c := elecbill._cut_energy(inst, lower(piece), upper(piece), '62 days');
			estimated := true;
		END IF;
		IF c.energy_wh IS NULL OR c.since > lower(piece) OR c.until < upper(piece) THEN
			SELECT format('usage point %s: the register is not known at %s', u.code, elecbill._local_time(
				CASE WHEN c.since <= lower(piece) OR c.since IS NULL AND EXISTS (
					SELECT FROM elecbill.meter_register g, LATERAL elecbill._boundary_readings(g.id, 1, lower(piece) - interval '62 days',
						lower(piece) + interval '15 minutes') AS r WHERE g.meter_id = inst.meter_id AND g.code = '1.8.0')
				THEN upper(piece) ELSE lower(piece) END, o.zone))
			INTO fault FROM elecbill.usage_point u JOIN elecbill.org o ON o.id = u.org_id WHERE u.id = p_point;
			RETURN;
		END IF;
		wh := wh + round(c.energy_wh)::bigint;
	END LOOP;
	IF NOT metered THEN
		fault := (SELECT format('usage point %s has no main meter', u.code) FROM elecbill.usage_point u WHERE u.id = p_point);
	ELSE
		energy_wh := wh;
	END IF;
END $$;
COMMENT ON FUNCTION elecbill._point_energy(bigint, timestamptz, timestamptz) IS
'import energy of a usage point between two instants in Wh, over all its meters; estimated: a register was not read within 15 minutes of an end, or intervals are missing. fault: why it is not known (energy NULL)';

CREATE FUNCTION elecbill.point_energy(org text, point text, from_at timestamptz, to_at timestamptz, OUT energy_wh bigint,
	OUT estimated boolean, OUT fault text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET jit = off AS $$
DECLARE
	place bigint := elecbill._point_get(elecbill._org_get(org), point);
BEGIN
	IF from_at < to_at IS NOT TRUE OR NOT isfinite(from_at) OR NOT isfinite(to_at) THEN
		RAISE EXCEPTION 'energy is measured from an instant to a later one' USING ERRCODE = 'UB400';
	END IF;
	SELECT e.* INTO energy_wh, estimated, fault FROM elecbill._point_energy(place, from_at, to_at) AS e;
END $$;
COMMENT ON FUNCTION elecbill.point_energy(text, text, timestamptz, timestamptz) IS
'import energy of a usage point between two instants in Wh, primary side. Registers that were not read within 15 minutes of an instant are interpolated between the readings around it, at most 62 days away (estimated). fault: why the energy is not known. UB400, UB404';

CREATE FUNCTION elecbill._behind_energy(p_parent bigint, p_days daterange, p_zone text, OUT points bigint[], OUT wh bigint[],
	OUT estimated boolean, OUT fault text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET jit = off AS $$
BEGIN
	SELECT array_agg(x.child_id ORDER BY x.code), array_agg(x.energy_wh ORDER BY x.code), coalesce(bool_or(x.estimated), false),
		string_agg(x.fault, '; ' ORDER BY x.code)
	INTO points, wh, estimated, fault
	FROM (
		SELECT t.child_id, u.code, sum(e.energy_wh)::bigint AS energy_wh, bool_or(e.estimated) AS estimated, min(e.fault) AS fault
		FROM elecbill.usage_point_tree t
		JOIN elecbill.usage_point u ON u.id = t.child_id
		CROSS JOIN LATERAL elecbill._point_energy(t.child_id, elecbill.day_start(lower(t.valid * p_days), p_zone),
			elecbill.day_start(upper(t.valid * p_days), p_zone)) AS e
		WHERE t.parent_id = p_parent AND t.valid && p_days
		GROUP BY t.child_id, u.code) AS x;
END $$;
COMMENT ON FUNCTION elecbill._behind_energy(bigint, daterange, text) IS
'energy of the points directly behind a parent meter on local days, each while it lay there, in the order of their codes';

CREATE FUNCTION elecbill._allocation_shared(p_rule elecbill.allocation_rule, p_days daterange, p_points bigint[], p_wh bigint[])
RETURNS TABLE (point_id bigint, weight numeric)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	one record;
	given jsonb;
BEGIN
	FOR one IN
		SELECT u.id, u.code, u.kind
		FROM elecbill.usage_point_tree t JOIN elecbill.usage_point u ON u.id = t.child_id
		WHERE t.parent_id = p_rule.parent_id AND t.valid @> upper(p_days) - 1 AND u.id IS DISTINCT FROM p_rule.source_id
		ORDER BY u.code
	LOOP
		given := p_rule.weights -> one.code;
		-- what is the use of all has no share in it, unless the rule says so; in a pool the estate bears its own use
		CONTINUE WHEN one.kind IN ('common', 'parent') AND given IS NULL AND p_rule.model <> 'pool';
		given := coalesce(given, p_rule.weights -> '*');
		point_id := one.id;
		weight := CASE p_rule.method
			WHEN 'kwh' THEN CASE WHEN given = '0' THEN 0 ELSE p_wh[array_position(p_points, one.id)] END
			WHEN 'household' THEN coalesce((given #>> '{}')::numeric, 1)
			WHEN 'area' THEN (given #>> '{}')::numeric
			ELSE coalesce((given #>> '{}')::numeric, 0) END;
		IF weight IS NULL THEN
			RAISE EXCEPTION USING
				ERRCODE = 'UB404',
				MESSAGE = format('rule %s has no %s of usage point %s', quote_literal(p_rule.code),
					CASE p_rule.method WHEN 'area' THEN 'area' ELSE 'energy' END, one.code);
		END IF;
		RETURN NEXT;
	END LOOP;
END $$;
COMMENT ON FUNCTION elecbill._allocation_shared(elecbill.allocation_rule, daterange, bigint[], bigint[]) IS
'the points behind the parent on the last day that have a share, with their weights, in the order of their codes; points and wh: their energy. UB404 an area is not known';

CREATE FUNCTION elecbill._allocation_price(p_rule elecbill.allocation_rule, p_day date, p_known_at timestamptz, p_zone text)
RETURNS numeric
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	per_kwh numeric := p_rule.price;
BEGIN
	IF p_rule.series_id IS NOT NULL THEN
		SELECT p.price INTO per_kwh FROM elecbill.price_point p
		WHERE p.series_id = p_rule.series_id AND p.known @> p_known_at AND p.during @> elecbill.day_start(p_day, p_zone);
		IF NOT FOUND THEN
			RAISE EXCEPTION USING
				ERRCODE = 'UB404',
				MESSAGE = format('price series %s has no price for %s',
					(SELECT quote_literal(s.code) FROM elecbill.price_series s WHERE s.id = p_rule.series_id), to_char(p_day, 'YYYY-MM-DD'));
		END IF;
	END IF;
	RETURN per_kwh;
END $$;
COMMENT ON FUNCTION elecbill._allocation_price(elecbill.allocation_rule, date, timestamptz, text) IS
'currency per kWh of a rule, by its series that of a day as it was known at an instant; UB404';

CREATE FUNCTION elecbill._allocation_fact(p_rule elecbill.allocation_rule, p_run elecbill.bill_run, p_days daterange,
	p_behind_wh bigint) RETURNS elecbill.allocation
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	zone text := (SELECT o.zone FROM elecbill.org o WHERE o.id = p_rule.org_id);
	fact elecbill.allocation;
	own record;
BEGIN
	fact.children_wh := p_behind_wh;
	IF p_rule.share = 'supply' THEN
		SELECT s.id, s.amount INTO fact.supply_bill_id, fact.amount FROM elecbill.supply_bill s
		WHERE s.parent_id = p_rule.parent_id AND s.days = p_days AND s.live;
		IF NOT FOUND THEN
			RAISE EXCEPTION USING
				ERRCODE = 'UB404',
				MESSAGE = format('there is no bill of the grid for %s over %s to %s',
					(SELECT u.code FROM elecbill.usage_point u WHERE u.id = p_rule.parent_id),
					to_char(lower(p_days), 'YYYY-MM-DD'), to_char(upper(p_days) - 1, 'YYYY-MM-DD')),
				HINT = 'supply_bill_add() enters it.';
		END IF;
		fact.energy_wh := p_behind_wh;
		fact.price := round(coalesce(fact.amount * 1000 / nullif(fact.energy_wh, 0), 0), 9);
		fact.estimated := false;
		RETURN fact;
	END IF;
	own := elecbill._point_energy(coalesce(p_rule.source_id, p_rule.parent_id), elecbill.day_start(lower(p_days), zone),
		elecbill.day_start(upper(p_days), zone));
	IF own.fault IS NOT NULL THEN
		RAISE EXCEPTION USING ERRCODE = 'UB404', MESSAGE = own.fault;
	END IF;
	fact.parent_wh := CASE p_rule.share WHEN 'loss' THEN own.energy_wh END;
	fact.energy_wh := own.energy_wh - CASE p_rule.share WHEN 'loss' THEN p_behind_wh ELSE 0 END;
	fact.price := elecbill._allocation_price(p_rule, upper(p_days) - 1, p_run.known_at, zone);
	fact.amount := elecbill.round_to(fact.energy_wh * 0.001 * fact.price, 0.01);
	fact.estimated := own.estimated;
	RETURN fact;
END $$;
COMMENT ON FUNCTION elecbill._allocation_fact(elecbill.allocation_rule, elecbill.bill_run, daterange, bigint) IS
'what there is to share by a rule on local days: energy, price, amount. behind_wh: energy of the points behind the parent, where it is asked. UB404 something is not known';

CREATE FUNCTION elecbill._shares(p_total_wh bigint, p_amount numeric, p_weights numeric[], p_fixed boolean, OUT wh bigint[],
	OUT amounts numeric[])
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	asked numeric := (SELECT coalesce(sum(w), 0) FROM unnest(p_weights) AS w);
	-- the last share is that of the estate
	weights numeric[] := p_weights || CASE WHEN asked = 0 THEN 1
		WHEN p_fixed THEN greatest(abs(p_total_wh) * 0.001 - asked, 0) ELSE 0 END;
BEGIN
	wh := elecbill.allocate(p_total_wh, weights, 1);
	amounts := elecbill.allocate(p_amount, weights, 0.01);
END $$;
COMMENT ON FUNCTION elecbill._shares(bigint, numeric, numeric[], boolean) IS
'an energy (Wh) and an amount by weights, and behind them what stays with the estate: all where no weight is above 0, and of fixed quantities (kWh) what they leave over; they never take more than there is';

CREATE FUNCTION elecbill._allocation_make(p_rule elecbill.allocation_rule, p_run elecbill.bill_run, p_days daterange) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	asked boolean := p_rule.share <> 'common' OR p_rule.method = 'kwh';
	behind record;
	f elecbill.allocation;
	points bigint[];
	weights numeric[];
	shares record;
	made bigint;
BEGIN
	SELECT * INTO behind
	FROM elecbill._behind_energy(p_rule.parent_id, p_days, (SELECT o.zone FROM elecbill.org o WHERE o.id = p_rule.org_id)) AS b
	WHERE asked;
	IF behind.fault IS NOT NULL THEN
		RAISE EXCEPTION USING ERRCODE = 'UB404', MESSAGE = behind.fault;
	END IF;
	f := elecbill._allocation_fact(p_rule, p_run, p_days, CASE WHEN asked THEN (SELECT coalesce(sum(e), 0)::bigint FROM unnest(behind.wh) AS e) END);
	SELECT coalesce(array_agg(s.point_id ORDER BY u.code), '{}'), coalesce(array_agg(s.weight ORDER BY u.code), '{}')
	INTO points, weights
	FROM elecbill._allocation_shared(p_rule, p_days, behind.points, behind.wh) AS s JOIN elecbill.usage_point u ON u.id = s.point_id;
	shares := elecbill._shares(f.energy_wh, f.amount, weights, p_rule.method = 'fixed_quantity');
	INSERT INTO elecbill.allocation (org_id, rule_id, run_id, during, state, parent_wh, children_wh, energy_wh, price, amount,
		supply_bill_id, estimated)
	VALUES (p_rule.org_id, p_rule.id, p_run.id, p_days, 'done', f.parent_wh, f.children_wh, f.energy_wh, f.price, f.amount, f.supply_bill_id,
		f.estimated OR coalesce(behind.estimated, false))
	RETURNING id INTO made;
	INSERT INTO elecbill.allocation_result (allocation_id, n, org_id, usage_point_id, account_id, weight, energy_wh, amount)
	SELECT made, x.i, p_rule.org_id, points[x.i], g.account_id,
		coalesce(weights[x.i], CASE WHEN x.wh = 0 AND x.amount = 0 THEN 0 ELSE abs(x.wh) * 0.001 END), x.wh, x.amount
	FROM unnest(shares.wh, shares.amounts) WITH ORDINALITY AS x(wh, amount, i)
	LEFT JOIN elecbill.customer_agreement g ON g.usage_point_id = points[x.i] AND g.valid @> upper(p_days) - 1
	-- nothing stays with the estate: no row for it
	WHERE x.i <= cardinality(points) OR x.wh <> 0 OR x.amount <> 0;
END $$;
COMMENT ON FUNCTION elecbill._allocation_make(elecbill.allocation_rule, elecbill.bill_run, daterange) IS
'works out what a rule shares on local days and writes the shares; UB404 a meter, price, area or bill of the grid is missing';

CREATE FUNCTION elecbill._allocation_stands(p_rule bigint, p_run bigint, p_days daterange) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	one record;
BEGIN
	FOR one IN SELECT a.id, a.run_id, a.state FROM elecbill.allocation a
		WHERE a.rule_id = p_rule AND a.during && p_days AND (a.state = 'done' OR a.state = 'failed' AND a.run_id = p_run)
		ORDER BY a.id FOR UPDATE
	LOOP
		IF one.state = 'done' AND (one.run_id = p_run
			OR EXISTS (SELECT FROM elecbill.allocation_result r WHERE r.allocation_id = one.id AND r.bill_id IS NOT NULL))
		THEN
			RETURN true;
		END IF;
		UPDATE elecbill.allocation SET state = 'replaced' WHERE id = one.id;
	END LOOP;
	RETURN false;
END $$;
COMMENT ON FUNCTION elecbill._allocation_stands(bigint, bigint, daterange) IS
'whether a rule is worked out for days: by this run, or by another one by which somebody was billed; what is not billed, or failed, is put aside';

CREATE FUNCTION elecbill._allocation_prepare(p_run bigint) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET jit = off AS $$
DECLARE
	run elecbill.bill_run;
	rule elecbill.allocation_rule;
BEGIN
	SELECT * INTO run FROM elecbill.bill_run r WHERE r.id = p_run;
	IF run.kind NOT IN ('regular', 'offcycle') OR run.account_id IS NOT NULL OR NOT EXISTS (SELECT FROM elecbill.allocation_rule r
		WHERE r.cycle_id = run.cycle_id AND r.state = 'approved' AND r.valid && run.period)
	THEN
		RETURN;
	END IF;
	PERFORM FROM elecbill.bill_run r WHERE r.id = p_run FOR NO KEY UPDATE;	/* one worker does it, the others wait */
	FOR rule IN SELECT * FROM elecbill.allocation_rule r
		WHERE r.cycle_id = run.cycle_id AND r.state = 'approved' AND r.valid && run.period ORDER BY r.code, r.valid
	LOOP
		CONTINUE WHEN elecbill._allocation_stands(rule.id, run.id, rule.valid * run.period);
		BEGIN
			PERFORM elecbill._allocation_make(rule, run, rule.valid * run.period);
		EXCEPTION WHEN OTHERS THEN
			IF elecbill._not_its_fault(SQLSTATE) THEN
				RAISE;
			END IF;
			INSERT INTO elecbill.allocation (org_id, rule_id, run_id, during, state, fault)
			VALUES (rule.org_id, rule.id, run.id, rule.valid * run.period, 'failed', SQLERRM);
		END;
	END LOOP;
END $$;
COMMENT ON FUNCTION elecbill._allocation_prepare(bigint) IS
'works out the rules of a run before its accounts are rated, each once; one that cannot be worked out is noted as failed: its accounts are parked, and bill_run_retry() tries again';
