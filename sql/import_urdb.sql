-- import_urdb.sql: rates of the Utility Rate Database
\pset null '(null)'
\pset format unaligned
SET timezone = 'UTC';
SET datestyle = 'ISO';

-- twelve times the same day; a day of runs [hours, period]
CREATE FUNCTION pg_temp.year(day jsonb) RETURNS jsonb LANGUAGE sql AS
$$ SELECT jsonb_agg(day) FROM generate_series(1, 12) $$;
CREATE FUNCTION pg_temp.day(VARIADIC runs integer[]) RETURNS jsonb LANGUAGE sql AS
$$ SELECT jsonb_agg(runs[2 * i] ORDER BY i, h) FROM generate_series(1, array_length(runs, 1) / 2) AS i, generate_series(1, runs[2 * i - 1]) AS h $$;
CREATE FUNCTION pg_temp.bill(rate jsonb, used jsonb, ctx jsonb DEFAULT '{}') RETURNS TABLE (code text, tier int, quantity numeric, price numeric, amount numeric)
LANGUAGE sql AS $$ SELECT r.code, r.tier, r.quantity, r.price, r.amount FROM elecbill.tariff_from_urdb(rate, 'America/Denver') AS t,
	elecbill.usage_from(t, used) AS u, elecbill.rate(t, u, ctx) AS r ORDER BY r.n $$;
CREATE FUNCTION pg_temp.fault(rate jsonb) RETURNS text LANGUAGE plpgsql AS $$
DECLARE state text; message text; detail text;
BEGIN
	PERFORM elecbill.tariff_from_urdb(rate, 'America/Denver');
	RETURN 'taken';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL;
	RETURN state || ' ' || message || ' / ' || detail;
END $$;

-- ---------------------------------------------------------------- one record after the other
-- two tiers, a fuel clause, a fixed charge, a minimum; keys that touch no price are left out
SELECT elecbill.tariff_from_urdb('{"items":[{"label":"5a3821035457a3187fb1d5b3","utility":"Hill Country","name":"Residential",
	"uri":"https://example.org/rate","approved":true,"sector":"Residential","servicetype":"Bundled","eiaid":1,"country":"USA",
	"description":"text","source":"text","sourceparent":"text","supercedes":"5a","is_default":false,"phasewiring":"Single Phase",
	"voltagecategory":"Secondary","peakkwcapacitymax":50,"peakkwhusagemin":0,"energycomments":"text","demandunits":"kW",
	"basicinformationcomments":null,"energyattrs":[],"startdate":1704067200,
	"energyratestructure":[[{"rate":0.10,"adj":0.01,"max":500,"unit":"kWh"},{"rate":0.20,"max":1e38}]],
	"fueladjustmentsmonthly":[0.01,0.01,0.01,0,0,0,0.02,0.02,0,0,0,0.01],
	"fixedchargefirstmeter":10,"fixedchargeunits":"$/month","mincharge":15,"minchargeunits":"$/month"}]}', 'America/Denver') AS tiers;
CREATE TEMP TABLE tiers AS SELECT '{"energyratestructure":[[{"rate":0.10,"adj":0.01,"max":500,"unit":"kWh"},{"rate":0.20}]],
	"fueladjustmentsmonthly":[0.01,0.01,0.01,0,0,0,0.02,0.02,0,0,0,0.01],
	"fixedchargefirstmeter":10,"fixedchargeunits":"$/month","mincharge":15,"minchargeunits":"$/month"}'::jsonb AS rate;
-- 500 x 0.11 + 200 x 0.20 + 700 x 0.02 + 10 = 119.00
SELECT b.* FROM tiers, pg_temp.bill(rate, '{"during":["2025-07-01","2025-08-01"],"import_kwh":700}') AS b;
-- 10 x 0.11 + 10 = 11.10, and 3.90 up to the minimum
SELECT b.* FROM tiers, pg_temp.bill(rate, '{"during":["2025-04-01","2025-05-01"],"import_kwh":10}') AS b;
-- two months: bounds, fixed charge and minimum are twice those of one: 700 x 0.11 + 20 = 97.00
SELECT b.* FROM tiers, pg_temp.bill(rate, '{"during":["2025-04-01","2025-06-01"],"import_kwh":700}') AS b;

