// libsystemd's headers include libc's. With Swift's modules of libc first, its types stay those modules'; otherwise
// they could become this one's, depending on which file the compiler reads first, and files that import Glibc
// alone would fail to compile. The second module has what <sys/ioctl.h> declares; without it the first one's types of
// that header would become its own, once both are there.
#pragma clang module import SwiftGlibc
#pragma clang module import SwiftOverlayShims
#include <systemd/sd-daemon.h>
#include <systemd/sd-journal.h>
