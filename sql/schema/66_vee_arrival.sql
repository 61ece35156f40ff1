-- 66_vee_arrival.sql: what can be said of a reading when it comes: V01 to V05, V10, V13, and V12 of removed meters
--
-- Once per statement, for all of its rows: a pass over the rows with the newest reading before them finds who is
-- suspicious by bounds that nobody else reaches; only those are looked at one by one. The trigger comes before the
-- one that moves reading_latest on, by its name. What ingest() refuses is in reading_inbox, another value for an
-- instant in reading_conflict: V01, V04, V13 look there.

CREATE FUNCTION elecbill.meter_model_limit(vendor text, model text, kw numeric) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF kw <= 0 OR kw > 1000000 OR kw <> trunc(kw, 3) THEN
		RAISE EXCEPTION 'the power of a meter must be a number of kW above 0 with at most 3 decimals, or NULL'
			USING ERRCODE = 'UB400', DETAIL = format('The value is %s.', kw);
	END IF;
	UPDATE elecbill.meter_model AS d SET max_w = (kw * 1000)::bigint
	WHERE d.vendor = meter_model_limit.vendor AND d.model = meter_model_limit.model;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'there is no meter model % of %', quote_nullable(model), quote_nullable(vendor)
			USING ERRCODE = 'UB404';
	END IF;
END $$;
COMMENT ON FUNCTION elecbill.meter_model_limit(text, text, numeric) IS 'the most power in kW that meters of a model measure, before any multiplier: largest current x voltage x phases; NULL: unknown, rule V05 has a number for such. UB400, UB404';

CREATE FUNCTION elecbill._vee_behind(p_register bigint, p_at timestamptz, p_until timestamptz, OUT at timestamptz, OUT wh bigint,
	OUT quality integer)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	-- nearly always it is near, in one or two months of reading
	SELECT r.read_at, r.register_wh, r.quality INTO at, wh, quality FROM elecbill._reading_all AS r
	WHERE r.register_id = p_register AND r.read_at > p_at AND r.read_at <= coalesce(p_until, p_at + interval '2 days')
	ORDER BY r.read_at LIMIT 1;
	IF NOT FOUND THEN
		SELECT r.read_at, r.register_wh, r.quality INTO at, wh, quality FROM elecbill._reading_all AS r
		WHERE r.register_id = p_register AND r.read_at > p_at ORDER BY r.read_at LIMIT 1;
	END IF;
	IF EXISTS (SELECT FROM elecbill.reading_correction AS c WHERE c.register_id = p_register AND c.read_at > p_at
		AND c.read_at <= coalesce(at, 'infinity') AND upper_inf(c.known) AND c.edit_id IS NOT NULL)
	THEN
		SELECT r.read_at, r.register_wh, r.quality INTO at, wh, quality FROM elecbill.reading_effective AS r
		WHERE r.register_id = p_register AND r.read_at > p_at AND r.source <> 6 ORDER BY r.read_at LIMIT 1;
	END IF;
END $$;
COMMENT ON FUNCTION elecbill._vee_behind(bigint, timestamptz, timestamptz) IS 'the first reading of a register behind an instant, as it counts today; no estimates. There is one up to until; NULL: unknown';

CREATE FUNCTION elecbill._vee_step(p_org integer, p_register bigint, p_at timestamptz, p_wh bigint, p_before_at timestamptz,
	p_before_wh bigint, p_bound numeric) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	place	bigint;
	power	elecbill.vee_rule;
	kind	record;
	went	bigint;		/* Wh, NULL: it ran backwards */
	limits	numeric;	/* W */
	watts	numeric;
	seen	jsonb;
