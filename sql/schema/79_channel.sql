-- 79_channel.sql: what the channels say they were paid, against what is booked
-- A statement is a file of a channel: a row per transaction. A row that nobody confirmed is a lost
-- callback and is confirmed now; all else that differs is shown by channel_reconciliation.

CREATE TABLE elecbill.channel_statement (
	id			bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT channel_statement_pkey PRIMARY KEY,
	org_id		integer NOT NULL CONSTRAINT channel_statement_org_fkey REFERENCES elecbill.org,
	channel		text NOT NULL CONSTRAINT channel_statement_channel_check
				CHECK (channel IN ('alipay', 'wechat', 'bank', 'pos', 'prepaid')),
	sha256		bytea NOT NULL CONSTRAINT channel_statement_sha256_check CHECK (length(sha256) = 32),
	imported_at	timestamptz NOT NULL DEFAULT elecbill.now(),
	imported_by	text NOT NULL DEFAULT elecbill.current_login(),
	CONSTRAINT channel_statement_org_id_key UNIQUE (org_id, id),
	CONSTRAINT channel_statement_file_key UNIQUE (org_id, channel, sha256)
);
COMMENT ON TABLE elecbill.channel_statement IS 'files of channels that were imported, each once';
COMMENT ON COLUMN elecbill.channel_statement.id IS 'internal key';
COMMENT ON COLUMN elecbill.channel_statement.org_id IS 'owner';
COMMENT ON COLUMN elecbill.channel_statement.channel IS 'alipay, wechat, bank, pos or prepaid';
COMMENT ON COLUMN elecbill.channel_statement.sha256 IS 'sha256 of the file';
COMMENT ON COLUMN elecbill.channel_statement.imported_at IS 'when it was imported';
COMMENT ON COLUMN elecbill.channel_statement.imported_by IS 'login of who imported it';

CREATE TABLE elecbill.channel_statement_row (
	org_id		integer NOT NULL,
	channel		text NOT NULL,
	channel_txn	text NOT NULL CONSTRAINT channel_statement_row_channel_txn_check CHECK (channel_txn ~ '^\S{1,128}$'),
	statement_id bigint NOT NULL,
	line		integer NOT NULL CONSTRAINT channel_statement_row_line_check CHECK (line > 1),
	order_number text,
	amount		numeric(14,2) NOT NULL CONSTRAINT channel_statement_row_amount_check CHECK (amount > 0),
	paid_at		timestamptz NOT NULL,
	CONSTRAINT channel_statement_row_pkey PRIMARY KEY (org_id, channel, channel_txn),
	CONSTRAINT channel_statement_row_statement_fkey FOREIGN KEY (org_id, statement_id)
		REFERENCES elecbill.channel_statement (org_id, id)
);
CREATE INDEX channel_statement_row_statement_idx ON elecbill.channel_statement_row (statement_id, line);
COMMENT ON TABLE elecbill.channel_statement_row IS 'transactions that a channel says it took, one row each';
COMMENT ON COLUMN elecbill.channel_statement_row.org_id IS 'owner';
COMMENT ON COLUMN elecbill.channel_statement_row.channel IS 'the channel';
COMMENT ON COLUMN elecbill.channel_statement_row.channel_txn IS 'number of the channel';
COMMENT ON COLUMN elecbill.channel_statement_row.statement_id IS 'file it came in';
COMMENT ON COLUMN elecbill.channel_statement_row.line IS 'line of the file';
COMMENT ON COLUMN elecbill.channel_statement_row.order_number IS 'order it answers, as the channel says';
COMMENT ON COLUMN elecbill.channel_statement_row.amount IS 'amount, in the currency of the org';
COMMENT ON COLUMN elecbill.channel_statement_row.paid_at IS 'when it was paid';
COMMENT ON INDEX elecbill.channel_statement_row_statement_idx IS 'rows of a file';
CREATE TRIGGER channel_statement_row_keep BEFORE UPDATE OR DELETE ON elecbill.channel_statement_row
	FOR EACH ROW EXECUTE FUNCTION elecbill._append_only();
COMMENT ON TRIGGER channel_statement_row_keep ON elecbill.channel_statement_row IS 'no UPDATE, no DELETE';
CREATE TRIGGER channel_statement_row_keep_all BEFORE TRUNCATE ON elecbill.channel_statement_row
	FOR EACH STATEMENT EXECUTE FUNCTION elecbill._append_only();
COMMENT ON TRIGGER channel_statement_row_keep_all ON elecbill.channel_statement_row IS 'no TRUNCATE';

