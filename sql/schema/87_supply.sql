-- 87_supply.sql: what the estate pays the grid, what it loses, what it collects
-- Locks: org (bills of the grid of one org wait for each other, and for changes of the tree). Whoever makes or
-- issues bills in a pool holds its parent by an advisory lock from _resale_lock() until COMMIT: behind
-- customer_account, before the ledger and the number counter.

CREATE TABLE elecbill.supply_bill (
	id			bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT supply_bill_pkey PRIMARY KEY,
	org_id		integer NOT NULL,
	parent_id	bigint NOT NULL,
	number		text NOT NULL CONSTRAINT supply_bill_number_check CHECK (number ~ '^\S{1,64}$'),
	days		daterange NOT NULL CONSTRAINT supply_bill_days_check
				CHECK (NOT isempty(days) AND NOT lower_inf(days) AND NOT upper_inf(days)),
	kwh			numeric(18,6) NOT NULL,
	amount		numeric(14,2) NOT NULL,
	live		boolean NOT NULL DEFAULT true,
	void_reason text,
	idem_key	text NOT NULL CONSTRAINT supply_bill_idem_key_check CHECK (idem_key ~ '^\S{1,128}$'),
	content_sha256 bytea NOT NULL CONSTRAINT supply_bill_content_check CHECK (length(content_sha256) = 32),
	created_by	text NOT NULL DEFAULT elecbill.current_login(),
	created_at	timestamptz NOT NULL DEFAULT elecbill.now(),
	CONSTRAINT supply_bill_org_id_key UNIQUE (org_id, id),
	CONSTRAINT supply_bill_idem_key UNIQUE (org_id, idem_key),
	CONSTRAINT supply_bill_parent_fkey FOREIGN KEY (org_id, parent_id) REFERENCES elecbill.usage_point (org_id, id),
	CONSTRAINT supply_bill_void_check CHECK (live = (void_reason IS NULL)),
	CONSTRAINT supply_bill_once EXCLUDE USING gist (
		int8range(parent_id, parent_id, '[]') WITH &&, days WITH &&) WHERE (live)
);
CREATE UNIQUE INDEX supply_bill_number_key ON elecbill.supply_bill (org_id, number) WHERE live;
CREATE INDEX supply_bill_parent_idx ON elecbill.supply_bill (parent_id, days);
COMMENT ON TABLE elecbill.supply_bill IS 'bills of the grid: what the estate pays for the energy behind a parent meter';
COMMENT ON COLUMN elecbill.supply_bill.id IS 'internal key';
COMMENT ON COLUMN elecbill.supply_bill.org_id IS 'owner';
COMMENT ON COLUMN elecbill.supply_bill.parent_id IS 'the point whose meter the grid reads';
COMMENT ON COLUMN elecbill.supply_bill.number IS 'number on the bill, one per org';
COMMENT ON COLUMN elecbill.supply_bill.days IS 'local days [from, to) it covers; no two bills of a parent share a day';
COMMENT ON COLUMN elecbill.supply_bill.kwh IS 'energy: the sum of its lines of kind energy';
COMMENT ON COLUMN elecbill.supply_bill.amount IS 'what is to be paid, tax included, in the currency of the org: the sum of its lines';
COMMENT ON COLUMN elecbill.supply_bill.live IS 'it counts; false: taken back by supply_bill_void()';
COMMENT ON COLUMN elecbill.supply_bill.void_reason IS 'why it was taken back';
COMMENT ON COLUMN elecbill.supply_bill.idem_key IS 'key of the caller: a call made twice enters it once';
COMMENT ON COLUMN elecbill.supply_bill.content_sha256 IS 'sha256 of what was entered';
COMMENT ON COLUMN elecbill.supply_bill.created_by IS 'login of who entered it';
COMMENT ON COLUMN elecbill.supply_bill.created_at IS 'when';
COMMENT ON INDEX elecbill.supply_bill_number_key IS 'a number once';
COMMENT ON INDEX elecbill.supply_bill_parent_idx IS 'bills for a parent meter';
CREATE TRIGGER supply_bill_frozen
	BEFORE UPDATE OF id, org_id, parent_id, number, days, kwh, amount, idem_key, content_sha256, created_by, created_at
	ON elecbill.supply_bill FOR EACH ROW EXECUTE FUNCTION elecbill._append_only();
