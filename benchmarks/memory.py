"""Memory of processes as Linux counts it, in megabytes of 10^6 bytes."""

from pathlib import Path

PRIVATE = ("Private_Clean", "Private_Dirty")
SHARED = ("Shared_Clean", "Shared_Dirty")


def private(pid: int | str = "self") -> float:
    """Return what no other process has: what there would be more of with one more such process."""
    return _sum(f"/proc/{pid}/smaps_rollup", PRIVATE)


def shared(pid: int | str = "self") -> float:
    """Return what other processes have too: libraries, and what a fork has left untouched."""
    return _sum(f"/proc/{pid}/smaps_rollup", SHARED)


def resident() -> float:
    """Return what this process has in memory."""
    return _sum("/proc/self/status", ["VmRSS"])


def peak() -> float:
    """Return the most that this process ever had in memory."""
    return _sum("/proc/self/status", ["VmHWM"])


def _sum(file: str, names: tuple[str, ...] | list[str]) -> float:
    lines = (line.split() for line in Path(file).read_text(encoding="utf-8").splitlines())
    kilobytes = sum(int(words[1]) for words in lines if words[0].rstrip(":") in names)
    return kilobytes * 1024 / 1e6
