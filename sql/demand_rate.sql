-- demand_rate.sql: demand, power factor and transformer losses without a tariff
\pset null '(null)'

-- ratchet: 35 % of 100 kW in January, then 1 kW (published by NREL/REopt.jl)
SELECT elecbill.ratchet('{100,1,1}', '{35,35,35}', 11) AS looks_back,
	elecbill.ratchet('{100,1,1}', '{35,35,35}', 1) AS one_month_only,
	elecbill.ratchet('{100}', '{35}', 11) AS the_month_itself;
-- the percentage of the month in which the peak occurred: 80 % of July's 1300 kW, 0 % of January's 1400
SELECT elecbill.ratchet('{1400,1300,900}', '{0,80,80}', 11) AS july_counts,
	elecbill.ratchet('{1400,1300,900}', '{0,80,80}', 11, 1050) AS the_floor,
	elecbill.ratchet('{1400,1300,900}', '{0,80,80}', 0, 0, 75) AS of_this_month;
-- rounded half-up at 0.000001 kW; a lookback longer than what is known
SELECT elecbill.ratchet('{0.000001,0}', '{50,0}', 36) AS half_up,
	elecbill.ratchet('{0.000001,0}', '{49.999999999,0}', 36) AS below_half,
	elecbill.ratchet('{9223372036854.775807}', '{0}', 2147483647) AS largest,
	elecbill.ratchet(NULL, '{1}', 1) AS no_peaks;

-- power factor: exact, half-up to 0.01
SELECT elecbill.power_factor(100000, 45000) AS "0.91", elecbill.power_factor(3, 4) AS "0.60",
	elecbill.power_factor(1, 0) AS "1.00", elecbill.power_factor(0, 1) AS "0.00",
	elecbill.power_factor(0, 0) AS neither;
-- 0.6 exactly, and 199/200 = 0.995 from the triangle 199, sqrt(399), 200: a hair decides
SELECT elecbill.power_factor(9223372036854.775807, 9223372036854.775807) AS "0.71",
	elecbill.power_factor(199000000, 19974984.355438) AS "1.00",
	elecbill.power_factor(199000000, 19974984.355439) AS "0.99";
SELECT pf, elecbill.pf_adjust(pf, 0.90) AS "0.90", elecbill.pf_adjust(pf, 0.85) AS "0.85", elecbill.pf_adjust(pf, 0.8) AS "0.80"
FROM unnest('{1,0.95,0.945,0.944999999,0.91,0.9,0.85,0.8,0.65,0.4,0.1,0}'::numeric[]) pf;

-- 400 kVA, 720 h, 100,000 kWh, 40,000 kvarh: 576 + 432.986111
SELECT elecbill.transformer_loss(100000, 40000, 400, 720, 0.8, 4.3) AS both,
	elecbill.transformer_loss(100000, 40000, 400, 720, 0.8, 0) AS iron,
	elecbill.transformer_loss(100000, 40000, 400, 720, 0, 4.3, 1.1) AS copper;
-- one rounding for both: 0.0000004 + 0.0000004 kWh
SELECT elecbill.transformer_loss(0.0004, 0, 1, 1, 0.0000004, 2.5) AS once,
	elecbill.transformer_loss(0, 0, 1, 0.000000001, 500, 1) AS half_up,
	elecbill.transformer_loss(0, 0, 1, 0.000000001, 499.999999999, 1) AS below_half;
-- against numeric
SELECT count(*) FILTER (WHERE is_not <> wanted) AS wrong, count(*) AS cases FROM (
	SELECT elecbill.transformer_loss(p, q, kva, hours, p0, pk, k) AS is_not,
		round(p0 * hours + k * pk * (p * p + q * q) / (kva * kva * hours), 6) AS wanted
	FROM (SELECT n * 7919.123457 AS p, (n * n) % 1009 * 31.5 AS q, n % 20 * 50 + 30 AS kva, n % 3 * 0.25 + 672 AS hours,
		n % 9 * 0.123456789 AS p0, n % 11 * 0.987654321 AS pk, n % 5 * 0.3 AS k FROM generate_series(1, 2000) n) r) t;

-- a two-part tariff (prices and factors are examples): energy 521,580.00, demand 95,554.81, power factor -2,777.14, funds 40,680.00
SELECT '{"elecbill":1,"code":"two-part","currency":"CNY","zone":"Asia/Shanghai",
 "schedules":{"tou":[{"period":"sharp","spans":[["20:00","22:00"]],"months":[7,8]},{"period":"sharp","spans":[["18:00","20:00"]],"months":[1,2,3,4,5,6,9,10,11,12]},
   {"period":"peak","spans":[["16:00","24:00"]]},{"period":"flat","spans":[["06:00","12:00"],["14:00","16:00"]]},{"period":"valley"}]},
 "values":{"tou":{"period":{"sharp":1.8,"peak":1.6,"flat":1,"valley":0.4}}},"demands":{"main":{"window":15,"slide":1,"round":{"step":0.0001}}},
 "components":[
  {"code":"market","kind":"energy","group":"energy","price":{"mul":[0.3894,{"ref":"tou"}],"round":{"step":0.0001}}},
  {"code":"loss","kind":"energy","group":"energy","price":{"mul":[0.0194,{"ref":"tou"}],"round":{"step":0.0001}}},
  {"code":"delivery","kind":"energy","group":"energy","price":0.0908},{"code":"system","kind":"energy","group":"energy","price":0.0436},
  {"code":"demand","kind":"demand","factor_if":[{"if":{"ratio":{"of":"import_kwh","to":"attr:contract_kva","ge":260}},"factor":0.9}],"price":39,"demand":"main"},
  {"code":"pf","kind":"power_factor","base":["energy","demand"],"per_line":true,"table":"cn_0.90"},
  {"code":"funds","kind":"energy","price":0.0452}]}' AS tariff \gset
