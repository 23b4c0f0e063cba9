// A service of two processes under people, who come in bursts, and jobs: first reactive, then with an agent that makes room before the people come.
import cluster, { type Worker } from 'node:cluster'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { open, type PlanScore, unlink } from '../../lib/index.js'
import { ask, schedule } from './load.js'
import { type Answer, type Kind, PROCESSES } from './messages.js'
import { report } from './report.js'

const SECONDS = Number(process.argv[2] ?? 60)
/** Machines have moods: both have to live with each of them. */
const ROUNDS = 2

async function startServer(): Promise<{ worker: Worker; port: number }> {
  const worker = cluster.fork()
  const [address] = (await once(worker, 'listening')) as [AddressInfo]
  return { worker, port: address.port }
}

async function run(round: number, predict: boolean, seen: Record<Kind, Answer[]>): Promise<PlanScore | undefined> {
  const arena = `service-${round}-${predict ? 'predictive' : 'reactive'}-${process.pid}`
  const gov = open({ name: arena, predict })
  try {
    cluster.setupPrimary({ exec: fileURLToPath(new URL('./server-entry.mjs', import.meta.url)), execArgv: [], args: [arena] })
    const servers = await Promise.all(Array.from({ length: PROCESSES }, startServer))
    const answers = await ask(`http://127.0.0.1:${servers[0]?.port}/`, schedule(SECONDS * 1000))
    const [plans] = gov.plans.scores()
    const ended = servers.map(({ worker }) => once(worker, 'exit'))
    for (const { worker } of servers) worker.send('stop')
    await Promise.all(ended)
    for (const kind of Object.keys(seen) as Kind[]) seen[kind].push(...answers[kind])
    return plans
  } finally {
    await gov.close()
    unlink(arena, { force: true })
  }
}

console.log(`${PROCESSES} processes, real work, the same requests in turn without and with an agent, ${ROUNDS} times ${SECONDS} s each`)
const reactive: Record<Kind, Answer[]> = { people: [], jobs: [] }
const predictive: Record<Kind, Answer[]> = { people: [], jobs: [] }
let [written, hits] = [0, 0]
for (let round = 1; round <= ROUNDS; round++) {
  await run(round, false, reactive)
  const plans = await run(round, true, predictive)
  written += plans?.written ?? 0
  hits += plans?.hits ?? 0
}
console.log(report('reactive', reactive))
console.log(report('predictive', predictive))
console.log(`${written} plans; ${hits} requests were granted what was kept for them`)
