// Starts the command `mockvod` for the tests, and calls its control API.
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

export async function startMockvod(...flags) {
  const server = spawn("mockvod", ["serve", "--port", "0", ...flags], { stdio: ["ignore", "ignore", "pipe"] });
  const lines = createInterface({ input: server.stderr });
  const url = await new Promise((resolve, reject) => {
    const seen = [];
    lines.on("line", (line) => {
      seen.push(line);
      const found = /serves (http:\/\/\S+)/.exec(line);
      if (found) resolve(found[1]);
    });
    server.on("error", reject); // such as: the command is not installed
    server.on("exit", () => reject(new Error(seen.join("\n"))));
  });
  return new Mockvod(server, url);
}

class Mockvod {
  constructor(server, url) {
    this.server = server;
    this.url = url;
    this.endpoint = new URL(url).host;
  }

  async call(method, path, body) {
    const response = await fetch(`${this.url}/mockvod/v1${path}`, { method, body: body && JSON.stringify(body) });
    const result = await response.json();
    if (!response.ok) throw new Error(result.error.message);
    return result;
  }

  reset = () => this.call("POST", "/reset");
  config = (changes) => this.call("PATCH", "/config", changes);
  clock = (change) => this.call("POST", "/clock", change);
  events = async (state) => (await this.call("GET", state ? `/events?state=${state}` : "/events")).events;
  emit = async (event = {}) => (await this.call("POST", "/events", event)).events;
  fault = (fault, parameters = {}) => this.call("POST", "/faults", { fault, ...parameters });

  stop() {
    const ended = new Promise((resolve) => this.server.once("exit", resolve));
    this.server.kill();
    return ended;
  }
}
