// The strip of replicas: what each one has to do, how often it had the mind at hand, who is there.

import { count, percent } from "./format.js";

const STATES = {
  serving: "",
  draining: "its people move away",
  drained: "may be stopped",
  lost: "does not answer",
};

/** Draw ``replicas`` as ``stats`` has them into a section, which is hidden if there are none. */
export function drawReplicas(section, replicas) {
  section.hidden = !replicas;
  const list = section.querySelector("ul");
  list.replaceChildren(...(replicas ?? []).map((replica) => item(list.ownerDocument, replica)));
}

function item(document, replica) {
  const element = document.createElement("li");
  element.dataset.state = replica.state;
  const load = `${count(replica.npcs)} NPCs · ${count(replica.running)} + ${count(replica.queued)} requests`;
  const hits = replica.replies ? ` · ${percent(replica.device_hits / replica.replies)} in engine memory` : "";
  add(document, element, "b", replica.name);
  add(document, element, "span", [STATES[replica.state], load + hits].filter(Boolean).join(": "));
  add(document, element, "i", replica.soonest.join(", "));
  return element;
}

function add(document, parent, tag, text) {
  const element = document.createElement(tag);
  element.textContent = text;
  parent.append(element);
}
