"""Small networks and checkpoints of lucidrains' denoising-diffusion-pytorch, for GoldenModelsTest and
LucidrainsCheckpointTest.

Needs denoising-diffusion-pytorch (2.3.4). Writes into the first folder what make_model_fixtures.py
writes, and into the second what follows. With release 1.11.1 it writes the networks of that release
alone, and with 1.8.15 a checkpoint of that one.

    model-1.pt            what his Trainer saves: a network for grey images of 8x8
    io.safetensors        images, times, and what the two sets of weights make of them
    classes.pt            a state dict of a diffusion whose network is told classes, in float16
    classes.safetensors   images, times, labels, and what it makes of them
    buffers.safetensors   schedules and loss weights of each objective
    groups.pt             (1.8.15) a state dict of a diffusion whose network is normalised in groups
                          and whose attention has no memories, in float16
    groups.safetensors    images, times, and what it makes of them

    python bench/make_lucidrains_fixtures.py ddpm-unet/src/test/resources/org/ddpm4j/unet \\
        ddpm-diffusion/src/test/resources/org/ddpm4j/diffusion/lucidrains
"""

import argparse
import json
import pathlib
import tempfile
from importlib.metadata import version

import numpy
import torch
from denoising_diffusion_pytorch import GaussianDiffusion, Trainer, Unet
from denoising_diffusion_pytorch import classifier_free_guidance as conditional
from PIL import Image
from safetensors.torch import save_file

# The keywords of his constructors, and the config.json that says the same.
NETWORKS = {
    "lucidrains": (
        Unet,
        dict(dim=6, channels=2, dim_mults=(1, 2, 3), self_condition=True, init_dim=5,
             attn_heads=(1, 2, 3), attn_dim_head=(4, 3, 5)),
        dict(dim=6, channels=2, dim_mults=[1, 2, 3], self_condition=True, init_dim=5,
             full_attn=[False, False, True], attn_heads=[1, 2, 3], attn_dim_head=[4, 3, 5]),
    ),
    "lucidrains_learned": (
        Unet,
        dict(dim=4, channels=1, dim_mults=(1, 2), out_dim=2, learned_sinusoidal_cond=True,
             learned_sinusoidal_dim=6, full_attn=(True, False), attn_heads=2, attn_dim_head=3),
        dict(dim=4, channels=1, dim_mults=[1, 2], out_dim=2, learned_sinusoidal_cond=True,
             learned_sinusoidal_dim=6, full_attn=[True, False], attn_heads=[2, 2],
             attn_dim_head=[3, 3]),
    ),
    "lucidrains_classes": (
        conditional.Unet,
        dict(dim=4, num_classes=3, channels=1, dim_mults=(1, 2), attn_heads=2, attn_dim_head=3),
        dict(dim=4, channels=1, dim_mults=[1, 2], mid_attn_heads=2, mid_attn_dim_head=3,
             num_class_embeds=4),
    ),
}

# Of release 1, whose blocks are normalised in groups.
EARLIER_NETWORKS = {
    "lucidrains_groups": (
        Unet,
        dict(dim=8, channels=1, dim_mults=(1, 2), init_dim=8, attn_heads=(2, 1), attn_dim_head=3),
        dict(dim=8, channels=1, dim_mults=[1, 2], attn_heads=[2, 1], attn_dim_head=[3, 3],
             resnet_block_groups=8),
    ),
}


def shaken(network):
    """No gain of one and no bias of zero, so that nothing can be left out; exact in float16."""
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
            parameter.copy_(parameter.half().to(parameter.dtype))
    return network


class Sinusoids(torch.nn.Module):
    """His SinusoidalPosEmb, whose frequencies he rounds to float32, in double precision."""

    def __init__(self, dim):
        super().__init__()
        half = dim // 2
        powers = torch.arange(half, dtype=torch.float64) / (half - 1)
        self.frequencies = 10_000.0**-powers

    def forward(self, t):
        angles = t.double()[:, None] * self.frequencies
        return torch.cat((angles.sin(), angles.cos()), dim=-1)


def precise(unet):
    unet = unet.cpu().double()
    if not unet.random_or_learned_sinusoidal_cond:
        unet.time_mlp[0] = Sinusoids(unet.time_mlp[0].dim)
    return unet


