-- triggers.sql: has a superuser switch all triggers of a table on and off, those of its foreign keys, too; behind work_for.sql
-- For what fsck() says of what no guard has seen.
\c - :super
CREATE FUNCTION public.triggers(tab regclass, how text) RETURNS void LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
	EXECUTE format('ALTER TABLE %s %s TRIGGER ALL', tab, how);
END $$;
\c - :owner
SET client_min_messages = warning;
