-- 49_device_command.sql: how a command goes its way: asked, handed out, answered, and an order seen done

CREATE FUNCTION elecbill._command_add(p_meter elecbill.meter, p_kind text, p_priority integer, p_key text,
	p_within interval, p_parent bigint) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	key		text := coalesce(p_key, gen_random_uuid()::text);
	command	elecbill.device_command;
BEGIN
	IF p_within BETWEEN interval '10 seconds' AND interval '31 days' IS NOT TRUE THEN
		RAISE EXCEPTION 'a command needs a deadline within 10 seconds to 31 days'
			USING ERRCODE = 'UB400', DETAIL = format('It is %s seconds.', coalesce(extract(epoch FROM p_within)::text, 'NULL'));
	ELSIF key !~ '^\S{1,128}$' THEN
		RAISE EXCEPTION 'a key has 1 to 128 characters without blanks' USING ERRCODE = 'UB400';
	END IF;
	INSERT INTO elecbill.device_command (org_id, meter_id, kind, priority, idem_key, parent_id, deadline_at)
	VALUES (p_meter.org_id, p_meter.id, p_kind, p_priority, key, p_parent, elecbill.now() + p_within)
	ON CONFLICT ON CONSTRAINT device_command_org_key DO NOTHING
	RETURNING * INTO command;
	IF FOUND THEN
		PERFORM pg_notify('elecbill_command', '');
		RETURN command.id;
	END IF;
	SELECT d.* INTO command FROM elecbill.device_command AS d WHERE d.org_id = p_meter.org_id AND d.idem_key = key;
	IF (command.meter_id, command.kind) <> (p_meter.id, p_kind) THEN
		RAISE EXCEPTION 'key % belongs to another command', quote_literal(key)
			USING ERRCODE = 'UB409', DETAIL = format('Command %s is %s.', command.id, command.kind),
				  HINT = 'Choose a new key for a new command.';
	END IF;
	RETURN command.id;
END $$;
COMMENT ON FUNCTION elecbill._command_add(elecbill.meter, text, integer, text, interval, bigint) IS 'queues a command, or finds the one with its key. UB400, UB409';

CREATE FUNCTION elecbill.request_reading(meter text, within interval DEFAULT '5 minutes', key text DEFAULT NULL)
RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	device	elecbill.meter := elecbill._meter_get(meter);
BEGIN
	IF NOT EXISTS (SELECT FROM elecbill.meter_route AS r WHERE r.meter_id = device.id) THEN
		RAISE EXCEPTION 'no collector reads meter %', quote_literal(meter)
			USING ERRCODE = 'UB412', DETAIL = 'It has no row in meter_route.',
				  HINT = 'The daemon tells its meters when it connects; reading_add() takes what a person reads.';
	END IF;
	RETURN elecbill._command_add(device, 'read', 3, key, within, NULL);
END $$;
COMMENT ON FUNCTION elecbill.request_reading(text, interval, text) IS 'asks for a reading of a meter (serial) now; its collector fetches it in front of its schedule, at most within the given time (10 seconds to 31 days). Returns the number of the command; its state is in device_command. The same key is the same command (NULL = a new one). UB400, UB404 no such meter, UB409 the key belongs to another command, UB412 no collector reads it';

CREATE FUNCTION elecbill.relay_order(meter text, kind text, key text, within interval DEFAULT '1 day') RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	device	elecbill.meter := elecbill._meter_get(meter);
	command	bigint;
BEGIN
	IF kind IN ('disconnect', 'reconnect') IS NOT TRUE OR key IS NULL THEN
		RAISE EXCEPTION 'an order is to disconnect or to reconnect, and has a key' USING ERRCODE = 'UB400';
	END IF;
	-- one order for a meter at a time: each sees the one it contradicts
	PERFORM FROM elecbill.meter AS m WHERE m.id = device.id FOR NO KEY UPDATE;
	command := elecbill._command_add(device, kind, 1, key, within, NULL);
	-- of two orders that contradict each other the later one holds, as long as nobody took the earlier
	UPDATE elecbill.device_command AS d
	SET state = 'failed', answered_at = elecbill.now(), answer = jsonb_build_object('reason', 'superseded', 'by', command)
	WHERE d.meter_id = device.id AND d.state = 'queued' AND d.id < command
	  AND d.kind IN ('disconnect', 'reconnect') AND d.kind <> relay_order.kind;
	RETURN command;
