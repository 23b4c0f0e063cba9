// The workflows of the runner: what each kind of job does, where it does it, and how that is metered.
import { spawn } from 'node:child_process'
import { scrypt } from 'node:crypto'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { Worker } from 'node:worker_threads'
import type { Action, Governor, Pool, Run, Workflow } from '../../lib/index.js'
import type { Order } from './work.js'

const ENTRY = new URL('./worker-entry.mjs', import.meta.url)

/** Where the CPU time of a kind of job is spent, and so by which of the kernel's accounts it is judged. */
export type Place = 'worker thread' | 'child process' | 'pool of threads'

export interface Kind {
  readonly workflow: Workflow
  readonly place: Place
  /** jobs that run at a time */
  readonly atOnce: number
  /** One job, the i-th; ms of CPU time that a worker thread said it had used. */
  job(i: number): Promise<number>
}

/**
 * @param scale of how much is done: 1 is some 200 ms of CPU time a job, besides the start of its thread or process
 * @param atOnce jobs of a kind that go on at a time
 */
export function kindsOf(gov: Governor, host: Pool, folder: string, scale: number, atOnce: number): Kind[] {
  const needs = { pool: [host, { cpu: 1_000 }] as const }
  // One at a time, the main thread works for nobody else; if several take turns in it, each is to have its own part of it.
  const metering = { scope: atOnce === 1 ? 'thread' : 'async', every: 250 } as const
  const keep = ['bytes', 'pixels', 'times']
  const times = Math.max(1, Math.round(4 * scale))
  const side = Math.round(900 * Math.sqrt(scale))
  const bytes = Math.round(6e6 * scale)
  const fileOf = (run: Run) => `${folder}/${run.id}`

  const gzip = gov.workflow('gzip', { type: 'compression', needs, metering, keep })
  const copy = gov.workflow('copy', { type: 'files', needs, metering, keep })
  const keys = gov.workflow('scrypt', { type: 'crypto', needs, metering, keep })
  const convolve = gov.workflow('convolve', { type: 'image', needs, metering, keep })
  // What Node gives to its pool is done by threads that are nobody's: the account of the process has it, so one at a time.
  const pooled = gov.workflow('scrypt in the pool', { type: 'crypto', needs, metering: { scope: 'process', level: 'all' }, keep })

  const written = (run: Run, action: Action): string => {
    const file = fileOf(run)
    const text = logOf(bytes)
    writeFileSync(file, text)
    action.transferred(text.length)
    return file
  }

  return [
    {
      workflow: gzip,
      place: 'child process',
      atOnce,
      job: () =>
        gzip.run({ input: { bytes } }, async run => {
          const file = await run.action('write', action => written(run, action))
          await run.action('compress', action => inChild(action, { kind: 'gzip', file }))
          return 0
        })
    },
    {
      workflow: copy,
      place: 'child process',
      atOnce,
      job: () =>
        copy.run({ input: { bytes, times } }, async run => {
          const file = await run.action('write', action => written(run, action))
          await run.action('copy', action => inChild(action, { kind: 'copy', file, times }))
          return 0
        })
    },
    {
      workflow: keys,
      place: 'worker thread',
      atOnce,
      job: i =>
        keys.run({ input: { times } }, run => run.action('derive', a => inWorker(a, { kind: 'scrypt', password: `password ${i}`, times })))
    },
    {
      workflow: convolve,
      place: 'worker thread',
      atOnce,
      job: () =>
        convolve.run({ input: { pixels: side * side } }, run =>
          run.action('blur', action => inWorker(action, { kind: 'convolve', width: side, height: side, passes: 4 }))
        )
    },
    {
      workflow: pooled,
      place: 'pool of threads',
      atOnce: 1,
      job: () =>
        pooled.run({ input: { times } }, run =>
          run.action('derive', async () => {
            await Promise.all(Array.from({ length: times }, (_, i) => derive('password', `salt ${i}`, 64)))
            return 0
          })
        )
    }
  ]
}

const derive = promisify<string, string, number, Buffer>(scrypt)

/** Does it in a child process, whose use is booked to the action. */
async function inChild(action: Action, order: Order): Promise<void> {
  const child = spawn(process.execPath, [fileURLToPath(ENTRY), JSON.stringify(order)], { stdio: ['ignore', 'inherit', 'inherit'] })
  const used = action.child(child)
  const [code] = await once(child, 'exit')
  if (code !== 0) throw new Error(`${order.kind} ended with ${code}`)
  await used
}

/** Does it in a worker thread, whose use is booked to the action; ms of CPU time by its own word. */
async function inWorker(action: Action, order: Order): Promise<number> {
  const worker = new Worker(ENTRY, { workerData: order, execArgv: [] })
  const used = action.worker(worker)
  const [cpu] = (await once(worker, 'message')) as [number]
  await used
  return cpu
}

const WORDS = ['GET', 'POST', '/orders/', '/invoices/', '200', '404', 'ms', 'tenant=', 'acme', 'globex']

/** The log of a web server that never was: it packs as such logs do. */
function logOf(bytes: number): string {
  const lines: string[] = []
  let seed = 1
  for (let length = 0; length < bytes; ) {
    seed = (seed * 48271) % 2147483647
    const line = `${seed} ${WORDS[seed % 2]} ${WORDS[2 + (seed % 2)]}${seed % 9973} ${WORDS[4 + (seed % 2)]} ${seed % 997} ms tenant=${WORDS[8 + (seed % 2)]}`
    lines.push(line)
    length += line.length + 1
  }
  return `${lines.join('\n')}\n`
}
