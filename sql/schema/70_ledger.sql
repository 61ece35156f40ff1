-- 70_ledger.sql: double entry, one row per transfer
-- A transfer takes an amount from one ledger account to another, so debit and credit are equal by
-- construction. Nothing is updated: a mistake is undone by a transfer back. Customers' balances are
-- kept by the posting functions alone (71_posting.sql); control accounts have none, for every payment
-- of an org would wait for the one row: their balances are sums.

CREATE TABLE elecbill.ledger_account (
	id			bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT ledger_account_pkey PRIMARY KEY,
	org_id		integer NOT NULL CONSTRAINT ledger_account_org_fkey REFERENCES elecbill.org,
	code		text NOT NULL CONSTRAINT ledger_account_code_check CHECK (code ~ '^[a-z][a-z_]{0,31}(:\S{1,64})?$'),
	kind		text NOT NULL CONSTRAINT ledger_account_kind_check
				CHECK (kind IN ('asset', 'liability', 'income', 'expense')),
	account_id	bigint,
	CONSTRAINT ledger_account_org_code_key UNIQUE (org_id, code),
	CONSTRAINT ledger_account_org_id_key UNIQUE (org_id, id),
	CONSTRAINT ledger_account_account_fkey FOREIGN KEY (org_id, account_id)
		REFERENCES elecbill.customer_account (org_id, id),
	CONSTRAINT ledger_account_customer_check
		CHECK ((account_id IS NOT NULL) = (split_part(code, ':', 1) IN ('receivable', 'advance', 'deposit')))
);
CREATE INDEX ledger_account_account_idx ON elecbill.ledger_account (account_id) WHERE account_id IS NOT NULL;
COMMENT ON TABLE elecbill.ledger_account IS
'accounts of the ledger: receivable, advance and deposit of each customer account, made when first needed, and the control accounts of an org';
COMMENT ON COLUMN elecbill.ledger_account.id IS 'internal key';
COMMENT ON COLUMN elecbill.ledger_account.org_id IS 'owner';
COMMENT ON COLUMN elecbill.ledger_account.code IS
'receivable:ACCOUNT, advance:ACCOUNT, deposit:ACCOUNT; revenue, output_tax, late_fee, adjustment, write_off, opening, cash, bank, clearing:CHANNEL, suspense, refund_due';
COMMENT ON COLUMN elecbill.ledger_account.kind IS 'asset, liability, income or expense';
COMMENT ON COLUMN elecbill.ledger_account.account_id IS 'customer account; NULL: a control account';
COMMENT ON INDEX elecbill.ledger_account_account_idx IS 'ledger accounts of a customer account';

CREATE TABLE elecbill.accounting_period (
	id			bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT accounting_period_pkey PRIMARY KEY,
	org_id		integer NOT NULL CONSTRAINT accounting_period_org_fkey REFERENCES elecbill.org,
	month		date NOT NULL CONSTRAINT accounting_period_month_check
				CHECK (isfinite(month) AND extract(day FROM month) = 1),
	status		text NOT NULL DEFAULT 'open' CONSTRAINT accounting_period_status_check
				CHECK (status IN ('open', 'closed')),
	closed_at	timestamptz,
	closed_by	text,
	CONSTRAINT accounting_period_org_month_key UNIQUE (org_id, month),
	CONSTRAINT accounting_period_org_id_key UNIQUE (org_id, id),
	CONSTRAINT accounting_period_closed_check CHECK ((status = 'closed') = (closed_at IS NOT NULL)
		AND (closed_at IS NULL) = (closed_by IS NULL))
);
COMMENT ON TABLE elecbill.accounting_period IS 'months of the books; made when something is posted into them';
COMMENT ON COLUMN elecbill.accounting_period.id IS 'internal key';
COMMENT ON COLUMN elecbill.accounting_period.org_id IS 'owner';
COMMENT ON COLUMN elecbill.accounting_period.month IS 'first local day of the month';
COMMENT ON COLUMN elecbill.accounting_period.status IS 'open; closed: nothing is posted into it any more';
COMMENT ON COLUMN elecbill.accounting_period.closed_at IS 'when it was closed';
COMMENT ON COLUMN elecbill.accounting_period.closed_by IS 'login of who closed it';

