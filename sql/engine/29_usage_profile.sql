-- 29_usage_profile.sql: usage(), register_usage(), compare() and max_demand() of load profiles
-- (src/pg/usage_agg.c, register_usage.c, compare.c, demand.c). The aggregates of rows stand in 20 to 28.

CREATE FUNCTION elecbill._usage_accum(internal, elecbill.tariff, elecbill.load_profile)
RETURNS internal
AS 'MODULE_PATHNAME', 'elecbill_usage_accum_profile'
LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION elecbill._usage_accum(internal, elecbill.tariff, elecbill.load_profile) IS
'transition of usage(tariff, profile)';
CREATE AGGREGATE elecbill.usage(tariff elecbill.tariff, profile elecbill.load_profile) (
	SFUNC = elecbill._usage_accum, STYPE = internal, SSPACE = 1024,
	COMBINEFUNC = elecbill._usage_combine, SERIALFUNC = elecbill._usage_serialize,
	DESERIALFUNC = elecbill._usage_deserialize, FINALFUNC = elecbill._usage_final, PARALLEL = SAFE);
COMMENT ON AGGREGATE elecbill.usage(elecbill.tariff, elecbill.load_profile) IS
'usage of load profiles: to the last digit what usage(tariff, at, energy_wh, step, channel) gives for a row of each value, the direction of a profile being the channel; a missing value is no row. A value with quality 1024 (span) is spread over the missing intervals right before it, too, as register_usage() spreads a difference. Several profiles of a group may be of several directions, steps and lengths. Rows with a NULL are skipped; NULL when there is no value. UB400 for a negative energy; else as usage(tariff, at, energy_wh, step)';

CREATE FUNCTION elecbill._usage_accum(internal, elecbill.tariff[], integer, elecbill.load_profile)
RETURNS internal
AS 'MODULE_PATHNAME', 'elecbill_usage_accum_profile'
LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION elecbill._usage_accum(internal, elecbill.tariff[], integer, elecbill.load_profile) IS
'transition of usage(tariffs, no, profile)';
CREATE AGGREGATE elecbill.usage(tariffs elecbill.tariff[], no integer, profile elecbill.load_profile) (
	SFUNC = elecbill._usage_accum, STYPE = internal, SSPACE = 1024,
	COMBINEFUNC = elecbill._usage_combine, SERIALFUNC = elecbill._usage_serialize,
	DESERIALFUNC = elecbill._usage_deserialize, FINALFUNC = elecbill._usage_final, PARALLEL = SAFE);
COMMENT ON AGGREGATE elecbill.usage(elecbill.tariff[], integer, elecbill.load_profile) IS
'usage(tariff, profile) with the tariff of that number; no as in usage(tariffs, no, at, energy_wh, step)';

CREATE FUNCTION elecbill._compare_accum(internal, elecbill.tariff[], elecbill.load_profile)
RETURNS internal
AS 'MODULE_PATHNAME', 'elecbill_compare_accum_profile'
LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION elecbill._compare_accum(internal, elecbill.tariff[], elecbill.load_profile) IS
'transition of compare(tariffs, profile)';
CREATE AGGREGATE elecbill.compare(tariffs elecbill.tariff[], profile elecbill.load_profile) (
	SFUNC = elecbill._compare_accum, STYPE = internal, SSPACE = 4096,
	COMBINEFUNC = elecbill._compare_combine, SERIALFUNC = elecbill._compare_serialize,
	DESERIALFUNC = elecbill._compare_deserialize, FINALFUNC = elecbill._compare_final, PARALLEL = SAFE);
COMMENT ON AGGREGATE elecbill.compare(elecbill.tariff[], elecbill.load_profile) IS
'as compare(tariffs, during, kwh) for load profiles: see usage(tariff, profile)';

CREATE FUNCTION elecbill._compare_accum(internal, elecbill.tariff[], elecbill.load_profile, jsonb)
RETURNS internal
AS 'MODULE_PATHNAME', 'elecbill_compare_accum_profile'
LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION elecbill._compare_accum(internal, elecbill.tariff[], elecbill.load_profile, jsonb) IS
'transition of compare(tariffs, profile, ctx)';
CREATE AGGREGATE elecbill.compare(tariffs elecbill.tariff[], profile elecbill.load_profile, ctx jsonb) (
	SFUNC = elecbill._compare_accum, STYPE = internal, SSPACE = 4096,
	COMBINEFUNC = elecbill._compare_combine, SERIALFUNC = elecbill._compare_serialize,
	DESERIALFUNC = elecbill._compare_deserialize, FINALFUNC = elecbill._compare_final, PARALLEL = SAFE);
COMMENT ON AGGREGATE elecbill.compare(elecbill.tariff[], elecbill.load_profile, jsonb) IS
'as compare(tariffs, profile) with the ctx of rate(), the same for all rows of a group, or UB409; NULL: none';

CREATE FUNCTION elecbill._register_usage_accum(internal, elecbill.tariff, timestamptz, bigint, bigint, integer, elecbill.load_profile)
RETURNS internal
AS 'MODULE_PATHNAME', 'elecbill_register_usage_accum_profile'
LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION elecbill._register_usage_accum(internal, elecbill.tariff, timestamptz, bigint, bigint, integer, elecbill.load_profile) IS
'transition of register_usage(tariff, boundary, register_wh, wrap_wh, quality, profile)';
CREATE AGGREGATE elecbill.register_usage(tariff elecbill.tariff, boundary timestamptz,
	register_wh bigint, wrap_wh bigint, quality integer, profile elecbill.load_profile) (
	SFUNC = elecbill._register_usage_accum, STYPE = internal, SSPACE = 2048,
	COMBINEFUNC = elecbill._register_usage_combine,
	SERIALFUNC = elecbill._register_usage_serialize,
	DESERIALFUNC = elecbill._register_usage_deserialize,
	FINALFUNC = elecbill._register_usage_final, PARALLEL = SAFE);
