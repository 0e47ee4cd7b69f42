// Drawing on the mask with a pointer, or with the keys alone.

import { Mask, clamp } from "./ids.js";
import { Pointers } from "./pointers.js";

/** @typedef {import("./ids.js").Rect} Rect */
/** @typedef {"brush" | "eraser" | "fill"} Tool */
/**
 * @typedef {object} Host
 * @property {() => boolean} mayEdit
 * @property {() => void} begin before the first change of a stroke
 * @property {() => void} changed after a stroke
 * @property {() => void} moved the picture was moved, or enlarged
 * @property {(text: string) => void} say
 * @property {() => number} object the id to draw with
 * @property {(id: number) => void} pick
 */

/** Share of an object's largest region below which a region is a speck. */
const SMALL = 0.02;

export class Editor {
  /**
   * @param {import("./view.js").View} view
   * @param {HTMLElement} ring that shows the size of the brush
   * @param {Host} host
   */
  constructor(view, ring, host) {
    this.view = view;
    this.ring = ring;
    this.host = host;
    /** @type {Mask | null} */
    this.mask = null;
    /** @type {Tool} */
    this.tool = "brush";
    this.diameter = 24;
    this.chosen = false; // by hand
    /** @type {{x: number, y: number} | null} where the pointer is, in pixels of the frame */
    this.place = null;
    this.byKeys = false;
    this.penDown = false;
    /** @type {{x: number, y: number} | null} */
    this.last = null;
    this.panning = false;
    this.erasing = false; // with the other end of a pen
    /** @type {(() => void) | null} a fill that waits until the finger is lifted: it may be the first of two */
    this.waiting = null;
    this.listen(view.canvas);
  }

  /** @param {HTMLCanvasElement} canvas */
  listen(canvas) {
    new Pointers(canvas, {
      mayDraw: this.host.mayEdit,
      press: (event, { erase, finger }) => {
        this.keys(false);
        this.place = this.at(event);
        this.erasing = erase;
        this.press(event.shiftKey, finger);
        this.refresh();
      },
      move: (event) => {
        const steps = this.last && event.getCoalescedEvents ? event.getCoalescedEvents() : [];
        for (const step of steps.length ? steps : [event]) {
          this.place = this.at(step);
          if (this.last) this.drag();
        }
        this.refresh();
      },
      lift: () => {
        if (!this.byKeys) this.release();
        this.erasing = false;
        this.refresh();
      },
      cancel: () => {
        this.cancel();
        this.refresh();
      },
      leave: () => {
        if (!this.last && !this.byKeys) this.place = null;
        this.refresh();
      },
      hold: (moves) => {
        this.panning = moves;
        this.refresh();
      },
      pan: (x, y) => {
        this.view.pan(x, y);
        this.host.moved();
      },
      zoom: (factor, { x, y }) => {
        const box = canvas.getBoundingClientRect();
        this.view.zoom(factor, x - box.left, y - box.top);
        if (this.place) this.place = this.at({ clientX: x, clientY: y });
        this.host.moved();
      },
    });
  }

  /** @param {{clientX: number, clientY: number}} event */
  at(event) {
    const box = this.view.canvas.getBoundingClientRect();
    const { x, y } = this.view.toFrame(event.clientX - box.left, event.clientY - box.top);
    return { x: Math.floor(x), y: Math.floor(y) };
  }

  /** @param {Mask | null} mask */
  open(mask) {
    this.last = null;
    this.penDown = false;
    this.mask = mask;
    this.refresh();
  }

  /**
   * @param {boolean} [other] with Shift: fill takes away
   * @param {boolean} [finger] that may be the first of two
   */
  press(other = false, finger = false) {
    const { mask, place } = this;
    if (!mask || !place || !this.host.mayEdit()) return;
    this.host.begin();
    if (this.tool === "fill" && !this.erasing) {
      const fill = () => this.host.mayEdit() && this.mask === mask && this.flood(place, other);
      if (finger) this.waiting = fill;
      else fill();
    } else {
      mask.begin();
      this.last = place;
      this.view.paintMask(mask.disc(place.x, place.y, this.diameter, this.ink()));
    }
  }

  drag() {
    const { mask, place, last } = this;
    if (!mask || !place || !last) return;
    this.view.paintMask(mask.line(last.x, last.y, place.x, place.y, this.diameter, this.ink()));
    this.last = place;
  }

  release() {
    this.waiting?.();
    this.waiting = null;
    if (!this.last || !this.mask) return;
    this.last = null;
    if (this.mask.end()) this.host.changed();
  }

  /** What was begun was no stroke. */
  cancel() {
    this.waiting = null;
    if (!this.last || !this.mask) return;
    this.last = null;
    const rect = this.mask.cancel();
    if (rect) this.view.paintMask(rect);
  }

