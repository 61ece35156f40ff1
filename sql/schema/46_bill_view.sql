-- 46_bill_view.sql: bills and runs for people and reporting tools

CREATE VIEW elecbill.bill_summary WITH (security_invoker = true) AS
SELECT a.account_no AS user_id, c.name AS username, to_char(lower(b.service), 'YYYY-MM') AS month,
	b.amount,
	elecbill.label(CASE WHEN b.status = 'paid' OR b.amount = 0 THEN 'paid' ELSE 'issued' END,
		elecbill._lang()) AS status
FROM elecbill.bill b
JOIN elecbill.customer_account a ON a.id = b.account_id
JOIN elecbill.customer c ON c.id = a.customer_id
WHERE b.status NOT IN ('draft', 'held', 'cancelled', 'written_off');
COMMENT ON VIEW elecbill.bill_summary IS 'issued bills, a row per bill: who, which month, how much, paid or not';
COMMENT ON COLUMN elecbill.bill_summary.user_id IS 'account number';
COMMENT ON COLUMN elecbill.bill_summary.username IS 'name of the customer';
COMMENT ON COLUMN elecbill.bill_summary.month IS 'month in which the billed days begin, YYYY-MM';
COMMENT ON COLUMN elecbill.bill_summary.amount IS 'amount in the currency of the org';
COMMENT ON COLUMN elecbill.bill_summary.status IS '未缴费 or 已缴费 (also of a bill of 0.00); issued or paid when elecbill.lang is en';

CREATE VIEW elecbill.bill_detail WITH (security_invoker = true) AS
SELECT o.code AS org, b.id AS bill_id, b.number, b.status, a.account_no, c.name AS customer, b.service,
	l.n, l.kind, l.component, l.label, l.period, l.tier, l.quantity, l.unit, l.price, l.factor,
	l.amount_raw, l.amount, l.quality, l.during, u.code AS usage_point, m.serial AS meter,
	g.code AS register, s.start_at, s.start_wh * 0.001 AS start_kwh, s.end_at,
	s.end_wh * 0.001 AS end_kwh, s.multiplier, s.segments, p.code AS tariff, v.version
FROM elecbill.bill b
JOIN elecbill.org o ON o.id = b.org_id
JOIN elecbill.customer_account a ON a.id = b.account_id
JOIN elecbill.customer c ON c.id = a.customer_id
JOIN elecbill.bill_line l ON l.bill_id = b.id
LEFT JOIN (
	SELECT x.*, count(*) OVER (PARTITION BY x.bill_id, x.agreement_id) AS segments
	FROM elecbill.bill_segment x) AS s ON s.bill_id = b.id AND s.id = l.segment_id
LEFT JOIN elecbill.usage_point u ON u.id = s.usage_point_id
LEFT JOIN elecbill.meter_register g ON g.id = s.register_id
LEFT JOIN elecbill.meter m ON m.id = g.meter_id
LEFT JOIN elecbill.customer_agreement ag ON ag.id = s.agreement_id
LEFT JOIN elecbill.tariff_plan p ON p.id = ag.tariff_plan_id
LEFT JOIN elecbill.tariff_version v ON v.id = l.tariff_version_id;
COMMENT ON VIEW elecbill.bill_detail IS
'every bill line with the two readings it rests on and the tariff it was rated by; a line that is not rated by itself (a true-up) has neither';
COMMENT ON COLUMN elecbill.bill_detail.org IS 'code of the org';
COMMENT ON COLUMN elecbill.bill_detail.bill_id IS 'key of the bill, also of a draft';
COMMENT ON COLUMN elecbill.bill_detail.number IS 'number of the bill; NULL for a draft';
COMMENT ON COLUMN elecbill.bill_detail.status IS 'state of the bill; label() has the words';
COMMENT ON COLUMN elecbill.bill_detail.account_no IS 'account number';
COMMENT ON COLUMN elecbill.bill_detail.customer IS 'name of the customer';
COMMENT ON COLUMN elecbill.bill_detail.service IS 'local days [from, to) of the bill';
COMMENT ON COLUMN elecbill.bill_detail.n IS 'number of the line';
COMMENT ON COLUMN elecbill.bill_detail.kind IS 'kind of the component';
COMMENT ON COLUMN elecbill.bill_detail.component IS 'code of the component';
COMMENT ON COLUMN elecbill.bill_detail.label IS 'text for the customer';
COMMENT ON COLUMN elecbill.bill_detail.period IS 'time-of-use period';
COMMENT ON COLUMN elecbill.bill_detail.tier IS 'tier, from 1';
COMMENT ON COLUMN elecbill.bill_detail.quantity IS 'how much, in unit';
COMMENT ON COLUMN elecbill.bill_detail.unit IS 'unit of quantity';
COMMENT ON COLUMN elecbill.bill_detail.price IS 'currency per unit; for kind percent the percentage';
COMMENT ON COLUMN elecbill.bill_detail.factor IS 'factor on the amount';
COMMENT ON COLUMN elecbill.bill_detail.amount_raw IS 'amount before it was rounded';
COMMENT ON COLUMN elecbill.bill_detail.amount IS 'amount of the line';
COMMENT ON COLUMN elecbill.bill_detail.quality IS 'actual, estimated or missing';
COMMENT ON COLUMN elecbill.bill_detail.during IS 'what the line covers';
COMMENT ON COLUMN elecbill.bill_detail.usage_point IS 'code of the usage point';
COMMENT ON COLUMN elecbill.bill_detail.meter IS 'serial of the meter, the first one when it was exchanged';
COMMENT ON COLUMN elecbill.bill_detail.register IS 'code of the register';
COMMENT ON COLUMN elecbill.bill_detail.start_at IS 'instant of the first reading; NULL: a loaded day';
COMMENT ON COLUMN elecbill.bill_detail.start_kwh IS 'its value, as the register showed it';
COMMENT ON COLUMN elecbill.bill_detail.end_at IS 'instant of the last reading of that meter; NULL: a loaded day';
COMMENT ON COLUMN elecbill.bill_detail.end_kwh IS 'its value, as the register showed it';
COMMENT ON COLUMN elecbill.bill_detail.multiplier IS 'register to energy';
COMMENT ON COLUMN elecbill.bill_detail.segments IS
'how many meters the line rests on; more than 1: bill_segment has the others';
COMMENT ON COLUMN elecbill.bill_detail.tariff IS 'code of the tariff plan';
COMMENT ON COLUMN elecbill.bill_detail.version IS 'version of the tariff';

