-- 96_demo_estate.sql: the demo estate: who lives there, what is measured how, who works for it, and the prices

CREATE FUNCTION elecbill._demo_tariffs() RETURNS TABLE (code text, definition jsonb)
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT t.code, jsonb_build_object('elecbill', 1, 'code', t.code, 'name', t.name, 'currency', 'CNY',
		'zone', 'Asia/Shanghai') || t.rest
	FROM (VALUES
		('SEED-TIER', jsonb '{"zh": "三档阶梯电价", "en": "three tiers"}', jsonb '{"components": [
			{"code": "energy", "kind": "energy", "name": {"zh": "电量电费", "en": "energy"},
			 "tier": {"mode": "graduated", "scope": "bill",
				"steps": [{"up_to": 200, "price": 0.5}, {"up_to": 400, "price": 0.6}, {"price": 0.8}]}}]}'),
		('SEED-TOU', '{"zh": "峰谷电价", "en": "peak and valley"}', '{
			"schedules": {"tou": [{"period": "peak", "spans": [["08:00", "22:00"]]},
				{"period": "valley", "spans": [["22:00", "08:00"]]}]},
			"components": [{"code": "energy", "kind": "energy", "name": {"zh": "电量电费", "en": "energy"},
				"price": {"period": {"peak": 0.7, "valley": 0.4}}}]}'),
		-- a household of five or more has 100 kWh a month more
		('HOME-YEAR', '{"zh": "居民年阶梯电价", "en": "home, tiers of the year"}', '{"components": [
			{"code": "energy", "kind": "energy", "name": {"zh": "电量电费", "en": "energy"},
			 "tier": {"mode": "graduated", "scope": "year",
				"allowance": [{"attr": "persons", "at_least": 5, "add": 100, "per": "month"}],
				"steps": [{"up_to": 2520, "price": 0.52}, {"up_to": 4800, "price": 0.57}, {"price": 0.82}]}}]}'),
		('SHOP', '{"zh": "商铺分时电价", "en": "shop"}', '{
			"schedules": {"tou": [{"period": "peak", "spans": [["08:30", "11:30"], ["16:00", "22:00"]]},
				{"period": "flat", "spans": [["06:30", "24:00"]]}, {"period": "valley"}]},
			"components": [
			{"code": "energy", "kind": "energy", "name": {"zh": "电量电费", "en": "energy"}, "vat": 13,
			 "price": {"period": {"peak": 1.0078, "flat": 0.6299, "valley": 0.3023}}},
			{"code": "service", "kind": "fixed", "per": "day", "price": 0.6, "vat": 6,
			 "name": {"zh": "公共服务费", "en": "service"}}]}'),
		('TWO-PART', '{"zh": "两部制电价", "en": "two-part tariff"}', '{
			"schedules": {"tou": [{"period": "peak", "spans": [["08:00", "11:00"], ["18:00", "21:00"]]},
				{"period": "flat", "spans": [["06:00", "22:00"]]}, {"period": "valley"}]},
			"demands": {"main": {"window": 15}},
			"components": [
			{"code": "energy", "kind": "energy", "name": {"zh": "电量电费", "en": "energy"}, "vat": 13,
			 "price": {"period": {"peak": 0.9512, "flat": 0.6145, "valley": 0.3071}}},
			{"code": "demand", "kind": "demand", "demand": "main", "price": 39, "vat": 13,
			 "name": {"zh": "需量电费", "en": "demand"}}]}'))
		AS t(code, name, rest);
END;
COMMENT ON FUNCTION elecbill._demo_tariffs() IS 'the tariffs of the demo estate. SEED-TIER and SEED-TOU are those of the examples of README; the others are made up, near to what is charged';

CREATE FUNCTION elecbill._demo_meters(p_seed integer) RETURNS TABLE (i integer, building text, room text, kind text,
	serial text, model text, multiplier integer, first_wh bigint, tariff text, persons integer, step_s integer,
	use text, day_wh integer)
