-- tenant.sql: staff of another estate, with every duty and every role there is, sees and moves nothing
\getenv super PGSUPERUSER
\getenv owner PGUSER
SELECT current_database() AS db, lower(regexp_replace(current_database(), '\W', '_', 'g')) || '_' AS p \gset
\set all :p 'all'
SET elecbill.clock_override = '2026-03-10 04:00+00';
SELECT elecbill.org_create('garden', 'Garden'), elecbill.org_create('harbour', 'Harbour');
SELECT elecbill.tariff_draft('garden/T', '[2026-01-01,)', '{"elecbill": 1, "code": "T", "currency": "CNY", "zone": "Asia/Shanghai", "components": [{"code": "energy", "kind": "energy", "price": 0.5}]}', 'writer'),
	elecbill.tariff_approve('garden/T', 1, 'checker');
SELECT elecbill.price_series_create('garden', 'S');
SELECT elecbill.calendar_create('garden', 'C');
SELECT elecbill.import_estate('garden', convert_to(E'room,account_no,name,kind,meter_no,model,last_reading,last_read_at,tariff\nR-1,10001,Li,residential,G-1,DD-1,1000,2026-01-01,T\nR-2,10002,Zhao,residential,G-2,DD-1,2000,2026-01-01,T', 'UTF8'));
SELECT elecbill.collector_create('garden', 'c', '5f0c0b0e-0000-4000-8000-000000000001');
SELECT elecbill.ingest('5f0c0b0e-0000-4000-8000-000000000001', 1, array_agg(m.serial), array_agg('1.8.0'::text), array_agg(t.at), array_agg(m.base + t.n), array_agg(0), array_agg(NULL::timestamptz))
FROM (VALUES ('G-1', 999), ('G-2', 1999)) AS m(serial, base), generate_series('2026-01-01 00:00+08'::timestamptz, '2026-03-10 00:00+08', '6 hours') WITH ORDINALITY AS t(at, n);
CALL elecbill.bill_month('garden', 'MONTH', '2026-01');
SELECT elecbill.bill_run_start('garden', 'MONTH', '[2026-02-01,2026-03-01)') AS run \gset
CALL elecbill.bill_run_work(:run);
CALL elecbill.pack_profiles('garden');
SELECT elecbill.usage_limit_set('garden/R-1', '1 day', 0.1);
SELECT elecbill.cashier_shift_open('garden', 100);
SELECT elecbill.payment_record_cash('garden/10001', 10, 'P-1', 'k1') FROM elecbill.payment_policy_set('garden', 'over');
SELECT elecbill.member_grant('10001', 'li'), elecbill.duty_grant('garden', 'f1', 'finance');
SELECT elecbill.duty_grant('garden', 'g1', d) FROM unnest('{property,billing,finance,auditor,dba}'::text[]) AS d;
SELECT elecbill.duty_grant('harbour', 'h1', d) FROM unnest('{property,billing,finance,auditor,dba}'::text[]) AS d;
\c - :super
SET client_min_messages = error;
CALL elecbill.create_roles(:'p');
SELECT format('CREATE ROLE %I', :'all') WHERE to_regrole(:'all') IS NULL \gexec
SELECT format('GRANT %I TO %I', :'p' || n, :'all') FROM unnest(elecbill._role_names()) AS n WHERE n <> 'collector' \gexec
CALL elecbill.grant_roles(:'p');
CREATE TABLE public.seen (login text DEFAULT elecbill.current_login(), role text DEFAULT current_setting('role'), object text, rows bigint, alien bigint, failed text);
CREATE TABLE public.called (object text, statement text, state text, message text);
GRANT INSERT, SELECT ON public.seen, public.called TO PUBLIC;
-- what an argument of a name is given: the keys of the garden, and else what is no reason to refuse
CREATE FUNCTION public.argument(called text, name text, type regtype, run bigint) RETURNS text LANGUAGE sql AS $$
	SELECT CASE
		WHEN name ~ '^(p_)?org$' THEN quote_literal('garden')
		WHEN name ~ '^(p_)?(account|account_no)$' THEN quote_literal('10001')
		WHEN name ~ '^(p_)?(bill|invoice)$' THEN quote_literal('2026-000001')
		WHEN name ~ '^(p_)?bills$' THEN 'ARRAY[''2026-000001'']'
		WHEN name ~ '^(p_)?run$' THEN run::text
		WHEN name ~ '^(p_)?(plan|rider|tariff)$' AND type = 'text'::regtype THEN quote_literal('T')
		WHEN name ~ '^(p_)?(point|usage_point)$' AND type = 'text'::regtype THEN quote_literal('R-1')
		WHEN name ~ '^(p_)?(meter|old_meter|from_meter)$' THEN quote_literal('G-1') WHEN name ~ '^(new|to)_meter$' THEN quote_literal('G-2')
		WHEN name = 'decision' THEN quote_literal('accepted') WHEN name = 'mode' THEN quote_literal('skip_bad')
		WHEN name ~ '^(p_)?payment$' THEN quote_literal('P-1')
		WHEN name ~ '^(p_)?series$' THEN quote_literal('S')
		WHEN name ~ '^(p_)?cycle$' THEN quote_literal('MONTH')
		WHEN name ~ '^(p_)?calendar$' THEN quote_literal('C')
		WHEN name ~ 'month$' AND type = 'text'::regtype THEN quote_literal('2026-01')
		WHEN name ~ 'month$' AND type = 'date'::regtype THEN quote_literal('2026-01-01')
		WHEN name ~ '^(p_)?by$' THEN quote_literal('h1')
		WHEN name ~ 'lang$' THEN quote_literal('zh') WHEN name = 'p_outcome' THEN quote_literal('acked') WHEN name = 'p_kind' THEN quote_literal('regular')
		WHEN name = 'channel' AND type = 'text'::regtype THEN quote_literal(CASE WHEN called = 'pay_bill' THEN 'cash' ELSE 'alipay' END)
		WHEN name ~ 'duty$' THEN quote_literal('billing')
		WHEN name ~ 'relation$' THEN quote_literal('owner')
		WHEN name = 'kind' THEN quote_literal('person')
		WHEN name = 'register' THEN quote_literal('1.8.0')
		WHEN name = 'target' THEN quote_literal('credit')
		WHEN name = 'amount_rule' THEN quote_literal('over')
		WHEN name IN ('debit', 'credit') AND type = 'text'::regtype THEN quote_literal(CASE name WHEN 'debit' THEN 'cash' ELSE 'revenue' END)
		WHEN name = 'format' THEN quote_literal('csv') WHEN name = 'zone' THEN quote_literal('Asia/Shanghai')
		WHEN name ~ 'span$|within' THEN quote_literal('1 day')
		WHEN type = 'daterange'::regtype THEN quote_literal('[2026-01-01,2026-02-01)')
		WHEN type = 'tstzrange'::regtype THEN quote_literal('[2026-01-01 00:00+08,2026-02-01 00:00+08)')
		WHEN type = 'date'::regtype THEN quote_literal('2026-02-01')
		WHEN type = 'timestamptz'::regtype THEN quote_literal('2026-02-15 00:00+08')
		WHEN type IN ('integer'::regtype, 'bigint'::regtype, 'numeric'::regtype) THEN '1'
		WHEN type = 'boolean'::regtype THEN 'false'
		WHEN type = 'jsonb'::regtype THEN quote_literal(CASE WHEN name = 'value' THEN '1' ELSE '{}' END)
		WHEN type = 'text[]'::regtype THEN quote_literal('{}')
		WHEN type = 'bytea'::regtype THEN quote_literal('a,b')
		WHEN type = 'text'::regtype THEN quote_literal('x')
		ELSE 'NULL' END || '::' || type::text
