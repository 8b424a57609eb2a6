"""Steps of sock_* operations, sendfile and names."""


class Sockets:
    pass
