-- elecbill--0.1.0--0.2.0.sql: the engine
-- What can be written over its former self is put behind this by the Makefile.
\echo Use "ALTER EXTENSION elecbill UPDATE" to load this file. \quit

CREATE TYPE elecbill.demand_peak AS (kw numeric, at timestamptz);
