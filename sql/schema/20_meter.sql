-- 20_meter.sql: usage points, the devices that measure them, and which device served which point when

CREATE TABLE elecbill.usage_point (
	id			bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT usage_point_pkey PRIMARY KEY,
	org_id		integer NOT NULL CONSTRAINT usage_point_org_fkey REFERENCES elecbill.org,
	code		text NOT NULL CONSTRAINT usage_point_code_check CHECK (code ~ '^\S{1,64}$'),
	location_id	bigint NOT NULL,
	kind		text NOT NULL CONSTRAINT usage_point_kind_check CHECK (kind IN ('consumer', 'common', 'charging', 'parent')),
	priority	boolean NOT NULL DEFAULT false,
	CONSTRAINT usage_point_org_code_key UNIQUE (org_id, code),
	CONSTRAINT usage_point_org_id_key UNIQUE (org_id, id),
	CONSTRAINT usage_point_location_fkey FOREIGN KEY (org_id, location_id)
		REFERENCES elecbill.service_location (org_id, id)
);
CREATE INDEX usage_point_location_idx ON elecbill.usage_point (location_id);
COMMENT ON TABLE elecbill.usage_point IS 'a place where energy is measured and charged; stays when the meter is exchanged';
COMMENT ON COLUMN elecbill.usage_point.id IS 'internal key';
COMMENT ON COLUMN elecbill.usage_point.org_id IS 'owner';
COMMENT ON COLUMN elecbill.usage_point.code IS 'the key people use, one per org; the room code unless a room has several points';
COMMENT ON COLUMN elecbill.usage_point.location_id IS 'where it is';
COMMENT ON COLUMN elecbill.usage_point.kind IS 'consumer, common (stairs, lifts), charging, or parent (its meter stands before others)';
COMMENT ON COLUMN elecbill.usage_point.priority IS 'never disconnected for money that is owed: a lift, a pump, a surgery';
COMMENT ON INDEX elecbill.usage_point_location_idx IS 'points of a location';

CREATE TABLE elecbill.meter_model (
	id			bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT meter_model_pkey PRIMARY KEY,
	vendor		text NOT NULL CONSTRAINT meter_model_vendor_check CHECK (vendor <> ''),
	model		text NOT NULL CONSTRAINT meter_model_model_check CHECK (model <> ''),
	protocol	text NOT NULL CONSTRAINT meter_model_protocol_check CHECK (protocol ~ '^[a-z0-9_-]{1,32}$'),
	digits		smallint NOT NULL CONSTRAINT meter_model_digits_check CHECK (digits BETWEEN 4 AND 12),
	decimals	smallint NOT NULL CONSTRAINT meter_model_decimals_check CHECK (decimals BETWEEN 0 AND 4),
	max_w		bigint CONSTRAINT meter_model_max_w_check CHECK (max_w > 0),
	CONSTRAINT meter_model_vendor_model_key UNIQUE (vendor, model)
);
COMMENT ON TABLE elecbill.meter_model IS 'kinds of meters; shared by all orgs';
COMMENT ON COLUMN elecbill.meter_model.id IS 'internal key';
COMMENT ON COLUMN elecbill.meter_model.vendor IS 'maker';
COMMENT ON COLUMN elecbill.meter_model.model IS 'the maker''s name of the model';
COMMENT ON COLUMN elecbill.meter_model.protocol IS 'how it is read: dlt645, modbus, ... as the collector names it, or manual (read by people)';
COMMENT ON COLUMN elecbill.meter_model.digits IS 'places before the decimal point, in kWh, 4 to 12: where the register rolls over';
COMMENT ON COLUMN elecbill.meter_model.decimals IS 'places behind the decimal point, 0 to 4';
COMMENT ON COLUMN elecbill.meter_model.max_w IS 'the most power it measures in W, before any multiplier: largest current x voltage x phases. NULL: rule V05 has a number for such';

