-- 95_fsck.sql: fsck(): all that must be true, of everything or of what is new; and the same as tests

CREATE FUNCTION elecbill._fsck_rule(p_org integer) RETURNS TABLE (invariant text, object text, detail text)
LANGUAGE sql STABLE SET jit = off
BEGIN ATOMIC
	SELECT 'I18', format('meter %s', m.serial), format('is at two places: %s and %s', i.valid, x.valid)
	FROM elecbill.meter_installation i
	JOIN elecbill.meter_installation x ON x.meter_id = i.meter_id AND x.id > i.id AND x.valid && i.valid
	JOIN elecbill.meter m ON m.id = i.meter_id
	WHERE p_org IS NULL OR i.org_id = p_org
UNION ALL
	SELECT 'I18', format('usage point %s', u.code), format('has two main meters: %s and %s', i.valid, x.valid)
	FROM elecbill.meter_installation i
	JOIN elecbill.meter_installation x ON x.usage_point_id = i.usage_point_id AND x.id > i.id AND x.valid && i.valid
		AND x.role = 'main' AND i.role = 'main'
	JOIN elecbill.usage_point u ON u.id = i.usage_point_id
	WHERE p_org IS NULL OR i.org_id = p_org
UNION ALL
	SELECT w.invariant, w.conname, 'the constraint is missing'
	FROM (VALUES ('I05', 'bill', 'bill_service_excl'), ('I18', 'meter_installation', 'meter_installation_one_place'),
		('I18', 'meter_installation', 'meter_installation_one_main'), ('I18', 'tariff_version', 'tariff_version_valid_excl'))
		AS w(invariant, relname, conname)
	WHERE NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conname = w.conname
		AND c.conrelid = to_regclass('elecbill.' || w.relname))
UNION ALL
	SELECT 'I19', c.oid::regclass::text, 'rows of all orgs are open to whoever may read the table: row security is off'
	FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'org_id' AND NOT a.attisdropped
	WHERE c.relnamespace = to_regnamespace('elecbill')::oid AND c.relkind IN ('r', 'p') AND NOT c.relispartition
		AND NOT c.relrowsecurity
UNION ALL
	SELECT 'I19', c.oid::regclass::text, 'shows the rows of its owner: it has no security_invoker'
	FROM pg_class c
	WHERE c.relnamespace = to_regnamespace('elecbill')::oid AND c.relkind = 'v'
		AND coalesce(c.reloptions @> '{security_invoker=true}', false) IS FALSE;
END;
COMMENT ON FUNCTION elecbill._fsck_rule(integer) IS
'broken rules of the catalog, whatever the rows: I05 and I18 constraints that keep ranges apart, and meters at two places; I19 row security and views that ask as their reader';

CREATE FUNCTION elecbill._fsck(p_org integer, p_since date) RETURNS TABLE (invariant text, object text, detail text)
LANGUAGE plpgsql STABLE SET jit = off SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN QUERY SELECT * FROM elecbill._fsck_reading(p_org, p_since);
	RETURN QUERY SELECT * FROM elecbill._fsck_profile(p_org, p_since);
	RETURN QUERY SELECT * FROM elecbill._fsck_limit();
	RETURN QUERY SELECT * FROM elecbill._fsck_device();
	RETURN QUERY SELECT * FROM elecbill._fsck_bill(p_org, p_since);
	RETURN QUERY SELECT * FROM elecbill._fsck_energy(p_org, p_since);
	RETURN QUERY SELECT * FROM elecbill._fsck_estimate(p_org, p_since);
	RETURN QUERY SELECT * FROM elecbill._fsck_run(p_org, p_since);
	RETURN QUERY SELECT * FROM elecbill._fsck_bill_life(p_org, p_since);
	RETURN QUERY SELECT * FROM elecbill._fsck_ledger(p_org, p_since);
	RETURN QUERY SELECT * FROM elecbill._fsck_supply(p_org, p_since);
	RETURN QUERY SELECT * FROM elecbill._fsck_arrears(p_org, p_since);
	RETURN QUERY SELECT * FROM elecbill._fsck_audit(p_since);
	RETURN QUERY SELECT * FROM elecbill._fsck_opening(p_org);
	RETURN QUERY SELECT * FROM elecbill._fsck_rule(p_org);
