-- 40_bill.sql: bills, what they rest on, and the gapless numbers
-- A bill, its segments (whose energy, between which two readings) and its lines are written once.
-- Afterwards only the state of a bill moves; a correction is another bill.

CREATE TABLE elecbill.number_counter (
	org_id		integer NOT NULL CONSTRAINT number_counter_org_fkey REFERENCES elecbill.org,
	kind		text NOT NULL CONSTRAINT number_counter_kind_check CHECK (kind <> ''),
	year		smallint NOT NULL CONSTRAINT number_counter_year_check CHECK (year BETWEEN 1900 AND 9999),
	last		bigint NOT NULL CONSTRAINT number_counter_last_check CHECK (last >= 0),
	CONSTRAINT number_counter_pkey PRIMARY KEY (org_id, kind, year)
) WITH (fillfactor = 50);
COMMENT ON TABLE elecbill.number_counter IS
'last number given out. A row, not a sequence: a number is taken in the transaction that uses it, so none is ever missing';
COMMENT ON COLUMN elecbill.number_counter.org_id IS 'owner';
COMMENT ON COLUMN elecbill.number_counter.kind IS 'what is numbered: bill';
COMMENT ON COLUMN elecbill.number_counter.year IS 'year of issue by the wall clock of the org';
COMMENT ON COLUMN elecbill.number_counter.last IS 'the last number given out, 0 before the first';

CREATE TABLE elecbill.tariff_snapshot (
	sha256		bytea CONSTRAINT tariff_snapshot_pkey PRIMARY KEY,
	definition	jsonb NOT NULL,
	CONSTRAINT tariff_snapshot_sha256_check
		CHECK (sha256 = sha256(convert_to(definition::text, 'UTF8')))
);
COMMENT ON TABLE elecbill.tariff_snapshot IS
'the very tariffs that bills were rated by, calendar days included; one row for all bills with the same';
COMMENT ON COLUMN elecbill.tariff_snapshot.sha256 IS
'sha256 of definition::text in UTF-8; bill.snapshot refers to it';
COMMENT ON COLUMN elecbill.tariff_snapshot.definition IS 'the tariff in its JSON form';
CREATE TRIGGER tariff_snapshot_keep BEFORE UPDATE OR DELETE ON elecbill.tariff_snapshot
	FOR EACH ROW EXECUTE FUNCTION elecbill._append_only();
COMMENT ON TRIGGER tariff_snapshot_keep ON elecbill.tariff_snapshot IS 'no UPDATE, no DELETE';
CREATE TRIGGER tariff_snapshot_keep_all BEFORE TRUNCATE ON elecbill.tariff_snapshot
	FOR EACH STATEMENT EXECUTE FUNCTION elecbill._append_only();
COMMENT ON TRIGGER tariff_snapshot_keep_all ON elecbill.tariff_snapshot IS 'no TRUNCATE';

