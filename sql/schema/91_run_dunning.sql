-- 91_run_dunning.sql: the run that takes the next step of each account in arrears, when its time has come
-- To be called every hour; whatever it finds done stays as it is. Locks: customer_account by id, meter.

CREATE FUNCTION elecbill._dunning_overdue(p_account bigint, p_day date, p_bills bigint[], OUT oldest_on date, OUT amount numeric)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	SELECT min(b.due_on), coalesce(sum(b.amount - b.paid), 0) INTO oldest_on, amount
	FROM elecbill.bill b
	WHERE b.account_id = p_account AND b.status IN ('issued', 'partly_paid', 'overdue') AND b.due_on < p_day AND b.amount > b.paid
		AND b.id <> ALL (coalesce(p_bills, '{}'));
END $$;
COMMENT ON FUNCTION elecbill._dunning_overdue(bigint, date, bigint[]) IS
'the earliest due date of what an account has overdue on a local day, bills of a plan apart, and how much; late fees are not dunned';

CREATE FUNCTION elecbill._arrears_facts(p_account bigint) RETURNS jsonb
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN (SELECT jsonb_build_object('org', o.name, 'account', a.account_no, 'currency', o.currency)
		FROM elecbill.customer_account a JOIN elecbill.org o ON o.id = a.org_id WHERE a.id = p_account);
END $$;
COMMENT ON FUNCTION elecbill._arrears_facts(bigint) IS 'what every notice to an account says: org, account, currency';

CREATE FUNCTION elecbill._dunning_note(p_case elecbill.dunning_case, p_n integer, p_action text, p_due_at timestamptz, p_days integer,
	p_overdue numeric, p_commands bigint[]) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	made bigint;
	facts jsonb := elecbill._arrears_facts(p_case.account_id) || jsonb_build_object('amount', p_overdue, 'days', p_days,
		'cut_off_at', (SELECT min(to_char(elecbill._after(elecbill.now(), s.wait, o.zone) AT TIME ZONE o.zone, 'YYYY-MM-DD HH24:MI')) FROM elecbill.dunning_step s, elecbill.org o
			WHERE s.policy_id = p_case.policy_id AND s.n = p_n + 1 AND p_action IN ('notice', 'last_notice') AND o.id = p_case.org_id));
BEGIN
	INSERT INTO elecbill.dunning_action (org_id, case_id, n, action, due_at, days_overdue, overdue, commands)
	VALUES (p_case.org_id, p_case.id, p_n, p_action, p_due_at, p_days, p_overdue, p_commands) RETURNING id INTO made;
	PERFORM elecbill._outbox(p_case.org_id, 'dunning_' || p_action, format('dunning:%s', made), jsonb_strip_nulls(facts));
	IF p_action IN ('disconnect', 'reconnect') THEN
		PERFORM elecbill._audit(p_case.org_id, 'dunning_' || p_action, facts ->> 'account', NULL,
			facts || jsonb_build_object('commands', p_commands));
	END IF;
END $$;
COMMENT ON FUNCTION elecbill._dunning_note(elecbill.dunning_case, integer, text, timestamptz, integer, numeric, bigint[]) IS
'writes down what was done in a case, and has the customer told (outbox, topic dunning_ACTION; cut_off_at: not before, local time)';

CREATE FUNCTION elecbill._dunning_back(INOUT c elecbill.dunning_case, p_step integer)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	c.step := p_step;
	c.step_at := (SELECT max(x.done_at) FROM elecbill.dunning_action x WHERE x.org_id = c.org_id AND x.case_id = c.id AND x.n = p_step);
END $$;
COMMENT ON FUNCTION elecbill._dunning_back(elecbill.dunning_case, integer) IS 'a case goes back to a step that it has taken: those behind it are to be taken again';

CREATE FUNCTION elecbill._dunning_reconnect(INOUT c elecbill.dunning_case, p_overdue numeric, p_days integer)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	c.orders := c.orders + 1;
	c.commands := elecbill._relay_orders(c.account_id, 'reconnect', format('dunning:%s:%s', c.id, c.orders));
	c.supply := 'reconnect';
	-- should it come to that once more, there is notice once more
	c := elecbill._dunning_back(c, (SELECT min(s.n) - 1 FROM elecbill.dunning_step s WHERE s.policy_id = c.policy_id AND s.action = 'notice'));
	PERFORM elecbill._dunning_note(c, NULL, 'reconnect', elecbill.now(), p_days, p_overdue, c.commands);
