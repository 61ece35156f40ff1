-- 96_demo_event.sql: what happens in the demo estate beside reading, billing and paying

CREATE FUNCTION elecbill._demo_meter(p_room text) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN (SELECT m.serial FROM elecbill.usage_point AS u
		JOIN elecbill.meter_installation AS i ON i.usage_point_id = u.id AND i.role = 'main' AND i.valid @> elecbill.now()
		JOIN elecbill.meter AS m ON m.id = i.meter_id
		WHERE u.code = p_room);
END $$;
COMMENT ON FUNCTION elecbill._demo_meter(text) IS 'serial of the meter of a room now';

CREATE FUNCTION elecbill._demo_relays() RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	-- the vendor's platform switches, the collector looks whether it did
	PERFORM elecbill.command_ack('platform', t.command, 'acked') FROM elecbill.command_take('platform', 'DEMO', 100, trial => true) AS t;
	PERFORM elecbill.command_ack('5f0c0b0e-0000-4000-8000-00000000000d'::uuid, n.command, 'acked',
		jsonb_build_object('relay', (SELECT CASE d.kind WHEN 'disconnect' THEN 'open' ELSE 'closed' END
			FROM elecbill.device_command AS d JOIN elecbill.meter AS m ON m.id = d.meter_id
			WHERE m.serial = n.meter AND d.kind IN ('disconnect', 'reconnect') AND d.state = 'acked'
			ORDER BY d.answered_at DESC, d.id DESC LIMIT 1)))
	FROM elecbill.command_next('5f0c0b0e-0000-4000-8000-00000000000d', 100) AS n WHERE n.kind = 'relay_read';
END $$;
COMMENT ON FUNCTION elecbill._demo_relays() IS 'carries out the orders to disconnect and reconnect, from the platform to the look at the relay';

CREATE FUNCTION elecbill._demo_exchange(p_state jsonb, p_day date, p_room text, p_serial text, p_ratio integer, p_said integer)
RETURNS jsonb
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	n integer := (SELECT m.i - 1 FROM elecbill._demo_meters((p_state ->> 'seed')::integer) AS m WHERE m.room = p_room);
	shown numeric := (p_state -> 'wh' ->> n)::bigint / (p_state -> 'ratio' ->> n)::bigint % 1000000000 / 10 * 0.010;
BEGIN
	PERFORM elecbill._demo_at(p_day, '09:30', 'desk-1');
	PERFORM elecbill.exchange_meter('DEMO/' || p_room, p_state -> 'serial' ->> n, jsonb_build_object('1.8.0', shown), p_serial,
		jsonb_build_object('1.8.0', 0), p_said, elecbill.day_start(p_day, 'Asia/Shanghai') + interval '15 minutes');
	RETURN jsonb_set(jsonb_set(jsonb_set(p_state, ARRAY['serial', n::text], to_jsonb(p_serial)), ARRAY['ratio', n::text],
		to_jsonb(p_ratio)), ARRAY['wh', n::text], '0');
END $$;
COMMENT ON FUNCTION elecbill._demo_exchange(jsonb, date, text, text, integer, integer) IS 'another meter for a room, a quarter of an hour after midnight: its transformers have the ratio, the desk writes down what it says';

CREATE FUNCTION elecbill._demo_month(p_state jsonb, p_day date) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	days daterange := daterange((p_day - interval '1 month')::date, p_day);
	one record;
BEGIN
	PERFORM elecbill._demo_at(p_day, '10:20', 'desk-2');
	PERFORM elecbill.import_readings('DEMO', convert_to(format(E'meter_no,read_at,kwh\n%s,%s,%s\n', p_state -> 'serial' ->> 119,
		to_char(p_day, 'YYYY-MM-DD'), (p_state -> 'wh' ->> 119)::bigint % 1000000000 / 1000), 'UTF8'));
	PERFORM elecbill._demo_at(p_day, '10:30', 'billing-1');
	PERFORM elecbill.estimate_missing('DEMO', p_day);
	FOR one IN
		SELECT p.parent, round(e.energy_wh * 0.001) AS kwh, p.price
		FROM (VALUES ('P-1', 0.5283), ('P-2', 0.6521)) AS p(parent, price)
		CROSS JOIN LATERAL elecbill.point_energy('DEMO', p.parent, elecbill.day_start(lower(days), 'Asia/Shanghai'),
			elecbill.day_start(p_day, 'Asia/Shanghai')) AS e
	LOOP
		PERFORM elecbill.supply_bill_add('DEMO', one.parent, format('GRID-%s-%s', one.parent, to_char(lower(days), 'YYYYMM')), days,
			round(one.kwh * one.price, 2), jsonb_build_array(jsonb_build_object('kind', 'energy', 'label', '电量电费', 'quantity', one.kwh,
				'unit', 'kWh', 'price', one.price, 'amount', round(one.kwh * one.price, 2))),
			format('grid:%s:%s', one.parent, to_char(lower(days), 'YYYY-MM')));
	END LOOP;
