-- 85_parallel_run.sql: the bills of a run beside those that the system before made of the same period
--
-- Writes nothing but the job of the file. A difference is told by the first of these that fits: the bill is
-- missing on one side; other energy; the line that differs most, where the file has lines; tax; one line of
-- ours that is all of the difference; rounding; energy in another tier, or all in one; whole kWh at our price.

CREATE FUNCTION elecbill._parallel_head(p_fields text[], p_fault text) RETURNS text[]
LANGUAGE sql IMMUTABLE
RETURN elecbill._csv_head(p_fields, p_fault, '{"户号": "account_no", "金额": "amount", "项目": "line", "档": "tier", "时段": "period",
	"电量": "kwh", "税额": "tax", "备注": "note", "户名": "name"}',
	'{account_no,amount}');
COMMENT ON FUNCTION elecbill._parallel_head(text[], text) IS 'English names for the column names of parallel_run(), which may be Chinese';

CREATE FUNCTION elecbill._parallel_number(p_row jsonb, p_column text, p_decimals integer) RETURNS numeric
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	given	text := p_row ->> p_column;
BEGIN
	IF given !~ '^-?\d{1,12}(\.\d{1,9})?$' OR scale(given::numeric) > p_decimals AND given::numeric <> round(given::numeric, p_decimals) THEN
		PERFORM elecbill._estate_fail(p_column, 'UB400', format('%s must be a number with at most %s decimals, not "%s"', p_column,
			p_decimals, left(given, 40)));
	END IF;
	RETURN given::numeric;
END $$;
COMMENT ON FUNCTION elecbill._parallel_number(jsonb, text, integer) IS 'a number of a row of parallel_run(), of any sign; NULL where the field is empty. UB400';

CREATE FUNCTION elecbill._parallel_row(p_head text[], p_fields text[], p_fault text) RETURNS jsonb
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	given	jsonb := elecbill._csv_row(p_head, p_fields, p_fault);
BEGIN
	IF given IS NULL THEN
		RETURN NULL;
	END IF;
	PERFORM elecbill._opening_need(given, 'account_no');
	PERFORM elecbill._opening_need(given, 'amount');
	IF NOT given ? 'line' AND (given ? 'tier' OR given ? 'period') THEN
		PERFORM elecbill._estate_fail('line', 'UB400', 'a tier or period is that of a line');
	ELSIF given ? 'line' AND given ? 'tax' THEN
		PERFORM elecbill._estate_fail('tax', 'UB400', 'tax is that of a whole bill');
	END IF;
	RETURN jsonb_build_object('account_no', given -> 'account_no', 'line', given -> 'line', 'period', given -> 'period',
		'tier', elecbill._estate_number(given, 'tier', NULL, 1, 100, 0), 'kwh', elecbill._parallel_number(given, 'kwh', 6),
		'tax', elecbill._parallel_number(given, 'tax', 2), 'amount', elecbill._parallel_number(given, 'amount', 2)::numeric(14,2));
END $$;
COMMENT ON FUNCTION elecbill._parallel_row(text[], text[], text) IS 'a row of parallel_run() with checked values; NULL: an empty row. UB400';

CREATE FUNCTION elecbill._parallel_nth(p_given jsonb[]) RETURNS TABLE (one jsonb, account_no text, at integer, first integer)
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT g.one, g.one ->> 'account_no', (g.one ->> 'at')::integer, min((g.one ->> 'at')::integer) OVER (
		PARTITION BY g.one - '{amount,kwh,tax,at}'::text[])
	FROM unnest(p_given) AS g(one);
END;
COMMENT ON FUNCTION elecbill._parallel_nth(jsonb[]) IS 'rows of a file, and the line of the first one about the same account and line of a bill';

CREATE FUNCTION elecbill._parallel_rows(p_csv bytea, OUT given jsonb[], OUT ignored integer, OUT errors jsonb,
	OUT headless boolean)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	one		record;
	row		jsonb;
	head	text[];
	faults	jsonb[] := '{}'::jsonb[];
	field	text;
	state	text;
	message	text;
