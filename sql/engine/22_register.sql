-- 22_register.sql: cumulative register values and the energy between them (src/pg/register_usage.c)

CREATE FUNCTION elecbill.register_delta(prev_wh bigint, cur_wh bigint, wrap_wh bigint, max_wh bigint)
RETURNS bigint
AS 'MODULE_PATHNAME', 'elecbill_register_delta'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION elecbill.register_delta(bigint, bigint, bigint, bigint) IS
'Wh between two values of a register that rolls over at wrap_wh; NULL = hold: it ran backwards, and prev is not in the last tenth, cur not in the first, or more than max_wh went through. UB400 for negative values, UB422 beyond 2^62';

CREATE FUNCTION elecbill._register_usage_accum(internal, elecbill.tariff, timestamptz, bigint, bigint,
	integer) RETURNS internal
AS 'MODULE_PATHNAME', 'elecbill_register_usage_accum'
LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION elecbill._register_usage_accum(internal, elecbill.tariff, timestamptz, bigint, bigint, integer) IS
'transition of register_usage()';

CREATE FUNCTION elecbill._register_usage_combine(internal, internal) RETURNS internal
AS 'MODULE_PATHNAME', 'elecbill_register_usage_combine'
LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION elecbill._register_usage_combine(internal, internal) IS
'joins the values of two workers; UB409 when tariff or wrap_wh differ';

CREATE FUNCTION elecbill._register_usage_serialize(internal) RETURNS bytea
AS 'MODULE_PATHNAME', 'elecbill_register_usage_serialize'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION elecbill._register_usage_serialize(internal) IS 'state of a worker as bytes';

CREATE FUNCTION elecbill._register_usage_deserialize(bytea, internal) RETURNS internal
AS 'MODULE_PATHNAME', 'elecbill_register_usage_deserialize'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION elecbill._register_usage_deserialize(bytea, internal) IS
'bytes of a worker as state';

CREATE FUNCTION elecbill._register_usage_final(internal) RETURNS elecbill.usage_summary
AS 'MODULE_PATHNAME', 'elecbill_register_usage_final'
LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION elecbill._register_usage_final(internal) IS
'puts the values in order and sums their differences; NULL when there is no value';

CREATE AGGREGATE elecbill.register_usage(tariff elecbill.tariff, boundary timestamptz,
	register_wh bigint, wrap_wh bigint, quality integer) (
	SFUNC = elecbill._register_usage_accum, STYPE = internal, SSPACE = 2048,
	COMBINEFUNC = elecbill._register_usage_combine,
	SERIALFUNC = elecbill._register_usage_serialize,
	DESERIALFUNC = elecbill._register_usage_deserialize,
	FINALFUNC = elecbill._register_usage_final, PARALLEL = SAFE);
COMMENT ON AGGREGATE elecbill.register_usage(elecbill.tariff, timestamptz, bigint, bigint, integer) IS
'usage from the cumulative values of one register in Wh, in any order: differences of neighbours, each spread evenly over its time and cut at every boundary. during runs from the first to the last value. A difference onto a value with flag 512 (restart) is missing; one that register_delta() would hold (max_wh = wrap_wh / 10) is missing and counted in held; the same value twice is one; an instant with several values is passed over and counted in held. A difference over more than 60 minutes that falls into several periods, or into several parts where the tariff has seasons, dates or tiers beyond the bill, makes the quality estimated, and says nothing of demands in windows shorter than it. wrap_wh NULL: never rolls over; quality NULL: no flag; other rows with a NULL are skipped, no row gives NULL. UB400 negative values, UB409 another wrap_wh or classifying tariff in one group, UB422 overflow';