CREATE TABLE elecbill.meter (
	id			bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT meter_pkey PRIMARY KEY,
	org_id		integer NOT NULL CONSTRAINT meter_org_fkey REFERENCES elecbill.org,
	serial		text NOT NULL CONSTRAINT meter_serial_key UNIQUE
				CONSTRAINT meter_serial_check CHECK (serial ~ '^\S{1,64}$'),
	model_id	bigint NOT NULL CONSTRAINT meter_model_fkey REFERENCES elecbill.meter_model,
	kind		text NOT NULL CONSTRAINT meter_kind_check CHECK (kind IN ('smart', 'manual')),
	interval_s	integer CONSTRAINT meter_interval_s_check
				CHECK (interval_s BETWEEN 60 AND 86400 AND 86400 % interval_s = 0),
	CONSTRAINT meter_org_id_key UNIQUE (org_id, id),
	CONSTRAINT meter_kind_interval_check CHECK ((kind = 'smart') = (interval_s IS NOT NULL))
);
CREATE INDEX meter_model_idx ON elecbill.meter (model_id);
COMMENT ON TABLE elecbill.meter IS 'one row per device, for its whole life';
COMMENT ON COLUMN elecbill.meter.id IS 'internal key';
COMMENT ON COLUMN elecbill.meter.org_id IS 'owner';
COMMENT ON COLUMN elecbill.meter.serial IS 'number on the device and in ingest(); unique over all orgs, prefix it where two makers use the same one';
COMMENT ON COLUMN elecbill.meter.model_id IS 'its kind';
COMMENT ON COLUMN elecbill.meter.kind IS 'smart (read by a collector) or manual (read by people)';
COMMENT ON COLUMN elecbill.meter.interval_s IS 'seconds between two slots of a smart meter, a divisor of a day; slots are multiples of it in UTC. NULL for a manual meter';
COMMENT ON INDEX elecbill.meter_model_idx IS 'meters of a model';

CREATE TABLE elecbill.meter_register (
	id			bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT meter_register_pkey PRIMARY KEY,
	org_id		integer NOT NULL,
	meter_id	bigint NOT NULL,
	code		text NOT NULL CONSTRAINT meter_register_code_check CHECK (code ~ '^[12]\.8\.[0-9]{1,2}$'),
	direction	text NOT NULL GENERATED ALWAYS AS
				(CASE WHEN code LIKE '1.%' THEN 'import' ELSE 'export' END) STORED,
	tou			smallint NOT NULL GENERATED ALWAYS AS (substr(code, 5)::smallint) STORED,
	wrap_wh		bigint NOT NULL CONSTRAINT meter_register_wrap_wh_check
				CHECK (wrap_wh BETWEEN 10000000 AND 1000000000000000),
	adds		boolean NOT NULL DEFAULT false,
	CONSTRAINT meter_register_adds_check CHECK (NOT adds OR code ~ '^1\.8\.' AND code <> '1.8.0'),
	CONSTRAINT meter_register_meter_code_key UNIQUE (meter_id, code),
	CONSTRAINT meter_register_meter_fkey FOREIGN KEY (org_id, meter_id)
		REFERENCES elecbill.meter (org_id, id)
);
CREATE INDEX meter_register_adds_idx ON elecbill.meter_register (meter_id) WHERE adds;
COMMENT ON INDEX elecbill.meter_register_adds_idx IS 'registers of meters that do not tell their total';
COMMENT ON TABLE elecbill.meter_register IS 'the cumulative energy registers of a meter. Never deleted: reading has no foreign key (it would cost 2.7 times the insert)';
COMMENT ON COLUMN elecbill.meter_register.id IS 'internal key, used by reading';
COMMENT ON COLUMN elecbill.meter_register.org_id IS 'owner';
COMMENT ON COLUMN elecbill.meter_register.meter_id IS 'the meter';
COMMENT ON COLUMN elecbill.meter_register.code IS 'OBIS code: 1.8.0 total import, 1.8.1 ... the meter''s own tariff registers, 2.8.x export';
COMMENT ON COLUMN elecbill.meter_register.direction IS 'import or export, from the code';
COMMENT ON COLUMN elecbill.meter_register.tou IS '0 = total, n = tariff register n, from the code';
COMMENT ON COLUMN elecbill.meter_register.wrap_wh IS 'Wh at which it rolls over to 0: 10^(digits + 3)';
COMMENT ON COLUMN elecbill.meter_register.adds IS 'the meter tells no total: 1.8.0 is the sum of the registers that are marked so, at instants at which all of them are known';