CREATE TABLE elecbill.bill_run (
	id			bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT bill_run_pkey PRIMARY KEY,
	org_id		integer NOT NULL,
	cycle_id	bigint NOT NULL,
	period		daterange NOT NULL CONSTRAINT bill_run_period_check
				CHECK (NOT isempty(period) AND NOT lower_inf(period) AND NOT upper_inf(period)),
	kind		text NOT NULL CONSTRAINT bill_run_kind_check
				CHECK (kind IN ('regular', 'offcycle', 'final', 'rebill')),
	known_at	timestamptz NOT NULL,
	started_at	timestamptz,
	status		text NOT NULL DEFAULT 'new' CONSTRAINT bill_run_status_check
				CHECK (status IN ('new', 'rating', 'review', 'issuing', 'done', 'cancelled')),
	seq			integer NOT NULL DEFAULT 1 CONSTRAINT bill_run_seq_check CHECK (seq > 0),
	cutoff_at	timestamptz NOT NULL DEFAULT elecbill.now(),
	approved_at	timestamptz,
	approved_by	text,
	approved_bills integer,
	approved_amount numeric(16,2),
	account_id	bigint,
	CONSTRAINT bill_run_org_id_key UNIQUE (org_id, id),
	CONSTRAINT bill_run_cycle_period_kind_key UNIQUE (org_id, cycle_id, period, kind, seq),
	CONSTRAINT bill_run_approved_check CHECK (num_nulls(approved_at, approved_by, approved_bills, approved_amount) IN (0, 4)),
	CONSTRAINT bill_run_cycle_fkey FOREIGN KEY (org_id, cycle_id)
		REFERENCES elecbill.billing_cycle (org_id, id),
	CONSTRAINT bill_run_account_fkey FOREIGN KEY (org_id, account_id)
		REFERENCES elecbill.customer_account (org_id, id)
);
CREATE INDEX bill_run_account_idx ON elecbill.bill_run (account_id) WHERE account_id IS NOT NULL;
COMMENT ON TABLE elecbill.bill_run IS 'one billing of all accounts of a cycle, or of one of them, for a period';
COMMENT ON COLUMN elecbill.bill_run.id IS 'key; bill_run_start() returns it';
COMMENT ON COLUMN elecbill.bill_run.org_id IS 'owner';
COMMENT ON COLUMN elecbill.bill_run.cycle_id IS 'whose accounts';
COMMENT ON COLUMN elecbill.bill_run.period IS 'local days [from, to)';
COMMENT ON COLUMN elecbill.bill_run.kind IS
'regular; offcycle: any other period of days; final: accounts that move out in the period; rebill: what replaces cancelled bills';
COMMENT ON COLUMN elecbill.bill_run.known_at IS
'when it was made, or what bill_run_retry() was given: tariffs and calendars count as they were known then, however long the run takes';
COMMENT ON COLUMN elecbill.bill_run.started_at IS 'when the first worker began';
COMMENT ON COLUMN elecbill.bill_run.status IS
'new, rating, review (all drafts are there), issuing, done, cancelled';
COMMENT ON COLUMN elecbill.bill_run.seq IS
'number among the runs of the same cycle, period and kind, from 1: a cancelled run may be followed by another, and so may final and rebill runs';
COMMENT ON COLUMN elecbill.bill_run.cutoff_at IS
'since when its accounts and data were taken to be complete: when it was made, or last retried. A reading counts that is there when its account is rated; what comes later is found by late_readings() and billed by true_up()';
COMMENT ON COLUMN elecbill.bill_run.approved_at IS 'when bill_approve() approved its drafts; NULL: nobody did';
COMMENT ON COLUMN elecbill.bill_run.approved_by IS 'login of who approved them';
COMMENT ON COLUMN elecbill.bill_run.approved_bills IS 'how many drafts were approved';
COMMENT ON COLUMN elecbill.bill_run.approved_amount IS 'what they came to; only these are issued';
COMMENT ON COLUMN elecbill.bill_run.account_id IS 'the one account it was made for; NULL: those of the cycle';
COMMENT ON INDEX elecbill.bill_run_account_idx IS 'runs for one account';

CREATE TABLE elecbill.bill_run_batch (
	org_id		integer NOT NULL,
	run_id		bigint NOT NULL,
	no			integer NOT NULL,
	account_ids	bigint[] NOT NULL,
	state		text NOT NULL DEFAULT 'pending' CONSTRAINT bill_run_batch_state_check
				CHECK (state IN ('pending', 'done')),
	issue_state	text NOT NULL DEFAULT 'pending' CONSTRAINT bill_run_batch_issue_state_check
				CHECK (issue_state IN ('pending', 'done')),
	bills		integer,
	parked		integer,
	finished_at	timestamptz,
	CONSTRAINT bill_run_batch_pkey PRIMARY KEY (run_id, no),
	CONSTRAINT bill_run_batch_run_fkey FOREIGN KEY (org_id, run_id)
		REFERENCES elecbill.bill_run (org_id, id),
	CONSTRAINT bill_run_batch_done_check CHECK (state = 'pending'
		OR (bills IS NOT NULL AND parked IS NOT NULL AND finished_at IS NOT NULL)),
	CONSTRAINT bill_run_batch_issue_check CHECK (issue_state = 'pending' OR state = 'done')
);
CREATE INDEX bill_run_batch_run_idx ON elecbill.bill_run_batch (org_id, run_id);
COMMENT ON TABLE elecbill.bill_run_batch IS 'accounts that a run commits together';
COMMENT ON COLUMN elecbill.bill_run_batch.org_id IS 'owner';
COMMENT ON COLUMN elecbill.bill_run_batch.run_id IS 'the run';
COMMENT ON COLUMN elecbill.bill_run_batch.no IS 'number in the run, from 1';
COMMENT ON COLUMN elecbill.bill_run_batch.account_ids IS 'customer_account.id in the order of account_no';
COMMENT ON COLUMN elecbill.bill_run_batch.state IS 'pending, or done: each account has a draft or an exception';
COMMENT ON COLUMN elecbill.bill_run_batch.issue_state IS 'pending, or done: its drafts are issued';
COMMENT ON COLUMN elecbill.bill_run_batch.bills IS 'bills it made';
COMMENT ON COLUMN elecbill.bill_run_batch.parked IS 'accounts it could not bill';
COMMENT ON COLUMN elecbill.bill_run_batch.finished_at IS 'when state became done';
COMMENT ON INDEX elecbill.bill_run_batch_run_idx IS 'batches of a run';

