-- identity.sql: who somebody is, cannot be made up; what is foreign looks as if it were not there
\getenv super PGSUPERUSER
\getenv owner PGUSER
SELECT current_database() AS db, lower(regexp_replace(current_database(), '\W', '_', 'g')) || '_' AS p \gset
\set resident :p 'resident'
\set property :p 'property'
\set finance :p 'finance'
\set billing :p 'billing'
\set web :p 'web'
\set person :p 'wang'

-- two estates; in the garden, room R-1 changes its tenant on 16 January
SET elecbill.clock_override = '2026-03-10 04:00+00';
SELECT elecbill.org_create('garden', 'Garden'), elecbill.org_create('harbour', 'Harbour');
SELECT elecbill.tariff_draft(o || '/T', '[2026-01-01,)', '{"elecbill": 1, "code": "T", "currency": "CNY", "zone": "Asia/Shanghai", "components": [{"code": "energy", "kind": "energy", "price": 0.5}]}', 'writer'),
	elecbill.tariff_approve(o || '/T', 1, 'checker') FROM unnest('{garden,harbour}'::text[]) AS o;
SELECT elecbill.import_estate('garden', convert_to(E'room,account_no,name,kind,meter_no,model,last_reading,last_read_at,tariff\nR-1,10001,Li,residential,G-1,DD-1,1000,2026-01-01,T\nR-2,10002,Zhao,residential,G-2,DD-1,2000,2026-01-01,T', 'UTF8'));
SELECT elecbill.import_estate('harbour', convert_to(E'room,account_no,name,kind,meter_no,model,last_reading,last_read_at,tariff\nR-1,20001,Sun,residential,H-1,DD-1,3000,2026-01-01,T', 'UTF8'));
SELECT elecbill.agreement_end('garden', '10001', '2026-01-16');
SELECT elecbill.agreement_start('garden', '10003', 'Wang', 'person', 'R-1', 'T', '2026-01-16');
SELECT elecbill.collector_create('garden', 'c', '5f0c0b0e-0000-4000-8000-000000000001'), elecbill.collector_create('harbour', 'c', '5f0c0b0e-0000-4000-8000-000000000002');
SELECT elecbill.ingest(c.id, 1, array_agg(m.serial), array_agg('1.8.0'::text), array_agg(t.at), array_agg(m.base + t.n - 1), array_agg(0), array_agg(NULL::timestamptz))
FROM (VALUES ('5f0c0b0e-0000-4000-8000-000000000001'::uuid, 'G-1', 1000), ('5f0c0b0e-0000-4000-8000-000000000001', 'G-2', 2000), ('5f0c0b0e-0000-4000-8000-000000000002', 'H-1', 3000)) AS m(collector, serial, base)
JOIN elecbill.collector c ON c.id = m.collector,
	generate_series('2026-01-01 00:00+08'::timestamptz, '2026-03-10 00:00+08', '6 hours') WITH ORDINALITY AS t(at, n) GROUP BY c.id, m.serial;
CALL elecbill.bill_month('garden', 'MONTH', '2026-01');
CALL elecbill.bill_month('harbour', 'MONTH', '2026-01');
SELECT elecbill.bill_run_start('garden', 'MONTH', '[2026-02-01,2026-03-01)') AS run \gset
CALL elecbill.bill_run_work(:run);
CALL elecbill.pack_profiles('garden');
CALL elecbill.pack_profiles('harbour');
SELECT elecbill.member_grant('10001', 'li'), elecbill.member_grant('10002', 'zhao'), elecbill.member_grant('10003', 'wang', 'tenant'),
	elecbill.member_grant('20001', 'sun'), elecbill.duty_grant('garden', 'p1', 'property'), elecbill.duty_grant('garden', 'b1', 'billing'),
	elecbill.duty_grant('harbour', 'b1', 'property'), elecbill.duty_grant('garden', 'f1', 'finance');
