-- 14_tariff.sql: tariff plans and their versions in two times
-- A version says from which local day a price holds (valid) and since when the house knows it
-- (known). A later decision about the same days closes "known" of the former row and leaves it, so
-- that an old bill can be worked out again as it was.

CREATE TABLE elecbill.tariff_plan (
	id			bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT tariff_plan_pkey PRIMARY KEY,
	org_id		integer NOT NULL CONSTRAINT tariff_plan_org_id_fkey REFERENCES elecbill.org,
	code		text NOT NULL CONSTRAINT tariff_plan_code_check CHECK (code <> ''),
	name		text,
	calendar_id	bigint,
	rider		boolean NOT NULL DEFAULT false,
	CONSTRAINT tariff_plan_org_id_code_key UNIQUE (org_id, code),
	CONSTRAINT tariff_plan_org_id_id_key UNIQUE (org_id, id),
	CONSTRAINT tariff_plan_calendar_id_fkey FOREIGN KEY (org_id, calendar_id)
		REFERENCES elecbill.calendar (org_id, id)
);
CREATE INDEX tariff_plan_calendar_id_idx ON elecbill.tariff_plan (org_id, calendar_id)
	WHERE calendar_id IS NOT NULL;
COMMENT ON TABLE elecbill.tariff_plan IS
'a tariff a customer can be on; its prices are in tariff_version';
COMMENT ON COLUMN elecbill.tariff_plan.id IS 'key';
COMMENT ON COLUMN elecbill.tariff_plan.org_id IS 'owner of the row';
COMMENT ON COLUMN elecbill.tariff_plan.code IS 'the name staff use, unique per org';
COMMENT ON COLUMN elecbill.tariff_plan.name IS 'title for people';
COMMENT ON COLUMN elecbill.tariff_plan.rider IS
'true: no tariff of its own but components that tariffs carry (tariff_rider)';
COMMENT ON COLUMN elecbill.tariff_plan.calendar_id IS
'holidays and make-up days of its versions, where a version names no calendar of its own';

CREATE TABLE elecbill.tariff_version (
	id				bigint GENERATED ALWAYS AS IDENTITY
					CONSTRAINT tariff_version_pkey PRIMARY KEY,
	org_id			integer NOT NULL,
	tariff_plan_id	bigint NOT NULL,
	version			integer NOT NULL CONSTRAINT tariff_version_version_check CHECK (version > 0),
	valid			daterange NOT NULL CONSTRAINT tariff_version_valid_check
					CHECK (NOT isempty(valid) AND NOT lower_inf(valid)),
	known			tstzrange,
	definition		jsonb NOT NULL,
	status			text NOT NULL DEFAULT 'draft' CONSTRAINT tariff_version_status_check
					CHECK (status IN ('draft', 'approved', 'retired')),
	created_by		text NOT NULL CONSTRAINT tariff_version_created_by_check
					CHECK (created_by <> ''),
	created_at		timestamptz NOT NULL DEFAULT elecbill.now(),
	approved_by		text,
	CONSTRAINT tariff_version_plan_fkey FOREIGN KEY (org_id, tariff_plan_id)
		REFERENCES elecbill.tariff_plan (org_id, id),
	CONSTRAINT tariff_version_four_eyes_check CHECK (approved_by <> created_by),
	CONSTRAINT tariff_version_known_check CHECK (
		CASE status
			WHEN 'draft' THEN known IS NULL AND approved_by IS NULL
			WHEN 'approved' THEN known IS NOT NULL AND upper_inf(known) AND NOT lower_inf(known)
				AND approved_by IS NOT NULL
			ELSE known IS NOT NULL AND NOT upper_inf(known) AND approved_by IS NOT NULL
		END),
	CONSTRAINT tariff_version_valid_excl EXCLUDE USING gist (
		int8range(tariff_plan_id, tariff_plan_id, '[]') WITH &&, valid WITH &&)
		WHERE (status = 'approved')
);
CREATE UNIQUE INDEX tariff_version_draft_key ON elecbill.tariff_version (tariff_plan_id, version)
	WHERE status = 'draft';
