-- 89_adjust_propose.sql: what an error of metering comes to, by the rules of supply (供电营业规则)
-- Energy that was recorded wrongly is set right bill by bill, at the price that the bill charged for it on
-- the average. It is a proposal for adjust(): people look at it.

CREATE FUNCTION elecbill._adjust_fact(p_facts jsonb, p_name text, p_least numeric, p_most numeric) RETURNS numeric
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	found numeric := CASE jsonb_typeof(p_facts -> p_name) WHEN 'number' THEN (p_facts ->> p_name)::numeric END;
BEGIN
	IF found > p_least AND found < p_most THEN
		RETURN found;
	END IF;
	RAISE EXCEPTION USING
		ERRCODE = 'UB400',
		MESSAGE = format('%s is a number above %s and below %s', p_name, p_least, p_most),
		DETAIL = format('Given %s.', coalesce(p_facts -> p_name, 'null')),
		HINT = 'meter_error: {"error": percent, "class": percent}; wiring: {"ratio": true to recorded}; ct: {"billed": ratio, "true": ratio}; other: {"normal_kwh": kWh of 30 days}.';
END $$;
COMMENT ON FUNCTION elecbill._adjust_fact(jsonb, text, numeric, numeric) IS 'a number that a proposal rests on; UB400';

CREATE FUNCTION elecbill._adjust_ratio(p_kind text, p_facts jsonb, OUT times numeric, OUT per numeric)
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	error numeric;
BEGIN
	times := 1;
	per := 1;
	IF p_kind = 'meter_error' THEN
		error := elecbill._adjust_fact(p_facts, 'error', -100, 1000);
		IF abs(error) <= elecbill._adjust_fact(p_facts, 'class', 0, 100) THEN
			RAISE EXCEPTION USING
				ERRCODE = 'UB422',
				MESSAGE = 'the error of the meter lies within its class',
				DETAIL = format('Error %s %%, class %s %%.', error, p_facts ->> 'class');
		END IF;
		times := 100;
		per := 100 + error;
	ELSIF p_kind = 'wiring' THEN
		times := elecbill._adjust_fact(p_facts, 'ratio', 0, 1000);
	ELSIF p_kind = 'ct' THEN
		times := elecbill._adjust_fact(p_facts, 'true', 0, 1000000);
		per := elecbill._adjust_fact(p_facts, 'billed', 0, 1000000);
	ELSE
		RAISE EXCEPTION USING ERRCODE = 'UB400', MESSAGE = format('no rule proposes an adjustment of kind %s', quote_nullable(p_kind)),
			HINT = 'meter_error, wiring, ct or other.';
	END IF;
END $$;
COMMENT ON FUNCTION elecbill._adjust_ratio(text, jsonb) IS
'true to recorded energy as times / per: meter_error relative to zero error (a meter that is 4 percent fast: 100/104), wiring the ratio given, ct the right transformer ratio to that which was billed; UB400, UB422 within the class';

CREATE FUNCTION elecbill._adjust_bills(p_account bigint, p_days daterange, p_point bigint)
RETURNS TABLE (bill_id bigint, days daterange, kwh numeric, energy numeric, net numeric, tax numeric)
LANGUAGE sql STABLE
BEGIN ATOMIC
	SELECT b.id, b.service * p_days, elecbill.prorate(s.wh * 0.001, upper(b.service * p_days) - lower(b.service * p_days),
			upper(b.service) - lower(b.service)),
		l.energy / nullif(s.wh * 0.001, 0), l.net, l.tax
	FROM elecbill.bill b
	CROSS JOIN LATERAL (SELECT sum(g.energy_wh) AS wh, array_agg(g.id) AS ids FROM elecbill.bill_segment g
		WHERE g.bill_id = b.id AND (p_point IS NULL OR g.usage_point_id = p_point)) AS s
	CROSS JOIN LATERAL (
		SELECT coalesce(sum(x.amount) FILTER (WHERE x.kind = 'energy' AND NOT elecbill._is_tax(x.kind, x.grp)), 0) AS energy,
			coalesce(sum(x.amount) FILTER (WHERE NOT elecbill._is_tax(x.kind, x.grp)), 0) AS net,
			coalesce(sum(x.amount) FILTER (WHERE elecbill._is_tax(x.kind, x.grp)), 0) AS tax
		FROM elecbill.bill_line x WHERE x.bill_id = b.id AND x.segment_id = ANY (s.ids)) AS l
	WHERE b.account_id = p_account AND b.live AND b.number IS NOT NULL AND b.kind IN ('regular', 'final') AND b.service && p_days
		AND s.wh IS NOT NULL;
