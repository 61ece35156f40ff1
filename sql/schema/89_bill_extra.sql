-- 89_bill_extra.sql: what a bill has beside its energy: shares of common energy and adjustments
-- Each waits until a bill of its account is made and is a line of that; when the bill is taken back it
-- waits again. Locks: the caller has the customer_account.

CREATE FUNCTION elecbill._adjust_lines(p_adjustment elecbill.adjustment, p_after integer) RETURNS elecbill.bill_line[]
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	one elecbill.bill_line;
	lines elecbill.bill_line[];
BEGIN
	one.org_id := p_adjustment.org_id;
	one.n := p_after + 1;
	one.kind := 'adjustment';
	one.component := p_adjustment.kind;
	one.grp := 'adjustment';
	one.label := p_adjustment.reason;
	one.quantity := 1;
	one.unit := 'unit';
	one.amount := p_adjustment.amount - p_adjustment.tax_amount;
	one.price := one.amount;
	one.factor := 1;
	one.amount_raw := one.amount;
	one.quality := 'actual';
	lines := ARRAY[one];
	IF p_adjustment.tax_amount <> 0 THEN
		one.n := one.n + 1;
		one.grp := 'tax';
		one.quantity := one.amount;
		one.unit := 'money';
		one.price := NULL;
		one.amount := p_adjustment.tax_amount;
		one.amount_raw := one.amount;
		lines := lines || one;
	END IF;
	RETURN lines;
END $$;
COMMENT ON FUNCTION elecbill._adjust_lines(elecbill.adjustment, integer) IS 'the line of an adjustment, and a second one for the tax in it';

CREATE FUNCTION elecbill._allocation_line(p_result elecbill.allocation_result, p_n integer) RETURNS elecbill.bill_line
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	one elecbill.bill_line;
	zone text := (SELECT o.zone FROM elecbill.org o WHERE o.id = p_result.org_id);
BEGIN
	SELECT r.share, r.name, CASE r.model WHEN 'pool' THEN 'pool' ELSE 'property_fee' END, a.price,
		tstzrange(elecbill.day_start(lower(a.during), zone), elecbill.day_start(upper(a.during), zone)),
		CASE WHEN a.estimated THEN 'estimated' ELSE 'actual' END
	INTO one.component, one.label, one.grp, one.price, one.during, one.quality
	FROM elecbill.allocation a JOIN elecbill.allocation_rule r ON r.id = a.rule_id WHERE a.id = p_result.allocation_id;
	one.org_id := p_result.org_id;
	one.n := p_n;
	one.kind := 'allocation';
	one.quantity := p_result.energy_wh * 0.001;
	one.unit := 'kwh';
	one.factor := 1;
	one.amount := p_result.amount;
	one.amount_raw := p_result.amount;
	RETURN one;
END $$;
COMMENT ON FUNCTION elecbill._allocation_line(elecbill.allocation_result, integer) IS
'the line of a share: kWh, price per kWh, and the amount, which by the largest remainder may differ from their product by a cent. Price and amount are tax included: there is no tax line for it, and bill.tax_amount leaves it out';

CREATE FUNCTION elecbill._allocation_failed(p_run bigint, p_account bigint) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	one record;
BEGIN
	SELECT r.code, a.fault INTO one
	FROM elecbill.allocation a
	JOIN elecbill.allocation_rule r ON r.id = a.rule_id
	JOIN elecbill.usage_point_tree t ON t.parent_id = r.parent_id AND t.valid @> upper(a.during) - 1
	JOIN elecbill.customer_agreement g ON g.usage_point_id = t.child_id AND g.valid @> upper(a.during) - 1
	WHERE a.run_id = p_run AND a.state = 'failed' AND g.account_id = p_account ORDER BY r.code LIMIT 1;
	IF FOUND THEN
		RAISE EXCEPTION USING
			ERRCODE = 'UB412',
			CONSTRAINT = 'allocation',
			MESSAGE = format('what rule %s shares is not known', quote_literal(one.code)),
			DETAIL = one.fault,
			HINT = 'Supply what is missing, then bill_run_retry() and bill_run_work() the run.';
	END IF;
