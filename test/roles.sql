-- roles.sql: role x object x command, by the table of who may do what; and nothing open to everybody
\getenv super PGSUPERUSER
SELECT lower(regexp_replace(current_database(), '\W', '_', 'g')) || '_' AS p \gset
SELECT elecbill.org_create('garden', 'Garden'), elecbill.org_create('harbour', 'Harbour');
BEGIN;
SET LOCAL client_min_messages = error;
CALL elecbill.create_roles(:'p');
CALL elecbill.create_roles(:'p');
CALL elecbill.grant_roles(:'p');
CALL elecbill.grant_roles(:'p');
SELECT plan(27);

-- The table as it was agreed upon; a cell lists the verbs: r = SELECT, others = EXECUTE on a function.
-- It is written here once more, by hand: the matrix of the schema layer is measured by it.
CREATE TEMP TABLE wanted (grp text, resident text, property text, billing text, finance text, collector text, auditor text, dba text);
INSERT INTO wanted VALUES
	('master',  'r', 'r import_estate agreement_start agreement_set agreement_end attribute_set member_grant member_revoke collector_create usage_limit_set usage_limit_drop', 'r', 'r', '', 'r', 'r'),
	('reading', '', 'r reading_add import_intervals profile_load request_reading profile_export', 'r pack_again unpack pack_profiles profile_export', 'r profile_export', 'ingest collector_hello collector_event command_next', 'r profile_export', 'partition_maintain reading_latest_rebuild'),
	('tariff',  '', 'r tariff_for', 'r tariff_for tariff_draft rider_draft rider_set rider_end price_series_create calendar_create calendar_day_set', 'r tariff_for tariff_approve', '', 'r tariff_for', 'r'),
	('run',     '', '', 'r bill_run_start bill_run_work bill_run_retry bill_run_issue bill_month', 'r', '', 'r', 'r'),
	('bill',    'r explain_bill html_bill', 'r explain_bill html_bill', 'r explain_bill html_bill cancel_bill', 'r explain_bill html_bill', '', 'r explain_bill html_bill', 'r'),
	('payment', 'r payment_order_create', 'r cashier_shift_open cashier_shift_close', 'r', 'r payment_order_create payment_order_confirm cashier_shift_open cashier_shift_close payment_policy_set advance_apply', '', 'r', 'r'),
	('ledger',  '', '', 'r', 'r post_transfer pending_post pending_void close_period', '', 'r', 'r'),
	('alarm',   '', 'r command_take', 'r', 'r', '', 'r', 'r'),
	('audit',   '', '', '', '', '', 'r', '');
CREATE TEMP TABLE members (grp text, object text);
INSERT INTO members SELECT g, regexp_split_to_table(t, '\s+') FROM (VALUES
	('master', 'org calendar calendar_day service_location customer billing_cycle customer_account usage_point meter_model meter meter_register meter_installation customer_agreement agreement_attribute collector meter_route'),
	('reading', 'reading reading_latest reading_kept reading_conflict profile_day interval_usage usage_daily usage_monthly usage_rolling reading_gap'),
	('tariff', 'tariff_plan tariff_version tariff_rider price_series price_point'),
	('run', 'bill_run bill_run_batch bill_exception bill_run_progress'),
	('bill', 'bill bill_line bill_segment bill_summary bill_detail'),
	('payment', 'payment_policy cashier_shift payment_order payment payment_allocation'),
	('ledger', 'ledger_account ledger_transfer account_balance accounting_period ledger_snapshot'),
	('alarm', 'alarm device_command device_event device_command_open'),
	('audit', 'audit_log')) AS v(g, t);
CREATE TEMP TABLE cell AS
SELECT w.grp, r.role, string_to_array(r.verbs, ' ') AS verbs
FROM wanted w, LATERAL (VALUES ('resident', w.resident), ('property', w.property), ('billing', w.billing), ('finance', w.finance),
	('collector', w.collector), ('auditor', w.auditor), ('dba', w.dba)) AS r(role, verbs);
-- of some tables residents see their own rows, of others of the same group nothing
CREATE TEMP TABLE own AS SELECT unnest('{org,customer,customer_account,customer_agreement,agreement_attribute,usage_point,profile_day,tariff_plan,tariff_version,bill,bill_line,bill_segment,payment_order,payment,payment_allocation,alarm}'::text[]) AS object;

