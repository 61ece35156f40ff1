-- tariff_doc.sql: the examples of doc/tariff.md are tariffs without a fault, and give what they say
\pset format unaligned
\pset tuples_only on
\set doc `cat doc/tariff.md`
CREATE TEMP TABLE block AS
	SELECT n, m[1] AS lang, m[2] AS body
	FROM regexp_matches(:'doc', '```([a-z]+)\n([^`]*)\n```', 'g') WITH ORDINALITY AS u(m, n);
-- a tariff each, followed by its queries
SELECT n, lang FROM block ORDER BY n;
SELECT b.n, l.* FROM block b CROSS JOIN LATERAL elecbill.tariff_lint(b.body::jsonb) l WHERE lang = 'json';
SELECT n, body::elecbill.tariff::text::elecbill.tariff::text = body::elecbill.tariff::text AS text_comes_back
FROM block WHERE lang = 'json' ORDER BY n;
-- each statement, with the tariff put in, against the comment under it
\set ECHO none
SELECT format('SELECT %L AS example, gives, gives = %L AS as_said FROM (SELECT (%s)::text AS gives) AS e',
		j.n || '.' || k, m[2],
		replace(rtrim(m[1], ';'), ':''tariff''', quote_literal(j.body) || '::elecbill.tariff'))
FROM block q JOIN block j ON j.n = q.n - 1
CROSS JOIN LATERAL regexp_matches(q.body, '(SELECT [^;]*;)\n-- ([^\n]*)', 'g') WITH ORDINALITY AS u(m, k)
WHERE q.lang = 'sql' ORDER BY q.n, k
\gexec
\set ECHO all