END $$;
COMMENT ON FUNCTION elecbill.relay_order(text, text, text, interval) IS 'orders to disconnect or reconnect a meter (serial), to be carried out within that time (10 seconds to 31 days). The same key is the same order. Nobody here switches it: a vendor''s platform or an electrician takes the order by command_take() and answers by command_ack(); then the collector looks at the relay, and an order that is not seen done within 15 minutes is an alarm. An order of the other kind that nobody has taken yet is superseded. Returns the number of the command. UB400, UB404, UB409';

CREATE FUNCTION elecbill._command_expire() RETURNS integer
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	n	integer;
BEGIN
	UPDATE elecbill.device_command AS d SET state = 'expired'
	FROM (SELECT x.id FROM elecbill.device_command AS x
		  WHERE x.state IN ('queued', 'sent') AND x.deadline_at <= elecbill.now()
		  ORDER BY x.id FOR UPDATE SKIP LOCKED) AS late
	WHERE d.id = late.id;
	GET DIAGNOSTICS n = ROW_COUNT;
	RETURN n;
END $$;
COMMENT ON FUNCTION elecbill._command_expire() IS 'expires commands whose deadline has passed; returns how many';

CREATE FUNCTION elecbill.command_next(p_collector uuid, p_max integer DEFAULT 20)
RETURNS TABLE (command bigint, meter text, kind text, deadline_at timestamptz)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	who		elecbill.collector := elecbill._collector_touch(p_collector);
BEGIN
	IF p_max BETWEEN 1 AND 1000 IS NOT TRUE THEN
		RAISE EXCEPTION 'a collector takes 1 to 1000 commands at a time' USING ERRCODE = 'UB400';
	END IF;
	PERFORM elecbill._command_expire();
	RETURN QUERY
	WITH picked AS (
		SELECT d.id, m.serial
		FROM elecbill.meter_route AS r
		JOIN elecbill.device_command AS d ON d.meter_id = r.meter_id
		JOIN elecbill.meter AS m ON m.id = r.meter_id
		WHERE r.collector_id = p_collector AND d.kind IN ('read', 'relay_read') AND d.deadline_at > elecbill.now()
		  -- one that was handed out and not answered is asked again: reading twice does no harm
		  AND (d.state = 'queued' OR d.state = 'sent' AND d.sent_at < elecbill.now() - interval '1 min')
		ORDER BY d.priority, d.id
		LIMIT p_max FOR UPDATE OF d SKIP LOCKED
	), handed AS (
		UPDATE elecbill.device_command AS d
		SET state = 'sent', sent_at = elecbill.now(), sent_to = who.code, attempts = d.attempts + 1
		FROM picked AS p WHERE d.id = p.id
		RETURNING d.priority, d.id, p.serial, d.kind, d.deadline_at
	)
	SELECT h.id, h.serial, h.kind, h.deadline_at FROM handed AS h ORDER BY h.priority, h.id;
END $$;
COMMENT ON FUNCTION elecbill.command_next(uuid, integer) IS 'hands out what a collector should fetch beside its schedule: commands read and relay_read of meters on its routes, the most urgent first, at most max (1 to 1000). What is not answered within a minute is handed out again until its deadline. The daemon calls it every 10 seconds and when NOTIFY elecbill_command wakes it. UB400 another max, UB404 unknown collector';

