/* How unlike two pictures are around each pixel. Sums are in the order of ops/labels/photometric.py and
 * ops/window_mean.py.
 */
#include <stdlib.h>

#include "maps.h"

INLINE float magnitude(float value) { return value < 0 ? -value : value; }

INLINE const float *line_of(const maps *from, int number, int channel, int y) {
  return from->data + number * from->next + channel * from->channel + y * from->row;
}

/* A row of the largest difference of the channels, or of the sum of all. */
INLINE void differ(const maps *a, const maps *b, int number, int y, int summed, float *out) {
  const float *first = line_of(a, number, 0, y), *second = line_of(b, number, 0, y);
  INDEPENDENT for (int x = 0; x < a->width; x++) out[x] = magnitude(first[x] - second[x]);
  for (int c = 1; c < a->channels; c++) {
    first += a->channel;
    second += b->channel;
    if (summed)
      INDEPENDENT for (int x = 0; x < a->width; x++) out[x] += magnitude(first[x] - second[x]);
    else
      INDEPENDENT for (int x = 0; x < a->width; x++) out[x] = largest(out[x], magnitude(first[x] - second[x]));
  }
}

/* A row of weighted sums: the middle one, then pairs from the outermost ones on. */
INLINE void weigh(const float *const *taps, const float *weights, int radius, int pixels, float *out) {
  INDEPENDENT for (int x = 0; x < pixels; x++) out[x] = taps[radius][x] * weights[radius];
  for (int i = 0; i < radius; i++) {
    const float *before = taps[i], *after = taps[2 * radius - i];
    INDEPENDENT for (int x = 0; x < pixels; x++) out[x] += (before[x] + after[x]) * weights[i];
  }
}

/* `rows`: 2 radius + 1 of the width of the pictures, and one of 2 radius more; `taps`: pointers to as many. */
FAST static void blur(const maps *a, const maps *b, int number, const float *weights, int radius, float *rows,
                      const float **taps, float *out) {
  int height = a->height, width = a->width, length = 2 * radius + 1;
  float *wide = rows + (ptrdiff_t)length * width;
  for (int y = 0; y < height + radius; y++) {
    if (y < height) {
      differ(a, b, number, y, 0, wide + radius);
      for (int x = 0; x < radius; x++) {
        wide[x] = wide[radius];
        wide[radius + width + x] = wide[radius + width - 1];
      }
      for (int i = 0; i < length; i++) taps[i] = wide + i;
      weigh(taps, weights, radius, width, rows + (ptrdiff_t)(y % length) * width);
    }
    if (y < radius) continue;
    for (int i = 0; i < length; i++)
      taps[i] = rows + (ptrdiff_t)(clamp(y - 2 * radius + i, height - 1) % length) * width;
    weigh(taps, weights, radius, width, out + (ptrdiff_t)(y - radius) * width);
  }
}

/* The largest difference of the channels, smoothed by a symmetric filter with 2 radius + 1 weights, the border
 * repeated. `out` (count, 1, height, width). Returns 0, or -1 for want of memory. */
EXPORT int vsod_largest_differences(const maps *a, const maps *b, const float *weights, int radius, float *out) {
  size_t length = 2 * (size_t)radius + 1, floats = length * a->width + a->width + length;
  const float **taps = malloc(sizeof(float *) * length + sizeof(float) * floats);
  if (!taps) return -1;
  for (int number = 0; number < a->count; number++)
    blur(a, b, number, weights, radius, (float *)(taps + length), taps, out + (ptrdiff_t)number * a->height * a->width);
  free(taps);
  return 0;
}

/* `rows`: three, each between two pixels of 0. */
FAST static void average(const maps *a, const maps *b, int number, float *rows, float *out) {
  int height = a->height, width = a->width, stride = width + 2;
  float share = a->channels;
  for (int y = 0; y <= height; y++) {
    float *next = rows + (y % 3) * stride + 1;
    if (y < height) {
      differ(a, b, number, y, 1, next);
      INDEPENDENT for (int x = 0; x < width; x++) next[x] /= share;
    } else {
      memset(next, 0, sizeof(float) * width);
    }
    if (y == 0) continue;
    const float *above = rows + ((y + 1) % 3) * stride + 1, *here = rows + ((y + 2) % 3) * stride + 1;
    float lines = 1 + (y > 1) + (y < height), *to = out + (ptrdiff_t)(y - 1) * width;
    INDEPENDENT for (int x = 0; x < width; x++) {
      float upper = above[x - 1] + above[x] + above[x + 1];
      float middle = upper + here[x - 1] + here[x] + here[x + 1];
      to[x] = middle + next[x - 1] + next[x] + next[x + 1];
    }
    float inside = 3 * lines, side = 2 * lines;
    if (width) to[0] /= width > 1 ? side : lines;
    INDEPENDENT for (int x = 1; x < width - 1; x++) to[x] /= inside;
    if (width > 1) to[width - 1] /= side;
  }
}

/* The mean difference of the channels, and of that the mean over the 3 x 3 pixels around that there are.
 * `out` (count, 1, height, width). Returns 0, or -1 for want of memory. */
EXPORT int vsod_mean_differences(const maps *a, const maps *b, float *out) {
  size_t floats = 3 * (size_t)(a->width + 2);
  float *rows = calloc(floats, sizeof(float));
  if (!rows) return -1;
  for (int number = 0; number < a->count; number++) {
    memset(rows, 0, sizeof(float) * floats);
    average(a, b, number, rows, out + (ptrdiff_t)number * a->height * a->width);
  }
  free(rows);
  return 0;
}
