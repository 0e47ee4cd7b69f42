// The frame with its mask on a canvas: layers, zoom and pan. The mask is painted pixel by pixel from its ids.

import { clamp } from "./ids.js";

/** @typedef {import("./ids.js").Ids} Ids */
/** @typedef {import("./ids.js").Rect} Rect */

const CLOSEST = 40; // screen pixels per pixel of the frame
const ONION = ["#7de3ff", "#ffe066"];

/**
 * Hear when the page comes to a screen of another density: nothing else need change with it.
 * @param {() => void} changed
 */
export function whenDensityChanges(changed) {
  const listen = () => matchMedia(`(resolution: ${devicePixelRatio}dppx)`).addEventListener("change", () => {
    listen();
    changed();
  }, { once: true });
  listen();
}

/** A layer of the size of the frame that is painted pixel by pixel. */
class Layer {
  constructor() {
    this.canvas = document.createElement("canvas");
    this.context = /** @type {CanvasRenderingContext2D} */ (this.canvas.getContext("2d", { willReadFrequently: true }));
    this.image = this.context.createImageData(1, 1);
    this.pixels = new Uint32Array(this.image.data.buffer);
    this.empty = true;
  }

  /**
   * @param {number} width
   * @param {number} height
   */
  size(width, height) {
    if (this.canvas.width === width && this.canvas.height === height) return;
    this.canvas.width = width;
    this.canvas.height = height;
    this.image = this.context.createImageData(width, height);
    this.pixels = new Uint32Array(this.image.data.buffer);
  }

  /** @param {Rect} rect */
  put(rect) {
    this.context.putImageData(this.image, 0, 0, rect.left, rect.top, rect.right - rect.left, rect.bottom - rect.top);
    this.empty = false;
  }
}

export class View {
  /** @param {HTMLCanvasElement} canvas */
  constructor(canvas) {
    this.canvas = canvas;
    this.context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
    this.width = this.height = 1;
    this.scale = 1; // screen pixels per pixel of the frame
    this.left = this.top = 0; // of the frame on the screen
    this.fitted = true;
    this.mask = new Layer();
    this.onion = new Layer();
    this.doubt = new Layer();
    /** @type {ImageBitmap | null} */
    this.bitmap = null;
    /** @type {Ids | null} */
    this.ids = null;
    this.seen = false; // they are on the screen
    this.reach = 0; // how thick outlines are painted
    this.outline = false;
    this.hidden = false;
    this.opacity = 0.45;
    /** @type {Map<number, string>} */
    this.colors = new Map();
    this.pending = 0;
    this.ratio = devicePixelRatio || 1; // of the canvas as it is: that of the screen may have changed
    new ResizeObserver(() => this.resize()).observe(canvas);
    whenDensityChanges(() => this.resize());
  }

  resize() {
    const ratio = devicePixelRatio || 1, change = ratio / this.ratio;
    this.ratio = ratio;
    this.scale *= change;
    this.left *= change;
    this.top *= change;
    this.canvas.width = Math.max(1, Math.round(this.canvas.clientWidth * ratio));
    this.canvas.height = Math.max(1, Math.round(this.canvas.clientHeight * ratio));
    if (this.fitted) this.fit();
    this.draw();
  }

  /**
   * Frames of another size come from now on.
   * @param {number} width
   * @param {number} height
   */
  open(width, height) {
    this.width = width;
    this.height = height;
    for (const layer of [this.mask, this.onion, this.doubt]) {
      layer.size(width, height);
      layer.empty = true;
    }
    this.fit();
  }

  /** The scale at which the whole frame is seen. */
  whole() {
    const margin = 16 * this.ratio;
    return Math.max(0.01, Math.min((this.canvas.width - margin) / this.width, (this.canvas.height - margin) / this.height));
  }

  /** Show the whole frame. */
  fit() {
    this.scale = this.whole();
    this.left = (this.canvas.width - this.width * this.scale) / 2;
    this.top = (this.canvas.height - this.height * this.scale) / 2;
    this.fitted = true;
    this.paintMask();
  }

