"""The networks of `ddpm bench` in PyTorch, measured in the same way.

Prints what `ddpm bench` prints, so that bench/compare-with-pytorch can read both.
"""

import argparse
import math
import os
import statistics
import sys
import time
from functools import partial

START = time.perf_counter()  # before PyTorch loads, which takes seconds

import pytorch_peers
import torch
from comparison_table import rate
from pytorch_unet2d import CIFAR10, UNet2D
from torch import nn
from torch.nn import functional as F

DIM = 28
MULTIPLES = (1, 2, 4)
CHANNELS = 1
SIZE = 28
HEADS, HEAD_DIM = 4, 32
TIMESTEPS = 1000
LEARNING_RATE = 1e-4
EMA_DECAY = 0.999
WARM_UP = 1 / 3  # of the time that is measured
# On a card, where rounds take milliseconds and the first ones compile and record.
LEAST_WARM_UP, LEAST_ROUNDS = 10, 20


def sinusoidal_embedding(t, dim):
    """[N] -> [N, dim], sines before cosines."""
    exponents = torch.arange(dim // 2, dtype=torch.float32, device=t.device) / (dim // 2 - 1)
    angles = t.float().unsqueeze(1) * torch.exp(-math.log(10_000) * exponents)
    return torch.cat((torch.sin(angles), torch.cos(angles)), dim=1)


class ResnetBlock(nn.Module):
    """Twice convolution, normalisation in one group, SiLU; the time is added between."""

    def __init__(self, inputs, outputs, time_dim):
        super().__init__()
        self.time = nn.Linear(time_dim, outputs) if time_dim else None
        self.conv1 = nn.Conv2d(inputs, outputs, 3, padding=1)
        self.norm1 = nn.GroupNorm(1, outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1)
        self.norm2 = nn.GroupNorm(1, outputs)
        self.shortcut = nn.Identity() if inputs == outputs else nn.Conv2d(inputs, outputs, 1)

    def forward(self, x, time=None):
        y = F.silu(self.norm1(self.conv1(x)))
        if self.time is not None:
            y = y + self.time(F.silu(time))[..., None, None]
        return F.silu(self.norm2(self.conv2(y))) + self.shortcut(x)


class ConvNextBlock(nn.Module):
    """A depthwise convolution, the time, and two convolutions through twice the width."""

    def __init__(self, inputs, outputs, time_dim):
        super().__init__()
        self.time = nn.Linear(time_dim, inputs) if time_dim else None
        self.depthwise = nn.Conv2d(inputs, inputs, 7, padding=3, groups=inputs)
        self.norm1 = nn.GroupNorm(1, inputs)
        self.widen = nn.Conv2d(inputs, 2 * outputs, 3, padding=1)
        self.norm2 = nn.GroupNorm(1, 2 * outputs)
        self.narrow = nn.Conv2d(2 * outputs, outputs, 3, padding=1)
        self.shortcut = nn.Identity() if inputs == outputs else nn.Conv2d(inputs, outputs, 1)

    def forward(self, x, time=None):
        y = self.depthwise(x)
        if self.time is not None:
            y = y + self.time(F.gelu(time))[..., None, None]
        y = self.norm2(F.gelu(self.widen(self.norm1(y))))
        return self.narrow(y) + self.shortcut(x)


class Attention(nn.Module):
    """Attention of all pixels to all, after normalisation, added to its input."""

    def __init__(self, channels):
        super().__init__()
        self.norm = nn.GroupNorm(1, channels)
        self.qkv = nn.Conv2d(channels, 3 * HEADS * HEAD_DIM, 1, bias=False)
        self.out = self.projection(channels)

    def projection(self, channels):
        return nn.Conv2d(HEADS * HEAD_DIM, channels, 1)

    def attend(self, q, k, v):
        weights = torch.softmax(q.transpose(2, 3) @ k / math.sqrt(HEAD_DIM), dim=3)
        return v @ weights.transpose(2, 3)

    def forward(self, x):
        n, _, height, width = x.shape
        qkv = self.qkv(self.norm(x)).reshape(n, 3, HEADS, HEAD_DIM, height * width)
        y = self.attend(*qkv.unbind(1))
        return x + self.out(y.reshape(n, HEADS * HEAD_DIM, height, width))


class LinearAttention(Attention):
    """The softmax is taken of queries and keys apart, so that the cost is linear in the pixels."""

    def projection(self, channels):
        return nn.Sequential(super().projection(channels), nn.GroupNorm(1, channels))

    def attend(self, q, k, v):
        q = torch.softmax(q, dim=2) / math.sqrt(HEAD_DIM)
        context = torch.softmax(k, dim=3) @ v.transpose(2, 3)
        return context.transpose(2, 3) @ q


class Level(nn.Module):
    """Two blocks, linear attention and what changes the resolution."""

    def __init__(self, block, inputs, outputs, time_dim, resample):
        super().__init__()
        self.block1 = block(inputs, outputs, time_dim)
        self.block2 = block(outputs, outputs, time_dim)
        self.attention = LinearAttention(outputs)
        self.resample = resample

    def forward(self, x, time):
        return self.attention(self.block2(self.block1(x, time), time))


class AnnotatedUnet(nn.Module):
    """The U-Net of "The Annotated Diffusion Model", at the size of `ddpm bench`."""

    def __init__(self, block):
        super().__init__()
        time_dim = 4 * DIM
        widths = [DIM // 3 * 2] + [multiple * DIM for multiple in MULTIPLES]
        self.stem = nn.Conv2d(CHANNELS, widths[0], 7, padding=3)
        self.time = nn.Sequential(
            nn.Linear(DIM, time_dim), nn.GELU(), nn.Linear(time_dim, time_dim)
        )
        self.down = nn.ModuleList()
        for i in range(len(MULTIPLES)):
            is_last = i == len(MULTIPLES) - 1
            halve = nn.Identity() if is_last else nn.Conv2d(widths[i + 1], widths[i + 1], 4, 2, 1)
            self.down.append(Level(block, widths[i], widths[i + 1], time_dim, halve))
        middle = widths[-1]
        self.middle1 = block(middle, middle, time_dim)
        self.middle_attention = Attention(middle)
        self.middle2 = block(middle, middle, time_dim)
        self.up = nn.ModuleList()
        # The first level's skip connection is left unused.
        for i in range(len(MULTIPLES) - 1, 0, -1):
            double = nn.ConvTranspose2d(widths[i], widths[i], 4, 2, 1)
            self.up.append(Level(block, 2 * widths[i + 1], widths[i], time_dim, double))
        self.last = block(DIM, DIM, None)
        self.head = nn.Conv2d(DIM, CHANNELS, 1)

    def forward(self, x, t):
        time = self.time(sinusoidal_embedding(t, DIM))
        x = self.stem(x)
        skips = []
        for level in self.down:
            x = level(x, time)
            skips.append(x)
            x = level.resample(x)
        x = self.middle2(self.middle_attention(self.middle1(x, time)), time)
        for level in self.up:
            x = level.resample(level(torch.cat((x, skips.pop()), dim=1), time))
        return self.head(self.last(x))


MODELS = {
    "annotated": lambda: AnnotatedUnet(ResnetBlock),
    "annotated-convnext": lambda: AnnotatedUnet(ConvNextBlock),
    "cifar10": lambda: UNet2D(CIFAR10),
} | {name: partial(pytorch_peers.network, name) for name in pytorch_peers.SIZES}
# Channels and height and width of the images.
SIZES = {
    "annotated": (CHANNELS, SIZE),
    "annotated-convnext": (CHANNELS, SIZE),
    "cifar10": (3, 32),
} | pytorch_peers.SIZES
MODES = (
    "eager",
    "channels_last",
    "compile",
    "compile_channels_last",
    "cuda_graphs",
    "cuda_graphs_channels_last",
)
PRECISIONS = ("float32", "tfloat32", "bfloat16")


def peak_memory_megabytes():
    """The most memory that this process has held; NaN where the system does not tell."""
    try:
        with open("/proc/self/status", encoding="ascii") as status:
            high_water_mark = next(line for line in status if line.startswith("VmHWM:"))
    except OSError:
        return math.nan
    return int(high_water_mark.split()[1]) * 1024 / 1e6


def choose_precision(precision):
    """Whether products of float32 may be rounded to TF32, on a card."""
    torch.set_float32_matmul_precision("high" if precision == "tfloat32" else "highest")
    torch.backends.cudnn.allow_tf32 = precision == "tfloat32"
    # All batches are of one size, for which cuDNN looks for its fastest algorithm.
    torch.backends.cudnn.benchmark = True


def compiled(unet, mode):
    """The network as the mode runs it; "reduce-overhead" records CUDA graphs."""
    if mode.startswith("compile"):
        return torch.compile(unet)
    return torch.compile(unet, mode="reduce-overhead") if mode.startswith("cuda_graphs") else unet


def make_round(arguments):
    """A function that does the work once, and the network's number of parameters."""
    torch.manual_seed(0)
    device = torch.device(arguments.device)
    on_card = device.type != "cpu"
    unet = MODELS[arguments.model]().to(device)
    channels, size = SIZES[arguments.model]
    count = sum(parameter.numel() for parameter in unet.parameters())
    x = torch.randn(arguments.batch, channels, size, size, device=device)
    t = torch.randint(0, TIMESTEPS, (arguments.batch,), device=device)
    with torch.no_grad():
        target = torch.randn_like(unet(x[:1], t[:1]).expand(arguments.batch, -1, -1, -1))
    if "channels_last" in arguments.mode:
        unet = unet.to(memory_format=torch.channels_last)
        x = x.to(memory_format=torch.channels_last)
        target = target.to(memory_format=torch.channels_last)
    network = compiled(unet, arguments.mode)
    autocast = torch.autocast(
        device.type, dtype=torch.bfloat16, enabled=arguments.precision == "bfloat16"
    )
    rounds = 0

    def sample():
        nonlocal rounds
        t = torch.full((arguments.batch,), TIMESTEPS - 1 - rounds % TIMESTEPS, device=device)
        rounds += 1
        with torch.no_grad(), autocast:
            network(x, t)

    weights = list(unet.parameters())
    optimizer = torch.optim.AdamW(weights, lr=LEARNING_RATE, fused=on_card or None)
    average = [weight.detach().clone() for weight in weights] if on_card else None

    def train():
        optimizer.zero_grad()
        with autocast:
            loss = F.mse_loss(network(x, t), target)
        loss.backward()
        optimizer.step()
        if average:
            # ddpm4j's step on a card has the moving average in it.
            with torch.no_grad():
                torch._foreach_lerp_(average, weights, 1 - EMA_DECAY)

    return (train if arguments.task == "train" else sample), count


def measure(work, seconds, device):
    """Seconds of each round, after a third of the time to warm up, and when the first ended."""
    on_card = device.type != "cpu"

    def timed():
        start = time.perf_counter()
        work()
        if on_card:
            torch.cuda.synchronize(device)
        return time.perf_counter() - start

    # The first rounds compile.
    timed()
    first_step = time.perf_counter() - START
    last = timed()
    if on_card:
        done, warm = 2, 0.0
        while done < LEAST_WARM_UP or warm < WARM_UP * seconds:
            last = timed()
            warm += last
            done += 1
        return [timed() for _ in range(max(LEAST_ROUNDS, round(seconds / last)))], first_step
    warm = 0.0
    while warm < WARM_UP * seconds and last < seconds:
        last = timed()
        warm += last
    return [timed() for _ in range(max(1, round(seconds / last)))], first_step


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("task", choices=("train", "sample"))
    parser.add_argument("--model", choices=MODELS, default="annotated")
    parser.add_argument("--mode", choices=MODES, default="eager")
    parser.add_argument("--device", default="cpu", help="cpu, cuda or cuda:N")
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--seconds", type=float, default=24)
    parser.add_argument(
        "--precision", choices=PRECISIONS, default="float32", help="bfloat16 is by autocast"
    )
    arguments = parser.parse_args()
    device = torch.device(arguments.device)
    if device.type == "cpu" and (
        arguments.precision == "tfloat32" or arguments.mode.startswith("cuda_graphs")
    ):
        parser.error("tfloat32 and CUDA graphs need a card (--device cuda)")
    if arguments.task == "train" and arguments.model in pytorch_peers.DECODERS:
        parser.error(f"{arguments.model} is measured in predictions alone (sample)")
    torch.set_num_threads(arguments.threads)
    choose_precision(arguments.precision)

    work, parameters = make_round(arguments)
    channels, size = SIZES[arguments.model]
    times, first_step = measure(work, arguments.seconds, device)
    facts = [
        ("task", arguments.task),
        ("model", f"{arguments.model}, {size}x{size}x{channels}"),
        ("parameters", parameters),
        ("batch", arguments.batch),
        ("layers", f"{arguments.mode}, {arguments.precision}"),
        ("threads", arguments.threads),
        ("rounds", len(times)),
        ("best", f"{rate(arguments.batch / min(times))} images/s"),
        ("median", f"{rate(arguments.batch / statistics.median(times))} images/s"),
        ("peak memory", f"{peak_memory_megabytes():.0f} MB"),
    ]
    if device.type != "cpu":
        # What its allocator took from the card: others have no use of the rest.
        reserved = torch.cuda.max_memory_reserved(device)
        facts += [
            ("device", f"{arguments.device}, {torch.cuda.get_device_name(device)}"),
            ("first step", f"{first_step:.1f} s after the start"),
            ("card memory", f"{reserved / 1e6:.0f} MB"),
        ]
    for key, value in facts:
        print(f"{key:<12} {value}")


if __name__ == "__main__":
    sys.exit(main())
