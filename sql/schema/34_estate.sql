-- 34_estate.sql: an estate from one wide table, one row per meter
--
-- Each row makes, or finds, building, room, customer, account, point, model, meter, installation,
-- its start value, agreement and household size. What is found must say the same, so a file can be
-- loaded again; a row that is refused leaves nothing behind and does not stop the others.

CREATE FUNCTION elecbill._estate_head(p_fields text[], p_fault text) RETURNS text[]
LANGUAGE sql IMMUTABLE
RETURN elecbill._csv_head(p_fields, p_fault, '{"楼栋": "building", "房号": "room", "户号": "account_no", "户名": "name", "类型": "kind",
	"表号": "meter_no", "型号": "model", "倍率": "multiplier", "上次读数": "last_reading",
	"上次抄表日期": "last_read_at", "电价": "tariff", "人口": "household_size", "厂家": "vendor",
	"规约": "protocol", "位数": "digits", "小数位": "decimals", "采集间隔": "interval_min",
	"用电点": "point", "账期": "cycle"}',
	'{room,account_no,name,kind,meter_no,model,last_reading,last_read_at,tariff}');
COMMENT ON FUNCTION elecbill._estate_head(text[], text) IS 'English names for the column names of import_estate(), which may be Chinese';

CREATE FUNCTION elecbill._estate_number(p_row jsonb, p_column text, p_default numeric, p_least numeric,
	p_most numeric, p_decimals integer) RETURNS numeric
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	given	text := p_row ->> p_column;
BEGIN
	IF given IS NULL THEN
		RETURN p_default;
	END IF;
	IF given !~ '^\d{1,15}(\.\d{1,15})?$' OR given::numeric < p_least OR given::numeric > p_most THEN
		PERFORM elecbill._estate_fail(p_column, 'UB400', format('%s must be a number from %s to %s, not "%s"',
									  p_column, p_least, p_most, left(given, 40)));
	ELSIF given::numeric <> trunc(given::numeric, p_decimals) THEN
		PERFORM elecbill._estate_fail(p_column, 'UB400', format('%s may have at most %s decimals, not "%s"',
									  p_column, p_decimals, given));
	END IF;
	RETURN given::numeric;
END $$;
COMMENT ON FUNCTION elecbill._estate_number(jsonb, text, numeric, numeric, numeric, integer) IS 'a number of a row of import_estate(), digits with a decimal point at most; its default where the field is empty';

CREATE FUNCTION elecbill._estate_day(p_row jsonb, p_column text, p_today date) RETURNS date
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	part	text[] := regexp_match(p_row ->> p_column, '^([12]\d{3})([-/.年])(\d{1,2})([-/.月])(\d{1,2})日?$');
	day		date;
BEGIN
	-- built by hand: text::date would obey DateStyle and take what people never meant
	IF part[3]::integer BETWEEN 1 AND 12 AND part[5]::integer >= 1 THEN
		day := make_date(part[1]::integer, part[3]::integer, 1) + (part[5]::integer - 1);
	END IF;
	IF extract(month FROM day) IS DISTINCT FROM part[3]::integer OR day IS NULL THEN
		PERFORM elecbill._estate_fail(p_column, 'UB400', format('%s must be a date such as 2026-01-31, not "%s"',
									  p_column, left(p_row ->> p_column, 40)));
	ELSIF day > p_today OR day < p_today - 7300 THEN
		PERFORM elecbill._estate_fail(p_column, 'UB400', format('%s must lie within the last 20 years, not %s',
									  p_column, to_char(day, 'YYYY-MM-DD')));
	END IF;
	RETURN day;
END $$;
COMMENT ON FUNCTION elecbill._estate_day(jsonb, text, date) IS 'a date of a row of import_estate(): year, month, day by - / . or 年月日';

