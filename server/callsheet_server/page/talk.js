// The panel next to the map: who is selected, why they are ready or not, and the conversation.

import { TIER_WORDS, bytes, deed, distance, seconds } from "./format.js";

const EXPLAIN_EVERY_MS = 1000;
const MAX_LINES = 60;

export class TalkPanel {
  constructor(elements, client, world, guest, focusMap) {
    this._elements = elements;
    this._client = client;
    this._world = world;
    this._guest = guest;
    this._shown = null;
    this._explainedMs = 0;
    this._lines = new Map(); // reply -> the paragraph it streams into
    elements.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this._submit();
    });
    elements.input.addEventListener("keydown", (event) => {
      if (event.key === "Escape") focusMap();
    });
  }

  /** Show an NPC. */
  show(npc) {
    this._world.selected = npc?.id ?? null;
    this.update(performance.now());
  }

  /** Show an NPC and let the player type; under a finger no keyboard jumps up by itself. */
  open(npc) {
    this.show(npc);
    if (this._guest.id && matchMedia("(pointer: fine)").matches) this._elements.input.focus();
  }

  update(nowMs) {
    const npc = this._world.selectedNpc;
    const { card, nobody, news, name, window, log, form, input, send, reasons, remembers } = this._elements;
    card.hidden = form.hidden = !npc;
    nobody.hidden = Boolean(npc);
    news.hidden = Boolean(npc) && log.children.length > 0;
    window.hidden = !news.hidden;
    if (!npc) return;
    if (this._shown !== npc.id) {
      this._shown = npc.id;
      this._explainedMs = 0;
      reasons.replaceChildren();
      remembers.replaceChildren();
      name.textContent = npc.name;
      input.placeholder = `Say something to ${npc.name}`;
      input.setAttribute("aria-label", input.placeholder);
    }
    input.disabled = send.disabled = !this._guest.id;
    card.dataset.npc = npc.id;
    card.dataset.tier = npc.tier;
    const mind = `Mind ${TIER_WORDS[npc.tier]}`;
    const away = this._guest.id ? `${this._guest.awayFrom(npc).toFixed(0)} m away` : "you are not there";
    fill(card, {
      mind,
      distance: distance(npc.distanceS),
      bytes: bytes(npc.bytes),
      last: npc.lastCallS === null ? "never" : `${seconds(this._world.gameTimeS - npc.lastCallS)} ago`,
      away,
    });
    if (nowMs - this._explainedMs > EXPLAIN_EVERY_MS) {
      this._explainedMs = nowMs;
      this._explain(npc);
    }
  }

  async _explain(npc) {
    try {
      const found = await this._client.request({ type: "explain", npc: npc.id });
      if (this._shown !== npc.id) return;
      const items = found.estimators.map((estimator) => {
        const item = document.createElement("li");
        const label = document.createElement("b");
        label.textContent = `${estimator.name} ${distance(estimator.distance_s ?? Infinity)}`;
        item.append(label, ` ${estimator.why}`);
        item.classList.toggle("winner", estimator.name === found.estimator);
        return item;
      });
      this._elements.reasons.replaceChildren(...items);
      const lines = found.remembers ?? [];
      this._elements.remembers.replaceChildren(
        ...lines.map(({ speaker, text }) => remembered(speaker ?? npc.name, text)),
      );
    } catch {
      this._elements.reasons.replaceChildren(); // it left, or the connection did
      this._elements.remembers.replaceChildren();
    }
  }

  // --- the conversation ----------------------------------------------------------------------

  _submit() {
    const npc = this._world.selectedNpc;
    const text = this._elements.input.value.trim();
    if (!npc || !text || !this._guest.id) return;
    this._elements.input.value = "";
    if (this._guest.reaches(npc)) this._say(npc, text);
    else this._guest.walkUpTo(npc, () => this._say(npc, text));
  }

  async _say(npc, text) {
    this._line("me", "You", text);
    const speaker = { kind: "player", id: this._guest.id };
    try {
      const end = await this._client.request({ type: "say", npc: npc.id, speaker, text });
      const line = this._lines.get(end.reply);
      this._lines.delete(end.reply);
      if (line) this._finish(line, end);
    } catch (error) {
      this._line("problem", npc.name, error.message);
    }
  }

  takeReplyStart(message) {
    if (!message.id) return; // somebody else's
    const name = this._world.npcs.get(message.npc)?.name ?? message.npc;
    this._lines.set(message.reply, this._line("npc", name, ""));
  }

  takeReplyDelta(message) {
    const line = this._lines.get(message.reply);
    if (!line) return;
    line.words.textContent += message.text;
    this._scroll();
  }

  takeAction(message) {
    if (!message.id) return; // somebody else's
    const name = this._world.npcs.get(message.npc)?.name ?? message.npc;
    this._line("acts", name, `wants to ${deed(message)}`);
  }

  _finish(line, end) {
    line.words.textContent = end.text;
    const note = document.createElement("small");
    const from = end.tier ? `first word after ${seconds(end.ttft_s)}, mind was ${TIER_WORDS[end.tier]}` : "";
    note.textContent = end.finish_reason === "error" ? `broke off: ${end.code}` : from;
    line.item.append(note);
    line.item.dataset.done = "true";
    this._scroll();
  }

  _line(kind, who, text) {
    const item = document.createElement("li");
    item.className = kind;
    const speaker = document.createElement("b");
    speaker.textContent = who;
    const words = document.createElement("span");
    words.textContent = text;
    item.append(speaker, " ", words);
    const { log } = this._elements;
    log.append(item);
    if (log.children.length > MAX_LINES) log.firstElementChild.remove();
    this._scroll();
    return { item, words };
  }

  _scroll() {
    this._elements.window.scrollTop = this._elements.window.scrollHeight;
  }
}

function remembered(who, text) {
  const item = document.createElement("li");
  const speaker = document.createElement("b");
  speaker.textContent = who;
  item.append(speaker, ` ${text}`);
  return item;
}

/** Fill the elements marked data-fact inside `root`. */
function fill(root, facts) {
  for (const [name, text] of Object.entries(facts)) {
    const element = root.querySelector(`[data-fact=${name}]`);
    if (element.textContent !== text) element.textContent = text;
  }
}
