class Sizes:
    params = [[100, 1000], ["up", "down"]]
    param_names = ["n", "way"]

    def time_sum(self, n, way):
        sum(range(n))

    def track_size(self, n, way):
        return n * 2

    track_size.unit = "items"


def time_one():
    sum(range(1000))


def peakmem_list():
    return [0] * 100000


def mem_list():
    return [0] * 1000


def track_count():
    return 42


def time_fails():
    raise ValueError("on purpose")


def time_skipped():
    raise NotImplementedError
