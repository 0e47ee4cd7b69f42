/* Variational refinement (Brox, Bruhn, Papenberg, Weickert, ECCV 2004; terms normalised as by Zimmer, Bruhn,
 * Weickert, IJCV 2011, equation 9): a flow becomes smooth but for its edges, while brightness and its gradient
 * stay the same along it. Weights as OpenCV's VariationalRefinement has them. b is read at the start's flow only,
 * and linear from there.
 */
#include "refinement.h"

#include <math.h>

static const float SMOOTH = 20, BRIGHT = 5, SLOPE = 10; /* what the three terms weigh */
static const float NOISE = 1e-2f;                       /* in normalisations, squared */
static const float ROUND = 1e-6f;                       /* of the penalty sqrt(s + ROUND) */
static const float BEYOND = 1.6f;                       /* over-relaxation */

enum { I_X, I_Y, I_Z, I_XX, I_XY, I_YY, I_XZ, I_YZ, DERIVATIVES };
enum { COUPLING, AIM_RIGHT, AIM_DOWN, SHARE_RIGHT, SHARE_DOWN, STIFF, EQUATIONS };

/* Derivatives of both images along the flow, of their mean where they are spatial; and where b is seen. */
FAST static void differentiate(plane a, plane b, plane right, plane down, plane mean, plane seen, plane *d) {
  int height = a.height, width = a.width, stride = (int)b.stride;
  const float *from = b.data;
  for (int y = 0; y < height; y++) {
    const float *u = row(right, y), *v = row(down, y), *here = row(a, y);
    float *m = row(mean, y), *z = row(d[I_Z], y), *s = row(seen, y);
    float most_x = width - 1, most_y = height - 1;
    INDEPENDENT for (int x = 0; x < width; x++) {
      float at_x = x + u[x], at_y = y + v[x];
      float in_x = least(largest(at_x, 0), most_x), in_y = least(largest(at_y, 0), most_y);
      int left = (int)in_x, top = (int)in_y, at = top * stride + left;
      float part_x = in_x - left, part_y = in_y - top;
      float above = from[at] + part_x * (from[at + 1] - from[at]);
      float below = from[at + stride] + part_x * (from[at + stride + 1] - from[at + stride]);
      float there = above + part_y * (below - above);
      m[x] = .5f * (there + here[x]);
      z[x] = there - here[x];
      s[x] = at_x == in_x && at_y == in_y ? 1.f : 0.f;
    }
    m[-1] = m[0];
    m[width] = m[width - 1];
    z[-1] = z[0];
    z[width] = z[width - 1];
  }
  for (int y = 0; y < height; y++) {
    int up = clamp(y - 1, height - 1), on = clamp(y + 1, height - 1);
    const float *m = row(mean, y), *m_up = row(mean, up), *m_on = row(mean, on);
    const float *z = row(d[I_Z], y), *z_up = row(d[I_Z], up), *z_on = row(d[I_Z], on);
    float *dx = row(d[I_X], y), *dy = row(d[I_Y], y), *dxz = row(d[I_XZ], y), *dyz = row(d[I_YZ], y);
    INDEPENDENT for (int x = 0; x < width; x++) {
      dx[x] = .5f * (m[x + 1] - m[x - 1]);
      dy[x] = .5f * (m_on[x] - m_up[x]);
      dxz[x] = .5f * (z[x + 1] - z[x - 1]);
      dyz[x] = .5f * (z_on[x] - z_up[x]);
    }
    dx[-1] = dx[0];
    dx[width] = dx[width - 1];
  }
  for (int y = 0; y < height; y++) {
    int up = clamp(y - 1, height - 1), on = clamp(y + 1, height - 1);
    const float *dx = row(d[I_X], y), *dx_up = row(d[I_X], up), *dx_on = row(d[I_X], on);
    const float *dy_up = row(d[I_Y], up), *dy_on = row(d[I_Y], on);
    float *dxx = row(d[I_XX], y), *dxy = row(d[I_XY], y), *dyy = row(d[I_YY], y);
    INDEPENDENT for (int x = 0; x < width; x++) {
      dxx[x] = .5f * (dx[x + 1] - dx[x - 1]);
      dxy[x] = .5f * (dx_on[x] - dx_up[x]);
      dyy[x] = .5f * (dy_on[x] - dy_up[x]);
    }
  }
}