BEGIN
	given := '{}';
	ignored := 0;
	FOR one IN SELECT * FROM elecbill.csv_rows(p_csv) LOOP
		BEGIN
			IF head IS NULL THEN
				head := elecbill._parallel_head(one.fields, one.fault);
				CONTINUE;
			END IF;
			row := elecbill._parallel_row(head, one.fields, one.fault);
			IF row IS NULL THEN
				ignored := ignored + 1;
			ELSE
				given := given || (row || jsonb_build_object('at', one.line));
			END IF;
		EXCEPTION WHEN SQLSTATE 'UB400' OR data_exception THEN
			GET STACKED DIAGNOSTICS field = COLUMN_NAME, state = RETURNED_SQLSTATE, message = MESSAGE_TEXT;
			faults := faults || elecbill._row_fault(one.line, field, state, message);
			EXIT WHEN head IS NULL;		/* without column names no row means anything */
		END;
	END LOOP;
	headless := head IS NULL;
	IF headless AND faults = '{}' THEN
		faults := faults || elecbill._row_fault(1, NULL, 'UB400', 'the file is empty');
	END IF;
	errors := to_jsonb(faults) || (SELECT coalesce(jsonb_agg(jsonb_build_object('line', d.at, 'field', 'account_no', 'code', 'UB409', 'message',
			format('account %s is there already, on line %s', d.account_no, d.first)) ORDER BY d.at), '[]')
		FROM elecbill._parallel_nth(given) AS d WHERE d.at <> d.first);
	given := ARRAY(SELECT d.one FROM elecbill._parallel_nth(given) AS d WHERE d.at = d.first ORDER BY d.at);
END $$;
COMMENT ON FUNCTION elecbill._parallel_rows(bytea) IS 'the rows of a file of parallel_run() that can be read, and what is wrong with the others; headless: it has no column names, so that no row means anything';

CREATE FUNCTION elecbill._parallel_bills(p_run elecbill.bill_run, p_given jsonb[])
RETURNS TABLE (account_no text, account_id bigint, bill_id bigint, bill text, ours numeric, theirs numeric,
	ours_kwh numeric, theirs_kwh numeric, ours_tax numeric, theirs_tax numeric)
LANGUAGE sql STABLE SET jit = off
BEGIN ATOMIC
	WITH theirs AS (
		SELECT g.one ->> 'account_no' AS account_no,
			coalesce(max((g.one ->> 'amount')::numeric) FILTER (WHERE g.one ->> 'line' IS NULL), sum((g.one ->> 'amount')::numeric)) AS amount,
			max((g.one ->> 'kwh')::numeric) FILTER (WHERE g.one ->> 'line' IS NULL) AS kwh, max((g.one ->> 'tax')::numeric) AS tax
		FROM unnest(p_given) AS g(one) GROUP BY 1
	), ours AS (
		SELECT a.account_no, b.id, coalesce(b.number, '#' || b.id) AS name, b.amount, b.tax_amount,
			(SELECT coalesce(sum(s.energy_wh), 0) * 0.001 FROM elecbill.bill_segment s WHERE s.bill_id = b.id) AS kwh
		FROM elecbill.bill b JOIN elecbill.customer_account a ON a.id = b.account_id
		WHERE b.run_id = (p_run).id AND b.live
	)
	SELECT j.account_no, a.id, j.id, j.name, j.ours, j.theirs, j.ours_kwh, j.theirs_kwh, j.ours_tax, j.theirs_tax
	FROM (SELECT coalesce(o.account_no, t.account_no) AS account_no, o.id, o.name, o.amount AS ours, t.amount AS theirs,
			o.kwh AS ours_kwh, t.kwh AS theirs_kwh, o.tax_amount AS ours_tax, t.tax AS theirs_tax
		FROM ours o FULL JOIN theirs t ON t.account_no = o.account_no) AS j
	LEFT JOIN elecbill.customer_account a ON a.org_id = (p_run).org_id AND a.account_no = j.account_no;
