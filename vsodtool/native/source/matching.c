/* The best match of each owner near by, in whole numbers of 16 bits; see ops/labels/matching.py. */
#include <stdlib.h>

#include "maps.h"

/* A tile stays in the cache while sources are searched. Loops are as long as its LANES, whatever of them is inside
   the box: so the compiler knows their length. */
enum { COLOURS = 3, ROWS = 16, LANES = 64, COLUMNS = LANES - 2 };

typedef int16_t word;

/* As `_Search` in native/matching.py: what colours are multiplied with to become words, and doubts before that; what
   costs are divided by; the worst cost; how far from a pixel others are read; how many places are looked at. */
typedef struct {
  float unit, doubt, divisor;
  int worst, reach, places;
} search;

/* Where to look, relative to a pixel, and what it costs. */
typedef struct {
  int down, right, cost;
} place;

/* Columns. */
typedef struct {
  int from, to;
} span;

/* Planes of words; `data` is the first pixel of the box, around which there are more. */
typedef struct {
  word *data;
  ptrdiff_t row, plane;
  int around;
} words;

typedef struct {
  words image, warped, doubt;
  span *spans; /* of each source, owner and row of `doubt` where it is not the worst by itself */
  float *sum;  /* a row of the map */
  word *costs; /* of a tile */
  int height, width, sources, owners;
} workspace;

INLINE word larger(word a, word b) { return a > b ? a : b; }
INLINE word apart(word a, word b) { return larger(a - b, b - a); }
INLINE float rounded(float value) { return (value + 12582912.f) - 12582912.f; } /* of halves to even */

/* The columns of a map that are read for a box from `left` on. */
INLINE span within(int left, int width, int around, int most) {
  int from = left - around, to = left + width + around;
  return (span){from > 0 ? from : 0, to < most ? to : most};
}

/* A row, counted from the map's first pixel: what lies beyond the map is what is on its border. */
INLINE void widen(word *row, span known, int left, int width, int around) {
  for (int x = left - around; x < known.from; x++) row[x] = row[known.from];
  for (int x = known.to; x < left + width + around; x++) row[x] = row[known.to - 1];
}

/* The colours of one picture on the box and around it. */
INLINE void read_colours(const maps *from, int number, int top, int left, const workspace *work, float unit, words to) {
  span known = within(left, work->width, to.around, from->width);
  for (int c = 0; c < COLOURS; c++)
    for (int y = -to.around; y < work->height + to.around; y++) {
      const float *values = from->data + number * from->next + c * from->channel;
      values += clamp(top + y, from->height - 1) * from->row;
      word *out = to.data + (number * COLOURS + c) * to.plane + y * to.row - left;
      INDEPENDENT for (int x = known.from; x < known.to; x++) out[x] = (word)(int)rounded(values[x] * unit);
      widen(out, known, left, work->width, to.around);
    }
}

/* How doubtful it is that a pixel is of the background, whose share is what the labels leave, or of an object. */
INLINE void read_doubts(const maps *from, int number, int top, int left, const workspace *work, const search *set) {
  words to = work->doubt;
  span known = within(left, work->width, to.around, from->width);
  float unit = set->unit, weight = set->doubt, *sum = work->sum;
  for (int y = -to.around; y < work->height + to.around; y++) {
    const float *first = from->data + number * from->next + clamp(top + y, from->height - 1) * from->row;
    word *out = to.data + number * work->owners * to.plane + y * to.row - left;
    for (int x = known.from; x < known.to; x++) sum[x] = 0;
    for (int o = 1; o < work->owners; o++) {
      const float *values = first + (o - 1) * from->channel;
      word *own = out + o * to.plane;
      INDEPENDENT for (int x = known.from; x < known.to; x++) {
        sum[x] += values[x];
        own[x] = (word)(int)rounded((1 - values[x]) * weight * unit);
      }
      widen(own, known, left, work->width, to.around);
    }
    INDEPENDENT for (int x = known.from; x < known.to; x++)
      out[x] = (word)(int)rounded((1 - largest(1 - sum[x], 0)) * weight * unit);
    widen(out, known, left, work->width, to.around);
  }
}

FAST static void read_all(const maps *image, const maps *warped, const maps *labels, int top, int left,
                          const search *set, const workspace *work) {
  read_colours(image, 0, top, left, work, set->unit, work->image);
  for (int s = 0; s < work->sources; s++) {
    read_colours(warped, s, top, left, work, set->unit, work->warped);
    read_doubts(labels, s, top, left, work, set);
  }
}

static void find_spans(const workspace *work, int worst) {
  span *found = work->spans;
  int around = work->doubt.around;
  for (int plane = 0; plane < work->sources * work->owners; plane++)
    for (int y = -around; y < work->height + around; y++, found++) {
      const word *values = work->doubt.data + plane * work->doubt.plane + y * work->doubt.row;
      int from = -around, to = work->width + around;
      while (from < to && values[from] >= worst) from++;
      while (to > from && values[to - 1] >= worst) to--;
      *found = (span){from, to};
    }
}

