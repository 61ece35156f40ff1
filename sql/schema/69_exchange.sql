-- 69_exchange.sql: another meter at a point, or the same one behind other transformers
--
-- Both installations meet at one instant; the last value of the one and the first of the other are readings
-- (source 4 and 3), so no reading is needed at any other time, and the use of a period is the sum over both.
-- Locks: reading (against ingest(), before anything else), accounts of the point, the point, the installation.

CREATE FUNCTION elecbill._exchange_values(p_meter elecbill.meter, p_values jsonb, p_what text)
RETURNS TABLE (code text, wh bigint)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	one		record;
	total	numeric;	/* kWh, where registers add up to it and all are given */
BEGIN
	FOR one IN SELECT e.key, e.value FROM jsonb_each(CASE jsonb_typeof(p_values) WHEN 'object' THEN p_values END) AS e LOOP
		IF jsonb_typeof(one.value) <> 'number' OR (one.value #>> '{}')::numeric < 0
			OR (one.value #>> '{}')::numeric <> trunc((one.value #>> '{}')::numeric, 3)
			OR (one.value #>> '{}')::numeric >= 1000000000000
		THEN
			RAISE EXCEPTION 'the % value of register % is not a reading', p_what, one.key
				USING ERRCODE = 'UB400', DETAIL = format('The value is %s.', one.value);
		END IF;
	END LOOP;
	SELECT sum((p_values ->> g.code)::numeric) % (t.wrap_wh * 0.001) INTO total
	FROM elecbill.meter_register AS g
	JOIN elecbill.meter_register AS t ON t.meter_id = g.meter_id AND t.code = '1.8.0'
	WHERE g.meter_id = p_meter.id AND g.adds GROUP BY t.wrap_wh HAVING bool_and(p_values ? g.code);
	IF (p_values ->> '1.8.0')::numeric <> total THEN
		RAISE EXCEPTION 'the % values of the tariff registers of meter % do not add up to that of 1.8.0', p_what, p_meter.serial
			USING ERRCODE = 'UB400', DETAIL = format('The sum is %s kWh.', trim_scale(total)), HINT = 'Leave 1.8.0 out.';
	ELSIF jsonb_typeof(p_values) = 'object' IS NOT TRUE OR NOT p_values ? '1.8.0' AND total IS NULL THEN
		RAISE EXCEPTION 'the % values must be an object of kWh by register, with 1.8.0', p_what
			USING ERRCODE = 'UB400', DETAIL = format('The value is %s.', coalesce(p_values::text, 'NULL')),
				  HINT = 'For example {"1.8.0": 1234.56}; or all tariff registers of a meter whose total is their sum.';
	END IF;
	RETURN QUERY SELECT e.key, ((e.value #>> '{}')::numeric * 1000)::bigint
	FROM jsonb_each(p_values || CASE WHEN total IS NULL THEN '{}' ELSE jsonb_build_object('1.8.0', total) END) AS e ORDER BY e.key;
END $$;
COMMENT ON FUNCTION elecbill._exchange_values(elecbill.meter, jsonb, text) IS 'values of the registers of a meter as exchange_meter() is given them, in Wh; 1.8.0 is added where it is the sum of others; UB400';

CREATE FUNCTION elecbill._exchange_store(p_meter elecbill.meter, p_values jsonb, p_what text, p_at timestamptz, p_source integer)
RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	one		record;
	before	record;
	stored	bigint;
BEGIN
	FOR one IN
		SELECT v.code, v.wh, g.id, g.wrap_wh FROM elecbill._exchange_values(p_meter, p_values, p_what) AS v
		LEFT JOIN elecbill.meter_register AS g ON g.meter_id = p_meter.id AND g.code = v.code ORDER BY g.id
	LOOP
		IF one.id IS NULL OR one.wh >= one.wrap_wh THEN
			RAISE EXCEPTION 'meter % has no register % that shows % kWh', p_meter.serial, one.code, one.wh * 0.001
				USING ERRCODE = CASE WHEN one.id IS NULL THEN 'UB404' ELSE 'UB400' END;
		END IF;
		before := elecbill._register_mark(one.id, '-infinity', p_at - interval '1 microsecond', false);
		IF p_source = 4 AND before.at IS NOT NULL
			AND elecbill.register_delta(before.wh, one.wh, one.wrap_wh, one.wrap_wh / 10) IS NULL
		THEN
			RAISE EXCEPTION 'the register of meter % would run backwards', quote_literal(p_meter.serial)
				USING ERRCODE = 'UB422', DETAIL = format('Register %s showed %s kWh before.', one.code, before.wh * 0.001),
					  HINT = 'Read the value of the old meter again, or correct the reading before it.';
		END IF;
		INSERT INTO elecbill.reading (register_id, read_at, register_wh, slot_at, org_id, quality, source)
		VALUES (one.id, p_at, one.wh, CASE WHEN elecbill._slot_at(p_at, p_meter.interval_s) = p_at THEN p_at END,
			p_meter.org_id, CASE p_source WHEN 3 THEN 512 WHEN 4 THEN CASE WHEN one.wh < before.wh THEN 64 ELSE 0 END END, p_source)
		ON CONFLICT (register_id, read_at) DO NOTHING;
		SELECT r.register_wh INTO stored FROM elecbill.reading_effective AS r WHERE r.register_id = one.id AND r.read_at = p_at;
		IF stored IS DISTINCT FROM one.wh THEN
			RAISE EXCEPTION 'meter % has another reading at this instant', quote_literal(p_meter.serial)
				USING ERRCODE = 'UB409', DETAIL = format('Register %s: %s kWh.', one.code, stored * 0.001);
		END IF;
	END LOOP;
END $$;
COMMENT ON FUNCTION elecbill._exchange_store(elecbill.meter, jsonb, text, timestamptz, integer) IS 'stores the values of a meter at its removal (source 4) or installation (3); UB400, UB404, UB409, UB422';

CREATE FUNCTION elecbill._exchange_meter_get(p_org integer, p_serial text, p_like elecbill.meter) RETURNS elecbill.meter
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	got	elecbill.meter;
BEGIN
	IF p_serial ~ '^\S{1,64}$' IS NOT TRUE THEN
		RAISE EXCEPTION 'a meter number has 1 to 64 characters without blanks' USING ERRCODE = 'UB400';
	END IF;
	SELECT m.* INTO got FROM elecbill.meter AS m WHERE m.serial = p_serial;
	IF FOUND AND got.org_id <> p_org THEN
		RAISE EXCEPTION 'meter number % is in use', quote_literal(p_serial) USING ERRCODE = 'UB409';
	ELSIF NOT FOUND THEN
		INSERT INTO elecbill.meter (org_id, serial, model_id, kind, interval_s)
		VALUES (p_org, p_serial, p_like.model_id, p_like.kind, p_like.interval_s)
		ON CONFLICT ON CONSTRAINT meter_serial_key DO NOTHING RETURNING * INTO got;
		IF NOT FOUND THEN
			RAISE EXCEPTION 'meter number % is in use', quote_literal(p_serial) USING ERRCODE = 'UB409';
		END IF;
		INSERT INTO elecbill.meter_register (org_id, meter_id, code, wrap_wh, adds)
		SELECT g.org_id, got.id, g.code, g.wrap_wh, g.adds FROM elecbill.meter_register AS g WHERE g.meter_id = p_like.id;
	END IF;
	RETURN got;
END $$;
COMMENT ON FUNCTION elecbill._exchange_meter_get(integer, text, elecbill.meter) IS 'a meter by its serial; one that is not known is made, of the same model and with the same registers as another. UB400, UB409';

CREATE FUNCTION elecbill._exchange_point(p_point text, p_meter text, p_at timestamptz)
RETURNS elecbill.meter_installation
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	point	elecbill.usage_point := elecbill._point_get(p_point);
	place	elecbill.meter_installation;
	late	timestamptz;
BEGIN
	PERFORM elecbill._org_get((SELECT o.code FROM elecbill.org AS o WHERE o.id = point.org_id));
	IF isfinite(p_at) IS NOT TRUE OR p_at > elecbill._ingest_horizon() OR p_at < elecbill._retained_since() THEN
		RAISE EXCEPTION 'an exchange has an instant that is past, and whose readings are kept'
			USING ERRCODE = 'UB400', DETAIL = format('The value is %s.', coalesce(p_at::text, 'NULL'));
	END IF;
	-- who is storing readings ends before, who comes later sees the exchange
	LOCK TABLE ONLY elecbill.reading IN SHARE ROW EXCLUSIVE MODE;
	PERFORM FROM elecbill.customer_account AS a WHERE a.id IN (
		SELECT c.account_id FROM elecbill.customer_agreement AS c WHERE c.usage_point_id = point.id)
	ORDER BY a.id FOR NO KEY UPDATE;
	PERFORM FROM elecbill.usage_point AS u WHERE u.id = point.id FOR NO KEY UPDATE;
	SELECT i.* INTO place FROM elecbill.meter_installation AS i JOIN elecbill.meter AS m ON m.id = i.meter_id
	WHERE i.usage_point_id = point.id AND m.serial = p_meter AND i.role = 'main' AND upper_inf(i.valid) FOR NO KEY UPDATE OF i;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'meter % is not the meter of usage point %', quote_nullable(p_meter), quote_literal(point.code)
			USING ERRCODE = 'UB404';
	ELSIF lower(place.valid) >= p_at THEN
		RAISE EXCEPTION 'meter % was installed at this instant or later', quote_literal(p_meter)
			USING ERRCODE = 'UB409', DETAIL = format('Since %s.', lower(place.valid));
	END IF;
	-- a reading of the old meter behind the exchange says that it was still there
	SELECT max(r.read_at) INTO late FROM elecbill.meter_register AS g
	JOIN elecbill.reading_effective AS r ON r.register_id = g.id AND r.read_at > p_at AND r.source <> 6
	WHERE g.meter_id = place.meter_id;
	IF late IS NOT NULL THEN
		RAISE EXCEPTION 'meter % has readings behind this instant', quote_literal(p_meter)
			USING ERRCODE = 'UB409', DETAIL = format('The last is of %s.', late),
				  HINT = 'Give the right instant, or take those readings out with reading_void() or reading_move().';
	END IF;
	RETURN place;
END $$;
COMMENT ON FUNCTION elecbill._exchange_point(text, text, timestamptz) IS 'the installation of a meter that ends at an instant, locked. UB400, UB404, UB409 readings behind it';

CREATE FUNCTION elecbill.exchange_meter(usage_point text, old_meter text, removal jsonb, new_meter text, start jsonb,
	multiplier numeric, at timestamptz) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	place	elecbill.meter_installation;
	gone	elecbill.meter;
	came	elecbill.meter;
	done	elecbill.meter_installation;
BEGIN
	IF multiplier BETWEEN 0.0001 AND 1000000 IS NOT TRUE OR multiplier <> round(multiplier, 4) THEN
		RAISE EXCEPTION 'a multiplier is a number from 0.0001 to 1000000 with at most 4 decimals' USING ERRCODE = 'UB400';
	ELSIF old_meter = new_meter THEN
		RAISE EXCEPTION 'a meter is exchanged for another one'
			USING ERRCODE = 'UB400', HINT = 'multiplier_change() is for other transformers at the same meter.';
	END IF;
	-- made before: by this very call
	SELECT i.* INTO done FROM elecbill.meter_installation AS i JOIN elecbill.meter AS m ON m.id = i.meter_id
	WHERE i.usage_point_id = (elecbill._point_get(exchange_meter.usage_point)).id AND m.serial = new_meter
		AND i.role = 'main' AND lower(i.valid) = at AND i.multiplier = exchange_meter.multiplier;
	IF FOUND AND EXISTS (SELECT FROM elecbill.meter_installation AS i JOIN elecbill.meter AS m ON m.id = i.meter_id
		JOIN elecbill.meter_register AS g ON g.meter_id = m.id AND g.code = '1.8.0'
		JOIN elecbill._reading_all AS r ON r.register_id = g.id AND r.read_at = at
			AND r.register_wh = (SELECT v.wh FROM elecbill._exchange_values(m, removal, 'removal') AS v WHERE v.code = '1.8.0')
		WHERE i.usage_point_id = done.usage_point_id AND m.serial = old_meter AND upper(i.valid) = at)
	THEN
		RETURN;
	END IF;
	place := elecbill._exchange_point(exchange_meter.usage_point, old_meter, at);
	SELECT m.* INTO gone FROM elecbill.meter AS m WHERE m.id = place.meter_id;
	came := elecbill._exchange_meter_get(place.org_id, new_meter, gone);
	PERFORM elecbill._reading_partition((at AT TIME ZONE 'UTC')::date);
	PERFORM elecbill._exchange_store(gone, removal, 'removal', at, 4);
	UPDATE elecbill.meter_installation AS i SET valid = tstzrange(lower(i.valid), at) WHERE i.id = place.id;
	BEGIN
		INSERT INTO elecbill.meter_installation (org_id, meter_id, usage_point_id, multiplier, valid)
		VALUES (place.org_id, came.id, place.usage_point_id, exchange_meter.multiplier, tstzrange(at, NULL));
	EXCEPTION WHEN exclusion_violation THEN
		RAISE EXCEPTION 'meter % is installed somewhere else', quote_literal(new_meter) USING ERRCODE = 'UB409';
	END;
	PERFORM elecbill._exchange_store(came, start, 'start', at, 3);
	PERFORM elecbill._audit(place.org_id, 'exchange_meter', exchange_meter.usage_point,
		jsonb_build_object('meter', old_meter, 'values', removal, 'multiplier', place.multiplier),
		jsonb_build_object('meter', new_meter, 'values', start, 'multiplier', multiplier, 'at', at));
END $$;
COMMENT ON FUNCTION elecbill.exchange_meter(text, text, jsonb, text, jsonb, numeric, timestamptz) IS 'puts another main meter at a usage point (code, or ORG/CODE) at an instant: the last values of the old one and the first of the new one in kWh by register ({"1.8.0": 1234.5}; 1.8.0 may be left out where it is the sum of the others, 66_total.sql), and the transformer ratio of the new one. A meter that is not known is made, of the model of the old one. The same call again changes nothing. UB400, UB404 not the meter of the point, UB409 the old one has later readings, the new one is somewhere else, energy behind the instant is billed, UB422 the register would run backwards';

CREATE FUNCTION elecbill.multiplier_change(usage_point text, meter text, reading jsonb, multiplier numeric, at timestamptz)
RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	place	elecbill.meter_installation;
	device	elecbill.meter;
BEGIN
	IF multiplier BETWEEN 0.0001 AND 1000000 IS NOT TRUE OR multiplier <> round(multiplier, 4) THEN
		RAISE EXCEPTION 'a multiplier is a number from 0.0001 to 1000000 with at most 4 decimals' USING ERRCODE = 'UB400';
	END IF;
	IF EXISTS (SELECT FROM elecbill.meter_installation AS i JOIN elecbill.meter AS m ON m.id = i.meter_id
		WHERE i.usage_point_id = (elecbill._point_get(multiplier_change.usage_point)).id AND m.serial = multiplier_change.meter
			AND lower(i.valid) = at AND i.multiplier = multiplier_change.multiplier)
	THEN
		RETURN;
	END IF;
	place := elecbill._exchange_point(multiplier_change.usage_point, multiplier_change.meter, at);
	SELECT m.* INTO device FROM elecbill.meter AS m WHERE m.id = place.meter_id;
	PERFORM elecbill._reading_partition((at AT TIME ZONE 'UTC')::date);
	-- one value ends the one installation and begins the other
	PERFORM elecbill._exchange_store(device, multiplier_change.reading, 'register', at, 4);
	UPDATE elecbill.meter_installation AS i SET valid = tstzrange(lower(i.valid), at) WHERE i.id = place.id;
	INSERT INTO elecbill.meter_installation (org_id, meter_id, usage_point_id, multiplier, valid)
	VALUES (place.org_id, place.meter_id, place.usage_point_id, multiplier_change.multiplier, tstzrange(at, NULL));
	PERFORM elecbill._audit(place.org_id, 'multiplier_change', multiplier_change.usage_point,
		jsonb_build_object('multiplier', place.multiplier),
		jsonb_build_object('multiplier', multiplier_change.multiplier, 'values', multiplier_change.reading, 'at', at));
END $$;
COMMENT ON FUNCTION elecbill.multiplier_change(text, text, jsonb, numeric, timestamptz) IS 'the main meter of a usage point stands behind other transformers since an instant: what its registers showed then (kWh by register), and the new ratio. Energy before counts with the old one. For a ratio that was wrong all the time give the start of the installation that is not billed, or correct the bill by an adjustment. The same call again changes nothing. UB400, UB404, UB409, UB422';
