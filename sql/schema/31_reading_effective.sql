-- 31_reading_effective.sql: what a register said, as it counts today: readings, corrections and estimates
--
-- A reading is never changed. What stands in its place is a row of reading_correction: another value, no
-- value at all, or a value where there was no reading (moved from another meter, or estimated). One row of a
-- register and instant counts at a time; the others say what was taken for true before, and when.
-- Bills, profiles and usage read reading_effective; what asks what came in reads reading.

CREATE TABLE elecbill.reading_edit (
	id			bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT reading_edit_pkey PRIMARY KEY,
	org_id		integer NOT NULL CONSTRAINT reading_edit_org_fkey REFERENCES elecbill.org,
	kind		text NOT NULL CONSTRAINT reading_edit_kind_check CHECK (kind IN ('correct', 'void', 'move')),
	idem_key	text NOT NULL CONSTRAINT reading_edit_idem_key_check CHECK (idem_key ~ '^\S{1,128}$'),
	content_sha256 bytea NOT NULL CONSTRAINT reading_edit_content_check CHECK (octet_length(content_sha256) = 32),
	reason		text NOT NULL CONSTRAINT reading_edit_reason_check CHECK (reason ~ '\S'),
	state		text NOT NULL CONSTRAINT reading_edit_state_check CHECK (state IN ('pending', 'approved', 'refused')),
	created_by	text NOT NULL DEFAULT elecbill.current_login(),
	created_at	timestamptz NOT NULL DEFAULT elecbill.now(),
	second		boolean NOT NULL,
	decided_by	text,
	decided_at	timestamptz,
	CONSTRAINT reading_edit_org_id_key UNIQUE (org_id, id),
	CONSTRAINT reading_edit_org_idem_key UNIQUE (org_id, idem_key),
	CONSTRAINT reading_edit_decided_check CHECK ((decided_at IS NULL) = (state = 'pending' OR NOT second)
		AND (decided_at IS NULL) = (decided_by IS NULL) AND (second OR state = 'approved')),
	CONSTRAINT reading_edit_second_check CHECK (state <> 'approved' OR NOT second OR decided_by <> created_by)
);
COMMENT ON TABLE elecbill.reading_edit IS 'what people changed in readings, and why; the values are in reading_correction';
COMMENT ON COLUMN elecbill.reading_edit.id IS 'internal key';
COMMENT ON COLUMN elecbill.reading_edit.org_id IS 'owner';
COMMENT ON COLUMN elecbill.reading_edit.kind IS 'correct (another value), void (it does not count), move (it is that of another meter)';
COMMENT ON COLUMN elecbill.reading_edit.idem_key IS 'key of the call: it works once';
COMMENT ON COLUMN elecbill.reading_edit.content_sha256 IS 'SHA-256 of its arguments; the key with others is UB409';
COMMENT ON COLUMN elecbill.reading_edit.reason IS 'why, for people';
COMMENT ON COLUMN elecbill.reading_edit.state IS 'pending (waits for a second person), approved (it counts), refused';
COMMENT ON COLUMN elecbill.reading_edit.created_by IS 'who asked for it';
COMMENT ON COLUMN elecbill.reading_edit.created_at IS 'when';
COMMENT ON COLUMN elecbill.reading_edit.second IS 'it takes a second person, by rule E02';
COMMENT ON COLUMN elecbill.reading_edit.decided_by IS 'the second person, another than the first; NULL: none was asked yet, or none is needed';
COMMENT ON COLUMN elecbill.reading_edit.decided_at IS 'when';

