-- 40_opening.sql: what an org took over from the system it had before
-- import_opening() (84_opening.sql) writes it; the table stands here because tiers, ratchets and checks
-- read it: kWh of the tier year and peaks of earlier months count as if this system had billed them.

CREATE TABLE elecbill.opening_item (
	id			bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT opening_item_pkey PRIMARY KEY,
	org_id		integer NOT NULL,
	job_id		bigint NOT NULL CONSTRAINT opening_item_job_fkey REFERENCES elecbill.import_job,
	line		integer NOT NULL CONSTRAINT opening_item_line_check CHECK (line > 0),
	kind		text NOT NULL CONSTRAINT opening_item_kind_check
				CHECK (kind IN ('bill', 'advance', 'deposit', 'energy', 'demand')),
	account_id	bigint NOT NULL,
	amount		numeric(14,2) CONSTRAINT opening_item_amount_check CHECK (amount > 0),
	number		text CONSTRAINT opening_item_number_check CHECK (number <> ''),
	bill_id		bigint CONSTRAINT opening_item_bill_key UNIQUE,
	tariff_plan_id bigint,
	usage_point_id bigint,
	until		date CONSTRAINT opening_item_until_check CHECK (isfinite(until)),
	scope		text CONSTRAINT opening_item_scope_check CHECK (scope IN ('month', 'quarter', 'year')),
	scope_start	date,
	kwh			numeric(18,6) CONSTRAINT opening_item_kwh_check CHECK (kwh >= 0),
	demand		text,
	month		date CONSTRAINT opening_item_month_check CHECK (extract(day FROM month) = 1),
	kw			numeric(18,6) CONSTRAINT opening_item_kw_check CHECK (kw >= 0),
	created_by	text NOT NULL DEFAULT elecbill.current_login(),
	created_at	timestamptz NOT NULL DEFAULT elecbill.now(),
	CONSTRAINT opening_item_account_fkey FOREIGN KEY (org_id, account_id)
		REFERENCES elecbill.customer_account (org_id, id),
	CONSTRAINT opening_item_bill_fkey FOREIGN KEY (org_id, bill_id) REFERENCES elecbill.bill (org_id, id),
	CONSTRAINT opening_item_tariff_plan_fkey FOREIGN KEY (org_id, tariff_plan_id)
		REFERENCES elecbill.tariff_plan (org_id, id),
	CONSTRAINT opening_item_usage_point_fkey FOREIGN KEY (org_id, usage_point_id)
		REFERENCES elecbill.usage_point (org_id, id),
	CONSTRAINT opening_item_money_check CHECK ((amount IS NOT NULL) = (kind IN ('bill', 'advance', 'deposit'))),
	CONSTRAINT opening_item_bill_check CHECK (num_nulls(bill_id, number) = CASE kind WHEN 'bill' THEN 0 ELSE 2 END),
	CONSTRAINT opening_item_plan_check CHECK (
		num_nulls(tariff_plan_id, until) = CASE WHEN kind IN ('energy', 'demand') THEN 0 ELSE 2 END),
	CONSTRAINT opening_item_energy_check CHECK (
		num_nulls(scope, scope_start, kwh) = CASE kind WHEN 'energy' THEN 0 ELSE 3 END AND scope_start < until IS NOT FALSE),
	CONSTRAINT opening_item_demand_check CHECK (
		num_nulls(usage_point_id, demand, month, kw) = CASE kind WHEN 'demand' THEN 0 ELSE 4 END AND month < until IS NOT FALSE)
);
CREATE UNIQUE INDEX opening_item_money_key ON elecbill.opening_item (account_id, kind)
	WHERE kind IN ('advance', 'deposit');
CREATE UNIQUE INDEX opening_item_energy_key ON elecbill.opening_item (account_id, tariff_plan_id, scope, scope_start)
	WHERE kind = 'energy';
CREATE UNIQUE INDEX opening_item_demand_key ON elecbill.opening_item (account_id, usage_point_id, tariff_plan_id, demand, month)
	WHERE kind = 'demand';
