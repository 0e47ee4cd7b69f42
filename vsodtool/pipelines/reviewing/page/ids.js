// Masks as arrays of object ids, a number for each pixel, row by row. What is drawn here is what is saved: no
// canvas draws data, so nothing is anti-aliased and nothing grows.

/** @typedef {Uint8Array | Uint16Array} Ids */
/** @typedef {{left: number, top: number, right: number, bottom: number}} Rect  Right and bottom are outside. */
/** @typedef {{rect: Rect, before: Ids, after: Ids}} Change */

/** Bytes of undo that are kept; the oldest changes go first. */
const UNDO_BYTES = 64 << 20;
/** Share of the background: a region at the edge of the frame that is more lies outside an outline, or leaks. */
const MOST = 0.75;

/** One mask being edited. */
export class Mask {
  /**
   * @param {Ids} ids is changed in place
   * @param {number} width
   * @param {number} height
   */
  constructor(ids, width, height) {
    this.ids = ids;
    this.width = width;
    this.height = height;
    /** @type {Change[]} */
    this.done = [];
    /** @type {Change[]} */
    this.undone = [];
    this.version = 0;
    /** @type {Ids | null} */
    this.begun = null;
    /** @type {Rect | null} */
    this.touched = null;
  }

  /** Begin a change that can be undone as one. */
  begin() {
    this.begun = this.ids.slice();
    this.touched = null;
  }

  /** End it; whether anything is different now. */
  end() {
    const before = this.begun, rect = this.touched;
    this.begun = this.touched = null;
    if (!before || !rect) return false;
    const change = { rect, before: cut(before, this.width, rect), after: cut(this.ids, this.width, rect) };
    if (same(change.before, change.after)) return false;
    this.done.push(change);
    this.undone = [];
    let bytes = 0;
    for (let at = this.done.length - 1; at >= 0; at--) {
      bytes += 2 * this.done[at].before.byteLength;
      if (bytes > UNDO_BYTES && at < this.done.length - 1) {
        this.done.splice(0, at + 1);
        break;
      }
    }
    this.version++;
    return true;
  }

  /** Take back what was begun, as if it never was; where it was, or null. */
  cancel() {
    const before = this.begun, rect = this.touched;
    this.begun = this.touched = null;
    if (!before || !rect) return null;
    this.ids.set(before);
    this.version++;
    return rect;
  }

  /** Take the latest change back; where it was, or null. */
  undo() {
    const change = this.done.pop();
    if (!change) return null;
    this.undone.push(change);
    return this.put(change.rect, change.before);
  }

  /** Make the latest change that was taken back again; where it is, or null. */
  redo() {
    const change = this.undone.pop();
    if (!change) return null;
    this.done.push(change);
    return this.put(change.rect, change.after);
  }

  /**
   * @param {Rect} rect
   * @param {Ids} values
   */
  put(rect, values) {
    const across = rect.right - rect.left;
    for (let y = rect.top, from = 0; y < rect.bottom; y++, from += across) {
      this.ids.set(values.subarray(from, from + across), y * this.width + rect.left);
    }
    this.version++;
    return rect;
  }

  /**
   * A hard disc: the pixels whose centres are at most so far from the centre of a pixel.
   * @param {number} x
   * @param {number} y
   * @param {number} diameter in pixels
   * @param {number} id
   * @returns {Rect}
   */
  disc(x, y, diameter, id) {
    const radius = diameter / 2, { width, height, ids } = this;
    const top = Math.max(0, Math.ceil(y - radius)), bottom = Math.min(height, Math.floor(y + radius) + 1);
    for (let row = top; row < bottom; row++) {
      const half = Math.sqrt(radius * radius - (row - y) ** 2);
      const left = Math.max(0, Math.ceil(x - half)), right = Math.min(width, Math.floor(x + half) + 1);
      if (left < right) ids.fill(id, row * width + left, row * width + right);
    }
    return this.touch({
      left: clamp(Math.ceil(x - radius), 0, width),
      top: Math.min(top, height),
      right: clamp(Math.floor(x + radius) + 1, 0, width),
      bottom: Math.max(bottom, 0),
    });
  }

  /**
   * Discs along a line, without gaps.
   * @param {number} x0
   * @param {number} y0
   * @param {number} x1
   * @param {number} y1
   * @param {number} diameter
   * @param {number} id
   * @returns {Rect}
   */
  line(x0, y0, x1, y1, diameter, id) {
    const steps = Math.max(1, Math.ceil(Math.max(Math.abs(x1 - x0), Math.abs(y1 - y0))));
    let rect = null;
    for (let step = 1; step <= steps; step++) {
      const part = step / steps;
      rect = join(rect, this.disc(Math.round(x0 + (x1 - x0) * part), Math.round(y0 + (y1 - y0) * part), diameter, id));
    }
    return /** @type {Rect} */ (rect);
  }

