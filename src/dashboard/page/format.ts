/** Numbers and times as a person reads them, in the viewer's time zone. */

const FAR_MS = 20 * 3_600_000;

export const count = (n: number): string => Math.round(n).toLocaleString('en-US');
export const counted = (n: number, one: string): string => `${count(n)} ${one}${n === 1 ? '' : 's'}`;

/** `14:32`, or `Tue 14:32` when that is not today */
export function clock(ms: number): string {
  if (!Number.isFinite(ms)) return '–';
  const time = new Date(ms).toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit' });
  if (Math.abs(ms - Date.now()) < FAR_MS) return time;
  return `${day(ms)} ${time}`;
}
const day = (ms: number): string =>
  new Date(ms).toLocaleDateString('en-GB', { weekday: 'short', day: 'numeric', month: 'short' });

/** `14:02:11`, or `Tue, 3 Nov 14:02:11` when that is not today */
export function clockWithSeconds(ms: number): string {
  const time = new Date(ms).toLocaleTimeString('en-GB');
  return Math.abs(ms - Date.now()) < FAR_MS ? time : `${day(ms)} ${time}`;
}

/** `45 s`, `3 min`, `2 h 5 min`, `4 d 1 h` */
export function duration(seconds: number): string {
  const s = Math.max(0, Math.round(seconds));
  if (s < 60) return `${s} s`;
  const [min, h, d] = [Math.floor(s / 60), Math.floor(s / 3_600), Math.floor(s / 86_400)];
  if (h === 0) return `${min} min`;
  if (d === 0) return min % 60 ? `${h} h ${min % 60} min` : `${h} h`;
  return h % 24 ? `${d} d ${h % 24} h` : `${d} d`;
}

export const bytes = (n: number): string => `${Math.round(n / 1_048_576)} MB`;

/** `207 × 37, 400 c-1`: the answers to the calls of a batch, those alike together. */
export function answersText(answers: readonly string[]): string {
  const times = new Map<string, number>();
  for (const answer of answers) if (answer) times.set(answer, (times.get(answer) ?? 0) + 1);
  return [...times].map(([answer, n]) => (n === 1 ? answer : `${answer} × ${n}`)).join(', ');
}
