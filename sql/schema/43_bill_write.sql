-- 43_bill_write.sql: draft bills are written
-- The accounts of a batch are rated together (42_bill_part.sql), and what came of them is written as a set.
-- Locks: the customer_account, so that one bill of an account at a time is made or taken back.

CREATE FUNCTION elecbill._tariff_keep(p_definitions jsonb) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	INSERT INTO elecbill.tariff_snapshot (sha256, definition)
	SELECT decode(d.key, 'hex'), d.value FROM jsonb_each(p_definitions) AS d
	WHERE NOT EXISTS (SELECT FROM elecbill.tariff_snapshot t WHERE t.sha256 = decode(d.key, 'hex'))
	ORDER BY 1
	ON CONFLICT DO NOTHING;
END $$;
COMMENT ON FUNCTION elecbill._tariff_keep(jsonb) IS
'keeps definitions, given as {sha256: definition}, in tariff_snapshot';

CREATE FUNCTION elecbill._is_tax(p_kind text, p_grp text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN p_kind = 'vat' OR p_grp = 'tax';
COMMENT ON FUNCTION elecbill._is_tax(text, text) IS
'whether a bill line is tax: what rate() adds for the tax rates of components, and components of group tax';

CREATE FUNCTION elecbill._drafts_write(p_run elecbill.bill_run, p_drafts elecbill.bill_draft[], p_kind text)
RETURNS elecbill.bill_draft[]
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	drafts elecbill.bill_draft[];
	segment_ids bigint[];
	rated_at timestamptz := elecbill._reading_now();	/* once: the default would be worked out for each bill */
BEGIN
	drafts := ARRAY(SELECT ROW(nextval('elecbill.bill_id_seq'), d.account_id, p_kind, d.days, d.service, d.segments, d.lines,
		d.snapshot, d.missing_s)::elecbill.bill_draft FROM unnest(p_drafts) AS d);
	INSERT INTO elecbill.bill (id, org_id, account_id, run_id, kind, service, amount, tax_amount, snapshot, created_at, supersedes_id)
	OVERRIDING SYSTEM VALUE
	SELECT d.bill_id, p_run.org_id, d.account_id, p_run.id, d.kind, d.service, s.amount, s.tax_amount, d.snapshot, rated_at,
		-- the last issued bill for the same days that was cancelled
		(SELECT b.id FROM elecbill.bill b
		 WHERE b.account_id = d.account_id AND b.service = d.service AND NOT b.live AND b.number IS NOT NULL
			AND b.kind IN ('regular', 'final')
		 ORDER BY b.id DESC LIMIT 1)
	FROM unnest(drafts) AS d,
		LATERAL (SELECT coalesce(sum(l.amount), 0) AS amount,
			coalesce(sum(l.amount) FILTER (WHERE elecbill._is_tax(l.kind, l.grp)), 0) AS tax_amount FROM unnest(d.lines) AS l) AS s;
	-- the segments of all drafts in a row: lines find theirs without a join
	segment_ids := ARRAY(SELECT nextval('elecbill.bill_segment_id_seq')
		FROM unnest(drafts) AS d, generate_series(1, cardinality(d.segments)));
	INSERT INTO elecbill.bill_segment (id, org_id, bill_id, n, agreement_id, usage_point_id,
		installation_id, during, register_id, start_at, start_wh, end_at, end_wh, multiplier,
		energy_wh, missing_s, quality)
	OVERRIDING SYSTEM VALUE
	SELECT segment_ids[d.before + s.n], s.org_id, d.bill_id, s.n, s.agreement_id, s.usage_point_id, s.installation_id, s.during,
		s.register_id, s.start_at, s.start_wh, s.end_at, s.end_wh, s.multiplier, s.energy_wh,
		s.missing_s, s.quality
	FROM (SELECT u.bill_id, u.segments, sum(cardinality(u.segments)) OVER (ORDER BY u.i) - cardinality(u.segments) AS before
		FROM unnest(drafts) WITH ORDINALITY AS u(bill_id, account_id, kind, days, service, segments, lines, snapshot, missing_s, i)) AS d,
		unnest(d.segments) AS s;
	INSERT INTO elecbill.bill_line (org_id, bill_id, n, segment_id, tariff_version_id, kind, component,
		grp, label, period, tier, quantity, unit, price, factor, amount_raw, amount, during, quality)
	SELECT l.org_id, d.bill_id, l.n, segment_ids[d.before + l.segment_id], l.tariff_version_id, l.kind, l.component, l.grp, l.label,
		l.period, l.tier, l.quantity, l.unit, l.price, l.factor, l.amount_raw, l.amount, l.during,
		l.quality
	FROM (SELECT u.bill_id, u.lines, sum(cardinality(u.segments)) OVER (ORDER BY u.i) - cardinality(u.segments) AS before
		FROM unnest(drafts) WITH ORDINALITY AS u(bill_id, account_id, kind, days, service, segments, lines, snapshot, missing_s, i)) AS d,
		unnest(d.lines) AS l;
	RETURN drafts;
END $$;
COMMENT ON FUNCTION elecbill._drafts_write(elecbill.bill_run, elecbill.bill_draft[], text) IS
'writes drafts, whose accounts the caller has locked, with their segments and lines; returns them with their ids and kind';

CREATE FUNCTION elecbill._bill_write(p_run elecbill.bill_run, p_account bigint, p_days daterange, p_kind text,
	p_known_at timestamptz, p_true_up elecbill.bill_true_up[], p_extra elecbill.bill_line[]) RETURNS elecbill.bill_draft
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	r record;
	draft elecbill.bill_draft;
	lines elecbill.bill_line[];
	extra elecbill.bill_line;
BEGIN
	IF cardinality(p_true_up) > 0 THEN
		r := elecbill._rate_account(p_account, p_days, p_known_at, NULL, elecbill._true_up_usage(p_true_up));
		lines := r.lines || elecbill._true_up_lines(p_run.org_id, cardinality(r.lines), p_true_up);
	ELSE
		r := elecbill._rate_account(p_account, p_days, p_known_at, NULL);
		lines := r.lines;
	END IF;
	FOREACH extra IN ARRAY p_extra LOOP
		extra.n := cardinality(lines) + 1;
		lines := lines || extra;
	END LOOP;
	PERFORM elecbill._tariff_keep(r.definitions);
	draft := ROW(NULL, p_account, NULL, p_days, r.service, r.segments, lines, r.snapshot, r.missing_s);
	RETURN (elecbill._drafts_write(p_run, ARRAY[draft], p_kind))[1];
END $$;
COMMENT ON FUNCTION elecbill._bill_write(elecbill.bill_run, bigint, daterange, text, timestamptz, elecbill.bill_true_up[], elecbill.bill_line[]) IS
'rates days of an account, which the caller has locked, and writes the draft with segments and lines, those of extra last; errors of rating';

CREATE FUNCTION elecbill._bill_days(p_run elecbill.bill_run, p_account bigint) RETURNS daterange
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	since date;
	ends date;
BEGIN
	IF p_run.kind <> 'final' THEN
		RETURN p_run.period;
	END IF;
	SELECT min(lower(g.valid)), max(upper(g.valid)) INTO since, ends
	FROM elecbill.customer_agreement g WHERE g.account_id = p_account;
	since := coalesce((SELECT max(upper(b.service)) FROM elecbill.bill b
		WHERE b.account_id = p_account AND b.live AND b.kind IN ('regular', 'final')), since);
	RETURN daterange(since, greatest(since, ends));
END $$;
COMMENT ON FUNCTION elecbill._bill_days(elecbill.bill_run, bigint) IS
'the days that a run bills of an account: its period; of a final run from the first day without a bill to the end of the last agreement, which may be none';

CREATE FUNCTION elecbill._bill_due_days(p_run elecbill.bill_run, p_account bigint) RETURNS daterange
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	there record;
	days daterange := elecbill._bill_days(p_run, p_account);
BEGIN
	SELECT b.run_id, b.service, coalesce(b.number, b.status) AS name INTO there FROM elecbill.bill b
	WHERE b.account_id = p_account AND b.live AND b.kind IN ('regular', 'final')
		AND (b.service && days OR b.run_id = p_run.id)
	ORDER BY b.run_id = p_run.id DESC LIMIT 1;
	IF FOUND AND there.run_id = p_run.id THEN
		RETURN NULL;
	ELSIF FOUND OR isempty(days) THEN
		RAISE EXCEPTION USING
			ERRCODE = 'UB409',
			CONSTRAINT = 'already_billed',
			MESSAGE = 'the account has a bill for some of these days already',
			DETAIL = format('Bill %s covers %s.', there.name, there.service),
			HINT = 'Cancel that bill, or run the remaining days with kind offcycle.';
	END IF;
	RETURN days;
END $$;
COMMENT ON FUNCTION elecbill._bill_due_days(elecbill.bill_run, bigint) IS
'the days that a run is to bill of an account, which is locked; NULL when this run billed it before. UB409 when another live bill covers some of them';

CREATE FUNCTION elecbill._bill_waiting(p_run elecbill.bill_run, p_accounts bigint[]) RETURNS bigint[]
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF EXISTS (SELECT FROM elecbill.allocation a WHERE a.run_id = p_run.id AND a.state = 'failed') THEN
		RETURN p_accounts;
	END IF;
	RETURN ARRAY(
		SELECT q.account_id FROM elecbill.true_up_queue q WHERE q.account_id = ANY (p_accounts) AND q.bill_id IS NULL
	UNION
		SELECT r.account_id FROM elecbill.allocation_result r WHERE r.account_id = ANY (p_accounts) AND r.bill_id IS NULL AND r.amount <> 0
	UNION
		SELECT j.account_id FROM elecbill.adjustment j WHERE j.account_id = ANY (p_accounts) AND j.bill_id IS NULL AND j.state = 'approved');
END $$;
COMMENT ON FUNCTION elecbill._bill_waiting(elecbill.bill_run, bigint[]) IS
'those of some accounts whose next bill has more than its energy, or may have: corrections, shares, adjustments';

CREATE FUNCTION elecbill._bill_refuse(p_now boolean) RETURNS void
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF p_now THEN
		RAISE EXCEPTION USING
			ERRCODE = 'UB412',
			CONSTRAINT = 'no_bill',
			MESSAGE = 'the customer is not billed',
			DETAIL = 'He has the tag no_bill.',
			HINT = 'customer_tags_set() takes it away; then bill_run_retry() bills the account.';
	END IF;
END $$;
COMMENT ON FUNCTION elecbill._bill_refuse(boolean) IS 'UB412 no_bill when an account whose customer has that tag is all there is to be billed';

CREATE FUNCTION elecbill._bill_batch(p_run elecbill.bill_run, p_accounts bigint[], OUT bills integer, OUT alone bigint[])
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	kind text := CASE p_run.kind WHEN 'final' THEN 'final' ELSE 'regular' END;
	account bigint;
	waiting bigint[];
	billed bigint[];
	unbilled bigint[];
	days daterange;
	plain bigint[];
	periods daterange[];
	r record;
BEGIN
	bills := 0;
	alone := '{}';
	-- one bill of an account at a time is made or taken back: the tiers of one rest on the others
	PERFORM FROM elecbill.customer_account a WHERE a.id = ANY (p_accounts) ORDER BY a.id FOR NO KEY UPDATE;
	waiting := elecbill._bill_waiting(p_run, p_accounts);
	billed := ARRAY(SELECT DISTINCT b.account_id FROM elecbill.bill b
		WHERE b.account_id = ANY (p_accounts) AND b.live AND b.kind IN ('regular', 'final')
			AND (b.service && p_run.period OR b.run_id = p_run.id));
	unbilled := ARRAY(SELECT a.id FROM elecbill.customer_account a JOIN elecbill.customer c ON c.id = a.customer_id
		WHERE a.id = ANY (p_accounts) AND 'no_bill' = ANY (c.tags));
	FOREACH account IN ARRAY p_accounts LOOP
		days := p_run.period;
		IF p_run.kind = 'final' OR account = ANY (billed) THEN
			days := elecbill._bill_due_days(p_run, account);
		END IF;
		CONTINUE WHEN days IS NULL;
		IF account = ANY (unbilled) THEN
			PERFORM elecbill._bill_refuse(cardinality(p_accounts) = 1);
			alone := alone || account;
			CONTINUE;
		END IF;
		IF account = ANY (waiting) THEN
			PERFORM elecbill._bill_make(p_run, account, days, kind);
			bills := bills + 1;
		ELSE
			plain := plain || account;
			periods := periods || days;
		END IF;
	END LOOP;
	IF plain IS NOT NULL THEN
		r := elecbill._rate_accounts(plain, periods, p_run.known_at, NULL, '[]');
		PERFORM elecbill._tariff_keep(r.definitions);
		PERFORM elecbill._drafts_look(p_run, elecbill._drafts_write(p_run, r.drafts, kind));
		bills := bills + cardinality(r.drafts);
		alone := alone || r.alone;
	END IF;
END $$;
COMMENT ON FUNCTION elecbill._bill_batch(elecbill.bill_run, bigint[]) IS
'writes the draft bills of accounts, of those that this run has not billed before; returns how many. alone: those that are to be billed one by one, for there is something to be looked at. UB412 the only one is not to be billed; UB409 when another live bill covers some of the days, and the errors of rating: nothing is written then';

CREATE FUNCTION elecbill._bill_make(p_run elecbill.bill_run, p_account bigint, p_days daterange, p_kind text) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	true_up elecbill.bill_true_up[] := elecbill._true_up_of(p_account, lower(p_days));
	extra record;
	made elecbill.bill_draft;
BEGIN
	extra := elecbill._bill_extra(p_run.id, p_account, p_days);
	made := elecbill._bill_write(p_run, p_account, p_days, p_kind, p_run.known_at, true_up, extra.lines);
	IF extra.notes IS NOT NULL THEN
		PERFORM elecbill._bill_extra_note(made.bill_id, cardinality(extra.lines), extra.notes);
	END IF;
	IF true_up IS NOT NULL THEN
		PERFORM elecbill._true_up_note(p_account, made.bill_id, lower(p_days), true_up);
	END IF;
	PERFORM elecbill._drafts_look(p_run, ARRAY[made]);
	RETURN made.bill_id;
END $$;
COMMENT ON FUNCTION elecbill._bill_make(elecbill.bill_run, bigint, daterange, text) IS
'writes the draft of an account, which is locked, for days that no live bill covers, what waits in true_up_queue, shares and adjustments included; says what is to be looked at, and holds it when a rule for its readings does. Errors of rating';

CREATE FUNCTION elecbill._drafts_look(p_run elecbill.bill_run, p_drafts elecbill.bill_draft[]) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	one record;
	doubts bigint;
BEGIN
	FOR one IN
		SELECT d.bill_id, d.account_id, d.days FROM unnest(p_drafts) AS d
		WHERE EXISTS (SELECT FROM elecbill.customer_agreement g JOIN elecbill.vee_exception e ON e.usage_point_id = g.usage_point_id
			WHERE g.account_id = d.account_id AND e.state = 'open' AND e.severity = 'hold')
	LOOP
		doubts := elecbill._vee_hold(one.account_id, one.days);
		IF doubts > 0 THEN
			UPDATE elecbill.bill SET status = 'held' WHERE id = one.bill_id;
			INSERT INTO elecbill.bill_hold_note (org_id, bill_id, reason, by_rule)
			VALUES (p_run.org_id, one.bill_id, format('%s readings to be decided', doubts), true);
		END IF;
	END LOOP;
	UPDATE elecbill.bill_exception SET state = 'resolved'
	WHERE run_id = p_run.id AND account_id = ANY (ARRAY(SELECT d.account_id FROM unnest(p_drafts) AS d))
		AND severity = 'error' AND state <> 'resolved';
	PERFORM elecbill._bill_exceptions(p_run, ARRAY(SELECT ROW(NULL, NULL, d.account_id, 'warn', x.*, NULL, NULL)::elecbill.bill_exception
	FROM unnest(p_drafts) AS d, LATERAL (
		SELECT 'missing_readings', '01000', 'readings are missing in the period; what passed unmeasured is not billed',
			format('%s of %s.', justify_interval(make_interval(secs => d.missing_s)), d.days),
			'The lines of the bill say so. Late readings do not change a bill; true_up() bills the difference on the next.'
		WHERE d.missing_s > 0
	UNION ALL
		SELECT 'estimated_readings', '01000', 'readings are too far apart for the periods of the tariff',
			'The energy between two readings was shared over the periods by time.',
			'The lines of the bill say so. Read the meter more often, or put the account on a tariff without periods.'
		WHERE d.missing_s = 0 AND EXISTS (SELECT FROM unnest(d.segments) AS s WHERE s.quality = 'estimated')) AS x));
END $$;
COMMENT ON FUNCTION elecbill._drafts_look(elecbill.bill_run, elecbill.bill_draft[]) IS
'says what is to be looked at in drafts that were written, and holds those that a rule for their readings holds';

CREATE FUNCTION elecbill._bill_exceptions(p_run elecbill.bill_run, p_said elecbill.bill_exception[]) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	INSERT INTO elecbill.bill_exception AS e
		(org_id, run_id, account_id, severity, code, sqlstate, message, detail, hint, state)
	SELECT p_run.org_id, p_run.id, x.account_id, x.severity, x.code, x.sqlstate, x.message, nullif(x.detail, ''), nullif(x.hint, ''),
		CASE x.severity WHEN 'warn' THEN 'noted' ELSE 'parked' END
	FROM unnest(p_said) AS x
	ON CONFLICT (run_id, account_id) DO UPDATE SET severity = excluded.severity, code = excluded.code,
		sqlstate = excluded.sqlstate, message = excluded.message, detail = excluded.detail,
		hint = excluded.hint, state = excluded.state, at = excluded.at;
END $$;
COMMENT ON FUNCTION elecbill._bill_exceptions(elecbill.bill_run, elecbill.bill_exception[]) IS
'writes what a run has to say about accounts; the last word counts';

CREATE FUNCTION elecbill._bill_exception(p_run elecbill.bill_run, p_account bigint, p_severity text,
	p_code text, p_sqlstate text, p_message text, p_detail text, p_hint text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	PERFORM elecbill._bill_exceptions(p_run, ARRAY[ROW(NULL, NULL, p_account, p_severity, p_code, p_sqlstate, p_message, p_detail,
		p_hint, NULL, NULL)::elecbill.bill_exception]);
END $$;
COMMENT ON FUNCTION elecbill._bill_exception(elecbill.bill_run, bigint, text, text, text, text, text, text) IS
'_bill_exceptions() for one account';
