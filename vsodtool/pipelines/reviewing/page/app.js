// The page: what is shown, where it goes, what the buttons and keys do.

import { Drafts } from "./drafts.js";
import { Editor } from "./editor.js";
import { GIVEN, SKIPPED, Video, hue, short, worstFirst } from "./frames.js";
import { Mask, clamp, same } from "./ids.js";
import { describe, listen } from "./keys.js";
import { Loader } from "./loader.js";
import { Saver, savedAt } from "./saver.js";
import { Embedded, Refused, Server } from "./source.js";
import { Timeline } from "./timeline.js";
import { Verdicts } from "./verdicts.js";
import { View } from "./view.js";
import { WorstList } from "./worst.js";

/** @typedef {import("./source.js").VideoInfo} VideoInfo */
/** @typedef {import("./source.js").Progress} Progress */
/** @typedef {import("./frames.js").Place} Place */
/** @typedef {import("./source.js").Said} Said */

const DRAWN = "review"; // the command of a folder in which the first masks of a video are drawn
const AHEAD = 10; // frames that are loaded before they are asked for
const INCOMPLETE = "This address is not complete: open the one that the command printed, with what stands behind #.";
const OTHER_TOKEN = "Another server has come to this address: open the address that its command printed, here in this window.";
const POLL = 300, IDLE_POLL = 2500; // ms between two questions to the server, while it works and else
const AWAY = "The server does not answer: it was ended, or the connection is gone. What is not saved stays here.";
const HOW = "Correct a bad frame first: this then makes those beside it again.";
const SLOW = "The server is slow to answer. What is drawn stays here until it is saved.";

/**
 * An element of the page.
 * @param {string} id
 * @returns {any}
 */
const $ = (id) => document.getElementById(id);

const inside = $("data");
const source = /** @type {Server} */ (inside ? new Embedded(JSON.parse(inside.textContent)) : new Server());
const view = new View($("canvas"));
const timeline = new Timeline($("timeline"), (frame) => go(now.video, frame));
const loader = new Loader(source, arrived);
const saver = new Saver(source, { saved, conflict, replaced, status, waits: keepDrafts });
const verdicts = new Verdicts(source, {
  show: showVerdict,
  saved: (progress) => source.embedded || takeProgress(progress),
  done: () => told.kind === "failed" && !unsaved() && status("saved", savedAt()),
  failed: (text) => (told.kind === "failed" && told.text === text) || status("failed", text),
  stays: (number, frame, who) => say(`${now.videos[number].rows[frame][0]} was judged by ${who} meanwhile, and that stays: look again`),
});
const worst = new WorstList($("worst"), $("more"), (place) => go(place.video, place.frame), drawSmall);
const editor = new Editor(view, $("cursor"), {
  // While another frame is loaded, what is seen is still the one before: it can no longer be drawn on. Nor can
  // what could not be read.
  mayEdit: () => !now.readOnly && Boolean(editor.mask) && now.shown === key() && Boolean(loader.kept.get(key())?.etag),
  begin: remember,
  changed: touched,
  moved: refreshButtons,
  say,
  object: () => now.object,
  pick: pickObject,
});

/** What is shown. */
const now = {
  /** @type {Video[]} */
  videos: [],
  video: 0,
  frame: 0,
  direction: 1,
  /** @type {Map<number, VideoInfo>} */
  infos: new Map(),
  opened: -1,
  shown: "",
  object: 1,
  readOnly: "",
  command: "",
  canRerun: false,
  left: false, // for another folder's page
  away: false, // the server did not answer when it was asked last
  lost: false, // it did not answer when it was asked for the video that is to be shown, or for its objects
  revision: "",
  runs: 0,
  running: false,
  /** @type {[string, string, string, number][]} */
  stale: [],
  /** @type {Progress["rerun"]} */
  rerun: { state: "idle" },
  playing: false,
  onion: false,
  doubt: false,
  visit: 0,
  polled: 0,
  madeNote: "",
  staleTold: "",
  note: "", // of the folder
  /** @type {Promise<any>} the latest question about a conflict */
  asked: Promise.resolve(),
  /** @type {Promise<any>} the latest wish for labels */
  making: Promise.resolve(),
  whenShown: (/** @type {any} */ _) => {}, // told when a frame is shown
};

const key = () => `${now.video}/${now.frame}`;
const video = () => now.videos[now.video];

// ---------------------------------------------------------------- what is known

/** Know everything that the server tells of the frames. */
async function readState() {
  await takeState(await source.state());
}

/**
 * Read what the server tells of the frames anew, and show it: all of it at once, and nothing where it does not answer
 * to the end. The next poll asks again then.
 */
async function readAnew() {
  const number = now.video, asked = source.video(number).catch((error) => error);
  const state = await source.state(), info = await asked;
  if (info instanceof Error && !(info instanceof Refused && info.status)) throw info;
  loader.forgetMasks();
  worst.forget();
  await takeState(state);
  if (!(info instanceof Error)) takeObjects(number, info); // else its frames say why it cannot be read
  refresh();
  await go(now.video, now.frame, true);
}

/** @param {import("./source.js").State} state */
async function takeState(state) {
  if (now.command && state.folder !== source.folder) {
    await anotherFolder(state);
    return;
  }
  source.folder = state.folder;
  now.videos = state.videos.map((each) => new Video(each, state.command === DRAWN));
  for (const { video: number, frame, said } of verdicts.unsent.values()) { // the state was read before these
    const { flags, judged } = now.videos[number];
    if (said[0] || said[1]) flags.set(frame, said);
    else flags.delete(frame);
    judged.add(frame);
  }
  now.staleTold = ""; // these have not been told
  now.command = state.command;
  now.canRerun = state.canRerun;
  now.note = state.note;
  $("next-card").hidden = !state.next || state.canRerun || source.embedded;
  // A line may end between two words of the command, never at a hyphen.
  $("next-command").replaceChildren(...state.next.split(" ").flatMap((word) => {
    const span = document.createElement("span");
    span.textContent = word;
    return [span, " "];
  }));
  if (now.command === DRAWN) nameForDrawing();
  $("title").textContent = state.title;
  document.title = `${state.title}, vsodtool review`;
  const select = $("video");
  select.replaceChildren(...now.videos.map((each, number) => new Option(each.name, String(number))));
  select.value = String(now.video);
  select.hidden = now.videos.length < 2;
  $("scope").hidden = now.videos.length < 2;
  takeProgress(state);
}

/**
 * Labels were made of what was drawn, or another server has come to this address: another page. What is not saved
 * goes to the same frames of the labels, never to another video that has its number there.
 * @param {import("./source.js").State} state
 */
async function anotherFolder(state) {
  if (now.left) return; // and somebody wanted to stay
  now.left = true;
  const made = now.command === DRAWN && state.command !== DRAWN;
  if (made && saver.unsaved()) {
    const there = new Map(state.videos.map((each, number) => [each.name, number]));
    source.follow(state.folder, now.videos.map((each) => there.get(each.name) ?? -1));
    // What was on its way to the folder before is refused there: once more, to this one.
    if (!(await allSaved())) await allSaved();
    await keepDrafts(); // else for the page that comes
  }
  location.reload();
}

