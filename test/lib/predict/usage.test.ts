import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { UsageInput, UsagePrediction, UsageRequest } from '../../../lib/index.js'
import { UsageModel } from '../../../lib/predict/usage.js'
import { isCoded, thrown } from '../support.js'
import { normal, seeded } from './series.js'

function mustBeSound(said: Readonly<Record<string, UsagePrediction>>, hint: string): void {
  for (const [name, { expected, low, high, allocate, explained, samples }] of Object.entries(said)) {
    const all = [low, expected, high, allocate]
    assert.ok(
      all.every(value => Number.isFinite(value) && value >= 0),
      `${hint}: ${name} is ${all}`
    )
    assert.ok(low <= expected && expected <= high && expected <= allocate, `${hint}: ${name} is ${all}`)
    assert.ok(explained >= 0 && explained <= 1, `${hint}: ${name} is explained to ${explained}`)
    assert.ok(samples > 0)
  }
}

const request = (input?: UsageInput): UsageRequest => ({ workflow: 'thumbnail', action: 'decode', input })

/** 4 bytes a pixel of what is decoded, 20 of heic. */
function taught(): UsageModel {
  const model = new UsageModel()
  const random = seeded(7)
  for (let i = 0; i < 400; i++) {
    const pixels = 1e6 * (1 + 11 * random())
    const format = random() < 0.3 ? 'heic' : 'jpeg'
    const memory = (format === 'heic' ? 20 : 4) * pixels * Math.exp(0.03 * normal(random))
    model.learn(request({ pixels, format }), { memory, duration: 80 * Math.exp(0.5 * normal(random)), cpu: Number.NaN })
  }
  return model
}

test('tells what a request takes from its numbers and its strings', () => {
  const said = taught().predict(request({ pixels: 6e6, format: 'heic' }))
  assert.ok(Math.abs((said.memory?.expected as number) / 120e6 - 1) < 0.15, `${said.memory?.expected}`)
  const other = taught().predict(request({ pixels: 6e6, format: 'jpeg' }))
  assert.ok(Math.abs((other.memory?.expected as number) / 24e6 - 1) < 0.15, `${other.memory?.expected}`)
  assert.is(said.memory?.from, 'input')
})

test('says where the input says nothing, and leaves out what was never measured', () => {
  const said = taught().predict(request({ pixels: 6e6, format: 'heic' }))
  assert.is(said.duration?.from, 'history')
  assert.equal(Object.keys(said), ['memory', 'duration'])
})

test('an input that is missing, in part or whole, gives a sound answer', () => {
  const model = taught()
  for (const input of [undefined, {}, { pixels: 5e6 }, { format: 'heic' }, { format: 'never seen', pixels: Number.NaN }, { other: 1 }]) {
    const said = model.predict(request(input))
    mustBeSound(said, JSON.stringify(input))
    assert.ok((said.memory?.allocate as number) > 1e6)
  }
})

test('a workflow, its actions and other workflows are learnt apart', () => {
  const model = new UsageModel()
  model.learn({ workflow: 'a' }, { memory: 1 })
  model.learn({ workflow: 'a', action: 'b' }, { memory: 2 })
  model.learn({ workflow: 'a b' }, { memory: 3 })
  model.learn({ workflow: '1 a', action: 'b' }, { memory: 4 })
  assert.is(model.size, 4)
  assert.equal(model.predict({ workflow: 'b' }), {})
  model.forget('a')
  assert.is(model.size, 2)
  assert.equal(model.predict({ workflow: 'a', action: 'b' }), {})
})

test('of more kinds than it keeps, those used last stay', () => {
  const model = new UsageModel({ kinds: 2 })
  model.learn({ workflow: 'a' }, { memory: 1 })
  model.learn({ workflow: 'b' }, { memory: 1 })
  model.predict({ workflow: 'a' })
  model.learn({ workflow: 'c' }, { memory: 1 })
  assert.is(model.size, 2)
  assert.equal(model.predict({ workflow: 'b' }), {})
  assert.is(model.predict({ workflow: 'a' }).memory?.samples, 1)
})

