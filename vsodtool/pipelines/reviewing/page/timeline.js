// The time line: one canvas, the least confidence of the frames in each column, marks above it.

import { clamp } from "./ids.js";
import { whenDensityChanges } from "./view.js";
import { GENERATED, GIVEN, SKIPPED, hue, short } from "./frames.js";

const MARKS = 20, FOOT = 8, SIDE = 26; // CSS pixels

export class Timeline {
  /**
   * @param {HTMLElement} slider
   * @param {(frame: number) => void} go
   */
  constructor(slider, go) {
    this.slider = slider;
    this.canvas = /** @type {HTMLCanvasElement} */ (slider.querySelector("canvas"));
    this.context = /** @type {CanvasRenderingContext2D} */ (this.canvas.getContext("2d"));
    /** @type {import("./frames.js").Video | null} */
    this.video = null;
    this.frame = 0;
    this.pending = 0;
    this.hover = -1;
    this.base = document.createElement("canvas"); // all but the cursor, which moves often
    let dragging = false;
    slider.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      dragging = true;
      slider.setPointerCapture(event.pointerId);
      go(this.at(event));
    });
    slider.addEventListener("pointermove", (event) => {
      this.hover = this.at(event);
      if (dragging) go(this.hover);
      this.draw();
    });
    slider.addEventListener("pointerup", () => { dragging = false; });
    slider.addEventListener("pointercancel", () => { dragging = false; });
    slider.addEventListener("pointerleave", () => { this.hover = -1; this.draw(); });
    new ResizeObserver(() => this.paint()).observe(slider);
    whenDensityChanges(() => this.paint());
  }

  /** @param {PointerEvent} event */
  at(event) {
    const count = this.video ? this.video.count : 1, box = this.slider.getBoundingClientRect();
    return clamp(Math.floor(((event.clientX - box.left - SIDE) / (box.width - 2 * SIDE)) * count), 0, count - 1);
  }

  /** @param {import("./frames.js").Video} video */
  show(video) {
    this.video = video;
    this.frame = Math.min(this.frame, video.count - 1); // it may be a shorter one than before
    this.hover = Math.min(this.hover, video.count - 1);
    this.paint();
  }

  /**
   * @param {import("./frames.js").Video} video
   * @param {number} frame of it
   */
  move(video, frame) {
    if (video !== this.video) this.show(video);
    this.frame = frame;
    this.slider.setAttribute("aria-valuemax", String(video.count));
    this.slider.setAttribute("aria-valuenow", String(frame + 1));
    const [name, status, confidence] = video.rows[frame];
    const kind = video.corrected.has(frame) ? "corrected" : video.isTakenBack(frame) ? "taken back" : status === GIVEN ? "given" : status === SKIPPED ? "did not decode" : `${video.bare ? "nothing drawn" : `confidence ${short(confidence)}`}${video.suggested.has(frame) ? ", suggested" : ""}`;
    this.slider.setAttribute("aria-valuetext", `frame ${name}, ${frame + 1} of ${video.count}, ${kind}`);
    this.draw();
  }

  /** Paint before the screen is shown next, however often that is asked for. */
  paint() {
    this.pending ||= requestAnimationFrame(() => {
      this.pending = 0;
      this.paintNow();
    });
  }

  /** Everything that does not move. */
  paintNow() {
    const ratio = devicePixelRatio || 1, { clientWidth: width, clientHeight: height } = this.slider;
    for (const canvas of [this.canvas, this.base]) {
      canvas.width = Math.max(1, Math.round(width * ratio));
      canvas.height = Math.max(1, Math.round(height * ratio));
    }
    const video = this.video, context = /** @type {CanvasRenderingContext2D} */ (this.base.getContext("2d"));
    if (!video || width < 3 * SIDE) return;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    const across = width - 2 * SIDE, count = video.count, bottom = height - FOOT, tall = bottom - MARKS;
    context.fillStyle = "#0e1116";
    context.beginPath();
    context.roundRect(SIDE - 4, MARKS - 2, across + 8, tall + 5, 5);
    context.fill();
    const floor = lowest(video), high = (/** @type {number} */ value) => Math.max(2, ((value - floor) / (1 - floor)) * tall);
    context.font = "10px system-ui, sans-serif";
    context.textAlign = "right";
    for (const value of [1, (1 + floor) / 2, floor]) {
      const y = Math.round(bottom - ((value - floor) / (1 - floor)) * tall);
      context.fillStyle = "#ffffff14";
      context.fillRect(SIDE, y, across, 1);
      context.fillStyle = "#9ba7b6";
      if (value !== (1 + floor) / 2 && !video.bare) context.fillText(value === 1 ? "1" : value ? value.toFixed(1).slice(1) : "0", SIDE - 7, y + 4);
    }
    context.textAlign = "left";
    const columns = Math.min(count, Math.floor(across)), each = across / columns, gap = each > 5 ? 1 : 0;
    /** @type {[number, string][]} */
    const marks = [];
    for (let column = 0; column < columns; column++) {
      const first = Math.floor((column * count) / columns), end = Math.max(first + 1, Math.floor(((column + 1) * count) / columns));
      let least = 2, label = 0, skipped = true, mark = "";
      for (let frame = first; frame < end; frame++) {
        const [, status, confidence] = video.rows[frame], flag = video.flag(frame), corrected = video.corrected.has(frame);
        if (status !== SKIPPED) skipped = false;
        if (corrected) label = 2;
        else if (video.isGiven(frame)) label ||= 1;
        else if (status === GENERATED) least = Math.min(least, confidence);
        if (flag === "bad") mark = "bad";
        else if (corrected && mark !== "bad") mark = "corrected";
        else if (flag && !mark) mark = flag;
        else if (!mark && video.isGiven(frame)) mark = "given";
        else if (!mark && video.suggested.has(frame)) mark = "next";
      }
      const x = SIDE + column * each, wide = Math.max(0.75, each - gap);
      if (skipped) continue;
      if (least <= 1 && video.bare) {
        context.fillStyle = "#ffffff10";
        context.fillRect(x, bottom - tall / 2, wide, 2);
      } else if (least <= 1) {
        context.fillStyle = hue(least);
        context.fillRect(x, bottom - high(least), wide, high(least));
      } else if (label) {
        context.fillStyle = label === 2 ? "#6cb2ff55" : "#56d38a44";
        context.fillRect(x, MARKS, wide, tall);
        context.fillStyle = label === 2 ? "#6cb2ff" : "#56d38a";
        context.fillRect(x, MARKS, wide, 2);
      }
      if (mark) marks.push([x + wide / 2, mark]);
    }
    this.paintStale(context, video, across, tall);
    let last = { x: -100, mark: "" };
    for (const [x, mark] of marks) {
      if (mark === last.mark && x - last.x < 7) continue;
      sign(context, x, 10, mark);
      last = { x, mark };
    }
    this.draw();
  }

  /**
   * @param {CanvasRenderingContext2D} context
   * @param {import("./frames.js").Video} video
   * @param {number} across
   * @param {number} tall
   */
  paintStale(context, video, across, tall) {
    const { count } = video;
    context.save();
    for (const [first, last] of video.stale) {
      const left = SIDE + (first * across) / count, right = SIDE + ((last + 1) * across) / count;
      context.beginPath();
      context.rect(left, MARKS, right - left, tall);
      context.save();
      context.clip();
      context.fillStyle = "#0e1116b0";
      context.fillRect(left, MARKS, right - left, tall);
      context.strokeStyle = "#f0b95299";
      context.lineWidth = 1.5;
      context.beginPath();
      for (let x = left - tall; x < right; x += 7) {
        context.moveTo(x, MARKS + tall);
        context.lineTo(x + tall, MARKS);
      }
      context.stroke();
      context.restore();
    }
    context.restore();
  }

  draw() {
    if (this.pending) return; // the painting ends with it
    const { context, canvas, video } = this, ratio = devicePixelRatio || 1;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, canvas.width, canvas.height);
    context.drawImage(this.base, 0, 0);
    if (!video) return;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    const width = this.slider.clientWidth, height = this.slider.clientHeight, each = (width - 2 * SIDE) / video.count;
    const x = SIDE + (this.frame + 0.5) * each, wide = Math.max(2, Math.min(each, 24));
    context.fillStyle = "#ffffff22";
    context.fillRect(x - wide / 2, MARKS - 2, wide, height - MARKS - FOOT + 4);
    context.fillStyle = "#ffffff";
    context.fillRect(x - 1, MARKS - 4, 2, height - MARKS - FOOT + 8);
    if (this.hover < 0) return;
    const [name, status, confidence] = video.rows[this.hover];
    const text = status === GENERATED && !video.bare ? `${name}  ${short(confidence)}` : name;
    context.font = "12px system-ui, sans-serif";
    const long = context.measureText(text).width + 14, at = clamp(SIDE + (this.hover + 0.5) * each - long / 2, 2, width - long - 2);
    context.fillStyle = "#262e39";
    context.beginPath();
    context.roundRect(at, MARKS + 4, long, 20, 5);
    context.fill();
    context.fillStyle = "#e8ecf1";
    context.fillText(text, at + 7, MARKS + 18);
  }
}