CREATE TABLE elecbill.reading_estimate (
	id			bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT reading_estimate_pkey PRIMARY KEY,
	org_id		integer NOT NULL CONSTRAINT reading_estimate_org_fkey REFERENCES elecbill.org,
	register_id	bigint NOT NULL CONSTRAINT reading_estimate_register_fkey REFERENCES elecbill.meter_register,
	during		tstzrange NOT NULL CONSTRAINT reading_estimate_during_check
				CHECK (NOT isempty(during) AND NOT lower_inf(during) AND NOT upper_inf(during)),
	energy_wh	bigint NOT NULL CONSTRAINT reading_estimate_energy_wh_check CHECK (energy_wh >= 0),
	method		text NOT NULL CONSTRAINT reading_estimate_method_check
				CHECK (method IN ('linear', 'like_day', 'last_year', 'mean', 'peer', 'zero')),
	reference	jsonb NOT NULL CONSTRAINT reading_estimate_reference_check CHECK (jsonb_typeof(reference) = 'object'),
	state		text NOT NULL DEFAULT 'open' CONSTRAINT reading_estimate_state_check
				CHECK (state IN ('open', 'trued_up', 'withdrawn')),
	created_by	text NOT NULL DEFAULT elecbill.current_login(),
	created_at	timestamptz NOT NULL DEFAULT elecbill.now(),
	trued_up_at	timestamptz,
	actual_wh	bigint CONSTRAINT reading_estimate_actual_wh_check CHECK (actual_wh >= 0),
	CONSTRAINT reading_estimate_org_id_key UNIQUE (org_id, id),
	CONSTRAINT reading_estimate_trued_up_check CHECK ((state = 'trued_up') = (trued_up_at IS NOT NULL)),
	CONSTRAINT reading_estimate_overlap EXCLUDE USING gist (
		int8range(register_id, register_id, '[]') WITH &&, during WITH &&) WHERE (state = 'open')
);
CREATE INDEX reading_estimate_register_idx ON elecbill.reading_estimate (register_id);
CREATE INDEX reading_estimate_open_idx ON elecbill.reading_estimate (org_id) WHERE state = 'open';
COMMENT ON TABLE elecbill.reading_estimate IS 'energy that was estimated where readings are missing; the values of the register it stands for are in reading_correction';
COMMENT ON COLUMN elecbill.reading_estimate.id IS 'internal key';
COMMENT ON COLUMN elecbill.reading_estimate.org_id IS 'owner';
COMMENT ON COLUMN elecbill.reading_estimate.register_id IS 'the register';
COMMENT ON COLUMN elecbill.reading_estimate.during IS 'from the last known value to the last estimated one, or to the known one behind the gap';
COMMENT ON COLUMN elecbill.reading_estimate.energy_wh IS 'Wh of the register in it, before any multiplier';
COMMENT ON COLUMN elecbill.reading_estimate.method IS 'linear (in time), like_day (the profile of like days), both between known ends; without a known end last_year (the same days of the last year, times growth), mean (of the cycles before), peer (the median of points of the kind), zero (nobody knows anything)';
COMMENT ON COLUMN elecbill.reading_estimate.reference IS 'what it rests on: days, energy, growth, number of points';
COMMENT ON COLUMN elecbill.reading_estimate.state IS 'open; trued_up: a reading behind it came, or both ends were known; withdrawn: readings came, it counts no more';
COMMENT ON COLUMN elecbill.reading_estimate.created_by IS 'who asked for it';
COMMENT ON COLUMN elecbill.reading_estimate.created_at IS 'when';
COMMENT ON COLUMN elecbill.reading_estimate.trued_up_at IS 'when the reading behind it came';
COMMENT ON COLUMN elecbill.reading_estimate.actual_wh IS 'Wh of the register from its beginning to that reading';
COMMENT ON INDEX elecbill.reading_estimate_register_idx IS 'estimates of a register';
COMMENT ON INDEX elecbill.reading_estimate_open_idx IS 'estimates that wait for a reading';

