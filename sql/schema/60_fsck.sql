-- 60_fsck.sql: what must be true of the whole database; a row per fault, no row when all is well
-- The sums are worked out here in plain SQL from readings and lines, not by the code that made them.
-- Compiling these queries would take longer than running them, hence jit = off.

CREATE FUNCTION elecbill._fsck_from(p_since date) RETURNS timestamptz
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN coalesce((p_since - 1)::timestamp AT TIME ZONE 'UTC', '-infinity');
COMMENT ON FUNCTION elecbill._fsck_from(date) IS
'instant before which fsck() takes for granted what it checked earlier; a day is taken off for the zones of the orgs';

CREATE FUNCTION elecbill._fsck_bills(p_org integer, p_since date) RETURNS SETOF elecbill.bill
LANGUAGE sql STABLE
BEGIN ATOMIC
	SELECT b.* FROM elecbill.bill b
	WHERE (p_org IS NULL OR b.org_id = p_org) AND (p_since IS NULL OR b.created_at >= elecbill._fsck_from(p_since)
		OR b.issued_at >= elecbill._fsck_from(p_since));
END;
COMMENT ON FUNCTION elecbill._fsck_bills(integer, date) IS 'bills that fsck() looks at: of an org (NULL: all), made or issued since a day (NULL: ever)';

CREATE FUNCTION elecbill._fsck_part(p_bill bigint, p_part jsonb) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	definition jsonb := (SELECT t.definition FROM elecbill.tariff_snapshot t
		WHERE t.sha256 = decode(p_part ->> 'definition', 'hex'));
	agrees boolean;
BEGIN
	IF definition IS NULL THEN
		RETURN NULL;	/* found as "snapshot" */
	END IF;
	SELECT (SELECT array_agg((l.code, l.period, l.tier, l.quantity, l.price, l.amount_raw, l.amount) ORDER BY l.n)
			FROM elecbill.rate(definition::elecbill.tariff, (p_part -> 'summary')::elecbill.usage_summary,
				p_part -> 'ctx') AS l)
		IS NOT DISTINCT FROM (
			SELECT array_agg((l.component, l.period, l.tier, l.quantity, l.price, l.amount_raw, l.amount) ORDER BY l.n)
			FROM elecbill.bill_line l JOIN elecbill.bill_segment s ON s.id = l.segment_id
			WHERE l.bill_id = p_bill AND s.agreement_id = (p_part ->> 'agreement_id')::bigint)
	INTO agrees;
	RETURN CASE WHEN NOT agrees THEN 'its snapshot gives other lines' END;
EXCEPTION WHEN OTHERS THEN
	RETURN format('its snapshot cannot be rated: %s', SQLERRM);
END $$;
COMMENT ON FUNCTION elecbill._fsck_part(bigint, jsonb) IS
'what is wrong with the lines of an agreement when its part of the snapshot is rated again; NULL = nothing';

CREATE FUNCTION elecbill._fsck_bill(p_org integer, p_since date) RETURNS TABLE (invariant text, object text, detail text)
LANGUAGE sql STABLE SET jit = off
BEGIN ATOMIC
	SELECT 'I04', format('bill %s', b.id), format('amount %s, lines %s', b.amount, coalesce(sum(l.amount), 0))
	FROM elecbill._fsck_bills(p_org, p_since) AS b LEFT JOIN elecbill.bill_line l ON l.bill_id = b.id
	GROUP BY b.id, b.amount HAVING b.amount <> coalesce(sum(l.amount), 0)
UNION ALL
	SELECT 'I04', format('bill %s line %s', l.bill_id, l.n),
		format('%s x %s is not %s', l.quantity, l.price, l.amount_raw)
	FROM elecbill.bill_line l
	-- the share of a charge by days or months is shown at 1e-6, the average of a price series at 1e-9
	WHERE l.bill_id IN (SELECT b.id FROM elecbill._fsck_bills(p_org, p_since) AS b) AND l.kind IN ('energy', 'fixed', 'custom') AND l.factor = 1 AND abs(l.quantity * l.price - l.amount_raw) >
		CASE WHEN l.kind <> 'energy' AND l.quantity <> round(l.quantity, 5) THEN 0.0000005 * abs(l.price)
			WHEN l.kind = 'energy' AND l.price <> round(l.price, 8) THEN 0.0000000005 * abs(l.quantity) ELSE 0 END