CREATE TABLE elecbill.ledger_transfer (
	id			bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT ledger_transfer_pkey PRIMARY KEY,
	org_id		integer NOT NULL,
	idem_key	text NOT NULL CONSTRAINT ledger_transfer_idem_key_check CHECK (idem_key ~ '^\S{1,200}$'),
	content_sha256 bytea NOT NULL CONSTRAINT ledger_transfer_content_check CHECK (length(content_sha256) = 32),
	debit_id	bigint NOT NULL,
	credit_id	bigint NOT NULL,
	amount		numeric(14,2) NOT NULL,
	kind		text NOT NULL CONSTRAINT ledger_transfer_kind_check CHECK (kind ~ '^[a-z][a-z_]{0,31}$'),
	stage		text NOT NULL DEFAULT 'single' CONSTRAINT ledger_transfer_stage_check
				CHECK (stage IN ('single', 'pending', 'post', 'void')),
	pending_id	bigint,
	reverses_id	bigint,
	bill_id		bigint,
	payment_id	bigint,
	effective_on date NOT NULL CONSTRAINT ledger_transfer_effective_on_check CHECK (isfinite(effective_on)),
	period_id	bigint NOT NULL,
	created_by	text NOT NULL DEFAULT elecbill.current_login(),
	created_at	timestamptz NOT NULL DEFAULT elecbill.now(),
	CONSTRAINT ledger_transfer_org_idem_key UNIQUE (org_id, idem_key),
	CONSTRAINT ledger_transfer_org_id_key UNIQUE (org_id, id),
	CONSTRAINT ledger_transfer_pending_key UNIQUE (pending_id),
	CONSTRAINT ledger_transfer_reverses_key UNIQUE (reverses_id),
	CONSTRAINT ledger_transfer_two_check CHECK (debit_id <> credit_id),
	CONSTRAINT ledger_transfer_amount_check CHECK (amount > 0 AND stage <> 'void' OR amount = 0 AND stage = 'void'),
	CONSTRAINT ledger_transfer_pending_check CHECK ((pending_id IS NOT NULL) = (stage IN ('post', 'void'))),
	CONSTRAINT ledger_transfer_reverses_check CHECK (reverses_id IS NULL OR stage = 'single'),
	CONSTRAINT ledger_transfer_debit_fkey FOREIGN KEY (org_id, debit_id)
		REFERENCES elecbill.ledger_account (org_id, id),
	CONSTRAINT ledger_transfer_credit_fkey FOREIGN KEY (org_id, credit_id)
		REFERENCES elecbill.ledger_account (org_id, id),
	CONSTRAINT ledger_transfer_pending_fkey FOREIGN KEY (org_id, pending_id)
		REFERENCES elecbill.ledger_transfer (org_id, id),
	CONSTRAINT ledger_transfer_reverses_fkey FOREIGN KEY (org_id, reverses_id)
		REFERENCES elecbill.ledger_transfer (org_id, id),
	CONSTRAINT ledger_transfer_bill_fkey FOREIGN KEY (org_id, bill_id) REFERENCES elecbill.bill (org_id, id),
	CONSTRAINT ledger_transfer_period_fkey FOREIGN KEY (org_id, period_id)
		REFERENCES elecbill.accounting_period (org_id, id)
);
CREATE INDEX ledger_transfer_debit_idx ON elecbill.ledger_transfer (debit_id, id);
CREATE INDEX ledger_transfer_credit_idx ON elecbill.ledger_transfer (credit_id, id);
CREATE INDEX ledger_transfer_period_idx ON elecbill.ledger_transfer (period_id);
CREATE INDEX ledger_transfer_day_idx ON elecbill.ledger_transfer USING brin (effective_on, created_at);
CREATE INDEX ledger_transfer_bill_idx ON elecbill.ledger_transfer (bill_id) WHERE bill_id IS NOT NULL;
CREATE INDEX ledger_transfer_payment_idx ON elecbill.ledger_transfer (payment_id) WHERE payment_id IS NOT NULL;
COMMENT ON TABLE elecbill.ledger_transfer IS 'movements of money, one row each; never changed';
COMMENT ON COLUMN elecbill.ledger_transfer.id IS 'internal key';
COMMENT ON COLUMN elecbill.ledger_transfer.org_id IS 'owner';
COMMENT ON COLUMN elecbill.ledger_transfer.idem_key IS 'key of the caller, one per org: a call made twice posts once';
COMMENT ON COLUMN elecbill.ledger_transfer.content_sha256 IS 'sha256 of what was asked for; the same key with other content is refused';
COMMENT ON COLUMN elecbill.ledger_transfer.debit_id IS 'ledger account that is debited';
COMMENT ON COLUMN elecbill.ledger_transfer.credit_id IS 'ledger account that is credited';
COMMENT ON COLUMN elecbill.ledger_transfer.amount IS 'in the currency of the org, above 0; 0 for void';
COMMENT ON COLUMN elecbill.ledger_transfer.kind IS
'why: issue and tax (a bill), payment, advance (what a payment leaves over), apply (a bill is paid from advance credit), credit (a bill below 0 becomes advance credit), unapply (back to advance credit), refund, payout, write_off, late_fee, correct_fee and fee_to_advance (a late fee is taken back: open, or paid), adjustment, opening, match, unmatched, mismatch, manual, reversal';
COMMENT ON COLUMN elecbill.ledger_transfer.stage IS
'single; pending: announced, resolved by one later row; post: takes a pending one, up to its amount; void: gives it up';
COMMENT ON COLUMN elecbill.ledger_transfer.pending_id IS 'the pending transfer that post or void resolves';
COMMENT ON COLUMN elecbill.ledger_transfer.reverses_id IS 'the transfer that this one undoes';
COMMENT ON COLUMN elecbill.ledger_transfer.bill_id IS 'bill it is about';
COMMENT ON COLUMN elecbill.ledger_transfer.payment_id IS 'payment it is about';
COMMENT ON COLUMN elecbill.ledger_transfer.effective_on IS 'local day it counts from';
COMMENT ON COLUMN elecbill.ledger_transfer.period_id IS
'period of the books: that of effective_on, or the first open one after it';
COMMENT ON COLUMN elecbill.ledger_transfer.created_by IS 'login of who posted it';
COMMENT ON COLUMN elecbill.ledger_transfer.created_at IS 'when it was posted';
COMMENT ON INDEX elecbill.ledger_transfer_debit_idx IS 'transfers that debit a ledger account';
COMMENT ON INDEX elecbill.ledger_transfer_credit_idx IS 'transfers that credit a ledger account';
COMMENT ON INDEX elecbill.ledger_transfer_period_idx IS 'transfers of a period';
COMMENT ON INDEX elecbill.ledger_transfer_day_idx IS 'transfers of some days';
COMMENT ON INDEX elecbill.ledger_transfer_bill_idx IS 'transfers about a bill';
COMMENT ON INDEX elecbill.ledger_transfer_payment_idx IS 'transfers about a payment';
CREATE TRIGGER ledger_transfer_keep BEFORE UPDATE OR DELETE ON elecbill.ledger_transfer
	FOR EACH ROW EXECUTE FUNCTION elecbill._append_only();
