-- 41_bill_guard.sql: what may happen to a bill after it was written

CREATE FUNCTION elecbill._bill_move() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF OLD.status <> NEW.status AND NEW.status <> ALL (CASE OLD.status
		WHEN 'draft' THEN '{held,cancelled}'
		WHEN 'held' THEN '{draft,cancelled}'
		WHEN 'issued' THEN '{partly_paid,paid,overdue,cancelled,written_off}'
		WHEN 'partly_paid' THEN '{issued,paid,overdue,written_off}'
		WHEN 'overdue' THEN '{partly_paid,paid,cancelled,written_off}'
		WHEN 'paid' THEN '{issued,partly_paid,overdue}'
		WHEN 'written_off' THEN '{issued,partly_paid,overdue}'
		ELSE '{}' END::text[])
	THEN
		RAISE EXCEPTION USING
			ERRCODE = 'UB412',
			MESSAGE = format('a bill that is %s cannot become %s', OLD.status, NEW.status),
			DETAIL = format('Bill %s.', coalesce(OLD.number, OLD.id::text));
	END IF;
	IF (OLD.number, OLD.issued_at, OLD.due_on)
		IS DISTINCT FROM (NEW.number, NEW.issued_at, NEW.due_on)
	THEN
		RAISE EXCEPTION USING
			ERRCODE = 'UB412',
			MESSAGE = 'a bill gets its number and its dates when it is issued, and keeps them';
	END IF;
	IF OLD.status = 'held' AND NEW.status = 'draft' THEN
		-- its batch may have been issued without it
		UPDATE elecbill.bill_run_batch SET issue_state = 'pending'
		WHERE run_id = NEW.run_id AND NEW.account_id = ANY (account_ids);
		UPDATE elecbill.bill_run SET status = 'review', approved_at = NULL, approved_by = NULL, approved_bills = NULL,
			approved_amount = NULL
		WHERE id = NEW.run_id AND status = 'done';
	END IF;
	RETURN NEW;
END $$;
COMMENT ON FUNCTION elecbill._bill_move() IS
'row trigger of bill: only the moves of its state (UB412), a held bill that is let go can be issued';

CREATE FUNCTION elecbill._bill_adds_up() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	lines numeric := (SELECT coalesce(sum(l.amount), 0) FROM elecbill.bill_line l WHERE l.bill_id = NEW.id);
BEGIN
	IF lines <> NEW.amount THEN
		RAISE EXCEPTION USING
			ERRCODE = 'UB422',
			MESSAGE = 'the lines of the bill do not add up to its amount',
			DETAIL = format('Bill %s has %s, its lines have %s.', NEW.id, NEW.amount, lines);
	END IF;
	RETURN NEW;
END $$;
COMMENT ON FUNCTION elecbill._bill_adds_up() IS 'row trigger of bill: what is issued adds up (UB422)';

-- issuing is the one move that a run makes by the thousand: it is known by the condition, not by a call
CREATE TRIGGER bill_issue BEFORE UPDATE OF status ON elecbill.bill
	FOR EACH ROW WHEN (OLD.status = 'draft' AND NEW.status = 'issued') EXECUTE FUNCTION elecbill._bill_adds_up();
COMMENT ON TRIGGER bill_issue ON elecbill.bill IS 'lines add up when a draft is issued';
CREATE TRIGGER bill_move
	BEFORE UPDATE OF status, number, issued_at, due_on, paid, cancel_reason ON elecbill.bill
	FOR EACH ROW WHEN (NOT (OLD.status = 'draft' AND NEW.status = 'issued')) EXECUTE FUNCTION elecbill._bill_move();
COMMENT ON TRIGGER bill_move ON elecbill.bill IS 'legal moves of the state, but that of issuing';
-- a column list looks at the SET list alone, so that issuing does not compare the snapshots
CREATE TRIGGER bill_frozen
	BEFORE UPDATE OF id, org_id, account_id, run_id, kind, service, amount, tax_amount, snapshot,
		supersedes_id, created_at ON elecbill.bill
	FOR EACH ROW EXECUTE FUNCTION elecbill._append_only();
COMMENT ON TRIGGER bill_frozen ON elecbill.bill IS 'what was rated does not change';
CREATE TRIGGER bill_keep BEFORE DELETE ON elecbill.bill
	FOR EACH ROW EXECUTE FUNCTION elecbill._append_only();
COMMENT ON TRIGGER bill_keep ON elecbill.bill IS 'no DELETE; cancel_bill() takes a bill back';
CREATE TRIGGER bill_keep_all BEFORE TRUNCATE ON elecbill.bill
	FOR EACH STATEMENT EXECUTE FUNCTION elecbill._append_only();
COMMENT ON TRIGGER bill_keep_all ON elecbill.bill IS 'no TRUNCATE';

CREATE TRIGGER bill_segment_keep BEFORE UPDATE OR DELETE ON elecbill.bill_segment
	FOR EACH ROW EXECUTE FUNCTION elecbill._append_only();
COMMENT ON TRIGGER bill_segment_keep ON elecbill.bill_segment IS 'no UPDATE, no DELETE';
CREATE TRIGGER bill_segment_keep_all BEFORE TRUNCATE ON elecbill.bill_segment
	FOR EACH STATEMENT EXECUTE FUNCTION elecbill._append_only();