/** The address of a server begun anew was opened where the page of the one before is open. */
function reopened() {
  if (!source.takeToken()) return;
  if (document.body.dataset.ready && unsaved()) {
    save();
    soon();
  } else location.reload();
}

/** Where nothing is labelled yet there is nothing to judge: other words, and what to do. */
function nameForDrawing() {
  for (const id of ["verdict-card", "legend-given", "legend-verdicts", "next-flagged"]) $(id).hidden = true;
  $("how-card").hidden = Boolean(now.readOnly);
  $("worst-title").textContent = "Draw first";
  $("next-worst").firstChild.textContent = "Next";
  $("next-given").firstChild.textContent = "Drawn";
  $("legend-corrected").textContent = "drawn";
}

/** How many masks were drawn on. */
const drawn = () => now.videos.reduce((sum, each) => sum + each.corrected.size, 0);

/**
 * Show what the server says of itself.
 * @param {Progress} said
 */
function takeProgress(said) {
  // After a change of one's own all is known only where all before it was: else it is asked for at the next poll.
  if (said.before === undefined || said.before === now.revision) now.revision = said.revision;
  now.stale = said.stale;
  now.readOnly = source.embedded ? "this page was passed on: masks cannot be changed in it" : said.readOnly;
  document.body.classList.toggle("read-only", Boolean(now.readOnly));
  banner(said.readOnly && !source.embedded ? `Read-only: ${said.readOnly}.` : "");
  if (!document.body.dataset.ready) now.runs = said.rerun.runs || 0;
  const { rerun } = said, count = said.stale.length;
  now.rerun = rerun;
  now.running = rerun.state === "running";
  showAgain();
  document.body.dataset.rerun = rerun.state;
  document.body.dataset.stale = String(count);
  const stale = JSON.stringify(said.stale);
  if (stale !== now.staleTold) {
    now.staleTold = stale;
    for (const each of now.videos) each.setStale(said.stale);
    if (document.body.dataset.ready) {
      timeline.show(video());
      tell();
    }
  }
  $("legend-stale").hidden = count === 0 || now.command === DRAWN;
  refreshButtons();
}

/** The button that makes labels again: what it would make, or what is being made. */
function showAgain() {
  const { rerun, stale } = now, count = stale.length, frames = stale.reduce((sum, each) => sum + each[3], 0);
  const first = now.command === DRAWN, masks = first ? drawn() : 0;
  const some = saver.unsaved() || rerun.state === "looking"; // how much is known in a moment
  $("again-card").hidden = !now.canRerun;
  $("again").disabled = now.running || (count === 0 && !some) || Boolean(now.readOnly);
  $("again-text").textContent = now.running
    ? (rerun.total ? `Making ${rerun.done} of ${rerun.total}` : "Making labels")
    : count ? (first ? `Make labels of ${masks} mask${masks === 1 ? "" : "s"}` : `Make ${count} interval${count === 1 ? "" : "s"} again`)
    : some ? (first ? "Make labels" : "Make labels again") : !first ? "Nothing to make again" : masks ? "Every frame is drawn" : "Draw a mask first";
  $("again-bar").hidden = !now.running;
  $("again-bar").value = rerun.total ? (rerun.done || 0) / rerun.total : 0;
  const note = againNote(frames, some);
  if ($("again-note").textContent !== note) $("again-note").textContent = note;
  $("again-note").classList.toggle("failed", Boolean(rerun.error));
}

/**
 * What stands below that button.
 * @param {number} frames that it would make
 * @param {boolean} some how many is known in a moment
 */
function againNote(frames, some) {
  const { error, hint, message } = now.rerun, first = now.command === DRAWN;
  if (error) return `${error}${hint ? `. ${hint}` : ""}`;
  if (now.running) return message || "";
  if (frames) return `${frames} frame${frames === 1 ? "" : "s"} ${first ? "without one; this takes minutes" : "beside what you corrected"}`;
  return [now.madeNote || (first || some || drawn() ? "" : HOW), now.note].filter(Boolean).join(" ");
}

/** Ask what the server does, and again in a while. */
async function poll() {
  clearTimeout(now.polled);
  const again = () => {
    clearTimeout(now.polled);
    if (!source.embedded) now.polled = setTimeout(poll, now.running || document.body.dataset.rerun === "looking" ? POLL : IDLE_POLL);
  };
  try {
    const said = await source.progress(), runs = said.rerun.runs || 0;
    if (runs !== now.runs) {
      await madeAgain(runs);
    } else if (said.revision !== now.revision) await readAnew();
    else takeProgress(said);
    if (now.away) worst.again();
    now.away = false;
    if (loader.forgetLost() || now.lost) await go(now.video, now.frame, true);
    if (verdicts.unsent.size && !source.embedded) verdicts.send();
  } catch (error) {
    again(); // also after a bug
    if (!(error instanceof Refused)) throw error;
    now.away = true;
    const opening = now.command === DRAWN && now.running; // the labels are made: the same address shows them in a moment
    banner(error.status === 401 ? `${OTHER_TOKEN} What is not saved stays here.` : error.status ? error.message : opening ? "The labels are made; opening them…" : AWAY, !opening);
  }
  again();
}

/**
 * New labels are there.
 * @param {number} runs that have made labels
 */
async function madeAgain(runs) {
  const before = video().rows[now.frame][2], known = now.runs;
  now.runs = runs; // a second poll meanwhile has nothing to tell
  $("worst").scrollTop = 0;
  try {
    await readAnew();
  } catch (error) {
    now.runs = known;
    throw error;
  }
  const after = video().rows[now.frame][2];
  now.madeNote = `New labels are here${before !== after ? `; this frame: confidence ${short(before)} → ${short(after)}` : ""}.`;
  $("again-note").textContent = now.madeNote;
  document.body.dataset.made = String(now.runs);
}

// ---------------------------------------------------------------- going from frame to frame

/**
 * Show a frame.
 * @param {number} number of the video
 * @param {number} frame
 * @param {boolean} [again] the same one anew
 */
async function go(number, frame, again = false) {
  const target = now.videos[number];
  if (!target) return;
  frame = clamp(frame, 0, target.count - 1);
  if (number === now.video && frame === now.frame && now.shown === key() && !again) return;
  if (!again) {
    editor.lift();
    saver.flush();
  }
  now.direction = number === now.video && frame < now.frame ? -1 : 1;
  now.video = number;
  now.frame = frame;
  now.lost = false;
  const visit = ++now.visit;
  tell();
  let info;
  try {
    info = await open(number);
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    if (visit === now.visit) notShown(error);
    return;
  }
  if (visit !== now.visit) return;
  loader.want(plan(), info.width * info.height);
  if (!present()) setTimeout(() => visit === now.visit && now.shown !== key() && note("loading…"), 250);
}

/**
 * Say why a video is not shown; the picture of the one before goes.
 * @param {Refused} error
 */
function notShown(error) {
  now.opened = -1;
  now.shown = "";
  now.lost = error.status === 0;
  editor.open(null);
  view.show(null, null);
  $("video").value = String(now.video);
  timeline.show(video());
  note(`${error.message}${error.hint ? `: ${error.hint}` : ""}`);
  now.whenShown(null);
}

