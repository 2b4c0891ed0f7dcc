// Nothing is called from here: the library is preloaded, see DiskFaults.c.
