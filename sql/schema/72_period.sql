-- 72_period.sql: calls into the ledger, months of the books and their closing, gapless numbers

CREATE FUNCTION elecbill._number_take(p_org integer, p_kind text, p_n integer DEFAULT 1) RETURNS bigint
LANGUAGE sql
BEGIN ATOMIC
	INSERT INTO elecbill.number_counter AS c (org_id, kind, year, last)
	SELECT o.id, p_kind, extract(year FROM elecbill.now() AT TIME ZONE o.zone), p_n FROM elecbill.org o WHERE o.id = p_org
	ON CONFLICT (org_id, kind, year) DO UPDATE SET last = c.last + excluded.last
	RETURNING c.last;
END;
COMMENT ON FUNCTION elecbill._number_take(integer, text, integer) IS
'takes so many numbers of a kind of this year and returns the last of them; whoever wants one too waits until commit, so it is called last';

CREATE FUNCTION elecbill._number_text(p_org integer, p_kind text, p_prefix text) RETURNS text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	no text := elecbill._number_take(p_org, p_kind)::text;
BEGIN
	RETURN format('%s%s-%s', p_prefix, (SELECT extract(year FROM elecbill.now() AT TIME ZONE o.zone) FROM elecbill.org o
		WHERE o.id = p_org), lpad(no, greatest(6, length(no)), '0'));
END $$;
COMMENT ON FUNCTION elecbill._number_text(integer, text, text) IS 'the next number of a kind, written PREFIX YEAR-NNNNNN';

CREATE FUNCTION elecbill._today(p_org integer) RETURNS date
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN (SELECT (elecbill.now() AT TIME ZONE o.zone)::date FROM elecbill.org o WHERE o.id = p_org);
END $$;
COMMENT ON FUNCTION elecbill._today(integer) IS 'the local date of an org';

CREATE FUNCTION elecbill._bill_payable(p_bill bigint) RETURNS elecbill.bill
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	b elecbill.bill;
BEGIN
	SELECT * INTO b FROM elecbill.bill WHERE id = p_bill FOR NO KEY UPDATE;
	IF b.status NOT IN ('issued', 'partly_paid', 'overdue', 'paid') THEN
		RAISE EXCEPTION USING
			ERRCODE = 'UB412',
			MESSAGE = format('nothing is paid on a bill that is %s', b.status),
			DETAIL = format('Bill %s.%s', coalesce(b.number, '#' || b.id),
				CASE b.status WHEN 'written_off' THEN ' write_off_reverse() takes the write-off back first.' END);
	END IF;
	RETURN b;
END $$;
COMMENT ON FUNCTION elecbill._bill_payable(bigint) IS 'a bill, locked, on which or on whose late fee something is paid or taken back. UB412 in a state without payments';

CREATE FUNCTION elecbill._bill_settle(p_bill bigint, p_delta numeric) RETURNS text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	b elecbill.bill := elecbill._bill_payable(p_bill);
	now_paid numeric;
	state text;
BEGIN
	now_paid := b.paid + p_delta;
	state := CASE WHEN now_paid = b.amount THEN 'paid'
		WHEN b.due_on < elecbill._today(b.org_id) THEN 'overdue'
		WHEN now_paid <> 0 THEN 'partly_paid' ELSE 'issued' END;
	UPDATE elecbill.bill SET paid = now_paid, status = state WHERE id = p_bill;
	IF b.due_on < elecbill._today(b.org_id) THEN
		PERFORM elecbill._late_fee_touch(b.org_id, p_bill, b.due_on);
	END IF;
	RETURN state;
END $$;
COMMENT ON FUNCTION elecbill._bill_settle(bigint, numeric) IS
'moves what is paid of a bill and its state; the caller has locked the customer_account and posts the same amount. A bill past its due date stays overdue until all is paid. UB412 in a state without payments, 23514 beyond its amount';

CREATE FUNCTION elecbill._fee_settle(p_bill bigint, p_delta numeric) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	UPDATE elecbill.bill SET late_fee = late_fee + p_delta WHERE id = p_bill;
END $$;
COMMENT ON FUNCTION elecbill._fee_settle(bigint, numeric) IS
'moves the late fee that is open on a bill (below 0: paid); the caller has locked the customer_account and posts the same amount. 23514 more than is open';

