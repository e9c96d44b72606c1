/** Makes ND4J's CPU backend execute fused operations. */
package org.ddpm4j.kernels.nd4j;
