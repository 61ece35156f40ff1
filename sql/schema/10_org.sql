-- 10_org.sql: who runs the estate, and its calendars of holidays
--
-- Everything with an owner carries org_id and refers to its parents by (org_id, id), so a row of one
-- org can never point at a row of another.

CREATE FUNCTION elecbill._append_only() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF TG_OP = 'DELETE' AND TG_NARGS = 0 THEN
		IF elecbill._org_emptying((to_jsonb(OLD) ->> 'org_id')::integer) THEN
			RETURN OLD;
		END IF;
	END IF;
	RAISE EXCEPTION '% is append-only', TG_TABLE_NAME
		USING ERRCODE = 'UB403',
			  DETAIL = format('%s would change rows that are kept as they were written.', TG_OP),
			  HINT = 'Write a correction as a new row.';
END $$;
COMMENT ON FUNCTION elecbill._append_only() IS 'trigger: refuses UPDATE, DELETE and TRUNCATE (UB403); only org_empty() deletes rows of a sandbox. With any argument it knows no exception';

CREATE TABLE elecbill.org (
	id			integer GENERATED ALWAYS AS IDENTITY CONSTRAINT org_pkey PRIMARY KEY,
	code		text NOT NULL CONSTRAINT org_code_key UNIQUE
				CONSTRAINT org_code_check CHECK (code ~ '^\S{1,64}$'),
	name		text NOT NULL CONSTRAINT org_name_check CHECK (name <> ''),
	zone		text NOT NULL,
	currency	text NOT NULL CONSTRAINT org_currency_check CHECK (currency ~ '^[A-Z]{3}$'),
	state		text NOT NULL DEFAULT 'sandbox' CONSTRAINT org_state_check CHECK (state IN ('sandbox', 'live')),
	live_at		timestamptz,
	emptying	xid8,
	CONSTRAINT org_live_check CHECK ((state = 'live') = (live_at IS NOT NULL)),
	CONSTRAINT org_emptying_check CHECK (emptying IS NULL OR state = 'sandbox')
);
COMMENT ON TABLE elecbill.org IS 'a property company or operator: the owner of every other row';
COMMENT ON COLUMN elecbill.org.id IS 'internal key';
COMMENT ON COLUMN elecbill.org.code IS 'the key people use: 1 to 64 characters without blanks';
COMMENT ON COLUMN elecbill.org.name IS 'name for bills';
COMMENT ON COLUMN elecbill.org.zone IS 'IANA time zone of its local days and billing periods';
COMMENT ON COLUMN elecbill.org.currency IS 'ISO 4217 code of its bills';
COMMENT ON COLUMN elecbill.org.state IS 'sandbox: all of it works, and org_empty() can begin anew; live: go_live() was called, what is written stays';
COMMENT ON COLUMN elecbill.org.live_at IS 'since when it is live; NULL: a sandbox';
COMMENT ON COLUMN elecbill.org.emptying IS 'transaction of org_empty() that is at work, which alone sees it: NULL before and after';

CREATE FUNCTION elecbill._org_emptying(p_org integer) RETURNS boolean
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN EXISTS (SELECT FROM elecbill.org o
		WHERE o.id = p_org AND o.state = 'sandbox' AND o.emptying = pg_current_xact_id_if_assigned());
END $$;
COMMENT ON FUNCTION elecbill._org_emptying(integer) IS
'whether org_empty() is deleting the rows of a sandbox in this very transaction; what guards kept rows asks it before it refuses a DELETE';

CREATE FUNCTION elecbill._org_state_keep() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF OLD.state = 'live' AND (NEW.state, NEW.live_at, NEW.emptying) IS DISTINCT FROM (OLD.state, OLD.live_at, OLD.emptying) THEN
		RAISE EXCEPTION 'org % is live and stays so', quote_literal(OLD.code) USING ERRCODE = 'UB412';
	END IF;
	RETURN NEW;
END $$;
COMMENT ON FUNCTION elecbill._org_state_keep() IS 'trigger of org: what is live is no sandbox again (UB412)';
CREATE TRIGGER org_state_keep BEFORE UPDATE OF state, live_at, emptying ON elecbill.org
	FOR EACH ROW EXECUTE FUNCTION elecbill._org_state_keep();
COMMENT ON TRIGGER org_state_keep ON elecbill.org IS 'live stays live';

CREATE FUNCTION elecbill._org_check() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	-- AT TIME ZONE would also take POSIX strings such as "FOO+8" and abbreviations without DST
	IF NOT EXISTS (SELECT FROM pg_timezone_names z WHERE z.name = NEW.zone) THEN
		RAISE EXCEPTION 'unknown time zone "%"', NEW.zone
			USING ERRCODE = 'UB404', HINT = 'Use a name of pg_timezone_names, such as Asia/Shanghai.';
	END IF;
	RETURN NEW;
