-- 32_rate.sql: determinants and a tariff give bill lines (src/pg/rate*.c)

CREATE TYPE elecbill.rate_line AS (
	n integer,
	code text,
	grp text,
	label text,
	period text,
	tier integer,
	quantity numeric,
	unit text,
	price numeric,
	factor numeric,
	amount_raw numeric,
	amount numeric,
	during tstzrange,
	version integer,
	quality text
);
COMMENT ON TYPE elecbill.rate_line IS
'a bill line: amount_raw = quantity x price x factor (/ 100 for unit percent), amount = amount_raw rounded as the tariff says';
COMMENT ON COLUMN elecbill.rate_line.n IS 'from 1, in the order of the components';
COMMENT ON COLUMN elecbill.rate_line.code IS
'code of the component; lines of no component: rounding (what rounding the total adds), vat (one for each tax rate), net (credit used), net_earned, net_paid, net_lost and net_carry (what the next bill gets as ctx.credit, of amount 0)';
COMMENT ON COLUMN elecbill.rate_line.grp IS 'group of the component';
COMMENT ON COLUMN elecbill.rate_line.label IS
'name of the component in the language of ctx, else its code';
COMMENT ON COLUMN elecbill.rate_line.period IS 'period of the schedule; NULL: all';
COMMENT ON COLUMN elecbill.rate_line.tier IS 'step, from 1; NULL: not by steps';
COMMENT ON COLUMN elecbill.rate_line.quantity IS
'in unit, rounded as the tariff says; a share of days or months is shown half-up at 1e-6 while the amount uses it exactly; negative where units are charged anew at another step';
COMMENT ON COLUMN elecbill.rate_line.unit IS
'kwh, kvarh, kw, kva, day, month, unit (custom quantities, packages), bill (fixed amounts, flats of a step, differences to a minimum, maximum or rounded total), percent (quantity is money), money (quantity is of the currency); of charging sessions session, hour, minute';
COMMENT ON COLUMN elecbill.rate_line.price IS
'currency per unit, or percent; the average where it changes inside of days';
COMMENT ON COLUMN elecbill.rate_line.factor IS
'factor of the step, of factor_if, and the share of share_above, multiplied';
COMMENT ON COLUMN elecbill.rate_line.amount_raw IS
'currency, exact to 1e-15, not rounded (but by factor_if.round)';
COMMENT ON COLUMN elecbill.rate_line.amount IS 'currency, rounded; the sum over the lines is the total';
COMMENT ON COLUMN elecbill.rate_line.during IS
'the part of the service range the line covers; NULL when the usage has no dates';
COMMENT ON COLUMN elecbill.rate_line.version IS
'version of the tariff that priced the line, as the plan counts them; of a tariff that is one version, the one given in ctx';
COMMENT ON COLUMN elecbill.rate_line.quality IS 'actual, estimated, missing: the worst the quantity rests on';

CREATE FUNCTION elecbill.rate(tariff elecbill.tariff, usage elecbill.usage_summary,
	ctx jsonb DEFAULT '{}') RETURNS SETOF elecbill.rate_line
AS 'MODULE_PATHNAME', 'elecbill_rate'
LANGUAGE C STABLE STRICT PARALLEL SAFE ROWS 10;
COMMENT ON FUNCTION elecbill.rate(elecbill.tariff, elecbill.usage_summary, jsonb) IS
'lines of a bill: components in their order; inside one by part (scope, season), period, step, flats behind the steps; a component by energy without any shows one line of 0. ctx: attrs {name: text, number, bool}; before {bill, day, month, quarter, year: kWh or {period: kWh} used in the scope before the first day}; past_kw {demand: {"2026-01": kW}} peaks of earlier months; credit (a number, or {period: kWh}) carried from the bill before; charged {year: money} billed before in the tier year; qty {name: number}; service_days of demand and capacity, when not all days; during [from, to) of dates or instants: the service range, which otherwise is that of the usage; final false: no minimum and maximum lines; lang of the labels, default zh; version. What is charged once per bill goes by the rules of the last day. UB400 wrong ctx, UB404 usage or ctx lacks what the tariff needs (named), UB409 usage was classified by another tariff or lies outside during, UB422 overflow; doc/rating.md';

CREATE FUNCTION elecbill.rate_total(tariff elecbill.tariff, usage elecbill.usage_summary,
	ctx jsonb DEFAULT '{}') RETURNS numeric
AS 'MODULE_PATHNAME', 'elecbill_rate_total'
LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION elecbill.rate_total(elecbill.tariff, elecbill.usage_summary, jsonb) IS
'sum of amount over the lines of rate() with the same arguments, with the decimals of the currency or more; errors as rate()';

CREATE FUNCTION elecbill.rate_increment(tariff elecbill.tariff, before elecbill.usage_summary,
	after elecbill.usage_summary, ctx jsonb DEFAULT '{}', final boolean DEFAULT false)
