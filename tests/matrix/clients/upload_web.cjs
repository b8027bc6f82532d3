// Uploads a file with Tencent's upload SDK for browsers, in jsdom. See tests/matrix/uploads.py for the plan and the result.
"use strict";
const fs = require("fs");
const path = require("path");

const plan = JSON.parse(process.argv[2]);
const hosts = require("./upload_hosts.cjs");
hosts.connectTo(plan.port);
if (plan.break_once) hosts.breakOnce();
const { JSDOM } = require("jsdom");

const { window } = new JSDOM("<!doctype html>", { url: "http://localhost/", runScripts: "outside-only", pretendToBeVisual: true });
if (fs.existsSync(plan.memory)) {
  for (const [name, value] of Object.entries(JSON.parse(fs.readFileSync(plan.memory, "utf8")))) window.localStorage.setItem(name, value);
}
hosts.countParts(plan.stop_after, () => {
  fs.writeFileSync(plan.memory, JSON.stringify({ ...window.localStorage })); // what a browser keeps when a page is closed
  process.exit(plan.stopped);
});
window.eval(fs.readFileSync(require.resolve("vod-js-sdk-v6/dist/vod-js-sdk-v6.js"), "utf8"));
const TcVod = window.TcVod.default || window.TcVod;

function file(name, type) {
  return new window.File([new window.Uint8Array(fs.readFileSync(name))], path.basename(name), { type, lastModified: 1 });
}

(async () => {
  const client = new TcVod({ getSignature: async () => plan.signature, allowReport: false });
  const files = { mediaFile: file(plan.media, "video/mp4") };
  if (plan.cover) files.coverFile = file(plan.cover, "image/jpeg");
  let result;
  try {
    const done = await client.upload(files).done();
    result = { file_id: done.fileId, media_url: done.video.url, cover_url: done.cover ? done.cover.url : "", sent: hosts.sent };
  } catch (error) {
    result = { error: String((error && error.message) || error) };
  }
  fs.writeSync(1, `\n${JSON.stringify(result)}\n`);
  process.exit(0);
})();
