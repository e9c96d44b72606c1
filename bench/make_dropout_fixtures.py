"""Networks of diffusers with dropout, whose masks are ours, for GoldenModelsTest.

Which elements are dropped is written here once more, in NumPy, from docs/training.md. Needs
diffusers (interop/requirements.txt). Writes what make_unet2d_fixtures.py writes, and the key of the
masks: seed, purpose, number of the first image and step.

    python bench/make_dropout_fixtures.py ddpm-unet/src/test/resources/org/ddpm4j/unet
"""

import argparse
import json
import math
import pathlib

import diffusers
import numpy as np
import torch
from safetensors.torch import save_file

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

DIT = {
    "num_attention_heads": 2,
    "attention_head_dim": 4,
    "in_channels": 2,
    "out_channels": 4,
    "num_layers": 2,
    "sample_size": 6,
    "patch_size": 2,
    "num_embeds_ada_norm": 3,
    "norm_eps": 1e-4,
    "dropout": 0.4,
}


def philox(counter, seed):
    """Salmon et al. 2011: four words of 32 bits, in arrays of 64."""
    low = np.uint64(0xFFFFFFFF)
    x = [np.asarray(word, np.uint64) for word in np.broadcast_arrays(*counter)]
    key = [seed & 0xFFFFFFFF, seed >> 32 & 0xFFFFFFFF]
    for _ in range(10):
        products = np.uint64(0xD2511F53) * x[0], np.uint64(0xCD9E8D57) * x[2]
        high = [product >> np.uint64(32) for product in products]
        x = [
            high[1] ^ x[1] ^ np.uint64(key[0]),
            products[1] & low,
            high[0] ^ x[3] ^ np.uint64(key[1]),
            products[0] & low,
        ]
        key = [(key[0] + 0x9E3779B9) & 0xFFFFFFFF, (key[1] + 0xBB67AE85) & 0xFFFFFFFF]
    return np.stack(x, axis=-1)


def mask(images, places, layer, probability):
    """[images, places]: 0 or 1/(1-p)."""
    blocks = np.arange((places + 3) // 4)[None, :]
    numbers = FIRST_IMAGE + np.arange(images)[:, None]
    words = philox((blocks, numbers, STEP, PURPOSE + layer * 65536), SEED)
    words = words.reshape(images, -1)[:, :places]
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


def sinusoids(t):
    """What diffusers computes in single precision."""
    frequencies = torch.exp(-math.log(10_000) * torch.arange(128).double() / 127)
    angles = t.double()[:, None] * frequencies
    return torch.cat([angles.cos(), angles.sin()], dim=1)


def unet2d_sinusoids(t):
    """As wide as the finest level."""
    half = UNET2D["block_out_channels"][0] // 2
    frequencies = torch.exp(-math.log(10_000) * torch.arange(half).double() / half)
    angles = t.double()[:, None] * frequencies
    return torch.cat([angles.cos(), angles.sin()], dim=1)


def write(folder, class_name, config, network, io):
    folder.mkdir(parents=True, exist_ok=True)
    with torch.no_grad():
        for parameter in network.parameters():
            if parameter.dim() == 1:
                parameter.add_(0.1 * torch.randn_like(parameter))
            parameter.copy_(parameter.half().double())
    masks = Masks()
    torch.nn.Dropout.forward = lambda module, x: masks(module, x)
    y = network(io["x"].double(), io["t"], *([io["class_labels"]] if "class_labels" in io else []))
    y = y.sample
    print(folder.name, "has", masks.layer, "dropouts")
    io["g"] = torch.randn(y.shape)
    losses = (y * io["g"].double()).mean(dim=(1, 2, 3))
    (losses * io["weights"].double()).mean().backward()
    io["y"], io["losses"] = y.detach().contiguous(), losses.detach()
    io["dropout"] = torch.tensor([SEED, PURPOSE, FIRST_IMAGE, STEP])
    weights = {n: p.detach().half().contiguous() for n, p in network.state_dict().items()}
    gradients = {n: p.grad.float().contiguous() for n, p in network.named_parameters()}
    save_file(io, folder / "io.safetensors")
    save_file(weights, folder / "diffusion_pytorch_model.safetensors", {"format": "pt"})
    save_file(gradients, folder / "grads.safetensors")
    text = json.dumps({"_class_name": class_name} | config, indent=2)
    (folder / "config.json").write_text(text + "\n", encoding="utf-8")


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
    for block in dit.transformer_blocks:
        block.norm1.emb.time_proj.forward = sinusoids
    io = {
        "x": torch.randn(3, 2, 6, 6),
        "t": torch.tensor([0, 37, 999]),
        "class_labels": torch.tensor([3, 0, 1]),
        "weights": torch.rand(3),
    }
    write(folder / "dit_dropout", "DiTTransformer2DModel", DIT, dit, io)


if __name__ == "__main__":
    main()
