-- 74_payment.sql: money that came in, and what it was applied to
-- Locks: customer_account, then bill, payment_order, payment, cashier_shift, balances, period, number.

CREATE TABLE elecbill.payment_policy (
	id			bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT payment_policy_pkey PRIMARY KEY,
	org_id		integer NOT NULL CONSTRAINT payment_policy_org_fkey REFERENCES elecbill.org,
	valid		daterange NOT NULL CONSTRAINT payment_policy_valid_check
				CHECK (NOT isempty(valid) AND NOT lower_inf(valid)),
	amount_rule	text NOT NULL CONSTRAINT payment_policy_amount_rule_check CHECK (amount_rule IN ('exact', 'partial', 'over')),
	order_minutes integer NOT NULL DEFAULT 30 CONSTRAINT payment_policy_order_minutes_check CHECK (order_minutes BETWEEN 1 AND 10080),
	created_by	text NOT NULL DEFAULT elecbill.current_login(),
	CONSTRAINT payment_policy_overlap EXCLUDE USING gist (int4range(org_id, org_id, '[]') WITH &&, valid WITH &&)
);
COMMENT ON TABLE elecbill.payment_policy IS 'how an org takes payments, by local days; without a row: exact, orders live 30 minutes';
COMMENT ON COLUMN elecbill.payment_policy.id IS 'internal key';
COMMENT ON COLUMN elecbill.payment_policy.org_id IS 'owner';
COMMENT ON COLUMN elecbill.payment_policy.valid IS 'local days [from, to)';
COMMENT ON COLUMN elecbill.payment_policy.amount_rule IS
'exact: what is open of the bill, not more and not less; partial: less is taken, too; over: more becomes advance credit, too';
COMMENT ON COLUMN elecbill.payment_policy.order_minutes IS 'how long a payment order may be paid, in minutes';
COMMENT ON COLUMN elecbill.payment_policy.created_by IS 'login of who set it';

CREATE TABLE elecbill.cashier_shift (
	id			bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT cashier_shift_pkey PRIMARY KEY,
	org_id		integer NOT NULL CONSTRAINT cashier_shift_org_fkey REFERENCES elecbill.org,
	operator	text NOT NULL DEFAULT elecbill.current_login(),
	opened_at	timestamptz NOT NULL DEFAULT elecbill.now(),
	float_amount numeric(14,2) NOT NULL DEFAULT 0 CONSTRAINT cashier_shift_float_check CHECK (float_amount >= 0),
	closed_at	timestamptz,
	expected	numeric(14,2),
	counted		numeric(14,2) CONSTRAINT cashier_shift_counted_check CHECK (counted >= 0),
	difference	numeric(14,2) GENERATED ALWAYS AS (counted - expected) STORED,
	CONSTRAINT cashier_shift_org_id_key UNIQUE (org_id, id),
	CONSTRAINT cashier_shift_closed_check CHECK ((closed_at IS NULL) = (expected IS NULL)
		AND (closed_at IS NULL) = (counted IS NULL))
);
CREATE UNIQUE INDEX cashier_shift_open_key ON elecbill.cashier_shift (org_id, operator) WHERE closed_at IS NULL;
COMMENT ON TABLE elecbill.cashier_shift IS 'a cashier''s till from opening to counting; one open shift per cashier';
COMMENT ON COLUMN elecbill.cashier_shift.id IS 'internal key';
COMMENT ON COLUMN elecbill.cashier_shift.org_id IS 'owner';
COMMENT ON COLUMN elecbill.cashier_shift.operator IS 'login of the cashier';
COMMENT ON COLUMN elecbill.cashier_shift.opened_at IS 'when it was opened';
COMMENT ON COLUMN elecbill.cashier_shift.float_amount IS 'change in the till at the beginning';
COMMENT ON COLUMN elecbill.cashier_shift.closed_at IS 'when it was counted; NULL: open';
COMMENT ON COLUMN elecbill.cashier_shift.expected IS 'change and all cash taken, less cash paid out';
COMMENT ON COLUMN elecbill.cashier_shift.counted IS 'what was in the till';
COMMENT ON COLUMN elecbill.cashier_shift.difference IS 'counted less expected: shown, never absorbed';
COMMENT ON INDEX elecbill.cashier_shift_open_key IS 'one open shift per cashier';