CREATE FUNCTION elecbill._register_keep() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF TG_OP = 'DELETE' THEN
		IF elecbill._org_emptying(OLD.org_id) THEN
			RETURN OLD;
		END IF;
	ELSIF TG_OP = 'UPDATE' THEN
		IF (NEW.id, NEW.org_id, NEW.meter_id, NEW.code, NEW.wrap_wh) = (OLD.id, OLD.org_id, OLD.meter_id, OLD.code, OLD.wrap_wh) THEN
			RETURN NEW;
		END IF;
	END IF;
	RAISE EXCEPTION 'registers cannot be removed or given another identity'
		USING ERRCODE = 'UB403',
			  DETAIL = 'Readings and bills refer to them without a foreign key.',
			  HINT = 'Close the installation of the meter instead.';
END $$;
COMMENT ON FUNCTION elecbill._register_keep() IS 'trigger of meter_register: stands in for the foreign key that reading does not have (UB403)';
CREATE TRIGGER meter_register_keep BEFORE DELETE OR UPDATE ON elecbill.meter_register
	FOR EACH ROW EXECUTE FUNCTION elecbill._register_keep();
CREATE TRIGGER meter_register_keep_all BEFORE TRUNCATE ON elecbill.meter_register
	FOR EACH STATEMENT EXECUTE FUNCTION elecbill._register_keep();
COMMENT ON TRIGGER meter_register_keep ON elecbill.meter_register IS 'no DELETE, no UPDATE but of adds';
COMMENT ON TRIGGER meter_register_keep_all ON elecbill.meter_register IS 'no TRUNCATE';

CREATE TABLE elecbill.meter_installation (
	id			bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT meter_installation_pkey PRIMARY KEY,
	org_id		integer NOT NULL,
	meter_id	bigint NOT NULL,
	usage_point_id bigint NOT NULL,
	role		text NOT NULL DEFAULT 'main'
				CONSTRAINT meter_installation_role_check CHECK (role IN ('main', 'check')),
	multiplier	numeric(12,4) NOT NULL DEFAULT 1
				CONSTRAINT meter_installation_multiplier_check CHECK (multiplier > 0 AND multiplier <= 1000000),
	valid		tstzrange NOT NULL CONSTRAINT meter_installation_valid_check CHECK (
					NOT isempty(valid) AND lower(valid) > '-infinity' AND lower_inc(valid)
					AND (upper_inf(valid) OR upper(valid) < 'infinity' AND NOT upper_inc(valid))),
	CONSTRAINT meter_installation_org_id_key UNIQUE (org_id, id),
	CONSTRAINT meter_installation_meter_fkey FOREIGN KEY (org_id, meter_id)
		REFERENCES elecbill.meter (org_id, id),
	CONSTRAINT meter_installation_usage_point_fkey FOREIGN KEY (org_id, usage_point_id)
		REFERENCES elecbill.usage_point (org_id, id),
	CONSTRAINT meter_installation_one_place EXCLUDE USING gist (
		int8range(meter_id, meter_id, '[]') WITH &&, valid WITH &&),
	-- no WHERE (role = 'main'): the planner would take the index for a cheap way to all main meters
	CONSTRAINT meter_installation_one_main EXCLUDE USING gist (
		(CASE role WHEN 'main' THEN int8range(usage_point_id, usage_point_id, '[]') ELSE 'empty' END) WITH &&,
		valid WITH &&)
);
CREATE INDEX meter_installation_meter_idx ON elecbill.meter_installation (meter_id);
CREATE INDEX meter_installation_usage_point_idx ON elecbill.meter_installation (usage_point_id);
COMMENT ON TABLE elecbill.meter_installation IS 'which meter serves which point, when, and by what it is multiplied; the values at both ends are readings (source install, remove)';
COMMENT ON COLUMN elecbill.meter_installation.id IS 'internal key';
COMMENT ON COLUMN elecbill.meter_installation.org_id IS 'owner';
COMMENT ON COLUMN elecbill.meter_installation.meter_id IS 'the meter';
COMMENT ON COLUMN elecbill.meter_installation.usage_point_id IS 'the point it measures';
COMMENT ON COLUMN elecbill.meter_installation.role IS 'main (bills) or check (compares)';
COMMENT ON COLUMN elecbill.meter_installation.multiplier IS 'transformer ratio: primary = register x multiplier, rounded on the cumulative value';
COMMENT ON COLUMN elecbill.meter_installation.valid IS 'from the installation to the removal, [from, to); changes only by closing it';
COMMENT ON INDEX elecbill.meter_installation_meter_idx IS 'places of a meter';
COMMENT ON INDEX elecbill.meter_installation_usage_point_idx IS 'meters of a point';

