-- 84_opening.sql: an org takes over what the system before it knew of money and energy
--
-- What is unpaid becomes bills of kind opening, booked against the control account opening: what the bills
-- were for was earned and taxed in the books before. Two imports of an org wait for each other (the row of
-- the org). Locks: the org, all its customer accounts by id, the ledger, the number counter last.

CREATE FUNCTION elecbill._opening_columns(p_kind text) RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE p_kind WHEN 'bill' THEN '{amount,due_on,number,from_day,to_day}' WHEN 'advance' THEN '{amount}'
	WHEN 'deposit' THEN '{amount}' WHEN 'energy' THEN '{kwh,scope,tariff,as_of}'
	WHEN 'demand' THEN '{kw,month,demand,tariff,point,as_of}' END::text[];
COMMENT ON FUNCTION elecbill._opening_columns(text) IS 'columns of import_opening() that a kind of row has besides kind and account_no; NULL: no such kind';

CREATE FUNCTION elecbill._opening_head(p_fields text[], p_fault text) RETURNS text[]
LANGUAGE sql IMMUTABLE
RETURN elecbill._csv_head(p_fields, p_fault, '{"类别": "kind", "户号": "account_no", "金额": "amount", "应缴日期": "due_on", "账单号": "number",
	"起始日期": "from_day", "截止日期": "to_day", "电量": "kwh", "档期": "scope", "电价": "tariff", "截至日期": "as_of",
	"需量": "kw", "月份": "month", "需量项": "demand", "用电点": "point", "备注": "note", "户名": "name"}',
	'{kind,account_no}');
COMMENT ON FUNCTION elecbill._opening_head(text[], text) IS 'English names for the column names of import_opening(), which may be Chinese';

CREATE FUNCTION elecbill._opening_day(p_row jsonb, p_column text, p_last date) RETURNS date
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	day		date := CASE WHEN p_row ? p_column THEN elecbill._estate_day(p_row, p_column, NULL) END;
BEGIN
	IF day > p_last OR day < p_last - 7300 THEN
		PERFORM elecbill._estate_fail(p_column, 'UB400', format('%s must be a day from %s to %s, not %s', p_column,
			to_char(p_last - 7300, 'YYYY-MM-DD'), to_char(p_last, 'YYYY-MM-DD'), to_char(day, 'YYYY-MM-DD')));
	END IF;
	RETURN day;
END $$;
COMMENT ON FUNCTION elecbill._opening_day(jsonb, text, date) IS 'a date of a row of import_opening(), not after a day nor 20 years before it; NULL where the field is empty. UB400';

CREATE FUNCTION elecbill._opening_need(p_row jsonb, p_column text) RETURNS void
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF NOT p_row ? p_column THEN
		PERFORM elecbill._estate_fail(p_column, 'UB400', p_column || ' is empty');
	END IF;
END $$;
COMMENT ON FUNCTION elecbill._opening_need(jsonb, text) IS 'UB400 when a field of a row is empty';

CREATE FUNCTION elecbill._opening_parse(p_head text[], p_fields text[], p_fault text) RETURNS jsonb
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	given	jsonb := elecbill._csv_row(p_head, p_fields, p_fault) - '{note,name}'::text[];
	kind	text;
	odd		text;
BEGIN
	IF given IS NULL THEN
		RETURN NULL;
	END IF;
	kind := CASE lower(given ->> 'kind')
		WHEN 'bill' THEN 'bill' WHEN '欠费' THEN 'bill' WHEN '账单' THEN 'bill'
		WHEN 'advance' THEN 'advance' WHEN '预存' THEN 'advance'
		WHEN 'deposit' THEN 'deposit' WHEN '押金' THEN 'deposit'
		WHEN 'energy' THEN 'energy' WHEN '累计电量' THEN 'energy'
		WHEN 'demand' THEN 'demand' WHEN '最大需量' THEN 'demand' END;
	IF kind IS NULL THEN
		PERFORM elecbill._estate_fail('kind', 'UB400',
			'kind must be bill 欠费, advance 预存, deposit 押金, energy 累计电量 or demand 最大需量');
	END IF;
	SELECT k INTO odd FROM jsonb_object_keys(given) AS k
	WHERE k NOT IN ('kind', 'account_no') AND k <> ALL (elecbill._opening_columns(kind)) ORDER BY k LIMIT 1;
	IF odd IS NOT NULL THEN
		PERFORM elecbill._estate_fail(odd, 'UB400', format('a row of kind %s has no %s', kind, odd));
	END IF;
	PERFORM elecbill._opening_need(given, 'account_no');
	PERFORM elecbill._opening_need(given, (elecbill._opening_columns(kind))[1]);
	RETURN given || jsonb_build_object('kind', kind);