CREATE TABLE elecbill.payment_order (
	id			bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT payment_order_pkey PRIMARY KEY,
	org_id		integer NOT NULL,
	number		text NOT NULL,
	account_id	bigint NOT NULL,
	amount		numeric(14,2) NOT NULL CONSTRAINT payment_order_amount_check CHECK (amount > 0),
	paid		numeric(14,2) NOT NULL DEFAULT 0 CONSTRAINT payment_order_paid_check CHECK (paid >= 0),
	refunded	numeric(14,2) NOT NULL DEFAULT 0 CONSTRAINT payment_order_refunded_check CHECK (refunded BETWEEN 0 AND paid),
	bill_ids	bigint[] NOT NULL CONSTRAINT payment_order_bill_ids_check CHECK (cardinality(bill_ids) > 0),
	channel		text NOT NULL CONSTRAINT payment_order_channel_check CHECK (channel IN ('alipay', 'wechat', 'bank', 'pos', 'prepaid')),
	idem_key	text NOT NULL CONSTRAINT payment_order_idem_key_check CHECK (idem_key ~ '^\S{1,128}$'),
	content_sha256 bytea NOT NULL CONSTRAINT payment_order_content_check CHECK (length(content_sha256) = 32),
	pending_id	bigint,
	created_by	text NOT NULL DEFAULT elecbill.current_login(),
	created_at	timestamptz NOT NULL DEFAULT elecbill.now(),
	expires_at	timestamptz NOT NULL,
	status		text NOT NULL DEFAULT 'created' CONSTRAINT payment_order_status_check CHECK (status IN ('created', 'blocked',
				'challenged', 'pending', 'partly_paid', 'paid', 'closed', 'revoked', 'partly_refunded', 'refunded')),
	CONSTRAINT payment_order_org_id_key UNIQUE (org_id, id),
	CONSTRAINT payment_order_number_key UNIQUE (org_id, number),
	CONSTRAINT payment_order_idem_key UNIQUE (org_id, idem_key),
	CONSTRAINT payment_order_account_fkey FOREIGN KEY (org_id, account_id) REFERENCES elecbill.customer_account (org_id, id),
	CONSTRAINT payment_order_pending_fkey FOREIGN KEY (org_id, pending_id) REFERENCES elecbill.ledger_transfer (org_id, id)
) WITH (fillfactor = 70);
CREATE INDEX payment_order_account_idx ON elecbill.payment_order (account_id, id);
CREATE INDEX payment_order_open_idx ON elecbill.payment_order (expires_at) WHERE status IN ('created', 'pending');
CREATE INDEX payment_order_pending_idx ON elecbill.payment_order (pending_id) WHERE pending_id IS NOT NULL;
COMMENT ON TABLE elecbill.payment_order IS 'what a customer set out to pay over a channel';
COMMENT ON COLUMN elecbill.payment_order.id IS 'internal key';
COMMENT ON COLUMN elecbill.payment_order.org_id IS 'owner';
COMMENT ON COLUMN elecbill.payment_order.number IS 'number that the channel is told: O YEAR-NNNNNN, gapless per org';
COMMENT ON COLUMN elecbill.payment_order.account_id IS 'who pays';
COMMENT ON COLUMN elecbill.payment_order.amount IS 'what is to be paid, in the currency of the org';
COMMENT ON COLUMN elecbill.payment_order.paid IS 'what came in';
COMMENT ON COLUMN elecbill.payment_order.refunded IS 'what of it went back';
COMMENT ON COLUMN elecbill.payment_order.bill_ids IS 'bills it is for, in the order in which they are paid';
COMMENT ON COLUMN elecbill.payment_order.channel IS 'alipay, wechat, bank, pos or prepaid';
COMMENT ON COLUMN elecbill.payment_order.idem_key IS 'key of the caller: a call made twice makes one order';
COMMENT ON COLUMN elecbill.payment_order.content_sha256 IS 'sha256 of what was asked for';
COMMENT ON COLUMN elecbill.payment_order.pending_id IS 'the pending transfer from clearing to receivable';
COMMENT ON COLUMN elecbill.payment_order.created_by IS 'login of who made it';
COMMENT ON COLUMN elecbill.payment_order.created_at IS 'when it was made';
COMMENT ON COLUMN elecbill.payment_order.expires_at IS 'until when it may be paid; what comes later is advance credit';
COMMENT ON COLUMN elecbill.payment_order.status IS
'created, blocked or challenged (by a risk rule), pending (the channel was asked), partly_paid, paid, closed (expired), revoked, partly_refunded, refunded';
COMMENT ON INDEX elecbill.payment_order_account_idx IS 'orders of an account';
COMMENT ON INDEX elecbill.payment_order_open_idx IS 'orders that may expire';
COMMENT ON INDEX elecbill.payment_order_pending_idx IS 'order of a pending transfer';

