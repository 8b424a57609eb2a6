"""Steps of StreamReader and StreamWriter."""


class Readers:
    pass