/** @type {Map<number, Promise<VideoInfo>>} that were asked for */
const asked = new Map();

/**
 * What is known of a video; asked for once.
 * @param {number} number
 */
async function infoOf(number) {
  const known = now.infos.get(number);
  if (known) return known;
  let answer = asked.get(number);
  if (!answer) asked.set(number, (answer = source.video(number).finally(() => asked.delete(number))));
  const info = await answer;
  if (!now.infos.has(number)) now.infos.set(number, info);
  return info;
}

/**
 * Know the size and the objects of a video.
 * @param {number} number
 */
async function open(number) {
  const info = await infoOf(number);
  if (now.opened !== number && number === now.video) {
    now.opened = number;
    now.shown = "";
    editor.open(null);
    view.open(info.width, info.height);
    editor.suit(info.height);
    showObjects();
    $("video").value = String(number);
    timeline.show(video());
    if (document.body.dataset.ready) refresh();
  }
  return info;
}

/** What to load, the nearest first. */
function plan() {
  const { count } = video(), { frame, direction } = now, wanted = [frame];
  const ahead = now.playing ? 3 * AHEAD : AHEAD;
  for (let away = 1; away <= 2; away++) wanted.push(frame + direction * away);
  wanted.push(frame - direction);
  if (now.onion) wanted.push(...Object.values(video().neighbours(frame)));
  for (let away = 3; away <= ahead; away++) wanted.push(frame + direction * away);
  const next = worst.next(1, now.video, frame);
  if (next && next.video === now.video) wanted.push(next.frame);
  return [...new Set(wanted)].filter((each) => each >= 0 && each < count).map((each) => `${now.video}/${each}`);
}

/** @param {string} loaded */
function arrived(loaded) {
  if (loaded === key()) present(); // also one that is shown, and was read again
  else if (now.onion) showOnion();
}

/** Show the frame if it is there; whether it is. */
function present() {
  const found = loader.get(key());
  if (!found || !found.ids || now.opened !== now.video) return false;
  const anew = now.shown !== key();
  now.shown = key();
  if (anew) saver.forgetOthers(now.shown);
  const info = /** @type {VideoInfo} */ (now.infos.get(now.video));
  // What is being drawn is not lost to what comes from the server, nor what could be undone to the same mask read again.
  const mask = anew ? null : editor.mask;
  const kept = mask && (saver.holds(now.shown) || editor.last || same(found.ids, mask.ids));
  if (!kept) {
    const wide = info.objects.some((each) => each.id > 254); // one may be added
    const newest = saver.newest(now.shown) || found.ids; // what lies on the server may be older
    const ids = wide ? Uint16Array.from(newest) : newest.slice();
    editor.open(new Mask(ids, info.width, info.height));
    saver.forget(now.shown);
  }
  if (editor.mask) knowObjects(editor.mask.ids);
  view.show(found.bitmap, editor.mask ? editor.mask.ids : null);
  note(found.error || (video().rows[now.frame][1] === SKIPPED ? "this frame did not decode" : ""));
  document.body.dataset.video = String(now.video);
  document.body.dataset.frame = String(now.frame);
  showOnion();
  showDoubt();
  tell();
  now.whenShown(null);
  return true;
}

/** Header, time line, list and verdict of this frame. */
function tell() {
  const each = video(), [name, status, confidence] = each.rows[now.frame], corrected = each.corrected.has(now.frame);
  const { before, after } = each.neighbours(now.frame), flag = each.flag(now.frame);
  $("frame-name").textContent = name;
  const chip = $("frame-status");
  chip.textContent = corrected ? (now.command === DRAWN ? "◆ drawn" : "◆ corrected") : each.isTakenBack(now.frame) ? "taken back" : status === GIVEN ? "▲ given" : status === SKIPPED ? "did not decode" : now.command === "predict" ? "predicted" : now.command === DRAWN ? "nothing drawn yet" : "generated";
  chip.className = `chip ${corrected ? "corrected" : each.isGiven(now.frame) ? "given" : ""}`;
  const names = [before, after].map((frame) => (frame < 0 ? "" : each.rows[frame][0]));
  const made = !corrected && status === 1 && now.command === "pseudolabel";
  $("frame-between").textContent = !made ? "" : names[0] && names[1] ? `between ${names[0]} and ${names[1]}` : `from ${names[0] || names[1] || "nothing"}`;
  const told = $("frame-confidence");
  told.hidden = corrected || status !== 1 || now.command === DRAWN;
  if (!told.hidden) {
    const meter = document.createElement("span"), bar = document.createElement("i");
    meter.className = "meter";
    bar.style.width = `${100 * confidence}%`;
    bar.style.background = hue(confidence);
    meter.append(bar);
    told.replaceChildren("confidence ", short(confidence), meter);
  }
  const flagChip = $("frame-flag"), words = /** @type {any} */ ({ ok: "✓ accepted", bad: "! flagged", skip: "– skip" });
  flagChip.hidden = !flag;
  flagChip.textContent = words[flag] || "";
  flagChip.className = `chip ${flag}`;
  for (const [id, value] of [["accept", "ok"], ["reject", "bad"], ["skip", "skip"]]) $(id).setAttribute("aria-pressed", String(flag === value));
  if (document.activeElement !== $("note")) $("note").value = each.flags.get(now.frame)?.[1] || "";
  const method = each.method && now.command === "pseudolabel" ? ` · ${each.method}` : "", tested = method && each.hiddenJ;
  $("place-frame").textContent = `${now.frame + 1} of ${each.count}${method}`;
  $("place-tested").hidden = !tested;
  $("place-tested").textContent = tested ? `found ${short(tested)} of hidden masks` : "";
  $("place-tested").style.color = hue(tested || 1);
  $("canvas").setAttribute("aria-label", `Frame ${name}, ${chip.textContent.replace(/^\W+ /, "")}${told.hidden ? "" : `, confidence ${short(confidence)}`}${flag ? `, ${words[flag]}` : ""}`);
  timeline.move(each, now.frame);
  worst.mark(now.video, now.frame);
  refreshButtons();
}

/** The list and the time line, after a verdict, a correction, or new labels. */
function refresh() {
  const all = $("scope").value === "all" && now.videos.length > 1;
  const numbers = all ? now.videos.map((_, number) => number) : [now.video];
  const order = worstFirst(now.videos, numbers);
  worst.show(order, all ? now.videos.map((each) => each.name) : [], (place) => now.videos[place.video].rows[place.frame][0]);
  $("worst-empty").hidden = order.length > 0;
  $("worst-empty").textContent = now.command === DRAWN
    ? "All of these are drawn. Make labels makes a mask for every other frame; you may also draw more."
    : "Nothing left to look at: every frame is a label of yours, or accepted.";
  timeline.show(video());
  worst.mark(now.video, now.frame);
}

