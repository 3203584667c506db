// Sends every call of the Node SDK for some users, and prints the message ids as JSON.
import { randomUUID } from "node:crypto";
import { Analytics } from "@segment/analytics-node";

const [url, writeKey, users] = process.argv.slice(2);
const analytics = new Analytics({
  writeKey, host: url, maxEventsInBatch: 4, flushInterval: 100, maxRetries: 10, httpRequestTimeout: 5000,
});
const sent = [];
const failed = [];
analytics.on("error", (error) => failed.push(error));

const id = () => {
  sent.push(randomUUID());
  return sent.at(-1);
};

for (let n = 0; n < Number(users); n++) {
  const userId = `user-${n}`;
  analytics.identify({ messageId: id(), userId, traits: { email: `${userId}@mail.example`, plan: "gold" } });
  analytics.track({ messageId: id(), userId, event: "Order Completed", properties: { total: 42.5, currency: "EUR" } });
  analytics.page({ messageId: id(), userId, name: "Home", properties: { path: "/" } });
  analytics.screen({ messageId: id(), userId, name: "Start" });
  analytics.group({ messageId: id(), userId, groupId: "company-1", traits: { name: "Company" } });
  analytics.alias({ messageId: id(), userId, previousId: `old-${n}` });
}
await analytics.closeAndFlush({ timeout: 60_000 });
if (failed.length) {
  console.error(failed);
  process.exit(1);
}
console.log(JSON.stringify(sent));