/* The linear equations of all pixels, with the penalties of the flow as it is now. */
FAST static void linearise(const plane *d, plane seen, plane from_right, plane from_down, plane right, plane down,
                           plane *equations) {
  int height = right.height, width = right.width;
  for (int y = 0; y < height; y++) {
    float *u = row(right, y), *v = row(down, y), *stiff = row(equations[STIFF], y);
    const float *u_on = row(right, clamp(y + 1, height - 1)), *v_on = row(down, clamp(y + 1, height - 1));
    u[width] = u[width - 1];
    v[width] = v[width - 1];
    INDEPENDENT for (int x = 0; x < width; x++) {
      float ux = u[x + 1] - u[x], vx = v[x + 1] - v[x], uy = u_on[x] - u[x], vy = v_on[x] - v[x];
      stiff[x] = SMOOTH / sqrtf(ux * ux + uy * uy + vx * vx + vy * vy + ROUND);
    }
    stiff[-1] = stiff[0];
  }
  for (int y = 0; y < height; y++) {
    const float *dx = row(d[I_X], y), *dy = row(d[I_Y], y), *dz = row(d[I_Z], y), *dxx = row(d[I_XX], y);
    const float *dxy = row(d[I_XY], y), *dyy = row(d[I_YY], y), *dxz = row(d[I_XZ], y), *dyz = row(d[I_YZ], y);
    const float *u = row(right, y), *v = row(down, y), *u_from = row(from_right, y), *v_from = row(from_down, y);
    const float *s = row(seen, y), *stiff = row(equations[STIFF], y);
    const float *stiff_up = row(equations[STIFF], clamp(y - 1, height - 1));
    float *coupling = row(equations[COUPLING], y), *aim_right = row(equations[AIM_RIGHT], y);
    float *aim_down = row(equations[AIM_DOWN], y), *share_right = row(equations[SHARE_RIGHT], y);
    float *share_down = row(equations[SHARE_DOWN], y);
    INDEPENDENT for (int x = 0; x < width; x++) {
      float du = u[x] - u_from[x], dv = v[x] - v_from[x];
      float norm = 1 / (dx[x] * dx[x] + dy[x] * dy[x] + NOISE), change = dz[x] + dx[x] * du + dy[x] * dv;
      float bright = s[x] * BRIGHT * norm / sqrtf(change * change * norm + ROUND);
      float a11 = bright * dx[x] * dx[x], a12 = bright * dx[x] * dy[x], a22 = bright * dy[x] * dy[x];
      float b1 = -bright * dz[x] * dx[x], b2 = -bright * dz[x] * dy[x];
      float norm_x = 1 / (dxx[x] * dxx[x] + dxy[x] * dxy[x] + NOISE);
      float norm_y = 1 / (dyy[x] * dyy[x] + dxy[x] * dxy[x] + NOISE);
      float change_x = dxz[x] + dxx[x] * du + dxy[x] * dv, change_y = dyz[x] + dxy[x] * du + dyy[x] * dv;
      float slope = s[x] * SLOPE / sqrtf(change_x * change_x * norm_x + change_y * change_y * norm_y + ROUND);
      norm_x *= slope;
      norm_y *= slope;
      a11 += norm_x * dxx[x] * dxx[x] + norm_y * dxy[x] * dxy[x];
      a12 += norm_x * dxx[x] * dxy[x] + norm_y * dxy[x] * dyy[x];
      a22 += norm_x * dxy[x] * dxy[x] + norm_y * dyy[x] * dyy[x];
      b1 -= norm_x * dxx[x] * dxz[x] + norm_y * dxy[x] * dyz[x];
      b2 -= norm_x * dxy[x] * dxz[x] + norm_y * dyy[x] * dyz[x];
      float around = stiff[x - 1] + 2 * stiff[x] + stiff_up[x];
      coupling[x] = a12;
      aim_right[x] = b1 + a11 * u_from[x] + a12 * v_from[x];
      aim_down[x] = b2 + a12 * u_from[x] + a22 * v_from[x];
      share_right[x] = 1 / (a11 + around);
      share_down[x] = 1 / (a22 + around);
    }
  }
}

