// libsystemd's headers include libc's. With Swift's libc module first, its types stay that module's; otherwise
// they could become this one's, depending on which file the compiler reads first, and files that import Glibc
// alone would fail to compile.
#pragma clang module import SwiftGlibc
#include <systemd/sd-daemon.h>
#include <systemd/sd-journal.h>
