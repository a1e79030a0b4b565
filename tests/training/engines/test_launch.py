"""Which of several failed processes is named."""

import signal

import pytest

from vall_e.training.launch import _first_failure


@pytest.mark.parametrize(
    ("codes", "rank", "code", "says"),
    [
        ({0: -signal.SIGTERM, 1: 8}, 1, 8, "rank 1 ended with 8"),
        ({1: -signal.SIGKILL, 0: 9}, 1, 9, "rank 1 was killed by SIGKILL"),
        ({0: -signal.SIGTERM}, 0, 9, "rank 0 was killed by SIGTERM"),
        ({3: 8, 0: 8}, 3, 8, "rank 3 ended with 8"),
    ],
)
def test_the_process_that_ended_the_run_is_named(codes, rank, code, says):
    error = _first_failure(codes)
    assert error.message.startswith(says)
    assert error.code == code
