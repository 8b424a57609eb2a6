/* llhttp FILE MESSAGES: as ours, with the callbacks that a server sets: where the parts are goes into a table. */
#include "common.h"
#include "llhttp.h"

struct part { const char *at; size_t length; };
struct request { struct part url, names[100], values[100]; int fields; long sum; };

static int on_message_begin(llhttp_t *parser) {
    struct request *request = parser->data;
    request->fields = 0;
    return 0;
}
static int on_url(llhttp_t *parser, const char *at, size_t length) {
    struct request *request = parser->data;
    request->url = (struct part){at, length};
    return 0;
}
static int on_header_field(llhttp_t *parser, const char *at, size_t length) {
    struct request *request = parser->data;
    if (request->fields == 100) return HPE_USER;
    request->names[request->fields] = (struct part){at, length};
    return 0;
}
static int on_header_value(llhttp_t *parser, const char *at, size_t length) {
    struct request *request = parser->data;
    request->values[request->fields++] = (struct part){at, length};
    return 0;
}
static int on_headers_complete(llhttp_t *parser) {
    struct request *request = parser->data;
    request->sum += request->fields + llhttp_should_keep_alive(parser);
    return 0;
}
static int on_message_complete(llhttp_t *parser) {
    struct request *request = parser->data;
    request->sum += 1;
    return 0;
}

int main(int argc, char **argv) {
    char bytes[4096];
    size_t count = argc > 2 ? read_file(argv[1], bytes, sizeof bytes) : 0;
    long messages = argc > 2 ? atol(argv[2]) : 0;
    llhttp_settings_t settings;
    llhttp_settings_init(&settings);
    settings.on_message_begin = on_message_begin;
    settings.on_url = on_url;
    settings.on_header_field = on_header_field;
    settings.on_header_value = on_header_value;
    settings.on_headers_complete = on_headers_complete;
    settings.on_message_complete = on_message_complete;
    struct request request = {0};
    llhttp_t parser;
    llhttp_init(&parser, HTTP_REQUEST, &settings);
    parser.data = &request;
    double start = cpu_nanoseconds();
    for (long index = 0; index < messages; index++)
        if (llhttp_execute(&parser, bytes, count) != HPE_OK) return 2;
    double nanoseconds = cpu_nanoseconds() - start;
    if (request.sum != messages * 10) return 2;
    printf("%f\n", nanoseconds / messages);
    return 0;
}
