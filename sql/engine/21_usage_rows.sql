-- 21_usage_rows.sql: usage() of rows with a channel, a price, or the number of their tariff (src/pg/usage_agg.c)
-- Aggregates take no defaults, so every optional argument is an overload. All are the same function.

CREATE FUNCTION elecbill._usage_accum(internal, elecbill.tariff, timestamptz, integer, interval)
RETURNS internal
AS 'MODULE_PATHNAME', 'elecbill_usage_accum_step'
LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION elecbill._usage_accum(internal, elecbill.tariff, timestamptz, integer, interval) IS
'transition of usage(tariff, at, energy_wh, step)';
CREATE AGGREGATE elecbill.usage(tariff elecbill.tariff, at timestamptz, energy_wh integer, step interval) (
	SFUNC = elecbill._usage_accum, STYPE = internal, SSPACE = 1024,
	COMBINEFUNC = elecbill._usage_combine, SERIALFUNC = elecbill._usage_serialize,
	DESERIALFUNC = elecbill._usage_deserialize, FINALFUNC = elecbill._usage_final, PARALLEL = SAFE,
	MSFUNC = elecbill._usage_moving_accum, MINVFUNC = elecbill._usage_moving_accum_inv,
	MSTYPE = internal, MSSPACE = 1024, MFINALFUNC = elecbill._usage_moving_final);
COMMENT ON AGGREGATE elecbill.usage(elecbill.tariff, timestamptz, integer, interval) IS
'as usage(tariff, at, energy_wh bigint, step), for columns of integers';

CREATE FUNCTION elecbill._usage_accum(internal, elecbill.tariff, timestamptz, bigint, interval, text)
RETURNS internal
AS 'MODULE_PATHNAME', 'elecbill_usage_accum_step'
LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION elecbill._usage_accum(internal, elecbill.tariff, timestamptz, bigint, interval, text) IS
'transition of usage(tariff, at, energy_wh, step, channel)';
CREATE AGGREGATE elecbill.usage(tariff elecbill.tariff, at timestamptz, energy_wh bigint, step interval, channel text) (
	SFUNC = elecbill._usage_accum, STYPE = internal, SSPACE = 1024,
	COMBINEFUNC = elecbill._usage_combine, SERIALFUNC = elecbill._usage_serialize,
	DESERIALFUNC = elecbill._usage_deserialize, FINALFUNC = elecbill._usage_final, PARALLEL = SAFE,
	MSFUNC = elecbill._usage_moving_accum, MINVFUNC = elecbill._usage_moving_accum_inv,
	MSTYPE = internal, MSSPACE = 1024, MFINALFUNC = elecbill._usage_moving_final);
COMMENT ON AGGREGATE elecbill.usage(elecbill.tariff, timestamptz, bigint, interval, text) IS
'usage of several channels together, Wh or varh; else as usage(tariff, at, energy_wh, step). channel: import, export (kWh), import_kvarh, export_kvarh (kvarh); what the tariff does not need (tariff_channels()) is counted for nothing. UB400 for another name. missing_s is that of the channel that lacks most';

CREATE FUNCTION elecbill._usage_accum(internal, elecbill.tariff, timestamptz, bigint, interval, numeric)
RETURNS internal
AS 'MODULE_PATHNAME', 'elecbill_usage_accum_step'
LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION elecbill._usage_accum(internal, elecbill.tariff, timestamptz, bigint, interval, numeric) IS
'transition of usage(tariff, at, energy_wh, step, price)';
CREATE AGGREGATE elecbill.usage(tariff elecbill.tariff, at timestamptz, energy_wh bigint, step interval, price numeric) (
	SFUNC = elecbill._usage_accum, STYPE = internal, SSPACE = 1024,
	COMBINEFUNC = elecbill._usage_combine, SERIALFUNC = elecbill._usage_serialize,
	DESERIALFUNC = elecbill._usage_deserialize, FINALFUNC = elecbill._usage_final, PARALLEL = SAFE,
	MSFUNC = elecbill._usage_moving_accum, MINVFUNC = elecbill._usage_moving_accum_inv,
	MSTYPE = internal, MSSPACE = 1024, MFINALFUNC = elecbill._usage_moving_final);
