"""The pipelines of the check: small networks, each with a scheduler of diffusers."""

from typing import NamedTuple

import diffusers
from diffusers.schedulers.deprecated.scheduling_karras_ve import KarrasVeScheduler

# google/ddpm-cifar10-32, as its config.json has it.
CIFAR10 = {
    "sample_size": 32,
    "in_channels": 3,
    "out_channels": 3,
    "block_out_channels": [128, 256, 256, 256],
    "down_block_types": ["DownBlock2D", "AttnDownBlock2D", "DownBlock2D", "DownBlock2D"],
    "up_block_types": ["UpBlock2D", "UpBlock2D", "AttnUpBlock2D", "UpBlock2D"],
    "layers_per_block": 2,
    "attention_head_dim": None,
    "norm_num_groups": 32,
    "norm_eps": 1e-6,
    "act_fn": "silu",
    "downsample_padding": 0,
    "flip_sin_to_cos": False,
    "freq_shift": 1,
    "mid_block_scale_factor": 1,
    "center_input_sample": False,
    "time_embedding_type": "positional",
}

PLAIN = {
    "sample_size": 16,
    "in_channels": 1,
    "out_channels": 1,
    "block_out_channels": [16, 32],
    "down_block_types": ["DownBlock2D", "AttnDownBlock2D"],
    "up_block_types": ["AttnUpBlock2D", "UpBlock2D"],
    "layers_per_block": 1,
    "norm_num_groups": 8,
}

CLASSES = PLAIN | {"num_class_embeds": 4}

RESNETS = {
    "sample_size": 16,
    "in_channels": 3,
    "out_channels": 3,
    "block_out_channels": [16, 32],
    "down_block_types": ["ResnetDownsampleBlock2D", "AttnDownBlock2D"],
    "up_block_types": ["AttnUpBlock2D", "ResnetUpsampleBlock2D"],
    "downsample_type": "resnet",
    "upsample_type": "resnet",
    "resnet_time_scale_shift": "scale_shift",
    "layers_per_block": 1,
    "norm_num_groups": 8,
}


# The blocks of NCSN++, told timesteps.
SKIPS = {
    "sample_size": 16,
    "in_channels": 3,
    "out_channels": 3,
    "block_out_channels": [32, 32],
    "down_block_types": ["SkipDownBlock2D", "AttnSkipDownBlock2D"],
    "up_block_types": ["AttnSkipUpBlock2D", "SkipUpBlock2D"],
    "layers_per_block": 1,
    "mid_block_scale_factor": 2**0.5,
    "norm_num_groups": None,
}

# Latents of 16 by 16, of which an autoencoder makes images of 32 by 32.
LATENTS = PLAIN | {"in_channels": 3, "out_channels": 3}

AUTOENCODER = {
    "down_block_types": ["DownEncoderBlock2D", "DownEncoderBlock2D"],
    "up_block_types": ["UpDecoderBlock2D", "UpDecoderBlock2D"],
    "block_out_channels": [16, 32],
    "norm_num_groups": 8,
    "latent_channels": 3,
    "sample_size": 32,
}

CODEBOOK = AUTOENCODER | {"num_vq_embeddings": 64, "scaling_factor": 0.8}


TRANSFORMER = {
    "num_attention_heads": 2,
    "attention_head_dim": 16,
    "in_channels": 3,
    "num_layers": 2,
    "sample_size": 16,
    "num_embeds_ada_norm": 4,
}


# As openai/diffusers-cd_imagenet64_l2, a tenth as wide.
CONSISTENCY = {
    "sample_size": 16,
    "block_out_channels": [16, 32, 32],
    "down_block_types": ["ResnetDownsampleBlock2D", "AttnDownBlock2D", "AttnDownBlock2D"],
    "up_block_types": ["AttnUpBlock2D", "AttnUpBlock2D", "ResnetUpsampleBlock2D"],
    "layers_per_block": 2,
    "downsample_type": "resnet",
    "upsample_type": "resnet",
    "flip_sin_to_cos": False,
    "attention_head_dim": 16,
    "norm_num_groups": 8,
    "attn_norm_num_groups": 8,
    "resnet_time_scale_shift": "scale_shift",
    "num_class_embeds": 4,
}

