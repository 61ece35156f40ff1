-- 83_true_up.sql: data that came or changed after it was billed
-- Delta rating: the bills that rest on it are rated again in their order, by the prices they were made
-- with; what was billed for them, earlier corrections included, is subtracted, and the difference is
-- one line of the next bill. That is what cancelling and making them anew would come to, to the cent,
-- but no bill is taken back. Tiers of later bills count the corrected energy (bill_true_up.usage).
-- Locks: customer_account, by the caller or here.

CREATE FUNCTION elecbill._true_up_mark(p_account bigint, p_since date, p_reason text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	INSERT INTO elecbill.true_up_queue (org_id, account_id, since, reason)
	SELECT a.org_id, a.id, p_since, p_reason
	FROM elecbill.customer_account a
	WHERE a.id = p_account AND NOT EXISTS (SELECT FROM elecbill.true_up_queue q
		WHERE q.account_id = a.id AND q.bill_id IS NULL AND q.since <= p_since AND q.reason = p_reason);
END $$;
COMMENT ON FUNCTION elecbill._true_up_mark(bigint, date, text) IS
'the next bill of an account is to correct what was billed from a local day on; for those who correct readings and replace estimates';

CREATE FUNCTION elecbill._trial_void(p_bill elecbill.bill) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF p_bill.status = 'written_off' THEN
		RAISE EXCEPTION USING
			ERRCODE = 'UB412',
			CONSTRAINT = 'written_off',
			MESSAGE = format('bill %s is written off; what it rests on is not corrected', p_bill.number),
			HINT = 'Correct it by hand.';
	ELSIF p_bill.status IN ('paid', 'partly_paid', 'overdue') THEN
		UPDATE elecbill.bill SET paid = 0, status = CASE p_bill.status WHEN 'overdue' THEN 'overdue' ELSE 'issued' END
		WHERE id = p_bill.id;
	END IF;
	UPDATE elecbill.bill SET status = 'cancelled', cancel_reason = 'trial' WHERE id = p_bill.id;
END $$;
COMMENT ON FUNCTION elecbill._trial_void(elecbill.bill) IS 'takes a bill out of the way inside of a subtransaction that is undone; the ledger does not hear of it';

CREATE FUNCTION elecbill._true_up_bills(p_account bigint, p_since date, p_before date) RETURNS elecbill.bill[]
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	since date := p_since;
	earlier date;
BEGIN
	-- a bill that carries corrections goes with the bills it corrects
	LOOP
		SELECT min(lower(c.service)) INTO earlier
		FROM elecbill.bill b JOIN elecbill.bill_true_up t ON t.bill_id = b.id JOIN elecbill.bill c ON c.id = t.corrected_id
		WHERE b.account_id = p_account AND b.live AND c.live AND b.service && daterange(since, p_before);
		EXIT WHEN earlier < since IS NOT TRUE;
		since := earlier;
	END LOOP;
	RETURN ARRAY(SELECT b FROM elecbill.bill b
		WHERE b.account_id = p_account AND b.live AND b.kind IN ('regular', 'final') AND b.service && daterange(since, p_before)
		ORDER BY lower(b.service));
END $$;
COMMENT ON FUNCTION elecbill._true_up_bills(bigint, date, date) IS
'the live bills of an account from a day on and before another, in order, and those they correct';

CREATE FUNCTION elecbill._bill_trial(p_old elecbill.bill[]) RETURNS elecbill.bill[]
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	made elecbill.bill[] := '{}'::elecbill.bill[];
	one elecbill.bill;
	run elecbill.bill_run;
	written record;
BEGIN
	FOR i IN REVERSE cardinality(p_old)..1 LOOP
		PERFORM elecbill._trial_void(p_old[i]);
	END LOOP;
	FOREACH one IN ARRAY p_old LOOP
		SELECT * INTO run FROM elecbill.bill_run r WHERE r.id = one.run_id;
		run.org_id := one.org_id;
		written := elecbill._bill_write(run, one.account_id, one.service, one.kind, (one.snapshot ->> 'known_at')::timestamptz, '{}', '{}');
		SELECT * INTO one FROM elecbill.bill b WHERE b.id = written.bill_id;
		made := made || one;
	END LOOP;
	RAISE EXCEPTION 'rolled back' USING ERRCODE = 'UB999';
EXCEPTION WHEN SQLSTATE 'UB999' THEN
	RETURN made;	/* all but the variables is undone */
END $$;
COMMENT ON FUNCTION elecbill._bill_trial(elecbill.bill[]) IS
'the bills that would be made instead of these, by the data of today and the prices they were made with; nothing stays of them. Errors of rating';

CREATE FUNCTION elecbill._billed(p_bill elecbill.bill, OUT amount numeric, OUT tax_amount numeric)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	SELECT coalesce(sum(l.amount), 0), coalesce(sum(l.amount) FILTER (WHERE elecbill._is_tax(l.kind, l.grp)), 0)
	INTO amount, tax_amount
	FROM elecbill.bill_line l WHERE l.bill_id = p_bill.id AND l.segment_id IS NOT NULL;
	SELECT _billed.amount + coalesce(sum(t.amount), 0), _billed.tax_amount + coalesce(sum(t.tax_amount), 0)
	INTO amount, tax_amount
	FROM elecbill.bill_true_up t JOIN elecbill.bill b ON b.id = t.bill_id
	WHERE t.corrected_id = p_bill.id AND b.live;
END $$;
COMMENT ON FUNCTION elecbill._billed(elecbill.bill) IS
'what was billed for the energy of a bill: its rated lines and what later bills corrected of them';

CREATE FUNCTION elecbill._energy_delta(p_old elecbill.bill, p_new elecbill.bill, OUT kwh numeric, OUT usage jsonb, OUT scopes jsonb)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	SELECT coalesce(sum(d.kwh), 0), coalesce(jsonb_agg(jsonb_build_object('plan_id', d.plan_id, 'from', d.since, 'kwh', d.kwh)
		ORDER BY d.plan_id, d.since), '[]') INTO kwh, usage
	FROM (
		SELECT x.plan_id, x.since, sum(x.kwh) AS kwh
		FROM (
			SELECT (p.part ->> 'plan_id')::bigint AS plan_id, (q.part ->> 'from')::date AS since, s.sign * (q.part ->> 'total_kwh')::numeric AS kwh
			FROM (VALUES (1, p_new.snapshot), (-1, p_old.snapshot)) AS s(sign, snapshot),
				jsonb_array_elements(s.snapshot -> 'parts') AS p(part), elecbill._summary_parts(p.part -> 'summary') AS q(part)
		UNION ALL
			SELECT (u.one ->> 'plan_id')::bigint, (u.one ->> 'from')::date, -(u.one ->> 'kwh')::numeric
			FROM elecbill.bill_true_up t JOIN elecbill.bill b ON b.id = t.bill_id AND b.live, jsonb_array_elements(t.usage) AS u(one)
			WHERE t.corrected_id = p_old.id) AS x
		GROUP BY x.plan_id, x.since HAVING sum(x.kwh) <> 0) AS d;
	SELECT coalesce(jsonb_agg(jsonb_build_object('plan_id', d.plan_id, 'scope', d.scope, 'start', d.start, 'kwh', d.kwh)
		ORDER BY d.plan_id, d.scope, d.start), '[]') INTO scopes
	FROM (
		SELECT x.plan_id, x.scope, x.start, sum(x.kwh) AS kwh
		FROM (
			SELECT (p.part ->> 'plan_id')::bigint AS plan_id, c.one ->> 'scope' AS scope, c.one ->> 'start' AS start,
				s.sign * (c.one ->> 'kwh')::numeric AS kwh
			FROM (VALUES (1, p_new.snapshot), (-1, p_old.snapshot)) AS s(sign, snapshot),
				jsonb_array_elements(s.snapshot -> 'parts') AS p(part), jsonb_array_elements(p.part -> 'scopes') AS c(one)
		UNION ALL
			SELECT (u.one ->> 'plan_id')::bigint, u.one ->> 'scope', u.one ->> 'start', -(u.one ->> 'kwh')::numeric
			FROM elecbill.bill_true_up t JOIN elecbill.bill b ON b.id = t.bill_id AND b.live, jsonb_array_elements(t.scopes) AS u(one)
			WHERE t.corrected_id = p_old.id) AS x
		GROUP BY x.plan_id, x.scope, x.start HAVING sum(x.kwh) <> 0) AS d;
END $$;
COMMENT ON FUNCTION elecbill._energy_delta(elecbill.bill, elecbill.bill) IS
'the energy of a new bill less that of the old one and of what was corrected of it: kWh in all, by plan and run of days, and by tier scope';

CREATE FUNCTION elecbill._true_up_trial(p_account bigint, p_since date, p_before date) RETURNS elecbill.bill_true_up[]
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	old elecbill.bill[] := elecbill._true_up_bills(p_account, p_since, p_before);
	made elecbill.bill[];
	billed record;
	energy record;
	one elecbill.bill_true_up;
	found elecbill.bill_true_up[] := '{}'::elecbill.bill_true_up[];
BEGIN
	IF old = '{}' THEN
		RETURN found;
	END IF;
	made := elecbill._bill_trial(old);
	FOR i IN 1..cardinality(old) LOOP
		billed := elecbill._billed(old[i]);
		energy := elecbill._energy_delta(old[i], made[i]);
		one.corrected_id := old[i].id;
		one.org_id := old[i].org_id;
		one.amount := made[i].amount - billed.amount;
		one.tax_amount := made[i].tax_amount - billed.tax_amount;
		one.kwh := energy.kwh;
		one.usage := energy.usage;
		one.scopes := energy.scopes;
		IF one.amount <> 0 OR one.tax_amount <> 0 OR one.usage <> '[]' THEN
			found := found || one;
		END IF;
	END LOOP;
	RETURN found;
END $$;
COMMENT ON FUNCTION elecbill._true_up_trial(bigint, date, date) IS
'what a bill from a day on has to correct of those before it, since another day; an element per bill that differs';

CREATE FUNCTION elecbill._true_up_of(p_account bigint, p_before date) RETURNS elecbill.bill_true_up[]
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	since date;
BEGIN
	SELECT min(q.since) INTO since FROM elecbill.true_up_queue q
	WHERE q.account_id = p_account AND q.bill_id IS NULL AND q.since < p_before;
	RETURN CASE WHEN since IS NOT NULL THEN elecbill._true_up_trial(p_account, since, p_before) END;
END $$;
COMMENT ON FUNCTION elecbill._true_up_of(bigint, date) IS 'the corrections that wait for a bill of an account from a day on; NULL: nobody asked for any';

CREATE FUNCTION elecbill._true_up_usage(p_true_up elecbill.bill_true_up[]) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (SELECT coalesce(jsonb_agg(u.one), '[]') FROM unnest(p_true_up) AS t, jsonb_array_elements(t.usage) AS u(one));
COMMENT ON FUNCTION elecbill._true_up_usage(elecbill.bill_true_up[]) IS 'the energy of corrections, as bill_true_up.usage';

CREATE FUNCTION elecbill._true_up_lines(p_org integer, p_after integer, p_true_up elecbill.bill_true_up[]) RETURNS elecbill.bill_line[]
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	s record;
	one elecbill.bill_line;
	lines elecbill.bill_line[];
BEGIN
	IF cardinality(p_true_up) = 0 THEN
		RETURN '{}'::elecbill.bill_line[];
	END IF;
	SELECT sum(t.amount) AS amount, sum(t.tax_amount) AS tax_amount, sum(t.kwh) AS kwh INTO s FROM unnest(p_true_up) AS t;
	one.org_id := p_org;
	one.n := p_after + 1;
	one.kind := 'true_up';
	one.component := 'true_up';
	one.grp := 'true_up';
	one.quantity := s.kwh;
	one.unit := 'kwh';
	one.amount := s.amount - s.tax_amount;
	one.amount_raw := one.amount;
	one.quality := 'actual';
	lines := ARRAY[one];
	IF s.tax_amount <> 0 THEN
		one.n := one.n + 1;
		one.grp := 'tax';
		one.quantity := s.amount - s.tax_amount;
		one.unit := 'money';
		one.amount := s.tax_amount;
		one.amount_raw := one.amount;
		lines := lines || one;
	END IF;
	RETURN lines;
END $$;
COMMENT ON FUNCTION elecbill._true_up_lines(integer, integer, elecbill.bill_true_up[]) IS
'the line of corrections, numbered behind the rated ones, and a second one for the tax in it; none without corrections';

CREATE FUNCTION elecbill._true_up_note(p_account bigint, p_bill bigint, p_before date, p_true_up elecbill.bill_true_up[])
RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	INSERT INTO elecbill.bill_true_up (bill_id, corrected_id, org_id, amount, tax_amount, kwh, usage, scopes)
	SELECT p_bill, t.corrected_id, t.org_id, t.amount, t.tax_amount, t.kwh, t.usage, t.scopes
	FROM unnest(p_true_up) AS t;
	UPDATE elecbill.true_up_queue q SET bill_id = p_bill
	WHERE q.account_id = p_account AND q.bill_id IS NULL AND q.since < p_before;
END $$;
COMMENT ON FUNCTION elecbill._true_up_note(bigint, bigint, date, elecbill.bill_true_up[]) IS
'keeps what a bill corrects, and takes it off the queue, also when nothing differed';

CREATE FUNCTION elecbill.true_up(account text, run bigint, since date DEFAULT NULL) RETURNS numeric
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET jit = off AS $$
DECLARE
	r elecbill.bill_run := elecbill._bill_run_get(run);
	a elecbill.customer_account;
	b elecbill.bill;
	made bigint;
BEGIN
	SELECT * INTO a FROM elecbill.customer_account x WHERE x.id = elecbill._account_get(account) FOR NO KEY UPDATE;
	IF a.org_id <> r.org_id THEN
		RAISE EXCEPTION USING ERRCODE = 'UB404', MESSAGE = format('account %s is not in run %s', account, run);
	ELSIF NOT isfinite(since) THEN
		RAISE EXCEPTION 'a correction is made since a day' USING ERRCODE = 'UB400';
	END IF;
	SELECT * INTO b FROM elecbill.bill x WHERE x.account_id = a.id AND x.run_id = r.id AND x.live;
	IF b.number IS NOT NULL OR r.status = 'cancelled' THEN
		RAISE EXCEPTION USING
			ERRCODE = 'UB412',
			MESSAGE = CASE WHEN b.number IS NULL THEN format('bill run %s is cancelled', r.id) ELSE format('bill %s is issued', b.number) END,
			HINT = 'The next bill takes the correction: name its run, or call true_up_request().';
	END IF;
	PERFORM elecbill._true_up_mark(a.id, coalesce(true_up.since, (lower(r.period) - interval '1 year')::date), 'true_up()');
	IF b.id IS NULL THEN
		RETURN NULL;
	END IF;
	PERFORM elecbill._bill_cancel(b.id, 'true_up', 'cancel');
	made := elecbill._rebill_make(b, r.id, r.known_at);
	RETURN (SELECT coalesce(sum(l.amount), 0) FROM elecbill.bill_line l WHERE l.bill_id = made AND l.kind = 'true_up');
END $$;
COMMENT ON FUNCTION elecbill.true_up(text, bigint, date) IS
'corrects on the draft of an account in a run what was billed before it with data that came or changed since (local day; default: a year before the run): rates those bills again, by the prices they were made with, and adds the difference as one signed line. Returns that line; NULL: there is no draft yet, it will have it. UB400, UB404, UB412 its bill in the run is issued, or the run is cancelled, and the errors of rating';

CREATE FUNCTION elecbill.true_up_request(account text, since date, reason text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	a elecbill.customer_account;
BEGIN
	SELECT * INTO a FROM elecbill.customer_account x WHERE x.id = elecbill._account_get(account) FOR NO KEY UPDATE;
	IF isfinite(since) IS NOT TRUE OR reason ~ '\S' IS NOT TRUE THEN
		RAISE EXCEPTION 'a correction is asked for since a day and for a reason' USING ERRCODE = 'UB400';
	END IF;
	PERFORM elecbill._true_up_mark(a.id, since, reason);
	PERFORM elecbill._audit(a.org_id, 'true_up_request', account, NULL, jsonb_build_object('since', since, 'reason', reason));
END $$;
COMMENT ON FUNCTION elecbill.true_up_request(text, date, text) IS
'lets the next bill of an account correct what was billed from a local day on with data that came or changed since. UB400, UB404';

CREATE FUNCTION elecbill._data_changed(p_bill elecbill.bill) RETURNS boolean
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET jit = off AS $$
DECLARE
	zone text := (SELECT o.zone FROM elecbill.org o WHERE o.id = p_bill.org_id);
	one record;
BEGIN
	FOR one IN
		SELECT g AS agreement, p.part -> 'summary' AS summary, t.definition::elecbill.tariff AS tariff,
			tstzrange(elecbill.day_start((p.part ->> 'from')::date, zone), elecbill.day_start((p.part ->> 'to')::date, zone)) AS span
		FROM jsonb_array_elements(p_bill.snapshot -> 'parts') AS p(part)
		JOIN elecbill.customer_agreement g ON g.id = (p.part ->> 'agreement_id')::bigint
		JOIN elecbill.tariff_snapshot t ON t.sha256 = decode(p.part ->> 'definition', 'hex')
	LOOP
		IF elecbill._agreement_usage(one.agreement, one.span, one.tariff)::jsonb <> one.summary THEN
			RETURN true;
		END IF;
	END LOOP;
	RETURN false;
EXCEPTION WHEN SQLSTATE 'UB404' OR SQLSTATE 'UB422' THEN
	RETURN true;	/* readings that came since cannot be rated at all */
END $$;
COMMENT ON FUNCTION elecbill._data_changed(elecbill.bill) IS
'whether the energy of a bill, by the periods of its tariff, is another one by the data of today';

CREATE FUNCTION elecbill.late_readings(org text, since date)
RETURNS TABLE (account_no text, number text, service daterange, readings bigint, received_at timestamptz)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET jit = off AS $$
BEGIN
	IF since IS NULL THEN
		RAISE EXCEPTION 'late readings are looked for in bills since a day' USING ERRCODE = 'UB400';
	END IF;
	RETURN QUERY
	WITH late AS MATERIALIZED (
		-- what was on its way while the bill was made has an earlier received_at than the bill
		SELECT b.id, count(*) FILTER (WHERE r.received_at > b.created_at) AS readings, max(r.received_at) AS received_at
		FROM elecbill.bill b
		JOIN elecbill.bill_segment s ON s.bill_id = b.id
		JOIN elecbill._reading_all r ON r.register_id = s.register_id AND r.read_at >= lower(s.during)
			AND r.read_at <= upper(s.during) AND r.received_at > b.created_at - interval '10 minutes'
		WHERE b.org_id = elecbill._org_get(org) AND b.live AND b.number IS NOT NULL AND upper(b.service) > since
		GROUP BY b.id)
	SELECT a.account_no, b.number, b.service, l.readings, l.received_at
	FROM late AS l JOIN elecbill.bill b ON b.id = l.id JOIN elecbill.customer_account a ON a.id = b.account_id
	WHERE elecbill._data_changed(b)
	ORDER BY a.account_no, b.service;
END $$;
COMMENT ON FUNCTION elecbill.late_readings(text, date) IS
'issued bills of an org with days from a local date on whose energy is another one by readings that came after them: how many, and when the last of them came (0: they were on their way). UB400, UB404';

CREATE FUNCTION elecbill.true_up_late(org text, since date) RETURNS integer
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET jit = off AS $$
DECLARE
	one record;
	n integer := 0;
BEGIN
	FOR one IN
		SELECT a.id, min(lower(l.service)) AS first_day
		FROM elecbill.late_readings(org, since) AS l
		JOIN elecbill.customer_account a ON a.org_id = elecbill._org_get(org) AND a.account_no = l.account_no
		-- what was corrected since is done with
		WHERE NOT EXISTS (SELECT FROM elecbill.true_up_queue q JOIN elecbill.bill b ON b.id = q.bill_id
			WHERE q.account_id = a.id AND q.since <= lower(l.service) AND b.created_at >= l.received_at)
		GROUP BY a.id ORDER BY a.id
	LOOP
		PERFORM elecbill._true_up_mark(one.id, one.first_day, 'late readings');
		n := n + 1;
	END LOOP;
	RETURN n;
END $$;
COMMENT ON FUNCTION elecbill.true_up_late(text, date) IS
'lets the next bill of every account of late_readings() correct what they change; returns how many accounts. UB400, UB404';