-- hours of the day and weekends; sold by period
CREATE TEMP TABLE tou AS SELECT jsonb_build_object('name', 'time of use', 'dgrules', 'Net Billing Hourly',
	'energyratestructure', '[[{"rate":0.08}],[{"rate":0.31,"sell":0.05}],[{"rate":0.12,"sell":0.02}],[{"rate":9}],[]]'::jsonb,
	'energyweekdayschedule', (SELECT jsonb_agg(CASE WHEN m IN (6, 7, 8) THEN pg_temp.day(16,0, 5,1, 3,0) ELSE pg_temp.day(6,0, 4,2, 14,0) END ORDER BY m) FROM generate_series(1, 12) AS m),
	'energyweekendschedule', pg_temp.year(pg_temp.day(24,0)), 'fixedchargefirstmeter', 0.4, 'fixedchargeunits', '$/day', 'annualmincharge', 120) AS rate;
SELECT elecbill.tariff_from_urdb(rate, 'America/Denver') AS tou FROM tou;
-- Friday 4 July 2025: 19 h off, 5 h on peak, 1 kWh each; Saturday 24 h off: 43 x 0.08 = 3.44, 5 x 0.31 = 1.55;
-- 2 x 0.40 = 0.80; half as much sold: 2.5 x 0.05 = 0.125 -> 0.13
SELECT r.code, r.period, r.quantity, r.price, r.amount
FROM tou, elecbill.tariff_from_urdb(rate, 'America/Denver') AS t,
	LATERAL (SELECT elecbill.usage(t, tstzrange(at, at + interval '1 hour'), kwh, channel) AS u
		FROM generate_series(timestamptz '2025-07-04 00:00-06', '2025-07-05 23:00-06', interval '1 hour') AS at,
		(VALUES ('import', 1), ('export', 0.5)) AS c (channel, kwh)) AS s,
	elecbill.rate(t, u, '{"final": false}') AS r WHERE r.amount <> 0;

-- demand: 100 x 3 + 20 x 4 in winter, 120 x 5 in summer, 80 x 8.50 on peak
CREATE TEMP TABLE demand AS SELECT jsonb_build_object('demandwindow', 30, 'flatdemandunit', 'kW', 'demandrateunit', 'kW',
	'flatdemandstructure', '[[{"rate":3,"max":100},{"rate":3.5,"adj":0.5}],[{"rate":5}]]'::jsonb,
	'flatdemandmonths', '[0,0,0,0,0,1,1,1,1,0,0,0]'::jsonb,
	'demandratestructure', '[[{"rate":0}],[{"rate":8.5}]]'::jsonb,
	'demandweekdayschedule', pg_temp.year(pg_temp.day(14,0, 6,1, 4,0)), 'demandweekendschedule', pg_temp.year(pg_temp.day(24,0))) AS rate;
SELECT elecbill.tariff_from_urdb(rate, 'America/Denver') AS demand FROM demand;
SELECT b.* FROM demand, pg_temp.bill(rate, '{"during":["2025-02-01","2025-03-01"],"import_kwh":0,"max_kw":{"flat":120,"demand_1":80}}') AS b;
SELECT b.* FROM demand, pg_temp.bill(rate, '{"during":["2025-07-01","2025-08-01"],"import_kwh":0,"max_kw":{"flat":120,"demand_1":80}}') AS b;