COMMENT ON AGGREGATE elecbill.usage(elecbill.tariff, timestamptz, bigint, interval, numeric) IS
'usage of import with the price of each row; else as usage(tariff, at, energy_wh, step). price: that of the row per kWh, at most 9 decimals, for series of the tariff that are "usage"; others do not look at it. UB404 when it is NULL and needed';

CREATE FUNCTION elecbill._usage_accum(internal, elecbill.tariff, timestamptz, bigint, interval, text, numeric)
RETURNS internal
AS 'MODULE_PATHNAME', 'elecbill_usage_accum_step'
LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION elecbill._usage_accum(internal, elecbill.tariff, timestamptz, bigint, interval, text, numeric) IS
'transition of usage(tariff, at, energy_wh, step, channel, price)';
CREATE AGGREGATE elecbill.usage(tariff elecbill.tariff, at timestamptz, energy_wh bigint, step interval, channel text, price numeric) (
	SFUNC = elecbill._usage_accum, STYPE = internal, SSPACE = 1024,
	COMBINEFUNC = elecbill._usage_combine, SERIALFUNC = elecbill._usage_serialize,
	DESERIALFUNC = elecbill._usage_deserialize, FINALFUNC = elecbill._usage_final, PARALLEL = SAFE,
	MSFUNC = elecbill._usage_moving_accum, MINVFUNC = elecbill._usage_moving_accum_inv,
	MSTYPE = internal, MSSPACE = 1024, MFINALFUNC = elecbill._usage_moving_final);
COMMENT ON AGGREGATE elecbill.usage(elecbill.tariff, timestamptz, bigint, interval, text, numeric) IS
'usage of several channels with the price of each row; else as usage(tariff, at, energy_wh, step, channel) and usage(tariff, at, energy_wh, step, price)';

CREATE FUNCTION elecbill._usage_accum(internal, elecbill.tariff, tstzrange, numeric, text)
RETURNS internal
AS 'MODULE_PATHNAME', 'elecbill_usage_accum_range'
LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION elecbill._usage_accum(internal, elecbill.tariff, tstzrange, numeric, text) IS
'transition of usage(tariff, during, kwh, channel)';
CREATE AGGREGATE elecbill.usage(tariff elecbill.tariff, during tstzrange, kwh numeric, channel text) (
	SFUNC = elecbill._usage_accum, STYPE = internal, SSPACE = 1024,
	COMBINEFUNC = elecbill._usage_combine, SERIALFUNC = elecbill._usage_serialize,
	DESERIALFUNC = elecbill._usage_deserialize, FINALFUNC = elecbill._usage_final, PARALLEL = SAFE,
	MSFUNC = elecbill._usage_moving_accum, MINVFUNC = elecbill._usage_moving_accum_inv,
	MSTYPE = internal, MSSPACE = 1024, MFINALFUNC = elecbill._usage_moving_final);
COMMENT ON AGGREGATE elecbill.usage(elecbill.tariff, tstzrange, numeric, text) IS
'usage of several channels together, kWh or kvarh; else as usage(tariff, during, kwh). channel: import, export (kWh), import_kvarh, export_kvarh (kvarh); what the tariff does not need (tariff_channels()) is counted for nothing. UB400 for another name';

CREATE FUNCTION elecbill._usage_accum(internal, elecbill.tariff, tstzrange, numeric, numeric)
RETURNS internal
AS 'MODULE_PATHNAME', 'elecbill_usage_accum_range'
LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION elecbill._usage_accum(internal, elecbill.tariff, tstzrange, numeric, numeric) IS
'transition of usage(tariff, during, kwh, price)';
CREATE AGGREGATE elecbill.usage(tariff elecbill.tariff, during tstzrange, kwh numeric, price numeric) (
	SFUNC = elecbill._usage_accum, STYPE = internal, SSPACE = 1024,
	COMBINEFUNC = elecbill._usage_combine, SERIALFUNC = elecbill._usage_serialize,
	DESERIALFUNC = elecbill._usage_deserialize, FINALFUNC = elecbill._usage_final, PARALLEL = SAFE,
	MSFUNC = elecbill._usage_moving_accum, MINVFUNC = elecbill._usage_moving_accum_inv,
	MSTYPE = internal, MSSPACE = 1024, MFINALFUNC = elecbill._usage_moving_final);
COMMENT ON AGGREGATE elecbill.usage(elecbill.tariff, tstzrange, numeric, numeric) IS
'usage of import with the price of each row; else as usage(tariff, during, kwh). price: that of the row per kWh, at most 9 decimals, for series of the tariff that are "usage"; others do not look at it. UB404 when it is NULL and needed';

