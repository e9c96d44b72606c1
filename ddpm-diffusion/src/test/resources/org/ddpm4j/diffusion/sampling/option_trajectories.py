"""Writes option_trajectories.json: runs of diffusers' schedulers with the options that few files ask for.

usage: python3 option_trajectories.py option_trajectories.json   (needs diffusers 0.42 with torch and scipy)
"""
import sys

from trajectories import (
    DDIM,
    DDPM,
    DEIS,
    DPM,
    EULER,
    HEUN,
    LINEAR,
    LMS,
    PNDM,
    SCALED,
    UNIPC,
    run,
    write,
)

COSINE = dict(beta_schedule="squaredcos_cap_v2")
V = dict(prediction_type="v_prediction")
SIGMA_MIN = dict(final_sigmas_type="sigma_min")
EXPONENTIAL = dict(use_exponential_sigmas=True)
BETA = dict(use_beta_sigmas=True)
LU = dict(use_lu_lambdas=True)

runs = []


def add(name, schedule, *options, steps=7, **step_args):
    config = dict(schedule)
    for option in options:
        config.update(option)
    runs.append(run(name, steps, config, step_args))


# The end of a run.
for steps in (6, 16):
    for final in (dict(lower_order_final=False), dict(lower_order_final=False, euler_at_final=True)):
        for order in (2, 3):
            add(DPM, LINEAR, SIGMA_MIN, dict(final, solver_order=order), steps=steps)
    add(DPM, SCALED, SIGMA_MIN, dict(euler_at_final=True, solver_order=3), steps=steps)
    for order in (2, 3):
        add(UNIPC, LINEAR, SIGMA_MIN, dict(lower_order_final=False, solver_order=order), steps=steps)
        add(DEIS, LINEAR, dict(lower_order_final=False, solver_order=order), steps=steps)
add(DPM, SCALED, dict(lower_order_final=False, solver_order=3))

# Solvers.
for order in (1, 2, 3):
    add(DPM, LINEAR, SIGMA_MIN, dict(algorithm_type="dpmsolver", solver_order=order), steps=16)
add(DPM, SCALED, SIGMA_MIN, V, dict(algorithm_type="dpmsolver", solver_type="heun"), steps=16)
add(DPM, SCALED, SIGMA_MIN, dict(algorithm_type="dpmsolver", thresholding=True, sample_max_value=1.5))
for solver in ("midpoint", "heun"):
    for schedule in (LINEAR, SCALED):
        add(DPM, schedule, SIGMA_MIN, dict(algorithm_type="sde-dpmsolver", solver_type=solver), steps=16)
        add(DPM, schedule, dict(algorithm_type="sde-dpmsolver++", solver_type=solver), steps=16)
add(DPM, LINEAR, SIGMA_MIN, dict(algorithm_type="sde-dpmsolver", solver_order=1))
for schedule in (LINEAR, SCALED):
    add(DPM, schedule, dict(algorithm_type="sde-dpmsolver++", solver_order=3), steps=16)
    add(DPM, schedule, dict(solver_type="heun"), steps=16)
    for order in (1, 2, 3):
        add(UNIPC, schedule, SIGMA_MIN, dict(solver_type="bh1", solver_order=order), steps=9)

# Noise levels.
for schedule in (LINEAR, SCALED):
    for levels in (EXPONENTIAL, BETA):
        for scheduler in (EULER, HEUN, LMS):
            add(scheduler, schedule, levels, steps=9)
        add(HEUN, schedule, levels, dict(timestep_spacing="trailing"))
    add(DPM, schedule, LU, steps=9)
# With SCALED rounding makes 998 of the first timestep, which is cut to a whole number.
for levels in (EXPONENTIAL, BETA):
    for scheduler in (DPM, UNIPC, DEIS):
        add(scheduler, LINEAR, levels, steps=9)
    for scheduler in (DPM, UNIPC):
        add(scheduler, LINEAR, SIGMA_MIN, levels)
for levels in (dict(use_karras_sigmas=True), EXPONENTIAL, BETA):
    add(EULER, SCALED, levels, V, dict(timestep_type="continuous", sigma_min=0.002, sigma_max=700.0))
    add(EULER, SCALED, levels, dict(sigma_min=0.05, sigma_max=10.0))
    add(UNIPC, SCALED, levels, dict(sigma_min=0.05, sigma_max=10.0))
    # The end of a range, above and below the noise of timestep 0, at which a run is to stop.
    for least in (0.05, 0.002):
        add(UNIPC, SCALED, SIGMA_MIN, levels, dict(sigma_min=least, sigma_max=10.0))
add(EULER, SCALED, V, dict(timestep_type="continuous"))
add(EULER, SCALED, V, dict(timestep_type="continuous", timestep_spacing="leading", steps_offset=1))
for schedule in (LINEAR, SCALED):
    add(EULER, schedule, dict(interpolation_type="log_linear"))
add(EULER, SCALED, dict(interpolation_type="log_linear", use_karras_sigmas=True))
add(EULER, SCALED, dict(interpolation_type="log_linear", timestep_spacing="leading"))
for spacing in ("linspace", "leading", "trailing"):
    add(DPM, COSINE, dict(lambda_min_clipped=-5.1, timestep_spacing=spacing))
    add(DPM, LINEAR, dict(lambda_min_clipped=-2.0, timestep_spacing=spacing, solver_order=3))

# Betas.
add(DDPM, dict(beta_schedule="laplace"), dict(clip_sample=False))
add(HEUN, dict(beta_schedule="exp"))

# Thresholds below 1.
add(DDIM, LINEAR, dict(thresholding=True, sample_max_value=0.5, clip_sample=False))

# Strides of T/S, rounded down, between timesteps that lie otherwise.
for skip in (False, True):
    for spacing in ("linspace", "trailing", "leading"):
        for steps in (7, 11):
            add(PNDM, LINEAR, dict(skip_prk_steps=skip, timestep_spacing=spacing), steps=steps)
    add(PNDM, SCALED, dict(skip_prk_steps=skip, timestep_spacing="linspace", set_alpha_to_one=True), steps=10)
    add(PNDM, SCALED, dict(skip_prk_steps=skip, timestep_spacing="trailing"), steps=9)

write(runs, sys.argv[1])
