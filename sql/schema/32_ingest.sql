-- 32_ingest.sql: the collector's only door. One call, one transaction, every row accounted for.
--
-- Two steps: store what is good, in the order of the key; then, only when something is left over,
-- look at the rest. As one statement of chained CTEs the planner would guess a few rows and loop over
-- all of them for each. Arrays are unnested, never subscripted: a[i] walks over all before it.
--
-- Measured, 5,000 rows of 10,000 registers: rows that are plainly good pass by a short test, without a
-- reason as text (a tenth); joins by hash where a batch is not small beside the estate, which the planner
-- cannot know, for it guesses 200 different registers in any array (a quarter); a plain INSERT, and
-- ON CONFLICT only when a row was there already (an eighth).

CREATE FUNCTION elecbill._slot_at(read_at timestamptz, interval_s integer) RETURNS timestamptz
LANGUAGE sql STABLE PARALLEL SAFE
RETURN date_bin(make_interval(secs => interval_s), read_at + make_interval(secs => interval_s) / 2,
				timestamptz '2000-01-01 00:00:00+00');
COMMENT ON FUNCTION elecbill._slot_at(timestamptz, integer) IS 'an instant rounded to multiples of interval_s (UTC), half up; NULL without an interval';

CREATE FUNCTION elecbill._quality_names(quality integer) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN (
	SELECT string_agg(n.name, ' ' ORDER BY n.i)
	FROM unnest('{unchecked,late,clock_unsynced,meter_clock_off,went_backwards,jump,rollover_candidate,
				  foreign_address,truncated,restart,span,partial,estimated,substituted}'::text[]) WITH ORDINALITY n(name, i)
	WHERE quality & (1 << (n.i - 1)::integer) <> 0);
COMMENT ON FUNCTION elecbill._quality_names(integer) IS 'names of the flags of reading.quality; NULL = none';

CREATE FUNCTION elecbill._ingest_reason(kwh numeric, wrap_wh bigint, read_at timestamptz, interval_s integer,
	quality integer, horizon timestamptz, retained timestamptz) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
RETURN CASE
	WHEN kwh IS NULL THEN 'no value'
	WHEN kwh = 'NaN' THEN 'value is not a number'
	WHEN kwh IN ('Infinity', '-Infinity') THEN 'infinite value'
	WHEN kwh < 0 THEN 'negative value'
	WHEN kwh >= wrap_wh / 1000 THEN 'value beyond the register'
	WHEN kwh <> trunc(kwh, 3) THEN 'more than 3 decimals'
	WHEN read_at IS NULL THEN 'no instant'
	WHEN NOT isfinite(read_at) THEN 'infinite instant'
	WHEN read_at > horizon THEN 'instant in the future'
	WHEN read_at < retained + interval '12 hours'
		AND least(read_at, elecbill._slot_at(read_at, interval_s) - interval '1 microsecond') < retained
		THEN 'late beyond retention'
	WHEN quality < 0 THEN 'negative quality'
	END;
COMMENT ON FUNCTION elecbill._ingest_reason(numeric, bigint, timestamptz, integer, integer, timestamptz, timestamptz) IS 'why a value of a known register cannot be a reading, whatever the meter; NULL = it can';

CREATE FUNCTION elecbill._ingest_horizon() RETURNS timestamptz
LANGUAGE sql STABLE PARALLEL SAFE RETURN elecbill.now() + interval '10 min';
COMMENT ON FUNCTION elecbill._ingest_horizon() IS 'latest instant of a reading that ingest() takes';

CREATE FUNCTION elecbill._ingest_check(p_org integer, p_meters text[], p_registers text[],
	p_read_at timestamptz[], p_kwh numeric[], p_quality integer[], p_meter_at timestamptz[], p_frames bytea[])
RETURNS TABLE (i bigint, register_id bigint, wrap_wh bigint, register_wh bigint, slot_at timestamptz,
	reason text, meter text, register text, read_at timestamptz, kwh numeric, quality integer,
	meter_at timestamptz, frame bytea)
