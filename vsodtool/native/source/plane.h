/* Planes of floats, and how loops over them are compiled. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Loops are compiled for several generations of processors, and the machine takes the best that it has. Sums
   are made in a fixed order and nothing is contracted (see build.py), so that each gives the same bits. */
#if defined(VSOD_CLONES)
#define FAST __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define FAST
#endif
#define EXPORT __attribute__((visibility("default")))
#define INLINE static inline __attribute__((always_inline))
#if defined(__clang__)
#define INDEPENDENT _Pragma("clang loop vectorize(assume_safety)")
#else
#define INDEPENDENT _Pragma("GCC ivdep")
#endif

enum { SIDE = 16 }; /* floats that may be touched left and right of each row */

/* A plane: `data` is its first pixel, `stride` floats lie between rows. */
typedef struct {
  float *data;
  ptrdiff_t stride;
  int height, width;
} plane;

INLINE float *row(plane p, int y) { return p.data + y * p.stride; }

INLINE int clamp(int value, int most) { return value < 0 ? 0 : value > most ? most : value; }
INLINE float least(float a, float b) { return a < b ? a : b; }
INLINE float largest(float a, float b) { return a > b ? a : b; }

/* Memory for planes. With no base it only counts. */
typedef struct {
  float *base;
  ptrdiff_t used;
} arena;

INLINE plane room(arena *memory, int height, int width, int rows_around) {
  ptrdiff_t stride = (width + 2 * SIDE + 15) / 16 * 16;
  ptrdiff_t first = memory->used + rows_around * stride + SIDE;
  plane made = {memory->base ? memory->base + first : NULL, stride, height, width};
  memory->used += stride * (height + 2 * rows_around);
  return made;
}

INLINE void copy_in(const float *packed, plane p) {
  for (int y = 0; y < p.height; y++)
    memcpy(row(p, y), packed + (ptrdiff_t)y * p.width, sizeof(float) * p.width);
}

INLINE void copy_out(plane p, float *packed) {
  for (int y = 0; y < p.height; y++)
    memcpy(packed + (ptrdiff_t)y * p.width, row(p, y), sizeof(float) * p.width);
}
