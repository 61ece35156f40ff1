-- 20_usage.sql: what was used, classified by a tariff, no money yet (src/pg/usage*.c)

CREATE TYPE elecbill.usage_summary;

CREATE FUNCTION elecbill._usage_summary_in(cstring) RETURNS elecbill.usage_summary
AS 'MODULE_PATHNAME', 'elecbill_usage_in'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION elecbill._usage_summary_in(cstring) IS
'input of usage_summary: exactly the JSON that output gives, UB400 for anything else';

CREATE FUNCTION elecbill._usage_summary_out(elecbill.usage_summary) RETURNS cstring
AS 'MODULE_PATHNAME', 'elecbill_usage_out'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION elecbill._usage_summary_out(elecbill.usage_summary) IS
'output of usage_summary: JSON';

CREATE FUNCTION elecbill._usage_summary_recv(internal) RETURNS elecbill.usage_summary
AS 'MODULE_PATHNAME', 'elecbill_usage_recv'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION elecbill._usage_summary_recv(internal) IS
'binary input of usage_summary: a version byte, then the JSON text';

CREATE FUNCTION elecbill._usage_summary_send(elecbill.usage_summary) RETURNS bytea
AS 'MODULE_PATHNAME', 'elecbill_usage_send'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION elecbill._usage_summary_send(elecbill.usage_summary) IS
'binary output of usage_summary: a version byte, then the JSON text';

CREATE TYPE elecbill.usage_summary (
	INPUT = elecbill._usage_summary_in, OUTPUT = elecbill._usage_summary_out,
	RECEIVE = elecbill._usage_summary_recv, SEND = elecbill._usage_summary_send,
	INTERNALLENGTH = VARIABLE, ALIGNMENT = double, STORAGE = extended);
COMMENT ON TYPE elecbill.usage_summary IS
'energy by part and period as a tariff divides it, and what is missing; keys fingerprint, during (UTC), days, months (only when given), import_kwh (number, {period: kWh} or {schedule: {period: kWh}}), total_kwh, parts (from = first local day of a run of days that no month, season, tier scope or price date cuts), missing_s, held, quality (actual, estimated, missing)';

CREATE FUNCTION elecbill._usage_jsonb(elecbill.usage_summary) RETURNS jsonb
AS 'MODULE_PATHNAME', 'elecbill_usage_to_jsonb'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION elecbill._usage_jsonb(elecbill.usage_summary) IS
'cast of usage_summary to jsonb';

CREATE FUNCTION elecbill._usage_summary(jsonb) RETURNS elecbill.usage_summary
AS 'MODULE_PATHNAME', 'elecbill_usage_from_jsonb'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION elecbill._usage_summary(jsonb) IS
'cast of jsonb to usage_summary: what the other cast gave, UB400 for anything else';

CREATE CAST (elecbill.usage_summary AS jsonb) WITH FUNCTION elecbill._usage_jsonb(elecbill.usage_summary);
COMMENT ON CAST (elecbill.usage_summary AS jsonb) IS 'the text form as jsonb';
CREATE CAST (jsonb AS elecbill.usage_summary) WITH FUNCTION elecbill._usage_summary(jsonb);
COMMENT ON CAST (jsonb AS elecbill.usage_summary) IS 'reads a summary back, from a bill for example';

CREATE FUNCTION elecbill._usage_accum(internal, elecbill.tariff, timestamptz, bigint, interval)
RETURNS internal
AS 'MODULE_PATHNAME', 'elecbill_usage_accum'
LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION elecbill._usage_accum(internal, elecbill.tariff, timestamptz, bigint, interval) IS
'transition of usage(tariff, at, energy_wh, step)';

CREATE FUNCTION elecbill._usage_accum(internal, elecbill.tariff, tstzrange, numeric)
RETURNS internal
AS 'MODULE_PATHNAME', 'elecbill_usage_accum_range'
LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION elecbill._usage_accum(internal, elecbill.tariff, tstzrange, numeric) IS
'transition of usage(tariff, during, kwh)';

CREATE FUNCTION elecbill._usage_combine(internal, internal) RETURNS internal
AS 'MODULE_PATHNAME', 'elecbill_usage_combine'
LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION elecbill._usage_combine(internal, internal) IS
'adds the states of two workers; UB409 when their tariffs classify differently';