-- look-back: 80 % of 150 kW in July; kVA; months whose peaks count; percent by month
SELECT * FROM pg_temp.bill('{"flatdemandstructure":[[{"rate":10}]],"lookbackpercent":0.8,"lookbackrange":11}',
	'{"during":["2025-11-01","2025-12-01"],"import_kwh":0,"max_kw":{"flat":100}}', '{"past_kw":{"flat":{"2025-07":150,"2025-10":90}}}');
SELECT elecbill.tariff_from_urdb('{"flatdemandstructure":[[{"rate":10}]],"flatdemandunit":"kVA","lookbackPercent":0.5,
	"lookbackMonths":[0,0,0,0,0,1,true,1,false,0,0,0],"lookbackRange":0}', 'UTC')::jsonb -> 'demands' AS lookback;
SELECT elecbill.tariff_from_urdb('{"flatdemandstructure":[[{"rate":10}]],"demandratchetpercentage":[0,0,0,0,0,0.95,0.95,0.95,0,0,0,0.6]}', 'UTC')::jsonb -> 'demands' AS ratchet;

-- hours of use: 200 h x 50 kW = 10,000 kWh, of which 3,000 at 0.13 and 7,000 at 0.10, then 5,000 at 0.05
SELECT * FROM pg_temp.bill('{"energyratestructure":[[{"rate":0.99,"max":200,"unit":"kWh/kW"},{"rate":0.13,"max":3000,"unit":"kWh"},
	{"rate":0.10,"unit":"kWh"},{"rate":0.05,"unit":"kWh/kW"}]]}', '{"during":["2025-07-01","2025-08-01"],"import_kwh":15000,"max_kw":{"peak":50}}');
-- kWh of each day: 31 x 10 at 0.2, the rest at 0.3
SELECT * FROM pg_temp.bill('{"energyratestructure":[[{"rate":0.2,"max":10,"unit":"kWh daily"},{"rate":0.3,"unit":"kWh daily"}]]}',
	'{"during":["2025-07-01","2025-08-01"],"import_kwh":400}');
-- a charge by the year, and the older names of charges
SELECT elecbill.tariff_from_urdb('{"fixedchargefirstmeter":120.60,"fixedchargeunits":"$/year","mincharge":300,"minchargeunits":"$/year","minmonthlycharge":20}', 'UTC')::jsonb -> 'components' AS yearly;
SELECT elecbill.tariff_from_urdb('{"fixedmonthlycharge":9,"annualmincharge":100}', 'UTC')::jsonb -> 'components' AS older;
-- net metering: kWh go to the period at the same time of day
SELECT elecbill.tariff_from_urdb(rate || '{"dgrules":"Net Metering","energyratestructure":[[{"rate":0.08}],[{"rate":0.31,"sell":0.31}],[{"rate":0.12}]]}', 'UTC')::jsonb -> 'net' AS net FROM tou;
SELECT elecbill.tariff_from_urdb('{"usenetmetering":true,"energyratestructure":[[{"rate":0.1}]]}', 'UTC')::jsonb -> 'net' AS net;
SELECT elecbill.tariff_from_urdb('{"dgrules":"Buy All Sell All","energyratestructure":[[{"rate":0.1,"sell":0.04}]]}', 'UTC')::jsonb - 'components' AS net;
-- when it is valid: enddate is the last day
SELECT elecbill.urdb_valid('{"startdate":1727762400,"enddate":1735624800}') AS both,
	elecbill.urdb_valid('{"items":[{"enddate":"2025-12-31T00:00:00Z"}]}') AS until, elecbill.urdb_valid('{}') AS open,
	elecbill.urdb_valid('{"startdate":-1}') AS before_1970;