  /**
   * @param {number} factor
   * @param {number} x of what stays where it is, in CSS pixels
   * @param {number} y
   */
  zoom(factor, x = this.canvas.clientWidth / 2, y = this.canvas.clientHeight / 2) {
    const { ratio, scale: before } = this;
    this.scale = clamp(before * factor, Math.min(0.05, this.whole()), Math.max(CLOSEST, this.whole()));
    const change = this.scale / before;
    this.left = x * ratio - (x * ratio - this.left) * change;
    this.top = y * ratio - (y * ratio - this.top) * change;
    this.fitted = false;
    this.keepInside();
    if (this.thickness() === this.reach) this.draw();
    else this.paintMask();
  }

  /**
   * @param {number} x in CSS pixels
   * @param {number} y
   */
  pan(x, y) {
    const { ratio } = this;
    this.left += x * ratio;
    this.top += y * ratio;
    this.fitted = false;
    this.keepInside();
    this.draw();
  }

  keepInside() {
    const some = 40;
    this.left = clamp(this.left, some - this.width * this.scale, this.canvas.width - some);
    this.top = clamp(this.top, some - this.height * this.scale, this.canvas.height - some);
  }

  /**
   * The pixel of the frame under a place on the canvas, as a fraction.
   * @param {number} x in CSS pixels
   * @param {number} y
   */
  toFrame(x, y) {
    const { ratio } = this;
    return { x: (x * ratio - this.left) / this.scale, y: (y * ratio - this.top) / this.scale };
  }

  /**
   * Where a place of the frame is on the canvas, in CSS pixels.
   * @param {number} x
   * @param {number} y
   */
  toScreen(x, y) {
    const { ratio } = this;
    return { x: (this.left + x * this.scale) / ratio, y: (this.top + y * this.scale) / ratio };
  }

  /**
   * @param {ImageBitmap | null} bitmap
   * @param {Ids | null} ids
   */
  show(bitmap, ids) {
    this.bitmap = bitmap;
    this.ids = ids;
    this.seen = false;
    this.paintMask();
  }

  /**
   * Paint the mask anew, where it changed.
   * @param {Rect} [rect]
   */
  paintMask(rect) {
    if (this.ids) {
      const reach = this.thickness();
      if (!rect) this.reach = reach;
      const part = grown(rect || { left: 0, top: 0, right: this.width, bottom: this.height }, reach, this.width, this.height);
      const alpha = Math.round(255 * (this.outline || !this.doubt.empty ? 0 : this.opacity)); // doubt lies below it
      paint(this.mask.pixels, this.ids, this.width, this.height, part, this.table(alpha), this.table(255), reach);
      this.mask.put(part);
    }
    this.draw();
  }

  /** Of outlines, in pixels of the frame: about two on the screen. */
  thickness() {
    const wanted = (this.outline ? 2 : 1.2) * this.ratio;
    return Math.max(1, Math.min(8, Math.round(wanted / this.scale)));
  }

  /** @param {number} alpha */
  table(alpha) {
    let most = 0;
    for (const id of this.colors.keys()) most = Math.max(most, id);
    const table = new Uint32Array(Math.max(256, most + 1));
    for (const [id, color] of this.colors) table[id] = packed(color, alpha);
    return table;
  }

  /**
   * Outlines of the labels before and after.
   * @param {(Ids | null)[]} labels
   */
  setOnion(labels) {
    this.onion.pixels.fill(0);
    this.onion.empty = true;
    labels.forEach((ids, place) => {
      if (!ids) return;
      const all = { left: 0, top: 0, right: this.width, bottom: this.height };
      const line = new Uint32Array(65536).fill(packed(ONION[place], 255));
      paint(this.onion.pixels, ids, this.width, this.height, all, null, line, Math.max(1, Math.round(1.6 / this.scale)));
      this.onion.put(all);
    });
    this.draw();
  }

