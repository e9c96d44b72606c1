"""Golden features of InceptionV3 with weights that Java and Python make alike, in PyTorch.

Usage: make_inception_fixture.py FILE: writes two images of 20x24 and their features as safetensors.
The network is written down here from its description (Szegedy et al. 2015), as pytorch-fid has it:
average pooling without the padding, maxima in the last block.
"""

import json
import struct
import sys

import numpy as np
import torch
from torch.nn import functional as F


def uniform(name, count):
    """Numbers in [-1, 1) that depend on the name and their place alone."""
    seed = 0
    for letter in name.encode():
        seed = (seed * 31 + letter) & 0xFFFFFFFF
    x = (np.arange(count, dtype=np.uint64) * 2654435761 + seed) & 0xFFFFFFFF
    for _ in range(2):
        x ^= x >> np.uint64(16)
        x = (x * 0x45D9F3B) & 0xFFFFFFFF
    x ^= x >> np.uint64(16)
    return x.astype(np.float64) / 2.0**31 - 1


class Inception:
    def tensor(self, name, *shape):
        return torch.tensor(uniform(name, int(np.prod(shape)))).reshape(shape)

    def conv(self, name, x, out, kernel, stride=1, padding=0):
        kernel = (kernel, kernel) if isinstance(kernel, int) else kernel
        fan_in = x.shape[1] * kernel[0] * kernel[1]
        weight = self.tensor(name + ".conv.weight", out, x.shape[1], *kernel) * (6 / fan_in) ** 0.5
        x = F.conv2d(x, weight.float().double(), stride=stride, padding=padding)
        scale = (1 + 0.1 * self.tensor(name + ".bn.weight", out)).float().double()
        bias = (0.1 * self.tensor(name + ".bn.bias", out)).float().double()
        mean = (0.1 * self.tensor(name + ".bn.running_mean", out)).float().double()
        variance = (1 + 0.5 * self.tensor(name + ".bn.running_var", out)).float().double()
        return F.relu(F.batch_norm(x, mean, variance, scale, bias, False, 0, 1e-3))

    def average(self, x):
        return F.avg_pool2d(x, 3, 1, 1, count_include_pad=False)

    def a(self, n, x, pool):
        five = self.conv(n + ".branch5x5_1", x, 48, 1)
        three = self.conv(n + ".branch3x3dbl_1", x, 64, 1)
        three = self.conv(n + ".branch3x3dbl_2", three, 96, 3, padding=1)
        return torch.cat([
            self.conv(n + ".branch1x1", x, 64, 1),
            self.conv(n + ".branch5x5_2", five, 64, 5, padding=2),
            self.conv(n + ".branch3x3dbl_3", three, 96, 3, padding=1),
            self.conv(n + ".branch_pool", self.average(x), pool, 1)], 1)

    def b(self, n, x):
        three = self.conv(n + ".branch3x3dbl_1", x, 64, 1)
        three = self.conv(n + ".branch3x3dbl_2", three, 96, 3, padding=1)
        return torch.cat([
            self.conv(n + ".branch3x3", x, 384, 3, 2),
            self.conv(n + ".branch3x3dbl_3", three, 96, 3, 2),
            F.max_pool2d(x, 3, 2)], 1)

    def c(self, n, x, width):
        row, column = dict(kernel=(1, 7), padding=(0, 3)), dict(kernel=(7, 1), padding=(3, 0))
        seven = self.conv(n + ".branch7x7_1", x, width, 1)
        seven = self.conv(n + ".branch7x7_2", seven, width, **row)
        twice = self.conv(n + ".branch7x7dbl_1", x, width, 1)
        twice = self.conv(n + ".branch7x7dbl_2", twice, width, **column)
        twice = self.conv(n + ".branch7x7dbl_3", twice, width, **row)
        twice = self.conv(n + ".branch7x7dbl_4", twice, width, **column)
        return torch.cat([
            self.conv(n + ".branch1x1", x, 192, 1),
            self.conv(n + ".branch7x7_3", seven, 192, **column),
            self.conv(n + ".branch7x7dbl_5", twice, 192, **row),
            self.conv(n + ".branch_pool", self.average(x), 192, 1)], 1)

    def d(self, n, x):
        three = self.conv(n + ".branch3x3_1", x, 192, 1)
        seven = self.conv(n + ".branch7x7x3_1", x, 192, 1)
        seven = self.conv(n + ".branch7x7x3_2", seven, 192, (1, 7), padding=(0, 3))
        seven = self.conv(n + ".branch7x7x3_3", seven, 192, (7, 1), padding=(3, 0))
        return torch.cat([
            self.conv(n + ".branch3x3_2", three, 320, 3, 2),
            self.conv(n + ".branch7x7x3_4", seven, 192, 3, 2),
            F.max_pool2d(x, 3, 2)], 1)

    def e(self, n, x, pooled):
        row, column = dict(kernel=(1, 3), padding=(0, 1)), dict(kernel=(3, 1), padding=(1, 0))
        three = self.conv(n + ".branch3x3_1", x, 384, 1)
        twice = self.conv(n + ".branch3x3dbl_1", x, 448, 1)
        twice = self.conv(n + ".branch3x3dbl_2", twice, 384, 3, padding=1)
        return torch.cat([
            self.conv(n + ".branch1x1", x, 320, 1),
            self.conv(n + ".branch3x3_2a", three, 384, **row),
            self.conv(n + ".branch3x3_2b", three, 384, **column),
            self.conv(n + ".branch3x3dbl_3a", twice, 384, **row),
            self.conv(n + ".branch3x3dbl_3b", twice, 384, **column),
            self.conv(n + ".branch_pool", pooled, 192, 1)], 1)

    def __call__(self, x):
        x = self.conv("Conv2d_1a_3x3", x, 32, 3, 2)
        x = self.conv("Conv2d_2a_3x3", x, 32, 3)
        x = self.conv("Conv2d_2b_3x3", x, 64, 3, padding=1)
        x = F.max_pool2d(x, 3, 2)
        x = self.conv("Conv2d_3b_1x1", x, 80, 1)
        x = self.conv("Conv2d_4a_3x3", x, 192, 3)
        x = F.max_pool2d(x, 3, 2)
        for name, pool in (("5b", 32), ("5c", 64), ("5d", 64)):
            x = self.a("Mixed_" + name, x, pool)
        x = self.b("Mixed_6a", x)
        for name, width in (("6b", 128), ("6c", 160), ("6d", 160), ("6e", 192)):
            x = self.c("Mixed_" + name, x, width)
        x = self.d("Mixed_7a", x)
        x = self.e("Mixed_7b", x, self.average(x))
        x = self.e("Mixed_7c", x, F.max_pool2d(x, 3, 1, 1))
        return x.mean((2, 3))


