-- html: bills as pages and pictures: what a hostile name does to them, and what they must say
-- the numbers of bills begin with the year; the clock is set by a superuser's function
SELECT current_user AS owner \gset
\getenv super PGSUPERUSER
\c - :super
CREATE FUNCTION public.clock(at text) RETURNS text LANGUAGE sql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$ SELECT set_config('elecbill.clock_override', $1, false) $$;
\c - :owner
SELECT public.clock('2026-02-05 12:00+08');
SET client_min_messages = warning;
\set SHOW_CONTEXT never
SET timezone = 'UTC';
SET datestyle = 'ISO';
SET search_path = elecbill, public;
CALL elecbill.create_schema();
SELECT org_create('HTML', '<b>"Tom & Jerry''s"</b>');
SELECT tariff_approve('T', tariff_draft('T', '[2026-01-01,)', '{"elecbill": 1, "currency": "CNY", "zone": "Asia/Shanghai",
	"schedules": {"tou": [{"period": "peak", "spans": [["08:00", "22:00"]]}, {"period": "<i>"}]},
	"components": [{"code": "energy", "kind": "energy", "name": {"zh": "<电>", "en": "<energy>"}, "price": {"period": {"peak": 1, "<i>": 0.5}}},
	{"code": "tax", "kind": "percent", "percent": 2.5}]}', 'ann'), 'bob');
SELECT * FROM import_estate('HTML', convert_to('room,account_no,name,kind,meter_no,model,last_reading,last_read_at,tariff,interval_min
R-1,A1,"<script>alert(""1"")</script>",residential,M<1>,DD,100,2026-01-01,T,60
R-2,A2,nobody,residential,M-2,DD,100,2026-01-01,T,60', 'UTF8'));
SELECT collector_create('HTML', 'C', '5f0c0b0e-0000-4000-8000-000000000001') IS NOT NULL AS collector;
SELECT partition_maintain(0, '2026-01-01') > 0 AS partitions;
-- 1 kWh an hour through January; two days are missing, the reading behind them is a restart
SELECT i.* FROM (SELECT array_agg('M<1>'::text) AS m, array_agg('1.8.0'::text) AS r, array_agg(timestamptz '2026-01-01 00:00+08' + h * interval '1 hour' ORDER BY h) AS at,
	array_agg((100 + h)::numeric ORDER BY h) AS kwh, array_agg(CASE h WHEN 288 THEN 512 ELSE 0 END ORDER BY h) AS q, array_agg(NULL::timestamptz) AS ma,
	array_agg(CASE h WHEN 744 THEN '\x6801FF16'::bytea END ORDER BY h) AS f FROM generate_series(1, 744) AS h WHERE h NOT BETWEEN 240 AND 287) AS b,
	ingest('5f0c0b0e-0000-4000-8000-000000000001', 1, m, r, at, kwh, q, ma, f) AS i;
CALL bill_month('HTML', 'MONTH', '2026-01');
SELECT a.account_no, b.number, b.amount FROM bill b JOIN customer_account a ON a.id = b.account_id;

-- the page: nothing that a name brought is markup, the facts are there, nothing is loaded
CREATE FUNCTION tags(page text) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(DISTINCT lower(t[1]), ' ' ORDER BY lower(t[1])) FROM regexp_matches(page, '<([a-zA-Z]+)', 'g') AS t $$;
SELECT tags(html_bill('2026-000001')), tags(html_bill('HTML/2026-000001', 'en')) = tags(html_bill('2026-000001')) AS same_in_english;
SELECT word, position(word IN page) > 0 AS zh, position(word IN english) > 0 AS en
FROM (SELECT html_bill('2026-000001') AS page, html_bill('2026-000001', 'en') AS english) AS p,
	unnest('{电费账单,Electricity bill,&lt;电&gt;,&lt;energy&gt;,峰,peak,100.000,844.000,6801FF16,缺测 49 小时,49 h not measured,2.5 %,未缴费,&lt;script&gt;,M&lt;1&gt;,src=,url(,@import}'::text[]) WITH ORDINALITY AS w(word, i) ORDER BY i;
SELECT position('<p class="muted">&lt;b&gt;&quot;Tom &amp; Jerry&#39;s&quot;&lt;/b&gt;</p>' IN html_bill('2026-000001')) > 0 AS org_escaped;
SELECT position(format('<b>%s</b>', amount) IN html_bill(number)) > 0 AS amount_in_large FROM bill WHERE number IS NOT NULL;

-- the picture: XML by itself, a line for each day's hours, a hole where nothing was measured
CREATE TEMP VIEW curve AS SELECT svg_load_curve('A1', '[2026-01-01,2026-02-01)', 'en') AS svg;
SELECT xml_is_well_formed_document(svg) AS xml, (xpath('//*[local-name()="title"]/text()', svg::xml))[1]::text AS title,
	(xpath('//*[local-name()="desc"]/text()', svg::xml))[1]::text AS description FROM curve;
SELECT length(p) - length(replace(p, 'H', '')) AS hours, length(p) - length(replace(p, 'M', '')) AS pieces
FROM (SELECT (xpath('//*[@class="line"]/@d', svg::xml))[1]::text AS p FROM curve) AS c;
SELECT xml_is_well_formed_document(svg_load_curve('A2', '[2026-01-01,2026-01-02)')) AS xml_without_data,
	(xpath('//*[local-name()="desc"]/text()', svg_load_curve('A2', '[2026-01-01,2026-01-02)', 'zh')::xml))[1]::text AS description;

-- the files of a run
SELECT path, tags(content) FROM html_bills(1) ORDER BY path;
SELECT content LIKE '%href="2026-000001.html"%' AS linked, content LIKE '%A2%' AS names_who_is_missing FROM html_bills(1) WHERE path = 'index.html';

\set VERBOSITY terse
SELECT html_bill('2026-000009');
SELECT html_bill(NULL);
SELECT html_bill('2026-000001', 'fr');
SELECT * FROM html_bills(99);
SELECT * FROM html_bills(NULL);
SELECT svg_load_curve('NOBODY', '[2026-01-01,2026-02-01)');
SELECT svg_load_curve('A1', NULL);
SELECT svg_load_curve('A1', 'empty');
SELECT svg_load_curve('A1', '[2026-01-01,)');
SELECT svg_load_curve('A1', '[2025-01-01,2026-12-31)');
SELECT svg_load_curve('A1', '[2026-01-01,2026-02-01)', 'fr');
