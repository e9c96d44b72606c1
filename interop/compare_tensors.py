"""Compares what two programs computed; ends with 1 if anything differs.

Reads a line for each comparison from standard input, with tabs between its name, the expected and the
actual safetensors file. Files have images, which are compared as pixels in [0,1], or pixels, with
which the images of a network that sees them in [0,1] are compared, or y, the output of a network,
which is compared in units of its deviation. Writes a Markdown table.
"""

import argparse
import sys

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from sampling import pixels


def differences(expected, actual):
    """Absolute differences, in the units of the tolerance; what is wrong is a ValueError."""
    name = next(iter({"images", "pixels"} & set(expected)), "y")
    found = "images" if name == "pixels" and name not in actual else name
    if found not in actual:
        raise ValueError(f"there is no tensor {found}")
    wanted = expected[name].double()
    given = actual[found].double()
    if wanted.shape != given.shape:
        raise ValueError(f"the shape is {list(given.shape)}, not {list(wanted.shape)}")
    if not given.isfinite().all():
        raise ValueError("values are not finite")
    if name == "images":
        return (pixels(given) - pixels(wanted)).abs()
    if name == "pixels":
        return (given.clamp(0, 1) - wanted).abs()
    return (given - wanted).abs() / wanted.std()


def row(name, expected, actual, tolerance):
    """Cells of the table, and whether all is well."""
    try:
        difference = differences(load_file(expected), load_file(actual))
    except (OSError, SafetensorError, ValueError) as e:
        return [name, "", "", f"**{e}**"], False
    largest = difference.max().item()
    well = largest <= tolerance
    verdict = "" if well else "**differs**"
    return [name, f"{largest:.1e}", f"{difference.mean().item():.1e}", verdict], well


def main():
    parser = argparse.ArgumentParser(description="Compares what two programs computed.")
    parser.add_argument("--tolerance", type=float, default=1e-3)
    options = parser.parse_args()
    torch.set_num_threads(1)
    rows = [
        row(*line.rstrip("\n").split("\t"), options.tolerance) for line in sys.stdin if line.strip()
    ]
    print("| what | largest difference | mean difference | |")
    print("|---|---|---|---|")
    for cells, _ in rows:
        print(f"| {' | '.join(cells)} |")
    failures = sum(not well for _, well in rows)
    print(f"\n{len(rows) - failures} of {len(rows)} within {options.tolerance:g}.")
    sys.exit(1 if failures or not rows else 0)


if __name__ == "__main__":
    main()