LANGUAGE plpgsql STABLE ROWS 200 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	horizon	timestamptz := elecbill._ingest_horizon();
	retained timestamptz := elecbill._retained_since();
BEGIN
	RETURN QUERY
	SELECT t.i, g.id, g.wrap_wh,
		   CASE WHEN c.reason IS NULL THEN (t.kwh * 1000)::bigint END,
		   CASE WHEN c.reason IS NULL THEN elecbill._slot_at(t.read_at, m.interval_s) END,
		   c.reason, t.meter, t.register, t.read_at, t.kwh,
		   coalesce(t.quality, 0) | CASE WHEN isfinite(t.meter_at) IS NOT FALSE THEN 0 ELSE 8 END,
		   CASE WHEN isfinite(t.meter_at) THEN t.meter_at END,
		   t.frame
	FROM unnest(p_meters, p_registers, p_read_at, p_kwh, p_quality, p_meter_at, p_frames)
		 WITH ORDINALITY t(meter, register, read_at, kwh, quality, meter_at, frame, i)
	LEFT JOIN elecbill.meter m ON m.serial = t.meter AND m.org_id = p_org
	LEFT JOIN elecbill.meter_register g ON g.meter_id = m.id AND g.code = t.register
	CROSS JOIN LATERAL (SELECT CASE
		WHEN t.register IS NULL THEN 'no register'
		WHEN m.id IS NULL THEN 'unknown meter'
		WHEN g.id IS NULL THEN 'unknown register'
		ELSE coalesce(
			elecbill._ingest_reason(t.kwh, g.wrap_wh, t.read_at, m.interval_s, t.quality, horizon, retained),
			CASE WHEN NOT EXISTS (SELECT FROM elecbill.meter_installation n
								  WHERE n.meter_id = m.id AND lower(n.valid) <= t.read_at
									AND (upper_inf(n.valid) OR upper(n.valid) >= t.read_at))
				 THEN 'meter not installed at this instant' END)
		END OFFSET 0) c(reason);	/* OFFSET: worked out once per row, not once per mention */
END $$;
COMMENT ON FUNCTION elecbill._ingest_check(integer, text[], text[], timestamptz[], numeric[], integer[], timestamptz[], bytea[]) IS 'the rows of a call of ingest(), with what they mean or the reason why they mean nothing';

CREATE FUNCTION elecbill._reading_before(p_register bigint, p_at timestamptz, p_after timestamptz, OUT at timestamptz,
	OUT wh bigint)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan AS $$
BEGIN
	-- nearly always it is near, in one or two months of reading
	SELECT r.read_at, r.register_wh INTO at, wh FROM elecbill._reading_all r
	WHERE r.register_id = p_register AND r.read_at < p_at AND r.read_at > coalesce(p_after, p_at - interval '2 days')
	ORDER BY r.read_at DESC LIMIT 1;
	IF NOT FOUND AND p_after IS NULL THEN
		SELECT r.read_at, r.register_wh INTO at, wh FROM elecbill._reading_all r
		WHERE r.register_id = p_register AND r.read_at < p_at ORDER BY r.read_at DESC LIMIT 1;
	END IF;
	-- it may have been corrected, or taken out, or one was moved here behind it; rarely
	IF EXISTS (SELECT FROM elecbill.reading_correction c
		WHERE c.register_id = p_register AND c.read_at >= coalesce(at, p_after + interval '1 microsecond', '-infinity')
			AND c.read_at < p_at AND upper_inf(c.known) AND c.edit_id IS NOT NULL)
	THEN
		SELECT m.at, m.wh INTO at, wh FROM elecbill._register_mark(p_register,
			coalesce(p_after + interval '1 microsecond', '-infinity'), p_at - interval '1 microsecond', false) AS m;
	END IF;
