-- csv: CSV files as people save them, and as they break
CREATE FUNCTION pg_temp.rows_of(csv text) RETURNS TABLE (line integer, n integer, fields text, fault text)
LANGUAGE sql AS $$
	SELECT line, cardinality(fields), replace(fields::text, E'\n', '<LF>'), fault
	FROM elecbill.csv_rows(convert_to(csv, 'UTF8')) $$;

-- line ends of three systems, empty lines left out, no line end at the end
SELECT * FROM pg_temp.rows_of(E'a,b\n1,2\r\n\r\n\n3,4\r5,6');
-- quotes: commas, quotes and line ends inside; the line is that on which the record begins
SELECT * FROM pg_temp.rows_of(E'"a,b","say ""hi""",""\n"two\r\nlines",x\nnext,y\n');
-- empty fields are fields
SELECT * FROM pg_temp.rows_of(E',\n,,\n');
-- byte order mark, Chinese
SELECT * FROM pg_temp.rows_of(E'\uFEFF"房号",户号\n甲-101,A1\n');
-- nothing at all
SELECT * FROM pg_temp.rows_of('');
SELECT * FROM pg_temp.rows_of(E'\uFEFF\r\n\r\n');
SELECT count(*) FROM elecbill.csv_rows(NULL);

-- a fault is told, and the next line is read
SELECT * FROM pg_temp.rows_of(E'"a"b,c\nd"e,f\n"a"  ,c\ng,h\n');
SELECT * FROM pg_temp.rows_of(E'a,b\n"open,c\nd,e\n');
SELECT * FROM pg_temp.rows_of(E'"');
-- GBK, UTF-16, a null byte, a cut character: no text
SELECT line, fields, fault FROM elecbill.csv_rows('\xb7bfbac52cbba7bac50a410a');
SELECT line, fields, fault FROM elecbill.csv_rows('\xfffe61000a00');
SELECT line, fields, fault FROM elecbill.csv_rows('\x6100620a63');
SELECT line, fields, fault FROM elecbill.csv_rows('\x61e6880a62');
-- 1000 fields and no more
SELECT cardinality(fields), fault FROM elecbill.csv_rows(convert_to(repeat('x,', 999) || E'x\n' || repeat('x,', 1000) || E'x\nx', 'UTF8'));
