-- 81_cny_upper.sql: an amount in the capitals that Chinese receipts and invoices are written in

CREATE FUNCTION elecbill.cny_upper(amount numeric) RETURNS text
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	digits text;
	words text := '';
	digit integer;
	place integer;
	zero boolean := false;	/* zeros passed that may have to be said */
	said boolean := false;	/* something of the group of four was */
BEGIN
	IF abs(amount) < 1e12 IS NOT TRUE OR amount <> round(amount, 2) THEN
		RAISE EXCEPTION USING
			ERRCODE = 'UB422',
			MESSAGE = format('%s is not an amount', amount),
			HINT = 'Below 1,000,000,000,000, with two decimals at most.';
	END IF;
	digits := lpad((abs(amount) * 100)::bigint::text, 14, '0');
	FOR i IN 1..12 LOOP
		digit := substr(digits, i, 1)::integer;
		place := 12 - i;
		IF digit = 0 THEN
			zero := true;
		ELSE
			words := words || CASE WHEN zero AND words <> '' THEN '零' ELSE '' END || substr('壹贰叁肆伍陆柒捌玖', digit, 1)
				|| (ARRAY['', '拾', '佰', '仟'])[1 + place % 4];
			zero := false;
			said := true;
		END IF;
		IF place % 4 = 0 AND said THEN
			words := words || (ARRAY['', '万', '亿'])[1 + place / 4];
			zero := false;	/* zeros at the end of a group are not said */
			said := false;
		END IF;
	END LOOP;
	words := words || CASE WHEN words <> '' THEN '元' WHEN digits ~ '00$' THEN '零元' ELSE '' END;
	IF substr(digits, 13, 1) <> '0' THEN
		words := words || substr('壹贰叁肆伍陆柒捌玖', substr(digits, 13, 1)::integer, 1) || '角';
	ELSIF substr(digits, 14, 1) <> '0' AND words <> '' THEN
		words := words || '零';
	END IF;
	RETURN CASE WHEN amount < 0 THEN '负' ELSE '' END || words || CASE substr(digits, 14, 1) WHEN '0' THEN '整'
		ELSE substr('壹贰叁肆伍陆柒捌玖', substr(digits, 14, 1)::integer, 1) || '分' END;
END $$;
COMMENT ON FUNCTION elecbill.cny_upper(numeric) IS
'an amount in yuan in Chinese capitals, as receipts and invoices have it: 1680.32 is 壹仟陆佰捌拾元叁角贰分, 16409.02 is 壹万陆仟肆佰零玖元零贰分. Ends with 整 unless there are fen; below 0 begins with 负. UB422 more than two decimals, or 1,000,000,000,000 and above (by size)';