LANGUAGE sql IMMUTABLE PARALLEL SAFE ROWS 137
BEGIN ATOMIC
	SELECT n, 'B' || 1 + (n - 1) / 40, format('R-%s%s', lpad((1 + (n - 1) / 4)::text, 2, '0'), lpad((1 + (n - 1) % 4)::text, 2, '0')),
		'residential', '2024110' || lpad(n::text, 5, '0'), CASE n WHEN 120 THEN 'DD862' ELSE (ARRAY['DDZY-1', 'DDS-22', 'DDZY-9'])[1 + (n - 1) / 40] END, 1,
		CASE n WHEN 2 THEN 999820 ELSE elecbill._demo_draw(p_seed, n, 1, 20000) END * 1000::bigint,
		(ARRAY['SEED-TIER', 'SEED-TOU', 'HOME-YEAR'])[1 + (n - 1) / 40], 1 + elecbill._demo_draw(p_seed, n, 2, 6), 3600,
		'home', 3500 + elecbill._demo_draw(p_seed, n, 3, 9000)
	FROM generate_series(1, 120) AS n
	UNION ALL
	SELECT 120 + n, 'B1', 'S-' || lpad(n::text, 2, '0'), 'commercial', '2024120' || lpad(n::text, 5, '0'), 'DTZY-3',
		CASE n WHEN 5 THEN 10 ELSE 1 END, elecbill._demo_draw(p_seed, n, 4, 30000) * 1000::bigint, 'SHOP', NULL, 3600,
		'shop', 30000 + elecbill._demo_draw(p_seed, n, 5, 60000)
	FROM generate_series(1, 12) AS n
	UNION ALL
	SELECT 133, 'B4', 'W-01', 'industrial', '202413000001', 'DSZY-6', 40, 1520000, 'TWO-PART', NULL, 900, 'work', 900000
	UNION ALL
	SELECT n, 'B1', r, 'common', '20241400000' || n - 133, 'DTZY-3', 1, 3045000::bigint * (n - 132), NULL, NULL, 3600, u, w
	FROM (VALUES (134, 'C-LIFT', 'lift', 60000), (135, 'C-LIGHT', 'light', 32000)) AS c(n, r, u, w)
	UNION ALL
	-- the two meters of the grid: before the homes with lift and light, and before shops and workshop
	SELECT n, 'B4', 'P-' || n - 135, 'parent', '20241500000' || n - 135, 'DSZY-6', 200, 4120000::bigint * (n - 135), NULL, NULL, 3600,
		'all', NULL
	FROM generate_series(136, 137) AS n;
END;
COMMENT ON FUNCTION elecbill._demo_meters(integer) IS 'the meters of the demo estate on its first day: i from 1; first_wh on the register; step_s how often it is read; use: the shape of a day; day_wh: what a mean day brings, primary side; all: everything behind it';

