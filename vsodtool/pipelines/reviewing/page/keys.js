// The keys: one table, from which the help is made too.

/**
 * @typedef {object} Key
 * @property {string[]} keys as `event.key`, letters small; "Ctrl+" and "Shift+" in front where they count
 * @property {string} shown
 * @property {string} about
 * @property {(event: KeyboardEvent) => void} run
 * @property {() => void} [up] when it is let go
 * @property {boolean} [edits] only where the page may write
 * @property {boolean} [repeats] again and again while it is held; what decides or switches does so once
 */
/** @typedef {[string, Key[]]} Group */

/**
 * Listen to the keys of a page.
 * @param {Group[]} groups
 * @param {() => boolean} mayEdit
 * @param {() => void} refused told of a key that edits where the page may not write
 */
export function listen(groups, mayEdit, refused) {
  /** @type {Map<string, Key>} */
  const table = new Map();
  for (const [, keys] of groups) for (const key of keys) for (const name of key.keys) table.set(name, key);
  /** @type {Map<string, Key>} */
  const held = new Map();
  addEventListener("keydown", (event) => {
    if (event.isComposing || document.querySelector("dialog[open]") || types(event)) return;
    const key = table.get(nameOf(event));
    if (!key) return;
    event.preventDefault();
    if (event.repeat && !key.repeats) return;
    if (key.edits && !mayEdit()) {
      refused();
      return;
    }
    if (key.up) held.set(event.code, key);
    key.run(event);
  });
  const release = (/** @type {string} */ code) => {
    held.get(code)?.up?.();
    held.delete(code);
  };
  addEventListener("keyup", (event) => release(event.code));
  addEventListener("blur", () => [...held.keys()].forEach(release));
}

/**
 * Whether an element wants this key for itself.
 * @param {KeyboardEvent} event
 */
function types(event) {
  const target = /** @type {HTMLElement} */ (event.target);
  if (target.matches('input:not([type="range"]), textarea')) {
    if (event.key === "Escape") target.blur();
    return true;
  }
  if (target.matches("select")) return !event.ctrlKey && event.key !== "Escape";
  if (target.matches('input[type="range"]')) return /^(Arrow|Home|End|Page)/.test(event.key);
  if (target.matches("#objects [role=radio]") && event.key.startsWith("Arrow")) return true;
  return target.matches("button") && (event.key === " " || event.key === "Enter");
}

/** @param {KeyboardEvent} event */
function nameOf(event) {
  const letter = event.key.length === 1 ? latin(event).toLowerCase() : event.key;
  const shift = event.shiftKey && (event.key.length > 1 || letter !== letter.toUpperCase() || letter === " ");
  // With AltGr a character is typed ([ and ] of a German keyboard), though Windows says Ctrl and Alt.
  const typed = event.getModifierState("AltGraph") && event.key.length === 1;
  const control = !typed && (event.ctrlKey || event.metaKey), alt = !typed && event.altKey;
  const parts = [control ? "Ctrl+" : "", alt ? "Alt+" : "", shift ? "Shift+" : ""];
  return parts.join("") + letter;
}

/**
 * The letter of a key; of one with a letter of another script (кириллица, ελληνικά) that which an English keyboard has there.
 * @param {KeyboardEvent} event
 */
function latin({ key, code }) {
  if (!/^\p{L}$/u.test(key) || /^\p{Script=Latin}$/u.test(key)) return key;
  const there = /^Key([A-Z])$/.exec(code);
  return there ? there[1] : { BracketLeft: "[", BracketRight: "]" }[code] || key;
}

/**
 * The help.
 * @param {HTMLElement} place
 * @param {Group[]} groups
 */
export function describe(place, groups) {
  place.replaceChildren(
    ...groups.map(([title, keys]) => {
      const list = document.createElement("dl"), heading = document.createElement("h3"), part = document.createElement("section");
      heading.textContent = title;
      for (const key of keys) {
        const term = document.createElement("dt"), about = document.createElement("dd");
        key.shown.split("  ").forEach((text) => {
          const cap = document.createElement("kbd");
          cap.textContent = text;
          term.append(cap, " ");
        });
        about.textContent = key.about;
        list.append(term, about);
      }
      part.append(heading, list);
      return part;
    }),
  );
}