END $$;
COMMENT ON FUNCTION elecbill._opening_parse(text[], text[], text) IS 'a row of import_opening() as fields by name, empty ones left out, its kind in English; NULL: an empty row. UB400';

CREATE FUNCTION elecbill._opening_agreement(p_row jsonb, p_account bigint) RETURNS elecbill.customer_agreement
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	found	elecbill.customer_agreement[];
BEGIN
	found := ARRAY(SELECT g FROM elecbill.customer_agreement g JOIN elecbill.tariff_plan p ON p.id = g.tariff_plan_id
		JOIN elecbill.usage_point u ON u.id = g.usage_point_id
		WHERE g.account_id = p_account AND p.code = coalesce(p_row ->> 'tariff', p.code)
			AND u.code = coalesce(p_row ->> 'point', u.code)
		ORDER BY lower(g.valid), g.id);
	IF found = '{}' THEN
		PERFORM elecbill._estate_fail(CASE WHEN p_row ? 'point' THEN 'point' WHEN p_row ? 'tariff' THEN 'tariff' ELSE 'account_no' END,
			'UB404', format('account %s has no such agreement', p_row ->> 'account_no'));
	ELSIF EXISTS (SELECT FROM unnest(found) AS g WHERE g.tariff_plan_id <> found[1].tariff_plan_id) THEN
		PERFORM elecbill._estate_fail('tariff', 'UB409', format('account %s has several tariffs; name one', p_row ->> 'account_no'));
	ELSIF p_row ->> 'kind' = 'demand' AND EXISTS (SELECT FROM unnest(found) AS g WHERE g.usage_point_id <> found[1].usage_point_id) THEN
		PERFORM elecbill._estate_fail('point', 'UB409', format('account %s has several usage points; name one', p_row ->> 'account_no'));
	END IF;
	RETURN found[1];
END $$;
COMMENT ON FUNCTION elecbill._opening_agreement(jsonb, bigint) IS 'the first agreement of an account that a row of import_opening() is about. UB404, UB409 there are several tariffs or points';

CREATE FUNCTION elecbill._opening_tariff(p_agreement elecbill.customer_agreement, p_day date) RETURNS jsonb
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	found	jsonb;
BEGIN
	-- not tariff_for(): prices of that day may not be published yet, and do not matter here
	SELECT v.definition INTO found FROM elecbill.tariff_version v
	WHERE v.tariff_plan_id = p_agreement.tariff_plan_id AND v.status = 'approved' AND upper_inf(v.known)
	ORDER BY v.valid @> p_day DESC, lower(v.valid) >= p_day DESC, lower(v.valid) LIMIT 1;
	IF found IS NULL THEN
		PERFORM elecbill._estate_fail('tariff', 'UB412', 'no version of the tariff is approved');
	END IF;
	RETURN found;
END $$;
COMMENT ON FUNCTION elecbill._opening_tariff(elecbill.customer_agreement, date) IS 'the tariff of an agreement on a day, else the next one; UB412 none is approved';

CREATE FUNCTION elecbill._opening_unbilled(p_item elecbill.opening_item) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	name	text;
BEGIN
	SELECT coalesce(b.number, '#' || b.id) INTO name FROM elecbill.bill b
	WHERE b.account_id = p_item.account_id AND b.live AND CASE p_item.kind
		WHEN 'energy' THEN concat_ws(' ', p_item.tariff_plan_id, p_item.scope, p_item.scope_start) = ANY (elecbill._scopes(b.snapshot))
		ELSE elecbill._looks_back(b.snapshot, p_item.tariff_plan_id, (p_item.month + interval '1 month')::date) END
	ORDER BY b.service LIMIT 1;
	IF name IS NOT NULL THEN
		PERFORM elecbill._estate_fail('account_no', 'UB412', format('bill %s counted without it', name));
	END IF;
