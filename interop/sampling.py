"""Sampling with diffusers from a given noise."""

import pathlib

import diffusers
import torch
from PIL import Image


def scheduler_of(pipeline, choice):
    """DDIM on the pipeline's chain, or its own; DDIM for that of DDPM, which adds noise."""
    own = pipeline.scheduler
    if choice == "ddim" or isinstance(own, diffusers.DDPMScheduler):
        return diffusers.DDIMScheduler.from_config(own.config)
    return own


def load(folder):
    """A pipeline of any scheduler, whatever its class takes."""
    kind = diffusers.DDPMPipeline
    if (pathlib.Path(folder) / "vqvae").exists():
        kind = diffusers.LDMPipeline
    if (pathlib.Path(folder) / "transformer").exists():
        kind = diffusers.DiTPipeline
    return kind.from_pretrained(folder, local_files_only=True)


def network(pipeline):
    """The U-Net, or what is in its place."""
    return pipeline.transformer if hasattr(pipeline, "transformer") else pipeline.unet


def classes(network):
    """How many the network knows, none not among them; 0 if it is told none."""
    return network.config.get("num_class_embeds") or network.config.get("num_embeds_ada_norm") or 0


@torch.no_grad()
def decode(pipeline, latents):
    """Images of latents, as LDMPipeline makes them; without an autoencoder they are the images."""
    autoencoder = getattr(pipeline, "vqvae", None) or getattr(pipeline, "vae", None)
    if autoencoder is None:
        return latents
    return autoencoder.decode(latents / autoencoder.config.scaling_factor).sample


@torch.no_grad()
def sample(unet, scheduler, noise, label=None, steps=50):
    """Images [N,C,H,W], about [-1,1], of noise [N,C,H,W]; all of one class, or of none."""
    labels = None if label is None else torch.full((len(noise),), label)
    scheduler.set_timesteps(steps)
    x = noise * scheduler.init_noise_sigma
    for t in scheduler.timesteps:
        times = t.reshape(1).expand(len(x))
        y = unet(scheduler.scale_model_input(x, t), times, class_labels=labels).sample
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
