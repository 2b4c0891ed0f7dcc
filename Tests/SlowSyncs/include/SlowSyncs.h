#ifndef SLOW_SYNCS_H
#define SLOW_SYNCS_H

// Makes a disk slow for one process: a library for LD_PRELOAD that puts itself before the C library's fsync, fdatasync
// and syncfs, and waits SLOW_SYNC_MICROSECONDS microseconds in each of them, once a call. Nothing is to be called.

#endif
