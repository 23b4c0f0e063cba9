import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Activity } from '../../../lib/foresight/activity.js'
import { eachSubject, readSubject } from '../../../lib/foresight/subject.js'
import { isCoded, thrown } from '../support.js'
import { activity, TIERS } from './support.js'

test('whose demand it is: one thing or one who asks, and of it a tier or all', () => {
  assert.equal(readSubject({ bucket: 'stripe', tier: 'critical' }, TIERS), {
    kind: 'bucket',
    name: 'stripe',
    dimension: undefined,
    tier: 3
  })
  assert.equal(readSubject({ tier: 'background' }, TIERS), { kind: 'all', name: '', dimension: undefined, tier: 0 })
  assert.equal(readSubject({ pool: 'host', dimension: 'cpu' }, TIERS), { kind: 'pool', name: 'host', dimension: 'cpu', tier: undefined })
})

test('what every object has under a name is no name of a subject', () => {
  for (const of of [{}, Object.create({ bucket: undefined }), { constructor: 'a' }])
    isCoded(
      thrown(() => readSubject(of, TIERS)),
      'ERR_FORELOCK_ARGUMENT'
    )
})

const subjectsOf = (of: Activity) => {
  const subjects: [kind: string, name: string][] = []
  eachSubject(of, 7, (kind, name, activity, time) => {
    assert.is(activity, of)
    assert.is(time, 7)
    subjects.push([kind, name])
  })
  return subjects
}

test('a request counts for all, for who makes it, and for the bucket, pool or queue that it is made of', () => {
  const who = { workflow: 'w', tenant: 't', name: 'x' }
  const of = (kind: 'lock' | 'bucket' | 'keyed' | 'pool' | 'room' | 'queue') =>
    subjectsOf(activity({ ...who, kind })).map(([subject]) => subject)
  assert.equal(of('lock'), ['all', 'workflow', 'tenant'])
  assert.equal(of('bucket').at(-1), 'bucket')
  assert.equal(of('keyed').at(-1), 'bucket')
  assert.equal(of('pool').at(-1), 'pool')
  assert.equal(of('room').at(-1), 'queue')
  assert.equal(of('queue'), ['all', 'workflow', 'tenant'])
  assert.equal(subjectsOf(activity()), [['all', '']])
})

test.run()
