// Keys, pointer and fingers: they steer the player, choose people, and turn the camera.

const STEERING = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, 1],
  ArrowDown: [0, -1],
};

export class Controls {
  /**
   * @param {HTMLCanvasElement} canvas
   * @param {{guest, camera, map}} scene
   * @param {{talk, next, goTo, release}} deeds what keys and taps do; goTo takes an NPC
   */
  constructor(canvas, { guest, camera, map }, deeds) {
    this._canvas = canvas;
    this._guest = guest;
    this._camera = camera;
    this._held = new Set();
    this._fingers = new Map(); // pointer -> event
    this._commands = {
      enter: deeds.talk,
      escape: deeds.release,
      n: () => deeds.next(1),
      p: () => deeds.next(-1),
      g: () => deeds.goTo(null),
      "+": () => camera.zoomBy(1.25),
      "=": () => camera.zoomBy(1.25),
      "-": () => camera.zoomBy(0.8),
      0: () => camera.fit(),
    };
    canvas.addEventListener("keydown", (event) => this._keyDown(event));
    canvas.addEventListener("keyup", (event) => this._keyUp(event));
    canvas.addEventListener("blur", () => this._release());
    canvas.addEventListener("pointermove", (event) => {
      const npc = event.pointerType === "mouse" ? map.npcAt(event.offsetX, event.offsetY) : null;
      map.hovered = npc?.id ?? null;
      canvas.style.cursor = npc ? "pointer" : "crosshair";
      this._pinch(event);
    });
    canvas.addEventListener("pointerdown", (event) => this._fingers.set(event.pointerId, event));
    for (const end of ["pointerup", "pointercancel", "pointerleave"]) {
      canvas.addEventListener(end, (event) => this._fingers.delete(event.pointerId));
    }
    canvas.addEventListener("click", (event) => {
      const npc = map.npcAt(event.offsetX, event.offsetY);
      if (npc) deeds.goTo(npc);
      else if (guest.id) guest.walkTo(camera.toPlace(event.offsetX, event.offsetY));
    });
    const turn = (event) => {
      event.preventDefault();
      camera.zoomBy(event.deltaY < 0 ? 1.15 : 1 / 1.15);
    };
    canvas.addEventListener("wheel", turn, { passive: false });
  }

  _keyDown(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    this._guest.isRunning = event.shiftKey;
    const command = this._commands[event.key.toLowerCase()];
    if (event.key in STEERING) this._held.add(event.key);
    else if (command) command();
    else return;
    event.preventDefault();
    this._steer();
  }

  _keyUp(event) {
    this._guest.isRunning = event.shiftKey;
    this._held.delete(event.key);
    this._steer();
  }

  _release() {
    this._held.clear();
    this._steer();
  }

  _steer() {
    this._guest.steering = [0, 1].map((axis) =>
      [...this._held].reduce((sum, key) => sum + STEERING[key][axis], 0),
    );
    if (this._held.size) this._camera.follow();
  }

  /** Two fingers that part or meet zoom. */
  _pinch(event) {
    const before = this._apart();
    if (this._fingers.has(event.pointerId)) this._fingers.set(event.pointerId, event);
    const ratio = this._apart() / before;
    if (this._fingers.size === 2 && ratio > 0) this._camera.zoomBy(ratio);
  }

  _apart() {
    const [a, b] = [...this._fingers.values()];
    return b ? Math.hypot(a.offsetX - b.offsetX, a.offsetY - b.offsetY) : NaN;
  }
}
