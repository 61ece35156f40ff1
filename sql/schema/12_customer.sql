-- 12_customer.sql: where electricity is used, who pays for it, and when he is billed

CREATE TABLE elecbill.service_location (
	id			bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT service_location_pkey PRIMARY KEY,
	org_id		integer NOT NULL CONSTRAINT service_location_org_fkey REFERENCES elecbill.org,
	parent_id	bigint,
	code		text NOT NULL CONSTRAINT service_location_code_check CHECK (code ~ '^\S{1,64}$'),
	kind		text NOT NULL CONSTRAINT service_location_kind_check
				CHECK (kind IN ('building', 'residential', 'commercial', 'industrial', 'common', 'charging')),
	CONSTRAINT service_location_org_code_key UNIQUE (org_id, code),
	CONSTRAINT service_location_org_id_key UNIQUE (org_id, id),
	CONSTRAINT service_location_parent_fkey FOREIGN KEY (org_id, parent_id)
		REFERENCES elecbill.service_location (org_id, id)
);
CREATE INDEX service_location_parent_idx ON elecbill.service_location (parent_id);
COMMENT ON TABLE elecbill.service_location IS 'a building, or a room, shop, workshop, common part or parking place in it';
COMMENT ON COLUMN elecbill.service_location.id IS 'internal key';
COMMENT ON COLUMN elecbill.service_location.org_id IS 'owner';
COMMENT ON COLUMN elecbill.service_location.parent_id IS 'what it is part of; NULL = stands alone';
COMMENT ON COLUMN elecbill.service_location.code IS 'building or room code, one per org';
COMMENT ON COLUMN elecbill.service_location.kind IS 'building, residential, commercial, industrial, common or charging';
COMMENT ON INDEX elecbill.service_location_parent_idx IS 'parts of a location';

CREATE FUNCTION elecbill._service_location_check() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	-- UNION drops what was seen, so the walk ends even where a cycle already exists
	IF EXISTS (
		WITH RECURSIVE up(id) AS (
			SELECT NEW.parent_id
			UNION
			SELECT l.parent_id FROM up JOIN elecbill.service_location l ON l.id = up.id)
		SELECT FROM up WHERE up.id = NEW.id)
	THEN
		RAISE EXCEPTION 'location "%" would be part of itself', NEW.code USING ERRCODE = 'UB409';
	END IF;
	RETURN NEW;
END $$;
COMMENT ON FUNCTION elecbill._service_location_check() IS 'trigger of service_location: locations form a tree (UB409)';
CREATE TRIGGER service_location_check BEFORE INSERT OR UPDATE OF parent_id ON elecbill.service_location
	FOR EACH ROW WHEN (NEW.parent_id IS NOT NULL)
	EXECUTE FUNCTION elecbill._service_location_check();
COMMENT ON TRIGGER service_location_check ON elecbill.service_location IS 'no cycle';

CREATE TABLE elecbill.customer (
	id			bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT customer_pkey PRIMARY KEY,
	org_id		integer NOT NULL CONSTRAINT customer_org_fkey REFERENCES elecbill.org,
	code		text NOT NULL CONSTRAINT customer_code_check CHECK (code ~ '^\S{1,64}$'),
	name		text NOT NULL CONSTRAINT customer_name_check CHECK (name <> ''),
	kind		text NOT NULL CONSTRAINT customer_kind_check CHECK (kind IN ('person', 'company')),
	tags		text[] NOT NULL DEFAULT '{}' CONSTRAINT customer_tags_check CHECK (tags <@ '{no_bill,no_dun,medical}'),
	CONSTRAINT customer_org_code_key UNIQUE (org_id, code),
	CONSTRAINT customer_org_id_key UNIQUE (org_id, id)
);
COMMENT ON TABLE elecbill.customer IS 'the person or company that owes the money';
COMMENT ON COLUMN elecbill.customer.id IS 'internal key';
COMMENT ON COLUMN elecbill.customer.org_id IS 'owner';
COMMENT ON COLUMN elecbill.customer.code IS 'the key people use, one per org; import_estate() takes the account number';
COMMENT ON COLUMN elecbill.customer.name IS 'name on the bill';
COMMENT ON COLUMN elecbill.customer.kind IS 'person or company';
COMMENT ON COLUMN elecbill.customer.tags IS 'no_bill: bill runs leave him out, and say so; no_dun: not dunned; medical: never disconnected';