COMMENT ON TRIGGER supply_bill_frozen ON elecbill.supply_bill IS 'what was entered does not change';
CREATE TRIGGER supply_bill_keep BEFORE DELETE ON elecbill.supply_bill
	FOR EACH ROW EXECUTE FUNCTION elecbill._append_only();
COMMENT ON TRIGGER supply_bill_keep ON elecbill.supply_bill IS 'no DELETE';
CREATE TRIGGER supply_bill_keep_all BEFORE TRUNCATE ON elecbill.supply_bill
	FOR EACH STATEMENT EXECUTE FUNCTION elecbill._append_only();
COMMENT ON TRIGGER supply_bill_keep_all ON elecbill.supply_bill IS 'no TRUNCATE';
ALTER TABLE elecbill.allocation ADD CONSTRAINT allocation_supply_bill_fkey
	FOREIGN KEY (org_id, supply_bill_id) REFERENCES elecbill.supply_bill (org_id, id);
CREATE INDEX allocation_supply_bill_idx ON elecbill.allocation (supply_bill_id) WHERE supply_bill_id IS NOT NULL;
COMMENT ON INDEX elecbill.allocation_supply_bill_idx IS 'pools that share a bill of the grid';

CREATE TABLE elecbill.supply_line (
	supply_bill_id bigint NOT NULL,
	n			integer NOT NULL CONSTRAINT supply_line_n_check CHECK (n > 0),
	org_id		integer NOT NULL,
	kind		text NOT NULL CONSTRAINT supply_line_kind_check
				CHECK (kind IN ('energy', 'demand', 'power_factor', 'fixed', 'surcharge', 'tax', 'other')),
	label		text,
	period		text,
	quantity	numeric(18,6),
	unit		text,
	price		numeric(18,9),
	amount		numeric(14,2) NOT NULL,
	CONSTRAINT supply_line_pkey PRIMARY KEY (supply_bill_id, n),
	CONSTRAINT supply_line_bill_fkey FOREIGN KEY (org_id, supply_bill_id) REFERENCES elecbill.supply_bill (org_id, id),
	CONSTRAINT supply_line_energy_check CHECK (kind <> 'energy' OR quantity IS NOT NULL)
);
COMMENT ON TABLE elecbill.supply_line IS 'lines of a bill of the grid, as printed on it';
COMMENT ON COLUMN elecbill.supply_line.supply_bill_id IS 'the bill';
COMMENT ON COLUMN elecbill.supply_line.n IS 'number, from 1';
COMMENT ON COLUMN elecbill.supply_line.org_id IS 'owner';
COMMENT ON COLUMN elecbill.supply_line.kind IS 'energy (kWh by period), demand (kW or kVA), power_factor (its charge or bonus; quantity: the power factor), fixed, surcharge, tax, other';
COMMENT ON COLUMN elecbill.supply_line.label IS 'name on the bill';
COMMENT ON COLUMN elecbill.supply_line.period IS 'time-of-use period; NULL: not split by period';
COMMENT ON COLUMN elecbill.supply_line.quantity IS 'how much, in unit; energy in kWh';
COMMENT ON COLUMN elecbill.supply_line.unit IS 'of the quantity: kwh, kw, kva, ...';
COMMENT ON COLUMN elecbill.supply_line.price IS 'currency per unit';
COMMENT ON COLUMN elecbill.supply_line.amount IS 'amount of the line, in the currency of the org';
CREATE TRIGGER supply_line_keep BEFORE UPDATE OR DELETE ON elecbill.supply_line
	FOR EACH ROW EXECUTE FUNCTION elecbill._append_only();
COMMENT ON TRIGGER supply_line_keep ON elecbill.supply_line IS 'no UPDATE, no DELETE';
CREATE TRIGGER supply_line_keep_all BEFORE TRUNCATE ON elecbill.supply_line
	FOR EACH STATEMENT EXECUTE FUNCTION elecbill._append_only();
COMMENT ON TRIGGER supply_line_keep_all ON elecbill.supply_line IS 'no TRUNCATE';

CREATE FUNCTION elecbill._supply_lines_check(p_amount numeric, p_lines jsonb) RETURNS void
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	total numeric := 0;
	one record;
