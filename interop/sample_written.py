"""Draws with what ddpm4j wrote of the cases.

    python interop/sample_written.py FOLDER

Draws, for each folder of a case in FOLDER that has one called written, a pipeline, the noise beside it
as make_pipelines.py has drawn it; the images go to of-written.safetensors.
"""

import pathlib
import sys

import torch
from safetensors.torch import load_file, save_file
from sampling import be_quiet, draw, load


def said(case, name, kind):
    """What a file of the case says, or None where there is no such file."""
    file = case / name
    return kind(file.read_text(encoding="utf-8")) if file.exists() else None


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: sample_written.py FOLDER")
    be_quiet()
    # Networks as small as these only lose by further threads.
    torch.set_num_threads(1)
    for folder in sorted(pathlib.Path(sys.argv[1]).glob("*/written")):
        case = folder.parent
        try:
            drawn = draw(
                load(folder),
                load_file(case / "noise.safetensors")["noise"],
                "own",
                said(case, "class", int),
                said(case, "steps", int),
                (case / "called").exists(),
                said(case, "guidance", float),
            )
            save_file(drawn, case / "of-written.safetensors")
        except Exception as failure:  # The others are drawn all the same; this one is missed.
            print(f"{case.name}: {failure}", file=sys.stderr)


if __name__ == "__main__":
    main()
