-- 13_member.sql: people, the accounts they see, the orgs they work for, and the gates that ask
--
-- A login is whatever elecbill.current_login() answers: the name an application vouches for, or the
-- role that logged in. Passwords are no business of these tables. A gate treats what is foreign as
-- what is unknown: both are UB404 with the same words, so that nobody learns what exists.

CREATE FUNCTION elecbill._member_close_only() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF lower(NEW.valid) <> lower(OLD.valid) OR NOT upper_inf(OLD.valid)
		OR to_jsonb(NEW) - 'valid' <> to_jsonb(OLD) - 'valid'
	THEN
		RAISE EXCEPTION '% changes only by the end of its validity', TG_TABLE_NAME USING ERRCODE = 'UB403';
	END IF;
	RETURN NEW;
END $$;
COMMENT ON FUNCTION elecbill._member_close_only() IS 'trigger: what was given is taken by an end, once (UB403)';

CREATE TABLE elecbill.app_user (
	login		text CONSTRAINT app_user_pkey PRIMARY KEY CONSTRAINT app_user_login_check CHECK (login ~ '^\S{1,128}$'),
	status		text NOT NULL DEFAULT 'active' CONSTRAINT app_user_status_check CHECK (status IN ('active', 'locked')),
	created_at	timestamptz NOT NULL DEFAULT elecbill.now(),
	created_by	text NOT NULL DEFAULT elecbill.current_login()
);
COMMENT ON TABLE elecbill.app_user IS 'who may be at work here; one row per person for all orgs, made when the person is first given something';
COMMENT ON COLUMN elecbill.app_user.login IS 'name of the identity provider, or of a role; 1 to 128 bytes without blanks';
COMMENT ON COLUMN elecbill.app_user.status IS 'active; locked: sees nothing, whatever was given';
COMMENT ON COLUMN elecbill.app_user.created_at IS 'when it was made';
COMMENT ON COLUMN elecbill.app_user.created_by IS 'login of who made it';

CREATE TABLE elecbill.account_member (
	id			bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT account_member_pkey PRIMARY KEY,
	org_id		integer NOT NULL,
	account_id	bigint NOT NULL,
	login		text NOT NULL CONSTRAINT account_member_login_fkey REFERENCES elecbill.app_user,
	relation	text NOT NULL CONSTRAINT account_member_relation_check CHECK (relation IN ('owner', 'tenant', 'family', 'agent')),
	valid		tstzrange NOT NULL CONSTRAINT account_member_valid_check CHECK (NOT isempty(valid) AND NOT lower_inf(valid)),
	granted_by	text NOT NULL DEFAULT elecbill.current_login(),
	CONSTRAINT account_member_account_fkey FOREIGN KEY (org_id, account_id)
		REFERENCES elecbill.customer_account (org_id, id),
	-- the hash stands in for the login: core GiST has ranges but no text
	CONSTRAINT account_member_overlap EXCLUDE USING gist (
		int8range(account_id, account_id, '[]') WITH &&,
		int8range(hashtextextended(login, 0) / 2, hashtextextended(login, 0) / 2, '[]') WITH &&, valid WITH &&)
);
CREATE INDEX account_member_login_idx ON elecbill.account_member (login);
CREATE INDEX account_member_account_idx ON elecbill.account_member (account_id);
COMMENT ON TABLE elecbill.account_member IS 'which accounts a person sees as a resident, and when';
COMMENT ON COLUMN elecbill.account_member.id IS 'internal key';
COMMENT ON COLUMN elecbill.account_member.org_id IS 'owner of the account';
COMMENT ON COLUMN elecbill.account_member.account_id IS 'the account';
COMMENT ON COLUMN elecbill.account_member.login IS 'the person';
COMMENT ON COLUMN elecbill.account_member.relation IS 'owner, tenant, family or agent; all see the same';
COMMENT ON COLUMN elecbill.account_member.valid IS 'instants [from, to); changes only by its end';
COMMENT ON COLUMN elecbill.account_member.granted_by IS 'login of who gave it';
COMMENT ON INDEX elecbill.account_member_login_idx IS 'accounts of a person';
COMMENT ON INDEX elecbill.account_member_account_idx IS 'persons of an account';
CREATE TRIGGER account_member_close_only BEFORE UPDATE ON elecbill.account_member
	FOR EACH ROW EXECUTE FUNCTION elecbill._member_close_only();
COMMENT ON TRIGGER account_member_close_only ON elecbill.account_member IS 'history stays';

