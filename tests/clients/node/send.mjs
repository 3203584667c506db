// Sends events with the official SDK; prints one line of JSON for each: its message id, and its error if it failed.
// node send.mjs HOST WRITE_KEY EVENTS
import { Analytics } from '@segment/analytics-node'

const [host, writeKey, count] = process.argv.slice(2)
const analytics = new Analytics({ host, writeKey, maxEventsInBatch: 5, flushInterval: 50, maxRetries: 60 })

const report = (error, context) =>
  console.log(JSON.stringify({ messageId: context.event.messageId, error: error ? String(error) : null }))

const calls = [
  (n) => analytics.track({ userId: 'ann', event: 'Order Completed', properties: { revenue: n + 0.5, note: 'ñandú 🦤' } }, report),
  (n) => analytics.identify({ userId: 'ann', traits: { email: 'ann@example.org', visits: n } }, report),
  (n) => analytics.page({ anonymousId: 'browser-1', name: 'Home', properties: { n } }, report),
  (n) => analytics.screen({ anonymousId: 'phone-1', name: 'Home', properties: { n } }, report),
  () => analytics.group({ userId: 'ann', groupId: 'acme', traits: { name: 'Acme' } }, report),
  () => analytics.alias({ userId: 'ann', previousId: 'browser-1' }, report),
]
for (let n = 0; n < Number(count); n++) calls[n % calls.length](n)
await analytics.closeAndFlush()
