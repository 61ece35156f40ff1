-- 51_picture_loss.sql: which meter lies behind which, and what is lost between them

CREATE FUNCTION elecbill._loss_links(p_org integer, p_days daterange, p_parent bigint)
RETURNS TABLE (parent_id bigint, child_id bigint, kwh numeric, last boolean)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET jit = off AS $$
DECLARE
	zone text := (SELECT o.zone FROM elecbill.org o WHERE o.id = p_org);
BEGIN
	RETURN QUERY
	SELECT t.parent_id, t.child_id, CASE WHEN count(e.fault) = 0 THEN sum(e.energy_wh) * 0.001 END, max(upper(t.valid * p_days)) = upper(p_days)
	FROM elecbill.usage_point_tree t
	CROSS JOIN LATERAL elecbill._point_energy(t.child_id, elecbill.day_start(lower(t.valid * p_days), zone),
		elecbill.day_start(upper(t.valid * p_days), zone)) AS e
	WHERE t.org_id = p_org AND t.valid && p_days
		AND (p_parent IS NULL OR t.parent_id = p_parent OR t.parent_id IN (SELECT elecbill._points_behind(p_parent, p_days)))
	GROUP BY t.parent_id, t.child_id;
END $$;
COMMENT ON FUNCTION elecbill._loss_links(integer, daterange, bigint) IS
'the points behind a parent (NULL: behind all of an org) on local days, what each measured while it lay there (kWh; NULL: not known), and whether it did on the last day';

CREATE FUNCTION elecbill._loss_rows(p_org integer, p_days daterange, p_parent bigint, p_children integer)
RETURNS TABLE (place bigint[], point_id bigint, kwh numeric, heads boolean, more bigint)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET jit = off AS $$
BEGIN
	RETURN QUERY
	WITH RECURSIVE link AS MATERIALIZED (
		SELECT * FROM elecbill._loss_links(p_org, p_days, p_parent)
	), child AS MATERIALIZED (
		-- those with meters behind them are never left out
		SELECT l.*, p.heads, row_number() OVER (PARTITION BY l.parent_id ORDER BY p.heads DESC, l.kwh DESC NULLS LAST, u.code) AS n
		FROM link l JOIN elecbill.usage_point u ON u.id = l.child_id
		CROSS JOIN LATERAL (SELECT EXISTS (SELECT FROM link x WHERE x.parent_id = l.child_id) AS heads) AS p
	), root AS (
		SELECT x.id, row_number() OVER (ORDER BY u.code) AS n
		FROM (SELECT DISTINCT l.parent_id AS id FROM link l) AS x JOIN elecbill.usage_point u ON u.id = x.id
		WHERE CASE WHEN p_parent IS NULL THEN NOT EXISTS (SELECT FROM link y WHERE y.child_id = x.id AND y.last) ELSE x.id = p_parent END
	), walk(place, id, kwh, heads, ids) AS (
		SELECT ARRAY[r.n], r.id, NULL::numeric, true, ARRAY[r.id] FROM root r
		UNION ALL
		-- two meters may change places within a month
		SELECT w.place || c.n, c.child_id, c.kwh, c.heads, w.ids || c.child_id
		FROM walk w JOIN child c ON c.parent_id = w.id AND (c.heads OR c.n <= p_children) AND c.child_id <> ALL (w.ids))
	SELECT w.place, w.id, w.kwh, w.heads, NULL::bigint FROM walk w
	UNION ALL
	SELECT w.place || (c.n + 1), NULL, c.kwh, false, c.more
	FROM walk w
	CROSS JOIN LATERAL (SELECT max(x.n) AS n, count(*) AS more, CASE WHEN count(x.kwh) = count(*) THEN sum(x.kwh) END AS kwh
		FROM child x WHERE x.parent_id = w.id AND x.n > p_children AND NOT x.heads) AS c
	WHERE c.more > 0
	ORDER BY 1;
