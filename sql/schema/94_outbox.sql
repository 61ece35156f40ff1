-- 94_outbox.sql: what people are to be told, waiting for the program that tells them
--
-- Whoever changes something writes the notice into outbox in the same transaction: it is told if, and
-- only if, the change is committed. A program of the operator (text messages, mail, WeChat) takes
-- notices, sends them, and says so. One that dies between sending and saying sends twice: dedup_key is
-- the same then. NOTIFY elecbill_outbox wakes it; nothing depends on that.

CREATE TABLE elecbill.outbox (
	id			bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT outbox_pkey PRIMARY KEY,
	org_id		integer NOT NULL CONSTRAINT outbox_org_fkey REFERENCES elecbill.org,
	topic		text NOT NULL CONSTRAINT outbox_topic_check CHECK (topic ~ '^[a-z][a-z0-9_]{0,62}$'),
	dedup_key	text NOT NULL CONSTRAINT outbox_dedup_key_check CHECK (dedup_key ~ '^\S{1,200}$'),
	payload		jsonb NOT NULL CONSTRAINT outbox_payload_check CHECK (jsonb_typeof(payload) = 'object'),
	state		text NOT NULL DEFAULT 'pending' CONSTRAINT outbox_state_check CHECK (state IN ('pending', 'taken', 'done', 'failed')),
	attempts	integer NOT NULL DEFAULT 0 CONSTRAINT outbox_attempts_check CHECK (attempts >= 0),
	created_at	timestamptz NOT NULL DEFAULT elecbill.now(),
	next_at		timestamptz NOT NULL DEFAULT elecbill.now(),
	taken_by	text,
	ended_at	timestamptz,
	error		text,
	CONSTRAINT outbox_dedup_key UNIQUE (org_id, dedup_key),
	CONSTRAINT outbox_ended_check CHECK ((state IN ('done', 'failed')) = (ended_at IS NOT NULL)),
	CONSTRAINT outbox_taken_check CHECK (state <> 'taken' OR taken_by IS NOT NULL)
) WITH (fillfactor = 80);
CREATE INDEX outbox_open_idx ON elecbill.outbox (org_id, next_at, id) WHERE state IN ('pending', 'taken');
CREATE INDEX outbox_failed_idx ON elecbill.outbox (org_id) WHERE state = 'failed';
COMMENT ON TABLE elecbill.outbox IS 'notices to people: outbox_take() hands them out, outbox_done() and outbox_failed() say what became of them. Job purge removes those that were dealt with long ago';
COMMENT ON COLUMN elecbill.outbox.id IS 'for outbox_done() and outbox_failed()';
COMMENT ON COLUMN elecbill.outbox.org_id IS 'owner';
COMMENT ON COLUMN elecbill.outbox.topic IS 'what it is about: bill_issued, reminder, payment, low_balance, dunning steps, alarm; label() has the word';
COMMENT ON COLUMN elecbill.outbox.dedup_key IS 'the same thing is told once, however often it is found';
COMMENT ON COLUMN elecbill.outbox.payload IS 'the facts: account and numbers people know, amounts in the currency named, ISO dates of the org';
COMMENT ON COLUMN elecbill.outbox.state IS 'pending, taken (until next_at), done, failed (given up)';
COMMENT ON COLUMN elecbill.outbox.attempts IS 'how often it was handed out';
COMMENT ON COLUMN elecbill.outbox.created_at IS 'when it was written';
COMMENT ON COLUMN elecbill.outbox.next_at IS 'not handed out before; of a taken one: who took it is taken for dead then';
COMMENT ON COLUMN elecbill.outbox.taken_by IS 'login that took it last';
COMMENT ON COLUMN elecbill.outbox.ended_at IS 'when it was told or given up';
COMMENT ON COLUMN elecbill.outbox.error IS 'why it failed last';
COMMENT ON INDEX elecbill.outbox_open_idx IS 'what waits';
COMMENT ON INDEX elecbill.outbox_failed_idx IS 'what was given up';

CREATE TABLE elecbill.outbox_off (
	org_id		integer NOT NULL CONSTRAINT outbox_off_org_fkey REFERENCES elecbill.org,
	topic		text NOT NULL CONSTRAINT outbox_off_topic_check CHECK (topic ~ '^([*]|[a-z][a-z0-9_]{0,62})$'),
	since		timestamptz NOT NULL DEFAULT elecbill.now(),
	set_by		text NOT NULL DEFAULT elecbill.current_login(),
	CONSTRAINT outbox_off_pkey PRIMARY KEY (org_id, topic)
);
COMMENT ON TABLE elecbill.outbox_off IS 'what an org does not want to be told about; outbox_set() writes it';
COMMENT ON COLUMN elecbill.outbox_off.org_id IS 'owner';
COMMENT ON COLUMN elecbill.outbox_off.topic IS 'topic of outbox; * = all';
COMMENT ON COLUMN elecbill.outbox_off.since IS 'since when';
COMMENT ON COLUMN elecbill.outbox_off.set_by IS 'login of who wanted it so';

