// The peer of the UDP echo benchmark: libuv's own way. Usage: udp_uv PORT
#include <stdio.h>
#include <stdlib.h>
#include <uv.h>

static char buffer[65536];

static void lend(uv_handle_t *handle, size_t suggested, uv_buf_t *lent) { *lent = uv_buf_init(buffer, sizeof buffer); }

static void received(uv_udp_t *socket, ssize_t count, const uv_buf_t *bytes, const struct sockaddr *from, unsigned flags) {
    if (count < 0 || from == NULL) return;
    uv_buf_t answer = uv_buf_init(bytes->base, (unsigned)count);
    uv_udp_try_send(socket, &answer, 1, from);
}

int main(int count, char **arguments) {
    struct sockaddr_in address;
    uv_udp_t socket;
    uv_ip4_addr("127.0.0.1", count > 1 ? atoi(arguments[1]) : 0, &address);
    uv_udp_init(uv_default_loop(), &socket);
    int code = uv_udp_bind(&socket, (const struct sockaddr *)&address, 0);
    if (code < 0) {
        fprintf(stderr, "udp_uv: %s\n", uv_strerror(code));
        return 2;
    }
    uv_udp_recv_start(&socket, lend, received);
    return uv_run(uv_default_loop(), UV_RUN_DEFAULT);
}
