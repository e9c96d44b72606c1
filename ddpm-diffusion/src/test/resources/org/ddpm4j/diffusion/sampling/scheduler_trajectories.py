"""Writes scheduler_trajectories.json: runs of diffusers' schedulers that the other files leave out.

usage: python3 scheduler_trajectories.py scheduler_trajectories.json   (needs diffusers 0.42 with torch and scipy)
"""
import sys

from trajectories import LINEAR, SCALED, run, write

SINGLESTEP = "DPMSolverSinglestepScheduler"
DPM2 = "KDPM2DiscreteScheduler"
DPM2_ANCESTRAL = "KDPM2AncestralDiscreteScheduler"
LCM = "LCMScheduler"
SA = "SASolverScheduler"
V = dict(prediction_type="v_prediction")
SIGMA_MIN = dict(final_sigmas_type="sigma_min")

runs = []


def add(name, schedule, *options, steps=7):
    config = dict(schedule)
    for option in options:
        config.update(option)
    runs.append(run(name, steps, config, {}))


for schedule in (LINEAR, SCALED):
    for order in (1, 2, 3):
        for solver in ("midpoint", "heun"):
            options = dict(solver_order=order, solver_type=solver)
            add(SINGLESTEP, schedule, options, steps=9)
            add(SINGLESTEP, schedule, options, SIGMA_MIN, dict(algorithm_type="dpmsolver"), steps=6)
            add(SINGLESTEP, schedule, options, dict(algorithm_type="sde-dpmsolver++"), steps=8)
    for steps in (6, 7, 8):
        add(SINGLESTEP, schedule, SIGMA_MIN, dict(solver_order=3, lower_order_final=True), steps=steps)
        add(SINGLESTEP, schedule, SIGMA_MIN, dict(solver_order=2), steps=steps)
        add(SINGLESTEP, schedule, V, dict(solver_order=2, use_karras_sigmas=True), steps=steps)
    for scheduler in (DPM2, DPM2_ANCESTRAL):
        for spacing in ("linspace", "leading", "trailing"):
            add(scheduler, schedule, dict(timestep_spacing=spacing))
        for levels in ("use_karras_sigmas", "use_exponential_sigmas", "use_beta_sigmas"):
            add(scheduler, schedule, {levels: True})
        add(scheduler, schedule, V)
    for steps in (1, 4, 7):
        add(LCM, schedule, steps=steps)
    add(LCM, schedule, V, dict(original_inference_steps=30, timestep_scaling=0.002), steps=7)
    add(LCM, schedule, dict(prediction_type="sample"), steps=3)
add(SINGLESTEP, LINEAR, dict(use_exponential_sigmas=True))
add(SINGLESTEP, LINEAR, dict(lambda_min_clipped=-2.0, solver_order=3))
add(SINGLESTEP, SCALED, dict(thresholding=True, sample_max_value=1.5))
add(LCM, LINEAR, dict(clip_sample=True), steps=3)

for schedule in (LINEAR, SCALED):
    for orders in ((1, 1), (2, 2), (3, 4), (2, 1), (1, 3)):
        add(SA, schedule, dict(predictor_order=orders[0], corrector_order=orders[1]), steps=9)
    add(SA, schedule, dict(predictor_order=3, corrector_order=3, lower_order_final=False), steps=8)
    add(SA, schedule, V, dict(timestep_spacing="trailing"), steps=9)
    add(SA, schedule, dict(use_karras_sigmas=True), steps=9)
    add(SA, schedule, dict(lambda_min_clipped=-2.0, timestep_spacing="leading"))
# At 800 and 200, the first and the last timestep with noise.
add(SA, LINEAR, dict(timestep_spacing="leading"), steps=9)
write(runs, sys.argv[1])
