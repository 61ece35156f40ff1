-- schema--0.1.0--0.2.0.sql: riders, price series, versions inside one bill

DROP FUNCTION elecbill.tariff_for(text, daterange, timestamptz);
DROP FUNCTION elecbill._tariff_of(bigint, daterange, timestamptz);
DROP FUNCTION elecbill.bill_run_retry(bigint);
ALTER TABLE elecbill.tariff_plan ADD COLUMN rider boolean NOT NULL DEFAULT false;

CREATE TABLE elecbill.price_series (
	id			bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT price_series_pkey PRIMARY KEY,
	org_id		integer NOT NULL CONSTRAINT price_series_org_fkey REFERENCES elecbill.org,
	code		text NOT NULL CONSTRAINT price_series_code_check CHECK (code ~ '^\S{1,64}$'),
	name		text,
	read_by		text NOT NULL DEFAULT 'instant'
				CONSTRAINT price_series_read_by_check CHECK (read_by IN ('instant', 'bill_month')),
	CONSTRAINT price_series_org_code_key UNIQUE (org_id, code),
	CONSTRAINT price_series_org_id_key UNIQUE (org_id, id)
);

ALTER TABLE elecbill.price_series ADD CONSTRAINT price_series_usage_check CHECK (code <> 'usage');

CREATE TABLE elecbill.price_point (
	id			bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT price_point_pkey PRIMARY KEY,
	org_id		integer NOT NULL,
	series_id	bigint NOT NULL,
	during		tstzrange NOT NULL CONSTRAINT price_point_during_check
				CHECK (NOT isempty(during) AND NOT lower_inf(during)),
	price		numeric(18,9) NOT NULL,
	known		tstzrange NOT NULL
				CONSTRAINT price_point_known_check CHECK (NOT lower_inf(known)),
	created_by	text NOT NULL CONSTRAINT price_point_created_by_check CHECK (created_by <> ''),
	CONSTRAINT price_point_series_fkey FOREIGN KEY (org_id, series_id)
		REFERENCES elecbill.price_series (org_id, id),
	CONSTRAINT price_point_excl EXCLUDE USING gist (
		int8range(series_id, series_id, '[]') WITH &&, during WITH &&, known WITH &&)
);

CREATE INDEX price_point_series_idx ON elecbill.price_point (org_id, series_id);

CREATE TABLE elecbill.tariff_rider (
	id				bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT tariff_rider_pkey PRIMARY KEY,
	org_id			integer NOT NULL,
	tariff_plan_id	bigint NOT NULL,
	rider_plan_id	bigint NOT NULL,
	n				integer NOT NULL,
	valid			daterange NOT NULL CONSTRAINT tariff_rider_valid_check
					CHECK (NOT isempty(valid) AND NOT lower_inf(valid)),
	known			tstzrange NOT NULL CONSTRAINT tariff_rider_known_check
					CHECK (NOT lower_inf(known)),
	CONSTRAINT tariff_rider_self_check CHECK (tariff_plan_id <> rider_plan_id),
	CONSTRAINT tariff_rider_plan_fkey FOREIGN KEY (org_id, tariff_plan_id)
		REFERENCES elecbill.tariff_plan (org_id, id),
	CONSTRAINT tariff_rider_rider_fkey FOREIGN KEY (org_id, rider_plan_id)
		REFERENCES elecbill.tariff_plan (org_id, id),
	CONSTRAINT tariff_rider_excl EXCLUDE USING gist (
		int8range(tariff_plan_id, tariff_plan_id, '[]') WITH &&,
		int8range(rider_plan_id, rider_plan_id, '[]') WITH &&, valid WITH &&, known WITH &&)
);

CREATE INDEX tariff_rider_plan_idx ON elecbill.tariff_rider (org_id, tariff_plan_id);

CREATE INDEX tariff_rider_rider_idx ON elecbill.tariff_rider (org_id, rider_plan_id);
