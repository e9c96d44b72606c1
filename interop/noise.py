"""The noise of `ddpm sample`, from its specification in docs/training.md alone: Philox4x32-10."""

import numpy
import torch

ROUNDS = 10
MULTIPLIERS = (0xD2511F53, 0xCD9E8D57)
INCREMENTS = (0x9E3779B9, 0xBB67AE85)
WORD = 0xFFFFFFFF
SAMPLING = 0


def philox(key, counters):
    """Four words of 32 bits, as arrays of uint64, of counters [4] of the same kind."""
    x0, x1, x2, x3 = counters
    k0, k1 = key & WORD, key >> 32
    for _ in range(ROUNDS):
        first = MULTIPLIERS[0] * x0
        second = MULTIPLIERS[1] * x2
        x0, x1, x2, x3 = (
            (second >> 32) ^ x1 ^ k0,
            second & WORD,
            (first >> 32) ^ x3 ^ k1,
            first & WORD,
        )
        k0, k1 = (k0 + INCREMENTS[0]) & WORD, (k1 + INCREMENTS[1]) & WORD
    return x0, x1, x2, x3


def gaussian(seed, image, draw, shape):
    """The standard normal numbers of an image at one draw of a sampler, the first of which is 0."""
    count = int(numpy.prod(shape))
    blocks = numpy.arange((count + 3) // 4, dtype=numpy.uint64)
    same = [numpy.full_like(blocks, value) for value in (image, draw, SAMPLING)]
    words = [word.astype(numpy.float64) for word in philox(seed, [blocks, *same])]
    numbers = []
    for x, y in (words[:2], words[2:]):
        radius = numpy.sqrt(-2 * numpy.log((x + 1) / 2**32))
        angle = 2 * numpy.pi * y / 2**32
        numbers += [radius * numpy.cos(angle), radius * numpy.sin(angle)]
    values = numpy.stack(numbers, axis=1).reshape(-1)[:count]
    return torch.from_numpy(values.astype(numpy.float32)).reshape(shape)
