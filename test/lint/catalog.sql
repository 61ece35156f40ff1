-- catalog.sql: what must hold in a database that has the extension and the schema layer
-- test/lint/server runs each part alone. A part prints one row for each fault, none when all is well.

-- check: every member of the extension lies in schema elecbill
SELECT o.identity
FROM pg_catalog.pg_depend AS d
JOIN pg_catalog.pg_extension AS e ON e.oid = d.refobjid AND d.refclassid = 'pg_extension'::regclass
CROSS JOIN LATERAL pg_catalog.pg_identify_object(d.classid, d.objid, d.objsubid) AS o
WHERE e.extname = 'elecbill' AND d.deptype = 'e'
	AND o.schema IS DISTINCT FROM 'elecbill' AND o.type <> 'cast'
ORDER BY 1;

-- check: no member of the extension is a table, a view or a sequence
SELECT c.oid::regclass
FROM pg_catalog.pg_depend AS d
JOIN pg_catalog.pg_extension AS e ON e.oid = d.refobjid AND d.refclassid = 'pg_extension'::regclass
JOIN pg_catalog.pg_class AS c ON c.oid = d.objid AND d.classid = 'pg_class'::regclass
WHERE e.extname = 'elecbill' AND d.deptype = 'e' AND c.relkind <> 'c'
ORDER BY 1;

-- check: every member of the extension has a comment
SELECT o.type || ' ' || o.identity
FROM pg_catalog.pg_depend AS d
JOIN pg_catalog.pg_extension AS e ON e.oid = d.refobjid AND d.refclassid = 'pg_extension'::regclass
CROSS JOIN LATERAL pg_catalog.pg_identify_object(d.classid, d.objid, d.objsubid) AS o
WHERE e.extname = 'elecbill' AND d.deptype = 'e' AND o.type <> 'operator family'
	AND pg_catalog.obj_description(d.objid, d.classid::regclass::name) IS NULL
ORDER BY 1;

-- check: every table, view, type, function of the schema layer has a comment
SELECT 'relation ' || c.oid::regclass
FROM pg_catalog.pg_class AS c
WHERE c.relnamespace = 'elecbill'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'c')
	AND NOT c.relispartition
	AND coalesce(pg_catalog.obj_description(c.oid, 'pg_class'),
		pg_catalog.obj_description(c.reltype, 'pg_type')) IS NULL
UNION ALL
SELECT 'function ' || p.oid::regprocedure
FROM pg_catalog.pg_proc AS p
WHERE p.pronamespace = 'elecbill'::regnamespace
	AND pg_catalog.obj_description(p.oid, 'pg_proc') IS NULL
UNION ALL
SELECT 'type ' || t.oid::regtype
FROM pg_catalog.pg_type AS t
WHERE t.typnamespace = 'elecbill'::regnamespace AND t.typtype IN ('d', 'e', 'r')
	AND pg_catalog.obj_description(t.oid, 'pg_type') IS NULL
ORDER BY 1;

-- check: every column of a table, a view, a row type has a comment
SELECT c.oid::regclass || '.' || a.attname
FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE c.relnamespace = 'elecbill'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'c')
	AND NOT c.relispartition
	AND pg_catalog.col_description(c.oid, a.attnum) IS NULL
ORDER BY 1;

-- check: no member of the extension runs with the rights of its owner, and what does pins its search_path
SELECT p.oid::regprocedure
FROM pg_catalog.pg_proc AS p
WHERE p.pronamespace = 'elecbill'::regnamespace AND p.prosecdef
	AND (NOT 'search_path=pg_catalog, pg_temp' = ANY (coalesce(p.proconfig, '{}'))
		OR EXISTS (SELECT FROM pg_catalog.pg_depend AS d WHERE d.classid = 'pg_catalog.pg_proc'::regclass
			AND d.objid = p.oid AND d.deptype = 'e'))
ORDER BY 1;

-- check: every body that is a string has its search_path pinned, or is a procedure that commits
SELECT p.oid::regprocedure
FROM pg_catalog.pg_proc AS p
JOIN pg_catalog.pg_language AS l ON l.oid = p.prolang
WHERE p.pronamespace = 'elecbill'::regnamespace
	AND l.lanname IN ('sql', 'plpgsql') AND p.prosqlbody IS NULL
	AND NOT (p.prokind = 'p' AND p.prosrc ~* '\m(commit|rollback)\s*;')
	AND NOT coalesce(p.proconfig @> '{"search_path=pg_catalog, pg_temp"}', false)
ORDER BY 1;

