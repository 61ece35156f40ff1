-- 97_policy.sql: what a resident reads, and which rows each role sees
--
-- Row security is on for every table of a tenant (99_grant.sql) and has no policy until grant_roles()
-- makes some: whoever is not the owner sees nothing. A policy asks once per statement, for an array:
-- on a million bills 0.4 ms; a function per row takes seconds.

-- ---------------------------------------------------------------- a resident's views

CREATE FUNCTION elecbill._my_credit() RETURNS TABLE (account_id bigint, credit numeric)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	SELECT l.account_id, sum(b.credit - b.debit)
	FROM elecbill.ledger_account l JOIN elecbill.account_balance b ON b.ledger_account_id = l.id
	WHERE l.account_id = ANY ((SELECT elecbill.my_accounts())::bigint[]) AND l.code LIKE 'advance:%'
	GROUP BY l.account_id;
END;
COMMENT ON FUNCTION elecbill._my_credit() IS 'advance credit of the accounts of my_accounts(), in the currency of the org; residents read no ledger';

CREATE FUNCTION elecbill._my_home() RETURNS TABLE (account_id bigint, usage_point_id bigint, meter text,
	read_at timestamptz, register_wh bigint, month_wh numeric)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off
BEGIN ATOMIC
	SELECT g.account_id, g.usage_point_id, m.serial, l.read_at, l.register_wh,
		(SELECT sum(v.energy_wh)
		FROM elecbill.meter_installation x
		JOIN elecbill.meter_register y ON y.meter_id = x.meter_id AND y.code = '1.8.0'
		CROSS JOIN LATERAL elecbill._installation_intervals(x.id, x.usage_point_id, y.id, y.code, x.multiplier, y.wrap_wh,
			greatest(lower(x.valid), s.since), coalesce(upper(x.valid), 'infinity')) AS v
		WHERE x.usage_point_id = g.usage_point_id AND x.role = 'main' AND coalesce(upper(x.valid), 'infinity') > s.since)
	FROM elecbill.customer_agreement g
	JOIN elecbill.org o ON o.id = g.org_id
	CROSS JOIN LATERAL (SELECT (elecbill.now() AT TIME ZONE o.zone)::date) AS d(today)
	CROSS JOIN LATERAL (SELECT elecbill.day_start(greatest(date_trunc('month', d.today::timestamp)::date, lower(g.valid)),
		o.zone)) AS s(since)
	LEFT JOIN elecbill.meter_installation i ON i.usage_point_id = g.usage_point_id AND i.role = 'main'
		AND i.valid @> elecbill.now()
	LEFT JOIN elecbill.meter m ON m.id = i.meter_id
	LEFT JOIN elecbill.meter_register r ON r.meter_id = i.meter_id AND r.code = '1.8.0'
	-- what the meter showed before moving in is not theirs to know
	LEFT JOIN elecbill._reading_newest l ON l.register_id = r.id
		AND l.read_at >= elecbill.day_start(lower(g.valid), o.zone)
	WHERE g.account_id = ANY ((SELECT elecbill.my_accounts())::bigint[]) AND g.valid @> d.today;
END;
COMMENT ON FUNCTION elecbill._my_home() IS
'what my_home shows of the meters: for each agreement of today of my_accounts(), the latest reading of the total import register as the meter shows it (Wh), and the energy of the local month so far (Wh, primary side). Residents have no right on readings';

CREATE VIEW elecbill.my_bills WITH (security_invoker = true) AS
SELECT o.code AS org, a.account_no, b.number, b.service, b.kind, b.amount, b.paid, b.amount - b.paid AS open, o.currency,
	b.issued_at, b.due_on, b.status, elecbill.label(CASE WHEN b.status = 'issued' AND b.amount = 0 THEN 'paid' ELSE b.status END, elecbill._lang()) AS status_text
