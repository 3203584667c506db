// Sends events with RudderStack's SDK; prints one line of JSON for each: its message id, and its error if it failed.
// node send_rudder.mjs HOST WRITE_KEY EVENTS gzip|plain
import RudderAnalytics from '@rudderstack/rudder-sdk-node'

const [dataPlaneUrl, writeKey, count, squeeze] = process.argv.slice(2)
const client = new RudderAnalytics(writeKey, {
  dataPlaneUrl,
  gzip: squeeze === 'gzip',
  flushAt: 5,
  flushInterval: 50,
  logLevel: 'error',
  axiosRetryConfig: { retries: 60, retryDelay: () => 20, retryCondition: () => true },
})

const ids = (n) => ({ messageId: `rudder-${n}`, userId: 'ann' })
const calls = [
  (n) => client.track({ ...ids(n), event: 'Order Completed', properties: { revenue: n + 0.5, note: 'ñandú 🦤' } }, report(n)),
  (n) => client.identify({ ...ids(n), traits: { email: 'ann@example.org', visits: n } }, report(n)),
  (n) => client.page({ messageId: `rudder-${n}`, anonymousId: 'browser-1', name: 'Home', properties: { n } }, report(n)),
  (n) => client.screen({ messageId: `rudder-${n}`, anonymousId: 'phone-1', name: 'Home', properties: { n } }, report(n)),
  (n) => client.group({ ...ids(n), groupId: 'acme', traits: { name: 'Acme' } }, report(n)),
  (n) => client.alias({ ...ids(n), previousId: 'browser-1' }, report(n)),
]
const reported = []
const report = (n) => {
  let settle
  reported.push(new Promise((resolve) => (settle = resolve)))
  return (error) => {
    console.log(JSON.stringify({ messageId: `rudder-${n}`, error: error ? String(error) : null }))
    settle()
  }
}
for (let n = 0; n < Number(count); n++) calls[n % calls.length](n)
client.flush()
await Promise.all(reported)
process.exit(0)