SELECT elecbill.member_grant('10003', :'person', 'tenant');
\set g_bill 'garden/2026-000001'
\set h_bill 'harbour/2026-000001'
\c - :super
ALTER DATABASE :"db" SET elecbill.clock_override = '2026-03-10 04:00+00';
ALTER DATABASE :"db" SET client_min_messages = error;
SET client_min_messages = error;
CALL elecbill.create_roles(:'p');
SELECT format('CREATE ROLE %I LOGIN', :'person') WHERE to_regrole(:'person') IS NULL \gexec
ALTER ROLE :"person" RESET ALL;
GRANT :"resident" TO :"person";
GRANT :"billing", :"finance" TO :"web";	-- an office that works through the web, too
CREATE FUNCTION public.said(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE answer text;
BEGIN
	EXECUTE statement INTO answer;
	RETURN answer;
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE || ' ' || SQLERRM;
END $$;
-- each part is a session of its own: what it found is kept until the end
CREATE TABLE public.answer (n integer GENERATED ALWAYS AS IDENTITY, got text, want text, what text);
CREATE FUNCTION public.told(got text, want text, what text) RETURNS void LANGUAGE sql SECURITY DEFINER
SET search_path = public, pg_temp AS $$ INSERT INTO answer (got, want, what) VALUES (got, want, what) $$;
\c - :owner
CALL elecbill.grant_roles(:'p');

SELECT told(elecbill.current_login(), :'owner', 'without a login the role that logged in is at work');
SELECT told(elecbill._sees_all()::text, 'true', 'the owner of the schema layer sees everything');
SELECT told((SELECT count(*)::text FROM elecbill.bill), '6', 'all bills');
SELECT told((SELECT count(*) || ' ' || to_timestamp(max(h.hour) * 3600.0) AT TIME ZONE 'Asia/Shanghai' FROM elecbill.customer_account a, elecbill._hour_kw(a.org_id, a.id, '[2026-01-01 00:00+08,2026-03-01 00:00+08)') AS h
	WHERE a.account_no = '10001'), '360 2026-01-15 23:00:00', 'the load curve of an account ends when it moves out, whatever is asked for');
SELECT told(said('SET elecbill.login = ''li'''), '42501 permission denied to set parameter "elecbill.login"', 'even the owner cannot work for somebody unless a superuser allows it');

-- the application: for whom, then the role
\c - :web
SELECT told(said('SELECT count(*) FROM elecbill.my_bills'), '42501 permission denied for schema elecbill', 'the application has no right of its own');
BEGIN;
SET LOCAL elecbill.login = 'li';
SET LOCAL ROLE :"resident";
SELECT told(elecbill.current_login(), 'li', 'the application says for whom it works');
SELECT told(said('SELECT string_agg(account_no || '' '' || number, '','') FROM elecbill.my_bills'), '10001 2026-000001', 'Li sees his bill');
SELECT told(said('SELECT count(*) FROM elecbill.bill'), '1', 'and no other one by the table, drafts included');
SELECT told(said('SELECT count(*) FROM elecbill.customer_account'), '1', 'his account alone');
SELECT told(said('SELECT string_agg(name, '','') FROM elecbill.customer'), 'Li', 'his name alone');
SELECT told(said('SELECT string_agg(code, '','') FROM elecbill.org'), 'garden', 'his estate alone');
SELECT told(said('SELECT min(day) || '' '' || max(day) || '' '' || count(*) FROM elecbill.profile_day'), '2026-01-01 2026-01-15 15', 'usage until he moved out, not after it');
SELECT told(said('SELECT string_agg(usage_point || '' '' || to_char(month, ''YYYY-MM'') || '' '' || energy_kwh::numeric(9,1), '','') FROM elecbill.my_usage_monthly'), 'R-1 2026-01 60.0', '15 days of 4 kWh');
SELECT told(said('SELECT count(*) || '' '' || min(from_at AT TIME ZONE ''Asia/Shanghai'') || '' '' || sum(energy_kwh)::numeric(9,1) FROM elecbill.my_usage_hourly'), '60 2026-01-01 00:00:00 60.0', 'in four quarters of each day, as it was read');
SELECT told(said('SELECT count(*) || '' '' || bool_and(complete) FROM elecbill.my_usage_daily'), '15 false', 'days say whether all their quarter hours are known');
SELECT told(said('SELECT count(*) FROM elecbill.my_home'), '0', 'he has no home here today');
SELECT told(said('SELECT open || '' '' || to_pay FROM elecbill.my_balance'), '30.00 30.00', 'and owes for half a month');
SELECT told((said(format('SELECT elecbill.html_bill(%L)', :'g_bill')) ~ '<html')::text, 'true', 'he can have his bill printed');
SELECT told(said('SELECT elecbill.html_bill(''harbour/2026-000001'')'), 'UB404 there is no bill ''harbour/2026-000001''', 'a bill of another estate is not there');
SELECT told(said('SELECT elecbill.html_bill(''garden/2026-000002'')'), 'UB404 there is no bill ''garden/2026-000002''', 'nor that of a neighbour');
SELECT told(said('SELECT elecbill.html_bill(''garden/2026-000099'')'), 'UB404 there is no bill ''garden/2026-000099''', 'just as one that does not exist');
SELECT told(said('SELECT elecbill.payment_order_create(''10002'', NULL, 1, ''alipay'', ''k'')'), 'UB404 there is no account ''10002''', 'he cannot order for a neighbour');
SELECT told(said('SELECT (elecbill.payment_order_create(''10001'', NULL, 30, ''alipay'', ''k'')).status'), 'created', 'he can for himself');
SELECT told(said('SELECT count(*) FROM elecbill.reading'), '42501 permission denied for table reading', 'readings are no table for residents');
SELECT told(said('SELECT count(*) FROM elecbill.ledger_transfer'), '42501 permission denied for table ledger_transfer', 'nor is the ledger');
SELECT told(said('SET elecbill.login = ''sun'''), '42501 permission denied to set parameter "elecbill.login"', 'after the role is set nobody becomes somebody else');
SELECT told(said('SELECT concat(set_config(''role'', ''none'', true), set_config(''elecbill.login'', ''sun'', true))'), '42501 this transaction works for another login', 'nor by taking the role off again');
SELECT told(said('SELECT concat(set_config(''role'', ''none'', true), set_config(''elecbill.login'', '''', true), set_config(''elecbill.login'', ''sun'', true))'), '42501 this transaction works for another login', 'nor by being nobody in between');
SELECT told(said('SELECT set_config(''elecbill.login'', ''sun'', true)'), '42501 permission denied to set parameter "elecbill.login"', 'nor by set_config()');
SELECT told(said('SET elecbill.trust_jwt_claims = on'), '42501 permission denied to set parameter "elecbill.trust_jwt_claims"', 'claims cannot be made trusted');
SELECT set_config('request.jwt.claims', '{"sub": "sun"}', true), set_config('elecbill.duty', 'finance', true);
SELECT told(elecbill.current_login(), 'li', 'and without that say nothing');
SELECT told(said('SELECT c::text FROM elecbill.payment_order_confirm(''garden'', ''alipay'', ''t1'', ''x'', 1, now()) AS c'), '42501 permission denied for function payment_order_confirm', 'a duty that is set by hand opens nothing');
SELECT told(said('SELECT elecbill._refused(''garden'', ''x'', ''x'', ''UB400'', ''x'')'), '42501 permission denied for function _refused', 'and no refusal is made up');
COMMIT;
BEGIN;
SET LOCAL elecbill.login = 'nobody';
SET LOCAL ROLE :"resident";
SELECT told(ARRAY[elecbill.my_accounts()::text, elecbill.my_orgs()::text]::text, '{"{}","{}"}', 'who is not known sees the empty set, not NULL');
SELECT told(said('SELECT count(*) FROM elecbill.bill'), '0', 'which is no bill');
COMMIT;
BEGIN;
SET LOCAL elecbill.login = 'wang';
SET LOCAL ROLE :"resident";
SELECT told(said('SELECT usage_point || '' '' || meter || '' '' || register_kwh::numeric(9,1) || '' '' || month_kwh::numeric(9,1) FROM elecbill.my_home'), 'R-1 G-1 1272.0 36.0', 'the next tenant sees the meter and this month');
SELECT told(said('SELECT min(day) FROM elecbill.profile_day'), '2026-01-16', 'his usage begins when he moved in');
COMMIT;

-- duties hold by org: b1 is billing in the garden and property at the harbour
BEGIN;
SET LOCAL elecbill.login = 'b1';
SET LOCAL ROLE :"billing";
SELECT told(said('SELECT count(*) FILTER (WHERE number IS NULL) || '' '' || count(*) FROM elecbill.bill'), '2 5', 'billing sees the drafts of the garden, and nothing of the harbour');
SELECT told(said('SELECT elecbill.bill_run_start(''harbour'', ''MONTH'', ''[2026-02-01,2026-03-01)'')'), 'UB404 there is no billing cycle ''MONTH'' of organisation ''harbour''', 'it bills nobody at the harbour');
SELECT told(said('SELECT elecbill.tariff_approve(''garden/T'', 1, ''b1'')'), '42501 permission denied for function tariff_approve', 'who drafts tariffs does not approve them');
SELECT told(said('SELECT elecbill.tariff_draft(''garden/T'', ''[2027-01-01,)'', ''{}'', ''somebody'')'), 'UB403 ''b1'' cannot sign for ''somebody''', 'and signs with his own name');
COMMIT;
BEGIN;
SET LOCAL elecbill.login = 'b1';
SET LOCAL ROLE :"property";
SELECT told(said('SELECT count(*) FILTER (WHERE number IS NULL) || '' '' || count(*) FROM elecbill.bill'), '0 1', 'property sees the issued bill of the harbour, where he is property');
SELECT told(said('SELECT elecbill.member_grant(''10002'', ''b1'')'), 'UB404 there is no account ''10002''', 'he gives away no account of the garden');
COMMIT;

-- a person with a role of his own
\c - :person
SELECT told(said('SELECT string_agg(account_no, '','') FROM elecbill.my_bills'), '10003', 'a role that logs in is the login');
SELECT told(said('SET SESSION AUTHORIZATION ' || :'owner'), '42501 permission denied to set session authorization "' || :'owner' || '"', 'and stays it');

-- a gateway that checks tokens is trusted by a superuser, role by role
\c - :super
ALTER ROLE :"person" SET elecbill.trust_jwt_claims = on;
\c - :person
SELECT set_config('request.jwt.claims', '{"sub": "zhao", "role": "resident"}', false);
SELECT told(said('SELECT string_agg(account_no, '','') FROM elecbill.my_bills'), '10002', 'trusted claims say for whom the gateway works');
SELECT set_config('request.jwt.claims', '{"role": "anonymous"}', false);
SELECT told(said('SELECT count(*) FROM elecbill.my_bills'), 'UB403 request.jwt.claims names nobody', 'claims without a name are nobody, not the gateway');

-- an office worker with a role of his own bills a month, a collector stores readings, by these calls alone
\set clerk :p 'clerk'
\set collector :p 'collector'
\c - :super
SELECT format('CREATE ROLE %I LOGIN', :'clerk') WHERE to_regrole(:'clerk') IS NULL \gexec
GRANT :"billing" TO :"clerk";
SELECT elecbill.duty_grant('garden', :'clerk', 'billing');
\c - :clerk
SET client_min_messages = error;
CALL elecbill.bill_run_issue(:run);
SELECT told(said('SELECT count(*) FILTER (WHERE number IS NOT NULL) || '' '' || count(*) FROM elecbill.bill'), '5 5', 'he issues what was rated');
SELECT told(said('SELECT elecbill.bill_run_start(''garden'', ''MONTH'', ''[2026-02-01,2026-03-01)'')'), :'run', 'and starts what was started');
CALL elecbill.bill_run_work(:run);
CALL elecbill.pack_profiles('garden');
SELECT told(said('SELECT elecbill._bill_issue_begin(2)'), 'UB404 there is no bill run 2', 'what works inside of that asks, too');
\c - :super
SET ROLE :"collector";
SELECT told(said('SELECT i::text FROM elecbill.ingest(''5f0c0b0e-0000-4000-8000-000000000001'', 1000, ''{G-1,H-1}'', ''{1.8.0,1.8.0}'', ''{2026-03-10 03:00+00,2026-03-10 03:00+00}'', ''{1272.5,4000}'', ''{0,0}'', ''{NULL,NULL}'') AS i'),
	'(1,0,0,1)', 'a collector stores a reading of its estate, not of another');
SELECT told(said('SELECT count(*) FROM elecbill.meter'), '42501 permission denied for table meter', 'and looks at nothing');
RESET ROLE;
-- what was refused in the name of a resident is in the log, by his name and the role of the application
\c - :super
SELECT told((SELECT string_agg(o.code || ' ' || a.login || ' ' || a.role || ' ' || a.object || ' ' || a.state, ',') FROM elecbill.audit_log a LEFT JOIN elecbill.org o ON o.id = a.org_id WHERE a.outcome = 'refused' AND a.action = 'payment_order_create'),
	'garden li ' || :'web' || ' 10002 UB404', 'the order for a neighbour is in the log');
-- a login that looks like another
\c - :super
SET elecbill.login = 'l i';	/* before the library is there */
SELECT told(said('SELECT elecbill.current_login()'), 'UB403 elecbill.login names nobody', 'a login that is none is nobody, not the role that logged in');
SELECT told(elecbill._sees_all()::text, 'false', 'who sees nothing');
RESET elecbill.login;
SELECT told(elecbill._sees_all()::text, 'true', 'until it is taken back');
SELECT told(string_agg(left(said(format('SELECT set_config(''elecbill.login'', %L, false)', 'li' || chr(x))), 5), ','), '22023,22023,22023,22023,22023', 'no login looks like another')
FROM unnest('{32,160,173,8203,65279}'::integer[]) AS x;
SELECT told(said(format('SELECT set_config(''elecbill.login'', %L, false)', '李雷')), '李雷', 'any script will do');
RESET elecbill.login;
-- locking
\c - :super
SELECT elecbill.user_lock('li');
SET elecbill.login = 'li';
SELECT told(ARRAY[elecbill.my_accounts()::text, elecbill._sees_all()::text]::text, '{"{}",false}', 'who is locked out sees nothing');
RESET elecbill.login;
ALTER ROLE :"person" RESET ALL;
-- what is planted before the library is there is dropped when it comes
\setenv PGOPTIONS '-c elecbill.login=sun -c elecbill.trust_jwt_claims=on'
\c - :person
SELECT told(elecbill.current_login(), :'person', 'a login planted by the connection is dropped');
SELECT told(said('SELECT string_agg(DISTINCT account_no, '','') FROM elecbill.my_bills'), '10003', 'nothing of it is left');
\setenv PGOPTIONS ''
\set again 'user=' :super ' dbname=' :db

\c -reuse-previous=off :again
SELECT plan(count(*)::integer) FROM answer;
SELECT is(a.got, a.want, a.what) FROM answer AS a ORDER BY a.n;
SELECT * FROM finish();
