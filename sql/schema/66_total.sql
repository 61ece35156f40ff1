-- 66_total.sql: meters that tell their tariff registers and no total, as DSMR meters do (1.8.1, 1.8.2)
-- Bills, profiles and rules rest on 1.8.0. Where the registers of a meter are marked to add up to it, each
-- instant at which all of them are known gets a reading of 1.8.0: their sum, modulo the size of that
-- register, so that it rolls over as a register does, whichever of them rolls over when.

CREATE FUNCTION elecbill._total_add(p_meters bigint[], p_at timestamptz[]) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET jit = off AS $$
DECLARE
	made bigint;
BEGIN
	INSERT INTO elecbill.reading (register_id, read_at, register_wh, slot_at, meter_at, seq, collector_id, org_id, quality, source)
	SELECT t.id, x.read_at, r.wh % t.wrap_wh, r.slot_at, r.meter_at, r.seq, r.collector_id, t.org_id,
		r.quality & ~64, r.source	/* 64: that one of them may have rolled over is not said of the sum */
	FROM unnest(p_meters, p_at) AS x(meter_id, read_at)
	JOIN elecbill.meter_register AS t ON t.meter_id = x.meter_id AND t.code = '1.8.0'
	CROSS JOIN LATERAL (
		SELECT count(*) AS n, count(s.read_at) AS known, sum(s.register_wh)::numeric AS wh, max(s.slot_at) AS slot_at,
			max(s.meter_at) AS meter_at, max(s.seq) AS seq, (array_agg(s.collector_id ORDER BY g.code))[1] AS collector_id,
			bit_or(s.quality) AS quality, max(s.source) AS source
		FROM elecbill.meter_register AS g
		LEFT JOIN elecbill.reading AS s ON s.register_id = g.id AND s.read_at = x.read_at
		WHERE g.meter_id = x.meter_id AND g.adds) AS r
	WHERE r.n = r.known
	ORDER BY t.id, x.read_at
	ON CONFLICT (register_id, read_at) DO NOTHING;
	GET DIAGNOSTICS made = ROW_COUNT;
	RETURN made;
END $$;
COMMENT ON FUNCTION elecbill._total_add(bigint[], timestamptz[]) IS
'writes readings of 1.8.0 of meters at instants, as far as all registers that add up to it are known there; returns how many were new';

CREATE FUNCTION elecbill._reading_total() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF EXISTS (SELECT FROM elecbill.meter_register WHERE adds) THEN
		PERFORM elecbill._total_add(array_agg(x.meter_id), array_agg(x.read_at))
		FROM (SELECT DISTINCT g.meter_id, a.read_at
			FROM added AS a JOIN elecbill.meter_register AS g ON g.id = a.register_id AND g.adds) AS x
		HAVING count(*) > 0;
	END IF;
	RETURN NULL;
END $$;
COMMENT ON FUNCTION elecbill._reading_total() IS 'statement trigger of reading: the total of meters that do not tell it';
CREATE TRIGGER reading_total AFTER INSERT ON elecbill.reading
	REFERENCING NEW TABLE AS added
	FOR EACH STATEMENT EXECUTE FUNCTION elecbill._reading_total();
COMMENT ON TRIGGER reading_total ON elecbill.reading IS 'adds up tariff registers; fires for inserts into reading, not into a partition';

