// A BIO that reads from lent bytes and appends to an output buffer, so that OpenSSL never sees a socket.
#include "internal.h"

#include <openssl/bio.h>
#include <pthread.h>
#include <string.h>

static int bio_read(BIO *bio, char *bytes, size_t size, size_t *count) {
    anyloop_tls *tls = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    if (anyloop_tls_is_flooded(tls)) {
        *count = 0;
        return 0;
    }
    if (tls->input_count == 0) {
        BIO_set_retry_read(bio);
        *count = 0;
        return 0;
    }
    size_t taken = size < tls->input_count ? size : tls->input_count;
    memcpy(bytes, tls->input, taken);
    tls->input += taken;
    tls->input_count -= taken;
    *count = taken;
    return 1;
}

static int bio_write(BIO *bio, const char *bytes, size_t size, size_t *count) {
    anyloop_tls *tls = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    if (!tls->output.bytes) tls->output = anyloop_tls_borrow(size);
    if (size > tls->output.capacity - tls->output_count) {
        size_t capacity = tls->output.capacity;
        if (capacity > SIZE_MAX / 2 - size || !anyloop_tls_grow(&tls->output, capacity * 2 + size)) return 0;
    }
    memcpy(tls->output.bytes + tls->output_count, bytes, size);
    tls->output_count += size;
    *count = size;
    return 1;
}

static long bio_control(BIO *bio, int command, long number, void *pointer) {
    (void)bio;
    (void)number;
    (void)pointer;
    return command == BIO_CTRL_FLUSH || command == BIO_CTRL_DUP;
}

static int bio_create(BIO *bio) {
    BIO_set_init(bio, 1);
    return 1;
}

static BIO_METHOD *method;
static pthread_once_t method_once = PTHREAD_ONCE_INIT;

static void make_method(void) {
    int type = BIO_get_new_index();
    if (type == -1) return;
    BIO_METHOD *made = BIO_meth_new(type | BIO_TYPE_SOURCE_SINK, "anyloop");
    if (!made) return;
    BIO_meth_set_read_ex(made, bio_read);
    BIO_meth_set_write_ex(made, bio_write);
    BIO_meth_set_ctrl(made, bio_control);
    BIO_meth_set_create(made, bio_create);
    method = made;
}

BIO *anyloop_tls_bio(anyloop_tls *tls) {
    pthread_once(&method_once, make_method);
    BIO *bio = method ? BIO_new(method) : NULL;
    if (bio) BIO_set_data(bio, tls);
    return bio;
}

void anyloop_tls_lend(anyloop_tls *tls, const uint8_t *bytes, size_t count) {
    tls->input = bytes;
    tls->input_count = count;
}

size_t anyloop_tls_unread(const anyloop_tls *tls) { return tls->input_count; }

const uint8_t *anyloop_tls_output(const anyloop_tls *tls, size_t *count) {
    *count = tls->output_count;
    return tls->output.bytes;
}

void anyloop_tls_output_sent(anyloop_tls *tls) {
    tls->output_count = 0;
    anyloop_tls_give_back(tls->output);
    tls->output = (anyloop_tls_buffer){NULL, 0};
}