END;
COMMENT ON FUNCTION elecbill._adjust_bills(bigint, daterange, bigint) IS
'issued bills of an account with some of the days: those days, their share of the kWh of a point (NULL: all points), energy charge per kWh without tax, net amount of the rated lines and the tax in them';

CREATE FUNCTION elecbill.adjust_propose(account text, kind text, since date, until date, facts jsonb, point text DEFAULT NULL)
RETURNS TABLE (bill text, first_day date, last_day date, recorded_kwh numeric, true_kwh numeric, delta_kwh numeric, price numeric,
	amount numeric, tax numeric)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	a elecbill.customer_account;
	days daterange;
	normal numeric;
	times numeric;
	per numeric;
BEGIN
	SELECT * INTO a FROM elecbill.customer_account x WHERE x.id = elecbill._account_get(account);
	IF since < until IS NOT TRUE OR NOT isfinite(since) OR NOT isfinite(until) THEN
		RAISE EXCEPTION 'an error lasts from a day to a later one' USING ERRCODE = 'UB400';
	END IF;
	days := daterange(CASE kind WHEN 'meter_error' THEN until - (until - since) / 2 ELSE since END, until);
	IF kind = 'other' THEN
		normal := elecbill._adjust_fact(facts, 'normal_kwh', 0, 1000000000);
	ELSE
		SELECT r.times, r.per INTO times, per FROM elecbill._adjust_ratio(kind, facts) AS r;
	END IF;
	FOR bill, days, recorded_kwh, price, amount, tax, true_kwh IN
		SELECT b.number, x.days, x.kwh, round(x.energy, 9), x.net, x.tax,
			CASE adjust_propose.kind WHEN 'other' THEN elecbill.prorate(normal, upper(x.days) - lower(x.days), 30)
				ELSE elecbill.round_to(x.kwh * times / per, 0.000001) END
		FROM elecbill._adjust_bills(a.id, days, CASE WHEN point IS NOT NULL THEN elecbill._point_get(a.org_id, point) END) AS x
		JOIN elecbill.bill b ON b.id = x.bill_id ORDER BY b.service
	LOOP
		first_day := lower(days);
		last_day := upper(days) - 1;
		delta_kwh := true_kwh - recorded_kwh;
		tax := round(round(delta_kwh * price, 2) * tax / nullif(amount, 0), 2);
		amount := round(delta_kwh * price, 2) + coalesce(tax, 0);
		tax := coalesce(tax, 0);
		RETURN NEXT;
	END LOOP;
END $$;
COMMENT ON FUNCTION elecbill.adjust_propose(text, text, date, date, jsonb, text) IS
'what an error of metering between two local days (until not included) comes to, a row per issued bill: energy recorded and true, their difference, the price the bill charged on the average, and the amount with the tax in it (below 0: to be given back). meter_error: since the last calibration; the second half of the time counts, relative to zero error ({"error": percent, + is fast; "class": percent}). wiring: the ratio of true to recorded since the last calibration ({"ratio": 1.5}). ct: the difference over the time ({"billed": 20, "true": 30}). other: a normal month instead ({"normal_kwh": kWh of 30 days}). The sum of amount and of tax are what adjust() takes. UB400, UB404, UB422 the error lies within the class';