function refreshButtons() {
  const mask = editor.mask, may = !now.readOnly;
  $("undo").disabled = !may || !mask?.done.length;
  $("redo").disabled = !may || !mask?.undone.length;
  $("save").disabled = !unsaved();
  $("copy").disabled = !may || now.frame === 0;
  if (now.videos.length) {
    $("back").disabled = !may || !video().corrected.has(now.frame);
    $("confidence").disabled = !video().confidenceMaps || source.embedded;
    $("confidence").title = source.embedded ? "No confidence maps: they are not in a page that was passed on" : $("confidence").disabled ? "No confidence maps: run pseudolabel with --confidence" : "Where the tool is unsure (C)";
    $("onion").disabled = now.command !== "pseudolabel" && video().corrected.size === 0;
  }
  const flags = source.embedded || may;
  for (const id of ["accept", "accept-next", "reject", "skip", "note"]) $(id).disabled = !flags;
  $("size").value = String(Math.round(50 * Math.log10(editor.diameter)));
  $("size-value").textContent = `${editor.diameter} px`;
  editor.refresh();
  $("zoom").textContent = `${Math.round((100 * view.scale) / view.ratio)} %`;
}

// ---------------------------------------------------------------- drawing and saving

/** Before a stroke: what this frame was. */
function remember() {
  const found = loader.kept.get(key()), { mask } = editor;
  // While masks are read again there are no ids: what is shown is what was read before.
  if (found && mask) saver.open(key(), { ids: found.ids || mask.ids.slice(), etag: found.etag, corrected: found.corrected });
  stop();
}

/** After a stroke. */
function touched() {
  const mask = editor.mask;
  if (mask) saver.touch(key(), mask.ids);
  refreshButtons();
}

/**
 * @param {string} where
 * @param {{ids: import("./ids.js").Ids, etag: string, corrected: boolean}} mask
 * @param {Progress} progress
 */
function saved(where, mask, progress) {
  const [number, frame] = where.split("/").map(Number);
  loader.know(where, mask);
  new Drafts(source.folder).drop(draftOf(where));
  const each = now.videos[number];
  if (mask.corrected) each.corrected.add(frame);
  else each.corrected.delete(frame);
  worst.items.delete(where);
  now.madeNote = "";
  takeProgress(progress);
  refresh();
  tell();
  if (now.onion) showOnion(); // it may be one of the labels beside
  soon();
}

/**
 * Ask which mask to keep; of several frames one after the other, as there is one dialog.
 * @param {string} where
 */
function conflict(where) {
  const answer = now.asked.then(() => ask(where));
  now.asked = answer.catch(() => null);
  return answer;
}

/** @param {string} where */
async function ask(where) {
  const [number, frame] = where.split("/").map(Number), dialog = $("conflict");
  $("conflict-frame").textContent = `${now.videos.length > 1 ? `${now.videos[number].name}, ` : ""}${now.videos[number].rows[frame][0]}`;
  dialog.returnValue = "";
  dialog.showModal();
  $("conflict-mine").focus();
  const mine = await new Promise((done) => {
    $("conflict-mine").onclick = () => { dialog.close("mine"); };
    $("conflict-theirs").onclick = () => { dialog.close("theirs"); };
    dialog.onclose = () => done(dialog.returnValue !== "theirs"); // Escape keeps what was drawn
  });
  return mine;
}

/** @param {string} where */
function replaced(where) {
  new Drafts(source.folder).drop(draftOf(where));
  loader.forgetMask(where);
  now.shown = now.shown === where ? "" : now.shown;
  attempt(async () => {
    await readState();
    refresh();
  }).then(() => go(now.video, now.frame, true));
}

/**
 * @param {string} kind
 * @param {string} text
 */
function status(kind, text) {
  clearTimeout(told.timer);
  Object.assign(told, { kind, text });
  $("saved").textContent = text;
  $("saved").className = kind;
  document.body.dataset.saved = kind;
  refreshButtons();
  showAgain();
}

/** Take the correction of this frame back. */
async function takeBack() {
  saver.flush();
  const { video: number, frame } = now; // another one may be shown when the answer comes
  const where = key(), found = loader.kept.get(where); // also while masks are read again: what is shown is known
  if (!found || saver.holds(where)) {
    say(`still ${found ? "saving" : "loading"}; take it back in a moment`);
    return;
  }
  if (!video().corrected.has(frame)) {
    say("there is no correction to take back");
    return;
  }
  now.shown = ""; // what is drawn from now on would be lost
  await attempt(async () => {
    const progress = await source.takeBack(number, frame, found.unusable || found.etag);
    now.videos[number].corrected.delete(frame);
    saver.tracks.delete(where);
    loader.forgetMask(where);
    worst.items.delete(where);
    takeProgress(progress);
    refresh();
    tell();
    status("saved", "taken back");
    soon();
  });
  if (where === key()) await go(number, frame, true);
}

/** Copy the mask of the frame before. */
async function copyPrevious() {
  const info = now.infos.get(now.video), where = key();
  const mask = editor.mask, version = mask?.version;
  if (now.frame === 0) say("there is no frame before this one");
  else if (!info || !mask) say("still loading; copy in a moment");
  if (now.frame === 0 || !info || !mask) return;
  const before = `${now.video}/${now.frame - 1}`;
  const known = loader.get(before);
  await attempt(async () => {
    const there = saver.newest(before) || (known?.etag && known.ids) || (await source.mask(now.video, now.frame - 1, info.width * info.height)).ids;
    if (where !== key() || !editor.mask) return;
    if (editor.last || editor.mask !== mask || mask.version !== version) say("not copied: you drew meanwhile; P copies it now");
    else if (same(/** @type {any} */ (there), mask.ids)) say("it is the same mask already");
    else editor.replace(there);
  });
}

// ---------------------------------------------------------------- verdicts

/** Whether the picture and the mask of this frame are there, the newest, and on the screen. */
function isSeen() {
  const found = loader.kept.get(key());
  return now.shown === key() && Boolean(found?.ids && !found.error) && view.seen;
}

/**
 * @param {string} flag the same one again takes it back
 * @param {boolean} [on] go on to the next worst
 */
async function flagFrame(flag, on = false) {
  const each = video(), frame = now.frame, number = now.video, [before, text] = each.flags.get(frame) || ["", ""];
  if (now.readOnly && !source.embedded) {
    say(now.readOnly);
    return;
  }
  const next = before === flag && !on ? "" : flag;
  if (next === "ok" && !isSeen()) {
    say(`${each.rows[frame][0]} is not seen${loader.kept.get(key())?.error ? "" : " yet"}: what is accepted is what is seen`);
    return;
  }
  say(next ? /** @type {any} */ ({ ok: "accepted", bad: "flagged", skip: "to be skipped" })[next] : "verdict taken back");
  const done = setFlag(number, frame, next, text);
  if (on) nextWorst(1);
  await done;
}

/**
 * @param {number} number
 * @param {number} frame
 * @param {string} flag
 * @param {string} text
 */
function setFlag(number, frame, flag, text) {
  const { flags, judged } = now.videos[number];
  judged.add(frame);
  if (source.embedded) document.body.dataset.flags = "changed";
  return verdicts.set(number, frame, [flag, text], flags.get(frame) || ["", ""]);
}

/**
 * Show what is said of a frame.
 * @param {number} number
 * @param {number} frame
 * @param {Said} said
 */
function showVerdict(number, frame, said) {
  const { flags } = now.videos[number];
  if (said[0] || said[1]) flags.set(frame, said);
  else flags.delete(frame);
  refresh();
  tell();
}

