// Masks that the server does not have yet, kept by the browser too: a tablet may end the page before it has them.

/** @typedef {import("./ids.js").Ids} Ids */
/** @typedef {{ids: Ids, etag: string}} Draft  etag: of the mask that it began from */

export class Drafts {
  /** @param {string} folder that they are about; they last as long as the window */
  constructor(folder) {
    this.prefix = `draft ${folder} `;
  }

  /**
   * @param {string} name of the frame
   * @param {Draft} draft
   * @param {() => boolean} isWanted whether the server still does not have it
   */
  async put(name, { ids, etag }, isWanted) {
    const packed = new Blob([/** @type {any} */ (ids)]).stream().pipeThrough(new CompressionStream("gzip"));
    const bytes = new Uint8Array(await new Response(packed).arrayBuffer());
    let text = "";
    for (const byte of bytes) text += String.fromCharCode(byte);
    if (!isWanted()) return;
    try {
      sessionStorage.setItem(this.prefix + name, JSON.stringify({ etag, width: ids.BYTES_PER_ELEMENT, data: btoa(text) }));
    } catch (error) {
      if (/** @type {any} */ (error).name !== "QuotaExceededError") throw error; // no room: the page itself has it
    }
  }

  /** @param {string} name of the frame */
  drop(name) {
    sessionStorage.removeItem(this.prefix + name);
  }

  /**
   * What an earlier page of this window could not save, by the names of frames.
   * @returns {Promise<[string, Draft][]>}
   */
  async all() {
    const found = /** @type {[string, Draft][]} */ ([]);
    for (const key of Object.keys(sessionStorage).filter((each) => each.startsWith(this.prefix))) {
      const { etag, width, data } = JSON.parse(/** @type {string} */ (sessionStorage.getItem(key)));
      const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
      const plain = await new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).arrayBuffer();
      found.push([key.slice(this.prefix.length), { ids: width === 1 ? new Uint8Array(plain) : new Uint16Array(plain), etag }]);
    }
    return found;
  }
}
