/* Stands between the tool and a kernel whose file system has locks: takes them away, with the error
 * numbers in NO_RANGES and NO_WHOLE. redb asks for ranges by syscall(2), std for the whole file by
 * flock(2). */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/syscall.h>

static int refusal(const char *name)
{
    const char *value = getenv(name);
    return value ? atoi(value) : 0;
}

static int is_range(long command)
{
    return command == F_OFD_SETLK || command == F_OFD_SETLKW || command == F_OFD_GETLK;
}

long syscall(long number, ...)
{
    static long (*next)(long, ...);
    long a[6];
    va_list list;
    va_start(list, number);
    for (int i = 0; i < 6; i++)
        a[i] = va_arg(list, long);
    va_end(list);
    if (number == SYS_fcntl && is_range(a[1]) && refusal("NO_RANGES")) {
        errno = refusal("NO_RANGES");
        return -1;
    }
    if (!next)
        next = (long (*)(long, ...))dlsym(RTLD_NEXT, "syscall");
    return next(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

int fcntl(int file, int command, ...)
{
    static int (*next)(int, int, ...);
    va_list list;
    va_start(list, command);
    void *argument = va_arg(list, void *);
    va_end(list);
    if (is_range(command) && refusal("NO_RANGES")) {
        errno = refusal("NO_RANGES");
        return -1;
    }
    if (!next)
        next = (int (*)(int, int, ...))dlsym(RTLD_NEXT, "fcntl");
    return next(file, command, argument);
}

int flock(int file, int operation)
{
    static int (*next)(int, int);
    if (refusal("NO_WHOLE")) {
        errno = refusal("NO_WHOLE");
        return -1;
    }
    if (!next)
        next = (int (*)(int, int))dlsym(RTLD_NEXT, "flock");
    return next(file, operation);
}
