/*
 * measure.h - what a server has used: the whole tree of its processes.
 */
#ifndef MEASURE_H
#define MEASURE_H

#include <sys/types.h>

/* Seconds on a clock that only goes forward. */
double	measure_now(void);

/*
 * CPU seconds of a process and all below it, from /proc/PID/stat: utime and
 * stime of those that live, and in cutime and cstime those of all that have
 * ended and were waited for, each once.
 */
double	measure_cpu(pid_t root);

/* The same tree's memory, each shared page in parts (PSS), in bytes. */
double	measure_memory(pid_t root);

#endif
