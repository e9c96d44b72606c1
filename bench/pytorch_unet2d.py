"""What diffusers' UNet2DModel computes, in PyTorch: an implementation of its own."""

import torch
from torch import nn
from torch.nn import functional as F

DEFAULTS = {
    "center_input_sample": False,
    "time_embedding_dim": None,
    "freq_shift": 0,
    "flip_sin_to_cos": True,
    "mid_block_type": "UNetMidBlock2D",
    "layers_per_block": 2,
    "mid_block_scale_factor": 1,
    "downsample_padding": 1,
    "downsample_type": "conv",
    "upsample_type": "conv",
    "act_fn": "silu",
    "attention_head_dim": 8,
    "norm_num_groups": 32,
    "attn_norm_num_groups": None,
    "norm_eps": 1e-5,
    "resnet_time_scale_shift": "default",
    "add_attention": True,
    "class_embed_type": None,
    "num_class_embeds": None,
}

ACTIVATIONS = {"silu": F.silu, "swish": F.silu, "mish": F.mish, "gelu": F.gelu, "relu": F.relu}


def sinusoids(t, width, config):
    half = width // 2
    powers = torch.arange(half, dtype=torch.float64, device=t.device)
    powers = powers / (half - config["freq_shift"])
    angles = t.double()[:, None] / 10_000**powers
    parts = [angles.sin(), angles.cos()]
    return torch.cat(parts[::-1] if config["flip_sin_to_cos"] else parts, dim=1)


