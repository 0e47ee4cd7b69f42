// Where the page's data come from: the server, or the page itself if it was passed on as a file.

import { Connection } from "./connection.js";

/** @typedef {import("./ids.js").Ids} Ids */
/** @typedef {import("./connection.js").Manner} Manner */
/** @typedef {{ids: Ids, etag: string, corrected: boolean}} MaskData */
/** @typedef {{id: number, name: string, color: string}} ObjectInfo */
/** @typedef {{height: number, width: number, fps: number, objects: ObjectInfo[], closed: string}} VideoInfo */
/** @typedef {[string, string]} Said  a verdict and a note */
/** @typedef {[string, number, number, number, number]} Row  name, 0 given 1 generated 2 skipped, confidence, left, right */
/**
 * @typedef {object} VideoState
 * @property {string} name
 * @property {string} method
 * @property {number | null} hiddenJ
 * @property {Row[]} frames
 * @property {number[]} corrected
 * @property {number[]} suggested frames to label next
 * @property {Object<string, Said>} flags
 * @property {boolean} confidenceMaps
 */
/**
 * @typedef {object} Progress
 * @property {string} readOnly
 * @property {string} revision of what the server tells
 * @property {string} [before] in the answer to a change: the revision before it
 * @property {[string, string, string, number][]} stale
 * @property {{state: string, done?: number, total?: number, message?: string, error?: string, hint?: string, runs?: number}} rerun
 */
/** @typedef {Progress & {folder: string, title: string, command: string, canRerun: boolean, next: string, note: string, videos: VideoState[]}} State */

const LATER = 400; // ms until a frame that is not decoded yet is asked for again
const LOOK = 8000; // ms that an answer may take which says no more than what the server does

/**
 * @param {number} time in ms
 * @param {AbortSignal} [signal]
 * @returns {Promise<void>}
 */
function pause(time, signal) {
  return new Promise((done, failed) => {
    const timer = setTimeout(done, time);
    signal?.addEventListener("abort", () => {
      clearTimeout(timer);
      failed(signal.reason);
    });
  });
}

/** A request that was refused, or not answered. */
export class Refused extends Error {
  /**
   * @param {number} status 0: nobody answered
   * @param {{error?: string, hint?: string, etag?: string}} said
   */
  constructor(status, said) {
    super(said.error || "the server does not answer");
    this.status = status;
    this.hint = said.hint || "";
    this.etag = said.etag || "";
  }
}

/**
 * What an answer holds; one that is cut off is none.
 * @template T
 * @param {Promise<T>} reading
 */
async function whole(reading) {
  try {
    return await reading;
  } catch {
    throw new Refused(0, {});
  }
}

/** The server that this page came from. */
export class Server {
  constructor() {
    this.token = sessionStorage.getItem("token") || "";
    this.takeToken();
    this.embedded = false;
    this.connection = new Connection();
    this.folder = ""; // that the page is about: what is asked of another one is refused
    /** @type {number[] | null} where the videos of this page are in that folder, -1 if they are not */
    this.numbers = null;
  }

  /** Take the token that stands in the address; whether there is one. */
  takeToken() {
    const found = location.hash.slice(1);
    if (!found) return false;
    this.token = found;
    sessionStorage.setItem("token", found);
    // Gone from the address at once: what stands there lands in histories and screenshots.
    history.replaceState(null, "", location.pathname);
    return true;
  }

  /**
   * Another folder is served now: what is saved from now on goes there.
   * @param {string} folder
   * @param {number[]} numbers of this page's videos there, -1 if they are not
   */
  follow(folder, numbers) {
    this.folder = folder;
    this.numbers = numbers;
  }

  /**
   * @param {string} path
   * @param {RequestInit & {body?: ArrayBuffer | string}} [options]
   * @param {Manner} [manner]
   */
  async ask(path, options = {}, manner = {}) {
    /** @type {any} */
    const headers = { "X-Token": this.token, .../** @type {any} */ (options.headers) };
    if (this.folder) headers["X-Folder"] = this.folder;
    const { numbers } = this;
    path = path.replace(/^v\/(\d+)/, (as, number) => (numbers ? `v/${numbers[number]}` : as));
    if (path.startsWith("v/-1")) throw new Refused(410, { error: "no labels were made of this video" });
    let answer;
    try {
      answer = await this.connection.fetch(`/api/${path}`, { ...options, headers }, manner);
    } catch {
      manner.signal?.throwIfAborted(); // it is not wanted any more
      throw new Refused(0, {});
    }
    if (answer.ok) return answer;
    throw new Refused(answer.status, await answer.json().catch(() => ({ error: answer.statusText })));
  }

  /**
   * @param {string} method
   * @param {string} path
   * @param {object} said
   */
  async tell(method, path, said) {
    const headers = { "Content-Type": "application/json" };
    return whole((await this.ask(path, { method, headers, body: JSON.stringify(said) })).json());
  }

  /** What could wait may not be able to any more. */
  hurry() {
    this.connection.wake();
  }

  /** @returns {Promise<State>} */
  async state() {
    return whole((await this.ask("state")).json());
  }