END $$;
COMMENT ON FUNCTION elecbill._allocation_failed(bigint, bigint) IS
'UB412 allocation when an account lies behind a meter of which a rule could not be worked out in the run';

CREATE FUNCTION elecbill._bill_extra(p_run bigint, p_account bigint, p_days daterange, OUT lines elecbill.bill_line[], OUT notes jsonb)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	share elecbill.allocation_result;
	change elecbill.adjustment;
BEGIN
	lines := '{}';
	IF EXISTS (SELECT FROM elecbill.allocation a WHERE a.run_id = p_run AND a.state = 'failed') THEN
		PERFORM elecbill._allocation_failed(p_run, p_account);
	END IF;
	FOR share IN
		SELECT r.* FROM elecbill.allocation_result r
		JOIN elecbill.allocation a ON a.id = r.allocation_id
		JOIN elecbill.allocation_rule u ON u.id = a.rule_id
		WHERE r.account_id = p_account AND r.bill_id IS NULL AND r.amount <> 0 AND a.state = 'done'
			AND upper(a.during) <= upper(p_days)
		ORDER BY a.during, u.code, r.n FOR SHARE OF a
	LOOP
		lines := lines || elecbill._allocation_line(share, cardinality(lines) + 1);
		notes := coalesce(notes, '[]') || jsonb_build_object('allocation', share.allocation_id, 'share', share.n, 'n', cardinality(lines));
	END LOOP;
	FOR change IN
		SELECT * FROM elecbill.adjustment j
		WHERE j.account_id = p_account AND j.state = 'approved' AND j.bill_id IS NULL ORDER BY j.id FOR NO KEY UPDATE
	LOOP
		notes := coalesce(notes, '[]') || jsonb_build_object('adjustment', change.id, 'n', cardinality(lines) + 1);
		lines := lines || elecbill._adjust_lines(change, cardinality(lines));
	END LOOP;
END $$;
COMMENT ON FUNCTION elecbill._bill_extra(bigint, bigint, daterange) IS
'what waits for the next bill of an account, over these days in a run: lines, numbered from 1, and what each is for ([{allocation, share, n} or {adjustment, n}]; NULL: nothing). UB412 allocation a rule could not be worked out';

CREATE FUNCTION elecbill._bill_extra_note(p_bill bigint, p_lines integer, p_notes jsonb) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	before integer := (SELECT count(*) FROM elecbill.bill_line l WHERE l.bill_id = p_bill) - p_lines;
BEGIN
	UPDATE elecbill.allocation_result r SET bill_id = p_bill, line_n = before + x.n
	FROM jsonb_to_recordset(p_notes) AS x(allocation bigint, share integer, n integer)
	WHERE r.allocation_id = x.allocation AND r.n = x.share;
	UPDATE elecbill.adjustment j SET bill_id = p_bill, line_n = before + x.n
	FROM jsonb_to_recordset(p_notes) AS x(adjustment bigint, n integer)
	WHERE j.id = x.adjustment;
END $$;
COMMENT ON FUNCTION elecbill._bill_extra_note(bigint, integer, jsonb) IS
'notes which line of a bill, whose last lines are those of _bill_extra(), is for which share and adjustment';

CREATE FUNCTION elecbill._bill_extra_free(p_bill bigint) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	UPDATE elecbill.allocation_result SET bill_id = NULL, line_n = NULL WHERE bill_id = p_bill;
	UPDATE elecbill.adjustment j SET bill_id = NULL, line_n = NULL,
		state = CASE WHEN EXISTS (SELECT FROM elecbill.bill b WHERE b.id = p_bill AND b.kind IN ('credit', 'correction'))
			THEN 'withdrawn' ELSE j.state END
	WHERE j.bill_id = p_bill;
