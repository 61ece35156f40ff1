-- emptied.sql: CALL emptied() makes a database of the isolation tests what it was before the first
-- permutation: no rows, partitions or numbers beyond those of a fresh schema. Run by a superuser:
-- rows that are kept for good go only where no trigger fires. Making the schema anew takes seconds.
CREATE TABLE public.fresh_table AS
SELECT c.oid, c.relkind, c.relispartition, false AS rows FROM pg_class c
WHERE c.relnamespace = 'elecbill'::regnamespace AND c.relkind IN ('r', 'p');
DO $$
DECLARE
	one record;
	there boolean;
BEGIN
	FOR one IN SELECT f.oid FROM public.fresh_table f WHERE f.relkind = 'r' LOOP
		EXECUTE format('SELECT EXISTS (SELECT FROM %s)', one.oid::regclass) INTO there;
		UPDATE public.fresh_table f SET rows = there WHERE f.oid = one.oid;
	END LOOP;
END $$;
CREATE PROCEDURE public.emptied() LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET session_replication_role = replica AS $$
DECLARE
	one record;
	there boolean;
BEGIN
	FOR one IN SELECT c.oid FROM pg_class c WHERE c.relnamespace = 'elecbill'::regnamespace AND c.relkind = 'r' AND c.relispartition
		AND c.oid NOT IN (SELECT f.oid FROM public.fresh_table f)
	LOOP
		EXECUTE format('DROP TABLE %s', one.oid::regclass);
	END LOOP;
	FOR one IN SELECT f.oid FROM public.fresh_table f WHERE f.relkind = 'r' AND NOT f.rows LOOP
		EXECUTE format('SELECT EXISTS (SELECT FROM %s)', one.oid::regclass) INTO there;
		IF there THEN
			EXECUTE format('DELETE FROM %s', one.oid::regclass);
		END IF;
	END LOOP;
	PERFORM setval(s.seqrelid, s.seqstart, false) FROM pg_sequence s JOIN pg_class c ON c.oid = s.seqrelid
	WHERE c.relnamespace = 'elecbill'::regnamespace;
END $$;