END $$;
COMMENT ON FUNCTION elecbill._reading_before(bigint, timestamptz, timestamptz) IS 'the last reading of a register before an instant, and after another where that is given, as it counts today (corrected ones; no estimates: a reading settles those): its instant and Wh; NULL = none';

CREATE FUNCTION elecbill._ingest_rows(p_org integer, p_meters text[], p_registers text[], p_read_at timestamptz[],
	p_kwh numeric[], p_quality integer[], p_meter_at timestamptz[], p_horizon timestamptz, p_retained timestamptz)
RETURNS TABLE (i bigint, register_id bigint, read_at timestamptz, register_wh bigint, slot_at timestamptz,
	meter_at timestamptz, quality integer)
LANGUAGE sql STABLE ROWS 200
BEGIN ATOMIC
	SELECT t.i, t.register_id, t.read_at, t.register_wh, t.slot_at, t.meter_at,
		   t.quality | CASE WHEN t.before_wh <= t.register_wh OR t.before_wh IS NULL OR t.quality & 512 <> 0 THEN 0
							WHEN t.before_wh > t.wrap_wh / 10 * 9 AND t.register_wh < t.wrap_wh / 10 THEN 64
							ELSE 16 END
	-- the value before this one, in the batch or in the table, as it counts; a late row has to look it up
	FROM (SELECT b.*, CASE
			WHEN n.before_at <= (SELECT max(c.read_at) FROM elecbill.reading_correction AS c
					WHERE c.edit_id IS NOT NULL AND upper_inf(c.known))
				AND EXISTS (SELECT FROM elecbill.reading_correction AS c
					WHERE c.register_id = b.register_id AND c.read_at >= n.before_at AND c.read_at < b.read_at
						AND c.edit_id IS NOT NULL AND upper_inf(c.known))
			THEN (elecbill._reading_before(b.register_id, b.read_at, NULL)).wh
			WHEN l.read_at IS NULL OR l.read_at < b.batch_at THEN b.batch_wh
			WHEN l.read_at < b.read_at THEN l.register_wh
			ELSE coalesce((elecbill._reading_before(b.register_id, b.read_at, b.batch_at)).wh, b.batch_wh)
			END AS before_wh
		  FROM (SELECT o.*, lag(o.read_at) OVER w AS batch_at, lag(o.register_wh) OVER w AS batch_wh
				FROM (SELECT DISTINCT ON (g.id, u.read_at) g.id AS register_id, u.read_at, u.i, g.wrap_wh,
							 (u.kwh * 1000)::bigint AS register_wh,
							 elecbill._slot_at(u.read_at, m.interval_s) AS slot_at,
							 CASE WHEN isfinite(u.meter_at) THEN u.meter_at END AS meter_at,
							 coalesce(u.quality, 0) | CASE WHEN isfinite(u.meter_at) IS NOT FALSE THEN 0 ELSE 8 END AS quality
					  FROM unnest(p_meters, p_registers, p_read_at, p_kwh, p_quality, p_meter_at)
						   WITH ORDINALITY AS u(meter, register, read_at, kwh, quality, meter_at, i)
					  JOIN elecbill.meter AS m ON m.serial = u.meter AND m.org_id = p_org
					  JOIN elecbill.meter_register AS g ON g.meter_id = m.id AND g.code = u.register
					  -- nearly all pass the first test, which says nothing that the second does not
					  WHERE CASE WHEN u.kwh >= 0 AND u.kwh < g.wrap_wh / 1000 AND scale(u.kwh) <= 3
								   AND isfinite(u.read_at) AND u.read_at <= p_horizon
								   AND u.read_at >= p_retained + interval '12 hours' AND u.quality >= 0
								 THEN true
								 ELSE elecbill._ingest_reason(u.kwh, g.wrap_wh, u.read_at, m.interval_s, u.quality,
															  p_horizon, p_retained) IS NULL END
						AND EXISTS (SELECT FROM elecbill.meter_installation AS n
									WHERE n.meter_id = m.id AND lower(n.valid) <= u.read_at
									  AND (upper_inf(n.valid) OR upper(n.valid) >= u.read_at))
					  ORDER BY g.id, u.read_at, u.i) AS o
				WINDOW w AS (PARTITION BY o.register_id ORDER BY o.read_at)) AS b
		  LEFT JOIN elecbill.reading_latest AS l ON l.register_id = b.register_id
		  -- the reading before this one, as it came; of a late row the one in the batch
		  CROSS JOIN LATERAL (SELECT CASE WHEN l.read_at >= b.read_at THEN b.batch_at
			ELSE coalesce(greatest(b.batch_at, l.read_at), '-infinity') END) AS n(before_at)
		  OFFSET 0) AS t
	ORDER BY t.register_id, t.read_at;
