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

-- DL/T 645-1997: identifiers of two bytes, the same frame; 2007 finds it and knows no such function
-- source: capture in a public Node script
SELECT p AS protocol, f->>'di' AS di, jsonb_path_query_array(f, '$.items[*]') AS items
FROM (VALUES ('dlt645-1997'), ('dlt645')) AS v(p),
	jsonb_path_query(elecbill.frame_decode(p, '\xfefefefe6827596303000168810643c3ac594733c316'), '$.frames[*]') AS f;

-- Modbus: a reply says nothing without a map (worked example of the protocol guide; EPICS modbus #39)
SELECT map, jsonb_path_query_array(d, '$.frames[*].registers') AS registers, jsonb_path_query_array(d, '$.frames[*].items[*]') AS items
FROM (VALUES ('modbus', '\x01030442c800006fb5'::bytea), ('modbus:0=float32', '\x01030442c800006fb5'),
	('modbus:1=u16,0=s16*-0.5', '\x01030442c800006fb5'), ('modbus:0=float32/ABCD', '\x0001040443696978106e00'),
	('modbus:0=float32', '\x0104047fc00000e26c'), ('modbus:1=u32', '\x01030442c800006fb5')) AS v(map, frame),
	LATERAL elecbill.frame_decode(map, frame) AS d(d);
SELECT jsonb_path_query(elecbill.frame_decode('modbus', '\x0103000c00020408018306c132'), '$.frames[*]') AS frame;

CREATE FUNCTION pg_temp.with_crc(frame bytea) RETURNS bytea LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
	crc int := 65535;
BEGIN
	FOR i IN 0 .. length(frame) - 1 LOOP
		crc := crc # get_byte(frame, i);
		FOR bit IN 1 .. 8 LOOP
			crc := CASE WHEN crc & 1 = 1 THEN (crc >> 1) # 40961 ELSE crc >> 1 END;
		END LOOP;
	END LOOP;
	RETURN frame || set_byte(set_byte('\x0000', 0, crc & 255), 1, crc >> 8);
END $$;

-- a float32 as decimal is the shortest one that reads back as the same bits, as float4 prints it
SELECT count(*) AS floats, count(*) FILTER (WHERE (i->>'value')::numeric IS DISTINCT FROM f::text::numeric) AS different
FROM (SELECT (n * n * 0.01 + 1.0 / n)::float4 AS f FROM generate_series(1, 2000) AS n) AS v,
	LATERAL (SELECT float4send(f) AS bits) AS b,
	LATERAL elecbill.frame_decode('modbus:0=float32', pg_temp.with_crc('\x010404'::bytea || bits)) AS d(d),
	LATERAL jsonb_path_query(d, '$.frames[*].items[*]') AS i;

-- a broken map is told with its place
SELECT elecbill.frame_decode('modbus:0=u16,1=flaot32', '\x01');
SELECT :'LAST_ERROR_SQLSTATE' AS sqlstate;
\set VERBOSITY terse
SELECT elecbill.frame_decode('modbus:', '\x01');
SELECT elecbill.frame_decode('modbus:125=u16', '\x01');
SELECT elecbill.frame_decode('modbus:0=u16*0', '\x01');
SELECT elecbill.frame_decode('modbus:0=u16,', '\x01');
SELECT elecbill.frame_decode('modbus:0=电', '\x01');
SELECT elecbill.frame_decode('dlt645:0=u16', '\x01');
\set VERBOSITY default

-- M-Bus: requests, an acknowledge, a reply with the unit of each record (made), a record that runs over the end
SELECT d->'valid' AS valid, d->>'error' AS error, jsonb_path_query_array(d, '$.frames[*].kind') AS kinds,
	jsonb_path_query_array(d, '$.frames[*].items[*]') AS items
FROM (VALUES (1, '\x1040fd3d16e5'::bytea), (2, '\x107b199416'),
	(3, '\x682424680805727856341242040202010000008c10045212000002fdc9ff01ed00052b796969430f6416'),
	(4, '\x68131368080572785634124204020201000000040352124916')) AS v(no, frame),
	LATERAL elecbill.frame_decode('mbus', frame) AS d(d)
ORDER BY no;

-- a protocol is known by its exact name; NULL stays NULL
SELECT elecbill.frame_decode(NULL, '\x68') IS NULL AND elecbill.frame_decode('dlt645', NULL) IS NULL AS strict;
SELECT elecbill.frame_decode('dlt645-1998', '\x68');
SELECT :'LAST_ERROR_SQLSTATE' AS sqlstate;
\set VERBOSITY terse
SELECT elecbill.frame_decode('DLT645', '\x68');
SELECT elecbill.frame_decode('', '\x68');
SELECT elecbill.frame_decode('x''";--', '\x68');
\set VERBOSITY default

-- the same bytes always give the same: good for generated columns, indexes and parallel workers
SELECT provolatile, proisstrict, proparallel FROM pg_proc WHERE oid = 'elecbill.frame_decode(text, bytea)'::regprocedure;
CREATE TEMP TABLE kept (frame bytea, decoded jsonb GENERATED ALWAYS AS (elecbill.frame_decode('dlt645', frame)) STORED);
INSERT INTO kept VALUES ('\x6861010000000068910833333433593333338a16');
SELECT decoded #>> '{frames,0,items,0,value}' AS kwh FROM kept;

-- bytes changed, cut, doubled or among noise never raise, whatever the protocol
CREATE FUNCTION pg_temp.raises(protocol text, frame bytea) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
	RETURN elecbill.frame_decode(protocol, frame) IS NULL;
EXCEPTION WHEN others THEN
	RETURN true;
END $$;
SELECT v.protocol, d->'valid' AS valid, s.calls, s.raised
FROM (VALUES
		('csvline', '\x4d455445523030312c313233342e35362c323032362d30322d30315430303a31353a30302b30383a30300d0a'::bytea),
		('dlt645', '\x6861010000000068910833333433593333338a16'::bytea),
		('dlt645-1997', '\xfefefefe6827596303000168810643c3ac594733c316'::bytea),
		('modbus:0=float32', '\x0103000c0002040801030442c800006fb5'::bytea),
		('iec62056', '\x2f414243356964656e740d0a02312e382e30283030303031322e352a6b5768290d0a210d0a037c'::bytea),
		('p1', '\x2f58585835656c656362696c6c0d0a0d0a312d303a312e382e30283030303031322e3530302a6b5768290d0a21313136360d0a'::bytea),
		('mbus', '\x682424680805727856341242040202010000008c10045212000002fdc9ff01ed00052b796969430f6416'::bytea),
		('sml-quirks', '\x1b1b1b1b01010101760500000001620062007263070177010b0901454d48000000000101017177070100010801ff63018001621e52ff560008d1cf1b01010163d4fd00001b1b1b1b1a0177ca'::bytea),
		('dlt698', '\x681e00c305000000000000009e548501000010020101060001e24000005ad416'::bytea),
		('hdlc', '\x7ea02a410883130413e6e7000f40000000000101020309060100010700ff060000067d02020f00161b1c057e'::bytea)) AS v(protocol, frame),
	LATERAL elecbill.frame_decode(v.protocol, v.frame) AS d(d),
	LATERAL (SELECT count(*) AS calls, count(*) FILTER (WHERE pg_temp.raises(v.protocol, m.frame)) AS raised
		FROM generate_series(0, 255) AS byte, generate_series(0, length(v.frame) - 1, 3) AS place,
			LATERAL (SELECT CASE byte % 4 WHEN 0 THEN set_byte(v.frame, place, byte) WHEN 1 THEN substr(v.frame, 1, place)
				WHEN 2 THEN set_byte(v.frame, place, byte) || v.frame
				ELSE sha256(v.frame || int4send(byte * 1000 + place)) || set_byte(v.frame, place, byte) END) AS m(frame)) AS s
ORDER BY v.protocol COLLATE "C";

-- a text of a meter in a database whose encoding lacks its characters
SELECT elecbill.frame_decode('p1', '\x2f58585835615c7530306534e4220d0a0d0a312d303a312e382e3028312a6b5768290d0a210d0a') #>> '{frames,0,ident}' AS ident;
SELECT current_database() AS former \gset
CREATE DATABASE frame_ascii TEMPLATE template0 ENCODING SQL_ASCII LOCALE 'C';
\c frame_ascii
CREATE EXTENSION elecbill;
SELECT elecbill.frame_decode('p1', '\x2f58585835615c7530306534e4220d0a0d0a312d303a312e382e3028312a6b5768290d0a210d0a') #>> '{frames,0,ident}' AS ident;
\c :former
DROP DATABASE frame_ascii;