# As google/ncsnpp-celebahq-256.
NCSNPP = SKIPS | {
    "time_embedding_type": "fourier",
    "center_input_sample": True,
    "attention_head_dim": None,
    "norm_eps": 1e-6,
}

# As facebook/DiT-XL-2-256, whose pipeline takes class 1000 for none.
DIT = TRANSFORMER | {"out_channels": 6, "num_embeds_ada_norm": 1000}


class Case(NamedTuple):
    """A network and its scheduler; training_steps on pictures of discs make it a denoiser.

    With an autoencoder, a class of diffusers and its options, the discs are latents. Networks that
    are not trained have random weights. A pipeline is one whose own call draws.
    """

    unet: dict
    scheduler: type
    options: dict
    training_steps: int = 100
    images: int = 4
    autoencoder: tuple | None = None
    network: type = diffusers.UNet2DModel
    pipeline: type | None = None
    steps: int = 50
    guidance: float | None = None


LINEAR = {"beta_schedule": "linear", "beta_start": 1e-4, "beta_end": 0.02}
SCALED_LINEAR = {"beta_schedule": "scaled_linear", "beta_start": 8.5e-4, "beta_end": 0.012}
COSINE = {"beta_schedule": "squaredcos_cap_v2"}
EPSILON = {"prediction_type": "epsilon"}
SAMPLE = {"prediction_type": "sample"}
V = {"prediction_type": "v_prediction"}
ZERO_SNR = {"rescale_betas_zero_snr": True, "timestep_spacing": "trailing"}

