// What is known of the frames: which is worst, which comes next. No drawing, no requests.

/** @typedef {import("./source.js").State} State */
/** @typedef {import("./source.js").VideoState} VideoState */
/** @typedef {{video: number, frame: number, confidence: number}} Place */

export const GIVEN = 0;
export const GENERATED = 1;
export const SKIPPED = 2;
/** Neighbours of a frame that is listed come later: correcting it mends them too. */
const APART = 3;

/** A video with what people did to it. */
export class Video {
  /**
   * @param {VideoState} state
   * @param {boolean} [bare] nothing is labelled but what is drawn
   */
  constructor(state, bare = false) {
    this.bare = bare;
    this.name = state.name;
    this.method = state.method;
    this.hiddenJ = state.hiddenJ;
    this.rows = state.frames;
    this.confidenceMaps = state.confidenceMaps;
    this.corrected = new Set(state.corrected);
    this.suggested = new Set(state.suggested);
    /** @type {Map<number, [string, string]>} */
    this.flags = new Map(Object.entries(state.flags).map(([frame, said]) => [Number(frame), said]));
    /** Frames of which something was said, or taken back, in this page. @type {Set<number>} */
    this.judged = new Set();
    /** @type {[number, number][]} the first and the last frame of each interval to be made again */
    this.stale = [];
  }

  get count() {
    return this.rows.length;
  }

  /** @param {number} frame */
  flag(frame) {
    return this.flags.get(frame)?.[0] || "";
  }

  /**
   * Take over which intervals are to be made again, of any video.
   * @param {import("./source.js").Progress["stale"]} intervals by the labels beside them
   */
  setStale(intervals) {
    this.stale = [];
    const own = intervals.filter(([name]) => name === this.name);
    if (this.bare || !own.length) return; // where nothing is labelled, nothing can be out of date
    const place = new Map(this.rows.map((row, frame) => [row[0], frame]));
    for (const [, left, right] of own) {
      // No name: the interval goes on to the end of the video.
      const first = (place.get(left) ?? -1) + 1, last = (place.get(right) ?? this.count) - 1;
      if (first <= last) this.stale.push([first, last]);
    }
  }

  /**
   * Its label was a person's when labels were made, and no longer is: the correction was taken back.
   * @param {number} frame
   */
  isTakenBack(frame) {
    return this.rows[frame][1] === GIVEN && !this.corrected.has(frame) && this.stale.some(([first, last]) => first <= frame && frame <= last);
  }

  /**
   * Its label is a mask that came with the video.
   * @param {number} frame
   */
  isGiven(frame) {
    return this.rows[frame][1] === GIVEN && !this.corrected.has(frame) && !this.isTakenBack(frame);
  }

  /**
   * A person drew it.
   * @param {number} frame
   */
  isLabel(frame) {
    return this.corrected.has(frame) || this.isGiven(frame);
  }

  /** The frames to look at: made by the tool, and not accepted; of a bare video those to draw. */
  open() {
    if (this.bare) return [...this.suggested].filter((frame) => !this.corrected.has(frame)).sort((a, b) => a - b);
    const found = [];
    for (let frame = 0; frame < this.rows.length; frame++) {
      const flag = this.flag(frame);
      if (this.rows[frame][1] === GENERATED && !this.corrected.has(frame) && flag !== "ok" && flag !== "skip") found.push(frame);
    }
    return found;
  }

  /** The frames that were made by the tool and looked at: corrected, or accepted. */
  settled() {
    if (this.bare) return []; // what is to be drawn comes in its order, whatever was drawn beside it
    const accepted = [...this.flags].filter(([, [flag]]) => flag === "ok").map(([frame]) => frame);
    return [...this.corrected, ...accepted].filter((frame) => this.rows[frame][1] === GENERATED);
  }

  /**
   * The nearest labels before and after a frame, -1 where there is none, or a cut lies between.
   * @param {number} frame
   */
  neighbours(frame) {
    const [, status, , left, right] = this.rows[frame], made = status === GENERATED && !this.corrected.has(frame);
    const nearest = (/** @type {1 | -1} */ step) => this.next(frame, step, (at) => this.isLabel(at), false);
    return { before: made && left < 0 ? -1 : nearest(-1), after: made && right < 0 ? -1 : nearest(1) };
  }

  /**
   * The next frame of a kind.
   * @param {number} frame
   * @param {1 | -1} step
   * @param {(frame: number) => boolean} wanted
   * @param {boolean} [around] go on at the other end
   */
  next(frame, step, wanted, around = true) {
    for (let away = 1; away <= this.count; away++) {
      const at = frame + step * away;
      if (!around && (at < 0 || at >= this.count)) return -1;
      const inside = ((at % this.count) + this.count) % this.count;
      if (wanted(inside)) return inside;
    }
    return -1;
  }
}

/**
 * The frames to look at, worst first; close neighbours of what is listed, or was looked at, come after all others.
 * @param {Video[]} videos
 * @param {number[]} numbers which of them
 * @returns {Place[]}
 */
export function worstFirst(videos, numbers) {
  /** @type {Place[]} */
  const all = [];
  for (const number of numbers) {
    for (const frame of videos[number].open()) all.push({ video: number, frame, confidence: videos[number].rows[frame][2] });
  }
  const unasked = (/** @type {Place} */ place) => Number(!videos[place.video].suggested.has(place.frame));
  all.sort((a, b) => a.confidence - b.confidence || unasked(a) - unasked(b) || a.video - b.video || a.frame - b.frame);
  const first = [], later = [];
  /** @type {Map<number, Uint8Array>} a frame each: 1 beside what is listed or settled */
  const near = new Map(numbers.map((number) => [number, new Uint8Array(videos[number].count)]));
  const settle = (/** @type {Uint8Array} */ marks, /** @type {number} */ frame) =>
    marks.fill(1, Math.max(0, frame - APART), frame + APART + 1);
  for (const [number, marks] of near) for (const frame of videos[number].settled()) settle(marks, frame);
  for (const place of all) {
    const marks = /** @type {Uint8Array} */ (near.get(place.video));
    if (marks[place.frame]) later.push(place);
    else {
      first.push(place);
      settle(marks, place.frame);
    }
  }
  return first.concat(later);
}

/**
 * As people read it: ".63".
 * @param {number} confidence
 */
export function short(confidence) {
  return confidence >= 0.995 ? "1" : confidence.toFixed(2).slice(1);
}

/**
 * From red over amber to blue-green: the colour of a confidence.
 * @param {number} confidence
 */
export function hue(confidence) {
  const stops = [[0.3, 255, 107, 97], [0.6, 240, 170, 80], [0.8, 120, 178, 150], [1, 72, 196, 170]];
  let from = stops[0], to = stops[0];
  for (const stop of stops) {
    to = stop;
    if (confidence <= stop[0]) break;
    from = stop;
  }
  const span = to[0] - from[0], part = span ? (confidence - from[0]) / span : 0;
  const mix = (/** @type {number} */ place) => Math.round(from[place] + (to[place] - from[place]) * Math.max(0, part));
  return `rgb(${mix(1)} ${mix(2)} ${mix(3)})`;
}
