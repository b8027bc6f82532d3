// Uploads files with Tencent's Node upload SDK. See tests/matrix/uploads.py for the plan and the result.
"use strict";
const fs = require("fs");
const path = require("path");

const plan = JSON.parse(process.argv[2]);
require("./upload_hosts.cjs")(plan.port);
const { VodUploadClient, VodUploadRequest } = require("vod-node-sdk");

function upload(client, size) {
  const request = new VodUploadRequest();
  request.MediaFilePath = path.join(plan.folder, "clip.mp4");
  request.CoverFilePath = path.join(plan.folder, "cover.jpg");
  fs.writeFileSync(request.MediaFilePath, Buffer.alloc(size, 1));
  fs.writeFileSync(request.CoverFilePath, Buffer.alloc(plan.cover, 2));
  return new Promise((resolve) =>
    client.upload("ap-guangzhou", request, (error, data) =>
      resolve(error ? { error: `${error.code}: ${error.message}` } : { file_id: data.FileId, media_url: data.MediaUrl, cover_url: data.CoverUrl }),
    ),
  );
}

(async () => {
  const client = new VodUploadClient(plan.secret_id, plan.secret_key);
  const results = [];
  for (const size of plan.sizes) results.push(await upload(client, size));
  fs.writeSync(1, `\n${JSON.stringify(results)}\n`);
  process.exit(0);
})();
