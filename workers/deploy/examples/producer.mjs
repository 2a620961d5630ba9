// Sends a message with celery-node, and waits for its result.
//
//   node producer.mjs merge merge_profiles '{"source_profile_ids": ["guest-1"], "target_profile_id": "p-9"}'
//
// It needs Node.js 18 or later and `npm install celery-node`. A user in REDIS_URL is read where the
// URL ends with ?allowUsernameInURI=true.

import { createClient } from "celery-node";

const [queue, task, kwargs] = process.argv.slice(2);
const redis = process.env.REDIS_URL ?? "redis://localhost:6379/0";

// A client sends to one queue, the third argument.
const client = createClient(redis, redis, queue);
// It would ask for INFO, which a user who may only send is refused.
client.conf.CELERY_BROKER_OPTIONS = client.conf.CELERY_BACKEND_OPTIONS = { enableReadyCheck: false };
// What is sent before that is lost where Redis cannot be reached, without an error.
await client.isReady();
const sent = client.sendTask(task, [], JSON.parse(kwargs));

try {
  // `done`, `noop` and `accepted` return; anything else is thrown, with its reason.
  console.log(JSON.stringify(await sent.get(30_000)));
} catch (error) {
  console.error(`${error.message} ${error.exc_type}: ${error.exc_message}`);
  process.exitCode = 1;
} finally {
  await client.disconnect();
}
