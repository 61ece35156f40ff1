-- 91_cut_off.sql: who may be disconnected, when, and the orders to do it and to undo it
-- Dunning and prepayment end here alike. The rules are those of the supply regulations: never medical or
-- priority points, nor at night, at weekends and on holidays. Orders go to relay_order(); nothing here
-- switches anything. Locks: customer_account by the caller, then meter (relay_order).

CREATE FUNCTION elecbill.customer_tags_set(account text, tags text[]) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	a elecbill.customer_account;
	old text[];
BEGIN
	a := elecbill._account_lock(account);
	IF tags <@ '{no_bill,no_dun,medical}' IS NOT TRUE OR array_ndims(tags) > 1 OR array_position(tags, NULL) IS NOT NULL THEN
		RAISE EXCEPTION 'tags of a customer are no_bill, no_dun and medical' USING ERRCODE = 'UB400', HINT = '{} takes all away.';
	END IF;
	SELECT c.tags INTO old FROM elecbill.customer c WHERE c.id = a.customer_id FOR NO KEY UPDATE;
	IF old <@ customer_tags_set.tags AND customer_tags_set.tags <@ old THEN
		RETURN;
	END IF;
	UPDATE elecbill.customer c SET tags = ARRAY(SELECT DISTINCT t FROM unnest(customer_tags_set.tags) AS t ORDER BY t)
	WHERE c.id = a.customer_id;
	PERFORM elecbill._audit(a.org_id, 'customer_tags_set', a.account_no, to_jsonb(old), to_jsonb(tags));
EXCEPTION WHEN OTHERS THEN
	PERFORM elecbill._refused(elecbill._org_part(account), 'customer_tags_set', account, SQLSTATE, SQLERRM);
	RAISE;
END $$;
COMMENT ON FUNCTION elecbill.customer_tags_set(text, text[]) IS
'says all that is special about the customer of an account (number, or ORG/NUMBER): no_bill (bill runs leave out all his accounts, each parked with the exception no_bill; bill_run_retry() bills them when he has the tag no more, offcycle_bill() and final_bill() do anyway), no_dun (he is not dunned), medical (somebody there depends on electricity: never disconnected); {} nothing any more. UB400, UB404, UB409 several orgs have the number';

CREATE FUNCTION elecbill.point_priority_set(point text, priority boolean) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	place elecbill.usage_point;
BEGIN
	place := elecbill._point_get(point);
	IF priority IS NULL THEN
		RAISE EXCEPTION 'a usage point has priority or not' USING ERRCODE = 'UB400';
	END IF;
	UPDATE elecbill.usage_point u SET priority = point_priority_set.priority
	WHERE u.id = place.id AND u.priority <> point_priority_set.priority;
	IF FOUND THEN
		PERFORM elecbill._audit(place.org_id, 'point_priority_set', point, to_jsonb(place.priority), to_jsonb(priority));
	END IF;
EXCEPTION WHEN OTHERS THEN
	PERFORM elecbill._refused(elecbill._org_part(point), 'point_priority_set', point, SQLSTATE, SQLERRM);
	RAISE;
END $$;
COMMENT ON FUNCTION elecbill.point_priority_set(text, boolean) IS
'says whether a usage point (code, or ORG/CODE) is one that is never disconnected: a lift, a pump, a surgery. UB400, UB404, UB409 several orgs have the code';

CREATE FUNCTION elecbill._working_day(p_org integer, p_day date) RETURNS boolean
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	weekday text := (ARRAY['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'])[extract(isodow FROM p_day)];
	tags text[] := ARRAY(SELECT d.tag FROM elecbill.calendar_day d JOIN elecbill.calendar c ON c.id = d.calendar_id
		WHERE c.org_id = p_org AND d.day = p_day AND upper_inf(d.known));
BEGIN
	RETURN 'holiday' <> ALL (tags) AND ('makeup' = ANY (tags) OR NOT coalesce(
		(SELECT bool_or(weekday = ANY (c.weekend)) FROM elecbill.calendar c WHERE c.org_id = p_org), weekday IN ('sat', 'sun')));
END $$;
COMMENT ON FUNCTION elecbill._working_day(integer, date) IS
'whether a local day is a working day of an org: no calendar of it has it at a weekend (unless it is tagged makeup) or tags it holiday; without a calendar, Monday to Friday';

CREATE FUNCTION elecbill._next_working_day(p_org integer, p_day date) RETURNS date
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	FOR i IN 1..60 LOOP
		IF elecbill._working_day(p_org, p_day + i) THEN
			RETURN p_day + i;
		END IF;
	END LOOP;
	RETURN p_day + 61;	/* a calendar without working days */
END $$;
COMMENT ON FUNCTION elecbill._next_working_day(integer, date) IS 'the first working day of an org behind a local day';