/** Whether anything is not on the server: masks, verdicts, notes. */
const unsaved = () => saver.unsaved() || verdicts.unsent.size > 0;

/** The page may end: what is being drawn and typed counts, and is saved. */
function keep() {
  editor.lift();
  $("note").blur();
  saver.flush();
  keepDrafts();
}

/** @param {string} where */
function draftOf(where) {
  const [number, frame] = where.split("/").map(Number);
  return `${now.videos[number].name}/${frame}`;
}

/** Let the browser keep what the server does not have. */
async function keepDrafts() {
  const drafts = new Drafts(source.folder);
  await Promise.all([...saver.waiting()].map(({ key: where, ids, etag }) => drafts.put(draftOf(where), { ids, etag }, () => saver.newest(where) === ids)));
}

/** Save what an earlier page of this window could not. */
async function takeDrafts() {
  const drafts = new Drafts(source.folder);
  for (const [name, draft] of await drafts.all()) {
    const at = name.lastIndexOf("/"), frame = Number(name.slice(at + 1)), number = now.videos.findIndex((each) => each.name === name.slice(0, at));
    if (number < 0) continue; // not looked at now
    const info = await infoOf(number).catch(() => null); // what is wrong is told when it is shown
    const fits = frame < now.videos[number].count && (!info || info.width * info.height === draft.ids.length);
    if (fits) saver.adopt(`${number}/${frame}`, draft);
    else drafts.drop(name); // the folder was made anew of another video
  }
  saver.flush();
}

/** Save all that is not saved, at once. */
function save() {
  if (source.embedded) say("masks are not changed here; Save flags keeps what you say of frames");
  else if (!unsaved()) say("all is saved");
  saver.flush();
  if (verdicts.unsent.size) verdicts.send();
}

/** @param {1 | -1} step */
function nextWorst(step) {
  const place = worst.next(step, now.video, now.frame);
  if (place) go(place.video, place.frame);
  else say("nothing left to look at");
}

/**
 * @param {1 | -1} step
 * @param {(frame: number) => boolean} wanted
 * @param {string} nothing
 */
function jump(step, wanted, nothing) {
  const frame = video().next(now.frame, step, wanted);
  if (frame < 0 || (frame === now.frame && !wanted(frame))) say(nothing);
  else go(now.video, frame);
}

/**
 * The next flagged frame, of this video or of all, as in the list.
 * @param {1 | -1} step
 */
function nextFlagged(step) {
  const count = now.videos.length, others = $("scope").value === "all" ? count : 0;
  for (let away = 0; away <= others; away++) { // at last this one again, from its other end
    const number = (((now.video + step * away) % count) + count) % count, each = now.videos[number];
    const from = away === 0 ? now.frame : step > 0 ? -1 : each.count;
    const frame = each.next(from, step, (at) => each.flag(at) === "bad", !others);
    if (frame >= 0) {
      go(number, frame);
      return;
    }
  }
  say("no frame is flagged");
}

// ---------------------------------------------------------------- objects

function showObjects() {
  const info = /** @type {VideoInfo} */ (now.infos.get(now.video));
  view.colors = new Map(info.objects.map((each) => [each.id, each.color]));
  if (!info.objects.some((each) => each.id === now.object)) now.object = info.objects[0]?.id || 1;
  const had = document.activeElement?.parentElement === $("objects");
  $("objects").replaceChildren(
    ...info.objects.map((each, place) => {
      const button = document.createElement("button"), dot = document.createElement("i"), name = document.createElement("span");
      button.type = "button";
      button.setAttribute("role", "radio");
      button.setAttribute("aria-checked", String(each.id === now.object));
      button.tabIndex = each.id === now.object ? 0 : -1;
      button.dataset.id = String(each.id);
      dot.style.background = each.color;
      name.textContent = each.name;
      button.append(dot, name);
      if (place < 9 && info.objects.length > 1) {
        const cap = document.createElement("kbd");
        cap.textContent = String(place + 1);
        button.append(cap);
      }
      button.addEventListener("click", () => pickObject(each.id));
      return button;
    }),
  );
  if (had) $("objects").querySelector('[aria-checked="true"]')?.focus();
  $("new-object").hidden = Boolean(info.closed); // and where the page may not write
  $("objects-closed").hidden = !info.closed || info.objects.length > 1;
  $("objects-closed").textContent = info.closed;
  view.paintMask();
}

/** @param {number} id */
function pickObject(id) {
  now.object = id;
  showObjects();
  const name = now.infos.get(now.video)?.objects.find((each) => each.id === id)?.name;
  if (name) say(`drawing ${name}`);
}

/**
 * Know the objects anew: another window may have added one.
 * @param {number} number of the video
 * @param {VideoInfo} info
 */
function takeObjects(number, info) {
  const known = now.infos.get(number);
  for (const other of now.infos.keys()) if (other !== now.video) now.infos.delete(other);
  now.infos.set(number, info);
  if (number === now.video && now.opened === number && JSON.stringify(known?.objects) !== JSON.stringify(info.objects)) showObjects();
}

/**
 * Ask for the objects anew if a mask holds one that is not known.
 * @param {import("./ids.js").Ids} ids
 */
async function knowObjects(ids) {
  const number = now.video;
  let last = 0, strange = false;
  for (let at = 0; at < ids.length && !strange; at++) if (ids[at] !== last) strange = (last = ids[at]) !== 0 && !view.colors.has(last);
  if (!strange) return;
  await attempt(async () => {
    const info = await source.video(number).catch((error) => {
      if (number === now.video && error.status === 0) now.lost = true; // asked again once it answers: it is not seen until then
      throw error;
    });
    now.infos.set(number, info);
    if (number === now.video) showObjects();
  });
}

// ---------------------------------------------------------------- layers

function showOnion() {
  $("onion-legend").hidden = !now.onion;
  if (!now.onion) {
    view.setOnion([]);
    return;
  }
  const { before, after } = video().neighbours(now.frame), places = [before, after];
  const idsOf = (/** @type {string} */ where) => saver.newest(where) || loader.get(where)?.ids || null;
  view.setOnion(places.map((frame) => (frame < 0 ? null : idsOf(`${now.video}/${frame}`))));
  const words = $("onion-legend").querySelectorAll("span");
  places.forEach((frame, place) => { words[place].textContent = frame < 0 ? "none" : video().rows[frame][0]; });
}

async function showDoubt() {
  const where = key();
  if (!now.doubt || !video().confidenceMaps || source.embedded) {
    view.setDoubt(null);
    return;
  }
  try {
    const bitmap = await createImageBitmap(await source.confidence(now.video, now.frame), { colorSpaceConversion: "none" });
    if (where === key()) view.setDoubt(bitmap);
    bitmap.close();
  } catch (error) { // there is none, or it is no picture; or nobody answered
    if (where !== key()) return;
    view.setDoubt(null);
    if (error instanceof Refused && !error.status) say("the doubt of this frame did not come; C twice asks again");
  }
}

/**
 * @param {"outline" | "onion" | "confidence"} what
 */
