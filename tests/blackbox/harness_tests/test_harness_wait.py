"""wait_until: its value, its deadline, and which errors it bears."""

import pytest

from harness.wait import DeadlineExceeded, wait_until


def test_it_returns_the_first_true_value() -> None:
    values = iter([0, None, "", "there"])
    assert wait_until(lambda: next(values), 5, interval=0.001) == "there"


def test_it_names_what_it_waited_for_and_what_it_saw() -> None:
    with pytest.raises(DeadlineExceeded, match=r"the ship: not within 0.05 s; last value 0"):
        wait_until(lambda: 0, 0.05, "the ship", interval=0.001)


def test_it_bears_only_the_errors_it_was_told_to() -> None:
    def lost() -> bool:
        raise ConnectionError("lost")

    with pytest.raises(DeadlineExceeded, match="last error ConnectionError"):
        wait_until(lost, 0.05, interval=0.001, tolerate=(OSError,))
    with pytest.raises(ConnectionError):
        wait_until(lost, 5)
