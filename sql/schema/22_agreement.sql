-- 22_agreement.sql: who pays for a usage point, by which tariff, from which day to which day

CREATE TABLE elecbill.customer_agreement (
	id			bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT customer_agreement_pkey PRIMARY KEY,
	org_id		integer NOT NULL,
	account_id	bigint NOT NULL,
	usage_point_id bigint NOT NULL,
	tariff_plan_id bigint NOT NULL,
	valid		daterange NOT NULL CONSTRAINT customer_agreement_valid_check CHECK (
					NOT isempty(valid) AND lower(valid) > '-infinity'
					AND (upper_inf(valid) OR upper(valid) < 'infinity')),
	CONSTRAINT customer_agreement_org_id_key UNIQUE (org_id, id),
	CONSTRAINT customer_agreement_account_fkey FOREIGN KEY (org_id, account_id)
		REFERENCES elecbill.customer_account (org_id, id),
	CONSTRAINT customer_agreement_usage_point_fkey FOREIGN KEY (org_id, usage_point_id)
		REFERENCES elecbill.usage_point (org_id, id),
	CONSTRAINT customer_agreement_tariff_plan_fkey FOREIGN KEY (org_id, tariff_plan_id)
		REFERENCES elecbill.tariff_plan (org_id, id),
	CONSTRAINT customer_agreement_one_payer EXCLUDE USING gist (
		int8range(usage_point_id, usage_point_id, '[]') WITH &&, valid WITH &&)
);
CREATE INDEX customer_agreement_account_idx ON elecbill.customer_agreement (account_id);
CREATE INDEX customer_agreement_usage_point_idx ON elecbill.customer_agreement (usage_point_id);
CREATE INDEX customer_agreement_tariff_plan_idx ON elecbill.customer_agreement (tariff_plan_id);
COMMENT ON TABLE elecbill.customer_agreement IS 'an account pays for a usage point by a tariff';
COMMENT ON COLUMN elecbill.customer_agreement.id IS 'internal key';
COMMENT ON COLUMN elecbill.customer_agreement.org_id IS 'owner';
COMMENT ON COLUMN elecbill.customer_agreement.account_id IS 'who pays';
COMMENT ON COLUMN elecbill.customer_agreement.usage_point_id IS 'for what; one payer at a time';
COMMENT ON COLUMN elecbill.customer_agreement.tariff_plan_id IS 'by which tariff';
COMMENT ON COLUMN elecbill.customer_agreement.valid IS 'local days of the org, [from, to): from the start of the first to the start of the last; changes only by its end';
COMMENT ON INDEX elecbill.customer_agreement_account_idx IS 'agreements of an account';
COMMENT ON INDEX elecbill.customer_agreement_usage_point_idx IS 'agreements of a point';
COMMENT ON INDEX elecbill.customer_agreement_tariff_plan_idx IS 'agreements on a tariff';
CREATE TRIGGER customer_agreement_close_only BEFORE UPDATE ON elecbill.customer_agreement
	FOR EACH ROW EXECUTE FUNCTION elecbill._valid_close_only();
COMMENT ON TRIGGER customer_agreement_close_only ON elecbill.customer_agreement IS 'history stays';

CREATE TABLE elecbill.agreement_attribute (
	id			bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT agreement_attribute_pkey PRIMARY KEY,
	org_id		integer NOT NULL,
	agreement_id bigint NOT NULL,
	name		text NOT NULL CONSTRAINT agreement_attribute_name_check CHECK (name ~ '^[a-z][a-z0-9_]{0,62}$'),
	value		jsonb NOT NULL CONSTRAINT agreement_attribute_value_check
				CHECK (jsonb_typeof(value) IN ('number', 'string', 'boolean')),
	valid		daterange NOT NULL CONSTRAINT agreement_attribute_valid_check CHECK (
					NOT isempty(valid) AND lower(valid) > '-infinity'
					AND (upper_inf(valid) OR upper(valid) < 'infinity')),
	CONSTRAINT agreement_attribute_household_size_check CHECK (
		name <> 'household_size' OR (jsonb_typeof(value) = 'number'
			AND value >= '1' AND value <= '100' AND value::numeric % 1 = 0)),
	CONSTRAINT agreement_attribute_agreement_fkey FOREIGN KEY (org_id, agreement_id)
		REFERENCES elecbill.customer_agreement (org_id, id),
	-- the hash stands in for the name: core GiST has ranges but no text
	CONSTRAINT agreement_attribute_overlap EXCLUDE USING gist (
		int8range(agreement_id, agreement_id, '[]') WITH &&,
		int8range(hashtextextended(name, 0) / 2, hashtextextended(name, 0) / 2, '[]') WITH &&,
		valid WITH &&)
);
CREATE INDEX agreement_attribute_agreement_idx ON elecbill.agreement_attribute (agreement_id);
COMMENT ON TABLE elecbill.agreement_attribute IS 'what a tariff may ask about an agreement, such as the size of the household';
COMMENT ON COLUMN elecbill.agreement_attribute.id IS 'internal key';
COMMENT ON COLUMN elecbill.agreement_attribute.org_id IS 'owner';
COMMENT ON COLUMN elecbill.agreement_attribute.agreement_id IS 'the agreement';
COMMENT ON COLUMN elecbill.agreement_attribute.name IS 'the name the tariff uses in attr: contract_kva, ...; household_size (whole number 1 to 100) stands there as persons';
COMMENT ON COLUMN elecbill.agreement_attribute.value IS 'number, string or boolean';
COMMENT ON COLUMN elecbill.agreement_attribute.valid IS 'local days [from, to); changes only by its end. A bill takes the value of its first day under the agreement';
COMMENT ON INDEX elecbill.agreement_attribute_agreement_idx IS 'attributes of an agreement';
CREATE TRIGGER agreement_attribute_close_only BEFORE UPDATE ON elecbill.agreement_attribute
	FOR EACH ROW EXECUTE FUNCTION elecbill._valid_close_only();
COMMENT ON TRIGGER agreement_attribute_close_only ON elecbill.agreement_attribute IS 'history stays';