CREATE FUNCTION elecbill._estate_parse(p_row jsonb, p_today date) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	name	text;
	kind	text := CASE lower(p_row ->> 'kind')
		WHEN 'residential' THEN 'residential' WHEN '居民' THEN 'residential' WHEN '住宅' THEN 'residential'
		WHEN 'commercial' THEN 'commercial' WHEN '商业' THEN 'commercial' WHEN '商铺' THEN 'commercial'
		WHEN 'industrial' THEN 'industrial' WHEN '工业' THEN 'industrial'
		WHEN 'common' THEN 'common' WHEN '公共' THEN 'common' WHEN '公用' THEN 'common'
		WHEN 'charging' THEN 'charging' WHEN '充电桩' THEN 'charging'
		WHEN 'parent' THEN 'parent' WHEN '总表' THEN 'parent' END;
	-- a meter for which nobody pays by itself
	unpaid	boolean := kind IN ('parent', 'common') AND NOT p_row ?| '{account_no,name,tariff}';
	digits	integer := elecbill._estate_number(p_row, 'digits', 6, 4, 12, 0);
	protocol text := CASE p_row ->> 'protocol' WHEN '人工' THEN 'manual'
		ELSE lower(coalesce(p_row ->> 'protocol', 'dlt645')) END;
	minutes	integer := elecbill._estate_number(p_row, 'interval_min', 15, 1, 1440, 0);
BEGIN
	FOREACH name IN ARRAY '{room,account_no,name,kind,meter_no,model,last_reading,last_read_at,tariff}'::text[] LOOP
		CONTINUE WHEN unpaid AND name IN ('account_no', 'name', 'tariff');
		IF p_row ->> name IS NULL THEN
			PERFORM elecbill._estate_fail(name, 'UB400', name || ' is empty');
		END IF;
	END LOOP;
	FOREACH name IN ARRAY '{building,room,account_no,meter_no,point}'::text[] LOOP
		IF p_row ->> name !~ '^\S{1,64}$' THEN
			PERFORM elecbill._estate_fail(name, 'UB400', name || ' must be 1 to 64 characters without blanks');
		END IF;
	END LOOP;
	IF kind IS NULL THEN
		PERFORM elecbill._estate_fail('kind', 'UB400',
			'kind must be residential 居民, commercial 商业, industrial 工业, common 公共, charging 充电桩 or parent 总表');
	ELSIF protocol !~ '^[a-z0-9_-]{1,32}$' THEN
		PERFORM elecbill._estate_fail('protocol', 'UB400', 'protocol must be a name such as dlt645, csvline or manual');
	ELSIF 1440 % minutes <> 0 THEN
		PERFORM elecbill._estate_fail('interval_min', 'UB400', 'interval_min must divide a day');
	END IF;
	RETURN p_row || jsonb_build_object(
		'kind', kind, 'protocol', protocol, 'digits', digits,
		'decimals', elecbill._estate_number(p_row, 'decimals', 2, 0, 4, 0),
		'interval_s', CASE WHEN protocol <> 'manual' THEN minutes * 60 END,
		'point', coalesce(p_row ->> 'point', p_row ->> 'room'),
		'cycle', coalesce(p_row ->> 'cycle', 'MONTH'),
		'multiplier', elecbill._estate_number(p_row, 'multiplier', 1, 0.0001, 1000000, 4),
		'last_wh', trunc(elecbill._estate_number(p_row, 'last_reading', NULL, 0, 
			('1e' || digits)::numeric - 0.001, 3) * 1000),
		'last_read_at', to_char(elecbill._estate_day(p_row, 'last_read_at', p_today), 'YYYY-MM-DD'),
		'household_size', elecbill._estate_number(p_row, 'household_size', NULL, 1, 100, 0));
END $$;
COMMENT ON FUNCTION elecbill._estate_parse(jsonb, date) IS 'a row of import_estate() with checked values and defaults';

CREATE FUNCTION elecbill._estate_point(p_org integer, p_row jsonb) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	house	elecbill.service_location;
	room	elecbill.service_location;
	point	elecbill.usage_point;
	kind	text := CASE WHEN p_row ->> 'kind' IN ('common', 'charging', 'parent') THEN p_row ->> 'kind' ELSE 'consumer' END;
	use		text := CASE p_row ->> 'kind' WHEN 'parent' THEN 'common' ELSE p_row ->> 'kind' END;
