-- rounding.sql: rounding, day shares, shares that add up

-- six modes over the same numbers
SELECT v AS value, elecbill.round_to(v, 0.01) AS half_up, elecbill.round_to(v, 0.01, 'half_even') AS half_even,
	elecbill.round_to(v, 0.01, 'up') AS up, elecbill.round_to(v, 0.01, 'down') AS down,
	elecbill.round_to(v, 0.01, 'floor') AS floor, elecbill.round_to(v, 0.01, 'ceil') AS ceil
FROM unnest('{0.125,-0.125,0.135,-0.135,0.1249999999999999999999999,1.1,-0.001,0}'::numeric[]) v;
-- any step: five cents, ten won, a quarter hour
SELECT elecbill.round_to(1.025, 0.05) AS five_cents, elecbill.round_to(12345, 10, 'floor') AS ten_won,
	elecbill.round_to(7.4, 0.25) AS quarters, elecbill.round_to(2.5, 1) AS whole,
	elecbill.round_to(1::numeric / 3, 0.000001) AS a_third,
	elecbill.round_to(12345678901234567890123456789.125, 0.01) AS long;
-- 200 and 400 kWh over 20 of 30 days
SELECT elecbill.prorate(200, 20, 30) AS first_bound, elecbill.prorate(400, 20, 30) AS second_bound,
	elecbill.prorate(10000, 20, 30, 0.01) AS capacity, elecbill.prorate(-1, 1, 3, 0.01) AS negative,
	elecbill.prorate(5, 0, 30) AS no_day, elecbill.prorate(5, 60, 30) AS two_months;
-- shares add up to the total
SELECT elecbill.allocate(100, '{1,1,1}') AS thirds, elecbill.allocate(-100, '{1,1,1}') AS negative,
	elecbill.allocate(0.02, '{1,1,1}') AS ties_by_index, elecbill.allocate(10, '{0,3,0,1}', 1) AS whole,
	elecbill.allocate(0, '{0,0}') AS nothing, elecbill.allocate(0, '{}') AS nobody;
SELECT elecbill.allocate(1000.00, array_agg((i * 37 % 11)::numeric)) AS shares,
	(SELECT sum(s) FROM unnest(elecbill.allocate(1000.00, array_agg((i * 37 % 11)::numeric))) s) AS total
FROM generate_series(1, 10) i;
SELECT elecbill.round_to(NULL, 1) IS NULL AND elecbill.prorate(1, NULL, 30) IS NULL
	AND elecbill.allocate(1, NULL) IS NULL AS strict;

-- what is wrong says so
SELECT elecbill.round_to(1, 0);
SELECT elecbill.round_to(1, -0.01);
SELECT elecbill.round_to('NaN', 0.01);
SELECT elecbill.round_to(1, 'Infinity');
SELECT elecbill.round_to(1e38, 0.01);
SELECT elecbill.round_to(1, 0.01, 'bankers');
SELECT elecbill.prorate(1, -1, 30);
SELECT elecbill.prorate(1, 1, 0);
SELECT elecbill.allocate(100.005, '{1,1}');
SELECT elecbill.allocate(100, '{1,-1}');
SELECT elecbill.allocate(100, '{0,0}');
SELECT elecbill.allocate(100, '{}');
SELECT elecbill.allocate(100, '{1,NULL}');
SELECT elecbill.allocate(1e30, '{1}');
\set VERBOSITY sqlstate
SELECT elecbill.round_to(1, 0);
SELECT elecbill.round_to(1e131071, 0.01);
SELECT elecbill.allocate(1e131071, '{1}');
SELECT elecbill.allocate(1, '{NaN}');
