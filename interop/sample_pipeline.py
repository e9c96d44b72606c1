"""Draws images with diffusers: a pipeline's folder, whoever wrote it, from a given noise.

    python interop/sample_pipeline.py PIPELINE NOISE IMAGES [--grid grid.png]

PIPELINE has model_index.json, unet/ and scheduler/, and vqvae/ if it is one of latents; NOISE is a
safetensors file with noise [N,C,H,W]; IMAGES gets images [N,C,H,W], about [-1,1], or pixels of a
pipeline whose images are in [0,1]. Nothing is downloaded.
"""

import argparse

import torch
from safetensors.torch import load_file, save_file
from sampling import be_quiet, draw, load, write_grid


def main():
    parser = argparse.ArgumentParser(description="Draws images with diffusers.")
    parser.add_argument("pipeline")
    parser.add_argument("noise")
    parser.add_argument("images")
    parser.add_argument("--steps", type=int, default=50)
    parser.add_argument("--class", type=int, dest="label", help="of all images")
    parser.add_argument("--guidance", type=float, help="with --own-call, of a DiTPipeline")
    parser.add_argument("--own-call", action="store_true", help="let the pipeline's class draw")
    parser.add_argument("--grid", metavar="PNG", help="also draw a picture")
    parser.add_argument("--double", action="store_true", help="compute in double precision")
    options = parser.parse_args()
    be_quiet()
    pipeline = load(options.pipeline)
    noise = load_file(options.noise)["noise"]
    if options.double:
        for part in pipeline.components.values():
            if isinstance(part, torch.nn.Module):
                part.double()
        noise = noise.double()
    drawn = draw(
        pipeline,
        noise,
        "own",
        options.label,
        options.steps,
        options.own_call,
        options.guidance,
    )
    save_file(drawn, options.images)
    if options.grid:
        write_grid(drawn["images"], options.grid)


if __name__ == "__main__":
    main()