BEGIN
	SELECT l.* INTO house FROM elecbill.service_location l WHERE l.org_id = p_org AND l.code = p_row ->> 'building';
	IF NOT FOUND AND p_row ? 'building' THEN
		INSERT INTO elecbill.service_location (org_id, code, kind)
		VALUES (p_org, p_row ->> 'building', 'building') RETURNING * INTO house;
	ELSIF house.kind <> 'building' THEN
		PERFORM elecbill._estate_fail('building', 'UB409', format('location %s is not a building', house.code));
	END IF;

	SELECT l.* INTO room FROM elecbill.service_location l WHERE l.org_id = p_org AND l.code = p_row ->> 'room';
	IF NOT FOUND THEN
		INSERT INTO elecbill.service_location (org_id, parent_id, code, kind)
		VALUES (p_org, house.id, p_row ->> 'room', use) RETURNING * INTO room;
	ELSIF p_row ? 'building' AND room.parent_id IS DISTINCT FROM house.id THEN
		PERFORM elecbill._estate_fail('room', 'UB409', format(
			'room %s is in another building; room codes are unique, so write the building into them', room.code));
	ELSIF room.kind <> use THEN
		PERFORM elecbill._estate_fail('kind', 'UB409', format('room %s is %s', room.code, room.kind));
	END IF;

	SELECT u.* INTO point FROM elecbill.usage_point u WHERE u.org_id = p_org AND u.code = p_row ->> 'point';
	IF NOT FOUND THEN
		INSERT INTO elecbill.usage_point (org_id, code, location_id, kind)
		VALUES (p_org, p_row ->> 'point', room.id, kind) RETURNING * INTO point;
	ELSIF point.location_id <> room.id THEN
		PERFORM elecbill._estate_fail('point', 'UB409', format('usage point %s is in another room', point.code));
	END IF;
	RETURN point.id;
END $$;
COMMENT ON FUNCTION elecbill._estate_point(integer, jsonb) IS 'building, room and usage point of a row of import_estate()';

CREATE FUNCTION elecbill._estate_account(p_org integer, p_row jsonb) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	account	record;
	cycle	bigint;
	payer	bigint;
BEGIN
	SELECT y.id INTO cycle FROM elecbill.billing_cycle y WHERE y.org_id = p_org AND y.code = p_row ->> 'cycle';
	IF NOT FOUND THEN
		PERFORM elecbill._estate_fail('cycle', 'UB404', format('there is no billing cycle %s', p_row ->> 'cycle'));
	END IF;
	SELECT a.id, a.billing_cycle_id, c.name INTO account
	FROM elecbill.customer_account a JOIN elecbill.customer c ON c.id = a.customer_id
	WHERE a.org_id = p_org AND a.account_no = p_row ->> 'account_no';
	IF FOUND THEN
		IF account.name <> p_row ->> 'name' THEN
			PERFORM elecbill._estate_fail('name', 'UB409', format('account %s is that of "%s"',
										  p_row ->> 'account_no', account.name));
		ELSIF account.billing_cycle_id <> cycle THEN
			PERFORM elecbill._estate_fail('cycle', 'UB409', format('account %s has another billing cycle',
										  p_row ->> 'account_no'));
		END IF;
		RETURN account.id;
	END IF;
	INSERT INTO elecbill.customer (org_id, code, name, kind)
	VALUES (p_org, p_row ->> 'account_no', p_row ->> 'name',
			CASE p_row ->> 'kind' WHEN 'residential' THEN 'person' ELSE 'company' END)
	RETURNING id INTO payer;
	INSERT INTO elecbill.customer_account (org_id, account_no, customer_id, billing_cycle_id)
	VALUES (p_org, p_row ->> 'account_no', payer, cycle)
	RETURNING id INTO account;
	RETURN account.id;
END $$;
COMMENT ON FUNCTION elecbill._estate_account(integer, jsonb) IS 'customer and account of a row of import_estate()';

CREATE FUNCTION elecbill._estate_meter(p_org integer, p_row jsonb) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	kind	elecbill.meter_model;
	device	elecbill.meter;
