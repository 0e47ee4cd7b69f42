/* Flow of a pair of images, from coarse to fine. */
#include <math.h>
#include <stdlib.h>

#include "inverse_search.h"
#include "refinement.h"

enum { AROUND = 16, SCALES = 16 };

/* As `SearchSettings` in native/inverse_search.py. */
typedef struct {
  int finest_scale, patch_stride, steps, rounds, sweeps;
} settings;

/* Means over 2 x 2 pixels, times a factor; an odd last row or column stands for itself. */
FAST static void halve(plane from, plane to, float factor) {
  int whole = from.width / 2;
  for (int y = 0; y < to.height; y++) {
    const float *upper = row(from, 2 * y), *lower = row(from, clamp(2 * y + 1, from.height - 1));
    float *out = row(to, y);
    INDEPENDENT for (int x = 0; x < whole; x++)
      out[x] = ((upper[2 * x] + upper[2 * x + 1]) + (lower[2 * x] + lower[2 * x + 1])) * (.25f * factor);
    if (whole < to.width) out[whole] = (upper[2 * whole] + lower[2 * whole]) * (.5f * factor);
  }
}

/* The flow of twice the size, bilinear, its vectors doubled. `line` is as long as a row. */
FAST static void twice(plane from, plane to, float *line) {
  int pairs = to.width / 2;
  for (int y = 0; y < to.height; y++) {
    const float *near = row(from, y / 2), *far = row(from, clamp(y / 2 + (y % 2 ? 1 : -1), from.height - 1));
    float *out = row(to, y);
    INDEPENDENT for (int x = 0; x < from.width; x++) line[x] = near[x] * 1.5f + far[x] * .5f;
    line[-1] = line[0];
    line[from.width] = line[from.width - 1];
    INDEPENDENT for (int x = 0; x < pairs; x++) {
      out[2 * x] = .75f * line[x] + .25f * line[x - 1];
      out[2 * x + 1] = .75f * line[x] + .25f * line[x + 1];
    }
    if (to.width % 2) out[to.width - 1] = .75f * line[pairs] + .25f * line[pairs - 1];
  }
}

static void replicate(plane p) {
  for (int y = 0; y < p.height; y++)
    for (int x = 1; x <= AROUND; x++) {
      row(p, y)[-x] = row(p, y)[0];
      row(p, y)[p.width - 1 + x] = row(p, y)[p.width - 1];
    }
  size_t bytes = sizeof(float) * (p.width + 2 * AROUND);
  for (int y = 1; y <= AROUND; y++) {
    memcpy(row(p, -y) - AROUND, row(p, 0) - AROUND, bytes);
    memcpy(row(p, p.height - 1 + y) - AROUND, row(p, p.height - 1) - AROUND, bytes);
  }
}

/* The coarsest scale: four patches along the longer side, one along the shorter one. */
static int coarsest_scale(int height, int width) {
  int longer = height > width ? height : width, shorter = height > width ? width : height;
  int scale = 0;
  while (scale + 1 < SCALES && longer >> scale >= 6 * PATCH && shorter >> (scale + 1) >= PATCH) scale++;
  return scale;
}

/* All that a pair needs. */
typedef struct {
  plane a[SCALES], b[SCALES], start[2][SCALES], flow[2][SCALES];
  plane line;
  vector *found;
  arena scratch;
} workspace;

static size_t arrange(workspace *work, float *base, int height, int width, int scales, int with_start, int stride) {
  arena memory = {base, 0};
  for (int scale = 0, h = height, w = width; scale <= scales; scale++, h = (h + 1) / 2, w = (w + 1) / 2) {
    work->a[scale] = room(&memory, h, w, 0);
    work->b[scale] = room(&memory, h, w, AROUND);
    for (int axis = 0; axis < 2; axis++) {
      work->flow[axis][scale] = room(&memory, h, w, 0);
      if (with_start) work->start[axis][scale] = room(&memory, h, w, 0);
    }
  }
  work->line = room(&memory, 1, width, 0);
  work->found = (vector *)(base ? base + memory.used : NULL);
  ptrdiff_t vectors = (ptrdiff_t)patches_along(height, stride) * patches_along(width, stride);
  memory.used += (3 * vectors + 15) / 16 * 16;
  work->scratch = memory;
  for (int i = 0; i < REFINEMENT_PLANES; i++) room(&memory, height, width, 0);
  return sizeof(float) * memory.used;
}

