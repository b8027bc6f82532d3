// The application: collects the pictures of snapshot tasks.
import vodPackage from "tencentcloud-sdk-nodejs-vod";

export function connect({ endpoint, secretId, secretKey }) {
  return new vodPackage.vod.v20180717.Client({
    credential: { secretId, secretKey },
    region: "ap-guangzhou",
    profile: { httpProfile: { protocol: "http://", endpoint, reqTimeout: 10 } }, // an empty poll blocks for 5 s
  });
}

/** Pulls once, stores the pictures by TaskId in the Map *store*, and confirms. Returns the number of events. */
export async function work(client, store) {
  let events;
  try {
    events = (await client.PullEvents({})).EventSet;
  } catch (error) {
    if (error.code === "ResourceNotFound") return 0; // no event
    throw error;
  }
  for (const event of events) {
    const task = event.SnapshotByTimeOffsetCompleteEvent;
    if (!task) continue; // an event of another kind is confirmed, too
    const pictures = task.SnapshotInfoSet.filter((one) => one.ErrCode === 0).map((one) => one.Url);
    store.set(task.TaskId, pictures); // a duplicate changes nothing
  }
  await client.ConfirmEvents({ EventHandles: events.map((event) => event.EventHandle) });
  return events.length;
}
