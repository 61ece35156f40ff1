-- 28_compare.sql: many tariffs over one scan of real usage (src/pg/compare.c)

CREATE FUNCTION elecbill._compare_combine(internal, internal) RETURNS internal
AS 'MODULE_PATHNAME', 'elecbill_compare_combine'
LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION elecbill._compare_combine(internal, internal) IS
'adds the states of two workers; UB409 when their tariffs or ctx differ';

CREATE FUNCTION elecbill._compare_serialize(internal) RETURNS bytea
AS 'MODULE_PATHNAME', 'elecbill_compare_serialize'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION elecbill._compare_serialize(internal) IS 'state of a worker as bytes';

CREATE FUNCTION elecbill._compare_deserialize(bytea, internal) RETURNS internal
AS 'MODULE_PATHNAME', 'elecbill_compare_deserialize'
LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION elecbill._compare_deserialize(bytea, internal) IS 'bytes of a worker as state';

CREATE FUNCTION elecbill._compare_final(internal) RETURNS numeric[]
AS 'MODULE_PATHNAME', 'elecbill_compare_final'
LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION elecbill._compare_final(internal) IS
'the totals of all tariffs; NULL when no row was added';

CREATE FUNCTION elecbill._compare_accum(internal, elecbill.tariff[], tstzrange, numeric)
RETURNS internal
AS 'MODULE_PATHNAME', 'elecbill_compare_accum_range'
LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION elecbill._compare_accum(internal, elecbill.tariff[], tstzrange, numeric) IS
'transition of compare(tariffs, during, kwh)';
CREATE AGGREGATE elecbill.compare(tariffs elecbill.tariff[], during tstzrange, kwh numeric) (
	SFUNC = elecbill._compare_accum, STYPE = internal, SSPACE = 4096,
	COMBINEFUNC = elecbill._compare_combine, SERIALFUNC = elecbill._compare_serialize,
	DESERIALFUNC = elecbill._compare_deserialize, FINALFUNC = elecbill._compare_final, PARALLEL = SAFE);
COMMENT ON AGGREGATE elecbill.compare(elecbill.tariff[], tstzrange, numeric) IS
'what the same usage costs under each tariff: the totals in the order of the array, equal to rate_total(tariff, usage(tariff, during, kwh)) of each alone. The rows are read once; tariffs that differ only in prices share one classification. Rows with a NULL are skipped; no row gives NULL. The same array in all rows of a group, or UB409; UB400 for a NULL in it; errors of usage() and rate_total()';

CREATE FUNCTION elecbill._compare_accum(internal, elecbill.tariff[], tstzrange, numeric, jsonb)
RETURNS internal
AS 'MODULE_PATHNAME', 'elecbill_compare_accum_range'
LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION elecbill._compare_accum(internal, elecbill.tariff[], tstzrange, numeric, jsonb) IS
'transition of compare(tariffs, during, kwh, ctx)';
CREATE AGGREGATE elecbill.compare(tariffs elecbill.tariff[], during tstzrange, kwh numeric, ctx jsonb) (
	SFUNC = elecbill._compare_accum, STYPE = internal, SSPACE = 4096,
	COMBINEFUNC = elecbill._compare_combine, SERIALFUNC = elecbill._compare_serialize,
	DESERIALFUNC = elecbill._compare_deserialize, FINALFUNC = elecbill._compare_final, PARALLEL = SAFE);
COMMENT ON AGGREGATE elecbill.compare(elecbill.tariff[], tstzrange, numeric, jsonb) IS
'as compare(tariffs, during, kwh) with the ctx of rate(), the same for all rows of a group, or UB409; NULL: none';

CREATE FUNCTION elecbill._compare_accum(internal, elecbill.tariff[], tstzrange, numeric, text, jsonb)
RETURNS internal
AS 'MODULE_PATHNAME', 'elecbill_compare_accum_range'
LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION elecbill._compare_accum(internal, elecbill.tariff[], tstzrange, numeric, text, jsonb) IS
'transition of compare(tariffs, during, kwh, channel, ctx)';
CREATE AGGREGATE elecbill.compare(tariffs elecbill.tariff[], during tstzrange, kwh numeric, channel text, ctx jsonb) (
	SFUNC = elecbill._compare_accum, STYPE = internal, SSPACE = 4096,
	COMBINEFUNC = elecbill._compare_combine, SERIALFUNC = elecbill._compare_serialize,
	DESERIALFUNC = elecbill._compare_deserialize, FINALFUNC = elecbill._compare_final, PARALLEL = SAFE);
COMMENT ON AGGREGATE elecbill.compare(elecbill.tariff[], tstzrange, numeric, text, jsonb) IS
'as compare(tariffs, during, kwh, ctx) for several channels: see usage(tariff, during, kwh, channel)';

CREATE FUNCTION elecbill._compare_accum(internal, elecbill.tariff[], tstzrange, numeric, text, numeric, jsonb)
RETURNS internal
AS 'MODULE_PATHNAME', 'elecbill_compare_accum_range'
LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION elecbill._compare_accum(internal, elecbill.tariff[], tstzrange, numeric, text, numeric, jsonb) IS
'transition of compare(tariffs, during, kwh, channel, price, ctx)';
CREATE AGGREGATE elecbill.compare(tariffs elecbill.tariff[], during tstzrange, kwh numeric, channel text, price numeric, ctx jsonb) (
	SFUNC = elecbill._compare_accum, STYPE = internal, SSPACE = 4096,
	COMBINEFUNC = elecbill._compare_combine, SERIALFUNC = elecbill._compare_serialize,
	DESERIALFUNC = elecbill._compare_deserialize, FINALFUNC = elecbill._compare_final, PARALLEL = SAFE);