CREATE FUNCTION elecbill._demo_shape(p_use text) RETURNS integer[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE p_use
	WHEN 'home' THEN '{25,20,18,18,18,22,38,48,40,34,32,36,44,38,34,34,40,52,72,84,88,80,60,35}'::integer[]
	WHEN 'shop' THEN '{6,6,6,6,6,6,10,20,45,62,70,70,70,70,70,70,70,70,70,66,60,48,15,8}'
	WHEN 'work' THEN '{8,8,8,8,8,8,20,60,88,92,92,58,52,92,92,92,88,58,20,10,10,8,8,8}'
	WHEN 'lift' THEN '{10,8,6,5,6,15,45,70,70,50,40,45,55,45,40,45,60,75,75,65,55,45,30,20}'
	ELSE '{70,70,70,70,70,66,40,10,5,5,5,5,5,5,5,10,30,60,70,70,70,70,70,70}' END;
COMMENT ON FUNCTION elecbill._demo_shape(text) IS 'what each hour of a day has of it, in thousandths';

CREATE FUNCTION elecbill._demo_staff() RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	PERFORM elecbill.duty_grant('DEMO', s.login, s.duty)
	FROM (VALUES ('desk-1', 'property'), ('desk-2', 'property'), ('billing-1', 'billing'), ('billing-2', 'billing'),
		('finance-1', 'finance'), ('finance-2', 'finance'), ('gateway', 'finance'), ('auditor-1', 'auditor')) AS s(login, duty);
	-- who lives there logs in by the number of the account
	PERFORM elecbill.member_grant('DEMO/' || a.account_no, lower(a.account_no))
	FROM elecbill.customer_account AS a ORDER BY a.account_no;
END $$;
COMMENT ON FUNCTION elecbill._demo_staff() IS 'logins of the demo estate: two at the desk, two who bill, two who keep the money, the gateway of the payment channels, an auditor, and r-0101 for account R-0101';

CREATE FUNCTION elecbill._demo_prices() RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	one record;
BEGIN
	FOR one IN SELECT t.* FROM elecbill._demo_tariffs() AS t LOOP
		PERFORM elecbill._demo_at(elecbill._demo_first(), '09:10', 'billing-1');
		PERFORM elecbill.tariff_draft('DEMO/' || one.code, '[2024-01-01,)', one.definition, 'billing-1');
		PERFORM elecbill._demo_at(elecbill._demo_first(), '09:20', 'finance-1');
		PERFORM elecbill.tariff_approve('DEMO/' || one.code, 1, 'finance-1');
	END LOOP;
END $$;
COMMENT ON FUNCTION elecbill._demo_prices() IS 'drafts and approves the tariffs, by two people';

CREATE FUNCTION elecbill._demo_rules() RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	first date := elecbill._demo_first();
	one record;
	policy bigint;
BEGIN
	PERFORM elecbill._demo_at(first, '09:40', 'desk-1');
	PERFORM elecbill.usage_point_tree_set('DEMO', m.room, CASE WHEN m.kind IN ('residential', 'common') THEN 'P-1' ELSE 'P-2' END, first)
	FROM elecbill._demo_meters(1) AS m WHERE m.kind <> 'parent' ORDER BY m.i;
	FOR one IN SELECT * FROM (VALUES ('LIFT', 'common', 'household', 'C-LIFT', '电梯'), ('LIGHT', 'common', 'household', 'C-LIGHT', '楼道照明'),
		('LOSS', 'loss', 'kwh', NULL, '线损')) AS r(code, share, method, source, name)
	LOOP
		PERFORM elecbill._demo_at(first, '09:50', 'billing-1');
		PERFORM elecbill.allocation_rule_set('DEMO', one.code, 'P-1', one.share, one.method, daterange(first, NULL), price => 0.5383,
			source => one.source, name => one.name);
		PERFORM elecbill._demo_at(first, '09:55', 'finance-1');
		PERFORM elecbill.allocation_rule_approve('DEMO', one.code);
	END LOOP;
	FOR one IN SELECT * FROM (VALUES ('person', 0.001, 0.001), ('company', 0.002, 0.003)) AS f(kind, same_year, later_year) LOOP
		PERFORM elecbill._demo_at(first, '10:00', 'billing-1');
		policy := elecbill.late_fee_policy_draft('DEMO', one.kind, first, one.same_year, one.later_year);
		PERFORM elecbill._demo_at(first, '10:10', 'finance-1');
		PERFORM elecbill.late_fee_policy_approve('DEMO', policy);
		PERFORM elecbill.dunning_policy_set('DEMO', one.kind);
	END LOOP;
	-- once a month is enough; fsck() looks at the whole when all is done, and staff bill by hand, on the first
	PERFORM elecbill._demo_at(first, '10:20', 'billing-1');
	PERFORM elecbill.job_set('DEMO', 'vee_run', month_day => 1), elecbill.job_enable('DEMO', 'fsck', false),
		elecbill.job_set('DEMO', 'pack_profiles', month_day => 1);
END $$;
COMMENT ON FUNCTION elecbill._demo_rules() IS 'what is shared by the homes, what late payment costs, who is dunned how, and which jobs are done once a month or never';

CREATE FUNCTION elecbill._demo_estate(p_seed integer) RETURNS jsonb
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	first date := elecbill._demo_first();
	fault record;
BEGIN
	IF p_seed >= 0 IS NOT TRUE THEN
		RAISE EXCEPTION 'the seed is a number, 0 or more' USING ERRCODE = 'UB400';
	END IF;
	PERFORM elecbill._demo_at(first, '09:00', '');
	PERFORM elecbill.org_create('DEMO', '花园小区物业 Garden Estate');
	PERFORM elecbill.duty_grant('DEMO', s.login, s.duty)
	FROM (VALUES ('billing-1', 'billing'), ('finance-1', 'finance')) AS s(login, duty);
	PERFORM elecbill._demo_prices();
	PERFORM elecbill._demo_at(first, '09:30', '');
	PERFORM elecbill.billing_cycle_create('DEMO', 'LARGE', 1, 1, 10);
	PERFORM elecbill.partition_maintain(16, first);
	PERFORM elecbill.collector_create('DEMO', 'gateway-1', '5f0c0b0e-0000-4000-8000-00000000000d');
	PERFORM elecbill.payment_policy_set('DEMO', 'over', 30, first);
	SELECT e.* INTO fault FROM elecbill.import_estate('DEMO', convert_to(
		E'building,room,account_no,name,kind,meter_no,model,vendor,multiplier,last_reading,last_read_at,tariff,household_size,interval_min,cycle,protocol\n'
		|| (SELECT string_agg(concat_ws(',', m.building, m.room, CASE WHEN m.tariff IS NOT NULL THEN m.room ELSE '' END, CASE WHEN m.tariff IS NOT NULL THEN m.room ELSE '' END, m.kind, m.serial, m.model,
			'vendor-' || lower(left(m.model, 3)), m.multiplier, m.first_wh * 0.001, to_char(first, 'YYYY-MM-DD'), coalesce(m.tariff, ''), coalesce(m.persons::text, ''),
			CASE WHEN m.i <> 120 THEN (m.step_s / 60)::text ELSE '' END, CASE m.kind WHEN 'industrial' THEN 'LARGE' ELSE 'MONTH' END,
			-- the last home still has a meter that somebody goes round and reads
			CASE m.i WHEN 120 THEN 'manual' ELSE 'dlt645' END), E'\n' ORDER BY m.i)
		FROM elecbill._demo_meters(p_seed) AS m), 'UTF8')) AS e LIMIT 1;
	ASSERT NOT FOUND, concat_ws(' ', 'line', fault.line, fault.column_name, fault.message);
	PERFORM elecbill._demo_staff();
	PERFORM elecbill._demo_rules();
	PERFORM elecbill._demo_at(first, '10:30', '');
	PERFORM elecbill.collector_hello('5f0c0b0e-0000-4000-8000-00000000000d', elecbill.version(),
		(SELECT array_agg(m.serial ORDER BY m.i) FROM elecbill._demo_meters(p_seed) AS m WHERE m.i <> 120));
	RETURN jsonb_build_object('seed', p_seed, 'seq', 1, 'late', jsonb '[]',
		'serial', (SELECT jsonb_agg(m.serial ORDER BY m.i) FROM elecbill._demo_meters(p_seed) AS m),
		'ratio', (SELECT jsonb_agg(m.multiplier ORDER BY m.i) FROM elecbill._demo_meters(p_seed) AS m),
		'wh', (SELECT jsonb_agg(m.first_wh * m.multiplier ORDER BY m.i) FROM elecbill._demo_meters(p_seed) AS m));
END $$;
COMMENT ON FUNCTION elecbill._demo_estate(integer) IS 'makes the estate; returns what the meters really are: serial, ratio of their transformers, and what their registers would show times that, Wh';
