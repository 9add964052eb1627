"""benchmarks/device.py: what is timed of a call on a GPU."""

import device


def test_times_of_kernels_are_those_of_one_call(monkeypatch):
    """Without a GPU a graph is the calls it would hold."""
    made = []

    def graphed(call, count):
        made.append(count)
        return lambda: [call() for _ in range(count)]

    def in_turns(calls, repeats, seed, tick):
        return {name: [float(len(call()))] for name, call in calls.items()}

    monkeypatch.setattr(device, "graphed", graphed)
    monkeypatch.setattr(device, "time_in_turns", in_turns)
    assert device.time_kernels(dict(a=int, b=float), 1, 0) == dict(a=[1.0], b=[1.0])
    assert made == [device.CALLS] * 2
