-- 11_tariff_channel.sql: what has to be measured for a tariff

CREATE FUNCTION elecbill.tariff_channels(tariff elecbill.tariff) RETURNS text[]
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'elecbill_tariff_channels';
COMMENT ON FUNCTION elecbill.tariff_channels(elecbill.tariff) IS
'channels whose readings the tariff needs, of import, export (kWh), import_kvarh, export_kvarh; import always';