CREATE FUNCTION elecbill._outbox_notify() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	PERFORM pg_notify('elecbill_outbox', '') FROM added LIMIT 1;
	RETURN NULL;
END $$;
COMMENT ON FUNCTION elecbill._outbox_notify() IS 'trigger of outbox: wakes who listens to elecbill_outbox';
CREATE TRIGGER outbox_notify AFTER INSERT ON elecbill.outbox
	REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION elecbill._outbox_notify();
COMMENT ON TRIGGER outbox_notify ON elecbill.outbox IS 'one NOTIFY a statement';

CREATE FUNCTION elecbill._outbox_on(p_org integer, p_topic text) RETURNS boolean
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN NOT EXISTS (SELECT FROM elecbill.outbox_off f WHERE f.org_id = p_org AND f.topic IN (p_topic, '*'));
END $$;
COMMENT ON FUNCTION elecbill._outbox_on(integer, text) IS 'whether an org tells about a topic';

CREATE FUNCTION elecbill._outbox(p_org integer, p_topic text, p_key text, p_payload jsonb) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF elecbill._outbox_on(p_org, p_topic) THEN
		INSERT INTO elecbill.outbox (org_id, topic, dedup_key, payload)
		VALUES (p_org, p_topic, p_key, p_payload)
		ON CONFLICT ON CONSTRAINT outbox_dedup_key DO NOTHING;
	END IF;
END $$;
COMMENT ON FUNCTION elecbill._outbox(integer, text, text, jsonb) IS 'writes a notice, once for each key, unless the org does not tell about the topic';

-- ---------------------------------------------------------------- taking and answering

CREATE FUNCTION elecbill.outbox_take(org text, n integer DEFAULT 100, lease interval DEFAULT '5 minutes', trial boolean DEFAULT false)
RETURNS TABLE (id bigint, topic text, dedup_key text, payload jsonb, text_zh text, text_en text, attempts integer)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	owner elecbill.org := (SELECT o FROM elecbill.org o WHERE o.id = elecbill._org_get(org));
BEGIN
	IF n BETWEEN 1 AND 10000 IS NOT TRUE OR lease BETWEEN interval '1 second' AND interval '1 day' IS NOT TRUE THEN
		RAISE EXCEPTION 'notices are taken 1 to 10000 at a time, for 1 second to 1 day' USING ERRCODE = 'UB400';
	ELSIF owner.state = 'sandbox' AND trial IS NOT TRUE THEN
		RAISE EXCEPTION 'org % is a sandbox: nobody is told', quote_literal(org)
			USING ERRCODE = 'UB412', HINT = 'trial => true hands out its notices, for a program that shows them to its makers; go_live() ends the sandbox.';
	END IF;
	-- taken twenty times, and nobody ever said what became of it; or of the time when all was a trial
	UPDATE elecbill.outbox AS o SET state = 'failed', ended_at = elecbill.now(),
		error = CASE WHEN o.created_at < owner.live_at THEN 'sandbox' ELSE coalesce(o.error, 'no answer') END
	WHERE o.org_id = owner.id AND o.state IN ('pending', 'taken') AND o.next_at <= elecbill.now()
		AND (o.state = 'taken' AND o.attempts >= 20 OR o.created_at < owner.live_at);
	RETURN QUERY
	WITH mine AS (
		SELECT o.id FROM elecbill.outbox AS o
		WHERE o.org_id = owner.id AND o.state IN ('pending', 'taken') AND o.next_at <= elecbill.now()
		ORDER BY o.next_at, o.id LIMIT n FOR UPDATE SKIP LOCKED
	), taken AS (
		UPDATE elecbill.outbox AS o
		SET state = 'taken', attempts = o.attempts + 1, taken_by = elecbill.current_login(), next_at = elecbill.now() + lease
		FROM mine WHERE o.id = mine.id RETURNING o.*)
	SELECT t.id, t.topic, t.dedup_key, t.payload, elecbill._notice_text(t.topic, t.payload, 'zh'),
		elecbill._notice_text(t.topic, t.payload, 'en'), t.attempts
	FROM taken AS t ORDER BY t.id;
