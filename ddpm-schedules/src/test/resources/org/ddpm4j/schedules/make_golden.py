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


def quadratic(timesteps):
    return np.linspace(1e-4 ** 0.5, 0.02 ** 0.5, timesteps) ** 2


def scaled_linear(timesteps):
    """diffusers' name and ends of the quadratic schedule."""
    return np.linspace(0.00085 ** 0.5, 0.012 ** 0.5, timesteps) ** 2


def sigmoid(timesteps):
    return 1 / (1 + np.exp(-np.linspace(-6, 6, timesteps))) * (0.02 - 1e-4) + 1e-4


def constant(timesteps):
    return np.full(timesteps, 0.02)


def jsd(timesteps):
    return 1 / np.linspace(timesteps, 1, timesteps)


def linear_zero_terminal_snr(timesteps):
    """Lin et al. 2024, algorithm 1."""
    root = np.sqrt(np.cumprod(1 - linear(timesteps)))
    rescaled = ((root - root[-1]) * root[0] / (root[0] - root[-1])) ** 2
    return 1 - np.append(rescaled[0], rescaled[1:] / rescaled[:-1])


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


def exponential(timesteps):
    """diffusers' exp."""
    return of_alphas_cumprod(lambda u: math.exp(-12.0 * u), timesteps)


def laplace(timesteps):
    """Hang and Gu 2024, with diffusers' 1e-6."""
    return of_alphas_cumprod(laplace_signal, timesteps)


def laplace_diffusers(timesteps):
    return of_alphas_cumprod(lambda u: math.sqrt(laplace_signal(u)), timesteps)


def laplace_signal(u):
    log_snr = -0.5 * math.copysign(1, 0.5 - u) * math.log(1 - 2 * math.fabs(0.5 - u) + 1e-06)
    return math.exp(log_snr) / (1 + math.exp(log_snr))


def sigmoid_jabri(timesteps):
    """Jabri et al. 2022, figure 8; in extended precision, since the sigmoids nearly cancel."""
    def sigma(x):
        return 1 / (1 + np.exp(-np.longdouble(x)))
    u = np.arange(timesteps + 1, dtype=np.longdouble) / timesteps
    signal = (sigma(3) - sigma(-3 + 6 * u)) / (sigma(3) - sigma(-3))
    return np.minimum(1 - signal[1:] / signal[:-1], np.longdouble("0.999")).astype(float)


def of_alphas_cumprod(f, timesteps):
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


# Those that end with β = 1 have constants that are infinite there.
ENDING_IN_NOISE = {jsd: ("betas",), linear_zero_terminal_snr: ("betas", "alphas_cumprod")}
SCHEDULES = (linear, scaled_linear, quadratic, sigmoid, cosine_seed, cosine_iddpm, constant, exponential, laplace, laplace_diffusers,
             sigmoid_jabri, *ENDING_IN_NOISE)

golden = {}
for timesteps in (10, 600, 1000):
    for schedule in SCHEDULES:
        with np.errstate(divide="ignore"):
            table = constants(schedule(timesteps))
        names = ENDING_IN_NOISE.get(schedule, table)
        if timesteps == 600 and schedule in (exponential, laplace, laplace_diffusers, sigmoid_jabri):
            continue
        if timesteps == 1000:  # the two that decide the others, to keep the file small
            names = [name for name in ("betas", "alphas_cumprod") if name in names]
        golden[f"{schedule.__name__}_{timesteps}"] = {
            name: [float(f"{value:.13g}") for value in table[name]] for name in names
        }
json.dump(golden, sys.stdout, separators=(",", ":"))
print()
