-- 10_org.sql: who runs the estate, and its calendars of holidays
--
-- Everything with an owner carries org_id and refers to its parents by (org_id, id), so a row of one
-- org can never point at a row of another.

CREATE FUNCTION elecbill._append_only() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RAISE EXCEPTION '% is append-only', TG_TABLE_NAME
		USING ERRCODE = 'UB403',
			  DETAIL = format('%s would change rows that are kept as they were written.', TG_OP),
			  HINT = 'Write a correction as a new row.';
END $$;
COMMENT ON FUNCTION elecbill._append_only() IS 'trigger: refuses UPDATE, DELETE and TRUNCATE (UB403)';

CREATE TABLE elecbill.org (
	id			integer GENERATED ALWAYS AS IDENTITY CONSTRAINT org_pkey PRIMARY KEY,
	code		text NOT NULL CONSTRAINT org_code_key UNIQUE
				CONSTRAINT org_code_check CHECK (code ~ '^\S{1,64}$'),
	name		text NOT NULL CONSTRAINT org_name_check CHECK (name <> ''),
	zone		text NOT NULL,
	currency	text NOT NULL CONSTRAINT org_currency_check CHECK (currency ~ '^[A-Z]{3}$')
);
COMMENT ON TABLE elecbill.org IS 'a property company or operator: the owner of every other row';
COMMENT ON COLUMN elecbill.org.id IS 'internal key';
COMMENT ON COLUMN elecbill.org.code IS 'the key people use: 1 to 64 characters without blanks';
COMMENT ON COLUMN elecbill.org.name IS 'name for bills';
COMMENT ON COLUMN elecbill.org.zone IS 'IANA time zone of its local days and billing periods';
COMMENT ON COLUMN elecbill.org.currency IS 'ISO 4217 code of its bills';

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
	found	integer := (SELECT o.id FROM elecbill.org o WHERE o.code = p_org);
BEGIN
	IF found IS NULL THEN
		RAISE EXCEPTION 'there is no org %', quote_nullable(p_org)
			USING ERRCODE = 'UB404', HINT = 'SELECT code FROM elecbill.org lists them; org_create() makes one.';
	END IF;
	RETURN found;
END $$;
COMMENT ON FUNCTION elecbill._org_get(text) IS 'internal key of an org by its code; UB404 when there is none';

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
