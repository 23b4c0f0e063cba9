// A service of two processes under people, who come in bursts, and jobs: first reactive, then with an agent that makes room before the people come.
import cluster, { type Worker } from 'node:cluster'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { open, unlink } from '../../lib/index.js'
import { ask, schedule } from './load.js'
import { PROCESSES } from './messages.js'
import { report } from './report.js'

const SECONDS = Number(process.argv[2] ?? 80)

async function startServer(): Promise<{ worker: Worker; port: number }> {
  const worker = cluster.fork()
  const [address] = (await once(worker, 'listening')) as [AddressInfo]
  return { worker, port: address.port }
}

async function run(name: string, predict: boolean): Promise<string> {
  const arena = `service-${name}-${process.pid}`
  const gov = open({ name: arena, predict })
  try {
    cluster.setupPrimary({ exec: fileURLToPath(new URL('./server-entry.mjs', import.meta.url)), execArgv: [], args: [arena] })
    const servers = await Promise.all(Array.from({ length: PROCESSES }, startServer))
    const answers = await ask(`http://127.0.0.1:${servers[0]?.port}/`, schedule(SECONDS * 1000))
    const [plans] = gov.plans.scores()
    const ended = servers.map(({ worker }) => once(worker, 'exit'))
    for (const { worker } of servers) worker.send('stop')
    await Promise.all(ended)
    return `${report(name, answers)}${plans === undefined ? '' : `\n${plans.written} plans, ${plans.hits} requests were granted what was kept for them`}`
  } finally {
    await gov.close()
    unlink(arena, { force: true })
  }
}

console.log(`${PROCESSES} processes, real work, the same requests twice, ${SECONDS} s each`)
console.log(await run('reactive', false))
console.log(await run('predictive', true))
