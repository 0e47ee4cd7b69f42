// Frames and masks that are wanted now, soon, or were lately: six at a time, the nearest first.

import { Refused } from "./source.js";

/** @typedef {import("./ids.js").Ids} Ids */
/**
 * @typedef {object} Loaded
 * @property {ImageBitmap | null} bitmap null if the frame does not decode
 * @property {Ids | null} ids null if they are to be read again
 * @property {string} etag
 * @property {boolean} corrected
 * @property {string} error
 * @property {boolean} [lost] nobody answered: it may be there later
 * @property {string} [unusable] the etag of a correction that cannot be shown, by which it can be taken back
 */

const BYTES = 256 << 20;
const AT_ONCE = 6;

export class Loader {
  /**
   * @param {import("./source.js").Server | import("./source.js").Embedded} source
   * @param {(key: string) => void} loaded told of each that has come
   */
  constructor(source, loaded) {
    this.source = source;
    this.loaded = loaded;
    /** @type {Map<string, Loaded>} the one that was used last is last */
    this.kept = new Map();
    /** @type {Map<string, {control: AbortController, manner: import("./connection.js").Manner}>} */
    this.running = new Map();
    /** @type {string[]} */
    this.wanted = [];
    this.pixels = 0;
    this.bytes = 0;
  }

  /**
   * What is there of a frame, if all is.
   * @param {string} key
   */
  get(key) {
    const found = this.kept.get(key);
    if (!found || !found.ids) return null;
    this.kept.delete(key);
    this.kept.set(key, found);
    return found;
  }

  /**
   * Load these, in this order, and nothing else.
   * @param {string[]} keys
   * @param {number} pixels of a frame of their video
   */
  want(keys, pixels) {
    this.wanted = keys.slice(0, Math.max(4, Math.floor(BYTES / (6 * pixels)))); // what there is room for: colours and wide ids
    this.pixels = pixels;
    for (const [key, { control }] of this.running) if (!this.wanted.includes(key)) control.abort();
    const first = this.running.get(this.wanted[0]);
    if (first) {
      first.manner.rank = "urgent";
      this.source.hurry();
    }
    this.pump();
  }

  /**
   * A mask was saved: what was asked for before may be older than it.
   * @param {string} key
   * @param {{ids: Ids, etag: string, corrected: boolean}} mask
   */
  know(key, mask) {
    const found = this.kept.get(key);
    if (!found) return;
    this.running.get(key)?.control.abort();
    Object.assign(found, mask);
  }

  /**
   * Its mask is another one now: read it again, also where an older one is on its way.
   * @param {string} key
   */
  forgetMask(key) {
    this.running.get(key)?.control.abort();
    const found = this.kept.get(key);
    if (found) found.ids = null;
  }

  /** Read all masks again when they are wanted. */
  forgetMasks() {
    for (const { control } of this.running.values()) control.abort();
    for (const each of this.kept.values()) each.ids = null;
  }

  /** The server answers: read again what it did not give; whether there is any. */
  forgetLost() {
    const lost = [...this.kept.values()].filter((each) => each.lost);
    for (const each of lost) each.ids = null;
    return lost.length > 0;
  }

  pump() {
    for (const key of this.wanted) {
      if (this.running.size >= AT_ONCE && key !== this.wanted[0]) return;
      if (!this.running.has(key) && !this.kept.get(key)?.ids) this.start(key);
    }
  }

  /** @param {string} key */
  async start(key) {
    const control = new AbortController(), [video, frame] = key.split("/").map(Number);
    /** @type {import("./connection.js").Manner} */
    const manner = { signal: control.signal, rank: key === this.wanted[0] ? "urgent" : "background" };
    this.running.set(key, { control, manner });
    try {
      const before = this.kept.get(key);
      const [mask, picture] = await Promise.all([
        this.source.mask(video, frame, this.pixels, manner).catch((error) => this.unusable(error)),
        before && !before.error ? before : this.picture(video, frame, manner),
      ]);
      const { bitmap, error } = picture;
      control.signal.throwIfAborted(); // it may have come just before that
      this.keep(key, { bitmap, error, ...mask });
    } catch (error) {
      if (/** @type {any} */ (error).name !== "AbortError" && !control.signal.aborted) {
        const text = /** @type {Error} */ (error).message;
        const lost = error instanceof Refused && error.status === 0;
        this.keep(key, { bitmap: null, ids: new Uint8Array(this.pixels), etag: "", corrected: false, error: text, lost });
      }
    } finally {
      this.running.delete(key);
    }
    if (this.kept.get(key)?.ids) this.loaded(key);
    this.pump();
  }

  /**
   * What stands for a mask that is there and cannot be used: nothing that could be drawn on. Its frame is shown.
   * @param {unknown} error
   */
  unusable(error) {
    if (!(error instanceof Refused) || error.status !== 422) throw error;
    const text = `${error.message}${error.hint ? `: ${error.hint}` : ""}`;
    return { ids: new Uint8Array(this.pixels), etag: "", corrected: Boolean(error.etag), error: text, unusable: error.etag };
  }

  /**
   * @param {number} video
   * @param {number} frame
   * @param {import("./connection.js").Manner} manner
   */
  async picture(video, frame, manner) {
    try {
      const blob = await this.source.frame(video, frame, manner);
      return { bitmap: await createImageBitmap(blob), error: "" };
    } catch (error) {
      if (error instanceof Refused && error.status === 422) return { bitmap: null, error: error.message };
      throw error;
    }
  }

  /**
   * @param {string} key
   * @param {Loaded} loaded
   */
  keep(key, loaded) {
    this.kept.delete(key);
    this.kept.set(key, loaded);
    this.bytes = 0;
    for (const each of this.kept.values()) this.bytes += size(each);
    for (const [old, each] of this.kept) {
      if (this.bytes <= BYTES || this.wanted.slice(0, 3).includes(old)) break;
      this.bytes -= size(each);
      each.bitmap?.close();
      this.kept.delete(old);
    }
  }
}

/** @param {Loaded} each */
function size(each) {
  return (each.bitmap ? 4 * each.bitmap.width * each.bitmap.height : 0) + (each.ids ? each.ids.byteLength : 0);
}
