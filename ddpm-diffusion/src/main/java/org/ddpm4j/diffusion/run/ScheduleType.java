package org.ddpm4j.diffusion.run;

import com.fasterxml.jackson.annotation.JsonProperty;
import org.ddpm4j.schedules.BetaSchedule;
import org.ddpm4j.schedules.CosineSchedule;
import org.ddpm4j.schedules.LinearSchedule;

/** The noise schedules by name. A name never changes its meaning. */
public enum ScheduleType {
  /** β from 1e-4 to 0.02 in equal steps, whatever T (Ho et al. 2020). */
  @JsonProperty("linear")
  LINEAR {
    @Override
    BetaSchedule betas(int timesteps) {
      return LinearSchedule.paper();
    }
  },
  /** The same with both ends multiplied by 1000/T, so that a short chain ends in noise too. */
  @JsonProperty("linear-scaled")
  LINEAR_SCALED {
    @Override
    BetaSchedule betas(int timesteps) {
      return LinearSchedule.paper().scaledTo(timesteps);
    }
  },
  /** Squared cosine with β at most 0.999 (Nichol and Dhariwal 2021). */
  @JsonProperty("cosine")
  COSINE {
    @Override
    BetaSchedule betas(int timesteps) {
      return CosineSchedule.paper();
    }
  },
  /** Squared cosine with β in [1e-4, 0.9999], as in "The Annotated Diffusion Model". */
  @JsonProperty("cosine-annotated")
  COSINE_ANNOTATED {
    @Override
    BetaSchedule betas(int timesteps) {
      return CosineSchedule.annotated();
    }
  };

  abstract BetaSchedule betas(int timesteps);
}
