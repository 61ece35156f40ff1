-- 86_allocation.sql: which meter stands behind which, and who shares what no meter of theirs measures
-- A parent meter stands before others. What common meters measure (lifts, stairs), what is lost between
-- parent and children, or, in a pool, the whole bill of the grid, is shared by rules over the points
-- behind the parent. A rule is money, so another person approves it.
-- Locks: org (tree and rules of one org wait for each other), then the rule.

CREATE TABLE elecbill.usage_point_tree (
	id			bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT usage_point_tree_pkey PRIMARY KEY,
	org_id		integer NOT NULL,
	parent_id	bigint NOT NULL,
	child_id	bigint NOT NULL,
	valid		daterange NOT NULL CONSTRAINT usage_point_tree_valid_check CHECK (
					NOT isempty(valid) AND lower(valid) > '-infinity'
					AND (upper_inf(valid) OR upper(valid) < 'infinity')),
	CONSTRAINT usage_point_tree_self_check CHECK (parent_id <> child_id),
	CONSTRAINT usage_point_tree_parent_fkey FOREIGN KEY (org_id, parent_id)
		REFERENCES elecbill.usage_point (org_id, id),
	CONSTRAINT usage_point_tree_child_fkey FOREIGN KEY (org_id, child_id)
		REFERENCES elecbill.usage_point (org_id, id),
	CONSTRAINT usage_point_tree_one_parent EXCLUDE USING gist (
		int8range(child_id, child_id, '[]') WITH &&, valid WITH &&)
);
CREATE INDEX usage_point_tree_parent_idx ON elecbill.usage_point_tree (parent_id);
CREATE INDEX usage_point_tree_child_idx ON elecbill.usage_point_tree (child_id);
COMMENT ON TABLE elecbill.usage_point_tree IS 'which usage points lie behind which parent meter: what the parent measures and its children do not is lost';
COMMENT ON COLUMN elecbill.usage_point_tree.id IS 'internal key';
COMMENT ON COLUMN elecbill.usage_point_tree.org_id IS 'owner';
COMMENT ON COLUMN elecbill.usage_point_tree.parent_id IS 'the point whose meter stands before';
COMMENT ON COLUMN elecbill.usage_point_tree.child_id IS 'a point directly behind it; one parent at a time';
COMMENT ON COLUMN elecbill.usage_point_tree.valid IS 'local days [from, to); changes only by its end';
COMMENT ON INDEX elecbill.usage_point_tree_parent_idx IS 'children of a point';
COMMENT ON INDEX elecbill.usage_point_tree_child_idx IS 'parents of a point';
CREATE TRIGGER usage_point_tree_close_only BEFORE UPDATE ON elecbill.usage_point_tree
	FOR EACH ROW EXECUTE FUNCTION elecbill._valid_close_only();
COMMENT ON TRIGGER usage_point_tree_close_only ON elecbill.usage_point_tree IS 'history stays';

CREATE FUNCTION elecbill._usage_point_tree_check() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	-- UNION drops what was seen, so the walk ends even where a cycle already exists
	IF EXISTS (
		WITH RECURSIVE up(id, valid) AS (
			SELECT NEW.parent_id, NEW.valid
			UNION
			SELECT t.parent_id, t.valid * up.valid
			FROM up JOIN elecbill.usage_point_tree t ON t.child_id = up.id AND t.valid && up.valid)
		SELECT FROM up WHERE up.id = NEW.child_id)
	THEN
		RAISE EXCEPTION USING
			ERRCODE = 'UB409',
			MESSAGE = format('usage point %s would lie behind itself',
				(SELECT quote_literal(u.code) FROM elecbill.usage_point u WHERE u.id = NEW.child_id));
	END IF;
	RETURN NEW;
END $$;
COMMENT ON FUNCTION elecbill._usage_point_tree_check() IS 'trigger of usage_point_tree: points form a tree on each day (UB409)';
CREATE TRIGGER usage_point_tree_check BEFORE INSERT ON elecbill.usage_point_tree
	FOR EACH ROW EXECUTE FUNCTION elecbill._usage_point_tree_check();
COMMENT ON TRIGGER usage_point_tree_check ON elecbill.usage_point_tree IS 'no cycle';

