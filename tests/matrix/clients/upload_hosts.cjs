// Connects every request for ports 80 and 443 to the server's port, as DNS entries for Tencent's host names would.
"use strict";
const net = require("net");

module.exports = (port) => {
  const connect = net.Socket.prototype.connect;
  net.Socket.prototype.connect = function (...given) {
    const options = Array.isArray(given[0]) ? given[0][0] : given[0];
    if (options && [80, 443].includes(Number(options.port))) Object.assign(options, { port, host: "127.0.0.1", lookup: undefined });
    return connect.apply(this, given);
  };
};
