package org.ddpm4j.diffusion.config;

import org.ddpm4j.diffusion.sampling.ConsistencySampler;
import org.ddpm4j.diffusion.sampling.DeisSampler;
import org.ddpm4j.diffusion.sampling.Dpm2Sampler;
import org.ddpm4j.diffusion.sampling.DpmSinglestepSampler;
import org.ddpm4j.diffusion.sampling.DpmSolverSampler;
import org.ddpm4j.diffusion.sampling.FlowHeunSampler;
import org.ddpm4j.diffusion.sampling.IpndmSampler;
import org.ddpm4j.diffusion.sampling.KarrasVeSampler;
import org.ddpm4j.diffusion.sampling.LcmSampler;
import org.ddpm4j.diffusion.sampling.LmsSampler;
import org.ddpm4j.diffusion.sampling.SaSolverSampler;
import org.ddpm4j.diffusion.sampling.ScoreSdeSampler;
import org.ddpm4j.diffusion.sampling.UniPcSampler;

/** The samplers by name. A name never changes its meaning. */
public enum SamplerType {
  /** {@link org.ddpm4j.diffusion.sampling.AncestralSampler}. */
  DDPM("ddpm"),
  /** {@link org.ddpm4j.diffusion.sampling.DdimSampler}. */
  DDIM("ddim"),
  /** {@link DpmSolverSampler} of the probability flow. */
  DPM_SOLVER("dpm++"),
  /** {@link DpmSolverSampler} of the diffusion. */
  DPM_SOLVER_SDE("dpm++-sde"),
  /** {@link DpmSolverSampler} of the probability flow, for ε: DPM-Solver without pluses. */
  DPM_SOLVER_EPS("dpm"),
  /** {@link DpmSolverSampler} of the diffusion, for ε. */
  DPM_SOLVER_EPS_SDE("dpm-sde"),
  /** {@link DpmSinglestepSampler} of the probability flow. */
  DPM_SINGLESTEP("dpm++-single"),
  /** {@link DpmSinglestepSampler} of the diffusion. */
  DPM_SINGLESTEP_SDE("dpm++-single-sde"),
  /** {@link DpmSinglestepSampler} of the probability flow, for ε. */
  DPM_SINGLESTEP_EPS("dpm-single"),
  /** {@link UniPcSampler}. */
  UNIPC("unipc"),
  /** {@link org.ddpm4j.diffusion.sampling.PndmSampler} that begins with Runge and Kutta's steps. */
  PNDM("pndm"),
  /** {@link org.ddpm4j.diffusion.sampling.PndmSampler} without these. */
  PLMS("plms"),
  /** {@link IpndmSampler}. */
  IPNDM("ipndm"),
  /** {@link DeisSampler}. */
  DEIS("deis"),
  /** {@link LmsSampler}. */
  LMS("lms"),
  /** {@link org.ddpm4j.diffusion.sampling.HeunSampler}. */
  HEUN("heun"),
  /** {@link org.ddpm4j.diffusion.sampling.EulerSampler}. */
  EULER("euler"),
  /** {@link org.ddpm4j.diffusion.sampling.EulerAncestralSampler}. */
  EULER_ANCESTRAL("euler-ancestral"),
  /** {@link Dpm2Sampler}. */
  DPM2("dpm2"),
  /** {@link Dpm2Sampler} with fresh noise in every step. */
  DPM2_ANCESTRAL("dpm2-ancestral"),
  /** {@link SaSolverSampler}. */
  SA_SOLVER("sa-solver"),
  /** {@link LcmSampler}. */
  LCM("lcm"),
  /** {@link ConsistencySampler}. */
  CONSISTENCY("consistency"),
  /** {@link ScoreSdeSampler}. */
  SCORE_SDE("score-sde"),
  /** {@link KarrasVeSampler}. */
  KARRAS_VE("karras-ve"),
  /** {@link org.ddpm4j.diffusion.sampling.EulerSampler} on a rectified flow. */
  FLOW_EULER("flow-euler"),
  /** {@link FlowHeunSampler}. */
  FLOW_HEUN("flow-heun");

  private final String label;

  SamplerType(String label) {
    this.label = label;
  }

  /** {@return the name on the command line and in messages, for instance {@code dpm++}} */
  @Override
  public String toString() {
    return label;
  }
}
