-- estate_month.sql: what the months of the demo estate come to, a line each: bills, their sum and tax; payments
SELECT to_char(lower(b.service), 'YYYY-MM') || ' bills ' || count(*) || ' ' || sum(b.amount) || ' ' || sum(b.tax_amount)
FROM elecbill.bill b WHERE b.live AND b.number IS NOT NULL
GROUP BY to_char(lower(b.service), 'YYYY-MM')
UNION ALL
SELECT to_char(p.paid_at AT TIME ZONE 'Asia/Shanghai', 'YYYY-MM') || ' paid ' || count(*) || ' ' || sum(p.amount)
FROM elecbill.payment p WHERE p.state <> 'reversed' GROUP BY to_char(p.paid_at AT TIME ZONE 'Asia/Shanghai', 'YYYY-MM')
UNION ALL
SELECT 'late fees ' || sum(t.amount) FROM elecbill.ledger_transfer t WHERE t.kind = 'late_fee'
ORDER BY 1;
