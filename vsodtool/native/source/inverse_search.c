/* Dense inverse search (Kroeger, Timofte, Dai, Van Gool, ECCV 2016, sections 2.1 and 2.2).
 *
 * Patches of 8 x 8 pixels of a are looked for in b by Gauss-Newton steps whose Hessian is that of a's patch, so
 * made once. What differs from the paper: patches also try the vectors of their neighbours, from the top left
 * and then from the bottom right, and those of a start; steps stop when they no longer help; both Hessian and
 * gradient are free of the patch's mean, so that light does not move it.
 */
#include "inverse_search.h"

#include <math.h>

enum { PIXELS = PATCH * PATCH };
static const float DAMPING = 4;          /* of the Hessian, in grey levels squared: what shows nothing stays */
static const float SETTLED = 4e-4f;      /* a step of .02 pixels is the last one */
static const float SAME = 1e-2f;         /* neighbours within .1 pixels have nothing to say */
static const float FARTHEST = PIXELS;    /* a patch that goes further than its size has lost its way */

typedef float lanes __attribute__((vector_size(32)));
typedef float unaligned __attribute__((vector_size(32), aligned(4), may_alias));

INLINE lanes load(const float *from) { return *(const unaligned *)from; }
INLINE void store(float *to, lanes values) { *(unaligned *)to = values; }
INLINE float total(lanes v) { return ((v[0] + v[4]) + (v[2] + v[6])) + ((v[1] + v[5]) + (v[3] + v[7])); }

/* A place between pixels of b, which is replicated around. */
typedef struct {
  const float *at;
  ptrdiff_t stride;
  float right, down; /* of the pixel, in [0, 1) */
} place;

INLINE place find(plane b, int y, int x, float right, float down) {
  float at_y = least(largest(y + down, 1 - PATCH), b.height - 1);
  float at_x = least(largest(x + right, 1 - PATCH), b.width - 1);
  float top = floorf(at_y), left = floorf(at_x);
  place found = {b.data + (ptrdiff_t)top * b.stride + (ptrdiff_t)left, b.stride, at_x - left, at_y - top};
  return found;
}

/* Eight pixels of a row at a place, interpolated along the row only. */
INLINE lanes along_row(place p, int r) {
  const float *from = p.at + r * p.stride;
  lanes left = load(from);
  return left + p.right * (load(from + 1) - left);
}

/* How much row r of a patch differs at a place, of which `above` is that row and becomes the next one. */
INLINE lanes residual(place p, int r, lanes *above, const float *patch) {
  lanes below = along_row(p, r + 1), here = *above;
  *above = below;
  return here + p.down * (below - here) - load(patch);
}

/* Squared difference of two patches but for their means. */
INLINE float difference(plane a, plane b, int y, int x, float right, float down) {
  place p = find(b, y, x, right, down);
  lanes above = along_row(p, 0), sums = {0}, squares = {0};
  for (int r = 0; r < PATCH; r++) {
    lanes d = residual(p, r, &above, row(a, y + r) + x);
    sums += d;
    squares += d * d;
  }
  float sum = total(sums);
  return total(squares) - sum * sum * (1.f / PIXELS);
}

/* Steps from a vector to where the patch differs least. */
INLINE vector descend(plane a, plane across, plane along, plane b, int y, int x, vector from, int steps) {
  lanes h_xx = {0}, h_xy = {0}, h_yy = {0}, sum_x = {0}, sum_y = {0};
  for (int r = 0; r < PATCH; r++) {
    lanes gx = load(row(across, y + r) + x), gy = load(row(along, y + r) + x);
    h_xx += gx * gx;
    h_xy += gx * gy;
    h_yy += gy * gy;
    sum_x += gx;
    sum_y += gy;
  }
  float mean_x = total(sum_x) * (1.f / PIXELS), mean_y = total(sum_y) * (1.f / PIXELS);
  float xx = total(h_xx) - mean_x * mean_x * PIXELS + DAMPING;
  float xy = total(h_xy) - mean_x * mean_y * PIXELS;
  float yy = total(h_yy) - mean_y * mean_y * PIXELS + DAMPING;
  float inverse = 1 / (xx * yy - xy * xy);
  vector here = from, best = from;
  best.difference = INFINITY;
  for (int step = 0; step <= steps; step++) {
    place p = find(b, y, x, here.right, here.down);
    lanes above = along_row(p, 0), sums = {0}, squares = {0}, by_x = {0}, by_y = {0};
    for (int r = 0; r < PATCH; r++) {
      lanes d = residual(p, r, &above, row(a, y + r) + x);
      sums += d;
      squares += d * d;
      by_x += d * load(row(across, y + r) + x);
      by_y += d * load(row(along, y + r) + x);
    }
    float sum = total(sums);
    here.difference = total(squares) - sum * sum * (1.f / PIXELS);
    if (here.difference >= best.difference) break;
    best = here;
    float slope_x = total(by_x) - sum * mean_x, slope_y = total(by_y) - sum * mean_y;
    float right = (yy * slope_x - xy * slope_y) * inverse, down = (xx * slope_y - xy * slope_x) * inverse;
    here.right -= right;
    here.down -= down;
    float far_x = here.right - from.right, far_y = here.down - from.down;
    if (right * right + down * down < SETTLED || far_x * far_x + far_y * far_y > FARTHEST) break;
  }
  return best;
}

