-- 47_invoice.sql: what the maker of tax invoices (发票) is told: whose they are, what is sold, and at which tax rate
-- Invoices are made outside; bill_invoice() notes their numbers (81_bill_cancel.sql).

CREATE TABLE elecbill.invoice_party (
	id			bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT invoice_party_pkey PRIMARY KEY,
	org_id		integer NOT NULL CONSTRAINT invoice_party_org_fkey REFERENCES elecbill.org,
	customer_id	bigint,
	title		text NOT NULL CONSTRAINT invoice_party_title_check CHECK (title ~ '\S' AND length(title) <= 200),
	tax_no		text CONSTRAINT invoice_party_tax_no_check CHECK (tax_no ~ '^[0-9A-Z]{15,20}$'),
	contact		text CONSTRAINT invoice_party_contact_check CHECK (length(contact) <= 400),
	type		text NOT NULL CONSTRAINT invoice_party_type_check CHECK (type IN ('normal', 'special')),
	CONSTRAINT invoice_party_customer_key UNIQUE NULLS NOT DISTINCT (org_id, customer_id),
	CONSTRAINT invoice_party_special_check CHECK (type = 'normal' OR tax_no IS NOT NULL),
	CONSTRAINT invoice_party_customer_fkey FOREIGN KEY (org_id, customer_id) REFERENCES elecbill.customer (org_id, id)
);
CREATE INDEX invoice_party_customer_idx ON elecbill.invoice_party (customer_id) WHERE customer_id IS NOT NULL;
COMMENT ON TABLE elecbill.invoice_party IS 'who stands on tax invoices: the org as seller, customers as buyers where it is not just their name; invoice_party_set() writes it';
COMMENT ON COLUMN elecbill.invoice_party.id IS 'internal key';
COMMENT ON COLUMN elecbill.invoice_party.org_id IS 'owner';
COMMENT ON COLUMN elecbill.invoice_party.customer_id IS 'the customer; NULL: the org itself, as seller';
COMMENT ON COLUMN elecbill.invoice_party.title IS 'name on the invoice (抬头)';
COMMENT ON COLUMN elecbill.invoice_party.tax_no IS 'number of the taxpayer (纳税人识别号), 15 to 20 digits and capital letters';
COMMENT ON COLUMN elecbill.invoice_party.contact IS 'address, telephone, bank and account, as they are to be printed';
COMMENT ON COLUMN elecbill.invoice_party.type IS 'normal (普通发票) or special (专用发票), which needs tax_no';
COMMENT ON INDEX elecbill.invoice_party_customer_idx IS 'party of a customer';

CREATE TABLE elecbill.invoice_item (
	id			bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT invoice_item_pkey PRIMARY KEY,
	org_id		integer NOT NULL CONSTRAINT invoice_item_org_fkey REFERENCES elecbill.org,
	valid		daterange NOT NULL CONSTRAINT invoice_item_valid_check CHECK (NOT isempty(valid) AND NOT lower_inf(valid)),
	name		text NOT NULL CONSTRAINT invoice_item_name_check CHECK (name ~ '\S' AND length(name) <= 100),
	tax_code	text NOT NULL CONSTRAINT invoice_item_tax_code_check CHECK (tax_code ~ '^[0-9]{19}$'),
	rate		numeric(5,2) NOT NULL CONSTRAINT invoice_item_rate_check CHECK (rate BETWEEN 0 AND 100),
	CONSTRAINT invoice_item_overlap EXCLUDE USING gist (int4range(org_id, org_id, '[]') WITH &&, valid WITH &&)
);
COMMENT ON TABLE elecbill.invoice_item IS 'what an org sells, as its invoices say it, by local days; invoice_item_set() writes it';
COMMENT ON COLUMN elecbill.invoice_item.id IS 'internal key';
COMMENT ON COLUMN elecbill.invoice_item.org_id IS 'owner';
COMMENT ON COLUMN elecbill.invoice_item.valid IS 'local days [from, to) of issue';
COMMENT ON COLUMN elecbill.invoice_item.name IS 'name of the goods, such as *供电*电费';
COMMENT ON COLUMN elecbill.invoice_item.tax_code IS 'code of the goods (税收分类编码), 19 digits';
COMMENT ON COLUMN elecbill.invoice_item.rate IS
'percent of tax inside the amounts of bills whose tariffs say nothing of tax; where a tariff has vat, its rate counts';

CREATE FUNCTION elecbill.invoice_party_set(org text, customer text, title text, tax_no text DEFAULT NULL,
	contact text DEFAULT NULL, type text DEFAULT 'normal') RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	owner integer := elecbill._org_get(org);
	buyer bigint := (SELECT c.id FROM elecbill.customer c WHERE c.org_id = owner AND c.code = invoice_party_set.customer);
