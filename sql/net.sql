-- net.sql: export against import
\pset null '(null)'
SET timezone = 'UTC';

-- ---------------------------------------------------------------- net_settle(): an account over the year
-- billing with carry: what a month earns pays from the next on; December pays what is left
SELECT * FROM elecbill.net_settle('billing_carry', '{30,20,10,5,0,0,0,0,0,10,20,30}', '{5,10,20,30,40,0,0,0,0,0,0,1}', 12);
-- own bill first, another month, another beginning; it expires
SELECT * FROM elecbill.net_settle('billing_carry', '{30,20,10}', '{5,40,20}', 2,
	'{"same_month": true, "expire": true, "first_month": 12, "account": 3.5}');
SELECT * FROM elecbill.net_settle('rollover_money', '{10,10,10}', '{25,0,1}', 2, '{"settle": "carry"}');
-- kWh: December pays 40 x 0.02789
SELECT * FROM elecbill.net_settle('rollover_kwh', '{100,50,0}', '{30,110,20.5}', 12,
	'{"first_month": 10, "true_up_price": 0.02789}');
SELECT * FROM elecbill.net_settle('offset_kwh', '{300,300}', '{50,400}', 12, '{"excess": "pay", "true_up_price": "0.1"}');
SELECT * FROM elecbill.net_settle('offset_kwh', '{300,300}', '{50,400}', 12, '{"excess": "lost"}');
-- no account: paid with the bill
SELECT * FROM elecbill.net_settle('buy_all_sell_all', '{300,300}', '{50,400}', 12);
-- a charge below zero is left alone; exact to the last of fifteen decimals
SELECT * FROM elecbill.net_settle('rollover_money', '{-1,0.000000000000003}', '{0,0.000000000000002}', 6);
SELECT count(*) AS no_bills FROM elecbill.net_settle('billing', '{}', '{}', 1);
SELECT * FROM elecbill.net_settle('billing', NULL, '{}', 1);

-- bad input at every door
\set VERBOSITY default
SELECT elecbill.net_settle('netto', '{1}', '{1}', 12);
SELECT elecbill.net_settle('billing', '{1}', '{1}', 0);
SELECT elecbill.net_settle('billing', '{1}', '{1}', 13);
SELECT elecbill.net_settle('billing', '{1,2}', '{1}', 12);
SELECT elecbill.net_settle('billing', '{1,NULL}', '{1,2}', 12);
SELECT elecbill.net_settle('billing', '{{1},{2}}', '{1,2}', 12);
SELECT elecbill.net_settle('billing', '{1,2}', '{1,-2}', 12);
SELECT elecbill.net_settle('billing', '{NaN}', '{1}', 12);
SELECT elecbill.net_settle('billing', '{1}', '{Infinity}', 12);
SELECT elecbill.net_settle('billing', '{0.0000000000000001}', '{1}', 12);
SELECT elecbill.net_settle('offset_kwh', '{0.0000001}', '{1}', 12);
SELECT elecbill.net_settle('billing', '{1}', '{1e30}', 12);
SELECT elecbill.net_settle('billing_carry', '{0,0}', '{170141183460469231731687,170141183460469231731687}', 12);
SELECT elecbill.net_settle('offset_kwh', '{0}', '{1e30}', 12, '{"excess": "pay", "true_up_price": 9000000000}');
SELECT elecbill.net_settle('billing', array_fill(1::numeric, '{10001}'), array_fill(1::numeric, '{10001}'), 12);
SELECT elecbill.net_settle('billing', '{1}', '{1}', 12, '[]');
SELECT elecbill.net_settle('billing', '{1}', '{1}', 12, '{"expires": true}');
SELECT elecbill.net_settle('billing', '{1}', '{1}', 12, '{"expire": "yes"}');
SELECT elecbill.net_settle('billing', '{1}', '{1}', 12, '{"settle": "keep"}');
SELECT elecbill.net_settle('billing', '{1}', '{1}', 12, '{"excess": 1}');
SELECT elecbill.net_settle('billing', '{1}', '{1}', 12, '{"first_month": 13}');
SELECT elecbill.net_settle('billing', '{1}', '{1}', 12, '{"account": -1}');
SELECT elecbill.net_settle('billing', '{1}', '{1}', 12, '{"account": 1e90}');
SELECT elecbill.net_settle('billing', '{1}', '{1}', 12, '{"true_up_price": "x"}');
SELECT elecbill.net_settle('billing', '{1}', '{1}', 12, '{"true_up_price": 1e12}');

-- ---------------------------------------------------------------- bills month by month, and the year at once
-- fourteen months of a house with a roof, in kWh per hour as a formula
CREATE TEMP TABLE hour AS
SELECT at, round((0.4 + 0.3 * ((extract(hour FROM at)::int * 7 + extract(doy FROM at)::int) % 5))::numeric, 3) AS used,
	round((greatest(0, 5 - abs(12 - extract(hour FROM at)::int)) * (1 + (extract(doy FROM at)::int % 7)) * 0.3)::numeric, 3) AS made
FROM generate_series('2025-01-01', '2026-02-28 23:00', interval '1 hour') AS at;

