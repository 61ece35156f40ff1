-- 42_bill_part.sql: what is rated together
-- To begin a query takes longer than to rate a bill. So the accounts of a batch are rated in steps, and each
-- step is one query over all of them: whose agreements, their energy, what was used before, the lines.

CREATE TYPE elecbill.tier_before AS (
	scope		text,
	since		date,
	open_days	datemultirange,
	later		daterange,
	kwh			numeric,
	taken		date
);
COMMENT ON TYPE elecbill.tier_before IS 'what earlier bills have to say about a tier scope of an agreement';
COMMENT ON COLUMN elecbill.tier_before.scope IS 'month, quarter or year';
COMMENT ON COLUMN elecbill.tier_before.since IS 'first local day of that month, quarter or year';
COMMENT ON COLUMN elecbill.tier_before.open_days IS 'days since then that are to be billed first';
COMMENT ON COLUMN elecbill.tier_before.later IS 'days of a later bill that has counted without this one; NULL: there is none';
COMMENT ON COLUMN elecbill.tier_before.kwh IS 'kWh on live bills since then';
COMMENT ON COLUMN elecbill.tier_before.taken IS 'first local day behind what the account brought along from the system before; NULL: nothing';

CREATE TYPE elecbill.bill_part AS (
	account_id	bigint,
	period		daterange,
	agreement	elecbill.customer_agreement,
	days		daterange,
	zone		text,
	span		tstzrange,
	attrs		jsonb,
	price		integer,
	segments	elecbill.bill_segment[],
	summary		elecbill.usage_summary,
	usage		jsonb,
	missing_s	bigint,
	ctx			jsonb,
	rated		jsonb
);
COMMENT ON TYPE elecbill.bill_part IS 'an agreement over the days of a bill that is being rated; each step fills in more of it';
COMMENT ON COLUMN elecbill.bill_part.account_id IS 'customer_account.id';
COMMENT ON COLUMN elecbill.bill_part.period IS 'local days that the bill is asked for, [from, to)';
COMMENT ON COLUMN elecbill.bill_part.agreement IS 'the agreement';
COMMENT ON COLUMN elecbill.bill_part.days IS 'its days in the period';
COMMENT ON COLUMN elecbill.bill_part.zone IS 'zone of the org';
COMMENT ON COLUMN elecbill.bill_part.span IS 'from the midnight that begins these days to the one that ends them';
COMMENT ON COLUMN elecbill.bill_part.attrs IS 'ctx.attrs of rate(): what is known of the agreement on its first day';
COMMENT ON COLUMN elecbill.bill_part.price IS 'number of its plan_price';
COMMENT ON COLUMN elecbill.bill_part.segments IS 'energy by meter, numbered through the bill from 1';
COMMENT ON COLUMN elecbill.bill_part.summary IS 'all of them as one';
COMMENT ON COLUMN elecbill.bill_part.usage IS 'the same in its JSON form';
COMMENT ON COLUMN elecbill.bill_part.missing_s IS 'seconds of these days without measured energy';
COMMENT ON COLUMN elecbill.bill_part.ctx IS 'ctx of rate()';
COMMENT ON COLUMN elecbill.bill_part.rated IS 'its entry in parts of bill.snapshot';

CREATE TYPE elecbill.bill_draft AS (
	bill_id		bigint,
	account_id	bigint,
	kind		text,
	days		daterange,
	service		daterange,
	segments	elecbill.bill_segment[],
	lines		elecbill.bill_line[],
	snapshot	jsonb,
	missing_s	bigint
);
COMMENT ON TYPE elecbill.bill_draft IS 'a bill that is rated and not yet written';
COMMENT ON COLUMN elecbill.bill_draft.bill_id IS 'the id it will have; NULL: it is not to be written yet';
COMMENT ON COLUMN elecbill.bill_draft.account_id IS 'who owes it';
COMMENT ON COLUMN elecbill.bill_draft.kind IS 'as in bill; NULL: as bill_id';
COMMENT ON COLUMN elecbill.bill_draft.days IS 'the days that were asked for';
COMMENT ON COLUMN elecbill.bill_draft.service IS 'those of them it covers';
COMMENT ON COLUMN elecbill.bill_draft.segments IS 'numbered from 1';
COMMENT ON COLUMN elecbill.bill_draft.lines IS 'segment_id is the number of the segment';
COMMENT ON COLUMN elecbill.bill_draft.snapshot IS 'as in bill';
COMMENT ON COLUMN elecbill.bill_draft.missing_s IS 'seconds of the days without measured energy';

CREATE FUNCTION elecbill._bill_parts(p_accounts bigint[], p_periods daterange[], OUT parts elecbill.bill_part[], OUT alone bigint[])
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	SELECT array_agg(ROW(x.account_id, x.period, x.agreement, x.days, x.zone,
		tstzrange(elecbill.day_start(lower(x.days), x.zone), elecbill.day_start(upper(x.days), x.zone)), x.attrs, x.price,
		NULL, NULL, NULL, NULL, NULL, NULL)::elecbill.bill_part ORDER BY x.i, lower(x.days), (x.agreement).id)
	INTO parts
	FROM (SELECT a.i, a.id AS account_id, a.period, g AS agreement, g.valid * a.period AS days, o.zone,
			dense_rank() OVER (ORDER BY g.tariff_plan_id, g.valid * a.period) AS price,
			coalesce((
			SELECT jsonb_object_agg(CASE t.name WHEN 'household_size' THEN 'persons' ELSE t.name END, t.value)
			FROM elecbill.agreement_attribute t
			WHERE t.agreement_id = g.id AND t.valid @> lower(g.valid * a.period)), '{}') AS attrs
		FROM unnest(p_accounts, p_periods) WITH ORDINALITY AS a(id, period, i)
		JOIN elecbill.customer_agreement g ON g.account_id = a.id AND g.valid && a.period
		JOIN elecbill.org o ON o.id = g.org_id) AS x;
	alone := ARRAY(SELECT a.id FROM unnest(p_accounts) WITH ORDINALITY AS a(id, i)
		WHERE a.id NOT IN (SELECT p.account_id FROM unnest(parts) AS p) ORDER BY a.i);
	IF parts IS NULL AND cardinality(p_accounts) = 1 THEN
		RAISE EXCEPTION USING
			ERRCODE = 'UB404',
			CONSTRAINT = 'no_agreement',
			MESSAGE = format('account %s has no agreement in %s',
				(SELECT account_no FROM elecbill.customer_account WHERE id = p_accounts[1]), p_periods[1]),
			HINT = 'An agreement says which usage point the account pays for, by which tariff.';
	END IF;
END $$;
COMMENT ON FUNCTION elecbill._bill_parts(bigint[], daterange[]) IS
'the agreements of accounts, each with the days that are to be billed of it, in the order of the accounts. alone: accounts that have none; UB404 no_agreement when it is the only one';

CREATE FUNCTION elecbill._parts_left(p_parts elecbill.bill_part[], p_alone bigint[]) RETURNS elecbill.bill_part[]
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	part elecbill.bill_part;
	left_over elecbill.bill_part[];
BEGIN
	FOREACH part IN ARRAY coalesce(p_parts, '{}') LOOP
		IF part.account_id <> ALL (p_alone) THEN
			left_over := left_over || part;
		END IF;
	END LOOP;
	RETURN left_over;
END $$;
COMMENT ON FUNCTION elecbill._parts_left(elecbill.bill_part[], bigint[]) IS 'agreements without those of some accounts; NULL: none is left';