CREATE FUNCTION elecbill._register_usage_accum(internal, elecbill.tariff, timestamptz, bigint, bigint, integer, text)
RETURNS internal
AS 'MODULE_PATHNAME', 'elecbill_register_usage_accum'
LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION elecbill._register_usage_accum(internal, elecbill.tariff, timestamptz, bigint, bigint, integer, text) IS
'transition of register_usage(tariff, boundary, register_wh, wrap_wh, quality, channel)';
CREATE AGGREGATE elecbill.register_usage(tariff elecbill.tariff, boundary timestamptz,
	register_wh bigint, wrap_wh bigint, quality integer, channel text) (
	SFUNC = elecbill._register_usage_accum, STYPE = internal, SSPACE = 2048,
	COMBINEFUNC = elecbill._register_usage_combine,
	SERIALFUNC = elecbill._register_usage_serialize,
	DESERIALFUNC = elecbill._register_usage_deserialize,
	FINALFUNC = elecbill._register_usage_final, PARALLEL = SAFE);
COMMENT ON AGGREGATE elecbill.register_usage(elecbill.tariff, timestamptz, bigint, bigint, integer, text) IS
'usage from the registers of several channels, one register for each: import, export (Wh), import_kvarh, export_kvarh (varh). The demands of a tariff need all their channels in one call; what the tariff does not need (tariff_channels()) is counted for nothing. Else as register_usage(tariff, boundary, register_wh, wrap_wh, quality). UB400 for another channel';

CREATE FUNCTION elecbill._register_usage_accum(internal, elecbill.tariff[], integer, timestamptz, bigint, bigint, integer)
RETURNS internal
AS 'MODULE_PATHNAME', 'elecbill_register_usage_accum'
LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION elecbill._register_usage_accum(internal, elecbill.tariff[], integer, timestamptz, bigint, bigint, integer) IS
'transition of register_usage(tariffs, no, boundary, register_wh, wrap_wh, quality)';
CREATE AGGREGATE elecbill.register_usage(tariffs elecbill.tariff[], no integer, boundary timestamptz,
	register_wh bigint, wrap_wh bigint, quality integer) (
	SFUNC = elecbill._register_usage_accum, STYPE = internal, SSPACE = 2048,
	COMBINEFUNC = elecbill._register_usage_combine,
	SERIALFUNC = elecbill._register_usage_serialize,
	DESERIALFUNC = elecbill._register_usage_deserialize,
	FINALFUNC = elecbill._register_usage_final, PARALLEL = SAFE);
COMMENT ON AGGREGATE elecbill.register_usage(elecbill.tariff[], integer, timestamptz, bigint, bigint, integer) IS
'register_usage(tariff, boundary, register_wh, wrap_wh, quality) with the tariff of that number; no as in usage(tariffs, no, at, energy_wh, step)';

CREATE FUNCTION elecbill._register_usage_accum(internal, elecbill.tariff[], integer, timestamptz, bigint, bigint, integer, text)
RETURNS internal
AS 'MODULE_PATHNAME', 'elecbill_register_usage_accum'
LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION elecbill._register_usage_accum(internal, elecbill.tariff[], integer, timestamptz, bigint, bigint, integer, text) IS
'transition of register_usage(tariffs, no, boundary, register_wh, wrap_wh, quality, channel)';
CREATE AGGREGATE elecbill.register_usage(tariffs elecbill.tariff[], no integer, boundary timestamptz,
	register_wh bigint, wrap_wh bigint, quality integer, channel text) (
	SFUNC = elecbill._register_usage_accum, STYPE = internal, SSPACE = 2048,
	COMBINEFUNC = elecbill._register_usage_combine,
	SERIALFUNC = elecbill._register_usage_serialize,
	DESERIALFUNC = elecbill._register_usage_deserialize,
	FINALFUNC = elecbill._register_usage_final, PARALLEL = SAFE);
COMMENT ON AGGREGATE elecbill.register_usage(elecbill.tariff[], integer, timestamptz, bigint, bigint, integer, text) IS
'register_usage(tariff, boundary, register_wh, wrap_wh, quality, channel) with the tariff of that number; no as in usage(tariffs, no, at, energy_wh, step)';
