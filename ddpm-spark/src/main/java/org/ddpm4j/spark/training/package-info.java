/**
 * Training on several machines, synchronously: executors compute the gradients of shards, which are
 * added in the order of the shards, and the driver updates the weights.
 */
package org.ddpm4j.spark.training;