/* The better one of what a patch has and what another one proposes. */
INLINE int propose(plane a, plane b, int y, int x, vector *has, float right, float down) {
  float far_x = has->right - right, far_y = has->down - down;
  if (far_x * far_x + far_y * far_y <= SAME) return 0;
  float differs = difference(a, b, y, x, right, down);
  if (differs >= has->difference) return 0;
  *has = (vector){right, down, differs};
  return 1;
}

INLINE int first_pixel(int patch, int stride, int pixels) {
  int at = patch * stride;
  return at < pixels - PATCH ? at : pixels - PATCH;
}

/* `right`, `down`: the flow of the scale before; those of a start may have no data. b is replicated around. */
FAST void vsod_search(plane a, plane across, plane along, plane b, plane right, plane down, plane start_right,
                      plane start_down, vector *found, int stride, int steps) {
  int rows = patches_along(a.height, stride), columns = patches_along(a.width, stride);
  for (int i = 0; i < rows; i++)
    for (int j = 0; j < columns; j++) {
      int y = first_pixel(i, stride, a.height), x = first_pixel(j, stride, a.width);
      int middle_y = y + PATCH / 2, middle_x = x + PATCH / 2;
      vector *here = found + (ptrdiff_t)i * columns + j;
      vector has = {row(right, middle_y)[middle_x], row(down, middle_y)[middle_x], 0};
      has.difference = difference(a, b, y, x, has.right, has.down);
      if (start_right.data)
        propose(a, b, y, x, &has, row(start_right, middle_y)[middle_x], row(start_down, middle_y)[middle_x]);
      if (j) propose(a, b, y, x, &has, here[-1].right, here[-1].down);
      if (i) propose(a, b, y, x, &has, here[-columns].right, here[-columns].down);
      *here = descend(a, across, along, b, y, x, has, steps);
    }
  for (int i = rows - 1; i >= 0; i--)
    for (int j = columns - 1; j >= 0; j--) {
      int y = first_pixel(i, stride, a.height), x = first_pixel(j, stride, a.width);
      vector *here = found + (ptrdiff_t)i * columns + j;
      int better = 0;
      if (j < columns - 1) better |= propose(a, b, y, x, here, here[1].right, here[1].down);
      if (i < rows - 1) better |= propose(a, b, y, x, here, here[columns].right, here[columns].down);
      if (better) *here = descend(a, across, along, b, y, x, *here, steps);
    }
}

/* Each pixel's mean of the vectors of the patches around it, the more of one the better it explains the pixel. */
FAST void vsod_densify(plane a, plane b, const vector *found, int stride, plane right, plane down, plane weights) {
  int rows = patches_along(a.height, stride), columns = patches_along(a.width, stride);
  for (int y = 0; y < a.height; y++) {
    memset(row(right, y), 0, sizeof(float) * a.width);
    memset(row(down, y), 0, sizeof(float) * a.width);
    memset(row(weights, y), 0, sizeof(float) * a.width);
  }
  for (int i = 0; i < rows; i++)
    for (int j = 0; j < columns; j++) {
      int y = first_pixel(i, stride, a.height), x = first_pixel(j, stride, a.width);
      vector here = found[(ptrdiff_t)i * columns + j];
      place p = find(b, y, x, here.right, here.down);
      lanes above = along_row(p, 0);
      for (int r = 0; r < PATCH; r++) {
        lanes d = residual(p, r, &above, row(a, y + r) + x), weight;
        for (int c = 0; c < PATCH; c++) weight[c] = 1 / largest(1, fabsf(d[c]));
        float *to_right = row(right, y + r) + x, *to_down = row(down, y + r) + x;
        float *to_weights = row(weights, y + r) + x;
        store(to_right, load(to_right) + weight * here.right);
        store(to_down, load(to_down) + weight * here.down);
        store(to_weights, load(to_weights) + weight);
      }
    }
  for (int y = 0; y < a.height; y++) {
    float *u = row(right, y), *v = row(down, y);
    const float *w = row(weights, y);
    INDEPENDENT for (int x = 0; x < a.width; x++) {
      float share = 1 / w[x];
      u[x] *= share;
      v[x] *= share;
    }
  }
}

/* Derivatives by Sobel's operator, in grey levels a pixel. */
FAST void vsod_gradients(plane image, plane across, plane along) {
  int last = image.width - 1;
  for (int y = 0; y < image.height; y++) {
    const float *here = row(image, y), *above = row(image, clamp(y - 1, image.height - 1));
    const float *below = row(image, clamp(y + 1, image.height - 1));
    float *gx = row(across, y), *gy = row(along, y);
    INDEPENDENT for (int x = 1; x < last; x++) {
      gx[x] = ((above[x + 1] - above[x - 1]) + 2 * (here[x + 1] - here[x - 1]) + (below[x + 1] - below[x - 1])) * .125f;
      gy[x] = ((below[x - 1] - above[x - 1]) + 2 * (below[x] - above[x]) + (below[x + 1] - above[x + 1])) * .125f;
    }
    gx[0] = gx[last] = 0;
    gy[0] = gy[1];
    gy[last] = gy[last - 1];
  }
}