CREATE FUNCTION elecbill._late_fee_post(p_bill bigint, p_amount numeric, p_key text, p_on date) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	b elecbill.bill;
BEGIN
	SELECT * INTO b FROM elecbill.bill x WHERE x.id = p_bill FOR NO KEY UPDATE;
	PERFORM FROM elecbill.ledger_transfer t WHERE t.org_id = b.org_id AND t.idem_key = p_key;
	IF NOT FOUND THEN
		PERFORM elecbill._fee_settle(p_bill, p_amount);
	END IF;
	RETURN elecbill._post(b.org_id, p_key, elecbill._ledger_account(b.org_id, 'receivable', b.account_id),
		elecbill._ledger_account(b.org_id, 'late_fee'), p_amount, 'late_fee', p_on, p_bill);
END $$;
COMMENT ON FUNCTION elecbill._late_fee_post(bigint, numeric, text, date) IS
'charges a late fee on a bill, whose customer_account is locked: receivable to late_fee; it is paid before the bill. The same key charges once. UB409 the key is that of another transfer';

CREATE FUNCTION elecbill._ledger_get(p_org text, p_code text) RETURNS elecbill.ledger_account
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	owner integer := elecbill._org_get(p_org);
	customer text := substring(p_code FROM '^(?:receivable|advance|deposit):(.*)$');
	found elecbill.ledger_account;
BEGIN
	IF customer IS NOT NULL AND EXISTS (SELECT FROM elecbill.customer_account a WHERE a.org_id = owner AND a.account_no = customer) THEN
		PERFORM elecbill._ledger_account(owner, split_part(p_code, ':', 1),
			(SELECT a.id FROM elecbill.customer_account a WHERE a.org_id = owner AND a.account_no = customer));
	ELSIF p_code ~ '^(revenue|output_tax|late_fee|write_off|adjustment|opening|cash|bank|suspense|refund_due|clearing:(alipay|wechat|bank|pos|prepaid))$' THEN
		PERFORM elecbill._ledger_account(owner, p_code);
	END IF;
	SELECT * INTO found FROM elecbill.ledger_account l WHERE l.org_id = owner AND l.code = p_code;
	IF found.id IS NULL THEN
		RAISE EXCEPTION USING
			ERRCODE = 'UB404',
			MESSAGE = format('there is no ledger account %s', quote_nullable(p_code)),
			HINT = 'Such as receivable:ACCOUNT_NO, advance:ACCOUNT_NO, cash, bank, clearing:CHANNEL, revenue.';
	END IF;
	RETURN found;
END $$;
COMMENT ON FUNCTION elecbill._ledger_get(text, text) IS 'a ledger account by org and code, made when it can be; UB404 else';

CREATE FUNCTION elecbill._accounts_lock(p_ledger bigint[]) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	PERFORM FROM elecbill.customer_account a
	WHERE a.id IN (SELECT l.account_id FROM elecbill.ledger_account l WHERE l.id = ANY (p_ledger))
	ORDER BY a.id FOR NO KEY UPDATE;
END $$;
COMMENT ON FUNCTION elecbill._accounts_lock(bigint[]) IS 'locks the customer accounts of ledger accounts in the order of their keys';

CREATE FUNCTION elecbill._transfer_check(p_amount numeric, p_on date, p_key text) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF p_amount > 0 IS NOT TRUE OR p_amount >= 1e12 OR p_amount <> round(p_amount, 2) THEN
		RAISE EXCEPTION USING
			ERRCODE = 'UB422',
			MESSAGE = format('%s is not an amount', coalesce(p_amount::text, 'NULL')),
			HINT = 'Above 0, with two decimals at most.';
	ELSIF p_on BETWEEN date '1900-01-01' AND (elecbill.now() AT TIME ZONE 'UTC')::date + 366 IS NOT TRUE OR p_key ~ '^\S{1,128}$' IS NOT TRUE THEN
		RAISE EXCEPTION USING
			ERRCODE = 'UB400',
			MESSAGE = 'a transfer needs a date and a key of 1 to 128 characters without blanks',
			HINT = 'A date since 1900 and until a year from now.';
	END IF;
END $$;
COMMENT ON FUNCTION elecbill._transfer_check(numeric, date, text) IS 'UB422 not an amount, UB400 no date or key';