FROM elecbill.bill b
JOIN elecbill.customer_account a ON a.id = b.account_id
JOIN elecbill.org o ON o.id = b.org_id
WHERE b.account_id = ANY ((SELECT elecbill.my_accounts())::bigint[]) AND b.status NOT IN ('draft', 'held');
COMMENT ON VIEW elecbill.my_bills IS 'the bills of my_accounts(); html_bill(number) and explain_bill(number) show one';
COMMENT ON COLUMN elecbill.my_bills.org IS 'code of the org';
COMMENT ON COLUMN elecbill.my_bills.account_no IS 'account number';
COMMENT ON COLUMN elecbill.my_bills.number IS 'number of the bill';
COMMENT ON COLUMN elecbill.my_bills.service IS 'local days [from, to)';
COMMENT ON COLUMN elecbill.my_bills.kind IS 'regular, opening, final, correction or credit';
COMMENT ON COLUMN elecbill.my_bills.amount IS 'amount';
COMMENT ON COLUMN elecbill.my_bills.paid IS 'what is paid of it';
COMMENT ON COLUMN elecbill.my_bills.open IS 'what is not';
COMMENT ON COLUMN elecbill.my_bills.currency IS 'currency of the amounts';
COMMENT ON COLUMN elecbill.my_bills.issued_at IS 'when it was issued';
COMMENT ON COLUMN elecbill.my_bills.due_on IS 'last local day to pay';
COMMENT ON COLUMN elecbill.my_bills.status IS 'state';
COMMENT ON COLUMN elecbill.my_bills.status_text IS 'its word in the language of elecbill.lang; of a bill of 0.00 nothing is to be paid';

CREATE VIEW elecbill.my_balance WITH (security_invoker = true) AS
SELECT o.code AS org, a.account_no, coalesce(b.open, 0) AS open, coalesce(b.overdue, 0) AS overdue, b.next_due_on,
	coalesce(c.credit, 0) AS credit, coalesce(b.open, 0) - coalesce(c.credit, 0) AS to_pay, o.currency
FROM elecbill.customer_account a
JOIN elecbill.org o ON o.id = a.org_id
LEFT JOIN elecbill._my_credit() AS c ON c.account_id = a.id
CROSS JOIN LATERAL (
	SELECT sum(x.amount - x.paid + x.late_fee) AS open,
		sum(x.amount - x.paid + x.late_fee) FILTER (WHERE x.due_on < (elecbill.now() AT TIME ZONE o.zone)::date) AS overdue,
		min(x.due_on) FILTER (WHERE x.amount > x.paid) AS next_due_on
	FROM elecbill.bill x
	WHERE x.account_id = a.id AND (x.status IN ('issued', 'partly_paid', 'overdue') OR x.status = 'paid' AND x.late_fee > 0)) AS b
WHERE a.id = ANY ((SELECT elecbill.my_accounts())::bigint[]);
COMMENT ON VIEW elecbill.my_balance IS 'what is to be paid on each of my_accounts()';
COMMENT ON COLUMN elecbill.my_balance.org IS 'code of the org';
COMMENT ON COLUMN elecbill.my_balance.account_no IS 'account number';
COMMENT ON COLUMN elecbill.my_balance.open IS 'what is open of its bills and of the late fees on them';
COMMENT ON COLUMN elecbill.my_balance.overdue IS 'of that, past its due date';
COMMENT ON COLUMN elecbill.my_balance.next_due_on IS 'the earliest local day to pay by';
COMMENT ON COLUMN elecbill.my_balance.credit IS 'advance credit';
COMMENT ON COLUMN elecbill.my_balance.to_pay IS 'open less credit; below 0: credit is left';
COMMENT ON COLUMN elecbill.my_balance.currency IS 'currency of the amounts';

CREATE VIEW elecbill.my_home WITH (security_invoker = true) AS
SELECT b.org, a.account_no, u.code AS usage_point, h.meter, h.read_at, h.register_wh * 0.001 AS register_kwh,
	h.month_wh * 0.001 AS month_kwh, b.to_pay, b.next_due_on, b.currency
