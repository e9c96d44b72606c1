"""Small autoencoders of diffusers with inputs, outputs and gradients, for GoldenAutoencodersTest.

Needs diffusers (interop/requirements.txt). Writes a folder for each: its config.json and weights as
diffusers saves them, io.safetensors and grads.safetensors. Weights are exact in half precision;
PyTorch computes in double precision.

    python bench/make_autoencoder_fixtures.py ddpm-unet/src/test/resources/org/ddpm4j/unet

    x   images [2,C,H,W]       h   what encoder and quant_conv say of them
    z   latents [2,c,h,w]      y   the images of these latents, not quantised
                               q   the images of these latents, quantised (VQModel)
    gh, gy                     the gradients are those of mean(h*gh) and mean(y*gy)
"""

import argparse
import json
import pathlib

import diffusers
import torch
from safetensors.torch import save_file

PLAIN = {
    "in_channels": 3,
    "out_channels": 3,
    "down_block_types": ["DownEncoderBlock2D", "DownEncoderBlock2D"],
    "up_block_types": ["UpDecoderBlock2D", "UpDecoderBlock2D"],
    "block_out_channels": [4, 8],
    "layers_per_block": 1,
    "norm_num_groups": 2,
    "sample_size": 16,
}

FIXTURES = {
    "autoencoder_kl": (diffusers.AutoencoderKL, PLAIN | {"latent_channels": 2}, (6, 10)),
    "autoencoder_kl_attention": (
        diffusers.AutoencoderKL,
        PLAIN
        | {
            "in_channels": 1,
            "out_channels": 2,
            "down_block_types": ["AttnDownEncoderBlock2D", "DownEncoderBlock2D"],
            "up_block_types": ["UpDecoderBlock2D", "AttnUpDecoderBlock2D"],
            "block_out_channels": [4, 6],
            "act_fn": "gelu",
            "latent_channels": 3,
            "mid_block_add_attention": False,
            "use_quant_conv": False,
            "use_post_quant_conv": False,
        },
        (8, 4),
    ),
    "autoencoder_vq": (
        diffusers.VQModel,
        PLAIN
        | {
            "down_block_types": ["DownEncoderBlock2D"] * 3,
            "up_block_types": ["UpDecoderBlock2D"] * 3,
            "block_out_channels": [2, 4, 4],
            "latent_channels": 3,
            "vq_embed_dim": 2,
            "num_vq_embeddings": 7,
            "scaling_factor": 0.5,
            "lookup_from_codebook": True,
        },
        (8, 12),
    ),
}


def make(name, kind, config, size, folder):
    folder.mkdir(parents=True, exist_ok=True)
    model = kind(**config).double()
    with torch.no_grad():
        for parameter_name, parameter in model.named_parameters():
            if parameter.dim() == 1:
                # No scale of one and no bias of zero, so that nothing can be left out.
                parameter.add_(0.1 * torch.randn_like(parameter))
            if parameter_name.startswith("quantize"):
                parameter.normal_()
            parameter.copy_(parameter.half().double())
    half = {n: p.detach().half().contiguous() for n, p in model.state_dict().items()}
    save_file(half, folder / "diffusion_pytorch_model.safetensors", {"format": "pt"})
    kept = {k: v for k, v in model.config.items() if v is not None}
    text = json.dumps({"_class_name": kind.__name__} | kept, indent=2)
    (folder / "config.json").write_text(text + "\n", encoding="utf-8")

    io = {"x": torch.randn(2, config["in_channels"], *size)}
    h = model.encoder(io["x"].double())
    h = model.quant_conv(h) if model.quant_conv is not None else h
    quantised = kind is diffusers.VQModel
    factor = 2 ** (len(config["block_out_channels"]) - 1)
    channels = config["vq_embed_dim"] if quantised else config["latent_channels"]
    io["z"] = torch.randn(2, channels, size[0] // factor, size[1] // factor)
    z = io["z"].double()
    if quantised:
        io["q"] = model.decode(z).sample.detach().contiguous()
        y = model.decoder(model.post_quant_conv(z))
    else:
        y = model.decode(z).sample
    io["h"], io["y"] = h.detach().contiguous(), y.detach().contiguous()
    io["gh"], io["gy"] = torch.randn(h.shape), torch.randn(y.shape)
    ((h * io["gh"].double()).mean() + (y * io["gy"].double()).mean()).backward()
    gradients = {n: p.grad.float().contiguous() for n, p in model.named_parameters() if p.grad is not None}
    save_file(io, folder / "io.safetensors")
    save_file(gradients, folder / "grads.safetensors")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=pathlib.Path)
    arguments = parser.parse_args()
    for seed, (name, fixture) in enumerate(FIXTURES.items()):
        torch.manual_seed(seed)
        make(name, *fixture, arguments.folder / name)


if __name__ == "__main__":
    main()
