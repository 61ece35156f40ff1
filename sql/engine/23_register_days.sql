-- 23_register_days.sql: stored readings of a register, packed by day (src/pg/register_days.c); for pack_profiles()

CREATE TYPE elecbill.register_day AS (no integer, first_at timestamptz, last_at timestamptz, on_grid boolean,
	exact boolean, profile elecbill.load_profile);
COMMENT ON TYPE elecbill.register_day IS
'a day of a register, by _register_days(): its number from 1, the start of its first and the end of its last interval that lies within it, whether all of them fill slots, whether none of them ran backwards; the profile, when they fill the day';

CREATE FUNCTION elecbill._register_days_accum(internal, timestamptz, timestamptz, bigint, integer, timestamptz,
	timestamptz, timestamptz[], interval, numeric, bigint, text) RETURNS internal
AS 'MODULE_PATHNAME', 'elecbill_register_days_accum'
LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION elecbill._register_days_accum(internal, timestamptz, timestamptz, bigint, integer, timestamptz, timestamptz, timestamptz[], interval, numeric, bigint, text) IS
'transition of _register_days()';

CREATE FUNCTION elecbill._register_days_final(internal) RETURNS elecbill.register_day[]
AS 'MODULE_PATHNAME', 'elecbill_register_days_final'
LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION elecbill._register_days_final(internal) IS
'picks the readings that count, takes their differences and packs them; NULL when there is no reading';

CREATE AGGREGATE elecbill._register_days(read_at timestamptz, slot_at timestamptz, register_wh bigint,
	quality integer, from_at timestamptz, to_at timestamptz, starts timestamptz[], step interval,
	multiplier numeric, wrap_wh bigint, direction text) (
	SFUNC = elecbill._register_days_accum, STYPE = internal, SSPACE = 100000,
	FINALFUNC = elecbill._register_days_final, FINALFUNC_MODIFY = READ_WRITE, PARALLEL = SAFE);
COMMENT ON AGGREGATE elecbill._register_days(timestamptz, timestamptz, bigint, integer, timestamptz, timestamptz, timestamptz[], interval, numeric, bigint, text) IS
'readings of one register, in any order, as profiles of the days between starts (midnights): those that stand for an instant from from_at to to_at count, by the rules of interval_usage. What is the same for all readings is taken from the first: slots of a step, multiplier (4 decimals), wrap_wh, direction. UB400 what is out of range, UB422 a register times the multiplier beyond 2^62 Wh';
COMMENT ON COLUMN elecbill.register_day.no IS 'number of the day, from 1: the one that begins at starts[no]';
COMMENT ON COLUMN elecbill.register_day.first_at IS 'start of its first interval';
COMMENT ON COLUMN elecbill.register_day.last_at IS 'end of its last one; first_at when an energy is beyond 1e15 Wh';
COMMENT ON COLUMN elecbill.register_day.on_grid IS 'all intervals fill slots';
COMMENT ON COLUMN elecbill.register_day.exact IS 'no interval ran backwards, or starts from a value that did';
COMMENT ON COLUMN elecbill.register_day.profile IS 'the day, when it is on_grid from midnight to midnight; else NULL';