END $$;
COMMENT ON FUNCTION elecbill._org_check() IS 'trigger of org: the zone is a name of pg_timezone_names (UB404)';
CREATE TRIGGER org_check BEFORE INSERT OR UPDATE OF zone ON elecbill.org
	FOR EACH ROW EXECUTE FUNCTION elecbill._org_check();
COMMENT ON TRIGGER org_check ON elecbill.org IS 'the zone exists';

CREATE FUNCTION elecbill._org_get(p_org text) RETURNS integer
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	found	integer := (SELECT o.id FROM elecbill.org o WHERE o.code = p_org AND elecbill._org_open(o.id));
BEGIN
	IF found IS NULL THEN
		RAISE EXCEPTION 'there is no org %', quote_nullable(p_org)
			USING ERRCODE = 'UB404', HINT = 'SELECT code FROM elecbill.org lists them; org_create() makes one.';
	END IF;
	RETURN found;
END $$;
COMMENT ON FUNCTION elecbill._org_get(text) IS 'internal key of an org by its code: the gate of every call that names an org; UB404 when there is none that is open to elecbill.current_login()';

CREATE TABLE elecbill.calendar (
	id			bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT calendar_pkey PRIMARY KEY,
	org_id		integer NOT NULL CONSTRAINT calendar_org_fkey REFERENCES elecbill.org,
	code		text NOT NULL CONSTRAINT calendar_code_check CHECK (code ~ '^\S{1,64}$'),
	weekend		text[] NOT NULL DEFAULT '{sat,sun}'
				CONSTRAINT calendar_weekend_check CHECK (
					weekend <@ '{mon,tue,wed,thu,fri,sat,sun}'
					AND (weekend = '{}' OR array_ndims(weekend) = 1)
					AND array_position(weekend, NULL) IS NULL),
	CONSTRAINT calendar_org_code_key UNIQUE (org_id, code),
	CONSTRAINT calendar_org_id_key UNIQUE (org_id, id)
);
COMMENT ON TABLE elecbill.calendar IS 'a set of holidays and other special days; tariff_for() writes it into the tariff value';
COMMENT ON COLUMN elecbill.calendar.id IS 'internal key';
COMMENT ON COLUMN elecbill.calendar.org_id IS 'owner';
COMMENT ON COLUMN elecbill.calendar.code IS 'the key people use, one per org';
COMMENT ON COLUMN elecbill.calendar.weekend IS 'days of the weekend: mon, tue, wed, thu, fri, sat, sun';

CREATE TABLE elecbill.calendar_day (
	id			bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT calendar_day_pkey PRIMARY KEY,
	org_id		integer NOT NULL,
	calendar_id	bigint NOT NULL,
	day			date NOT NULL CONSTRAINT calendar_day_day_check CHECK (isfinite(day)),
	tag			text NOT NULL CONSTRAINT calendar_day_tag_check CHECK (tag ~ '^[a-z][a-z0-9_]{0,62}$'),
	known		tstzrange NOT NULL
				CONSTRAINT calendar_day_known_check CHECK (NOT isempty(known) AND NOT lower_inf(known)),
	CONSTRAINT calendar_day_calendar_fkey FOREIGN KEY (org_id, calendar_id)
		REFERENCES elecbill.calendar (org_id, id),
	-- the hash stands in for the tag: core GiST has ranges but no text
	CONSTRAINT calendar_day_overlap EXCLUDE USING gist (
		int8range(calendar_id, calendar_id, '[]') WITH &&,
		daterange(day, day, '[]') WITH &&,
		int8range(hashtextextended(tag, 0) / 2, hashtextextended(tag, 0) / 2, '[]') WITH &&,
		known WITH &&)
);
CREATE INDEX calendar_day_calendar_idx ON elecbill.calendar_day (calendar_id, day);
COMMENT ON TABLE elecbill.calendar_day IS 'what is special about a date; a date may carry several tags, and may get them late (hot days)';
COMMENT ON COLUMN elecbill.calendar_day.id IS 'internal key';
COMMENT ON COLUMN elecbill.calendar_day.org_id IS 'owner';
COMMENT ON COLUMN elecbill.calendar_day.calendar_id IS 'the calendar it belongs to';
COMMENT ON COLUMN elecbill.calendar_day.day IS 'local date';
COMMENT ON COLUMN elecbill.calendar_day.tag IS 'holiday, makeup (a workday at the weekend), hot, or a name of your own such as spring_festival';
COMMENT ON COLUMN elecbill.calendar_day.known IS 'since when, and until when, this was taken to be true; rows change only by closing it';
COMMENT ON INDEX elecbill.calendar_day_calendar_idx IS 'days of one calendar';
