"""Makes pipelines with diffusers, and what they draw.

    python interop/make_pipelines.py FOLDER [NAME ...]

Writes for each case of cases.py, or those named, a folder NAME:

    pipeline/            model_index.json, unet/, scheduler/ and, of latents, vqvae/, by
                         save_pretrained
    class                the class of all images, where the network knows classes
    steps, guidance      how images are drawn; guidance only where there is some
    called               where images are those of the pipeline's own call
    noise.safetensors    noise [N,C,H,W]
    images.safetensors   images [N,C,H,W], about [-1,1], of that noise by the pipeline's scheduler,
                         which adds, if any, the noise of ddpm4j; pixels of a pipeline whose images
                         are in [0,1]
    ddim.safetensors     the same by DDIM on its chain, where it has one of those that DDIM knows
    images.png           the same
    network.safetensors  x [N,C,H,W], t [N] and class_labels [N], of which
    output.safetensors   y [N,C,H,W] is what the network says

The networks are small and learn for some seconds to denoise pictures of discs, so that images do not
end in black and white alone, where differences would not show.
"""

import argparse
import pathlib
import sys

import diffusers
import torch
from cases import CASES
from diffusers.schedulers.deprecated.scheduling_karras_ve import KarrasVeScheduler
from safetensors.torch import save_file
from sampling import be_quiet, classes, draw, pixels, write_grid

LABEL = 2
BATCH = 8
OF_DDIM = ("linear", "scaled_linear", "squaredcos_cap_v2")
OF_DDPM = (*OF_DDIM, "laplace", "sigmoid")
FLOWS = (diffusers.FlowMatchEulerDiscreteScheduler, diffusers.FlowMatchHeunDiscreteScheduler)


def discs(count, channels, size):
    """Pictures [count,channels,size,size] in [-1,1] of one disc each, and its kind, 0 to 3."""
    labels = torch.randint(0, 4, (count,))
    radius = (size * (0.12 + 0.08 * labels)).view(-1, 1, 1)
    centre = size * (0.3 + 0.4 * torch.rand(count, 2, 1, 1))
    line = torch.arange(size) + 0.5
    distance = torch.hypot(line.view(1, -1, 1) - centre[:, 0], line.view(1, 1, -1) - centre[:, 1])
    inside = (radius - distance + 0.5).clamp(0, 1).unsqueeze(1)
    colour = 0.2 + 0.7 * torch.rand(count, channels, 1, 1)
    return inside * (colour + 0.8) - 0.8, labels


def train_score(unet, scheduler, steps):
    """The same for a network that is told levels of noise, of images in [0,1]."""
    least, greatest = scheduler.config.sigma_min, scheduler.config.sigma_max
    optimiser = torch.optim.Adam(unet.parameters(), lr=2e-3)
    for _ in range(steps):
        x0, _ = discs(BATCH, unet.config.in_channels, unet.config.sample_size)
        eps = torch.randn_like(x0)
        sigma = least * (greatest / least) ** torch.rand(BATCH)
        ratio = sigma.view(-1, 1, 1, 1)
        score = unet((x0 + 1) / 2 + ratio * eps, sigma).sample
        optimiser.zero_grad()
        torch.nn.functional.mse_loss(ratio * score, -eps).backward()
        optimiser.step()


def train_flow(unet, scheduler, steps):
    """The same for a network that is to predict the velocity of a flow."""
    optimiser = torch.optim.Adam(unet.parameters(), lr=2e-3)
    for _ in range(steps):
        x0, _ = discs(BATCH, unet.config.in_channels, unet.config.sample_size)
        eps = torch.randn_like(x0)
        s = torch.rand(BATCH, 1, 1, 1)
        times = scheduler.config.num_train_timesteps * s.flatten()
        loss = torch.nn.functional.mse_loss(unet((1 - s) * x0 + s * eps, times).sample, eps - x0)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()