END $$;
COMMENT ON FUNCTION elecbill._bill_extra_free(bigint) IS
'a bill is taken back: its shares and adjustments wait for the next one; an adjustment whose own bill it was is withdrawn';

CREATE FUNCTION elecbill._extra_words(p_bill elecbill.bill, p_currency text, p_lang text) RETURNS TABLE (i integer, words text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	en boolean := p_lang = 'en';
BEGIN
	RETURN QUERY
	SELECT r.line_n, format(CASE WHEN en THEN '  %s (%s): %s kWh × %s = %s %s, shared by %s: %s of %s is %s %s'
			ELSE '  %s(%s):%s kWh × %s = %s %s,按%s分摊:%s / %s,计 %s %s' END,
		u.name, concat_ws(' ', elecbill.label(u.share, p_lang), s.code), a.energy_wh * 0.001, trim_scale(a.price), a.amount, p_currency,
		elecbill.label(u.method, p_lang), trim_scale(r.weight * w.unit), trim_scale(w.all_of * w.unit), r.amount, p_currency)
	FROM elecbill.allocation_result r
	JOIN elecbill.allocation a ON a.id = r.allocation_id
	JOIN elecbill.allocation_rule u ON u.id = a.rule_id
	LEFT JOIN elecbill.usage_point s ON s.id = u.source_id
	CROSS JOIN LATERAL (SELECT sum(x.weight) AS all_of, CASE u.method WHEN 'kwh' THEN 0.001 ELSE 1 END AS unit
		FROM elecbill.allocation_result x WHERE x.allocation_id = a.id) AS w
	WHERE r.bill_id = p_bill.id
	UNION ALL
	SELECT j.line_n, format(CASE WHEN en THEN '  adjustment %s, %s: %s%s' ELSE '  退补 %s %s:%s%s' END, j.number,
		elecbill.label(j.kind, p_lang), j.reason, ' (' || j.evidence || ')')
	FROM elecbill.adjustment j WHERE j.bill_id = p_bill.id
	ORDER BY 1;
END $$;
COMMENT ON FUNCTION elecbill._extra_words(elecbill.bill, text, text) IS
'how the shares on a bill were worked out, and why it has adjustments, in sentences; i: the line';

CREATE FUNCTION elecbill._fsck_supply(p_org integer, p_since date) RETURNS TABLE (invariant text, object text, detail text)
LANGUAGE sql STABLE SET jit = off
BEGIN ATOMIC
	SELECT 'I11', format('allocation %s', a.id), format('shares are %s Wh and %s of %s Wh and %s', s.wh, s.amount, a.energy_wh, a.amount)
	FROM elecbill.allocation a CROSS JOIN LATERAL (
		SELECT coalesce(sum(r.energy_wh), 0) AS wh, coalesce(sum(r.amount), 0) AS amount
		FROM elecbill.allocation_result r WHERE r.allocation_id = a.id) AS s
	WHERE a.state = 'done' AND (s.wh <> a.energy_wh OR s.amount <> a.amount) AND (p_org IS NULL OR a.org_id = p_org)
		AND (p_since IS NULL OR a.created_at >= elecbill._fsck_from(p_since))
UNION ALL
	SELECT 'I11', format('allocation %s share %s', a.id, r.n), format('%s Wh and %s of %s Wh and %s have the wrong sign',
		r.energy_wh, r.amount, a.energy_wh, a.amount)
	FROM elecbill.allocation a JOIN elecbill.allocation_result r ON r.allocation_id = a.id
	WHERE (sign(r.energy_wh) = -sign(a.energy_wh) AND r.energy_wh <> 0 OR sign(r.amount) = -sign(a.amount) AND r.amount <> 0)
		AND (p_org IS NULL OR a.org_id = p_org) AND (p_since IS NULL OR a.created_at >= elecbill._fsck_from(p_since))
UNION ALL
	SELECT 'I11', format('allocation %s share %s', r.allocation_id, r.n),
		format('%s is billed as %s by bill %s, which is %s', r.amount, coalesce(l.amount::text, 'nothing'), r.bill_id, b.status)
	FROM elecbill.allocation_result r JOIN elecbill.bill b ON b.id = r.bill_id
	LEFT JOIN elecbill.bill_line l ON l.bill_id = r.bill_id AND l.n = r.line_n AND l.kind = 'allocation'
	WHERE (NOT b.live OR b.account_id <> r.account_id OR l.amount IS DISTINCT FROM r.amount) AND (p_org IS NULL OR r.org_id = p_org)
UNION ALL
	SELECT 'adjustment', format('adjustment %s', j.number),
		format('%s is billed as %s by bill %s, which is %s', j.amount, coalesce(s.amount::text, 'nothing'), j.bill_id, b.status)
	FROM elecbill.adjustment j JOIN elecbill.bill b ON b.id = j.bill_id
	CROSS JOIN LATERAL (SELECT sum(l.amount) AS amount FROM elecbill.bill_line l WHERE l.bill_id = j.bill_id AND l.kind = 'adjustment'
		AND (l.n = j.line_n OR l.n = j.line_n + 1 AND j.tax_amount <> 0)) AS s
	WHERE (NOT b.live OR b.account_id <> j.account_id OR s.amount IS DISTINCT FROM j.amount) AND (p_org IS NULL OR j.org_id = p_org)
UNION ALL
	SELECT x.kind, format('bill %s', b.id), format('its lines of kind %s come to %s, what they are for to %s', x.kind, x.lines, x.noted)
	FROM elecbill._fsck_bills(p_org, p_since) AS b CROSS JOIN LATERAL (
		SELECT k.kind, (SELECT coalesce(sum(l.amount), 0) FROM elecbill.bill_line l WHERE l.bill_id = b.id AND l.kind = k.kind) AS lines,
			CASE k.kind WHEN 'allocation' THEN (SELECT coalesce(sum(r.amount), 0) FROM elecbill.allocation_result r WHERE r.bill_id = b.id)
				ELSE (SELECT coalesce(sum(j.amount), 0) FROM elecbill.adjustment j WHERE j.bill_id = b.id) END AS noted
		FROM (VALUES ('allocation'), ('adjustment')) AS k(kind)) AS x
	WHERE b.live AND x.lines <> x.noted
UNION ALL
	SELECT 'supply', format('bill of the grid %s', s.number), format('%s and %s kWh, its lines have %s and %s kWh', s.amount, s.kwh, l.amount, l.kwh)
	FROM elecbill.supply_bill s CROSS JOIN LATERAL (SELECT coalesce(sum(x.amount), 0) AS amount,
		coalesce(sum(x.quantity) FILTER (WHERE x.kind = 'energy'), 0) AS kwh FROM elecbill.supply_line x WHERE x.supply_bill_id = s.id) AS l
	WHERE (s.amount <> l.amount OR s.kwh <> l.kwh) AND (p_org IS NULL OR s.org_id = p_org)
UNION ALL
	SELECT 'resale', format('bill of the grid %s', s.number), format('%s is paid, issued bills charge %s', s.amount, r.charged)
	FROM elecbill.supply_bill s CROSS JOIN LATERAL elecbill._resale(s.parent_id, s.days) AS r
	WHERE s.live AND r.charged > s.amount AND (p_org IS NULL OR s.org_id = p_org)
		AND (p_since IS NULL OR upper(s.days) >= p_since - 62)
		AND EXISTS (SELECT FROM elecbill.allocation a JOIN elecbill.allocation_result x ON x.allocation_id = a.id
			JOIN elecbill.bill b ON b.id = x.bill_id AND b.number IS NOT NULL WHERE a.supply_bill_id = s.id AND a.state = 'done');
END;
COMMENT ON FUNCTION elecbill._fsck_supply(integer, date) IS
'broken invariants of what is shared and corrected: I11 shares add up and have the sign of the whole, shares and adjustments are on the bills that are noted, bills of the grid add up, no pool collects more than is paid';
