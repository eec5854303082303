"""BLAS takes one thread inside `one_blas_thread`, and as many as before afterwards."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import numpy as np
import pytest
from threadpoolctl import ThreadpoolController

from dataprep.backends.blas import one_blas_thread


def threads() -> set[int]:
    found = ThreadpoolController().select(user_api="blas").lib_controllers
    return {library.num_threads for library in found}


@pytest.fixture(autouse=True)
def two_threads() -> Iterator[None]:
    np.zeros((2, 2)) @ np.zeros((2, 2))
    with ThreadpoolController().limit(limits=2, user_api="blas"):
        if threads() != {2}:
            pytest.skip("this BLAS takes one thread")
        yield


def test_one_thread_inside_and_as_many_as_before_afterwards() -> None:
    with one_blas_thread():
        assert threads() == {1}
        with one_blas_thread():
            assert threads() == {1}
        assert threads() == {1}
    assert threads() == {2}


def test_the_limit_is_lifted_after_an_error() -> None:
    with pytest.raises(ZeroDivisionError), one_blas_thread():
        raise ZeroDivisionError
    assert threads() == {2}


def test_blocks_of_another_thread_do_not_lift_the_limit() -> None:
    def other() -> None:
        with one_blas_thread():
            pass

    with one_blas_thread():
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
        assert threads() == {1}
    assert threads() == {2}
