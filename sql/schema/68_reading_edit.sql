-- 68_reading_edit.sql: what people may change in readings: another value, none, or that of another meter
--
-- Above the numbers of rule E02 a change waits for a second person. Each call has a key and works once.

CREATE FUNCTION elecbill._reading_edit_keep() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF TG_OP = 'UPDATE' AND OLD.decided_at IS NULL
		AND to_jsonb(NEW) - '{state,second,decided_by,decided_at}'::text[] = to_jsonb(OLD) - '{state,second,decided_by,decided_at}'::text[]
	THEN
		RETURN NEW;
	ELSIF TG_OP = 'DELETE' AND elecbill._org_emptying(OLD.org_id) THEN
		RETURN OLD;
	END IF;
	RAISE EXCEPTION 'an edit is decided once, and stays' USING ERRCODE = 'UB412', DETAIL = format('It is %s.', OLD.state);
END $$;
COMMENT ON FUNCTION elecbill._reading_edit_keep() IS 'trigger of reading_edit: it is decided once (UB412)';
CREATE TRIGGER reading_edit_keep BEFORE UPDATE OR DELETE ON elecbill.reading_edit
	FOR EACH ROW EXECUTE FUNCTION elecbill._reading_edit_keep();
COMMENT ON TRIGGER reading_edit_keep ON elecbill.reading_edit IS 'decided once';

CREATE FUNCTION elecbill._edit_begin(p_org integer, p_kind text, p_key text, p_reason text, p_content jsonb,
	OUT edit_id bigint, OUT former_state text)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	content	bytea := sha256(convert_to(p_content::text, 'UTF8'));
	former	elecbill.reading_edit;
BEGIN
	IF p_key ~ '^\S{1,128}$' IS NOT TRUE OR p_reason ~ '\S' IS NOT TRUE THEN
		RAISE EXCEPTION 'a change of readings needs a reason and a key of 1 to 128 characters without blanks'
			USING ERRCODE = 'UB400';
	END IF;
	INSERT INTO elecbill.reading_edit (org_id, kind, idem_key, content_sha256, reason, state, second)
	VALUES (p_org, p_kind, p_key, content, p_reason, 'approved', false)
	ON CONFLICT ON CONSTRAINT reading_edit_org_idem_key DO NOTHING RETURNING id INTO edit_id;
	IF NOT FOUND THEN
		SELECT e.* INTO former FROM elecbill.reading_edit AS e WHERE e.org_id = p_org AND e.idem_key = p_key;
		PERFORM elecbill._key_check(former.content_sha256, content, p_key);
		edit_id := former.id;
		former_state := former.state;
	END IF;
END $$;
COMMENT ON FUNCTION elecbill._edit_begin(integer, text, text, text, jsonb) IS 'takes the key of a change; former_state: its state where it was made before. UB400, UB409 the key is that of another change';

CREATE FUNCTION elecbill._edit_requalify(p_edit elecbill.reading_edit, p_register bigint, p_at timestamptz) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	next	record;
	former	record;
BEGIN
	SELECT r.* INTO next FROM elecbill.reading_effective AS r
	WHERE r.register_id = p_register AND r.read_at > p_at AND r.read_at < p_at + interval '62 days' ORDER BY r.read_at LIMIT 1;
	-- flags of a reading that speak of the one before it: went_backwards, rollover_candidate
	IF next.quality & 80 = 0 IS NOT FALSE OR next.source = 6 THEN
		RETURN;
	END IF;
	former := elecbill._register_mark(p_register, '-infinity', next.read_at - interval '1 microsecond');
	IF former.wh <= next.register_wh THEN
		PERFORM elecbill._correction_put(p_edit.org_id, p_register, next.read_at, next.register_wh, next.slot_at,
			next.quality & ~80, p_edit.id, NULL, true);
	END IF;
END $$;
COMMENT ON FUNCTION elecbill._edit_requalify(elecbill.reading_edit, bigint, timestamptz) IS 'the reading behind a corrected one ran backwards no more: its flags say so';