CREATE FUNCTION elecbill._statement_line(p_fields text[]) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF cardinality(p_fields) = 4 IS NOT TRUE THEN
		RETURN 'txn,order,amount,paid_at are wanted';
	ELSIF p_fields[1] !~ '^\S{1,128}$' THEN
		RETURN 'the number of the channel has blanks, is empty or too long';
	ELSIF p_fields[3] !~ '^[0-9]{1,12}(\.[0-9]{1,2})?$' OR p_fields[3]::numeric = 0 THEN
		RETURN format('%s is not an amount', quote_literal(p_fields[3]));
	ELSIF p_fields[4] !~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}[ T][0-9]{2}:[0-9]{2}:[0-9]{2}([+-][0-9]{2}(:?[0-9]{2})?|Z)$' THEN
		RETURN format('%s is not an instant with its offset, such as 2026-01-31 12:00:00+08', quote_literal(p_fields[4]));
	END IF;
	PERFORM p_fields[4]::timestamptz;
	RETURN NULL;
EXCEPTION WHEN data_exception THEN
	RETURN SQLERRM;
END $$;
COMMENT ON FUNCTION elecbill._statement_line(text[]) IS 'what is wrong with a row of a statement; NULL: nothing';

CREATE FUNCTION elecbill._statement_row(p_org text, p_channel text, p_row elecbill.channel_statement_row) RETURNS text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	known elecbill.channel_statement_row;
	paid elecbill.payment;
BEGIN
	INSERT INTO elecbill.channel_statement_row VALUES (p_row.*)
	ON CONFLICT ON CONSTRAINT channel_statement_row_pkey DO NOTHING;
	IF NOT FOUND THEN
		SELECT * INTO known FROM elecbill.channel_statement_row x WHERE x.org_id = p_row.org_id AND x.channel = p_channel
			AND x.channel_txn = p_row.channel_txn;
		RETURN CASE WHEN known.amount = p_row.amount THEN 'exists' ELSE 'conflict' END;
	END IF;
	SELECT * INTO paid FROM elecbill.payment x
	WHERE x.org_id = p_row.org_id AND x.channel = p_channel AND x.channel_txn = p_row.channel_txn;
	IF FOUND THEN
		RETURN CASE WHEN paid.amount = p_row.amount THEN 'matched' ELSE 'amount' END;
	END IF;
	RETURN elecbill._payment_order_confirm(p_org, p_channel, p_row.channel_txn, p_row.order_number, p_row.amount, p_row.paid_at);
END $$;
COMMENT ON FUNCTION elecbill._statement_row(text, text, elecbill.channel_statement_row) IS
'takes a row of a statement: matched, amount (booked with another one), exists or conflict (an earlier statement had it, with another amount), else what payment_order_confirm() says';

CREATE FUNCTION elecbill._channel_statement_import(p_org text, p_channel text, p_csv text)
RETURNS TABLE (outcome text, rows integer, amount numeric)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET datestyle = 'ISO, YMD' AS $$
DECLARE
	owner integer := elecbill._org_get(p_org);
	statement_key bigint;
	wanted elecbill.channel_statement_row;
	fault record;
	one record;
	outcomes text[] := ARRAY[]::text[];
	amounts numeric[] := ARRAY[]::numeric[];
BEGIN
	IF p_channel IN ('alipay', 'wechat', 'bank', 'pos', 'prepaid') IS NOT TRUE OR p_csv IS NULL THEN
		RAISE EXCEPTION USING ERRCODE = 'UB400', MESSAGE = 'a statement needs a channel and a file';
	END IF;
	SELECT c.line, w.what INTO fault
	FROM elecbill.csv_rows(convert_to(p_csv, 'UTF8')) AS c,
		LATERAL (SELECT coalesce(c.fault, elecbill._statement_line(c.fields))) AS w(what)
	WHERE c.line > 1 AND w.what IS NOT NULL ORDER BY c.line LIMIT 1;
	IF FOUND THEN
		RAISE EXCEPTION USING ERRCODE = 'UB400', MESSAGE = format('line %s of the statement: %s', fault.line, fault.what),
			HINT = 'A head and rows txn,order,amount,paid_at; nothing of the file was taken.';
	END IF;
	INSERT INTO elecbill.channel_statement (org_id, channel, sha256)
	VALUES (owner, p_channel, sha256(convert_to(p_csv, 'UTF8')))
	ON CONFLICT ON CONSTRAINT channel_statement_file_key DO NOTHING RETURNING id INTO statement_key;
	IF statement_key IS NULL THEN
		RETURN;	/* the file was imported before */
	END IF;
	-- customer accounts are locked row by row: in one order for all who import
	FOR one IN SELECT c.line, c.fields FROM elecbill.csv_rows(convert_to(p_csv, 'UTF8')) AS c
		LEFT JOIN elecbill.payment_order o ON o.org_id = owner AND o.number = c.fields[2]
		WHERE c.line > 1 ORDER BY o.account_id NULLS LAST, c.line
	LOOP
		wanted := ROW(owner, p_channel, one.fields[1], statement_key, one.line, nullif(one.fields[2], ''),
			one.fields[3]::numeric, one.fields[4]::timestamptz);
		outcomes := outcomes || elecbill._statement_row(p_org, p_channel, wanted);
		amounts := amounts || wanted.amount;
	END LOOP;
	PERFORM elecbill._audit(owner, 'channel_statement_import', p_channel, NULL, jsonb_build_object('rows', cardinality(outcomes)));
	RETURN QUERY SELECT u.what, count(*)::integer, sum(u.money) FROM unnest(outcomes, amounts) AS u(what, money)
		GROUP BY u.what ORDER BY u.what;