CREATE FUNCTION elecbill._points_behind(p_parent bigint, p_days daterange) RETURNS SETOF bigint
LANGUAGE sql STABLE
BEGIN ATOMIC
	WITH RECURSIVE down(id, days) AS (
		SELECT t.child_id, t.valid * p_days FROM elecbill.usage_point_tree t
		WHERE t.parent_id = p_parent AND t.valid && p_days
		UNION
		SELECT t.child_id, t.valid * d.days FROM down d
		JOIN elecbill.usage_point_tree t ON t.parent_id = d.id AND t.valid && d.days)
	SELECT DISTINCT d.id FROM down d;
END;
COMMENT ON FUNCTION elecbill._points_behind(bigint, daterange) IS 'all usage points behind a parent meter on some of the days, however deep';

CREATE TABLE elecbill.allocation_rule (
	id			bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT allocation_rule_pkey PRIMARY KEY,
	org_id		integer NOT NULL,
	code		text NOT NULL CONSTRAINT allocation_rule_code_check CHECK (code ~ '^\S{1,64}$'),
	name		text NOT NULL CONSTRAINT allocation_rule_name_check CHECK (name ~ '\S'),
	parent_id	bigint NOT NULL,
	cycle_id	bigint NOT NULL,
	share		text NOT NULL CONSTRAINT allocation_rule_share_check CHECK (share IN ('common', 'loss', 'supply')),
	source_id	bigint,
	model		text NOT NULL CONSTRAINT allocation_rule_model_check CHECK (model IN ('state_price', 'pool')),
	method		text NOT NULL CONSTRAINT allocation_rule_method_check
				CHECK (method IN ('kwh', 'household', 'area', 'fixed_ratio', 'fixed_quantity')),
	weights		jsonb NOT NULL CONSTRAINT allocation_rule_weights_check CHECK (jsonb_typeof(weights) = 'object'),
	price		numeric(18,9) CONSTRAINT allocation_rule_price_check CHECK (price >= 0),
	series_id	bigint,
	valid		daterange NOT NULL CONSTRAINT allocation_rule_valid_check CHECK (
					NOT isempty(valid) AND lower(valid) > '-infinity'
					AND (upper_inf(valid) OR upper(valid) < 'infinity')),
	state		text NOT NULL DEFAULT 'requested' CONSTRAINT allocation_rule_state_check
				CHECK (state IN ('requested', 'approved', 'rejected')),
	created_by	text NOT NULL DEFAULT elecbill.current_login(),
	created_at	timestamptz NOT NULL DEFAULT elecbill.now(),
	decided_by	text,
	decided_at	timestamptz,
	CONSTRAINT allocation_rule_org_id_key UNIQUE (org_id, id),
	CONSTRAINT allocation_rule_parent_fkey FOREIGN KEY (org_id, parent_id) REFERENCES elecbill.usage_point (org_id, id),
	CONSTRAINT allocation_rule_source_fkey FOREIGN KEY (org_id, source_id) REFERENCES elecbill.usage_point (org_id, id),
	CONSTRAINT allocation_rule_cycle_fkey FOREIGN KEY (org_id, cycle_id) REFERENCES elecbill.billing_cycle (org_id, id),
	CONSTRAINT allocation_rule_series_fkey FOREIGN KEY (org_id, series_id) REFERENCES elecbill.price_series (org_id, id),
	CONSTRAINT allocation_rule_source_check CHECK ((share = 'common') = (source_id IS NOT NULL)),
	CONSTRAINT allocation_rule_pool_check CHECK ((model = 'pool') = (share = 'supply') AND (model <> 'pool' OR method = 'kwh')),
	CONSTRAINT allocation_rule_priced_check CHECK (num_nonnulls(price, series_id) = CASE model WHEN 'pool' THEN 0 ELSE 1 END),
	CONSTRAINT allocation_rule_second_check CHECK (state <> 'approved' OR decided_by <> created_by),
	CONSTRAINT allocation_rule_decided_check CHECK ((state = 'requested') = (decided_by IS NULL)
		AND (decided_by IS NULL) = (decided_at IS NULL)),
	-- the hash stands in for org and code: core GiST has ranges but no text
	CONSTRAINT allocation_rule_overlap EXCLUDE USING gist (
		int8range(org_id, org_id, '[]') WITH &&,
		int8range(hashtextextended(code, 0) / 2, hashtextextended(code, 0) / 2, '[]') WITH &&,
		valid WITH &&) WHERE (state = 'approved')
);
CREATE UNIQUE INDEX allocation_rule_requested_key ON elecbill.allocation_rule (org_id, code) WHERE state = 'requested';
CREATE INDEX allocation_rule_cycle_idx ON elecbill.allocation_rule (cycle_id) WHERE state = 'approved';
CREATE INDEX allocation_rule_parent_idx ON elecbill.allocation_rule (parent_id);
COMMENT ON TABLE elecbill.allocation_rule IS 'what is shared over the usage points behind a parent meter, and how. Amounts and prices of a rule are tax included: a share has no tax line, and bill.tax_amount leaves shares out';
COMMENT ON COLUMN elecbill.allocation_rule.id IS 'internal key';
COMMENT ON COLUMN elecbill.allocation_rule.org_id IS 'owner';
COMMENT ON COLUMN elecbill.allocation_rule.code IS 'the key people use; of the rules of a code one counts at a time';
COMMENT ON COLUMN elecbill.allocation_rule.name IS 'name of the line on the bill';
COMMENT ON COLUMN elecbill.allocation_rule.parent_id IS 'the parent meter; its children share';
COMMENT ON COLUMN elecbill.allocation_rule.cycle_id IS 'the runs of this cycle work it out, over their period';
COMMENT ON COLUMN elecbill.allocation_rule.share IS
'common: the energy of a common meter; loss: what the parent measures and its children do not; supply: the bill of the grid for the parent';
COMMENT ON COLUMN elecbill.allocation_rule.source_id IS 'the common meter; NULL for loss and supply';
COMMENT ON COLUMN elecbill.allocation_rule.model IS
'state_price (model a): tenants pay their energy by the state price, common energy and loss through the property fee at a price of its own; pool (model b): all points share the bill of the grid by their kWh, what the estate uses itself is not shifted to the tenants';
COMMENT ON COLUMN elecbill.allocation_rule.method IS
'kwh: by the energy of each point; household: alike, or by the number of homes in weights; area: by the square metres in weights; fixed_ratio: by weights; fixed_quantity: the kWh in weights for each, the rest stays with the estate';
COMMENT ON COLUMN elecbill.allocation_rule.weights IS
'{code of the usage point: weight, "*": weight of all others}, 0 or more: homes, m2, ratio, or kWh per period';
COMMENT ON COLUMN elecbill.allocation_rule.price IS 'currency per kWh, tax included; NULL: by series, or a pool';
COMMENT ON COLUMN elecbill.allocation_rule.series_id IS 'price series: the price of the last day of the period';
COMMENT ON COLUMN elecbill.allocation_rule.valid IS 'local days [from, to) it counts on; of an approved rule only the end changes';
COMMENT ON COLUMN elecbill.allocation_rule.state IS 'requested, approved (it counts) or rejected';
COMMENT ON COLUMN elecbill.allocation_rule.created_by IS 'login of who wrote it';
COMMENT ON COLUMN elecbill.allocation_rule.created_at IS 'when';
COMMENT ON COLUMN elecbill.allocation_rule.decided_by IS 'login of who approved it, who is another person, or rejected it';
COMMENT ON COLUMN elecbill.allocation_rule.decided_at IS 'when';
COMMENT ON INDEX elecbill.allocation_rule_requested_key IS 'one request at a time per code';
COMMENT ON INDEX elecbill.allocation_rule_cycle_idx IS 'rules of a cycle';
COMMENT ON INDEX elecbill.allocation_rule_parent_idx IS 'rules of a parent meter';
CREATE TRIGGER allocation_rule_frozen
	BEFORE UPDATE OF id, org_id, code, name, parent_id, cycle_id, share, source_id, model, method, weights, price, series_id,
		created_by, created_at ON elecbill.allocation_rule
	FOR EACH ROW EXECUTE FUNCTION elecbill._append_only();
