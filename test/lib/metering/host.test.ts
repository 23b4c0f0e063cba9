import { readFileSync } from 'node:fs'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { type HostSample, sampleHost } from '../../../lib/index.js'
import { isCoded, macrotask, thrown } from '../support.js'
import { burn, ManualClock, numberIn } from './support.js'

async function sampled(between: () => unknown): Promise<HostSample> {
  const clock = new ManualClock()
  const samples: HostSample[] = []
  const sampler = sampleHost({ every: 100, after: clock.after, onSample: sample => samples.push(sample) })
  await between()
  clock.advance(100)
  await macrotask()
  sampler.close()
  assert.is(samples.length, 1)
  assert.is(clock.pending, 0)
  return samples[0]
}

test('a sample has the CPU time of all, which is no less than ours', async () => {
  const { cpu, cpuUser, cpuSystem, wall, cpus, time } = await sampled(() => burn(100))
  assert.ok((cpu as number) >= 50, `${cpu}`)
  assert.is((cpuUser as number) + (cpuSystem as number), cpu)
  assert.ok(wall > 0 && cpus >= 1)
  assert.ok(Math.abs(time - Date.now()) < 60_000)
})

test('memory is what is in use of what there is', async () => {
  const { memory, memoryTotal } = await sampled(() => {})
  assert.is(memoryTotal, numberIn('/proc/meminfo', 'MemTotal') * 1024 || memoryTotal)
  assert.ok((memory as number) > 0 && (memory as number) < memoryTotal)
})

test('pressure is there where the kernel keeps it, and nowhere else', async () => {
  const { pressure } = await sampled(() => burn(10))
  for (const what of ['cpu', 'memory', 'io'] as const) {
    let kept = true
    try {
      readFileSync(`/proc/pressure/${what}`)
    } catch {
      kept = false // no PSI, or none for us
    }
    assert.is(pressure?.[what] !== undefined, kept)
    if (kept) assert.ok((pressure?.[what]?.some as number) >= 0)
  }
})

test('the event loop delay is how late timers came, and absent when none was due', async () => {
  const held = await sampled(async () => {
    await new Promise(resolve => setTimeout(resolve, 30)) // the monitor's timers of 10 ms begin to come
    burn(120)
    await new Promise(resolve => setTimeout(resolve, 30))
  })
  assert.ok((held.eventLoopDelay?.max as number) >= 100, JSON.stringify(held.eventLoopDelay))
  assert.ok((held.eventLoopDelay?.p50 as number) <= (held.eventLoopDelay?.max as number))
  const none = await sampled(() => {})
  assert.not('eventLoopDelay' in none)
})

test('what belongs to one process only is absent', async () => {
  const sample = await sampled(() => {})
  for (const field of ['instructions', 'cycles', 'memoryPeak']) assert.not(field in sample)
})

test('options that are not known or out of range are refused', () => {
  for (const options of [null, 1, { every: 0 }, { interval: 5 }, { onSample: 1 }]) {
    isCoded(
      thrown(() => sampleHost(options as never)),
      'ERR_FORELOCK_ARGUMENT'
    )
  }
})

test.run()