def of_ours(tensors):
    """The null class as the last row of the classes, pixel-unshuffles as convolutions of 2x2."""
    ours = {}
    for name, tensor in tensors.items():
        if name == "null_classes_emb":
            continue
        if name == "classes_emb.weight":
            tensor = torch.cat((tensor, tensors["null_classes_emb"][None]))
        if name.startswith("downs.") and name.endswith(".3.1.weight"):
            out, inputs = tensor.shape[:2]
            tensor = tensor.reshape(out, inputs // 4, 2, 2)
        ours[name] = tensor.contiguous()
    return ours


def write_network(folder, make, keywords, config):
    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(21)
    unet = precise(shaken(make(**keywords)))
    channels = keywords["channels"]
    io = {
        "x": torch.randn(3, channels * (2 if keywords.get("self_condition") else 1), 8, 4),
        "t": torch.tensor([0.0, 3.0, 41.0]),
        "weights": torch.rand(3),
    }
    x = io["x"].double()
    if "num_classes" in keywords:
        io["labels"] = torch.tensor([2, 3, 0], dtype=torch.int32)
        keep = io["labels"] < 3
        labels = torch.where(keep, io["labels"], 0)
        y = unet(x, io["t"].double(), labels, cond_keep_mask=keep)
    elif keywords.get("self_condition"):
        y = unet(x[:, channels:], io["t"].double(), x[:, :channels])
    else:
        y = unet(x, io["t"].double())
    io["g"] = torch.randn(y.shape)
    losses = (y * io["g"].double()).mean(dim=(1, 2, 3))
    (losses * io["weights"].double()).mean().backward()
    io["y"], io["losses"] = y.detach().contiguous(), losses.detach()
    weights = of_ours({n: p.detach().half() for n, p in unet.state_dict().items()})
    gradients = of_ours({n: p.grad.float() for n, p in unet.named_parameters()})
    save_file(io, folder / "io.safetensors")
    save_file(weights, folder / "diffusion_pytorch_model.safetensors", {"format": "pt"})
    save_file(gradients, folder / "grads.safetensors")
    text = json.dumps({"_model": "lucidrains"} | config, indent=2)
    (folder / "config.json").write_text(text + "\n", encoding="utf-8")


def write_trainer(folder):
    torch.manual_seed(22)
    unet = shaken(Unet(dim=4, channels=1, dim_mults=(1, 2), attn_heads=1, attn_dim_head=4))
    diffusion = GaussianDiffusion(unet, image_size=8, timesteps=40)
    with tempfile.TemporaryDirectory() as work:
        images = pathlib.Path(work) / "images"
        images.mkdir()
        random = numpy.random.default_rng(23)
        for i in range(100):
            pixels = random.integers(0, 256, (8, 8), dtype=numpy.uint8)
            Image.fromarray(pixels).save(images / f"{i}.png")
        trainer = Trainer(
            diffusion, str(images), train_num_steps=2, save_and_sample_every=2, num_samples=1,
            results_folder=work, calculate_fid=False)
        trainer.train()
        shaken(trainer.ema.ema_model)
        trainer.save(1)
        (folder / "model-1.pt").write_bytes((pathlib.Path(work) / "model-1.pt").read_bytes())
    io = {"x": torch.randn(3, 1, 8, 8), "t": torch.tensor([0, 13, 39])}
    for name, model in (("raw", diffusion), ("ema", trainer.ema.ema_model)):
        model = model.cpu().double()
        precise(model.model)
        with torch.no_grad():
            said = model.model_predictions(io["x"].double(), io["t"])
        io[name + ".x0"] = said.pred_x_start.contiguous()
        io[name + ".noise"] = said.pred_noise.contiguous()
    save_file(io, folder / "io.safetensors")


def write_classes(folder):
    torch.manual_seed(24)
    unet = shaken(conditional.Unet(dim=4, num_classes=3, channels=1, dim_mults=(1, 2)))
    diffusion = conditional.GaussianDiffusion(unet, image_size=8, timesteps=30)
    state = diffusion.state_dict()
    # The buffers in float32, as they are; the weights are exact in float16.
    state = {n: t.half() if n.startswith("model.") else t for n, t in state.items()}
    torch.save({"model": state}, folder / "classes.pt")
    io = {
        "x": torch.randn(4, 1, 8, 8),
        "t": torch.tensor([0, 11, 29, 29]),
        "labels": torch.tensor([2, 0, 1, 3], dtype=torch.int32),
    }
    keep = io["labels"] < 3
    labels = torch.where(keep, io["labels"], 0)
    with torch.no_grad():
        io["y"] = precise(unet)(io["x"].double(), io["t"], labels, cond_keep_mask=keep)
    save_file(io, folder / "classes.safetensors")


def write_buffers(folder):
    unet = Unet(dim=4, channels=1, dim_mults=(1,))
    tensors = {}
    for schedule in ("linear", "cosine", "sigmoid"):
        for objective in ("pred_noise", "pred_x0", "pred_v"):
            for min_snr in (False, True):
                made = GaussianDiffusion(
                    unet, image_size=8, timesteps=60, objective=objective,
                    beta_schedule=schedule, min_snr_loss_weight=min_snr)
                name = f"{schedule}.{objective}.{'min_snr' if min_snr else 'plain'}"
                tensors[name] = made.loss_weight
                tensors[schedule + ".betas"] = made.betas
    save_file(tensors, folder / "buffers.safetensors")


def write_groups(folder):
    torch.manual_seed(25)
    unet = shaken(Unet(dim=8, channels=1, dim_mults=(1, 1), full_attn=(False, True)))
    diffusion = GaussianDiffusion(unet, image_size=8, timesteps=20, objective="pred_noise")
    state = diffusion.state_dict()
    state = {n: t.half() if n.startswith("model.") else t for n, t in state.items()}
    torch.save({"model": state}, folder / "groups.pt")
    io = {"x": torch.randn(3, 1, 8, 8), "t": torch.tensor([0, 7, 19])}
    with torch.no_grad():
        io["y"] = precise(unet)(io["x"].double(), io["t"])
    save_file(io, folder / "groups.safetensors")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("networks", type=pathlib.Path)
    parser.add_argument("checkpoints", type=pathlib.Path)
    arguments = parser.parse_args()
    release = version("denoising-diffusion-pytorch")
    arguments.checkpoints.mkdir(parents=True, exist_ok=True)
    if release.startswith("1.8."):
        write_groups(arguments.checkpoints)
        return
    networks = EARLIER_NETWORKS if release.startswith("1.") else NETWORKS
    for name, (make, keywords, config) in networks.items():
        write_network(arguments.networks / name, make, keywords, config)
    if release.startswith("1."):
        return
    write_trainer(arguments.checkpoints)
    write_classes(arguments.checkpoints)
    write_buffers(arguments.checkpoints)


if __name__ == "__main__":
    main()
