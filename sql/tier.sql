-- tier.sql: tiers and periods from arrays
\pset null '(null)'

-- the first seed's tiers; for 500 kWh it prints 360, its own formula gives 300
SELECT q AS kwh, elecbill.tier_charge(q, '{200,400}', '{0.5,0.6,0.8}') AS charge
FROM unnest('{0,150,200,200.01,300,400,500}'::numeric[]) q;
-- the second seed's peak and valley
SELECT elecbill.tou_charge('{0.7,0.4}', '{100,50}') AS day_one,
	elecbill.tou_charge('{0.7,0.4}', '{200,100}') AS day_two;
-- volume and flats (published by getlago/lago-api)
SELECT q, elecbill.tier_charge(q, '{100,200}', '{2,1,0.5}', 'volume', '{10,0,50}') AS volume,
	elecbill.tier_charge(q, '{10,20}', '{10,5,5}', 'graduated', '{2,3,3}') AS graduated
FROM unnest('{0,1,11,100,101,200,300}'::numeric[]) q;
-- no limit: one price
SELECT elecbill.tier_charge(12.5, '{}', '{0.4}') AS one_price;
-- explained: Beijing, 300 kWh after 2800 in the year
SELECT * FROM elecbill.tier_lines(300, '{2880,4800}', '{0.4883,0.5383,0.7883}', 2800);
SELECT sum(amount) AS beijing FROM elecbill.tier_lines(300, '{2880,4800}', '{0.4883,0.5383,0.7883}', 2800);
SELECT count(*) AS nothing_used FROM elecbill.tier_lines(0, '{1}', '{1,2}');
-- exact: no rounding, no limit but 64 bits
SELECT elecbill.tier_charge(0.000001, '{}', '{0.000000001}') AS smallest,
	elecbill.tier_charge(9223372036854.775807, '{}', '{9223372036.854775807}') AS largest,
	elecbill.tier_charge(1, '{}', '{-0.05}') AS returned,
	elecbill.tier_charge(150.00, '{200.000,400.0}', '{0.50,0.60,0.80}') AS trailing_zeros;
-- 63 limits
SELECT elecbill.tier_charge(64, array_agg(i::numeric), array_agg(i::numeric) || 64.0) AS steps_64
FROM generate_series(1, 63) i;
-- arrays written down are read once, others in each call; the answers are the same
CREATE TABLE rule (limits numeric[], prices numeric[], mode text, flats numeric[]);
INSERT INTO rule VALUES ('{200,400}', '{0.5,0.6,0.8}', 'graduated', NULL), ('{10}', '{3,-2.5}', 'volume', '{1,2}'),
	('{}', '{0.123456789}', 'graduated', '{0.000000001}');
SELECT mode, q, elecbill.tier_charge(q, limits, prices, mode, flats) AS charge
FROM rule, unnest('{0,10,250.000001}'::numeric[]) q ORDER BY mode, flats, q;
SELECT count(*) AS different FROM generate_series(0, 2000) i, LATERAL (VALUES ('{200,400}'::numeric[])) v (limits)
WHERE elecbill.tier_charge(i * 0.731, '{200,400}', '{0.5,0.6,0.8}') <>
	elecbill.tier_charge(i * 0.731, array_append(limits[1:1], 400 + 0 * i), '{0.5,0.6,0.8}');
CREATE FUNCTION charge(q numeric, limits numeric[], prices numeric[]) RETURNS numeric LANGUAGE plpgsql AS
$$ BEGIN RETURN elecbill.tier_charge(q, limits, prices); END $$;
SELECT charge(10, '{5}', '{1,2}') AS one, charge(10, '{5}', '{1,3}') AS other, charge(10, '{}', '{4}') AS third;
-- numbers of any size and scale, as they are stored
SELECT q, elecbill.tier_charge(q, '{}', '{1}') AS once FROM unnest('{0.000001,0.0001,0.01,1,1.000000,9999,10000,10001.1,
	123456789,99999999.999999,9223372036854.775807,9223372036854.000000,1e12,4e-6,0.120000000000}'::numeric[]) q;
SELECT p, elecbill.tier_charge(1000000, '{}', ARRAY[p]) AS million FROM unnest('{-0.000000001,0.000000001,-0.5,
	1234.000000001,-9223372036.854775807,9223372036.854775807,0.100000000,-0}'::numeric[]) p;
