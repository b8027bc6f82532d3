// Calls of the control API for the account that is chosen; with `app` also for the application.

import { state } from "./store.js";

export class ApiError extends Error {
  constructor(status, { message, field }) {
    super(message);
    this.status = status;
    this.field = field ?? "";
  }
}

export function address(path, { query = {}, app = false, account = state.account } = {}) {
  const all = { secret_id: account, sub_app_id: app ? state.filter.app : "", ...query };
  const given = Object.entries(all).filter(([, value]) => value != null && value !== "");
  return `/mockvod/v1${path}${given.length ? `?${new URLSearchParams(given)}` : ""}`;
}

/** The response of a call. Throws ApiError, with status 0 if the server cannot be reached. */
export async function call(method, path, body, options = {}) {
  const json = body === undefined ? {} : { body: JSON.stringify(body), headers: { "Content-Type": "application/json" } };
  let response;
  try {
    response = await fetch(address(path, options), { method, signal: options.signal, ...json });
  } catch (problem) {
    if (problem.name === "AbortError") throw problem;
    throw new ApiError(0, { message: "The server cannot be reached." });
  }
  const answer = await response.json().catch(() => ({}));
  if (response.ok) return answer;
  throw new ApiError(response.status, answer.error ?? { message: `HTTP status ${response.status}` });
}

export const get = (path, options) => call("GET", path, undefined, options);
/** For the application that is chosen, too. */
export const APP = { app: true };
