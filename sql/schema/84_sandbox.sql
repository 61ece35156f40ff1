-- 84_sandbox.sql: an org begins as a sandbox, can be emptied and begun anew, and goes live once
--
-- Rows that are never deleted are so by triggers. Those let a DELETE pass while org.emptying is the running
-- transaction and the org is a sandbox: only org_empty() sets that, in a row that it holds, and takes it
-- back before it returns. So nobody else deletes anything meanwhile, nor does it of another org, and who
-- calls go_live() waits. audit_log knows no exception.
-- Locks: the org, then usage_point and meter_register as a whole: reading and profile_day have no foreign
-- keys, so whoever has looked up where a value belongs is waited for, and who comes later finds nothing.

CREATE FUNCTION elecbill._org_kept() RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN '{audit_log,org_member,calendar,calendar_day,billing_cycle,tariff_plan,tariff_version,tariff_rider,price_series,price_point,collector,vee_rule,alarm_rule,job,outbox_off,pack_state,payment_policy,late_fee_policy,dunning_policy,dunning_step,prepay_policy}'::text[];
COMMENT ON FUNCTION elecbill._org_kept() IS 'tables of which org_empty() keeps the rows: the log, the staff, and what is set once and not measured, billed or booked';

CREATE FUNCTION elecbill._org_tables() RETURNS text[]
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN ARRAY(SELECT c.relname::text FROM pg_class c
		WHERE c.relnamespace = 'elecbill'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
			AND c.relname <> ALL (elecbill._org_kept())
			AND EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'org_id' AND NOT a.attisdropped)
		ORDER BY 1);
END $$;
COMMENT ON FUNCTION elecbill._org_tables() IS 'tables that org_empty() empties: those with an owner in each row, but those of _org_kept()';

CREATE FUNCTION elecbill._org_delete(p_org integer) RETURNS jsonb
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	deleted jsonb;
BEGIN
	-- one statement: foreign keys are looked at when it is done, and some of them go in a circle
	EXECUTE (
		SELECT format('WITH import_row_error AS (DELETE FROM elecbill.import_row_error x USING elecbill.import_job j
				WHERE j.id = x.job_id AND j.org_id = $1 RETURNING 1), %s
			SELECT coalesce(jsonb_object_agg(n.object, n.deleted), ''{}'')
			FROM (SELECT ''import_row_error'', count(*) FROM import_row_error UNION ALL %s) AS n(object, deleted)
			WHERE n.deleted > 0',
			string_agg(format('%I AS (DELETE FROM elecbill.%1$I x WHERE x.org_id = $1 RETURNING 1)', t.name), ', ' ORDER BY t.i),
			string_agg(format('SELECT %L, count(*) FROM %1$I', t.name), ' UNION ALL ' ORDER BY t.i))
		FROM unnest(elecbill._org_tables()) WITH ORDINALITY AS t(name, i)) INTO deleted USING p_org;
	RETURN deleted;
END $$;
COMMENT ON FUNCTION elecbill._org_delete(integer) IS 'deletes the rows of an org: {table: how many}. The guards refuse it (UB403, UB412) unless org_empty() is at work';

CREATE FUNCTION elecbill._org_empty(p_org text, p_name text) RETURNS TABLE (object text, deleted bigint)
-- who asks for a lock on a whole table stands in the way of all who come after it: not for long
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET lock_timeout = '5s' AS $$
DECLARE
	owner	elecbill.org;
	gone	jsonb;
