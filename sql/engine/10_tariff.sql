-- 10_tariff.sql: the type tariff, its doors, and tariff_lint() (src/pg/tariff.c, src/rating/tariff_*.c)

CREATE TYPE elecbill.tariff;

CREATE FUNCTION elecbill._tariff_in(cstring) RETURNS elecbill.tariff
AS 'MODULE_PATHNAME', 'elecbill_tariff_in'
LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION elecbill._tariff_in(cstring) IS
'input of type tariff: its JSON form; UB400 when it is not valid or has more than 1 MB, 0A000 when this version does not support a part of it. STABLE, for it asks for the time zone';

CREATE FUNCTION elecbill._tariff_out(elecbill.tariff) RETURNS cstring
AS 'MODULE_PATHNAME', 'elecbill_tariff_out'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION elecbill._tariff_out(elecbill.tariff) IS
'output of type tariff: canonical JSON text';

CREATE FUNCTION elecbill._tariff_recv(internal) RETURNS elecbill.tariff
AS 'MODULE_PATHNAME', 'elecbill_tariff_recv'
LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION elecbill._tariff_recv(internal) IS
'binary input of type tariff: a byte 1, then the JSON text, checked like any other; UB400, 0A000';

CREATE FUNCTION elecbill._tariff_send(elecbill.tariff) RETURNS bytea
AS 'MODULE_PATHNAME', 'elecbill_tariff_send'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION elecbill._tariff_send(elecbill.tariff) IS
'binary output of type tariff: a byte 1, then the canonical JSON text';

CREATE TYPE elecbill.tariff (
	INPUT = elecbill._tariff_in,
	OUTPUT = elecbill._tariff_out,
	RECEIVE = elecbill._tariff_recv,
	SEND = elecbill._tariff_send,
	INTERNALLENGTH = VARIABLE,
	ALIGNMENT = double,
	STORAGE = extended
);
COMMENT ON TYPE elecbill.tariff IS
'a tariff, checked and compiled; text form: canonical JSON (doc/tariff.md)';

CREATE FUNCTION elecbill._tariff_from_jsonb(jsonb) RETURNS elecbill.tariff
AS 'MODULE_PATHNAME', 'elecbill_tariff_from_jsonb'
LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION elecbill._tariff_from_jsonb(jsonb) IS
'the cast from jsonb to tariff; UB400 when it is not valid, 0A000 when this version does not support a part of it';

CREATE FUNCTION elecbill._tariff_to_jsonb(elecbill.tariff) RETURNS jsonb
AS 'MODULE_PATHNAME', 'elecbill_tariff_to_jsonb'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION elecbill._tariff_to_jsonb(elecbill.tariff) IS
'the cast from tariff to jsonb: its canonical form';

CREATE CAST (jsonb AS elecbill.tariff) WITH FUNCTION elecbill._tariff_from_jsonb(jsonb) AS ASSIGNMENT;
COMMENT ON CAST (jsonb AS elecbill.tariff) IS 'checks and compiles a tariff; UB400, 0A000';
CREATE CAST (elecbill.tariff AS jsonb) WITH FUNCTION elecbill._tariff_to_jsonb(elecbill.tariff) AS ASSIGNMENT;
COMMENT ON CAST (elecbill.tariff AS jsonb) IS 'the canonical form of a tariff';

CREATE FUNCTION elecbill.tariff_lint(definition jsonb, OUT level text, OUT path text,
	OUT message text) RETURNS SETOF record
AS 'MODULE_PATHNAME', 'elecbill_tariff_lint'
LANGUAGE C STABLE STRICT PARALLEL SAFE ROWS 5;
COMMENT ON FUNCTION elecbill.tariff_lint(jsonb) IS
'every fault of a tariff with its path: level error (it is refused), warning (it is hardly meant so) or note; no row when all is well, at most 100. Never raises';
