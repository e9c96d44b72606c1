"""Networks of diffusers and of lucidrains themselves, of the configurations that `ddpm bench` has among its resources."""

import json
import pathlib

import torch
from torch import nn

CONFIGS = pathlib.Path(__file__).resolve().parent.parent.joinpath(
    "ddpm-cli/src/main/resources/org/ddpm4j/cli/measure"
)

# Channels and height and width of what goes in.
SIZES = {
    "consistency": (3, 64),
    "ncsnpp": (3, 64),
    "autoencoder-kl": (4, 16),
    "autoencoder-vq": (3, 32),
    "dit": (4, 32),
    "lucidrains": (3, 64),
}
# Half of what is trained, and therefore not trained alone.
DECODERS = {"autoencoder-kl", "autoencoder-vq"}


class Denoiser(nn.Module):
    """A network that is told times and, if it knows classes, the first of them."""

    def __init__(self, network, classes):
        super().__init__()
        self.network = network
        self.classes = classes

    def forward(self, x, t):
        labels = torch.zeros_like(t) if self.classes else None
        return self.network(x, t, class_labels=labels, return_dict=False)[0]


class Decoder(nn.Module):
    """The second half of an autoencoder, behind any quantisation."""

    def __init__(self, autoencoder):
        super().__init__()
        self.post_quant_conv = autoencoder.post_quant_conv
        self.decoder = autoencoder.decoder

    def forward(self, x, t):
        return self.decoder(self.post_quant_conv(x))


def network(name):
    """A network with random weights, in evaluation mode."""
    config = json.loads((CONFIGS / f"{name}.json").read_text(encoding="utf-8"))
    return lucidrains(config) if name == "lucidrains" else of_diffusers(name, config)


def lucidrains(config):
    try:
        from denoising_diffusion_pytorch import Unet
    except ImportError:
        raise SystemExit(
            "The network lucidrains is that of denoising-diffusion-pytorch; install the package."
        ) from None
    return Unet(**{key: value for key, value in config.items() if key != "_model"}).eval()


def of_diffusers(name, config):
    try:
        import diffusers
    except ImportError:
        raise SystemExit(
            f"The network {name} is diffusers' own; install diffusers (interop/requirements.txt)."
        ) from None
    made = getattr(diffusers, config["_class_name"]).from_config(config).eval()
    if name.startswith("autoencoder"):
        return Decoder(made).eval()
    classes = config.get("num_class_embeds") or config.get("num_embeds_ada_norm")
    return Denoiser(made, classes).eval()
