-- 19_load_profile.sql: blocks of equal intervals (src/pg/load_profile*.c)

CREATE TYPE elecbill.load_profile;

CREATE FUNCTION elecbill._load_profile_in(cstring) RETURNS elecbill.load_profile
AS 'MODULE_PATHNAME', 'elecbill_load_profile_in'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION elecbill._load_profile_in(cstring) IS
'input of load_profile: the text that output gives, with any white space between its words; UB400 for anything else, UB422 for values beyond 1e15 Wh';

CREATE FUNCTION elecbill._load_profile_out(elecbill.load_profile) RETURNS cstring
AS 'MODULE_PATHNAME', 'elecbill_load_profile_out'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION elecbill._load_profile_out(elecbill.load_profile) IS
'output of load_profile: direction, start in UTC / step, values in Wh';

CREATE FUNCTION elecbill._load_profile_recv(internal) RETURNS elecbill.load_profile
AS 'MODULE_PATHNAME', 'elecbill_load_profile_recv'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION elecbill._load_profile_recv(internal) IS
'binary input of load_profile: what binary output gives, UB400 for anything else';

CREATE FUNCTION elecbill._load_profile_send(elecbill.load_profile) RETURNS bytea
AS 'MODULE_PATHNAME', 'elecbill_load_profile_send'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION elecbill._load_profile_send(elecbill.load_profile) IS
'binary output of load_profile: a version byte (1), then its fields, the most significant byte of each first';

-- not compressed: what is packed does not get smaller, and a row that is opened is not copied
CREATE TYPE elecbill.load_profile (
	INPUT = elecbill._load_profile_in, OUTPUT = elecbill._load_profile_out,
	RECEIVE = elecbill._load_profile_recv, SEND = elecbill._load_profile_send,
	INTERNALLENGTH = VARIABLE, ALIGNMENT = int4, STORAGE = external);
COMMENT ON TYPE elecbill.load_profile IS
'a block of equal intervals: start (whole seconds, 1900 to 2199), step (1 s to 1 day, divides 86400 s), up to 1048576 energies in Wh (varh) within 1e15 of 0, each known or missing and with a quality (flags of reading.quality; 1024 span: the energy of the missing intervals right before it, too; 2048 partial: not exactly that of its interval), direction (import, export, import_kvarh, export_kvarh). Text: import 2025-02-28T16:00:00Z/PT15M 120 130 - 140~2 0*92, where - is missing, ~ leads a quality, * a number of equal values. Equal contents are equal bytes';

-- ---------------------------------------------------------------- from arrays, as rows

CREATE FUNCTION elecbill.load_profile(start timestamptz, step interval, energy_wh bigint[])
RETURNS elecbill.load_profile
AS 'MODULE_PATHNAME', 'elecbill_load_profile'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION elecbill.load_profile(timestamptz, interval, bigint[]) IS
'the profile of energies in Wh from start on, import; an element NULL is missing. step: a day is 24 hours. UB400 a step that does not divide the day, more than 1048576 values, an instant out of range; UB422 an energy beyond 1e15 Wh';

CREATE FUNCTION elecbill.load_profile(start timestamptz, step interval, energy_wh bigint[], quality integer[])
RETURNS elecbill.load_profile
AS 'MODULE_PATHNAME', 'elecbill_load_profile'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION elecbill.load_profile(timestamptz, interval, bigint[], integer[]) IS
'the same with as many qualities (flags as reading.quality, NULL is 0); UB400 also when their number differs, one is negative, or one of what is missing has flag 1024';

CREATE FUNCTION elecbill.load_profile(start timestamptz, step interval, energy_wh bigint[], quality integer[], direction text)
RETURNS elecbill.load_profile
AS 'MODULE_PATHNAME', 'elecbill_load_profile'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION elecbill.load_profile(timestamptz, interval, bigint[], integer[], text) IS
'the same of a direction: import, export, import_kvarh, export_kvarh (the last two in varh); UB400 for another';

