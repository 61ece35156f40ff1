-- 38_staff.sql: what staff do by hand, by the keys people use: codes, account numbers, serials

CREATE FUNCTION elecbill.org_create(code text, name text, zone text DEFAULT 'Asia/Shanghai', currency text DEFAULT 'CNY')
RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	owner	integer;
BEGIN
	IF code !~ '^\S{1,64}$' IS NOT FALSE OR name <> '' IS NOT TRUE OR currency !~ '^[A-Z]{3}$' IS NOT FALSE THEN
		RAISE EXCEPTION 'an org needs a code without blanks, a name and a currency of three capitals'
			USING ERRCODE = 'UB400';
	END IF;
	INSERT INTO elecbill.org AS o (code, name, zone, currency) VALUES (code, name, zone, currency)
	ON CONFLICT ON CONSTRAINT org_code_key DO NOTHING RETURNING o.id INTO owner;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'org % exists', quote_literal(code) USING ERRCODE = 'UB409';
	END IF;
	INSERT INTO elecbill.billing_cycle (org_id, code) VALUES (owner, 'MONTH');
END $$;
COMMENT ON FUNCTION elecbill.org_create(text, text, text, text) IS 'makes an org and its billing cycle MONTH (calendar months, due 20 days after issue). UB400, UB404 unknown zone, UB409 exists';

CREATE FUNCTION elecbill.billing_cycle_create(org text, code text, months integer DEFAULT 1,
	anchor_day integer DEFAULT 1, due_days integer DEFAULT 20)
RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	owner	integer := elecbill._org_get(org);
BEGIN
	IF code !~ '^\S{1,64}$' IS NOT FALSE OR months IN (1, 2, 3, 4, 6, 12) IS NOT TRUE
		OR anchor_day BETWEEN 1 AND 28 IS NOT TRUE OR due_days BETWEEN 0 AND 365 IS NOT TRUE
	THEN
		RAISE EXCEPTION 'a billing cycle needs a code, 1, 2, 3, 4, 6 or 12 months, a day from 1 to 28 and 0 to 365 days to pay'
			USING ERRCODE = 'UB400';
	END IF;
	INSERT INTO elecbill.billing_cycle (org_id, code, months, anchor_day, due_days)
	VALUES (owner, code, months, anchor_day, due_days)
	ON CONFLICT ON CONSTRAINT billing_cycle_org_code_key DO NOTHING;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'billing cycle % exists', quote_literal(code) USING ERRCODE = 'UB409';
	END IF;
END $$;
COMMENT ON FUNCTION elecbill.billing_cycle_create(text, text, integer, integer, integer) IS 'makes a billing cycle: months per period (1, 2, 3, 4, 6, 12), first day of a period (1 to 28), days from issue to due date. UB400, UB404, UB409';

CREATE FUNCTION elecbill.calendar_create(org text, code text, weekend text[] DEFAULT '{sat,sun}') RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	owner	integer := elecbill._org_get(org);
BEGIN
	IF code !~ '^\S{1,64}$' IS NOT FALSE OR array_ndims(weekend) > 1 OR array_position(weekend, NULL) IS NOT NULL
		OR weekend <@ '{mon,tue,wed,thu,fri,sat,sun}' IS NOT TRUE
	THEN
		RAISE EXCEPTION 'a calendar needs a code and the days of its weekend, such as {sat,sun}' USING ERRCODE = 'UB400';
	END IF;
	INSERT INTO elecbill.calendar (org_id, code, weekend) VALUES (owner, code, weekend)
	ON CONFLICT ON CONSTRAINT calendar_org_code_key DO NOTHING;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'calendar % exists', quote_literal(code) USING ERRCODE = 'UB409';
	END IF;
END $$;
COMMENT ON FUNCTION elecbill.calendar_create(text, text, text[]) IS 'makes a calendar without special days. UB400, UB404, UB409';

CREATE FUNCTION elecbill.calendar_day_set(org text, calendar text, day date, tags text[]) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	owner	integer := elecbill._org_get(org);
	cal		bigint;