BEGIN
	IF p_before_at IS NULL OR p_wh >= p_before_wh
		AND coalesce(p_wh - p_before_wh <= p_bound * extract(epoch FROM p_at - p_before_at) / 3600, true)
	THEN
		RETURN;
	END IF;
	place := elecbill._register_point(p_register, p_at);
	power := elecbill._vee_rule(p_org, 'V05');
	SELECT g.wrap_wh, coalesce(d.max_w, (power.params ->> 'max_w')::numeric) AS max_w, i.multiplier INTO kind
	FROM elecbill.meter_register AS g
	JOIN elecbill.meter AS m ON m.id = g.meter_id
	JOIN elecbill.meter_model AS d ON d.id = m.model_id
	LEFT JOIN elecbill.meter_installation AS i ON i.meter_id = m.id AND i.valid @> p_before_at
	WHERE g.id = p_register;
	-- the value before was the wrong one, and still is: nothing more to say
	IF EXISTS (SELECT FROM elecbill.vee_exception AS e WHERE e.org_id = p_org AND e.rule IN ('V02', 'V05')
			AND e.register_id = p_register AND upper(e.during) = p_before_at AND e.state IN ('open', 'rejected'))
		AND NOT EXISTS (SELECT FROM elecbill.reading_correction AS c WHERE c.register_id = p_register
			AND c.read_at = p_before_at AND upper_inf(c.known) AND c.edit_id IS NOT NULL)
	THEN
		RETURN;
	END IF;
	limits := kind.max_w * (power.params ->> 'factor')::numeric;
	went := elecbill.register_delta(p_before_wh, p_wh, kind.wrap_wh, kind.wrap_wh / 10);
	watts := went * 3600 / greatest(extract(epoch FROM p_at - p_before_at), 1);
	seen := jsonb_build_object('before_kwh', p_before_wh * 0.001, 'kwh', p_wh * 0.001);
	IF went IS NULL OR p_wh < p_before_wh AND watts > limits THEN
		PERFORM elecbill._vee_raise(p_org, 'V02', place, p_register, tstzrange(p_before_at, p_at, '[]'), 1, seen);
	ELSIF watts > limits THEN
		PERFORM elecbill._vee_raise(p_org, 'V05', place, p_register, tstzrange(p_before_at, p_at, '[]'), watts / limits,
			seen || jsonb_build_object('kw', round(watts * coalesce(kind.multiplier, 1) * 0.001, 3),
				'limit_kw', round(limits * coalesce(kind.multiplier, 1) * 0.001, 3)));
	ELSIF p_wh < p_before_wh THEN
		PERFORM elecbill._vee_raise(p_org, 'V03', place, p_register, tstzrange(p_before_at, p_at, '[]'), 1,
			seen || jsonb_build_object('used_kwh', went * 0.001));
	END IF;
END $$;
COMMENT ON FUNCTION elecbill._vee_step(integer, bigint, timestamptz, bigint, timestamptz, bigint, numeric) IS 'V02, V03, V05 for two consecutive readings of a register: ran backwards, rolled over, or more than the meter can measure; nothing where it rose by less than the bound of _vee_bound(). Of three readings the one in the middle is told of once';

CREATE FUNCTION elecbill._vee_clock(p_org integer, p_register bigint, p_at timestamptz, p_meter_at timestamptz) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	clock	elecbill.vee_rule := elecbill._vee_rule(p_org, 'V10');
	place	bigint := elecbill._register_point(p_register, p_at);
	off_s	numeric := abs(extract(epoch FROM p_meter_at - p_at));
	worse	text := CASE WHEN off_s > (clock.params ->> 'hold_s')::numeric THEN 'hold' ELSE clock.severity END;
	told	elecbill.vee_exception;
BEGIN
	IF off_s <= (clock.params ->> 'warn_s')::numeric THEN
		RETURN;
	END IF;
	-- a clock is wrong until it is set: said once, and once more when it becomes worse
	SELECT e.* INTO told FROM elecbill.vee_exception AS e
	WHERE e.org_id = p_org AND e.rule = 'V10' AND e.register_id = p_register AND e.state = 'open' LIMIT 1;
	IF FOUND THEN
		UPDATE elecbill.vee_exception AS e SET severity = worse
		WHERE e.id = told.id AND worse = 'hold' AND e.severity <> 'hold';
	ELSE
		PERFORM elecbill._vee_raise(p_org, 'V10', place, p_register, tstzrange(p_at, p_at, '[]'),
			off_s / greatest((clock.params ->> 'warn_s')::numeric, 1),
			jsonb_build_object('meter_at', p_meter_at, 'off_s', round(off_s)), worse);
	END IF;
END $$;
COMMENT ON FUNCTION elecbill._vee_clock(integer, bigint, timestamptz, timestamptz) IS 'V10: the clock of a meter against the instant of the reading; one open exception per meter, warn that becomes hold';

