-- work_for.sql: sets who is at work; used by the tests
-- By a superuser's function here, by the application in life. Leaves the owner of the database in :owner, who goes on.
SELECT current_user AS owner \gset
\getenv super PGSUPERUSER
\c - :super
CREATE FUNCTION public.work_for(login text) RETURNS text LANGUAGE sql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$ SELECT set_config('elecbill.login', $1, false) $$;
\c - :owner
SET client_min_messages = warning;