UNION ALL
	SELECT 'I04', format('bill %s line %s', l.bill_id, l.n),
		format('%s rounds to %s, not %s', l.amount_raw, elecbill.round_to(l.amount_raw, c.round_step, c.round_mode),
			l.amount)
	FROM elecbill.bill_line l
	JOIN elecbill._fsck_bills(p_org, p_since) AS b ON b.id = l.bill_id
	JOIN elecbill.org o ON o.id = b.org_id
	JOIN elecbill.bill_segment s ON s.id = l.segment_id
	LEFT JOIN elecbill.tariff_version v ON v.id = l.tariff_version_id,
		jsonb_array_elements(b.snapshot -> 'parts') AS p(part)
	JOIN elecbill.tariff_snapshot t ON t.sha256 = decode(p.part ->> 'definition', 'hex'),
		LATERAL elecbill._component_of(t.definition, l.component, v.version,
			((upper(l.during) - interval '1 microsecond') AT TIME ZONE o.zone)::date) AS c
	WHERE (p.part ->> 'agreement_id')::bigint = s.agreement_id
		AND elecbill.round_to(l.amount_raw, c.round_step, c.round_mode) <> l.amount
UNION ALL
	SELECT 'I10', format('bill %s agreement %s', b.id, p.part ->> 'agreement_id'), f.fault
	FROM elecbill._fsck_bills(p_org, p_since) AS b, jsonb_array_elements(b.snapshot -> 'parts') AS p(part),
		LATERAL elecbill._fsck_part(b.id, p.part) AS f(fault)
	WHERE f.fault IS NOT NULL
UNION ALL
	SELECT 'I05', format('bills %s and %s', b.id, x.id), format('both live, %s and %s', b.service, x.service)
	FROM elecbill._fsck_bills(p_org, p_since) AS b JOIN elecbill.bill x
		ON x.account_id = b.account_id AND x.service && b.service AND (x.id > b.id OR x.id < b.id AND p_since IS NOT NULL)
	WHERE b.live AND x.live AND b.kind IN ('regular', 'final') AND x.kind IN ('regular', 'final')
UNION ALL
	SELECT 'I20', format('org %s year %s', coalesce(n.org_id, c.org_id), coalesce(n.year, c.year)),
		format('%s bills numbered up to %s, the counter says %s', n.bills, n.last, c.last)
	FROM (SELECT b.org_id, split_part(b.number, '-', 1)::integer AS year, count(*) AS bills,
			max(split_part(b.number, '-', 2)::bigint) AS last
		FROM elecbill.bill b WHERE b.number IS NOT NULL GROUP BY 1, 2) AS n
	FULL JOIN (SELECT * FROM elecbill.number_counter x WHERE x.kind = 'bill') AS c
		ON c.org_id = n.org_id AND c.year = n.year
	WHERE (p_org IS NULL OR coalesce(n.org_id, c.org_id) = p_org)
		AND (n.bills IS DISTINCT FROM n.last OR n.last IS DISTINCT FROM c.last)
UNION ALL
	SELECT 'snapshot', format('bill %s', b.id), format('tariff %s is not kept', p.part ->> 'definition')
	FROM elecbill._fsck_bills(p_org, p_since) AS b, jsonb_array_elements(b.snapshot -> 'parts') AS p(part)
	WHERE NOT EXISTS (SELECT FROM elecbill.tariff_snapshot t
		WHERE t.sha256 = decode(p.part ->> 'definition', 'hex'))
UNION ALL
	SELECT 'snapshot', format('tariff %s', encode(t.sha256, 'hex')), 'its content has another sha256'
	FROM elecbill.tariff_snapshot t WHERE t.sha256 <> sha256(convert_to(t.definition::text, 'UTF8'))
