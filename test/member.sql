-- member.sql: people get accounts and duties, and lose them; what was is kept
SET elecbill.clock_override = '2026-03-10 04:00+00';
SELECT elecbill.org_create('garden', 'Garden'), elecbill.org_create('harbour', 'Harbour');
INSERT INTO elecbill.customer (org_id, code, name, kind) SELECT o.id, 'C', 'Li', 'person' FROM elecbill.org o;
INSERT INTO elecbill.customer_account (org_id, account_no, customer_id, billing_cycle_id)
SELECT c.org_id, a.no, c.id, y.id FROM elecbill.customer c JOIN elecbill.billing_cycle y USING (org_id), (VALUES ('10001'), ('10002')) AS a(no);
SELECT plan(29);
SELECT lives_ok($$SELECT elecbill.member_grant('garden/10001', 'li')$$, 'Li gets her account');
SELECT lives_ok($$SELECT elecbill.member_grant('garden/10001', 'li')$$, 'once more changes nothing');
SELECT is((SELECT format('%s %s %s %s', count(*), min(m.relation), bool_and(m.valid = tstzrange('2026-03-10 04:00+00', NULL)), min(u.status)) FROM elecbill.account_member m JOIN elecbill.app_user u USING (login)),
	'1 owner t active', 'from now on, as owner');
SELECT throws_ok($$SELECT elecbill.member_grant('10001', 'li')$$, 'UB409', 'account ''10001'' is not unique', 'two estates have that number');
SELECT throws_ok($$SELECT elecbill.member_grant('garden/1', 'li')$$, 'UB404', 'there is no account ''garden/1''', 'none has that one');
SELECT throws_ok($$SELECT elecbill.member_grant('garden/10001', 'li', 'friend')$$, 'UB400', '''friend'' is not a relation', 'a friend is nothing');
SELECT throws_ok($$SELECT elecbill.member_grant('garden/10001', 'l i')$$, 'UB400', 'a login has 1 to 128 bytes without blanks', 'a login has no blanks');
SELECT throws_ok($$SELECT elecbill.member_grant('garden/10001', NULL)$$, 'UB400', 'a login has 1 to 128 bytes without blanks', 'and is not NULL');
SELECT throws_ok(format($$SELECT elecbill.member_grant('garden/10001', %L)$$, repeat('电', 43)), 'UB400', 'a login has 1 to 128 bytes without blanks', 'bytes are counted, not characters');
SET elecbill.clock_override = '2026-03-11 04:00+00';
SELECT lives_ok($$SELECT elecbill.member_grant('garden/10001', 'li', 'tenant')$$, 'she becomes a tenant');
SELECT is((SELECT string_agg(m.relation || ' ' || upper_inf(m.valid), ', ' ORDER BY m.id) FROM elecbill.account_member m), 'owner false, tenant true', 'what she was is kept');
SELECT lives_ok($$SELECT elecbill.member_revoke('garden/10001', 'li')$$, 'she moves out at that very instant');
SELECT is((SELECT string_agg(m.relation || ' ' || upper_inf(m.valid), ', ' ORDER BY m.id) FROM elecbill.account_member m), 'owner false', 'a tenant she never was');
SELECT throws_ok($$SELECT elecbill.member_revoke('garden/10001', 'li')$$, 'UB404', 'account ''garden/10001'' is not seen by ''li''', 'she has nothing to lose');
SELECT throws_ok($$UPDATE elecbill.account_member SET relation = 'family'$$, 'UB403', 'account_member changes only by the end of its validity', 'history is not rewritten');
SELECT throws_ok($$UPDATE elecbill.account_member SET valid = tstzrange(lower(valid), NULL)$$, 'UB403', 'account_member changes only by the end of its validity', 'nor opened again');
SELECT throws_ok($$INSERT INTO elecbill.account_member (org_id, account_id, login, relation, valid) SELECT org_id, account_id, login, 'family', valid FROM elecbill.account_member$$, '23P01', NULL, 'nobody has an account twice at a time');

SELECT lives_ok($$SELECT elecbill.duty_grant('garden', 'b1', 'billing')$$, 'a duty is given');
SELECT lives_ok($$SELECT elecbill.duty_grant('garden', 'b1', 'finance')$$, 'one may have several');
SELECT throws_ok($$SELECT elecbill.duty_grant('garden', 'b1', 'king')$$, 'UB400', '''king'' is not a duty', 'but none that is not there');
SELECT throws_ok($$SELECT elecbill.duty_grant('nowhere', 'b1', 'billing')$$, 'UB404', 'there is no org ''nowhere''', 'nor for an org that is not there');
SET elecbill.clock_override = '2026-03-12 04:00+00';
SELECT lives_ok($$SELECT elecbill.duty_revoke('garden', 'b1', 'finance')$$, 'it is taken');
SELECT throws_ok($$SELECT elecbill.duty_revoke('garden', 'b1', 'finance')$$, 'UB404', '''b1'' has no duty ''finance'' in org ''garden''', 'once');
SELECT is((SELECT string_agg(m.duty || ' ' || upper_inf(m.valid), ', ' ORDER BY m.id) FROM elecbill.org_member m), 'billing true, finance false', 'the other one stays');
SELECT throws_ok($$UPDATE elecbill.org_member SET duty = 'finance'$$, 'UB403', 'org_member changes only by the end of its validity', 'no duty becomes another');
SELECT throws_ok($$SELECT elecbill.user_lock('nobody')$$, 'UB404', 'there is no user ''nobody''', 'who is not known is not locked out');
SELECT lives_ok($$SELECT elecbill.user_lock('b1'), elecbill.user_lock('b1', false)$$, 'who is, is, and is let in again');
SELECT set_eq($$SELECT a.action, count(*) FROM elecbill.audit_log a GROUP BY 1$$,
	$$VALUES ('member_grant', 2::bigint), ('member_revoke', 1), ('duty_grant', 2), ('duty_revoke', 1), ('user_lock', 2)$$, 'and all of it is in the log');
SELECT throws_ok($$CALL elecbill.create_roles('Bad-')$$, 'UB400', 'a prefix of roles has 1 to 31 small letters, digits and _', 'roles have plain names');
SELECT * FROM finish();