CREATE TABLE elecbill.bill_exception (
	org_id		integer NOT NULL,
	run_id		bigint NOT NULL,
	account_id	bigint NOT NULL,
	severity	text NOT NULL CONSTRAINT bill_exception_severity_check
				CHECK (severity IN ('error', 'warn')),
	code		text NOT NULL,
	sqlstate	text NOT NULL CONSTRAINT bill_exception_sqlstate_check CHECK (length(sqlstate) = 5),
	message		text NOT NULL,
	detail		text,
	hint		text,
	state		text NOT NULL CONSTRAINT bill_exception_state_check
				CHECK (state IN ('parked', 'retried', 'resolved', 'noted')),
	at			timestamptz NOT NULL DEFAULT elecbill.now(),
	CONSTRAINT bill_exception_pkey PRIMARY KEY (run_id, account_id),
	CONSTRAINT bill_exception_run_fkey FOREIGN KEY (org_id, run_id)
		REFERENCES elecbill.bill_run (org_id, id),
	CONSTRAINT bill_exception_account_fkey FOREIGN KEY (org_id, account_id)
		REFERENCES elecbill.customer_account (org_id, id),
	CONSTRAINT bill_exception_warn_check CHECK ((severity = 'warn') = (state = 'noted'))
);
CREATE INDEX bill_exception_account_idx ON elecbill.bill_exception (org_id, account_id);
CREATE INDEX bill_exception_run_idx ON elecbill.bill_exception (org_id, run_id);
COMMENT ON TABLE elecbill.bill_exception IS
'what a run has to say about an account: an error means no bill, a warning a bill to look at';
COMMENT ON COLUMN elecbill.bill_exception.org_id IS 'owner';
COMMENT ON COLUMN elecbill.bill_exception.run_id IS 'the run';
COMMENT ON COLUMN elecbill.bill_exception.account_id IS 'the account';
COMMENT ON COLUMN elecbill.bill_exception.severity IS 'error or warn';
COMMENT ON COLUMN elecbill.bill_exception.code IS
'no_agreement, no_installation, no_readings, no_boundary_reading, register_backwards, no_tariff, no_price, tier_scopes, earlier_period_unbilled, later_period_billed, already_billed, taken_over, no_bill (the customer has that tag), red_letter, written_off, allocation (what a rule shares is not known), else error; missing_readings and estimated_readings are warnings';
COMMENT ON COLUMN elecbill.bill_exception.sqlstate IS 'SQLSTATE of the error; 01000 for a warning';
COMMENT ON COLUMN elecbill.bill_exception.message IS 'one line';
COMMENT ON COLUMN elecbill.bill_exception.detail IS 'facts';
COMMENT ON COLUMN elecbill.bill_exception.hint IS 'what to do';
COMMENT ON COLUMN elecbill.bill_exception.state IS
'parked; retried: queued again by bill_run_retry(); resolved: billed since; noted: a warning';
COMMENT ON COLUMN elecbill.bill_exception.at IS 'when it was written';
COMMENT ON INDEX elecbill.bill_exception_account_idx IS 'exceptions of an account';
COMMENT ON INDEX elecbill.bill_exception_run_idx IS 'exceptions of a run';

