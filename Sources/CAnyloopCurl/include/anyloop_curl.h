#ifndef ANYLOOP_CURL_H
#define ANYLOOP_CURL_H

/* libcurl's variadic calls, one C function for each type of argument, because Swift imports no variadics.
   Options and infos are passed by their numbers in curl.h. */

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

typedef size_t (*anyloop_curl_bytes_callback)(char *bytes, size_t size, size_t count, void *context);

int anyloop_curl_global_init(void);
const char *anyloop_curl_version(void);

/* An easy handle; NULL when out of memory. */
void *anyloop_curl_easy_new(void);
void anyloop_curl_easy_reset(void *easy);
void anyloop_curl_easy_free(void *easy);
int anyloop_curl_easy_perform(void *easy);
const char *anyloop_curl_error_text(int code);

int anyloop_curl_set_long(void *easy, int option, long value);
int anyloop_curl_set_offset(void *easy, int option, int64_t value);
int anyloop_curl_set_string(void *easy, int option, const char *value);
/* POST data of `size` bytes; copied. */
int anyloop_curl_set_post(void *easy, const void *bytes, int64_t size);
int anyloop_curl_set_write(void *easy, anyloop_curl_bytes_callback callback, void *context);
int anyloop_curl_set_header(void *easy, anyloop_curl_bytes_callback callback, void *context);
int anyloop_curl_set_read(void *easy, anyloop_curl_bytes_callback callback, void *context);
int anyloop_curl_set_private(void *easy, void *context);
void *anyloop_curl_get_private(void *easy);

/* Header lines: a curl_slist that the caller frees after the transfer. */
void *anyloop_curl_list_append(void *list, const char *line);
void anyloop_curl_list_free(void *list);
int anyloop_curl_set_list(void *easy, int option, void *list);

int anyloop_curl_get_long(void *easy, int info, long *value);
int anyloop_curl_get_offset(void *easy, int info, int64_t *value);
/* NULL where there is none; owned by the handle. */
const char *anyloop_curl_get_string(void *easy, int info);

/* Raw bytes over a connection made with CURLOPT_CONNECT_ONLY; both wait for readiness at most timeout_ms. */
int anyloop_curl_send(void *easy, const void *bytes, size_t size, int timeout_ms);
int anyloop_curl_receive(void *easy, void *bytes, size_t size, size_t *received, int timeout_ms);

/* Transfers side by side. */
void *anyloop_curl_multi_new(long max_connections);
int anyloop_curl_multi_add(void *multi, void *easy);
int anyloop_curl_multi_remove(void *multi, void *easy);
/* Runs until nothing is left or deadline_ms is over; -1 then. For each finished transfer: done(easy, code, context). */
int anyloop_curl_multi_run(void *multi, int deadline_ms, void (*done)(void *easy, int code, void *context), void *context);
void anyloop_curl_multi_free(void *multi);

/* For slow readers. */
void anyloop_curl_sleep(int milliseconds);

#endif
