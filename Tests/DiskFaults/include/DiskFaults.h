#ifndef DISK_FAULTS_H
#define DISK_FAULTS_H

// Makes a disk fail for one process, as often and for as long as a test wants: a library for LD_PRELOAD that puts
// itself before the C library's write, pwrite, writev, ftruncate, fsync and fdatasync. Nothing is to be called.
//
// The process's environment gives the orders; without the first two nothing fails.
//
//   DISK_FAULT_PATH    a piece of the paths of the files that fail, for example "/table/acms.sqlite"
//   DISK_FAULT_WHILE   a file: calls fail while it exists
//   DISK_FAULT_ERRNO   the number of the error that they fail with; 5 (EIO) without it
//
// Reading goes on, and so does opening, as on a disk whose pages are in memory.

#endif