def train_angles(unet, scheduler, steps):
    """The same for a network that is told the angle between image and noise, and predicts v."""
    optimiser = torch.optim.Adam(unet.parameters(), lr=2e-3)
    for _ in range(steps):
        x0, _ = discs(BATCH, unet.config.in_channels, unet.config.sample_size)
        eps = torch.randn_like(x0)
        angle = torch.rand(BATCH, 1, 1, 1)
        signal, ratio = (angle * torch.pi / 2).cos(), (angle * torch.pi / 2).sin()
        y = unet(signal * x0 + ratio * eps, angle.flatten()).sample
        optimiser.zero_grad()
        torch.nn.functional.mse_loss(y, signal * eps - ratio * x0).backward()
        optimiser.step()


def train_preconditioned(unet, scheduler, steps):
    """The same for a network within the preconditioning of Karras et al. 2022."""
    optimiser = torch.optim.Adam(unet.parameters(), lr=2e-3)
    deviation = scheduler.config.sigma_data
    for _ in range(steps):
        x0, _ = discs(BATCH, unet.config.in_channels, unet.config.sample_size)
        sigma = (1.2 * torch.randn(BATCH, 1, 1, 1) - 1.2).exp()
        x = x0 + sigma * torch.randn_like(x0)
        times = scheduler.precondition_noise(sigma.flatten())
        y = unet(scheduler.precondition_inputs(x, sigma), times).sample
        error = scheduler.precondition_outputs(x, y, sigma) - x0
        weight = (sigma**2 + deviation**2) / (sigma * deviation) ** 2
        optimiser.zero_grad()
        (weight * error**2).mean().backward()
        optimiser.step()


def betas_of(scheduler):
    """What tells another scheduler of a chain whose formula it does not know."""
    return {"beta_schedule": "linear", "trained_betas": scheduler.betas.tolist()}


def train(unet, scheduler, steps):
    """A few steps of Adam on the simple loss; leaves the network in evaluation mode."""
    config = scheduler.config
    formula = {} if config.beta_schedule in OF_DDPM else betas_of(scheduler)
    chain = diffusers.DDPMScheduler.from_config(config, **formula)
    optimiser = torch.optim.Adam(unet.parameters(), lr=2e-3)
    unet.train()
    for _ in range(steps):
        x0, labels = discs(BATCH, unet.config.in_channels, unet.config.sample_size)
        eps = torch.randn_like(x0)
        t = torch.randint(0, config.num_train_timesteps, (BATCH,))
        target = {
            "epsilon": lambda: eps,
            "sample": lambda: x0,
            "v_prediction": lambda: chain.get_velocity(x0, eps, t),
        }[config.prediction_type]()
        given = labels if classes(unet) else None
        loss = torch.nn.functional.mse_loss(
            unet(chain.add_noise(x0, eps, t), t, class_labels=given).sample, target
        )
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    unet.eval()


def autoencoder(kind, options):
    """One of random weights, whose codebook, if it has one, is as wide as latents are."""
    torch.manual_seed(30)
    made = kind(**options).eval()
    if hasattr(made, "quantize"):
        torch.nn.init.normal_(made.quantize.embedding.weight)
    return made


def randomise(unet):
    """Neither scales of one nor biases of zero, so that nothing can be left out."""
    torch.manual_seed(21)
    with torch.no_grad():
        for parameter in unet.parameters():
            if parameter.dim() == 1:
                parameter.add_(0.1 * torch.randn_like(parameter))


def trainer(scheduler):
    """How a network is trained that a scheduler is for."""
    if isinstance(scheduler, (diffusers.ScoreSdeVeScheduler, KarrasVeScheduler)):
        return train_score
    if isinstance(scheduler, FLOWS):
        return train_flow
    if isinstance(scheduler, (diffusers.EDMEulerScheduler, diffusers.EDMDPMSolverMultistepScheduler)):
        return train_preconditioned
    if isinstance(scheduler, diffusers.IPNDMScheduler):
        return train_angles
    return train