COMMENT ON TRIGGER allocation_rule_frozen ON elecbill.allocation_rule IS 'what was asked for does not change';
CREATE TRIGGER allocation_rule_keep BEFORE DELETE ON elecbill.allocation_rule
	FOR EACH ROW EXECUTE FUNCTION elecbill._append_only();
COMMENT ON TRIGGER allocation_rule_keep ON elecbill.allocation_rule IS 'no DELETE';
CREATE TRIGGER allocation_rule_keep_all BEFORE TRUNCATE ON elecbill.allocation_rule
	FOR EACH STATEMENT EXECUTE FUNCTION elecbill._append_only();
COMMENT ON TRIGGER allocation_rule_keep_all ON elecbill.allocation_rule IS 'no TRUNCATE';

CREATE TABLE elecbill.allocation (
	id			bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT allocation_pkey PRIMARY KEY,
	org_id		integer NOT NULL,
	rule_id		bigint NOT NULL,
	run_id		bigint NOT NULL,
	during		daterange NOT NULL CONSTRAINT allocation_during_check
				CHECK (NOT isempty(during) AND NOT lower_inf(during) AND NOT upper_inf(during)),
	state		text NOT NULL CONSTRAINT allocation_state_check CHECK (state IN ('done', 'failed', 'replaced')),
	parent_wh	bigint,
	children_wh	bigint,
	energy_wh	bigint,
	price		numeric(18,9),
	amount		numeric(14,2),
	supply_bill_id bigint,
	estimated	boolean,
	fault		text,
	created_at	timestamptz NOT NULL DEFAULT elecbill.now(),
	CONSTRAINT allocation_org_id_key UNIQUE (org_id, id),
	CONSTRAINT allocation_rule_fkey FOREIGN KEY (org_id, rule_id) REFERENCES elecbill.allocation_rule (org_id, id),
	CONSTRAINT allocation_run_fkey FOREIGN KEY (org_id, run_id) REFERENCES elecbill.bill_run (org_id, id),
	CONSTRAINT allocation_fault_check CHECK (state = 'replaced' OR (state = 'failed') = (fault IS NOT NULL)),
	CONSTRAINT allocation_done_check CHECK (state <> 'done' OR num_nulls(energy_wh, price, amount, estimated) = 0),
	CONSTRAINT allocation_once EXCLUDE USING gist (
		int8range(rule_id, rule_id, '[]') WITH &&, during WITH &&) WHERE (state = 'done')
);
CREATE INDEX allocation_run_idx ON elecbill.allocation (run_id);
COMMENT ON TABLE elecbill.allocation IS 'what a rule shared in a period, worked out once by a bill run; allocation_result has the shares';
COMMENT ON COLUMN elecbill.allocation.id IS 'internal key';
COMMENT ON COLUMN elecbill.allocation.org_id IS 'owner';
COMMENT ON COLUMN elecbill.allocation.rule_id IS 'the rule';
COMMENT ON COLUMN elecbill.allocation.run_id IS 'the run that worked it out';
COMMENT ON COLUMN elecbill.allocation.during IS 'local days [from, to): the period of the run on which the rule counts';
COMMENT ON COLUMN elecbill.allocation.state IS
'done; failed: its accounts wait in bill_exception; replaced: worked out anew, before anybody was billed by it';
COMMENT ON COLUMN elecbill.allocation.parent_wh IS 'what the parent measured, Wh; NULL: not asked';
COMMENT ON COLUMN elecbill.allocation.children_wh IS 'what its children measured, Wh; NULL: not asked';
COMMENT ON COLUMN elecbill.allocation.energy_wh IS 'what is shared, Wh; a loss may be below 0';
COMMENT ON COLUMN elecbill.allocation.price IS 'currency per kWh; of a pool the average';
COMMENT ON COLUMN elecbill.allocation.amount IS 'what it costs, in the currency of the org: the sum of the shares';
COMMENT ON COLUMN elecbill.allocation.supply_bill_id IS 'the bill of the grid that a pool shares; NULL else';
COMMENT ON COLUMN elecbill.allocation.estimated IS 'a meter was not read within 15 minutes of an end of the period, its register was interpolated';
COMMENT ON COLUMN elecbill.allocation.fault IS 'why it failed';
COMMENT ON COLUMN elecbill.allocation.created_at IS 'when';
COMMENT ON INDEX elecbill.allocation_run_idx IS 'allocations of a run';
CREATE TRIGGER allocation_frozen
	BEFORE UPDATE OF id, org_id, rule_id, run_id, during, parent_wh, children_wh, energy_wh, price, amount, supply_bill_id,
		estimated, fault, created_at ON elecbill.allocation
	FOR EACH ROW EXECUTE FUNCTION elecbill._append_only();