-- ---------------------------------------------------------------- the same tariff written by hand
SELECT setseed(0.42);
CREATE TEMP TABLE load AS
SELECT at, round((random() * 3)::numeric, 3) AS kwh FROM generate_series(timestamptz '2025-01-01 00:00-07', '2025-12-31 23:45-07', interval '1 hour') AS at;
CREATE TEMP TABLE both_ways AS
SELECT elecbill.tariff_from_urdb(jsonb_build_object('energyratestructure', '[[{"rate":0.1,"adj":0.02,"max":800},{"rate":0.15}],[{"rate":0.3,"max":800},{"rate":0.33}],[{"rate":0.22,"max":900},{"rate":0.25}]]'::jsonb,
	'energyweekdayschedule', (SELECT jsonb_agg(CASE WHEN m BETWEEN 5 AND 9 THEN pg_temp.day(13,0, 7,1, 4,0) ELSE pg_temp.day(24,2) END ORDER BY m) FROM generate_series(1, 12) AS m),
	'energyweekendschedule', (SELECT jsonb_agg(CASE WHEN m BETWEEN 5 AND 9 THEN pg_temp.day(24,0) ELSE pg_temp.day(24,2) END ORDER BY m) FROM generate_series(1, 12) AS m),
	'flatdemandstructure', '[[{"rate":7.25}]]'::jsonb, 'demandwindow', 60, 'fixedchargefirstmeter', 12.5), 'America/Denver') AS imported,
	'{"elecbill":1,"currency":"USD","zone":"America/Denver",
	"seasons":{"summer":[["05-01","10-01"]]},
	"schedules":{"hours":[{"period":"on","season":["summer"],"days":["mon","tue","wed","thu","fri"],"spans":[["13:00","20:00"]]},
		{"period":"off","season":["summer"]},{"period":"winter"}]},
	"demands":{"peak":{"window":60}},
	"components":[{"code":"s","kind":"energy","group":"energy","schedule":"hours","period":["on","off"],"tier":{"prorate":"months",
			"steps":[{"up_to":800,"price":{"period":{"on":0.3,"off":0.12}}},{"price":{"period":{"on":0.33,"off":0.15}}}]}},
		{"code":"w","kind":"energy","group":"energy","schedule":"hours","period":["winter"],"tier":{"prorate":"months",
			"steps":[{"up_to":900,"price":0.22},{"price":0.25}]}},
		{"code":"kw","kind":"demand","group":"demand","price":7.25,"demand":"peak"},
		{"code":"basic","kind":"fixed","group":"fixed","price":12.5,"per":"month"}]}'::elecbill.tariff AS by_hand;
CREATE FUNCTION pg_temp.groups(t elecbill.tariff) RETURNS TABLE (month date, grp text, amount numeric) LANGUAGE sql AS
$$ SELECT m::date, r.grp, sum(r.amount) FROM generate_series(timestamp '2025-01-01', '2025-12-01', interval '1 month') AS m,
	LATERAL (SELECT elecbill.usage(t, tstzrange(at, at + interval '1 hour'), kwh) AS u FROM load
		WHERE at >= m AT TIME ZONE 'America/Denver' AND at < (m + interval '1 month') AT TIME ZONE 'America/Denver') AS s,
	elecbill.rate(t, u) AS r GROUP BY 1, 2 $$;
SELECT count(*) AS lines, sum(a.amount) > 3000 AS much, bool_and(a.amount IS NOT DISTINCT FROM b.amount) AS equal
FROM both_ways, LATERAL (SELECT * FROM pg_temp.groups(imported)) AS a FULL JOIN LATERAL (SELECT * FROM pg_temp.groups(by_hand)) AS b USING (month, grp);

