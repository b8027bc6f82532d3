// Uploads a file with Tencent's Node upload SDK. See tests/matrix/uploads.py for the plan and the result.
"use strict";
const fs = require("fs");

const plan = JSON.parse(process.argv[2]);
const hosts = require("./upload_hosts.cjs");
hosts.connectTo(plan.port);
if (plan.break_once) hosts.breakOnce();
hosts.countParts(plan.stop_after, () => process.exit(plan.stopped));
const { VodUploadClient, VodUploadRequest } = require("vod-node-sdk");

const request = new VodUploadRequest();
request.MediaFilePath = plan.media;
if (plan.cover) request.CoverFilePath = plan.cover;
if (plan.path) request.MediaStoragePath = plan.path;
new VodUploadClient(plan.secret_id, plan.secret_key).upload("ap-guangzhou", request, (error, data) => {
  const result = error
    ? { error: `${error.code}: ${error.message}` }
    : { file_id: data.FileId, media_url: data.MediaUrl, cover_url: data.CoverUrl, sent: hosts.sent };
  fs.writeSync(1, `\n${JSON.stringify(result)}\n`);
  process.exit(0);
});
