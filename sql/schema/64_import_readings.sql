-- 64_import_readings.sql: what people read: sheets to go round with, and the file that comes back
--
-- Two imports of an org wait for each other (the row of the org). A file that was taken in is known by its SHA-256
-- and is not taken in again; one that was refused, or tried only, may come again.

CREATE FUNCTION elecbill._readings_head(p_fields text[], p_fault text) RETURNS text[]
LANGUAGE sql IMMUTABLE
RETURN elecbill._csv_head(p_fields, p_fault, '{"表号": "meter_no", "寄存器": "register", "抄表日期": "read_at", "抄表时间": "read_at",
	"读数": "kwh", "本次读数": "kwh", "meter": "meter_no"}',
	'{meter_no,read_at,kwh}',
	/* what route_sheet says besides is for people */
	'{building,room,account_no,name,point,usage_point,last_reading,last_read_at,last_kwh,expect_kwh,org,org_id,model,multiplier,note,楼栋,房号,户号,户名,上次读数,上次抄表日期,备注}',
	'meter_no 表号, read_at 抄表日期, kwh 读数, register 寄存器');
COMMENT ON FUNCTION elecbill._readings_head(text[], text) IS 'English names for the column names of import_readings(), which may be Chinese; columns of route_sheet that say nothing new become empty';

CREATE FUNCTION elecbill._readings_instant(p_given text, p_org elecbill.org) RETURNS timestamptz
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	part	text[] := regexp_match(p_given, '^(\S+?)(?:[ T](\d{1,2}):(\d{2})(?::(\d{2}))?)?$');
	day		date := elecbill._estate_day(jsonb_build_object('read_at', part[1]), 'read_at',
		(elecbill.now() AT TIME ZONE p_org.zone)::date);
	got	timestamptz;
BEGIN
	IF part[2] IS NULL THEN
		RETURN elecbill.day_start(day, p_org.zone);
	ELSIF part[2]::integer > 23 OR part[3]::integer > 59 OR part[4]::integer > 59 THEN
		PERFORM elecbill._estate_fail('read_at', 'UB400', format('"%s" is no time of day', left(p_given, 40)));
	END IF;
	got := elecbill._wall_last(day + make_time(part[2]::integer, part[3]::integer, coalesce(part[4]::integer, 0)), p_org.zone);
	IF got IS NULL THEN
		PERFORM elecbill._estate_fail('read_at', 'UB400', format('the clocks leave out %s', left(p_given, 40)));
	END IF;
	RETURN elecbill._wall_first(day + make_time(part[2]::integer, part[3]::integer, coalesce(part[4]::integer, 0)), p_org.zone, got);
END $$;
COMMENT ON FUNCTION elecbill._readings_instant(text, elecbill.org) IS 'a date (the start of that local day) or a date and local time of import_readings(); UB400';

CREATE FUNCTION elecbill._readings_row(p_org elecbill.org, p_head text[], p_fields text[], p_fault text) RETURNS text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	given	jsonb := elecbill._csv_row(p_head, p_fields, p_fault);
	at		timestamptz;
	value	numeric;
BEGIN
	IF given IS NULL THEN
		RETURN 'ignored';
	ELSIF given ->> 'kwh' IS NULL THEN
		RETURN 'missing';	/* nobody was at home */
	ELSIF given ->> 'meter_no' IS NULL OR given ->> 'read_at' IS NULL THEN
		PERFORM elecbill._estate_fail(CASE WHEN given ? 'meter_no' THEN 'read_at' ELSE 'meter_no' END, 'UB400', 'is empty');
	END IF;
	value := elecbill._estate_number(given, 'kwh', NULL, 0, 999999999999.999, 3);
	at := elecbill._readings_instant(given ->> 'read_at', p_org);
	PERFORM elecbill._reading_partition((at AT TIME ZONE 'UTC')::date);
	RETURN elecbill.reading_add(p_org.code, given ->> 'meter_no', coalesce(given ->> 'register', '1.8.0'), at, value);
END $$;
COMMENT ON FUNCTION elecbill._readings_row(elecbill.org, text[], text[], text) IS 'one row of import_readings(): accepted, duplicate, missing (no value) or ignored (empty)';

CREATE FUNCTION elecbill._readings_rows(p_org elecbill.org, p_csv bytea, p_undo boolean, p_strict boolean,
	OUT counts jsonb, OUT errors jsonb, OUT refused boolean)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	given	record;
	head	text[];
	faults	jsonb[] := '{}'::jsonb[];
	became	text;
	field	text;
	state	text;
	message	text;