COMMENT ON TRIGGER allocation_frozen ON elecbill.allocation IS 'only its state moves';
CREATE TRIGGER allocation_keep BEFORE DELETE ON elecbill.allocation
	FOR EACH ROW EXECUTE FUNCTION elecbill._append_only();
COMMENT ON TRIGGER allocation_keep ON elecbill.allocation IS 'no DELETE';
CREATE TRIGGER allocation_keep_all BEFORE TRUNCATE ON elecbill.allocation
	FOR EACH STATEMENT EXECUTE FUNCTION elecbill._append_only();
COMMENT ON TRIGGER allocation_keep_all ON elecbill.allocation IS 'no TRUNCATE';

CREATE TABLE elecbill.allocation_result (
	allocation_id bigint NOT NULL,
	n			integer NOT NULL,
	org_id		integer NOT NULL,
	usage_point_id bigint,
	account_id	bigint,
	weight		numeric NOT NULL CONSTRAINT allocation_result_weight_check CHECK (weight >= 0),
	energy_wh	bigint NOT NULL,
	amount		numeric(14,2) NOT NULL,
	bill_id		bigint,
	line_n		integer,
	CONSTRAINT allocation_result_pkey PRIMARY KEY (allocation_id, n),
	CONSTRAINT allocation_result_point_key UNIQUE NULLS NOT DISTINCT (allocation_id, usage_point_id),
	CONSTRAINT allocation_result_allocation_fkey FOREIGN KEY (org_id, allocation_id) REFERENCES elecbill.allocation (org_id, id),
	CONSTRAINT allocation_result_point_fkey FOREIGN KEY (org_id, usage_point_id) REFERENCES elecbill.usage_point (org_id, id),
	CONSTRAINT allocation_result_account_fkey FOREIGN KEY (org_id, account_id) REFERENCES elecbill.customer_account (org_id, id),
	CONSTRAINT allocation_result_bill_fkey FOREIGN KEY (org_id, bill_id) REFERENCES elecbill.bill (org_id, id),
	CONSTRAINT allocation_result_billed_check CHECK ((bill_id IS NULL) = (line_n IS NULL) AND (bill_id IS NULL OR account_id IS NOT NULL)),
	CONSTRAINT allocation_result_payer_check CHECK (account_id IS NULL OR usage_point_id IS NOT NULL)
);
CREATE INDEX allocation_result_open_idx ON elecbill.allocation_result (account_id)
	WHERE bill_id IS NULL AND account_id IS NOT NULL AND amount <> 0;
