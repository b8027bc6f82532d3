import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";

import { startMockvod } from "./mockvod.js";
import { connect, work } from "./worker.js";

let mockvod, client, store;

before(async () => {
  mockvod = await startMockvod("--profile", "current", "--poll-hold", "100ms");
  client = connect({ endpoint: mockvod.endpoint, secretId: "any", secretKey: "any" });
});
after(() => mockvod.stop());
beforeEach(async () => {
  await mockvod.reset();
  store = new Map();
});

test("an event is stored and confirmed", async () => {
  const [event] = await mockvod.emit({ time_offsets: [10000, 20000], failed: [20000] });
  assert.equal(await work(client, store), 1);
  assert.equal(store.get(event.task_id).length, 1);
  assert.equal((await mockvod.events("confirmed")).length, 1);
});

test("without an event the worker has nothing to do", async () => {
  assert.equal(await work(client, store), 0);
});

test("an event that was not confirmed comes again when its lease ends", async () => {
  await mockvod.clock({ freeze: true });
  await mockvod.emit();
  await client.PullEvents({}); // another worker pulls it, and dies
  await mockvod.clock({ advance: 30 });
  assert.equal(await work(client, store), 1);
});

test("a duplicate is stored once", async () => {
  await mockvod.fault("duplicate");
  await mockvod.emit();
  while (await work(client, store));
  assert.equal(store.size, 1);
});
