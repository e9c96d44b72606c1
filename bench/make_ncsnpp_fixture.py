"""A small NCSN++ of diffusers with inputs, outputs and gradients, for GoldenModelsTest.

Needs diffusers (interop/requirements.txt). Writes what make_unet2d_fixtures.py writes. The frequencies
of the noise levels, which are not trained, have a gradient of zero.

    python bench/make_ncsnpp_fixture.py ddpm-unet/src/test/resources/org/ddpm4j/unet/unet2d_ncsnpp
"""

import argparse
import pathlib

import diffusers
import golden_network
import torch

CONFIG = {
    "sample_size": [8, 4],
    "in_channels": 3,
    "out_channels": 3,
    "center_input_sample": True,
    "time_embedding_type": "fourier",
    "time_embedding_dim": 6,
    "block_out_channels": [4, 8, 8],
    "down_block_types": ["SkipDownBlock2D"] * 3,
    "up_block_types": ["SkipUpBlock2D"] * 3,
    "layers_per_block": 1,
    "mid_block_scale_factor": 1.4142135623730951,
    "attention_head_dim": None,
    "norm_num_groups": None,
    "norm_eps": 1e-6,
}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=pathlib.Path)
    folder = parser.parse_args().folder
    torch.manual_seed(12)
    unet = diffusers.UNet2DModel(**CONFIG).double()
    golden_network.shake(unet)
    io = {
        "x": torch.randn(3, 3, 8, 4),
        "t": torch.tensor([0.02, 1.7, 90.0]),
        "weights": torch.rand(3),
    }
    y = unet(io["x"].double(), io["t"].double()).sample
    golden_network.write(folder, {"_class_name": "UNet2DModel"} | CONFIG, unet, y, io)


if __name__ == "__main__":
    main()
