-- 37_reading_frame.sql: from a reading back to the bytes it came in

CREATE FUNCTION elecbill._reading_frame(p_register bigint, p_at timestamptz) RETURNS bytea
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
RETURN (
	SELECT i.frame
	FROM elecbill._reading_all AS r
	JOIN elecbill.reading_inbox AS i ON i.collector_id = r.collector_id AND i.seq = r.seq
		AND i.read_at = r.read_at
	WHERE r.register_id = p_register AND r.read_at = p_at AND i.frame IS NOT NULL
	ORDER BY i.id LIMIT 1);
COMMENT ON FUNCTION elecbill._reading_frame(bigint, timestamptz) IS
'the frame a reading was taken from, NULL where none was kept';
