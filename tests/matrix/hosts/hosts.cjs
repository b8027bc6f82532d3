// Loaded by Node at its start: every host name leads to mockvod, as DNS entries for Tencent's names would.
"use strict";
require("../clients/upload_hosts.cjs").connectTo(Number(process.env.MATRIX_PORT));
