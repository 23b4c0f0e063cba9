import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Meter, open, type RunRecord, WorkerMeter } from '../../../lib/index.js'
import { isCoded, rejection, thrown } from '../support.js'
import { burnWorker as burn, cpuOfThread, endWorker as end, startWorker as start, usageOf } from './support.js'

test('what a worker used is what it says itself, so far while it runs, and all of it when it has ended', async () => {
  const worker = start()
  const metered = new WorkerMeter(worker)
  await once(worker, 'message')
  const own = await burn(worker, 60)
  const sofar = metered.usage()
  let later = own
  using whole = new Meter('process', { level: 'time' })
  const last = await usageOf(whole, async () => {
    later = await burn(worker, 0)
    await end(worker)
  })
  assert.ok(
    (sofar.cpu as number) >= (own.cpu as number) && (sofar.cpu as number) <= (later.cpu as number),
    `${own.cpu} ${sofar.cpu} ${later.cpu}`
  )
  assert.is(sofar.pageFaults, undefined)
  const all = await metered.ended
  const most = (later.cpu as number) + (last.cpu as number)
  assert.ok((all.cpu as number) >= (later.cpu as number) && (all.cpu as number) <= most, `${later.cpu} ${all.cpu} ${most}`)
  assert.ok((all.pageFaults as number) >= (own.pageFaults as number))
  assert.ok((all.contextSwitches as number) >= (own.contextSwitches as number))
  assert.match(metered.methods.wall as string, 'CLOCK_MONOTONIC')
  assert.match(metered.methods.cpu as string, 'CLOCK_THREAD_CPUTIME_ID')
  assert.is(metered.usage().cpu, all.cpu)
  assert.is(worker.listenerCount('exit'), 0)
})

test('of a worker that has used forelock before, what it uses from now on counts', async () => {
  const worker = start()
  await once(worker, 'message')
  const before = await burn(worker, 80)
  const metered = new WorkerMeter(worker, { level: 'time' })
  await burn(worker, 20)
  const { cpu, ...rest } = metered.usage()
  const later = await burn(worker, 0)
  const most = (later.cpu as number) - (before.cpu as number)
  assert.ok((cpu as number) >= 20 && (cpu as number) <= most, `${cpu}, not 20 to ${most}`)
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
    const since = cpuOfThread()
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
    const most = (used as number) + cpuOfThread() - since
    if (scope === 'thread') assert.ok((usage.cpu as number) <= most, `${usage.cpu}, not ${used} to ${most}`)
  }
  await gov.close()
})

test.run()
