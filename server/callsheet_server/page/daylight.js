// The time of day, from the game's clock.

const DAY_S = 480; // of game time, as in the demo's town; the address may say otherwise
const DAWN_HOUR = 6; // at game time 0
const SUNRISE = [5, 7.5]; // hours, from dark to bright
const SUNSET = [18.5, 21]; // from bright to dark

export class Daylight {
  constructor(dayS) {
    this._dayS = dayS > 0 ? dayS : DAY_S;
  }

  /** Hours since midnight, in [0, 24). */
  hour(gameTimeS) {
    const hours = DAWN_HOUR + (24 * gameTimeS) / this._dayS;
    return ((hours % 24) + 24) % 24;
  }

  /** 0 at noon to 1 at midnight. */
  darkness(gameTimeS) {
    const hour = this.hour(gameTimeS);
    return hour < 12 ? 1 - smooth(hour, SUNRISE) : smooth(hour, SUNSET);
  }

  /** As on a clock: 07:30, to ten minutes. */
  clock(gameTimeS) {
    const minutes = Math.floor((this.hour(gameTimeS) * 60) / 10) * 10;
    const pad = (value) => String(value).padStart(2, "0");
    return `${pad(Math.floor(minutes / 60))}:${pad(minutes % 60)}`;
  }
}

function smooth(value, [from, to]) {
  const t = Math.min(Math.max((value - from) / (to - from), 0), 1);
  return t * t * (3 - 2 * t);
}
