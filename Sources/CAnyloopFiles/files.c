#define _GNU_SOURCE
#include "anyloop_files.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#if defined(__linux__)
#include <linux/openat2.h>
#include <sys/syscall.h>
#endif

int64_t anyloop_wall_nanoseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int anyloop_open_directory(const char *path) {
    int descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return descriptor < 0 ? -errno : descriptor;
}

/* Without openat2: one component at a time, and no symbolic links at all. */
static int open_by_components(int root, const char *path, int flags) {
    char component[256];
    int current = dup(root);
    if (current < 0) return -errno;
    while (true) {
        size_t length = strcspn(path, "/");
        if (length >= sizeof component) { close(current); return -ENAMETOOLONG; }
        memcpy(component, path, length);
        component[length] = 0;
        if (strcmp(component, "..") == 0) { close(current); return -EXDEV; }
        bool last = path[length] == 0;
        int next = openat(current, length == 0 ? "." : component,
                          O_NOFOLLOW | (last ? flags : O_RDONLY | O_DIRECTORY | O_CLOEXEC));
        int failure = errno;
        close(current);
        if (next < 0) return -failure;
        if (last) return next;
        current = next;
        path += length + 1;
    }
}

int anyloop_open_beneath(int root, const char *path) {
    int flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK;
#if defined(__linux__) && defined(SYS_openat2)
    struct open_how how;
    memset(&how, 0, sizeof how);
    how.flags = flags;
    how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
    for (int attempt = 0; attempt < 16; attempt++) {
        long descriptor = syscall(SYS_openat2, root, path, &how, sizeof how);
        if (descriptor >= 0) return (int)descriptor;
        if (errno == EAGAIN || errno == EINTR) continue; /* a rename raced with ".." */
        if (errno == ENOSYS || errno == EPERM) break;    /* an old kernel, or a sandbox that does not know it */
        return -errno;
    }
#endif
    return open_by_components(root, path, flags);
}

int anyloop_file_stat(int descriptor, struct anyloop_file_info *info) {
    struct stat status;
    if (fstat(descriptor, &status) < 0) return -errno;
    info->size = status.st_size;
#if defined(__APPLE__)
    info->modified_seconds = status.st_mtimespec.tv_sec;
    info->modified_nanoseconds = status.st_mtimespec.tv_nsec;
#else
    info->modified_seconds = status.st_mtim.tv_sec;
    info->modified_nanoseconds = status.st_mtim.tv_nsec;
#endif
    info->inode = status.st_ino;
    info->is_regular = S_ISREG(status.st_mode);
    info->is_directory = S_ISDIR(status.st_mode);
    return 0;
}

void anyloop_file_close(int descriptor) { close(descriptor); }
