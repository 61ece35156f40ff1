-- 42_bill_history.sql: what a bill has to know of the bills before it
-- Where tiers count over a month, quarter or year, the energy before the first day of a bill is that
-- of the live bills (drafts and issued ones) of the same account and plan in the same scope. So the
-- periods of such an account are rated in order: each day since the scope began on which the account
-- had an agreement on the plan must be billed, and no later day may be. The same holds for a ratchet,
-- which reads peaks of earlier months, and for a yearly minimum or maximum, which reads charges.

CREATE FUNCTION elecbill._scope_start(p_scope text, p_day date, p_year_start text, p_month_day integer)
RETURNS date
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	-- planned once per session: a function in SQL would be planned for each account of a run
	IF p_scope = 'month' THEN
		RETURN date_trunc('month', (p_day - (p_month_day - 1))::timestamp)::date + (p_month_day - 1);
	ELSIF p_year_start = '01-01' THEN
		RETURN date_trunc(p_scope, p_day::timestamp)::date;
	END IF;
	RETURN (
		SELECT max(s.start)
		FROM generate_series(-1, 0) AS y,
			generate_series(0, CASE p_scope WHEN 'quarter' THEN 9 ELSE 0 END, 3) AS q,
			LATERAL (SELECT make_date(extract(year FROM p_day)::integer + y,
				left(p_year_start, 2)::integer, 1) + make_interval(months => q)) AS m(first),
			LATERAL (SELECT least(m.first + make_interval(days => right(p_year_start, 2)::integer - 1),
				m.first + interval '1 month')::date) AS s(start)
		WHERE s.start <= p_day);
END $$;
COMMENT ON FUNCTION elecbill._scope_start(text, date, text, integer) IS
'first day of the tier month, quarter or year that holds a day; a date the month lacks is the first of the next, as in the engine';

CREATE FUNCTION elecbill._summaries(p_summary jsonb) RETURNS SETOF jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT p_summary WHERE NOT p_summary ? 'versions'
	UNION ALL
	SELECT v.one -> 'usage' FROM jsonb_array_elements(p_summary -> 'versions') AS v(one);
END;
COMMENT ON FUNCTION elecbill._summaries(jsonb) IS
'the usage_summary of each version of a tariff that changes, or the one itself';

CREATE FUNCTION elecbill._summary_parts(p_summary jsonb) RETURNS SETOF jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT p.part FROM elecbill._summaries(p_summary) AS s(one), jsonb_array_elements(s.one -> 'parts') AS p(part);
END;
COMMENT ON FUNCTION elecbill._summary_parts(jsonb) IS
'the runs of days of a usage_summary, those of all versions of a tariff that changes';

CREATE FUNCTION elecbill._usage_kwh(p_usage jsonb, p_plan bigint, p_from date, p_to date) RETURNS numeric
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (
	SELECT coalesce(sum((u.one ->> 'kwh')::numeric), 0)
	FROM jsonb_array_elements(p_usage) AS u(one)
	WHERE (u.one ->> 'plan_id')::bigint = p_plan
		AND (u.one ->> 'from')::date >= p_from AND (u.one ->> 'from')::date < p_to);
COMMENT ON FUNCTION elecbill._usage_kwh(jsonb, bigint, date, date) IS
'kWh of a plan in bill_true_up.usage whose run of days begins in [from, to)';

CREATE FUNCTION elecbill._unbilled_days(p_account bigint, p_plan bigint, p_since date, p_day date, p_period daterange)
RETURNS TABLE (days datemultirange)
LANGUAGE sql STABLE ROWS 1
BEGIN ATOMIC
	SELECT CASE WHEN p_since < p_day THEN (
		SELECT coalesce(range_agg(g.valid * daterange(p_since, p_day)), '{}') - datemultirange(p_period)
			- (SELECT coalesce(range_agg(b.service), '{}') FROM elecbill.bill b
			   WHERE b.account_id = p_account AND b.live AND b.kind IN ('regular', 'final'))
			- elecbill._opening_days(p_account, p_plan)
		FROM elecbill.customer_agreement g
		WHERE g.account_id = p_account AND g.tariff_plan_id = p_plan AND g.valid && daterange(p_since, p_day))
		ELSE '{}' END;
