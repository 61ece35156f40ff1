-- 99_grant.sql: the schema layer is closed, and its doors run as its owner
-- Run by create_schema() and by each upgrade; grant_roles() opens what the matrix of 98_role.sql says.
DO $$
DECLARE
	one record;
BEGIN
	FOR one IN SELECT o.kind, o.object FROM elecbill._own_objects() AS o LOOP
		EXECUTE format('REVOKE ALL ON %s %s FROM PUBLIC', one.kind, one.object);
	END LOOP;
	-- row security is on, not forced: the owner's functions are not hindered
	FOR one IN
		SELECT c.relname FROM pg_class c
		WHERE c.relnamespace = 'elecbill'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
			AND NOT c.relrowsecurity AND (c.relname IN ('org', 'app_user', 'import_row_error', 'tariff_snapshot')
				OR EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'org_id' AND NOT a.attisdropped))
	LOOP
		EXECUTE format('ALTER TABLE elecbill.%I ENABLE ROW LEVEL SECURITY', one.relname);
	END LOOP;
	-- a procedure that commits cannot be a definer; what it calls is one
	FOR one IN
		SELECT r.kind, r.object, string_agg(DISTINCT r.role, ',' ORDER BY r.role) AS duties
		FROM elecbill._role_objects() AS r JOIN pg_proc p ON p.oid = r.oid AND (p.prokind = 'f' OR p.proconfig IS NOT NULL)
		WHERE r.command = 'EXECUTE' GROUP BY r.kind, r.object
	LOOP
		EXECUTE format('ALTER %s %s SECURITY DEFINER SET search_path TO pg_catalog, pg_temp SET elecbill.duty TO %L',
			one.kind, one.object, one.duties);
	END LOOP;
END $$;
