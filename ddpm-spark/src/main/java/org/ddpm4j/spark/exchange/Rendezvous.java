package org.ddpm4j.spark.exchange;

import java.io.Serializable;

/**
 * Where the tasks of a job meet their driver.
 *
 * @param host of the driver
 * @param port that it listens at
 * @param token the job's secret, which every connection begins with
 */
public record Rendezvous(String host, int port, byte[] token) implements Serializable {
  private static final long serialVersionUID = 1L;
}
