-- 67_settle.sql: the reading that comes behind an estimate settles it

CREATE FUNCTION elecbill._settle_move(p_rows elecbill.reading_correction[], p_wh bigint[], p_estimate bigint) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	PERFORM elecbill._correction_put(c.org_id, c.register_id, c.read_at, v.wh, c.slot_at, c.quality, NULL,
		coalesce(p_estimate, c.estimate_id), true)
	FROM unnest(p_rows) WITH ORDINALITY AS c
	JOIN unnest(p_wh) WITH ORDINALITY AS v(wh, n) ON v.n = c.ordinality
	WHERE v.wh <> c.register_wh OR p_estimate <> c.estimate_id;
END $$;
COMMENT ON FUNCTION elecbill._settle_move(elecbill.reading_correction[], bigint[], bigint) IS 'gives estimated values new ones, where they differ';

CREATE FUNCTION elecbill._settle_before(p_rows elecbill.reading_correction[], p_start_at timestamptz, p_start_wh bigint,
	p_next_at timestamptz, p_went bigint, p_wrap bigint) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	last	elecbill.reading_correction := p_rows[cardinality(p_rows)];
	guessed	bigint := (last.register_wh - p_start_wh + p_wrap) % p_wrap;
	-- where the last one is not the instant of the reading, it gets its part of the time
	most	numeric := floor(p_went * extract(epoch FROM last.read_at - p_start_at) / extract(epoch FROM p_next_at - p_start_at));
	-- a value before them that was corrected since may lie above them: they have no proportions then
	by_guess boolean := guessed BETWEEN 1 AND p_wrap / 10 AND NOT EXISTS (SELECT FROM unnest(p_rows) AS c
		WHERE (c.register_wh - p_start_wh + p_wrap) % p_wrap > guessed);
BEGIN
	PERFORM elecbill._settle_move(p_rows, ARRAY(
		SELECT elecbill._estimate_share(most, w.part, w.whole, p_wrap, p_start_wh)
		FROM unnest(p_rows) AS c
		CROSS JOIN LATERAL (SELECT CASE WHEN by_guess THEN ((c.register_wh - p_start_wh + p_wrap) % p_wrap)::numeric
				ELSE extract(epoch FROM c.read_at - p_start_at) END,
			CASE WHEN by_guess THEN guessed::numeric ELSE extract(epoch FROM last.read_at - p_start_at) END) AS w(part, whole)
		ORDER BY c.read_at), NULL);
END $$;
COMMENT ON FUNCTION elecbill._settle_before(elecbill.reading_correction[], timestamptz, bigint, timestamptz, bigint, bigint) IS 'estimated values before a reading meet it, in the same proportions; a reading some time behind the last of them is spread over that time first';

CREATE FUNCTION elecbill._settle_behind(p_rows elecbill.reading_correction[], p_last_at timestamptz, p_last_wh bigint,
	p_next_at timestamptz, p_next_wh bigint, p_wrap bigint) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	old		elecbill.reading_estimate := (SELECT e FROM elecbill.reading_estimate AS e WHERE e.id = (p_rows[1]).estimate_id);
	first	elecbill.reading_correction := p_rows[1];
	passed	numeric;
	new		elecbill.reading_estimate;
	moved	bigint[];