END;
COMMENT ON FUNCTION elecbill._ingest_rows(integer, text[], text[], timestamptz[], numeric[], integer[], timestamptz[], timestamptz, timestamptz) IS 'the good rows of a call of ingest() in the order of the key, the first of several for one instant, flagged went_backwards or rollover_candidate; the same that _ingest_check() has no reason against. Inlined by the planner';

CREATE FUNCTION elecbill._ingest_store(p_org integer, p_collector uuid, p_first_seq bigint, p_meters text[],
	p_registers text[], p_read_at timestamptz[], p_kwh numeric[], p_quality integer[], p_meter_at timestamptz[])
RETURNS integer
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan
SET enable_nestloop = on AS $$
DECLARE
	horizon	timestamptz := elecbill._ingest_horizon();
	retained timestamptz := elecbill._retained_since();
	n	integer;
BEGIN
	-- a scan of all registers costs less than looking up a twentieth of them one by one
	IF cardinality(p_meters) >= (SELECT c.reltuples / 20 FROM pg_class AS c
								 WHERE c.oid = 'elecbill.meter_register'::regclass)
	THEN
		PERFORM set_config('enable_nestloop', 'off', true);
	END IF;
	BEGIN
		INSERT INTO elecbill.reading (register_id, read_at, register_wh, slot_at, meter_at, received_at, seq,
									  collector_id, org_id, quality, source)
		SELECT r.register_id, r.read_at, r.register_wh, r.slot_at, r.meter_at, elecbill.now(),
			   p_first_seq + r.i - 1, p_collector, p_org, r.quality, 0
		FROM elecbill._ingest_rows(p_org, p_meters, p_registers, p_read_at, p_kwh, p_quality, p_meter_at,
								   horizon, retained) AS r;
		GET DIAGNOSTICS n = ROW_COUNT;
		RETURN n;
	EXCEPTION WHEN unique_violation THEN
		NULL;	/* some were there: sent again, or by another collector */
	END;
	INSERT INTO elecbill.reading (register_id, read_at, register_wh, slot_at, meter_at, received_at, seq,
								  collector_id, org_id, quality, source)
	SELECT r.register_id, r.read_at, r.register_wh, r.slot_at, r.meter_at, elecbill.now(),
		   p_first_seq + r.i - 1, p_collector, p_org, r.quality, 0
	FROM elecbill._ingest_rows(p_org, p_meters, p_registers, p_read_at, p_kwh, p_quality, p_meter_at,
							   horizon, retained) AS r
	ON CONFLICT (register_id, read_at) DO NOTHING;
	GET DIAGNOSTICS n = ROW_COUNT;
	RETURN n;
END $$;
COMMENT ON FUNCTION elecbill._ingest_store(integer, uuid, bigint, text[], text[], timestamptz[], numeric[], integer[], timestamptz[]) IS 'step 1 of ingest(): stores the good rows; returns how many were new';

CREATE FUNCTION elecbill._ingest_rest(p_org integer, p_collector uuid, p_first_seq bigint, p_meters text[],
	p_registers text[], p_read_at timestamptz[], p_kwh numeric[], p_quality integer[], p_meter_at timestamptz[],
	p_frames bytea[], OUT conflict integer, OUT rejected integer)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	missing	integer;