CREATE FUNCTION elecbill.profile_values(profile elecbill.load_profile)
RETURNS TABLE (at timestamptz, energy_wh bigint, quality integer)
AS 'MODULE_PATHNAME', 'elecbill_profile_values'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE ROWS 96;
COMMENT ON FUNCTION elecbill.profile_values(elecbill.load_profile) IS
'a row for each interval, in order: its start, its energy in Wh (NULL: missing), its quality';

CREATE FUNCTION elecbill.profile_gaps(profile elecbill.load_profile) RETURNS SETOF tstzrange
AS 'MODULE_PATHNAME', 'elecbill_profile_gaps'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE ROWS 1;
COMMENT ON FUNCTION elecbill.profile_gaps(elecbill.load_profile) IS
'where values are missing, neighbours as one range, in order. Behind a gap may stand a value with quality 1024, which is its energy, too';

-- ---------------------------------------------------------------- single facts

CREATE FUNCTION elecbill.profile_during(profile elecbill.load_profile) RETURNS tstzrange
AS 'MODULE_PATHNAME', 'elecbill_profile_during'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION elecbill.profile_during(elecbill.load_profile) IS
'from the start of the first interval to the end of the last; empty when there are no values';

CREATE FUNCTION elecbill.profile_step(profile elecbill.load_profile) RETURNS interval
AS 'MODULE_PATHNAME', 'elecbill_profile_step'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION elecbill.profile_step(elecbill.load_profile) IS
'length of an interval, in hours, minutes and seconds';

CREATE FUNCTION elecbill.profile_count(profile elecbill.load_profile) RETURNS integer
AS 'MODULE_PATHNAME', 'elecbill_profile_count'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION elecbill.profile_count(elecbill.load_profile) IS
'number of intervals, missing ones included';

CREATE FUNCTION elecbill.profile_missing(profile elecbill.load_profile) RETURNS integer
AS 'MODULE_PATHNAME', 'elecbill_profile_missing'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION elecbill.profile_missing(elecbill.load_profile) IS
'number of intervals whose value is missing';

CREATE FUNCTION elecbill.profile_direction(profile elecbill.load_profile) RETURNS text
AS 'MODULE_PATHNAME', 'elecbill_profile_direction'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION elecbill.profile_direction(elecbill.load_profile) IS
'import, export, import_kvarh or export_kvarh';

CREATE FUNCTION elecbill.profile_at(profile elecbill.load_profile, at timestamptz) RETURNS bigint
AS 'MODULE_PATHNAME', 'elecbill_profile_at'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION elecbill.profile_at(elecbill.load_profile, timestamptz) IS
'energy in Wh of the interval that holds the instant; NULL where it is missing, and outside of the profile';

CREATE FUNCTION elecbill.profile_sum(profile elecbill.load_profile) RETURNS numeric
AS 'MODULE_PATHNAME', 'elecbill_profile_sum'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION elecbill.profile_sum(elecbill.load_profile) IS
'energy of all intervals in Wh; what is missing counts for nothing; NULL when all are';

-- ---------------------------------------------------------------- profiles from profiles

CREATE FUNCTION elecbill.profile_slice(profile elecbill.load_profile, during tstzrange)
RETURNS elecbill.load_profile
AS 'MODULE_PATHNAME', 'elecbill_profile_slice'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION elecbill.profile_slice(elecbill.load_profile, tstzrange) IS
'the intervals that begin in the range, which may be open at either side; none are a profile without values. Slices side by side have the values of the whole: a value with quality 1024 (span) whose missing intervals are cut off stays, with 2048 (partial) instead';

CREATE FUNCTION elecbill.profile_scale(profile elecbill.load_profile, factor numeric)
RETURNS elecbill.load_profile
AS 'MODULE_PATHNAME', 'elecbill_profile_scale'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION elecbill.profile_scale(elecbill.load_profile, numeric) IS
'each value times a factor of at most 9 decimals. The running total is rounded half away from zero, never a single value: the sum is right to the Wh. UB400 more decimals, UB422 a result beyond 1e15 Wh';

CREATE FUNCTION elecbill._profile_scaled(factor numeric, profile elecbill.load_profile)
RETURNS elecbill.load_profile
AS 'MODULE_PATHNAME', 'elecbill_profile_scaled'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION elecbill._profile_scaled(numeric, elecbill.load_profile) IS
'profile_scale() with the factor first';