-- check: PUBLIC may do nothing in the schema layer
SELECT c.oid::regclass || ': ' || a.privilege_type
FROM pg_catalog.pg_class AS c
CROSS JOIN LATERAL pg_catalog.aclexplode(c.relacl) AS a
WHERE c.relnamespace = 'elecbill'::regnamespace AND a.grantee = 0
UNION ALL
SELECT p.oid::regprocedure || ': ' || a.privilege_type
FROM pg_catalog.pg_proc AS p
CROSS JOIN LATERAL pg_catalog.aclexplode(coalesce(p.proacl,
	pg_catalog.acldefault('f', p.proowner))) AS a
WHERE p.pronamespace = 'elecbill'::regnamespace AND a.grantee = 0
	AND NOT EXISTS (
		SELECT FROM pg_catalog.pg_depend AS d
		WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')
ORDER BY 1;

-- check: no column, argument or result is a floating-point number
SELECT c.oid::regclass || '.' || a.attname
FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE c.relnamespace = 'elecbill'::regnamespace
	AND a.atttypid = ANY ('{float4,float8,_float4,_float8}'::regtype[])
UNION ALL
SELECT p.oid::regprocedure::text
FROM pg_catalog.pg_proc AS p
WHERE p.pronamespace = 'elecbill'::regnamespace
	AND '{float4,float8,_float4,_float8}'::regtype[]::oid[]
		&& (coalesce(p.proallargtypes, p.proargtypes::oid[]) || p.prorettype)
ORDER BY 1;

-- check: what the engine computes is parallel safe, with every part of an aggregate
SELECT p.oid::regprocedure
FROM pg_catalog.pg_proc AS p
JOIN pg_catalog.pg_language AS l ON l.oid = p.prolang
WHERE p.pronamespace = 'elecbill'::regnamespace AND p.prokind IN ('f', 'a', 'w')
	AND l.lanname IN ('c', 'internal') AND p.prorettype <> 'trigger'::regtype
	AND p.proparallel <> 's' AND p.proname NOT IN ('_refused', '_play')	-- they start a worker, and set the clock of the session
ORDER BY 1;

-- check: an aggregate that has a serial function has a combine function, and the other way round
SELECT a.aggfnoid
FROM pg_catalog.pg_aggregate AS a
JOIN pg_catalog.pg_proc AS p ON p.oid = a.aggfnoid
WHERE p.pronamespace = 'elecbill'::regnamespace AND a.aggtranstype = 'internal'::regtype
	AND (a.aggcombinefn::oid = 0) <> (a.aggserialfn::oid = 0)
ORDER BY 1;

-- check: every trigger calls a function of elecbill
SELECT t.tgrelid::regclass || ': ' || t.tgname
FROM pg_catalog.pg_trigger AS t
JOIN pg_catalog.pg_class AS c ON c.oid = t.tgrelid
JOIN pg_catalog.pg_proc AS p ON p.oid = t.tgfoid
WHERE c.relnamespace = 'elecbill'::regnamespace AND NOT t.tgisinternal
	AND p.pronamespace <> 'elecbill'::regnamespace
ORDER BY 1;

-- check: plpgsql_check has nothing to say
SELECT DISTINCT f.oid::regprocedure || ' line ' || coalesce(r.lineno::text, '?') || ': '
	|| r.level || ': ' || r.message || coalesce(' (' || r.detail || ')', '')
FROM (
	SELECT p.oid, coalesce(t.tgrelid, 0) AS relid,
		t.tgoldtable AS old_rows, t.tgnewtable AS new_rows
	FROM pg_catalog.pg_proc AS p
	JOIN pg_catalog.pg_language AS l ON l.oid = p.prolang AND l.lanname = 'plpgsql'
	LEFT JOIN pg_catalog.pg_trigger AS t ON t.tgfoid = p.oid
	WHERE p.pronamespace = 'elecbill'::regnamespace AND p.proname NOT IN ('create_schema', '_schema_steps')
		AND (p.prorettype <> 'trigger'::regtype OR t.oid IS NOT NULL)
) AS f
CROSS JOIN LATERAL plpgsql_check_function_tb(f.oid, f.relid, fatal_errors := false,
	oldtable := f.old_rows, newtable := f.new_rows) AS r
ORDER BY 1;

-- check: no column keeps a password or a key in the clear
SELECT c.oid::regclass || '.' || a.attname
FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE c.relnamespace = 'elecbill'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'c')
	AND a.attname ~ 'passw|pwd|secret|private_key|token'
ORDER BY 1;