BEGIN
	-- what the estimate thought had gone through when the reading was taken
	passed := floor(((first.register_wh - p_last_wh + p_wrap) % p_wrap)
		* extract(epoch FROM p_next_at - p_last_at) / extract(epoch FROM first.read_at - p_last_at));
	moved := ARRAY(SELECT ((p_next_wh + (c.register_wh - p_last_wh + p_wrap) % p_wrap - passed) % p_wrap)::bigint
		FROM unnest(p_rows) AS c ORDER BY c.read_at);
	INSERT INTO elecbill.reading_estimate (org_id, register_id, during, energy_wh, method, reference)
	VALUES (old.org_id, old.register_id, tstzrange(p_next_at, upper(old.during)),
		(moved[(SELECT count(*) FROM unnest(p_rows) AS c WHERE c.estimate_id = old.id)] - p_next_wh + p_wrap) % p_wrap,
		old.method, old.reference || jsonb_build_object('estimate', old.id, 'from_wh', p_next_wh))
	RETURNING * INTO new;
	PERFORM elecbill._settle_move(ARRAY(SELECT c FROM unnest(p_rows) AS c WHERE c.estimate_id = old.id ORDER BY c.read_at),
		moved[1:(SELECT count(*) FROM unnest(p_rows) AS c WHERE c.estimate_id = old.id)], new.id);
	PERFORM elecbill._settle_move(ARRAY(SELECT c FROM unnest(p_rows) AS c WHERE c.estimate_id <> old.id ORDER BY c.read_at),
		moved[1 + (SELECT count(*) FROM unnest(p_rows) AS c WHERE c.estimate_id = old.id):], NULL);
END $$;
COMMENT ON FUNCTION elecbill._settle_behind(elecbill.reading_correction[], timestamptz, bigint, timestamptz, bigint, bigint) IS 'estimated values behind a reading that came into the middle of them: they go on from it, as a new estimate';

CREATE FUNCTION elecbill._estimate_settle_once(p_register elecbill.meter_register) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	first	elecbill.reading_estimate;
	start	record;
	next	record;
	before	elecbill.reading_correction[];
	behind	elecbill.reading_correction[];
	last	elecbill.reading_correction;
	went	bigint;
BEGIN
	SELECT e.* INTO first FROM elecbill.reading_estimate AS e
	WHERE e.register_id = p_register.id AND e.state = 'open' ORDER BY e.during LIMIT 1;
	IF NOT FOUND THEN
		RETURN false;
	END IF;
	start := elecbill._boundary_last(p_register.id, lower(first.during) - interval '13 hours', lower(first.during));
	next := elecbill._boundary_next(p_register.id, lower(first.during), 'infinity');
	went := elecbill.register_delta(start.wh, next.wh, p_register.wrap_wh, p_register.wrap_wh / 10);
	IF went IS NULL THEN
		RETURN false;	/* nothing came, or it ran backwards: somebody has to look first */
	END IF;
	SELECT array_agg(c ORDER BY c.read_at) FILTER (WHERE c.read_at <= next.at),
		array_agg(c ORDER BY c.read_at) FILTER (WHERE c.read_at > next.at)
	INTO before, behind
	FROM elecbill.reading_correction AS c JOIN elecbill.reading_estimate AS e ON e.id = c.estimate_id
	WHERE c.register_id = p_register.id AND upper_inf(c.known) AND e.state = 'open';
	last := before[cardinality(before)];
	UPDATE elecbill.reading_estimate AS e SET state = 'trued_up', trued_up_at = elecbill.now(), actual_wh = went
	WHERE e.register_id = p_register.id AND e.state = 'open' AND lower(e.during) < next.at;
	IF behind IS NOT NULL THEN
		PERFORM elecbill._settle_behind(behind, coalesce(last.read_at, start.at), coalesce(last.register_wh, start.wh), next.at,
			next.wh, p_register.wrap_wh);
	END IF;
	IF before IS NOT NULL THEN
		PERFORM elecbill._settle_before(before, start.at, start.wh, next.at, went, p_register.wrap_wh);
		-- the reading itself stands for its instant
		IF last.read_at = next.at THEN
			PERFORM elecbill._correction_end(p_register.id, last.read_at);
		END IF;
	END IF;
	PERFORM elecbill._reading_changed(p_register.id, start.at, greatest(next.at, upper(first.during)), 'estimate');
	RETURN true;
END $$;
COMMENT ON FUNCTION elecbill._estimate_settle_once(elecbill.meter_register) IS 'settles the oldest open estimates of a register by the first reading behind their beginning; false: there is none';

