-- 96_demo_bill.sql: the bill runs of the demo estate, and who pays what, when, and how

CREATE FUNCTION elecbill._demo_runs(p_day date) RETURNS bigint[]
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	days daterange := daterange((p_day - interval '1 month')::date, p_day);
BEGIN
	-- what a rule held goes out when somebody has decided
	IF extract(day FROM p_day) = 2 THEN
		PERFORM elecbill._demo_at(p_day, '10:30', 'billing-1');
		RETURN ARRAY(SELECT r.id FROM elecbill.bill_run AS r WHERE r.status = 'done' AND upper(r.period) = p_day - 1
			AND EXISTS (SELECT FROM elecbill.bill AS b JOIN elecbill.bill_hold_note AS h ON h.bill_id = b.id AND h.by_rule
				WHERE b.run_id = r.id AND b.status = 'held') ORDER BY r.id);
	ELSIF extract(day FROM p_day) <> 1 OR p_day = elecbill._demo_first() THEN
		RETURN '{}'::bigint[];
	END IF;
	PERFORM elecbill._demo_at(p_day, '11:00', 'billing-1');
	RETURN ARRAY[elecbill.bill_run_start('DEMO', 'MONTH', days), elecbill.bill_run_start('DEMO', 'LARGE', days)];
END $$;
COMMENT ON FUNCTION elecbill._demo_runs(date) IS 'the bill runs that are to be worked on that day: on the first, for the month before; on the second, once more for what was held';

CREATE FUNCTION elecbill._demo_review(p_run bigint, p_day date) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	run elecbill.bill_run := (SELECT r FROM elecbill.bill_run AS r WHERE r.id = p_run);
BEGIN
	PERFORM elecbill._demo_at(p_day, '11:30', 'billing-2');
	IF run.status <> 'review' THEN
		RETURN true;
	ELSIF p_day = '2026-01-01' THEN
		-- as of today: the workshop waits for a reviewer, a shop disputes what it used
		IF EXISTS (SELECT FROM elecbill.billing_cycle AS c WHERE c.id = run.cycle_id AND c.code = 'LARGE') THEN
			RETURN false;
		END IF;
		PERFORM elecbill.bill_hold(b.id::text, 'the tenant disputes the reading')
		FROM elecbill.bill AS b JOIN elecbill.customer_account AS a ON a.id = b.account_id
		WHERE b.run_id = p_run AND a.account_no = 'S-11';
	END IF;
	PERFORM elecbill.bill_approve(p_run);
	RETURN true;
END $$;
COMMENT ON FUNCTION elecbill._demo_review(bigint, date) IS 'somebody else looks at the drafts of a run; whether it is to be issued';

CREATE FUNCTION elecbill._demo_open(p_room text) RETURNS TABLE (number text, open numeric, since date)
LANGUAGE plpgsql STABLE ROWS 2 SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN QUERY
	SELECT b.number, b.amount - b.paid + b.late_fee, lower(b.service) FROM elecbill.bill AS b
	JOIN elecbill.customer_account AS a ON a.id = b.account_id
	WHERE a.account_no = p_room AND b.status IN ('issued', 'partly_paid', 'overdue') AND b.amount > b.paid
	ORDER BY b.id;
END $$;
COMMENT ON FUNCTION elecbill._demo_open(text) IS 'the open bills of an account';

