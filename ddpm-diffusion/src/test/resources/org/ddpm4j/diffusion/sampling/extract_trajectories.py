"""Writes ancestral.json, the runs of diffusers' DDPMScheduler that AncestralSamplerTest repeats.

Taken are the runs with an epsilon model and a fixed variance whose steps are those of a respaced chain. diffusers
goes from timestep t to t - T // steps; a respaced chain goes to the next timestep kept. Both are the same when the
timesteps are T // steps apart and the last of them is smaller than that ("leading" and "trailing"; not "linspace").

usage: python3 extract_trajectories.py sampler_trajectories.json > ancestral.json
"""
import json
import sys

T = 1000
DEFAULTS = {"variance_type": "fixed_small", "clip_sample": True, "timestep_spacing": "leading"}
KNOWN = {"beta_start", "beta_end", "beta_schedule", "prediction_type", *DEFAULTS}

source = json.load(open(sys.argv[1]))
runs = []
for run in source["runs"]:
    config = run["config"]
    times = [int(t) for t in run["timesteps"]]
    gap = T // run["steps"]
    if (
        run["scheduler"] == "DDPMScheduler"
        and set(config) <= KNOWN
        and config.get("prediction_type", "epsilon") == "epsilon"
        and all(a - b == gap for a, b in zip(times, times[1:]))
        and times[-1] < gap
    ):
        chosen = {key: config.get(key, default) for key, default in DEFAULTS.items()}
        chosen["beta_schedule"] = config["beta_schedule"]
        runs.append({**chosen, "timesteps": times, "states": run["states"]})

draws = max(len(run["timesteps"]) for run in runs)
json.dump(
    {"about": source["about"], "x_T": source["x_T"], "noise": source["noise"][:draws], "runs": runs},
    sys.stdout,
    separators=(",", ":"),
)
print()