CREATE TABLE elecbill.bill (
	id			bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT bill_pkey PRIMARY KEY,
	org_id		integer NOT NULL,
	account_id	bigint NOT NULL,
	run_id		bigint,
	kind		text NOT NULL CONSTRAINT bill_kind_check
				CHECK (kind IN ('opening', 'regular', 'final', 'correction', 'credit')),
	service		daterange NOT NULL CONSTRAINT bill_service_check
				CHECK (NOT isempty(service) AND NOT lower_inf(service) AND NOT upper_inf(service)),
	status		text NOT NULL DEFAULT 'draft' CONSTRAINT bill_status_check CHECK (status IN
				('draft', 'held', 'issued', 'partly_paid', 'paid', 'overdue', 'cancelled', 'written_off')),
	live		boolean NOT NULL GENERATED ALWAYS AS (status <> 'cancelled') STORED,
	number		text,
	issued_at	timestamptz,
	due_on		date,
	amount		numeric(14,2) NOT NULL,
	tax_amount	numeric(14,2) NOT NULL DEFAULT 0,
	paid		numeric(14,2) NOT NULL DEFAULT 0 CONSTRAINT bill_paid_check
				CHECK (paid BETWEEN least(amount, 0) AND greatest(amount, 0)),
	snapshot	jsonb NOT NULL,
	supersedes_id bigint,
	created_at	timestamptz NOT NULL DEFAULT elecbill._reading_now(),
	cancel_reason text,
	late_fee	numeric(14,2) NOT NULL DEFAULT 0 CONSTRAINT bill_late_fee_check CHECK (late_fee >= 0),
	CONSTRAINT bill_number_key UNIQUE (org_id, number),
	-- behind bill_number_key: of indexes that promise the same, the planner takes the younger
	CONSTRAINT bill_org_id_key UNIQUE (org_id, id),
	CONSTRAINT bill_account_fkey FOREIGN KEY (org_id, account_id)
		REFERENCES elecbill.customer_account (org_id, id),
	CONSTRAINT bill_run_fkey FOREIGN KEY (org_id, run_id) REFERENCES elecbill.bill_run (org_id, id),
	CONSTRAINT bill_supersedes_fkey FOREIGN KEY (org_id, supersedes_id)
		REFERENCES elecbill.bill (org_id, id),
	CONSTRAINT bill_issued_check CHECK (
		CASE WHEN status IN ('draft', 'held') THEN number IS NULL AND issued_at IS NULL
			WHEN status = 'cancelled' THEN (number IS NULL) = (issued_at IS NULL)
			ELSE number IS NOT NULL AND issued_at IS NOT NULL AND due_on IS NOT NULL END),
	CONSTRAINT bill_cancel_reason_check CHECK ((status = 'cancelled') = (cancel_reason IS NOT NULL)),
	CONSTRAINT bill_service_excl EXCLUDE USING gist (
		int8range(account_id, account_id, '[]') WITH &&, service WITH &&)
		WHERE (live AND kind IN ('regular', 'final'))
) WITH (fillfactor = 70);
CREATE INDEX bill_account_idx ON elecbill.bill (account_id, service);
CREATE INDEX bill_run_idx ON elecbill.bill (run_id);
CREATE INDEX bill_supersedes_idx ON elecbill.bill (supersedes_id) WHERE supersedes_id IS NOT NULL;
COMMENT ON TABLE elecbill.bill IS 'what an account owes for a range of days; a draft until it is issued';
COMMENT ON COLUMN elecbill.bill.id IS 'internal key';
COMMENT ON COLUMN elecbill.bill.org_id IS 'owner';
COMMENT ON COLUMN elecbill.bill.account_id IS 'who owes it';
COMMENT ON COLUMN elecbill.bill.run_id IS 'the run that made it';
COMMENT ON COLUMN elecbill.bill.kind IS
'regular; final: the last one of an account that moves out; opening: what was open before; correction and credit: money without days of its own';
COMMENT ON COLUMN elecbill.bill.service IS
'local days [from, to) it covers; no two live bills of an account share a day';
COMMENT ON COLUMN elecbill.bill.status IS
'draft, held, issued, partly_paid, paid, overdue, cancelled, written_off; label() has the words';
COMMENT ON COLUMN elecbill.bill.live IS 'not cancelled';
COMMENT ON COLUMN elecbill.bill.number IS
'YEAR-NNNNNN, gapless per org and year of issue; NULL until issued, kept when cancelled';
COMMENT ON COLUMN elecbill.bill.issued_at IS 'when it was issued';
COMMENT ON COLUMN elecbill.bill.due_on IS 'last local day to pay';
COMMENT ON COLUMN elecbill.bill.amount IS 'sum of its lines, in the currency of the org';
COMMENT ON COLUMN elecbill.bill.tax_amount IS 'tax inside amount: the sum of its lines of kind vat or group tax';
COMMENT ON COLUMN elecbill.bill.paid IS 'what was paid of it, from 0 to amount; of a credit, what was handed on';
COMMENT ON COLUMN elecbill.bill.snapshot IS
'{known_at, parts: [{agreement_id, plan_id, tariff_version_id, version (or versions: [{version, id, from, to}]), definition (sha256 in tariff_snapshot), from, to, ctx, scopes, since (peaks or charges of earlier bills count from here), summary}]}: all that rating saw, the readings apart; instants in UTC, energy in kWh';
COMMENT ON COLUMN elecbill.bill.supersedes_id IS 'the cancelled bill for the same days that it replaces';
COMMENT ON COLUMN elecbill.bill.created_at IS 'when it was rated; not before the corrections of readings it was made of';
COMMENT ON COLUMN elecbill.bill.late_fee IS 'late fee charged on it and not paid, in the currency of the org; paid before the bill, no part of amount';
COMMENT ON COLUMN elecbill.bill.cancel_reason IS 'why it was cancelled';
COMMENT ON INDEX elecbill.bill_account_idx IS 'bills of an account';
COMMENT ON INDEX elecbill.bill_run_idx IS 'bills of a run';
COMMENT ON INDEX elecbill.bill_supersedes_idx IS 'which bill replaced this one';