/* One sweep of successive over-relaxation: row by row, in each the even pixels and then the odd ones, so that the
   pixels of one half do not wait for each other. Beyond the border lies what is on it. */
FAST static void relax(const plane *equations, plane right, plane down, const float *even, float *new_u, float *new_v) {
  int height = right.height, width = right.width;
  for (int y = 0; y < height; y++) {
    int up = clamp(y - 1, height - 1), on = clamp(y + 1, height - 1);
    float *u = row(right, y), *v = row(down, y);
    const float *u_up = row(right, up), *u_on = row(right, on), *v_up = row(down, up), *v_on = row(down, on);
    const float *coupling = row(equations[COUPLING], y), *aim_right = row(equations[AIM_RIGHT], y);
    const float *aim_down = row(equations[AIM_DOWN], y), *share_right = row(equations[SHARE_RIGHT], y);
    const float *share_down = row(equations[SHARE_DOWN], y), *stiff = row(equations[STIFF], y);
    const float *stiff_up = row(equations[STIFF], up);
    for (int half = 0; half < 2; half++) {
      const float *moves = even + half;
      u[-1] = u[0];
      v[-1] = v[0];
      u[width] = u[width - 1];
      v[width] = v[width - 1];
      INDEPENDENT for (int x = 0; x < width; x++) {
        float before = stiff[x - 1], after = stiff[x], above = stiff_up[x];
        float to_u = aim_right[x] + before * u[x - 1] + after * (u[x + 1] + u_on[x]) + above * u_up[x];
        float by = moves[x];
        float moved = u[x] + by * (share_right[x] * (to_u - coupling[x] * v[x]) - u[x]);
        float to_v = aim_down[x] + before * v[x - 1] + after * (v[x + 1] + v_on[x]) + above * v_up[x];
        new_u[x] = moved;
        new_v[x] = v[x] + by * (share_down[x] * (to_v - coupling[x] * moved) - v[x]);
      }
      memcpy(u, new_u, sizeof(float) * width);
      memcpy(v, new_v, sizeof(float) * width);
    }
  }
}

/* Refine a flow in place. b is replicated by a pixel at least; `memory` holds REFINEMENT_PLANES planes more. */
void vsod_refine(plane a, plane b, plane right, plane down, arena memory, int rounds, int sweeps) {
  int height = a.height, width = a.width;
  plane derivatives[DERIVATIVES], equations[EQUATIONS];
  for (int i = 0; i < DERIVATIVES; i++) derivatives[i] = room(&memory, height, width, 0);
  for (int i = 0; i < EQUATIONS; i++) equations[i] = room(&memory, height, width, 0);
  plane mean = room(&memory, height, width, 0), seen = room(&memory, height, width, 0);
  plane from_right = room(&memory, height, width, 0), from_down = room(&memory, height, width, 0);
  differentiate(a, b, right, down, mean, seen, derivatives);
  for (int y = 0; y < height; y++) {
    memcpy(row(from_right, y), row(right, y), sizeof(float) * width);
    memcpy(row(from_down, y), row(down, y), sizeof(float) * width);
  }
  float *even = row(mean, 0), *new_u = row(mean, 1), *new_v = row(mean, 2); /* which is no longer needed */
  for (int x = 0; x <= width; x++) even[x] = x % 2 ? 0 : BEYOND;
  for (int round = 0; round < rounds; round++) {
    linearise(derivatives, seen, from_right, from_down, right, down, equations);
    for (int sweep = 0; sweep < sweeps; sweep++) relax(equations, right, down, even, new_u, new_v);
  }
}