CREATE TEMP TABLE program AS
SELECT name, ('{"elecbill":1,"currency":"USD","zone":"UTC","schedules":{"tou":['
	|| '{"period":"day","spans":[["08:00","20:00"]]},{"period":"night"}]},"net":' || net || ',"components":['
	'{"code":"energy","kind":"energy","price":{"period":{"day":0.3,"night":0.12}}},'
	|| CASE WHEN money THEN '{"code":"credit","kind":"credit","price":{"period":{"day":0.1,"night":0.05}}},' ELSE '' END ||
	'{"code":"fixed","kind":"fixed","price":4}]}')::elecbill.tariff AS tariff, money
FROM (VALUES
	('carry', '{"mode":"billing_carry"}', true),
	('same month', '{"mode":"billing_carry","same_month":true,"settle_month":3}', true),
	('expire', '{"mode":"billing_carry","same_month":true,"expire":true}', true),
	('rollover money', '{"mode":"rollover_money","settle_month":6}', true),
	('offset', '{"mode":"offset_kwh","order":["night"],"true_up_price":0.03}', false),
	('rollover kWh', '{"mode":"rollover_kwh","true_up_price":0.02789,"settle_month":9}', false)
) AS v (name, net, money);

-- each bill begins with what the bill before carried on
CREATE FUNCTION pg_temp.run(tariff elecbill.tariff) RETURNS TABLE (month date, lines elecbill.rate_line[])
LANGUAGE plpgsql AS $$
DECLARE credit jsonb;
BEGIN
	FOR month IN SELECT generate_series('2025-01-01', '2026-02-01', interval '1 month')::date LOOP
		SELECT array_agg(r) INTO lines FROM (
			SELECT elecbill.usage(tariff, tstzrange(at, at + interval '1 hour'), kwh, channel) AS u FROM (
				SELECT at, greatest(used - made, 0) AS kwh, 'import' AS channel FROM hour
				UNION ALL SELECT at, greatest(made - used, 0), 'export' FROM hour) AS h
			WHERE at >= month AND at < month + interval '1 month') AS s,
			elecbill.rate(tariff, s.u, CASE WHEN credit IS NULL THEN '{}' ELSE jsonb_build_object('credit', credit) END) AS r;
		SELECT CASE WHEN bool_or(unit = 'money') THEN to_jsonb(sum(amount_raw))
			ELSE jsonb_object_agg(coalesce(period, ''), quantity) END
		INTO credit FROM unnest(lines) WHERE code = 'net_carry';
		RETURN NEXT;
	END LOOP;
END $$;

CREATE TEMP TABLE bill AS
SELECT name, money, run.month, l.* FROM program, pg_temp.run(tariff), unnest(lines) AS l;

-- the account of the bills is that of net_settle(), to the last digit
WITH month AS (
	SELECT name, month, coalesce(sum(amount) FILTER (WHERE grp = 'energy'), 0) AS energy,
		-coalesce(sum(amount) FILTER (WHERE grp = 'credit'), 0) AS earned,
		-coalesce(sum(amount) FILTER (WHERE code = 'net'), 0) AS used,
		coalesce(sum(amount_raw) FILTER (WHERE code = 'net_carry'), 0) AS account,
		-coalesce(sum(amount) FILTER (WHERE code = 'net_paid'), 0) AS paid,
		sum(amount) - 4 AS due
	FROM bill WHERE money GROUP BY name, month
), year AS (
	SELECT name, array_agg(energy ORDER BY month) AS charges, array_agg(earned ORDER BY month) AS credits,
		array_agg(month ORDER BY month) AS months
	FROM month GROUP BY name
)
SELECT name, sum(s.used) AS used, sum(s.paid) AS paid, bool_and(s.used = m.used) AS same_used,
	bool_and(s.account = m.account) AS same_account, bool_and(s.paid = m.paid) AS same_paid,
	bool_and(s.charge - s.paid = m.due) AS same_due