test('what was said of requests that were under way together is judged, and not what would be said when the first of them are over', () => {
  const allocated = (isTold: boolean) => {
    const model = new UsageModel()
    for (let i = 0; i < 10; i++) model.learn(request(), { memory: 1_000 })
    const said = model.predict(request())
    for (let i = 0; i < 10; i++) model.learn(request(), { memory: 2_000 }, isTold ? said : undefined)
    return model.predict(request()).memory?.allocate as number
  }
  assert.ok(allocated(true) > allocated(false), `${allocated(true)} ${allocated(false)}`)
})

test('others do not pay for what was declared too low', () => {
  const allocated = (most: number | undefined) => {
    const model = new UsageModel()
    model.declare({ workflow: 'declared' }, { memory: { most } })
    for (let i = 0; i < 50; i++) {
      model.learn(request(), { memory: 1_000 * (1 + ((i * i) % 7)) })
      const one = { workflow: 'declared' }
      model.learn(one, { memory: 9_000 }, model.predict(one))
    }
    return model.predict(request()).memory?.allocate as number
  }
  const [free, bound] = [allocated(undefined), allocated(5)]
  assert.ok(Math.abs(bound / free - 1) < 0.02, `${bound} ${free}`)
})

test('what is declared is said until something is known', () => {
  const model = new UsageModel()
  model.declare(request(), { memory: 1e9, cpu: { expected: 500, most: 2_000 } })
  const said = model.predict(request({ pixels: 1 }))
  assert.equal([said.memory?.allocate, said.cpu?.expected, said.cpu?.allocate], [1e9, 500, 2_000])
  for (let i = 0; i < 20; i++) model.learn(request({ pixels: i }), { memory: 5e6, cpu: 9_000 })
  const learnt = model.predict(request({ pixels: 1 }))
  assert.ok((learnt.memory?.allocate as number) < 6e6)
  assert.is(learnt.cpu?.allocate, 2_000)
})

test('whatever it is taught and asked, what it says is sound', () => {
  const random = seeded(11)
  const pick = <T>(...of: T[]): T => of[Math.floor(of.length * random())] as T
  const number = () => pick(0, -0, 1, -1, 1e-300, 1e300, -1e300, Number.MAX_VALUE, random(), 1e9 * normal(random), Number.NaN, Infinity)
  const value = () => pick<unknown>(number(), number(), `${Math.floor(9 * random())}`, 'a/b', '', 'x'.repeat(5_000), true, 7n, null, {}, [])
  const amount = () => pick(0, 5e-324, 1, 7, 7, 1e12 * random(), Math.exp(3 * normal(random)), 1e300, Number.MAX_VALUE, Number.NaN)
  for (let round = 0; round < 60; round++) {
    const model = new UsageModel({ under: pick(0.001, 0.015, 0.2) })
    const calm = random() < 0.5
    const input = () => Object.fromEntries(Array.from({ length: 12 * random() }, (_, i) => [`p${i}`, value()])) as UsageInput
    const said: string[] = []
    for (let i = 0; i < 200 * random() ** 2; i++) {
      model.learn(request(input()), { memory: calm ? 1e6 * random() : amount(), cpu: pick(0, 0, 3), duration: i * i })
      if (i % 9 === 0) mustBeSound(model.predict(request(input()), pick(0.5, 0.9, 0.99)), `round ${round}, after ${i}`)
    }
    said.push(JSON.stringify(model.predict(request({ p0: 1 }))))
    assert.not.ok(said.some(text => text.includes('null')))
  }
})

for (const [kind, values] of Object.entries({
  zeros: [0],
  'one value': [7],
  'the greatest number': [Number.MAX_VALUE],
  'the least and the greatest number': [5e-324, Number.MAX_VALUE],
  'fractions of a unit': [1e-9, 2e-9, 3e-9]
})) {
  test(`answers soundly where all that comes is ${kind}`, () => {
    const model = new UsageModel()
    for (let i = 0; i < 200; i++) {
      model.learn(request({ x: values[i % values.length] as number, text: `${i}` }), { memory: values[i % values.length] })
      mustBeSound(model.predict(request({ x: i })), `after ${i}`)
    }
  })
}

