// Figures of the league as they are shown.

/** A share as a percentage with two digits. */
export function share(value) {
  return `${(100 * value).toFixed(2)}\u00a0%`;
}

/** Seconds, minutes or hours. */
export function time(seconds) {
  if (seconds < 0.95) return `${seconds.toFixed(2)} s`;
  if (seconds < 120) return `${seconds.toFixed(seconds < 10 ? 1 : 0)} s`;
  return seconds < 7200 ? `${(seconds / 60).toFixed(0)} min` : `${(seconds / 3600).toFixed(1)} h`;
}

/** Bytes in kB, MB or GB. */
export function bytes(count) {
  if (count < 1e6) return `${(count / 1e3).toFixed(0)} kB`;
  return count < 1e9 ? `${(count / 1e6).toFixed(count < 1e7 ? 1 : 0)} MB` : `${(count / 1e9).toFixed(1)} GB`;
}