CREATE FUNCTION elecbill._vee_bound() RETURNS numeric
LANGUAGE sql STABLE
BEGIN ATOMIC
	SELECT coalesce(min((r.params ->> 'factor')::numeric), 1)
		* least(min((r.params ->> 'max_w')::numeric), (SELECT min(d.max_w) FROM elecbill.meter_model AS d))
	FROM elecbill.vee_rule AS r WHERE r.code = 'V05' AND upper_inf(r.known) AND r.enabled;
END;
COMMENT ON FUNCTION elecbill._vee_bound() IS 'W below which V05 finds nothing, whatever meter and org; NULL: nobody has the rule';

CREATE FUNCTION elecbill._reading_check() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET jit = off AS $$
DECLARE
	bound	numeric := elecbill._vee_bound();
	-- what V05 lets pass in a minute: less than that in a longer time needs no division
	least_wh bigint := floor(bound / 60);
	drift	interval := make_interval(secs => (SELECT min((r.params ->> 'warn_s')::numeric) FROM elecbill.vee_rule AS r
		WHERE r.code = 'V10' AND upper_inf(r.known) AND r.enabled));
	edited_to timestamptz := (SELECT max(c.read_at) FROM elecbill.reading_correction AS c
		WHERE c.edit_id IS NOT NULL AND upper_inf(c.known));
	odd		record;
	former	record;
	late_register bigint[];
	late_at	timestamptz[];
BEGIN
	FOR odd IN
		SELECT s.org_id, s.register_id, s.read_at, s.register_wh, s.meter_at, s.quality, s.late, s.before_at AS at, s.before_wh AS wh,
			k.edited, s.batch_at, s.batch_next
		FROM (
			SELECT b.org_id, b.register_id, b.read_at, b.register_wh, b.meter_at, b.quality, l.read_at >= b.read_at AS late,
				CASE WHEN l.read_at > b.batch_at OR b.batch_at IS NULL THEN l.read_at ELSE b.batch_at END AS before_at,
				CASE WHEN l.read_at > b.batch_at OR b.batch_at IS NULL THEN l.register_wh ELSE b.batch_wh END AS before_wh,
				b.batch_at, b.batch_next
			FROM (SELECT a.*, lag(a.read_at) OVER w AS batch_at, lag(a.register_wh) OVER w AS batch_wh, lead(a.read_at) OVER w AS batch_next
				  FROM added AS a WINDOW w AS (PARTITION BY a.register_id ORDER BY a.read_at)) AS b
			LEFT JOIN elecbill.reading_latest AS l ON l.register_id = b.register_id) AS s
		-- what came as the reading before may have been corrected; of a late one the reading before is looked up
		CROSS JOIN LATERAL (SELECT least(s.before_at, s.read_at) <= edited_to AND EXISTS (
			SELECT FROM elecbill.reading_correction AS c WHERE c.register_id = s.register_id
				AND c.read_at >= least(s.before_at, s.read_at) AND c.read_at <= s.read_at AND c.edit_id IS NOT NULL
				AND upper_inf(c.known)) OFFSET 0) AS k(edited)
		WHERE s.quality & 512 = 0 AND (s.late OR k.edited OR s.register_wh < s.before_wh
				OR (s.register_wh - s.before_wh > least_wh OR s.read_at < s.before_at + interval '1 minute')
					AND s.register_wh - s.before_wh > bound * extract(epoch FROM s.read_at - s.before_at) / 3600)
			OR s.meter_at < s.read_at - drift OR s.meter_at > s.read_at + drift
		ORDER BY s.register_id, s.read_at
	LOOP
		IF odd.meter_at IS NOT NULL AND drift IS NOT NULL AND EXISTS (SELECT FROM elecbill.meter_register AS g
			WHERE g.id = odd.register_id AND g.code = '1.8.0')
		THEN
			PERFORM elecbill._vee_clock(odd.org_id, odd.register_id, odd.read_at, odd.meter_at);
		END IF;
		IF odd.edited AND EXISTS (SELECT FROM elecbill.reading_correction AS c WHERE c.register_id = odd.register_id
			AND c.read_at = odd.read_at AND c.edit_id IS NOT NULL AND upper_inf(c.known))
		THEN
			CONTINUE;	/* another value counts there: one that was moved from another meter */
		END IF;
		IF odd.late THEN
			PERFORM elecbill._vee_late(odd.org_id, odd.register_id, odd.read_at, odd.register_wh, odd.quality & 512 <> 0, bound,
				odd.batch_at, odd.batch_next);
			PERFORM elecbill._estimate_reopen(odd.register_id, odd.read_at);
			late_register := late_register || odd.register_id;
			late_at := late_at || odd.read_at;
		ELSIF odd.quality & 512 = 0 THEN
			former := odd;
			IF odd.edited THEN
				former := elecbill._reading_before(odd.register_id, odd.read_at, NULL);
			END IF;
			PERFORM elecbill._vee_step(odd.org_id, odd.register_id, odd.read_at, odd.register_wh, former.at, former.wh, bound);
		END IF;
	END LOOP;
	IF late_at IS NOT NULL OR EXISTS (SELECT FROM elecbill.reading_estimate AS e WHERE e.state = 'open') THEN
		PERFORM elecbill._estimate_meet(e.register_id, e.first, e.last)
		FROM (SELECT x.register_id, min(l.at) AS first, max(l.at) AS last FROM elecbill.reading_estimate AS x
			  LEFT JOIN unnest(late_register, late_at) AS l(register_id, at) ON l.register_id = x.register_id
			  WHERE x.state = 'open' AND x.register_id IN (SELECT a.register_id FROM added AS a) OR l.at IS NOT NULL
			  GROUP BY x.register_id ORDER BY x.register_id) AS e;
	END IF;
	RETURN NULL;
