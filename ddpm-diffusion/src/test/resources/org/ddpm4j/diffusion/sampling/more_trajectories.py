"""Writes more_trajectories.json: runs of diffusers' schedulers with options that sampler_trajectories.json leaves out.

Format and model are those of sampler_trajectories.json. A run with the variance type learned_range has a model of
twice as many channels, the second half of which is tanh(x).

usage: python3 more_trajectories.py more_trajectories.json   (needs diffusers 0.42 with torch and scipy)
"""
import importlib
import json
import sys

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
    scheduler = getattr(diffusers, name)(num_train_timesteps=1000, **config)
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
        prediction = model(scheduler.scale_model_input(x, t), t, learned)
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

runs = []
for schedule in (LINEAR, SCALED):

    def add(name, steps=7, step_args=None, **config):
        runs.append(run(name, steps, dict(schedule, **config), step_args or {}))

    add(DDPM, variance_type="learned_range", clip_sample=False)
    add(DDPM, thresholding=True, sample_max_value=2.0, clip_sample=False)
    add(DDPM, steps_offset=1, clip_sample=False)
    add(DDIM, thresholding=True, sample_max_value=2.0, clip_sample=False, step_args=dict(eta=0.7))
    add(DDIM, steps_offset=1, set_alpha_to_one=False, clip_sample=False)
    add(DDIM, timestep_spacing="trailing", clip_sample=False)
    add(PNDM, steps_offset=1)
    add(PNDM, steps_offset=1, skip_prk_steps=True)
    add(PNDM, set_alpha_to_one=True, prediction_type="epsilon")
    for spacing in ("leading", "trailing"):
        add(DPM, timestep_spacing=spacing)
        add(UNIPC, timestep_spacing=spacing)
        add(DEIS, timestep_spacing=spacing)
        add(EULER, timestep_spacing=spacing)
        add(ANCESTRAL, timestep_spacing=spacing)
        add(HEUN, timestep_spacing=spacing)
        add(LMS, timestep_spacing=spacing, step_args=dict(order=3))
    for karras in (DPM, UNIPC, DEIS, EULER, HEUN, LMS):
        add(karras, use_karras_sigmas=True)
        add(karras, use_karras_sigmas=True, timestep_spacing="trailing", steps=9)
        add(karras, prediction_type="v_prediction")
    for order in (1, 2, 3):
        add(DPM, solver_order=order, steps=16)
        add(UNIPC, solver_order=order, steps=16)
        add(DEIS, solver_order=order, steps=16)
    add(DPM, final_sigmas_type="sigma_min", steps=16)
    add(DPM, final_sigmas_type="sigma_min")
    add(DPM, thresholding=True, sample_max_value=1.5)
    add(DPM, algorithm_type="sde-dpmsolver++", solver_order=1)
    add(HEUN, prediction_type="sample")
    add(LMS, prediction_type="sample")
    for spacing in ("leading", "trailing", "linspace"):
        for rescaled in (DPM, UNIPC, EULER, ANCESTRAL):
            add(rescaled, rescale_betas_zero_snr=True, prediction_type="v_prediction", timestep_spacing=spacing)
    add(HEUN, clip_sample=True)
    add(DDPM, clip_sample_range=0.5)
    add(DDPM, variance_type="fixed_small_log")
    add(DDIM, trained_betas=[1e-4 * (1 + t % 7) for t in range(1000)])
runs.append(run(DDPM, 7, dict(beta_schedule="sigmoid"), {}))

about = "as in sampler_trajectories.json; diffusers " + diffusers.__version__
with open(sys.argv[1], "w") as f:
    json.dump(dict(about=about, x_T=numbers(X_T), noise=[numbers(n) for n in NOISE], runs=runs), f, separators=(",", ":"))
    f.write("\n")
