/* Variational refinement of a flow. */
#pragma once

#include "plane.h"

enum { REFINEMENT_PLANES = 18 };

void vsod_refine(plane a, plane b, plane right, plane down, arena memory, int rounds, int sweeps);