CREATE TABLE elecbill.bill_segment (
	id			bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT bill_segment_pkey PRIMARY KEY,
	org_id		integer NOT NULL,
	bill_id		bigint NOT NULL,
	n			integer NOT NULL,
	agreement_id bigint NOT NULL,
	usage_point_id bigint NOT NULL,
	installation_id bigint NOT NULL,
	during		tstzrange NOT NULL CONSTRAINT bill_segment_during_check CHECK (
				NOT isempty(during) AND NOT lower_inf(during) AND NOT upper_inf(during)),
	register_id	bigint NOT NULL,
	start_at	timestamptz,
	start_wh	bigint CONSTRAINT bill_segment_start_wh_check CHECK (start_wh >= 0),
	end_at		timestamptz,
	end_wh		bigint CONSTRAINT bill_segment_end_wh_check CHECK (end_wh >= 0),
	multiplier	numeric(12,4) NOT NULL CONSTRAINT bill_segment_multiplier_check CHECK (multiplier > 0),
	energy_wh	bigint NOT NULL CONSTRAINT bill_segment_energy_wh_check CHECK (energy_wh >= 0),
	missing_s	bigint NOT NULL CONSTRAINT bill_segment_missing_s_check CHECK (missing_s >= 0),
	quality		text NOT NULL CONSTRAINT bill_segment_quality_check
				CHECK (quality IN ('actual', 'estimated', 'missing')),
	CONSTRAINT bill_segment_start_check CHECK ((start_at IS NULL) = (start_wh IS NULL)),
	CONSTRAINT bill_segment_end_check CHECK ((end_at IS NULL) = (end_wh IS NULL)),
	CONSTRAINT bill_segment_bill_n_key UNIQUE (bill_id, n),
	CONSTRAINT bill_segment_org_id_key UNIQUE (org_id, id),
	CONSTRAINT bill_segment_bill_fkey FOREIGN KEY (org_id, bill_id)
		REFERENCES elecbill.bill (org_id, id),
	CONSTRAINT bill_segment_agreement_fkey FOREIGN KEY (org_id, agreement_id)
		REFERENCES elecbill.customer_agreement (org_id, id),
	CONSTRAINT bill_segment_usage_point_fkey FOREIGN KEY (org_id, usage_point_id)
		REFERENCES elecbill.usage_point (org_id, id),
	CONSTRAINT bill_segment_installation_fkey FOREIGN KEY (org_id, installation_id)
		REFERENCES elecbill.meter_installation (org_id, id)
);
CREATE INDEX bill_segment_installation_idx ON elecbill.bill_segment (installation_id);
COMMENT ON TABLE elecbill.bill_segment IS
'energy of a bill that lies between two readings of one register; a meter exchange makes two segments of one agreement';
COMMENT ON COLUMN elecbill.bill_segment.id IS 'internal key';
COMMENT ON COLUMN elecbill.bill_segment.org_id IS 'owner';
COMMENT ON COLUMN elecbill.bill_segment.bill_id IS 'the bill';
COMMENT ON COLUMN elecbill.bill_segment.n IS 'number in the bill, from 1';
COMMENT ON COLUMN elecbill.bill_segment.agreement_id IS
'who pays by which tariff; all segments of one agreement are rated together';
COMMENT ON COLUMN elecbill.bill_segment.usage_point_id IS 'where';
COMMENT ON COLUMN elecbill.bill_segment.installation_id IS 'through which meter';
COMMENT ON COLUMN elecbill.bill_segment.during IS
'from the boundary of the first reading to that of the last, or to the midnights of loaded days, [from, to)';
COMMENT ON COLUMN elecbill.bill_segment.register_id IS 'the register; with start_at and end_at the keys of two readings';
COMMENT ON COLUMN elecbill.bill_segment.start_at IS 'read_at of the first reading; NULL: the segment begins with a loaded day (profile_day)';
COMMENT ON COLUMN elecbill.bill_segment.start_wh IS 'its value, as the register showed it';
COMMENT ON COLUMN elecbill.bill_segment.end_at IS 'read_at of the last reading; NULL: it ends with a loaded day';
COMMENT ON COLUMN elecbill.bill_segment.end_wh IS 'its value, as the register showed it';
COMMENT ON COLUMN elecbill.bill_segment.multiplier IS 'of the installation';
COMMENT ON COLUMN elecbill.bill_segment.energy_wh IS
'billed energy, primary side: the difference with rollovers, less what passed unmeasured before a restart; for loaded days the sum of their profiles';
COMMENT ON COLUMN elecbill.bill_segment.missing_s IS
'seconds of the days to be billed without measured energy';
COMMENT ON COLUMN elecbill.bill_segment.quality IS 'actual, estimated, or missing: missing_s is not 0';
COMMENT ON INDEX elecbill.bill_segment_installation_idx IS 'billed energy of an installation';