CREATE FUNCTION elecbill.profile_resample(profile elecbill.load_profile, step interval)
RETURNS elecbill.load_profile
AS 'MODULE_PATHNAME', 'elecbill_profile_resample'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION elecbill.profile_resample(elecbill.load_profile, interval) IS
'the same energy in another step, counted from the same start; the sum stays. A longer step: the sum of what is there, missing where nothing is, with quality 2048 (partial) where a part is missing or behind the end. A shorter step: how the energy was spread is not known, so each value becomes the last of its intervals with quality 1024 (span), those before it missing. UB400 when neither step is a whole number of the other, or there are more than 1048576 values';

CREATE FUNCTION elecbill.profile_add(a elecbill.load_profile, b elecbill.load_profile)
RETURNS elecbill.load_profile
AS 'MODULE_PATHNAME', 'elecbill_profile_add'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION elecbill.profile_add(elecbill.load_profile, elecbill.load_profile) IS
'two meters as one, as sum(load_profile) of both: the union of their ranges, quality 2048 (partial) where one of those that have the interval lacks its value. UB409 for another step, direction or grid, UB422 beyond 1e15 Wh';

CREATE FUNCTION elecbill.profile_subtract(a elecbill.load_profile, b elecbill.load_profile)
RETURNS elecbill.load_profile
AS 'MODULE_PATHNAME', 'elecbill_profile_subtract'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION elecbill.profile_subtract(elecbill.load_profile, elecbill.load_profile) IS
'a less b, net energy or what sub-meters leave: the intervals of a, of its direction; missing where a or b is, or b has none; may be negative. Values of spans (1024) give spans where both are known. UB409 for another step or grid, or energy less reactive energy; UB422 beyond 1e15 Wh';

CREATE FUNCTION elecbill.profile_max(profile elecbill.load_profile, OUT at timestamptz, OUT energy_wh bigint)
RETURNS record
AS 'MODULE_PATHNAME', 'elecbill_profile_max'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION elecbill.profile_max(elecbill.load_profile) IS
'start and energy in Wh of the interval with the highest value, the first of equals; values with quality 1024 (span) are of more time and do not count. NULL when there is none';

CREATE OPERATOR elecbill.+ (
	LEFTARG = elecbill.load_profile, RIGHTARG = elecbill.load_profile,
	FUNCTION = elecbill.profile_add, COMMUTATOR = OPERATOR(elecbill.+));
COMMENT ON OPERATOR elecbill.+ (elecbill.load_profile, elecbill.load_profile) IS 'profile_add()';
CREATE OPERATOR elecbill.- (
	LEFTARG = elecbill.load_profile, RIGHTARG = elecbill.load_profile,
	FUNCTION = elecbill.profile_subtract);
COMMENT ON OPERATOR elecbill.- (elecbill.load_profile, elecbill.load_profile) IS 'profile_subtract()';
CREATE OPERATOR elecbill.* (
	LEFTARG = elecbill.load_profile, RIGHTARG = numeric,
	FUNCTION = elecbill.profile_scale, COMMUTATOR = OPERATOR(elecbill.*));
COMMENT ON OPERATOR elecbill.* (elecbill.load_profile, numeric) IS 'profile_scale()';
CREATE OPERATOR elecbill.* (
	LEFTARG = numeric, RIGHTARG = elecbill.load_profile,
	FUNCTION = elecbill._profile_scaled, COMMUTATOR = OPERATOR(elecbill.*));
COMMENT ON OPERATOR elecbill.* (numeric, elecbill.load_profile) IS 'profile_scale()';

-- ---------------------------------------------------------------- casts

CREATE CAST (elecbill.load_profile AS tstzrange) WITH FUNCTION elecbill.profile_during(elecbill.load_profile);
COMMENT ON CAST (elecbill.load_profile AS tstzrange) IS 'profile_during()';

CREATE FUNCTION elecbill._load_profile_jsonb(elecbill.load_profile) RETURNS jsonb
AS 'MODULE_PATHNAME', 'elecbill_load_profile_to_jsonb'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION elecbill._load_profile_jsonb(elecbill.load_profile) IS
'cast of load_profile to jsonb';

