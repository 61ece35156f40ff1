-- 32_rate.sql: determinants and a tariff give bill lines (src/pg/rate.c)

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
'code of the component; rounding: what rounding the total adds';
COMMENT ON COLUMN elecbill.rate_line.grp IS 'group of the component';
COMMENT ON COLUMN elecbill.rate_line.label IS
'name of the component in the language of ctx, else its code';
COMMENT ON COLUMN elecbill.rate_line.period IS 'period of the schedule; NULL: all';
COMMENT ON COLUMN elecbill.rate_line.tier IS 'step, from 1; NULL: not by steps';
COMMENT ON COLUMN elecbill.rate_line.quantity IS
'in unit, rounded as the tariff says; a share of days or months is shown half-up at 1e-6 while the amount uses it exactly; negative where units are charged anew at another step';
COMMENT ON COLUMN elecbill.rate_line.unit IS
'kwh, day, month, unit (custom quantities, packages), bill (fixed amounts, flats of a step, differences to a minimum, maximum or rounded total), percent (quantity is money)';
COMMENT ON COLUMN elecbill.rate_line.price IS 'currency per unit, or percent';
COMMENT ON COLUMN elecbill.rate_line.factor IS
'factor of the step, of factor_if, and the share of share_above, multiplied';
COMMENT ON COLUMN elecbill.rate_line.amount_raw IS
'currency, exact to 1e-15, not rounded (but by factor_if.round)';
COMMENT ON COLUMN elecbill.rate_line.amount IS 'currency, rounded; the sum over the lines is the total';
COMMENT ON COLUMN elecbill.rate_line.during IS
'the part of the service range the line covers; NULL when the usage has no dates';
COMMENT ON COLUMN elecbill.rate_line.version IS 'version of the tariff as given in ctx';
COMMENT ON COLUMN elecbill.rate_line.quality IS 'actual, estimated, missing: the worst the quantity rests on';

CREATE FUNCTION elecbill.rate(tariff elecbill.tariff, usage elecbill.usage_summary,
	ctx jsonb DEFAULT '{}') RETURNS SETOF elecbill.rate_line
AS 'MODULE_PATHNAME', 'elecbill_rate'
LANGUAGE C STABLE STRICT PARALLEL SAFE ROWS 10;
COMMENT ON FUNCTION elecbill.rate(elecbill.tariff, elecbill.usage_summary, jsonb) IS
'lines of a bill: components in their order; inside one by part (scope, season), period, step, flats behind the steps; a component by energy without any shows one line of 0. ctx: attrs {name: text, number, bool}; before {bill, month, quarter, year: kWh used in the scope before the first day}; qty {name: number}; during [from, to) of dates or instants: the service range, which otherwise is that of the usage; final false: no minimum and maximum lines; lang of the labels, default zh; version. What is charged once per bill goes by the rules of the last day. UB400 wrong ctx, UB404 usage or ctx lacks what the tariff needs (named), UB409 usage was classified by another tariff or lies outside during, UB422 overflow, 0A000 not in this version; doc/rating.md';

CREATE FUNCTION elecbill.rate_total(tariff elecbill.tariff, usage elecbill.usage_summary,
	ctx jsonb DEFAULT '{}') RETURNS numeric
AS 'MODULE_PATHNAME', 'elecbill_rate_total'
LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION elecbill.rate_total(elecbill.tariff, elecbill.usage_summary, jsonb) IS
'sum of amount over the lines of rate() with the same arguments, with the decimals of the currency or more; errors as rate()';

CREATE FUNCTION elecbill.tariff_price(tariff elecbill.tariff, at timestamptz,
	before numeric DEFAULT 0, attrs jsonb DEFAULT '{}') RETURNS numeric
AS 'MODULE_PATHNAME', 'elecbill_tariff_price'
LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION elecbill.tariff_price(elecbill.tariff, timestamptz, numeric, jsonb) IS
'currency per kWh of the next kWh at an instant when before kWh were used in the tier scope: energy components summed, with their factors; a tier by bill is read as the tier month of the instant; not rounded but by round.price; UB400 wrong argument, UB404 attribute or price missing, UB422 out of range, 0A000 for packages';
