-- oracle_time.sql: local days, seasons, periods; intervals cut at every boundary
-- In:  oracle.tariff, oracle.load, oracle.bill. Out: day, instance, point, seg, piece, cell.

-- The first instant of a local date. AT TIME ZONE takes the second of two midnights, we the first.
CREATE FUNCTION oracle.day_start(d date, zone text) RETURNS timestamptz
LANGUAGE plpgsql STABLE AS $$
BEGIN
	RETURN (
		SELECT min(x) FROM unnest('{0,00:30,01:00}'::interval[]) AS ahead, LATERAL (SELECT d::timestamp AT TIME ZONE zone - ahead) AS t(x)
		WHERE (x AT TIME ZONE zone)::date = d);
END $$;

CREATE FUNCTION oracle.local_day(at timestamptz, zone text) RETURNS date
LANGUAGE sql STABLE RETURN (at AT TIME ZONE zone)::date;

CREATE FUNCTION oracle.ahead(at timestamptz, zone text) RETURNS interval
LANGUAGE sql STABLE RETURN (at AT TIME ZONE zone) - (at AT TIME ZONE 'UTC');

-- An instant, or a date, which is its first instant
CREATE FUNCTION oracle.instant(point text, zone text) RETURNS timestamptz
LANGUAGE plpgsql STABLE AS $$
BEGIN
	IF length(point) = 10 THEN
		RETURN oracle.day_start(point::date, zone);
	END IF;
	RETURN point::timestamptz;
END $$;

-- The service range: that of ctx, or that of the intervals. Months: to the nearest whole number.
CREATE FUNCTION oracle.open_bill(context jsonb) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
	b oracle.bill;