COMMENT ON AGGREGATE elecbill.register_usage(elecbill.tariff, timestamptz, bigint, bigint, integer, elecbill.load_profile) IS
'usage of a register of which some days are packed: a row is a value, or the load profile of what lies between two values, and then its other columns are not looked at. The result is that of all the values, to the last digit: what was used, missing_s, quality, windows of demands over the seams. during includes all of a profile. So that no difference runs over a profile, the value at its end must have flag 512 (restart). Else as register_usage(tariff, boundary, register_wh, wrap_wh, quality)';

CREATE FUNCTION elecbill._register_usage_accum(internal, elecbill.tariff, timestamptz, bigint, bigint, integer, text, elecbill.load_profile)
RETURNS internal
AS 'MODULE_PATHNAME', 'elecbill_register_usage_accum_profile'
LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION elecbill._register_usage_accum(internal, elecbill.tariff, timestamptz, bigint, bigint, integer, text, elecbill.load_profile) IS
'transition of register_usage(tariff, boundary, register_wh, wrap_wh, quality, channel, profile)';
CREATE AGGREGATE elecbill.register_usage(tariff elecbill.tariff, boundary timestamptz,
	register_wh bigint, wrap_wh bigint, quality integer, channel text, profile elecbill.load_profile) (
	SFUNC = elecbill._register_usage_accum, STYPE = internal, SSPACE = 2048,
	COMBINEFUNC = elecbill._register_usage_combine,
	SERIALFUNC = elecbill._register_usage_serialize,
	DESERIALFUNC = elecbill._register_usage_deserialize,
	FINALFUNC = elecbill._register_usage_final, PARALLEL = SAFE);
COMMENT ON AGGREGATE elecbill.register_usage(elecbill.tariff, timestamptz, bigint, bigint, integer, text, elecbill.load_profile) IS
'register_usage(tariff, boundary, register_wh, wrap_wh, quality, profile) for several channels, one register for each: channel is that of a value, the direction of a profile is its own';

CREATE FUNCTION elecbill._demand_accum(internal, elecbill.load_profile, interval) RETURNS internal
AS 'MODULE_PATHNAME', 'elecbill_demand_accum_profile'
LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION elecbill._demand_accum(internal, elecbill.load_profile, interval) IS
'transition of max_demand(profile, win)';
CREATE AGGREGATE elecbill.max_demand(profile elecbill.load_profile, win interval) (
	SFUNC = elecbill._demand_accum, STYPE = internal, SSPACE = 4096,
	COMBINEFUNC = elecbill._demand_combine, SERIALFUNC = elecbill._demand_serialize,
	DESERIALFUNC = elecbill._demand_deserialize, FINALFUNC = elecbill._demand_max, PARALLEL = SAFE);
COMMENT ON AGGREGATE elecbill.max_demand(elecbill.load_profile, interval) IS
'highest power of a window of the values of load profiles, in kW or kvar; the earliest of equal ones. Else as max_demand(at, kwh, step, win) for a row of each value; a missing value is no row, one with quality 1024 (span) is spread over the missing intervals right before it, too, and when those are longer than an hour and than the window it counts for none. UB409 also for profiles of several directions in one group';

CREATE FUNCTION elecbill._demand_accum(internal, elecbill.load_profile, interval, interval) RETURNS internal
AS 'MODULE_PATHNAME', 'elecbill_demand_accum_profile'
LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION elecbill._demand_accum(internal, elecbill.load_profile, interval, interval) IS
'transition of max_demand(profile, win, slide)';
CREATE AGGREGATE elecbill.max_demand(profile elecbill.load_profile, win interval, slide interval) (
	SFUNC = elecbill._demand_accum, STYPE = internal, SSPACE = 4096,
	COMBINEFUNC = elecbill._demand_combine, SERIALFUNC = elecbill._demand_serialize,
	DESERIALFUNC = elecbill._demand_deserialize, FINALFUNC = elecbill._demand_max, PARALLEL = SAFE);
COMMENT ON AGGREGATE elecbill.max_demand(elecbill.load_profile, interval, interval) IS
'as max_demand(profile, win) with windows that start every slide, counted from midnight UTC; else as max_demand(at, kwh, step, win, slide)';

CREATE FUNCTION elecbill._demand_accum(internal, elecbill.load_profile, interval, interval, text) RETURNS internal
AS 'MODULE_PATHNAME', 'elecbill_demand_accum_profile'
LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION elecbill._demand_accum(internal, elecbill.load_profile, interval, interval, text) IS
'transition of max_demand(profile, win, slide, zone)';
CREATE AGGREGATE elecbill.max_demand(profile elecbill.load_profile, win interval, slide interval, zone text) (
	SFUNC = elecbill._demand_accum, STYPE = internal, SSPACE = 4096,
	COMBINEFUNC = elecbill._demand_combine, SERIALFUNC = elecbill._demand_serialize,
	DESERIALFUNC = elecbill._demand_deserialize, FINALFUNC = elecbill._demand_max, PARALLEL = SAFE);
COMMENT ON AGGREGATE elecbill.max_demand(elecbill.load_profile, interval, interval, text) IS
'as max_demand(profile, win, slide) with windows counted from midnight of a time zone; else as max_demand(at, kwh, step, win, slide, zone)';
