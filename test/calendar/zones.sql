-- zones.sql -- what a tariff reads from the clock of a zone, against AT TIME ZONE
CREATE SCHEMA zone;

-- "HH:MM" of a minute of the day
CREATE FUNCTION zone.hm(minute int) RETURNS text LANGUAGE sql IMMUTABLE
RETURN to_char(minute / 60, 'FM00') || ':' || to_char(minute % 60, 'FM00');

-- A tariff that says of an instant its hour, which twelfth of the hour, its weekday and its month
CREATE FUNCTION zone.clock(zone text) RETURNS elecbill.tariff LANGUAGE sql STABLE
RETURN jsonb_build_object('elecbill', 1, 'code', 'clock', 'currency', 'XXX', 'zone', zone,
	'schedules', jsonb_build_object(
		'hour', (SELECT jsonb_agg(jsonb_build_object('period', 'h' || h,
				'spans', jsonb_build_array(jsonb_build_array(zone.hm(h * 60), zone.hm(h * 60 + 60)))) ORDER BY h)
			FROM generate_series(0, 23) AS h),
		'twelfth', (SELECT jsonb_agg(jsonb_build_object('period', 't' || f,
				'spans', (SELECT jsonb_agg(jsonb_build_array(zone.hm(h * 60 + f * 5), zone.hm(h * 60 + f * 5 + 5))) FROM generate_series(0, 23) AS h)) ORDER BY f)
			FROM generate_series(0, 11) AS f),
		'day', (SELECT jsonb_agg(jsonb_build_object('period', 'd' || d, 'days', jsonb_build_array(('{mon,tue,wed,thu,fri,sat,sun}'::text[])[d]))) FROM generate_series(1, 7) AS d),
		'month', (SELECT jsonb_agg(jsonb_build_object('period', 'm' || m, 'months', jsonb_build_array(m))) FROM generate_series(1, 12) AS m)),
	'components', '[{"code": "energy", "kind": "energy", "price": 0, "schedule": "hour"}]'::jsonb)::elecbill.tariff;

CREATE TABLE zone.place AS
SELECT *
FROM (VALUES ('Europe/London', timestamptz '2023-01-01 00:00Z', timestamptz '2028-01-01 00:00Z'),
		('America/New_York', '2023-01-01 00:00Z', '2028-01-01 00:00Z'),
		('Australia/Lord_Howe', '2023-01-01 00:00Z', '2028-01-01 00:00Z'),
		-- the last summers in which it changed its clocks
		('Asia/Shanghai', '1986-01-01 00:00Z', '1992-01-01 00:00Z')) AS p(zone, from_at, to_at);

-- half hours at whose end the zone has another offset
CREATE TABLE zone.change AS
SELECT zone, at + interval '30 min' AS at
FROM zone.place, generate_series(from_at, to_at, '30 min') AS at
WHERE (at + interval '30 min') AT TIME ZONE zone - at AT TIME ZONE zone <> interval '30 min';

-- every minute of the two days before and after each change, and every 53rd minute of the years
CREATE FUNCTION zone.compare(of text) RETURNS TABLE (minutes bigint, wrong bigint) LANGUAGE sql STABLE AS $$
	WITH place AS MATERIALIZED (SELECT *, zone.clock(zone) AS tariff FROM zone.place WHERE zone = compare.of)
	SELECT count(*), count(*) FILTER (WHERE said <> ARRAY['h' || extract(hour FROM wall), 't' || extract(minute FROM wall)::int / 5,
		'd' || extract(isodow FROM wall), 'm' || extract(month FROM wall)])
	FROM (
		SELECT at AT TIME ZONE p.zone AS wall, ARRAY[elecbill.tariff_period(tariff, at, 'hour'), elecbill.tariff_period(tariff, at, 'twelfth'),
			elecbill.tariff_period(tariff, at, 'day'), elecbill.tariff_period(tariff, at, 'month')] AS said
		FROM place p, LATERAL (
			SELECT c.at + n * interval '1 min' AS at FROM zone.change c, generate_series(-2880, 2879) AS n WHERE c.zone = p.zone
			UNION ALL SELECT generate_series(from_at, to_at, '53 min')) AS a
		OFFSET 0) AS q $$;

-- the minutes of a local day, as the periods count them, where they are not 60 an hour
CREATE FUNCTION zone.uneven(of text, day date) RETURNS text LANGUAGE sql STABLE AS $$
	WITH place AS MATERIALIZED (SELECT zone, zone.clock(zone) AS tariff FROM zone.place WHERE zone = uneven.of)
	SELECT string_agg(hour || ':' || n, ' ' ORDER BY first)
	FROM (SELECT elecbill.tariff_period(tariff, at, 'hour') AS hour, count(*) AS n, min(at) AS first
		FROM place, generate_series(elecbill.day_start(day, zone), elecbill.day_start(day + 1, zone) - interval '1 min', '1 min') AS at
		GROUP BY 1) AS h
	WHERE n <> 60 $$;
