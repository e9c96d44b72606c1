/** Training images as bytes on any Hadoop file system, decoded once and read by place. */
package org.ddpm4j.spark.data;