FROM elecbill._my_home() AS h
JOIN elecbill.customer_account a ON a.id = h.account_id
JOIN elecbill.org o ON o.id = a.org_id
JOIN elecbill.my_balance b ON b.org = o.code AND b.account_no = a.account_no
JOIN elecbill.usage_point u ON u.id = h.usage_point_id;
COMMENT ON VIEW elecbill.my_home IS 'the homes of my_accounts() today: the meter as it was last read, this month so far, what is to be paid';
COMMENT ON COLUMN elecbill.my_home.org IS 'code of the org';
COMMENT ON COLUMN elecbill.my_home.account_no IS 'account number';
COMMENT ON COLUMN elecbill.my_home.usage_point IS 'code of the usage point';
COMMENT ON COLUMN elecbill.my_home.meter IS 'serial of its main meter; NULL: none';
COMMENT ON COLUMN elecbill.my_home.read_at IS 'when it was last read since moving in';
COMMENT ON COLUMN elecbill.my_home.register_kwh IS 'what it shows, kWh';
COMMENT ON COLUMN elecbill.my_home.month_kwh IS 'kWh since the start of the local month, or moving in, primary side';
COMMENT ON COLUMN elecbill.my_home.to_pay IS 'what is to be paid on the account';
COMMENT ON COLUMN elecbill.my_home.next_due_on IS 'the earliest local day to pay by';
COMMENT ON COLUMN elecbill.my_home.currency IS 'currency of to_pay';

CREATE VIEW elecbill.my_usage_hourly WITH (security_invoker = true) AS
SELECT a.account_no, u.code AS usage_point, elecbill.profile_direction(p.profile) AS direction, p.day,
	date_bin('1 hour', v.from_at, lower(elecbill.profile_during(p.profile))) AS from_at, sum(v.energy_wh) * 0.001 AS energy_kwh
FROM elecbill.customer_account a
JOIN elecbill.customer_agreement g ON g.account_id = a.id
JOIN elecbill.profile_day p ON p.usage_point_id = g.usage_point_id AND g.valid @> p.day AND p.direction IN (0, 1)
JOIN elecbill.usage_point u ON u.id = g.usage_point_id
CROSS JOIN LATERAL elecbill.profile_unpacked(p.profile) AS v
WHERE a.id = ANY ((SELECT elecbill.my_accounts())::bigint[])
GROUP BY 1, 2, 3, 4, 5;
COMMENT ON VIEW elecbill.my_usage_hourly IS 'hours of the finished days of my_accounts(), counted from local midnight; an interval over several hours stands in the one it begins in';
COMMENT ON COLUMN elecbill.my_usage_hourly.account_no IS 'account number';
COMMENT ON COLUMN elecbill.my_usage_hourly.usage_point IS 'code of the usage point';
COMMENT ON COLUMN elecbill.my_usage_hourly.direction IS 'import or export';
COMMENT ON COLUMN elecbill.my_usage_hourly.day IS 'local date';
COMMENT ON COLUMN elecbill.my_usage_hourly.from_at IS 'start of the hour';
COMMENT ON COLUMN elecbill.my_usage_hourly.energy_kwh IS 'kWh, primary side; NULL: missing';

CREATE VIEW elecbill.my_usage_daily WITH (security_invoker = true) AS
SELECT a.account_no, u.code AS usage_point, elecbill.profile_direction(p.profile) AS direction, p.day,
	elecbill.profile_sum(p.profile) * 0.001 AS energy_kwh,
	elecbill.profile_missing(p.profile) = 0 AS complete
