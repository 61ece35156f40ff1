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
'binary input of usage_summary: a version byte (2, or 1 by elecbill 0.1.0), then the JSON text';

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
'what was used as a tariff divides it, and what is missing; keys fingerprint, during (UTC), import_kwh (number, {period: kWh} or {schedule: {period: kWh}}), total_kwh, parts (from = first local day of a run of days that no month, season, tier scope or price date cuts), missing_s, held, quality (actual, estimated, missing). Only where the tariff needs it or it was given: days, months, export_kwh, import_kvarh, export_kvarh (as import_kwh), import_cost and the like ({series: money}, kWh x price summed), channels (measured, unless import_kwh alone), undivided (given as one number, it stands in the first period), peaks ({demand: [{part, kw, at}]}, keep: how many of a part when not one, 0: all), max_kw (the highest of each), pieces ([at, kWh] in order of time, behind them where the interval began), power_factor, qty, items, versions ([{version, valid, usage}] of a tariff that changes)';

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

-- For window frames that move. "any": each serves all forms of usage() with as many arguments, which
-- it tells apart by their types.

CREATE FUNCTION elecbill._usage_moving_accum(internal, "any", "any", "any") RETURNS internal
AS 'MODULE_PATHNAME', 'elecbill_usage_moving_accum'
LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION elecbill._usage_moving_accum(internal, "any", "any", "any") IS
'transition of usage() of 3 arguments over frames that move: a row enters';
CREATE FUNCTION elecbill._usage_moving_accum_inv(internal, "any", "any", "any") RETURNS internal
AS 'MODULE_PATHNAME', 'elecbill_usage_moving_accum_inv'
LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION elecbill._usage_moving_accum_inv(internal, "any", "any", "any") IS
'inverse transition of usage() of 3 arguments: the oldest row leaves, to the last digit. NULL, and the frame is summed anew, for a tariff with demands or tiers in order of time';

CREATE FUNCTION elecbill._usage_moving_accum(internal, "any", "any", "any", "any") RETURNS internal
AS 'MODULE_PATHNAME', 'elecbill_usage_moving_accum'
LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION elecbill._usage_moving_accum(internal, "any", "any", "any", "any") IS
'transition of usage() of 4 arguments over frames that move: a row enters';
CREATE FUNCTION elecbill._usage_moving_accum_inv(internal, "any", "any", "any", "any") RETURNS internal
AS 'MODULE_PATHNAME', 'elecbill_usage_moving_accum_inv'
LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION elecbill._usage_moving_accum_inv(internal, "any", "any", "any", "any") IS
'inverse transition of usage() of 4 arguments: the oldest row leaves, to the last digit. NULL, and the frame is summed anew, for a tariff with demands or tiers in order of time';

CREATE FUNCTION elecbill._usage_moving_accum(internal, "any", "any", "any", "any", "any") RETURNS internal
AS 'MODULE_PATHNAME', 'elecbill_usage_moving_accum'
LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION elecbill._usage_moving_accum(internal, "any", "any", "any", "any", "any") IS
'transition of usage() of 5 arguments over frames that move: a row enters';
CREATE FUNCTION elecbill._usage_moving_accum_inv(internal, "any", "any", "any", "any", "any") RETURNS internal
AS 'MODULE_PATHNAME', 'elecbill_usage_moving_accum_inv'
LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION elecbill._usage_moving_accum_inv(internal, "any", "any", "any", "any", "any") IS
'inverse transition of usage() of 5 arguments: the oldest row leaves, to the last digit. NULL, and the frame is summed anew, for a tariff with demands or tiers in order of time';

CREATE FUNCTION elecbill._usage_moving_accum(internal, "any", "any", "any", "any", "any", "any") RETURNS internal
AS 'MODULE_PATHNAME', 'elecbill_usage_moving_accum'
LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION elecbill._usage_moving_accum(internal, "any", "any", "any", "any", "any", "any") IS
'transition of usage() of 6 arguments over frames that move: a row enters';
CREATE FUNCTION elecbill._usage_moving_accum_inv(internal, "any", "any", "any", "any", "any", "any") RETURNS internal
AS 'MODULE_PATHNAME', 'elecbill_usage_moving_accum_inv'
LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION elecbill._usage_moving_accum_inv(internal, "any", "any", "any", "any", "any", "any") IS
'inverse transition of usage() of 6 arguments: the oldest row leaves, to the last digit. NULL, and the frame is summed anew, for a tariff with demands or tiers in order of time';

CREATE FUNCTION elecbill._usage_moving_accum(internal, "any", "any", "any", "any", "any", "any", "any") RETURNS internal
AS 'MODULE_PATHNAME', 'elecbill_usage_moving_accum'
LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION elecbill._usage_moving_accum(internal, "any", "any", "any", "any", "any", "any", "any") IS
'transition of usage() of 7 arguments over frames that move: a row enters';
CREATE FUNCTION elecbill._usage_moving_accum_inv(internal, "any", "any", "any", "any", "any", "any", "any") RETURNS internal
AS 'MODULE_PATHNAME', 'elecbill_usage_moving_accum_inv'
LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION elecbill._usage_moving_accum_inv(internal, "any", "any", "any", "any", "any", "any", "any") IS
'inverse transition of usage() of 7 arguments: the oldest row leaves, to the last digit. NULL, and the frame is summed anew, for a tariff with demands or tiers in order of time';

