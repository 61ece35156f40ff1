-- energy.sql: the run of test_energy; says "fsck 0", and ends with "0 wrong"
-- true_value is the oracle: what each meter really showed when, made of random numbers and of nothing the schema does.
SET client_min_messages = warning;
SELECT setseed(:seed) \g /dev/null
SELECT set_config('test.clock', '2025-01-01 12:00+00', false), set_config('elecbill.clock_override', '2025-01-01 12:00+00', false) \g /dev/null
SELECT elecbill.org_create('P', 'Property', 'UTC') \g /dev/null
SELECT elecbill.vee_rule_set('P', 'E02', '{"second_kwh": 1000000}') \g /dev/null
SELECT elecbill.tariff_approve('T', elecbill.tariff_draft('T', '[2024-01-01,)', '{"elecbill": 1, "currency": "CNY", "zone": "UTC",
	"components": [{"code": "energy", "kind": "energy", "price": "0.5"}]}', 'ann'), 'bob') \g /dev/null

-- an account: the month of its exchange (or none), two meters, their ratios and first values
CREATE TABLE home AS
SELECT n, CASE WHEN random() < 0.3 THEN 1 + floor(random() * 5)::integer END AS exchange_month,
	(ARRAY[1, 1, 1, 40, 1.333, 0.5])[1 + floor(random() * 6)::integer]::numeric AS ratio_a,
	(ARRAY[1, 1, 40, 60, 1.7])[1 + floor(random() * 5)::integer]::numeric AS ratio_b,
	CASE WHEN random() < 0.2 THEN 99990000 ELSE 0 END + floor(random() * 9000)::bigint AS first_a,
	CASE WHEN random() < 0.2 THEN 99990000 ELSE 0 END + floor(random() * 9000)::bigint AS first_b
FROM generate_series(1, :accounts) AS n;
SELECT count(message) FROM elecbill.import_estate('P', convert_to(E'room,account_no,name,kind,meter_no,model,multiplier,last_reading,last_read_at,tariff,protocol,digits\n'
	|| (SELECT string_agg(format('R%s,A%s,H,residential,M%s,X,%s,%s,2025-01-01,T,manual,5', n, n, n, ratio_a, round(first_a / 1000.0, 3)), E'\n') FROM home), 'UTF8')) \g /dev/null
-- what went through until the end of each month (and, in the month of the exchange, until its 15th) in Wh of the register
CREATE TABLE used AS
SELECT h.n, m.month, CASE WHEN random() < 0.1 THEN 0 ELSE floor(random() * 400000)::bigint END AS wh,
	random()::numeric AS share, random() < 0.7 OR m.month = 6 AS is_read, random() < 0.1 AND m.month < 6 AS is_wrong, 1 + floor(random() * 2000)::bigint AS wrong_by,
	random() < 0.3 AS is_late
FROM home AS h, generate_series(1, 6) AS m(month);
CREATE TABLE true_value AS
SELECT u.n, u.month, p.meter, p.mid,
	CASE p.meter WHEN 'a' THEN h.first_a ELSE h.first_b END + coalesce((SELECT sum(CASE
		WHEN x.month <> h.exchange_month OR h.exchange_month IS NULL THEN x.wh
		WHEN p.meter = 'a' THEN floor(x.wh * x.share) ELSE x.wh - floor(x.wh * x.share) END)
		FROM used AS x WHERE x.n = u.n AND x.month <= u.month
			AND CASE p.meter WHEN 'a' THEN x.month <= coalesce(h.exchange_month, 6) ELSE x.month >= h.exchange_month END), 0) AS total
FROM used AS u JOIN home AS h USING (n), (VALUES ('a', true), ('a', false), ('b', false)) AS p(meter, mid)
WHERE CASE WHEN p.mid THEN u.month = h.exchange_month
	WHEN p.meter = 'a' THEN u.month < coalesce(h.exchange_month, 7) ELSE u.month >= h.exchange_month END;
CREATE INDEX ON true_value (n, month);
CREATE INDEX ON used (n, month);

CREATE FUNCTION shown(total numeric) RETURNS numeric LANGUAGE sql IMMUTABLE AS $$ SELECT (total % 100000000) / 1000 $$;
CREATE FUNCTION turn(total numeric, ratio numeric) RETURNS numeric LANGUAGE sql IMMUTABLE AS $$
	SELECT round(total % 100000000 * ratio) + floor(total / 100000000) * round(100000000 * ratio) $$;
CREATE PROCEDURE play(p_month integer) LANGUAGE plpgsql AS $$
DECLARE
	day		date := (date '2025-01-01' + make_interval(months => p_month))::date;
	h		record;
	run		bigint;
BEGIN
	PERFORM set_config('elecbill.clock_override', day || ' 12:00+00', false), elecbill.partition_maintain(1);
	-- what was misread last month, and billed, is put right
	FOR h IN SELECT u.n, t.meter, t.total FROM used AS u JOIN true_value AS t ON t.n = u.n AND t.month = u.month AND NOT t.mid
		WHERE u.month = p_month - 1 AND u.is_wrong AND u.is_read ORDER BY u.n
	LOOP
		PERFORM elecbill.correct_reading('P', CASE h.meter WHEN 'a' THEN 'M' ELSE 'N' END || h.n, '1.8.0',
			((day - interval '1 month')::date)::timestamp AT TIME ZONE 'UTC', shown(h.total), 'misread', h.n || '-' || p_month);
	END LOOP;
	FOR h IN SELECT x.n, x.ratio_b, x.first_b, t.total FROM home AS x JOIN true_value AS t ON t.n = x.n AND t.mid WHERE x.exchange_month = p_month ORDER BY x.n LOOP
		PERFORM elecbill.exchange_meter('P/R' || h.n, 'M' || h.n, jsonb_build_object('1.8.0', shown(h.total)), 'N' || h.n,
			jsonb_build_object('1.8.0', shown(h.first_b)), h.ratio_b, ((day - interval '17 days')::date)::timestamp AT TIME ZONE 'UTC');
	END LOOP;
	COMMIT;
	FOR h IN SELECT u.n, t.meter, t.total + CASE WHEN u.is_wrong AND t.total % 100000000 < 99900000 THEN least(u.wrong_by, (
			-- a slip of the pen that the next value does not give away
			SELECT x.total - t.total FROM true_value AS x WHERE x.n = u.n AND x.meter = t.meter AND x.month * 2 - x.mid::integer > t.month * 2
			ORDER BY x.total LIMIT 1)) ELSE 0 END AS total
		FROM used AS u JOIN true_value AS t ON t.n = u.n AND t.month = u.month AND NOT t.mid
		WHERE u.month = p_month AND u.is_read ORDER BY u.n
	LOOP
		PERFORM elecbill.reading_add('P', CASE h.meter WHEN 'a' THEN 'M' ELSE 'N' END || h.n, '1.8.0', day::timestamp AT TIME ZONE 'UTC', shown(h.total));
	END LOOP;
	PERFORM set_config('elecbill.clock_override', day || ' 13:00+00', false);
	-- what was not read last month, and estimated, turns up behind the reading that settled it
	FOR h IN SELECT u.n, t.meter, t.total FROM used AS u JOIN true_value AS t ON t.n = u.n AND t.month = u.month AND NOT t.mid
		WHERE u.month = p_month - 1 AND NOT u.is_read AND u.is_late ORDER BY u.n
	LOOP
		PERFORM elecbill.reading_add('P', CASE h.meter WHEN 'a' THEN 'M' ELSE 'N' END || h.n, '1.8.0',
			((day - interval '1 month')::date)::timestamp AT TIME ZONE 'UTC', shown(h.total));
	END LOOP;
	COMMIT;
	PERFORM elecbill.estimate_missing('P', day);
	COMMIT;
	run := elecbill.bill_run_start('P', 'MONTH', daterange((day - interval '1 month')::date, day));
	COMMIT;
	CALL elecbill.bill_run_work(run);
	CALL elecbill.bill_run_issue(run);
END $$;
CALL play(1);
ANALYZE elecbill.reading, elecbill.bill, elecbill.bill_segment, elecbill.bill_line, elecbill.reading_correction, elecbill.reading_estimate, elecbill.meter_installation, elecbill.customer_agreement;
CALL play(2);
CALL play(3);
CALL play(4);
CALL play(5);
CALL play(6);
-- what was misread in May was billed, and corrected in June; nothing is left over
SELECT format('accounts %s, bills %s, estimates %s, corrections %s, exchanges %s, corrected bills %s, parked %s', (SELECT count(*) FROM home), (SELECT count(*) FROM elecbill.bill),
	(SELECT count(*) FROM elecbill.reading_estimate), (SELECT count(*) FROM elecbill.reading_edit), (SELECT count(*) FROM home WHERE exchange_month IS NOT NULL),
	(SELECT count(*) FROM elecbill.bill_true_up), (SELECT count(*) FROM elecbill.bill_exception WHERE severity = 'error'));
SELECT code, message, detail, count(*) FROM elecbill.bill_exception WHERE severity = 'error' GROUP BY 1, 2, 3 LIMIT 5;
SELECT 'fsck ' || count(*) FROM elecbill.fsck();
SELECT * FROM elecbill.fsck() LIMIT 5;
CREATE TABLE answer AS
SELECT h.n, b.billed, t.wanted
FROM home AS h
JOIN elecbill.customer_account AS a ON a.account_no = 'A' || h.n
CROSS JOIN LATERAL (SELECT coalesce((SELECT sum(s.energy_wh) FROM elecbill.bill AS b JOIN elecbill.bill_segment AS s ON s.bill_id = b.id WHERE b.account_id = a.id AND b.live AND b.number IS NOT NULL), 0)
	+ coalesce((SELECT sum(u.kwh) * 1000 FROM elecbill.bill AS b JOIN elecbill.bill_true_up AS u ON u.bill_id = b.id WHERE b.account_id = a.id AND b.live AND b.number IS NOT NULL), 0) AS billed) AS b
CROSS JOIN LATERAL (
	-- values times the ratio, whole turns of the register included
	SELECT sum(turn(x.last, x.ratio) - turn(x.first, x.ratio)) AS wanted FROM (
		SELECT h.ratio_a AS ratio, h.first_a AS first, (SELECT max(v.total) FROM true_value AS v WHERE v.n = h.n AND v.meter = 'a') AS last
		UNION ALL SELECT h.ratio_b, h.first_b, (SELECT max(v.total) FROM true_value AS v WHERE v.n = h.n AND v.meter = 'b') WHERE h.exchange_month IS NOT NULL) AS x) AS t;
SELECT * FROM answer WHERE billed IS DISTINCT FROM wanted LIMIT 10;
SELECT count(*) || ' wrong' FROM answer WHERE billed IS DISTINCT FROM wanted;
