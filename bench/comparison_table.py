"""The table of bench/compare-with-pytorch, from its measurements.

Reads a line for each measurement from standard input, with tabs between task, model, number of
parameters, precision, contestant (ddpm4j or a mode of PyTorch), round, median and best images/s,
peak memory in MB, and seconds to the end of the first step, or 0 where nobody took them. Writes a
Markdown table.
"""

import statistics
import sys
from collections import defaultdict
from typing import NamedTuple

OURS = "ddpm4j"


class Measurement(NamedTuple):
    median: float
    best: float
    memory: float
    first_step: float


def read(lines):
    """(task, model, parameters, precision) -> contestant -> measurements."""
    measured = defaultdict(lambda: defaultdict(list))
    for line in lines:
        *names, contestant, _, median, best, megabytes, seconds = line.split()
        values = map(float, (median, best, megabytes, seconds))
        measured[tuple(names)][contestant].append(Measurement(*values))
    return measured


def speed(measurements):
    """The median of the rounds."""
    return statistics.median(each.median for each in measurements)


def fastest(measurements):
    return max(each.best for each in measurements)


def rate(per_second):
    """As ddpm bench prints it: with at least three digits."""
    decimals = 1 if per_second >= 9.995 else 2 if per_second >= 0.9995 else 3
    return f"{per_second:.{decimals}f}"


def memory(measurements):
    return f"{max(each.memory for each in measurements):.0f} MB"


def first_step(measurements):
    """The slowest: later ones find what the first has compiled."""
    seconds = max(each.first_step for each in measurements)
    return f"{seconds:.1f} s" if seconds else "–"


def row(contestants, modes):
    """The cells of one task, model and precision."""
    cells = [rate(speed(contestants[mode])) if mode in contestants else "–" for mode in modes]
    present = [contestants[mode] for mode in modes if mode in contestants]
    if OURS not in contestants:
        # The measurements were broken off.
        return [*cells, *["–"] * 7]
    ours = contestants[OURS]
    if not present:
        return [*cells, rate(speed(ours)), *["–"] * 3, memory(ours), "–", first_step(ours)]
    best = max(present, key=speed)
    return [
        *cells,
        rate(speed(ours)),
        f"**{speed(ours) / speed(best):.2f}**",
        f"{fastest(ours) / max(map(fastest, present)):.2f}",
        memory(best),
        memory(ours),
        first_step(best),
        first_step(ours),
    ]


def main():
    measured = read(sys.stdin)
    modes = []
    for contestants in measured.values():
        modes += [mode for mode in contestants if mode not in (OURS, *modes)]
    header = ["task", "network", "parameters", "precision"]
    header += [*(f"PyTorch {mode}" for mode in modes), OURS]
    header += ["ratio to the best mode", "of the fastest batches"]
    header += ["memory of the best mode", f"of {OURS}", "first step of the best mode", f"of {OURS}"]
    print("| " + " | ".join(header) + " |")
    print("|---" * len(header) + "|")
    for names, contestants in measured.items():
        print("| " + " | ".join([*names, *row(contestants, modes)]) + " |")


if __name__ == "__main__":
    main()
