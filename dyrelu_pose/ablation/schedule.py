"""Runs processes, some at a time, survives those that fail, and leaves none behind."""

import os
import signal
import subprocess
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from typing import IO

from .runs import Run, lock

POLL = 0.1  # seconds
GRACE = 10.0  # seconds that a process has to end after it was asked to

Commands = Callable[[Run], Iterator[list[str]]]


@dataclass(eq=False)
class Job:
    """A run that is going on.

    Attributes:
        run: The run.
        slot: Environment of its processes.
        commands: What is still to do.
        lock: Its lock.
        process: What is being done.
        started: When it began, as of `time.monotonic`.
    """

    run: Run
    slot: dict[str, str]
    commands: Iterator[list[str]]
    lock: IO[str]
    process: subprocess.Popen
    started: float


def run_all(
    runs: Sequence[Run],
    commands: Commands,
    slots: Sequence[dict[str, str]],
    on_end: Callable[[Run, str], None],
    on_poll: Callable[[Sequence[Run]], None] = lambda runs: None,
) -> None:
    """Run all runs, as many at a time as there are slots.

    Whatever ends this, also Ctrl-C and SIGTERM, ends the processes as well, in groups, so that data
    loaders go with their trainers. Finished runs stay finished.

    Args:
        runs: What to run, in order.
        commands: Yields the commands of a run; the next one is asked for when one has succeeded.
        slots: Entries of the environment for the runs side by side.
        on_end: Called with each run that ended and what went wrong, '' for nothing.
        on_poll: Called several times a second with the runs that are going on.

    Raises:
        KeyboardInterrupt: On Ctrl-C or SIGTERM.
        UserError: Another process has one of the runs; nothing is started.
    """
    free, going = deque(slots), []
    with _interruptible(), ExitStack() as locks:
        held = [(run, locks.enter_context(closing(lock(run)))) for run in runs]
        waiting = deque((run, own) for run, own in held if run.record() is None)
        try:
            while waiting or going:
                while waiting and free:
                    going.append(_start(*waiting.popleft(), free.popleft(), commands))
                for job in [job for job in going if job.process.poll() is not None]:
                    problem = _advance(job)
                    if problem is not None:
                        going.remove(job)
                        free.append(job.slot)
                        _leave(job)
                        on_end(job.run, problem)
                on_poll([job.run for job in going])
                time.sleep(POLL)
        finally:
            _stop(going)


def _start(run: Run, held: IO[str], slot: dict[str, str], commands: Commands) -> Job:
    run.prepare()
    todo = commands(run)
    return Job(run, slot, todo, held, _spawn(run, slot, next(todo), held), time.monotonic())


def _spawn(run: Run, slot: dict[str, str], command: list[str], held: IO[str]) -> subprocess.Popen:
    with run.log.open("ab") as output:
        return subprocess.Popen(
            command,
            env={**os.environ, **slot},
            stdout=output,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            start_new_session=True,  # a Ctrl-C reaches this process alone, which then stops them
            pass_fds=(held.fileno(),),
        )


def _advance(job: Job) -> str | None:
    """Start what comes next; if nothing does, say what went wrong, '' for nothing."""
    if job.process.returncode:
        return f"exit status {job.process.returncode}"
    try:
        command = next(job.commands, None)
    except Exception as error:  # what a run left behind may be anything
        return str(error)
    if command is None:
        return ""
    job.process = _spawn(job.run, job.slot, command, job.lock)
    return None


def _leave(job: Job) -> None:
    job.run.spend(time.monotonic() - job.started)
    job.lock.close()


def _stop(going: Sequence[Job]) -> None:
    for job in going:
        _signal(job.process, signal.SIGTERM)
    deadline = time.monotonic() + GRACE
    for job in going:
        with suppress(subprocess.TimeoutExpired):
            job.process.wait(max(deadline - time.monotonic(), 0))
        _signal(job.process, signal.SIGKILL)  # data loaders, too, that outlived their trainer
        job.process.wait()
        _leave(job)


def _signal(process: subprocess.Popen, number: int) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, number)


@contextmanager
def _interruptible() -> Iterator[None]:
    """Turn SIGINT and SIGTERM into KeyboardInterrupt, also where a shell has them ignored."""

    def interrupt(number, frame):
        raise KeyboardInterrupt

    numbers = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.signal(number, interrupt) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
