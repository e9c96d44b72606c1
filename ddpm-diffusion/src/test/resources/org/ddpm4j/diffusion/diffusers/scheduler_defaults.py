"""Writes scheduler_defaults.json: what each scheduler of diffusers takes where its file says nothing.

usage: python3 scheduler_defaults.py scheduler_defaults.json   (needs diffusers 0.42 with torch and scipy)
"""
import json
import sys

import diffusers
from diffusers.schedulers.deprecated import scheduling_karras_ve

NAMES = [
    "DDPMScheduler", "DDIMScheduler", "DPMSolverMultistepScheduler", "UniPCMultistepScheduler", "PNDMScheduler",
    "DEISMultistepScheduler", "LMSDiscreteScheduler", "HeunDiscreteScheduler", "EulerDiscreteScheduler",
    "EulerAncestralDiscreteScheduler", "DPMSolverSinglestepScheduler", "KDPM2DiscreteScheduler",
    "KDPM2AncestralDiscreteScheduler", "LCMScheduler", "SASolverScheduler", "FlowMatchEulerDiscreteScheduler",
    "FlowMatchHeunDiscreteScheduler", "EDMEulerScheduler", "EDMDPMSolverMultistepScheduler",
    "CMStochasticIterativeScheduler", "ScoreSdeVeScheduler", "KarrasVeScheduler", "IPNDMScheduler",
]
# In a corner of its own, which diffusers 0.42 imports nowhere else.
diffusers.KarrasVeScheduler = scheduling_karras_ve.KarrasVeScheduler

schedulers = []
for name in NAMES:
    scheduler = getattr(diffusers, name)()
    config = {key: value for key, value in scheduler.config.items() if not key.startswith("_")}
    # JSON as such has no infinities.
    config.pop("lambda_min_clipped", None)
    # Flows have none, and what IPNDM calls so are the deviations of its noise.
    has_betas = hasattr(scheduler, "betas") and name != "IPNDMScheduler"
    betas = [float(f"{float(scheduler.betas[t]):.9g}") for t in (0, 500, 999)] if has_betas else []
    schedulers.append(dict(name=name, config=config, betas=betas))
with open(sys.argv[1], "w") as f:
    json.dump(schedulers, f, indent=1)
    f.write("\n")
