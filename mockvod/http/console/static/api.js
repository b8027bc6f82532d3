// Calls of the control API, each for the account and application that are chosen.

import { state } from "./store.js";

export const ROOT = "/mockvod/v1";

export class ApiError extends Error {
  constructor(status, error) {
    super(error.message);
    this.status = status;
    this.code = error.code;
    this.field = error.field ?? "";
  }
}

/** The address of a call. `app: false` leaves the application out, `account: false` the account too. */
export function address(path, { query = {}, app = true, account = true } = {}) {
  const url = new URL(ROOT + path, location.origin);
  const scope = {};
  if (account && state.account) scope.secret_id = state.account;
  if (account && app && state.filter.app !== "") scope.sub_app_id = state.filter.app;
  for (const [name, value] of Object.entries({ ...scope, ...query })) {
    if (value != null && value !== "") url.searchParams.set(name, value);
  }
  return url.pathname + url.search;
}

/** The answer of a call. Throws ApiError with status 0 if the server cannot be reached. */
export async function call(method, path, body, options = {}) {
  let response;
  try {
    response = await fetch(address(path, options), {
      method,
      headers: body === undefined ? {} : { "Content-Type": "application/json" },
      body: body === undefined ? undefined : JSON.stringify(body),
      signal: options.signal,
    });
  } catch (problem) {
    if (problem.name === "AbortError") throw problem;
    throw new ApiError(0, { code: "unreachable", message: "The server cannot be reached." });
  }
  const answer = await response.json().catch(() => ({}));
  if (response.ok) return answer;
  throw new ApiError(response.status, answer.error ?? { code: "http", message: `HTTP status ${response.status}` });
}

export const get = (path, options) => call("GET", path, undefined, options);