CREATE FUNCTION elecbill._load_profile(jsonb) RETURNS elecbill.load_profile
AS 'MODULE_PATHNAME', 'elecbill_load_profile_from_jsonb'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION elecbill._load_profile(jsonb) IS
'cast of jsonb to load_profile: what the other cast gives; UB400 for unknown keys and bad values, UB422 beyond 1e15 Wh';

CREATE CAST (elecbill.load_profile AS jsonb) WITH FUNCTION elecbill._load_profile_jsonb(elecbill.load_profile);
COMMENT ON CAST (elecbill.load_profile AS jsonb) IS
'{"start": "2025-02-28T16:00:00Z", "step": "PT15M", "direction": "import", "wh": [120, null], "quality": [[count, flags]]}; null is missing; quality, where there is any, as runs from the first value on';
CREATE CAST (jsonb AS elecbill.load_profile) WITH FUNCTION elecbill._load_profile(jsonb);
COMMENT ON CAST (jsonb AS elecbill.load_profile) IS 'reads a profile back';

-- ---------------------------------------------------------------- equality and order

CREATE FUNCTION elecbill._load_profile_eq(elecbill.load_profile, elecbill.load_profile) RETURNS boolean
AS 'MODULE_PATHNAME', 'elecbill_load_profile_eq'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION elecbill._load_profile_eq(elecbill.load_profile, elecbill.load_profile) IS
'the same start, step, direction, values and qualities';
CREATE FUNCTION elecbill._load_profile_ne(elecbill.load_profile, elecbill.load_profile) RETURNS boolean
AS 'MODULE_PATHNAME', 'elecbill_load_profile_ne'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION elecbill._load_profile_ne(elecbill.load_profile, elecbill.load_profile) IS
'not the same';
CREATE FUNCTION elecbill._load_profile_lt(elecbill.load_profile, elecbill.load_profile) RETURNS boolean
AS 'MODULE_PATHNAME', 'elecbill_load_profile_lt'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION elecbill._load_profile_lt(elecbill.load_profile, elecbill.load_profile) IS
'comes before, as _load_profile_cmp() has it';
CREATE FUNCTION elecbill._load_profile_le(elecbill.load_profile, elecbill.load_profile) RETURNS boolean
AS 'MODULE_PATHNAME', 'elecbill_load_profile_le'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION elecbill._load_profile_le(elecbill.load_profile, elecbill.load_profile) IS
'comes before or is equal';
CREATE FUNCTION elecbill._load_profile_ge(elecbill.load_profile, elecbill.load_profile) RETURNS boolean
AS 'MODULE_PATHNAME', 'elecbill_load_profile_ge'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION elecbill._load_profile_ge(elecbill.load_profile, elecbill.load_profile) IS
'comes after or is equal';
CREATE FUNCTION elecbill._load_profile_gt(elecbill.load_profile, elecbill.load_profile) RETURNS boolean
AS 'MODULE_PATHNAME', 'elecbill_load_profile_gt'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION elecbill._load_profile_gt(elecbill.load_profile, elecbill.load_profile) IS
'comes after';
CREATE FUNCTION elecbill._load_profile_cmp(elecbill.load_profile, elecbill.load_profile) RETURNS integer
AS 'MODULE_PATHNAME', 'elecbill_load_profile_cmp'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION elecbill._load_profile_cmp(elecbill.load_profile, elecbill.load_profile) IS
'below 0, 0 or above 0: order of start, step, direction, number of values, values (missing last), qualities';
CREATE FUNCTION elecbill._load_profile_hash(elecbill.load_profile) RETURNS integer
AS 'MODULE_PATHNAME', 'elecbill_load_profile_hash'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION elecbill._load_profile_hash(elecbill.load_profile) IS 'hash of 32 bits';
CREATE FUNCTION elecbill._load_profile_hash(elecbill.load_profile, bigint) RETURNS bigint
AS 'MODULE_PATHNAME', 'elecbill_load_profile_hash_extended'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION elecbill._load_profile_hash(elecbill.load_profile, bigint) IS
'hash of 64 bits with a seed';