END $$;
COMMENT ON FUNCTION elecbill._reading_check() IS 'statement trigger of reading: rules V02, V03, V05, V10 for what came, and estimates that it settles';
CREATE TRIGGER reading_check AFTER INSERT ON elecbill.reading
	REFERENCING NEW TABLE AS added
	FOR EACH STATEMENT EXECUTE FUNCTION elecbill._reading_check();
COMMENT ON TRIGGER reading_check ON elecbill.reading IS 'rules on arrival; before reading_latest by its name; fires for inserts into reading, not into a partition';

-- a plan for each instant would leave out a few months, and take 40 times as long to make as to run
CREATE FUNCTION elecbill._vee_late(p_org integer, p_register bigint, p_at timestamptz, p_wh bigint, p_restart boolean,
	p_bound numeric, p_batch_at timestamptz, p_batch_next timestamptz) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan AS $$
DECLARE
	former	record := elecbill._reading_before(p_register, p_at, p_batch_at - interval '1 microsecond');
	next	record := elecbill._vee_behind(p_register, p_at, p_batch_next);
BEGIN
	-- of that one another value, or none, may count
	IF former.at IS NULL AND p_batch_at IS NOT NULL THEN
		former := elecbill._reading_before(p_register, p_at, NULL);
	END IF;
	IF NOT p_restart THEN
		PERFORM elecbill._vee_step(p_org, p_register, p_at, p_wh, former.at, former.wh, p_bound);
	END IF;
	IF next.quality & 512 = 0 THEN
		PERFORM elecbill._vee_step(p_org, p_register, next.at, next.wh, p_at, p_wh, p_bound);
	END IF;
END $$;
COMMENT ON FUNCTION elecbill._vee_late(integer, bigint, timestamptz, bigint, boolean, numeric, timestamptz, timestamptz) IS 'V02, V03, V05 for a reading that came after later ones: with the one before and the one behind it; those of its register in the same statement bound the look at the table';

CREATE FUNCTION elecbill._inbox_check() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	bad		record;
	gone	record;