BEGIN
	SELECT d.* INTO kind FROM elecbill.meter_model d
	WHERE d.model = p_row ->> 'model' AND d.vendor = coalesce(p_row ->> 'vendor', d.vendor)
	ORDER BY d.id LIMIT 1;
	IF NOT FOUND THEN
		INSERT INTO elecbill.meter_model (vendor, model, protocol, digits, decimals)
		VALUES (coalesce(p_row ->> 'vendor', '-'), p_row ->> 'model', p_row ->> 'protocol',
				(p_row ->> 'digits')::smallint, (p_row ->> 'decimals')::smallint) RETURNING * INTO kind;
	ELSIF kind.protocol <> p_row ->> 'protocol' OR kind.digits <> (p_row ->> 'digits')::integer
		OR kind.decimals <> (p_row ->> 'decimals')::integer
	THEN
		PERFORM elecbill._estate_fail('model', 'UB409', format('model %s has protocol %s, %s digits, %s decimals',
									  kind.model, kind.protocol, kind.digits, kind.decimals));
	END IF;

	SELECT d.* INTO device FROM elecbill.meter d WHERE d.serial = p_row ->> 'meter_no';
	IF FOUND THEN
		IF device.org_id <> p_org OR device.model_id <> kind.id THEN
			PERFORM elecbill._estate_fail('meter_no', 'UB409', format('meter number %s is in use', device.serial));
		ELSIF device.interval_s IS DISTINCT FROM (p_row ->> 'interval_s')::integer THEN
			PERFORM elecbill._estate_fail('interval_min', 'UB409', format('meter %s has another interval', device.serial));
		END IF;
		RETURN device.id;
	END IF;
	INSERT INTO elecbill.meter (org_id, serial, model_id, kind, interval_s)
	VALUES (p_org, p_row ->> 'meter_no', kind.id,
			CASE WHEN kind.protocol = 'manual' THEN 'manual' ELSE 'smart' END, (p_row ->> 'interval_s')::integer)
	RETURNING * INTO device;
	-- a DL/T 645 block brings the meter's four tariff registers along with the total; a DSMR meter tells two and no total
	INSERT INTO elecbill.meter_register (org_id, meter_id, code, wrap_wh, adds)
	SELECT p_org, device.id, '1.8.' || n, ('1e' || kind.digits + 3)::numeric, n > 0 AND kind.protocol = 'p1'
	FROM generate_series(0, CASE WHEN kind.protocol ~ '^dlt' THEN 4 WHEN kind.protocol = 'p1' THEN 2 ELSE 0 END) n;
	RETURN device.id;
END $$;
COMMENT ON FUNCTION elecbill._estate_meter(integer, jsonb) IS 'model, meter and registers of a row of import_estate()';

CREATE FUNCTION elecbill._estate_install(p_org integer, p_row jsonb, p_meter bigint, p_point bigint, p_start timestamptz)
RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	register	bigint;
	wh			bigint := (p_row ->> 'last_wh')::bigint;
BEGIN
	IF NOT EXISTS (SELECT FROM elecbill.meter_installation n
				   WHERE n.meter_id = p_meter AND n.usage_point_id = p_point AND lower(n.valid) = p_start
					 AND n.role = 'main' AND n.multiplier = (p_row ->> 'multiplier')::numeric)
	THEN
		IF EXISTS (SELECT FROM elecbill.meter_installation n
				   WHERE n.meter_id = p_meter AND coalesce(upper(n.valid), 'infinity') > p_start) THEN
			PERFORM elecbill._estate_fail('meter_no', 'UB409', format(
				'meter %s is installed already, from another day, with another multiplier or at another point',
				p_row ->> 'meter_no'));
		ELSIF EXISTS (SELECT FROM elecbill.meter_installation n WHERE n.usage_point_id = p_point
					  AND n.role = 'main' AND coalesce(upper(n.valid), 'infinity') > p_start) THEN
			PERFORM elecbill._estate_fail('meter_no', 'UB409', format(
				'usage point %s has another meter; name a second point of a room in column point', p_row ->> 'point'));
		END IF;
		INSERT INTO elecbill.meter_installation (org_id, meter_id, usage_point_id, multiplier, valid)
		VALUES (p_org, p_meter, p_point, (p_row ->> 'multiplier')::numeric, tstzrange(p_start, NULL));
	END IF;

	SELECT g.id INTO register FROM elecbill.meter_register g WHERE g.meter_id = p_meter AND g.code = '1.8.0';
	IF EXISTS (SELECT FROM elecbill.reading r
			   WHERE r.register_id = register AND r.read_at = p_start AND r.register_wh <> wh) THEN
		PERFORM elecbill._estate_fail('last_reading', 'UB409', format('meter %s has another reading at this instant',
									  p_row ->> 'meter_no'));
	END IF;
	PERFORM elecbill._reading_partition((p_start AT TIME ZONE 'UTC')::date);
	INSERT INTO elecbill.reading (register_id, read_at, register_wh, slot_at, org_id, quality, source)
	VALUES (register, p_start, wh,
			CASE WHEN elecbill._slot_at(p_start, (p_row ->> 'interval_s')::integer) = p_start THEN p_start END,
			p_org, 512, 3)
	ON CONFLICT (register_id, read_at) DO NOTHING;
