-- 11_audit.sql: who did what, and what was refused
-- Rows carry no hash of the row before: every writer of an org would wait for the last one. Instead
-- audit_seal() chains all rows that are certain to be complete, any number at a time.

CREATE TABLE elecbill.audit_log (
	id			bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT audit_log_pkey PRIMARY KEY,
	at			timestamptz NOT NULL DEFAULT elecbill.now(),
	org_id		integer,
	login		text NOT NULL DEFAULT elecbill.current_login(),
	role		text NOT NULL DEFAULT session_user,
	action		text NOT NULL CONSTRAINT audit_log_action_check CHECK (action <> ''),
	object		text,
	outcome		text NOT NULL DEFAULT 'done' CONSTRAINT audit_log_outcome_check CHECK (outcome IN ('done', 'refused')),
	state		text,
	message		text,
	before		jsonb,
	after		jsonb,
	xid			xid8 NOT NULL DEFAULT pg_current_xact_id(),
	CONSTRAINT audit_log_refused_check CHECK ((outcome = 'refused') = (state IS NOT NULL))
);
CREATE INDEX audit_log_at_idx ON elecbill.audit_log USING brin (at);
CREATE INDEX audit_log_object_idx ON elecbill.audit_log (org_id, object);
COMMENT ON TABLE elecbill.audit_log IS 'what was done by hand and what was refused; never changed. No foreign key: a refusal may name an org that does not exist';
COMMENT ON COLUMN elecbill.audit_log.id IS 'internal key';
COMMENT ON COLUMN elecbill.audit_log.at IS 'when, by elecbill.now()';
COMMENT ON COLUMN elecbill.audit_log.org_id IS 'org it concerns; NULL: none, or an unknown one';
COMMENT ON COLUMN elecbill.audit_log.login IS 'who: elecbill.current_login()';
COMMENT ON COLUMN elecbill.audit_log.role IS 'role that logged in to the database';
COMMENT ON COLUMN elecbill.audit_log.action IS 'name of the call';
COMMENT ON COLUMN elecbill.audit_log.object IS 'what it was about, by the key people use';
COMMENT ON COLUMN elecbill.audit_log.outcome IS 'done, or refused';
COMMENT ON COLUMN elecbill.audit_log.state IS 'SQLSTATE of the refusal';
COMMENT ON COLUMN elecbill.audit_log.message IS 'why it was refused';
COMMENT ON COLUMN elecbill.audit_log.before IS 'what was there, sealed columns removed';
COMMENT ON COLUMN elecbill.audit_log.after IS 'what is there now, sealed columns removed';
COMMENT ON COLUMN elecbill.audit_log.xid IS 'transaction that wrote it; says which rows are complete';
COMMENT ON INDEX elecbill.audit_log_at_idx IS 'rows of a time';
COMMENT ON INDEX elecbill.audit_log_object_idx IS 'what happened to an object';
CREATE TRIGGER audit_log_keep BEFORE UPDATE OR DELETE ON elecbill.audit_log
	FOR EACH ROW EXECUTE FUNCTION elecbill._append_only('always');
COMMENT ON TRIGGER audit_log_keep ON elecbill.audit_log IS 'no UPDATE, no DELETE, not by org_empty() either';
CREATE TRIGGER audit_log_keep_all BEFORE TRUNCATE ON elecbill.audit_log
	FOR EACH STATEMENT EXECUTE FUNCTION elecbill._append_only();
COMMENT ON TRIGGER audit_log_keep_all ON elecbill.audit_log IS 'no TRUNCATE';

CREATE FUNCTION elecbill._audit(p_org integer, p_action text, p_object text, p_before jsonb DEFAULT NULL,
	p_after jsonb DEFAULT NULL) RETURNS void
LANGUAGE sql
BEGIN ATOMIC
	INSERT INTO elecbill.audit_log (org_id, action, object, before, after)
	VALUES (p_org, p_action, p_object, p_before, p_after);
END;
COMMENT ON FUNCTION elecbill._audit(integer, text, text, jsonb, jsonb) IS 'writes into audit_log what was done, in the transaction of the caller';

