-- 92_run_prepaid.sql: the run of prepaid accounts: charges, bills of periods that are over, orders
-- To be called every hour or so: what it finds done stays as it is. Locks: customer_account by id, pools
-- (_resale_lock()), ledger, number counter, meter.

CREATE FUNCTION elecbill._prepay_rate(p_account bigint, p_days daterange, p_final boolean) RETURNS numeric
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	true_up elecbill.bill_true_up[] := elecbill._true_up_of(p_account, lower(p_days));
	r record;
BEGIN
	r := elecbill._rate_account(p_account, p_days, elecbill.now(), NULL, elecbill._true_up_usage(true_up));
	RETURN (SELECT coalesce(sum(elecbill.rate_increment((r.definitions -> (p.part ->> 'definition'))::elecbill.tariff, NULL,
			(p.part -> 'summary')::elecbill.usage_summary, p.part -> 'ctx', p_final)), 0)
		FROM jsonb_array_elements(r.snapshot -> 'parts') AS p(part))
		+ (SELECT coalesce(sum(t.amount), 0) FROM unnest(true_up) AS t);
END $$;
COMMENT ON FUNCTION elecbill._prepay_rate(bigint, daterange, boolean) IS
'what days of an account come to, from what a bill of them would rest on; what is due once a bill (a minimum) only when they are final. Errors of rating';

CREATE FUNCTION elecbill._prepay_charge(INOUT st elecbill.prepay_state, p_to date, p_final boolean)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	total numeric;
	before record;
BEGIN
	BEGIN
		total := elecbill._prepay_rate(st.account_id, daterange(st.unbilled_from, p_to), p_final);
	EXCEPTION WHEN OTHERS THEN
		IF elecbill._not_its_fault(SQLSTATE) THEN
			RAISE;
		END IF;
		GET STACKED DIAGNOSTICS st.fault = CONSTRAINT_NAME;
		st.fault := coalesce(nullif(st.fault, ''), 'error');
		RETURN;	/* the charges of the days before stay */
	END;
	SELECT coalesce(sum(d.amount), 0) AS amount, coalesce(max(d.day) + 1, st.unbilled_from) AS next INTO before
	FROM elecbill.prepay_day d WHERE d.account_id = st.account_id AND d.day >= st.unbilled_from AND d.day < p_to - 1;
	INSERT INTO elecbill.prepay_day AS d (account_id, day, org_id, days, amount)
	VALUES (st.account_id, p_to - 1, st.org_id, p_to - before.next, total - before.amount)
	ON CONFLICT (account_id, day) DO UPDATE SET days = excluded.days, amount = excluded.amount, bill_id = NULL;
	st.rated_to := p_to;
	-- of a bill in the middle that was taken back, the days behind it are charged already
	SELECT sum(d.amount) INTO st.provisional FROM elecbill.prepay_day d WHERE d.account_id = st.account_id AND d.day >= st.unbilled_from;
END $$;
COMMENT ON FUNCTION elecbill._prepay_charge(elecbill.prepay_state, date, boolean) IS
'charges the unbilled days of an account up to the start of a local day: what they come to less what was charged for the days before the last. What cannot be rated is said in fault';

CREATE FUNCTION elecbill._prepay_bill(INOUT st elecbill.prepay_state, p_account elecbill.customer_account, p_days daterange)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	made bigint;
BEGIN
	made := elecbill._single_bill(p_account, p_days, 'offcycle');	/* the regular run of the period is that of the others */
	UPDATE elecbill.prepay_day d SET bill_id = made WHERE d.account_id = p_account.id AND d.day = upper(p_days) - 1;
EXCEPTION WHEN OTHERS THEN
	IF elecbill._not_its_fault(SQLSTATE) THEN
		RAISE;
	END IF;
	GET STACKED DIAGNOSTICS st.fault = CONSTRAINT_NAME;
	st.fault := coalesce(nullif(st.fault, ''), 'error');
END $$;
COMMENT ON FUNCTION elecbill._prepay_bill(elecbill.prepay_state, elecbill.customer_account, daterange) IS
'the draft of a period that is over, in a run of its own; why there is none is said in fault';

