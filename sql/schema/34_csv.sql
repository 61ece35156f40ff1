-- 34_csv.sql: CSV files that people make: column names in English or Chinese, and rows of fields under them

CREATE FUNCTION elecbill._estate_fail(p_column text, p_code text, p_message text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RAISE EXCEPTION '%', p_message USING ERRCODE = p_code, COLUMN = coalesce(p_column, '');
END $$;
COMMENT ON FUNCTION elecbill._estate_fail(text, text, text) IS 'refuses a row of a file for what stands in one column';

CREATE FUNCTION elecbill._csv_head(p_fields text[], p_fault text, p_names jsonb, p_needed text[], p_passed text[] DEFAULT '{}',
	p_known text DEFAULT NULL) RETURNS text[]
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	head	text[] := '{}'::text[];
	field	text;
	name	text;
BEGIN
	IF p_fault IS NOT NULL THEN
		PERFORM elecbill._estate_fail(NULL, 'UB400', 'line of column names: ' || p_fault);
	END IF;
	FOREACH field IN ARRAY p_fields LOOP
		field := btrim(field, E' \t\u3000');
		name := coalesce(p_names ->> field, lower(field));
		IF name = ANY (p_passed) THEN
			name := '';
		ELSIF NOT EXISTS (SELECT FROM jsonb_each_text(p_names) AS e(k, v) WHERE e.v = name) THEN
			PERFORM elecbill._estate_fail(field, 'UB400', format('unknown column "%s"; known are %s', field, coalesce(p_known,
				(SELECT string_agg(format('%s %s', e.v, e.k), ', ') FROM jsonb_each_text(p_names) AS e(k, v)))));
		ELSIF name = ANY (head) THEN
			PERFORM elecbill._estate_fail(field, 'UB400', format('column %s stands twice', name));
		END IF;
		head := head || name;
	END LOOP;
	FOREACH name IN ARRAY p_needed LOOP
		IF name <> ALL (head) THEN
			PERFORM elecbill._estate_fail(name, 'UB400', format('column %s is missing', name));
		END IF;
	END LOOP;
	RETURN head;
END $$;
COMMENT ON FUNCTION elecbill._csv_head(text[], text, jsonb, text[], text[], text) IS 'English names for the column names of a file by {other name: English name}, in their order; those to be passed over become empty. p_known: the known ones, as people are told. UB400 one is unknown, stands twice, or is needed and missing';

CREATE FUNCTION elecbill._csv_row(p_head text[], p_fields text[], p_fault text) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF p_fault IS NOT NULL THEN
		PERFORM elecbill._estate_fail(NULL, 'UB400', p_fault);
	END IF;
	p_fields := ARRAY(SELECT nullif(btrim(f, E' \t\u3000'), '') FROM unnest(p_fields) WITH ORDINALITY AS t(f, i) ORDER BY i);
	IF array_remove(p_fields, NULL) = '{}' THEN
		RETURN NULL;	/* a spreadsheet's empty row */
	ELSIF cardinality(p_fields) <> cardinality(p_head) THEN
		PERFORM elecbill._estate_fail(NULL, 'UB400', format('%s fields, but %s columns are named',
									  cardinality(p_fields), cardinality(p_head)));
	END IF;
	RETURN jsonb_strip_nulls(jsonb_object(p_head, p_fields));
END $$;
COMMENT ON FUNCTION elecbill._csv_row(text[], text[], text) IS 'a row of a file as fields by name, empty ones left out; NULL: all are empty. UB400';

CREATE FUNCTION elecbill._row_fault(p_line integer, p_field text, p_code text, p_message text) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN jsonb_build_object('line', p_line, 'field', nullif(p_field, ''), 'code', p_code, 'message', p_message);
COMMENT ON FUNCTION elecbill._row_fault(integer, text, text, text) IS 'what was wrong with a row of a file. Gathered in an array: a jsonb list would be copied for each row';

CREATE FUNCTION elecbill._csv_faults(p_job bigint, p_faults jsonb) RETURNS void
LANGUAGE sql
BEGIN ATOMIC
	INSERT INTO elecbill.import_row_error (job_id, n, line, field, code, message)
	SELECT p_job, e.n, (e.fault ->> 'line')::integer, e.fault ->> 'field', e.fault ->> 'code', e.fault ->> 'message'
	FROM jsonb_array_elements(p_faults) WITH ORDINALITY AS e(fault, n);
END;
COMMENT ON FUNCTION elecbill._csv_faults(bigint, jsonb) IS 'keeps what was wrong with the rows of a file, a list of _row_fault(), in import_row_error';