CREATE FUNCTION elecbill._audit_refusal(p_org text, p_action text, p_object text, p_state text, p_message text, p_login text,
	p_role text, p_at timestamptz) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	INSERT INTO elecbill.audit_log (at, org_id, login, role, action, object, outcome, state, message)
	VALUES (p_at, coalesce((SELECT o.id FROM elecbill.org o WHERE o.code = p_org),
		-- auditors see what has an org: who works or lives in one alone was refused there
		(SELECT min(m.org_id) FROM (SELECT x.org_id FROM elecbill.org_member x WHERE x.login = p_login AND x.valid @> p_at
			UNION SELECT y.org_id FROM elecbill.account_member y WHERE y.login = p_login AND y.valid @> p_at) AS m
			HAVING count(*) = 1)),
		p_login, p_role, p_action, p_object, 'refused', p_state, p_message);
END $$;
COMMENT ON FUNCTION elecbill._audit_refusal(text, text, text, text, text, text, text, timestamptz) IS
'the row of a refusal, of the org that was named, else of the only one the login has to do with; called by the background worker of _refused()';

-- ---------------------------------------------------------------- the seal

CREATE TABLE elecbill.audit_seal (
	n			bigint CONSTRAINT audit_seal_pkey PRIMARY KEY CONSTRAINT audit_seal_n_check CHECK (n > 0),
	sealed_at	timestamptz NOT NULL DEFAULT elecbill.now(),
	ids			int8multirange NOT NULL CONSTRAINT audit_seal_ids_check CHECK (NOT isempty(ids)),
	rows		integer NOT NULL CONSTRAINT audit_seal_rows_check CHECK (rows > 0),
	prev_sha256	bytea NOT NULL CONSTRAINT audit_seal_prev_key UNIQUE CONSTRAINT audit_seal_prev_check CHECK (length(prev_sha256) = 32),
	sha256		bytea NOT NULL CONSTRAINT audit_seal_sha256_check CHECK (length(sha256) = 32)
);
COMMENT ON TABLE elecbill.audit_seal IS
'a chain of hashes over audit_log, made by audit_seal(): whoever changes or removes a sealed row must change every later seal. The last sha256, kept elsewhere, proves the whole log';
COMMENT ON COLUMN elecbill.audit_seal.n IS 'number in the chain, from 1';
COMMENT ON COLUMN elecbill.audit_seal.sealed_at IS 'when';
COMMENT ON COLUMN elecbill.audit_seal.ids IS 'audit_log.id of the rows sealed; numbers without a row belong to work that was rolled back';
COMMENT ON COLUMN elecbill.audit_seal.rows IS 'how many rows';
COMMENT ON COLUMN elecbill.audit_seal.prev_sha256 IS 'sha256 of the seal before; 32 zero bytes for the first';
COMMENT ON COLUMN elecbill.audit_seal.sha256 IS 'sha256 of prev_sha256 and the text of the rows (_audit_text), in the order of their ids';
CREATE TRIGGER audit_seal_keep BEFORE UPDATE OR DELETE ON elecbill.audit_seal
	FOR EACH ROW EXECUTE FUNCTION elecbill._append_only();
COMMENT ON TRIGGER audit_seal_keep ON elecbill.audit_seal IS 'no UPDATE, no DELETE';
CREATE TRIGGER audit_seal_keep_all BEFORE TRUNCATE ON elecbill.audit_seal
	FOR EACH STATEMENT EXECUTE FUNCTION elecbill._append_only();
COMMENT ON TRIGGER audit_seal_keep_all ON elecbill.audit_seal IS 'no TRUNCATE';

CREATE FUNCTION elecbill._audit_text(p_row elecbill.audit_log) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN jsonb_build_array((p_row).id, trunc(extract(epoch FROM (p_row).at) * 1000000), (p_row).org_id, (p_row).login, (p_row).role,
	(p_row).action, (p_row).object, (p_row).outcome, (p_row).state, (p_row).message, (p_row).before, (p_row).after,
	(p_row).xid::text)::text;
COMMENT ON FUNCTION elecbill._audit_text(elecbill.audit_log) IS 'a row of audit_log as it is sealed: the same under every setting of a session';

CREATE FUNCTION elecbill._audit_hash(p_prev bytea, p_ids int8multirange, OUT rows integer, OUT sha256 bytea)
LANGUAGE sql STABLE
BEGIN ATOMIC
	SELECT count(*)::integer, sha256(p_prev || convert_to(coalesce(string_agg(elecbill._audit_text(a), E'\n' ORDER BY a.id), ''), 'UTF8'))
	FROM unnest(p_ids) AS r(ids) JOIN elecbill.audit_log a ON a.id >= lower(r.ids) AND a.id < upper(r.ids);
