// Four processes and eight worker threads share one lock. One process is killed while it holds it; the others go on.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { open, unlink } from '../../lib/index.js'
import { LOCK, type Told, type Work } from './messages.js'
import { type Entry, report } from './report.js'

const PROCESSES = 4
const WORKERS = 8
const ROUNDS = 5
/** which process is killed, and in which of its rounds */
const VICTIM = 3
const LAST_ROUND = 2

const SCRIPT = new URL('./member-entry.mjs', import.meta.url)
const arena = `shared-lock-${process.pid}`
const gov = open({ name: arena })
const log: Entry[] = []

interface Member {
  /** it has its place in the queue */
  readonly waits: Promise<unknown>
  /** it has ended, as it should or by the kill */
  readonly ended: Promise<unknown>
}

function startProcess(number: number, tier: string): Member {
  const isVictim = number === VICTIM
  const work: Work = { arena, tier, rounds: ROUNDS, ...(isVictim && { diesInRound: LAST_ROUND }) }
  const child = fork(SCRIPT, [JSON.stringify(work)], { execArgv: [], serialization: 'advanced' })
  const who = `process ${number} (pid ${child.pid})`
  const waits = follow(child, who, tier, grants => {
    if (!isVictim || grants < LAST_ROUND) return
    log.push({ kind: 'killed', who, at: gov.now() })
    child.kill('SIGKILL')
  })
  const ended = once(child, 'exit').then(([code, signal]) => {
    if (code !== 0 && !(isVictim && signal === 'SIGKILL')) throw new Error(`${who} ended with ${signal ?? code}`)
  })
  return { waits, ended }
}

function startWorker(number: number, tier: string): Member {
  const work: Work = { arena, tier, rounds: ROUNDS }
  const worker = new Worker(SCRIPT, { workerData: work, execArgv: [] })
  const who = `worker ${number}`
  const waits = follow(worker, who, tier, () => {})
  const ended = once(worker, 'exit').then(([code]) => {
    if (code !== 0) throw new Error(`${who} ended with ${code}`)
  })
  return { waits, ended }
}

/** Logs what a member tells of itself; resolves when it waits for the first time. */
function follow(member: NodeJS.EventEmitter, who: string, tier: string, onGrant: (grants: number) => void): Promise<void> {
  let grants = 0
  return new Promise(resolve => {
    member.on('message', (told: Told) => {
      if (told.kind === 'waiting') resolve()
      if (told.kind !== 'granted') return
      log.push({ ...told, who, tier })
      onGrant(++grants)
    })
  })
}

function startAll(): Member[] {
  const processes = Array.from({ length: PROCESSES }, (_, i) => startProcess(i + 1, 'standard'))
  const workers = Array.from({ length: WORKERS }, (_, i) => startWorker(i + 1, i === 0 ? 'interactive' : 'standard'))
  return [...processes, ...workers]
}

console.log(`arena ${gov.name}: ${PROCESSES} processes and ${WORKERS} worker threads, one lock, ${ROUNDS} grants each`)
try {
  const grant = await gov.lock(LOCK).acquire()
  const members = startAll()
  const allEnded = Promise.all(members.map(member => member.ended))
  // Whichever comes first: one that fails to start is not waited for.
  await Promise.race([Promise.all(members.map(member => member.waits)), allEnded])
  console.log('all of them wait for the lock; now it is given back\n')
  grant.release()
  await allEnded
  console.log(report(log))
} finally {
  await gov.close()
  unlink(arena, { force: true })
}