-- ---------------------------------------------------------------- what a tariff cannot say, and what is wrong
SELECT what, pg_temp.fault(change) FROM (VALUES
	('attributes', '{"energyattrs":[{"Taxes":"7 %"}],"energyratestructure":[[{"rate":0.1}]]}'::jsonb),
	('attributes', '{"demandattrs":{"a":"b"}}'),
	('attributes', '{"fixedattrs":"text"}'),
	('country', '{"country":"CAN"}'),
	('reactive', '{"demandreactivepowercharge":0.3}'),
	('meters', '{"fixedchargeeaaddl":5}'),
	('coincident', '{"coincidentratestructure":[[{"rate":0}],[{"rate":3}]]}'),
	('day minimum', '{"mincharge":1,"minchargeunits":"$/day"}'),
	('units', '{"mincharge":1,"minchargeunits":"$/kWh"}'),
	('units', '{"fixedchargefirstmeter":1,"fixedchargeunits":"$/week"}'),
	('twelfth', '{"fixedchargefirstmeter":0.000000001,"fixedchargeunits":"$/year"}'),
	('horse power', '{"flatdemandunit":"hp","flatdemandstructure":[[{"rate":1}]]}'),
	('daily demand', '{"demandrateunit":"kW daily"}'),
	('tier unit', '{"energyratestructure":[[{"rate":0.1,"unit":"MWh"}]]}'),
	('tier unit', '{"flatdemandstructure":[[{"rate":0.1,"unit":"kVA"}]]}'),
	('mixed units', '{"energyratestructure":[[{"rate":0.1,"max":1,"unit":"kWh daily"},{"rate":0.1,"unit":"kWh"}]]}'),
	('mixed units', '{"energyratestructure":[[{"rate":0.1,"max":1,"unit":"kWh"},{"rate":0.1,"unit":"kWh/kW"}]]}'),
	('last bound', '{"energyratestructure":[[{"rate":0.1,"max":100}]]}'),
	('sell by tier', '{"energyratestructure":[[{"rate":0.1,"max":100,"sell":0.1},{"rate":0.2,"sell":0.2}]]}'),
	('sell of demand', '{"flatdemandstructure":[[{"rate":0.1,"sell":1}]]}'),
	('sell and net', '{"dgrules":"Net Metering","energyratestructure":[[{"rate":0.1,"sell":0.05}]]}'),
	('rule', '{"dgrules":"Value of Solar"}'),
	('two rules', '{"dgrules":"Buy All Sell All","usenetmetering":true}'),
	('window', '{"demandwindow":25}'),
	('ratchet of nothing', '{"lookbackpercent":0.5,"lookbackrange":3,"fixedmonthlycharge":1}'),
	('ratchet of two', '{"lookbackpercent":0.5,"lookbackrange":3,"flatdemandstructure":[[{"rate":1}]],"demandratestructure":[[{"rate":1}]]}'),
	('ratchet twice', '{"lookbackpercent":0.5,"lookbackrange":3,"demandratchetpercentage":[0,0,0,0,0,1,0,0,0,0,0,0]}'),
	('range and months', '{"lookbackpercent":0.5,"lookbackrange":3,"lookbackmonths":[1,0,0,0,0,0,0,0,0,0,0,0]}'),
	('neither', '{"lookbackpercent":0.5}'),
	('percent', '{"lookbackpercent":50,"lookbackrange":3}'),
	('percent', '{"demandratchetpercentage":[0,0,0,0,0,80,0,0,0,0,0,0]}'),
	('unknown key', '{"fixedmonthlycharge":1,"surcharge":2}'),
	('unknown key', '{"energyratestructure":[[{"rate":0.1,"tax":2}]]}'),
	('no price', '{"name":"nothing"}'),
	('no price', '{}'),
	('no object', '[]'),
	('no object', '"rate"'),
	('no item', '{"items":[]}'),
	('two items', '{"items":[{"fixedmonthlycharge":1},{"fixedmonthlycharge":2}]}'),
	('no item', '{"items":[7]}'),
	('two charges', '{"fixedmonthlycharge":1,"fixedchargefirstmeter":2}'),
	('two minimums', '{"mincharge":1,"minmonthlycharge":2}'),
	('negative', '{"annualmincharge":-1}'),
	('dates', '{"fixedmonthlycharge":1,"startdate":"2025-01-02","enddate":"2025-01-01"}'),
	('dates', '{"fixedmonthlycharge":1,"startdate":"soon"}'),
	('digits', '{"energyratestructure":[[{"rate":0.12345678901}]]}'),
	('digits', '{"energyratestructure":[[{"rate":0.1,"max":0.1234567},{"rate":1}]]}'),
	('too much', '{"energyratestructure":[[{"rate":9000000000,"adj":9000000000}]]}'),
	('too much', '{"energyratestructure":[[{"rate":1e12}]]}'),
	('falling', '{"energyratestructure":[[{"rate":1,"max":2},{"rate":1,"max":2},{"rate":1}]]}'),
	('missing bound', '{"energyratestructure":[[{"rate":1},{"rate":1}]]}'),
	('missing matrix', '{"energyratestructure":[[{"rate":1}],[{"rate":2}]]}'),
	('matrix alone', '{"energyweekdayschedule":[]}'),
	('months missing', '{"flatdemandstructure":[[{"rate":1}],[{"rate":2}]]}'),
	('short', '{"flatdemandstructure":[[{"rate":1}]],"flatdemandmonths":[0,0]}'),
	('wrong period', '{"flatdemandstructure":[[{"rate":1}]],"flatdemandmonths":[0,0,0,0,0,0,0,0,0,0,0,1]}'),
	('empty period', '{"flatdemandstructure":[[]],"flatdemandmonths":[0,0,0,0,0,0,0,0,0,0,0,0]}')
) AS v (what, change);
-- in matrices
SELECT what, pg_temp.fault(jsonb_build_object('energyratestructure', '[[{"rate":1}],[],[{"rate":2,"max":5},{"rate":1}],[{"rate":2,"max":6},{"rate":1}]]'::jsonb,
	'energyweekdayschedule', pg_temp.year(day), 'energyweekendschedule', pg_temp.year(pg_temp.day(24,0))))