FROM year JOIN program USING (name)
	CROSS JOIN LATERAL elecbill.net_settle(tariff::jsonb #>> '{net,mode}', charges, credits,
		coalesce((tariff::jsonb #>> '{net,settle_month}')::int, 12), (tariff::jsonb -> 'net') - 'mode' - 'settle_month') AS s
	JOIN month AS m USING (name) WHERE m.month = months[s.n]
GROUP BY name ORDER BY name COLLATE "C";

-- offset: kWh of all periods in one account
WITH metered AS (
	SELECT date_trunc('month', at)::date AS month, sum(greatest(used - made, 0)) AS import, sum(greatest(made - used, 0)) AS export
	FROM hour GROUP BY 1
), month AS (
	SELECT month, coalesce(sum(quantity) FILTER (WHERE grp = 'energy'), 0) AS billed,
		coalesce(sum(quantity) FILTER (WHERE code = 'net'), 0) AS used,
		coalesce(sum(quantity) FILTER (WHERE code = 'net_carry'), 0) AS account,
		-coalesce(sum(amount) FILTER (WHERE code = 'net_paid'), 0) AS paid
	FROM bill WHERE name = 'offset' GROUP BY month
)
SELECT count(*) AS bills, bool_and(s.charge = billed) AS same_charge, bool_and(s.used = m.used) AS same_used,
	bool_and(s.account = m.account) AS same_account, bool_and(round(s.paid, 2) = m.paid) AS same_paid
FROM (SELECT array_agg(import ORDER BY month) AS i, array_agg(export ORDER BY month) AS e, array_agg(month ORDER BY month) AS d FROM metered) AS y
	CROSS JOIN LATERAL elecbill.net_settle('offset_kwh', i, e, 12, '{"true_up_price": 0.03}') AS s
	JOIN month AS m ON m.month = d[s.n];

-- rollover of kWh: each period is an account of its own, as net_settle() makes it without a settlement
WITH metered AS (
	SELECT CASE WHEN extract(hour FROM at) BETWEEN 8 AND 19 THEN 'day' ELSE 'night' END AS period,
		date_trunc('month', at)::date AS month, sum(greatest(used - made, 0)) AS import, sum(greatest(made - used, 0)) AS export
	FROM hour WHERE at < '2025-09-01' GROUP BY 1, 2
), year AS (
	SELECT period, array_agg(import ORDER BY month) AS i, array_agg(export ORDER BY month) AS e, array_agg(month ORDER BY month) AS d
	FROM metered GROUP BY period
)
SELECT period, bool_and(s.charge = coalesce(b.billed, 0)) AS same_charge, bool_and(s.account = coalesce(b.account, 0)) AS same_account
FROM year CROSS JOIN LATERAL elecbill.net_settle('rollover_kwh', i, e, 9) AS s
	LEFT JOIN LATERAL (
		SELECT sum(quantity) FILTER (WHERE grp = 'energy') AS billed, sum(quantity) FILTER (WHERE code = 'net_carry') AS account
		FROM bill WHERE name = 'rollover kWh' AND bill.month = d[s.n] AND bill.period = year.period) AS b ON true
GROUP BY period ORDER BY period;
-- September pays the running net: all export less all import, as long as it is above zero
WITH RECURSIVE month AS (
	SELECT extract(month FROM at)::int AS n, sum(made - used) AS over FROM hour WHERE at < '2025-10-01' GROUP BY 1
), running (n, kwh) AS (
	SELECT 0, 0::numeric UNION ALL SELECT month.n, greatest(0, kwh + over) FROM running JOIN month ON month.n = running.n + 1
)
SELECT quantity, price, amount, unit, quantity = kwh AS same_kwh, round(kwh * 0.02789, 2) = -amount AS same_amount
FROM bill, running WHERE name = 'rollover kWh' AND code = 'net_paid' AND running.n = 9;

-- ---------------------------------------------------------------- one bill
-- exported kWh cancel the peak first: 50 x (0.50 + 0.15) = 32.50 less to pay
SELECT code, period, quantity, price, amount, label FROM elecbill.rate(
	'{"elecbill":1,"currency":"MYR","zone":"Asia/Kuala_Lumpur","net":{"mode":"offset_kwh","order":["peak","offpeak"]},
	  "schedules":{"tou":[{"period":"peak","spans":[["08:00","22:00"]]},{"period":"offpeak"}]},"components":[
	  {"code":"energy","kind":"energy","price":{"period":{"peak":0.5,"offpeak":0.3}}},
	  {"code":"variable","kind":"energy","price":0.15},{"code":"levy","kind":"energy","price":0.01,"offset":false}]}',
	elecbill.usage_from('{"elecbill":1,"currency":"MYR","zone":"Asia/Kuala_Lumpur","net":{"mode":"offset_kwh","order":["peak","offpeak"]},
	  "schedules":{"tou":[{"period":"peak","spans":[["08:00","22:00"]]},{"period":"offpeak"}]},"components":[
	  {"code":"energy","kind":"energy","price":{"period":{"peak":0.5,"offpeak":0.3}}},
	  {"code":"variable","kind":"energy","price":0.15},{"code":"levy","kind":"energy","price":0.01,"offset":false}]}',
	  '{"during":["2025-06-01","2025-07-01"],"import_kwh":{"peak":100,"offpeak":200},"export_kwh":{"peak":0,"offpeak":50}}'),
	'{"lang":"en"}');

-- a bill of more lines than are made room for at first is the same: nothing is cancelled twice
CREATE TEMP TABLE long AS
SELECT ('{"elecbill":1,"currency":"CNY","zone":"UTC","net":{"mode":"offset_kwh"},"losses":[{"code":"l","kind":"percent","percent":10}],"components":['
	|| string_agg(format('{"code":"c%s","kind":"energy","price":1}', i), ',') || ']}')::elecbill.tariff AS tariff
FROM generate_series(1, 200) AS i;
CREATE TEMP TABLE long_usage AS
SELECT tariff, elecbill.usage_from(tariff, '{"during":["2025-06-01","2025-07-01"],"import_kwh":100,"export_kwh":30}') AS used FROM long;
SELECT count(*) AS lines, sum(amount) AS amount, (SELECT elecbill.rate_total(tariff, used) FROM long_usage) AS total
FROM long_usage, elecbill.rate(tariff, used);