BEGIN
	WITH offer AS MATERIALIZED (
		SELECT c.*, p_first_seq + c.i - 1 AS seq, r.register_wh AS stored_wh, r.quality AS stored_quality,
			   r.collector_id = p_collector AND r.seq = p_first_seq + c.i - 1 AS ours
		FROM elecbill._ingest_check(p_org, p_meters, p_registers, p_read_at, p_kwh, p_quality, p_meter_at,
									p_frames) c
		LEFT JOIN elecbill.reading r ON c.reason IS NULL AND r.register_id = c.register_id AND r.read_at = c.read_at
	), conflicting AS (
		INSERT INTO elecbill.reading_conflict (org_id, register_id, read_at, stored_wh, offered_wh,
											   collector_id, seq, received_at)
		SELECT p_org, x.register_id, x.read_at, x.stored_wh, x.register_wh, p_collector, x.seq, elecbill.now()
		FROM offer x WHERE x.stored_wh <> x.register_wh
		ORDER BY x.register_id, x.read_at, x.i
		ON CONFLICT ON CONSTRAINT reading_conflict_offer_key DO NOTHING
	), looked_at AS (
		INSERT INTO elecbill.reading_inbox (org_id, collector_id, seq, received_at, state, reason, meter, register,
											read_at, kwh, quality, frame, content_sha256)
		SELECT p_org, p_collector, x.seq, elecbill.now(),
			   CASE WHEN x.reason IS NULL AND x.stored_wh = x.register_wh AND x.stored_quality = 0 THEN 'kept'
					WHEN x.reason IS NULL THEN 'flagged'
					WHEN x.register IS NULL AND x.frame IS NOT NULL THEN 'bad' ELSE 'rejected' END,
			   CASE WHEN x.register IS NULL AND x.frame IS NOT NULL THEN 'bad frame'
					WHEN x.reason IS NOT NULL THEN x.reason
					WHEN x.stored_wh <> x.register_wh THEN 'conflict'
					WHEN x.stored_quality = 0 THEN 'sent along'
					ELSE coalesce(elecbill._quality_names(x.stored_quality), 'flag ' || x.stored_quality) END,
			   x.meter, x.register, x.read_at, x.kwh,
			   CASE WHEN x.ours THEN x.stored_quality ELSE x.quality END, x.frame,
			   sha256(convert_to(jsonb_build_array(x.meter, x.register, extract(epoch FROM x.read_at)::text,
					  x.kwh::text, x.quality, extract(epoch FROM x.meter_at)::text,
					  encode(x.frame, 'hex'))::text, 'UTF8'))
		FROM offer x
		WHERE x.reason IS NOT NULL
		   OR x.frame IS NOT NULL AND (x.stored_wh <> x.register_wh OR x.ours)
		ORDER BY x.i
		ON CONFLICT ON CONSTRAINT reading_inbox_content_key DO NOTHING
	)
	SELECT count(*) FILTER (WHERE x.stored_wh <> x.register_wh), count(x.reason),
		   count(*) FILTER (WHERE x.reason IS NULL AND x.stored_wh IS NULL)
	INTO conflict, rejected, missing
	FROM offer x;
	-- the two steps must agree on what is good: no row may vanish between them
	IF missing > 0 THEN
		RAISE EXCEPTION 'ingest() lost % good rows of its batch', missing USING ERRCODE = 'XX000';
	END IF;
END $$;
COMMENT ON FUNCTION elecbill._ingest_rest(integer, uuid, bigint, text[], text[], timestamptz[], numeric[], integer[], timestamptz[], bytea[]) IS 'step 2 of ingest(): rows that were not stored go to reading_conflict and reading_inbox, frames of stored ones to reading_inbox; counts the first two kinds';

