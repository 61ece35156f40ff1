-- 86_allocation_rule.sql: the tree of meters and the rules, by the keys people use
-- Locks: org, then the rule.

CREATE FUNCTION elecbill._point_get(p_org integer, p_point text) RETURNS bigint
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	found bigint := (SELECT u.id FROM elecbill.usage_point u WHERE u.org_id = p_org AND u.code = p_point);
BEGIN
	IF found IS NULL THEN
		RAISE EXCEPTION USING ERRCODE = 'UB404', MESSAGE = format('there is no usage point %s', quote_nullable(p_point));
	END IF;
	RETURN found;
END $$;
COMMENT ON FUNCTION elecbill._point_get(integer, text) IS 'key of a usage point of an org by its code; UB404';

CREATE FUNCTION elecbill._org_lock(p_org text) RETURNS integer
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	owner integer := elecbill._org_get(p_org);
BEGIN
	PERFORM FROM elecbill.org o WHERE o.id = owner FOR NO KEY UPDATE;
	RETURN owner;
END $$;
COMMENT ON FUNCTION elecbill._org_lock(text) IS 'key of an org by its code, locked, as imports do; UB404';

CREATE FUNCTION elecbill._allocated_check(p_parents bigint[], p_rule bigint, p_day date) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	there record;
BEGIN
	SELECT r.code, a.during INTO there
	FROM elecbill.allocation a JOIN elecbill.allocation_rule r ON r.id = a.rule_id
	WHERE a.state = 'done' AND upper(a.during) > p_day AND (r.parent_id = ANY (p_parents) OR r.id = p_rule)
		AND EXISTS (SELECT FROM elecbill.allocation_result x WHERE x.allocation_id = a.id AND x.bill_id IS NOT NULL)
	ORDER BY a.during LIMIT 1;
	IF FOUND THEN
		RAISE EXCEPTION USING
			ERRCODE = 'UB409',
			MESSAGE = format('days from %s on are shared and billed already', to_char(p_day, 'YYYY-MM-DD')),
			DETAIL = format('Rule %s shared %s to %s.', there.code, to_char(lower(there.during), 'YYYY-MM-DD'),
				to_char(upper(there.during) - 1, 'YYYY-MM-DD')),
			HINT = 'Let the change begin on a later day.';
	END IF;
END $$;
COMMENT ON FUNCTION elecbill._allocated_check(bigint[], bigint, date) IS
'UB409 when bills rest on what was shared behind one of the parents, or by a rule, on a day or later';

CREATE FUNCTION elecbill.usage_point_tree_set(org text, child text, parent text, day date) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	owner integer := elecbill._org_lock(org);
	point bigint := elecbill._point_get(owner, child);
	above bigint := CASE WHEN parent IS NOT NULL THEN elecbill._point_get(owner, parent) END;
	old elecbill.usage_point_tree;
BEGIN
	IF isfinite(day) IS NOT TRUE OR point = above THEN
		RAISE EXCEPTION 'a usage point lies behind another one from a day on' USING ERRCODE = 'UB400';
	END IF;
	SELECT * INTO old FROM elecbill.usage_point_tree t WHERE t.child_id = point AND t.valid @> day;
	IF old.parent_id IS NOT DISTINCT FROM above THEN
		RETURN;
	END IF;
	PERFORM elecbill._allocated_check(array_remove(ARRAY[old.parent_id, above], NULL), NULL, day);
	IF lower(old.valid) = day THEN
		DELETE FROM elecbill.usage_point_tree t WHERE t.id = old.id;
	ELSE
		UPDATE elecbill.usage_point_tree t SET valid = daterange(lower(old.valid), day) WHERE t.id = old.id;
	END IF;
	IF above IS NOT NULL THEN
		INSERT INTO elecbill.usage_point_tree (org_id, parent_id, child_id, valid)
		SELECT owner, above, point, daterange(day, min(lower(t.valid)))
		FROM elecbill.usage_point_tree t WHERE t.child_id = point AND lower(t.valid) > day;
	END IF;
	PERFORM elecbill._audit(owner, 'usage_point_tree_set', child,
		jsonb_build_object('parent', (SELECT u.code FROM elecbill.usage_point u WHERE u.id = old.parent_id)),
		jsonb_build_object('parent', parent, 'day', day));
