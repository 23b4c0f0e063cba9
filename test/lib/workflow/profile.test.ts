import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { ProfileLearner, readProfile } from '../../../lib/workflow/profile.js'
import type { ActionRecord, RunRecord } from '../../../lib/workflow/record.js'
import { isCoded, thrown } from '../support.js'

const about = { id: 'w', type: 'w', priority: 'standard', prices: undefined }
const booked = { requests: 0, refused: 0, waited: 0, tokens: 0 }

function action(parts: Partial<ActionRecord> = {}): ActionRecord {
  return {
    name: 'a',
    position: 0,
    offset: 0,
    duration: 1,
    outcome: 'success',
    usage: { wall: 1 },
    cost: undefined,
    booked,
    certifications: [],
    data: undefined,
    ...parts
  }
}

function run(parts: Partial<RunRecord> = {}): RunRecord {
  return {
    id: '1',
    parent: undefined,
    workflow: 'w',
    type: 'w',
    tier: 'standard',
    tenant: undefined,
    client: undefined,
    start: 0,
    waited: 0,
    duration: 10,
    outcome: 'success',
    usage: { wall: 10 },
    cost: undefined,
    booked,
    input: {},
    events: [],
    actions: [],
    ...parts
  }
}

function learnt(given: unknown, ...runs: RunRecord[]) {
  const learner = new ProfileLearner(about, readProfile(given))
  for (const one of runs) learner.add(one)
  return learner.workflowProfile()
}

test('what is learnt is the median, the 95th percentile and the most of what was used', () => {
  const { duration, requirements, samples } = learnt(
    undefined,
    ...Array.from({ length: 100 }, (_, i) => run({ duration: i + 1, usage: { wall: i + 1, cpu: 2 * (i + 1) } }))
  )
  assert.equal([duration?.expected, duration?.p95, duration?.max, duration?.samples], [50, 95, 100, 100])
  assert.equal([requirements.cpu?.expected, requirements.cpu?.p95], [100, 190])
  assert.is(requirements.memory, undefined)
  assert.is(samples, 100)
})

test('the last 256 runs make the percentiles, and all of them the most', () => {
  const { duration } = learnt(undefined, run({ duration: 9999 }), ...Array.from({ length: 300 }, () => run({ duration: 5 })))
  assert.equal([duration?.expected, duration?.p95, duration?.max], [5, 5, 9999])
})

test('runs and actions that were not done are not learnt from', () => {
  const { duration, actions, samples } = learnt(
    undefined,
    run({ duration: 1, outcome: 'drop' }),
    run({ duration: 2, outcome: 'ignore' }),
    run({ duration: 3, actions: [action({ outcome: 'ignore' })] })
  )
  assert.equal([samples, duration?.max, actions.length], [1, 3, 0])
})

test('what was given stands until something is learnt, and bounds it then', () => {
  const given = { duration: { expected: 800, least: 500, most: 1000 }, requirements: { cpu: 40 } }
  const before = learnt(given)
  assert.equal([before.duration?.expected, before.duration?.p95, before.duration?.samples], [800, 1000, 0])
  assert.equal([before.requirements.cpu?.expected, before.requirements.cpu?.samples], [40, 0])
  const after = learnt(given, run({ duration: 100, usage: { wall: 1, cpu: 7 } }), run({ duration: 5000 }), run({ duration: 700 }))
  assert.equal([after.duration?.expected, after.duration?.p95, after.duration?.max], [700, 1000, 1000])
  assert.is(after.requirements.cpu?.expected, 7)
})

test('actions are known by name, in the order in which they usually begin, with the part of the runs that they are in', () => {
  const late = action({ name: 'late', offset: 8, certifications: ['pci'] })
  const early = action({ name: 'early', offset: 1 })
  const { actions, certifications } = learnt({ certifications: ['soc2'] }, run({ actions: [late, early] }), run({ actions: [early] }))
  assert.equal(
    actions.map(({ name, share }) => [name, share]),
    [
      ['early', 1],
      ['late', 0.5]
    ]
  )
  assert.equal(certifications, ['soc2', 'pci'])
})

test('data that were given stand until some were transferred, and bound what is learnt of them', () => {
  const given = { data: { bytes: { expected: 500, most: 900 }, transfer: 50, pattern: 'stream' } }
  const { data } = learnt(given)
  assert.equal(
    [data?.bytes.expected, data?.bytes.max, data?.bytes.samples, data?.transfer.expected, data?.pattern],
    [500, 900, 0, 50, 'stream']
  )
  assert.equal(learnt({ data: { bytes: 500 } }).data?.pattern, 'burst')
  const moved = { bytes: 2000, transfers: 1, largest: 2000, pattern: 'burst' } as const
  const seen = learnt(given, run({ actions: [action({ data: moved })] })).data
  assert.equal([seen?.bytes.expected, seen?.bytes.most, seen?.transfer.expected, seen?.pattern], [900, 900, 2000, 'burst'])
  for (const data of [5, {}, { bytes: -1 }, { bytes: 1, pattern: 'flood' }, { bytes: 1, colour: 2 }, { bytes: { least: 2, most: 1 } }]) {
    isCoded(
      thrown(() => readProfile({ data })),
      'ERR_FORELOCK_ARGUMENT'
    )
  }
})

test('of the fields of inputs that are kept it is known how large they are, or which values they have', () => {
  const inputs = [
    { bytes: 10, format: 'heic', urgent: true },
    { bytes: 30, format: 'png' },
    { bytes: 20, format: 'heic', odd: null }
  ]
  const { input } = learnt(undefined, ...inputs.map(input => run({ input })))
  assert.equal([input.bytes?.amount?.expected, input.bytes?.amount?.max, input.bytes?.shares], [20, 30, undefined])
  assert.equal([input.format?.amount, input.format?.shares], [undefined, { heic: 2 / 3, png: 1 / 3 }])
  assert.equal(input.urgent?.shares, { true: 1 })
  const many = learnt(undefined, ...Array.from({ length: 100 }, (_, i) => run({ input: { [`field ${i}`]: i, name: `${i}` } }))).input
  assert.is(Object.keys(many).length, 64)
  assert.is(Object.keys(many.name?.shares ?? {}).length, 32)
})

test('the sizes and the commoner pattern of what was transferred are known', () => {
  const moved = (bytes: number, pattern: 'burst' | 'stream') =>
    run({ actions: [action({ data: { bytes, transfers: 2, largest: bytes - 1, pattern } })] })
  const { data } = learnt(undefined, moved(10, 'stream'), moved(20, 'stream'), moved(30, 'burst'))
  assert.equal([data?.bytes.expected, data?.transfer.max, data?.pattern], [20, 29, 'stream'])
})

test.run()