RETURNS numeric
AS 'MODULE_PATHNAME', 'elecbill_rate_increment'
LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION elecbill.rate_increment(elecbill.tariff, elecbill.usage_summary, elecbill.usage_summary, jsonb, boolean) IS
'what to charge when usage has grown from before to after, both from the beginning of the bill: the total of after less that of before, each rounded as the tariff says, so increments add up to the bill to the last digit. Volume steps can make it negative. before NULL: nothing was charged yet. final: after is the whole bill, its minimum and maximum are due; final of ctx does not count. NULL when another argument is; errors as rate()';

CREATE FUNCTION elecbill.line_delta(old elecbill.rate_line[], new elecbill.rate_line[])
RETURNS SETOF elecbill.rate_line
LANGUAGE sql IMMUTABLE PARALLEL SAFE ROWS 3
BEGIN ATOMIC
	WITH line AS (
		SELECT 1 AS side, l.* FROM unnest(new) AS l
		UNION ALL SELECT -1, l.* FROM unnest(old) AS l
	), pair AS (
		SELECT code, period, tier, unit, during, version,
			(array_agg(grp ORDER BY side DESC, n))[1] AS grp,
			(array_agg(label ORDER BY side DESC, n))[1] AS label,
			coalesce(max(quality COLLATE "C") FILTER (WHERE side = 1), max(quality COLLATE "C")) AS quality,
			coalesce(min(n) FILTER (WHERE side = 1), min(n)) AS n,
			min(side) = max(side) AS alone,
			coalesce(sum(quantity) FILTER (WHERE side = 1), 0) AS quantity_new,
			coalesce(sum(side * quantity), 0) AS quantity,
			coalesce(sum(side * amount_raw), 0) AS amount_raw,
			coalesce(sum(side * amount), 0) AS amount,
			-- the one of a side, NULL when it has several
			CASE WHEN min(price) FILTER (WHERE side = 1) = max(price) FILTER (WHERE side = 1) THEN min(price) FILTER (WHERE side = 1) END AS price_new,
			CASE WHEN min(price) FILTER (WHERE side = -1) = max(price) FILTER (WHERE side = -1) THEN min(price) FILTER (WHERE side = -1) END AS price_old,
			CASE WHEN min(factor) FILTER (WHERE side = 1) = max(factor) FILTER (WHERE side = 1) THEN min(factor) FILTER (WHERE side = 1) END AS factor_new,
			CASE WHEN min(factor) FILTER (WHERE side = -1) = max(factor) FILTER (WHERE side = -1) THEN min(factor) FILTER (WHERE side = -1) END AS factor_old
		FROM line
		GROUP BY code, period, tier, unit, during, version
	), kind AS (
		SELECT *,
			NOT alone AND quantity = 0 AND factor_new = factor_old AND price_new <> price_old AS by_price,
			NOT alone AND quantity = 0 AND price_new = price_old AND factor_new <> factor_old AS by_factor,
			alone OR (price_new = price_old AND factor_new = factor_old) AS by_quantity
		FROM pair
		WHERE amount <> 0 OR quantity <> 0
	)
	SELECT row_number() OVER (ORDER BY n, code COLLATE "C", period COLLATE "C", tier, unit COLLATE "C", during, version)::integer, code, grp, label, period, tier,
		CASE WHEN by_price OR by_factor THEN quantity_new ELSE quantity END, unit,
		CASE WHEN by_price THEN price_new - price_old WHEN by_factor OR by_quantity THEN coalesce(price_new, price_old) END,
		CASE WHEN by_factor THEN factor_new - factor_old WHEN by_price OR by_quantity THEN coalesce(factor_new, factor_old) END,
		amount_raw, amount, during, version, quality
	FROM kind
	ORDER BY 1;
END;
COMMENT ON FUNCTION elecbill.line_delta(elecbill.rate_line[], elecbill.rate_line[]) IS
'what two ratings of the same bill differ in: lines that agree in code, period, tier, unit, during and version are set against each other, the old ones subtracted; lines without a difference in quantity or amount are left out, several of one side add. The sum of amount is the total of new less that of old; line_delta(x, x) has no rows. grp, label and quality are those of the new side. Where only the price (factor) changed, quantity is the new one and price (factor) the difference; where the quantity changed too, both are NULL, for no product gives the difference. NULL is no line';

CREATE FUNCTION elecbill.tariff_price(tariff elecbill.tariff, at timestamptz,
	before numeric DEFAULT 0, attrs jsonb DEFAULT '{}') RETURNS numeric
AS 'MODULE_PATHNAME', 'elecbill_tariff_price'
LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION elecbill.tariff_price(elecbill.tariff, timestamptz, numeric, jsonb) IS
'currency per kWh of the next kWh at an instant when before kWh were used in the tier scope: energy components summed, with their factors; a tier by bill is read as the tier month of the instant; not rounded but by round.price; UB400 wrong argument, UB404 attribute or price missing, UB422 out of range, 0A000 for packages';