BEGIN
	SELECT c.id INTO cal FROM elecbill.calendar c
	WHERE c.org_id = owner AND c.code = calendar_day_set.calendar FOR NO KEY UPDATE;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'org % has no calendar %', quote_literal(org), quote_nullable(calendar) USING ERRCODE = 'UB404';
	END IF;
	IF isfinite(day) IS NOT TRUE OR tags IS NULL OR array_ndims(tags) > 1 OR array_position(tags, NULL) IS NOT NULL
		OR EXISTS (SELECT FROM unnest(tags) t(tag) WHERE t.tag !~ '^[a-z][a-z0-9_]{0,62}$')
	THEN
		RAISE EXCEPTION 'a day needs a date and tags such as {holiday} or {makeup}; {} takes all away'
			USING ERRCODE = 'UB400';
	END IF;
	-- what was known stays known for the bills that used it; a row of this very instant was never used
	DELETE FROM elecbill.calendar_day d
	WHERE d.calendar_id = cal AND d.day = calendar_day_set.day AND upper_inf(d.known)
	  AND lower(d.known) >= elecbill.now() AND d.tag <> ALL (tags);
	UPDATE elecbill.calendar_day d SET known = tstzrange(lower(d.known), elecbill.now())
	WHERE d.calendar_id = cal AND d.day = calendar_day_set.day AND upper_inf(d.known) AND d.tag <> ALL (tags);
	INSERT INTO elecbill.calendar_day (org_id, calendar_id, day, tag, known)
	SELECT DISTINCT owner, cal, calendar_day_set.day, t.tag, tstzrange(elecbill.now(), NULL)
	FROM unnest(tags) t(tag)
	WHERE NOT EXISTS (SELECT FROM elecbill.calendar_day d WHERE d.calendar_id = cal
					  AND d.day = calendar_day_set.day AND d.tag = t.tag AND upper_inf(d.known));
END $$;
COMMENT ON FUNCTION elecbill.calendar_day_set(text, text, date, text[]) IS 'says what is special about a local date from now on: all its tags, {} = nothing any more. Tariffs as known earlier do not change. UB400, UB404';

CREATE FUNCTION elecbill.collector_create(org text, code text, id uuid DEFAULT gen_random_uuid()) RETURNS uuid
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	owner	integer := elecbill._org_get(org);
BEGIN
	IF code !~ '^\S{1,64}$' IS NOT FALSE OR id IS NULL THEN
		RAISE EXCEPTION 'a collector needs a code without blanks' USING ERRCODE = 'UB400';
	END IF;
	INSERT INTO elecbill.collector (id, org_id, code) VALUES (id, owner, code) ON CONFLICT DO NOTHING;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'collector % or its id exists', quote_literal(code) USING ERRCODE = 'UB409';
	END IF;
	RETURN id;
END $$;
COMMENT ON FUNCTION elecbill.collector_create(text, text, uuid) IS 'makes a collector and returns the id for its configuration. UB400, UB404, UB409';

CREATE FUNCTION elecbill._agreement_get(p_org text, p_account_no text, p_point text, p_day date)
RETURNS elecbill.customer_agreement
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	owner	integer := elecbill._org_get(p_org);
	found	elecbill.customer_agreement[];
BEGIN
	IF isfinite(p_day) IS NOT TRUE THEN
		RAISE EXCEPTION 'the day must be a date' USING ERRCODE = 'UB400';
	END IF;
	found := ARRAY(
		SELECT g FROM elecbill.customer_agreement g
		JOIN elecbill.customer_account a ON a.id = g.account_id
		JOIN elecbill.usage_point u ON u.id = g.usage_point_id
		WHERE a.org_id = owner AND a.account_no = p_account_no AND u.code = coalesce(p_point, u.code)
		  AND g.valid @> p_day
		FOR NO KEY UPDATE OF g);
	IF cardinality(found) = 0 THEN
		RAISE EXCEPTION 'account % has no agreement on %', quote_nullable(p_account_no), to_char(p_day, 'YYYY-MM-DD')
			USING ERRCODE = 'UB404';
	ELSIF cardinality(found) > 1 THEN
		RAISE EXCEPTION 'account % pays for several usage points', quote_literal(p_account_no)
			USING ERRCODE = 'UB409', HINT = 'Name the usage point.';
	END IF;
	RETURN found[1];
END $$;
COMMENT ON FUNCTION elecbill._agreement_get(text, text, text, date) IS 'the agreement of an account on a day, locked; the point may be NULL when there is only one. UB404, UB409';

CREATE FUNCTION elecbill._agreement_close(p_agreement bigint, p_day date) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	DELETE FROM elecbill.agreement_attribute t WHERE t.agreement_id = p_agreement AND lower(t.valid) >= p_day;
	UPDATE elecbill.agreement_attribute t SET valid = t.valid * daterange(NULL, p_day)
	WHERE t.agreement_id = p_agreement AND t.valid @> p_day;
	UPDATE elecbill.customer_agreement g SET valid = g.valid * daterange(NULL, p_day) WHERE g.id = p_agreement;