CREATE INDEX tariff_version_plan_idx ON elecbill.tariff_version (org_id, tariff_plan_id);
COMMENT ON TABLE elecbill.tariff_version IS
'prices of a plan for a range of days, as known in a range of time; approved rows do not change';
COMMENT ON COLUMN elecbill.tariff_version.id IS 'key';
COMMENT ON COLUMN elecbill.tariff_version.org_id IS 'owner of the row';
COMMENT ON COLUMN elecbill.tariff_version.tariff_plan_id IS 'the plan';
COMMENT ON COLUMN elecbill.tariff_version.version IS
'number of the definition, counted per plan; what is left of a version that was partly superseded keeps it';
COMMENT ON COLUMN elecbill.tariff_version.valid IS 'local days [from, to) it prices';
COMMENT ON COLUMN elecbill.tariff_version.known IS
'since when, and until when, it was the truth about these days; NULL for a draft, empty: superseded by the transaction that wrote it';
COMMENT ON COLUMN elecbill.tariff_version.definition IS
'the tariff in its JSON form; tariff_lint() finds no error in it';
COMMENT ON COLUMN elecbill.tariff_version.status IS
'draft; approved: in force; retired: superseded, kept for the bills made by it';
COMMENT ON COLUMN elecbill.tariff_version.created_by IS 'who wrote it';
COMMENT ON COLUMN elecbill.tariff_version.created_at IS 'when it was written';
COMMENT ON COLUMN elecbill.tariff_version.approved_by IS
'who approved it; never the one who wrote it';

CREATE FUNCTION elecbill._tariff_fits(p_definition jsonb, p_org integer) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	owner elecbill.org;
BEGIN
	SELECT * INTO owner FROM elecbill.org WHERE id = p_org;
	IF p_definition ->> 'currency' <> owner.currency
		OR coalesce(p_definition ->> 'zone', 'UTC') <> owner.zone
	THEN
		RAISE EXCEPTION USING
			ERRCODE = 'UB409',
			MESSAGE = 'currency and zone of the tariff must be those of the organisation',
			DETAIL = format('The tariff has %s and %s, organisation %s has %s and %s.',
				p_definition ->> 'currency', coalesce(p_definition ->> 'zone', 'UTC'),
				owner.code, owner.currency, owner.zone),
			HINT = 'Bills are cut at local midnights of the organisation''s zone.';
	ELSIF (p_definition ->> 'minor_unit')::integer > 2 THEN
		RAISE EXCEPTION USING
			ERRCODE = '0A000',
			MESSAGE = format('bills with %s decimals are not supported by this version',
				p_definition ->> 'minor_unit'),
			HINT = 'Amounts of bills are kept in hundredths; set minor_unit to 2 or less.';
	END IF;
END $$;
COMMENT ON FUNCTION elecbill._tariff_fits(jsonb, integer) IS
'whether bills of an org can be made by a valid tariff: UB409 another zone or currency, 0A000 lines finer than the tables keep';

CREATE FUNCTION elecbill._known_end(p_known tstzrange) RETURNS tstzrange
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF lower(p_known) > elecbill.now() THEN
		RAISE EXCEPTION USING
			ERRCODE = 'UB409',
			MESSAGE = 'somebody else has changed this since the transaction began',
			DETAIL = format('It is known since %s, the transaction began at %s.', lower(p_known), elecbill.now()),
			HINT = 'Look at it again, then retry in a new transaction.';
	END IF;
	RETURN tstzrange(lower(p_known), elecbill.now());
END $$;
COMMENT ON FUNCTION elecbill._known_end(tstzrange) IS
'the known range of a row that is superseded now, empty when it was written in this transaction; UB409 when it was written by a later one, for then nothing tells which of the two is the last word';

CREATE FUNCTION elecbill._tariff_lock(p_plan_id bigint) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	PERFORM FROM elecbill.org WHERE id = (SELECT p.org_id FROM elecbill.tariff_plan p WHERE p.id = p_plan_id)
	FOR NO KEY UPDATE;
	PERFORM FROM elecbill.tariff_plan WHERE id = p_plan_id FOR NO KEY UPDATE;
END $$;
COMMENT ON FUNCTION elecbill._tariff_lock(bigint) IS
'lets one transaction at a time put tariffs and riders of an org in force, since they have to fit together';

