-- 98_role.sql: which role may do what, in one matrix, and the roles themselves
--
-- Roles belong to the cluster, so no script makes them: create_roles() does when it is called, and
-- grant_roles() gives them what the matrix says, in this database. Both may be called again at any
-- time. Reading is SELECT on tables and views, under row security; every other verb is EXECUTE on a
-- function that runs as the owner of the schema layer and asks a gate (13_member.sql) first.

CREATE FUNCTION elecbill._role_right() RETURNS TABLE (role text, command text, object text)
LANGUAGE sql IMMUTABLE PARALLEL SAFE ROWS 700 SET jit = off
BEGIN ATOMIC
	SELECT DISTINCT a.role, r.command, o.object
	FROM (VALUES
	-- customers, points, meters
	('SELECT', 'property billing finance auditor dba', 'org calendar calendar_day service_location customer billing_cycle
		customer_account usage_point usage_point_tree meter_model meter meter_register meter_installation
		customer_agreement agreement_attribute collector meter_route usage_limit account_member org_member schema_version'),
	('SELECT', 'auditor dba', 'app_user'),
	('SELECT', 'resident', 'org customer customer_account customer_agreement agreement_attribute usage_point'),
	('EXECUTE', 'property', 'import_estate usage_point_tree_set agreement_start agreement_set agreement_end attribute_set member_grant
		member_revoke collector_create exchange_meter multiplier_change usage_limit_set usage_limit_drop'),
	-- readings, profiles
	('SELECT', 'property billing finance auditor', 'reading reading_latest reading_kept reading_conflict profile_day
		profile_trace import_job import_row_error import_conflict pack_queue pack_state pack_point reading_estimate
		reading_correction reading_edit reading_edit_open true_up true_up_queue vee_rule vee_exception interval_usage usage_daily usage_monthly usage_rolling reading_gap
		usage_hourly tou_check series_power series_day
		reading_effective vee_open vee_rule_hits route_sheet energy_loss _reading_all _reading_newest _profile_counting'),
	('SELECT', 'property billing finance auditor', 'pack_progress collector_status'),
	('SELECT', 'property billing finance auditor dba', 'reading_retention'),
	('SELECT', 'resident', 'profile_day my_home my_usage_hourly my_usage_daily my_usage_monthly'),
	('EXECUTE', 'property', 'reading_add meter_sum import_readings import_intervals profile_load request_reading'),
	('EXECUTE', 'property billing finance auditor', 'profile_export'),
	('INVOKE', 'property billing finance auditor', 'point_readings profile_unpacked'),
	('INVOKE', 'resident', 'profile_unpacked'),
	('EXECUTE', 'billing', 'pack_again unpack pack_profiles vee_run vee_rule_set vee_decide
		estimate_gap estimate_missing correct_reading reading_void reading_move reading_edit_decide late_readings'),
	('EXECUTE', 'collector', 'ingest collector_hello collector_event command_next command_ack(uuid,bigint,text,jsonb)'),
	('EXECUTE', 'dba', 'partition_maintain reading_latest_rebuild org_empty go_live'),
	-- tariffs, calendars
	('SELECT', 'property billing finance auditor dba', 'tariff_plan tariff_version tariff_rider price_series price_point price_batch price_batch_row
		emission_factor'),
	('SELECT', 'resident', 'tariff_plan tariff_version'),
	('EXECUTE', 'billing', 'calendar_create calendar_day_set billing_cycle_create tariff_draft rider_draft rider_set
		rider_end price_series_create'),
	('EXECUTE', 'billing finance', 'import_prices import_prices_reject allocation_rule_reject allocation_rule_end'),
	('EXECUTE', 'finance', 'tariff_approve import_prices_approve allocation_rule_approve'),
	('EXECUTE', 'property billing finance auditor', 'tariff_for billing_period'),
	-- runs, drafts, exceptions
	('SELECT', 'billing finance auditor dba', 'bill_run bill_run_batch bill_exception bill_run_progress bill_run_totals
		bill_hold_note bill_call bill_true_up usage_counter
		allocation_rule allocation allocation_result opening_item opening_total supply_bill supply_line resale_guard line_loss margin'),
	('EXECUTE', 'billing', 'bill_run_start bill_run_work bill_run_retry bill_run_issue bill_month bill_approve rebill rebill_run rerate
		rebill_preview rebill_run_preview run_cancel true_up true_up_request true_up_late bill_invoice bill_red_letter
		offcycle_bill final_bill import_opening parallel_run supply_bill_add supply_bill_void allocation_rule_set'),
	('EXECUTE', 'property billing finance auditor dba', 'point_energy line_energy'),
	-- issued bills
	('SELECT', 'property billing finance auditor dba', 'bill bill_line bill_segment bill_summary bill_detail
		arrears_aging collection_rate top_users invoice_export invoice_party invoice_item tax_invoice late_fee_policy late_fee_accrual
		late_fee_status dunning_policy dunning_step dunning_case dunning_action dunning_status payment_plan payment_plan_part
		payment_plan_status prepay_policy prepay_day prepay_state prepay_status'),
	('SELECT', 'resident', 'bill bill_line bill_segment my_bills'),
	('EXECUTE', 'resident property billing finance auditor', 'explain_bill html_bill html_statement statement svg_load_curve
		svg_bill_history svg_tier_gauge svg_tou_stack svg_heatmap simulate_bill compare_tariffs'),
	('EXECUTE', 'property billing finance auditor', 'html_report html_bills html_site svg_loss_tree'),
	('EXECUTE', 'billing finance', 'invoice_party_set invoice_item_set'),
	('EXECUTE', 'billing', 'bill_hold bill_release cancel_bill'),
	-- arrears, prepayment
	('EXECUTE', 'billing finance', 'late_fee_policy_draft accrue_late_fees dunning_run prepay_run'),
	('EXECUTE', 'finance', 'late_fee_policy_approve dunning_policy_set prepay_policy_set'),
	('EXECUTE', 'property finance', 'customer_tags_set point_priority_set payment_plan_add payment_plan_cancel account_mode_set'),
	-- orders, payments
	('SELECT', 'property billing finance auditor dba', 'payment_policy cashier_shift payment_order payment
		payment_allocation cashier_shift_total channel_statement channel_statement_row channel_reconciliation'),
	('SELECT', 'resident', 'payment_order payment payment_allocation my_balance prepay_state my_prepaid'),
	('EXECUTE', 'resident finance', 'payment_order_create'),
	('EXECUTE', 'property finance', 'cashier_shift_open cashier_shift_close payment_record_cash pay_bill'),
	('EXECUTE', 'finance', 'payment_order_confirm payment_policy_set advance_apply payment_reverse
		channel_statement_import'),
	-- ledger, periods
	('SELECT', 'billing finance auditor dba', 'ledger_account ledger_transfer account_balance accounting_period
		ledger_snapshot number_counter trial_balance account_statement account_money cash_book
		revenue_by_tier revenue_by_tou series_money _bill_booked _revenue_line'),
	('EXECUTE', 'finance', 'post_transfer pending_post pending_void close_period'),
	-- refund, write-off, adjustment
	('SELECT', 'property billing finance auditor dba', 'refund bill_write_off payment_reversal adjustment'),
	('EXECUTE', 'property billing', 'refund_request write_off adjust'),
	('EXECUTE', 'property billing finance', 'adjust_propose'),
	('EXECUTE', 'property billing finance', 'refund_reject write_off_reject adjust_reject'),
	('EXECUTE', 'property finance', 'refund_pay'),
	('EXECUTE', 'finance', 'refund_approve write_off_approve write_off_reverse adjust_approve payment_match'),
	-- alarms, commands
	('SELECT', 'property billing finance auditor dba', 'alarm alarm_open device_command device_event
		device_command_open alarm_rule alarm_ack job job_run job_status outbox outbox_off health'),
	('INVOKE', 'property billing finance auditor dba', 'metrics'),
	('SELECT', 'resident', 'alarm'),
	('EXECUTE', 'property', 'command_take command_ack(text,bigint,text,jsonb) outbox_take outbox_done
		outbox_failed outbox_again outbox_set'),
	('EXECUTE', 'property billing finance', 'alarm_acknowledge alarm_close alarm_rule_set'),
	('EXECUTE', 'billing dba', 'job_set job_enable job_now'),
	-- audit log
	('SELECT', 'auditor', 'audit_log audit_seal'),
	-- what everybody needs to be anybody
	('INVOKE', 'resident property billing finance collector auditor dba', 'my_accounts my_orgs'),
	('INVOKE', 'resident', '_my_points _my_landlords _my_credit _my_home'))
	AS r(command, roles, objects),
	regexp_split_to_table(r.roles, '\s+') AS a(role), regexp_split_to_table(r.objects, '\s+') AS o(object);
END;
COMMENT ON FUNCTION elecbill._role_right() IS
'the matrix of rights: SELECT on a table or view, EXECUTE on a function that runs as the owner (or a procedure that calls such), INVOKE on one that runs with the rights of its caller. object is a name (all functions of that name) or a name with its argument types';

CREATE FUNCTION elecbill._role_names() RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN '{resident,property,billing,finance,collector,auditor,dba}'::text[];
COMMENT ON FUNCTION elecbill._role_names() IS 'the group roles, without their prefix';

CREATE FUNCTION elecbill._own_objects() RETURNS TABLE (oid oid, kind text, name text, object text)
LANGUAGE sql STABLE SET jit = off
BEGIN ATOMIC
	SELECT p.oid, CASE p.prokind WHEN 'p' THEN 'PROCEDURE' ELSE 'FUNCTION' END, p.proname::text,
		format('elecbill.%I(%s)', p.proname, (SELECT string_agg(format_type(t, NULL), ',' ORDER BY i)
			FROM unnest(p.proargtypes) WITH ORDINALITY AS a(t, i)))
	FROM pg_proc p
	WHERE p.pronamespace = 'elecbill'::regnamespace AND p.prokind IN ('f', 'p')
		AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')
	UNION ALL
	SELECT c.oid, CASE c.relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END, c.relname::text, format('elecbill.%I', c.relname)
	FROM pg_class c
	WHERE c.relnamespace = 'elecbill'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'S') AND NOT c.relispartition
		AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e');
END;
COMMENT ON FUNCTION elecbill._own_objects() IS 'functions, procedures, tables, views and sequences of the schema layer, not those of the extension, nor partitions; with the words GRANT uses';

CREATE FUNCTION elecbill._role_objects() RETURNS TABLE (role text, command text, oid oid, kind text, object text)
LANGUAGE sql STABLE SET jit = off
BEGIN ATOMIC
	WITH RECURSIVE own AS MATERIALIZED (
		SELECT o.*, substr(replace(o.object, ', ', ','), length('elecbill.') + 1) AS signature FROM elecbill._own_objects() AS o
	), calls AS MATERIALIZED (
		SELECT DISTINCT p.oid, c.called[1] AS called
		FROM pg_proc p CROSS JOIN LATERAL regexp_matches(p.prosrc, 'elecbill\.(_[a-z0-9_]+)\(', 'g') AS c(called)
		WHERE p.pronamespace = 'elecbill'::regnamespace AND p.prokind = 'p' AND p.proconfig IS NULL
			AND p.oid IN (SELECT o.oid FROM own o)
	), given(role, command, oid, kind, object) AS (
		SELECT m.role, m.command, o.oid, o.kind, o.object
		FROM elecbill._role_right() AS m CROSS JOIN LATERAL (
			SELECT x.* FROM own x WHERE x.name = m.object UNION ALL SELECT x.* FROM own x WHERE x.signature = m.object AND x.name <> m.object) AS o
		WHERE (m.command = 'SELECT') = (o.kind = 'TABLE') AND o.kind <> 'SEQUENCE'
		UNION
		SELECT g.role, 'EXECUTE', o.oid, o.kind, o.object
		FROM given g JOIN calls c ON c.oid = g.oid JOIN own o ON o.name = c.called
		WHERE g.kind = 'PROCEDURE')
	SELECT g.role, g.command, g.oid, g.kind, g.object FROM given g;
END;
COMMENT ON FUNCTION elecbill._role_objects() IS
'the matrix, joined to the objects that are there. A procedure that commits runs with the rights of its caller: whoever may call it may call the internal functions in it, each of which runs as the owner and asks its gate';

CREATE FUNCTION elecbill._view_functions() RETURNS TABLE (role text, object text)
LANGUAGE sql STABLE SET jit = off
BEGIN ATOMIC
	WITH RECURSIVE used(role, classid, objid) AS (
		SELECT r.role, 'pg_class'::regclass::oid, r.oid FROM elecbill._role_objects() AS r WHERE r.command = 'SELECT'
		UNION SELECT r.role, 'pg_proc'::regclass::oid, r.oid FROM elecbill._role_objects() AS r WHERE r.command = 'INVOKE'
		UNION
		SELECT u.role, d.refclassid, d.refobjid
		FROM used u
		LEFT JOIN pg_rewrite w ON u.classid = 'pg_class'::regclass AND w.ev_class = u.objid
		JOIN pg_depend d ON (d.classid, d.objid) = (CASE WHEN w.oid IS NULL THEN u.classid ELSE 'pg_rewrite'::regclass END,
				coalesce(w.oid, u.objid))
			AND d.refclassid IN ('pg_class'::regclass, 'pg_proc'::regclass) AND d.deptype = 'n'
		-- what runs as the owner needs nothing of its caller, nor do the defaults and checks of a table
		WHERE CASE WHEN u.classid = 'pg_class'::regclass THEN w.oid IS NOT NULL
			ELSE NOT (SELECT p.prosecdef FROM pg_proc p WHERE p.oid = u.objid) END)
	SELECT DISTINCT u.role, o.object
	FROM used u JOIN elecbill._own_objects() AS o ON o.oid = u.objid AND o.kind = 'FUNCTION'
	WHERE u.classid = 'pg_proc'::regclass;
END;
COMMENT ON FUNCTION elecbill._view_functions() IS 'functions that the views and INVOKE functions of a role call with the rights of the caller, found by what PostgreSQL knows of their bodies (views and BEGIN ATOMIC)';

CREATE PROCEDURE elecbill.create_roles(prefix text DEFAULT 'elecbill_') LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	one text;
	there pg_roles;
	web text := prefix || 'web';
BEGIN
	IF prefix ~ '^[a-z_][a-z0-9_]{0,30}$' IS NOT TRUE THEN
		RAISE EXCEPTION 'a prefix of roles has 1 to 31 small letters, digits and _' USING ERRCODE = 'UB400';
	END IF;
	FOREACH one IN ARRAY elecbill._role_names() || 'web'::text LOOP
		SELECT * INTO there FROM pg_roles r WHERE r.rolname = prefix || one;
		IF NOT FOUND THEN
			-- another database of the cluster may be making it right now
			BEGIN
				EXECUTE format('CREATE ROLE %I %s', prefix || one, CASE one WHEN 'web' THEN 'LOGIN NOINHERIT' ELSE 'NOLOGIN' END);
			EXCEPTION WHEN duplicate_object OR unique_violation THEN
				NULL;
			END;
		ELSIF there.rolsuper OR there.rolbypassrls OR there.rolcreaterole OR there.rolcreatedb OR there.rolreplication
			OR there.rolcanlogin <> (one = 'web') OR (one = 'web' AND there.rolinherit)
		THEN
			RAISE EXCEPTION USING
				ERRCODE = 'UB409',
				MESSAGE = format('role %s is there and is something else', quote_ident(prefix || one)),
				DETAIL = 'Group roles cannot log in; web logs in and does not inherit; none has an attribute beyond that.',
				HINT = 'Choose another prefix.';
		END IF;
	END LOOP;
	FOREACH one IN ARRAY '{resident,property}'::text[] LOOP
		IF NOT pg_has_role(web, prefix || one, 'MEMBER') THEN
			EXECUTE format('GRANT %I TO %I', prefix || one, web);
		END IF;
	END LOOP;
	IF (SELECT r.rolsuper FROM pg_roles r WHERE r.rolname = current_user) THEN
		EXECUTE format('GRANT SET ON PARAMETER elecbill.login TO %I', web);
	ELSIF NOT has_parameter_privilege(web, 'elecbill.login', 'SET') THEN
		RAISE NOTICE USING MESSAGE = format('%s cannot say yet for whom it works', web),
			HINT = format('A superuser does this once: GRANT SET ON PARAMETER elecbill.login TO %I', web);
	END IF;
END $$;
COMMENT ON PROCEDURE elecbill.create_roles(text) IS
'makes the roles PREFIXresident, property, billing, finance, collector, auditor and dba, that cannot log in, and PREFIXweb, that does, without a password, and is resident or property by SET ROLE. Roles are those of the whole cluster; those that are there are kept. Needs CREATEROLE, and a superuser for GRANT SET ON PARAMETER elecbill.login TO PREFIXweb. UB400, UB409 a role is there and is something else';

CREATE FUNCTION elecbill._role_list(p_prefix text, p_roles text[]) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (SELECT string_agg(format('%I', p_prefix || r), ', ' ORDER BY r) FROM unnest(p_roles) AS r);
COMMENT ON FUNCTION elecbill._role_list(text, text[]) IS 'roles as GRANT names them';

CREATE PROCEDURE elecbill.grant_roles(prefix text DEFAULT 'elecbill_') LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	everyone text := elecbill._role_list(prefix, elecbill._role_names());
	lacking text := (SELECT string_agg(prefix || n, ', ') FROM unnest(elecbill._role_names()) AS n
		WHERE to_regrole(quote_ident(prefix || n)) IS NULL);
	one record;
BEGIN
	IF lacking IS NOT NULL OR everyone IS NULL THEN
		RAISE EXCEPTION USING ERRCODE = 'UB404', MESSAGE = format('there is no role %s', coalesce(lacking, 'NULL')),
			HINT = 'CALL elecbill.create_roles() makes them.';
	END IF;
	-- a policy needs the table for itself; asked for behind the GRANT of the same table, that meets autovacuum in a deadlock
	FOR one IN SELECT o.object FROM elecbill._own_objects() AS o JOIN pg_class c ON c.oid = o.oid
		WHERE o.kind = 'TABLE' AND c.relkind <> 'v' ORDER BY o.object
	LOOP
		EXECUTE format('LOCK TABLE ONLY %s IN ACCESS EXCLUSIVE MODE', one.object);
	END LOOP;
	EXECUTE format('GRANT USAGE ON SCHEMA elecbill TO %s', everyone);
	FOR one IN SELECT o.kind, o.object FROM elecbill._own_objects() AS o LOOP
		EXECUTE format('REVOKE ALL ON %s %s FROM %s', one.kind, one.object, everyone);
	END LOOP;
	FOR one IN
		SELECT r.kind, r.object, CASE r.command WHEN 'SELECT' THEN 'SELECT' ELSE 'EXECUTE' END AS command,
			elecbill._role_list(prefix, array_agg(DISTINCT r.role)) AS roles
		FROM elecbill._role_objects() AS r GROUP BY 1, 2, 3
		UNION ALL
		SELECT 'FUNCTION', v.object, 'EXECUTE', elecbill._role_list(prefix, array_agg(v.role))
		FROM elecbill._view_functions() AS v GROUP BY v.object
	LOOP
		EXECUTE format('GRANT %s ON %s %s TO %s', one.command, one.kind, one.object, one.roles);
	END LOOP;
	FOR one IN SELECT c.relname, y.polname FROM pg_policy y JOIN pg_class c ON c.oid = y.polrelid
		WHERE c.relnamespace = 'elecbill'::regnamespace AND y.polname IN ('staff', 'property', 'resident')
	LOOP
		EXECUTE format('DROP POLICY %I ON elecbill.%I', one.polname, one.relname);
	END LOOP;
	FOR one IN SELECT * FROM elecbill._role_policy(prefix) LOOP
		EXECUTE one.statement;
		EXECUTE format('COMMENT ON POLICY %I ON elecbill.%I IS %L', one.name, one.object, 'made by grant_roles()');
	END LOOP;
END $$;
COMMENT ON PROCEDURE elecbill.grant_roles(text) IS
'gives the roles of create_roles() what the matrix says, in this database: SELECT under row security, EXECUTE on functions. What they had and should not is taken. To be called after create_roles() and after every upgrade, by the owner of the schema layer. UB404 a role is not there';