CREATE FUNCTION elecbill._prepay_since(p_account bigint) RETURNS date
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	billed date := (SELECT max(upper(b.service)) FROM elecbill.bill b
		WHERE b.account_id = p_account AND b.live AND b.kind IN ('regular', 'final'));
BEGIN
	-- greatest() leaves a NULL out
	RETURN (SELECT CASE WHEN count(*) > 0 THEN greatest(min(lower(g.valid)), billed) END FROM elecbill.customer_agreement g
		WHERE g.account_id = p_account AND coalesce(upper(g.valid), 'infinity') > coalesce(billed, '-infinity'));
END $$;
COMMENT ON FUNCTION elecbill._prepay_since(bigint) IS 'the first day under agreement that no live bill covers; NULL: there is none';

CREATE FUNCTION elecbill._prepay_free(p_account bigint) RETURNS bigint[]
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	free bigint[] := ARRAY[]::bigint[];
	draft bigint;
	code text;
BEGIN
	-- the bill of the grid may have come after the draft
	FOR draft IN SELECT b.id FROM elecbill.bill b JOIN elecbill.bill_run r ON r.id = b.run_id
		WHERE b.account_id = p_account AND b.status = 'draft' AND r.account_id = p_account AND r.kind = 'offcycle' ORDER BY b.service
	LOOP
		PERFORM elecbill._resale_bill(ARRAY[draft]);
		free := free || draft;
	END LOOP;
	RETURN free;
EXCEPTION WHEN OTHERS THEN
	IF elecbill._not_its_fault(SQLSTATE) THEN
		RAISE;
	END IF;
	GET STACKED DIAGNOSTICS code = CONSTRAINT_NAME;
	UPDATE elecbill.prepay_state x SET fault = coalesce(nullif(code, ''), 'error') WHERE x.account_id = p_account;
	RETURN free;
END $$;
COMMENT ON FUNCTION elecbill._prepay_free(bigint) IS
'drafts of a prepaid account, which is locked, that are to be issued, those let go included, up to the first by which more would be collected in a pool than is paid to the grid; this is said in prepay_state.fault (resale), and looked at again by the next run';

CREATE FUNCTION elecbill._prepay_account(p_account bigint, p_day date) RETURNS bigint[]
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	a elecbill.customer_account;
	st elecbill.prepay_state;
	period daterange;
	day date;
BEGIN
	SELECT * INTO a FROM elecbill.customer_account x WHERE x.id = p_account;
	INSERT INTO elecbill.prepay_state (account_id, org_id) VALUES (a.id, a.org_id) ON CONFLICT (account_id) DO NOTHING;
	SELECT * INTO st FROM elecbill.prepay_state x WHERE x.account_id = a.id;
	day := greatest(p_day, st.rated_to);	/* what was charged stays charged */
	st.fault := NULL;
	LOOP
		st.unbilled_from := elecbill._prepay_since(a.id);
		st.provisional := 0;
		EXIT WHEN (st.unbilled_from < day) IS NOT TRUE;
		SELECT elecbill.billing_period(o.code, y.code, st.unbilled_from) INTO period
		FROM elecbill.org o JOIN elecbill.billing_cycle y ON y.id = a.billing_cycle_id WHERE o.id = a.org_id;
		SELECT coalesce(sum(d.amount), 0) INTO st.provisional FROM elecbill.prepay_day d
		WHERE d.account_id = a.id AND d.day >= st.unbilled_from;
		st := elecbill._prepay_charge(st, least(day, upper(period)), upper(period) <= day);
		EXIT WHEN upper(period) > day OR st.fault IS NOT NULL;
		st := elecbill._prepay_bill(st, a, daterange(st.unbilled_from, upper(period)));
		EXIT WHEN st.fault IS NOT NULL;
	END LOOP;
	UPDATE elecbill.prepay_state x SET unbilled_from = st.unbilled_from, rated_to = st.rated_to, provisional = st.provisional,
		fault = st.fault
	WHERE x.account_id = a.id;
	-- drafts that were held, and let go since or decided, are issued, too
	PERFORM elecbill._hold_decided(b.run_id) FROM elecbill.bill b JOIN elecbill.bill_run r ON r.id = b.run_id
	WHERE b.account_id = a.id AND b.status = 'held' AND r.account_id = a.id AND r.kind = 'offcycle';
	RETURN elecbill._prepay_free(a.id);