CREATE FUNCTION elecbill._tariff_version_guard() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	faults text;
	rider boolean;
BEGIN
	IF TG_OP <> 'INSERT' AND OLD.status <> 'draft' THEN
		IF TG_OP = 'DELETE'
			OR to_jsonb(OLD) - '{known,valid,status}'::text[]
				<> to_jsonb(NEW) - '{known,valid,status}'::text[]
			OR lower(NEW.known) <> lower(OLD.known) OR NOT NEW.known <@ OLD.known
			OR (isempty(NEW.known) AND lower(OLD.known) < elecbill.now())
			OR lower(NEW.valid) <> lower(OLD.valid) OR NOT NEW.valid <@ OLD.valid
			OR NEW.status = 'draft' OR (OLD.status = 'retired' AND NEW.status <> 'retired')
		THEN
			RAISE EXCEPTION USING
				ERRCODE = 'UB412',
				MESSAGE = format('version %s of the tariff is approved and does not change',
					OLD.version),
				DETAIL = 'Only the end of a range may be moved to an earlier day or instant.',
				HINT = 'Write a new version with tariff_draft() and have it approved.';
		END IF;
		RETURN NEW;
	END IF;
	IF TG_OP = 'DELETE' THEN
		RETURN OLD;
	END IF;

	SELECT p.rider INTO rider FROM elecbill.tariff_plan p WHERE p.id = NEW.tariff_plan_id;
	IF rider THEN
		SELECT string_agg(concat_ws(': ', nullif(l.path, ''), l.message), E'\n') INTO faults
		FROM elecbill._rider_lint(NEW.definition, NEW.org_id) AS l;
	ELSE
		SELECT string_agg(concat_ws(': ', nullif(l.path, ''), l.message), E'\n') INTO faults
		FROM elecbill.tariff_lint(NEW.definition) AS l WHERE l.level = 'error';
	END IF;
	IF faults IS NULL AND NEW.definition ? 'versions' THEN
		faults := 'versions: are rows of tariff_version here';
	END IF;
	IF faults IS NOT NULL THEN
		RAISE EXCEPTION USING
			ERRCODE = 'UB400',
			MESSAGE = format('the definition is not a valid %s', CASE WHEN rider THEN 'rider' ELSE 'tariff' END),
			DETAIL = faults,
			HINT = CASE WHEN rider THEN 'A rider has components and what they name, without the head of a tariff.'
				ELSE 'SELECT * FROM elecbill.tariff_lint(definition) names each fault with its path.' END;
	END IF;
	IF NOT rider THEN
		PERFORM elecbill._tariff_fits(NEW.definition, NEW.org_id);
	END IF;
	RETURN NEW;
END $$;
COMMENT ON FUNCTION elecbill._tariff_version_guard() IS
'row trigger of tariff_version: what is written is a valid tariff (UB400, UB409), what is approved does not change (UB412)';
CREATE TRIGGER tariff_version_guard BEFORE INSERT OR UPDATE OR DELETE ON elecbill.tariff_version
	FOR EACH ROW EXECUTE FUNCTION elecbill._tariff_version_guard();

CREATE FUNCTION elecbill._tariff_plan_id(p_plan text) RETURNS bigint
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	ids bigint[];
BEGIN
	SELECT array_agg(p.id) INTO ids
	FROM elecbill.org o JOIN elecbill.tariff_plan p ON p.org_id = o.id
	WHERE (p.code = p_plan OR (starts_with(p_plan, o.code || '/') AND p.code = substr(p_plan, length(o.code) + 2)))
		AND elecbill._org_open(p.org_id);
	IF cardinality(ids) > 1 THEN
		RAISE EXCEPTION USING
			ERRCODE = 'UB409',
			MESSAGE = format('tariff plan %s is not unique', quote_nullable(p_plan)),
			HINT = 'Put the code of the organisation before it: ORG/PLAN.';
	END IF;
	RETURN ids[1];
END $$;
COMMENT ON FUNCTION elecbill._tariff_plan_id(text) IS
'key of a plan by CODE or ORG/CODE; NULL when there is none, UB409 when several orgs have it';