BEGIN
	IF customer IS NOT NULL AND buyer IS NULL THEN
		RAISE EXCEPTION 'there is no customer %', quote_literal(customer) USING ERRCODE = 'UB404';
	ELSIF (title ~ '\S' AND length(title) <= 200 AND type IN ('normal', 'special') AND coalesce(length(contact), 0) <= 400) IS NOT TRUE
		OR tax_no !~ '^[0-9A-Z]{15,20}$' OR type = 'special' AND tax_no IS NULL
	THEN
		RAISE EXCEPTION USING
			ERRCODE = 'UB400',
			MESSAGE = 'an invoice needs a name of at most 200 characters, and a type',
			DETAIL = 'A tax number has 15 to 20 digits and capital letters; type is normal or special, and special needs a tax number.';
	END IF;
	INSERT INTO elecbill.invoice_party AS p (org_id, customer_id, title, tax_no, contact, type)
	VALUES (owner, buyer, invoice_party_set.title, invoice_party_set.tax_no, invoice_party_set.contact, invoice_party_set.type)
	ON CONFLICT ON CONSTRAINT invoice_party_customer_key DO UPDATE
	SET title = excluded.title, tax_no = excluded.tax_no, contact = excluded.contact, type = excluded.type;
	PERFORM elecbill._audit(owner, 'invoice_party_set', coalesce(customer, org), NULL,
		jsonb_build_object('title', title, 'tax_no', tax_no, 'type', type));
END $$;
COMMENT ON FUNCTION elecbill.invoice_party_set(text, text, text, text, text, text) IS
'what tax invoices say of a customer (its code) or, with NULL, of the org itself: name, tax number, address and bank, normal or special. UB400, UB404';

CREATE FUNCTION elecbill.invoice_item_set(org text, name text, tax_code text, rate numeric, since date DEFAULT NULL) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	owner integer := elecbill._org_get(org);
	first_day date := coalesce(since, elecbill._today(owner));
BEGIN
	IF (name ~ '\S' AND length(name) <= 100 AND tax_code ~ '^[0-9]{19}$' AND rate BETWEEN 0 AND 100 AND rate = round(rate, 2)
		AND isfinite(first_day)) IS NOT TRUE
	THEN
		RAISE EXCEPTION USING
			ERRCODE = 'UB400',
			MESSAGE = 'an invoice item needs a name of at most 100 characters, a code of 19 digits and a rate from 0 to 100 percent';
	END IF;
	PERFORM FROM elecbill.org o WHERE o.id = owner FOR NO KEY UPDATE;
	DELETE FROM elecbill.invoice_item i WHERE i.org_id = owner AND lower(i.valid) >= first_day;
	UPDATE elecbill.invoice_item i SET valid = i.valid * daterange(NULL, first_day) WHERE i.org_id = owner AND i.valid @> first_day;
	INSERT INTO elecbill.invoice_item (org_id, valid, name, tax_code, rate)
	VALUES (owner, daterange(first_day, NULL), invoice_item_set.name, invoice_item_set.tax_code, invoice_item_set.rate);
	PERFORM elecbill._audit(owner, 'invoice_item_set', name, NULL,
		jsonb_build_object('tax_code', tax_code, 'rate', rate, 'since', first_day));
END $$;
COMMENT ON FUNCTION elecbill.invoice_item_set(text, text, text, numeric, date) IS
'what tax invoices say of the electricity of bills issued from a local day on (default: today): name, code of 19 digits, percent of tax inside the amounts of tariffs without vat. UB400, UB404';

CREATE VIEW elecbill.invoice_export WITH (security_invoker = true) AS
SELECT o.code AS org, coalesce(p.type, 'normal') AS type, i.number, x.day AS date, b.number AS bill, a.account_no,
	coalesce(p.title, c.name) AS buyer, p.tax_no AS buyer_tax_no, p.contact AS buyer_contact,
	t.n, coalesce(m.name, '*供电*电费') AS item, m.tax_code, CASE WHEN t.n = 1 AND k.kwh <> 0 THEN '千瓦时' END AS unit,
	CASE WHEN t.n = 1 THEN nullif(k.kwh, 0) END AS quantity,
	CASE WHEN t.n = 1 AND k.kwh <> 0 THEN round(t.amount / k.kwh, 8) END AS price, t.amount, t.rate, t.tax, b.amount AS total,
	CASE o.currency WHEN 'CNY' THEN elecbill.cny_upper(b.amount) END AS total_upper,
	coalesce(s.title, o.name) AS seller, s.tax_no AS seller_tax_no, s.contact AS seller_contact