CREATE INDEX allocation_result_bill_idx ON elecbill.allocation_result (bill_id) WHERE bill_id IS NOT NULL;
COMMENT ON TABLE elecbill.allocation_result IS 'the share of each usage point in what a rule shares; the shares add up to the whole, to the Wh and to the cent';
COMMENT ON COLUMN elecbill.allocation_result.allocation_id IS 'what was shared: rule, run and period';
COMMENT ON COLUMN elecbill.allocation_result.n IS 'number, in the order of the codes of the points; of equal remainders the first gets the cent';
COMMENT ON COLUMN elecbill.allocation_result.org_id IS 'owner';
COMMENT ON COLUMN elecbill.allocation_result.usage_point_id IS 'whose share; NULL: what stays with the estate';
COMMENT ON COLUMN elecbill.allocation_result.account_id IS 'who pays it: the payer of the point on the last day; NULL: nobody, the estate bears it';
COMMENT ON COLUMN elecbill.allocation_result.weight IS 'by what it was shared: Wh, homes, m2, ratio, or kWh';
COMMENT ON COLUMN elecbill.allocation_result.energy_wh IS 'share of the energy, Wh';
COMMENT ON COLUMN elecbill.allocation_result.amount IS 'share of the amount, tax included, in the currency of the org; bill.tax_amount leaves the tax in it out';
COMMENT ON COLUMN elecbill.allocation_result.bill_id IS 'the live bill that has it as a line; NULL: none yet, the next bill of the account takes it';
COMMENT ON COLUMN elecbill.allocation_result.line_n IS 'the line of that bill';
COMMENT ON INDEX elecbill.allocation_result_open_idx IS 'shares that wait for a bill';
COMMENT ON INDEX elecbill.allocation_result_bill_idx IS 'shares of a bill';
CREATE TRIGGER allocation_result_frozen
	BEFORE UPDATE OF allocation_id, n, org_id, usage_point_id, account_id, weight, energy_wh, amount ON elecbill.allocation_result
	FOR EACH ROW EXECUTE FUNCTION elecbill._append_only();
COMMENT ON TRIGGER allocation_result_frozen ON elecbill.allocation_result IS 'a share stays as it was worked out';
CREATE TRIGGER allocation_result_keep BEFORE DELETE ON elecbill.allocation_result
	FOR EACH ROW EXECUTE FUNCTION elecbill._append_only();
COMMENT ON TRIGGER allocation_result_keep ON elecbill.allocation_result IS 'no DELETE';
CREATE TRIGGER allocation_result_keep_all BEFORE TRUNCATE ON elecbill.allocation_result
	FOR EACH STATEMENT EXECUTE FUNCTION elecbill._append_only();
COMMENT ON TRIGGER allocation_result_keep_all ON elecbill.allocation_result IS 'no TRUNCATE';
