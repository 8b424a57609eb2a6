#ifndef ANYLOOP_FILES_H
#define ANYLOOP_FILES_H

#include <stdbool.h>
#include <stdint.h>

/* What the agents need of the system beside their loop: the wall clock and files to serve.
   Functions that fail return the negated errno. */

struct anyloop_file_info {
    int64_t size;
    int64_t modified_seconds;
    int64_t modified_nanoseconds;
    uint64_t inode;
    bool is_regular;
    bool is_directory;
};

/* Nanoseconds since 1970-01-01T00:00:00Z. */
int64_t anyloop_wall_nanoseconds(void);

/* Opens a directory to serve from. */
int anyloop_open_directory(const char *path);

/* Opens `path`, relative and without leading slash, for reading; never anything outside of `root`:
   a path or a symbolic link that would leave it fails with -EXDEV or -ELOOP. Does not block on a FIFO. */
int anyloop_open_beneath(int root, const char *path);

int anyloop_file_stat(int descriptor, struct anyloop_file_info *info);

void anyloop_file_close(int descriptor);

#endif