CREATE FUNCTION elecbill._usage_accum(internal, elecbill.tariff, tstzrange, numeric, text, numeric)
RETURNS internal
AS 'MODULE_PATHNAME', 'elecbill_usage_accum_range'
LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION elecbill._usage_accum(internal, elecbill.tariff, tstzrange, numeric, text, numeric) IS
'transition of usage(tariff, during, kwh, channel, price)';
CREATE AGGREGATE elecbill.usage(tariff elecbill.tariff, during tstzrange, kwh numeric, channel text, price numeric) (
	SFUNC = elecbill._usage_accum, STYPE = internal, SSPACE = 1024,
	COMBINEFUNC = elecbill._usage_combine, SERIALFUNC = elecbill._usage_serialize,
	DESERIALFUNC = elecbill._usage_deserialize, FINALFUNC = elecbill._usage_final, PARALLEL = SAFE,
	MSFUNC = elecbill._usage_moving_accum, MINVFUNC = elecbill._usage_moving_accum_inv,
	MSTYPE = internal, MSSPACE = 1024, MFINALFUNC = elecbill._usage_moving_final);
COMMENT ON AGGREGATE elecbill.usage(elecbill.tariff, tstzrange, numeric, text, numeric) IS
'usage of several channels with the price of each row; else as usage(tariff, during, kwh, channel) and usage(tariff, during, kwh, price)';

-- ---------------------------------------------------------------- one array of tariffs, each row names its own

CREATE FUNCTION elecbill._usage_accum(internal, elecbill.tariff[], integer, timestamptz, bigint, interval)
RETURNS internal
AS 'MODULE_PATHNAME', 'elecbill_usage_accum_step'
LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION elecbill._usage_accum(internal, elecbill.tariff[], integer, timestamptz, bigint, interval) IS
'transition of usage(tariffs, no, at, energy_wh, step)';
CREATE AGGREGATE elecbill.usage(tariffs elecbill.tariff[], no integer, at timestamptz, energy_wh bigint, step interval) (
	SFUNC = elecbill._usage_accum, STYPE = internal, SSPACE = 1024,
	COMBINEFUNC = elecbill._usage_combine, SERIALFUNC = elecbill._usage_serialize,
	DESERIALFUNC = elecbill._usage_deserialize, FINALFUNC = elecbill._usage_final, PARALLEL = SAFE,
	MSFUNC = elecbill._usage_moving_accum, MINVFUNC = elecbill._usage_moving_accum_inv,
	MSTYPE = internal, MSSPACE = 1024, MFINALFUNC = elecbill._usage_moving_final);
COMMENT ON AGGREGATE elecbill.usage(elecbill.tariff[], integer, timestamptz, bigint, interval) IS
'usage(tariff, at, energy_wh, step) with the tariff of that number. no: the row''s tariff in the array, from 1; one per group, or UB409 unless they differ in prices alone; UB404 when there is none of that number. A constant array is looked at once per tariff and not copied for each row, as a tariff that comes through a join is';

CREATE FUNCTION elecbill._usage_accum(internal, elecbill.tariff[], integer, timestamptz, bigint, interval, text)
RETURNS internal
AS 'MODULE_PATHNAME', 'elecbill_usage_accum_step'
LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION elecbill._usage_accum(internal, elecbill.tariff[], integer, timestamptz, bigint, interval, text) IS
'transition of usage(tariffs, no, at, energy_wh, step, channel)';
CREATE AGGREGATE elecbill.usage(tariffs elecbill.tariff[], no integer, at timestamptz, energy_wh bigint, step interval, channel text) (
	SFUNC = elecbill._usage_accum, STYPE = internal, SSPACE = 1024,
	COMBINEFUNC = elecbill._usage_combine, SERIALFUNC = elecbill._usage_serialize,
	DESERIALFUNC = elecbill._usage_deserialize, FINALFUNC = elecbill._usage_final, PARALLEL = SAFE,
	MSFUNC = elecbill._usage_moving_accum, MINVFUNC = elecbill._usage_moving_accum_inv,
	MSTYPE = internal, MSSPACE = 1024, MFINALFUNC = elecbill._usage_moving_final);
