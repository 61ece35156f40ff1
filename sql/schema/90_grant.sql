-- 90_grant.sql: nobody but the owner may use the schema layer; this version grants nothing
DO $$
DECLARE
	object record;
BEGIN
	FOR object IN
		SELECT CASE p.prokind WHEN 'p' THEN 'PROCEDURE' ELSE 'FUNCTION' END AS kind,
			p.oid::regprocedure::text AS name
		FROM pg_proc p
		WHERE p.pronamespace = 'elecbill'::regnamespace AND p.prokind IN ('f', 'p')
			AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass
				AND d.objid = p.oid AND d.deptype = 'e')
	UNION ALL
		SELECT CASE c.relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END, c.oid::regclass::text
		FROM pg_class c
		WHERE c.relnamespace = 'elecbill'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'S')
			AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass
				AND d.objid = c.oid AND d.deptype = 'e')
	LOOP
		EXECUTE format('REVOKE ALL ON %s %s FROM PUBLIC', object.kind, object.name);
	END LOOP;
END $$;
