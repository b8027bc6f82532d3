// Uploads files with Tencent's upload SDK for browsers, in jsdom. See tests/matrix/uploads.py for the plan and the result.
"use strict";
const fs = require("fs");

const plan = JSON.parse(process.argv[2]);
require("./upload_hosts.cjs")(plan.port);
const { JSDOM } = require("jsdom");

const { window } = new JSDOM("<!doctype html>", { url: "http://localhost/", runScripts: "outside-only", pretendToBeVisual: true });
window.eval(fs.readFileSync(require.resolve("vod-js-sdk-v6/dist/vod-js-sdk-v6.js"), "utf8"));
const TcVod = window.TcVod.default || window.TcVod;

async function upload(client, size) {
  const mediaFile = new window.File([new window.Uint8Array(size).fill(1)], "clip.mp4", { type: "video/mp4" });
  const coverFile = new window.File([new window.Uint8Array(plan.cover).fill(2)], "cover.jpg", { type: "image/jpeg" });
  try {
    const done = await client.upload({ mediaFile, coverFile }).done();
    return { file_id: done.fileId, media_url: done.video.url, cover_url: done.cover.url };
  } catch (error) {
    return { error: String((error && error.message) || error) };
  }
}

(async () => {
  const client = new TcVod({ getSignature: async () => plan.signature, allowReport: false });
  const results = [];
  for (const size of plan.sizes) results.push(await upload(client, size));
  fs.writeSync(1, `\n${JSON.stringify(results)}\n`);
  process.exit(0);
})();