SELECT elecbill.usage_from(:'tariff', '{"import_kwh": {"sharp": 100000, "peak": 250000, "flat": 300000, "valley": 250000},
	"max_kw": {"main": 2450.1234}, "power_factor": 0.93}') AS usage \gset
SELECT grp, sum(amount) FROM elecbill.rate(:'tariff', :'usage', '{"attrs": {"contract_kva": 12000}}') GROUP BY grp ORDER BY min(n);
SELECT elecbill.rate_total(:'tariff', :'usage', '{"attrs": {"contract_kva": 12000}}') AS "75 kWh/kVA",
	elecbill.rate_total(:'tariff', :'usage', '{"attrs": {"contract_kva": 2000}}') AS "450 kWh/kVA";
-- measured: 20 kW all month, 40 kW from 10:05 to 10:20, which only a sliding window sees whole
SELECT elecbill.usage(:'tariff', tstzrange(at, at + '5 min'), CASE WHEN at >= '2025-07-10 10:05+08' AND at < '2025-07-10 10:20+08' THEN 10 / 3.0 ELSE 5 / 3.0 END::numeric(12,6)) AS measured
FROM generate_series('2025-07-01 00:00+08'::timestamptz, '2025-07-31 23:55+08', '5 min') at \gset
SELECT quantity, unit, price, factor, amount, during FROM elecbill.rate(:'tariff', elecbill.usage_merge(:'measured',
	elecbill.usage_from(:'tariff', '{"during": ["2025-07-01", "2025-08-01"], "power_factor": 0.9}')), '{"attrs": {"contract_kva": 50}}') WHERE code = 'demand';
-- the ratchet of 80 % over eleven months
SELECT '{"elecbill":1,"code":"ratchet","currency":"USD","demands":{"peak":{"window":60,"ratchet":{"lookback":11,"percent":80}}},
 "components":[{"code":"demand","kind":"demand","demand":"peak","price":10,"prorate":"days"}]}' AS ratchet \gset
SELECT elecbill.usage_from(:'ratchet', '{"during": ["2025-06-01", "2025-07-01"], "import_kwh": 0, "max_kw": {"peak": 60}}') AS june \gset
SELECT quantity, amount FROM elecbill.rate(:'ratchet', :'june');
SELECT quantity, amount FROM elecbill.rate(:'ratchet', :'june', '{"past_kw": {"peak": {"2024-07": 100, "2024-06": 900}}}');
SELECT quantity, amount FROM elecbill.rate(:'ratchet', :'june', '{"past_kw": {"peak": {"2024-07": 100}}, "service_days": 15}');
-- what the usage lacks is named
SELECT elecbill.rate_total(:'ratchet', elecbill.usage_from(:'ratchet', '{"during": ["2025-06-01", "2025-07-01"], "import_kwh": 0}'));
SELECT elecbill.rate_total(:'tariff', elecbill.usage_from(:'tariff', '{"import_kwh": {"sharp": 1, "peak": 1, "flat": 1, "valley": 1}, "max_kw": {"main": 1}}'), '{"attrs": {"contract_kva": 12000}}');

-- wrong arguments
SELECT elecbill.ratchet('{}', '{}', 1);
SELECT elecbill.ratchet('{1,2}', '{1}', 1);
SELECT elecbill.ratchet('{1,-2}', '{1,1}', 1);
SELECT elecbill.ratchet('{1,2}', '{-1,1}', 1);
SELECT elecbill.ratchet('{1,NULL}', '{1,1}', 1);
SELECT elecbill.ratchet('{{1,2}}', '{1,1}', 1);
SELECT elecbill.ratchet('{1,2}', '{1,1}', -1);
SELECT elecbill.ratchet('{1,2}', '{1,1}', 1, -1);
SELECT elecbill.ratchet('{1,2}', '{1,1}', 1, 0, -1);
SELECT elecbill.ratchet('{1.0000001}', '{1}', 1);
SELECT elecbill.ratchet('{NaN}', '{1}', 1);
SELECT elecbill.ratchet('{9223372036854,1}', '{101,1}', 1);
SELECT elecbill.power_factor(-1, 0);
SELECT elecbill.power_factor(1, -1);
SELECT elecbill.power_factor(1e20, 1);
SELECT elecbill.power_factor('Infinity', 1);
SELECT elecbill.pf_adjust(1.01, 0.90);
SELECT elecbill.pf_adjust(-0.01, 0.90);
SELECT elecbill.pf_adjust(0.9, 0.95);
SELECT elecbill.pf_adjust(0.9, 0.900000001);
SELECT elecbill.transformer_loss(1, 1, 0, 720, 1, 1);
SELECT elecbill.transformer_loss(1, 1, 400, 0, 1, 1);
SELECT elecbill.transformer_loss(-1, 1, 400, 720, 1, 1);
SELECT elecbill.transformer_loss(1, 1, 400, 720, 1, -1);
SELECT elecbill.transformer_loss(9223372036854, 0, 0.000001, 720, 1, 1);
SELECT elecbill.transformer_loss(1, 0, 400, 9223372036, 9223372036, 1);