END $$;
COMMENT ON FUNCTION elecbill._estate_install(integer, jsonb, bigint, bigint, timestamptz) IS 'installation and start value of a row of import_estate()';

CREATE FUNCTION elecbill._estate_agree(p_org integer, p_row jsonb, p_account bigint, p_point bigint) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	since		date := (p_row ->> 'last_read_at')::date;
	plan		bigint;
	agreement	elecbill.customer_agreement;
	persons		jsonb;
BEGIN
	SELECT p.id INTO plan FROM elecbill.tariff_plan p WHERE p.org_id = p_org AND p.code = p_row ->> 'tariff';
	IF NOT FOUND THEN
		PERFORM elecbill._estate_fail('tariff', 'UB404', format('there is no tariff %s', p_row ->> 'tariff'));
	END IF;
	SELECT a.* INTO agreement FROM elecbill.customer_agreement a
	WHERE a.usage_point_id = p_point AND lower(a.valid) = since;
	IF (NOT FOUND AND EXISTS (SELECT FROM elecbill.customer_agreement a WHERE a.usage_point_id = p_point
							  AND coalesce(upper(a.valid), 'infinity') > since))
		OR agreement.account_id <> p_account OR agreement.tariff_plan_id <> plan
	THEN
		PERFORM elecbill._estate_fail('tariff', 'UB409', format(
			'usage point %s has an agreement already, from another day, with another account or tariff',
			p_row ->> 'point'));
	ELSIF agreement.id IS NULL THEN
		INSERT INTO elecbill.customer_agreement (org_id, account_id, usage_point_id, tariff_plan_id, valid)
		VALUES (p_org, p_account, p_point, plan, daterange(since, NULL)) RETURNING * INTO agreement;
	END IF;
	SELECT t.value INTO persons FROM elecbill.agreement_attribute t
	WHERE t.agreement_id = agreement.id AND t.name = 'household_size' AND lower(t.valid) = since;
	IF p_row ->> 'household_size' IS NULL THEN
		RETURN;
	ELSIF persons <> p_row -> 'household_size' THEN
		PERFORM elecbill._estate_fail('household_size', 'UB409', format('household_size of usage point %s is %s',
									  p_row ->> 'point', persons));
	ELSIF persons IS NULL THEN
		INSERT INTO elecbill.agreement_attribute (org_id, agreement_id, name, value, valid)
		VALUES (p_org, agreement.id, 'household_size', p_row -> 'household_size', daterange(since, NULL));
	END IF;
END $$;
COMMENT ON FUNCTION elecbill._estate_agree(integer, jsonb, bigint, bigint) IS 'agreement and household size of a row of import_estate()';

CREATE FUNCTION elecbill._estate_row(p_org elecbill.org, p_head text[], p_fields text[], p_fault text) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	given	jsonb := elecbill._csv_row(p_head, p_fields, p_fault);
	point	bigint;