CREATE FUNCTION elecbill._by_hand_check(p_key text, p_debit elecbill.ledger_account, p_credit elecbill.ledger_account, p_amount numeric)
RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	there numeric;
BEGIN
	IF EXISTS (SELECT FROM elecbill.ledger_transfer t WHERE t.org_id = p_debit.org_id AND t.idem_key = p_key) THEN
		RETURN;	/* asked for before: what it was is what counts */
	ELSIF 'receivable' IN (split_part(p_debit.code, ':', 1), split_part(p_credit.code, ':', 1)) THEN
		RAISE EXCEPTION USING
			ERRCODE = 'UB400',
			MESSAGE = 'what bills owe is not booked by hand',
			DETAIL = 'The bills would not know of it.',
			HINT = 'pay_bill() and payment_match() pay bills, adjust() charges, refund_request(), cancel_bill() and write_off() take back.';
	ELSIF p_debit.account_id IS NOT NULL THEN
		there := coalesce((SELECT b.credit - b.debit - b.pending_debit FROM elecbill.account_balance b
			WHERE b.ledger_account_id = p_debit.id), 0);
		IF p_amount > there THEN
			RAISE EXCEPTION USING
				ERRCODE = 'UB422',
				MESSAGE = format('%s is more than there is of %s', p_amount, p_debit.code),
				DETAIL = format('There are %s.', there);
		END IF;
	END IF;
END $$;
COMMENT ON FUNCTION elecbill._by_hand_check(text, elecbill.ledger_account, elecbill.ledger_account, numeric) IS
'what is booked by hand, by its key of the ledger, leaves bills alone (UB400) and takes no more of an advance or a deposit than there is (UB422); the customers are locked';

CREATE FUNCTION elecbill._post_transfer(p_org text, p_key text, p_debit text, p_credit text, p_amount numeric, p_on date,
	p_pending boolean) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	from_account elecbill.ledger_account := elecbill._ledger_get(p_org, p_debit);
	to_account elecbill.ledger_account := elecbill._ledger_get(p_org, p_credit);
BEGIN
	PERFORM elecbill._transfer_check(p_amount, p_on, p_key);
	IF from_account.id = to_account.id THEN
		RAISE EXCEPTION USING ERRCODE = 'UB400', MESSAGE = 'a transfer needs two ledger accounts';
	END IF;
	PERFORM elecbill._accounts_lock(ARRAY[from_account.id, to_account.id]);
	PERFORM elecbill._by_hand_check('manual:' || p_key, from_account, to_account, p_amount);
	RETURN elecbill._post(from_account.org_id, 'manual:' || p_key, from_account.id, to_account.id, p_amount, 'manual', p_on,
		p_stage => CASE WHEN p_pending THEN 'pending' ELSE 'single' END);
END $$;
COMMENT ON FUNCTION elecbill._post_transfer(text, text, text, text, numeric, date, boolean) IS 'what post_transfer() does';

CREATE FUNCTION elecbill.post_transfer(org text, key text, debit text, credit text, amount numeric, on_day date,
	pending boolean DEFAULT false)
RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN elecbill._post_transfer(org, key, debit, credit, amount, on_day, pending);
EXCEPTION WHEN OTHERS THEN
	PERFORM elecbill._refused(org, 'post_transfer', format('%s > %s', debit, credit), SQLSTATE, SQLERRM);
	RAISE;
END $$;
COMMENT ON FUNCTION elecbill.post_transfer(text, text, text, text, numeric, date, boolean) IS
'books an amount from one ledger account (debit) to another (credit) by hand, for a local day; a closed month takes nothing, the first open one after it does. pending: announced only, until pending_post() or pending_void(). Receivables are not booked by hand, for bills would not know of it; an advance or a deposit gives what there is of it. Returns the number of the transfer; the same key answers with the same. UB400, UB404, UB409 the key is that of another transfer, UB422 not an amount, or more than there is';

CREATE FUNCTION elecbill._pending_get(p_org text, p_transfer bigint) RETURNS elecbill.ledger_transfer
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	owner integer := elecbill._org_get(p_org);
	t elecbill.ledger_transfer;
BEGIN
	SELECT * INTO t FROM elecbill.ledger_transfer x WHERE x.org_id = owner AND x.id = p_transfer AND x.stage = 'pending'
		AND x.kind = 'manual';	/* those of orders live and die with them */
	IF NOT FOUND THEN
		RAISE EXCEPTION USING
			ERRCODE = 'UB404',
			MESSAGE = format('there is no pending transfer %s', coalesce(p_transfer::text, 'NULL'));
	END IF;
	PERFORM elecbill._accounts_lock(ARRAY[t.debit_id, t.credit_id]);
	-- not FOR UPDATE: rows of the ledger are never touched; the unique key of pending_id decides a race
	RETURN t;
END $$;
COMMENT ON FUNCTION elecbill._pending_get(text, bigint) IS 'a pending transfer made by hand, its customers locked; UB404 when there is none';