FROM elecbill.customer_account a
JOIN elecbill.customer_agreement g ON g.account_id = a.id
JOIN elecbill.profile_day p ON p.usage_point_id = g.usage_point_id AND g.valid @> p.day AND p.direction IN (0, 1)
JOIN elecbill.usage_point u ON u.id = g.usage_point_id
WHERE a.id = ANY ((SELECT elecbill.my_accounts())::bigint[]);
COMMENT ON VIEW elecbill.my_usage_daily IS 'finished days of my_accounts(), while they were under agreement';
COMMENT ON COLUMN elecbill.my_usage_daily.account_no IS 'account number';
COMMENT ON COLUMN elecbill.my_usage_daily.usage_point IS 'code of the usage point';
COMMENT ON COLUMN elecbill.my_usage_daily.direction IS 'import or export';
COMMENT ON COLUMN elecbill.my_usage_daily.day IS 'local date';
COMMENT ON COLUMN elecbill.my_usage_daily.energy_kwh IS 'kWh, primary side';
COMMENT ON COLUMN elecbill.my_usage_daily.complete IS 'no interval is missing';

CREATE VIEW elecbill.my_usage_monthly WITH (security_invoker = true) AS
SELECT d.account_no, d.usage_point, d.direction, date_trunc('month', d.day::timestamp)::date AS month,
	sum(d.energy_kwh) AS energy_kwh, count(*) AS days, bool_and(d.complete) AS complete
FROM elecbill.my_usage_daily d
GROUP BY 1, 2, 3, 4;
COMMENT ON VIEW elecbill.my_usage_monthly IS 'calendar months of my_accounts(), summed over finished days';
COMMENT ON COLUMN elecbill.my_usage_monthly.account_no IS 'account number';
COMMENT ON COLUMN elecbill.my_usage_monthly.usage_point IS 'code of the usage point';
COMMENT ON COLUMN elecbill.my_usage_monthly.direction IS 'import or export';
COMMENT ON COLUMN elecbill.my_usage_monthly.month IS 'first local date of the month';
COMMENT ON COLUMN elecbill.my_usage_monthly.energy_kwh IS 'kWh, primary side';
COMMENT ON COLUMN elecbill.my_usage_monthly.days IS 'days summed';
COMMENT ON COLUMN elecbill.my_usage_monthly.complete IS 'no interval of these days is missing';

-- ---------------------------------------------------------------- rows by role

CREATE FUNCTION elecbill._row_rule() RETURNS TABLE (object text, role text, rule text)
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT r.object, r.role, replace(replace(replace(r.rule, 'ACCOUNTS', '((SELECT elecbill.my_accounts())::bigint[])'),
		'POINTS', '((SELECT elecbill._my_points())::bigint[])'),
		'LANDLORDS', '((SELECT elecbill._my_landlords())::integer[])')
	FROM (VALUES
		('org', 'resident', 'id = ANY LANDLORDS'),
		('customer_account', 'resident', 'id = ANY ACCOUNTS'),
		('customer', 'resident', 'id = ANY (ARRAY(SELECT a.customer_id FROM elecbill.customer_account a WHERE a.id = ANY ACCOUNTS))'),
		('customer_agreement', 'resident', 'account_id = ANY ACCOUNTS'),
		('prepay_state', 'resident', 'account_id = ANY ACCOUNTS'),
		('agreement_attribute', 'resident',
			'agreement_id = ANY (ARRAY(SELECT g.id FROM elecbill.customer_agreement g WHERE g.account_id = ANY ACCOUNTS))'),
		('usage_point', 'resident', 'id = ANY POINTS'),
		-- usage is personal in time: days of former and later tenants are theirs
		('profile_day', 'resident', 'usage_point_id = ANY POINTS AND EXISTS (SELECT FROM elecbill.customer_agreement g
			WHERE g.usage_point_id = profile_day.usage_point_id AND g.valid @> profile_day.day AND g.account_id = ANY ACCOUNTS)'),
		('tariff_plan', 'resident', 'org_id = ANY LANDLORDS'),
		('tariff_version', 'resident', 'org_id = ANY LANDLORDS AND status = ''approved'''),
		('bill', 'resident', 'account_id = ANY ACCOUNTS AND status NOT IN (''draft'', ''held'')'),
		('bill_line', 'resident', 'bill_id = ANY (ARRAY(SELECT b.id FROM elecbill.bill b
			WHERE b.account_id = ANY ACCOUNTS AND b.status NOT IN (''draft'', ''held'')))'),
		('bill_segment', 'resident', 'bill_id = ANY (ARRAY(SELECT b.id FROM elecbill.bill b
			WHERE b.account_id = ANY ACCOUNTS AND b.status NOT IN (''draft'', ''held'')))'),
		('payment_order', 'resident', 'account_id = ANY ACCOUNTS'),
		('payment', 'resident', 'account_id = ANY ACCOUNTS'),
		('payment_allocation', 'resident',
			'payment_id = ANY (ARRAY(SELECT p.id FROM elecbill.payment p WHERE p.account_id = ANY ACCOUNTS))'),
		('alarm', 'resident', 'usage_point_id = ANY POINTS AND code = ''usage_limit'' AND EXISTS (SELECT FROM elecbill.customer_agreement g
			JOIN elecbill.org o ON o.id = g.org_id
			WHERE g.usage_point_id = alarm.usage_point_id AND g.account_id = ANY ACCOUNTS
				AND g.valid @> (lower(alarm.during) AT TIME ZONE o.zone)::date)'),
		('bill', 'property', 'status NOT IN (''draft'', ''held'')'),
		('bill_line', 'property', 'EXISTS (SELECT FROM elecbill.bill b WHERE b.id = bill_line.bill_id AND b.status NOT IN (''draft'', ''held''))'),
		('bill_segment', 'property', 'EXISTS (SELECT FROM elecbill.bill b WHERE b.id = bill_segment.bill_id AND b.status NOT IN (''draft'', ''held''))'))
		AS r(object, role, rule);