CREATE TABLE elecbill.org_member (
	id			bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT org_member_pkey PRIMARY KEY,
	org_id		integer NOT NULL CONSTRAINT org_member_org_fkey REFERENCES elecbill.org,
	login		text NOT NULL CONSTRAINT org_member_login_fkey REFERENCES elecbill.app_user,
	duty		text NOT NULL CONSTRAINT org_member_duty_check
				CHECK (duty IN ('property', 'billing', 'finance', 'auditor', 'dba')),
	valid		tstzrange NOT NULL CONSTRAINT org_member_valid_check CHECK (NOT isempty(valid) AND NOT lower_inf(valid)),
	granted_by	text NOT NULL DEFAULT elecbill.current_login(),
	CONSTRAINT org_member_overlap EXCLUDE USING gist (
		int8range(org_id, org_id, '[]') WITH &&,
		int8range(hashtextextended(login || ' ' || duty, 0) / 2, hashtextextended(login || ' ' || duty, 0) / 2, '[]') WITH &&,
		valid WITH &&)
);
CREATE INDEX org_member_login_idx ON elecbill.org_member (login);
CREATE INDEX org_member_org_idx ON elecbill.org_member (org_id);
COMMENT ON TABLE elecbill.org_member IS 'which orgs a person works for, as what, and when';
COMMENT ON COLUMN elecbill.org_member.id IS 'internal key';
COMMENT ON COLUMN elecbill.org_member.org_id IS 'the org';
COMMENT ON COLUMN elecbill.org_member.login IS 'the person';
COMMENT ON COLUMN elecbill.org_member.duty IS 'property, billing, finance, auditor or dba: what the role of that name may do, and in this org';
COMMENT ON COLUMN elecbill.org_member.valid IS 'instants [from, to); changes only by its end';
COMMENT ON COLUMN elecbill.org_member.granted_by IS 'login of who gave it';
COMMENT ON INDEX elecbill.org_member_login_idx IS 'duties of a person';
COMMENT ON INDEX elecbill.org_member_org_idx IS 'persons of an org';
CREATE TRIGGER org_member_close_only BEFORE UPDATE ON elecbill.org_member
	FOR EACH ROW EXECUTE FUNCTION elecbill._member_close_only();
COMMENT ON TRIGGER org_member_close_only ON elecbill.org_member IS 'history stays';

-- ---------------------------------------------------------------- what a person may see

CREATE FUNCTION elecbill.my_accounts() RETURNS bigint[]
LANGUAGE plpgsql STABLE SECURITY DEFINER PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN ARRAY(SELECT m.account_id FROM elecbill.account_member m JOIN elecbill.app_user u ON u.login = m.login
		WHERE m.login = elecbill.current_login() AND u.status = 'active' AND m.valid @> elecbill.now());
END $$;
COMMENT ON FUNCTION elecbill.my_accounts() IS
'keys of the accounts that elecbill.current_login() sees as a resident; {} for whoever is not known. Policies ask it once per statement: account_id = ANY ((SELECT elecbill.my_accounts())::bigint[])';

CREATE FUNCTION elecbill.my_orgs(duties text[] DEFAULT NULL) RETURNS integer[]
LANGUAGE plpgsql STABLE SECURITY DEFINER PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN ARRAY(SELECT o.id FROM elecbill.org o WHERE elecbill._sees_all() UNION
		SELECT m.org_id FROM elecbill.org_member m JOIN elecbill.app_user u ON u.login = m.login
		WHERE m.login = elecbill.current_login() AND u.status = 'active' AND m.valid @> elecbill.now()
			AND (duties IS NULL OR m.duty = ANY (duties)));
END $$;
COMMENT ON FUNCTION elecbill.my_orgs(text[]) IS
'keys of the orgs that elecbill.current_login() works for, with one of the duties (NULL: any); all of them for the DBA, {} for whoever is not known. Policies ask it once per statement';

CREATE FUNCTION elecbill._my_points() RETURNS bigint[]
LANGUAGE plpgsql STABLE SECURITY DEFINER PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN ARRAY(SELECT DISTINCT g.usage_point_id FROM elecbill.customer_agreement g
		WHERE g.account_id = ANY (elecbill.my_accounts()));
END $$;
COMMENT ON FUNCTION elecbill._my_points() IS 'usage points that an account of my_accounts() pays for, or did';

CREATE FUNCTION elecbill._my_landlords() RETURNS integer[]
LANGUAGE plpgsql STABLE SECURITY DEFINER PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN ARRAY(SELECT DISTINCT a.org_id FROM elecbill.customer_account a WHERE a.id = ANY (elecbill.my_accounts()));
END $$;
COMMENT ON FUNCTION elecbill._my_landlords() IS 'orgs of the accounts of my_accounts()';

-- ---------------------------------------------------------------- gates