CREATE FUNCTION elecbill._pending_resolve(p_pending elecbill.ledger_transfer, p_key text, p_stage text, p_amount numeric,
	p_on date) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	there elecbill.ledger_transfer;
BEGIN
	SELECT * INTO there FROM elecbill.ledger_transfer t WHERE t.pending_id = p_pending.id;
	IF FOUND AND there.idem_key <> p_key THEN
		RAISE EXCEPTION USING
			ERRCODE = 'UB412',
			MESSAGE = 'the pending transfer is resolved already',
			DETAIL = format('Transfer %s, by %s of %s.', p_pending.id, there.stage, there.amount);
	ELSIF p_amount > p_pending.amount THEN
		RAISE EXCEPTION USING
			ERRCODE = 'UB422',
			MESSAGE = format('%s is more than was announced', p_amount),
			DETAIL = format('Pending transfer %s is about %s.', p_pending.id, p_pending.amount);
	END IF;
	RETURN elecbill._post(p_pending.org_id, p_key, p_pending.debit_id, p_pending.credit_id, p_amount, p_pending.kind, p_on,
		p_pending.bill_id, p_pending.payment_id, p_stage, p_pending);
END $$;
COMMENT ON FUNCTION elecbill._pending_resolve(elecbill.ledger_transfer, text, text, numeric, date) IS
'posts or gives up a pending transfer, once. UB412 resolved by another key, UB422 more than was announced';

CREATE FUNCTION elecbill.pending_post(org text, transfer bigint, key text, amount numeric, on_day date) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	PERFORM elecbill._transfer_check(amount, on_day, key);
	RETURN elecbill._pending_resolve(elecbill._pending_get(org, transfer), 'manual:' || key, 'post', amount, on_day);
EXCEPTION WHEN OTHERS THEN
	PERFORM elecbill._refused(org, 'pending_post', transfer::text, SQLSTATE, SQLERRM);
	RAISE;
END $$;
COMMENT ON FUNCTION elecbill.pending_post(text, bigint, text, numeric, date) IS
'makes a pending transfer count, up to its amount; what is less than that is given up. UB400, UB404, UB409, UB412 resolved before, UB422';

CREATE FUNCTION elecbill.pending_void(org text, transfer bigint, key text, on_day date) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	PERFORM elecbill._transfer_check(1, on_day, key);
	RETURN elecbill._pending_resolve(elecbill._pending_get(org, transfer), 'manual:' || key, 'void', 0, on_day);
EXCEPTION WHEN OTHERS THEN
	PERFORM elecbill._refused(org, 'pending_void', transfer::text, SQLSTATE, SQLERRM);
	RAISE;
END $$;
COMMENT ON FUNCTION elecbill.pending_void(text, bigint, text, date) IS
'gives up a pending transfer. UB400, UB404, UB409, UB412 resolved before';

CREATE FUNCTION elecbill._close_period(p_org text, p_month date) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	owner integer := elecbill._org_get(p_org);
	period elecbill.accounting_period;
	sums record;
