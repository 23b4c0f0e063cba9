// One process (or thread) of a trial: does the job it is told and prints what it found as one line of JSON.
import { isMainThread } from 'node:worker_threads'
import type { Connect } from './drivers/driver.js'
import { adding } from './types/added.js'
import { agent } from './types/agent.js'
import { fairness } from './types/fairness.js'
import { handoff, handoffWaiter } from './types/handoff.js'
import { ingest, quantiles } from './types/history.js'
import type { Job, Kind } from './types/kind.js'
import { element } from './types/memory.js'
import { operations } from './types/operations.js'
import { over } from './types/over.js'
import { passing, passingReceiver } from './types/passing.js'
import { processes, processesMember } from './types/processes.js'
import { expiry, holder, recovery } from './types/recovery.js'
import { replaying } from './types/replaying.js'
import { scarcity, scarcityMember } from './types/scarcity.js'
import { opening, requiring } from './types/startup.js'

const KINDS: Record<string, Kind> = {
  operations,
  handoff,
  handoffWaiter,
  processes,
  processesMember,
  recovery,
  expiry,
  holder,
  element,
  opening,
  requiring,
  passing,
  passingReceiver,
  scarcity,
  scarcityMember,
  adding,
  fairness,
  ingest,
  quantiles,
  over,
  agent,
  replaying
}

const job = JSON.parse(process.argv[2] ?? '') as Job
const kind = KINDS[job.kind]
if (kind === undefined) throw new Error(`no kind of trial is called ${job.kind}`)

const findings = await kind({
  job,
  async connect(setting = job.setting) {
    const driver = (await import(new URL(`./drivers/${job.driver}.js`, import.meta.url).href)) as Record<string, Connect>
    return driver[job.connect]!(setting)
  }
})
if (isMainThread && process.send === undefined) console.log(JSON.stringify(findings))