CREATE FUNCTION elecbill._demo_due(p_seed integer, p_day date)
RETURNS TABLE (n bigint, number text, account_no text, open numeric, how integer)
LANGUAGE plpgsql STABLE ROWS 10 SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN QUERY
	SELECT row_number() OVER (ORDER BY lower(b.service), a.account_no), b.number, a.account_no, b.amount - b.paid + b.late_fee,
		elecbill._demo_pick(p_seed, a.account_no, 10)
	FROM elecbill.bill AS b
	JOIN elecbill.customer_account AS a ON a.id = b.account_id
	CROSS JOIN LATERAL (SELECT (b.issued_at AT TIME ZONE 'Asia/Shanghai')::date, 
		elecbill._demo_pick(p_seed, a.account_no || to_char(lower(b.service), ' YYYY-MM'), 100)) AS d(issued, draw)
	WHERE b.status IN ('issued', 'partly_paid', 'overdue') AND b.amount > b.paid
		-- four of a hundred bills are paid late, the others within 18 days
		AND d.issued + CASE WHEN d.draw < 4 THEN 26 + d.draw * 3 ELSE 1 + d.draw % 18 END <= p_day
		AND CASE a.account_no
			WHEN 'R-0601' THEN lower(b.service) < '2025-03-01'	/* pays no more, is disconnected, moves away */
			WHEN 'R-0801' THEN lower(b.service) < '2025-09-01'	/* is prepaid since */
			WHEN 'R-1401' THEN p_day NOT BETWEEN '2025-03-01' AND '2025-03-05'	/* has the wrong tariff */
			WHEN 'R-1203' THEN lower(b.service) <> '2025-12-01'	/* has paid half of it */
			WHEN 'R-1504' THEN lower(b.service) < '2025-10-01'	/* is overdue */
			WHEN 'S-07' THEN lower(b.service) <> '2025-11-01' OR p_day >= '2026-01-10'	/* arrears over the end of a year */
			ELSE true END;
END $$;
COMMENT ON FUNCTION elecbill._demo_due(integer, date) IS 'the bills that are paid on a day, and how: 0 to 5 alipay, 6 and 7 wechat, 8 cash, 9 by bank';

CREATE FUNCTION elecbill._demo_order(p_account text, p_number text, p_amount numeric, p_channel text, p_twice boolean) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	at timestamptz := elecbill.now();
	made text;
BEGIN
	PERFORM elecbill._play(at, lower(p_account));
	made := (elecbill.payment_order_create('DEMO/' || p_account, ARRAY[p_number], p_amount, p_channel,
		format('app:%s:%s', p_number, extract(epoch FROM at)::bigint))).number;
	-- a minute later the channel says that it has the money; now and then it says so twice
	FOR n IN 1 .. CASE WHEN p_twice THEN 2 ELSE 1 END LOOP
		PERFORM elecbill._play(at + n * interval '1 minute', 'gateway');
		PERFORM elecbill.payment_order_confirm('DEMO', p_channel, upper(p_channel) || '-' || made, made, p_amount, at + interval '40 seconds');
	END LOOP;
END $$;
COMMENT ON FUNCTION elecbill._demo_order(text, text, numeric, text, boolean) IS 'a resident pays a bill over a channel';

CREATE FUNCTION elecbill._demo_pay(p_seed integer, p_day date) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	one record;
	shift bigint;
	till numeric;
BEGIN
	FOR one IN SELECT d.* FROM elecbill._demo_due(p_seed, p_day) AS d ORDER BY d.n LOOP
		PERFORM elecbill._demo_at(p_day, interval '12 hours' + one.n * interval '4 minutes', 'desk-1');
		IF one.how <= 7 THEN
			PERFORM elecbill._demo_order(one.account_no, one.number, one.open, CASE WHEN one.how <= 5 THEN 'alipay' ELSE 'wechat' END,
				p_day = '2025-05-09' AND one.n = 1);
		ELSE
			IF one.how = 8 AND shift IS NULL THEN
				shift := elecbill.cashier_shift_open('DEMO', 200);
				till := 200;
			END IF;
			PERFORM elecbill.pay_bill('DEMO/' || one.number, one.open, format('desk:%s:%s', one.number, to_char(p_day, 'YYYY-MM-DD')),
				CASE one.how WHEN 8 THEN 'cash' ELSE 'bank' END);
			till := till + CASE one.how WHEN 8 THEN one.open ELSE 0 END;
		END IF;
	END LOOP;
	IF shift IS NOT NULL THEN
		PERFORM elecbill._demo_at(p_day, '17:30', 'desk-1');
		-- once a yuan was missing
		PERFORM elecbill.cashier_shift_close('DEMO', till - CASE p_day WHEN '2025-04-08' THEN 1 ELSE 0 END);
	END IF;