END $$;
COMMENT ON FUNCTION elecbill._loss_rows(integer, daterange, bigint, integer) IS
'the tree of meters in the order in which it is drawn; cardinality of place: how deep. kWh of children; heads: others lie behind it; more: so many children that are not drawn, with their sum';

CREATE FUNCTION elecbill._short_text(p_text text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
RETURN (SELECT CASE WHEN length(p_text) > n.n THEN left(p_text, n.n - 1) || '…' ELSE p_text END
	FROM (SELECT CASE WHEN octet_length(p_text) = length(p_text) THEN 20 ELSE 10 END) AS n(n));
COMMENT ON FUNCTION elecbill._short_text(text) IS 'a code that stands beside a number, cut where a phone has no room for more: after 20 letters, or 10 where there are Chinese ones';

CREATE FUNCTION elecbill._svg_loss_row(p_row bigint, p_depth integer, p_name text, p_said text, p_alarm boolean, p_sold numeric, p_lost numeric, p_top numeric)
RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
RETURN (
	SELECT format('<text class="mark" x="%s" y="%s">%s<title>%s</title></text><text class="%s" x="900" y="%2$s" text-anchor="end">%6$s</text>', s.x, s.y,
			elecbill._escape(elecbill._short_text(p_name)), elecbill._escape(p_name), CASE WHEN p_alarm THEN 'mark owed' ELSE 'axis' END, elecbill._escape(p_said))
		|| format('<rect class="room" x="%s" y="%s" width="%s" height="6"/>', s.x, s.y + 8, 900 - s.x)
		|| CASE WHEN p_sold > 0 THEN format('<rect class="load" x="%s" y="%s" width="%s" height="6"/>', s.x, s.y + 8, round(s.width * p_sold, 1)) ELSE '' END
		|| CASE WHEN p_lost <> 0 THEN format('<rect class="owed" x="%s" y="%s" width="%s" height="6"/>', round(s.x + s.width * greatest(p_sold, 0), 1), s.y + 8,
			round(s.width * abs(p_lost), 1)) ELSE '' END
	FROM (SELECT x.x, 72 + 44 * p_row AS y, (900 - x.x) / p_top AS width FROM (SELECT 20 + 24 * least(p_depth, 5)) AS x(x)) AS s);
COMMENT ON FUNCTION elecbill._svg_loss_row(bigint, integer, text, text, boolean, numeric, numeric, numeric) IS
'one meter: its code and what is said of it, and below a bar up to top (kWh) of what was sold and what was lost; row from 0';

CREATE FUNCTION elecbill._svg_loss_rows(p_org elecbill.org, p_month date, p_parent bigint, p_children integer, p_lang text,
	OUT rows bigint, OUT body text, OUT said text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET jit = off AS $$
DECLARE
	en boolean := p_lang = 'en';
	none text := CASE WHEN en THEN 'not known' ELSE '未知' END;
BEGIN
	WITH tree AS MATERIALIZED (
		SELECT t.*, u.code, row_number() OVER (ORDER BY t.place) - 1 AS n
		FROM elecbill._loss_rows(p_org.id, daterange(p_month, (p_month + interval '1 month')::date), p_parent, p_children) AS t
		LEFT JOIN elecbill.usage_point u ON u.id = t.point_id
	), loss AS MATERIALIZED (
		SELECT l.* FROM (SELECT DISTINCT t.code FROM tree t WHERE t.heads) AS p
		JOIN elecbill.line_loss l ON l.org = p_org.code AND l.parent = p.code AND l.month = p_month
	), one AS (
		-- where children measured more than their parent the bar ends with what they did
		SELECT t.n, cardinality(t.place) - 1 AS depth, t.heads, l.alarm IS NOT NULL AS alarm,
			coalesce(t.code, format(CASE WHEN en THEN 'and %s more' ELSE '其余 %s 处' END, t.more)) AS name,
			CASE WHEN t.heads THEN coalesce(least(l.sold_kwh, l.supplied_kwh), 0) ELSE coalesce(t.kwh, 0) END AS sold,
			CASE WHEN t.heads THEN coalesce(l.loss_kwh, 0) ELSE 0 END AS lost,
			coalesce(elecbill._kwh_text(round(CASE WHEN t.heads THEN l.supplied_kwh ELSE t.kwh END, 1)) || ' kWh', none)
				|| CASE WHEN t.heads THEN format(CASE WHEN en THEN ', loss %s' ELSE ',损耗 %s' END, coalesce(l.loss_percent || ' %', none)) ELSE '' END AS said
		FROM tree t LEFT JOIN loss l ON l.parent = t.code AND t.heads)
	SELECT count(*), string_agg(elecbill._svg_loss_row(o.n, o.depth, o.name, o.said, o.alarm, o.sold, o.lost, m.top), '' ORDER BY o.n),
		string_agg(format(CASE WHEN en THEN '%s: %s' ELSE '%s %s' END, o.name, o.said), CASE WHEN en THEN '; ' ELSE ';' END ORDER BY o.n) FILTER (WHERE o.heads)
	INTO rows, body, said
	FROM one o, (SELECT greatest(max(x.sold + abs(x.lost)), 0.001) AS top FROM one x) AS m;
END $$;
COMMENT ON FUNCTION elecbill._svg_loss_rows(elecbill.org, date, bigint, integer, text) IS
'the shapes of svg_loss_tree(), how many rows they are, and the same in words: energy and loss of each parent';

CREATE FUNCTION elecbill.svg_loss_tree(p_org text, p_month date, p_lang text DEFAULT NULL, p_parent text DEFAULT NULL, p_children integer DEFAULT 200)
RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	lang text := elecbill._lang(p_lang);
	en boolean := lang = 'en';
	owner elecbill.org;
	since date := elecbill._statement_month(p_month);
	none text := CASE WHEN en THEN 'No meter lies behind another.' ELSE '无总分表关系' END;
	tree record;
BEGIN
	SELECT * INTO owner FROM elecbill.org o WHERE o.id = elecbill._org_get(p_org);
	IF p_children BETWEEN 1 AND 200 IS NOT TRUE THEN
		RAISE EXCEPTION USING ERRCODE = 'UB400', MESSAGE = 'a picture shows 1 to 200 children of a meter';
	END IF;
	tree := elecbill._svg_loss_rows(owner, since, CASE WHEN p_parent IS NOT NULL THEN elecbill._point_get(owner.id, p_parent) END, p_children, lang);
	RETURN elecbill._svg_image('loss', (60 + 44 * greatest(tree.rows, 1))::integer,
		format(CASE WHEN en THEN 'Meters of %s and what is lost between them, %s' ELSE '%s 总分表电量与损耗 %s' END, owner.name, to_char(since, 'YYYY-MM')),
		coalesce(tree.said, none),
		format('<text class="axis" x="20" y="27">%s</text><rect class="load" x="%s" y="18" width="10" height="10"/><text class="axis" x="%s" y="27">%s</text>'
			'<rect class="owed" x="%s" y="18" width="10" height="10"/><text class="axis" x="%s" y="27">%s</text>', to_char(since, 'YYYY-MM') || ' kWh',
			600, 615, CASE WHEN en THEN 'measured' ELSE '计量' END, 780, 795, CASE WHEN en THEN 'lost' ELSE '损耗' END)
		|| coalesce(tree.body, format('<text class="axis" x="20" y="72">%s</text>', none)));
END $$;
COMMENT ON FUNCTION elecbill.svg_loss_tree(text, date, text, text, integer) IS
'the meters of an org that lie behind others, with the energy of a month and what is lost behind each parent (as line_loss has it), as SVG: all, or those behind parent (code of a usage point). Of each parent the largest children, 1 to 200; the others as one row. Orange in words: an alarm of line_loss. lang zh or en, else elecbill.lang. UB400, UB404';
