-- provinces.sql -- the periods of twelve provinces, minute by minute, in SQL that shares nothing with the engine
-- In: psql variables calendars and holidays, the JSON of the two sources.
CREATE SCHEMA calendar;

CREATE TABLE calendar.source AS
SELECT name, c.value -> 'rules' AS rules
FROM jsonb_each(:'calendars'::jsonb #> '{conventions,calendars}') AS c(name, value);

CREATE TABLE calendar.holiday AS
SELECT (d ->> 'date')::date AS day, d ->> 'name' AS name, (d ->> 'isOffDay')::boolean AS off
FROM jsonb_array_elements(:'holidays'::jsonb -> 'days') AS d;

-- names of the source, as tags
CREATE TABLE calendar.festival(tag text, name text);
INSERT INTO calendar.festival VALUES
	('spring_festival', '春节'), ('labour_day', '劳动节'), ('national_day', '国庆节'),
	('qingming', '清明节'), ('dragon_boat', '端午节'), ('new_year', '元旦'), ('mid_autumn', '中秋节');

-- ---------------------------------------------------------------- the slow reading

CREATE TABLE calendar.tagged AS
SELECT day, CASE WHEN off THEN 'holiday' ELSE 'makeup' END AS tag FROM calendar.holiday
UNION
SELECT h.day, f.tag FROM calendar.holiday h JOIN calendar.festival f ON position(f.name IN h.name) > 0 WHERE h.off;

CREATE TABLE calendar.rule AS
SELECT s.name, r.n, r.rule ->> 'period' AS period, r.rule -> 'months' AS months, r.rule -> 'days' AS tags,
	extract(epoch FROM (p.span ->> 0)::interval)::int / 60 AS from_min,
	extract(epoch FROM (p.span ->> 1)::interval)::int / 60 AS to_min
FROM calendar.source s,
	jsonb_array_elements(s.rules) WITH ORDINALITY AS r(rule, n),
	jsonb_array_elements(r.rule -> 'spans') AS p(span);

-- Every rule paints the minutes of its spans on the dates it holds on; the first rule of a minute wins.
CREATE FUNCTION calendar.slow(calendar text) RETURNS TABLE (day date, minute int, period text) LANGUAGE sql STABLE AS $$
	WITH painted AS (
		SELECT d::date AS day, m % 1440 AS minute, min(r.n) AS first
		FROM calendar.rule r
		JOIN generate_series(timestamp '2025-01-01', '2025-12-31', '1 day') AS d ON r.months @> to_jsonb(extract(month FROM d)::int)
		-- past midnight the minutes are those of the same date: what follows the evening before is not asked for
		CROSS JOIN LATERAL generate_series(r.from_min, r.to_min - 1 + CASE WHEN r.to_min <= r.from_min THEN 1440 ELSE 0 END) AS m
		WHERE r.name = slow.calendar
			AND (r.tags IS NULL OR EXISTS (SELECT FROM calendar.tagged t WHERE t.day = d AND r.tags ? t.tag))
		GROUP BY 1, 2)
	SELECT p.day, p.minute, r.period FROM painted p JOIN (SELECT DISTINCT n, rule.period FROM calendar.rule WHERE name = slow.calendar) AS r ON r.n = p.first $$;

-- ---------------------------------------------------------------- the same as tariffs

CREATE TABLE calendar.tariff AS
SELECT s.name, jsonb_build_object('elecbill', 1, 'code', s.name, 'currency', 'CNY', 'zone', 'Asia/Shanghai',
	'calendar', jsonb_build_object('days', (SELECT jsonb_object_agg(day, tags)
		FROM (SELECT day, jsonb_agg(tag) AS tags FROM calendar.tagged GROUP BY day) AS t)),
	'schedules', jsonb_build_object('tou', (SELECT jsonb_agg(r.rule - '{also,note}'::text[] ORDER BY r.n)
		FROM jsonb_array_elements(s.rules) WITH ORDINALITY AS r(rule, n))),
	'components', '[{"code": "energy", "kind": "energy", "price": 1}]'::jsonb)::elecbill.tariff AS tariff
FROM calendar.source s;

-- Minutes of the year, and those whose period is not that of the slow reading (or which it lacks)
CREATE FUNCTION calendar.compare(calendar text, against text) RETURNS TABLE (minutes bigint, wrong bigint, periods bigint)
LANGUAGE sql STABLE SET work_mem = '128MB' AS $$
	-- made once, and not read from its table for every minute
	WITH tariff AS MATERIALIZED (SELECT t.tariff::text::elecbill.tariff AS tariff FROM calendar.tariff t WHERE t.name = compare.calendar)
	SELECT count(e.at), count(*) FILTER (WHERE e.period IS DISTINCT FROM s.period), count(DISTINCT e.period)
	FROM (SELECT at, wall::date AS day, extract(hour FROM wall)::int * 60 + extract(minute FROM wall)::int AS minute,
			elecbill.tariff_period(tariff, at) AS period
		FROM (SELECT tariff, at, at AT TIME ZONE 'Asia/Shanghai' AS wall
			FROM tariff, generate_series(timestamptz '2025-01-01 00:00+08', '2025-12-31 23:59+08', '1 min') AS at OFFSET 0) AS i) AS e
	FULL JOIN calendar.slow(compare.against) AS s USING (day, minute) $$;
