#include "anyloop_curl.h"

#include <curl/curl.h>
#include <errno.h>
#include <poll.h>
#include <time.h>

int anyloop_curl_global_init(void) { return (int)curl_global_init(CURL_GLOBAL_DEFAULT); }

const char *anyloop_curl_version(void) { return curl_version_info(CURLVERSION_NOW)->version; }

void *anyloop_curl_easy_new(void) { return curl_easy_init(); }
void anyloop_curl_easy_reset(void *easy) { curl_easy_reset(easy); }
void anyloop_curl_easy_free(void *easy) { curl_easy_cleanup(easy); }
int anyloop_curl_easy_perform(void *easy) { return (int)curl_easy_perform(easy); }
const char *anyloop_curl_error_text(int code) { return curl_easy_strerror((CURLcode)code); }

int anyloop_curl_set_long(void *easy, int option, long value) {
    return (int)curl_easy_setopt(easy, (CURLoption)option, value);
}

int anyloop_curl_set_offset(void *easy, int option, int64_t value) {
    return (int)curl_easy_setopt(easy, (CURLoption)option, (curl_off_t)value);
}

int anyloop_curl_set_string(void *easy, int option, const char *value) {
    return (int)curl_easy_setopt(easy, (CURLoption)option, value);
}

int anyloop_curl_set_post(void *easy, const void *bytes, int64_t size) {
    CURLcode code = curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)size);
    if (code != CURLE_OK) return (int)code;
    return (int)curl_easy_setopt(easy, CURLOPT_COPYPOSTFIELDS, bytes);
}

int anyloop_curl_set_write(void *easy, anyloop_curl_bytes_callback callback, void *context) {
    CURLcode code = curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, callback);
    if (code != CURLE_OK) return (int)code;
    return (int)curl_easy_setopt(easy, CURLOPT_WRITEDATA, context);
}

int anyloop_curl_set_header(void *easy, anyloop_curl_bytes_callback callback, void *context) {
    CURLcode code = curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, callback);
    if (code != CURLE_OK) return (int)code;
    return (int)curl_easy_setopt(easy, CURLOPT_HEADERDATA, context);
}

int anyloop_curl_set_read(void *easy, anyloop_curl_bytes_callback callback, void *context) {
    CURLcode code = curl_easy_setopt(easy, CURLOPT_READFUNCTION, callback);
    if (code != CURLE_OK) return (int)code;
    return (int)curl_easy_setopt(easy, CURLOPT_READDATA, context);
}

int anyloop_curl_set_private(void *easy, void *context) {
    return (int)curl_easy_setopt(easy, CURLOPT_PRIVATE, context);
}

void *anyloop_curl_get_private(void *easy) {
    char *context = NULL;
    curl_easy_getinfo(easy, CURLINFO_PRIVATE, &context);
    return context;
}

void *anyloop_curl_list_append(void *list, const char *line) { return curl_slist_append(list, line); }
void anyloop_curl_list_free(void *list) { curl_slist_free_all(list); }

int anyloop_curl_set_list(void *easy, int option, void *list) {
    return (int)curl_easy_setopt(easy, (CURLoption)option, (struct curl_slist *)list);
}

int anyloop_curl_get_long(void *easy, int info, long *value) {
    return (int)curl_easy_getinfo(easy, (CURLINFO)info, value);
}

int anyloop_curl_get_offset(void *easy, int info, int64_t *value) {
    curl_off_t offset = 0;
    CURLcode code = curl_easy_getinfo(easy, (CURLINFO)info, &offset);
    *value = (int64_t)offset;
    return (int)code;
}

const char *anyloop_curl_get_string(void *easy, int info) {
    char *text = NULL;
    if (curl_easy_getinfo(easy, (CURLINFO)info, &text) != CURLE_OK) return NULL;
    return text;
}

static int64_t now_ms(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

static int wait_for(void *easy, short events, int64_t deadline) {
    curl_socket_t descriptor = CURL_SOCKET_BAD;
    if (curl_easy_getinfo(easy, CURLINFO_ACTIVESOCKET, &descriptor) != CURLE_OK || descriptor == CURL_SOCKET_BAD)
        return 0;
    for (;;) {
        int64_t left = deadline - now_ms();
        if (left <= 0) return 0;
        struct pollfd entry = {.fd = descriptor, .events = events};
        int ready = poll(&entry, 1, (int)left);
        if (ready > 0) return 1;
        if (ready < 0 && errno != EINTR) return 0;
    }
}

int anyloop_curl_send(void *easy, const void *bytes, size_t size, int timeout_ms) {
    int64_t deadline = now_ms() + timeout_ms;
    const char *next = bytes;
    while (size > 0) {
        size_t sent = 0;
        CURLcode code = curl_easy_send(easy, next, size, &sent);
        if (code == CURLE_AGAIN) {
            if (!wait_for(easy, POLLOUT, deadline)) return CURLE_OPERATION_TIMEDOUT;
            continue;
        }
        if (code != CURLE_OK) return (int)code;
        next += sent;
        size -= sent;
    }
    return CURLE_OK;
}

int anyloop_curl_receive(void *easy, void *bytes, size_t size, size_t *received, int timeout_ms) {
    int64_t deadline = now_ms() + timeout_ms;
    for (;;) {
        CURLcode code = curl_easy_recv(easy, bytes, size, received);
        if (code != CURLE_AGAIN) return (int)code;
        if (!wait_for(easy, POLLIN, deadline)) return CURLE_OPERATION_TIMEDOUT;
    }
}

void *anyloop_curl_multi_new(long max_connections) {
    CURLM *multi = curl_multi_init();
    if (multi != NULL) curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, max_connections);
    return multi;
}

int anyloop_curl_multi_add(void *multi, void *easy) { return (int)curl_multi_add_handle(multi, easy); }
int anyloop_curl_multi_remove(void *multi, void *easy) { return (int)curl_multi_remove_handle(multi, easy); }

int anyloop_curl_multi_run(
    void *multi, int deadline_ms, void (*done)(void *easy, int code, void *context), void *context) {
    int64_t deadline = now_ms() + deadline_ms;
    int running = 1;
    while (running > 0) {
        if (curl_multi_perform(multi, &running) != CURLM_OK) return -1;
        int left = 0;
        CURLMsg *message;
        while ((message = curl_multi_info_read(multi, &left)) != NULL) {
            if (message->msg == CURLMSG_DONE) done(message->easy_handle, (int)message->data.result, context);
        }
        if (running == 0) break;
        if (now_ms() >= deadline) return -1;
        if (curl_multi_poll(multi, NULL, 0, 100, NULL) != CURLM_OK) return -1;
    }
    return 0;
}

void anyloop_curl_multi_free(void *multi) { curl_multi_cleanup(multi); }

void anyloop_curl_sleep(int milliseconds) {
    struct timespec time = {.tv_sec = milliseconds / 1000, .tv_nsec = (long)(milliseconds % 1000) * 1000000};
    while (nanosleep(&time, &time) != 0 && errno == EINTR) {}
}