CREATE OPERATOR elecbill.= (
	LEFTARG = elecbill.load_profile, RIGHTARG = elecbill.load_profile,
	FUNCTION = elecbill._load_profile_eq, COMMUTATOR = OPERATOR(elecbill.=),
	NEGATOR = OPERATOR(elecbill.<>), RESTRICT = eqsel, JOIN = eqjoinsel, HASHES, MERGES);
COMMENT ON OPERATOR elecbill.= (elecbill.load_profile, elecbill.load_profile) IS 'equal';
CREATE OPERATOR elecbill.<> (
	LEFTARG = elecbill.load_profile, RIGHTARG = elecbill.load_profile,
	FUNCTION = elecbill._load_profile_ne, COMMUTATOR = OPERATOR(elecbill.<>),
	NEGATOR = OPERATOR(elecbill.=), RESTRICT = neqsel, JOIN = neqjoinsel);
COMMENT ON OPERATOR elecbill.<> (elecbill.load_profile, elecbill.load_profile) IS 'not equal';
CREATE OPERATOR elecbill.< (
	LEFTARG = elecbill.load_profile, RIGHTARG = elecbill.load_profile,
	FUNCTION = elecbill._load_profile_lt, COMMUTATOR = OPERATOR(elecbill.>),
	NEGATOR = OPERATOR(elecbill.>=), RESTRICT = scalarltsel, JOIN = scalarltjoinsel);
COMMENT ON OPERATOR elecbill.< (elecbill.load_profile, elecbill.load_profile) IS
'comes before: order of start, step, direction, number of values, values, qualities';
CREATE OPERATOR elecbill.<= (
	LEFTARG = elecbill.load_profile, RIGHTARG = elecbill.load_profile,
	FUNCTION = elecbill._load_profile_le, COMMUTATOR = OPERATOR(elecbill.>=),
	NEGATOR = OPERATOR(elecbill.>), RESTRICT = scalarlesel, JOIN = scalarlejoinsel);
COMMENT ON OPERATOR elecbill.<= (elecbill.load_profile, elecbill.load_profile) IS
'comes before or is equal';
CREATE OPERATOR elecbill.>= (
	LEFTARG = elecbill.load_profile, RIGHTARG = elecbill.load_profile,
	FUNCTION = elecbill._load_profile_ge, COMMUTATOR = OPERATOR(elecbill.<=),
	NEGATOR = OPERATOR(elecbill.<), RESTRICT = scalargesel, JOIN = scalargejoinsel);
COMMENT ON OPERATOR elecbill.>= (elecbill.load_profile, elecbill.load_profile) IS
'comes after or is equal';
CREATE OPERATOR elecbill.> (
	LEFTARG = elecbill.load_profile, RIGHTARG = elecbill.load_profile,
	FUNCTION = elecbill._load_profile_gt, COMMUTATOR = OPERATOR(elecbill.<),
	NEGATOR = OPERATOR(elecbill.<=), RESTRICT = scalargtsel, JOIN = scalargtjoinsel);
COMMENT ON OPERATOR elecbill.> (elecbill.load_profile, elecbill.load_profile) IS 'comes after';

CREATE OPERATOR CLASS elecbill.load_profile_ops DEFAULT FOR TYPE elecbill.load_profile USING btree AS
	OPERATOR 1 elecbill.<, OPERATOR 2 elecbill.<=, OPERATOR 3 elecbill.=,
	OPERATOR 4 elecbill.>=, OPERATOR 5 elecbill.>,
	FUNCTION 1 elecbill._load_profile_cmp(elecbill.load_profile, elecbill.load_profile);
COMMENT ON OPERATOR CLASS elecbill.load_profile_ops USING btree IS
'for ORDER BY, DISTINCT, merge joins and indexes of short profiles';
CREATE OPERATOR CLASS elecbill.load_profile_ops DEFAULT FOR TYPE elecbill.load_profile USING hash AS
	OPERATOR 1 elecbill.=,
	FUNCTION 1 elecbill._load_profile_hash(elecbill.load_profile),
	FUNCTION 2 elecbill._load_profile_hash(elecbill.load_profile, bigint);
