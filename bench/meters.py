"""What a run costs: processor time and memory of process trees, octets written to the device.

Times are seconds, sizes octets. Memory is the proportional set size (PSS: shared pages counted by
shares), sampled, so a short peak can be missed. Everything comes from /proc: Linux only.
"""

import os
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import psutil  # type: ignore[import-untyped]  # it has no types

_TICK = os.sysconf("SC_CLK_TCK")
SAMPLE_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Usage:
    """What was used between start and stop."""

    seconds: float
    cpu: float
    all_cpu: float  # of the whole machine, whoever used it
    peak_pss: int
    written: int


class Meter:
    """Measures the trees below some processes from entering to leaving the context."""

    def __init__(self, roots: Sequence[int], device: str) -> None:
        self.usage = Usage(0, 0, 0, 0, 0)
        self._roots = roots
        self._device = device
        self._peak = 0
        self._over = threading.Event()
        self._sampler = threading.Thread(target=self._sample, daemon=True)

    def __enter__(self) -> Self:
        self._sampler.start()
        self._before = self._read()
        return self

    def __exit__(self, *_: object) -> None:
        then, now = self._before, self._read()
        self._over.set()
        self._sampler.join()
        seconds, cpu, everything, written = (b - a for a, b in zip(then, now, strict=True))
        self.usage = Usage(seconds, cpu, everything, self._peak, int(written))

    def _read(self) -> tuple[float, float, float, float]:
        return (
            time.perf_counter(),
            tree_cpu(self._roots),
            _machine_cpu(),
            _written(self._device),
        )

    def _sample(self) -> None:
        while True:
            self._peak = max(self._peak, pss(self._roots))
            if self._over.wait(SAMPLE_SECONDS):
                return


def tree_cpu(roots: Sequence[int]) -> float:
    """User and system time of the trees, with that of children which have ended."""
    total = 0
    for process in _tree(roots):
        try:
            stat = Path(f"/proc/{process.pid}/stat").read_text()
        except OSError:
            continue  # it has just ended: its parent has its time
        total += sum(map(int, stat.rpartition(")")[2].split()[11:15]))
    return total / _TICK


def pss(roots: Sequence[int]) -> int:
    """The memory of the trees now."""
    total = 0
    for process in _tree(roots):
        try:
            text = Path(f"/proc/{process.pid}/smaps_rollup").read_text()
        except OSError:
            continue
        total += sum(int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:"))
    return total * 1024


def _tree(roots: Sequence[int]) -> set[psutil.Process]:
    found: set[psutil.Process] = set()
    for pid in roots:
        try:
            root = psutil.Process(pid)
            found |= {root, *root.children(recursive=True)}
        except psutil.Error:
            continue
    return found


def _machine_cpu() -> float:
    user, nice, system, _idle, _wait, irq, softirq = map(
        int, Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:8]
    )
    return (user + nice + system + irq + softirq) / _TICK


def _written(device: str) -> int:
    for line in Path("/proc/diskstats").read_text().splitlines():
        fields = line.split()
        if fields[2] == device:
            return int(fields[9]) * 512
    return 0


def percentile(values: Sequence[float], share: float) -> float:
    """The value that `share` of all are below; 0 when there are none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else 0.0
