-- 84_opening_import.sql: the file of what is taken over, as a whole; what came of it; checks

CREATE FUNCTION elecbill._opening_rows(p_org elecbill.org, p_job bigint, p_csv bytea, p_undo boolean, p_strict boolean, p_on date,
	OUT stored integer, OUT ignored integer, OUT errors jsonb, OUT refused boolean)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	given	record;
	row		jsonb;
	head	text[];
	faults	jsonb[] := '{}'::jsonb[];
	field	text;
	state	text;
	message	text;
BEGIN
	stored := 0;
	ignored := 0;
	refused := false;
	BEGIN
		FOR given IN SELECT * FROM elecbill.csv_rows(p_csv) LOOP
			BEGIN
				IF head IS NULL THEN
					head := elecbill._opening_head(given.fields, given.fault);
					CONTINUE;
				END IF;
				row := elecbill._opening_parse(head, given.fields, given.fault);
				IF row IS NULL THEN
					ignored := ignored + 1;
				ELSE
					PERFORM elecbill._opening_row(p_org, p_job, given.line, row);
					stored := stored + 1;
				END IF;
			EXCEPTION
				WHEN SQLSTATE 'UB400' OR SQLSTATE 'UB404' OR SQLSTATE 'UB409' OR SQLSTATE 'UB412' OR SQLSTATE 'UB422'
					OR data_exception OR integrity_constraint_violation THEN
				GET STACKED DIAGNOSTICS field = COLUMN_NAME, state = RETURNED_SQLSTATE, message = MESSAGE_TEXT;
				faults := faults || elecbill._row_fault(given.line, field, state, message);
				EXIT WHEN head IS NULL;		/* without column names no row means anything */
			END;
		END LOOP;
		IF head IS NULL AND faults = '{}' THEN
			faults := faults || elecbill._row_fault(1, NULL, 'UB400', 'the file is empty');
		END IF;
		refused := head IS NULL OR p_strict AND faults <> '{}';
		IF NOT refused THEN
			PERFORM elecbill._opening_issue(p_org.id, p_job, p_on);
		END IF;
		IF p_undo OR refused THEN
			RAISE SQLSTATE 'UB0DR';
		END IF;
	EXCEPTION WHEN SQLSTATE 'UB0DR' THEN
		NULL;	/* all of it was done, and is undone here */
	END;
	errors := to_jsonb(faults);
END $$;
COMMENT ON FUNCTION elecbill._opening_rows(elecbill.org, bigint, bytea, boolean, boolean, date) IS 'the rows of a file of import_opening(), done, or done and undone; what was wrong with them';

CREATE FUNCTION elecbill._opening_check(p_org elecbill.org, p_on date) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF p_org.state = 'live' THEN
		RAISE EXCEPTION USING
			ERRCODE = 'UB412',
			MESSAGE = format('org %s is live, and takes nothing over any more', quote_literal(p_org.code)),
			HINT = 'Balances are taken over before go_live(); another estate is an org of its own.';
	ELSIF isfinite(p_on) IS NOT TRUE OR p_on > elecbill._today(p_org.id) THEN
		RAISE EXCEPTION USING ERRCODE = 'UB400', MESSAGE = 'what is taken over is booked on a day that has come';
	ELSIF EXISTS (SELECT FROM elecbill.accounting_period c WHERE c.org_id = p_org.id AND c.status = 'closed'
		AND c.month >= date_trunc('month', p_on::timestamp)::date)
	THEN
		RAISE EXCEPTION USING
			ERRCODE = 'UB412',
			MESSAGE = format('the books of %s are closed', to_char(p_on, 'YYYY-MM')),
			HINT = 'Name a day of an open month.';
	END IF;
END $$;
COMMENT ON FUNCTION elecbill._opening_check(elecbill.org, date) IS 'UB400 not a day, UB412 the org is live, or the month is closed';

CREATE FUNCTION elecbill._import_opening(p_org text, p_csv bytea, p_mode text, p_dry_run boolean, p_on date) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	owner	elecbill.org;
	done	bigint;
	day		date;
	r		record;