END;
COMMENT ON FUNCTION elecbill._unbilled_days(bigint, bigint, date, date, daterange) IS
'one row: the days from since to before a day on which an account had an agreement on a plan, that neither a live bill nor the period covers, nor the system before has billed';

CREATE FUNCTION elecbill._past_kw(p_agreement elecbill.customer_agreement, p_day date) RETURNS jsonb
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN (
		SELECT coalesce(jsonb_object_agg(d.demand, d.months), '{}')
		FROM (SELECT m.demand, jsonb_object_agg(m.month, m.kw) AS months
			FROM (SELECT x.demand, x.month, max(x.kw) AS kw
				FROM (SELECT k.key AS demand, to_char(upper(b.service) - 1, 'YYYY-MM') AS month, k.value::numeric AS kw
				FROM elecbill.bill b, jsonb_array_elements(b.snapshot -> 'parts') AS p(part)
				JOIN elecbill.customer_agreement g ON g.id = (p.part ->> 'agreement_id')::bigint,
					elecbill._summaries(p.part -> 'summary') AS s(one), jsonb_each_text(s.one -> 'max_kw') AS k
				WHERE b.account_id = p_agreement.account_id AND b.live
					AND g.usage_point_id = p_agreement.usage_point_id
					AND (p.part ->> 'plan_id')::bigint = p_agreement.tariff_plan_id
					AND upper(b.service) <= p_day AND upper(b.service) > p_day - interval '37 months'
				UNION ALL
				SELECT i.demand, to_char(i.month, 'YYYY-MM'), i.kw
				FROM elecbill.opening_item i
				WHERE i.account_id = p_agreement.account_id AND i.kind = 'demand'
					AND i.usage_point_id = p_agreement.usage_point_id AND i.tariff_plan_id = p_agreement.tariff_plan_id
					AND i.month < p_day AND i.month > p_day - interval '38 months') AS x
				GROUP BY 1, 2) AS m
			GROUP BY m.demand) AS d);
END $$;
COMMENT ON FUNCTION elecbill._past_kw(elecbill.customer_agreement, date) IS
'the highest kW of each demand on live bills of a usage point and plan before a day, by the month a bill ends in, and what was taken over of earlier months ({demand: {YYYY-MM: kW}}): ctx.past_kw of rate(), for ratchets';

CREATE FUNCTION elecbill._charged_before(p_agreement elecbill.customer_agreement, p_since date, p_day date)
RETURNS jsonb
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN (
		SELECT jsonb_build_object('year', coalesce(sum(greatest(x.amount, 0)), 0))
		FROM (SELECT sum(l.amount) AS amount
			FROM elecbill.bill b JOIN elecbill.bill_line l ON l.bill_id = b.id
			JOIN elecbill.bill_segment s ON s.id = l.segment_id
			JOIN elecbill.customer_agreement g ON g.id = s.agreement_id
			WHERE b.account_id = p_agreement.account_id AND b.live
				AND g.tariff_plan_id = p_agreement.tariff_plan_id AND g.usage_point_id = p_agreement.usage_point_id
				AND upper(b.service) <= p_day AND lower(b.service) >= p_since
			GROUP BY b.id) AS x);
END $$;
COMMENT ON FUNCTION elecbill._charged_before(elecbill.customer_agreement, date, date) IS
'what live bills of a usage point came to under a plan since its tier year began, each not below 0 ({year: money}): ctx.charged of rate(), for a yearly minimum';

CREATE FUNCTION elecbill._history_check(p_agreement elecbill.customer_agreement, p_since date, p_day date,
	p_period daterange) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	open_days datemultirange;
	later daterange;