CREATE TABLE elecbill.payment (
	id			bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT payment_pkey PRIMARY KEY,
	org_id		integer NOT NULL,
	account_id	bigint,
	order_id	bigint,
	in_time		boolean NOT NULL DEFAULT false,
	shift_id	bigint,
	channel		text NOT NULL CONSTRAINT payment_channel_check
				CHECK (channel IN ('cash', 'alipay', 'wechat', 'bank', 'pos', 'prepaid')),
	channel_txn	text CONSTRAINT payment_channel_txn_check CHECK (channel_txn ~ '^\S{1,128}$'),
	amount		numeric(14,2) NOT NULL CONSTRAINT payment_amount_check CHECK (amount > 0),
	paid_at		timestamptz NOT NULL,
	receipt_no	text,
	operator	text NOT NULL DEFAULT elecbill.current_login(),
	idem_key	text NOT NULL CONSTRAINT payment_idem_key_check CHECK (idem_key ~ '^\S{1,150}$'),
	content_sha256 bytea NOT NULL CONSTRAINT payment_content_check CHECK (length(content_sha256) = 32),
	created_at	timestamptz NOT NULL DEFAULT elecbill.now(),
	state		text NOT NULL CONSTRAINT payment_state_check CHECK (state IN ('posted', 'unmatched', 'mismatch', 'reversed')),
	CONSTRAINT payment_org_id_key UNIQUE (org_id, id),
	CONSTRAINT payment_idem_key UNIQUE (org_id, idem_key),
	CONSTRAINT payment_channel_txn_key UNIQUE (org_id, channel, channel_txn),
	CONSTRAINT payment_receipt_no_key UNIQUE (org_id, receipt_no),
	CONSTRAINT payment_account_fkey FOREIGN KEY (org_id, account_id) REFERENCES elecbill.customer_account (org_id, id),
	CONSTRAINT payment_order_fkey FOREIGN KEY (org_id, order_id) REFERENCES elecbill.payment_order (org_id, id),
	CONSTRAINT payment_shift_fkey FOREIGN KEY (org_id, shift_id) REFERENCES elecbill.cashier_shift (org_id, id),
	CONSTRAINT payment_account_check CHECK (account_id IS NOT NULL OR state <> 'posted'),
	CONSTRAINT payment_in_time_check CHECK (order_id IS NOT NULL OR NOT in_time),
	CONSTRAINT payment_shift_check CHECK ((channel = 'cash') = (shift_id IS NOT NULL))
) WITH (fillfactor = 80);
CREATE INDEX payment_account_idx ON elecbill.payment (account_id, id);
CREATE INDEX payment_order_idx ON elecbill.payment (order_id) WHERE order_id IS NOT NULL;
CREATE INDEX payment_shift_idx ON elecbill.payment (shift_id) WHERE shift_id IS NOT NULL;
CREATE INDEX payment_open_idx ON elecbill.payment (org_id, id) WHERE state IN ('unmatched', 'mismatch');
COMMENT ON TABLE elecbill.payment IS 'money that came in, over every channel alike';
COMMENT ON COLUMN elecbill.payment.id IS 'internal key';
COMMENT ON COLUMN elecbill.payment.org_id IS 'owner';
COMMENT ON COLUMN elecbill.payment.account_id IS 'who paid; NULL: not known yet';
COMMENT ON COLUMN elecbill.payment.order_id IS 'order it answers';
COMMENT ON COLUMN elecbill.payment.in_time IS 'it is what its order asked for, and came in time; else it is advance credit';
COMMENT ON COLUMN elecbill.payment.shift_id IS 'cashier''s shift, for cash';
COMMENT ON COLUMN elecbill.payment.channel IS 'cash, alipay, wechat, bank, pos or prepaid';
COMMENT ON COLUMN elecbill.payment.channel_txn IS 'number of the channel, one per org and channel';
COMMENT ON COLUMN elecbill.payment.amount IS 'what came in, in the currency of the org';
COMMENT ON COLUMN elecbill.payment.paid_at IS 'when it was paid';
COMMENT ON COLUMN elecbill.payment.receipt_no IS 'number of the receipt: R YEAR-NNNNNN, gapless per org, or that of a printed block';
COMMENT ON COLUMN elecbill.payment.operator IS 'login of who recorded it';
COMMENT ON COLUMN elecbill.payment.idem_key IS 'key of the caller: a call made twice posts once';
COMMENT ON COLUMN elecbill.payment.content_sha256 IS 'sha256 of what was asked for';
COMMENT ON COLUMN elecbill.payment.created_at IS 'when it was recorded';
COMMENT ON COLUMN elecbill.payment.state IS
'posted; unmatched: no such order, held in suspense; mismatch: another amount than ordered, held in suspense; reversed';
COMMENT ON INDEX elecbill.payment_account_idx IS 'payments of an account';
COMMENT ON INDEX elecbill.payment_order_idx IS 'payments of an order';
COMMENT ON INDEX elecbill.payment_shift_idx IS 'payments of a shift';
COMMENT ON INDEX elecbill.payment_open_idx IS 'payments that somebody must look at';
ALTER TABLE elecbill.ledger_transfer ADD CONSTRAINT ledger_transfer_payment_fkey
	FOREIGN KEY (org_id, payment_id) REFERENCES elecbill.payment (org_id, id);
