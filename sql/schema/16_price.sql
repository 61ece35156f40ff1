-- 16_price.sql: price series: spot prices, monthly purchase prices, published late and corrected later
-- A price is a row for a range of time. A correction closes "known" of the former row and leaves it,
-- so that an old bill can be worked out again as it was.

CREATE TABLE elecbill.price_series (
	id			bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT price_series_pkey PRIMARY KEY,
	org_id		integer NOT NULL CONSTRAINT price_series_org_fkey REFERENCES elecbill.org,
	code		text NOT NULL CONSTRAINT price_series_code_check CHECK (code ~ '^\S{1,64}$'),
	name		text,
	read_by		text NOT NULL DEFAULT 'instant'
				CONSTRAINT price_series_read_by_check CHECK (read_by IN ('instant', 'bill_month')),
	CONSTRAINT price_series_org_code_key UNIQUE (org_id, code),
	CONSTRAINT price_series_org_id_key UNIQUE (org_id, id)
);
COMMENT ON TABLE elecbill.price_series IS
'a price that changes without the tariff changing; a tariff names it by code in "series", tariff_for() writes its points out';
COMMENT ON COLUMN elecbill.price_series.id IS 'key';
COMMENT ON COLUMN elecbill.price_series.org_id IS 'owner';
COMMENT ON COLUMN elecbill.price_series.code IS 'the key people use, one per org; "usage" is a word of tariffs and cannot be one';
COMMENT ON COLUMN elecbill.price_series.name IS 'title for people';
COMMENT ON COLUMN elecbill.price_series.read_by IS
'instant: each kWh at the price of its time; bill_month: all of a bill at the price of the month it is named after, that of its last day';
ALTER TABLE elecbill.price_series ADD CONSTRAINT price_series_usage_check CHECK (code <> 'usage');

CREATE TABLE elecbill.price_point (
	id			bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT price_point_pkey PRIMARY KEY,
	org_id		integer NOT NULL,
	series_id	bigint NOT NULL,
	during		tstzrange NOT NULL CONSTRAINT price_point_during_check
				CHECK (NOT isempty(during) AND NOT lower_inf(during)),
	price		numeric(18,9) NOT NULL,
	known		tstzrange NOT NULL
				CONSTRAINT price_point_known_check CHECK (NOT lower_inf(known)),
	created_by	text NOT NULL CONSTRAINT price_point_created_by_check CHECK (created_by <> ''),
	CONSTRAINT price_point_series_fkey FOREIGN KEY (org_id, series_id)
		REFERENCES elecbill.price_series (org_id, id),
	CONSTRAINT price_point_excl EXCLUDE USING gist (
		int8range(series_id, series_id, '[]') WITH &&, during WITH &&, known WITH &&)
);
CREATE INDEX price_point_series_idx ON elecbill.price_point (org_id, series_id);
COMMENT ON TABLE elecbill.price_point IS 'a price of a series for a range of time, as known in a range of time';
COMMENT ON COLUMN elecbill.price_point.id IS 'key';
COMMENT ON COLUMN elecbill.price_point.org_id IS 'owner';
COMMENT ON COLUMN elecbill.price_point.series_id IS 'the series';
COMMENT ON COLUMN elecbill.price_point.during IS 'instants [from, to) it holds for; to may be open';
COMMENT ON COLUMN elecbill.price_point.price IS 'currency of the org per unit of the component that reads it (kWh); may be negative';
COMMENT ON COLUMN elecbill.price_point.known IS 'since when, and until when, it was the truth, empty: corrected by the transaction that wrote it; rows change only by closing it';
COMMENT ON COLUMN elecbill.price_point.created_by IS 'who wrote it';
COMMENT ON INDEX elecbill.price_point_series_idx IS 'points of a series';

CREATE FUNCTION elecbill._price_point_guard() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF TG_OP = 'DELETE' OR to_jsonb(OLD) - 'known' <> to_jsonb(NEW) - 'known'
		OR lower(NEW.known) <> lower(OLD.known) OR NOT upper_inf(OLD.known) OR upper_inf(NEW.known)
		OR (isempty(NEW.known) AND lower(OLD.known) < elecbill.now())
	THEN
		RAISE EXCEPTION USING
			ERRCODE = 'UB403',
			MESSAGE = 'a price that was known stays as it was',
			HINT = 'price_set() writes another price for the same time.';
	END IF;
	RETURN NEW;
END $$;
COMMENT ON FUNCTION elecbill._price_point_guard() IS
'row trigger of price_point: a row is kept, only its known range is closed, once (UB403)';
CREATE TRIGGER price_point_guard BEFORE UPDATE OR DELETE ON elecbill.price_point
	FOR EACH ROW EXECUTE FUNCTION elecbill._price_point_guard();
