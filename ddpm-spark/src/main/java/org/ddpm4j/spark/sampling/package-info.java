/**
 * Drawing images by partitions. Image i of a seed is the same wherever it is drawn, so that neither
 * the number of executors and partitions nor the repetition of a task shows in the result.
 */
package org.ddpm4j.spark.sampling;
