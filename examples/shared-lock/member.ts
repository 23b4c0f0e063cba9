// One member, a process or a worker thread: takes the lock some times and tells each grant.
import { setTimeout as sleep } from 'node:timers/promises'
import { parentPort, workerData } from 'node:worker_threads'
import { open } from '../../lib/index.js'
import { LOCK, type Told, type Work } from './messages.js'

const work: Work = parentPort === null ? JSON.parse(process.argv[2] ?? '') : workerData
const tell = (told: Told) => (parentPort === null ? process.send?.(told) : parentPort.postMessage(told))

/** What the lock protects takes about so long. */
const WORK_MS = 1

const gov = open({ name: work.arena })
const lock = gov.lock(LOCK)

for (let round = 1; round <= work.rounds; round++) {
  const waiting = lock.acquire({ tier: work.tier })
  if (round === 1) tell({ kind: 'waiting' })
  const grant = await waiting
  tell({ kind: 'granted', at: gov.now(), token: grant.token, ownerDied: grant.ownerDied })
  await sleep(WORK_MS)
  // Killed here, with the lock in hand: nothing that this process could do about it, and nothing it needs to do.
  if (round === work.diesInRound) await sleep(60_000)
  grant.release()
}
await gov.close()
tell({ kind: 'done' })
if (parentPort === null) process.disconnect()
