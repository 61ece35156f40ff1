-- tariff_plan: versions of tariffs in two times, who may approve them, and tariff_for()
SET client_min_messages = warning;
\set SHOW_CONTEXT never
\set VERBOSITY default
SET timezone = 'UTC';
SET datestyle = 'ISO';
CALL elecbill.create_schema();
SELECT elecbill.org_create('ONE', 'First house');
CREATE FUNCTION pg_temp.flat(price numeric, rest text DEFAULT '') RETURNS jsonb LANGUAGE sql
RETURN format('{"elecbill": 1, "currency": "CNY", "zone": "Asia/Shanghai", %s
	"components": [{"code": "energy", "kind": "energy", "price": %s}]}', rest, price)::jsonb;

-- a draft is checked when it is written
SELECT elecbill.tariff_draft('HOME', '[2025-01-01,)', pg_temp.flat(0.5), 'ann');
SELECT elecbill.tariff_draft('HOME', '[2025-01-01,)', '{"elecbill": 1, "currency": "CNY", "zone": "Asia/Shanghai"}', 'ann');
SELECT elecbill.tariff_draft('HOME', '[2025-01-01,)', pg_temp.flat(0.5) || '{"colour": "red"}', 'ann');
SELECT elecbill.tariff_draft('HOME', '[2025-01-01,)', pg_temp.flat(0.5) || '{"zone": "Europe/Berlin"}', 'ann');
SELECT elecbill.tariff_draft('HOME', '[2025-01-01,)', pg_temp.flat(0.5) || '{"currency": "EUR"}', 'ann');
SELECT elecbill.tariff_draft('HOME', '[2025-01-01,)', pg_temp.flat(0.5) || '{"net": {"mode": "barter"}}', 'ann');
SELECT :'LAST_ERROR_SQLSTATE' AS sqlstate;
SELECT elecbill.tariff_draft('HOME', '(,2025-01-01)', pg_temp.flat(0.5), 'ann');
SELECT elecbill.tariff_draft('HOME', 'empty', pg_temp.flat(0.5), 'ann');
SELECT elecbill.tariff_draft('HOME', '[2025-01-01,)', NULL, 'ann');
SELECT elecbill.tariff_draft('HOME', '[2025-01-01,)', pg_temp.flat(0.5), NULL);
-- and when it is changed
UPDATE elecbill.tariff_version SET definition = '{}' WHERE version = 1;
UPDATE elecbill.tariff_version SET definition = pg_temp.flat(0.51) WHERE version = 1;

-- a second person approves
SELECT elecbill.tariff_approve('HOME', 1, 'ann');
SELECT elecbill.tariff_approve('HOME', 1, NULL);
SELECT elecbill.tariff_approve('HOME', 7, 'bob');
SELECT elecbill.tariff_approve('HOUSE', 1, 'bob');
SELECT elecbill.tariff_approve('HOME', 1, 'bob');
SELECT elecbill.tariff_approve('HOME', 1, 'bob');

-- what is approved stays as it is
UPDATE elecbill.tariff_version SET definition = pg_temp.flat(9) WHERE version = 1;
UPDATE elecbill.tariff_version SET valid = '[2020-01-01,)' WHERE version = 1;
UPDATE elecbill.tariff_version SET status = 'draft' WHERE version = 1;
DELETE FROM elecbill.tariff_version WHERE version = 1;
INSERT INTO elecbill.tariff_version (org_id, tariff_plan_id, version, valid, known, definition, status,
	created_by, approved_by)
SELECT org_id, tariff_plan_id, 9, '[2026-01-01,2026-02-01)', known, definition, status, 'ann', 'bob'
FROM elecbill.tariff_version WHERE version = 1;

-- an open end gives way to the next price; anything else has to be said
SELECT elecbill.tariff_draft('HOME', '[2025-07-01,)', pg_temp.flat(0.56), 'ann');
SELECT elecbill.tariff_approve('HOME', 2, 'bob');
SELECT elecbill.tariff_draft('HOME', '[2025-03-01,2025-04-01)', pg_temp.flat(0.4), 'ann');
SELECT elecbill.tariff_approve('HOME', 3, 'bob');
SELECT pg_sleep(0.01);
SELECT elecbill.now() AS before_march \gset
SELECT elecbill.tariff_approve('HOME', 3, 'bob', true);
SELECT version, valid, status, upper_inf(known) AS open FROM elecbill.tariff_version ORDER BY valid, version, id;
-- the price of a day, today and as it was known before
SELECT day, elecbill.rate_total(elecbill.tariff_for('HOME', daterange(day, day + 1)),
		elecbill.usage_from(elecbill.tariff_for('HOME', daterange(day, day + 1)), '{"import_kwh": 100}')) AS now,
	elecbill.rate_total(elecbill.tariff_for('HOME', daterange(day, day + 1), :'before_march'),
		elecbill.usage_from(elecbill.tariff_for('HOME', daterange(day, day + 1), :'before_march'),
		'{"import_kwh": 100}')) AS known_before
