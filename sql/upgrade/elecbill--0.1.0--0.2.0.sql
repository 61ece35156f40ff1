-- elecbill--0.1.0--0.2.0.sql: the engine

CREATE TYPE elecbill.demand_peak AS (kw numeric, at timestamptz);