END;
COMMENT ON FUNCTION elecbill._audit_hash(bytea, int8multirange) IS 'the hash of rows of audit_log behind the hash of what was sealed before, and how many there are';

CREATE FUNCTION elecbill.audit_seal() RETURNS integer
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	last elecbill.audit_seal;
	since bigint;
	sealed int8multirange;
	ids int8multirange;
	made record;
	total integer := 0;
BEGIN
	LOCK TABLE elecbill.audit_seal IN SHARE ROW EXCLUSIVE MODE;
	LOOP
		SELECT * INTO last FROM elecbill.audit_seal s ORDER BY s.n DESC LIMIT 1;
		-- what began to be written a hundred seals ago is written by now
		SELECT min(lower(s.ids)), range_agg(r.ids) INTO since, sealed
		FROM elecbill.audit_seal s, unnest(s.ids) AS r(ids) WHERE s.n > last.n - 100;
		-- Rows of a running transaction come later, with smaller ids than some that are there: a row is
		-- complete company when no transaction of its time is running. What has a number yet to come
		-- was restored from another cluster.
		SELECT range_agg(int8range(c.id, c.id, '[]')) INTO ids
		FROM (SELECT a.id FROM elecbill.audit_log a, pg_current_snapshot() AS now
			WHERE a.id >= coalesce(since, 0) AND NOT coalesce(sealed @> a.id, false)
				AND (a.xid < pg_snapshot_xmin(now) OR a.xid >= pg_snapshot_xmax(now) AND a.xid <> pg_current_xact_id())
			ORDER BY a.id LIMIT 20000) AS c;
		EXIT WHEN ids IS NULL;
		made := elecbill._audit_hash(coalesce(last.sha256, decode(repeat('00', 32), 'hex')), ids);
		INSERT INTO elecbill.audit_seal (n, ids, rows, prev_sha256, sha256)
		VALUES (coalesce(last.n, 0) + 1, ids, made.rows, coalesce(last.sha256, decode(repeat('00', 32), 'hex')), made.sha256);
		total := total + made.rows;
	END LOOP;
	RETURN total;
END $$;
COMMENT ON FUNCTION elecbill.audit_seal() IS
'seals the rows of audit_log that are certain to be complete, in chains of at most 20,000; returns how many. Rows of transactions that are running, or ran a moment ago, are left for the next call: run it once an hour or a day';

CREATE FUNCTION elecbill._fsck_audit(p_since date DEFAULT NULL) RETURNS TABLE (invariant text, object text, detail text)
LANGUAGE sql STABLE SET jit = off
BEGIN ATOMIC
	SELECT 'audit', format('seal %s', s.n), CASE WHEN h.rows <> s.rows THEN format('%s rows were sealed, %s are there', s.rows, h.rows)
		ELSE 'its rows are not those that were sealed' END
	FROM (SELECT x.* FROM elecbill.audit_seal x WHERE p_since IS NULL OR x.sealed_at >= p_since) AS s
	CROSS JOIN LATERAL elecbill._audit_hash(s.prev_sha256, s.ids) AS h
	WHERE h.sha256 <> s.sha256 OR h.rows <> s.rows
UNION ALL
	SELECT 'audit', format('seal %s', c.n), 'it does not follow the seal before'
	FROM (SELECT s.n, s.prev_sha256, lag(s.sha256, 1, decode(repeat('00', 32), 'hex')) OVER w AS before, row_number() OVER w AS no
		FROM elecbill.audit_seal s WINDOW w AS (ORDER BY s.n)) AS c
	WHERE c.prev_sha256 <> c.before OR c.n <> c.no
UNION ALL
	SELECT 'audit', format('row %s', a.id), 'it was not sealed'
	FROM elecbill.audit_log a, (SELECT range_agg(r.ids) AS sealed, max(s.sealed_at) AS at
		FROM elecbill.audit_seal s, unnest(s.ids) AS r(ids)) AS s
	WHERE NOT s.sealed @> a.id AND a.id < upper(s.sealed) AND a.at < s.at - interval '1 day';
END;
COMMENT ON FUNCTION elecbill._fsck_audit(date) IS
'audit: seals (made since an instant, NULL: all) whose rows were changed or removed, a chain that is broken, rows written a day or more before the last seal that slipped in under it';