class Embedding(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.linear_1 = nn.Linear(inputs, outputs)
        self.linear_2 = nn.Linear(outputs, outputs)

    def forward(self, x):
        return self.linear_2(F.silu(self.linear_1(x)))


class Resnet(nn.Module):
    def __init__(self, config, inputs, outputs, time, size="kept"):
        super().__init__()
        norm = {"num_groups": config["norm_num_groups"], "eps": config["norm_eps"]}
        self.act = ACTIVATIONS[config["act_fn"]]
        self.size = size
        self.scales = config["resnet_time_scale_shift"] == "scale_shift"
        self.norm1 = nn.GroupNorm(num_channels=inputs, **norm)
        self.conv1 = nn.Conv2d(inputs, outputs, 3, padding=1)
        self.time_emb_proj = nn.Linear(time, (1 + self.scales) * outputs)
        self.norm2 = nn.GroupNorm(num_channels=outputs, **norm)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1)
        if inputs != outputs:
            self.conv_shortcut = nn.Conv2d(inputs, outputs, 1)

    def resized(self, x):
        if self.size == "halved":
            n, c, h, w = x.shape
            return x.reshape(n, c, h // 2, 2, w // 2, 2).mean(dim=(3, 5))
        if self.size == "doubled":
            return x.repeat_interleave(2, dim=2).repeat_interleave(2, dim=3)
        return x

    def forward(self, x, time):
        h = self.conv1(self.resized(self.act(self.norm1(x))))
        told = self.time_emb_proj(self.act(time))[:, :, None, None]
        if self.scales:
            scale, shift = told.chunk(2, dim=1)
            h = self.norm2(h) * (1 + scale) + shift
        else:
            h = self.norm2(h + told)
        h = self.conv2(self.act(h))
        x = self.resized(x)
        return h + (self.conv_shortcut(x) if hasattr(self, "conv_shortcut") else x)


class Attention(nn.Module):
    def __init__(self, config, channels, groups):
        super().__init__()
        head = config["attention_head_dim"] or channels
        self.heads = channels // head
        width = self.heads * head
        if groups is not None:
            self.group_norm = nn.GroupNorm(groups, channels, eps=config["norm_eps"])
        self.to_q = nn.Linear(channels, width)
        self.to_k = nn.Linear(channels, width)
        self.to_v = nn.Linear(channels, width)
        self.to_out = nn.ModuleList([nn.Linear(width, channels)])

    def forward(self, x):
        n, c, height, width = x.shape
        rows = self.group_norm(x) if hasattr(self, "group_norm") else x
        rows = rows.flatten(2).transpose(1, 2)
        q, k, v = (
            part(rows).unflatten(2, (self.heads, -1)).transpose(1, 2)
            for part in (self.to_q, self.to_k, self.to_v)
        )
        weights = (q @ k.transpose(2, 3) / q.shape[3] ** 0.5).softmax(dim=3)
        mixed = (weights @ v).transpose(1, 2).flatten(2)
        return x + self.to_out[0](mixed).transpose(1, 2).reshape(n, c, height, width)


class Halving(nn.Module):
    def __init__(self, channels, padding):
        super().__init__()
        self.padding = (0, 1, 0, 1) if padding == 0 else (1, 1, 1, 1)
        self.conv = nn.Conv2d(channels, channels, 3, stride=2)

    def forward(self, x, time):
        return self.conv(F.pad(x, self.padding))


class Doubling(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x, time):
        return self.conv(F.interpolate(x, scale_factor=2, mode="nearest"))


def plain(kind):
    return kind.removeprefix("UNetRes")


class Down(nn.Module):
    def __init__(self, config, kind, inputs, outputs, time, last):
        super().__init__()
        kind = plain(kind)
        layers = range(config["layers_per_block"])
        self.resnets = nn.ModuleList(
            Resnet(config, outputs if i else inputs, outputs, time) for i in layers
        )
        if kind == "AttnDownBlock2D":
            groups = config["norm_num_groups"]
            self.attentions = nn.ModuleList(Attention(config, outputs, groups) for _ in layers)
        if not last:
            by_resnet = kind == "ResnetDownsampleBlock2D" or (
                kind == "AttnDownBlock2D" and config["downsample_type"] == "resnet"
            )
            self.downsamplers = nn.ModuleList(
                [
                    Resnet(config, outputs, outputs, time, "halved")
                    if by_resnet
                    else Halving(outputs, config["downsample_padding"])
                ]
            )

    def forward(self, x, time):
        states = []
        for i, resnet in enumerate(self.resnets):
            x = resnet(x, time)
            if hasattr(self, "attentions"):
                x = self.attentions[i](x)
            states.append(x)
        if hasattr(self, "downsamplers"):
            x = self.downsamplers[0](x, time)
            states.append(x)
        return x, states


class Up(nn.Module):
    def __init__(self, config, kind, inputs, outputs, time, last):
        super().__init__()
        kind = plain(kind)
        self.resnets = nn.ModuleList(Resnet(config, i, outputs, time) for i in inputs)
        if kind == "AttnUpBlock2D":
            groups = config["norm_num_groups"]
            self.attentions = nn.ModuleList(Attention(config, outputs, groups) for _ in inputs)
        if not last:
            by_resnet = kind == "ResnetUpsampleBlock2D" or (
                kind == "AttnUpBlock2D" and config["upsample_type"] == "resnet"
            )
            self.upsamplers = nn.ModuleList(
                [
                    Resnet(config, outputs, outputs, time, "doubled")
                    if by_resnet
                    else Doubling(outputs)
                ]
            )

    def forward(self, x, time, states):
        for i, resnet in enumerate(self.resnets):
            x = resnet(torch.cat((x, states.pop()), dim=1), time)
            if hasattr(self, "attentions"):
                x = self.attentions[i](x)
        return self.upsamplers[0](x, time) if hasattr(self, "upsamplers") else x


class Middle(nn.Module):
    def __init__(self, config, channels, time):
        super().__init__()
        self.scale = config["mid_block_scale_factor"]
        self.resnets = nn.ModuleList(Resnet(config, channels, channels, time) for _ in range(2))
        groups = config["attn_norm_num_groups"]
        if groups is None and config["resnet_time_scale_shift"] == "default":
            groups = config["norm_num_groups"]
        if config["add_attention"]:
            self.attentions = nn.ModuleList([Attention(config, channels, groups)])

    def forward(self, x, time):
        x = self.resnets[0](x, time) / self.scale
        if hasattr(self, "attentions"):
            x = self.attentions[0](x) / self.scale
        return self.resnets[1](x, time) / self.scale


class UNet2D(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.config = config = DEFAULTS | config
        channels = config["block_out_channels"]
        last = len(channels) - 1
        time = config["time_embedding_dim"] or 4 * channels[0]
        self.conv_in = nn.Conv2d(config["in_channels"], channels[0], 3, padding=1)
        self.time_embedding = Embedding(channels[0], time)
        if config["class_embed_type"] == "timestep":
            self.class_embedding = Embedding(channels[0], time)
        elif config["num_class_embeds"]:
            self.class_embedding = nn.Embedding(config["num_class_embeds"], time)
        self.down_blocks = nn.ModuleList()
        widths = [channels[0]]
        x = channels[0]
        for i, (kind, width) in enumerate(zip(config["down_block_types"], channels)):
            self.down_blocks.append(Down(config, kind, x, width, time, i == last))
            x = width
            widths += [width] * (config["layers_per_block"] + (i != last))
        if config["mid_block_type"] is not None:
            self.mid_block = Middle(config, x, time)
        self.up_blocks = nn.ModuleList()
        for i, (kind, width) in enumerate(zip(config["up_block_types"], channels[::-1])):
            inputs = []
            for _ in range(config["layers_per_block"] + 1):
                inputs.append(x + widths.pop())
                x = width
            self.up_blocks.append(Up(config, kind, inputs, width, time, i == last))
        self.conv_norm_out = nn.GroupNorm(
            config["norm_num_groups"], channels[0], eps=config["norm_eps"]
        )
        self.conv_out = nn.Conv2d(channels[0], config["out_channels"], 3, padding=1)

    def forward(self, x, t, labels=None):
        config = self.config
        if config["center_input_sample"]:
            x = 2 * x - 1
        width = config["block_out_channels"][0]
        precision = self.conv_in.weight.dtype
        time = self.time_embedding(sinusoids(t, width, config).to(precision))
        if config["class_embed_type"] == "timestep":
            time = time + self.class_embedding(sinusoids(labels, width, config).to(precision))
        elif config["num_class_embeds"]:
            time = time + self.class_embedding(labels)
        x = self.conv_in(x)
        states = [x]
        for block in self.down_blocks:
            x, more = block(x, time)
            states += more
        if hasattr(self, "mid_block"):
            x = self.mid_block(x, time)
        for block in self.up_blocks:
            x = block(x, time, states)
        return self.conv_out(F.silu(self.conv_norm_out(x)))


# google/ddpm-cifar10-32, 35,746,307 parameters.
CIFAR10 = {
    "in_channels": 3,
    "out_channels": 3,
    "block_out_channels": [128, 256, 256, 256],
    "down_block_types": ["DownBlock2D", "AttnDownBlock2D", "DownBlock2D", "DownBlock2D"],
    "up_block_types": ["UpBlock2D", "UpBlock2D", "AttnUpBlock2D", "UpBlock2D"],
    "layers_per_block": 2,
    "downsample_padding": 0,
    "flip_sin_to_cos": False,
    "freq_shift": 1,
    "attention_head_dim": None,
    "norm_num_groups": 32,
    "norm_eps": 1e-6,
}
