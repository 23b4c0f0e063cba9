import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { ChildMeter, Meter } from '../../../lib/index.js'
import { isCoded, thrown } from '../support.js'
import { ManualClock, usageOf } from './support.js'

/** Burns so many ms of CPU time, says so, and ends when its input does. */
function busy(ms: number): ChildProcess {
  const script = `while (process.cpuUsage().user + process.cpuUsage().system < ${ms * 1e3}) {}; process.stdout.write('done'); process.stdin.resume()`
  return spawn(process.execPath, ['-e', script])
}

const nobodyWakes = new Int32Array(new SharedArrayBuffer(4))
const isZombie = ({ pid }: ChildProcess) => /\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))

async function end(child: ChildProcess): Promise<void> {
  child.stdin?.end()
  await once(child, 'exit')
}

test('what a child used in all is what the kernel says of it', async () => {
  using children = new Meter('children')
  const clock = new ManualClock()
  let used: ChildMeter | undefined
  const kernel = await usageOf(children, async () => {
    const child = busy(300)
    used = new ChildMeter(child, { after: clock.after })
    await once(child.stdout as never, 'data')
    clock.advance(50) // the reading that remains should the account be missed
    await end(child)
  })
  const usage = await used!.ended
  const whole = kernel.cpu as number
  assert.ok((usage.cpu as number) >= 300 && (usage.cpu as number) <= whole + 0.01, `${usage.cpu} of ${whole}`)
  assert.ok(usage.wall > 0 && (usage.memoryPeak ?? usage.memory)! > 1e6)
  const byAccount = used!.methods.cpu?.startsWith('waitid')
  if (byAccount) {
    assert.ok(Math.abs((usage.cpu as number) - whole) < 0.01)
    assert.is(usage.pageFaults, kernel.pageFaults)
    assert.is(usage.contextSwitches, kernel.contextSwitches)
  } else {
    assert.match(used!.methods.cpu as string, 'clock_getcpuclockid')
  }
  assert.is(clock.pending, 0)
})

test('children that end while the event loop waits, or is busy, are known by their last account', async () => {
  for (let i = 0; i < 10; i++) {
    const child = spawn('/bin/sh', ['-c', 'exit 3'])
    const used = new ChildMeter(child)
    // Nothing reaps it before this turn is over.
    while (i % 2 === 0 && !isZombie(child)) Atomics.wait(nobodyWakes, 0, 0, 1)
    const { cpu, contextSwitches } = await used.ended
    assert.match(used.methods.cpu as string, 'waitid')
    assert.ok((cpu as number) > 0 && (contextSwitches as number) > 0)
    assert.is(child.exitCode, 3)
  }
})

test('all that end in one turn of the event loop are known by their last account', async () => {
  const children = Array.from({ length: 5 }, () => spawn('/bin/sh', ['-c', 'exit 3']))
  const used = children.map(child => new ChildMeter(child))
  while (!children.every(isZombie)) Atomics.wait(nobodyWakes, 0, 0, 1)
  await Promise.all(used.map(({ ended }) => ended))
  for (const { methods } of used) assert.match(methods.cpu as string, 'waitid')
})

test('what it used so far can be asked for, and closing is its end', async () => {
  const child = busy(100)
  const used = new ChildMeter(child, { level: 'time' })
  await once(child.stdout as never, 'data')
  const sofar = used.usage()
  assert.ok((sofar.cpu as number) >= 100)
  assert.equal(Object.keys(sofar).sort(), ['cpu', 'wall'])
  used.close()
  const { cpu } = await used.ended
  assert.ok((cpu as number) >= (sofar.cpu as number))
  assert.is(used.usage().cpu, cpu)
  assert.is(child.listenerCount('exit'), 0)
  await end(child)
})

test('what is no child, or never started, is refused, and one that has ended is not found', async () => {
  for (const child of [undefined, null, {}, { pid: 1 }, { pid: '1', once() {} }, 5]) {
    isCoded(
      thrown(() => new ChildMeter(child as never)),
      'ERR_FORELOCK_ARGUMENT'
    )
  }
  const none = spawn('/no/such/program')
  none.on('error', () => {})
  isCoded(
    thrown(() => new ChildMeter(none)),
    'ERR_FORELOCK_ARGUMENT'
  )
  const child = busy(0)
  for (const options of [null, 1, { every: 0 }, { after: 1 }, { level: 'x' }, { other: 1 }]) {
    isCoded(
      thrown(() => new ChildMeter(child, options as never)),
      'ERR_FORELOCK_ARGUMENT'
    )
  }
  await end(child)
  isCoded(
    thrown(() => new ChildMeter(child)),
    'ERR_FORELOCK_NOT_FOUND'
  )
})

test.run()
