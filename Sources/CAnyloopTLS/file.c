#include "internal.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <sys/stat.h>
#include <unistd.h>

int64_t anyloop_tls_read_file(int descriptor, uint8_t *bytes, size_t count, int64_t offset) {
    size_t done = 0;
    while (done < count) {
        ssize_t result = pread(descriptor, bytes + done, count - done, (off_t)(offset + (int64_t)done));
        if (result < 0 && errno == EINTR) continue;
        if (result < 0) return done > 0 ? (int64_t)done : -errno;
        if (result == 0) break;
        done += (size_t)result;
    }
    return (int64_t)done;
}

int anyloop_tls_load_file(const char *path, size_t limit, uint8_t **bytes, size_t *count) {
    int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) return errno;
    struct stat status;
    int error = fstat(descriptor, &status) < 0 ? errno : 0;
    if (!error && !S_ISREG(status.st_mode)) error = S_ISDIR(status.st_mode) ? EISDIR : EINVAL;
    if (!error && (uint64_t)status.st_size > limit) error = EFBIG;
    if (!error) {
        *bytes = OPENSSL_malloc((size_t)status.st_size + 1);
        int64_t result = *bytes ? anyloop_tls_read_file(descriptor, *bytes, (size_t)status.st_size, 0) : -ENOMEM;
        if (result < 0) {
            error = (int)-result;
            OPENSSL_free(*bytes);
        } else {
            *count = (size_t)result;
        }
    }
    close(descriptor);
    return error;
}