UNION ALL
	SELECT 'usage_counter', format('account %s, plan %s, %s %s', coalesce(c.account_id, u.account_id),
			coalesce(c.tariff_plan_id, u.tariff_plan_id), coalesce(c.scope, u.scope),
			coalesce(c.scope_start, u.scope_start)),
		format('counter %s kWh to %s, bills %s kWh to %s', c.kwh, c.as_of, u.kwh, u.as_of)
	FROM elecbill.usage_counter c FULL JOIN elecbill._usage_sum(NULL) AS u
		ON u.account_id = c.account_id AND u.tariff_plan_id = c.tariff_plan_id AND u.scope = c.scope
			AND u.scope_start = c.scope_start
	WHERE (c.kwh, c.as_of) IS DISTINCT FROM (u.kwh, u.as_of);
END;
COMMENT ON FUNCTION elecbill._fsck_bill(integer, date) IS
'broken invariants of bills: I04 amounts, I05 overlaps, I10 the same lines whenever and by whomever they are worked out, I20 numbers, snapshots, usage_counter';

CREATE FUNCTION elecbill._fsck_energy(p_org integer, p_since date) RETURNS TABLE (invariant text, object text, detail text)
LANGUAGE sql STABLE SET jit = off
BEGIN ATOMIC
	SELECT 'I06', format('bill %s segment %s', s.bill_id, s.n),
		format('reading of register %s at %s is %s Wh, billed as %s', s.register_id, e.at,
			coalesce(r.register_wh::text, 'not there'), e.wh)
	FROM elecbill.bill_segment s
	CROSS JOIN LATERAL (VALUES (s.start_at, s.start_wh), (s.end_at, s.end_wh)) AS e(at, wh)
	-- a value it had once: as read, corrected, or estimated
	LEFT JOIN LATERAL (SELECT x.register_wh FROM elecbill._reading_known x
		WHERE x.register_id = s.register_id AND x.read_at = e.at
		ORDER BY x.register_wh = e.wh DESC, lower(x.known) DESC LIMIT 1) r ON true
	WHERE s.bill_id IN (SELECT b.id FROM elecbill._fsck_bills(p_org, p_since) AS b) AND r.register_wh IS DISTINCT FROM e.wh
UNION ALL
	SELECT 'I07', format('bill %s segment %s', s.bill_id, s.n),
		format('billed %s Wh, the readings and loaded days give %s Wh', s.energy_wh, e.wh + p.wh)
	FROM elecbill.bill_segment s
	JOIN elecbill._fsck_bills(p_org, p_since) AS b ON b.id = s.bill_id
	JOIN elecbill.meter_register g ON g.id = s.register_id,
		LATERAL (
			-- as the loaded days were when the bill was made
			SELECT coalesce(sum(coalesce(elecbill.profile_sum(d.profile), 0) - (
					SELECT coalesce(sum(t.after_wh - t.before_wh), 0) FROM elecbill.profile_trace t
					WHERE t.usage_point_id = d.usage_point_id AND t.day = d.day AND t.direction = d.direction
						AND t.at > b.created_at)), 0) AS wh,
				coalesce(range_agg(w.during), '{}') AS during
			FROM elecbill.profile_day d, LATERAL (SELECT elecbill.profile_during(d.profile)) AS w(during)
			WHERE d.usage_point_id = s.usage_point_id AND d.direction = 0 AND d.origin = 1
				AND d.day >= lower(s.during)::date - 2 AND d.day <= upper(s.during)::date + 2
				AND w.during <@ s.during AND d.packed_at <= b.created_at) AS p,
		LATERAL (
			SELECT coalesce(sum(CASE WHEN q.quality & 512 <> 0 THEN 0 WHEN q.wh >= q.former THEN q.wh - q.former
				ELSE q.wh - q.former + round(g.wrap_wh * s.multiplier) END), 0) AS wh
			FROM (SELECT r.quality, k.at, lag(k.at) OVER w AS former_at, round(r.register_wh * s.multiplier) AS wh,
					lag(round(r.register_wh * s.multiplier)) OVER w AS former
				FROM elecbill._reading_known r, LATERAL (SELECT coalesce(r.slot_at, r.read_at)) AS k(at)
				WHERE r.register_id = s.register_id
					AND r.read_at BETWEEN coalesce(s.start_at, lower(s.during)) AND coalesce(s.end_at, upper(s.during))
					-- a reading that came while the bill was made counts where the bill names it
					AND (r.known @> b.created_at OR (r.read_at, r.register_wh) IN ((s.start_at, s.start_wh), (s.end_at, s.end_wh))
						AND NOT EXISTS (SELECT FROM elecbill._reading_known x WHERE x.register_id = s.register_id
							AND x.read_at = r.read_at AND x.known @> b.created_at))
				WINDOW w AS (ORDER BY r.read_at)) AS q
			WHERE q.former IS NOT NULL AND NOT (q.former_at < q.at AND p.during && tstzrange(q.former_at, q.at))) AS e
	WHERE b.live AND e.wh + p.wh <> s.energy_wh
