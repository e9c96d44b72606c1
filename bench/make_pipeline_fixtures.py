"""Small pipelines of diffusers and what they draw, for GoldenPipelinesTest.

Needs diffusers (interop/requirements.txt). Writes a folder for each: pipeline/, as diffusers saves
it but with its weights in half precision, and io.safetensors, in which diffusers' own pipeline has
made images of noise.

    python bench/make_pipeline_fixtures.py ddpm-diffusion/src/test/resources/org/ddpm4j/diffusion/diffusers
"""

import argparse
import pathlib
import sys

import diffusers
import numpy
import torch
from diffusers.schedulers.deprecated.scheduling_karras_ve import KarrasVeScheduler
from safetensors.torch import load_file, save_file

STEPS = 5


def randomised(model, seed):
    """The same with weights that leave nothing out and are exact in half precision."""
    torch.manual_seed(seed)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.dim() == 1:
                parameter.add_(0.1 * torch.randn_like(parameter))
            if name.startswith("quantize"):
                parameter.normal_()
            parameter.copy_(parameter.half().float())
    return model.eval()


def latents_of(kind, **more):
    options = {
        "down_block_types": ["DownEncoderBlock2D", "DownEncoderBlock2D"],
        "up_block_types": ["UpDecoderBlock2D", "UpDecoderBlock2D"],
        "block_out_channels": [4, 4],
        "norm_num_groups": 2,
        "latent_channels": 2,
        "sample_size": 8,
    }
    torch.manual_seed(7)
    return randomised(kind(**options | more), 8)


def unet(channels, size):
    torch.manual_seed(5)
    made = diffusers.UNet2DModel(
        sample_size=size,
        in_channels=channels,
        out_channels=channels,
        block_out_channels=[8],
        down_block_types=["DownBlock2D"],
        up_block_types=["UpBlock2D"],
        layers_per_block=1,
        norm_num_groups=2,
        mid_block_type=None,
    )
    return randomised(made, 6)


def ldm_vq():
    scheduler = diffusers.DDIMScheduler(beta_schedule="scaled_linear", clip_sample=False)
    between = latents_of(
        diffusers.VQModel, num_vq_embeddings=16, vq_embed_dim=3, scaling_factor=0.7
    )
    return diffusers.LDMPipeline(between, unet(3, 4), scheduler), (3, 4, 4), {}


def ldm_kl():
    scheduler = diffusers.DDIMScheduler(clip_sample=False, prediction_type="v_prediction")
    between = latents_of(diffusers.AutoencoderKL, scaling_factor=1.3)
    return diffusers.LDMPipeline(between, unet(2, 4), scheduler), (2, 4, 4), {}


def ncsnpp():
    torch.manual_seed(9)
    made = diffusers.UNet2DModel(
        sample_size=8,
        block_out_channels=[4, 8],
        down_block_types=["SkipDownBlock2D"] * 2,
        up_block_types=["SkipUpBlock2D"] * 2,
        layers_per_block=1,
        mid_block_type=None,
        norm_num_groups=None,
        attention_head_dim=None,
        time_embedding_type="fourier",
        center_input_sample=True,
    )
    return randomised(made, 10)


def score_sde():
    scheduler = diffusers.ScoreSdeVeScheduler(
        sigma_min=0.1, sigma_max=0.7, correct_steps=2, snr=0.1
    )
    return diffusers.ScoreSdeVePipeline(ncsnpp(), scheduler), (3, 8, 8), {}


def karras_ve():
    scheduler = KarrasVeScheduler(sigma_min=0.3, sigma_max=1.2, s_churn=3)
    return diffusers.KarrasVePipeline(ncsnpp(), scheduler), (3, 8, 8), {}


def dit():
    torch.manual_seed(11)
    network = diffusers.DiTTransformer2DModel(
        num_attention_heads=2,
        attention_head_dim=4,
        in_channels=2,
        out_channels=4,
        num_layers=1,
        sample_size=4,
    )
    scheduler = diffusers.DDIMScheduler(clip_sample=False)
    between = latents_of(diffusers.AutoencoderKL, scaling_factor=1.3)
    labels = {i: f"name {i}, or so" for i in range(3)}
    pipeline = diffusers.DiTPipeline(randomised(network, 12), between, scheduler, labels)
    return pipeline, (2, 4, 4), {"class_labels": [2], "guidance_scale": 3.0}


PIPELINES = {"dit": dit, "ldm_vq": ldm_vq, "ldm_kl": ldm_kl, "score_sde": score_sde, "karras_ve": karras_ve}


def draw(pipeline, noise, options):
    """What the pipeline's own call draws, one image at a time, without clamping it at the end.

    Pipelines and schedulers ask for noise by this name. All later noise is the first, backwards.
    """
    images = []
    torch.Tensor.clamp = lambda pixels, *_: pixels
    for one in noise:
        asked = []

        def given(*_, start=one[None], asked=asked, **__):
            asked.append(True)
            return start.clone() if len(asked) == 1 else start.flip(3).clone()

        for part in (pipeline, pipeline.scheduler):
            module = sys.modules[type(part).__module__]
            if hasattr(module, "randn_tensor"):
                module.randn_tensor = given
        options = options or {"batch_size": 1}
        drawn = pipeline(num_inference_steps=STEPS, output_type="np", **options).images
        images.append(drawn)
    return numpy.concatenate(images)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(PIPELINES))
    arguments = parser.parse_args()
    diffusers.logging.set_verbosity_error()
    diffusers.logging.disable_progress_bar()
    for name in arguments.names or PIPELINES:
        pipeline, shape, options = PIPELINES[name]()
        pipeline.set_progress_bar_config(disable=True)
        folder = arguments.folder / name
        pipeline.save_pretrained(folder / "pipeline")
        for file in folder.glob("pipeline/*/*.safetensors"):
            tensors = {key: tensor.half() for key, tensor in load_file(file).items()}
            save_file(tensors, file, {"format": "pt"})
        noise = torch.randn(2, *shape, generator=torch.Generator().manual_seed(1))
        images = numpy.ascontiguousarray(draw(pipeline, noise, options).transpose(0, 3, 1, 2))
        save_file({"noise": noise, "pixels": torch.from_numpy(images)}, folder / "io.safetensors")
        print(name, images.min(), images.max(), images.std())


if __name__ == "__main__":
    main()
