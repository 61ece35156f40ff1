-- 40_bill_life.sql: what happens to bills after they were rated: held, invoiced, taken back, trued up
-- The functions stand in 80 to 83; the tables here, because tiers and checks read them, too.

CREATE TABLE elecbill.bill_call (
	org_id		integer NOT NULL CONSTRAINT bill_call_org_fkey REFERENCES elecbill.org,
	idem_key	text NOT NULL CONSTRAINT bill_call_idem_key_check CHECK (idem_key ~ '^\S{1,128}$'),
	content_sha256 bytea NOT NULL CONSTRAINT bill_call_content_check CHECK (length(content_sha256) = 32),
	call		text NOT NULL CONSTRAINT bill_call_call_check CHECK (call <> ''),
	answer		jsonb,
	created_by	text NOT NULL DEFAULT elecbill.current_login(),
	created_at	timestamptz NOT NULL DEFAULT elecbill.now(),
	CONSTRAINT bill_call_pkey PRIMARY KEY (org_id, idem_key)
);
COMMENT ON TABLE elecbill.bill_call IS 'calls that took back or made bills, by the key of their caller: a call made twice acts once';
COMMENT ON COLUMN elecbill.bill_call.org_id IS 'owner';
COMMENT ON COLUMN elecbill.bill_call.idem_key IS 'key of the caller, one per org';
COMMENT ON COLUMN elecbill.bill_call.content_sha256 IS 'sha256 of the call and its arguments; the same key with others is refused';
COMMENT ON COLUMN elecbill.bill_call.call IS 'name of the call';
COMMENT ON COLUMN elecbill.bill_call.answer IS 'what was answered, and is again';
COMMENT ON COLUMN elecbill.bill_call.created_by IS 'login of who called';
COMMENT ON COLUMN elecbill.bill_call.created_at IS 'when';

CREATE TABLE elecbill.bill_hold_note (
	id			bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT bill_hold_note_pkey PRIMARY KEY,
	org_id		integer NOT NULL,
	bill_id		bigint NOT NULL,
	reason		text NOT NULL CONSTRAINT bill_hold_note_reason_check CHECK (reason <> ''),
	held_by		text NOT NULL DEFAULT elecbill.current_login(),
	held_at		timestamptz NOT NULL DEFAULT elecbill.now(),
	released_by	text,
	released_at	timestamptz,
	note		text,
	by_rule		boolean NOT NULL DEFAULT false,
	CONSTRAINT bill_hold_note_bill_fkey FOREIGN KEY (org_id, bill_id) REFERENCES elecbill.bill (org_id, id),
	CONSTRAINT bill_hold_note_released_check CHECK ((released_by IS NULL) = (released_at IS NULL))
);
CREATE UNIQUE INDEX bill_hold_note_open_key ON elecbill.bill_hold_note (bill_id) WHERE released_at IS NULL;
CREATE INDEX bill_hold_note_bill_idx ON elecbill.bill_hold_note (org_id, bill_id);
COMMENT ON TABLE elecbill.bill_hold_note IS 'why drafts were held back, and who let them go';
COMMENT ON COLUMN elecbill.bill_hold_note.id IS 'internal key';
COMMENT ON COLUMN elecbill.bill_hold_note.org_id IS 'owner';
COMMENT ON COLUMN elecbill.bill_hold_note.bill_id IS 'the draft';
COMMENT ON COLUMN elecbill.bill_hold_note.reason IS 'why it is held';
COMMENT ON COLUMN elecbill.bill_hold_note.held_by IS 'login of who holds it';
COMMENT ON COLUMN elecbill.bill_hold_note.held_at IS 'since when';
COMMENT ON COLUMN elecbill.bill_hold_note.released_by IS 'login of who let it go, or cancelled it; NULL: it is held';
COMMENT ON COLUMN elecbill.bill_hold_note.released_at IS 'when';
COMMENT ON COLUMN elecbill.bill_hold_note.note IS 'what was found';
COMMENT ON COLUMN elecbill.bill_hold_note.by_rule IS 'a rule for its readings holds it (vee_exception of severity hold); bill_run_issue() makes it anew when that is decided';
COMMENT ON INDEX elecbill.bill_hold_note_open_key IS 'a draft is held once';
COMMENT ON INDEX elecbill.bill_hold_note_bill_idx IS 'history of a bill';

