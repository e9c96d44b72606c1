/** What the tasks of one executor share: opened networks, and the processors or the card. */
package org.ddpm4j.spark.executor;
