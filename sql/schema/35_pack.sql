-- 35_pack.sql: from finished days of readings to load profiles
--
-- pack_point says up to which day a usage point is packed, pack_queue which days before that changed
-- since. A worker locks points, packs a stretch of days of each and commits; it can be killed anywhere
-- and started again, and any number of sessions may pack at once.
-- Nothing that comes late is missed: pack_state tells who stores readings up to where days are being
-- packed, and before the first day is packed everybody who did not hear of it has committed.

CREATE TABLE elecbill.pack_state (
	org_id		integer CONSTRAINT pack_state_pkey PRIMARY KEY
				CONSTRAINT pack_state_org_fkey REFERENCES elecbill.org,
	until		date,
	until_at	timestamptz NOT NULL DEFAULT '-infinity'
);
COMMENT ON TABLE elecbill.pack_state IS 'up to where days of an org are packed or being packed: what is stored for an earlier instant goes to pack_queue';
COMMENT ON COLUMN elecbill.pack_state.org_id IS 'owner';
COMMENT ON COLUMN elecbill.pack_state.until IS 'first local day that is not; NULL: nothing was ever packed';
COMMENT ON COLUMN elecbill.pack_state.until_at IS 'its start';

CREATE TABLE elecbill.pack_point (
	usage_point_id bigint CONSTRAINT pack_point_pkey PRIMARY KEY,
	org_id		integer NOT NULL,
	packed_until date NOT NULL,
	CONSTRAINT pack_point_usage_point_fkey FOREIGN KEY (org_id, usage_point_id)
		REFERENCES elecbill.usage_point (org_id, id)
) WITH (fillfactor = 70);
CREATE INDEX pack_point_until_idx ON elecbill.pack_point (org_id, packed_until, usage_point_id);
COMMENT ON TABLE elecbill.pack_point IS 'usage points with a smart main meter, and how far they are packed; whoever packs a point holds its row';
COMMENT ON COLUMN elecbill.pack_point.usage_point_id IS 'usage_point.id';
COMMENT ON COLUMN elecbill.pack_point.org_id IS 'owner';
COMMENT ON COLUMN elecbill.pack_point.packed_until IS 'first local day that pack_profiles() has not looked at';
COMMENT ON INDEX elecbill.pack_point_until_idx IS 'points that are behind';

CREATE TABLE elecbill.pack_queue (
	id			bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT pack_queue_pkey PRIMARY KEY,
	org_id		integer NOT NULL,
	usage_point_id bigint NOT NULL,
	days		daterange NOT NULL CONSTRAINT pack_queue_days_check CHECK (NOT isempty(days) AND NOT lower_inf(days)),
	why			text NOT NULL CONSTRAINT pack_queue_why_check CHECK (why <> ''),
	at			timestamptz NOT NULL DEFAULT elecbill.now(),
	CONSTRAINT pack_queue_usage_point_fkey FOREIGN KEY (org_id, usage_point_id)
		REFERENCES elecbill.usage_point (org_id, id)
);
CREATE INDEX pack_queue_point_idx ON elecbill.pack_queue (usage_point_id);
COMMENT ON TABLE elecbill.pack_queue IS 'days to look at again; until then their readings count, not their profiles. No key on the days: who stores a reading must not wait for who packs';
COMMENT ON COLUMN elecbill.pack_queue.id IS 'internal key';
COMMENT ON COLUMN elecbill.pack_queue.org_id IS 'owner';
COMMENT ON COLUMN elecbill.pack_queue.usage_point_id IS 'usage_point.id';
COMMENT ON COLUMN elecbill.pack_queue.days IS 'local days [from, to); those that are not packed yet are packed in their turn';
COMMENT ON COLUMN elecbill.pack_queue.why IS 'for profile_trace.why';
COMMENT ON COLUMN elecbill.pack_queue.at IS 'when it was queued';
COMMENT ON INDEX elecbill.pack_queue_point_idx IS 'days of a point';

CREATE FUNCTION elecbill._pack_state_open() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	INSERT INTO elecbill.pack_state (org_id) VALUES (NEW.id);
	RETURN NULL;