END $$;
COMMENT ON FUNCTION elecbill._agreement_close(bigint, date) IS 'ends an agreement and its attributes at the start of a day';

CREATE FUNCTION elecbill.agreement_end(org text, account_no text, day date, point text DEFAULT NULL) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	old		elecbill.customer_agreement := elecbill._agreement_get(org, account_no, point, day - 1);
BEGIN
	PERFORM elecbill._agreement_close(old.id, day);
END $$;
COMMENT ON FUNCTION elecbill.agreement_end(text, text, date, text) IS 'ends the agreement of an account at the start of a local day (moving out). UB404 no agreement the day before, UB409 several points';

CREATE FUNCTION elecbill.agreement_set(org text, account_no text, tariff text, day date, point text DEFAULT NULL)
RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	old		elecbill.customer_agreement := elecbill._agreement_get(org, account_no, point, day);
	plan	bigint;
	new_id	bigint;
	attributes elecbill.agreement_attribute[];
BEGIN
	SELECT p.id INTO plan FROM elecbill.tariff_plan p WHERE p.org_id = old.org_id AND p.code = tariff AND NOT p.rider;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'there is no tariff plan %', quote_nullable(tariff) USING ERRCODE = 'UB404';
	ELSIF plan = old.tariff_plan_id THEN
		RETURN;
	ELSIF lower(old.valid) = day THEN
		RAISE EXCEPTION 'the agreement of account % begins on that day with another tariff', quote_literal(account_no)
			USING ERRCODE = 'UB409', HINT = 'Let the change begin on a later day.';
	END IF;
	attributes := ARRAY(SELECT t FROM elecbill.agreement_attribute t
						WHERE t.agreement_id = old.id AND t.valid && daterange(day, NULL));
	PERFORM elecbill._agreement_close(old.id, day);
	INSERT INTO elecbill.customer_agreement (org_id, account_id, usage_point_id, tariff_plan_id, valid)
	VALUES (old.org_id, old.account_id, old.usage_point_id, plan, daterange(day, upper(old.valid)))
	RETURNING id INTO new_id;
	INSERT INTO elecbill.agreement_attribute (org_id, agreement_id, name, value, valid)
	SELECT t.org_id, new_id, t.name, t.value, t.valid * daterange(day, NULL) FROM unnest(attributes) t;
END $$;
COMMENT ON FUNCTION elecbill.agreement_set(text, text, text, date, text) IS 'puts an account on another tariff from a local day on; its attributes go along. UB404 unknown account, day or tariff, UB409 several points, or the agreement begins on that day';

CREATE FUNCTION elecbill.agreement_start(org text, account_no text, name text, kind text, point text, tariff text,
	day date, cycle text DEFAULT 'MONTH')
RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	owner	integer := elecbill._org_get(org);
	place	bigint;
	given	jsonb := jsonb_build_object('account_no', account_no, 'name', name, 'tariff', tariff, 'cycle', cycle,
		'point', point, 'kind', CASE kind WHEN 'person' THEN 'residential' END, 'last_read_at', day);
BEGIN
	IF account_no ~ '^\S{1,64}$' IS NOT TRUE OR name <> '' IS NOT TRUE OR kind IN ('person', 'company') IS NOT TRUE
		OR isfinite(day) IS NOT TRUE
	THEN
		RAISE EXCEPTION 'an agreement needs an account number without blanks, a name, person or company, and a day'
			USING ERRCODE = 'UB400';
	END IF;
	SELECT u.id INTO place FROM elecbill.usage_point u
	WHERE u.org_id = owner AND u.code = agreement_start.point FOR NO KEY UPDATE;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'there is no usage point %', quote_nullable(point) USING ERRCODE = 'UB404';
	END IF;
	PERFORM elecbill._estate_agree(owner, given, elecbill._estate_account(owner, given), place);
END $$;
COMMENT ON FUNCTION elecbill.agreement_start(text, text, text, text, text, text, date, text) IS 'lets an account, made if need be for a person or company, pay for a usage point from a local day on (moving in). The same call again changes nothing. UB400, UB404 unknown point, tariff or cycle, UB409 somebody else pays';

