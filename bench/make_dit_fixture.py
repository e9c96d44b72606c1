"""A small DiT of diffusers with inputs, outputs and gradients, for GoldenModelsTest.

Needs diffusers (interop/requirements.txt). Writes what make_unet2d_fixtures.py writes.

    python bench/make_dit_fixture.py ddpm-unet/src/test/resources/org/ddpm4j/unet/dit
"""

import argparse
import json
import math
import pathlib

import diffusers
import torch
from safetensors.torch import save_file

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


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=pathlib.Path)
    folder = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(14)
    network = diffusers.DiTTransformer2DModel(**CONFIG).double().eval()
    with torch.no_grad():
        for parameter in network.parameters():
            if parameter.dim() == 1:
                parameter.add_(0.1 * torch.randn_like(parameter))
            parameter.copy_(parameter.half().double())
    for block in network.transformer_blocks:
        block.norm1.emb.time_proj.forward = sinusoids
    # Larger than it is meant for, where positions are told in other steps.
    io = {
        "x": torch.randn(3, 2, 8, 8),
        "t": torch.tensor([0, 37, 999]),
        "class_labels": torch.tensor([3, 0, 1]),
        "weights": torch.rand(3),
    }
    y = network(io["x"].double(), io["t"], io["class_labels"]).sample
    io["g"] = torch.randn(y.shape)
    losses = (y * io["g"].double()).mean(dim=(1, 2, 3))
    (losses * io["weights"].double()).mean().backward()
    io["y"], io["losses"] = y.detach().contiguous(), losses.detach()
    weights = {n: p.detach().half().contiguous() for n, p in network.state_dict().items()}
    gradients = {n: p.grad.float().contiguous() for n, p in network.named_parameters()}
    save_file(io, folder / "io.safetensors")
    save_file(weights, folder / "diffusion_pytorch_model.safetensors", {"format": "pt"})
    save_file(gradients, folder / "grads.safetensors")
    text = json.dumps({"_class_name": "DiTTransformer2DModel"} | CONFIG, indent=2)
    (folder / "config.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
