#ifndef CPOSTGRESQL_H
#define CPOSTGRESQL_H

#include <postgresql/libpq-fe.h>

// libpq is looked for when it is needed first, so that a program that only knows the embedded engine neither needs it
// nor pays for it: with what it brings itself (TLS, Kerberos, LDAP) it would add some 10 MB and 10 ms to each start.
#define ACMS_PQ_FUNCTIONS(X) \
    X(PQclear) \
    X(PQconnectdbParams) \
    X(PQconninfoFree) \
    X(PQconninfoParse) \
    X(PQconsumeInput) \
    X(PQenterPipelineMode) \
    X(PQerrorMessage) \
    X(PQfinish) \
    X(PQflush) \
    X(PQfreemem) \
    X(PQgetResult) \
    X(PQgetisnull) \
    X(PQgetlength) \
    X(PQgetvalue) \
    X(PQisBusy) \
    X(PQlibVersion) \
    X(PQnotifies) \
    X(PQntuples) \
    X(PQpipelineSync) \
    X(PQresultErrorField) \
    X(PQresultStatus) \
    X(PQsendPrepare) \
    X(PQsendQueryPrepared) \
    X(PQserverVersion) \
    X(PQsetNoticeReceiver) \
    X(PQsetnonblocking) \
    X(PQsocket) \
    X(PQstatus)

struct acms_pq {
#define ACMS_PQ_MEMBER(name) __typeof__(&name) _Nonnull name;
    ACMS_PQ_FUNCTIONS(ACMS_PQ_MEMBER)
#undef ACMS_PQ_MEMBER
};

/// Finds libpq's functions, once for the process; while it isn't there, it is looked for at each call.
///
/// @return them, or null; then `acms_pq_failure` says why.
const struct acms_pq *_Nullable acms_pq_load(void);

/// Why this thread's last `acms_pq_load` had nothing to return.
const char *_Nonnull acms_pq_failure(void);

/// Counts the warnings (and nothing milder, and none of triggers) that a connection gets from now on. The server tells with one that a commit
/// was not waited for as it should have been.
void acms_pq_count_warnings(PGconn *_Nonnull connection, int *_Nonnull count);

#endif
