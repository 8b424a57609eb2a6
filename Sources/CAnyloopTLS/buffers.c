// Buffers that a thread lends its connections while they work, so that an idle connection holds none and a busy one
// does not allocate.
#include "internal.h"

#include <pthread.h>
#include <stdlib.h>

enum {
    /// Connections that need a buffer at once are as many as are nested, TLS in TLS.
    KEPT_COUNT = 4,
    /// What one record takes and its plaintext, so that the first use is seldom too small for the next.
    LEAST_CAPACITY = 34816,
    /// One that grew beyond this is freed.
    KEPT_CAPACITY = 262144,
};

struct kept {
    size_t count;
    anyloop_tls_buffer buffers[KEPT_COUNT];
};

static pthread_key_t key;
static pthread_once_t key_once = PTHREAD_ONCE_INIT;
static bool has_key;
static _Thread_local struct kept *mine;

static void free_kept(void *pointer) {
    struct kept *kept = pointer;
    for (size_t index = 0; index < kept->count; index++) free(kept->buffers[index].bytes);
    free(kept);
    mine = NULL;
}

static void make_key(void) { has_key = pthread_key_create(&key, free_kept) == 0; }

static struct kept *of_thread(void) {
    if (mine) return mine;
    pthread_once(&key_once, make_key);
    struct kept *made = has_key ? calloc(1, sizeof *made) : NULL;
    if (made && pthread_setspecific(key, made) != 0) {
        free(made);
        made = NULL;
    }
    return mine = made;
}

anyloop_tls_buffer anyloop_tls_borrow(size_t capacity) {
    struct kept *kept = of_thread();
    anyloop_tls_buffer buffer = {NULL, 0};
    if (kept && kept->count > 0) buffer = kept->buffers[--kept->count];
    if (buffer.capacity >= capacity) return buffer;
    free(buffer.bytes);
    if (capacity < LEAST_CAPACITY) capacity = LEAST_CAPACITY;
    buffer.bytes = malloc(capacity);
    buffer.capacity = buffer.bytes ? capacity : 0;
    return buffer;
}

bool anyloop_tls_grow(anyloop_tls_buffer *buffer, size_t capacity) {
    uint8_t *grown = realloc(buffer->bytes, capacity);
    if (!grown) return false;
    buffer->bytes = grown;
    buffer->capacity = capacity;
    return true;
}

void anyloop_tls_give_back(anyloop_tls_buffer buffer) {
    if (!buffer.bytes) return;
    struct kept *kept = of_thread();
    if (kept && kept->count < KEPT_COUNT && buffer.capacity <= KEPT_CAPACITY) {
        kept->buffers[kept->count++] = buffer;
    } else {
        free(buffer.bytes);
    }
}
