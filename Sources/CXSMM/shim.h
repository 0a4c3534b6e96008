// libxsmm: kernels for small matrix products. A kernel is a variadic C function pointer, which Swift
// cannot call, so two functions call it here.
#pragma once
#include <libxsmm.h>
#include <stddef.h>

#define CXSMM_SHIM static inline __attribute__((__always_inline__))

// C += A B (beta = 1) or C = A B (beta = 0), all column-major; NULL if there is no such kernel.
CXSMM_SHIM const void *_Nullable cxsmm_dispatch_float(int m, int n, int k, int lda, int ldb, int ldc,
                                                      float beta) {
  const float alpha = 1;
  const int flags = LIBXSMM_GEMM_FLAG_NONE, prefetch = LIBXSMM_GEMM_PREFETCH_NONE;
  return (const void *)libxsmm_smmdispatch(m, n, k, &lda, &ldb, &ldc, &alpha, &beta, &flags,
                                           &prefetch);
}

CXSMM_SHIM const void *_Nullable cxsmm_dispatch_double(int m, int n, int k, int lda, int ldb, int ldc,
                                                       double beta) {
  const double alpha = 1;
  const int flags = LIBXSMM_GEMM_FLAG_NONE, prefetch = LIBXSMM_GEMM_PREFETCH_NONE;
  return (const void *)libxsmm_dmmdispatch(m, n, k, &lda, &ldb, &ldc, &alpha, &beta, &flags,
                                           &prefetch);
}

CXSMM_SHIM void cxsmm_call_float(const void *_Nonnull kernel, const float *_Nonnull a,
                                 const float *_Nonnull b, float *_Nonnull c) {
  ((libxsmm_smmfunction)kernel)(a, b, c);
}

CXSMM_SHIM void cxsmm_call_double(const void *_Nonnull kernel, const double *_Nonnull a,
                                  const double *_Nonnull b, double *_Nonnull c) {
  ((libxsmm_dmmfunction)kernel)(a, b, c);
}

#undef CXSMM_SHIM
