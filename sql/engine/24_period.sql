-- 24_period.sql: periods of instants and intervals, the start of a day (src/pg/period.c), prices over time (src/pg/price_curve.c)

CREATE FUNCTION elecbill.tariff_period(tariff elecbill.tariff, at timestamptz, schedule text = NULL)
RETURNS text
AS 'MODULE_PATHNAME', 'elecbill_tariff_period'
LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION elecbill.tariff_period(elecbill.tariff, timestamptz, text) IS
'period of an instant, by the wall clock of the tariff''s zone; NULL when the tariff has no schedule. schedule may be left out when there is one only (UB400 otherwise, UB404 when the name is not known). Instants 1900 to 2200, else UB400; UB404 where a tariff that changes has no version';

CREATE FUNCTION elecbill.split_interval(tariff elecbill.tariff, during tstzrange, kwh numeric,
	schedule text = NULL, OUT during tstzrange, OUT period text, OUT kwh numeric)
RETURNS SETOF record
AS 'MODULE_PATHNAME', 'elecbill_split_interval'
LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION elecbill.split_interval(elecbill.tariff, tstzrange, numeric, text) IS
'an interval cut where the period changes, or version, month, season, tier scope or price date; kwh (at most 6 decimals, not negative) is spread evenly in time and the pieces add up exactly. schedule as in tariff_period(). No row when an argument but schedule is NULL';

CREATE FUNCTION elecbill.tariff_prices(tariff elecbill.tariff, during tstzrange,
	schedule text = NULL, attrs jsonb = '{}', OUT during tstzrange, OUT period text, OUT price numeric)
RETURNS SETOF record
AS 'MODULE_PATHNAME', 'elecbill_tariff_prices'
LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION elecbill.tariff_prices(elecbill.tariff, tstzrange, text, jsonb) IS
'the price curve of a range: stretches of one period and one price, in currency per kWh, which is that of tariff_price() with nothing used before: energy components summed, series included. schedule as in tariff_period(), attrs {name: text, number, bool} as in rate(). No row when an argument but schedule is NULL; errors as tariff_price(), a series that has no price yet among them (UB404)';

CREATE FUNCTION elecbill.day_start(day date, zone text) RETURNS timestamptz
AS 'MODULE_PATHNAME', 'elecbill_day_start'
LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION elecbill.day_start(date, text) IS
'first instant of a local date: where midnight comes twice the first, where it is missing the first after the gap. Days 1900 to 2200, else UB400; UB404 zone not known';
