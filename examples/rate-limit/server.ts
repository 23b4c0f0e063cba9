// One process of the cluster: an HTTP server that asks the shared bucket about each request.
import { createServer } from 'node:http'
import { open, rateLimitHeaders } from '../../lib/index.js'
import { type Log, POLICY } from './messages.js'

const gov = open({ name: process.argv[2] })
const { name, ...pace } = POLICY
const bucket = gov.bucket(name, pace)
const log: Log = { admitted: [], refused: [] }

const server = createServer((_, response) => {
  const before = gov.now()
  const taken = bucket.tryTake()
  const after = gov.now()
  ;(taken.ok ? log.admitted : log.refused).push(before, after)
  // Of a granted request only a look at the bucket says when it will be full.
  const headers = rateLimitHeaders(taken.ok ? { ...bucket.peek(), ok: true } : taken, POLICY)
  response.writeHead(taken.ok ? 200 : 429, { ...headers, 'content-type': 'text/plain' })
  response.end(taken.ok ? 'done\n' : 'too many requests\n')
})

// The one message there is: the load has ended.
process.once('message', async () => {
  server.close()
  server.closeAllConnections()
  await gov.close()
  process.send?.(log, () => process.disconnect())
})
// The cluster gives all its processes one port.
server.listen(0, '127.0.0.1')
