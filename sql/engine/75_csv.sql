-- 75_csv.sql: CSV files (src/pg/csv.c)

CREATE FUNCTION elecbill.csv_rows(csv bytea, OUT line integer, OUT fields text[], OUT fault text)
RETURNS SETOF record
AS 'MODULE_PATHNAME', 'elecbill_csv_rows'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION elecbill.csv_rows(bytea) IS
'records of a CSV file in UTF-8 (RFC 4180; BOM allowed; lines end with LF, CR LF or CR; empty lines are left out): the
line on which a record begins, its fields with quotes undone, and what is wrong with it, else NULL: not UTF-8 text
(fields NULL), quote without end, quote inside an unquoted field, text behind a closing quote, too many fields (1000)';