-- array bounds do not matter, arguments that are NULL do
SELECT elecbill.tier_charge(300, '[5:6]={200,400}', '{0.5,0.6,0.8}') AS other_bounds,
	elecbill.tier_charge(NULL, '{200}', '{1,2}') AS no_quantity,
	elecbill.tier_charge(1, NULL, '{1,2}') AS no_limits,
	elecbill.tier_charge(1, '{200}', NULL) AS no_prices,
	elecbill.tier_charge(1, '{200}', '{1,2}', NULL) AS no_mode,
	elecbill.tou_charge(NULL, '{1}') AS no_tou,
	elecbill.tou_charge('{}', '{}') AS empty;
SELECT count(*) FROM elecbill.tier_lines(NULL, '{1}', '{1,2}');

-- what is wrong says so
SELECT elecbill.tier_charge(1, '{400,200}', '{0.5,0.6,0.8}');
SELECT elecbill.tier_charge(1, '{200,200}', '{0.5,0.6,0.8}');
SELECT elecbill.tier_charge(1, '{0,200}', '{0.5,0.6,0.8}');
SELECT elecbill.tier_charge(1, '{200,400}', '{0.5,0.6}');
SELECT elecbill.tier_charge(1, '{200}', '{0.5,0.6}', 'graduated', '{1}');
SELECT elecbill.tier_charge(1, '{200,NULL}', '{0.5,0.6,0.8}');
SELECT elecbill.tier_charge(1, '{200}', '{0.5,NULL}');
SELECT elecbill.tier_charge(1, '{{200},{400}}', '{0.5,0.6,0.8}');
SELECT elecbill.tier_charge(-1, '{200}', '{0.5,0.6}');
SELECT elecbill.tier_charge('NaN', '{200}', '{0.5,0.6}');
SELECT elecbill.tier_charge(1, '{Infinity}', '{0.5,0.6}');
SELECT elecbill.tier_charge(1e131071, '{200}', '{0.5,0.6}');
SELECT elecbill.tier_charge(9223372036854.775808, '{200}', '{0.5,0.6}');
SELECT elecbill.tier_charge(0.0000001, '{200}', '{0.5,0.6}');
SELECT elecbill.tier_charge(0.00000010, '{200}', '{0.5,0.6}');
SELECT elecbill.tier_charge(99999999999999999999, '{200}', '{0.5,0.6}');
SELECT elecbill.tier_charge(1, '{200}', '{0.5,0.1234567891}');
SELECT elecbill.tier_charge(1, '{200}', '{0.5,0.6}', 'package');
SELECT elecbill.tier_charge(1, array_agg(i::numeric), '{1}') FROM generate_series(1, 64) i;
SELECT * FROM elecbill.tier_lines(1, '{200}', '{0.5,0.6}', -1);
SELECT * FROM elecbill.tier_lines(1, '{200}', '{0.5,0.6}', 9223372036854.775807);
-- numbers of every shape are read exactly: whole, with decimals, signs, gaps of zeros, long tails of zeros
SELECT count(*), bool_and(elecbill.tou_charge('{1}', ARRAY[q]) = q) AS exact FROM (
	SELECT sign * head * 10::numeric ^ places + tail * 0.000001 AS q
	FROM unnest('{1,-1}'::int[]) AS sign, generate_series(0, 9999, 37) AS head, generate_series(0, 8) AS places,
		unnest('{0,1,10,9999,10000,123456,999999}'::int[]) AS tail) AS shape;
SELECT elecbill.tou_charge('{1,1,1,1}', ARRAY[trim_scale(1e12), 1e12::numeric(30,15), -0.0, 0.5::numeric(1000,990)]);
SELECT elecbill.tou_charge('{0.7,0.4}', '{100}');
SELECT elecbill.tou_charge('{9e9,9e9,9e9}', '{9e12,9e12,9e12}');
-- ... and as a program sees it
\set VERBOSITY sqlstate
SELECT elecbill.tier_charge(1, '{400,200}', '{0.5,0.6,0.8}');
SELECT elecbill.tier_charge('-Infinity', '{200}', '{0.5,0.6}');
SELECT elecbill.tier_charge(1e131071, '{200}', '{0.5,0.6}');
SELECT elecbill.tier_charge(0.0000001, '{200}', '{0.5,0.6}');
SELECT elecbill.tou_charge('{0.7}', '{{1},{2}}');
SELECT elecbill.tou_charge('{NaN}', '{1}');
SELECT elecbill.tou_charge('{9e9,9e9,9e9}', '{9e12,9e12,9e12}');
