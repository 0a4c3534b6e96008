#include "AllocationCounter.h"
#include <errno.h>
#include <stddef.h>

// The allocator of glibc behind the functions that are replaced here.
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *memory, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);

static __thread long calls = 0;
static __thread int counts = 0;

void allocation_counter_start(void) {
  calls = 0;
  counts = 1;
}

long allocation_counter_stop(void) {
  counts = 0;
  return calls;
}

void *malloc(size_t size) {
  calls += counts;
  return __libc_malloc(size);
}

void *calloc(size_t count, size_t size) {
  calls += counts;
  return __libc_calloc(count, size);
}

void *realloc(void *memory, size_t size) {
  calls += counts;
  return __libc_realloc(memory, size);
}

void *memalign(size_t alignment, size_t size) {
  calls += counts;
  return __libc_memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size) {
  calls += counts;
  return __libc_memalign(alignment, size);
}

int posix_memalign(void **memory, size_t alignment, size_t size) {
  calls += counts;
  *memory = __libc_memalign(alignment, size);
  return *memory ? 0 : ENOMEM;
}
