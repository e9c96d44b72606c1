"""Writes the golden file of ddpm-diffusion's editing: runs of diffusers' RePaint, DDIM inversion and image-to-image.

usage: python3 bench/make_editing_fixtures.py OUTPUT.json   (needs diffusers 0.42 with torch and scipy)

The network is eps(x, t) = 0.5 tanh(x) + 0.1 sin(t / 50). What diffusers has not (RePaint with learned or large variances,
clipped, or on timesteps at uneven distances) is computed by the paper's formulas. What diffusers draws at random is taken from the file's
`noise`, in the order in which it is drawn; what it does otherwise than the paper is told where it is called.
"""
import json
import sys

import diffusers
import numpy as np
import torch
from diffusers.schedulers import scheduling_repaint

torch.manual_seed(17)
torch.set_num_threads(1)
SHAPE = (1, 1, 2, 4)
LINEAR = dict(beta_schedule="linear", beta_start=1e-4, beta_end=0.02)
SCALED = dict(beta_schedule="scaled_linear", beta_start=0.00085, beta_end=0.012)


def numbers(values):
    return [float(f"{v:.9g}") for v in np.asarray(values, dtype=np.float64).ravel()]


def network(x, t):
    return 0.5 * torch.tanh(x) + 0.1 * np.sin(float(t) / 50.0) * torch.ones_like(x)


IMAGE = torch.rand(SHAPE, dtype=torch.float64) * 2 - 1
MASK = torch.tensor([1, 1, 0, 0, 1, 0, 0, 1], dtype=torch.float64).reshape(SHAPE)


def repaint(steps, jump_length, resamplings, chain):
    """Steps of diffusers in the order of the paper's authors.

    The timesteps are those of the states, as in the authors' program: from one to the next, the state is denoised or
    gets noise added. (diffusers' pipeline takes the same numbers for the timesteps to denoise at, so that it jumps from
    one state later, and at the end from clean images.) With eta = 1, DDIM's steps are DDPM's, unless x0 is clipped:
    DDIM does not change eps then.
    """
    scheduler = diffusers.RePaintScheduler(num_train_timesteps=chain, eta=1.0, clip_sample=False, **LINEAR)
    scheduler.set_timesteps(steps, jump_length, resamplings)
    stride = chain // steps
    timesteps = [int(t) for t in scheduler.timesteps] + [-stride]
    noise = torch.randn(len(timesteps), *SHAPE, dtype=torch.float64)
    queue = []
    scheduling_repaint.randn_tensor = lambda shape, **_: queue.pop(0)
    x = noise[0]
    states = []
    for k in range(1, len(timesteps)):
        before, after = timesteps[k - 1], timesteps[k]
        if after < before:
            queue.append(noise[k])
            x = scheduler.step(network(x, before), before, x, IMAGE, MASK, return_dict=False)[0]
        else:
            # One draw makes the whole jump of `stride` timesteps, so that a respaced chain can repeat it: the last of
            # diffusers' draws gets the variance of all, the others are 0.
            betas = scheduler.betas[before + 1 : after + 1].double()
            spread = torch.sqrt((1 - torch.prod(1 - betas)) / betas[-1])
            queue.extend([torch.zeros(SHAPE, dtype=torch.float64)] * (stride - 1) + [noise[k] * spread])
            x = scheduler.undo_step(x, before + 1)
        assert not queue
        states.append(numbers(x))
    return dict(
        steps=steps,
        jump_length=jump_length,
        resamplings=resamplings,
        chain=chain,
        noise=[numbers(n) for n in noise],
        states=states,
    )


def repaint_of_paper(jump_length, resamplings, chain, kept, variance, clip, seed):
    """Lugmayr et al. 2022, algorithm 1 (its line 4 with the root of eq. 8a), of the timesteps `kept` of a chain.

    The reverse process is Ho et al. 2020, eq. 7, at the estimate of x0; a learned variance is Nichol and Dhariwal 2021,
    eq. 15, interpolated by sin(3x).
    """
    rng = np.random.default_rng(seed)
    image, mask = IMAGE.numpy(), MASK.numpy()
    betas = np.linspace(LINEAR["beta_start"], LINEAR["beta_end"], chain)
    bar = np.cumprod(1 - betas)[kept]
    before = np.append(1.0, bar[:-1])
    beta = 1 - bar / before
    scheduler = diffusers.RePaintScheduler(num_train_timesteps=len(kept))
    scheduler.set_timesteps(len(kept), jump_length, resamplings)
    visited = [int(t) for t in scheduler.timesteps] + [-1]
    noise = rng.normal(size=(len(visited), *SHAPE))
    x = noise[0]
    states = []
    for k in range(1, len(visited)):
        to, z = visited[k], noise[k]
        if to > visited[k - 1]:
            x = np.sqrt(1 - beta[to]) * x + np.sqrt(beta[to]) * z
        else:
            t = to + 1
            eps = network(torch.tensor(x), kept[t]).numpy()
            x0 = (x - np.sqrt(1 - bar[t]) * eps) / np.sqrt(bar[t])
            if clip:
                x0 = np.clip(x0, -1, 1)
            mean = np.sqrt(before[t]) * beta[t] / (1 - bar[t]) * x0
            mean += np.sqrt(1 - beta[t]) * (1 - before[t]) / (1 - bar[t]) * x
            if t > 0:
                least = beta[t] * (1 - before[t]) / (1 - bar[t])
                share = dict(posterior=0, beta=1, learned=(np.sin(3 * x) + 1) / 2)[variance]
                mean += np.exp((share * np.log(beta[t]) + (1 - share) * np.log(least)) / 2) * z
            known = np.sqrt(before[t]) * image + np.sqrt(1 - before[t]) * z
            x = mask * known + (1 - mask) * mean
        states.append(numbers(x))
    return dict(
        jump_length=jump_length,
        resamplings=resamplings,
        chain=chain,
        kept=list(kept),
        variance=variance,
        clip=clip,
        noise=[numbers(z) for z in noise],
        states=states,
    )


