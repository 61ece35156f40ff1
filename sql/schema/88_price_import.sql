-- 88_price_import.sql: prices of a series from a file, taken in by one person and put in force by another
-- A file becomes a batch that waits; until somebody else approves it no bill knows of it.
-- Locks: org, so that two imports of an org wait for each other; then the batch, then the series.

CREATE TABLE elecbill.price_batch (
	job_id		bigint CONSTRAINT price_batch_pkey PRIMARY KEY CONSTRAINT price_batch_job_fkey REFERENCES elecbill.import_job,
	org_id		integer NOT NULL,
	series_id	bigint NOT NULL,
	state		text NOT NULL DEFAULT 'requested' CONSTRAINT price_batch_state_check
				CHECK (state IN ('requested', 'approved', 'rejected')),
	created_by	text NOT NULL DEFAULT elecbill.current_login(),
	created_at	timestamptz NOT NULL DEFAULT elecbill.now(),
	decided_by	text,
	decided_at	timestamptz,
	CONSTRAINT price_batch_org_id_key UNIQUE (org_id, job_id),
	CONSTRAINT price_batch_series_fkey FOREIGN KEY (org_id, series_id) REFERENCES elecbill.price_series (org_id, id),
	CONSTRAINT price_batch_second_check CHECK (state <> 'approved' OR decided_by <> created_by),
	CONSTRAINT price_batch_decided_check CHECK ((state = 'requested') = (decided_by IS NULL)
		AND (decided_by IS NULL) = (decided_at IS NULL))
);
CREATE INDEX price_batch_series_idx ON elecbill.price_batch (series_id);
COMMENT ON TABLE elecbill.price_batch IS 'files of prices: they wait for a second person';
COMMENT ON COLUMN elecbill.price_batch.job_id IS 'the file, in import_job';
COMMENT ON COLUMN elecbill.price_batch.org_id IS 'owner';
COMMENT ON COLUMN elecbill.price_batch.series_id IS 'the price series';
COMMENT ON COLUMN elecbill.price_batch.state IS 'requested, approved (in force) or rejected';
COMMENT ON COLUMN elecbill.price_batch.created_by IS 'login of who took it in';
COMMENT ON COLUMN elecbill.price_batch.created_at IS 'when';
COMMENT ON COLUMN elecbill.price_batch.decided_by IS 'login of who approved it, who is another person, or rejected it';
COMMENT ON COLUMN elecbill.price_batch.decided_at IS 'when';
COMMENT ON INDEX elecbill.price_batch_series_idx IS 'files of a series';

CREATE TABLE elecbill.price_batch_row (
	job_id		bigint NOT NULL,
	line		integer NOT NULL,
	org_id		integer NOT NULL,
	during		tstzrange NOT NULL CONSTRAINT price_batch_row_during_check
				CHECK (NOT isempty(during) AND NOT lower_inf(during) AND NOT upper_inf(during)),
	price		numeric(18,9) NOT NULL,
	CONSTRAINT price_batch_row_pkey PRIMARY KEY (job_id, line),
	CONSTRAINT price_batch_row_batch_fkey FOREIGN KEY (org_id, job_id) REFERENCES elecbill.price_batch (org_id, job_id)
);
COMMENT ON TABLE elecbill.price_batch_row IS 'the prices of a file';
COMMENT ON COLUMN elecbill.price_batch_row.job_id IS 'the file';
COMMENT ON COLUMN elecbill.price_batch_row.line IS 'line of the file, from 1';
COMMENT ON COLUMN elecbill.price_batch_row.org_id IS 'owner';
COMMENT ON COLUMN elecbill.price_batch_row.during IS 'instants [from, to) it holds for';
COMMENT ON COLUMN elecbill.price_batch_row.price IS 'currency of the org per kWh';
CREATE TRIGGER price_batch_row_keep BEFORE UPDATE OR DELETE ON elecbill.price_batch_row
	FOR EACH ROW EXECUTE FUNCTION elecbill._append_only();
COMMENT ON TRIGGER price_batch_row_keep ON elecbill.price_batch_row IS 'no UPDATE, no DELETE';
CREATE TRIGGER price_batch_row_keep_all BEFORE TRUNCATE ON elecbill.price_batch_row
	FOR EACH STATEMENT EXECUTE FUNCTION elecbill._append_only();