COMMENT ON AGGREGATE elecbill.usage(elecbill.tariff[], integer, timestamptz, bigint, interval, text) IS
'usage(tariff, at, energy_wh, step, channel) with the tariff of that number; no as in usage(tariffs, no, at, energy_wh, step)';

CREATE FUNCTION elecbill._usage_accum(internal, elecbill.tariff[], integer, timestamptz, bigint, interval, numeric)
RETURNS internal
AS 'MODULE_PATHNAME', 'elecbill_usage_accum_step'
LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION elecbill._usage_accum(internal, elecbill.tariff[], integer, timestamptz, bigint, interval, numeric) IS
'transition of usage(tariffs, no, at, energy_wh, step, price)';
CREATE AGGREGATE elecbill.usage(tariffs elecbill.tariff[], no integer, at timestamptz, energy_wh bigint, step interval, price numeric) (
	SFUNC = elecbill._usage_accum, STYPE = internal, SSPACE = 1024,
	COMBINEFUNC = elecbill._usage_combine, SERIALFUNC = elecbill._usage_serialize,
	DESERIALFUNC = elecbill._usage_deserialize, FINALFUNC = elecbill._usage_final, PARALLEL = SAFE,
	MSFUNC = elecbill._usage_moving_accum, MINVFUNC = elecbill._usage_moving_accum_inv,
	MSTYPE = internal, MSSPACE = 1024, MFINALFUNC = elecbill._usage_moving_final);
COMMENT ON AGGREGATE elecbill.usage(elecbill.tariff[], integer, timestamptz, bigint, interval, numeric) IS
'usage(tariff, at, energy_wh, step, price) with the tariff of that number; no as in usage(tariffs, no, at, energy_wh, step)';

CREATE FUNCTION elecbill._usage_accum(internal, elecbill.tariff[], integer, timestamptz, bigint, interval, text, numeric)
RETURNS internal
AS 'MODULE_PATHNAME', 'elecbill_usage_accum_step'
LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION elecbill._usage_accum(internal, elecbill.tariff[], integer, timestamptz, bigint, interval, text, numeric) IS
'transition of usage(tariffs, no, at, energy_wh, step, channel, price)';
CREATE AGGREGATE elecbill.usage(tariffs elecbill.tariff[], no integer, at timestamptz, energy_wh bigint, step interval, channel text, price numeric) (
	SFUNC = elecbill._usage_accum, STYPE = internal, SSPACE = 1024,
	COMBINEFUNC = elecbill._usage_combine, SERIALFUNC = elecbill._usage_serialize,
	DESERIALFUNC = elecbill._usage_deserialize, FINALFUNC = elecbill._usage_final, PARALLEL = SAFE,
	MSFUNC = elecbill._usage_moving_accum, MINVFUNC = elecbill._usage_moving_accum_inv,
	MSTYPE = internal, MSSPACE = 1024, MFINALFUNC = elecbill._usage_moving_final);
COMMENT ON AGGREGATE elecbill.usage(elecbill.tariff[], integer, timestamptz, bigint, interval, text, numeric) IS
'usage(tariff, at, energy_wh, step, channel, price) with the tariff of that number; no as in usage(tariffs, no, at, energy_wh, step)';

CREATE FUNCTION elecbill._usage_accum(internal, elecbill.tariff[], integer, tstzrange, numeric)
RETURNS internal
AS 'MODULE_PATHNAME', 'elecbill_usage_accum_range'
LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION elecbill._usage_accum(internal, elecbill.tariff[], integer, tstzrange, numeric) IS
'transition of usage(tariffs, no, during, kwh)';
CREATE AGGREGATE elecbill.usage(tariffs elecbill.tariff[], no integer, during tstzrange, kwh numeric) (
	SFUNC = elecbill._usage_accum, STYPE = internal, SSPACE = 1024,
	COMBINEFUNC = elecbill._usage_combine, SERIALFUNC = elecbill._usage_serialize,
	DESERIALFUNC = elecbill._usage_deserialize, FINALFUNC = elecbill._usage_final, PARALLEL = SAFE,
	MSFUNC = elecbill._usage_moving_accum, MINVFUNC = elecbill._usage_moving_accum_inv,
	MSTYPE = internal, MSSPACE = 1024, MFINALFUNC = elecbill._usage_moving_final);
