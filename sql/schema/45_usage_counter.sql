-- 45_usage_counter.sql: energy per tier scope, derived from issued bills

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
	SELECT b.org_id, b.account_id, (p.part ->> 'plan_id')::bigint, s.scope ->> 'scope',
		(s.scope ->> 'start')::date, sum((s.scope ->> 'kwh')::numeric), max(upper(b.service))
	FROM elecbill.bill b, jsonb_array_elements(b.snapshot -> 'parts') AS p(part),
		jsonb_array_elements(p.part -> 'scopes') AS s(scope)
	WHERE b.id = ANY (p_bills) OR (p_bills IS NULL AND b.live AND b.number IS NOT NULL)
	GROUP BY b.org_id, b.account_id, 3, 4, 5;
END;
COMMENT ON FUNCTION elecbill._usage_sum(bigint[]) IS
'what bills add to usage_counter; NULL: all live issued bills';

CREATE FUNCTION elecbill._usage_count(p_bills bigint[]) RETURNS void
LANGUAGE sql
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
'adds bills to usage_counter when they are issued; NULL: all live issued bills';

CREATE FUNCTION elecbill.rebuild_derived() RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	LOCK TABLE elecbill.bill IN SHARE ROW EXCLUSIVE MODE;	/* no bill may be issued in between */
	DELETE FROM elecbill.usage_counter;
	PERFORM elecbill._usage_count(NULL);
	PERFORM elecbill.reading_latest_rebuild();
END $$;
COMMENT ON FUNCTION elecbill.rebuild_derived() IS
'makes all derived tables anew from what they are derived from: usage_counter from issued bills, reading_latest from reading';
