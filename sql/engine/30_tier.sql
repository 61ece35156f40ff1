-- 30_tier.sql: tiers and periods from arrays, without a tariff (src/pg/tier.c)

CREATE FUNCTION elecbill.tier_charge(quantity numeric, limits numeric[], prices numeric[],
	mode text DEFAULT 'graduated', flats numeric[] DEFAULT NULL) RETURNS numeric
AS 'MODULE_PATHNAME', 'elecbill_tier_charge'
LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION elecbill.tier_charge(numeric, numeric[], numeric[], text, numeric[]) IS
'charge of a quantity, exact and not rounded: graduated (each step at its price) or volume (all at the price of the step where the quantity falls); limits rise from above 0 and belong to the step below (at most 63, six decimals), prices one more than limits, per unit (nine decimals, negative allowed), flats per step entered, the first always; NULL when an argument but flats is NULL; UB400 wrong argument, UB422 overflow; doc/rating.md';

CREATE FUNCTION elecbill.tier_lines(quantity numeric, limits numeric[], prices numeric[],
	before numeric DEFAULT 0,
	OUT tier integer, OUT from_kwh numeric, OUT to_kwh numeric, OUT quantity numeric,
	OUT price numeric, OUT amount numeric) RETURNS SETOF record
AS 'MODULE_PATHNAME', 'elecbill_tier_lines'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE ROWS 3;
COMMENT ON FUNCTION elecbill.tier_lines(numeric, numeric[], numeric[], numeric) IS
'graduated charge of a quantity that follows before units of the same scope, explained: a row per step that gets units, with the bounds of the step (to_kwh NULL: no end), the units in it, its price and their product, exact and not rounded; arguments and errors as tier_charge';

CREATE FUNCTION elecbill.tou_charge(prices numeric[], quantities numeric[]) RETURNS numeric
AS 'MODULE_PATHNAME', 'elecbill_tou_charge'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION elecbill.tou_charge(numeric[], numeric[]) IS
'sum of prices times quantities, exact and not rounded; as many prices (nine decimals) as quantities (six decimals, negative allowed); UB400 wrong argument, UB422 overflow';