function toggle(what) {
  if ($(what).disabled) {
    say(what === "confidence" ? $(what).title : "no labels beside this frame to outline");
    return;
  }
  if (what === "outline") {
    view.outline = !view.outline;
    view.paintMask();
  } else if (what === "onion") {
    now.onion = !now.onion;
    const info = now.infos.get(now.video);
    if (info) loader.want(plan(), info.width * info.height);
    showOnion();
  } else {
    now.doubt = !now.doubt;
    showDoubt();
  }
  const pressed = { outline: view.outline, onion: now.onion, confidence: now.doubt }[what];
  $(what).setAttribute("aria-pressed", String(pressed));
}

/** @param {boolean} on */
function hide(on) {
  view.hidden = on;
  $("hide").setAttribute("aria-pressed", String(on));
  view.draw();
}

/** @param {import("./editor.js").Tool} tool */
function pickTool(tool) {
  editor.tool = tool;
  for (const button of document.querySelectorAll("[data-tool]")) {
    button.setAttribute("aria-pressed", String(/** @type {HTMLElement} */ (button).dataset.tool === tool));
  }
  editor.refresh();
}

/**
 * A small picture with its mask, for the list.
 * @param {Place} place
 * @param {HTMLCanvasElement} canvas
 */
async function drawSmall(place, canvas) {
  const info = await infoOf(place.video), { width, height } = info, there = loader.kept.get(`${place.video}/${place.frame}`);
  const [picture, mask] = await Promise.all([
    source.frame(place.video, place.frame, { rank: "background" }, canvas.width).then(createImageBitmap),
    there?.ids ? there : source.mask(place.video, place.frame, width * height, { rank: "background" }),
  ]);
  const colors = new Map(info.objects.map((each) => [each.id, parseInt(each.color.slice(1), 16)]));
  canvas.height = Math.round((canvas.width * 9) / 16);
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d", { willReadFrequently: true }));
  const scale = Math.max(canvas.width / width, canvas.height / height);
  const left = (canvas.width - width * scale) / 2, top = (canvas.height - height * scale) / 2;
  context.drawImage(picture, left, top, width * scale, height * scale);
  picture.close();
  const image = context.getImageData(0, 0, canvas.width, canvas.height), { data } = image;
  const ids = /** @type {import("./ids.js").Ids} */ (mask.ids);
  for (let y = 0, at = 0; y < canvas.height; y++) {
    const row = Math.floor((y - top) / scale) * width;
    for (let x = 0; x < canvas.width; x++, at += 4) {
      const id = ids[row + Math.floor((x - left) / scale)];
      if (!id) continue;
      const color = colors.get(id) ?? 0xffffff;
      data[at] = (data[at] + (color >> 16)) >> 1;
      data[at + 1] = (data[at + 1] + ((color >> 8) & 255)) >> 1;
      data[at + 2] = (data[at + 2] + (color & 255)) >> 1;
    }
  }
  context.putImageData(image, 0, 0);
}

// ---------------------------------------------------------------- playing

function play() {
  if (now.playing) {
    stop();
    return;
  }
  now.playing = true;
  playButton();
  if (now.frame === video().count - 1) go(now.video, 0);
  const info = now.infos.get(now.video), each = 1000 / clamp(info?.fps || 24, 1, 60);
  let from = performance.now(), first = now.frame, at = key();
  const tick = (/** @type {number} */ time) => {
    if (!now.playing) return;
    const wanted = Math.min(video().count - 1, first + Math.floor((time - from) / each));
    if (now.shown !== key() || at !== key()) {
      // Nothing to show yet: time stands still, so that nothing is left out for long. Or somebody went elsewhere.
      from = time;
      first = now.frame;
      at = key();
    } else if (wanted !== now.frame) {
      // As far as frames have come.
      let next = wanted;
      while (next > now.frame + 1 && !loader.get(`${now.video}/${next}`)) next--;
      go(now.video, next);
      at = key();
    }
    if (now.frame === video().count - 1 && now.shown === key()) stop();
    else requestAnimationFrame(tick);
  };
  requestAnimationFrame(tick);
}

function stop() {
  if (!now.playing) return;
  now.playing = false;
  playButton();
}

function playButton() {
  $("play").setAttribute("aria-pressed", String(now.playing));
  $("play").setAttribute("aria-label", now.playing ? "Pause" : "Play");
  $("play").querySelector("use").setAttribute("href", now.playing ? "#i-pause" : "#i-play");
}

// ---------------------------------------------------------------- words

/** What is known of saving, and until when something else is told in its place. */
const told = { kind: "", text: "", timer: 0 };
/** What stands above the page. */
const warned = { text: "", failed: false };

/**
 * Say something for a moment, also to screen readers.
 * @param {string} text
 */
function say(text) {
  clearTimeout(told.timer);
  $("saved").textContent = text;
  $("saved").className = "";
  told.timer = setTimeout(() => status(told.kind, told.text), 3500);
}

/** @param {string} text over the frame */
function note(text) {
  $("stage-note").textContent = text;
  $("stage-note").hidden = !text;
}

/**
 * @param {string} text
 * @param {boolean} [failed]
 */
function banner(text, failed = false) {
  Object.assign(warned, { text, failed });
  showBanner();
}

/** What is wrong, or else that the server is slow. */
function showBanner() {
  const text = warned.text || (source.embedded || !source.connection.slow ? "" : SLOW);
  $("banner").classList.toggle("passing", Boolean(text) && !now.readOnly);
  if ($("banner").textContent !== text) $("banner").textContent = text;
  $("banner").hidden = !text;
  $("banner").classList.toggle("failed", warned.failed);
}

/**
 * Do something that the server may refuse, and say so.
 * @param {() => Promise<void>} work
 */
async function attempt(work) {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    status("failed", `${error.message}${error.hint ? `: ${error.hint}` : ""}`);
  }
}

/** Ask the server sooner than usual. */
function soon() {
  clearTimeout(now.polled);
  if (!source.embedded) now.polled = setTimeout(poll, 50);
}

/** Whether all that was drawn is on the server, once it is. */
async function allSaved() {
  saver.flush();
  while (saver.unsaved()) {
    if (saver.failed()) return false;
    await new Promise((done) => setTimeout(done, 20));
  }
  return true;
}

/** Make labels, one request after the other: who presses the key twice has them made once. */
function makeAgain() {
  now.making = now.making.catch(() => null).then(makeOnce);
  return now.making;
}

async function makeOnce() {
  if (!(await allSaved())) return; // it says why
  if (now.canRerun && !now.running && !now.readOnly && !now.stale.length && now.command !== DRAWN) {
    let looked = false;
    await attempt(async () => {
      takeProgress(await source.look()); // labels may have been edited by another program
      looked = true;
    });
    const none = !now.stale.length && !now.running && now.rerun.state !== "looking";
    if (looked && none) say("nothing to make again"); // what is drawn by now was not meant
    if (!looked || none) return;
  }
  if (now.running || $("again").disabled) {
    say(now.running ? "labels are being made already" : now.canRerun ? $("again-text").textContent.toLowerCase() : `labels of ${now.command} are not made again here`);
    return;
  }
  await attempt(async () => {
    takeProgress(await source.rerun());
    soon();
  });
}