CREATE FUNCTION elecbill._org_open(p_org integer, p_duties text[] DEFAULT NULL) RETURNS boolean
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	asked text[] := nullif(string_to_array(elecbill._duty(), ','), '{}');
BEGIN
	RETURN elecbill._sees_all() OR EXISTS (
		SELECT FROM elecbill.org_member m JOIN elecbill.app_user u ON u.login = m.login
		WHERE m.login = elecbill.current_login() AND m.org_id = p_org AND u.status = 'active'
			AND m.valid @> elecbill.now() AND (p_duties IS NULL OR m.duty = ANY (p_duties))
			AND (asked IS NULL OR m.duty = ANY (asked)));
END $$;
COMMENT ON FUNCTION elecbill._org_open(integer, text[]) IS
'whether who is at work may do in an org what the call at work does (elecbill._duty()), and has one of the duties (NULL: any); the DBA may everything';

CREATE FUNCTION elecbill._account_open(p_org integer, p_account bigint) RETURNS boolean
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	asked text := elecbill._duty();
BEGIN
	RETURN elecbill._org_open(p_org) OR ((asked = '' OR 'resident' = ANY (string_to_array(asked, ',')))
		AND p_account = ANY (elecbill.my_accounts()));
END $$;
COMMENT ON FUNCTION elecbill._account_open(integer, bigint) IS 'whether an account is one''s own, or one of an org that is open';

CREATE FUNCTION elecbill._bill_open(p_org integer, p_account bigint, p_status text) RETURNS boolean
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN elecbill._org_open(p_org, '{billing,finance,auditor,dba}')
		OR (p_status NOT IN ('draft', 'held') AND elecbill._account_open(p_org, p_account));
END $$;
COMMENT ON FUNCTION elecbill._bill_open(integer, bigint, text) IS 'whether a bill may be seen; residents and property see no drafts';

CREATE FUNCTION elecbill._signed(p_by text) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF p_by <> elecbill.current_login() AND NOT elecbill._sees_all() THEN
		RAISE EXCEPTION USING
			ERRCODE = 'UB403',
			MESSAGE = format('%s cannot sign for %s', quote_literal(elecbill.current_login()), quote_literal(p_by)),
			HINT = 'Give your own login; only the DBA writes down what others decided.';
	END IF;
END $$;
COMMENT ON FUNCTION elecbill._signed(text) IS 'UB403 when a writer or approver that is given is not who is at work';

-- ---------------------------------------------------------------- giving and taking

