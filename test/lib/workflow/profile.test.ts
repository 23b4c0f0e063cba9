import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { ProfileLearner, readProfile } from '../../../lib/workflow/profile.js'
import type { ActionRecord, RunRecord } from '../../../lib/workflow/record.js'

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

test('the sizes and the commoner pattern of what was transferred are known', () => {
  const moved = (bytes: number, pattern: 'burst' | 'stream') =>
    run({ actions: [action({ data: { bytes, transfers: 2, largest: bytes - 1, pattern } })] })
  const { data } = learnt(undefined, moved(10, 'stream'), moved(20, 'stream'), moved(30, 'burst'))
  assert.equal([data?.bytes.expected, data?.transfer.max, data?.pattern], [20, 29, 'stream'])
})

test.run()
