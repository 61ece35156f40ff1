-- 16_import.sql: tariffs of other formats (src/pg/import.c, src/rating/import_*.c)

CREATE FUNCTION elecbill.tariff_from_urdb(rate jsonb, zone text) RETURNS elecbill.tariff
AS 'MODULE_PATHNAME', 'elecbill_import_urdb'
LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION elecbill.tariff_from_urdb(jsonb, text) IS
'a rate of the Utility Rate Database of OpenEI (a record of versions 3 to 8, or an answer of its API with one item) as a tariff in US dollars. Energy tiers and minimums are those of a month; kWh left over under net metering go to the period at the same time of day and lapse in December, for the record does not say; a ratchet without a number of months looks back eleven. Keys that touch no price are known and left out, startdate and enddate are read by urdb_valid(). 0A000 names what a tariff cannot say (attributes in free text, coincident demand, horse power, daily demand, unequal bounds in one month), UB400 what is wrong or unknown, each with its path; STABLE, for it asks for the time zone; doc/import.md';

CREATE FUNCTION elecbill.urdb_valid(rate jsonb) RETURNS daterange
AS 'MODULE_PATHNAME', 'elecbill_import_urdb_valid'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION elecbill.urdb_valid(jsonb) IS
'the days of a rate of the Utility Rate Database, startdate to enddate inclusive, for the version of a plan: seconds since 1970 read as a date of UTC, or a text that begins with a date; open where there is none. UB400';


CREATE FUNCTION elecbill.tariff_from_ocpi(tariff jsonb, zone text) RETURNS elecbill.tariff
AS 'MODULE_PATHNAME', 'elecbill_import_ocpi'
LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION elecbill.tariff_from_ocpi(jsonb, text) IS
'a Tariff object of OCPI 2.2.1 as a tariff for rate_session(); zone: of the charge point, whose wall clock its restrictions read. Each price component is a component, ENERGY, FLAT, TIME, PARKING_TIME and those of reservations have a lane each; min_price and max_price hold for the session; no line is rounded, for OCPI leaves that to the invoice. What touches no price is left out, start_date_time and end_date_time are read by ocpi_valid(). 0A000 names what a tariff cannot say, unknown keys among it, UB400 what is wrong, each with its path; STABLE, for it asks for the time zone; doc/import.md';

CREATE FUNCTION elecbill.ocpi_valid(tariff jsonb) RETURNS tstzrange
AS 'MODULE_PATHNAME', 'elecbill_import_ocpi_valid'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION elecbill.ocpi_valid(jsonb) IS
'when a Tariff object of OCPI is valid, start_date_time to end_date_time, instants of UTC, for the version of a plan; open where there is none. UB400';
