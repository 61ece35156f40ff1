-- 71_posting.sql: the only way into the ledger
-- Locks: the caller has the customer_account; here the period FOR SHARE (close_period() takes it FOR
-- UPDATE), then balances of customers by ascending ledger account. The key is looked for first, so that
-- a retry answers as the first call did, even when the period was closed since.

CREATE FUNCTION elecbill._ledger_kind(p_code text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE split_part(p_code, ':', 1)
	WHEN 'receivable' THEN 'asset' WHEN 'cash' THEN 'asset' WHEN 'bank' THEN 'asset' WHEN 'clearing' THEN 'asset'
	WHEN 'advance' THEN 'liability' WHEN 'deposit' THEN 'liability' WHEN 'output_tax' THEN 'liability'
	WHEN 'suspense' THEN 'liability' WHEN 'refund_due' THEN 'liability' WHEN 'opening' THEN 'liability'
	WHEN 'revenue' THEN 'income' WHEN 'late_fee' THEN 'income'
	WHEN 'write_off' THEN 'expense' WHEN 'adjustment' THEN 'expense' END;
COMMENT ON FUNCTION elecbill._ledger_kind(text) IS 'asset, liability, income or expense by the code of a ledger account; NULL: there is no such code';

CREATE FUNCTION elecbill._ledger_account(p_org integer, p_code text, p_account bigint DEFAULT NULL) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	full_code text := p_code;
	found bigint;
BEGIN
	IF p_account IS NOT NULL THEN
		full_code := p_code || ':' || (SELECT a.account_no FROM elecbill.customer_account a WHERE a.id = p_account);
	END IF;
	SELECT l.id INTO found FROM elecbill.ledger_account l WHERE l.org_id = p_org AND l.code = full_code;
	IF found IS NULL THEN
		INSERT INTO elecbill.ledger_account (org_id, code, kind, account_id)
		VALUES (p_org, full_code, elecbill._ledger_kind(full_code), p_account)
		ON CONFLICT ON CONSTRAINT ledger_account_org_code_key DO NOTHING
		RETURNING id INTO found;
	END IF;
	RETURN coalesce(found, (SELECT l.id FROM elecbill.ledger_account l WHERE l.org_id = p_org AND l.code = full_code));
END $$;
COMMENT ON FUNCTION elecbill._ledger_account(integer, text, bigint) IS
'ledger account by code, or by kind of code (receivable, advance, deposit) and customer account; made when it is new';

CREATE FUNCTION elecbill._period_share(p_org integer, p_on date) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	period elecbill.accounting_period;
	wanted date := date_trunc('month', p_on::timestamp)::date;
BEGIN
	LOOP
		wanted := greatest(wanted, (SELECT (max(c.month) + interval '1 month')::date
			FROM elecbill.accounting_period c WHERE c.org_id = p_org AND c.status = 'closed'));
		SELECT * INTO period FROM elecbill.accounting_period p
		WHERE p.org_id = p_org AND p.month = wanted FOR SHARE;
		EXIT WHEN FOUND AND period.status = 'open';
		IF NOT FOUND THEN
			INSERT INTO elecbill.accounting_period (org_id, month) VALUES (p_org, wanted)
			ON CONFLICT ON CONSTRAINT accounting_period_org_month_key DO NOTHING;
		END IF;
	END LOOP;
	RETURN period.id;
END $$;
COMMENT ON FUNCTION elecbill._period_share(integer, date) IS
'the period of a local day, or the first one after the last that is closed, locked so that it stays open until commit';

CREATE FUNCTION elecbill._balance_move(p_org integer, p_ids bigint[], p_debits numeric[], p_credits numeric[],
	p_pending_debits numeric[], p_pending_credits numeric[]) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	PERFORM FROM elecbill.account_balance b WHERE b.ledger_account_id = ANY (p_ids)
	ORDER BY b.ledger_account_id FOR NO KEY UPDATE;
	WITH moved AS MATERIALIZED (
		SELECT u.id, sum(u.debit) AS debit, sum(u.credit) AS credit, sum(u.pending_debit) AS pending_debit,
			sum(u.pending_credit) AS pending_credit, count(*) AS n
		FROM unnest(p_ids, p_debits, p_credits, p_pending_debits, p_pending_credits)
			AS u(id, debit, credit, pending_debit, pending_credit)
		GROUP BY u.id
	), changed AS (
		UPDATE elecbill.account_balance b SET debit = b.debit + m.debit, credit = b.credit + m.credit,
			pending_debit = b.pending_debit + m.pending_debit, pending_credit = b.pending_credit + m.pending_credit,
			version = b.version + m.n
		FROM moved m
		-- the second condition is for the planner, which else reads all balances for each posting
		WHERE b.ledger_account_id = m.id AND b.ledger_account_id = ANY (p_ids))
	-- only what is not there comes here: with ON CONFLICT alone, what is added would have to pass the checks of the table by
	-- itself, and less is added, too. Who has an older snapshot (REPEATABLE READ) is told 40001, not 23505
	INSERT INTO elecbill.account_balance AS b (ledger_account_id, org_id, debit, credit, pending_debit, pending_credit, version)
	SELECT m.id, p_org, m.debit, m.credit, m.pending_debit, m.pending_credit, m.n
	FROM moved m JOIN elecbill.ledger_account l ON l.id = m.id
	WHERE l.account_id IS NOT NULL AND l.id = ANY (p_ids)
		AND NOT EXISTS (SELECT FROM elecbill.account_balance x WHERE x.ledger_account_id = l.id)
	ON CONFLICT ON CONSTRAINT account_balance_pkey DO UPDATE SET debit = b.debit + excluded.debit, credit = b.credit + excluded.credit,
		pending_debit = b.pending_debit + excluded.pending_debit, pending_credit = b.pending_credit + excluded.pending_credit,
		version = b.version + excluded.version;
END $$;
COMMENT ON FUNCTION elecbill._balance_move(integer, bigint[], numeric[], numeric[], numeric[], numeric[]) IS
'moves balances of customers, whose customer_account the caller has locked, in the order of their keys, and makes those that are not there; control accounts have none';

CREATE FUNCTION elecbill._transfer_sha256(p_debit bigint, p_credit bigint, p_amount numeric, p_kind text, p_stage text,
	p_pending bigint, p_reverses bigint, p_bill bigint, p_payment bigint, p_on date) RETURNS bytea
LANGUAGE sql STABLE PARALLEL SAFE
RETURN sha256(convert_to(jsonb_build_array(p_debit, p_credit, p_amount::numeric(14,2), p_kind, p_stage, p_pending,
	p_reverses, p_bill, p_payment, p_on - date '2000-01-01')::text, 'UTF8'));
COMMENT ON FUNCTION elecbill._transfer_sha256(bigint, bigint, numeric, text, text, bigint, bigint, bigint, bigint, date) IS
'what a transfer says, as one value: a key that comes again must come with the same';

CREATE FUNCTION elecbill._key_check(p_known bytea, p_given bytea, p_key text) RETURNS void
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF p_known IS DISTINCT FROM p_given THEN
		RAISE EXCEPTION USING
			ERRCODE = 'UB409',
			MESSAGE = 'the key was used for something else',
			DETAIL = format('Key %s.', quote_literal(p_key)),
			HINT = 'A call that is repeated keeps its key and its arguments; another call needs another key.';
	END IF;
END $$;
COMMENT ON FUNCTION elecbill._key_check(bytea, bytea, text) IS 'UB409 when a key comes again with other content';

CREATE FUNCTION elecbill._key_lock(p_org integer, p_key text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	PERFORM pg_advisory_xact_lock(hashtextextended(format('elecbill.key %s %s', p_org, p_key), 0));
END $$;
COMMENT ON FUNCTION elecbill._key_lock(integer, text) IS 'holds the key of a call until the end of the transaction: the same key for another account, payment or bill waits, and the statement after it sees what was done. Behind what the call is about, before the ledger';

CREATE FUNCTION elecbill._post(p_org integer, p_key text, p_debit bigint, p_credit bigint, p_amount numeric, p_kind text,
	p_on date, p_bill bigint DEFAULT NULL, p_payment bigint DEFAULT NULL, p_stage text DEFAULT 'single',
	p_pending elecbill.ledger_transfer DEFAULT NULL, p_reverses bigint DEFAULT NULL) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	content bytea := elecbill._transfer_sha256(p_debit, p_credit, p_amount, p_kind, p_stage, (p_pending).id, p_reverses,
		p_bill, p_payment, p_on);
	moved numeric := CASE WHEN p_stage IN ('single', 'post') THEN p_amount ELSE 0 END;
	announced numeric := CASE WHEN p_stage = 'pending' THEN p_amount ELSE -coalesce((p_pending).amount, 0) END;
	known record;
	made bigint;
BEGIN
	SELECT t.id, t.content_sha256 INTO known FROM elecbill.ledger_transfer t WHERE t.org_id = p_org AND t.idem_key = p_key;
	IF NOT FOUND THEN
		INSERT INTO elecbill.ledger_transfer (org_id, idem_key, content_sha256, debit_id, credit_id, amount, kind, stage,
			pending_id, reverses_id, bill_id, payment_id, effective_on, period_id)
		VALUES (p_org, p_key, content, p_debit, p_credit, p_amount, p_kind, p_stage, (p_pending).id, p_reverses, p_bill,
			p_payment, p_on, elecbill._period_share(p_org, p_on))
		ON CONFLICT ON CONSTRAINT ledger_transfer_org_idem_key DO NOTHING
		RETURNING id INTO made;
		IF FOUND THEN
			PERFORM elecbill._balance_move(p_org, ARRAY[p_debit, p_credit], ARRAY[moved, 0], ARRAY[0, moved],
				ARRAY[announced, 0], ARRAY[0, announced]);
			RETURN made;
		END IF;
		SELECT t.id, t.content_sha256 INTO known FROM elecbill.ledger_transfer t WHERE t.org_id = p_org AND t.idem_key = p_key;
	END IF;
	PERFORM elecbill._key_check(known.content_sha256, content, p_key);
	RETURN known.id;
END $$;
COMMENT ON FUNCTION elecbill._post(integer, text, bigint, bigint, numeric, text, date, bigint, bigint, text, elecbill.ledger_transfer, bigint) IS
'writes a transfer and moves the balances of its customers, whose customer_account the caller has locked; a key that comes again answers as the first time. UB409 the key is that of another transfer';

CREATE FUNCTION elecbill._post_bills(p_org integer, p_bills bigint[], p_on date) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	period bigint;
	revenue bigint := elecbill._ledger_account(p_org, 'revenue');
	tax bigint := elecbill._ledger_account(p_org, 'output_tax');
	ids bigint[];
	debits numeric[];
	credits numeric[];
	none numeric[];
BEGIN
	INSERT INTO elecbill.ledger_account (org_id, code, kind, account_id)
	SELECT DISTINCT p_org, 'receivable:' || a.account_no, 'asset', a.id
	FROM elecbill.bill b JOIN elecbill.customer_account a ON a.id = b.account_id
	WHERE b.id = ANY (p_bills)
		AND NOT EXISTS (SELECT FROM elecbill.ledger_account l WHERE l.org_id = p_org AND l.code = 'receivable:' || a.account_no)
	ORDER BY a.id
	ON CONFLICT ON CONSTRAINT ledger_account_org_code_key DO NOTHING;
	period := elecbill._period_share(p_org, p_on);
	WITH part AS (
		SELECT b.id AS bill_id, l.id AS receivable_id, x.kind, x.amount, x.against
		FROM elecbill.bill b
		JOIN elecbill.customer_account a ON a.id = b.account_id
		JOIN elecbill.ledger_account l ON l.org_id = p_org AND l.code = 'receivable:' || a.account_no,
			LATERAL (VALUES ('issue', b.amount - b.tax_amount, revenue), ('tax', b.tax_amount, tax)) AS x(kind, amount, against)
		WHERE b.id = ANY (p_bills) AND x.amount <> 0
	), posted AS (
		INSERT INTO elecbill.ledger_transfer (org_id, idem_key, content_sha256, debit_id, credit_id, amount, kind, bill_id,
			effective_on, period_id)
		SELECT p_org, format('%s:bill:%s', p.kind, p.bill_id),
			elecbill._transfer_sha256(d.debit_id, d.credit_id, abs(p.amount), p.kind, 'single', NULL, NULL, p.bill_id, NULL, p_on),
			d.debit_id, d.credit_id, abs(p.amount), p.kind, p.bill_id, p_on, period
		FROM part p, LATERAL (SELECT CASE WHEN p.amount > 0 THEN p.receivable_id ELSE p.against END,
			CASE WHEN p.amount > 0 THEN p.against ELSE p.receivable_id END) AS d(debit_id, credit_id)
		ORDER BY p.bill_id, p.kind
		RETURNING debit_id, credit_id, amount
	), moved AS (
		SELECT m.id, m.debit, m.credit
		FROM posted t, LATERAL (VALUES (t.debit_id, t.amount, 0::numeric), (t.credit_id, 0::numeric, t.amount)) AS m(id, debit, credit)
		WHERE m.id NOT IN (revenue, tax))
	SELECT array_agg(m.id), array_agg(m.debit), array_agg(m.credit), array_agg(0::numeric) INTO ids, debits, credits, none
	FROM moved m;
	PERFORM elecbill._balance_move(p_org, ids, debits, credits, none, none);
END $$;
COMMENT ON FUNCTION elecbill._post_bills(integer, bigint[], date) IS
'books issued bills, whose customer_account the caller has locked: receivable to revenue and output tax, the other way round where the amount is below 0';

CREATE FUNCTION elecbill._post_reverse(p_transfer bigint, p_key text, p_on date) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	t elecbill.ledger_transfer;
BEGIN
	SELECT * INTO t FROM elecbill.ledger_transfer WHERE id = p_transfer;
	IF t.stage NOT IN ('single', 'post') THEN
		RAISE EXCEPTION USING
			ERRCODE = 'UB412',
			MESSAGE = format('a transfer of stage %s is not reversed', t.stage),
			HINT = 'A pending transfer is given up by pending_void().';
	END IF;
	RETURN elecbill._post(t.org_id, p_key, t.credit_id, t.debit_id, t.amount, 'reversal', p_on, t.bill_id, t.payment_id,
		p_reverses => t.id);
END $$;
COMMENT ON FUNCTION elecbill._post_reverse(bigint, text, date) IS
'undoes a transfer by one the other way round, once. UB412 a transfer that moved nothing, 23505 reversed already by another key';
