"""Writes flow_trajectories.json: runs of diffusers' schedulers of rectified flows.

usage: python3 flow_trajectories.py flow_trajectories.json   (needs diffusers 0.42 with torch and scipy)
"""
import sys

from trajectories import run, write

runs = []
for name in ("FlowMatchEulerDiscreteScheduler", "FlowMatchHeunDiscreteScheduler"):
    for steps in (1, 2, 7):
        runs.append(run(name, steps, {}, {}))
    for shift in (0.5, 3.0):
        runs.append(run(name, 6, dict(shift=shift), {}))
for levels in ("use_karras_sigmas", "use_exponential_sigmas", "use_beta_sigmas"):
    runs.append(run("FlowMatchEulerDiscreteScheduler", 6, {"shift": 3.0, levels: True}, {}))
write(runs, sys.argv[1])
