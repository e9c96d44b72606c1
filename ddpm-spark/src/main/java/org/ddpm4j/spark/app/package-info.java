/** The application for {@code spark-submit}. */
package org.ddpm4j.spark.app;