FROM (VALUES ('23 hours', pg_temp.day(23,0)), ('too high', pg_temp.day(23,0, 1,4)), ('empty period', pg_temp.day(23,0, 1,1)),
	('other tiers', pg_temp.day(23,0, 1,2)), ('words', '["a"]'), ('a fraction', jsonb_set(pg_temp.day(24,0), '{7}', '0.5')),
	('below 0', jsonb_set(pg_temp.day(24,0), '{7}', '-1')), ('no list', '{}')) AS v (what, day);
SELECT pg_temp.fault(jsonb_build_object('energyratestructure', '[[{"rate":2,"max":5},{"rate":1}],[{"rate":2,"max":6},{"rate":1}]]'::jsonb,
	'energyweekdayschedule', pg_temp.year(pg_temp.day(24,0)), 'energyweekendschedule', pg_temp.year(pg_temp.day(24,1)))) AS other_bounds;
-- sizes, depth, zone
SELECT pg_temp.fault(jsonb_build_object('energyratestructure', (SELECT jsonb_agg('[{"rate":1}]'::jsonb) FROM generate_series(1, 65)))) AS periods;
SELECT pg_temp.fault(jsonb_build_object('energyratestructure', jsonb_build_array((SELECT jsonb_agg(jsonb_build_object('rate', 1, 'max', i)) FROM generate_series(1, 65) AS i)))) AS tiers;
SELECT pg_temp.fault(jsonb_build_object('energyratestructure', (repeat('[', 5000) || repeat(']', 5000))::jsonb)) AS depth;
SELECT pg_temp.fault(jsonb_build_object('description', repeat('x', 5000000))) AS size;
SELECT pg_temp.fault(jsonb_build_object('fixedmonthlycharge', 1, 'name', repeat('x', 1001))) AS long_name;
SELECT elecbill.tariff_from_urdb('{"fixedmonthlycharge":1}', 'Mars/Olympus');
SELECT elecbill.urdb_valid('{"startdate":true}');
SELECT elecbill.tariff_from_urdb(NULL, 'UTC') IS NULL AS none;

