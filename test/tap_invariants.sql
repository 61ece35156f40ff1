-- tap_invariants.sql: fsck() as tests of pgTAP, for who tests a database of their own
-- What it says is asked in sessions of their own: a test that fails on purpose must not count here.
\set ON_ERROR_STOP 1
SET client_min_messages = warning;
\set VERBOSITY sqlstate
DROP EXTENSION pgtap;
\set ON_ERROR_STOP 0
SELECT elecbill.tap_invariants();
\set ON_ERROR_STOP 1
\set without :SQLSTATE
-- pgTAP in a schema that is on nobody's path
CREATE SCHEMA "my tap";
CREATE EXTENSION pgtap SCHEMA "my tap";
SELECT elecbill.org_create('PAY', 'Pay Court');

SET search_path = "my tap";
SELECT plan(21) \g /dev/null
RESET search_path;
SELECT string_agg(t, chr(10)) AS healthy FROM elecbill.tap_invariants() AS t \gset
SELECT current_setting('search_path') AS path \gset
SET search_path = "my tap";
SELECT coalesce(string_agg(t, chr(10)), '') AS healthy_end FROM finish() AS t \gset
\c -
SET search_path = "my tap";
SELECT plan(21) \g /dev/null
SELECT string_agg(t, chr(10)) AS chinese FROM elecbill.tap_invariants('PAY', '2026-01-01', 'zh') AS t \gset
\c -
ALTER TABLE elecbill.meter DISABLE ROW LEVEL SECURITY;
ALTER TABLE elecbill.usage_point DISABLE ROW LEVEL SECURITY;
INSERT INTO elecbill.reading (org_id, register_id, read_at, register_wh, source) SELECT id, 987654321, '2190-01-01', 1, 0 FROM elecbill.org;
SET search_path = "my tap";
SELECT plan(21) \g /dev/null
SELECT string_agg(t, chr(10)) AS broken FROM elecbill.tap_invariants() AS t \gset
SELECT string_agg(t, chr(10)) AS broken_end FROM finish() AS t \gset
SELECT count(*) AS faults FROM elecbill.fsck() \gset
\c -
ALTER TABLE elecbill.meter ENABLE ROW LEVEL SECURITY;
ALTER TABLE elecbill.usage_point ENABLE ROW LEVEL SECURITY;

DROP EXTENSION pgtap;
CREATE EXTENSION pgtap;
SELECT plan(17);
SELECT is(:'without'::text, 'UB412', 'without pgTAP there are no tests');
SELECT is((SELECT count(*) FROM regexp_matches(:'healthy', '^ok [0-9]+ - ', 'gn')), 21::bigint, 'a healthy database passes 21 tests');
SELECT unalike(:'healthy'::text, '%not ok%', 'and fails none');
SELECT alike(:'healthy'::text, '%ok 7 - I07 billed energy is what the registers counted%', 'each says what it is about');
SELECT is(:'healthy_end'::text, '', 'the plan was kept');
SELECT alike(:'path'::text, '%public%', 'the path of the session is what it was');
SELECT alike(:'chinese'::text, '%ok 20 - I20 编号连续%', 'in Chinese, too, of an org and since a day');
SELECT is((SELECT count(*) FROM regexp_matches(:'broken', '^not ok ', 'gn')), 2::bigint, 'what is broken fails its test, and no other');
SELECT alike(:'broken'::text, '%not ok 19 - I19 no rows of others can be seen%', 'row security that is off');
SELECT alike(:'broken'::text, '%not ok 21 - all else%', 'and a reading of no register, which has no number');
SELECT is((SELECT count(*) FROM regexp_matches(:'broken', '^# (I19|[a-z]\w*) .*: ', 'gn')), :faults::bigint, 'all that fsck() found is said');
SELECT alike(:'broken'::text, '%# I19 elecbill.usage_point: rows of all orgs are open%', 'by name');
SELECT alike(:'broken_end'::text, '%failed 2 tests of 21%', 'pgTAP counts them');
SELECT throws_ok($$SELECT elecbill.tap_invariants('NOBODY')$$, 'UB404', NULL, 'an org that is not there');
SELECT is(ARRAY(SELECT i.code FROM (SELECT 'I' || to_char(n, 'FM00') AS code FROM generate_series(1, 20) AS n) AS i
	WHERE elecbill.label(i.code, 'zh') IN (i.code, elecbill.label(i.code, 'en'))), '{}'::text[], 'every invariant has its words in both languages');
SELECT isnt_empty($$SELECT * FROM elecbill.fsck('PAY')$$, 'an org may be named alone');
SELECT results_eq($$SELECT * FROM elecbill.fsck(since => '2191-01-01')$$, $$SELECT * FROM elecbill.fsck(NULL, '2191-01-01')$$, 'or a day');
SELECT * FROM finish();
