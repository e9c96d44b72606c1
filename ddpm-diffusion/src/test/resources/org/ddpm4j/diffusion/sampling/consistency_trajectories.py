"""Writes consistency_trajectories.json: runs of diffusers' scheduler of consistency models.

usage: python3 consistency_trajectories.py consistency_trajectories.json   (needs diffusers 0.42 with torch and scipy)
"""
import sys

from trajectories import run, write

CM = "CMStochasticIterativeScheduler"

runs = [run(CM, steps, dict(num_train_timesteps=40), {}) for steps in (1, 2, 7)]
runs.append(run(CM, 18, dict(num_train_timesteps=18), {}))
runs.append(run(CM, 4, dict(num_train_timesteps=40, clip_denoised=False), {}))
runs.append(run(CM, 3, dict(num_train_timesteps=151, clip_denoised=False, sigma_max=50.0), {}))
write(runs, sys.argv[1])
