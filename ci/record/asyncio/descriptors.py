"""Steps of readers, writers and signals."""


class Descriptors:
    pass