CREATE FUNCTION elecbill._user_of(p_login text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF p_login ~ '^\S{1,128}$' IS NOT TRUE OR octet_length(p_login) > 128 THEN
		RAISE EXCEPTION 'a login has 1 to 128 bytes without blanks' USING ERRCODE = 'UB400';
	END IF;
	INSERT INTO elecbill.app_user (login) VALUES (p_login) ON CONFLICT DO NOTHING;
	PERFORM FROM elecbill.app_user u WHERE u.login = p_login FOR NO KEY UPDATE;
END $$;
COMMENT ON FUNCTION elecbill._user_of(text) IS 'makes a person where there is none, and locks the row: what he is given is given one after the other; UB400';

CREATE FUNCTION elecbill.member_grant(account text, login text, relation text DEFAULT 'owner') RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	a elecbill.customer_account;
	old text;
BEGIN
	SELECT * INTO a FROM elecbill.customer_account x WHERE x.id = elecbill._account_get(account);
	IF relation IN ('owner', 'tenant', 'family', 'agent') IS NOT TRUE THEN
		RAISE EXCEPTION '% is not a relation', quote_nullable(relation)
			USING ERRCODE = 'UB400', HINT = 'owner, tenant, family or agent.';
	END IF;
	PERFORM elecbill._user_of(login);
	SELECT m.relation INTO old FROM elecbill.account_member m
	WHERE m.account_id = a.id AND m.login = member_grant.login AND m.valid @> elecbill.now();
	IF old = relation THEN
		RETURN;
	ELSIF old IS NOT NULL THEN
		PERFORM elecbill._member_end(a.id, login);
	END IF;
	INSERT INTO elecbill.account_member (org_id, account_id, login, relation, valid)
	VALUES (a.org_id, a.id, member_grant.login, member_grant.relation, tstzrange(elecbill.now(), NULL));
	PERFORM elecbill._audit(a.org_id, 'member_grant', account, to_jsonb(old), jsonb_build_object('login', login, 'relation', relation));
END $$;
COMMENT ON FUNCTION elecbill.member_grant(text, text, text) IS
'lets a person (login) see an account (number, or ORG/NUMBER) from now on, as owner, tenant, family or agent. The same call again changes nothing. UB400, UB404, UB409 several orgs have the number';

CREATE FUNCTION elecbill._member_end(p_account bigint, p_login text) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	-- what was given at this very instant was never used
	DELETE FROM elecbill.account_member m
	WHERE m.account_id = p_account AND m.login = p_login AND lower(m.valid) >= elecbill.now();
	IF FOUND THEN
		RETURN true;
	END IF;
	UPDATE elecbill.account_member m SET valid = tstzrange(lower(m.valid), elecbill.now())
	WHERE m.account_id = p_account AND m.login = p_login AND m.valid @> elecbill.now();
	RETURN FOUND;
END $$;
COMMENT ON FUNCTION elecbill._member_end(bigint, text) IS 'takes an account from a person now; false when he did not have it';

CREATE FUNCTION elecbill.member_revoke(account text, login text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	a elecbill.customer_account;
BEGIN
	SELECT * INTO a FROM elecbill.customer_account x WHERE x.id = elecbill._account_get(account);
	PERFORM FROM elecbill.app_user u WHERE u.login = member_revoke.login FOR NO KEY UPDATE;
	IF NOT elecbill._member_end(a.id, login) THEN
		RAISE EXCEPTION 'account % is not seen by %', quote_literal(account), quote_nullable(login) USING ERRCODE = 'UB404';
	END IF;
	PERFORM elecbill._audit(a.org_id, 'member_revoke', account, jsonb_build_object('login', login));
END $$;
COMMENT ON FUNCTION elecbill.member_revoke(text, text) IS 'takes an account from a person from now on. UB404 no such account, or he does not see it';

CREATE FUNCTION elecbill.duty_grant(org text, login text, duty text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	owner integer := elecbill._org_get(org);
BEGIN
	IF duty IN ('property', 'billing', 'finance', 'auditor', 'dba') IS NOT TRUE THEN
		RAISE EXCEPTION '% is not a duty', quote_nullable(duty)
			USING ERRCODE = 'UB400', HINT = 'property, billing, finance, auditor or dba.';
	END IF;
	PERFORM elecbill._user_of(login);
	IF NOT EXISTS (SELECT FROM elecbill.org_member m WHERE m.org_id = owner AND m.login = duty_grant.login
		AND m.duty = duty_grant.duty AND m.valid @> elecbill.now())
	THEN
		INSERT INTO elecbill.org_member (org_id, login, duty, valid)
		VALUES (owner, duty_grant.login, duty_grant.duty, tstzrange(elecbill.now(), NULL));
		PERFORM elecbill._audit(owner, 'duty_grant', login, NULL, to_jsonb(duty));
	END IF;
END $$;
COMMENT ON FUNCTION elecbill.duty_grant(text, text, text) IS
'lets a person (login) work for an org as property, billing, finance, auditor or dba from now on; the role of that name must be granted, too. The same call again changes nothing. UB400, UB404';

CREATE FUNCTION elecbill.duty_revoke(org text, login text, duty text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	owner integer := elecbill._org_get(org);
	ended integer;
BEGIN
	PERFORM FROM elecbill.app_user u WHERE u.login = duty_revoke.login FOR NO KEY UPDATE;
	DELETE FROM elecbill.org_member m WHERE m.org_id = owner AND m.login = duty_revoke.login AND m.duty = duty_revoke.duty
		AND lower(m.valid) >= elecbill.now();
	GET DIAGNOSTICS ended = ROW_COUNT;
	IF ended = 0 THEN
		UPDATE elecbill.org_member m SET valid = tstzrange(lower(m.valid), elecbill.now())
		WHERE m.org_id = owner AND m.login = duty_revoke.login AND m.duty = duty_revoke.duty AND m.valid @> elecbill.now();
		GET DIAGNOSTICS ended = ROW_COUNT;
	END IF;
	IF ended = 0 THEN
		RAISE EXCEPTION '% has no duty % in org %', quote_nullable(login), quote_nullable(duty), quote_literal(org)
			USING ERRCODE = 'UB404';
	END IF;
	PERFORM elecbill._audit(owner, 'duty_revoke', login, to_jsonb(duty));
END $$;
COMMENT ON FUNCTION elecbill.duty_revoke(text, text, text) IS 'takes a duty from a person from now on. UB404';

CREATE FUNCTION elecbill.user_lock(login text, locked boolean DEFAULT true) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	UPDATE elecbill.app_user u SET status = CASE WHEN locked THEN 'locked' ELSE 'active' END WHERE u.login = user_lock.login;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'there is no user %', quote_nullable(login) USING ERRCODE = 'UB404';
	END IF;
	PERFORM elecbill._audit(NULL, 'user_lock', login, NULL, to_jsonb(locked));
END $$;
COMMENT ON FUNCTION elecbill.user_lock(text, boolean) IS 'locks a person out of everything, or lets him in again; for the DBA, since a person may belong to many orgs. UB404';