END $$;
COMMENT ON FUNCTION elecbill._pack_state_open() IS 'trigger of org: each has a row in pack_state';
CREATE TRIGGER org_pack_state AFTER INSERT ON elecbill.org
	FOR EACH ROW EXECUTE FUNCTION elecbill._pack_state_open();
COMMENT ON TRIGGER org_pack_state ON elecbill.org IS 'each org has a row in pack_state';

CREATE FUNCTION elecbill._pack_state_hold(p_orgs integer[]) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	-- A snapshot that is older than this statement may not show what pack_profiles() wrote since. The
	-- lock makes the transaction fail then (40001) instead of storing a reading that nobody packs.
	IF current_setting('transaction_isolation') <> 'read committed' THEN
		PERFORM FROM elecbill.pack_state AS s WHERE s.org_id = ANY (p_orgs) ORDER BY s.org_id FOR SHARE;
	END IF;
END $$;
COMMENT ON FUNCTION elecbill._pack_state_hold(integer[]) IS 'makes sure that pack_state of orgs is read as it is, at every isolation level';

CREATE FUNCTION elecbill._reading_late() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET jit = off AS $$
DECLARE
	first	timestamptz := (SELECT min(a.read_at) FROM added AS a);
	first_slot timestamptz := (SELECT min(a.slot_at) FROM added AS a);
BEGIN
	IF least(first, first_slot - interval '1 microsecond') < elecbill._retained_since() THEN
		RAISE EXCEPTION 'readings before % UTC are not taken any more',
			to_char(elecbill._retained_since() AT TIME ZONE 'UTC', 'YYYY-MM-DD')
			USING ERRCODE = 'UB412', DETAIL = 'Their months were dropped after they had been packed.';
	END IF;
	PERFORM elecbill._pack_state_hold(ARRAY(SELECT DISTINCT a.org_id FROM added AS a));
	-- a slot lies at most half a day from its reading
	IF first - interval '12 hours' > (SELECT max(s.until_at) FROM elecbill.pack_state AS s) THEN
		RETURN NULL;
	END IF;
	INSERT INTO elecbill.pack_queue (org_id, usage_point_id, days, why)
	SELECT x.org_id, x.usage_point_id, unnest(range_agg(x.days)), 'late reading'
	FROM (
		SELECT p.org_id, p.usage_point_id,
			-- the intervals before and behind it change, and what the next one starts from
			daterange(b.day - 1, greatest(b.day, (n.read_at AT TIME ZONE o.zone)::date) + 2) AS days
		FROM (
			SELECT a.register_id, a.org_id, max(a.read_at) AS read_at, max(k.at) AS at, (k.at AT TIME ZONE z.zone)::date AS day
			FROM added AS a
			JOIN elecbill.org AS z ON z.id = a.org_id
			JOIN elecbill.pack_state AS s ON s.org_id = a.org_id
			CROSS JOIN LATERAL (SELECT coalesce(a.slot_at, a.read_at)) AS k(at)
			WHERE least(a.read_at, k.at) <= s.until_at
			GROUP BY a.register_id, a.org_id, 5) AS b
		JOIN elecbill.org AS o ON o.id = b.org_id
		JOIN elecbill.meter_register AS g ON g.id = b.register_id AND g.code IN ('1.8.0', '2.8.0')
		JOIN elecbill.meter_installation AS i ON i.meter_id = g.meter_id AND i.role = 'main'
			AND lower(i.valid) <= b.at AND coalesce(upper(i.valid), 'infinity') >= b.at - interval '1 day'
		JOIN elecbill.pack_point AS p ON p.usage_point_id = i.usage_point_id
		LEFT JOIN LATERAL (SELECT r.read_at FROM elecbill.reading AS r
			WHERE r.register_id = b.register_id AND r.read_at > b.read_at ORDER BY r.read_at LIMIT 1) AS n ON true) AS x
	GROUP BY x.org_id, x.usage_point_id;
	RETURN NULL;