CREATE INDEX opening_item_account_idx ON elecbill.opening_item (account_id);
CREATE INDEX opening_item_job_idx ON elecbill.opening_item (job_id);
CREATE INDEX opening_item_tariff_plan_idx ON elecbill.opening_item (tariff_plan_id) WHERE tariff_plan_id IS NOT NULL;
CREATE INDEX opening_item_usage_point_idx ON elecbill.opening_item (usage_point_id) WHERE usage_point_id IS NOT NULL;
COMMENT ON TABLE elecbill.opening_item IS 'what was taken over from the system before: unpaid bills, advance credit, deposits, kWh of the tier scope, peaks of earlier months. Never changed';
COMMENT ON COLUMN elecbill.opening_item.id IS 'internal key';
COMMENT ON COLUMN elecbill.opening_item.org_id IS 'owner';
COMMENT ON COLUMN elecbill.opening_item.job_id IS 'the file it stood in';
COMMENT ON COLUMN elecbill.opening_item.line IS 'its line there';
COMMENT ON COLUMN elecbill.opening_item.kind IS 'bill: not paid yet; advance: paid ahead; deposit: held as a security; energy: kWh of a tier scope; demand: the peak of a month';
COMMENT ON COLUMN elecbill.opening_item.account_id IS 'whose';
COMMENT ON COLUMN elecbill.opening_item.amount IS 'of bill, advance and deposit, in the currency of the org';
COMMENT ON COLUMN elecbill.opening_item.number IS 'of bill: its number in the system before, or the due date YYYY-MM-DD where the file has none';
COMMENT ON COLUMN elecbill.opening_item.bill_id IS 'of bill: the bill of kind opening that was made of it';
COMMENT ON COLUMN elecbill.opening_item.tariff_plan_id IS 'of energy and demand: the plan whose tiers, or ratchet, count it';
COMMENT ON COLUMN elecbill.opening_item.usage_point_id IS 'of demand: where it was measured';
COMMENT ON COLUMN elecbill.opening_item.until IS 'of energy and demand: first local day that this system bills under the plan; the days before it are taken for billed';
COMMENT ON COLUMN elecbill.opening_item.scope IS 'of energy: month, quarter or year, as the tiers of the tariff count';
COMMENT ON COLUMN elecbill.opening_item.scope_start IS 'of energy: first local day of that month, quarter or year';
COMMENT ON COLUMN elecbill.opening_item.kwh IS 'of energy: kWh from scope_start to until; the base of usage_counter';
COMMENT ON COLUMN elecbill.opening_item.demand IS 'of demand: name of the demand in the tariff';
COMMENT ON COLUMN elecbill.opening_item.month IS 'of demand: first day of the month, as bills are named after the month of their last day';
COMMENT ON COLUMN elecbill.opening_item.kw IS 'of demand: the highest kW of the month';
COMMENT ON COLUMN elecbill.opening_item.created_by IS 'login of who imported it';
COMMENT ON COLUMN elecbill.opening_item.created_at IS 'when';
COMMENT ON INDEX elecbill.opening_item_money_key IS 'advance credit and deposit are taken over once';
COMMENT ON INDEX elecbill.opening_item_energy_key IS 'kWh of a tier scope are taken over once';
COMMENT ON INDEX elecbill.opening_item_demand_key IS 'the peak of a month is taken over once';
COMMENT ON INDEX elecbill.opening_item_account_idx IS 'what was taken over for an account';
COMMENT ON INDEX elecbill.opening_item_job_idx IS 'what a file brought';
COMMENT ON INDEX elecbill.opening_item_tariff_plan_idx IS 'what counts under a plan';
COMMENT ON INDEX elecbill.opening_item_usage_point_idx IS 'peaks of a point';
CREATE TRIGGER opening_item_keep BEFORE UPDATE OR DELETE ON elecbill.opening_item
	FOR EACH ROW EXECUTE FUNCTION elecbill._append_only();
COMMENT ON TRIGGER opening_item_keep ON elecbill.opening_item IS 'no UPDATE, no DELETE';
CREATE TRIGGER opening_item_keep_all BEFORE TRUNCATE ON elecbill.opening_item
	FOR EACH STATEMENT EXECUTE FUNCTION elecbill._append_only();
COMMENT ON TRIGGER opening_item_keep_all ON elecbill.opening_item IS 'no TRUNCATE';

CREATE FUNCTION elecbill._opening_kwh(p_account bigint, p_plan bigint, p_scope text, p_scope_start date, p_day date)
RETURNS numeric
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	base record;
BEGIN
	SELECT i.kwh, i.until INTO base FROM elecbill.opening_item i
	WHERE i.account_id = p_account AND i.kind = 'energy' AND i.tariff_plan_id = p_plan AND i.scope = p_scope
		AND i.scope_start = p_scope_start;
	IF base.until > p_day THEN
		RAISE EXCEPTION USING
			ERRCODE = 'UB409',
			CONSTRAINT = 'taken_over',
			MESSAGE = 'the energy of these days was taken over from the system before',
			DETAIL = format('%s kWh from %s to before %s count as billed; the bill begins on %s.', base.kwh,
				to_char(p_scope_start, 'YYYY-MM-DD'), to_char(base.until, 'YYYY-MM-DD'), to_char(p_day, 'YYYY-MM-DD')),
			HINT = 'Bill from that day on.';
	END IF;
	RETURN coalesce(base.kwh, 0);
END $$;
COMMENT ON FUNCTION elecbill._opening_kwh(bigint, bigint, text, date, date) IS
'kWh of a tier scope that an account brought along under a plan; 0: none. UB409 when they reach beyond a day on which a bill begins';

CREATE FUNCTION elecbill._opening_days(p_account bigint, p_plan bigint) RETURNS datemultirange
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN (SELECT coalesce(range_agg(daterange(NULL, i.until)), '{}') FROM elecbill.opening_item i
		WHERE i.account_id = p_account AND i.tariff_plan_id = p_plan);
END $$;
COMMENT ON FUNCTION elecbill._opening_days(bigint, bigint) IS
'local days of an account under a plan that the system before has billed: those before what was taken over begins to count';