FROM unnest('{2025-01-01,2025-02-28,2025-03-01,2025-03-31,2025-04-01,2025-06-30,2025-07-01}'::date[]) AS day;
SELECT elecbill.tariff_for('HOME', '[2025-01-01,2025-03-01)') IS NOT NULL AS one_version;
SELECT v.version ->> 'version' AS version, v.version -> 'valid' AS valid, v.version #>> '{tariff,components,0,price}' AS price
FROM jsonb_array_elements(elecbill.tariff_for('HOME', '[2025-02-01,2025-04-01)')::jsonb -> 'versions') AS v(version);
\set VERBOSITY terse
SELECT elecbill.tariff_for('HOME', '[2024-12-01,2025-02-01)');
SELECT elecbill.tariff_for('HOME', '[2024-01-01,2024-02-01)');
SELECT elecbill.tariff_for('HOME', '[2025-01-01,2025-02-01)', '2001-01-01 00:00+00');
SELECT elecbill.tariff_for('HOME', '[2025-01-01,)');
SELECT elecbill.tariff_for('HOME', NULL);
SELECT elecbill.tariff_for('HOUSE', '[2025-01-01,2025-02-01)');
SELECT elecbill.tariff_for(NULL, '[2025-01-01,2025-02-01)');

-- holidays come from the calendar the tariff names, or that of its plan, for the days asked and one more
SELECT elecbill.calendar_create('ONE', 'CN', '{sun}');
SELECT elecbill.calendar_day_set('ONE', 'CN', day, tags) FROM (VALUES (date '2025-01-01', '{holiday}'::text[]),
	('2025-01-26', '{makeup}'), ('2025-02-01', '{spring_festival,holiday}'), ('2025-02-02', '{holiday}')) AS v(day, tags);
SELECT elecbill.tariff_draft('CAL', '[2025-01-01,)', pg_temp.flat(0.5, '"calendar": "CN",'), 'ann');
SELECT elecbill.tariff_approve('CAL', 1, 'bob');
SELECT elecbill.tariff_for('CAL', '[2025-01-02,2025-02-01)')::jsonb -> 'calendar' AS named;
SELECT elecbill.tariff_for('HOME', '[2025-01-02,2025-02-01)')::jsonb ? 'calendar' AS none;
UPDATE elecbill.tariff_plan SET calendar_id = (SELECT id FROM elecbill.calendar) WHERE code = 'HOME';
SELECT elecbill.tariff_for('HOME', '[2025-01-02,2025-02-01)')::jsonb -> 'calendar' = elecbill.tariff_for('CAL', '[2025-01-02,2025-02-01)')::jsonb -> 'calendar' AS of_the_plan;
SELECT elecbill.tariff_draft('CAL', '[2025-01-01,)', pg_temp.flat(0.5, '"calendar": "DE",'), 'ann');
SELECT elecbill.tariff_approve('CAL', 2, 'bob', true);
SELECT elecbill.tariff_for('CAL', '[2025-01-02,2025-02-01)');

-- with a second house the code alone may not be enough
SELECT elecbill.org_create('TWO', 'Second house');
SELECT elecbill.tariff_draft('SHOP', '[2025-01-01,)', pg_temp.flat(0.5), 'ann');
SELECT elecbill.tariff_draft('TWO/HOME', '[2025-01-01,)', pg_temp.flat(0.7), 'ann');
SELECT elecbill.tariff_approve('HOME', 1, 'bob');
SELECT elecbill.tariff_approve('TWO/HOME', 1, 'bob');
SELECT o.code, p.code, count(v.id) FROM elecbill.org o JOIN elecbill.tariff_plan p ON p.org_id = o.id
LEFT JOIN elecbill.tariff_version v ON v.tariff_plan_id = p.id GROUP BY o.code, p.code ORDER BY 1, 2;
SELECT * FROM elecbill.fsck();
