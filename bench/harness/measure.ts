import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { type Contestant, FLOORS, OWN, RIVALS, type RivalName } from '../rivals.js'
import type { Trial, Work } from '../trials.js'
import type { Findings, Job } from '../types/kind.js'
import { beforeExit } from './cleanup.js'
import { BUILT, FLOORS_ADDON, OWN_MODULE, ROOT } from './paths.js'
import { type Runtime, runtimeOf } from './prepare.js'

/** A process that takes longer than this hangs. */
const LIMIT_MS = 120_000

const PROCESSES = { full: 5, quick: 3 }

export interface Options {
  quick: boolean
  /** without the package itself */
  rivalsOnly: boolean
  redis: { port: number; version: string } | { missing: string }
}

export interface Entry {
  role: 'own' | 'rival' | 'floor'
  name: string
  contestant: Contestant
  work: Work
  runtime: Runtime | undefined
  /** why it was not measured */
  missing: string | undefined
  /** by process */
  findings: Findings[]
  /** of a process that failed: the others are not started then */
  error: string | undefined
}

export async function entriesOf(trial: Trial, options: Options): Promise<Entry[]> {
  const own = options.rivalsOnly ? [] : [entry('own', 'forelock', OWN[trial.own.contestant ?? 'locks'], trial.own, options)]
  const rivals = Object.entries(trial.rivals ?? {}).map(([name, work]) => entry('rival', name, RIVALS[name as RivalName], work, options))
  const floors = Object.entries(trial.floors ?? {}).map(([name, work]) => entry('floor', name, FLOORS[work.contestant], work, options))
  return Promise.all([...own, ...rivals, ...floors])
}

async function entry(role: Entry['role'], name: string, contestant: Contestant, work: Work, { redis }: Options): Promise<Entry> {
  const made: Entry = { role, name, contestant, work, runtime: undefined, missing: undefined, findings: [], error: undefined }
  if (contestant.needsRedis && 'missing' in redis) return { ...made, missing: redis.missing }
  try {
    const runtime = await runtimeOf(contestant)
    if (contestant.needsRedis && 'version' in redis) runtime.version = `${redis.version} (${contestant.package} ${runtime.version})`
    return { ...made, runtime }
  } catch (error) {
    return { ...made, missing: (error as Error).message }
  }
}

/** Runs all processes of a trial, taking turns, so that a change of the machine's mood meets all alike. Fills in the findings. */
export async function measure(entries: Entry[], options: Options): Promise<void> {
  const wanted = ({ work }: Entry) => {
    const usual = options.quick ? PROCESSES.quick : PROCESSES.full
    return work.processes === undefined ? usual : options.quick ? Math.min(work.processes, usual) : work.processes
  }
  const rounds = Math.max(...entries.map(wanted))
  for (let round = 0; round < rounds; round++) {
    // Each round begins with another one: what follows a long process meets a warmer machine.
    for (let i = 0; i < entries.length; i++) {
      const entry = entries[(i + round) % entries.length] as Entry
      if (entry.runtime === undefined || entry.error !== undefined || round >= wanted(entry)) continue
      try {
        entry.findings.push(await runProcess(entry, entry.runtime, options))
      } catch (error) {
        entry.error = (error as Error).message
      }
    }
  }
}

async function runProcess({ contestant, work }: Entry, { exec }: Runtime, { quick, redis }: Options): Promise<Findings> {
  const folder = mkdtempSync('/dev/shm/forelock-bench-')
  const remove = beforeExit(() => rmSync(folder, { recursive: true }))
  const job: Job = {
    kind: work.kind,
    driver: contestant.driver,
    connect: contestant.connect ?? 'connect',
    params: work.params,
    quick,
    setting: {
      package: ROOT,
      module: OWN_MODULE,
      floors: FLOORS_ADDON,
      folder: join(folder, 'work'),
      lock: 0,
      redisPort: 'port' in redis ? redis.port : undefined
    }
  }
  mkdirSync(job.setting.folder)
  try {
    return await spawnChild(exec, job)
  } finally {
    remove()
  }
}

function spawnChild(exec: string, job: Job): Promise<Findings> {
  return new Promise((resolve, reject) => {
    // A group of its own: its helpers end with it when it hangs.
    const child = spawn(exec, [join(BUILT, 'child.js'), JSON.stringify(job)], { stdio: ['ignore', 'pipe', 'pipe'], detached: true })
    let ended = false
    const end = beforeExit(() => {
      if (!ended) process.kill(-(child.pid as number), 'SIGKILL')
    })
    const output = { out: '', err: '' }
    child.stdout.setEncoding('utf8').on('data', chunk => {
      output.out += chunk
    })
    child.stderr.setEncoding('utf8').on('data', chunk => {
      output.err += chunk
    })
    const watchdog = setTimeout(end, LIMIT_MS)
    child.on('error', reject)
    child.on('close', (code, signal) => {
      clearTimeout(watchdog)
      ended = true
      end()
      if (code === 0 && output.out !== '') resolve(JSON.parse(output.out) as Findings)
      else reject(new Error(`ended with ${signal ?? code}${signal === 'SIGKILL' ? ' (took too long?)' : ''}\n${output.err}`))
    })
  })
}