END $$;
COMMENT ON FUNCTION elecbill._reading_late() IS 'statement trigger of reading: queues the days of readings that come when their day is packed, or being packed; UB412 for months that were dropped';
CREATE TRIGGER reading_late AFTER INSERT ON elecbill.reading
	REFERENCING NEW TABLE AS added
	FOR EACH STATEMENT EXECUTE FUNCTION elecbill._reading_late();
COMMENT ON TRIGGER reading_late ON elecbill.reading IS 'late readings let their days be packed again; fires for inserts into reading, not into a partition';

CREATE FUNCTION elecbill._installation_packed() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	since	timestamptz := CASE TG_OP WHEN 'INSERT' THEN lower(NEW.valid)
		ELSE least(upper(NEW.valid), upper(OLD.valid)) END;
BEGIN
	IF TG_OP = 'UPDATE' AND NEW.valid = OLD.valid THEN
		RETURN NULL;
	END IF;
	IF since < elecbill._retained_since() THEN
		RAISE EXCEPTION 'what was installed before % UTC cannot change any more',
			to_char(elecbill._retained_since() AT TIME ZONE 'UTC', 'YYYY-MM-DD')
			USING ERRCODE = 'UB412', DETAIL = 'The readings of that time were dropped after they had been packed.';
	END IF;
	PERFORM elecbill._pack_state_hold(ARRAY[NEW.org_id]);
	INSERT INTO elecbill.pack_queue (org_id, usage_point_id, days, why)
	SELECT p.org_id, p.usage_point_id, daterange((since AT TIME ZONE o.zone)::date - 1, NULL), 'meter installation'
	FROM elecbill.pack_point AS p JOIN elecbill.org AS o ON o.id = p.org_id
	WHERE p.usage_point_id = NEW.usage_point_id AND NEW.role = 'main';
	RETURN NULL;
END $$;
COMMENT ON FUNCTION elecbill._installation_packed() IS 'trigger of meter_installation: queues the days that another meter measured than was thought; UB412 where the readings are dropped';
CREATE TRIGGER meter_installation_packed AFTER INSERT OR UPDATE OF valid ON elecbill.meter_installation
	FOR EACH ROW EXECUTE FUNCTION elecbill._installation_packed();
COMMENT ON TRIGGER meter_installation_packed ON elecbill.meter_installation IS 'days that another meter measured are packed again';

CREATE FUNCTION elecbill._pack_day(p_point bigint, p_direction integer, p_from timestamptz, p_to timestamptz,
	p_step interval)
RETURNS elecbill.load_profile
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN (
		WITH piece AS (
			SELECT date_bin(p_step, r.to_at - interval '1 microsecond', p_from) AS slot, r.from_at, r.energy_wh, r.quality
			FROM elecbill.meter_installation AS i
			JOIN elecbill.meter_register AS g ON g.meter_id = i.meter_id
				AND g.code = ('{1.8.0,2.8.0}'::text[])[p_direction + 1]
			CROSS JOIN LATERAL elecbill._register_intervals(g.id, i.multiplier, g.wrap_wh,
				greatest(lower(i.valid), p_from), least(upper(i.valid), p_to), '{}') AS r
			WHERE i.usage_point_id = p_point AND i.role = 'main' AND i.valid && tstzrange(p_from, p_to)
		), slot AS (
			SELECT p.slot, CASE WHEN bool_and(p.energy_wh IS NOT NULL) THEN sum(p.energy_wh)::bigint END AS energy_wh,
				bit_or(p.quality) AS quality, min(p.from_at) < p.slot AS span
			FROM piece AS p GROUP BY p.slot
		)
		SELECT elecbill.load_profile_agg(x.slot, x.energy_wh, p_step, x.quality,
			('{import,export}'::text[])[p_direction + 1])
		FROM (
			SELECT s.slot, s.energy_wh,
				s.quality & ~3072 | CASE WHEN s.span AND s.energy_wh IS NOT NULL THEN 1024 ELSE 0 END AS quality
			FROM slot AS s
		UNION ALL
			SELECT p_from, NULL, 0 WHERE NOT EXISTS (SELECT FROM slot AS s WHERE s.slot = p_from)
		) AS x);
