-- 26_demand.sql: the power of windows, without a tariff (src/pg/demand.c)

CREATE TYPE elecbill.demand_peak AS (kw numeric, at timestamptz);
COMMENT ON TYPE elecbill.demand_peak IS 'the highest window of a load: answer of max_demand()';
COMMENT ON COLUMN elecbill.demand_peak.kw IS 'its mean power, kWh x 60 / minutes, half-up at 1e-6';
COMMENT ON COLUMN elecbill.demand_peak.at IS 'where the window starts';

CREATE FUNCTION elecbill._demand_combine(internal, internal) RETURNS internal
AS 'MODULE_PATHNAME', 'elecbill_demand_combine'
LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION elecbill._demand_combine(internal, internal) IS
'adds the windows of two workers; UB409 when their arguments differ';

CREATE FUNCTION elecbill._demand_serialize(internal) RETURNS bytea
AS 'MODULE_PATHNAME', 'elecbill_demand_serialize'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION elecbill._demand_serialize(internal) IS 'state of a worker as bytes';

CREATE FUNCTION elecbill._demand_deserialize(bytea, internal) RETURNS internal
AS 'MODULE_PATHNAME', 'elecbill_demand_deserialize'
LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION elecbill._demand_deserialize(bytea, internal) IS 'bytes of a worker as state';

CREATE FUNCTION elecbill._demand_max(internal) RETURNS elecbill.demand_peak
AS 'MODULE_PATHNAME', 'elecbill_demand_max'
LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION elecbill._demand_max(internal) IS
'the highest window; NULL when there is none without a gap';

CREATE FUNCTION elecbill._demand_top(internal) RETURNS numeric[]
AS 'MODULE_PATHNAME', 'elecbill_demand_top'
LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION elecbill._demand_top(internal) IS
'the highest windows; NULL when no row was added';

CREATE FUNCTION elecbill._demand_accum(internal, timestamptz, numeric, interval, interval) RETURNS internal
AS 'MODULE_PATHNAME', 'elecbill_demand_accum'
LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION elecbill._demand_accum(internal, timestamptz, numeric, interval, interval) IS
'transition of max_demand(at, kwh, step, win)';
CREATE AGGREGATE elecbill.max_demand(at timestamptz, kwh numeric, step interval, win interval) (
	SFUNC = elecbill._demand_accum, STYPE = internal, SSPACE = 4096,
	COMBINEFUNC = elecbill._demand_combine, SERIALFUNC = elecbill._demand_serialize,
	DESERIALFUNC = elecbill._demand_deserialize, FINALFUNC = elecbill._demand_max, PARALLEL = SAFE);
COMMENT ON AGGREGATE elecbill.max_demand(timestamptz, numeric, interval, interval) IS
'highest power of a window of intervals [at, at + step), each spread evenly over its time; the earliest of equal ones. win: whole minutes that divide a day; windows are blocks that start at multiples of win from midnight UTC. kW = kWh x 60 / minutes, half-up at 1e-6. A window with a gap does not count; energies of the same time add. Rows with a NULL in at, kwh or step are skipped; NULL when no window is whole. The order of rows does not matter. UB400 negative kwh, bad step, win or slide, UB409 when win, slide or zone differ in one group, UB422 overflow';

CREATE FUNCTION elecbill._demand_accum(internal, timestamptz, numeric, interval, interval, interval) RETURNS internal
AS 'MODULE_PATHNAME', 'elecbill_demand_accum'
LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION elecbill._demand_accum(internal, timestamptz, numeric, interval, interval, interval) IS
'transition of max_demand(at, kwh, step, win, slide)';
CREATE AGGREGATE elecbill.max_demand(at timestamptz, kwh numeric, step interval, win interval, slide interval) (
	SFUNC = elecbill._demand_accum, STYPE = internal, SSPACE = 4096,
	COMBINEFUNC = elecbill._demand_combine, SERIALFUNC = elecbill._demand_serialize,
	DESERIALFUNC = elecbill._demand_deserialize, FINALFUNC = elecbill._demand_max, PARALLEL = SAFE);
COMMENT ON AGGREGATE elecbill.max_demand(timestamptz, numeric, interval, interval, interval) IS
'as max_demand(at, kwh, step, win) with windows that start every slide, counted from midnight UTC; they may end on the next day. slide: whole minutes that divide win';