  /** End what is being drawn: the frame changes. */
  lift() {
    this.release();
    this.penDown = false;
  }

  ink() {
    return this.tool === "eraser" || this.erasing ? 0 : this.host.object();
  }

  /**
   * @param {{x: number, y: number}} place
   * @param {boolean} away
   */
  flood({ x, y }, away) {
    const mask = this.mask;
    if (!mask || x < 0 || y < 0 || x >= mask.width || y >= mask.height) return;
    const there = mask.ids[y * mask.width + x], id = away ? 0 : this.host.object();
    if (there === id) {
      this.host.say(away ? "nothing is drawn there" : "this is the object already; with Shift, fill takes a region away");
      return;
    }
    mask.begin();
    const rect = mask.fill(x, y, id, { open: there !== 0 });
    if (!rect) this.host.say("the outline has a gap: close it first; the edge of the frame closes it, too");
    else this.view.paintMask(rect);
    if (mask.end()) this.host.changed();
  }

  /**
   * Copy a whole mask.
   * @param {import("./ids.js").Ids} ids
   */
  replace(ids) {
    if (!this.mask || !this.host.mayEdit() || this.last) return;
    this.host.begin();
    this.mask.begin();
    this.view.paintMask(this.mask.replace(ids));
    if (this.mask.end()) this.host.changed();
  }

  /** Take specks of the object away, close its pinholes. */
  tidy() {
    if (!this.mask || !this.host.mayEdit() || this.last) return;
    this.host.begin();
    this.mask.begin();
    const rect = this.mask.tidy(this.host.object(), SMALL);
    if (rect) this.view.paintMask(rect);
    if (this.mask.end()) this.host.changed();
    else this.host.say("nothing to tidy: no specks, no pinholes");
  }

  /** @param {"undo" | "redo"} what */
  step(what) {
    if (this.last || !this.host.mayEdit()) return;
    const rect = this.mask?.[what]();
    if (!rect) {
      this.host.say(what === "undo" ? "nothing to undo" : "nothing to make again");
      return;
    }
    this.view.paintMask(rect);
    this.host.changed();
  }

  /** @param {number} factor */
  resize(factor) {
    const next = Math.round(this.diameter * factor);
    this.choose(next === this.diameter ? this.diameter + Math.sign(factor - 1) : next);
    this.refresh();
  }

  /** @param {number} diameter that is kept from video to video */
  choose(diameter) {
    this.diameter = clamp(diameter, 1, 400);
    this.chosen = true;
  }

  /** @param {number} height of frames: as long as nobody chose one, the size follows it */
  suit(height) {
    if (!this.chosen) this.diameter = Math.max(4, Math.round(height * 0.05));
  }

  /**
   * Draw with the keys: the arrows move a cursor.
   * @param {boolean} on
   */
  keys(on) {
    if (!on && this.penDown) this.release();
    this.penDown = false;
    this.byKeys = on;
    if (on && !this.place) {
      const { clientWidth, clientHeight } = this.view.canvas, { x, y } = this.view.toFrame(clientWidth / 2, clientHeight / 2);
      this.place = { x: clamp(Math.round(x), 0, this.view.width - 1), y: clamp(Math.round(y), 0, this.view.height - 1) };
    }
    this.refresh();
  }

  /**
   * @param {number} x
   * @param {number} y
   */
  moveBy(x, y) {
    if (!this.place) return;
    this.place = { x: clamp(this.place.x + x, 0, this.view.width - 1), y: clamp(this.place.y + y, 0, this.view.height - 1) };
    if (this.penDown) this.drag();
    this.host.say(`${this.penDown ? "drawing, " : ""}${this.place.x}, ${this.place.y}`);
    this.refresh();
  }

  /** Put the pen of the keys down, or lift it. */
  pen() {
    if (this.penDown) this.release();
    else this.press();
    this.penDown = this.last !== null;
    this.refresh();
  }

  /** Where and how large the ring is. */
  refresh() {
    const { ring, place, view } = this;
    const shown = Boolean(place && this.host.mayEdit() && !this.panning && (this.tool !== "fill" || this.erasing || this.byKeys));
    ring.hidden = !shown;
    document.body.classList.toggle("disc", shown && !this.byKeys);
    document.body.classList.toggle("panning", this.panning);
    ring.classList.toggle("keyboard", this.byKeys);
    if (!place) return;
    const size = Math.max(3, ((this.tool === "fill" && !this.erasing ? 9 : this.diameter) * view.scale) / view.ratio);
    const { x, y } = view.toScreen(place.x + 0.5, place.y + 0.5);
    ring.style.width = ring.style.height = `${size}px`;
    ring.style.transform = `translate(${x - size / 2}px, ${y - size / 2}px)`;
  }
}
