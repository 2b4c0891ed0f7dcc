// Functions of the C library that the compiler's own module of it leaves out.
#pragma once

/// Makes all that was written to the file system of an open file durable: syncfs(2).
int syncfs(int descriptor);

/// Fills a buffer with random bytes, up to 256 of them always at once: getrandom(2).
long getrandom(void *bytes, unsigned long count, unsigned int flags);