COMMENT ON TRIGGER price_point_guard ON elecbill.price_point IS 'no change but closing known';
CREATE TRIGGER price_point_keep_all BEFORE TRUNCATE ON elecbill.price_point
	FOR EACH STATEMENT EXECUTE FUNCTION elecbill._append_only();
COMMENT ON TRIGGER price_point_keep_all ON elecbill.price_point IS 'no TRUNCATE';

CREATE FUNCTION elecbill.price_series_create(org text, code text, read_by text DEFAULT 'instant',
	name text DEFAULT NULL) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	owner integer := elecbill._org_get(org);
	there text;
BEGIN
	IF price_series_create.read_by IS NULL OR price_series_create.read_by NOT IN ('instant', 'bill_month') THEN
		RAISE EXCEPTION 'a price series is read by instant or by bill_month, not %', quote_nullable(read_by)
			USING ERRCODE = 'UB400';
	ELSIF code ~ '^\S{1,64}$' IS NOT TRUE OR code = 'usage' THEN
		RAISE EXCEPTION 'a price series has a code of 1 to 64 characters without blanks, other than usage' USING ERRCODE = 'UB400';
	END IF;
	SELECT s.read_by INTO there FROM elecbill.price_series s
	WHERE s.org_id = owner AND s.code = price_series_create.code;
	IF there = price_series_create.read_by THEN
		RETURN;
	ELSIF FOUND THEN
		RAISE EXCEPTION 'price series % is there already and is read by %', quote_literal(code), there
			USING ERRCODE = 'UB409';
	END IF;
	INSERT INTO elecbill.price_series (org_id, code, read_by, name)
	VALUES (owner, price_series_create.code, price_series_create.read_by, price_series_create.name);
END $$;
COMMENT ON FUNCTION elecbill.price_series_create(text, text, text, text) IS
'makes a price series of an org; the same call again changes nothing. read_by: instant or bill_month. UB404 unknown org, UB409 it is there and read otherwise';

CREATE FUNCTION elecbill._price_series_get(p_series text) RETURNS elecbill.price_series
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	ids bigint[];
	series elecbill.price_series;
BEGIN
	SELECT array_agg(s.id) INTO ids
	FROM elecbill.org o JOIN elecbill.price_series s ON s.org_id = o.id
	WHERE (s.code = p_series OR (starts_with(p_series, o.code || '/') AND s.code = substr(p_series, length(o.code) + 2)))
		AND elecbill._org_open(s.org_id);
	IF ids IS NULL THEN
		RAISE EXCEPTION USING
			ERRCODE = 'UB404',
			MESSAGE = format('there is no price series %s', quote_nullable(p_series)),
			HINT = 'price_series_create() makes one.';
	ELSIF cardinality(ids) > 1 THEN
		RAISE EXCEPTION USING
			ERRCODE = 'UB409',
			MESSAGE = format('price series %s is not unique', quote_literal(p_series)),
			HINT = 'Put the code of the organisation before it: ORG/SERIES.';
	END IF;
	SELECT * INTO series FROM elecbill.price_series s WHERE s.id = ids[1];
	RETURN series;
END $$;
COMMENT ON FUNCTION elecbill._price_series_get(text) IS
'a price series by CODE or ORG/CODE; UB404 unknown, UB409 when several orgs have it';