CREATE FUNCTION elecbill._estimate_settle(p_register bigint) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	register elecbill.meter_register := (SELECT g FROM elecbill.meter_register AS g WHERE g.id = p_register);
BEGIN
	PERFORM elecbill._register_lock(p_register);
	WHILE elecbill._estimate_settle_once(register) LOOP
		NULL;
	END LOOP;
END $$;
COMMENT ON FUNCTION elecbill._estimate_settle(bigint) IS 'settles the estimates of a register behind which readings came';

CREATE FUNCTION elecbill._settle_tail(p_rows elecbill.reading_correction[], p_start_at timestamptz, p_start_wh bigint,
	p_wrap bigint) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	last	elecbill.reading_correction := p_rows[cardinality(p_rows)];
	at_		timestamptz := p_start_at;
	wh_		bigint := p_start_wh;
	part	record;
BEGIN
	PERFORM elecbill._settle_before(p_rows, p_start_at, p_start_wh, last.read_at,
		coalesce(elecbill.register_delta(p_start_wh, last.register_wh, p_wrap, p_wrap / 10), 0), p_wrap);
	FOR part IN
		SELECT r.estimate_id, max(r.read_at) AS at,
			(SELECT c.register_wh FROM elecbill.reading_correction AS c
				WHERE c.register_id = last.register_id AND c.read_at = max(r.read_at) AND upper_inf(c.known)) AS wh
		FROM unnest(p_rows) AS r GROUP BY r.estimate_id ORDER BY 2
	LOOP
		UPDATE elecbill.reading_estimate AS e SET state = 'open', trued_up_at = NULL, actual_wh = NULL,
			during = tstzrange(at_, part.at), energy_wh = (part.wh - wh_ + p_wrap) % p_wrap,
			reference = e.reference || jsonb_build_object('from_wh', wh_)
		WHERE e.id = part.estimate_id;
		at_ := part.at;
		wh_ := part.wh;
	END LOOP;
END $$;
COMMENT ON FUNCTION elecbill._settle_tail(elecbill.reading_correction[], timestamptz, bigint, bigint) IS 'estimated values behind which no reading counts any more are a guess again: the next reading settles them';

CREATE FUNCTION elecbill._estimate_meet(p_register bigint, p_from timestamptz, p_to timestamptz) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	wrap	bigint := (SELECT g.wrap_wh FROM elecbill.meter_register AS g WHERE g.id = p_register);
	passed	timestamptz;
	until	timestamptz;
	start	record;
	next	record;
	went	bigint;
	rows	elecbill.reading_correction[];
BEGIN
	PERFORM elecbill._estimate_settle(p_register);
	IF NOT EXISTS (SELECT FROM elecbill.reading_correction AS c
		WHERE c.register_id = p_register AND upper_inf(c.known) AND c.estimate_id IS NOT NULL) OR p_from IS NULL
	THEN
		RETURN;
	END IF;
	passed := coalesce((elecbill._register_mark(p_register, '-infinity', p_from - interval '1 microsecond', false)).at, '-infinity');
	until := coalesce((elecbill._boundary_next(p_register, p_to, 'infinity')).at, 'infinity');
	-- from one reading to the next as long as values are estimated between
	LOOP
		SELECT b.at, b.wh INTO start
		FROM (SELECT min(c.read_at) AS at FROM elecbill.reading_correction AS c WHERE c.register_id = p_register
			AND upper_inf(c.known) AND c.estimate_id IS NOT NULL AND c.read_at > passed AND c.read_at < until) AS x,
			elecbill._boundary_last(p_register, '-infinity', x.at - interval '1 microsecond') AS b;
		EXIT WHEN start.at IS NULL;
		SELECT n.at, n.wh INTO next FROM elecbill._boundary_next(p_register, start.at, 'infinity') AS n;
		rows := ARRAY(SELECT c FROM elecbill.reading_correction AS c WHERE c.register_id = p_register AND upper_inf(c.known)
			AND c.estimate_id IS NOT NULL AND c.read_at > start.at AND c.read_at < coalesce(next.at, 'infinity') ORDER BY c.read_at);
		IF next.at IS NULL THEN
			PERFORM elecbill._settle_tail(rows, start.at, start.wh, wrap);
		ELSE
			went := elecbill.register_delta(start.wh, next.wh, wrap, wrap / 10);
			IF went IS NOT NULL THEN
				PERFORM elecbill._settle_before(rows, start.at, start.wh, next.at, went, wrap);
			END IF;
		END IF;
		PERFORM elecbill._reading_changed(p_register, start.at, coalesce(next.at, rows[cardinality(rows)].read_at), 'estimate');
		passed := next.at;
		EXIT WHEN passed IS NULL;
	END LOOP;
	-- those that began with an estimated value above the reading could not be settled before that moved
	PERFORM elecbill._estimate_settle(p_register);
