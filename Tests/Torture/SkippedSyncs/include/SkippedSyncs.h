#ifndef SKIPPED_SYNCS_H
#define SKIPPED_SYNCS_H

// Leaves out the syncs of one process: a library for LD_PRELOAD that puts itself before the C library's fsync, fdatasync
// and syncfs. With SKIPPED_SYNCS=all none is made, with SKIPPED_SYNCS=directories none of a directory; each reports
// success. Nothing is to be called.

#endif