END;
COMMENT ON FUNCTION elecbill._parallel_bills(elecbill.bill_run, jsonb[]) IS 'the live bills of a run beside those of a file, by account; NULL where a side has none, or does not say';

CREATE FUNCTION elecbill._parallel_lines(p_bill bigint, p_given jsonb[])
RETURNS TABLE (line text, ours numeric, theirs numeric, ours_quantity numeric, theirs_quantity numeric)
LANGUAGE sql STABLE SET jit = off
BEGIN ATOMIC
	WITH mine AS (
		SELECT l.* FROM elecbill.bill_line l WHERE l.bill_id = p_bill
	), theirs AS (
		-- by code, by its name for people, by its kind
		SELECT coalesce((SELECT l.component FROM mine l WHERE t.name IN (l.component, l.label, l.kind, elecbill.label(l.kind, 'zh'),
				elecbill.label(l.kind, 'en')) ORDER BY l.component = t.name DESC, l.label = t.name DESC NULLS LAST, l.n LIMIT 1), t.name) AS component,
			coalesce((SELECT l.period FROM mine l WHERE t.period IN (l.period, elecbill.label(l.period, 'zh'),
				elecbill.label(l.period, 'en')) LIMIT 1), t.period) AS period, t.tier, t.kwh, t.amount
		FROM (SELECT g.one ->> 'line' AS name, g.one ->> 'period' AS period, (g.one ->> 'tier')::integer AS tier,
				(g.one ->> 'kwh')::numeric AS kwh, (g.one ->> 'amount')::numeric AS amount
			FROM unnest(p_given) AS g(one)) AS t
		WHERE t.name IS NOT NULL
	), ours AS (
		-- as fine as theirs are
		SELECT l.component, CASE WHEN bool_or(t.periods) THEN l.period END AS period, CASE WHEN bool_or(t.tiers) THEN l.tier END AS tier,
			l.quantity, l.amount, l.n
		FROM mine l LEFT JOIN (SELECT x.component, bool_or(x.period IS NOT NULL) AS periods, bool_or(x.tier IS NOT NULL) AS tiers
			FROM theirs x GROUP BY 1) AS t ON t.component = l.component
		GROUP BY l.component, l.period, l.tier, l.quantity, l.amount, l.n
	)
	SELECT concat_ws(' ', coalesce(o.component, t.component), coalesce(o.period, t.period), coalesce(o.tier, t.tier)), o.amount, t.amount,
		o.quantity, t.kwh
	FROM (SELECT x.component, x.period, x.tier, sum(x.quantity) AS quantity, sum(x.amount) AS amount FROM ours x GROUP BY 1, 2, 3) AS o
	FULL JOIN (SELECT x.component, x.period, x.tier, sum(x.kwh) AS kwh, sum(x.amount) AS amount FROM theirs x GROUP BY 1, 2, 3) AS t
		ON t.component = o.component AND coalesce(t.period, '') = coalesce(o.period, '') AND coalesce(t.tier, 0) = coalesce(o.tier, 0);
END;
COMMENT ON FUNCTION elecbill._parallel_lines(bigint, jsonb[]) IS 'lines of a bill beside those of a file, as finely as the file has them, NULL: not there';

