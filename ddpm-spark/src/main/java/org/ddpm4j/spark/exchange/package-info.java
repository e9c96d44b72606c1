/**
 * What a driver and the tasks of one job send each other at every step of a training, over
 * connections of their own: the weights, which the driver hands out in slices and the tasks then
 * all-gather, and the gradients of shards, which are reduce-scattered and added strictly in the
 * order of the shards. Knows neither Spark nor networks.
 *
 * <p>With P numbers of four bytes and n tasks, the driver sends 4P bytes and receives 4P at a step,
 * and a task 4P (n-1)/n for the weights and as many for each of its shards, whatever n is.
 *
 * <dl>
 *   <dt>rank
 *   <dd>the number of a task of the job, 0..n-1
 *   <dt>slice
 *   <dd>the neighbouring numbers of weights or gradient that one task is responsible for
 *   <dt>all-gather
 *   <dd>each has a slice and gives it to all others
 *   <dt>reduce-scatter
 *   <dd>each has summands of the whole and ends with a slice of their sum
 * </dl>
 */
package org.ddpm4j.spark.exchange;
