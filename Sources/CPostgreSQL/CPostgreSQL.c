#include "CPostgreSQL.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static struct acms_pq functions;
static _Thread_local char failure[256];

/// Whether all functions are there now.
static bool load(void) {
    void *library = dlopen("libpq.so.5", RTLD_NOW | RTLD_LOCAL);
    if (library == NULL) {
        const char *reason = dlerror();
        snprintf(failure, sizeof failure, "%s", reason != NULL ? reason : "libpq.so.5 can't be loaded");
        return false;
    }
#define FIND(name) \
    functions.name = (__typeof__(&name))dlsym(library, #name); \
    if (functions.name == NULL) { \
        snprintf(failure, sizeof failure, "libpq.so.5 has no " #name "; version 14 or later is needed"); \
        dlclose(library); \
        return false; \
    }
    ACMS_PQ_FUNCTIONS(FIND)
#undef FIND
    return true;
}

const struct acms_pq *acms_pq_load(void) {
    static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    static bool is_loaded;
    pthread_mutex_lock(&mutex);
    bool is_found = is_loaded || (is_loaded = load());
    pthread_mutex_unlock(&mutex);
    return is_found ? &functions : NULL;
}

const char *acms_pq_failure(void) { return failure; }

static void count_warning(void *count, const PGresult *notice) {
    const char *severity = functions.PQresultErrorField(notice, PG_DIAG_SEVERITY_NONLOCALIZED);
    // A trigger's or function's own has a context.
    if (functions.PQresultErrorField(notice, PG_DIAG_CONTEXT) != NULL) return;
    if (severity != NULL && strcmp(severity, "WARNING") == 0) *(int *)count += 1;
}

void acms_pq_count_warnings(PGconn *connection, int *count) {
    functions.PQsetNoticeReceiver(connection, count_warning, count);
}