END $$;
COMMENT ON FUNCTION elecbill._pack_day(bigint, integer, timestamptz, timestamptz, interval) IS 'the profile of a day that does not lie on the slots of one meter: what ends in a slot counts there, and what ends there together is added';

CREATE FUNCTION elecbill._pack_made(p_points bigint[], p_from date[], p_to date[]) RETURNS SETOF elecbill.profile_day
LANGUAGE plpgsql STABLE ROWS 3000 SET search_path = pg_catalog, pg_temp SET jit = off AS $$
BEGIN
	RETURN QUERY
	WITH span AS (
		SELECT t.point, i.org_id, g.id AS register_id, i.multiplier, g.wrap_wh, i.valid, t.from_day, s.starts,
			CASE g.code WHEN '1.8.0' THEN 0 ELSE 1 END AS direction, g.direction AS channel, make_interval(secs => m.interval_s) AS step,
			greatest(lower(i.valid), s.starts[1]) AS from_at,
			least(upper(i.valid), s.starts[cardinality(s.starts)]) AS to_at
		FROM unnest(p_points, p_from, p_to) AS t(point, from_day, to_day)
		JOIN elecbill.usage_point AS u ON u.id = t.point
		JOIN elecbill.org AS o ON o.id = u.org_id
		CROSS JOIN LATERAL (SELECT array_agg(elecbill.day_start(t.from_day + n, o.zone) ORDER BY n)
			FROM generate_series(0, t.to_day - t.from_day) AS n) AS s(starts)
		JOIN elecbill.meter_installation AS i ON i.usage_point_id = t.point AND i.role = 'main'
			AND i.valid && tstzrange(s.starts[1], s.starts[cardinality(s.starts)])
		JOIN elecbill.meter AS m ON m.id = i.meter_id AND m.interval_s IS NOT NULL
		JOIN elecbill.meter_register AS g ON g.meter_id = i.meter_id AND g.code IN ('1.8.0', '2.8.0')
	), part AS MATERIALIZED (
		SELECT s.point, s.org_id, s.direction, s.from_day + d.no - 1 AS day, s.starts[d.no] AS since,
			s.starts[d.no + 1] AS until, s.step, d.first_at, d.last_at, d.on_grid, d.exact, d.profile
		FROM span AS s
		-- whether the first value of a day ran backwards, the last one before it says
		LEFT JOIN LATERAL (SELECT coalesce(r.slot_at, r.read_at) FROM elecbill.reading_effective AS r
			WHERE r.register_id = s.register_id AND r.read_at < s.from_at AND coalesce(r.slot_at, r.read_at) < s.from_at
			ORDER BY r.read_at DESC LIMIT 1) AS b(at) ON true
		CROSS JOIN LATERAL (SELECT greatest(lower(s.valid), least(b.at, s.from_at)) OFFSET 0) AS f(from_at)
		CROSS JOIN LATERAL (
			SELECT elecbill._register_days(r.read_at, r.slot_at, r.register_wh, r.quality, f.from_at, s.to_at, s.starts,
				s.step, s.multiplier, s.wrap_wh, s.channel)
			FROM elecbill.reading_effective AS r
			WHERE r.register_id = s.register_id AND r.read_at >= f.from_at - interval '12 hours'
				AND r.read_at <= s.to_at + interval '12 hours') AS a(days)
		CROSS JOIN LATERAL unnest(a.days) AS d
	)
	SELECT p.point, elecbill.now(), p.org_id, p.day, p.profile, p.direction::smallint, 1::smallint, 0::smallint,
		p.exact
	FROM part AS p WHERE p.profile IS NOT NULL
