/* A guided filter (He, Sun and Tang, ECCV 2010, equations 5 and 6) with windows of 5 x 5 pixels, the border repeated.
 * Sums are in the order of ops/labels/edges.py.
 */
#include <stdlib.h>

#include "maps.h"

enum { RADIUS = 2, TAPS = 2 * RADIUS + 1, PIXELS = TAPS * TAPS };

/* Of a packed plane the rows of the windows around a row. */
INLINE void rows_around(const float *base, int y, int height, int width, const float **rows) {
  for (int i = 0; i < TAPS; i++) rows[i] = base + (ptrdiff_t)clamp(y + i - RADIUS, height - 1) * width;
}

INLINE float down(const float *const *rows, int x) {
  return rows[0][x] + rows[1][x] + rows[2][x] + rows[3][x] + rows[4][x];
}

INLINE float down_products(const float *const *a, const float *const *b, int x) {
  return a[0][x] * b[0][x] + a[1][x] * b[1][x] + a[2][x] * b[2][x] + a[3][x] * b[3][x] + a[4][x] * b[4][x];
}

INLINE float across(const float *row, int x) {
  return (row[x - 2] + row[x - 1] + row[x] + row[x + 1] + row[x + 2]) / PIXELS;
}

INLINE void repeat_border(float *row, int width) {
  for (int i = 1; i <= RADIUS; i++) {
    row[-i] = row[0];
    row[width - 1 + i] = row[width - 1];
  }
}

FAST static void to_luma(const maps *image, const float *weights, float *luma) {
  for (int y = 0; y < image->height; y++) {
    const float *red = image->data + y * image->row, *green = red + image->channel, *blue = green + image->channel;
    float *out = luma + (ptrdiff_t)y * image->width;
    INDEPENDENT for (int x = 0; x < image->width; x++)
      out[x] = red[x] * weights[0] + green[x] * weights[1] + blue[x] * weights[2];
  }
}

/* What a label is of the guide in each window: slope and offset. `sums`: four rows, RADIUS floats left and right. */
FAST static void fit(const float *guide, const float *labels, int height, int width, float smoothness, float *const *sums,
                     float *slope, float *offset) {
  float *of_g = sums[0], *of_l = sums[1], *of_gl = sums[2], *of_gg = sums[3];
  for (int y = 0; y < height; y++) {
    const float *g[TAPS], *l[TAPS];
    rows_around(guide, y, height, width, g);
    rows_around(labels, y, height, width, l);
    INDEPENDENT for (int x = 0; x < width; x++) {
      of_g[x] = down(g, x);
      of_l[x] = down(l, x);
      of_gl[x] = down_products(g, l, x);
      of_gg[x] = down_products(g, g, x);
    }
    for (int i = 0; i < 4; i++) repeat_border(sums[i], width);
    float *to_slope = slope + (ptrdiff_t)y * width, *to_offset = offset + (ptrdiff_t)y * width;
    INDEPENDENT for (int x = 0; x < width; x++) {
      float mean_g = across(of_g, x), mean_l = across(of_l, x);
      float covariance = across(of_gl, x) - mean_g * mean_l, variance = across(of_gg, x) - mean_g * mean_g;
      to_slope[x] = covariance / (variance + smoothness);
      to_offset[x] = mean_l - to_slope[x] * mean_g;
    }
  }
}

FAST static void apply(const float *guide, const float *slope, const float *offset, int height, int width,
                       float *const *sums, float *out) {
  float *of_slope = sums[0], *of_offset = sums[1];
  for (int y = 0; y < height; y++) {
    const float *s[TAPS], *o[TAPS], *here = guide + (ptrdiff_t)y * width;
    rows_around(slope, y, height, width, s);
    rows_around(offset, y, height, width, o);
    INDEPENDENT for (int x = 0; x < width; x++) {
      of_slope[x] = down(s, x);
      of_offset[x] = down(o, x);
    }
    repeat_border(of_slope, width);
    repeat_border(of_offset, width);
    float *to = out + (ptrdiff_t)y * width;
    INDEPENDENT for (int x = 0; x < width; x++) to[x] = across(of_slope, x) * here[x] + across(of_offset, x);
  }
}

/* Labels (1, channels, height, width) filtered by the luma of an image (1, 3, height, width), to `out`, packed.
 * Returns 0, or -1 for want of memory. */
EXPORT int vsod_guided_filter(const maps *image, const maps *labels, const float *luma_weights, float smoothness,
                              float *out) {
  int height = labels->height, width = labels->width;
  ptrdiff_t plane = (ptrdiff_t)height * width, line = width + 2 * RADIUS;
  float *memory = malloc(sizeof(float) * (4 * plane + 4 * line));
  if (!memory) return -1;
  float *luma = memory, *label = luma + plane, *slope = label + plane, *offset = slope + plane;
  float *sums[4];
  for (int i = 0; i < 4; i++) sums[i] = offset + plane + i * line + RADIUS;
  to_luma(image, luma_weights, luma);
  for (int c = 0; c < labels->channels; c++) {
    for (int y = 0; y < height; y++)
      memcpy(label + (ptrdiff_t)y * width, labels->data + c * labels->channel + y * labels->row, sizeof(float) * width);
    fit(luma, label, height, width, smoothness, sums, slope, offset);
    apply(luma, slope, offset, height, width, sums, out + c * plane);
  }
  free(memory);
  return 0;
}