END $$;
COMMENT ON FUNCTION elecbill.usage_point_tree_set(text, text, text, date) IS
'puts a usage point behind the meter of another one from a local day on, or (NULL) behind none. The same call again changes nothing. UB400, UB404, UB409 it would lie behind itself, or bills rest on what was shared since';

CREATE FUNCTION elecbill._weights_check(p_org integer, p_weights jsonb, p_method text) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	one record;
BEGIN
	IF jsonb_typeof(p_weights) IS DISTINCT FROM 'object' OR p_weights = '{}' AND p_method IN ('area', 'fixed_ratio', 'fixed_quantity') THEN
		RAISE EXCEPTION USING
			ERRCODE = 'UB400',
			MESSAGE = format('method %s needs weights', p_method),
			HINT = 'Such as {"SHOP-1": 80, "SHOP-2": 120.5}, by codes of usage points; "*" stands for all others.';
	END IF;
	FOR one IN SELECT * FROM jsonb_each(p_weights) AS w LOOP
		IF one.key <> '*' THEN
			PERFORM elecbill._point_get(p_org, one.key);
		END IF;
		IF (CASE jsonb_typeof(one.value) WHEN 'number' THEN one.value < '0' OR one.value > '1000000000000'
			OR scale(trim_scale((one.value #>> '{}')::numeric)) > 6 ELSE true END)
		THEN
			RAISE EXCEPTION USING
				ERRCODE = 'UB400',
				MESSAGE = 'a weight is a number from 0 on, with six decimals at most',
				DETAIL = format('%s has %s.', quote_literal(one.key), one.value);
		END IF;
	END LOOP;
END $$;
COMMENT ON FUNCTION elecbill._weights_check(integer, jsonb, text) IS 'UB400 the weights of a rule are not such, UB404 one is that of an unknown point';

CREATE FUNCTION elecbill._allocation_rule_check(p_share text, p_model text, p_method text, p_valid daterange, p_price numeric,
	p_series text, p_source text) RETURNS void
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF p_share IN ('common', 'loss', 'supply') IS NOT TRUE OR p_model IN ('state_price', 'pool') IS NOT TRUE
		OR p_method IN ('kwh', 'household', 'area', 'fixed_ratio', 'fixed_quantity') IS NOT TRUE
		OR (p_model = 'pool') <> (p_share = 'supply') OR p_model = 'pool' AND p_method <> 'kwh'
	THEN
		RAISE EXCEPTION USING
			ERRCODE = 'UB400',
			MESSAGE = 'this is nothing that can be shared so',
			DETAIL = format('Share %s, model %s, method %s.', quote_nullable(p_share), quote_nullable(p_model), quote_nullable(p_method)),
			HINT = 'common or loss by model state_price, supply by model pool and method kwh; methods are kwh, household, area, fixed_ratio, fixed_quantity.';
	ELSIF (p_share = 'common') <> (p_source IS NOT NULL)
		OR num_nonnulls(p_price, p_series) <> (CASE p_model WHEN 'pool' THEN 0 ELSE 1 END)
		OR p_price < 0 OR p_price >= 1e9 OR p_price <> round(p_price, 9)
	THEN
		RAISE EXCEPTION USING
			ERRCODE = 'UB400',
			MESSAGE = 'common energy has a source, energy a price or a price series, and a pool none of them';
	ELSIF isempty(p_valid) OR isfinite(lower(p_valid)) IS NOT TRUE THEN
		RAISE EXCEPTION USING ERRCODE = 'UB400', MESSAGE = 'a rule counts from a day on';
	END IF;
END $$;
COMMENT ON FUNCTION elecbill._allocation_rule_check(text, text, text, daterange, numeric, text, text) IS 'UB400 when the arguments of a rule do not fit together';

CREATE FUNCTION elecbill.allocation_rule_set(org text, code text, parent text, share text, method text, valid daterange,
	model text DEFAULT 'state_price', price numeric DEFAULT NULL, series text DEFAULT NULL, source text DEFAULT NULL,
	weights jsonb DEFAULT '{}', name text DEFAULT NULL, cycle text DEFAULT 'MONTH') RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	owner integer;
	r elecbill.allocation_rule;
BEGIN
	owner := elecbill._org_lock(org);
	PERFORM elecbill._allocation_rule_check(share, model, method, valid, price, series, source);
	PERFORM elecbill._weights_check(owner, weights, method);
	IF code ~ '^\S{1,64}$' IS NOT TRUE THEN
		RAISE EXCEPTION 'a rule has a code of 1 to 64 characters without blanks' USING ERRCODE = 'UB400';
	END IF;
	r.parent_id := elecbill._point_get(owner, parent);
	r.source_id := CASE WHEN source IS NOT NULL THEN elecbill._point_get(owner, source) END;
	r.series_id := CASE WHEN series IS NOT NULL THEN (elecbill._price_series_get(org || '/' || series)).id END;
	SELECT y.id INTO r.cycle_id FROM elecbill.billing_cycle y WHERE y.org_id = owner AND y.code = allocation_rule_set.cycle;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'org % has no billing cycle %', quote_literal(org), quote_nullable(cycle) USING ERRCODE = 'UB404';
	END IF;
	UPDATE elecbill.allocation_rule x SET state = 'rejected', decided_by = elecbill.current_login(), decided_at = elecbill.now()
	WHERE x.org_id = owner AND x.code = allocation_rule_set.code AND x.state = 'requested';
	INSERT INTO elecbill.allocation_rule (org_id, code, name, parent_id, cycle_id, share, source_id, model, method, weights,
		price, series_id, valid)
	VALUES (owner, code, coalesce(nullif(btrim(name), ''), code), r.parent_id, r.cycle_id, share, r.source_id, model, method,
		weights, price, r.series_id, valid) RETURNING * INTO r;
	PERFORM elecbill._audit(owner, 'allocation_rule_set', code, NULL, to_jsonb(r));
EXCEPTION WHEN OTHERS THEN
	PERFORM elecbill._refused(org, 'allocation_rule_set', code, SQLSTATE, SQLERRM);
	RAISE;
END $$;
COMMENT ON FUNCTION elecbill.allocation_rule_set(text, text, text, text, text, daterange, text, numeric, text, text, jsonb, text, text) IS
'asks for a rule of a code on local days [from, to): share common (source: the common meter), loss, or supply (model pool), behind a parent meter, by kwh, household, area, fixed_ratio or fixed_quantity, at a price per kWh or by a price series. weights: {code of a usage point: number, "*": number of all others}. allocation_rule_approve() by another person puts it in force; a request for the same code replaces the one before. UB400, UB404';

CREATE FUNCTION elecbill._allocation_rule_decide(p_org text, p_code text, p_state text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	owner integer := elecbill._org_lock(p_org);
	r elecbill.allocation_rule;
	old elecbill.allocation_rule;
BEGIN
	SELECT * INTO r FROM elecbill.allocation_rule x
	WHERE x.org_id = owner AND x.code = p_code AND x.state = 'requested' FOR NO KEY UPDATE;
	IF NOT FOUND THEN
		RAISE EXCEPTION USING
			ERRCODE = 'UB404',
			MESSAGE = format('nobody asked for rule %s', quote_nullable(p_code)),
			HINT = 'allocation_rule_set() asks for it.';
	ELSIF p_state = 'approved' AND r.created_by = elecbill.current_login() THEN
		RAISE EXCEPTION USING
			ERRCODE = 'UB403',
			MESSAGE = 'a rule is approved by another person than wrote it',
			DETAIL = format('%s wrote it.', quote_literal(r.created_by));
	END IF;
	IF p_state = 'approved' THEN
		FOR old IN SELECT * FROM elecbill.allocation_rule x
			WHERE x.org_id = owner AND x.code = p_code AND x.state = 'approved' AND x.valid && r.valid ORDER BY x.valid
		LOOP
			PERFORM elecbill._allocation_rule_close(old, lower(r.valid));
		END LOOP;
	END IF;
	UPDATE elecbill.allocation_rule SET state = p_state, decided_by = elecbill.current_login(), decided_at = elecbill.now()
	WHERE id = r.id;
	PERFORM elecbill._audit(owner, 'allocation_rule_' || p_state, p_code, NULL, to_jsonb(r));
END $$;
COMMENT ON FUNCTION elecbill._allocation_rule_decide(text, text, text) IS 'what allocation_rule_approve() and allocation_rule_reject() do';

CREATE FUNCTION elecbill._allocation_rule_close(p_rule elecbill.allocation_rule, p_day date) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	PERFORM elecbill._allocated_check('{}', p_rule.id, p_day);
	IF lower(p_rule.valid) >= p_day THEN
		UPDATE elecbill.allocation_rule SET state = 'rejected', decided_by = elecbill.current_login(), decided_at = elecbill.now()
		WHERE id = p_rule.id;
	ELSE
		UPDATE elecbill.allocation_rule SET valid = daterange(lower(p_rule.valid), p_day) WHERE id = p_rule.id;
	END IF;
END $$;
COMMENT ON FUNCTION elecbill._allocation_rule_close(elecbill.allocation_rule, date) IS
'lets a rule count no longer from a day on, or never; UB409 bills rest on it';

CREATE FUNCTION elecbill.allocation_rule_approve(org text, code text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	PERFORM elecbill._allocation_rule_decide(org, code, 'approved');
EXCEPTION WHEN OTHERS THEN
	PERFORM elecbill._refused(org, 'allocation_rule_approve', code, SQLSTATE, SQLERRM);
	RAISE;
END $$;
COMMENT ON FUNCTION elecbill.allocation_rule_approve(text, text) IS
'puts the rule that another person asked for in force; what counted under its code before ends where it begins. UB403 the same person, UB404 nobody asked, UB409 bills rest on what the former rule shared on these days';

CREATE FUNCTION elecbill.allocation_rule_reject(org text, code text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	PERFORM elecbill._allocation_rule_decide(org, code, 'rejected');
EXCEPTION WHEN OTHERS THEN
	PERFORM elecbill._refused(org, 'allocation_rule_reject', code, SQLSTATE, SQLERRM);
	RAISE;
END $$;
COMMENT ON FUNCTION elecbill.allocation_rule_reject(text, text) IS 'rejects, or takes back, the rule that was asked for. UB404 nobody asked';

CREATE FUNCTION elecbill.allocation_rule_end(org text, code text, day date) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	owner integer;
	r elecbill.allocation_rule;
BEGIN
	owner := elecbill._org_lock(org);
	SELECT * INTO r FROM elecbill.allocation_rule x
	WHERE x.org_id = owner AND x.code = allocation_rule_end.code AND x.state = 'approved' AND x.valid @> day AND isfinite(day) FOR NO KEY UPDATE;
	IF NOT FOUND THEN
		RAISE EXCEPTION USING ERRCODE = 'UB404', MESSAGE = format('no rule %s counts on %s', quote_nullable(code), coalesce(to_char(day, 'YYYY-MM-DD'), 'NULL'));
	END IF;
	PERFORM elecbill._allocation_rule_close(r, day);
	PERFORM elecbill._audit(owner, 'allocation_rule_end', code, to_jsonb(r), jsonb_build_object('day', day));
EXCEPTION WHEN OTHERS THEN
	PERFORM elecbill._refused(org, 'allocation_rule_end', code, SQLSTATE, SQLERRM);
	RAISE;
END $$;
COMMENT ON FUNCTION elecbill.allocation_rule_end(text, text, date) IS
'lets a rule count no longer from a local day on. UB404 none counts on it, UB409 bills rest on what it shared since';
