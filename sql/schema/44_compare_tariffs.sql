-- 44_compare_tariffs.sql: what an account would have paid by each tariff of its org

CREATE FUNCTION elecbill._compare_one(p_account text, p_period daterange, p_plan bigint, OUT amount numeric, OUT fault text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	SELECT coalesce(sum(l.amount), 0) INTO amount FROM elecbill.simulate_bill(p_account, p_period,
		(elecbill._tariff_of(p_plan, p_period, elecbill.now())).tariff::text::jsonb) AS l;
EXCEPTION WHEN OTHERS THEN
	IF elecbill._not_its_fault(SQLSTATE) THEN
		RAISE;
	END IF;
	fault := SQLERRM;
END $$;
COMMENT ON FUNCTION elecbill._compare_one(text, daterange, bigint) IS
'what days of an account come to by a tariff plan, in the currency of the org; or why that cannot be said';

CREATE FUNCTION elecbill.compare_tariffs(account text, from_day date, to_day date)
RETURNS TABLE (plan text, name text, in_force boolean, amount numeric, difference numeric, fault text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	a bigint := elecbill._account_get(account);
	days daterange;
	paid numeric;
BEGIN
	IF from_day < to_day IS NOT TRUE OR NOT isfinite(from_day) OR NOT isfinite(to_day) THEN
		RAISE EXCEPTION 'tariffs are compared over days [from, to)' USING ERRCODE = 'UB400';
	END IF;
	days := daterange(from_day, to_day);
	paid := (SELECT sum(l.amount) FROM elecbill.simulate_bill(account, days) AS l);
	RETURN QUERY
	SELECT p.code, p.name, EXISTS (SELECT FROM elecbill.customer_agreement g WHERE g.account_id = a AND g.tariff_plan_id = p.id
		AND g.valid && days), c.amount, c.amount - paid, c.fault
	FROM elecbill.tariff_plan p
	CROSS JOIN LATERAL elecbill._compare_one(account, days, p.id) AS c
	WHERE p.org_id = (SELECT x.org_id FROM elecbill.customer_account x WHERE x.id = a) AND NOT p.rider
		AND EXISTS (SELECT FROM elecbill.tariff_version v WHERE v.tariff_plan_id = p.id AND v.status = 'approved' AND v.valid && days)
	ORDER BY c.amount, p.code;
END $$;
COMMENT ON FUNCTION elecbill.compare_tariffs(text, date, date) IS
'what local days [from, to) of an account (number, or ORG/NUMBER) come to by each approved tariff plan of its org, the cheapest first, by the code that makes bills; writes nothing. in_force: one of its own; difference: to what it pays; fault: why a plan cannot price it. UB400, UB404, UB409, and the errors of rating by its own tariff';