BEGIN
	counts := '{"accepted": 0, "duplicate": 0, "missing": 0, "ignored": 0}';
	refused := false;
	BEGIN
		FOR given IN SELECT * FROM elecbill.csv_rows(p_csv) LOOP
			BEGIN
				IF head IS NULL THEN
					head := elecbill._readings_head(given.fields, given.fault);
				ELSE
					became := elecbill._readings_row(p_org, head, given.fields, given.fault);
					counts := jsonb_set(counts, ARRAY[became], to_jsonb((counts ->> became)::integer + 1));
				END IF;
			EXCEPTION
				WHEN SQLSTATE 'UB400' OR SQLSTATE 'UB404' OR SQLSTATE 'UB409' OR SQLSTATE 'UB412' OR SQLSTATE 'UB422'
					OR data_exception OR integrity_constraint_violation THEN
				GET STACKED DIAGNOSTICS field = COLUMN_NAME, state = RETURNED_SQLSTATE, message = MESSAGE_TEXT;
				faults := faults || elecbill._row_fault(given.line,
					coalesce(nullif(field, ''), CASE WHEN state IN ('UB409', 'UB422') THEN 'kwh' WHEN state = 'UB404' THEN 'meter_no' END),
					state, message);
				EXIT WHEN head IS NULL;		/* without column names no row means anything */
			END;
		END LOOP;
		IF head IS NULL AND faults = '{}' THEN
			faults := faults || elecbill._row_fault(1, NULL, 'UB400', 'the file is empty');
		END IF;
		refused := head IS NULL OR p_strict AND faults <> '{}';
		IF p_undo OR refused THEN
			RAISE SQLSTATE 'UB0DR';
		END IF;
	EXCEPTION WHEN SQLSTATE 'UB0DR' THEN
		NULL;	/* all of it was done, and is undone here */
	END;
	errors := to_jsonb(faults);
END $$;
COMMENT ON FUNCTION elecbill._readings_rows(elecbill.org, bytea, boolean, boolean) IS 'the rows of a file of import_readings(), done, or done and undone; what was wrong with them';

CREATE FUNCTION elecbill.import_readings(org text, csv bytea, mode text DEFAULT 'skip_bad', dry_run boolean DEFAULT false)
RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	owner	elecbill.org;
	done	bigint;
	r		record;
BEGIN
	IF csv IS NULL OR dry_run IS NULL OR mode IN ('all_or_nothing', 'skip_bad') IS NOT TRUE THEN
		RAISE EXCEPTION 'a file is imported all_or_nothing or skip_bad'
			USING ERRCODE = 'UB400', DETAIL = format('The value is %s.', quote_nullable(mode));
	END IF;
	SELECT o.* INTO owner FROM elecbill.org AS o WHERE o.id = elecbill._org_get(org) FOR NO KEY UPDATE;
	SELECT j.id INTO done FROM elecbill.import_job AS j
	WHERE j.org_id = owner.id AND j.kind = 'readings' AND j.sha256 = sha256(csv) AND j.state = 'done' AND NOT j.dry_run;
	IF FOUND THEN
		RETURN done;
	END IF;
	r := elecbill._readings_rows(owner, csv, dry_run, mode = 'all_or_nothing');
	INSERT INTO elecbill.import_job (org_id, usage_point_id, kind, sha256, zone, options, mode, dry_run, state, created_at, given,
		stored, duplicate, conflict, missing, rounded, ignored, errors)
	SELECT owner.id, NULL, 'readings', sha256(csv), owner.zone, '{}', mode, dry_run, CASE WHEN r.refused THEN 'refused' ELSE 'done' END,
		elecbill.now(), c.accepted + c.duplicate + c.missing, CASE WHEN r.refused THEN 0 ELSE c.accepted END,
		CASE WHEN r.refused THEN 0 ELSE c.duplicate END, 0, c.missing, 0, c.ignored, jsonb_array_length(r.errors)
	FROM jsonb_to_record(r.counts) AS c(accepted integer, duplicate integer, missing integer, ignored integer)
	RETURNING id INTO done;
	PERFORM elecbill._csv_faults(done, r.errors);
	RETURN done;
