import java.io.File;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.hdfs.MiniDFSCluster;
import org.apache.hadoop.yarn.conf.YarnConfiguration;
import org.apache.hadoop.yarn.server.MiniYARNCluster;
import org.apache.hadoop.yarn.server.resourcemanager.scheduler.fifo.FifoScheduler;

/**
 * HDFS and YARN of one node each on loopback, until standard input ends: {@code
 * HadoopOnLoopback.java FOLDER hdfs|yarn}. What their clients are to be told is in FOLDER/conf.
 */
public final class HadoopOnLoopback {

  private HadoopOnLoopback() {}

  public static void main(String[] args) throws Exception {
    File folder = new File(args[0]);
    File clients = new File(folder, "conf");
    clients.mkdirs();
    Configuration configuration = new YarnConfiguration();
    configuration.set(
        MiniDFSCluster.HDFS_MINIDFS_BASEDIR, new File(folder, "hdfs").getAbsolutePath());
    try (MiniDFSCluster hdfs = new MiniDFSCluster.Builder(configuration).numDataNodes(1).build();
        MiniYARNCluster yarn = new MiniYARNCluster("ddpm4j", 1, 1, 1)) {
      hdfs.waitActive();
      Configuration core = new Configuration(false);
      core.set("fs.defaultFS", hdfs.getURI().toString());
      write(core, new File(clients, "core-site.xml"));
      if (args[1].equals("yarn")) {
        // The usual one wants a file of its queues.
        configuration.set(YarnConfiguration.RM_SCHEDULER, FifoScheduler.class.getName());
        configuration.setInt(YarnConfiguration.RM_SCHEDULER_MINIMUM_ALLOCATION_MB, 256);
        configuration.setInt(YarnConfiguration.YARN_MINICLUSTER_NM_PMEM_MB, 8192);
        configuration.setInt(YarnConfiguration.NM_VCORES, 4);
        configuration.setBoolean(YarnConfiguration.NM_VMEM_CHECK_ENABLED, false);
        configuration.setFloat(YarnConfiguration.NM_MAX_PER_DISK_UTILIZATION_PERCENTAGE, 99);
        yarn.init(configuration);
        yarn.start();
        if (!yarn.waitForNodeManagersToConnect(60_000)) {
          throw new IOException("YARN has no node after a minute.");
        }
        write(yarn.getConfig(), new File(clients, "yarn-site.xml"));
      }
      System.out.println(hdfs.getURI());
      System.in.read();
    }
    // Some of their threads do not end by themselves.
    System.exit(0);
  }

  private static void write(Configuration configuration, File file) throws IOException {
    try (OutputStream out = new FileOutputStream(file)) {
      configuration.writeXml(out);
    }
  }
}