END;
COMMENT ON FUNCTION elecbill._row_rule() IS
'which rows a resident sees of each table he reads, and what property sees less than other staff; staff sees the rows of its orgs (_role_policy)';

CREATE FUNCTION elecbill._role_policy(p_prefix text) RETURNS TABLE (object text, name text, statement text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN QUERY
	WITH reads AS (
		SELECT m.object, m.role FROM elecbill._role_right() AS m WHERE m.command = 'SELECT'
			AND EXISTS (SELECT FROM pg_class c WHERE c.relnamespace = 'elecbill'::regnamespace AND c.relname = m.object AND c.relrowsecurity)
	), parts AS (
		SELECT d.object, CASE WHEN d.role IN ('resident', 'property') AND w.rule IS NOT NULL THEN d.role ELSE 'staff' END AS name,
			d.role, w.rule
		FROM reads d LEFT JOIN elecbill._row_rule() AS w ON w.object = d.object AND w.role = d.role
	)
	SELECT p.object, p.name, format('CREATE POLICY %I ON elecbill.%I FOR SELECT TO %s USING (%s)', p.name, p.object,
		string_agg(format('%I', p_prefix || p.role), ', ' ORDER BY p.role),
		CASE WHEN p.name = 'resident' THEN min(p.rule) ELSE
			format(CASE p.object WHEN 'org' THEN 'id = ANY ((SELECT elecbill.my_orgs(%L))::integer[])'
				WHEN 'app_user' THEN 'EXISTS (SELECT FROM elecbill.org_member m WHERE m.login = app_user.login
					AND m.org_id = ANY ((SELECT elecbill.my_orgs(%L))::integer[]))'
				WHEN 'import_row_error' THEN 'EXISTS (SELECT FROM elecbill.import_job j WHERE j.id = job_id
					AND j.org_id = ANY ((SELECT elecbill.my_orgs(%L))::integer[]))'
				ELSE 'org_id = ANY ((SELECT elecbill.my_orgs(%L))::integer[])' END,
				array_agg(p.role ORDER BY p.role)::text) || coalesce(' AND ' || min(p.rule), '') END)
	FROM parts p GROUP BY p.object, p.name;
END $$;
COMMENT ON FUNCTION elecbill._role_policy(text) IS
'the policies of every table with row security, from the matrix: staff sees the rows of the orgs in which it has one of the duties that read the table, residents what _row_rule() says';
