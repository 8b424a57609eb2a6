"""Steps of futures, tasks and executors."""


class Futures:
    pass