END $$;
COMMENT ON FUNCTION elecbill.import_readings(text, bytea, text, boolean) IS 'takes in readings by hand from a CSV file in UTF-8, columns in any order: meter_no 表号, read_at 抄表日期 (a date: the start of that local day; or with a local time), kwh 读数 (cumulative), optional register 寄存器 (1.8.0); a filled-in route_sheet may come as it is, rows without a value are counted as missing. Returns the job in import_job: its counts, and in import_row_error the line, column, SQLSTATE and reason of each row that was refused (skip_bad), or because of which all were (all_or_nothing). dry_run does all of it and undoes it but the job. The same file again is answered by the job of the first time. UB400, UB404 unknown org';

CREATE VIEW elecbill.route_sheet WITH (security_invoker = true) AS
SELECT o.code AS org, b.code AS building, l.code AS room, u.code AS usage_point, m.serial AS meter_no, a.account_no,
	k.model, i.multiplier, (r.read_at AT TIME ZONE o.zone)::date AS last_read_at, r.register_wh * 0.001 AS last_reading,
	round(r.register_wh * 0.001 + s.kwh_day * ((elecbill.now() AT TIME ZONE o.zone)::date - (r.read_at AT TIME ZONE o.zone)::date), 0) AS expect_kwh,
	NULL::text AS read_at, NULL::numeric AS kwh, o.id AS org_id
FROM elecbill.meter AS m
JOIN elecbill.org AS o ON o.id = m.org_id
JOIN elecbill.meter_model AS k ON k.id = m.model_id
JOIN elecbill.meter_installation AS i ON i.meter_id = m.id AND upper_inf(i.valid)
JOIN elecbill.usage_point AS u ON u.id = i.usage_point_id
JOIN elecbill.service_location AS l ON l.id = u.location_id
LEFT JOIN elecbill.service_location AS b ON b.id = l.parent_id
LEFT JOIN elecbill.customer_agreement AS c ON c.usage_point_id = u.id
	AND c.valid @> (elecbill.now() AT TIME ZONE o.zone)::date
LEFT JOIN elecbill.customer_account AS a ON a.id = c.account_id
LEFT JOIN elecbill.meter_register AS g ON g.meter_id = m.id AND g.code = '1.8.0'
LEFT JOIN elecbill._reading_newest AS r ON r.register_id = g.id
LEFT JOIN LATERAL (SELECT (r.register_wh - y.register_wh) * 0.001 / nullif((r.read_at AT TIME ZONE o.zone)::date - (y.read_at AT TIME ZONE o.zone)::date, 0) AS kwh_day
	FROM elecbill.reading_effective AS y WHERE y.register_id = g.id AND y.read_at < r.read_at
		AND y.read_at > r.read_at - interval '100 days' AND y.register_wh <= r.register_wh AND y.source <> 6
	ORDER BY y.read_at LIMIT 1) AS s ON true
WHERE m.kind = 'manual';
COMMENT ON VIEW elecbill.route_sheet IS 'meters that are read by hand, in the order to go: filled in and saved as CSV, import_readings() takes it. ORDER BY building, room';
COMMENT ON COLUMN elecbill.route_sheet.org IS 'code of the org';
COMMENT ON COLUMN elecbill.route_sheet.building IS 'building; NULL: none';
COMMENT ON COLUMN elecbill.route_sheet.room IS 'room';
COMMENT ON COLUMN elecbill.route_sheet.usage_point IS 'usage point';
COMMENT ON COLUMN elecbill.route_sheet.meter_no IS 'serial on the device';
COMMENT ON COLUMN elecbill.route_sheet.account_no IS 'who pays; NULL: nobody';
COMMENT ON COLUMN elecbill.route_sheet.model IS 'model of the meter';
COMMENT ON COLUMN elecbill.route_sheet.multiplier IS 'transformer ratio: what it shows is less by as much';
COMMENT ON COLUMN elecbill.route_sheet.last_read_at IS 'local date of the newest reading';
COMMENT ON COLUMN elecbill.route_sheet.last_reading IS 'what it showed, kWh';
COMMENT ON COLUMN elecbill.route_sheet.expect_kwh IS 'what it should show today, at the rate of the last 100 days; NULL: nobody knows';
COMMENT ON COLUMN elecbill.route_sheet.read_at IS 'to be filled in: date, or date and time';
COMMENT ON COLUMN elecbill.route_sheet.kwh IS 'to be filled in: what it shows';
COMMENT ON COLUMN elecbill.route_sheet.org_id IS 'owner';