static void fill_start(plane right, plane down, plane start_right, plane start_down) {
  for (int y = 0; y < right.height; y++) {
    size_t bytes = sizeof(float) * right.width;
    if (start_right.data) {
      memcpy(row(right, y), row(start_right, y), bytes);
      memcpy(row(down, y), row(start_down, y), bytes);
    } else {
      memset(row(right, y), 0, bytes);
      memset(row(down, y), 0, bytes);
    }
  }
}

/* Flow from `first` to `second`, grey levels (height, width) of at least PATCH pixels a side.
 * `start` (2, height, width) or NULL; `flow` (2, height, width) is written. Returns 0, or -1 for want of memory. */
EXPORT int vsod_flow(const float *first, const float *second, int height, int width, const float *start, float *flow,
                     const settings *set) {
  workspace work = {0};
  int coarsest = coarsest_scale(height, width);
  int finest = set->finest_scale < coarsest ? set->finest_scale : coarsest;
  size_t bytes = arrange(&work, NULL, height, width, coarsest, start != NULL, set->patch_stride);
  float *base = malloc(bytes + 64);
  if (!base) return -1;
  float *aligned = (float *)(((uintptr_t)base + 63) / 64 * 64);
  arrange(&work, aligned, height, width, coarsest, start != NULL, set->patch_stride);
  copy_in(first, work.a[0]);
  copy_in(second, work.b[0]);
  for (int axis = 0; start && axis < 2; axis++)
    copy_in(start + (ptrdiff_t)axis * height * width, work.start[axis][0]);
  for (int scale = 1; scale <= coarsest; scale++) {
    halve(work.a[scale - 1], work.a[scale], 1);
    halve(work.b[scale - 1], work.b[scale], 1);
    for (int axis = 0; start && axis < 2; axis++) halve(work.start[axis][scale - 1], work.start[axis][scale], .5f);
  }
  for (int scale = coarsest; scale >= finest; scale--) {
    plane a = work.a[scale], b = work.b[scale], right = work.flow[0][scale], down = work.flow[1][scale];
    if (scale == coarsest) {
      fill_start(right, down, work.start[0][scale], work.start[1][scale]);
    } else {
      twice(work.flow[0][scale + 1], right, work.line.data);
      twice(work.flow[1][scale + 1], down, work.line.data);
    }
    replicate(b);
    arena memory = work.scratch;
    plane across = room(&memory, a.height, a.width, 0), along = room(&memory, a.height, a.width, 0);
    vsod_gradients(a, across, along);
    vsod_search(a, across, along, b, right, down, work.start[0][scale], work.start[1][scale], work.found,
                set->patch_stride, set->steps);
    vsod_densify(a, b, work.found, set->patch_stride, right, down, across);
    if (set->rounds) vsod_refine(a, b, right, down, work.scratch, set->rounds, set->sweeps);
  }
  for (int scale = finest - 1; scale >= 0; scale--)
    for (int axis = 0; axis < 2; axis++) twice(work.flow[axis][scale + 1], work.flow[axis][scale], work.line.data);
  for (int axis = 0; axis < 2; axis++) copy_out(work.flow[axis][0], flow + (ptrdiff_t)axis * height * width);
  free(base);
  return 0;
}

/* Of what this was compiled, see build.py. */
EXPORT const char *vsod_sources(void) { return VSOD_SOURCES; }
