package org.ddpm4j.kernels.plan;

import java.util.List;
import org.ddpm4j.kernels.ops.FusedOp;

/**
 * An operation of a plan.
 *
 * @param op what is computed
 * @param inputs names of the arrays that it reads, in its order
 * @param outputs names of the arrays that it makes, in its order
 */
record Operation(FusedOp op, List<String> inputs, List<String> outputs) {}
