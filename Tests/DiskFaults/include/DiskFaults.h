#ifndef DISK_FAULTS_H
#define DISK_FAULTS_H

// Makes a disk fail for one process, as often and for as long as a test wants: a library for LD_PRELOAD that puts
// itself before the C library's functions that work on files. Nothing is to be called.
//
// The process's environment gives the orders. Calls count whose file's path, or one of their two paths, has this
// piece in it; without it nothing counts:
//
//   DISK_FAULT_PATH    for example "/table/acms.sqlite"
//
// A disk that fails for a while. Reading and opening go on, as on a disk whose pages are in memory:
//
//   DISK_FAULT_WHILE   a file: what changes or syncs a file's content fails while this one exists
//   DISK_FAULT_ERRNO   the number of the error; 5 (EIO) without it. It holds below, too
//
// One call that fails once:
//
//   DISK_FAULT_CALL    the function's name, without a 64 at its end
//   DISK_FAULT_FILE    a pattern, as of a shell, for the path; two paths are joined by ">"
//   DISK_FAULT_AT      the number of the call among those that match, from 1
//   DISK_FAULT_SHORT   if set, this call, a write, writes half, and the next one that matches fails
//   DISK_FAULT_RECORD  a file: each call that counts adds a line to it, "name path", after "!" if it has failed
//
// Data and names that no sync has made durable are lost:
//
//   DISK_FAULT_DROP    if set, a sync of a file that is made to fail takes back what was written to it since the
//                      last good one, as kernels may: pages that could not be written count as clean
//   DISK_FAULT_CUT     a file: once it exists, the next call takes back all that was written or renamed and not synced
//                      well, and kills the process: what a power cut leaves. What was removed stays removed
//   DISK_FAULT_EXIT    if set, the same is taken back when the process exits

#endif
