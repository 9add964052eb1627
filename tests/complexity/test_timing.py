"""Calls take turns. Times are not asserted."""

from itertools import count

from dyrelu_pose.complexity.timing import time_in_turns


def test_calls_take_turns():
    called, ticks = [], []
    calls = {name: lambda name=name: called.append(name) for name in "abc"}
    seconds = time_in_turns(calls, 4, 0, lambda: ticks.append(len(set(called))))
    assert {name: len(found) for name, found in seconds.items()} == dict(a=4, b=4, c=4)
    assert ticks == [3] * 4


def test_any_clock_will_do():
    hours = count(step=3600)
    assert time_in_turns({"a": lambda: None}, 2, 0, clock=lambda: next(hours)) == dict(a=[3600] * 2)