CREATE TABLE elecbill.bill_line (
	org_id		integer NOT NULL,
	bill_id		bigint NOT NULL,
	n			integer NOT NULL,
	segment_id	bigint,
	tariff_version_id bigint,
	kind		text NOT NULL,
	component	text NOT NULL,
	grp			text NOT NULL,
	label		text,
	period		text,
	tier		integer,
	quantity	numeric(18,6),
	unit		text,
	price		numeric(18,9),
	factor		numeric(18,9),
	amount_raw	numeric(29,15) NOT NULL,
	amount		numeric(14,2) NOT NULL,
	during		tstzrange,
	quality		text NOT NULL,
	CONSTRAINT bill_line_pkey PRIMARY KEY (bill_id, n),
	CONSTRAINT bill_line_bill_fkey FOREIGN KEY (org_id, bill_id)
		REFERENCES elecbill.bill (org_id, id),
	CONSTRAINT bill_line_segment_fkey FOREIGN KEY (org_id, segment_id)
		REFERENCES elecbill.bill_segment (org_id, id),
	CONSTRAINT bill_line_tariff_version_fkey FOREIGN KEY (tariff_version_id)
		REFERENCES elecbill.tariff_version,
	CONSTRAINT bill_line_segment_check CHECK (segment_id IS NOT NULL
		OR kind IN ('true_up', 'adjustment', 'allocation', 'opening'))
);
CREATE INDEX bill_line_segment_idx ON elecbill.bill_line (segment_id);
COMMENT ON TABLE elecbill.bill_line IS 'the lines of a bill: those that rate() gave, and amounts without energy of their own, such as a true-up';
COMMENT ON COLUMN elecbill.bill_line.org_id IS 'owner';
COMMENT ON COLUMN elecbill.bill_line.bill_id IS 'the bill';
COMMENT ON COLUMN elecbill.bill_line.n IS 'number in the bill, from 1';
COMMENT ON COLUMN elecbill.bill_line.segment_id IS
'the first segment of the agreement it was rated for; further ones have the same agreement_id. NULL: not rated by itself (true_up, adjustment, allocation, opening)';
COMMENT ON COLUMN elecbill.bill_line.tariff_version_id IS 'the prices it was rated by';
COMMENT ON COLUMN elecbill.bill_line.kind IS
'kind of the component: energy, fixed, percent, minimum, ...; rounding for the rounding of the total; vat; true_up, adjustment, allocation, opening';
COMMENT ON COLUMN elecbill.bill_line.component IS 'code of the component; rounding for the rounding of the total';
COMMENT ON COLUMN elecbill.bill_line.grp IS 'group of the component; tax: counts as tax';
COMMENT ON COLUMN elecbill.bill_line.label IS
'name of the component in Chinese, or its only name; NULL where the tariff gives none, then label(kind) has a word';
COMMENT ON COLUMN elecbill.bill_line.period IS 'time-of-use period; NULL: not split by period';
COMMENT ON COLUMN elecbill.bill_line.tier IS 'tier, from 1; NULL: no tiers';
COMMENT ON COLUMN elecbill.bill_line.quantity IS 'how much, in unit';
COMMENT ON COLUMN elecbill.bill_line.unit IS 'of the quantity: kwh, day, month, bill, unit, or money';
COMMENT ON COLUMN elecbill.bill_line.price IS 'currency per unit; for kind percent the percentage';
COMMENT ON COLUMN elecbill.bill_line.factor IS 'factor on the amount; 1 = none';
COMMENT ON COLUMN elecbill.bill_line.amount_raw IS 'amount before it was rounded';
COMMENT ON COLUMN elecbill.bill_line.amount IS 'amount, rounded by the rule of the tariff';
COMMENT ON COLUMN elecbill.bill_line.during IS 'what the line covers';
COMMENT ON COLUMN elecbill.bill_line.quality IS
'actual, estimated, or missing: intervals are missing and were neither filled nor charged';
COMMENT ON INDEX elecbill.bill_line_segment_idx IS 'lines of a segment';