COMMENT ON TRIGGER price_batch_row_keep_all ON elecbill.price_batch_row IS 'no TRUNCATE';

CREATE FUNCTION elecbill._prices_head(p_fields text[], p_fault text) RETURNS text[]
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	head text[] := elecbill._csv_head(p_fields, p_fault, '{"月份": "month", "起": "from", "开始": "from", "止": "to", "结束": "to",
		"电价": "price", "价格": "price", "备注": "note"}', '{}', p_known => 'month 月份, or from 起 and to 止, and price 电价');
BEGIN
	IF NOT head @> '{price}' OR NOT (head @> '{month}' AND NOT head && '{from,to}' OR head @> '{from,to}' AND NOT head @> '{month}') THEN
		PERFORM elecbill._estate_fail(NULL, 'UB400', 'a file of prices has the columns month and price, or from, to and price');
	END IF;
	RETURN head;
END $$;
COMMENT ON FUNCTION elecbill._prices_head(text[], text) IS 'English names for the column names of import_prices(), which may be Chinese; UB400';

CREATE FUNCTION elecbill._prices_instant(p_row jsonb, p_column text, p_org elecbill.org) RETURNS timestamptz
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	given text := left(p_row ->> p_column, 40);
	part text[] := regexp_match(given, '^([12]\d{3})[-/.年](\d{1,2})[-/.月](\d{1,2})日?(?:[ T](\d{1,2}):(\d{2})(?::(\d{2}))?)?$');
	day date;
	wall timestamp;
	got timestamptz;
BEGIN
	-- built by hand: text::date would obey DateStyle
	IF part[2]::integer BETWEEN 1 AND 12 AND part[3]::integer >= 1 THEN
		day := make_date(part[1]::integer, part[2]::integer, 1) + (part[3]::integer - 1);
	END IF;
	IF day IS NULL OR extract(month FROM day) <> part[2]::integer THEN
		PERFORM elecbill._estate_fail(p_column, 'UB400', format('"%s" is no date such as 2026-01-31, nor date and time', given));
	ELSIF part[4] IS NULL THEN
		RETURN elecbill.day_start(day, p_org.zone);
	ELSIF part[4]::integer > 23 OR part[5]::integer > 59 OR part[6]::integer > 59 THEN
		PERFORM elecbill._estate_fail(p_column, 'UB400', format('"%s" is no time of day', given));
	END IF;
	wall := day + make_time(part[4]::integer, part[5]::integer, coalesce(part[6]::integer, 0));
	got := elecbill._wall_last(wall, p_org.zone);
	IF got IS NULL THEN
		PERFORM elecbill._estate_fail(p_column, 'UB400', format('the clocks leave out %s', given));
	END IF;
	RETURN elecbill._wall_first(wall, p_org.zone, got);
END $$;
COMMENT ON FUNCTION elecbill._prices_instant(jsonb, text, elecbill.org) IS 'a date (its local midnight), or date and local time, of import_prices(); UB400';

CREATE FUNCTION elecbill._prices_row(p_org elecbill.org, p_months boolean, p_row jsonb, OUT during tstzrange, OUT price numeric)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	month text[] := regexp_match(p_row ->> 'month', '^([12]\d{3})[-/.年]?(\d{1,2})月?$');
	day date;
BEGIN
	IF p_months THEN
		IF month[2]::integer BETWEEN 1 AND 12 IS NOT TRUE THEN
			PERFORM elecbill._estate_fail('month', 'UB400', format('"%s" is no month such as 2026-01', left(p_row ->> 'month', 40)));
		END IF;
		day := make_date(month[1]::integer, month[2]::integer, 1);
		during := tstzrange(elecbill.day_start(day, p_org.zone), elecbill.day_start((day + interval '1 month')::date, p_org.zone));
	ELSE
		BEGIN
			during := tstzrange(elecbill._prices_instant(p_row, 'from', p_org), elecbill._prices_instant(p_row, 'to', p_org));
		EXCEPTION WHEN data_exception THEN
			PERFORM elecbill._estate_fail('to', 'UB400', 'a price ends before it begins');
		END;
		IF isempty(during) OR upper_inf(during) THEN
			PERFORM elecbill._estate_fail('to', 'UB400', 'a price ends before it begins');
		END IF;
	END IF;
	IF p_row ->> 'price' ~ '^-?\d{1,9}(\.\d{1,9})?$' IS NOT TRUE THEN
		PERFORM elecbill._estate_fail('price', 'UB400', format('"%s" is no price: digits with nine decimals at most', left(p_row ->> 'price', 40)));
	END IF;
	price := (p_row ->> 'price')::numeric;
