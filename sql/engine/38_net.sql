-- 38_net.sql: export against import over the bills of years (src/pg/net.c, src/rating/net.c)

CREATE FUNCTION elecbill.net_settle(mode text, charges numeric[], credits numeric[],
	settle_month integer, opts jsonb DEFAULT '{}',
	OUT n integer, OUT charge numeric, OUT used numeric, OUT account numeric, OUT paid numeric)
RETURNS SETOF record
AS 'MODULE_PATHNAME', 'elecbill_net_settle'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE ROWS 12;
COMMENT ON FUNCTION elecbill.net_settle(text, numeric[], numeric[], integer, jsonb) IS
'the account of export over monthly bills, exact: per bill n what is left of its charge, the credit used, the account carried on, the money paid out; account before + credit = used + paid (of kWh: the kWh paid for) + account after, unless it expires. mode as "net.mode" of a tariff: rollover_money, billing_carry: charges are the energy charges and credits what export earned, in money (fifteen decimals); rollover_kwh, offset_kwh: kWh imported and exported (six decimals), paid at true_up_price; none, billing, buy_all_sell_all: credits are paid with their bill. settle_month 1..12. opts: first_month 1 (of bill 1), account 0 (before it), settle pay or carry, expire, same_month, true_up_price, excess carry, pay or lost. UB400 wrong argument, UB422 out of range; doc/rating.md';
