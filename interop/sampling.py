"""Sampling with diffusers from a given noise."""

import diffusers
import torch
from PIL import Image


def scheduler_of(pipeline, choice):
    """DDIM on the pipeline's chain, or its own; DDIM for that of DDPM, which adds noise."""
    own = pipeline.scheduler
    if choice == "ddim" or isinstance(own, diffusers.DDPMScheduler):
        return diffusers.DDIMScheduler.from_config(own.config)
    return own


@torch.no_grad()
def sample(unet, scheduler, noise, label=None, steps=50):
    """Images [N,C,H,W], about [-1,1], of noise [N,C,H,W]; all of one class, or of none."""
    labels = None if label is None else torch.full((len(noise),), label)
    scheduler.set_timesteps(steps)
    x = noise * scheduler.init_noise_sigma
    for t in scheduler.timesteps:
        y = unet(scheduler.scale_model_input(x, t), t, class_labels=labels).sample
        x = scheduler.step(y, t, x).prev_sample.to(noise.dtype)
    return x


def pixels(images):
    """Images in [-1,1] as pixels in [0,1]."""
    return (images / 2 + 0.5).clamp(0, 1)


def write_grid(images, file):
    """Draws images of 1 or 3 channels side by side."""
    rows = (pixels(images.double()) * 255).round().byte().permute(0, 2, 3, 1)
    row = torch.cat(list(rows), dim=1)
    Image.fromarray(row.squeeze(2).numpy()).save(file)



def be_quiet():
    """diffusers warns of every pipeline whose scheduler is not the one its class names."""
    diffusers.logging.set_verbosity_error()
    diffusers.logging.disable_progress_bar()