COMMENT ON AGGREGATE elecbill.usage(elecbill.tariff[], integer, tstzrange, numeric) IS
'usage(tariff, during, kwh) with the tariff of that number. no: the row''s tariff in the array, from 1; one per group, or UB409 unless they differ in prices alone; UB404 when there is none of that number. A constant array is looked at once per tariff and not copied for each row, as a tariff that comes through a join is';

CREATE FUNCTION elecbill._usage_accum(internal, elecbill.tariff[], integer, tstzrange, numeric, text)
RETURNS internal
AS 'MODULE_PATHNAME', 'elecbill_usage_accum_range'
LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION elecbill._usage_accum(internal, elecbill.tariff[], integer, tstzrange, numeric, text) IS
'transition of usage(tariffs, no, during, kwh, channel)';
CREATE AGGREGATE elecbill.usage(tariffs elecbill.tariff[], no integer, during tstzrange, kwh numeric, channel text) (
	SFUNC = elecbill._usage_accum, STYPE = internal, SSPACE = 1024,
	COMBINEFUNC = elecbill._usage_combine, SERIALFUNC = elecbill._usage_serialize,
	DESERIALFUNC = elecbill._usage_deserialize, FINALFUNC = elecbill._usage_final, PARALLEL = SAFE,
	MSFUNC = elecbill._usage_moving_accum, MINVFUNC = elecbill._usage_moving_accum_inv,
	MSTYPE = internal, MSSPACE = 1024, MFINALFUNC = elecbill._usage_moving_final);
COMMENT ON AGGREGATE elecbill.usage(elecbill.tariff[], integer, tstzrange, numeric, text) IS
'usage(tariff, during, kwh, channel) with the tariff of that number; no as in usage(tariffs, no, during, kwh)';

CREATE FUNCTION elecbill._usage_accum(internal, elecbill.tariff[], integer, tstzrange, numeric, numeric)
RETURNS internal
AS 'MODULE_PATHNAME', 'elecbill_usage_accum_range'
LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION elecbill._usage_accum(internal, elecbill.tariff[], integer, tstzrange, numeric, numeric) IS
'transition of usage(tariffs, no, during, kwh, price)';
CREATE AGGREGATE elecbill.usage(tariffs elecbill.tariff[], no integer, during tstzrange, kwh numeric, price numeric) (
	SFUNC = elecbill._usage_accum, STYPE = internal, SSPACE = 1024,
	COMBINEFUNC = elecbill._usage_combine, SERIALFUNC = elecbill._usage_serialize,
	DESERIALFUNC = elecbill._usage_deserialize, FINALFUNC = elecbill._usage_final, PARALLEL = SAFE,
	MSFUNC = elecbill._usage_moving_accum, MINVFUNC = elecbill._usage_moving_accum_inv,
	MSTYPE = internal, MSSPACE = 1024, MFINALFUNC = elecbill._usage_moving_final);
COMMENT ON AGGREGATE elecbill.usage(elecbill.tariff[], integer, tstzrange, numeric, numeric) IS
'usage(tariff, during, kwh, price) with the tariff of that number; no as in usage(tariffs, no, during, kwh)';

CREATE FUNCTION elecbill._usage_accum(internal, elecbill.tariff[], integer, tstzrange, numeric, text, numeric)
RETURNS internal
AS 'MODULE_PATHNAME', 'elecbill_usage_accum_range'
LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION elecbill._usage_accum(internal, elecbill.tariff[], integer, tstzrange, numeric, text, numeric) IS
'transition of usage(tariffs, no, during, kwh, channel, price)';
CREATE AGGREGATE elecbill.usage(tariffs elecbill.tariff[], no integer, during tstzrange, kwh numeric, channel text, price numeric) (
	SFUNC = elecbill._usage_accum, STYPE = internal, SSPACE = 1024,
	COMBINEFUNC = elecbill._usage_combine, SERIALFUNC = elecbill._usage_serialize,
	DESERIALFUNC = elecbill._usage_deserialize, FINALFUNC = elecbill._usage_final, PARALLEL = SAFE,
	MSFUNC = elecbill._usage_moving_accum, MINVFUNC = elecbill._usage_moving_accum_inv,
	MSTYPE = internal, MSSPACE = 1024, MFINALFUNC = elecbill._usage_moving_final);
COMMENT ON AGGREGATE elecbill.usage(elecbill.tariff[], integer, tstzrange, numeric, text, numeric) IS
'usage(tariff, during, kwh, channel, price) with the tariff of that number; no as in usage(tariffs, no, during, kwh)';