END $$;
COMMENT ON FUNCTION elecbill._fsck(integer, date) IS 'all topics of fsck(), one after the other';

CREATE FUNCTION elecbill.fsck(org text DEFAULT NULL, since date DEFAULT NULL) RETURNS TABLE (invariant text, object text, detail text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN QUERY SELECT * FROM elecbill._fsck(CASE WHEN org IS NOT NULL THEN elecbill._org_get(org) END, since);
END $$;
COMMENT ON FUNCTION elecbill.fsck(text, date) IS
'a row per broken invariant of the database: number of the invariant or its topic, object, facts; no row when all is well. Of an org (NULL: all), and of what was measured, billed or booked since a local day (NULL: ever): fast enough for every day. What depends on no day, such as gapless numbers, is always looked at. UB404 unknown org';

CREATE FUNCTION elecbill.tap_invariants(p_org text DEFAULT NULL, p_since date DEFAULT NULL, p_lang text DEFAULT 'en') RETURNS SETOF text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	lang text := elecbill._lang(p_lang);
	home text := (SELECT n.nspname FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace WHERE e.extname = 'pgtap');
	found jsonb;
	one record;
	answer text;
BEGIN
	IF home IS NULL THEN
		RAISE EXCEPTION USING ERRCODE = 'UB412', MESSAGE = 'pgTAP is not installed in this database',
			HINT = 'CREATE EXTENSION pgtap; or ask elecbill.fsck(), which says the same without it.';
	END IF;
	found := (SELECT coalesce(jsonb_agg(to_jsonb(f)), '[]') FROM elecbill.fsck(p_org, p_since) AS f);
	-- pgTAP calls its own functions by their bare names
	PERFORM set_config('search_path', format('pg_catalog, %I, pg_temp', home), true);
	FOR one IN
		WITH fault AS (
			SELECT f.value ->> 'invariant' AS code, format('%s %s: %s', f.value ->> 'invariant', f.value ->> 'object', f.value ->> 'detail') AS said, f.i
			FROM jsonb_array_elements(found) WITH ORDINALITY AS f(value, i)
		), invariant AS (
			SELECT i.i, 'I' || to_char(i.i, 'FM00') AS code FROM generate_series(1, 20) AS i(i) UNION ALL SELECT 21, 'I_other')
		SELECT CASE WHEN v.i <= 20 THEN v.code || ' ' ELSE '' END || elecbill.label(v.code, lang) AS name, count(f.code) = 0 AS good,
			string_agg(f.said, chr(10) ORDER BY f.i) FILTER (WHERE f.i <= x.first + 9) AS said
		FROM invariant v
		LEFT JOIN fault f ON f.code = v.code OR v.i = 21 AND f.code !~ '^I(0[1-9]|1[0-9]|20)$'
		LEFT JOIN LATERAL (SELECT min(y.i) AS first FROM fault y WHERE y.code = f.code) AS x ON true
		GROUP BY v.i, v.code ORDER BY v.i
	LOOP
		EXECUTE format('SELECT %I.ok($1, $2)', home) INTO answer USING one.good, one.name;
		RETURN NEXT answer;
		IF NOT one.good THEN
			EXECUTE format('SELECT %I.diag($1)', home) INTO answer USING one.said;
			RETURN NEXT answer;
		END IF;
	END LOOP;
END $$;
COMMENT ON FUNCTION elecbill.tap_invariants(text, date, text) IS
'fsck() as 21 tests of pgTAP, between plan() and finish(): one for each invariant I01 to I20, and one for all else it looks at; what is broken is said below its test. Of an org (NULL: all), since a local day (NULL: ever). lang en or zh. UB400, UB404, UB412 pgTAP is not installed';
