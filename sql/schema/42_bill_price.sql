-- 42_bill_price.sql: what rating has to know of a plan, worked out once for many accounts
-- The accounts of a batch mostly are on one plan over the same days. To read its versions, riders,
-- calendar and prices, to compile them and to look into them takes longer than to rate a bill.

CREATE TYPE elecbill.plan_price AS (
	plan_id		bigint,
	days		daterange,
	known_at	timestamptz,
	versions	jsonb,
	tariff		elecbill.tariff,
	definition	jsonb,
	sha256		text,
	scopes		text[],
	starts		date[],
	year_start	text,
	month_day	integer,
	looks_back	boolean,
	kinds		jsonb
);
COMMENT ON TYPE elecbill.plan_price IS 'a plan over some days as it was known at an instant, and what bills ask of it';
COMMENT ON COLUMN elecbill.plan_price.plan_id IS 'tariff_plan.id';
COMMENT ON COLUMN elecbill.plan_price.days IS 'local days [from, to)';
COMMENT ON COLUMN elecbill.plan_price.known_at IS 'as it was known then';
COMMENT ON COLUMN elecbill.plan_price.versions IS '[{version, id, from, to}], empty for a tariff that is tried instead of the plan';
COMMENT ON COLUMN elecbill.plan_price.tariff IS 'the compiled value of all of them';
COMMENT ON COLUMN elecbill.plan_price.definition IS 'its JSON form, as tariff_snapshot keeps it';
COMMENT ON COLUMN elecbill.plan_price.sha256 IS 'sha256 of definition::text in hexadecimal digits';
COMMENT ON COLUMN elecbill.plan_price.scopes IS 'tier scopes beyond the bill: month, quarter, year';
COMMENT ON COLUMN elecbill.plan_price.starts IS 'of each of them the first local day of the one that holds the first of the days';
COMMENT ON COLUMN elecbill.plan_price.year_start IS 'MM-DD on which the tier year begins; all versions agree';
COMMENT ON COLUMN elecbill.plan_price.month_day IS 'day on which the tier month begins; all versions agree';
COMMENT ON COLUMN elecbill.plan_price.looks_back IS 'it has a ratchet, or a minimum or maximum of the year';
COMMENT ON COLUMN elecbill.plan_price.kinds IS '{code: kind} of its components; NULL: it has versions, which may differ';

CREATE FUNCTION elecbill._tariff_definition(p_tariff elecbill.tariff, OUT definition jsonb, OUT sha256 text)
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT d.definition, encode(sha256(convert_to(d.definition::text, 'UTF8')), 'hex')
	FROM (VALUES (p_tariff::jsonb)) AS d(definition);
END;
COMMENT ON FUNCTION elecbill._tariff_definition(elecbill.tariff) IS
'a tariff as tariff_snapshot keeps it: JSON, and the sha256 of its text in hexadecimal digits';

CREATE FUNCTION elecbill._plan_price(p_agreement elecbill.customer_agreement, p_days daterange, p_known_at timestamptz,
	p_override jsonb) RETURNS elecbill.plan_price
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	price elecbill.plan_price;
	first jsonb;
BEGIN
	price.plan_id := p_agreement.tariff_plan_id;
	price.days := p_days;
	price.known_at := p_known_at;
	IF p_override IS NULL THEN
		SELECT t.versions, t.tariff INTO price.versions, price.tariff
		FROM elecbill._tariff_of(price.plan_id, p_days, p_known_at) AS t;
	ELSE
		SELECT '[]'::jsonb, elecbill._series_fill(elecbill._calendar_fill(p_override, p_agreement.org_id, p.calendar_id, p_days,
				p_known_at), p_agreement.org_id, p_days, p_known_at)::elecbill.tariff
		INTO price.versions, price.tariff FROM elecbill.tariff_plan p WHERE p.id = price.plan_id;
		PERFORM elecbill._tariff_fits(p_override, p_agreement.org_id);
	END IF;
	SELECT d.definition, d.sha256 INTO price.definition, price.sha256 FROM elecbill._tariff_definition(price.tariff) AS d;
	-- all versions of a tariff agree in both
	SELECT d.definition INTO first FROM elecbill._definitions(price.definition) AS d LIMIT 1;
	price.year_start := coalesce(first ->> 'year_start', '01-01');
	price.month_day := coalesce((first ->> 'month_day')::integer, 1);
	SELECT array_agg(DISTINCT c.component #>> '{tier,scope}') FILTER (WHERE c.component #>> '{tier,scope}' IN ('month', 'quarter', 'year')),
		coalesce(bool_or(c.kind IN ('minimum', 'maximum') AND c.component ->> 'scope' = 'year'), false),
		CASE WHEN NOT price.definition ? 'versions' THEN jsonb_object_agg(c.code, c.kind) END
	INTO price.scopes, price.looks_back, price.kinds
	FROM elecbill._components(price.definition) AS c;
	price.looks_back := price.looks_back OR EXISTS (SELECT FROM elecbill._definitions(price.definition) AS d,
		jsonb_each(d.definition -> 'demands') AS m(name, demand) WHERE m.demand #> '{ratchet,lookback}' IS NOT NULL);
	price.starts := ARRAY(SELECT elecbill._scope_start(s.scope, lower(p_days), price.year_start, price.month_day)
		FROM unnest(price.scopes) WITH ORDINALITY AS s(scope, n) ORDER BY s.n);
	RETURN price;
END $$;
COMMENT ON FUNCTION elecbill._plan_price(elecbill.customer_agreement, daterange, timestamptz, jsonb) IS
'the price of the plan of an agreement for local days as known at an instant, or override, the JSON of a tariff to use instead; errors of tariff_for()';

CREATE FUNCTION elecbill._line_version(p_versions jsonb, p_version integer, p_day date) RETURNS bigint
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN (SELECT (v.part ->> 'id')::bigint FROM jsonb_array_elements(p_versions) AS v(part)
		WHERE (v.part ->> 'version')::integer = p_version
		ORDER BY (v.part ->> 'from')::date <= p_day DESC, v.part ->> 'from' DESC LIMIT 1);
END $$;
COMMENT ON FUNCTION elecbill._line_version(jsonb, integer, date) IS
'tariff_version.id of a line by its version and last local day, from plan_price.versions; NULL: a version that is no row';

CREATE FUNCTION elecbill._part_prices(p_parts elecbill.bill_part[], p_known_at timestamptz, p_override jsonb)
RETURNS elecbill.plan_price[]
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	prices elecbill.plan_price[];
	one record;
BEGIN
	FOR one IN SELECT DISTINCT ON (p.price) p.agreement, p.days FROM unnest(p_parts) AS p ORDER BY p.price LOOP
		prices := prices || elecbill._plan_price(one.agreement, one.days, p_known_at, p_override);
	END LOOP;
	RETURN prices;
END $$;
COMMENT ON FUNCTION elecbill._part_prices(elecbill.bill_part[], timestamptz, jsonb) IS
'the prices of agreements that are rated together, those with the same plan and days once; bill_part.price is the number here. Errors of tariff_for()';