UNION ALL
	SELECT 'I07', format('bill %s segment %s', t.bill_id, t.n),
		format('energy of register %s from %s to %s is on another bill too', t.register_id, t.begins, t.before_it)
	FROM (SELECT s.*, k.begins, max(coalesce(s.end_at, upper(s.during))) OVER (PARTITION BY s.register_id
			ORDER BY k.begins, s.id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before_it
		FROM elecbill.bill_segment s JOIN elecbill.bill b ON b.id = s.bill_id,
			LATERAL (SELECT coalesce(s.start_at, lower(s.during))) AS k(begins)
		WHERE b.live) AS t
	WHERE t.begins < t.before_it AND t.bill_id IN (SELECT b.id FROM elecbill._fsck_bills(p_org, p_since) AS b)
UNION ALL
	SELECT 'I08', format('bill %s agreement %s', b.id, p.part ->> 'agreement_id'),
		format('segments %s kWh, summary %s kWh, its parts %s kWh', s.kwh, p.part #>> '{summary,total_kwh}', q.kwh)
	FROM elecbill._fsck_bills(p_org, p_since) AS b, jsonb_array_elements(b.snapshot -> 'parts') AS p(part),
		LATERAL (SELECT sum(x.energy_wh) * 0.001 AS kwh FROM elecbill.bill_segment x
			WHERE x.bill_id = b.id AND x.agreement_id = (p.part ->> 'agreement_id')::bigint) AS s,
		LATERAL (SELECT sum((x.part ->> 'total_kwh')::numeric) AS kwh
			FROM elecbill._summary_parts(p.part -> 'summary') AS x(part)) AS q
	WHERE s.kwh IS DISTINCT FROM (p.part #>> '{summary,total_kwh}')::numeric
		OR q.kwh IS DISTINCT FROM (p.part #>> '{summary,total_kwh}')::numeric
UNION ALL
	SELECT 'I09', format('bill %s', c.bill_id),
		format('counted %s kWh before it in the %s from %s, live bills have %s', c.before, c.scope, c.start, c.billed)
	FROM (
		SELECT b.id AS bill_id, s.scope ->> 'scope' AS scope, s.scope ->> 'start' AS start,
			(s.scope ->> 'before')::numeric AS before,
			sum((s.scope ->> 'kwh')::numeric) OVER (
				PARTITION BY b.account_id, p.part -> 'plan_id', s.scope -> 'scope', s.scope -> 'start'
				ORDER BY lower(b.service), b.id, p.i ROWS UNBOUNDED PRECEDING)
				- (s.scope ->> 'kwh')::numeric
				-- corrections that stand on this bill or an earlier one
				+ (SELECT coalesce(sum((u.one ->> 'kwh')::numeric), 0)
					FROM elecbill.bill_true_up t JOIN elecbill.bill x ON x.id = t.bill_id, jsonb_array_elements(t.scopes) AS u(one)
					WHERE x.account_id = b.account_id AND x.live AND lower(x.service) <= lower(b.service)
						AND u.one -> 'plan_id' = p.part -> 'plan_id' AND u.one -> 'scope' = s.scope -> 'scope'
						AND u.one -> 'start' = s.scope -> 'start')
				-- and what the system before has billed
				+ (SELECT coalesce(sum(i.kwh), 0) FROM elecbill.opening_item i
					WHERE i.account_id = b.account_id AND i.kind = 'energy' AND i.tariff_plan_id = (p.part ->> 'plan_id')::bigint
						AND i.scope = s.scope ->> 'scope' AND i.scope_start = (s.scope ->> 'start')::date
						AND i.until <= (p.part ->> 'from')::date) AS billed
		FROM elecbill.bill b, jsonb_array_elements(b.snapshot -> 'parts') WITH ORDINALITY AS p(part, i),
			jsonb_array_elements(p.part -> 'scopes') AS s(scope)
		WHERE b.live) AS c
	WHERE c.before <> c.billed AND c.bill_id IN (SELECT b.id FROM elecbill._fsck_bills(p_org, p_since) AS b);
END;
COMMENT ON FUNCTION elecbill._fsck_energy(integer, date) IS
'broken invariants of billed energy: I06 readings, I07 their difference, billed once, I08 sums, I09 what was billed before in a tier scope';

CREATE FUNCTION elecbill._fsck_run(p_org integer, p_since date) RETURNS TABLE (invariant text, object text, detail text)
LANGUAGE sql STABLE SET jit = off
BEGIN ATOMIC
	SELECT 'I12', format('run %s batch %s account %s', b.run_id, b.no, a.id), 'rated, but neither bill nor exception'
	FROM elecbill.bill_run_batch b, unnest(b.account_ids) AS a(id)
	WHERE b.state = 'done' AND (p_org IS NULL OR b.org_id = p_org)
		AND (p_since IS NULL OR b.finished_at >= elecbill._fsck_from(p_since))
		AND NOT EXISTS (SELECT FROM elecbill.bill x WHERE x.run_id = b.run_id AND x.account_id = a.id)
		AND NOT EXISTS (SELECT FROM elecbill.bill_exception x WHERE x.run_id = b.run_id AND x.account_id = a.id)
UNION ALL
	SELECT 'I12', format('run %s account %s', x.run_id, x.account_id), 'parked, but billed in this run'
	FROM elecbill.bill_exception x
	WHERE x.state = 'parked' AND EXISTS (SELECT FROM elecbill.bill b
		WHERE b.run_id = x.run_id AND b.account_id = x.account_id AND b.live)
UNION ALL
	SELECT 'I12', format('run %s', r.id), format('%s, but batches are not', r.status)
	FROM elecbill.bill_run r
	WHERE EXISTS (SELECT FROM elecbill.bill_run_batch b WHERE b.run_id = r.id
		AND (r.status IN ('review', 'issuing', 'done') AND b.state = 'pending'
			OR r.status = 'done' AND b.issue_state = 'pending'))
UNION ALL
	SELECT 'I12', format('run %s batch %s account %s', x.run_id, x.no, b.account_id), 'its batch is issued, but the bill is a draft'
	FROM elecbill.bill b JOIN elecbill.bill_run_batch x ON x.run_id = b.run_id AND b.account_id = ANY (x.account_ids)
	WHERE b.status = 'draft' AND x.issue_state = 'done' AND (p_org IS NULL OR b.org_id = p_org)
		-- parked before, and rated with others once more
		AND NOT EXISTS (SELECT FROM elecbill.bill_run_batch y
			WHERE y.run_id = b.run_id AND y.issue_state = 'pending' AND b.account_id = ANY (y.account_ids))
UNION ALL
	SELECT 'I18', format('plan %s', v.tariff_plan_id),
		format('versions %s and %s overlap: %s and %s', v.version, x.version, v.valid, x.valid)
	FROM elecbill.tariff_version v JOIN elecbill.tariff_version x
		ON x.tariff_plan_id = v.tariff_plan_id AND x.id > v.id AND x.valid && v.valid AND x.known && v.known;
END;
COMMENT ON FUNCTION elecbill._fsck_run(integer, date) IS
'broken invariants of runs and tariffs: I12 every rated account has a bill or an exception, states agree; I18 versions do not overlap in both times';