FROM elecbill.bill b
JOIN elecbill.org o ON o.id = b.org_id
JOIN elecbill.customer_account a ON a.id = b.account_id
JOIN elecbill.customer c ON c.id = a.customer_id
CROSS JOIN LATERAL (SELECT (b.issued_at AT TIME ZONE o.zone)::date AS day) AS x
LEFT JOIN elecbill.tax_invoice i ON i.bill_id = b.id
LEFT JOIN elecbill.invoice_party s ON s.org_id = b.org_id AND s.customer_id IS NULL
LEFT JOIN elecbill.invoice_party p ON p.org_id = b.org_id AND p.customer_id = c.id
LEFT JOIN elecbill.invoice_item m ON m.org_id = b.org_id AND m.valid @> x.day
CROSS JOIN LATERAL (
	SELECT coalesce((SELECT sum(g.energy_wh) * 0.001 FROM elecbill.bill_segment g WHERE g.bill_id = b.id), 0)
		+ coalesce((SELECT sum(l.quantity) FROM elecbill.bill_line l WHERE l.bill_id = b.id AND l.kind = 'true_up' AND l.unit = 'kwh'), 0)
		AS kwh) AS k
CROSS JOIN LATERAL (
	SELECT row_number() OVER (ORDER BY abs(r.amount) DESC, r.rate DESC) AS n, r.rate, r.amount, r.tax
	FROM (
		WITH taxed AS (
			-- a line of tax has what it is a tax on as its quantity
			SELECT CASE l.kind WHEN 'vat' THEN l.price ELSE round(100 * l.amount / nullif(l.quantity, 0), 2) END AS rate,
				round(sum(l.quantity), 2) AS amount, sum(l.amount) AS tax
			FROM elecbill.bill_line l
			WHERE l.bill_id = b.id AND (l.kind = 'vat' OR l.kind IN ('true_up', 'adjustment', 'allocation') AND l.grp = 'tax')
			GROUP BY 1
		), rest AS (
			SELECT b.amount - coalesce(sum(y.amount + y.tax), 0) AS amount, CASE WHEN count(*) = 0 THEN coalesce(m.rate, 0) ELSE 0 END AS rate
			FROM taxed y)
		SELECT y.rate, y.amount, y.tax FROM taxed y
		UNION ALL
		SELECT z.rate, z.amount - round(z.amount * z.rate / (100 + z.rate), 2), round(z.amount * z.rate / (100 + z.rate), 2)
		FROM rest z WHERE z.amount <> 0) AS r) AS t
WHERE b.live AND b.number IS NOT NULL AND b.kind <> 'opening';
COMMENT ON VIEW elecbill.invoice_export IS
'what is to be put on the tax invoice of each issued bill, a row per tax rate: the tax lines of the bill, or, where its tariff says nothing of tax, what invoice_item takes out of the amount (that tax is inside revenue, the books have none). amount + tax of a bill add up to its total';
COMMENT ON COLUMN elecbill.invoice_export.org IS 'code of the org';
COMMENT ON COLUMN elecbill.invoice_export.type IS 'normal (普通发票) or special (专用发票)';
COMMENT ON COLUMN elecbill.invoice_export.number IS 'number of the invoice, once bill_invoice() noted it; NULL: to be made';
COMMENT ON COLUMN elecbill.invoice_export.date IS 'local day of issue of the bill';
COMMENT ON COLUMN elecbill.invoice_export.bill IS 'number of the bill';
COMMENT ON COLUMN elecbill.invoice_export.account_no IS 'account number';
COMMENT ON COLUMN elecbill.invoice_export.buyer IS 'name of the buyer';
COMMENT ON COLUMN elecbill.invoice_export.buyer_tax_no IS 'tax number of the buyer';
COMMENT ON COLUMN elecbill.invoice_export.buyer_contact IS 'address, telephone, bank and account of the buyer';
COMMENT ON COLUMN elecbill.invoice_export.n IS 'number of the row of the invoice, from 1, the largest amount first';
COMMENT ON COLUMN elecbill.invoice_export.item IS 'name of the goods';
COMMENT ON COLUMN elecbill.invoice_export.tax_code IS 'code of the goods, 19 digits';
COMMENT ON COLUMN elecbill.invoice_export.unit IS 'unit of quantity; NULL: none is printed';
COMMENT ON COLUMN elecbill.invoice_export.quantity IS 'billed kWh, on the first row';
COMMENT ON COLUMN elecbill.invoice_export.price IS 'amount / quantity, eight decimals, without tax';
COMMENT ON COLUMN elecbill.invoice_export.amount IS 'amount without tax, in the currency of the org';
COMMENT ON COLUMN elecbill.invoice_export.rate IS 'percent of tax';
COMMENT ON COLUMN elecbill.invoice_export.tax IS 'tax';
COMMENT ON COLUMN elecbill.invoice_export.total IS 'amount of the bill, with tax: of all its rows';
COMMENT ON COLUMN elecbill.invoice_export.total_upper IS 'total in Chinese capitals; NULL in another currency than CNY';
COMMENT ON COLUMN elecbill.invoice_export.seller IS 'name of the seller';
COMMENT ON COLUMN elecbill.invoice_export.seller_tax_no IS 'tax number of the seller';
COMMENT ON COLUMN elecbill.invoice_export.seller_contact IS 'address, telephone, bank and account of the seller';
