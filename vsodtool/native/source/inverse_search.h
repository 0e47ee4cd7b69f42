/* Dense inverse search: flow by patches. */
#pragma once

#include "plane.h"

enum { PATCH = 8 };

/* What one patch found: its vector, and how much it differs there. */
typedef struct {
  float right, down, difference;
} vector;

/* Rows and columns of patches that cover a side of so many pixels, `stride` apart, the last one flush. */
INLINE int patches_along(int pixels, int stride) { return (pixels - PATCH + stride - 1) / stride + 1; }

void vsod_gradients(plane image, plane across, plane along);
void vsod_search(plane a, plane across, plane along, plane b, plane right, plane down, plane start_right,
                 plane start_down, vector *found, int stride, int steps);
void vsod_densify(plane a, plane b, const vector *found, int stride, plane right, plane down, plane weights);
