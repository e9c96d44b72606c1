"""Networks of diffusers with dropout, whose masks are ours, for GoldenModelsTest.

Which elements are dropped is written here once more, in NumPy, from docs/training.md, with the
generator of interop/noise.py. Needs diffusers (interop/requirements.txt). Writes what
make_unet2d_fixtures.py writes, and the key of the masks: seed, purpose, number of the first image
and step.

    python bench/make_dropout_fixtures.py ddpm-unet/src/test/resources/org/ddpm4j/unet
"""

import argparse
import math
import pathlib
import sys

import diffusers
import golden_network
import numpy as np
import torch
from make_dit_fixture import CONFIG as DIT_WITHOUT
from make_dit_fixture import tell_times_exactly

sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent / "interop"))

from noise import philox

SEED, PURPOSE, FIRST_IMAGE, STEP = -0x0123456789ABCDEF, 12, 4_000_000_000, 70_000

UNET2D = {
    "sample_size": 8,
    "in_channels": 1,
    "out_channels": 1,
    "block_out_channels": [8, 12],
    "down_block_types": ["DownBlock2D", "AttnDownBlock2D"],
    "up_block_types": ["AttnUpBlock2D", "UpBlock2D"],
    "layers_per_block": 1,
    "norm_num_groups": 4,
    "attention_head_dim": 4,
    "dropout": 0.3,
}

DIT = DIT_WITHOUT | {"dropout": 0.4}


def mask(images, places, layer, probability):
    """[images, places]: 0 or 1/(1-p)."""
    blocks = np.arange((places + 3) // 4)[None, :]
    numbers = FIRST_IMAGE + np.arange(images)[:, None]
    counters = np.broadcast_arrays(blocks, numbers, STEP, PURPOSE + layer * 65536)
    words = philox(SEED % 2**64, [counter.astype(np.uint64) for counter in counters])
    words = np.stack(words, axis=-1).reshape(images, -1)[:, :places]
    kept = words >> np.uint64(1) >= round(probability * 2**31)
    return torch.from_numpy(kept / (1 - probability))


class Masks:
    """Takes the place of torch.nn.Dropout.forward; layers count in the order of their calls."""

    def __init__(self):
        self.layer = 0

    def __call__(self, module, x):
        if module.p == 0:
            return x
        last = x if x.dim() == 3 else x.permute(0, 2, 3, 1)
        factors = mask(len(x), last[0].numel(), self.layer, module.p).reshape(last.shape)
        self.layer += 1
        return x * (factors if x.dim() == 3 else factors.permute(0, 3, 1, 2))


def unet2d_sinusoids(t):
    """As wide as the finest level."""
    half = UNET2D["block_out_channels"][0] // 2
    frequencies = torch.exp(-math.log(10_000) * torch.arange(half).double() / half)
    angles = t.double()[:, None] * frequencies
    return torch.cat([angles.cos(), angles.sin()], dim=1)


def write(folder, class_name, config, network, io):
    golden_network.shake(network)
    masks = Masks()
    torch.nn.Dropout.forward = lambda module, x: masks(module, x)
    y = network(io["x"].double(), io["t"], *([io["class_labels"]] if "class_labels" in io else []))
    print(folder.name, "has", masks.layer, "dropouts")
    io["dropout"] = torch.tensor([SEED, PURPOSE, FIRST_IMAGE, STEP])
    golden_network.write(folder, {"_class_name": class_name} | config, network, y.sample, io)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=pathlib.Path)
    folder = parser.parse_args().folder
    torch.manual_seed(15)
    unet = diffusers.UNet2DModel(**UNET2D).double().eval()
    unet.time_proj.forward = unet2d_sinusoids
    io = {
        "x": torch.randn(3, 1, 8, 8),
        "t": torch.tensor([0, 37, 999]),
        "weights": torch.rand(3),
    }
    write(folder / "unet2d_dropout", "UNet2DModel", UNET2D, unet, io)
    dit = diffusers.DiTTransformer2DModel(**DIT).double().eval()
    tell_times_exactly(dit)
    io = {
        "x": torch.randn(3, 2, 6, 6),
        "t": torch.tensor([0, 37, 999]),
        "class_labels": torch.tensor([3, 0, 1]),
        "weights": torch.rand(3),
    }
    write(folder / "dit_dropout", "DiTTransformer2DModel", DIT, dit, io)


if __name__ == "__main__":
    main()
