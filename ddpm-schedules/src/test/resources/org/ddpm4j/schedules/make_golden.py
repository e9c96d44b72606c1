"""Writes golden.json, the values that GoldenScheduleTest compares with: NumPy in double precision, straight
from the papers' formulas, rounded to 13 significant digits.

usage: python3 make_golden.py > golden.json        (NumPy 2)
"""
import json
import math
import sys

import numpy as np

S = 0.008


def linear(timesteps):
    return np.linspace(1e-4, 0.02, timesteps)


def cosine_seed(timesteps):
    """As in the blog post "The Annotated Diffusion Model": normalised, clipped on both sides."""
    u = np.linspace(0, timesteps, timesteps + 1) / timesteps
    f = np.cos((u + S) / (1 + S) * np.pi / 2) ** 2
    alphas_cumprod = f / f[0]
    return np.clip(1 - alphas_cumprod[1:] / alphas_cumprod[:-1], 1e-4, 0.9999)


def cosine_iddpm(timesteps):
    """As in Nichol & Dhariwal 2021: the ratio of f, at most 0.999."""
    def f(u):
        return math.cos((u + S) / (1 + S) * math.pi / 2) ** 2
    return np.array([min(1 - f((t + 1) / timesteps) / f(t / timesteps), 0.999) for t in range(timesteps)])


def constants(betas):
    alphas = 1 - betas
    cumprod = np.cumprod(alphas)
    prev = np.append(1.0, cumprod[:-1])
    return {
        "betas": betas,
        "alphas_cumprod": cumprod,
        "alphas_cumprod_prev": prev,
        "sqrt_recip_alphas": np.sqrt(1 / alphas),
        "sqrt_alphas_cumprod": np.sqrt(cumprod),
        "sqrt_one_minus_alphas_cumprod": np.sqrt(1 - cumprod),
        "log_one_minus_alphas_cumprod": np.log(1 - cumprod),
        "sqrt_recip_alphas_cumprod": np.sqrt(1 / cumprod),
        "sqrt_recipm1_alphas_cumprod": np.sqrt(1 / cumprod - 1),
        "posterior_variance": betas * (1 - prev) / (1 - cumprod),
        "posterior_mean_coef1": betas * np.sqrt(prev) / (1 - cumprod),
        "posterior_mean_coef2": (1 - prev) * np.sqrt(alphas) / (1 - cumprod),
        "snr": cumprod / (1 - cumprod),
    }


golden = {}
for timesteps in (10, 600, 1000):
    for schedule in (linear, cosine_seed, cosine_iddpm):
        table = constants(schedule(timesteps))
        if timesteps == 1000:  # the two that decide the others, to keep the file small
            table = {name: table[name] for name in ("betas", "alphas_cumprod")}
        golden[f"{schedule.__name__}_{timesteps}"] = {
            name: [float(f"{value:.13g}") for value in values] for name, values in table.items()
        }
json.dump(golden, sys.stdout, separators=(",", ":"))
print()