CREATE FUNCTION elecbill.ingest(p_collector uuid, p_first_seq bigint, p_meters text[], p_registers text[],
	p_read_at timestamptz[], p_kwh numeric[], p_quality integer[], p_meter_at timestamptz[],
	p_frames bytea[] DEFAULT NULL,
	OUT accepted integer, OUT duplicate integer, OUT conflict integer, OUT rejected integer)
RETURNS record
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	n		integer := cardinality(p_meters);
	owner	integer;
BEGIN
	IF p_first_seq IS NULL OR p_first_seq NOT BETWEEN 1 AND 9000000000000000000 THEN
		RAISE EXCEPTION 'first sequence number must be 1 or more' USING ERRCODE = 'UB400';
	END IF;
	IF (n = cardinality(p_registers) AND n = cardinality(p_read_at) AND n = cardinality(p_kwh)
		AND n = cardinality(p_quality) AND n = cardinality(p_meter_at)
		AND n = coalesce(cardinality(p_frames), n)) IS NOT TRUE
	THEN
		RAISE EXCEPTION 'arrays must have the same length'
			USING ERRCODE = 'UB400',
				  DETAIL = format('Lengths are %s.', array_to_string(ARRAY[n, cardinality(p_registers),
						cardinality(p_read_at), cardinality(p_kwh), cardinality(p_quality),
						cardinality(p_meter_at), cardinality(p_frames)], ', ', 'NULL')),
				  HINT = 'Elements may be NULL, but of the arrays only the last, the frames.';
	END IF;
	IF greatest(array_ndims(p_meters), array_ndims(p_registers), array_ndims(p_read_at), array_ndims(p_kwh),
				array_ndims(p_quality), array_ndims(p_meter_at), array_ndims(p_frames)) > 1
	THEN
		RAISE EXCEPTION 'arrays must have one dimension' USING ERRCODE = 'UB400';
	END IF;
	IF n > 100000 THEN
		RAISE EXCEPTION 'too many rows in one call'
			USING ERRCODE = 'UB400', DETAIL = format('%s rows, at most 100000.', n);
	END IF;

	UPDATE elecbill.collector c
	SET acked_seq = greatest(c.acked_seq, p_first_seq + n - 1),
		last_seen_at = greatest(c.last_seen_at, elecbill.now())
	WHERE c.id = p_collector
	RETURNING c.org_id INTO owner;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'unknown collector %', coalesce(p_collector::text, 'NULL')
			USING ERRCODE = 'UB404', HINT = 'collector_create() makes one; its id goes into the configuration of the daemon.';
	END IF;

	accepted := elecbill._ingest_store(owner, p_collector, p_first_seq, p_meters, p_registers, p_read_at, p_kwh,
									   p_quality, p_meter_at);
	conflict := 0;
	rejected := 0;
	IF accepted < n OR array_remove(p_frames, NULL) <> '{}' THEN
		SELECT r.* INTO conflict, rejected
		FROM elecbill._ingest_rest(owner, p_collector, p_first_seq, p_meters, p_registers, p_read_at, p_kwh,
								   p_quality, p_meter_at, p_frames) r;
	END IF;
	duplicate := n - accepted - conflict - rejected;
END $$;
COMMENT ON FUNCTION elecbill.ingest(uuid, bigint, text[], text[], timestamptz[], numeric[], integer[], timestamptz[], bytea[]) IS
'stores a batch of readings of a collector: meter serials, register codes (1.8.0), instants, cumulative kWh with at most 3 decimals, flags as in reading.quality (NULL = none), meter times, raw frames. Element i has the sequence number first_seq + i - 1; the whole batch is acknowledged in collector.acked_seq. A bad row never raises: it counts as rejected and stands in reading_inbox with the reason (a register NULL with a frame is a bad frame without value); the same value again is a duplicate; another value for a stored instant is a conflict and never overwrites. The four counts add up to the rows given. Every frame given is kept in reading_inbox. Limits: 100,000 rows; instants up to 10 minutes ahead, within an installation of the meter; not of months that were dropped. UB400 bad arrays, UB404 unknown collector';
