-- 39_session.sql: charging sessions (src/pg/session.c)

CREATE FUNCTION elecbill.rate_session(tariff elecbill.tariff, session jsonb)
RETURNS SETOF elecbill.rate_line
AS 'MODULE_PATHNAME', 'elecbill_session_rate'
LANGUAGE C STABLE STRICT PARALLEL SAFE ROWS 5;
COMMENT ON FUNCTION elecbill.rate_session(elecbill.tariff, jsonb) IS
'lines of a charging session, as OCPI means tariffs: {start, segments [{from, to, kwh, kw, amp, state charge, idle or reserve}], expired, attrs {name: value}, lang}. Instants without offset are wall clock of the tariff''s zone; start is the first from unless given; time between segments is not priced but runs on. kWh are spread evenly over their segment and cut at each period, day, rule and bound of a condition; in each piece and lane the first component whose conditions hold prices it. Lines by component, period and price; tax has grp vat. UB400 wrong session, or a tariff that prices none; UB404 the tariff needs what the session lacks, or is not valid then; UB422 overflow; 0A000 a tier that counts beyond the session; doc/session.md';

CREATE FUNCTION elecbill.session_total(tariff elecbill.tariff, session jsonb,
	OUT excl numeric, OUT incl numeric)
AS 'MODULE_PATHNAME', 'elecbill_session_total'
LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION elecbill.session_total(elecbill.tariff, jsonb) IS
'what rate_session() sums to, in currency: excl without tax (its lines but those of grp vat), incl with it; both rounded as the tariff rounds totals; errors as rate_session()';

CREATE FUNCTION elecbill.session_increment(tariff elecbill.tariff, before jsonb, after jsonb,
	OUT excl numeric, OUT incl numeric)
AS 'MODULE_PATHNAME', 'elecbill_session_increment'
LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION elecbill.session_increment(elecbill.tariff, jsonb, jsonb) IS
'what a live session has come to cost since it was as before (NULL: since it started): both are rated whole, so the increments of a growing session add up to session_total() of the finished one to the last digit, and one may be negative (a begun step that idle time made void); UB409 when after does not start with before or ends earlier; errors as rate_session()';
