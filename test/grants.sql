-- grants.sql: a collector's login has the rights that the README lists, and no other
\set grants `sed -n '/grants:begin/,/grants:end/{/^GRANT/p;/^\t/p}' README.md`
BEGIN;
SELECT plan(6);
CREATE ROLE collector_role;
GRANT collector_role TO CURRENT_USER;
:grants
SELECT elecbill.org_create('g', 'Garden');
SELECT elecbill.tariff_draft('T', '[2026-01-01,)', '{"elecbill": 1, "code": "T", "currency": "CNY", "zone": "Asia/Shanghai", "components": [{"code": "energy", "kind": "energy", "price": 1}]}', 'writer');
SELECT elecbill.import_estate('g', convert_to(E'room,account_no,name,kind,meter_no,model,last_reading,last_read_at,tariff\nR-1,10001,R-1,residential,M-1,DD-1,1000,2026-01-01,T', 'UTF8'));
SELECT elecbill.collector_create('g', 'c1', '5f0c0b0e-0000-4000-8000-00000000000d');

\set offer 'SELECT i::text AS said FROM elecbill.ingest(''5f0c0b0e-0000-4000-8000-00000000000d'', :seq, ''{M-1,M-1,GHOST}'', ''{1.8.0,1.8.0,1.8.0}'', ARRAY[now(), now() + interval ''1 day'', now()], ARRAY[:kwh, 2000, 3], ''{1,0,0}'', ''{NULL,NULL,NULL}'', ARRAY[''\\x01''::bytea, NULL, NULL]) AS i'
SET LOCAL ROLE collector_role;
\set seq 1
\set kwh 1001
:offer \gset first_
\set seq 4
:offer \gset again_
\set seq 7
\set kwh 1005
:offer \gset other_
RESET ROLE;
SELECT is(:'first_said'::text, '(1,0,0,2)', 'it stores a good reading and has the bad ones refused by row');
SELECT is(:'again_said'::text, '(0,1,0,2)', 'the same again is a duplicate');
SELECT is(:'other_said'::text, '(0,0,1,2)', 'another value is a conflict');
SELECT ok(NOT has_table_privilege('collector_role', 'elecbill.bill', 'SELECT'), 'it cannot look at bills');
SELECT ok(NOT has_table_privilege('collector_role', 'elecbill.reading', 'UPDATE, DELETE, TRUNCATE'), 'it cannot change a reading');
SELECT ok(NOT has_function_privilege('collector_role', 'elecbill.explain_bill(text, text)', 'EXECUTE'), 'it cannot call what staff calls');
SELECT * FROM finish();
ROLLBACK;
