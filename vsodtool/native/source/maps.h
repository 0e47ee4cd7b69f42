/* Maps as torch holds them: of a batch, some channels each, rows apart from each other. */
#pragma once

#include "plane.h"

/* As `Maps` in native/maps.py; the numbers of floats from one of a batch, channel or row to the next. */
typedef struct {
  const float *data;
  int count, channels, height, width;
  ptrdiff_t next, channel, row;
} maps;
