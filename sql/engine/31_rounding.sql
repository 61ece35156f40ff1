-- 31_rounding.sql: rounding and shares that add up (src/pg/rounding.c)

CREATE FUNCTION elecbill.round_to(value numeric, step numeric, mode text DEFAULT 'half_up')
RETURNS numeric
AS 'MODULE_PATHNAME', 'elecbill_round_to'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION elecbill.round_to(numeric, numeric, text) IS
'the multiple of a positive step that the mode chooses: half_up (away from zero: -0.125 gives -0.13), half_even, up (away from zero), down (towards zero), floor, ceil; value of any precision below 1e38; UB400 wrong argument, UB422 out of range; doc/rating.md';

CREATE FUNCTION elecbill.prorate(value numeric, days integer, of_days integer,
	step numeric DEFAULT 0.000001) RETURNS numeric
AS 'MODULE_PATHNAME', 'elecbill_prorate'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION elecbill.prorate(numeric, integer, integer, numeric) IS
'value times days / of_days, rounded half-up to a multiple of step from the exact quotient: 200 kWh over 20 of 30 days are 133.333333; days from 0, of_days from 1; UB400 wrong argument, UB422 out of range; doc/rating.md';

CREATE FUNCTION elecbill.allocate(total numeric, weights numeric[], step numeric DEFAULT 0.01)
RETURNS numeric[]
AS 'MODULE_PATHNAME', 'elecbill_allocate'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION elecbill.allocate(numeric, numeric[], numeric) IS
'shares of total by weights, multiples of step whose sum is total exactly: whole steps first, those left to the largest remainders, the first of equals first; a negative total gives negative shares of the same size; total must be a multiple of step; at most 100000 weights, none negative, not all 0 unless total is; UB400 wrong argument, UB422 out of range';