CREATE TABLE elecbill.billing_cycle (
	id			bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT billing_cycle_pkey PRIMARY KEY,
	org_id		integer NOT NULL CONSTRAINT billing_cycle_org_fkey REFERENCES elecbill.org,
	code		text NOT NULL CONSTRAINT billing_cycle_code_check CHECK (code ~ '^\S{1,64}$'),
	months		smallint NOT NULL DEFAULT 1
				CONSTRAINT billing_cycle_months_check CHECK (months IN (1, 2, 3, 4, 6, 12)),
	anchor_day	smallint NOT NULL DEFAULT 1
				CONSTRAINT billing_cycle_anchor_day_check CHECK (anchor_day BETWEEN 1 AND 28),
	due_days	smallint NOT NULL DEFAULT 20
				CONSTRAINT billing_cycle_due_days_check CHECK (due_days BETWEEN 0 AND 365),
	CONSTRAINT billing_cycle_org_code_key UNIQUE (org_id, code),
	CONSTRAINT billing_cycle_org_id_key UNIQUE (org_id, id)
);
COMMENT ON TABLE elecbill.billing_cycle IS 'when a group of accounts is billed; org_create() makes MONTH';
COMMENT ON COLUMN elecbill.billing_cycle.id IS 'internal key';
COMMENT ON COLUMN elecbill.billing_cycle.org_id IS 'owner';
COMMENT ON COLUMN elecbill.billing_cycle.code IS 'the key people use, one per org';
COMMENT ON COLUMN elecbill.billing_cycle.months IS 'length of a period: 1, 2, 3, 4, 6 or 12 months, counted from January';
COMMENT ON COLUMN elecbill.billing_cycle.anchor_day IS 'day of the month on which a period begins, 1 to 28';
COMMENT ON COLUMN elecbill.billing_cycle.due_days IS 'days from issue to due date';

CREATE FUNCTION elecbill._both_ends(p_days daterange) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN coalesce(isfinite(lower(p_days)) AND isfinite(upper(p_days)), false);
COMMENT ON FUNCTION elecbill._both_ends(daterange) IS 'whether a range of days has a first and a last day';

CREATE FUNCTION elecbill.billing_period(org text, cycle text, day date) RETURNS daterange
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	c			elecbill.billing_cycle;
	month_start	date;
	start		date;
BEGIN
	SELECT y.* INTO c FROM elecbill.billing_cycle y
	WHERE y.org_id = elecbill._org_get(org) AND y.code = billing_period.cycle;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'org % has no billing cycle %', quote_literal(org), quote_nullable(cycle)
			USING ERRCODE = 'UB404';
	END IF;
	IF day IS NULL OR NOT isfinite(day) THEN
		RAISE EXCEPTION 'day must be a date' USING ERRCODE = 'UB400';
	END IF;
	month_start := date_trunc('month', (day - (c.anchor_day - 1))::timestamp)::date;
	start := (month_start - make_interval(months => (extract(month FROM month_start)::integer - 1) % c.months))::date
			 + (c.anchor_day - 1);
	RETURN daterange(start, (start + make_interval(months => c.months))::date);
END $$;
COMMENT ON FUNCTION elecbill.billing_period(text, text, date) IS 'the period of a billing cycle that holds a local date, as local days [from, to). UB404 unknown org or cycle';

CREATE TABLE elecbill.customer_account (
	id			bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT customer_account_pkey PRIMARY KEY,
	org_id		integer NOT NULL CONSTRAINT customer_account_org_fkey REFERENCES elecbill.org,
	account_no	text NOT NULL CONSTRAINT customer_account_account_no_check CHECK (account_no ~ '^\S{1,64}$'),
	customer_id	bigint NOT NULL,
	billing_cycle_id bigint NOT NULL,
	mode		text NOT NULL DEFAULT 'postpaid' CONSTRAINT customer_account_mode_check CHECK (mode IN ('postpaid', 'prepaid')),
	CONSTRAINT customer_account_org_account_no_key UNIQUE (org_id, account_no),
	CONSTRAINT customer_account_org_id_key UNIQUE (org_id, id),
	CONSTRAINT customer_account_customer_fkey FOREIGN KEY (org_id, customer_id)
		REFERENCES elecbill.customer (org_id, id),
	CONSTRAINT customer_account_billing_cycle_fkey FOREIGN KEY (org_id, billing_cycle_id)
		REFERENCES elecbill.billing_cycle (org_id, id)
);
CREATE INDEX customer_account_customer_idx ON elecbill.customer_account (customer_id);
CREATE INDEX customer_account_billing_cycle_idx ON elecbill.customer_account (billing_cycle_id);
COMMENT ON TABLE elecbill.customer_account IS 'what gets one bill per period; its usage points are named by customer_agreement';
COMMENT ON COLUMN elecbill.customer_account.id IS 'internal key';
COMMENT ON COLUMN elecbill.customer_account.org_id IS 'owner';
COMMENT ON COLUMN elecbill.customer_account.account_no IS 'account number, one per org';
COMMENT ON COLUMN elecbill.customer_account.customer_id IS 'who pays';
COMMENT ON COLUMN elecbill.customer_account.billing_cycle_id IS 'when it is billed';
COMMENT ON COLUMN elecbill.customer_account.mode IS 'postpaid, or prepaid: charged each day against its advance credit (prepay_run)';
COMMENT ON INDEX elecbill.customer_account_customer_idx IS 'accounts of a customer';
COMMENT ON INDEX elecbill.customer_account_billing_cycle_idx IS 'accounts of a billing cycle';