CREATE TABLE elecbill.reading_correction (
	register_id	bigint NOT NULL CONSTRAINT reading_correction_register_fkey REFERENCES elecbill.meter_register,
	read_at		timestamptz NOT NULL CONSTRAINT reading_correction_read_at_check CHECK (isfinite(read_at)),
	version		integer NOT NULL CONSTRAINT reading_correction_version_check CHECK (version > 0),
	org_id		integer NOT NULL CONSTRAINT reading_correction_org_fkey REFERENCES elecbill.org,
	edit_id		bigint,
	estimate_id	bigint,
	register_wh	bigint CONSTRAINT reading_correction_register_wh_check CHECK (register_wh >= 0),
	slot_at		timestamptz,
	quality		integer NOT NULL CONSTRAINT reading_correction_quality_check CHECK (quality >= 0),
	known		tstzrange CONSTRAINT reading_correction_known_check CHECK (NOT isempty(known) AND NOT lower_inf(known)),
	CONSTRAINT reading_correction_pkey PRIMARY KEY (register_id, read_at, version),
	CONSTRAINT reading_correction_edit_fkey FOREIGN KEY (org_id, edit_id) REFERENCES elecbill.reading_edit (org_id, id),
	CONSTRAINT reading_correction_estimate_fkey FOREIGN KEY (org_id, estimate_id)
		REFERENCES elecbill.reading_estimate (org_id, id),
	CONSTRAINT reading_correction_origin_check CHECK (num_nonnulls(edit_id, estimate_id) = 1),
	CONSTRAINT reading_correction_void_check CHECK (register_wh IS NOT NULL OR edit_id IS NOT NULL)
);
CREATE UNIQUE INDEX reading_correction_now_key ON elecbill.reading_correction (register_id, read_at) WHERE upper_inf(known);
CREATE INDEX reading_correction_edit_idx ON elecbill.reading_correction (edit_id) WHERE edit_id IS NOT NULL;
CREATE INDEX reading_correction_estimate_idx ON elecbill.reading_correction (estimate_id) WHERE estimate_id IS NOT NULL;
CREATE INDEX reading_correction_newest_idx ON elecbill.reading_correction (read_at) WHERE edit_id IS NOT NULL AND upper_inf(known);
CREATE INDEX reading_correction_known_idx ON elecbill.reading_correction (lower(known));
COMMENT ON TABLE elecbill.reading_correction IS 'what counts in the place of a reading, or where there is none. The newest approved version counts; earlier ones stay, with the time they counted for';
COMMENT ON COLUMN elecbill.reading_correction.register_id IS 'the register';
COMMENT ON COLUMN elecbill.reading_correction.read_at IS 'instant of the reading';
COMMENT ON COLUMN elecbill.reading_correction.version IS 'number of the correction of this reading, from 1';
COMMENT ON COLUMN elecbill.reading_correction.org_id IS 'owner';
COMMENT ON COLUMN elecbill.reading_correction.edit_id IS 'who changed it and why; NULL: it is estimated';
COMMENT ON COLUMN elecbill.reading_correction.estimate_id IS 'how it was estimated; NULL: people changed it';
COMMENT ON COLUMN elecbill.reading_correction.register_wh IS 'the register, in Wh, before any multiplier; NULL: the reading does not count';
COMMENT ON COLUMN elecbill.reading_correction.slot_at IS 'the slot it stands for, as in reading';
COMMENT ON COLUMN elecbill.reading_correction.quality IS 'flags as in reading.quality: 4096 estimated, 8192 substituted';
COMMENT ON COLUMN elecbill.reading_correction.known IS 'since when, and until when, it counts; NULL: it was not approved';
COMMENT ON INDEX elecbill.reading_correction_now_key IS 'one value of a register and instant counts';
COMMENT ON INDEX elecbill.reading_correction_edit_idx IS 'values of an edit';
COMMENT ON INDEX elecbill.reading_correction_estimate_idx IS 'values of an estimate';
COMMENT ON INDEX elecbill.reading_correction_newest_idx IS 'the newest reading that people changed: behind it nobody looks for any';
COMMENT ON INDEX elecbill.reading_correction_known_idx IS 'since when the latest correction counts';

CREATE FUNCTION elecbill._correction_keep() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	-- a value begins to count when it is approved, and ends when another one takes its place
	IF TG_OP = 'UPDATE' AND to_jsonb(NEW) - 'known' = to_jsonb(OLD) - 'known'
		AND (OLD.known IS NULL OR upper_inf(OLD.known) AND lower(NEW.known) = lower(OLD.known))
	THEN
		RETURN NEW;
	ELSIF TG_OP = 'DELETE' THEN
		IF elecbill._org_emptying(OLD.org_id) THEN
			RETURN OLD;
		END IF;
	END IF;
	RAISE EXCEPTION 'corrections of readings are kept as they were made'
		USING ERRCODE = 'UB403', DETAIL = format('%s would change the history of a reading.', TG_OP),
			  HINT = 'Correct the reading once more.';
END $$;
COMMENT ON FUNCTION elecbill._correction_keep() IS 'trigger of reading_correction: only known moves: it begins once, and ends once (UB403)';
CREATE TRIGGER reading_correction_keep BEFORE UPDATE OR DELETE ON elecbill.reading_correction
	FOR EACH ROW EXECUTE FUNCTION elecbill._correction_keep();
CREATE TRIGGER reading_correction_keep_all BEFORE TRUNCATE ON elecbill.reading_correction
	FOR EACH STATEMENT EXECUTE FUNCTION elecbill._correction_keep();
