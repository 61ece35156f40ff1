-- retry_call.sql: what a client calls in a month of an estate (retry_estate.sql), each call with the same key however often it is made
-- psql -v month=DATE -v phase=ingest|work|issue|pay|confirm -v homes=N -v pid_file=FILE -v told=FILE
-- Each call is a transaction of its own. FILE gets what it answered: what, key, answer.
\set ON_ERROR_STOP 1
\pset format unaligned
\pset tuples_only on
\pset fieldsep '\t'
\o :pid_file
SELECT pg_backend_pid();
\o :told
SELECT format('pay-%s-', to_char(date :'month', 'YYYY-MM')) AS key, (date :'month' + interval '1 month')::date AS month_end,
	:'phase' = 'ingest' AS ingest, :'phase' = 'work' AS work, :'phase' = 'issue' AS issue,
	:'phase' = 'pay' AS pay, :'phase' = 'confirm' AS confirm \gset
\if :ingest
	-- a day of three readings of each meter in a batch, numbered from the first day on
	SELECT format($$SELECT 'acked', %s, format('%%s %%s %%s', accepted + duplicate, conflict, rejected)
		FROM elecbill.ingest('00000000-0000-4000-8000-000000000001', %s, %L, %L, %L, %L, %L, %L)$$,
		min(r.seq) + count(*) - 1, min(r.seq), array_agg('M-' || lpad(r.i::text, 4, '0') ORDER BY r.seq),
		array_agg('1.8.0'::text), array_agg(r.at ORDER BY r.seq), array_agg(r.kwh ORDER BY r.seq), array_agg(0),
		array_agg(NULL::timestamptz))
	FROM (SELECT d.n, i, ((d.n * 3 + h.n - 1) * :homes + i) AS seq,
			timestamptz '2024-01-01 00:00+08' + d.n * interval '24 hours' + h.hour * interval '1 hour' AS at,
			-- 0.8 to 2.7 kWh from one reading to the next
			100 + (d.n * 3 + h.n) * (1 + i % 7 * 0.25) + (d.n * 3 + h.n) * i % 5 * 0.05 AS kwh
		FROM generate_series(date :'month' - date '2024-01-01', date :'month_end' - date '2024-01-02') AS d(n),
			unnest('{8,22,24}'::integer[]) WITH ORDINALITY AS h(hour, n), generate_series(1, :homes) AS i) AS r
	GROUP BY r.n ORDER BY r.n \gexec
\elif :work
	SELECT elecbill.bill_run_start('SITE', 'MONTH', daterange(:'month', :'month_end')) AS run \gset
	CALL elecbill.bill_run_work(:run);
	-- whoever finds nothing left to claim goes home, though the other's last batch may still fail
	SELECT 'rated', r.id, '' FROM elecbill.bill_run r WHERE r.id = :run AND r.status = 'review';
\elif :issue
	SELECT elecbill.bill_run_start('SITE', 'MONTH', daterange(:'month', :'month_end')) AS run \gset
	CALL elecbill.bill_run_issue(:run);
	SELECT 'issued', r.id, '' FROM elecbill.bill_run r WHERE r.id = :run AND r.status = 'done';
\elif :pay
	-- a quarter pays its bill in cash, a quarter all and 5.00 more, which the next bill takes; the others order
	SELECT format(CASE WHEN p.i % 4 = 0 THEN $$SELECT 'receipt', %1$L, elecbill.payment_record_cash(%2$L, %3$s, NULL, %1$L, ARRAY[%4$L])$$
			WHEN p.i % 4 = 2 THEN $$SELECT 'receipt', %1$L, elecbill.payment_record_cash(%2$L, %3$s + 5, NULL, %1$L)$$
			ELSE $$SELECT 'order', %1$L, number FROM elecbill.payment_order_create(%2$L, ARRAY[%4$L], %3$s, 'wechat', %1$L)$$ END,
		:'key' || p.account_no, p.account_no, p.amount, p.number)
	FROM (SELECT a.account_no, right(a.account_no, 4)::integer AS i, b.amount, b.number
		FROM elecbill.bill b JOIN elecbill.customer_account a ON a.id = b.account_id
		WHERE lower(b.service) = date :'month' AND b.status <> 'draft') AS p
	ORDER BY p.account_no \gexec
\elif :confirm
	-- the channel says of each order that it is paid, but for every eighth home, and of one that nobody knows
	SELECT format($$SELECT 'confirm', %1$L, elecbill.payment_order_confirm('SITE', 'wechat', %1$L, %2$L, %3$s, %4$L)$$,
		c.txn, c.number, c.amount, c.at)
	FROM (SELECT 'T-' || o.idem_key AS txn, o.number, o.amount, o.created_at AS at
		FROM elecbill.payment_order o
		WHERE starts_with(o.idem_key, :'key') AND right(o.idem_key, 4)::integer % 8 <> 7
		UNION ALL
		SELECT to_char(date :'month', '"T-unknown-"YYYY-MM'), 'O2000-000001', 4, timestamptz '2024-01-01 12:00+08') AS c
	ORDER BY c.txn \gexec
\endif
\o