BEGIN
	IF jsonb_typeof(p_lines) IS DISTINCT FROM 'array' OR jsonb_array_length(p_lines) = 0
		OR EXISTS (SELECT FROM jsonb_array_elements(p_lines) AS l(line) WHERE jsonb_typeof(l.line) <> 'object'
			OR EXISTS (SELECT FROM jsonb_each(CASE jsonb_typeof(l.line) WHEN 'object' THEN l.line ELSE '{}' END) AS f
				WHERE jsonb_typeof(f.value) NOT IN (CASE WHEN f.key IN ('quantity', 'price', 'amount') THEN 'number' ELSE 'string' END, 'null')))
	THEN
		RAISE EXCEPTION USING
			ERRCODE = 'UB400',
			MESSAGE = 'a bill of the grid has a list of lines',
			HINT = 'Such as [{"kind": "energy", "period": "peak", "quantity": 1000, "price": 0.8, "amount": 800.00}].';
	END IF;
	FOR one IN SELECT * FROM jsonb_to_recordset(p_lines) AS l(kind text, quantity numeric, price numeric, amount numeric) LOOP
		IF one.kind IN ('energy', 'demand', 'power_factor', 'fixed', 'surcharge', 'tax', 'other') IS NOT TRUE
			OR one.kind = 'energy' AND one.quantity IS NULL OR one.amount IS NULL OR one.amount <> round(one.amount, 2)
			OR abs(one.amount) >= 1e12 OR abs(one.quantity) >= 1e12 OR abs(one.price) >= 1e9
			OR one.quantity <> round(one.quantity, 6) OR one.price <> round(one.price, 9)
		THEN
			RAISE EXCEPTION USING
				ERRCODE = 'UB400',
				MESSAGE = 'a line of a bill of the grid has a kind, an amount of two decimals, and for energy its kWh',
				DETAIL = format('%s.', one),
				HINT = 'Kinds are energy, demand, power_factor, fixed, surcharge, tax and other.';
		END IF;
		total := total + one.amount;
	END LOOP;
	IF p_amount IS DISTINCT FROM total THEN
		RAISE EXCEPTION USING
			ERRCODE = 'UB422',
			MESSAGE = 'the lines of the bill of the grid do not add up to its amount',
			DETAIL = format('Its amount is %s, its lines have %s.', coalesce(p_amount::text, 'NULL'), total);
	END IF;
END $$;
COMMENT ON FUNCTION elecbill._supply_lines_check(numeric, jsonb) IS 'UB400 lines of supply_bill_add() are not such, UB422 they do not add up';

