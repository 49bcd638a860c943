"""Waiting for a condition with a deadline: the only place where the tests sleep."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


class DeadlineExceeded(AssertionError):
    """A condition did not come true in time."""


def wait_until(
    condition: Callable[[], T],
    deadline: float = 30.0,
    what: str = "the condition",
    interval: float = 0.02,
    tolerate: tuple[type[BaseException], ...] = (),
) -> T:
    """Polls `condition` until it returns something true, and returns that.

    The interval, in seconds, grows to ten times its first value. An exception of a type in
    `tolerate` counts as "not yet"; any other passes through. After `deadline` seconds:
    DeadlineExceeded with `what`, the last value and the last tolerated exception.
    """
    end = time.monotonic() + deadline
    pause = interval
    value: object = None
    error: BaseException | None = None
    while True:
        try:
            value = condition()
            if value:
                return value
        except tolerate as e:
            error = e
        if time.monotonic() >= end:
            text = f"{what}: not within {deadline:g} s; last value {value!r}"
            raise DeadlineExceeded(text + (f", last error {error!r}" if error else ""))
        time.sleep(pause)
        pause = min(pause * 1.5, interval * 10)
