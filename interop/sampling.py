"""Sampling with diffusers from a given noise."""

import json
import pathlib
import sys

import diffusers
import torch
from diffusers.schedulers.deprecated.scheduling_karras_ve import KarrasVeScheduler
from noise import gaussian
from PIL import Image

# Whose classes are not told by their folders.
NAMED = ("ConsistencyModelPipeline", "ScoreSdeVePipeline")

# ddpm4j's, where no other is chosen.
SEED = 0


def scheduler_of(pipeline, choice):
    """The pipeline's own, or DDIM on its chain."""
    own = pipeline.scheduler
    return diffusers.DDIMScheduler.from_config(own.config) if choice == "ddim" else own


def give_noise(scheduler, steps):
    """Gives a scheduler that adds noise ddpm4j's, image by image and step by step.

    ddpm4j numbers what it draws from 1, where 0 is the noise that it begins with, and for DDPM down
    to 1.
    """
    calls = 0

    def given(shape, *_, dtype=None, **__):
        nonlocal calls
        calls += 1
        draw = steps - calls if isinstance(scheduler, diffusers.DDPMScheduler) else calls
        images = [gaussian(SEED, number, draw, tuple(shape)[1:]) for number in range(shape[0])]
        return torch.stack(images).to(dtype or torch.float32)

    module = sys.modules[type(scheduler).__module__]
    if hasattr(module, "randn_tensor"):
        module.randn_tensor = given


def load(folder):
    """A pipeline of any scheduler, whatever its class takes."""
    made = load_verbosely(folder)
    made.set_progress_bar_config(disable=True)
    return made


def load_verbosely(folder):
    kind = diffusers.DDPMPipeline
    index = json.loads((pathlib.Path(folder) / "model_index.json").read_text(encoding="utf-8"))
    if index["_class_name"] == "KarrasVePipeline":
        # diffusers 0.42 finds this scheduler's class by no index, not even by its own.
        return diffusers.KarrasVePipeline(
            diffusers.UNet2DModel.from_pretrained(folder, subfolder="unet"),
            KarrasVeScheduler.from_pretrained(folder, subfolder="scheduler"),
        )
    if index["_class_name"] in NAMED:
        kind = getattr(diffusers, index["_class_name"])
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
    give_noise(scheduler, steps)
    # Flows have neither: their images are as the network sees them.
    x = noise * getattr(scheduler, "init_noise_sigma", 1)
    scaled = getattr(scheduler, "scale_model_input", lambda sample, _: sample)
    for t in scheduler.timesteps:
        times = t.reshape(1).expand(len(x))
        y = unet(scaled(x, t), times, class_labels=labels).sample
        x = scheduler.step(y, t, x).prev_sample.to(noise.dtype)
    return x


def called(pipeline, noise, label=None, steps=50, guidance=None):
    """Pixels [N,C,H,W] of the pipeline's own call, image by image.

    Pipelines and schedulers ask for noise by one name; the first is given, the others are those of
    ddpm4j.
    """
    options = {"num_inference_steps": steps, "output_type": "np"}
    if isinstance(pipeline, diffusers.DiTPipeline):
        options |= {"class_labels": [label], "guidance_scale": guidance}
    else:
        options |= {"batch_size": 1} | ({} if label is None else {"class_labels": label})
    modules = [sys.modules[type(part).__module__] for part in (pipeline, pipeline.scheduler)]
    images = []
    for number, first in enumerate(noise):
        draws = 0

        def given(shape, *_, number=number, first=first, **__):
            nonlocal draws
            drawn = first if draws == 0 else gaussian(SEED, number, draws, tuple(shape)[1:])
            draws += 1
            return drawn[None].to(noise.dtype)

        for module in modules:
            if hasattr(module, "randn_tensor"):
                module.randn_tensor = given
        images.append(torch.from_numpy(pipeline(**options).images))
    return torch.cat(images).permute(0, 3, 1, 2)


def draw(pipeline, noise, choice="own", label=None, steps=50, own_call=False, guidance=None):
    """What a pipeline makes of noise, by the names that files have for it.

    That is pixels where the network sees images in [0,1], and elsewhere images in [-1,1].
    """
    if own_call:
        drawn = called(pipeline, noise, label, steps, guidance)
        if isinstance(pipeline, (diffusers.ScoreSdeVePipeline, diffusers.KarrasVePipeline)):
            return {"pixels": drawn.contiguous()}
        return {"images": (2 * drawn - 1).contiguous()}
    scheduler = scheduler_of(pipeline, choice)
    images = decode(pipeline, sample(network(pipeline), scheduler, noise, label, steps))
    return {"images": images.contiguous()}


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