CREATE FUNCTION elecbill._supply_lines_plain(p_lines jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE
RETURN (SELECT jsonb_agg((SELECT jsonb_object_agg(f.key,
		CASE jsonb_typeof(f.value) WHEN 'number' THEN to_jsonb(trim_scale((f.value #>> '{}')::numeric)) ELSE f.value END)
	FROM jsonb_each(l.line) AS f WHERE f.value <> 'null') ORDER BY l.i)
	FROM jsonb_array_elements(p_lines) WITH ORDINALITY AS l(line, i));
COMMENT ON FUNCTION elecbill._supply_lines_plain(jsonb) IS
'lines of supply_bill_add() written in one way: 600 for 600.00, what is null left out; what the key of a call stands for';

CREATE FUNCTION elecbill._supply_bill_add(p_org text, p_parent text, p_number text, p_days daterange, p_amount numeric,
	p_lines jsonb, p_key text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	owner integer := elecbill._org_lock(p_org);
	parent bigint := elecbill._point_get(owner, p_parent);
	content bytea;
	known bytea;
	made bigint;
	there text;
BEGIN
	IF NOT elecbill._both_ends(p_days) OR p_number ~ '^\S{1,64}$' IS NOT TRUE OR p_key ~ '^\S{1,128}$' IS NOT TRUE THEN
		RAISE EXCEPTION USING ERRCODE = 'UB400', MESSAGE = 'a bill of the grid has a number, days with both ends and a key';
	END IF;
	PERFORM elecbill._supply_lines_check(p_amount, p_lines);
	content := sha256(convert_to(jsonb_build_array('supply_bill_add', p_parent, p_number, lower(p_days) - date '2000-01-01',
		upper(p_days) - date '2000-01-01', trim_scale(p_amount), elecbill._supply_lines_plain(p_lines))::text, 'UTF8'));
	SELECT s.content_sha256 INTO known FROM elecbill.supply_bill s WHERE s.org_id = owner AND s.idem_key = p_key;
	IF FOUND THEN
		PERFORM elecbill._key_check(known, content, p_key);
		RETURN;
	END IF;
	SELECT s.number INTO there FROM elecbill.supply_bill s
	WHERE s.live AND s.org_id = owner AND (s.number = p_number OR s.parent_id = parent AND s.days && p_days) LIMIT 1;
	IF FOUND THEN
		RAISE EXCEPTION USING
			ERRCODE = 'UB409',
			MESSAGE = 'there is a bill of the grid of this number, or for these days, already',
			DETAIL = format('It is %s.', there),
			HINT = 'supply_bill_void() takes it back.';
	END IF;
	INSERT INTO elecbill.supply_bill (org_id, parent_id, number, days, kwh, amount, idem_key, content_sha256)
	SELECT owner, parent, p_number, p_days, coalesce(sum(l.quantity) FILTER (WHERE l.kind = 'energy'), 0), p_amount, p_key, content
	FROM jsonb_to_recordset(p_lines) AS l(kind text, quantity numeric) RETURNING id INTO made;
	INSERT INTO elecbill.supply_line (supply_bill_id, n, org_id, kind, label, period, quantity, unit, price, amount)
	SELECT made, l.i, owner, x.kind, x.label, x.period, x.quantity, coalesce(x.unit, CASE x.kind WHEN 'energy' THEN 'kwh' END),
		x.price, x.amount
	FROM jsonb_array_elements(p_lines) WITH ORDINALITY AS l(line, i),
		LATERAL jsonb_to_record(l.line) AS x(kind text, label text, period text, quantity numeric, unit text, price numeric, amount numeric);
	PERFORM elecbill._audit(owner, 'supply_bill_add', p_number, NULL,
		jsonb_build_object('parent', p_parent, 'days', p_days, 'amount', p_amount));
END $$;
COMMENT ON FUNCTION elecbill._supply_bill_add(text, text, text, daterange, numeric, jsonb, text) IS 'what supply_bill_add() does';

CREATE FUNCTION elecbill.supply_bill_add(org text, parent text, number text, days daterange, amount numeric, lines jsonb,
	key text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	PERFORM elecbill._supply_bill_add(org, parent, number, days, amount, lines, key);
EXCEPTION WHEN OTHERS THEN
	PERFORM elecbill._refused(org, 'supply_bill_add', number, SQLSTATE, SQLERRM);
	RAISE;
END $$;
COMMENT ON FUNCTION elecbill.supply_bill_add(text, text, text, daterange, numeric, jsonb, text) IS
'enters a bill of the grid for a parent meter (usage point) and local days [from, to): what the estate pays, tax included, and its lines [{kind, label, period, quantity, unit, price, amount}]; kinds energy (quantity in kWh), demand, power_factor, fixed, surcharge, tax, other. The same key enters it once. UB400, UB404, UB409 the number or the days are there, or the key is that of another bill, UB422 the lines do not add up';

CREATE FUNCTION elecbill.supply_bill_void(org text, number text, reason text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	owner integer;
	s elecbill.supply_bill;
BEGIN
	owner := elecbill._org_lock(org);
	IF reason ~ '\S' IS NOT TRUE THEN
		RAISE EXCEPTION 'a bill of the grid is taken back for a reason' USING ERRCODE = 'UB400';
	END IF;
	SELECT * INTO s FROM elecbill.supply_bill x
	WHERE x.org_id = owner AND x.number = supply_bill_void.number AND x.live FOR NO KEY UPDATE;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'there is no bill of the grid %', quote_nullable(number) USING ERRCODE = 'UB404';
	END IF;
	PERFORM FROM elecbill.allocation a WHERE a.supply_bill_id = s.id AND a.state = 'done' ORDER BY a.id FOR UPDATE;	/* whoever bills by it is waited for */
	IF EXISTS (SELECT FROM elecbill.allocation a JOIN elecbill.allocation_result r ON r.allocation_id = a.id
		WHERE a.supply_bill_id = s.id AND a.state = 'done' AND r.bill_id IS NOT NULL)
	THEN
		RAISE EXCEPTION USING
			ERRCODE = 'UB412',
			MESSAGE = format('bill of the grid %s is shared and billed', quote_literal(number)),
			HINT = 'Cancel the run that shared it, correct the bill, then run the period again.';
	END IF;
	UPDATE elecbill.allocation SET state = 'replaced' WHERE supply_bill_id = s.id AND state = 'done';
	UPDATE elecbill.supply_bill SET live = false, void_reason = reason WHERE id = s.id;
	PERFORM elecbill._audit(owner, 'supply_bill_void', number, jsonb_build_object('amount', s.amount), jsonb_build_object('reason', reason));
EXCEPTION WHEN OTHERS THEN
	PERFORM elecbill._refused(org, 'supply_bill_void', number, SQLSTATE, SQLERRM);
	RAISE;
END $$;
COMMENT ON FUNCTION elecbill.supply_bill_void(text, text, text) IS
'takes back a bill of the grid that was entered wrongly. UB400, UB404, UB412 tenants are billed by it';

-- ---------------------------------------------------------------- what is collected for it

CREATE FUNCTION elecbill._resale(p_parent bigint, p_days daterange, OUT bills bigint, OUT kwh numeric, OUT charged numeric,
	OUT shared numeric, OUT fee numeric)
LANGUAGE sql STABLE
BEGIN ATOMIC
	WITH point AS MATERIALIZED (SELECT p.id FROM elecbill._points_behind(p_parent, p_days) AS p(id)),
	made AS MATERIALIZED (
		SELECT DISTINCT b.id FROM point JOIN elecbill.customer_agreement g ON g.usage_point_id = point.id
		JOIN elecbill.bill b ON b.account_id = g.account_id
		WHERE b.live AND p_days @> upper(b.service) - 1 AND b.kind <> 'opening'
	), seg AS MATERIALIZED (
		SELECT s.* FROM made JOIN elecbill.bill_segment s ON s.bill_id = made.id WHERE s.usage_point_id IN (SELECT point.id FROM point)
	), rated AS (
		SELECT coalesce(sum(l.amount), 0) AS amount FROM elecbill.bill_line l
		WHERE l.segment_id IN (SELECT seg.id FROM seg) AND l.grp <> 'property_fee'
	), later AS (
		SELECT coalesce(sum(round(t.amount * part.of_it, 2)), 0) AS amount, coalesce(sum(round(t.kwh * part.of_it, 3)), 0) AS kwh
		FROM elecbill.bill_true_up t
		JOIN elecbill.bill b ON b.id = t.bill_id AND b.live
		CROSS JOIN LATERAL (
			SELECT coalesce(sum(s.energy_wh) FILTER (WHERE x.inside) / nullif(sum(s.energy_wh), 0), 1) AS of_it
			FROM elecbill.bill_segment s
			CROSS JOIN LATERAL (SELECT s.usage_point_id IN (SELECT point.id FROM point) AS inside) AS x
			WHERE s.bill_id = t.corrected_id HAVING bool_or(x.inside)) AS part
		WHERE t.corrected_id IN (SELECT made.id FROM made)
	), share AS (
		SELECT coalesce(sum(r.amount) FILTER (WHERE u.model = 'pool'), 0) AS pool,
			coalesce(sum(r.amount) FILTER (WHERE u.model <> 'pool'), 0) AS fee
		FROM elecbill.allocation_result r
		JOIN elecbill.allocation a ON a.id = r.allocation_id AND a.state = 'done'
		JOIN elecbill.allocation_rule u ON u.id = a.rule_id AND u.parent_id = p_parent
		WHERE r.bill_id IS NOT NULL AND p_days @> upper(a.during) - 1
	)
	SELECT (SELECT count(DISTINCT seg.bill_id) FROM seg), (SELECT coalesce(sum(seg.energy_wh), 0) * 0.001 FROM seg) + later.kwh,
		rated.amount + later.amount + share.pool, share.pool, share.fee
	FROM rated, later, share;
END;
COMMENT ON FUNCTION elecbill._resale(bigint, daterange) IS
'what live bills, drafts included, charge for the energy of points behind a parent on days in which they end: bills, kWh, electricity (rated lines but those of group property_fee, what later live bills correct of these bills, and shares of a pool), of it shares of a pool, and apart from it common energy and loss in the property fee. A correction (bill_true_up) belongs to the days of the bill it corrects, not of the one that carries it; of an account with points behind the parent and elsewhere it counts in proportion to the kWh of the corrected bill behind the parent, half-up at 0.01; whole where that bill has no energy';

CREATE VIEW elecbill.resale_guard WITH (security_invoker = true) AS
SELECT o.id AS org_id, o.code AS org, u.code AS parent, s.number, s.days,
	CASE WHEN m.pool THEN 'pool' ELSE 'state_price' END AS model, s.kwh AS paid_kwh, s.amount AS paid, r.bills, r.kwh AS charged_kwh,
	r.charged, r.shared, r.fee, s.amount - r.charged AS difference, round(s.amount / nullif(s.kwh, 0), 9) AS paid_price,
	round(r.charged / nullif(r.kwh, 0), 9) AS charged_price, CASE WHEN r.charged > s.amount THEN 'over' ELSE 'ok' END AS state
FROM elecbill.supply_bill s
JOIN elecbill.org o ON o.id = s.org_id
JOIN elecbill.usage_point u ON u.id = s.parent_id
CROSS JOIN LATERAL (SELECT EXISTS (SELECT FROM elecbill.allocation_rule x WHERE x.parent_id = s.parent_id
	AND x.model = 'pool' AND x.state = 'approved' AND x.valid && s.days)) AS m(pool)
CROSS JOIN LATERAL elecbill._resale(s.parent_id, s.days) AS r
WHERE s.live;
COMMENT ON VIEW elecbill.resale_guard IS
'electricity that is sold on (转供电): what bills charge behind a parent meter against what the grid is paid for it. In a pool no more is collected than is paid: a run that would is not issued';
COMMENT ON COLUMN elecbill.resale_guard.org_id IS 'owner';
COMMENT ON COLUMN elecbill.resale_guard.org IS 'code of the org';
COMMENT ON COLUMN elecbill.resale_guard.parent IS 'the parent meter: code of its usage point';
COMMENT ON COLUMN elecbill.resale_guard.number IS 'number of the bill of the grid';
COMMENT ON COLUMN elecbill.resale_guard.days IS 'local days [from, to) of that bill; bills that end in them count';
COMMENT ON COLUMN elecbill.resale_guard.model IS 'pool: a rule shares the bill of the grid; state_price else';
COMMENT ON COLUMN elecbill.resale_guard.paid_kwh IS 'energy on the bill of the grid, kWh';
COMMENT ON COLUMN elecbill.resale_guard.paid IS 'what the grid is paid, in the currency of the org';
COMMENT ON COLUMN elecbill.resale_guard.bills IS 'live bills of tenants, drafts included';
COMMENT ON COLUMN elecbill.resale_guard.charged_kwh IS 'their energy, later corrections of it included, kWh';
COMMENT ON COLUMN elecbill.resale_guard.charged IS 'what they charge for electricity: rated lines, group property_fee apart, what later bills correct of them, and shares of a pool';
COMMENT ON COLUMN elecbill.resale_guard.shared IS 'of it, shares of a pool';
COMMENT ON COLUMN elecbill.resale_guard.fee IS 'common energy and loss that they charge in the property fee';
COMMENT ON COLUMN elecbill.resale_guard.difference IS 'paid less charged: what the estate bears itself; below 0 it collects more than it pays';
COMMENT ON COLUMN elecbill.resale_guard.paid_price IS 'paid per kWh';
COMMENT ON COLUMN elecbill.resale_guard.charged_price IS 'charged per kWh';
COMMENT ON COLUMN elecbill.resale_guard.state IS 'ok, or over: more is charged than paid';

CREATE FUNCTION elecbill._resale_parents(p_accounts bigint[]) RETURNS bigint[]
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN ARRAY(
		SELECT DISTINCT x.parent_id FROM elecbill.allocation_rule x
		WHERE x.model = 'pool' AND x.state = 'approved'
			AND x.org_id IN (SELECT a.org_id FROM elecbill.customer_account a WHERE a.id = ANY (p_accounts))
			AND EXISTS (SELECT FROM elecbill.customer_agreement g WHERE g.account_id = ANY (p_accounts) AND g.valid && x.valid
				AND g.usage_point_id IN (SELECT p.id FROM elecbill._points_behind(x.parent_id, x.valid) AS p(id))));
END $$;
COMMENT ON FUNCTION elecbill._resale_parents(bigint[]) IS 'the parents of pools in which accounts have points, at any time';

CREATE FUNCTION elecbill._resale_lock(p_parents bigint[]) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	parent bigint;
BEGIN
	FOR parent IN SELECT DISTINCT u.id FROM unnest(p_parents) AS u(id) ORDER BY u.id LOOP
		PERFORM pg_advisory_xact_lock(hashtextextended('elecbill.resale ' || parent, 0));
	END LOOP;
END $$;
COMMENT ON FUNCTION elecbill._resale_lock(bigint[]) IS
'holds pools (usage_point.id of their parents) until the end of the transaction: who makes or issues bills in one waits for whoever does, and then, in READ COMMITTED, sees them. Behind customer_account, before the ledger';

CREATE FUNCTION elecbill._resale_pools(p_bills bigint[]) RETURNS bigint[]
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET jit = off AS $$
BEGIN
	RETURN ARRAY(
		SELECT DISTINCT s.id
		FROM (
			SELECT b.org_id, b.account_id, b.service FROM elecbill.bill b WHERE b.id = ANY (p_bills)
		UNION
			SELECT c.org_id, c.account_id, c.service FROM elecbill.bill_true_up t JOIN elecbill.bill c ON c.id = t.corrected_id
			WHERE t.bill_id = ANY (p_bills)) AS b
		JOIN elecbill.supply_bill s ON s.org_id = b.org_id AND s.live AND s.days @> upper(b.service) - 1
		WHERE EXISTS (SELECT FROM elecbill.allocation_rule x WHERE x.parent_id = s.parent_id
				AND x.model = 'pool' AND x.state = 'approved' AND x.valid && s.days)
			AND EXISTS (SELECT FROM elecbill.customer_agreement g WHERE g.account_id = b.account_id AND g.valid && b.service
				AND g.usage_point_id IN (SELECT p.id FROM elecbill._points_behind(s.parent_id, s.days) AS p(id))));
END $$;
COMMENT ON FUNCTION elecbill._resale_pools(bigint[]) IS
'bills of the grid (supply_bill.id) that are shared in a pool, and to whose days bills, or bills that these correct, belong';

CREATE FUNCTION elecbill._resale_stop(p_grid bigint[]) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET jit = off AS $$
DECLARE
	one record;
BEGIN
	PERFORM elecbill._resale_lock(ARRAY(SELECT s.parent_id FROM elecbill.supply_bill s WHERE s.id = ANY (p_grid)));
	FOR one IN
		SELECT u.code, s.amount, s.number, r.charged
		FROM elecbill.supply_bill s
		JOIN elecbill.usage_point u ON u.id = s.parent_id
		CROSS JOIN LATERAL elecbill._resale(s.parent_id, s.days) AS r
		WHERE s.id = ANY (p_grid) AND s.live AND r.charged > s.amount ORDER BY u.code, s.days LIMIT 1
	LOOP
		RAISE EXCEPTION USING
			ERRCODE = 'UB422',
			CONSTRAINT = 'resale',
			MESSAGE = format('more would be collected behind %s than is paid to the grid', one.code),
			DETAIL = format('Bill of the grid %s has %s, the bills of tenants charge %s.', one.number, one.amount, one.charged),
			HINT = 'In a pool tenants pay their share and nothing for the same energy besides; look at their tariffs. View resale_guard has the figures.';
	END LOOP;
END $$;
COMMENT ON FUNCTION elecbill._resale_stop(bigint[]) IS
'UB422 when more is collected for bills of the grid than they have; looks behind the lock of their parents, so that of two transactions the second sees the first';

CREATE FUNCTION elecbill._resale_check(p_run bigint) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET jit = off AS $$
DECLARE
	grid bigint[];
BEGIN
	grid := ARRAY(
		SELECT s.id
		FROM elecbill.bill_run b
		JOIN elecbill.allocation_rule x ON x.org_id = b.org_id AND x.model = 'pool' AND x.state = 'approved' AND x.valid && b.period
		JOIN elecbill.supply_bill s ON s.parent_id = x.parent_id AND s.live AND s.days @> upper(b.period) - 1
		WHERE b.id = p_run);
	PERFORM elecbill._resale_stop(grid || elecbill._resale_pools(ARRAY(
		SELECT DISTINCT b.id FROM elecbill.bill b JOIN elecbill.bill_true_up t ON t.bill_id = b.id WHERE b.run_id = p_run AND b.live)));
END $$;
COMMENT ON FUNCTION elecbill._resale_check(bigint) IS
'UB422 when a run would collect more in a pool than the estate pays the grid, for its period or for one of which its bills correct something';

CREATE FUNCTION elecbill._resale_bill(p_bills bigint[]) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET jit = off AS $$
BEGIN
	PERFORM elecbill._resale_stop(elecbill._resale_pools(p_bills));
END $$;
COMMENT ON FUNCTION elecbill._resale_bill(bigint[]) IS
'UB422 when bills that are made apart from a run would collect more in a pool than the estate pays the grid';