END $$;
COMMENT ON FUNCTION elecbill._dunning_reconnect(elecbill.dunning_case, numeric, integer) IS 'orders that an account is connected again';

CREATE FUNCTION elecbill._dunning_supply(INOUT c elecbill.dunning_case, p_clear boolean, p_overdue numeric, p_days integer)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	orders text := elecbill._orders_state(c.commands);
BEGIN
	IF c.supply IN ('ordered', 'off') AND p_clear THEN
		c := elecbill._dunning_reconnect(c, p_overdue, p_days);
	ELSIF c.supply = 'ordered' AND orders = 'done' THEN
		c.supply := 'off';
	ELSIF c.supply = 'ordered' AND orders = 'failed' THEN
		c.supply := 'on';
		c := elecbill._dunning_back(c, c.step - 1);
	ELSIF c.supply = 'reconnect' AND orders = 'done' THEN
		c.supply := 'on';
	ELSIF c.supply = 'reconnect' AND orders = 'failed' THEN
		c := elecbill._dunning_reconnect(c, p_overdue, p_days);
	END IF;
END $$;
COMMENT ON FUNCTION elecbill._dunning_supply(elecbill.dunning_case, boolean, numeric, integer) IS
'follows the orders of a case: done, failed and given anew; and orders to reconnect once nothing is to be dunned';

CREATE FUNCTION elecbill._dunning_fresh(INOUT c elecbill.dunning_case)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	next elecbill.dunning_step;
	last elecbill.dunning_step;
	zone text := (SELECT o.zone FROM elecbill.org o WHERE o.id = c.org_id);
BEGIN
	SELECT * INTO last FROM elecbill.dunning_step s WHERE s.policy_id = c.policy_id AND s.n = c.step;
	SELECT * INTO next FROM elecbill.dunning_step s WHERE s.policy_id = c.policy_id AND s.n = c.step + 1;
	IF next.action IN ('last_notice', 'disconnect') AND elecbill._after((SELECT max(x.done_at) FROM elecbill.dunning_action x
		WHERE x.case_id = c.id AND x.org_id = c.org_id AND x.action = 'notice'), '30 days', zone) < elecbill.now()
	THEN
		c := elecbill._dunning_back(c, (SELECT max(s.n) - 1 FROM elecbill.dunning_step s WHERE s.policy_id = c.policy_id AND s.action = 'notice'));
	ELSIF last.action = 'last_notice' AND (c.step_at AT TIME ZONE zone)::date < elecbill._today(c.org_id) THEN
		c := elecbill._dunning_back(c, c.step - 1);
	END IF;
END $$;
COMMENT ON FUNCTION elecbill._dunning_fresh(elecbill.dunning_case) IS
'a notice counts for 30 days, the last one for its day; then it is given again before anybody is disconnected';

CREATE FUNCTION elecbill._dunning_reason(c elecbill.dunning_case, p_oldest date, p_overdue numeric, p_day date) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	policy elecbill.dunning_policy;
	next elecbill.dunning_step;
	who record;
	wait_over boolean;
	reason text;
BEGIN
	SELECT a.mode, cu.tags, o.zone INTO who FROM elecbill.customer_account a JOIN elecbill.customer cu ON cu.id = a.customer_id
	JOIN elecbill.org o ON o.id = a.org_id
	WHERE a.id = c.account_id;
	SELECT * INTO policy FROM elecbill.dunning_policy p WHERE p.id = c.policy_id;
	SELECT * INTO next FROM elecbill.dunning_step s WHERE s.policy_id = c.policy_id AND s.n = c.step + 1;
	wait_over := c.step = 0 OR elecbill.now() >= elecbill._after(c.step_at, next.wait, who.zone);
	reason := CASE WHEN c.supply <> 'on' THEN c.supply
		WHEN who.mode = 'prepaid' THEN 'prepaid'
		WHEN 'no_dun' = ANY (who.tags) THEN 'no_dun'
		WHEN p_oldest IS NULL THEN 'plan'
		WHEN next.n IS NULL THEN 'no_step'
		WHEN p_overdue < policy.min_amount THEN 'below_minimum'
		WHEN NOT wait_over AND next.action IN ('last_notice', 'disconnect') THEN 'notice_runs'
		WHEN NOT wait_over OR p_day - p_oldest < next.days_overdue THEN 'not_due' END;
	IF reason IS NULL AND next.action <> 'remind' THEN
		reason := elecbill._protected(c.account_id);
	END IF;
	IF reason IS NULL AND next.action IN ('last_notice', 'disconnect') THEN
		reason := elecbill._cut_off_closed(c.org_id, policy.cut_from, policy.cut_until,
			CASE next.action WHEN 'last_notice' THEN interval '70 minutes' ELSE '10 minutes' END);
	END IF;
	RETURN reason;
