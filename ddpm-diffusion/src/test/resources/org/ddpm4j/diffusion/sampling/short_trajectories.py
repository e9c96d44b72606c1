"""Writes short_trajectories.json: runs of diffusers' schedulers of one to five steps, and of 14 and 15, between which
multistep solvers cease to take runs for short ones.

usage: python3 short_trajectories.py short_trajectories.json   (needs diffusers 0.42 with torch and scipy)
"""
import sys

from trajectories import ANCESTRAL, DDIM, DDPM, DEIS, DPM, EULER, HEUN, LINEAR, LMS, PNDM, SCALED, UNIPC, run, write

SINGLESTEP = "DPMSolverSinglestepScheduler"
DPM2 = "KDPM2DiscreteScheduler"
DPM2_ANCESTRAL = "KDPM2AncestralDiscreteScheduler"
SA = "SASolverScheduler"
SIGMA_MIN = dict(final_sigmas_type="sigma_min")

runs = []


def add(name, *options, steps):
    config = dict(SCALED if name in (EULER, ANCESTRAL) else LINEAR)
    for option in options:
        config.update(option)
    runs.append(run(name, steps, config, {}))


for steps in (1, 2, 3):
    # One step with linspace is at timestep 0 in diffusers.
    trailing = dict(timestep_spacing="trailing")
    for scheduler in (DDPM, DDIM, EULER, ANCESTRAL, HEUN, LMS, DPM2, DPM2_ANCESTRAL):
        add(scheduler, trailing, steps=steps)
    for order in (2, 3):
        for scheduler in (DPM, UNIPC, DEIS, SINGLESTEP):
            add(scheduler, dict(solver_order=order), steps=steps)
            if scheduler != DEIS:
                add(scheduler, SIGMA_MIN, dict(solver_order=order, lower_order_final=False), steps=steps)
    add(DPM, dict(solver_order=3, algorithm_type="sde-dpmsolver++"), steps=steps)
    for orders in ((2, 2), (1, 3), (3, 4)):
        add(SA, dict(predictor_order=orders[0], corrector_order=orders[1]), steps=steps)
for steps in (1, 2, 3, 4, 5):
    add(PNDM, dict(skip_prk_steps=True), steps=steps)
    if steps > 3:
        add(PNDM, steps=steps)
for steps in (14, 15):
    for scheduler in (DPM, UNIPC, DEIS, SA):
        orders = dict(predictor_order=3, corrector_order=3) if scheduler == SA else dict(solver_order=3)
        add(scheduler, orders, steps=steps)
        if scheduler in (DPM, UNIPC):
            add(scheduler, SIGMA_MIN, orders, steps=steps)
    add(DPM, SIGMA_MIN, dict(solver_order=3, euler_at_final=True), steps=steps)
    add(DPM, dict(solver_order=2, algorithm_type="sde-dpmsolver++"), steps=steps)

write(runs, sys.argv[1])