CREATE TABLE elecbill.tax_invoice (
	bill_id		bigint NOT NULL CONSTRAINT tax_invoice_pkey PRIMARY KEY,
	org_id		integer NOT NULL,
	number		text NOT NULL CONSTRAINT tax_invoice_number_check CHECK (number ~ '^\S{1,64}$'),
	created_by	text NOT NULL DEFAULT elecbill.current_login(),
	created_at	timestamptz NOT NULL DEFAULT elecbill.now(),
	red_number	text CONSTRAINT tax_invoice_red_number_check CHECK (red_number ~ '^\S{1,64}$' AND red_number <> number),
	red_by		text,
	red_at		timestamptz,
	CONSTRAINT tax_invoice_number_key UNIQUE (org_id, number),
	CONSTRAINT tax_invoice_red_number_key UNIQUE (org_id, red_number),
	CONSTRAINT tax_invoice_red_check CHECK (num_nulls(red_number, red_by, red_at) IN (0, 3)),
	CONSTRAINT tax_invoice_bill_fkey FOREIGN KEY (org_id, bill_id) REFERENCES elecbill.bill (org_id, id)
);
COMMENT ON TABLE elecbill.tax_invoice IS
'tax invoices (发票) that were made for bills outside of this system; such a bill is cancelled only with the number of the red-letter invoice (红字发票) that takes it back';
COMMENT ON COLUMN elecbill.tax_invoice.bill_id IS 'the bill; one invoice each';
COMMENT ON COLUMN elecbill.tax_invoice.org_id IS 'owner';
COMMENT ON COLUMN elecbill.tax_invoice.number IS 'number of the invoice';
COMMENT ON COLUMN elecbill.tax_invoice.created_by IS 'login of who entered it';
COMMENT ON COLUMN elecbill.tax_invoice.created_at IS 'when';
COMMENT ON COLUMN elecbill.tax_invoice.red_number IS 'number of the red-letter invoice; NULL: the invoice stands';
COMMENT ON COLUMN elecbill.tax_invoice.red_by IS 'login of who entered that';
COMMENT ON COLUMN elecbill.tax_invoice.red_at IS 'when';

CREATE TABLE elecbill.bill_true_up (
	bill_id		bigint NOT NULL,
	corrected_id bigint NOT NULL,
	org_id		integer NOT NULL,
	amount		numeric(14,2) NOT NULL,
	tax_amount	numeric(14,2) NOT NULL,
	kwh			numeric(18,6) NOT NULL,
	usage		jsonb NOT NULL CONSTRAINT bill_true_up_usage_check CHECK (jsonb_typeof(usage) = 'array'),
	scopes		jsonb NOT NULL CONSTRAINT bill_true_up_scopes_check CHECK (jsonb_typeof(scopes) = 'array'),
	CONSTRAINT bill_true_up_pkey PRIMARY KEY (bill_id, corrected_id),
	CONSTRAINT bill_true_up_bill_fkey FOREIGN KEY (org_id, bill_id) REFERENCES elecbill.bill (org_id, id),
	CONSTRAINT bill_true_up_corrected_fkey FOREIGN KEY (org_id, corrected_id) REFERENCES elecbill.bill (org_id, id),
	CONSTRAINT bill_true_up_two_check CHECK (bill_id <> corrected_id)
);
CREATE INDEX bill_true_up_corrected_idx ON elecbill.bill_true_up (corrected_id);
COMMENT ON TABLE elecbill.bill_true_up IS
'what a bill corrects of earlier ones: each was rated again with the data of today, and what was billed for it, earlier corrections included, was subtracted';
COMMENT ON COLUMN elecbill.bill_true_up.bill_id IS 'the bill that has the line true_up';
COMMENT ON COLUMN elecbill.bill_true_up.corrected_id IS 'the bill that is corrected';
COMMENT ON COLUMN elecbill.bill_true_up.org_id IS 'owner';
COMMENT ON COLUMN elecbill.bill_true_up.amount IS 'what is charged more (less: below 0), tax included; the sum over a bill is that of its true_up lines';
COMMENT ON COLUMN elecbill.bill_true_up.tax_amount IS 'tax in it';
COMMENT ON COLUMN elecbill.bill_true_up.kwh IS 'energy that is billed more (less: below 0), kWh';
COMMENT ON COLUMN elecbill.bill_true_up.usage IS '[{plan_id, from, kwh}]: that energy by tariff plan and first local day of a run of days';
COMMENT ON COLUMN elecbill.bill_true_up.scopes IS '[{plan_id, scope, start, kwh}]: that energy by tier scope';
COMMENT ON INDEX elecbill.bill_true_up_corrected_idx IS 'corrections of a bill';
CREATE TRIGGER bill_true_up_keep BEFORE UPDATE OR DELETE ON elecbill.bill_true_up
	FOR EACH ROW EXECUTE FUNCTION elecbill._append_only();
