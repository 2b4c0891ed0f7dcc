#define _GNU_SOURCE

#include "CBench.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

/// Becomes the server, or returns if that fails.
static void become(
    const char *const arguments[], const char *const environment[], const char *log, const char *directory, uid_t user,
    gid_t group, int death_signal) {
    // Out of the terminal's group: on ^C the benchmark ends, and the kernel ends the server then.
    if (setsid() < 0) return;
    int input = open("/dev/null", O_RDONLY);
    int output = open(log, O_WRONLY | O_CREAT | O_APPEND, 0644);
    if (input < 0 || output < 0 || dup2(input, 0) < 0 || dup2(output, 1) < 0 || dup2(output, 2) < 0) return;
    if (chdir(directory) != 0) return;
    if (user != 0 && (setgroups(0, NULL) != 0 || setgid(group) != 0 || setuid(user) != 0)) return;
    // After the change of the user, which would take it back.
    if (prctl(PR_SET_PDEATHSIG, death_signal) != 0) return;
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    execve(arguments[0], (char *const *)arguments, (char *const *)environment);
}

pid_t bench_spawn(
    const char *const arguments[], const char *const environment[], const char *log, const char *directory, uid_t user,
    gid_t group, int death_signal) {
    // The child tells through a pipe, which closes by itself at exec, why it could not become the server.
    int report[2];
    if (pipe2(report, O_CLOEXEC) != 0) return -1;
    pid_t child = fork();
    if (child == 0) {
        become(arguments, environment, log, directory, user, group, death_signal);
        int code = errno;
        if (write(report[1], &code, sizeof code) < 0) _exit(126);
        _exit(127);
    }
    int code = child < 0 ? errno : 0;
    close(report[1]);
    ssize_t length = child < 0 ? 0 : read(report[0], &code, sizeof code);
    close(report[0]);
    if (child >= 0 && length <= 0) return child;
    errno = code;
    return -1;
}
