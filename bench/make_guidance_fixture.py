"""Golden values of diffusers' classifier-free guidance, in double precision.

    python bench/make_guidance_fixture.py \
        > ddpm-diffusion/src/test/resources/org/ddpm4j/diffusion/guidance/guidance.json
"""

import json

import diffusers
import torch
from diffusers.guiders import ClassifierFreeGuidance

SHAPE = (3, 2, 3, 4)

torch.manual_seed(6)
# Images of different deviations and means, as a network's answers are not quite standard normal.
scales = torch.tensor([0.3, 1.0, 2.5], dtype=torch.float64).reshape(3, 1, 1, 1)
conditional = scales * torch.randn(SHAPE, dtype=torch.float64) + 0.2
unconditional = 0.8 * conditional + 0.5 * scales * torch.randn(SHAPE, dtype=torch.float64)
cases = []


def add(scale, rescale, **formulation):
    guider = ClassifierFreeGuidance(guidance_rescale=rescale, **formulation)
    guider.set_state(step=0, num_inference_steps=10, timestep=torch.tensor(900))
    answer = guider.forward(conditional, unconditional).pred
    cases.append(dict(scale=scale, rescale=rescale, answer=answer.flatten().tolist()))


for scale, rescale in [(0.5, 0.0), (3.0, 0.0), (7.5, 0.0), (3.0, 0.7), (7.5, 1.0), (1.5, 0.25)]:
    add(scale, rescale, guidance_scale=scale)
# The formulation of Ho and Salimans, whose w is one less.
add(3.5, 0.0, guidance_scale=2.5, use_original_formulation=True)
print(
    json.dumps(
        dict(
            torch=torch.__version__,
            diffusers=diffusers.__version__,
            shape=SHAPE,
            conditional=conditional.flatten().tolist(),
            unconditional=unconditional.flatten().tolist(),
            cases=cases,
        )
    )
)