END $$;
COMMENT ON FUNCTION elecbill._channel_statement_import(text, text, text) IS 'what channel_statement_import() does';

CREATE FUNCTION elecbill.channel_statement_import(org text, channel text, csv text)
RETURNS TABLE (outcome text, rows integer, amount numeric)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN QUERY SELECT * FROM elecbill._channel_statement_import(org, channel, csv);
EXCEPTION WHEN OTHERS THEN
	PERFORM elecbill._refused(org, 'channel_statement_import', channel, SQLSTATE, SQLERRM);
	RAISE;
END $$;
COMMENT ON FUNCTION elecbill.channel_statement_import(text, text, text) IS
'imports the statement of a channel: a head, then rows txn,order,amount,paid_at. Returns how many rows, and how much money, per outcome: matched; amount (booked with another one); exists; conflict; for those nobody had confirmed paid, late, mismatch, unmatched as payment_order_confirm(). The same file once more: nothing. All of the file or nothing. UB400 a broken row, by its line, UB404 unknown org';

CREATE FUNCTION elecbill._payment_match(p_payment text, p_account text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	p elecbill.payment := elecbill._payment_get(p_payment);
	a elecbill.customer_account := elecbill._account_lock(p_account);
	day date := elecbill._payment_day(p);	/* however long it lay there */
	suspense bigint := elecbill._ledger_account(p.org_id, 'suspense');
	rest numeric;
BEGIN
	SELECT * INTO p FROM elecbill.payment x WHERE x.id = p.id FOR NO KEY UPDATE;
	IF a.org_id <> p.org_id THEN
		RAISE EXCEPTION USING ERRCODE = 'UB404', MESSAGE = format('there is no account %s', quote_nullable(p_account));
	ELSIF p.state = 'posted' AND p.account_id = a.id THEN
		RETURN;	/* the same call once more */
	ELSIF p.state NOT IN ('unmatched', 'mismatch') THEN
		RAISE EXCEPTION USING ERRCODE = 'UB412', MESSAGE = format('a payment that is %s is not matched', p.state);
	END IF;
	UPDATE elecbill.payment SET account_id = a.id, state = 'posted' WHERE id = p.id;
	rest := elecbill._apply(p.org_id, a.id, p.id, suspense, p.amount, NULL, day, 'match:' || p.id, 'match');
	IF rest > 0 THEN
		PERFORM elecbill._post(p.org_id, format('match:%s:advance', p.id), suspense,
			elecbill._ledger_account(p.org_id, 'advance', a.id), rest, 'match', day, NULL, p.id);
	END IF;
	PERFORM elecbill._arrears_paid(p.org_id, a.id);
	PERFORM elecbill._outbox_payment(p, a.id);
	PERFORM elecbill._alarm_end(p.org_id, 'payment_' || p.state, format('%s %s', p.channel, p.channel_txn), elecbill.now());
	PERFORM elecbill._audit(p.org_id, 'payment_match', p_payment, jsonb_build_object('state', p.state),
		jsonb_build_object('state', 'posted', 'account', a.account_no));
END $$;
COMMENT ON FUNCTION elecbill._payment_match(text, text) IS 'what payment_match() does';

CREATE FUNCTION elecbill.payment_match(payment text, account text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	PERFORM elecbill._payment_match(payment, account);
EXCEPTION WHEN OTHERS THEN
	PERFORM elecbill._refused(elecbill._org_part(payment), 'payment_match', payment, SQLSTATE, SQLERRM);
	RAISE;
END $$;
COMMENT ON FUNCTION elecbill.payment_match(text, text) IS
'gives a payment that is held in suspense (CHANNEL:NUMBER) to an account, as of the day on which it was paid: its open bills by due date, the rest is advance credit; its alarm ends. UB404, UB409, UB412 it is not in suspense';