END $$;
COMMENT ON FUNCTION elecbill._dunning_reason(elecbill.dunning_case, date, numeric, date) IS
'why the next step of a case is not taken now, by name (dunning_case.reason); NULL: it is to be taken';

CREATE FUNCTION elecbill._dunning_step(INOUT c elecbill.dunning_case, p_oldest date, p_overdue numeric, p_day date)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	policy elecbill.dunning_policy;
	next elecbill.dunning_step;
	zone text := (SELECT o.zone FROM elecbill.org o WHERE o.id = c.org_id);
	due_at timestamptz;
BEGIN
	SELECT * INTO policy FROM elecbill.dunning_policy p WHERE p.id = c.policy_id;
	SELECT * INTO next FROM elecbill.dunning_step s WHERE s.policy_id = c.policy_id AND s.n = c.step + 1;
	due_at := greatest(elecbill.day_start(p_oldest + next.days_overdue, zone), elecbill._after(c.step_at, next.wait, zone));
	IF next.action = 'disconnect' THEN
		c.orders := c.orders + 1;
		c.commands := elecbill._relay_orders(c.account_id, 'disconnect', format('dunning:%s:%s', c.id, c.orders), policy.cut_until);
		c.supply := 'ordered';
	END IF;
	PERFORM elecbill._dunning_note(c, next.n, next.action, due_at, p_day - p_oldest, p_overdue,
		CASE next.action WHEN 'disconnect' THEN c.commands ELSE '{}' END);
	c.step := next.n;
	c.step_at := elecbill.now();
END $$;
COMMENT ON FUNCTION elecbill._dunning_step(elecbill.dunning_case, date, numeric, date) IS 'takes the next step of a case';

CREATE FUNCTION elecbill._dunning_case(p_account bigint) RETURNS elecbill.dunning_case
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	c elecbill.dunning_case;
BEGIN
	SELECT * INTO c FROM elecbill.dunning_case x WHERE x.account_id = p_account AND x.closed_on IS NULL;
	IF NOT FOUND THEN
		INSERT INTO elecbill.dunning_case (org_id, account_id, policy_id, opened_on)
		SELECT a.org_id, a.id, p.id, elecbill._today(a.org_id)
		FROM elecbill.customer_account a JOIN elecbill.customer cu ON cu.id = a.customer_id
		JOIN elecbill.dunning_policy p ON p.org_id = a.org_id AND p.kind = cu.kind AND upper_inf(p.known)
		WHERE a.id = p_account AND a.mode = 'postpaid'
		RETURNING * INTO c;
	END IF;
	RETURN c;
END $$;
COMMENT ON FUNCTION elecbill._dunning_case(bigint) IS
'the open case of an account in arrears, which is locked; a new one unless it is prepaid, or nobody of its kind is dunned';

CREATE FUNCTION elecbill._dunning_account(p_account bigint, p_day date) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	plan elecbill.payment_plan := elecbill._plan_judge(p_account, p_day);
	today date := (SELECT elecbill._today(a.org_id) FROM elecbill.customer_account a WHERE a.id = p_account);
	late record;
	c elecbill.dunning_case;
	days integer;
