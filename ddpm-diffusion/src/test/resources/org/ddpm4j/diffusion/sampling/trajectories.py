"""Runs of diffusers' schedulers on a closed-form model, in the format of sampler_trajectories.json.

A run with the variance type learned_range has a model of twice as many channels, the second half of which is tanh(x).
Needs diffusers 0.42 with torch and scipy.
"""
import importlib
import json

import diffusers
import numpy as np
import torch

torch.manual_seed(11)
torch.set_num_threads(1)
SIZE = 8
NOISE = torch.randn(20, 1, 1, 1, SIZE, dtype=torch.float64)
X_T = torch.randn(1, 1, 1, SIZE, dtype=torch.float64)


def numbers(values):
    return [float(f"{v:.9g}") for v in np.asarray(values, dtype=np.float64).ravel()]


def model(x, t, learned):
    eps = 0.5 * torch.tanh(x) + 0.1 * np.sin(float(t) / 50.0) * torch.ones_like(x)
    return torch.cat([eps, torch.tanh(x)], dim=1) if learned else eps


def run(name, steps, config, step_args):
    scheduler = getattr(diffusers, name)(**{"num_train_timesteps": 1000, **config})
    draws = [0]

    def noise(shape, generator=None, device=None, dtype=None, layout=None):
        draws[0] += 1
        return NOISE[draws[0] - 1].to(dtype or torch.float64).reshape(shape)

    module = importlib.import_module(type(scheduler).__module__)
    if hasattr(module, "randn_tensor"):
        module.randn_tensor = noise
    scheduler.set_timesteps(steps)
    x = X_T.clone() * float(getattr(scheduler, "init_noise_sigma", 1.0))
    states = []
    learned = config.get("variance_type") == "learned_range"
    for t in scheduler.timesteps:
        # Those of flows do not scale.
        scaled = scheduler.scale_model_input(x, t) if hasattr(scheduler, "scale_model_input") else x
        prediction = model(scaled, t, learned)
        x = scheduler.step(prediction, t, x, **step_args, return_dict=False)[0]
        states.append(numbers(x))
    return dict(
        scheduler=name,
        config=config,
        steps=steps,
        step_args=step_args,
        timesteps=[float(t) for t in scheduler.timesteps],
        states=states,
    )


LINEAR = dict(beta_schedule="linear", beta_start=1e-4, beta_end=0.02)
SCALED = dict(beta_schedule="scaled_linear", beta_start=0.00085, beta_end=0.012)
DDPM, DDIM, PNDM = "DDPMScheduler", "DDIMScheduler", "PNDMScheduler"
DPM, UNIPC, DEIS = "DPMSolverMultistepScheduler", "UniPCMultistepScheduler", "DEISMultistepScheduler"
EULER, ANCESTRAL = "EulerDiscreteScheduler", "EulerAncestralDiscreteScheduler"
HEUN, LMS = "HeunDiscreteScheduler", "LMSDiscreteScheduler"


def write(runs, file):
    about = "as in sampler_trajectories.json; diffusers " + diffusers.__version__
    golden = dict(about=about, x_T=numbers(X_T), noise=[numbers(n) for n in NOISE], runs=runs)
    with open(file, "w") as f:
        json.dump(golden, f, separators=(",", ":"))
        f.write("\n")