  /**
   * Give another id to the pixels of one id that hang together with a pixel (by their sides).
   * @param {number} x
   * @param {number} y
   * @param {number} id
   * @param {{open?: boolean}} [how] open: also what may lie outside an outline
   * @returns {Rect | null} null if the region lies outside an outline and may not
   */
  fill(x, y, id, { open = false } = {}) {
    const { width, height, ids } = this, old = ids[y * width + x];
    const seen = new Uint8Array(width * height), stack = [y * width + x], region = [];
    seen[stack[0]] = 1;
    const rect = { left: x, top: y, right: x + 1, bottom: y + 1 };
    let atEdge = false;
    const visit = (/** @type {number} */ next) => {
      if (seen[next] || ids[next] !== old) return;
      seen[next] = 1;
      stack.push(next);
    };
    while (stack.length) {
      const at = /** @type {number} */ (stack.pop()), column = at % width, row = (at - column) / width;
      atEdge ||= column === 0 || row === 0 || column === width - 1 || row === height - 1;
      region.push(at);
      rect.left = Math.min(rect.left, column);
      rect.right = Math.max(rect.right, column + 1);
      rect.top = Math.min(rect.top, row);
      rect.bottom = Math.max(rect.bottom, row + 1);
      if (column > 0) visit(at - 1);
      if (column < width - 1) visit(at + 1);
      if (row > 0) visit(at - width);
      if (row < height - 1) visit(at + width);
    }
    // An outline that begins and ends at the edge of the frame closes a region, too: it leaves another one.
    if (atEdge && !open && region.length > MOST * ids.reduce((count, each) => count + Number(each === old), 0)) return null;
    for (const at of region) ids[at] = id;
    return this.touch(rect);
  }

  /**
   * Take specks of an object away and close its pinholes: whatever is small beside its largest region.
   * @param {number} id
   * @param {number} share of the largest region below which a region is small
   * @returns {Rect | null} null if there is nothing to tidy
   */
  tidy(id, share) {
    const { width, ids } = this, own = this.regions((at) => ids[at] === id);
    const largest = own.reduce((most, region) => Math.max(most, region.pixels.length), 0);
    /** @type {Rect | null} */
    let rect = null;
    const give = (/** @type {{pixels: number[]}[]} */ regions, /** @type {number} */ value) => {
      for (const { pixels } of regions) {
        if (pixels.length >= share * largest) continue;
        for (const at of pixels) {
          ids[at] = value;
          const x = at % width, y = (at - x) / width;
          rect = join(rect, { left: x, top: y, right: x + 1, bottom: y + 1 });
        }
      }
    };
    give(own, 0);
    // Looked for only now: the hole of a speck went with it.
    give(this.regions((at) => ids[at] === 0).filter((region) => !region.open && this.within(region.pixels, id)), id);
    return rect && this.touch(rect);
  }

  /**
   * Whether a region borders on nothing but one object.
   * @param {number[]} pixels
   * @param {number} id
   */
  within(pixels, id) {
    const { width, ids } = this;
    return pixels.every((at) => [at - 1, at + 1, at - width, at + width].every((next) => ids[next] === 0 || ids[next] === id));
  }

  /**
   * The regions of some pixels, which hang together by their sides.
   * @param {(at: number) => boolean} wanted
   */
  regions(wanted) {
    const { width, height } = this, seen = new Uint8Array(width * height), found = [];
    for (let from = 0; from < seen.length; from++) {
      if (seen[from] || !wanted(from)) continue;
      const pixels = [from];
      let open = false;
      seen[from] = 1;
      for (let place = 0; place < pixels.length; place++) {
        const at = pixels[place], x = at % width;
        open ||= x === 0 || x === width - 1 || at < width || at >= seen.length - width;
        for (const next of [x > 0 ? at - 1 : -1, x < width - 1 ? at + 1 : -1, at - width, at + width]) {
          if (next < 0 || next >= seen.length || seen[next] || !wanted(next)) continue;
          seen[next] = 1;
          pixels.push(next);
        }
      }
      found.push({ pixels, open });
    }
    return found;
  }

  /**
   * Replace all.
   * @param {Ids} values
   * @returns {Rect}
   */
  replace(values) {
    this.ids.set(values);
    return this.touch({ left: 0, top: 0, right: this.width, bottom: this.height });
  }

  /** @param {Rect} rect */
  touch(rect) {
    this.touched = join(this.touched, rect);
    return rect;
  }
}

/**
 * @param {Rect | null} a
 * @param {Rect} b
 * @returns {Rect}
 */
export function join(a, b) {
  if (!a) return { ...b };
  return {
    left: Math.min(a.left, b.left),
    top: Math.min(a.top, b.top),
    right: Math.max(a.right, b.right),
    bottom: Math.max(a.bottom, b.bottom),
  };
}

/**
 * @param {Ids} a
 * @param {Ids} b
 */
export function same(a, b) {
  if (a.length !== b.length) return false;
  for (let at = 0; at < a.length; at++) if (a[at] !== b[at]) return false;
  return true;
}

/**
 * @param {number} value
 * @param {number} least
 * @param {number} most
 */
export function clamp(value, least, most) {
  return Math.min(most, Math.max(least, value));
}

/**
 * @param {Ids} ids
 * @param {number} width
 * @param {Rect} rect
 */
function cut(ids, width, rect) {
  const across = Math.max(0, rect.right - rect.left), rows = Math.max(0, rect.bottom - rect.top);
  const part = /** @type {Ids} */ (new /** @type {any} */ (ids.constructor)(across * rows));
  for (let row = 0; row < rows; row++) {
    const from = (rect.top + row) * width + rect.left;
    part.set(ids.subarray(from, from + across), row * across);
  }
  return part;
}
