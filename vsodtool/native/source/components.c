/* Which parts of a region hang together: runs of rows that touch are joined, each part is called by its first run. */
#include <stdlib.h>

#include "plane.h"

typedef struct {
  int from, to; /* the latter is outside */
  int root;     /* a run of the same part, none after this one */
  int number;
} run;

INLINE int root_of(run *runs, int i) {
  while (runs[i].root != i) i = runs[i].root = runs[runs[i].root].root;
  return i;
}

INLINE void join(run *runs, int i, int j) {
  int a = root_of(runs, i), b = root_of(runs, j);
  if (a < b)
    runs[b].root = a;
  else
    runs[a].root = b;
}

/* The runs of a row, 0 or 1, to the end of `runs`; returns how many there are then. */
static int find_runs(const unsigned char *row, int width, run *runs, int count) {
  for (int x = 0; x < width;) {
    const unsigned char *begin = memchr(row + x, 1, width - x);
    if (!begin) break;
    int from = (int)(begin - row);
    const unsigned char *end = memchr(begin, 0, width - from);
    x = end ? (int)(end - row) : width;
    runs[count] = (run){from, x, count, 0};
    count++;
  }
  return count;
}

/* `inside` and `numbers` (height, width), packed. Neighbours are those at the `corners` too, or at the sides only.
 * Numbers are 1, 2 ... in the order of the first pixels of parts, 0 outside. Returns how many parts there are, or -1
 * for want of memory. */
EXPORT int vsod_parts(const unsigned char *inside, int height, int width, int corners, int64_t *numbers) {
  ptrdiff_t most = (ptrdiff_t)height * ((width + 1) / 2);
  if (!most) return 0;
  run *runs = malloc(sizeof(run) * most + sizeof(int) * (height + 1));
  if (!runs) return -1;
  int *first = (int *)(runs + most); /* run of each row */
  int count = 0;
  for (int y = 0; y < height; y++) {
    first[y] = count;
    count = find_runs(inside + (ptrdiff_t)y * width, width, runs, count);
    for (int above = y ? first[y - 1] : 0, here = first[y]; above < first[y] && here < count;) {
      if (runs[above].from < runs[here].to + corners && runs[here].from < runs[above].to + corners)
        join(runs, above, here);
      if (runs[above].to < runs[here].to)
        above++;
      else
        here++;
    }
  }
  first[height] = count;
  memset(numbers, 0, sizeof(int64_t) * height * width);
  int parts = 0;
  for (int y = 0; y < height; y++)
    for (int i = first[y]; i < first[y + 1]; i++) {
      runs[i].number = runs[i].root == i ? ++parts : runs[runs[i].root].number;
      int64_t *row = numbers + (ptrdiff_t)y * width;
      for (int x = runs[i].from; x < runs[i].to; x++) row[x] = runs[i].number;
    }
  free(runs);
  return parts;
}
