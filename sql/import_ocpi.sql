-- import_ocpi.sql: tariffs of OCPI
\pset null '(null)'
SET datestyle = 'ISO';
SET timezone = 'UTC';

-- every kind of restriction and price component, as canonical text
SELECT jsonb_pretty(elecbill.tariff_from_ocpi('{"country_code":"DE","party_id":"ALL","id":"14","currency":"EUR","type":"REGULAR",
	"tariff_alt_url":"https://company.com/tariffs/14","tariff_alt_text":[{"language":"en","text":"2.00 euro p/hour"},{"language":"nl","text":"2.00 euro p/uur"}],
	"min_price":{"excl_vat":0.5,"incl_vat":0.6},"max_price":{"excl_vat":50,"incl_vat":60},
	"elements":[
		{"price_components":[{"type":"FLAT","price":2.5,"vat":15.0,"step_size":1}]},
		{"price_components":[{"type":"TIME","price":1.0,"vat":20.0,"step_size":900},{"type":"ENERGY","price":0.25,"step_size":100}],
			"restrictions":{"max_current":32,"min_power":1.5,"min_kwh":20,"max_kwh":50,"min_duration":60,"max_duration":3600}},
		{"price_components":[{"type":"PARKING_TIME","price":5,"vat":10,"step_size":300}],
			"restrictions":{"start_time":"09:00","end_time":"18:00","day_of_week":["MONDAY","SATURDAY"],"start_date":"2026-01-01","end_date":"2027-01-01"}},
		{"price_components":[{"type":"PARKING_TIME","price":6,"vat":null,"step_size":0}],
			"restrictions":{"start_time":"20:00","end_time":"00:00","end_date":"2027-01-01","day_of_week":[]}},
		{"price_components":[{"type":"FLAT","price":4},{"type":"TIME","price":2,"step_size":600}],"restrictions":{"reservation":"RESERVATION_EXPIRES"}},
		{"price_components":[{"type":"TIME","price":1}],"restrictions":{"reservation":"RESERVATION"}}],
	"start_date_time":"2026-01-01T00:00:00Z","end_date_time":null,"energy_mix":{"is_green_energy":true},"last_updated":"2015-06-29T20:39:09Z"}',
	'Europe/Berlin')::jsonb);
-- what is written is read again, to the same text
SELECT t::text::elecbill.tariff::text = t::text AS same, elecbill.session_total(t, '{"segments":[{"from":"2026-01-05T10:00","to":"2026-01-05T10:01","kwh":20}]}')
FROM elecbill.tariff_from_ocpi('{"currency":"EUR","elements":[{"price_components":[{"type":"ENERGY","price":0.25,"vat":10,"step_size":1}]}]}', 'UTC') t;

-- a limit without incl_vat is taxed as all is
SELECT s.* FROM elecbill.tariff_from_ocpi('{"currency":"EUR","min_price":{"excl_vat":2},
	"elements":[{"price_components":[{"type":"ENERGY","price":0.25,"vat":10,"step_size":1}]}]}', 'UTC') t,
	elecbill.session_total(t, '{"segments":[{"from":"2026-01-05T10:00","to":"2026-01-05T10:01","kwh":1}]}') s;

-- when it is valid: OCPI's instants are of UTC, whether they say so or not
SELECT elecbill.ocpi_valid('{"start_date_time":"2026-01-01T00:00:00","end_date_time":"2026-07-01T00:00:00Z"}'),
	elecbill.ocpi_valid('{"end_date_time":"2019-06-30T23:59:59Z"}'), elecbill.ocpi_valid('{}'), elecbill.ocpi_valid(NULL) IS NULL AS none;

-- what is refused, with its path
CREATE FUNCTION refused(tariff jsonb, zone text DEFAULT 'UTC') RETURNS text LANGUAGE plpgsql AS $$
DECLARE message text; detail text;
BEGIN
	PERFORM elecbill.tariff_from_ocpi(tariff, zone);
	RETURN 'taken';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL;
	RETURN concat_ws(' | ', sqlstate, message, nullif(detail, ''));
