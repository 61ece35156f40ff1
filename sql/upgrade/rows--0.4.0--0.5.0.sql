-- rows--0.4.0--0.5.0.sql: orgs get the rules for readings and alarms, and their jobs; bills that were issued before there was a
-- ledger are booked on their days of issue. What somebody had set as paid came from where nobody
-- knows: it is booked against opening. Credit of bills below 0 pays what is open.

-- a function of this version, so not before
ALTER TABLE elecbill.bill ALTER created_at SET DEFAULT elecbill._reading_now();

INSERT INTO elecbill.vee_rule (org_id, code, version, severity, params, known)
SELECT o.id, d.code, 1, d.severity, d.params, tstzrange(elecbill.now(), NULL)
FROM elecbill.org AS o CROSS JOIN elecbill._vee_default() AS d
ON CONFLICT DO NOTHING;

INSERT INTO elecbill.alarm_rule (org_id, code, severity, params, span, action, valid)
SELECT o.id, d.code, d.severity, d.params, d.span, d.action, daterange(elecbill._today(o.id), NULL)
FROM elecbill.org AS o CROSS JOIN elecbill._alarm_default() AS d
WHERE NOT EXISTS (SELECT FROM elecbill.alarm_rule r WHERE r.org_id = o.id AND r.code = d.code);

PERFORM elecbill._job_defaults(NULL);
PERFORM elecbill._job_defaults(o.id) FROM elecbill.org o;

DECLARE
	batch record;
	one record;
BEGIN
	FOR batch IN
		SELECT b.org_id, (b.issued_at AT TIME ZONE o.zone)::date AS day, array_agg(b.id ORDER BY b.id) AS bills
		FROM elecbill.bill b JOIN elecbill.org o ON o.id = b.org_id
		WHERE b.status NOT IN ('draft', 'held', 'cancelled')
		GROUP BY 1, 2 ORDER BY 1, 2
	LOOP
		PERFORM elecbill._post_bills(batch.org_id, batch.bills, batch.day);
	END LOOP;
	FOR one IN SELECT b.*, elecbill._today(b.org_id) AS today FROM elecbill.bill b
		WHERE b.status NOT IN ('draft', 'held', 'cancelled') AND (b.paid <> 0 OR b.status = 'written_off') ORDER BY b.id
	LOOP
		IF one.paid > 0 THEN
			PERFORM elecbill._post(one.org_id, 'apply:upgrade:' || one.id, elecbill._ledger_account(one.org_id, 'opening'),
				elecbill._ledger_account(one.org_id, 'receivable', one.account_id), one.paid, 'apply', one.today, one.id);
		ELSIF one.paid < 0 THEN
			PERFORM elecbill._post(one.org_id, 'credit:upgrade:' || one.id,
				elecbill._ledger_account(one.org_id, 'receivable', one.account_id),
				elecbill._ledger_account(one.org_id, 'opening'), -one.paid, 'credit', one.today, one.id);
		END IF;
		IF one.status = 'written_off' AND one.amount > one.paid THEN
			PERFORM elecbill._post(one.org_id, 'write_off:upgrade:' || one.id, elecbill._ledger_account(one.org_id, 'write_off'),
				elecbill._ledger_account(one.org_id, 'receivable', one.account_id), one.amount - one.paid, 'write_off', one.today,
				one.id);
		END IF;
	END LOOP;
	FOR batch IN SELECT b.org_id, elecbill._today(b.org_id) AS today, array_agg(b.id) AS bills FROM elecbill.bill b
		WHERE b.status IN ('issued', 'partly_paid', 'overdue') AND b.amount < 0 AND b.paid = 0 GROUP BY b.org_id
	LOOP
		PERFORM elecbill._advance_settle(batch.org_id, batch.bills, batch.today);
	END LOOP;
END;
