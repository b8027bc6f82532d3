// Makes the calls of a plan with the Node SDK of API 2.0.
"use strict";
const Capi = require("qcloudapi-sdk");
const names = { HmacSHA1: "sha1", HmacSHA256: "sha256" };

function outcome(api, options, seen, action, params) {
  const filled = JSON.parse(JSON.stringify(params).replace(/\$(\w+)/g, (_, name) => seen[name] || ""));
  return new Promise((resolve) => {
    api.request({ Region: "gz", Action: action, ...filled }, options, (error, body) => {
      if (error) return resolve(String(error));
      for (const [, name, value] of JSON.stringify(body).matchAll(/"(msgHandle)":"([^"]+)"/g)) seen[name] = value;
      return resolve(body.code === 0 ? "ok" : `${body.code}: ${body.message}`);
    });
  });
}

async function main(plan) {
  const results = [];
  for (const [signature, method] of plan.ways) {
    const options = {
      SecretId: plan.secret_id, SecretKey: plan.secret_key, serviceType: "vod", host: plan.endpoint || undefined,
      protocol: plan.scheme, method, signatureMethod: names[signature],
    };
    const seen = {};
    for (const [action, params] of plan.calls) {
      results.push([signature, method, action, await outcome(new Capi(options), options, seen, action, params)]);
    }
  }
  console.log(JSON.stringify(results));
}

main(JSON.parse(process.argv[2]));
