import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { loadAddon } from '../../../lib/native/load.js'
import { seeded } from '../predict/series.js'

const { predict } = loadAddon()
const functions = { ...predict, ...predict.arrivals(10, 0.5, 1) } as unknown as Record<string, (...given: unknown[]) => unknown>

const detached = () => {
  const view = new Float64Array(64)
  structuredClone(view, { transfer: [view.buffer] })
  return view
}

const VALUES: readonly (() => unknown)[] = [
  () => undefined,
  () => null,
  () => 0,
  () => 1,
  () => 3,
  () => 24,
  () => -1,
  () => 0.5,
  () => 2 ** 31,
  () => 2 ** 53,
  () => Number.NaN,
  () => Number.POSITIVE_INFINITY,
  () => 1n,
  () => 'text',
  () => ({ length: 5 }),
  () => [1, 2, 3],
  () => new Float64Array(0),
  () => new Float64Array(1),
  () => new Float64Array(4).fill(1),
  () => Float64Array.from({ length: 100 }, (_, i) => Math.sin(i)),
  () => new Float64Array(100).fill(Number.NaN),
  () => new Float64Array(new SharedArrayBuffer(800)),
  () => new Uint32Array(0),
  () => Uint32Array.of(1, 2, 24),
  () => Uint32Array.of(0),
  () => new Uint32Array(300).fill(2 ** 32 - 1),
  // A net of one unit, with its weights and state.
  () => Uint32Array.of(0, 1, 1),
  // Origins, and such that lie nowhere.
  () => Uint32Array.of(50, 10, 3),
  () => Uint32Array.of(0, 0, 2 ** 32 - 1),
  () => Uint32Array.of(99, 2 ** 31, 3),
  () => new Float32Array(14).fill(0.5),
  () => new Float64Array(2),
  () => new Uint8Array(7),
  () => new Float32Array(9),
  () => new BigUint64Array(2),
  () => new DataView(new ArrayBuffer(16)),
  detached
]

test('whatever the arguments are, a call answers or throws a TypeError, and the process lives', () => {
  const random = seeded(77)
  const any = () => (VALUES[Math.floor(random() * VALUES.length)] as () => unknown)()
  let [answered, refused] = [0, 0]
  for (const [name, call] of Object.entries(functions)) {
    if (typeof call !== 'function') continue
    for (let round = 0; round < 3_000; round++) {
      const given = Array.from({ length: Math.floor(8 * random()) }, any)
      try {
        call(...given)
        answered++
      } catch (error) {
        assert.instance(error, TypeError, `${name}: ${String(error)}`)
        refused++
      }
    }
  }
  assert.ok(answered > 0 && refused > 0)
})

/** What each takes: anything at all is mostly refused for its first argument. */
function sound(): Record<string, unknown[]> {
  const values = () => Float64Array.from({ length: 100 }, (_, i) => Math.sin(i))
  const lags = () => Uint32Array.of(1, 2, 24)
  const origins = () => Uint32Array.of(50, 10, 3)
  return {
    ridgeFit: [values(), 100, lags(), 0, 1, new Float64Array(4)],
    ridgeForecast: [values(), 100, lags(), 0, new Float64Array(4).fill(0.1), new Float64Array(7)],
    ridgeForecasts: [values(), origins(), lags(), 0, new Float64Array(4).fill(0.1), new Float64Array(21)],
    smoothingFit: [values(), 100, 7, 0, new Float64Array(4)],
    smoothingForecast: [values(), 100, 7, Float64Array.of(0.5, 0.1, 0.1, 0.9), new Float64Array(7)],
    smoothingForecasts: [values(), origins(), 7, Float64Array.of(0.5, 0.1, 0.1, 0.9), new Float64Array(21)],
    autocorrelation: [values(), 100, new Float64Array(30)],
    recurrentRun: [Uint32Array.of(0, 1, 1), new Float32Array(14).fill(0.5), new Float64Array(2), values(), new Float64Array(1)],
    arrivals: [10, 0.5, 1],
    arrived: [Uint32Array.of(1, 0, 2, 0), Float64Array.of(1, 2), Uint8Array.of(0, 3), Uint32Array.of(1, 1), Uint32Array.of(0, 5), 2],
    advance: [5],
    score: [Uint32Array.of(1, 0, 2, 0), 3, 1, new Float64Array(2)],
    likely: [3, 0, 1, new Uint32Array(8), new Float64Array(4)],
    tracked: [],
    examples: [],
    save: [new Float32Array(functions.weights as unknown as number)],
    load: [new Float32Array(functions.weights as unknown as number)]
  }
}

test('nor does one that is wrong among those that are right harm', () => {
  const random = seeded(78)
  const any = () => (VALUES[Math.floor(random() * VALUES.length)] as () => unknown)()
  for (const [name, call] of Object.entries(functions)) {
    if (typeof call !== 'function') continue
    const good = sound()[name]
    assert.ok(good, `${name} has no sound call`)
    call(...good)
    for (let round = 0; round < 500; round++) {
      const given = [...(sound()[name] as unknown[])]
      if (given.length > 0) given[Math.floor(random() * given.length)] = any()
      try {
        call(...given)
      } catch (error) {
        assert.instance(error, TypeError, `${name}: ${String(error)}`)
      }
    }
  }
})

test('a net whose weights, state or outputs are not those of its shape is refused', () => {
  const sizes = { shape: [0, 3, 2], weights: 68, state: 6, out: 2 }
  const call = ({ shape, weights, state, out }: typeof sizes) =>
    predict.recurrentRun(
      Uint32Array.from(shape),
      new Float32Array(weights).fill(0.1),
      new Float64Array(state),
      Float64Array.of(1, -1),
      new Float64Array(out)
    )
  assert.is(call(sizes), true)
  assert.is(call({ ...sizes, out: 0 }), true)
  assert.is(call({ shape: [1, 3, 2], weights: 53, state: 3, out: 2 }), true)
  const bad = [
    { shape: [2, 3, 2] },
    { shape: [0, 0, 2] },
    { shape: [0, 3] },
    { shape: [0, 3, 2, 1] },
    { shape: [0, 2 ** 32 - 1, 2] },
    { shape: [0, 3, 2 ** 32 - 1] },
    { shape: [0, 4, 2] },
    { weights: 67 },
    { weights: 0 },
    { state: 3 },
    { state: 7 },
    { out: 1 },
    { out: 3 }
  ]
  for (const part of bad) assert.throws(() => call({ ...sizes, ...part }), /recurrentRun\(shape, weights/)
})

test('functions of a predictor of arrivals outlive each other and their object', async () => {
  const { setFlagsFromString } = await import('node:v8')
  const { runInNewContext } = await import('node:vm')
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  for (let i = 0; i < 50; i++) {
    const { tracked } = predict.arrivals(1_000, 0.5, i)
    collect()
    assert.is(tracked(), 0)
  }
})

test.run()