BEGIN
	IF isfinite(p_month) IS NOT TRUE OR extract(day FROM p_month) <> 1 THEN
		RAISE EXCEPTION USING ERRCODE = 'UB400', MESSAGE = 'a period is named by the first day of its month';
	ELSIF p_month + interval '1 month' > elecbill._today(owner) THEN
		RAISE EXCEPTION USING ERRCODE = 'UB412', MESSAGE = format('%s is not over', to_char(p_month, 'YYYY-MM'));
	END IF;
	-- waits for whoever is the first to post into an earlier month, which would be found open afterwards
	LOCK TABLE elecbill.accounting_period IN SHARE ROW EXCLUSIVE MODE;
	IF NOT EXISTS (SELECT FROM elecbill.accounting_period p WHERE p.org_id = owner AND p.month <= p_month)
		AND NOT EXISTS (SELECT FROM elecbill.bill b WHERE b.org_id = owner AND lower(b.service) < p_month + interval '1 month')
	THEN
		RAISE EXCEPTION USING
			ERRCODE = 'UB422',
			MESSAGE = format('nothing was booked or billed up to %s', to_char(p_month, 'YYYY-MM')),
			DETAIL = coalesce((SELECT format('The books begin in %s.', to_char(min(p.month), 'YYYY-MM')) FROM elecbill.accounting_period p
				WHERE p.org_id = owner HAVING count(*) > 0), 'The books are empty.');
	END IF;
	INSERT INTO elecbill.accounting_period (org_id, month) VALUES (owner, p_month)
	ON CONFLICT ON CONSTRAINT accounting_period_org_month_key DO NOTHING;
	-- waits for whoever posts into it
	SELECT * INTO period FROM elecbill.accounting_period p
	WHERE p.org_id = owner AND p.month = p_month FOR UPDATE;
	IF period.status = 'closed' THEN
		RETURN;
	END IF;
	PERFORM FROM elecbill.accounting_period p WHERE p.org_id = owner AND p.month < p_month AND p.status = 'open';
	IF FOUND THEN
		RAISE EXCEPTION USING
			ERRCODE = 'UB412',
			MESSAGE = 'an earlier period is open',
			DETAIL = (SELECT string_agg(to_char(p.month, 'YYYY-MM'), ', ' ORDER BY p.month) FROM elecbill.accounting_period p
				WHERE p.org_id = owner AND p.month < p_month AND p.status = 'open'),
			HINT = 'Periods are closed in their order.';
	END IF;
	INSERT INTO elecbill.ledger_snapshot (period_id, ledger_account_id, org_id, debit, credit)
	SELECT period.id, m.id, owner, sum(m.debit), sum(m.credit)
	FROM elecbill.ledger_transfer t JOIN elecbill.accounting_period p ON p.id = t.period_id AND p.month <= p_month,
		LATERAL (VALUES (t.debit_id, t.amount, 0), (t.credit_id, 0, t.amount)) AS m(id, debit, credit)
	WHERE t.org_id = owner AND t.stage IN ('single', 'post')
	GROUP BY m.id;
	SELECT coalesce(sum(s.debit), 0) AS debit, coalesce(sum(s.credit), 0) AS credit INTO sums
	FROM elecbill.ledger_snapshot s WHERE s.period_id = period.id;
	-- who was waited for may have begun later than this
	UPDATE elecbill.accounting_period SET status = 'closed', closed_by = elecbill.current_login(),
		closed_at = greatest(elecbill.now(), (SELECT max(t.created_at) FROM elecbill.ledger_transfer t WHERE t.period_id = period.id))
	WHERE id = period.id;
	PERFORM elecbill._audit(owner, 'close_period', to_char(p_month, 'YYYY-MM'), NULL,
		jsonb_build_object('debit', sums.debit, 'credit', sums.credit));
END $$;
COMMENT ON FUNCTION elecbill._close_period(text, date) IS 'what close_period() does';

CREATE FUNCTION elecbill.close_period(org text, month date) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	PERFORM elecbill._close_period(org, month);
EXCEPTION WHEN OTHERS THEN
	PERFORM elecbill._refused(org, 'close_period', month::text, SQLSTATE, SQLERRM);
	RAISE;
END $$;
COMMENT ON FUNCTION elecbill.close_period(text, date) IS
'closes a month of the books (its first day): waits for what is being posted, keeps what each ledger account had moved, and nothing is posted into it afterwards. Closed before: nothing happens. UB400, UB404, UB412 the month is not over or an earlier one is open, UB422 it is before the books begin';

CREATE FUNCTION elecbill._balance_rebuild() RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	LOCK TABLE elecbill.ledger_transfer IN SHARE ROW EXCLUSIVE MODE;	/* nothing may be posted in between */
	DELETE FROM elecbill.account_balance;
	-- all transfers are read once: by account, each would be looked up twice
	INSERT INTO elecbill.account_balance (ledger_account_id, org_id, debit, credit, pending_debit, pending_credit, version)
	SELECT l.id, l.org_id, coalesce(sum(x.debit) FILTER (WHERE k.moves), 0), coalesce(sum(x.credit) FILTER (WHERE k.moves), 0),
		coalesce(sum(x.debit) FILTER (WHERE k.waits), 0), coalesce(sum(x.credit) FILTER (WHERE k.waits), 0), count(*)
	FROM elecbill.ledger_transfer t
	LEFT JOIN elecbill.ledger_transfer r ON r.pending_id = t.id
	CROSS JOIN LATERAL (SELECT t.stage IN ('single', 'post') AS moves, t.stage = 'pending' AND r.id IS NULL AS waits) AS k
	CROSS JOIN LATERAL (VALUES (t.debit_id, t.amount, 0::numeric), (t.credit_id, 0::numeric, t.amount)) AS x(id, debit, credit)
	JOIN elecbill.ledger_account l ON l.id = x.id AND l.account_id IS NOT NULL
	GROUP BY l.id;
END $$;
COMMENT ON FUNCTION elecbill._balance_rebuild() IS 'makes account_balance anew from the transfers';