  /** @returns {Promise<Progress>} */
  async progress() {
    return whole((await this.ask("progress", {}, { patience: LOOK })).json());
  }

  /**
   * @param {number} video
   * @returns {Promise<VideoInfo>}
   */
  async video(video) {
    return whole((await this.ask(`v/${video}`)).json());
  }

  /**
   * @param {number} video
   * @param {number} frame
   * @param {Manner} [manner]
   * @param {number} [longest] side in pixels
   */
  async frame(video, frame, manner = {}, longest = 0) {
    for (;;) {
      const answer = await this.ask(`v/${video}/frame/${frame}${longest ? `?max=${longest}` : ""}`, {}, manner);
      if (answer.status !== 202) return whole(answer.blob());
      await pause(LATER, manner.signal); // it is not decoded yet; a connection that waited for it would keep others from saving
    }
  }

  /**
   * @param {number} video
   * @param {number} frame
   * @param {number} pixels
   * @param {Manner} [manner]
   * @returns {Promise<MaskData>}
   */
  async mask(video, frame, pixels, manner = {}) {
    const answer = await this.ask(`v/${video}/mask/${frame}`, {}, manner);
    const data = await whole(answer.arrayBuffer());
    return {
      ids: data.byteLength === pixels ? new Uint8Array(data) : new Uint16Array(data),
      etag: (answer.headers.get("ETag") || "").replace(/"/g, ""),
      corrected: answer.headers.get("X-Corrected") === "1",
    };
  }

  /**
   * @param {number} video
   * @param {number} frame
   */
  async confidence(video, frame) {
    return whole((await this.ask(`v/${video}/confidence/${frame}`)).blob());
  }

  /**
   * @param {number} video
   * @param {number} frame
   * @param {Ids} ids
   * @param {string} etag of the mask that this began from
   * @returns {Promise<Progress & {etag: string}>}
   */
  async save(video, frame, ids, etag) {
    const packed = new Blob([/** @type {any} */ (ids)]).stream().pipeThrough(new CompressionStream("gzip"));
    const body = await new Response(packed).arrayBuffer();
    const headers = { "Content-Type": "application/octet-stream", "Content-Encoding": "gzip", "If-Match": `"${etag}"` };
    return whole((await this.ask(`v/${video}/mask/${frame}`, { method: "PUT", headers, body }, { rank: "urgent" })).json());
  }

  /**
   * @param {number} video
   * @param {number} frame
   * @param {string} etag of the correction
   * @returns {Promise<Progress & {etag: string}>}
   */
  async takeBack(video, frame, etag) {
    return whole((await this.ask(`v/${video}/mask/${frame}`, { method: "DELETE", headers: { "If-Match": `"${etag}"` } })).json());
  }

  /**
   * @param {number} video
   * @param {number} frame
   * @param {Said} said
   * @param {Said} before what was seen when it was said
   * @returns {Promise<Progress & {said?: Said, who?: string}>} what is said of the frame now
   */
  async flag(video, frame, [flag, note], before) {
    return this.tell("PUT", `v/${video}/flag/${frame}`, { flag: flag || null, note, before });
  }

  /**
   * @param {number} video
   * @param {string} name
   * @returns {Promise<ObjectInfo & Progress>}
   */
  async addObject(video, name) {
    return this.tell("POST", "objects", { video, name });
  }

  /**
   * Ask what is to be made again by now, also of masks that another program has changed.
   * @returns {Promise<Progress>}
   */
  async look() {
    return this.tell("POST", "look", {});
  }

  /** @returns {Promise<Progress>} */
  async rerun() {
    return this.tell("POST", "rerun", {});
  }
}

/** The data inside a page that was passed on; flags are kept in the page until somebody saves them. */
export class Embedded {
  /** @param {{state: State, videos: VideoInfo[], frames: Object<string, [string, string, string]>, note: string}} data */
  constructor(data) {
    this.data = data;
    this.embedded = true;
  }

  hurry() {} // nothing waits

  async state() {
    return this.data.state;
  }

  async progress() {
    return this.data.state;
  }

  /** @param {number} video */
  async video(video) {
    return this.data.videos[video];
  }

  /**
   * @param {number} video
   * @param {number} frame
   */
  async frame(video, frame) {
    const found = this.data.frames[`${video}/${frame}`];
    if (!found[0]) throw new Refused(422, { error: "this frame did not decode" });
    return new Blob([/** @type {any} */ (bytes(found[0]))], { type: "image/jpeg" });
  }

  /**
   * @param {number} video
   * @param {number} frame
   * @param {number} pixels
   * @returns {Promise<MaskData>}
   */
  async mask(video, frame, pixels) {
    const found = this.data.frames[`${video}/${frame}`];
    if (found[2]) throw new Refused(422, { error: found[2] });
    const stream = new Blob([/** @type {any} */ (bytes(found[1]))]).stream().pipeThrough(new DecompressionStream("gzip"));
    const data = await new Response(stream).arrayBuffer();
    return { ids: data.byteLength === pixels ? new Uint8Array(data) : new Uint16Array(data), etag: "", corrected: false };
  }

  async flag() {
    return this.data.state;
  }
}

/** @param {string} text base64 */
function bytes(text) {
  return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
}
