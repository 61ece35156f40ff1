/*
 * login.h -- who is at work
 */
#ifndef ELECBILL_PG_LOGIN_H
#define ELECBILL_PG_LOGIN_H

/* Defines elecbill.login; called by eb_guc_define() before it reserves the prefix. */
extern void eb_login_define(void);

/* bytes of a login */
#define EB_LOGIN_LENGTH 128

/* the owner of the tables, InvalidOid without a schema layer */
extern Oid eb_layer_owner(void);

/* whether elecbill.login, or trusted claims, say so: who does has that person's rights alone */
extern bool eb_works_for_somebody(void);

/* who is at work in a demonstration, elecbill.login, else the role that logged in; not to be freed */
extern char *eb_login(void);

#endif /* ELECBILL_PG_LOGIN_H */