-- a value of every kind under every key, in a whole rate: taken, or refused in words, never a fault of ours
CREATE TEMP TABLE whole AS SELECT jsonb_build_object(
	'label', 'x', 'name', 'x', 'country', 'USA', 'startdate', 0, 'enddate', 86400, 'usenetmetering', false, 'dgrules', 'Net Billing Hourly',
	'energyratestructure', '[[{"rate":1,"adj":1,"sell":0.1,"unit":"kWh"}],[{"rate":2,"max":1},{"rate":1}]]'::jsonb,
	'energyweekdayschedule', pg_temp.year(pg_temp.day(24,0)), 'energyweekendschedule', pg_temp.year(pg_temp.day(24,0)),
	'demandratestructure', '[[{"rate":1}],[{"rate":2}]]'::jsonb, 'demandweekdayschedule', pg_temp.year(pg_temp.day(12,0, 12,1)),
	'demandweekendschedule', pg_temp.year(pg_temp.day(24,0)), 'demandrateunit', 'kW', 'demandwindow', 15, 'demandunits', 'kW',
	'flatdemandstructure', '[[{"rate":1}]]'::jsonb, 'flatdemandmonths', pg_temp.year('0'), 'flatdemandunit', 'kW') || jsonb_build_object(
	'demandratchetpercentage', pg_temp.year('0'), 'lookbackpercent', 0, 'lookbackrange', 0, 'lookbackmonths', pg_temp.year('0'),
	'coincidentratestructure', '[]'::jsonb, 'coincidentrateunit', 'kW', 'demandreactivepowercharge', 0, 'fixedchargeeaaddl', 0,
	'energyattrs', '[]'::jsonb, 'demandattrs', '[]'::jsonb, 'fixedattrs', '[]'::jsonb, 'fueladjustmentsmonthly', pg_temp.year('0'),
	'fixedchargefirstmeter', 1, 'fixedchargeunits', '$/month', 'fixedmonthlycharge', 1, 'mincharge', 1, 'minchargeunits', '$/month',
	'minmonthlycharge', 1, 'annualmincharge', 1) AS rate;
CREATE TEMP TABLE odd AS SELECT v::jsonb AS value FROM unnest(ARRAY['null', 'true', '0', '-1', '0.5', '1e400', '1e-400', '99999999999', '"x"', '""', '[]', '{}',
	'[[]]', '[null]', '[[null]]', '[[{}]]', '[[[]]]', '{"0":1}', '[0,0,0,0,0,0,0,0,0,0,0,0]', '["x",{},[],null,true,1,-1,1e400,0.5,0,0,0]']) AS v;
SELECT pg_temp.fault(rate) AS whole FROM whole;
SELECT left(fault, 5) AS state, count(*) > 10 AS often, bool_and(fault = 'taken' OR fault LIKE '%the rate %' OR fault LIKE '%tariff is not valid%') AS said
FROM (SELECT pg_temp.fault(jsonb_set(rate, ARRAY[key], value)) AS fault FROM whole, jsonb_object_keys(rate) AS key, odd) AS f
GROUP BY 1 ORDER BY 1;
SELECT left(fault, 5) AS state, count(*) > 10 AS often
FROM (SELECT pg_temp.fault(jsonb_set(rate, path, value)) AS fault FROM whole, odd, (VALUES
	('{energyratestructure,0}'::text[]), ('{energyratestructure,1,0}'), ('{energyratestructure,1,0,max}'), ('{energyratestructure,0,0,rate}'),
	('{energyratestructure,0,0,adj}'), ('{energyratestructure,0,0,sell}'), ('{energyratestructure,0,0,unit}'), ('{energyweekdayschedule,11}'),
	('{energyweekdayschedule,11,23}'), ('{demandratestructure,1}'), ('{flatdemandstructure,0,0}'), ('{flatdemandmonths,3}'),
	('{lookbackmonths,3}'), ('{demandratchetpercentage,3}'), ('{fueladjustmentsmonthly,3}')) AS p (path)) AS f
GROUP BY 1 ORDER BY 1;
