/**
 * Training on several machines, synchronously: executors compute the gradients of shards, the
 * driver adds them in the order of the shards and updates the weights.
 */
package org.ddpm4j.spark.training;