END $$;
COMMENT ON FUNCTION elecbill.outbox_take(text, integer, interval, boolean) IS
'hands out up to n notices of an org for the time of lease, the oldest first, with what to say in Chinese and English; any number of programs may take side by side, none gets what another has. What is not answered within the lease is handed out again, with the same dedup_key, 20 times at most. Notices of a sandbox are for nobody: trial hands them out, and they are given up when the org is live. UB400, UB404, UB412 a sandbox';

CREATE FUNCTION elecbill.outbox_done(org text, ids bigint[]) RETURNS integer
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	owner integer := elecbill._org_get(org);
	n integer;
BEGIN
	UPDATE elecbill.outbox AS o SET state = 'done', ended_at = elecbill.now(), error = NULL
	WHERE o.org_id = owner AND o.id = ANY (ids) AND o.attempts > 0 AND o.state <> 'done';
	GET DIAGNOSTICS n = ROW_COUNT;
	RETURN n;
END $$;
COMMENT ON FUNCTION elecbill.outbox_done(text, bigint[]) IS 'says that notices were told, also after their lease; returns how many were not said to be before. UB404';

CREATE FUNCTION elecbill.outbox_failed(org text, ids bigint[], error text) RETURNS integer
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	owner integer := elecbill._org_get(org);
	n integer;
BEGIN
	-- after 1 minute, 2, 4, ... a day at most; for about ten days
	UPDATE elecbill.outbox AS o SET state = CASE WHEN o.attempts >= 20 THEN 'failed' ELSE 'pending' END,
		ended_at = CASE WHEN o.attempts >= 20 THEN elecbill.now() END, error = outbox_failed.error,
		next_at = elecbill.now() + least(interval '1 min' * 2 ^ least(o.attempts - 1, 12), interval '1 day')
	WHERE o.org_id = owner AND o.id = ANY (ids) AND o.state = 'taken';
	GET DIAGNOSTICS n = ROW_COUNT;
	RETURN n;
END $$;
COMMENT ON FUNCTION elecbill.outbox_failed(text, bigint[], text) IS 'says that taken notices could not be told, and why: they are handed out again after 1 minute, 2, 4, ... a day at most, and given up after 20 times. Returns how many. UB404';

CREATE FUNCTION elecbill.outbox_again(org text, ids bigint[] DEFAULT NULL) RETURNS integer
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	owner integer := elecbill._org_get(org);
	n integer;
BEGIN
	UPDATE elecbill.outbox AS o SET state = 'pending', attempts = 0, ended_at = NULL, next_at = elecbill.now()
	WHERE o.org_id = owner AND o.state = 'failed' AND (ids IS NULL AND o.error IS DISTINCT FROM 'sandbox' OR o.id = ANY (ids));
	GET DIAGNOSTICS n = ROW_COUNT;
	RETURN n;
END $$;
COMMENT ON FUNCTION elecbill.outbox_again(text, bigint[]) IS 'has notices that were given up (NULL: all of them, but those of a sandbox) handed out again; returns how many. UB404';

CREATE FUNCTION elecbill.outbox_set(org text, topic text, told boolean) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	owner integer := elecbill._org_get(org);
BEGIN
	IF topic ~ '^([*]|[a-z][a-z0-9_]{0,62})$' IS NOT TRUE OR told IS NULL THEN
		RAISE EXCEPTION 'a topic is a word such as bill_issued, or *, and told or not' USING ERRCODE = 'UB400';
	END IF;
	IF told THEN
		DELETE FROM elecbill.outbox_off f WHERE f.org_id = owner AND f.topic = outbox_set.topic;
	ELSE
		INSERT INTO elecbill.outbox_off (org_id, topic) VALUES (owner, outbox_set.topic) ON CONFLICT DO NOTHING;
	END IF;
	PERFORM elecbill._audit(owner, 'outbox_set', topic, NULL, to_jsonb(told));
END $$;
COMMENT ON FUNCTION elecbill.outbox_set(text, text, boolean) IS 'whether an org tells about a topic (* = all of them) from now on; what waits already is told. At first it tells about all. UB400, UB404';

CREATE FUNCTION elecbill._outbox_purge(p_until timestamptz) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	n bigint;
BEGIN
	DELETE FROM elecbill.outbox AS o
	WHERE o.id IN (SELECT x.id FROM elecbill.outbox AS x WHERE x.ended_at < p_until ORDER BY x.id LIMIT 10000 FOR UPDATE SKIP LOCKED);
	GET DIAGNOSTICS n = ROW_COUNT;
	RETURN n;
END $$;
COMMENT ON FUNCTION elecbill._outbox_purge(timestamptz) IS 'removes at most 10,000 notices that were dealt with before an instant; returns how many';
