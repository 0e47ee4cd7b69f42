/* Bilinear samples of maps where a flow points to. */
#include "maps.h"

enum { AHEAD = 6 };  /* rows that are fetched into the cache before they are read: whole images are rarely there */
enum { TILE = 128 }; /* pixels of a row whose places are found before maps are read there */

/* The upper left one of four pixels, and how far the place is from it, in [0, 1]. */
typedef struct {
  int top[TILE], left[TILE], at[TILE];
  float right[TILE], down[TILE];
} places;

/* Where each pixel of a row points to. What is no number becomes 0. */
INLINE void find(places *found, const float *u, const float *v, int pixels, float column, float line, const maps *image) {
  int most_left = image->width - 2, most_top = image->height - 2;
  float most_x = image->width - 1, most_y = image->height - 1;
  INDEPENDENT for (int i = 0; i < pixels; i++) {
    float at_x = least(largest(column + i + u[i], 0), most_x), at_y = least(largest(line + v[i], 0), most_y);
    int left = (int)at_x, top = (int)at_y;
    left = left < most_left ? left : most_left;
    top = top < most_top ? top : most_top;
    found->left[i] = left;
    found->top[i] = top;
    found->right[i] = at_x - left;
    found->down[i] = at_y - top;
  }
}

/* A row of samples. Pixels that are neighbours are fetched together, which a processor does one place at a time;
   all else is done for many places at once. */
INLINE void read(const places *found, const float *from, ptrdiff_t stride, int pixels, float *out) {
  float above[2 * TILE], below[2 * TILE];
  for (int i = 0; i < pixels; i += 16) __builtin_prefetch(from + found->at[i] + AHEAD * stride);
  for (int i = 0; i < pixels; i++) {
    const float *at = from + found->at[i];
    memcpy(above + 2 * i, at, 2 * sizeof(float));
    memcpy(below + 2 * i, at + stride, 2 * sizeof(float));
  }
  INDEPENDENT for (int i = 0; i < pixels; i++) {
    float upper = above[2 * i] + found->right[i] * (above[2 * i + 1] - above[2 * i]);
    float lower = below[2 * i] + found->right[i] * (below[2 * i + 1] - below[2 * i]);
    out[i] = upper + found->down[i] * (lower - upper);
  }
}

/* Several maps of one size, two pixels a side at least, by one flow; `out` of each (count, channels, height, width of
 * the flow), packed. */
FAST EXPORT void vsod_sample(const maps *images, int number, const maps *flow, int top, int left, float *const *out) {
  places found;
  ptrdiff_t plane = (ptrdiff_t)flow->height * flow->width;
  for (int b = 0; b < flow->count; b++)
    for (int y = 0; y < flow->height; y++)
      for (int x = 0; x < flow->width; x += TILE) {
        int pixels = flow->width - x < TILE ? flow->width - x : TILE;
        const float *u = flow->data + b * flow->next + y * flow->row + x;
        find(&found, u, u + flow->channel, pixels, x + left, y + top, images);
        for (int i = 0; i < number; i++) {
          const maps *image = images + i;
          int stride = (int)image->row;
          if (!i || stride != images[i - 1].row)
            INDEPENDENT for (int p = 0; p < pixels; p++) found.at[p] = found.top[p] * stride + found.left[p];
          for (int c = 0; c < image->channels; c++)
            read(&found, image->data + b * image->next + c * image->channel, stride, pixels,
                 out[i] + ((ptrdiff_t)b * image->channels + c) * plane + (ptrdiff_t)y * flow->width + x);
        }
      }
}
