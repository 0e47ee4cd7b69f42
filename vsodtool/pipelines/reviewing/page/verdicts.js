// Verdicts and notes on their way to the server: one after the other, kept until it has them.

import { Refused } from "./source.js";

/** @typedef {import("./source.js").Said} Said */
/** @typedef {import("./source.js").Progress} Progress */
/**
 * @typedef {object} Verdict
 * @property {number} video
 * @property {number} frame
 * @property {Said} said
 * @property {Said} before what was seen when it was said
 * @property {Said} [tried] what was sent before without an answer: the server may have it
 */
/**
 * @typedef {object} Listener
 * @property {(video: number, frame: number, said: Said) => void} show what is said of a frame
 * @property {(progress: Progress) => void} saved
 * @property {() => void} done nothing waits
 * @property {(text: string) => void} failed
 * @property {(video: number, frame: number, who: string) => void} stays somebody else's verdict, which was not seen
 */

export class Verdicts {
  /**
   * @param {import("./source.js").Server} source
   * @param {Listener} listener
   */
  constructor(source, listener) {
    this.source = source;
    this.listener = listener;
    /** @type {Map<string, Verdict>} those that the server does not have yet, by frame */
    this.unsent = new Map();
    /** @type {Promise<any>} what is being sent */
    this.sending = Promise.resolve();
  }

  /**
   * Say something of a frame.
   * @param {number} video
   * @param {number} frame
   * @param {Said} said
   * @param {Said} seen what is said of it now, as far as the page knows
   */
  set(video, frame, said, seen) {
    const where = `${video}/${frame}`, { before = seen, tried } = this.unsent.get(where) || {};
    this.unsent.set(where, { video, frame, said, before, tried });
    this.listener.show(video, frame, said); // at once: who is quick with the keys must not wait
    return this.send();
  }

  /** Send what waits, one after the other: the server may answer several at once in any order. */
  send() {
    this.sending = this.sending.catch(() => null).then(async () => {
      for (const where of this.unsent.keys()) while (this.unsent.has(where)) if (!(await this.sendOne(where))) return;
      this.listener.done();
    });
    return this.sending;
  }

  /**
   * @param {string} where
   * @returns {Promise<boolean>} whether the server answered
   */
  async sendOne(where) {
    const verdict = /** @type {Verdict} */ (this.unsent.get(where)), { video, frame, said } = verdict;
    try {
      const answer = await this.source.flag(video, frame, said, verdict.before);
      this.take(where, verdict, answer.said || said, answer.who);
      this.listener.saved(answer);
      return true;
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      const never = error.status === 400 || error.status === 404;
      if (never && this.unsent.get(where) === verdict) {
        this.unsent.delete(where);
        this.listener.show(video, frame, verdict.before);
      }
      if (!error.status) /** @type {Verdict} */ (this.unsent.get(where)).tried = said;
      this.listener.failed(`not saved: ${error.message}`);
      return never;
    }
  }

  /**
   * @param {string} where
   * @param {Verdict} verdict that was sent
   * @param {Said} kept what is said of the frame now: what somebody else has said, and was not seen, stays
   * @param {string} [who]
   */
  take(where, verdict, kept, who) {
    const { video, frame, said, tried } = verdict, newest = this.unsent.get(where) || verdict;
    const own = kept[0] !== said[0] && kept[0] === tried?.[0]; // it was sent before: it is not somebody else's
    const stays = kept[0] !== said[0] && !own;
    if (newest !== verdict || own) {
      // What was said here meanwhile is said of that.
      const next = /** @type {Said} */ ([own || newest.said[0] !== said[0] ? newest.said[0] : kept[0], newest.said[1] === said[1] ? kept[1] : newest.said[1]]);
      Object.assign(newest, { said: next, before: kept, tried: undefined });
    } else this.unsent.delete(where);
    this.listener.show(video, frame, this.unsent.get(where)?.said || kept); // the state may have been read since, from before it
    if (stays) this.listener.stays(video, frame, who || "somebody else");
  }
}
