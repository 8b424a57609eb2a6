"""Steps of datagram endpoints."""


class Datagrams:
    pass