END $$;
COMMENT ON FUNCTION elecbill._estimate_meet(bigint, timestamptz, timestamptz) IS 'settles the estimates of a register; where readings from .. to came late, or count otherwise since, also those that were settled by them, or began with them: estimated values lie between the readings that count. from NULL: nothing but the first';

CREATE FUNCTION elecbill._estimate_reopen(p_register bigint, p_at timestamptz) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF NOT EXISTS (SELECT FROM elecbill.reading_correction AS c
		WHERE c.register_id = p_register AND c.read_at = p_at AND c.estimate_id IS NOT NULL)
	THEN
		RETURN;
	END IF;
	-- up to where its values count: what is behind a reading that came into the middle is another estimate
	UPDATE elecbill.reading_estimate AS e SET state = 'open', trued_up_at = NULL, actual_wh = NULL,
		during = tstzrange(lower(e.during), least(upper(e.during), (SELECT min(lower(x.during)) FROM elecbill.reading_estimate AS x
			WHERE x.register_id = e.register_id AND x.reference ->> 'estimate' = e.id::text))),
		energy_wh = (SELECT (l.register_wh - (e.reference ->> 'from_wh')::bigint + g.wrap_wh) % g.wrap_wh
			FROM elecbill.reading_correction AS l JOIN elecbill.meter_register AS g ON g.id = l.register_id
			WHERE l.estimate_id = e.id AND upper_inf(l.known) ORDER BY l.read_at DESC LIMIT 1)
	FROM elecbill.reading_correction AS c
	WHERE c.register_id = p_register AND c.read_at = p_at AND upper_inf(c.known) AND e.id = c.estimate_id AND e.state = 'trued_up';
END $$;
COMMENT ON FUNCTION elecbill._estimate_reopen(bigint, timestamptz) IS 'a reading came late for an instant whose value was estimated: that estimate is to be settled once more, by this one';

CREATE FUNCTION elecbill._segment_moved(p_segment bigint) RETURNS boolean
LANGUAGE plpgsql STABLE COST 10000 SET search_path = pg_catalog, pg_temp SET jit = off AS $$
DECLARE
	was		record;
	first	bigint;
	last	bigint;
BEGIN
	SELECT s.*, round(g.wrap_wh * s.multiplier)::bigint AS wrap_wh INTO was
	FROM elecbill.bill_segment AS s JOIN elecbill.meter_register AS g ON g.id = s.register_id WHERE s.id = p_segment;
	first := (SELECT b.primary_wh FROM elecbill._boundary_readings(was.register_id, was.multiplier, lower(was.during), lower(was.during)) AS b);
	last := (SELECT b.primary_wh FROM elecbill._boundary_readings(was.register_id, was.multiplier, upper(was.during), upper(was.during)) AS b);
	RETURN (last - first + was.wrap_wh) % was.wrap_wh IS DISTINCT FROM
		(round(was.end_wh * was.multiplier)::bigint - round(was.start_wh * was.multiplier)::bigint + was.wrap_wh) % was.wrap_wh;