def resize(pixels):
    """TensorFlow 1's bilinear resizing, as a gather and three sums."""
    def places(old):
        at = np.arange(299, dtype=np.float32) * np.float32(np.float32(old) / np.float32(299))
        low = np.floor(at).astype(int)
        return low, np.minimum(low + 1, old - 1), torch.tensor((at - low).astype(np.float64))
    top, bottom, y = places(pixels.shape[2])
    left, right, x = places(pixels.shape[3])
    rows = pixels[:, :, top] * (1 - y)[:, None] + pixels[:, :, bottom] * y[:, None]
    return (rows[..., left] * (1 - x) + rows[..., right] * x - 128) / 128


def main():
    images = np.floor((uniform("images", 2 * 3 * 20 * 24) + 1) * 128).reshape(2, 3, 20, 24)
    with torch.no_grad():
        features = Inception()(resize(torch.tensor(images))).numpy()
    tensors = {"images": images.astype(np.float32), "features": features.astype(np.float32)}
    header, body = {}, b""
    for name, tensor in tensors.items():
        data = tensor.tobytes()
        header[name] = {"dtype": "F32", "shape": list(tensor.shape),
                        "data_offsets": [len(body), len(body) + len(data)]}
        body += data
    text = json.dumps(header).encode()
    with open(sys.argv[1], "wb") as out:
        out.write(struct.pack("<Q", len(text)) + text + body)
    print(features.shape, features.std(), features.mean())


main()