CREATE TRIGGER payment_frozen
	BEFORE UPDATE OF id, org_id, order_id, in_time, shift_id, channel, channel_txn, amount, paid_at, operator, idem_key, content_sha256,
		created_at ON elecbill.payment
	FOR EACH ROW EXECUTE FUNCTION elecbill._append_only();
COMMENT ON TRIGGER payment_frozen ON elecbill.payment IS 'what came in does not change';
-- its number is taken last, when all else is booked
CREATE TRIGGER payment_receipt BEFORE UPDATE OF receipt_no ON elecbill.payment
	FOR EACH ROW WHEN (OLD.receipt_no IS NOT NULL) EXECUTE FUNCTION elecbill._append_only();
COMMENT ON TRIGGER payment_receipt ON elecbill.payment IS 'a receipt keeps its number';
CREATE TRIGGER payment_keep BEFORE DELETE ON elecbill.payment
	FOR EACH ROW EXECUTE FUNCTION elecbill._append_only();
COMMENT ON TRIGGER payment_keep ON elecbill.payment IS 'no DELETE; payment_reverse() takes a payment back';
CREATE TRIGGER payment_keep_all BEFORE TRUNCATE ON elecbill.payment
	FOR EACH STATEMENT EXECUTE FUNCTION elecbill._append_only();
COMMENT ON TRIGGER payment_keep_all ON elecbill.payment IS 'no TRUNCATE';

CREATE TABLE elecbill.payment_allocation (
	payment_id	bigint NOT NULL,
	bill_id		bigint NOT NULL,
	n			integer NOT NULL,
	org_id		integer NOT NULL,
	component	text NOT NULL CONSTRAINT payment_allocation_component_check CHECK (component IN ('bill', 'late_fee')),
	amount		numeric(14,2) NOT NULL CONSTRAINT payment_allocation_amount_check CHECK (amount <> 0),
	at			timestamptz NOT NULL DEFAULT elecbill.now(),
	CONSTRAINT payment_allocation_pkey PRIMARY KEY (payment_id, bill_id, n),
	CONSTRAINT payment_allocation_payment_fkey FOREIGN KEY (org_id, payment_id) REFERENCES elecbill.payment (org_id, id),
	CONSTRAINT payment_allocation_bill_fkey FOREIGN KEY (org_id, bill_id) REFERENCES elecbill.bill (org_id, id)
);
CREATE INDEX payment_allocation_bill_idx ON elecbill.payment_allocation (bill_id);
COMMENT ON TABLE elecbill.payment_allocation IS 'which bill a payment went to; never changed, taken back by a row below 0';
COMMENT ON COLUMN elecbill.payment_allocation.payment_id IS 'the payment';
COMMENT ON COLUMN elecbill.payment_allocation.bill_id IS 'the bill';
COMMENT ON COLUMN elecbill.payment_allocation.n IS 'number of the row for that bill, from 1';
COMMENT ON COLUMN elecbill.payment_allocation.org_id IS 'owner';
COMMENT ON COLUMN elecbill.payment_allocation.component IS 'bill: its amount; late_fee: the late fee on it';
COMMENT ON COLUMN elecbill.payment_allocation.amount IS 'how much; below 0: taken back';
COMMENT ON COLUMN elecbill.payment_allocation.at IS 'when';
COMMENT ON INDEX elecbill.payment_allocation_bill_idx IS 'payments of a bill';
CREATE TRIGGER payment_allocation_keep BEFORE UPDATE OR DELETE ON elecbill.payment_allocation
	FOR EACH ROW EXECUTE FUNCTION elecbill._append_only();
COMMENT ON TRIGGER payment_allocation_keep ON elecbill.payment_allocation IS 'no UPDATE, no DELETE';
CREATE TRIGGER payment_allocation_keep_all BEFORE TRUNCATE ON elecbill.payment_allocation
	FOR EACH STATEMENT EXECUTE FUNCTION elecbill._append_only();
COMMENT ON TRIGGER payment_allocation_keep_all ON elecbill.payment_allocation IS 'no TRUNCATE';
