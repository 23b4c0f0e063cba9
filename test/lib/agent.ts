// Another environment, a process or a worker thread, that does with an arena what it is told: see agents.ts.
import { parentPort, workerData } from 'node:worker_threads'
import {
  type AcquireOptions,
  type Allocation,
  type Grant,
  type GrantSet,
  type Item,
  open,
  openMemoryStore,
  type WaitOptions,
  type Workflow
} from '../../lib/index.js'
import type { Command, Reply } from './agents.js'

const send = (reply: Reply) => (parentPort === null ? process.send?.(reply) : parentPort.postMessage(reply))
const gov = open(parentPort === null ? JSON.parse(process.argv[2] ?? '{}') : workerData)
const grants = new Map<number, Grant | GrantSet | Allocation>()
const items = new Map<number, Item>()

/** Runs that stay where they are, and what lets them go on. */
const waiting = new Map<number, () => Promise<void>>()
const workflows = new Map<string, Workflow>()

function workflowOf(name: string): Workflow {
  const workflow = workflows.get(name) ?? gov.workflow(name)
  workflows.set(name, workflow)
  return workflow
}

const verbs: Record<Command['verb'], (command: Command) => unknown> = {
  async acquire({ id, name, options }) {
    const grant = await gov.lock(name).acquire(options as AcquireOptions)
    grants.set(id, grant)
    return { token: grant.token, ownerDied: grant.ownerDied }
  },
  tryAcquire({ id, name, options }) {
    const grant = gov.lock(name).tryAcquire(options as AcquireOptions)
    if (grant !== null) grants.set(id, grant)
    return grant === null ? null : { token: grant.token, ownerDied: grant.ownerDied }
  },
  acquireWithin: ({ id, name, options, of }) =>
    verbs.acquire({ verb: 'acquire', id, name, options: { ...(options as AcquireOptions), within: grants.get(of ?? 0) as Grant } }),
  async acquireAll({ id, name, options }) {
    grants.set(
      id,
      await gov.acquireAll(
        name.split(' ').map(part => gov.lock(part)),
        options as AcquireOptions
      )
    )
  },
  tryTake: ({ name, n }) => gov.bucket(name).tryTake(n),
  take: ({ name, n, options }) => gov.bucket(name).take(n, options as WaitOptions),
  async allocate({ id, name, amounts = {}, options }) {
    const allocation = await gov.pool(name).allocate(amounts, options as WaitOptions)
    grants.set(id, allocation)
    return allocation.amounts
  },
  release: ({ of }) => grants.get(of ?? 0)?.release(),
  lost: ({ of }) => {
    const { signal } = grants.get(of ?? 0) as Grant
    return new Promise(resolve => {
      const tell = () => resolve((signal.reason as { code: string }).code)
      if (signal.aborted) tell()
      else signal.addEventListener('abort', tell)
    })
  },
  block({ ms }) {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
  },
  push: ({ name, text }) => gov.queue(name).push(text ?? ''),
  async takeItem({ id, name }) {
    const item = await gov.queue(name).take()
    items.set(id, item)
    return { text: Buffer.from(item.data).toString(), attempt: item.attempt }
  },
  ack: ({ of }) => items.get(of ?? 0)?.ack(),
  async record({ name }) {
    const recorder = gov.record(name === '' ? await openMemoryStore() : { duckdb: name })
    await recorder.begun
    return recorder.pid
  },
  async runs({ name, n = 1, text: tenant }) {
    const workflow = workflowOf(name)
    for (let i = 0; i < n; i++) await workflow.run({ tenant }, run => run.action('step', action => action.lock(`${name} ${i % 4}`)))
  },
  stay: ({ id, name, text: tenant }) =>
    new Promise(resolve => {
      const over = workflowOf(name).run({ tenant }, async run => {
        await run.action('step', () => {})
        await run.action('wait', async action => {
          await action.lock(`${name} held`)
          const goesOn = new Promise<void>(goOn =>
            waiting.set(id, () => {
              goOn()
              return over
            })
          )
          resolve(run.id)
          await goesOn
        })
      })
    }),
  goOn: ({ of }) => waiting.get(of ?? 0)?.(),
  profile: ({ name }) => workflowOf(name).profile().samples,
  observe: () => gov.telemetry.attach(),
  close: () => gov.close(),
  exit: () => process.exit(0)
}

async function run(command: Command): Promise<void> {
  try {
    const done = verbs[command.verb](command)
    send({ id: command.id, event: 'begun' })
    send({ id: command.id, event: 'done', value: await done })
  } catch (error) {
    send({ id: command.id, event: 'failed', code: (error as { code?: string }).code ?? String(error) })
  }
}

if (parentPort === null) process.on('message', command => run(command as Command))
else parentPort.on('message', run)
send({ id: 0, event: 'done', value: gov.client })
