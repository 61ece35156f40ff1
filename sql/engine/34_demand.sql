-- 34_demand.sql: demand, power factor and transformer losses, without a tariff (src/pg/power.c)

CREATE FUNCTION elecbill.ratchet(peaks numeric[], percent numeric[], lookback integer,
	floor_kw numeric DEFAULT 0, current_pct numeric DEFAULT 100) RETURNS numeric
AS 'MODULE_PATHNAME', 'elecbill_power_ratchet'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION elecbill.ratchet(numeric[], numeric[], integer, numeric, numeric) IS
'billing demand in kW: the highest of floor_kw, current_pct % of this month''s peak, and for each of the lookback months before it percent % of its peak, where percent is that of the month in which the peak occurred; rounded half-up to 0.000001 kW; peaks in kW, the oldest first, the last one of this month (1 to 1200, six decimals), percent of the same length (nine decimals; the last one is not used), none negative; UB400 wrong argument, UB422 overflow; doc/rating.md';

CREATE FUNCTION elecbill.power_factor(active numeric, reactive numeric) RETURNS numeric
AS 'MODULE_PATHNAME', 'elecbill_power_factor'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION elecbill.power_factor(numeric, numeric) IS
'active / sqrt(active^2 + reactive^2), rounded half-up to 0.01 from the exact value; kWh and kvarh of a bill (six decimals, not negative); 0.00 when there is reactive energy alone, NULL when there is neither; UB400 wrong argument, UB422 too large; doc/rating.md';

CREATE FUNCTION elecbill.pf_adjust(pf numeric, standard numeric) RETURNS numeric
AS 'MODULE_PATHNAME', 'elecbill_power_adjust'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION elecbill.pf_adjust(numeric, numeric) IS
'percentage by which a power factor (0 to 1, rounded half-up to 0.01) changes a Chinese bill whose standard is 0.90, 0.85 or 0.80; above 0 a surcharge, below 0 a reward; below 0.40 that of 0.40; UB400 wrong argument; source (83)水电财字第215号, doc/rating.md';

CREATE FUNCTION elecbill.transformer_loss(active numeric, reactive numeric, kva numeric,
	hours numeric, no_load_kw numeric, load_kw numeric, k numeric DEFAULT 1) RETURNS numeric
AS 'MODULE_PATHNAME', 'elecbill_power_transformer_loss'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION elecbill.transformer_loss(numeric, numeric, numeric, numeric, numeric, numeric, numeric) IS
'kWh that a transformer uses up: no_load_kw x hours + k x load_kw x (active^2 + reactive^2) / (kva^2 x hours), exact and rounded half-up once to 0.000001; active in kWh, reactive in kvarh, kva above 0 (six decimals each), hours above 0, no_load_kw, load_kw and k (nine decimals), none negative; UB400 wrong argument, UB422 overflow; doc/rating.md';
