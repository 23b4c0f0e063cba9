import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { findSimilar, type WorkflowProfile } from '../../../lib/index.js'
import { isCoded, thrown } from '../support.js'

const spread = (expected: number) => ({ expected, p95: expected, max: expected, samples: 1, least: undefined, most: undefined })

function profile(id: string, parts: Partial<WorkflowProfile> = {}): WorkflowProfile {
  return {
    id,
    type: 'image',
    priority: 'standard',
    prices: undefined,
    duration: spread(100),
    requirements: { cpu: spread(50) },
    certifications: [],
    data: undefined,
    cost: undefined,
    input: {},
    samples: 1,
    actions: [],
    ...parts
  }
}

const distanceTo = (a: WorkflowProfile, b: WorkflowProfile) => findSimilar(a, [b])[0]?.distance

test('a profile is at no distance from one that says the same', () => {
  assert.is(distanceTo(profile('a'), profile('b')), 0)
})

test('the distance is the same in both directions, between 0 and 1, and 1 only where nothing is in common', () => {
  const far = profile('far', { type: 'video', priority: 'critical', duration: spread(1e6), requirements: { cpu: spread(0) } })
  const others = [far, profile('b', { type: 'text' }), profile('c', { duration: spread(200) }), profile('d', { certifications: ['pci'] })]
  for (const a of [profile('a'), ...others]) {
    for (const b of others) {
      if (a === b) continue
      const distance = distanceTo(a, b) as number
      assert.ok(distance > 0 && distance <= 1, `${a.id} ${b.id} ${distance}`)
      assert.is(distanceTo(b, a), distance)
    }
  }
  assert.is(distanceTo(profile('a'), far), 1)
})

test('twice as long is nearer than ten times as long, whichever is the longer', () => {
  const near = distanceTo(profile('a'), profile('b', { duration: spread(200) })) as number
  assert.is(distanceTo(profile('a'), profile('b', { duration: spread(50) })), near)
  assert.ok(near < (distanceTo(profile('a'), profile('b', { duration: spread(1000) })) as number))
})

test('inputs that are alike are nearer: numbers by their ratio, texts by the part of the runs that have the same', () => {
  const sized = (id: string, expected: number) => profile(id, { input: { bytes: { amount: spread(expected), shares: undefined } } })
  const near = distanceTo(sized('a', 1000), sized('b', 2000)) as number
  assert.ok(near > 0 && near < (distanceTo(sized('a', 1000), sized('c', 50_000)) as number))
  const of = (id: string, shares: Record<string, number>) => profile(id, { input: { format: { amount: undefined, shares } } })
  const mine = of('a', { heic: 0.5, png: 0.5 })
  assert.is(distanceTo(mine, of('b', { png: 0.5, heic: 0.5 })), 0)
  const half = distanceTo(mine, of('c', { heic: 1 })) as number
  assert.ok(half > 0 && half < (distanceTo(mine, of('d', { constructor: 1 })) as number))
  assert.is(distanceTo(mine, sized('e', 5)), 0, 'of no field both say something')
})

test('what is no profile is refused', () => {
  for (const [one, history] of [
    [{}, []],
    [null, []],
    [profile('a'), 5],
    [profile('a'), [{}]],
    [profile('a'), undefined]
  ] as never[][]) {
    isCoded(
      thrown(() => findSimilar(one as never, history as never)),
      'ERR_FORELOCK_ARGUMENT'
    )
  }
})

test('what one of them says nothing about makes no difference', () => {
  const silent = profile('b', { duration: undefined, requirements: {} })
  assert.is(distanceTo(profile('a'), silent), 0)
})

test('the nearest come first, as many as are asked for, and never itself', () => {
  const mine = profile('a')
  const history = [
    profile('far', { type: 'video' }),
    profile('a', { type: 'video' }),
    profile('near'),
    profile('off', { duration: spread(300) })
  ]
  assert.equal(
    findSimilar(mine, history, 2).map(({ profile: { id } }) => id),
    ['near', 'off']
  )
  for (const most of [0, -1, 1.5, '1'] as never[]) {
    isCoded(
      thrown(() => findSimilar(mine, history, most)),
      'ERR_FORELOCK_ARGUMENT'
    )
  }
})

test.run()
