"""Makes noise for both programs to begin with.

    python interop/make_noise.py FILE N C H W

FILE becomes a safetensors file with noise [N,C,H,W] of N(0,1), always the same.
"""

import sys

import torch
from safetensors.torch import save_file


def main():
    if len(sys.argv) != 6:
        sys.exit("usage: make_noise.py FILE N C H W")
    shape = [int(number) for number in sys.argv[2:]]
    generator = torch.Generator().manual_seed(11)
    save_file({"noise": torch.randn(shape, generator=generator)}, sys.argv[1])


if __name__ == "__main__":
    main()
