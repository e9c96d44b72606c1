"""The table of bench/compare-with-pytorch, from its measurements.

Reads a line for each measurement from standard input, with tabs between task, model, number of
parameters, contestant (ddpm4j or a mode of PyTorch), round, median and best images/s, and peak
memory in MB. Writes a Markdown table.
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


def read(lines):
    """(task, model, parameters) -> contestant -> measurements."""
    measured = defaultdict(lambda: defaultdict(list))
    for line in lines:
        task, model, parameters, contestant, _, *values = line.split()
        measured[task, model, parameters][contestant].append(Measurement(*map(float, values)))
    return measured


def speed(measurements):
    """The median of the rounds."""
    return statistics.median(each.median for each in measurements)


def fastest(measurements):
    return max(each.best for each in measurements)


def memory(measurements):
    return f"{max(each.memory for each in measurements):.0f} MB"


def row(contestants, modes):
    """The cells of one task and model."""
    ours = contestants[OURS]
    cells = [f"{speed(contestants[mode]):.1f}" if mode in contestants else "–" for mode in modes]
    present = [contestants[mode] for mode in modes if mode in contestants]
    if not present:
        return [*cells, f"{speed(ours):.1f}", "–", "–", "–", memory(ours)]
    best = max(present, key=speed)
    return [
        *cells,
        f"{speed(ours):.1f}",
        f"**{speed(ours) / speed(best):.2f}**",
        f"{fastest(ours) / max(map(fastest, present)):.2f}",
        memory(best),
        memory(ours),
    ]


def main():
    measured = read(sys.stdin)
    modes = []
    for contestants in measured.values():
        modes += [mode for mode in contestants if mode not in (OURS, *modes)]
    header = ["task", "network", "parameters", *(f"PyTorch {mode}" for mode in modes), OURS]
    header += ["ratio to the best mode", "of the fastest batches"]
    header += ["memory of the best mode", f"of {OURS}"]
    print("| " + " | ".join(header) + " |")
    print("|---" * len(header) + "|")
    for names, contestants in measured.items():
        print("| " + " | ".join([*names, *row(contestants, modes)]) + " |")


if __name__ == "__main__":
    main()