COMMENT ON TRIGGER reading_correction_keep ON elecbill.reading_correction IS 'history stays';
COMMENT ON TRIGGER reading_correction_keep_all ON elecbill.reading_correction IS 'no TRUNCATE';

-- The parts of the union have no conditions of their own: so the planner looks up a register in each of them by its
-- key, in joins too. As long as nothing was ever corrected, readings are not looked up in reading_correction.
CREATE VIEW elecbill.reading_effective WITH (security_invoker = true) AS
SELECT x.register_id, x.read_at, x.register_wh, x.slot_at, x.meter_at, x.received_at, x.seq, x.collector_id, x.org_id,
	x.quality, x.source
FROM (
	SELECT r.register_id, r.read_at, r.register_wh, r.slot_at, r.meter_at, r.received_at, r.seq, r.collector_id, r.org_id,
		r.quality, r.source, NULL::tstzrange AS known
	FROM elecbill.reading AS r
UNION ALL
	SELECT k.register_id, k.read_at, k.register_wh, k.slot_at, k.meter_at, k.received_at, k.seq, k.collector_id, k.org_id,
		k.quality, k.source, NULL
	FROM elecbill.reading_kept AS k
UNION ALL
	SELECT c.register_id, c.read_at, c.register_wh, c.slot_at, NULL, lower(c.known), NULL, NULL, c.org_id, c.quality,
		CASE WHEN c.estimate_id IS NULL THEN 5 ELSE 6 END::smallint, coalesce(c.known, 'empty')
	FROM elecbill.reading_correction AS c) AS x
WHERE CASE WHEN x.known IS NULL THEN
		NOT (SELECT EXISTS (SELECT FROM elecbill.reading_correction))
		OR NOT EXISTS (SELECT FROM elecbill.reading_correction AS c
			WHERE c.register_id = x.register_id AND c.read_at = x.read_at AND upper_inf(c.known))
	ELSE upper_inf(x.known) AND x.register_wh IS NOT NULL END;
COMMENT ON VIEW elecbill.reading_effective IS 'the values of registers that count: readings as they came, corrected, or estimated; what does not count is left out. Bills, profiles and usage are made of these';
COMMENT ON COLUMN elecbill.reading_effective.register_id IS 'as in reading';
COMMENT ON COLUMN elecbill.reading_effective.read_at IS 'as in reading';
COMMENT ON COLUMN elecbill.reading_effective.register_wh IS 'the register, in Wh, before any multiplier';
COMMENT ON COLUMN elecbill.reading_effective.slot_at IS 'as in reading';
COMMENT ON COLUMN elecbill.reading_effective.meter_at IS 'as in reading; NULL for corrections and estimates';
COMMENT ON COLUMN elecbill.reading_effective.received_at IS 'since when it counts';
COMMENT ON COLUMN elecbill.reading_effective.seq IS 'as in reading; NULL for corrections and estimates';
COMMENT ON COLUMN elecbill.reading_effective.collector_id IS 'as in reading; NULL for corrections and estimates';
COMMENT ON COLUMN elecbill.reading_effective.org_id IS 'owner';
COMMENT ON COLUMN elecbill.reading_effective.quality IS 'flags as in reading.quality; corrected values are flagged 8192 (substituted), estimated ones 4096';
COMMENT ON COLUMN elecbill.reading_effective.source IS 'as in reading; 5 corrected, 6 estimated';

CREATE VIEW elecbill._reading_known WITH (security_invoker = true) AS
SELECT r.register_id, r.read_at, r.register_wh, r.slot_at, r.quality,
	tstzrange(r.received_at, (SELECT min(greatest(lower(c.known), r.received_at)) FROM elecbill.reading_correction AS c
		WHERE c.register_id = r.register_id AND c.read_at = r.read_at AND c.edit_id IS NOT NULL))
	-- not yet as long as an estimate that was there before it stood for it: who settles waits for who bills
	- tstzrange(NULL, coalesce((SELECT max(upper(c.known)) FROM elecbill.reading_correction AS c
		WHERE c.register_id = r.register_id AND c.read_at = r.read_at AND c.estimate_id IS NOT NULL
			AND lower(c.known) <= r.received_at AND NOT upper_inf(c.known)), '-infinity')) AS known