END $$;
COMMENT ON FUNCTION elecbill._prices_row(elecbill.org, boolean, jsonb) IS 'range and price of a row of import_prices(), by months or by from and to; UB400';

CREATE FUNCTION elecbill._prices_rows(p_org elecbill.org, p_csv bytea, OUT prices jsonb, OUT errors jsonb,
	OUT ignored integer, OUT headless boolean)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	given record;
	head text[];
	row jsonb;
	one record;
	before tstzmultirange := tstzmultirange '{}';
	found jsonb[] := '{}'::jsonb[];
	faults jsonb[] := '{}'::jsonb[];
	field text;
	state text;
	message text;
BEGIN
	ignored := 0;
	FOR given IN SELECT * FROM elecbill.csv_rows(p_csv) LOOP
		BEGIN
			IF head IS NULL THEN
				head := elecbill._prices_head(given.fields, given.fault);
				CONTINUE;
			END IF;
			row := elecbill._csv_row(head, given.fields, given.fault);
			IF row IS NULL THEN
				ignored := ignored + 1;
				CONTINUE;
			END IF;
			one := elecbill._prices_row(p_org, 'month' = ANY (head), row);
			IF before && one.during THEN
				PERFORM elecbill._estate_fail(head[1], 'UB409', 'another line has a price for some of this time');
			END IF;
			before := before + tstzmultirange(one.during);
			found := found || jsonb_build_object('line', given.line, 'from', extract(epoch FROM lower(one.during))::bigint,
				'to', extract(epoch FROM upper(one.during))::bigint, 'price', one.price);
		EXCEPTION WHEN SQLSTATE 'UB400' OR SQLSTATE 'UB409' OR data_exception THEN
			GET STACKED DIAGNOSTICS field = COLUMN_NAME, state = RETURNED_SQLSTATE, message = MESSAGE_TEXT;
			faults := faults || elecbill._row_fault(given.line, field, state, message);
			EXIT WHEN head IS NULL;		/* without column names no row means anything */
		END;
	END LOOP;
	headless := head IS NULL;
	IF headless AND faults = '{}' THEN
		faults := faults || elecbill._row_fault(1, NULL, 'UB400', 'the file is empty');
	END IF;
	prices := to_jsonb(found);
	errors := to_jsonb(faults);
END $$;
COMMENT ON FUNCTION elecbill._prices_rows(elecbill.org, bytea) IS 'the rows of a file of import_prices() ([{line, from, to, price}], seconds since 1970), and what was wrong with the others';

CREATE FUNCTION elecbill._import_prices(p_series text, p_csv bytea, p_mode text, p_dry_run boolean) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	series elecbill.price_series := elecbill._price_series_get(p_series);
	owner elecbill.org;
	job bigint;
	r record;
	refused boolean;
	n integer;