CREATE FUNCTION elecbill.command_take(p_executor text, p_org text, p_max integer DEFAULT 20, trial boolean DEFAULT false)
RETURNS TABLE (command bigint, meter text, usage_point text, kind text, deadline_at timestamptz)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	owner	elecbill.org := (SELECT o FROM elecbill.org AS o WHERE o.id = elecbill._org_get(p_org));
BEGIN
	IF p_executor ~ '^\S{1,64}$' IS NOT TRUE OR p_max BETWEEN 1 AND 1000 IS NOT TRUE THEN
		RAISE EXCEPTION 'an executor has a name without blanks and takes 1 to 1000 orders at a time' USING ERRCODE = 'UB400';
	ELSIF owner.state = 'sandbox' AND trial IS NOT TRUE THEN
		RAISE EXCEPTION 'org % is a sandbox: nobody is cut off', quote_literal(p_org)
			USING ERRCODE = 'UB412', HINT = 'trial => true hands out its orders, for a program that switches nothing; go_live() ends the sandbox.';
	END IF;
	PERFORM elecbill._command_expire();
	RETURN QUERY
	WITH picked AS (
		SELECT d.id, m.serial, u.code
		FROM elecbill.device_command AS d
		JOIN elecbill.meter AS m ON m.id = d.meter_id
		LEFT JOIN elecbill.meter_installation AS i ON i.meter_id = d.meter_id AND i.valid @> elecbill.now()
		LEFT JOIN elecbill.usage_point AS u ON u.id = i.usage_point_id
		WHERE d.org_id = owner.id AND d.kind IN ('disconnect', 'reconnect') AND d.state = 'queued'
		  AND d.deadline_at > elecbill.now()
		ORDER BY d.priority, d.id
		LIMIT p_max FOR UPDATE OF d SKIP LOCKED
	), handed AS (
		UPDATE elecbill.device_command AS d
		SET state = 'sent', sent_at = elecbill.now(), sent_to = p_executor, attempts = d.attempts + 1
		FROM picked AS p WHERE d.id = p.id
		RETURNING d.priority, d.id, p.serial, p.code, d.kind, d.deadline_at
	)
	SELECT h.id, h.serial, h.code, h.kind, h.deadline_at FROM handed AS h ORDER BY h.priority, h.id;
END $$;
COMMENT ON FUNCTION elecbill.command_take(text, text, integer, boolean) IS 'hands out the orders (disconnect, reconnect) of an org to whoever executes them: the interface of a vendor''s platform, or the list of an electrician; executor is its name, 1 to 64 characters without blanks. The most urgent first, at most max (1 to 1000). Each order is handed out once; command_ack() answers it, and from its deadline on it is expired. The oldest first. Orders of a sandbox are for nobody: trial hands them out, and they are given up when the org is live. UB400, UB404, UB412 a sandbox';

CREATE FUNCTION elecbill._order_look(p_order elecbill.device_command) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	device	elecbill.meter;
BEGIN
	IF EXISTS (SELECT FROM elecbill.device_command AS d
			   WHERE d.parent_id = p_order.id AND d.state IN ('queued', 'sent'))
		OR NOT EXISTS (SELECT FROM elecbill.meter_route AS r WHERE r.meter_id = p_order.meter_id) THEN
		RETURN;
	END IF;
	SELECT m.* INTO device FROM elecbill.meter AS m WHERE m.id = p_order.meter_id;
	PERFORM elecbill._command_add(device, 'relay_read', 0, NULL, interval '2 min', p_order.id);
END $$;
COMMENT ON FUNCTION elecbill._order_look(elecbill.device_command) IS 'has the collector look at the relay of an order, unless it is about to, or there is none that reads the meter';

