/** Places on Hadoop's file systems. */
package org.ddpm4j.spark.files;