BEGIN
	IF given IS NULL THEN
		RETURN false;
	END IF;
	given := elecbill._estate_parse(given, (elecbill.now() AT TIME ZONE p_org.zone)::date);
	point := elecbill._estate_point(p_org.id, given);
	PERFORM elecbill._estate_install(p_org.id, given, elecbill._estate_meter(p_org.id, given), point,
									 elecbill.day_start((given ->> 'last_read_at')::date, p_org.zone));
	IF given ? 'account_no' THEN
		PERFORM elecbill._estate_agree(p_org.id, given, elecbill._estate_account(p_org.id, given), point);
	END IF;
	RETURN true;
END $$;
COMMENT ON FUNCTION elecbill._estate_row(elecbill.org, text[], text[], text) IS 'one row of import_estate(); false = it is empty';

CREATE FUNCTION elecbill.import_estate(org text, csv bytea, dry_run boolean DEFAULT false)
RETURNS TABLE (line integer, column_name text, code text, message text)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	owner	elecbill.org;
	head	text[];
	given	record;
	landed	integer := 0;
	refused	integer := 0;
BEGIN
	IF csv IS NULL OR dry_run IS NULL THEN
		RAISE EXCEPTION 'csv and dry_run must not be NULL' USING ERRCODE = 'UB400';
	END IF;
	-- the lock lets imports of one org wait for each other, and nothing else
	SELECT o.* INTO owner FROM elecbill.org o WHERE o.id = elecbill._org_get(org) FOR NO KEY UPDATE;
	BEGIN
		FOR given IN SELECT * FROM elecbill.csv_rows(csv) LOOP
			BEGIN
				IF head IS NULL THEN
					head := elecbill._estate_head(given.fields, given.fault);
				ELSIF elecbill._estate_row(owner, head, given.fields, given.fault) THEN
					landed := landed + 1;
				END IF;
			EXCEPTION
				WHEN SQLSTATE 'UB400' OR SQLSTATE 'UB403' OR SQLSTATE 'UB404' OR SQLSTATE 'UB409' OR SQLSTATE 'UB412'
					OR SQLSTATE 'UB422' OR data_exception OR integrity_constraint_violation THEN
				GET STACKED DIAGNOSTICS column_name = COLUMN_NAME, code = RETURNED_SQLSTATE, message = MESSAGE_TEXT;
				column_name := nullif(column_name, '');
				line := given.line;
				refused := refused + 1;
				RETURN NEXT;
				EXIT WHEN head IS NULL;		/* without column names no row means anything */
			END;
		END LOOP;
		IF head IS NULL AND refused = 0 THEN
			RAISE EXCEPTION 'the file is empty' USING ERRCODE = 'UB400';
		END IF;
		IF dry_run THEN
			RAISE SQLSTATE 'UB0DR';
		END IF;
	EXCEPTION WHEN SQLSTATE 'UB0DR' THEN
		NULL;	/* all of it was done, and is undone here */
	END;
	RAISE NOTICE 'import_estate: % rows %, % refused', landed,
		CASE WHEN dry_run THEN 'would be imported' ELSE 'imported' END, refused;
END $$;
COMMENT ON FUNCTION elecbill.import_estate(text, bytea, boolean) IS
'loads an estate from a CSV file in UTF-8, one row per meter, columns in any order with English or Chinese names: building 楼栋 (optional), room 房号, account_no 户号, name 户名, kind 类型 (residential 居民, commercial 商业, industrial 工业, common 公共, charging 充电桩, parent 总表: its meter stands before others; common and parent may leave account_no, name and tariff empty: nobody pays for them by themselves), meter_no 表号, model 型号, multiplier 倍率 (default 1), last_reading 上次读数 (kWh on the register), last_read_at 上次抄表日期 (the start of this local day opens installation and agreement), tariff 电价, household_size 人口; optional: vendor 厂家, protocol 规约 (default dlt645; manual 人工 = read by people), digits 位数 (default 6), decimals 小数位 (2), interval_min 采集间隔 (15), point 用电点 (default the room), cycle 账期 (MONTH).
Returns a row per refused row: its line, column, SQLSTATE and reason; no row = all landed. Rows that say what is there already are fine, so a file can be loaded again. dry_run does all of it and undoes it. UB400 NULL or empty file, UB404 unknown org';