CREATE TABLE elecbill.usage_counter (
	org_id		integer NOT NULL,
	account_id	bigint NOT NULL,
	tariff_plan_id bigint NOT NULL,
	scope		text NOT NULL CONSTRAINT usage_counter_scope_check
				CHECK (scope IN ('month', 'quarter', 'year')),
	scope_start	date NOT NULL,
	kwh			numeric(18,6) NOT NULL,
	as_of		date NOT NULL,
	CONSTRAINT usage_counter_pkey PRIMARY KEY (account_id, tariff_plan_id, scope, scope_start),
	CONSTRAINT usage_counter_account_fkey FOREIGN KEY (org_id, account_id)
		REFERENCES elecbill.customer_account (org_id, id),
	CONSTRAINT usage_counter_plan_fkey FOREIGN KEY (org_id, tariff_plan_id)
		REFERENCES elecbill.tariff_plan (org_id, id)
) WITH (fillfactor = 70);
COMMENT ON TABLE elecbill.usage_counter IS
'energy per account, plan and tier scope: on issued bills, and taken over from the system before; derived, rebuild_derived() makes it anew';
COMMENT ON COLUMN elecbill.usage_counter.org_id IS 'owner';
COMMENT ON COLUMN elecbill.usage_counter.account_id IS 'the account';
COMMENT ON COLUMN elecbill.usage_counter.tariff_plan_id IS 'the plan; a change of plan begins anew';
COMMENT ON COLUMN elecbill.usage_counter.scope IS 'month, quarter or year, as the tiers of the tariff count';
COMMENT ON COLUMN elecbill.usage_counter.scope_start IS 'first local day of that month, quarter or year';
COMMENT ON COLUMN elecbill.usage_counter.kwh IS 'kWh billed in it';
COMMENT ON COLUMN elecbill.usage_counter.as_of IS 'first local day not billed yet';
