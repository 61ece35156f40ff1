-- 94_notice.sql: what is told: bills, due dates, payments; and in which words

CREATE FUNCTION elecbill._notice_money(p_payload jsonb, p_key text, p_lang text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (p_payload ->> p_key) || CASE WHEN p_lang = 'zh' AND p_payload ->> 'currency' = 'CNY' THEN '元'
	ELSE coalesce(' ' || (p_payload ->> 'currency'), '') END;
COMMENT ON FUNCTION elecbill._notice_money(jsonb, text, text) IS 'an amount of a notice with its currency';

CREATE FUNCTION elecbill._notice_text(p_topic text, p_payload jsonb, p_lang text) RETURNS text
LANGUAGE sql STABLE
BEGIN ATOMIC
	SELECT CASE p_topic || ' ' || p_lang
		WHEN 'bill_issued zh' THEN format('【%s】户号%s:%s至%s的%s已出账,金额%s,账单号%s,待缴%s,请于%s前缴费。', p.org, p.account, p."from", p."to",
			elecbill.label(p.kind, 'zh'), p.amount, p.bill, p.open, p.due_on)
		WHEN 'bill_issued en' THEN format('%s: account %s, %s for %s to %s: %s, bill %s, to be paid: %s by %s.', p.org, p.account,
			elecbill.label(p.kind, 'en'), p."from", p."to", p.amount, p.bill, p.open, p.due_on)
		WHEN 'reminder zh' THEN format('【%s】户号%s:账单%s待缴%s,缴费期限%s,%s。', p.org, p.account, p.bill, p.open, p.due_on,
			CASE WHEN p.days < 0 THEN format('还有%s天到期', -p.days) WHEN p.days = 0 THEN '今天到期' ELSE format('已逾期%s天', p.days) END)
		WHEN 'reminder en' THEN format('%s: account %s, bill %s: %s to be paid by %s, %s.', p.org, p.account, p.bill, p.open, p.due_on,
			CASE WHEN p.days < 0 THEN format('in %s days', -p.days) WHEN p.days = 0 THEN 'which is today' ELSE format('%s days ago', p.days) END)
		WHEN 'payment zh' THEN format('【%s】户号%s:收到%s %s,待缴%s,预存余额%s。', p.org, p.account, elecbill.label(p.channel, 'zh'), p.amount, p.open, p.credit)
		WHEN 'payment en' THEN format('%s: account %s, received %s by %s; to be paid: %s, credit: %s.', p.org, p.account, p.amount,
			elecbill.label(p.channel, 'en'), p.open, p.credit)
		WHEN 'low_balance zh' THEN format('【%s】户号%s:可用余额%s,请及时充值。', p.org, p.account, p.available)
		WHEN 'low_balance en' THEN format('%s: account %s has %s left; please pay in.', p.org, p.account, p.available)
		WHEN 'alarm zh' THEN format('【%s】%s:%s(%s)', p.org, elecbill.label(p.code, 'zh'), p.object, elecbill.label(p.severity, 'zh'))
		WHEN 'alarm en' THEN format('%s: %s: %s (%s)', p.org, elecbill.label(p.code, 'en'), p.object, elecbill.label(p.severity, 'en'))
		ELSE CASE p_lang WHEN 'zh' THEN format('【%s】户号%s:%s。', p.org, p.account, concat_ws(',', elecbill.label(p_topic, 'zh'), '欠费' || p.amount,
				'可用余额' || p.available, '停电不早于' || p.cut_off))
			ELSE format('%s: account %s, %s.', p.org, p.account, concat_ws(', ', elecbill.label(p_topic, 'en'), 'overdue: ' || p.amount,
				'left: ' || p.available, 'not cut off before ' || p.cut_off)) END END
	FROM (SELECT p_payload ->> 'org' AS org, p_payload ->> 'account' AS account, p_payload ->> 'from' AS "from", p_payload ->> 'to' AS "to",
		p_payload ->> 'kind' AS kind, p_payload ->> 'bill' AS bill, p_payload ->> 'due_on' AS due_on, p_payload ->> 'channel' AS channel,
		p_payload ->> 'code' AS code, p_payload ->> 'object' AS object, p_payload ->> 'severity' AS severity,
		p_payload ->> 'cut_off_at' AS cut_off, (p_payload ->> 'days')::integer AS days, elecbill._notice_money(p_payload, 'amount', p_lang) AS amount,
		elecbill._notice_money(p_payload, 'open', p_lang) AS open, elecbill._notice_money(p_payload, 'credit', p_lang) AS credit,
		elecbill._notice_money(p_payload, 'available', p_lang) AS available) AS p;
END;
COMMENT ON FUNCTION elecbill._notice_text(text, jsonb, text) IS 'the sentence of a notice in Chinese (zh) or English (en)';

CREATE FUNCTION elecbill._bill_facts(p_bills bigint[]) RETURNS TABLE (bill_id bigint, facts jsonb)
LANGUAGE sql STABLE
BEGIN ATOMIC
	SELECT b.id, jsonb_build_object('org', o.name, 'account', a.account_no, 'bill', b.number, 'kind', b.kind,
		'from', lower(b.service), 'to', upper(b.service) - 1, 'amount', b.amount,
		'open', greatest(b.amount - b.paid, 0) + b.late_fee, 'due_on', b.due_on, 'currency', o.currency)
	FROM elecbill.bill b
	JOIN elecbill.customer_account a ON a.id = b.account_id
	JOIN elecbill.org o ON o.id = b.org_id
	WHERE b.id = ANY (p_bills);
END;
COMMENT ON FUNCTION elecbill._bill_facts(bigint[]) IS 'what a notice says of bills: first and last local day, amount, what is open of it with its late fee, due date';

CREATE FUNCTION elecbill._outbox_bills(p_org integer, p_bills bigint[]) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF elecbill._outbox_on(p_org, 'bill_issued') THEN
		INSERT INTO elecbill.outbox (org_id, topic, dedup_key, payload)
		SELECT p_org, 'bill_issued', 'bill:' || f.bill_id, f.facts
		FROM elecbill._bill_facts(p_bills) AS f ORDER BY f.bill_id
		ON CONFLICT ON CONSTRAINT outbox_dedup_key DO NOTHING;
	END IF;
END $$;
COMMENT ON FUNCTION elecbill._outbox_bills(integer, bigint[]) IS 'writes the notices of bills that were issued';

CREATE FUNCTION elecbill._outbox_payment(p_payment elecbill.payment, p_account bigint) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	PERFORM elecbill._outbox(p_payment.org_id, 'payment', 'payment:' || p_payment.id, jsonb_build_object('org', o.name,
		'account', a.account_no, 'amount', p_payment.amount, 'channel', p_payment.channel, 'currency', o.currency,
		'paid_on', (p_payment.paid_at AT TIME ZONE o.zone)::date,
		'open', coalesce((SELECT sum(greatest(b.amount - b.paid, 0) + b.late_fee) FROM elecbill.bill b
			WHERE b.account_id = a.id AND b.status IN ('issued', 'partly_paid', 'overdue', 'paid')), 0.00),
		'credit', round(elecbill._advance_open(a.org_id, a.id), 2)))
	FROM elecbill.customer_account a JOIN elecbill.org o ON o.id = a.org_id WHERE a.id = p_account;
END $$;
COMMENT ON FUNCTION elecbill._outbox_payment(elecbill.payment, bigint) IS 'writes the notice of a payment that was booked for an account: what is open now, and its advance credit';

CREATE FUNCTION elecbill._remind(p_org integer, p_params jsonb, p_days daterange) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	today date := upper(p_days) - 1;
	n bigint;
BEGIN
	IF NOT elecbill._outbox_on(p_org, 'reminder') THEN
		RETURN 0;
	END IF;
	-- of days that were missed only the last reminder is worth saying
	WITH due AS MATERIALIZED (
		SELECT b.id, b.due_on, max(r.days) AS days
		FROM (SELECT d.days::integer FROM jsonb_array_elements_text(coalesce(p_params -> 'days', '[-3, 0, 3]')) AS d(days)) AS r
		JOIN elecbill.bill b ON b.org_id = p_org AND b.status IN ('issued', 'partly_paid', 'overdue') AND b.amount > b.paid
			AND b.due_on + r.days <@ p_days
		JOIN elecbill.customer_account a ON a.id = b.account_id
		JOIN elecbill.customer c ON c.id = a.customer_id AND (r.days <= 0 OR NOT c.tags @> '{no_dun}')
		WHERE NOT EXISTS (SELECT FROM elecbill.payment_plan p WHERE p.account_id = a.id AND p.status = 'active' AND b.id = ANY (p.bill_ids))
		GROUP BY b.id)
	INSERT INTO elecbill.outbox (org_id, topic, dedup_key, payload)
	SELECT p_org, 'reminder', format('reminder:%s:%s:%s', d.id, to_char(d.due_on, 'YYYY-MM-DD'), d.days),
		f.facts || jsonb_build_object('days', today - d.due_on)
	FROM due AS d JOIN elecbill._bill_facts(ARRAY(SELECT x.id FROM due AS x)) AS f ON f.bill_id = d.id
	ORDER BY d.due_on, d.id
	ON CONFLICT ON CONSTRAINT outbox_dedup_key DO NOTHING;
	GET DIAGNOSTICS n = ROW_COUNT;
	RETURN n;
END $$;
COMMENT ON FUNCTION elecbill._remind(integer, jsonb, daterange) IS 'writes reminders of the open bills of an org whose due date is so many days ago (below 0: ahead) on one of some local days, as {days: [-3, 0, 3]} says; returns how many. Not of bills that are paid by instalments, nor after the due date to who is not dunned';