END $$;
COMMENT ON FUNCTION elecbill._prepay_account(bigint, date) IS
'charges a prepaid account, which is locked, up to the start of a local day, and writes the bills of periods that are over; returns its drafts that are to be issued';

CREATE FUNCTION elecbill._prepay_open(p_account bigint) RETURNS numeric
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN (SELECT coalesce(sum(b.amount - b.paid + b.late_fee), 0) FROM elecbill.bill b
		WHERE b.account_id = p_account AND b.live AND b.status <> 'written_off' AND (b.amount <> b.paid OR b.late_fee > 0));
END $$;
COMMENT ON FUNCTION elecbill._prepay_open(bigint) IS 'what is open of the bills of an account and of the late fees on them, drafts included';

CREATE FUNCTION elecbill._prepay_waiting(p_account bigint) RETURNS numeric
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN coalesce((SELECT sum(r.amount) FROM elecbill.allocation_result r JOIN elecbill.allocation a ON a.id = r.allocation_id
			WHERE r.account_id = p_account AND r.bill_id IS NULL AND r.amount <> 0 AND a.state = 'done'), 0)
		+ coalesce((SELECT sum(j.amount) FROM elecbill.adjustment j
			WHERE j.account_id = p_account AND j.bill_id IS NULL AND j.state = 'approved'), 0);
END $$;
COMMENT ON FUNCTION elecbill._prepay_waiting(bigint) IS 'shares of common energy and adjustments of an account that wait for its next bill, as _bill_extra() takes them';

CREATE FUNCTION elecbill._prepay_tell(p_state elecbill.prepay_state) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	facts jsonb := jsonb_strip_nulls(elecbill._arrears_facts(p_state.account_id) || jsonb_build_object('available', p_state.available,
		'mean_day', p_state.mean_day, 'cut_off_at', (SELECT to_char(p_state.grace_until AT TIME ZONE o.zone, 'YYYY-MM-DD HH24:MI') FROM elecbill.org o
			WHERE o.id = p_state.org_id AND p_state.state = 'zero')));
	account text := facts ->> 'account';
	one record;
BEGIN
	FOR one IN SELECT * FROM (VALUES ('prepay_low', 'warn', p_state.state = 'low'),
		('prepay_zero', 'error', p_state.state IN ('zero', 'ordered', 'off'))) AS x(code, severity, raised)
	LOOP
		IF one.raised THEN
			PERFORM elecbill._alarm_during(p_state.org_id, NULL, one.code, one.severity, account, tstzrange(elecbill.now(), NULL), facts);
		ELSE
			PERFORM elecbill._alarm_end(p_state.org_id, one.code, account, elecbill.now());
		END IF;
	END LOOP;
	IF p_state.state IN ('low', 'zero', 'ordered', 'reconnect') THEN
		PERFORM elecbill._outbox(p_state.org_id, CASE p_state.state WHEN 'low' THEN 'low_balance' ELSE 'prepay_' || p_state.state END,
			format('prepay:%s:%s:%s', p_state.account_id, p_state.state, trunc(extract(epoch FROM p_state.since) * 1000)), facts);
	END IF;
	IF p_state.state IN ('ordered', 'reconnect') THEN
		PERFORM elecbill._audit(p_state.org_id, 'prepay_' || p_state.state, account, NULL,
			facts || jsonb_build_object('commands', p_state.commands));
	END IF;
END $$;
COMMENT ON FUNCTION elecbill._prepay_tell(elecbill.prepay_state) IS
'a prepaid account has come into another state: alarms prepay_low and prepay_zero, and the customer is told (outbox: low_balance, prepay_zero, prepay_ordered, prepay_reconnect)';

CREATE FUNCTION elecbill._prepay_next(INOUT st elecbill.prepay_state)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	policy elecbill.prepay_policy := elecbill._prepay_policy(st.org_id);
	level text := elecbill._prepay_level(st);
	orders text := elecbill._orders_state(st.commands);
