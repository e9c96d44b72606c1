import java.io.File;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.hdfs.MiniDFSCluster;

/**
 * HDFS of one name node and one data node on loopback, until standard input ends: {@code
 * HdfsOnLoopback.java FOLDER}. What its clients are to be told is in FOLDER/conf.
 */
public final class HdfsOnLoopback {

  private HdfsOnLoopback() {}

  public static void main(String[] args) throws IOException {
    File folder = new File(args[0]);
    File clients = new File(folder, "conf");
    clients.mkdirs();
    Configuration configuration = new Configuration();
    configuration.set(
        MiniDFSCluster.HDFS_MINIDFS_BASEDIR, new File(folder, "hdfs").getAbsolutePath());
    try (MiniDFSCluster hdfs = new MiniDFSCluster.Builder(configuration).numDataNodes(1).build()) {
      hdfs.waitActive();
      Configuration core = new Configuration(false);
      core.set("fs.defaultFS", hdfs.getURI().toString());
      try (OutputStream out = new FileOutputStream(new File(clients, "core-site.xml"))) {
        core.writeXml(out);
      }
      System.out.println(hdfs.getURI());
      System.in.read();
    }
  }
}