COMMENT ON AGGREGATE elecbill.compare(elecbill.tariff[], tstzrange, numeric, text, numeric, jsonb) IS
'as compare(tariffs, during, kwh, channel, ctx) with the price of each row: see usage(tariff, during, kwh, price)';

CREATE FUNCTION elecbill._compare_accum(internal, elecbill.tariff[], timestamptz, bigint, interval)
RETURNS internal
AS 'MODULE_PATHNAME', 'elecbill_compare_accum_step'
LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION elecbill._compare_accum(internal, elecbill.tariff[], timestamptz, bigint, interval) IS
'transition of compare(tariffs, at, energy_wh, step)';
CREATE AGGREGATE elecbill.compare(tariffs elecbill.tariff[], at timestamptz, energy_wh bigint, step interval) (
	SFUNC = elecbill._compare_accum, STYPE = internal, SSPACE = 4096,
	COMBINEFUNC = elecbill._compare_combine, SERIALFUNC = elecbill._compare_serialize,
	DESERIALFUNC = elecbill._compare_deserialize, FINALFUNC = elecbill._compare_final, PARALLEL = SAFE);
COMMENT ON AGGREGATE elecbill.compare(elecbill.tariff[], timestamptz, bigint, interval) IS
'as compare(tariffs, during, kwh) for intervals [at, at + step) in Wh: see usage(tariff, at, energy_wh, step)';

CREATE FUNCTION elecbill._compare_accum(internal, elecbill.tariff[], timestamptz, bigint, interval, jsonb)
RETURNS internal
AS 'MODULE_PATHNAME', 'elecbill_compare_accum_step'
LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION elecbill._compare_accum(internal, elecbill.tariff[], timestamptz, bigint, interval, jsonb) IS
'transition of compare(tariffs, at, energy_wh, step, ctx)';
CREATE AGGREGATE elecbill.compare(tariffs elecbill.tariff[], at timestamptz, energy_wh bigint, step interval, ctx jsonb) (
	SFUNC = elecbill._compare_accum, STYPE = internal, SSPACE = 4096,
	COMBINEFUNC = elecbill._compare_combine, SERIALFUNC = elecbill._compare_serialize,
	DESERIALFUNC = elecbill._compare_deserialize, FINALFUNC = elecbill._compare_final, PARALLEL = SAFE);
COMMENT ON AGGREGATE elecbill.compare(elecbill.tariff[], timestamptz, bigint, interval, jsonb) IS
'as compare(tariffs, at, energy_wh, step) with the ctx of rate(), the same for all rows of a group, or UB409; NULL: none';

CREATE FUNCTION elecbill._compare_accum(internal, elecbill.tariff[], timestamptz, bigint, interval, text, jsonb)
RETURNS internal
AS 'MODULE_PATHNAME', 'elecbill_compare_accum_step'
LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION elecbill._compare_accum(internal, elecbill.tariff[], timestamptz, bigint, interval, text, jsonb) IS
'transition of compare(tariffs, at, energy_wh, step, channel, ctx)';
CREATE AGGREGATE elecbill.compare(tariffs elecbill.tariff[], at timestamptz, energy_wh bigint, step interval, channel text, ctx jsonb) (
	SFUNC = elecbill._compare_accum, STYPE = internal, SSPACE = 4096,
	COMBINEFUNC = elecbill._compare_combine, SERIALFUNC = elecbill._compare_serialize,
	DESERIALFUNC = elecbill._compare_deserialize, FINALFUNC = elecbill._compare_final, PARALLEL = SAFE);
COMMENT ON AGGREGATE elecbill.compare(elecbill.tariff[], timestamptz, bigint, interval, text, jsonb) IS
'as compare(tariffs, at, energy_wh, step, ctx) for several channels: see usage(tariff, at, energy_wh, step, channel)';

CREATE FUNCTION elecbill._compare_accum(internal, elecbill.tariff[], timestamptz, bigint, interval, text, numeric, jsonb)
RETURNS internal
AS 'MODULE_PATHNAME', 'elecbill_compare_accum_step'
LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION elecbill._compare_accum(internal, elecbill.tariff[], timestamptz, bigint, interval, text, numeric, jsonb) IS
'transition of compare(tariffs, at, energy_wh, step, channel, price, ctx)';
CREATE AGGREGATE elecbill.compare(tariffs elecbill.tariff[], at timestamptz, energy_wh bigint, step interval, channel text, price numeric, ctx jsonb) (
	SFUNC = elecbill._compare_accum, STYPE = internal, SSPACE = 4096,
	COMBINEFUNC = elecbill._compare_combine, SERIALFUNC = elecbill._compare_serialize,
	DESERIALFUNC = elecbill._compare_deserialize, FINALFUNC = elecbill._compare_final, PARALLEL = SAFE);
COMMENT ON AGGREGATE elecbill.compare(elecbill.tariff[], timestamptz, bigint, interval, text, numeric, jsonb) IS
'as compare(tariffs, at, energy_wh, step, channel, ctx) with the price of each row: see usage(tariff, at, energy_wh, step, price)';