CREATE FUNCTION elecbill._demand_accum(internal, timestamptz, numeric, interval, interval, interval, text) RETURNS internal
AS 'MODULE_PATHNAME', 'elecbill_demand_accum'
LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION elecbill._demand_accum(internal, timestamptz, numeric, interval, interval, interval, text) IS
'transition of max_demand(at, kwh, step, win, slide, zone)';
CREATE AGGREGATE elecbill.max_demand(at timestamptz, kwh numeric, step interval, win interval, slide interval, zone text) (
	SFUNC = elecbill._demand_accum, STYPE = internal, SSPACE = 4096,
	COMBINEFUNC = elecbill._demand_combine, SERIALFUNC = elecbill._demand_serialize,
	DESERIALFUNC = elecbill._demand_deserialize, FINALFUNC = elecbill._demand_max, PARALLEL = SAFE);
COMMENT ON AGGREGATE elecbill.max_demand(timestamptz, numeric, interval, interval, interval, text) IS
'as max_demand(at, kwh, step, win, slide) with windows counted from midnight of a time zone, in elapsed time: a block that the end of a day of 23 or 25 hours cuts off does not count. slide = win for blocks. UB404 unknown zone';

CREATE FUNCTION elecbill._demand_accum(internal, timestamptz, numeric, interval, interval, integer, text) RETURNS internal
AS 'MODULE_PATHNAME', 'elecbill_demand_accum'
LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION elecbill._demand_accum(internal, timestamptz, numeric, interval, interval, integer, text) IS
'transition of top_demands(at, kwh, step, win, n, distinct_by)';
CREATE AGGREGATE elecbill.top_demands(at timestamptz, kwh numeric, step interval, win interval, n integer, distinct_by text) (
	SFUNC = elecbill._demand_accum, STYPE = internal, SSPACE = 4096,
	COMBINEFUNC = elecbill._demand_combine, SERIALFUNC = elecbill._demand_serialize,
	DESERIALFUNC = elecbill._demand_deserialize, FINALFUNC = elecbill._demand_top, PARALLEL = SAFE);
COMMENT ON AGGREGATE elecbill.top_demands(timestamptz, numeric, interval, interval, integer, text) IS
'powers of the n highest windows, falling; of windows of the same window, day, week (from Monday) or month, as distinct_by says, only the highest. Fewer when there are not so many. n: 1 to 10000. Days are those of UTC. Else as max_demand(at, kwh, step, win)';

CREATE FUNCTION elecbill._demand_accum(internal, timestamptz, numeric, interval, interval, interval, integer, text) RETURNS internal
AS 'MODULE_PATHNAME', 'elecbill_demand_accum'
LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION elecbill._demand_accum(internal, timestamptz, numeric, interval, interval, interval, integer, text) IS
'transition of top_demands(at, kwh, step, win, slide, n, distinct_by)';
CREATE AGGREGATE elecbill.top_demands(at timestamptz, kwh numeric, step interval, win interval, slide interval, n integer, distinct_by text) (
	SFUNC = elecbill._demand_accum, STYPE = internal, SSPACE = 4096,
	COMBINEFUNC = elecbill._demand_combine, SERIALFUNC = elecbill._demand_serialize,
	DESERIALFUNC = elecbill._demand_deserialize, FINALFUNC = elecbill._demand_top, PARALLEL = SAFE);
COMMENT ON AGGREGATE elecbill.top_demands(timestamptz, numeric, interval, interval, interval, integer, text) IS
'as top_demands(at, kwh, step, win, n, distinct_by) with windows that start every slide';

CREATE FUNCTION elecbill._demand_accum(internal, timestamptz, numeric, interval, interval, interval, integer, text, text) RETURNS internal
AS 'MODULE_PATHNAME', 'elecbill_demand_accum'
LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION elecbill._demand_accum(internal, timestamptz, numeric, interval, interval, interval, integer, text, text) IS
'transition of top_demands(at, kwh, step, win, slide, n, distinct_by, zone)';
CREATE AGGREGATE elecbill.top_demands(at timestamptz, kwh numeric, step interval, win interval, slide interval, n integer, distinct_by text, zone text) (
	SFUNC = elecbill._demand_accum, STYPE = internal, SSPACE = 4096,
	COMBINEFUNC = elecbill._demand_combine, SERIALFUNC = elecbill._demand_serialize,
	DESERIALFUNC = elecbill._demand_deserialize, FINALFUNC = elecbill._demand_top, PARALLEL = SAFE);
COMMENT ON AGGREGATE elecbill.top_demands(timestamptz, numeric, interval, interval, interval, integer, text, text) IS
'as top_demands(at, kwh, step, win, slide, n, distinct_by) with windows, days, weeks and months of a time zone; else as max_demand(at, kwh, step, win, slide, zone)';
