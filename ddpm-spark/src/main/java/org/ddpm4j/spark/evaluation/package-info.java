/** Statistics of the features of drawn images, put together from those of partitions. */
package org.ddpm4j.spark.evaluation;