COMMENT ON TRIGGER ledger_transfer_keep ON elecbill.ledger_transfer IS 'no UPDATE, no DELETE';
CREATE TRIGGER ledger_transfer_keep_all BEFORE TRUNCATE ON elecbill.ledger_transfer
	FOR EACH STATEMENT EXECUTE FUNCTION elecbill._append_only();
COMMENT ON TRIGGER ledger_transfer_keep_all ON elecbill.ledger_transfer IS 'no TRUNCATE';

CREATE TABLE elecbill.account_balance (
	ledger_account_id bigint CONSTRAINT account_balance_pkey PRIMARY KEY,
	org_id		integer NOT NULL,
	debit		numeric(16,2) NOT NULL DEFAULT 0 CONSTRAINT account_balance_debit_check CHECK (debit >= 0),
	credit		numeric(16,2) NOT NULL DEFAULT 0 CONSTRAINT account_balance_credit_check CHECK (credit >= 0),
	pending_debit numeric(16,2) NOT NULL DEFAULT 0
				CONSTRAINT account_balance_pending_debit_check CHECK (pending_debit >= 0),
	pending_credit numeric(16,2) NOT NULL DEFAULT 0
				CONSTRAINT account_balance_pending_credit_check CHECK (pending_credit >= 0),
	version		bigint NOT NULL DEFAULT 0,
	CONSTRAINT account_balance_ledger_account_fkey FOREIGN KEY (org_id, ledger_account_id)
		REFERENCES elecbill.ledger_account (org_id, id)
) WITH (fillfactor = 70);
COMMENT ON TABLE elecbill.account_balance IS
'sums of the transfers of each customer''s ledger account; derived, kept by the posting functions, rebuild_derived() makes it anew';
COMMENT ON COLUMN elecbill.account_balance.ledger_account_id IS 'ledger account of a customer';
COMMENT ON COLUMN elecbill.account_balance.org_id IS 'owner';
COMMENT ON COLUMN elecbill.account_balance.debit IS 'what was debited';
COMMENT ON COLUMN elecbill.account_balance.credit IS 'what was credited';
COMMENT ON COLUMN elecbill.account_balance.pending_debit IS 'what pending transfers would debit';
COMMENT ON COLUMN elecbill.account_balance.pending_credit IS 'what pending transfers would credit';
COMMENT ON COLUMN elecbill.account_balance.version IS 'how many transfers';