CREATE FUNCTION elecbill._after(p_at timestamptz, p_wait interval, p_zone text) RETURNS timestamptz
LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	days interval := date_trunc('day', p_wait);
BEGIN
	RETURN (p_at AT TIME ZONE p_zone + days) AT TIME ZONE p_zone + (p_wait - days);
END $$;
COMMENT ON FUNCTION elecbill._after(timestamptz, interval, text) IS
'an instant and days (months, years) by the clock of a time zone, then hours by any clock: timestamptz + interval takes the zone of the session, whose days of 23 and 25 hours are others';

CREATE FUNCTION elecbill._account_meters(p_account bigint) RETURNS TABLE (meter_id bigint, serial text)
LANGUAGE plpgsql STABLE ROWS 1 SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN QUERY
	SELECT m.id, m.serial
	FROM elecbill.customer_agreement g
	JOIN elecbill.meter_installation i ON i.usage_point_id = g.usage_point_id AND i.role = 'main' AND i.valid @> elecbill.now()
	JOIN elecbill.meter m ON m.id = i.meter_id
	WHERE g.account_id = p_account AND g.valid @> elecbill._today(g.org_id)
	ORDER BY m.id;
END $$;
COMMENT ON FUNCTION elecbill._account_meters(bigint) IS 'the main meters an account pays for now';

CREATE FUNCTION elecbill._protected(p_account bigint) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN CASE
		WHEN (SELECT 'medical' = ANY (c.tags) FROM elecbill.customer_account a JOIN elecbill.customer c ON c.id = a.customer_id
			WHERE a.id = p_account) THEN 'medical'
		WHEN EXISTS (SELECT FROM elecbill.customer_agreement g JOIN elecbill.usage_point u ON u.id = g.usage_point_id
			WHERE g.account_id = p_account AND g.valid @> elecbill._today(g.org_id) AND u.priority) THEN 'priority_point'
		WHEN NOT EXISTS (SELECT FROM elecbill._account_meters(p_account)) THEN 'no_meter' END;
END $$;
COMMENT ON FUNCTION elecbill._protected(bigint) IS
'why an account is never disconnected: medical, priority_point (one of its usage points has priority), no_meter (it has none); NULL: it may be';

CREATE FUNCTION elecbill._cut_off_closed(p_org integer, p_from time, p_until time, p_left interval DEFAULT '10 minutes') RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	here timestamp := (SELECT elecbill.now() AT TIME ZONE o.zone FROM elecbill.org o WHERE o.id = p_org);
BEGIN
	RETURN CASE WHEN NOT elecbill._working_day(p_org, here::date) THEN 'holiday'
		WHEN here < here::date + p_from OR here > here::date + p_until - p_left THEN 'night' END;
END $$;
COMMENT ON FUNCTION elecbill._cut_off_closed(integer, time, time, interval) IS
'why nobody is disconnected now: holiday, or night (outside of the hours, of which at least left must remain); NULL: it may be done';

CREATE FUNCTION elecbill._relay_orders(p_account bigint, p_kind text, p_key text, p_until time DEFAULT NULL) RETURNS bigint[]
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	one record;
	within interval := interval '1 day';
	made bigint[] := ARRAY[]::bigint[];
BEGIN
	IF p_until IS NOT NULL THEN
		-- what is not done when the hours are over has expired: nobody comes at night
		SELECT greatest((here.at::date + p_until) AT TIME ZONE here.zone - elecbill.now(), interval '1 minute') INTO within
		FROM (SELECT o.zone, elecbill.now() AT TIME ZONE o.zone AS at FROM elecbill.org o
			JOIN elecbill.customer_account a ON a.org_id = o.id WHERE a.id = p_account) AS here;
	END IF;
	FOR one IN SELECT * FROM elecbill._account_meters(p_account) LOOP
		made := made || elecbill.relay_order(one.serial, p_kind, format('%s:%s', p_key, one.meter_id), within);
	END LOOP;
	RETURN made;
END $$;
COMMENT ON FUNCTION elecbill._relay_orders(bigint, text, text, time) IS
'orders to disconnect or reconnect the meters of an account, which is locked; numbers of the commands. until: local time of day at which they expire, else a day';

CREATE FUNCTION elecbill._orders_state(p_commands bigint[]) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN (
		SELECT CASE WHEN count(*) = 0 THEN 'done'
			WHEN bool_or(d.state IN ('queued', 'sent') AND d.deadline_at > elecbill.now()) THEN 'open'
			WHEN bool_and(d.state = 'acked') THEN 'done' ELSE 'failed' END
		FROM elecbill.device_command d WHERE d.id = ANY (p_commands));
END $$;
COMMENT ON FUNCTION elecbill._orders_state(bigint[]) IS
'how some orders stand together: open (somebody is to do one), done, or failed (one failed, or its time is over)';
