// Places words on the map so that no two cover each other, nor what must stay in sight.
//
// Boxes are [left, top, right, bottom] in pixels.

const GAP_PX = 3;
const NEAR_PX = 12; // from a figure to its bubble
const TRIED = [ // [right, up] from where a bubble would best be, in its own widths and heights
  [0, 0], [0.3, 0], [-0.3, 0], [0.55, 0], [-0.55, 0],
  [0, 0.6], [0.4, 0.6], [-0.4, 0.6], [0.7, -0.7], [-0.7, -0.7],
  [0, -2.2], [0.4, -2.2], [-0.4, -2.2], [0, 1.3], [0.5, 1.3], [-0.5, 1.3],
];

/**
 * @param {{width: number, height: number}} size of the map
 * @param {number[][]} kept boxes that stay free: the legend, the player
 */
export class Arrangement {
  constructor({ width, height }, kept) {
    this._width = width;
    this._height = height;
    this.taken = [...kept];
  }

  /** Take a box if it is free; tells whether it was. */
  take(box) {
    if (!this._isFree(box)) return false;
    this.taken.push(box);
    return true;
  }

  /**
   * Find room for a bubble above [x, y], or around it.
   *
   * @param {number} first the place to try first: where the bubble was in the frame before
   * @returns {{box: number[], at: number} | null} null = there is no room
   */
  takeNear([x, y], width, height, first = 0) {
    for (const at of new Set([first, ...TRIED.keys()])) {
      const [right, up] = TRIED[at];
      const left = x - width / 2 + right * width;
      const top = y - NEAR_PX - height - up * height;
      const box = [left, top, left + width, top + height];
      if (this._isInside(box) && this.take(box)) return { box, at };
    }
    return null;
  }

  _isInside([left, top, right, bottom]) {
    return left >= 4 && top >= 4 && right <= this._width - 4 && bottom <= this._height - 4;
  }

  _isFree(box) {
    return !this.taken.some((other) => overlap(box, other, GAP_PX));
  }
}

export function overlap(a, b, gap = 0) {
  return a[0] < b[2] + gap && b[0] < a[2] + gap && a[1] < b[3] + gap && b[1] < a[3] + gap;
}
