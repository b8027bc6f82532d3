// Times, durations and ids as people read them. Epochs and durations are in seconds.

const pad = (number) => String(number).padStart(2, "0");
const trim = (number, digits = 1) => String(Number(number.toFixed(digits)));
const date = (epoch) => new Date(Math.round(epoch * 1000));
const day = (epoch) => date(epoch).toUTCString().slice(5, 16);

/** Time of day, UTC, with milliseconds. */
export const time = (epoch) => date(epoch).toISOString().slice(11, 23);
export const dateTime = (epoch) => `${day(epoch)}, ${time(epoch)} UTC`;
/** Time of day, with the date where it is not the day of *now*. */
export const timeNear = (epoch, now) => (day(epoch) === day(now) ? time(epoch) : `${day(epoch)} ${time(epoch).slice(0, 8)}`);

export function duration(seconds) {
  if (seconds < 0.9995) return `${Math.max(seconds ? 1 : 0, Math.round(seconds * 1000))} ms`;
  if (seconds < 60) return `${trim(seconds, seconds < 10 ? 2 : 1)} s`;
  if (seconds < 3600) return `${trim(seconds / 60)} min`;
  return seconds < 86400 ? `${trim(seconds / 3600)} h` : `${trim(seconds / 86400)} d`;
}

/** In one unit and whole numbers, for columns. */
export function age(seconds) {
  const [size, unit] = seconds < 60 ? [1, "s"] : seconds < 3600 ? [60, "min"] : seconds < 86400 ? [3600, "h"] : [86400, "d"];
  return `${Math.max(0, Math.floor(seconds / size))} ${unit}`;
}

/** What is left until something is due. */
export const left = (seconds) => (seconds <= 0 ? "now" : seconds < 60 ? `${seconds.toFixed(1)} s` : duration(seconds));

/** After the first entry: `+2.365 s`, `+4:48.295`, `+1:04:48`. */
export function offset(seconds, digits = 3) {
  if (seconds < 60) return `+${seconds.toFixed(digits)} s`;
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  const rest = digits && !hours ? (seconds % 1).toFixed(digits).slice(1) : "";
  return `+${hours ? `${hours}:${pad(minutes)}` : minutes}:${pad(Math.floor(seconds) % 60)}${rest}`;
}

export const count = (number, one, many = `${one}s`) => `${number.toLocaleString("en")} ${number === 1 ? one : many}`;
export const size = (bytes) => (bytes < 1000 ? `${bytes} B` : bytes < 1e6 ? `${trim(bytes / 1000)} kB` : `${trim(bytes / 1e6)} MB`);

/** The part of a TaskId or FileId that tells it from others. */
export const shortTask = (id) => (id ? id.split("-").pop().slice(0, 8) : "–");
export const shortFile = (id) => (!id ? "–" : id.length > 10 ? `${id.slice(0, 4)}…${id.slice(-4)}` : id);
export const appName = (subAppId) => (subAppId ? String(subAppId) : "default");

export const appWords = (subAppId) => (Number(subAppId) ? `application ${subAppId}` : "the default application");

/** A number where the text is one, else the text. */
export const numeric = (text) => (text === "" || Number.isNaN(Number(text)) ? text : Number(text));

/** JSON with lists of plain numbers on one line. */
export const pretty = (value) =>
  JSON.stringify(value, null, 2).replace(/\[\s+([-\d.,\s]+?)\s+\]/g, (_, inner) => `[${inner.replace(/\s+/g, " ")}]`);