CREATE FUNCTION elecbill.attribute_set(org text, account_no text, name text, value jsonb, day date, point text DEFAULT NULL)
RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	agreement elecbill.customer_agreement := elecbill._agreement_get(org, account_no, point, day);
BEGIN
	IF name !~ '^[a-z][a-z0-9_]{0,62}$' IS NOT FALSE OR jsonb_typeof(value) IN ('number', 'string', 'boolean') IS NOT TRUE THEN
		RAISE EXCEPTION 'an attribute needs a name such as household_size and a number, string or boolean'
			USING ERRCODE = 'UB400';
	ELSIF name = 'household_size' AND value <> ALL (ARRAY(SELECT to_jsonb(n) FROM generate_series(1, 100) n)) THEN
		RAISE EXCEPTION 'household_size must be a whole number from 1 to 100' USING ERRCODE = 'UB400';
	ELSIF EXISTS (SELECT FROM elecbill.agreement_attribute t WHERE t.agreement_id = agreement.id
				  AND t.name = attribute_set.name AND lower(t.valid) >= day) THEN
		RAISE EXCEPTION 'attribute % of account % is set from this day or a later one', name, quote_literal(account_no)
			USING ERRCODE = 'UB409';
	END IF;
	UPDATE elecbill.agreement_attribute t SET valid = daterange(lower(t.valid), day)
	WHERE t.agreement_id = agreement.id AND t.name = attribute_set.name AND t.valid @> day;
	INSERT INTO elecbill.agreement_attribute (org_id, agreement_id, name, value, valid)
	VALUES (agreement.org_id, agreement.id, name, value, daterange(day, upper(agreement.valid)));
END $$;
COMMENT ON FUNCTION elecbill.attribute_set(text, text, text, jsonb, date, text) IS 'gives the agreement of an account an attribute from a local day on, such as household_size (a tariff asks for it as persons). A bill takes the value of its first day. UB400, UB404, UB409';

CREATE FUNCTION elecbill.reading_add(org text, meter text, register text, at timestamptz, kwh numeric) RETURNS text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	c		record;
	last_wh	bigint;
	stored	bigint;
	flag	integer := 0;
BEGIN
	SELECT k.* INTO c FROM elecbill._ingest_check(elecbill._org_get(org), ARRAY[meter], ARRAY[register],
		ARRAY[at], ARRAY[kwh], '{0}', '{NULL}', NULL) k;
	IF c.reason IS NOT NULL THEN
		RAISE EXCEPTION 'reading of meter % refused: %', quote_nullable(meter), c.reason
			USING ERRCODE = CASE WHEN c.reason LIKE 'unknown%' THEN 'UB404' ELSE 'UB400' END;
	END IF;
	last_wh := (elecbill._reading_before(c.register_id, at, NULL)).wh;
	IF c.register_wh < last_wh THEN
		IF NOT (last_wh > c.wrap_wh / 10 * 9 AND c.register_wh < c.wrap_wh / 10) THEN
			RAISE EXCEPTION 'the register of meter % would run backwards', quote_literal(meter)
				USING ERRCODE = 'UB422', DETAIL = format('The value before it is %s kWh.', last_wh * 0.001),
					  HINT = 'Read again; if the meter was exchanged, book the exchange first.';
		END IF;
		flag := 64;
	END IF;
	INSERT INTO elecbill.reading (register_id, read_at, register_wh, org_id, quality, source)
	SELECT c.register_id, at, c.register_wh, g.org_id, flag, 2 FROM elecbill.meter_register g WHERE g.id = c.register_id
	ON CONFLICT (register_id, read_at) DO NOTHING;
	IF FOUND THEN
		RETURN 'accepted';
	END IF;
	SELECT r.register_wh INTO stored FROM elecbill.reading r WHERE r.register_id = c.register_id AND r.read_at = at;
	IF stored <> c.register_wh AND NOT EXISTS (SELECT FROM elecbill.reading_correction k WHERE k.register_id = c.register_id
		AND k.read_at = at AND upper_inf(k.known) AND k.edit_id IS NOT NULL AND k.register_wh = c.register_wh)
	THEN
		RAISE EXCEPTION 'meter % has another reading at this instant', quote_literal(meter)
			USING ERRCODE = 'UB409', DETAIL = format('Stored are %s kWh.', stored * 0.001),
				  HINT = 'A reading that was wrong, or was taken out, is put right by correct_reading().';
	END IF;
	RETURN 'duplicate';
END $$;
COMMENT ON FUNCTION elecbill.reading_add(text, text, text, timestamptz, numeric) IS 'a reading taken by a person: cumulative kWh of a register (1.8.0) at an instant. Returns accepted or duplicate. UB400 bad value, instant, or meter not installed then, UB404 unknown meter or register, UB409 another value is stored, UB422 below the value before it';
