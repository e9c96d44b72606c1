/** What a user of a Spark cluster asks this program. */
package org.ddpm4j.cli.spark;