def pipeline_of(case, unet, scheduler):
    """The pipeline that belongs to a case's parts."""
    between = None if case.autoencoder is None else autoencoder(*case.autoencoder)
    if case.network is diffusers.DiTTransformer2DModel:
        return diffusers.DiTPipeline(unet, between, scheduler)
    if between is not None:
        return diffusers.LDMPipeline(between, unet, scheduler)
    return (case.pipeline or diffusers.DDPMPipeline)(unet, scheduler)


def make(name, case, folder, networks):
    """Writes one case; networks keeps those that further cases share."""
    scheduler = case.scheduler(**case.options)
    chain = {k: v for k, v in case.options.items() if k.startswith(("beta", "pred", "rescale"))}
    train_it = trainer(scheduler)
    key = repr((case.unet, chain, case.training_steps, train_it.__name__))
    if key not in networks:
        torch.manual_seed(20)
        networks[key] = case.network(**case.unet)
        if case.training_steps:
            train_it(networks[key], scheduler, case.training_steps)
        elif case.pipeline is not None:
            randomise(networks[key])
    unet = networks[key].eval()
    folder.mkdir(parents=True)
    pipeline = pipeline_of(case, unet, scheduler)
    pipeline.set_progress_bar_config(disable=True)
    pipeline.save_pretrained(folder / "pipeline")

    label = None
    if classes(unet):
        label = LABEL
        (folder / "class").write_text(f"{label}\n")
    generator = torch.Generator().manual_seed(5)
    size = unet.config.sample_size
    noise = torch.randn(case.images, unet.config.in_channels, size, size, generator=generator)
    save_file({"noise": noise}, folder / "noise.safetensors")
    # As it is in the file: from_config takes other defaults where it is told what was left out.
    pipeline.scheduler = case.scheduler.from_pretrained(folder / "pipeline" / "scheduler")
    (folder / "steps").write_text(f"{case.steps}\n")
    if case.guidance is not None:
        (folder / "guidance").write_text(f"{case.guidance}\n")
    if case.pipeline is not None:
        (folder / "called").touch()
    own_call = case.pipeline is not None
    drawn = draw(pipeline, noise, "own", label, case.steps, own_call, case.guidance)
    save_file(drawn, folder / "images.safetensors")
    has_ddim = train_it is train and scheduler.config.get("beta_schedule") in OF_DDIM
    if has_ddim and not own_call and case.scheduler is not diffusers.DDIMScheduler:
        save_file(draw(pipeline, noise, "ddim", label, case.steps), folder / "ddim.safetensors")
    images = drawn["images"] if "images" in drawn else 2 * drawn["pixels"] - 1
    write_grid(images, folder / "images.png")
    grey = pixels(images)
    share = ((grey > 0) & (grey < 1)).double().mean().item()
    print(f"{name}: {share:.0%} of pixels are neither black nor white", flush=True)

    inputs = {"x": noise, "t": torch.linspace(0, 999, case.images).round().long()}
    if unet.config.get("time_embedding_type") == "fourier":
        # Noise levels, by which it divides its answers.
        inputs["t"] = torch.linspace(0.1, 2, case.images)
    labels = None if label is None else torch.arange(case.images) % classes(unet)
    with torch.no_grad():
        y = unet(inputs["x"], inputs["t"], class_labels=labels).sample
    if labels is not None:
        inputs["class_labels"] = labels
    save_file(inputs, folder / "network.safetensors")
    save_file({"y": y}, folder / "output.safetensors")


def main():
    parser = argparse.ArgumentParser(description="Makes pipelines with diffusers.")
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(CASES))
    options = parser.parse_args()
    unknown = [name for name in options.names if name not in CASES]
    if unknown:
        sys.exit(f"There is no case {unknown[0]}; there are {', '.join(CASES)}.")
    be_quiet()
    # Networks as small as these only lose by further threads.
    torch.set_num_threads(1)
    networks = {}
    for name in options.names or CASES:
        make(name, CASES[name], options.folder / name, networks)


if __name__ == "__main__":
    main()
