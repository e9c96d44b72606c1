"""Writes edm_trajectories.json: runs of diffusers' schedulers with the preconditioning of Karras et al. 2022.

usage: python3 edm_trajectories.py edm_trajectories.json   (needs diffusers 0.42 with torch and scipy)
"""
import sys

from trajectories import run, write

EULER, DPM = "EDMEulerScheduler", "EDMDPMSolverMultistepScheduler"

runs = []
for name in (EULER, DPM):
    for steps in (2, 7, 16):
        runs.append(run(name, steps, {}, {}))
    runs.append(run(name, 7, dict(sigma_schedule="exponential"), {}))
    runs.append(run(name, 7, dict(sigma_min=0.01, sigma_max=50.0), {}))
    runs.append(run(name, 7, dict(final_sigmas_type="sigma_min"), {}))
for order in (1, 3):
    runs.append(run(DPM, 7, dict(solver_order=order), {}))
runs.append(run(DPM, 7, dict(solver_type="heun", lower_order_final=False), {}))
runs.append(run(DPM, 7, dict(algorithm_type="sde-dpmsolver++"), {}))
runs.append(run(DPM, 7, dict(thresholding=True, sample_max_value=1.5), {}))
runs.append(run(DPM, 16, dict(euler_at_final=True, final_sigmas_type="sigma_min"), {}))
write(runs, sys.argv[1])