CREATE FUNCTION elecbill._total_follow(p_edit elecbill.reading_edit) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET jit = off AS $$
BEGIN
	PERFORM elecbill._correction_put(p_edit.org_id, x.total_id, x.read_at, x.wh, x.slot_at, x.quality & ~4465 | 8192, p_edit.id, NULL, true)
	FROM (
		SELECT t.id AS total_id, e.read_at, min(s.slot_at) AS slot_at, coalesce(bit_or(s.quality), 0) AS quality,
			CASE WHEN count(*) = count(s.read_at) THEN sum(s.register_wh) % t.wrap_wh END::bigint AS wh
		FROM (SELECT DISTINCT g.meter_id, c.read_at FROM elecbill.reading_correction AS c
			JOIN elecbill.meter_register AS g ON g.id = c.register_id AND g.adds
			WHERE c.edit_id = p_edit.id AND upper_inf(c.known)) AS e
		JOIN elecbill.meter_register AS t ON t.meter_id = e.meter_id AND t.code = '1.8.0'
		JOIN elecbill.meter_register AS g ON g.meter_id = e.meter_id AND g.adds
		LEFT JOIN elecbill.reading_effective AS s ON s.register_id = g.id AND s.read_at = e.read_at AND s.source <> 6
		-- an edit of all registers says itself what becomes of the total
		WHERE NOT EXISTS (SELECT FROM elecbill.reading_correction AS o
			WHERE o.edit_id = p_edit.id AND o.register_id = t.id AND o.read_at = e.read_at)
		GROUP BY t.id, e.read_at) AS x
	LEFT JOIN elecbill.reading_effective AS r ON r.register_id = x.total_id AND r.read_at = x.read_at AND r.source <> 6
	WHERE x.wh IS DISTINCT FROM r.register_wh
	ORDER BY x.total_id, x.read_at;
END $$;
COMMENT ON FUNCTION elecbill._total_follow(elecbill.reading_edit) IS
'after an edit of registers that add up counts: the total of each instant is their sum again, and none where one of them counts no more';

CREATE FUNCTION elecbill.meter_sum(org text, meter text) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	device elecbill.meter;
	parts bigint;
BEGIN
	SELECT m.* INTO device FROM elecbill.meter AS m JOIN elecbill.org AS o ON o.id = m.org_id
	WHERE o.code = meter_sum.org AND m.serial = meter_sum.meter AND elecbill._org_open(o.id) FOR NO KEY UPDATE OF m;
	IF device.id IS NULL THEN
		RAISE EXCEPTION USING ERRCODE = 'UB404',
			MESSAGE = format('there is no meter %s of organisation %s', quote_nullable(meter), quote_nullable(org));
	END IF;
	SELECT count(*) INTO parts FROM elecbill.meter_register AS g WHERE g.meter_id = device.id AND g.code LIKE '1.8._%' AND g.tou > 0;
	IF parts = 0 THEN
		RAISE EXCEPTION USING ERRCODE = 'UB412',
			MESSAGE = format('meter %s has no tariff registers that could add up', quote_literal(meter)),
			HINT = 'Book them in meter_register: 1.8.1, 1.8.2 and so on.';
	ELSIF EXISTS (SELECT FROM elecbill.meter_register AS g JOIN elecbill.reading AS r ON r.register_id = g.id
		WHERE g.meter_id = device.id AND g.code = '1.8.0' AND r.source NOT IN (3, 4))
	THEN
		RAISE EXCEPTION USING ERRCODE = 'UB409',
			MESSAGE = format('meter %s tells its total itself', quote_literal(meter)),
			DETAIL = 'There are readings of 1.8.0.';
	END IF;
	INSERT INTO elecbill.meter_register (org_id, meter_id, code, wrap_wh)
	SELECT device.org_id, device.id, '1.8.0', min(g.wrap_wh) FROM elecbill.meter_register AS g
	WHERE g.meter_id = device.id AND g.tou > 0 AND g.direction = 'import'
	ON CONFLICT ON CONSTRAINT meter_register_meter_code_key DO NOTHING;
	UPDATE elecbill.meter_register SET adds = true WHERE meter_id = device.id AND tou > 0 AND direction = 'import';
	RETURN (SELECT elecbill._total_add(array_agg(device.id), array_agg(r.read_at))
		FROM (SELECT DISTINCT r.read_at FROM elecbill.meter_register AS g JOIN elecbill.reading AS r ON r.register_id = g.id
			WHERE g.meter_id = device.id AND g.adds) AS r);
END $$;
COMMENT ON FUNCTION elecbill.meter_sum(text, text) IS
'says that the total of a meter, which it does not tell, is the sum of its import tariff registers: readings of 1.8.0 are made of theirs from now on, and of those that are there. Returns how many were made. UB404 no such meter, UB409 it has readings of 1.8.0 of its own, UB412 it has no tariff registers';