BEGIN
	b.ctx := context;
	b.zone := (SELECT t ->> 'zone' FROM oracle.tariff LIMIT 1);
	SELECT min(from_at), max(to_at) INTO b.start_at, b.end_at FROM oracle.load;
	b.start_at := coalesce(oracle.instant(context #>> '{during,0}', b.zone), b.start_at);
	b.end_at := coalesce(oracle.instant(context #>> '{during,1}', b.zone), b.end_at);
	b.first_d := oracle.local_day(b.start_at, b.zone);
	b.last_d := oracle.local_day(b.end_at - interval '1 microsecond', b.zone);
	SELECT greatest(1, max(n) + (2 * (b.last_d + 1 - (b.first_d + make_interval(months => max(n)))::date)
		>= (b.first_d + make_interval(months => max(n) + 1))::date - (b.first_d + make_interval(months => max(n)))::date)::int) INTO b.months
	FROM generate_series(0, 120) AS n WHERE (b.first_d + make_interval(months => n))::date <= b.last_d + 1;
	INSERT INTO oracle.bill SELECT b.*;
END $$;

-- Tier months, quarters and years. A day that a month does not have is the first of the next one.
CREATE FUNCTION oracle.fill_instances() RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO oracle.instance
	WITH scope AS (
		SELECT v, name, length, md, CASE name WHEN 'month' THEN 0 ELSE left(start, 2)::int - 1 END AS phase,
			CASE name WHEN 'month' THEN md ELSE right(start, 2)::int END AS day
		FROM oracle.tariff, (VALUES ('month', 1), ('quarter', 3), ('year', 12)) AS s (name, length),
			LATERAL (SELECT coalesce(t ->> 'year_start', '01-01') AS start, coalesce((t ->> 'month_day')::int, 1) AS md) AS j
	), start AS (
		SELECT v, name, CASE WHEN first + day - 1 < (first + interval '1 month')::date THEN first + day - 1
			ELSE (first + interval '1 month')::date END AS start
		FROM scope, oracle.bill, generate_series(-14, months + 14) AS n,
			LATERAL (SELECT (date_trunc('month', first_d) + make_interval(months => n))::date AS first) AS f
		WHERE mod(extract(month FROM first)::int - 1 - phase + 12, length) = 0
	)
	SELECT v, name, start, lead(start) OVER (PARTITION BY v, name ORDER BY start) FROM start;
END $$;

CREATE FUNCTION oracle.season(t jsonb, d date) RETURNS text
LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
	RETURN (
		SELECT coalesce((
			SELECT s.key FROM jsonb_each(t -> 'seasons') AS s, jsonb_array_elements(s.value) AS r, to_char(d, 'MM-DD') AS here
			WHERE CASE WHEN r ->> 0 < r ->> 1 THEN here >= r ->> 0 AND here < r ->> 1 ELSE here >= r ->> 0 OR here < r ->> 1 END), '*'));
END $$;

CREATE FUNCTION oracle.tags(t jsonb, d date) RETURNS text[]
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
	name text := to_char(d, 'dy');
	written text[] := oracle.texts(t -> 'calendar' -> 'days' -> d::text);
	weekend boolean := name = ANY (CASE WHEN t -> 'calendar' ? 'weekend' THEN oracle.texts(t -> 'calendar' -> 'weekend') ELSE '{sat,sun}' END);
BEGIN
	RETURN written || ARRAY[name, CASE WHEN weekend THEN 'weekend' ELSE 'weekday' END,
		CASE WHEN (NOT weekend AND NOT 'holiday' = ANY (written)) OR 'makeup' = ANY (written) THEN 'workday' ELSE 'offday' END];
END $$;

-- The days of the bill, one before and one behind them
CREATE FUNCTION oracle.fill_days() RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO oracle.day
	SELECT v, d, at, lead(at) OVER (PARTITION BY v ORDER BY d), oracle.season(t, d), oracle.tags(t, d)
	FROM oracle.tariff, (
		SELECT d::date AS d, oracle.day_start(d::date, zone) AS at
		FROM oracle.bill, generate_series(first_d - 1, last_d + 2, interval '1 day') AS d) AS days;
END $$;

-- Points of series. kind: days when all are local midnights, bill_month, instant, usage (no points)
CREATE FUNCTION oracle.fill_points() RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO oracle.point
	SELECT v, name, CASE WHEN series ->> 'by' = 'bill_month' THEN 'bill_month'
			WHEN bool_and(at = oracle.day_start(d, zone)) OVER (PARTITION BY v, name) THEN 'days' ELSE 'instant' END, at, d, price
	FROM oracle.tariff CROSS JOIN oracle.bill CROSS JOIN jsonb_each(t -> 'series') AS s (name, series),
		jsonb_array_elements(CASE jsonb_typeof(series) WHEN 'array' THEN series WHEN 'object' THEN series -> 'points' ELSE '[]' END) AS p,
		LATERAL (SELECT oracle.instant(p ->> 0, zone) AS at, (p ->> 1)::numeric AS price) AS i,
		LATERAL (SELECT oracle.local_day(at, zone) AS d) AS l;
END $$;

-- Do months, season and tags of a rule or condition hold on a day?
CREATE FUNCTION oracle.day_fits(rule jsonb, d date, season text, tags text[]) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
	RETURN (NOT rule ? 'months' OR rule -> 'months' @> to_jsonb(extract(month FROM d)::int))
		AND (NOT rule ? 'season' OR rule -> 'season' ? day_fits.season)
		AND (NOT rule ? 'days' OR rule -> 'days' ?| tags)
		AND (NOT rule ? 'not_days' OR NOT rule -> 'not_days' ?| tags);
END $$;

CREATE FUNCTION oracle.minute(hm text) RETURNS int
LANGUAGE sql IMMUTABLE RETURN left(hm, 2)::int * 60 + right(hm, 2)::int;

-- Where anything may change: midnights, ends of spans, clock changes, events, points of series.
-- A cut too many does no harm. On a day with a clock change the wall clock is read before and behind it.
CREATE FUNCTION oracle.cuts() RETURNS TABLE (v int, at timestamptz)
LANGUAGE sql STABLE AS $$
	WITH zone AS (SELECT zone FROM oracle.bill),
	day AS MATERIALIZED (
		SELECT day.v, d, at, until, zone, oracle.ahead(at, zone) AS ahead, oracle.ahead(until, zone) AS behind
		FROM oracle.day, oracle.bill WHERE d BETWEEN first_d AND last_d),
	minute AS (
		SELECT DISTINCT v, oracle.minute(e) AS m
		FROM oracle.tariff, jsonb_each(t -> 'schedules') AS s, jsonb_array_elements(s.value) AS r, jsonb_array_elements(r -> 'spans') AS span,
			jsonb_array_elements_text(span) AS e)
	SELECT v, at FROM day
	UNION
	SELECT v, x FROM day JOIN minute USING (v), unnest(CASE WHEN ahead = behind THEN ARRAY[ahead] ELSE ARRAY[ahead, behind] END) AS o,
		LATERAL (SELECT ((d + make_interval(mins => m)) AT TIME ZONE 'UTC') - o) AS w(x) WHERE x > at AND x < until
	UNION
	SELECT day.v, (SELECT min(x) FROM generate_series(day.at, until, interval '1 minute') AS x WHERE oracle.ahead(x, zone) <> ahead)
	FROM day WHERE ahead <> behind
	UNION
	SELECT v, x::timestamptz FROM oracle.tariff, jsonb_each(t -> 'events') AS e (name, ranges), jsonb_array_elements(ranges) AS r, jsonb_array_elements_text(r) AS x
	UNION
	SELECT v, at FROM oracle.point WHERE kind = 'instant'
$$;

CREATE FUNCTION oracle.in_event(t jsonb, event text, at timestamptz) RETURNS boolean
LANGUAGE plpgsql STABLE AS $$
BEGIN
	RETURN (
		SELECT EXISTS (SELECT FROM jsonb_array_elements(t -> 'events' -> event) AS r WHERE at >= (r ->> 0)::timestamptz AND at < (r ->> 1)::timestamptz));
END $$;

-- Which period each segment lies in, by schedule: the first rule that holds
CREATE FUNCTION oracle.fill_segments() RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO oracle.seg
	WITH seg AS MATERIALIZED (
		SELECT v, (at AT TIME ZONE zone)::date AS d, at, lead(at, 1, end_at) OVER (PARTITION BY v ORDER BY at) AS until,
			extract(hour FROM at AT TIME ZONE zone)::int * 60 + extract(minute FROM at AT TIME ZONE zone)::int AS w
		FROM oracle.cuts(), (SELECT zone, min(at) AS begin_at, max(until) AS end_at FROM oracle.bill, oracle.day WHERE d BETWEEN first_d AND last_d GROUP BY zone) AS b
		WHERE at >= begin_at AND at < end_at
	), rule AS MATERIALIZED (
		SELECT v, schedule, n, rule, rule ->> 'period' AS period, rule ->> 'event' AS event, rule ->> 'anchor' = 'start' AS anchored
		FROM oracle.tariff, jsonb_each(t -> 'schedules') AS s (schedule, rules), jsonb_array_elements(rules) WITH ORDINALITY AS e (rule, n)
	), span AS MATERIALIZED (
		SELECT v, schedule, n, period, event, oracle.minute(s ->> 0) AS from_m, oracle.minute(s ->> 1) AS to_m
		FROM rule, jsonb_array_elements(coalesce(rule -> 'spans', '[["00:00", "24:00"]]')) AS s
	), fit AS (
		SELECT v, schedule, n, d, anchored, NOT rule ? 'valid' OR oracle.inside(d, rule -> 'valid') AS open,
			NOT rule ?| '{months,season,days,not_days}' OR oracle.day_fits(rule, d, season, tags) AS fits
		FROM rule JOIN oracle.day USING (v)
	), on_day AS MATERIALIZED (
		SELECT v, schedule, n, d, open, fits, CASE WHEN anchored THEN lag(fits) OVER (PARTITION BY v, schedule, n ORDER BY d) ELSE fits END AS fits_early FROM fit
	), held AS MATERIALIZED (
		SELECT DISTINCT ON (v, at, schedule) v, at, schedule, period
		FROM seg JOIN on_day USING (v, d) JOIN span USING (v, schedule, n)
		WHERE open AND CASE WHEN from_m < to_m THEN w >= from_m AND w < to_m AND fits ELSE (w >= from_m AND fits) OR (w < to_m AND fits_early) END
			AND (event IS NULL OR oracle.in_event((SELECT t FROM oracle.tariff AS x WHERE x.v = seg.v), event, at))
		ORDER BY v, at, schedule, n
	), periods AS (
		SELECT v, at, jsonb_object_agg(schedule, period) AS periods FROM held GROUP BY v, at
	)
	SELECT v, d, at, until, w, coalesce(periods, '{}'),
		coalesce((SELECT jsonb_object_agg(series, price) FROM (
			SELECT DISTINCT ON (series) series, price FROM oracle.point AS p
			WHERE kind = 'instant' AND p.v = seg.v AND p.at <= seg.at ORDER BY series, p.at DESC) AS now), '{}')
	FROM seg LEFT JOIN periods USING (v, at);
END $$;

CREATE FUNCTION oracle.micros(span interval) RETURNS numeric
LANGUAGE sql IMMUTABLE RETURN extract(epoch FROM span) * 1000000;

-- Energy of an interval until an instant, by rounding the running share half-up at 1e-6
CREATE FUNCTION oracle.until(l oracle.load, at timestamptz) RETURNS numeric
LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
	IF at >= l.to_at THEN
		RETURN l.kwh;
	ELSIF at <= l.from_at THEN
		RETURN 0;
	END IF;
	RETURN oracle.whole(l.kwh * 1000000 * oracle.micros(at - l.from_at), oracle.micros(l.to_at - l.from_at)) * 0.000001;
END $$;

-- The intervals cut by the segments of the version that holds on the day
CREATE FUNCTION oracle.fill_pieces() RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO oracle.piece
	WITH touched AS MATERIALIZED (
		SELECT load, load.*, CASE WHEN channel IN ('import', 'export') THEN channel || '_kwh' ELSE channel END AS quantity,
			generate_series(oracle.local_day(from_at, zone), oracle.local_day(to_at - interval '1 microsecond', zone), interval '1 day')::date AS d
		FROM oracle.load, oracle.bill
	), own AS MATERIALIZED (
		SELECT seg.*, ARRAY(SELECT key FROM jsonb_each(t -> 'series') WHERE value = '"usage"') AS priced
		FROM oracle.seg JOIN oracle.tariff USING (v) WHERE (from_d IS NULL OR d >= from_d) AND (to_d IS NULL OR d < to_d)
	)
	SELECT n, quantity, d, greatest(at, from_at), CASE WHEN at <= from_at AND until >= to_at THEN kwh
			ELSE oracle.until(load, until) - lag(oracle.until(load, until), 1, 0.0) OVER (PARTITION BY n ORDER BY at) END, periods,
		CASE WHEN priced = '{}' THEN prices ELSE prices || jsonb_object(priced, array_fill(price::text, ARRAY[cardinality(priced)])) END
	FROM touched JOIN own USING (d) WHERE at < to_at AND until > from_at;

	INSERT INTO oracle.cell
	SELECT d, coalesce(key, ''), coalesce(value, ''), quantity, sum(kwh)
	FROM oracle.piece, LATERAL (SELECT NULL AS key, NULL AS value UNION ALL SELECT * FROM jsonb_each_text(periods)) AS p
	GROUP BY 1, 2, 3, 4;
END $$;

CREATE FUNCTION oracle.classify(context jsonb, upto int) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
	DELETE FROM oracle.bill;
	DELETE FROM oracle.day;
	DELETE FROM oracle.instance;
	DELETE FROM oracle.point;
	DELETE FROM oracle.seg;
	DELETE FROM oracle.piece;
	DELETE FROM oracle.cell;
	DELETE FROM oracle.peak;
	DELETE FROM oracle.line;
	DELETE FROM oracle.load;
	INSERT INTO oracle.load SELECT * FROM oracle.given WHERE n <= upto;
	PERFORM oracle.open_bill(context);
	PERFORM oracle.fill_days();
	PERFORM oracle.fill_instances();
	PERFORM oracle.fill_points();
	PERFORM oracle.fill_segments();
	PERFORM oracle.fill_pieces();
END $$;
