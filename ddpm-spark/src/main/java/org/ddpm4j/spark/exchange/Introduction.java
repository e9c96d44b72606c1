package org.ddpm4j.spark.exchange;

import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;

/**
 * What a task says of itself when it connects.
 *
 * @param rank its number
 * @param host by which other tasks reach it
 * @param port that it listens at
 */
record Introduction(int rank, String host, int port) {

  static Introduction read(DataInputStream in) throws IOException {
    return new Introduction(in.readInt(), in.readUTF(), in.readInt());
  }

  void write(DataOutputStream out) throws IOException {
    out.writeInt(rank);
    out.writeUTF(host);
    out.writeInt(port);
  }

  byte[] toBytes() throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    write(new DataOutputStream(bytes));
    return bytes.toByteArray();
  }
}
