"""Writes ipndm_trajectories.json: runs of diffusers' IPNDMScheduler, whose chain has times of its own.

usage: python3 ipndm_trajectories.py ipndm_trajectories.json   (needs diffusers 0.42 with torch and scipy)
"""
import sys

from trajectories import run, write

write([run("IPNDMScheduler", steps, {}, {}) for steps in (1, 2, 3, 5, 12)], sys.argv[1])
