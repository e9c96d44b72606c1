"""Writes distances.safetensors: features of two sets and their distances, by NumPy in float64.

python make_distances.py distances.safetensors
"""

import json
import struct
import sys

import numpy as np


def frechet(a, b):
    """By the eigenvalues of the product itself, which is not symmetric."""
    c1, c2 = np.cov(a, rowvar=False), np.cov(b, rowvar=False)
    roots = np.sqrt(np.maximum(np.linalg.eigvals(c1 @ c2).real, 0))
    difference = a.mean(0) - b.mean(0)
    return difference @ difference + np.trace(c1) + np.trace(c2) - 2 * roots.sum()


def kernel(a, b):
    """The unbiased squared maximum mean discrepancy, element by element."""
    def k(x, y):
        return (x @ y / len(x) + 1) ** 3

    m, n = len(a), len(b)
    within_a = sum(k(a[i], a[j]) for i in range(m) for j in range(m) if i != j)
    within_b = sum(k(b[i], b[j]) for i in range(n) for j in range(n) if i != j)
    between = sum(k(x, y) for x in a for y in b)
    return within_a / (m * (m - 1)) + within_b / (n * (n - 1)) - 2 * between / (m * n)


def distances(a, b):
    return np.sqrt(((a[:, None, :] - b[None, :, :]) ** 2).sum(-1))


def radii(a, k):
    return np.sort(distances(a, a), axis=1)[:, k]


def precision_recall(real, generated, k):
    between = distances(real, generated)
    precision = (between <= radii(real, k)[:, None]).any(0).mean()
    recall = (between <= radii(generated, k)[None, :]).any(1).mean()
    return precision, recall


def density_coverage(real, generated, k):
    inside = distances(real, generated) < radii(real, k)[:, None]
    return inside.sum() / k / len(generated), inside.any(1).mean()


def inception_score(p, parts):
    scores = []
    for part in np.array_split(p, parts):
        divergence = (part * (np.log(part) - np.log(part.mean(0)))).sum(1)
        scores.append(np.exp(divergence.mean()))
    return np.mean(scores), np.std(scores)


def write(path, tensors):
    header, data = {}, b""
    for name, array in tensors.items():
        raw = np.ascontiguousarray(array).tobytes()
        dtype = {"float32": "F32", "float64": "F64"}[str(array.dtype)]
        header[name] = {
            "dtype": dtype,
            "shape": list(array.shape),
            "data_offsets": [len(data), len(data) + len(raw)],
        }
        data += raw
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + data)


rng = np.random.default_rng(16)
D, K = 12, 5
mixing = rng.normal(size=(D, D)) / np.sqrt(D)
real = (rng.normal(size=(220, D)) @ mixing + 3).astype(np.float32)
generated = (1.1 * rng.normal(size=(180, D)) @ mixing + 3.2 + 0.3 * rng.normal(size=(180, D))).astype(np.float32)
logits = 2 * rng.normal(size=(180, K))
p = (np.exp(logits) / np.exp(logits).sum(1, keepdims=True)).astype(np.float32)
a, b = real.astype(np.float64), generated.astype(np.float64)

write(
    sys.argv[1],
    {
        "frechet": np.array([frechet(a, b)]),
        "kernel": np.array([kernel(a, b)]),
        "precision_recall": np.array(precision_recall(a, b, 3)),
        "density_coverage": np.array(density_coverage(a, b, 5)),
        "inception_score": np.array(inception_score(p.astype(np.float64), 6)),
        "mean": a.mean(0),
        "covariance": np.cov(a, rowvar=False),
        "real": real,
        "generated": generated,
        "probabilities": p,
    },
)
