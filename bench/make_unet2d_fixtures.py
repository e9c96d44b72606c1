"""Small UNet2DModels in PyTorch with inputs, outputs and gradients, for GoldenModelsTest.

An implementation of its own of what diffusers' UNet2DModel computes, for combinations of keys that
nobody publishes. Writes a folder for each: its config.json and weights as diffusers names them,
io.safetensors (inputs and what comes out) and grads.safetensors. Weights are exact in half
precision; PyTorch computes in double precision.

    python bench/make_unet2d_fixtures.py ddpm-unet/src/test/resources/org/ddpm4j/unet

With --check it compares itself with folders that diffusers made: the same four files, with the
gradient of mean(y*g).

    python bench/make_unet2d_fixtures.py --check fixtures/unet2d_*
"""

import argparse
import json
import pathlib

import golden_network
import torch
from pytorch_unet2d import UNet2D
from safetensors.torch import load_file
from torch import nn
from torch.nn import functional as F


# --- the fixtures: name -> (configuration, height and width, former names of attention?) ---

FIXTURES = {
    "unet2d_one_level": (
        {
            "in_channels": 2,
            "out_channels": 1,
            "block_out_channels": [6],
            "down_block_types": ["AttnDownBlock2D"],
            "up_block_types": ["AttnUpBlock2D"],
            "mid_block_type": None,
            "layers_per_block": 1,
            "attention_head_dim": 4,
            "norm_num_groups": 3,
            "act_fn": "relu",
            "freq_shift": -1,
        },
        (5, 4),
        False,
    ),
    "unet2d_mixed": (
        {
            "in_channels": 1,
            "out_channels": 3,
            "center_input_sample": True,
            "block_out_channels": [4, 8, 12],
            "down_block_types": [
                "ResnetDownsampleBlock2D",
                "AttnDownBlock2D",
                "UNetResDownBlock2D",
            ],
            "up_block_types": ["UNetResAttnUpBlock2D", "ResnetUpsampleBlock2D", "UpBlock2D"],
            "layers_per_block": 1,
            "attention_head_dim": 3,
            "norm_num_groups": 2,
            "attn_norm_num_groups": 3,
            "mid_block_scale_factor": 1.7,
            "downsample_type": "resnet",
            "time_embedding_dim": 10,
            "flip_sin_to_cos": False,
            "freq_shift": 1,
            "act_fn": "GELU",
            "resnet_time_scale_shift": "scale_shift",
            "class_embed_type": "timestep",
        },
        (4, 8),
        False,
    ),
    "unet2d_padding_classes": (
        {
            "in_channels": 3,
            "out_channels": 6,
            "block_out_channels": [4, 4, 8],
            "down_block_types": ["AttnDownBlock2D", "DownBlock2D", "ResnetDownsampleBlock2D"],
            "up_block_types": ["UpBlock2D", "AttnUpBlock2D", "AttnUpBlock2D"],
            "layers_per_block": 2,
            "attention_head_dim": None,
            "norm_num_groups": 4,
            "norm_eps": 1e-3,
            "add_attention": False,
            "mid_block_scale_factor": -0.5,
            "downsample_padding": 0,
            "upsample_type": "resnet",
            "act_fn": "mish",
            "num_class_embeds": 5,
            "dropout": 0.25,
        },
        (8, 4),
        False,
    ),
    "unet2d_former_names": (
        {
            "in_channels": 1,
            "out_channels": 1,
            "block_out_channels": [4, 8],
            "down_block_types": ["DownBlock2D", "AttnDownBlock2D"],
            "up_block_types": ["AttnUpBlock2D", "UpBlock2D"],
            "layers_per_block": 1,
            "attention_head_dim": 4,
            "norm_num_groups": 4,
            "resnet_time_scale_shift": "scale_shift",
            "act_fn": "swish",
        },
        (4, 4),
        True,
    ),
}

FORMER_NAMES = {"to_q": "query", "to_k": "key", "to_v": "value", "to_out.0": "proj_attn"}
BATCH = 3


def former_name(name):
    for today, former in FORMER_NAMES.items():
        name = name.replace(f".{today}.", f".{former}.")
    return name


def make_unet(config):
    unet = UNet2D(config | {"act_fn": config["act_fn"].lower()}).double()
    golden_network.shake(unet)
    return unet


def make_fixture(folder, config, size, with_former_names):
    unet = make_unet(config)
    io = {
        "x": torch.randn(BATCH, config["in_channels"], *size),
        "t": torch.tensor([0.0, 37.0, 999.0]),
        "weights": torch.rand(BATCH),
    }
    arguments = [io["x"].double(), io["t"]]
    if hasattr(unet, "class_embedding"):
        # One class is asked for twice, some are not at all.
        io["class_labels"] = torch.tensor([3, 0, 3])
        arguments.append(io["class_labels"])
    golden_network.write(
        folder,
        {"_class_name": "UNet2DModel"} | config,
        unet,
        unet(*arguments),
        io,
        former_name if with_former_names else str,
    )


def check(folder):
    """The largest relative errors of the output and of the gradients."""
    unet = UNet2D(json.loads((folder / "config.json").read_text())).double()
    weights = load_file(folder / "diffusion_pytorch_model.safetensors")
    unet.load_state_dict({name: tensor.double() for name, tensor in weights.items()})
    io = load_file(folder / "io.safetensors")
    y = unet(io["x"].double(), io["t"], io.get("class_labels"))
    copies = -(-y.shape[1] // io["g"].shape[1])
    g = io["g"].double().repeat(1, copies, 1, 1)[:, : y.shape[1]]
    (y * g).mean().backward()
    gradients = load_file(folder / "grads.safetensors")
    largest = max(gradient.norm() for gradient in gradients.values())
    worst = max(
        (p.grad - gradients[name]).norm() / max(gradients[name].norm(), 1e-3 * largest)
        for name, p in unet.named_parameters()
    )
    print(f"{folder.name}: y {(y - io['y']).norm() / y.norm():.1e}, gradients {worst:.1e}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare with what is there")
    parser.add_argument("folders", type=pathlib.Path, nargs="+")
    arguments = parser.parse_args()
    if arguments.check:
        for folder in arguments.folders:
            check(folder)
        return
    for seed, (name, fixture) in enumerate(FIXTURES.items()):
        torch.manual_seed(seed)
        make_fixture(arguments.folders[0] / name, *fixture)


if __name__ == "__main__":
    main()
