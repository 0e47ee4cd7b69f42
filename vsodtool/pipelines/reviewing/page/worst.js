// The list of frames to look at, with small pictures of those that are in view.

import { hue, short } from "./frames.js";

const ROWS = 50;
const SIDE = 160; // pixels of the small pictures

/** @typedef {import("./frames.js").Place} Place */

export class WorstList {
  /**
   * @param {HTMLElement} list
   * @param {HTMLElement} more
   * @param {(place: Place) => void} go
   * @param {(place: Place, canvas: HTMLCanvasElement) => Promise<void>} draw a small picture with its mask
   */
  constructor(list, more, go, draw) {
    this.list = list;
    this.more = more;
    this.go = go;
    this.rows = ROWS;
    /** @type {Place[]} */
    this.order = [];
    /** @type {string[]} */
    this.names = [];
    /** @type {(place: Place) => string} */
    this.nameOf = (place) => String(place.frame);
    /** @type {Map<string, HTMLLIElement>} */
    this.items = new Map();
    /** Where the frame that is shown stood in the list when it was there last. */
    this.stood = { key: "", at: 0 };
    /** @type {WeakMap<Element, Place>} */
    this.places = new WeakMap();
    this.seen = new IntersectionObserver((entries) => {
      for (const { isIntersecting, target } of entries) {
        const place = this.places.get(target);
        if (!isIntersecting || !place) continue;
        this.seen.unobserve(target);
        draw(place, /** @type {HTMLCanvasElement} */ (target)).catch(() => target.classList.add("blank"));
      }
    }, { root: list, rootMargin: "120px" });
    more.addEventListener("click", () => {
      this.rows += ROWS;
      this.show(this.order, this.names, this.nameOf);
    });
  }

  /** Draw those pictures that did not come. */
  again() {
    for (const picture of this.list.querySelectorAll(".blank")) {
      picture.classList.remove("blank");
      this.seen.observe(picture);
    }
  }

  /** Draw all pictures anew. */
  forget() {
    this.items.clear();
  }

  /**
   * @param {Place[]} order
   * @param {string[]} names of the videos, where they are told
   * @param {(place: Place) => string} nameOf a frame
   */
  show(order, names, nameOf) {
    this.order = order;
    this.names = names;
    this.nameOf = nameOf;
    const shown = order.slice(0, this.rows), kept = new Map();
    for (const place of shown) {
      const key = `${place.video}/${place.frame}`;
      kept.set(key, this.items.get(key) || this.item(place));
    }
    this.items = kept;
    this.list.replaceChildren(...kept.values());
    this.more.hidden = order.length <= this.rows;
  }

  /** @param {Place} place */
  item(place) {
    const item = document.createElement("li"), button = document.createElement("button"), picture = document.createElement("canvas");
    picture.width = SIDE;
    picture.height = 90;
    const name = document.createElement("span"), value = document.createElement("span");
    name.textContent = this.nameOf(place);
    value.textContent = place.confidence ? short(place.confidence) : "";
    value.style.color = hue(place.confidence);
    button.append(picture, name, value);
    if (this.names[place.video]) {
      const video = document.createElement("span");
      video.className = "video";
      video.textContent = this.names[place.video];
      picture.after(video);
    }
    button.title = `${this.names[place.video] || ""} ${name.textContent}, ${value.textContent && `confidence ${value.textContent}`}`.trim();
    button.addEventListener("click", () => this.go(place));
    item.append(button);
    this.places.set(picture, place);
    this.seen.observe(picture);
    return item;
  }

  /**
   * Mark the frame that is shown.
   * @param {number} video
   * @param {number} frame
   */
  mark(video, frame) {
    const at = this.order.findIndex((place) => place.video === video && place.frame === frame);
    if (at >= 0) this.stood = { key: `${video}/${frame}`, at };
    for (const [key, item] of this.items) {
      const button = /** @type {HTMLElement} */ (item.firstChild);
      const here = key === `${video}/${frame}`;
      if (here === button.hasAttribute("aria-current")) continue;
      if (here) {
        button.setAttribute("aria-current", "true");
        if (item.offsetTop < this.list.scrollTop || item.offsetTop + item.offsetHeight > this.list.scrollTop + this.list.clientHeight) {
          this.list.scrollTop = item.offsetTop - 8;
        }
      } else button.removeAttribute("aria-current");
    }
  }

  /**
   * The next place to look at.
   * @param {1 | -1} step
   * @param {number} video that is shown
   * @param {number} frame
   */
  next(step, video, frame) {
    if (!this.order.length) return null;
    const at = this.order.findIndex((place) => place.video === video && place.frame === frame);
    // What was accepted or corrected is no longer listed; its successor stands in its place.
    const place = this.stood.key === `${video}/${frame}` ? this.stood.at : 0;
    const next = at >= 0 ? at + step : step > 0 ? place : place - 1;
    return this.order[((next % this.order.length) + this.order.length) % this.order.length];
  }
}