COMMENT ON OPERATOR CLASS elecbill.load_profile_ops USING hash IS 'for GROUP BY and hash joins';

-- ---------------------------------------------------------------- load_profile_agg()

CREATE FUNCTION elecbill._load_profile_agg_accum(internal, timestamptz, bigint, interval)
RETURNS internal
AS 'MODULE_PATHNAME', 'elecbill_load_profile_agg_accum'
LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION elecbill._load_profile_agg_accum(internal, timestamptz, bigint, interval) IS
'transition of load_profile_agg(at, energy_wh, step)';

CREATE FUNCTION elecbill._load_profile_agg_accum(internal, timestamptz, bigint, interval, integer)
RETURNS internal
AS 'MODULE_PATHNAME', 'elecbill_load_profile_agg_accum'
LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION elecbill._load_profile_agg_accum(internal, timestamptz, bigint, interval, integer) IS
'transition of load_profile_agg(at, energy_wh, step, quality)';

CREATE FUNCTION elecbill._load_profile_agg_accum(internal, timestamptz, bigint, interval, integer, text)
RETURNS internal
AS 'MODULE_PATHNAME', 'elecbill_load_profile_agg_accum'
LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION elecbill._load_profile_agg_accum(internal, timestamptz, bigint, interval, integer, text) IS
'transition of load_profile_agg(at, energy_wh, step, quality, direction)';

CREATE FUNCTION elecbill._load_profile_agg_combine(internal, internal) RETURNS internal
AS 'MODULE_PATHNAME', 'elecbill_load_profile_agg_combine'
LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION elecbill._load_profile_agg_combine(internal, internal) IS
'the values of two workers as one state';

CREATE FUNCTION elecbill._load_profile_agg_serialize(internal) RETURNS bytea
AS 'MODULE_PATHNAME', 'elecbill_load_profile_agg_serialize'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION elecbill._load_profile_agg_serialize(internal) IS 'state of a worker as bytes';

CREATE FUNCTION elecbill._load_profile_agg_deserialize(bytea, internal) RETURNS internal
AS 'MODULE_PATHNAME', 'elecbill_load_profile_agg_deserialize'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION elecbill._load_profile_agg_deserialize(bytea, internal) IS
'bytes of a worker as state';

CREATE FUNCTION elecbill._load_profile_agg_final(internal) RETURNS elecbill.load_profile
AS 'MODULE_PATHNAME', 'elecbill_load_profile_agg_final'
LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION elecbill._load_profile_agg_final(internal) IS
'state as profile; NULL when no row was added';

