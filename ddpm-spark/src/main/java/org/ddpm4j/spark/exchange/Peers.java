package org.ddpm4j.spark.exchange;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * What the driver tells all tasks when the last has come.
 *
 * @param length how many weights there are
 * @param shards into how many each step is cut
 * @param tasks who they are, by rank
 */
record Peers(long length, int shards, List<Introduction> tasks) {

  static Peers of(byte[] bytes) throws IOException {
    DataInputStream in = new DataInputStream(new ByteArrayInputStream(bytes));
    long length = in.readLong();
    int shards = in.readInt();
    List<Introduction> tasks = new ArrayList<>();
    while (in.available() > 0) {
      tasks.add(Introduction.read(in));
    }
    return new Peers(length, shards, tasks);
  }

  byte[] toBytes() throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    DataOutputStream out = new DataOutputStream(bytes);
    out.writeLong(length);
    out.writeInt(shards);
    for (Introduction task : tasks) {
      task.write(out);
    }
    return bytes.toByteArray();
  }

  Slices slices() {
    return new Slices(length, tasks.size());
  }
}