FROM elecbill._reading_all AS r
UNION ALL
SELECT c.register_id, c.read_at, c.register_wh, c.slot_at, c.quality, c.known
FROM elecbill.reading_correction AS c
WHERE c.known IS NOT NULL AND c.register_wh IS NOT NULL;
COMMENT ON VIEW elecbill._reading_known IS 'all values that ever counted for a register and instant, and when; for what asks what a bill saw';
COMMENT ON COLUMN elecbill._reading_known.register_id IS 'as in reading';
COMMENT ON COLUMN elecbill._reading_known.read_at IS 'as in reading';
COMMENT ON COLUMN elecbill._reading_known.register_wh IS 'as in reading_effective';
COMMENT ON COLUMN elecbill._reading_known.slot_at IS 'as in reading';
COMMENT ON COLUMN elecbill._reading_known.quality IS 'as in reading_effective';
COMMENT ON COLUMN elecbill._reading_known.known IS 'when it counted';

CREATE FUNCTION elecbill._register_mark(p_register bigint, p_from timestamptz, p_at timestamptz,
	p_estimated boolean DEFAULT true, OUT at timestamptz, OUT wh bigint)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	SELECT x.read_at, x.register_wh INTO at, wh
	FROM ((SELECT r.read_at, r.register_wh FROM elecbill._reading_all AS r
			WHERE r.register_id = p_register AND r.read_at BETWEEN p_from AND p_at
				AND NOT EXISTS (SELECT FROM elecbill.reading_correction AS c
					WHERE c.register_id = p_register AND c.read_at = r.read_at AND upper_inf(c.known)
						AND (p_estimated OR c.edit_id IS NOT NULL) OFFSET 0)
			ORDER BY r.read_at DESC LIMIT 1)
		UNION ALL
		(SELECT c.read_at, c.register_wh FROM elecbill.reading_correction AS c
			WHERE c.register_id = p_register AND c.read_at BETWEEN p_from AND p_at AND upper_inf(c.known)
				AND c.register_wh IS NOT NULL AND (p_estimated OR c.edit_id IS NOT NULL)
			ORDER BY c.read_at DESC LIMIT 1)) AS x
	ORDER BY x.read_at DESC LIMIT 1;
END $$;
COMMENT ON FUNCTION elecbill._register_mark(bigint, timestamptz, timestamptz, boolean) IS 'the last counting value of a register from .. to (both included); estimated false: of those that were read';

CREATE FUNCTION elecbill._reading_now() RETURNS timestamptz
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	-- who bills may have waited for who corrects, and have begun before
	RETURN greatest(elecbill.now(), (SELECT max(lower(c.known)) FROM elecbill.reading_correction AS c));
END $$;
COMMENT ON FUNCTION elecbill._reading_now() IS 'the instant at which all counts that counts now: elecbill.now(), but not before the last correction; bill.created_at';

CREATE VIEW elecbill._reading_newest WITH (security_invoker = true) AS
SELECT l.register_id, coalesce(m.at, l.read_at) AS read_at, CASE WHEN m.at IS NULL THEN l.register_wh ELSE m.wh END AS register_wh, l.org_id
FROM elecbill.reading_latest AS l
LEFT JOIN LATERAL elecbill._register_mark(l.register_id, '-infinity', 'infinity', false) AS m ON EXISTS (
	SELECT FROM elecbill.reading_correction AS c WHERE c.register_id = l.register_id AND c.read_at >= l.read_at
		AND upper_inf(c.known) AND c.edit_id IS NOT NULL)
WHERE m.at IS NOT NULL OR NOT EXISTS (
	SELECT FROM elecbill.reading_correction AS c WHERE c.register_id = l.register_id AND c.read_at >= l.read_at
		AND upper_inf(c.known) AND c.edit_id IS NOT NULL);
COMMENT ON VIEW elecbill._reading_newest IS 'the newest value of each register that counts and was read: reading_latest, but what people changed in its place';
COMMENT ON COLUMN elecbill._reading_newest.register_id IS 'meter_register.id';
COMMENT ON COLUMN elecbill._reading_newest.read_at IS 'instant of the reading';
COMMENT ON COLUMN elecbill._reading_newest.register_wh IS 'the register, in Wh, before any multiplier';
COMMENT ON COLUMN elecbill._reading_newest.org_id IS 'owner';