CREATE FUNCTION elecbill._usage_serialize(internal) RETURNS bytea
AS 'MODULE_PATHNAME', 'elecbill_usage_serialize'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION elecbill._usage_serialize(internal) IS 'state of a worker as bytes';

CREATE FUNCTION elecbill._usage_deserialize(bytea, internal) RETURNS internal
AS 'MODULE_PATHNAME', 'elecbill_usage_deserialize'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION elecbill._usage_deserialize(bytea, internal) IS 'bytes of a worker as state';

CREATE FUNCTION elecbill._usage_final(internal) RETURNS elecbill.usage_summary
AS 'MODULE_PATHNAME', 'elecbill_usage_final'
LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION elecbill._usage_final(internal) IS
'state as summary; NULL when no row was added';

CREATE AGGREGATE elecbill.usage(tariff elecbill.tariff, at timestamptz, energy_wh bigint, step interval) (
	SFUNC = elecbill._usage_accum, STYPE = internal, SSPACE = 1024,
	COMBINEFUNC = elecbill._usage_combine, SERIALFUNC = elecbill._usage_serialize,
	DESERIALFUNC = elecbill._usage_deserialize, FINALFUNC = elecbill._usage_final, PARALLEL = SAFE);
COMMENT ON AGGREGATE elecbill.usage(elecbill.tariff, timestamptz, bigint, interval) IS
'usage of intervals [at, at + step) in Wh, as the tariff divides time; each is spread evenly and cut at every boundary, parts add up exactly. step: positive, at most 32 days; days end at the same wall clock of the tariff''s zone. missing_s counts the seconds of during that no interval covers, if none overlap. Rows with a NULL are skipped; no row gives NULL. The order of rows does not matter. UB400 negative energy or bad step, UB409 tariffs that classify differently in one group, UB422 overflow. A tariff that is a constant or a parameter is looked at once per group, a column once per row';

CREATE AGGREGATE elecbill.usage(tariff elecbill.tariff, during tstzrange, kwh numeric) (
	SFUNC = elecbill._usage_accum, STYPE = internal, SSPACE = 1024,
	COMBINEFUNC = elecbill._usage_combine, SERIALFUNC = elecbill._usage_serialize,
	DESERIALFUNC = elecbill._usage_deserialize, FINALFUNC = elecbill._usage_final, PARALLEL = SAFE);
COMMENT ON AGGREGATE elecbill.usage(elecbill.tariff, tstzrange, numeric) IS
'usage of intervals in kWh (at most 6 decimals), as the tariff divides time; else as usage(tariff, at, energy_wh, step). UB400 also for an empty or unbounded range';

CREATE FUNCTION elecbill.usage_merge(a elecbill.usage_summary, b elecbill.usage_summary)
RETURNS elecbill.usage_summary
AS 'MODULE_PATHNAME', 'elecbill_usage_merge'
LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION elecbill.usage_merge(elecbill.usage_summary, elecbill.usage_summary) IS
'two summaries as one, for an exchanged meter or several meters: kWh, missing_s and held add, during spans both, given days and months are the larger ones; associative, commutative, NULL is neutral. Time between the two ranges is not counted as missing. UB409 when their tariffs classify differently';

CREATE FUNCTION elecbill.usage_from(tariff elecbill.tariff, quantities jsonb)
RETURNS elecbill.usage_summary
AS 'MODULE_PATHNAME', 'elecbill_usage_from'
LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION elecbill.usage_from(elecbill.tariff, jsonb) IS
'usage from quantities measured elsewhere. Keys: import_kwh (number, {period: kWh} or {schedule: {period: kWh}}; at most 6 decimals), during ([from, to]: local days, local times or instants, or the text of a tstzrange), days, months, quality (actual, estimated, missing), parts ([{from: local day, import_kwh}] in the place of import_kwh). kWh of a range that a month, season, tier scope or price date cuts are shared by days, and called estimated unless the tariff has neither seasons nor dates nor tiers beyond the bill. UB404 when kWh of a period or schedule are lacking, UB400 for unknown keys and bad values';