CASES = {
    "ddim": Case(PLAIN, diffusers.DDIMScheduler, LINEAR | EPSILON),
    "ddim-sample": Case(RESNETS, diffusers.DDIMScheduler, SCALED_LINEAR | SAMPLE),
    "ddim-v": Case(CLASSES, diffusers.DDIMScheduler, COSINE | V),
    "ddim-zero-snr": Case(PLAIN, diffusers.DDIMScheduler, SCALED_LINEAR | V | ZERO_SNR),
    "ddpm": Case(RESNETS, diffusers.DDPMScheduler, LINEAR | EPSILON),
    "ddpm-classes": Case(CLASSES, diffusers.DDPMScheduler, COSINE | SAMPLE),
    # Too large to be trained here, and v because the chain of an untrained network that predicts ε
    # is chaotic: rounding alone makes another picture.
    "ddpm-cifar10": Case(CIFAR10, diffusers.DDPMScheduler, LINEAR | V, training_steps=0, images=2),
    "dpmsolver": Case(PLAIN, diffusers.DPMSolverMultistepScheduler, LINEAR | EPSILON),
    "dpmsolver-v": Case(CLASSES, diffusers.DPMSolverMultistepScheduler, COSINE | V),
    "unipc": Case(PLAIN, diffusers.UniPCMultistepScheduler, LINEAR | EPSILON),
    "unipc-sample": Case(RESNETS, diffusers.UniPCMultistepScheduler, SCALED_LINEAR | SAMPLE),
    "deis": Case(PLAIN, diffusers.DEISMultistepScheduler, LINEAR | EPSILON),
    "pndm": Case(PLAIN, diffusers.PNDMScheduler, LINEAR | EPSILON),
    "pndm-scaled": Case(
        RESNETS, diffusers.PNDMScheduler, SCALED_LINEAR | EPSILON | {"skip_prk_steps": True}
    ),
    "euler": Case(PLAIN, diffusers.EulerDiscreteScheduler, LINEAR | EPSILON),
    "euler-v": Case(CLASSES, diffusers.EulerDiscreteScheduler, SCALED_LINEAR | V),
    "heun": Case(PLAIN, diffusers.HeunDiscreteScheduler, LINEAR | EPSILON),
    "lms": Case(PLAIN, diffusers.LMSDiscreteScheduler, LINEAR | EPSILON),
    "dpmsolver-eps": Case(
        PLAIN,
        diffusers.DPMSolverMultistepScheduler,
        LINEAR | EPSILON | {"algorithm_type": "dpmsolver", "final_sigmas_type": "sigma_min"},
    ),
    "dpmsolver-heun": Case(
        CLASSES, diffusers.DPMSolverMultistepScheduler, COSINE | V | {"solver_type": "heun"}
    ),
    # Times are rounded, and of 50 levels one has 477.495, which the float32 of diffusers' tables makes
    # 477.502: it is asked at another time then. No level of 16 is as near to a half.
    "dpmsolver-lu": Case(
        PLAIN,
        diffusers.DPMSolverMultistepScheduler,
        LINEAR | EPSILON | {"use_lu_lambdas": True},
        steps=16,
    ),
    "unipc-bh1": Case(
        PLAIN,
        diffusers.UniPCMultistepScheduler,
        LINEAR | EPSILON | {"solver_type": "bh1", "final_sigmas_type": "sigma_min"},
    ),
    "pndm-linspace": Case(
        PLAIN, diffusers.PNDMScheduler, LINEAR | EPSILON | {"timestep_spacing": "linspace"}
    ),
    "euler-exponential": Case(
        PLAIN, diffusers.EulerDiscreteScheduler, LINEAR | EPSILON | {"use_exponential_sigmas": True}
    ),
    "heun-beta": Case(
        PLAIN, diffusers.HeunDiscreteScheduler, LINEAR | EPSILON | {"use_beta_sigmas": True}
    ),
    "singlestep": Case(PLAIN, diffusers.DPMSolverSinglestepScheduler, LINEAR | EPSILON),
    "singlestep-v": Case(
        CLASSES, diffusers.DPMSolverSinglestepScheduler, COSINE | V | {"solver_order": 3}
    ),
    "dpm2": Case(PLAIN, diffusers.KDPM2DiscreteScheduler, LINEAR | EPSILON),
    "singlestep-sde": Case(
        PLAIN,
        diffusers.DPMSolverSinglestepScheduler,
        LINEAR | EPSILON | {"algorithm_type": "sde-dpmsolver++"},
    ),
    "dpm2-ancestral": Case(PLAIN, diffusers.KDPM2AncestralDiscreteScheduler, LINEAR | EPSILON),
    "euler-ancestral": Case(PLAIN, diffusers.EulerAncestralDiscreteScheduler, LINEAR | EPSILON),
    "dpmsolver-sde": Case(
        PLAIN,
        diffusers.DPMSolverMultistepScheduler,
        LINEAR | EPSILON | {"algorithm_type": "sde-dpmsolver++"},
    ),
    "dpmsolver-eps-sde": Case(
        PLAIN,
        diffusers.DPMSolverMultistepScheduler,
        LINEAR | EPSILON | {"algorithm_type": "sde-dpmsolver", "final_sigmas_type": "sigma_min"},
    ),
    "dpmsolver-last": Case(
        PLAIN,
        diffusers.DPMSolverMultistepScheduler,
        LINEAR | EPSILON | {"lower_order_final": False, "euler_at_final": True},
        steps=10,
    ),
    "dpmsolver-clipped": Case(
        CLASSES, diffusers.DPMSolverMultistepScheduler, COSINE | V | {"lambda_min_clipped": -5.1}
    ),
    "dpmsolver-threshold": Case(
        PLAIN,
        diffusers.DPMSolverMultistepScheduler,
        LINEAR
        | EPSILON
        | {"thresholding": True, "sample_max_value": 1.5, "dynamic_thresholding_ratio": 0.9},
    ),
    "sa-solver": Case(PLAIN, diffusers.SASolverScheduler, LINEAR | EPSILON),
    "sa-solver-v": Case(
        CLASSES,
        diffusers.SASolverScheduler,
        SCALED_LINEAR | V | {"predictor_order": 3, "corrector_order": 4},
    ),
    "lcm": Case(PLAIN, diffusers.LCMScheduler, LINEAR | EPSILON, steps=4),
    "euler-log-linear": Case(
        PLAIN,
        diffusers.EulerDiscreteScheduler,
        LINEAR | EPSILON | {"interpolation_type": "log_linear"},
    ),
    "euler-continuous": Case(
        CLASSES,
        diffusers.EulerDiscreteScheduler,
        SCALED_LINEAR
        | V
        | {
            "timestep_type": "continuous",
            "use_karras_sigmas": True,
            "sigma_min": 0.05,
            "sigma_max": 12.0,
        },
    ),
    "heun-exp": Case(PLAIN, diffusers.HeunDiscreteScheduler, EPSILON | {"beta_schedule": "exp"}),
    "ddpm-laplace": Case(PLAIN, diffusers.DDPMScheduler, EPSILON | {"beta_schedule": "laplace"}),
    # Networks that are made for them: each is trained as its scheduler asks it.
    "ipndm": Case(PLAIN, diffusers.IPNDMScheduler, {}),
    "edm-euler": Case(PLAIN, diffusers.EDMEulerScheduler, {}),
    "edm-dpmsolver": Case(
        PLAIN, diffusers.EDMDPMSolverMultistepScheduler, {"sigma_schedule": "exponential"}
    ),
    "flow-euler": Case(PLAIN, diffusers.FlowMatchEulerDiscreteScheduler, {"shift": 2.0}),
    "flow-heun": Case(PLAIN, diffusers.FlowMatchHeunDiscreteScheduler, {}),
    "ddim-skips": Case(SKIPS, diffusers.DDIMScheduler, LINEAR | EPSILON),
    "ddim-latent-vq": Case(
        LATENTS,
        diffusers.DDIMScheduler,
        SCALED_LINEAR | EPSILON | {"clip_sample": False},
        autoencoder=(diffusers.VQModel, CODEBOOK),
    ),
    "ddim-latent-kl": Case(
        LATENTS,
        diffusers.DDIMScheduler,
        SCALED_LINEAR | V | {"clip_sample": False},
        autoencoder=(diffusers.AutoencoderKL, AUTOENCODER),
    ),
    "ddim-transformer": Case(
        TRANSFORMER,
        diffusers.DDIMScheduler,
        LINEAR | EPSILON | {"clip_sample": False},
        autoencoder=(diffusers.AutoencoderKL, AUTOENCODER),
        network=diffusers.DiTTransformer2DModel,
    ),
    "dpmsolver-latent-kl": Case(
        LATENTS,
        diffusers.DPMSolverMultistepScheduler,
        SCALED_LINEAR | V,
        autoencoder=(diffusers.AutoencoderKL, AUTOENCODER),
    ),
    "consistency": Case(
        CONSISTENCY,
        diffusers.CMStochasticIterativeScheduler,
        {},
        training_steps=0,
        pipeline=diffusers.ConsistencyModelPipeline,
        steps=1,
    ),
    "consistency-4": Case(
        CONSISTENCY,
        diffusers.CMStochasticIterativeScheduler,
        {},
        training_steps=0,
        pipeline=diffusers.ConsistencyModelPipeline,
        steps=4,
    ),
    "score-sde": Case(
        NCSNPP,
        diffusers.ScoreSdeVeScheduler,
        {"sigma_max": 5},
        pipeline=diffusers.ScoreSdeVePipeline,
    ),
    "karras-ve": Case(
        NCSNPP,
        KarrasVeScheduler,
        {"sigma_min": 0.1, "sigma_max": 10},
        pipeline=diffusers.KarrasVePipeline,
    ),
    "ldm": Case(
        LATENTS,
        diffusers.DDIMScheduler,
        SCALED_LINEAR | EPSILON | {"clip_sample": False},
        autoencoder=(diffusers.VQModel, CODEBOOK),
        pipeline=diffusers.LDMPipeline,
    ),
    "dit": Case(
        DIT,
        diffusers.DDIMScheduler,
        LINEAR | EPSILON | {"clip_sample": False},
        training_steps=0,
        autoencoder=(diffusers.AutoencoderKL, AUTOENCODER),
        network=diffusers.DiTTransformer2DModel,
        pipeline=diffusers.DiTPipeline,
        guidance=3.0,
    ),
}