CREATE FUNCTION elecbill._order_seen(p_order bigint, p_relay text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	made	elecbill.device_command;
BEGIN
	UPDATE elecbill.device_command AS d SET confirmed_at = elecbill.now()
	WHERE d.id = p_order AND d.state = 'acked' AND d.confirmed_at IS NULL
	  AND p_relay = CASE d.kind WHEN 'disconnect' THEN 'open' ELSE 'closed' END
	RETURNING * INTO made;
	IF FOUND THEN
		PERFORM elecbill._alarm_end(made.org_id, 'order_unconfirmed', elecbill._order_object(made), elecbill.now());
	END IF;
END $$;
COMMENT ON FUNCTION elecbill._order_seen(bigint, text) IS 'the relay of an order was seen open or closed: confirms the order when that is what it asked for';

CREATE FUNCTION elecbill._order_unseen() RETURNS SETOF elecbill.device_command
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
	SELECT d.* FROM elecbill.device_command AS d
	WHERE d.kind IN ('disconnect', 'reconnect') AND d.state = 'acked' AND d.confirmed_at IS NULL
	  AND NOT EXISTS (SELECT FROM elecbill.device_command AS x
		WHERE x.meter_id = d.meter_id AND x.kind IN ('disconnect', 'reconnect') AND x.state = 'acked'
		  AND (x.answered_at, x.id) > (d.answered_at, d.id));
$$;
COMMENT ON FUNCTION elecbill._order_unseen() IS 'orders that are said to be done and nobody has seen done; one that a later order of the meter has taken the place of is none';

CREATE FUNCTION elecbill._order_object(p_order elecbill.device_command) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
RETURN (SELECT format('%s %s', m.serial, p_order.id) FROM elecbill.meter AS m WHERE m.id = p_order.meter_id);
COMMENT ON FUNCTION elecbill._order_object(elecbill.device_command) IS 'an order as the object of an alarm: serial and number of the command';

CREATE FUNCTION elecbill._command_answer(p_command bigint, p_org integer, p_by text, p_kinds text[], p_outcome text,
	p_answer jsonb) RETURNS text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	d		elecbill.device_command;
BEGIN
	IF p_outcome IN ('acked', 'failed') IS NOT TRUE OR jsonb_typeof(p_answer) = 'object' IS NOT TRUE THEN
		RAISE EXCEPTION 'an answer is acked or failed, with an object of facts' USING ERRCODE = 'UB400';
	END IF;
	SELECT c.* INTO d FROM elecbill.device_command AS c
	WHERE c.id = p_command AND CASE WHEN p_org IS NULL THEN elecbill._org_open(c.org_id) ELSE c.org_id = p_org END
		AND c.kind = ANY (p_kinds) AND c.sent_to = p_by FOR UPDATE;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'command % was not handed to %', coalesce(p_command::text, 'NULL'), quote_nullable(p_by)
			USING ERRCODE = 'UB404';
	ELSIF d.kind = 'relay_read' AND p_outcome = 'acked' AND p_answer ->> 'relay' IN ('open', 'closed') IS NOT TRUE THEN
		RAISE EXCEPTION 'the answer must say whether the relay is open or closed'
			USING ERRCODE = 'UB400', HINT = '{"relay": "open"} or {"relay": "closed"}.';
	ELSIF d.state IN ('acked', 'failed') AND (d.state, d.answer) <> (p_outcome, p_answer) THEN
		RAISE EXCEPTION 'command % was answered otherwise', p_command
			USING ERRCODE = 'UB409', DETAIL = format('It is %s: %s.', d.state, d.answer);
	ELSIF d.state IN ('acked', 'failed') THEN
		RETURN d.state;	/* the same again */
	ELSIF d.kind IN ('read', 'relay_read') AND d.deadline_at <= elecbill.now() THEN
		UPDATE elecbill.device_command AS c SET state = 'expired' WHERE c.id = p_command AND c.state = 'sent';
		RETURN 'expired';
	END IF;
	-- an order that was carried out late was carried out all the same
	UPDATE elecbill.device_command AS c SET state = p_outcome, answer = p_answer, answered_at = elecbill.now()
	WHERE c.id = p_command RETURNING * INTO d;
	IF d.state = 'acked' AND d.kind = 'relay_read' THEN
		PERFORM elecbill._order_seen(d.parent_id, p_answer ->> 'relay');
	ELSIF d.state = 'acked' AND d.kind IN ('disconnect', 'reconnect') THEN
		PERFORM elecbill._order_look(d);
	END IF;
	RETURN d.state;
END $$;
COMMENT ON FUNCTION elecbill._command_answer(bigint, integer, text, text[], text, jsonb) IS 'takes the answer to a command (of an org, NULL = any that is open) from whom it was handed to; returns its state, which is expired when what was read came too late';

CREATE FUNCTION elecbill.command_ack(p_collector uuid, p_command bigint, p_outcome text, p_answer jsonb DEFAULT '{}')
RETURNS text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	who		elecbill.collector := elecbill._collector_touch(p_collector);
BEGIN
	RETURN elecbill._command_answer(p_command, who.org_id, who.code, '{read,relay_read}', p_outcome, p_answer);
END $$;
COMMENT ON FUNCTION elecbill.command_ack(uuid, bigint, text, jsonb) IS 'a collector answers a command: acked or failed, with its facts ({"relay": "open"} or {"relay": "closed"} for relay_read, {"reason": "silence"} for a failure). Returns the state of the command: expired when the answer came too late. The same answer again changes nothing. UB400, UB404 not handed to it, UB409 answered otherwise before';

CREATE FUNCTION elecbill.command_ack(p_executor text, p_command bigint, p_outcome text, p_answer jsonb DEFAULT '{}')
RETURNS text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN elecbill._command_answer(p_command, NULL, p_executor, '{disconnect,reconnect}', p_outcome, p_answer);
END $$;
COMMENT ON FUNCTION elecbill.command_ack(text, bigint, text, jsonb) IS 'an executor answers an order: acked (done) or failed, with its facts. A done order is then looked at by the collector, also when the answer comes after the deadline. Returns the state of the order. The same answer again changes nothing. UB400, UB404 not handed to it, UB409 answered otherwise before';

CREATE VIEW elecbill.device_command_open WITH (security_invoker = true) AS
SELECT d.org_id, d.id AS command, m.serial AS meter, d.kind, d.state, d.priority, d.created_by, d.created_at, d.deadline_at,
	d.sent_to, d.attempts, d.answered_at, (SELECT o.code FROM elecbill.org AS o WHERE o.id = d.org_id) AS org
FROM elecbill.device_command AS d
JOIN elecbill.meter AS m ON m.id = d.meter_id
WHERE d.state IN ('queued', 'sent')
   OR d.kind IN ('disconnect', 'reconnect') AND d.state = 'acked' AND d.confirmed_at IS NULL
	AND NOT EXISTS (SELECT FROM elecbill.device_command AS x
		WHERE x.meter_id = d.meter_id AND x.kind IN ('disconnect', 'reconnect') AND x.state = 'acked'
		  AND (x.answered_at, x.id) > (d.answered_at, d.id));
COMMENT ON VIEW elecbill.device_command_open IS 'commands that wait for somebody: not yet answered, or an order that nobody has seen done';
COMMENT ON COLUMN elecbill.device_command_open.org_id IS 'owner';
COMMENT ON COLUMN elecbill.device_command_open.command IS 'number of the command';
COMMENT ON COLUMN elecbill.device_command_open.meter IS 'serial';
COMMENT ON COLUMN elecbill.device_command_open.kind IS 'read, relay_read, disconnect, reconnect';
COMMENT ON COLUMN elecbill.device_command_open.state IS 'queued, sent, or acked without confirmation';
COMMENT ON COLUMN elecbill.device_command_open.priority IS '0 first ... 9 last';
COMMENT ON COLUMN elecbill.device_command_open.created_by IS 'login that asked';
COMMENT ON COLUMN elecbill.device_command_open.created_at IS 'when';
COMMENT ON COLUMN elecbill.device_command_open.deadline_at IS 'when it expires';
COMMENT ON COLUMN elecbill.device_command_open.sent_to IS 'who has it';
COMMENT ON COLUMN elecbill.device_command_open.attempts IS 'how often it was handed out';
COMMENT ON COLUMN elecbill.device_command_open.answered_at IS 'of an order: when it was said to be done';
COMMENT ON COLUMN elecbill.device_command_open.org IS 'code of the org';
