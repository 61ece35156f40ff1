-- 96_demo.sql: an estate that has been at work for thirteen months, to look at and to try things on
--
-- load_demo() plays December 2024 to December 2025 of a property company day by day, as its collector, its
-- staff and its residents would have done it: through the public calls, each with its own login, the clock
-- put to where they were made (elecbill._play()). Everything follows from the seed. What goes wrong on
-- purpose is in _demo_fault() and _demo_event().

CREATE FUNCTION elecbill._demo_first() RETURNS date
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN date '2024-12-01';
COMMENT ON FUNCTION elecbill._demo_first() IS 'first local day of the demo estate';

CREATE FUNCTION elecbill._demo_last() RETURNS date
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN date '2026-01-20';
COMMENT ON FUNCTION elecbill._demo_last() IS 'last local day that is played: in December 2025 energy ends, in January its bills are paid';

CREATE FUNCTION elecbill._demo_at(p_day date, p_clock interval, p_login text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	PERFORM elecbill._play((p_day::timestamp + p_clock) AT TIME ZONE 'Asia/Shanghai', p_login);
END $$;
COMMENT ON FUNCTION elecbill._demo_at(date, interval, text) IS 'what follows is done at this local time, by this person (empty: the DBA, or a program)';

CREATE FUNCTION elecbill._demo_draw(p_seed integer, p_a integer, p_b integer, p_n integer) RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN ((((p_a + 1) * 40503::bigint + p_b * 7919::bigint + p_seed % 10007 * 104729::bigint) * 2654435761 % 4294967296
	/ 1024 * 48271) % 2147483647 / 64 % p_n)::integer;
COMMENT ON FUNCTION elecbill._demo_draw(integer, integer, integer, integer) IS 'a number from 0 to n - 1 that looks drawn and follows from seed, a and b (all of them 0 or more), on every machine';

CREATE FUNCTION elecbill._demo_pick(p_seed integer, p_what text, p_n integer) RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN ('x' || left(md5(p_seed || ':' || p_what), 7))::bit(28)::integer % p_n;
COMMENT ON FUNCTION elecbill._demo_pick(integer, text, integer) IS 'a number from 0 to n - 1 for a name: internal keys say nothing about how things go';

CREATE FUNCTION elecbill._demo_ready() RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF EXISTS (SELECT FROM elecbill.org) THEN
		RAISE EXCEPTION 'the demo estate needs a database without any org'
			USING ERRCODE = 'UB412', DETAIL = 'It plays months that are past, which must not mix with those of others.',
				  HINT = 'Create a database of its own for it.';
	END IF;
	-- workers of a parallel query do not know what is played; small queries are not worth compiling
	PERFORM set_config('jit', 'off', false);
	PERFORM set_config('max_parallel_workers_per_gather', '0', false);
END $$;
COMMENT ON FUNCTION elecbill._demo_ready() IS 'UB412 unless the demo estate may be loaded here';

CREATE FUNCTION elecbill._demo_morning(p_day date) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	PERFORM elecbill._demo_at(p_day, '10:00', '');
	-- in life autovacuum does so within minutes
	IF p_day IN ('2025-01-02', '2025-02-02', '2025-05-02') THEN
		ANALYZE elecbill.customer_account, elecbill.bill, elecbill.bill_line, elecbill.bill_segment, elecbill.ledger_account,
			elecbill.ledger_transfer, elecbill.account_balance, elecbill.payment, elecbill.payment_allocation,
			elecbill.payment_order, elecbill.outbox, elecbill.late_fee_accrual, elecbill.profile_day;
	END IF;
	RETURN extract(dow FROM p_day) = 1 OR extract(day FROM p_day) = 1 OR p_day = elecbill._demo_last();
END $$;
COMMENT ON FUNCTION elecbill._demo_morning(date) IS 'ten on a day; whether the jobs that are due are done: on Mondays, when a month begins, and at the end';

-- Procedures that commit cannot pin their search_path: everything is qualified, operators too.
CREATE PROCEDURE elecbill.load_demo(seed integer DEFAULT 1) LANGUAGE plpgsql AS $$
DECLARE
	state jsonb;
	day date := elecbill._demo_first();
	run bigint;
	due boolean;
BEGIN
	PERFORM elecbill._demo_ready();
	state := elecbill._demo_estate(seed);
	COMMIT;
	WHILE day OPERATOR(pg_catalog.<=) elecbill._demo_last() LOOP
		due := elecbill._demo_morning(day);
		COMMIT;
		IF due THEN
			CALL elecbill.run_due();
		END IF;
		CALL elecbill.accrue_late_fees('DEMO');
		CALL elecbill.dunning_run('DEMO');
		CALL elecbill.prepay_run('DEMO');
		PERFORM elecbill._demo_relays();
		COMMIT;
		state := elecbill._demo_events(state, day);
		COMMIT;
		FOREACH run IN ARRAY elecbill._demo_runs(day) LOOP
			CALL elecbill.bill_run_work(run);
			CONTINUE WHEN NOT elecbill._demo_review(run, day);
			COMMIT;
			CALL elecbill.bill_run_issue(run);
		END LOOP;
		COMMIT;
		PERFORM elecbill._demo_pay(seed, day);
		COMMIT;
		state := elecbill._demo_read(state, day);
		COMMIT;
		day := day OPERATOR(pg_catalog.+) 1;
	END LOOP;
	PERFORM elecbill._demo_end();
	COMMIT;
END $$;
COMMENT ON PROCEDURE elecbill.load_demo(integer) IS
'fills a database without any org with the demo estate: org DEMO, 3 buildings with 120 homes, 12 shops, a workshop, lift and light, hourly readings and bills of December 2024 to December 2025, payments to 20 January 2026, and faults in between. The same seed (0 or more) makes the same. It takes less than a minute and commits on its way: when it is stopped, drop the database. Only the owner of the schema layer can call it (UB403). UB412 there is an org';

CREATE FUNCTION elecbill._demo_end() RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	PERFORM elecbill._play(NULL, NULL);
	-- the planted read of a silent meter is not answered
	PERFORM elecbill._command_expire();
	PERFORM set_config(s.name, s.reset_val, false) FROM pg_settings AS s
	WHERE s.name IN ('jit', 'max_parallel_workers_per_gather');
END $$;
COMMENT ON FUNCTION elecbill._demo_end() IS 'the play is over: clock, login and settings are those of the session again; what waits for an answer by the clock of the play, waits no more';
