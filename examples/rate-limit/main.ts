// An HTTP server in a cluster of four processes that share one limit of 500 requests a second, under a load of several times that.
import cluster, { type Worker } from 'node:cluster'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { open, unlink } from '../../lib/index.js'
import { countBetweenRefusals } from './count.js'
import { load } from './load.js'
import { type Log, POLICY } from './messages.js'
import { report, type Seen } from './report.js'

const PROCESSES = 4
const SECONDS = Number(process.argv[2] ?? 5)

const arena = `rate-limit-${process.pid}`
const gov = open({ name: arena })

async function startServer(): Promise<{ worker: Worker; port: number }> {
  const worker = cluster.fork()
  const [address] = (await once(worker, 'listening')) as [AddressInfo]
  return { worker, port: address.port }
}

/** Ends a server that has no more to do; what it has answered. */
async function stopServer(worker: Worker): Promise<Log> {
  const ended = once(worker, 'exit')
  worker.send('stop')
  const [log] = (await once(worker, 'message')) as [Log]
  await ended
  return log
}

/** What an answer says about the limit. */
async function lookAt(url: string): Promise<Seen> {
  const { status, headers } = await fetch(url)
  const names = ['ratelimit-policy', 'ratelimit', 'retry-after']
  return { status, headers: Object.fromEntries(names.map(name => [name, headers.get(name)])) }
}

/** Looks a few times a second, so as not to be a load of its own, until a request is refused or the load has ended. */
async function lookAtRefusal(url: string, isOver: () => boolean): Promise<Seen> {
  let seen = await lookAt(url)
  while (seen.status === 200 && !isOver()) {
    await sleep(50)
    seen = await lookAt(url)
  }
  return seen
}

console.log(`arena ${arena}: ${PROCESSES} processes, one limit of ${POLICY.rate} requests a second, under load for ${SECONDS} s`)
cluster.setupPrimary({
  exec: fileURLToPath(new URL('./server-entry.mjs', import.meta.url)),
  execArgv: [],
  args: [arena],
  serialization: 'advanced'
})
try {
  const servers = await Promise.all(Array.from({ length: PROCESSES }, startServer))
  const url = `http://127.0.0.1:${servers[0]?.port}/`
  const first = await lookAt(url)
  let over = false
  const loading = load(url, SECONDS).finally(() => {
    over = true
  })
  const [refused, loaded] = await Promise.all([lookAtRefusal(url, () => over), loading])
  const logs = await Promise.all(servers.map(({ worker }) => stopServer(worker)))
  console.log(report({ seen: [first, refused], loaded, logs, count: countBetweenRefusals(logs) }))
} finally {
  await gov.close()
  unlink(arena, { force: true })
}
