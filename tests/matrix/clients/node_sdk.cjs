// Makes the calls of a plan with Tencent's Node SDK, any version. See tests/matrix/plan.py for the plan and the result.
"use strict";
const sdk = require("tencentcloud-sdk-nodejs");

async function outcome(client, seen, action, params) {
  if (typeof client[action] !== "function") return null;
  const filled = JSON.stringify(params).replace(/\$(\w+)/g, (_, name) => seen[name] || "");
  try {
    const response = JSON.stringify(await client[action](JSON.parse(filled)));
    for (const [, name, value] of response.matchAll(/"(EventHandle|TaskId)":"([^"]+)"/g)) seen[name] = value;
    return "ok";
  } catch (error) {
    return `${error.code}: ${error.message}`;
  }
}

async function main(plan) {
  const results = [];
  for (const [signMethod, reqMethod] of plan.ways) {
    const client = new sdk.vod.v20180717.Client({
      credential: { secretId: plan.secret_id, secretKey: plan.secret_key },
      profile: { signMethod, httpProfile: { reqMethod, endpoint: plan.endpoint || undefined, protocol: `${plan.scheme}://` } },
    });
    const seen = {};
    for (const [action, params] of plan.calls) {
      results.push([signMethod, reqMethod, action, await outcome(client, seen, action, params)]);
    }
  }
  console.log(JSON.stringify(results));
}

main(JSON.parse(process.argv[2]));
