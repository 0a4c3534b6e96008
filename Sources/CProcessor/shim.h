// What the compiler offers beyond the C library: functions of the processor, and the question whether this one has
// what the program was compiled for.
#pragma once
#include <stddef.h>

#define CPROCESSOR_SHIM static inline __attribute__((__always_inline__))

// Square roots in place. sqrtf may set errno, which keeps compilers from using vectors.
CPROCESSOR_SHIM void cprocessor_square_roots_float(float *_Nonnull values, size_t count) {
  for (size_t i = 0; i < count; ++i) values[i] = __builtin_elementwise_sqrt(values[i]);
}

CPROCESSOR_SHIM void cprocessor_square_roots_double(double *_Nonnull values, size_t count) {
  for (size_t i = 0; i < count; ++i) values[i] = __builtin_elementwise_sqrt(values[i]);
}

// Brings memory that will be read soon towards the processor.
CPROCESSOR_SHIM void cprocessor_prefetch(const void *_Nonnull start, size_t bytes) {
  for (size_t i = 0; i < bytes; i += 64) __builtin_prefetch((const char *)start + i, 0, 2);
}

// Makes the calling thread take subnormal numbers for zero, as operands and as results. Vector units of processors are
// up to a hundred times slower with them.
CPROCESSOR_SHIM void cprocessor_flush_subnormals(void) {
#if defined(__x86_64__)
  // MXCSR: bit 15 flushes results to zero (FTZ), bit 6 takes operands for zero (DAZ).
  __builtin_ia32_ldmxcsr(__builtin_ia32_stmxcsr() | 0x8040u);
#elif defined(__aarch64__)
  // FPCR: bit 24 (FZ) does both.
  unsigned long long control;
  __asm__ volatile("mrs %0, fpcr" : "=r"(control));
  __asm__ volatile("msr fpcr, %0" : : "r"(control | 1ull << 24));
#endif
}

// Whether the calling thread takes subnormal numbers for zero.
CPROCESSOR_SHIM int cprocessor_flushes_subnormals(void) {
#if defined(__x86_64__)
  return (__builtin_ia32_stmxcsr() & 0x8040u) == 0x8040u;
#elif defined(__aarch64__)
  unsigned long long control;
  __asm__ volatile("mrs %0, fpcr" : "=r"(control));
  return (control >> 24 & 1) != 0;
#else
  return 0;
#endif
}

// The name of an instruction set that the program was compiled for and this processor lacks, or NULL.
CPROCESSOR_SHIM const char *_Nullable cprocessor_missing(void) {
#if defined(__x86_64__)
#ifdef __AVX512F__
  if (!__builtin_cpu_supports("avx512f")) return "AVX-512";
#endif
#ifdef __AVX2__
  if (!__builtin_cpu_supports("avx2")) return "AVX2";
#endif
#ifdef __FMA__
  if (!__builtin_cpu_supports("fma")) return "FMA";
#endif
#endif
  return NULL;
}

#undef CPROCESSOR_SHIM