BEGIN
	FOR bad IN
		SELECT a.org_id, g.id AS register_id, m.id AS meter_id, a.read_at, a.kwh, a.reason, a.received_at
		FROM added AS a
		JOIN elecbill.meter AS m ON m.serial = a.meter AND m.org_id = a.org_id
		JOIN elecbill.meter_register AS g ON g.meter_id = m.id AND g.code = a.register
		WHERE a.state = 'rejected' ORDER BY g.id, a.read_at
	LOOP
		IF bad.reason IN ('value beyond the register', 'negative value', 'more than 3 decimals', 'value is not a number',
			'infinite value')
		THEN
			PERFORM elecbill._vee_raise(bad.org_id, 'V04', elecbill._register_point(bad.register_id, bad.received_at),
				bad.register_id, tstzrange(coalesce(k.at, bad.received_at), coalesce(k.at, bad.received_at), '[]'), 1,
				jsonb_build_object('kwh', bad.kwh::text, 'reason', bad.reason))
			FROM (SELECT CASE WHEN isfinite(bad.read_at) THEN bad.read_at END) AS k(at);
		ELSIF bad.reason IN ('instant in the future', 'meter not installed at this instant') THEN
			-- behind its removal a meter that goes on counting is somewhere it should not be
			SELECT upper(i.valid) AS at, i.usage_point_id, r.register_wh INTO gone
			FROM elecbill.meter_installation AS i
			JOIN elecbill.reading_effective AS r ON r.register_id = bad.register_id AND r.read_at = upper(i.valid)
			WHERE i.meter_id = bad.meter_id AND upper(i.valid) < bad.read_at ORDER BY i.valid DESC LIMIT 1;
			IF gone.at IS NOT NULL AND bad.reason LIKE 'meter%'
				AND bad.kwh * 1000 - gone.register_wh
					> ((elecbill._vee_rule(bad.org_id, 'V12')).params ->> 'kwh')::numeric * 1000
			THEN
				PERFORM elecbill._vee_removed(bad.org_id, gone.usage_point_id, bad.register_id, gone.at, bad.read_at,
					bad.kwh - gone.register_wh * 0.001);
			ELSIF isfinite(bad.read_at) THEN
				PERFORM elecbill._vee_raise(bad.org_id, 'V13', elecbill._register_point(bad.register_id, bad.received_at),
					bad.register_id, tstzrange(bad.read_at, bad.read_at, '[]'), 1,
					jsonb_build_object('kwh', bad.kwh::text, 'reason', bad.reason));
			END IF;
		END IF;
	END LOOP;
	RETURN NULL;
END $$;
COMMENT ON FUNCTION elecbill._inbox_check() IS 'statement trigger of reading_inbox: V04 and V13 for what was refused, V12 for meters that count after they were removed';
CREATE TRIGGER reading_inbox_check AFTER INSERT ON elecbill.reading_inbox
	REFERENCING NEW TABLE AS added
	FOR EACH STATEMENT EXECUTE FUNCTION elecbill._inbox_check();
COMMENT ON TRIGGER reading_inbox_check ON elecbill.reading_inbox IS 'rules for what was refused';

CREATE FUNCTION elecbill._vee_removed(p_org integer, p_point bigint, p_register bigint, p_removed timestamptz,
	p_at timestamptz, p_kwh numeric) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	-- one open exception for a meter that goes on
	IF NOT EXISTS (SELECT FROM elecbill.vee_exception AS e WHERE e.org_id = p_org AND e.rule = 'V12'
		AND e.register_id = p_register AND e.state = 'open')
	THEN
		PERFORM elecbill._vee_raise(p_org, 'V12', p_point, p_register, tstzrange(p_removed, p_at, '[]'),
			p_kwh / greatest(((elecbill._vee_rule(p_org, 'V12')).params ->> 'kwh')::numeric, 0.001),
			jsonb_build_object('kwh', p_kwh, 'removed_at', p_removed));
	END IF;
END $$;
COMMENT ON FUNCTION elecbill._vee_removed(integer, bigint, bigint, timestamptz, timestamptz, numeric) IS 'V12 for a meter that was removed and counts on';

CREATE FUNCTION elecbill._conflict_check() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	PERFORM elecbill._vee_raise(a.org_id, 'V01', elecbill._register_point(a.register_id, a.read_at), a.register_id,
		tstzrange(a.read_at, a.read_at, '[]'), 1,
		jsonb_build_object('kwh', a.stored_wh * 0.001, 'offered_kwh', a.offered_wh * 0.001))
	FROM added AS a;
	RETURN NULL;
END $$;
COMMENT ON FUNCTION elecbill._conflict_check() IS 'statement trigger of reading_conflict: V01, two values for one instant';
CREATE TRIGGER reading_conflict_check AFTER INSERT ON elecbill.reading_conflict
	REFERENCING NEW TABLE AS added
	FOR EACH STATEMENT EXECUTE FUNCTION elecbill._conflict_check();
COMMENT ON TRIGGER reading_conflict_check ON elecbill.reading_conflict IS 'rule V01';
