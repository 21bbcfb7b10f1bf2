"""Python's collector of cycles, which looks at every object again and again while a set of many is built."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def collector_paused() -> Iterator[None]:
    """Do not look for cycles meanwhile: for work that makes millions of objects and no cycles, a third quicker."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
