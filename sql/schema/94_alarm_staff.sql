-- 94_alarm_staff.sql: the alarms that are open, and what people say to them

CREATE TABLE elecbill.alarm_ack (
	alarm_id	bigint CONSTRAINT alarm_ack_pkey PRIMARY KEY CONSTRAINT alarm_ack_alarm_fkey REFERENCES elecbill.alarm,
	org_id		integer NOT NULL,
	acked_by	text NOT NULL DEFAULT elecbill.current_login(),
	acked_at	timestamptz NOT NULL DEFAULT elecbill.now(),
	note		text NOT NULL CONSTRAINT alarm_ack_note_check CHECK (note <> '')
);
COMMENT ON TABLE elecbill.alarm_ack IS 'alarms that somebody has taken on, or closed by hand; alarm_acknowledge() and alarm_close() write it';
COMMENT ON COLUMN elecbill.alarm_ack.alarm_id IS 'the alarm';
COMMENT ON COLUMN elecbill.alarm_ack.org_id IS 'owner';
COMMENT ON COLUMN elecbill.alarm_ack.acked_by IS 'login of who did';
COMMENT ON COLUMN elecbill.alarm_ack.acked_at IS 'when';
COMMENT ON COLUMN elecbill.alarm_ack.note IS 'what is being done about it, or was';

CREATE FUNCTION elecbill._alarm_get(p_alarm bigint) RETURNS elecbill.alarm
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	there elecbill.alarm;
BEGIN
	SELECT * INTO there FROM elecbill.alarm a WHERE a.id = p_alarm AND elecbill._org_open(a.org_id) FOR NO KEY UPDATE;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'there is no alarm %', coalesce(p_alarm::text, 'NULL')
			USING ERRCODE = 'UB404', HINT = 'SELECT alarm FROM elecbill.alarm_open lists those that are open.';
	END IF;
	RETURN there;
END $$;
COMMENT ON FUNCTION elecbill._alarm_get(bigint) IS 'an alarm of an org that is open to who asks, locked; UB404';

CREATE FUNCTION elecbill._alarm_noted(p_alarm elecbill.alarm, p_call text, p_note text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF p_note ~ '\S' IS NOT TRUE THEN
		RAISE EXCEPTION 'say with it what is being done' USING ERRCODE = 'UB400', DETAIL = 'The note is empty.';
	END IF;
	INSERT INTO elecbill.alarm_ack AS k (alarm_id, org_id, note) VALUES (p_alarm.id, p_alarm.org_id, p_note)
	ON CONFLICT ON CONSTRAINT alarm_ack_pkey DO UPDATE
	SET acked_by = excluded.acked_by, acked_at = excluded.acked_at, note = excluded.note;
	PERFORM elecbill._audit(p_alarm.org_id, p_call, format('%s %s', p_alarm.code, p_alarm.object), NULL,
		jsonb_build_object('alarm', p_alarm.id, 'note', p_note));
END $$;
COMMENT ON FUNCTION elecbill._alarm_noted(elecbill.alarm, text, text) IS 'writes who says what to an alarm; UB400 nothing is said';

CREATE FUNCTION elecbill.alarm_acknowledge(alarm bigint, note text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	PERFORM elecbill._alarm_noted(elecbill._alarm_get(alarm), 'alarm_acknowledge', note);
END $$;
COMMENT ON FUNCTION elecbill.alarm_acknowledge(bigint, text) IS 'says that somebody looks after an alarm (its number in alarm_open), and how; it stays open. The last to say so is shown. UB400, UB404';

CREATE FUNCTION elecbill.alarm_close(alarm bigint, note text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	a elecbill.alarm := elecbill._alarm_get(alarm);
BEGIN
	IF a.state = 'closed' THEN
		RETURN;
	END IF;
	PERFORM elecbill._alarm_noted(a, 'alarm_close', note);
	PERFORM elecbill._alarm_end(a.org_id, a.code, a.object, elecbill.now());
END $$;
COMMENT ON FUNCTION elecbill.alarm_close(bigint, text) IS 'closes an alarm by hand, with a note why. One whose cause is still there is raised again when it is looked for next; that of an event (shift_difference, channel_difference, payment_late) is not. Closed before: nothing happens. UB400, UB404';

CREATE VIEW elecbill.alarm_open WITH (security_invoker = true) AS
SELECT a.id AS alarm, o.code AS org, a.severity, a.code, elecbill.label(a.code, elecbill._lang()) AS text, a.object, u.code AS usage_point,
	lower(a.during) AS since, a.raised_at, k.acked_by, k.acked_at, k.note, a.details, a.org_id
FROM elecbill.alarm a
JOIN elecbill.org o ON o.id = a.org_id
LEFT JOIN elecbill.usage_point u ON u.id = a.usage_point_id
LEFT JOIN elecbill.alarm_ack k ON k.alarm_id = a.id
WHERE upper_inf(a.during);
COMMENT ON VIEW elecbill.alarm_open IS 'what somebody should look at now';
COMMENT ON COLUMN elecbill.alarm_open.alarm IS 'number, for alarm_acknowledge() and alarm_close()';
COMMENT ON COLUMN elecbill.alarm_open.org IS 'code of the org';
COMMENT ON COLUMN elecbill.alarm_open.severity IS 'info, warn or error';
COMMENT ON COLUMN elecbill.alarm_open.code IS 'what is the matter, for programs';
COMMENT ON COLUMN elecbill.alarm_open.text IS 'the same in the language of elecbill.lang';
COMMENT ON COLUMN elecbill.alarm_open.object IS 'what it is about';
COMMENT ON COLUMN elecbill.alarm_open.usage_point IS 'where; NULL: nowhere';
COMMENT ON COLUMN elecbill.alarm_open.since IS 'since when it is so';
COMMENT ON COLUMN elecbill.alarm_open.raised_at IS 'when it was noticed';
COMMENT ON COLUMN elecbill.alarm_open.acked_by IS 'login of who looks after it; NULL: nobody yet';
COMMENT ON COLUMN elecbill.alarm_open.acked_at IS 'since when';
COMMENT ON COLUMN elecbill.alarm_open.note IS 'what is being done';
COMMENT ON COLUMN elecbill.alarm_open.details IS 'the numbers when it was raised';
COMMENT ON COLUMN elecbill.alarm_open.org_id IS 'owner';