END $$;
COMMENT ON FUNCTION elecbill._opening_unbilled(elecbill.opening_item) IS 'UB412 when a live bill has counted its tiers, or its ratchet, without what shall be taken over';

CREATE FUNCTION elecbill._opening_bill(p_item elecbill.opening_item, p_row jsonb, p_org elecbill.org) RETURNS elecbill.opening_item
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	today	date := elecbill._today(p_org.id);
	due_on	date;
	from_day date;
	to_day	date;
BEGIN
	PERFORM elecbill._opening_need(p_row, 'due_on');
	due_on := elecbill._opening_day(p_row, 'due_on', today + 366);
	to_day := coalesce(elecbill._opening_day(p_row, 'to_day', today), elecbill._opening_day(p_row, 'from_day', today),
		least(due_on, today - 1));
	from_day := coalesce(elecbill._opening_day(p_row, 'from_day', today), to_day);
	IF from_day > to_day THEN
		PERFORM elecbill._estate_fail('to_day', 'UB400', 'to_day lies before from_day');
	END IF;
	p_item.number := left(coalesce(p_row ->> 'number', to_char(due_on, 'YYYY-MM-DD')), 64);
	PERFORM FROM elecbill.opening_item i JOIN elecbill.bill b ON b.id = i.bill_id
	WHERE i.account_id = p_item.account_id AND i.number = p_item.number AND b.live;
	IF FOUND THEN
		PERFORM elecbill._estate_fail(CASE WHEN p_row ? 'number' THEN 'number' ELSE 'due_on' END, 'UB409', format(
			'account %s has an opening bill %s already%s', p_row ->> 'account_no', p_item.number,
			CASE WHEN NOT p_row ? 'number' THEN '; bills of the same due date are told apart by a number' ELSE '' END));
	END IF;
	INSERT INTO elecbill.bill (org_id, account_id, kind, service, due_on, amount, snapshot)
	VALUES (p_org.id, p_item.account_id, 'opening', daterange(from_day, to_day + 1), due_on, p_item.amount,
		jsonb_build_object('known_at', elecbill.now(), 'parts', jsonb '[]', 'opening', p_item.number))
	RETURNING id INTO p_item.bill_id;
	INSERT INTO elecbill.bill_line (org_id, bill_id, n, kind, component, grp, label, quantity, unit, price, factor, amount_raw,
		amount, during, quality)
	VALUES (p_org.id, p_item.bill_id, 1, 'opening', 'opening', 'opening', p_row ->> 'number', 1, 'bill', p_item.amount, 1,
		p_item.amount, p_item.amount,
		tstzrange(elecbill.day_start(from_day, p_org.zone), elecbill.day_start(to_day + 1, p_org.zone)), 'actual');
	RETURN p_item;
END $$;
COMMENT ON FUNCTION elecbill._opening_bill(elecbill.opening_item, jsonb, elecbill.org) IS 'makes an unpaid item a draft of kind opening, with its line. UB400, UB409 it is there already';

CREATE FUNCTION elecbill._opening_money(p_item elecbill.opening_item) RETURNS elecbill.opening_item
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF EXISTS (SELECT FROM elecbill.opening_item i WHERE i.account_id = p_item.account_id AND i.kind = p_item.kind) THEN
		PERFORM elecbill._estate_fail('account_no', 'UB409', format('%s of the account is taken over already', p_item.kind));
	END IF;
	RETURN p_item;
END $$;
COMMENT ON FUNCTION elecbill._opening_money(elecbill.opening_item) IS 'advance credit or a deposit. UB409 it is taken over already';