  /**
   * Where the tool is less sure than elsewhere in the frame: red, the more so the less sure.
   * @param {ImageBitmap | null} bitmap grey, white is sure
   */
  setDoubt(bitmap) {
    this.doubt.empty = true;
    if (bitmap) {
      this.doubt.context.drawImage(bitmap, 0, 0, this.width, this.height);
      const image = this.doubt.context.getImageData(0, 0, this.width, this.height);
      const pixels = new Uint32Array(image.data.buffer), { least, most } = spread(pixels);
      for (let at = 0; at < pixels.length; at++) {
        const doubt = clamp((most - (pixels[at] & 255)) / (most - least), 0, 1) ** 2;
        pixels[at] = ((200 * doubt) << 24) | (0x28 << 16) | ((200 - 160 * doubt) << 8) | 0xff;
      }
      this.doubt.context.putImageData(image, 0, 0);
      this.doubt.empty = false;
    }
    this.paintMask();
  }

  /** Draw before the screen is shown next. */
  draw() {
    if (!this.pending) this.pending = requestAnimationFrame(() => this.drawNow());
  }

  drawNow() {
    this.pending = 0;
    this.seen = true;
    const { context, canvas } = this;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, canvas.width, canvas.height);
    context.setTransform(this.scale, 0, 0, this.scale, this.left, this.top);
    context.imageSmoothingEnabled = this.scale < 3;
    context.imageSmoothingQuality = "high";
    if (this.bitmap?.width) context.drawImage(this.bitmap, 0, 0, this.width, this.height);
    else {
      context.fillStyle = "#161a20";
      context.fillRect(0, 0, this.width, this.height);
    }
    if (this.hidden) return;
    context.imageSmoothingEnabled = this.scale < 1;
    if (!this.doubt.empty) context.drawImage(this.doubt.canvas, 0, 0);
    if (this.ids && !this.mask.empty) context.drawImage(this.mask.canvas, 0, 0);
    if (!this.onion.empty) context.drawImage(this.onion.canvas, 0, 0);
  }
}

/**
 * Paint ids: the border of each region in one colour, its inside in another.
 * @param {Uint32Array} out a pixel each
 * @param {Ids} ids
 * @param {number} width
 * @param {number} height
 * @param {Rect} rect
 * @param {Uint32Array | null} inside by id; null leaves it as it is
 * @param {Uint32Array} border by id
 * @param {number} reach how thick the border is
 */
export function paint(out, ids, width, height, rect, inside, border, reach) {
  for (let y = rect.top; y < rect.bottom; y++) {
    const above = y >= reach ? reach * width : -1, below = y + reach < height ? reach * width : -1;
    for (let x = rect.left, at = y * width + x; x < rect.right; x++, at++) {
      const id = ids[at];
      if (id === 0) {
        if (inside) out[at] = 0;
        continue;
      }
      // The edge of the frame is no border.
      const edge = (x >= reach && ids[at - reach] !== id) || (x + reach < width && ids[at + reach] !== id) ||
        (above > 0 && ids[at - above] !== id) || (below > 0 && ids[at + below] !== id);
      if (edge) out[at] = border[id];
      else if (inside) out[at] = inside[id];
    }
  }
}

/**
 * Between which values doubts differ: the least sure and the middle of those that are not quite sure. Where a
 * whole region is a little unsure, what stands out of it is of interest.
 * @param {Uint32Array} pixels grey
 */
function spread(pixels) {
  const counts = new Uint32Array(256);
  let total = 0;
  for (const pixel of pixels) {
    counts[pixel & 255]++;
    if ((pixel & 255) < 250) total++;
  }
  let seen = 0, least = -1, most = 250;
  for (let value = 0; value < 250; value++) {
    seen += counts[value];
    if (least < 0 && seen > 0.02 * total) least = value;
    if (seen > 0.5 * total) {
      most = value;
      break;
    }
  }
  return { least: Math.max(0, least), most: Math.max(most, least + 24) };
}

/**
 * @param {string} color "#rrggbb"
 * @param {number} alpha
 */
function packed(color, alpha) {
  const value = parseInt(color.slice(1), 16);
  return ((alpha << 24) | ((value & 255) << 16) | (value & 0xff00) | (value >> 16)) >>> 0;
}

/**
 * @param {Rect} rect
 * @param {number} by
 * @param {number} width
 * @param {number} height
 * @returns {Rect}
 */
function grown(rect, by, width, height) {
  return {
    left: clamp(rect.left - by, 0, width),
    top: clamp(rect.top - by, 0, height),
    right: clamp(rect.right + by, 0, width),
    bottom: clamp(rect.bottom + by, 0, height),
  };
}
