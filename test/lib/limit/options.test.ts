import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { readAdaptOptions, readMode } from '../../../lib/limit/options.js'
import { isCoded, thrown } from '../support.js'

function refused(options: unknown): string {
  const error = thrown(() => readAdaptOptions(options, 4))
  isCoded(error, 'ERR_FORELOCK_ARGUMENT')
  return error.option
}

test('only the algorithm must be said; it starts in shadow', () => {
  assert.equal(readAdaptOptions({ algorithm: 'gradient2' }, 4), {
    algorithm: 'gradient2',
    mode: 'shadow',
    floor: 1,
    ceiling: 200,
    tolerance: 1.5,
    smoothing: 0.2,
    baseline: 600,
    probe: 60,
    backoff: 0.9,
    timeout: Number.POSITIVE_INFINITY,
    window: 1000,
    samples: 10,
    jitter: 0.1,
    onChange: undefined
  })
  assert.is(readAdaptOptions({ algorithm: 'aimd' }, 4).smoothing, 1)
})

test('the ceiling is not below the permits, or the floor, unless it is said', () => {
  assert.is(readAdaptOptions({ algorithm: 'aimd' }, 500).ceiling, 500)
  assert.is(readAdaptOptions({ algorithm: 'aimd', floor: 300 }, 4).ceiling, 300)
  assert.is(readAdaptOptions({ algorithm: 'aimd', ceiling: 8 }, 500).ceiling, 8)
})

test('each option is kept as it is said', () => {
  const onChange = () => {}
  const common = { mode: 'on', floor: 2, ceiling: 3, smoothing: 1, window: 1.5, samples: 1, jitter: 0, onChange } as const
  const gradient2 = { algorithm: 'gradient2', ...common, tolerance: 1, baseline: 1, probe: 0 } as const
  const aimd = { algorithm: 'aimd', ...common, backoff: 0.5, timeout: 0.5 } as const
  for (const given of [gradient2, aimd]) {
    const read = readAdaptOptions(given, 2)
    for (const [option, value] of Object.entries(given)) assert.is((read as never)[option], value, option)
  }
})

test('options that are unknown, or of the other algorithm, are refused by name', () => {
  assert.is(refused({ algorithm: 'gradient2', max: 5 }), 'max')
  for (const option of ['backoff', 'timeout']) assert.is(refused({ algorithm: 'gradient2', [option]: 0.9 }), option)
  for (const option of ['tolerance', 'baseline', 'probe']) assert.is(refused({ algorithm: 'aimd', [option]: 2 }), option)
})

test('values of the wrong type or range are refused by name', () => {
  const never = [Number.NaN, Number.POSITIVE_INFINITY, -1, '2', null, {}, 2n, Symbol('2')]
  const gradient2 = {
    mode: ['off', 1, true, null],
    floor: [0, 1.5, 2 ** 54, ...never],
    ceiling: [0, 1.5, 2 ** 54, ...never],
    tolerance: [0.99, 101, ...never],
    smoothing: [0, 1.01, ...never],
    baseline: [0, 1.5, 1_000_001, ...never],
    probe: [0.5, 1_000_001, ...never],
    window: [0, 0.5, 86_400_001, ...never],
    samples: [0, 1.5, 1_000_001, ...never],
    jitter: [1.01, ...never],
    onChange: [1, 'f', null, {}]
  }
  const aimd = { backoff: [0.49, 1, ...never], timeout: [0, ...never.filter(value => value !== Number.POSITIVE_INFINITY)] }
  for (const [algorithm, options] of Object.entries({ gradient2, aimd })) {
    for (const [option, values] of Object.entries(options)) {
      for (const value of values) assert.is(refused({ algorithm, [option]: value }), `adapt.${option}`)
    }
  }
  for (const algorithm of [undefined, 'vegas', 'toString', 1, null]) assert.is(refused({ algorithm }), 'adapt.algorithm')
  for (const options of [undefined, null, 5, 'aimd', () => {}]) assert.is(refused(options), 'adapt')
})

test('a floor above the ceiling is refused', () => {
  assert.is(refused({ algorithm: 'aimd', floor: 5, ceiling: 4 }), 'adapt.floor')
})

test('each option is read once', () => {
  const reads: PropertyKey[] = []
  const options = new Proxy({ algorithm: 'aimd', floor: 1, backoff: 0.8 } as Record<PropertyKey, unknown>, {
    get(target, key) {
      reads.push(key)
      return target[key]
    }
  })
  readAdaptOptions(options, 4)
  assert.is(new Set(reads).size, reads.length)
})

test('a mode is shadow or on', () => {
  assert.is(readMode('on'), 'on')
  assert.is(readMode('shadow'), 'shadow')
  isCoded(
    thrown(() => readMode('off')),
    'ERR_FORELOCK_ARGUMENT'
  )
})

test.run()
