-- register_days.sql: the aggregate that packs the readings of a register by day, for pack_profiles()
SET TIME ZONE 'UTC';
SET DateStyle = 'ISO';
CREATE TABLE r AS
SELECT t.at + interval '2 s' AS read_at, t.at AS slot_at, 100 + t.n * t.n AS wh, 0 AS quality
FROM generate_series(timestamptz '2025-03-01 00:00Z', '2025-03-03 00:00Z', '6 hours') WITH ORDINALITY AS t(at, n);
CREATE FUNCTION packed(multiplier numeric DEFAULT 1, starts timestamptz[] DEFAULT '{2025-03-01 00:00Z,2025-03-02 00:00Z,2025-03-03 00:00Z}',
	step interval DEFAULT '6 hours', wrap_wh bigint DEFAULT 10000000, direction text DEFAULT 'import') RETURNS SETOF elecbill.register_day LANGUAGE sql AS $$
	SELECT d.* FROM (SELECT elecbill._register_days(r.read_at, r.slot_at, r.wh, r.quality, '-infinity', 'infinity', starts, step,
		multiplier, wrap_wh, direction) AS days FROM r) AS a, unnest(a.days) AS d $$;
SELECT * FROM packed();
SELECT no, profile FROM packed(1.333, direction => 'export');
SELECT no, on_grid, profile FROM packed(step => '4 hours');
SELECT no, first_at, profile FROM packed(starts => '{2025-03-01 06:00Z,2025-03-01 18:00Z}');
-- neither the order of rows nor what is passed over changes anything
SELECT elecbill._register_days(r.read_at, r.slot_at, r.wh, r.quality, '-infinity', 'infinity', '{2025-03-01 00:00Z,2025-03-02 00:00Z}',
		'6 hours', 1, 10000000, 'import' ORDER BY r.wh)
	= elecbill._register_days(r.read_at, r.slot_at, r.wh, r.quality, '-infinity', 'infinity', '{2025-03-01 00:00Z,2025-03-02 00:00Z}',
		'6 hours', 1, 10000000, 'import' ORDER BY r.wh DESC) AS same
FROM (SELECT * FROM r UNION ALL VALUES (NULL, NULL, 5, 0), (now(), now(), NULL, 0), ('1800-01-01', NULL, 7, 0), ('294276-12-31', NULL, 8, 0)) AS r;
SELECT elecbill._register_days(r.read_at, r.slot_at, r.wh, r.quality, '-infinity', 'infinity', NULL, NULL, NULL, NULL, NULL) IS NULL AS no_rows
FROM r WHERE false;

-- refused
SELECT packed(0);
SELECT packed(1000001);
SELECT packed('NaN');
SELECT packed(NULL);
SELECT packed(starts => '{}');
SELECT packed(starts => '{2025-03-01 00:00Z}');
SELECT packed(starts => '{2025-03-01 00:00Z,NULL}');
SELECT packed(starts => '{{2025-03-01 00:00Z},{2025-03-02 00:00Z}}');
SELECT packed(starts => '{2025-03-02 00:00Z,2025-03-01 00:00Z}');
SELECT packed(starts => '{2025-03-01 00:00Z,2025-03-06 00:00Z}');
SELECT packed(starts => '{2025-03-01 00:00:00.5Z,2025-03-02 00:00Z}');
SELECT packed(starts => '{-infinity,2025-03-02 00:00Z}');
SELECT packed(step => '7 hours');
SELECT packed(wrap_wh => 0);
SELECT packed(direction => 'sideways');
INSERT INTO r VALUES ('2025-03-01 01:00Z', NULL, -1, 0);
SELECT packed();
UPDATE r SET wh = 4611686018427387903 WHERE wh = -1;
SELECT packed();
UPDATE r SET wh = 4611686018427387902 WHERE wh = 4611686018427387903;
SELECT packed(2);
SELECT elecbill._register_days(NULL::timestamptz, NULL, 1, 0, now(), now(), NULL, NULL, 1, 1, 'import') IS NULL AS nothing;
