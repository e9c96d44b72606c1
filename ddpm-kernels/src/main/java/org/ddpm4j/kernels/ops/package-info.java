/** The fused operations: each a class, its gradient beside it. */
package org.ddpm4j.kernels.ops;