END $$;
CREATE FUNCTION element(price text, restrictions text DEFAULT 'null', more text DEFAULT '') RETURNS jsonb LANGUAGE sql AS
$$ SELECT ('{"currency":"EUR","elements":[{"price_components":[' || price || '],"restrictions":' || restrictions || '}]' || more || '}')::jsonb $$;
SELECT refused(j::jsonb) FROM unnest(ARRAY['[]', '"x"', '{}', '{"currency":"EUR"}', '{"currency":"EUR","elements":[]}', '{"currency":"EUR","elements":{}}',
	'{"currency":"EUR","elements":[3]}', '{"currency":"EUR","elements":[{}]}', '{"currency":"EUR","elements":[{"price_components":[]}]}',
	'{"currency":"EUR","elements":[{"price_components":[3]}]}', '{"currency":"EUR","elements":[{"price_components":[{}]}]}',
	'{"currency":"EUR","elements":[{"price_components":[{"type":"ENERGY","price":1}],"when":{}}]}',
	'{"currency":"euro","elements":[{"price_components":[{"type":"ENERGY","price":1}]}]}',
	'{"currency":5,"elements":[{"price_components":[{"type":"ENERGY","price":1}]}]}']) j;
SELECT refused(element(p)) FROM unnest(ARRAY['{"type":"energy","price":1}', '{"type":"ENERGY"}', '{"type":"ENERGY","price":"free"}', '{"type":"ENERGY","price":{}}',
	'{"type":"ENERGY","price":0.1234567891}', '{"type":"ENERGY","price":1e12}', '{"type":"ENERGY","price":1,"vat":-1}', '{"type":"ENERGY","price":1,"step_size":-1}',
	'{"type":"ENERGY","price":1,"step_size":0.5}', '{"type":"ENERGY","price":1,"tax":7}']) p;
SELECT refused(element('{"type":"TIME","price":1}', r)) FROM unnest(ARRAY['[]', '{"max_soc":80}', '{"start_time":"25:00"}', '{"end_time":"9 o''clock"}', '{"start_time":"24:00"}',
	'{"start_date":"2026-02-30"}', '{"day_of_week":"MONDAY"}', '{"day_of_week":["MON"]}', '{"min_kwh":"x"}', '{"min_kwh":5,"max_kwh":5}',
	'{"min_current":0.1234567}', '{"reservation":"HELD"}', '{"start_time":"10:00"}', '{"end_time":"10:00"}', '{}']) r;
SELECT refused(element('{"type":"ENERGY","price":1}', '{"reservation":"RESERVATION"}')) AS energy,
	refused(element('{"type":"PARKING_TIME","price":1}', '{"reservation":"RESERVATION"}')) AS parking;
SELECT refused(element('{"type":"ENERGY","price":1,"vat":5},{"type":"TIME","price":1,"vat":6}', 'null', m)) FROM unnest(ARRAY[
	',"min_price":5', ',"min_price":{}', ',"min_price":{"before_taxes":5}', ',"min_price":{"excl_vat":5}', ',"max_price":{"excl_vat":"x"}',
	',"min_price":{"excl_vat":5,"incl_vat":6}', ',"tariff_alt_text":"cheap"', ',"tariff_alt_text":[{"text":"cheap"}]',
	',"tariff_alt_text":[{"language":"en","text":"a"},{"language":"en","text":"b"}]', ',"tariff_alt_text":[]',
	',"start_date_time":"tomorrow"', ',"start_date_time":"2026-01-01T00:00:00Z","end_date_time":"2026-01-01T00:00:00Z"', ',"preauthorize_amount":10']) m;
SELECT refused(element('{"type":"ENERGY","price":1}'), 'Mars/Olympus') AS zone;
SELECT refused(jsonb_build_object('currency', 'EUR', 'elements', (SELECT jsonb_agg(element('{"type":"ENERGY","price":1}') #> '{elements,0}') FROM generate_series(1, 257)))) AS many;
SELECT elecbill.ocpi_valid('{"start_date_time":5}');
