"""Writes more_trajectories.json: runs of diffusers' schedulers with options that sampler_trajectories.json leaves out.

usage: python3 more_trajectories.py more_trajectories.json   (needs diffusers 0.42 with torch and scipy)
"""
import sys

from trajectories import (
    ANCESTRAL,
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

runs = []
for schedule in (LINEAR, SCALED):

    def add(name, steps=7, step_args=None, **config):
        runs.append(run(name, steps, dict(schedule, **config), step_args or {}))

    add(DDPM, variance_type="learned_range", clip_sample=False)
    add(DDPM, thresholding=True, sample_max_value=2.0, clip_sample=False)
    add(DDPM, steps_offset=1, clip_sample=False)
    add(DDIM, thresholding=True, sample_max_value=2.0, clip_sample=False, step_args=dict(eta=0.7))
    add(DDIM, steps_offset=1, set_alpha_to_one=False, clip_sample=False)
    add(DDIM, timestep_spacing="trailing", clip_sample=False)
    add(PNDM, steps_offset=1)
    add(PNDM, steps_offset=1, skip_prk_steps=True)
    add(PNDM, set_alpha_to_one=True, prediction_type="epsilon")
    for spacing in ("leading", "trailing"):
        add(DPM, timestep_spacing=spacing)
        add(UNIPC, timestep_spacing=spacing)
        add(DEIS, timestep_spacing=spacing)
        add(EULER, timestep_spacing=spacing)
        add(ANCESTRAL, timestep_spacing=spacing)
        add(HEUN, timestep_spacing=spacing)
        add(LMS, timestep_spacing=spacing, step_args=dict(order=3))
    for karras in (DPM, UNIPC, DEIS, EULER, HEUN, LMS):
        add(karras, use_karras_sigmas=True)
        add(karras, use_karras_sigmas=True, timestep_spacing="trailing", steps=9)
        add(karras, prediction_type="v_prediction")
    for order in (1, 2, 3):
        add(DPM, solver_order=order, steps=16)
        add(UNIPC, solver_order=order, steps=16)
        add(DEIS, solver_order=order, steps=16)
    add(DPM, final_sigmas_type="sigma_min", steps=16)
    add(DPM, final_sigmas_type="sigma_min")
    add(DPM, thresholding=True, sample_max_value=1.5)
    add(DPM, algorithm_type="sde-dpmsolver++", solver_order=1)
    add(HEUN, prediction_type="sample")
    add(LMS, prediction_type="sample")
    for spacing in ("leading", "trailing", "linspace"):
        for rescaled in (DPM, UNIPC, EULER, ANCESTRAL):
            add(rescaled, rescale_betas_zero_snr=True, prediction_type="v_prediction", timestep_spacing=spacing)
    add(HEUN, clip_sample=True)
    add(DDPM, clip_sample_range=0.5)
    add(DDPM, variance_type="fixed_small_log")
    add(DDIM, trained_betas=[1e-4 * (1 + t % 7) for t in range(1000)])
runs.append(run(DDPM, 7, dict(beta_schedule="sigmoid"), {}))

write(runs, sys.argv[1])