COMMENT ON TRIGGER bill_segment_keep_all ON elecbill.bill_segment IS 'no TRUNCATE';

CREATE TRIGGER bill_line_keep BEFORE UPDATE OR DELETE ON elecbill.bill_line
	FOR EACH ROW EXECUTE FUNCTION elecbill._append_only();
COMMENT ON TRIGGER bill_line_keep ON elecbill.bill_line IS 'no UPDATE, no DELETE';
CREATE TRIGGER bill_line_keep_all BEFORE TRUNCATE ON elecbill.bill_line
	FOR EACH STATEMENT EXECUTE FUNCTION elecbill._append_only();
COMMENT ON TRIGGER bill_line_keep_all ON elecbill.bill_line IS 'no TRUNCATE';

-- Days that are billed stay with who paid for them, and with the meter they were measured by: else
-- another account, or another meter, would be billed for them once more.
CREATE FUNCTION elecbill._agreement_billed() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	billed record;
BEGIN
	PERFORM FROM elecbill.customer_account WHERE id = OLD.account_id FOR NO KEY UPDATE;	/* as _bill_batch() */
	SELECT coalesce(b.number, '#' || b.id) AS name, b.service INTO billed
	FROM elecbill.bill b, jsonb_array_elements(b.snapshot -> 'parts') AS p(part)
	WHERE b.account_id = OLD.account_id AND b.live AND upper(b.service) > upper(NEW.valid)
		AND (p.part ->> 'agreement_id')::bigint = OLD.id AND (p.part ->> 'to')::date > upper(NEW.valid)
	ORDER BY b.service LIMIT 1;
	IF FOUND THEN
		RAISE EXCEPTION USING
			ERRCODE = 'UB409',
			MESSAGE = 'days behind the end of the agreement are billed',
			DETAIL = format('Bill %s covers %s to %s.', billed.name, to_char(lower(billed.service), 'YYYY-MM-DD'),
				to_char(upper(billed.service) - 1, 'YYYY-MM-DD')),
			HINT = 'Cancel that bill first.';
	END IF;
	RETURN NEW;
END $$;
COMMENT ON FUNCTION elecbill._agreement_billed() IS
'row trigger of customer_agreement: it does not end before the last day of a live bill (UB409)';
CREATE TRIGGER customer_agreement_billed BEFORE UPDATE OF valid ON elecbill.customer_agreement
	FOR EACH ROW EXECUTE FUNCTION elecbill._agreement_billed();
COMMENT ON TRIGGER customer_agreement_billed ON elecbill.customer_agreement IS 'billed days stay';

CREATE FUNCTION elecbill._installation_billed() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	name text := (SELECT coalesce(b.number, '#' || b.id)
		FROM elecbill.bill_segment s JOIN elecbill.bill b ON b.id = s.bill_id
		WHERE s.installation_id = OLD.id AND b.live AND upper(s.during) > upper(NEW.valid)
		ORDER BY s.during LIMIT 1);
BEGIN
	IF name IS NOT NULL THEN
		RAISE EXCEPTION USING
			ERRCODE = 'UB409',
			MESSAGE = 'energy that the meter measured behind this instant is billed',
			DETAIL = format('Bill %s rests on a later reading of it.', name),
			HINT = 'Cancel that bill first.';
	END IF;
	RETURN NEW;
END $$;
COMMENT ON FUNCTION elecbill._installation_billed() IS
'row trigger of meter_installation: it does not end before the last reading of a live bill (UB409)';
CREATE TRIGGER meter_installation_billed BEFORE UPDATE OF valid ON elecbill.meter_installation
	FOR EACH ROW EXECUTE FUNCTION elecbill._installation_billed();
COMMENT ON TRIGGER meter_installation_billed ON elecbill.meter_installation IS 'billed energy stays';

-- Not "no line for an issued bill": a restore of data into a fresh schema inserts such lines.
CREATE FUNCTION elecbill._bill_line_sum() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	wrong record;
BEGIN
	-- by key: a join was planned while there were few bills, and read all of them
	SELECT s.* INTO wrong
	FROM (SELECT a.bill_id AS id,
			(SELECT b.amount FROM elecbill.bill b WHERE b.id = a.bill_id) AS amount,
			(SELECT sum(l.amount) FROM elecbill.bill_line l WHERE l.bill_id = a.bill_id) AS lines
		FROM (SELECT DISTINCT x.bill_id FROM added x) AS a) AS s
	WHERE s.amount <> s.lines LIMIT 1;
	IF FOUND THEN
		RAISE EXCEPTION USING
			ERRCODE = 'UB422',
			MESSAGE = 'the lines of the bill do not add up to its amount',
			DETAIL = format('Bill %s has %s, its lines have %s.', wrong.id, wrong.amount, wrong.lines);
	END IF;
	RETURN NULL;
END $$;
COMMENT ON FUNCTION elecbill._bill_line_sum() IS
'statement trigger of bill_line: the lines of a bill are inserted together and add up to its amount (UB422)';
CREATE TRIGGER bill_line_sum AFTER INSERT ON elecbill.bill_line
	REFERENCING NEW TABLE AS added
	FOR EACH STATEMENT EXECUTE FUNCTION elecbill._bill_line_sum();
COMMENT ON TRIGGER bill_line_sum ON elecbill.bill_line IS 'lines add up';