CREATE FUNCTION elecbill._valid_close_only() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF to_jsonb(NEW) - 'valid' <> to_jsonb(OLD) - 'valid' OR lower(NEW.valid) <> lower(OLD.valid) THEN
		RAISE EXCEPTION 'rows of % change only by their end', TG_TABLE_NAME
			USING ERRCODE = 'UB403',
				  DETAIL = 'Bills rest on what the row said for days that are past.',
				  HINT = 'Close the row and open a new one.';
	END IF;
	RETURN NEW;
END $$;
COMMENT ON FUNCTION elecbill._valid_close_only() IS 'trigger: only upper(valid) may change (UB403)';
CREATE TRIGGER meter_installation_close_only BEFORE UPDATE ON elecbill.meter_installation
	FOR EACH ROW EXECUTE FUNCTION elecbill._valid_close_only();
COMMENT ON TRIGGER meter_installation_close_only ON elecbill.meter_installation IS 'history stays';

CREATE FUNCTION elecbill._register_fits() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	most	numeric := (SELECT max(g.wrap_wh * i.multiplier)
		FROM elecbill.meter_installation AS i JOIN elecbill.meter_register AS g ON g.meter_id = i.meter_id
		WHERE i.meter_id = NEW.meter_id);
BEGIN
	IF most > 4611686018427387903 THEN
		RAISE EXCEPTION 'register times multiplier is out of range'
			USING ERRCODE = 'UB422', DETAIL = format('It rolls over at %s Wh; 4611686018427387903 are the most.', trunc(most)),
				  HINT = 'Look at the digits of the meter model, and at the multiplier.';
	END IF;
	RETURN NULL;
END $$;
COMMENT ON FUNCTION elecbill._register_fits() IS 'trigger of meter_installation and meter_register: primary values fit a bigint (UB422)';
CREATE TRIGGER meter_installation_fits AFTER INSERT ON elecbill.meter_installation
	FOR EACH ROW EXECUTE FUNCTION elecbill._register_fits();
CREATE TRIGGER meter_register_fits AFTER INSERT ON elecbill.meter_register
	FOR EACH ROW EXECUTE FUNCTION elecbill._register_fits();
COMMENT ON TRIGGER meter_installation_fits ON elecbill.meter_installation IS 'primary values fit a bigint';
COMMENT ON TRIGGER meter_register_fits ON elecbill.meter_register IS 'primary values fit a bigint';