CREATE FUNCTION elecbill._tariff_plan_get(p_plan text) RETURNS bigint
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	plan bigint := elecbill._tariff_plan_id(p_plan);
BEGIN
	IF plan IS NULL THEN
		RAISE EXCEPTION USING
			ERRCODE = 'UB404',
			MESSAGE = format('there is no tariff plan %s', quote_nullable(p_plan)),
			HINT = 'SELECT code FROM elecbill.tariff_plan lists them; tariff_draft() makes one.';
	END IF;
	RETURN plan;
END $$;
COMMENT ON FUNCTION elecbill._tariff_plan_get(text) IS
'key of a plan by CODE or ORG/CODE; UB404 when there is none';

CREATE FUNCTION elecbill._tariff_plan_make(p_plan text, p_name text, p_rider boolean) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	plan bigint;
	owner integer;
	code text;
BEGIN
	SELECT o.id, substr(p_plan, length(o.code) + 2) INTO owner, code
	FROM elecbill.org o WHERE starts_with(p_plan, o.code || '/') AND elecbill._org_open(o.id)
	ORDER BY length(o.code) DESC LIMIT 1;
	IF owner IS NULL THEN
		SELECT min(o.id), p_plan INTO owner, code FROM elecbill.org o WHERE elecbill._org_open(o.id) HAVING count(*) = 1;
	END IF;
	IF owner IS NULL THEN
		RAISE EXCEPTION USING
			ERRCODE = 'UB400',
			MESSAGE = format('which organisation gets tariff plan %s?', quote_literal(p_plan)),
			HINT = 'Put the code of the organisation before it: ORG/PLAN.';
	ELSIF code = '' THEN
		RAISE EXCEPTION 'a tariff plan or rider needs a code' USING ERRCODE = 'UB400', HINT = 'ORG/PLAN, or PLAN where there is one org.';
	END IF;
	INSERT INTO elecbill.tariff_plan (org_id, code, name, rider) VALUES (owner, code, p_name, p_rider)
	RETURNING id INTO plan;
	RETURN plan;
END $$;
COMMENT ON FUNCTION elecbill._tariff_plan_make(text, text, boolean) IS
'a new plan CODE of the only org, or ORG/CODE; UB400 when it is not clear whose it is';

CREATE FUNCTION elecbill.tariff_draft(p_plan text, p_valid daterange, p_definition jsonb,
	p_by text) RETURNS integer
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	plan bigint;
	owner integer;
	number integer;
