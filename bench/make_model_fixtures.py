"""Small networks in PyTorch with inputs, outputs and gradients, for GoldenModelsTest.

Writes a folder for each network: its config.json and weights as ddpm4j reads them, io.safetensors
(inputs and what comes out) and grads.safetensors. Weights are exact in half precision; PyTorch
computes in double precision.

    python bench/make_model_fixtures.py ddpm-unet/src/test/resources/org/ddpm4j/unet
"""

import argparse
import json
import pathlib

import torch
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional as F


def sinusoids(t, width, shift):
    """[N] -> [N, width]: sines, then cosines, of t / 10000^(i / (width/2 - shift))."""
    half = width // 2
    powers = torch.arange(half, dtype=torch.float64) / (half - shift)
    angles = t[:, None] / 10_000**powers
    return torch.cat((angles.sin(), angles.cos()), dim=1)


def on_map(shift):
    """[N, C] -> [N, C, 1, 1]"""
    return shift[:, :, None, None]


# --- the tutorial's network ---


class TwoConvolutions(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.net = nn.Sequential(
            nn.Conv2d(inputs, outputs, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(outputs, outputs, 3, padding=1),
            nn.ReLU(),
        )

    def forward(self, x):
        return self.net(x)


class TutorialUnet(nn.Module):
    def __init__(self, dim, channels, timesteps, num_class_embeds=0):
        super().__init__()
        self.timesteps = timesteps
        self.enc1 = TwoConvolutions(channels, dim)
        self.enc2 = TwoConvolutions(dim, 2 * dim)
        self.bot = TwoConvolutions(2 * dim, 2 * dim)
        self.dec2 = TwoConvolutions(4 * dim, dim)
        self.dec1 = TwoConvolutions(2 * dim, dim)
        self.final = nn.Conv2d(dim, channels, 1)
        self.time_mlp = nn.Sequential(nn.Linear(1, dim), nn.ReLU(), nn.Linear(dim, dim))
        if num_class_embeds:
            self.class_emb = nn.Embedding(num_class_embeds, dim)
        for name, width in (("e1", dim), ("e2", 2 * dim), ("b", 2 * dim), ("d2", dim), ("d1", dim)):
            setattr(self, "to_" + name, nn.Conv2d(dim, width, 1))

    def forward(self, x, t, labels=None):
        known = self.time_mlp(t[:, None] / self.timesteps)
        if labels is not None:
            known = known + self.class_emb(labels)
        known = on_map(known)
        first = self.enc1(x) + self.to_e1(known)
        second = self.enc2(F.avg_pool2d(first, 2)) + self.to_e2(known)
        x = self.bot(F.avg_pool2d(second, 2)) + self.to_b(known)
        x = torch.cat((F.interpolate(x, scale_factor=2), second), dim=1)
        x = self.dec2(x) + self.to_d2(known)
        x = torch.cat((F.interpolate(x, scale_factor=2), first), dim=1)
        x = self.dec1(x) + self.to_d1(known)
        return self.final(x)


# --- the minimal blog's network ---


class DoubleConvolution(nn.Module):
    """Twice normalisation and convolution; the residual form keeps the width."""

    def __init__(self, inputs, outputs, inside=None, residual=False):
        super().__init__()
        inside = inside or 2 * outputs
        self.residual = residual
        self.net = nn.Sequential(
            nn.GroupNorm(1, inputs),
            nn.Conv2d(inputs, inside, 3, padding=1),
            nn.GELU(),
            nn.GroupNorm(1, inside),
            nn.Conv2d(inside, outputs, 3, padding=1),
        )

    def forward(self, x):
        y = self.net(x)
        return F.gelu(x + y) if self.residual else y


class Down(nn.Module):
    def __init__(self, width, time_dim):
        super().__init__()
        self.block = nn.Sequential(
            nn.MaxPool2d(2),
            DoubleConvolution(width, width, residual=True),
            DoubleConvolution(width, width),
        )
        self.pos_emb = nn.Sequential(nn.SiLU(), nn.Linear(time_dim, width))

    def forward(self, x, time):
        return self.block(x) + on_map(self.pos_emb(time))


class Up(nn.Module):
    def __init__(self, inputs, width, time_dim):
        super().__init__()
        self.up = nn.Upsample(scale_factor=2, mode="nearest")
        self.block = nn.Sequential(
            DoubleConvolution(inputs, inputs, residual=True),
            DoubleConvolution(inputs, width, inside=width // 2),
        )
        self.pos_emb = nn.Sequential(nn.SiLU(), nn.Linear(time_dim, width))

    def forward(self, x, skip, time):
        y = self.block(torch.cat((skip, self.up(x)), dim=1))
        return y + on_map(self.pos_emb(time))


class MinimalUnet(nn.Module):
    def __init__(self, dim, channels, time_dim, out_dim=None):
        super().__init__()
        self.time_dim = time_dim
        widths = [dim, 2 * dim, 4 * dim, 8 * dim]
        self.conv1 = DoubleConvolution(channels, widths[0])
        for i in range(4):
            setattr(self, f"down{i + 1}", Down(widths[i], time_dim))
            wider = DoubleConvolution(widths[i], widths[min(i + 1, 3)])
            setattr(self, f"conv{i + 2}", wider)
        for i in range(4):
            width = widths[3 - i]
            setattr(self, f"up{i + 1}", Up(2 * width, width, time_dim))
            if i < 3:
                setattr(self, f"conv{i + 6}", DoubleConvolution(width, width // 2))
        self.out = nn.Conv2d(dim, out_dim or channels, 1)

    def forward(self, x, t):
        time = sinusoids(t, self.time_dim, shift=0)
        x = self.conv1(x)
        skips = []
        for i in range(1, 5):
            skips.append(x)
            x = getattr(self, f"conv{i + 1}")(getattr(self, f"down{i}")(x, time))
        for i in range(1, 5):
            x = getattr(self, f"up{i}")(x, skips.pop(), time)
            if i < 4:
                x = getattr(self, f"conv{i + 5}")(x)
        return self.out(x)


# --- the annotated network, with classes and with another number of channels at its end ---


class ConvolutionNormSilu(nn.Module):
    def __init__(self, inputs, outputs, groups):
        super().__init__()
        self.proj = nn.Conv2d(inputs, outputs, 3, padding=1)
        self.norm = nn.GroupNorm(groups, outputs)

    def forward(self, x):
        return F.silu(self.norm(self.proj(x)))


class ResnetBlock(nn.Module):
    def __init__(self, inputs, outputs, groups, time_dim=None):
        super().__init__()
        if time_dim:
            self.mlp = nn.Sequential(nn.SiLU(), nn.Linear(time_dim, outputs))
        self.block1 = ConvolutionNormSilu(inputs, outputs, groups)
        self.block2 = ConvolutionNormSilu(outputs, outputs, groups)
        same = inputs == outputs
        self.res_conv = nn.Identity() if same else nn.Conv2d(inputs, outputs, 1)

    def forward(self, x, time=None):
        y = self.block1(x)
        if time is not None:
            y = y + on_map(self.mlp(time))
        return self.block2(y) + self.res_conv(x)


class AttentionOf(nn.Module):
    """Queries, keys and values, mixed by full or linear attention."""

    def __init__(self, channels, heads, width, linear):
        super().__init__()
        self.heads, self.width, self.linear = heads, width, linear
        self.to_qkv = nn.Conv2d(channels, 3 * heads * width, 1, bias=False)
        out = nn.Conv2d(heads * width, channels, 1)
        self.to_out = nn.Sequential(out, nn.GroupNorm(1, channels)) if linear else out

    def forward(self, x):
        n, _, height, width = x.shape
        shape = (n, 3, self.heads, self.width, height * width)
        q, k, v = self.to_qkv(x).reshape(shape).unbind(1)
        if self.linear:
            context = torch.einsum("nhip,nhjp->nhij", k.softmax(dim=-1), v)
            y = torch.einsum("nhij,nhip->nhjp", context, q.softmax(dim=-2) / self.width**0.5)
        else:
            weights = torch.einsum("nhip,nhiq->nhpq", q, k) / self.width**0.5
            y = torch.einsum("nhpq,nhjq->nhjp", weights.softmax(dim=-1), v)
        return self.to_out(y.reshape(n, -1, height, width))


class Normalised(nn.Module):
    def __init__(self, channels, fn):
        super().__init__()
        self.norm = nn.GroupNorm(1, channels)
        self.fn = fn

    def forward(self, x):
        return self.fn(self.norm(x))


class ResidualAttention(nn.Module):
    def __init__(self, channels, heads, width, linear):
        super().__init__()
        self.fn = Normalised(channels, AttentionOf(channels, heads, width, linear))

    def forward(self, x):
        return x + self.fn(x)


class Sinusoids(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.width = width

    def forward(self, t):
        return sinusoids(t, self.width, shift=1)


class AnnotatedUnet(nn.Module):
    def __init__(
        self,
        dim,
        channels,
        dim_mults,
        resnet_block_groups,
        attention_heads,
        attention_head_dim,
        use_convnext=False,
        out_dim=None,
        num_class_embeds=0,
    ):
        super().__init__()
        assert not use_convnext
        groups, time_dim = resnet_block_groups, 4 * dim
        widths = [dim // 3 * 2] + [multiple * dim for multiple in dim_mults]

        def attention(width, linear):
            return ResidualAttention(width, attention_heads, attention_head_dim, linear)

        def level(inputs, outputs, resample):
            return nn.ModuleList(
                [
                    ResnetBlock(inputs, outputs, groups, time_dim),
                    ResnetBlock(outputs, outputs, groups, time_dim),
                    attention(outputs, linear=True),
                    resample,
                ]
            )

        self.init_conv = nn.Conv2d(channels, widths[0], 7, padding=3)
        self.time_mlp = nn.Sequential(
            Sinusoids(dim), nn.Linear(dim, time_dim), nn.GELU(), nn.Linear(time_dim, time_dim)
        )
        if num_class_embeds:
            self.class_embedding = nn.Embedding(num_class_embeds, time_dim)
        self.downs, self.ups = nn.ModuleList(), nn.ModuleList()
        last = len(dim_mults) - 1
        for i in range(last + 1):
            inputs, outputs = widths[i], widths[i + 1]
            halve = nn.Identity() if i == last else nn.Conv2d(outputs, outputs, 4, 2, 1)
            self.downs.append(level(inputs, outputs, halve))
        self.mid_block1 = ResnetBlock(widths[-1], widths[-1], groups, time_dim)
        self.mid_attn = attention(widths[-1], linear=False)
        self.mid_block2 = ResnetBlock(widths[-1], widths[-1], groups, time_dim)
        for i in range(last, 0, -1):
            double = nn.ConvTranspose2d(widths[i], widths[i], 4, 2, 1)
            self.ups.append(level(2 * widths[i + 1], widths[i], double))
        self.final_conv = nn.Sequential(
            ResnetBlock(dim, dim, groups), nn.Conv2d(dim, out_dim or channels, 1)
        )

    def forward(self, x, t, labels=None):
        time = self.time_mlp(t)
        if labels is not None:
            time = time + self.class_embedding(labels)
        x = self.init_conv(x)
        skips = []
        for block1, block2, attention, resample in self.downs:
            x = attention(block2(block1(x, time), time))
            skips.append(x)
            x = resample(x)
        x = self.mid_block2(self.mid_attn(self.mid_block1(x, time)), time)
        for block1, block2, attention, resample in self.ups:
            x = torch.cat((x, skips.pop()), dim=1)
            x = resample(attention(block2(block1(x, time), time)))
        return self.final_conv(x)


ANNOTATED = {
    "dim_mults": [1, 2],
    "use_convnext": False,
    "resnet_block_groups": 2,
    "attention_heads": 2,
    "attention_head_dim": 3,
}

# folder: (class, _model, configuration, height and width)
FIXTURES = {
    "tutorial": (
        TutorialUnet,
        "tutorial",
        {"dim": 5, "channels": 2, "timesteps": 600},
        (8, 12),
    ),
    "tutorial_classes": (
        TutorialUnet,
        "tutorial",
        {"dim": 4, "channels": 1, "timesteps": 1000, "num_class_embeds": 3},
        (12, 8),
    ),
    "minimal": (
        MinimalUnet,
        "minimal",
        {"dim": 2, "channels": 1, "time_dim": 16},
        (16, 32),
    ),
    "annotated_classes": (
        AnnotatedUnet,
        "annotated",
        {"dim": 4, "channels": 1, "num_class_embeds": 3} | ANNOTATED,
        (6, 4),
    ),
    "annotated_out_dim": (
        AnnotatedUnet,
        "annotated",
        {"dim": 4, "channels": 2, "out_dim": 4} | ANNOTATED,
        (4, 6),
    ),
}

BATCH = 3


def make_unet(cls, config):
    """Weights as PyTorch draws them, but no scale is one and no shift is zero."""
    unet = cls(**config).double()
    for module in unet.modules():
        if isinstance(module, nn.GroupNorm):
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.uniform_(module.bias, -0.5, 0.5)
    for parameter in unet.parameters():
        parameter.data = parameter.data.half().double()
    return unet


def make_fixture(folder, cls, model, config, size):
    folder.mkdir(parents=True, exist_ok=True)
    unet = make_unet(cls, config)
    height, width = size
    io = {
        "x": torch.randn(BATCH, config["channels"], height, width),
        "t": torch.tensor([0.0, 37.0, 599.0]),
        "weights": torch.rand(BATCH),
    }
    arguments = [io["x"].double(), io["t"].double()]
    if "num_class_embeds" in config:
        # One row is used twice, one not at all.
        io["labels"] = torch.tensor([2, 0, 2])
        arguments.append(io["labels"])
    y = unet(*arguments)
    io["g"] = torch.randn(y.shape)
    # The inner product with g, as a mean over each image, and a weighted mean over the batch.
    losses = (y * io["g"].double()).mean(dim=(1, 2, 3))
    (losses * io["weights"].double()).mean().backward()
    io["y"] = y.detach()
    io["losses"] = losses.detach()
    weights = {name: p.detach().half() for name, p in unet.named_parameters()}
    gradients = {name: p.grad.float() for name, p in unet.named_parameters()}
    save_file(io, folder / "io.safetensors")
    save_file(weights, folder / "diffusion_pytorch_model.safetensors", {"format": "pt"})
    save_file(gradients, folder / "grads.safetensors")
    text = json.dumps({"_model": model} | config, indent=2)
    (folder / "config.json").write_text(text + "\n", encoding="utf-8")


def check_sizes():
    """The published numbers of parameters."""

    def count(unet):
        return sum(parameter.numel() for parameter in unet.parameters())

    with torch.device("meta"):
        assert count(TutorialUnet(32, 1, 1000)) == 221_249
        assert count(TutorialUnet(32, 1, 1000, 10)) == 221_569
        assert count(MinimalUnet(64, 1, 256)) == 103_900_835
        assert count(AnnotatedUnet(28, 1, (1, 2, 4), 1, 4, 32)) == 1_694_929


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=pathlib.Path)
    folder = parser.parse_args().folder
    check_sizes()
    for seed, (name, (cls, model, config, size)) in enumerate(FIXTURES.items()):
        torch.manual_seed(seed)
        make_fixture(folder / name, cls, model, config, size)


if __name__ == "__main__":
    main()