CREATE FUNCTION elecbill._edit_apply(p_edit elecbill.reading_edit) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	part	record;
BEGIN
	FOR part IN
		SELECT c.register_id, c.read_at, c.version FROM elecbill.reading_correction AS c
		WHERE c.edit_id = p_edit.id AND c.known IS NULL ORDER BY c.register_id, c.read_at
	LOOP
		PERFORM elecbill._correction_end(part.register_id, part.read_at);
		UPDATE elecbill.reading_correction AS c
		SET known = tstzrange(elecbill._correction_since(part.register_id, part.read_at), NULL)
		WHERE c.register_id = part.register_id AND c.read_at = part.read_at AND c.version = part.version;
	END LOOP;
	PERFORM elecbill._total_follow(p_edit);
	FOR part IN
		SELECT c.register_id, min(c.read_at) AS first, max(c.read_at) AS last
		FROM elecbill.reading_correction AS c
		WHERE c.edit_id = p_edit.id GROUP BY c.register_id ORDER BY c.register_id
	LOOP
		PERFORM elecbill._edit_requalify(p_edit, part.register_id, part.last);
		PERFORM elecbill._reading_changed(part.register_id, part.first, part.last, 'correction');
		PERFORM elecbill._estimate_meet(part.register_id, part.first, part.last);
	END LOOP;
END $$;
COMMENT ON FUNCTION elecbill._edit_apply(elecbill.reading_edit) IS 'lets the values of an edit count';

CREATE FUNCTION elecbill._edit_finish(p_edit bigint, p_second boolean, p_object text, p_before jsonb, p_after jsonb)
RETURNS text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	edit	elecbill.reading_edit;
BEGIN
	SELECT e.* INTO edit FROM elecbill.reading_edit AS e WHERE e.id = p_edit;
	IF p_second THEN
		UPDATE elecbill.reading_edit AS e SET second = true, state = 'pending' WHERE e.id = p_edit;
	ELSE
		PERFORM elecbill._edit_apply(edit);
	END IF;
	PERFORM elecbill._audit(edit.org_id, 'reading_' || edit.kind, p_object, p_before,
		p_after || jsonb_build_object('reason', edit.reason, 'state', CASE WHEN p_second THEN 'pending' ELSE 'approved' END));
	RETURN CASE WHEN p_second THEN 'pending' ELSE 'approved' END;
END $$;
COMMENT ON FUNCTION elecbill._edit_finish(bigint, boolean, text, jsonb, jsonb) IS 'lets an edit count, or wait for a second person; returns which';

CREATE FUNCTION elecbill._register_get(p_org integer, p_meter text, p_register text) RETURNS elecbill.meter_register
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	got	elecbill.meter_register;
BEGIN
	SELECT g.* INTO got FROM elecbill.meter AS m JOIN elecbill.meter_register AS g ON g.meter_id = m.id
	WHERE m.org_id = p_org AND m.serial = p_meter AND g.code = p_register;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'there is no register % of a meter %', quote_nullable(p_register), quote_nullable(p_meter)
			USING ERRCODE = 'UB404';
	END IF;
	RETURN got;
END $$;
COMMENT ON FUNCTION elecbill._register_get(integer, text, text) IS 'a register by the serial of its meter and its code; UB404';

CREATE FUNCTION elecbill._correction_fits(p_register elecbill.meter_register, p_at timestamptz, p_wh bigint) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	former	record := elecbill._register_mark(p_register.id, '-infinity', p_at - interval '1 microsecond', false);
	next	record;
BEGIN
	SELECT r.register_wh AS wh, r.quality INTO next FROM elecbill.reading_effective AS r
	WHERE r.register_id = p_register.id AND r.read_at > p_at AND r.source <> 6 ORDER BY r.read_at LIMIT 1;
	IF elecbill.register_delta(former.wh, p_wh, p_register.wrap_wh, p_register.wrap_wh / 10) IS NULL AND former.wh IS NOT NULL
		OR elecbill.register_delta(p_wh, next.wh, p_register.wrap_wh, p_register.wrap_wh / 10) IS NULL
			AND next.wh IS NOT NULL AND next.quality & 512 = 0
	THEN
		RAISE EXCEPTION 'the register would run backwards'
			USING ERRCODE = 'UB422', DETAIL = format('The value before is %s kWh, the one behind it %s kWh.',
				coalesce((former.wh * 0.001)::text, 'none'), coalesce((next.wh * 0.001)::text, 'none')),
				  HINT = 'Correct the other one first, if that is wrong.';
	END IF;