/* The largest difference of the colours of each pixel of a row. */
INLINE void differ(const word *here, ptrdiff_t plane, const word *there, ptrdiff_t there_plane, word *out) {
  INDEPENDENT for (int x = 0; x < LANES; x++) {
    word red = apart(there[x], here[x]), green = apart(there[x + there_plane], here[x + plane]);
    out[x] = larger(larger(red, green), apart(there[x + 2 * there_plane], here[x + 2 * plane]));
  }
}

/* The costs of a tile, in `work->costs`. */
FAST static void search_tile(const workspace *work, const place *places, const search *set, int top, int left,
                             int height) {
  word differences[LANES + 2] = {0}, along[3][LANES], patch[LANES];
  int rows = work->height + 2 * work->doubt.around;
  for (int i = 0; i < work->owners * ROWS * LANES; i++) work->costs[i] = (word)set->worst;
  for (int s = 0; s < work->sources; s++)
    for (const place *to = places; to < places + set->places; to++)
      for (int y = -1; y <= height; y++) {
        const word *here = work->image.data + (top + y) * work->image.row + left - 1;
        const word *there = work->warped.data + s * COLOURS * work->warped.plane;
        there += (top + y + to->down) * work->warped.row + left - 1 + to->right;
        differ(here, work->image.plane, there, work->warped.plane, differences);
        word *sums = along[(y + 1) % 3];
        INDEPENDENT for (int x = 0; x < LANES; x++) sums[x] = differences[x] + differences[x + 1] + differences[x + 2];
        if (y < 1) continue;
        word cost = (word)to->cost;
        INDEPENDENT for (int x = 0; x < LANES; x++) patch[x] = along[0][x] + along[1][x] + along[2][x] + cost;
        int line = top + y - 1 + to->down, first = left + to->right;
        for (int o = 0; o < work->owners; o++) {
          int plane = s * work->owners + o;
          span in = work->spans[(ptrdiff_t)plane * rows + line + work->doubt.around];
          if (in.to <= first || in.from >= first + COLUMNS) continue;
          const word *doubt = work->doubt.data + plane * work->doubt.plane + line * work->doubt.row + first;
          word *best = work->costs + (o * ROWS + y - 1) * LANES;
          INDEPENDENT for (int x = 0; x < LANES; x++) {
            word match = patch[x] + doubt[x];
            best[x] = match < best[x] ? match : best[x];
          }
        }
      }
}

static int any(const unsigned char *wanted, int stride, int height, int width) {
  for (int y = 0; y < height; y++)
    for (int x = 0; x < width; x++)
      if (wanted[(ptrdiff_t)y * stride + x]) return 1;
  return 0;
}

static words planes(word *base, size_t *used, int count, int height, int width, int around) {
  ptrdiff_t row = width + 2 * around, plane = row * (height + 2 * around);
  words made = {base ? base + *used + (row + 1) * around : NULL, row, plane, around};
  *used += count * plane;
  return made;
}

static size_t arrange(workspace *work, char *base, int reach, int map_width) {
  size_t used = 0;
  size_t spans = sizeof(span) * work->sources * work->owners * (work->height + 2 * reach);
  size_t sum = sizeof(float) * map_width;
  work->spans = (span *)base;
  work->sum = base ? (float *)(base + spans) : NULL;
  word *rest = base ? (word *)(base + spans + sum) : NULL;
  work->image = planes(rest, &used, COLOURS, work->height, work->width, 1);
  work->warped = planes(rest, &used, work->sources * COLOURS, work->height, work->width, reach);
  work->doubt = planes(rest, &used, work->sources * work->owners, work->height, work->width, reach);
  work->costs = rest ? rest + used : NULL; /* behind the last plane, so that what is read beyond it exists */
  used += (size_t)work->owners * ROWS * LANES;
  return spans + sum + sizeof(word) * used;
}

/* The costs of the background and of each object at the pixels `wanted` of a box (height, width) of the maps; those
 * of some others are computed too. `out` (owners, height, width). Returns 0, or -1 for want of memory. */
EXPORT int vsod_owner_costs(const maps *image, const maps *warped, const maps *labels, const unsigned char *wanted,
                            int top, int left, int height, int width, const place *places, const search *set,
                            float *out) {
  workspace work = {.height = height, .width = width, .sources = warped->count, .owners = 1 + labels->channels};
  char *memory = malloc(arrange(&work, NULL, set->reach, image->width));
  if (!memory) return -1;
  arrange(&work, memory, set->reach, image->width);
  read_all(image, warped, labels, top, left, set, &work);
  find_spans(&work, set->worst);
  for (int y = 0; y < height; y += ROWS)
    for (int x = 0; x < width; x += COLUMNS) {
      int rows = height - y < ROWS ? height - y : ROWS, columns = width - x < COLUMNS ? width - x : COLUMNS;
      if (!any(wanted + (ptrdiff_t)y * width + x, width, rows, columns)) continue;
      search_tile(&work, places, set, y, x, rows);
      for (int o = 0; o < work.owners; o++)
        for (int r = 0; r < rows; r++) {
          float *to = out + ((ptrdiff_t)o * height + y + r) * width + x;
          const word *costs = work.costs + (o * ROWS + r) * LANES;
          for (int c = 0; c < columns; c++) to[c] = costs[c] / set->divisor;
        }
    }
  free(memory);
  return 0;
}