SELECT is_empty(format($$
	SELECT c.role, m.object, has_table_privilege(%L || c.role, 'elecbill.' || m.object, 'SELECT')
	FROM cell c JOIN members m USING (grp)
	WHERE has_table_privilege(%1$L || c.role, 'elecbill.' || m.object, 'SELECT')
		<> CASE c.role WHEN 'resident' THEN EXISTS (SELECT FROM own o WHERE o.object = m.object) ELSE 'r' = ANY (c.verbs) END$$, :'p'),
	'each role reads the tables and views of its groups, and no other');
SELECT is_empty(format($$
	SELECT n, o.object, v FROM elecbill._own_objects() AS o, unnest(elecbill._role_names()) AS n, unnest('{INSERT,UPDATE,DELETE,TRUNCATE,REFERENCES,TRIGGER}'::text[]) AS v
	WHERE o.kind = 'TABLE' AND has_table_privilege(%L || n, o.oid, v)$$, :'p'), 'no role writes a table');
SELECT is_empty(format($$
	SELECT n, c.oid::regclass FROM pg_class c, unnest(elecbill._role_names()) AS n
	WHERE c.relnamespace = 'elecbill'::regnamespace AND c.relispartition AND c.relkind = 'r'
		AND has_table_privilege(%L || n, c.oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE')$$, :'p'), 'nor touches a partition');
SELECT is_empty(format($$
	SELECT n, o.object FROM elecbill._own_objects() AS o, unnest(elecbill._role_names()) AS n
	WHERE o.kind = 'SEQUENCE' AND has_sequence_privilege(%L || n, o.oid, 'USAGE, SELECT, UPDATE')$$, :'p'), 'nor a sequence');
SELECT is_empty(format($$
	SELECT c.role, v.verb, p.oid::regprocedure FROM cell c, unnest(c.verbs) AS v(verb)
	LEFT JOIN pg_proc p ON p.pronamespace = 'elecbill'::regnamespace AND p.proname = v.verb
	WHERE v.verb NOT IN ('r', '') AND (p.oid IS NULL OR NOT has_function_privilege(%L || c.role, p.oid, 'EXECUTE'))$$, :'p'),
	'each role calls what its duty asks for');
SELECT is_empty(format($$
	SELECT c.role, m.verb FROM (SELECT DISTINCT role FROM cell) AS c, (SELECT DISTINCT unnest(verbs) AS verb FROM cell) AS m
	JOIN pg_proc p ON p.pronamespace = 'elecbill'::regnamespace AND p.proname = m.verb
	WHERE has_function_privilege(%L || c.role, p.oid, 'EXECUTE')
		AND NOT EXISTS (SELECT FROM cell x WHERE x.role = c.role AND m.verb = ANY (x.verbs))$$, :'p'),
	'and none what is another''s duty');
SELECT ok(has_function_privilege(:'p' || 'collector', 'elecbill.command_ack(uuid,bigint,text,jsonb)', 'EXECUTE')
	AND NOT has_function_privilege(:'p' || 'collector', 'elecbill.command_ack(text,bigint,text,jsonb)', 'EXECUTE')
	AND has_function_privilege(:'p' || 'property', 'elecbill.command_ack(text,bigint,text,jsonb)', 'EXECUTE'),
	'a collector answers for itself, an electrician through property');

-- ---------------------------------------------------------------- what is opened by the way
-- a procedure that commits has its callers call these; tenant.sql calls each of them with keys of another org
SELECT set_eq($$SELECT DISTINCT substr(r.object, 10) FROM elecbill._role_objects() AS r WHERE r.command = 'EXECUTE' AND r.object ~ '^elecbill\._'$$, ARRAY[
	'_pack_begin(text,date)', '_pack_batch(text,date)', '_pack_wait(text)', '_profile_analyze()',
	'_bill_month_start(text,text,text)', '_bill_run_begin(bigint)', '_bill_run_batch(bigint)', '_bill_issue_begin(bigint)', '_bill_issue_batch(bigint)',
	'_run_cancel_begin(bigint,text)', '_run_cancel_step(bigint,text,bigint)', '_run_cancel_end(bigint)', '_rebill_next(bigint,text,text)',
	'_late_fee_accounts(text,date)', '_late_fee_batch(text,bigint[],date,boolean)', '_dunning_accounts(text,date)', '_dunning_batch(text,bigint[],date,boolean)',
	'_prepay_accounts(text,date)', '_prepay_batch(text,bigint[],date,boolean)'], 'of what is internal, only the steps of procedures that commit are open');
SELECT is_empty($$SELECT DISTINCT r.object FROM elecbill._role_objects() AS r WHERE r.command = 'EXECUTE' AND r.object ~ '^elecbill\._.*json'$$,
	'none of them is told by its caller how far the work has come');

-- ---------------------------------------------------------------- completeness
SELECT is_empty($$
	SELECT o.object FROM elecbill._own_objects() AS o
	WHERE o.kind IN ('FUNCTION', 'PROCEDURE') AND o.name !~ '^_' AND NOT EXISTS (SELECT FROM elecbill._role_objects() AS r WHERE r.oid = o.oid)
		-- by the owner alone: it makes orgs, roles and persons, or works through all orgs at night
		AND o.name NOT IN ('org_create', 'duty_grant', 'duty_revoke', 'user_lock', 'create_roles', 'grant_roles', 'audit_seal',
			'relay_order', 'price_set', 'meter_model_limit', 'alarm_watch', 'inbox_purge', 'drop_readings', 'rebuild_derived', 'fsck', 'tap_invariants', 'run_due', 'schedule', 'unschedule',
			'load_demo', 'job_set', 'go_live', 'outbox_take', 'outbox_done', 'prepay_run', 'dunning_run', 'accrue_late_fees',
			'import_opening', 'org_empty')$$,
	'every public function is in the matrix, or the owner''s alone');
SELECT is_empty($$
	SELECT c.relname FROM pg_class c WHERE c.relnamespace = 'elecbill'::regnamespace AND c.relkind IN ('r', 'p', 'v') AND NOT c.relispartition
		AND c.relname !~ '^_' AND NOT EXISTS (SELECT FROM elecbill._role_objects() AS r WHERE r.oid = c.oid AND r.command = 'SELECT')
		AND c.relname NOT IN ('tariff_snapshot', 'reading_inbox', 'outbox', 'job', 'job_run')$$,
	'every table and view is read by somebody, or by the owner alone');

-- ---------------------------------------------------------------- nothing for everybody
SELECT is_empty($$
	SELECT o.object FROM elecbill._own_objects() AS o JOIN pg_proc p ON p.oid = o.oid AND o.kind IN ('FUNCTION', 'PROCEDURE')
	WHERE p.proacl IS NULL OR EXISTS (SELECT FROM aclexplode(p.proacl) a WHERE a.grantee = 0)$$, 'no function of the schema layer is open to PUBLIC');
SELECT is_empty($$
	SELECT o.object FROM elecbill._own_objects() AS o JOIN pg_class c ON c.oid = o.oid AND o.kind IN ('TABLE', 'SEQUENCE')
	WHERE EXISTS (SELECT FROM aclexplode(c.relacl) a WHERE a.grantee = 0)$$, 'no table either');
SELECT set_eq($$
	SELECT p.proname::text FROM pg_proc p JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
	WHERE p.pronamespace = 'elecbill'::regnamespace AND p.provolatile = 'v' AND p.prorettype <> 'internal'::regtype
		AND p.prokind <> 'a' AND has_function_privilege('public', p.oid, 'EXECUTE')$$,
	ARRAY['create_schema', 'upgrade_schema', '_schema_steps', '_refused', '_play'],
	'of the extension PUBLIC calls functions that change nothing, and five that ask for rights themselves');
SELECT is_empty($$
	SELECT p.oid::regprocedure FROM pg_proc p JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
	WHERE p.pronamespace = 'elecbill'::regnamespace AND p.prosecdef$$, 'no member of the extension runs as its owner');
SELECT ok(NOT has_schema_privilege('public', 'elecbill', 'USAGE') AND NOT has_schema_privilege('public', 'elecbill', 'CREATE'), 'the schema is closed to PUBLIC');

-- ---------------------------------------------------------------- what runs as the owner
SELECT is_empty($$
	SELECT p.oid::regprocedure FROM pg_proc p WHERE p.pronamespace = 'elecbill'::regnamespace AND p.prosecdef
		AND NOT 'search_path=pg_catalog, pg_temp' = ANY (coalesce(p.proconfig, '{}'))$$, 'every definer function pins its search_path');
SELECT is_empty($$
	SELECT p.oid::regprocedure, r.rolname FROM pg_proc p JOIN pg_roles r ON r.oid = p.proowner
	WHERE p.pronamespace = 'elecbill'::regnamespace AND p.prosecdef AND (r.rolsuper OR r.rolbypassrls)$$, 'and belongs to a plain role');
SELECT is_empty($$
	SELECT o.object, p.proconfig FROM elecbill._own_objects() AS o JOIN pg_proc p ON p.oid = o.oid AND p.prokind = 'f'
	LEFT JOIN (SELECT r.oid, string_agg(DISTINCT r.role, ',' ORDER BY r.role) AS duties FROM elecbill._role_objects() AS r WHERE r.command = 'EXECUTE' GROUP BY r.oid) AS d ON d.oid = p.oid
	WHERE (SELECT substr(c, 15) FROM unnest(p.proconfig) AS c WHERE c LIKE 'elecbill.duty=%') IS DISTINCT FROM d.duties$$,
	'and asks for the duties of the matrix');
SELECT is_empty($$
	SELECT c.oid::regclass FROM pg_class c WHERE c.relnamespace = 'elecbill'::regnamespace AND c.relkind = 'v'
		AND NOT 'security_invoker=true' = ANY (coalesce(c.reloptions, '{}'))$$, 'every view looks with the eyes of who asks');
SELECT is_empty($$SELECT c.oid::regclass FROM pg_class c WHERE c.relnamespace = 'elecbill'::regnamespace AND c.relkind = 'm'$$, 'there is no materialised view');
SELECT is_empty($$
	SELECT c.oid::regclass FROM pg_class c WHERE c.relnamespace = 'elecbill'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
		AND (NOT c.relrowsecurity OR c.relforcerowsecurity)
		AND c.relname NOT IN ('schema_version', 'meter_model', 'reading_retention')
		AND EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'org_id')$$, 'row security is on for every table of an org, and not forced');
SELECT is_empty(format($$
	SELECT n, r.object FROM unnest(elecbill._role_names()) AS n JOIN elecbill._role_objects() AS r ON r.role = n AND r.command = 'SELECT'
	JOIN pg_class c ON c.oid = r.oid AND c.relrowsecurity
	WHERE NOT EXISTS (SELECT FROM pg_policy y WHERE y.polrelid = r.oid AND y.polcmd = 'r' AND (%L || n)::regrole = ANY (y.polroles))$$, :'p'),
	'each right to read such a table has its policy');

-- ---------------------------------------------------------------- the roles themselves
SELECT is((SELECT string_agg(r.rolname, ',') FROM pg_roles r WHERE r.rolname = ANY (ARRAY(SELECT :'p' || n FROM unnest(elecbill._role_names()) n))
	AND (r.rolcanlogin OR r.rolsuper OR r.rolbypassrls OR r.rolcreaterole OR r.rolcreatedb)), NULL, 'group roles cannot log in and have no attribute');
SELECT ok((SELECT r.rolcanlogin AND NOT r.rolinherit FROM pg_roles r WHERE r.rolname = :'p' || 'web')
	AND NOT pg_has_role(:'p' || 'web', :'p' || 'resident', 'USAGE') AND pg_has_role(:'p' || 'web', :'p' || 'resident', 'MEMBER'), 'web logs in and is resident only by SET ROLE');
CREATE ROLE odd_resident LOGIN;
SELECT throws_ok('CALL elecbill.create_roles(''odd_'')', 'UB409', 'role odd_resident is there and is something else', 'a role of that name that can log in is not taken for ours');
SELECT throws_ok('CALL elecbill.grant_roles(''none_'')', 'UB404', 'there is no role none_resident, none_property, none_billing, none_finance, none_collector, none_auditor, none_dba', 'rights are given to roles that are there');
SELECT * FROM finish();
ROLLBACK;