BEGIN
	late := elecbill._dunning_overdue(p_account, p_day, plan.bill_ids);
	days := p_day - late.oldest_on;
	IF p_day < today AND late.oldest_on IS NULL AND (elecbill._dunning_overdue(p_account, today, plan.bill_ids)).oldest_on IS NOT NULL THEN
		RETURN;	/* who is in arrears since that day is not connected again for it */
	END IF;
	IF late.oldest_on IS NULL AND plan.id IS NULL THEN
		SELECT * INTO c FROM elecbill.dunning_case x WHERE x.account_id = p_account AND x.closed_on IS NULL;
	ELSE
		c := elecbill._dunning_case(p_account);
	END IF;
	IF c.id IS NULL THEN
		RETURN;
	END IF;
	c := elecbill._dunning_supply(c, late.oldest_on IS NULL, late.amount, days);
	c.reason := 'paid';
	IF late.oldest_on IS NULL AND plan.id IS NULL THEN
		c.closed_on := CASE c.supply WHEN 'on' THEN p_day END;
	ELSE
		c := elecbill._dunning_fresh(c);
		c.reason := coalesce(elecbill._dunning_reason(c, late.oldest_on, late.amount, p_day), 'step');
		IF c.reason = 'step' THEN
			c := elecbill._dunning_step(c, late.oldest_on, late.amount, p_day);
			c.reason := coalesce(elecbill._dunning_reason(c, late.oldest_on, late.amount, p_day), 'step');	/* one at a time */
		END IF;
	END IF;
	UPDATE elecbill.dunning_case x SET step = c.step, step_at = c.step_at, supply = c.supply, orders = c.orders, commands = c.commands,
		reason = c.reason, judged_at = elecbill.now(), closed_on = c.closed_on
	WHERE x.id = c.id;
END $$;
COMMENT ON FUNCTION elecbill._dunning_account(bigint, date) IS
'looks at an account, which is locked, on a local day: one step at most, or what comes of a payment, a plan, an order that was done or not';

CREATE FUNCTION elecbill._dunning_accounts(p_org text, p_day date) RETURNS bigint[]
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	owner integer := elecbill._org_get(p_org);
	day date := elecbill._run_day(owner, p_day);
BEGIN
	RETURN ARRAY(
		SELECT l.account_id FROM elecbill._late_accounts(owner, day) AS l
		UNION SELECT c.account_id FROM elecbill.dunning_case c WHERE c.org_id = owner AND c.closed_on IS NULL
		UNION SELECT p.account_id FROM elecbill.payment_plan p WHERE p.org_id = owner AND p.status = 'active'
		ORDER BY 1);
END $$;
COMMENT ON FUNCTION elecbill._dunning_accounts(text, date) IS 'accounts of an org that a dunning run looks at on a local day (NULL: today), by id; UB400, UB404';

CREATE FUNCTION elecbill._dunning_batch(p_org text, p_accounts bigint[], p_day date, p_wait boolean) RETURNS bigint[]
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	owner integer := elecbill._org_get(p_org);
	day date := elecbill._run_day(owner, p_day);
	mine bigint[] := elecbill._arrears_lock(owner, p_accounts, p_wait);
	one bigint;
BEGIN
	FOREACH one IN ARRAY mine LOOP
		PERFORM elecbill._dunning_account(one, day);
	END LOOP;
	RETURN ARRAY(SELECT x.id FROM unnest(p_accounts) AS x(id) WHERE x.id <> ALL (mine) AND NOT p_wait ORDER BY x.id);
END $$;
COMMENT ON FUNCTION elecbill._dunning_batch(text, bigint[], date, boolean) IS
'duns some accounts; returns those that somebody else has in hand, none when it waits for them';

CREATE PROCEDURE elecbill.dunning_run(org text, day date DEFAULT NULL)
LANGUAGE plpgsql AS $$
DECLARE
	accounts bigint[] := elecbill._dunning_accounts(org, day);
	later bigint[] := ARRAY[]::bigint[];
	i integer := 1;
BEGIN
	WHILE i OPERATOR(pg_catalog.<=) pg_catalog.cardinality(accounts) LOOP
		later := pg_catalog.array_cat(later, elecbill._dunning_batch(org, accounts[i:i OPERATOR(pg_catalog.+) 99], day, false));
		COMMIT;
		i := i OPERATOR(pg_catalog.+) 100;
	END LOOP;
	i := 1;
	WHILE i OPERATOR(pg_catalog.<=) pg_catalog.cardinality(later) LOOP
		PERFORM elecbill._dunning_batch(org, later[i:i], day, true);
		COMMIT;
		i := i OPERATOR(pg_catalog.+) 1;
	END LOOP;
