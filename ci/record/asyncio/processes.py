"""Steps of pipes and subprocesses."""


class Processes:
    pass