COMMENT ON TRIGGER bill_true_up_keep ON elecbill.bill_true_up IS 'no UPDATE, no DELETE';
CREATE TRIGGER bill_true_up_keep_all BEFORE TRUNCATE ON elecbill.bill_true_up
	FOR EACH STATEMENT EXECUTE FUNCTION elecbill._append_only();
COMMENT ON TRIGGER bill_true_up_keep_all ON elecbill.bill_true_up IS 'no TRUNCATE';

CREATE TABLE elecbill.true_up_queue (
	id			bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT true_up_queue_pkey PRIMARY KEY,
	org_id		integer NOT NULL,
	account_id	bigint NOT NULL,
	since		date NOT NULL CONSTRAINT true_up_queue_since_check CHECK (isfinite(since)),
	reason		text NOT NULL CONSTRAINT true_up_queue_reason_check CHECK (reason <> ''),
	created_by	text NOT NULL DEFAULT elecbill.current_login(),
	created_at	timestamptz NOT NULL DEFAULT elecbill.now(),
	bill_id		bigint,
	CONSTRAINT true_up_queue_account_fkey FOREIGN KEY (org_id, account_id)
		REFERENCES elecbill.customer_account (org_id, id),
	CONSTRAINT true_up_queue_bill_fkey FOREIGN KEY (org_id, bill_id) REFERENCES elecbill.bill (org_id, id)
);
CREATE INDEX true_up_queue_open_idx ON elecbill.true_up_queue (account_id) WHERE bill_id IS NULL;
CREATE INDEX true_up_queue_account_idx ON elecbill.true_up_queue (org_id, account_id);
CREATE INDEX true_up_queue_bill_idx ON elecbill.true_up_queue (bill_id) WHERE bill_id IS NOT NULL;
COMMENT ON TABLE elecbill.true_up_queue IS 'accounts with data that came or changed after they were billed; their next bill says the difference';
COMMENT ON COLUMN elecbill.true_up_queue.id IS 'internal key';
COMMENT ON COLUMN elecbill.true_up_queue.org_id IS 'owner';
COMMENT ON COLUMN elecbill.true_up_queue.account_id IS 'the account';
COMMENT ON COLUMN elecbill.true_up_queue.since IS 'local day from which on its data changed';
COMMENT ON COLUMN elecbill.true_up_queue.reason IS 'what happened';
COMMENT ON COLUMN elecbill.true_up_queue.created_by IS 'login of who, or whose job, found it';
COMMENT ON COLUMN elecbill.true_up_queue.created_at IS 'when';
COMMENT ON COLUMN elecbill.true_up_queue.bill_id IS 'the bill that settled it; NULL: waits for the next one';
COMMENT ON INDEX elecbill.true_up_queue_open_idx IS 'what waits';
COMMENT ON INDEX elecbill.true_up_queue_account_idx IS 'corrections of an account';
COMMENT ON INDEX elecbill.true_up_queue_bill_idx IS 'what a bill settled';