END $$;
COMMENT ON PROCEDURE elecbill.dunning_run(text, date) IS
'takes the next step of every account of an org that is in arrears on a local day (default: today), by dunning_policy: reminders and notices into the outbox, orders to disconnect within hours of working days, and to reconnect whoever has paid. One step of an account at most, so to be called every hour; commits every 100 accounts, in any number of sessions. UB400 a day in the future, UB404';

CREATE VIEW elecbill.dunning_status WITH (security_invoker = true) AS
SELECT o.code AS org, a.account_no, cu.name AS customer, cu.kind, b.oldest_due_on, d.today - b.oldest_due_on AS days_overdue,
	coalesce(b.overdue, 0) AS overdue, c.step, s.action, c.step_at, n.action AS next_action, c.supply,
	coalesce(c.reason, CASE a.mode WHEN 'prepaid' THEN 'prepaid' ELSE 'no_policy' END) AS reason,
	elecbill.label(coalesce(c.reason, CASE a.mode WHEN 'prepaid' THEN 'prepaid' ELSE 'no_policy' END), elecbill._lang()) AS reason_text,
	c.judged_at
FROM elecbill.customer_account a
JOIN elecbill.customer cu ON cu.id = a.customer_id
JOIN elecbill.org o ON o.id = a.org_id
CROSS JOIN LATERAL (SELECT (elecbill.now() AT TIME ZONE o.zone)::date AS today) AS d
CROSS JOIN LATERAL (SELECT min(x.due_on) AS oldest_due_on, sum(x.amount - x.paid) AS overdue FROM elecbill.bill x
	WHERE x.account_id = a.id AND x.status IN ('issued', 'partly_paid', 'overdue') AND x.due_on < d.today AND x.amount > x.paid) AS b
LEFT JOIN elecbill.dunning_case c ON c.account_id = a.id AND c.closed_on IS NULL
LEFT JOIN elecbill.dunning_step s ON s.policy_id = c.policy_id AND s.n = c.step
LEFT JOIN elecbill.dunning_step n ON n.policy_id = c.policy_id AND n.n = c.step + 1
WHERE b.oldest_due_on IS NOT NULL OR c.id IS NOT NULL;
COMMENT ON VIEW elecbill.dunning_status IS 'accounts in arrears: at which step each is, what comes next, and why it has not come yet';
COMMENT ON COLUMN elecbill.dunning_status.org IS 'code of the org';
COMMENT ON COLUMN elecbill.dunning_status.account_no IS 'account number';
COMMENT ON COLUMN elecbill.dunning_status.customer IS 'name of the customer';
COMMENT ON COLUMN elecbill.dunning_status.kind IS 'person or company';
COMMENT ON COLUMN elecbill.dunning_status.oldest_due_on IS 'due date of the oldest bill that is overdue; NULL: all is paid, and supply is not on yet';
COMMENT ON COLUMN elecbill.dunning_status.days_overdue IS 'days since then';
COMMENT ON COLUMN elecbill.dunning_status.overdue IS 'what is overdue in the currency of the org, late fees apart';
COMMENT ON COLUMN elecbill.dunning_status.step IS 'number of the last step that was taken; 0: none, NULL: no case';
COMMENT ON COLUMN elecbill.dunning_status.action IS 'what it was: remind, notice, last_notice, disconnect';
COMMENT ON COLUMN elecbill.dunning_status.step_at IS 'when';
COMMENT ON COLUMN elecbill.dunning_status.next_action IS 'what comes next';
COMMENT ON COLUMN elecbill.dunning_status.supply IS 'on, ordered (off), off, reconnect (ordered)';
COMMENT ON COLUMN elecbill.dunning_status.reason IS 'why it was not taken yet, as dunning_case.reason; no_policy: nobody of this kind is dunned; no run was made: it, too';
COMMENT ON COLUMN elecbill.dunning_status.reason_text IS 'the reason in words';
COMMENT ON COLUMN elecbill.dunning_status.judged_at IS 'when a run looked last';
