#include "CPostgreSQL.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>

static struct acms_pq functions;
static const char *failure;
static bool is_loaded;

static void load(void) {
    void *library = dlopen("libpq.so.5", RTLD_NOW | RTLD_LOCAL);
    if (library == NULL) {
        const char *reason = dlerror();
        failure = strdup(reason != NULL ? reason : "libpq.so.5 can't be loaded");
        return;
    }
#define FIND(name) \
    functions.name = (__typeof__(&name))dlsym(library, #name); \
    if (functions.name == NULL) { \
        failure = "libpq.so.5 has no " #name "; version 14 or later is needed"; \
        return; \
    }
    ACMS_PQ_FUNCTIONS(FIND)
#undef FIND
    is_loaded = true;
}

const struct acms_pq *acms_pq_load(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, load);
    return is_loaded ? &functions : NULL;
}

const char *acms_pq_failure(void) {
    return failure != NULL ? failure : "there is no memory";
}

static void count_warning(void *count, const PGresult *notice) {
    const char *severity = functions.PQresultErrorField(notice, PG_DIAG_SEVERITY_NONLOCALIZED);
    if (severity != NULL && strcmp(severity, "WARNING") == 0) *(int *)count += 1;
}

void acms_pq_count_warnings(PGconn *connection, int *count) {
    functions.PQsetNoticeReceiver(connection, count_warning, count);
}