BEGIN
	IF p_csv IS NULL OR p_dry_run IS NULL OR p_mode IN ('all_or_nothing', 'skip_bad') IS NOT TRUE THEN
		RAISE EXCEPTION 'a file is imported all_or_nothing or skip_bad'
			USING ERRCODE = 'UB400', DETAIL = format('The value is %s.', quote_nullable(p_mode));
	END IF;
	SELECT o.* INTO owner FROM elecbill.org AS o WHERE o.id = elecbill._org_get(p_org) FOR NO KEY UPDATE;
	SELECT j.id INTO done FROM elecbill.import_job AS j
	WHERE j.org_id = owner.id AND j.kind = 'opening' AND j.sha256 = sha256(p_csv) AND j.state = 'done' AND NOT j.dry_run;
	IF FOUND THEN
		RETURN done;
	END IF;
	day := coalesce(p_on, elecbill._today(owner.id));
	PERFORM elecbill._opening_check(owner, day);
	PERFORM FROM elecbill.customer_account a WHERE a.org_id = owner.id ORDER BY a.id FOR NO KEY UPDATE;
	INSERT INTO elecbill.import_job (org_id, usage_point_id, kind, sha256, zone, options, mode, dry_run, state, created_at, given,
		stored, duplicate, conflict, missing, rounded, ignored, errors)
	VALUES (owner.id, NULL, 'opening', sha256(p_csv), owner.zone, jsonb_strip_nulls(jsonb_build_object('on', p_on)), p_mode, p_dry_run,
		'refused', elecbill.now(), 0, 0, 0, 0, 0, 0, 0, 0)
	RETURNING id INTO done;
	r := elecbill._opening_rows(owner, done, p_csv, p_dry_run, p_mode = 'all_or_nothing', day);
	UPDATE elecbill.import_job j SET state = CASE WHEN r.refused THEN 'refused' ELSE 'done' END, given = r.stored,
		stored = CASE WHEN r.refused THEN 0 ELSE r.stored END, ignored = r.ignored, errors = jsonb_array_length(r.errors)
	WHERE j.id = done;
	PERFORM elecbill._csv_faults(done, r.errors);
	PERFORM elecbill._audit(owner.id, 'import_opening', 'import ' || done, NULL, (SELECT jsonb_build_object('state', j.state,
		'dry_run', j.dry_run, 'rows', j.given, 'errors', j.errors, 'sha256', encode(j.sha256, 'hex'), 'on', to_char(day, 'YYYY-MM-DD'))
		FROM elecbill.import_job j WHERE j.id = done));
	RETURN done;
END $$;
COMMENT ON FUNCTION elecbill._import_opening(text, bytea, text, boolean, date) IS 'what import_opening() does';

CREATE FUNCTION elecbill.import_opening(org text, csv bytea, mode text DEFAULT 'all_or_nothing', dry_run boolean DEFAULT false,
	on_day date DEFAULT NULL) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN elecbill._import_opening(org, csv, mode, dry_run, on_day);
EXCEPTION WHEN OTHERS THEN
	PERFORM elecbill._refused(org, 'import_opening', encode(sha256(csv), 'hex'), SQLSTATE, SQLERRM);
	RAISE;
END $$;
COMMENT ON FUNCTION elecbill.import_opening(text, bytea, text, boolean, date) IS
'takes over from another system, before go_live(), by a CSV file in UTF-8, a row per item, columns in any order: kind 类别, account_no 户号 and, by kind:
bill 欠费: amount 金额, due_on 应缴日期, number 账单号 (of the other system), from_day 起始日期, to_day 截止日期 (first and last day of use): a bill of kind opening with that due date, counted in arrears, to be paid or cancelled as any other;
advance 预存, deposit 押金: amount;
energy 累计电量: kwh 电量 since the month, quarter or year of the tiers began (scope 档期, where the tariff has several; tariff 电价, where the account has several): tiers go on from there;
demand 最大需量: kw 需量 of a month 月份 such as 2026-01 (demand 需量项, point 用电点 and tariff, where there are several): ratchets look back to it.
energy and demand count what lies before as_of 截至日期, by default the first day of the agreement. Columns note 备注 and name 户名 are not read. on_day: local day of the bookings (default: today). Returns the job in import_job, as import_readings() does, with the errors by line and column in import_row_error: all_or_nothing or skip_bad. dry_run does all of it and undoes it but the job. The same file again is answered by the job of the first time. UB400, UB404 unknown org, UB412 the org is live, or the month of the day is closed';

CREATE VIEW elecbill.opening_total WITH (security_invoker = true) AS
SELECT o.code AS org, i.job_id, i.kind, count(*) AS items, count(DISTINCT i.account_id) AS accounts, sum(i.amount) AS amount,
	sum(i.kwh) AS kwh, max(i.kw) AS kw, sum(b.amount - b.paid) FILTER (WHERE b.live) AS open, i.org_id