/** Save the flags of a page that was passed on: those given in it, which are news, apart from those it came with. */
function exportFlags() {
  const when = new Date().toISOString(), videos = /** @type {any} */ ({});
  for (const each of now.videos) {
    const frames = /** @type {any} */ ({}), known = /** @type {any} */ ({});
    const said = (/** @type {number} */ frame) => {
      const [flag, note] = each.flags.get(frame) || ["", ""]; // what was taken back is told, too
      return { flag, note, who: "", when };
    };
    for (const frame of each.judged) frames[each.rows[frame][0]] = said(frame);
    for (const frame of each.flags.keys()) if (!each.judged.has(frame)) known[each.rows[frame][0]] = said(frame);
    videos[each.name] = { frames, known, objects: [] };
  }
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([`${JSON.stringify({ version: 1, videos }, null, 1)}\n`], { type: "application/json" }));
  link.download = "flags.json";
  link.click();
  URL.revokeObjectURL(link.href);
  document.body.dataset.flags = "saved";
}

// ---------------------------------------------------------------- keys and buttons

const step = (/** @type {number} */ by) => () => { stop(); go(now.video, now.frame + by); };
/**
 * Arrows move the frame; the cursor while drawing with the keys; the picture with Alt.
 * @param {number} x
 * @param {number} y
 * @param {number} far
 */
const arrow = (x, y, far) => () => {
  if (editor.byKeys) editor.moveBy(x * far, y * far);
  else if (x) step(x * far)();
};
const pan = (/** @type {number} */ x, /** @type {number} */ y) => () => { view.pan(60 * x, 60 * y); refreshButtons(); };
const zoom = (/** @type {number} */ factor) => () => { view.zoom(factor); refreshButtons(); };
const objectAt = (/** @type {number} */ place) => () => {
  const found = now.infos.get(now.video)?.objects[place];
  if (found) pickObject(found.id);
  else say(`there is no object ${place + 1}`);
};
const labelled = (/** @type {number} */ frame) => video().isLabel(frame);

/** @type {import("./keys.js").Group[]} */
const KEYS = [
  ["Go", [
    { keys: ["ArrowLeft"], shown: "←  →", about: "frame before, next; with Shift ten", repeats: true, run: arrow(-1, 0, 1) },
    { keys: ["ArrowRight"], shown: "", about: "", repeats: true, run: arrow(1, 0, 1) },
    { keys: ["Shift+ArrowLeft"], shown: "", about: "", repeats: true, run: arrow(-1, 0, 10) },
    { keys: ["Shift+ArrowRight"], shown: "", about: "", repeats: true, run: arrow(1, 0, 10) },
    { keys: ["ArrowUp"], shown: "", about: "", repeats: true, run: arrow(0, -1, 1) },
    { keys: ["ArrowDown"], shown: "", about: "", repeats: true, run: arrow(0, 1, 1) },
    { keys: ["Shift+ArrowUp"], shown: "", about: "", repeats: true, run: arrow(0, -1, 10) },
    { keys: ["Shift+ArrowDown"], shown: "", about: "", repeats: true, run: arrow(0, 1, 10) },
    { keys: ["Home"], shown: "Home  End", about: "first, last frame", run: () => go(now.video, 0) },
    { keys: ["End"], shown: "", about: "", run: () => go(now.video, video().count - 1) },
    { keys: [" "], shown: "Space", about: "play, pause", run: () => (editor.byKeys ? editor.pen() : play()) },
    { keys: ["n"], shown: "N", about: "next worst; with Shift the one before", repeats: true, run: () => nextWorst(1) },
    { keys: ["Shift+n"], shown: "", about: "", repeats: true, run: () => nextWorst(-1) },
    { keys: ["g"], shown: "G", about: "next given or corrected; with Shift before", repeats: true, run: () => jump(1, labelled, "no frame is given") },
    { keys: ["Shift+g"], shown: "", about: "", repeats: true, run: () => jump(-1, labelled, "no frame is given") },
    { keys: ["x"], shown: "X", about: "next flagged; with Shift before", repeats: true, run: () => nextFlagged(1) },
    { keys: ["Shift+x"], shown: "", about: "", repeats: true, run: () => nextFlagged(-1) },
  ]],
  ["Look", [
    { keys: ["h"], shown: "H", about: "hide everything while held", run: () => hide(true), up: () => hide(false) },
    { keys: ["o"], shown: "O", about: "outline instead of fill", run: () => toggle("outline") },
    { keys: ["c"], shown: "C", about: "where the tool is unsure", run: () => toggle("confidence") },
    { keys: ["z"], shown: "Z", about: "outlines of the two neighbouring labels", run: () => toggle("onion") },
    { keys: ["+", "=", "Shift++"], shown: "+  −  0", about: "zoom in, out, whole frame; also the wheel, or two fingers", repeats: true, run: zoom(1.3) },
    { keys: ["-"], shown: "", about: "", repeats: true, run: zoom(1 / 1.3) },
    { keys: ["0"], shown: "", about: "", run: () => { view.fit(); refreshButtons(); } },
    { keys: ["Alt+ArrowLeft"], shown: "Alt ←", about: "move the picture, all four arrows; also Alt and drag, or two fingers", repeats: true, run: pan(1, 0) },
    { keys: ["Alt+ArrowRight"], shown: "", about: "", repeats: true, run: pan(-1, 0) },
    { keys: ["Alt+ArrowUp"], shown: "", about: "", repeats: true, run: pan(0, 1) },
    { keys: ["Alt+ArrowDown"], shown: "", about: "", repeats: true, run: pan(0, -1) },
  ]],
  ["Draw", [
    { keys: ["b"], shown: "B  E  F", about: "brush, eraser, fill (with Shift it takes a region away)", edits: true, run: () => pickTool("brush") },
    { keys: ["e"], shown: "", about: "", edits: true, run: () => pickTool("eraser") },
    { keys: ["f"], shown: "", about: "", edits: true, run: () => pickTool("fill") },
    { keys: ["[", "Alt+[", ","], shown: "[  ]  ,  .", about: "smaller, larger: brackets, or comma and full stop", edits: true, repeats: true, run: () => { editor.resize(1 / 1.25); refreshButtons(); } },
    { keys: ["]", "Alt+]", "."], shown: "", about: "", edits: true, repeats: true, run: () => { editor.resize(1.25); refreshButtons(); } },
    ...Array.from({ length: 9 }, (_, place) => ({ keys: [String(place + 1)], shown: place ? "" : "1 … 9", about: place ? "" : "object", run: objectAt(place) })),
    { keys: ["y"], shown: "Y", about: "tidy: specks go, pinholes are closed", edits: true, run: () => editor.tidy() },
    { keys: ["p"], shown: "P", about: "copy the mask of the frame before", edits: true, run: copyPrevious },
    { keys: ["Ctrl+z"], shown: "Ctrl Z", about: "undo; with Shift redo", edits: true, repeats: true, run: () => editor.step("undo") },
    { keys: ["Ctrl+Shift+z", "Ctrl+y"], shown: "", about: "", edits: true, repeats: true, run: () => editor.step("redo") },
    { keys: ["d"], shown: "D", about: "draw with the keys: arrows move, Space puts the pen down and lifts it, Escape ends", edits: true, run: drawWithKeys },
    { keys: ["Escape"], shown: "", about: "", run: () => editor.keys(false) },
    { keys: ["Delete"], shown: "Del", about: "take the correction back", edits: true, run: takeBack },
    { keys: ["s", "Ctrl+s"], shown: "S", about: "save now; it also happens by itself", run: save },
  ]],
  ["Decide", [
    { keys: ["a"], shown: "A", about: "accept", run: () => flagFrame("ok") },
    { keys: ["Enter"], shown: "Enter", about: "accept and go on to the next worst", run: () => flagFrame("ok", true) },
    { keys: ["r"], shown: "R", about: "flag: to be looked at again", run: () => flagFrame("bad") },
    { keys: ["k"], shown: "K", about: "skip: not to be used", run: () => flagFrame("skip") },
    { keys: ["t"], shown: "T", about: "write a note", run: () => $("note").focus() },
    { keys: ["u"], shown: "U", about: "make the labels beside your corrections again, or the first ones", edits: true, run: makeAgain },
    { keys: ["?"], shown: "?", about: "this list", run: help },
  ]],
];

