/**
 * Plans: SameDiff graphs compiled to kernels in order over static memory, on a {@link
 * org.ddpm4j.kernels.plan.Device}. Processors and cards are found as services; nothing here knows
 * one.
 */
package org.ddpm4j.kernels.plan;
