"""How a run is stopped: by Ctrl-C, or by SIGTERM, which schedulers and containers send."""

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from multiprocessing import resource_tracker
from types import FrameType
from typing import TypeAlias

#: What answers to a signal.
_Handler: TypeAlias = Callable[[int, FrameType | None], object] | signal.Handlers


@contextlib.contextmanager
def ended_like_by_ctrl_c() -> Iterator[None]:
    """Let SIGTERM end this process as Ctrl-C does, with a word on what is kept.

    Only a process' first thread can do this; in others nothing changes.

    Raises:
        KeyboardInterrupt: SIGTERM came.
    """
    with _on_sigterm(signal.default_int_handler):
        yield


@contextlib.contextmanager
def stops_held_back() -> Iterator[None]:
    """Hold back Ctrl-C, and ignore SIGTERM, while what was stopped comes to its end."""
    with interrupts_blocked(), _on_sigterm(signal.SIG_IGN):
        yield


@contextlib.contextmanager
def interrupts_blocked() -> Iterator[None]:
    """Hold back Ctrl-C; processes and threads that are started meanwhile never see it.

    The terminal sends it to all processes at once, and each would print where it was.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    resource_tracker.ensure_running()  # It would lift the block when it starts.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextlib.contextmanager
def _on_sigterm(handler: _Handler) -> Iterator[None]:
    """Have SIGTERM handled otherwise, in a process' first thread."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before or signal.SIG_DFL)