BEGIN
	IF p_csv IS NULL OR p_dry_run IS NULL OR p_mode IN ('all_or_nothing', 'skip_bad') IS NOT TRUE THEN
		RAISE EXCEPTION 'a file of prices is imported all_or_nothing or skip_bad'
			USING ERRCODE = 'UB400', DETAIL = format('The value is %s.', quote_nullable(p_mode));
	END IF;
	SELECT o.* INTO owner FROM elecbill.org o WHERE o.id = series.org_id FOR NO KEY UPDATE;
	SELECT j.id INTO job FROM elecbill.import_job j JOIN elecbill.price_batch b ON b.job_id = j.id
	WHERE j.org_id = owner.id AND j.sha256 = sha256(p_csv) AND b.series_id = series.id AND b.state <> 'rejected' AND NOT p_dry_run;
	IF FOUND THEN
		RETURN job;
	END IF;
	r := elecbill._prices_rows(owner, p_csv);
	refused := r.headless OR p_mode = 'all_or_nothing' AND r.errors <> '[]';
	n := jsonb_array_length(r.prices);
	INSERT INTO elecbill.import_job (org_id, usage_point_id, kind, sha256, zone, options, mode, dry_run, state, created_at, given,
		stored, duplicate, conflict, missing, rounded, ignored, errors)
	VALUES (owner.id, NULL, 'prices', sha256(p_csv), owner.zone, jsonb_build_object('series', series.code), p_mode, p_dry_run,
		CASE WHEN refused THEN 'refused' ELSE 'done' END, elecbill.now(), n, CASE WHEN refused THEN 0 ELSE n END, 0, 0, 0, 0,
		r.ignored, jsonb_array_length(r.errors))
	RETURNING id INTO job;
	PERFORM elecbill._csv_faults(job, r.errors);
	IF NOT refused AND NOT p_dry_run AND n > 0 THEN
		INSERT INTO elecbill.price_batch (job_id, org_id, series_id) VALUES (job, owner.id, series.id);
		INSERT INTO elecbill.price_batch_row (job_id, line, org_id, during, price)
		SELECT job, p.line, owner.id, tstzrange(to_timestamp(p."from"), to_timestamp(p."to")), p.price
		FROM jsonb_to_recordset(r.prices) AS p(line integer, "from" bigint, "to" bigint, price numeric);
		PERFORM elecbill._audit(owner.id, 'import_prices', series.code, NULL, jsonb_build_object('job', job, 'prices', n));
	END IF;
	RETURN job;
END $$;
COMMENT ON FUNCTION elecbill._import_prices(text, bytea, text, boolean) IS 'what import_prices() does';

CREATE FUNCTION elecbill.import_prices(series text, csv bytea, mode text DEFAULT 'all_or_nothing', dry_run boolean DEFAULT false)
RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN elecbill._import_prices(series, csv, mode, dry_run);
EXCEPTION WHEN OTHERS THEN
	PERFORM elecbill._refused(elecbill._org_part(series), 'import_prices', series, SQLSTATE, SQLERRM);
	RAISE;
END $$;
COMMENT ON FUNCTION elecbill.import_prices(text, bytea, text, boolean) IS
'takes in prices of a series (CODE or ORG/CODE) from a CSV file in UTF-8: columns month 月份 (2026-01) and price 电价, or from 起, to 止 (local dates, or dates and times; to is not included) and price. They wait until another person calls import_prices_approve() with the job that this returns. Its counts are in import_job, the line, column and reason of each row that was refused in import_row_error; all_or_nothing: one such row and nothing waits. dry_run writes the job alone. The same file again is answered by the job of the first time. UB400, UB404';

CREATE FUNCTION elecbill._prices_decide(p_job bigint, p_state text) RETURNS integer
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	b elecbill.price_batch;
	code text;
	one record;
	n integer := 0;
BEGIN
	SELECT * INTO b FROM elecbill.price_batch x WHERE x.job_id = p_job AND elecbill._org_open(x.org_id) FOR NO KEY UPDATE;
	IF NOT FOUND THEN
		RAISE EXCEPTION USING ERRCODE = 'UB404', MESSAGE = format('no prices of job %s wait', coalesce(p_job::text, 'NULL')),
			HINT = 'import_prices() takes them in and returns the job.';
	ELSIF b.state = p_state AND b.decided_by = elecbill.current_login() THEN
		RETURN (SELECT count(*) FROM elecbill.price_batch_row r WHERE r.job_id = p_job);	/* the same call once more */
	ELSIF b.state <> 'requested' THEN
		RAISE EXCEPTION USING ERRCODE = 'UB412', MESSAGE = format('the prices of job %s are %s already', p_job, b.state);
	ELSIF p_state = 'approved' AND b.created_by = elecbill.current_login() THEN
		RAISE EXCEPTION USING
			ERRCODE = 'UB403',
			MESSAGE = 'prices are approved by another person than took them in',
			DETAIL = format('%s took them in.', quote_literal(b.created_by));
	END IF;
	SELECT o.code || '/' || s.code INTO code FROM elecbill.price_series s JOIN elecbill.org o ON o.id = s.org_id WHERE s.id = b.series_id;
	FOR one IN SELECT r.during, r.price FROM elecbill.price_batch_row r WHERE r.job_id = p_job ORDER BY r.during LOOP
		n := n + 1;
		IF p_state = 'approved' THEN
			PERFORM elecbill.price_set(code, one.during, one.price, elecbill.current_login());
		END IF;
	END LOOP;
	UPDATE elecbill.price_batch SET state = p_state, decided_by = elecbill.current_login(), decided_at = elecbill.now() WHERE job_id = p_job;
	PERFORM elecbill._audit(b.org_id, 'import_prices_' || p_state, code, NULL, jsonb_build_object('job', p_job, 'prices', n));
	RETURN n;