/**
 * Where the scale begins: a tenth below the least confidence, so that dips are seen.
 * @param {import("./frames.js").Video} video
 */
function lowest(video) {
  let least = 0.9;
  for (const [, status, confidence] of video.rows) if (status === GENERATED) least = Math.min(least, confidence);
  return Math.max(0, Math.floor(10 * least - 1e-6) / 10 - 0.1);
}

/**
 * A mark that differs from the others by its form too.
 * @param {CanvasRenderingContext2D} context
 * @param {number} x
 * @param {number} y
 * @param {string} mark
 */
function sign(context, x, y, mark) {
  const colors = /** @type {Object<string, string>} */ ({ given: "#56d38a", corrected: "#6cb2ff", bad: "#ff7b72", ok: "#c3ccd8", skip: "#f0b952", next: "#d9b8ff" });
  context.fillStyle = context.strokeStyle = colors[mark];
  context.lineWidth = 2;
  context.beginPath();
  if (mark === "given") {
    context.moveTo(x - 4, y + 4);
    context.lineTo(x + 4, y + 4);
    context.lineTo(x, y - 4);
    context.fill();
  } else if (mark === "next") {
    context.moveTo(x - 4, y - 4);
    context.lineTo(x + 4, y - 4);
    context.lineTo(x, y + 4);
    context.fill();
  } else if (mark === "corrected") {
    context.moveTo(x, y - 5);
    context.lineTo(x + 5, y);
    context.lineTo(x, y + 5);
    context.lineTo(x - 5, y);
    context.fill();
  } else if (mark === "bad") {
    context.fillRect(x - 1.5, y - 6, 3, 7);
    context.fillRect(x - 1.5, y + 3, 3, 3);
  } else if (mark === "ok") {
    context.moveTo(x - 4, y);
    context.lineTo(x - 1, y + 3);
    context.lineTo(x + 4, y - 4);
    context.stroke();
  } else {
    context.moveTo(x - 4, y);
    context.lineTo(x + 4, y);
    context.stroke();
  }
}