function drawWithKeys() {
  editor.keys(!editor.byKeys);
  say(editor.byKeys ? "arrows move the cursor, Space puts the pen down, Escape ends" : "arrows change the frame");
}

function help() {
  $("help").showModal();
}

/** Buttons and sliders. */
function wire() {
  const buttons = /** @type {Object<string, () => void>} */ ({
    first: () => go(now.video, 0), previous: step(-1), play, next: step(1), last: () => go(now.video, video().count - 1),
    undo: () => editor.step("undo"), redo: () => editor.step("redo"), tidy: () => editor.tidy(), copy: copyPrevious, back: takeBack, save,
    outline: () => toggle("outline"), confidence: () => toggle("confidence"), onion: () => toggle("onion"),
    fit: () => { view.fit(); refreshButtons(); },
    accept: () => flagFrame("ok"), "accept-next": () => flagFrame("ok", true), reject: () => flagFrame("bad"), skip: () => flagFrame("skip"),
    "next-worst": () => nextWorst(1),
    "next-given": () => jump(1, labelled, "no frame is given"),
    "next-flagged": () => nextFlagged(1),
    again: makeAgain, "help-button": help, export: exportFlags,
  });
  for (const [id, run] of Object.entries(buttons)) $(id).addEventListener("click", run);
  for (const button of document.querySelectorAll("[data-tool]")) {
    button.addEventListener("click", () => pickTool(/** @type {any} */ (button).dataset.tool));
  }
  const peek = $("hide");
  peek.addEventListener("pointerdown", () => hide(true));
  for (const name of ["pointerup", "pointerleave", "pointercancel"]) peek.addEventListener(name, () => hide(false));
  peek.addEventListener("contextmenu", (/** @type {Event} */ event) => event.preventDefault()); // of a finger that rests there
  peek.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => (event.key === " " || event.key === "Enter") && hide(true));
  peek.addEventListener("keyup", () => hide(false));
  $("size").addEventListener("input", () => { editor.choose(Math.round(10 ** (Number($("size").value) / 50))); refreshButtons(); });
  $("opacity").addEventListener("input", () => { view.opacity = Number($("opacity").value) / 100; view.paintMask(); });
  $("video").addEventListener("change", () => go(Number($("video").value), 0));
  $("scope").addEventListener("change", refresh);
  // The frame may have changed (a click on the time line) before the field is left: the note is about the one that was seen.
  const about = { video: 0, frame: 0 };
  $("note").addEventListener("focus", () => { stop(); Object.assign(about, { video: now.video, frame: now.frame }); });
  $("note").addEventListener("change", () => setFlag(about.video, about.frame, now.videos[about.video].flag(about.frame), $("note").value.trim()));
  $("note").addEventListener("blur", tell);
  $("note").addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => event.key === "Enter" && $("note").blur());
  $("objects").addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
    const by = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key], objects = now.infos.get(now.video)?.objects || [];
    if (!by || !objects.length) return;
    event.preventDefault();
    const at = objects.findIndex((each) => each.id === now.object);
    pickObject(objects[(at + by + objects.length) % objects.length].id);
  });
  $("new-object").addEventListener("submit", (/** @type {Event} */ event) => {
    event.preventDefault();
    attempt(async () => {
      const number = now.video, added = await source.addObject(number, $("new-name").value);
      $("new-name").value = "";
      const info = await source.video(number);
      takeProgress(added); // not before: what is not known yet is asked for at the next poll
      now.infos.set(number, info);
      pickObject(added.id);
      $("canvas").focus({ preventScroll: true });
    });
  });
  // Who clicks a button goes on with the keys: Space plays then, it does not click again.
  addEventListener("click", (event) => {
    const target = /** @type {HTMLElement} */ (event.target);
    if (event.detail > 0 && target.closest("button, input[type=range], select:not(:focus)") && !document.querySelector("dialog[open]")) {
      $("canvas").focus({ preventScroll: true });
    }
  });
  // Who chooses with the keys goes on choosing.
  let byKeys = false;
  for (const name of ["keydown", "pointerdown"]) $("video").addEventListener(name, () => { byKeys = name === "keydown"; });
  $("video").addEventListener("change", () => byKeys || $("canvas").focus({ preventScroll: true }));
  new ResizeObserver(refreshButtons).observe(view.canvas);
  listen(KEYS, () => !now.readOnly, () => say(now.readOnly));
  addEventListener("beforeunload", (event) => {
    keep();
    if (unsaved() && !source.embedded) event.preventDefault();
  });
  if (!source.embedded) addEventListener("hashchange", reopened);
  if (!source.embedded) source.connection.changed = showBanner;
  // A tablet may end a page that is not looked at, without a question.
  document.addEventListener("visibilitychange", () => document.hidden && keep());
  addEventListener("pagehide", keep);
  describe($("keys"), KEYS.map(([title, keys]) => [title, keys.filter((each) => each.shown)]));
  if (source.embedded) {
    $("export-card").hidden = false;
    $("export-note").textContent = `${/** @type {any} */ (source).data.note} vsodtool review OUT --import flags.json takes the flags over.`;
    addEventListener("beforeunload", (event) => document.body.dataset.flags === "changed" && event.preventDefault());
  }
}

async function begin() {
  wire();
  infoOf(0).catch(() => null); // already on its way when it is asked for; what fails is told then
  for (let known = false; !known; ) {
    try {
      await readState();
      known = true;
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      banner(error.status === 401 ? INCOMPLETE : error.status ? error.message : AWAY, true);
      if (error.status) return;
      await new Promise((done) => setTimeout(done, IDLE_POLL));
    }
  }
  if (now.videos.length > 1) $("scope").value = "all";
  const [first] = worstFirst(now.videos, now.videos.map((_, number) => number));
  if (!source.embedded) await takeDrafts();
  const shown = new Promise((done) => { now.whenShown = done; });
  await go(first ? first.video : 0, first ? first.frame : 0, true);
  await shown; // the frame first, then the small pictures
  document.body.dataset.ready = "yes";
  refresh();
  poll();
}

begin();