BEGIN
	SELECT o.* INTO owner FROM elecbill.org AS o WHERE o.id = elecbill._org_get(p_org) FOR NO KEY UPDATE;
	IF owner.state <> 'sandbox' THEN
		RAISE EXCEPTION USING
			ERRCODE = 'UB412',
			MESSAGE = format('org %s is live and is not emptied', quote_literal(owner.code)),
			DETAIL = format('It went live at %s.', elecbill._local_time(owner.live_at, owner.zone));
	ELSIF p_name IS DISTINCT FROM owner.name THEN
		RAISE EXCEPTION USING
			ERRCODE = 'UB400',
			MESSAGE = format('org %s has another name', quote_literal(owner.code)),
			HINT = 'Whoever empties an org gives its name, so that it is not another one.';
	END IF;
	LOCK TABLE elecbill.usage_point, elecbill.meter_register IN ACCESS EXCLUSIVE MODE;
	UPDATE elecbill.org o SET emptying = pg_current_xact_id() WHERE o.id = owner.id;
	gone := elecbill._org_delete(owner.id);
	UPDATE elecbill.pack_state s SET until = NULL, until_at = '-infinity' WHERE s.org_id = owner.id;
	UPDATE elecbill.org o SET emptying = NULL WHERE o.id = owner.id;
	PERFORM elecbill._audit(owner.id, 'org_empty', owner.code, gone, NULL);
	RETURN QUERY SELECT e.key, e.value::bigint FROM jsonb_each_text(gone) AS e ORDER BY 1;
EXCEPTION WHEN foreign_key_violation OR lock_not_available THEN
	RAISE EXCEPTION USING
		ERRCODE = 'UB409',
		MESSAGE = CASE SQLSTATE WHEN '55P03' THEN 'somebody is at work with meters or usage points'
			ELSE format('somebody is at work in org %s', quote_literal(owner.code)) END,
		DETAIL = SQLERRM,
		HINT = 'Try again when that is done.';
END $$;
COMMENT ON FUNCTION elecbill._org_empty(text, text) IS 'what org_empty() does';

CREATE FUNCTION elecbill.org_empty(org text, name text) RETURNS TABLE (object text, deleted bigint)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN QUERY SELECT * FROM elecbill._org_empty(org, name);
EXCEPTION WHEN OTHERS THEN
	PERFORM elecbill._refused(org, 'org_empty', org, SQLSTATE, SQLERRM);
	RAISE;
END $$;
COMMENT ON FUNCTION elecbill.org_empty(text, text) IS
'empties a sandbox (code and name of the org) so that it can begin anew: customers, meters, readings, bills, numbers, ledger, payments, imports are gone for good; staff, calendars, tariffs, prices, cycles, rules, collectors and the audit log stay. Returns how many rows of which table went. For the DBA; whoever works with meters or usage points waits meanwhile, in every org. UB400 another name, UB404, UB409 somebody is at work in it, or holds meters for more than 5 seconds, UB412 the org is live';

CREATE FUNCTION elecbill._go_live(p_org text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	owner	elecbill.org;
BEGIN
	SELECT o.* INTO owner FROM elecbill.org AS o WHERE o.id = elecbill._org_get(p_org) FOR NO KEY UPDATE;
	IF owner.state = 'live' THEN
		RETURN;
	END IF;
	UPDATE elecbill.org o SET state = 'live', live_at = elecbill.now() WHERE o.id = owner.id;
	-- who was to be cut off in a rehearsal is not cut off in earnest
	UPDATE elecbill.device_command AS d SET state = 'failed', answered_at = elecbill.now(), answer = '{"reason": "sandbox"}'
	WHERE d.org_id = owner.id AND d.kind IN ('disconnect', 'reconnect') AND d.state = 'queued';
	PERFORM elecbill._audit(owner.id, 'go_live', owner.code, jsonb_build_object('state', owner.state), jsonb_build_object('state', 'live'));
END $$;
COMMENT ON FUNCTION elecbill._go_live(text) IS 'what go_live() does';

CREATE FUNCTION elecbill.go_live(org text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	PERFORM elecbill._go_live(org);
EXCEPTION WHEN OTHERS THEN
	PERFORM elecbill._refused(org, 'go_live', org, SQLSTATE, SQLERRM);
	RAISE;
END $$;
COMMENT ON FUNCTION elecbill.go_live(text) IS
'ends the sandbox of an org, for good: what is there stays, orders that wait for command_take() are given up, org_empty() and import_opening() are refused from now on. For the DBA; live already: nothing happens. UB404';