BEGIN
	IF p_plan IS NULL OR p_plan = '' OR p_valid IS NULL OR isempty(p_valid) OR lower_inf(p_valid)
		OR p_definition IS NULL OR p_by IS NULL OR p_by = ''
	THEN
		RAISE EXCEPTION USING
			ERRCODE = 'UB400',
			MESSAGE = 'a tariff draft needs a plan, days with a beginning, a definition and a writer';
	END IF;
	PERFORM elecbill._signed(p_by);
	plan := elecbill._tariff_plan_id(p_plan);
	IF plan IS NULL THEN
		plan := elecbill._tariff_plan_make(p_plan, coalesce(p_definition #>> '{name,zh}',
			p_definition #>> '{name,en}', p_definition ->> 'name'), false);
	END IF;
	SELECT org_id INTO owner FROM elecbill.tariff_plan WHERE id = plan FOR NO KEY UPDATE;
	SELECT coalesce(max(version), 0) + 1 INTO number
	FROM elecbill.tariff_version WHERE tariff_plan_id = plan;
	INSERT INTO elecbill.tariff_version
		(org_id, tariff_plan_id, version, valid, definition, created_by)
	VALUES (owner, plan, number, p_valid, p_definition, p_by);
	RETURN number;
END $$;
COMMENT ON FUNCTION elecbill.tariff_draft(text, daterange, jsonb, text) IS
'writes a new version of a plan as draft and returns its number; makes the plan (CODE, or ORG/CODE) when there is none. Days are local, [from, to), to may be open. UB400: tariff_lint() finds an error; UB409: zone or currency are not those of the org';

CREATE FUNCTION elecbill._tariff_approve(p_plan text, p_version integer, p_by text, p_supersede boolean) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	plan bigint := elecbill._tariff_plan_get(p_plan);
	fresh elecbill.tariff_version;
	old elecbill.tariff_version;
	left_over daterange;
BEGIN
	PERFORM elecbill._signed(p_by);
	PERFORM elecbill._tariff_lock(plan);
	SELECT * INTO fresh FROM elecbill.tariff_version
	WHERE tariff_plan_id = plan AND version = p_version AND status = 'draft' FOR UPDATE;
	IF NOT FOUND THEN
		RAISE EXCEPTION USING
			ERRCODE = 'UB404',
			MESSAGE = format('tariff plan %s has no draft version %s', quote_literal(p_plan),
				coalesce(p_version::text, 'NULL'));
	END IF;
	IF p_by IS NULL OR p_by = '' THEN
		RAISE EXCEPTION USING ERRCODE = 'UB400', MESSAGE = 'an approval needs the name of who approves';
	END IF;
	IF p_by = fresh.created_by THEN
		RAISE EXCEPTION USING
			ERRCODE = 'UB403',
			MESSAGE = format('%s wrote this version and cannot approve it', quote_literal(p_by)),
			HINT = 'A second person approves.';
	END IF;
	FOR old IN
		SELECT * FROM elecbill.tariff_version
		WHERE tariff_plan_id = plan AND status = 'approved' AND valid && fresh.valid
		ORDER BY valid FOR UPDATE
	LOOP
		IF NOT coalesce(p_supersede, false)
			AND NOT (upper_inf(old.valid) AND lower(old.valid) < lower(fresh.valid))
		THEN
			RAISE EXCEPTION USING
				ERRCODE = 'UB409',
				MESSAGE = format('version %s already prices a part of %s', old.version, fresh.valid),
				DETAIL = format('Version %s is valid %s.', old.version, old.valid),
				HINT = 'Approve with p_supersede => true to replace it on those days.';
		END IF;
		UPDATE elecbill.tariff_version
		SET status = 'retired', known = elecbill._known_end(known)
		WHERE id = old.id;
		FOREACH left_over IN ARRAY ARRAY[
			daterange(lower(old.valid), greatest(lower(old.valid), lower(fresh.valid))),
			CASE WHEN upper_inf(fresh.valid) THEN 'empty'
				WHEN NOT upper_inf(old.valid) AND upper(old.valid) <= upper(fresh.valid) THEN 'empty'
				ELSE daterange(upper(fresh.valid), upper(old.valid)) END]
		LOOP
			CONTINUE WHEN isempty(left_over);
			INSERT INTO elecbill.tariff_version (org_id, tariff_plan_id, version, valid, known,
				definition, status, created_by, created_at, approved_by)
			VALUES (old.org_id, plan, old.version, left_over, tstzrange(elecbill.now(), NULL),
				old.definition, 'approved', old.created_by, old.created_at, old.approved_by);
		END LOOP;
	END LOOP;
	UPDATE elecbill.tariff_version
	SET status = 'approved', approved_by = p_by, known = tstzrange(elecbill.now(), NULL)
	WHERE id = fresh.id;
	PERFORM elecbill._rider_check(plan);
END $$;
COMMENT ON FUNCTION elecbill._tariff_approve(text, integer, text, boolean) IS 'what tariff_approve() does';

CREATE FUNCTION elecbill.tariff_approve(p_plan text, p_version integer, p_by text, p_supersede boolean DEFAULT false) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	PERFORM elecbill._tariff_approve(p_plan, p_version, p_by, p_supersede);
EXCEPTION WHEN OTHERS THEN
	PERFORM elecbill._refused(elecbill._org_part(p_plan), 'tariff_approve', format('%s %s', p_plan, p_version), SQLSTATE, SQLERRM);
	RAISE;
END $$;
COMMENT ON FUNCTION elecbill.tariff_approve(text, integer, text, boolean) IS
'puts a draft in force. An open-ended version before it ends where it begins; any other overlap is UB409 unless p_supersede is given, which replaces what it covers. UB409, too, when it does not fit together with riders. UB403 when writer and approver are one';