END $$;
COMMENT ON FUNCTION elecbill._correction_fits(elecbill.meter_register, timestamptz, bigint) IS 'UB422 when a value lies below the one before it or above the one behind it, rollover apart';

CREATE FUNCTION elecbill.correct_reading(org text, meter text, register text, read_at timestamptz, kwh numeric, reason text,
	key text) RETURNS text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	owner	integer := elecbill._org_get(org);
	place	elecbill.meter_register := elecbill._register_get(owner, meter, register);
	begun	record;
	old		record;
	fault	text := elecbill._ingest_reason(kwh, place.wrap_wh, read_at, NULL, 0, elecbill._ingest_horizon(), '-infinity');
BEGIN
	IF fault IS NOT NULL THEN
		RAISE EXCEPTION 'correction of meter % refused: %', quote_literal(meter), fault USING ERRCODE = 'UB400';
	END IF;
	begun := elecbill._edit_begin(owner, 'correct', key, reason,
		jsonb_build_array('correct', meter, register, extract(epoch FROM read_at), trim_scale(kwh), reason));
	IF begun.former_state IS NOT NULL THEN
		RETURN begun.former_state;
	END IF;
	PERFORM elecbill._register_lock(place.id);
	SELECT r.*, (SELECT i.multiplier FROM elecbill.meter_installation AS i WHERE i.meter_id = place.meter_id
			AND lower(i.valid) <= r.read_at ORDER BY lower(i.valid) DESC LIMIT 1) AS multiplier INTO old
	FROM elecbill.reading_effective AS r
	WHERE r.register_id = place.id AND (r.read_at = correct_reading.read_at OR r.slot_at = correct_reading.read_at)
		AND r.read_at BETWEEN correct_reading.read_at - interval '12 hours' AND correct_reading.read_at + interval '12 hours'
	ORDER BY r.read_at = correct_reading.read_at DESC, r.read_at LIMIT 1;
	IF NOT FOUND THEN
		-- one that was taken out counts again, with the value it should have had
		SELECT r.*, (SELECT i.multiplier FROM elecbill.meter_installation AS i WHERE i.meter_id = place.meter_id
				AND lower(i.valid) <= r.read_at ORDER BY lower(i.valid) DESC LIMIT 1) AS multiplier INTO old
		FROM elecbill._reading_all AS r WHERE r.register_id = place.id AND r.read_at = correct_reading.read_at;
	END IF;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'meter % has no reading at this instant', quote_literal(meter)
			USING ERRCODE = 'UB404', HINT = 'reading_add() enters one, estimate_gap() estimates one.';
	END IF;
	IF place.code = '1.8.0' AND EXISTS (SELECT FROM elecbill.meter_register AS g
		JOIN elecbill.reading_effective AS r ON r.register_id = g.id AND r.read_at = old.read_at AND r.source <> 6
		WHERE g.meter_id = place.meter_id AND g.adds)
	THEN
		RAISE EXCEPTION 'register 1.8.0 of meter % is the sum of its tariff registers', quote_literal(meter)
			USING ERRCODE = 'UB412', HINT = 'Correct the one that was read wrong; the sum follows.';
	END IF;
	PERFORM elecbill._correction_fits(place, old.read_at, (kwh * 1000)::bigint);
	PERFORM elecbill._correction_put(owner, place.id, old.read_at, (kwh * 1000)::bigint, old.slot_at,
		old.quality & ~4465 | 8192, begun.edit_id, NULL, false);
	RETURN elecbill._edit_finish(begun.edit_id,
		abs(kwh * 1000 - old.register_wh) * coalesce(old.multiplier, 1)
			> ((elecbill._vee_rule(owner, 'E02')).params ->> 'second_kwh')::numeric * 1000,
		format('%s %s %s', meter, register, to_char(old.read_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')),
		jsonb_build_object('kwh', old.register_wh * 0.001), jsonb_build_object('kwh', kwh));
END $$;
COMMENT ON FUNCTION elecbill.correct_reading(text, text, text, timestamptz, numeric, text, text) IS 'says what a register of a meter really showed (cumulative kWh) when it was read: at that instant, or in that slot. The reading stays as it came; bills and usage take the new value, issued bills are corrected by the next one. Returns approved, or pending: above the kWh of rule E02 a second person decides with reading_edit_decide(). The same key again answers as before. UB400, UB404 no such reading, UB409 the key is that of another change, UB412 a total that is the sum of tariff registers (66_total.sql): it follows theirs, UB422 the register would run backwards';

CREATE FUNCTION elecbill.reading_void(org text, meter text, during tstzrange, reason text, key text, register text DEFAULT NULL)
RETURNS text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	owner	integer := elecbill._org_get(org);
	begun	record;
	place	record;
	n		bigint := 0;
BEGIN
	IF isempty(during) IS NOT FALSE OR isfinite(lower(during)) IS NOT TRUE OR isfinite(upper(during)) IS NOT TRUE THEN
		RAISE EXCEPTION 'readings are taken out of a range of time' USING ERRCODE = 'UB400';
	END IF;
	begun := elecbill._edit_begin(owner, 'void', key, reason, jsonb_build_array('void', meter, register, during, reason));
	IF begun.former_state IS NOT NULL THEN
		RETURN begun.former_state;
	END IF;
	FOR place IN
		SELECT g.id FROM elecbill.meter AS m JOIN elecbill.meter_register AS g ON g.meter_id = m.id
		WHERE m.org_id = owner AND m.serial = reading_void.meter AND g.code = coalesce(reading_void.register, g.code) ORDER BY g.id
	LOOP
		PERFORM elecbill._register_lock(place.id);
		PERFORM elecbill._correction_put(owner, r.register_id, r.read_at, NULL, r.slot_at, r.quality, begun.edit_id, NULL, false)
		FROM elecbill.reading_effective AS r
		WHERE r.register_id = place.id AND r.source <> 6 AND r.read_at <@ during;
		n := n + (SELECT count(*) FROM elecbill.reading_correction AS c WHERE c.edit_id = begun.edit_id AND c.register_id = place.id);
	END LOOP;
	IF n = 0 THEN
		RAISE EXCEPTION 'meter % has no readings there', quote_nullable(meter) USING ERRCODE = 'UB404';
	END IF;
	RETURN elecbill._edit_finish(begun.edit_id, n > ((elecbill._vee_rule(owner, 'E02')).params ->> 'second_rows')::numeric,
		meter, NULL, jsonb_build_object('readings', n, 'during', during));
END $$;
COMMENT ON FUNCTION elecbill.reading_void(text, text, tstzrange, text, text, text) IS 'readings of a meter (all registers, or one) in a range of time do not count: they stay as they came. Returns approved, or pending: above the number of rule E02 a second person decides. The same key again answers as before. UB400, UB404, UB409';

CREATE FUNCTION elecbill.reading_move(org text, from_meter text, to_meter text, during tstzrange, reason text, key text)
RETURNS text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	owner	integer := elecbill._org_get(org);
	begun	record;
	moved	record;
	n		bigint := 0;
BEGIN
	IF isempty(during) IS NOT FALSE OR isfinite(lower(during)) IS NOT TRUE OR isfinite(upper(during)) IS NOT TRUE
		OR from_meter = to_meter
	THEN
		RAISE EXCEPTION 'readings of a range of time are moved to another meter' USING ERRCODE = 'UB400';
	END IF;
	begun := elecbill._edit_begin(owner, 'move', key, reason, jsonb_build_array('move', from_meter, to_meter, during, reason));
	IF begun.former_state IS NOT NULL THEN
		RETURN begun.former_state;
	END IF;
	PERFORM FROM elecbill.customer_account AS a WHERE a.id IN (
		SELECT c.account_id FROM elecbill.meter AS m JOIN elecbill.meter_installation AS i ON i.meter_id = m.id
		JOIN elecbill.customer_agreement AS c ON c.usage_point_id = i.usage_point_id
		WHERE m.org_id = owner AND m.serial IN (from_meter, to_meter)) ORDER BY a.id FOR NO KEY UPDATE;
	PERFORM FROM elecbill.meter AS m JOIN elecbill.meter_register AS g ON g.meter_id = m.id
	WHERE m.org_id = owner AND m.serial IN (from_meter, to_meter) ORDER BY g.id FOR NO KEY UPDATE OF g;
	FOR moved IN
		SELECT r.*, x.id AS to_id, x.wrap_wh AS to_wrap, y.interval_s, y.id AS to_meter_id
		FROM elecbill.meter AS m JOIN elecbill.meter_register AS g ON g.meter_id = m.id
		JOIN elecbill.meter AS y ON y.org_id = owner AND y.serial = to_meter
		JOIN elecbill.reading_effective AS r ON r.register_id = g.id AND r.read_at <@ during AND r.source NOT IN (3, 4, 6)
		LEFT JOIN elecbill.meter_register AS x ON x.meter_id = y.id AND x.code = g.code
		WHERE m.org_id = owner AND m.serial = from_meter ORDER BY x.id, r.read_at
	LOOP
		IF moved.register_wh >= moved.to_wrap IS NOT FALSE OR NOT EXISTS (SELECT FROM elecbill.meter_installation AS i
			WHERE i.meter_id = moved.to_meter_id AND lower(i.valid) <= moved.read_at
				AND coalesce(upper(i.valid), 'infinity') >= moved.read_at)
		THEN
			RAISE EXCEPTION 'meter % cannot have had these readings', quote_literal(to_meter)
				USING ERRCODE = 'UB422', DETAIL = format('%s kWh at %s: it has no such register, or was not installed.',
					moved.register_wh * 0.001, moved.read_at);
		ELSIF EXISTS (SELECT FROM elecbill.reading_effective AS r WHERE r.register_id = moved.to_id
			AND r.read_at = moved.read_at AND r.source <> 6)
		THEN
			RAISE EXCEPTION 'meter % has a reading at this instant already', quote_literal(to_meter)
				USING ERRCODE = 'UB409', DETAIL = format('At %s.', moved.read_at), HINT = 'Take those out first: reading_void().';
		END IF;
		PERFORM elecbill._correction_put(owner, moved.register_id, moved.read_at, NULL, moved.slot_at, moved.quality,
			begun.edit_id, NULL, false);
		PERFORM elecbill._correction_put(owner, moved.to_id, moved.read_at, moved.register_wh,
			CASE WHEN moved.slot_at IS NOT NULL THEN elecbill._slot_at(moved.read_at, moved.interval_s) END,
			moved.quality & ~4464 | 8192, begun.edit_id, NULL, false);
		n := n + 1;
	END LOOP;
	IF n = 0 THEN
		RAISE EXCEPTION 'meter % has no readings there', quote_nullable(from_meter) USING ERRCODE = 'UB404';
	END IF;
	RETURN elecbill._edit_finish(begun.edit_id, n > ((elecbill._vee_rule(owner, 'E02')).params ->> 'second_rows')::numeric,
		from_meter || ' ' || to_meter, NULL, jsonb_build_object('readings', n, 'during', during));
END $$;
COMMENT ON FUNCTION elecbill.reading_move(text, text, text, tstzrange, text, text) IS 'readings of a meter in a range of time are those of another meter (two were mixed up): they count there, register by register, and no more here. Start and end values of installations stay. Returns approved or pending, as reading_void(). UB400, UB404, UB409 the other meter has readings then, UB422 it cannot have had them';

CREATE FUNCTION elecbill.reading_edit_decide(org text, key text, approve boolean) RETURNS text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	owner	integer := elecbill._org_get(org);
	edit	elecbill.reading_edit;
BEGIN
	IF approve IS NULL THEN
		RAISE EXCEPTION 'approve must be true or false' USING ERRCODE = 'UB400';
	END IF;
	PERFORM elecbill._register_lock(x.register_id)
	FROM (SELECT DISTINCT c.register_id FROM elecbill.reading_correction AS c JOIN elecbill.reading_edit AS e ON e.id = c.edit_id
		  WHERE e.org_id = owner AND e.idem_key = key ORDER BY c.register_id) AS x;
	SELECT e.* INTO edit FROM elecbill.reading_edit AS e WHERE e.org_id = owner AND e.idem_key = key FOR UPDATE;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'there is no change of readings with key %', quote_nullable(key) USING ERRCODE = 'UB404';
	ELSIF edit.state <> 'pending' THEN
		IF edit.second AND edit.decided_by = elecbill.current_login() AND (edit.state = 'approved') = approve THEN
			RETURN edit.state;
		END IF;
		RAISE EXCEPTION 'the change is % already', edit.state USING ERRCODE = 'UB412';
	ELSIF approve AND edit.created_by = elecbill.current_login() THEN
		RAISE EXCEPTION 'who asked for a change does not approve it'
			USING ERRCODE = 'UB403', HINT = 'It takes a second person.';
	END IF;
	UPDATE elecbill.reading_edit AS e SET state = CASE WHEN approve THEN 'approved' ELSE 'refused' END,
		decided_by = elecbill.current_login(), decided_at = elecbill.now()
	WHERE e.id = edit.id RETURNING e.* INTO edit;
	IF approve THEN
		-- what came while it waited may stand against it
		PERFORM elecbill._correction_fits(g, c.read_at, c.register_wh)
		FROM elecbill.reading_correction AS c JOIN elecbill.meter_register AS g ON g.id = c.register_id
		WHERE edit.kind = 'correct' AND c.edit_id = edit.id;
		PERFORM elecbill._edit_apply(edit);
	END IF;
	PERFORM elecbill._audit(owner, 'reading_edit_decide', key, jsonb '{"state": "pending"}', jsonb_build_object('state', edit.state));
	RETURN edit.state;
EXCEPTION WHEN SQLSTATE 'UB403' THEN
	PERFORM elecbill._refused(org, 'reading_edit_decide', key, SQLSTATE, SQLERRM);
	RAISE;
END $$;
COMMENT ON FUNCTION elecbill.reading_edit_decide(text, text, boolean) IS 'the second person on a change of readings (by its key) that waits in reading_edit_open: approved, it counts from now on; refused, it never does. UB403 who asked cannot approve, UB404, UB412 decided already, UB422 readings that came since stand against it: the register would run backwards';

CREATE VIEW elecbill.reading_edit_open WITH (security_invoker = true) AS
SELECT o.code AS org, e.idem_key AS key, e.kind, e.reason, e.created_by, e.created_at, count(c.read_at) AS readings,
	string_agg(DISTINCT m.serial, ', ') AS meters, min(c.read_at) AS from_at, max(c.read_at) AS to_at, e.org_id
FROM elecbill.reading_edit AS e
JOIN elecbill.org AS o ON o.id = e.org_id
JOIN elecbill.reading_correction AS c ON c.edit_id = e.id
JOIN elecbill.meter_register AS g ON g.id = c.register_id
JOIN elecbill.meter AS m ON m.id = g.meter_id
WHERE e.state = 'pending'
GROUP BY o.code, e.id;
COMMENT ON VIEW elecbill.reading_edit_open IS 'changes of readings that wait for a second person';
COMMENT ON COLUMN elecbill.reading_edit_open.org IS 'code of the org';
COMMENT ON COLUMN elecbill.reading_edit_open.key IS 'for reading_edit_decide()';
COMMENT ON COLUMN elecbill.reading_edit_open.kind IS 'correct, void or move';
COMMENT ON COLUMN elecbill.reading_edit_open.reason IS 'why';
COMMENT ON COLUMN elecbill.reading_edit_open.created_by IS 'who asked';
COMMENT ON COLUMN elecbill.reading_edit_open.created_at IS 'when';
COMMENT ON COLUMN elecbill.reading_edit_open.readings IS 'how many values change';
COMMENT ON COLUMN elecbill.reading_edit_open.meters IS 'of which meters';
COMMENT ON COLUMN elecbill.reading_edit_open.from_at IS 'the first of them';
COMMENT ON COLUMN elecbill.reading_edit_open.to_at IS 'the last of them';
COMMENT ON COLUMN elecbill.reading_edit_open.org_id IS 'owner';
