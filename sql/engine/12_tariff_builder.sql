-- 12_tariff_builder.sql: simple tariffs in one call (src/pg/tariff_builder.c)

CREATE FUNCTION elecbill.tiered_tariff(limits numeric[], prices numeric[],
	currency text DEFAULT 'CNY', zone text DEFAULT 'Asia/Shanghai', scope text DEFAULT 'bill')
RETURNS elecbill.tariff
AS 'MODULE_PATHNAME', 'elecbill_tariff_tiered'
LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION elecbill.tiered_tariff(numeric[], numeric[], text, text, text) IS
'a tariff of graduated tiers: limits in kWh, rising, at most 6 decimals; one more price than limits, currency per kWh, at most 9 decimals; scope bill, month, quarter or year. UB400';

CREATE FUNCTION elecbill.tou_tariff(rules jsonb, prices jsonb, currency text DEFAULT 'CNY',
	zone text DEFAULT 'Asia/Shanghai')
RETURNS elecbill.tariff
AS 'MODULE_PATHNAME', 'elecbill_tariff_tou'
LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION elecbill.tou_tariff(jsonb, jsonb, text, text) IS
'a tariff by time of use: rules as in a schedule, [{"period": "peak", "spans": [["08:00", "22:00"]]}, {"period": "valley"}], the first match wins; prices {"peak": 0.7, "valley": 0.4}, currency per kWh. UB400';
