"""A small DiT of diffusers with inputs, outputs and gradients, for GoldenModelsTest.

Needs diffusers (interop/requirements.txt). Writes what make_unet2d_fixtures.py writes.

    python bench/make_dit_fixture.py ddpm-unet/src/test/resources/org/ddpm4j/unet/dit
"""

import argparse
import math
import pathlib

import diffusers
import golden_network
import torch

CONFIG = {
    "num_attention_heads": 2,
    "attention_head_dim": 4,
    "in_channels": 2,
    "out_channels": 4,
    "num_layers": 2,
    "sample_size": 6,
    "patch_size": 2,
    "num_embeds_ada_norm": 3,
    "norm_eps": 1e-4,
}


def sinusoids(t):
    """What diffusers computes in single precision."""
    frequencies = torch.exp(-math.log(10_000) * torch.arange(128).double() / 127)
    angles = t.double()[:, None] * frequencies
    return torch.cat([angles.cos(), angles.sin()], dim=1)


def tell_times_exactly(network):
    for block in network.transformer_blocks:
        block.norm1.emb.time_proj.forward = sinusoids


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=pathlib.Path)
    folder = parser.parse_args().folder
    torch.manual_seed(14)
    network = diffusers.DiTTransformer2DModel(**CONFIG).double().eval()
    golden_network.shake(network)
    tell_times_exactly(network)
    # Larger than it is meant for, where positions are told in other steps.
    io = {
        "x": torch.randn(3, 2, 8, 8),
        "t": torch.tensor([0, 37, 999]),
        "class_labels": torch.tensor([3, 0, 1]),
        "weights": torch.rand(3),
    }
    y = network(io["x"].double(), io["t"], io["class_labels"]).sample
    config = {"_class_name": "DiTTransformer2DModel"} | CONFIG
    golden_network.write(folder, config, network, y, io)


if __name__ == "__main__":
    main()