$$;
-- how many rows of each table and view there are, and how many are not those of the org one works for
CREATE FUNCTION public.look(home text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE one record; n bigint; alien bigint;
BEGIN
	FOR one IN SELECT c.relname, CASE
			WHEN c.relname = 'org' THEN 't.code <> $1'
			-- lights of the whole database are nobody's
			WHEN c.relname = 'health' THEN 't.org <> $1'
			WHEN 'org_id' = ANY (a.names) THEN 't.org_id IS DISTINCT FROM (SELECT o.id FROM elecbill.org o WHERE o.code = $1)'
			WHEN 'org' = ANY (a.names) THEN 't.org IS DISTINCT FROM $1'
			ELSE '$1 <> ''garden''' END AS rule	/* what names no org: the harbour has nothing */
		FROM pg_class c, LATERAL (SELECT array_agg(x.attname::text) AS names FROM pg_attribute x WHERE x.attrelid = c.oid) AS a
		WHERE c.relnamespace = 'elecbill'::regnamespace AND c.relkind IN ('r', 'p', 'v') AND has_table_privilege(c.oid, 'SELECT')
	LOOP
		BEGIN
			EXECUTE format('SELECT count(*), count(*) FILTER (WHERE %s) FROM (SELECT t.* FROM elecbill.%I t OFFSET 0) t', one.rule, one.relname)
				INTO n, alien USING home;
			INSERT INTO public.seen (object, rows, alien) VALUES (one.relname, n, alien);
		EXCEPTION WHEN OTHERS THEN
			INSERT INTO public.seen (object, failed) VALUES (one.relname, SQLSTATE || ' ' || SQLERRM);
		END;
	END LOOP;
END $$;
CREATE FUNCTION public.call_all(run bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE one record; state text; message text;
BEGIN
	FOR one IN
		SELECT p.oid::regprocedure::text AS object, format('SELECT elecbill.%I(%s)', p.proname, (SELECT string_agg(
			public.argument(p.proname, coalesce(p.proargnames[a.i], ''), a.t, run), ', ' ORDER BY a.i) FROM unnest(p.proargtypes::oid[]) WITH ORDINALITY AS a(t, i))) AS statement
		FROM pg_proc p WHERE p.pronamespace = 'elecbill'::regnamespace AND p.prosecdef AND p.prokind = 'f' AND p.pronargs > 0
			AND has_function_privilege(p.oid, 'EXECUTE') AND p.proconfig::text ~ 'elecbill.duty'
	LOOP
		BEGIN
			EXECUTE one.statement;
			state := '00000';
			RAISE EXCEPTION SQLSTATE 'XX999';
		EXCEPTION WHEN OTHERS THEN
			IF SQLSTATE <> 'XX999' THEN
				state := SQLSTATE;
				message := SQLERRM;
			END IF;
		END;
		INSERT INTO public.called VALUES (one.object, one.statement, state, message);
	END LOOP;
END $$;
GRANT EXECUTE ON FUNCTION public.look(text), public.call_all(bigint), public.argument(text, text, regtype, bigint) TO PUBLIC;
SET elecbill.clock_override = '2026-03-10 04:00+00';
SET elecbill.login = 'h1';
SET ROLE :"all";
SELECT public.look('harbour');
SELECT public.call_all(:run);
RESET ROLE;
-- at home, role by role: what a role may read it can read, with all that is called on the way
SET elecbill.login = 'g1';
SELECT format('SET ROLE %I; SELECT public.look(''garden''); RESET ROLE', :'p' || n) FROM unnest('{property,billing,finance,auditor,dba}'::text[]) AS n \gexec
SET elecbill.login = 'li';
SELECT format('SET ROLE %I; SELECT public.look(''garden''); RESET ROLE', :'p' || 'resident') \gexec
RESET elecbill.login;
SELECT plan(12);
SELECT is_empty($$SELECT login, role, object, failed FROM seen WHERE failed IS NOT NULL$$, 'all that may be read can be read');
SELECT cmp_ok((SELECT count(DISTINCT object) FROM seen), '>', 60::bigint, 'that is nearly every table and view');
SELECT cmp_ok((SELECT min(rows) FROM seen WHERE login = 'g1' AND object IN ('bill', 'bill_detail', 'usage_daily', 'interval_usage', 'payment', 'ledger_transfer', 'customer', 'audit_log', 'trial_balance')), '>', 0::bigint, 'at home there is something to see');
SELECT set_eq($$SELECT object, rows FROM seen WHERE login = 'li' AND object IN ('bill', 'my_bills', 'customer_account', 'payment', 'my_home', 'my_balance', 'org', 'tariff_version')$$,
	$$VALUES ('bill', 1), ('my_bills', 1), ('customer_account', 1), ('payment', 1), ('my_home', 1), ('my_balance', 1), ('org', 1), ('tariff_version', 1)$$, 'a resident sees his own');
SELECT is_empty($$SELECT object, rows, alien FROM seen WHERE login = 'h1' AND alien > 0 AND object NOT IN ('schema_version', 'meter_model', 'reading_retention', 'app_user')$$,
	'nothing of the garden is seen from the harbour');
SELECT is_empty($$SELECT object, rows, alien FROM seen WHERE login = 'g1' AND alien > 0$$,
	'and nothing of the harbour from the garden');
SELECT is((SELECT string_agg(s.object || ' ' || s.rows, ', ' ORDER BY s.object) FROM seen s WHERE s.login = 'h1' AND s.object IN ('org', 'org_member', 'app_user', 'billing_cycle', 'audit_log')),
	'app_user 1, audit_log 5, billing_cycle 1, org 1, org_member 5', 'its own rows are');
SELECT cmp_ok((SELECT count(*) FROM called), '>', 50::bigint, 'every function is called with keys of the garden');
-- partition_maintain() names nobody's things; a plan that is drafted is one of the harbour
SELECT is_empty($$SELECT object, state, message, statement FROM called WHERE state <> 'UB404' AND object !~ '_run_cancel_end'
	AND object !~ '^elecbill\.(partition_maintain|_pack_wait|_profile_analyze|tariff_draft|rider_draft)\('$$, 'each says that there is no such thing');
SELECT is_empty($$SELECT r.oid::regprocedure::text FROM elecbill._role_objects() AS r JOIN pg_proc p ON p.oid = r.oid
	WHERE p.proname ~ '^_' AND r.command = 'EXECUTE' AND p.pronargs > 0 EXCEPT SELECT object FROM called$$,
	'those inside of procedures are among them');
SELECT is((SELECT status FROM elecbill.bill_run WHERE id = :run), 'review', 'and the run that _run_cancel_end() was called for is what it was');
SET elecbill.login = 'h1';
SET ROLE :"all";
BEGIN;
SELECT elecbill._pack_wait(t) FROM unnest('{reading,meter_installation}'::text[]) AS t;
SELECT is_empty($$SELECT relation::regclass, mode FROM pg_locks WHERE pid = pg_backend_pid() AND mode = 'ShareLock'$$,
	'who waits for the readings of all keeps nobody from writing them');
COMMIT;
RESET ROLE;
RESET elecbill.login;
SELECT * FROM finish();
