-- 68_correction.sql: readings that turn out to be wrong, and what was billed of them
--
-- The reading stays as it came; reading_correction says what counts in its place. What was billed of a register that
-- says something else now is a row of true_up, to be booked with the next bill of the account.
-- Locks: accounts of the point (by id, as who bills them), then the register. So a bill is made before, or of the
-- new values; and what counts since then begins behind the last bill.

CREATE FUNCTION elecbill._register_lock(p_register bigint) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	PERFORM FROM elecbill.customer_account AS a
	WHERE a.id IN (
		SELECT c.account_id FROM elecbill.meter_register AS g
		JOIN elecbill.meter_installation AS i ON i.meter_id = g.meter_id
		JOIN elecbill.customer_agreement AS c ON c.usage_point_id = i.usage_point_id
		WHERE g.id = p_register)
	ORDER BY a.id FOR NO KEY UPDATE;
	-- all of the meter: where registers add up, the total goes with them
	PERFORM FROM elecbill.meter_register AS g
	WHERE g.meter_id = (SELECT x.meter_id FROM elecbill.meter_register AS x WHERE x.id = p_register) ORDER BY g.id FOR NO KEY UPDATE;
END $$;
COMMENT ON FUNCTION elecbill._register_lock(bigint) IS 'lets nobody bill or correct a register meanwhile';

CREATE FUNCTION elecbill._correction_since(p_register bigint, p_at timestamptz) RETURNS timestamptz
LANGUAGE sql STABLE
BEGIN ATOMIC
	SELECT greatest(elecbill.now(),
		(SELECT max(b.created_at) + interval '1 microsecond' FROM elecbill.bill_segment AS s
			JOIN elecbill.meter_register AS g ON g.id = p_register
			JOIN elecbill.meter_installation AS i ON i.meter_id = g.meter_id AND i.id = s.installation_id
			JOIN elecbill.bill AS b ON b.id = s.bill_id WHERE s.register_id = p_register),
		(SELECT max(lower(c.known)) + interval '1 microsecond' FROM elecbill.reading_correction AS c
			WHERE c.register_id = p_register AND c.read_at = p_at));
END;
COMMENT ON FUNCTION elecbill._correction_since(bigint, timestamptz) IS 'since when a new value of a register counts: now, but behind the bills that were made of the old one';

CREATE FUNCTION elecbill._correction_end(p_register bigint, p_at timestamptz) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	since	timestamptz := elecbill._correction_since(p_register, p_at);
BEGIN
	UPDATE elecbill.reading_correction AS c SET known = tstzrange(lower(c.known), since)
	WHERE c.register_id = p_register AND c.read_at = p_at AND upper_inf(c.known);
END $$;
COMMENT ON FUNCTION elecbill._correction_end(bigint, timestamptz) IS 'what stands in the place of a reading counts no more';

CREATE FUNCTION elecbill._correction_put(p_org integer, p_register bigint, p_at timestamptz, p_wh bigint, p_slot timestamptz,
	p_quality integer, p_edit bigint, p_estimate bigint, p_counts boolean) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	since	timestamptz := CASE WHEN p_counts THEN elecbill._correction_since(p_register, p_at) END;
BEGIN
	IF p_counts THEN
		UPDATE elecbill.reading_correction AS c SET known = tstzrange(lower(c.known), since)
		WHERE c.register_id = p_register AND c.read_at = p_at AND upper_inf(c.known);
	END IF;
	INSERT INTO elecbill.reading_correction (register_id, read_at, version, org_id, edit_id, estimate_id, register_wh, slot_at,
		quality, known)
	SELECT p_register, p_at, coalesce(max(c.version), 0) + 1, p_org, p_edit, p_estimate, p_wh, p_slot, p_quality,
		CASE WHEN p_counts THEN tstzrange(since, NULL) END
	FROM elecbill.reading_correction AS c WHERE c.register_id = p_register AND c.read_at = p_at;
END $$;
COMMENT ON FUNCTION elecbill._correction_put(integer, bigint, timestamptz, bigint, timestamptz, integer, bigint, bigint, boolean) IS 'writes the next version of what counts for a register and instant; counts false: it waits for approval';

CREATE FUNCTION elecbill._reading_changed(p_register bigint, p_from timestamptz, p_to timestamptz, p_cause text)
RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	PERFORM elecbill._pack_state_hold(ARRAY(SELECT g.org_id FROM elecbill.meter_register AS g WHERE g.id = p_register));
	INSERT INTO elecbill.pack_queue (org_id, usage_point_id, days, why)
	SELECT DISTINCT p.org_id, p.usage_point_id, daterange((p_from AT TIME ZONE o.zone)::date - 1, (p_to AT TIME ZONE o.zone)::date + 2),
		CASE p_cause WHEN 'estimate' THEN 'estimated reading' ELSE 'corrected reading' END
	FROM elecbill.meter_register AS g
	JOIN elecbill.org AS o ON o.id = g.org_id
	JOIN elecbill.meter_installation AS i ON i.meter_id = g.meter_id AND i.role = 'main' AND i.valid && tstzrange(p_from, p_to, '[]')
	JOIN elecbill.pack_point AS p ON p.usage_point_id = i.usage_point_id
	WHERE g.id = p_register AND g.code IN ('1.8.0', '2.8.0');
	PERFORM elecbill._true_up_mark(b.account_id, min(lower(b.service)),
		CASE p_cause WHEN 'estimate' THEN 'estimate settled' ELSE 'reading corrected' END)
	FROM elecbill.meter_register AS g
	JOIN elecbill.meter_installation AS i ON i.meter_id = g.meter_id AND i.role = 'main'
	JOIN elecbill.bill_segment AS s ON s.installation_id = i.id
	JOIN elecbill.bill AS b ON b.id = s.bill_id
	-- drafts, too: what is approved is issued as it is
	WHERE g.id = p_register AND g.code = '1.8.0' AND b.live AND lower(s.during) <= p_to AND upper(s.during) >= p_from
	GROUP BY b.account_id;
	-- rolling sums that hold what changed, as of a reading that comes late
	PERFORM elecbill._limit_judge(l.id, p_from, p_to)
	FROM elecbill.meter_register AS g
	JOIN elecbill.meter_installation AS i ON i.meter_id = g.meter_id AND i.role = 'main' AND i.valid && tstzrange(p_from, p_to, '[]')
	JOIN elecbill.usage_limit AS l ON l.usage_point_id = i.usage_point_id
	WHERE g.id = p_register AND g.code = '1.8.0'
	GROUP BY l.id ORDER BY l.id;
	UPDATE elecbill.vee_exception AS e SET state = 'corrected', decided_by = elecbill.current_login(), decided_at = elecbill.now()
	WHERE e.register_id = p_register AND e.state = 'open' AND e.rule IN ('V01', 'V02', 'V05', 'V08', 'V09')
		AND e.during && tstzrange(p_from, p_to, CASE p_cause WHEN 'estimate' THEN '()' ELSE '[]' END)
		AND (p_cause <> 'estimate' OR e.rule = 'V09' AND NOT e.detail ? 'estimated_days');
END $$;
COMMENT ON FUNCTION elecbill._reading_changed(bigint, timestamptz, timestamptz, text) IS 'after values of a register changed (cause estimate or correction): its days are packed again, bills and drafts of them are corrected by the next one, usage limits are judged again, what rules found there is corrected';
