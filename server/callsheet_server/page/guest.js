// The player of this page: joins the world, walks, and tells the server where it is.

const WALK_MPS = 3;
const SEND_EVERY_MS = 60;
const CLOSE_ENOUGH = 0.7; // of the interaction radius

export class Guest {
  constructor(client, world, name) {
    this._client = client;
    this._world = world;
    this._name = name;
    this.id = null; // null = not in the world
    this.place = null; // [x, y] on the map; outlives a session, so that a restart changes nothing
    this.refusal = null; // why the server does not let us join
    this.steering = [0, 0]; // from the keys: right, up
    this.isRunning = false;
    this._goal = null; // {npc, then} or {place}
    this._velocity = [0, 0];
    this._sentMs = 0;
    this._moved = false;
    this._joining = false;
  }

  get isWalking() {
    return this._velocity.some((value) => value !== 0);
  }

  leaveWorld() {
    this.id = null;
    this._joining = false;
    this._goal = null;
  }

  /** Ask for a player, once the world has somebody to talk to. */
  async joinIfNeeded() {
    if (this.id || this._joining || this.refusal || !this._world.complete) return;
    if (this._client.state !== "open" || this._world.npcs.size === 0) return;
    this._joining = true;
    this.place ??= this._entrance();
    const position = this._world.fromMap(this.place);
    try {
      const joined = await this._client.request({ type: "join", name: this._name, position });
      this.id = joined.player;
      this._maxSpeedMps = joined.max_speed_mps;
    } catch (error) {
      const mayPass = ["world_not_ready", "internal", "closed"].includes(error.code);
      if (!mayPass) this.refusal = error.message;
    }
    this._joining = false;
  }

  /** A few steps from whoever is most in the middle, and in nobody's reach. */
  _entrance() {
    const { left, right, bottom, top } = this._world.bounds();
    const [host] = this._world.nearest([(left + right) / 2, (bottom + top) / 2], 1);
    for (let step = 0; ; step++) {
      const angle = ((step % 8) * Math.PI) / 4;
      const awayM = host.radiusM + 2 + Math.floor(step / 8) * 2;
      const place = [host.x - awayM * Math.cos(angle), host.y - awayM * Math.sin(angle)];
      const [near] = this._world.nearest(place, 1);
      if (near.awayM > near.radiusM + 1) return place;
    }
  }

  // --- walking -------------------------------------------------------------------------------

  walkTo(place) {
    this._goal = { place };
  }

  /** Walk up to an NPC, wherever it goes, then call `then`. */
  walkUpTo(npc, then = () => {}) {
    this._goal = { npc, then };
  }

  /** Metres to an NPC. */
  awayFrom(npc) {
    return this.place ? Math.hypot(npc.x - this.place[0], npc.y - this.place[1]) : Infinity;
  }

  reaches(npc) {
    return this.awayFrom(npc) <= Math.max(npc.radiusM, 1);
  }

  step(dtS, nowMs) {
    if (!this.id) return;
    const speed = Math.min(this.isRunning ? this._maxSpeedMps : WALK_MPS, this._maxSpeedMps);
    this._velocity = this._wanted(speed, dtS);
    const [vx, vy] = this._velocity;
    if (vx || vy) {
      this.place = [this.place[0] + vx * dtS, this.place[1] + vy * dtS];
    }
    const moving = vx !== 0 || vy !== 0;
    const due = nowMs - this._sentMs >= SEND_EVERY_MS;
    if ((moving && due) || (this._moved && !moving)) {
      this._sentMs = nowMs;
      this._client.send({
        type: "move_player",
        position: this._world.fromMap(this.place),
        velocity: this._world.fromMap(this._velocity),
      });
      this._moved = moving;
    }
  }

  _wanted(speed, dtS) {
    const [right, up] = this.steering;
    if (right || up) {
      this._goal = null;
      const length = Math.hypot(right, up);
      return [(right / length) * speed, (up / length) * speed];
    }
    if (!this._goal) return [0, 0];
    const { npc, place, then } = this._goal;
    const [x, y] = npc ? [npc.x, npc.y] : place;
    const [dx, dy] = [x - this.place[0], y - this.place[1]];
    const awayM = Math.hypot(dx, dy);
    const stopAtM = npc ? CLOSE_ENOUGH * Math.max(npc.radiusM, 1) : speed * dtS;
    if (awayM <= stopAtM) {
      this._goal = null;
      then?.();
      return [0, 0];
    }
    return [(dx / awayM) * speed, (dy / awayM) * speed];
  }
}