BEGIN
	st.reason := NULL;
	IF st.state IN ('ordered', 'off') AND level <> 'zero' OR st.state = 'reconnect' AND orders = 'failed' THEN
		st.orders := st.orders + 1;
		st.state := 'reconnect';
		st.commands := elecbill._relay_orders(st.account_id, 'reconnect', format('prepay:%s:%s', st.account_id, st.orders));
		RETURN;
	ELSIF st.state = 'ordered' AND orders <> 'failed' THEN
		st.state := CASE orders WHEN 'done' THEN 'off' ELSE 'ordered' END;
		RETURN;
	ELSIF st.state = 'off' OR st.state = 'reconnect' AND orders = 'open' THEN
		RETURN;
	END IF;
	IF level = 'zero' AND st.state NOT IN ('zero', 'ordered') THEN
		st.grace_until := (elecbill._next_working_day(st.org_id, elecbill._today(st.org_id)) + policy.cut_from)
			AT TIME ZONE (SELECT o.zone FROM elecbill.org o WHERE o.id = st.org_id);
	END IF;
	st.state := level;
	IF level <> 'zero' THEN
		st.grace_until := NULL;
		RETURN;
	END IF;
	st.reason := CASE WHEN elecbill.now() < st.grace_until THEN 'grace' ELSE coalesce(elecbill._protected(st.account_id),
		elecbill._cut_off_closed(st.org_id, policy.cut_from, policy.cut_until)) END;
	IF st.reason IS NULL THEN
		st.orders := st.orders + 1;
		st.state := 'ordered';
		st.commands := elecbill._relay_orders(st.account_id, 'disconnect', format('prepay:%s:%s', st.account_id, st.orders), policy.cut_until);
	END IF;
END $$;
COMMENT ON FUNCTION elecbill._prepay_next(elecbill.prepay_state) IS
'the state that follows by what is available, by the clock, and by what became of orders: normal, low, zero by amount; zero to ordered when grace is over and it may be done; ordered to off when it is done, back to zero when not; ordered and off to reconnect when something is available, and from there by amount when it is done';

CREATE FUNCTION elecbill._prepay_judge(p_account bigint, p_day date) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	st elecbill.prepay_state;
	was elecbill.prepay_state;
BEGIN
	SELECT * INTO was FROM elecbill.prepay_state x WHERE x.account_id = p_account;
	st := was;
	st.open := elecbill._prepay_open(p_account);
	st.waiting := elecbill._prepay_waiting(p_account);
	st.available := elecbill._advance_open(st.org_id, p_account) - st.open - st.provisional - st.waiting;
	SELECT coalesce(round(greatest(sum(d.amount), 0) / sum(d.days), 2), 0) INTO st.mean_day FROM elecbill.prepay_day d
	WHERE d.account_id = p_account AND d.day >= p_day - 30 AND d.day < p_day;
	st := elecbill._prepay_next(st);
	IF (st.state, st.orders) <> (was.state, was.orders) THEN
		st.since := elecbill.now();
		-- that an order was not carried out is no news for the customer
		IF (was.state, st.state) <> ('ordered', 'zero') THEN
			PERFORM elecbill._prepay_tell(st);
		END IF;
	END IF;
	UPDATE elecbill.prepay_state x SET open = st.open, waiting = st.waiting, available = st.available, mean_day = st.mean_day, state = st.state,
		since = st.since, grace_until = st.grace_until, orders = st.orders, commands = st.commands, reason = st.reason,
		judged_at = elecbill.now()
	WHERE x.account_id = p_account;
END $$;
COMMENT ON FUNCTION elecbill._prepay_judge(bigint, date) IS 'what is left on a prepaid account, which is locked, and what comes of it';

CREATE FUNCTION elecbill._prepay_accounts(p_org text, p_day date) RETURNS bigint[]
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	owner integer := elecbill._org_get(p_org);
BEGIN
	PERFORM elecbill._run_day(owner, p_day);
	RETURN ARRAY(SELECT a.id FROM elecbill.customer_account a WHERE a.org_id = owner AND a.mode = 'prepaid' ORDER BY a.id);
END $$;
COMMENT ON FUNCTION elecbill._prepay_accounts(text, date) IS 'prepaid accounts of an org, by id; UB400, UB404';