CREATE VIEW elecbill.bill_run_progress WITH (security_invoker = true) AS
SELECT r.id AS run_id, o.code AS org, c.code AS cycle, r.period, r.kind, r.status,
	b.done, b.total, b.accounts, b.bills, b.parked, coalesce(d.open, 0) AS drafts,
	coalesce(d.issued, 0) AS issued, coalesce(d.amount, 0) AS amount,
	CASE WHEN b.done > 0 AND b.done < b.total
		THEN b.last + (b.last - r.started_at) / b.done * (b.total - b.done) END AS eta,
	r.seq, coalesce(d.held, 0) AS held, r.approved_by,
	(SELECT count(*) FROM elecbill.bill_exception x WHERE x.run_id = r.id AND x.state IN ('parked', 'retried')) AS exceptions
FROM elecbill.bill_run r
JOIN elecbill.org o ON o.id = r.org_id
JOIN elecbill.billing_cycle c ON c.id = r.cycle_id
CROSS JOIN LATERAL (
	SELECT count(*) FILTER (WHERE x.state = 'done') AS done, count(*) AS total,
		coalesce(sum(cardinality(x.account_ids)), 0) AS accounts, coalesce(sum(x.bills), 0) AS bills,
		coalesce(sum(x.parked), 0) AS parked, max(x.finished_at) AS last
	FROM elecbill.bill_run_batch x WHERE x.run_id = r.id) AS b
CROSS JOIN LATERAL (
	SELECT count(*) FILTER (WHERE x.number IS NULL) AS open,
		count(*) FILTER (WHERE x.number IS NOT NULL) AS issued, sum(x.amount) AS amount,
		count(*) FILTER (WHERE x.status = 'held') AS held
	FROM elecbill.bill x WHERE x.run_id = r.id AND x.live) AS d;
COMMENT ON VIEW elecbill.bill_run_progress IS
'how far each run is, as committed; application_name of a worker shows the batch it has in hand';
COMMENT ON COLUMN elecbill.bill_run_progress.run_id IS 'the run';
COMMENT ON COLUMN elecbill.bill_run_progress.org IS 'code of the org';
COMMENT ON COLUMN elecbill.bill_run_progress.cycle IS 'code of the billing cycle';
COMMENT ON COLUMN elecbill.bill_run_progress.period IS 'local days [from, to)';
COMMENT ON COLUMN elecbill.bill_run_progress.kind IS 'regular, offcycle, final or rebill';
COMMENT ON COLUMN elecbill.bill_run_progress.status IS 'new, rating, review, issuing, done, cancelled';
COMMENT ON COLUMN elecbill.bill_run_progress.done IS 'batches rated';
COMMENT ON COLUMN elecbill.bill_run_progress.total IS 'batches in all';
COMMENT ON COLUMN elecbill.bill_run_progress.accounts IS 'accounts queued, a retried one counted again';
COMMENT ON COLUMN elecbill.bill_run_progress.bills IS 'bills made';
COMMENT ON COLUMN elecbill.bill_run_progress.parked IS 'accounts parked, a retried one counted again';
COMMENT ON COLUMN elecbill.bill_run_progress.drafts IS 'live bills that are not issued, held ones included';
COMMENT ON COLUMN elecbill.bill_run_progress.issued IS 'live bills that are issued';
COMMENT ON COLUMN elecbill.bill_run_progress.amount IS 'sum of the live bills';
COMMENT ON COLUMN elecbill.bill_run_progress.eta IS 'when the rating will end at the present speed; NULL when it has not begun or is over';
COMMENT ON COLUMN elecbill.bill_run_progress.seq IS 'number among the runs of the same cycle, period and kind';
COMMENT ON COLUMN elecbill.bill_run_progress.held IS 'drafts that bill_hold() holds back';
COMMENT ON COLUMN elecbill.bill_run_progress.approved_by IS 'login of who approved the drafts; NULL: nobody did';
COMMENT ON COLUMN elecbill.bill_run_progress.exceptions IS 'accounts without a bill now: parked, or queued again';
