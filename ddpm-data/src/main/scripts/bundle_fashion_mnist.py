#!/usr/bin/env python3
"""Makes the bundled subset of Fashion-MNIST.

    pip install zopfli
    python3 bundle_fashion_mnist.py FOLDER OUTPUT

FOLDER holds the four published IDX .gz files, for example those of Debian's package
dataset-fashion-mnist. OUTPUT receives four files of the same names with the first 700 training and the
first 100 test images of every class, in their published order. The same input gives the same bytes.
"""

import gzip
import struct
import sys
from pathlib import Path

import zopfli.gzip

CLASSES = 10
PER_CLASS = {"train": 700, "t10k": 100}
MAX_TOTAL_BYTES = 4_000_000


def read_idx(path):
    """The sizes and the bytes of an IDX file of unsigned bytes."""
    content = gzip.decompress(path.read_bytes())
    zero, kind, rank = struct.unpack(">HBB", content[:4])
    assert (zero, kind) == (0, 8), f"{path} is not IDX of unsigned bytes"
    sizes = struct.unpack(f">{rank}I", content[4 : 4 + 4 * rank])
    return sizes, content[4 + 4 * rank :]


def write_idx(path, sizes, data):
    header = struct.pack(">HBB", 0, 8, len(sizes)) + struct.pack(f">{len(sizes)}I", *sizes)
    path.write_bytes(zopfli.gzip.compress(header + data, numiterations=15))
    return path.stat().st_size


def first_of_every_class(labels, per_class):
    taken = [0] * CLASSES
    chosen = []
    for index, label in enumerate(labels):
        if taken[label] < per_class:
            taken[label] += 1
            chosen.append(index)
    assert taken == [per_class] * CLASSES, taken
    return chosen


def main(folder, output):
    output.mkdir(parents=True, exist_ok=True)
    total = 0
    for part, per_class in PER_CLASS.items():
        images_name, labels_name = f"{part}-images-idx3-ubyte.gz", f"{part}-labels-idx1-ubyte.gz"
        (count, height, width), images = read_idx(folder / images_name)
        (labelled,), labels = read_idx(folder / labels_name)
        assert count == labelled, (count, labelled)
        chosen = first_of_every_class(labels, per_class)
        area = height * width
        pixels = b"".join(images[i * area : (i + 1) * area] for i in chosen)
        total += write_idx(output / images_name, (len(chosen), height, width), pixels)
        total += write_idx(output / labels_name, (len(chosen),), bytes(labels[i] for i in chosen))
    assert total < MAX_TOTAL_BYTES, total
    print(f"{total} bytes in {output}")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(Path(sys.argv[1]), Path(sys.argv[2]))
