// What the pointers do on the canvas: one draws, two fingers move and enlarge the picture, a palm does nothing.

const STEADY = 16; // CSS pixels that a finger that draws may have moved when a second one makes it a pinch
const NEAR = 700; // ms after a pen was near in which what touches is a palm
const ERASER = { button: 5, buttons: 32 }; // of PointerEvent: the other end of a pen

/** @typedef {{x: number, y: number}} Point  in CSS pixels of the window */
/**
 * @typedef {object} Hand
 * @property {() => boolean} mayDraw else a finger moves the picture
 * @property {(event: PointerEvent, how: {erase: boolean, finger: boolean}) => void} press begin to draw
 * @property {(event: PointerEvent) => void} move draw on, or be elsewhere
 * @property {() => void} lift what was drawn counts
 * @property {() => void} cancel what was begun never was
 * @property {() => void} leave nothing points any more
 * @property {(moves: boolean) => void} hold whether the picture is being moved
 * @property {(x: number, y: number) => void} pan by so many CSS pixels
 * @property {(factor: number, at: Point) => void} zoom
 */

export class Pointers {
  /**
   * @param {HTMLCanvasElement} canvas
   * @param {Hand} hand
   */
  constructor(canvas, hand) {
    this.canvas = canvas;
    this.hand = hand;
    /** @type {number | null} the one that draws, or moves the picture alone */
    this.active = null;
    /** @type {"draw" | "move" | "pinch" | "over"} what is done; over: until no finger is left */
    this.doing = "draw";
    /** @type {Map<number, Point>} the fingers that count, at most two */
    this.fingers = new Map();
    this.from = { x: 0, y: 0 }; // where the active one was, before this event
    this.travelled = 0; // CSS pixels of the finger that draws
    this.pen = -Infinity; // when one was near last; from then on fingers do not draw
    canvas.addEventListener("pointerdown", (event) => this.down(event));
    canvas.addEventListener("pointermove", (event) => this.moved(event));
    for (const name of ["pointerup", "pointercancel", "lostpointercapture"]) {
      canvas.addEventListener(name, (event) => this.up(/** @type {PointerEvent} */ (event)));
    }
    canvas.addEventListener("pointerleave", () => this.active === null && hand.leave());
    canvas.addEventListener("contextmenu", (event) => event.preventDefault());
    canvas.addEventListener("wheel", (event) => {
      event.preventDefault();
      const lines = event.deltaMode === 1 ? 20 : 1;
      hand.zoom(Math.exp(-event.deltaY * lines * 0.0022), { x: event.clientX, y: event.clientY });
    }, { passive: false });
  }

  /** @param {PointerEvent} event */
  down(event) {
    const finger = event.pointerType === "touch";
    if (event.pointerType === "pen") this.penIsNear();
    if (finger ? this.isPalm(event) : this.active !== null) return;
    if (finger) this.fingers.set(event.pointerId, place(event));
    if (this.fingers.size === 2) {
      this.pinch();
      return;
    }
    const erase = event.button === ERASER.button || (event.buttons & ERASER.buttons) > 0;
    const moves = finger ? this.pen > -Infinity || !this.hand.mayDraw() : event.button === 1 || (event.button === 0 && event.altKey);
    if (moves) this.doing = "move";
    else if (event.button === 0 || erase) this.doing = "draw";
    else return;
    event.preventDefault();
    this.canvas.focus({ preventScroll: true });
    this.canvas.setPointerCapture(event.pointerId);
    this.active = event.pointerId;
    this.from = place(event);
    this.travelled = 0;
    this.hand.hold(this.doing === "move");
    if (this.doing === "draw") this.hand.press(event, { erase, finger });
  }

  /** @param {PointerEvent} event */
  moved(event) {
    if (event.pointerType === "pen") this.pen = performance.now();
    if (this.fingers.has(event.pointerId) && this.doing === "pinch") {
      this.pinchTo(event);
      return;
    }
    if (this.active === null && event.pointerType === "touch") return; // a palm, or what is left of a pinch
    if (this.active !== null && event.pointerId !== this.active) return;
    const { x, y } = place(event);
    this.travelled += Math.hypot(x - this.from.x, y - this.from.y);
    if (this.active !== null && this.doing === "move") this.hand.pan(x - this.from.x, y - this.from.y);
    else this.hand.move(event);
    this.from = { x, y };
  }

  /** @param {PointerEvent} event */
  up(event) {
    const was = this.fingers.delete(event.pointerId);
    if (event.pointerId === this.active) {
      // What the system takes for a palm after all was no stroke.
      const palm = event.type === "pointercancel" && was && this.travelled < STEADY;
      this.end(this.doing === "draw" && palm);
    } else if (was && this.doing === "pinch") {
      this.doing = "over";
      this.hand.hold(false);
    }
  }

  /**
   * The active one draws no more.
   * @param {boolean} cancelled
   */
  end(cancelled) {
    this.active = null;
    if (cancelled) this.hand.cancel();
    else this.hand.lift();
    this.hand.hold(false);
  }

  /** A pen comes down: what fingers have begun was done by the hand that holds it. */
  penIsNear() {
    this.pen = performance.now();
    if (this.active !== null && this.fingers.has(this.active)) this.end(true);
    this.fingers.clear();
  }

  /**
   * Whether a touch does nothing: beside something that draws, a pen that is near, or two fingers.
   * @param {PointerEvent} event
   */
  isPalm(event) {
    if (event.timeStamp - this.pen < NEAR || this.fingers.size === 2) return true;
    if (this.active !== null) return !this.fingers.has(this.active) || (this.doing === "draw" && this.travelled >= STEADY);
    return this.fingers.size > 0; // the other one of a pinch that is over
  }

  /** The second finger: what the first has begun to draw never was. */
  pinch() {
    if (this.active !== null) this.end(this.doing === "draw");
    this.doing = "pinch";
    this.hand.leave();
    this.hand.hold(true);
  }

  /** @param {PointerEvent} event of one of the two fingers */
  pinchTo(event) {
    const before = between(this.fingers);
    this.fingers.set(event.pointerId, place(event));
    const after = between(this.fingers);
    this.hand.pan(after.x - before.x, after.y - before.y);
    if (before.apart > 0) this.hand.zoom(after.apart / before.apart, after);
  }
}

/**
 * @param {PointerEvent} event
 * @returns {Point}
 */
function place({ clientX, clientY }) {
  return { x: clientX, y: clientY };
}

/**
 * The middle of two fingers, and how far apart they are.
 * @param {Map<number, Point>} fingers
 */
function between(fingers) {
  const [one, other] = [...fingers.values()];
  return { x: (one.x + other.x) / 2, y: (one.y + other.y) / 2, apart: Math.hypot(one.x - other.x, one.y - other.y) };
}
