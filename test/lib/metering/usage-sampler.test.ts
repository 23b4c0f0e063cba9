import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Meter, sampleUsage, type UsageSample } from '../../../lib/index.js'
import { isCoded, macrotask, thrown } from '../support.js'
import { burn, ManualClock } from './support.js'

const US = 0.002 // ms: the kernel's word is rounded to microseconds, of both kinds of time

test('each sample is what was used since the one before', async () => {
  using meter = new Meter('process')
  const clock = new ManualClock()
  const samples: UsageSample[] = []
  const from = Date.now()
  const sampler = sampleUsage(meter, { every: 10, after: clock.after, onSample: sample => samples.push(sample) })
  burn(30)
  const since = process.cpuUsage()
  clock.advance(10)
  clock.advance(10)
  await macrotask()
  const { user, system } = process.cpuUsage(since)
  sampler.close()
  assert.is(samples.length, 2)
  const [busy, idle] = samples
  assert.ok((busy.cpu as number) >= 30)
  assert.ok((idle.cpu as number) <= (user + system) / 1e3 + US)
  assert.ok(busy.time >= from && busy.time <= idle.time && idle.time <= Date.now())
})

test('it ends with its meter', () => {
  const meter = new Meter('thread', { level: 'time' })
  const clock = new ManualClock()
  const sampler = sampleUsage(meter, { every: 10, after: clock.after })
  meter.close()
  clock.advance(10)
  assert.ok(sampler.closed)
  assert.is(clock.pending, 0)
  isCoded(
    thrown(() => sampleUsage(meter, { every: 10 })),
    'ERR_FORELOCK_CLOSED'
  )
})

test('what is no meter, and options that are not known or missing, are refused', () => {
  using meter = new Meter('thread')
  for (const [given, options] of [
    [{}, { every: 1 }],
    [undefined, { every: 1 }],
    [meter, undefined],
    [meter, {}],
    [meter, { every: 0 }],
    [meter, { every: 1, often: true }]
  ]) {
    isCoded(
      thrown(() => sampleUsage(given as never, options as never)),
      'ERR_FORELOCK_ARGUMENT'
    )
  }
})

test.run()
