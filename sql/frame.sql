-- frame: meter bytes as JSON
-- published frames; sources: hwhale.com/article/138066, eet-china.com forum 114707

-- a register, a block taken apart, a request and its reply
SELECT jsonb_pretty(elecbill.frame_decode('dlt645', '\x6861010000000068910833333433593333338a16'));
SELECT f->>'address' AS address, f->>'di' AS di, i->>'id' AS id, i->>'value' AS value, i->>'unit' AS unit
FROM elecbill.frame_decode('dlt645', '\xfefefefe6818201222206568110433323435a416fefefefe6818201222206568910a3332343533333333c7561316') AS d,
	jsonb_array_elements(d->'frames') AS f
	LEFT JOIN LATERAL jsonb_array_elements(f->'items') AS i ON true;

-- a phase the meter does not have, a demand with its time, an exception
SELECT i AS item
FROM (VALUES ('\x6812000000102068910a333234358955323232322116'::bytea),
	('\xfefefefe6812907856341268910c333334343333ab33453434563816')) AS v(frame),
	jsonb_path_query(elecbill.frame_decode('dlt645', frame), '$.frames[*].items[*]') AS i;
SELECT elecbill.frame_decode('dlt645', '\x6860079204009168d101376716') #>> '{frames,0,error_word}' AS error_word;

-- printing meters
SELECT left(line, 45) AS line, d->'valid' AS valid, d->'error' AS error, d #>> '{frames,0,meter}' AS meter,
	d #>> '{frames,0,items,0,value}' AS usage, d #>> '{frames,0,items,0,time}' AS time
FROM (VALUES ('METER001,1234.56'), ('M1,1,5'), ('M1, 00012.50 ,2026-02-01T00:15:00+08:00,x'),
	('M1,-5'), ('M1,1e3'), ('M1,NaN'), ('M1,'), ('M1'), (''), ('M''1,5'), (E'M1,5\x07'),
	(repeat('x', 300))) AS v(line),
	LATERAL elecbill.frame_decode('csvline', convert_to(line || E'\r\n', 'UTF8')) AS d(d);
SELECT jsonb_array_length(elecbill.frame_decode('csvline', E'M1,1\nM1\nM2,2\nM3,3')->'frames') AS whole_lines;

-- one bad value refuses the frame, and each reason has its word
SELECT what, d->'valid' AS valid, d->>'error' AS error, jsonb_array_length(d->'frames') AS frames
FROM (VALUES (1, 'empty', '\x'::bytea),
	(2, 'preamble', '\xfefefefe'),
	(3, 'cut', '\x6861010000000068910833333433593333338a'),
	(4, 'end byte', '\x6861010000000068910833333433593333338a17'),
	(5, 'sum', '\x6861010000000068910833333433593333338b16'),
	(6, 'nibble', '\x68610100000000689108333334335d3333338e16'),
	(7, 'echo', '\xfefefefe6818201222206568110433323435a416fe'),
	(8, 'garbage', decode(repeat('00ff1668', 100), 'hex'))) AS v(no, what, frame),
	LATERAL elecbill.frame_decode('dlt645', frame) AS d(d)
ORDER BY no;

-- a flood without a frame costs time in proportion to its length, not to its square
SET statement_timeout = '20s';
SELECT what, d->>'error' AS error, d->'frames' AS frames
FROM (VALUES (1, '1 MB of 68', decode(repeat('68', 1 << 20), 'hex')),
	(2, '1 MB of starts', decode(repeat('686868686868686891ff', 104858), 'hex')),
	(3, '1 MB of FE', decode(repeat('fe', 1 << 20), 'hex'))) AS v(no, what, frame),
	LATERAL elecbill.frame_decode('dlt645', frame) AS d(d)
ORDER BY no;
SELECT elecbill.frame_decode('csvline', convert_to(repeat('x', 1 << 20), 'UTF8'))->>'error' AS error;
SELECT jsonb_array_length(elecbill.frame_decode('dlt645',
	decode(repeat('6861010000000068910833333433593333338a16', 20000), 'hex'))->'frames') AS frames;
RESET statement_timeout;

-- a protocol is known by its exact name; NULL stays NULL
SELECT elecbill.frame_decode(NULL, '\x68') IS NULL AND elecbill.frame_decode('dlt645', NULL) IS NULL AS strict;
SELECT elecbill.frame_decode('dlt645-1997', '\x68');
SELECT :'LAST_ERROR_SQLSTATE' AS sqlstate;
SELECT elecbill.frame_decode('modbus:0=float32', '\x01');
SELECT elecbill.frame_decode('DLT645', '\x68');
SELECT elecbill.frame_decode('', '\x68');
SELECT elecbill.frame_decode('x''";--', '\x68');

-- the same bytes always give the same: good for generated columns, indexes and parallel workers
SELECT provolatile, proisstrict, proparallel FROM pg_proc WHERE oid = 'elecbill.frame_decode(text, bytea)'::regprocedure;
CREATE TEMP TABLE kept (frame bytea, decoded jsonb GENERATED ALWAYS AS (elecbill.frame_decode('dlt645', frame)) STORED);
INSERT INTO kept VALUES ('\x6861010000000068910833333433593333338a16');
SELECT decoded #>> '{frames,0,items,0,value}' AS kwh FROM kept;
