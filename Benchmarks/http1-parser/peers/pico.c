/* pico FILE MESSAGES: as ours, with picohttpparser, which finds the parts and knows nothing of what they mean. */
#include "common.h"
#include "picohttpparser.h"

int main(int argc, char **argv) {
    char bytes[4096];
    size_t count = argc > 2 ? read_file(argv[1], bytes, sizeof bytes) : 0;
    long messages = argc > 2 ? atol(argv[2]) : 0;
    long sum = 0;
    double start = cpu_nanoseconds();
    for (long index = 0; index < messages; index++) {
        struct phr_header fields[100];
        size_t field_count = 100, method_length, path_length;
        const char *method, *path;
        int minor;
        int result = phr_parse_request(bytes, count, &method, &method_length, &path, &path_length, &minor, fields,
                                       &field_count, 0);
        if (result != (int)count) return 2;
        sum += field_count + 2;
    }
    double nanoseconds = cpu_nanoseconds() - start;
    if (sum != messages * 10) return 2;
    printf("%f\n", nanoseconds / messages);
    return 0;
}