END $$;
COMMENT ON FUNCTION elecbill._demo_pay(integer, date) IS 'the payments of a day, at the desk and over the channels';

CREATE FUNCTION elecbill._demo_money_day(p_day date) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	paid text := (SELECT p.receipt_no FROM elecbill.payment AS p JOIN elecbill.customer_account AS a ON a.id = p.account_id
		WHERE a.account_no IN ('R-0702', 'R-1701') AND p.receipt_no IS NOT NULL ORDER BY p.id DESC LIMIT 1);
BEGIN
	CASE p_day
	WHEN '2025-06-17' THEN
		-- pays ahead, then wants a part of it back
		PERFORM elecbill._demo_at(p_day, '08:30', 'desk-2'), elecbill.cashier_shift_open('DEMO');
		PERFORM elecbill.payment_record_cash('DEMO/R-0702', 500, NULL, 'ahead:R-0702', '{}');
	WHEN '2025-06-18' THEN
		PERFORM elecbill._demo_at(p_day, '08:35', 'desk-2');
		paid := elecbill.refund_request('DEMO/' || paid, 120, 'channel', 'back:R-0702', 'moves in with her sister');
		PERFORM elecbill._demo_at(p_day, '08:40', 'finance-1'), elecbill.refund_approve('DEMO/' || paid);
		PERFORM elecbill._demo_at(p_day, '08:45', 'desk-2'), elecbill.refund_pay('DEMO/' || paid),
			elecbill.cashier_shift_close('DEMO', 380);
	WHEN '2025-09-01' THEN
		PERFORM elecbill._demo_at(p_day, '08:30', 'desk-2'), elecbill.account_mode_set('DEMO/R-0801', 'prepaid');
	WHEN '2025-09-02', '2025-10-20', '2025-11-17', '2025-12-15', '2026-01-12' THEN
		-- the prepaid home pays ahead, once too late
		PERFORM elecbill._demo_at(p_day, '08:30', 'desk-2'), elecbill.cashier_shift_open('DEMO');
		PERFORM elecbill.payment_record_cash('DEMO/R-0801', 160, NULL, 'ahead:R-0801:' || to_char(p_day, 'YYYY-MM-DD'), '{}');
		PERFORM elecbill._demo_at(p_day, '08:40', 'desk-2'), elecbill.cashier_shift_close('DEMO', 160);
	WHEN '2025-09-08' THEN
		-- a bank transfer that bounced
		PERFORM elecbill._demo_at(p_day, '08:50', 'finance-2');
		PERFORM elecbill.payment_reverse('DEMO/' || p.receipt_no, 'bounced', 'bounced:' || p.receipt_no)
		FROM (SELECT x.* FROM elecbill.payment AS x WHERE x.channel = 'bank' AND x.state = 'posted' ORDER BY x.id DESC LIMIT 1) AS p;
	WHEN '2025-12-12' THEN
		PERFORM elecbill._demo_at(p_day, '14:00', 'desk-1');
		PERFORM elecbill.payment_plan_add('DEMO/R-1504', '{2026-01-15,2026-02-15}', ARRAY[round(x.open / 2, 2), x.open - round(x.open / 2, 2)])
		FROM (SELECT sum(b.open) AS open FROM elecbill._demo_open('R-1504') AS b
			JOIN elecbill.bill AS y ON y.number = b.number WHERE y.due_on < p_day) AS x;
	WHEN '2026-01-06' THEN
		PERFORM elecbill._demo_at(p_day, '08:30', 'desk-2');
		PERFORM elecbill.pay_bill('DEMO/' || b.number, round(b.open / 2, 2), 'half:' || b.number, 'pos')
		FROM elecbill._demo_open('R-1203') AS b;
	ELSE
		RETURN;
	END CASE;
END $$;
COMMENT ON FUNCTION elecbill._demo_money_day(date) IS 'what happens with money on some days: paid ahead and back, a transfer that bounces, half of a bill';
