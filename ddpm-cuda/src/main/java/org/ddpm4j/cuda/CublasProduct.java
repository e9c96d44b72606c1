package org.ddpm4j.cuda;

import static org.bytedeco.cuda.global.cublas.CUBLAS_COMPUTE_32F;
import static org.bytedeco.cuda.global.cublas.CUBLAS_COMPUTE_32F_FAST_TF32;
import static org.bytedeco.cuda.global.cublas.CUBLAS_GEMM_DEFAULT;
import static org.bytedeco.cuda.global.cublas.CUBLAS_OP_N;
import static org.bytedeco.cuda.global.cublas.cublasCreate_v2;
import static org.bytedeco.cuda.global.cublas.cublasDestroy_v2;
import static org.bytedeco.cuda.global.cublas.cublasGemmEx;
import static org.bytedeco.cuda.global.cublas.cublasGetStatusString;
import static org.bytedeco.cuda.global.cublas.cublasSetStream_v2;
import static org.bytedeco.cuda.global.cudart.CUDA_R_16BF;
import static org.bytedeco.cuda.global.cudart.CUDA_R_32F;

import java.util.Locale;
import org.bytedeco.cuda.cublas.cublasContext;
import org.bytedeco.cuda.global.cublas;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.Loader;
import org.bytedeco.javacpp.Pointer;
import org.ddpm4j.kernels.cpu.Unscoped;
import org.ddpm4j.kernels.plan.Kernel;
import org.ddpm4j.kernels.plan.Precision;

/** A product of square matrices by cuBLAS, for the card's rate alone: networks do without it. */
final class CublasProduct implements Kernel, AutoCloseable {

  private final cublasContext handle = new cublasContext();
  private final int rows;
  private final int type;
  private final int compute;
  private final Pointer a;
  private final Pointer b;
  private final Pointer c;
  private final FloatPointer one = Unscoped.make(() -> new FloatPointer(1f));
  private final FloatPointer zero = Unscoped.make(() -> new FloatPointer(0f));

  /** Whether its library loads. */
  private static final class Availability {

    static final boolean LOADED = load();

    private static boolean load() {
      try {
        Loader.load(cublas.class);
        return true;
      } catch (LinkageError | RuntimeException e) {
        return false;
      }
    }
  }

  static boolean available() {
    return Availability.LOADED;
  }

  /**
   * A product, not yet formed.
   *
   * @param rows and columns
   * @param a address of the first factor, dense, of bfloat16 or float32 as the precision says
   * @param b address of the second
   * @param c address of the product
   */
  CublasProduct(NvidiaDriver driver, Precision precision, int rows, long a, long b, long c) {
    this.rows = rows;
    this.type = precision == Precision.BFLOAT16 ? CUDA_R_16BF : CUDA_R_32F;
    this.compute =
        precision == Precision.TFLOAT32 ? CUBLAS_COMPUTE_32F_FAST_TF32 : CUBLAS_COMPUTE_32F;
    this.a = new Address(a);
    this.b = new Address(b);
    this.c = new Address(c);
    check(cublasCreate_v2(handle));
    check(cublasSetStream_v2(handle, driver.stream()));
  }

  private static void check(int code) {
    if (code != 0) {
      throw new CudaException(
          String.format(
              Locale.ROOT,
              "cuBLAS refused: %s (%d).",
              cublasGetStatusString(code).getString(),
              code));
    }
  }

  @Override
  public void run() {
    check(
        cublasGemmEx(
            handle,
            CUBLAS_OP_N,
            CUBLAS_OP_N,
            rows,
            rows,
            rows,
            one,
            a,
            type,
            rows,
            b,
            type,
            rows,
            zero,
            c,
            type,
            rows,
            compute,
            CUBLAS_GEMM_DEFAULT));
  }

  @Override
  public void close() {
    check(cublasDestroy_v2(handle));
  }
}
