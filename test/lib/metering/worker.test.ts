import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Meter, open, type RunRecord, type Usage, WorkerMeter } from '../../../lib/index.js'
import { COUNTERS } from '../../../lib/metering/counters.js'
import { isCoded, rejection, thrown } from '../support.js'

const ENTRY = new URL('../../survive/thread.entry.mjs', import.meta.url)
const SCRIPT = new URL('./thread.child.ts', import.meta.url).href

const start = () => new Worker(ENTRY, { workerData: { script: SCRIPT }, execArgv: [] })

/** Keeps it busy for so many ms of CPU time; all that it has used so far by its own reading. */
async function burn(worker: Worker, ms: number): Promise<Usage> {
  worker.postMessage(ms)
  const [reading] = (await once(worker, 'message')) as [number[]]
  return Object.fromEntries(COUNTERS.map(([field, at]) => [field, reading[at]])) as unknown as Usage
}

async function end(worker: Worker): Promise<void> {
  worker.postMessage(-1)
  await once(worker, 'exit')
}

test('what a worker used is what it says itself, so far while it runs, and all of it when it has ended', async () => {
  const worker = start()
  const metered = new WorkerMeter(worker)
  await once(worker, 'message')
  const own = await burn(worker, 60)
  const sofar = metered.usage()
  assert.ok((sofar.cpu as number) >= (own.cpu as number), `${sofar.cpu} of ${own.cpu}`)
  assert.ok((sofar.cpu as number) < (own.cpu as number) + 50)
  assert.is(sofar.pageFaults, undefined)
  assert.match(metered.methods.wall as string, 'CLOCK_MONOTONIC')
  await end(worker)
  const all = await metered.ended
  assert.ok((all.cpu as number) >= (sofar.cpu as number) && (all.cpu as number) < (sofar.cpu as number) + 200, `${all.cpu}`)
  assert.ok((all.pageFaults as number) >= (own.pageFaults as number))
  assert.ok((all.contextSwitches as number) >= (own.contextSwitches as number))
  assert.match(metered.methods.cpu as string, 'CLOCK_THREAD_CPUTIME_ID')
  assert.is(metered.usage().cpu, all.cpu)
  assert.is(worker.listenerCount('exit'), 0)
})

test('of a worker that has used forelock before, what it uses from now on counts', async () => {
  const worker = start()
  await once(worker, 'message')
  await burn(worker, 80)
  const metered = new WorkerMeter(worker, { level: 'time' })
  await burn(worker, 20)
  const { cpu, ...rest } = metered.usage()
  assert.ok((cpu as number) >= 20 && (cpu as number) < 70, `${cpu}`)
  assert.equal(Object.keys(rest), ['wall'])
  metered.close()
  assert.ok(((await metered.ended).cpu as number) >= 20)
  await end(worker)
})

test('a worker that is terminated has its last account all the same', async () => {
  const worker = start()
  const metered = new WorkerMeter(worker)
  await once(worker, 'message')
  const own = await burn(worker, 40)
  await worker.terminate()
  assert.ok(((await metered.ended).cpu as number) >= (own.cpu as number))
})

test('of a worker that never uses forelock only the time is known', async () => {
  const worker = new Worker('for (let i = 0; i < 1e6; i++);', { eval: true })
  const { ended } = new WorkerMeter(worker)
  const { wall, ...rest } = await ended
  assert.ok(wall > 0)
  assert.equal(rest, {})
})

test('what is no worker is refused, and one that has ended is not found', async () => {
  for (const worker of [undefined, null, {}, { threadId: 1 }, 5]) {
    isCoded(
      thrown(() => new WorkerMeter(worker as never)),
      'ERR_FORELOCK_ARGUMENT'
    )
  }
  const worker = new Worker('', { eval: true })
  isCoded(
    thrown(() => new WorkerMeter(worker, { other: 1 } as never)),
    'ERR_FORELOCK_ARGUMENT'
  )
  await once(worker, 'exit')
  isCoded(
    thrown(() => new WorkerMeter(worker)),
    'ERR_FORELOCK_NOT_FOUND'
  )
  for (const thread of [0, -1, 1.5, '1']) {
    isCoded(
      thrown(() => new Meter({ thread } as never)),
      'ERR_FORELOCK_ARGUMENT'
    )
  }
})

test('what a worker used is booked to the action that it was told of, to its run, and not twice', async () => {
  const gov = open({ fresh: true })
  for (const scope of ['thread', 'process'] as const) {
    const workflow = gov.workflow(scope, { metering: { scope } })
    const told = new Promise<RunRecord>(resolve => workflow.once('run', resolve))
    let used: number | undefined
    await workflow.run(run =>
      run.action('burn', async action => {
        const worker = start()
        const ended = action.worker(worker)
        await once(worker, 'message')
        await burn(worker, 100)
        await end(worker)
        used = (await ended).cpu
        isCoded(await rejection(action.worker(worker)), 'ERR_FORELOCK_NOT_FOUND')
      })
    )
    const { usage, actions } = await told
    assert.ok((used as number) >= 100)
    assert.ok((actions[0]?.usage.cpu as number) >= (used as number))
    assert.ok((usage.cpu as number) >= (used as number))
    if (scope === 'thread') assert.ok((usage.cpu as number) < 2 * (used as number), `${usage.cpu} with ${used}`)
  }
  await gov.close()
})

test.run()
