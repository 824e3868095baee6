// Where the map looks: at everybody, or after the player. Metres become pixels here.

const FOLLOW_WIDTH_M = 44;
const MAX_SCALE = 60; // pixels a metre
const MARGIN_M = 8; // around everybody

export class Camera {
  constructor(world, guest) {
    this._world = world;
    this._guest = guest;
    this._zoom = 1; // of the following camera
    this._centre = [0, 0];
    this.fitted = true; // all in sight, or following the player
    this.scale = 0; // pixels a metre; 0 = there is nothing to look at yet
    this.width = 0;
    this.height = 0;
  }

  /** How large people are drawn: larger from near by. */
  get size() {
    return Math.min(Math.max(this.scale / 12, 0.8), 1.5);
  }

  resize(width, height) {
    this.width = width;
    this.height = height;
  }

  follow() {
    this.fitted = false;
  }

  /** Look at all of the world. */
  fit() {
    this.fitted = true;
    this._zoom = 1;
  }

  zoomBy(factor) {
    if (this.fitted) this._zoom = Math.max(this.scale / this._followScale(), 0.05);
    this.fitted = false;
    this._zoom = Math.min(Math.max(this._zoom * factor, 0.05), MAX_SCALE / this._followScale());
  }

  /** Canvas pixels (of CSS) -> place on the map. */
  toPlace(x, y) {
    const [cx, cy] = this._centre;
    return [cx + (x - this.width / 2) / this.scale, cy - (y - this.height / 2) / this.scale];
  }

  toPixels(x, y) {
    const [cx, cy] = this._centre;
    return [this.width / 2 + (x - cx) * this.scale, this.height / 2 - (y - cy) * this.scale];
  }

  /** Turn towards what there is to see, `dtS` seconds further. */
  aim(dtS) {
    let scale = this._followScale() * this._zoom;
    let centre = this._guest.place;
    const box = this._world.bounds();
    if ((this.fitted || !this._guest.id) && box) {
      centre = [(box.left + box.right) / 2, (box.bottom + box.top) / 2];
      const wide = this.width / (box.right - box.left + 2 * MARGIN_M);
      const high = this.height / (box.top - box.bottom + 2 * MARGIN_M);
      scale = Math.min(wide, high, this._followScale());
    }
    if (!centre) return;
    const ease = this.scale ? 1 - Math.exp(-dtS * 6) : 1;
    this.scale += (scale - this.scale) * ease;
    this._centre = this._centre.map((value, axis) => value + (centre[axis] - value) * ease);
  }

  _followScale() {
    return Math.max(this.width / FOLLOW_WIDTH_M, 14);
  }
}
