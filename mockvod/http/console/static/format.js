// Times, durations and ids as people read them. Epochs and durations are in seconds.

const pad = (number, digits = 2) => String(number).padStart(digits, "0");
const trim = (number, digits) => String(Number(number.toFixed(digits)));
const MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");

/** Time of day, UTC, with milliseconds. */
export const time = (epoch) => new Date(Math.round(epoch * 1000)).toISOString().slice(11, 23);
/** Date and time, UTC. */
export function dateTime(epoch) {
  const date = new Date(Math.round(epoch * 1000));
  return `${date.getUTCDate()} ${MONTHS[date.getUTCMonth()]} ${date.getUTCFullYear()}, ${time(epoch)} UTC`;
}
/** Time of day, with the date where it is not the day of *now*. */
export function timeNear(epoch, now) {
  const date = new Date(Math.round(epoch * 1000));
  const near = Math.floor(epoch / 86400) === Math.floor(now / 86400);
  return near ? time(epoch) : `${date.getUTCDate()} ${MONTHS[date.getUTCMonth()]} ${time(epoch).slice(0, 8)}`;
}

export function duration(seconds) {
  if (seconds < 0) return `−${duration(-seconds)}`;
  if (seconds < 0.9995) return `${Math.max(seconds ? 1 : 0, Math.round(seconds * 1000))} ms`;
  if (seconds < 10) return `${trim(seconds, 2)} s`;
  if (seconds < 60) return `${trim(seconds, 1)} s`;
  if (seconds < 3600) return `${trim(seconds / 60, 1)} min`;
  return seconds < 86400 ? `${trim(seconds / 3600, 1)} h` : `${trim(seconds / 86400, 1)} d`;
}

/** In one unit and whole numbers, for columns. */
export function age(seconds) {
  if (seconds < 60) return `${Math.max(0, Math.floor(seconds))} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  return seconds < 86400 ? `${Math.floor(seconds / 3600)} h` : `${Math.floor(seconds / 86400)} d`;
}

/** What is left until something is due. */
export const left = (seconds) => (seconds <= 0 ? "now" : seconds < 60 ? `${seconds.toFixed(1)} s` : duration(seconds));

/** After the first entry: `+2.365 s`, `+4:48.295`. */
export function offset(seconds, digits = 3) {
  if (seconds < 60) return `+${seconds.toFixed(digits)} s`;
  const whole = Math.floor(seconds);
  const rest = digits ? (seconds % 1).toFixed(digits).slice(1) : "";
  const hours = Math.floor(whole / 3600);
  const clock = `${hours ? pad(Math.floor(whole / 60) % 60) : Math.floor(whole / 60)}:${pad(whole % 60)}`;
  return hours ? `+${hours}:${clock}` : `+${clock}${rest}`;
}

export const count = (number, one, many = `${one}s`) => `${number.toLocaleString("en")} ${number === 1 ? one : many}`;

export function size(bytes) {
  if (bytes < 1000) return `${bytes} B`;
  return bytes < 1e6 ? `${trim(bytes / 1000, 1)} kB` : `${trim(bytes / 1e6, 1)} MB`;
}

/** The part of a TaskId or FileId that tells it from others. */
export const shortTask = (id) => (id ? id.split("-").pop().slice(0, 8) : "–");
export const shortFile = (id) => (!id ? "–" : id.length > 10 ? `${id.slice(0, 4)}…${id.slice(-4)}` : id);
export const appName = (subAppId) => (subAppId == null || subAppId === 0 ? "default" : String(subAppId));

/** JSON with lists of plain numbers on one line. */
export const pretty = (value) =>
  JSON.stringify(value, null, 2).replace(/\[\s+([-\d.,\s]+?)\s+\]/g, (_, inner) => `[${inner.replace(/\s+/g, " ")}]`);
