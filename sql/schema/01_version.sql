-- 01_version.sql: which steps of the schema layer this database has
-- A step is named after the version that brought it. create_schema() writes all of them, so that a
-- fresh schema and an upgraded one are equal.

CREATE TABLE elecbill.schema_version (
	step		text CONSTRAINT schema_version_pkey PRIMARY KEY,
	applied_at	timestamptz NOT NULL DEFAULT elecbill.now()
);
COMMENT ON TABLE elecbill.schema_version IS
'steps of the schema layer in this database; written by create_schema() and upgrade_schema()';
COMMENT ON COLUMN elecbill.schema_version.step IS 'version that brought the step, such as 0.1.0';
COMMENT ON COLUMN elecbill.schema_version.applied_at IS 'when it was applied here';

INSERT INTO elecbill.schema_version (step) VALUES ('0.5.0');
