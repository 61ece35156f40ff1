-- 62_fsck_reading.sql: invariants of master data and readings; fsck() unites them with those of bills

CREATE FUNCTION elecbill._fsck_partition() RETURNS TABLE (invariant text, object text, detail text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN QUERY
	SELECT 'partition_default_empty', 'reading_default', format('%s readings of months without a partition', n)
	FROM (SELECT count(*) FROM elecbill.reading_default) c(n) WHERE n > 0
	UNION ALL
	SELECT 'partition_ahead', 'reading_' || to_char(t.month, 'YYYY_MM'), 'is missing: call partition_maintain()'
	FROM generate_series(date_trunc('month', elecbill.now() AT TIME ZONE 'UTC'),
						 (elecbill.now() + interval '1 day') AT TIME ZONE 'UTC', interval '1 month') t(month)
	WHERE to_regclass('elecbill.reading_' || to_char(t.month, 'YYYY_MM')) IS NULL
	UNION ALL
	-- clones are named like the trigger of the parent; a disabled one guards nothing
	SELECT 'reading_append_only', p.relid::text, format('trigger %s is missing or disabled', w.name)
	FROM pg_partition_tree('elecbill.reading') p
	CROSS JOIN (VALUES ('reading_append_only'), ('reading_no_truncate')) w(name)
	WHERE NOT EXISTS (SELECT FROM pg_trigger t
					  WHERE t.tgrelid = p.relid AND t.tgname = w.name AND t.tgenabled IN ('O', 'A'));
END $$;
COMMENT ON FUNCTION elecbill._fsck_partition() IS 'what is wrong with the partitions of reading';

CREATE FUNCTION elecbill._fsck_reading(p_org integer DEFAULT NULL, p_since date DEFAULT NULL) RETURNS TABLE (invariant text, object text, detail text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN QUERY
	SELECT f.invariant, f.object, f.detail FROM elecbill._fsck_partition() f
	UNION ALL
	SELECT 'reading_register', format('register %s', r.register_id), 'has readings, but is not a register of their org'
	FROM elecbill._reading_all r
	LEFT JOIN elecbill.meter_register g ON g.id = r.register_id AND g.org_id = r.org_id
	WHERE g.id IS NULL AND (p_org IS NULL OR r.org_id = p_org) AND r.read_at >= elecbill._fsck_from(p_since)
	GROUP BY r.register_id
	UNION ALL
	SELECT 'reading_value', format('meter %s register %s at %s', m.serial, g.code, r.read_at),
		   format('%s Wh, but the register rolls over at %s Wh', r.register_wh, g.wrap_wh)
	FROM elecbill._reading_all r
	JOIN elecbill.meter_register g ON g.id = r.register_id
	JOIN elecbill.meter m ON m.id = g.meter_id
	WHERE r.register_wh >= g.wrap_wh AND (p_org IS NULL OR r.org_id = p_org) AND r.read_at >= elecbill._fsck_from(p_since)
	UNION ALL
	SELECT 'reading_slot', format('meter %s register %s at %s', m.serial, g.code, r.read_at),
		   format('slot %s is not a slot of the meter next to it', r.slot_at)
	FROM elecbill._reading_all r
	JOIN elecbill.meter_register g ON g.id = r.register_id
	JOIN elecbill.meter m ON m.id = g.meter_id
	WHERE (p_org IS NULL OR r.org_id = p_org) AND r.read_at >= elecbill._fsck_from(p_since)
		AND r.slot_at <> coalesce(elecbill._slot_at(r.read_at, m.interval_s), '-infinity');

	RETURN QUERY
	SELECT 'reading_latest', format('meter %s register %s', m.serial, g.code),
		   format('says %s, the newest reading is %s', coalesce(l.read_at::text, 'nothing'), coalesce(r.read_at::text, 'none'))
	FROM elecbill.meter_register g
	JOIN elecbill.meter m ON m.id = g.meter_id
	LEFT JOIN elecbill.reading_latest l ON l.register_id = g.id
	LEFT JOIN LATERAL (SELECT x.read_at, x.register_wh, x.quality, x.org_id FROM elecbill._reading_all x
					   WHERE x.register_id = g.id ORDER BY x.read_at DESC LIMIT 1) r ON true
	WHERE (p_org IS NULL OR g.org_id = p_org)
		AND (l.read_at, l.register_wh, l.quality, l.org_id) IS DISTINCT FROM (r.read_at, r.register_wh, r.quality, r.org_id)
	UNION ALL
	SELECT 'reading_conflict', format('meter %s register %s at %s', m.serial, g.code, c.read_at),
		   format('stored_wh %s, but the reading is %s', c.stored_wh, coalesce(r.register_wh::text, 'gone'))
	FROM elecbill.reading_conflict c
	JOIN elecbill.meter_register g ON g.id = c.register_id
	JOIN elecbill.meter m ON m.id = g.meter_id
	LEFT JOIN elecbill._reading_all r ON r.register_id = c.register_id AND r.read_at = c.read_at
	WHERE r.register_wh IS DISTINCT FROM c.stored_wh AND (p_org IS NULL OR g.org_id = p_org)
	UNION ALL
	SELECT 'location_tree', 'location ' || l.code, 'is part of itself'
	FROM elecbill.service_location l
	WHERE EXISTS (WITH RECURSIVE up(id) AS (
					SELECT l.parent_id
					UNION
					SELECT x.parent_id FROM up JOIN elecbill.service_location x ON x.id = up.id)
				  SELECT FROM up WHERE up.id = l.id)
	UNION ALL
	SELECT 'installation_register', format('usage point %s', u.code),
		   format('its main meter %s has no register 1.8.0', m.serial)
	FROM elecbill.meter_installation i
	JOIN elecbill.meter m ON m.id = i.meter_id
	JOIN elecbill.usage_point u ON u.id = i.usage_point_id
	WHERE i.role = 'main'
	  AND NOT EXISTS (SELECT FROM elecbill.meter_register g WHERE g.meter_id = m.id AND g.code = '1.8.0')
	UNION ALL
	SELECT 'attribute_agreement', format('usage point %s', u.code),
		   format('attribute %s is valid %s, its agreement %s', t.name, t.valid, a.valid)
	FROM elecbill.agreement_attribute t
	JOIN elecbill.customer_agreement a ON a.id = t.agreement_id
	JOIN elecbill.usage_point u ON u.id = a.usage_point_id
	WHERE NOT t.valid <@ a.valid;
END $$;
COMMENT ON FUNCTION elecbill._fsck_reading(integer, date) IS 'broken invariants of master data and readings of an org (NULL: all); of readings since a day (NULL: all of them)';