CREATE TABLE elecbill.ledger_snapshot (
	period_id	bigint NOT NULL,
	ledger_account_id bigint NOT NULL,
	org_id		integer NOT NULL,
	debit		numeric(16,2) NOT NULL,
	credit		numeric(16,2) NOT NULL,
	CONSTRAINT ledger_snapshot_pkey PRIMARY KEY (period_id, ledger_account_id),
	CONSTRAINT ledger_snapshot_period_fkey FOREIGN KEY (org_id, period_id)
		REFERENCES elecbill.accounting_period (org_id, id),
	CONSTRAINT ledger_snapshot_ledger_account_fkey FOREIGN KEY (org_id, ledger_account_id)
		REFERENCES elecbill.ledger_account (org_id, id)
);
CREATE INDEX ledger_snapshot_ledger_account_idx ON elecbill.ledger_snapshot (ledger_account_id);
COMMENT ON TABLE elecbill.ledger_snapshot IS 'what each ledger account had moved when a period was closed, from the beginning on';
COMMENT ON COLUMN elecbill.ledger_snapshot.period_id IS 'the closed period';
COMMENT ON COLUMN elecbill.ledger_snapshot.ledger_account_id IS 'ledger account';
COMMENT ON COLUMN elecbill.ledger_snapshot.org_id IS 'owner';
COMMENT ON COLUMN elecbill.ledger_snapshot.debit IS 'sum of all debits up to the end of the period';
COMMENT ON COLUMN elecbill.ledger_snapshot.credit IS 'sum of all credits up to the end of the period';
COMMENT ON INDEX elecbill.ledger_snapshot_ledger_account_idx IS 'closings of a ledger account';
CREATE TRIGGER ledger_snapshot_keep BEFORE UPDATE OR DELETE ON elecbill.ledger_snapshot
	FOR EACH ROW EXECUTE FUNCTION elecbill._append_only();
COMMENT ON TRIGGER ledger_snapshot_keep ON elecbill.ledger_snapshot IS 'no UPDATE, no DELETE';
CREATE TRIGGER ledger_snapshot_keep_all BEFORE TRUNCATE ON elecbill.ledger_snapshot
	FOR EACH STATEMENT EXECUTE FUNCTION elecbill._append_only();
COMMENT ON TRIGGER ledger_snapshot_keep_all ON elecbill.ledger_snapshot IS 'no TRUNCATE';