def schedule_only(steps, jump_length, resamplings):
    scheduler = diffusers.RePaintScheduler(num_train_timesteps=steps, **LINEAR)
    scheduler.set_timesteps(steps, jump_length, resamplings)
    return dict(
        steps=steps,
        jump_length=jump_length,
        resamplings=resamplings,
        timesteps=[int(t) for t in scheduler.timesteps],
    )


def inversion(steps, config):
    scheduler = diffusers.DDIMInverseScheduler(
        num_train_timesteps=1000, clip_sample=False, set_alpha_to_one=True, **config
    )
    scheduler.set_timesteps(steps)
    x = IMAGE
    states = []
    for t in scheduler.timesteps:
        x = scheduler.step(network(x, t), t, x, return_dict=False)[0]
        states.append(numbers(x))
    return dict(config=config, steps=steps, timesteps=[int(t) for t in scheduler.timesteps], states=states)


def image_to_image(name, steps, strength, config):
    """The logic of diffusers' StableDiffusionImg2ImgPipeline."""
    scheduler = getattr(diffusers, name)(num_train_timesteps=1000, **config)
    scheduler.set_timesteps(steps)
    t_start = max(steps - min(int(steps * strength), steps), 0)
    timesteps = scheduler.timesteps[t_start * scheduler.order :]
    if hasattr(scheduler, "set_begin_index"):
        scheduler.set_begin_index(t_start * scheduler.order)
    noise = torch.randn(SHAPE, dtype=torch.float64)
    x = scheduler.add_noise(IMAGE, noise, timesteps[:1])
    states = [numbers(x)]
    for t in timesteps:
        x = scheduler.step(network(scheduler.scale_model_input(x, t), t), t, x, return_dict=False)[0]
        states.append(numbers(x))
    return dict(
        scheduler=name,
        config=config,
        steps=steps,
        strength=strength,
        noise=numbers(noise),
        timesteps=[float(t) for t in timesteps],
        states=states,
    )


DDIM, DPM = "DDIMScheduler", "DPMSolverMultistepScheduler"
fixtures = dict(
    image=numbers(IMAGE),
    mask=numbers(MASK),
    resampling=[
        schedule_only(*args)
        for args in [(250, 10, 10), (20, 5, 3), (11, 10, 2), (10, 10, 4), (7, 1, 2), (9, 4, 1)]
    ],
    repaint=[
        repaint(20, 4, 3, 20),
        repaint(12, 3, 1, 60),
        repaint(10, 2, 2, 100),
        repaint(10, 3, 3, 1000),
    ],
    repaint_of_paper=[
        repaint_of_paper(3, 2, 1000, [0, 3, 77, 250, 251, 600, 999], "learned", False, 1),
        repaint_of_paper(2, 3, 100, [1, 2, 30, 55, 98], "beta", True, 2),
        repaint_of_paper(1, 2, 12, list(range(12)), "learned", True, 3),
        repaint_of_paper(4, 2, 500, [10, 20, 40, 80, 160, 320, 410, 444], "posterior", True, 4),
    ],
    inversion=[inversion(steps, config) for steps in (5, 20) for config in (LINEAR, SCALED)],
    image_to_image=[
        image_to_image(DDIM, steps, strength, dict(clip_sample=False, **schedule))
        for schedule in (LINEAR, SCALED)
        for steps, strength in [(10, 0.5), (20, 0.8), (10, 1.0), (7, 0.3)]
    ]
    + [
        image_to_image(DPM, steps, strength, dict(solver_order=order, **schedule))
        for schedule in (LINEAR, SCALED)
        for order in (1, 2, 3)
        for steps, strength in [(10, 0.5), (14, 0.8), (30, 0.6), (6, 1.0)]
    ],
)
with open(sys.argv[1], "w") as file:
    json.dump(fixtures, file, separators=(",", ":"))
    file.write("\n")