BEGIN
	SELECT d.days INTO open_days
	FROM elecbill._unbilled_days(p_agreement.account_id, p_agreement.tariff_plan_id, p_since, p_day, p_period) AS d;
	IF NOT isempty(open_days) THEN
		RAISE EXCEPTION USING
			ERRCODE = 'UB412',
			CONSTRAINT = 'earlier_period_unbilled',
			MESSAGE = 'an earlier period whose peaks or charges count is not billed yet',
			DETAIL = format('The tariff looks back to %s; no bill covers %s.', p_since, open_days),
			HINT = 'Bill the earlier period first, then retry.';
	END IF;
	SELECT b.service INTO later
	FROM elecbill.bill b
	WHERE b.account_id = p_agreement.account_id AND b.live AND lower(b.service) >= upper(p_period)
		-- what is billed already may be worked out again, by simulate_bill()
		AND NOT EXISTS (SELECT FROM elecbill.bill x
			WHERE x.account_id = p_agreement.account_id AND x.live AND x.service && p_period)
		AND elecbill._looks_back(b.snapshot, p_agreement.tariff_plan_id, upper(p_period))
	LIMIT 1;
	IF FOUND THEN
		RAISE EXCEPTION USING
			ERRCODE = 'UB409',
			CONSTRAINT = 'later_period_billed',
			MESSAGE = 'a later period to which peaks or charges of this one count is billed already',
			DETAIL = format('The bill for %s looked back without these days.', later),
			HINT = 'Cancel the later bills, then bill in order.';
	END IF;
END $$;
COMMENT ON FUNCTION elecbill._history_check(elecbill.customer_agreement, date, date, daterange) IS
'bills that read peaks or charges of earlier ones are made in order: UB412 when a day before the period is not billed, UB409 when a later one is';

CREATE FUNCTION elecbill._looks_back(p_snapshot jsonb, p_plan bigint, p_day date) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN EXISTS (SELECT FROM jsonb_array_elements(p_snapshot -> 'parts') AS p(part)
	WHERE (p.part ->> 'plan_id')::bigint = p_plan AND (p.part ->> 'since')::date < p_day);
COMMENT ON FUNCTION elecbill._looks_back(jsonb, bigint, date) IS
'whether a bill read peaks or charges of a plan from before a day';

CREATE FUNCTION elecbill._rate_history(p_definition jsonb, p_agreement elecbill.customer_agreement,
	p_days daterange, p_period daterange, OUT ctx jsonb, OUT since date)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	day date := lower(p_days);
	lookback integer;
	year date;
BEGIN
	ctx := '{}';
	SELECT max((m.demand #>> '{ratchet,lookback}')::integer) INTO lookback
	FROM elecbill._definitions(p_definition) AS d, jsonb_each(d.definition -> 'demands') AS m(name, demand);
	IF lookback IS NOT NULL THEN
		ctx := jsonb_build_object('past_kw', elecbill._past_kw(p_agreement, day));
		since := date_trunc('month', (upper(p_days) - 1)::timestamp) - make_interval(months => lookback);
	END IF;
	IF EXISTS (SELECT FROM elecbill._components(p_definition) AS c
		WHERE c.kind IN ('minimum', 'maximum') AND c.component ->> 'scope' = 'year')
	THEN
		SELECT elecbill._scope_start('year', day, coalesce(d.definition ->> 'year_start', '01-01'), 1) INTO year
		FROM elecbill._definitions(p_definition) AS d LIMIT 1;
		ctx := ctx || jsonb_build_object('charged', elecbill._charged_before(p_agreement, year, day));
		since := least(since, year);
	END IF;
	IF since < day THEN
		PERFORM elecbill._history_check(p_agreement, since, day, p_period);
	END IF;
END $$;
COMMENT ON FUNCTION elecbill._rate_history(jsonb, elecbill.customer_agreement, daterange, daterange) IS
'what a tariff with a ratchet, or a minimum or maximum of the year, has to know of earlier bills, as keys of ctx of rate(), and from which day on it looks; errors of _history_check()';