END $$;
COMMENT ON FUNCTION elecbill._prices_decide(bigint, text) IS 'what import_prices_approve() and import_prices_reject() do';

CREATE FUNCTION elecbill.import_prices_approve(job bigint) RETURNS integer
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN elecbill._prices_decide(job, 'approved');
EXCEPTION WHEN OTHERS THEN
	PERFORM elecbill._refused(NULL, 'import_prices_approve', 'job ' || job, SQLSTATE, SQLERRM);
	RAISE;
END $$;
COMMENT ON FUNCTION elecbill.import_prices_approve(bigint) IS
'puts the prices of a job in force, as price_set() does: known from now on, what was known before is kept. Returns how many. UB403 the same person took them in, UB404 none wait, UB412 they are decided';

CREATE FUNCTION elecbill.import_prices_reject(job bigint) RETURNS integer
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN elecbill._prices_decide(job, 'rejected');
EXCEPTION WHEN OTHERS THEN
	PERFORM elecbill._refused(NULL, 'import_prices_reject', 'job ' || job, SQLSTATE, SQLERRM);
	RAISE;
END $$;
COMMENT ON FUNCTION elecbill.import_prices_reject(bigint) IS 'rejects, or takes back, the prices of a job; the file may come again. Returns how many. UB404, UB412 they are decided';

-- ---------------------------------------------------------------- a month without its price

CREATE FUNCTION elecbill._price_check(p_run elecbill.bill_run) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	zone text := (SELECT o.zone FROM elecbill.org o WHERE o.id = p_run.org_id);
	one record;
	missing record;
BEGIN
	IF NOT EXISTS (SELECT FROM elecbill.price_series s WHERE s.org_id = p_run.org_id AND s.read_by = 'bill_month') THEN
		RETURN;
	END IF;
	FOR one IN
		SELECT DISTINCT p AS plan, upper(g.valid * p_run.period) - 1 AS last_day
		FROM elecbill.customer_agreement g
		JOIN elecbill.customer_account a ON a.id = g.account_id
		JOIN elecbill.tariff_plan p ON p.id = g.tariff_plan_id
		WHERE a.org_id = p_run.org_id AND a.billing_cycle_id = p_run.cycle_id AND g.valid && p_run.period
	LOOP
		BEGIN
			SELECT s.code, to_char(one.last_day, 'YYYY-MM') AS month INTO missing
			FROM elecbill._tariff_merged(one.plan, daterange(one.last_day, one.last_day + 1), p_run.known_at) AS t,
				jsonb_each(t.definition -> 'series') AS e
			JOIN elecbill.price_series s ON s.org_id = p_run.org_id AND s.code = e.value #>> '{}' AND s.read_by = 'bill_month'
			WHERE jsonb_typeof(e.value) = 'string' AND NOT EXISTS (SELECT FROM elecbill.price_point x
				WHERE x.series_id = s.id AND x.known @> p_run.known_at
					AND x.during @> elecbill.day_start(one.last_day, zone))
			ORDER BY s.code LIMIT 1;
		EXCEPTION WHEN SQLSTATE 'UB404' OR SQLSTATE 'UB409' THEN
			CONTINUE;	/* a tariff that is not there parks its accounts */
		END;
		IF missing.code IS NOT NULL THEN
			RAISE EXCEPTION USING
				ERRCODE = 'UB412',
				CONSTRAINT = 'no_price',
				MESSAGE = format('price series %s has no price for %s', quote_literal(missing.code), missing.month),
				DETAIL = format('Tariff %s reads it for bills of that month.', quote_literal((one.plan).code)),
				HINT = 'import_prices() takes it in, another person approves it; then start the run.';
		END IF;
	END LOOP;
END $$;
COMMENT ON FUNCTION elecbill._price_check(elecbill.bill_run) IS
'UB412 no_price when a tariff of an account in a run reads a series by the month of the bill and that month has no price, as known to the run';
