/**
 * Fast execution of SameDiff graphs on a CPU: fused operations, computed by oneDNN and by loops
 * that the JIT compiler vectorises, in plans with static memory.
 */
package org.ddpm4j.kernels;