END $$;
COMMENT ON FUNCTION elecbill._demo_month(jsonb, date) IS 'the first of a month: the sheet of who goes round comes, what was not read is estimated, the bills of the grid come';

CREATE FUNCTION elecbill._demo_decide(p_day date) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	PERFORM elecbill._demo_at(p_day, '10:00', 'billing-2');
	PERFORM elecbill.vee_decide(e.id,
		CASE WHEN e.rule IN ('V01', 'V04', 'V07', 'V11', 'V13') THEN 'rejected' ELSE 'accepted' END,
		CASE e.rule WHEN 'V07' THEN 'the meter is stuck' WHEN 'V10' THEN 'clock set right, energy of the month as read' ELSE 'looked at' END)
	FROM (SELECT x.* FROM elecbill.vee_exception AS x WHERE x.state = 'open' AND x.rule <> 'V12' AND x.created_at < elecbill.now() - interval '12 hours'
		ORDER BY x.id) AS e;
END $$;
COMMENT ON FUNCTION elecbill._demo_decide(date) IS 'somebody looks at what the rules found and says whether it is right';

CREATE FUNCTION elecbill._demo_books(p_day date) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	month date := (date_trunc('month', p_day::timestamp) - interval '1 month')::date;
	one text;
BEGIN
	PERFORM elecbill._demo_at(p_day, '16:00', 'finance-1');
	FOREACH one IN ARRAY '{alipay,wechat}'::text[] LOOP
		-- the channel forgot one row in each March
		PERFORM elecbill.channel_statement_import('DEMO', one, E'txn,order,amount,paid_at\n' || string_agg(format('%s,%s,%s,%s',
			p.channel_txn, o.number, p.amount, to_char(p.paid_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')), E'\n' ORDER BY p.id))
		FROM elecbill.payment AS p JOIN elecbill.payment_order AS o ON o.id = p.order_id
		WHERE p.channel = one AND p.paid_at >= elecbill.day_start(month, 'Asia/Shanghai')
			AND p.paid_at < elecbill.day_start((month + interval '1 month')::date, 'Asia/Shanghai')
			AND NOT (month = '2025-03-01' AND p.id % 50 = 0)
		HAVING count(*) > 0;
	END LOOP;
	PERFORM elecbill.close_period('DEMO', month);
END $$;
COMMENT ON FUNCTION elecbill._demo_books(date) IS 'the statements of the payment channels for the month before are imported, and its books are closed';

CREATE FUNCTION elecbill._demo_staff_day(p_day date) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	device text;
BEGIN
	PERFORM elecbill._demo_at(p_day, '09:45', 'billing-1');
	CASE p_day
	WHEN '2025-02-11' THEN
		device := elecbill._demo_meter('R-0301');
		PERFORM elecbill.estimate_gap('DEMO', device, f.during) FROM elecbill._demo_fault() AS f WHERE f.room = 'R-0301';
	WHEN '2025-03-13', '2025-05-07' THEN
		PERFORM elecbill.reading_void('DEMO', elecbill._demo_meter(f.room), f.during, 'not what the meter showed', 'void:' || f.room)
		FROM elecbill._demo_fault() AS f WHERE f.kind = 'shown' AND upper(f.during) > elecbill.now() - interval '2 days'
			AND upper(f.during) < elecbill.now();
	WHEN '2025-03-05' THEN
		-- the desk had forgotten that the household wanted another tariff: its bill is taken back and made anew
		PERFORM elecbill.cancel_bill('DEMO/' || b.number, 'wrong tariff', 'tariff:R-1401')
		FROM elecbill._demo_open('R-1401') AS b WHERE b.since = '2025-02-01';
		PERFORM elecbill._demo_at(p_day, '09:50', 'desk-1'),
			elecbill.agreement_set('DEMO', 'R-1401', 'SEED-TIER', '2025-02-01');
		PERFORM elecbill._demo_at(p_day, '09:55', 'billing-1'),
			elecbill.offcycle_bill('DEMO/R-1401', '[2025-02-01,2025-03-01)', 'anew:R-1401');
	WHEN '2025-08-04' THEN
		PERFORM elecbill._demo_at(p_day, '11:00', 'desk-2');
		device := elecbill._demo_meter('S-05');
		PERFORM elecbill.multiplier_change('DEMO/S-05', device, jsonb_build_object('1.8.0', l.register_wh * 0.001), 20,
			elecbill.day_start(p_day, 'Asia/Shanghai') + interval '15 minutes')
		FROM elecbill.reading_latest AS l JOIN elecbill.meter_register AS g ON g.id = l.register_id
		JOIN elecbill.meter AS m ON m.id = g.meter_id WHERE m.serial = device AND g.code = '1.8.0';
		-- half of what it used since June was billed
		PERFORM elecbill.adjust('DEMO/S-05', 'ct', sum(x.amount), 'transformers 100:5 were written down as 50:5', 'ct:S-05',
			evidence => 'protocol of 4 August', tax => sum(x.tax))
		FROM elecbill.adjust_propose('DEMO/S-05', 'ct', '2025-06-05', p_day, '{"billed": 10, "true": 20}') AS x;
	WHEN '2025-08-05' THEN
		PERFORM elecbill._demo_at(p_day, '09:45', 'finance-1'), elecbill.adjust_approve('DEMO/' || j.number)
		FROM elecbill.adjustment AS j ORDER BY j.id;
	WHEN '2025-09-16' THEN
		PERFORM elecbill.final_bill('DEMO/R-0601', p_day, 'moved-out:R-0601');
	WHEN '2025-11-20' THEN
		PERFORM elecbill.write_off('DEMO/' || b.number, 'moved away, address unknown', 'write-off:' || b.number)
		FROM elecbill._demo_open('R-0601') AS b;
	WHEN '2025-11-21' THEN
		PERFORM elecbill._demo_at(p_day, '09:45', 'finance-2');
		PERFORM elecbill.write_off_approve('DEMO/' || b.number) FROM elecbill._demo_open('R-0601') AS b;
	WHEN '2026-01-18' THEN
		-- so many readings wait for a second person
		PERFORM elecbill.reading_void('DEMO', elecbill._demo_meter('S-11'), '[2025-12-20 08:00+08,2025-12-25 20:00+08)',
			'the tenant says that the shop was closed', 'void:S-11');
	WHEN elecbill._demo_last() THEN
		PERFORM elecbill._demo_at(p_day, '09:50', 'desk-1'),
			elecbill.request_reading(elecbill._demo_meter('R-2201'), '1 day', 'silent:R-2201');
	ELSE
		RETURN;
	END CASE;
END $$;
COMMENT ON FUNCTION elecbill._demo_staff_day(date) IS 'what staff do on some days about what is planted';

CREATE FUNCTION elecbill._demo_events(p_state jsonb, p_day date) RETURNS jsonb
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	day_of_month integer := extract(day FROM p_day);
BEGIN
	IF day_of_month = 1 AND p_day > elecbill._demo_first() THEN
		PERFORM elecbill._demo_month(p_state, p_day);
	ELSIF day_of_month = 2 AND p_day < elecbill._demo_last() - 30 THEN
		PERFORM elecbill._demo_decide(p_day);
	ELSIF day_of_month = 12 AND p_day > elecbill._demo_first() + 31 THEN
		PERFORM elecbill._demo_books(p_day);
	END IF;
	IF extract(dow FROM p_day) = 1 THEN
		PERFORM elecbill._demo_at(p_day, '09:05', 'desk-2');
		PERFORM elecbill.outbox_done('DEMO', array_agg(t.id)) FROM elecbill.outbox_take('DEMO', 10000, trial => true) AS t
		HAVING count(*) > 0;
	END IF;
	PERFORM elecbill._demo_staff_day(p_day);
	PERFORM elecbill._demo_money_day(p_day);
	RETURN CASE p_day
		WHEN '2025-06-05' THEN elecbill._demo_exchange(p_state, p_day, 'S-05', '202412100005', 20, 10)
		WHEN '2025-07-08' THEN elecbill._demo_exchange(p_state, p_day, 'R-0501', '202411100017', 1, 1)
		ELSE p_state END;
END $$;
COMMENT ON FUNCTION elecbill._demo_events(jsonb, date) IS 'the morning of a day: months begin, meters are exchanged, what is planted comes up';