CREATE AGGREGATE elecbill.load_profile_agg(at timestamptz, energy_wh bigint, step interval) (
	SFUNC = elecbill._load_profile_agg_accum, STYPE = internal, SSPACE = 2048,
	COMBINEFUNC = elecbill._load_profile_agg_combine, SERIALFUNC = elecbill._load_profile_agg_serialize,
	DESERIALFUNC = elecbill._load_profile_agg_deserialize, FINALFUNC = elecbill._load_profile_agg_final,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE elecbill.load_profile_agg(timestamptz, bigint, interval) IS
'the profile of energies in Wh of intervals [at, at + step), import, from the first to the last; intervals without a row, or with energy NULL, are missing. The order of rows does not matter. Rows without instant or step are passed over; no row gives NULL. UB400 a step that does not divide the day, instants that are not whole steps apart, more than 1048576 intervals; UB409 different steps, or one instant twice, unless value and quality are the same; UB422 beyond 1e15 Wh';

CREATE AGGREGATE elecbill.load_profile_agg(at timestamptz, energy_wh bigint, step interval, quality integer) (
	SFUNC = elecbill._load_profile_agg_accum, STYPE = internal, SSPACE = 2048,
	COMBINEFUNC = elecbill._load_profile_agg_combine, SERIALFUNC = elecbill._load_profile_agg_serialize,
	DESERIALFUNC = elecbill._load_profile_agg_deserialize, FINALFUNC = elecbill._load_profile_agg_final,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE elecbill.load_profile_agg(timestamptz, bigint, interval, integer) IS
'the same with qualities (flags as reading.quality, NULL is 0)';

CREATE AGGREGATE elecbill.load_profile_agg(at timestamptz, energy_wh bigint, step interval, quality integer, direction text) (
	SFUNC = elecbill._load_profile_agg_accum, STYPE = internal, SSPACE = 2048,
	COMBINEFUNC = elecbill._load_profile_agg_combine, SERIALFUNC = elecbill._load_profile_agg_serialize,
	DESERIALFUNC = elecbill._load_profile_agg_deserialize, FINALFUNC = elecbill._load_profile_agg_final,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE elecbill.load_profile_agg(timestamptz, bigint, interval, integer, text) IS
'the same of a direction (import, export, import_kvarh, export_kvarh), one for all rows, else UB409; rows without one are passed over';

-- ---------------------------------------------------------------- sum()

CREATE FUNCTION elecbill._load_profile_sum_accum(internal, elecbill.load_profile) RETURNS internal
AS 'MODULE_PATHNAME', 'elecbill_load_profile_sum_accum'
LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION elecbill._load_profile_sum_accum(internal, elecbill.load_profile) IS
'transition of sum(load_profile)';

CREATE FUNCTION elecbill._load_profile_sum_accum_inv(internal, elecbill.load_profile) RETURNS internal
AS 'MODULE_PATHNAME', 'elecbill_load_profile_sum_accum_inv'
LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION elecbill._load_profile_sum_accum_inv(internal, elecbill.load_profile) IS
'takes away what a window of sum(load_profile) leaves; exact';

CREATE FUNCTION elecbill._load_profile_sum_combine(internal, internal) RETURNS internal
AS 'MODULE_PATHNAME', 'elecbill_load_profile_sum_combine'
LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION elecbill._load_profile_sum_combine(internal, internal) IS
'adds the states of two workers; UB409 when their profiles do not belong together';

CREATE FUNCTION elecbill._load_profile_sum_serialize(internal) RETURNS bytea
AS 'MODULE_PATHNAME', 'elecbill_load_profile_sum_serialize'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION elecbill._load_profile_sum_serialize(internal) IS 'state of a worker as bytes';

CREATE FUNCTION elecbill._load_profile_sum_deserialize(bytea, internal) RETURNS internal
AS 'MODULE_PATHNAME', 'elecbill_load_profile_sum_deserialize'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION elecbill._load_profile_sum_deserialize(bytea, internal) IS
'bytes of a worker as state';

CREATE FUNCTION elecbill._load_profile_sum_final(internal) RETURNS elecbill.load_profile
AS 'MODULE_PATHNAME', 'elecbill_load_profile_sum_final'
LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION elecbill._load_profile_sum_final(internal) IS
'state as profile; NULL when no profile with values was added';

CREATE AGGREGATE elecbill.sum(profile elecbill.load_profile) (
	SFUNC = elecbill._load_profile_sum_accum, STYPE = internal, SSPACE = 4096,
	COMBINEFUNC = elecbill._load_profile_sum_combine, SERIALFUNC = elecbill._load_profile_sum_serialize,
	DESERIALFUNC = elecbill._load_profile_sum_deserialize, FINALFUNC = elecbill._load_profile_sum_final,
	MSFUNC = elecbill._load_profile_sum_accum, MINVFUNC = elecbill._load_profile_sum_accum_inv,
	MSTYPE = internal, MSSPACE = 4096, MFINALFUNC = elecbill._load_profile_sum_final,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE elecbill.sum(elecbill.load_profile) IS
'the curve of an estate: profiles of one step, direction and grid added up over the union of their ranges. Nothing is invented, nothing lost: profile_sum() of the result is the sum of theirs. An interval where no profile has a value is missing; one where a profile has it, but its value is missing or in a span (1024), is the sum of what is known with quality 2048 (partial), unless all profiles have that gap: then it stays a span. Qualities are those of all. Neither order nor workers change a byte, a moving window subtracts exactly. NULL and profiles without values are passed over; nothing left gives NULL. UB400 a union of more than 1048576 intervals; UB409 another step, direction or grid; UB422 beyond 1e15 Wh in one interval';
