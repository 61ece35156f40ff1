-- partitions.sql: behind all steps: partitions that this version has, and on all of them the comments of their parents

PERFORM elecbill.partition_maintain();
DECLARE
	own record;
BEGIN
	FOR own IN
		SELECT i.inhrelid::regclass AS part, a.attname, col_description(i.inhparent, a.attnum) AS said
		FROM pg_inherits i
		JOIN pg_class parent ON parent.oid = i.inhparent AND parent.relkind = 'p'
			AND parent.relnamespace = 'elecbill'::regnamespace
		JOIN pg_attribute a ON a.attrelid = i.inhparent AND a.attnum > 0 AND NOT a.attisdropped
		JOIN pg_attribute b ON b.attrelid = i.inhrelid AND b.attname = a.attname
		WHERE col_description(i.inhrelid, b.attnum) IS DISTINCT FROM col_description(i.inhparent, a.attnum)
	LOOP
		EXECUTE format('COMMENT ON COLUMN %s.%I IS %L', own.part, own.attname, own.said);
	END LOOP;
END;