CREATE FUNCTION elecbill._prepay_batch(p_org text, p_accounts bigint[], p_day date, p_wait boolean) RETURNS bigint[]
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET jit = off AS $$
DECLARE
	owner integer := elecbill._org_get(p_org);
	day date := elecbill._run_day(owner, p_day);
	mine bigint[] := elecbill._arrears_lock(owner, p_accounts, p_wait);
	drafts bigint[] := ARRAY[]::bigint[];
	one record;
BEGIN
	-- whoever was prepaid when the run began may have changed
	mine := ARRAY(SELECT a.id FROM elecbill.customer_account a WHERE a.id = ANY (mine) AND a.mode = 'prepaid' ORDER BY a.id);
	LOCK TABLE ONLY elecbill.reading IN ACCESS SHARE MODE;	/* as _bill_run_batch() */
	PERFORM elecbill._resale_lock(elecbill._resale_parents(mine));
	FOR one IN SELECT u.id FROM unnest(mine) AS u(id) LOOP
		drafts := drafts || elecbill._prepay_account(one.id, day);
	END LOOP;
	FOR one IN SELECT a.billing_cycle_id, array_agg(b.id ORDER BY a.account_no, b.service) AS bills
		FROM elecbill.bill b JOIN elecbill.customer_account a ON a.id = b.account_id
		WHERE b.id = ANY (drafts) GROUP BY a.billing_cycle_id ORDER BY a.billing_cycle_id
	LOOP
		PERFORM elecbill._bills_issue(owner, one.billing_cycle_id, one.bills);
	END LOOP;
	-- of drafts that were held and let go
	UPDATE elecbill.bill_run_batch x SET issue_state = 'done' FROM elecbill.bill b
	WHERE b.id = ANY (drafts) AND x.run_id = b.run_id AND x.issue_state = 'pending';
	UPDATE elecbill.bill_run r SET status = 'done' FROM elecbill.bill b WHERE b.id = ANY (drafts) AND r.id = b.run_id AND r.status = 'review';
	FOR one IN SELECT u.id FROM unnest(mine) AS u(id) LOOP
		PERFORM elecbill._prepay_judge(one.id, day);
	END LOOP;
	RETURN ARRAY(SELECT x.id FROM unnest(p_accounts) AS x(id) WHERE x.id <> ALL (mine) AND NOT p_wait
		AND EXISTS (SELECT FROM elecbill.customer_account a WHERE a.id = x.id AND a.mode = 'prepaid') ORDER BY x.id);
END $$;
COMMENT ON FUNCTION elecbill._prepay_batch(text, bigint[], date, boolean) IS
'charges, bills and judges some prepaid accounts; returns those that somebody else has in hand, none when it waits for them';

CREATE PROCEDURE elecbill.prepay_run(org text, day date DEFAULT NULL)
LANGUAGE plpgsql AS $$
DECLARE
	accounts bigint[] := elecbill._prepay_accounts(org, day);
	later bigint[] := ARRAY[]::bigint[];
	i integer := 1;
BEGIN
	WHILE i OPERATOR(pg_catalog.<=) pg_catalog.cardinality(accounts) LOOP
		later := pg_catalog.array_cat(later, elecbill._prepay_batch(org, accounts[i:i OPERATOR(pg_catalog.+) 19], day, false));
		COMMIT;
		i := i OPERATOR(pg_catalog.+) 20;
	END LOOP;
	i := 1;
	WHILE i OPERATOR(pg_catalog.<=) pg_catalog.cardinality(later) LOOP
		PERFORM elecbill._prepay_batch(org, later[i:i], day, true);
		COMMIT;
		i := i OPERATOR(pg_catalog.+) 1;
	END LOOP;
END $$;
COMMENT ON PROCEDURE elecbill.prepay_run(text, date) IS
'charges the prepaid accounts of an org for the days before a local day (default: today), as far as they are read; issues the bill of each period that is over and pays it from advance credit; warns, orders supply off when grace is over, and on again when something was paid. To be called every hour: what is done stays. Commits every 20 accounts, in any number of sessions. UB400 a day in the future, UB404';