CREATE FUNCTION elecbill.price_set(p_series text, p_during tstzrange, p_price numeric, p_by text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	series elecbill.price_series := elecbill._price_series_get(p_series);
	old elecbill.price_point;
	left_over tstzrange;
BEGIN
	IF p_during IS NULL OR isempty(p_during) OR lower_inf(p_during) OR NOT isfinite(lower(p_during))
		OR p_price IS NULL OR p_price <> round(p_price, 9) OR NOT abs(p_price) < 1000000000
		OR p_by IS NULL OR p_by = ''
	THEN
		RAISE EXCEPTION USING
			ERRCODE = 'UB400',
			MESSAGE = 'a price needs a range with a beginning, a number of at most nine decimals and a writer';
	ELSIF NOT lower_inc(p_during) OR upper_inc(p_during) OR lower(p_during) <> date_trunc('second', lower(p_during))
		OR upper(p_during) <> date_trunc('second', upper(p_during))
	THEN
		RAISE EXCEPTION USING
			ERRCODE = 'UB400',
			MESSAGE = 'a price holds from a whole second to a whole second, the latter not included',
			DETAIL = format('The range is %s.', p_during);
	END IF;
	PERFORM elecbill._signed(p_by);
	PERFORM FROM elecbill.price_series WHERE id = series.id FOR NO KEY UPDATE;
	IF EXISTS (SELECT FROM elecbill.price_point p WHERE p.series_id = series.id AND upper_inf(p.known)
		AND p.during = p_during AND p.price = p_price)
	THEN
		RETURN;
	END IF;
	FOR old IN
		SELECT * FROM elecbill.price_point p
		WHERE p.series_id = series.id AND upper_inf(p.known) AND p.during && p_during
		ORDER BY p.during
	LOOP
		UPDATE elecbill.price_point SET known = elecbill._known_end(known) WHERE id = old.id;
		FOR left_over IN
			SELECT unnest(tstzmultirange(old.during) - tstzmultirange(p_during))
		LOOP
			INSERT INTO elecbill.price_point (org_id, series_id, during, price, known, created_by)
			VALUES (old.org_id, series.id, left_over, old.price, tstzrange(elecbill.now(), NULL), old.created_by);
		END LOOP;
	END LOOP;
	INSERT INTO elecbill.price_point (org_id, series_id, during, price, known, created_by)
	VALUES (series.org_id, series.id, p_during, p_price, tstzrange(elecbill.now(), NULL), p_by);
END $$;
COMMENT ON FUNCTION elecbill.price_set(text, tstzrange, numeric, text) IS
'sets the price of a series (CODE or ORG/CODE) for instants [from, to) in whole seconds, from now on known; what was known before about them is kept. The same call again changes nothing. UB400, UB404, UB409 somebody else was faster';

CREATE FUNCTION elecbill.price_set(p_series text, p_days daterange, p_price numeric, p_by text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	zone text := (SELECT o.zone FROM elecbill.org o
		WHERE o.id = (elecbill._price_series_get(p_series)).org_id);
BEGIN
	PERFORM elecbill.price_set(p_series, tstzrange(elecbill.day_start(lower(p_days), zone),
		elecbill.day_start(upper(p_days), zone)), p_price, p_by);
END $$;
COMMENT ON FUNCTION elecbill.price_set(text, daterange, numeric, text) IS
'sets the price of a series for local days [from, to) of its org';

CREATE FUNCTION elecbill._series_points(p_org integer, p_code text, p_days daterange,
	p_known_at timestamptz) RETURNS jsonb
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC'
SET datestyle = 'ISO, YMD' AS $$
DECLARE
	zone text := (SELECT o.zone FROM elecbill.org o WHERE o.id = p_org);
	series elecbill.price_series;
	wanted tstzrange;
	missing tstzmultirange;
	points jsonb;
BEGIN
	SELECT * INTO series FROM elecbill.price_series s WHERE s.org_id = p_org AND s.code = p_code;
	IF NOT FOUND THEN
		RAISE EXCEPTION USING
			ERRCODE = 'UB404',
			MESSAGE = format('the tariff names price series %s, which is not there', quote_literal(p_code));
	END IF;
	wanted := tstzrange(elecbill.day_start(CASE series.read_by WHEN 'bill_month' THEN upper(p_days) - 1
		ELSE lower(p_days) END, zone), elecbill.day_start(upper(p_days), zone));
	SELECT tstzmultirange(wanted) - coalesce(range_agg(p.during), '{}'),
		jsonb_agg(jsonb_build_array(to_char(greatest(lower(p.during), lower(wanted)),
			'YYYY-MM-DD"T"HH24:MI:SS"Z"'), p.price) ORDER BY p.during)
	INTO missing, points
	FROM elecbill.price_point p
	WHERE p.series_id = series.id AND p.known @> p_known_at AND p.during && wanted;
	IF NOT isempty(missing) THEN
		RAISE EXCEPTION USING
			ERRCODE = 'UB404',
			CONSTRAINT = 'no_price',
			MESSAGE = format('price series %s has no price for all of %s', quote_literal(p_code), p_days),
			DETAIL = format('Nothing is known for %s, as of %s.', missing, p_known_at),
			HINT = 'price_set() writes it. A run that was made before knows it by bill_run_retry(run, elecbill.now()).';
	END IF;
	RETURN CASE series.read_by WHEN 'bill_month' THEN
		jsonb_build_object('by', 'bill_month', 'points', points) ELSE points END;
END $$;
COMMENT ON FUNCTION elecbill._series_points(integer, text, daterange, timestamptz) IS
'the points of a price series for local days as a tariff writes them, instants in UTC; UB404 no_price when a part of the days has none';