CREATE FUNCTION elecbill._usage_moving_final(internal) RETURNS elecbill.usage_summary
AS 'MODULE_PATHNAME', 'elecbill_usage_moving_final'
LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION elecbill._usage_moving_final(internal) IS
'state of a frame as summary; NULL when there is no row in it';

CREATE AGGREGATE elecbill.usage(tariff elecbill.tariff, at timestamptz, energy_wh bigint, step interval) (
	SFUNC = elecbill._usage_accum, STYPE = internal, SSPACE = 1024,
	COMBINEFUNC = elecbill._usage_combine, SERIALFUNC = elecbill._usage_serialize,
	DESERIALFUNC = elecbill._usage_deserialize, FINALFUNC = elecbill._usage_final, PARALLEL = SAFE,
	MSFUNC = elecbill._usage_moving_accum, MINVFUNC = elecbill._usage_moving_accum_inv,
	MSTYPE = internal, MSSPACE = 1024, MFINALFUNC = elecbill._usage_moving_final);
COMMENT ON AGGREGATE elecbill.usage(elecbill.tariff, timestamptz, bigint, interval) IS
'usage of intervals [at, at + step) in Wh, as the tariff divides time; each is spread evenly and cut at every boundary, parts add up exactly. step: positive, at most 32 days; days end at the same wall clock of the tariff''s zone. missing_s counts the seconds of during that no interval covers, if none overlap. Energies of the same time add, in windows of demands, too; their gaps are found where none overlap. Rows with a NULL are skipped; no row gives NULL. The order of rows does not matter. Over a window frame that moves, rows that leave it are subtracted, which is exact; with demands or tiers in order of time each frame is summed anew. UB400 negative energy or bad step, UB404 where the tariff has no price or no version, UB409 tariffs that classify differently in one group, UB422 overflow. A tariff that is a constant or a parameter is looked at once per group, a column once per row';

CREATE AGGREGATE elecbill.usage(tariff elecbill.tariff, during tstzrange, kwh numeric) (
	SFUNC = elecbill._usage_accum, STYPE = internal, SSPACE = 1024,
	COMBINEFUNC = elecbill._usage_combine, SERIALFUNC = elecbill._usage_serialize,
	DESERIALFUNC = elecbill._usage_deserialize, FINALFUNC = elecbill._usage_final, PARALLEL = SAFE,
	MSFUNC = elecbill._usage_moving_accum, MINVFUNC = elecbill._usage_moving_accum_inv,
	MSTYPE = internal, MSSPACE = 1024, MFINALFUNC = elecbill._usage_moving_final);
COMMENT ON AGGREGATE elecbill.usage(elecbill.tariff, tstzrange, numeric) IS
'usage of intervals in kWh (at most 6 decimals), as the tariff divides time; else as usage(tariff, at, energy_wh, step). UB400 also for an empty or unbounded range';

CREATE FUNCTION elecbill.usage_merge(a elecbill.usage_summary, b elecbill.usage_summary)
RETURNS elecbill.usage_summary
AS 'MODULE_PATHNAME', 'elecbill_usage_merge'
LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION elecbill.usage_merge(elecbill.usage_summary, elecbill.usage_summary) IS
'two summaries as one, for an exchanged meter or several meters: energies, costs, qty, missing_s and held add, during spans both, given days and months are the larger ones, items and pieces stand together. Peaks do not add, the highest stay: windows of two meters are not of one time. Associative, commutative; NULL and a summary of nothing are neutral. Time between the two ranges is not counted as missing. UB409 when their tariffs classify differently, or power factors differ';

CREATE FUNCTION elecbill.usage_from(tariff elecbill.tariff, quantities jsonb)
RETURNS elecbill.usage_summary
AS 'MODULE_PATHNAME', 'elecbill_usage_from'
LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION elecbill.usage_from(elecbill.tariff, jsonb) IS
'usage from quantities measured elsewhere. Keys: import_kwh, export_kwh, import_kvarh, export_kvarh (number, {period: number} or {schedule: {period: number}}; at most 6 decimals), import_cost and the like ({series: the same in money}: kWh x price of a series that changes inside of days), max_kw ({demand: kW}, as the tariff measures it), power_factor (0 to 1), qty ({name: number}), items ([number]), during ([from, to]: local days, local times or instants, or the text of a tstzrange), days, months, quality (actual, estimated, missing), parts ([{from: local day, and what belongs to its run of days}] in the place of energy, costs and max_kw). What belongs to a range that a month, season, tier scope, price date or version cuts is shared by days, and called estimated where it can change an amount. What the tariff does not need is left out; what it needs and is not there rate() names. UB404 when a schedule, the cost of a series or the days of a tariff that changes are lacking, UB400 for unknown keys and bad values, UB422 overflow';
