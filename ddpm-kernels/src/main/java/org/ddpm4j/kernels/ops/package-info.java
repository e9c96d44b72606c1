/**
 * Operations of SameDiff graphs that ddpm4j computes itself: shapes, gradients and what plans may
 * do with them. They know no device; each device has a kernel for each of them.
 */
package org.ddpm4j.kernels.ops;
