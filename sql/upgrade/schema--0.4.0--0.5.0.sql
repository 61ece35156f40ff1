-- schema--0.4.0--0.5.0.sql: money, the life of bills, validation of readings, roles; what tables of
-- 0.4.0 lack, and calls that changed their shape. What this does to rows: rows--0.4.0--0.5.0.sql

-- they read rows of bills and runs, which change their shape here
DROP FUNCTION IF EXISTS elecbill._bill_run_cut(elecbill.bill_run, bigint[]);

DROP FUNCTION IF EXISTS elecbill._bill_exception(elecbill.bill_run, bigint, text, text, text, text, text, text);

DROP FUNCTION IF EXISTS elecbill._explain_lines(elecbill.bill, text, text);

ALTER TABLE elecbill.customer
	ADD COLUMN tags text[] NOT NULL DEFAULT '{}' CONSTRAINT customer_tags_check CHECK (tags <@ '{no_bill,no_dun,medical}');

ALTER TABLE elecbill.customer_account
	ADD COLUMN mode text NOT NULL DEFAULT 'postpaid' CONSTRAINT customer_account_mode_check CHECK (mode IN ('postpaid', 'prepaid'));

ALTER TABLE elecbill.usage_point
	ADD COLUMN priority boolean NOT NULL DEFAULT false,
	DROP CONSTRAINT usage_point_kind_check,
	ADD CONSTRAINT usage_point_kind_check CHECK (kind IN ('consumer', 'common', 'charging', 'parent'));

ALTER TABLE elecbill.meter_register
	ADD COLUMN adds boolean NOT NULL DEFAULT false,
	ADD CONSTRAINT meter_register_adds_check CHECK (NOT adds OR code ~ '^1\.8\.' AND code <> '1.8.0');

CREATE INDEX meter_register_adds_idx ON elecbill.meter_register (meter_id) WHERE adds;

ALTER TABLE elecbill.meter_model
	ADD COLUMN max_w bigint CONSTRAINT meter_model_max_w_check CHECK (max_w > 0);

ALTER TABLE elecbill.import_job
	ALTER COLUMN usage_point_id DROP NOT NULL,
	DROP CONSTRAINT import_job_kind_check,
	ADD CONSTRAINT import_job_kind_check CHECK (kind IN ('csv', 'nem12', 'nem13', 'espi', 'readings', 'opening', 'parallel', 'prices')),
	ADD CONSTRAINT import_job_point_check CHECK ((kind IN ('csv', 'nem12', 'nem13', 'espi')) = (usage_point_id IS NOT NULL));

CREATE UNIQUE INDEX import_job_readings_once ON elecbill.import_job (org_id, sha256)
	WHERE kind = 'readings' AND state = 'done' AND NOT dry_run;

CREATE UNIQUE INDEX import_job_opening_once ON elecbill.import_job (org_id, sha256)
	WHERE kind = 'opening' AND state = 'done' AND NOT dry_run;

-- who bills already is live; new orgs begin as a sandbox
ALTER TABLE elecbill.org
	ADD COLUMN state text NOT NULL DEFAULT 'live' CONSTRAINT org_state_check CHECK (state IN ('sandbox', 'live')),
	ADD COLUMN live_at timestamptz DEFAULT elecbill.now(),
	ADD COLUMN emptying xid8,
	ADD CONSTRAINT org_live_check CHECK ((state = 'live') = (live_at IS NOT NULL)),
	ADD CONSTRAINT org_emptying_check CHECK (emptying IS NULL OR state = 'sandbox');

ALTER TABLE elecbill.org
	ALTER COLUMN state SET DEFAULT 'sandbox',
	ALTER COLUMN live_at DROP DEFAULT;

-- runs by number; a run of before is as complete as it was known then
ALTER TABLE elecbill.bill_run
	ADD COLUMN seq integer NOT NULL DEFAULT 1 CONSTRAINT bill_run_seq_check CHECK (seq > 0),
	ADD COLUMN cutoff_at timestamptz,
	ADD COLUMN approved_at timestamptz,
	ADD COLUMN approved_by text,
	ADD COLUMN approved_bills integer,
	ADD COLUMN approved_amount numeric(16,2),
	ADD COLUMN account_id bigint,
	DROP CONSTRAINT bill_run_kind_check,
	ADD CONSTRAINT bill_run_kind_check CHECK (kind IN ('regular', 'offcycle', 'final', 'rebill')),
	DROP CONSTRAINT bill_run_status_check,
	ADD CONSTRAINT bill_run_status_check
		CHECK (status IN ('new', 'rating', 'review', 'issuing', 'done', 'cancelled')),
	ADD CONSTRAINT bill_run_approved_check CHECK (num_nulls(approved_at, approved_by, approved_bills, approved_amount) IN (0, 4)),
	ADD CONSTRAINT bill_run_account_fkey FOREIGN KEY (org_id, account_id)
		REFERENCES elecbill.customer_account (org_id, id);