test('one that was saved says the same', () => {
  const model = taught()
  model.declare({ workflow: 'new' }, { memory: { least: 5, most: 9 } })
  const heir = new UsageModel()
  heir.load(model.save())
  assert.is(heir.size, 2)
  assert.equal(heir.save(), model.save())
  assert.equal(heir.predict({ workflow: 'new' }), model.predict({ workflow: 'new' }))
  const [said, before] = [heir, model].map(one => one.predict(request({ pixels: 6e6, format: 'heic' })).memory as UsagePrediction)
  assert.ok(Math.abs((said?.expected as number) / (before?.expected as number) - 1) < 0.02)
})

test('keeps the strings of inputs as hashes only', () => {
  const model = new UsageModel()
  for (let i = 0; i < 9; i++) model.learn(request({ mail: 'jane@example.org' }), { memory: 1 })
  assert.not.ok(Buffer.from(model.save()).toString().includes('jane'))
})

test('what is damaged, or of another kind, is not loaded, and nothing changes', () => {
  const model = taught()
  const before = model.save()
  for (const at of [0, 16, 30, before.length >> 1, before.length - 1]) {
    const broken = Uint8Array.from(before)
    broken[at] = (broken[at] as number) ^ 1
    isCoded(
      thrown(() => model.load(broken)),
      'ERR_FORELOCK_CORRUPT'
    )
  }
  for (const broken of [new Uint8Array(0), before.subarray(0, 100), Uint8Array.from([...before, 0])]) {
    isCoded(
      thrown(() => model.load(broken)),
      'ERR_FORELOCK_CORRUPT'
    )
  }
  for (const other of [new UsageModel({ resources: ['tokens'] }).save(), 'text' as unknown as Uint8Array]) {
    isCoded(
      thrown(() => model.load(other)),
      'ERR_FORELOCK_ARGUMENT'
    )
  }
  assert.equal(model.save(), before)
})

test('refuses what is no request, no amount and no option, and learns nothing from it', () => {
  const model = new UsageModel()
  const none = undefined as unknown as UsageRequest
  const learns: unknown[] = [undefined, 5, { memory: -1 }, { memory: Infinity }, { memory: '1' }, { memory: null }, { memroy: 1 }]
  const requests: unknown[] = [none, {}, { workflow: '' }, { workflow: 5 }, { workflow: 'a', action: '' }, { workflow: 'a', input: 5 }]
  const options: unknown[] = [
    { under: 0 },
    { under: Number.NaN },
    { kinds: 0 },
    { resources: [] },
    { resources: ['a', 'a'] },
    { resources: ['__proto__'] },
    { resources: ['a,b'] },
    { other: 1 },
    null
  ]
  const declared: unknown[] = [
    { memory: -1 },
    { memory: 'x' },
    { memory: { least: 2, most: 1 } },
    { memory: { expected: 5, most: 1 } },
    { x: 1 }
  ]
  const calls = [
    ...learns.map(took => () => model.learn(request({ a: 1 }), took as { memory: number })),
    ...requests.flatMap(one => [() => model.learn(one as UsageRequest, { memory: 1 }), () => model.predict(one as UsageRequest)]),
    ...options.map(one => () => new UsageModel(one as { under: number })),
    ...declared.map(one => () => model.declare(request(), one as { memory: number })),
    () => model.predict({ workflow: 'a', other: 1 } as UsageRequest),
    ...[null, 5, { memory: 5 }, { memory: null }, { memory: { allocate: Number.NaN } }].map(
      said => () => model.learn(request(), { memory: 1 }, said as unknown as Record<string, UsagePrediction>)
    ),
    () => model.predict(request(), 0.2),
    () => model.predict(request(), Number.NaN)
  ]
  for (const call of calls) isCoded(thrown(call), 'ERR_FORELOCK_ARGUMENT')
  assert.is(model.size, 0)
})

test.run()