CREATE FUNCTION elecbill._parallel_prices(p_bill bigint, p_component text, p_period text) RETURNS SETOF numeric
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN QUERY
	SELECT o.price FROM elecbill.bill_line o WHERE o.bill_id = p_bill AND o.component = p_component AND o.tier IS NOT NULL
		AND o.period IS NOT DISTINCT FROM p_period
	UNION
	SELECT (s.step ->> 'price')::numeric FROM elecbill.bill b, jsonb_array_elements(b.snapshot -> 'parts') AS q(part)
	JOIN elecbill.tariff_snapshot t ON t.sha256 = decode(q.part ->> 'definition', 'hex'),
		elecbill._components(t.definition) AS c, jsonb_array_elements(c.component #> '{tier,steps}') AS s(step)
	WHERE b.id = p_bill AND c.code = p_component AND jsonb_typeof(s.step -> 'price') IN ('number', 'string')
		AND c.component #>> '{tier,mode}' IS DISTINCT FROM 'adder';
END $$;
COMMENT ON FUNCTION elecbill._parallel_prices(bigint, text, text) IS 'what energy of a component costs in its tiers: on a bill, and by its tariff';

CREATE FUNCTION elecbill._parallel_tier(p_bill bigint, p_difference numeric)
RETURNS TABLE (line text, kwh numeric, price numeric, other_price numeric)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN QUERY
	SELECT concat_ws(' ', l.component, l.period, l.tier), trim_scale(x.kwh), trim_scale(l.price), trim_scale(p.price)
	FROM elecbill.bill_line l
	CROSS JOIN LATERAL elecbill._parallel_prices(p_bill, l.component, l.period) AS p(price)
	CROSS JOIN LATERAL (SELECT round(p_difference / nullif(l.price - p.price, 0), 3)) AS x(kwh)
	WHERE l.bill_id = p_bill AND l.tier IS NOT NULL AND l.unit = 'kwh' AND x.kwh > 0 AND x.kwh <= l.quantity
		AND abs(round(x.kwh * (l.price - p.price), 2) - p_difference) <= 0.01
	ORDER BY scale(trim_scale(x.kwh)), abs(l.price - p.price), l.n LIMIT 1;
END $$;
COMMENT ON FUNCTION elecbill._parallel_tier(bigint, numeric) IS 'energy of a bill that makes a difference when it is priced by another tier: the likeliest line; no row: none does';

CREATE FUNCTION elecbill._parallel_flat(p_bill bigint, p_difference numeric)
RETURNS TABLE (line text, kwh numeric, price numeric, other_price numeric)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN QUERY
	SELECT concat_ws(' ', t.component, t.period), trim_scale(t.kwh), round(t.amount / nullif(t.kwh, 0), 9), trim_scale(p.price)
	FROM (SELECT l.component, l.period, sum(l.quantity) AS kwh, sum(l.amount) AS amount, count(*) AS n, min(l.n) AS at
		FROM elecbill.bill_line l WHERE l.bill_id = p_bill AND l.tier IS NOT NULL AND l.unit = 'kwh' GROUP BY 1, 2) AS t
	CROSS JOIN LATERAL elecbill._parallel_prices(p_bill, t.component, t.period) AS p(price)
	WHERE t.n > 1 AND abs(t.amount - round(t.kwh * p.price, 2) - p_difference) <= 0.01 * t.n
	ORDER BY abs(t.amount - round(t.kwh * p.price, 2) - p_difference), t.at LIMIT 1;
END $$;
COMMENT ON FUNCTION elecbill._parallel_flat(bigint, numeric) IS 'energy of several tiers that makes a difference when all of it is priced by one; no row: it does not';

CREATE FUNCTION elecbill._parallel_missing(p_run elecbill.bill_run, p_account bigint, p_en boolean, OUT what text, OUT line text, OUT note text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	x elecbill.bill_exception;
BEGIN
	SELECT * INTO x FROM elecbill.bill_exception e WHERE e.run_id = p_run.id AND e.account_id = p_account AND e.severity = 'error'
		AND e.state IN ('parked', 'retried');
	IF p_account IS NULL THEN
		what := 'unknown_account';
		note := CASE WHEN p_en THEN 'there is no such account here' ELSE '本系统无此户号' END;
	ELSIF FOUND THEN
		what := 'not_billed';
		line := x.code;
		note := concat_ws(': ', elecbill.label(x.code, CASE WHEN p_en THEN 'en' ELSE 'zh' END), x.message);
	ELSE
		what := 'not_in_run';
		note := CASE WHEN p_en THEN 'the run has no bill of the account' ELSE '本次出账无此户账单' END;
	END IF;
END $$;
COMMENT ON FUNCTION elecbill._parallel_missing(elecbill.bill_run, bigint, boolean) IS 'why a run has no bill of an account (NULL: there is none)';

CREATE FUNCTION elecbill._parallel_why(p_bill bigint, p_ours numeric, p_theirs numeric, p_ours_kwh numeric, p_theirs_kwh numeric,
	p_ours_tax numeric, p_theirs_tax numeric, p_given jsonb[], p_en boolean, OUT what text, OUT line text, OUT line_ours numeric,
	OUT line_theirs numeric, OUT note text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	delta	numeric := p_ours - p_theirs;
	l		record;
	top		text;
BEGIN
	SELECT * INTO l FROM elecbill._parallel_lines(p_bill, p_given) AS x
	WHERE EXISTS (SELECT FROM unnest(p_given) AS g(one) WHERE g.one ->> 'line' IS NOT NULL)
	ORDER BY abs(coalesce(x.ours, 0) - coalesce(x.theirs, 0)) DESC, x.line LIMIT 1;
	SELECT concat_ws(' ', x.component, x.period, x.tier) INTO top FROM elecbill.bill_line x
	WHERE x.bill_id = p_bill AND x.kind = 'energy' ORDER BY x.tier DESC NULLS LAST, x.amount DESC, x.n LIMIT 1;
	IF p_theirs_kwh <> p_ours_kwh THEN
		what := 'other_kwh';
		line := coalesce(l.line, top);
		line_ours := p_ours_kwh;
		line_theirs := p_theirs_kwh;
		note := format(CASE WHEN p_en THEN '%s kWh here, %s kWh there' ELSE '本系统 %s 千瓦时,原系统 %s 千瓦时' END,
			trim_scale(line_ours), trim_scale(line_theirs));
	ELSIF coalesce(l.ours, 0) <> coalesce(l.theirs, 0) THEN
		what := CASE WHEN l.theirs IS NULL THEN 'line_only_here' WHEN l.ours IS NULL THEN 'line_only_there'
			WHEN l.ours_quantity <> l.theirs_quantity THEN 'other_kwh' ELSE 'other_amount' END;
		SELECT l.line, l.ours, l.theirs INTO line, line_ours, line_theirs;
		note := CASE what WHEN 'other_kwh' THEN format(CASE WHEN p_en THEN '%s here, %s there' ELSE '数量:本系统 %s,原系统 %s' END,
				trim_scale(l.ours_quantity), trim_scale(l.theirs_quantity))
			ELSE format(CASE WHEN p_en THEN '%s of the difference of %s' ELSE '差额 %2$s 中的 %1$s' END,
				coalesce(l.ours, 0) - coalesce(l.theirs, 0), delta) END;
	ELSIF p_theirs_tax <> p_ours_tax OR p_theirs_tax IS NULL AND p_ours_tax = delta THEN
		what := 'tax';
		line_ours := p_ours_tax;
		line_theirs := p_theirs_tax;
		line := 'tax';
		note := CASE WHEN p_theirs_tax IS NULL THEN CASE WHEN p_en THEN 'the difference is our tax' ELSE '差额等于本系统税额' END
			ELSE CASE WHEN p_en THEN 'other tax' ELSE '税额不同' END END;
	ELSE
		SELECT x.* INTO what, line, line_ours, line_theirs, note
		FROM elecbill._parallel_guess(p_bill, delta, p_theirs_kwh IS NULL, p_en) AS x;
	END IF;
END $$;
COMMENT ON FUNCTION elecbill._parallel_why(bigint, numeric, numeric, numeric, numeric, numeric, numeric, jsonb[], boolean) IS 'the line that explains why a bill differs from that of the file: what _parallel_bills() says of both, and the rows of the account in the file';

CREATE FUNCTION elecbill._parallel_guess(p_bill bigint, p_delta numeric, p_any_kwh boolean, p_en boolean, OUT what text, OUT line text,
	OUT line_ours numeric, OUT line_theirs numeric, OUT note text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	l		record;
	t		record;
	kwh		numeric;
BEGIN
	SELECT concat_ws(' ', x.component, x.period, x.tier) AS line, x.amount INTO l FROM elecbill.bill_line x
	WHERE x.bill_id = p_bill AND x.amount = p_delta ORDER BY x.kind = 'energy', x.n LIMIT 1;
	IF FOUND AND p_delta <> 0 THEN
		what := 'line_only_here';
		line := l.line;
		line_ours := l.amount;
		note := CASE WHEN p_en THEN 'the line is all of the difference' ELSE '该项即全部差额' END;
		RETURN;
	END IF;
	IF abs(p_delta) <= 0.01 * (SELECT count(*) FROM elecbill.bill_line x WHERE x.bill_id = p_bill) THEN
		what := 'rounding';
		note := CASE WHEN p_en THEN 'not more than a cent for each line' ELSE '每项不超过一分' END;
		RETURN;
	END IF;
	SELECT * INTO t FROM elecbill._parallel_tier(p_bill, p_delta);
	IF FOUND THEN
		what := 'tier';
		line := t.line;
		line_ours := t.price;
		line_theirs := t.other_price;
		note := format(CASE WHEN p_en THEN '%s kWh at %s here, at %s there' ELSE '%s 千瓦时:本系统单价 %s,原系统 %s' END, t.kwh, t.price,
			t.other_price);
		RETURN;
	END IF;
	SELECT concat_ws(' ', x.component, x.period, x.tier) AS line, x.amount, x.price INTO l FROM elecbill.bill_line x
	WHERE x.bill_id = p_bill ORDER BY x.kind = 'energy' DESC, x.tier DESC NULLS LAST, abs(x.amount) DESC, x.n LIMIT 1;
	SELECT * INTO t FROM elecbill._parallel_flat(p_bill, p_delta);
	IF FOUND THEN
		what := 'tier';
		line := t.line;
		line_ours := t.price;
		line_theirs := t.other_price;
		note := format(CASE WHEN p_en THEN 'all %s kWh at %s there' ELSE '原系统全部 %s 千瓦时单价 %s' END, t.kwh, t.other_price);
		RETURN;
	END IF;
	line := l.line;
	line_ours := l.amount;
	kwh := round(p_delta / nullif(l.price, 0), 3);
	IF p_any_kwh AND kwh = round(kwh) AND round(kwh * l.price, 2) = p_delta THEN
		what := 'other_kwh';
		note := format(CASE WHEN p_en THEN 'it would be %s kWh at %s' ELSE '相当于 %s 千瓦时,单价 %s' END, trim_scale(kwh), trim_scale(l.price));
	ELSE
		what := 'unknown';
		note := CASE WHEN p_en THEN 'no line by itself explains it; lines in the file would' ELSE '无单项可解释,请提供原账单明细' END;
	END IF;
END $$;
COMMENT ON FUNCTION elecbill._parallel_guess(bigint, numeric, boolean, boolean) IS 'what of a bill would make a difference, where the file has no lines: a line, a tier, rounding, kWh';

CREATE FUNCTION elecbill._parallel_run(p_run bigint, p_csv bytea)
RETURNS TABLE (account_no text, bill text, ours numeric, theirs numeric, difference numeric, what text, line text, line_ours numeric,
	line_theirs numeric, note text)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	run		elecbill.bill_run := elecbill._bill_run_get(p_run);
	en		boolean := elecbill._lang() = 'en';
	r		record;
	one		record;
	counts	integer[] := ARRAY[0, 0, 0];
	job		bigint;
BEGIN
	IF p_csv IS NULL THEN
		RAISE EXCEPTION 'a run is compared with the bills of a file' USING ERRCODE = 'UB400';
	END IF;
	r := elecbill._parallel_rows(p_csv);
	FOR one IN SELECT b.*, coalesce(g.given, '{}') AS given FROM elecbill._parallel_bills(run, r.given) AS b
		LEFT JOIN (SELECT x.one ->> 'account_no' AS account_no, array_agg(x.one) AS given FROM unnest(r.given) AS x(one) GROUP BY 1) AS g
			ON g.account_no = b.account_no
		WHERE NOT r.headless
		ORDER BY abs(coalesce(b.ours, 0) - coalesce(b.theirs, 0)) DESC, b.account_no
	LOOP
		counts[1] := counts[1] + (one.ours = one.theirs IS TRUE)::integer;
		counts[2] := counts[2] + (one.ours <> one.theirs IS TRUE)::integer;
		counts[3] := counts[3] + (one.ours IS NULL)::integer;
		CONTINUE WHEN one.ours = one.theirs;
		SELECT NULL::text, NULL::text, NULL::numeric, NULL::numeric, NULL::text INTO what, line, line_ours, line_theirs, note;
		account_no := one.account_no;
		bill := one.bill;
		ours := one.ours;
		theirs := one.theirs;
		difference := coalesce(ours, 0) - coalesce(theirs, 0);
		IF ours IS NULL THEN
			SELECT m.* INTO what, line, note FROM elecbill._parallel_missing(run, one.account_id, en) AS m;
		ELSIF theirs IS NULL THEN
			what := 'not_there';
			note := CASE WHEN en THEN 'the file has no bill of the account' ELSE '原系统文件中无此户' END;
		ELSE
			SELECT w.* INTO what, line, line_ours, line_theirs, note FROM elecbill._parallel_why(one.bill_id, ours, theirs, one.ours_kwh,
				one.theirs_kwh, one.ours_tax, one.theirs_tax, one.given, en) AS w;
		END IF;
		RETURN NEXT;
	END LOOP;
	INSERT INTO elecbill.import_job (org_id, usage_point_id, kind, sha256, zone, options, mode, dry_run, state, created_at, given,
		stored, duplicate, conflict, missing, rounded, ignored, errors)
	VALUES (run.org_id, NULL, 'parallel', sha256(p_csv), NULL, jsonb_build_object('run', p_run), 'skip_bad', true,
		CASE WHEN r.headless THEN 'refused' ELSE 'done' END, elecbill.now(), counts[1] + counts[2] + counts[3], 0, counts[1], counts[2], counts[3], 0, r.ignored, jsonb_array_length(r.errors))
	RETURNING id INTO job;
	PERFORM elecbill._csv_faults(job, r.errors);
	RETURN QUERY SELECT NULL::text, NULL::text, NULL::numeric, NULL::numeric, NULL::numeric, 'broken_row', e.fault ->> 'line', NULL::numeric,
		NULL::numeric, e.fault ->> 'message'
	FROM jsonb_array_elements(r.errors) WITH ORDINALITY AS e(fault, n) ORDER BY e.n;
END $$;
COMMENT ON FUNCTION elecbill._parallel_run(bigint, bytea) IS 'what parallel_run() does';

CREATE FUNCTION elecbill.parallel_run(run bigint, csv bytea)
RETURNS TABLE (account_no text, bill text, ours numeric, theirs numeric, difference numeric, what text, line text, line_ours numeric,
	line_theirs numeric, note text)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN QUERY SELECT * FROM elecbill._parallel_run(run, csv);
END $$;
COMMENT ON FUNCTION elecbill.parallel_run(bigint, bytea) IS
'compares the live bills of a run, drafts included, with those that another system made of the same period, from a CSV file in UTF-8, columns in any order: account_no 户号, amount 金额 and, the more the better, kwh 电量 and tax 税额 of a bill, or a row per line of it: line 项目 (code, name or kind of a component), tier 档, period 时段, kwh.
Returns a row per account that differs, the largest difference first: ours, theirs, difference (ours less theirs), and what explains it: other_kwh, line_only_here, line_only_there, other_amount, tax, tier, rounding, unknown, or not_billed (line says why), not_in_run, unknown_account, not_there; the line, what it is here and there (an amount, kWh or a price), and a sentence in the language of elecbill.lang. Rows of the file that cannot be read follow as broken_row with their line; where that is the line of column names, nothing else is returned. No row = all bills are the same. Nothing is written but the job in import_job (duplicate: equal bills, conflict: others, missing: only there). UB400, UB404 no such run';
