// Connects every request for ports 80 and 443 to the server's port, as DNS entries for Tencent's host names would, and
// counts the parts that were uploaded.
"use strict";
const diagnostics = require("diagnostics_channel");
const net = require("net");

exports.sent = 0;

exports.connectTo = (port) => {
  const connect = net.Socket.prototype.connect;
  net.Socket.prototype.connect = function (...given) {
    const options = Array.isArray(given[0]) ? given[0][0] : given[0];
    if (options && [80, 443].includes(Number(options.port))) Object.assign(options, { port, host: "127.0.0.1", lookup: undefined });
    return connect.apply(this, given);
  };
};

// Breaks the connection of the first part.
exports.breakOnce = () => {
  let broken = false;
  diagnostics.subscribe("http.client.request.start", ({ request }) => {
    if (broken || request.method !== "PUT" || !request.path.includes("partNumber=")) return;
    broken = true;
    setImmediate(() => request.destroy(new Error("broken by the test")));
  });
};

// Calls `stop` once `most` parts were uploaded; never if `most` is 0.
exports.countParts = (most, stop) => {
  diagnostics.subscribe("http.client.response.finish", ({ request, response }) => {
    if (request.method !== "PUT" || !request.path.includes("partNumber=") || response.statusCode !== 200) return;
    exports.sent += 1;
    if (exports.sent === most) stop();
  });
};
