-- 45_usage_counter.sql: energy per tier scope, derived from issued bills and from what was taken over

CREATE FUNCTION elecbill._scopes(p_snapshot jsonb) RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN ARRAY(
	SELECT concat_ws(' ', p.part ->> 'plan_id', s.scope ->> 'scope', s.scope ->> 'start')
	FROM jsonb_array_elements(p_snapshot -> 'parts') AS p(part),
		jsonb_array_elements(p.part -> 'scopes') AS s(scope));
COMMENT ON FUNCTION elecbill._scopes(jsonb) IS 'the tier scopes a bill has a part in, from its snapshot';

CREATE FUNCTION elecbill._usage_sum(p_bills bigint[])
RETURNS TABLE (org_id integer, account_id bigint, tariff_plan_id bigint, scope text, scope_start date,
	kwh numeric, as_of date)
LANGUAGE sql STABLE
BEGIN ATOMIC
	SELECT s.org_id, s.account_id, s.plan_id, s.scope, s.start, sum(s.kwh), max(s.as_of)
	FROM (
	SELECT b.org_id, b.account_id, x.plan_id, x.scope ->> 'scope' AS scope,
		(x.scope ->> 'start')::date AS start, (x.scope ->> 'kwh')::numeric AS kwh,
		CASE WHEN x.own THEN upper(b.service) ELSE (x.scope ->> 'start')::date END AS as_of
	FROM elecbill.bill b, LATERAL (
		SELECT (p.part ->> 'plan_id')::bigint AS plan_id, s.scope, true AS own
		FROM jsonb_array_elements(b.snapshot -> 'parts') AS p(part), jsonb_array_elements(p.part -> 'scopes') AS s(scope)
	UNION ALL
		SELECT (s.scope ->> 'plan_id')::bigint, s.scope, false
		FROM elecbill.bill_true_up t, jsonb_array_elements(t.scopes) AS s(scope) WHERE t.bill_id = b.id) AS x
	-- not OR: that would read all bills also when some are named
	WHERE b.id IN (SELECT u.id FROM unnest(p_bills) AS u(id)
		UNION ALL SELECT a.id FROM elecbill.bill a WHERE p_bills IS NULL AND a.live AND a.number IS NOT NULL)
	UNION ALL
	SELECT i.org_id, i.account_id, i.tariff_plan_id, i.scope, i.scope_start, i.kwh, i.until
	FROM elecbill.opening_item i WHERE p_bills IS NULL AND i.kind = 'energy') AS s
	GROUP BY 1, 2, 3, 4, 5;
END;
COMMENT ON FUNCTION elecbill._usage_sum(bigint[]) IS
'what bills add to usage_counter, what they correct of earlier ones included; NULL: all live issued bills, and what was taken over';

CREATE FUNCTION elecbill._usage_count(p_bills bigint[]) RETURNS void
LANGUAGE sql SET jit = off
BEGIN ATOMIC
	INSERT INTO elecbill.usage_counter AS c
		(org_id, account_id, tariff_plan_id, scope, scope_start, kwh, as_of)
	SELECT u.org_id, u.account_id, u.tariff_plan_id, u.scope, u.scope_start, u.kwh, u.as_of
	FROM elecbill._usage_sum(p_bills) AS u
	ORDER BY u.account_id, u.tariff_plan_id, u.scope, u.scope_start
	ON CONFLICT (account_id, tariff_plan_id, scope, scope_start) DO UPDATE
		SET kwh = c.kwh + excluded.kwh, as_of = greatest(c.as_of, excluded.as_of);
END;
COMMENT ON FUNCTION elecbill._usage_count(bigint[]) IS
'adds bills to usage_counter when they are issued; NULL: all live issued bills, and what was taken over';

CREATE FUNCTION elecbill._usage_base(p_account bigint, p_job bigint) RETURNS void
LANGUAGE sql
BEGIN ATOMIC
	INSERT INTO elecbill.usage_counter AS c
		(org_id, account_id, tariff_plan_id, scope, scope_start, kwh, as_of)
	SELECT i.org_id, i.account_id, i.tariff_plan_id, i.scope, i.scope_start, i.kwh, i.until
	FROM elecbill.opening_item i
	WHERE i.kind = 'energy' AND (i.account_id = p_account OR i.job_id = p_job)
	ORDER BY i.account_id, i.tariff_plan_id, i.scope, i.scope_start
	ON CONFLICT (account_id, tariff_plan_id, scope, scope_start) DO UPDATE
		SET kwh = c.kwh + excluded.kwh, as_of = greatest(c.as_of, excluded.as_of);
END;
COMMENT ON FUNCTION elecbill._usage_base(bigint, bigint) IS
'adds to usage_counter what was taken over for an account, or by a file';

CREATE FUNCTION elecbill.rebuild_derived() RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	LOCK TABLE elecbill.bill IN SHARE ROW EXCLUSIVE MODE;	/* no bill may be issued in between */
	DELETE FROM elecbill.usage_counter;
	PERFORM elecbill._usage_count(NULL);
	PERFORM elecbill.reading_latest_rebuild();
	PERFORM elecbill._balance_rebuild();
END $$;
COMMENT ON FUNCTION elecbill.rebuild_derived() IS
'makes all derived tables anew from what they are derived from: usage_counter from issued bills and what was taken over, reading_latest from reading, account_balance from transfers';
