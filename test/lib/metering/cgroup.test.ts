import { readFileSync } from 'node:fs'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Meter } from '../../../lib/index.js'
import { cgroupFiles } from '../../../lib/metering/cgroup.js'
import { isCoded, thrown } from '../support.js'
import { burn, usageOf } from './support.js'

const mounted = /^\S+ \S+ \S+ \S+ (\S+) .* - cgroup2? /m.exec(readFileSync('/proc/self/mountinfo', 'utf8'))?.[1]

/** The cgroups that this process is in, as the kernel names them, innermost ones first. */
const own = readFileSync('/proc/self/cgroup', 'utf8')
  .trim()
  .split('\n')
  .map(line => line.split(':')[2])
  .sort((a, b) => b.length - a.length)

function meterOfOwn(): Meter | undefined {
  for (const cgroup of [...own, '/']) {
    try {
      const meter = new Meter({ cgroup })
      if ('cpu' in meter.methods) return meter
      meter.close()
    } catch (error) {
      isCoded(error, 'ERR_FORELOCK_NOT_FOUND')
    }
  }
  return undefined
}

test('the CPU time of the cgroup that this process is in has that of the process', async () => {
  const meter = meterOfOwn()
  // A machine without cgroups, or with none that counts: there is nothing to measure.
  if (meter === undefined) return
  const { cpu } = await usageOf(meter, () => burn(40))
  meter.close()
  assert.ok((cpu as number) >= 35, `${cpu}`)
})

test('what is not counted for the group is absent, and each value names its file', async () => {
  const meter = meterOfOwn()
  if (meter === undefined) return
  const usage = await usageOf(meter, () => {})
  const { methods } = meter
  meter.close()
  for (const field of ['networkReceived', 'networkSent', 'instructions', 'cycles', 'contextSwitches'] as const) assert.not(field in usage)
  for (const [field, word] of Object.entries(methods)) {
    if (field !== 'wall') assert.ok(readFileSync(word.split(': ')[0], 'utf8').length >= 0, word)
  }
})

test('a folder is that group and no other of the same name', () => {
  if (mounted === undefined) return
  let files: ReturnType<typeof cgroupFiles> = []
  try {
    files = cgroupFiles(mounted)
  } catch (error) {
    isCoded(error, 'ERR_FORELOCK_NOT_FOUND')
  }
  for (const { path } of files) assert.ok(path.startsWith(`${mounted}/`), path)
})

test('a counter is read from one file only', () => {
  let files: ReturnType<typeof cgroupFiles> = []
  try {
    files = cgroupFiles('/')
  } catch (error) {
    isCoded(error, 'ERR_FORELOCK_NOT_FOUND')
  }
  const counters = files.flatMap(({ terms }) => terms.map(([, , counter]) => counter))
  assert.is(new Set(counters).size, counters.length)
})

test('a group that nobody made is not found', () => {
  isCoded(
    thrown(() => cgroupFiles('/no/such/group')),
    'ERR_FORELOCK_NOT_FOUND'
  )
})

test.run()