UNION ALL
	-- a meter exchange, or a reading between two slots: a picture only
	SELECT p.point, elecbill.now(), p.org_id, p.day, elecbill._pack_day(p.point, p.direction, p.since, p.until, max(p.step)),
		p.direction::smallint, 1::smallint, 0::smallint, false
	FROM part AS p
	GROUP BY p.point, p.org_id, p.day, p.direction, p.since, p.until
	HAVING min(p.first_at) = p.since AND max(p.last_at) = p.until AND sum(p.last_at - p.first_at) = p.until - p.since
		AND NOT bool_or(p.profile IS NOT NULL)
		AND extract(epoch FROM p.until - p.since) % extract(epoch FROM max(p.step)) = 0;
END $$;
COMMENT ON FUNCTION elecbill._pack_made(bigint[], date[], date[]) IS 'the packed days [from, to) of usage points as their readings give them: those whose both midnights have a reading';

CREATE FUNCTION elecbill._pack_days(p_points bigint[], p_from date[], p_to date[], p_why text[]) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	made	elecbill.profile_day[];
BEGIN
	IF NOT EXISTS (SELECT FROM unnest(p_points, p_from, p_to) AS t(point, from_day, to_day)
		JOIN elecbill.profile_day AS p ON p.usage_point_id = t.point AND p.day >= t.from_day AND p.day < t.to_day)
	THEN
		INSERT INTO elecbill.profile_day
		SELECT m.* FROM elecbill._pack_made(p_points, p_from, p_to) AS m
		ON CONFLICT (usage_point_id, direction, day) DO NOTHING;	/* loaded meanwhile */
		RETURN;
	END IF;

	made := ARRAY(SELECT m FROM elecbill._pack_made(p_points, p_from, p_to) AS m);
	WITH old AS (
		SELECT p.*, t.why FROM unnest(p_points, p_from, p_to, p_why) AS t(point, from_day, to_day, why)
		JOIN elecbill.profile_day AS p ON p.usage_point_id = t.point AND p.day >= t.from_day AND p.day < t.to_day
			AND p.origin = 0
	), gone AS (
		DELETE FROM elecbill.profile_day AS p USING old AS o
		WHERE p.usage_point_id = o.usage_point_id AND p.direction = o.direction AND p.day = o.day AND p.origin = 0
			AND NOT EXISTS (SELECT FROM unnest(made) AS m WHERE m.usage_point_id = o.usage_point_id
				AND m.direction = o.direction AND m.day = o.day)
	)
	INSERT INTO elecbill.profile_trace (org_id, usage_point_id, day, direction, version, before_wh, after_wh, slots, why)
	SELECT o.org_id, o.usage_point_id, o.day, o.direction,
		CASE WHEN m.day IS NOT NULL THEN least(o.version + 1, 32767) END,
		coalesce(elecbill.profile_sum(o.profile), 0),
		CASE WHEN m.day IS NOT NULL THEN coalesce(elecbill.profile_sum(m.profile), 0) END,
		(SELECT count(*) FROM elecbill.profile_values(o.profile) AS x
			FULL JOIN elecbill.profile_values(m.profile) AS y USING (at)
			WHERE (x.energy_wh, x.quality) IS DISTINCT FROM (y.energy_wh, y.quality)),
		o.why
	FROM old AS o
	LEFT JOIN unnest(made) AS m ON m.usage_point_id = o.usage_point_id AND m.direction = o.direction AND m.day = o.day
	WHERE m.day IS NULL OR m.profile OPERATOR(elecbill.<>) o.profile OR m.exact <> o.exact
	ORDER BY o.usage_point_id, o.day, o.direction;

	INSERT INTO elecbill.profile_day AS p SELECT m.* FROM unnest(made) AS m
	ON CONFLICT (usage_point_id, direction, day) DO UPDATE SET profile = excluded.profile, exact = excluded.exact,
		packed_at = excluded.packed_at, version = least(p.version + 1, 32767)
	WHERE p.origin = 0 AND (p.profile OPERATOR(elecbill.<>) excluded.profile OR p.exact <> excluded.exact);
END $$;
COMMENT ON FUNCTION elecbill._pack_days(bigint[], date[], date[], text[]) IS 'packs days [from, to) of usage points, and says in profile_trace what changed of those that were packed; loaded days stay';
