// Saving by itself, without losing a stroke: two seconds after the last one, and on leaving a frame.

import { same } from "./ids.js";
import { Refused } from "./source.js";

/** @typedef {import("./ids.js").Ids} Ids */
/** @typedef {import("./source.js").Progress} Progress */
/**
 * @typedef {object} Track  what is known of one frame that was drawn on
 * @property {string} key
 * @property {Ids} origin the mask as it was before
 * @property {boolean} wasCorrected that mask was a correction
 * @property {string} etag of the mask that lies on the server
 * @property {boolean} corrected that mask is a correction
 * @property {Ids | null} latest what has still to be saved
 * @property {Ids | null} sending what is on its way
 * @property {boolean} busy
 * @property {number} [again] when it is tried again
 */
/**
 * @typedef {object} Listener
 * @property {(key: string, saved: {ids: Ids, etag: string, corrected: boolean}, progress: Progress) => void} saved
 * @property {(key: string) => Promise<boolean>} conflict whether to keep what was drawn here
 * @property {(key: string) => void} replaced what was drawn here is given up
 * @property {() => void} waits something could not be saved, and is tried again
 * @property {(kind: "dirty" | "saving" | "saved" | "failed", text: string) => void} status
 */

const QUIET = 2000; // ms after the last stroke
const AGAIN = 3000; // ms until a save that failed is tried again
const SLOW = 5000; // ms until a save that takes long is told of

export class Saver {
  /**
   * @param {import("./source.js").Server} source
   * @param {Listener} listener
   */
  constructor(source, listener) {
    this.source = source;
    this.listener = listener;
    /** @type {Map<string, Track>} */
    this.tracks = new Map();
    /** @type {{track: Track, ids: Ids} | null} the frame being drawn on, with strokes that nobody saves yet */
    this.drawn = null;
    this.timer = 0;
  }

  /** Whether anything could be lost. */
  unsaved() {
    return this.drawn !== null || [...this.tracks.values()].some((track) => track.latest || track.busy);
  }

  /**
   * Whether this frame has strokes that are not on the server.
   * @param {string} key
   */
  holds(key) {
    const track = this.tracks.get(key);
    return this.drawn?.track.key === key || Boolean(track && (track.latest || track.busy));
  }

  /**
   * What was drawn on a frame that was left since, while the server does not have it.
   * @param {string} key
   */
  newest(key) {
    const track = this.tracks.get(key);
    return track?.latest || track?.sending || null;
  }

  /** All that the server does not have, and the masks that it began from. */
  *waiting() {
    for (const { key, latest, sending, etag } of this.tracks.values()) {
      const ids = latest || sending;
      if (ids) yield { key, ids, etag };
    }
  }

  /**
   * What a page before this one could not save.
   * @param {string} key
   * @param {{ids: Ids, etag: string}} mask
   */
  adopt(key, { ids, etag }) {
    this.tracks.set(key, { key, origin: ids, wasCorrected: true, etag, corrected: true, latest: ids, sending: null, busy: false });
  }

  /**
   * A frame is about to be drawn on: remember what it was when it came.
   * @param {string} key
   * @param {{ids: Ids, etag: string, corrected: boolean}} mask
   */
  open(key, mask) {
    const { ids, etag, corrected } = mask;
    if (this.holds(key) || this.tracks.get(key)?.etag === etag) return;
    this.tracks.set(key, { key, origin: ids, wasCorrected: corrected, etag, corrected, latest: null, sending: null, busy: false });
  }

  /**
   * A frame comes anew, with nothing to undo.
   * @param {string} key
   */
  forget(key) {
    if (!this.holds(key)) this.tracks.delete(key);
  }

  /**
   * One frame is shown: what is saved of all others need not be known any more.
   * @param {string} key
   */
  forgetOthers(key) {
    for (const other of this.tracks.keys()) if (other !== key) this.forget(other);
  }

  /**
   * It was drawn on.
   * @param {string} key
   * @param {Ids} ids that are changed in place
   */
  touch(key, ids) {
    const track = this.tracks.get(key);
    if (!track) return;
    this.drawn = { track, ids };
    this.listener.status("dirty", "not saved yet");
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.flush(), QUIET);
  }

  /** Save now, also what could not be saved before. */
  flush() {
    clearTimeout(this.timer);
    const drawn = this.drawn;
    this.drawn = null;
    if (drawn) drawn.track.latest = drawn.ids.slice();
    for (const track of this.tracks.values()) if (track.latest) this.work(track);
  }

  /** Whether a mask could not be saved; that is tried again in a while. */
  failed() {
    return [...this.tracks.values()].some((track) => track.latest && !track.busy);
  }

  /** @param {Track} track */
  async work(track) {
    if (track.busy) return;
    track.busy = true;
    this.listener.status("saving", "saving…");
    const slow = setTimeout(() => this.listener.status("saving", "still saving…"), SLOW);
    let failed = "";
    while (track.latest && !failed) {
      const ids = track.latest;
      track.latest = null;
      track.sending = ids;
      try {
        await this.send(track, ids);
      } catch (error) {
        if (!(error instanceof Refused) || error.status !== 409) {
          track.latest ||= ids; // also after a bug: it must not be lost
          failed = `not saved: ${/** @type {Error} */ (error).message}`;
        } else if (await this.listener.conflict(track.key)) {
          track.latest ||= ids;
          track.etag = error.etag;
          track.corrected = true;
        } else {
          track.latest = null;
          this.tracks.delete(track.key);
          if (this.drawn?.track === track) this.drawn = null;
          this.listener.replaced(track.key);
        }
      } finally {
        track.sending = null;
      }
    }
    track.busy = false;
    clearTimeout(slow);
    if (failed) {
      this.listener.status("failed", failed);
      this.listener.waits();
      clearTimeout(track.again);
      track.again = setTimeout(() => track.latest && this.work(track), AGAIN);
    } else if (!this.unsaved()) {
      this.listener.status("saved", savedAt());
    }
  }

  /**
   * @param {Track} track
   * @param {Ids} ids
   */
  async send(track, ids) {
    const [video, frame] = track.key.split("/").map(Number);
    const undone = same(ids, track.origin);
    // Who undoes everything has corrected nothing.
    const corrected = track.wasCorrected || !undone;
    if (!corrected && !track.corrected) return;
    const answer = corrected
      ? await this.source.save(video, frame, ids, track.etag)
      : await this.source.takeBack(video, frame, track.etag);
    track.etag = answer.etag;
    track.corrected = corrected;
    this.listener.saved(track.key, { ids, etag: answer.etag, corrected }, answer);
  }
}

/** What is said when all is saved. */
export function savedAt() {
  const now = new Date(), two = (/** @type {number} */ number) => String(number).padStart(2, "0");
  return `saved ${two(now.getHours())}:${two(now.getMinutes())}`;
}