CREATE FUNCTION elecbill._opening_energy(p_item elecbill.opening_item, p_row jsonb, p_tariff jsonb) RETURNS elecbill.opening_item
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	scopes	text[] := ARRAY(SELECT DISTINCT c.component #>> '{tier,scope}' FROM elecbill._components(p_tariff) AS c
		WHERE c.component #>> '{tier,scope}' IN ('month', 'quarter', 'year') ORDER BY 1);
BEGIN
	p_item.scope := coalesce(CASE lower(p_row ->> 'scope') WHEN '年' THEN 'year' WHEN '季' THEN 'quarter' WHEN '月' THEN 'month'
		ELSE lower(p_row ->> 'scope') END, CASE WHEN cardinality(scopes) = 1 THEN scopes[1] END);
	IF p_item.scope = ANY (scopes) IS NOT TRUE THEN
		PERFORM elecbill._estate_fail('scope', 'UB404', CASE cardinality(scopes) WHEN 0 THEN
			'the tariff has no tiers over a month, quarter or year' ELSE 'the tiers of the tariff count over ' ||
			array_to_string(scopes, ', ') END);
	END IF;
	p_item.scope_start := elecbill._scope_start(p_item.scope, p_item.until - 1, coalesce(p_tariff ->> 'year_start', '01-01'),
		coalesce((p_tariff ->> 'month_day')::integer, 1));
	p_item.kwh := elecbill._estate_number(p_row, 'kwh', NULL, 0, 999999999999, 6);
	IF EXISTS (SELECT FROM elecbill.opening_item i WHERE i.account_id = p_item.account_id AND i.kind = 'energy'
		AND i.tariff_plan_id = p_item.tariff_plan_id AND i.scope = p_item.scope AND i.scope_start = p_item.scope_start)
	THEN
		PERFORM elecbill._estate_fail('account_no', 'UB409', format('kWh of the %s from %s are taken over already', p_item.scope,
			to_char(p_item.scope_start, 'YYYY-MM-DD')));
	END IF;
	RETURN p_item;
END $$;
COMMENT ON FUNCTION elecbill._opening_energy(elecbill.opening_item, jsonb, jsonb) IS 'kWh of a tier scope. UB400, UB404 the tariff has no such tiers, UB409 taken over already';

CREATE FUNCTION elecbill._opening_demand(p_item elecbill.opening_item, p_row jsonb, p_tariff jsonb) RETURNS elecbill.opening_item
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	demands	text[] := ARRAY(SELECT k FROM jsonb_object_keys(coalesce(p_tariff -> 'demands', '{}')) AS k ORDER BY 1);
	part	text[] := regexp_match(p_row ->> 'month', '^([12]\d{3})[-/.年]?(\d{1,2})月?$');
BEGIN
	p_item.demand := coalesce(p_row ->> 'demand', CASE WHEN cardinality(demands) = 1 THEN demands[1] END);
	IF p_item.demand = ANY (demands) IS NOT TRUE THEN
		PERFORM elecbill._estate_fail('demand', 'UB404', CASE cardinality(demands) WHEN 0 THEN 'the tariff has no demand'
			ELSE 'the demands of the tariff are ' || array_to_string(demands, ', ') END);
	END IF;
	PERFORM elecbill._opening_need(p_row, 'month');
	IF part[2]::integer BETWEEN 1 AND 12 IS NOT TRUE THEN
		PERFORM elecbill._estate_fail('month', 'UB400', format('month must be one such as 2026-01, not "%s"', left(p_row ->> 'month', 40)));
	END IF;
	p_item.month := make_date(part[1]::integer, part[2]::integer, 1);
	IF p_item.month >= p_item.until OR p_item.month < p_item.until - interval '37 months' THEN
		PERFORM elecbill._estate_fail('month', 'UB422', format('the month does not lie in the three years before %s',
			to_char(p_item.until, 'YYYY-MM-DD')));
	END IF;
	p_item.kw := elecbill._estate_number(p_row, 'kw', NULL, 0, 999999999, 6);
	IF EXISTS (SELECT FROM elecbill.opening_item i WHERE i.account_id = p_item.account_id AND i.kind = 'demand'
		AND (i.usage_point_id, i.tariff_plan_id, i.demand, i.month)
			= (p_item.usage_point_id, p_item.tariff_plan_id, p_item.demand, p_item.month))
	THEN
		PERFORM elecbill._estate_fail('month', 'UB409', format('the peak of %s is taken over already', to_char(p_item.month, 'YYYY-MM')));
	END IF;
	RETURN p_item;
END $$;
COMMENT ON FUNCTION elecbill._opening_demand(elecbill.opening_item, jsonb, jsonb) IS 'the peak of a month. UB400, UB404 the tariff has no such demand, UB409 taken over already, UB422 not a month before';

CREATE FUNCTION elecbill._opening_row(p_org elecbill.org, p_job bigint, p_line integer, p_row jsonb) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	item	elecbill.opening_item;
	agreement elecbill.customer_agreement;
	today	date := elecbill._today(p_org.id);
BEGIN
	item.org_id := p_org.id;
	item.kind := p_row ->> 'kind';
	item.account_id := (SELECT a.id FROM elecbill.customer_account a WHERE a.org_id = p_org.id AND a.account_no = p_row ->> 'account_no');
	IF item.account_id IS NULL THEN
		PERFORM elecbill._estate_fail('account_no', 'UB404', format('there is no account %s', left(p_row ->> 'account_no', 64)));
	END IF;
	IF item.kind IN ('energy', 'demand') THEN
		agreement := elecbill._opening_agreement(p_row, item.account_id);
		item.tariff_plan_id := agreement.tariff_plan_id;
		item.until := coalesce(elecbill._opening_day(p_row, 'as_of', today + 1), lower(agreement.valid));
		IF item.until < lower(agreement.valid) THEN
			PERFORM elecbill._estate_fail('as_of', 'UB422', format(
				'as_of %s lies before the agreement, that begins on %s: neither system would count what lies between',
				to_char(item.until, 'YYYY-MM-DD'), to_char(lower(agreement.valid), 'YYYY-MM-DD')));
		END IF;
		IF item.kind = 'energy' THEN
			item := elecbill._opening_energy(item, p_row, elecbill._opening_tariff(agreement, item.until));
		ELSE
			item.usage_point_id := agreement.usage_point_id;
			item := elecbill._opening_demand(item, p_row, elecbill._opening_tariff(agreement, item.until));
		END IF;
		PERFORM elecbill._opening_unbilled(item);
	ELSE
		-- the amount of a bill is the price of its line, too
		item.amount := elecbill._estate_number(p_row, 'amount', NULL, 0.01,
			CASE item.kind WHEN 'bill' THEN 999999999.99 ELSE 999999999999.99 END, 2);
		item := CASE item.kind WHEN 'bill' THEN elecbill._opening_bill(item, p_row, p_org) ELSE elecbill._opening_money(item) END;
	END IF;
	INSERT INTO elecbill.opening_item (org_id, job_id, line, kind, account_id, amount, number, bill_id, tariff_plan_id, usage_point_id,
		until, scope, scope_start, kwh, demand, month, kw)
	VALUES (item.org_id, p_job, p_line, item.kind, item.account_id, item.amount, item.number, item.bill_id, item.tariff_plan_id,
		item.usage_point_id, item.until, item.scope, item.scope_start, item.kwh, item.demand, item.month, item.kw);
END $$;
COMMENT ON FUNCTION elecbill._opening_row(elecbill.org, bigint, integer, jsonb) IS 'one row of import_opening(), all but its bookings. Errors by column';

CREATE FUNCTION elecbill._opening_post(p_org integer, p_job bigint, p_on date) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET jit = off AS $$
DECLARE
	control	bigint;
	period	bigint;
	moved	record;
BEGIN
	IF NOT EXISTS (SELECT FROM elecbill.opening_item i WHERE i.job_id = p_job AND i.amount IS NOT NULL) THEN
		RETURN;
	END IF;
	control := elecbill._ledger_account(p_org, 'opening');
	INSERT INTO elecbill.ledger_account (org_id, code, kind, account_id)
	SELECT DISTINCT p_org, x.code, elecbill._ledger_kind(x.code), x.account_id
	FROM (SELECT a.id AS account_id, CASE i.kind WHEN 'bill' THEN 'receivable' ELSE i.kind END || ':' || a.account_no AS code
		FROM elecbill.opening_item i JOIN elecbill.customer_account a ON a.id = i.account_id
		WHERE i.job_id = p_job AND i.amount IS NOT NULL) AS x
	WHERE NOT EXISTS (SELECT FROM elecbill.ledger_account l WHERE l.org_id = p_org AND l.code = x.code)
	ORDER BY x.account_id, x.code
	ON CONFLICT ON CONSTRAINT ledger_account_org_code_key DO NOTHING;
	period := elecbill._period_share(p_org, p_on);
	WITH posted AS (
		INSERT INTO elecbill.ledger_transfer (org_id, idem_key, content_sha256, debit_id, credit_id, amount, kind, bill_id,
			effective_on, period_id)
		SELECT p_org, format('opening:%s:%s', i.kind, coalesce(i.bill_id, i.account_id)), elecbill._transfer_sha256(d.debit_id, d.credit_id,
			i.amount, 'opening', 'single', NULL, NULL, i.bill_id, NULL, p_on), d.debit_id, d.credit_id, i.amount, 'opening', i.bill_id, p_on, period
		FROM elecbill.opening_item i
		JOIN elecbill.customer_account a ON a.id = i.account_id
		JOIN elecbill.ledger_account l ON l.org_id = p_org
			AND l.code = CASE i.kind WHEN 'bill' THEN 'receivable' ELSE i.kind END || ':' || a.account_no
		CROSS JOIN LATERAL (SELECT CASE i.kind WHEN 'bill' THEN l.id ELSE control END,
			CASE i.kind WHEN 'bill' THEN control ELSE l.id END) AS d(debit_id, credit_id)
		WHERE i.job_id = p_job AND i.amount IS NOT NULL ORDER BY i.id
		RETURNING debit_id, credit_id, amount)
	SELECT array_agg(m.id) AS ids, array_agg(m.debit) AS debits, array_agg(m.credit) AS credits, array_agg(0::numeric) AS none INTO moved
	FROM posted t, LATERAL (VALUES (t.debit_id, t.amount, 0::numeric), (t.credit_id, 0::numeric, t.amount)) AS m(id, debit, credit)
	WHERE m.id <> control;
	PERFORM elecbill._balance_move(p_org, moved.ids, moved.debits, moved.credits, moved.none, moved.none);
END $$;
COMMENT ON FUNCTION elecbill._opening_post(integer, bigint, date) IS 'books the bills, credit and deposits of a file against the control account opening, all at once';

CREATE FUNCTION elecbill._opening_issue(p_org integer, p_job bigint, p_on date) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	today	date := elecbill._today(p_org);
	drafts	bigint[] := ARRAY(SELECT i.bill_id FROM elecbill.opening_item i JOIN elecbill.customer_account a ON a.id = i.account_id
		WHERE i.job_id = p_job AND i.kind = 'bill' ORDER BY a.account_no, i.id);
	last_no	bigint;
BEGIN
	PERFORM elecbill._usage_base(NULL, p_job);
	PERFORM elecbill._opening_post(p_org, p_job, p_on);
	IF drafts = '{}' THEN
		RETURN;
	END IF;
	last_no := elecbill._number_take(p_org, 'bill', cardinality(drafts));
	UPDATE elecbill.bill b SET status = 'issued', issued_at = elecbill.now(), number = format('%s-%s', extract(year FROM today),
		lpad(d.no::text, greatest(6, length(d.no::text)), '0'))
	FROM (SELECT u.id, last_no - cardinality(drafts) + u.i AS no FROM unnest(drafts) WITH ORDINALITY AS u(id, i)) AS d
	WHERE b.id = d.id;
	UPDATE elecbill.bill b SET status = 'overdue' WHERE b.id = ANY (drafts) AND b.due_on < today;
END $$;
COMMENT ON FUNCTION elecbill._opening_issue(integer, bigint, date) IS 'books a file, gives its opening bills their numbers, in the order of account numbers, and usage_counter its base; what is past its due date is overdue';