END $$;
COMMENT ON FUNCTION elecbill._segment_moved(bigint) IS 'whether the values that count today at both ends of a billed range give another energy than those it was billed by';

CREATE FUNCTION elecbill._fsck_estimate(p_org integer, p_since date) RETURNS TABLE (invariant text, object text, detail text)
LANGUAGE sql STABLE SET jit = off
BEGIN ATOMIC
	SELECT 'I07', format('register %s', x.register_id),
		format('bill %s ends at %s Wh, bill %s begins at %s Wh, and no bill has the difference', x.bill_id, x.end_wh, x.next_id, x.next_wh)
	FROM (
		SELECT s.id, lead(s.id) OVER w AS next_segment, s.register_id, s.bill_id, s.end_wh, b.account_id, b.service, upper(s.during) AS until,
			lead(s.bill_id) OVER w AS next_id, lead(s.start_wh) OVER w AS next_wh, lead(lower(s.during)) OVER w AS next_at
		FROM elecbill.bill_segment AS s JOIN elecbill.bill AS b ON b.id = s.bill_id AND b.live AND b.number IS NOT NULL
		WHERE (p_org IS NULL OR b.org_id = p_org)
		WINDOW w AS (PARTITION BY s.register_id ORDER BY s.during)) AS x
	WHERE x.next_at = x.until AND x.next_wh <> x.end_wh AND (p_since IS NULL OR upper(x.service) > p_since)
		AND NOT EXISTS (SELECT FROM elecbill.bill_true_up AS t JOIN elecbill.bill AS c ON c.id = t.bill_id AND c.live
			WHERE t.corrected_id IN (x.bill_id, x.next_id))
		AND NOT EXISTS (SELECT FROM elecbill.true_up_queue AS q
			WHERE q.account_id = x.account_id AND q.bill_id IS NULL AND q.since < upper(x.service))
		-- where both ends of a bill moved alike it has nothing to correct
		AND (elecbill._segment_moved(x.id) OR elecbill._segment_moved(x.next_segment))
UNION ALL
	SELECT 'reading_correction', format('register %s at %s', c.register_id, c.read_at),
		format('%s Wh, but the register rolls over at %s Wh', c.register_wh, g.wrap_wh)
	FROM elecbill.reading_correction AS c JOIN elecbill.meter_register AS g ON g.id = c.register_id
	WHERE c.register_wh >= g.wrap_wh AND (p_org IS NULL OR c.org_id = p_org)
UNION ALL
	SELECT 'reading_correction', format('register %s at %s', c.register_id, c.read_at), 'counts, but was not approved'
	FROM elecbill.reading_correction AS c JOIN elecbill.reading_edit AS e ON e.id = c.edit_id
	WHERE upper_inf(c.known) AND e.state <> 'approved' AND (p_org IS NULL OR c.org_id = p_org)
UNION ALL
	SELECT 'reading_estimate', format('estimate %s', e.id), format('%s Wh, but the values that count give %s Wh', e.energy_wh, v.wh)
	FROM elecbill.reading_estimate AS e
	JOIN elecbill.meter_register AS g ON g.id = e.register_id
	CROSS JOIN LATERAL (SELECT (l.register_wh - (e.reference ->> 'from_wh')::bigint + g.wrap_wh) % g.wrap_wh
		FROM elecbill.reading_correction AS l
		WHERE l.estimate_id = e.id AND upper_inf(l.known) ORDER BY l.read_at DESC LIMIT 1) AS v(wh)
	WHERE e.state = 'open' AND v.wh <> e.energy_wh AND (p_org IS NULL OR e.org_id = p_org);
END;
COMMENT ON FUNCTION elecbill._fsck_estimate(integer, date) IS 'broken invariants of corrected and estimated readings: I07 where a bill ends and the next one begins, values that count without approval or beyond their register, open estimates that say another energy than their values';