UPDATE elecbill.bill_run SET cutoff_at = known_at;

ALTER TABLE elecbill.bill_run
	ALTER COLUMN cutoff_at SET NOT NULL,
	ALTER COLUMN cutoff_at SET DEFAULT elecbill.now(),
	DROP CONSTRAINT bill_run_cycle_period_kind_key,
	ADD CONSTRAINT bill_run_cycle_period_kind_key UNIQUE (org_id, cycle_id, period, kind, seq);

CREATE INDEX bill_run_account_idx ON elecbill.bill_run (account_id) WHERE account_id IS NOT NULL;

-- lines without energy of their own
ALTER TABLE elecbill.bill_line
	ALTER COLUMN segment_id DROP NOT NULL,
	ADD CONSTRAINT bill_line_segment_check CHECK (segment_id IS NOT NULL
		OR kind IN ('true_up', 'adjustment', 'allocation', 'opening'));

ALTER TABLE elecbill.bill ADD COLUMN late_fee numeric(14,2) NOT NULL DEFAULT 0
	CONSTRAINT bill_late_fee_check CHECK (late_fee >= 0);

-- bills of former versions were made with tax_amount 0
ALTER TABLE elecbill.bill DISABLE TRIGGER bill_frozen;

UPDATE elecbill.bill b SET tax_amount = s.tax
FROM (SELECT l.bill_id, sum(l.amount) AS tax FROM elecbill.bill_line l
	WHERE l.kind = 'vat' OR l.grp = 'tax' GROUP BY l.bill_id) AS s
WHERE s.bill_id = b.id AND s.tax <> b.tax_amount;

ALTER TABLE elecbill.bill ENABLE TRIGGER bill_frozen;

-- they take other arguments now; a second one of that name would be ambiguous
DROP FUNCTION IF EXISTS elecbill.cancel_bill(text, text);

DROP FUNCTION IF EXISTS elecbill.command_take(text, text, integer);

DROP FUNCTION IF EXISTS elecbill._rate_account(bigint, daterange, timestamptz, jsonb);

DROP FUNCTION IF EXISTS elecbill._rate_scopes(jsonb, jsonb, bigint, bigint, date, daterange, jsonb);

DROP FUNCTION IF EXISTS elecbill._segment_usage(elecbill.tariff, elecbill.meter_installation, bigint, bigint, tstzrange, timestamptz[]);

DROP FUNCTION IF EXISTS elecbill.fsck();

DROP FUNCTION IF EXISTS elecbill._fsck_reading();

DROP FUNCTION IF EXISTS elecbill._fsck_profile();

DROP FUNCTION IF EXISTS elecbill._fsck_packed();

DROP FUNCTION IF EXISTS elecbill._fsck_bill();

DROP FUNCTION IF EXISTS elecbill._fsck_energy();

DROP FUNCTION IF EXISTS elecbill._fsck_run();

DROP FUNCTION IF EXISTS elecbill._unbilled_days(bigint, bigint, date, date, daterange);

-- the one tells the instant, too; the other rests on it
DROP FUNCTION IF EXISTS elecbill._ingest_rows(integer, text[], text[], timestamptz[], numeric[], integer[], timestamptz[], timestamptz, timestamptz);

DROP FUNCTION IF EXISTS elecbill._reading_before(bigint, timestamptz, timestamptz);

-- others do their work
DROP FUNCTION IF EXISTS elecbill._bill_account(elecbill.bill_run, bigint);

DROP FUNCTION IF EXISTS elecbill._rate_segments(elecbill.customer_agreement, tstzrange, elecbill.tariff, integer);

DROP FUNCTION IF EXISTS elecbill._segment_check(bigint, bigint, tstzrange, bigint, timestamptz, timestamptz);

DROP FUNCTION IF EXISTS elecbill._tier_before(bigint, bigint, date, date, daterange);

DROP FUNCTION IF EXISTS elecbill._parts_kwh(jsonb, bigint, date, date);

DROP FUNCTION IF EXISTS elecbill._billed_readings(bigint, tstzrange);

DROP FUNCTION IF EXISTS elecbill._svg_axes(daterange, numeric, text);

DROP FUNCTION IF EXISTS elecbill._bill_statistics_empty();

-- tables 11_audit.sql 13_member.sql 31_reading_effective.sql 40_bill_life.sql 40_opening.sql 42_bill_part.sql 42_bill_price.sql 47_*.sql 6[4-9]_*.sql [789]?_*.sql