FROM elecbill.opening_item i
JOIN elecbill.org o ON o.id = i.org_id
LEFT JOIN elecbill.bill b ON b.id = i.bill_id
GROUP BY o.code, i.job_id, i.kind, i.org_id;
COMMENT ON VIEW elecbill.opening_total IS 'control totals of what was taken over, by file and kind, to be compared with those of the system before';
COMMENT ON COLUMN elecbill.opening_total.org IS 'code of the org';
COMMENT ON COLUMN elecbill.opening_total.job_id IS 'the file: import_job.id';
COMMENT ON COLUMN elecbill.opening_total.kind IS 'bill, advance, deposit, energy or demand';
COMMENT ON COLUMN elecbill.opening_total.items IS 'rows';
COMMENT ON COLUMN elecbill.opening_total.accounts IS 'accounts they are about';
COMMENT ON COLUMN elecbill.opening_total.amount IS 'money in all, in the currency of the org';
COMMENT ON COLUMN elecbill.opening_total.kwh IS 'of energy: kWh in all';
COMMENT ON COLUMN elecbill.opening_total.kw IS 'of demand: the highest';
COMMENT ON COLUMN elecbill.opening_total.open IS 'of bill: what is still to be paid today';
COMMENT ON COLUMN elecbill.opening_total.org_id IS 'owner';

CREATE FUNCTION elecbill._fsck_opening(p_org integer) RETURNS TABLE (invariant text, object text, detail text)
LANGUAGE sql STABLE SET jit = off
BEGIN ATOMIC
	SELECT 'opening', format('bill %s', b.id), format('%s over %s, taken over was %s', b.kind, b.amount, coalesce(i.amount::text, 'nothing'))
	FROM elecbill.bill b FULL JOIN elecbill.opening_item i ON i.bill_id = b.id
	WHERE (b.kind = 'opening' OR i.bill_id IS NOT NULL) AND (p_org IS NULL OR coalesce(b.org_id, i.org_id) = p_org)
		AND (b.kind, b.amount, b.account_id, b.org_id) IS DISTINCT FROM ('opening', i.amount, i.account_id, i.org_id)
UNION ALL
	SELECT 'opening', format('%s, item %s', i.kind, i.id), format('%s was taken over, %s is booked', i.amount, coalesce(s.amount, 0))
	FROM elecbill.opening_item i
	JOIN elecbill.customer_account a ON a.id = i.account_id
	LEFT JOIN LATERAL (SELECT sum(t.amount) AS amount FROM elecbill.ledger_account l
		JOIN elecbill.ledger_transfer t ON l.id = CASE i.kind WHEN 'bill' THEN t.debit_id ELSE t.credit_id END
		WHERE l.org_id = i.org_id AND l.code = CASE i.kind WHEN 'bill' THEN 'receivable' ELSE i.kind END || ':' || a.account_no
			AND t.kind = 'opening' AND t.bill_id IS NOT DISTINCT FROM i.bill_id) AS s ON true
	WHERE i.amount IS NOT NULL AND s.amount IS DISTINCT FROM i.amount AND (p_org IS NULL OR i.org_id = p_org)
UNION ALL
	SELECT 'opening', format('bill %s', b.id), format('its ratchet knows %s kW of %s in %s, taken over was %s',
		coalesce(p.part #>> ARRAY['ctx', 'past_kw', i.demand, to_char(i.month, 'YYYY-MM')], 'nothing'), i.demand,
		to_char(i.month, 'YYYY-MM'), i.kw)
	FROM elecbill.opening_item i
	JOIN elecbill.bill b ON b.account_id = i.account_id AND b.live,
		jsonb_array_elements(b.snapshot -> 'parts') AS p(part)
	JOIN elecbill.customer_agreement g ON g.id = (p.part ->> 'agreement_id')::bigint
	WHERE i.kind = 'demand' AND g.usage_point_id = i.usage_point_id AND g.tariff_plan_id = i.tariff_plan_id
		AND p.part #> '{ctx,past_kw}' IS NOT NULL AND (p.part ->> 'since')::date <= i.month AND (p.part ->> 'from')::date > i.month
		AND (p.part #>> ARRAY['ctx', 'past_kw', i.demand, to_char(i.month, 'YYYY-MM')])::numeric >= i.kw IS NOT TRUE
		AND (p_org IS NULL OR i.org_id = p_org)
UNION ALL
	SELECT 'sandbox', format('org %s', o.code), 'org_empty() did not come to its end'
	FROM elecbill.org o WHERE o.emptying IS NOT NULL AND (p_org IS NULL OR o.id = p_org);
END;
COMMENT ON FUNCTION elecbill._fsck_opening(integer) IS
'broken invariants of what was taken over: opening bills and items are the same, all are booked, ratchets know the peaks; tiers are those of I09 and usage_counter';
