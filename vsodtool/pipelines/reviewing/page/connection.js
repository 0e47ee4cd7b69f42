// Requests on a connection that may be slow, or gone: none waits for ever, and those that can wait let others pass.

const PATIENCE = 20000; // ms without a sign of the server until a request is given up
const SLOW = 5000; // ms until a request that waits is told of
const SLOWEST = 2; // bytes that a bad connection sends in a ms
const IN_BACKGROUND = 4; // requests at once that can wait: a browser has six connections
const SLUGGISH = 1000; // ms that such a request takes where there is no room for a second one beside it

/**
 * @typedef {object} Manner
 * @property {AbortSignal} [signal]
 * @property {"urgent" | "background"} [rank] what is in the background waits while anything urgent runs; it may become urgent
 *     itself before the next `wake`
 * @property {number} [patience] in ms
 */

export class Connection {
  constructor() {
    this.slow = 0; // requests that wait for long
    this.changed = () => {}; // told when it has changed
    this.urgent = 0; // such requests that are running
    this.background = 0;
    this.pace = 0; // ms that one of those took
    /** @type {(() => void)[]} that wait until there is room */
    this.queue = [];
  }

  /**
   * An answer with all that it holds; throws where there is none.
   * @param {string} path
   * @param {RequestInit & {body?: ArrayBuffer | string}} options
   * @param {Manner} [manner]
   * @returns {Promise<Response>}
   */
  async fetch(path, options, manner = {}) {
    const rank = await this.turn(manner), { signal, patience = PATIENCE } = manner;
    const began = performance.now();
    const wait = new Wait(this, signal, patience);
    try {
      wait.on(options.body ? (typeof options.body === "string" ? options.body.length : options.body.byteLength) / SLOWEST : 0);
      const answer = await fetch(path, { ...options, signal: wait.control.signal, priority: rank === "background" ? "low" : "high" });
      const parts = [];
      for (const reader = /** @type {any} */ (answer.body)?.getReader(); reader; ) {
        const { done, value } = await reader.read();
        if (done) break;
        parts.push(value);
        wait.on();
      }
      const { status, statusText, headers } = answer;
      return new Response(new Blob(parts, { type: headers.get("Content-Type") || "" }), { status, statusText, headers });
    } finally {
      wait.end();
      if (rank) this[rank]--;
      if (rank === "background") this.pace = performance.now() - began;
      this.wake();
    }
  }

  /**
   * In the background, wait until nothing urgent runs and there is room; what it runs as.
   * @param {Manner} manner
   */
  async turn(manner) {
    const { signal } = manner;
    const isFull = () => this.urgent > 0 || this.background >= (this.pace > SLUGGISH ? 1 : IN_BACKGROUND);
    while (manner.rank === "background" && isFull()) {
      await new Promise((done) => {
        this.queue.push(() => done(null));
        signal?.addEventListener("abort", done, { once: true });
      });
      signal?.throwIfAborted();
    }
    if (manner.rank) this[manner.rank]++;
    return manner.rank;
  }

  /** See who may go on, in their order. */
  wake() {
    for (const next of this.queue.splice(0)) next();
  }

  /** @param {number} by */
  count(by) {
    this.slow += by;
    this.changed();
  }
}

/** How long a request has waited for a sign of the server: its whole may take as long as it takes. */
class Wait {
  /**
   * @param {Connection} connection
   * @param {AbortSignal | undefined} signal
   * @param {number} patience in ms
   */
  constructor(connection, signal, patience) {
    this.connection = connection;
    this.patience = patience;
    this.control = new AbortController();
    this.told = false;
    this.timer = 0;
    this.slow = setTimeout(() => {
      this.told = true;
      connection.count(1);
    }, SLOW);
    if (signal?.aborted) this.control.abort();
    signal?.addEventListener("abort", () => this.control.abort(), { signal: this.control.signal });
  }

  /**
   * There was a sign: wait anew.
   * @param {number} [more] ms
   */
  on(more = 0) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.control.abort(), this.patience + more);
  }

  end() {
    clearTimeout(this.timer);
    clearTimeout(this.slow);
    if (this.told) this.connection.count(-1);
    this.told = false;
  }
}
